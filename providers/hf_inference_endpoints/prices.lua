-- prices.lua - what the hardware of endpoints costs, and what a job will.

local jobs = require "hf_inference_endpoints.jobs"
local management = require "hf_inference_endpoints.management"
local price = require "price"

local prices = {}

local PRICES_AS_OF = "2026-08-20"
local LEAST_MINUTES = 1 -- are billed
local PRICES_SOURCE = "https://huggingface.co/docs/inference-endpoints/pricing"

local INSTANCES = {
  { vendor = "aws", type = "t4", size = "x1", usd = 0.5 },
  { vendor = "aws", type = "l4", size = "x1", usd = 0.8 },
  { vendor = "aws", type = "a10g", size = "x1", usd = 1 },
  { vendor = "aws", type = "l40s", size = "x1", usd = 1.8 },
  { vendor = "aws", type = "a100", size = "x1", usd = 2.5 },
  { vendor = "aws", type = "h100", size = "x1", usd = 4.5, deprecated = true },
  { vendor = "aws", type = "h200", size = "x1", usd = 5 },
  { vendor = "aws", type = "h200", size = "x8", usd = 40 },
  { vendor = "aws", type = "b200", size = "x1", usd = 9.25, deprecated = true },
  { vendor = "aws", type = "inf2", size = "x1", usd = 0.75 },
  { vendor = "aws", type = "intel-spr", size = "x1", usd = 0.033 },
  { vendor = "gcp", type = "t4", size = "x1", usd = 0.5 },
  { vendor = "gcp", type = "l4", size = "x1", usd = 0.7 },
  { vendor = "gcp", type = "a100", size = "x1", usd = 3.6 },
  { vendor = "gcp", type = "h100", size = "x1", usd = 10 },
  { vendor = "azure", type = "cpu", size = "x1", usd = 0.06 },
}

prices.PRICING = {
  as_of = PRICES_AS_OF, source = PRICES_SOURCE, unit = "USD per hour and replica, billed by the minute",
  instances = INSTANCES,
  notes = {
    "billed while initializing and running; free while paused or scaled to zero",
    "current prices and quotas of an account: action = hardware",
  },
}

local MAX_TYPE_BYTES = 100

-- "nvidia_a10g", "nvidia-a10g" and "a10g" are the same hardware.
local function short_type(name)
  if #name > MAX_TYPE_BYTES then return name end
  name = string.gsub(string.lower(name), "_", "-")
  return (string.gsub(string.gsub(name, "^nvidia%-", ""), "%-80gb$", ""))
end

-- The lowest and the highest price per hour of a hardware (over all clouds, when the cloud is not named), or nil.
local function find_rates(instance, size, vendor)
  local low, high
  local wanted = short_type(instance)
  for _, entry in ipairs(INSTANCES) do
    if entry.type == wanted and entry.size == (size or "x1") and (not vendor or entry.vendor == vendor) then
      low, high = math.min(low or entry.usd, entry.usd), math.max(high or entry.usd, entry.usd)
    end
  end
  return low, high
end

local function text_in(object, name)
  return type(object[name]) == "string" and object[name] or nil
end

-- What runs: { instance =, size =, vendor =, low = and high = numbers of replicas, idle_minutes = }.
local function hardware_of(job, payload)
  if not job.action then
    return { instance = job.instance, size = job.instance_size, vendor = job.vendor, low = 1, high = 1, idle_minutes = nil }
  end
  local body = jobs.ACTIONS[job.action].body and management.body(job, payload) or {}
  local compute = management.table_in(body, "compute")
  local scaling = management.table_in(compute, "scaling")
  local low = type(scaling.minReplica) == "number" and scaling.minReplica or 1
  local high = type(scaling.maxReplica) == "number" and scaling.maxReplica or 1
  local idle = low == 0 and scaling.scaleToZeroTimeout or nil
  return {
    instance = job.instance or text_in(compute, "instanceType"), size = job.instance_size or text_in(compute, "instanceSize"),
    vendor = job.vendor or text_in(management.table_in(body, "provider"), "vendor"),
    -- A new endpoint begins with one replica, also when it may scale to zero.
    low = math.max(low, 1), high = math.max(low, high, 1), idle_minutes = type(idle) == "number" and idle or nil,
  }
end

--- What a job costs, as a script's estimate; nil and what is missing.
function prices.estimate(job, payload, ctx)
  if job.action and not jobs.ACTIONS[job.action].starts then
    return {
      expected = 0, low = 0, high = 0, free = true, unit = "call", quantity = 1, as_of = PRICES_AS_OF, source = PRICES_SOURCE,
    }
  end
  local hardware = hardware_of(job, payload)
  if not hardware.instance then return nil, "instance: the hardware that the endpoint runs on" end
  local low, high = find_rates(hardware.instance, hardware.size, hardware.vendor)
  if not low then return nil, "the price of this hardware: action = hardware asks the vendor for it" end
  if not job.minutes then return nil, "minutes (or hours): how long the endpoint runs" end
  local minutes = math.max(job.minutes, LEAST_MINUTES)
  local idle = math.min(hardware.idle_minutes or minutes, minutes)
  return price.estimate(ctx, {
    quantity = { low = hardware.low * idle, expected = hardware.low * minutes, high = hardware.high * minutes },
    unit = "minute", row_price = { usd = high / 60, low_usd = low / 60, source = PRICES_SOURCE, as_of = PRICES_AS_OF },
  })
end

return prices
