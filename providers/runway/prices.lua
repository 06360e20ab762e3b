-- prices.lua - what a request to Runway will cost: how many units of its row's price (models.lua) it has.

local names = require "names"
local plans = require "plan"
local price = require "price"
local runway_models = require "runway.models"

local runway_prices = {}

local floor = math.floor

local CREDITS_PER_USD = runway_models.CREDITS_PER_USD
runway_prices.CREDITS_PER_USD = CREDITS_PER_USD

-- What clients are shown, out of the rows: credits a second and a picture.
local function pricing_of_rows()
  local shown = {
    as_of = "2026-11-23", source = "https://docs.dev.runwayml.com", unit = "credit", usd_per_credit = 1 / CREDITS_PER_USD,
    credits_per_second = {}, credits_per_image = {}, minimum_credits = {}, surcharge_per_second = {},
  }
  for _, key in ipairs(runway_models.KEYS) do
    local row = runway_models.MODELS[key]
    local found = row.price
    if found and found.unit == "second" then
      shown.credits_per_second[row.id] = { found.silent or found.credits, found.credits }
    end
    if found and found.unit == "image" then shown.credits_per_image[row.id] = found.by_size or found.credits end
    if found and found.minimum then shown.minimum_credits[row.id] = found.minimum end
    for format, credits in pairs(found and found.surcharges or {}) do shown.surcharge_per_second[format] = credits end
  end
  return shown
end
runway_prices.PRICING = pricing_of_rows()

local NO_DRIVER = names.words "model negativePrompt negative_prompt prompt promptText seed"

-- A text or a file, or something with parts.
local function is_long(value)
  return type(value) == "table" or type(value) == "userdata" or type(value) == "string" and #value > 32
end

--- US dollars of credits, or nil of nil; at the price of today, unless it is given.
function runway_prices.to_usd(credits, credits_per_usd)
  return credits and credits / (credits_per_usd or CREDITS_PER_USD)
end
local to_usd = runway_prices.to_usd

local function surcharge_of(row_price, body)
  local surcharges, format = row_price.surcharges, body.outputFormat
  if not surcharges or format == nil then return 0 end
  return surcharges[format] or surcharges.others
end

-- The row's price at other credits a unit.
local function at(row_price, low, high)
  if low == high and high == row_price.credits then return row_price end
  return { usd = to_usd(high), low_usd = to_usd(low), checks_usd = row_price.usd, unit = row_price.unit, as_of = row_price.as_of,
    source = row_price.source }
end

-- Sound decides between two prices; with nothing said about it, the dearer is expected.
local function per_second(spec, body)
  local row_price = spec.price
  local low, high = row_price.silent or row_price.credits, row_price.credits
  if body.audio == false then high = low elseif body.audio == true then low = high end
  local surcharge = surcharge_of(row_price, body)
  local found = at(row_price, low + surcharge, high + surcharge)
  if math.type(body.duration) then return found, body.duration end
  local seconds = spec.input_seconds or spec.seconds
  if not seconds then return found, nil, "the length" end
  local longest = #seconds > 1 and seconds[#seconds] or nil
  local missing = spec.input_seconds and "the length of the input" or "the length (the vendor's default is not published)"
  return found, { low = seconds[1], high = longest }, missing
end

-- The credits of a picture of this size: low, high and what is missing.
local function credits_of_size(spec, ratio)
  local by_size = spec.price.by_size
  for _, size in ipairs(spec.sizes or {}) do
    if size[1] == ratio and size[3] and by_size[size[3]] then return by_size[size[3]], by_size[size[3]] end
  end
  local width, height = string.match(type(ratio) == "string" and string.sub(ratio, 1, 32) or "", "^(%d+):(%d+)$")
  if by_size["4k"] and width then
    local credits = tonumber(width) * tonumber(height) > 8000000 and by_size["4k"] or by_size.up_to_2k
    return credits, credits
  end
  local least = spec.price.credits
  for _, credits in pairs(by_size) do least = math.min(least, credits) end
  return least, spec.price.credits, "the price of this size"
end

local function per_image(spec, body)
  local count = math.tointeger(body.outputCount or 1) or 1
  if not spec.price.by_size then return spec.price, count end
  local low, high, missing = credits_of_size(spec, body.ratio)
  return at(spec.price, low, high), missing and { low = count, high = count } or count, missing
end

-- What of a request decides its price, for comparison with jobs that are over: with a model that nobody describes that may be
-- anything but its texts, files and seed.
local function drivers_of(spec, body)
  local words = { "endpoint=" .. spec.operation }
  for _, name in ipairs(names.sorted(body)) do
    local input, value = spec.inputs and spec.inputs[name], body[name]
    local decides = input and input.x_costs or not spec.described and not NO_DRIVER[name]
    if decides and not is_long(value) then words[#words + 1] = name .. "=" .. tostring(value) end
  end
  return table.concat(words, " ")
end

--- What the request of a plan costs, as a script's estimate; nil and what is missing.
function runway_prices.estimate(plan, ctx)
  local spec, body = plan.spec, plan.body
  if plan.unpriced then return nil, plans.unpriced_by(plan) end
  if not spec.price then
    local reason = "a published price of " .. spec.id
    return price.estimate(ctx, { model = spec.id, drivers = drivers_of(spec, body), reason = reason })
  end
  -- What is priced by its row is not compared: it has no drivers.
  local of_unit = spec.price.unit == "second" and per_second or per_image
  local row_price, quantity, missing = of_unit(spec, body)
  local estimate = price.estimate(ctx, {
    model = spec.id, row_price = row_price, quantity = quantity, shown = missing and { missing = missing } or false,
  })
  if not estimate then return nil, not quantity and missing or "a published price of " .. spec.id end
  if estimate.expected and estimate.source == spec.price.source then
    estimate.credits = floor(estimate.expected * CREDITS_PER_USD + 0.5)
  end
  return estimate
end

return runway_prices
