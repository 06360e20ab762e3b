-- A simulator and a host that is live with it: every switch on, a key for each vendor, a budget.
--
--   local live = require("spec.support.live").start {
--     simulate = { "--fault", "fal:reset_after:1" },           -- further arguments of the simulator
--     simulator = another.simulator,                           -- one that runs, in place of a new one
--     config = function(config) config.live.budget_usd.per_day = 1 end,   -- changes before the host starts
--     listen = "127.0.0.1:8009",                               -- else a free port at every start
--     env = { ... },                                           -- the host's, not the simulator's
--     hurry = 10,                                              -- the host's pauses between a job's requests are so much shorter
--   }
--   live:submit("fal")            -- the provider's job of JOBS below, live; `changes` goes over the body
--   live:ended(job_id)            -- waits for its end and returns it
--   live:remove()
local exact = require "spec.support.exact_json"
local socket = require "socket"
local start = require("spec.support.host").start

local support = {}

support.KINDS = {
  runpod = "gpu/public", hf_inference_endpoints = "gpu/public", replicate = "gpu/public", modal = "gpu/public",
  stability = "image", fal = "image", runway = "video", pika = "video", luma = "video",
}

support.SECRETS = {
  runpod = { api_key = "rpa_PLANTEDPLANTEDPLANTED1" }, hf_inference_endpoints = { api_token = "hf_plantedplantedplanted2" },
  replicate = { api_key = "r8_plantedplantedplantedplantedplanted3" },
  modal = { token_id = "wk-plantedplanted4", token_secret = "ws-plantedplanted5" },
  stability = { api_key = "sk-plantedplantedplantedplanted6" }, fal = { api_key = "11111111-2222:plantedplanted7" },
  runway = { api_key = "key_plantedplantedplanted8" }, pika = { api_key = "33333333-4444:plantedplanted9" },
  luma = { api_key = "luma-plantedplantedplanted10" },
}

--- A job for each provider, all nine for less than a dollar (spec/demo.lua). If its price is not known it says what it may cost.
support.JOBS = {
  runpod = { job = { endpoint_id = "abc123", input = { prompt = "a lighthouse" } }, max_cost_usd = 0.05 },
  hf_inference_endpoints = {
    job = { url = "https://abc.us-east-1.aws.endpoints.huggingface.cloud", inputs = "a lighthouse" }, max_cost_usd = 0.05,
  },
  replicate = { job = { model = "black-forest-labs/flux-schnell", input = { prompt = "a lighthouse" } }, max_cost_usd = 0.05 },
  modal = { job = { url = "https://me--app-fn.modal.run", body = { prompt = "a lighthouse" } }, max_cost_usd = 0.05 },
  stability = { prompt = "a lighthouse" }, fal = { prompt = "a lighthouse" }, pika = { prompt = "a lighthouse" },
  runway = { prompt = "a lighthouse", parameters = { duration = 2 } },
  luma = { prompt = "a lighthouse", model = "ray-flash-2", parameters = { resolution = "540p", duration = 5 } },
}

--- What of the hosts on which strangers have names gets the credential all the same.
support.HOSTS = {
  modal = { "me--*.modal.run", "acme--*.modal.run" }, hf_inference_endpoints = { "*.us-east-1.aws.endpoints.huggingface.cloud" },
}

-- JSON without its nulls: what is not known is absent.
local function plain(value)
  if type(value) ~= "table" then return value end
  for name, item in pairs(value) do
    if item == exact.null then value[name] = nil else plain(item) end
  end
  return value
end

local Live = {}
Live.__index = Live

-- A number that no other process draws too: long runs seed math.random, and some of them run side by side with one seed.
local function drawn(low, high)
  local urandom <close> = assert(io.open("/dev/urandom", "rb"))
  return low + string.unpack("I4", urandom:read(4)) % (high - low + 1)
end

--- An address that a host may listen on, known before it does. Below the ports that the kernel gives away by itself, so nothing
--- that runs beside it takes it meanwhile.
function support.address()
  for _ = 1, 1000 do
    local port = drawn(10000, 32000)
    local server = socket.bind("127.0.0.1", port)
    if server then
      server:close()
      return "127.0.0.1:" .. port
    end
  end
  error("no port is free")
end

function support.config(upstream)
  local function budget() return { per_day = 1000, per_month = 1000 } end
  local providers = {}
  for id in pairs(support.KINDS) do
    providers[id] = {
      enabled = true, budget_usd = budget(), rate_per_minute = 6000, max_concurrent = 100, hosts = support.HOSTS[id],
    }
  end
  return {
    features = { enable_public_gpu = true, enable_public_image_video = true },
    live = { enabled = true, upstream = upstream, budget_usd = budget(), providers = providers },
    server = { threads = 32 },
  }
