-- fal.lua - fal for the simulator: the queue, synchronous calls, storage, Ed25519 webhooks. What its models make and cost:
-- lua/sim/fal_makers.lua, fal_units.lua; which there are: fal_directory.lua.
--
-- Other vendors that live on fal's queue (lua/sim/pika.lua) make their routes with fal.queue.
local cjson = require "cjson"
local crypto = require "crypto"
local directory = require "sim.fal_directory"
local makers = require "sim.fal_makers"
local media = require "sim.media"
local sim = require "sim.core"

local fal = {}

local QUEUE, SYNC, API, REST = "queue.fal.run", "fal.run", "api.fal.ai", "rest.fal.ai"
local SEED = "" -- of the key that signs webhooks: 00 01 ... 1f, as in the contract's worked example
for i = 0, 31 do SEED = SEED .. string.char(i) end
local uploads = {}

-- The queue ----------------------------------------------------------------------------------------------------------------

local function detail(status, text, headers)
  return sim.json(status, { detail = text }, headers)
end

local function urls(job)
  local response = ("%s/%s/%s/requests/%s"):format(job.base, QUEUE, job.app, job.id)
  return { request_id = job.id, response_url = response, status_url = response .. "/status", cancel_url = response .. "/cancel" }
end

local function read_input(request)
  if request.bad_json or type(request.json) ~= "table" then error(detail(400, "Invalid JSON")) end
  return request.json
end

-- The first two parts of an id; three in the namespaces workflows/ and comfy/.
local function app_of(model)
  local first = model:match("^[^/]+")
  local pattern = (first == "workflows" or first == "comfy") and "^[^/]+/[^/]+/[^/]+" or "^[^/]+/[^/]+"
  return model:match(pattern)
end

local function new_job(request, model, maker_of)
  local input, maker = read_input(request), maker_of(model)
  local app = app_of(model)
  if not app then error(detail(404, ("Application %q not found"):format(model))) end
  local issues = maker.check(model, input)
  local cost, count = nil, nil
  if #issues == 0 then cost, count = maker.cost(model, input) end
  local job = sim.submit(request, { id = sim.uuid(request.provider, sim.next()), model = model, app = app, input = input,
    cost_usd = cost, units = count, issues = issues, maker = maker })
  if #issues > 0 then job.failed = true end
  -- a flagged picture is delivered and billed; other refusals are not
  if job.moderated then job.flagged = maker.kind == "image" and sim.chance("flag", job.id) < 0.5 end
  if job.flagged then job.moderation_billed = true end
  return job
end

local function submit(request, model, maker_of)
  local job = new_job(request, model, maker_of)
  job.webhook = request.query.fal_webhook
  local answer = urls(job)
  answer.status, answer.queue_position = "IN_QUEUE", 0
  if job.webhook then
    answer.gateway_request_id = job.id
    if not job.never then sim.at(job.ends, job, "completed") end
  end
  return sim.json(200, answer, { ["x-fal-request-id"] = job.id })
end

local REFUSED = { { loc = { "body", "prompt" },
  msg = "The content could not be processed because it contained material flagged by a " ..
  "content checker.", type = "content_policy_violation", url = "https://docs.fal.ai/errors#content_policy_violation" } }

local function result(job, now, inline)
  local phase = sim.phase(job, now)
  local headers = { ["x-fal-request-id"] = job.id }
  if phase == "queued" or phase == "running" then return detail(400, "Request is still in progress", headers) end
  if phase == "canceled" then return detail(400, "Request was cancelled", headers) end
  if phase == "moderated" and not job.flagged then
    headers["x-fal-retryable"], headers["x-fal-billable-units"] = "false", "0"
    return sim.json(422, { detail = REFUSED }, headers)
  end
  if phase == "failed" then
    headers["x-fal-retryable"], headers["x-fal-billable-units"] = "false", "0"
    return sim.json(422, { detail = job.issues }, headers)
  end
  if job.units then headers["x-fal-billable-units"] = job.units end
  return sim.json(200, job.maker.output(job, inline), headers)
