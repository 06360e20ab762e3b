-- replicate.lua - Replicate for the simulator: predictions, deployments, files, and signed webhooks. Models:
-- lua/sim/replicate_directory.lua.
local crypto = require "crypto"
local directory = require "sim.replicate_directory"
local media = require "sim.media"
local prices = require "sim.replicate_prices"
local sim = require "sim.core"

local API, FILES = "api.replicate.com", "replicate.delivery"
local SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
local EVENTS = sim.set("start", "output", "logs", "completed")
local FIELDS = sim.set("version", "input", "webhook", "webhook_events_filter", "stream")
local STATUS = { queued = "starting", running = "processing", done = "succeeded", moderated = "failed", failed = "failed",
  canceled = "canceled" }
local OFFICIAL = directory.official
local CALM = { ["ratelimit-remaining"] = "599", ["ratelimit-reset"] = "1" }

local files = {}

local function problem(status, title, detail, headers)
  local all = { ["Content-Type"] = "application/problem+json" }
  for name, value in pairs(headers or {}) do all[name] = value end
  return sim.json(status, { title = title, detail = detail, status = status }, all)
end

local function not_found()
  return problem(404, nil, "The requested resource could not be found.")
end

-- Predictions --------------------------------------------------------------------------------------------------------------

local function kind_of(job)
  if job.units then return job.units.kind end
  local name = (job.model .. " " .. tostring(job.input.prompt or "")):lower()
  if name:find("llama") or name:find("gpt") or job.input.max_tokens then return "text" end
  if name:find("video") or name:find("/wan") or name:find("kling") or name:find("hailuo") or name:find("/ray") or
    name:find("veo") then
    return "video"
  end
  return "image"
end

local function picture_format(job)
  local format = job.input.output_format
  return (format == "jpg" or format == "jpeg" or format == "webp") and format or "png"
end

local function size_of(job)
  local width, height = math.tointeger(job.input.width), math.tointeger(job.input.height)
  return width or 1024, height or 1024
end

local function picture(job, number)
  return media.file(picture_format(job), job.id .. number, size_of(job))
end

local function output_of(job, inline)
  local kind = kind_of(job)
  if kind == "text" then return sim.array { "\n\n", "Fuzzy", ", gentle", " beasts" } end
  local at = ("%s/%s/xezq/%s/"):format(job.base, FILES, job.id)
  if kind == "video" then return at .. "out.mp4" end
  local list = sim.array {}
  for i = 1, math.min(math.tointeger(job.input.num_outputs) or 1, 8) do
    local format = picture_format(job)
    list[i] = inline and ("data:%s;base64,%s"):format(media.type(format), crypto.base64(picture(job, i - 1))) or
      at .. ("out-%d.%s"):format(i - 1, format)
  end
  return list
end

local function add_end(prediction, job, phase, now)
  local ended = phase == "canceled" and job.canceled or job.ends
  if phase ~= "queued" then prediction.started_at = sim.iso(job.starts) end
  if phase == "queued" or phase == "running" then return end
  prediction.completed_at = sim.iso(ended)
  prediction.metrics = { predict_time = math.max(0, ended - job.starts) / 1000, total_time = (ended - job.created) / 1000 }
  if job.units and (phase == "done" or phase == "moderated") then
    for name, value in pairs(job.units.metrics) do prediction.metrics[name] = value end
  end
  prediction.data_removed = now > ended + 3600000
  if phase == "moderated" then
    prediction.error = "NSFW content detected. Try running it again, or try a different prompt. (E005)"
  end
  if phase == "failed" then prediction.error = "CUDA out of memory. (E1001)" end
end

local function render(job, now)
  local phase = sim.phase(job, now)
  local api = ("%s/%s/v1/predictions/%s"):format(job.base, API, job.id)
  local prediction = { id = job.id, model = job.model, version = job.version, input = job.input, logs = "", output = sim.null,
    data_removed = false, error = sim.null, status = STATUS[phase], source = "api", created_at = sim.iso(job.created),
    urls = { get = api, cancel = api .. "/cancel", web = job.base .. "/replicate.com/p/" .. job.id } }
  if kind_of(job) == "text" then prediction.urls.stream = ("%s/stream.replicate.com/v1/files/%s"):format(job.base, job.id) end
  if job.deadline then prediction.deadline = sim.iso(job.deadline) end
  prediction.webhook, prediction.webhook_events_filter, prediction.deployment = job.webhook, job.filter, job.deployment
  add_end(prediction, job, phase, now)
  if phase == "done" and not prediction.data_removed then prediction.output = output_of(job, false) end
  return prediction
