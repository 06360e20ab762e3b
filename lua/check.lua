-- check.lua - reading and validating what a client sent.
--
-- A reader walks one object and knows the path to it, so every complaint names the field as the client wrote it.
-- Bad input raises { field =, message = }, which the host turns into a 400 (docs/provider-scripts.md, prepare).
-- A numeric string where a number is meant is taken; any other wrong type is refused.
-- A script runs for every request: what it needs each time (options, lists of fields) it makes once, at load.

local cjson = require "cjson"
local given = require "given"

local check = {}

local null, is_array = cjson.null, cjson.is_array
local byte, lower, match, reverse, sub = string.byte, string.lower, string.match, string.reverse, string.sub
local math_type, tointeger = math.type, math.tointeger
local next, pairs, setmetatable, tonumber, type = next, pairs, setmetatable, tonumber, type
local read_given = given.read

-- Read, never written: the options of a call without any.
local NO_OPTIONS = {}

--- Refuses the request because of one field.
function check.fail(field, message)
  error({ field = field, message = message }, 0)
end

--- Whether a value is given at all (not nil, not JSON null).
function check.is_given(value)
  return value ~= nil and value ~= null
end

--- What a JSON value is called in a message.
local function type_name(value)
  if value == nil or value == null then return "null" end
  local kind = type(value)
  if kind == "table" then return is_array(value) and "an array" or "an object" end
  if kind == "userdata" then return "a number" end
  return (kind == "string" and "text") or ("a " .. kind)
end

--- An integer, also one above 2^63-1 (which the host passes as an opaque value).
function check.is_integer(value)
  if type(value) == "userdata" then return value ~= null end
  return math_type(value) == "integer"
end

local TRIM_BLOCK_BYTES = 4096

local function find_first(text)
  for at = 1, #text, TRIM_BLOCK_BYTES do
    local block = sub(text, at, at + TRIM_BLOCK_BYTES - 1)
    local found = match(block, "^%s*()")
    if found <= #block then return at + found - 1 end
  end
end

local function find_last(text)
  for at = #text, 1, -TRIM_BLOCK_BYTES do
    local start = at > TRIM_BLOCK_BYTES and at - TRIM_BLOCK_BYTES + 1 or 1
    local block = sub(text, start, at)
    local found = match(reverse(block), "^%s*()")
    if found <= #block then return at - found + 1 end
  end
end

--- Text without white space at both ends. In blocks: a client's text may be many megabytes of it.
local function trim(text)
  local last = #text
  if last > 0 and byte(text, 1) > 32 and byte(text, last) > 32 then return text end
  local first = find_first(text)
  if not first then return "" end
  return sub(text, first, find_last(text))
end
check.trim = trim

--- Whether a text is nothing but white space.
function check.is_blank(text)
  return not find_first(text)
end

local function in_list(value, list)
  for index = 1, #list do
    if list[index] == value then return true end
  end
  return false
end

local Reader = {}

local READER_CLASS = { __index = Reader }

--- A reader of `object`; `path` is where it stands ("" for the top).
local function new_reader(object, path)
  path = path or ""
  if object == nil or object == null then object = {} end
  if type(object) ~= "table" or is_array(object) then
    check.fail(path, "must be an object, not " .. type_name(object))
  end
  return setmetatable({ object = object, path_prefix = path }, READER_CLASS)
end
check.reader = new_reader

--- The path of a field of this object, as the client wrote it: `given_as` (given.lua) knows those that came from elsewhere.
function Reader:path(name)
  if self.path_prefix == "" then return name end
  local path, given_as = self.path_prefix .. "." .. name, self.given_as
  return given_as and given_as[path] or path
end

--- The value under the first of the names that is there, and that name. `names` is one name or a list.
function Reader:raw(names)
  local object = self.object
  local only = object[names] -- nil, if it is a list
  if only ~= nil and only ~= null then return only, names end
  if type(names) == "string" then return nil, names end
  for index = 1, #names do
    local value = object[names[index]]
    if value ~= nil and value ~= null then return value, names[index] end
  end
  return nil, names[1]
