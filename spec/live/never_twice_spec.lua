-- A paid request goes out once, whatever happens: lost answers make a job's outcome unknown, refused connections are tried again,
-- a crash between the two is told by the registry.
local support = require "spec.support.live"

local function with(fault)
  return support.start { simulate = { "--fault", fault } }
end

describe("a paid submit", function()
  for _, fault in ipairs { "reset_before", "reset_after", "truncated" } do
    it("whose answer is lost (" .. fault .. ") is unknown, is not sent again, and keeps its money", function()
      local live = with("fal:" .. fault .. ":1:POST")
      local job_id = live:job("fal")
      local job = live:becomes(job_id, "unknown")
      assert.is_string(job.reason)
      assert.is_nil(job.money.spent_usd)
      local seen = live.simulator:get("/journal").json.seen
      os.execute("sleep 2")
      assert.equal(seen, live.simulator:get("/journal").json.seen)
      assert.equal(0.006, live:budget().host.day.reserved_usd)
      live.host:kill()
      live.host:start_again()
      os.execute("sleep 1")
      assert.equal("unknown", live:status(job_id).status)
      assert.equal(seen, live.simulator:get("/journal").json.seen)
      live:agrees_with_vendors()
      live:remove()
    end)
  end

  it("that a vendor limits is sent again later, once taken", function()
    local live = with("luma:429:0.5:POST")
    local jobs = {}
    for i = 1, 6 do jobs[i] = live:job("luma") end
    for i = 1, 6 do assert.equal("done", live:ended(jobs[i], 120).status) end
    assert.equal(6, live:paid("luma"))
    live:agrees_with_vendors()
    live:remove()
  end)

  it("is tried again when nobody listened", function()
    local live = support.start { config = function(config) config.live.upstream = "http://127.0.0.1:9" end }
    local job_id = live:job("fal")
    local job = live.host:eventually(function()
      local job = live:status(job_id)
      return job.reason and job
    end)
    assert.equal("queued", job.status)
    assert.is_truthy(job.reason:find("nothing was sent", 1, true))
    live.settings.live.upstream = "http://127.0.0.1:" .. live.simulator.port
    live.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(live.settings))
    assert.equal("done", live:ended(job_id).status)
    assert.equal(1, live:paid("fal"))
    live:agrees_with_vendors()
    live:remove()
  end)
end)
