-- Creates by the clients' own retry logic, cut at every stage, with a vendor that refuses and loses answers and a host that is
-- killed: no call pays twice, and nothing that was paid for is lost (spec/support/openai_twice.lua). In full: `make twice`.
local npm = require "spec.support.npm"
local twice = require "spec.support.openai_twice"

describe("creates of images by the official SDK, cut at random", function()
  it("pay once at most, and are shown, while the host is killed", function()
    local missing = npm.install(npm.OPENAI)
    if missing then return pending(missing) end
    local run = twice.run { calls = 120, seed = 7, kills = 3, at_once = 24, hasty = true }
    assert.same({}, run.problems)
    assert.equal(120, #run.over)
    assert.is_true(run.counts["requests: repeats"] > 20)
    assert.is_true(run.counts["paid requests"] > 60)
  end)
end)

describe("pictures by the AI SDK, n at once, cut at random", function()
  it("pay once at most, though nothing marks its repeats", function()
    local missing = npm.install(npm.OPENAI)
    if missing then return pending(missing) end
    local run = twice.run { program = "never_twice_ai.mjs", calls = 20, seed = 3, kills = 1, at_once = 6, calm = true }
    assert.same({}, run.problems)
    assert.is_true(run.counts["requests: repeats"] > 3)
  end)
end)
