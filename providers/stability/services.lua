-- services.lua - Stability's services and models: what each takes and what it costs.

local stability_fields = require "stability.fields"
local undescribed = require "stability.undescribed"

local stability_services = { TEXT_TO_IMAGE = "text-to-image", IMAGE_TO_IMAGE = "image-to-image" }

local TEXT_TO_IMAGE, IMAGE_TO_IMAGE = stability_services.TEXT_TO_IMAGE, stability_services.IMAGE_TO_IMAGE

-- The services as the reference lists them: a star marks a required field. `with_image` and `without_image` are the fields
-- of a generate service in the modes image-to-image and text-to-image; a service with `edits` works on an image in any mode.
-- `inputs` and `ranges`: what a service takes otherwise than the others. Credits since 2025-08-01.
local SERVICES = {
  ["generate/ultra"] = {
    credits = 8, fields = "prompt* negative_prompt aspect_ratio seed output_format style_preset",
    with_image = "image* strength*",
  },
  ["generate/core"] = { credits = 3, fields = "prompt* negative_prompt aspect_ratio seed output_format style_preset" },
  ["generate/sd3"] = {
    fields = "prompt* negative_prompt cfg_scale seed output_format style_preset",
    with_image = "image* strength*", without_image = "aspect_ratio",
  },
  ["edit/erase"] = { credits = 5, edits = true, fields = "image* mask grow_mask seed output_format" },
  ["edit/inpaint"] = {
    credits = 5, edits = true, fields = "image* prompt* mask negative_prompt grow_mask style_preset seed output_format",
  },
  ["edit/outpaint"] = {
    credits = 4, edits = true, fields = "image* left right up down prompt creativity style_preset seed output_format",
    any_nonzero = { "left", "right", "up", "down" },
  },
  ["edit/search-and-replace"] = {
    credits = 5, edits = true,
    fields = "image* prompt* search_prompt* negative_prompt grow_mask style_preset seed output_format",
  },
  ["edit/search-and-recolor"] = {
    credits = 5, edits = true,
    fields = "image* prompt* select_prompt* negative_prompt grow_mask style_preset seed output_format",
  },
  ["edit/remove-background"] = {
    credits = 5, edits = true, fields = "image* output_format",
    inputs = { output_format = { type = "string", examples = { "png", "webp" }, x_decides = true } },
  },
  ["edit/replace-background-and-relight"] = {
    credits = 8, edits = true, any_of = { "background_prompt", "background_reference" },
    fields = "subject_image* background_prompt background_reference foreground_prompt negative_prompt "
      .. "preserve_original_subject original_background_depth keep_original_background light_source_direction "
      .. "light_reference light_source_strength seed output_format",
  },
  ["control/sketch"] = {
    credits = 5, edits = true, fields = "image* prompt* control_strength negative_prompt style_preset seed output_format",
  },
  ["control/structure"] = {
    credits = 5, edits = true, fields = "image* prompt* control_strength negative_prompt style_preset seed output_format",
  },
  ["control/style"] = {
    credits = 5, edits = true, fields = "image* prompt* aspect_ratio fidelity negative_prompt style_preset seed output_format",
  },
  ["control/style-transfer"] = {
    credits = 8, edits = true,
    fields = "init_image* style_image* prompt negative_prompt style_strength composition_fidelity change_strength seed "
      .. "output_format",
  },
  ["upscale/fast"] = { credits = 2, edits = true, fields = "image* output_format" },
  ["upscale/conservative"] = {
    credits = 40, edits = true, fields = "image* prompt* creativity negative_prompt seed output_format",
    inputs = { creativity = { type = "number", description = "from 0.2 to 0.5" } },
    ranges = { creativity = { 0.2, 0.5 } },
  },
  ["upscale/creative"] = {
    credits = 60, edits = true, fields = "image* prompt* creativity negative_prompt style_preset seed output_format",
    inputs = { creativity = { type = "number", description = "from 0.1 to 0.5" } },
    ranges = { creativity = { 0.1, 0.5 } },
  },
}

-- The models of generate/sd3. Flash is sold, but missing in the vendor's own list of values.
local SD3_CREDITS = { ["sd3.5-large"] = 6.5, ["sd3.5-large-turbo"] = 4, ["sd3.5-medium"] = 3.5, ["sd3.5-flash"] = 2.5 }
local SD3_VENDOR_DEFAULT = "sd3.5-large"

-- Short names that the vendor's products go by.
local MODEL_NAMES = {
  core = "generate/core", ultra = "generate/ultra", sd3 = "generate/sd3",
  ["stable-image-core"] = "generate/core", ["stable-image-ultra"] = "generate/ultra",
}

