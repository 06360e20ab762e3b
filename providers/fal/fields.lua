-- fields.lua - what a request for images may hold.

local check = require "check"
local cjson = require "cjson"
local fal_ids = require "fal.ids"
local fal_media = require "fal.media"
local models = require "fal.models"
local fal_options = require "fal.options"
local sizes = require "fal.sizes"
local undescribed = require "fal.undescribed"
local video_fields = require "fal.video_fields"
local given = require "given"
local names = require "names"

local array = cjson.array
local next, pairs = next, pairs
local read_text = check.text
local new_reader, is_given = check.reader, check.is_given
local read_given, read_options, ignored_of = given.read, fal_options.read, undescribed.ignored
local is_video, of_payload, ROWS = models.is_video, models.of_payload, models.ROWS

local fields = {}

local ROUTES = { "queue", "run" }
fields.ROUTES = ROUTES
local DEFAULT_NAMES = names.sorted(models.DEFAULTS)
local DEFAULT_GUIDANCE, DEFAULT_RESOLUTION, DEFAULT_STEPS =
  models.DEFAULTS.guidance_scale, models.DEFAULTS.resolution, models.DEFAULTS.steps

-- Options of the readers of check.lua.
local IF_NOT_BLANK, LOWER, FROM_ONE = { blank = "absent" }, { lower = true }, { min = 1 }
local MAX_SIDE = 65535 -- pixels; no model goes near it
local WORD, REQUIRED = { lower = true, blank = "absent" }, { required = true }
local PIXELS, SIDE = { min = 1, max = MAX_SIDE }, { required = true, min = 1, max = MAX_SIDE }
local UNTOUCHED = { trim = false }
local MODES = { image = models.IMAGE_MODES, video = { "video" } }
local MODE = {}
for kind, modes in pairs(MODES) do MODE[kind] = { lower = true, blank = "absent", default = modes[1] } end

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

--- The parameters that are known.
fields.PARAMETERS = PARAMETERS

-- At the top, or else in the parameters.
local NAMED_PROMPT = check.field_list { { name = "prompt", kind = "text", options = IF_NOT_BLANK, decides = true } }[1]

local READ_AT_TOP = names.union(names.set(fal_options.NAMES), names.set {
  "mode", "prompt", "model", "route", "parameters", "negative_prompt", "gpu", "provider_id", "id",
})
local AT_TOP_TOO = { "negative_prompt", "gpu" }

-- Whether a name among the parameters is read by itself.
local function is_read(name, description)
  return PARAMETERS.by_name[name] or name == "prompt" or fal_options.is_option(name, description)
end

local function read_parameters(payload, reader, description)
  local parameters = { guidance_scale = nil, resolution = nil, steps = nil } -- room for the defaults
  if not reader or next(reader.object) == nil then return parameters end
  local _, has_others = reader:fields(PARAMETERS, parameters, payload)
  sizes.check(parameters)
  if not has_others then return parameters end
  for name, value in next, reader.object do
    if not is_read(name, description) and is_given(value) then parameters[name] = value end
  end
  return parameters
end

-- What each name at the top is: the "words" that may stand there instead of among the parameters, "options" of how to queue, or
-- "read" by itself. No other is known.
local PLACES = {}
for name in pairs(READ_AT_TOP) do PLACES[name] = "read" end
for _, name in ipairs(fal_options.NAMES) do PLACES[name] = "options" end
for _, name in ipairs(AT_TOP_TOO) do PLACES[name] = "words" end

-- Looks at each name at the top once: whether there are options, words, and names that nobody reads.
local function look_at_top(object)
  local has_options, has_words, has_unknown = false, false, false
  for name in next, object do
    local place = PLACES[name]
    if place == "options" then
      has_options = true
    elseif place == "words" then
      has_words = true
    elseif not place then
      has_unknown = true
    end
  end
  return has_options, has_words, has_unknown
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

