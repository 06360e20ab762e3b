-- fal_units.lua - what fal bills, for the simulator: units as they were recorded, which are not the obvious product.
--
-- Recorded figures and what they show: docs/provider-scripts.md, prices. A unit may be a second with sound, a thousand tokens, a
-- twentieth of a dollar; what is not recorded is modelled on what is.
local directory = require "sim.fal_directory"
local sim = require "sim.core"

local fal_units = {}

local SIZES = { square_hd = { 1024, 1024 }, square = { 512, 512 }, portrait_4_3 = { 768, 1024 }, portrait_16_9 = { 576, 1024 },
  landscape_4_3 = { 1024, 768 }, landscape_16_9 = { 1024, 576 } }
fal_units.SIZES = SIZES
local PRICES = { -- unit_price, unit
  ["fal-ai/flux/schnell"] = { 0.003, "megapixels" }, ["fal-ai/flux/dev"] = { 0.025, "megapixels" },
  ["fal-ai/flux/dev/image-to-image"] = { 0.03, "megapixels" }, ["fal-ai/flux-pro/v1.1"] = { 0.04, "megapixels" },
  ["fal-ai/flux-pro/v1.1-ultra"] = { 0.06, "images" }, ["fal-ai/fast-sdxl"] = { 0.00111, "compute seconds" },
  ["fal-ai/qwen-image"] = { 0.02, "megapixels" }, ["fal-ai/qwen-image-edit"] = { 0.03, "megapixels" },
  ["fal-ai/gpt-image-1.5"] = { 1, "units" }, ["xai/grok-imagine-video/image-to-video"] = { 0.05, "units" },
  ["fal-ai/kling-video/v2.5-turbo/pro/text-to-video"] = { 0.07, "seconds" },
  ["fal-ai/kling-video/v2.5-turbo/pro/image-to-video"] = { 0.07, "seconds" },
  ["fal-ai/kling-video/v3/pro/text-to-video"] = { 0.14, "seconds" },
  ["fal-ai/kling-video/v3/standard/text-to-video"] = { 0.14, "seconds" },
  ["fal-ai/ltx-2/text-to-video"] = { 0.0016, "megapixels" },
  ["fal-ai/pika/v2.2/text-to-video"] = { 0.2, "video" }, ["fal-ai/pika/v2.2/image-to-video"] = { 0.2, "video" },
  ["fal-ai/pika/v2.2/pikascenes"] = { 0.2, "video" }, ["fal-ai/pika/v2.2/pikaframes"] = { 0.04, "seconds" },
  ["fal-ai/pika/v2.1/text-to-video"] = { 0.4, "video" }, ["fal-ai/pika/v2.1/image-to-video"] = { 0.4, "video" },
  ["fal-ai/pika/v2/turbo/text-to-video"] = { 0.2, "video" }, ["fal-ai/pika/v2/turbo/image-to-video"] = { 0.2, "video" },
  ["fal-ai/pika/v2/pikadditions"] = { 0.3, "video" }, ["fal-ai/pika/v1.5/pikaffects"] = { 0.3, "video" },
}
directory.publish(PRICES)

-- What a request says --------------------------------------------------------------------------------------------------------

local function number(value)
  if type(value) == "string" then value = tonumber((value:gsub("s$", ""))) end
  return type(value) == "number" and value > 0 and value or nil
end

--- Width and height of a picture or frame: as they were asked for, else the usual ones.
function fal_units.sides(input)
  local size = sim.given(input.image_size) and input.image_size or "landscape_4_3"
  if type(size) == "table" and number(size.width) and number(size.height) then return size.width, size.height end
  if number(input.width) and number(input.height) then return input.width, input.height end
  local sides = SIZES[size] or SIZES.landscape_4_3
  return sides[1], sides[2]
end

--- How long a video or a sound will be.
function fal_units.seconds(input, otherwise)
  return number(input.duration) or otherwise or 5
end

local function images(input)
  return math.tointeger(input.num_images) or 1
end

-- Units by the name of the unit ----------------------------------------------------------------------------------------------

