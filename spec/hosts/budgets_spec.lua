-- One budget of two hosts on one registry, asked by 64 clients at each of them: what is given out is exact to the micro-dollar,
-- also when a host is killed meanwhile, and each host tells of both.
local cjson = require "cjson"
local hosts_module = require "spec.support.hosts"
local live = require "spec.support.live"
local postgres = require "spec.support.postgres"
local prometheus = require "spec.support.prometheus"
local swarm_module = require "spec.support.swarm"

local CLIENTS = 64 -- of each host
local PRICE = 0.010007
local MOST = 300
local LIMIT = MOST * PRICE + 0.005

local DIFFERENCES = [[SELECT count(*) FROM (SELECT span, begins, account FROM
  (SELECT span, begins, account, reserved, spent FROM budget
    UNION ALL SELECT span, begins, account, -reserved, -spent FROM ledger_sum) AS difference
  GROUP BY span, begins, account HAVING sum(reserved) <> 0 OR sum(spent) <> 0) AS different]]

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

postgres.describe("the budget of two hosts", function()
  local hosts
  before_each(function()
    hosts = hosts_module.start { count = 2, config = function(config)
      config.live.budget_usd = { per_day = LIMIT, per_month = 1000 }
      config.live.providers.runpod.rate_per_minute = 1 -- they stay reserved
      config.server.threads = 160
    end }
  end)
  after_each(function() hosts:remove() end)

  local function number(statement)
    return tonumber(hosts:sql(statement):match("%-?%d+"))
  end

  -- All clients ask until they are told no, their host is gone, or `ends` says so. The ids of the jobs that they were told.
  local function ask(ends)
    local swarm, ids = swarm_module.new(), {}
    local body = cjson.encode(live.body("runpod", { max_cost_usd = PRICE }))
    for i = 1, 2 * CLIENTS do
      swarm:add(function()
        local one = hosts[i % 2 + 1]
        local port = one.host.port
        while not ends(#ids) do
          local answer = swarm.ask(port, "POST", one:path("runpod", "submit"), body)
          if not answer or answer.status == 402 then return nil end
          if answer.status ~= 503 then
            assert.equal(202, answer.status, answer.body)
            ids[#ids + 1] = answer.json.job_id
          end
        end
      end)
    end
    while swarm:is_busy() do swarm:step() end
    return ids
  end

  local function check()
    assert.equal(MOST, number "SELECT count(*) FROM ledger")
    assert.equal(0, number(DIFFERENCES))
    for i = 1, 2 do
      local host = hosts[i].host
      host:eventually(function()
        local day = host:get("/api/budget").json.host.day
        assert.equal(MOST * micro(PRICE), micro(day.reserved_usd) + micro(day.spent_usd))
        assert.equal(5000, micro(day.left_usd))
        return true
      end)
      local refused = hosts[i]:submit("runpod", { max_cost_usd = PRICE })
      assert.equal(402, refused.status)
      assert.equal(5000, micro(refused.json.budget.left_usd))
      assert.equal(0, prometheus.value(prometheus.read(host:get("/metrics").body),
        "providerd_registry_budget_differences_total"))
    end
  end

  it("is exact for 64 clients of each", function()
    assert.equal(MOST, #ask(function() return false end))
    check()
  end)

  it("is exact when one of them is killed and comes again", function()
    local killed = false
    ask(function(count)
      if count >= 60 and not killed then
        killed = true
        hosts[1].host:kill()
      end
      return killed
    end)
    assert.equal(0, number(DIFFERENCES))
    hosts[1].host:start_again()
    ask(function() return false end)
    check()
  end)
end)
