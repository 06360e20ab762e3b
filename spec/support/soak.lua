-- Soak: live jobs of all nine vendors by many clients at once, while the simulator makes faults and the host is killed at random
-- instants.
--
--   local soak = require("spec.support.soak").run { jobs = 200, seed = 1, kills = 3, clients = 16, seconds = 60 }
--   soak.counts     -- what happened: figures by name
--   soak.problems   -- texts; empty when no job was lost or sent twice, and the money agrees (spec/support/soak_audit.lua)
--
-- With several hosts on one database: spec/support/soak_hosts.lua, which brings another stage.
--
-- Every job has a prompt of its own ("soak-17.") and an Idempotency-Key; a client whose connection breaks sends the same until
-- it is answered. All runs in one thread: clients are coroutines that wait for their sockets.
local end_host = require "spec.support.host_end"
local audit = require "spec.support.soak_audit"
local exact = require "spec.support.exact_json"
local live_support = require "spec.support.live"
local socket = require "socket"
local swarm = require "spec.support.swarm"

local soak = {}

local SETTLE_SECONDS = 30 -- after the last submit: time for what is lost to be found
local TERM_SHARE = 0.15   -- of the kills that are a SIGTERM
local SLOW_MS, JOB_MS = 1500, 1500

-- Every fault that the simulator knows, at what rate, beside 429.
soak.FAULTS = {
  reset_before = 0.01, reset_after = 0.01, ["5xx"] = 0.02, slow = 0.02, truncated = 0.01, wrong_json = 0.01,
  never_ending = 0.005, moderated = 0.02, out_of_credit = 0.01,
}

-- Where the vendor's price can be known beforehand, it is asked for.
local PRICED = {
  runpod = { job = { endpoint_id = "black-forest-labs-flux-1-schnell",
    input = { prompt = "a lighthouse", width = 512, height = 512 } } },
  replicate = { job = { model = "black-forest-labs/flux-schnell", input = { prompt = "a lighthouse" }, hardware = "gpu-l40s",
    seconds = 5 }, max_cost_usd = 2 },
}

-- Stability shuts its door for a minute after one: more would only make all wait.
local LIMIT_RATE, LIMIT_RATES = 0.02, { stability = 0.002 }

