-- `make soak`: the soak of spec/support/soak.lua at full length, with its figures. Exit code 1 names what was violated.
--
--   SOAK_JOBS=10000    submits
--   SOAK_SECONDS=420   after that no further ones
--   SOAK_KILLS=25      of the host
--   SOAK_KEEP=DIR      where host and simulator leave what they know when something is violated
--   SOAK_SEED=...      of the faults, the instants of the kills and what clients do; default: the time
local long_run = require "spec.support.long_run"

local setting, say = long_run.setting, long_run.say

local options = {
  jobs = setting("SOAK_JOBS", 10000), seconds = setting("SOAK_SECONDS", 420), kills = setting("SOAK_KILLS", 25),
  seed = setting("SOAK_SEED", os.time() % 1000000), clients = 32, progress = say, keep = long_run.keeper "SOAK_KEEP",
}
say("soak: %d jobs, %d kills, seed %d", options.jobs, options.kills, options.seed)
local run = require("spec.support.soak").run(options)
long_run.figures(run.counts)
long_run.figure("jobs", "%d", #run.submitted)
long_run.figure("spent USD", "%.6f", run.spent_usd or 0)
long_run.figure("seconds", "%.1f of %.1f for the submits", run.seconds, run.submit_seconds or 0)
long_run.finish("soak", run.problems, "every job is accounted for, to the micro-dollar")
