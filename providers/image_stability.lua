-- Stability AI: the Stable Image services of the v2beta REST API (generate, edit, control, upscale).
-- Reference: https://platform.stability.ai/docs/api-reference, checked 2026-11-23.
--
-- Every service takes a multipart form, also without a file, and makes one image per request. Most answer with the image
-- itself; two (creative upscale, replace background and relight) answer with an id that is asked for at /v2beta/results.
-- There are no webhooks, no way to cancel, no pixel sizes (an aspect ratio at most) and, since 2025-07-24, no video.

local given = require "given"
local http_errors = require "http_errors"
local answers = require "stability.answers"
local choices = require "stability.choices"
local directory = require "stability.directory"
local stability_fields = require "stability.fields"
local stability_form = require "stability.form"
local payloads = require "stability.payloads"
local prices = require "stability.prices"
local stability_services = require "stability.services"
local undescribed = require "stability.undescribed"

local TEXT_TO_IMAGE, IMAGE_TO_IMAGE = stability_services.TEXT_TO_IMAGE, stability_services.IMAGE_TO_IMAGE

local SERVICE_ROOT = "/v2beta/stable-image/"
local RESULTS_ROOT = "/v2beta/results/"
local ACCEPT_JSON = { Accept = "application/json" }
local SUBMIT_TIMEOUT_SECONDS = 180
local POLL_INTERVAL_SECONDS = 10 -- the vendor asks for no more than one poll in this time

local capabilities = {
  modes = payloads.MODES,
  features = { "negative_prompt", "image_to_image", "safety_settings", "style_presets" },
  max_resolution = "2048x2048",
  models = stability_services.MODELS,
  default_models = payloads.DEFAULT_MODELS,
  aspect_ratios = stability_fields.ASPECT_RATIOS,
  output_formats = stability_fields.OUTPUT_FORMATS,
  style_presets = stability_fields.STYLE_PRESETS,
  max_samples = 1,
  max_body_bytes = stability_form.MAX_IMAGE_BYTES,
  image_content_types = stability_form.IMAGE_TYPES,
}

local function health(ctx)
  local response, failure = ctx.request { path = "/v1/user/balance", headers = ACCEPT_JSON }
  if not response or response.status ~= 200 then
    return { ok = false, reason = answers.failed(response, failure).error.message }
  end
  local credits = tonumber(answers.json_of(response).credits)
  if not credits then return { ok = false, reason = "the vendor's answer holds no balance" } end
  return {
    ok = true, balance_usd = credits / 100,
    notes = credits <= 0 and { "the account has no credits left; buy some before going live" } or nil,
  }
end

-- What is to be sent of a service that is not described here: path, form.
local function undescribed_request(payload, ctx)
  ctx.note(payload.model .. " is not described here: its parameters are sent unchecked")
  local form, refusal = undescribed.form(payload)
  if not form then return nil, refusal end
  return stability_services.undescribed_path(payload.model), form
end

-- What is to be sent: path, form, format of the file; nil and the refusals.
local function request_of(payload, ctx)
  if payload.undescribed then return undescribed_request(payload, ctx) end
  local service, path, sd3_model = stability_services.of(payload)
  if not service then return nil, path end
  local form, by_name = stability_form.make(payload, service, path, sd3_model, ctx)
  if not form then return nil, by_name end
  if sd3_model == "sd3.5-flash" then ctx.note "sd3.5-flash is sold, but the vendor's API description lacks it: it may refuse" end
  return path, form, by_name.output_format and by_name.output_format.value
end

local function submit(payload, ctx)
  if payload.wrapped then return nil, { field = payload.wrapped, message = given.WRAPPED } end
  local path, form, format = request_of(payload, ctx)
  if not path then return nil, form end
  local response, failure = ctx.request {
    path = SERVICE_ROOT .. path, headers = ACCEPT_JSON, form = form, timeout = SUBMIT_TIMEOUT_SECONDS,
  }
  if not response or response.status ~= 200 and response.status ~= 202 then return answers.failed(response, failure) end
  local credits = stability_services.credits_of(payload)
  local state = { usd = credits and credits / 100, output_format = format }
  local body = answers.json_of(response)
  if type(body.id) == "string" and not body.image and not body.result then
    return { id = body.id, status = "queued", state = state, retry_after = POLL_INTERVAL_SECONDS }
  end
  return answers.finished(response, response.headers["x-request-id"], state)
end

local NOT_AN_IMAGE = { kind = "malformed", message = "the vendor's answer is not an image" }

local function poll(job, ctx)
  if not string.find(tostring(job.id), "^[%w_-]+$") then
    return nil, { field = "job_id", message = "is not an id of Stability" }
  end
  local state = job.state or {}
  local response, failure = ctx.request { path = RESULTS_ROOT .. job.id, headers = ACCEPT_JSON }
  local is_answer = response and (response.status == 200 or response.status == 202 or http_errors.is_gone(response))
  if not is_answer then
    local wait = response and response.status == 429 and answers.LOCK_OUT_SECONDS or POLL_INTERVAL_SECONDS
    return http_errors.not_learned(response, failure, { id = job.id, state = state, retry_after = wait })
  end
  local body = answers.json_of(response)
  if response.status == 202 or response.status == 200 and body.status == "in-progress" then
    return { id = job.id, status = "running", state = state, retry_after = POLL_INTERVAL_SECONDS }
  end
  if response.status ~= 200 then
    local result = answers.failed(response, failure)
    result.id, result.state = job.id, state
    -- The generation itself may well have been made and paid: results are kept for 24 hours.
    result.error.billed = nil
    return result
  end
  if not answers.is_image(response) then
    return http_errors.not_learned(nil, NOT_AN_IMAGE, { id = job.id, state = state, retry_after = POLL_INTERVAL_SECONDS })
  end
  return answers.finished(response, job.id, state)
end

return {
  id = "stability", name = "Stability Image API", kind = "image",
  aliases = { "stability_ai", "stabilityai", "stable", "stability-image" },
  feature_flag = "enable_public_image_providers",
  docs_url = "https://platform.stability.ai/docs",
  pricing_url = "https://platform.stability.ai/pricing",
  dashboard_url = "https://platform.stability.ai/account/credits",
  last_checked = "2025-02-17",
  tags = { "stable-diffusion", "sdxl", "sd3" },
  modes = {
    { id = TEXT_TO_IMAGE, label = "Stable Image API (txt2img)", default = true },
    { id = IMAGE_TO_IMAGE, label = "Stable Image API (img2img)" },
  },
  credentials = {
    api_key = {
      env = { "STABILITY_API_KEY" }, secret = { "api_key", "token" }, pattern = "^sk-",
      hint = "create one at https://platform.stability.ai/account/keys; it begins with sk-",
    },
  },
  base_url = "https://api.stability.ai",
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = capabilities,
  inputs = choices,
  pricing = prices.PRICING,
  prepare = payloads.prepare,
  estimate = prices.estimate,
  health = health,
  submit = submit,
  poll = poll,
  directory = { hosts = { "raw.githubusercontent.com" }, place = "parameters.", pace_seconds = 3600 },
  models = directory.models,
}
