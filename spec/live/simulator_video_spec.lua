-- The simulator answers as the recorded contracts of the video vendors say.
describe("the simulator", function()
  require "spec.support.simulator_cases"(_ENV, { "runway", "pika", "luma" })
end)
