-- outcomes.lua - what has become of a request, or why that is not known.

local check = require "check"
local billing = require "fal.billing"
local errors = require "fal.errors"
local requests = require "fal.requests"
local results = require "fal.results"
local values = require "fal.values"
local http_errors = require "http_errors"

local outcomes = {}

local table_of, text_of = values.table_of, values.text_of

local function not_learned(job, response, failure)
  local status = table_of(job.state).status == "queued" and "queued" or "running"
  return http_errors.not_learned(response, failure, {
    id = job.id, status = status, state = job.state, retry_after = errors.RETRY_AFTER,
  })
end

--- A question that was refused says nothing about the request, unless fal does not know it.
function outcomes.unanswered(job, response, failure)
  if not http_errors.is_gone(response) then return not_learned(job, response, failure) end
  local result = errors.result(response, failure)
  result.id, result.error.billed = job.id, nil
  return result
end

-- A failure of the model and a bad moment of the host that keeps results look alike: one that stays is the model's.
local LOOKS_AT_A_FAILURE = 3

local function is_to_be_looked_at_again(job, response)
  local state = table_of(job.state)
  return response.status >= 500 and text_of(state.model) ~= nil and (state.failures or 1) < LOOKS_AT_A_FAILURE
end

local function looked_at(job, response)
  local state = check.copy(job.state)
  state.failures = (state.failures or 1) + 1
  return not_learned({ id = job.id, state = state }, response)
end

local NOT_AN_OUTPUT = { kind = "malformed", message = "the answer is not an output of the model" }

-- A request that has ended at fal, of which its result is still to be learned, does not wait in a queue any more.
local function out_of_queue(job)
  local request = check.copy(job)
  request.state = requests.state_with(job, "running")
  return request
end

--- Asks for the result of a request that has ended: what it made, or why not.
function outcomes.fetch(job, ctx, model, reading)
  job = out_of_queue(job)
  local path, url = requests.result_address(job, model)
  if not path and not url then return nil, requests.NO_ADDRESS end
  local response, failure = requests.send(ctx, "GET", path, url)
  if errors.is_worth_asking_again(response) then return not_learned(job, response, failure) end
  if is_to_be_looked_at_again(job, response) then return looked_at(job, response) end
  if response.status >= 300 and response.status < 500 and not errors.is_verdict(response) then
    return outcomes.unanswered(job, response)
  end
  reading = billing.priced(ctx, model, reading, response)
  if response.status >= 300 then
    local result = results.failed(response, reading)
    result.id = job.id
    return result
  end
  return results.finished(job.id, response, reading) or not_learned(job, nil, NOT_AN_OUTPUT)
end

--- An end that the status or a delivery tells. What it costs is in the head of the result, which may be asked for.
function outcomes.completed_with_error(job, body, ctx, model, reading)
  local text, kind = errors.read(body)
  local code = errors.locked(text) or errors.code(kind) or "vendor"
  local detail = code ~= "credit" and http_errors.safe_text(text) or kind
  local message = "the vendor reports: " .. (detail or "an error without a text")
  local problem = { code = code, message = message, vendor_code = kind }
  local result = { id = job.id, status = "error", error = problem }
  if code == "timeout" or code == "unavailable" or errors.NOT_BILLED[kind or ""] then
    problem.billed = false
    return result
  end
  if not text_of(table_of(job.state).model) then return result end
  local path, url = requests.result_address(job, model)
  local response = (path or url) and requests.send(ctx, "GET", path, url)
  if not response then return result end
  local cost, units = billing.cost_of(response, billing.priced(ctx, model, reading, response))
  if units then result.cost, problem.billed = cost, units > 0 end
  return result
end

--- A delivery as a response, and third the reading with its price. What a delivery does not tell is in the headers of the result:
-- the units that are billed. nil and what to go on with while they may still be had: settled without them the job costs what was
-- guessed. A delivery ends its job also where fal refuses to tell them.
function outcomes.with_units(payload, job, ctx, model, reading)
  local is_ours = text_of(table_of(job.state).model) ~= nil
  local path, url
  if is_ours and not reading.usd then path, url = requests.result_address(job, model) end
  if not path and not url then return { json = payload, headers = {} }, nil, reading end
  local response, failure = requests.send(ctx, "GET", path, url)
  local is_refused = response and (response.status == 401 or response.status == 403)
  if not response or is_refused or http_errors.is_transient(response) and not errors.is_verdict(response) then
    return nil, not_learned(out_of_queue(job), response, failure)
  end
  return { json = payload, headers = response.headers }, nil, billing.priced(ctx, model, reading, response)
end

return outcomes
