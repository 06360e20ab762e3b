-- prices.lua - what RunPod's workers, pods and public endpoints cost, and what a job will.

local check = require "check"
local answers = require "runpod.answers"
local fields = require "runpod.fields"
local models = require "runpod.models"
local names = require "names"
local plan = require "plan"
local pods = require "runpod.pods"
local price = require "price"
local requests = require "runpod.requests"
local row_prices = require "row_prices"

local prices = {}

local given = check.is_given

local NONE = {}

local IDLE_SECONDS = answers.IDLE_SECONDS

local public = {}
for _, id in ipairs(names.sorted(models.ROWS)) do public[id] = models.ROWS[id].price end

local pricing = {
  as_of = "2026-08-20", source = "https://docs.runpod.io/public-endpoints/reference",
  unit = "USD/second of a serverless worker, USD/hour of a pod, USD/output of a public endpoint",
  public_endpoints = public,
  serverless = {
    -- The table carries no date of its own; it is older than this.
    as_of = "2026-07-31", source = "https://docs.runpod.io/serverless/pricing",
    unit = "USD/second (flex worker, from its start to its full stop)",
    A4000 = 0.00016, A4500 = 0.00016, RTX4000 = 0.00016, L4 = 0.00019, A5000 = 0.00019, RTX3090 = 0.00019,
    RTX4090 = 0.00031, A6000 = 0.00034, A40 = 0.00034, L40 = 0.00053, L40S = 0.00053, RTX6000ADA = 0.00053,
    A100 = 0.00076, H100 = 0.00116, H200 = 0.00155, B200 = 0.00240,
  },
  on_demand = {
    as_of = "2025-02-17", source = "https://www.runpod.io/pricing", unit = "USD/hour",
    RTX6000ADA = 0.49, A100 = 1.99,
    RTX4090 = { SECURE = 0.44, COMMUNITY = 0.31, as_of = "2026-08-20", source = "https://docs.runpod.io/api-reference-v2" },
  },
  live_prices = "operation catalog/gpus",
}

--- Dollars, with where and when they were read.
prices.PRICING = pricing

-- What the name of a GPU contains, longest first: "NVIDIA GeForce RTX 4090", "RTX_4090" and the pool "ADA_24" are one GPU.
local GPU_NAMES = {
  { "RTX6000ADA" }, { "6000ADA", "RTX6000ADA" }, { "RTX4000" }, { "A4000" }, { "A4500" }, { "A5000" }, { "A6000" },
  { "3090", "RTX3090" }, { "4090", "RTX4090" }, { "ADA24", "RTX4090" }, { "A100" }, { "H100" }, { "H200" }, { "B200" },
  { "L40S" }, { "L40" }, { "A40" }, { "L4" },
}

-- A GPU's name as the price tables have it, or nil.
local function gpu_key(name)
  if type(name) ~= "string" then return nil end
  local text = string.gsub(string.upper(string.sub(name, 1, 80)), "[^%w]", "")
  for _, gpu in ipairs(GPU_NAMES) do
    if string.find(text, gpu[1], 1, true) then return gpu[2] or gpu[1] end
  end
  return nil
end

local function seconds_limit(payload)
  local policy = given(payload.policy) and payload.policy or {}
  local milliseconds = check.reader(policy, "policy"):number("executionTimeout")
  if milliseconds then return milliseconds / 1000 end
  local minutes = check.reader(payload):number("max_runtime_minutes")
  return minutes and minutes * 60
end

--- What a second of the job's workers costs, or nil.
function prices.worker_rate(payload)
  local rate = pricing.serverless[gpu_key(given(payload.gpu) and payload.gpu or nil) or ""]
  return rate and rate * (check.reader(payload):integer("gpu_count") or 1)
end

