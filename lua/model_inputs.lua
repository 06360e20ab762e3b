-- model_inputs.lua - puts a request's values into the inputs that one model of a vendor has.
--
-- A vendor sells many models with different inputs. A script describes each by a row (docs/provider-scripts.md, a model is one
-- row), and this decides what becomes of every value: sent, refused, or left out with a warning. A value that is only a
-- default of the script's own never stands in the way: where the model cannot take it, the model's own default is used.
--
-- An input of a row is in the words of JSON Schema ({ type =, minimum =, maximum =, enum =, ... }, all optional: {} takes
-- anything), with `required` and `field`, the client's path, beside them. Where the directory has the vendor's own schema,
-- that decides instead.

local checks = require "schema.check"
local given = require "given"
local names = require "names"
local plan = require "plan"

local find, gsub, match, sub = string.find, string.gsub, string.match, string.sub
local ipairs, pairs, tostring = ipairs, pairs, tostring
local finish_given, announce, new_empty_plan = given.finish, plan.announce, plan.new

local model_inputs = {}

local PLACE = "parameters." -- where the inputs of a model stand in a request

--- Makes rows ready, at load: { [id] = { inputs = { [name] = input }, price =, ... } }. Returns them; each has then `required`,
-- the names of the inputs that it cannot do without, `takes`, what is said of a default of ours that an input does not
-- take, and `fits`, functions that say of a value whether an input plainly takes it.
function model_inputs.rows(rows)
  local fits = {} -- by input, for rows share many
  for _, row in pairs(rows) do
    row.required, row.takes, row.fits = {}, {}, {}
    for _, name in ipairs(names.sorted(row.inputs)) do
      local input = row.inputs[name]
      if input.required then row.required[#row.required + 1] = name end
      fits[input] = fits[input] or checks.ready(input)
      row.takes[name], row.fits[name] = checks.words(input), fits[input]
    end
  end
  return rows
end

--- A plan (plan.lua) for a model: its row, or nil, and what the directory knows of it (ctx.model), or nil. Without either
-- everything goes out as it is.
function model_inputs.new_plan(model, row, live_model)
  local built = new_empty_plan()
  built.model, built.description = model, row
  built.live, built.live_inputs = live_model, live_model and live_model.inputs and live_model.inputs.properties
  return built
end

local function with_hint(message, item)
  return item.hint and message .. "; " .. item.hint or message
end

local function set(built, input, value, field)
  local paths = built.paths
  if not paths then
    paths = { prompt = nil, seed = nil, image = nil, size = nil } -- room for most, as in plan.new
    built.paths = paths
  end
  built.body[input], paths[input] = value, field
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
    if built.live_inputs then -- finish says what the vendor's schema has instead
      built.unpriced = built.unpriced or item.field
    else
      plan.send_unknown(built, item.field, "is not in the recorded contract of " .. built.model .. "; sent as given")
    end
    set(built, item.input, value, item.field)
  end
end

-- A default of ours that the model does not take: its own is used.
local function put_unfit_default(built, item, value, words)
  built.unfit_defaults = built.unfit_defaults or {}
  built.unfit_defaults[#built.unfit_defaults + 1] = item.field .. ": the default of " .. tostring(value) .. " is not one that "
    .. built.model .. " takes (" .. words .. "), so its own is used"
end

local function put_unfit(built, item, complaint)
  -- One complaint is enough: an input that was given, but not as the model takes it, is not missing as well.
  built.unfit = built.unfit or {}
  built.unfit[item.input] = true
  local field = complaint.path == item.input and item.field or item.field .. sub(complaint.path, #item.input + 1)
  plan.refuse(built, field, with_hint(built.model .. ": " .. complaint.message, item), complaint.allowed)
end

local function put_value(built, item, value)
  local name, paths = item.input, built.paths
  local present = built.body[name]
  if present == nil and paths then
    built.body[name], paths[name] = value, item.field
  elseif present == nil then
    set(built, name, value, item.field)
  elseif not given.same(present, value) then
    plan.refuse(built, item.field, "gives the model's " .. name .. " a second time, and differently")
  end
end

--- Puts one value into a plan. `is_default`: the client did not give it. `item` says what it is, and may be made at load:
--   { field = the client's path, input = the model's name for it,
--     decides = true: it decides what is made, and is refused where it cannot go out,
--     known = true: a preference, left out where a model lacks it (else: an input that nobody described, sent as given),
--     hint = a text to add,   instead = what would do }
function model_inputs.put(built, item, value, is_default)
  local row, live, name = built.description, built.live_inputs, item.input
  if live and live[name] or not row and not live then return put_value(built, item, value) end
  local fits = row and row.fits[name]
  if not fits then return put_unknown(built, item, value, is_default) end
  if fits(value) then return put_value(built, item, value) end
  if is_default and row.takes[name] then return put_unfit_default(built, item, value, row.takes[name]) end
  local sent, complaint = checks.input(row.inputs[name], value, name)
  if not complaint then return put_value(built, item, sent) end
  if is_default then return put_unfit_default(built, item, value, complaint.message) end
  put_unfit(built, item, complaint)
end

--- Puts a value that is known to fit: the script made it so.
function model_inputs.put_fit(built, item, value)
  put_value(built, item, value)
end

-- The model's name for a parameter: the name itself, unless the vendor's schema has not that but one that means the same.
local function input_of(built, name, parameters, aliases)
  local live = built.live_inputs
  if not live or live[name] then return name end
  for _, alias in ipairs(aliases and aliases[name] or {}) do
    if live[alias] and parameters[alias] == nil then return alias end
  end
  return name
end

--- Puts what a client wrote into the plan of a model that has no row: under its own names, with its own values. `place` is
-- where they stand (default "parameters."); `aliases` are names of ours for which the vendor's schema may have another: {
-- samples = { "num_images", "num_outputs" } }.
function model_inputs.put_given(built, parameters, place, aliases)
  for _, name in ipairs(names.sorted(parameters)) do
    local item = { field = (place or PLACE) .. name, input = input_of(built, name, parameters, aliases) }
    put_value(built, item, parameters[name])
  end
end

--- Hands warnings and notes to the host; also which defaults of ours the model did not take.
function model_inputs.announce(built, ctx)
  if built.unfit_defaults then
    for _, words in ipairs(built.unfit_defaults) do ctx.note(words) end
  end
  announce(built, ctx)
end

--- Refuses a plan that lacks what its model needs: to be called when everything is put. Where there is a schema of the
-- vendor's, that says so (finish).
function model_inputs.require_inputs(built)
  local row, body, unfit = built.description, built.body, built.unfit
  if not row or built.live_inputs then return end
  for _, name in ipairs(row.required) do
    if body[name] == nil and not (unfit and unfit[name]) then
      plan.refuse(built, row.inputs[name].field or name, "is needed by " .. built.model)
    end
  end
end

-- ---- the vendor's own schema -------------------------------------------------------------------------------------------

-- Where a client has an input that it did not give.
local function usual_field(built, name)
  local input = built.description and built.description.inputs[name]
  if input and input.field then return input.field end
  if name == "prompt" and not built.place then return name end
  return (built.place or PLACE) .. name
end

-- "image_size.width" as the client wrote it, and the model's name at its beginning.
local function client_path(built, path)
  local head = match(path, "^[^%.%[]*")
  local field = built.paths and built.paths[head] or usual_field(built, head)
  return field .. sub(path, #head + 1), head
end

local function age_of(live)
  local seconds = live.age_seconds
  if not seconds then return live.as_of and " (the vendor's schema of " .. sub(live.as_of, 1, 10) .. ")" or "" end
  local hours = seconds // 3600
  local age = hours < 1 and "less than an hour" or hours < 48 and hours .. " hours" or hours // 24 .. " days"
  return " (the vendor's schema, read " .. age .. " ago)"
end

local function complaint_text(built, complaint, head)
  local message = complaint.message
  if complaint.rule == "required" and complaint.path == head then return "is needed by " .. built.model end
  if complaint.path == head and find(message, "^must be ") then
    return built.model .. " takes " .. head .. " " .. gsub(message, "^must be ", "")
  end
  return built.model .. ": " .. complaint.path .. " " .. message
end

local function is_refused_already(built, field)
  for _, refusal in ipairs(built.refusals or {}) do
    if refusal.field == field then return true end
  end
  return false
end

local STATUS_TEXTS = {
  gone = "is no longer in the vendor's list", offline = "is switched off at the vendor",
  deprecated = "is deprecated by the vendor", staging = "is not in service yet",
}

--- Compares the body of a plan with the vendor's schema, if there is one, and refuses or warns in the client's names. What can
-- be changed without loss is. `ctx.ignore_directory`: refusals are warnings. `built.place` is where the client has the inputs
-- (default "parameters.").
function model_inputs.validate(built, ctx)
  local live = built.live
  if not live then return end
  if STATUS_TEXTS[live.status] then plan.note(built, built.model .. " " .. STATUS_TEXTS[live.status]) end
  if not built.live_inputs then return end
  local sent, complaints, notes = checks.value(live.inputs, built.body, { utf16 = live.utf16 })
  built.body = sent
  for _, complaint in ipairs(complaints) do
    local field, head = client_path(built, complaint.path)
    local text = complaint_text(built, complaint, head) .. age_of(live)
    if ctx and ctx.ignore_directory then
      plan.warn(built, field, text .. "; sent all the same")
    elseif not is_refused_already(built, field) then
      plan.refuse(built, field, text, complaint.allowed)
    end
  end
  for _, item in ipairs(notes) do plan.warn(built, (client_path(built, item.path)), item.message) end
end

--- Finishes a plan: the vendor's schema has its say, what was given twice is refused or warned of, and every path becomes the
-- client's.
function model_inputs.finish(built, payload, ctx)
  if built.live then model_inputs.validate(built, ctx) end
  finish_given(built, payload)
end

return model_inputs
