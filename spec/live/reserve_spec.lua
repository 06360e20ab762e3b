-- What a job reserves: never nothing for what has a price, not less than the vendor bills at least, nor than the operator
-- says; and what
-- it cost beyond that is told.
local exact = require "spec.support.exact_json"
local support = require "spec.support.live"
local told_vendor = require "spec.support.told_vendor"

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

describe("a reservation", function()
  local vendor, host
  setup(function()
    vendor = told_vendor.start()
    host = vendor:live { functions = { estimate = [[return function(payload)
      if not payload.price then return nil, "the price is not known" end
      return { expected = payload.price, free = payload.free, unbounded = payload.open,
        unit = "job", quantity = 1, source = "x", as_of = "2026-11-23" }
    end]] } }
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } },
    ["GET *"] = { json = { status = "running" } } }
  end)
  teardown(function() vendor:remove() end)

  local function missing(answer)
    assert.equal(200, answer.status, answer.body)
    return table.concat(answer.json.live.missing, "\n")
  end

  it("of nothing is refused, unless the script says that the job is free", function()
    assert.is_truthy(missing(vendor:submit { price = 0 }):find("comes to nothing", 1, true))
    assert.is_truthy(missing(vendor:submit { price = 0, max_cost_usd = 1 }):find("comes to nothing", 1, true))
    assert.equal(202, vendor:submit({ price = 0, free = true }).status)
    local tiny = vendor:submit { price = 1e-12 }
    assert.equal(202, tiny.status)
    assert.equal(1, micro(tiny.json.reserved_usd))
  end)

  it("is not less than the operator's floor, which also holds for what has no price", function()
    vendor.settings.live.providers.told.min_reserve_usd = 0.25
    host:write("config/comfyvn.json", exact.encode(vendor.settings))
    host:eventually(function() return vendor:submit({ price = 0.01 }).json.reserved_usd == 0.25 end)
    assert.equal(0.5, vendor:submit({ price = 0.5 }).json.reserved_usd)
    assert.is_truthy(missing(vendor:submit { price = 0.01, max_cost_usd = 0.2 }):find("more than max_cost_usd", 1, true))
    assert.is_truthy(missing(vendor:submit { max_cost_usd = 0.000001 }):find("min_reserve_usd", 1, true))
    assert.equal(0.25, vendor:submit({ max_cost_usd = 0.25 }).json.reserved_usd)
    assert.equal(0, vendor:submit({ price = 0, free = true }).json.reserved_usd)
    vendor.settings.live.providers.told.min_reserve_usd = 0
    host:write("config/comfyvn.json", exact.encode(vendor.settings))
    host:eventually(function() return vendor:submit({ price = 0.01 }).json.reserved_usd == 0.01 end)
  end)

  it("is no guess: without an upper bound the client says what the job may cost", function()
    local answer = vendor:submit { price = 0.01, open = true }
    assert.is_truthy(missing(answer):find("say max_cost_usd", 1, true))
    assert.same({ 0.01, exact.null }, { answer.json.estimates.estimated_cost_usd, answer.json.estimates.high_usd })
    assert.is_nil(answer.json.estimates.unbounded)
    assert.equal(0.5, vendor:submit({ price = 0.01, open = true, max_cost_usd = 0.5 }).json.reserved_usd)
  end)

  it("is given back whole when the vendor bills nothing, whether the answer, a poll or a cancel says so", function()
    local free = { code = "vendor", message = "it never ran", billed = false }
    local results = {
      { status = "error", error = free }, { status = "error", error = free, cost = { usd = 0, source = "vendor" } },
      { status = "canceled", error = free },
    }
    local function ends(job, status, basis, usd)
      local money = vendor:becomes(job, status).money
      assert.same({ basis, usd }, { money.basis, money.spent_usd })
    end
    for i, result in ipairs(results) do
      result.id = "free-" .. i
      vendor:tell { ["POST /pay"] = { json = result } }
      ends(vendor:job(0.03), result.status, "not_billed", 0)
      vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } } }
      local polled = vendor:job(0.03)
      local id = vendor:becomes(polled, "running").vendor_id
      vendor:tell { ["GET /jobs/" .. id] = { json = result } }
      vendor:refresh(polled)
      ends(polled, result.status, "not_billed", 0)
      local canceled = vendor:job(0.03)
      id = vendor:becomes(canceled, "running").vendor_id
      vendor:tell { ["DELETE /jobs/" .. id] = { json = result } }
      host:post("/api/jobs/" .. canceled .. "/cancel")
      ends(canceled, result.status, "not_billed", 0)
    end
    local dear = { id = "x", status = "error", error = free, cost = { usd = 0.02, source = "vendor" } }
    vendor:tell { ["POST /pay"] = { json = dear } }
    ends(vendor:job(0.03), "error", "vendor", 0.02)
  end)

  it("that was too little is told, and the budget counts what it cost", function()
    host:eventually(function() return #host:get("/api/jobs/list?status=queued").json.tasks == 0 end)
    local before = host:get("/api/budget").json.host.day
    vendor:tell { ["POST /pay"] = { json = { id = "dear", status = "done", cost = { usd = 0.07, source = "vendor" } } } }
    local job = vendor:job(0.03)
    assert.equal(0.07, vendor:becomes(job, "done").money.spent_usd)
    local event = host:eventually(function()
      return host:get("/api/events/history?type=host.budget.exceeded").json.events[1]
    end)
    assert.same({ job_id = job, provider = "told", reserved_usd = 0.03, spent_usd = 0.07 }, event.data)
    local after = host:get("/api/budget").json.host.day
    assert.equal(70000, micro(after.spent_usd) - micro(before.spent_usd))
    assert.equal(micro(before.reserved_usd), micro(after.reserved_usd))
  end)
end)

describe("what a client says of a job", function()
  local live
  setup(function() live = support.start() end)
  teardown(function() live:remove() end)

  it("does not price it below what the vendor bills at least", function()
    local job = { url = "https://me--app-fn.modal.run", body = {}, gpu = "H100" }
    local full
    for _, say in ipairs { { seconds = 60 }, { seconds = 0.0000001 }, { max_runtime_minutes = 1e-12 }, { seconds = 59 } } do
      local body = { job = {}, dry_run = true }
      for name, value in pairs(job) do body.job[name] = value end
      for name, value in pairs(say) do body.job[name] = value end
      local usd = live.host:post(live:path("modal", "submit"), body).json.estimates.estimated_cost_usd
      full = full or usd
      assert.is_true(usd > 0)
      assert.equal(full, usd)
    end
  end)

  it("has no price when something is sent whose meaning is not known", function()
    for _, id in ipairs { "fal", "pika", "runway", "luma" } do
      for _, name in ipairs { "num_videos", "n_copies", "how_many" } do
        local body = support.body(id, { dry_run = false })
        body.parameters = exact.decode(exact.encode(body.parameters or {}))
        body.parameters[name] = 4
        local answer = live.host:post(live:path(id, "submit"), body)
        assert.equal(200, answer.status, id .. ": " .. answer.body)
        assert.equal(exact.null, answer.json.estimates.estimated_cost_usd or exact.null, id)
        assert.is_false(answer.json.live.missing[1] == nil, id)
      end
    end
  end)
end)
