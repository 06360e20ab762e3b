-- gpu_hf_endpoints.lua - Hugging Face Inference Endpoints: requests to a dedicated endpoint, and the endpoint itself.
-- https://huggingface.co/docs/inference-endpoints, contract checked 2026-11-23.
--
-- A job without `action` is one inference: the endpoint by `url`, or by `endpoint` (or `name`) and `namespace`, and whatever
-- its engine takes: `inputs` and `parameters`, `messages`, or a whole `body`, or `data` (a file as a data URI). With `action`
-- it is management: the fields of the vendor's create body beside it.
--
-- Inference is synchronous and has no job id at the vendor. Only a request that met a sleeping endpoint becomes a job that
-- is polled: polling waits for the endpoint and then sends the request again.

local base64 = require "base64"
local check = require "check"
local data_uri = require "data_uri"
local event_stream = require "event_stream"
local http_errors = require "http_errors"
local outputs = require "outputs"
local url_parts = require "url_parts"

local API = "https://api.endpoints.huggingface.cloud/v2"
local API_HOST = "api.endpoints.huggingface.cloud"
local ENDPOINT_HOSTS = "*.endpoints.huggingface.cloud"
local WHOAMI = "https://huggingface.co/api/whoami-v2"
-- Stands for the URL of an endpoint that a dry run knows by name only.
local URL_IN_PREVIEW = "https://to-be-looked-up.endpoints.huggingface.cloud"

local MAX_NAME_BYTES, MAX_URL_BYTES = 256, 2048
local DEFAULT_TIMEOUT_SECONDS = 300
-- The vendor scales down after 15 minutes to 2 days without a request.
local MIN_IDLE_MINUTES, MAX_IDLE_MINUTES = 15, 2880
-- A first deployment has been seen to take 458 s.
local WAIT_SECONDS = 10
local MAX_WAITS = 180
local STATE_SECONDS = 5
local FAULT_SECONDS = 30

local TYPES = { "private", "authenticated", "public" }
local ACCELERATORS = { "cpu", "gpu", "neuron" }

-- `at`: where below the API; `body`: takes one; `reads`: changes nothing; `starts`: replicas run, and cost, afterwards.
local ACTIONS = {
  ["create"] = { method = "POST", at = "namespace", body = true, starts = true },
  ["update"] = { method = "PUT", at = "endpoint", body = true, starts = true },
  ["resume"] = { method = "POST", at = "endpoint", suffix = "/resume", starts = true },
  ["pause"] = { method = "POST", at = "endpoint", suffix = "/pause" },
  ["scale-to-zero"] = { method = "POST", at = "endpoint", suffix = "/scale-to-zero" },
  ["delete"] = { method = "DELETE", at = "endpoint" },
  ["get"] = { method = "GET", at = "endpoint", reads = true },
  ["metrics"] = { method = "GET", at = "endpoint", suffix = "/open-metrics", reads = true },
  ["list"] = { method = "GET", at = "namespace", reads = true },
  ["hardware"] = { method = "GET", at = "hardware", reads = true },
}
local ACTION_NAMES = {
  "create", "update", "resume", "pause", "scale-to-zero", "delete", "get", "metrics", "list", "hardware",
}

-- Fields of a job that are for us; all others are the engine's, or the create body's.
local OWN_FIELDS = {
  action = true, url = true, namespace = true, endpoint = true, name = true, path = true, body = true, data = true,
  accept = true, scale_up_timeout = true, bill_to = true, timeout_seconds = true, instance = true, instance_size = true,
  vendor = true, minutes = true, max_runtime_minutes = true, hours = true,
}

local capabilities = {
  supports = { "managed_inference", "autoscaling", "private_networking" },
  gpu_families = { "NVIDIA_T4", "A10G", "A100_80GB" },
  billing = "per-minute with 1 minute minimum",
  regions = { "us-east-1", "us-west-2", "eu-west-1" },
  actions = ACTION_NAMES, endpoint_types = TYPES, accelerators = ACCELERATORS,
  limits = { scale_to_zero_minutes = { min = MIN_IDLE_MINUTES, max = MAX_IDLE_MINUTES } },
}

local PRICES_AS_OF = "2026-08-20"
local PRICES_SOURCE = "https://huggingface.co/docs/inference-endpoints/pricing"

