-- Storm: clients that do what clients do and should not do, while an operator stops and starts, files are edited, scripts burn
-- time, the clock steps and the host is killed; judged by books that stand outside of the host (spec/support/storm_books.lua).
--
--   local run = require("spec.support.storm").run { seconds = 20, seed = 1, kills = 2, clients = 24 }
--   run.counts     -- what happened: figures by name
--   run.problems   -- texts; empty when every answer was the truth
--
-- Every job has a prompt of its own ("storm-17."). What each client was told of it is in run.jobs.
local books = require "spec.support.storm_books"
local clock = require "spec.support.clock"
local exact = require "spec.support.exact_json"
local hooks = require "spec.support.hooks"
local keys = require "spec.support.keys"
local live_support = require "spec.support.live"
local operator = require "spec.support.storm_operator"
local socket = require "socket"
local swarms = require "spec.support.swarm"
local weather = require "spec.support.storm_weather"

local storm = {}

local SETTLE_SECONDS = 30
local CALLBACK_SHARE = 0.3
local ANSWER_SECONDS = 25 -- a call waits for 15 s at most; the rest is for a busy machine

storm.FAULTS = {
  reset_before = 0.01, reset_after = 0.02, ["429"] = 0.01, ["5xx"] = 0.02, slow = 0.02, truncated = 0.01, wrong_json = 0.01,
  moderated = 0.02, out_of_credit = 0.01, echo = 0.15, echo_refusal = 0.04,
}

-- A day's budget is small, so that it is short most of the time.
storm.BUDGET = { per_day = 3, per_month = 60 }
storm.PROVIDER_BUDGET = { per_day = 0.8, per_month = 16 }

-- Who has a key; those of clients have budgets of their own.
storm.KEY_BUDGETS = { studio = { per_day = 1.5, per_month = 30 }, mod = { per_day = 0.9, per_month = 18 } }
local OPERATOR = "operator"
local CALLERS = { "studio", "studio", "mod", OPERATOR }

local function sorted_keys(of)
  local list = {}
  for name in pairs(of) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local PROVIDERS = sorted_keys(live_support.KINDS)

