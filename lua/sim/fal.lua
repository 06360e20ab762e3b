-- fal.lua - fal for the simulator: the queue, synchronous calls, storage, Ed25519 webhooks. Models: lua/sim/fal_directory.lua.
--
-- Other vendors that live on fal's queue (lua/sim/pika.lua) make their routes with fal.queue.
local cjson = require "cjson"
local crypto = require "crypto"
local directory = require "sim.fal_directory"
local media = require "sim.media"
local sim = require "sim.core"

local fal = {}

local QUEUE, SYNC, API, REST = "queue.fal.run", "fal.run", "api.fal.ai", "rest.fal.ai"
local SEED = "" -- of the key that signs webhooks: 00 01 ... 1f, as in the contract's worked example
for i = 0, 31 do SEED = SEED .. string.char(i) end
local SIZES = { square_hd = { 1024, 1024 }, square = { 512, 512 }, portrait_4_3 = { 768, 1024 }, portrait_16_9 = { 576, 1024 },
  landscape_4_3 = { 1024, 768 }, landscape_16_9 = { 1024, 576 } }
local PRICES = { -- unit_price, unit
  ["fal-ai/flux/schnell"] = { 0.003, "megapixels" }, ["fal-ai/flux/dev"] = { 0.025, "megapixels" },
  ["fal-ai/flux/dev/image-to-image"] = { 0.03, "megapixels" }, ["fal-ai/flux-pro/v1.1"] = { 0.04, "megapixels" },
  ["fal-ai/flux-pro/v1.1-ultra"] = { 0.06, "images" }, ["fal-ai/fast-sdxl"] = { 0.00111, "compute seconds" },
  ["fal-ai/pika/v2.2/text-to-video"] = { 0.2, "video" }, ["fal-ai/pika/v2.2/image-to-video"] = { 0.2, "video" },
  ["fal-ai/pika/v2.2/pikascenes"] = { 0.2, "video" }, ["fal-ai/pika/v2.2/pikaframes"] = { 0.04, "seconds" },
  ["fal-ai/pika/v2.1/text-to-video"] = { 0.4, "video" }, ["fal-ai/pika/v2.1/image-to-video"] = { 0.4, "video" },
  ["fal-ai/pika/v2/turbo/text-to-video"] = { 0.2, "video" }, ["fal-ai/pika/v2/turbo/image-to-video"] = { 0.2, "video" },
  ["fal-ai/pika/v2/pikadditions"] = { 0.3, "video" }, ["fal-ai/pika/v1.5/pikaffects"] = { 0.3, "video" },
}
local STEPS = { ["fal-ai/flux/schnell"] = 12, ["fal-ai/flux/dev"] = 50 }

local uploads = {}

-- Checking inputs ----------------------------------------------------------------------------------------------------------

local function issue(field, message, kind)
  return { loc = sim.array { "body", field }, msg = message, type = kind }
end
fal.issue = issue

local function check_size(size, issues)
  if type(size) == "table" and (not math.tointeger(size.width) or not math.tointeger(size.height)) or
    type(size) == "string" and not SIZES[size] then
    issues[#issues + 1] = issue("image_size", "unexpected value; permitted: 'square_hd', 'square', 'portrait_4_3', " ..
      "'portrait_16_9', 'landscape_4_3', 'landscape_16_9'", "value_error.const")
  end
end

local function check_range(input, field, low, high, issues)
  local value = input[field]
  if sim.given(value) and (type(value) ~= "number" or value < low or value > high) then
    issues[#issues + 1] = issue(field, ("ensure this value is from %s to %s"):format(low, high),
      "value_error.number.not_in_range")
  end
end

