-- plain.lua - whether a value is plainly what an input takes: most are, and then nothing has to be written down.

local types = require "schema.types"

local ipairs, type = ipairs, type
local math_type, in_list = math.type, types.in_list

local function text_fits(node, value)
  if node.type ~= "string" and node.type ~= nil or node.pattern then return false end
  if node.enum then return in_list(node.enum, value) end
  local shortest, longest = node.minLength, node.maxLength
  return (not longest or #value <= longest) and (not shortest or shortest <= 1 and #value >= shortest)
end

local function number_fits(node, value)
  local wanted = node.type
  if wanted == "integer" and math_type(value) ~= "integer" then return false end
  if wanted ~= "integer" and wanted ~= "number" and wanted ~= nil then return false end
  if node.enum then return in_list(node.enum, value) end
  if node.exclusiveMinimum or node.exclusiveMaximum or node.multipleOf then return false end
  local low, high = node.minimum, node.maximum
  return (not low or value >= low) and (not high or value <= high)
end

--- Whether a value is plainly what a schema or an input says; false says nothing.
local function fits_plainly(node, value)
  if node.anyOf or node.format == "password" then return false end
  local kind = type(value)
  if kind == "string" then return text_fits(node, value) end
  if kind == "number" then return number_fits(node, value) end
  return kind == "boolean" and node.type == "boolean" and not node.enum
end

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

local function ready_text(node)
  local shortest, longest = node.minLength or 0, node.maxLength or math.huge
  if shortest > 1 then return nil end -- characters, and `#` counts bytes
  local values = node.enum and set_of(node.enum)
  return function(value)
    if type(value) ~= "string" then return false end
    if values then return values[value] == true end
    return #value <= longest and #value >= shortest
  end
end

local function ready_number(node)
  if node.exclusiveMinimum or node.exclusiveMaximum or node.multipleOf then return nil end
  local is_whole, low, high = node.type == "integer", node.minimum, node.maximum
  local values = node.enum and set_of(node.enum)
  return function(value)
    local kind = math_type(value)
    if not kind or is_whole and kind ~= "integer" then return false end
    if values then return values[value] == true end
    return (not low or value >= low) and (not high or value <= high)
  end
end

--- fits_plainly of one node, as a function of the value: made at load, so that the words of the node are not looked up for each
-- request.
local function ready(node)
  local is_simple = not node.anyOf and not node.pattern and node.format ~= "password"
  local made
  if is_simple and node.type == "string" then made = ready_text(node) end
  if is_simple and (node.type == "integer" or node.type == "number") then made = ready_number(node) end
  return made or function(value) return fits_plainly(node, value) end
end

return { fits = fits_plainly, ready = ready }
