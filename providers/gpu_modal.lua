-- gpu_modal.lua - Modal: functions that their owner put on the web, job queues in front of them, and managed LLM endpoints.
--
-- Docs: https://modal.com/docs/guide/webhook-timeouts, .../webhook-proxy-auth, .../webhook-urls, .../job-queue, .../endpoints
-- (SDK 1.5, state of 2026-10). Checked 2026-11-23.
--
-- Modal has no public REST API to call a function by its name: its SDKs speak gRPC, whose direct use Modal does not support. What
-- plain HTTP can reach is what an app exposes, and a job says which of the two kinds it is:
--   { url, body }                    a web function: the answer is the result, or after 150 s a 303 to where the result will be
--   { submit_url, result_url, body } the job-queue pattern: the answer is a call_id, and {call_id} in result_url stands for it
-- { workspace, app, function } builds the url of a deployed function. Neither kind can be cancelled, unless the app has a route
-- for it (cancel_url).

local check = require "check"
local http_errors = require "http_errors"
local addresses = require "modal.addresses"
local answers = require "modal.answers"
local choices = require "modal.choices"
local errors = require "modal.errors"
local fields = require "modal.fields"
local prices = require "modal.prices"
local requests = require "modal.requests"
local results = require "modal.results"

local given = check.is_given

local capabilities = {
  supports = { "serverless", "schedules", "volumes", "webhooks" },
  gpu_families = { "A10G", "L4", "A100_80GB" },
  billing = "per-second with 1-minute minimum",
  regions = { "us-west-1", "us-east-1", "eu-west-1" },
  calls = { "web function", "job queue", "OpenAI-compatible endpoint" },
  cancel = "only if the app exposes it",
  idempotency = false,
  limits = { request_seconds = 150, result_days = 7 },
}

-- Calling somebody's function would start a container and cost money. The list of models of the shared endpoints needs the
-- same proxy token and runs nothing.
local function health(ctx)
  local response, failure = ctx.request { path = "/models", auth = "bearer" }
  if not results.is_success(response) then return { ok = false, reason = errors.result(response, failure).error.message } end
  return { ok = true, notes = { "the proxy token is accepted; whether a function is deployed shows only when it is called" } }
end

local LATER_URLS = { "result_url", "cancel_url" }

-- What is asked of the job later must be answered too: who pays for a result must get it.
local function warn_of_later_hosts(payload, ctx)
  if payload.auth == "none" then return end
  for _, field in ipairs(LATER_URLS) do
    local url = payload[field]
    if url ~= nil and given(url) then ctx.needs_host(addresses.of_call(url, "call_id"), "job." .. field) end
  end
end

local function submit(payload, ctx, read)
  local target, problem = addresses.destination(payload, read)
  if not target then return nil, problem end
  local request
  request, problem = requests.submit(payload, target)
  if not request then return nil, problem end
  fields.warn_of_left_out(payload, ctx)
  warn_of_later_hosts(payload, ctx)
  local response, failure = ctx.request(request)
  return answers.of_submit(payload, target, response, failure)
end

-- Modal has no status: asking for the result waits for it, for up to 150 s.
local function poll(job, ctx)
  local url, state = addresses.of_job(job)
  if not url then return nil, state end
  local request = requests.authorize({ url = url, timeout = requests.REQUEST_SECONDS }, state.kept or job.payload or {})
  local response, failure = ctx.request(request)
  if response and not state.since then state.since = response.headers.date end
  return answers.of_poll(job, url, state, response, failure)
end

local function cancel(job, ctx)
  local payload = job.state and job.state.kept or job.payload or {}
  if not given(payload.cancel_url) then
    return nil, fields.refusal("cancel_url",
      "is needed in the job: only the app can cancel its calls, Modal has no HTTP API for it")
  end
  local problem = addresses.check("cancel_url", payload.cancel_url)
  if problem then return nil, problem end
  local response, failure = ctx.request(requests.authorize({
    method = "POST", url = addresses.of_call(payload.cancel_url, job.id or ""), timeout = requests.REQUEST_SECONDS,
  }, payload))
  if not results.is_success(response) then return http_errors.unanswered(response, failure, job, errors.options(response)) end
  if type(response.json) == "table" and response.json.canceled == false then
    return { id = job.id, status = "running", state = job.state, reason = "the app did not cancel the call" }
  end
  local message = "the app canceled the call; the time that it ran is billed"
  return { id = job.id, status = "canceled", error = { code = "canceled", message = message } }
end

local PROXY_TOKEN_HINT = "create a proxy token in Modal's settings: API tokens (ak-, as-) do not work on Modal's HTTP surface; "
  .. "of one in a single line, wk-....ws-..., token_id is the half before the dot and token_secret the half after it"

return {
  id = "modal", name = "Modal", kind = "gpu",
  aliases = { "modal.com" }, feature_flag = "enable_public_gpu",
  docs_url = "https://modal.com/docs", pricing_url = "https://modal.com/pricing", last_checked = "2025-02-17",
  tags = {}, modes = {},
  reviews = {
    notes = "Any Python function becomes a GPU job; what plain HTTP can reach of it is up to its author.",
    sources = { "https://modal.com/pricing" },
  },
  credentials = {
    token_id = {
      env = { "MODAL_TOKEN_ID", "MODAL_PROXY_TOKEN_ID" }, secret = { "token_id", "proxy_token_id" }, pattern = "^wk-",
      hint = "it begins with wk-: " .. PROXY_TOKEN_HINT,
    },
    token_secret = {
      env = { "MODAL_TOKEN_SECRET", "MODAL_PROXY_TOKEN_SECRET" }, secret = { "token_secret", "proxy_token_secret" },
      pattern = "^ws-", hint = "it begins with ws-: " .. PROXY_TOKEN_HINT,
    },
  },
  base_url = "https://inference.us-west.modal.direct/v1",
  shared_hosts = addresses.MODAL_HOSTS,
  outputs = "any", -- the app's own store
  auth = { ["Modal-Key"] = "{token_id}", ["Modal-Secret"] = "{token_secret}" },
  auth_forms = { bearer = { ["Authorization"] = "Bearer {token_id}.{token_secret}" } },
  capabilities = capabilities, inputs = choices, pricing = prices.PRICING,
  prepare = fields.prepare, estimate = prices.estimate, health = health, submit = submit, poll = poll, cancel = cancel,
}