local INSTANCES = {
  { vendor = "aws", type = "t4", size = "x1", usd = 0.5 },
  { vendor = "aws", type = "l4", size = "x1", usd = 0.8 },
  { vendor = "aws", type = "a10g", size = "x1", usd = 1 },
  { vendor = "aws", type = "l40s", size = "x1", usd = 1.8 },
  { vendor = "aws", type = "a100", size = "x1", usd = 2.5 },
  { vendor = "aws", type = "h100", size = "x1", usd = 4.5, deprecated = true },
  { vendor = "aws", type = "h200", size = "x1", usd = 5 },
  { vendor = "aws", type = "h200", size = "x8", usd = 40 },
  { vendor = "aws", type = "b200", size = "x1", usd = 9.25, deprecated = true },
  { vendor = "aws", type = "inf2", size = "x1", usd = 0.75 },
  { vendor = "aws", type = "intel-spr", size = "x1", usd = 0.033 },
  { vendor = "gcp", type = "t4", size = "x1", usd = 0.5 },
  { vendor = "gcp", type = "l4", size = "x1", usd = 0.7 },
  { vendor = "gcp", type = "a100", size = "x1", usd = 3.6 },
  { vendor = "gcp", type = "h100", size = "x1", usd = 10 },
  { vendor = "azure", type = "cpu", size = "x1", usd = 0.06 },
}

local pricing = {
  as_of = PRICES_AS_OF, source = PRICES_SOURCE, unit = "USD per hour and replica, billed by the minute",
  instances = INSTANCES,
  notes = {
    "billed while initializing and running; free while paused or scaled to zero",
    "current prices and quotas of an account: action = hardware",
  },
}

-- Reading the job ----------------------------------------------------------------------------------------------------------

local function refuse(field, message, allowed)
  return { field = field, message = message, allowed = allowed }
end

local function read_action(reader)
  local action = reader:text("action", { lower = true, blank = "absent", max = MAX_NAME_BYTES })
  if not action then return nil end
  action = string.gsub(action, "_", "-")
  if not ACTIONS[action] then check.fail(reader:path "action", "must be one of " .. table.concat(ACTION_NAMES, ", ")) end
  return action
end

local function read_minutes(reader)
  local minutes = reader:number({ "minutes", "max_runtime_minutes" }, { min = 0, zero = "absent" })
  if minutes then return minutes end
  local hours = reader:number("hours", { min = 0, zero = "absent" })
  return hours and hours * 60
end

-- `endpoint` may be a name, owner/name or the URL.
local function place(job)
  local target = job.endpoint
  if not target then return end
  if string.find(string.sub(target, 1, 8), "^https?://") then
    job.url = job.url or target
    return
  end
  local namespace, name = string.match(target, "^([^/]+)/([^/]+)$")
  if namespace then
    job.namespace, job.name = job.namespace or namespace, name
  else
    job.name = target
  end
end

-- The job in plain values. Wrong JSON types and unknown actions end here, with the field's path.
local function read_job(request)
  local reader = check.reader(request)
  local function name(field) return reader:text(field, { blank = "absent", max = MAX_NAME_BYTES }) end
  local job = {
    action = read_action(reader),
    url = reader:text("url", { blank = "absent" }), path = reader:text("path", { blank = "absent" }),
    namespace = name "namespace", endpoint = reader:text("endpoint", { blank = "absent", max = MAX_URL_BYTES }), name = name "name",
    data = reader:text("data", { blank = "absent" }),
    accept = name "accept", bill_to = name "bill_to",
    scale_up_timeout = reader:integer("scale_up_timeout", { min = 1 }),
    timeout_seconds = reader:number("timeout_seconds", { min = 1 }),
    instance = name "instance", instance_size = name "instance_size", vendor = name "vendor",
    minutes = read_minutes(reader),
  }
  reader:object_of "parameters"
  local body = reader:raw "body"
  if body ~= nil and type(body) ~= "table" then check.fail(reader:path "body", "must be an object or an array") end
  job.body = body
  job.label = job.endpoint or job.name or job.url
  place(job)
  return job
end

-- The fields of a job that are not ours, or nil if there are none.
local function other_fields(payload)
  local fields
  for name, value in pairs(payload) do
    if not OWN_FIELDS[name] then
      fields = fields or {}
      fields[name] = value
    end
  end
  return fields
end

local function is_success(response)
  return response and response.status >= 200 and response.status < 300
end

-- What an engine or the management API says is wrong: {"error": text, "code"}, {"error": {"message", "type"}},
-- {"error", "error_type"} or {"message", "code", "type"}.
local function problem_of(response)
  local body = response and response.json
  if type(body) ~= "table" then return {} end
  local inner = type(body.error) == "table" and body.error or body
  local text = type(body.error) == "string" and body.error or inner.message
  local code
  for _, candidate in ipairs { inner.code or false, inner.error_type or false, inner.type or false } do
    if not code and type(candidate) == "string" then code = candidate end
  end
  return { text = http_errors.safe_text(text), code = code }
end

local function says(problem, words)
  return problem.text ~= nil and string.find(string.lower(problem.text), words, 1, true) ~= nil
end

