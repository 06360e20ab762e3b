-- models.lua - Pika's models, on fal and on Pika's own API: a row each, with inputs and price.
--
-- From the pages of fal-ai/pika/* on fal.ai and from clients of devapi.pika.art, checked 2026-11-23. What decides neither what a
-- request costs nor whether it can be said at all has `examples` instead of an enum: vendors add to their lists.

local check = require "check"
local unlisted = require "fal.unlisted"
local model_inputs = require "model_inputs"
local names = require "names"

local pika_models = {}

local RESOLUTIONS = { "720p", "1080p" }
local DURATIONS = { 5, 10 }
local RATIOS = { "16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3" }
local PIKAFFECTS = {
  "Cake-ify", "Crumble", "Crush", "Decapitate", "Deflate", "Dissolve", "Explode", "Eye-pop", "Inflate", "Levitate", "Melt",
  "Peel", "Poke", "Squish", "Ta-da", "Tear",
}

local PROMPT = { type = "string", required = true, field = "prompt", x_lines = 4, x_order = 1 }
local FREE_PROMPT = { type = "string", field = "prompt", x_lines = 4, x_order = 1 }
local RESOLUTION = {
  type = "string", enum = RESOLUTIONS, default = "720p", field = "parameters.resolution", x_costs = true, x_decides = true,
  x_order = 13,
}
local DURATION = {
  type = "integer", enum = DURATIONS, default = 5, field = "duration_seconds", x_unit = "s", x_costs = true, x_decides = true,
  x_order = 12,
}
local RATIO = { type = "string", examples = RATIOS, field = "aspect_ratio", x_decides = true, x_order = 11 }
local QUOTIENT = {
  type = "number", minimum = 0.4, maximum = 2.5, field = "parameters.aspectRatio", x_decides = true, x_order = 11,
}
local NEGATIVE_PROMPT = {
  type = "string", field = "parameters.negative_prompt", x_lines = 2, x_advanced = true, x_order = 20,
}
local SEED = { type = "integer", x_advanced = true, x_order = 32 }
local MODE = {
  type = "string", examples = { "creative", "precise" }, field = "parameters.ingredients_mode", x_decides = true, x_order = 14,
}

local TRANSITIONS = {
  type = "array", x_costs = true, x_order = 15,
  items = { type = "object", properties = { duration = { type = "number", minimum = 0 }, prompt = { type = "string" } } },
}

local function effect(is_required)
  return {
    type = "string", required = is_required, examples = PIKAFFECTS, field = "parameters.pikaffect", x_decides = true, x_order = 3,
  }
end

local function file(name, kind, is_required)
  return {
    type = "string", required = is_required, field = "parameters." .. name, x_file = kind, x_decides = true,
    x_order = kind == "video" and 2 or 3,
  }
end

-- Pika's own API has uploads instead of addresses.
local function upload(name, kind, is_required)
  local input = file(name, kind, is_required)
  input.contentEncoding = "base64"
  return input
end

local function files(name)
  return { type = "array", required = true, field = "parameters." .. name, x_decides = true }
end

local function with(inputs, more)
  local all = check.copy(inputs)
  for name, input in pairs(more) do all[name] = input end
  return all
end

local function row(label, inputs, price)
  return { makes = "video", kind = "video", mode = "video", label = label, inputs = inputs, price = price }
end

-- A price in dollars, of a second or of a video. `tiers`: what it is at each resolution; `minimum`: units that are billed at
-- least; `checks_usd`: fal's own unit price for which this is written, where that is of something else.
local function price(path, usd, unit, more)
  return with({
    usd = usd, unit = unit, as_of = "2026-11-23", source = "https://fal.ai/models/fal-ai/pika/" .. path,
  }, more or {})
end

local OF_TIME = { negative_prompt = NEGATIVE_PROMPT, seed = SEED, resolution = RESOLUTION, duration = DURATION }
local TEXT_TO_VIDEO = with(OF_TIME, { prompt = PROMPT, aspect_ratio = RATIO })
local IMAGE_TO_VIDEO = with(OF_TIME, { prompt = PROMPT, image_url = file("init_image", "image", true) })
local TIERS = { tiers = { ["720p"] = 0.04, ["1080p"] = 0.09 }, checks_usd = 0.2 }

-- The models on fal, by their paths. Other paths get their parameters as they are. Without a price: none is established.
local FAL_MODELS = model_inputs.rows {
  ["v2.2/text-to-video"] = row("Pika 2.2 (text to video)", TEXT_TO_VIDEO, price("v2.2/text-to-video", 0.04, "second", TIERS)),
  ["v2.2/image-to-video"] = row("Pika 2.2 (image to video)", IMAGE_TO_VIDEO, price("v2.2/image-to-video", 0.04, "second", TIERS)),
  ["v2.2/pikascenes"] = row("Pikascenes 2.2", with(OF_TIME, { -- the inputs beyond the first five are not confirmed
    images = files "references", prompt = FREE_PROMPT, aspect_ratio = RATIO, ingredients_mode = MODE,
  }), price("v2.2/pikascenes", 0.04, "second", { tiers = { ["720p"] = 0.04 }, checks_usd = 0.2 })),
  ["v2.2/pikaframes"] = row("Pikaframes 2.2", {
    image_urls = files "frames", transitions = TRANSITIONS, prompt = FREE_PROMPT, resolution = RESOLUTION,
    negative_prompt = NEGATIVE_PROMPT, seed = SEED,
  }, price("v2.2/pikaframes", 0.04, "second", { tiers = { ["720p"] = 0.04, ["1080p"] = 0.06 }, minimum = 5 })),
  ["v2.1/text-to-video"] = row("Pika 2.1 (text to video)", TEXT_TO_VIDEO),
  ["v2.1/image-to-video"] = row("Pika 2.1 (image to video)", IMAGE_TO_VIDEO, price("v2.1/image-to-video", 0.40, "video")),
  ["v2/turbo/text-to-video"] = row("Pika 2 Turbo (text to video)", TEXT_TO_VIDEO),
  ["v2/turbo/image-to-video"] = row("Pika 2 Turbo (image to video)", IMAGE_TO_VIDEO),
  ["v2/pikadditions"] = row("Pikadditions 2", {
    video_url = file("video", "video", true), image_url = file("init_image", "image", true), prompt = FREE_PROMPT,
    negative_prompt = NEGATIVE_PROMPT, seed = SEED,
  }),
  ["v1.5/pikaffects"] = row("Pikaffects 1.5", {
    image_url = file("init_image", "image", true), pikaffect = effect(true), prompt = FREE_PROMPT,
    negative_prompt = NEGATIVE_PROMPT, seed = SEED,
  }),
}

-- ---- Pika's own API ----------------------------------------------------------------------------------------------------

local DIRECT = { negativePrompt = NEGATIVE_PROMPT, seed = SEED, duration = DURATION, resolution = RESOLUTION }
local DIRECT_TEXT = with(DIRECT, { promptText = PROMPT, aspectRatio = QUOTIENT })
local DIRECT_IMAGE = with(DIRECT, { promptText = FREE_PROMPT, image = upload("init_image", "image", true) })
local IMAGE, VIDEO = upload("init_image", "image", true), upload("video", "video", true)

local DIRECT_MODELS = model_inputs.rows {
  ["generate/2.2/t2v"] = row("Pika 2.2 (text to video, direct)", DIRECT_TEXT),
  ["generate/2.2/i2v"] = row("Pika 2.2 (image to video, direct)", DIRECT_IMAGE),
  ["generate/turbo/t2v"] = row("Pika Turbo (text to video, direct)", DIRECT_TEXT),
  ["generate/turbo/i2v"] = row("Pika Turbo (image to video, direct)", DIRECT_IMAGE),
  ["generate/2.2/pikascenes"] = row("Pikascenes 2.2 (direct)", {
    images = files "references", promptText = FREE_PROMPT, aspectRatio = QUOTIENT, duration = DURATION, resolution = RESOLUTION,
    ingredientsMode = with(MODE, { required = true }),
  }),
  ["generate/2.2/pikaframes"] = row("Pikaframes 2.2 (direct)", {
    keyFrames = files "frames", promptText = PROMPT, resolution = RESOLUTION,
    duration = { type = "number", minimum = 5, maximum = 10, field = "duration_seconds", x_unit = "s", x_costs = true },
  }),
  ["generate/pikaffects"] = row("Pikaffects (direct)", { image = IMAGE, pikaffect = effect(false), promptText = FREE_PROMPT }),
  ["generate/pikadditions"] = row("Pikadditions (direct)", { video = VIDEO, image = IMAGE, promptText = FREE_PROMPT }),
  ["generate/pikaswaps"] = row("Pikaswaps (direct)", {
    video = VIDEO, image = upload("init_image", "image", false), modifyRegionMask = upload("mask", "image", false),
    modifyRegionRoi = { type = "string", field = "parameters.modify_region" }, promptText = FREE_PROMPT,
  }),
}

pika_models.RESOLUTIONS, pika_models.DURATIONS, pika_models.RATIOS = RESOLUTIONS, DURATIONS, RATIOS
pika_models.PIKAFFECTS = PIKAFFECTS
pika_models.FAL, pika_models.DIRECT = unlisted.rows(FAL_MODELS), unlisted.rows(DIRECT_MODELS)
pika_models.FAL_NAMES, pika_models.DIRECT_NAMES = names.sorted(FAL_MODELS), names.sorted(DIRECT_MODELS)

return pika_models
