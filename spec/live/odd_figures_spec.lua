-- Figures that are no numbers (0/0, a vendor's 1e999) are not known. They lose neither an answer that was paid for, nor a
-- job's end.
local exact = require "spec.support.exact_json"
local told_vendor = require "spec.support.told_vendor"

describe("a result with a figure that is no number", function()
  local vendor
  before_each(function() vendor = told_vendor.start() end)
  after_each(function() vendor:remove() end)

  it("is kept without it, at every step of a job", function()
    vendor:live { functions = {
      submit = [[return function(payload, ctx)
        ctx.request { method = "POST", path = "/pay", json = payload }
        return { id = "v1", status = "running", retry_after = math.huge, progress = 0 / 0, state = { seconds = -math.huge } }
      end]],
      poll = [[return function(job, ctx)
        local response = ctx.request { path = "/jobs/" .. job.id }
        if response.json.over then
          return { status = "done", progress = 0 / 0, cost = { usd = tonumber("1e999") * 0.003, source = "computed" } }
        end
        return { status = "running", progress = 0 / 0, retry_after = tonumber("1e999") }
      end]],
    } }
    local job = vendor:job(0.01)
    local running = vendor:becomes(job, "running")
    assert.equal("v1", running.vendor_id)
    assert.equal(0, running.progress)
    assert.equal(200, vendor:refresh(job).status)
    vendor:tell { ["GET /jobs/v1"] = { json = { over = true } } }
    local ended = vendor:becomes(job, "done")
    assert.equal(0.01, ended.money.spent_usd)
    assert.equal("estimate", ended.money.basis)
    assert.equal(exact.null, ended.reason)
  end)
end)
