-- payloads.lua - the payload that is made of a request for Luma, with our defaults.

local check = require "check"
local luma_body = require "luma.body"
local luma_models = require "luma.models"
local luma_pictures = require "luma.pictures"
local luma_route = require "luma.route"
local names = require "names"
local video_request = require "video_request"

local payloads = {}

local DEFAULT_SECONDS, DEFAULT_RESOLUTION = 5, "1080p"

-- What body.lua relies on; the vendor's other fields are the vendor's to check.
local LINE = { max = 4096 }
local TEXTS = check.field_list {
  { name = "callback_url", kind = "text", options = LINE }, { name = "format", kind = "text", options = LINE },
  { name = "generation_id", kind = "text", options = LINE }, { name = "model", kind = "text", options = LINE },
  { name = "output_format", kind = "text", options = LINE }, { name = "webhook", kind = "text", options = LINE },
  { name = "init_video", kind = "text" },
}

local READING = video_request.reading(
  { reference = "reference", reference_frames = "reference_frames", storyboard = "storyboard" },
  names.union(luma_models.CONTRACT_FIELDS, luma_body.READ_BY_NAME))

--- Checks a request before anything is made of it; the payload, and third the plan of what a submit would send.
function payloads.prepare(request)
  local payload = video_request.read(request, READING)
  local parameters = payload.parameters
  if next(parameters) ~= nil then video_request.reader(payload):fields(TEXTS) end
  luma_pictures.of_payload(payload) -- checks them
  video_request.take_model(payload)
  if not payload.model then
    payload.model = luma_route.DEFAULT_MODEL
    payload.duration_seconds = payload.duration_seconds or DEFAULT_SECONDS
    parameters.resolution = parameters.resolution or DEFAULT_RESOLUTION
  end
  if not (payload.prompt or payload.prompts or payload.wrapped) then
    local route = luma_route.find(payload, payload.model)
    -- Without a route submit says what is wrong; a missing prompt would only hide it.
    if route and route.prompt == "required" then check.fail("prompt", "is required") end
  end
  return payload, nil, luma_body.build(payload)
end

return payloads
