-- types.lua - the types of JSON values, and which values mean the same in another type.

local cjson = require "cjson"

local types = {}

local MAX_DIGITS = 40

local null, is_array = cjson.null, cjson.is_array
local find = string.find
local ipairs, next, tonumber, tostring, type = ipairs, next, tonumber, tostring, type
local tointeger = math.tointeger

local IS_OF_TYPE = {
  string = function(value) return type(value) == "string" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value) return type(value) == "number" and tointeger(value) ~= nil end,
  boolean = function(value) return type(value) == "boolean" end,
  array = function(value) return type(value) == "table" and (is_array(value) or next(value) == nil) end,
  object = function(value) return type(value) == "table" and not is_array(value) end,
  null = function(value) return value == null end,
}

--- Whether a value is of a type, or of one of a list.
function types.is_of_types(wanted, value)
  if type(wanted) == "string" then return IS_OF_TYPE[wanted](value) end
  for _, name in ipairs(wanted) do
    if IS_OF_TYPE[name](value) then return true end
  end
  return false
end

--- Whether a schema's type is this one, or has it.
function types.has_type(node, name)
  local wanted = node.type
  if type(wanted) ~= "table" then return wanted == name end
  for _, one in ipairs(wanted) do
    if one == name then return true end
  end
  return false
end

--- Whether a list has a value.
function types.in_list(list, value)
  for index = 1, #list do
    if list[index] == value then return true end
  end
  return false
end

-- The text for which a number stands, if nothing is lost: 5 is "5", and 8 is "8s" where that is what there is.
local function as_text(node, number)
  local text = tostring(tointeger(number) or number)
  if node.enum and not types.in_list(node.enum, text) and types.in_list(node.enum, text .. "s") then return text .. "s" end
  return text
end

local function as_number(text, whole)
  if #text >= MAX_DIGITS or not find(text, "^%s*%-?%d+%.?%d*%s*$") then return nil end
  local number = tonumber(text)
  return tointeger(number) or not whole and number or nil
end

--- A value of another type that means the same; nil when there is none.
function types.converted(node, value)
  if type(value) == "number" and types.has_type(node, "string") then return as_text(node, value) end
  if type(value) ~= "string" then return nil end
  if types.has_type(node, "integer") then return as_number(value, true) end
  if types.has_type(node, "number") then return as_number(value, false) end
  return nil
end

return types
