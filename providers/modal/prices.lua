-- prices.lua - what Modal's GPUs cost, and what a call will.

local check = require "check"
local price = require "price"

local prices = {}

local given = check.is_given

local pricing = {
  -- No copy of Modal's own page was at hand: two readings of it by others agree.
  as_of = "2026-06-27", source = "https://modal.com/pricing (as read by third parties)", unit = "USD/second of a container",
  gpus = { H100 = 0.001097, ["A100-80GB"] = 0.000694, L40S = 0.000542, L4 = 0.000222, T4 = 0.000164 },
  older_gpus = { as_of = "2025-02-17", source = "https://modal.com/pricing", unit = "USD/second", A10G = 1.32 / 3600 },
  cpu_core = 0.0000131, least_cpu_cores = 0.125,
  multipliers = { region_least = 1.5, region_most = 1.75, non_preemptible = 3 },
  plans = { starter = { usd_per_month = 0, credit_usd_per_month = 30, containers = 100, gpus = 10 } },
}

--- Dollars, with where and when they were read.
prices.PRICING = pricing

-- "A100_80GB:2" is the price table's A100-80GB, twice.
local function gpu_of(text)
  local name, count = string.match(text, "^([%w%-_]+)!?:?(%d?%d?%d?)$")
  if not name then return nil end
  name = string.gsub(string.upper(name), "_", "-")
  if name == "A10" then name = "A10G" end
  local table_of = pricing.gpus[name] and pricing or pricing.older_gpus
  return pricing.gpus[name] or pricing.older_gpus[name], tonumber(count) or 1, table_of
end

local LEAST_SECONDS = 60 -- are billed

--- What a call will cost; nil and what is not known.
function prices.estimate(payload, _, ctx)
  if not given(payload.gpu) then return nil, "gpu: the GPU of the function, and seconds" end
  local rate, count, from = gpu_of(payload.gpu)
  if type(rate) ~= "number" then return nil, "a price for this gpu" end
  local reader = check.reader(payload)
  local minutes = reader:number("max_runtime_minutes")
  local seconds = reader:number("seconds") or (minutes and minutes * 60)
  if not seconds then return nil, "how long the function runs: seconds or max_runtime_minutes" end
  local billed = math.max(seconds, LEAST_SECONDS)
  -- The price of a GPU's second with the least CPU beside it.
  local usd = rate + pricing.cpu_core * pricing.least_cpu_cores / count
  return price.estimate(ctx, {
    quantity = billed * count, unit = "GPU second",
    row_price = {
      usd = usd, low_usd = rate, high_usd = usd * pricing.multipliers.region_most, source = from.source, as_of = from.as_of,
    },
    basis = "GPU and the least CPU, high in a pinned region; memory, a container's start, non-preemptible machines are extra",
  })
end

return prices
