-- gpu_replicate.lua - Replicate: predictions of hosted models, by official model, by version, or on a deployment.
-- https://replicate.com/docs/reference/http, contract checked 2026-11-23.
--
-- A job uses the vendor's own names: `model`, `version` or `deployment`, with `input`; `webhook`, `webhook_events_filter`;
-- `prefer` ("wait", "wait=10") and `cancel_after` become headers. `hardware` and `seconds` are ours, for the estimate only.

local check = require "check"
local data_uri = require "data_uri"
local given = require "given"
local http_errors = require "http_errors"
local names = require "names"
local predictions = require "replicate.predictions"
local requests = require "replicate.requests"
local search = require "replicate.search"
local url_parts = require "url_parts"

local BASE_URL = "https://api.replicate.com/v1"

local MAX_NAME_BYTES = 512
-- Above this size the vendor wants a file to be uploaded instead of written into `input`.
local MAX_INLINE_BYTES = 256000
local MAX_UPLOAD_BYTES = 100 * 1000 * 1000
local MAX_WAIT_SECONDS = 60
local MIN_CANCEL_AFTER_SECONDS = 5
-- The vendor stops a prediction that has been running for so long.
local MAX_RUN_SECONDS = 30 * 60

local WEBHOOK_EVENTS = { "start", "output", "logs", "completed" }
-- For the host's own webhook: partial outputs and logs, up to two a second, would only be noise there.
local HOST_WEBHOOK_EVENTS = { "start", "completed" }

local NOT_OFFICIAL = "no official model of this name; a community model needs its version, or version = \"latest\""

local capabilities = {
  supports = { "model_marketplace", "async_jobs", "webhooks", "streaming" },
  gpu_families = { "varies_per_model" },
  pricing_model = "per-second with model-specific rates",
  targets = { "model", "version", "deployment" },
  webhook_events = WEBHOOK_EVENTS,
  limits = {
    max_run_seconds = MAX_RUN_SECONDS, max_wait_seconds = MAX_WAIT_SECONDS,
    min_cancel_after_seconds = MIN_CANCEL_AFTER_SECONDS, inline_file_bytes = MAX_INLINE_BYTES,
    upload_bytes = MAX_UPLOAD_BYTES, output_kept_seconds = 3600, creates_per_minute = 600,
  },
}

local PRICES_AS_OF = "2026-05-07"
local PRICES_SOURCE = "https://replicate.com/pricing"

local USD_PER_SECOND = {
  ["cpu"] = 0.000100,
  ["gpu-t4"] = 0.000225,
  ["gpu-l40s"] = 0.000975,
  ["gpu-a100-large"] = 0.001400,
  ["gpu-h100"] = 0.001525,
  ["gpu-a40-small"] = 0.000575,
  ["gpu-a40-large"] = 0.000725,
}

local function usd_per_second(hardware)
  local rate = USD_PER_SECOND[hardware]
  if rate then return rate end
  local single, count = string.match(hardware, "^(.-)%-(%d+)x$")
  rate = single and USD_PER_SECOND[single]
  return rate and rate * tonumber(count) or nil
end

local pricing = {
  as_of = PRICES_AS_OF, source = PRICES_SOURCE, unit = "USD per second of hardware", hardware = USD_PER_SECOND,
  notes = {
    "public models: the running time is billed; private models and deployments: set-up and idle time as well",
    "hardware with several GPUs (gpu-h100-2x) costs the multiple",
    "official models are billed per image, per second of video or per token",
  },
  model_examples = {
    as_of = "2025-02-17", source = PRICES_SOURCE,
    flux_pro_ultra = { usd = 0.06, unit = "image" },
    llama_3_8b = { usd = 0.0008, unit = "second" },
    whisper_large_v3 = { usd = 0.006, unit = "minute" },
  },
}

-- Options of the readers of check.lua.
local NAME, DURATION = { max = MAX_NAME_BYTES, blank = "absent" }, { lower = true, max = 32 }

local NONE = {}

-- Reading the job ----------------------------------------------------------------------------------------------------------

local function read_prefer(reader, prefer_names)
  local value, name = reader:raw(prefer_names)
  if value == nil or value == false then return nil end
  if value == true then return "wait" end
  if type(value) == "number" or (type(value) == "string" and tonumber(value)) then return "wait=" .. reader:integer(name) end
  return reader:text(name, DURATION)
