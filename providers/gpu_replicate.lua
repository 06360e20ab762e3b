-- gpu_replicate.lua - Replicate: predictions of hosted models, by official model, by version, or on a deployment.
-- https://replicate.com/docs/reference/http, contract checked 2026-11-23.
--
-- A job uses the vendor's own names: `model`, `version` or `deployment`, with `input`; `webhook`, `webhook_events_filter`;
-- `prefer` ("wait", "wait=10") and `cancel_after` become headers. `hardware` and `seconds` are ours, for the estimate only.
-- A request for an image or a video is in the words of the family (jobs.lua), and is the same job from then on.

local check = require "check"
local http_errors = require "http_errors"
local choices = require "replicate.choices"
local directory = require "replicate.directory"
local fields = require "replicate.fields"
local jobs = require "replicate.jobs"
local model_inputs = require "model_inputs"
local models = require "replicate.models"
local predictions = require "replicate.predictions"
local prices = require "replicate.prices"
local requests = require "replicate.requests"
local search = require "replicate.search"
local targets = require "replicate.targets"
local uploads = require "replicate.uploads"

local MAX_UPLOAD_BYTES = 100 * 1000 * 1000

-- For the host's own webhook: partial outputs and logs, up to two a second, would only be noise there.
local HOST_WEBHOOK_EVENTS = { "start", "completed" }

local NOT_OFFICIAL = "no official model of this name; a community model needs its version, or version = \"latest\""

local capabilities = {
  supports = { "model_marketplace", "async_jobs", "webhooks", "streaming" },
  gpu_families = { "varies_per_model" },
  pricing_model = "per-second with model-specific rates",
  targets = { "model", "version", "deployment" },
  webhook_events = fields.WEBHOOK_EVENTS,
  models = models.NAMES, any_model = true, model_of_kind = models.OF_KIND,
  limits = {
    max_run_seconds = prices.MAX_RUN_SECONDS, max_wait_seconds = fields.MAX_WAIT_SECONDS,
    min_cancel_after_seconds = fields.MIN_CANCEL_AFTER_SECONDS, inline_file_bytes = uploads.MAX_INLINE_BYTES,
    upload_bytes = MAX_UPLOAD_BYTES, output_kept_seconds = 3600, creates_per_minute = 600,
  },
}

-- The path of an existing prediction, or nil and why not.
local function prediction_path(job)
  if type(job.id) ~= "string" or #job.id > fields.MAX_NAME_BYTES or not string.find(job.id, "^[%w_-]+$") then
    return nil, fields.refusal("job_id", "is not the id of a prediction")
  end
  return "/predictions/" .. job.id
end

-- What a job remembers: the prices of what comes out of it and of its hardware, as they are now. The first counts.
local function state_of(job)
  local figures = prices.of_row(job)
  local price = figures and job.row.price
  return {
    priced = price and { usd = figures.usd, unit = price.unit, by = price.by, value = figures.value } or nil,
    usd_per_second = job.hardware and prices.usd_per_second(job.hardware),
    own = job.deployment ~= nil or nil,
  }
end

-- What a submit left; for an id that the host does not know, what its payload tells.
local function known_state(job)
  if job.state and job.state.status then return job.state end
  return state_of(jobs.read(job.payload or {}))
end

local function estimate(payload, job, ctx)
  return prices.estimate(job or jobs.read(payload, ctx), ctx)
end

local function health(ctx)
  local response, failure = requests.send(ctx, { path = "/account" })
  if not requests.is_success(response) then
    return { ok = false, reason = http_errors.result(response, failure, requests.problem_options(response)).error.message }
  end
  local account = type(response.json) == "table" and response.json or {}
  local username = http_errors.safe_text(account.username)
  if not username then return { ok = false, reason = "the answer is not an account: something else answers at this address" } end
  return { ok = true, notes = { "account " .. username .. " (" .. tostring(account.type) .. ")" } }
end

local function request_headers(job)
  if not job.prefer and not job.cancel_after then return nil end
  return { ["Prefer"] = job.prefer, ["Cancel-After"] = job.cancel_after }
end

-- The seconds that a create may take: the vendor holds it for as long as `prefer` says.
local function request_timeout(job)
  if not job.prefer then return nil end
  return (tonumber(string.match(job.prefer, "%d+$")) or fields.MAX_WAIT_SECONDS) + 30
end