end

-- Creating -----------------------------------------------------------------------------------------------------------------

local function invalid(field, message)
  return sim.json(422, { title = "Input validation failed", detail = ("- %s: %s\n"):format(field, message), status = 422,
    invalid_fields = sim.array { { type = "required", field = field, description = message } } },
    { ["Content-Type"] = "application/problem+json" })
end

local function check_webhook(body)
  local url = body.webhook
  if not sim.given(url) then return end
  local is_local = type(url) == "string" and (url:match("^http://127%.") or url:match("^http://localhost[:/]"))
  if type(url) ~= "string" or not (url:match("^https://") or is_local) then error(invalid("webhook", "must be an HTTPS URL")) end
  for _, event in ipairs(sim.given(body.webhook_events_filter) and body.webhook_events_filter or {}) do
    if not EVENTS[event] then error(invalid("webhook_events_filter", "must be one of start, output, logs, completed")) end
  end
end

local function check_body(request)
  local body = request.json
  if type(body) ~= "table" then error(problem(400, "Bad request", "The request body is not valid JSON.")) end
  for name in pairs(body) do
    if not FIELDS[name] then error(invalid(tostring(name), "Additional property " .. tostring(name) .. " is not allowed")) end
  end
  if type(body.input) ~= "table" then error(invalid("input", "input is required")) end
  check_webhook(body)
  return body
end

local UNITS = { s = 1, m = 60, h = 3600, [""] = 1 }

-- "30", "5m", "1h30m45s" in milliseconds, or nil.
local function read_duration(text)
  local seconds = 0
  if not text then return nil end
  for number, unit in text:gmatch("(%d+)([smh]?)") do seconds = seconds + tonumber(number) * UNITS[unit] end
  if seconds < 5 then error(problem(400, "Bad request", "Cancel-After must be at least 5 seconds")) end
  return seconds * 1000
end

local function schedule(job)
  local wanted = sim.given(job.filter) and job.filter or { "output", "completed" }
  local times = { start = job.starts, logs = job.starts, output = job.ends - 1, completed = job.ends }
  if not sim.given(job.webhook) then return end
  for _, event in ipairs(wanted) do
    if not (job.never and (event == "output" or event == "completed")) then sim.at(times[event], job, event) end
  end
  if job.canceled then sim.at(job.canceled, job, "completed") end
end

-- The official models' path waits for the end; the other answers as soon as the output is there, which it then has inline.
local function create(request, model, version, options)
  local body = check_body(request)
  local after = read_duration(request.headers["cancel-after"])
  local job = sim.submit(request, { id = sim.word(26, "replicate", sim.next()), model = model, version = version,
    input = body.input,
    webhook = body.webhook, filter = body.webhook_events_filter, deployment = options and options.deployment,
    units = version == "hidden" and prices.units(model, body.input) or nil })
  if after then
    job.deadline = job.created + after
    if job.never or job.deadline < job.ends then job.canceled = job.deadline end
  end
  schedule(job)
  local wait = request.headers.prefer and request.headers.prefer:match("wait=?(%d*)")
  if not wait then return sim.json(201, render(job, request.now), CALM) end
  local limit = (tonumber(wait) or 60) * 1000
  local headers = { ["ratelimit-remaining"] = "599", ["ratelimit-reset"] = "1", ["preference-applied"] = request.headers.prefer }
  local answer = sim.json(201, render(job, request.now), headers)
  answer.delay_ms = math.min(limit, job.ends - job.created)
  if job.never or job.ends - job.created > limit then
    answer.status = 202
  elseif job.moderated or options and options.waits then
    answer.json = render(job, job.ends)
  else
    answer.json.status, answer.json.output = "processing", output_of(job, true)
    answer.json.started_at = sim.iso(job.starts)
  end
  return answer
