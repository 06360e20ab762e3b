-- prices.lua - what a request to Luma will cost: how many units of its row's price (models.lua) it has.

local luma_models = require "luma.models"
local names = require "names"
local plans = require "plan"
local price = require "price"
local usd = require "usd"

local luma_prices = {}

local ROWS = luma_models.ROWS

-- What clients are shown, out of the rows.
local function pricing_of_rows()
  local shown = { as_of = "2026-11-23", source = "https://docs.comfy.org", unit = "generation", approximate = true, agents = {} }
  for _, id in ipairs(luma_models.MODEL_IDS) do
    local row = ROWS[id]
    local place = row.api == "agents" and shown.agents or shown
    place[id] = row.price
  end
  shown.agents.as_of, shown.agents.source = ROWS["ray-3.2"].price.as_of, ROWS["ray-3.2"].price.source
  return shown
end
luma_prices.PRICING = pricing_of_rows()

local NO_MODEL = "a published price of this model"

-- What is not listed follows from what is: the price goes with the pixels, so with the length, and from model to model. nil
-- when nothing is: a model may be offered before its price is known.
local function dream_video_usd(model, resolution, duration)
  local found = ROWS[model] and ROWS[model].price or {}
  local listed = found.usd_of and found.usd_of[resolution]
  if listed and listed[duration] then return listed[duration] end
  if found.share_of_ray_2 then
    local amount = dream_video_usd("ray-2", resolution, duration)
    return amount and usd.to_cents(amount * found.share_of_ray_2)
  end
  return listed and listed["5s"] and usd.to_cents(listed["5s"] * 9 / 5)
end

-- A row's price, of other figures: for one of what is made, or for each second of it.
local function at(row_price, low, expected, high)
  return { usd = expected or high or low, low_usd = low, high_usd = high, as_of = row_price.as_of, source = row_price.source }
end

-- The figures of something that lasts `seconds` and costs so much in all; the length may not be known.
local function in_all(facts, row_price, amount, seconds)
  facts.unit, facts.quantity = "second", seconds or 1
  facts.row_price = at(row_price, nil, amount / facts.quantity, nil)
end

local function between(facts, row_price, low, high, missing)
  facts.unit, facts.shown.missing = "second", missing
  facts.quantity, facts.row_price = { low = 1, high = high and 1 }, at(row_price, low, nil, high)
end

local function dream_video(facts, row, body)
  local resolution, duration = body.resolution, body.duration
  local missing = not resolution and "the resolution" or (not duration and "the length") or nil
  local low = dream_video_usd(body.model, resolution or "540p", duration or "5s")
  local high = low
  if missing then high = dream_video_usd(body.model, resolution or "4k", duration or "9s") end
  facts.shown.approximate = true
  if not low or not high then
    facts.reason = NO_MODEL
  elseif missing then
    between(facts, row.price, low, high, missing)
  else
    in_all(facts, row.price, high, math.tointeger(tonumber((string.sub(duration, 1, -2)))))
  end
end

-- New video by ray-3.2. An edit or a reframe lasts as long as its source, which is not known here.
local function agents_video(facts, row, body)
  local prices, video = row.price, type(body.video) == "table" and body.video or {}
  if body.type ~= "video" then
    facts.reason = "the length of the source video"
    return
  end
  local table_name = video.hdr and (video.exr_export and "hdr_and_exr_5s" or "hdr_5s") or "sdr_5s"
  local five = prices[table_name][video.resolution or "720p"]
  if not five then
    facts.reason = "the price of this resolution"
    return
  end
  local ten = usd.to_cents(five * prices.ten_seconds_factor)
  if video.hdr or video.duration == "5s" then return in_all(facts, prices, five, 5) end
  if video.duration == "10s" then return in_all(facts, prices, ten, 10) end
  between(facts, prices, five, ten, "the length")
end

local function picture(facts, row, body)
  local row_price = row.price
  local references = type(body.image_ref) == "table" and #body.image_ref or 0
  facts.unit, facts.quantity, facts.row_price = "image", 1, row_price
  if row.api == "dream_machine" then
    facts.shown.approximate = true
  elseif row_price.reference_usd then
    local amount = row_price.usd + references * row_price.reference_usd
    facts.row_price = at(row_price, nil, amount, nil)
  elseif references > 0 then
    facts.quantity, facts.shown.missing = { low = 1 }, "the price of reference images"
  end
end

local OF_KIND = { video = dream_video, agents_video = agents_video, image = picture, agents_image = picture }

local NO_DRIVER = names.words "callback_url model negative_prompt prompt seed"
local DRIVERS = names.words "duration exr_export hdr resolution"

local function add_drivers(words, object, is_described)
  for _, name in ipairs(names.sorted(object)) do
    local value = object[name]
    local is_long = type(value) == "table" or type(value) == "userdata" or type(value) == "string" and #value > 32
    local decides = DRIVERS[name] or not is_described and not NO_DRIVER[name]
    if decides and not is_long then words[#words + 1] = name .. "=" .. tostring(value) end
  end
end

-- What of a request decides its price, for comparison with jobs that are over: with a model that nobody describes that may be
-- anything but its texts and files.
local function drivers_of(route, body)
  local words = { "path=" .. (route.row and route.kind or route.path) }
  add_drivers(words, body, route.kind ~= "undescribed")
  if type(body.video) == "table" then add_drivers(words, body.video, route.kind ~= "undescribed") end
  return table.concat(words, " ")
end

--- What the request of a plan costs, as a script's estimate; nil and what is missing.
function luma_prices.estimate(plan, ctx)
  local body, route = plan.body, plan.route
  if plan.unpriced then return nil, plans.unpriced_by(plan) end
  local facts = { -- with room for what is known of most: a table that grows by and by costs more
    model = route.model or route.kind, row_price = nil, quantity = nil, unit = nil, drivers = nil,
    shown = { approximate = nil, missing = nil },
  }
  local of_kind = OF_KIND[route.kind]
  if of_kind and route.row and route.row.price then of_kind(facts, route.row, body) end
  if not facts.row_price then
    facts.drivers = drivers_of(route, body) -- what is priced by its row is not compared
    facts.reason = facts.reason or "a published price of " .. (route.model or route.path)
  end
  return price.estimate(ctx, facts)
end

return luma_prices
