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
      config.live.providers.pika.max_concurrent = 1
    end }
  end)
  lazy_teardown(function()
    if one then one:remove() end
    if cluster then cluster:remove() end
  end)

  local function newest_event()
    return tonumber(one:sql "SELECT coalesce(max(number), 0) FROM event")
  end

  -- The server was restarted: the host may find that out by its first write only.
  local function taken(id)
    return one[1].host:eventually(function() return one[1]:job(id) end)
  end

  local function failovers()
    return #one[1].host:get("/api/events/history?type=host.registry.failover").json.events
  end

  local function is_back(count)
    one[1].host:eventually(function() return one[1].host:get("/api/jobs/list?limit=1").status == 200 end)
    one[1].host:eventually(function() -- the first write on the new connection sees it
      one[1].host:post("/api/providers/image/fal/submit", { prompt = "dry" })
      return failovers() == count
    end)
  end

  it("moves the numbers of events far ahead, and is told once", function()
    local live = one[1]
    cluster:keep()
    live:ended(taken "fal")
    local before = newest_event()
    cluster:crash()
    cluster:put_back()
    is_back(1)
    assert.is_true(newest_event() > before + 900000, ("%d after %d"):format(newest_event(), before))
    assert.equal("1\n", one:sql "SELECT count(*) FROM event WHERE verb = 'host.registry.failover'")
    assert.matches("event=registry.failover", live.host:log())
    local after = newest_event()
    live:ended(live:job "fal") -- and all goes on
    assert.is_true(newest_event() > after)
    assert.equal("1\n", one:sql "SELECT count(*) FROM event WHERE verb = 'host.registry.failover'")
  end)

  it("forgets a job of which no row is left, and those that come later do not wait behind it", function()
    local live = one[1]
    cluster:keep()
    local running, waiting = taken "pika", live:job "pika"
    cluster:crash()
    cluster:put_back()
    is_back(2)
    live:ended(live:job "pika")
    for _, job in ipairs { running, waiting } do
      assert.equal(404, live.host:get("/api/jobs/status/" .. job).status)
    end
    assert.matches("event=live.lost provider=pika job_id=" .. waiting:gsub("%-", "%%-"), live.host:log())
    live.host:eventually(function() return not live.host:get("/metrics").body:find('providerd_live_jobs{state="%a+"} [1-9]') end)
  end)

  it("sends nothing that was queued before: it may have been sent since", function()
    local live = one[1]
    live:ended(live:job "luma")
    local job, paid = live:job "luma", live:paid()
    assert.equal("queued", live:status(job).status)
    cluster:keep()
    assert.equal(paid, live:paid())
    live:becomes(job, "done", 120) -- its minute's second place
    assert.equal(paid + 1, live:paid())
    live.host:kill()
    cluster:crash()
    cluster:put_back()
    assert.equal("0\n", one:sql "SELECT phase FROM live ORDER BY sequence DESC LIMIT 1")
    live.host:start_again()
    is_back(3)
    live.host:eventually(function() return live:status(job).status ~= "queued" end)
    local status = live:status(job).status
    assert.is_true(status == "unknown" or status == "running" or status == "done", status) -- it may be found at the vendor
    assert.equal(paid + 1, live:paid())
  end)
end)