end

local function create_by_version(request)
  local body = check_body(request)
  local version = body.version
  if type(version) ~= "string" then error(invalid("version", "version is required")) end
  local model, digest = version:match("^([%w%-_.]+/[%w%-_.]+):?(.*)$")
  digest = digest or version
  local official = model and digest == "" and OFFICIAL[model:match("^[^/]+")]
  if not official and not digest:match("^%x+$") then
    error(problem(422, "Invalid version or not permitted",
      "The specified version does not exist (or perhaps you don't have permission to use it?)"))
  end
  return create(request, model or "replicate/hello-world", official and "hidden" or digest)
end

local function create_by_model(request, arguments)
  if not OFFICIAL[arguments.owner] then return not_found() end
  local body = check_body(request)
  if not sim.given(body.input.prompt) and next(body.input) == nil then error(invalid("input", "prompt is required")) end
  return create(request, arguments.owner .. "/" .. arguments.name, "hidden", { waits = true })
end

local function create_by_deployment(request, arguments)
  return create(request, arguments.owner .. "/" .. arguments.name, sim.hash("version", arguments.owner, arguments.name),
    { deployment = arguments.owner .. "/" .. arguments.name })
end

-- Everything else ----------------------------------------------------------------------------------------------------------

local function get_prediction(request, arguments)
  local job = sim.job("replicate", arguments.id)
  return job and sim.json(200, render(job, request.now), CALM) or not_found()
end

local function cancel(request, arguments)
  local job = sim.job("replicate", arguments.id)
  if not job then return not_found() end
  sim.cancel(job, request.now)
  if job.canceled == request.now and sim.given(job.webhook) then sim.at(request.now, job, "completed") end
  return sim.json(200, render(job, request.now), CALM)
end

