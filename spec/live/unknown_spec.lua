-- A job whose outcome is unknown is looked for, or settled by the operator.
local support = require "spec.support.live"

local function with(fault)
  return support.start { simulate = { "--fault", fault } }
end

describe("an unknown outcome", function()
  it("is settled by the operator", function()
    local live = with("fal:reset_after:1:POST")
    local job_id = live:job("fal")
    live:becomes(job_id, "unknown")
    local path = "/api/jobs/" .. job_id .. "/resolve"
    for _, body in ipairs { {}, { status = "unknown", cost_usd = 0 }, { status = "done" }, { status = "done", cost_usd = -1 },
      { vendor_id = "" }, { vendor_id = "x", status = "done" }, { vendor_id = "rpa_0123456789ABCDEF" } } do
      assert.equal(400, live.host:post(path, body).status)
    end
    local answer = live.host:post(path, { status = "error", cost_usd = 0.0025 })
    assert.equal(200, answer.status, answer.body)
    local job = live:becomes(job_id, "error")
    assert.equal(0.0025, job.money.spent_usd)
    assert.equal("operator", job.money.basis)
    live:day(function(day) return day.reserved_usd == 0 end)
    assert.equal(409, live.host:post(path, { status = "error", cost_usd = 0 }).status)
    live:agrees_with_vendors()
    live:remove()
  end)

  it("is looked for once when asked to, and not again and again", function()
    local live = with("replicate:reset_before:1:POST")
    local job_id = live:job("replicate")
    live:becomes(job_id, "unknown")
    local before = live.simulator:get("/journal").json.seen
    live.host:post(live:path("replicate", "poll"), { job_id = job_id, refresh = true })
    os.execute("sleep 1")
    local looks = live.simulator:get("/journal").json.seen - before
    assert.is_true(looks >= 1 and looks <= 6, looks .. " requests")
    assert.equal("unknown", live:status(job_id).status)
    live:agrees_with_vendors()
    live:remove()
  end)

  it("is followed under the id that the operator gives", function()
    local live = with("luma:reset_after:1:POST")
    local job_id = live:job("luma")
    live:becomes(job_id, "unknown")
    local vendor_id = live.simulator:get("/jobs").json.jobs[1].id
    assert.equal(200, live.host:post("/api/jobs/" .. job_id .. "/resolve", { vendor_id = vendor_id }).status)
    assert.equal("done", live:becomes(job_id, "done").status)
    live:agrees_with_vendors()
    live:remove()
  end)
end)
