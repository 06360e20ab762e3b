-- fields.lua - what a job for RunPod may hold.

local check = require "check"
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
local function object_with(list)
  return function(reader, name) reader:reader_of(name):fields(list) end
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

--- Checks a job before anything is made of it.
function fields.prepare(request)
  check.reader(request):fields(JOB)
  return request
end

return fields
