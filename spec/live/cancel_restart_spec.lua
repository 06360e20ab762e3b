-- A cancel that the vendor has not confirmed survives a kill: the next start asks for it again, and the job ends canceled.
local told_vendor = require "spec.support.told_vendor"

describe("a cancel that is pending", function()
  it("is asked for again after kill -9, and nothing is paid twice", function()
    local vendor = told_vendor.start()
    vendor:tell {
      ["POST /pay"] = { each = true, json = { status = "running" } }, ["GET /jobs/v1"] = { json = { status = "running" } },
      ["DELETE /jobs/v1"] = { hang_up = true },
    }
    local host = vendor:live { env = { PROVIDERD_TEST_CALL_WAIT_MS = "1000" } }
    local job_id = vendor:job(0.01)
    vendor:becomes(job_id, "running")
    local answer = host:post("/api/jobs/" .. job_id .. "/cancel")
    assert.equal(202, answer.status, answer.body)
    assert.is_string(answer.json.pending)
    host:eventually(function() return vendor:seen("DELETE /jobs/v1") >= 1 end)
    host:kill()
    local before = vendor:seen("DELETE /jobs/v1")
    vendor:tell { ["DELETE /jobs/v1"] = { json = { status = "canceled" } } }
    host:start_again()
    vendor:becomes(job_id, "canceled")
    assert.is_true(vendor:seen("DELETE /jobs/v1") > before)
    assert.equal(1, vendor:seen("POST /pay"))
    vendor:remove()
  end)
end)
