-- gpu_runpod.lua - RunPod: serverless endpoints (queue-based, public and load-balancing), batches and pods.
--
-- Docs: https://docs.runpod.io/serverless/endpoints/operation-reference, .../api-reference-v2 (state of 2026-08-20),
-- compared with the traffic of runpod-sdk 1.1.2. Checked 2026-11-23.
--
-- Two planes share one key: jobs go to api.runpod.ai (".ai"), pods and endpoints are managed at api.runpod.io (".io").
-- REST v1 (rest.runpod.io) was retired on 2026-11-15 and is not used.
--
-- A job is RunPod's own body with `endpoint_id` beside it: { endpoint_id, input, policy, webhook, s3Config }. Other calls are
-- chosen by `operation` (providers/runpod/requests.lua) or by what is given: `pod`, `serverless`, `requests` (a batch).

local cjson = require "cjson"
local check = require "check"
local http_errors = require "http_errors"
local reconcile_job = require "reconcile"
local answers = require "runpod.answers"
local pods = require "runpod.pods"
local requests = require "runpod.requests"
local url_parts = require "url_parts"

local IDLE_SECONDS = answers.IDLE_SECONDS

-- Ids and paths go into URLs; no real one is longer.
local MAX_ID_BYTES, MAX_PATH_BYTES = 200, 2000

-- Figures beyond these are slips of the hand, not jobs.
local MAX_PIXELS, MAX_VIDEO_SECONDS, MAX_GPUS, MAX_MINUTES = 65536, 3600, 1024, 366 * 24 * 60

-- Options of the readers of check.lua.
local ID, FROM_ZERO, FROM_ONE, REQUIRED = { max = MAX_ID_BYTES }, { min = 0 }, { min = 1 }, { required = true }
local GPU_COUNT = { min = 1, max = MAX_GPUS }

local STOPPING = { "stop", "terminate" }

local NONE = {}

local capabilities = {
  supports = { "serverless", "pods", "volumes", "websocket_streaming" },
  gpu_families = { "RTX_4090", "RTX_6000_ADA", "A100_80GB" },
  regions = { "us-texas", "eu-finland", "ap-sydney" },
  limits = {
    run_payload_bytes = 10 * 1000 * 1000, runsync_payload_bytes = 20 * 1000 * 1000,
    run_result_seconds = 1800, runsync_result_seconds = 60,
    job = requests.LIMITS,
  },
  operations = requests.NAMES,
  idempotency = false,
  webhook_signature = false,
  output_days = { public_endpoints = 7 },
}

-- Public endpoints: by megapixel (1 MP = 1,000,000 pixels), by image, or by second of video.
local PUBLIC_ENDPOINTS = {
  ["black-forest-labs-flux-1-schnell"] = { usd_per_megapixel = 0.0024 },
  ["black-forest-labs-flux-1-dev"] = { usd_per_megapixel = 0.02 },
  ["z-image-turbo"] = { usd_per_image = 0.005 },
  -- Its page names a price per image, its example answer one per megapixel: the dearer one is the upper end.
  ["qwen-image-t2i"] = { usd_per_image = 0.02, high_usd_per_megapixel = 0.02 },
  ["wan-2-5"] = { usd_per_second = { ["480"] = 0.05, ["720"] = 0.10, ["1080"] = 0.15 }, seconds = 5, size = "1280*720" },
}

local pricing = {
  as_of = "2026-08-20", source = "https://docs.runpod.io/public-endpoints/reference",
  unit = "USD/second of a serverless worker, USD/hour of a pod, USD/output of a public endpoint",
  public_endpoints = PUBLIC_ENDPOINTS,
  serverless = {
    -- The table carries no date of its own; it is older than this.
    as_of = "2026-07-31", source = "https://docs.runpod.io/serverless/pricing",
    unit = "USD/second (flex worker, from its start to its full stop)",
    A4000 = 0.00016, A4500 = 0.00016, RTX4000 = 0.00016, L4 = 0.00019, A5000 = 0.00019, RTX3090 = 0.00019,
    RTX4090 = 0.00031, A6000 = 0.00034, A40 = 0.00034, L40 = 0.00053, L40S = 0.00053, RTX6000ADA = 0.00053,
    A100 = 0.00076, H100 = 0.00116, H200 = 0.00155, B200 = 0.00240,
  },
  on_demand = {
    as_of = "2025-02-17", source = "https://www.runpod.io/pricing", unit = "USD/hour",
    RTX6000ADA = 0.49, A100 = 1.99,
    RTX4090 = { SECURE = 0.44, COMMUNITY = 0.31, as_of = "2026-08-20", source = "https://docs.runpod.io/api-reference-v2" },
  },
  live_prices = "operation catalog/gpus",
}

