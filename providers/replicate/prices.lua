-- prices.lua - what Replicate's hardware costs, and what a prediction will.

local fields = require "replicate.fields"
local models = require "replicate.models"
local names = require "names"
local plan = require "plan"
local price = require "price"
local row_prices = require "row_prices"

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

local official = {}
for _, id in ipairs(names.sorted(models.ROWS)) do official[id] = models.ROWS[id].price end

local pricing = {
  as_of = PRICES_AS_OF, source = PRICES_SOURCE, unit = "USD per second of hardware", hardware = USD_PER_SECOND,
  notes = {
    "public models: the running time is billed; private models and deployments: set-up and idle time as well",
    "hardware with several GPUs (gpu-h100-2x) costs the multiple",
    "official models are billed per image, per second of video or per token",
  },
  models = official,
  model_examples = {
    as_of = "2025-02-17", source = PRICES_SOURCE,
    flux_pro_ultra = { usd = 0.06, unit = "image" },
    llama_3_8b = { usd = 0.0008, unit = "second" },
    whisper_large_v3 = { usd = 0.006, unit = "minute" },
  },
}

--- Dollars, with where and when they were read.
prices.PRICING = pricing

-- What hardware costs for the time that the job says, or that it is limited to.
local function hardware_estimate(job)
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

--- What the row of a job's model says that it costs: row_prices.figures; nil and why not, or nil alone for a model without a row.
function prices.of_row(job)
  if not job.row then return nil end
  if type(job.input) ~= "table" then return nil, "input: what the model is to work on" end
  return row_prices.figures(job.row, job.input)
end

--- What a prediction will cost; nil and what is not known. `job` is the plan: an official model has the price of what comes out,
--- any other that of its hardware.
function prices.estimate(job, ctx)
  local built = job.built
  if built and plan.is_refused(built) then return nil, plan.first_refusal(built) end
  local unpriced = built and plan.unpriced_by(built)
  local figures, missing = prices.of_row(job)
  if figures and not unpriced then
    return price.estimate(ctx, {
      model = job.model, drivers = row_prices.drivers(job.input), row_price = figures, quantity = figures, shown = false,
    })
  end
  local known, lacking = nil, nil
  if job.hardware or not job.is_media and not job.row then known, lacking = hardware_estimate(job) end
  if known then return known end
  return price.estimate(ctx, {
    model = not unpriced and (job.model or job.model_version or job.version or job.deployment) or nil,
    drivers = type(job.input) == "table" and row_prices.drivers(job.input) or nil,
    reason = unpriced or missing or lacking or "the price of this model is not known here", shown = false,
  })
end

return prices
