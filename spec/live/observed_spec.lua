-- Proves that what jobs have cost is what the next one of that model and kind is expected to cost: by the vendor's figures
-- alone, from three jobs on, by model and drivers, over kill -9 and restarts, the last fifty of each; and that a job which
-- costs more than was reserved for it is told everywhere.
local cjson = require "cjson"
local prometheus = require "spec.support.prometheus"
local socket = require "socket"
local sql = require("spec.support.shell").sql
local told_vendor = require "spec.support.told_vendor"

local ESTIMATE = [[local price = require "price"
  return function(payload, plan, ctx)
    if payload.fixed then return { expected = payload.fixed, unit = "job", quantity = 1, model = payload.name } end
    if payload.silent then return nil, "the price is not known" end
    return price.estimate(ctx, { model = payload.name, drivers = payload.drivers, reason = "no price is known" })
  end]]

local function start()
  local vendor = told_vendor.start()
  vendor:live { functions = { estimate = ESTIMATE } }
  return vendor
end

-- A job that the vendor says has cost this.
local function settle(vendor, usd, body, cost)
  vendor:tell { ["POST /pay"] = { each = true, json = {
    status = "done", cost = usd and (cost or { usd = usd, source = "vendor" }) or nil } } }
  body.max_cost_usd = body.max_cost_usd or 1
  local answer = vendor:submit(body)
  assert(answer.status == 202, answer.body)
  return vendor:becomes(answer.json.job_id, "done")
end

local function estimates(vendor, body)
  return vendor.user:post(vendor.path .. "/preview", body).json.estimates
end

local TODAY = "^%d%d%d%d%-%d%d%-%d%d$"

describe("what jobs have cost", function()
  local vendor
  setup(function() vendor = start() end)
  teardown(function() vendor:remove() end)

  it("is what the next is expected to cost, from the third on", function()
    for i, usd in ipairs { 0.05, 0.02, 0.03 } do
      local before = estimates(vendor, { name = "m1" })
      assert.same({ cjson.null, "no price is known", "m1" }, { before.estimated_cost_usd, before.missing, before.model }, i)
      settle(vendor, usd, { name = "m1" })
    end
    local after = vendor.user:eventually(function()
      local found = estimates(vendor, { name = "m1" })
      return found.source == "observed" and found
    end)
    assert.same({ 0.03, 0.05, "observed", 3, "m1" },
      { after.estimated_cost_usd, after.high_usd, after.source, after.jobs, after.model })
    assert.matches(TODAY, after.as_of)
    assert.equal(0.05, vendor:submit({ name = "m1" }).json.reserved_usd)
  end)

  it("counts by what decides the price, and by the payload's model where nothing is said", function()
    for _, usd in ipairs { 0.1, 0.2, 0.3, 0.4 } do settle(vendor, usd, { name = "m2", drivers = "resolution=1080p" }) end
    for _ = 1, 3 do settle(vendor, 0.01, { name = "m2" }) end
    vendor.user:eventually(function() return estimates(vendor, { name = "m2" }).jobs == 3 end)
    local dear, cheap = estimates(vendor, { name = "m2", drivers = "resolution=1080p" }), estimates(vendor, { name = "m2" })
    assert.same({ 0.25, 0.4, 4, "resolution=1080p" },
      { dear.estimated_cost_usd, dear.high_usd, dear.jobs, dear.drivers })
    assert.same({ 0.01, 3 }, { cheap.estimated_cost_usd, cheap.jobs })
    assert.equal(cjson.null, estimates(vendor, { name = "m2", drivers = "resolution=4k" }).estimated_cost_usd)
    for _ = 1, 3 do settle(vendor, 0.07, { silent = true, model = "m3" }) end
    vendor.user:eventually(function() return estimates(vendor, { name = "m3" }).estimated_cost_usd == 0.07 end)
  end)

  it("is not told by what is no figure of the vendor's, by failures, by nothing, or by a name that is too long", function()
    settle(vendor, nil, { name = "m4", fixed = 0.5 })
    settle(vendor, nil, { name = "m4" })
    settle(vendor, 0, { name = "m4" })
    settle(vendor, 0.5, { name = "m4" }, { usd = 0.5, source = "operator" })
    settle(vendor, 0.5, { name = ("m"):rep(201), fixed = 0.5 })
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "error", cost = { usd = 0.5, source = "vendor" },
      error = { code = "vendor", message = "no", billed = true } } } }
    vendor:becomes(vendor:submit({ name = "m4", max_cost_usd = 1 }).json.job_id, "error")
    assert.equal("0\n", sql(vendor.user, "SELECT count(*) FROM observed WHERE model LIKE 'm4%' OR length(model) > 200"))
    settle(vendor, 0.5, { name = "m4" }, { usd = 0.5, source = "computed" })
    assert.equal("500000\n", sql(vendor.user, "SELECT micro_usd FROM observed WHERE model = 'm4'"))
  end)

  it("is kept over kill -9, from the very commit of the settlement", function()
    local rows = sql(vendor.user, "SELECT count(*) FROM observed")
    settle(vendor, 0.9, { name = "m5" })
    settle(vendor, 0.7, { name = "m5" })
    settle(vendor, 0.8, { name = "m5" })
    vendor.user:kill()
    vendor.user:start_again()
    assert.equal(tonumber(rows) + 3, tonumber((sql(vendor.user, "SELECT count(*) FROM observed"))))
    local found = estimates(vendor, { name = "m5" })
    assert.same({ 0.8, 0.9, 3 }, { found.estimated_cost_usd, found.high_usd, found.jobs })
    assert.equal(0.25, estimates(vendor, { name = "m2", drivers = "resolution=1080p" }).estimated_cost_usd)
    assert.equal("0\n", sql(vendor.user, [[SELECT count(*) FROM observed LEFT JOIN ledger USING (sequence)
      WHERE ledger.spent IS DISTINCT FROM observed.micro_usd]]))
  end)

  it("is neither lost nor counted twice by a kill -9 at any instant", function()
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "done", cost = { usd = 0.004, source = "vendor" } } } }
    for round = 1, 5 do
      local client = vendor.user:connect()
      for i = 1, 12 do
        client:send("POST", vendor.path .. "/submit",
          { name = ("k%d"):format(i % 3), price = 0.004, max_cost_usd = 1, dry_run = false })
        assert.equal(202, client:receive().status)
      end
      socket.sleep(0.01 * round)
      vendor.user:kill()
      vendor.user:start_again()
    end
    vendor.user:eventually(function()
      return #vendor.user:get("/api/jobs/list?status=queued").json.tasks == 0
        and #vendor.user:get("/api/jobs/list?status=running").json.tasks == 0
    end)
    local settled = sql(vendor.user, "SELECT count(*) FROM ledger WHERE basis = 'vendor' AND spent = 4000")
    assert.is_true(tonumber(settled) > 20, settled)
    assert.equal(settled, sql(vendor.user, "SELECT count(*) FROM observed WHERE model LIKE 'k%'"))
    assert.equal("0\n", sql(vendor.user, [[SELECT count(*) FROM observed LEFT JOIN ledger USING (sequence)
      WHERE ledger.spent IS DISTINCT FROM observed.micro_usd]]))
  end)

  it("is known to a job that was restored before it ended", function()
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } }, ["GET *"] = { json = { status = "running" } } }
    local jobs = {}
    for i = 1, 3 do
      jobs[i] = vendor:submit({ name = "m6", drivers = "audio=true", max_cost_usd = 1 }).json.job_id
      vendor:becomes(jobs[i], "running")
    end
    vendor.user:kill()
    vendor:tell { ["GET *"] = { json = { status = "done", cost = { usd = 0.6, source = "vendor" } } } }
    vendor.user:start_again()
    for _, job in ipairs(jobs) do
      vendor:refresh(job)
      vendor:becomes(job, "done")
    end
    vendor.user:eventually(function()
      return estimates(vendor, { name = "m6", drivers = "audio=true" }).estimated_cost_usd == 0.6
    end)
  end)
