-- fal.ai: hosted image models (Flux, SDXL and any other), through fal's queue or its synchronous host.
-- Reference: https://docs.fal.ai/ (queue, webhooks, errors) and the models' pages; checked 2026-11-23.
--
-- A model is named by its path (`model`: "fal-ai/flux/dev"); its input goes out as the whole body. The modes of the older API
-- stand for one model each. A request that names a model gets that model's own defaults, one that names a mode gets ours.
-- Transport, states and errors are in providers/fal/queue.lua.

local body = require "fal.body"
local fields = require "fal.fields"
local models = require "fal.models"
local fal_options = require "fal.options"
local prices = require "fal.prices"
local fal_queue = require "fal.queue"
local sizes = require "fal.sizes"
local model_inputs = require "model_inputs"
local plan = require "plan"

local CAPABILITIES = {
  modes = models.MODES,
  features = { "async_jobs", "webhook_callbacks", "custom_containers" },
  gpu_options = { "A100", "H100" },
  models = models.NAMES,
  any_model = true,
  model_of_mode = models.OF_MODE,
  routes = fields.ROUTES,
  image_sizes = sizes.SIZE_NAMES,
  queue_options = fal_options.FOR_CLIENTS,
}

-- How to read a model's output (providers/fal/queue.lua).
local function reading_of(payload)
  local parameters = payload.parameters or {}
  local known = prices.PRICES[models.of_payload(payload)]
  return {
    keep_flagged = parameters.enable_safety_checker == false or nil,
    unit_price = known and not known.high_usd and known.usd or nil,
  }
end

local function prepare(request)
  local payload = fields.read(request)
  return payload, nil, body.build(payload)
end

local function health(ctx)
  return fal_queue.health(ctx, models.OF_MODE.flux)
end

local function submit(payload, ctx, built)
  built = built or body.build(payload)
  model_inputs.announce(built, ctx)
  if plan.is_refused(built) then return nil, plan.refusals(built) end
  if payload.route == "run" then
    return fal_queue.run(ctx, models.of_payload(payload), built.body, payload, reading_of(payload))
  end
  local result = fal_queue.submit(ctx, models.of_payload(payload), built.body, payload.queue)
  return fal_queue.with_reading(result, reading_of(payload), models.MODELS[models.of_payload(payload)] ~= nil)
end

local function poll(job, ctx)
  local payload = job.payload or {}
  return fal_queue.poll(job, ctx, models.of_payload(payload), reading_of(payload))
end

local function cancel(job, ctx)
  return fal_queue.cancel(job, ctx, models.of_payload(job.payload or {}))
end

local function webhook(delivery, ctx)
  local payload = delivery.job and delivery.job.payload or {}
  return fal_queue.webhook(delivery, ctx, models.of_payload(payload), reading_of(payload))
end

return {
  id = "fal", name = "fal.ai", kind = "image",
  aliases = { "fal.ai", "flux", "sdxl-fal" }, feature_flag = "enable_public_image_providers",
  docs_url = "https://docs.fal.ai/", pricing_url = "https://fal.ai/pricing", last_checked = "2025-02-17",
  tags = { "flux", "sdxl", "gpu" },
  modes = {
    { id = "flux", label = "Flux Schnell / Flux Pro (txt2img)", default = true },
    { id = "sdxl", label = "Stable Diffusion XL (txt2img)", default = false },
  },
  reviews = {
    notes = "Billed by what a model makes, not by the hour; queueing is free and failures of the server are not billed.",
    sources = { "https://fal.ai/pricing" },
  },
  credentials = {
    api_key = {
      env = { "FAL_API_KEY", "FAL_KEY" }, secret = { "api_key", "key" }, pattern = fal_queue.KEY_PATTERN,
      hint = "a fal key has the form id:secret; create one at https://fal.ai/dashboard/keys",
    },
  },
  base_url = fal_queue.BASE_URL, hosts = fal_queue.HOSTS, outputs = fal_queue.OUTPUTS,
  auth = { ["Authorization"] = "Key {api_key}" },
  capabilities = CAPABILITIES, pricing = prices.PRICING,
  prepare = prepare, estimate = prices.estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  webhook_signature = fal_queue.WEBHOOK_SIGNATURE,
}
