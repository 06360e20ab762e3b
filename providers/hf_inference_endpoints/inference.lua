-- inference.lua - one inference of an endpoint: its request, and what an engine's answer holds.

local answers = require "hf_inference_endpoints.answers"
local base64 = require "base64"
local chat_stream = require "chat_stream"
local data_uri = require "data_uri"
local addresses = require "hf_inference_endpoints.addresses"
local jobs = require "hf_inference_endpoints.jobs"
local states = require "hf_inference_endpoints.states"
local http_errors = require "http_errors"
local outputs = require "outputs"
local url_parts = require "url_parts"

local inference = {}

local refusal = jobs.refusal

local DEFAULT_TIMEOUT_SECONDS = 300
-- Until a request that met a sleeping endpoint is sent again; until a starting endpoint is asked for again.
local WAIT_SECONDS, STATE_SECONDS = 10, 5
-- Stands for the URL of an endpoint that a dry run knows by name only.
local URL_IN_PREVIEW = "https://to-be-looked-up.endpoints.huggingface.cloud"

-- Where an engine of the OpenAI kind takes this body; the Inference Toolkit takes everything at the root.
local function default_path(body)
  if type(body) ~= "table" then return "/" end
  if body.messages ~= nil then return "/v1/chat/completions" end
  if body.prompt ~= nil and body.inputs == nil then return "/v1/completions" end
  if body.input ~= nil and body.inputs == nil then return "/v1/embeddings" end
  return "/"
end

-- The address of an endpoint, and of its OpenAI API as that API's clients write it, are the same place.
local function inference_url(parts, path, body)
  local query = parts.query and ("?" .. parts.query) or ""
  local base = parts.path == "/" and "" or string.gsub(parts.path, "/+$", "")
  if path then
    if string.sub(base, -3) == "/v1" and string.sub(path, 1, 4) == "/v1/" then base = string.sub(base, 1, -4) end
    return parts.origin .. base .. path .. query
  end
  if base == "" or base == "/v1" then return parts.origin .. default_path(body) .. query end
  return parts.origin .. parts.path .. query
end

local function path_refusal(path)
  if #path <= jobs.MAX_NAME_BYTES and string.find(path, "^/") and not string.find(path, "[%s%c#?]")
    and not string.find(path, "..", 1, true) then
    return nil
  end
  return refusal("path", "must be a path like /v1/chat/completions")
end

local function input_refusal(job, fields)
  if not (job.body or job.data or fields) then
    return refusal("inputs", "give what the endpoint is to work on: `inputs`, `body` or `data`; or an `action`",
      jobs.ACTION_NAMES)
  elseif job.data and (job.body or fields) then
    return refusal("data", "is the whole request: it cannot have other inputs beside it")
  elseif job.body and fields then
    return refusal("body", "is the whole request: put all fields of the engine into it")
  end
  return nil
end

local function data_refusal(data)
  local parsed, problem = data_uri.parse(data)
  if parsed and parsed.base64 then return nil end
  return refusal("data", problem or "must be a data URI in base64")
end

