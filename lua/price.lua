-- price.lua - what a request will cost, out of usage facts: the one place that multiplies, rounds, and keeps source and date.
--
-- A script says which model and how many units; this knows the order in which prices are believed (docs/provider-scripts.md,
-- prices): a live price whose unit the request settles; else our row, as long as it was written down for the live price; else
-- what this host's own jobs of that kind cost; else a live price that gives no upper bound; else what is usual; else nothing,
-- and why.

local price_units = require "price_units"
local usd = require "usd"

local abs, huge = math.abs, math.huge
local next, type = next, type
local rounded_to_micros = usd.to_micros

local price = {}

local NOT_KNOWN = "the price is not known here"

-- A positive price is at least a micro-dollar: less would be free.
local function to_micros(amount)
  local rounded = rounded_to_micros(amount)
  return rounded == 0 and amount > 0 and 1e-6 or rounded
end

local function is_positive(number)
  return type(number) == "number" and number > 0 and number < huge
end

--- Whether a price of a vendor can be multiplied: dollars, more than nothing.
function price.is_usable(found)
  return type(found) == "table" and is_positive(found.usd) and (found.currency == nil or found.currency == "USD")
end

-- A number of units as it is meant: low, expected, high. nil: nobody knows, and nothing is said of it.
local function range_of(quantity)
  if quantity == nil then return nil end
  if type(quantity) == "number" then return quantity, quantity, quantity end
  return quantity.low, quantity.expected, quantity.high
end

-- The keys of an estimate that do not come from the figures.
local KNOWN = {
  quantity = true, unit = true, row_price = true, live = true, live_quantity = true, reason = true,
  history = true, body = true, described = true, shown = true, model = true, drivers = true,
}

local function with_extra(estimate, facts)
  local shown = facts.shown
  estimate.unbounded = estimate.high == nil or nil -- the host reserves no guess
  estimate.model, estimate.drivers = facts.model, facts.drivers
  if shown == false then return estimate end
  for key, value in next, shown or facts do
    if estimate[key] == nil and (shown or not KNOWN[key]) then estimate[key] = value end
  end
  return estimate
end

local function total(count, unit_usd)
  return count and to_micros(count * unit_usd) or nil
end

-- Figures of a unit price; a bound that is not known stays away. Mostly both bounds are what is expected.
local function multiply(found, unit, least, count, most)
  local unit_usd, low_usd, high_usd = found.usd, found.low_usd, found.high_usd
  local expected = total(count, unit_usd)
  local low, high = expected, expected
  if low_usd or least ~= count then low = total(least, low_usd or unit_usd) end
  if high_usd or most ~= count then high = total(most, high_usd or unit_usd) end
  return {
    expected = expected, low = low, high = high,
    unit = unit, quantity = count, unit_usd = unit_usd, source = found.source, as_of = found.as_of,
    model = nil, drivers = nil, -- room for what is shown besides: a table that grows costs more than what is put into it
  }
end

-- How many units of the live price the request has.
local function live_quantity(facts, live)
  if facts.live_quantity then return facts.live_quantity end
  if facts.described and facts.body then return (price_units.quantity(facts.described, facts.body, live)) end
  if not facts.quantity or not price_units.same(facts.unit, live.unit) then return nil end
  return facts.quantity
end

local function from_live(live, quantity, bounded)
  local low, expected, high = range_of(quantity)
  if quantity == nil or (high ~= nil) ~= bounded then return nil end
  local estimate = multiply(live, live.unit, low, expected, high)
  estimate.account = live.account or nil
  return estimate
end

-- Our row counts while nobody knows better: without a live price, or while the live one is that for which the row was written.
local function from_row(facts, live)
  local row, quantity = facts.row_price, facts.quantity
  if not row or not quantity or not is_positive(row.usd) then return nil end
  if live and abs((row.checks_usd or row.usd) - live.usd) > 1e-9 then return nil end
  return multiply(row, facts.unit or row.unit, range_of(quantity))
end

local function from_observed(ctx, facts)
  local named = type(facts.model) == "string" -- a job may say null
  local seen = named and ctx and ctx.observed and ctx.observed(facts.model, facts.drivers)
  if not seen or not is_positive(seen.median) then return nil end
  return {
    expected = to_micros(seen.median), high = is_positive(seen.maximum) and to_micros(seen.maximum) or nil,
    unit = "job", quantity = 1, source = "observed", as_of = seen.as_of, jobs = seen.count,
  }
end

local function from_history(facts)
  local usual = facts.history or facts.live and facts.live.history
  if not price.is_usable(usual) then return nil end
  local as_of = usual.as_of or facts.live and facts.live.as_of
  return { expected = to_micros(usual.usd), unit = "job", quantity = 1, source = usual.source, as_of = as_of }
end

--- estimate's results: the table, or nil and what is missing. `facts`:
--   model =            the vendor's id, also shown
--   quantity =         units of the row's price: a number, or { low =, expected =, high = }
--   unit =             what they are (default: the row's)
--   row_price =        { usd =, unit =, source =, as_of =, low_usd =, high_usd = where lists disagree,
--                        checks_usd = the live unit price for which it holds (default: usd) }
--   live =             ctx.price(id), and live_quantity = its units, or described = ctx.model(id) and body = the model's input
--                      (price_units.lua counts them then); else `quantity`, if the units are the same
--   drivers =          "resolution=1080p audio=true": jobs with the same are compared; shown, too
--   history =          { usd =, source =, as_of = }: what a job of that model usually costs
--   reason =           what to say when nothing is known
--   shown =            { key = value }: what else is shown as it is, or false, if nothing is; without it any other key of
--                      `facts` is
function price.estimate(ctx, facts)
  local live, quantity = facts.live, nil
  if live then
    live = price.is_usable(live) and live or nil
    quantity = live and live_quantity(facts, live)
  end
  local estimate = live and from_live(live, quantity, true) or from_row(facts, live) or from_observed(ctx, facts)
    or live and from_live(live, quantity, false) or from_history(facts)
  if estimate then return with_extra(estimate, facts) end
  return nil, facts.reason or NOT_KNOWN
end

--- The cost of a job that is over, for its result: units that the vendor told, at the price that held at submit. Noise of
-- floats counts as nothing, a part of a micro-dollar as one.
function price.cost(quantity, unit_usd)
  return {
    usd = math.ceil(quantity * unit_usd * 1e6 - 1e-3) / 1e6, source = "computed", quantity = quantity, unit_usd = unit_usd,
  }
end

--- A price as people write it: "$0.003 / megapixel".
function price.text(row_price)
  if not row_price or not is_positive(row_price.usd) then return nil end
  local amount = string.gsub(string.gsub(string.format("%.6f", row_price.usd), "0+$", ""), "%.$", "")
  return "$" .. amount .. (row_price.unit and " / " .. row_price.unit or "")
end

return price
