-- JSON without losses, for specs that look closely: lua-cjson on Lua 5.4 turns [] into {}, 1 into 1.0 and rounds beyond 2^53.
-- Here an array knows that it is one, integers and floats stay apart, and an integer beyond 64 bits keeps its digits.
local cjson = require "cjson"

local exact = { null = cjson.null }

local Array = { __name = "array" }
local Wide = { __name = "wide integer" }

function Wide.__eq(a, b) return a.digits == b.digits end
function Wide.__tostring(number) return number.digits end

--- Marks a table as an array, so that an empty one is written as [].
function exact.array(list)
  return setmetatable(list or {}, Array)
end

--- An integer that Lua's 64 bits do not hold, from its digits.
function exact.wide(digits)
  return setmetatable({ digits = digits }, Wide)
end

function exact.is_array(value)
  return type(value) == "table" and (getmetatable(value) == Array or #value > 0)
end

-- Decoding ------------------------------------------------------------------------------------------------------------

local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local WORDS = { ["true"] = true, ["false"] = false, ["null"] = exact.null }

local decode_value

local function fail(text, at, what)
  error(("JSON: %s at byte %d: %s"):format(what, at, text:sub(at, at + 20)), 0)
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

-- \uXXXX, perhaps the first half of a pair.
local function decode_unicode(text, at)
  local first = tonumber(text:match("^%x%x%x%x", at + 2) or fail(text, at, "bad escape"), 16)
  if first < 0xD800 or first > 0xDBFF then return utf8.char(first), at + 6 end
  local second = tonumber(text:match("^\\u(%x%x%x%x)", at + 6) or fail(text, at, "half a pair"), 16)
  return utf8.char(0x10000 + (first - 0xD800) * 0x400 + (second - 0xDC00)), at + 12
end

local function decode_string(text, at)
  local parts, start = {}, at + 1
  while true do
    local stop = text:find('["\\]', start) or fail(text, at, "open text")
    parts[#parts + 1] = text:sub(start, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
    local letter = text:sub(stop + 1, stop + 1)
    if letter == "u" then
      parts[#parts + 1], start = decode_unicode(text, stop)
    else
      parts[#parts + 1], start = ESCAPES[letter] or fail(text, stop, "bad escape"), stop + 2
    end
  end
end

local function decode_number(text, at)
  local digits = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at) or fail(text, at, "unexpected")
  local value = tonumber(digits) or fail(text, at, "bad number")
  if digits:find("[.eE]") then value = value + 0.0
  elseif math.type(value) == "float" then value = exact.wide(digits) end
  return value, at + #digits
end

local function decode_array(text, at)
  local list = exact.array()
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = decode_value(text, at)
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == "]" then return list, at + 1 end
    if mark ~= "," then fail(text, at, "expected , or ]") end
    at = at + 1
  end
end

local function decode_object(text, at)
  local object = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    local name
    name, at = decode_string(text, skip(text, at))
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(text, at, "expected :") end
    if object[name] ~= nil then fail(text, at, "the member " .. name .. " a second time") end
    object[name], at = decode_value(text, at + 1)
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == "}" then return object, at + 1 end
    if mark ~= "," then fail(text, at, "expected , or }") end
    at = skip(text, at + 1)
  end
end

function decode_value(text, at)
  at = skip(text, at)
  local first = text:sub(at, at)
  if first == "{" then return decode_object(text, at) end
  if first == "[" then return decode_array(text, at) end
  if first == '"' then return decode_string(text, at) end
  local word = text:match("^%a+", at)
  if word == nil then return decode_number(text, at) end
  if WORDS[word] == nil then fail(text, at, "unexpected") end
  return WORDS[word], at + #word
end

function exact.decode(text)
  local value, at = decode_value(text, 1)
  if skip(text, at) <= #text then fail(text, at, "something after the end") end
  return value
end

-- Encoding ------------------------------------------------------------------------------------------------------------

local function encode_string(text)
  return '"' .. text:gsub('[%c"\\\127]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function encode_number(value)
  if math.type(value) == "integer" then return ("%d"):format(value) end
  local text = ("%.17g"):format(value)
  for digits = 1, 16 do
    local shorter = ("%." .. digits .. "g"):format(value)
    if tonumber(shorter) == value then text = shorter break end
  end
  return text:find("[.en]") and text or text .. ".0"
end

local function sorted_names(object)
  local names = {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Writes JSON; members sorted by name, so that equal values are equal texts.
function exact.encode(value)
  if value == exact.null then return "null" end
  if type(value) == "string" then return encode_string(value) end
  if type(value) == "number" then return encode_number(value) end
  if type(value) ~= "table" then return tostring(value) end
  if getmetatable(value) == Wide then return value.digits end
  local parts = {}
  if exact.is_array(value) then
    for _, item in ipairs(value) do parts[#parts + 1] = exact.encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for _, name in ipairs(sorted_names(value)) do
    parts[#parts + 1] = encode_string(name) .. ":" .. exact.encode(value[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

return exact
