-- A standby is promoted that lacks what was committed last: numbers of events are not given out twice, nothing is sent again.
local hosts = require "spec.support.hosts"
local postgres = require "spec.support.postgres"

postgres.describe("a failover that lost commits", function()
  local cluster, one

  lazy_setup(function()
    cluster = postgres.cluster { fsync = true }
    one = hosts.start { count = 1, database = cluster:database(), config = function(config)
      config.registry.lease_seconds = 3
      config.live.providers.luma.rate_per_minute = 2 -- the second job waits for longer than the server is stopped
    end }
  end)
  lazy_teardown(function()
    if one then one:remove() end
    if cluster then cluster:remove() end
  end)

  local function newest_event()
    return tonumber(one:sql "SELECT coalesce(max(number), 0) FROM event")
  end

  local function is_ready()
    one[1].host:eventually(function() return one[1].host:get("/readyz").status == 200 end, 30)
  end

  local function is_back()
    one[1].host:eventually(function() return one[1].host:get("/api/jobs/list?limit=1").status == 200 end, 30)
    one[1].host:eventually(function() -- the first write on the new connection sees it
      one[1].host:post("/api/providers/image/fal/submit", { prompt = "dry" })
      return one[1].host:get("/api/events/history?type=host.registry.failover").json.events[1] ~= nil
    end, 30)
  end

  it("moves the numbers of events far ahead, and is told once", function()
    local live = one[1]
    cluster:keep()
    is_ready()
    live:ended(live:job "fal")
    local before = newest_event()
    cluster:crash()
    cluster:put_back()
    is_back()
    assert.is_true(newest_event() > before + 900000, ("%d after %d"):format(newest_event(), before))
    assert.equal("1\n", one:sql "SELECT count(*) FROM event WHERE verb = 'host.registry.failover'")
    assert.matches("event=registry.failover", live.host:log())
    local after = newest_event()
    live:ended(live:job "fal") -- and all goes on
    assert.is_true(newest_event() > after)
    assert.equal("1\n", one:sql "SELECT count(*) FROM event WHERE verb = 'host.registry.failover'")
  end)

  it("sends nothing that was queued before: it may have been sent since", function()
    local live = one[1]
    live:ended(live:job "luma")
    local job, paid = live:job "luma", live:paid()
    assert.equal("queued", live:status(job).status)
    cluster:keep()
    assert.equal(paid, live:paid())
    is_ready()
    live:becomes(job, "done", 80)
    assert.equal(paid + 1, live:paid())
    live.host:kill()
    cluster:crash()
    cluster:put_back()
    assert.equal("0\n", one:sql "SELECT phase FROM live ORDER BY sequence DESC LIMIT 1")
    live.host:start_again()
    is_back()
    live.host:eventually(function() return live:status(job).status ~= "queued" end, 40)
    local status = live:status(job).status
    assert.is_true(status == "unknown" or status == "running" or status == "done", status) -- it may be found at the vendor
    assert.equal(paid + 1, live:paid())
  end)
end)
