-- models.lua - what Luma's two APIs make: a row for each model and each further operation, with its inputs and its price.
--
-- From https://docs.lumalabs.ai and https://docs.agents.lumalabs.ai, checked 2026-11-23. An input's words are those of JSON
-- Schema for what a client writes at `field` (default: `parameters.` and its name): lengths are numbers there, of which the
-- vendor's "5s" is made. What decides money has an enum and is refused beyond it; of the rest only `examples` are told, and a new
-- one goes out with a warning. `goes_with`: an input that is only taken beside another.

local names = require "names"

local luma_models = {}

local DREAM_ASPECTS = { "1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21" }
local AGENTS_IMAGE_ASPECTS = { "3:1", "2:1", "16:9", "3:2", "1:1", "2:3", "9:16", "1:2", "1:3" }
local AGENTS_VIDEO_ASPECTS = { "9:16", "3:4", "1:1", "4:3", "16:9", "21:9" }
local DREAM_RESOLUTIONS = { "540p", "720p", "1080p", "4k" }
local MODIFY_MODES = {
  "adhere_1", "adhere_2", "adhere_3", "flex_1", "flex_2", "flex_3", "reimagine_1", "reimagine_2", "reimagine_3",
}

-- ---- inputs ------------------------------------------------------------------------------------------------------------

local function prompt(most, required)
  return { type = "string", minLength = 1, maxLength = most, x_lines = 4, field = "prompt", required = required }
end

local function aspect(list, required)
  return { type = "string", examples = list, field = "aspect_ratio", required = required, x_decides = true }
end

local function resolution(list)
  return { type = "string", enum = list, x_costs = true, x_decides = true }
end

local function seconds(list)
  return { type = "integer", enum = list, field = "duration_seconds", x_unit = "s", x_costs = true }
end

local function word(list, required)
  return { type = "string", examples = list, required = required }
end

local FLAG, ANY, TEXT, NUMBER = { type = "boolean" }, {}, { type = "string" }, { type = "number", x_advanced = true }
local COSTLY_FLAG = { type = "boolean", x_costs = true }
local CALLBACK = { type = "string", x_advanced = true }
local FORMAT = { type = "string", examples = { "jpg", "png" }, field = "parameters.format" }
local VIDEO_FILE = { type = "string", x_file = "video", field = "parameters.video", required = true }
local IMAGE_FILE = { type = "string", x_file = "image", field = "parameters.image", required = true }

local function with(inputs, more)
  for name, input in pairs(more) do inputs[name] = input end
  return inputs
end

local function reframe(media, more)
  return with({
    prompt = prompt(5000), aspect_ratio = aspect(DREAM_ASPECTS, true), media = media, callback_url = CALLBACK,
    grid_position_x = NUMBER, grid_position_y = NUMBER, resized_height = NUMBER, resized_width = NUMBER, x_start = NUMBER,
    x_end = NUMBER, y_start = NUMBER, y_end = NUMBER,
  }, more)
end

