-- runpod.lua - RunPod for the simulator: queue endpoints, public endpoints, pods and serverless management.
--
-- Any endpoint id exists, but for these: one that begins with "paused" is paused, one that begins with "missing" is not there.
-- An endpoint named like a public model (black-forest-labs-flux-1-schnell) answers with URLs and what the call cost.
local cjson = require "cjson"
local crypto = require "crypto"
local directory = require "sim.runpod_directory"
local media = require "sim.media"
local sim = require "sim.core"

local DATA, MANAGE, FILES = "api.runpod.ai", "api.runpod.io", "image.runpod.ai"
local STATUS = { queued = "IN_QUEUE", running = "IN_PROGRESS", done = "COMPLETED", moderated = "FAILED", failed = "FAILED",
  canceled = "CANCELLED" }
-- What public endpoints cost, as the vendor's own examples were billed: USD a megapixel (of 1,000,000 pixels, not rounded), an
-- image, a second or a video, or by a size or resolution of one. Lists of prices say something else here and there.
local PUBLIC = {
  ["black-forest-labs-flux-1-schnell"] = { megapixel = 0.0024 }, ["black-forest-labs-flux-1-dev"] = { megapixel = 0.02 },
  ["black-forest-labs-flux-1-kontext-dev"] = { megapixel = 0.03 }, ["seedream-v4-t2i"] = { megapixel = 0.027 },
  ["seedream-v4-edit"] = { megapixel = 0.027 }, ["qwen-image-t2i"] = { megapixel = 0.02 },
  ["qwen-image-t2i-lora"] = { megapixel = 0.02 }, ["qwen-image-edit"] = { megapixel = 0.02 },
  ["qwen-image-edit-2511"] = { image = 0.02 }, ["qwen-image-edit-2511-lora"] = { image = 0.025 },
  ["z-image-turbo"] = { image = 0.005 }, ["p-image-t2i"] = { image = 0.005 }, ["p-image-edit"] = { image = 0.01 },
  ["wan-2-6-t2i"] = { image = 0.03 }, ["nano-banana-edit"] = { image = 0.028311 },
  ["nano-banana-pro-edit"] = { image = { ["1k"] = 0.14, ["2k"] = 0.14, ["4k"] = 0.24, default = "2k" } },
  ["google-nano-banana-2-edit"] = { image = { ["1k"] = 0.0875, ["2k"] = 0.13, ["4k"] = 0.175, default = "1k" } },
  ["p-video"] = { second = { ["720p"] = 0.02, ["1080p"] = 0.04, default = "720p" } },
  ["wan-2-5"] = { second = { ["832*480"] = 0.05, ["480*832"] = 0.05, ["1280*720"] = 0.1, ["720*1280"] = 0.1,
    ["1920*1080"] = 0.15, ["1080*1920"] = 0.15, default = "1280*720" } },
  ["wan-2-6-t2v"] = { second = { ["1280*720"] = 0.1, ["720*1280"] = 0.1, ["1920*1080"] = 0.15, ["1080*1920"] = 0.15,
    default = "1280*720" } },
  ["wan-2-6-i2v"] = { second = { ["1280*720"] = 0.1, ["1920*1080"] = 0.15, default = "1280*720" } },
  ["wan-2-1-i2v-720"] = { second = 0.06 }, ["wan-2-2-i2v-720"] = { second = 0.06 }, ["wan-2-2-t2v-720-lora"] = { second = 0.07 },
  ["seedance-v1-5-pro-i2v"] = { second = { ["480p"] = 0.024, ["720p"] = 0.052, default = "720p" } },
  ["kling-v2-1-i2v-pro"] = { second = 0.072 }, ["kling-video-o1-r2v"] = { second = 0.112 }, ["sora-2-i2v"] = { second = 0.1 },
  ["sora-2-pro-i2v"] = { second = { ["720p"] = 0.3, ["1080p"] = 0.5, default = "720p" } },
  ["vidu-q3-t2v"] = { second = 0.15 }, ["vidu-q3-i2v"] = { second = 0.15 },
  ["minimax-hailuo-2-3-fast"] = { second = 0.19 }, ["kling-v2-6-std-motion-control"] = { video = 0.42 },
  ["infinitetalk"] = { video = { ["480p"] = 0.25, ["720p"] = 0.5, default = "480p" } },
}
local RATES = { ["RateLimit"] = '"minute";r=59;t=12, "hour";r=2800;t=1812, "day";r=49500;t=45012',
  ["RateLimit-Policy"] = '"minute";q=60;w=60, "hour";q=3000;w=3600, "day";q=50000;w=86400' }