end

local function refuse_absent(self, name, options)
  check.fail(self:path(name), options.required_message or "is required")
end

--- Text. Options: required, default, max (bytes), trim (default true), lower, blank ("absent": blank counts as not given).
local function read_text(self, names, options)
  options = options or NO_OPTIONS
  local value, name = self.object[names], names
  if value == nil or value == null then
    value = nil
    if type(names) == "table" then value, name = self:raw(names) end
    if value == nil and not options.required then return options.default end
    if value == nil then refuse_absent(self, name, options) end
  end
  if type(value) ~= "string" then check.fail(self:path(name), "must be text, not " .. type_name(value)) end
  if options.trim ~= false then value = trim(value) end
  if options.lower then value = lower(value) end
  if value == "" then
    if options.required then check.fail(self:path(name), options.required_message or "must not be empty") end
    if options.blank == "absent" then return options.default end
  end
  if options.max and #value > options.max then check.fail(self:path(name), "must be at most " .. options.max .. " bytes long") end
  if options.line and string.find(string.sub(value, 1, 60000), "%c") then
    check.fail(self:path(name), "must not contain line breaks or other control characters")
  end
  return value
end
Reader.text, check.text = read_text, read_text

--- One of `values` (text). Options as text, and lower = true to compare in lower case.
function Reader:choice(names, values, options)
  options = options or NO_OPTIONS
  local value = read_text(self, names, options)
  if value == nil or value == options.default then return value end
  if not in_list(value, values) then
    local _, name = self:raw(names)
    check.fail(self:path(name), "must be one of " .. table.concat(values, ", "))
  end
  return value
end

local function bounded(self, name, value, options)
  local min, max = options.min, options.max
  if min and value < min then check.fail(self:path(name), "must be at least " .. min) end
  if max and value > max then check.fail(self:path(name), "must be at most " .. max) end
  return value
end

local function to_number(self, name, value)
  if type(value) == "string" then value = tonumber(trim(value)) or value end
  if type(value) == "number" and value - value == 0 then return value end -- neither infinite nor no number
  if type(value) == "userdata" then return value end
  check.fail(self:path(name), "must be a number, not " .. type_name(value))
end

--- A finite number. Options: required, default, min, max, zero ("absent": 0 counts as not given).
function Reader:number(names, options)
  options = options or NO_OPTIONS
  local value, name = self:raw(names)
  if value == nil and not options.required then return options.default end
  if value == nil then refuse_absent(self, name, options) end
  value = to_number(self, name, value)
  if type(value) == "userdata" then check.fail(self:path(name), "is too large") end
  if value == 0 and options.zero == "absent" then return options.default end
  return bounded(self, name, value, options)
end

--- An integer. A number with a fraction is refused. Options as number, and wide = true to take integers up to 2^64-1.
function Reader:integer(names, options)
  options = options or NO_OPTIONS
  local value, name = self:raw(names)
  if value == nil and not options.required then return options.default end
  if value == nil then refuse_absent(self, name, options) end
  if math_type(value) ~= "integer" then
    value = to_number(self, name, value)
    if type(value) == "userdata" then
      if options.wide then return value end
      check.fail(self:path(name), "is too large")
    end
    value = tointeger(value)
    if not value then check.fail(self:path(name), "must be a whole number") end
  end
  if value == 0 and options.zero == "absent" then return options.default end
  return bounded(self, name, value, options)
end

--- true or false. Options: required, default.
function Reader:boolean(names, options)
  options = options or NO_OPTIONS
  local value, name = self:raw(names)
  if value == nil and not options.required then return options.default end
  if value == nil then refuse_absent(self, name, options) end
  if type(value) ~= "boolean" then check.fail(self:path(name), "must be true or false, not " .. type_name(value)) end
  return value
end

