-- replicate_prices.lua - what official models of Replicate cost in the simulator: by what comes out, as metrics count it.
--
-- An image costs the same whatever its size, but for a few; a video costs by its seconds. What was refused for its contents was
-- made before, and is counted; what failed or was stopped was not.

local prices = {}

-- USD an image.
local IMAGES = {
  ["black-forest-labs/flux-schnell"] = 0.003, ["black-forest-labs/flux-dev"] = 0.025, ["black-forest-labs/flux-1.1-pro"] = 0.04,
  ["black-forest-labs/flux-kontext-pro"] = 0.04, ["bytedance/seedream-4"] = 0.03, ["bytedance/seedream-4.5"] = 0.04,
  ["google/imagen-4"] = 0.04, ["google/nano-banana"] = 0.039, ["prunaai/p-image"] = 0.005, ["qwen/qwen-image"] = 0.025,
  ["recraft-ai/recraft-v4"] = 0.04, ["xai/grok-imagine-image"] = 0.02,
  ["google/nano-banana-pro"] = { ["1K"] = 0.15, ["2K"] = 0.15, ["4K"] = 0.3, default = "2K" },
  ["black-forest-labs/flux-2-pro"] = { ["0.5 MP"] = 0.0225, ["1 MP"] = 0.03, ["2 MP"] = 0.045, ["4 MP"] = 0.075,
    default = "1 MP" },
}

-- USD a second: by resolution, with and without sound, or one for all; and the length that is made unless another is asked for.
local VIDEOS = {
  ["bytedance/seedance-1-lite"] = { ["480p"] = 0.018, ["720p"] = 0.036, ["1080p"] = 0.072, default = "720p", length = 5 },
  ["bytedance/seedance-1-pro-fast"] = { ["480p"] = 0.015, ["720p"] = 0.025, ["1080p"] = 0.06, default = "1080p", length = 5 },
  ["bytedance/seedance-1.5-pro"] = { silent = 0.026, sound = 0.052, length = 5 },
  ["google/veo-3.1-fast"] = { silent = 0.1, sound = 0.15, has_sound = true, length = 8 },
  ["kwaivgi/kling-v2.5-turbo-pro"] = { usd = 0.07, length = 5 },
  ["kwaivgi/kling-v2.6"] = { silent = 0.07, sound = 0.14, has_sound = true, length = 5 },
  ["lightricks/ltx-2.3-fast"] = { ["1080p"] = 0.04, ["2k"] = 0.08, ["4k"] = 0.16, default = "1080p", length = 6 },
  ["minimax/hailuo-2.3"] = { ["768p"] = 0.0466, ["1080p"] = 0.0816, default = "768p", length = 6 },
  ["minimax/hailuo-2.3-fast"] = { ["768p"] = 0.0316, ["1080p"] = 0.055, default = "768p", length = 6 },
  ["openai/sora-2"] = { usd = 0.1, length = 4 }, ["runwayml/gen-4.5"] = { usd = 0.12, length = 5 },
  ["wan-video/wan-2.6-i2v"] = { ["720p"] = 0.1, ["1080p"] = 0.15, default = "720p", length = 5 },
  ["wan-video/wan-2.6-t2v"] = { ["1280*720"] = 0.1, ["720*1280"] = 0.1, ["1920*1080"] = 0.15, ["1080*1920"] = 0.15,
    default = "1280*720", length = 5 },
  ["wan-video/wan-2.7-t2v"] = { usd = 0.1, length = 5 }, ["xai/grok-imagine-video"] = { usd = 0.05, length = 5 },
}

local function image(price, input, count)
  local usd, tier = price, nil
  if type(price) == "table" then
    tier = tostring(input.resolution or price.default)
    usd = price[tier] or price[price.default]
  end
  local metrics = { image_output_count = count, resolution_target = tier }
  return { usd = usd * count, kind = "image", count = count, metrics = metrics }
end

local function video(price, input)
  local seconds = tonumber(input.duration) or tonumber(input.seconds) or price.length
  local sound = nil
  if price.silent then sound = input.generate_audio == true or input.generate_audio == nil and price.has_sound or false end
  local tier = price.default and tostring(input.resolution or input.size or price.default)
  local usd = price.usd or sound and price.sound or price.silent or price[tier] or price[price.default]
  return { usd = usd * seconds, kind = "video", seconds = seconds, metrics = { video_output_count = 1,
    video_output_duration_seconds = seconds, with_audio = sound, resolution_target = tier } }
end

--- What an official model makes of an input: { usd =, kind = "image" | "video", count =, seconds =, metrics = }; nil for one
--- whose price is not known here. Flux models of 2024 count by an older name.
function prices.units(model, input)
  if IMAGES[model] then
    local count = math.tointeger(input.num_outputs) or 1
    local units = image(IMAGES[model], input, count)
    if model:find("/flux%-[sd1]") then units.metrics = { image_count = count } end
    return units
  end
  return VIDEOS[model] and video(VIDEOS[model], input) or nil
end

return prices
