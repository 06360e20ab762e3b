-- estimates.lua - how much of what fal's models are sold by a request has, and so what it will cost.

local body = require "fal.body"
local drivers = require "fal.drivers"
local models = require "fal.models"
local sizes = require "fal.sizes"
local names = require "names"
local plan = require "plan"
local price = require "price"
local price_units = require "price_units"

local ceil = math.ceil
local tointeger, tonumber, tostring = math.tointeger, tonumber, tostring
local build, pixels_of, ROWS = body.build, sizes.pixels, models.ROWS
local unpriced_by, estimate_of = plan.unpriced_by, price.estimate

local estimates = {}

local NOTHING = {}
local MEGAPIXEL, MOST_MEGAPIXEL = 2 ^ 20, 1e6

-- Rounded up per image. A picture of 1024x1024 is sold as one megapixel; a price list could be read as two.
local function megapixels(input)
  local pixels, images = pixels_of(input.image_size), input.num_images or 1
  local expected = images * ceil(pixels / MEGAPIXEL)
  return { low = expected, expected = expected, high = images * ceil(pixels / MOST_MEGAPIXEL) }
end

local function images(input)
  return input.num_images or 1
end

-- What is not in the input has the default of its row.
local function value_of(input, row, name)
  local value = input[name]
  if value == nil then return row.inputs[name].default end
  return value
end

local function seconds(input, row)
  local count = tonumber((string.gsub(tostring(value_of(input, row, "duration")), "s$", "")))
  if not count then return nil end
  for _, factor in ipairs(row.price.times or NOTHING) do
    if value_of(input, row, factor.input) == factor.value then count = count * factor.by end
  end
  return tointeger(count) or count
end

local QUANTITIES = { megapixel = megapixels, image = images, second = seconds }

-- What is known of a model's inputs where they are counted: the vendor's schema, else the row, else nothing.
local function known_of(row, built)
  if built.live then return built.live end
  return row and { kind = row.kind, inputs = { type = "object", properties = row.inputs } } or NOTHING
end

--- What a request will cost; nil and what is not known.
function estimates.estimate(payload, built, ctx)
  built = built or build(payload, ctx)
  if built.refusals then return nil, plan.first_refusal(built) end
  if built.unpriced then return nil, unpriced_by(built) end
  local model = built.model
  local input, row, live = built.body, ROWS[model], ctx and ctx.price and ctx.price(model)
  local row_price = row and row.price
  local facts = {
    model = model, row_price = row_price, quantity = row_price and QUANTITIES[row_price.unit](input, row), shown = false,
  }
  if live then
    -- What a second counts as is recorded here, and told by no schema.
    local is_counted = row_price and row_price.unit == "second" and price_units.same("second", live.unit)
    facts.live, facts.live_quantity = live, is_counted and facts.quantity or nil
    facts.unit, facts.described, facts.body = row_price and row_price.unit, known_of(row, built), input
  end
  if live or not row_price then facts.drivers = drivers.of(input) end
  local estimate = estimate_of(ctx, facts)
  if estimate then return estimate end
  return nil, "fal.ai's price of " .. model .. " is not known here"
end

local PRICES = {}
for _, id in ipairs(names.sorted(models.ROWS)) do PRICES[id] = models.ROWS[id].price end

--- The manifest's `pricing`.
estimates.PRICING = {
  as_of = "2026-11-29", source = "https://fal.ai/pricing", models = PRICES,
  unit = "USD per megapixel (rounded up), per image, or per second of video",
}

return estimates
