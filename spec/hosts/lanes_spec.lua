-- Places, rate and switch of two hosts on one registry: together they let out no more than one may, and what one of them is told
-- holds at the other.
local crowd = require "spec.support.vendor_crowd"
local hosts_module = require "spec.support.hosts"
local postgres = require "spec.support.postgres"

postgres.describe("two hosts", function()
  local hosts
  after_each(function()
    if hosts then hosts:remove() end
    hosts = nil
  end)

  local function start(options, max_concurrent, rate)
    options.count = 2
    options.config = function(config)
      config.server.threads = 96
      config.registry.lease_seconds = 3
      for _, provider in pairs(config.live.providers) do
        provider.max_concurrent = max_concurrent
        provider.rate_per_minute = rate
      end
    end
    hosts = hosts_module.start(options)
    return hosts
  end

  local function number(statement)
    return tonumber(hosts:sql(statement):match("%-?%d+"))
  end

  it("never have more jobs at a vendor at once than max_concurrent", function()
    start({ simulate = { "--job-time", "300" }, hurry = 10 }, 3, 6000)
    crowd.submit({ hosts[1], hosts[2] }, "luma", 120)
    crowd.all_ended(hosts[1], 120)
    assert.equal(3, crowd.at_once(hosts.simulator, "luma"))
    assert.equal(120, hosts[1]:paid("luma"))
    assert.equal(0, number "SELECT open FROM lane")
    assert.equal(0, number "SELECT count(*) FROM live WHERE slotted = 1")
  end)

  it("let a job go before those that came later, at whichever host", function()
    start({ simulate = { "--job-time", "300" }, hurry = 10 }, 1, 6000)
    local one, other = hosts[1], hosts[2]
    for _ = 1, 10 do one:job("luma") end
    local between = other:job("luma")
    for _ = 1, 20 do one:job("luma") end
    assert.equal("done", other:becomes(between, "done", 60).status)
    local before = number(([[SELECT count(*) FROM live, (SELECT live.sequence AS sequence, submitted_ms FROM live
      JOIN task USING (sequence) WHERE id = '\x%s') AS this
      WHERE live.sequence > this.sequence AND live.submitted_ms > 0 AND live.submitted_ms < this.submitted_ms]])
      :format(between:gsub("-", ""), ""))
    assert.is_true(before <= 3, before .. " went before it")
    crowd.all_ended(one, 60)
    assert.equal(1, crowd.at_once(hosts.simulator, "luma"))
  end)

  it("never send more jobs within a minute than rate_per_minute", function()
    start({ simulate = { "--job-time", "100" } }, 100, 120)
    local begun = crowd.now_ms()
    crowd.submit({ hosts[1], hosts[2] }, "fal", 240)
    hosts[1].host:eventually(function() return hosts[1]:paid("fal") > 130 end, 90)
    assert.is_true(crowd.within(hosts.simulator, "fal", 60) <= 120)
    local took = (crowd.now_ms() - begun) / 1000
    assert.is_true(took < 80, took .. " s")
  end)

  it("keep to it when one of them is killed: what it had lost keeps its places", function()
    start({ simulate = { "--job-time", "1500" }, hurry = 4 }, 4, 6000)
    crowd.submit({ hosts[1], hosts[2] }, "luma", 60)
    hosts[1].host:eventually(function() return hosts[1]:paid("luma") > 12 end)
    hosts[1].host:kill()
    hosts[2].host:eventually(function()
      local counts = hosts[2].host:get("/api/jobs/counts").json.counts
      return counts.queued == 0 and counts.running == 0
    end, 120)
    assert.is_true(crowd.at_once(hosts.simulator, "luma") <= 4)
    assert.equal(number "SELECT count(*) FROM live WHERE slotted = 1", number "SELECT open FROM lane")
    assert.equal(60, hosts[2]:paid("luma"))
  end)

  it("are both stopped once one has said so", function()
    start({ simulate = { "--job-time", "100" } }, 1000, 1200)
    crowd.submit({ hosts[1], hosts[2] }, "fal", 500)
    hosts[1].host:eventually(function() return hosts[1]:paid("fal") > 210 end)
    local answer = hosts[1].host:post("/api/live/stop")
    local told_ms = crowd.now_ms()
    assert.equal(200, answer.status, answer.body)
    os.execute("sleep 2")
    assert.is_true(number "SELECT max(submitted_ms) FROM live" <= told_ms)
    local paid = hosts[1]:paid("fal")
    assert.is_true(paid < 500)
    assert.equal(500 - paid, number "SELECT count(*) FROM live WHERE phase = 0")
    assert.is_true(hosts[2].host:get("/api/live").json.stopped)
    assert.is_true(hosts[2]:submit("fal").json.dry_run)
    assert.is_false(hosts[2].host:post("/api/live/start").json.stopped)
    assert.is_false(hosts[1].host:get("/api/live").json.stopped)
    crowd.all_ended(hosts[1], 150)
    assert.equal(500, hosts[1]:paid("fal"))
  end)

  it("have the same keys: a login at one is one at the other, until one ends them all", function()
    local keys = require "spec.support.keys"
    hosts = hosts_module.start { count = 2, config = function(config)
      config.server.api_keys = { keys.entry "boss" }
    end }
    local answer = hosts[1].host:post("/api/session", { key = keys.key "boss" })
    local cookie = answer.headers["set-cookie"]:match("^[^;]+")
    local function status(number_of_host)
      return hosts[number_of_host].host:get("/api/jobs/list", { Cookie = cookie }).status
    end
    assert.equal(200, status(2))
    assert.equal(200, hosts[2].host:request("DELETE", "/api/sessions", nil, keys.headers "boss").status)
    assert.equal(401, status(2))
    hosts[1].host:within(20, function() return status(1) == 401 end)
  end)
end)
