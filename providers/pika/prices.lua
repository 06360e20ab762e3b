-- prices.lua - what Pika's models cost on fal.

local pika_prices = {}

local AS_OF = "2026-11-23"

-- Figures per resolution are for `seconds` of video, with `min_seconds` at least. Other models have no established price.
local function price(path, fields)
  fields.as_of, fields.source = AS_OF, "https://fal.ai/models/fal-ai/pika/" .. path
  return fields
end
local PRICES = {
  ["v2.2/text-to-video"] = price("v2.2/text-to-video", { seconds = 5, usd = { ["720p"] = 0.20, ["1080p"] = 0.45 } }),
  ["v2.2/image-to-video"] = price("v2.2/image-to-video", { seconds = 5, usd = { ["720p"] = 0.20, ["1080p"] = 0.45 } }),
  ["v2.2/pikascenes"] = price("v2.2/pikascenes", { seconds = 5, usd = { ["720p"] = 0.20 } }),
  ["v2.2/pikaframes"] = price("v2.2/pikaframes", { seconds = 1, min_seconds = 5, usd = { ["720p"] = 0.04, ["1080p"] = 0.06 } }),
  ["v2.1/image-to-video"] = price("v2.1/image-to-video", { usd_per_video = 0.40 }),
}

pika_prices.PRICING = {
  as_of = AS_OF, source = "https://fal.ai/models", unit = "USD per seconds of video or per video", models = PRICES,
}

return pika_prices
