-- models.lua - the image models of fal that are described here, and which of them a request means.

local check = require "check"
local model_inputs = require "model_inputs"
local names = require "names"

local models = {}

local MODES = { "flux", "sdxl" }
models.MODES = MODES
models.OF_MODE = { flux = "fal-ai/flux/schnell", sdxl = "fal-ai/fast-sdxl" }

-- Shown for a request without a model. What a model cannot take of them is left to the model.
local DEFAULTS = { guidance_scale = 7.5, steps = 30, resolution = "1024x1024" }
models.DEFAULTS = DEFAULTS

local IMAGE_FORMATS = { values = { "jpeg", "png" } }

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
  ["fal-ai/flux-pro/v1.1-ultra"] = with(FLUX_PRO, {
    aspect_ratio = {}, raw = {}, image_url = { field = "parameters.init_image" }, image_prompt_strength = {},
  }),
  ["fal-ai/fast-sdxl"] = with(COMMON, {
    num_images = { min = 1 }, image_size = {}, negative_prompt = {}, num_inference_steps = {}, guidance_scale = {},
    loras = {}, embeddings = {}, expand_prompt = {}, format = IMAGE_FORMATS,
  }),
}

--- The descriptions of models, by id.
models.MODELS = MODELS

local MODEL_NAMES = names.sorted(MODELS)
models.NAMES = MODEL_NAMES

--- The model of a payload.
function models.of_payload(payload)
  return payload.model or models.OF_MODE[payload.mode] or models.OF_MODE[MODES[1]]
end

return models
