-- payloads.lua - the payload that is made of a request for Luma, with our defaults.

local check = require "check"
local luma_body = require "luma.body"
local luma_models = require "luma.models"
local luma_pictures = require "luma.pictures"
local luma_route = require "luma.route"
local names = require "names"
local plans = require "plan"
local video_request = require "video_request"

local payloads = {}

local DEFAULT_SECONDS, DEFAULT_RESOLUTION = 5, "1080p"
local MAX_MODEL_BYTES = 200

-- What body.lua relies on; the vendor's other fields are the vendor's to check.
local LINE = { max = 4096 }
local MODEL = check.field_list { { name = "model", kind = "text", options = LINE } }
local TEXTS = check.field_list {
  { name = "callback_url", kind = "text", options = LINE }, { name = "format", kind = "text", options = LINE },
  { name = "generation_id", kind = "text", options = LINE }, { name = "output_format", kind = "text", options = LINE },
  { name = "webhook", kind = "text", options = LINE }, { name = "init_video", kind = "text" },
}

local CONTRACT_FIELDS = {}
for _, row in pairs(luma_models.ROWS) do
  for name in pairs(row.inputs) do CONTRACT_FIELDS[name] = true end
end
local READING = video_request.reading(
  { reference = "reference", reference_frames = "reference_frames", storyboard = "storyboard" },
  names.union(CONTRACT_FIELDS, names.words "generation_type", luma_body.READ_BY_NAME))

local function as_model(value)
  return type(value) == "string" and #value <= MAX_MODEL_BYTES and check.trim(value) ~= "" and check.trim(value) or nil
end

-- True when the request names a model that nobody describes, before anything of it is read.
local function is_unknown(request)
  if type(request) ~= "table" or request.model == nil and request.parameters == nil then return nil end
  local beside = type(request.parameters) == "table" and as_model(request.parameters.model) or nil
  local model = as_model(request.model) or beside
  return model and luma_route.is_unknown(model, beside) or nil
end

local function fill_in(payload)
  if payload.mode == "image" then
    payload.model = luma_route.DEFAULT_IMAGE_MODEL
    return
  end
  payload.model = luma_route.DEFAULT_MODEL
  payload.duration_seconds = payload.duration_seconds or DEFAULT_SECONDS
  payload.parameters.resolution = payload.parameters.resolution or DEFAULT_RESOLUTION
end

-- What our defaults and a prompt make of the default model: most requests say nothing else.
local PLAIN = { mode = "video", prompt = "a prompt of some length", parameters = {} }
fill_in(PLAIN)
local make_plain = plans.template(luma_body.build(PLAIN), "prompt")

-- The plan of a request for a video that says nothing but a prompt; nil where that has to be looked at.
local function fill_in_plain(payload)
  if not make_plain or not luma_body.is_usual_prompt(payload.prompt) then return nil end
  fill_in(payload)
  return make_plain(payload.prompt)
end

--- Checks a request before anything is made of it; the payload, and third the plan of what a submit would send.
function payloads.prepare(request, ctx)
  local unknown = is_unknown(request)
  local payload, _, is_plain = video_request.read(request, READING, { kind = ctx and ctx.kind, own = unknown })
  local plain = is_plain and payload.mode == "video" and fill_in_plain(payload)
  if plain then return payload, nil, plain end
  if next(payload.parameters) ~= nil then
    local reader = video_request.reader(payload)
    reader:fields(MODEL)
    if not unknown then reader:fields(TEXTS) end
  end
  local sources, references
  if not unknown then sources, references = luma_pictures.of_payload(payload) end -- checks them
  video_request.take_model(payload)
  if not payload.model then fill_in(payload) end
  if not (payload.prompt or payload.prompts or payload.wrapped) then
    local route = luma_route.find(payload, payload.model)
    -- Without a route submit says what is wrong; a missing prompt would only hide it.
    if route and route.prompt == "required" then check.fail("prompt", "is required") end
  end
  return payload, nil, luma_body.build(payload, sources, references)
end

return payloads