end)

describe("what is remembered of costs", function()
  -- Rows as a long life would have left them.
  local function fill(vendor, models, each)
    vendor.user:stop()
    sql(vendor.user, ([[WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
      INSERT INTO observed
      SELECT i, 'told', 'model ' || ((i - 1) / %d), '', i, 1764460800000 FROM n]]):format(models * each, each))
    vendor.user:start_again()
  end

  it("is the last fifty of a model", function()
    local vendor = start()
    fill(vendor, 1, 50)
    assert.same({ 0.000026, 0.00005, 50 }, (function(found)
      return { found.estimated_cost_usd, found.high_usd, found.jobs }
    end)(estimates(vendor, { name = "model 0" })))
    for _ = 1, 2 do settle(vendor, 0.5, { name = "model 0" }) end
    vendor.user:eventually(function() return estimates(vendor, { name = "model 0" }).high_usd == 0.5 end)
    assert.equal(50, estimates(vendor, { name = "model 0" }).jobs)
    assert.equal("50|3\n", sql(vendor.user, "SELECT count(*), min(micro_usd) FROM observed"))
    vendor:remove()
  end)

  it("is bounded in all, and the start is not slow for it", function()
    local vendor = start()
    fill(vendor, 5000, 4)
    assert.equal(4, estimates(vendor, { name = "model 4999" }).jobs)
    assert.is_nil(estimates(vendor, { name = "model 1" }).jobs) -- of 5,000 the last 2,000 are in memory
    settle(vendor, 0.5, { name = "new" })
    assert.equal("19501\n", sql(vendor.user, "SELECT count(*) FROM observed"))
    vendor:remove()
  end)
end)

describe("a job that costs more than was reserved", function()
  it("is told by an event, the log, its warnings and metrics; one that does not is not", function()
    local vendor = start()
    local dear, fair = settle(vendor, 0.07, { name = "m", fixed = 0.03 }), settle(vendor, 0.03, { name = "m", fixed = 0.03 })
    local event = vendor.user:eventually(function()
      return vendor.user:get("/api/events/history?type=host.budget.exceeded").json.events[1]
    end)
    assert.same({ job_id = dear.job_id, provider = "told", reserved_usd = 0.03, spent_usd = 0.07 }, event.data)
    assert.same({ "this job cost 0.070000 USD (vendor), more than the 0.030000 USD that were reserved for it" },
      dear.result.warnings)
    assert.equal(cjson.null, fair.result.warnings)
    vendor.user:eventually(function()
      return vendor.user:log():match("event=budget%.exceeded[^\n]*" .. dear.job_id:gsub("%-", "%%-"))
    end)
    local metrics = prometheus.read(vendor.user:get("/metrics").body)
    assert.equal(1, prometheus.value(metrics, "providerd_budget_exceeded_total", { provider = "told" }))
    assert.equal(0.04, prometheus.value(metrics, "providerd_budget_exceeded_usd_total", { provider = "told" }))
    assert.equal(0, prometheus.value(metrics, "providerd_budget_exceeded_total", { provider = "fal" }))
    vendor:remove()
  end)
end)
