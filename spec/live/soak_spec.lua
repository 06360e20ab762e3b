-- A short soak: all nine vendors, every fault, and kills of the host. `make soak` is the long one.
local soak = require "spec.support.soak"

describe("a soak", function()
  it("loses no job, sends none twice, and its money agrees with the vendors' to the micro-dollar", function()
    local run = soak.run { jobs = 200, seed = 4, kills = 3, clients = 16, seconds = 60, settle_seconds = 5 }
    assert.same({}, run.problems)
    assert.equal(200, run.counts.accepted)
    assert.equal(3, (run.counts["killed (SIGKILL)"] or 0) + (run.counts["stopped (SIGTERM)"] or 0))
    assert.is_true(run.counts["at the end: done"] > 100)
  end)
end)
