-- `make storm`: the storm of spec/support/storm.lua at full length, with its figures. Exit code 1 names what was violated.
--
--   STORM_SECONDS=600  of storm
--   STORM_KILLS=20     of the host
--   STORM_CLIENTS=32
--   STORM_KEEP=DIR     where host and simulator leave what they know when something is violated
--   STORM_SEED=...     of the faults and of what clients and operator do; default: the time
local long_run = require "spec.support.long_run"

local setting, say = long_run.setting, long_run.say

local options = {
  seconds = setting("STORM_SECONDS", 600), kills = setting("STORM_KILLS", 20), clients = setting("STORM_CLIENTS", 32),
  seed = setting("STORM_SEED", os.time() % 1000000), progress = function(text) say("%s", text) end,
  keep = long_run.keeper "STORM_KEEP",
}
say("storm: %d s, %d clients, %d kills, seed %d", options.seconds, options.clients, options.kills, options.seed)
local run = require("spec.support.storm").run(options)
long_run.figures(run.counts)
long_run.figure("jobs", "%d", #run.jobs)
long_run.figure("slowest answer", "%.1f s", run.slowest)
long_run.finish("storm", run.problems, "every answer was the truth")
