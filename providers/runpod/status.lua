-- status.lua - asks RunPod how a job, its stream or a batch is.

local check = require "check"
local cjson = require "cjson"
local http_errors = require "http_errors"
local answers = require "runpod.answers"
local requests = require "runpod.requests"
local targets = require "runpod.targets"

local status = {}

local given = check.is_given

local NOT_READABLE = { kind = "malformed", message = "RunPod's answer is not what its API describes" }

-- A question about a job that got no proper answer: the job goes on when asking again may help.
local function unanswered(job, response, failure)
  local result = http_errors.unanswered(response, failure, job, response and answers.error_options(response))
  if response and response.status == 404 then
    result.error.code = "expired"
    result.error.message = "RunPod no longer knows the job: results are kept for 30 minutes (runsync: 1), jobs until their ttl"
  end
  return result
end

--- The job of an answer, or nil and the result of a question that got no proper answer. An answer to a question about one job may
-- leave out its id.
function status.read(job, response, failure)
  if not answers.is_success(response) then return nil, unanswered(job, response, failure) end
  local found = response.json
  if type(found) == "table" and not given(found.id) then
    found = check.copy(found)
    found.id = job.id
  end
  if not answers.is_job(found) then return nil, unanswered(job, nil, NOT_READABLE) end
  return found
end

--- The result of a question about a job.
function status.of_job(job, target, ctx)
  local response, failure = ctx.request { path = targets.path(target, "status", job.id), headers = requests.JSON_TYPE }
  local found, result = status.read(job, response, failure)
  return found and answers.job_result(found, target) or result
end

-- Whether there is something to learn from /status: the cause of a failure, the time that is billed, an output.
local function is_worth_asking(told, target, has_pieces)
  if told.status == "queued" or told.status == "running" then return false end
  return told.status ~= "done" or not has_pieces or target.usd_per_second ~= nil and not told.cost
end

-- What the stream says of the job's status, or /status where that says more.
local function stream_result(job, target, answer, has_pieces, ctx)
  local told = type(answer.status) == "string" and answers.job_result({
    id = job.id, status = answer.status, error = answer.error, output = answer.output, executionTime = answer.executionTime,
  }, target)
  if told and not is_worth_asking(told, target, has_pieces) then return told end
  local asked = status.of_job(job, target, ctx)
  local is_end = asked.status ~= "queued" and asked.status ~= "running" and not http_errors.is_gone_result(asked)
  return (not told or is_end) and asked or told
end

--- The result of a question about a job whose pieces are wanted. A read of the stream takes the pieces out of it,
-- so they are kept in the job's state until the end.
function status.of_stream(job, target, ctx)
  local response, failure = ctx.request { path = targets.path(target, "stream", job.id), headers = requests.JSON_TYPE }
  if not answers.is_success(response) then return unanswered(job, response, failure) end
  local answer = type(response.json) == "table" and response.json or {}
  local pieces = cjson.array {}
  for _, piece in ipairs(job.state and job.state.pieces or {}) do pieces[#pieces + 1] = piece end
  -- The documentation prints the bare list, the SDK reads an object around it.
  for _, piece in ipairs(type(answer.stream) == "table" and answer.stream or answer) do
    if type(piece) == "table" and given(piece.output) then pieces[#pieces + 1] = piece.output end
  end
  local result = stream_result(job, target, answer, #pieces > 0, ctx)
  if #pieces == 0 then return result end
  if result.status == "queued" or result.status == "running" then
    result.state = check.copy(result.state or {})
    result.state.pieces = pieces
  else
    result.artifacts = answers.artifacts(pieces)
    if result.status == "done" then result.reason = nil end
  end
  return result
end

--- The result of a question about a batch. It is made as a draft and started by a call of its own: asking first keeps a repeated
-- poll from starting it twice.
function status.of_batch(job, target, ctx)
  local response, failure = ctx.request { path = targets.path(target, "batch", job.id), headers = requests.JSON_TYPE }
  local batch, result = status.read(job, response, failure)
  if not batch then return result end
  if not target.finalize or batch.status ~= "DRAFT" then return answers.batch_result(batch, target) end
  local path = targets.path(target, "batch", job.id, "finalize")
  -- once it is no draft, nothing happens: sending it twice costs nothing
  response, failure = ctx.request { method = "POST", path = path, headers = requests.JSON_TYPE, free = true }
  batch, result = status.read(job, response, failure)
  return batch and answers.batch_result(batch, target) or result
end

return status
