-- fal.ai: hosted image models (Flux, SDXL and any other), through fal's queue or its synchronous host.
-- Reference: https://docs.fal.ai/ (queue, webhooks, errors) and the models' pages; checked 2026-11-23.
--
-- A model is named by its path (`model`: "fal-ai/flux/dev"); its input goes out as the whole body. The modes of the older API
-- stand for one model each. A request that names a model gets that model's own defaults, one that names a mode gets ours.
-- Transport, states and errors are in providers/fal/queue.lua.

local cjson = require "cjson"
local check = require "check"
local fal_ids = require "fal.ids"
local fal_media = require "fal.media"
local fal_options = require "fal.options"
local fal_queue = require "fal.queue"
local given = require "given"
local model_inputs = require "model_inputs"
local names = require "names"
local plan = require "plan"
local usd = require "usd"

local ceil, next, pairs, type = math.ceil, next, pairs, type

local MODES = { "flux", "sdxl" }
local MODEL_OF_MODE = { flux = "fal-ai/flux/schnell", sdxl = "fal-ai/fast-sdxl" }

local ROUTES = { "queue", "run" }

-- Shown for a request without a model. What a model cannot take of them is left to the model.
local DEFAULTS = { guidance_scale = 7.5, steps = 30, resolution = "1024x1024" }
local DEFAULT_NAMES = names.sorted(DEFAULTS)

local SIZES = {
  square_hd = { 1024, 1024 }, square = { 512, 512 }, portrait_4_3 = { 768, 1024 }, portrait_16_9 = { 576, 1024 },
  landscape_4_3 = { 1024, 768 }, landscape_16_9 = { 1024, 576 },
}
local SIZE_NAMES = names.sorted(SIZES)
local DEFAULT_SIZE = "landscape_4_3" -- of every Flux model that has sizes
local SIZE_OF_ASPECT = {
  ["1:1"] = "square_hd", ["3:4"] = "portrait_4_3", ["9:16"] = "portrait_16_9",
  ["4:3"] = "landscape_4_3", ["16:9"] = "landscape_16_9",
}
local ASPECTS = names.sorted(SIZE_OF_ASPECT)

local IMAGE_FORMATS = { values = { "jpeg", "png" } }

-- ---- models --------------------------------------------------------------------------------------------------------

local function with(inputs, more)
  local all = check.copy(inputs)
  for name, spec in pairs(more) do all[name] = spec end
  return all
end

local COMMON = {
  prompt = { required = true }, num_images = { min = 1, max = 4, field = "parameters.samples" }, seed = {},
  enable_safety_checker = {}, sync_mode = {},
}
local FLUX = with(COMMON, {
  image_size = {}, guidance_scale = {}, output_format = IMAGE_FORMATS, acceleration = { values = { "none", "regular", "high" } },
})
local FLUX_DEV = with(FLUX, { num_inference_steps = { min = 1, max = 50 }, guidance_scale = { min = 1, max = 20 } })
local FLUX_PRO = with(COMMON, {
  num_images = { min = 1 }, output_format = IMAGE_FORMATS, enhance_prompt = {},
  safety_tolerance = { values = { "1", "2", "3", "4", "5", "6" } },
})

-- The inputs of the models that the contract describes. Any other model of fal gets its parameters as they are.
local MODELS = model_inputs.describe_all {
  ["fal-ai/flux/schnell"] = with(FLUX, { num_inference_steps = { min = 1, max = 12 } }),
  ["fal-ai/flux/dev"] = FLUX_DEV,
  ["fal-ai/flux/dev/image-to-image"] = with(FLUX_DEV, {
    image_url = { required = true, field = "parameters.init_image" }, strength = {},
  }),
  ["fal-ai/flux-pro/v1.1"] = with(FLUX_PRO, { image_size = {} }),
  ["fal-ai/flux-pro/v1.1-ultra"] = with(FLUX_PRO, { aspect_ratio = {}, raw = {} }),
  ["fal-ai/fast-sdxl"] = with(COMMON, {
    num_images = { min = 1 }, image_size = {}, negative_prompt = {}, num_inference_steps = {}, guidance_scale = {},
    loras = {}, embeddings = {}, expand_prompt = {}, format = IMAGE_FORMATS,
  }),
}

