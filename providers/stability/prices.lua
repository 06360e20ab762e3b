-- prices.lua - what Stability's images cost.

local stability_services = require "stability.services"

local prices = {}

local pricing = {
  as_of = "2026-11-23", source = "https://platform.stability.ai/pricing",
  plan = "pay-as-you-go", unit = "credit", unit_cost_usd = 0.01, credits_per_image = stability_services.credits_per_image(),
}

--- Credits, with where and when they were read.
prices.PRICING = pricing

--- What a request will cost; nil and what is not known.
function prices.estimate(payload)
  local credits, refusal = stability_services.credits_of(payload)
  if not credits then return nil, "no price is known: " .. refusal.message end
  local samples = payload.parameters.samples or 1
  local usd = credits * samples / 100
  return {
    expected = usd, low = usd, high = usd, unit = "image", quantity = samples,
    unit_cost_usd = credits / 100, credits = credits * samples, source = pricing.source, as_of = pricing.as_of,
  }
end

return prices