local function failed_result(response, failure)
  local problem = problem_of(response)
  local options = { vendor_code = problem.code, detail = problem.text, retry_after = FAULT_SECONDS }
  if response and response.status == 400 and (says(problem, "paused") or says(problem, "invalid state")) then
    options.code, options.detail = "unavailable", "the endpoint is paused; resume it first (action = resume)"
  elseif response and response.status == 403 and says(problem, "payment method") then
    options.code = "credit"
  end
  return http_errors.result(response, failure, options)
end

-- Addresses ----------------------------------------------------------------------------------------------------------------

local function endpoint_path(namespace, name)
  return "/endpoint/" .. url_parts.segment(namespace) .. "/" .. url_parts.segment(name)
end

-- The namespace of a job, or nil and the result of the failed look-up. The vendor's own clients take the token's account too.
local function find_namespace(job, ctx)
  if job.namespace then return job.namespace end
  ctx.note "no namespace is given: it is the account of the token, which is looked up first"
  local response, failure = ctx.request {
    url = WHOAMI, mock = { status = 200, headers = {}, json = { name = "account-of-the-token" } },
  }
  if not is_success(response) then return nil, failed_result(response, failure) end
  local account = type(response.json) == "table" and response.json.name
  if type(account) == "string" and account ~= "" then return account end
  return nil, { status = "error", error = { code = "vendor", message = "the account of the token has no name", billed = false } }
end

-- A URL that the credential may go to: an endpoint of the vendor, and not its management API.
local function check_endpoint_url(url)
  local parts, problem = url_parts.parse(url)
  if not parts then return nil, problem end
  if parts.scheme ~= "https" or parts.host == API_HOST or not url_parts.host_matches(parts.host, ENDPOINT_HOSTS) then
    return nil, "must be https and below endpoints.huggingface.cloud"
  end
  return parts
end

-- Where an engine of the OpenAI kind takes this body; the Inference Toolkit takes everything at the root.
local function default_path(body)
  if type(body) ~= "table" then return "/" end
  if body.messages ~= nil then return "/v1/chat/completions" end
  if body.prompt ~= nil and body.inputs == nil then return "/v1/completions" end
  if body.input ~= nil and body.inputs == nil then return "/v1/embeddings" end
  return "/"
end

local function inference_url(url, path, body)
  local parts = check_endpoint_url(url)
  local query = parts.query and ("?" .. parts.query) or ""
  if path then return parts.origin .. string.gsub(parts.path, "/$", "") .. path .. query end
  return parts.origin .. (parts.path == "/" and default_path(body) or parts.path) .. query
end

-- Inference ----------------------------------------------------------------------------------------------------------------