-- ---- parameters ----------------------------------------------------------------------------------------------------

-- Options of the readers of check.lua.
local IF_NOT_BLANK, LOWER, FROM_ONE = { blank = "absent" }, { lower = true }, { min = 1 }
local MAX_SIDE = 65535 -- pixels; no model goes near it
local WORD, REQUIRED = { lower = true, blank = "absent" }, { required = true }
local PIXELS, SIDE = { min = 1, max = MAX_SIDE }, { required = true, min = 1, max = MAX_SIDE }
local UNTOUCHED = { trim = false }
local MODE = { lower = true, blank = "absent", default = MODES[1] }

-- Text or { width, height }; whether fal has a size of that name is for submit to say.
local function read_image_size(reader)
  local value = reader:raw "image_size"
  if type(value) ~= "table" then return reader:text("image_size", WORD) end
  local size = check.reader(value, reader:path "image_size")
  return { width = size:integer("width", SIDE), height = size:integer("height", SIDE) }
end

-- fal takes a digit as text; a number is what most clients write.
local function read_safety_tolerance(reader)
  local value = reader:raw "safety_tolerance"
  if type(value) ~= "string" then value = reader:integer "safety_tolerance" end
  return value and tostring(value)
end

local function read_image(reader, name)
  local image = reader:text(name, UNTOUCHED)
  if image then fal_media.check_file(image, reader:path(name)) end
  return image
end

local IMAGE_NAMES = { "init_image", "image", "image_url" }

-- What `parameters` may hold, as check.field_list wants it: the name in the payload, the names that a client may use, its kind.
-- Beside that `input`, fal's name if it differs, and `decides`: without it something else would be made.
local PARAMETERS = check.field_list {
  { name = "steps", names = { "steps", "num_inference_steps" }, kind = "integer", options = FROM_ONE,
    input = "num_inference_steps", costs = true },
  { name = "guidance_scale", names = { "guidance_scale", "cfg_scale" }, kind = "number", options = { zero = "absent", min = 0 } },
  { name = "samples", names = { "samples", "num_images" }, kind = "integer", options = FROM_ONE,
    input = "num_images", decides = true },
  { name = "seed", kind = "integer", options = { wide = true } },
  { name = "init_image", names = IMAGE_NAMES, read = read_image, input = "image_url", decides = true },
  { name = "strength", kind = "number" },
  { name = "negative_prompt", kind = "text", options = IF_NOT_BLANK },
  { name = "output_format", names = { "output_format", "format" }, kind = "text", options = LOWER },
  { name = "aspect_ratio", kind = "text", options = IF_NOT_BLANK, decides = true },
  { name = "resolution", kind = "text", options = WORD },
  { name = "width", kind = "integer", options = PIXELS },
  { name = "height", kind = "integer", options = PIXELS },
  { name = "acceleration", kind = "text", options = LOWER },
  { name = "enable_safety_checker", kind = "boolean" },
  { name = "sync_mode", kind = "boolean" },
  { name = "enhance_prompt", kind = "boolean" },
  { name = "expand_prompt", kind = "boolean" },
  { name = "raw", kind = "boolean" },
  { name = "loras", kind = "array_of", decides = true },
  { name = "embeddings", kind = "array_of", decides = true },
  { name = "gpu", kind = "text" },
  { name = "style", kind = "text" },
  { name = "style_preset", kind = "text" },
  { name = "image_size", read = read_image_size },
  { name = "safety_tolerance", read = read_safety_tolerance },
}

-- At the top, or else in the parameters.
local NAMED_PROMPT = check.field_list { { name = "prompt", kind = "text", options = { blank = "absent" }, decides = true } }[1]

-- These make one input together.
local SIZE_PARAMETERS = names.set { "image_size", "resolution", "width", "height", "aspect_ratio" }
local SIZE_NOT_IN_WORDS = { "image_size", "resolution", "width" }