-- 2^20 pixels are one, whatever is begun counts.
local function megapixels(input)
  if number(input.num_frames) then
    local width, height = fal_units.sides(input)
    return math.ceil(width * height * input.num_frames / 1e6)
  end
  local width, height = fal_units.sides(input)
  return math.ceil(width * height / 2 ^ 20) * images(input)
end

local BY_UNIT = {
  megapixels = megapixels, images = images,
  seconds = function(input) return fal_units.seconds(input) end,
  ["compute seconds"] = function(input) return (number(input.num_inference_steps) or 25) * 0.08 * images(input) end,
  ["1000 characters"] = function(input) return #tostring(sim.given(input.text) and input.text or input.prompt or "") / 1000 end,
  ["video segments"] = function(input) return math.ceil(fal_units.seconds(input) / 5) end,
}

-- Units of one model ---------------------------------------------------------------------------------------------------------

-- 1376x768 is one megapixel still.
local function nearest_megapixels(input)
  local width, height = fal_units.sides(input)
  return math.max(1, math.floor(width * height / 2 ^ 20 + 0.5)) * images(input)
end

local function with_sound(silent, loud)
  return function(input)
    return fal_units.seconds(input) * (input.generate_audio == false and silent or loud)
  end
end

local AREAS = { ["480p"] = 640 * 640, ["720p"] = 960 * 960, ["1080p"] = 1440 * 1440 }

-- Thousands of tokens: 24 frames a second, and one more.
local function seedance(input)
  local frames = 24 * fal_units.seconds(input) + 1
  return (AREAS[input.resolution] or AREAS["720p"]) * frames / 1024 / 1000
end

local QUALITIES = { low = 0.02, medium = 0.05, high = 0.2 }

local function by_quality(input)
  return images(input) * (QUALITIES[input.quality] or QUALITIES.high)
end

local function nano_banana(input)
  return images(input) * (input.resolution == "4K" and 2 or 1) + (input.enable_web_search == true and 0.1 or 0)
end

local function veo(input)
  local factor = (input.generate_audio == false and 0.5 or 1) * (input.resolution == "4k" and 1.5 or 1)
  return fal_units.seconds(input, 8) * factor
end

local function grok(input)
  return (fal_units.seconds(input, 6) * 0.07 + 0.002) / 0.05
end

local function pika(input)
  return fal_units.seconds(input) / 5 * (input.resolution == "1080p" and 2.25 or 1)
end

local function pikaframes(input)
  local total = 0
  for _, transition in ipairs(type(input.transitions) == "table" and input.transitions or {}) do
    total = total + (number(transition.duration) or 5)
  end
  return math.max(5, total) * (input.resolution == "1080p" and 1.5 or 1)
end

local BY_MODEL = {
  ["fal-ai/qwen-image"] = nearest_megapixels, ["fal-ai/qwen-image-edit"] = nearest_megapixels,
  ["fal-ai/gpt-image-1.5"] = by_quality, ["openai/gpt-image-2"] = by_quality, ["fal-ai/nano-banana-pro"] = nano_banana,
  ["fal-ai/veo3.1"] = veo, ["bytedance/seedance-2.0/text-to-video"] = seedance,
  ["fal-ai/kling-video/v3/pro/text-to-video"] = with_sound(0.8, 1.2),
  ["fal-ai/kling-video/v3/standard/text-to-video"] = with_sound(0.6, 0.9),
  ["xai/grok-imagine-video/image-to-video"] = grok,
  ["fal-ai/pika/v2.2/text-to-video"] = pika, ["fal-ai/pika/v2.2/image-to-video"] = pika,
  ["fal-ai/pika/v2.2/pikascenes"] = pika, ["fal-ai/pika/v2.2/pikaframes"] = pikaframes,
}

--- What a request costs in dollars, and the units of it; nil when the model has no price.
function fal_units.bill(model, input)
  local usd, unit = directory.price(model)
  if not usd then return nil end
  local count = (BY_MODEL[model] or BY_UNIT[unit] or function() return 1 end)(input)
  return count * usd, count
end

return fal_units
