-- states.lua - what the state of an endpoint means for a job that manages it, and whether it can be asked.

local addresses = require "hf_inference_endpoints.addresses"
local http_errors = require "http_errors"

local states = {}

-- The vendor's own clients ask about as often.
local STATE_SECONDS = 5
local MAX_ROUTE_BYTES = 1024

--- The word for the state of an endpoint object, or nil.
function states.name_of(endpoint)
  local status = type(endpoint) == "table" and type(endpoint.status) == "table" and endpoint.status or {}
  return type(status.state) == "string" and status.state or nil
end

--- The URL of an endpoint object, where it is one that the credential may go to.
function states.url_of(endpoint)
  local status = type(endpoint) == "table" and type(endpoint.status) == "table" and endpoint.status or {}
  local url = type(status.url) == "string" and status.url or nil
  return url and addresses.check_endpoint_url(url) and url or nil
end

local PROBLEMS = {
  paused = { "unavailable", "the endpoint is paused; resume it first (action = resume)" },
  failed = { "vendor", "the endpoint failed; create a new one" },
  updateFailed = { "vendor", "the update failed; the version before it may still serve" },
}

--- The `error` of a result for a state that ends a job, or nil. The endpoint object tells why it failed.
function states.problem_of(name, endpoint)
  local problem = PROBLEMS[name or ""]
  if not problem then return nil end
  local status = type(endpoint) == "table" and type(endpoint.status) == "table" and endpoint.status or {}
  local reason = name ~= "paused" and http_errors.safe_text(status.message)
  return { code = problem[1], message = problem[2] .. (reason and ": " .. reason or ""), vendor_code = name }
end

--- What a client needs of an endpoint object. Its env and secrets stay behind.
function states.summary_of(endpoint)
  if type(endpoint) ~= "table" then return {} end
  local status = type(endpoint.status) == "table" and endpoint.status or {}
  local model = type(endpoint.model) == "table" and endpoint.model or {}
  return {
    name = endpoint.name, type = endpoint.type, provider = endpoint.provider, compute = endpoint.compute,
    state = status.state, url = status.url, ready_replicas = status.readyReplica, target_replicas = status.targetReplica,
    repository = model.repository, revision = model.revision, task = model.task, health_route = endpoint.healthRoute,
  }
end

--- The end of a job: the endpoint as it is.
function states.done(id, endpoint, reason)
  return {
    id = id, status = "done", reason = reason,
    artifacts = { { json = states.summary_of(endpoint), content_type = "application/json" } },
  }
end

local function health_url(endpoint, url)
  local route = endpoint.healthRoute
  if type(route) ~= "string" or #route > MAX_ROUTE_BYTES or not string.find(route, "^/[^%s%c]*$") then route = "/health" end
  return string.gsub(url, "/$", "") .. route
end

--- A job that goes on.
function states.ongoing(id, state, status, reason)
  state.status = status
  return { id = id, status = status, reason = reason, retry_after = STATE_SECONDS, state = state }
end

local function broken(id, name, endpoint)
  return { id = id, status = "error", error = states.problem_of(name, endpoint) }
end

-- "running" means ready only when there is a URL that answers its health route, which the next poll asks.
local function read_running(endpoint, url, id, state)
  if url then state.health_url, state.summary = health_url(endpoint, url), states.summary_of(endpoint) end
  local reason = url and "the endpoint runs: its health is asked next" or "the endpoint has no URL yet"
  return states.ongoing(id, state, "running", reason)
end

local function read_sleeping(endpoint, _, id, state)
  if state.action then return states.done(id, endpoint, "scaled to zero: the next request wakes it") end
  return states.ongoing(id, state, "queued", "cold start: the endpoint is scaled to zero, the next request wakes it")
end

local function read_paused(endpoint, _, id, state)
  local action = state.action
  if action == "pause" or action == "scale-to-zero" or action == "update" then return states.done(id, endpoint, "paused") end
  return broken(id, "paused")
end

local STATES = {
  pending = function(_, _, id, state) return states.ongoing(id, state, "queued", "the endpoint waits to be scheduled") end,
  initializing = function(_, _, id, state) return states.ongoing(id, state, "running", "the endpoint is starting") end,
  updating = function(_, _, id, state)
    return states.ongoing(id, state, "running", "the endpoint is being updated")
  end,
  running = function(endpoint, url, id, state)
    if state.action == "pause" or state.action == "scale-to-zero" then
      return states.ongoing(id, state, "running", "the endpoint is stopping")
    end
    return read_running(endpoint, url, id, state)
  end,
  scaledToZero = read_sleeping,
  paused = read_paused,
  failed = function(endpoint, _, id) return broken(id, "failed", endpoint) end,
  updateFailed = function(endpoint, _, id) return broken(id, "updateFailed", endpoint) end,
}

--- An endpoint object as the result of a job that manages it.
function states.read(endpoint, id, state)
  local read = STATES[states.name_of(endpoint) or ""]
  if not read then return states.ongoing(id, state, state.status or "running", "the endpoint's state is not known here") end
  return read(endpoint, states.url_of(endpoint), id, state)
end

return states