local HINTS = {
  steps = "the model fal-ai/flux/dev takes up to 50",
  gpu = "fal.ai chooses the hardware of its hosted models",
  negative_prompt = "only the SDXL models of fal.ai have negative prompts (mode sdxl)",
  init_image = "this model makes images from text only; name one that takes an image",
}
local INSTEAD = { init_image = { "fal-ai/flux/dev/image-to-image" } }

-- What model_inputs.put is to know of a value: of a parameter of ours, of an input that some model has, of any other name.
local function item_of(name, parameter, known)
  return {
    field = "parameters." .. name, input = parameter.input or name, decides = parameter.decides, known = known,
    hint = HINTS[name], instead = INSTEAD[name],
  }
end

local PROMPT = { field = "prompt", input = "prompt" }
local ITEMS = {}
for _, description in pairs(MODELS) do
  for name in pairs(description.inputs) do ITEMS[name] = item_of(name, {}, true) end
end
for _, parameter in ipairs(PARAMETERS) do ITEMS[parameter.name] = item_of(parameter.name, parameter, true) end
local ASPECT_RATIO = { field = "parameters.aspect_ratio", input = "aspect_ratio", decides = true }

-- The size, by the parameter that it came from.
local SIZE, SIZE_BESIDE_ASPECT = {}, {}
for name in pairs(SIZE_PARAMETERS) do
  local hint = "this model takes an aspect_ratio instead of a size"
  SIZE[name] = { field = "parameters." .. name, input = "image_size", decides = true }
  SIZE_BESIDE_ASPECT[name] = { field = "parameters." .. name, input = "image_size", decides = true, hint = hint }
end
local OUTPUT_FORMAT_AS_FORMAT = { field = "parameters.output_format", input = "format", known = true }

local READ_AT_TOP = names.union(names.set(fal_options.NAMES), names.set {
  "mode", "prompt", "model", "route", "parameters", "negative_prompt", "gpu", "provider_id", "id",
})
local AT_TOP_TOO = { "negative_prompt", "gpu" }

-- ---- what is public ------------------------------------------------------------------------------------------------

local CAPABILITIES = {
  modes = MODES,
  features = { "async_jobs", "webhook_callbacks", "custom_containers" },
  gpu_options = { "A100", "H100" },
  models = names.sorted(MODELS),
  any_model = true,
  model_of_mode = MODEL_OF_MODE,
  routes = ROUTES,
  image_sizes = SIZE_NAMES,
  queue_options = fal_options.FOR_CLIENTS,
}

local AS_OF = "2026-11-23"

local function price(model, unit_usd, unit, high_usd)
  return { usd = unit_usd, high_usd = high_usd, unit = unit, as_of = AS_OF, source = "https://fal.ai/models/" .. model }
end

-- Models that are missing here have no established price: ask fal's own list (the health call does).
local PRICES = {
  ["fal-ai/flux/schnell"] = price("fal-ai/flux/schnell", 0.003, "megapixel"),
  ["fal-ai/flux/dev"] = price("fal-ai/flux/dev", 0.025, "megapixel"),
  ["fal-ai/flux-pro/v1.1"] = price("fal-ai/flux-pro/v1.1", 0.04, "megapixel", 0.055), -- two lists disagree
  ["fal-ai/flux-pro/v1.1-ultra"] = price("fal-ai/flux-pro/v1.1-ultra", 0.06, "image"),
}

local PRICING = {
  as_of = AS_OF, source = "https://fal.ai/pricing", unit = "USD per megapixel (rounded up) or per image", models = PRICES,
}

-- ---- helpers -------------------------------------------------------------------------------------------------------

local function model_of(payload)
  return payload.model or MODEL_OF_MODE[payload.mode] or MODEL_OF_MODE[MODES[1]]
end

-- "1024x768" as a size, or nil.
local function size_in_words(text)
  local width, height = string.match(string.sub(text, 1, 32), "^(%d+)%s*x%s*(%d+)$")
  width, height = math.tointeger(tonumber(width)), math.tointeger(tonumber(height))
  return width and height and width > 0 and height > 0 and { width = width, height = height } or nil
end

