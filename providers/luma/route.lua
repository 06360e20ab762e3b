-- route.lua - which API, path and kind of generation a request to Luma means (models.lua).

local check = require "check"
local luma_models = require "luma.models"
local names = require "names"
local row_values = require "row_values"
local url_parts = require "url_parts"

local luma_route = { DEFAULT_MODEL = "ray-2", DEFAULT_IMAGE_MODEL = "photon-1" }

local DEFAULT_MODEL, DEFAULT_IMAGE_MODEL = luma_route.DEFAULT_MODEL, luma_route.DEFAULT_IMAGE_MODEL

local KINDS, ROWS, MODEL_IDS = luma_models.KINDS, luma_models.ROWS, luma_models.MODEL_IDS
local PATHS, ACTIONS = luma_models.PATHS, luma_models.ACTIONS
local IS_MODEL = names.set(MODEL_IDS)
local MAX_PATH_BYTES = 200

local function refusal(field, message, allowed)
  return nil, { field = field, message = message, allowed = allowed }
end

-- The inputs of a kind, as values are held against them.
local SCHEMAS = {}
for name, kind in pairs(KINDS) do
  SCHEMAS[name] = {}
  for input, words in pairs(kind.inputs) do SCHEMAS[name][input] = row_values.ready(words) end
  for input, words in pairs(kind.nested_inputs or {}) do SCHEMAS[name][input] = row_values.ready(words) end
end

-- Of each kind, what body.lua looks up: which resolutions it makes, and which lengths, which the vendor writes as "5s".
local MAKES_RESOLUTION, TEXT_OF_SECONDS = {}, {}
for name, kind in pairs(KINDS) do
  MAKES_RESOLUTION[name], TEXT_OF_SECONDS[name] = names.set(kind.resolutions or {}), {}
  for _, seconds in ipairs(kind.seconds or {}) do TEXT_OF_SECONDS[name][seconds] = seconds .. "s" end
end

local function make_route(kind_name, api, path, model)
  local route = check.copy(KINDS[kind_name])
  route.makes_resolution, route.text_of_seconds = MAKES_RESOLUTION[kind_name], TEXT_OF_SECONDS[kind_name]
  route.kind, route.api, route.path, route.model = kind_name, api, path, model
  route.row, route.schemas, route.id = ROWS[model or ""], SCHEMAS[kind_name], model or path
  return route
end

-- A path or a model that nobody describes. `makes`: what is assumed to come out, where that has to be said.
local function unknown_route(api, path, model, makes)
  return { kind = "undescribed", api = api, path = path, model = model, id = model or path, makes_probably = makes, fields = {} }
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
  route.generation_id, route.row = id, ROWS["generations/{id}/" .. action]
  return route
end

-- The routes of the models that are named by themselves.
local ROUTES = {}
for _, id in ipairs(MODEL_IDS) do
  local row = ROWS[id]
  ROUTES[id] = make_route(row.generation, row.api, "/generations" .. (row.api == "dream_machine" and "/" .. row.makes or ""), id)
end

-- The models that a path of Dream Machine takes.
local function models_that_make(what)
  local ids = {}
  for _, id in ipairs(MODEL_IDS) do
    if ROWS[id].api == "dream_machine" and ROWS[id].makes == what then ids[#ids + 1] = id end
  end
  return ids
end

local function path_route(text, parameters)
  local kind = PATHS[text]
  local model = parameters.model
  local row = ROWS[model or ""]
  if text == "generations" and row and row.api == "agents" then return ROUTES[model] end
  local makes = KINDS[kind].makes
  model = model or (makes == "image" and DEFAULT_IMAGE_MODEL or DEFAULT_MODEL)
  if not IS_MODEL[model] then
    local route = unknown_route("dream_machine", "/" .. text, model)
    route.makes = makes
    return route
  end
  if ROWS[model].api ~= "dream_machine" or ROWS[model].makes ~= makes then
    return refusal("parameters.model", "is not a model that this path takes", models_that_make(makes))
  end
  return make_route(kind, "dream_machine", "/" .. text, model)
end

--- A model as the vendor's docs write its path, without what stands before it.
function luma_route.plain(model)
  if ROUTES[model] then return model end
  local text = string.gsub(string.gsub(model, "^/+", ""), "^dream%-machine/", "")
  return (string.gsub(text, "^v1/", ""))
end

-- Which API has a model that nobody describes: Dream Machine those that are called as its own, the newer one all others.
local function is_of_dream_machine(id)
  return string.find(id, "^ray%-[12]") ~= nil or string.find(id, "^ray%-flash") ~= nil or string.find(id, "^photon") ~= nil
end

--- The API that a model, or a path, is of.
function luma_route.api_of(model)
  local text = luma_route.plain(model)
  if ROUTES[text] then return ROUTES[text].api end
  local is_path = string.find(text, "/", 1, true) or PATHS[text]
  return (is_path or is_of_dream_machine(text)) and "dream_machine" or "agents"
end

local function unknown_model(id, mode)
  local makes = mode == "image" and "image" or "video"
  if is_of_dream_machine(id) then
    makes = string.find(id, "^photon") and "image" or "video"
    local route = unknown_route("dream_machine", "/generations/" .. makes, id, makes)
    route.makes = makes
    return route
  end
  return unknown_route("agents", "/generations", id, makes)
end

local function unknown_path(text, parameters)
  if #text > MAX_PATH_BYTES then check.fail("model", "is too long for a path of Luma's API") end
  for part in string.gmatch(text .. "/", "([^/]*)/") do
    if not url_parts.is_name(part) then check.fail("model", "is not a path of Luma's API") end
  end
  return unknown_route("dream_machine", "/" .. text, parameters.model)
end

--- Whether nobody describes what this model, or path, takes. `beside`: a model that is named among the parameters.
function luma_route.is_unknown(model, beside)
  local text = luma_route.plain(model)
  if PATHS[text] then return type(beside) == "string" and beside ~= model and not IS_MODEL[beside] end
  if ROUTES[text] then return false end
  local action = string.match(text, "^generations/[^/]+/(%a+)$")
  return not (action and ACTIONS[action])
end

--- Where a request with this model goes, and what may be said there; nil and a refusal. A route is not to be changed.
function luma_route.find(payload, model)
  local parameters, text = payload.parameters, luma_route.plain(model)
  if PATHS[text] then return path_route(text, parameters) end
  local named = parameters.model
  if ROUTES[text] then
    if named ~= nil and named ~= text then return refusal("parameters.model", "contradicts model: give one or the other") end
    return ROUTES[text]
  end
  local route, problem = action_route(text, parameters)
  if route or problem then return route, problem end
  if string.find(text, "/", 1, true) or text ~= model then return unknown_path(text, parameters) end
  if named ~= nil and named ~= text then return refusal("parameters.model", "contradicts model: give one or the other") end
  return unknown_model(text, payload.mode)
end

return luma_route
