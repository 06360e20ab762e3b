-- Stability AI: the Stable Image services of the v2beta REST API (generate, edit, control, upscale).
-- Reference: https://platform.stability.ai/docs/api-reference, checked 2026-11-23.
--
-- Every service takes a multipart form, also without a file, and makes one image per request. Most answer with the image
-- itself; two (creative upscale, replace background and relight) answer with an id that is asked for at /v2beta/results.
-- There are no webhooks, no way to cancel, no pixel sizes (an aspect ratio at most) and, since 2025-07-24, no video.

local check = require "check"
local base64 = require "base64"
local data_uri = require "data_uri"
local http_errors = require "http_errors"

local SERVICE_ROOT = "/v2beta/stable-image/"
local RESULTS_ROOT = "/v2beta/results/"

local TEXT_TO_IMAGE, IMAGE_TO_IMAGE = "text-to-image", "image-to-image"
local MODES = { TEXT_TO_IMAGE, IMAGE_TO_IMAGE }

local MAX_PROMPT_CHARACTERS = 10000
local MAX_IMAGE_BYTES = 10 * 1024 * 1024 -- of the whole body
local SUBMIT_TIMEOUT_SECONDS = 180
local POLL_INTERVAL_SECONDS = 10         -- the vendor asks for no more than one poll in this time
local LOCK_OUT_SECONDS = 60              -- after a 429, which comes without Retry-After

-- The vendor requires a strength with an image and has no default of its own.
local DEFAULT_STRENGTH = 0.5

local IMAGE_TYPES = { "image/jpeg", "image/png", "image/webp" }
local OUTPUT_FORMATS = { "png", "jpeg", "webp" }
local ASPECT_RATIOS = { "16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21" }
local STYLE_PRESETS = {
  "enhance", "anime", "photographic", "digital-art", "comic-book", "fantasy-art", "line-art", "analog-film", "neon-punk",
  "isometric", "low-poly", "origami", "modeling-compound", "cinematic", "3d-model", "pixel-art", "tile-texture",
}

-- Every field of the services: its kind, what it may hold, and whether it decides what is made. A deciding value that
-- the chosen service cannot take stops the request; any other is left out with a warning.
local FIELDS = {
  prompt = { kind = "text" },
  negative_prompt = { kind = "text" },
  search_prompt = { kind = "text", decides = true },
  select_prompt = { kind = "text", decides = true },
  background_prompt = { kind = "text", decides = true },
  foreground_prompt = { kind = "text", decides = true },
  aspect_ratio = { kind = "choice", values = ASPECT_RATIOS, decides = true },
  output_format = { kind = "choice", values = OUTPUT_FORMATS, decides = true },
  style_preset = { kind = "choice", values = STYLE_PRESETS },
  light_source_direction = { kind = "choice", values = { "left", "right", "above", "below" } },
  seed = { kind = "integer", min = 0, max = 4294967294 },
  cfg_scale = { kind = "number", min = 1, max = 10 },
  strength = { kind = "number", min = 0, max = 1 },
  control_strength = { kind = "number", min = 0, max = 1 },
  fidelity = { kind = "number", min = 0, max = 1 },
  creativity = { kind = "number" },
  style_strength = { kind = "number" },
  composition_fidelity = { kind = "number" },
  change_strength = { kind = "number" },
  preserve_original_subject = { kind = "number" },
  original_background_depth = { kind = "number" },
  light_source_strength = { kind = "number" },
  keep_original_background = { kind = "boolean" },
  grow_mask = { kind = "integer", min = 0 },
  left = { kind = "integer", min = 0, max = 2000, decides = true },
  right = { kind = "integer", min = 0, max = 2000, decides = true },
  up = { kind = "integer", min = 0, max = 2000, decides = true },
  down = { kind = "integer", min = 0, max = 2000, decides = true },
  image = { kind = "image", decides = true },
  init_image = { kind = "image", decides = true },
  mask = { kind = "image", decides = true },
  style_image = { kind = "image", decides = true },
  subject_image = { kind = "image", decides = true },
  background_reference = { kind = "image", decides = true },
  light_reference = { kind = "image", decides = true },
}

