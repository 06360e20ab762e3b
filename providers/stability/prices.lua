-- prices.lua - what Stability's images cost.

local price = require "price"
local stability_fields = require "stability.fields"
local stability_services = require "stability.services"

local prices = {}

local pricing = {
  as_of = "2026-11-23", source = "https://platform.stability.ai/pricing",
  plan = "pay-as-you-go", unit = "credit", unit_cost_usd = 0.01, credits_per_image = stability_services.credits_per_image(),
}

--- Credits, with where and when they were read.
prices.PRICING = pricing

local function price_of(credits)
  return { usd = credits / 100, unit = "image", source = pricing.source, as_of = pricing.as_of }
end

--- A model's price in words.
function prices.text(model)
  local credits = stability_services.credits_of { model = model, parameters = {} }
  return credits and price.text(price_of(credits))
end

-- The first parameter whose meaning is not known here: it may be a number of pictures.
local function unknown_parameter(payload)
  local unknown = stability_fields.unknown_names(payload.parameters)
  return unknown and "parameters." .. unknown[1]
end

--- What a request will cost; nil and what is not known.
function prices.estimate(payload, _, ctx)
  if payload.undescribed then return nil, "the price of " .. payload.model .. " is not known here" end
  local unknown = unknown_parameter(payload)
  if unknown then return nil, unknown .. ": what it does to the price is not known here" end
  local credits, refusal = stability_services.credits_of(payload)
  if not credits then return nil, "no price is known: " .. refusal.message end
  local samples = payload.parameters.samples or 1
  return price.estimate(ctx, {
    model = payload.model, quantity = samples, unit = "image", row_price = price_of(credits),
    shown = { unit_cost_usd = credits / 100, credits = credits * samples },
  })
end

return prices
