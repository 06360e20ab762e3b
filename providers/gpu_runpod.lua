-- gpu_runpod.lua - RunPod: serverless endpoints (queue-based, public and load-balancing), batches and pods.
--
-- Docs: https://docs.runpod.io/serverless/endpoints/operation-reference, .../api-reference-v2 (state of 2026-08-20),
-- compared with the traffic of runpod-sdk 1.1.2. Checked 2026-11-23.
--
-- Two planes share one key: jobs go to api.runpod.ai (".ai"), pods and endpoints are managed at api.runpod.io (".io").
-- REST v1 (rest.runpod.io) was retired on 2026-11-15 and is not used.
--
-- A job is RunPod's own body with `endpoint_id` beside it: { endpoint_id, input, policy, webhook, s3Config }. Other calls are
-- chosen by `operation` (providers/runpod/requests.lua) or by what is given: `pod`, `serverless`, `requests` (a batch). A request
-- for an image or a video is in the words of the family (jobs.lua), and is such a job from then on.

local check = require "check"
local reconcile_job = require "reconcile"
local answers = require "runpod.answers"
local choices = require "runpod.choices"
local directory = require "runpod.directory"
local jobs = require "runpod.jobs"
local model_inputs = require "model_inputs"
local models = require "runpod.models"
local plan = require "plan"
local pods = require "runpod.pods"
local prices = require "runpod.prices"
local requests = require "runpod.requests"
local status = require "runpod.status"
local targets = require "runpod.targets"

local given = check.is_given

local capabilities = {
  supports = { "serverless", "pods", "volumes", "websocket_streaming" },
  gpu_families = { "RTX_4090", "RTX_6000_ADA", "A100_80GB" },
  regions = { "us-texas", "eu-finland", "ap-sydney" },
  limits = {
    run_payload_bytes = 10 * 1000 * 1000, runsync_payload_bytes = 20 * 1000 * 1000,
    run_result_seconds = 1800, runsync_result_seconds = 60,
    job = requests.LIMITS,
  },
  operations = requests.NAMES,
  models = models.NAMES, any_model = true, model_of_kind = models.OF_KIND,
  idempotency = false,
  webhook_signature = false,
  output_days = { public_endpoints = 7 },
}

