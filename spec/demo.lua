-- `make demo`: nine real jobs without a key or a network. Starts the simulator and a host with a budget of one dollar, both in
-- temporary folders on free loopback ports, sends one job per provider through the REST API, follows them, and prints what they
-- took and cost.
--
-- Where the price is known, a job must have cost what was estimated for it. The last line asks the directory of
-- models, which the host reads from the simulator as from the vendors.
--
-- With KEEP=1 both stay up afterwards, for the page in a browser, until they are interrupted.
--
-- Ends both processes and removes their folders whatever happens. Exit code 0 only when all nine are done, and estimates and
-- budget agree.
local support = require "spec.support.live"
local socket = require "socket"

local KEEP = (os.getenv "KEEP" or "") ~= ""
local BUDGET_USD = KEEP and 20 or 1 -- who stays wants to try more
local MOST_SECONDS = 120
local ENDED = { done = true, error = true, canceled = true, unknown = true }
local terminal = os.execute("test -t 1") == true

local function say(...)
  print(string.format(...))
  io.stdout:flush()
end

local function start()
  return support.start { config = function(config)
    config.live.budget_usd = { per_day = BUDGET_USD, per_month = BUDGET_USD }
    config.directory = { enabled = true, providers = { fal = { enabled = true } } }
    for _, provider in pairs(config.live.providers) do
      provider.budget_usd = { per_day = BUDGET_USD, per_month = BUDGET_USD }
    end
  end }
end

