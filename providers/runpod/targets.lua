-- targets.lua - what a question about a job is about, and its path.

local check = require "check"
local jobs = require "runpod.jobs"
local models = require "runpod.models"
local prices = require "runpod.prices"
local requests = require "runpod.requests"
local url_parts = require "url_parts"

local targets = {}

local given = check.is_given

--- What is asked about: { kind = "job", "batch" or "pod", endpoint_id = }, from the job's state or else from its payload.
function targets.of_job(job)
  local state, payload = job.state or {}, jobs.address(job.payload or {})
  local answer = (requests.OPERATIONS[requests.name_of(payload)] or requests.OPERATIONS.run).answer
  local target = {
    kind = state.kind or (answer == "action" and "pod") or answer,
    endpoint_id = state.endpoint_id or (given(payload.endpoint_id) and check.trim(payload.endpoint_id)) or nil,
    stream = state.stream or payload.stream == true or nil, finalize = state.finalize,
    is_sync = state.is_sync or requests.name_of(payload) == "runsync" or nil,
    usd_per_second = state.usd_per_second or (state.kind == nil and answer == "job" and prices.worker_rate(payload)) or nil,
    seen = state.seen or state.status,
  }
  target.is_public = state.is_public == true or models.ROWS[target.endpoint_id or ""] ~= nil
  if target.kind ~= "pod" and not target.endpoint_id then
    return nil, requests.refusal("job_id", "a RunPod job is found by its endpoint too, and this job's endpoint is not known here")
  end
  return target
end

--- A path below the target's endpoint.
function targets.path(target, ...)
  local segments = { url_parts.segment(target.endpoint_id) }
  for _, segment in ipairs { ... } do segments[#segments + 1] = url_parts.segment(segment) end
  return "/" .. table.concat(segments, "/")
end

return targets
