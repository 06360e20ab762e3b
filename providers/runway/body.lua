-- body.lua - the body of a request to Runway, built for one model at one endpoint (route.lua).

local given = require "given"
local names = require "names"
local plans = require "plan"
local runway_media = require "runway.media"
local runway_models = require "runway.models"
local runway_products = require "runway.products"
local runway_route = require "runway.route"
local runway_sizes = require "runway.sizes"
local video_request = require "video_request"

local runway_body = {}

local NONE = {}

local MAX_SEED = 4294967295
local CONTRACT_FIELDS = runway_models.CONTRACT_FIELDS

--- Parameters that are read by name here; all others go through under the vendor's own names.
runway_body.READ_BY_NAME = names.words [[ aspect_ratio duration duration_seconds height image imageUri init_image init_video
  model multi_prompt negativePrompt negative_prompt prompt promptImage promptText promptVideo prompts ratio reference
  referenceImages reference_frames resolution samples seed storyboard video videoUri width ]]

local IS_READ_BY_NAME = runway_body.READ_BY_NAME
local HAS_A_MEANING = names.union(CONTRACT_FIELDS, IS_READ_BY_NAME)

local function add_prompt(plan, payload, spec, pictures)
  local text, count = video_request.joined_prompt(payload, pictures)
  if not spec.prompt then
    if text then video_request.warn_of_prompts(plan, payload, spec.id .. " takes no prompt: left out") end
    return
  end
  if not text then
    if spec.prompt == "required" then plans.refuse(plan, "prompt", spec.id .. " needs a prompt") end
    return
  end
  local limit = spec.prompt_max
  if limit and type(text) == "string" and video_request.is_longer_than(text, limit) then
    plans.refuse(plan, "prompt", ("is too long: %s takes %d characters"):format(spec.id, limit))
  end
  if count > 1 then plans.note(plan, "Runway takes one text: the prompts and the storyboard's texts are joined, one a line") end
  for index, item in ipairs(payload.prompts or NONE) do
    if type(item) == "table" and item.weight ~= nil then
      plans.warn(plan, ("prompts[%d].weight"):format(index - 1), "Runway does not weigh prompts: left out")
    end
  end
  plan.body.promptText = text
end

local function add_duration(plan, payload, spec)
  local seconds = payload.duration_seconds
  if seconds == nil then return end
  if spec.seconds then
    if not spec.makes_seconds[seconds] then
      return plans.refuse(plan, "duration_seconds", spec.id .. " does not make this length", spec.seconds)
    end
  elseif not spec.free_duration then
    return plans.refuse(plan, "duration_seconds", spec.id .. " takes no length: it follows from the input")
  elseif seconds == "auto" and not spec.auto_duration then
    return plans.refuse(plan, "duration_seconds", spec.id .. " needs a number of seconds")
  end
  plan.body.duration = seconds
end

local function add_seed(plan, payload, spec)
  local seed = payload.parameters.seed
  if seed == nil then return end
  if not spec.fields.seed then return plans.warn(plan, "parameters.seed", spec.id .. " takes no seed: left out") end
  if math.type(seed) ~= "integer" or seed < 0 or seed > MAX_SEED then
    return plans.refuse(plan, "parameters.seed", "must be from 0 to " .. MAX_SEED)
  end
  plan.body.seed = seed
end

local function add_negative_prompt(plan, payload, spec)
  local own, common = payload.parameters.negativePrompt, payload.parameters.negative_prompt
  local name, text = "negativePrompt", own
  if own == nil then name, text = "negative_prompt", common end
  if own ~= nil and common ~= nil and own ~= common then
    plans.warn(plan, "parameters.negative_prompt", "left out: parameters.negativePrompt says something else")
  end
  if text == nil or text == "" then return end
  if not spec.fields.negativePrompt then
    return plans.warn(plan, "parameters." .. name, spec.id .. " takes no negative prompt: left out")
  end
  plan.body.negativePrompt = text
end

local function add_samples(plan, payload, spec)
  local samples = payload.parameters.samples
  if samples == nil then return end
  if spec.fields.outputCount then
    plan.body.outputCount = samples
  elseif samples > 1 then
    plans.refuse(plan, "parameters.samples", spec.id .. " makes one at a time", { 1 })
  end
end

-- The names that are read by name and are no field of the model.
local READ_FOR = {}
for _, specs in pairs(runway_models.SPECS) do
  for _, spec in pairs(specs) do
    READ_FOR[spec] = names.union(runway_body.READ_BY_NAME)
    for name in pairs(spec.fields) do READ_FOR[spec][name] = nil end
  end
end

-- Everything else goes through under the vendor's own name.
local function add_one(plan, name, value, spec)
  local body = plan.body
  local field = "parameters." .. name
  if spec.fields[name] then
    if body[name] == nil then
      body[name] = value
    elseif not IS_READ_BY_NAME[name] and not given.same(body[name], value) then
      plans.refuse(plan, field, "contradicts what is given under another name: give one or the other")
    end
    return
  end
  if video_request.PREFERENCES[name] or name == "contentModeration" then
    return plans.warn(plan, field, spec.id .. " has no such setting: left out")
  end
  if CONTRACT_FIELDS[name] then return plans.refuse(plan, field, spec.id .. " has no such setting here") end
  body[name] = value
  plans.send_unknown(plan, field, "is not in the vendor's contract as we know it: sent as given")
end

local function add_rest(plan, payload, spec)
  local parameters = payload.parameters
  for _, name in ipairs(names.unknown(parameters, READ_FOR[spec]) or NONE) do add_one(plan, name, parameters[name], spec) end
  for _, name in ipairs(payload.ignored or NONE) do plans.warn(plan, name, "is not understood: left out") end
end

-- What stands before all else that is missing.
local function refuse_wrapped(plan, payload)
  if payload.wrapped then plans.refuse(plan, payload.wrapped, given.WRAPPED) end
end

--- The request for a payload with this model: a plan (plan.lua) with the model's `spec`.
function runway_body.build(payload, model)
  local plan, pictures = plans.new(), runway_route.pictures_of(payload)
  refuse_wrapped(plan, payload)
  local spec, refusal = runway_route.find_spec(payload, model, pictures)
  if not spec then
    plans.refuse(plan, refusal.field, refusal.message, refusal.allowed)
    given.finish(plan, payload)
    return plan
  end
  if spec.product then
    runway_products.build(plan, payload, spec, HAS_A_MEANING)
    given.finish(plan, payload)
    return plan
  end
  plan.spec, plan.body.model = spec, spec.id
  if spec.operation == "character_performance" then pictures = NONE end
  add_prompt(plan, payload, spec, pictures)
  runway_media.add(plan, payload, spec, pictures)
  runway_sizes.add(plan, payload, spec)
  add_duration(plan, payload, spec)
  add_seed(plan, payload, spec)
  add_negative_prompt(plan, payload, spec)
  add_samples(plan, payload, spec)
  add_rest(plan, payload, spec)
  given.finish(plan, payload)
  return plan
end

return runway_body
