-- A short storm. `make storm` is the long one.
local storm = require "spec.support.storm"

describe("a storm", function()
  it("leaves every answer true, every budget kept, every secret unseen, and no job paid twice", function()
    local run = storm.run { seconds = 20, seed = 7, kills = 2, clients = 16, settle_seconds = 15 }
    assert.same({}, run.problems)
    assert.is_true(#run.jobs > 100)
    assert.is_true((run.counts["told accepted (202)"] or 0) > 10)
    assert.is_true((run.counts.paid or 0) > 10)
  end)
end)
