-- gpu_modal.lua - Modal: functions that their owner put on the web, job queues in front of them, and managed LLM endpoints.
--
-- Docs: https://modal.com/docs/guide/webhook-timeouts, .../webhook-proxy-auth, .../webhook-urls, .../job-queue, .../endpoints
-- (SDK 1.5, state of 2026-10). Checked 2026-11-23.
--
-- Modal has no public REST API to call a function by its name: its SDKs speak gRPC, whose direct use Modal does not support. What
-- plain HTTP can reach is what an app exposes, and a job says which of the two kinds it is:
--   { url, body }                    a web function: the answer is the result, or after 150 s a 303 to where the result will be
--   { submit_url, result_url, body } the job-queue pattern: the answer is a call_id, and {call_id} in result_url stands for it
-- { workspace, app, function } builds the url of a deployed function. Neither kind can be cancelled, unless the app has a route
-- for it (cancel_url).

local cjson = require "cjson"
local check = require "check"
local http_errors = require "http_errors"
local names = require "names"
local outputs = require "outputs"
local url_parts = require "url_parts"

-- Where proxy tokens are accepted. A custom domain is the operator's to allow: base_url, and `path` in the job.
local MODAL_HOSTS = { "*.modal.run", "*.modal.direct" }

-- One HTTP request ends after 150 s, with the result or with a 303: a shorter time-out could cut an answer that Modal gives once.
local REQUEST_SECONDS = 170

-- A result is kept for seven days after its end. An app that does not catch its expiry answers 202 for ever.
local RESULT_SECONDS = 7 * 24 * 3600

-- Between two questions that will hardly be answered better than the last one.
local GUESS_SECONDS = 30

local CALL_ID_PARAMETER = "__modal_function_call_id"
local PLATFORM_PREFIX = "modal-http: "
local MAX_LABEL_BYTES, MAX_NAME_BYTES = 63, 200
local MAX_TEXT_BYTES, MAX_HEADER_BYTES = 1000, 8192
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

local capabilities = {
  supports = { "serverless", "schedules", "volumes", "webhooks" },
  gpu_families = { "A10G", "L4", "A100_80GB" },
  billing = "per-second with 1-minute minimum",
  regions = { "us-west-1", "us-east-1", "eu-west-1" },
  calls = { "web function", "job queue", "OpenAI-compatible endpoint" },
  cancel = "only if the app exposes it",
  idempotency = false,
  limits = { request_seconds = 150, result_days = 7 },
}

local pricing = {
  -- No copy of Modal's own page was at hand: two readings of it by others agree.
  as_of = "2026-06-27", source = "https://modal.com/pricing (as read by third parties)", unit = "USD/second of a container",
  gpus = { H100 = 0.001097, ["A100-80GB"] = 0.000694, L40S = 0.000542, L4 = 0.000222, T4 = 0.000164 },
  older_gpus = { as_of = "2025-02-17", source = "https://modal.com/pricing", unit = "USD/second", A10G = 1.32 / 3600 },
  cpu_core = 0.0000131, least_cpu_cores = 0.125,
  multipliers = { region_least = 1.5, region_most = 1.75, non_preemptible = 3 },
  plans = { starter = { usd_per_month = 0, credit_usd_per_month = 30, containers = 100, gpus = 10 } },
}

local given = check.is_given

-- Options of the readers of check.lua.
local NAME, DURATION = { max = MAX_NAME_BYTES }, { max = MAX_SECONDS }
local AS_IT_IS, IF_NOT_BLANK = { trim = false }, { blank = "absent" }

local KEPT = { "headers", "session_id", "auth", "cancel_url" }
local URL_FIELDS = { "url", "submit_url", "result_url", "cancel_url" }
local NONE = {}

local function refusal(field, message, allowed)
  return { field = field, message = message, allowed = allowed }
end

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
    return nil, refusal("url", "is needed: the names make a host name of over 63 bytes, which Modal shortens in its own way")
  end
  return "https://" .. label .. ".modal.run/"
end

-- Credentials go to Modal's own hosts only.
local function check_host(field, url)
  local parsed = url_parts.parse(url)
  if parsed and parsed.scheme == "https" then
    for _, pattern in ipairs(MODAL_HOSTS) do
      if url_parts.host_matches(parsed.host, pattern) then return nil end
    end
  end
  return refusal(field, "must be on a host of Modal (on a custom domain the operator sets base_url, and the job gives path)",
    MODAL_HOSTS)
