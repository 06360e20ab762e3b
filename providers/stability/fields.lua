-- fields.lua - what a request to Stability may hold: the fields of its services and the names that clients use.

local check = require "check"
local given = require "given"
local names = require "names"

local stability_fields = {}

local is_given, has_any, unknown_names = check.is_given, names.has_any, names.unknown

local OUTPUT_FORMATS = { "png", "jpeg", "webp" }
local ASPECT_RATIOS = { "16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21" }
local STYLE_PRESETS = {
  "enhance", "anime", "photographic", "digital-art", "comic-book", "fantasy-art", "line-art", "analog-film", "neon-punk",
  "isometric", "low-poly", "origami", "modeling-compound", "cinematic", "3d-model", "pixel-art", "tile-texture",
}

-- Words of JSON Schema that several fields share.
local TEXT = { type = "string", x_lines = 4, description = "at most 10000 characters" }
local DECIDING_TEXT = { type = "string", x_decides = true, description = "at most 10000 characters" }
local SHARE = { type = "number", description = "from 0 to 1" }
local NUMBER = { type = "number", x_advanced = true }
local SIDE = { type = "integer", x_unit = "pixels", x_decides = true, examples = { 64 }, description = "from 0 to 2000" }
local IMAGE = {
  type = "string", x_file = "image", x_decides = true, contentEncoding = "base64",
  description = "the image itself, as a data URI: Stability fetches no addresses",
}

-- Every field of the services, in words of JSON Schema. None decides the price, so values and ranges are told (`examples`,
-- `description`) and not insisted on: what lies beyond goes out with a warning, since the vendor may take more by now. What is in
-- `x_decides` decides what is made: if the chosen service has no such field, the request is refused.
local FIELDS = {
  prompt = TEXT, negative_prompt = { type = "string", description = "at most 10000 characters" },
  search_prompt = DECIDING_TEXT, select_prompt = DECIDING_TEXT, background_prompt = DECIDING_TEXT,
  foreground_prompt = DECIDING_TEXT,
  aspect_ratio = { type = "string", examples = ASPECT_RATIOS, x_decides = true },
  output_format = { type = "string", examples = OUTPUT_FORMATS, x_decides = true },
  style_preset = { type = "string", examples = STYLE_PRESETS },
  light_source_direction = { type = "string", examples = { "left", "right", "above", "below" } },
  seed = { type = "integer", x_advanced = true, description = "from 0 to 4294967294" },
  cfg_scale = { type = "number", x_advanced = true, description = "from 1 to 10" },
  strength = SHARE, control_strength = SHARE, fidelity = SHARE,
  creativity = NUMBER, style_strength = NUMBER, composition_fidelity = NUMBER, change_strength = NUMBER,
  preserve_original_subject = NUMBER, original_background_depth = NUMBER, light_source_strength = NUMBER,
  keep_original_background = { type = "boolean" },
  grow_mask = { type = "integer", x_unit = "pixels", x_advanced = true, description = "at least 0" },
  left = SIDE, right = SIDE, up = SIDE, down = SIDE,
  image = IMAGE, init_image = IMAGE, mask = IMAGE, style_image = IMAGE, subject_image = IMAGE, background_reference = IMAGE,
  light_reference = IMAGE,
}

-- Of numbers, what the vendor's reference says of them: lowest and highest.
local RANGES = {
  seed = { 0, 4294967294 }, cfg_scale = { 1, 10 }, strength = { 0, 1 }, control_strength = { 0, 1 }, fidelity = { 0, 1 },
  grow_mask = { 0, math.huge }, left = { 0, 2000 }, right = { 0, 2000 }, up = { 0, 2000 }, down = { 0, 2000 },
}
stability_fields.RANGES = RANGES

-- Names of ours for a field of the vendor, in the order of preference.
local ALIASES = {
  image = { "init_image", "image" },
  init_image = { "init_image", "image" },
  subject_image = { "subject_image", "init_image", "image" },
  background_prompt = { "background_prompt", "prompt" },
  cfg_scale = { "cfg_scale", "guidance_scale" },
  style_preset = { "style_preset", "style" },
}

--- How a field is read and sent, by its words: text, choice, number, integer, boolean or image.
function stability_fields.kind_of(words)
  if words.x_file then return "image" end
  if words.enum or words.examples and words.type == "string" then return "choice" end
  return words.type == "string" and "text" or words.type
