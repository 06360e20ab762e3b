-- requests.lua - what can be asked of RunPod, and the requests that ask it.
--
-- A job is RunPod's own body with the names of its path beside it; `operation` chooses the call. Values that RunPod would refuse
-- and that decide what is made or paid are refused here, before anything is sent.

local cjson = require "cjson"
local check = require "check"
local names = require "names"
local url_parts = require "url_parts"

local requests = {}

-- Pods and endpoints are managed at ".io"; jobs go to ".ai", the script's base_url.
requests.MANAGEMENT_URL = "https://api.runpod.io/v2"

-- RunPod's own clients send it with every call, also with a GET.
requests.JSON_TYPE = { ["Content-Type"] = "application/json" }

local SECOND_MS, MINUTE_MS = 1000, 60 * 1000
local SEVEN_DAYS_MS = 7 * 24 * 60 * MINUTE_MS
local EXECUTION_TIMEOUT_MS = { min = 5 * SECOND_MS, max = SEVEN_DAYS_MS }
local TTL_MS = { min = 10 * SECOND_MS, max = SEVEN_DAYS_MS }
local WAIT_MS = { min = 1000, max = 300000, default = 90000 }

--- Limits of a job, in milliseconds.
requests.LIMITS = { execution_timeout_ms = EXECUTION_TIMEOUT_MS, ttl_ms = TTL_MS, wait_ms = WAIT_MS }

local CLOUDS = { "SECURE", "COMMUNITY" }
local POD_ACTIONS = { "start", "stop", "restart", "terminate" }

--- Where a pod may be, and what may be done with it.
requests.CLOUDS, requests.POD_ACTIONS = CLOUDS, POD_ACTIONS

-- Names of the retired REST v1, which people still have in their scripts.
local RETIRED_POD_FIELDS = { imageName = "image", gpuTypeIds = "gpu.id", containerDiskInGb = "disk" }

local given, trim, as_segment = check.is_given, check.trim, url_parts.segment

--- What a script returns beside nil when it refuses a job.
function requests.refusal(field, message, allowed)
  return { field = field, message = message, allowed = allowed }
end

-- A number of the job within RunPod's limits: nil when not given, nil and a refusal when out of range.
local function limited(reader, name, limits)
  local value = reader:integer(name)
  if value == nil or (value >= limits.min and value <= limits.max) then return value end
  local range = string.format("%d..%d", limits.min, limits.max)
  return nil, requests.refusal(reader:path(name), "must be within " .. range .. " milliseconds", { range })
end

