-- A host with everything on it that Studio must be able to show, against a simulator: some days of history, jobs of every
-- status, long prompts, outputs of every kind and one that was lost, a budget partly used and reserved, webhooks with parked
-- deliveries, a script that does not load.
--
--   local scene = require("spec.support.studio_scene").start { rows = 400, days = 6 }
--   scene.host, scene.simulator
--   scene.jobs.unknown                    -- ids of jobs, by what is to be seen of them: make_endings and make_open below
--   scene.hooks.parked                    -- ids of webhooks: good, parked, waiting
--   scene:remove()
--
-- The past is made by a clock that is wrong (clock.lua), so the ledger, the events and the deliveries are the host's own work.
-- Then the host is started again on the same port with the right time, and the simulator with other faults.
local clock = require "spec.support.clock"
local keys = require "spec.support.keys"
local start = require("spec.support.host").start
local support = require "spec.support.live"

local DAY = 86400
local FAST = { "--job-time", "60" }
-- Since a fault is a provider's, each status has providers of its own.
local FAULTS = {
  "--job-time", "60", "--fault", "luma:never_ending:1", "--fault", "runway:never_ending:1",
  "--fault", "pika:reset_after:1:POST", "--fault", "stability:moderated:1",
  "--fault", "hf_inference_endpoints:5xx:1",
}

local LONG = "A wide shot of a harbour before dawn, seen from the top of a crane: fishing boats with their lamps on, wet stone" ..
  " gulls asleep on the bollards, thin fog between the masts, a single bicycle leaning against a net. Muted greens and greys," ..
  " one warm window on the far side. 35 mm, long exposure, no people, no text. " ..
  ("The water is quite still and carries every light twice. "):rep(12)
local PROMPTS = {
  "a lighthouse at night, oil on canvas", "paper boats on a black lake", "city in the rain, neon, 35 mm",
  "portrait in charcoal, three quarters, soft light from the left", "a slow pan over a harbour", "waves at dusk",
  "übermütige Füchse im Schnee, Aquarell", "雪の中の赤い鳥居、長時間露光", "a tram, seen from above", LONG,
  "a cat asleep on a warm engine", "isometric greenhouse, cutaway, morning", "ink sketch of a mountain pass",
  "ceramic teapot, studio light, product photograph", "a very small robot reading a newspaper",
}

-- A provider with the outputs that a job asks for.
local CLAY = [[
return {
  id = "clay", kind = "image", name = "Clay, of your own",
  capabilities = {}, pricing = { as_of = "2026-11-20", source = "the scene" },
  credentials = { api_key = { secret = { "api_key" } } },
  base_url = "https://clay.example/v1", outputs = { "files.clay.example" },
  auth = { Authorization = "Key {api_key}" },
  estimate = function() return { expected = 0.01, low = 0.01, high = 0.02, unit = "job", quantity = 1, source = "the scene" } end,
  health = function() return { ok = true } end,
  submit = function(payload, ctx)
    local _, failure = ctx.request { method = "POST", path = "/jobs", json = { prompt = payload.prompt } }
    if failure then return { status = "error", error = { code = "vendor", message = failure.message } } end
    return { id = "clay-1", status = "done", artifacts = payload.outputs, cost = { usd = 0.01, source = "vendor" } }
  end,
  poll = function(job) return { id = job.vendor_id, status = "unknown" } end,
}
]]
local DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJR" ..
  "U5ErkJggg=="
local BROKEN = [[
-- A script that somebody is still writing.
local inputs = require "inputs"

return {
  id = "flower", kind = "image",
  estimate = function(payload)
    return { expected = payload.count * 0.02 high = 0.1 }
  end,
}
]]

local Scene = {}
Scene.__index = Scene

-- The parts ---------------------------------------------------------------------------------------------------------------

local function settings(self, options)
  local config = support.config("http://" .. self.upstream)
  config.live.budget_usd = { per_day = 12, per_month = 150 }
  for _, provider in pairs(config.live.providers) do
    provider.budget_usd = { per_day = 6, per_month = 60 }
    provider.max_concurrent = 3
  end
  config.live.providers.luma.max_concurrent = 1
  config.live.providers.stability.budget_usd = { per_day = 0.05, per_month = 20 }
  config.live.providers.clay = { enabled = true, budget_usd = { per_day = 2, per_month = 20 }, rate_per_minute = 6000,
    max_concurrent = 4, base_url = ("http://127.0.0.1:%d/clay.example/v1"):format(self.vendor.port) }
  config.hooks = { enabled = true, allow_loopback = true }
  config.directory = { enabled = true, providers = { fal = { enabled = true } } }
  if options.keys then
    config.server.api_keys = {}
    for i, name in ipairs(options.keys) do
      config.server.api_keys[i] = type(name) == "table" and name or keys.entry(name)
    end
  end
  if options.config then options.config(config) end
  return config
