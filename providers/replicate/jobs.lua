-- jobs.lua - the job that a request is: a GPU job in the vendor's words, or one for an image or a video in those of the family.
--
-- Of the latter `model` (owner/name, with the same rules for versions), `prompt` and `parameters` become the vendor's `model` and
-- `input`; all else of a job may stand beside them.

local check = require "check"
local fields = require "replicate.fields"
local given = require "given"
local media_request = require "media_request"
local model_inputs = require "model_inputs"
local models = require "replicate.models"
local names = require "names"
local targets = require "replicate.targets"

local jobs = {}

-- What a request of the family takes at its top beside prompt and parameters. `seconds` is the length of a video there.
local OPTIONS = names.set {
  "model", "model_version", "version", "deployment", "webhook", "webhook_events_filter", "cancel_after", "hardware",
  "expected_seconds", "prefer", "wait",
}

local function names_a_target(payload)
  return check.is_given(payload.model) or check.is_given(payload.model_version) or check.is_given(payload.version)
    or check.is_given(payload.deployment)
end

-- The model that a job runs, our row of it, and what the directory knows. A version may have other inputs than the newest.
local function model_of(job, ctx)
  local id, version = targets.model_of(job)
  if not id then return nil end
  local live = ctx and ctx.model and ctx.model(version and id .. ":" .. version or id) or nil
  return id, not version and models.ROWS[id] or nil, live
end

-- Compares the input of a GPU job with the vendor's own schema; nothing but that schema changes or refuses anything in it.
local function check_input(job, id, live, ctx)
  local built = model_inputs.new_plan(id, nil, live)
  built.body, built.place = job.input, "input."
  model_inputs.finish(built, {}, ctx)
  job.built, job.input = built, built.body
end

local function read_job(payload, ctx)
  local job = fields.read(payload)
  local id, row, live = model_of(job, ctx)
  if job.input and live and live.inputs and not given.is_wrapper(job.input, "input") then check_input(job, id, live, ctx) end
  job.row = row
  return job, live
end

local function read_media(payload, ctx)
  local job = fields.read(payload)
  local id, row, live = model_of(job, ctx)
  job.built = media_request.build(payload, id or "this model", row, live, ctx)
  job.input, job.row, job.is_media = job.built.body, row, true
  return job, live
end

--- The job of a payload in plain values: what prepare hands on, or reads anew for who has only the payload.
function jobs.read(payload, ctx)
  return (media_request.is(payload) and read_media or read_job)(payload, ctx)
end

--- prepare of the script. The version by which a live job was checked is kept in it, for it may be sent much later.
function jobs.prepare(request, ctx)
  local payload = request
  local kind = ctx and ctx.kind
  if kind == "image" or kind == "video" then
    payload = media_request.read(request, kind, OPTIONS)
    if not names_a_target(payload) then payload.model = models.OF_KIND[kind] end
  end
  local job, live = jobs.read(payload, ctx)
  local pinned = targets.version_to_pin(job, live)
  if pinned then
    if payload == request then payload = check.copy(request) end
    payload.pinned_version, job.pinned_version = pinned, pinned
  end
  return payload, { model = job.model or job.model_version or "owner/model" }, job
end

return jobs
