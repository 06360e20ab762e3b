-- data_uri.lua - looks at data URIs (RFC 2397) without copying or decoding what they carry.
--
-- A data URI may hold megabytes, and pattern functions refuse subjects over 64 KiB: the media type is cut off by plain
-- searches first, and only that short piece is ever matched. The bytes stay in base64; the host decodes them on sending.

local data_uri = {}

local SCHEME = "data:"

-- Longer than any media type with parameters. A "header" beyond it is not one.
local MAX_HEADER_BYTES = 255

local EXTENSIONS = {
  ["image/png"] = "png", ["image/jpeg"] = "jpg", ["image/webp"] = "webp", ["image/gif"] = "gif", ["image/avif"] = "avif",
  ["video/mp4"] = "mp4", ["video/webm"] = "webm", ["video/quicktime"] = "mov",
  ["audio/mpeg"] = "mp3", ["audio/wav"] = "wav", ["audio/flac"] = "flac",
  ["application/json"] = "json", ["application/zip"] = "zip", ["text/plain"] = "txt",
}

-- Registered (IANA); anything else before a slash is somebody's sentence.
local TOP_LEVEL = {
  application = true, audio = true, chemical = true, font = true, image = true, message = true, model = true, multipart = true,
  text = true, video = true,
}

-- How much of base64 is looked at, at both ends: patterns have a limit, and a sentence gives itself away at once.
local LOOKED_AT_BYTES = 1024

--- Whether a value is text that begins like a data URI (the scheme in any letter case), well-formed or not.
function data_uri.begins(value)
  return type(value) == "string" and string.lower(string.sub(value, 1, #SCHEME)) == SCHEME
end

-- The part between "data:" and the comma, and where the data begins.
local function split(text)
  local comma = string.find(text, ",", 1, true)
  if not comma or comma > MAX_HEADER_BYTES then return nil end
  return string.sub(text, #SCHEME + 1, comma - 1), comma + 1
end

local function padding(text, first)
  local count = 0
  while count < 2 and #text - count >= first and string.byte(text, #text - count) == string.byte("=") do count = count + 1 end
  return count
end

--- The number of bytes that a base64 text stands for, counted from its length: from byte `first` (default 1) to the end.
function data_uri.base64_bytes(text, first)
  first = first or 1
  return (#text - first + 1 - padding(text, first)) * 3 // 4
end

--- Whether a text, from byte `first` (default 1) to the end, can be base64: of either alphabet, in lines or not.
function data_uri.is_base64(text, first)
  first = first or 1
  local head = string.sub(text, first, first + LOOKED_AT_BYTES - 1)
  local tail = string.sub(text, math.max(first, #text - LOOKED_AT_BYTES + 1))
  return string.find(head, "^[%w+/_-][%w+/_=\r\n-]*$") ~= nil and string.find(tail, "^[%w+/_=\r\n-]*$") ~= nil
end

--- Takes a data URI apart: { content_type =, base64 = true or false, first = where its data begins, bytes = }, or nil and
-- what is wrong. `content_type` is in lower case and without parameters. `bytes` is nil unless the data is base64.
function data_uri.parse(text)
  if not data_uri.begins(text) then return nil, "is not a data URI" end
  local header, first = split(text)
  if not header then return nil, "is a data URI without a comma after its media type" end
  header = string.lower(header)
  local content_type = string.match(header, "^[^;]*")
  if content_type == "" then content_type = "text/plain" end
  if not string.find(content_type, "^[%w%.%+%-]+/[%w%.%+%-]+$") then return nil, "is a data URI with a malformed media type" end
  local is_base64 = string.sub(header, -7) == ";base64"
  return {
    content_type = content_type, base64 = is_base64, first = first,
    bytes = is_base64 and data_uri.base64_bytes(text, first) or nil,
  }
end

-- A URI has no white space. What is longer than patterns take is looked at from its beginning.
local function has_space(text, first)
  return string.find(string.sub(text, first, first + 60000), "[%s%c]") ~= nil
end

--- Whether a value is a data URI: what is before its first comma is a media type, and what follows can be its data. A sentence
-- that begins with "Data: " is none.
function data_uri.is(value)
  local parsed = data_uri.parse(value)
  if not parsed or not TOP_LEVEL[string.match(parsed.content_type, "^[^/]*")] then return false end
  if string.find(string.sub(value, #SCHEME + 1, #SCHEME + 1), "[,;]") then return false end
  if parsed.base64 then return #value < parsed.first or data_uri.is_base64(value, parsed.first) end
  return not has_space(value, parsed.first)
end

-- How the base64 of an image file begins: its signature, three bytes in four digits.
local IMAGE_SIGNATURES = {
  { "iVBORw0KGgo", "image/png" }, { "/9j/", "image/jpeg" }, { "UklGR", "image/webp" }, { "R0lGOD", "image/gif" },
}

--- The data URI of an image given as bare base64 (told by its signature), or nil.
function data_uri.of_image(text)
  for _, signature in ipairs(IMAGE_SIGNATURES) do
    local start, content_type = signature[1], signature[2]
    if string.sub(text, 1, #start) == start then return "data:" .. content_type .. ";base64," .. text end
  end
  return nil
end

--- The content type of a data URI, or nil.
function data_uri.content_type(text)
  local parsed = data_uri.parse(text)
  return parsed and parsed.content_type
end

--- The usual file extension of a content type (parameters are allowed), without the dot; "bin" if there is none.
function data_uri.extension(content_type)
  local media_type = string.match(string.lower(string.sub(content_type or "", 1, MAX_HEADER_BYTES)), "^%s*([^;%s]*)")
  return EXTENSIONS[media_type] or "bin"
end

--- A file part for ctx.request's `form`. `text` is a data URI that data_uri.parse accepts.
function data_uri.form_part(name, text)
  local content_type = data_uri.content_type(text)
  return { name = name, filename = name .. "." .. data_uri.extension(content_type), content_type = content_type, data_uri = text }
end

return data_uri