end

local function start_simulator(self, further)
  if self.simulator then self.simulator:remove() end
  local arguments = { "simulate", "--listen", self.upstream, "--seed", "7" }
  for _, argument in ipairs(further) do arguments[#arguments + 1] = argument end
  self.simulator = start { arguments = arguments, config = "" }
end

local function lua_program(file, ...)
  local env = { LUA_PATH = os.getenv("LUA_PATH") or ";;" }
  return start { program = "/usr/bin/lua5.4", arguments = { file, ... }, config = "", env = env }
end

local function start_host(self, options)
  local secrets = { clay = { api_key = "planted-clay" } }
  for id, values in pairs(support.SECRETS) do secrets[id] = values end
  self.clock = clock.new()
  local env = { PROVIDERD_TEST_HURRY = "40" }
  for name, value in pairs(self.clock and self.clock.env or {}) do env[name] = value end
  if self.clock then self.clock:wall(-options.days * DAY) end
  self.host = start {
    config = settings(self, options), secrets = secrets, listen = options.listen or support.address(), env = env,
    scripts = true, files = { ["providers/clay.lua"] = CLAY, ["providers/flower.lua"] = BROKEN },
  }
end

-- Jobs --------------------------------------------------------------------------------------------------------------------

local IDS = { "fal", "stability", "runway", "pika", "luma", "replicate", "modal", "runpod" }

local function request(self, method, path, body)
  local answer = self.host:request(method, path, body, self.headers)
  assert(answer.status < 300, path .. ": " .. answer.body)
  return answer.json
end

local function path_of(id)
  return ("/api/providers/%s/%s/submit"):format(support.KINDS[id] or "image", id)
end

local function body_of(id, prompt, dry)
  local body = support.JOBS[id] and support.body(id) or {}
  body.dry_run = dry
  if not body.job then body.prompt = prompt end
  if body.job and body.job.input then
    body.job = { model = body.job.model, endpoint_id = body.job.endpoint_id, input = { prompt = prompt } }
  end
  return body
end

function Scene:submit(id, changes)
  local body = body_of(id, changes and changes.prompt or PROMPTS[1], false)
  for name, value in pairs(changes or {}) do body[name] = value end
  return request(self, "POST", path_of(id), body).job_id
end

function Scene:job(job_id)
  return request(self, "GET", "/api/jobs/status/" .. job_id)
end

function Scene:becomes(job_id, status)
  self.host:eventually(function() return self:job(job_id).status == status end)
  return job_id
end

local function wait_for_all(self)
  self.host:eventually(function()
    local jobs = request(self, "GET", "/api/live").jobs
    return jobs.queued + jobs.sending + jobs.sent == 0
  end)
end

-- A day of the past: many dry runs, and some jobs that were paid.
local function live_through(self, day, rows, count)
  for i = 1, count do
    local id = IDS[(i + day) % #IDS + 1]
    if id ~= "stability" then self:submit(id, { prompt = PROMPTS[(i * 7 + day) % #PROMPTS + 1] }) end
  end
  for i = 1, rows do
    local id = IDS[(i * 5 + day) % #IDS + 1]
    request(self, "POST", path_of(id), body_of(id, PROMPTS[(i * 3 + day) % #PROMPTS + 1], true))
  end
  wait_for_all(self)
end

local function make_past(self, options)
  for day = options.days, 0, -1 do
    for part = 0, 2 do
      if self.clock then self.clock:wall(-day * DAY - (day == 0 and 900 * (3 - part) or -part * DAY // 4)) end
      live_through(self, day * 3 + part, options.rows // (options.days + 1) // 3, (day * 5 + part * 3) % 6 + 1)
    end
  end
end

-- Webhooks ------------------------------------------------------------------------------------------------------------------

local function register(self, url)
  return request(self, "POST", "/api/modder/hooks/webhooks", { url = url, events = { "public.image.*" } }).id
end

-- Before the past: what cannot be delivered for a day is parked.
local function make_early_hooks(self)
  self.receiver = lua_program("spec/support/receiver.lua")
  self.hooks = { good = register(self, ("http://127.0.0.1:%d/hook/good"):format(self.receiver.port)) }
  self.hooks.parked = register(self, "http://" .. support.address() .. "/hook/away")
end

-- The present -----------------------------------------------------------------------------------------------------------------

local function make_endings(self, jobs)
  jobs.done = self:becomes(self:submit("fal", { prompt = LONG, parameters = { samples = 2 } }), "done")
  jobs.sound = self:becomes(self:submit("fal", { prompt = "rain on a tin roof", model = "fal-ai/stable-audio", max_cost_usd = 0.2,
    parameters = {} }), "done")
  jobs.video = self:becomes(self:submit("fal", { prompt = "a slow pan over a harbour", max_cost_usd = 1,
    model = "fal-ai/kling-video/v2.5-turbo/pro/text-to-video" }), "done")
  jobs.moderated = self:becomes(self:submit("stability", { prompt = "what a vendor does not like" }), "error")
  jobs.error = self:becomes(self:submit("hf_inference_endpoints"), "error")
  jobs.outputs = self:becomes(self:submit("clay", { prompt = "a text, a figure and a picture", outputs = {
    { text = "A short text, as a model writes it.\nOn two lines." }, { json = { score = 0.93, label = "harbour" } },
    { data_uri = DOT, filename = "dot.png" } } }), "done")
  jobs.lost = self:becomes(self:submit("clay", { prompt = "one output came too late", outputs = {
    { data_uri = DOT, filename = "dot.png" }, { url = "https://files.clay.example/gone.png" } } }), "done")
end

local function make_open(self, jobs)
  jobs.unknown = self:becomes(self:submit("pika", { prompt = "paper boats on a black lake" }), "unknown")
  jobs.running = self:becomes(self:submit("runway", { prompt = "a slow pan over a harbour, gulls, first light" }), "running")
  jobs.canceled = self:becomes(self:submit("runway", { prompt = "a take that was not needed" }), "running")
  request(self, "POST", "/api/jobs/" .. jobs.canceled .. "/cancel")
  self:becomes(jobs.canceled, "canceled")
  self:becomes(self:submit("luma", { prompt = "waves at dusk" }), "running")
  jobs.queued = self:submit("luma", { prompt = LONG })
  self:submit("luma", { prompt = "waves at noon" })
  jobs.dry = request(self, "POST", path_of "fal", body_of("fal", "a lighthouse, test", true)).job_id
end

local function start_again(self, env)
  self.host:stop()
  self.host.env = env
  self.host:start_again()
end

local function make_present(self)
  start_simulator(self, FAULTS)
  start_again(self, { PROVIDERD_TEST_HURRY = "40" })
  self.jobs = {}
  make_endings(self, self.jobs)
  make_open(self, self.jobs)
  self.hooks.waiting = register(self, "http://" .. support.address() .. "/hook/later")
  self:submit("fal", { prompt = "a cat asleep on a warm engine" })
  start_again(self, nil) -- from now on in the pace of every day
end

-- ---------------------------------------------------------------------------------------------------------------------------

local module = { LONG = LONG }

local function build(self, options)
  self.upstream = support.address()
  self.vendor = lua_program("spec/support/odd_vendor.lua")
  start_simulator(self, FAST)
  start_host(self, options)
  make_early_hooks(self)
  make_past(self, options)
  make_present(self)
end

--- Starts it. options: days and rows of history, keys (of which the first must be able to do all), config (changes it), listen.
function module.start(options)
  local all = { days = 6, rows = 300 }
  for name, value in pairs(options or {}) do all[name] = value end
  local self = setmetatable({}, Scene)
  if all.keys then self.headers = keys.headers(type(all.keys[1]) == "table" and all.keys[1].name or all.keys[1]) end
  local ok, problem = pcall(build, self, all)
  if ok then return self end
  pcall(self.remove, self)
  error(problem, 0)
end

function Scene:remove()
  if self.host then self.host:remove() end
  if self.simulator then self.simulator:remove() end
  for _, program in ipairs { self.vendor, self.receiver } do
    program:kill()
    program:remove()
  end
  if self.clock then self.clock:remove() end
end

return module