local pods, endpoints, batches = {}, {}, {}
local PODS = "/pods"

local function problem(status, title, text)
  local headers = { ["Content-Type"] = "application/problem+json" }
  for name, value in pairs(RATES) do headers[name] = value end
  return sim.json(status, { title = title, status = status, detail = text }, headers)
end

local function managed(status, value)
  return sim.json(status, value, RATES)
end

-- Jobs ---------------------------------------------------------------------------------------------------------------------

local function size_of(input)
  local width, height = tostring(input.size or ""):match("^(%d+)[*x](%d+)$")
  return math.tointeger(tonumber(width) or input.width) or 1024, math.tointeger(tonumber(height) or input.height) or 1024
end

local function is_video(public)
  return public.second ~= nil or public.video ~= nil
end

local function at_tier(usd, input)
  if type(usd) ~= "table" then return usd end
  return usd[tostring(input.resolution or input.size or usd.default)] or usd[usd.default]
end

local function price(public, input)
  local width, height = size_of(input)
  local usd = public.megapixel and public.megapixel * width * height / 1000000
    or public.second and at_tier(public.second, input) * (tonumber(input.duration) or 5)
    or at_tier(public.image or public.video, input)
  return math.floor((input.draft == true and usd / 4 or usd) * 1e6 + 0.5) / 1e6
end

local function output_of(job)
  if not job.public then
    local width, height = size_of(job.input)
    return { images = { crypto.base64(media.file("png", job.id, width, height)) }, seed = math.tointeger(job.input.seed) or
      job.n }
  end
  local video = is_video(job.public)
  local url = ("%s/%s/%s/out.%s"):format(job.base, FILES, job.id, video and "mp4" or "png")
  return { cost = job.cost_usd, [video and "video_url" or "image_url"] = url }
end

local function render(job, now)
  local phase = sim.phase(job, now)
  local answer = { id = job.id, status = STATUS[phase] }
  if phase == "queued" then return answer end
  answer.delayTime = math.min(now, job.starts) - job.created
  if phase == "running" then answer.output = "Update 1/3" end
  if phase == "done" or phase == "failed" or phase == "moderated" then
    answer.executionTime, answer.workerId = job.ends - job.starts, "oqk7ao1uomckye"
  end
  if phase == "done" then answer.output = output_of(job) end
  if phase == "moderated" then answer.error = "The prompt was flagged by the content moderation system." end
  if phase == "failed" then
    answer.error = cjson.encode { error_type = "<class 'ValueError'>", error_message = "bad prompt",
      error_traceback = "Traceback (most recent call last):\n ...", hostname = "4m7x2k9q-64411eb2", worker_id = "oqk7ao1uomckye",
      runpod_version = "1.12.0" }
  end
  return answer
end

local function check_endpoint(id)
  if id:match("^missing") then error(sim.json(404, { error = "endpoint not found" })) end
  if id:match("^paused") or endpoints[id] and endpoints[id].workers.max == 0 then
    error(sim.json(409, { code = "ENDPOINT_PAUSED",
      detail = "Endpoint is paused (max_workers=0). Set max_workers > 0 to accept work." }))
  end
end

local function check_policy(policy)
  if not sim.given(policy) then return end
  local function outside(name, low, high)
    local value = policy[name]
    return sim.given(value) and (not math.tointeger(value) or value < low or value > high)
  end
  if outside("executionTimeout", 5000, 604800000) or outside("ttl", 10000, 604800000) then
    error(sim.json(400, { error = "policy: value out of range" }))
  end
end

