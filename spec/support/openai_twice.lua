-- Creates of images by OpenAI's own SDK, whose requests are cut at every stage (spec/openai/clients/never_twice.mjs),
-- while the vendor refuses, loses answers and is slow, and the host is killed: is any of them paid for twice, or lost?
--
--   local run = twice.run { calls = 200, seed = 1, kills = 2, at_once = 32 }
--   run.counts      -- what happened: figures by name
--   run.problems    -- texts; empty when each call has paid once at most, and whatever was paid for is shown
--
-- Every call has a prompt of its own, but for pairs: two equal calls at the same moment, which are two.
local end_host = require "spec.support.host_end"
local exact = require "spec.support.exact_json"
local live_support = require "spec.support.live"
local npm = require "spec.support.npm"
local shell = require "spec.support.shell"
local socket = require "socket"

local twice = {}

local PREFIX = "twice"
local ENOUGH = os.getenv("SPEC_SLOW") and 0.1 or 0.5 -- of the calls, to be answered: else the run proves nothing
local SETTLE_SECONDS = 60 -- for what is still under way at the end; what is looked for longer stands there as such
local FAULTS = {
  ["5xx"] = 0.02, ["429"] = 0.02, reset_before = 0.02, reset_after = 0.02, truncated = 0.01, slow = 0.02, moderated = 0.01,
}