local function inference_refusals(job, fields)
  local found = {}
  local function add(...) found[#found + 1] = refuse(...) end
  if job.url then
    local parts, problem = check_endpoint_url(job.url)
    if not parts then add(job.url == job.endpoint and "endpoint" or "url", problem) end
  elseif not job.name then
    add("endpoint", "name the endpoint: `url`, or `endpoint` with its `namespace`")
  end
  if job.path and (#job.path > MAX_NAME_BYTES or not string.find(job.path, "^/") or string.find(job.path, "[%s%c#?]")
    or string.find(job.path, "..", 1, true)) then
    add("path", "must be a path like /v1/chat/completions")
  end
  if not (job.body or job.data or fields) then
    add("inputs", "give what the endpoint is to work on: `inputs`, `body` or `data`; or an `action`", ACTION_NAMES)
  elseif job.data and (job.body or fields) then
    add("data", "is the whole request: it cannot have other inputs beside it")
  elseif job.body and fields then
    add("body", "is the whole request: put all fields of the engine into it")
  end
  if job.data then
    local parsed, problem = data_uri.parse(job.data)
    if not parsed or not parsed.base64 then add("data", problem or "must be a data URI in base64") end
  end
  return found
end

-- The request to an endpoint at `url`, or nil and a refusal.
local function inference_request(job, payload, url)
  local headers = {
    ["Accept"] = job.accept, ["X-HF-Bill-To"] = job.bill_to,
    -- The proxy then holds the request while the endpoint wakes up.
    ["X-Scale-Up-Timeout"] = job.scale_up_timeout and tostring(job.scale_up_timeout) or nil,
  }
  local request = {
    method = "POST", headers = headers, timeout = (job.timeout_seconds or DEFAULT_TIMEOUT_SECONDS) + (job.scale_up_timeout or 0),
  }
  if job.data then
    local parsed = data_uri.parse(job.data)
    request.body = base64.decode(job.data, parsed.first)
    if not request.body then return nil, refuse("data", "is not valid base64") end
    headers["Content-Type"] = parsed.content_type
  else
    request.json = job.body or other_fields(payload)
  end
  request.url = inference_url(url, job.path, request.json)
  return request
end

local function text_of_choice(choice)
  if type(choice) ~= "table" then return nil end
  local part = choice.message or choice.delta
  return type(part) == "table" and part.content or choice.text
end

-- The texts in an answer: of the OpenAI kind, of text generation, of speech recognition.
local function texts_of(json)
  local list = type(json.choices) == "table" and json.choices or (json.generated_text ~= nil and { json } or json)
  local texts = {}
  for _, item in ipairs(list) do
    local text = type(item) == "table" and (text_of_choice(item) or item.generated_text)
    if type(text) == "string" then texts[#texts + 1] = text end
  end
  if #texts == 0 and type(json.text) == "string" then texts[1] = json.text end
  return texts
end

local function is_single_value(value)
  if type(value) ~= "table" then return true end
  local key = next(value)
  return key ~= nil and next(value, key) == nil and is_single_value(value[key])
end

-- Generated text comes first; the whole answer follows when there is more in it.
local function json_artifacts(json)
  if type(json) ~= "table" then return outputs.artifacts(json) end
  local artifacts = {}
  for _, text in ipairs(texts_of(json)) do artifacts[#artifacts + 1] = { text = text, content_type = "text/plain" } end
  if #artifacts == 0 then return outputs.artifacts(json) end
  if not is_single_value(json) then artifacts[#artifacts + 1] = { json = json, content_type = "application/json" } end
  return artifacts
end

-- The text that a stream adds up to, or nil and the error that ended it.
local function stream_artifacts(body)
  local pieces = {}
  for _, event in ipairs(event_stream.read(body)) do
    local json = type(event.json) == "table" and event.json or {}
    if check.is_given(json.error) then
      return nil, http_errors.safe_text(type(json.error) == "table" and json.error.message or json.error) or "without a reason"
    end
    local text = type(json.choices) == "table" and text_of_choice(json.choices[1])
    if not text and type(json.token) == "table" and json.token.special ~= true then text = json.token.text end
    if type(text) == "string" then pieces[#pieces + 1] = text end
  end
  if #pieces == 0 then return { { text = body, content_type = "text/event-stream" } } end
  return { { text = table.concat(pieces), content_type = "text/plain" } }
end

-- What is not JSON is the artifact itself.
local function bytes_artifact(body, content_type)
  return {
    base64 = base64.encode(body), content_type = content_type,
    filename = "output." .. data_uri.extension(content_type),
  }
end

local function artifacts_of(response)
  local content_type = string.match(string.sub(response.headers["content-type"] or "", 1, 255), "^%s*([^;%s]*)")
  content_type = string.lower(content_type)
  if content_type == "text/event-stream" then return stream_artifacts(response.body) end
  if response.json ~= nil and (content_type == "" or string.find(content_type, "json", 1, true)) then
    return json_artifacts(response.json)
  end
  if string.sub(content_type, 1, 5) == "text/" then return { { text = response.body, content_type = content_type } } end
  if response.body == "" then return {} end
  return { bytes_artifact(response.body, content_type ~= "" and content_type or "application/octet-stream") }
end

-- A name for a job that has none at the vendor.
local function inference_id(state, response)
  if state.name then return state.namespace .. "/" .. state.name end
  local request_id = response and response.headers["x-request-id"]
  if request_id and request_id ~= "" then return string.sub(request_id, 1, MAX_NAME_BYTES) end
  return url_parts.parse(state.url).host
end

-- The endpoint took nothing yet: the same request is sent again when it is there.
local function waiting(id, state, reason, seconds)
  state.waits = (state.waits or 0) + 1
  if state.waits > MAX_WAITS then
    return { id = id, status = "error", error = { code = "timeout", message = "the endpoint did not start in time" } }
  end
  return { id = id, status = "queued", reason = reason, retry_after = seconds or WAIT_SECONDS, state = state }
end

local function read_inference(response, failure, id, state)
  if response and response.status == 503 then
    state.ready = nil
    local reason = "cold start: the endpoint is starting up"
    if problem_of(response).code ~= "SERVICE_UNAVAILABLE" then reason = "the endpoint is starting up or its queue is full" end
    return waiting(id, state, reason, http_errors.retry_after(response))
  end
  if not is_success(response) then return failed_result(response, failure) end
  local artifacts, broken = artifacts_of(response)
  if not artifacts then
    return { id = id, status = "error", error = { code = "vendor", message = "the stream ended with an error: " .. broken } }
  end
  return { id = id, status = "done", artifacts = artifacts }
end

-- Endpoints ----------------------------------------------------------------------------------------------------------------

-- What a client needs of an endpoint object. Its env and secrets stay behind.
local function summary_of(endpoint)
  local status = type(endpoint.status) == "table" and endpoint.status or {}
  local model = type(endpoint.model) == "table" and endpoint.model or {}
  return {
    name = endpoint.name, type = endpoint.type, provider = endpoint.provider, compute = endpoint.compute,
    state = status.state, url = status.url, ready_replicas = status.readyReplica, target_replicas = status.targetReplica,
    repository = model.repository, revision = model.revision, task = model.task, health_route = endpoint.healthRoute,
  }
end

local function endpoint_done(id, endpoint, reason)
  return {
    id = id, status = "done", reason = reason,
    artifacts = { { json = summary_of(endpoint), content_type = "application/json" } },
  }
end

local function health_url(endpoint, url)
  local route = endpoint.healthRoute
  if type(route) ~= "string" or not string.find(route, "^/[^%s%c]*$") then route = "/health" end
  return string.gsub(url, "/$", "") .. route
end

local function ongoing(id, state, status, reason)
  state.status = status
  return { id = id, status = status, reason = reason, retry_after = STATE_SECONDS, state = state }
end

local function broken(id, code, message, vendor_code)
  return { id = id, status = "error", error = { code = code, message = message, vendor_code = vendor_code } }
end

-- "running" means ready only when there is a URL that answers its health route, which the next poll asks.
local function read_running(endpoint, url, id, state)
  if state.job == "inference" then
    state.url = state.url or url
    state.ready = state.url ~= nil
    if state.ready then return waiting(id, state, "the endpoint is up: the request is sent next", 1) end
  end
  if url then state.health_url, state.summary = health_url(endpoint, url), summary_of(endpoint) end
  return ongoing(id, state, "running", url and "the endpoint runs: its health is asked next" or "the endpoint has no URL yet")
end

local function read_sleeping(endpoint, url, id, state)
  if state.job == "inference" then
    -- Only a request wakes it, so the request goes there.
    state.url = state.url or url
    state.ready = state.url ~= nil
    return waiting(id, state, "cold start: the endpoint is scaled to zero", 1)
  end
  if state.action then return endpoint_done(id, endpoint, "scaled to zero: the next request wakes it") end
  return ongoing(id, state, "queued", "cold start: the endpoint is scaled to zero, the next request wakes it")
end

local function read_paused(endpoint, _, id, state)
  local action = state.action
  if action == "pause" or action == "scale-to-zero" or action == "update" then return endpoint_done(id, endpoint, "paused") end
  return broken(id, "unavailable", "the endpoint is paused; resume it first (action = resume)", "paused")
end

local STATES = {
  pending = function(_, _, id, state) return ongoing(id, state, "queued", "the endpoint waits to be scheduled") end,
  initializing = function(_, _, id, state) return ongoing(id, state, "running", "the endpoint is starting") end,
  updating = function(endpoint, url, id, state)
    if state.job == "inference" and url then return read_running(endpoint, url, id, state) end
    return ongoing(id, state, "running", "the endpoint is being updated")
  end,
  running = function(endpoint, url, id, state)
    if state.action == "pause" or state.action == "scale-to-zero" then
      return ongoing(id, state, "running", "the endpoint is stopping")
    end
    return read_running(endpoint, url, id, state)
  end,
  scaledToZero = read_sleeping,
  paused = read_paused,
  failed = function(_, _, id) return broken(id, "vendor", "the endpoint failed; create a new one", "failed") end,
  updateFailed = function(_, _, id)
    return broken(id, "vendor", "the update failed; the version before it may still serve", "updateFailed")
  end,
}

-- An endpoint object as the result of a job. While a job waits for its turn to infer, all that comes before is "queued".
local function read_endpoint(endpoint, id, state)
  local status = type(endpoint) == "table" and type(endpoint.status) == "table" and endpoint.status or {}
  local read = STATES[status.state]
  if not read then return ongoing(id, state, state.status or "running", "the endpoint's state is not known here") end
  local url = type(status.url) == "string" and check_endpoint_url(status.url) and status.url or nil
  local result = read(endpoint, url, id, state)
  if state.job == "inference" and (result.status == "running" or result.status == "queued") then
    result.status, state.status = "queued", "queued"
  end
  return result
end

-- Management --------------------------------------------------------------------------------------------------------------

-- The body of a create or an update. The vendor wants a task that is not set left out, not null.
local function management_body(job, payload)
  local body = check.copy(job.body or other_fields(payload) or {})
  if job.action == "create" and body.name == nil then body.name = job.name end
  if type(body.model) == "table" and body.model.task ~= nil and not check.is_given(body.model.task) then
    body.model = check.copy(body.model)
    body.model.task = nil
  end
  return body
end

local function table_in(object, name)
  local value = object[name]
  return type(value) == "table" and value or {}
end

local function scaling_refusals(scaling, field, add)
  local idle, low, high = scaling.scaleToZeroTimeout, scaling.minReplica, scaling.maxReplica
  if type(idle) == "number" then
    if idle < MIN_IDLE_MINUTES or idle > MAX_IDLE_MINUTES then
      add(field .. ".scaleToZeroTimeout", "must be 15 to 2880 minutes, or null to never scale down", { "15", "2880" })
    end
    if type(low) == "number" and low > 0 then
      add(field .. ".minReplica", "must be 0 for the endpoint to scale to zero", { "0" })
    end
  end
  if type(low) == "number" and type(high) == "number" and low > high then
    add(field .. ".maxReplica", "must not be below minReplica")
  end
end

local function body_refusals(body, prefix, add)
  if body.type ~= nil and not check.in_list(body.type, TYPES) then
    add(prefix .. "type", "is no type of endpoint that the vendor takes; `protected` is now `authenticated`", TYPES)
  end
  local compute = table_in(body, "compute")
  if compute.accelerator ~= nil and not check.in_list(compute.accelerator, ACCELERATORS) then
    add(prefix .. "compute.accelerator", "is no accelerator of the vendor", ACCELERATORS)
  end
  scaling_refusals(table_in(compute, "scaling"), prefix .. "compute.scaling", add)
end

local function management_refusals(job, body)
  local found = {}
  local function add(...) found[#found + 1] = refuse(...) end
  local action = ACTIONS[job.action]
  if action.at == "endpoint" and not job.name then add("name", "name the endpoint (the name, not the host of its URL)") end
  if job.action == "create" and type(body.name) ~= "string" then add("name", "a new endpoint needs a name") end
  if job.action == "update" and next(body) == nil then add("body", "give what is to be changed, such as `compute`") end
  if body then body_refusals(body, job.body and "body." or "", add) end
  return found
end

-- The one default that can cost without end.
local function warn_of_no_scaling_down(body, ctx)
  if type(table_in(table_in(body, "compute"), "scaling").scaleToZeroTimeout) == "number" then return end
  ctx.warn {
    field = "compute.scaling.scaleToZeroTimeout",
    message = "is not given: the endpoint runs, and is billed, until it is paused, scaled to zero or deleted",
  }
end

local function warn_of_fields_not_sent(fields, ctx)
  local names = {}
  for name in pairs(fields or {}) do names[#names + 1] = tostring(name) end
  table.sort(names)
  for _, name in ipairs(names) do ctx.warn { field = name, message = "is not sent: this action takes no fields" } end
end

local function management_path(action, namespace, name)
  if action.at == "hardware" then return "/provider/" .. url_parts.segment(namespace) end
  if action.at == "namespace" then return "/endpoint/" .. url_parts.segment(namespace) end
  return endpoint_path(namespace, name) .. (action.suffix or "")
end

local function read_list(response)
  local items = type(response.json) == "table" and response.json.items
  if type(items) ~= "table" then return response.json end
  local summaries = {}
  for index, endpoint in ipairs(items) do summaries[index] = summary_of(endpoint) end
  return { items = summaries }
end

-- The answer of an action that changes nothing, or that leaves nothing to wait for.
local function read_at_once(job, response, id)
  if job.action == "get" then return endpoint_done(id, type(response.json) == "table" and response.json or {}) end
  if job.action == "delete" then return { id = id, status = "done", artifacts = {}, reason = "deleted" } end
  local artifact = { text = response.body, content_type = "text/plain" }
  if response.json ~= nil then
    artifact = { json = job.action == "list" and read_list(response) or response.json, content_type = "application/json" }
  end
  return { id = id, status = "done", artifacts = { artifact } }
end

local function read_management(job, response, failure, state)
  local id = state.name and (state.namespace .. "/" .. state.name) or (state.namespace .. "/" .. job.action)
  if job.action == "resume" and response and response.status == 400 and says(problem_of(response), "already running") then
    return ongoing(id, state, "running", "the endpoint is already running")
  end
  if not is_success(response) then return failed_result(response, failure) end
  if ACTIONS[job.action].reads or job.action == "delete" then return read_at_once(job, response, id) end
  return read_endpoint(response.json, id, state)
end

local function submit_action(job, payload, ctx)
  local action = ACTIONS[job.action]
  local body = action.body and management_body(job, payload) or nil
  local refusals = management_refusals(job, body)
  if #refusals > 0 then return nil, refusals end
  if job.action == "create" then warn_of_no_scaling_down(body, ctx) end
  if not body then warn_of_fields_not_sent(other_fields(payload), ctx) end
  local namespace, failed = find_namespace(job, ctx)
  if not namespace then return failed end
  local response, failure = ctx.request {
    method = action.method, path = management_path(action, namespace, job.name), json = body,
  }
  local state = { job = "endpoint", action = job.action, namespace = namespace, name = job.name or (body and body.name) }
  return read_management(job, response, failure, state)
end

-- The state of an endpoint that is known by name only, with its URL; or nil and the result that ends the submit.
local function locate(job, ctx)
  local namespace, failed = find_namespace(job, ctx)
  if not namespace then return nil, failed end
  ctx.note "the URL of the endpoint is looked up first"
  local response, failure = ctx.request {
    path = endpoint_path(namespace, job.name),
    mock = { status = 200, headers = {}, json = { status = { state = "running", url = URL_IN_PREVIEW } } },
  }
  if not is_success(response) then return nil, failed_result(response, failure) end
  local state = { job = "inference", namespace = namespace, name = job.name }
  local result = read_endpoint(response.json, inference_id(state), state)
  if state.ready and state.url then return state end
  if result.error then result.error.billed = false end
  return nil, result
end

local function submit_inference(job, payload, ctx)
  local refusals = inference_refusals(job, other_fields(payload))
  if #refusals > 0 then return nil, refusals end
  local state = { job = "inference", url = job.url }
  if not job.url then
    local found, ended = locate(job, ctx)
    if not found then return ended end
    state = found
  end
  local request, refusal = inference_request(job, payload, state.url)
  if not request then return nil, refusal end
  local response, failure = ctx.request(request)
  return read_inference(response, failure, inference_id(state, response), state)
end

-- The functions of the contract ---------------------------------------------------------------------------------------------

local function prepare(request)
  return request, { endpoint = read_job(request).label or "mock-endpoint" }
end

-- "nvidia_a10g", "nvidia-a10g" and "a10g" are the same hardware.
local function short_type(name)
  name = string.gsub(string.lower(name), "_", "-")
  return (string.gsub(string.gsub(name, "^nvidia%-", ""), "%-80gb$", ""))
end

-- The lowest and the highest price per hour of a hardware (over all clouds, when the cloud is not named), or nil.
local function find_rates(instance, size, vendor)
  local low, high
  for _, entry in ipairs(INSTANCES) do
    if entry.type == short_type(instance) and entry.size == (size or "x1") and (not vendor or entry.vendor == vendor) then
      low, high = math.min(low or entry.usd, entry.usd), math.max(high or entry.usd, entry.usd)
    end
  end
  return low, high
end

local function text_in(object, name)
  return type(object[name]) == "string" and object[name] or nil
end

-- What runs: { instance =, size =, vendor =, low = and high = numbers of replicas, idle_minutes = }.
local function hardware_of(job, payload)
  local body = job.action and ACTIONS[job.action].body and management_body(job, payload) or {}
  local compute = table_in(body, "compute")
  local scaling = table_in(compute, "scaling")
  local low = type(scaling.minReplica) == "number" and scaling.minReplica or 1
  local high = type(scaling.maxReplica) == "number" and scaling.maxReplica or 1
  local idle = low == 0 and scaling.scaleToZeroTimeout or nil
  return {
    instance = job.instance or text_in(compute, "instanceType"), size = job.instance_size or text_in(compute, "instanceSize"),
    vendor = job.vendor or text_in(table_in(body, "provider"), "vendor"),
    -- A new endpoint begins with one replica, also when it may scale to zero.
    low = math.max(low, 1), high = math.max(low, high, 1), idle_minutes = type(idle) == "number" and idle or nil,
  }
end

local function estimate(payload)
  local job = read_job(payload)
  if job.action and not ACTIONS[job.action].starts then
    return { expected = 0, low = 0, high = 0, unit = "call", quantity = 1, as_of = PRICES_AS_OF, source = PRICES_SOURCE }
  end
  local hardware = hardware_of(job, payload)
  if not hardware.instance then return nil, "instance: the hardware that the endpoint runs on" end
  local low, high = find_rates(hardware.instance, hardware.size, hardware.vendor)
  if not low then return nil, "the price of this hardware: action = hardware asks the vendor for it" end
  if not job.minutes then return nil, "minutes (or hours): how long the endpoint runs" end
  local idle = math.min(hardware.idle_minutes or job.minutes, job.minutes)
  return {
    expected = high * hardware.low * job.minutes / 60, low = low * hardware.low * idle / 60,
    high = high * hardware.high * job.minutes / 60,
    unit = "minute", quantity = job.minutes, unit_usd = high / 60, as_of = PRICES_AS_OF, source = PRICES_SOURCE,
  }
end

local function health(ctx)
  local response, failure = ctx.request { url = WHOAMI }
  if not is_success(response) then return { ok = false, reason = failed_result(response, failure).error.message } end
  local account = type(response.json) == "table" and response.json or {}
  local notes = {}
  local name = http_errors.safe_text(account.name)
  if name then notes[1] = "account " .. name .. " (" .. tostring(account.type) .. ")" end
  if account.canPay == false then notes[#notes + 1] = "the account has no payment method: endpoints cannot be created" end
  return { ok = true, notes = notes }
end

local function submit(payload, ctx)
  local job = read_job(payload)
  if job.action then return submit_action(job, payload, ctx) end
  return submit_inference(job, payload, ctx)
end

-- What to ask for: the state that submit left; for an id that the host does not know, its payload or "namespace/name".
local function known_state(job)
  local state = job.state or {}
  if state.job then return check.copy(state) end
  local request = read_job(job.payload)
  local action = ACTIONS[request.action or ""]
  if request.name and request.namespace and not (action and action.at ~= "endpoint" and request.action ~= "create") then
    return { job = "endpoint", action = request.action, namespace = request.namespace, name = request.name }
  end
  local namespace, name = string.match(string.sub(job.id or "", 1, 2 * MAX_NAME_BYTES), "^([%w%._-]+)/([%w%._-]+)$")
  if namespace then return { job = "endpoint", namespace = namespace, name = name } end
  return nil
end

-- A failed look at the job says nothing about the job, unless what it waits for is gone.
local function keep_going(job, state, response, failure)
  if response and response.status == 404 then
    if state.action == "delete" then return { id = job.id, status = "done", artifacts = {}, reason = "deleted" } end
    local result = failed_result(response, failure)
    result.error.billed = nil
    return result
  end
  return http_errors.not_learned(response, failure, {
    id = job.id, state = state, status = state.status, retry_after = FAULT_SECONDS,
  })
end

local function poll_health(job, state, ctx)
  local response = ctx.request { url = state.health_url }
  if is_success(response) then
    local artifact = { json = state.summary, content_type = "application/json" }
    return { id = job.id, status = "done", artifacts = { artifact } }
  end
  -- Asked from the start: the endpoint may have stopped meanwhile, and asking its health again would wake it.
  state.health_url = nil
  return ongoing(job.id, state, "running", "the endpoint does not answer its health route yet")
end

local function poll_inference(job, state, ctx)
  local request_job = read_job(job.payload)
  if not (request_job.body or request_job.data or other_fields(job.payload or {})) then
    return nil, refuse("job_id", "cannot be asked for: the request that it waits with is not known")
  end
  local request = inference_request(request_job, job.payload, state.url)
  local response, failure = ctx.request(request)
  return read_inference(response, failure, job.id, state)
end

-- One request per poll: the endpoint's state, then its health or, for an inference that waits, the request itself.
local function poll(job, ctx)
  local state = known_state(job)
  if not state then
    return nil, refuse("job_id", "cannot be asked for: inference is answered at once, and an endpoint's id is namespace/name")
  end
  if state.job == "inference" and (state.ready or not state.name) then return poll_inference(job, state, ctx) end
  if state.health_url then return poll_health(job, state, ctx) end
  local response, failure = ctx.request { path = endpoint_path(state.namespace, state.name) }
  if not is_success(response) then return keep_going(job, state, response, failure) end
  return read_endpoint(response.json, job.id, state)
end

-- A running inference cannot be canceled at the vendor. What this job started is stopped by pausing it; an endpoint that
-- ran before the job is left alone.
local function cancel(job, ctx)
  local state = known_state(job)
  if state and state.job == "inference" then
    return { id = job.id, status = "canceled", error = { code = "canceled", message = "the request is not sent again" } }
  end
  if not state or not (state.action == "create" or state.action == "resume") then
    return nil, refuse("job_id", "cannot be canceled: only a waiting request, a create and a resume can")
  end
  local response, failure = ctx.request { method = "POST", path = endpoint_path(state.namespace, state.name) .. "/pause" }
  if not is_success(response) then return keep_going(job, state, response, failure) end
  local message = "the endpoint is paused; the time that it ran is billed"
  return { id = job.id, status = "canceled", error = { code = "canceled", message = message } }
end

return {
  id = "hf_inference_endpoints", name = "Hugging Face Inference Endpoints", kind = "gpu",
  aliases = { "hf", "huggingface", "huggingface_inference", "hf_endpoints", "hf-inference" },
  feature_flag = "enable_public_gpu",
  docs_url = "https://huggingface.co/docs/inference-endpoints/index",
  pricing_url = "https://huggingface.co/docs/inference-endpoints/pricing", last_checked = "2025-02-17",
  tags = {}, modes = {},
  reviews = {
    notes = "Dedicated machines by the hour for models of the Hub; mind the scale-to-zero setting.",
    sources = { "https://huggingface.co/docs/inference-endpoints/pricing" },
  },
  credentials = {
    api_token = {
      env = {
        "HF_API_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HF_INFERENCE_ENDPOINTS_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
      },
      secret = { "api_token", "token" },
      pattern = "^hf_",
      hint = "create one at https://huggingface.co/settings/tokens, with the scopes of Inference Endpoints",
    },
  },
  base_url = API,
  hosts = { ENDPOINT_HOSTS, "huggingface.co" },
  auth = { ["Authorization"] = "Bearer {api_token}" },
  capabilities = capabilities, pricing = pricing,
  prepare = prepare, estimate = estimate, health = health, submit = submit, poll = poll, cancel = cancel,
}
