-- prices.lua - what fal's image models cost, and what a request will.

local body = require "fal.body"
local models = require "fal.models"
local sizes = require "fal.sizes"
local plan = require "plan"
local usd = require "usd"

local prices = {}

local AS_OF = "2026-11-23"

local function price(model, unit_usd, unit, high_usd)
  return { usd = unit_usd, high_usd = high_usd, unit = unit, as_of = AS_OF, source = "https://fal.ai/models/" .. model }
end

-- Models that are missing here have no established price: ask fal's own list (the health call does).
local PRICES = {
  ["fal-ai/flux/schnell"] = price("fal-ai/flux/schnell", 0.003, "megapixel"),
  ["fal-ai/flux/dev"] = price("fal-ai/flux/dev", 0.025, "megapixel"),
  ["fal-ai/flux-pro/v1.1"] = price("fal-ai/flux-pro/v1.1", 0.04, "megapixel", 0.055), -- two lists disagree
  ["fal-ai/flux-pro/v1.1-ultra"] = price("fal-ai/flux-pro/v1.1-ultra", 0.06, "image"),
}

--- The prices, by the id of a model.
prices.PRICES = PRICES

prices.PRICING = {
  as_of = AS_OF, source = "https://fal.ai/pricing", unit = "USD per megapixel (rounded up) or per image", models = PRICES,
}

--- What a request will cost; nil and what is not known.
function prices.estimate(payload, built)
  local model = models.of_payload(payload)
  local known = PRICES[model]
  if not known then return nil, "fal.ai's price of " .. model .. " is not known here" end
  built = built or body.build(payload)
  if plan.is_refused(built) then return nil, plan.first_refusal(built) end
  if plan.unpriced_by(built) then return nil, plan.unpriced_by(built) end
  local images = payload.parameters.samples or 1
  local quantity, most = images, images
  if known.unit == "megapixel" then
    -- Rounded up per image. A picture of 1024x1024 is sold as one megapixel; the price list could be read as two.
    local pixels = sizes.pixels(built.body.image_size)
    quantity, most = images * math.ceil(pixels / 2 ^ 20), images * math.ceil(pixels / 1e6)
  end
  local expected = usd.to_micros(quantity * known.usd)
  return {
    expected = expected, low = expected, high = usd.to_micros(most * (known.high_usd or known.usd)),
    unit = known.unit, quantity = quantity, unit_usd = known.usd, model = model, source = known.source, as_of = known.as_of,
  }
end

return prices
