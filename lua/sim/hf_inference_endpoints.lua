-- hf_inference_endpoints.lua - Hugging Face for the simulator: management of endpoints, and inference on any endpoint's host.
--
-- Any endpoint exists and runs. A host or name that begins with "paused" is paused; one that begins with "cold" is scaled to
-- zero: the first request is 503 at once and wakes it, after a second it serves.
local crypto = require "crypto"
local directory = require "sim.hf_directory"
local media = require "sim.media"
local sim = require "sim.core"

local API, HUB, HOSTS = "api.endpoints.huggingface.cloud", "huggingface.co", "*.endpoints.huggingface.cloud"
local WAKE_MS, START_MS = 1000, 500
local OWNER = { id = "6273f303f6d63a28483fde12", name = "alice" }

local endpoints, woken = {}, {}

local function refuse(status, text, code)
  return sim.json(status, { error = text, code = code })
end

-- Management ---------------------------------------------------------------------------------------------------------------

local function make(name, namespace, body, now)
  local model = type(body.model) == "table" and body.model or {}
  local endpoint = { name = name, namespace = namespace, changed = now, created = now, state = "running",
    type = body.type or "private", provider = body.provider or { vendor = "aws", region = "us-east-1" },
    compute = body.compute or { accelerator = "gpu", instanceType = "nvidia-l40s", instanceSize = "x1",
      scaling = { minReplica = 0, maxReplica = 1, scaleToZeroTimeout = 15 } },
    model = { repository = model.repository or "black-forest-labs/FLUX.1-schnell", revision = sim.hash("revision"):sub(1, 40),
      task = model.task or "text-to-image", framework = model.framework or "pytorch", image = model.image or { huggingface = {} },
      secrets = {} } }
  if name:match("^paused") then endpoint.state = "paused" elseif name:match("^cold") then endpoint.state = "scaledToZero" end
  endpoint.deployed = endpoint.state ~= "running" -- it ran once, so it has its URL
  endpoints[namespace .. "/" .. name] = endpoint
  return endpoint
end

local function host_of(endpoint)
  local place, name = endpoint.provider, endpoint.name
  local label = name:match("^paused[%w-]*$") or name:match("^cold[%w-]*$") or sim.word(16, "host", endpoint.namespace, name)
  return ("%s.%s.%s.endpoints.huggingface.cloud"):format(label, place.region, place.vendor)
end

local function state_of(endpoint, now)
  local age = now - endpoint.changed
  local woke = endpoint.state == "scaledToZero" and woken[host_of(endpoint)]
  if woke then return now - woke < WAKE_MS and "initializing" or "running" end
  if endpoint.state ~= "starting" then return endpoint.state end
  if age > START_MS then return "running" end
  return age > START_MS // 2 and "initializing" or "pending"
end

local MESSAGES = { running = "Endpoint is ready", pending = "Endpoint waiting to be scheduled" }

local function view(endpoint, base, now)
  local state = state_of(endpoint, now)
  local up = state == "running"
  local status = { createdAt = sim.iso(endpoint.created), createdBy = OWNER, updatedAt = sim.iso(endpoint.changed),
    updatedBy = OWNER,
    private = sim.null, state = state, message = MESSAGES[state] or "", readyReplica = up and 1 or 0,
    targetReplica = (up or state == "initializing") and 1 or 0 }
  if up or endpoint.deployed then
    endpoint.deployed = true
    status.url = base .. "/" .. host_of(endpoint)
  end
  return { name = endpoint.name, type = endpoint.type, accountId = sim.null, provider = endpoint.provider,
    healthRoute = "/health",
    compute = endpoint.compute, model = endpoint.model, status = status }
end

local function find(request, arguments)
  return endpoints[arguments.namespace .. "/" .. arguments.name] or make(arguments.name, arguments.namespace, {}, request.now)
end

local function create(request, arguments)
  local body = request.json
  if type(body) ~= "table" or type(body.name) ~= "string" then return refuse(400, "Bad Request: name is required",
    "BAD_REQUEST") end
  if body.type == "protected" then return refuse(400, "Bad Request: type `protected` is not supported", "BAD_REQUEST") end
  if request.fault == "out_of_credit" or next(body, next(body)) == nil then -- nothing but a name: no plan, no payment method
    request.fault_used = request.fault == "out_of_credit"
    return refuse(403, "Forbidden: Payment method required for namespace: " .. arguments.namespace, "FORBIDDEN")
  end
  local endpoint = make(body.name, arguments.namespace, body, request.now)
  endpoint.state = "starting"
  return sim.json(202, view(endpoint, request.base, request.now))
end

