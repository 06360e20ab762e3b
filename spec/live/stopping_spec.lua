-- A host that stops: what a vendor was paid for is written, also when the registry cannot be written at first; downloads do not
-- hold it up.
local registry = require "spec.support.registry"
local socket = require "socket"
local support = require "spec.support.live"

describe("a host that stops", function()
  it("tries again to write what could not be written", function()
    local live = support.start { simulate = { "--latency", "3000" } }
    local job = live:job("fal")
    live.host:eventually(function() return live.simulator:get("/journal").json.requests[1] or
      live.host:get("/api/live").json.jobs.sending == 1 end)
    live.host:signal("TERM")
    socket.sleep(0.5)
    -- another program keeps the database when the answer comes, and a while longer
    local keeper = registry.keep(live.host)
    socket.sleep(6)
    keeper:release()
    local released = socket.gettime()
    assert.equal(0, live.host:stop())
    assert.is_true(socket.gettime() - released < 20)
    live.host:start_again()
    assert.equal("done", live:ended(job).status)
    assert.equal(1, live:paid("fal"))
    live:remove()
  end)

  it("does not wait for outputs that can be had after the next start", function()
    local odd = require("spec.support.odd_outputs").start {}
    local job = odd:submit({ require("spec.support.odd_outputs").file("stuck") }, true) -- takes 30 s
    odd.host:eventually(function() return odd:temporaries() ~= "" end)
    local began = socket.gettime()
    odd.host:ends_well()
    assert.is_true(socket.gettime() - began < 28, "it took " .. socket.gettime() - began .. " s") -- copies have 10 s
    odd.host:start_again()
    assert.is_nil(odd:ended(job).artifacts[1].error)
    odd:remove()
  end)
end)
