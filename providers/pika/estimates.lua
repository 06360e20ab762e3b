-- estimates.lua - what a request for Pika will cost.

local body = require "pika.body"
local fields = require "pika.fields"
local pika_models = require "pika.models"
local pika_prices = require "pika.prices"
local routes = require "pika.routes"
local plan = require "plan"
local usd = require "usd"

local estimates = {}

local NONE = {}

-- The seconds that will be billed, least and most; nil when the request does not say.
local function seconds_of(payload, input, known)
  if not input.image_urls then
    local last = input.duration or pika_models.DURATIONS[#pika_models.DURATIONS]
    return input.duration or pika_models.DURATIONS[1], last
  end
  local total = 0
  for _, transition in ipairs(payload.parameters.transitions or NONE) do
    if type(transition.duration) ~= "number" then return nil end
    total = total + transition.duration
  end
  if total == 0 or #payload.parameters.transitions ~= #input.image_urls - 1 then return nil end
  return math.max(total, known.min_seconds), math.max(total, known.min_seconds)
end

--- What a request will cost; nil and what is not known.
function estimates.estimate(payload, built)
  if routes.of_payload(payload) == "direct" then return nil, "Pika has no published price for its direct API" end
  local path = routes.path(payload)
  local known = pika_prices.PRICING.models[path]
  if not known then return nil, "the price of " .. path .. " is not known here" end
  built = built or body.build(payload, path)
  if plan.is_refused(built) then return nil, plan.first_refusal(built) end
  if plan.unpriced_by(built) then return nil, plan.unpriced_by(built) end
  local answer = { model = path, source = known.source, as_of = known.as_of }
  if known.usd_per_video then
    answer.expected, answer.low, answer.high = known.usd_per_video, known.usd_per_video, known.usd_per_video
    answer.unit, answer.quantity = "video", 1
    return answer
  end
  local resolution = built.body.resolution or fields.DEFAULT_RESOLUTION
  local rate = known.usd and known.usd[resolution]
  if not rate then return nil, "the price of " .. path .. " at " .. resolution .. " is not known here" end
  local seconds, most = seconds_of(payload, built.body, known)
  if not seconds then return nil, "the duration of every transition between the frames" end
  answer.expected = usd.to_micros(seconds / known.seconds * rate)
  answer.low, answer.high = answer.expected, usd.to_micros(most / known.seconds * rate)
  answer.unit, answer.quantity, answer.unit_usd = "second", seconds, usd.to_micros(rate / known.seconds)
  return answer
end

return estimates
