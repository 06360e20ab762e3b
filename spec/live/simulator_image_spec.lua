-- The simulator answers as the recorded contracts of the image vendors say.
describe("the simulator", function()
  require "spec.support.simulator_cases"(_ENV, { "stability", "fal" })
end)