-- What cannot be sent, and the URL of the job taken apart. `fields`: those of the job that are not ours.
local function find_refusals(job, fields)
  local found, parts = {}, nil
  if job.url then
    local problem
    parts, problem = addresses.check_endpoint_url(job.url)
    if not parts then found[1] = refusal(job.url == job.endpoint and "endpoint" or "url", problem) end
  elseif not job.name then
    found[1] = refusal("endpoint", "name the endpoint: `url`, or `endpoint` with its `namespace`")
  end
  if job.path then found[#found + 1] = path_refusal(job.path) end
  found[#found + 1] = input_refusal(job, fields)
  if job.data then found[#found + 1] = data_refusal(job.data) end
  return found, parts
end

-- The request to an endpoint whose URL is taken apart, or nil and a refusal. `fields`: those of the job that are not ours.
local function make_request(job, fields, parts)
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
    if not request.body then return nil, refusal("data", "is not valid base64") end
    headers["Content-Type"] = parsed.content_type
  else
    request.json = job.body or fields
  end
  request.url = inference_url(parts, job.path, request.json)
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
    if type(text) == "string" and text ~= "" then texts[#texts + 1] = text end
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
  for _, text in ipairs(texts_of(json)) do artifacts[#artifacts + 1] = outputs.text(text) end
  if #artifacts > 0 and is_single_value(json) then return artifacts end
  for _, artifact in ipairs(outputs.artifacts(json)) do artifacts[#artifacts + 1] = artifact end
  return artifacts
end

-- What a stream adds up to, as without a stream; what is no part of an answer is kept as it came. Second the error that ended
-- it.
local function stream_artifacts(body)
  local answer, has_other, problem = chat_stream.read(body)
  local artifacts = answer and json_artifacts(answer) or {}
  if not answer or has_other then artifacts[#artifacts + 1] = outputs.text(body, "text/event-stream") end
  if problem == nil then return artifacts end
  return artifacts, http_errors.safe_text(type(problem) == "table" and problem.message or problem) or "without a reason"
end

-- What is not JSON is the artifact itself.
local function bytes_artifact(response, content_type)
  local artifact = outputs.bytes(response, content_type)
  artifact.filename = "output." .. data_uri.extension(content_type)
  return artifact
end

local function artifacts_of(response)
  local content_type = string.match(string.sub(response.headers["content-type"] or "", 1, 255), "^%s*([^;%s]*)")
  content_type = string.lower(content_type)
  if content_type == "text/event-stream" and not response.cut then return stream_artifacts(response.body) end
  if response.json ~= nil and (content_type == "" or string.find(content_type, "json", 1, true)) then
    return json_artifacts(response.json)
  end
  if string.sub(content_type, 1, 5) == "text/" then return { outputs.body(response, content_type) } end
  if response.body == "" then return {} end
  return { bytes_artifact(response, content_type ~= "" and content_type or "application/octet-stream") }
end

-- A name for a job that has none at the vendor.
local function inference_id(state, response)
  if state.name then return state.namespace .. "/" .. state.name end
  local request_id = response and response.headers["x-request-id"]
  if request_id and request_id ~= "" then return string.sub(request_id, 1, jobs.MAX_NAME_BYTES) end
  return url_parts.parse(state.url).host
end

-- The endpoint has taken nothing: the host submits again. How often, its deadline for the job says.
local function not_yet(id, state, reason, seconds, is_named)
  state.status = "queued"
  return {
    id = id, status = "queued", resubmit = true, reason = reason, retry_after = seconds or WAIT_SECONDS, retry_named = is_named,
    state = state,
  }
end

-- There is no job at the vendor, so an answer is the end of it, and what is billed is the endpoint's time, not the request.
local function read_inference(response, failure, id, state)
  if response and response.status == 503 then
    local reason = "the endpoint is starting up or its queue is full"
    if answers.problem_of(response).code == "SERVICE_UNAVAILABLE" then reason = "cold start: the endpoint is starting up" end
    local named = http_errors.retry_after(response)
    return not_yet(id, state, reason, named or answers.loading_seconds(response), named ~= nil)
  end
  if not answers.is_success(response) then
    local result = answers.failed(response, failure)
    if response then result.error.billed = false end
    return result
  end
  local artifacts, broken = artifacts_of(response)
  if broken then
    local problem = { code = "vendor", message = "the stream ended with an error: " .. broken }
    return { id = id, status = "error", error = problem, artifacts = artifacts }
  end
  return { id = id, status = "done", artifacts = artifacts }
end

local WAITS = {
  pending = "the endpoint waits to be scheduled", initializing = "cold start: the endpoint is starting up",
  updating = "the endpoint is being updated",
}

-- Why an endpoint cannot be asked at present, as a result; nil when it can. One that is scaled to zero is woken by the request.
local function not_ready(endpoint, url, state)
  local name = states.name_of(endpoint)
  if (name == "running" or name == "scaledToZero" or name == "updating" or name == "updateFailed") and url then return nil end
  local broken = states.problem_of(name, endpoint)
  if broken then
    broken.billed = false
    return { status = "error", error = broken }
  end
  local reason = WAITS[name] or (name == "running" or name == "scaledToZero") and "the endpoint has no URL yet"
    or "the endpoint's state is not known here"
  return not_yet(inference_id(state), state, reason, STATE_SECONDS)
end

-- The state of an endpoint that is known by name only, with its URL; or nil and the result that ends the submit.
local function locate(job, ctx)
  local namespace, failed = addresses.find_namespace(job, ctx)
  if not namespace then return nil, failed end
  ctx.note "the URL of the endpoint is looked up first"
  local response, failure = ctx.request {
    path = addresses.endpoint_path(namespace, job.name),
    mock = { status = 200, headers = {}, json = { status = { state = "running", url = URL_IN_PREVIEW } } },
  }
  if not answers.is_success(response) then return nil, answers.not_accepted(response, failure) end
  local state = { job = "inference", namespace = namespace, name = job.name }
  state.url = states.url_of(response.json)
  local result = not_ready(response.json, state.url, state)
  if result then return nil, result end
  return state
end

--- Sends the job to its endpoint and reads the answer.
function inference.submit(job, payload, ctx)
  local fields = jobs.other_fields(payload)
  local refusals, parts = find_refusals(job, fields)
  if refusals[1] then return nil, refusals end
  local state = { job = "inference", url = job.url }
  if not job.url then
    local found, ended = locate(job, ctx)
    if not found then return ended end
    state, parts = found, addresses.check_endpoint_url(found.url)
  end
  local request, problem = make_request(job, fields, parts)
  if not request then return nil, problem end
  local response, failure = ctx.request(request)
  return read_inference(response, failure, inference_id(state, response), state)
end

return inference
