-- jobs.lua - reads a job for Hugging Face Inference Endpoints: what is ours of it, and what is the engine's.

local check = require "check"
local names = require "names"
local url_parts = require "url_parts"

local jobs = { MAX_NAME_BYTES = 256 }

local MAX_URL_BYTES = 2048

-- `at`: where below the API; `body`: takes one; `reads`: changes nothing; `starts`: replicas run, and cost, afterwards; `free`:
-- stops what costs.
jobs.ACTIONS = {
  ["create"] = { method = "POST", at = "namespace", body = true, starts = true },
  ["update"] = { method = "PUT", at = "endpoint", body = true, starts = true },
  ["resume"] = { method = "POST", at = "endpoint", suffix = "/resume", starts = true },
  ["pause"] = { method = "POST", at = "endpoint", suffix = "/pause", free = true },
  ["scale-to-zero"] = { method = "POST", at = "endpoint", suffix = "/scale-to-zero", free = true },
  ["delete"] = { method = "DELETE", at = "endpoint", free = true },
  ["get"] = { method = "GET", at = "endpoint", reads = true },
  ["metrics"] = { method = "GET", at = "endpoint", suffix = "/open-metrics", reads = true },
  ["list"] = { method = "GET", at = "namespace", reads = true },
  ["hardware"] = { method = "GET", at = "hardware", reads = true },
}
jobs.ACTION_NAMES = {
  "create", "update", "resume", "pause", "scale-to-zero", "delete", "get", "metrics", "list", "hardware",
}
local ACTIONS, ACTION_NAMES = jobs.ACTIONS, jobs.ACTION_NAMES

-- Options of the readers of check.lua.
local IF_NOT_BLANK = { blank = "absent" }
local WORD = { lower = true, blank = "absent", max = jobs.MAX_NAME_BYTES }
local HEADER = { blank = "absent", max = jobs.MAX_NAME_BYTES, line = true }
local NAME, URL = { blank = "absent", max = jobs.MAX_NAME_BYTES }, { blank = "absent", max = MAX_URL_BYTES }
local FROM_ONE, TIME = { min = 1 }, { min = 0, zero = "absent" }

local MINUTES_NAMES = { "minutes", "max_runtime_minutes" }

local function read_action(reader, name)
  local action = reader:text(name, WORD)
  if not action then return nil end
  action = string.gsub(action, "_", "-")
  if not ACTIONS[action] then check.fail(reader:path(name), "must be one of " .. table.concat(ACTION_NAMES, ", ")) end
  return action
end

local function read_minutes(reader)
  local minutes = reader:number(MINUTES_NAMES, TIME)
  if minutes then return minutes end
  local hours = reader:number("hours", TIME)
  return hours and hours * 60
end

local function check_name(name, path)
  if not url_parts.is_name(name) then check.fail(path, "must be a name, as it stands in a path") end
end

local function read_name(reader, name)
  local text = reader:text(name, NAME)
  if text then check_name(text, reader:path(name)) end
  return text
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
  check_name(name or target, "endpoint")
  if namespace then
    check_name(namespace, "endpoint")
    job.namespace, job.name = job.namespace or namespace, name
  else
    job.name = target
  end
end

local function read_body(reader, name)
  local body = reader:raw(name)
  if body ~= nil and type(body) ~= "table" then check.fail(reader:path(name), "must be an object or an array") end
  return body
end

-- What readers of this file take, in words of JSON Schema.
local NAME_WORDS = {
  type = "string", maxLength = jobs.MAX_NAME_BYTES, pattern = "^[^\\s/?#%\\\\]+$", examples = { "my-endpoint" },
}
local URL_EXAMPLE = "https://abc.us-east-1.aws.endpoints.huggingface.cloud"
local MINUTES_WORDS = { type = "number", minimum = 0, x_costs = true, x_unit = "minutes" }

local FIELDS = check.field_list {
  { name = "action", read = read_action, schema = { type = "string", enum = ACTION_NAMES } },
  { name = "url", kind = "text", options = IF_NOT_BLANK, schema = { format = "uri", examples = { URL_EXAMPLE } } },
  { name = "path", kind = "text", options = IF_NOT_BLANK,
    schema = { pattern = "^/.*", maxLength = jobs.MAX_NAME_BYTES, examples = { "/v1/chat/completions" }, x_advanced = true } },
  { name = "namespace", read = read_name, schema = NAME_WORDS },
  { name = "endpoint", kind = "text", options = URL, schema = { examples = { "owner/name", URL_EXAMPLE } } },
  { name = "name", read = read_name, schema = NAME_WORDS },
  { name = "data", kind = "text", options = IF_NOT_BLANK, schema = { x_file = "file", contentEncoding = "base64" } },
  { name = "accept", kind = "text", options = HEADER },
  { name = "bill_to", kind = "text", options = HEADER },
  { name = "scale_up_timeout", kind = "integer", options = FROM_ONE },
  { name = "timeout_seconds", kind = "number", options = FROM_ONE },
  { name = "instance", kind = "text", options = NAME },
  { name = "instance_size", kind = "text", options = NAME },
  { name = "vendor", kind = "text", options = NAME },
  { name = "minutes", names = { "minutes", "max_runtime_minutes", "hours" }, read = read_minutes, schema = MINUTES_WORDS },
  { name = "parameters", kind = "object_of" },
  { name = "body", read = read_body, schema = { type = { "object", "array" }, x_lines = 8 } },
}
jobs.FIELDS = FIELDS

-- The fields that are for us; all others, and the parameters, are the engine's or the create body's.
local OWN_FIELDS = names.union(FIELDS.by_name)
OWN_FIELDS.parameters = nil

--- The job in plain values. Wrong JSON types and unknown actions end here, with the field's path.
function jobs.read(request)
  local job = { url = nil, endpoint = nil, label = nil, name = nil } -- room for what most have
  check.reader(request):fields(FIELDS, job)
  job.label = job.endpoint or job.name or job.url
  place(job)
  return job
end

--- The fields of a job that are not ours, or nil if there are none.
function jobs.other_fields(payload)
  local fields
  for name, value in next, payload do
    if not OWN_FIELDS[name] then
      fields = fields or {}
      fields[name] = value
    end
  end
  return fields
end

--- What a script returns beside nil when it refuses a job.
function jobs.refusal(field, message, allowed)
  return { field = field, message = message, allowed = allowed }
end

return jobs
