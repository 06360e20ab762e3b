-- fal.ai: hosted models for images and videos (Flux, SDXL, Kling, Veo and any other), through its queue or its synchronous host.
-- Reference: https://docs.fal.ai/ (queue, webhooks, errors) and the models' pages; checked 2026-11-23.
--
-- A model is named by its path (`model`: "fal-ai/flux/dev"); its input goes out as the whole body. The modes of the older API
-- stand for one model each. A request that names a model gets that model's own defaults, one that names a mode gets ours.
-- Transport, states and errors are in providers/fal/queue.lua.

local body = require "fal.body"
local choices = require "fal.choices"
local directory = require "fal.directory"
local estimates = require "fal.estimates"
local fields = require "fal.fields"
local models = require "fal.models"
local fal_options = require "fal.options"
local fal_queue = require "fal.queue"
local sizes = require "fal.sizes"
local model_inputs = require "model_inputs"
local plan = require "plan"
local price = require "price"

local NO_PAYLOAD = {}
local of_payload, poll_queue = models.of_payload, fal_queue.poll

local CAPABILITIES = {
  modes = models.IMAGE_MODES,
  features = { "async_jobs", "webhook_callbacks", "custom_containers" },
  gpu_options = { "A100", "H100" },
  models = models.NAMES,
  any_model = true,
  model_of_mode = models.OF_MODE,
  routes = fields.ROUTES,
  image_sizes = sizes.SIZE_NAMES,
  queue_options = fal_options.FOR_CLIENTS,
}

local read_fields, build, announce = fields.read, body.build, model_inputs.announce

-- How to read a model's output (providers/fal/queue.lua), with the price of its units at present.
local function reading_of(payload, ctx)
  local parameters, model = payload.parameters or {}, models.of_payload(payload)
  local row = models.ROWS[model]
  local known, live = row and row.price, ctx and ctx.price and ctx.price(model)
  return {
    keep_flagged = parameters.enable_safety_checker == false or nil,
    unit_price = price.is_usable(live) and live.usd or known and not known.high_usd and known.usd or nil,
  }
end

local function prepare(request, ctx)
  local payload, has_only_defaults = read_fields(request, ctx and ctx.kind)
  return payload, nil, build(payload, ctx, has_only_defaults)
end

local function health(ctx)
  return fal_queue.health(ctx, models.OF_MODE.flux)
end

local function tell_needs(needs, ctx)
  for _, need in ipairs(needs) do
    ctx.warn(need)
    ctx.needs(need)
  end
end

local function submit(payload, ctx, built)
  built = built or build(payload, ctx)
  announce(built, ctx)
  if built.refusals then return nil, plan.refusals(built) end
  if built.needs then tell_needs(built.needs, ctx) end
  local model = built.model
  if payload.route == "run" then
    return fal_queue.run(ctx, model, built.body, payload, reading_of(payload, ctx))
  end
  local result = fal_queue.submit(ctx, model, built.body, payload.queue)
  return fal_queue.with_reading(result, reading_of(payload, ctx), models.ROWS[model] ~= nil)
end

local function poll(job, ctx)
  return poll_queue(job, ctx, of_payload(job.payload or NO_PAYLOAD), reading_of)
end

local function cancel(job, ctx)
  return fal_queue.cancel(job, ctx, models.of_payload(job.payload or {}))
end

local function webhook(delivery, ctx)
  local payload = delivery.job and delivery.job.payload or {}
  return fal_queue.webhook(delivery, ctx, models.of_payload(payload), reading_of(payload))
end

return {
  id = "fal", name = "fal.ai", kind = "image", kinds = { "image", "video" },
  aliases = { "fal.ai", "flux", "sdxl-fal" }, feature_flag = "enable_public_image_providers",
  docs_url = "https://docs.fal.ai/", pricing_url = "https://fal.ai/pricing",
  dashboard_url = "https://fal.ai/dashboard/billing", last_checked = "2025-02-17",
  tags = { "flux", "sdxl", "gpu" },
  modes = {
    { id = "flux", label = "Flux Schnell / Flux Pro (txt2img)", default = true },
    { id = "sdxl", label = "Stable Diffusion XL (txt2img)", default = false },
    { id = "video", label = "Video Generation (Kling, Veo and others)", default = true, kind = "video" },
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
  capabilities = CAPABILITIES, pricing = estimates.PRICING, inputs = choices.CHOICES,
  prepare = prepare, estimate = estimates.estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  webhook_signature = fal_queue.WEBHOOK_SIGNATURE,
  directory = directory.DECLARED, models = directory.models_of "", describe = directory.describe, prices = directory.prices,
}
