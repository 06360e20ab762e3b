-- prices.lua - what Runway's models cost, and what a request will.

local plans = require "plan"

local runway_prices = {}

-- Dividing by it keeps cents exact, where multiplying by 0.01 does not.
local CREDITS_PER_USD = 100
runway_prices.CREDITS_PER_USD = CREDITS_PER_USD

local NONE = {}

-- Credits; where there are two figures the lower is presumably without sound.
runway_prices.PRICING = {
  as_of = "2026-11-23", source = "https://docs.dev.runwayml.com", unit = "credit", usd_per_credit = 1 / CREDITS_PER_USD,
  credits_per_second = {
    ["gen4.5"] = { 12, 12 }, gen4_turbo = { 5, 5 }, ["veo3.1"] = { 20, 40 }, ["veo3.1_fast"] = { 10, 15 }, aleph2 = { 28, 28 },
    act_two = { 5, 5 }, seedance2 = { 36, 36 },
  },
  credits_per_image = {
    gen4_image = { ["720p"] = 5, ["1080p"] = 8 }, gen4_image_turbo = 2, ["gemini_2.5_flash"] = 5,
    gemini_image3_pro = { up_to_2k = 20, ["4k"] = 40 },
  },
  -- On top, for an outputFormat other than mp4.
  surcharge_per_second = { prores = 5, png_sequence = 5, ten_bit_and_more = 20 },
  -- What their shortest input costs.
  minimum_credits = { aleph2 = 56, act_two = 15 },
}

local PRICING = runway_prices.PRICING

-- The length of what comes back is that of the input: these are its limits.
local INPUT_SECONDS = { aleph2 = { 2, 30 }, act_two = { 3 } }

local function surcharge_of(body)
  local format = body.outputFormat
  if format == nil or format == "mp4" then return 0 end
  return PRICING.surcharge_per_second[format] or PRICING.surcharge_per_second.ten_bit_and_more
end

local function video_credits(plan, rates)
  local body, id = plan.body, plan.spec.id
  local low, high = rates[1], rates[2]
  if body.audio == false then high = low elseif body.audio == true then low = high end
  local surcharge = surcharge_of(body)
  low, high = low + surcharge, high + surcharge
  if math.type(body.duration) then return low * body.duration, high * body.duration, body.duration end
  local seconds = INPUT_SECONDS[id] or plan.spec.seconds
  if not seconds then return nil, nil, nil, "the length" end
  local longest = #seconds > 1 and seconds[#seconds] or nil
  local missing = INPUT_SECONDS[id] and "the length of the input" or "the length (the vendor's default is not published)"
  return low * seconds[1], longest and high * longest, nil, missing
end

local function image_credits(plan)
  local id, ratio = plan.spec.id, plan.body.ratio
  local price = PRICING.credits_per_image[id]
  local count = math.tointeger(plan.body.outputCount or 1) or 1
  if type(price) == "number" then return price * count, price * count, count end
  local low, high = price["720p"] or price.up_to_2k, price["1080p"] or price["4k"]
  for _, size in ipairs(plan.spec.sizes or NONE) do
    if size[1] == ratio and size[3] then low, high = price[size[3]], price[size[3]] end
  end
  local width, height = string.match(type(ratio) == "string" and ratio or "", "^(%d+):(%d+)$")
  if price["4k"] and width then
    low = tonumber(width) * tonumber(height) > 8000000 and price["4k"] or price.up_to_2k
    high = low
  end
  if not low or not high then return nil, nil, count, "the price of this size" end
  return low * count, high * count, count, low ~= high and "the price of this size" or nil
end

--- US dollars of credits, or nil of nil; at the price of today, unless it is given.
function runway_prices.to_usd(credits, credits_per_usd)
  return credits and credits / (credits_per_usd or CREDITS_PER_USD)
end
local to_usd = runway_prices.to_usd

--- What the request of a plan costs, as a script's estimate; nil and what is missing. Sound decides between two prices; with
-- nothing said about it, the higher is expected.
function runway_prices.estimate(plan)
  if plans.unpriced_by(plan) then return nil, plans.unpriced_by(plan) end
  local low, high, quantity, missing, unit
  local rates = PRICING.credits_per_second[plan.spec.id]
  if rates then
    unit = "second"
    low, high, quantity, missing = video_credits(plan, rates)
  elseif PRICING.credits_per_image[plan.spec.id] then
    unit = "image"
    low, high, quantity, missing = image_credits(plan)
  end
  if not low then return nil, missing or ("a published price of " .. plan.spec.id) end
  local expected = not missing and high or nil
  return {
    expected = to_usd(expected), low = to_usd(low), high = to_usd(high), unit = unit, quantity = quantity, credits = expected,
    model = plan.spec.id, missing = missing, source = PRICING.source, as_of = PRICING.as_of,
  }
end

return runway_prices
