-- check.lua - reading and validating what a client sent.
--
-- A reader walks one object and knows the path to it, so every complaint names the field as the client wrote it.
-- Bad input raises { field =, message = }, which the host turns into a 400 (docs/provider-scripts.md, prepare).
-- A numeric string where a number is meant is taken; any other wrong type is refused.

local cjson = require "cjson"

local check = {}

local null = cjson.null

--- Refuses the request because of one field.
function check.fail(field, message)
  error({ field = field, message = message }, 0)
end

local function is_absent(value)
  return value == nil or value == null
end

--- What a JSON value is called in a message.
local function type_name(value)
  if is_absent(value) then return "null" end
  local kind = type(value)
  if kind == "table" then return cjson.is_array(value) and "an array" or "an object" end
  if kind == "userdata" then return "a number" end
  return (kind == "string" and "text") or ("a " .. kind)
end

--- An integer, also one above 2^63-1 (which the host passes as an opaque value).
function check.is_integer(value)
  if type(value) == "userdata" then return value ~= cjson.null end
  return math.type(value) == "integer"
end

local function is_space(byte)
  return byte == 32 or (byte >= 9 and byte <= 13)
end

--- Text without white space at both ends. No pattern: a data URI may be many megabytes long.
function check.trim(text)
  local first, last = 1, #text
  while first <= last and is_space(string.byte(text, first)) do first = first + 1 end
  while last >= first and is_space(string.byte(text, last)) do last = last - 1 end
  return string.sub(text, first, last)
end

local function in_list(value, list)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

local function bounded(value, field, options)
  if options.min and value < options.min then check.fail(field, "must be at least " .. options.min) end
  if options.max and value > options.max then check.fail(field, "must be at most " .. options.max) end
  return value
end

local Reader = {}

local READER_CLASS = { __index = Reader }

local function make_reader(object, path)
  return setmetatable({ object = object, path_prefix = path }, READER_CLASS)
end

--- A reader of `object`; `path` is where it stands ("" for the top).
function check.reader(object, path)
  path = path or ""
  if is_absent(object) then object = {} end
  if type(object) ~= "table" or cjson.is_array(object) then
    check.fail(path, "must be an object, not " .. type_name(object))
  end
  return make_reader(object, path)
end

--- The path of a field of this object, as the client would write it.
function Reader:path(name)
  if self.path_prefix == "" then return name end
  return self.path_prefix .. "." .. name
end

--- The value under the first of the names that is there, and that name. `names` is one name or a list.
function Reader:raw(names)
  local object = self.object
  if type(names) == "string" then
    local value = object[names]
    if value == null then value = nil end
    return value, names
  end
  for _, name in ipairs(names) do
    local value = object[name]
    if value ~= nil and value ~= null then return value, name end
  end
  return nil, names[1]
end

local function absent(self, name, options)
  if options.required then check.fail(self:path(name), options.required_message or "is required") end
  return options.default
end

--- Text. Options: required, default, max (bytes), trim (default true), lower, blank ("absent": blank counts as not given).
function Reader:text(names, options)
  options = options or {}
  local value, name = self:raw(names)
  if value == nil then return absent(self, name, options) end
  if type(value) ~= "string" then check.fail(self:path(name), "must be text, not " .. type_name(value)) end
  if options.trim ~= false then value = check.trim(value) end
  if options.lower then value = string.lower(value) end
  if value == "" then
    if options.required then check.fail(self:path(name), options.required_message or "must not be empty") end
    if options.blank == "absent" then return options.default end
  end
  if options.max and #value > options.max then check.fail(self:path(name), "must be at most " .. options.max .. " bytes long") end
  return value
end

--- One of `values` (text). Options as text, and lower = true to compare in lower case.
function Reader:choice(names, values, options)
  local value = self:text(names, options)
  if value == nil then return nil end
  if not in_list(value, values) then
    local _, name = self:raw(names)
    check.fail(self:path(name), "must be one of " .. table.concat(values, ", "))
  end
  return value
end

local function to_number(self, name, value)
  if type(value) == "string" then value = tonumber(check.trim(value)) or value end
  if type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge then return value end
  if type(value) == "userdata" then return value end
  check.fail(self:path(name), "must be a number, not " .. type_name(value))
end

--- A finite number. Options: required, default, min, max, zero ("absent": 0 counts as not given).
function Reader:number(names, options)
  options = options or {}
  local value, name = self:raw(names)
  if value == nil then return absent(self, name, options) end
  value = to_number(self, name, value)
  if type(value) == "userdata" then check.fail(self:path(name), "is too large") end
  if value == 0 and options.zero == "absent" then return options.default end
  return bounded(value, self:path(name), options)
end

--- An integer. A number with a fraction is refused. Options as number, and wide = true to take integers up to 2^64-1.
function Reader:integer(names, options)
  options = options or {}
  local value, name = self:raw(names)
  if value == nil then return absent(self, name, options) end
  value = to_number(self, name, value)
  if type(value) == "userdata" then
    if options.wide then return value end
    check.fail(self:path(name), "is too large")
  end
  local integer = math.tointeger(value)
  if not integer then check.fail(self:path(name), "must be a whole number") end
  if integer == 0 and options.zero == "absent" then return options.default end
  return bounded(integer, self:path(name), options)
end

--- true or false. Options: required, default.
function Reader:boolean(names, options)
  options = options or {}
  local value, name = self:raw(names)
  if value == nil then return absent(self, name, options) end
  if type(value) ~= "boolean" then check.fail(self:path(name), "must be true or false, not " .. type_name(value)) end
  return value
end

--- An object, as a table. Options: required, default.
function Reader:object_of(names, options)
  options = options or {}
  local value, name = self:raw(names)
  if value == nil then return absent(self, name, options) end
  if type(value) ~= "table" or cjson.is_array(value) then
    check.fail(self:path(name), "must be an object, not " .. type_name(value))
  end
  return value
end

--- A reader of an object inside this one (an absent one reads as empty).
function Reader:reader_of(name)
  return check.reader(self.object[name], self:path(name))
end

--- An array, as a table. Options: required, default, min, max (number of items).
function Reader:array_of(names, options)
  options = options or {}
  local value, name = self:raw(names)
  if value == nil then return absent(self, name, options) end
  if type(value) ~= "table" or not (cjson.is_array(value) or next(value) == nil) then
    check.fail(self:path(name), "must be an array, not " .. type_name(value))
  end
  if options.min and #value < options.min then check.fail(self:path(name), "must have at least " .. options.min .. " items") end
  if options.max and #value > options.max then check.fail(self:path(name), "must have at most " .. options.max .. " items") end
  return value
end

--- A copy of an object, one level deep.
function check.copy(object)
  local copy = {}
  for key, value in pairs(object) do copy[key] = value end
  return copy
end

--- Whether a value is given at all (not nil, not JSON null).
function check.is_given(value)
  return not is_absent(value)
end

check.in_list = in_list

return check
