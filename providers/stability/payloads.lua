-- payloads.lua - the payload that is made of a request for Stability, with its mode and our defaults.

local check = require "check"
local given = require "given"
local stability_fields = require "stability.fields"
local stability_services = require "stability.services"
local undescribed = require "stability.undescribed"

local payloads = {}

local TEXT_TO_IMAGE, IMAGE_TO_IMAGE = stability_services.TEXT_TO_IMAGE, stability_services.IMAGE_TO_IMAGE

local MODES = { TEXT_TO_IMAGE, IMAGE_TO_IMAGE }
payloads.MODES = MODES

-- The cheapest that the vendor lists, per mode.
local DEFAULT_MODELS = { [TEXT_TO_IMAGE] = "core", [IMAGE_TO_IMAGE] = "sd3.5-medium" }
payloads.DEFAULT_MODELS = DEFAULT_MODELS

-- The vendor requires a strength with an image and has no default of its own.
local DEFAULT_STRENGTH = 0.5

-- Options of the readers of check.lua.
local MODE, REQUIRED = { lower = true, blank = "absent" }, { required = true }
local MODEL = { lower = true, blank = "absent", max = 200 }

-- At the top, or else in the parameters.
local NAMED_MODE = check.field_list {
  { name = "mode", names = { "mode", "operation" }, kind = "choice", values = MODES, options = MODE, decides = true },
}[1]

local IMAGE_NAMES = stability_fields.ALIASES.image

local function has_image(payload)
  for _, name in ipairs(IMAGE_NAMES) do
    if check.is_given(payload[name]) or check.is_given(payload.parameters[name]) then return true end
  end
  return false
end

-- A mode that is gone is no slip in a mode's name.
local function refuse_video(reader)
  for _, name in ipairs(NAMED_MODE.names) do
    local mode = reader.object[name]
    if type(mode) == "string" and string.find(string.lower(string.sub(mode, 1, 100)), "video", 1, true) then
      check.fail(reader:path(name), stability_fields.NO_VIDEO)
    end
  end
end

--- Checks a request before anything is made of it; the payload. The mode, if the client did not say it, follows from what was
-- given: an image, or a service that works on one.
function payloads.prepare(request)
  local reader = check.reader(request)
  local parameters = reader:reader_of("parameters")
  local model = reader:text("model", MODEL) or parameters:text("model", MODEL)
  if model and stability_services.undescribed_path(model) then return undescribed.read(reader, parameters, model) end
  local payload = { parameters = check.copy(parameters.object), safety = reader:object_of "safety" }
  refuse_video(reader)
  refuse_video(parameters)
  payload.mode = given.read(payload, NAMED_MODE, reader, parameters)
  stability_fields.read(payload, reader, parameters)
  payload.parameters.model = parameters:text("model", MODEL)
  payload.model = reader:text("model", MODEL) or payload.parameters.model

  local service = payload.model and stability_services.find(payload.model)
  if not payload.mode then
    payload.mode = (service and service.edits or has_image(payload)) and IMAGE_TO_IMAGE or TEXT_TO_IMAGE
  end
  if not payload.model then
    payload.model = DEFAULT_MODELS[payload.mode]
    service = stability_services.find(payload.model)
  end
  -- Without a service submit says what is wrong; a missing prompt would only hide it.
  local needs_prompt = service and service.needs_prompt and not payload.wrapped
  if needs_prompt and not payload.parameters.prompt then reader:text("prompt", REQUIRED) end
  if service and service.with_image and payload.mode == IMAGE_TO_IMAGE and not payload.strength then
    payload.parameters.strength = payload.parameters.strength or DEFAULT_STRENGTH
  end
  return payload
end

return payloads
