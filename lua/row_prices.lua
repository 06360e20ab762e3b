-- row_prices.lua - what a model's row (model_rows.lua) says a body costs: a price of a unit, and how many of them.
--
-- A row's price is
--   { usd = a number, or a table by the values, as texts, of the input `by` (or by the shorter side of a size: `by_side`),
--     high_usd = where two lists of the vendor's disagree, unit =, as_of =, source =,
--     times = { an input that, when true, changes the price = by this factor },
--     count = the input that says how many, most = the one that says how many at most, beside = inputs that cost extra }
-- What is not in the body has the default of its row. Megapixels are of 1,000,000 pixels, and not rounded.

local check = require "check"
local names = require "names"

local row_prices = {}

-- Figures beyond these are slips of the hand, not jobs.
local MAX_PIXELS, MAX_COUNT = 65536, 3600

local function value_of(row, body, name)
  local value = body[name]
  if check.is_given(value) then return value end
  return row.inputs[name] and row.inputs[name].default
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
  if not row.inputs.width or check.is_given(body.size) then
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
local function chosen(row, body)
  local price = row.price
  if price.by then return value_of(row, body, price.by) end
  local width, height = row_prices.size(row, body)
  return width and string.format("%.0f", math.min(width, height))
end

-- The price of a unit, and the value that it goes by as a text; nil and what is not known.
local function unit_price(row, body)
  local price = row.price
  if type(price.usd) ~= "table" then return price.usd end
  local value = chosen(row, body)
  local usd = value ~= nil and price.usd[tostring(value)] or nil
  if not usd then return nil, price.by and price.by .. ": a price for this value" or "a price for this size" end
  return usd, tostring(value)
end

local function count_of(row, body, name)
  local count = tonumber(value_of(row, body, name))
  return count and count > 0 and count <= MAX_COUNT and count or nil
end

-- Low, expected and high numbers of units. A price for an image may turn out to be one for a megapixel, at some vendors.
local function quantities(row, body)
  local price = row.price
  if price.unit == "megapixel" then
    local amount = megapixels(row, body)
    return amount, amount, amount
  end
  local count = price.count and count_of(row, body, price.count) or (not price.count and 1 or nil)
  if not count then return nil end
  local most = price.most and count_of(row, body, price.most) or count
  if not price.per_megapixel or not (row.inputs.size or row.inputs.width) then return count, count, most end
  local amount = megapixels(row, body)
  if not amount then return nil end
  return count, count, math.max(most, amount)
end

-- Whether an input is given that costs extra, nobody here knows how much.
local function has_extra(row, body)
  for _, name in ipairs(row.price.beside or {}) do
    local value = body[name]
    if check.is_given(value) and value ~= false and not (type(value) == "table" and next(value) == nil) then return name end
  end
  return nil
end

-- An input that the row does not know may be a number of pieces, or of seconds.
local function unknown_input(row, body)
  for _, name in ipairs(names.unknown(body, row.inputs) or {}) do
    if check.is_given(body[name]) then return name end
  end
  return nil
end

--- What a body costs by its row, as { usd =, high_usd =, low =, expected =, high =, value = }: prices of a unit, numbers of
--- units (`high` is nil when it is open), and what the price goes by; nil and what is not known.
function row_prices.figures(row, body)
  if not row or not row.price then return nil, "a price for this model" end
  local unknown = unknown_input(row, body)
  if unknown then return nil, unknown .. ": what it does to the price is not known here" end
  local usd, value = unit_price(row, body)
  if not usd then return nil, value end
  for name, factor in pairs(row.price.times or {}) do
    if body[name] == true then usd = usd * factor end
  end
  local low, expected, high = quantities(row, body)
  if not expected then return nil, "how many " .. row.price.unit .. "s it makes: its size or its length" end
  if has_extra(row, body) then high = nil end
  return {
    usd = usd, high_usd = row.price.high_usd or usd, low = low, expected = expected, high = high, value = value,
  }
end

-- What the prices of one model's jobs differ by, whoever's model it is.
local IS_DRIVER = names.words [[
  aspect_ratio draft duration fps generate_audio height max_images megapixels mode num_frames num_images num_inference_steps
  num_outputs quality resolution scale seconds size width
]]
local MAX_VALUE_BYTES, MAX_DRIVERS_BYTES = 40, 200

--- Those of an input as a text, "duration=8 resolution=720p"; nil when it has none.
function row_prices.drivers(body)
  local texts = {}
  for name, value in pairs(body) do
    if IS_DRIVER[name] and type(value) ~= "userdata" then
      if type(value) == "table" then value = "given" end
      texts[#texts + 1] = name .. "=" .. string.gsub(string.sub(tostring(value), 1, MAX_VALUE_BYTES), "[%s%c]", "_")
    end
  end
  table.sort(texts)
  return texts[1] and string.sub(table.concat(texts, " "), 1, MAX_DRIVERS_BYTES) or nil
end

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