local function list(request, arguments)
  local items = sim.array {}
  for _, endpoint in pairs(endpoints) do
    if endpoint.namespace == arguments.namespace then items[#items + 1] = view(endpoint, request.base, request.now) end
  end
  return sim.json(200, { items = items })
end

local function get(request, arguments)
  return sim.json(200, view(find(request, arguments), request.base, request.now))
end

local function merge(into, from)
  for name, value in pairs(from) do
    if type(value) == "table" and type(into[name]) == "table" then merge(into[name], value) else into[name] = value end
  end
end

local function update(request, arguments)
  local endpoint = find(request, arguments)
  if type(request.json) == "table" then merge(endpoint.compute, request.json.compute or {}) end
  return get(request, arguments)
end

local function remove(_, arguments)
  endpoints[arguments.namespace .. "/" .. arguments.name] = nil
  return sim.empty(200)
end

local STATES = { pause = "paused", ["scale-to-zero"] = "scaledToZero", resume = "starting" }

local function change(request, arguments)
  local endpoint = find(request, arguments)
  local state = STATES[arguments.action]
  if not state then return refuse(404, "Not Found", "NOT_FOUND") end
  view(endpoint, request.base, request.now)
  if state == "starting" and state_of(endpoint, request.now) == "running" then
    return refuse(400, "Bad Request: Endpoint is already running", "BAD_REQUEST")
  end
  if state == "starting" and endpoint.state == "starting" then return get(request, arguments) end
  endpoint.state, endpoint.changed = state, request.now - (state == "starting" and START_MS // 2 + 1 or 0)
  return get(request, arguments)
end

local function hardware()
  return sim.json(200, { vendors = { { name = "aws", status = "available", regions = { { name = "us-east-1",
    label = "N. Virginia",
    status = "available", computes = { { id = "aws-us-east-1-nvidia-l4-x1", accelerator = "gpu", numAccelerators = 1, numCpus = 7,
    memoryGb = 30, gpuMemoryGb = 24, instanceType = "nvidia-l4", instanceSize = "x1", architecture = "Nvidia L4",
      status = "available",
    pricePerHour = 0.8, quota = { maxAccelerators = 16, usedAccelerators = 1 } } } } } } } })
end

local function whoami()
  return sim.json(200, { type = "user", id = OWNER.id, name = "alice", fullname = "Alice", email = "a@example.com",
    emailVerified = true,
    isPro = false, canPay = true, periodEnd = sim.null, avatarUrl = "", orgs = sim.array {}, auth = { type = "access_token",
    accessToken = { displayName = "gw", role = "fineGrained", createdAt = "2026-01-01T00:00:00.000Z" } } })
end

-- Inference ----------------------------------------------------------------------------------------------------------------

local function check_state(request)
  if request.host:match("^paused") then
    error(refuse(400, "Bad Request: The endpoint is paused, ask a maintainer to restart it", "BAD_REQUEST"))
  end
  if not request.host:match("^cold") then return end
  local since = woken[request.host]
  woken[request.host] = since or request.now
  if request.now - woken[request.host] < WAKE_MS and not request.headers["x-scale-up-timeout"] then
    error(refuse(503, "503 Service Unavailable", "SERVICE_UNAVAILABLE"))
  end
end

-- Registers the job that a call is; its answer is held until it would be done.
local function held(request, answer_of)
  check_state(request)
  local job = sim.submit(request, { id = sim.uuid("hf", sim.next()) })
  local answer
  if job.moderated then
    answer = sim.json(422, { error = "The input was flagged by the safety checker", error_type = "validation" })
  else
    answer = answer_of(job)
  end
  answer.delay_ms = job.never and 600000 or job.ends - job.created
  return answer
end

local function number(parameters, name, default)
  return math.tointeger(parameters[name]) or default
end

local function infer(request)
  local body = request.json
  local kind = request.headers["content-type"] or ""
  if request.host == API then return refuse(404, "Not Found", "NOT_FOUND") end
  if kind:match("^audio/") then return held(request, function() return sim.json(200, { text = "hello world" }) end) end
  if type(body) ~= "table" then return sim.json(400, { error = "Body needs to be JSON", error_type = "validation" }) end
  if not sim.given(body.inputs) then
    return sim.json(422, { error = "Input validation error: `inputs` is required", error_type = "validation" })
  end
  local parameters = type(body.parameters) == "table" and body.parameters or {}
  return held(request, function(job)
    local accept = request.headers.accept or ""
    local format = accept:find("jpeg", 1, true) and "jpeg" or accept:find("webp", 1, true) and "webp" or "png"
    local bytes = media.file(format, job.id, number(parameters, "width", 512), number(parameters, "height", 512))
    if accept:find("^application/json") then return sim.json(200, { data = { { b64_json = crypto.base64(bytes) } } }) end
    return sim.bytes(200, media.type(format), bytes)
  end)
end

local function check_model(request)
  local body = request.json
  if type(body) ~= "table" then error(sim.json(400, { error = "Body needs to be JSON", error_type = "validation" })) end
  if body.model == "tgi" then
    error(sim.json(404, { error = { message = "The model `tgi` does not exist.", type = "NotFoundError", param = "model",
      code = 404 } }))
  end
  return body
end

local USAGE = { prompt_tokens = 1, completion_tokens = 1, total_tokens = 2 }

local function chat(request)
  local body = check_model(request)
  if type(body.messages) ~= "table" then return sim.json(422, { error = "Input validation error: `messages` is required",
    error_type = "validation" }) end
  return held(request, function(job)
    if body.stream == true then
      return sim.bytes(200, "text/event-stream",
        'data: {"choices":[{"index":0,"delta":{"content":"4"}}]}\n\ndata: [DONE]\n\n')
    end
    return sim.json(200, { id = "chatcmpl-" .. job.n, object = "chat.completion", model = body.model or "/repository",
      usage = USAGE,
      choices = { { index = 0, message = { role = "assistant", content = "hello" }, finish_reason = "stop" } } })
  end)
end

local function complete(request)
  local body = check_model(request)
  if type(body.prompt) ~= "string" then return sim.json(422, { error = "Input validation error: `prompt` is required",
    error_type = "validation" }) end
  return held(request, function(job)
    return sim.json(200, { id = "cmpl-" .. job.n, object = "text_completion", model = body.model or "/repository", usage = USAGE,
      choices = { { index = 0, text = "hello", finish_reason = "stop" } } })
  end)
end

local function embed(request)
  local body = check_model(request)
  local input = type(body.input) == "table" and body.input or { body.input }
  if #input > 32 then return sim.json(413, { error = "batch size " .. #input .. " > maximum allowed batch size 32",
    error_type = "Validation" }) end
  return held(request, function()
    local data = sim.array {}
    for i = 1, #input do data[i] = { object = "embedding", index = i - 1, embedding = { i / 100 } } end
    return sim.json(200, { object = "list", data = data, model = "/repository", usage = { prompt_tokens = 6, total_tokens = 6 } })
  end)