local function create(request, endpoint, body, prefix, limit)
  if type(body) ~= "table" or type(body.input) ~= "table" then error(sim.json(400,
    { error = "input: this field is required" })) end
  if #request.body > limit then error(sim.json(413, { error = "payload too large" })) end
  check_policy(body.policy)
  local public = PUBLIC[endpoint]
  local id = prefix .. sim.uuid("runpod", sim.next()) .. "-u1"
  local job = sim.submit(request, { id = id, endpoint = endpoint, list = endpoint, input = body.input, webhook = body.webhook,
    public = public, cost_usd = public and price(public, body.input) })
  if sim.given(job.webhook) and not job.never then sim.at(job.ends, job, "completed") end
  return job
end

local function run(request, arguments)
  check_endpoint(arguments.endpoint)
  return sim.json(200, render(create(request, arguments.endpoint, request.json, "", 10485760), request.now))
end

-- Answers when the job ends, at most after `wait` milliseconds.
local function held(job, now, wait)
  local late = job.never or job.ends - now > wait
  local answer = sim.json(200, render(job, late and now or math.max(now, job.ends)))
  answer.delay_ms = late and math.min(wait, 20000) or math.max(0, job.ends - now)
  return answer
end

local function wait_of(request)
  local wait = tonumber(request.query.wait) or 90000
  return math.max(1000, math.min(300000, wait))
end

local function runsync(request, arguments)
  check_endpoint(arguments.endpoint)
  local job = create(request, arguments.endpoint, request.json, "sync-", 20971520)
  return held(job, request.now, wait_of(request))
end

local function find(arguments)
  local job = sim.job("runpod", arguments.id)
  if not job or job.endpoint ~= arguments.endpoint then error(sim.json(404, { error = "job not found" })) end
  return job
end

local function status(request, arguments)
  return sim.json(200, render(find(arguments), request.now))
end

local function status_sync(request, arguments)
  local job = find(arguments)
  if sim.ended(job, request.now) then return sim.json(200, render(job, request.now)) end
  return held(job, request.now, wait_of(request))
end

local function stream(request, arguments)
  local answer = render(find(arguments), request.now)
  local parts = sim.array {}
  if answer.output then parts[1] = { output = answer.output } end
  return sim.json(200, { status = answer.status, stream = parts })
end

local function cancel(request, arguments)
  local job = find(arguments)
  sim.cancel(job, request.now)
  return sim.json(200, { id = job.id, status = STATUS[sim.phase(job, request.now)] })
end

local function retry(request, arguments)
  local job = find(arguments)
  local phase = sim.phase(job, request.now)
  if phase ~= "failed" and phase ~= "moderated" then return sim.json(400, { error = "only failed jobs can be retried" }) end
  local length = job.ends - job.starts
  job.starts, job.ends, job.failed, job.moderated = request.now + 100, request.now + 100 + length, nil, false
  return sim.json(200, { id = job.id, status = "IN_QUEUE" })
end

local function health(request, arguments)
  if arguments.endpoint:match("^missing") then return sim.json(404, { error = "endpoint not found" }) end
  local counts = { queued = 0, running = 0, done = 0, failed = 0, moderated = 0, canceled = 0 }
  for _, job in ipairs(sim.jobs("runpod", arguments.endpoint)) do
    local phase = sim.phase(job, request.now)
    counts[phase] = counts[phase] + 1
  end
  return sim.json(200, { jobs = { completed = counts.done, failed = counts.failed + counts.moderated, inProgress = counts.running,
    inQueue = counts.queued, retried = 0 }, workers = { idle = 1, initializing = 0, ready = 1, running = 0, throttled = 0,
    unhealthy = 0 } })
end

local function purge(request, arguments)
  local removed = 0
  for _, job in ipairs(sim.jobs("runpod", arguments.endpoint)) do
    if sim.phase(job, request.now) == "queued" then
      sim.cancel(job, request.now)
      removed = removed + 1
    end
  end
  return sim.json(200, { removed = removed, status = "completed" })
end

