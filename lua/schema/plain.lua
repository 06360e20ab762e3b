-- plain.lua - whether a value is plainly what an input takes: most are, and then nothing has to be written down.

local types = require "schema.types"

local type = type
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

return fits_plainly
