-- `make soak`: the soak of spec/support/soak.lua at full length, with its figures. Exit code 1 names what was violated.
--
--   SOAK_JOBS=10000    submits
--   SOAK_SECONDS=420   after that no further ones
--   SOAK_KILLS=25      of the host, or of all hosts together
--   SOAK_KEEP=DIR      where host and simulator leave what they know when something is violated
--   SOAK_SEED=...      of the faults, the instants of the kills and what clients do; default: the time
--   HOSTS=1            with more, they share one PostgreSQL, and what fails beside hosts is network, server and clocks
--                      (spec/support/soak_hosts.lua), SOAK_SECONDS is 900, and
--   SOAK_DISASTERS=1   is how many times as many of them there are as the kills ask for
--   SOAK_WITHOUT=fence or generation: what must not be missing (PROVIDERD_TEST_NO_...); the soak has to fail without it
local long_run = require "spec.support.long_run"

local setting, say = long_run.setting, long_run.say

local hosts = setting("HOSTS", 1)
local options = {
  jobs = setting("SOAK_JOBS", 10000), kills = setting("SOAK_KILLS", 25),
  seconds = setting("SOAK_SECONDS", hosts > 1 and 900 or 420),
  seed = setting("SOAK_SEED", os.time() % 1000000), clients = 32, progress = say, keep = long_run.keeper "SOAK_KEEP",
}

-- For each kill of a host: how many of the others there are.
local SHARES = {
  kill = 1, term = 0.3, stop = 0.8, nap = 0.8, cut = 1, mute = 1, late = 1.5, hold = 0.5, refuse = 0.3, clock = 0.8, crash = 0.2,
  restart = 0.1, terminate = 0.3,
}

local function disasters()
  local wanted = {}
  for name, share in pairs(SHARES) do
    wanted[name] = math.ceil(share * options.kills * setting("SOAK_DISASTERS", 1))
  end
  return wanted
end

local function soak_hosts()
  local without = os.getenv("SOAK_WITHOUT")
  options.hosts, options.disasters = hosts, disasters()
  options.env = without and { ["PROVIDERD_TEST_NO_" .. without:upper()] = "1" }
  return require("spec.support.soak_hosts").run(options)
end

say("soak: %d hosts, %d jobs, %d kills, seed %d", hosts, options.jobs, options.kills, options.seed)
local run = hosts > 1 and soak_hosts() or require("spec.support.soak").run(options)
long_run.figures(run.counts)
long_run.figure("jobs", "%d", #run.submitted)
long_run.figure("spent USD", "%.6f", run.spent_usd or 0)
long_run.figure("seconds", "%.1f of %.1f for the submits", run.seconds, run.submit_seconds or 0)
long_run.finish("soak", run.problems, "every job is accounted for, to the micro-dollar")
