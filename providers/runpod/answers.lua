-- answers.lua - what RunPod's answers mean: job objects, batches, and its many shapes of errors.
--
-- Each reader takes (response, failure, target), as ctx.request returned the first two; `target` is what the script knows:
-- { endpoint_id, is_public, is_sync, stream, finalize, pod_id, action, usd_per_second, seen }. Nothing here sends a request.

local cjson = require "cjson"
local check = require "check"
local data_uri = require "data_uri"
local http_errors = require "http_errors"
local outputs = require "outputs"
local url_parts = require "url_parts"

local answers = {}

-- The result of /runsync is kept for one minute only; that of /run for thirty.
local SYNC_POLL_SECONDS = 2

-- Words that give a text away; such a text is never shown when it is about money.
local TEXT_CODES = {
  { "credit", { "balance", "insufficient fund", "not enough credit", "spend limit", "spending limit", "payment" } },
  { "moderation", { "nsfw", "content policy", "moderation" } },
}

local CAPACITY_WORDS = { "capacity", "instances", "not available", "unavailable" }

--- A number, or nil.
function answers.number(value)
  return type(value) == "number" and value or nil
end
local number = answers.number

local function text_of(object, name)
  return type(object[name]) == "string" and object[name] or nil
end

local function has_word(text, words)
  for _, word in ipairs(words) do
    if string.find(text, word, 1, true) then return true end
  end
  return false
end

-- The error code that a text gives away, or nil.
local function code_of_text(text)
  if type(text) ~= "string" then return nil end
  local lower = string.lower(string.sub(text, 1, 1000))
  for _, entry in ipairs(TEXT_CODES) do
    if has_word(lower, entry[2]) then return entry[1] end
  end
  return nil
end

-- The text of an error body: {"error"}, {"code","detail"}, problem+json with its list of errors, plain text, or nothing.
local function error_text(response)
  local json = response.json
  if type(json) ~= "table" then
    local body = response.body or ""
    return string.sub(body, 1, 1) ~= "<" and body or nil
  end
  local text = text_of(json, "detail") or text_of(json, "error") or text_of(json, "message") or text_of(json, "title")
  local first = type(json.errors) == "table" and json.errors[1]
  if type(first) == "table" then first = text_of(first, "message") or text_of(first, "detail") end
  return text and type(first) == "string" and text .. ": " .. first or text
end

--- What the body of an error says, as options for http_errors.
function answers.error_options(response)
  local text = error_text(response)
  local vendor_code = type(response.json) == "table" and response.json.code or nil
  local code = code_of_text(text)
  if vendor_code == "ENDPOINT_PAUSED" then code = "unavailable" end
  -- RunPod says "no capacity" with a 400 whose text alone tells it from a bad body.
  if response.status == 400 and not code and text and has_word(string.lower(text), CAPACITY_WORDS) then code = "unavailable" end
  return { code = code, detail = text, vendor_code = vendor_code }
end

--- The result of a call that failed.
function answers.error_result(response, failure)
  return http_errors.result(response, failure, response and answers.error_options(response))
end

--- Whether a response says that all went well.
function answers.is_success(response)
  return response ~= nil and response.status >= 200 and response.status < 300
end

-- A worker stays up, and is billed, this long after a job unless its endpoint is set otherwise.
answers.IDLE_SECONDS = 5

-- The seconds that a job ran, or nil when RunPod does not say so.
local function run_seconds(job)
  local milliseconds = number(job.executionTime)
  return milliseconds and milliseconds > 0 and milliseconds / 1000 or nil
end

-- What the time that a job ran costs, at the price of its submit: a worker is billed until it has stopped.
local function worker_cost(job, target)
  local seconds, rate = run_seconds(job), number(target.usd_per_second)
  if target.is_public or not seconds or not rate then return nil end
  return { usd = (seconds + answers.IDLE_SECONDS) * rate, source = "computed" }
end

-- Whether a job that was stopped is billed: waiting in the queue is not, and RunPod's own models cost nothing when they fail.
-- nil: it was seen at work, or never seen, and how long it ran is not said.
local function is_stopped_billed(job, target)
  if target.is_public then return false end
  if run_seconds(job) then return true end
  if target.seen == "queued" then return false end
  return nil
end

