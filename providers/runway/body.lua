-- body.lua - the body of a request to Runway, built for one model at one endpoint (route.lua).

local check = require "check"
local given = require "given"
local model_inputs = require "model_inputs"
local names = require "names"
local plans = require "plan"
local runway_media = require "runway.media"
local runway_products = require "runway.products"
local runway_rows = require "runway.rows"
local runway_route = require "runway.route"
local runway_sizes = require "runway.sizes"
local runway_specs = require "runway.specs"
local runway_undescribed = require "runway.undescribed"
local video_request = require "video_request"

local runway_body = {}

local NONE = {}

--- Parameters that are read by name here; all others go through under the vendor's own names.
runway_body.READ_BY_NAME = names.words [[ aspect_ratio duration duration_seconds height image imageUri init_image init_video
  model multi_prompt negativePrompt negative_prompt prompt promptImage promptText promptVideo prompts ratio reference
  referenceImages reference_frames resolution samples seed storyboard video videoUri width ]]

local IS_READ_BY_NAME = runway_body.READ_BY_NAME
-- Those of them that are the vendor's own words: one that the model lacks goes out all the same.
local VENDORS_WORDS = names.words [[ imageUri negativePrompt promptImage promptVideo referenceImages videoUri ]]
-- Read with the request, where they may also stand at the top.
local READ_WITH_REQUEST = names.words "duration promptText"

local function warn_of_weights(plan, prompts)
  for index, item in ipairs(prompts) do
    if type(item) == "table" and item.weight ~= nil then
      plans.warn(plan, ("prompts[%d].weight"):format(index - 1), "Runway does not weigh prompts: left out")
    end
  end
end

local function add_prompt(plan, payload, spec, pictures)
  local text, count = video_request.joined_prompt(payload, pictures)
  if not spec.prompt then
    if text then video_request.warn_of_prompts(plan, payload, spec.id .. " takes no prompt: left out") end
    return
  end
  if not text then
    if spec.prompt == "required" and not spec.live then plans.refuse(plan, "prompt", spec.id .. " needs a prompt") end
    return
  end
  if count > 1 then plans.note(plan, "Runway takes one text: the prompts and the storyboard's texts are joined, one a line") end
  if payload.prompts then warn_of_weights(plan, payload.prompts) end
  -- What stands under the vendor's own name keeps its blanks.
  local own = payload.parameters.promptText
  plan.body.promptText = count == 1 and type(own) == "string" and check.trim(own) == text and own or text
end

local function add_duration(plan, payload, spec)
  local seconds = payload.duration_seconds
  if seconds == nil then return end
  if not spec.fields.duration then
    return plans.refuse(plan, "duration_seconds", spec.id .. " takes no length: it follows from the input")
  end
  if spec.seconds and not spec.makes_seconds[seconds] and not spec.live then
    return plans.refuse(plan, "duration_seconds", spec.id .. " does not make this length", spec.seconds)
  end
  plan.body.duration = seconds
end

local function add_seed(plan, payload, spec)
  if payload.parameters.seed == nil or spec.fields.seed then return end
  plans.warn(plan, "parameters.seed", spec.id .. " takes no seed: left out")
end

local function add_negative_prompt(plan, payload, spec)
  local own, common = payload.parameters.negativePrompt, payload.parameters.negative_prompt
  if common == nil or common == "" or spec.fields.negative_prompt then return end
  if own ~= nil and own ~= common then
    return plans.warn(plan, "parameters.negative_prompt", "left out: parameters.negativePrompt says something else")
  end
  if not spec.fields.negativePrompt then
    return plans.warn(plan, "parameters.negative_prompt", spec.id .. " takes no negative prompt: left out")
  end
  plan.body.negativePrompt = common
end

local function add_samples(plan, payload, spec)
  local samples = payload.parameters.samples
  if samples == nil or spec.fields.samples then return end
  if spec.fields.outputCount then
    local own = plan.body.outputCount
    if own ~= nil and not given.same(own, samples) then
      return plans.refuse(plan, "parameters.outputCount", "contradicts parameters.samples: give one or the other")
    end
    plan.body.outputCount = samples
  elseif samples > 1 then
    plans.refuse(plan, "parameters.samples", spec.id .. " makes one at a time", { 1 })
  end
