-- hf_states.lua - what the state of an endpoint means for a job: one that manages it, or an inference that waits for it.

local hf_addresses = require "hf_addresses"

local hf_states = {}

-- A first deployment has been seen to take 458 s.
local WAIT_SECONDS = 10
local MAX_WAITS = 180
local STATE_SECONDS = 5

--- The endpoint took nothing yet: the same request is sent again when it is there.
function hf_states.waiting(id, state, reason, seconds)
  state.waits = (state.waits or 0) + 1
  if state.waits > MAX_WAITS then
    return { id = id, status = "error", error = { code = "timeout", message = "the endpoint did not start in time" } }
  end
  return { id = id, status = "queued", reason = reason, retry_after = seconds or WAIT_SECONDS, state = state }
end

--- What a client needs of an endpoint object. Its env and secrets stay behind.
function hf_states.summary_of(endpoint)
  local status = type(endpoint.status) == "table" and endpoint.status or {}
  local model = type(endpoint.model) == "table" and endpoint.model or {}
  return {
    name = endpoint.name, type = endpoint.type, provider = endpoint.provider, compute = endpoint.compute,
    state = status.state, url = status.url, ready_replicas = status.readyReplica, target_replicas = status.targetReplica,
    repository = model.repository, revision = model.revision, task = model.task, health_route = endpoint.healthRoute,
  }
end

--- The end of a job: the endpoint as it is.
function hf_states.done(id, endpoint, reason)
  return {
    id = id, status = "done", reason = reason,
    artifacts = { { json = hf_states.summary_of(endpoint), content_type = "application/json" } },
  }
end

local function health_url(endpoint, url)
  local route = endpoint.healthRoute
  if type(route) ~= "string" or not string.find(route, "^/[^%s%c]*$") then route = "/health" end
  return string.gsub(url, "/$", "") .. route
end

--- A job that goes on.
function hf_states.ongoing(id, state, status, reason)
  state.status = status
  return { id = id, status = status, reason = reason, retry_after = STATE_SECONDS, state = state }
end

local function broken(id, code, message, vendor_code)
  return { id = id, status = "error", error = { code = code, message = message, vendor_code = vendor_code } }
end

-- "running" means ready only when there is a URL that answers its health route, which the next poll asks.
local function read_running(endpoint, url, id, state)
  if state.job == "inference" then
    state.url = state.url or url
    state.ready = state.url ~= nil
    if state.ready then return hf_states.waiting(id, state, "the endpoint is up: the request is sent next", 1) end
  end
  if url then state.health_url, state.summary = health_url(endpoint, url), hf_states.summary_of(endpoint) end
  local reason = url and "the endpoint runs: its health is asked next" or "the endpoint has no URL yet"
  return hf_states.ongoing(id, state, "running", reason)
end

local function read_sleeping(endpoint, url, id, state)
  if state.job == "inference" then
    -- Only a request wakes it, so the request goes there.
    state.url = state.url or url
    state.ready = state.url ~= nil
    return hf_states.waiting(id, state, "cold start: the endpoint is scaled to zero", 1)
  end
  if state.action then return hf_states.done(id, endpoint, "scaled to zero: the next request wakes it") end
  return hf_states.ongoing(id, state, "queued", "cold start: the endpoint is scaled to zero, the next request wakes it")
end

local function read_paused(endpoint, _, id, state)
  local action = state.action
  if action == "pause" or action == "scale-to-zero" or action == "update" then return hf_states.done(id, endpoint, "paused") end
  return broken(id, "unavailable", "the endpoint is paused; resume it first (action = resume)", "paused")
end

local STATES = {
  pending = function(_, _, id, state) return hf_states.ongoing(id, state, "queued", "the endpoint waits to be scheduled") end,
  initializing = function(_, _, id, state) return hf_states.ongoing(id, state, "running", "the endpoint is starting") end,
  updating = function(endpoint, url, id, state)
    if state.job == "inference" and url then return read_running(endpoint, url, id, state) end
    return hf_states.ongoing(id, state, "running", "the endpoint is being updated")
  end,
  running = function(endpoint, url, id, state)
    if state.action == "pause" or state.action == "scale-to-zero" then
      return hf_states.ongoing(id, state, "running", "the endpoint is stopping")
    end
    return read_running(endpoint, url, id, state)
  end,
  scaledToZero = read_sleeping,
  paused = read_paused,
  failed = function(_, _, id) return broken(id, "vendor", "the endpoint failed; create a new one", "failed") end,
  updateFailed = function(_, _, id)
    return broken(id, "vendor", "the update failed; the version before it may still serve", "updateFailed")
  end,
}

--- An endpoint object as the result of a job. While a job waits for its turn to infer, all that comes before is "queued".
function hf_states.read(endpoint, id, state)
  local status = type(endpoint) == "table" and type(endpoint.status) == "table" and endpoint.status or {}
  local read = STATES[status.state]
  if not read then return hf_states.ongoing(id, state, state.status or "running", "the endpoint's state is not known here") end
  local url = type(status.url) == "string" and hf_addresses.check_endpoint_url(status.url) and status.url or nil
  local result = read(endpoint, url, id, state)
  if state.job == "inference" and (result.status == "running" or result.status == "queued") then
    result.status, state.status = "queued", "queued"
  end
  return result
end

return hf_states