end

local function status(request, job)
  local phase, answer = sim.phase(job, request.now), urls(job)
  if phase == "queued" then
    answer.status, answer.queue_position = "IN_QUEUE", 0
    return sim.json(202, answer)
  end
  answer.logs = sim.array {}
  if request.query.logs == "1" then
    answer.logs[1] = { timestamp = sim.iso(job.starts), level = "INFO", source = "USER", message = "  0%|          | 0/4" }
  end
  if phase == "running" then
    answer.status = "IN_PROGRESS"
    return sim.json(202, answer)
  end
  answer.status, answer.metrics = "COMPLETED", { inference_time = (job.ends - job.starts) / 1000 }
  if phase == "canceled" then answer.error, answer.error_type = "Request was cancelled by the user", "request_cancelled" end
  return sim.json(200, answer)
end

local function stream(request, job)
  local last = status({ now = job.never and request.now or job.ends, query = request.query }, job)
  local text = "data: " .. cjson.encode(status(request, job).json) .. "\n\ndata: " .. cjson.encode(last.json) .. "\n\n"
  local answer = sim.bytes(200, "text/event-stream", text)
  answer.delay_ms = math.max(0, job.never and 0 or job.ends - request.now)
  return answer
end

local function cancel(request, job)
  if not job then return sim.json(404, { status = "NOT_FOUND" }) end
  if sim.ended(job, request.now) then return sim.json(400, { status = "ALREADY_COMPLETED" }) end
  local running = sim.phase(job, request.now) == "running"
  sim.cancel(job, request.now)
  return sim.json(running and 202 or 200, { status = running and "CANCELLATION_REQUESTED" or "OK" })
end

local function on_request(request, id, action)
  local job = sim.job(request.provider, id)
  if action == "cancel" then return cancel(request, job) end
  if not job then return detail(404, "Request not found") end
  if action == "status" then return status(request, job) end
  if action == "status/stream" then return stream(request, job) end
  if action == "" then return result(job, request.now) end
  return detail(404, "Path not found")
end

--- A route of the queue: everything below it; `maker_of(model)` is what makes the model's output (lua/sim/fal_makers.lua).
function fal.queue(maker_of)
  return function(request, arguments)
    local app, id, action = arguments.path:match("^(.-)/requests/([^/]+)/?(.*)$")
    if app and (request.method == "GET" or request.method == "PUT" or action == "cancel") then return on_request(request, id,
      action) end
    if request.method ~= "POST" then return detail(405, "Method Not Allowed") end
    return submit(request, arguments.path, maker_of)
  end
end

--- A route of the synchronous host: the answer comes when the job is done.
function fal.direct(maker_of)
  return function(request, arguments)
    local input = read_input(request)
    local issues = maker_of(arguments.path).check(arguments.path, input)
    if #issues > 0 then return sim.json(422, { detail = issues }, { ["x-fal-request-id"] = sim.uuid("sync", sim.next()) }) end
    local job = new_job(request, arguments.path, maker_of)
    if job.never then
      local late = sim.json(504, { detail = "Request timed out", error_type = "request_timeout" })
      late.delay_ms = 20000
      return late
    end
    local answer = result(job, job.ends, input.sync_mode == true)
    answer.delay_ms = job.ends - request.now
    return answer
  end
end

-- Webhooks, prices, storage ------------------------------------------------------------------------------------------------

