-- specs.lua - what one model takes at one endpoint, as body.lua reads it: made of a row (models.lua), of the directory's schema,
-- or of nothing but the name.

local fragments = require "runway.fragments"
local names = require "names"
local row_values = require "row_values"
local runway_models = require "runway.models"

local specs = {}

local MODELS = runway_models.MODELS

-- The lengths that an input of a fixed list takes.
local function seconds_of(input)
  if not input or input.type ~= "integer" then return nil end
  if input.enum then return input.enum end
  if not input.minimum or not input.maximum then return nil end
  local list = {}
  for second = input.minimum, input.maximum do list[#list + 1] = second end
  return list
end

local function is_words(input)
  for _, ratio in ipairs(input.examples or input.enum or {}) do
    if ratio == "16:9" then return true end
  end
  return false
end

-- How a size is said: "table" (the row knows what each ratio means), "words" (16:9), "free" (pixels), or nil.
local function ratio_kind(inputs, sizes)
  if not inputs.ratio then return nil end
  if sizes then return "table" end
  return is_words(inputs.ratio) and "words" or "free"
end

-- What body.lua asks for, beside the row's own members.
local function complete(spec)
  local inputs = spec.inputs
  spec.names = names.sorted(inputs)
  spec.fields = names.set(spec.names)
  spec.takes, spec.required = {}, {}
  for _, name in ipairs(spec.names) do
    spec.takes[name] = row_values.ready(inputs[name])
    -- a prompt that is missing is refused where it is put
    if inputs[name].required and name ~= "promptText" then spec.required[#spec.required + 1] = name end
  end
  spec.prompt = inputs.promptText and (inputs.promptText.required and "required" or "optional") or nil
  spec.prompt_max = inputs.promptText and inputs.promptText.maxLength
  spec.seconds = seconds_of(inputs.duration)
  spec.makes_seconds = spec.seconds and names.set(spec.seconds)
  spec.video_key = inputs.videoUri and "videoUri" or inputs.promptVideo and "promptVideo" or nil
  spec.ratio = not spec.aspect_key and ratio_kind(inputs, spec.sizes) or nil
  spec.aspects = spec.aspect_key and (inputs[spec.aspect_key].examples or inputs[spec.aspect_key].enum)
  spec.fills = spec.fills or {}
  return spec
end

local SPECS = {}
for key, row in pairs(MODELS) do
  local spec = { key = key, described = true }
  for name, value in pairs(row) do spec[name] = value end
  SPECS[key] = complete(spec)
end

-- The names that decide what is paid, with any model.
local COSTS = {}
for _, row in pairs(MODELS) do
  for name, input in pairs(row.inputs) do COSTS[name] = COSTS[name] or input.x_costs end
end
specs.COSTS = COSTS

-- What comes out of the endpoints that we know.
local MAKES = {}
for _, row in pairs(MODELS) do MAKES[row.operation] = row.makes end

local MODEL = { type = "string" }

--- The spec of the row of "ENDPOINT/MODEL", or nil. What the directory knows of the model decides what is allowed, the row what
--- it costs and means.
function specs.of_row(key, live)
  local spec = SPECS[key]
  if not spec or not live or not live.inputs or not live.inputs.properties then return spec end
  return specs.of_schema(spec.operation, spec.id, live, spec)
end

--- The spec of a model that only the directory knows, or knows better than its row.
function specs.of_schema(operation, id, live, row)
  local spec, needed = {}, names.set(live.inputs.required or {})
  for name, value in pairs(row or {}) do spec[name] = value end
  spec.id, spec.operation, spec.key, spec.live, spec.described = id, operation, operation .. "/" .. id, live, true
  -- The vendor counts UTF-16 units; its body has the model, of which the directory says nothing (directory.lua).
  live.utf16, live.inputs.properties.model = true, MODEL
  spec.inputs, spec.last_frame, spec.makes = {}, row == nil or row.last_frame, spec.makes or MAKES[operation]
  for name, input in pairs(live.inputs.properties) do
    local own = row and row.inputs[name]
    local taken = { required = needed[name] or nil, field = fragments.FIELDS[name], x_costs = own and own.x_costs }
    for word, value in pairs(input) do taken[word] = value end
    if name ~= "model" then spec.inputs[name] = taken end
  end
  return complete(spec)
end

--- The spec of a model that nobody describes: it takes whatever it is given.
function specs.unknown(operation, id)
  return { id = id, operation = operation, key = operation .. "/" .. id, makes = MAKES[operation], inputs = {}, fields = {},
    fills = {} }
end

return specs
