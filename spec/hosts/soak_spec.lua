-- A short soak of three hosts on one PostgreSQL: all nine vendors, every fault, and trouble of hosts, network, server and clocks.
-- `make soak HOSTS=3` is the long one.
local postgres = require "spec.support.postgres"
local soak_hosts = require "spec.support.soak_hosts"

postgres.describe("a soak of three hosts", function()
  it("loses no job, sends none twice, exceeds no budget, and its streams miss nothing", function()
    local run = soak_hosts.run {
      hosts = 3, jobs = 200, seed = 4, clients = 16, seconds = 60, settle_seconds = 5,
      disasters = { kill = 2, term = 1, stop = 1, nap = 1, cut = 2, mute = 2, late = 3, hold = 1, crash = 1, clock = 2 },
    }
    assert.same({}, run.problems)
    assert.is_true(run.counts.accepted > 100)
    assert.is_true(run.counts["at the end: done"] > 80)
    assert.is_true(run.counts["moves of a stream to another host"] > 5)
    assert.is_true(run.counts["events that a stream brought"] > 1000)
  end)
end)