-- The cheapest call that needs the key: it lists pods and starts nothing. It also tells what is running up a bill.
local function health(ctx)
  local response, failure = ctx.request { url = requests.MANAGEMENT_URL .. "/pods" }
  if not answers.is_success(response) then
    return { ok = false, reason = answers.error_result(response, failure).error.message }
  end
  local list = type(response.json) == "table" and response.json.pods
  if type(list) ~= "table" then return { ok = false, reason = answers.unreadable(response).error.message } end
  local running_count, hourly = 0, 0
  for _, pod in ipairs(list) do
    if pod.status == "RUNNING" then running_count = running_count + 1 end
    if type(pod.cost) == "number" then hourly = hourly + pod.cost end
  end
  local notes = { string.format("%d pods, %d of them running", #list, running_count) }
  if hourly > 0 then notes[2] = string.format("pods cost %.2f USD per hour at the moment", hourly) end
  return { ok = true, notes = notes }
end

-- The state that the job of a pod begins with.
local function pod_state(payload)
  local rate, _, count = prices.pod_rate(payload)
  return pods.state_of(payload, rate and rate * count)
end

local READERS = {
  job = answers.job, batch = answers.batch, value = answers.value, direct = answers.direct, pod = pods.created,
  action = pods.acted,
}

-- The job, and what is known of it; `about.name` is its operation.
local function read(payload, ctx, read_already)
  local job, about
  if read_already then job, about = read_already.job, read_already.about else job, about = jobs.read(payload, ctx) end
  about.name = about.name or requests.name_of(job)
  return job, about
end

local function estimate(payload, read_already, ctx)
  local job, about = read(payload, ctx, read_already)
  return prices.estimate(job, about, ctx)
end

-- What an answer is read by (answers.lua).
local function target_of(name, operation, job, about)
  return {
    endpoint_id = job.endpoint_id, is_public = about.is_public,
    pod_id = job.pod_id, action = job.action, is_sync = name == "runsync" or nil,
    pod = (operation.answer == "pod" or operation.answer == "action") and pod_state(job) or nil,
    stream = job.stream == true or nil, finalize = name == "batch" and job.finalize ~= false or nil,
    usd_per_second = operation.answer == "job" and prices.worker_rate(job) or nil,
  }
end

local function submit(payload, ctx, read_already)
  local job, about = read(payload, ctx, read_already)
  if about.built then model_inputs.announce(about.built, ctx) end
  if about.built and plan.is_refused(about.built) then return nil, plan.refusals(about.built) end
  local name = about.name
  local operation = requests.OPERATIONS[name]
  local request, problem = requests.build(operation, job, ctx)
  if not request then return nil, problem end
  requests.warn_of_left_out(operation, job, ctx)
  pods.say_needs(name, job, ctx)
  local response, failure = ctx.request(request)
  return READERS[operation.answer](response, failure, target_of(name, operation, job, about))
end

local function poll(job, ctx)
  local target, problem = targets.of_job(job)
  if not target then return nil, problem end
  if target.kind == "pod" then return pods.poll(job, ctx) end
  if target.kind == "batch" then return status.of_batch(job, target, ctx) end
  if target.stream then return status.of_stream(job, target, ctx) end
  return status.of_job(job, target, ctx)
end

local function cancel(job, ctx)
  local target, problem = targets.of_job(job)
  if not target then return nil, problem end
  if target.kind == "pod" then return pods.cancel(job, ctx) end
  local is_batch = target.kind == "batch"
  local path = is_batch and targets.path(target, "batch", job.id, "cancel") or targets.path(target, "cancel", job.id)
  local response, failure = ctx.request { method = "POST", path = path, json = {} }
  local found, result = status.read(job, response, failure)
  if not found then return result end
  if is_batch then return answers.batch_result(found, target) end
  result = answers.job_result(found, target)
  if result.status ~= "canceled" or result.cost or target.is_public then return result end
  if target.seen ~= "queued" and not target.usd_per_second then return result end
  -- How long it ran before that, if it did, is in its status.
  local asked = status.of_job(job, target, ctx)
  return asked.status == "canceled" and asked or result
end

-- RunPod does not sign what it delivers, so the job itself is asked. The delivery counts only when it cannot be: the URL that
-- it came by is a secret of this job.
local function webhook(delivery, ctx)
  local delivered, job = delivery.json, delivery.job or {}
  if not answers.is_job(delivered) then return nil, requests.refusal("body", "is not a RunPod job") end
  if given(job.id) and job.id ~= delivered.id then
    return nil, requests.refusal("body.id", "is not the job that this URL belongs to")
  end
  local target, problem = targets.of_job(job)
  if not target then return nil, problem end
  local response = ctx.request { path = targets.path(target, "status", delivered.id), headers = requests.JSON_TYPE }
  local confirmed = answers.is_success(response) and answers.is_job(response.json)
  return answers.job_result(confirmed and response.json or delivered, target)
end

-- Only pods can be looked for: RunPod has no list of jobs.
local function reconcile(job, ctx)
  local payload = jobs.address(type(job.payload) == "table" and job.payload or {})
  if requests.name_of(payload) ~= "pods" or not given(payload.pod) then return reconcile_job.unknown() end
  return pods.reconcile(job, ctx, pod_state(payload))
end

return {
  id = "runpod", name = "RunPod", kind = "gpu", kinds = { "gpu", "image", "video" },
  aliases = { "runpod.io" }, feature_flag = "enable_public_gpu",
  docs_url = "https://docs.runpod.io/docs", pricing_url = "https://www.runpod.io/pricing", last_checked = "2025-02-17",
  tags = {},
  modes = {
    { id = "image", label = "Images by a public endpoint, or one's own", kind = "image", default = true },
    { id = "video", label = "Videos by a public endpoint, or one's own", kind = "video", default = true },
  },
  reviews = {
    notes = "Cheap and wide in GPUs; idle endpoints pause by themselves, and a forgotten pod bills for ever.",
    sources = { "https://www.runpod.io/pricing", "https://www.g2.com/products/runpod/reviews" },
  },
  credentials = {
    api_key = {
      env = { "RUNPOD_API_KEY", "RUNPOD_TOKEN" }, secret = { "api_key", "token" }, pattern = "^rpa_",
      hint = "a RunPod key begins with rpa_: create one at https://console.runpod.io/user/settings",
    },
  },
  base_url = "https://api.runpod.ai/v2",
  hosts = { "api.runpod.io" },
  shared_hosts = { "*.api.runpod.ai" }, -- the workers behind them are their owners'
  outputs = "any", -- a worker uploads to a bucket of its own
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = capabilities, pricing = prices.PRICING, inputs = choices,
  -- the list of public endpoints is one question, without a key; RunPod lets itself be asked once a minute
  directory = { hosts = { "api.runpod.io" }, place = "parameters.", job_place = "job.input.", pace_seconds = 60 },
  models = directory.models,
  prepare = jobs.prepare, estimate = estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  reconcile = reconcile,
}