local function batch(request, arguments)
  check_endpoint(arguments.endpoint)
  if type(request.json) ~= "table" or #request.json == 0 then return sim.json(400,
    { error = "a list of requests is required" }) end
  local made = { id = "batch_" .. sim.word(12, "batch", sim.next()), endpoint = arguments.endpoint, created = request.now,
    jobs = {} }
  for _, body in ipairs(request.json) do made.jobs[#made.jobs + 1] = create(request, arguments.endpoint, body, "", 10485760) end
  batches[made.id], made.status = made, "DRAFT"
  return sim.json(200, { id = made.id, status = made.status })
end

local function on_batch(request, arguments)
  local made = batches[arguments.id]
  if not made then return sim.json(404, { error = "batch not found" }) end
  if request.method == "POST" then
    made.status = arguments.action == "cancel" and "CANCELLED" or "FINALIZED"
    return sim.json(200, { id = made.id, status = made.status })
  end
  local counts = { done = 0, running = 0, failed = 0 }
  for _, job in ipairs(made.jobs) do
    local phase = sim.phase(job, request.now)
    if counts[phase] then counts[phase] = counts[phase] + 1 end
  end
  return sim.json(200, { id = made.id, endpointId = made.endpoint, status = made.status, requestTotal = #made.jobs,
    requestInProgress = counts.running, requestCompleted = counts.done, requestFailed = counts.failed, createdAt = made.created })
end

local function get_file(request, arguments)
  local job = sim.job("runpod", arguments.id)
  if not job or sim.phase(job, request.now) ~= "done" then return sim.text(404, "Not Found") end
  local width, height = size_of(job.input)
  local video = job.public and is_video(job.public)
  local bytes = video and media.file("mp4", job.id, 1280, 720, tonumber(job.input.duration) or 5) or
    media.file("png", job.id, width, height)
  return sim.bytes(200, media.sniff(bytes), bytes)
end

local function event(job, _, at)
  local body = render(job, at)
  if sim.phase(job, at) == "canceled" then return nil end
  body.input, body.webhook = job.input, job.webhook
  return { url = job.webhook, json = body, tries = 3, pause_ms = 500, headers = { ["Content-Type"] = "application/json" } }
end

-- Pods and serverless ------------------------------------------------------------------------------------------------------

local POD_FIELDS = sim.set("name", "image", "templateId", "gpu", "cpu", "disk", "env", "ports", "cloud", "dataCenterIds",
  "mounts",
  "startSsh", "startJupyter", "args", "registry", "locked", "globalNetworking", "cudaVersions", "minCudaVersion")
local COSTS = { ["NVIDIA GeForce RTX 4090"] = 0.44, ["NVIDIA H100 80GB HBM3"] = 2.99, ["NVIDIA A100 80GB PCIe"] = 1.64 }
local ACTIONS = { PROVISIONING = { "start", "terminate" }, RUNNING = { "stop", "restart", "terminate" }, EXITED = { "start",
  "terminate" } }

local function pod_view(pod, now)
  local view = {}
  for name, value in pairs(pod.fields) do view[name] = value end
  view.status = pod.status == "PROVISIONING" and now > pod.ready and "RUNNING" or pod.status
  view.actions = ACTIONS[view.status]
  view.cost = view.status == "EXITED" and 0 or pod.cost
  view.runtime = view.status == "RUNNING" and { uptime = (now - pod.ready) // 1000,
    ports = { { private = 22, public = 34446, type = "tcp", ip = "127.0.0.1" } } } or sim.null
  view.startedAt = view.status == "RUNNING" and sim.iso(pod.ready, true) or sim.null
  return view
end

local function or_else(value, default)
  if sim.given(value) then return value end
  return default
end

local function check_pod(body)
  if type(body) ~= "table" then error(problem(400, "Bad Request", "the body must be a JSON object")) end
  for name in pairs(body) do
    if not POD_FIELDS[name] then error(problem(422, "Unprocessable Entity", ("unknown field %q"):format(tostring(name)))) end
  end
  if not sim.given(body.name) then error(problem(422, "Unprocessable Entity", "name is required")) end
  if not sim.given(body.image) and not sim.given(body.templateId) then
    error(problem(422, "Unprocessable Entity", "image or templateId is required"))
  end
  if sim.given(body.gpu) == sim.given(body.cpu) then
    error(problem(422, "Unprocessable Entity", "exactly one of gpu and cpu is required"))
  end
end

local function create_pod(request)
  local body = request.json
  check_pod(body)
  local gpu = sim.given(body.gpu) and body.gpu or nil
  local id = sim.word(10, "pod", sim.next())
  local hourly = gpu and (COSTS[gpu.id] or 0.5) * (gpu.count or 1) or 0.06
  local job = sim.submit(request, { id = id, list = PODS, input = body, hourly = hourly })
  job.never, request.prompt = true, body.name
  local pod = { status = "PROVISIONING", ready = request.now + 300, cost = hourly, job = job, fields = { id = id,
    name = body.name,
    image = or_else(body.image, sim.null), args = "", disk = or_else(body.disk, 20), ports = or_else(body.ports, sim.array {}),
    env = or_else(body.env, {}), registry = sim.null, mounts = or_else(body.mounts, { persistent = { size = 20,
      path = "/workspace" } }),
    cloud = or_else(body.cloud, "SECURE"), dataCenterId = "US-KS-2", cudaVersion = "12.8", template = sim.null, locked = false,
    globalNetworking = { enabled = false }, runtime = sim.null, createdAt = sim.iso(request.now, true) } }
  pod.fields.gpu = gpu and { id = gpu.id, count = gpu.count or 1 } or sim.null
  pods[id] = pod
  return managed(201, pod_view(pod, request.now))
end

local function find_pod(arguments)
  local pod = pods[arguments.id]
  if not pod then error(problem(404, "Not Found", "resource not found")) end
  return pod
end

-- A pod by its seconds, from its creation to its end, rounded up; a worker of one's own by a time that its owner sets.
local function bill(job, phase, now)
  if job.hourly then
    return job.hourly / 3600 * math.max(1, (phase == "canceled" and job.canceled or now) // 1000 - job.created // 1000)
  end
  if phase ~= "done" and (job.public or phase == "queued" or phase == "canceled") then return 0 end
  return job.cost_usd
end

local function end_pod(arguments, now)
  sim.cancel(pods[arguments.id].job, now)
  sim.delist(pods[arguments.id].job)
  pods[arguments.id] = nil
  return sim.empty(204, RATES)
end

local function list_pods(request)
  local list = sim.array {}
  for _, job in ipairs(sim.jobs("runpod", PODS)) do
    if pods[job.id] then list[#list + 1] = pod_view(pods[job.id], request.now) end
  end
  return managed(200, { pods = list })
end

local function get_pod(request, arguments)
  return managed(200, pod_view(find_pod(arguments), request.now))
end

local function delete_pod(request, arguments)
  find_pod(arguments)
  return end_pod(arguments, request.now)
end

local function pod_action(request, arguments)
  local pod, action = find_pod(arguments), type(request.json) == "table" and request.json.action
  local status_now, allowed = pod_view(pod, request.now).status, false
  for _, name in ipairs(ACTIONS[status_now]) do allowed = allowed or name == action end
  if not allowed then return problem(409, "Conflict", ("action %s is not allowed while %s"):format(tostring(action),
    status_now)) end
  if action == "terminate" then return end_pod(arguments, request.now) end
  if action == "stop" then pod.status = "EXITED" else pod.status, pod.ready = "PROVISIONING", request.now + 300 end
  return managed(200, pod_view(pod, request.now))
end

local function create_serverless(request)
  local body = request.json
  if type(body) ~= "table" or not sim.given(body.type) or not sim.given(body.name) then
    return problem(422, "Unprocessable Entity", "name and type are required")
  end
  local id = sim.word(8, "endpoint", sim.next())
  local at = ("%s/%s/v2/%s/"):format(request.base, DATA, id)
  endpoints[id] = { id = id, name = body.name, type = body.type, requestUrls = { run = at .. "run", runSync = at .. "runsync",
    status = at .. "status/{job_id}", stream = at .. "stream/{job_id}", cancel = at .. "cancel/{job_id}", retry = at ..
      "retry/{job_id}",
    purgeQueue = at .. "purge-queue", health = at .. "health" }, workers = or_else(body.workers, { min = 0, max = 3,
      idleTimeout = 5 }),
    timeout = or_else(body.timeout, 300000), flashboot = "OFF", createdAt = sim.iso(request.now, true) }
  return managed(201, endpoints[id])
end

local function patch_serverless(request, arguments)
  local endpoint = endpoints[arguments.id] or { workers = { min = 0, max = 3, idleTimeout = 5 } }
  local workers = { min = endpoint.workers.min, max = endpoint.workers.max, idleTimeout = endpoint.workers.idleTimeout }
  for name, value in pairs(request.json and request.json.workers or {}) do workers[name] = value end
  endpoint.workers, endpoints[arguments.id] = workers, endpoint
  return managed(200, { id = arguments.id, workers = workers })
end

local function delete_serverless(_, arguments)
  endpoints[arguments.id] = nil
  return sim.empty(204, RATES)
end

local authorization = sim.authorization("Bearer", function(request)
  if request.host ~= MANAGE then return sim.json(401, { error = "unauthorized" }) end
  return sim.json(401, { title = "Unauthorized", status = 401, detail = "missing bearer token" },
    { ["Content-Type"] = "application/problem+json" })
end)

local function say(data, management)
  return function(request)
    if request.host == MANAGE then return management() end
    return data()
  end
end

local EP = "/v2/{endpoint}/"

local runpod = {
  provider = "runpod",
  hosts = { DATA, "*.api.runpod.ai", MANAGE, FILES, "rest.runpod.io" },
  auth = authorization,
  faults = {
    ["429"] = say(function() return sim.json(429, { error = "too many requests" }, { ["Retry-After"] = "1" }) end, function()
      local answer = problem(429, "Too Many Requests", "rate limit exceeded for the minute window")
      answer.headers["Retry-After"] = "2"
      return answer
    end),
    ["5xx"] = say(function() return sim.empty(500) end, function() return problem(500, "Internal Server Error",
      "unexpected error") end),
    out_of_credit = say(function() return sim.json(402, { error = "insufficient balance" }) end,
      function() return problem(402, "Payment Required", "insufficient balance") end),
  },
  missing = say(function() return sim.json(404, { error = "not found" }) end,
    function() return problem(404, "Not Found", "resource not found") end),
  event = event, bill = bill,
  routes = {
    { "POST", "/v2/pods", create_pod, host = MANAGE },
    { "GET", "/v2/pods", list_pods, host = MANAGE },
    { "GET", "/v2/pods/{id}", get_pod, host = MANAGE },
    { "DELETE", "/v2/pods/{id}", delete_pod, host = MANAGE },
    { "POST", "/v2/pods/{id}/action", pod_action, host = MANAGE },
    { "POST", "/v2/serverless", create_serverless, host = MANAGE },
    { "PATCH", "/v2/serverless/{id}", patch_serverless, host = MANAGE },
    { "DELETE", "/v2/serverless/{id}", delete_serverless, host = MANAGE },
    { "POST", EP .. "run", run, host = DATA },
    { "POST", EP .. "runsync", runsync, host = DATA },
    { "GET", EP .. "status/{id}", status, host = DATA },
    { "*", EP .. "status-sync/{id}", status_sync, host = DATA },
    { "GET", EP .. "stream/{id}", stream, host = DATA },
    { "POST", EP .. "cancel/{id}", cancel, host = DATA },
    { "POST", EP .. "retry/{id}", retry, host = DATA },
    { "POST", EP .. "purge-queue", purge, host = DATA },
    { "GET", EP .. "health", health, host = DATA },
    { "POST", EP .. "batch", batch, host = DATA },
    { "GET", EP .. "batch/{id}", on_batch, host = DATA },
    { "POST", EP .. "batch/{id}/{action}", on_batch, host = DATA },
    { "GET", "/{id}/{name}", get_file, host = FILES, open = true },
  },
}
for _, route in ipairs(directory.routes) do table.insert(runpod.routes, route) end

return runpod