-- The policy to send. A `max_runtime_minutes` becomes its time limit, so that what was estimated is also enforced.
local function policy_of(payload)
  if payload.policy == nil and payload.max_runtime_minutes == nil then return nil end
  local policy = given(payload.policy) and check.copy(payload.policy) or {}
  local reader = check.reader(policy, "policy")
  local timeout, too_long = limited(reader, "executionTimeout", EXECUTION_TIMEOUT_MS)
  local ttl, bad_ttl = limited(reader, "ttl", TTL_MS)
  if too_long or bad_ttl then return nil, too_long or bad_ttl end
  local minutes = check.reader(payload):number("max_runtime_minutes")
  if timeout == nil and minutes then
    timeout = math.floor(minutes * MINUTE_MS)
    if timeout < EXECUTION_TIMEOUT_MS.min or timeout > EXECUTION_TIMEOUT_MS.max then
      return nil, requests.refusal("max_runtime_minutes", "is not within RunPod's limits of a job's time",
        { string.format("%.2f..%d", EXECUTION_TIMEOUT_MS.min / MINUTE_MS, EXECUTION_TIMEOUT_MS.max // MINUTE_MS) })
    end
  end
  policy.executionTimeout, policy.ttl = timeout, ttl
  return next(policy) ~= nil and policy or nil
end

local function job_body(payload, ctx)
  if not given(payload.input) then return nil, requests.refusal("input", "is needed: what the endpoint's worker works on") end
  local policy, problem = policy_of(payload)
  if problem then return nil, problem end
  if given(payload.s3Config) then
    ctx.warn { field = "s3Config", message = "its keys go through RunPod to the worker in clear" }
  end
  return {
    input = payload.input, policy = policy, s3Config = given(payload.s3Config) and payload.s3Config or nil,
    webhook = given(payload.webhook) and payload.webhook or ctx.webhook_url,
  }
end

local function batch_body(payload)
  if not given(payload.requests) then return nil, requests.refusal("requests", "is needed: a list of jobs with their input") end
  return cjson.array(payload.requests)
end

local function check_pod_hardware(pod)
  if given(pod.gpu) == given(pod.cpu) then
    return requests.refusal("pod.gpu", "is needed, unless the pod has cpu: exactly one of the two", { "gpu", "cpu" })
  end
  if given(pod.gpu) and not given(pod.gpu.id) then
    return requests.refusal("pod.gpu.id", "is needed, as catalog/gpus names it (NVIDIA GeForce RTX 4090)")
  end
  if given(pod.cloud) and not check.in_list(pod.cloud, CLOUDS) then
    return requests.refusal("pod.cloud", "must be one of " .. table.concat(CLOUDS, ", "), CLOUDS)
  end
  return nil
end

local function check_retired_fields(pod)
  for old, new in pairs(RETIRED_POD_FIELDS) do
    if given(pod[old]) then return requests.refusal("pod." .. old, "is a name of the retired REST v1: use " .. new, { new }) end
  end
  return nil
end

local function pod_body(payload)
  local pod = payload.pod
  if not given(pod) then
    return nil, requests.refusal("pod", "is needed: the pod to create, with name, image (or templateId) and gpu { id, count }")
  end
  local problem = check_retired_fields(pod)
  if problem then return nil, problem end
  if not given(pod.name) then return nil, requests.refusal("pod.name", "is needed") end
  if not given(pod.image) and not given(pod.templateId) then
    return nil, requests.refusal("pod.image", "is needed, or templateId")
  end
  problem = check_pod_hardware(pod)
  if problem then return nil, problem end
  if not given(pod.gpu) then return pod end
  local body = check.copy(pod)
  body.gpu = check.copy(pod.gpu)
  body.gpu.count = check.reader(pod.gpu, "pod.gpu"):integer("count")
  return body
end

local function pod_changes(payload)
  if not given(payload.pod) then return nil, requests.refusal("pod", "is needed: what to change") end
  return payload.pod
end

local function action_body(payload)
  if not check.in_list(payload.action, POD_ACTIONS) then
    return nil, requests.refusal("action", "must be one of " .. table.concat(POD_ACTIONS, ", "), POD_ACTIONS)
  end
  return { action = payload.action }
end

local function serverless_body(payload)
  if not given(payload.serverless) then
    return nil, requests.refusal("serverless", "is needed: name, type, image (or templateId), gpu, workers, scaling")
  end
  return payload.serverless
end

local function free_body(payload)
  if given(payload.body) then return payload.body end
  return nil
end

local function wait_query(payload)
  local wait, problem = limited(check.reader(payload), "wait", WAIT_MS)
  if problem then return nil, problem end
  return { wait = wait or WAIT_MS.default }
end

local function page_query(payload)
  local reader = check.reader(payload)
  return { offset = reader:integer("offset"), limit = reader:integer("limit") }
end

-- What can be asked of RunPod. `path` is on the plane of jobs, `management` on the other; a name in braces is a field of the job
-- that must be given. `answer` names its reader in answers.lua. `free` calls start no billed machine.
requests.OPERATIONS = {
  ["run"] = { method = "POST", path = "/{endpoint_id}/run", body = job_body, answer = "job",
    fields = { "endpoint_id", "input", "policy", "webhook", "s3Config", "stream" } },
  ["runsync"] = { method = "POST", path = "/{endpoint_id}/runsync", query = wait_query, body = job_body, answer = "job",
    fields = { "endpoint_id", "input", "policy", "webhook", "s3Config", "wait" } },
  ["retry"] = { method = "POST", path = "/{endpoint_id}/retry/{job_id}", answer = "job", fields = { "endpoint_id", "job_id" } },
  ["batch"] = { method = "POST", path = "/{endpoint_id}/batch", body = batch_body, answer = "batch",
    fields = { "endpoint_id", "requests", "finalize" } },
  ["batch/requests"] = { method = "POST", path = "/{endpoint_id}/batch/{batch_id}/requests", body = batch_body, answer = "value",
    fields = { "endpoint_id", "batch_id", "requests" } },
  ["batch/finalize"] = { method = "POST", path = "/{endpoint_id}/batch/{batch_id}/finalize", answer = "batch",
    fields = { "endpoint_id", "batch_id" } },
  ["batch/results"] = { path = "/{endpoint_id}/batch/{batch_id}/requests", query = page_query, answer = "value", free = true,
    fields = { "endpoint_id", "batch_id", "offset", "limit" } },
  ["purge-queue"] = { method = "POST", path = "/{endpoint_id}/purge-queue", answer = "value", free = true,
    fields = { "endpoint_id" } },
  ["health"] = { path = "/{endpoint_id}/health", answer = "value", free = true, fields = { "endpoint_id" } },
  ["openai"] = { method = "POST", path = "/{endpoint_id}/openai/v1/{path}", body = free_body, answer = "direct", is_openai = true,
    fields = { "endpoint_id", "path", "body", "method" } },
  ["load-balancing"] = { method = "POST", url = "https://{endpoint_id}.api.runpod.ai/{path}", body = free_body, answer = "direct",
    fields = { "endpoint_id", "path", "body", "method" } },
  ["pods"] = { method = "POST", management = "/pods", body = pod_body, answer = "pod", fields = { "pod", "cancel_action" } },
  ["pods/update"] = { method = "PATCH", management = "/pods/{pod_id}", body = pod_changes, answer = "value",
    fields = { "pod_id", "pod" } },
  ["pods/action"] = { method = "POST", management = "/pods/{pod_id}/action", body = action_body, answer = "action",
    fields = { "pod_id", "action", "cancel_action" } },
  ["pods/delete"] = { method = "DELETE", management = "/pods/{pod_id}", answer = "value", free = true, fields = { "pod_id" } },
  ["serverless"] = { method = "POST", management = "/serverless", body = serverless_body, answer = "value",
    fields = { "serverless" } },
  ["serverless/update"] = { method = "PATCH", management = "/serverless/{endpoint_id}", body = serverless_body, answer = "value",
    fields = { "endpoint_id", "serverless" } },
  ["serverless/delete"] = { method = "DELETE", management = "/serverless/{endpoint_id}", answer = "value", free = true,
    fields = { "endpoint_id" } },
  ["catalog/gpus"] = { management = "/catalog/gpus", answer = "value", free = true, fields = {} },
}

-- Fields that say something about a job to us, not to RunPod.
local OUR_FIELDS = { operation = true, mode = true, max_runtime_minutes = true, gpu_count = true }

local MISSING = {
  endpoint_id = "is needed: the serverless endpoint to run on; for a machine of your own give pod instead",
  job_id = "is needed: the job to retry", batch_id = "is needed: the batch", pod_id = "is needed: the pod",
  path = "is needed: the path below the endpoint's address",
}

-- The names that each call takes, with ours.
for _, operation in pairs(requests.OPERATIONS) do operation.known = names.union(OUR_FIELDS, names.set(operation.fields)) end

--- The names of all operations, sorted.
requests.NAMES = names.sorted(requests.OPERATIONS)

--- The name of a job's operation: what it says, else what it gives.
function requests.name_of(payload)
  if given(payload.operation) then return check.trim(payload.operation) end
  if given(payload.pod) then return given(payload.pod_id) and "pods/update" or "pods" end
  if given(payload.pod_id) then return "pods/action" end
  if given(payload.serverless) then return given(payload.endpoint_id) and "serverless/update" or "serverless" end
  if given(payload.requests) then return given(payload.batch_id) and "batch/requests" or "batch" end
  return payload.mode == "pods" and "pods" or "run"
end

local function segments_of(path)
  local segments = {}
  for segment in string.gmatch(path, "[^/]+") do segments[#segments + 1] = url_parts.segment(segment) end
  return table.concat(segments, "/")
end

-- Clients of OpenAI's API know its paths with the /v1 of their base URL, or with RunPod's own /openai/v1.
local function openai_path(path)
  path = string.gsub(path, "^/+", "")
  path = string.gsub(path, "^openai/", "")
  return (string.gsub(path, "^v1/", ""))
end

-- The names in braces of an operation's path, each with the text before it, and the text behind the last.
for _, operation in pairs(requests.OPERATIONS) do
  local template, from = operation.path or operation.management or operation.url, 1
  operation.parts = {}
  for start, name, stop in string.gmatch(template, "(){([%w_]+)}()") do
    table.insert(operation.parts, { before = string.sub(template, from, start - 1), name = name })
    from = stop
  end
  operation.rest = string.sub(template, from)
end

-- The path of an operation with fields of the job in it; nil and a refusal when one is missing. `path` keeps its slashes.
local function expand(operation, payload)
  local url = ""
  for _, part in ipairs(operation.parts) do
    local name = part.name
    local value = payload[name]
    if not given(value) or value == "" then return nil, requests.refusal(name, MISSING[name]) end
    url = url .. part.before .. (name == "path" and segments_of(value) or as_segment(trim(value)))
  end
  return url .. operation.rest
end

--- The request of an operation, or nil and a refusal.
function requests.build(operation, payload, ctx)
  if operation.is_openai and given(payload.path) then
    payload = check.copy(payload)
    payload.path = openai_path(payload.path)
  end
  local url, problem = expand(operation, payload)
  if not url then return nil, problem end
  local request = {
    method = operation.method, headers = operation.path and requests.JSON_TYPE or nil,
    free = operation.free or false, -- a GET of the user's runs a worker too
    path = nil, url = nil, query = nil, json = nil, timeout = nil, -- room for what follows
  }
  if operation.path then request.path = url
  elseif operation.management then request.url = requests.MANAGEMENT_URL .. url
  else request.url = url end
  if operation.body == free_body and given(payload.method) then request.method = payload.method end
  if operation.query then
    request.query, problem = operation.query(payload)
    if problem then return nil, problem end
  end
  if operation.body then
    request.json, problem = operation.body(payload, ctx)
    if problem then return nil, problem end
  end
  if request.query and request.query.wait then request.timeout = request.query.wait / SECOND_MS + 30 end
  return request
end

--- Says what of a job is not part of the call.
function requests.warn_of_left_out(operation, payload, ctx)
  local unknown = names.unknown(payload, operation.known)
  if not unknown then return end
  for _, name in ipairs(unknown) do
    if name == "gpu" and operation.path and given(payload.gpu) then
      ctx.warn { field = "gpu", message = "the GPU belongs to the endpoint: it is used for the estimate and not sent" }
    elseif given(payload[name]) then
      ctx.warn { field = name, message = "is not part of this RunPod call, and was not sent" }
    end
  end
end

return requests
