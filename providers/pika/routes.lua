-- routes.lua - which of Pika's two APIs a request means, and which model there.

local check = require "check"
local fal_ids = require "fal.ids"
local fal_values = require "fal.values"
local pika_models = require "pika.models"
local pictures = require "pika.pictures"

local routes = {}

local has_pictures, starts_with = pictures.has_any, fal_values.starts_with

local FAL, DIRECT = pika_models.FAL, pika_models.DIRECT

local ROUTES = { "fal", "direct" }
routes.ROUTES = ROUTES
local FAL_PREFIX = "fal-ai/pika/"
routes.FAL_PREFIX = FAL_PREFIX
local DIRECT_PREFIX = "generate/"

-- The 2.2 model for what a request brings.
local MODEL_FOR = {
  fal = {
    text = "v2.2/text-to-video", image = "v2.2/image-to-video", references = "v2.2/pikascenes", frames = "v2.2/pikaframes",
    video = "v2/pikadditions",
  },
  direct = {
    text = "generate/2.2/t2v", image = "generate/2.2/i2v", references = "generate/2.2/pikascenes",
    frames = "generate/2.2/pikaframes", video = "generate/pikadditions",
  },
}
routes.MODEL_FOR = MODEL_FOR

local IF_NOT_BLANK, LOWER = { blank = "absent" }, { lower = true }

local PROMPTS = { fal = { field = "prompt", input = "prompt" }, direct = { field = "prompt", input = "promptText" } }
routes.PROMPTS = PROMPTS

--- A payload's route.
local function of_payload(payload)
  return payload.route or "fal"
end
routes.of_payload = of_payload

--- The model's path: as it was named, else the one that fits what the request brings.
function routes.path(payload)
  if payload.model then
    return starts_with(payload.model, FAL_PREFIX) and string.sub(payload.model, #FAL_PREFIX + 1) or payload.model
  end
  local parameters, models = payload.parameters, MODEL_FOR[of_payload(payload)]
  if not parameters then return models.text end
  if parameters.video then return models.video end
  if has_pictures(payload) then return pictures.has(payload, "frames") and models.frames or models.references end
  return parameters.init_image and models.image or models.text
end

--- The row of a model, or nil.
function routes.row(route, path)
  return (route == "direct" and DIRECT or FAL)[path]
end

local FAL_IDS = {}
for path in pairs(FAL) do FAL_IDS[path] = FAL_PREFIX .. path end

--- The id on fal of the model with this path. All of Pika's requests on fal live under one app, whatever the model.
function routes.fal_id(path)
  return FAL_IDS[path] or FAL_PREFIX .. path
end

--- The same of a payload's model.
function routes.fal_model(payload)
  return routes.fal_id(routes.path(payload))
end

--- The path of the model that a request names, and whether it is of the direct API; nil when it names none. "/generate/2.2/t2v"
-- and "pika/v2.2/x" are the same as without what stands before; anything but a Pika model is refused.
function routes.read_model(top)
  local model = top.object.model ~= nil and top:text("model", IF_NOT_BLANK)
  if not model then return nil end
  local path = string.gsub(string.sub(model, 1, 200), "^/", "")
  if starts_with(path, "pika/") then path = "fal-ai/" .. path end
  local is_direct = starts_with(path, DIRECT_PREFIX)
  local is_pikas = is_direct or starts_with(path, FAL_PREFIX) or string.find(path, "^v%d")
  if not is_pikas or not fal_ids.is_model_id(path) then
    check.fail("model", fal_ids.not_a_model(model, "Pika", MODEL_FOR.fal.text))
  end
  return path, is_direct
end

--- The route that a request names, or nil.
function routes.read_route(top, is_direct)
  if top.object.route == nil then return is_direct and "direct" or nil end
  local route = top:choice("route", ROUTES, LOWER)
  if is_direct and route == "fal" then check.fail("route", "must be direct for a model that begins with " .. DIRECT_PREFIX) end
  if route == "direct" and not is_direct and top:raw "model" then
    check.fail("model", "must begin with " .. DIRECT_PREFIX .. " on the route direct")
  end
  return is_direct and "direct" or route
end

--- Whether the model of a row needs a prompt.
function routes.needs_prompt(row, route)
  local input = row and row.inputs[PROMPTS[route].input]
  return input and input.required
end

return routes
