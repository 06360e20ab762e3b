-- prices.lua - what Luma's models cost, and what a request will.

local plans = require "plan"
local usd = require "usd"

local luma_prices = {}

-- US dollars. Dream Machine's are approximate: about 0.0064 a million pixels for ray-2.
luma_prices.PRICING = {
  as_of = "2026-11-23", source = "https://docs.comfy.org", unit = "generation", approximate = true,
  ["ray-2"] = {
    ["540p"] = { ["5s"] = 0.40 }, ["720p"] = { ["5s"] = 0.71, ["9s"] = 1.27 }, ["1080p"] = { ["5s"] = 1.59, ["9s"] = 2.87 },
    ["4k"] = { ["5s"] = 6.37, ["9s"] = 11.47 },
  },
  ["ray-flash-2"] = { ["4k"] = { ["5s"] = 2.19, ["9s"] = 3.94 }, share_of_ray_2 = 0.34 },
  ["photon-1"] = { expected = 0.015, low = 0.015, high = 0.015 },
  ["photon-flash-1"] = { expected = 0.004, low = 0.002, high = 0.004 },
  agents = {
    as_of = "2026-07-10", source = "https://docs.agents.lumalabs.ai",
    sdr_5s = { ["540p"] = 0.15, ["720p"] = 0.30, ["1080p"] = 1.20 }, ten_seconds_factor = 3,
    hdr_5s = { ["720p"] = 0.60, ["1080p"] = 2.40 }, hdr_and_exr_5s = { ["720p"] = 0.90, ["1080p"] = 3.60 },
    edit_5s = { ["540p"] = 0.72, ["720p"] = 1.08, ["1080p"] = 2.16 },
    reframe_per_second = { ["540p"] = 0.06, ["720p"] = 0.12, ["1080p"] = 0.36 },
    ["uni-1"] = 0.0404, uni_1_reference = 0.003, ["uni-1-max"] = 0.10,
  },
}

local PRICING, AGENTS = luma_prices.PRICING, luma_prices.PRICING.agents

local NO_MODEL = "a published price of this model"

-- What is not listed follows from what is: the price goes with the pixels, so with the length, and from model to model. nil
-- when nothing
-- is: a model may be offered before its price is known.
local function dream_video_price(model, resolution, duration)
  local rows = PRICING[model]
  local listed = type(rows) == "table" and rows[resolution] or nil
  if listed and listed[duration] then return listed[duration] end
  if model == "ray-flash-2" then
    local price, share = dream_video_price("ray-2", resolution, duration), rows and rows.share_of_ray_2
    return price and share and usd.to_cents(price * share)
  end
  return listed and listed["5s"] and usd.to_cents(listed["5s"] * 9 / 5)
end

local function dream_video_estimate(body)
  local resolution, duration = body.resolution, body.duration
  local missing = not resolution and "the resolution" or (not duration and "the length") or nil
  local low = dream_video_price(body.model, resolution or "540p", duration or "5s")
  local high = dream_video_price(body.model, resolution or "4k", duration or "9s")
  if not low or not high then return nil, NO_MODEL end
  local seconds = duration and math.tointeger(tonumber(string.sub(duration, 1, -2)))
  local expected = not missing and high or nil
  return { expected = expected, low = low, high = high, unit = "second", quantity = seconds, missing = missing }
end

-- New video by ray-3.2. An edit or a reframe lasts as long as its source, which is not known here.
local function agents_video_estimate(body)
  local prices, video = AGENTS, type(body.video) == "table" and body.video or {}
  if body.type ~= "video" then return nil, "the length of the source video" end
  local table_name = video.hdr and (video.exr_export and "hdr_and_exr_5s" or "hdr_5s") or "sdr_5s"
  local five = prices[table_name][video.resolution or "720p"]
  if not five then return nil, "the price of this resolution" end
  if video.hdr or video.duration == "5s" then
    return { expected = five, low = five, high = five, unit = "second", quantity = 5 }
  end
  local ten = usd.to_cents(five * prices.ten_seconds_factor)
  if video.duration == "10s" then return { expected = ten, low = ten, high = ten, unit = "second", quantity = 10 } end
  return { low = five, high = ten, unit = "second", missing = "the length" }
end

local function agents_image_estimate(body)
  local references = type(body.image_ref) == "table" and #body.image_ref or 0
  local price = AGENTS[body.model]
  if type(price) ~= "number" then return nil, NO_MODEL end
  if body.model == "uni-1" then
    price = math.floor((price + references * AGENTS.uni_1_reference) * 10000 + 0.5) / 10000
  elseif references > 0 then
    return { low = price, unit = "image", quantity = 1, missing = "the price of reference images" }
  end
  return { expected = price, low = price, high = price, unit = "image", quantity = 1 }
end

local function estimate_of(plan)
  local body, route = plan.body, plan.route
  if route.kind == "agents_video" then return agents_video_estimate(body) end
  if route.kind == "agents_image" then return agents_image_estimate(body) end
  if route.kind == "video" then return dream_video_estimate(body) end
  if route.kind == "image" then
    local price = PRICING[body.model]
    if type(price) ~= "table" or not price.expected then return nil, NO_MODEL end
    return { expected = price.expected, low = price.low, high = price.high, unit = "image", quantity = 1 }
  end
  return nil, "a published price of " .. route.path
end

--- What the request of a plan costs, as a script's estimate; nil and what is missing.
function luma_prices.estimate(plan)
  if plans.unpriced_by(plan) then return nil, plans.unpriced_by(plan) end
  local result, missing = estimate_of(plan)
  if not result then return nil, missing end
  local prices = plan.route.api == "agents" and AGENTS or PRICING
  result.model, result.source, result.as_of = plan.body.model, prices.source, prices.as_of
  if prices == PRICING then result.approximate = true end
  return result
end

return luma_prices
