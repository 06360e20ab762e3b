-- Stability AI: the Stable Image services of the v2beta REST API (generate, edit, control, upscale).
-- Reference: https://platform.stability.ai/docs/api-reference, checked 2026-11-23.
--
-- Every service takes a multipart form, also without a file, and makes one image per request. Most answer with the image
-- itself; two (creative upscale, replace background and relight) answer with an id that is asked for at /v2beta/results.
-- There are no webhooks, no way to cancel, no pixel sizes (an aspect ratio at most) and, since 2025-07-24, no video.

local check = require "check"
local given = require "given"
local http_errors = require "http_errors"
local answers = require "stability.answers"
local stability_fields = require "stability.fields"
local stability_form = require "stability.form"
local stability_services = require "stability.services"

local SERVICE_ROOT = "/v2beta/stable-image/"
local RESULTS_ROOT = "/v2beta/results/"
local ACCEPT_JSON = { Accept = "application/json" }

local TEXT_TO_IMAGE, IMAGE_TO_IMAGE = stability_services.TEXT_TO_IMAGE, stability_services.IMAGE_TO_IMAGE
local MODES = { TEXT_TO_IMAGE, IMAGE_TO_IMAGE }

-- The cheapest that the vendor lists, per mode.
local DEFAULT_MODELS = { [TEXT_TO_IMAGE] = "core", [IMAGE_TO_IMAGE] = "sd3.5-medium" }

-- The vendor requires a strength with an image and has no default of its own.
local DEFAULT_STRENGTH = 0.5

local SUBMIT_TIMEOUT_SECONDS = 180
local POLL_INTERVAL_SECONDS = 10 -- the vendor asks for no more than one poll in this time

-- Options of the readers of check.lua.
local MODE, REQUIRED = { lower = true, blank = "absent" }, { required = true }
local MODEL = { lower = true, blank = "absent", max = 200 }

-- At the top, or else in the parameters.
local NAMED_MODE = check.field_list {
  { name = "mode", names = { "mode", "operation" }, kind = "choice", values = MODES, options = MODE, decides = true },
}[1]

local IMAGE_NAMES = stability_fields.ALIASES.image

local capabilities = {
  modes = MODES,
  features = { "negative_prompt", "image_to_image", "safety_settings", "style_presets" },
  max_resolution = "2048x2048",
  models = stability_services.MODELS,
  default_models = DEFAULT_MODELS,
  aspect_ratios = stability_fields.ASPECT_RATIOS,
  output_formats = stability_fields.OUTPUT_FORMATS,
  style_presets = stability_fields.STYLE_PRESETS,
  max_samples = 1,
  max_body_bytes = stability_form.MAX_IMAGE_BYTES,
  image_content_types = stability_form.IMAGE_TYPES,
}

local pricing = {
  as_of = "2026-11-23", source = "https://platform.stability.ai/pricing",
  plan = "pay-as-you-go", unit = "credit", unit_cost_usd = 0.01, credits_per_image = stability_services.credits_per_image(),
}

local function has_image(payload)
  for _, name in ipairs(IMAGE_NAMES) do
    if check.is_given(payload[name]) or check.is_given(payload.parameters[name]) then return true end
  end
  return false
end

-- A mode that is gone is no slip in a mode's name.
local function refuse_video(reader)
  for _, name in ipairs(NAMED_MODE.names) do
    local mode = reader.object[name]
    if type(mode) == "string" and string.find(string.lower(string.sub(mode, 1, 100)), "video", 1, true) then
      check.fail(reader:path(name), stability_fields.NO_VIDEO)
    end
  end
end

-- The mode, if the client did not say it, follows from what was given: an image, or a service that works on one.
local function prepare(request)
  local reader = check.reader(request)
  local parameters = reader:reader_of("parameters")
  local payload = { parameters = check.copy(parameters.object), safety = reader:object_of "safety" }
  refuse_video(reader)
  refuse_video(parameters)
  payload.mode = given.read(payload, NAMED_MODE, reader, parameters)
  stability_fields.read(payload, reader, parameters)
  payload.parameters.model = parameters:text("model", MODEL)
  payload.model = reader:text("model", MODEL) or payload.parameters.model

  local service = payload.model and stability_services.find(payload.model)
  if not payload.mode then
    payload.mode = (service and service.edits or has_image(payload)) and IMAGE_TO_IMAGE or TEXT_TO_IMAGE
  end
  if not payload.model then
    payload.model = DEFAULT_MODELS[payload.mode]
    service = stability_services.find(payload.model)
  end
  -- Without a service submit says what is wrong; a missing prompt would only hide it.
  local needs_prompt = service and service.needs_prompt and not payload.wrapped
  if needs_prompt and not payload.parameters.prompt then reader:text("prompt", REQUIRED) end
  if service and service.with_image and payload.mode == IMAGE_TO_IMAGE and not payload.strength then
    payload.parameters.strength = payload.parameters.strength or DEFAULT_STRENGTH
  end
  return payload
end

local function estimate(payload)
  local credits, refusal = stability_services.credits_of(payload)
  if not credits then return nil, "no price is known: " .. refusal.message end
  local samples = payload.parameters.samples or 1
  local usd = credits * samples / 100
  return {
    expected = usd, low = usd, high = usd, unit = "image", quantity = samples,
    unit_cost_usd = credits / 100, credits = credits * samples, source = pricing.source, as_of = pricing.as_of,
  }
end

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

local function submit(payload, ctx)
  if payload.wrapped then return nil, { field = payload.wrapped, message = given.WRAPPED } end
  local service, path, sd3_model = stability_services.of(payload)
  if not service then return nil, path end
  local form, by_name = stability_form.make(payload, service, path, sd3_model, ctx)
  if not form then return nil, by_name end
  if sd3_model == "sd3.5-flash" then ctx.note "sd3.5-flash is sold, but the vendor's API description lacks it: it may refuse" end

  local response, failure = ctx.request {
    path = SERVICE_ROOT .. path, headers = ACCEPT_JSON, form = form, timeout = SUBMIT_TIMEOUT_SECONDS,
  }
  if not response or response.status ~= 200 and response.status ~= 202 then return answers.failed(response, failure) end
  local format = by_name.output_format and by_name.output_format.value
  local state = { usd = stability_services.credits_of(payload) / 100, output_format = format }
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
  pricing = pricing,
  prepare = prepare,
  estimate = estimate,
  health = health,
  submit = submit,
  poll = poll,
}
