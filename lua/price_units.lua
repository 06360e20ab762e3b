-- price_units.lua - how many units of a price a request has, as far as the request tells.
--
-- A vendor's unit price says little by itself: "seconds" may be seconds with audio, "units" anything. Each known unit has a
-- rule here that gives the quantity as { low =, expected =, high = }; what is not known is left out. A bound that is missing
-- means that the model has inputs that change the price in ways which no unit tells (`schema.drivers`). Rules and recorded
-- examples: docs/provider-scripts.md, prices.

local schema = require "schema"

local price_units = {}

local ceil, max, min = math.ceil, math.max, math.min
local gsub, lower, match, sub = string.gsub, string.lower, string.match, string.sub
local ipairs, pairs, tonumber, type = ipairs, pairs, tonumber, type

local BINARY_MEGAPIXEL, DECIMAL_MEGAPIXEL = 2 ^ 20, 1e6
local MAX_TEXT = 256 -- bytes of a unit's name

-- Sizes that vendors call by name.
local SIDES = {
  square_hd = { 1024, 1024 }, square = { 512, 512 }, portrait_4_3 = { 768, 1024 }, portrait_16_9 = { 576, 1024 },
  landscape_4_3 = { 1024, 768 }, landscape_16_9 = { 1024, 576 },
}

-- ---- what a request says -----------------------------------------------------------------------------------------------

local function property_of(model, name)
  local inputs = model.inputs
  return inputs and inputs.properties and inputs.properties[name]
end

-- A value of the request, else the schema's default.
local function value_of(model, body, name)
  local value = body[name]
  if value ~= nil and type(value) ~= "userdata" then return value end
  local property = property_of(model, name)
  return property and property.default
end

local function number_of(value)
  if type(value) == "string" then value = tonumber(match(sub(value, 1, 32), "^%s*(%d+%.?%d*)%s*s?$")) end
  return type(value) == "number" and value > 0 and value < math.huge and value or nil
end

local function pixels_of_size(model, size)
  if type(size) == "string" then
    local sides = SIDES[size]
    return sides and sides[1] * sides[2]
  end
  if type(size) ~= "table" then return nil end
  local property, object = property_of(model, "image_size"), nil
  for _, branch in ipairs(property and property.anyOf or {}) do object = object or branch.properties end
  object = object or property and property.properties or {}
  local width = number_of(size.width) or object.width and number_of(object.width.default)
  local height = number_of(size.height) or object.height and number_of(object.height.default)
  return width and height and width * height
end

-- Pixels of one picture or frame, or nil when the request does not say.
local function pixels_of(model, body)
  local size = value_of(model, body, "image_size") or value_of(model, body, "video_size")
  if size ~= nil then return pixels_of_size(model, size) end
  local width, height = number_of(value_of(model, body, "width")), number_of(value_of(model, body, "height"))
  return width and height and width * height
end

local function count_of(model, body)
  return number_of(value_of(model, body, "num_images")) or number_of(value_of(model, body, "num_outputs")) or 1
end

-- How many input pictures (or other media) a request has.
local function input_media(model, body)
  local count = 0
  for path in pairs(schema.files(model.inputs)) do
    local name, is_list = match(path, "^([^%.%[]+)(%[%]$)")
    local value = body[name or path]
    if is_list and type(value) == "table" then count = count + #value end
    if not is_list and type(value) == "string" then count = count + 1 end
  end
  return count
end

-- Whether a price may hold for more than its unit says: the model has an input that changes it, or nobody knows its inputs.
local function has_driver(model, but)
  local drivers = model.drivers or model.inputs and schema.drivers(model.inputs)
  if not drivers then return true end
  for _, name in ipairs(drivers) do
    if not but[name] then return true end
  end
  return false
end

-- ---- the rules ---------------------------------------------------------------------------------------------------------

local COUNTED = { max_images = true, num_images = true }

