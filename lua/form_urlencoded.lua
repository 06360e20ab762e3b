-- form_urlencoded.lua - bodies of type application/x-www-form-urlencoded, for vendors that take a plain form.
--
-- ctx.request sends its `form` as multipart/form-data; a plain form goes out as `body` text with this content type.

local form_urlencoded = { CONTENT_TYPE = "application/x-www-form-urlencoded" }

-- Pattern functions refuse long subjects; percent-encoding works byte by byte, so any cut is a good one.
local PIECE_BYTES = 8192

local function encode_piece(text)
  return (string.gsub(text, "[^%w%-%._~]", function(byte) return string.format("%%%02X", string.byte(byte)) end))
end

local function encode(text)
  local pieces = {}
  for first = 1, #text, PIECE_BYTES do
    pieces[#pieces + 1] = encode_piece(string.sub(text, first, first + PIECE_BYTES - 1))
  end
  return table.concat(pieces)
end

--- The body for a list of { name =, value = }, in this order. Values are text.
function form_urlencoded.encode(fields)
  local parts = {}
  for _, field in ipairs(fields) do parts[#parts + 1] = encode(field.name) .. "=" .. encode(field.value) end
  return table.concat(parts, "&")
end

return form_urlencoded
