-- `make twice`: the creates of spec/support/openai_twice.lua at full length, with their figures. Exit code 1 names what was
-- violated.
--
--   OPENAI_CREATES=10000   calls of the SDK
--   OPENAI_KILLS=20        of the host
--   OPENAI_AT_ONCE=32      calls side by side
--   OPENAI_KEEP=DIR        where host and simulator leave what they know when something is violated
--   OPENAI_SEED=...        of the faults, the cuts and the instants of the kills; default: the time
local long_run = require "spec.support.long_run"
local npm = require "spec.support.npm"

local setting, say = long_run.setting, long_run.say

local missing = npm.install(npm.OPENAI)
if missing then error(missing, 0) end
local options = {
  calls = setting("OPENAI_CREATES", 10000), kills = setting("OPENAI_KILLS", 20), at_once = setting("OPENAI_AT_ONCE", 32),
  seed = setting("OPENAI_SEED", os.time() % 1000000), progress = function(text) say("%s", text) end,
  keep = long_run.keeper "OPENAI_KEEP",
}
say("twice: %d creates, %d kills, seed %d", options.calls, options.kills, options.seed)
local run = require("spec.support.openai_twice").run(options)
long_run.figures(run.counts)
long_run.figure("calls", "%d", #run.over)
long_run.figure("seconds", "%.1f", run.seconds)
long_run.finish("twice", run.problems, "no call has paid twice, and nothing that was paid for is lost")