local function by_piece(model, body)
  local count = count_of(model, body)
  if has_driver(model, COUNTED) then return { low = count, expected = count } end
  return { low = count, expected = count, high = count * (number_of(value_of(model, body, "max_images")) or 1) }
end

local function by_frame(model, body)
  local pixels, frames = pixels_of(model, body), number_of(value_of(model, body, "num_frames"))
  if not pixels or not frames then return nil end
  local megapixels = pixels * frames / DECIMAL_MEGAPIXEL
  local known = { low = megapixels, expected = ceil(megapixels), high = ceil(megapixels) }
  if has_driver(model, { num_frames = true }) then known.low, known.high = nil, nil end
  return known
end

-- A megapixel of a picture is 2^20 pixels, rounded up per picture; the figures of the vendors' pages allow for 10^6 as the
-- most.
local function by_megapixel(model, body)
  if model.kind == "video" or property_of(model, "num_frames") then return by_frame(model, body) end
  local pixels, count = pixels_of(model, body), count_of(model, body)
  if not pixels then return nil end
  local expected = ceil(pixels / BINARY_MEGAPIXEL)
  local known = { low = min(pixels / DECIMAL_MEGAPIXEL, expected) * count, expected = expected * count }
  if not has_driver(model, COUNTED) then
    known.high = max(ceil(pixels / DECIMAL_MEGAPIXEL), expected) * count * (number_of(value_of(model, body, "max_images")) or 1)
  end
  return known
end

local function by_processed_megapixel(model, body)
  local made = by_megapixel(model, body)
  if not made then return nil end
  return { low = made.expected, expected = made.expected + input_media(model, body) }
end

local function by_time(seconds)
  return function(model, body)
    local duration = number_of(value_of(model, body, "duration")) or number_of(value_of(model, body, "duration_seconds"))
    return duration and { expected = duration / seconds } or nil
  end
end

local TEXTS = { "text", "prompt", "input", "gen_text", "script", "lyrics" }

local function by_thousand_characters(model, body)
  for _, name in ipairs(TEXTS) do
    local text = body[name]
    if type(text) == "string" and property_of(model, name) then
      local thousands = (utf8.len(text) or #text) / 1000
      return { low = thousands, expected = thousands, high = ceil(thousands) }
    end
  end
  return nil
end

local RULES = {
  image = by_piece, video = by_piece, generation = by_piece, request = by_piece, audio = by_piece, training = by_piece,
  ["cloned voice"] = by_piece, ["video segment"] = by_piece,
  megapixel = by_megapixel, ["processed megapixel"] = by_processed_megapixel,
  second = by_time(1), ["5 second"] = by_time(5), ["10 second"] = by_time(10), ["30 second"] = by_time(30),
  minute = by_time(60), ["minute of video"] = by_time(60), ["1000 character"] = by_thousand_characters,
}

--- A unit as it is compared: without blanks around it, in lower case, singular.
function price_units.plain(unit)
  if type(unit) ~= "string" then return "" end
  local text = gsub(lower(sub(unit, 1, MAX_TEXT)), "%s+", " ")
  text = gsub(gsub(text, "^ ", ""), " $", "")
  return (gsub(text, "s$", ""))
end

--- How many units a request has: { low =, expected =, high = }, each as far as it is known; nil and why, when nothing is.
-- `model` is the model of the directory, or as much of it as there is ({ inputs =, kind =, drivers = }); `body` its input;
-- `price` has the `unit`.
function price_units.quantity(model, body, price)
  local unit = price_units.plain(price and price.unit)
  local rule = RULES[unit]
  if not rule then return nil, "the unit \"" .. unit .. "\" cannot be told from the request" end
  local quantity = rule(model or {}, body or {})
  if quantity and quantity.expected < math.huge then return quantity end
  return nil, "how many units (" .. unit .. ") the request has is not known before it ran"
end

--- Whether two names of units mean the same.
function price_units.same(one, other)
  return price_units.plain(one) == price_units.plain(other)
end

return price_units
