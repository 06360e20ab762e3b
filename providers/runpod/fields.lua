-- fields.lua - what a job for RunPod may hold.

local check = require "check"
local inputs = require "inputs"
local names = require "names"
local requests = require "runpod.requests"
local url_parts = require "url_parts"

local fields = {}

local NONE = {}

-- Ids and paths go into URLs; no real one is longer.
local MAX_ID_BYTES, MAX_PATH_BYTES = 200, 2000

-- Figures beyond these are slips of the hand, not jobs.
local MAX_GPUS, MAX_MINUTES = 1024, 366 * 24 * 60

-- Options of the readers of check.lua.
local ID, FROM_ZERO, FROM_ONE, REQUIRED = { max = MAX_ID_BYTES }, { min = 0 }, { min = 1 }, { required = true }
local GPU_COUNT = { min = 1, max = MAX_GPUS }

local STOPPING = { "stop", "terminate" }

--- The actions that end what a pod costs, or most of it.
fields.STOPPING = STOPPING

local function read_name(reader, name, options)
  local text = reader:text(name, options)
  if text == "" then check.fail(name, "must not be empty") end
  return text
end

local function read_id(reader, name, options)
  local id = read_name(reader, name, options)
  if id and not url_parts.is_name(id) then check.fail(name, "must be an id, as it stands in a path") end
end

local function read_path(reader, name, options)
  local path = read_name(reader, name, options)
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
local function object_with(list)
  return function(reader, name) reader:reader_of(name):fields(list) end
end

-- A range as clients are told of it.
local function bounds(limits)
  return { minimum = limits.min, maximum = limits.max, default = limits.default, x_advanced = true }
end

local POLICY = check.field_list {
  { name = "executionTimeout", kind = "integer", schema = bounds(requests.LIMITS.execution_timeout_ms) },
  { name = "ttl", kind = "integer", schema = bounds(requests.LIMITS.ttl_ms) }, { name = "lowPriority", kind = "boolean" },
}
local GPU = check.field_list {
  { name = "id", kind = "text" }, { name = "count", kind = "integer", options = GPU_COUNT },
}
local POD = check.field_list {
  { name = "name", kind = "text" }, { name = "image", kind = "text" },
  { name = "cloud", kind = "text", schema = { enum = requests.CLOUDS, default = "SECURE", x_costs = true } },
  { name = "gpu", read = object_with(GPU), is_told_by_members = true },
}

-- What clients are told of these (inputs.lua).
local ID_WORDS = { type = "string", minLength = 1, maxLength = MAX_ID_BYTES, examples = { "abc123" } }
local PATH_WORDS = { type = "string", minLength = 1, maxLength = MAX_PATH_BYTES, examples = { "v1/chat/completions" } }
local ACTION_WORDS = { type = "string", enum = requests.POD_ACTIONS, x_decides = true }
local URL_WORDS = { type = "string", format = "uri", x_advanced = true }
local MINUTES_WORDS = { type = "number", exclusiveMinimum = 0, maximum = MAX_MINUTES, x_costs = true }
-- Of a job it becomes the time limit, and has its bounds: 6 seconds are more than the least.
local JOB_MINUTES_WORDS = {
  type = "number", minimum = 0.1, maximum = requests.LIMITS.execution_timeout_ms.max // 60000, x_costs = true,
}
local BATCH_WORDS = {
  type = "array", minItems = 1, items = { type = "object", required = { "input" }, properties = { input = { type = "object" } } },
}

-- What of a job is checked before anything is made of it.
local JOB = check.field_list {
  { name = "endpoint_id", read = read_id, options = ID, schema = ID_WORDS },
  { name = "job_id", read = read_id, options = ID, schema = ID_WORDS },
  { name = "batch_id", read = read_id, options = ID, schema = ID_WORDS },
  { name = "pod_id", read = read_id, options = ID, schema = ID_WORDS },
  { name = "path", read = read_path, options = { max = MAX_PATH_BYTES }, schema = PATH_WORDS },
  { name = "action", read = read_name, schema = ACTION_WORDS },
  { name = "operation", kind = "choice", values = requests.NAMES },
  { name = "mode", kind = "choice", values = { "serverless", "pods" } },
  { name = "method", kind = "choice", values = { "GET", "POST" } },
  { name = "cancel_action", kind = "choice", values = STOPPING },
  { name = "input", kind = "object_of" },
  { name = "s3Config", kind = "object_of" },
  { name = "serverless", kind = "object_of" },
  { name = "stream", kind = "boolean" },
  { name = "finalize", kind = "boolean" },
  { name = "webhook", read = read_url, schema = URL_WORDS },
  { name = "wait", kind = "integer", options = FROM_ZERO, schema = bounds(requests.LIMITS.wait_ms) },
  { name = "offset", kind = "integer", options = FROM_ZERO },
  { name = "limit", kind = "integer", options = FROM_ZERO },
  { name = "gpu_count", kind = "integer", options = GPU_COUNT },
  { name = "max_runtime_minutes", read = read_minutes, options = { max = MAX_MINUTES }, schema = MINUTES_WORDS },
  { name = "requests", read = read_batch, schema = BATCH_WORDS },
  { name = "policy", read = object_with(POLICY), is_told_by_members = true },
  { name = "pod", read = object_with(POD), is_told_by_members = true },
}

-- Adds what clients are told of the fields of a list, but for those whose members are told one by one.
local function add_list(properties, list, prefix, only)
  local without = {}
  for _, field in ipairs(list) do
    if only and not only[field.name] or field.is_told_by_members then without[#without + 1] = field.name end
  end
  local told = inputs.choice { fields = { list }, prefix = prefix, without = without }
  for path, words in pairs(told.schema.properties) do properties[path] = words end
end

-- Fields of ours that say something of an operation: how long it may take, on how many GPUs.
local function names_of(operation)
  local only = names.set(operation.fields)
  local runs = only.input or operation.answer == "batch" or nil
  only.max_runtime_minutes, only.gpu_count = runs or operation.answer == "pod" or nil, runs
  return only
end

--- What clients are told of an operation's fields: schemas by their paths.
function fields.properties(name, operation)
  local properties, only = {}, names_of(operation)
  add_list(properties, JOB, "job.", only)
  if only.policy then add_list(properties, POLICY, "job.policy.") end
  if name == "pods" then
    add_list(properties, POD, "job.pod.")
    add_list(properties, GPU, "job.pod.gpu.")
  elseif only.pod then
    properties["job.pod"] = { type = "object" }
  end
  if only.input then properties["job.max_runtime_minutes"] = JOB_MINUTES_WORDS end
  if only.body then properties["job.body"] = { description = "any JSON" } end
  return properties
end

--- Checks a job before anything is made of it.
function fields.prepare(request)
  check.reader(request):fields(JOB)
  return request
end

return fields