local function providers()
  local ids = {}
  for id in pairs(support.KINDS) do ids[#ids + 1] = id end
  table.sort(ids, function(a, b)
    local kind_a, kind_b = support.KINDS[a], support.KINDS[b]
    return kind_a < kind_b or kind_a == kind_b and a < b
  end)
  return ids
end

-- Jobs ----------------------------------------------------------------------------------------------------------------------

local function submit_all(live)
  local jobs = {}
  for i, id in ipairs(providers()) do
    local answer = live:submit(id)
    local job = { provider = id, began = socket.gettime(), status = "refused" }
    if answer.status == 202 then
      job.id, job.status = answer.json.job_id, "queued"
    else
      job.reason = answer.json.detail or table.concat(answer.json.live and answer.json.live.missing or {}, "; ")
    end
    jobs[i] = job
  end
  return jobs
end

local function look(live, job)
  local told = live:status(job.id)
  local changed = told.status ~= job.status
  job.status, job.progress, job.reason, job.told = told.status, told.progress, told.reason, told
  if ENDED[job.status] then job.seconds = socket.gettime() - job.began end
  return changed
end

local function write_progress(jobs)
  local words, ended = {}, 0
  for _, job in ipairs(jobs) do
    if job.seconds then ended = ended + 1
    elseif job.status == "running" then words[#words + 1] = ("%s %d %%"):format(job.provider, (job.progress or 0) * 100)
    else words[#words + 1] = job.provider .. " " .. job.status end
  end
  local line = ("%d of %d ended  %s"):format(ended, #jobs, table.concat(words, ", "))
  io.stdout:write("\r\27[K", #line > 78 and line:sub(1, 75) .. "..." or line)
  io.stdout:flush()
end

-- Until all have ended: a line that is redrawn on a terminal, one a change elsewhere.
local function follow(live, jobs)
  local deadline, open = socket.gettime() + MOST_SECONDS, true
  while open and socket.gettime() < deadline do
    open = false
    for _, job in ipairs(jobs) do
      if job.id and not job.seconds and look(live, job) and not terminal then say("  %-22s %s", job.provider, job.status) end
      open = open or job.id and not job.seconds
    end
    if terminal then write_progress(jobs) end
    socket.sleep(0.1)
  end
  if terminal then io.stdout:write("\r\27[K") end
end

-- What they cost ------------------------------------------------------------------------------------------------------------

local function usd(value)
  return value and ("%.6f"):format(value) or "not known"
end

local function artifact_of(job)
  local artifact = job.told and job.told.artifacts and job.told.artifacts[1]
  if not artifact then return job.reason or "none" end
  return ("%s, %.0f bytes"):format(artifact.content_type or artifact.kind or "file", artifact.bytes or 0)
end

local function write_table(jobs)
  local row = "%-22s %-8s %7s  %-10s %-10s %-9s  %s"
  say(row, "PROVIDER", "STATUS", "TIME", "ESTIMATE", "COST", "WHOSE", "ARTIFACT")
  for _, job in ipairs(jobs) do
    local money = job.told and job.told.money or {}
    say(row, job.provider, job.status, job.seconds and ("%.1f s"):format(job.seconds) or "-", usd(money.estimated_usd),
      usd(money.spent_usd), money.basis or "-", artifact_of(job))
  end
end

local function same_usd(a, b)
  return math.abs(a - b) < 5e-7
end

-- How many of the jobs had a price, and for how many of them it was the bill.
local function agreement(jobs)
  local known, agree = 0, 0
  for _, job in ipairs(jobs) do
    local money = job.told and job.told.money or {}
    if money.estimated_usd and money.spent_usd then
      known = known + 1
      if same_usd(money.estimated_usd, money.spent_usd) then agree = agree + 1 end
    end
  end
  return known, agree
end

-- A model that no script describes: what it takes and costs is what the vendor publishes.
local function show_directory(live)
  local path, id = live:path("fal", "models"), "fal-ai/flux-lora"
  local model = live.host:eventually(function()
    local answer = live.host:get(path .. "?id=" .. id)
    return answer.status == 200 and type(answer.json.model.inputs) == "table" and answer.json.model
  end, 30)
  local inputs = {}
  for name in pairs(model.inputs.properties) do inputs[#inputs + 1] = name end
  table.sort(inputs)
  say("Directory of fal: %s takes %d inputs, such as %s", id, #inputs, table.concat(inputs, ", ", 1, 4))
end

-- What is wrong; nil when all is well.
local function problem_of(jobs, day)
  local spent = 0
  local known, agree = agreement(jobs)
  if agree < known then return ("%d of %d estimates are not what was billed"):format(known - agree, known) end
  for _, job in ipairs(jobs) do
    if job.status ~= "done" then return ("%s is %s: %s"):format(job.provider, job.status, job.reason or "no reason given") end
    if #(job.told.artifacts or {}) == 0 then return job.provider .. " made no artifact" end
    spent = spent + math.floor(job.told.money.spent_usd * 1e6 + 0.5)
  end
  if math.floor(day.spent_usd * 1e6 + 0.5) ~= spent then return "the jobs' costs and the budget do not agree" end
  if day.reserved_usd ~= 0 or day.spent_usd > BUDGET_USD then return "the budget does not add up" end
end

local function show(live)
  say("Simulator of nine vendors on 127.0.0.1:%d, host on 127.0.0.1:%d, budget %.2f USD a day", live.simulator.port,
    live.host.port, BUDGET_USD)
  local jobs = submit_all(live)
  follow(live, jobs)
  write_table(jobs)
  local day = live:budget().host.day
  say("Budget of the day: %.6f USD spent, %.6f reserved, %.6f left of %.2f", day.spent_usd, day.reserved_usd, day.left_usd,
    day.limit_usd)
  local known, agree = agreement(jobs)
  say("Estimates: %d of the %d with a known price are what was billed; the other %d reserved what they may cost", agree, known,
    #jobs - known)
  show_directory(live)
  return problem_of(jobs, day)
end

-- Until Ctrl-C: what interrupts a sleep is an error in Lua.
local function stay(live)
  say("\nStudio: http://127.0.0.1:%d/   (Ctrl-C ends host and simulator, and forgets what they made)", live.host.port)
  while true do socket.sleep(0.2) end
end

local live = start()
local ok, problem = pcall(show, live)
if KEEP then pcall(stay, live) end
local removed, why = pcall(live.remove, live)
problem = problem or not removed and why or nil
if problem then say("demo: %s", problem) end
os.exit(ok and not problem and 0 or 1, true)
