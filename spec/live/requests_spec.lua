-- What one job may send: one request that may cost, or as many as its script declares and were reserved; others so many and no
-- faster; and
-- nothing that the switches do not let through at that moment. The host counts, whatever the script does.
local socket = require "socket"
local told_vendor = require "spec.support.told_vendor"

local CALL_REQUESTS = 128

describe("a job's requests", function()
  local vendor, host
  before_each(function() vendor = told_vendor.start() end)
  after_each(function() vendor:remove() end)

  local function start(functions, members)
    host = vendor:live { functions = functions, members = members }
    vendor:tell { ["POST *"] = { json = { status = "running", id = "v1" } }, ["GET *"] = { json = { status = "running" } } }
    return host
  end

  local function settled(count, name)
    host:eventually(function() return vendor:seen(name) >= count end)
    socket.sleep(0.5)
    return vendor:seen(name)
  end

  it("that may cost are one, however often the script asks", function()
    start { submit = [[return function(payload, ctx)
      local answer
      for _ = 1, 100 do answer = ctx.request { method = "POST", path = "/pay", json = payload } or answer end
      return answer.json
    end]] }
    local job = vendor:job(0.01)
    vendor:becomes(job, "running")
    assert.equal(1, settled(1, "POST /pay"))
    assert.equal(0.01, host:get("/api/budget").json.host.day.reserved_usd)
  end)

  it("that may cost are none in a poll, a look for a lost job, or a health check", function()
    local posts = [[for _ = 1, 20 do ctx.request { method = "POST", path = "/more", json = {} } end ]]
    start {
      poll = "return function(job, ctx) " .. posts .. [[return { status = "running" } end]],
      reconcile = "return function(job, ctx) " .. posts .. [[return { status = "unknown" } end]],
      health = "return function(ctx) " .. posts .. [[return { ok = true } end]],
    }
    local job = vendor:job(0.01)
    vendor:becomes(job, "running")
    for _ = 1, 3 do vendor:refresh(job) end
    vendor:tell { ["POST /pay"] = { hang_up = true } }
    local lost = vendor:job(0.01)
    vendor:becomes(lost, "unknown")
    vendor:refresh(lost)
    host:post(vendor.path .. "/health", { dry_run = false })
    assert.equal(0, vendor:seen("POST /more"))
    assert.equal(2, vendor:seen("POST /pay"))
  end)

  it("are not sent again because the script wants to, once the vendor has answered", function()
    start { submit = [[return function(payload, ctx)
      local answer = ctx.request { method = "POST", path = "/pay", json = payload }
      return { status = "queued", resubmit = true, reason = "again", retry_after = 0 }
    end]] }
    vendor:tell { ["GET /found"] = { json = { status = "unknown" } } } -- or a look for it makes it `running`, soon or late
    local job = vendor:job(0.01)
    vendor:becomes(job, "unknown")
    assert.equal(1, settled(1, "POST /pay"))
    vendor:tell { ["POST /pay"] = { status = 503 } } -- that is no answer that took it
    local other = vendor:job(0.01)
    host:eventually(function() return vendor:seen("POST /pay") >= 4 end)
    vendor:tell { ["POST /pay"] = {} }
    vendor:becomes(other, "unknown")
    local count = vendor:seen("POST /pay")
    host:kill()
    host:start_again()
    socket.sleep(0.5)
    assert.equal(count, vendor:seen("POST /pay"))
    assert.equal("unknown", vendor:status(other).status)
  end)

  it("that may cost are as many as the script declares, each reserved, over polls and restarts", function()
    start({
      submit = [[return function(payload, ctx)
        ctx.request { method = "POST", path = "/pay", json = payload }
        return { id = "v1", status = "running" }
      end]],
      poll = [[return function(job, ctx)
        local answer = ctx.request { method = "POST", path = "/second", json = {} }
        return { status = "running", reason = answer and "sent" or nil }
      end]],
    }, "paid_requests = 2,")
    local job = vendor:job(0.01)
    assert.equal(0.02, vendor:status(job).money.reserved_usd)
    host:eventually(function() return vendor:seen("POST /second") == 1 end)
    host:kill()
    host:start_again()
    for _ = 1, 3 do vendor:refresh(job) end
    assert.equal(1, vendor:seen("POST /second"))
    assert.equal(1, vendor:seen("POST /pay"))
  end)

  it("that may cost are not more than were reserved when the job came, whatever its script says later", function()
    start()
    vendor:tell { ["POST /pay"] = { status = 429, json = {
      status = "error", error = { code = "rate_limited", message = "later", billed = false }, retry_after = 1,
    } } }
    local waiting = vendor:job(0.01)
    host:eventually(function() return vendor:seen("POST /pay") > 0 end)
    local five = [[for _ = 1, 5 do answer = ctx.request { method = "POST", path = "/more", json = {} } or answer end]]
    host:write("providers/image_told.lua", vendor:script { members = "paid_requests = 5,", functions = {
      submit = "return function(payload, ctx) local answer " .. five .. " return answer.json end",
      poll = "return function(job, ctx) local answer " .. five .. [[ return { status = "running" } end]],
    } })
    vendor:becomes(waiting, "running")
    for _ = 1, 2 do vendor:refresh(waiting) end
    host:kill()
    host:start_again()
    vendor:refresh(waiting)
    assert.equal(1, vendor:seen("POST /more"))
    assert.equal(0.01, host:get("/api/budget").json.host.day.reserved_usd)
    host:eventually(function() return vendor:status(vendor:job(0.01)).money.reserved_usd == 0.05 end) -- one to come
  end)

  it("that read end after so many in one call, and do not come without a pause", function()
    start {
      submit = [[return function(payload, ctx) while true do ctx.request { path = "/look" } end end]],
      poll = [[return function(job, ctx) for _ = 1,
      20 do ctx.request { path = "/poll" } end return { status = "running" } end]],
    }
    local job = vendor:job(0.01)
    local ended = vendor:becomes(job, "error")
    assert.equal(0, ended.money.spent_usd)
    assert.is_truthy(ended.reason:find("more than 128 requests", 1, true), ended.reason)
    assert.equal(CALL_REQUESTS, vendor:seen("GET /look"))
    host:write("providers/image_told.lua", vendor:script {
      functions = { poll = [[return function(job, ctx) for _ = 1, 20 do ctx.request { path = "/poll" } end
        return { status = "running", retry_after = 0 } end]] },
    })
    host:eventually(function()
      job = vendor:job(0.01)
      return host:within(2, function() return vendor:status(job).status == "running" end)
    end)
    vendor:tell { ["GET *"] = { json = {} } }
    host:eventually(function() return vendor:seen("GET /poll") >= 20 end)
    local connections = {}
    for i = 1, 16 do
      connections[i] = host:connect()
      connections[i]:send("POST", vendor.path .. "/poll", { job_id = job, refresh = true })
    end
    socket.sleep(2)
    assert.is_true(vendor:seen("GET /poll") <= 2 * 20, vendor:seen("GET /poll"))
    for _, connection in ipairs(connections) do connection:close() end
  end)

  it("have a pause before a submit that is run again, too", function()
    start { submit = [[return function(payload, ctx)
      for _ = 1, 20 do ctx.request { path = "/look" } end
      return { status = "queued", resubmit = true, reason = "not yet", retry_after = 0 }
    end]] }
    local job = vendor:job(0.01)
    host:eventually(function() return vendor:seen("GET /look") >= 20 end)
    socket.sleep(2)
    assert.is_true(vendor:seen("GET /look") <= 40, vendor:seen("GET /look"))
    assert.equal("queued", vendor:status(job).status)
  end)
end)
