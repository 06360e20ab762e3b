-- models.lua - the models of fal that are described here: a row each, with inputs and price.
--
-- Inputs as in the types of fal's client (npm @fal-ai/client 1.10.1); prices from fal's own list, else from the models' pages.
-- What decides neither what a request costs nor whether it can be said at all has `examples` instead of an enum: fal adds to its
-- lists. Any other model of fal gets its parameters as they are (undescribed.lua).

local check = require "check"
local unlisted = require "fal.unlisted"
local model_inputs = require "model_inputs"
local names = require "names"

local models = {}

local IMAGE_MODES = { "flux", "sdxl" }
models.IMAGE_MODES = IMAGE_MODES
models.OF_MODE = {
  flux = "fal-ai/flux/schnell", sdxl = "fal-ai/fast-sdxl", video = "fal-ai/kling-video/v2.5-turbo/pro/text-to-video",
}
models.VIDEO_OF_PICTURE = "fal-ai/kling-video/v2.5-turbo/pro/image-to-video"

-- Shown for a request for images without a model. What a model cannot take of them is left to the model.
local DEFAULTS = { guidance_scale = 7.5, steps = 30, resolution = "1024x1024" }
models.DEFAULTS = DEFAULTS

local function with(inputs, more)
  local all = check.copy(inputs)
  for name, input in pairs(more) do all[name] = input end
  return all
end

-- `more`: `high_usd`, where two lists disagree; `times`, what a unit is multiplied by where an input has this value.
local function price(model, usd, unit, as_of, more)
  return with({ usd = usd, unit = unit, as_of = as_of, source = "https://fal.ai/models/" .. model }, more or {})
end

-- ---- images ------------------------------------------------------------------------------------------------------------

local SIDE = { type = "integer", minimum = 1, maximum = 65535 }
local IMAGE_SIZE = {
  description = "a size by its name, or { width, height }", x_decides = true, x_costs = true, x_order = 10,
  default = "landscape_4_3",
  anyOf = {
    { type = "string",
      enum = { "landscape_16_9", "landscape_4_3", "portrait_16_9", "portrait_4_3", "square", "square_hd" } },
    { type = "object", required = { "width", "height" }, properties = { width = SIDE, height = SIDE } },
  },
}
local PROMPT = { type = "string", required = true, field = "prompt", x_lines = 4, x_order = 1 }
local SEED = { type = "integer", x_advanced = true, x_order = 32 }
local SWITCH = { type = "boolean", x_advanced = true, x_order = 40 }
local NEGATIVE_PROMPT = {
  type = "string", x_lines = 2, x_advanced = true, field = "parameters.negative_prompt", x_order = 20,
}
local SAFETY = { type = "string", examples = { "1", "2", "3", "4", "5", "6" }, x_advanced = true, x_order = 41 }

local function guidance(default)
  return { type = "number", default = default, x_advanced = true, field = "parameters.guidance_scale", x_order = 31 }
end

local function count(most)
  return {
    type = "integer", minimum = 1, maximum = most, default = 1, field = "parameters.samples", x_costs = true, x_order = 14,
  }
end

local function steps(most, default)
  return {
    type = "integer", minimum = 1, maximum = most, default = default, field = "parameters.steps", x_costs = true,
    x_advanced = true, x_order = 30,
  }
end

local function picture(is_required, field)
  return {
    type = "string", required = is_required, field = field or "parameters.init_image", x_file = "image", x_decides = true,
    x_order = is_required and 2 or 3,
  }
end

local COMMON = { prompt = PROMPT, num_images = count(4), seed = SEED, enable_safety_checker = SWITCH, sync_mode = SWITCH }
local FLUX = with(COMMON, {
  image_size = IMAGE_SIZE, guidance_scale = guidance(3.5),
  output_format = { type = "string", examples = { "jpeg", "png" }, x_order = 16 },
  acceleration = { type = "string", examples = { "none", "regular", "high" }, x_advanced = true, x_order = 42 },
})
local FLUX_DEV = with(FLUX, { num_inference_steps = steps(50, 28) })
local FLUX_PRO = with(COMMON, {
  num_images = count(nil), output_format = FLUX.output_format, enhance_prompt = SWITCH, safety_tolerance = SAFETY,
})

local function image(label, mode, inputs, its_price)
  return { makes = "image", kind = "image", mode = mode, label = label, inputs = inputs, price = its_price }
end

-- ---- videos ------------------------------------------------------------------------------------------------------------

local function seconds(texts, default)
  return {
    type = "string", enum = texts, default = default, field = "duration_seconds", x_unit = "s", x_costs = true, x_decides = true,
    x_order = 12,
  }
end

local function shape(texts, default)
  return { type = "string", examples = texts, default = default, field = "aspect_ratio", x_decides = true, x_order = 11 }
end