local function list(request)
  local all, results = sim.jobs("replicate"), sim.array {}
  local from = math.min(math.tointeger(tonumber(request.query.cursor)) or #all, #all)
  for i = from, math.max(1, from - 99), -1 do
    local prediction = render(all[i], request.now)
    prediction.input, prediction.output, prediction.logs = all[i].input, nil, nil
    results[#results + 1] = prediction
  end
  local next_page = from > 100 and ("%s/%s/v1/predictions?cursor=%d"):format(request.base, API, from - 100)
  return sim.json(200, { previous = sim.null, next = next_page or sim.null, results = results })
end

local function upload(request)
  local part = request.fields.content
  if not part or not part.data then return problem(400, "Bad request", "content is required") end
  if #part.data > 100 * 1024 * 1024 then return problem(413, "Request entity too large", "Files are limited to 100 MB") end
  local id = sim.word(26, "file", sim.next())
  files[id] = { type = part.content_type or "application/octet-stream", data = part.data }
  return sim.json(201, { id = id, name = part.filename, content_type = files[id].type, size = #part.data, metadata = {},
    checksums = { sha256 = crypto.hex(crypto.sha256(part.data)) }, created_at = sim.iso(request.now, true),
    expires_at = sim.iso(request.now + 86400000, true), urls = { get = ("%s/%s/v1/files/%s"):format(request.base, API, id) } })
end

local function get_file(_, arguments)
  local file = files[arguments.id]
  return file and sim.bytes(200, file.type, file.data) or not_found()
end

local function delivered(request, arguments)
  local job = sim.job("replicate", arguments.id)
  if not job or sim.phase(job, request.now) ~= "done" or request.now > job.ends + 3600000 then return sim.text(404,
    "Not Found") end
  local number, format = arguments.file:match("^out%-?(%d*)%.(%w+)$")
  local seconds = job.units and job.units.seconds or tonumber(job.input.duration) or 5
  local bytes = format == "mp4" and media.file("mp4", job.id, 1280, 720, seconds) or picture(job, number or 0)
  return sim.bytes(200, media.sniff(bytes), bytes, { ["Cache-Control"] = "public,max-age=3600" })
end

local function stream(_, arguments)
  local job = sim.job("replicate", arguments.id)
  if not job then return sim.text(404, "Not Found") end
  local events = {}
  for i, word in ipairs(output_of(job)) do events[i] = ("event: output\nid: %d\ndata: %s\n\n"):format(i, (word:gsub("\n",
    "\ndata: "))) end
  return sim.bytes(200, "text/event-stream", table.concat(events) .. "event: done\nid: 9\ndata: {}\n\n")
end

local function event(job, name, at)
  if name == "completed" and (job.told or not sim.ended(job, at)) or name ~= "completed" and sim.ended(job,
    at) then return nil end
  local body = render(job, at)
  if name == "output" and kind_of(job) ~= "text" then body.output = output_of(job, false) end
  if name == "completed" then job.told = true end
  local text = require("cjson").encode(body)
  local id, stamp = "msg_" .. sim.word(27, "message", job.id, name), tostring(at // 1000)
  local key = crypto.base64_decode((SECRET:gsub("^whsec_", "")))
  local signature = crypto.base64(crypto.hmac_sha256(key, id .. "." .. stamp .. "." .. text))
  return { url = job.webhook, body = text, tries = name == "completed" and 4 or 1, pause_ms = 500, headers = {
    ["Content-Type"] = "application/json", ["webhook-id"] = id, ["webhook-timestamp"] = stamp,
    ["webhook-signature"] = "v1," .. signature } }
end

-- Official models with a price cost what came out. All others run on this hardware: its price a second, for the time that a
-- prediction ran, whatever came of it. What a deployment costs depends on its owner's settings.
local USD_PER_SECOND = 0.000975 -- gpu-l40s

local function bill(job, phase, now)
  if job.deployment then return nil end
  if job.units then return (phase == "done" or phase == "moderated") and job.units.usd or 0 end
  local ended = phase == "canceled" and job.canceled or phase == "running" and now or job.ends
  if phase == "queued" then return 0 end
  return USD_PER_SECOND * (math.max(0, ended - job.starts) / 1000)
end

local function constant(value)
  return function() return sim.json(200, value) end
end

local replicate = {
  provider = "replicate",
  hosts = { API, FILES, "*.replicate.delivery", "stream.replicate.com", "replicate.com" },
  bill = bill,
  auth = sim.authorization("Bearer", function()
    return problem(401, "Unauthenticated", "You did not pass a valid authentication token")
  end, "Token"),
  faults = {
    ["429"] = function()
      return problem(429, nil, "Request was throttled. Your rate limit resets in ~1s.", { ["Retry-After"] = "1" })
    end,
    ["5xx"] = function() return sim.json(500, { detail = "Internal server error" },
      { ["Content-Type"] = "application/problem+json" }) end,
    out_of_credit = function()
      return problem(402, "Insufficient credit",
        "You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing to purchase credit.")
    end,
  },
  missing = not_found,
  event = event,
  routes = {
    { "POST", "/v1/predictions", create_by_version, host = API },
    { "POST", "/v1/models/{owner}/{name}/predictions", create_by_model, host = API },
    { "POST", "/v1/deployments/{owner}/{name}/predictions", create_by_deployment, host = API },
    { "GET", "/v1/predictions", list, host = API },
    { "GET", "/v1/predictions/{id}", get_prediction, host = API },
    { "POST", "/v1/predictions/{id}/cancel", cancel, host = API },
    { "POST", "/v1/files", upload, host = API },
    { "GET", "/v1/files/{id}", get_file, host = API },
    { "GET", "/v1/account", constant { type = "organization", username = "acme", name = "Acme Corp, Inc.",
      github_url = "https://github.com/acme" }, host = API },
    { "GET", "/v1/hardware", constant(sim.array { { name = "CPU", sku = "cpu" }, { name = "Nvidia T4 GPU", sku = "gpu-t4" } }),
      host = API },
    { "GET", "/v1/webhooks/default/secret", constant { key = SECRET }, host = API },
    { "GET", "/v1/files/{id}", stream, host = "stream.replicate.com", open = true },
    { "GET", "/xezq/{id}/{file}", delivered, host = FILES, open = true },
  },
}
for _, route in ipairs(directory.routes) do table.insert(replicate.routes, route) end

return replicate
