-- Runway: video from text, pictures and video (Gen-4.5, Gen-4 Turbo, Aleph, Act-Two), and the other models that it sells.
-- Docs: https://docs.dev.runwayml.com (errors, task failures, inputs, outputs, tiers), checked 2026-11-23.
--
-- A request without `model` gets the first of DEFAULT_MODELS that can make what it asks for, and our defaults. A request that
-- names a model gets nothing that the vendor does not require: its own defaults stay its own.
-- `model` is a model id (gen4_turbo), an operation (image_upscale), both (text_to_video/veo3.1), or one of the vendor's further
-- products as its API writes the path (generate/video, workflows/<id>), with its body in `parameters`. What is not described here
-- is sent all the same: a model to the endpoint that its input calls for, ENDPOINT/MODEL and v1/PATH to where they say.
--
-- Runway has no webhooks and no idempotency key: a create that was sent twice is paid twice.

local directory = require "runway.directory"
local http_errors = require "http_errors"
local plans = require "plan"
local runway_answers = require "runway.answers"
local runway_body = require "runway.body"
local runway_models = require "runway.models"
local runway_choices = require "runway.choices"
local payloads = require "runway.payloads"
local runway_prices = require "runway.prices"
local runway_products = require "runway.products"
local runway_route = require "runway.route"
local runway_specs = require "runway.specs"
local url_parts = require "url_parts"

local explain, task_result = runway_answers.explain, runway_answers.task_result

local API_VERSION = "2024-11-06"

-- After a poll without an answer.
local RETRY_SECONDS = 10

-- The lengths that the models with a fixed list make.
local function seconds_of_models()
  local seconds = {}
  for key, row in pairs(runway_models.MODELS) do
    local spec = runway_specs.of_row(key)
    if spec.seconds and row.makes == "video" then seconds[row.id] = spec.seconds end
  end
  return seconds
end

local capabilities = {
  modes = { "video" },
  features = { "multi_prompt", "storyboards", "aspect_ratios" },
  resolutions = { "720p", "1080p" },
  default_models = payloads.DEFAULT_MODELS, default_image_model = payloads.DEFAULT_IMAGE_MODEL,
  models = runway_route.MODEL_IDS,
  operations = runway_models.OPERATIONS,
  products = runway_products.NAMES,
  seconds = seconds_of_models(),
  aspect_ratios = { "16:9", "9:16", "4:3", "3:4", "1:1", "21:9" },
  webhooks = false,
}

local NOT_JSON = { kind = "protocol", message = "the answer is not JSON" }
local STILL_RUNNING = { status = 200, headers = {}, json = { status = "RUNNING" } }
local INVOCATIONS = "workflow_invocations"

local function is_invocation(job)
  return job.state ~= nil and job.state.place == INVOCATIONS
end

local function task_path(job)
  return "/v1/" .. (is_invocation(job) and INVOCATIONS or "tasks") .. "/" .. url_parts.segment(job.id)
end

local function is_object(response)
  return response and type(response.json) == "table"
end

local function not_answered(response, failure, job)
  local options = explain(response)
  options.retry_after = RETRY_SECONDS
  return http_errors.unanswered(response, failure, job, options)
end

local function estimate(payload, plan, ctx)
  if not payload.model then return nil, "a combination of model, size and length that Runway sells" end
  plan = plan or runway_body.build(payload, payload.model, ctx)
  if plans.is_refused(plan) then return nil, plans.first_refusal(plan) end
  return runway_prices.estimate(plan, ctx)
end

