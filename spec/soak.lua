-- `make soak`: the soak of spec/support/soak.lua at full length, with its figures. Exit code 1 names what was violated.
--
--   SOAK_JOBS=10000    submits
--   SOAK_SECONDS=420   after that no further ones
--   SOAK_KILLS=25      of the host
--   SOAK_KEEP=DIR      where host and simulator leave what they know when something is violated
--   SOAK_SEED=...      of the faults, the instants of the kills and what clients do; default: the time
local MOST_NAMED = 40

local function setting(name, otherwise)
  local text = os.getenv(name)
  if not text or text == "" then return otherwise end
  return math.tointeger(tonumber(text)) or error(name .. " must be a whole number", 0)
end

local function say(...)
  print(string.format(...))
  io.stdout:flush()
end

local function sorted(counts)
  local names = {}
  for name in pairs(counts) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function keep(run)
  local folder = os.getenv("SOAK_KEEP")
  if not folder then return end
  os.execute(("mkdir -p '%s' && cp -r '%s'/data '%s'/logs '%s'"):format(folder, run.live.host.home, run.live.host.home, folder))
  local file = assert(io.open(folder .. "/journal.json", "w"))
  file:write(run.live.simulator:get("/journal").body)
  file:close()
end

local options = {
  jobs = setting("SOAK_JOBS", 10000), seconds = setting("SOAK_SECONDS", 420), kills = setting("SOAK_KILLS", 25),
  seed = setting("SOAK_SEED", os.time() % 1000000), clients = 32, progress = say, keep = keep,
}
say("soak: %d jobs, %d kills, seed %d", options.jobs, options.kills, options.seed)
local run = require("spec.support.soak").run(options)
for _, name in ipairs(sorted(run.counts)) do say("  %-32s %d", name, run.counts[name]) end
say("  %-32s %d", "jobs", #run.submitted)
say("  %-32s %.6f", "spent USD", run.spent_usd or 0)
say("  %-32s %.1f of %.1f for the submits", "seconds", run.seconds, run.submit_seconds or 0)
for i, problem in ipairs(run.problems) do
  if i <= MOST_NAMED then say("VIOLATED: %s", problem) end
end
say(#run.problems == 0 and "soak: every job is accounted for, to the micro-dollar" or "soak: %d violations", #run.problems)
os.exit(#run.problems == 0 and 0 or 1, true)
