-- body.lua - the body of a request: the model's input.

local check = require "check"
local fields = require "fal.fields"
local models = require "fal.models"
local sizes = require "fal.sizes"
local undescribed = require "fal.undescribed"
local unlisted = require "fal.unlisted"
local video_body = require "fal.video_body"
local given = require "given"
local model_inputs = require "model_inputs"
local names = require "names"
local plan = require "plan"

local ipairs, pairs = ipairs, pairs
local new_plan, put, put_fit, finish = model_inputs.new_plan, model_inputs.put, model_inputs.put_fit, model_inputs.finish
local of_payload, is_video, ROWS = models.of_payload, models.is_video, models.ROWS
local in_list, sorted_names = check.in_list, names.sorted

local body = {}

local NONE = {}

local HINTS = {
  steps = "the model fal-ai/flux/dev takes up to 50",
  gpu = "fal.ai chooses the hardware of its hosted models",
  negative_prompt = "only the SDXL models of fal.ai have negative prompts (mode sdxl)",
  init_image = "this model makes images from text only; name one that takes an image",
}
local INSTEAD = { init_image = { "fal-ai/flux/dev/image-to-image" } }

-- What model_inputs.put is to know of a value: of a parameter of ours, of an input that some model has, of any other name.
local function item_of(name, parameter, known)
  return {
    field = "parameters." .. name, input = parameter.input or name, decides = parameter.decides, known = known,
    hint = HINTS[name], instead = INSTEAD[name],
  }
end

local PROMPT = { field = "prompt", input = "prompt" }
local ITEMS = {}
for _, row in pairs(models.ROWS) do
  for name in pairs(row.kind == "image" and row.inputs or NONE) do ITEMS[name] = item_of(name, {}, true) end
end
for _, parameter in ipairs(fields.PARAMETERS) do ITEMS[parameter.name] = item_of(parameter.name, parameter, true) end
local ASPECT_RATIO = { field = "parameters.aspect_ratio", input = "aspect_ratio", decides = true }

-- The size, by the parameter that it came from.
local SIZE, SIZE_BESIDE_ASPECT = {}, {}
local SIZE_PARAMETERS = sizes.SIZE_PARAMETERS
for name in pairs(SIZE_PARAMETERS) do
  local hint = "this model takes an aspect_ratio instead of a size"
  SIZE[name] = { field = "parameters." .. name, input = "image_size", decides = true }
  SIZE_BESIDE_ASPECT[name] = { field = "parameters." .. name, input = "image_size", decides = true, hint = hint }
end
local OUTPUT_FORMAT_AS_FORMAT = { field = "parameters.output_format", input = "format", known = true }

local function is_defaulted(payload, name)
  return payload.defaulted ~= nil and in_list(name, payload.defaulted)
end

local function put_parameter(built, payload, name)
  local row = built.description
  local item = ITEMS[name] or item_of(name, {}, false)
  if name == "output_format" and row.inputs.format then item = OUTPUT_FORMAT_AS_FORMAT end
  put(built, item, payload.parameters[name], is_defaulted(payload, name))
end

local function put_size(built, payload, size, name)
  local inputs = built.description.inputs
  -- sizes.choose makes nothing that is none
  if inputs.image_size and not built.live_inputs then return put_fit(built, SIZE[name], size) end
  local item = inputs.aspect_ratio and SIZE_BESIDE_ASPECT[name] or SIZE[name]
  put(built, item, size, is_defaulted(payload, name))
end

local function build_image(payload, model, live)
  local built = new_plan(model, ROWS[model], live)
  local size, size_name, aspect = sizes.choose(built, payload.parameters)
  if payload.prompt then put(built, PROMPT, payload.prompt) end
  local sorted = sorted_names(payload.parameters)
  for index = 1, #sorted do
    local name = sorted[index]
    if not SIZE_PARAMETERS[name] then put_parameter(built, payload, name) end
  end
  if aspect then put(built, ASPECT_RATIO, aspect) end
  if size then put_size(built, payload, size, size_name) end
  return built
end

-- Most requests say nothing but a prompt. What the modes make of our defaults is the same each time, so it is made at load, by
-- the model.
local OF_DEFAULTS = {}
for _, mode in ipairs(models.IMAGE_MODES) do
  local model = models.OF_MODE[mode]
  local payload = { mode = mode, prompt = "a prompt", parameters = models.DEFAULTS, defaulted = sorted_names(models.DEFAULTS) }
  local built = build_image(payload, model)
  unlisted.warn(built)
  if not ROWS[model].inputs.prompt.maxLength then OF_DEFAULTS[model] = plan.template(built, "prompt") end
end

local function build_for(payload, model, live)
  if not ROWS[model] then return undescribed.build(payload, model, live) end
  local built = (is_video(model) and video_body.build or build_image)(payload, model, live)
  unlisted.warn(built)
  return built
end

-- What a row says that its model cannot do without, and that is not there: it is shown, and kept from going live.
local function add_needs(built)
  local row = built.description
  if not row or built.live_inputs then return end
  for _, name in ipairs(row.required) do
    if built.body[name] == nil and not (built.unfit and built.unfit[name]) then
      built.needs = built.needs or {}
      built.needs[#built.needs + 1] = { field = row.inputs[name].field or name, message = "is needed by " .. built.model }
    end
  end
end

local function warn_of_ignored(built, ignored)
  for _, name in ipairs(ignored) do plan.warn(built, name, "is not understood; inputs of the model belong in parameters") end
end

--- What a submit of this payload would send (plan.lua); `needs`: what is missing for that. `has_only_defaults`: what fields.read
-- says; without it all is made anew.
function body.build(payload, ctx, has_only_defaults)
  local model = of_payload(payload)
  local live = ctx and ctx.model and ctx.model(model)
  local make = has_only_defaults and payload.prompt and not live and OF_DEFAULTS[model]
  local built = make and make(payload.prompt) or build_for(payload, model, live)
  if payload.wrapped then
    plan.refuse(built, payload.wrapped, given.WRAPPED)
  elseif not make then
    add_needs(built)
  end
  if payload.ignored then warn_of_ignored(built, payload.ignored) end
  finish(built, payload, ctx)
  return built
end

return body