local function fault_arguments(seed)
  local arguments = { "--seed", tostring(seed), "--slow", "1200", "--job-time", "1200" }
  for _, fault in ipairs(sorted_keys(storm.FAULTS)) do
    arguments[#arguments + 1] = "--fault"
    arguments[#arguments + 1] = ("*:%s:%g"):format(fault, storm.FAULTS[fault])
  end
  return arguments
end

local function api_keys()
  local entries = { keys.entry(OPERATOR) }
  for _, name in ipairs(sorted_keys(storm.KEY_BUDGETS)) do
    entries[#entries + 1] = keys.entry(name, { budget_usd = storm.KEY_BUDGETS[name] })
  end
  return entries
end

-- The environment of the host: its clock, and its patience.
local function environment(run)
  local env = {}
  for name, value in pairs(run.clock and run.clock.env or {}) do env[name] = value end
  operator.set_patience(env)
  return env
end

-- What is asked between the storm's own requests is asked by the operator too.
local function ask_as_operator(host)
  local request = host.request
  host.request = function(self, method, path, body, headers)
    return request(self, method, path, body, keys.headers(OPERATOR, headers))
  end
end

local function start_both(run, options)
  local address = live_support.address()
  run.clock = clock.new()
  run.receiver = hooks.start_receiver()
  run.live = live_support.start {
    simulate = fault_arguments(options.seed), listen = address, scripts = true, env = environment(run),
    config = function(config)
      config.registry = { keep_days = 3650 } -- the clock goes far ahead
      config.live.public_url = "http://" .. address
      config.server.threads = options.clients + 32
      config.server.api_keys = api_keys()
      config.hooks = { enabled = true, allow_loopback = true }
      config.live.budget_usd = storm.BUDGET
      for _, provider in pairs(config.live.providers) do
        provider.budget_usd = { per_day = storm.PROVIDER_BUDGET.per_day, per_month = storm.PROVIDER_BUDGET.per_month }
        provider.rate_per_minute, provider.max_concurrent = 6000, 20
      end
    end,
  }
  ask_as_operator(run.live.host)
  run.scripts = weather.read_scripts(run.live.host)
end

-- Clients -----------------------------------------------------------------------------------------------------------------

local function new_job(run, provider, live)
  local number = #run.jobs + 1
  local prompt = ("storm-%d."):format(number)
  local callback = math.random() < CALLBACK_SHARE and hooks.url_of(run.receiver, "/hook/" .. number) or nil
  local body = live_support.body(provider, { dry_run = not live, callback_url = callback })
  local text = exact.encode(body):gsub("a lighthouse", prompt)
  local job = {
    prompt = prompt, provider = provider, live = live, body = text, told = {}, caller = CALLERS[math.random(#CALLERS)],
    callback = callback,
  }
  run.jobs[number] = job
  return job
end

-- What the client was told, in the words of the books: accepted, refused, dry, maybe (with an id or without).
local function note(run, job, answer, why)
  local said = { status = answer and answer.status, why = why }
  if answer and answer.json and type(answer.json.job_id) == "string" then said.job_id = answer.json.job_id end
  if answer and answer.status == 202 then
    said.what = "accepted"
  elseif answer and answer.status == 200 and answer.json.dry_run == false then
    said.what = "accepted"
  elseif answer and answer.status == 200 then
    said.what = "dry"
  elseif answer then
    said.what = said.job_id and "maybe" or "refused"
  else
    said.what = why == "refused" and "refused" or "maybe"
  end
  job.told[#job.told + 1] = said
  run:count(("told %s%s"):format(said.what, answer and " (" .. answer.status .. ")" or " (no answer)"))
  return said
end

local function send(run, job, headers)
  while run.held > 0 do run.pause(0.02) end
  run.submitting = run.submitting + 1
  local answer, why = run:ask("POST", run.live:path(job.provider, "submit"), job.body, headers, job.caller)
  run.submitting = run.submitting - 1
  return note(run, job, answer, why)
end

-- With a key a client sends the same again until it is told what became of it; without one it does not.
local function submit(run, provider, live)
  local job = new_job(run, provider, live)
  local repeats = math.random() < 0.5
  local headers = {
    ["Idempotency-Key"] = repeats and run.seed .. "-" .. job.prompt or nil, Prefer = math.random() < 0.1 and "wait=2" or nil,
  }
  local said = send(run, job, headers)
  for _ = 1, 5 do
    if run.over or not repeats or said.what == "accepted" or said.what == "dry" then break end
    run.pause(0.1 + 0.4 * math.random())
    said = send(run, job, headers)
  end
  if repeats and said.what == "accepted" and math.random() < 0.2 then send(run, job, headers) end
  return job, said
end

local function pick(run)
  return PROVIDERS[math.random(#PROVIDERS)], run.jobs[math.random(math.max(1, #run.jobs))]
end

local function id_of(job)
  for _, said in ipairs(job and job.told or {}) do
    if said.what == "accepted" then return said.job_id end
  end
end

local GIVEN_AWAY = { "runpod", "stability", "pika", "replicate" }

local ACTIONS = {
  { 30, function(run) submit(run, run.aimed or pick(run), true) end },
  { 15, function(run) submit(run, pick(run), true) end },
  { 15, function(run) submit(run, pick(run), false) end },
  { 8, function(run)
    local _, job = pick(run)
    if id_of(job) then run:ask("POST", "/api/jobs/" .. id_of(job) .. "/cancel") end
  end },
  { 6, function(run)
    local _, job = pick(run)
    if id_of(job) then
      run:ask("POST", run.live:path(job.provider, "poll"), exact.encode { job_id = id_of(job), refresh = true })
    end
  end },
  { 6, function(run)
    local _, job = pick(run)
    local id = id_of(job)
    if id then run:ask("GET", math.random() < 0.5 and "/api/jobs/status/" .. id or "/api/jobs/" .. id .. "/artifacts/0") end
  end },
  { 3, function(run) run:ask("POST", run.live:path(pick(run), "health"), exact.encode { dry_run = math.random() < 0.5 }) end },
  { 4, function(run) run:ask("GET", "/api/jobs/list?limit=50") end },
  { 2, function(run) run:ask("GET", "/api/budget") end },
  { 2, function(run) run:ask("GET", "/metrics") end },
  { 2, function(run) run:ask("GET", "/readyz") end },
  { 2, function(run) run:ask("POST", run.live:path(pick(run), "submit"), '{"prompt":' .. ("["):rep(200)) end },
  { 2, function(run) -- a client that gives the operator's key away; one that is not taken out of the secrets meanwhile
    local provider = GIVEN_AWAY[math.random(#GIVEN_AWAY)]
    local body = exact.encode { prompt = "my key is " .. select(2, next(live_support.SECRETS[provider])), dry_run = false }
    run:ask("POST", run.live:path(provider, "submit"), body)
  end },
}

local function act(run)
  local all = 0
  for _, action in ipairs(ACTIONS) do all = all + action[1] end
  local at = math.random() * all
  for _, action in ipairs(ACTIONS) do
    at = at - action[1]
    if at <= 0 then return action[2](run) end
  end
end

local function client(run)
  while not run.over do
    act(run)
    run.pause(run.flooded and 0.01 or 0.02 + 0.2 * math.random())
  end
end

-- All of it -----------------------------------------------------------------------------------------------------------------

local Run = {}
Run.__index = Run

function Run:count(name, by) self.counts[name] = (self.counts[name] or 0) + (by or 1) end

function Run:problem(...) self.problems[#self.problems + 1] = string.format(...) end

Run.pause = swarms.pause

--- One request of who has this key, the operator without a name. Its answer is looked at as every answer is: in time, and
--- without a secret.
function Run:ask(method, path, body, headers, name)
  headers = keys.headers(name or OPERATOR, headers)
  local began = socket.gettime()
  local answer, why = self.swarm.ask(self.live.host.port, method, path, body, headers, ANSWER_SECONDS)
  local seconds = socket.gettime() - began
  self.slowest = math.max(self.slowest, seconds)
  if why == "late" then self:problem("%s %s had no answer after %.1f s", method, path, seconds) end
  if answer then books.look_for_secrets(self, ("%s %s"):format(method, path), answer.body) end
  return answer, why
end

local function drive(run, options)
  for _ = 1, options.clients do run.swarm:add(client, run) end
  for _, name in ipairs { "configuration", "secrets", "scripts", "clock" } do run.swarm:add(weather[name], run) end
  for _, name in ipairs { "switch", "kills", "resolves" } do run.swarm:add(operator[name], run) end
  local last = socket.gettime()
  while run.swarm:is_busy() do
    run.swarm:step()
    run.over = socket.gettime() > run.deadline
    if options.progress and socket.gettime() - last > 10 then
      last = socket.gettime()
      options.progress(("%.0f s, %d jobs, %d problems"):format(last - run.began, #run.jobs, #run.problems))
    end
  end
end

-- Does nothing but follow what was accepted, so that the books can be closed.
local function settle(run, seconds)
  weather.clear(run)
  run.live.host:post("/api/live/start")
  local deadline = socket.gettime() + seconds
  repeat
    socket.sleep(0.3)
    local counts = run.live.host:get("/api/live").json.jobs
  until counts.queued + counts.sending + counts.sent == 0 or socket.gettime() > deadline
end

--- Options: seconds (of storm), seed, kills, clients; settle_seconds; progress(text); keep(run), called when something is wrong.
function storm.run(options)
  math.randomseed(options.seed)
  local run = setmetatable({
    seed = options.seed, kills = options.kills, seconds = options.seconds, jobs = {}, counts = {}, problems = {}, slowest = 0,
    swarm = swarms.new(), stopped_spans = {}, switch_moves = 0, submitting = 0, held = 0, days = 0,
    resolved = {}, maybe_resolved = {},
  }, Run)
  start_both(run, options)
  run.began = socket.gettime()
  run.deadline = run.began + options.seconds
  local ok, problem = pcall(function()
    drive(run, options)
    settle(run, options.settle_seconds or SETTLE_SECONDS)
    books.close(run, { budget = storm.BUDGET, provider_budget = storm.PROVIDER_BUDGET, key_budgets = storm.KEY_BUDGETS })
  end)
  if not ok then table.insert(run.problems, 1, "the storm itself failed: " .. tostring(problem)) end
  if #run.problems > 0 and options.keep then options.keep(run) end
  local removed, why = pcall(run.live.remove, run.live)
  if not removed then run:problem("%s", why) end
  hooks.stop_receiver(run.receiver)
  if run.clock then run.clock:remove() end
  return run
end

return storm
