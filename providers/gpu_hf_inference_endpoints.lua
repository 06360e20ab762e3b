-- gpu_hf_inference_endpoints.lua - Hugging Face Inference Endpoints: requests to a dedicated endpoint, and the endpoint itself.
-- https://huggingface.co/docs/inference-endpoints, contract checked 2026-11-23.
--
-- A job without `action` is one inference: the endpoint by `url`, or by `endpoint` (or `name`) and `namespace`, and whatever
-- its engine takes: `inputs` and `parameters`, `messages`, or a whole `body`, or `data` (a file as a data URI). With `action`
-- it is management: the fields of the vendor's create body beside it.
--
-- Inference is synchronous and has no job id at the vendor: it is over with its answer. A request that meets a sleeping endpoint
-- is not taken, and the host submits it again.

local answers = require "hf_inference_endpoints.answers"
local check = require "check"
local choices = require "hf_inference_endpoints.choices"
local addresses = require "hf_inference_endpoints.addresses"
local directory = require "hf_inference_endpoints.directory"
local inference = require "hf_inference_endpoints.inference"
local jobs = require "hf_inference_endpoints.jobs"
local management = require "hf_inference_endpoints.management"
local prices = require "hf_inference_endpoints.prices"
local states = require "hf_inference_endpoints.states"
local http_errors = require "http_errors"

local capabilities = {
  supports = { "managed_inference", "autoscaling", "private_networking" },
  gpu_families = { "NVIDIA_T4", "A10G", "A100_80GB" },
  billing = "per-minute with 1 minute minimum",
  regions = { "us-east-1", "us-west-2", "eu-west-1" },
  actions = jobs.ACTION_NAMES, endpoint_types = management.TYPES, accelerators = management.ACCELERATORS,
  limits = { scale_to_zero_minutes = { min = management.MIN_IDLE_MINUTES, max = management.MAX_IDLE_MINUTES } },
}

-- The functions of the contract ---------------------------------------------------------------------------------------------

local function prepare(request)
  local job = jobs.read(request)
  return request, { endpoint = job.label or "mock-endpoint" }, job
end

-- The job is what prepare has read, as in submit.
local function estimate(payload, job, ctx)
  return prices.estimate(job, payload, ctx)
end

