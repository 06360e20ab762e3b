-- row_values.lua - holds one value of a request against an input of a model's row.
--
-- What a row closes is refused: the type of an input, an enum, a range, a length, a number of items. A row closes only what
-- decides money or cannot be said otherwise; of the rest it tells `examples`, and a value that is none of them goes out with a
-- warning, since the vendor may have more by now. What is inside a list or an object is the vendor's to check.

local plans = require "plan"
local schema = require "schema"

local row_values = {}

local ipairs, pairs = ipairs, pairs

local CLOSED = {
  type = true, anyOf = true, enum = true, const = true, minimum = true, maximum = true, multipleOf = true, minLength = true,
  maxLength = true, minItems = true, maxItems = true,
}

--- An input without what is not JSON Schema in it (`required`, `field`), for row_values.check; made once, at load.
function row_values.schema(input)
  local made = {}
  for word, value in pairs(input) do
    if word ~= "required" and word ~= "field" then made[word] = value end
  end
  return made
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
function row_values.check(plan, id, input, value, path, options)
  local _, complaints = schema.check(input, value, options)
  local complaint = complaints[1]
  if not complaint then return warn_of_new(plan, id, input, value, path) end
  if complaint.path == "" and CLOSED[complaint.rule] then
    return plans.refuse(plan, path, id .. ": " .. complaint.message, complaint.allowed)
  end
  local inside = complaint.path
  if inside ~= "" and string.sub(inside, 1, 1) ~= "[" then inside = "." .. inside end
  plans.warn(plan, path .. inside, id .. ": " .. complaint.message .. "; sent as given")
end

return row_values
