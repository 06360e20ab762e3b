-- row_prices.lua - what a model's row (model_rows.lua) says a body costs: a price of a unit, and how many of them.
--
-- A row's price is
--   { usd = a number, or a table by the values, as texts, of the input `by` (or by the shorter side of a size: `by_side`),
--     high_usd = where two lists of the vendor's disagree, unit =, as_of =, source =,
--     times = { an input that, when true, changes the price = by this factor },
--     count = the input that says how many, most = the one that says how many at most, beside = inputs that cost extra }
-- What is not in the body has the default of its row. Megapixels are of 1,000,000 pixels, and not rounded.

local check = require "check"
local drivers = require "drivers"
local names = require "names"

local row_prices = {}

-- Figures beyond these are slips of the hand, not jobs.
local MAX_PIXELS, MAX_COUNT = 65536, 3600

local is_given = check.is_given

local function value_of(row, body, name)
  local value = body[name]
  if is_given(value) then return value end
  local input = row.inputs[name]
  return input and input.default
end

-- Width and height in a text such as 1024*768, or nil.
local function sides(text)
  local width, height = string.match(string.sub(text, 1, 32), "^(%d+)[*xX](%d+)$")
  return tonumber(width), tonumber(height)
end

local function is_side(value)
  return type(value) == "number" and value >= 1 and value <= MAX_PIXELS
end

--- Width and height of what a body makes; nil when it does not say.
function row_prices.size(row, body)
  local width, height = tonumber(value_of(row, body, "width")), tonumber(value_of(row, body, "height"))
  if not row.inputs.width or is_given(body.size) then
    local size = value_of(row, body, "size")
    if type(size) ~= "string" then return nil end
    width, height = sides(size)
  end
  if is_side(width) and is_side(height) then return width, height end
  return nil
end

local function megapixels(row, body)
  local width, height = row_prices.size(row, body)
  return width and width * height / 1e6
end

-- The value that a price goes by.
local function chosen(row, price, body)
  if price.by then return value_of(row, body, price.by) end
  local width, height = row_prices.size(row, body)
  return width and string.format("%.0f", math.min(width, height))
end

-- The price of a unit, and the value that it goes by as a text; nil and what is not known.
local function unit_price(row, price, body)
  local prices = price.usd
  if type(prices) ~= "table" then return prices end
  local value = chosen(row, price, body)
  local usd = value ~= nil and prices[tostring(value)] or nil
  if not usd then return nil, price.by and price.by .. ": a price for this value" or "a price for this size" end
  return usd, tostring(value)
end

local function count_of(row, body, name)
  local count = tonumber(value_of(row, body, name))
  return count and count > 0 and count <= MAX_COUNT and count or nil
end

-- Low, expected and high numbers of units. A price for an image may turn out to be one for a megapixel, at some vendors.
local function quantities(row, price, body)
  if price.unit == "megapixel" then
    local amount = megapixels(row, body)
    return amount, amount, amount
  end
  local count = 1
  if price.count then count = count_of(row, body, price.count) end
  if not count then return nil end
  local most = price.most and count_of(row, body, price.most) or count
  if not price.per_megapixel or not (row.inputs.size or row.inputs.width) then return count, count, most end
  local amount = megapixels(row, body)
  if not amount then return nil end
  return count, count, math.max(most, amount)
end

-- Whether an input is given that costs extra, nobody here knows how much.
local function has_extra(beside, body)
  for _, name in ipairs(beside) do
    local value = body[name]
    if is_given(value) and value ~= false and not (type(value) == "table" and next(value) == nil) then return true end
  end
  return false
end

-- An input that the row does not know may be a number of pieces, or of seconds.
local function unknown_input(row, body)
  local unknown = names.unknown(body, row.inputs)
  if not unknown then return nil end
  for _, name in ipairs(unknown) do
    if is_given(body[name]) then return name end
  end
  return nil
end

local function multiplied(usd, times, body)
  for name, factor in pairs(times) do
    if body[name] == true then usd = usd * factor end
  end
  return usd
end

--- What a body costs by its row, as { usd =, high_usd =, unit =, source =, as_of =, low =, expected =, high =, value = }: the
--- price of a unit, numbers of units (`high` is nil when it is open), and what the price goes by; it is both `row_price` and
--- `quantity` of price.estimate. Else nil, and what is not known.
function row_prices.figures(row, body)
  local price = row and row.price
  if not price then return nil, "a price for this model" end
  local unknown = unknown_input(row, body)
  if unknown then return nil, unknown .. ": what it does to the price is not known here" end
  local usd, value = unit_price(row, price, body)
  if not usd then return nil, value end
  if price.times then usd = multiplied(usd, price.times, body) end
  local low, expected, high = quantities(row, price, body)
  if not expected then return nil, "how many " .. price.unit .. "s it makes: its size or its length" end
  if price.beside and has_extra(price.beside, body) then high = nil end
  return {
    usd = usd, high_usd = price.high_usd, unit = price.unit, source = price.source, as_of = price.as_of,
    low = low, expected = expected, high = high, value = value,
  }
end

--- What the prices of one model's jobs differ by, whoever's model it is, as a text (drivers.lua).
row_prices.drivers = drivers.among [[
  aspect_ratio draft duration fps generate_audio height max_images megapixels mode num_frames num_images num_inference_steps
  num_outputs quality resolution scale seconds size width
]]

-- The lowest and the highest of a row's prices.
local function range(usd)
  if type(usd) ~= "table" then return usd, usd end
  local low, high = math.huge, 0
  for _, one in pairs(usd) do low, high = math.min(low, one), math.max(high, one) end
  return low, high
end

--- The price as a text for people, "$0.05 to $0.15 / second"; nil without one.
function row_prices.text(row)
  if not row.price then return nil end
  local low, high = range(row.price.usd)
  if low > high then return nil end
  local amount = low == high and string.format("$%g", low) or string.format("$%g to $%g", low, high)
  return amount .. " / " .. row.price.unit
end

return row_prices
