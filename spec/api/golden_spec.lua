-- The 703 answers of the earlier implementation (spec/golden), where the spec agrees with it, from running hosts: status, what
-- the body must contain, and what must be there. One host for each state of flags and stored credentials.
local golden = require "spec.support.golden"
local host = require "spec.support.host"

local groups, count = golden.by_state()

describe("golden", function()
  it("has all cases", function() assert.equal(703, count) end)

  for state, cases in pairs(groups) do
    describe(state, function()
      local served
      setup(function() served = host.start(golden.host_options(state)) end)
      teardown(function() served:remove() end)

      for _, case in ipairs(cases) do
        it(case.name, function()
          local request = case.request
          local answer = served:request(request.method, request.path, request.body)
          assert.same({}, golden.differences(case.expect, answer))
        end)
      end
    end)
  end
end)