-- Names of ours for a field of the vendor, in the order of preference.
local ALIASES = {
  image = { "init_image", "image" },
  init_image = { "init_image", "image" },
  subject_image = { "subject_image", "init_image", "image" },
  background_prompt = { "background_prompt", "prompt" },
  cfg_scale = { "cfg_scale", "guidance_scale" },
  style_preset = { "style_preset", "style" },
}

-- The kinds of parameters that are no field of the vendor under this name: aliases, and what it cannot express.
local OTHER_KINDS = {
  guidance_scale = "number", style = "choice", steps = "integer", fps = "number", width = "integer", height = "integer",
  resolution = "text", size = "text", image_size = "text", duration = "number", duration_seconds = "number",
}

local SAMPLE_NAMES = { "samples", "images", "num_images", "n" }

-- Common parameters that decide what is made and that no service has, with what to do instead.
local NO_PIXELS = "Stability takes no pixel size; give aspect_ratio, one of " .. table.concat(ASPECT_RATIOS, ", ")
local NO_REFERENCE = "Stability takes no such reference; the models control/style and control/style-transfer take an image"
local NO_VIDEO = "Stability makes still images only; its video service ended on 2025-07-24"
local INEXPRESSIBLE = {
  width = NO_PIXELS, height = NO_PIXELS, resolution = NO_PIXELS, size = NO_PIXELS, image_size = NO_PIXELS,
  reference = NO_REFERENCE, reference_image = NO_REFERENCE, reference_images = NO_REFERENCE,
  reference_frames = NO_REFERENCE, storyboard = NO_REFERENCE,
  duration = NO_VIDEO, duration_seconds = NO_VIDEO,
}