-- Fills in our defaults. Returns the names of those that the client did not give, and whether it gave no parameters at all: most
-- do not.
local function fill_defaults(parameters)
  if next(parameters) == nil then
    parameters.guidance_scale, parameters.resolution, parameters.steps = DEFAULT_GUIDANCE, DEFAULT_RESOLUTION, DEFAULT_STEPS
    return array { "guidance_scale", "resolution", "steps" }, true
  end
  local filled = {}
  local has_size = parameters.image_size or parameters.width or parameters.aspect_ratio
  for index = 1, #DEFAULT_NAMES do
    local name = DEFAULT_NAMES[index]
    if parameters[name] == nil and not (name == "resolution" and has_size) then
      parameters[name] = models.DEFAULTS[name]
      filled[#filled + 1] = name
    end
  end
  return #filled > 0 and array(filled) or nil, false
end

-- A workflow's author may call an input "input"; of a model it is the whole when a client's own wrapper came along.
local function is_wrapped(model, parameters)
  return not string.find(model, "^workflows/") and not string.find(model, "^comfy/") and given.is_wrapper(parameters, "input")
end

local WORDS = { image = AT_TOP_TOO, video = names.sorted(video_fields.WORDS) }
local READ_OF_UNDESCRIBED = { image = READ_AT_TOP, video = names.union(READ_AT_TOP, video_fields.WORDS) }

local function read_model(top)
  local model = top:text("model", IF_NOT_BLANK)
  if model and not ROWS[model] and not fal_ids.is_model_id(model) then
    check.fail("model", fal_ids.not_a_model(model, "fal.ai", models.OF_MODE.flux))
  end
  return model
end

local function read_undescribed(request, top, payload, kind)
  local inner = top:reader_of "parameters"
  local ignored = undescribed.ignored(request, READ_OF_UNDESCRIBED[kind])
  payload.wrapped, payload.ignored = given.take_wrapper(request, ignored), ignored
  undescribed.read(payload, top, inner, WORDS[kind])
  if not payload.prompt and is_wrapped(payload.model, inner.object) then payload.wrapped = "parameters.input" end
  return payload
end

local function read_described(request, top, payload)
  local inner = top.object.parameters ~= nil and top:reader_of "parameters" or nil
  local has_options, has_words, has_unknown = look_at_top(top.object)
  local ignored = has_unknown and ignored_of(request, READ_AT_TOP)
  if ignored then
    payload.wrapped = given.take_wrapper(request, ignored)
    payload.ignored = ignored[1] and ignored or nil
  end
  if inner then
    payload.prompt = read_given(payload, NAMED_PROMPT, top, inner)
  else
    payload.prompt = read_text(top, "prompt", IF_NOT_BLANK)
  end
  if not payload.prompt and not payload.wrapped then top:text("prompt", REQUIRED) end
  local row = ROWS[of_payload(payload)]
  if has_options or inner then payload.queue = read_options(payload, top, inner and inner.object, row, has_options) end
  payload.parameters = read_parameters(payload, inner, row)
  if has_words then read_at_top(payload, top) end
  local has_only_defaults = false
  if not payload.model then payload.defaulted, has_only_defaults = fill_defaults(payload.parameters) end
  return payload, has_only_defaults
end

--- Checks a request of a kind before anything is made of it; the payload, and whether its parameters are our defaults and nothing
-- else.
function fields.read(request, kind)
  local top = new_reader(request)
  local object = top.object
  if kind ~= "video" then kind = "image" end
  local mode = object.mode == nil and MODES[kind][1] or top:choice("mode", MODES[kind], MODE[kind])
  local model = object.model ~= nil and read_model(top) or nil
  local route = object.route ~= nil and top:choice("route", ROUTES, LOWER) or nil
  local payload = { mode = mode, model = model, route = route, prompt = nil, parameters = nil, defaulted = nil, queue = nil }
  if model and not ROWS[model] then return read_undescribed(request, top, payload, kind) end
  if not is_video(model, kind) then return read_described(request, top, payload) end
  if kind ~= "video" then
    request = check.copy(request)
    request.mode = nil
  end
  return video_fields.read(request, top, model, route)
end

return fields
