-- The simulator answers as the recorded contracts of the GPU vendors say.
describe("the simulator", function()
  require "spec.support.simulator_cases"(_ENV, { "runpod", "hf_inference_endpoints", "replicate", "modal" })
end)
