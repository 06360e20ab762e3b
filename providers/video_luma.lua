-- Luma: the Dream Machine API (ray-2, photon-1) and the newer Agents API (ray-3.2, uni-1). Two APIs with keys of their own.
-- Docs: https://docs.lumalabs.ai and https://docs.agents.lumalabs.ai, checked 2026-11-23.
--
-- A request without `model` is made by ray-2 with our defaults. A request that names a model gets nothing that the vendor does
-- not require. `model` is a model id, which also chooses the API, or a path of Dream Machine as its docs write it
-- (generations/video/reframe, generations/<id>/upscale), with parameters.model for the vendor's model.
--
-- There is no `cancel`: Luma cannot stop a generation. Its DELETE removes the record of one, perhaps paid and running.

local http_errors = require "http_errors"
local luma_answers = require "luma.answers"
local luma_body = require "luma.body"
local luma_choices = require "luma.choices"
local luma_models = require "luma.models"
local payloads = require "luma.payloads"
local luma_prices = require "luma.prices"
local luma_route = require "luma.route"
local luma_search = require "luma.search"
local plans = require "plan"
local reconcile_job = require "reconcile"
local url_parts = require "url_parts"

local AGENTS_URL = "https://agents.lumalabs.ai/v1"

-- After a poll without an answer.
local RETRY_SECONDS = 10

-- A request with sync = true is answered when the picture is there: the host waits a little longer than the vendor does.
local SYNC_SECONDS, SYNC_MARGIN_SECONDS = 60, 15

local capabilities = {
  modes = { "video" },
  features = { "reference_frames", "style_transfer" },
  resolutions = { "1080p" },
  duration_seconds = { default = 6.0, max = 12.0 },
  models = luma_models.FOR_CLIENTS,
  default_model = luma_route.DEFAULT_MODEL, default_image_model = luma_route.DEFAULT_IMAGE_MODEL,
  webhooks = true,
  cancel = false,
}

local NOT_JSON = { kind = "protocol", message = "the answer is not JSON" }

local function is_object(response)
  return response and type(response.json) == "table"
end

-- The API that a job runs on: kept in its state, else told by its model.
local function api_of(job)
  if job.state and job.state.api then return job.state.api end
  local model = job.payload and job.payload.model
  return type(model) == "string" and luma_route.api_of(model) or "dream_machine"
end

-- One request to either API; each has a key of its own.
local function ask(ctx, api, request)
  if api == "agents" then
    request.url, request.path = AGENTS_URL .. request.path, nil
    request.auth = "agents"
  end
  return ctx.request(request)
end

local function estimate(payload, plan, ctx)
  plan = plan or luma_body.build(payload)
  if plans.is_refused(plan) then return nil, plans.first_refusal(plan) end
  return luma_prices.estimate(plan, ctx)
end

-- What a payload costs by our rows at present; nil when that is not known. What earlier jobs cost is no price.
local function price_of(payload)
  if type(payload) ~= "table" or not payload.parameters or not payload.model then return nil end
  local figures = estimate(payload)
  return figures and figures.expected
end

-- What a submit left; for an id that the host does not know, what its payload tells.
local function known_state(job)
  if job.state and job.state.api then return job.state end
  return { api = api_of(job), usd = price_of(job.payload) }
end

local function health(ctx)
  local response, failure = ctx.request { path = "/credits" }
  if not response or response.status ~= 200 or not is_object(response) then
    return { ok = false, reason = http_errors.result(response, failure, luma_answers.explain(response)).error.message }
  end
  local cents = response.json.credit_balance
  return {
    ok = true, balance_usd = type(cents) == "number" and cents / 100 or nil,
    notes = { "the balance of Dream Machine; the Agents API has a key of its own and does not tell its balance" },
  }
end