-- Width and height that a parameter stands for, or nil.
local function sides_of(parameters, name)
  local value = parameters[name]
  if name == "width" then return value, parameters.height end
  local size = type(value) == "string" and size_in_words(value) or value
  if type(size) == "table" then return size.width, size.height end
  local sides = SIZES[size]
  if sides then return sides[1], sides[2] end
end

local function is_same_size(parameters, one, other)
  local width, height = sides_of(parameters, one)
  local other_width, other_height = sides_of(parameters, other)
  return width ~= nil and width == other_width and height == other_height
end

local function check_sizes(parameters)
  if (parameters.width == nil) ~= (parameters.height == nil) then
    local missing = parameters.width and "height" or "width"
    check.fail("parameters." .. missing, "is required together with " .. (parameters.width and "width" or "height"))
  end
  local first
  for index = 1, #SIZE_NOT_IN_WORDS do
    local name = SIZE_NOT_IN_WORDS[index]
    if first and parameters[name] ~= nil and not is_same_size(parameters, first, name) then
      check.fail("parameters." .. name, "gives another size than " .. first)
    elseif parameters[name] ~= nil then
      first = first or name
    end
  end
end

-- Whether a name among the parameters is read by itself.
local function is_read(name, description)
  return PARAMETERS.by_name[name] or name == "prompt" or fal_options.is_option(name, description)
end

local function read_parameters(payload, reader, description)
  local parameters = { guidance_scale = nil, resolution = nil, steps = nil } -- room for the defaults
  if next(reader.object) == nil then return parameters end
  reader:fields(PARAMETERS, parameters, payload)
  check_sizes(parameters)
  for name, value in pairs(reader.object) do
    if not is_read(name, description) and check.is_given(value) then parameters[name] = value end
  end
  return parameters
end

-- What may stand at the top instead of among the parameters.
local function read_at_top(payload, top)
  local parameters = payload.parameters
  for index = 1, #AT_TOP_TOO do
    local name = AT_TOP_TOO[index]
    local value = top.object[name] ~= nil and top:text(name, IF_NOT_BLANK) or nil
    if value and parameters[name] == nil then
      parameters[name] = value
      given.keep(payload, "parameters." .. name, name)
    elseif value and parameters[name] ~= value then
      given.contradict(payload, name, "parameters." .. name)
    end
  end
end

