-- The recorded contracts of the vendors (spec/contracts/<provider>.json), played through each script without a host.
-- A case is data: add a case, not code. Fields of a case, beside the recorded request and response:
--   given       what to call: { verb = "submit", request = {...} }, or
--               { verb = "poll"|"cancel"|"health"|"webhook", job = {...} };
--               webhook: delivery = {...}, nothing is sent; absent: the case is a record only.
--               given.webhook_url becomes ctx.webhook_url. given.earlier are vendor answers to requests that the script makes
--               before the recorded one.
--   understood  what the script must make of the recorded response (a subset of its result)
local cjson = require "cjson"
local contract = require "spec.support.contract"

local IDS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

for _, id in ipairs(IDS) do
  describe("contract of " .. id, function()
    local cases = contract.cases(id)
    local provider
    setup(function() provider = contract.load(id) end)

    it("has cases that create a job", function()
      local count = 0
      for _, case in ipairs(cases) do
        if case.given and case.given.verb == "submit" then count = count + 1 end
      end
      assert.is_true(count > 0)
    end)

    for _, case in ipairs(cases) do
      if case.given and case.given.verb ~= "webhook" then
        it(case.name .. ": sends the recorded request", function()
          local answer = contract.run(provider, case)
          assert.is_nil(answer.invalid and (answer.invalid.field .. ": " .. answer.invalid.message))
          assert.is_truthy(answer.upstream, "nothing was sent; refused: " .. cjson.encode(answer.refusal or {}))
          assert.same({}, contract.differences(case.request, answer.upstream))
        end)
      end
      if case.given and case.understood then
        it(case.name .. ": understands the answer", function()
          local answer = contract.run(provider, case, case.response)
          assert.is_truthy(answer.result)
          assert.same({}, contract.missing(case.understood, answer.result))
        end)
      end
    end
  end)
end