end

-- What the model has itself, as it was given.
local function put_own(plan, payload, spec)
  for name, value in next, payload.parameters do
    if spec.fields[name] and not READ_WITH_REQUEST[name] then plan.body[name] = value end
  end
end

-- A parameter that is no input of the model as we know it.
local function add_foreign(plan, name, value, spec)
  local field = "parameters." .. name
  if IS_READ_BY_NAME[name] and not VENDORS_WORDS[name] then return end
  if video_request.PREFERENCES[name] then return plans.warn(plan, field, spec.id .. " has no such setting: left out") end
  if runway_specs.COSTS[name] and not spec.live then return plans.refuse(plan, field, spec.id .. " has no such setting here") end
  if plan.body[name] ~= nil then return end
  plan.body[name] = value
  plans.send_unknown(plan, field, "is not in the vendor's contract as we know it: sent as given")
end

local function add_rest(plan, payload, spec)
  local parameters, ignored = payload.parameters, payload.ignored
  local foreign = names.unknown(parameters, spec.fields)
  if foreign then
    for _, name in ipairs(foreign) do add_foreign(plan, name, parameters[name], spec) end
  end
  if ignored then
    for _, name in ipairs(ignored) do plans.warn(plan, name, "is not understood: left out") end
  end
end

-- What stands before all else that is missing.
local function refuse_wrapped(plan, payload)
  if payload.wrapped then plans.refuse(plan, payload.wrapped, given.WRAPPED) end
end

-- A model that makes something else than the kind under which the request came.
local function refuse_kind(plan, payload, spec)
  if payload.mode ~= "image" or not spec.makes or spec.makes == "image" then return end
  plans.refuse(plan, "model", ("%s makes %s: its requests go to the video providers"):format(spec.key, spec.makes))
end

local function build_described(plan, payload, spec)
  local pictures = runway_route.pictures_of(payload, spec.fields)
  plan.body.model = spec.id
  put_own(plan, payload, spec)
  add_prompt(plan, payload, spec, spec.operation == "character_performance" and NONE or pictures)
  runway_media.add(plan, payload, spec, pictures)
  runway_sizes.add(plan, payload, spec)
  add_duration(plan, payload, spec)
  add_seed(plan, payload, spec)
  add_negative_prompt(plan, payload, spec)
  add_samples(plan, payload, spec)
  add_rest(plan, payload, spec)
  runway_rows.check(plan, payload, spec)
end

-- The names under which the client gave what the directory's schema may complain of.
local function paths_of(payload, spec)
  local paths = {}
  for _, name in ipairs(spec.names) do
    local field = spec.inputs[name].field
    if field and payload.parameters[name] == nil then paths[name] = field end
  end
  return paths
end

-- What the directory knows of the model has its say.
local function check_by_directory(plan, payload, spec, ctx)
  plan.live, plan.live_inputs, plan.paths = spec.live, spec.live.inputs.properties, paths_of(payload, spec)
  model_inputs.validate(plan, ctx)
  for _, text in ipairs(spec.live.limits_in_words or NONE) do plans.note(plan, spec.key .. ": " .. text) end
end

local function build_any(plan, payload, spec, ctx)
  plan.spec, plan.model = spec, spec.id
  refuse_kind(plan, payload, spec)
  if spec.product then
    runway_products.build(plan, payload, spec, IS_READ_BY_NAME)
  elseif spec.described then
    build_described(plan, payload, spec)
    if spec.live then check_by_directory(plan, payload, spec, ctx) end
  else
    runway_undescribed.build(plan, payload, spec, check.copy(payload.parameters))
  end
end

--- The request for a payload with this model: a plan (plan.lua) with the model's `spec`, which may be found already.
function runway_body.build(payload, model, ctx, spec)
  local plan, refusal = plans.new(), nil
  refuse_wrapped(plan, payload)
  if not spec then spec, refusal = runway_route.find_spec(payload, model, ctx and ctx.model) end
  if spec then
    build_any(plan, payload, spec, ctx)
  else
    plans.refuse(plan, refusal.field, refusal.message, refusal.allowed)
  end
  given.finish(plan, payload)
  return plan
end

return runway_body