-- The services as the reference lists them: a star marks a required field. `with_image` and `without_image` are the fields
-- of a generate service in the modes image-to-image and text-to-image; a service with `edits` works on an image in any mode.
-- Credits since 2025-08-01.
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
    credits = 5, edits = true, fields = "image* output_format", output_formats = { "png", "webp" },
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
    limits = { creativity = { min = 0.2, max = 0.5 } },
  },
  ["upscale/creative"] = {
    credits = 60, edits = true, fields = "image* prompt* creativity negative_prompt style_preset seed output_format",
    limits = { creativity = { min = 0.1, max = 0.5 } },
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

-- The cheapest that the vendor lists, per mode.
local DEFAULT_MODELS = { [TEXT_TO_IMAGE] = "core", [IMAGE_TO_IMAGE] = "sd3.5-medium" }

local MODELS = {
  "core", "ultra", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash",
  "stable-image/edit/erase", "stable-image/edit/inpaint", "stable-image/edit/outpaint",
  "stable-image/edit/search-and-replace", "stable-image/edit/search-and-recolor", "stable-image/edit/remove-background",
  "stable-image/edit/replace-background-and-relight",
  "stable-image/control/sketch", "stable-image/control/structure", "stable-image/control/style",
  "stable-image/control/style-transfer",
  "stable-image/upscale/fast", "stable-image/upscale/conservative", "stable-image/upscale/creative",
}
local SD3_MODELS = { "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash" }
local MODELS_WITH_IMAGE = { "ultra", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash" }

local capabilities = {
  modes = MODES,
  features = { "negative_prompt", "image_to_image", "safety_settings", "style_presets" },
  max_resolution = "2048x2048",
  models = MODELS,
  default_models = DEFAULT_MODELS,
  aspect_ratios = ASPECT_RATIOS,
  output_formats = OUTPUT_FORMATS,
  style_presets = STYLE_PRESETS,
  max_samples = 1,
  max_body_bytes = MAX_IMAGE_BYTES,
  image_content_types = IMAGE_TYPES,
}

-- Credits of one image, by the names under which a model is asked for.
local function credits_per_image()
  local credits = { core = SERVICES["generate/core"].credits, ultra = SERVICES["generate/ultra"].credits }
  for model, price in pairs(SD3_CREDITS) do credits[model] = price end
  for path, service in pairs(SERVICES) do
    if service.edits then credits["stable-image/" .. path] = service.credits end
  end
  return credits
end

local pricing = {
  as_of = "2026-11-23", source = "https://platform.stability.ai/pricing",
  plan = "pay-as-you-go", unit = "credit", unit_cost_usd = 0.01, credits_per_image = credits_per_image(),
}

-- Which service a model name means, and which model of generate/sd3 if it names one: service, its path, sd3 model; or nil.
local function find_service(model)
  local name = string.gsub(model, "^/?v2beta/", "")
  name = string.gsub(name, "^/?stable%-image/", "")
  if SD3_CREDITS[name] then return SERVICES["generate/sd3"], "generate/sd3", name end
  local path = MODEL_NAMES[name] or name
  return SERVICES[path], path
end

-- Where the client named the model.
local function model_path(payload)
  return payload.parameters.model == payload.model and "parameters.model" or "model"
end

-- The service that a payload asks for, as find_service, or nil and a refusal. The vendor's own field `model`
-- (parameters.model) picks the model of generate/sd3.
local function service_of(payload)
  local service, path, sd3_model = find_service(payload.model)
  if not service then
    local message = "Stability has no model '" .. payload.model .. "'"
    if string.find(payload.model, "video", 1, true) then message = NO_VIDEO end
    return nil, { field = model_path(payload), message = message, allowed = MODELS }
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

-- The fields of a service in a mode, as a list of { name =, required = }.
local function fields_of(service, mode)
  local text = service.fields
  local by_mode = mode == IMAGE_TO_IMAGE and service.with_image or mode == TEXT_TO_IMAGE and service.without_image
  if by_mode then text = text .. " " .. by_mode end
  local fields = {}
  for name, star in string.gmatch(text, "([%w_]+)(%*?)") do fields[#fields + 1] = { name = name, required = star == "*" } end
  return fields
end

local function needs_prompt(service)
  for _, field in ipairs(fields_of(service, nil)) do
    if field.name == "prompt" then return field.required end
  end
  return false
end

local READERS = {
  text = function(reader, name) return reader:text(name, { blank = "absent" }) end,
  choice = function(reader, name) return reader:text(name, { blank = "absent", lower = true }) end,
  number = function(reader, name) return reader:number(name) end,
  integer = function(reader, name) return reader:integer(name, { wide = true }) end,
  boolean = function(reader, name) return reader:boolean(name) end,
  -- Untouched: it may be megabytes.
  image = function(reader, name) return reader:text(name, { trim = false, blank = "absent" }) end,
}

-- Sorted, so that of several wrong fields it is always the same one that is named.
local TYPED_NAMES = {}
for name in pairs(FIELDS) do TYPED_NAMES[#TYPED_NAMES + 1] = name end
for name in pairs(OTHER_KINDS) do TYPED_NAMES[#TYPED_NAMES + 1] = name end
table.sort(TYPED_NAMES)

-- The known fields of an object with their JSON types checked, written into `target`.
local function read_fields(reader, target)
  for _, name in ipairs(TYPED_NAMES) do
    local kind = FIELDS[name] and FIELDS[name].kind or OTHER_KINDS[name]
    target[name] = READERS[kind](reader, name)
  end
end

local function read_samples(parameters, request)
  for _, reader in ipairs { parameters, request } do
    for _, name in ipairs(SAMPLE_NAMES) do
      local samples = reader:integer(name, { min = 1, zero = "absent" })
      if samples then return samples end
    end
  end
  return 1
end

local function read_mode(request, parameters)
  local options = { lower = true, blank = "absent" }
  return request:choice({ "mode", "operation" }, MODES, options) or parameters:choice("mode", MODES, options)
end

local function read_model(reader)
  return reader:text("model", { lower = true, blank = "absent", max = 200 })
end

local function has_image(payload)
  for _, name in ipairs(ALIASES.image) do
    if check.is_given(payload[name]) or check.is_given(payload.parameters[name]) then return true end
  end
  return false
end

local UNDERSTOOD_AT_TOP = { mode = true, operation = true, model = true, parameters = true, safety = true }

-- The names at the top of the request that nothing here reads. Only names: a value might be a credential.
local function unread_names(request)
  local names = {}
  for name in pairs(request) do
    local is_known = UNDERSTOOD_AT_TOP[name] or FIELDS[name] or OTHER_KINDS[name] or INEXPRESSIBLE[name]
    if not is_known and not check.in_list(name, SAMPLE_NAMES) then names[#names + 1] = tostring(name) end
  end
  table.sort(names)
  return names[1] and names or nil
end

local function read_payload(request, reader, parameters)
  local payload = { parameters = check.copy(parameters.object), safety = reader:object_of("safety") }
  payload.mode = read_mode(reader, parameters)
  read_fields(parameters, payload.parameters)
  read_fields(reader, payload)
  for name in pairs(INEXPRESSIBLE) do
    if not OTHER_KINDS[name] and check.is_given(request[name]) then payload[name] = request[name] end
  end
  if not payload.init_image or payload.init_image == payload.image then
    payload.init_image, payload.image = payload.init_image or payload.image, nil
  end
  payload.parameters.samples = read_samples(parameters, reader)
  payload.ignored = unread_names(request)
  return payload
end

-- The price of one image in credits, or nil and the refusal.
local function credits_of(payload)
  local service, refusal_or_path, sd3_model = service_of(payload)
  if not service then return nil, refusal_or_path end
  return sd3_model and SD3_CREDITS[sd3_model] or service.credits
end

-- Numbers travel as text: 7 and 7.0 as "7", 0.3 as "0.3".
local function number_text(value)
  local integer = math.tointeger(value)
  return integer and tostring(integer) or string.format("%.14g", value)
end

local function out_of_range(value, limits)
  if type(value) == "userdata" then return true end -- an integer above 2^63-1
  return limits.min and value < limits.min or limits.max and value > limits.max
end

local function range_text(limits)
  if not limits.max then return "must be at least " .. number_text(limits.min) end
  return "must be from " .. number_text(limits.min) .. " to " .. number_text(limits.max)
end

local function number_part(name, entry, service)
  local limits = service.limits and service.limits[name] or FIELDS[name]
  if out_of_range(entry.value, limits) then return nil, { field = entry.path, message = range_text(limits) } end
  return { name = name, value = number_text(entry.value) }
end

local function image_part(name, entry)
  local function refuse(message, allowed) return nil, { field = entry.path, message = message, allowed = allowed } end
  local text = data_uri.is(entry.value) and entry.value or data_uri.of_image(entry.value)
  if not text then return refuse("must be the image itself, as a data URI: Stability fetches no addresses") end
  local parsed, problem = data_uri.parse(text)
  if not parsed then return refuse(problem) end
  if not check.in_list(parsed.content_type, IMAGE_TYPES) then
    return refuse("must be a JPEG, PNG or WebP image, not " .. parsed.content_type, IMAGE_TYPES)
  end
  if not parsed.base64 or parsed.bytes == 0 then return refuse("must hold the image in base64") end
  if parsed.bytes > MAX_IMAGE_BYTES then return refuse("must be at most 10 MiB") end
  local part = data_uri.form_part(name, text)
  return part, nil, parsed.bytes
end

-- Each makes a form part of a value, or nil and a refusal, or nil and a warning (third result `true`).
local PARTS = {
  text = function(name, entry)
    if (utf8.len(entry.value) or #entry.value) > MAX_PROMPT_CHARACTERS then
      return nil, { field = entry.path, message = "must be at most " .. MAX_PROMPT_CHARACTERS .. " characters long" }
    end
    return { name = name, value = entry.value }
  end,
  choice = function(name, entry, service)
    local field = FIELDS[name]
    local values = name == "output_format" and service.output_formats or field.values
    if check.in_list(entry.value, values) then return { name = name, value = entry.value } end
    local message = "must be one of " .. table.concat(values, ", ")
    return nil, { field = entry.path, message = message, allowed = values }, not field.decides
  end,
  boolean = function(name, entry) return { name = name, value = tostring(entry.value) } end,
  number = number_part, integer = number_part, image = image_part,
}

-- Everything that the client gave, as a list of { name =, value =, path = }: the top of the request, then parameters.
local NOT_FIELDS = { mode = true, model = true, parameters = true, ignored = true }
local function given_values(payload)
  local function collect(object, prefix)
    local entries = {}
    for name, value in pairs(object) do
      if check.is_given(value) and not NOT_FIELDS[name] then
        entries[#entries + 1] = { name = name, value = value, path = prefix .. name }
      end
    end
    table.sort(entries, function(a, b) return a.name < b.name end)
    return entries
  end
  local values = collect(payload, "")
  for _, entry in ipairs(collect(payload.parameters, "parameters.")) do values[#values + 1] = entry end
  return values
end

-- The first value given for a field that nothing has taken yet.
local function take(values, field_name)
  for _, name in ipairs(ALIASES[field_name] or { field_name }) do
    for _, entry in ipairs(values) do
      if entry.name == name and not entry.taken then
        entry.taken = true
        return entry
      end
    end
  end
  return nil
end

-- The path under which a missing field is asked for.
local function usual_path(name)
  if name == "image" or name == "subject_image" or name == "init_image" then return "init_image" end
  return name == "prompt" and name or "parameters." .. name
end

-- The form of the service's own fields. Adds to `refusals`; returns the parts, and the parts by name.
local function build_form(service, mode, values, refusals, ctx)
  local form, by_name, image_bytes = {}, {}, 0
  local function refuse(refusal) refusals[#refusals + 1] = refusal end
  for _, field in ipairs(fields_of(service, mode)) do
    local entry = take(values, field.name)
    if entry then
      local part, problem, extra = PARTS[FIELDS[field.name].kind](field.name, entry, service)
      if part then
        form[#form + 1], by_name[field.name] = part, part
        image_bytes = image_bytes + (extra or 0)
      elseif extra then
        ctx.warn { field = problem.field, message = "left out: " .. problem.message }
      else
        refuse(problem)
        by_name[field.name] = problem
      end
    elseif field.required then
      refuse { field = usual_path(field.name), message = "is required by this model" }
    end
  end
  if image_bytes > MAX_IMAGE_BYTES then
    refuse { field = usual_path("image"), message = "the images must be at most 10 MiB together" }
  end
  return form, by_name
end

-- The rules of a service about several of its fields.
local function check_rules(service, by_name, refusals)
  local function refuse(field, message) refusals[#refusals + 1] = { field = usual_path(field), message = message } end
  if service.any_of then
    local first, second = service.any_of[1], service.any_of[2]
    if not by_name[first] and not by_name[second] then refuse(first, "is required by this model, or else " .. second) end
  end
  if service.any_nonzero then
    local is_zero = true
    for _, name in ipairs(service.any_nonzero) do
      local part = by_name[name]
      if part and part.value ~= "0" then is_zero = false end
    end
    if is_zero then refuse(service.any_nonzero[1], "one of " .. table.concat(service.any_nonzero, ", ") .. " must be above 0") end
  end
end

-- What was given and has no place in the form: refused if it decides what is made, else left out with a warning.
local function check_leftovers(values, payload, model, refusals, ctx)
  for _, entry in ipairs(values) do
    local field = FIELDS[entry.name]
    if check.in_list(entry.name, SAMPLE_NAMES) then
      if tonumber(entry.value) ~= 1 and entry.path == "parameters.samples" then
        local message = "Stability makes one image per request; send one request for each"
        refusals[#refusals + 1] = { field = entry.path, message = message, allowed = { 1 } }
      end
    elseif not entry.taken and INEXPRESSIBLE[entry.name] then
      refusals[#refusals + 1] = { field = entry.path, message = INEXPRESSIBLE[entry.name] }
    elseif not entry.taken and field and field.decides then
      local message = "has no place in the model " .. model .. " (mode " .. payload.mode .. ")"
      refusals[#refusals + 1] = { field = entry.path, message = message }
    elseif not entry.taken then
      ctx.warn { field = entry.path, message = "left out: the model " .. model .. " does not take it" }
    end
  end
  for _, name in ipairs(payload.ignored or {}) do
    ctx.warn { field = name, message = "left out: not a field of this provider" }
  end
end

-- The form of a payload, or nil and the refusals.
local function make_form(payload, service, path, sd3_model, ctx)
  if payload.mode == IMAGE_TO_IMAGE and not service.edits and not service.with_image then
    local message = "the model " .. payload.model .. " takes no image"
    return nil, { field = model_path(payload), message = message, allowed = MODELS_WITH_IMAGE }
  end
  local refusals, values = {}, given_values(payload)
  local form, by_name = build_form(service, payload.mode, values, refusals, ctx)
  check_rules(service, by_name, refusals)
  check_leftovers(values, payload, sd3_model or path, refusals, ctx)
  if refusals[1] then return nil, refusals end
  if sd3_model then
    form[#form + 1] = { name = "model", value = sd3_model }
    form[#form + 1] = { name = "mode", value = payload.mode }
  end
  return form, by_name
end

local function json_of(response)
  return type(response.json) == "table" and response.json or {}
end

local function text_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- What the vendor says with an error: both shapes, { name, errors = [...] } and v1's { name, message }.
local function vendor_text(body)
  if type(body.errors) ~= "table" then return body.message end
  local texts = {}
  for _, text in ipairs(body.errors) do
    if type(text) == "string" then texts[#texts + 1] = text end
  end
  return table.concat(texts, "; ")
end

local CODES = {
  bad_request = "invalid", unauthorized = "auth", payment_required = "credit", content_moderation = "moderation",
  public_figure = "moderation", invalid_language = "invalid", generation_not_found = "not_found",
  payload_too_large = "invalid", rate_limit_exceeded = "rate_limited", internal_error = "vendor",
}

-- The options of http_errors for an error answer. A generation that failed is not charged, says the price page; that holds
-- only where the vendor's own error object is there, not for an error of something in between.
local function error_options(response)
  local body = json_of(response)
  local options = { code = CODES[body.name], vendor_code = body.name, detail = vendor_text(body) }
  if body.name == "internal_error" then options.billed = false end
  if response.status == 429 then options.retry_after = LOCK_OUT_SECONDS end
  return options
end

local function failed(response, failure)
  return http_errors.result(response, failure, response and error_options(response))
end

-- "application/json; type=image/png" or "image/png" -> "image/png"
local function image_type_of(response, state)
  local header = string.sub(response.headers["content-type"] or "", 1, 200)
  local content_type = string.match(header, "type=%s*\"?(image/[%w.+-]+)") or string.match(header, "^(image/[%w.+-]+)")
  return content_type or "image/" .. (state.output_format or "png")
end

-- The image of a 200: in the JSON, or (asked for or not) as plain bytes with its facts in headers.
local function read_image(response)
  local body, headers = json_of(response), response.headers
  -- Asynchronous results say `result` where the others say `image`.
  local image, reason = text_or_nil(body.image) or text_or_nil(body.result), text_or_nil(body.finish_reason)
  if image or reason then return reason or "SUCCESS", image, check.is_given(body.seed) and body.seed or nil end
  if string.sub(headers["content-type"] or "", 1, 6) ~= "image/" then return nil end
  return headers["finish-reason"] or "SUCCESS", base64.encode(response.body), math.tointeger(tonumber(headers.seed))
end

-- The result of a 200 that carries an image.
local function finished(response, id, state)
  local reason, image, seed = read_image(response)
  if reason == "CONTENT_FILTERED" then
    -- The answer holds a blurred image; it is not what was asked for and is not passed on.
    local error = { code = "moderation", message = "the vendor's content filter blurred the image", vendor_code = reason }
    return { id = id, status = "error", state = state, error = error }
  end
  if reason ~= "SUCCESS" or not image then
    local error = { code = "vendor", message = "the vendor's answer holds no image", vendor_code = reason }
    return { id = id, status = "error", state = state, error = error }
  end
  local content_type = image_type_of(response, state)
  local filename = "stability." .. data_uri.extension(content_type)
  return {
    id = id, status = "done", progress = 1, state = state,
    artifacts = { { base64 = image, content_type = content_type, filename = filename, seed = seed } },
    cost = state.usd and { usd = state.usd, source = "computed" } or nil,
  }
end

-- The mode, if the client did not say it, follows from what was given: an image, or a service that works on one.
local function prepare(request)
  local reader = check.reader(request)
  local parameters = reader:reader_of("parameters")
  local payload = read_payload(request, reader, parameters)
  payload.parameters.model = read_model(parameters)
  payload.model = read_model(reader) or payload.parameters.model

  local service = payload.model and find_service(payload.model)
  if not payload.mode then
    payload.mode = (service and service.edits or has_image(payload)) and IMAGE_TO_IMAGE or TEXT_TO_IMAGE
  end
  if not payload.model then
    payload.model = DEFAULT_MODELS[payload.mode]
    service = find_service(payload.model)
  end
  if (not service or needs_prompt(service)) and not payload.parameters.prompt then reader:text("prompt", { required = true }) end
  if service and service.with_image and payload.mode == IMAGE_TO_IMAGE and not payload.strength then
    payload.parameters.strength = payload.parameters.strength or DEFAULT_STRENGTH
  end
  return payload
end

local function estimate(payload)
  local credits, refusal = credits_of(payload)
  if not credits then return nil, "no price is known: " .. refusal.message end
  local samples = payload.parameters.samples or 1
  local usd = credits * samples / 100
  return {
    expected = usd, low = usd, high = usd, unit = "image", quantity = samples,
    unit_cost_usd = credits / 100, credits = credits * samples, source = pricing.source, as_of = pricing.as_of,
  }
end

local function health(ctx)
  local response, failure = ctx.request { path = "/v1/user/balance", headers = { Accept = "application/json" } }
  if not response or response.status ~= 200 then
    return { ok = false, reason = failed(response, failure).error.message }
  end
  local credits = tonumber(json_of(response).credits)
  if not credits then return { ok = false, reason = "the vendor's answer holds no balance" } end
  return {
    ok = true, balance_usd = credits / 100,
    notes = credits <= 0 and { "the account has no credits left; buy some before going live" } or nil,
  }
end

local function submit(payload, ctx)
  local service, path, sd3_model = service_of(payload)
  if not service then return nil, path end
  local form, by_name = make_form(payload, service, path, sd3_model, ctx)
  if not form then return nil, by_name end
  if sd3_model == "sd3.5-flash" then ctx.note "sd3.5-flash is sold, but the vendor's API description lacks it: it may refuse" end

  local response, failure = ctx.request {
    path = SERVICE_ROOT .. path, headers = { Accept = "application/json" }, form = form, timeout = SUBMIT_TIMEOUT_SECONDS,
  }
  if not response or response.status ~= 200 and response.status ~= 202 then return failed(response, failure) end
  local state = { usd = credits_of(payload) / 100, output_format = by_name.output_format and by_name.output_format.value }
  local body = json_of(response)
  if type(body.id) == "string" and not body.image and not body.result then
    return { id = body.id, status = "queued", state = state, retry_after = POLL_INTERVAL_SECONDS }
  end
  return finished(response, response.headers["x-request-id"], state)
end

local function poll(job, ctx)
  if not string.find(job.id, "^[%w_-]+$") then return nil, { field = "job_id", message = "is not an id of Stability" } end
  local state = job.state or {}
  local response, failure = ctx.request { path = RESULTS_ROOT .. job.id, headers = { Accept = "application/json" } }
  if http_errors.is_transient(response) then
    local wait = response and response.status == 429 and LOCK_OUT_SECONDS or POLL_INTERVAL_SECONDS
    return http_errors.not_learned(response, failure, { id = job.id, state = state, retry_after = wait })
  end
  local body = json_of(response)
  if response.status == 202 or response.status == 200 and body.status == "in-progress" then
    return { id = job.id, status = "running", state = state, retry_after = POLL_INTERVAL_SECONDS }
  end
  if response.status ~= 200 then
    local result = failed(response, failure)
    result.id, result.state = job.id, state
    -- The generation itself may well have been made and paid: results are kept for 24 hours.
    result.error.billed = nil
    return result
  end
  return finished(response, job.id, state)
end

return {
  id = "stability", name = "Stability Image API", kind = "image",
  aliases = { "stability_ai", "stabilityai", "stable", "stability-image" },
  feature_flag = "enable_public_image_providers",
  docs_url = "https://platform.stability.ai/docs",
  pricing_url = "https://platform.stability.ai/pricing",
  last_checked = "2025-02-17",
  tags = { "stable-diffusion", "sdxl", "sd3" },
  modes = {
    { id = TEXT_TO_IMAGE, label = "Stable Image API (txt2img)", default = true },
    { id = IMAGE_TO_IMAGE, label = "Stable Image API (img2img)" },
  },
  credentials = {
    api_key = {
      env = { "STABILITY_API_KEY" }, secret = { "api_key", "token" }, pattern = "^sk-",
      hint = "create one at https://platform.stability.ai/account/keys; it begins with sk-",
    },
  },
  base_url = "https://api.stability.ai",
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = capabilities,
  pricing = pricing,
  prepare = prepare,
  estimate = estimate,
  health = health,
  submit = submit,
  poll = poll,
}
