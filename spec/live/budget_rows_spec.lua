-- The sums of budgets are rows of the registry, changed in the commit that changes the ledger: who reserves at the same time as
-- others, and who is killed meanwhile, leaves sums that are those of the ledger, and not a micro-dollar more than is allowed.
local exact = require "spec.support.exact_json"
local host_module = require "spec.support.host"
local prometheus = require "spec.support.prometheus"
local shell = require "spec.support.shell"
local swarm_module = require "spec.support.swarm"
local told_vendor = require "spec.support.told_vendor"

local CLIENTS = 64
local PRICE = 0.010007
local LIMIT = 2
local MOST = 199 -- of that price within that limit

local DIFFERENCES = [[SELECT count(*) FROM (SELECT span, begins, account FROM
  (SELECT span, begins, account, reserved, spent FROM budget
    UNION ALL SELECT span, begins, account, -reserved, -spent FROM ledger_sum) AS difference
  GROUP BY span, begins, account HAVING sum(reserved) <> 0 OR sum(spent) <> 0) AS different]]

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

describe("a budget", function()
  local vendor, host
  before_each(function()
    vendor = told_vendor.start()
    host = vendor:live { config = function(config)
      config.live.budget_usd = { per_day = LIMIT, per_month = LIMIT }
      config.live.providers.told.rate_per_minute = 1 -- they stay reserved
      config.server.threads = 160
    end }
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } },
      ["GET *"] = { json = { status = "running" } } }
  end)
  after_each(function() vendor:remove() end)

  local function number(statement)
    return tonumber(shell.sql(host, statement):match("%-?%d+"))
  end

  local function corrected()
    return prometheus.value(prometheus.read(host:get("/metrics").body), "providerd_registry_budget_differences_total")
  end

  local function told_account()
    for _, provider in ipairs(host:get("/api/budget").json.providers) do
      if provider.provider == "told" then return provider end
    end
  end

  -- Many clients that ask until they are told no, or until `ends` says so. Ids of the jobs that they were told, and how often no
  -- was said.
  local function ask(ends)
    local swarm, ids, refused = swarm_module.new(), {}, 0
    local body = ('{"dry_run":false,"price":%.6f}'):format(PRICE)
    for _ = 1, CLIENTS do
      swarm:add(function()
        while not ends(#ids) do
          local answer = swarm.ask(host.port, "POST", vendor.path .. "/submit", body)
          if not answer then return nil end
          if answer.status == 402 then
            refused = refused + 1
            return nil
          end
          assert.equal(202, answer.status, answer.body)
          ids[#ids + 1] = answer.json.job_id
        end
      end)
    end
    while swarm:is_busy() do swarm:step() end
    return ids, refused
  end

  it("is exact for many clients at the same time", function()
    local ids, refused = ask(function() return false end)
    assert.equal(MOST, #ids)
    assert.equal(CLIENTS, refused)
    local day = host:get("/api/budget").json.host.day
    assert.equal(MOST * micro(PRICE), micro(day.reserved_usd) + micro(day.spent_usd))
    assert.equal(micro(LIMIT), micro(day.left_usd) + MOST * micro(PRICE))
    local told = vendor:submit { price = PRICE }
    assert.equal(402, told.status)
    assert.same({ whose = "host", period = "day" }, { whose = told.json.budget.whose, period = told.json.budget.period })
    assert.equal(micro(LIMIT) - MOST * micro(PRICE), micro(told.json.budget.left_usd))
    assert.equal(MOST * micro(PRICE), number "SELECT sum(CASE WHEN spent = -1 THEN reserved ELSE spent END) FROM ledger")
    assert.equal(0, number(DIFFERENCES))
  end)

  it("is exact for those that come in one moment, and so in one commit", function()
    for round = 1, 3 do
      local before = number "SELECT count(*) FROM ledger"
      vendor.settings.live.providers.told.budget_usd = { per_day = (before + 20) * PRICE + 0.005, per_month = LIMIT }
      host:write("config/comfyvn.json", exact.encode(vendor.settings))
      host:eventually(function()
        return micro(told_account().day.limit_usd) == micro((before + 20) * PRICE + 0.005)
      end)
      local ids = ask(function() return false end)
      assert.equal(20, #ids, "round " .. round)
      assert.equal(5000, micro(told_account().day.left_usd))
    end
  end)

  it("is that of the ledger after kill -9 in between, and is not given out twice", function()
    local told = {}
    for round = 1, 2 do
      local killed = false
      local ids = ask(function(count)
        if count >= 30 and not killed then
          killed = true
          host:kill()
        end
        return killed
      end)
      for _, id in ipairs(ids) do told[#told + 1] = id end
      assert.equal(0, number(DIFFERENCES), "after kill " .. round)
      host:start_again()
    end
    for _, id in ipairs(told) do assert.equal(200, host:get("/api/jobs/status/" .. id).status) end
    ask(function() return false end)
    assert.equal(MOST, number "SELECT count(*) FROM ledger")
    assert.equal(0, number(DIFFERENCES))
    assert.equal(0, corrected())
  end)

  it("that somebody changed is put right when the host starts, and it is told", function()
    vendor:job(0.25)
    assert.equal(0, host:stop())
    shell.sql(host, "UPDATE budget SET reserved = reserved + 1000000 WHERE account = 'host'")
    shell.sql(host, "DELETE FROM budget WHERE account = 'provider:told' AND span = 'month'")
    host:start_again()
    host:eventually(function() return number(DIFFERENCES) == 0 end)
    host:eventually(function() return micro(host:get("/api/budget").json.host.day.reserved_usd) == 250000 end)
    assert.equal(3, corrected())
    local text = "the budget of host for the day from " .. os.date("!%%Y-%%m-%%d") ..
      " is not the sum of the ledger: 1000000 micro-dollars too much reserved, 0 too much spent"
    assert.truthy(host:log():find(os.date(text), 1, true), host:log())
  end)

  it("forgets with the ledger", function()
    local id = vendor:job(0.25)
    assert.equal(0, host:stop())
    local today = os.time() // 86400
    shell.sql(host, ([[
      INSERT INTO ledger SELECT 1000, %d, source, 700, 700, 300, 'vendor', 'studio', 1 FROM ledger LIMIT 1;
      INSERT INTO ledger SELECT 2000, %d, source, 900, 900, -1, NULL, 'studio', 0 FROM ledger LIMIT 1;
      DELETE FROM budget;
      INSERT INTO budget SELECT * FROM ledger_sum]]):format(today - 500, today - 500))
    assert.equal(1, number(("SELECT count(*) FROM budget WHERE account = 'mcp' AND begins = %d"):format(today - 500)))
    host:start_again()
    host:eventually(function() return number "SELECT count(*) FROM ledger" == 2 end)
    assert.equal(0, number(DIFFERENCES))
    assert.equal(0, number "SELECT count(*) FROM budget WHERE account = 'mcp'")
    assert.equal(900, number(("SELECT reserved + spent FROM budget WHERE account = 'key:studio' AND begins = %d AND span = 'day'")
      :format(today - 500))) -- what is not settled stays
    assert.equal(200, host:get("/api/jobs/status/" .. id).status)
    assert.equal(0, corrected())
  end)

  it("of a new registry is nothing", function()
    local fresh = host_module.start { config = vendor.settings }
    finally(function() fresh:remove() end)
    assert.equal(0, fresh:get("/api/budget").json.host.day.reserved_usd)
  end)
end)
