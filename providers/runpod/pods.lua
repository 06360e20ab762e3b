-- pods.lua - a pod as a job: a machine that runs, and costs by the second, until it is terminated.
--
-- RunPod lets a pod run for ever. A live job has an end (max_runtime_minutes): the host cancels it then, and terminating it,
-- which takes its disk too, ends the bill. Of a pod that this host did not start only the id is known: that one is stopped.
-- What a pod cost is its price per hour at submit, for the seconds between its creation and its end by RunPod's own clock.

local answers = require "runpod.answers"
local check = require "check"
local http_errors = require "http_errors"
local reconcile = require "reconcile"
local requests = require "runpod.requests"
local times = require "times"
local url_parts = require "url_parts"

local pods = {}

-- A pod that was just created may not be found yet.
local NEW_SECONDS = 60

-- The host needs a moment to end a pod whose time is over; high estimates count it.
pods.MARGIN_SECONDS = 60

local POD_STATUS = {
  PROVISIONING = { status = "queued", reason = "the pod is being set up" },
  STARTING = { status = "queued", reason = "the pod is starting" },
  RUNNING = { status = "running" },
  EXITED = { status = "done", reason = "the pod stopped; its disk is billed until it is terminated" },
  ERROR = { status = "error" },
  TERMINATED = { status = "canceled", reason = "the pod was terminated" },
}

local STARTS_A_POD = { start = true, restart = true }

local number, given = answers.number, check.is_given

local function url_of(id)
  return requests.MANAGEMENT_URL .. "/pods/" .. url_parts.segment(id)
end

--- What a live job needs that starts a pod: an end.
function pods.say_needs(name, payload, ctx)
  if given(payload.max_runtime_minutes) then return end
  if name == "pods" or (name == "pods/action" and STARTS_A_POD[payload.action]) then
    ctx.needs {
      field = "max_runtime_minutes",
      message = "is needed for a live pod: RunPod never stops one by itself, the host terminates it after that time",
    }
  end
end

--- What the job of a pod remembers from its submit on. `usd_per_hour`: by the table, for a pod that does not tell its price.
function pods.state_of(payload, usd_per_hour)
  local minutes = check.reader(payload):number("max_runtime_minutes")
  return {
    kind = "pod", max_runtime_seconds = minutes and math.ceil(minutes * 60), usd_per_hour = usd_per_hour,
    cancel_action = given(payload.cancel_action) and payload.cancel_action or nil,
  }
end

-- The state with what an answer tells of it. The price and the time of the beginning stay what the first answer said.
local function learn(state, pod, response)
  local learned, hourly = check.copy(state), number(pod.cost)
  if not state.status and hourly and hourly > 0 then learned.usd_per_hour = hourly end
  learned.started_at = state.started_at or times.of_iso(pod.createdAt) or times.of_http(response.headers.date)
  return learned
end

-- Seconds since the pod was created, by the clock of the answer; nil when the answer or the state does not tell.
local function seconds_since(state, response)
  local now = response and times.of_http(response.headers.date)
  if not now or type(state.started_at) ~= "number" then return nil end
  return math.max(1, math.ceil(now - state.started_at))
end

local function cost_of(state, response)
  local seconds = seconds_since(state, response)
  if not seconds or type(state.usd_per_hour) ~= "number" then return nil end
  return { usd = state.usd_per_hour / 3600 * seconds, source = "computed", quantity = seconds, unit = "second" }
end

-- A pod of ours that is gone: done when its time was over, else canceled.
local function gone(id, state, response, reason)
  local seconds, limit = seconds_since(state, response), state.max_runtime_seconds
  local cost = cost_of(state, response)
  if seconds and limit and seconds >= limit then
    return { id = id, status = "done", reason = "terminated after max_runtime_minutes", artifacts = {}, cost = cost }
  end
  local problem = { code = "canceled", message = reason, billed = true }
  return { id = id, status = "canceled", reason = reason, cost = cost, error = problem }
end

local function is_ours(state)
  return state.max_runtime_seconds ~= nil
end

-- A pod of ours goes on until it is terminated, also when it stopped: its disk is billed.
local function read_ours(pod, state, response)
  local result = { id = pod.id, status = "running", state = state }
  local seconds = seconds_since(state, response)
  if pod.status == "TERMINATED" then return gone(pod.id, state, response, "the pod was terminated") end
  if pod.status == "EXITED" and state.cancel_action == "stop" then
    result.status, result.cost = "done", cost_of(state, response)
  end
  local meaning = POD_STATUS[pod.status]
  if meaning and meaning.status == "queued" then result.status = "queued" end
  result.progress = result.status == "running" and seconds and math.min(1, seconds / state.max_runtime_seconds) or nil
  result.reason = meaning and meaning.reason or (not meaning and answers.said(pod.status)) or nil
  return result
end

local function read_other(pod, state)
  local meaning = POD_STATUS[pod.status] or { status = "running", reason = answers.said(pod.status) }
  local result = { id = pod.id, status = meaning.status, reason = meaning.reason, state = state }
  if result.status == "done" then
    result.artifacts = { { json = answers.without_env(pod), content_type = "application/json" } }
  end
  if result.status == "error" then result.error = { code = "vendor", message = "the pod failed" } end
  return result
end

