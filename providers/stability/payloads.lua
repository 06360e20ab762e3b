-- payloads.lua - the payload that is made of a request for Stability, with its mode and our defaults.

local check = require "check"
local given = require "given"
local stability_fields = require "stability.fields"
local stability_services = require "stability.services"
local undescribed = require "stability.undescribed"

local payloads = {}

local new_reader = check.reader

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

-- The model that a request or its parameters name, or nil.
local function named_model(reader)
  if reader.object.model == nil then return nil end
  return reader:text("model", MODEL)
end

-- What was null is not in the payload any more.
local function has_image(payload)
  local parameters = payload.parameters
  return payload.init_image ~= nil or payload.image ~= nil or parameters.init_image ~= nil or parameters.image ~= nil
end

-- A mode that is gone is no slip in a mode's name.
local function refuse_video(reader)
  local object = reader.object
  for _, name in ipairs(NAMED_MODE.names) do
    local mode = object[name]
    if mode ~= nil and type(mode) == "string" and string.find(string.lower(string.sub(mode, 1, 100)), "video", 1, true) then
      check.fail(reader:path(name), stability_fields.NO_VIDEO)
    end
  end
end

local function read_mode(payload, reader, inner)
  local top = reader.object
  if not inner and top.mode == nil and top.operation == nil then return end
  refuse_video(reader)
  if inner then refuse_video(inner) end
  payload.mode = given.read(payload, NAMED_MODE, reader, inner)
end

--- Checks a request before anything is made of it; the payload. The mode, if the client did not say it, follows from what was
-- given: an image, or a service that works on one.
function payloads.prepare(request)
  local reader = new_reader(request)
  local inner = reader.object.parameters ~= nil and reader:reader_of "parameters" or nil
  local model = named_model(reader) or inner and named_model(inner)
  if model and stability_services.undescribed_path(model) then
    return undescribed.read(reader, inner or reader:reader_of "parameters", model)
  end
  local payload = { -- with room for what most requests bring
    parameters = inner and check.copy(inner.object) or {},
    safety = reader.object.safety ~= nil and reader:object_of "safety" or nil,
    mode = nil, model = nil, prompt = nil, ignored = nil,
  }
  read_mode(payload, reader, inner)
  stability_fields.read(payload, reader, inner)
  payload.parameters.model = inner and named_model(inner)
  payload.model = model

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
  if needs_prompt and not payload.prompt and not payload.parameters.prompt then reader:text("prompt", REQUIRED) end
  if service and service.with_image and payload.mode == IMAGE_TO_IMAGE and not payload.strength then
    payload.parameters.strength = payload.parameters.strength or DEFAULT_STRENGTH
  end
  return payload
end

return payloads