local function health(ctx)
  local response, failure = ctx.request { url = addresses.WHOAMI }
  if not answers.is_success(response) then return { ok = false, reason = answers.failed(response, failure).error.message } end
  local account = type(response.json) == "table" and response.json or {}
  local notes = {}
  local name = http_errors.safe_text(account.name)
  if name then notes[1] = "account " .. name .. " (" .. tostring(account.type) .. ")" end
  if account.canPay == false then notes[#notes + 1] = "the account has no payment method: endpoints cannot be created" end
  return { ok = true, notes = notes }
end

local function submit(payload, ctx, job)
  if job.action then return management.submit(job, payload, ctx) end
  return inference.submit(job, payload, ctx)
end

-- What to ask for: the state that submit left; for an id that the host does not know, its payload or "namespace/name".
local function known_state(job)
  local state = job.state or {}
  if state.job == "endpoint" then return check.copy(state) end
  local request = jobs.read(job.payload)
  local action = jobs.ACTIONS[request.action or ""]
  if request.name and request.namespace and not (action and action.at ~= "endpoint" and request.action ~= "create") then
    return { job = "endpoint", action = request.action, namespace = request.namespace, name = request.name }
  end
  local namespace, name = string.match(string.sub(job.id or "", 1, 2 * jobs.MAX_NAME_BYTES), "^([%w%._-]+)/([%w%._-]+)$")
  if namespace then return { job = "endpoint", namespace = namespace, name = name } end
  return nil
end

-- A failed look at the job says nothing about the job, unless what it waits for is gone.
local function keep_going(job, state, response, failure)
  if response and response.status == 404 then
    if state.action == "delete" then return { id = job.id, status = "done", artifacts = {}, reason = "deleted" } end
    local result = answers.failed(response, failure)
    result.error.billed = nil
    return result
  end
  return http_errors.not_learned(response, failure, {
    id = job.id, state = state, status = state.status, retry_after = answers.FAULT_SECONDS,
  })
end

local function poll_health(job, state, ctx)
  local response, failure = ctx.request { url = state.health_url }
  local unasked = not response and failure.kind == "unlisted" -- the operator's list of hosts does not have the endpoint
  if answers.is_success(response) or unasked then
    local artifact = { json = state.summary, content_type = "application/json" }
    return { id = job.id, status = "done", artifacts = { artifact }, reason = unasked and failure.message or nil }
  end
  -- Asked from the start: the endpoint may have stopped meanwhile, and asking its health again would wake it.
  state.health_url = nil
  return states.ongoing(job.id, state, "running", "the endpoint does not answer its health route yet")
end

-- One request per poll: the endpoint's state, or its health when it says that it runs.
local function poll(job, ctx)
  local state = known_state(job)
  if not state then
    local message = "cannot be asked for: inference is answered at once, and an endpoint's id is namespace/name"
    return nil, jobs.refusal("job_id", message)
  end
  if state.health_url then return poll_health(job, state, ctx) end
  local response, failure = ctx.request { path = addresses.endpoint_path(state.namespace, state.name) }
  if not answers.is_success(response) then return keep_going(job, state, response, failure) end
  return states.read(response.json, job.id, state)
end

-- An inference cannot be canceled at the vendor. What this job started is stopped by pausing it; an endpoint that ran before the
-- job is left alone.
local function cancel(job, ctx)
  local state = known_state(job)
  if not state or not (state.action == "create" or state.action == "resume") then
    return nil, jobs.refusal("job_id", "cannot be canceled: only a create and a resume can")
  end
  local path = addresses.endpoint_path(state.namespace, state.name) .. "/pause"
  local response, failure = ctx.request { method = "POST", path = path }
  if not answers.is_success(response) then return keep_going(job, state, response, failure) end
  local message = "the endpoint is paused; the time that it ran is billed"
  return { id = job.id, status = "canceled", error = { code = "canceled", message = message } }
end

-- An inference leaves no trace; what manages an endpoint is seen by its name.
local function reconcile(job, ctx)
  return management.reconcile({ payload = job.payload or {}, submitted_at = job.submitted_at, claimed = job.claimed }, ctx)
end

return {
  id = "hf_inference_endpoints", name = "Hugging Face Inference Endpoints", kind = "gpu",
  aliases = { "hf", "huggingface", "huggingface_inference", "hf_endpoints", "hf-inference" },
  feature_flag = "enable_public_gpu",
  docs_url = "https://huggingface.co/docs/inference-endpoints/index",
  pricing_url = "https://huggingface.co/docs/inference-endpoints/pricing", last_checked = "2025-02-17",
  tags = {}, modes = {},
  reviews = {
    notes = "Dedicated machines by the hour for models of the Hub; mind the scale-to-zero setting.",
    sources = { "https://huggingface.co/docs/inference-endpoints/pricing" },
  },
  credentials = {
    api_token = {
      env = {
        "HF_API_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HF_INFERENCE_ENDPOINTS_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
      },
      secret = { "api_token", "token" },
      pattern = "^hf_",
      hint = "create one at https://huggingface.co/settings/tokens, with the scopes of Inference Endpoints",
    },
  },
  base_url = addresses.API,
  hosts = { "huggingface.co" },
  shared_hosts = { addresses.ENDPOINT_HOSTS }, -- every customer of the vendor has names there
  outputs = "any", -- a custom handler may answer with URLs of its own
  auth = { ["Authorization"] = "Bearer {api_token}" },
  capabilities = capabilities, inputs = choices, pricing = prices.PRICING,
  prepare = prepare, estimate = estimate, health = health, submit = submit, poll = poll, cancel = cancel,
  reconcile = reconcile,
  directory = { place = "job.", pace_seconds = 1 },
  models = directory.models, describe = directory.describe,
}
