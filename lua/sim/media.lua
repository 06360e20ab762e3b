-- media.lua - the files that simulated vendors make: small and quickly made, and valid for any decoder (src/media/).
local placeholder = require "media" -- src/sim/sim_media.c

local media = {}

--- The media type of a file's ending.
function media.type(format)
  return placeholder.type(format) or "application/octet-stream"
end

--- The file of this format (JPEG if there is no such); what it looks like follows from `name`, so two jobs differ and one job is
--- always the same.
function media.file(format, name, width, height, seconds)
  if not format or not placeholder.type(format) then format = "jpeg" end
  return placeholder.make(format, name, width or 512, height or 512, seconds or format == "wav" and 2 or 5)
end

--- The media type that the bytes of a file begin like, else nil.
function media.sniff(bytes)
  if bytes:sub(1, 8) == "\137PNG\r\n\26\n" then return "image/png" end
  if bytes:sub(1, 2) == "\xff\xd8" then return "image/jpeg" end
  if bytes:sub(5, 8) == "ftyp" then return "video/mp4" end
  if bytes:sub(1, 4) == "RIFF" and bytes:sub(9, 12) == "WEBP" then return "image/webp" end
  if bytes:sub(1, 4) == "RIFF" and bytes:sub(9, 12) == "WAVE" then return "audio/wav" end
  if bytes:sub(1, 4) == "glTF" then return "model/gltf-binary" end
  return nil
end

return media
