-- estimates.lua - how much of what Pika's models are sold by a request has, and so what it will cost.

local check = require "check"
local body = require "pika.body"
local drivers = require "fal.drivers"
local pika_models = require "pika.models"
local routes = require "pika.routes"
local plan = require "plan"
local price = require "price"
local price_units = require "price_units"

local estimates = {}

local drivers_of, fal_id, estimate_of = drivers.of, routes.fal_id, price.estimate

local NONE = {}
local FAL = pika_models.FAL

-- The length of all transitions between frames, or nil where the request does not say.
local function transitions_length(payload, input)
  local transitions, total = payload.parameters.transitions or NONE, 0
  for _, transition in ipairs(transitions) do
    if type(transition.duration) ~= "number" then return nil end
    total = total + transition.duration
  end
  return total > 0 and #transitions == #input.image_urls - 1 and total or nil
end

local SHORTEST, LONGEST = pika_models.DURATIONS[1], pika_models.DURATIONS[#pika_models.DURATIONS]

-- The seconds that will be billed; nil and what is missing, when the request does not say.
local function seconds_of(payload, input, its_price)
  if not input.image_urls then
    local given = tonumber(input.duration) -- also as text, where fal's schema has it so
    local seconds = given or SHORTEST
    return { low = seconds, expected = seconds, high = given or LONGEST }
  end
  local length = transitions_length(payload, input)
  if not length then return nil, "the duration of every transition between the frames" end
  length = math.max(length, its_price.minimum or 0)
  return { low = length, expected = length, high = length }
end

-- The price of each model at each resolution, where it differs.
local TIERS = {}
for path, row in pairs(pika_models.FAL) do
  local its_price = row.price
  if its_price and its_price.tiers then
    TIERS[path] = {}
    for resolution, usd in pairs(its_price.tiers) do
      local tier = check.copy(its_price)
      tier.usd, tier.checks_usd = usd, its_price.checks_usd or its_price.usd
      TIERS[path][resolution] = tier
    end
  end
end

-- The row's price at the resolution of a request.
local function at_resolution(its_price, input, path)
  local tiers = TIERS[path]
  if not tiers then return its_price end
  local resolution = input.resolution or pika_models.RESOLUTIONS[1]
  local tier = tiers[resolution]
  if not tier then return nil, "the price of " .. path .. " at " .. resolution .. " is not known here" end
  return tier
end

-- What the row knows of the price: itself and how many of its units there are; nil and why.
local function facts_of(payload, built, path)
  local row = FAL[path]
  local its_price = row and row.price
  if not its_price then return {} end
  local quantity, missing = 1, nil
  if its_price.unit == "second" then quantity, missing = seconds_of(payload, built.body, its_price) end
  if not quantity then return nil, missing end
  local tier, why = at_resolution(its_price, built.body, path)
  if not tier then return nil, why end
  return { row_price = tier, quantity = quantity, unit = its_price.unit, model = nil, drivers = nil, shown = nil }
end

-- Units hold the resolution already: one and a half of them a second at 1080p. Where fal's price is another than that for which
-- the row was written, this is a guess without a bound.
local function live_quantity(facts, live)
  local tier = facts.row_price
  local base = tier and (tier.checks_usd or tier.usd)
  if not base or not price_units.same(facts.unit, live.unit) then return nil end
  if type(facts.quantity) == "number" then return facts.quantity end
  return { expected = facts.quantity.expected * tier.usd / base }
end

--- What a request will cost; nil and what is not known.
function estimates.estimate(payload, built, ctx)
  if payload.route == "direct" then return nil, "Pika has no published price for its direct API" end
  built = built or body.build(payload, routes.path(payload), ctx)
  local path = built.model
  if built.refusals then return nil, plan.first_refusal(built) end
  if built.unpriced then return nil, plan.unpriced_by(built) end
  local live = ctx and ctx.price and ctx.price(fal_id(path))
  local known, missing = facts_of(payload, built, path)
  local facts = known or {}
  facts.model, facts.drivers, facts.shown = path, drivers_of(built.body), false
  if live then facts.live, facts.live_quantity = live, live_quantity(facts, live) end
  if not facts.row_price then facts.described, facts.body = built.live, built.body end
  local estimate = estimate_of(ctx, facts)
  if estimate then return estimate end
  return nil, missing or "the price of " .. path .. " is not known here"
end

local PRICES = {}
for _, path in ipairs(pika_models.FAL_NAMES) do PRICES[path] = pika_models.FAL[path].price end

--- The manifest's `pricing`.
estimates.PRICING = {
  as_of = "2026-11-23", source = "https://fal.ai/models", unit = "USD per second of video or per video", models = PRICES,
}

return estimates