-- What each kind of generation takes. `nested`: inputs that the vendor has in an object of this name.
local KINDS = {
  video = {
    makes = "video", inputs = {
      prompt = prompt(5000, true), aspect_ratio = aspect(DREAM_ASPECTS), resolution = resolution(DREAM_RESOLUTIONS),
      duration = seconds { 5, 9 }, loop = FLAG, concepts = ANY, keyframes = ANY, callback_url = CALLBACK,
    },
  },
  image = {
    makes = "image", inputs = {
      prompt = prompt(5000, true), aspect_ratio = aspect(DREAM_ASPECTS), format = FORMAT, image_ref = ANY, style_ref = ANY,
      character_ref = ANY, modify_image_ref = ANY, sync = ANY, sync_timeout = ANY, callback_url = CALLBACK,
    },
  },
  modify_video = {
    makes = "video", generation_type = "modify_video", inputs = {
      prompt = prompt(5000), media = VIDEO_FILE, mode = word(MODIFY_MODES, true), first_frame = ANY, callback_url = CALLBACK,
    },
  },
  reframe_video = {
    makes = "video", generation_type = "reframe_video", inputs = reframe(VIDEO_FILE, { first_frame = ANY }),
  },
  reframe_image = {
    makes = "image", generation_type = "reframe_image", inputs = reframe(IMAGE_FILE, { format = FORMAT }),
  },
  upscale_video = {
    makes = "video", generation_type = "upscale_video", modelless = true, inputs = {
      resolution = resolution(DREAM_RESOLUTIONS), callback_url = CALLBACK,
    },
  },
  add_audio = {
    makes = "video", generation_type = "add_audio", modelless = true, inputs = {
      prompt = prompt(5000), negative_prompt = TEXT, callback_url = CALLBACK,
    },
  },
  agents_image = {
    makes = "image", inputs = {
      prompt = prompt(6000, true), aspect_ratio = aspect(AGENTS_IMAGE_ASPECTS), output_format = word { "png", "jpeg" },
      style = word { "auto", "manga" }, image_ref = ANY, source = ANY, type = word { "image", "image_edit" }, user_id = ANY,
      web_search = ANY,
    },
  },
  agents_video = {
    makes = "video", nested = "video", inputs = {
      prompt = prompt(6000, true), aspect_ratio = aspect(AGENTS_VIDEO_ASPECTS), source = ANY, user_id = ANY,
      type = word { "video", "video_edit", "video_reframe" },
    }, nested_inputs = {
      resolution = resolution { "360p", "540p", "720p", "1080p" }, duration = seconds { 5, 10 }, hdr = COSTLY_FLAG,
      exr_export = COSTLY_FLAG, loop = FLAG, edit = ANY, start_frame = ANY, end_frame = ANY, guide_frame = ANY, keyframes = ANY,
      keyframe_indexes = ANY, source_position = ANY,
    },
  },
}

-- ---- models ------------------------------------------------------------------------------------------------------------

-- US dollars. Dream Machine's are approximate: about 0.0064 a million pixels for ray-2.
local function dream_price(price)
  price.as_of, price.source, price.approximate = "2026-11-23", "https://docs.comfy.org", true
  return price
end

local function agents_price(price)
  price.as_of, price.source = "2026-07-10", "https://docs.agents.lumalabs.ai"
  return price
end

local ROWS = {
  ["ray-2"] = {
    api = "dream_machine", generation = "video", label = "Ray 2",
    price = dream_price { unit = "second", text = "$0.40 to $11.47 / video", usd_of = {
      ["540p"] = { ["5s"] = 0.40 }, ["720p"] = { ["5s"] = 0.71, ["9s"] = 1.27 }, ["1080p"] = { ["5s"] = 1.59, ["9s"] = 2.87 },
      ["4k"] = { ["5s"] = 6.37, ["9s"] = 11.47 },
    } },
  },
  ["ray-flash-2"] = {
    api = "dream_machine", generation = "video", label = "Ray Flash 2",
    price = dream_price { unit = "second", text = "$0.14 to $3.94 / video", share_of_ray_2 = 0.34,
      usd_of = { ["4k"] = { ["5s"] = 2.19, ["9s"] = 3.94 } } },
  },
  ["photon-1"] = {
    api = "dream_machine", generation = "image", label = "Photon 1", price = dream_price { unit = "image", usd = 0.015 },
  },
  ["photon-flash-1"] = {
    api = "dream_machine", generation = "image", label = "Photon Flash 1",
    price = dream_price { unit = "image", usd = 0.004, low_usd = 0.002 },
  },
  ["ray-3.2"] = {
    api = "agents", generation = "agents_video", label = "Ray 3.2", goes_with = { exr_export = "hdr" },
    price = agents_price { unit = "second", text = "$0.15 to $3.60 / video", ten_seconds_factor = 3,
      sdr_5s = { ["540p"] = 0.15, ["720p"] = 0.30, ["1080p"] = 1.20 },
      hdr_5s = { ["720p"] = 0.60, ["1080p"] = 2.40 }, hdr_and_exr_5s = { ["720p"] = 0.90, ["1080p"] = 3.60 },
      edit_5s = { ["540p"] = 0.72, ["720p"] = 1.08, ["1080p"] = 2.16 },
      reframe_per_second = { ["540p"] = 0.06, ["720p"] = 0.12, ["1080p"] = 0.36 } },
  },
  ["uni-1"] = {
    api = "agents", generation = "agents_image", label = "Uni 1",
    price = agents_price { unit = "image", usd = 0.0404, reference_usd = 0.003 },
  },
  ["uni-1-max"] = {
    api = "agents", generation = "agents_image", label = "Uni 1 Max", price = agents_price { unit = "image", usd = 0.10 },
  },
  -- Operations, by the paths that the vendor's docs give them. `models`: what parameters.model may name.
  ["generations/video/modify"] = {
    api = "dream_machine", generation = "modify_video", label = "Modify a video", models = "video",
  },
  ["generations/video/reframe"] = {
    api = "dream_machine", generation = "reframe_video", label = "Reframe a video", models = "video",
  },
  ["generations/image/reframe"] = {
    api = "dream_machine", generation = "reframe_image", label = "Reframe a picture", models = "image",
  },
  ["generations/{id}/upscale"] = { api = "dream_machine", generation = "upscale_video", label = "Upscale a generation" },
  ["generations/{id}/audio"] = { api = "dream_machine", generation = "add_audio", label = "Add sound to a generation" },
}