local function health(ctx)
  local response, failure = ctx.request { path = "/v1/organization" }
  if not response or response.status ~= 200 or not is_object(response) then
    return { ok = false, reason = http_errors.result(response, failure, explain(response)).error.message }
  end
  local credits, tier = response.json.creditBalance, response.json.tier
  local notes = {}
  local spend = type(tier) == "table" and tier.maxMonthlyCreditSpend
  if type(spend) == "number" then notes[1] = ("the account may spend %d credits a month"):format(spend // 1) end
  return { ok = true, balance_usd = type(credits) == "number" and runway_prices.to_usd(credits) or nil, notes = notes }
end

-- Why no default model can make it: each one's reasons.
local function refusals_of_all(payload, ctx)
  local refusals = {}
  for _, model in ipairs(payloads.candidates_of(payload)) do
    for _, refusal in ipairs(runway_body.build(payload, model, ctx).refusals or {}) do refusals[#refusals + 1] = refusal end
  end
  return refusals
end

local function submit(payload, ctx, plan)
  if not payload.model then return nil, refusals_of_all(payload, ctx) end
  plan = plan or runway_body.build(payload, payload.model, ctx)
  if plans.is_refused(plan) then return nil, plan.refusals end
  plans.announce(plan, ctx)
  local response, failure = ctx.request { path = "/v1/" .. plan.spec.operation, json = plan.body }
  if not response or response.status >= 300 then return http_errors.result(response, failure, explain(response)) end
  local task, product = response.json, plan.spec.product
  if product and product.answer ~= "task" and is_object(response) and runway_answers.is_object(task, product) then
    return runway_answers.made(task)
  end
  if not is_object(response) or type(task.id) ~= "string" then
    return http_errors.unreadable("the vendor's answer has no task id")
  end
  return runway_answers.created(task, product and product.answer == "invocation" and INVOCATIONS or nil)
end

local function poll(job, ctx)
  local response, failure = ctx.request { path = task_path(job) }
  if not response or response.status ~= 200 then return not_answered(response, failure, job) end
  if not is_object(response) then return not_answered(nil, NOT_JSON, job) end
  return task_result(response.json, job)
end

-- What a task of ours that was just canceled cost stands in it; until the vendor says so it goes on being polled.
local function canceled(job, ctx)
  if not (job.state and job.state.status) then return { id = job.id, status = "canceled" } end
  local response = ctx.request { path = task_path(job) }
  if response and response.status == 200 and is_object(response) then return task_result(response.json, job) end
  if response and response.status == 404 then return { id = job.id, status = "canceled" } end
  return { id = job.id, status = job.state.status, state = job.state, reason = "cancellation requested" }
end

-- DELETE cancels a task that is not finished, but of one that is it deletes the output that was paid for. So a task of ours
-- is looked at first; a bare id, of which nothing is known, is deleted as asked.
local function cancel(job, ctx)
  if is_invocation(job) then
    local result = poll(job, ctx)
    if result.status == "queued" or result.status == "running" then result.reason = "Runway cannot cancel a workflow" end
    return result
  end
  if job.state and job.state.status then
    local current, failure = ctx.request { path = task_path(job), mock = STILL_RUNNING }
    if not current or current.status ~= 200 then return not_answered(current, failure, job) end
    if not is_object(current) then return not_answered(nil, NOT_JSON, job) end
    if runway_answers.is_over(current.json) then return task_result(current.json, job) end
  end
  local response, failure = ctx.request { method = "DELETE", path = task_path(job) }
  if not response or response.status >= 300 then return not_answered(response, failure, job) end
  return canceled(job, ctx)
end

return {
  id = "runway", name = "Runway", kind = "video", kinds = { "video", "image" },
  aliases = { "runwayml" }, feature_flag = "enable_public_video_providers",
  docs_url = "https://docs.runwayml.com/reference/api-overview", pricing_url = "https://runwayml.com/pricing",
  last_checked = "2025-02-17",
  tags = { "gen-3", "video" },
  modes = {
    { id = "video", label = "Video Generation", default = true },
    { id = "image", label = "Image Generation", kind = "image", default = true },
  },
  reviews = {
    notes = "Steady camera work and faces; the API bills in credits of one cent, also for input that its moderation refuses.",
    sources = { "https://runwayml.com/pricing", "https://www.producthunt.com/products/runway/reviews" },
  },
  credentials = {
    api_key = {
      env = { "RUNWAY_API_KEY", "RUNWAY_TOKEN", "RUNWAYML_API_SECRET" },
      secret = { "api_key", "token", "key", "secret", "runway_api_key", "runway_token", "runwayml_api_secret" },
      hint = "create one at https://dev.runwayml.com; keys of the web application do not work here",
    },
  },
  base_url = "https://api.dev.runwayml.com",
  outputs = "any", -- cloudfront.net at present; whose its models are, theirs may be elsewhere
  auth = { ["Authorization"] = "Bearer {api_key}", ["X-Runway-Version"] = API_VERSION },
  inputs = runway_choices.ALL,
  directory = directory.DECLARED, models = directory.models, describe = directory.describe,
  capabilities = capabilities, pricing = runway_prices.PRICING,
  prepare = payloads.prepare, estimate = estimate, health = health, submit = submit, poll = poll, cancel = cancel,
}