-- Fills in our defaults and returns the names of those that the client did not give.
local function fill_defaults(parameters)
  local filled = {}
  local has_size = parameters.image_size or parameters.width or parameters.aspect_ratio
  for index = 1, #DEFAULT_NAMES do
    local name = DEFAULT_NAMES[index]
    if parameters[name] == nil and not (name == "resolution" and has_size) then
      parameters[name] = DEFAULTS[name]
      filled[#filled + 1] = name
    end
  end
  return #filled > 0 and cjson.array(filled) or nil
end

local function ignored_names(request)
  local unknown, ignored = names.unknown(request, READ_AT_TOP), {}
  if not unknown then return nil end
  for _, name in ipairs(unknown) do
    if check.is_given(request[name]) then ignored[#ignored + 1] = name end
  end
  return #ignored > 0 and cjson.array(ignored) or nil
end

-- A workflow's author may call an input "input"; of a model it is the whole when a client's own wrapper came along.
local function is_wrapped(model, parameters)
  return not string.find(model, "^workflows/") and not string.find(model, "^comfy/") and given.is_wrapper(parameters, "input")
end

local DEFAULT_RESOLUTION = size_in_words(DEFAULTS.resolution)

-- The size as fal writes it, the parameter that it came from, or nil and what is wrong.
local function size_of(parameters)
  if type(parameters.image_size) == "table" then return parameters.image_size, "image_size" end
  if parameters.width then return { width = parameters.width, height = parameters.height }, "width" end
  local name = parameters.image_size and "image_size" or "resolution"
  local text = parameters[name]
  if text == nil then return nil end
  if SIZES[text] then return text, name end
  local size = text == DEFAULTS.resolution and DEFAULT_RESOLUTION or size_in_words(text)
  if size then return size, name end
  return nil, name, "must be WIDTHxHEIGHT or one of " .. table.concat(SIZE_NAMES, ", ")
end

local function is_defaulted(payload, name)
  return payload.defaulted ~= nil and check.in_list(name, payload.defaulted)
end

-- The size to put in and the parameter that it came from; third an aspect ratio, where that is an input of its own.
local function choose_size(built, parameters)
  local size, name, problem = size_of(parameters)
  if problem then return plan.refuse(built, "parameters." .. name, problem, SIZE_NAMES) end
  local aspect, description = parameters.aspect_ratio, built.description
  if not aspect or not (description and description.inputs.image_size) then return size, name, aspect end
  if size then
    plan.warn(built, "parameters.aspect_ratio", "left out: the size is given, too")
    return size, name
  end
  if SIZE_OF_ASPECT[aspect] then return SIZE_OF_ASPECT[aspect], "aspect_ratio" end
  plan.refuse(built, "parameters.aspect_ratio", "must be one of " .. table.concat(ASPECTS, ", "), ASPECTS)
end

local function put_parameter(built, payload, name)
  local description = built.description
  local item = ITEMS[name] or item_of(name, {}, false)
  if name == "output_format" and description and description.inputs.format then item = OUTPUT_FORMAT_AS_FORMAT end
  model_inputs.put(built, item, payload.parameters[name], is_defaulted(payload, name))
end

local function put_size(built, payload, size, name)
  local description = built.description
  local item = description and description.inputs.aspect_ratio and SIZE_BESIDE_ASPECT[name] or SIZE[name]
  model_inputs.put(built, item, size, is_defaulted(payload, name))
end

-- What a submit of this payload would send (plan.lua).
local function build(payload)
  local model = model_of(payload)
  local built = model_inputs.new_plan(model, MODELS[model])
  local size, size_name, aspect = choose_size(built, payload.parameters)
  if payload.prompt then model_inputs.put(built, PROMPT, payload.prompt) end
  local sorted = names.sorted(payload.parameters)
  for index = 1, #sorted do
    if not SIZE_PARAMETERS[sorted[index]] then put_parameter(built, payload, sorted[index]) end
  end
  if aspect then model_inputs.put(built, ASPECT_RATIO, aspect) end
  if size then put_size(built, payload, size, size_name) end
  if payload.wrapped then
    plan.refuse(built, payload.wrapped, given.WRAPPED)
  else
    model_inputs.require_inputs(built)
  end
  if not built.description then plan.note(built, model .. " is not described here: its parameters are sent unchecked") end
  if payload.ignored then
    for _, name in ipairs(payload.ignored) do
      plan.warn(built, name, "is not understood; inputs of the model belong in parameters")
    end
  end
  given.finish(built, payload)
  return built
end

local function pixels_of(size)
  if type(size) == "table" then return size.width * size.height end
  local sides = SIZES[size or DEFAULT_SIZE]
  return sides[1] * sides[2]
end

-- How to read a model's output (providers/fal/queue.lua).
local function reading_of(payload)
  local parameters = payload.parameters or {}
  local known = PRICES[model_of(payload)]
  return {
    keep_flagged = parameters.enable_safety_checker == false or nil,
    unit_price = known and not known.high_usd and known.usd or nil,
  }
end

-- ---- the provider's functions --------------------------------------------------------------------------------------

local function prepare(request)
  local top = check.reader(request)
  local inner = top:reader_of "parameters"
  local ignored = ignored_names(request)
  local wrapped = given.take_wrapper(request, ignored)
  local payload = {
    mode = top:choice("mode", MODES, MODE),
    model = top:text("model", IF_NOT_BLANK),
    route = top:choice("route", ROUTES, LOWER),
    wrapped = wrapped, ignored = ignored and ignored[1] and ignored or nil,
    prompt = nil, parameters = nil, defaulted = nil, queue = nil, -- room
  }
  if payload.model and not fal_ids.is_model_id(payload.model) then
    check.fail("model", fal_ids.not_a_model(payload.model, "fal.ai", CAPABILITIES.models[1]))
  end
  local description = MODELS[model_of(payload)]
  payload.prompt = given.read(payload, NAMED_PROMPT, top, inner)
  if not payload.prompt and description and not wrapped then top:text("prompt", REQUIRED) end
  if not payload.prompt and not description and is_wrapped(payload.model, inner.object) then
    payload.wrapped = "parameters.input"
  end
  payload.queue = fal_options.read(payload, top, inner.object, description)
  payload.parameters = read_parameters(payload, inner, description)
  read_at_top(payload, top)
  if not payload.model then payload.defaulted = fill_defaults(payload.parameters) end
  return payload, nil, build(payload)
end

local function estimate(payload, built)
  local model = model_of(payload)
  local known = PRICES[model]
  if not known then return nil, "fal.ai's price of " .. model .. " is not known here" end
  built = built or build(payload)
  if plan.is_refused(built) then return nil, plan.first_refusal(built) end
  if plan.unpriced_by(built) then return nil, plan.unpriced_by(built) end
  local images = payload.parameters.samples or 1
  local quantity, most = images, images
  if known.unit == "megapixel" then
    -- Rounded up per image. A picture of 1024x1024 is sold as one megapixel; the price list could be read as two.
    local pixels = pixels_of(built.body.image_size)
    quantity, most = images * ceil(pixels / 2 ^ 20), images * ceil(pixels / 1e6)
  end
  local expected = usd.to_micros(quantity * known.usd)
  return {
    expected = expected, low = expected, high = usd.to_micros(most * (known.high_usd or known.usd)),
    unit = known.unit, quantity = quantity, unit_usd = known.usd, model = model, source = known.source, as_of = known.as_of,
  }
end

local function health(ctx)
  return fal_queue.health(ctx, MODEL_OF_MODE.flux)
end

local function submit(payload, ctx, built)
  built = built or build(payload)
  model_inputs.announce(built, ctx)
  if plan.is_refused(built) then return nil, plan.refusals(built) end
  if payload.route == "run" then
    return fal_queue.run(ctx, model_of(payload), built.body, payload, reading_of(payload))
  end
  local result = fal_queue.submit(ctx, model_of(payload), built.body, payload.queue)
  return fal_queue.with_reading(result, reading_of(payload), MODELS[model_of(payload)] ~= nil)
end

local function poll(job, ctx)
  local payload = job.payload or {}
  return fal_queue.poll(job, ctx, model_of(payload), reading_of(payload))
end

local function cancel(job, ctx)
  return fal_queue.cancel(job, ctx, model_of(job.payload or {}))
end

local function webhook(delivery, ctx)
  local payload = delivery.job and delivery.job.payload or {}
  return fal_queue.webhook(delivery, ctx, model_of(payload), reading_of(payload))
end

return {
  id = "fal", name = "fal.ai", kind = "image",
  aliases = { "fal.ai", "flux", "sdxl-fal" }, feature_flag = "enable_public_image_providers",
  docs_url = "https://docs.fal.ai/", pricing_url = "https://fal.ai/pricing", last_checked = "2025-02-17",
  tags = { "flux", "sdxl", "gpu" },
  modes = {
    { id = "flux", label = "Flux Schnell / Flux Pro (txt2img)", default = true },
    { id = "sdxl", label = "Stable Diffusion XL (txt2img)", default = false },
  },
  reviews = {
    notes = "Billed by what a model makes, not by the hour; queueing is free and failures of the server are not billed.",
    sources = { "https://fal.ai/pricing" },
  },
  credentials = {
    api_key = {
      env = { "FAL_API_KEY", "FAL_KEY" }, secret = { "api_key", "key" }, pattern = fal_queue.KEY_PATTERN,
      hint = "a fal key has the form id:secret; create one at https://fal.ai/dashboard/keys",
    },
  },
  base_url = fal_queue.BASE_URL, hosts = fal_queue.HOSTS, outputs = fal_queue.OUTPUTS,
  auth = { ["Authorization"] = "Key {api_key}" },
  capabilities = CAPABILITIES, pricing = PRICING,
  prepare = prepare, estimate = estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  webhook_signature = fal_queue.WEBHOOK_SIGNATURE,
}