local function sorted_keys(of)
  local list = {}
  for name in pairs(of) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function fault_arguments(options)
  local arguments = { "--seed", tostring(options.seed), "--slow", tostring(SLOW_MS), "--job-time", tostring(JOB_MS) }
  local function add(provider, fault, rate)
    arguments[#arguments + 1] = "--fault"
    arguments[#arguments + 1] = ("%s:%s:%g"):format(provider, fault, rate)
  end
  for _, fault in ipairs(sorted_keys(soak.FAULTS)) do add("*", fault, soak.FAULTS[fault]) end
  for _, provider in ipairs(sorted_keys(live_support.KINDS)) do add(provider, "429", LIMIT_RATES[provider] or LIMIT_RATE) end
  return arguments
end

--- What a configuration is changed to, so that neither money nor lanes hold jobs up.
function soak.open_up(config, options)
  config.server.threads = options.clients + 32
  config.live.budget_usd = { per_day = 1e6, per_month = 1e6 }
  for _, provider in pairs(config.live.providers) do
    provider.budget_usd = { per_day = 1e6, per_month = 1e6 }
    provider.rate_per_minute, provider.max_concurrent = 100000, 100
  end
end

-- One client ---------------------------------------------------------------------------------------------------------------

-- One request: the answer, or nil when the connection broke or nothing came in time.
local function ask(run, method, path, body, headers)
  return (run.swarm.ask(run.stage.port(run), method, path, body, headers, run.stage.answer_seconds))
end

local function note_accepted(run, job, answer)
  local id = answer.json.job_id
  if job.id and job.id ~= id then run:problem("%s: two ids for one Idempotency-Key: %s and %s", job.prompt, job.id, id) end
  if answer.headers["idempotent-replayed"] then run:count "replayed" end
  job.id = id
  run.by_id[id] = job
end

local function key_of(run, job)
  return { ["Idempotency-Key"] = ("soak-%d-%s"):format(run.seed, job.prompt) }
end

-- Sends a job once: a client without a key cannot repeat it, so it has to believe what it is told.
local function submit_once(run, job)
  local answer = ask(run, "POST", job.path, job.body)
  local told = answer and answer.json and answer.json.job_id
  if answer and answer.status == 202 then
    note_accepted(run, job, answer)
    run:count "accepted, without a key"
    return true
  end
  job.maybe = told
  job.refused = answer ~= nil and type(told) ~= "string"
  run:count(job.refused and "refused, without a key" or "not answered, without a key")
  return false
end

-- Sends a job until an answer says what became of it.
local function submit(run, job)
  if job.keyless then return submit_once(run, job) end
  while not run.over do
    local answer = ask(run, "POST", job.path, job.body, key_of(run, job))
    if not answer then
      run:count "connections broken"
      run.swarm.pause(0.05 + 0.2 * math.random())
    elseif answer.status == 202 then
      note_accepted(run, job, answer)
      run:count "accepted"
      return true
    elseif answer.status == 503 or answer.status == 504 then
      run:count(("put off (%d)"):format(answer.status))
      run.swarm.pause(0.2)
    elseif answer.status == 402 and run.stage.is_short(run, job) then
      run:count "refused: the budget is short (402)"
      job.refused = true
      return false
    else
      run:problem("%s: a submit was answered %d: %s", job.prompt, answer.status, answer.body:match('"live":.*') or answer.body)
      return false
    end
  end
end

-- What users do to jobs meanwhile; whatever is answered, nothing may be lost by it.
local function meddle(run, job)
  local dice = math.random()
  if dice < 0.03 then
    ask(run, "POST", "/api/jobs/" .. job.id .. "/cancel")
  elseif dice < 0.06 then
    local body = exact.encode { job_id = job.id, refresh = true }
    ask(run, "POST", run.live:path(job.provider, "poll"), body)
  elseif dice < 0.08 and not job.keyless then -- the same again
    local answer = ask(run, "POST", job.path, job.body, key_of(run, job))
    if answer and answer.status == 202 then note_accepted(run, job, answer) end
  end
end

local function new_job(run, number)
  local provider = run.providers[number % #run.providers + 1]
  local prompt = ("soak-%d."):format(number)
  local body = exact.encode(live_support.body(provider, PRICED[provider])):gsub("a lighthouse", prompt)
  return {
    number = number, provider = provider, prompt = prompt, body = body, path = run.live:path(provider, "submit"),
    keyless = math.random() < run.stage.keyless_share,
  }
end

local function client(run)
  while run.next <= run.jobs and not run.over do
    local job = new_job(run, run.next)
    run.next = run.next + 1
    run.submitted[#run.submitted + 1] = job
    if submit(run, job) then
      run.taken = run.taken + 1
      meddle(run, job)
    end
  end
end

-- The loop ---------------------------------------------------------------------------------------------------------------

-- The stage is who answers, and what happens to it meanwhile. This is the one of a single host, with a registry of its own.
local alone = {}

function alone.start(_, options, faults)
  local address = live_support.address() -- for vendors' webhooks: it lasts over restarts
  return live_support.start { simulate = faults, listen = address, config = function(config)
    config.live.public_url = "http://" .. address
    soak.open_up(config, options)
  end }
end

alone.keyless_share = 0

function alone.port(run) return run.live.host.port end

-- Whether a job may be refused since the budget is short.
function alone.is_short() return false end

function alone.hosts(run) return { run.live.host } end

function alone.remove(run) run.live:remove() end

function alone.is_over(run) return run.killed >= run.kills end

-- Kills are spread over the jobs, each at a random instant after its turn has come.
function alone.disturb(run)
  if run.killed >= run.kills or run.taken < (run.killed + 0.5) * run.jobs / (run.kills + 0.5) and run.swarm:is_busy() then
    return
  end
  run.kill_at = run.kill_at or socket.gettime() + 0.3 * math.random()
  if socket.gettime() < run.kill_at then return end
  run.kill_at, run.killed = nil, run.killed + 1
  end_host(run, TERM_SHARE)
  run.live.host:start_again()
end

local function drive(run)
  for _ = 1, run.client_count do run.swarm:add(client, run) end
  local last = socket.gettime()
  while run.swarm:is_busy() or not run.stage.is_over(run) do
    run.swarm:step()
    run.stage.disturb(run)
    run.over = socket.gettime() > run.deadline
    if run.progress and socket.gettime() - last > 5 then
      last = socket.gettime()
      run.progress(("%d of %d jobs, %d kills, %.0f s"):format(run.taken, run.jobs, run.killed, last - run.began))
    end
  end
end

--- Options: jobs, seed, kills, clients, seconds (for the submits), settle_seconds; progress: is told how far it is; stage.
function soak.run(options)
  math.randomseed(options.seed)
  local run = {
    jobs = options.jobs, seed = options.seed, kills = options.kills, client_count = options.clients,
    next = 1, taken = 0, killed = 0,
    providers = sorted_keys(live_support.KINDS), submitted = {}, by_id = {}, swarm = swarm.new(), counts = {}, problems = {},
    began = socket.gettime(), deadline = socket.gettime() + options.seconds, progress = options.progress,
    stage = options.stage or alone,
  }
  function run:count(name, by) self.counts[name] = (self.counts[name] or 0) + (by or 1) end
  function run:problem(...) self.problems[#self.problems + 1] = string.format(...) end
  run.live = run.stage.start(run, options, fault_arguments(options))
  local ok, problem = pcall(function()
    drive(run)
    run.submit_seconds = socket.gettime() - run.began
    audit.run(run, options.settle_seconds or SETTLE_SECONDS)
    if run.stage.audit then run.stage.audit(run) end
  end)
  if not ok then table.insert(run.problems, 1, "the soak itself failed: " .. tostring(problem)) end
  if #run.problems > 0 and options.keep then options.keep(run) end
  local removed, why = pcall(run.stage.remove, run)
  if not removed then run:problem("%s", why) end
  run.seconds = socket.gettime() - run.began
  return run
end

return soak
