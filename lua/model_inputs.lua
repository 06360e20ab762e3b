-- model_inputs.lua - puts a request's values into the inputs that one model of a vendor has.
--
-- A vendor sells many models with different inputs. A script describes each by a table of inputs, and this decides what
-- becomes of every value: sent, refused, or left out with a warning (docs/provider-scripts.md, submit). A value that is only a
-- default of the script's own never stands in the way: where the model cannot take it, the model's own default is used.
--
-- An input is described by { required =, field =, min =, max =, values = }, all optional: {} takes anything.

local check = require "check"
local plan = require "plan"

local model_inputs = {}

-- A longer list of numbers helps nobody; it becomes one text.
local MAX_LISTED = 16

local function listed(low, high)
  if math.type(low) ~= "integer" or math.type(high) ~= "integer" or high - low >= MAX_LISTED then
    return { low .. " to " .. high }
  end
  local list = {}
  for number = low, high do list[#list + 1] = number end
  return list
end

local function range_problem(spec, value)
  local is_number = type(value) == "number"
  if is_number and value >= (spec.min or -math.huge) and value <= (spec.max or math.huge) then return nil end
  if spec.min and spec.max then return "must be from " .. spec.min .. " to " .. spec.max, listed(spec.min, spec.max) end
  if spec.min then return "must be at least " .. spec.min, { "at least " .. spec.min } end
  return "must be at most " .. spec.max, { "at most " .. spec.max }
end

--- What is wrong with a value for an input: nil, or a message and what is allowed.
function model_inputs.problem(spec, value)
  if spec.values then
    if check.in_list(value, spec.values) then return nil end
    local names = {}
    for index, allowed in ipairs(spec.values) do names[index] = tostring(allowed) end
    return "must be one of " .. table.concat(names, ", "), spec.values
  end
  if spec.min or spec.max then return range_problem(spec, value) end
  return nil
end

--- The names of a table in alphabetical order: scripts must not depend on the order of `pairs`.
local function sorted_names(object)
  local names = {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  return names
end
model_inputs.sorted_names = sorted_names

-- A value for which the model has no input at all.
local function place_unknown(built, model, item)
  if item.default then return end
  local message = model .. " has no such input" .. (item.hint and "; " .. item.hint or "")
  if item.decides then
    plan.refuse(built, item.field, message, item.allowed)
  elseif item.known then
    plan.warn(built, item.field, message .. "; left out")
  else
    plan.warn(built, item.field, "is not in the recorded contract of " .. model .. "; sent as given")
    built.body[item.name] = item.value
  end
end

local function place(built, model, spec, item)
  local message, allowed = model_inputs.problem(spec, item.value)
  if not message then
    built.body[item.name] = item.value
  elseif item.default then
    plan.note(built, ("%s: the default of %s is not one that %s takes (%s), so its own is used"):format(
      item.field, tostring(item.value), model, message))
  else
    plan.refuse(built, item.field, model .. ": " .. message .. (item.hint and "; " .. item.hint or ""), allowed)
  end
end

-- One complaint is enough: an input that was given, but not as the model takes it, has its own.
local function require_inputs(built, model, inputs, items)
  local given = {}
  for _, item in ipairs(items) do given[item.name] = true end
  for _, name in ipairs(sorted_names(inputs)) do
    if inputs[name].required and not given[name] then
      plan.refuse(built, inputs[name].field or name, "is needed by " .. model)
    end
  end
end

--- Fills a plan (plan.lua) with the values that a model takes. `inputs` describes them; nil means that the model is not
-- described, and everything goes out as it is. Each of `items` is one value:
--   { field = the client's path, name = the model's input, value =,
--     default = true: the client did not give it,
--     decides = true: it decides what is made, and is refused where it cannot go out,
--     known = true: a preference, left out where a model lacks it (else: an input that nobody described, sent as given),
--     hint = a text to add,   allowed = what would do instead }
function model_inputs.express(built, model, inputs, items)
  for _, item in ipairs(items) do
    if not inputs then
      built.body[item.name] = item.value
    elseif inputs[item.name] then
      place(built, model, inputs[item.name], item)
    else
      place_unknown(built, model, item)
    end
  end
  if inputs then require_inputs(built, model, inputs, items) end
end

return model_inputs