function fal.event(job, _, at)
  if sim.phase(job, at) == "canceled" then return nil end
  local answer = result(job, at)
  local body = { request_id = job.id, gateway_request_id = job.id, status = answer.status == 200 and "OK" or "ERROR",
    payload = answer.json }
  if answer.status ~= 200 then body.error = "Unexpected status code: " .. answer.status end
  local text, stamp, user = cjson.encode(body), tostring(at // 1000), "github|1234567"
  local message = table.concat({ job.id, user, stamp, crypto.hex(crypto.sha256(text)) }, "\n")
  return { url = job.webhook, body = text, tries = 5, pause_ms = 500, headers = { ["Content-Type"] = "application/json",
    ["X-Fal-Webhook-Request-Id"] = job.id, ["X-Fal-Webhook-User-Id"] = user, ["X-Fal-Webhook-Timestamp"] = stamp,
    ["X-Fal-Webhook-Signature"] = crypto.hex(crypto.ed25519_sign(SEED, message)) } }
end

local function keys()
  local x = crypto.base64(crypto.ed25519_public(SEED)):gsub("%+", "-"):gsub("/", "_"):gsub("=", "")
  return sim.json(200, { keys = sim.array { { kty = "OKP", crv = "Ed25519", use = "sig", kid = "simulated", x = x } } })
end

local function initiate(request)
  local body = read_input(request)
  local path = ("v3b.fal.media/files/up/%s/%s"):format(sim.word(16, "upload", sim.next()), body.file_name or "file")
  return sim.json(200, { file_url = request.base .. "/" .. path, upload_url = request.base .. "/" .. path .. "?upload=1" })
end

local function put_upload(request, arguments)
  uploads[arguments.id] = { type = request.headers["content-type"] or "application/octet-stream", data = request.body }
  return sim.empty(200)
end

local function get_upload(_, arguments)
  local file = uploads[arguments.id]
  return file and sim.bytes(200, file.type, file.data) or sim.text(404, "Not Found")
end

local function get_file(request, arguments)
  local job = sim.job("fal", arguments.id) or sim.job("pika", arguments.id)
  if not job or not sim.ended(job, request.now) then return sim.text(404, "Not Found") end
  local bytes = job.maker.file(job, arguments.name)
  return sim.bytes(200, media.sniff(bytes), bytes, { ["Cache-Control"] = "public, max-age=31536000" })
end

--- Credentials and faults, the same for all that lives here.
function fal.auth(request)
  if sim.key(sim.credential(request, "Key")) then return nil end
  if request.host == API then
    return sim.json(401, { error = { type = "authorization_error", message = "Authentication required" } })
  end
  return detail(401, "Authentication is required to access this application.")
end

fal.faults = {
  ["429"] = function() return detail(429, "Too many requests") end,
  ["5xx"] = function(request)
    -- one with a type would be said of the job itself, which is well
    if request.method == "GET" then return detail(502, "Bad gateway") end
    if #request.path % 2 == 0 then return detail(503, "Service unavailable",
      { ["x-fal-error-type"] = "runner_scheduling_failure" }) end
    return sim.json(500, { detail = { { loc = { "body" }, msg = "Internal server error", type = "internal_server_error" } } },
      { ["x-fal-retryable"] = "true" })
  end,
  out_of_credit = function()
    return detail(403, "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.")
  end,
}

function fal.missing()
  return detail(404, "Not Found")
end

fal.provider = "fal"
fal.hosts = { QUEUE, SYNC, API, REST, directory.site, "v3.fal.media", "v3b.fal.media" }
fal.routes = {
  { "*", "/{path...}", fal.queue(makers.of), host = QUEUE },
  { "POST", "/{path...}", fal.direct(makers.of), host = SYNC },
  { "GET", "/.well-known/jwks.json", keys, host = REST, open = true },
  { "POST", "/storage/upload/initiate", initiate, host = REST },
  { "PUT", "/files/up/{id}/{name}", put_upload, host = "v3b.fal.media", open = true },
  { "GET", "/files/up/{id}/{name}", get_upload, host = "v3b.fal.media", open = true },
  { "GET", "/files/b/{id}/{name}", get_file, host = "v3b.fal.media", open = true },
}
for _, route in ipairs(directory.routes) do table.insert(fal.routes, route) end

return fal