-- The error of a failed job: plain text when the handler returned it, a JSON text when the handler raised it. The trace back in
-- the latter stays here.
local function worker_error(job, is_public)
  local text, vendor_code = job.error, nil
  if type(text) == "string" and string.sub(text, 1, 1) == "{" then
    local ok, decoded = pcall(cjson.decode, text)
    if ok and type(decoded) == "table" then text = decoded end
  end
  if type(text) == "table" then
    local kind = text.error_type
    vendor_code = type(kind) == "string" and (string.match(string.sub(kind, 1, 200), "'([%w_.]+)'") or kind) or nil
    text = check.is_given(text.error_message) and text.error_message or text.message
  end
  local code = code_of_text(text) or "vendor"
  local message = code ~= "credit" and http_errors.safe_text(text) or "the worker failed"
  -- RunPod's own models cost nothing when they fail; one's own worker is billed for its time.
  local billed
  if is_public then billed = false elseif run_seconds(job) then billed = true end
  return { code = code, message = message, vendor_code = http_errors.safe_text(vendor_code), billed = billed }
end

-- What RunPod's own models report beside their file: the cost of the call. The same word from anybody's worker means nothing.
local function public_cost(output, is_public)
  if type(output) ~= "table" or type(output.cost) ~= "number" or output.cost < 0 then return nil end
  for _, name in ipairs { "image_url", "video_url", "audio_url" } do
    local url = url_parts.parse(output[name])
    is_public = is_public or (url ~= nil and url_parts.host_matches(url.host, "*.runpod.ai"))
  end
  return is_public and { usd = output.cost, source = "vendor" } or nil
end

-- What a running worker says about its progress: a share, an object with one, or a text.
local function progress_of(output)
  local share = type(output) == "table" and output.progress or output
  if type(share) == "number" and share >= 0 and share <= 1 then return share end
  return nil
end

-- Texts in pieces, as workers yield them; nil for anything else.
local function joined(list)
  if type(list) ~= "table" or #list == 0 then return nil end
  local is_file = true
  for _, piece in ipairs(list) do
    if type(piece) ~= "string" then return nil end
    is_file = is_file and (data_uri.is(piece) or outputs.is_url(piece) or outputs.base64_content_type(piece) ~= nil)
  end
  return not is_file and table.concat(list) or nil
end

--- The artifacts of an output. A list of texts is one text in pieces, unless each is a file.
function answers.artifacts(output, options)
  local text = joined(output)
  if text then return { outputs.text(text) } end
  return outputs.artifacts(output, options)
end

local function completed(job, target)
  local cost = public_cost(job.output, target.is_public)
  local result = { status = "done", progress = 1, cost = cost or worker_cost(job, target) }
  result.artifacts = answers.artifacts(job.output, cost and { ignore = { cost = true } })
  if #result.artifacts == 0 then result.reason = "completed without an output: the worker could not return one" end
  return result
end

local function running(job)
  return { status = "running", progress = progress_of(job.output), reason = http_errors.safe_text(job.output) }
end

--- What to say of a status that the documentation does not have: the job is asked for again.
function answers.said(status)
  return http_errors.safe_text("RunPod says " .. tostring(status))
end

local JOB_STATUS = {
  IN_QUEUE = function() return { status = "queued", reason = "waiting for a worker (busy, or a cold start)" } end,
  IN_PROGRESS = running,
  RUNNING = running,
  COMPLETED = completed,
  FAILED = function(job, target)
    return { status = "error", error = worker_error(job, target.is_public), cost = worker_cost(job, target) }
  end,
  TIMED_OUT = function(job, target)
    local failure = worker_error(job, target.is_public)
    failure.billed = is_stopped_billed(job, target)
    failure.code, failure.message = "timeout", "the job ran out of time, in the queue or at work: " .. failure.message
    return { status = "error", error = failure, cost = worker_cost(job, target) }
  end,
  CANCELLED = function(job, target)
    local problem = { code = "canceled", message = "the job was canceled", billed = is_stopped_billed(job, target) }
    return { status = "canceled", error = problem, cost = worker_cost(job, target) }
  end,
}

--- The result of a job object, as /run, /status and the webhook carry it.
function answers.job_result(job, target)
  local read = JOB_STATUS[job.status]
  local result = read and read(job, target) or { status = "running", reason = answers.said(job.status) }
  result.id = job.id
  result.state = {
    kind = "job", endpoint_id = target.endpoint_id, status = result.status, stream = target.stream, is_sync = target.is_sync,
    is_public = target.is_public or nil,
    usd_per_second = target.usd_per_second, seen = (target.seen == "running" or result.status == "running") and "running" or nil,
  }
  if target.is_sync and (result.status == "queued" or result.status == "running") then result.retry_after = SYNC_POLL_SECONDS end
  return result
