-- What a PNG says of itself, and base64 as answers carry it.
local mime = require "mime"

local picture = {}

function picture.decode(text)
  return (mime.unb64(text))
end

--- { width, height, texts = { tEXt and iTXt as they are } } of a whole PNG; an error for what is none.
function picture.read(bytes)
  assert(bytes:sub(1, 8) == "\137PNG\r\n\26\n", "this is no PNG: " .. bytes:sub(1, 16))
  local found, at = { texts = {} }, 9
  while at < #bytes do
    local length, kind = string.unpack(">I4c4", bytes, at)
    local data = bytes:sub(at + 8, at + 7 + length)
    if kind == "IHDR" then found.width, found.height = string.unpack(">I4I4", data) end
    if kind == "tEXt" or kind == "iTXt" then found.texts[#found.texts + 1] = data end
    at = at + 12 + length
    if kind == "IEND" then
      assert(at == #bytes + 1, "something follows the picture")
      return found
    end
  end
  error("the picture is cut")
end

--- "1536x1024"
function picture.size(bytes)
  local found = picture.read(bytes)
  return found.width .. "x" .. found.height
end

return picture