-- What is wrong with an image model's input: a list, empty when it is good.
local function check_image(model, input)
  local issues = sim.array {}
  if type(input.prompt) ~= "string" then issues[1] = issue("prompt", "field required", "value_error.missing") end
  if model:find("image%-to%-image$") and type(input.image_url) ~= "string" then
    issues[#issues + 1] = issue("image_url", "field required", "value_error.missing")
  end
  if sim.given(input.image_size) then check_size(input.image_size, issues) end
  check_range(input, "num_images", 1, model == "fal-ai/fast-sdxl" and 8 or 4, issues)
  check_range(input, "num_inference_steps", 1, STEPS[model] or 100, issues)
  check_range(input, "guidance_scale", 0, 20, issues)
  return issues
end

-- Outputs ------------------------------------------------------------------------------------------------------------------

local function image_size(input)
  local size = sim.given(input.image_size) and input.image_size or "landscape_4_3"
  if type(size) == "table" then return size.width, size.height end
  return SIZES[size][1], SIZES[size][2]
end

local function image_format(input)
  local format = sim.given(input.output_format) and input.output_format or input.format
  return format == "png" and "png" or "jpeg"
end

local function image_bytes(job, number)
  return media.file(image_format(job.input), job.id .. number, image_size(job.input))
end

local function image_output(job, inline)
  local width, height = image_size(job.input)
  local format = image_format(job.input)
  local images, flags = sim.array {}, sim.array {}
  for i = 1, math.tointeger(job.input.num_images) or 1 do
    local url = ("%s/v3b.fal.media/files/b/%s/%d.%s"):format(job.base, job.id, i, format)
    if inline then url = ("data:%s;base64,%s"):format(media.type(format), crypto.base64(image_bytes(job, i))) end
    images[i] = { url = url, width = width, height = height, content_type = media.type(format) }
    flags[i] = job.moderated or false
  end
  return { images = images, timings = { inference = (job.ends - job.starts) / 1000 }, seed = math.tointeger(job.input.seed) or
    job.n,
    has_nsfw_concepts = flags, prompt = job.input.prompt }
end

local function units(model, input)
  local price = PRICES[model]
  local count = math.tointeger(input.num_images) or 1
  if not price then return nil end
  if price[2] ~= "megapixels" then return count end
  local width, height = image_size(input)
  return math.ceil(width * height / 1000000) * count
end

--- What makes images: check(model, input), output(job, inline), cost(model, input), file(job, name).
local images = { kind = "image", check = check_image, output = image_output }

function images.cost(model, input)
  local count = units(model, input)
  return count and count * PRICES[model][1], count
end

function images.file(job, name)
  return image_bytes(job, math.tointeger(tonumber(name:match("^%d+"))))
end

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

local function new_job(request, model, maker)
  local input = read_input(request)
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

local function submit(request, model, maker)
  local job = new_job(request, model, maker)
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

--- A route of the queue: everything below it, with models made by `maker`.
function fal.queue(maker)
  return function(request, arguments)
    local app, id, action = arguments.path:match("^(.-)/requests/([^/]+)/?(.*)$")
    if app and (request.method == "GET" or request.method == "PUT" or action == "cancel") then return on_request(request, id,
      action) end
    if request.method ~= "POST" then return detail(405, "Method Not Allowed") end
    return submit(request, arguments.path, maker)
  end
end

--- A route of the synchronous host: the answer comes when the job is done.
function fal.direct(maker)
  return function(request, arguments)
    local input = read_input(request)
    local issues = maker.check(arguments.path, input)
    if #issues > 0 then return sim.json(422, { detail = issues }, { ["x-fal-request-id"] = sim.uuid("sync", sim.next()) }) end
    local job = new_job(request, arguments.path, maker)
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
  { "*", "/{path...}", fal.queue(images), host = QUEUE },
  { "POST", "/{path...}", fal.direct(images), host = SYNC },
  { "GET", "/.well-known/jwks.json", keys, host = REST, open = true },
  { "POST", "/storage/upload/initiate", initiate, host = REST },
  { "PUT", "/files/up/{id}/{name}", put_upload, host = "v3b.fal.media", open = true },
  { "GET", "/files/up/{id}/{name}", get_upload, host = "v3b.fal.media", open = true },
  { "GET", "/files/b/{id}/{name}", get_file, host = "v3b.fal.media", open = true },
}
for _, route in ipairs(directory.routes) do table.insert(fal.routes, route) end
directory.publish(PRICES)

return fal