-- What the name of a GPU contains, longest first: "NVIDIA GeForce RTX 4090", "RTX_4090" and the pool "ADA_24" are one GPU.
local GPU_NAMES = {
  { "RTX6000ADA" }, { "6000ADA", "RTX6000ADA" }, { "RTX4000" }, { "A4000" }, { "A4500" }, { "A5000" }, { "A6000" },
  { "3090", "RTX3090" }, { "4090", "RTX4090" }, { "ADA24", "RTX4090" }, { "A100" }, { "H100" }, { "H200" }, { "B200" },
  { "L40S" }, { "L40" }, { "A40" }, { "L4" },
}

local given = check.is_given

-- A GPU's name as the price tables have it, or nil.
local function gpu_key(name)
  if type(name) ~= "string" then return nil end
  local text = string.gsub(string.upper(string.sub(name, 1, 80)), "[^%w]", "")
  for _, gpu in ipairs(GPU_NAMES) do
    if string.find(text, gpu[1], 1, true) then return gpu[2] or gpu[1] end
  end
  return nil
end

local function is_between(value, least, most)
  return value ~= nil and value >= least and value <= most
end

-- Width and height that a public endpoint will make, or nil. Its input is the vendor's affair and may hold anything.
local function size_of(price, input)
  local size = given(input.size) and input.size or price.size
  if type(size) == "string" then
    local width, height = string.match(string.sub(size, 1, 32), "^(%d+)[*xX](%d+)$")
    return tonumber(width), tonumber(height)
  end
  local width, height = given(input.width) and input.width or 1024, given(input.height) and input.height or 1024
  return tonumber(width), tonumber(height)
end

local function public_estimate(price, input)
  local width, height = size_of(price, input)
  if not is_between(width, 1, MAX_PIXELS) or not is_between(height, 1, MAX_PIXELS) then return nil, "the size of the output" end
  local megapixels = width * height / 1e6
  if price.usd_per_megapixel then
    return { expected = megapixels * price.usd_per_megapixel, unit = "megapixel", quantity = megapixels }
  end
  if price.usd_per_image then
    local high = math.max(price.usd_per_image, megapixels * (price.high_usd_per_megapixel or 0))
    return { expected = price.usd_per_image, high = high, unit = "image", quantity = 1 }
  end
  local rate = price.usd_per_second[string.format("%.0f", math.min(width, height))]
  if not rate then return nil, "a price for this size" end
  local seconds = tonumber(given(input.duration) and input.duration or price.seconds)
  if not is_between(seconds, 0, MAX_VIDEO_SECONDS) then return nil, "the seconds of video" end
  return { expected = rate * seconds, unit = "second", quantity = seconds }
end

local function seconds_limit(payload)
  local policy = given(payload.policy) and payload.policy or {}
  local milliseconds = check.reader(policy, "policy"):number("executionTimeout")
  if milliseconds then return milliseconds / 1000 end
  local minutes = check.reader(payload):number("max_runtime_minutes")
  return minutes and minutes * 60
end

-- What a second of the job's workers costs, or nil.
local function worker_rate(payload)
  local rate = pricing.serverless[gpu_key(given(payload.gpu) and payload.gpu or nil) or ""]
  return rate and rate * (check.reader(payload):integer("gpu_count") or 1)
end

local function worker_estimate(payload, jobs)
  if given(payload.endpoint_id) and not given(payload.gpu) then return nil, "gpu: the GPU of the endpoint's workers" end
  local rate = worker_rate(payload)
  if not rate then return nil, "a price for this gpu" end
  local seconds = seconds_limit(payload)
  if not seconds then return nil, "the longest time of a job: policy.executionTimeout or max_runtime_minutes" end
  local machines = (check.reader(payload):integer("gpu_count") or 1) * jobs
  return {
    expected = rate * seconds * jobs, high = rate * (seconds + IDLE_SECONDS) * jobs, unit = "second",
    quantity = seconds * machines, source = pricing.serverless.source, as_of = pricing.serverless.as_of,
    basis = "the longest time of the job; high adds the idle time, neither has the worker's start",
  }
