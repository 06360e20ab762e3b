-- route.lua - which of Runway's models and endpoints a request means, and what that pair takes (models.lua).

local names = require "names"
local runway_models = require "runway.models"
local runway_products = require "runway.products"
local video_request = require "video_request"

local runway_route = {}

local MODELS, OPERATIONS, SPECS = runway_models.MODELS, runway_models.OPERATIONS, runway_models.SPECS
local IS_OPERATION = names.set(OPERATIONS)

local PICTURE_PARAMETERS = { "init_image", "image", "storyboard", "reference_frames", "reference" }
local IS_PICTURE_PARAMETER = names.set(PICTURE_PARAMETERS)
local PICTURES_AT_TOP = { "storyboard" }

local NONE = {}

local function path_of(text)
  return (string.gsub(string.gsub(text, "^/+", ""), "^v1/", ""))
end

-- "v1/text_to_video/veo3.1" -> "text_to_video", "veo3.1". Either may be missing.
local function split_model(text)
  if MODELS[text] then return nil, text end
  text = path_of(text)
  local first, rest = string.match(text, "^([^/]+)/(.+)$")
  if first and IS_OPERATION[first] then return first, rest end
  if IS_OPERATION[text] then return text, nil end
  return nil, text
end

local VIDEO_PARAMETERS = { "video", "init_video", "videoUri", "promptVideo" }
runway_route.VIDEO_PARAMETERS = VIDEO_PARAMETERS

--- The video that a request works on, if it has one, and the parameter that it is in.
function runway_route.video_of(payload)
  local parameters = payload.parameters
  for index = 1, #VIDEO_PARAMETERS do
    local name = VIDEO_PARAMETERS[index]
    if parameters[name] then return parameters[name], name end
  end
  return nil
end

--- The pictures and shots of a request (video_request.pictures).
function runway_route.pictures_of(payload)
  if payload.storyboard == nil and not names.has_any(payload.parameters, IS_PICTURE_PARAMETER) then return NONE end
  return video_request.pictures(payload, PICTURE_PARAMETERS, PICTURES_AT_TOP)
end

local function has_picture(payload, pictures)
  if payload.parameters.promptImage ~= nil then return true end
  for _, picture in ipairs(pictures) do
    if picture.uri then return true end
  end
  return false
end

-- The endpoint for what was given: a model that makes video from video, pictures and text is asked for what the input calls for.
local function choose_operation(row, payload, pictures)
  if row.operations.video_to_video and runway_route.video_of(payload) then return "video_to_video" end
  if row.operations.image_to_video and has_picture(payload, pictures) then return "image_to_video" end
  for _, operation in ipairs(OPERATIONS) do
    if row.operations[operation] then return operation end
  end
end

local function models_of(operation)
  local ids = {}
  for id, row in pairs(MODELS) do
    if not operation or row.operations[operation] then ids[#ids + 1] = id end
  end
  table.sort(ids)
  return ids
end

--- What the model can do at the chosen endpoint, or nil and a refusal. `pictures`: those of the payload. A product
-- (products.lua) has a `product` in its spec.
function runway_route.find_spec(payload, model, pictures)
  local operation, id = split_model(model)
  local field, named = "model", payload.parameters.model
  if not id then
    id, field = named or runway_models.ONLY_MODEL[operation], "parameters.model"
    if type(id) ~= "string" then
      return nil, { field = field, message = operation .. " needs a model", allowed = models_of(operation) }
    end
  end
  local row = MODELS[id]
  if not row and not operation then
    local spec, refusal = runway_products.find(path_of(id), payload)
    if spec or refusal then return spec, refusal end
  end
  if not row or (operation and not row.operations[operation]) then
    local message = operation and "is not a model that Runway sells at " .. operation
      or "is not a model that Runway sells, nor an operation of its API"
    return nil, { field = field, message = message, allowed = models_of(operation) }
  end
  if named ~= nil and named ~= id and named ~= model then
    return nil, { field = "parameters.model", message = "contradicts the model " .. id .. ": give one or the other" }
  end
  return SPECS[id][operation or choose_operation(row, payload, pictures)]
end

return runway_route