local function request_body(job, version, input, ctx)
  local webhook, events = job.webhook, job.webhook_events_filter
  if not webhook and ctx.webhook_url then
    webhook, events = ctx.webhook_url, events or HOST_WEBHOOK_EVENTS
  end
  if events and not webhook then
    ctx.warn { field = "webhook_events_filter", message = "is not sent: there is no webhook to filter for" }
    events = nil
  end
  return { version = version, input = input, webhook = webhook, webhook_events_filter = events }
end

-- What speaks against a job, as a list. What is said of the input of a request of the family is in its plan.
local function refusals_of(job, target_refusal, payload)
  local refusals = { target_refusal }
  fields.refusals(job, payload, refusals)
  local built = job.built
  if not built or not built.refusals then return refusals end
  for _, refusal in ipairs(built.refusals) do refusals[#refusals + 1] = refusal end
  return refusals
end

-- The job is what prepare has read: it was the plan from then on.
local function submit(payload, ctx, job)
  job = job or jobs.read(payload, ctx)
  local target, refusal = targets.of_job(job)
  local refusals = refusals_of(job, not target and refusal or nil, payload)
  if job.built then model_inputs.announce(job.built, ctx) end
  if refusals[1] then return nil, refusals end
  if job.has_others and not job.is_media then fields.warn_of_unknown_fields(payload, ctx) end

  local version, failed = target.version, nil
  if target.look_up then version, failed = targets.look_up(target.look_up, ctx) end
  if failed then return failed end
  local input
  input, failed = uploads.replace(job.input, ctx)
  if failed then return failed end

  local response, failure = requests.send(ctx, {
    path = target.path, headers = request_headers(job), json = request_body(job, version, input, ctx),
    timeout = request_timeout(job),
  })
  if not requests.is_success(response) then
    return http_errors.result(response, failure, requests.problem_options(response, target.official and NOT_OFFICIAL or nil))
  end
  if not predictions.is(response.json) then return http_errors.unreadable("the answer is not a prediction") end
  return predictions.read(response.json, state_of(job), job.prefer ~= nil and response.status ~= 202)
end

-- What an answer to a question about a prediction says of its job.
local function told(job, response, failure)
  if not requests.is_success(response) or not predictions.is(response.json) then
    return requests.keep_going(job, response, failure)
  end
  return predictions.read(response.json, known_state(job))
end

local function poll(job, ctx)
  local path, refusal = prediction_path(job)
  if not path then return nil, refusal end
  local response, failure = requests.send(ctx, { path = path })
  return told(job, response, failure)
end

-- The answer may still be "processing": the vendor cancels in its own time, and polling goes on until it has.
local function cancel(job, ctx)
  local path, refusal = prediction_path(job)
  if not path then return nil, refusal end
  local response, failure = requests.send(ctx, { method = "POST", path = path .. "/cancel" })
  return told(job, response, failure)
end

-- The body is the prediction as GET gives it. One of another prediction must not settle this job.
local function webhook(delivery)
  local job = delivery.job or {}
  local prediction = delivery.json
  if not predictions.is(prediction) or (job.id and job.id ~= prediction.id) then return requests.keep_going(job) end
  return predictions.read(prediction, known_state(job))
end

local function reconcile(job, ctx)
  return search.run(job, ctx, state_of(jobs.read(check.copy(job.payload or {}))))
end

return {
  id = "replicate", name = "Replicate", kind = "gpu", kinds = { "gpu", "image", "video" },
  aliases = { "replicate.com" },
  feature_flag = "enable_public_gpu",
  docs_url = "https://replicate.com/docs", pricing_url = "https://replicate.com/pricing", last_checked = "2025-02-17",
  tags = {},
  modes = {
    { id = "image", label = "Images by any model", kind = "image", default = true },
    { id = "video", label = "Videos by any model", kind = "video", default = true },
  },
  reviews = {
    notes = "Runs a large catalogue of public models by the second; what a run costs depends on the model.",
    sources = { "https://replicate.com/pricing" },
  },
  credentials = {
    api_key = {
      env = { "REPLICATE_API_TOKEN", "REPLICATE_API_KEY" },
      secret = { "token", "api_key" },
      pattern = "^r8_",
      hint = "create one at https://replicate.com/account/api-tokens",
    },
  },
  base_url = requests.BASE_URL,
  outputs = "any", -- replicate.delivery, and whatever URL a model answers with
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = capabilities, pricing = prices.PRICING, inputs = choices,
  directory = { hosts = {}, place = "parameters.", job_place = "job.input.", pace_seconds = 0.2 },
  models = directory.models, describe = directory.describe,
  prepare = jobs.prepare, estimate = estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook, reconcile = reconcile,
  webhook_signature = { scheme = "standard-webhooks", secret = { path = "/webhooks/default/secret", field = "key" } },
}
