-- answers.lua - what an answer of an app means for its job.

local check = require "check"
local http_errors = require "http_errors"
local addresses = require "modal.addresses"
local errors = require "modal.errors"
local results = require "modal.results"
local words = require "modal.words"

local answers = {}

local given = check.is_given
local NONE = {}

-- A result is kept for seven days after its end. An app that does not catch its expiry answers 202 for ever.
local RESULT_SECONDS = 7 * 24 * 3600

-- Between two questions that will hardly be answered better than the last one.
local GUESS_SECONDS = 30

local KEPT = { "headers", "session_id", "auth", "cancel_url" }
local BROKEN = { kind = "malformed", message = "the app's answer is not the JSON that it says" }

-- A call that is not over. Modal does not tell waiting for a container from work.
local function going_on(id, state)
  return { id = id, status = "running", state = state, reason = "starting or at work: Modal does not tell which" }
end

local vendor_error = http_errors.unreadable

local function read_redirect(response, url, state, id)
  local target = addresses.redirect_target(response, url)
  if not target then return vendor_error("the answer redirects to where the credentials must not go, or to nowhere") end
  if response.status ~= 303 then
    local moved = vendor_error("the address has moved: give the one that it redirects to (often only the end's slash differs)")
    moved.error.billed = false -- no function ran
    return moved
  end
  state.result_url = target
  return going_on(addresses.call_id_of(target) or id, state)
end

-- What apps call the id of a call; FastAPI's examples have the first.
local CALL_ID_NAMES = { "call_id", "function_call_id", "job_id", "task_id", "id" }

-- The id of a spawned call in an answer. A plain web function may use the words for something else: Modal's own begin with fc-.
local function spawned_call(response, target)
  local json = type(response.json) == "table" and response.json or NONE
  for _, name in ipairs(CALL_ID_NAMES) do
    if addresses.is_call_id(json[name]) and string.sub(json[name], 1, 3) == "fc-" then return json[name] end
  end
  for _, name in ipairs(target.is_queue and CALL_ID_NAMES or NONE) do
    if addresses.is_call_id(json[name]) then return json[name] end
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
  local result = errors.result(response)
  if result.error.billed == nil then result.error.billed = true end
  return result
end

--- The result of a submit.
function answers.of_submit(payload, target, response, failure)
  local url = target.url
  local state = { kind = "call", since = response and response.headers.date, kept = kept_of(payload) }
  if not response then return errors.result(nil, failure) end
  if response.status >= 400 then return ended_with(response) end
  if response.status >= 300 then
    -- Of a path only the host knows the whole address; Modal's redirects name it.
    return read_redirect(response, url or response.headers.location or "", state)
  end
  local call_id = spawned_call(response, target)
  if call_id then
    state.kind = "queue"
    state.result_url, state.is_guess = addresses.of_result(payload, url, call_id)
    return { id = call_id, status = "queued", state = state, reason = "the app has accepted the call" }
  end
  if target.is_queue and not results.is_result(response) then
    return vendor_error("the app's answer has no call_id: its result cannot be asked for")
  end
  return results.done(response)
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

-- A failure that the app tells of with a 200: the function's time is billed.
local function told_failure(response, id)
  local json = response.json
  local text = errors.app_text(response) or (type(json.message) == "string" and json.message) or nil
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
  return results.is_success(response) and results.media_type(response) ~= "text/html" and not results.is_broken_json(response)
end

--- The result of a poll. A result that is not ready: 202 of an app, 303 of Modal, or no answer to a request that waits for it.
function answers.of_poll(job, url, state, response, failure)
  local is_pending = response and (response.status == 202 or response.status == 303)
  if response and state.is_guess and not NOT_THE_APPS[response.status] and not is_result_route(response) then
    return not_known(job, url, state)
  end
  if state.kind == "queue" and results.is_success(response) and words.is_pending(response.json) then is_pending = true end
  if is_pending and is_too_old(state, response) then return expired() end
  if is_pending and response.status ~= 303 then return going_on(job.id, state) end
  -- A spawned call's result can be asked for again; the body of a web function comes once, so whatever it is, it is the result.
  if results.is_success(response) and state.kind == "queue" and results.is_broken_json(response) then
    return http_errors.not_learned(nil, BROKEN, { id = job.id, state = state })
  end
  if results.is_success(response) and state.kind == "queue" and words.is_failed(response.json) then
    return told_failure(response, job.id)
  end
  if results.is_success(response) then return results.done(response, job.id) end
  if response and response.status >= 300 and response.status < 400 then return read_redirect(response, url, state, job.id) end
  local is_platform = response and errors.platform_text(response) ~= nil
  if response and response.status == 404 and not is_platform and state.kind == "queue" then return expired() end
  if response and IS_ABOUT_THE_QUESTION[response.status] then return question_refused(job, state, response) end
  -- A 500 is the function's own end; a spend limit is a 429 that waiting does not cure.
  if response and (response.status == 500 or is_platform and response.status == 429) then return errors.result(response) end
  if response and response.status >= 400 and response.status < 500 and not NOT_THE_APPS[response.status] then
    local result = errors.result(response) -- the call has ended with it
    result.id, result.error.billed = job.id, nil
    return result
  end
  return http_errors.unanswered(response, failure, { id = job.id, state = state }, errors.options(response))
end

return answers