-- The paths of Dream Machine. `generations` is the older way to make a video, with the same body.
local PATHS = {
  ["generations"] = "video", ["generations/video"] = "video", ["generations/image"] = "image",
  ["generations/video/modify"] = "modify_video", ["generations/video/reframe"] = "reframe_video",
  ["generations/image/reframe"] = "reframe_image",
}
-- What is done to an earlier generation: generations/<id>/<action>.
local ACTIONS = { upscale = "upscale_video", audio = "add_audio" }

-- ---- what body.lua asks for --------------------------------------------------------------------------------------------

local function list_of(input)
  return input and (input.enum or input.examples)
end

-- The names that decide what is paid, with any model.
local COSTS = {}

for _, kind in pairs(KINDS) do
  local inputs, nested = kind.inputs, kind.nested_inputs or {}
  kind.fields, kind.nested_fields = {}, kind.nested_inputs and {}
  for name in pairs(inputs) do kind.fields[name] = true end
  for name in pairs(nested) do kind.nested_fields[name] = true end
  kind.fields.generation_type = kind.generation_type and true or kind.nested == nil and kind.makes ~= nil or nil
  kind.prompt = inputs.prompt and (inputs.prompt.required and "required" or "optional") or nil
  kind.prompt_max = inputs.prompt and inputs.prompt.maxLength
  kind.aspects, kind.needs_aspect = list_of(inputs.aspect_ratio), inputs.aspect_ratio and inputs.aspect_ratio.required
  kind.resolutions = list_of(inputs.resolution or nested.resolution)
  kind.seconds = list_of(inputs.duration or nested.duration)
  for _, list in ipairs { inputs, nested } do
    for name, input in pairs(list) do COSTS[name] = COSTS[name] or input.x_costs end
  end
end

local MODEL_IDS = {}
for _, key in ipairs(names.sorted(ROWS)) do
  local row = ROWS[key]
  local kind = KINDS[row.generation]
  row.makes, row.kind = kind.makes, kind.makes
  row.inputs = with(with({}, kind.inputs), kind.nested_inputs or {})
  if not PATHS[key] and not string.find(key, "/", 1, true) then MODEL_IDS[#MODEL_IDS + 1] = key end
end

--- What clients are told of the models.
luma_models.FOR_CLIENTS = {}
for _, id in ipairs(MODEL_IDS) do
  local kind = KINDS[ROWS[id].generation]
  luma_models.FOR_CLIENTS[id] = { resolutions = kind.resolutions, seconds = kind.seconds, aspect_ratios = kind.aspects }
end

luma_models.KINDS, luma_models.ROWS, luma_models.MODEL_IDS = KINDS, ROWS, MODEL_IDS
luma_models.PATHS, luma_models.ACTIONS, luma_models.COSTS = PATHS, ACTIONS, COSTS

return luma_models
