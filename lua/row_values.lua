-- row_values.lua - holds one value of a request against an input of a model's row.
--
-- What a row closes is refused: the type of an input, an enum, a range, a length, a number of items. A row closes only what
-- decides money or cannot be said otherwise; of the rest it tells `examples`, and a value that is none of them goes out with a
-- warning, since the vendor may have more by now. What is inside a list or an object is the vendor's to check.

local plans = require "plan"
local schema = require "schema"

local row_values = {}

local ipairs, pairs, type = ipairs, pairs, type
local math_type = math.type

local CLOSED = {
  type = true, anyOf = true, enum = true, const = true, minimum = true, maximum = true, multipleOf = true, minLength = true,
  maxLength = true, minItems = true, maxItems = true,
}

-- The values of a closed or open list, as a set; nil when there is none, or not of texts and numbers alone.
local function set_of(list)
  if not list then return nil end
  local set = {}
  for _, value in ipairs(list) do
    if type(value) == "table" then return nil end
    set[value] = true
  end
  return set
end

-- Whether a value surely is what an input takes, as a function of the value that has looked up the input's words already; false:
-- it has to be looked at.
local function first_glance(input)
  local wanted, low, high = input.type, input.minimum, input.maximum
  local values = set_of(input.enum or wanted == "string" and input.examples or nil)
  if values then return function(value) return values[value] == true end end
  if wanted == nil then return function() return true end end
  if input.pattern ~= nil or input.multipleOf ~= nil then return function() return false end end
  if wanted == "boolean" then return function(value) return type(value) == "boolean" end end
  if wanted == "string" then
    local least, most = input.minLength or 0, input.maxLength or math.huge
    return function(value) return type(value) == "string" and #value >= least and #value <= most end
  end
  return function(value)
    local kind = math_type(value)
    if not kind or wanted ~= kind and wanted ~= "number" or value - value ~= 0 then return false end
    return (not low or value >= low) and (not high or value <= high)
  end
end

--- What an input of a row takes, made ready at load for row_values.check: `schema` is the input without what is not JSON Schema
-- in it (`required`, `field`); `fits(value)` is a first glance, which most values need no more than.
function row_values.ready(input)
  local made = {}
  for word, value in pairs(input) do
    if word ~= "required" and word ~= "field" then made[word] = value end
  end
  return { schema = made, fits = first_glance(input) }
end

local function texts_of(list)
  local texts = {}
  for index, item in ipairs(list) do texts[index] = tostring(item) end
  return table.concat(texts, ", ")
end

local function is_in(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

-- A word that is none of those that we know of.
local function warn_of_new(plan, id, input, value, path)
  if input.type ~= "string" or input.enum or not input.examples or is_in(input.examples, value) then return end
  plans.warn(plan, path, ("is not one that %s is known to take (%s): sent as given"):format(id, texts_of(input.examples)))
end

--- Refuses a value that the input of the model `id` does not take, or warns of it; `path` is the client's. `options`: as
-- schema.check.
function row_values.check(plan, id, ready, value, path, options)
  if ready.fits(value) then return end
  local _, complaints = schema.check(ready.schema, value, options)
  local complaint = complaints[1]
  if not complaint then return warn_of_new(plan, id, ready.schema, value, path) end
  if complaint.path == "" and CLOSED[complaint.rule] then
    return plans.refuse(plan, path, id .. ": " .. complaint.message, complaint.allowed)
  end
  local inside = complaint.path
  if inside ~= "" and string.sub(inside, 1, 1) ~= "[" then inside = "." .. inside end
  plans.warn(plan, path .. inside, id .. ": " .. complaint.message .. "; sent as given")
end

return row_values
