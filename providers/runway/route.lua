-- route.lua - which of Runway's models and endpoints a request means, and what that pair takes (specs.lua).

local check = require "check"
local names = require "names"
local runway_models = require "runway.models"
local runway_products = require "runway.products"
local runway_specs = require "runway.specs"
local video_request = require "video_request"

local runway_route = {}

local MODELS, OPERATIONS = runway_models.MODELS, runway_models.OPERATIONS
local IS_OPERATION = names.set(OPERATIONS)

local PICTURE_PARAMETERS = { "init_image", "image", "storyboard", "reference_frames", "reference" }
local PICTURES_AT_TOP = { "storyboard" }

-- Whether a set has any of these names: most have none, and to ask for five costs less than to go over what there is.
local function has_picture_parameter(set)
  return set.init_image ~= nil or set.image ~= nil or set.storyboard ~= nil or set.reference_frames ~= nil
    or set.reference ~= nil
end

local NONE = {}

-- The endpoints of each model, in the order of OPERATIONS and as a set, and the models of each endpoint.
local ENDPOINTS, HAS_ENDPOINT, IDS = {}, {}, {}
for _, operation in ipairs(OPERATIONS) do
  IDS[operation] = {}
  for _, key in ipairs(runway_models.KEYS) do
    local row = MODELS[key]
    if row.operation == operation then
      ENDPOINTS[row.id] = ENDPOINTS[row.id] or {}
      table.insert(ENDPOINTS[row.id], operation)
      table.insert(IDS[operation], row.id)
    end
  end
end

for id, endpoints in pairs(ENDPOINTS) do HAS_ENDPOINT[id] = names.set(endpoints) end

--- The ids of all described models, in alphabetical order.
runway_route.MODEL_IDS = names.sorted(ENDPOINTS)

-- A path as the vendor writes it, and whether the text says that it is one.
local function path_of(text)
  local path = string.gsub(text, "^/+", "")
  local versioned = string.sub(path, 1, 3) == "v1/"
  return versioned and string.sub(path, 4) or path, versioned
end

-- "v1/text_to_video/veo3.1" -> "text_to_video", "veo3.1": an endpoint and a model, either may be missing. An endpoint that we do
-- not know is written "endpoint/model"; a text that begins with v1/, and means none of these, is a path of the vendor's (third).
local function split_model(text)
  if ENDPOINTS[text] then return nil, text end
  local path, versioned = path_of(text)
  if runway_products.is_path(path) then return nil, nil, path end
  local first, rest = string.match(path, "^([^/]+)/(.+)$")
  if first and IS_OPERATION[first] then return first, rest end
  if first and not versioned then return string.match(path, "^(.+)/([^/]+)$") end
  if IS_OPERATION[path] then return path, nil end
  if versioned then return nil, nil, path end
  return nil, path
end

local VIDEO_PARAMETERS = { "video", "init_video", "videoUri", "promptVideo" }
runway_route.VIDEO_PARAMETERS = VIDEO_PARAMETERS

local function has_video_parameter(parameters)
  return parameters.video ~= nil or parameters.init_video ~= nil or parameters.videoUri ~= nil or parameters.promptVideo ~= nil
end

--- The video that a request works on, if it has one, and the parameter that it is in.
function runway_route.video_of(payload)
  local parameters = payload.parameters
  if not has_video_parameter(parameters) then return nil end
  for _, name in ipairs(VIDEO_PARAMETERS) do
    if check.is_given(parameters[name]) then return parameters[name], name end
  end
  return nil
end

