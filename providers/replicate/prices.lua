-- prices.lua - what Replicate's hardware costs, and what a prediction will.

local fields = require "replicate.fields"

local prices = {}

-- The vendor stops a prediction that has been running for so long.
prices.MAX_RUN_SECONDS = 30 * 60

local PRICES_AS_OF = "2026-05-07"
local PRICES_SOURCE = "https://replicate.com/pricing"

local USD_PER_SECOND = {
  ["cpu"] = 0.000100,
  ["gpu-t4"] = 0.000225,
  ["gpu-l40s"] = 0.000975,
  ["gpu-a100-large"] = 0.001400,
  ["gpu-h100"] = 0.001525,
  ["gpu-a40-small"] = 0.000575,
  ["gpu-a40-large"] = 0.000725,
}

--- The price of a second of this hardware, or nil.
function prices.usd_per_second(hardware)
  local rate = USD_PER_SECOND[hardware]
  if rate then return rate end
  local single, count = string.match(hardware, "^(.-)%-(%d+)x$")
  rate = single and USD_PER_SECOND[single]
  return rate and rate * tonumber(count) or nil
end

local pricing = {
  as_of = PRICES_AS_OF, source = PRICES_SOURCE, unit = "USD per second of hardware", hardware = USD_PER_SECOND,
  notes = {
    "public models: the running time is billed; private models and deployments: set-up and idle time as well",
    "hardware with several GPUs (gpu-h100-2x) costs the multiple",
    "official models are billed per image, per second of video or per token",
  },
  model_examples = {
    as_of = "2025-02-17", source = PRICES_SOURCE,
    flux_pro_ultra = { usd = 0.06, unit = "image" },
    llama_3_8b = { usd = 0.0008, unit = "second" },
    whisper_large_v3 = { usd = 0.006, unit = "minute" },
  },
}

--- Dollars, with where and when they were read.
prices.PRICING = pricing

--- What a prediction will cost; nil and what is not known. `job` is what prepare has read of the payload.
function prices.estimate(_, job)
  local rate = job.hardware and prices.usd_per_second(job.hardware)
  if not rate then return nil, "hardware: one of the SKUs in the price table (GET /hardware lists them)" end
  local limit = job.cancel_after and fields.seconds(job.cancel_after)
  local seconds = job.seconds or limit
  if not seconds then return nil, "seconds: how long the prediction runs, or cancel_after as its limit" end
  local highest = math.min(limit or prices.MAX_RUN_SECONDS, prices.MAX_RUN_SECONDS)
  seconds = math.min(seconds, highest)
  return {
    expected = rate * seconds, low = job.seconds and rate * seconds or nil, high = rate * highest,
    unit = "second", quantity = seconds, unit_usd = rate, hardware = job.hardware,
    excludes = job.deployment and "set-up and idle time of the deployment" or nil,
    as_of = PRICES_AS_OF, source = PRICES_SOURCE,
  }
end

return prices
