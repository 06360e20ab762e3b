-- billing.lua - the units that a model bills, and what they cost.

local check = require "check"
local price = require "price"
local requests = require "fal.requests"
local values = require "fal.values"

local billing = {}

local table_of, text_of = values.table_of, values.text_of

--- What a request cost: the vendor's units at the price of the submit, else what the table said then. `reading`: see results.lua.
function billing.cost_of(response, reading)
  local units = tonumber(table_of(response.headers)["x-fal-billable-units"])
  if units and reading.unit_price then
    return price.cost(units, reading.unit_price), units
  end
  return nil, units
end

-- The price of one billing unit of a model, by fal's own list; nil when it cannot be had, or is not in dollars.
local function unit_price_of(ctx, model)
  local response = ctx.request { method = "GET", url = requests.PRICING_URL, query = { endpoint_id = model } }
  if not response or response.status >= 300 then return nil end
  for _, entry in ipairs(table_of(table_of(response.json).prices)) do
    local is_known = price.is_usable { usd = entry.unit_price, currency = entry.currency }
    if entry.endpoint_id == model and is_known then return entry.unit_price end
  end
  return nil
end

--- `reading` with the price of the units that an answer names, where no table has one: a model that is not described costs what
-- fal says, not all that was reserved.
function billing.priced(ctx, model, reading, response)
  local units = tonumber(table_of(response.headers)["x-fal-billable-units"])
  if not units or units <= 0 or reading.unit_price or reading.usd or not text_of(model) then return reading end
  local with_price = check.copy(reading)
  with_price.unit_price = unit_price_of(ctx, model)
  return with_price
end

return billing
