-- payloads.lua - the payload that is made of a request for Runway, with our defaults and the model that can make it.

local check = require "check"
local names = require "names"
local plans = require "plan"
local runway_body = require "runway.body"
local runway_models = require "runway.models"
local runway_route = require "runway.route"
local runway_sizes = require "runway.sizes"
local video_request = require "video_request"

local payloads = {}

local DEFAULT_SECONDS = 8
local DEFAULT_MODELS = { "gen4.5", "veo3.1_fast" }
payloads.DEFAULT_MODELS = DEFAULT_MODELS
local DEFAULT_VIDEO_MODELS, DEFAULT_IMAGE_MODELS = { "aleph2" }, { "gen4_image" }
payloads.DEFAULT_IMAGE_MODEL = DEFAULT_IMAGE_MODELS[1]
local MAX_WORD_BYTES = 200

local function fill_size(payload)
  local parameters = payload.parameters
  if parameters.ratio ~= nil or parameters.width or parameters.height then return end
  if parameters.resolution == nil then
    parameters.resolution = runway_sizes.DEFAULT_RESOLUTION
  elseif runway_sizes.in_pixels(parameters) then
    return
  end
  payload.aspect_ratio = payload.aspect_ratio or runway_sizes.DEFAULT_ASPECT
end

--- The models that a request without one may get, the first that can make it.
function payloads.candidates_of(payload)
  if payload.mode == "image" then return DEFAULT_IMAGE_MODELS end
  return runway_route.video_of(payload) and DEFAULT_VIDEO_MODELS or DEFAULT_MODELS
end

-- What our defaults and a prompt make of the first model: most requests say nothing else.
local PLAIN = { mode = "video", model = DEFAULT_MODELS[1], prompt = "a prompt", parameters = {} }
PLAIN.duration_seconds = DEFAULT_SECONDS
fill_size(PLAIN)
local PLAIN_PLAN = runway_body.build(PLAIN, PLAIN.model)
local PLAIN_KEY, PLAIN_PROMPT = PLAIN_PLAN.spec.key, PLAIN_PLAN.spec.takes.promptText
local make_plain = plans.template(PLAIN_PLAN, "promptText")

-- The plan of a request for a video that says nothing but a prompt; nil where that has to be looked at.
local function fill_in_plain(payload, ctx)
  local live = ctx and ctx.model and ctx.model(PLAIN_KEY)
  if live or not make_plain or not PLAIN_PROMPT.fits(payload.prompt) then return nil end
  payload.duration_seconds, payload.model = DEFAULT_SECONDS, PLAIN.model
  fill_size(payload)
  return make_plain(payload.prompt)
end

-- Our defaults, and the first model that can make the whole of it. None: submit says what stands in the way.
local function fill_in(payload, ctx)
  local candidates = payloads.candidates_of(payload)
  if candidates == DEFAULT_MODELS then payload.duration_seconds = payload.duration_seconds or DEFAULT_SECONDS end
  if candidates ~= DEFAULT_VIDEO_MODELS then fill_size(payload) end
  for _, model in ipairs(candidates) do
    local plan = runway_body.build(payload, model, ctx)
    if not plans.is_refused(plan) then
      payload.model = model
      return plan
    end
  end
end

-- Only what the named model must have.
local function fill_in_required(payload, spec)
  for _, name in ipairs(spec.fills or {}) do
    if name == "ratio" then fill_size(payload) end
    if name == "duration" then payload.duration_seconds = payload.duration_seconds or DEFAULT_SECONDS end
  end
end

local function has_text(payload)
  return payload.prompts ~= nil or payload.prompt ~= nil
end

-- What body.lua relies on; the vendor's other fields are the vendor's to check.
local TEXTS = check.field_list {
  { name = "imageUri", kind = "text" }, { name = "init_video", kind = "text" }, { name = "negativePrompt", kind = "text" },
  { name = "promptText", kind = "text" }, { name = "promptVideo", kind = "text" }, { name = "video", kind = "text" },
  { name = "videoUri", kind = "text" },
  { name = "ratio", kind = "text", options = { max = MAX_WORD_BYTES } },
}
local MODEL = check.field_list { { name = "model", kind = "text", options = { max = MAX_WORD_BYTES } } }

local function check_types(payload, own)
  if next(payload.parameters) == nil then return end
  local reader = video_request.reader(payload)
  reader:fields(MODEL)
  if own ~= true then reader:fields(TEXTS) end
end

local CONTRACT_FIELDS = {}
for _, row in pairs(runway_models.MODELS) do
  for name in pairs(row.inputs) do CONTRACT_FIELDS[name] = true end
end
local READING = video_request.reading({ storyboard = "storyboard", reference_frames = "storyboard" },
  names.union(CONTRACT_FIELDS, runway_body.READ_BY_NAME), nil, { "promptText" })

-- The model that a request names, before anything of it is read.
local function named_model(request)
  local model = request.model
  if model == nil and request.parameters == nil then return nil end
  if type(model) ~= "string" or check.trim(model) == "" then
    model = type(request.parameters) == "table" and request.parameters.model
  end
  model = type(model) == "string" and #model <= MAX_WORD_BYTES and check.trim(model) or ""
  return model ~= "" and model or nil
end

-- The parameters that stay as they are given: those that the model has itself; all of one that nobody describes.
local function own_names(request, model, ctx)
  local own = model and runway_route.own_names(model)
  if own ~= true or not (ctx and ctx.model) then return own end
  local raw = {
    mode = ctx.kind, parameters = type(request.parameters) == "table" and request.parameters or {},
    storyboard = request.storyboard or request.reference_frames or request.image or request.init_image,
  }
  local spec = runway_route.find_spec(raw, model, ctx.model)
  return spec and spec.live and spec.inputs or true
end

--- Checks a request before anything is made of it; the payload, and third the plan of what a submit would send, if there is one.
function payloads.prepare(request, ctx)
  local model = type(request) == "table" and named_model(request)
  local own = own_names(request, model, ctx)
  local payload, _, is_plain = video_request.read(request, READING, { kind = ctx and ctx.kind, own = own })
  local plain = is_plain and payload.mode == "video" and fill_in_plain(payload, ctx)
  if plain then return payload, nil, plain end
  check_types(payload, own)
  if own ~= true then runway_route.pictures_of(payload, own) end -- checks them
  video_request.take_model(payload)
  if not payload.model then
    if not has_text(payload) and not payload.wrapped then check.fail("prompt", "is required") end
    return payload, nil, fill_in(payload, ctx)
  end
  -- Without a spec submit says what is wrong; a missing prompt would only hide it.
  local spec = runway_route.find_spec(payload, payload.model, ctx and ctx.model)
  if not spec then return payload end
  if spec.prompt == "required" and not spec.live and not has_text(payload) and not payload.wrapped then
    check.fail("prompt", "is required")
  end
  fill_in_required(payload, spec)
  return payload, nil, runway_body.build(payload, payload.model, ctx, spec)
end

return payloads