end

local function check_hosts(payload)
  for _, field in ipairs(URL_FIELDS) do
    local problem = given(payload[field]) and check_host(field, payload[field])
    if problem then return problem end
  end
  return nil
end

-- Where a job is sent: { url = } or { path = } below base_url, `is_queue` for the job-queue pattern; nil and a refusal when the
-- job does not say.
local function destination(payload)
  local problem = check_hosts(payload)
  if problem then return nil, problem end
  if given(payload.submit_url) then return { url = payload.submit_url, is_queue = true } end
  if given(payload.url) then return { url = payload.url, is_queue = given(payload.result_url) } end
  if given(payload.path) then return { path = payload.path, is_queue = given(payload.result_url) } end
  if given(payload.workspace) and given(payload.app) and given(payload["function"]) then
    local url
    url, problem = deployed_url(payload)
    return url and { url = url, is_queue = given(payload.result_url) }, problem
  end
  return nil, refusal("url", "is needed: the web function's address, or workspace with app and function; "
    .. "Modal has no HTTP API that calls a function by its name alone")
end

-- A URL of the app with the id of a call in it.
local function with_call_id(template, call_id)
  local segment = url_parts.segment(call_id)
  local start, stop = string.find(template, "{call_id}", 1, true)
  if start then return string.sub(template, 1, start - 1) .. segment .. string.sub(template, stop + 1) end
  return template .. (string.sub(template, -1) == "/" and "" or "/") .. segment
end

-- Where the result of a spawned call is asked for; second true where nobody said it. The documentation's own apps have it at
-- /result/{call_id}: worth a question, but what answers there need not know of the call.
local function queue_result_url(payload, url, call_id)
  if given(payload.result_url) then return with_call_id(payload.result_url, call_id), nil end
  local at = url_parts.parse(url)
  return at and with_call_id(at.origin .. "/result/{call_id}", call_id), true
end

-- Endpoints of LLMs are called with OpenAI's clients, which send one Authorization header; functions may need that one for
-- themselves, so they get the two headers.
local function auth_form(payload, url)
  if given(payload.auth) then return payload.auth end
  local at = url_parts.parse(url or "")
  local is_llm = not at or (url_parts.host_matches(at.host, "*.modal.direct") and string.sub(at.path, 1, 4) == "/v1/")
  return is_llm and "bearer" or "headers"
end

-- Adds what proves who calls, and the session that a Server keeps to one container.
local function authorize(request, payload)
  local headers = given(payload.headers) and check.copy(payload.headers) or {}
  if given(payload.session_id) then headers["Modal-Session-ID"] = payload.session_id end
  local form = auth_form(payload, request.url)
  if form ~= "headers" then request.auth = form == "bearer" and "bearer" end
  request.headers = headers
  return request
end

-- Where an engine of the OpenAI kind takes this body, below the base URL that its clients are given.
local function openai_route(body)
  if type(body) ~= "table" then return nil end
  if given(body.messages) then return "/chat/completions" end
  if not given(body.model) then return nil end
  return given(body.prompt) and "/completions" or given(body.input) and "/embeddings" or nil
end

-- The address of an OpenAI API as its clients write it, made one that its engines serve.
local function engine_url(url, body)
  local at = url_parts.parse(url)
  local base = at and string.gsub(at.path, "/+$", "")
  local route = base and string.sub(base, -3) == "/v1" and openai_route(body)
  return route and at.origin .. base .. route .. (at.query and "?" .. at.query or "") or url
end

local function submit_request(payload, target)
  local method = given(payload.method) and string.upper(check.trim(payload.method)) or "POST"
  local body = given(payload.body) and payload.body or payload.input
  if method == "GET" and given(body) then
    return nil, refusal("body", "cannot go with GET: give query, or another method", { "query" })
  end
  if target.url and not target.is_queue and method == "POST" then target.url = engine_url(target.url, body) end
  return authorize({
    method = method, url = target.url, path = target.path, query = given(payload.query) and payload.query or nil,
    json = given(body) and body or nil, timeout = REQUEST_SECONDS, free = false, -- a GET runs the function too
  }, payload)
end

