-- The jobs of a host that is gone go on at another, and nobody is billed twice.
local hosts = require "spec.support.hosts"
local postgres = require "spec.support.postgres"
local socket = require "socket"
local timely = require "spec.support.timely"

local LEASE = 3

postgres.describe("a host whose neighbour is gone", function()
  local all
  local function start(options)
    if all then all:remove() end -- of a try that was late
    options = options or {}
    local change = options.config
    options.count = options.count or 2
    options.config = function(config, number)
      config.registry.lease_seconds = LEASE
      if change then change(config, number) end
    end
    all = hosts.start(options)
    return all
  end
  after_each(function()
    if all then all:remove() end
    all = nil
  end)

  -- Of each job one request that costs reached a vendor, or none.
  local function paid(count)
    assert.equal(count, all[2]:paid())
  end

  it("polls what the vendor has, within two seconds after the lease", function()
    local function polls()
      local count = 0
      for _, request in ipairs(all.simulator:get("/journal").json.requests) do
        if request.provider == "replicate" and request.method == "GET" then count = count + 1 end
      end
      return count
    end
    timely.took(LEASE + 2, function()
      start { simulate = { "--fault", "replicate:never_ending:1" } }
      local job = all[1]:job("replicate")
      all[1]:becomes(job, "running")
      all[1].host:kill()
      local from, before = socket.gettime(), polls()
      all[2].host:eventually(function() return polls() > before end)
      paid(1)
      return socket.gettime() - from
    end)
  end)

  it("sends what was queued, once", function()
    start { config = function(config) config.live.providers.fal.rate_per_minute = 6 end }
    local first, second = all[1]:job("fal"), all[1]:job("fal")
    all[1]:becomes(first, "done")
    assert.equal("queued", all[1]:status(second).status)
    all[1].host:kill()
    assert.equal("done", all[2]:ended(second, 40).status)
    paid(2)
  end)

  it("never sends what was under way: it is unknown, and looked for", function()
    timely.took(LEASE + 2, function()
      start { simulate = { "--fault", "runway:slow:1", "--slow", "60000" } }
      local job = all[1]:job("runway")
      all[1].host:eventually(function() return all:sql("SELECT phase FROM live"):match("^1") end)
      all[1].host:kill()
      local from = socket.gettime()
      all[2]:becomes(job, "unknown")
      return socket.gettime() - from
    end)
    socket.sleep(2)
    paid(1)
    assert.truthy(all[2].host:log():find("the host stopped while the paid request was under way", 1, true))
  end)

  it("goes on within a second when it was told to stop", function()
    timely.took(1, function()
      start { simulate = { "--fault", "replicate:never_ending:1" } }
      local job = all[1]:job("replicate")
      all[1]:becomes(job, "running")
      local owner = all:sql "SELECT owner FROM live"
      assert.equal(0, all[1].host:stop())
      local from = socket.gettime()
      all[2].host:eventually(function()
        local now = all:sql "SELECT owner FROM live"
        return now ~= owner and now:match("%d")
      end)
      return socket.gettime() - from
    end)
  end)

  it("is not believed dead by one that stood still itself", function()
    start { count = 3 }
    all[1].host:signal("STOP")
    socket.sleep(LEASE + 2.5)
    all[1].host:signal("CONT")
    all[1].host:eventually(function() return all[1].host:log():find("host.fenced", 1, true) end)
    socket.sleep(LEASE)
    for number = 2, 3 do assert.is_nil(all[number].host:log():find("host.fenced", 1, true)) end
    assert.equal("done", all[1]:ended(all[1]:job("fal")).status)
  end)
end)