-- A pod as a result.
local function read(pod, state, response)
  state = learn(state, pod, response)
  local result = is_ours(state) and read_ours(pod, state, response) or read_other(pod, state)
  state.status = result.status
  if result.status == "running" and not result.reason and state.usd_per_hour then
    result.reason = string.format("costs %g USD per hour until it is stopped", state.usd_per_hour)
  end
  return result
end

--- Reads the answer to a create, or to an action that starts a pod.
function pods.created(response, failure, target)
  if not answers.is_success(response) then return answers.error_result(response, failure) end
  if not answers.is_job(response.json) then return answers.unreadable(response) end
  local result = read(response.json, target.pod or { kind = "pod" }, response)
  result.max_runtime_seconds = result.state.max_runtime_seconds
  return result
end

--- An action that stops a pod is done with its answer; one that starts it is followed like a new pod.
function pods.acted(response, failure, target)
  if not answers.is_success(response) then return answers.error_result(response, failure) end
  if response.status == 204 or not answers.is_job(response.json) then return { status = "done", id = target.pod_id } end
  if STARTS_A_POD[target.action] then
    target.pod.started_at = times.of_http(response.headers.date) -- it was created long ago
    return pods.created(response, failure, target)
  end
  return {
    id = response.json.id, status = "done",
    artifacts = { { json = answers.without_env(response.json), content_type = "application/json" } },
  }
end

-- A question about a pod that got no proper answer.
local function unanswered(job, response, failure)
  return http_errors.unanswered(response, failure, job, response and answers.error_options(response))
end

local NOT_A_POD = { kind = "malformed", message = "RunPod's answer is not a pod" }

-- A pod of ours that failed is of no use to anybody, and billed until it is terminated.
local function terminate_failed(job, state, ctx)
  local response, failure = ctx.request { method = "DELETE", url = url_of(job.id) }
  if not answers.is_success(response) and not (response and response.status == 404) then
    return http_errors.not_learned(response, failure, { id = job.id, state = state, status = "running" })
  end
  local problem = { code = "vendor", message = "the pod failed, and was terminated", vendor_code = "ERROR", billed = true }
  return { id = job.id, status = "error", error = problem, cost = cost_of(state, response) }
end

--- Asks for a pod.
function pods.poll(job, ctx)
  local state = job.state or {}
  local response, failure = ctx.request { url = url_of(job.id) }
  if response and response.status == 404 and is_ours(state) then
    if (seconds_since(state, response) or 0) > NEW_SECONDS then
      return gone(job.id, state, response, "the pod is gone: somebody else terminated it")
    end
    return http_errors.not_learned(response, nil, { id = job.id, state = state, status = "queued" })
  end
  if not answers.is_success(response) then return unanswered(job, response, failure) end
  if not answers.is_job(response.json) then return unanswered(job, nil, NOT_A_POD) end
  if response.json.status == "ERROR" and is_ours(state) then
    return terminate_failed(job, learn(state, response.json, response), ctx)
  end
  return read(response.json, state, response)
end

local function stop(job, state, ctx)
  local response, failure = ctx.request { method = "POST", url = url_of(job.id) .. "/action", json = { action = "stop" } }
  if not answers.is_success(response) then return unanswered(job, response, failure) end
  return {
    id = job.id, status = "canceled", state = { kind = "pod", status = "canceled" }, cost = cost_of(state, response),
    reason = "stopped; its disk is billed until it is terminated",
  }
end

--- Ends a pod: a live job's is terminated, unless the job says cancel_action = stop; any other is stopped, unless it says so.
function pods.cancel(job, ctx)
  local state, payload = job.state or {}, job.payload or {}
  local action = state.cancel_action or (given(payload.cancel_action) and payload.cancel_action)
  if not action then action = is_ours(state) and "terminate" or "stop" end
  if action == "stop" then return stop(job, state, ctx) end
  local response, failure = ctx.request { method = "DELETE", url = url_of(job.id) }
  local is_gone = response and response.status == 404 and is_ours(state)
  if not answers.is_success(response) and not is_gone then return unanswered(job, response, failure) end
  return gone(job.id, state, response, "the pod was terminated")
end

-- Whether a pod is what a job's create asked for: its name, its image and its GPU.
local function is_same(wanted, pod)
  if pod.name ~= wanted.name or (given(wanted.image) and pod.image ~= wanted.image) then return false end
  local gpu = type(pod.gpu) == "table" and pod.gpu or {}
  return not given(wanted.gpu) or gpu.id == wanted.gpu.id
end

--- Looks for the pod of a create that got no answer, in the account's list, which has them all.
function pods.reconcile(job, ctx, state)
  local wanted, earliest, claimed = job.payload.pod, reconcile.earliest(job), reconcile.claimed(job)
  if not earliest then return reconcile.unknown() end
  local response = ctx.request { url = requests.MANAGEMENT_URL .. "/pods" }
  local list = answers.is_success(response) and type(response.json) == "table" and reconcile.list(response.json.pods)
  if not list then return reconcile.unknown() end
  local candidates = {}
  for _, pod in ipairs(list) do
    local created = answers.is_job(pod) and times.of_iso(pod.createdAt)
    if not created then return reconcile.unknown() end
    if created >= earliest and created <= reconcile.latest(job) and not claimed[pod.id] and is_same(wanted, pod) then
      candidates[#candidates + 1] = pod
    end
  end
  return reconcile.answer(candidates, function(pod)
    local result = read(pod, state, response)
    result.max_runtime_seconds = result.state.max_runtime_seconds
    return result
  end)
end

return pods