end

function support.start(options)
  options = options or {}
  local self = setmetatable({}, Live)
  local arguments = { "simulate", "--listen", "127.0.0.1:0", "--seed", "7" }
  for _, argument in ipairs(options.simulate or {}) do arguments[#arguments + 1] = argument end
  self.simulator = options.simulator or start { arguments = arguments, config = "" }
  self.settings = support.config("http://127.0.0.1:" .. self.simulator.port)
  if options.config then options.config(self.settings) end
  local env = { PROVIDERD_TEST_HURRY = options.hurry and tostring(options.hurry) }
  for name, value in pairs(options.env or {}) do env[name] = value end
  self.host = start {
    config = self.settings, secrets = options.secrets or support.SECRETS, scripts = options.scripts, listen = options.listen,
    env = env,
  }
  return self
end

function Live:remove()
  self.host:remove()
  self.simulator:remove()
end

function Live.path(_, id, verb)
  return "/api/providers/" .. support.KINDS[id] .. "/" .. id .. "/" .. verb
end

--- The body of the provider's live job.
function support.body(id, changes)
  local body = { dry_run = false }
  for name, value in pairs(support.JOBS[id]) do body[name] = value end
  for name, value in pairs(changes or {}) do body[name] = value end
  return body
end

function Live:submit(id, changes, headers)
  local answer = self.host:post(self:path(id, "submit"), support.body(id, changes), headers)
  plain(answer.json)
  return answer
end

--- A submit that must be taken; its job id.
function Live:job(id, changes, headers)
  local answer = self:submit(id, changes, headers)
  assert(answer.status == 202, answer.body)
  return answer.json.job_id
end

function Live:status(job_id)
  return plain(self.host:get("/api/jobs/status/" .. job_id).json)
end

local OPEN = { queued = true, running = true }

--- Waits until a job is neither queued nor running, and returns it. Where the registry cannot be read, that is not told.
function Live:ended(job_id, seconds)
  return self.host:eventually(function()
    local job = self:status(job_id)
    assert(job.status, job.detail)
    return not OPEN[job.status] and job or nil
  end, seconds)
end

--- Waits until a job has this status, and returns it.
function Live:becomes(job_id, status, seconds)
  return self.host:eventually(function()
    local job = self:status(job_id)
    return job.status == status and job or nil
  end, seconds)
end

--- The paid submits that the simulator has seen, of one provider or of all.
function Live:paid(id)
  local count = 0
  for _, request in ipairs(self.simulator:get("/journal").json.requests) do
    if request.paid and (not id or request.provider == id) then count = count + 1 end
  end
  return count
end

-- All live jobs of the registry.
local function live_jobs(host)
  local jobs, cursor = {}, ""
  repeat
    local page = plain(host:get("/api/jobs/list?limit=500" .. cursor).json)
    for _, job in ipairs(page.tasks) do
      if job.dry_run == false then jobs[#jobs + 1] = job end
    end
    cursor = page.next and "&cursor=" .. page.next
  until not cursor
  return jobs
end

--- Holds every job of the registry against the vendors' own lists: no id is there twice, each of a job is one that its vendor
--- knows, and a vendor has no more jobs than the registry: what has no job of that id belongs to one whose answer was lost.
function Live:agrees_with_vendors()
  local known, left, made = {}, {}, {}
  for _, job in ipairs(self.simulator:get("/jobs").json.jobs) do
    local name = job.provider .. " " .. tostring(job.id)
    assert(not known[name], "the vendor has twice: " .. name)
    known[name] = true
    made[job.provider] = (made[job.provider] or 0) + 1
  end
  for _, job in ipairs(live_jobs(self.host)) do
    left[job.provider] = (left[job.provider] or 0) + 1
    if job.vendor_id then
      local name = job.provider .. " " .. job.vendor_id
      assert(known[name], "no vendor knows, or two jobs have: " .. name)
      known[name] = nil
      left[job.provider], made[job.provider] = left[job.provider] - 1, made[job.provider] - 1
    end
  end
  for id, count in pairs(made) do
    assert(count <= (left[id] or 0), ("%s has %d jobs that the registry does not know"):format(id, count - (left[id] or 0)))
  end
end

function Live:budget()
  return plain(self.host:get("/api/budget").json)
end

--- The host's money of today, as soon as `fits` says that it is what it must be: a job's end can be seen before its money is
--- booked, since the registry has it first.
function Live:day(fits)
  return self.host:eventually(function()
    local day = self:budget().host.day
    assert(fits(day), exact.encode(day))
    return day
  end)
end

return support