end

-- The price of one GPU of a pod, and the table that has it.
local function pod_rate(payload)
  local pod = given(payload.pod) and payload.pod or {}
  local gpu = given(pod.gpu) and pod.gpu or {}
  local rates = pricing.on_demand
  local rate = rates[gpu_key(gpu.id) or ""]
  if type(rate) == "table" then rates, rate = rate, rate[given(pod.cloud) and pod.cloud or "SECURE"] end
  return rate, rates, check.reader(gpu):integer("count") or 1
end

local function pod_estimate(payload)
  local rate, rates, count = pod_rate(payload)
  if not rate then return nil, "a price for this gpu: ask operation catalog/gpus" end
  local minutes = check.reader(payload):number("max_runtime_minutes")
  if not minutes then return nil, "how long the pod is to run: max_runtime_minutes" end
  local hours = minutes / 60 * count
  return {
    expected = rate * hours, high = rate * (hours + pods.MARGIN_SECONDS / 3600 * count), unit = "GPU hour", quantity = hours,
    source = rates.source, as_of = rates.as_of,
  }
end

local function estimate(payload)
  local name = requests.name_of(payload)
  if requests.OPERATIONS[name].free or (name == "pods/action" and check.in_list(payload.action, STOPPING)) then
    return { expected = 0.0, low = 0.0, high = 0.0, free = true, unit = "call", quantity = 1, source = pricing.serverless.source,
      as_of = pricing.serverless.as_of, basis = "only the time of workers and pods is billed" }
  end
  if name == "pods" then return pod_estimate(payload) end
  local is_job = name == "run" or name == "runsync"
  local price = is_job and PUBLIC_ENDPOINTS[payload.endpoint_id]
  if price then
    local figures, missing = public_estimate(price, given(payload.input) and payload.input or {})
    if not figures then return nil, missing end
    figures.low, figures.high = figures.expected, figures.high or figures.expected
    figures.source, figures.as_of = pricing.source, pricing.as_of
    return figures
  end
  if is_job then return worker_estimate(payload, 1) end
  if name == "batch" then return worker_estimate(payload, given(payload.requests) and #payload.requests or 1) end
  return nil, "a price for " .. name .. ": it depends on what is started"
end

local function read_name(reader, name, options)
  if reader:text(name, options) == "" then check.fail(name, "must not be empty") end
end

local function read_id(reader, name, options)
  read_name(reader, name, options)
  local id = reader:text(name, options)
  if id and not url_parts.is_name(id) then check.fail(name, "must be an id, as it stands in a path") end
end

local function read_path(reader, name, options)
  read_name(reader, name, options)
  local path = reader:text(name, options)
  if path and string.find("/" .. path .. "/", "/%.%.?/") then check.fail(name, "must not leave the endpoint's address") end
end

local function read_url(reader, name)
  local text = reader:text(name)
  if text == nil then return end
  local _, problem = url_parts.parse(text)
  if problem then check.fail(reader:path(name), problem) end
end

local function read_minutes(reader, name, options)
  if (reader:number(name, options) or 1) <= 0 then check.fail(name, "must be more than 0") end
end

local function read_batch(reader, name)
  for index, request in ipairs(reader:array_of(name, FROM_ONE) or NONE) do
    check.reader(request, name .. "[" .. index .. "]"):object_of("input", REQUIRED)
  end
end

-- A reader of an object that holds fields of its own.
local function object_with(fields)
  return function(reader, name) reader:reader_of(name):fields(fields) end
end

local POLICY = check.field_list {
  { name = "executionTimeout", kind = "integer" }, { name = "ttl", kind = "integer" }, { name = "lowPriority", kind = "boolean" },
}
local GPU = check.field_list {
  { name = "id", kind = "text" }, { name = "count", kind = "integer", options = GPU_COUNT },
}
local POD = check.field_list {
  { name = "name", kind = "text" }, { name = "image", kind = "text" }, { name = "cloud", kind = "text" },
  { name = "gpu", read = object_with(GPU) },
}

-- What of a job is checked before anything is made of it.
local JOB = check.field_list {
  { name = "endpoint_id", read = read_id, options = ID },
  { name = "job_id", read = read_id, options = ID },
  { name = "batch_id", read = read_id, options = ID },
  { name = "pod_id", read = read_id, options = ID },
  { name = "path", read = read_path, options = { max = MAX_PATH_BYTES } },
  { name = "action", read = read_name, options = ID },
  { name = "operation", kind = "choice", values = requests.NAMES },
  { name = "mode", kind = "choice", values = { "serverless", "pods" } },
  { name = "method", kind = "choice", values = { "GET", "POST" } },
  { name = "cancel_action", kind = "choice", values = STOPPING },
  { name = "input", kind = "object_of" },
  { name = "s3Config", kind = "object_of" },
  { name = "serverless", kind = "object_of" },
  { name = "stream", kind = "boolean" },
  { name = "finalize", kind = "boolean" },
  { name = "webhook", read = read_url },
  { name = "wait", kind = "integer", options = FROM_ZERO },
  { name = "offset", kind = "integer", options = FROM_ZERO },
  { name = "limit", kind = "integer", options = FROM_ZERO },
  { name = "gpu_count", kind = "integer", options = GPU_COUNT },
  { name = "max_runtime_minutes", read = read_minutes, options = { max = MAX_MINUTES } },
  { name = "requests", read = read_batch },
  { name = "policy", read = object_with(POLICY) },
  { name = "pod", read = object_with(POD) },
}

local function prepare(request)
  check.reader(request):fields(JOB)
  return request
end

-- The cheapest call that needs the key: it lists pods and starts nothing. It also tells what is running up a bill.
local function health(ctx)
  local response, failure = ctx.request { url = requests.MANAGEMENT_URL .. "/pods" }
  if not answers.is_success(response) then
    return { ok = false, reason = answers.error_result(response, failure).error.message }
  end
  local list = type(response.json) == "table" and response.json.pods
  if type(list) ~= "table" then return { ok = false, reason = answers.unreadable(response).error.message } end
  local running_count, hourly = 0, 0
  for _, pod in ipairs(list) do
    if pod.status == "RUNNING" then running_count = running_count + 1 end
    if type(pod.cost) == "number" then hourly = hourly + pod.cost end
  end
  local notes = { string.format("%d pods, %d of them running", #list, running_count) }
  if hourly > 0 then notes[2] = string.format("pods cost %.2f USD per hour at the moment", hourly) end
  return { ok = true, notes = notes }
end

-- The state that the job of a pod begins with.
local function pod_state(payload)
  local rate, _, count = pod_rate(payload)
  return pods.state_of(payload, rate and rate * count)
end

local READERS = {
  job = answers.job, batch = answers.batch, value = answers.value, direct = answers.direct, pod = pods.created,
  action = pods.acted,
}

local function submit(payload, ctx)
  local name = requests.name_of(payload)
  local operation = requests.OPERATIONS[name]
  local request, problem = requests.build(operation, payload, ctx)
  if not request then return nil, problem end
  requests.warn_of_left_out(operation, payload, ctx)
  pods.say_needs(name, payload, ctx)
  local response, failure = ctx.request(request)
  return READERS[operation.answer](response, failure, {
    endpoint_id = payload.endpoint_id, is_public = PUBLIC_ENDPOINTS[payload.endpoint_id or ""] ~= nil,
    pod_id = payload.pod_id, action = payload.action, is_sync = name == "runsync" or nil,
    pod = (operation.answer == "pod" or operation.answer == "action") and pod_state(payload) or nil,
    stream = payload.stream == true or nil, finalize = name == "batch" and payload.finalize ~= false or nil,
    usd_per_second = operation.answer == "job" and worker_rate(payload) or nil,
  })
end

-- What is asked about: { kind = "job", "batch" or "pod", endpoint_id = }, from the job's state or else from its payload.
local function target_of(job)
  local state, payload = job.state or {}, job.payload or {}
  local answer = (requests.OPERATIONS[requests.name_of(payload)] or requests.OPERATIONS.run).answer
  local target = {
    kind = state.kind or (answer == "action" and "pod") or answer,
    endpoint_id = state.endpoint_id or (given(payload.endpoint_id) and check.trim(payload.endpoint_id)) or nil,
    stream = state.stream or payload.stream == true or nil, finalize = state.finalize,
    is_sync = state.is_sync or requests.name_of(payload) == "runsync" or nil,
    usd_per_second = state.usd_per_second or (state.kind == nil and answer == "job" and worker_rate(payload)) or nil,
    seen = state.seen or state.status,
  }
  target.is_public = PUBLIC_ENDPOINTS[target.endpoint_id or ""] ~= nil
  if target.kind ~= "pod" and not target.endpoint_id then
    return nil, requests.refusal("job_id", "a RunPod job is found by its endpoint too, and this job's endpoint is not known here")
  end
  return target
end

local function endpoint_path(target, ...)
  local segments = { url_parts.segment(target.endpoint_id) }
  for _, segment in ipairs { ... } do segments[#segments + 1] = url_parts.segment(segment) end
  return "/" .. table.concat(segments, "/")
end

local NOT_READABLE = { kind = "malformed", message = "RunPod's answer is not what its API describes" }

-- A question about a job that got no proper answer: the job goes on when asking again may help.
local function unanswered(job, response, failure)
  local result = http_errors.unanswered(response, failure, job, response and answers.error_options(response))
  if response and response.status == 404 then
    result.error.code = "expired"
    result.error.message = "RunPod no longer knows the job: results are kept for 30 minutes (runsync: 1), jobs until their ttl"
  end
  return result
end

-- The job of an answer, or nil and the result of a question that got no proper answer. An answer to a question about one job may
-- leave out its id.
local function job_of(job, response, failure)
  if not answers.is_success(response) then return nil, unanswered(job, response, failure) end
  local found = response.json
  if type(found) == "table" and not given(found.id) then
    found = check.copy(found)
    found.id = job.id
  end
  if not answers.is_job(found) then return nil, unanswered(job, nil, NOT_READABLE) end
  return found
end

local function poll_status(job, target, ctx)
  local response, failure = ctx.request { path = endpoint_path(target, "status", job.id), headers = requests.JSON_TYPE }
  local found, result = job_of(job, response, failure)
  return found and answers.job_result(found, target) or result
end

-- Whether there is something to learn from /status: the cause of a failure, the time that is billed, an output.
local function is_worth_asking(told, target, has_pieces)
  if told.status == "queued" or told.status == "running" then return false end
  return told.status ~= "done" or not has_pieces or target.usd_per_second ~= nil and not told.cost
end

-- What the stream says of the job's status, or /status where that says more.
local function stream_result(job, target, answer, has_pieces, ctx)
  local told = type(answer.status) == "string" and answers.job_result({
    id = job.id, status = answer.status, error = answer.error, output = answer.output, executionTime = answer.executionTime,
  }, target)
  if told and not is_worth_asking(told, target, has_pieces) then return told end
  local asked = poll_status(job, target, ctx)
  local is_end = asked.status ~= "queued" and asked.status ~= "running" and not http_errors.is_gone_result(asked)
  return (not told or is_end) and asked or told
end

-- A read of the stream takes the pieces out of it, so they are kept in the job's state until the end.
local function poll_stream(job, target, ctx)
  local response, failure = ctx.request { path = endpoint_path(target, "stream", job.id), headers = requests.JSON_TYPE }
  if not answers.is_success(response) then return unanswered(job, response, failure) end
  local answer = type(response.json) == "table" and response.json or {}
  local pieces = cjson.array {}
  for _, piece in ipairs(job.state and job.state.pieces or {}) do pieces[#pieces + 1] = piece end
  -- The documentation prints the bare list, the SDK reads an object around it.
  for _, piece in ipairs(type(answer.stream) == "table" and answer.stream or answer) do
    if type(piece) == "table" and given(piece.output) then pieces[#pieces + 1] = piece.output end
  end
  local result = stream_result(job, target, answer, #pieces > 0, ctx)
  if #pieces == 0 then return result end
  if result.status == "queued" or result.status == "running" then
    result.state = check.copy(result.state or {})
    result.state.pieces = pieces
  else
    result.artifacts = answers.artifacts(pieces)
    if result.status == "done" then result.reason = nil end
  end
  return result
end

-- A batch is made as a draft and started by a call of its own. Asking first keeps a repeated poll from starting it twice.
local function poll_batch(job, target, ctx)
  local response, failure = ctx.request { path = endpoint_path(target, "batch", job.id), headers = requests.JSON_TYPE }
  local batch, result = job_of(job, response, failure)
  if not batch then return result end
  if not target.finalize or batch.status ~= "DRAFT" then return answers.batch_result(batch, target) end
  local path = endpoint_path(target, "batch", job.id, "finalize")
  -- once it is no draft, nothing happens: sending it twice costs nothing
  response, failure = ctx.request { method = "POST", path = path, headers = requests.JSON_TYPE, free = true }
  batch, result = job_of(job, response, failure)
  return batch and answers.batch_result(batch, target) or result
end

local function poll(job, ctx)
  local target, problem = target_of(job)
  if not target then return nil, problem end
  if target.kind == "pod" then return pods.poll(job, ctx) end
  if target.kind == "batch" then return poll_batch(job, target, ctx) end
  if target.stream then return poll_stream(job, target, ctx) end
  return poll_status(job, target, ctx)
end

local function cancel(job, ctx)
  local target, problem = target_of(job)
  if not target then return nil, problem end
  if target.kind == "pod" then return pods.cancel(job, ctx) end
  local is_batch = target.kind == "batch"
  local path = is_batch and endpoint_path(target, "batch", job.id, "cancel") or endpoint_path(target, "cancel", job.id)
  local response, failure = ctx.request { method = "POST", path = path, json = {} }
  local found, result = job_of(job, response, failure)
  if not found then return result end
  if is_batch then return answers.batch_result(found, target) end
  result = answers.job_result(found, target)
  if result.status ~= "canceled" or result.cost or target.is_public then return result end
  if target.seen ~= "queued" and not target.usd_per_second then return result end
  -- How long it ran before that, if it did, is in its status.
  local asked = poll_status(job, target, ctx)
  return asked.status == "canceled" and asked or result
end

-- RunPod does not sign what it delivers, so the job itself is asked. The delivery counts only when it cannot be: the URL that
-- it came by is a secret of this job.
local function webhook(delivery, ctx)
  local delivered, job = delivery.json, delivery.job or {}
  if not answers.is_job(delivered) then return nil, requests.refusal("body", "is not a RunPod job") end
  if given(job.id) and job.id ~= delivered.id then
    return nil, requests.refusal("body.id", "is not the job that this URL belongs to")
  end
  local target, problem = target_of(job)
  if not target then return nil, problem end
  local response = ctx.request { path = endpoint_path(target, "status", delivered.id), headers = requests.JSON_TYPE }
  local confirmed = answers.is_success(response) and answers.is_job(response.json)
  return answers.job_result(confirmed and response.json or delivered, target)
end

-- Only pods can be looked for: RunPod has no list of jobs.
local function reconcile(job, ctx)
  local payload = type(job.payload) == "table" and job.payload or {}
  if requests.name_of(payload) ~= "pods" or not given(payload.pod) then return reconcile_job.unknown() end
  return pods.reconcile(job, ctx, pod_state(payload))
end

return {
  id = "runpod", name = "RunPod", kind = "gpu",
  aliases = { "runpod.io" }, feature_flag = "enable_public_gpu",
  docs_url = "https://docs.runpod.io/docs", pricing_url = "https://www.runpod.io/pricing", last_checked = "2025-02-17",
  tags = {}, modes = {},
  reviews = {
    notes = "Cheap and wide in GPUs; idle endpoints pause by themselves, and a forgotten pod bills for ever.",
    sources = { "https://www.runpod.io/pricing", "https://www.g2.com/products/runpod/reviews" },
  },
  credentials = {
    api_key = {
      env = { "RUNPOD_API_KEY", "RUNPOD_TOKEN" }, secret = { "api_key", "token" }, pattern = "^rpa_",
      hint = "a RunPod key begins with rpa_: create one at https://console.runpod.io/user/settings",
    },
  },
  base_url = "https://api.runpod.ai/v2",
  hosts = { "api.runpod.io" },
  shared_hosts = { "*.api.runpod.ai" }, -- the workers behind them are their owners'
  outputs = "any", -- a worker uploads to a bucket of its own
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = capabilities, pricing = pricing,
  prepare = prepare, estimate = estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  reconcile = reconcile,
}