--- The models, as clients are told of them, and those that take an image.
stability_services.MODELS = {
  "core", "ultra", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash",
  "stable-image/edit/erase", "stable-image/edit/inpaint", "stable-image/edit/outpaint",
  "stable-image/edit/search-and-replace", "stable-image/edit/search-and-recolor", "stable-image/edit/remove-background",
  "stable-image/edit/replace-background-and-relight",
  "stable-image/control/sketch", "stable-image/control/structure", "stable-image/control/style",
  "stable-image/control/style-transfer",
  "stable-image/upscale/fast", "stable-image/upscale/conservative", "stable-image/upscale/creative",
}
local SD3_MODELS = { "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash" }
stability_services.MODELS_WITH_IMAGE = { "ultra", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash" }

--- Where a client has a field of a service.
function stability_services.usual_path(name)
  if name == "image" or name == "subject_image" or name == "init_image" then return "init_image" end
  return name == "prompt" and name or "parameters." .. name
end

-- A service's fields as a list of { name =, names = those of ours for it, required =, words = of JSON Schema, range = }, with
-- their positions by any of the names, each of which means one field (check.present), and a set `required` of names.
local function list_fields(text, inputs, ranges)
  local fields = { by_name = {}, required = {} }
  for name, star in string.gmatch(text, "([%w_]+)(%*?)") do
    fields[#fields + 1] = {
      name = name, names = stability_fields.ALIASES[name] or { name }, required = star == "*",
      words = inputs and inputs[name] or stability_fields.FIELDS[name],
      range = ranges and ranges[name] or stability_fields.RANGES[name],
    }
    for _, alias in ipairs(fields[#fields].names) do
      assert(not fields.by_name[alias], alias)
      fields.by_name[alias] = #fields
    end
    if star == "*" then fields.required[fields[#fields].names[1]] = true end
  end
  return fields
end

for _, service in pairs(SERVICES) do
  service.fields_of_mode = {
    [TEXT_TO_IMAGE] = list_fields(service.fields .. " " .. (service.without_image or ""), service.inputs, service.ranges),
    [IMAGE_TO_IMAGE] = list_fields(service.fields .. " " .. (service.with_image or ""), service.inputs, service.ranges),
  }
  service.needs_prompt = string.find(service.fields, "%f[%w_]prompt%*") ~= nil
end

--- Credits of one image, by the names under which a model is asked for.
function stability_services.credits_per_image()
  local credits = { core = SERVICES["generate/core"].credits, ultra = SERVICES["generate/ultra"].credits }
  for model, price in pairs(SD3_CREDITS) do credits[model] = price end
  for path, service in pairs(SERVICES) do
    if service.edits then credits["stable-image/" .. path] = service.credits end
  end
  return credits
end

local function without_root(name)
  if SD3_CREDITS[name] or MODEL_NAMES[name] then return name end
  return (string.gsub(string.gsub(name, "^/?v2beta/", ""), "^/?stable%-image/", ""))
end

--- The path of a service that is not described here, if that is what a model's name means; else nil.
function stability_services.undescribed_path(model)
  local name = without_root(model)
  return not SERVICES[name] and undescribed.path(name) or nil
end

--- Which service a model name means, and which model of generate/sd3 if it names one: service, its path, sd3 model; or nil.
function stability_services.find(model)
  local usual = MODEL_NAMES[model]
  if usual then return SERVICES[usual], usual end
  local name = without_root(model)
  if SD3_CREDITS[name] then return SERVICES["generate/sd3"], "generate/sd3", name end
  local path = MODEL_NAMES[name] or name
  return SERVICES[path], path
end

--- Where the client named the model.
function stability_services.model_path(payload)
  return payload.parameters.model == payload.model and "parameters.model" or "model"
end

--- The service that a payload asks for, as `find`, or nil and a refusal. The vendor's own field `model`
-- (parameters.model) picks the model of generate/sd3.
function stability_services.of(payload)
  local service, path, sd3_model = stability_services.find(payload.model)
  if not service then
    local message = "Stability has no model '" .. payload.model .. "'"
    if string.find(payload.model, "video", 1, true) then message = stability_fields.NO_VIDEO end
    return nil, { field = stability_services.model_path(payload), message = message, allowed = stability_services.MODELS }
  end
  local own = payload.parameters.model
  local is_sd3 = path == "generate/sd3"
  if own and own ~= payload.model and (not is_sd3 or sd3_model or not SD3_CREDITS[own]) then
    local message = "does not go with the model " .. payload.model
    return nil, { field = "parameters.model", message = message, allowed = is_sd3 and not sd3_model and SD3_MODELS or nil }
  end
  if is_sd3 then sd3_model = sd3_model or own and SD3_CREDITS[own] and own or SD3_VENDOR_DEFAULT end
  return service, path, sd3_model
end

--- The price of one image in credits, or nil and the refusal.
function stability_services.credits_of(payload)
  local service, refusal_or_path, sd3_model = stability_services.of(payload)
  if not service then return nil, refusal_or_path end
  return sd3_model and SD3_CREDITS[sd3_model] or service.credits
end

return stability_services