end

local function read_cancel_after(reader, name)
  local value = reader:raw(name)
  if type(value) == "number" then return tostring(reader:integer(name)) end
  return reader:text(name, DURATION)
end

local function read_events(reader, name)
  local events = reader:array_of(name)
  for index, event in ipairs(events or NONE) do
    if type(event) ~= "string" then check.fail(reader:path(name .. "[" .. index - 1 .. "]"), "must be text") end
  end
  return events
end

local JOB = check.field_list {
  { name = "model", kind = "text", options = NAME },
  { name = "model_version", kind = "text", options = NAME },
  { name = "version", kind = "text", options = NAME },
  { name = "deployment", kind = "text", options = NAME },
  { name = "input", kind = "object_of" },
  { name = "webhook", kind = "text", options = { blank = "absent" } },
  { name = "webhook_events_filter", read = read_events },
  { name = "cancel_after", read = read_cancel_after },
  { name = "hardware", kind = "text", options = { lower = true, blank = "absent", max = 64 } },
  { name = "seconds", names = { "seconds", "expected_seconds" }, kind = "number", options = { min = 0, zero = "absent" } },
  { name = "prefer", names = { "prefer", "wait" }, read = read_prefer },
}

-- The job in plain values. Wrong JSON types end here, with the field's path.
local function read_job(request)
  return check.reader(request):fields(JOB)
end

-- "1h30m45s", "5m", "30s" or "30" in seconds; nil if it is none of them.
local function duration_seconds(text)
  local total, rest = 0, text
  local hours, behind_hours = string.match(rest, "^(%d+)h(.*)$")
  if hours then total, rest = total + tonumber(hours) * 3600, behind_hours end
  local minutes, behind_minutes = string.match(rest, "^(%d+)m(.*)$")
  if minutes then total, rest = total + tonumber(minutes) * 60, behind_minutes end
  local seconds = string.match(rest, "^(%d+)s?$")
  if seconds then return total + tonumber(seconds) end
  if rest == "" and (hours or minutes) then return total end
  return nil
end

-- Where the prediction is created ------------------------------------------------------------------------------------------

local function refuse(field, message, allowed)
  return { field = field, message = message, allowed = allowed }
end

-- "owner/name" as a path, or nil.
local function owner_and_name(text)
  local owner, name = string.match(text, "^([^/:%s]+)/([^/:%s]+)$")
  if not owner or not url_parts.is_name(owner) or not url_parts.is_name(name) then return nil end
  return url_parts.segment(owner) .. "/" .. url_parts.segment(name)
end

local function is_version_hash(text)
  return #text == 64 and not string.find(text, "%X")
end

local NOT_WITH_DEPLOYMENT = { "version", "model", "model_version" }

local function deployment_target(job)
  for _, name in ipairs(NOT_WITH_DEPLOYMENT) do
    if job[name] then return nil, refuse(name, "a deployment has its own model and version; give one or the other") end
  end
  local path = owner_and_name(job.deployment)
  if not path then
    return nil, refuse("deployment", "must be owner/name, as the deployment's page has it behind /deployments/")
  end
  return { path = "/deployments/" .. path .. "/predictions" }
end

local NOT_A_MODEL = "must be owner/name, owner/name:version or a version id"

-- What a page's address says beside the model's place on it.
local NOT_IN_NAMES = { versions = true, api = true, examples = true, readme = true, train = true }

-- The model of a page's address (https://replicate.com/owner/name/versions/...), to write instead; or nil.
local function model_of_page(text)
  local url = url_parts.parse(text)
  if not url or not url_parts.host_matches(string.gsub(url.host, "^www%.", ""), "replicate.com") then return nil end
  local owner, name, rest = string.match(url.path, "^/([^/:%s]+)/([^/:%s]+)(.*)$")
  if not owner or not owner_and_name(owner .. "/" .. name) then return nil end
  local word, version = string.match(rest, "^/(%a+)/?(%x*)")
  if word and not NOT_IN_NAMES[word] then return nil end
  return owner .. "/" .. name .. (version and is_version_hash(version) and ":" .. version or "")
end

local function refuse_model(field, text)
  local instead = model_of_page(text)
  if not instead then return nil, refuse(field, NOT_A_MODEL) end
  return nil, refuse(field, NOT_A_MODEL .. ": write " .. instead .. " instead of the page's address", { instead })