--- The pictures and shots of a request (video_request.pictures), without those that the model's own inputs hold.
function runway_route.pictures_of(payload, inputs)
  if payload.storyboard == nil and not has_picture_parameter(payload.parameters) then return NONE end
  local wanted = PICTURE_PARAMETERS
  if inputs and has_picture_parameter(inputs) then
    wanted = {}
    for _, name in ipairs(PICTURE_PARAMETERS) do
      if not inputs[name] then wanted[#wanted + 1] = name end
    end
  end
  return video_request.pictures(payload, wanted, PICTURES_AT_TOP)
end

local function is_file(item)
  if type(item) == "string" then return video_request.is_media(item) end
  return type(item) == "table" and (item.uri or item.url or item.image) ~= nil
end

local function holds_file(value)
  if is_file(value) then return true end
  if type(value) ~= "table" then return false end
  for _, item in ipairs(value) do
    if is_file(item) then return true end
  end
  return false
end

-- Whether a request brings a picture, wherever: nothing of it may have been checked yet.
local function has_picture(payload)
  local parameters = payload.parameters
  if parameters.promptImage ~= nil and check.is_given(parameters.promptImage) then return true end
  if payload.storyboard ~= nil and holds_file(payload.storyboard) then return true end
  if not has_picture_parameter(parameters) then return false end
  for _, name in ipairs(PICTURE_PARAMETERS) do
    local value = parameters[name]
    if value ~= nil and holds_file(value) then return true end
  end
  return false
end

-- The endpoint for what was given: a model that makes video from video, pictures and text is asked for what the input calls for.
local function choose_operation(id, payload)
  local has = HAS_ENDPOINT[id]
  if has.video_to_video and runway_route.video_of(payload) then return "video_to_video" end
  if has.image_to_video and has_picture(payload) then return "image_to_video" end
  return ENDPOINTS[id][1]
end

-- The endpoint of a model that nobody describes: what the request has says it, or the kind that it came under.
local function assumed_operation(payload)
  if payload.mode == "image" then return "text_to_image" end
  if runway_route.video_of(payload) then return "video_to_video" end
  return has_picture(payload) and "image_to_video" or "text_to_video"
end

local function refuse(field, message, allowed)
  return nil, { field = field, message = message, allowed = allowed }
end

-- A model that we have no row for, or not there.
local function unknown_spec(payload, operation, id, live_of)
  local assumed = not operation
  operation = operation or assumed_operation(payload)
  local live = live_of and live_of(operation .. "/" .. id)
  if live and live.inputs and live.inputs.properties then return runway_specs.of_schema(operation, id, live) end
  local spec = runway_specs.unknown(operation, id)
  spec.assumed = assumed
  return spec
end

-- The model of an endpoint, and the field that names it.
local function model_of(payload, operation, id)
  if id then return id, "model" end
  id = payload.parameters.model
  if not check.is_given(id) and operation and #(IDS[operation] or NONE) == 1 then id = IDS[operation][1] end
  return id, "parameters.model"
end

--- What the model can do at the chosen endpoint, or nil and a refusal. `live_of`: what the directory knows
-- of "ENDPOINT/MODEL". A product (products.lua) has a `product` in its spec.
function runway_route.find_spec(payload, model, live_of)
  local operation, named_id, path = split_model(model)
  if path then return runway_products.find(path, payload) end
  local id, field = model_of(payload, operation, named_id)
  if type(id) ~= "string" or id == "" then
    if not operation then return refuse("model", "is neither a model nor a path of Runway's API") end
    return refuse(field, operation .. " needs a model", IDS[operation])
  end
  if operation and not runway_products.is_place(operation) then return refuse(field, "is not a path of Runway's API") end
  local named = payload.parameters.model
  if named ~= nil and named ~= id and named ~= model and check.is_given(named) then
    return refuse("parameters.model", "contradicts the model " .. id .. ": give one or the other")
  end
  if ENDPOINTS[id] and not operation then operation = choose_operation(id, payload) end
  local key = operation and operation .. "/" .. id
  if MODELS[key or ""] then return runway_specs.of_row(key, live_of and live_of(key)) end
  return unknown_spec(payload, operation, id, live_of)
end

-- The names of each model's inputs, at any endpoint.
local INPUTS = {}
for _, row in pairs(MODELS) do
  INPUTS[row.id] = names.union(INPUTS[row.id] or NONE, row.inputs)
end

--- The names of parameters that a model has itself, and that are not to be read as words of ours: a set; true: all of them, since
-- nobody describes the model; nil: none.
function runway_route.own_names(model)
  local operation, id, path = split_model(model)
  if path then return runway_products.own_names(path) end
  if operation and not id then return nil end
  if operation and IS_OPERATION[operation] then
    local row = MODELS[operation .. "/" .. id]
    return row and row.inputs or true
  end
  return operation and true or INPUTS[id] or true
end

return runway_route
