-- model_inputs.lua - puts a request's values into the inputs that one model of a vendor has.
--
-- A vendor sells many models with different inputs. A script describes each by a table of inputs, and this decides what
-- becomes of every value: sent, refused, or left out with a warning (docs/provider-scripts.md, submit). A value that is only a
-- default of the script's own never stands in the way: where the model cannot take it, the model's own default is used.
--
-- An input is described by { required =, field =, min =, max =, values = }, all optional: {} takes anything.

local check = require "check"
local given = require "given"
local names = require "names"
local plan = require "plan"

local ipairs, type, in_list = ipairs, type, check.in_list

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

-- What is said of a value that an input does not take, and what it takes; nil for an input that takes anything.
local function complaint_of(input)
  if input.values then
    local texts = {}
    for index, allowed in ipairs(input.values) do texts[index] = tostring(allowed) end
    return "must be one of " .. table.concat(texts, ", "), input.values
  end
  local low, high = input.min, input.max
  if low and high then return "must be from " .. low .. " to " .. high, listed(low, high) end
  if low then return "must be at least " .. low, { "at least " .. low } end
  if high then return "must be at most " .. high, { "at most " .. high } end
  return nil
end

--- The description of a model, made once, at load: { inputs =, required = sorted names }.
function model_inputs.describe(inputs)
  local required = {}
  for _, name in ipairs(names.sorted(inputs)) do
    local input = inputs[name]
    if input.required then required[#required + 1] = name end
    input.complaint, input.allowed = complaint_of(input)
  end
  return { inputs = inputs, required = required }
end

--- Descriptions of many models, by the same keys.
function model_inputs.describe_all(inputs_by_model)
  local described = {}
  for model, inputs in pairs(inputs_by_model) do described[model] = model_inputs.describe(inputs) end
  return described
end

local function takes(input, value)
  if not input.complaint then return true end
  if input.values then return in_list(value, input.values) end
  local low, high = input.min, input.max
  return type(value) == "number" and (not low or value >= low) and (not high or value <= high)
end

--- A plan (plan.lua) for a model. Without a description, everything goes out as it is.
function model_inputs.new_plan(model, description)
  local built = plan.new()
  built.model, built.description = model, description
  return built
end

local function with_hint(message, item)
  return item.hint and message .. "; " .. item.hint or message
end

-- A value for which the model has no input at all.
local function put_unknown(built, item, value, is_default)
  if is_default then return end
  local message = with_hint(built.model .. " has no such input", item)
  if item.decides then
    plan.refuse(built, item.field, message, item.instead)
  elseif item.known then
    plan.warn(built, item.field, message .. "; left out")
  else
    plan.send_unknown(built, item.field, "is not in the recorded contract of " .. built.model .. "; sent as given")
    built.body[item.input] = value
  end
end

local function put_unfit(built, item, value, input, is_default)
  if is_default then
    built.unfit_defaults = built.unfit_defaults or {}
    built.unfit_defaults[#built.unfit_defaults + 1] = { field = item.field, value = value, complaint = input.complaint }
    return
  end
  -- One complaint is enough: an input that was given, but not as the model takes it, is not missing as well.
  built.unfit = built.unfit or {}
  built.unfit[item.input] = true
  plan.refuse(built, item.field, with_hint(built.model .. ": " .. input.complaint, item), input.allowed)
end

--- Puts one value into a plan. `is_default`: the client did not give it. `item` says what it is, and may be made at load:
--   { field = the client's path, input = the model's name for it,
--     decides = true: it decides what is made, and is refused where it cannot go out,
--     known = true: a preference, left out where a model lacks it (else: an input that nobody described, sent as given),
--     hint = a text to add,   instead = what would do }
function model_inputs.put(built, item, value, is_default)
  local description = built.description
  local input = description and description.inputs[item.input]
  if description and not input then
    put_unknown(built, item, value, is_default)
  elseif input and not takes(input, value) then
    put_unfit(built, item, value, input, is_default)
  elseif built.body[item.input] == nil then
    built.body[item.input] = value
  elseif not given.same(built.body[item.input], value) then
    plan.refuse(built, item.field, "gives the model's " .. item.input .. " a second time, and differently")
  end
end

--- Hands warnings and notes to the host; also which defaults of ours the model did not take.
function model_inputs.announce(built, ctx)
  if built.unfit_defaults then
    for _, default in ipairs(built.unfit_defaults) do
      ctx.note(default.field .. ": the default of " .. tostring(default.value) .. " is not one that " .. built.model
        .. " takes (" .. default.complaint .. "), so its own is used")
    end
  end
  plan.announce(built, ctx)
end

--- Refuses a plan that lacks what its model needs: to be called when everything is put.
function model_inputs.require_inputs(built)
  local description, body, unfit = built.description, built.body, built.unfit
  if not description then return end
  local required = description.required
  for index = 1, #required do
    local name = required[index]
    if body[name] == nil and not (unfit and unfit[name]) then
      plan.refuse(built, description.inputs[name].field or name, "is needed by " .. built.model)
    end
  end
end

return model_inputs
