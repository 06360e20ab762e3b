-- http_errors.lua - what an HTTP answer that is not a success, or no answer at all, means for a job.
--
-- The mapping is the one that HTTP itself gives; a vendor that says it differently passes what it knows in `options`.
-- The texts are our own: a vendor's text goes to the user only through safe_text, and never for `credit` and a 401, where vendors
-- name balances and keys.

local times = require "times"

local http_errors = {}

local CODES = {
  [400] = "invalid", [401] = "auth", [402] = "credit", [403] = "auth", [404] = "not_found", [408] = "timeout",
  [410] = "expired", [429] = "rate_limited", [451] = "moderation",
  [500] = "vendor", [502] = "unavailable", [503] = "unavailable", [504] = "timeout",
}

local MESSAGES = {
  auth = "the vendor refused the credential",
  credit = "the vendor account has not enough credit",
  moderation = "the vendor's content policy refused the request",
  rate_limited = "the vendor limits the rate of requests",
  invalid = "the vendor refused the request as invalid",
  not_found = "the vendor does not know this",
  expired = "the vendor no longer keeps this",
  timeout = "the vendor did not answer in time",
  unavailable = "the vendor is not available at the moment",
  canceled = "the job was canceled",
  vendor = "the vendor failed",
}

-- A failure of these kinds ends before a request could leave the machine.
local NEVER_SENT = { resolve = true, connect = true, tls = true, blocked = true, held = true }

local MAX_TEXT_BYTES = 300

-- A key is not replaced within seconds.
local KEYLESS_SECONDS = 60

--- The error code of an HTTP status.
function http_errors.code(status)
  if CODES[status] then return CODES[status] end
  return (status >= 400 and status < 500) and "invalid" or "vendor"
end

--- A vendor's text made fit for the user: one line of at most 300 bytes; nil for anything but text, and for a traceback.
function http_errors.safe_text(text)
  if type(text) ~= "string" then return nil end
  text = string.sub(text, 1, 4 * MAX_TEXT_BYTES)
  if string.find(text, "Traceback", 1, true) or string.find(text, "\n  File \"", 1, true) then return nil end
  text = string.gsub(text, "[%c%s]+", " ")
  -- Not in the middle of a character.
  if #text > MAX_TEXT_BYTES then text = string.sub(text, 1, utf8.offset(text, 0, MAX_TEXT_BYTES + 1) - 1) end
  if not utf8.len(text) then return nil end
  text = string.match(text, "^ ?(.-) ?$")
  return text ~= "" and text or nil
end

local KEY_WORDS = { "authenticat", "credential", "api key", "api_key", "apikey" }

-- Of a key that is not taken the status says all; a 403 may have many reasons, and only the vendor's text tells them apart.
local function is_about_the_key(text)
  text = string.lower(text or "")
  for _, word in ipairs(KEY_WORDS) do
    if string.find(text, word, 1, true) then return true end
  end
  return false
end

local function message_of(code, status, detail, own)
  local message = own or MESSAGES[code] or MESSAGES.vendor
  if status then message = string.format("%s (HTTP %d)", message, status) end
  detail = http_errors.safe_text(detail)
  if (code == "credit" or code == "auth" and (status ~= 403 or is_about_the_key(detail))) and not own then return message end
  return detail and (message .. ": " .. detail) or message
end

-- A refusal costs nothing; of a time-out or a failure inside the vendor nobody can tell.
local function billed_of(status)
  if status >= 400 and status < 500 and status ~= 408 then return false end
  return nil
end

