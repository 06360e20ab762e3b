-- jobs.lua - the job that a request is: a GPU job in RunPod's words, or one for an image or a video in those of the family.
--
-- Of the latter `model` is the id of an endpoint, of one that RunPod hosts or of one's own; prompt and parameters become the
-- job's `input`. Webhook, policy and time limits may stand beside them.

local check = require "check"
local fields = require "runpod.fields"
local media_request = require "media_request"
local models = require "runpod.models"
local names = require "names"

local jobs = {}

-- What a request of the family takes at its top beside prompt and parameters.
local OPTIONS = names.set {
  "model", "endpoint_id", "operation", "webhook", "policy", "s3Config", "stream", "wait", "max_runtime_minutes", "gpu",
  "gpu_count",
}

local MEDIA_OPERATIONS = names.set { "run", "runsync" }

-- What the directory knows of the endpoint; it has only those that RunPod hosts.
local function known(endpoint_id, ctx)
  return ctx and ctx.model and type(endpoint_id) == "string" and ctx.model(endpoint_id) or nil
end

local function read_media(payload, ctx)
  local job = { endpoint_id = nil, input = nil, operation = nil, webhook = nil } -- room for most
  for name, value in next, payload do
    if OPTIONS[name] then job[name] = value end
  end
  local id = check.is_given(payload.endpoint_id) and payload.endpoint_id or payload.model
  local row, live = models.ROWS[id or ""], known(id, ctx)
  local built = media_request.build(payload, id or "this model", row, live, ctx)
  job.model, job.endpoint_id, job.input = nil, id, built.body
  return job, { built = built, row = row, is_public = row ~= nil or live ~= nil, is_media = true, name = nil }
end

local function read_job(payload, ctx)
  local id = payload.endpoint_id
  local row = type(id) == "string" and models.ROWS[id] or nil
  return payload, { row = row, is_public = row ~= nil or known(id, ctx) ~= nil }
end

--- A payload as RunPod's own job, and what is known of it besides: { row = the model's, built = the plan of its input (media
--- only), is_public = RunPod hosts the endpoint, is_media = }.
function jobs.read(payload, ctx)
  return (media_request.is(payload) and read_media or read_job)(payload, ctx)
end

--- The names in a payload by which a job is found again, whatever kind of request it came from.
function jobs.address(payload)
  if not media_request.is(payload) then return payload end
  local id = check.is_given(payload.endpoint_id) and payload.endpoint_id or payload.model
  return { endpoint_id = id, operation = payload.operation, stream = payload.stream }
end

local function check_media(payload, job)
  if check.is_given(payload.model) and check.is_given(payload.endpoint_id) and payload.model ~= payload.endpoint_id then
    check.fail("endpoint_id", "is another endpoint than `model`: give one of them")
  end
  local operation = check.is_given(payload.operation) and payload.operation or "run"
  if not MEDIA_OPERATIONS[operation] then check.fail("operation", "must be one of run, runsync") end
  local ok, complaint = pcall(fields.prepare, job)
  if ok then return end
  if type(complaint) == "table" and complaint.field == "endpoint_id" and not check.is_given(payload.endpoint_id) then
    complaint.field = "model"
  end
  error(complaint, 0)
end

--- prepare of the script.
function jobs.prepare(request, ctx)
  local kind = ctx and ctx.kind
  if kind ~= "image" and kind ~= "video" then
    fields.prepare(request)
    local job, about = jobs.read(request, ctx)
    return request, nil, { job = job, about = about }
  end
  local payload = media_request.read(request, kind, OPTIONS)
  local model = payload.model
  if check.is_given(model) then
    if type(model) ~= "string" then check.fail("model", "must be text") end
    payload.model = check.trim(model)
  elseif not check.is_given(payload.endpoint_id) then
    payload.model = models.OF_KIND[kind]
  end
  local job, about = jobs.read(payload, ctx)
  check_media(payload, job)
  return payload, { model = job.endpoint_id }, { job = job, about = about }
end

return jobs
