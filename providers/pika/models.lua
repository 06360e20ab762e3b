-- models.lua - the inputs of Pika's models, on fal and on Pika's own API: data of providers/video_pika.lua.
--
-- From the pages of fal-ai/pika/* on fal.ai and from clients of devapi.pika.art, checked 2026-11-23.

local model_inputs = require "model_inputs"

local pika_models = {}

local RESOLUTIONS = { "720p", "1080p" }
local DURATIONS = { 5, 10 }
local RATIOS = { "16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3" }
local PIKAFFECTS = {
  "Cake-ify", "Crumble", "Crush", "Decapitate", "Deflate", "Dissolve", "Explode", "Eye-pop", "Inflate", "Levitate", "Melt",
  "Peel", "Poke", "Squish", "Ta-da", "Tear",
}
local INGREDIENTS_MODES = { "creative", "precise" }

local REQUIRED = { required = true }
local RESOLUTION, DURATION = { values = RESOLUTIONS }, { values = DURATIONS, field = "duration_seconds" }
local EFFECT = { required = true, values = PIKAFFECTS, field = "parameters.pikaffect" }

local function required_as(field)
  return { required = true, field = "parameters." .. field }
end

local TEXT_TO_VIDEO = {
  prompt = REQUIRED, aspect_ratio = { values = RATIOS, field = "aspect_ratio" }, resolution = RESOLUTION, duration = DURATION,
  negative_prompt = {}, seed = {},
}
local IMAGE_TO_VIDEO = {
  image_url = required_as "init_image", prompt = REQUIRED, resolution = RESOLUTION, duration = DURATION, negative_prompt = {},
  seed = {},
}

-- The inputs of the models on fal, by their paths. Other paths are sent unchecked.
local FAL_MODELS = model_inputs.describe_all {
  ["v2.2/text-to-video"] = TEXT_TO_VIDEO, ["v2.2/image-to-video"] = IMAGE_TO_VIDEO,
  ["v2.2/pikascenes"] = { -- the inputs beyond the first five are not confirmed
    images = required_as "references", prompt = {}, aspect_ratio = TEXT_TO_VIDEO.aspect_ratio, resolution = RESOLUTION,
    duration = DURATION, ingredients_mode = { values = INGREDIENTS_MODES }, negative_prompt = {}, seed = {},
  },
  ["v2.2/pikaframes"] = {
    image_urls = required_as "frames", transitions = {}, prompt = {}, resolution = RESOLUTION, seed = {},
  },
  ["v2.1/text-to-video"] = TEXT_TO_VIDEO, ["v2.1/image-to-video"] = IMAGE_TO_VIDEO,
  ["v2/turbo/text-to-video"] = TEXT_TO_VIDEO, ["v2/turbo/image-to-video"] = IMAGE_TO_VIDEO,
  ["v2/pikadditions"] = { video_url = required_as "video", image_url = required_as "init_image", prompt = {} },
  ["v1.5/pikaffects"] = { image_url = required_as "init_image", pikaffect = EFFECT },
}

local DIRECT_TEXT_TO_VIDEO = {
  promptText = { required = true, field = "prompt" }, negativePrompt = {}, seed = {}, duration = DURATION,
  resolution = RESOLUTION, aspectRatio = { min = 0.4, max = 2.5 },
}
local DIRECT_IMAGE_TO_VIDEO = {
  image = required_as "init_image", promptText = {}, negativePrompt = {}, seed = {}, duration = DURATION, resolution = RESOLUTION,
}

local DIRECT_MODELS = model_inputs.describe_all {
  ["generate/2.2/t2v"] = DIRECT_TEXT_TO_VIDEO, ["generate/2.2/i2v"] = DIRECT_IMAGE_TO_VIDEO,
  ["generate/turbo/t2v"] = DIRECT_TEXT_TO_VIDEO, ["generate/turbo/i2v"] = DIRECT_IMAGE_TO_VIDEO,
  ["generate/2.2/pikascenes"] = {
    images = required_as "references", promptText = {}, aspectRatio = DIRECT_TEXT_TO_VIDEO.aspectRatio, duration = DURATION,
    resolution = RESOLUTION,
    ingredientsMode = { required = true, values = INGREDIENTS_MODES, field = "parameters.ingredients_mode" },
  },
  ["generate/2.2/pikaframes"] = {
    keyFrames = required_as "frames", promptText = { required = true, field = "prompt" }, resolution = RESOLUTION,
    duration = { min = 5, max = 10, field = "duration_seconds" },
  },
  ["generate/pikaffects"] = { image = required_as "init_image", pikaffect = { values = PIKAFFECTS }, promptText = {} },
  ["generate/pikadditions"] = { video = required_as "video", image = required_as "init_image", promptText = {} },
  ["generate/pikaswaps"] = {
    video = required_as "video", image = {}, modifyRegionMask = {}, modifyRegionRoi = {}, promptText = {},
  },
}

pika_models.RESOLUTIONS, pika_models.DURATIONS, pika_models.RATIOS = RESOLUTIONS, DURATIONS, RATIOS
pika_models.PIKAFFECTS = PIKAFFECTS
pika_models.FAL, pika_models.DIRECT = FAL_MODELS, DIRECT_MODELS

return pika_models