--- The `error` of a result, for a response that is not a success. Options: `code` (when the vendor's body says more than the
-- status), `vendor_code`, `detail` (the vendor's text), `message` (what is said before it in place of
-- our own words for the code; the vendor's text then follows whatever the code is), `billed` (true or false, when known better).
function http_errors.error(response, options)
  options = options or {}
  local code = options.code or http_errors.code(response.status)
  local billed = options.billed
  if billed == nil then billed = billed_of(response.status) end
  return {
    code = code, message = message_of(code, response.status, options.detail, options.message),
    vendor_code = http_errors.safe_text(options.vendor_code), billed = billed,
  }
end

--- The `error` of a result, for a request that got no answer (the second value of ctx.request).
function http_errors.failure(failure)
  local code = failure.kind == "timeout" and "timeout" or "unavailable"
  local billed
  if NEVER_SENT[failure.kind] then billed = false end
  return { code = code, message = message_of(code, nil, failure.message), vendor_code = failure.kind, billed = billed }
end

--- Whether asking again later may help: no answer, 408, 425, 429 or a 5xx other than 501 and 505.
function http_errors.is_transient(response)
  if not response then return true end
  local status = response.status
  if status == 408 or status == 425 or status == 429 then return true end
  return status >= 500 and status ~= 501 and status ~= 505
end

--- The seconds from one HTTP date to another, or nil if one of them is not a date. A script without a clock measures with the
-- Date headers of two responses.
function http_errors.seconds_between(earlier, later)
  local from, to = times.of_http(earlier), times.of_http(later)
  return from and to and to - from
end

--- The seconds that a response asks to wait, rounded up, or nil. Scripts have no clock: a date is measured against the
-- response's own Date header.
function http_errors.retry_after(response)
  local text = response and response.headers and response.headers["retry-after"]
  if not text then return nil end
  local seconds = tonumber(text)
  if not seconds then
    local at, now = times.of_http(text), times.of_http(response.headers.date)
    seconds = at and now and at - now
  end
  if not seconds or seconds ~= seconds or seconds >= 2 ^ 31 then return nil end
  return math.max(0, math.ceil(seconds))
end

--- The result of a call that failed: `response, failure` as ctx.request returned them. Options as for http_errors.error, and
-- `retry_after`: the seconds to wait when the response's head does not say (used for transient failures only); `retry_named`: the
-- vendor says so elsewhere. What nobody named grows from try to try.
function http_errors.result(response, failure, options)
  local wait = http_errors.retry_after(response)
  local is_named = wait ~= nil
  if not wait and options and http_errors.is_transient(response) then
    wait, is_named = options.retry_after, options.retry_named == true
  end
  return {
    status = "error", retry_after = wait, retry_named = wait and is_named or nil,
    error = response and http_errors.error(response, options) or http_errors.failure(failure),
  }
end

-- How long to wait before a step is tried again that prepares a submit.
local STEP_SECONDS = 10

--- The result of a submit whose first steps (a look-up, an upload) failed: the vendor has not accepted anything yet, so the host
-- submits again when that may help. Options as for http_errors.result.
function http_errors.not_accepted(response, failure, options)
  local result = http_errors.result(response, failure, options)
  if not http_errors.is_transient(response) then
    result.error.billed = false
    return result
  end
  return {
    status = "queued", resubmit = true, reason = "not accepted yet: " .. result.error.message,
    retry_after = result.retry_after or STEP_SECONDS, retry_named = result.retry_named,
  }
end

--- The result of a submit whose answer is a success that cannot be read: the vendor may have the job.
function http_errors.unreadable(message)
  return { status = "error", error = { code = "vendor", message = message } }
end

--- The result of a poll that learned nothing (is_transient): the job goes on as it is, and is asked for again later.
-- Options: `status` (default running), `retry_after`, and the job's `id` and `state` to keep.
function http_errors.not_learned(response, failure, options)
  options = options or {}
  local problem = response and http_errors.error(response) or http_errors.failure(failure)
  return {
    id = options.id, status = options.status or "running", state = options.state,
    reason = "status not known: " .. problem.message, retry_after = http_errors.retry_after(response) or options.retry_after,
  }
end

--- Whether the vendor does not know what it was asked about, or keeps it no more.
function http_errors.is_gone(response)
  return response ~= nil and (response.status == 404 or response.status == 410)
end

--- Whether a result says no more of a job than that the vendor does not know it.
function http_errors.is_gone_result(result)
  local code = type(result.error) == "table" and result.error.code
  return code == "not_found" or code == "expired"
end

--- The result of a question about a running job (poll, cancel) that was refused or got no answer. It says nothing about the job,
-- which may run and cost: only one that the vendor does not know, or keeps no more, has ended. What it cost is not known then.
-- Options: as for http_errors.error, and `retry_after`. `job` is what poll got; state.status, if the script keeps it there, is
-- what is reported meanwhile.
function http_errors.unanswered(response, failure, job, options)
  options = options or {}
  local state = job.state or {}
  local keyless = response ~= nil and (response.status == 401 or response.status == 403)
  if not http_errors.is_gone(response) then
    return http_errors.not_learned(response, failure, {
      id = job.id, state = state, status = state.status, retry_after = keyless and KEYLESS_SECONDS or options.retry_after,
    })
  end
  local result = http_errors.result(response, failure, options)
  result.id, result.error.billed = job.id, nil
  return result
end

return http_errors