local KLING = {
  prompt = PROMPT, duration = seconds({ "5", "10" }, "5"), negative_prompt = NEGATIVE_PROMPT,
  cfg_scale = { type = "number", default = 0.5, x_advanced = true, field = "parameters.cfg_scale", x_order = 31 },
}
local VEO = {
  prompt = PROMPT, duration = seconds({ "4s", "6s", "8s" }, "8s"), aspect_ratio = shape({ "16:9", "9:16" }, "16:9"),
  resolution = {
    type = "string", enum = { "720p", "1080p", "4k" }, default = "720p", x_costs = true, x_decides = true,
    field = "parameters.resolution", x_order = 13,
  },
  generate_audio = { type = "boolean", default = true, x_costs = true, field = "parameters.generate_audio", x_order = 15 },
  negative_prompt = NEGATIVE_PROMPT, seed = SEED, auto_fix = SWITCH, safety_tolerance = SAFETY,
}

local function video(label, inputs, its_price)
  return { makes = "video", kind = "video", mode = "video", label = label, inputs = inputs, price = its_price }
end

local PAGES, LIST = "2026-11-23", "2026-11-29" -- when pages and fal's own list were read
local TEXT_TO_VIDEO, PICTURE_TO_VIDEO = models.OF_MODE.video, models.VIDEO_OF_PICTURE

local ROWS = model_inputs.rows {
  ["fal-ai/flux/schnell"] = image("Flux schnell", "flux", with(FLUX, { num_inference_steps = steps(12, 4) }),
    price("fal-ai/flux/schnell", 0.003, "megapixel", PAGES)),
  ["fal-ai/flux/dev"] = image("Flux dev", "flux", FLUX_DEV, price("fal-ai/flux/dev", 0.025, "megapixel", PAGES)),
  ["fal-ai/flux/dev/image-to-image"] = image("Flux dev (image to image)", "flux", with(FLUX_DEV, {
    image_url = picture(true), strength = { type = "number", default = 0.95, x_order = 15 },
  })), -- no established price
  ["fal-ai/flux-pro/v1.1"] = image("Flux Pro 1.1", "flux", with(FLUX_PRO, { image_size = IMAGE_SIZE }),
    price("fal-ai/flux-pro/v1.1", 0.04, "megapixel", PAGES, { high_usd = 0.055 })), -- two lists disagree
  ["fal-ai/flux-pro/v1.1-ultra"] = image("Flux Pro 1.1 Ultra", "flux", with(FLUX_PRO, {
    aspect_ratio = {
      type = "string", examples = { "21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21" }, default = "16:9",
      x_decides = true, x_order = 11,
    },
    raw = SWITCH, image_url = picture(false), image_prompt_strength = { type = "number", x_advanced = true, x_order = 33 },
  }), price("fal-ai/flux-pro/v1.1-ultra", 0.06, "image", PAGES)),
  ["fal-ai/fast-sdxl"] = image("Stable Diffusion XL", "sdxl", with(COMMON, {
    num_images = count(nil), image_size = with(IMAGE_SIZE, { default = "square_hd" }), negative_prompt = NEGATIVE_PROMPT,
    num_inference_steps = steps(nil, 25), guidance_scale = guidance(7.5), expand_prompt = SWITCH,
    loras = { type = "array", x_advanced = true, x_order = 43 },
    embeddings = { type = "array", x_advanced = true, x_order = 44 },
    safety_checker_version = { type = "string", examples = { "v1", "v2" }, x_advanced = true, x_order = 45 },
    request_id = { type = "string", x_advanced = true, x_order = 46 },
    format = { type = "string", examples = { "jpeg", "png" }, field = "parameters.output_format", x_order = 16 },
  })), -- by the second of computing, of which the request says nothing
  [TEXT_TO_VIDEO] = video("Kling 2.5 Turbo Pro (text to video)", with(KLING, {
    aspect_ratio = shape({ "16:9", "9:16", "1:1" }, "16:9"),
  }), price(TEXT_TO_VIDEO, 0.07, "second", LIST)),
  [PICTURE_TO_VIDEO] = video("Kling 2.5 Turbo Pro (image to video)", with(KLING, {
    image_url = picture(true), tail_image_url = picture(false, "parameters.last_image"),
  })), -- no established price
  -- A unit is a second with sound at 720p or 1080p.
  ["fal-ai/veo3.1"] = video("Veo 3.1 (text to video)", VEO, price("fal-ai/veo3.1", 0.4, "second", LIST, {
    times = { { input = "generate_audio", value = false, by = 0.5 }, { input = "resolution", value = "4k", by = 1.5 } },
  })),
}

--- The rows, by id.
models.ROWS = unlisted.rows(ROWS)

models.NAMES = names.sorted(ROWS)

--- Whether a request is read by the words for videos: its model's row says so, else the kind that is asked for.
function models.is_video(model, kind)
  local row = model and ROWS[model]
  return (row and row.kind or kind) == "video"
end

local OF_MODE = models.OF_MODE
local USUAL = OF_MODE[IMAGE_MODES[1]]

--- The model of a payload.
function models.of_payload(payload)
  return payload.model or OF_MODE[payload.mode] or USUAL
end

return models
