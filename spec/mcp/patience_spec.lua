-- Jobs whose vendor takes its time: what an agent hears meanwhile.
local mcp = require "spec.support.mcp"
local told_vendor = require "spec.support.told_vendor"

describe("a vendor that takes its time", function()
  local vendor, host, agent

  setup(function()
    vendor = told_vendor.start()
    vendor:tell {
      ["POST /pay"] = { each = true, json = { status = "running" } }, ["GET /jobs/v1"] = { json = { status = "running" } },
      ["DELETE /jobs/v1"] = { hang_up = true },
    }
    host = vendor:live { env = { PROVIDERD_TEST_CALL_WAIT_MS = "1000" } }
    agent = mcp.modern(host)
  end)
  teardown(function() vendor:remove() end)

  it("and says nothing of progress: the agent hears some all the same, each ten seconds, then how it stands", function()
    local job_id = vendor:job(0.01)
    vendor:becomes(job_id, "running")
    local found = agent:call("get_job", { job_id = job_id, wait_seconds = 19 }, { _meta = { progressToken = "t" } })
    assert.is_true(#found.events >= 4, #found.events) -- at once, after 8 s, after 16 s, and the answer
    local last = -1
    for n = 1, #found.events - 1 do
      assert.is_true(found.events[n].params.progress > last and found.events[n].params.progress < 0.2)
      last = found.events[n].params.progress
    end
    assert.equal("running", found.data.status)
    assert.is_truthy(found.data.next:find("call get_job", 1, true))
  end)

  it("to cancel: it is told as asked for, not as done", function()
    local job_id = host:get("/api/jobs/list?limit=1").json.tasks[1].job_id
    local found = agent:call("cancel_job", { job_id = job_id })
    assert.is_nil(found.refused, found.text)
    assert.equal("running", found.data.status)
    assert.is_truthy(found.data.next:find("the vendor has not said yet", 1, true), found.text)
    assert.equal(require("cjson").null, found.data.error)
    vendor:tell { ["DELETE /jobs/v1"] = { json = { status = "canceled" } } }
    assert.equal("canceled", agent:call("get_job", { job_id = job_id, wait_seconds = 50 }).data.status)
  end)
end)