local function worker_estimate(payload, jobs)
  if given(payload.endpoint_id) and not given(payload.gpu) then return nil, "gpu: the GPU of the endpoint's workers" end
  local rate = prices.worker_rate(payload)
  if not rate then return nil, "a price for this gpu" end
  local seconds = seconds_limit(payload)
  if not seconds then return nil, "the longest time of a job: policy.executionTimeout or max_runtime_minutes" end
  local machines = (check.reader(payload):integer("gpu_count") or 1) * jobs
  return {
    expected = rate * seconds * jobs, high = rate * (seconds + IDLE_SECONDS) * jobs, unit = "second",
    quantity = seconds * machines, source = pricing.serverless.source, as_of = pricing.serverless.as_of,
    basis = "the longest time of the job; high adds the idle time, neither has the worker's start",
  }
end

--- The price of one GPU of a pod, the table that has it, and how many GPUs.
function prices.pod_rate(payload)
  local pod = given(payload.pod) and payload.pod or {}
  local gpu = given(pod.gpu) and pod.gpu or {}
  local rates = pricing.on_demand
  local rate = rates[gpu_key(gpu.id) or ""]
  if type(rate) == "table" then rates, rate = rate, rate[given(pod.cloud) and pod.cloud or "SECURE"] end
  return rate, rates, check.reader(gpu):integer("count") or 1
end

local function pod_estimate(payload)
  local rate, rates, count = prices.pod_rate(payload)
  if not rate then return nil, "a price for this gpu: ask operation catalog/gpus" end
  local minutes = check.reader(payload):number("max_runtime_minutes")
  if not minutes then return nil, "how long the pod is to run: max_runtime_minutes" end
  local hours = minutes / 60 * count
  return {
    expected = rate * hours, high = rate * (hours + pods.MARGIN_SECONDS / 3600 * count), unit = "GPU hour", quantity = hours,
    source = rates.source, as_of = rates.as_of,
  }
end

-- What jobs of the same kind have cost here, where no price is known.
local function observed_estimate(job, ctx, reason)
  local drivers = given(job.input) and row_prices.drivers(job.input) or nil
  return price.estimate(ctx, { model = job.endpoint_id, drivers = drivers, reason = reason, shown = false })
end

-- A model that RunPod hosts, by its row.
local function public_estimate(job, about, ctx)
  local figures, missing = row_prices.figures(about.row, given(job.input) and job.input or NONE)
  if not figures then return observed_estimate(job, ctx, missing) end
  return price.estimate(ctx, {
    model = job.endpoint_id, drivers = row_prices.drivers(job.input or NONE), row_price = figures, quantity = figures,
    shown = false,
  })
end

local FREE = {
  expected = 0.0, low = 0.0, high = 0.0, free = true, unit = "call", quantity = 1, source = pricing.serverless.source,
  as_of = pricing.serverless.as_of, basis = "only the time of workers and pods is billed",
}

local function job_estimate(job, about, ctx)
  local built = about.built
  if built and plan.is_refused(built) then return nil, plan.first_refusal(built) end
  if built and plan.unpriced_by(built) then return nil, plan.unpriced_by(built) end
  if about.row then return public_estimate(job, about, ctx) end
  if about.is_public or about.is_media and not given(job.gpu) then
    return observed_estimate(job, ctx, "the price of this endpoint is not known here")
  end
  local figures, missing = worker_estimate(job, 1)
  if figures then return figures end
  return observed_estimate(job, ctx, missing)
end

--- What a job will cost; nil and what is not known. `about`: what jobs.lua knows of it, and the `name` of its operation.
function prices.estimate(job, about, ctx)
  local name = about.name
  if requests.OPERATIONS[name].free or (name == "pods/action" and check.in_list(job.action, fields.STOPPING)) then
    return check.copy(FREE)
  end
  if name == "pods" then return pod_estimate(job) end
  if name == "run" or name == "runsync" then return job_estimate(job, about, ctx) end
  if name == "batch" then return worker_estimate(job, given(job.requests) and #job.requests or 1) end
  return nil, "a price for " .. name .. ": it depends on what is started"
end

return prices
