-- fields.lua - what a job for Modal may hold beside the body of its function.

local check = require "check"
local names = require "names"
local url_parts = require "url_parts"

local fields = {}

local given = check.is_given
local NONE = {}

local MAX_NAME_BYTES, MAX_HEADER_BYTES = 200, 8192
local MAX_HEADERS, MAX_HEADERS_BYTES, MAX_QUERY = 32, 24 * 1024, 32

-- More is a slip of the hand, not a job: a year.
local MAX_SECONDS = 366 * 24 * 3600

local METHODS = { "GET", "POST", "PUT", "PATCH", "DELETE" }
local AUTH_FORMS = { "headers", "bearer", "none" }

-- The credentials', and those that belong to the connection.
local HEADERS_OF_OURS = names.set {
  "authorization", "modal-key", "modal-secret", "modal-authorization", "proxy-authorization", "cookie", "host", "content-length",
  "transfer-encoding", "connection", "keep-alive", "upgrade", "expect", "te", "trailer", "proxy-connection",
}

-- Options of the readers of check.lua.
local NAME, DURATION = { max = MAX_NAME_BYTES }, { max = MAX_SECONDS }
local AS_IT_IS, IF_NOT_BLANK = { trim = false }, { blank = "absent" }

--- What a script returns beside nil when it refuses a job.
function fields.refusal(field, message, allowed)
  return { field = field, message = message, allowed = allowed }
end

local function read_url(reader, name)
  local text = reader:text(name, AS_IT_IS)
  if text == nil then return end
  local parsed, problem = url_parts.parse(text)
  if not parsed or parsed.scheme ~= "https" then check.fail(name, problem or "must be a URL that begins with https://") end
  return parsed
end

local function read_path(reader, name, options)
  local path = reader:text(name, options)
  if path and string.sub(path, 1, 1) ~= "/" then check.fail(name, "must begin with /") end
end

-- Headers of the app's own. Credentials are named by this script alone: braces in a value would name one.
local function read_headers(reader)
  local count, bytes = 0, 0
  for name, value in pairs(reader:object_of "headers" or NONE) do
    local path = "headers." .. name
    count, bytes = count + 1, bytes + #name + (type(value) == "string" and #value or 0)
    if count > MAX_HEADERS then check.fail("headers", "are at most " .. MAX_HEADERS) end
    if #name > MAX_NAME_BYTES or not string.find(name, "^[%w!#$%%&'*+.^_`|~-]+$") then
      check.fail("headers", "have names of letters, digits and dashes, of at most " .. MAX_NAME_BYTES .. " bytes")
    end
    if HEADERS_OF_OURS[string.lower(name)] then check.fail(path, "is not the client's to set") end
    if type(value) ~= "string" then check.fail(path, "must be text") end
    if #value > MAX_HEADER_BYTES then check.fail(path, "must be at most " .. MAX_HEADER_BYTES .. " bytes long") end
    if string.find(value, "[{}%c]") then check.fail(path, "must not contain braces or control characters") end
    if bytes > MAX_HEADERS_BYTES then check.fail("headers", "have at most " .. MAX_HEADERS_BYTES .. " bytes together") end
  end
end

local function read_query(reader)
  local count = 0
  for name, value in pairs(reader:object_of "query" or NONE) do
    count = count + 1
    if count > MAX_QUERY then check.fail("query", "has at most " .. MAX_QUERY .. " values") end
    if type(value) ~= "string" and type(value) ~= "number" then check.fail("query." .. name, "must be text or a number") end
  end
end

local function read_name(reader, name)
  local text = reader:text(name, NAME)
  if text and string.find(text, "[{}%c]") then check.fail(name, "must not contain braces or control characters") end
end

local function read_method(reader, name)
  local method = reader:text(name)
  if method and not check.in_list(string.upper(method), METHODS) then
    check.fail(name, "must be one of " .. table.concat(METHODS, ", "))
  end
end

local function read_duration(reader, name)
  if (reader:number(name, DURATION) or 1) <= 0 then check.fail(name, "must be more than 0") end
end

-- What readers of this file take, in words of JSON Schema.
local function url_words(example)
  return { type = "string", format = "uri", examples = { example } }
end
local PART_OF_NAME = { type = "string", description = "with the other names at most 63 bytes: they make a host name" }
local SHORT = { type = "string", maxLength = MAX_NAME_BYTES, x_advanced = true }
local SECONDS = { type = "number", exclusiveMinimum = 0, maximum = MAX_SECONDS, x_costs = true, x_unit = "seconds" }
local MINUTES = { type = "number", exclusiveMinimum = 0, maximum = MAX_SECONDS, x_costs = true, x_unit = "minutes" }
local OBJECT = { type = "object", x_advanced = true }

-- What of a job is checked before anything is made of it.
local JOB = check.field_list {
  { name = "url", read = read_url, schema = url_words "https://me--app-function.modal.run" },
  { name = "submit_url", read = read_url, schema = url_words "https://me--app-web.modal.run/submit" },
  { name = "result_url", read = read_url, schema = url_words "https://me--app-web.modal.run/result/{call_id}" },
  { name = "cancel_url", read = read_url, schema = url_words "https://me--app-web.modal.run/cancel/{call_id}" },
  { name = "path", read = read_path, options = { max = 2000 },
    schema = { type = "string", pattern = "^/.*", maxLength = 2000, examples = { "/v1/chat/completions" } } },
  { name = "headers", read = read_headers, schema = OBJECT },
  { name = "query", read = read_query, schema = OBJECT },
  { name = "workspace", read = read_name, schema = PART_OF_NAME },
  { name = "environment", read = read_name, schema = PART_OF_NAME },
  { name = "app", read = read_name, schema = PART_OF_NAME },
  { name = "function", read = read_name, schema = PART_OF_NAME },
  { name = "session_id", read = read_name, schema = SHORT },
  { name = "gpu", read = read_name,
    schema = { type = "string", maxLength = MAX_NAME_BYTES, x_costs = true, examples = { "H100", "A100-80GB:2" } } },
  { name = "method", read = read_method, schema = { type = "string", enum = METHODS, x_advanced = true } },
  { name = "auth", kind = "choice", values = AUTH_FORMS, schema = { x_advanced = true } },
  { name = "seconds", read = read_duration, schema = SECONDS },
  { name = "max_runtime_minutes", read = read_duration, schema = MINUTES },
}
fields.JOB = JOB

--- Checks a job before anything is made of it; the payload, the further fields of its record, and the plan: its addresses as
-- url_parts.lua takes them apart.
function fields.prepare(request)
  local reader = check.reader(request)
  local read = reader:fields(JOB)
  local job = reader.object
  local name = job["function"] ~= nil and reader:text("function", IF_NOT_BLANK)
    or job.app ~= nil and reader:text("app", IF_NOT_BLANK)
  return request, { ["function"] = name or "modal.function" }, read
end

local KNOWN_FIELDS = names.union(JOB.by_name, names.set { "body", "input" })
KNOWN_FIELDS.gpu = nil -- known, and said to be left out

--- Warns of what belongs to the function's definition and is not sent.
function fields.warn_of_left_out(payload, ctx)
  local unknown = names.unknown(payload, KNOWN_FIELDS)
  if not unknown then return end
  for _, name in ipairs(unknown) do
    if name == "gpu" and given(payload.gpu) then
      ctx.warn { field = "gpu", message = "the function's definition chooses its GPU: it is used for the estimate and not sent" }
    elseif given(payload[name]) then
      ctx.warn { field = name, message = "belongs to the function's definition, or into body, and was not sent" }
    end
  end
end

return fields
