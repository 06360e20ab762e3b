-- Places at a provider and its rate: kept by the registry, so that no crowd of clients, no restart and no lost job lets more out.
local crowd = require "spec.support.vendor_crowd"
local shell = require "spec.support.shell"
local support = require "spec.support.live"
local told_vendor = require "spec.support.told_vendor"

describe("a provider", function()
  local live
  after_each(function()
    if live then live:remove() end
    live = nil
  end)

  local function start(options, max_concurrent, rate)
    options.config = function(config)
      config.server.threads = 96
      for _, provider in pairs(config.live.providers) do
        provider.max_concurrent = max_concurrent
        provider.rate_per_minute = rate
      end
    end
    live = support.start(options)
    return live
  end

  local function open(provider)
    return tonumber(shell.sql(live.host, ("SELECT open FROM lane WHERE provider = '%s'"):format(provider)):match("%-?%d+"))
  end

  local function slotted()
    return tonumber(shell.sql(live.host, "SELECT count(*) FROM live WHERE slotted = 1"):match("%d+"))
  end

  it("never has more jobs at once than max_concurrent, whatever 64 clients want", function()
    start({ simulate = { "--job-time", "300" }, hurry = 10 }, 3, 6000)
    crowd.submit({ live }, "luma", 100)
    crowd.all_ended(live, 120)
    assert.equal(3, crowd.at_once(live.simulator, "luma"))
    assert.equal(100, live:paid("luma"))
    assert.equal(0, open("luma"))
    assert.equal(0, slotted())
  end)

  it("never gets more jobs within a minute than rate_per_minute, the first ones and those after a restart included", function()
    start({ simulate = { "--job-time", "100" } }, 100, 120)
    local begun = crowd.now_ms()
    crowd.submit({ live }, "fal", 240)
    live.host:eventually(function() return live:paid("fal") >= 20 end) -- what the bucket holds leaves at once
    live.host:stop()
    live.host:start_again()
    live.host:eventually(function() return live:paid("fal") > 130 end, 90)
    assert.is_true(crowd.within(live.simulator, "fal", 60) <= 120)
    local took = (crowd.now_ms() - begun) / 1000
    assert.is_true(took < 100, took .. " s") -- and not much fewer
  end)

  it("counts its places anew when a host starts", function()
    start({ simulate = { "--fault", "luma:never_ending:1" } }, 3, 6000)
    for _, job in ipairs { live:job("luma"), live:job("luma") } do
      live.host:eventually(function() return live:status(job).vendor_id end)
    end
    live.host:kill()
    for wrong, places in pairs { ["UPDATE lane SET open = 0"] = "none", ["UPDATE lane SET open = 9"] = "too many",
      ["DELETE FROM lane"] = "not told" } do
      shell.sql(live.host, wrong)
      live.host:start_again()
      assert.equal(2, open("luma"), places)
      live.host:stop()
    end
    live.host:start_again()
    local third = live:job("luma")
    live.host:eventually(function() return live:status(third).vendor_id end)
    local fourth = live:job("luma")
    os.execute("sleep 0.5")
    assert.equal("queued", live:status(fourth).status)
    assert.equal(3, open("luma"))
  end)
end)

describe("a lost job", function()
  local vendor, host
  before_each(function() vendor = told_vendor.start() end)
  after_each(function() vendor:remove() end)

  local function start(env)
    host = vendor:live { env = env, config = function(config) config.live.providers.told.max_concurrent = 1 end }
    vendor:tell { ["POST /pay"] = { hang_up = true }, ["GET /found"] = { json = { status = "unknown" } } }
    local lost = vendor:job(0.01)
    vendor:becomes(lost, "unknown")
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } } }
    return lost
  end

  local function number(statement)
    return tonumber(shell.sql(host, statement):match("%-?%d+"))
  end

  it("keeps its place, over a restart, until it is resolved", function()
    local lost = start()
    local waiting = vendor:job(0.01)
    os.execute("sleep 0.5")
    host:kill()
    host:start_again()
    os.execute("sleep 1")
    assert.equal("queued", vendor:status(waiting).status)
    assert.equal(1, vendor:seen("POST /pay"))
    assert.equal(1, number("SELECT open FROM lane"))
    assert.equal(200, host:post("/api/jobs/" .. lost .. "/resolve", { status = "error", cost_usd = 0 }).status)
    vendor:becomes(waiting, "done")
    assert.equal(0, number("SELECT open FROM lane"))
  end)

  it("keeps its place until it is found, and has one then", function()
    local lost = start()
    local waiting = vendor:job(0.01)
    vendor:tell { ["GET /found"] = { json = { id = "lost", status = "running" } },
      ["GET /jobs/lost"] = { json = { status = "running" } } }
    vendor:refresh(lost)
    assert.equal("running", vendor:status(lost).status)
    assert.equal("queued", vendor:status(waiting).status)
    assert.equal(1, number("SELECT open FROM lane"))
    vendor:tell { ["GET /jobs/lost"] = { json = { status = "done" } } }
    vendor:refresh(lost)
    vendor:becomes(waiting, "done")
    assert.equal(0, number("SELECT open FROM lane"))
  end)

  it("gives its place back after ten minutes", function()
    local lost = start { PROVIDERD_TEST_HURRY = "150" } -- 4 s
    vendor:becomes(vendor:job(0.01), "done")
    local took = number("SELECT max(at_ms) - min(at_ms) FROM event WHERE verb IN ('unknown', 'sent')")
    assert.is_true(took > 3000 and took < 60000, took .. " ms")
    assert.equal("unknown", vendor:status(lost).status)
    assert.equal(0, number("SELECT count(*) FROM live WHERE slotted = 1"))
    assert.equal(200, host:post("/api/jobs/" .. lost .. "/resolve", { status = "error", cost_usd = 0 }).status)
    assert.equal(0, number("SELECT open FROM lane"))
  end)
end)

describe("a vendor that wants to be left alone", function()
  it("is, as long as it says, over a restart too", function()
    local vendor = told_vendor.start()
    local host = vendor:live()
    vendor:tell { ["POST /pay"] = { status = 429, json = { status = "error",
      error = { code = "rate_limited", billed = false }, retry_after = 4, retry_named = true } } }
    local job = vendor:job(0.01)
    local until_ms = host:eventually(function()
      local blocked_ms = tonumber(shell.sql(host, "SELECT blocked_ms FROM lane"):match("%d+"))
      return blocked_ms and blocked_ms > 0 and blocked_ms
    end)
    assert.equal(1, vendor:seen("POST /pay"))
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } } }
    host:stop()
    host:start_again()
    vendor:becomes(vendor:job(0.01), "done")
    assert.is_true(crowd.now_ms() >= until_ms)
    assert.equal("done", vendor:becomes(job, "done").status)
    vendor:remove()
  end)
end)
