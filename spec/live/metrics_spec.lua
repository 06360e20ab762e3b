-- The figures at /metrics that only live jobs move: vendors' answers, money, jobs that are under way.
local prometheus = require "spec.support.prometheus"
local support = require "spec.support.live"

local value = prometheus.value

describe("the metrics of live jobs", function()
  local live

  setup(function() live = support.start() end)
  teardown(function() live:remove() end)

  local function read()
    return prometheus.read(live.host:get("/metrics").body)
  end

  it("count what vendors answered, how long they took, and the money", function()
    local before = read()
    assert.is_nil(value(before, "providerd_upstream_requests_total", { provider = "luma" }))
    assert.equal(0, value(before, "providerd_budget_spent_usd", { period = "day" }))
    local job_id = live:job("luma")
    local reserved = value(read(), "providerd_budget_reserved_usd", { period = "day" })
    local job = live:ended(job_id)
    local families = read()
    assert.is_true(reserved > 0)
    assert.equal(0, value(families, "providerd_budget_reserved_usd", { period = "day" }))
    assert.equal(job.money.spent_usd, value(families, "providerd_budget_spent_usd", { period = "month" }))
    assert.equal(job.money.spent_usd, value(families, "providerd_provider_spent_usd", { provider = "luma", period = "day" }))
    assert.equal(1000, value(families, "providerd_budget_limit_usd", { period = "day" }))
    local good = value(families, "providerd_upstream_requests_total", { provider = "luma", outcome = "2xx" })
    assert.is_true(good >= 2) -- the submit and a poll
    local times = "providerd_upstream_duration_seconds"
    assert.equal(value(families, "providerd_upstream_requests_total", { provider = "luma" }),
      value(families, times, { provider = "luma" }, times .. "_count"))
    assert.equal(0, value(families, "providerd_live_jobs"))
    assert.equal(1, value(families, "providerd_tasks_total", { provider = "luma", status = "queued" }))
    assert.equal(1, value(families, "providerd_tasks_total", { provider = "luma", status = "done" }))
  end)
end)
