-- `make storm`: the storm of spec/support/storm.lua at full length, with its figures. Exit code 1 names what was violated.
--
--   STORM_SECONDS=600  of storm
--   STORM_KILLS=20     of the host
--   STORM_CLIENTS=32
--   STORM_KEEP=DIR     where host and simulator leave what they know when something is violated
--   STORM_SEED=...     of the faults and of what clients and operator do; default: the time
local shell = require "spec.support.shell"

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

local function keep(run)
  local folder = os.getenv("STORM_KEEP")
  if not folder then return end
  local home, into = shell.quote(run.live.host.home), shell.quote(folder)
  os.execute(("mkdir -p %s && cp -r %s/data %s/logs %s"):format(into, home, home, into))
  local file = assert(io.open(folder .. "/journal.json", "w"))
  file:write(run.live.simulator:get("/journal").body)
  file:close()
end

local options = {
  seconds = setting("STORM_SECONDS", 600), kills = setting("STORM_KILLS", 20), clients = setting("STORM_CLIENTS", 32),
  seed = setting("STORM_SEED", os.time() % 1000000), progress = function(text) say("%s", text) end, keep = keep,
}
say("storm: %d s, %d clients, %d kills, seed %d", options.seconds, options.clients, options.kills, options.seed)
local run = require("spec.support.storm").run(options)
local names = {}
for name in pairs(run.counts) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do say("  %-32s %d", name, run.counts[name]) end
say("  %-32s %d", "jobs", #run.jobs)
say("  %-32s %.1f s", "slowest answer", run.slowest)
for i, problem in ipairs(run.problems) do
  if i <= MOST_NAMED then say("VIOLATED: %s", problem) end
end
say(#run.problems == 0 and "storm: every answer was the truth" or "storm: %d violations", #run.problems)
os.exit(#run.problems == 0 and 0 or 1, true)
