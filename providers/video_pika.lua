-- Pika: video from text, images or video. Pika's public API is fal.ai's queue, with a fal key; that is the default route.
-- Reference: https://docs.pika.art/ and the pages of fal-ai/pika/* on fal.ai; checked 2026-11-23.
--
-- Pika's own API of 2025 (devapi.pika.art) was open to partners only and has not been confirmed since: it is used only if the
-- request asks for it (route "direct", or a model that begins with "generate/") and says so in a warning. It takes forms with
-- files instead of JSON with URLs, and has no cancel, no webhook and no published price.
-- A model is named by its path: "v2.2/text-to-video", "fal-ai/pika/v2.2/pikascenes" or, direct, "generate/2.2/t2v". A request
-- without one gets the 2.2 model that fits what it brings, with our defaults; a named model has its own.

local fal_directory = require "fal.directory"
local fal_options = require "fal.options"
local fal_queue = require "fal.queue"
local model_inputs = require "model_inputs"
local body = require "pika.body"
local pika_direct = require "pika.direct"
local choices = require "pika.choices"
local estimates = require "pika.estimates"
local fields = require "pika.fields"
local pika_models = require "pika.models"
local routes = require "pika.routes"
local plan = require "plan"
local price = require "price"

local CAPABILITIES = {
  modes = { "video" },
  features = { "style_controls", "fps_selection" },
  resolutions = pika_models.RESOLUTIONS,
  max_duration_seconds = 16.0,
  durations_seconds = pika_models.DURATIONS,
  aspect_ratios = pika_models.RATIOS,
  models = pika_models.FAL_NAMES,
  routes = routes.ROUTES,
  unverified_routes = { "direct" },
  unverified_models = pika_models.DIRECT_NAMES,
  queue_options = fal_options.FOR_CLIENTS,
}

local read_fields, build = fields.read, body.build

local function is_direct(job)
  return (job.state or {}).route == "direct" or (job.payload or {}).route == "direct"
end

local function direct_submit(payload, ctx, path, input)
  ctx.warn { field = "route", message = "Pika's direct API is unverified: it was for partners, and not confirmed since 2025" }
  fal_options.warn(ctx, payload, nil, "has a meaning only on the route fal; left out")
  return pika_direct.submit(ctx, path, input)
end

local function prepare(request, ctx)
  local payload, path, has_only_defaults = read_fields(request)
  return payload, nil, build(payload, path, ctx, has_only_defaults)
end

local function health(ctx)
  return fal_queue.health(ctx, routes.FAL_PREFIX .. routes.MODEL_FOR.fal.text)
end

-- How to read the output of a payload's model (providers/fal/queue.lua), with what it costs at present: by fal's price of its
-- units, else by the table.
local function reading_of(payload, built, ctx)
  local live = ctx and ctx.price and ctx.price(routes.fal_model(payload))
  if price.is_usable(live) then return { unit_price = live.usd } end
  local figures = payload.parameters and estimates.estimate(payload, built)
  return { usd = figures and figures.expected or nil }
end

local function submit(payload, ctx, built)
  built = built or build(payload, routes.path(payload), ctx)
  local path = built.model
  model_inputs.announce(built, ctx)
  if plan.is_refused(built) then return nil, plan.refusals(built) end
  if routes.of_payload(payload) == "direct" then return direct_submit(payload, ctx, path, built.body) end
  local result = fal_queue.submit(ctx, routes.fal_id(path), built.body, payload.queue)
  return fal_queue.with_reading(result, reading_of(payload, built, ctx), pika_models.FAL[path] ~= nil)
end

local function poll(job, ctx)
  if is_direct(job) then return pika_direct.poll(job, ctx) end
  local payload = job.payload or {}
  return fal_queue.poll(job, ctx, routes.fal_model(payload), reading_of)
end

local function cancel(job, ctx)
  if is_direct(job) then return pika_direct.cancel(job) end
  return fal_queue.cancel(job, ctx, routes.fal_model(job.payload or {}))
end

local function webhook(delivery, ctx)
  local payload = delivery.job and delivery.job.payload or {}
  return fal_queue.webhook(delivery, ctx, routes.fal_model(payload), reading_of(payload))
end

return {
  id = "pika", name = "Pika Labs", kind = "video",
  aliases = { "pika-labs" }, feature_flag = "enable_public_video_providers",
  docs_url = "https://docs.pika.art/", pricing_url = "https://pika.art/pricing",
  dashboard_url = "https://fal.ai/dashboard/billing", -- it is reached, and billed, through fal
  last_checked = "2025-02-17",
  tags = { "video", "pika" },
  modes = { { id = "video", label = "Video Generation", default = true } },
  reviews = {
    notes = "Sold to developers through fal.ai; short clips of 5 or 10 seconds, priced by resolution.",
    sources = { "https://pika.art/pricing" },
  },
  credentials = {
    -- The key that opens Pika is a fal key; Pika's own is kept apart so that it is never sent to fal.
    api_key = {
      env = { "PIKA_API_KEY", "FAL_API_KEY", "FAL_KEY" }, secret = { "api_key", "token" }, pattern = fal_queue.KEY_PATTERN,
      hint = "Pika is reached through fal.ai: give a fal key (id:secret), from https://fal.ai/dashboard/keys",
    },
    direct_api_key = {
      env = { "PIKA_DIRECT_API_KEY" }, secret = { "direct_api_key" }, optional = true,
      hint = "only for the unverified route direct: a partner key of Pika's own",
    },
  },
  base_url = fal_queue.BASE_URL,
  hosts = { "fal.run", "api.fal.ai", pika_direct.HOST },
  outputs = fal_queue.OUTPUTS,
  auth = { ["Authorization"] = "Key {api_key}" },
  auth_forms = { direct = pika_direct.AUTH },
  capabilities = CAPABILITIES, pricing = estimates.PRICING, inputs = choices.CHOICES,
  prepare = prepare, estimate = estimates.estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  webhook_signature = fal_queue.WEBHOOK_SIGNATURE,
  directory = fal_directory.DECLARED, models = fal_directory.models_of(routes.FAL_PREFIX, "pika"),
  describe = fal_directory.describe, prices = fal_directory.prices,
}