--- An object, as a table. Options: required, default.
function Reader:object_of(names, options)
  options = options or NO_OPTIONS
  local value, name = self:raw(names)
  if value == nil and not options.required then return options.default end
  if value == nil then refuse_absent(self, name, options) end
  if type(value) ~= "table" or is_array(value) then
    check.fail(self:path(name), "must be an object, not " .. type_name(value))
  end
  return value
end

--- A reader of an object inside this one (an absent one reads as empty).
function Reader:reader_of(name)
  return new_reader(self.object[name], self:path(name))
end

--- An array, as a table. Options: required, default, min, max (number of items).
function Reader:array_of(names, options)
  options = options or NO_OPTIONS
  local value, name = self:raw(names)
  if value == nil and not options.required then return options.default end
  if value == nil then refuse_absent(self, name, options) end
  if type(value) ~= "table" or not (is_array(value) or next(value) == nil) then
    check.fail(self:path(name), "must be an array, not " .. type_name(value))
  end
  if options.min and #value < options.min then check.fail(self:path(name), "must have at least " .. options.min .. " items") end
  if options.max and #value > options.max then check.fail(self:path(name), "must have at most " .. options.max .. " items") end
  return value
end

-- ---- lists of fields --------------------------------------------------------------------------------------------------

--- A list of fields for Reader:fields, made once, at load. A field is
--   { name = where its value is kept, names = the names that a client may use (default: `name`),
--     kind = "text" or another reader of this file, options =, values = those of a choice,
--     decides = it decides what is made, costs = or only what that costs: two values are refused (given.lua) }
-- or has, instead of `kind`, read = function(reader, names, options). `by_name` becomes the position of a field by any name.
function check.field_list(list)
  list.by_name = {}
  for position, field in ipairs(list) do
    field.names = field.names or field.name
    field.has_names = type(field.names) == "table" or nil
    if field.kind == "choice" then
      field.read = function(reader, names, options) return reader:choice(names, field.values, options) end
    end
    field.read = field.read or Reader[field.kind]
    for _, name in ipairs(field.has_names and field.names or { field.names }) do list.by_name[name] = position end
  end
  return list
end

-- Puts a position into a sorted list of `count`, unless it is there, and returns the new count. Such lists are short.
local function insert(positions, count, position)
  local at = count
  while at > 0 and positions[at] > position do at = at - 1 end
  if at > 0 and positions[at] == position then return count end
  for moved = count, at + 1, -1 do positions[moved + 1] = positions[moved] end
  positions[at + 1] = position
  return count + 1
end

--- The fields of a list that an object, or else a second one, has under any of their names, in the order of the list; how many
-- they are; and whether the object has a name that belongs to none.
local function present(list, object, second)
  local by_name = list.by_name
  local found, count = { nil, nil, nil, nil }, 0 -- room for most: a table that grows costs more than what is put into it
  local has_others = false
  for name in next, object do
    local position = by_name[name]
    if position then count = insert(found, count, position) else has_others = true end
  end
  if second then
    for name in next, second do
      local position = by_name[name]
      if position then count = insert(found, count, position) end
    end
  end
  for index = 1, count do found[index] = list[found[index]] end
  return found, count, has_others
end
check.present = present

--- Reads what the client gave of a list of fields, in the order of the list, into `target` (default: a new table), and returns
-- it; second whether there are names that belong to no field. What was not given costs nothing and is left as it is in `target`.
-- With a `payload` the names that the client used are kept there (given.lua).
function Reader:fields(list, target, payload)
  target = target or {}
  local fields, count, has_others = present(list, self.object)
  for index = 1, count do
    local field = fields[index]
    if payload and field.has_names then
      target[field.name] = read_given(payload, field, self)
    else
      target[field.name] = field.read(self, field.names, field.options)
    end
  end
  return target, has_others
end

--- A copy of an object, one level deep.
function check.copy(object)
  local copy = {}
  for key, value in pairs(object) do copy[key] = value end
  return copy
end

check.in_list = in_list

return check