-- What Modal's own edge says, behind its prefix. Its 404 and 429 may be about money.
local PLATFORM_ERRORS = {
  { "spend limit", "credit" }, { "is disabled", "credit" },
  { "credentials", "auth" }, { "authorization", "auth" },
  { "invalid function call", "not_found", "no such web function is deployed" },
  { "is stopped", "not_found", "the app is stopped" },
}

local function platform_text(response)
  local text = string.sub(response.body or "", 1, MAX_TEXT_BYTES)
  if string.sub(text, 1, #PLATFORM_PREFIX) ~= PLATFORM_PREFIX then return nil end
  return string.sub(text, #PLATFORM_PREFIX + 1)
end

local function platform_options(text)
  for _, entry in ipairs(PLATFORM_ERRORS) do
    if string.find(text, entry[1], 1, true) then
      return { code = entry[2], detail = entry[3] or text, vendor_code = "modal-http" }
    end
  end
  return { detail = text, vendor_code = "modal-http" }
end

-- "body.prompt: field required" of FastAPI's list of what is wrong.
local function validation_text(first)
  if type(first) ~= "table" or type(first.msg) ~= "string" then return nil end
  local path = {}
  for _, step in ipairs(type(first.loc) == "table" and first.loc or {}) do path[#path + 1] = tostring(step) end
  return (#path > 0 and table.concat(path, ".") .. ": " or "") .. first.msg
end

-- The text of an app's own error: FastAPI's `detail`, OpenAI's `error`, or plain text.
local function app_text(response)
  local json = response.json
  if type(json) ~= "table" then
    local body = response.body or ""
    return string.sub(body, 1, 1) ~= "<" and body or nil
  end
  local detail = json.detail
  if type(detail) == "table" then return validation_text(detail[1]) end
  if type(detail) == "string" then return detail end
  local problem = json.error
  if type(problem) == "table" then problem = problem.message end
  return type(problem) == "string" and problem or nil
end

local function error_options(response)
  if not response then return nil end
  local text = platform_text(response)
  return text and platform_options(text) or { detail = app_text(response) }
end

local function error_result(response, failure)
  local options = error_options(response)
  return http_errors.result(response, failure, options)
end

local function is_success(response)
  return response ~= nil and response.status >= 200 and response.status < 300
end

local function media_type(response)
  local header = string.sub(response.headers["content-type"] or "", 1, 200)
  return string.lower(string.match(header, "^%s*([^;%s]*)") or "")
end

local BROKEN = { kind = "malformed", message = "the app's answer is not the JSON that it says" }

local function is_broken_json(response)
  return response.json == nil and response.body ~= "" and string.find(media_type(response), "json", 1, true) ~= nil
end

-- The result of a function is whatever its author returns: JSON, text, or the bytes of a file.
local function artifacts_of(response)
  local kind, body = media_type(response), response.body or ""
  if response.json ~= nil and (kind == "" or string.find(kind, "json", 1, true)) then return outputs.artifacts(response.json) end
  if body == "" then return {} end
  if kind == "" or string.sub(kind, 1, 5) == "text/" or string.find(kind, "json", 1, true) then
    return { outputs.body(response, kind ~= "" and kind or "text/plain") }
  end
  return { outputs.bytes(response, kind) }
end

-- Whether an answer without the id of a call may be what was asked for: something that is more than a receipt.
local function is_result(response)
  local json = response.json
  if type(json) == "userdata" then return true end -- more than can be taken apart
  if type(json) ~= "table" then return json == nil and (response.body or "") ~= "" and not is_broken_json(response) end
  for _, name in ipairs { "result", "output", "outputs", "data", "images", "image", "url", "choices" } do
    if given(json[name]) then return true end
  end
  return false
end

local function done(response, id)
  return { id = id, status = "done", progress = 1, artifacts = artifacts_of(response) }
end

-- A call that is not over. Modal does not tell waiting for a container from work.
local function going_on(id, state)
  return { id = id, status = "running", state = state, reason = "starting or at work: Modal does not tell which" }
end

local vendor_error = http_errors.unreadable

local function call_id_of(url)
  local _, stop = string.find(url, CALL_ID_PARAMETER .. "=", 1, true)
  return stop and string.match(string.sub(url, stop + 1, stop + MAX_NAME_BYTES), "^[%w%-_]+") or nil
end

-- Where a 303 sends us: Location is opaque, absolute or relative, and on the host that was asked; other hosts get no credentials.
local function redirect_target(response, url)
  local target = url_parts.resolve(url, response.headers.location)
  if not target or url_parts.parse(target).origin ~= url_parts.parse(url).origin then return nil end
  return target
end

local function read_redirect(response, url, state, id)
  local target = redirect_target(response, url)
  if not target then return vendor_error("the answer redirects to where the credentials must not go, or to nowhere") end
  if response.status ~= 303 then
    local moved = vendor_error("the address has moved: give the one that it redirects to (often only the end's slash differs)")
    moved.error.billed = false -- no function ran
    return moved
  end
  state.result_url = target
  return going_on(call_id_of(target) or id, state)
end

-- What apps call the id of a call; FastAPI's examples have the first.
local CALL_ID_NAMES = { "call_id", "function_call_id", "job_id", "task_id", "id" }

local function is_call_id(id)
  return type(id) == "string" and id ~= "" and #id <= MAX_NAME_BYTES
end

-- The id of a spawned call in an answer. A plain web function may use the words for something else: Modal's own begin with fc-.
local function spawned_call(response, target)
  local json = type(response.json) == "table" and response.json or NONE
  for _, name in ipairs(CALL_ID_NAMES) do
    if is_call_id(json[name]) and string.sub(json[name], 1, 3) == "fc-" then return json[name] end
  end
  for _, name in ipairs(target.is_queue and CALL_ID_NAMES or NONE) do
    if is_call_id(json[name]) then return json[name] end
  end
  return nil
end

-- What of a payload the questions about its call need. Kept, since long texts of a payload are cut later.
local function kept_of(payload)
  local kept = {}
  for _, name in ipairs(KEPT) do
    if given(payload[name]) then kept[name] = payload[name] end
  end
  return next(kept) ~= nil and kept or nil
end

-- An answer to the call itself ends it, whatever it says: there is nothing at Modal to wait for or to look up. A function that
-- ran and failed is billed for its time.
local function ended_with(response)
  local result = error_result(response)
  if result.error.billed == nil then result.error.billed = true end
  return result
end

local function read_submit(payload, target, response, failure)
  local url = target.url
  local state = { kind = "call", since = response and response.headers.date, kept = kept_of(payload) }
  if not response then return error_result(nil, failure) end
  if response.status >= 400 then return ended_with(response) end
  if response.status >= 300 then
    -- Of a path only the host knows the whole address; Modal's redirects name it.
    return read_redirect(response, url or response.headers.location or "", state)
  end
  local call_id = spawned_call(response, target)
  if call_id then
    state.kind = "queue"
    state.result_url, state.is_guess = queue_result_url(payload, url, call_id)
    return { id = call_id, status = "queued", state = state, reason = "the app has accepted the call" }
  end
  if target.is_queue and not is_result(response) then
    return vendor_error("the app's answer has no call_id: its result cannot be asked for")
  end
  return done(response)
end

-- Whether a call goes on for longer than its result could be kept, by Modal's own clock.
local function is_too_old(state, response)
  local age = state.since and http_errors.seconds_between(state.since, response.headers.date)
  return age ~= nil and age > RESULT_SECONDS
end

local function expired()
  return { status = "error", error = {
    code = "expired", message = "the result is gone: Modal keeps it for seven days, if the call id was right",
  } }
end

-- A method that the app does not take for its result: the call is not meant, and may go on.
local IS_ABOUT_THE_QUESTION = { [405] = true, [406] = true, [415] = true, [501] = true }

local function question_refused(job, state, response)
  local reason = "status not known: the app refuses to be asked for the result (HTTP %d); the call may go on"
  reason = string.format(reason, response.status)
  return { id = job.id, status = "unknown", state = state, reason = reason, retry_after = GUESS_SECONDS }
end

-- Not the app's to say: the key is refused, the edge is busy.
local NOT_THE_APPS = { [401] = true, [403] = true, [408] = true, [425] = true, [429] = true }

-- Words of apps whose result route answers 200 also while the call runs, or when it failed.
local IS_FINISHED_NAME = names.words "finished done completed complete ready is_finished is_done is_ready"
local PENDING_WORDS = names.words [[ pending queued running processing in_progress in-progress starting started submitted accepted
  waiting working not_ready in_queue ]]
local FAILED_WORDS = names.words "failed failure error errored"
local OUTCOME_NAMES = { "result", "output", "outputs", "data" }

local function word_of(json, name)
  return type(json[name]) == "string" and string.lower(string.sub(json[name], 1, 32)) or nil
end

-- Whether an app's status route says that the call is not at its end; nil: it says nothing of it.
local function says_pending(json)
  if type(json) ~= "table" or cjson.is_array(json) then return nil end
  for name in pairs(IS_FINISHED_NAME) do
    if type(json[name]) == "boolean" then return not json[name] end
  end
  for _, name in ipairs(OUTCOME_NAMES) do
    if given(json[name]) then return nil end
  end
  return PENDING_WORDS[word_of(json, "status") or word_of(json, "state") or ""]
end

local function says_failed(json)
  if type(json) ~= "table" or cjson.is_array(json) then return false end
  if not FAILED_WORDS[word_of(json, "status") or word_of(json, "state") or ""] then return false end
  for _, name in ipairs(OUTCOME_NAMES) do
    if given(json[name]) then return false end
  end
  return true
end

-- A failure that the app tells of with a 200: the function's time is billed.
local function told_failure(response, id)
  local json = response.json
  local text = app_text(response) or (type(json.message) == "string" and json.message) or nil
  local detail = http_errors.safe_text(text)
  local message = "the app says that the call failed" .. (detail and ": " .. detail or "")
  return { id = id, status = "error", error = { code = "vendor", message = message, billed = true } }
end

-- What an address says that nobody gave proves nothing of the call.
local function not_known(job, url, state)
  state.status = "unknown"
  local reason = "status not known: where the call's result is asked for is not known. Nothing that knows it answers at " .. url
    .. "; give result_url in the job, with {call_id} in it"
  return { id = job.id, status = "unknown", state = state, reason = reason, retry_after = GUESS_SECONDS }
end

-- Whether an answer at a guessed address is one of the documentation's own apps: pending, or a result that is no page.
local function is_result_route(response)
  if response.status == 202 or response.status == 303 then return true end
  return is_success(response) and media_type(response) ~= "text/html" and not is_broken_json(response)
end

-- A result URL that is not ready: 202 of an app, 303 of Modal, or no answer to a request that waits for one.
local function read_poll(job, url, state, response, failure)
  local is_pending = response and (response.status == 202 or response.status == 303)
  if response and state.is_guess and not NOT_THE_APPS[response.status] and not is_result_route(response) then
    return not_known(job, url, state)
  end
  if state.kind == "queue" and is_success(response) and says_pending(response.json) then is_pending = true end
  if is_pending and is_too_old(state, response) then return expired() end
  if is_pending and response.status ~= 303 then return going_on(job.id, state) end
  -- A spawned call's result can be asked for again; the body of a web function comes once, so whatever it is, it is the result.
  if is_success(response) and state.kind == "queue" and is_broken_json(response) then
    return http_errors.not_learned(nil, BROKEN, { id = job.id, state = state })
  end
  if is_success(response) and state.kind == "queue" and says_failed(response.json) then return told_failure(response, job.id) end
  if is_success(response) then return done(response, job.id) end
  if response and response.status >= 300 and response.status < 400 then return read_redirect(response, url, state, job.id) end
  local is_platform = response and platform_text(response) ~= nil
  if response and response.status == 404 and not is_platform and state.kind == "queue" then return expired() end
  if response and IS_ABOUT_THE_QUESTION[response.status] then return question_refused(job, state, response) end
  -- A 500 is the function's own end; a spend limit is a 429 that waiting does not cure.
  if response and (response.status == 500 or is_platform and response.status == 429) then return error_result(response) end
  if response and response.status >= 400 and response.status < 500 and not NOT_THE_APPS[response.status] then
    local result = error_result(response) -- the call has ended with it
    result.id, result.error.billed = job.id, nil
    return result
  end
  return http_errors.unanswered(response, failure, { id = job.id, state = state }, error_options(response))
end

local function read_url(reader, name)
  local text = reader:text(name, AS_IT_IS)
  if text == nil then return end
  local parsed, problem = url_parts.parse(text)
  if not parsed or parsed.scheme ~= "https" then check.fail(name, problem or "must be a URL that begins with https://") end
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

-- What of a job is checked before anything is made of it.
local JOB = check.field_list {
  { name = "url", read = read_url },
  { name = "submit_url", read = read_url },
  { name = "result_url", read = read_url },
  { name = "cancel_url", read = read_url },
  { name = "path", read = read_path, options = { max = 2000 } },
  { name = "headers", read = read_headers },
  { name = "query", read = read_query },
  { name = "workspace", read = read_name },
  { name = "environment", read = read_name },
  { name = "app", read = read_name },
  { name = "function", read = read_name },
  { name = "session_id", read = read_name },
  { name = "gpu", read = read_name },
  { name = "method", read = read_method },
  { name = "auth", kind = "choice", values = AUTH_FORMS },
  { name = "seconds", read = read_duration },
  { name = "max_runtime_minutes", read = read_duration },
}

local function prepare(request)
  local reader = check.reader(request)
  reader:fields(JOB)
  local name = reader:text("function", IF_NOT_BLANK) or reader:text("app", IF_NOT_BLANK)
  return request, { ["function"] = name or "modal.function" }
end

-- "A100_80GB:2" is the price table's A100-80GB, twice.
local function gpu_of(text)
  local name, count = string.match(text, "^([%w%-_]+)!?:?(%d?%d?%d?)$")
  if not name then return nil end
  name = string.gsub(string.upper(name), "_", "-")
  if name == "A10" then name = "A10G" end
  local table_of = pricing.gpus[name] and pricing or pricing.older_gpus
  return pricing.gpus[name] or pricing.older_gpus[name], tonumber(count) or 1, table_of
end

local LEAST_SECONDS = 60 -- are billed

local function estimate(payload)
  if not given(payload.gpu) then return nil, "gpu: the GPU of the function, and seconds" end
  local rate, count, from = gpu_of(payload.gpu)
  if type(rate) ~= "number" then return nil, "a price for this gpu" end
  local reader = check.reader(payload)
  local minutes = reader:number("max_runtime_minutes")
  local seconds = reader:number("seconds") or (minutes and minutes * 60)
  if not seconds then return nil, "how long the function runs: seconds or max_runtime_minutes" end
  local billed = math.max(seconds, LEAST_SECONDS)
  local gpu_usd = rate * count * billed
  local cpu_usd = pricing.cpu_core * pricing.least_cpu_cores * billed
  return {
    expected = gpu_usd + cpu_usd, low = gpu_usd, high = (gpu_usd + cpu_usd) * pricing.multipliers.region_most,
    unit = "GPU second", quantity = seconds * count, source = from.source, as_of = from.as_of,
    basis = "GPU and the least CPU, high in a pinned region; memory, a container's start, non-preemptible machines are extra",
  }
end

-- Calling somebody's function would start a container and cost money. The list of models of the shared endpoints needs the
-- same proxy token and runs nothing.
local function health(ctx)
  local response, failure = ctx.request { path = "/models", auth = "bearer" }
  if not is_success(response) then return { ok = false, reason = error_result(response, failure).error.message } end
  return { ok = true, notes = { "the proxy token is accepted; whether a function is deployed shows only when it is called" } }
end

local KNOWN_FIELDS = names.union(JOB.by_name, names.set { "body", "input" })
KNOWN_FIELDS.gpu = nil -- known, and said to be left out

local function warn_of_left_out(payload, ctx)
  for _, name in ipairs(names.unknown(payload, KNOWN_FIELDS) or NONE) do
    if name == "gpu" and given(payload.gpu) then
      ctx.warn { field = "gpu", message = "the function's definition chooses its GPU: it is used for the estimate and not sent" }
    elseif given(payload[name]) then
      ctx.warn { field = name, message = "belongs to the function's definition, or into body, and was not sent" }
    end
  end
end

-- What is asked of the job later must be answered too: who pays for a result must get it.
local function warn_of_later_hosts(payload, ctx)
  if payload.auth == "none" then return end
  for _, field in ipairs { "result_url", "cancel_url" } do
    if given(payload[field]) then ctx.needs_host(with_call_id(payload[field], "call_id"), "job." .. field) end
  end
end

local function submit(payload, ctx)
  local target, problem = destination(payload)
  if not target then return nil, problem end
  local request
  request, problem = submit_request(payload, target)
  if not request then return nil, problem end
  warn_of_left_out(payload, ctx)
  warn_of_later_hosts(payload, ctx)
  local response, failure = ctx.request(request)
  return read_submit(payload, target, response, failure)
end

-- Where a job's result is, and the state to go on with; nil and a refusal when neither its state nor its payload tell.
local function result_of(job)
  local payload, state = job.payload or {}, check.copy(job.state or {})
  if state.result_url then return state.result_url, state end
  local problem = check_hosts(payload)
  if problem then return nil, problem end
  local target = destination(payload) or {}
  if given(job.id) and (given(payload.result_url) or given(payload.submit_url)) then
    state.kind = "queue"
    local url, is_guess = queue_result_url(payload, target.url or payload.result_url, job.id)
    state.is_guess = is_guess
    return url, state
  end
  if given(job.id) and string.sub(job.id, 1, 3) == "fc-" and target.url then
    state.kind = "call"
    local separator = string.find(target.url, "?", 1, true) and "&" or "?"
    return target.url .. separator .. CALL_ID_PARAMETER .. "=" .. url_parts.segment(job.id), state
  end
  return nil, refusal("job_id", "Modal finds a call by the URL of its result, and this job's is not known here")
end

-- Modal has no status: asking for the result waits for it, for up to 150 s.
local function poll(job, ctx)
  local url, state = result_of(job)
  if not url then return nil, state end
  local request = authorize({ url = url, timeout = REQUEST_SECONDS }, state.kept or job.payload or {})
  local response, failure = ctx.request(request)
  if response and not state.since then state.since = response.headers.date end
  return read_poll(job, url, state, response, failure)
end

local function cancel(job, ctx)
  local payload = job.state and job.state.kept or job.payload or {}
  if not given(payload.cancel_url) then
    return nil, refusal("cancel_url", "is needed in the job: only the app can cancel its calls, Modal has no HTTP API for it")
  end
  local problem = check_host("cancel_url", payload.cancel_url)
  if problem then return nil, problem end
  local response, failure = ctx.request(authorize({
    method = "POST", url = with_call_id(payload.cancel_url, job.id or ""), timeout = REQUEST_SECONDS,
  }, payload))
  if not is_success(response) then return http_errors.unanswered(response, failure, job, error_options(response)) end
  if type(response.json) == "table" and response.json.canceled == false then
    return { id = job.id, status = "running", state = job.state, reason = "the app did not cancel the call" }
  end
  local message = "the app canceled the call; the time that it ran is billed"
  return { id = job.id, status = "canceled", error = { code = "canceled", message = message } }
end

local PROXY_TOKEN_HINT = "create a proxy token in Modal's settings: API tokens (ak-, as-) do not work on Modal's HTTP surface; "
  .. "of one in a single line, wk-....ws-..., token_id is the half before the dot and token_secret the half after it"

return {
  id = "modal", name = "Modal", kind = "gpu",
  aliases = { "modal.com" }, feature_flag = "enable_public_gpu",
  docs_url = "https://modal.com/docs", pricing_url = "https://modal.com/pricing", last_checked = "2025-02-17",
  tags = {}, modes = {},
  reviews = {
    notes = "Any Python function becomes a GPU job; what plain HTTP can reach of it is up to its author.",
    sources = { "https://modal.com/pricing" },
  },
  credentials = {
    token_id = {
      env = { "MODAL_TOKEN_ID", "MODAL_PROXY_TOKEN_ID" }, secret = { "token_id", "proxy_token_id" }, pattern = "^wk-",
      hint = "it begins with wk-: " .. PROXY_TOKEN_HINT,
    },
    token_secret = {
      env = { "MODAL_TOKEN_SECRET", "MODAL_PROXY_TOKEN_SECRET" }, secret = { "token_secret", "proxy_token_secret" },
      pattern = "^ws-", hint = "it begins with ws-: " .. PROXY_TOKEN_HINT,
    },
  },
  base_url = "https://inference.us-west.modal.direct/v1",
  shared_hosts = MODAL_HOSTS, -- anybody can have an app below them
  outputs = "any", -- the app's own store
  auth = { ["Modal-Key"] = "{token_id}", ["Modal-Secret"] = "{token_secret}" },
  auth_forms = { bearer = { ["Authorization"] = "Bearer {token_id}.{token_secret}" } },
  capabilities = capabilities, pricing = pricing,
  prepare = prepare, estimate = estimate, health = health, submit = submit, poll = poll, cancel = cancel,
}