end

--- Whether a JSON value is a job, a batch or a pod: they all have an id and a status.
function answers.is_job(json)
  return type(json) == "table" and type(json.status) == "string" and type(json.id) == "string"
end

--- The result of an answer that is a success by its status and nothing that is known by its body.
function answers.unreadable(response)
  return { status = "error", error = {
    code = "vendor", message = string.format("RunPod's answer (HTTP %d) is not what its API describes", response.status),
  } }
end

--- Reads the answer to /run and /runsync.
function answers.job(response, failure, target)
  if not response then return answers.error_result(nil, failure) end
  if answers.is_job(response.json) then
    local result = answers.job_result(response.json, target)
    -- Public endpoints refuse bad input with a failed job inside a 400.
    if result.error and response.status == 400 then result.error.code, result.error.billed = "invalid", false end
    return result
  end
  return answers.is_success(response) and answers.unreadable(response) or answers.error_result(response)
end

local function count(value)
  return math.max(0, number(value) or 0)
end

-- A batch has no status for "completed": it is when all of its requests ended.
local function batch_result(batch, target)
  local total, failed = count(batch.requestTotal), count(batch.requestFailed)
  local ended = count(batch.requestCompleted) + failed
  local result = {
    id = batch.id, state = { kind = "batch", endpoint_id = target.endpoint_id, finalize = target.finalize },
    status = "running", progress = total > 0 and math.min(1, ended / total) or nil,
  }
  if batch.status == "DRAFT" then
    result.status, result.reason = "queued", "the batch is a draft: it starts when it is finalized"
  elseif batch.status == "CANCELLED" then
    result.status = "canceled"
  elseif batch.status == "FAILED" then
    result.status, result.error = "error", worker_error(batch, false)
  elseif batch.status == "FINALIZED" and total > 0 and ended >= total then
    result.status = "done"
    result.reason = failed > 0 and string.format("%d of %d requests failed", failed, total) or nil
    result.artifacts = { { json = batch, content_type = "application/json" } }
  end
  result.state.status = result.status
  return result
end

--- A batch object as a result.
answers.batch_result = batch_result

--- Reads the answer to a call that makes or starts a batch.
function answers.batch(response, failure, target)
  if not answers.is_success(response) then return answers.error_result(response, failure) end
  return answers.is_job(response.json) and batch_result(response.json, target) or answers.unreadable(response)
end

--- A pod without its environment, where owners put their secrets.
function answers.without_env(value)
  if type(value) ~= "table" or value.env == nil then return value end
  local copy = check.copy(value)
  copy.env = nil
  return copy
end

-- The type that an answer says it has, without parameters.
local function media_type(response)
  local header = string.sub(response.headers and response.headers["content-type"] or "", 1, 200)
  local kind = string.lower(string.match(header, "^%s*([^;%s]*)") or "")
  return kind ~= "" and kind or nil
end

--- A call to a worker's own HTTP server, which is over with its answer, whatever it says: there is no job to ask for.
function answers.direct(response, failure, target)
  if not response then return answers.error_result(nil, failure) end
  if not answers.is_success(response) then
    local result = answers.error_result(response)
    if result.error.billed == nil then result.error.billed = true end -- the worker's time, not its success
    return result
  end
  if response.json ~= nil or response.body == nil or response.body == "" then return answers.value(response, failure, target) end
  local kind = media_type(response) or "text/plain"
  return { status = "done", artifacts = { outputs.body(response, kind) } }
end

--- A call that is over with its answer.
function answers.value(response, failure, target)
  if not answers.is_success(response) then return answers.error_result(response, failure) end
  local json = response.json
  local id = type(json) == "table" and type(json.id) == "string" and json.id or target.pod_id
  local result = { status = "done", artifacts = {}, id = id }
  if json ~= nil then
    result.artifacts[1] = { json = answers.without_env(json), content_type = "application/json" }
  elseif response.body ~= nil and response.body ~= "" then
    result.artifacts = { outputs.body(response, "text/plain") }
  end
  return result
end

return answers