local function fault_arguments(options)
  local arguments = { "--seed", tostring(options.seed), "--job-time", "400", "--slow", "800" }
  if options.calm then return arguments end
  local names = {}
  for name in pairs(FAULTS) do
    if name ~= "5xx" or not options.hasty then names[#names + 1] = name end -- SDKs wait for a minute after one
  end
  table.sort(names)
  for _, name in ipairs(names) do
    arguments[#arguments + 1] = "--fault"
    arguments[#arguments + 1] = ("fal:%s:%g:POST"):format(name, FAULTS[name])
  end
  return arguments
end

local function start_both(options)
  return live_support.start { simulate = fault_arguments(options), listen = live_support.address(), hurry = 10,
    config = function(config)
      config.server.threads = 4 * options.at_once + 32
      config.openai = { wait_seconds = 5 }
      config.live.budget_usd = { per_day = 1e6, per_month = 1e6 }
      config.live.providers.fal.budget_usd = { per_day = 1e6, per_month = 1e6 }
      config.live.providers.fal.rate_per_minute = 100000
    end }
end

-- What the clients do ------------------------------------------------------------------------------------------------------

local function start_clients(run)
  local settings = exact.encode {
    port = run.live.host.port, calls = run.calls, seed = run.seed, at_once = run.at_once, prefix = PREFIX,
  }
  return assert(io.popen(("cd %s && exec node %s %s 2>&1"):format(npm.OPENAI.folder, run.program, shell.quote(settings))))
end

-- Kills are spread over the calls, each at a random instant after its turn has come.
local function maybe_kill(run)
  if run.killed >= run.kills or #run.over < (run.killed + 0.5) * run.calls / (run.kills + 0.5) then return end
  run.killed = run.killed + 1
  socket.sleep(0.3 * math.random())
  end_host(run, 0.15)
  socket.sleep(0.2 * math.random())
  run.live.host:start_again()
end

local function note_call(run, call)
  run.over[#run.over + 1] = call
  if call.ok then
    run:count "answered with the picture"
  elseif call.status then
    run:count(("told %d %s"):format(call.status, tostring(call.code)))
  else
    run:count("ended by " .. tostring(call.error))
  end
end

local function drive(run)
  local last = socket.gettime()
  for line in start_clients(run):lines() do
    local ok, told = pcall(exact.decode, line)
    if not ok then
      run:problem("the clients said: %s", line)
    elseif told["end"] then
      run.fates = told["end"]
    else
      note_call(run, told)
      maybe_kill(run)
    end
    if run.progress and socket.gettime() - last > 5 then
      last = socket.gettime()
      run.progress(("%d of %d calls, %d kills, %.0f s"):format(#run.over, run.calls, run.killed, last - run.began))
    end
  end
  if not run.fates then run:problem "the clients did not come to their end" end
end

-- What is left -----------------------------------------------------------------------------------------------------------

local function prompt_in(text)
  return type(text) == "string" and text:match(PREFIX .. "%-%d+%.") or nil
end

-- Live jobs of the registry, by prompt.
local function jobs_by_prompt(run)
  local by_prompt, cursor, open = {}, "", 0
  repeat
    local page = run.live.host:get("/api/jobs/list?dry_run=false&limit=500" .. cursor).json
    for _, job in ipairs(page.tasks) do
      local prompt = prompt_in(job.payload and job.payload.prompt)
      if job.dry_run == false and prompt then
        by_prompt[prompt] = by_prompt[prompt] or {}
        table.insert(by_prompt[prompt], job)
        if job.status == "queued" or job.status == "running" then open = open + 1 end
      end
    end
    cursor = page.next and page.next ~= exact.null and "&cursor=" .. page.next
  until not cursor
  return by_prompt, open
end

local function settled_jobs(run)
  local deadline = socket.gettime() + SETTLE_SECONDS
  local by_prompt, open = jobs_by_prompt(run)
  while open > 0 and socket.gettime() < deadline do
    socket.sleep(1)
    by_prompt, open = jobs_by_prompt(run)
  end
  if open > 0 then run:problem("%d jobs are still open after %d s", open, SETTLE_SECONDS) end
  return by_prompt
end

local function paid_by_prompt(run)
  local paid = {}
  for _, request in ipairs(run.live.simulator:get("/journal?paid=1").json.requests) do
    local prompt = prompt_in(request.prompt)
    if prompt then paid[prompt] = (paid[prompt] or 0) + 1 else run:problem("paid for nobody: %s", request.path) end
  end
  return paid
end

local function calls_by_prompt(run)
  local calls = {}
  for _, call in ipairs(run.over) do
    calls[call.prompt] = calls[call.prompt] or {}
    table.insert(calls[call.prompt], call)
  end
  return calls
end

-- An answer is of a job of this very prompt; two calls to which nothing happened have two.
local function check_answers(run, prompt, calls, jobs)
  local known, seen, untouched = {}, {}, #calls > 1
  for _, job in ipairs(jobs) do known[job.job_id] = job end
  for _, call in ipairs(calls) do
    if call.ok and not (known[call.job] and known[call.job].status == "done") then
      run:problem("%s: answered from job %s, which is not its own, or not done", prompt, tostring(call.job))
    end
    if call.ok and untouched and seen[call.job] then
      run:problem("%s: two calls share job %s: %s", prompt, call.job, tostring(call.history))
    end
    seen[call.job or ""] = true
    untouched = untouched and not call.touched
  end
end

-- What clients repeat is told of what is known to be free, and by a host that begins nothing.
local FREE = { ["503 provider_unavailable"] = true, ["429 rate_limit_exceeded"] = true, ["503 overloaded"] = true }

local function check_refusals(run)
  for said in pairs(run.fates) do
    local what = said:match("^host said (.*)$")
    if what and not FREE[what] then run:problem("the host said %s", what) end
  end
end

local function check(run)
  check_refusals(run)
  if (run.counts["answered with the picture"] or 0) < run.calls * ENOUGH then run:problem "too few were answered for a proof" end
  local jobs, paid, total = settled_jobs(run), paid_by_prompt(run), 0
  for prompt, calls in pairs(calls_by_prompt(run)) do
    local times, own = paid[prompt] or 0, jobs[prompt] or {}
    total, paid[prompt] = total + times, nil
    if times > #calls then
      run:problem("%s: %d calls have paid %d times: %s", prompt, #calls, times, tostring(calls[#calls].history))
    end
    if times > #own then run:problem("%s: paid %d times, and the registry has %d jobs", prompt, times, #own) end
    check_answers(run, prompt, calls, own)
    local answered = 0
    for _, call in ipairs(calls) do answered = answered + (call.ok and 1 or 0) end
    if times > answered then run:count("paid, and shown by the registry alone", times - answered) end
    if #calls > 1 and times < #calls then run:count "equal calls that share a picture" end
  end
  for prompt in pairs(paid) do run:problem("%s: paid without a call", prompt) end
  run:count("paid requests", total)
end

--- Options: calls, seed, kills, at_once; program: another than never_twice.mjs; calm: the vendor makes no faults; hasty: none
--- for which SDKs wait long; progress: is told how far it is; keep: keeps what there is when something is violated.
function twice.run(options)
  math.randomseed(options.seed)
  local run = { calls = options.calls, seed = options.seed, kills = options.kills, at_once = options.at_once or 32,
    program = options.program or "never_twice.mjs",
    killed = 0, over = {}, counts = {}, problems = {}, progress = options.progress, began = socket.gettime() }
  function run:count(name, by) self.counts[name] = (self.counts[name] or 0) + (by or 1) end
  function run:problem(...) self.problems[#self.problems + 1] = string.format(...) end
  run.live = start_both { seed = run.seed, at_once = run.at_once, calm = options.calm, hasty = options.hasty }
  local ok, problem = pcall(function()
    drive(run)
    check(run)
  end)
  if not ok then table.insert(run.problems, 1, "the run itself failed: " .. tostring(problem)) end
  if #run.problems > 0 and options.keep then options.keep(run) end
  local removed, why = pcall(run.live.remove, run.live)
  if not removed then run:problem("%s", why) end
  for fate, count in pairs(run.fates or {}) do run.counts["requests: " .. fate] = count end
  run.seconds = socket.gettime() - run.began
  return run
end

return twice
