-- route.lua - which API, path and kind of generation a request to Luma means (models.lua).

local check = require "check"
local luma_models = require "luma.models"
local url_parts = require "url_parts"

local luma_route = { DEFAULT_MODEL = "ray-2" }

local DEFAULT_MODEL, DEFAULT_IMAGE_MODEL = luma_route.DEFAULT_MODEL, "photon-1"

local KINDS, MODELS, MODEL_IDS = luma_models.KINDS, luma_models.MODELS, luma_models.MODEL_IDS
local PATHS, ACTIONS = luma_models.PATHS, luma_models.ACTIONS

local function refusal(field, message, allowed)
  return nil, { field = field, message = message, allowed = allowed }
end

local function make_route(kind_name, api, path, model)
  local route = check.copy(KINDS[kind_name])
  route.kind, route.api, route.path, route.model = kind_name, api, path, model
  return route
end

-- "generations/<id>/upscale"; a literal {id} means parameters.generation_id.
local function action_route(text, parameters)
  local id, action = string.match(text, "^generations/([^/]+)/(%a+)$")
  if not id or not ACTIONS[action] then return nil end
  local field = "model"
  if id == "{id}" then id, field = parameters.generation_id, "parameters.generation_id" end
  if type(id) ~= "string" or id == "" then return refusal(field, "is needed: which generation?") end
  if not url_parts.is_name(id) then check.fail(field, "must be the id of a generation") end
  local route = make_route(ACTIONS[action], "dream_machine", "/generations/" .. url_parts.segment(id) .. "/" .. action)
  route.generation_id = id
  return route
end

-- The routes of the models that are named by themselves.
local ROUTES = {}
for id, known in pairs(MODELS) do
  local path = "/generations" .. (known.makes and "/" .. known.makes or "")
  ROUTES[id] = make_route(known.kind or known.makes, known.api, path, id)
end

-- The models that a path of Dream Machine takes.
local function models_that_make(what)
  local ids = {}
  for _, id in ipairs(MODEL_IDS) do
    if MODELS[id].makes == what then ids[#ids + 1] = id end
  end
  return ids
end

local function path_route(text, parameters)
  local kind = PATHS[text]
  local model = parameters.model
  if text == "generations" and MODELS[model or ""] and MODELS[model].api == "agents" then
    return make_route(MODELS[model].kind, "agents", "/generations", model)
  end
  local makes = KINDS[kind].makes
  model = model or (makes == "image" and DEFAULT_IMAGE_MODEL or DEFAULT_MODEL)
  if not MODELS[model] or MODELS[model].makes ~= makes then
    return refusal("parameters.model", "is not a model that this path takes", models_that_make(makes))
  end
  return make_route(kind, "dream_machine", "/" .. text, model)
end

--- Where a request with this model goes, and what may be said there; nil and a refusal. A route is not to be changed.
function luma_route.find(payload, model)
  local parameters = payload.parameters
  local text = model
  if not ROUTES[text] then
    text = string.gsub(string.gsub(model, "^/+", ""), "^dream%-machine/", "")
    text = string.gsub(text, "^v1/", "")
  end
  if PATHS[text] then return path_route(text, parameters) end
  if ROUTES[text] then
    if parameters.model ~= nil and parameters.model ~= text then
      return refusal("parameters.model", "contradicts model: give one or the other")
    end
    return ROUTES[text]
  end
  local route, problem = action_route(text, parameters)
  if route or problem then return route, problem end
  return refusal("model", "is not a model of Luma, nor a path of its API", MODEL_IDS)
end

return luma_route