end

-- The model and the version of "owner/name:version", "version" and "owner/name"; nil for what is none of these.
local function split_version(text)
  if owner_and_name(text) then return text, nil end
  local model, version = string.match(text, "^([^:]+):([^:]+)$")
  if not model then return nil, url_parts.is_name(text) and not string.find(text, ":", 1, true) and text or nil end
  if owner_and_name(model) and url_parts.is_name(version) then return model, version end
  return nil
end

local function latest_version(model)
  local path = model and owner_and_name(model)
  if not path then return nil, refuse("model", "must be owner/name, for its latest version to be looked up") end
  return { path = "/predictions", look_up = "/models/" .. path }
end

-- `version` counts before `model`, which then only names it; "latest" is looked up, since the vendor does not know that word.
local function version_target(text, field, model)
  local owner, version = split_version(text)
  if not owner and not version then return refuse_model(field, text) end
  if owner and model and owner ~= model then return nil, refuse(field, "is a version of another model than `model`") end
  if text == "latest" then return latest_version(model) end
  return { path = "/predictions", version = text }
end

local function model_target(text, field)
  local model, version = split_version(text)
  if model and not version then return { path = "/models/" .. owner_and_name(model) .. "/predictions", official = true } end
  if model or is_version_hash(text) then return version_target(text, field) end
  return refuse_model(field, text)
end

-- { path =, version = } or nil and why not.
local function find_target(job)
  if job.deployment then return deployment_target(job) end
  if job.version then return version_target(job.version, "version", job.model) end
  if job.model and job.model_version and job.model ~= job.model_version then
    if is_version_hash(job.model_version) or string.find(job.model_version, ":", 1, true) then
      return version_target(job.model_version, "model_version", job.model)
    end
    return nil, refuse("model_version", "names another model than `model`; give one of them")
  end
  if job.model then return model_target(job.model, "model") end
  if job.model_version then return model_target(job.model_version, "model_version") end
  return nil, refuse("model", "name what to run: `model` (owner/name), `version` or `deployment`")
end

local function prefer_refusal(job, payload)
  if not job.prefer or job.prefer == "wait" then return nil end
  local seconds = tonumber(string.match(job.prefer, "^wait=(%d+)$"))
  if seconds and seconds >= 1 and seconds <= MAX_WAIT_SECONDS then return nil end
  local field = check.is_given(payload.prefer) and "prefer" or "wait"
  return refuse(field, "the vendor waits for 1 to 60 seconds", { "wait", "wait=1", "wait=60" })
end