end

local function healthy(request)
  check_state(request)
  return sim.empty(200)
end

local PREFIX = "/v2/endpoint/{namespace}"

local hf = {
  provider = "hf_inference_endpoints",
  bill = function() return nil end, -- the endpoint's time is billed, not requests
  hosts = { API, HUB, HOSTS, directory.router },
  auth = sim.authorization("Bearer", function(request)
    if request.host == HUB then return sim.json(401, { error = "Invalid username or password." },
      { ["x-request-id"] = "Root=1-abc" }) end
    return refuse(401, "401 Unauthorized", "UNAUTHORIZED")
  end),
  faults = {
    ["429"] = function(request)
      if request.host == API then
        return sim.json(429, { error = "Too Many Requests", code = "TOO_MANY_REQUESTS" },
          { ["RateLimit"] = '"api";r=0;t=1', ["Retry-After"] = "1" })
      end
      return sim.json(429, { error = "Model is overloaded", error_type = "overloaded" })
    end,
    ["5xx"] = function() return sim.text(500, "Internal Server Error") end,
    out_of_credit = function() return refuse(403, "Forbidden: Payment method required for namespace: alice", "FORBIDDEN") end,
  },
  missing = function() return refuse(404, "Not Found", "NOT_FOUND") end,
  routes = {
    { "GET", "/api/whoami-v2", whoami, host = HUB },
    { "GET", PREFIX, list, host = API },
    { "POST", PREFIX, create, host = API },
    { "GET", PREFIX .. "/{name}", get, host = API },
    { "PUT", PREFIX .. "/{name}", update, host = API },
    { "DELETE", PREFIX .. "/{name}", remove, host = API },
    { "POST", PREFIX .. "/{name}/{action}", change, host = API },
    { "GET", "/v2/provider/{namespace}", hardware, host = API },
    { "GET", "/health", healthy, host = HOSTS },
    { "POST", "/v1/chat/completions", chat, host = HOSTS },
    { "POST", "/v1/completions", complete, host = HOSTS },
    { "POST", "/v1/embeddings", embed, host = HOSTS },
    { "POST", "/{path...}", infer, host = HOSTS },
    { "POST", "/", infer, host = HOSTS },
  },
}
for _, route in ipairs(directory.routes) do table.insert(hf.routes, route) end

return hf
