-- After kill -9: what was sent is polled, what was not is sent, what may have been is unknown.
local support = require "spec.support.live"

local function with(fault)
  return support.start { simulate = { "--fault", fault } }
end

describe("after kill -9", function()
  it("sent jobs are polled, queued ones start, those in between are unknown, and nothing is sent twice", function()
    local live = support.start { simulate = { "--latency", "300" }, config = function(config)
      config.live.providers.fal.max_concurrent = 2
    end }
    local jobs = {}
    for i = 1, 8 do jobs[i] = live:job("fal") end
    os.execute("sleep 0.5")
    live.host:kill()
    live.host:start_again()
    local unknown = 0
    for i = 1, 8 do
      local job = live:ended(jobs[i], 120)
      assert.is_true(job.status == "done" or job.status == "unknown", job.status)
      if job.status == "unknown" then unknown = unknown + 1 end
    end
    assert.is_true(unknown <= 2)
    assert.is_true(live:paid("fal") <= 8)
    live:agrees_with_vendors()
    live:remove()
  end)

  it("a restored backup's open jobs are unknown", function()
    local live = with("luma:never_ending:1")
    local job_id = live:job("luma")
    live.host:eventually(function() return live:status(job_id).vendor_id end)
    live.host:kill()
    live.host.arguments = { "serve", "--home", live.host.home, "--listen", "127.0.0.1:0", "--restored" }
    live.host:start_again()
    assert.equal("unknown", live:becomes(job_id, "unknown").status)
    live:agrees_with_vendors()
    live:remove()
  end)
end)