end

-- The kinds of parameters that are no field of the vendor under this name: aliases, and what it cannot express.
local OTHER_KINDS = {
  guidance_scale = "number", style = "choice", steps = "integer", fps = "number", width = "integer", height = "integer",
  resolution = "text", size = "text", image_size = "text", duration = "number", duration_seconds = "number",
  sampler = "text", scheduler = "text", gpu = "text",
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

-- Options of the readers of check.lua, by kind. An image is left untouched: it may be megabytes.
local READERS = {
  text = { kind = "text", options = { blank = "absent" } },
  choice = { kind = "text", options = { blank = "absent", lower = true } },
  number = { kind = "number" },
  integer = { kind = "integer", options = { wide = true } },
  boolean = { kind = "boolean" },
  image = { kind = "text", options = { trim = false, blank = "absent" } },
}

-- The names of a known type. Sorted, so that of several wrong fields it is always the same one that is named.
local TYPED = {}
for _, name in ipairs(names.sorted(names.union(FIELDS, OTHER_KINDS))) do
  local reader = READERS[FIELDS[name] and stability_fields.kind_of(FIELDS[name]) or OTHER_KINDS[name]]
  TYPED[#TYPED + 1] = { name = name, kind = reader.kind, options = reader.options }
end
check.field_list(TYPED)

local IS_SAMPLE_NAME = names.set(SAMPLE_NAMES)
local SAMPLES = check.field_list {
  { name = "samples", names = SAMPLE_NAMES, kind = "integer", options = { min = 1, max = 10000, zero = "absent" }, costs = true },
}[1]

local UNDERSTOOD_AT_TOP = names.union(FIELDS, OTHER_KINDS, INEXPRESSIBLE, IS_SAMPLE_NAME,
  names.set { "mode", "operation", "model", "parameters", "safety" })

--- Whether a parameter's name is one that nobody here knows.
function stability_fields.is_unknown(name)
  return not UNDERSTOOD_AT_TOP[name]
end

--- The names of parameters that nobody here knows, sorted; nil if there are none.
function stability_fields.unknown_names(parameters)
  return unknown_names(parameters, UNDERSTOOD_AT_TOP)
end

-- Looks at each name at the top once: keeps what is refused later, and returns whether one gives a number of images, and the
-- names that nothing here reads.
local function look_at_top(payload, object)
  local has_samples, has_unknown = false, false
  for name, value in next, object do
    if not UNDERSTOOD_AT_TOP[name] then
      has_unknown = true
    elseif IS_SAMPLE_NAME[name] then
      has_samples = true
    elseif INEXPRESSIBLE[name] and not OTHER_KINDS[name] and is_given(value) then
      payload[name] = value
    end
  end
  return has_samples, has_unknown and unknown_names(object, UNDERSTOOD_AT_TOP) or nil
end

--- Reads the fields of a request into `payload`: those at the top into itself, those of `inner`, a reader of the parameters or
-- nil, into payload.parameters. Names at the top that nothing here reads are listed in payload.ignored. Only names: a value might
-- be a credential.
function stability_fields.read(payload, top, inner)
  if inner then inner:fields(TYPED, payload.parameters) end
  top:fields(TYPED, payload)
  local has_samples, ignored = look_at_top(payload, top.object)
  if not payload.init_image or payload.init_image == payload.image then
    payload.init_image, payload.image = payload.init_image or payload.image, nil
  end
  has_samples = has_samples or inner and has_any(inner.object, IS_SAMPLE_NAME)
  local samples = has_samples and given.read(payload, SAMPLES, inner or top:reader_of "parameters", top)
  payload.parameters.samples = samples or 1
  if ignored then
    payload.wrapped = given.take_wrapper(top.object, ignored)
    payload.ignored = ignored[1] and ignored or nil
  end
end

stability_fields.FIELDS, stability_fields.ALIASES, stability_fields.INEXPRESSIBLE = FIELDS, ALIASES, INEXPRESSIBLE
stability_fields.IS_SAMPLE_NAME, stability_fields.NO_VIDEO = IS_SAMPLE_NAME, NO_VIDEO
stability_fields.ASPECT_RATIOS, stability_fields.OUTPUT_FORMATS, stability_fields.STYLE_PRESETS =
  ASPECT_RATIOS, OUTPUT_FORMATS, STYLE_PRESETS

return stability_fields