local function submit(payload, ctx, plan)
  plan = plan or luma_body.build(payload)
  if plans.is_refused(plan) then return nil, plan.refusals end
  plans.announce(plan, ctx)
  local route, body = plan.route, plan.body
  if route.fields.callback_url and body.callback_url == nil then body.callback_url = ctx.webhook_url end
  local timeout
  if body.sync == true then timeout = (tonumber(body.sync_timeout) or SYNC_SECONDS) + SYNC_MARGIN_SECONDS end
  local response, failure = ask(ctx, route.api, { path = route.path, json = body, timeout = timeout })
  if not response or response.status >= 300 then return http_errors.result(response, failure, luma_answers.explain(response)) end
  if not is_object(response) or type(response.json.id) ~= "string" then
    return http_errors.unreadable("the vendor's answer has no generation id")
  end
  return luma_answers.generation_result(response.json, { api = route.api, usd = price_of(payload) })
end

local function poll(job, ctx)
  local state = known_state(job)
  local response, failure = ask(ctx, state.api, { path = "/generations/" .. url_parts.segment(job.id) })
  local answered = response and response.status == 200
  if answered and is_object(response) then
    local result = luma_answers.generation_result(response.json, state)
    result.id = job.id
    return result
  end
  if answered then response, failure = nil, NOT_JSON end
  local options = luma_answers.explain(response)
  options.retry_after = RETRY_SECONDS
  return http_errors.unanswered(response, failure, job, options)
end

-- A callback carries no signature, so anybody may have sent it: it is only a reason to ask.
local function webhook(delivery, ctx)
  local job = delivery.job or {}
  local told = type(delivery.json) == "table" and delivery.json.id or nil
  if type(job.id) ~= "string" then return nil, { field = "id", message = "belongs to no job" } end
  if told ~= nil and told ~= job.id then return nil, { field = "id", message = "is of another generation" } end
  return poll(job, ctx)
end

local function reconcile(job, ctx)
  local payload = type(job.payload) == "table" and job.payload.parameters and job.payload
  local plan = payload and luma_body.build(payload)
  if not plan or plans.is_refused(plan) or plan.route.api ~= "dream_machine" then return reconcile_job.unknown() end
  local function send(request) return ask(ctx, plan.route.api, request) end
  return luma_search.run(job, plan.body, send, function(generation)
    return luma_answers.generation_result(generation, { api = plan.route.api, usd = price_of(payload) })
  end)
end

return {
  id = "luma", name = "Luma", kind = "video", kinds = { "video", "image" },
  aliases = { "luma-ai", "dream-machine" }, feature_flag = "enable_public_video_providers",
  docs_url = "https://lumalabs.ai/dream-machine", pricing_url = "https://lumalabs.ai/pricing", last_checked = "2025-02-17",
  tags = { "video", "dream-machine" },
  modes = {
    { id = "video", label = "Video Generation", default = true },
    { id = "image", label = "Image Generation", kind = "image", default = true },
  },
  reviews = {
    notes = "Smooth motion between two given frames; Dream Machine is the older of two APIs, and neither can stop a generation.",
    sources = { "https://lumalabs.ai/dream-machine" },
  },
  credentials = {
    api_key = {
      env = { "LUMA_API_KEY", "LUMAAI_API_KEY" },
      secret = { "api_key", "token", "key", "secret", "luma_api_key", "lumaai_api_key" },
      hint = "the key of the Dream Machine API",
    },
    agents_api_key = {
      env = { "LUMA_AGENTS_API_KEY" }, secret = { "agents_api_key", "luma_agents_api_key" },
      pattern = "^luma-api-", optional = true,
      hint = "only for ray-3.2, uni-1 and newer models: the key of the Agents API",
    },
  },
  base_url = "https://api.lumalabs.ai/dream-machine/v1", hosts = { "agents.lumalabs.ai" },
  outputs = "any", -- storage.cdn-luma.com in samples; where the agents API puts its files is not published
  auth = { ["Authorization"] = "Bearer {api_key}" },
  auth_forms = { agents = { ["Authorization"] = "Bearer {agents_api_key}" } },
  inputs = luma_choices.ALL,
  capabilities = capabilities, pricing = luma_prices.PRICING,
  prepare = payloads.prepare, estimate = estimate, health = health, submit = submit, poll = poll, webhook = webhook,
  reconcile = reconcile,
}
