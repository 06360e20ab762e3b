-- products.lua - what Runway makes beside its models' endpoints: routers, recipes, workflows, avatars, uploads.
--
-- From the types of the vendor's own client, checked 2026-11-23. Their bodies are the vendor's own: `parameters` go out as they
-- are, and only what has one meaning everywhere (a prompt, a length) is translated, where the product has a place for it.
-- No price of theirs is published: the task's estimatedCost tells.

local check = require "check"
local cjson = require "cjson"
local given = require "given"
local names = require "names"
local plans = require "plan"
local specs = require "runway.specs"
local undescribed = require "runway.undescribed"
local url_parts = require "url_parts"
local video_request = require "video_request"

local runway_products = {}

local words = names.words

-- `answer`: "task" as the models' endpoints, "invocation" (of a workflow), or "object" (there at once). `names`: where what is
-- common goes, into the field `input` if there is one. `body`: what the vendor wants said that can be nothing else.
local function generate(own)
  own.answer, own.input, own.fields, own.required = "task", "input", words "configId input", { "configId" }
  return own
end

local function recipe(fields, required, own_names)
  required[#required + 1] = "version"
  own_names.duration_seconds = string.find(fields, "duration", 1, true) and "duration" or nil
  return { answer = "task", fields = words(fields .. " version"), required = required, names = own_names }
end

local PRODUCTS = {
  ["generate/video"] = generate { names = {
    prompt = "promptText", duration_seconds = "duration", aspect_ratio = "aspectRatio", resolution = "resolution", seed = "seed",
    negative_prompt = "negativePrompt",
  } },
  ["generate/image"] = generate { names = {
    prompt = "promptText", aspect_ratio = "aspectRatio", resolution = "resolution", seed = "seed", samples = "outputCount",
  } },
  ["generate/audio"] = generate { names = { prompt = "promptText", duration_seconds = "duration" } },
  ["recipes/ad_localization"] = recipe("referenceImage targetLanguage", { "referenceImage", "targetLanguage" }, {}),
  ["recipes/marketing_stock_image"] = recipe("prompt outputCount quality referenceImage", { "prompt" },
    { prompt = "prompt", samples = "outputCount" }),
  ["recipes/multi_shot_video"] = recipe("mode prompt shots audio duration firstFrame ratio", { "mode" }, { prompt = "prompt" }),
  ["recipes/product_ad"] = recipe("productImages audio duration productInfo ratio styleImages userConcept",
    { "productImages" }, {}),
  ["recipes/product_campaign_image"] = recipe("image prompt", { "image", "prompt" }, { prompt = "prompt" }),
  ["recipes/product_swap"] = recipe("newProductImages originalProductImage referenceVideo audio duration resolution",
    { "newProductImages", "originalProductImage", "referenceVideo" }, {}),
  ["recipes/product_ugc"] = recipe("characterImage productImage audio duration productInfo ratio userConcept",
    { "characterImage", "productImage" }, {}),
  ["routers"] = { answer = "object", fields = words "slug description name settings", required = { "slug" }, names = {} },
  ["avatars"] = {
    answer = "object", fields = words "name personality referenceImage voice documentIds imageProcessing startScript",
    required = { "name", "personality", "referenceImage", "voice" }, names = {},
  },
  ["realtime_sessions"] = {
    answer = "object", fields = words "avatar model integration livekit maxDuration personality startScript tools",
    required = { "avatar", "model" }, names = {},
  },
  ["uploads"] = {
    answer = "object", fields = words "filename type", required = { "filename" }, names = {}, body = { type = "ephemeral" },
  },
}
local WORKFLOW = { answer = "invocation", fields = words "nodeOutputs", required = {}, names = {} }

-- A path that nobody describes: what the user wrote goes there.
local UNKNOWN = { answer = "guess", fields = {}, required = {}, names = {}, unknown = true }

--- For clients.
runway_products.NAMES = names.sorted(PRODUCTS)
runway_products.NAMES[#runway_products.NAMES + 1] = "workflows/{id}"

local MAX_PATH_BYTES = 200

local FAMILIES = words "generate recipes workflows"

local MAKES = {
  ["generate/image"] = "image", ["recipes/ad_localization"] = "image", ["recipes/marketing_stock_image"] = "image",
  ["recipes/product_campaign_image"] = "image", ["generate/audio"] = "audio",
}

-- What comes out of a product; nil where there is no telling.
local function makes_of(path)
  return MAKES[path] or (PRODUCTS[path] and PRODUCTS[path].answer == "task" and "video") or nil
end

--- A product of NAMES: its fields, names and required inputs, what it makes, and whether its path holds an id.
function runway_products.described(path)
  local product = check.copy(PRODUCTS[path] or WORKFLOW)
  product.path_id = PRODUCTS[path] == nil
  product.makes = product.answer == "object" and "json" or makes_of(path) or "video"
  product.kind = product.makes == "image" and "image" or "video"
  return product
end

local SPECS = {}
for path, product in pairs(PRODUCTS) do
  SPECS[path] = { id = path, key = path, operation = path, product = product, fields = product.fields, makes = makes_of(path) }
end

--- Whether a path is one of a product, or of a family of them.
function runway_products.is_path(path)
  return SPECS[path] ~= nil or FAMILIES[string.match(path, "^([^/]+)/") or ""] == true
end

--- The names of parameters that a product has itself (runway_route.own_names).
function runway_products.own_names(path)
  if SPECS[path] then return SPECS[path].fields end
  return string.find(path, "^workflows/[^/]+$") and WORKFLOW.fields or true
end

--- Whether a text is a path of an API: each part of it is a name.
function runway_products.is_place(path)
  if #path > MAX_PATH_BYTES then return false end
  for part in string.gmatch(path .. "/", "([^/]*)/") do
    if not url_parts.is_name(part) then return false end
  end
  return true
end

-- A path of the vendor's that we do not know.
local function unknown_path(path, payload)
  if not runway_products.is_place(path) then check.fail(given.path(payload, "model"), "is not a path of Runway's API") end
  return { id = path, key = path, operation = path, product = UNKNOWN, fields = UNKNOWN.fields }
end

--- The product that a path means, as a spec; nil and a refusal. {id} is in parameters.id.
function runway_products.find(path, payload)
  if SPECS[path] then return SPECS[path] end
  local id = string.match(path, "^workflows/([^/]+)$")
  if not id then return unknown_path(path, payload) end
  local field = given.path(payload, "model")
  if id == "{id}" then id, field = payload.parameters.id, "parameters.id" end
  if type(id) ~= "string" then return nil, { field = field, message = "is needed: which workflow?" } end
  if not url_parts.is_name(id) then check.fail(field, "must be the id of a workflow") end
  local operation = "workflows/" .. url_parts.segment(id)
  return { id = path, operation = operation, product = WORKFLOW, fields = WORKFLOW.fields, path_id = id }
end

-- What is read from the top of the payload, or names the product.
local READ_AT_TOP = words "aspect_ratio duration duration_seconds multi_prompt prompt promptText prompts"

-- A common value: to its place, or refused.
local function add_common(plan, spec, target, name, value, field)
  if value == nil then return end
  local own = spec.product.names[name]
  if own then return given.put(plan, target, own, value, field) end
  plans.refuse(plan, field, spec.id .. " has no place for it: give what it needs in parameters, in the vendor's own words")
end

local function is_object(value)
  return type(value) == "table" and not cjson.is_array(value)
end

local function add_parameter(plan, spec, target, name, value, known)
  local field = "parameters." .. name
  if name == "input" and spec.product.input then
    if not is_object(value) then plans.refuse(plan, field, "must be an object") end
  elseif spec.fields[name] then
    given.put(plan, plan.body, name, value, field)
  elseif spec.product.names[name] then
    given.put(plan, target, spec.product.names[name], value, field)
  elseif video_request.PREFERENCES[name] then
    plans.warn(plan, field, spec.id .. " has no such setting: left out")
  elseif known[name] or specs.COSTS[name] then
    plans.refuse(plan, field, spec.id .. " has no place for it: give what it needs in the vendor's own words")
  else
    plan.body[name] = value
    plans.send_unknown(plan, field, "is not in the vendor's contract as we know it: sent as given")
  end
end

local function add_parameters(plan, payload, spec, target, known)
  local parameters = payload.parameters
  for _, name in ipairs(names.sorted(parameters)) do
    local is_path = (name == "model" and parameters.model == payload.model) or (name == "id" and parameters.id == spec.path_id)
    if name == "model" and not spec.fields.model and not is_path then
      plans.refuse(plan, "parameters.model", spec.id .. " takes no model: it chooses by itself")
    elseif not READ_AT_TOP[name] and (not is_path or spec.fields[name]) then
      add_parameter(plan, spec, target, name, parameters[name], known)
    end
  end
end

--- Builds the body of a product into a plan. `known`: the names that have a meaning of ours.
function runway_products.build(plan, payload, spec, known)
  local product, parameters = spec.product, payload.parameters
  if product.unknown then return undescribed.build_path(plan, payload, spec, check.copy(parameters)) end
  plan.spec, plan.body = spec, check.copy(product.body or {})
  local target = plan.body
  if product.input then
    target = is_object(parameters.input) and check.copy(parameters.input) or {}
    plan.body.input = target
  end
  for name in pairs(product.body or {}) do
    if parameters[name] ~= nil then plan.body[name] = nil end
  end
  local text, count = video_request.joined_prompt(payload, {})
  add_common(plan, spec, target, "prompt", text, "prompt")
  if count > 1 then plans.note(plan, "Runway takes one text: the prompts are joined, one a line") end
  add_common(plan, spec, target, "duration_seconds", payload.duration_seconds, "duration_seconds")
  add_common(plan, spec, target, "aspect_ratio", payload.aspect_ratio, "aspect_ratio")
  add_common(plan, spec, target, "storyboard", payload.storyboard, "storyboard")
  add_parameters(plan, payload, spec, target, known)
  for _, name in ipairs(product.required) do
    local field = name == "prompt" and name or "parameters." .. name
    if plan.body[name] == nil then plans.refuse(plan, field, spec.id .. " needs it") end
  end
  for _, name in ipairs(payload.ignored or {}) do
    if spec.fields[name] then
      plans.refuse(plan, name, "belongs in parameters")
    else
      plans.warn(plan, name, "is not understood: left out")
    end
  end
end

return runway_products