-- What the vendor's contract cannot express, before anything is sent: adds to `found`.
local function find_refusals(job, payload, found)
  if not job.input then found[#found + 1] = refuse("input", "give the model's inputs as an object ({} if it needs none)") end
  if job.input and given.is_wrapper(job.input, "input") then
    found[#found + 1] = refuse("input.input", "is a wrapper around the inputs: give what it holds as `input` itself")
  end
  if job.webhook and not string.find(string.sub(job.webhook, 1, 8), "^https://") then
    found[#found + 1] = refuse("webhook", "must be an https URL; the vendor calls no other")
  end
  for index, event in ipairs(job.webhook_events_filter or NONE) do
    if not check.in_list(event, WEBHOOK_EVENTS) then
      local field = "webhook_events_filter[" .. index - 1 .. "]"
      found[#found + 1] = refuse(field, "is not an event of the vendor", WEBHOOK_EVENTS)
    end
  end
  found[#found + 1] = prefer_refusal(job, payload)
  if job.cancel_after then
    local limit = duration_seconds(job.cancel_after)
    if not limit or limit < MIN_CANCEL_AFTER_SECONDS then
      found[#found + 1] = refuse("cancel_after", "must be at least 5 seconds, as 30, 30s, 5m or 1h30m45s", { "5s" })
    end
  end
end

local function warn_of_unknown_fields(payload, ctx)
  for _, name in ipairs(names.unknown(payload, JOB.by_name) or NONE) do
    ctx.warn { field = name, message = "is not sent: no field of the vendor; what the model is to get belongs into `input`" }
  end
end

-- Requests ------------------------------------------------------------------------------------------------------------------

local is_success, problem_options = requests.is_success, requests.problem_options

-- The step before the create failed: the host submits again when that may help.
local function not_accepted(response, failure)
  return http_errors.not_accepted(response, failure, problem_options(response))
end

-- The id of a model's newest version, or nil and the result of the failed look-up.
local function look_up_version(path, ctx)
  ctx.note "the latest version of the model is looked up right before it is run"
  local response, failure = requests.send(ctx, {
    path = path, mock = { status = 200, headers = {}, json = { latest_version = { id = "latest" } } },
  })
  if not is_success(response) then return nil, not_accepted(response, failure) end
  local latest = type(response.json) == "table" and response.json.latest_version
  if type(latest) == "table" and type(latest.id) == "string" then return latest.id end
  return nil, { status = "error", error = { code = "not_found", message = "the model has no version to run", billed = false } }
end

local function upload_file(text, ctx)
  ctx.note "a file of more than 256 kB is uploaded first, and `input` carries its URL"
  local part = data_uri.form_part("content", text)
  local response, failure = ctx.request {
    path = "/files", form = { part, { name = "metadata", value = "{}" } }, free = true,
    mock = { status = 201, headers = {}, json = { urls = { get = BASE_URL .. "/files/uploaded-" .. part.filename } } },
  }
  if not is_success(response) then return nil, not_accepted(response, failure) end
  local links = type(response.json) == "table" and response.json.urls
  if type(links) == "table" and type(links.get) == "string" then return links.get end
  return nil, { status = "error", error = { code = "vendor", message = "the upload was answered without a URL", billed = false } }
end

-- The keys of an object or an array in one order: numbers first.
local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys, function(one, other)
    if type(one) == type(other) then return one < other end
    return type(one) == "number"
  end)
  return keys
end

-- `value` with every large data URI in it replaced by the URL of its upload, or nil and the result of a failed upload.
-- Only what changes is copied: a table that the JSON bridge has marked stays the same table.
local function upload_large_files(value, ctx)
  if data_uri.is(value) then
    local parsed = data_uri.parse(value)
    if parsed and (parsed.bytes or #value) > MAX_INLINE_BYTES then return upload_file(value, ctx) end
    return value
  end
  if type(value) ~= "table" then return value end
  local changed
  for _, key in ipairs(sorted_keys(value)) do
    local item, failed = upload_large_files(value[key], ctx)
    if failed then return nil, failed end
    if item ~= value[key] then
      changed = changed or check.copy(value)
      changed[key] = item
    end
  end
  return changed or value
end

-- The answer to a poll or a cancel that is not a prediction. Only "not found" says something about the job: it may be
-- running and billed while the credential is refused or the vendor is down.
local function keep_going(job, response, failure)
  if response and (response.status == 404 or response.status == 410) then
    local result = http_errors.result(response, failure, problem_options(response))
    result.error.billed = nil
    return result
  end
  if is_success(response) then response = nil end
  return http_errors.not_learned(response, failure or { kind = "malformed", message = "not a prediction" }, {
    id = job.id, state = job.state, status = job.state and job.state.status, retry_after = problem_options(response).retry_after,
  })
end

-- The path of an existing prediction, or nil and why not.
local function prediction_path(job)
  if type(job.id) ~= "string" or #job.id > MAX_NAME_BYTES or not string.find(job.id, "^[%w_-]+$") then
    return nil, refuse("job_id", "is not the id of a prediction")
  end
  return "/predictions/" .. job.id
end

-- What a job remembers: the price of its hardware, as it is now.
local function state_of(job)
  return { usd_per_second = job.hardware and usd_per_second(job.hardware), own = job.deployment ~= nil or nil }
end

-- What a submit left; for an id that the host does not know, what its payload tells.
local function known_state(job)
  if job.state and job.state.status then return job.state end
  return state_of(read_job(job.payload or {}))
end

-- The functions of the contract ---------------------------------------------------------------------------------------------

local function prepare(request)
  local job = read_job(request)
  return request, { model = job.model or job.model_version or "owner/model" }
end

local function estimate(payload)
  local job = read_job(payload)
  local rate = job.hardware and usd_per_second(job.hardware)
  if not rate then return nil, "hardware: one of the SKUs in the price table (GET /hardware lists them)" end
  local limit = job.cancel_after and duration_seconds(job.cancel_after)
  local seconds = job.seconds or limit
  if not seconds then return nil, "seconds: how long the prediction runs, or cancel_after as its limit" end
  local highest = math.min(limit or MAX_RUN_SECONDS, MAX_RUN_SECONDS)
  seconds = math.min(seconds, highest)
  return {
    expected = rate * seconds, low = job.seconds and rate * seconds or nil, high = rate * highest,
    unit = "second", quantity = seconds, unit_usd = rate, hardware = job.hardware,
    excludes = job.deployment and "set-up and idle time of the deployment" or nil,
    as_of = PRICES_AS_OF, source = PRICES_SOURCE,
  }
end

local function health(ctx)
  local response, failure = requests.send(ctx, { path = "/account" })
  if not is_success(response) then
    return { ok = false, reason = http_errors.result(response, failure, problem_options(response)).error.message }
  end
  local account = type(response.json) == "table" and response.json or {}
  local username = http_errors.safe_text(account.username)
  if not username then return { ok = false, reason = "the answer is not an account: something else answers at this address" } end
  return { ok = true, notes = { "account " .. username .. " (" .. tostring(account.type) .. ")" } }
end

local function request_headers(job)
  return { ["Prefer"] = job.prefer, ["Cancel-After"] = job.cancel_after }
end

-- The seconds that a create may take: the vendor holds it for as long as `prefer` says.
local function request_timeout(job)
  if not job.prefer then return nil end
  return (tonumber(string.match(job.prefer, "%d+$")) or MAX_WAIT_SECONDS) + 30
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

local function submit(payload, ctx)
  local job = read_job(payload)
  local refusals = {}
  local target, refusal = find_target(job)
  if not target then refusals[1] = refusal end
  find_refusals(job, payload, refusals)
  if refusals[1] then return nil, refusals end
  warn_of_unknown_fields(payload, ctx)

  local version, failed = target.version, nil
  if target.look_up then version, failed = look_up_version(target.look_up, ctx) end
  if failed then return failed end
  local input
  input, failed = upload_large_files(job.input, ctx)
  if failed then return failed end

  local response, failure = requests.send(ctx, {
    path = target.path, headers = request_headers(job), json = request_body(job, version, input, ctx),
    timeout = request_timeout(job),
  })
  if not is_success(response) then
    return http_errors.result(response, failure, problem_options(response, target.official and NOT_OFFICIAL or nil))
  end
  if not predictions.is(response.json) then return http_errors.unreadable("the answer is not a prediction") end
  return predictions.read(response.json, state_of(job), job.prefer ~= nil and response.status ~= 202)
end

local function poll(job, ctx)
  local path, refusal = prediction_path(job)
  if not path then return nil, refusal end
  local response, failure = requests.send(ctx, { path = path })
  if not is_success(response) or not predictions.is(response.json) then return keep_going(job, response, failure) end
  return predictions.read(response.json, known_state(job))
end

-- The answer may still be "processing": the vendor cancels in its own time, and polling goes on until it has.
local function cancel(job, ctx)
  local path, refusal = prediction_path(job)
  if not path then return nil, refusal end
  local response, failure = requests.send(ctx, { method = "POST", path = path .. "/cancel" })
  if not is_success(response) or not predictions.is(response.json) then return keep_going(job, response, failure) end
  return predictions.read(response.json, known_state(job))
end

-- The body is the prediction as GET gives it. One of another prediction must not settle this job.
local function webhook(delivery)
  local job = delivery.job or {}
  local prediction = delivery.json
  if not predictions.is(prediction) or (job.id and job.id ~= prediction.id) then return keep_going(job) end
  return predictions.read(prediction, known_state(job))
end

local function reconcile(job, ctx)
  return search.run(job, ctx, state_of(read_job(job.payload or {})))
end

return {
  id = "replicate", name = "Replicate", kind = "gpu",
  aliases = { "replicate.com" },
  feature_flag = "enable_public_gpu",
  docs_url = "https://replicate.com/docs", pricing_url = "https://replicate.com/pricing", last_checked = "2025-02-17",
  tags = {}, modes = {},
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
  base_url = BASE_URL,
  outputs = "any", -- replicate.delivery, and whatever URL a model answers with
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = capabilities, pricing = pricing,
  prepare = prepare, estimate = estimate, health = health, submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  reconcile = reconcile,
  webhook_signature = { scheme = "standard-webhooks", secret = { path = "/webhooks/default/secret", field = "key" } },
}
