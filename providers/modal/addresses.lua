-- addresses.lua - where a job for Modal is sent, and where its result is asked for.

local check = require "check"
local fields = require "modal.fields"
local url_parts = require "url_parts"

local addresses = {}

local given = check.is_given

-- Where proxy tokens are accepted. A custom domain is the operator's to allow: base_url, and `path` in the job.
local MODAL_HOSTS = { "*.modal.run", "*.modal.direct" }

local is_function_host, is_endpoint_host = url_parts.host_matcher(MODAL_HOSTS[1]), url_parts.host_matcher(MODAL_HOSTS[2])

--- Anybody can have an app below them.
addresses.MODAL_HOSTS = MODAL_HOSTS

local CALL_ID_PARAMETER = "__modal_function_call_id"
local MAX_LABEL_BYTES = 63
local MAX_CALL_ID_BYTES = 200
local URL_FIELDS = { "url", "submit_url", "result_url", "cancel_url" }

-- A name as Modal writes it into host names: lower-case letters, digits and dashes.
local function slug(name)
  return (string.gsub(string.lower(name), "[^%w]", "-"))
end

-- The address of a deployed web function that has no label of its own.
local function deployed_url(payload)
  local source = slug(payload.workspace)
  if given(payload.environment) then source = source .. "-" .. slug(payload.environment) end
  local label = source .. "--" .. slug(payload.app) .. "-" .. slug(payload["function"])
  if #label > MAX_LABEL_BYTES then
    return nil, fields.refusal("url",
      "is needed: the names make a host name of over 63 bytes, which Modal shortens in its own way")
  end
  return "https://" .. label .. ".modal.run/"
end

--- A refusal when a URL is on another host: credentials go to Modal's own only. `parsed`: its parts, if they are known.
function addresses.check(field, url, parsed)
  parsed = parsed or url_parts.parse(url)
  if parsed and parsed.scheme == "https" then
    local host = parsed.host
    if is_function_host(host) or is_endpoint_host(host) then return nil end
  end
  return fields.refusal(field,
    "must be on a host of Modal (on a custom domain the operator sets base_url, and the job gives path)", MODAL_HOSTS)
end

local function check_hosts(payload, read)
  for _, field in ipairs(URL_FIELDS) do
    local url = payload[field]
    local problem = url ~= nil and given(url) and addresses.check(field, url, read and read[field])
    if problem then return problem end
  end
  return nil
end

--- Where a job is sent: { url = } or { path = } below base_url, `is_queue` for the job-queue pattern; nil and a refusal when
-- the job does not say. `read`: what prepare read, or nil.
function addresses.destination(payload, read)
  local problem = check_hosts(payload, read)
  if problem then return nil, problem end
  if given(payload.submit_url) then return { url = payload.submit_url, is_queue = true } end
  if given(payload.url) then return { url = payload.url, is_queue = given(payload.result_url) } end
  if given(payload.path) then return { path = payload.path, is_queue = given(payload.result_url) } end
  if given(payload.workspace) and given(payload.app) and given(payload["function"]) then
    local url
    url, problem = deployed_url(payload)
    return url and { url = url, is_queue = given(payload.result_url) }, problem
  end
  return nil, fields.refusal("url", "is needed: the web function's address, or workspace with app and function; "
    .. "Modal has no HTTP API that calls a function by its name alone")
end

--- A URL of the app with the id of a call in it.
function addresses.of_call(template, call_id)
  local segment = url_parts.segment(call_id)
  local start, stop = string.find(template, "{call_id}", 1, true)
  if start then return string.sub(template, 1, start - 1) .. segment .. string.sub(template, stop + 1) end
  return template .. (string.sub(template, -1) == "/" and "" or "/") .. segment
end

--- Where the result of a spawned call is asked for; second true where nobody said it. The documentation's own apps have it at
-- /result/{call_id}: worth a question, but what answers there need not know of the call.
function addresses.of_result(payload, url, call_id)
  if given(payload.result_url) then return addresses.of_call(payload.result_url, call_id), nil end
  local at = url_parts.parse(url)
  return at and addresses.of_call(at.origin .. "/result/{call_id}", call_id), true
end

--- The id of a call in the URL of its result, or nil.
function addresses.call_id_of(url)
  local _, stop = string.find(url, CALL_ID_PARAMETER .. "=", 1, true)
  return stop and string.match(string.sub(url, stop + 1, stop + MAX_CALL_ID_BYTES), "^[%w%-_]+") or nil
end

--- Where a 303 sends us, or nil: Location is opaque, absolute or relative, and on the host that was asked; other hosts get no
-- credentials.
function addresses.redirect_target(response, url)
  local target = url_parts.resolve(url, response.headers.location)
  if not target or url_parts.parse(target).origin ~= url_parts.parse(url).origin then return nil end
  return target
end

--- Whether a value may be the id of a call.
function addresses.is_call_id(id)
  return type(id) == "string" and id ~= "" and #id <= MAX_CALL_ID_BYTES
end

--- Where a job's result is, and the state to go on with; nil and a refusal when neither its state nor its payload tell.
function addresses.of_job(job)
  local payload, state = job.payload or {}, check.copy(job.state or {})
  if state.result_url then return state.result_url, state end
  local problem = check_hosts(payload)
  if problem then return nil, problem end
  local target = addresses.destination(payload) or {}
  if given(job.id) and (given(payload.result_url) or given(payload.submit_url)) then
    state.kind = "queue"
    local url, is_guess = addresses.of_result(payload, target.url or payload.result_url, job.id)
    state.is_guess = is_guess
    return url, state
  end
  if given(job.id) and string.sub(job.id, 1, 3) == "fc-" and target.url then
    state.kind = "call"
    local separator = string.find(target.url, "?", 1, true) and "&" or "?"
    return target.url .. separator .. CALL_ID_PARAMETER .. "=" .. url_parts.segment(job.id), state
  end
  return nil, fields.refusal("job_id", "Modal finds a call by the URL of its result, and this job's is not known here")
end

return addresses
