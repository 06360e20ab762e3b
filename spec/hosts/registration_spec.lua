-- How hosts that share a registry know each other: homes, settings, clocks, ids, and a network that fails.
local clocks = require "spec.support.clock"
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.hosts"
local postgres = require "spec.support.postgres"
local proxy = require "spec.support.proxy"
local socket = require "socket"

local LEASE = 3

postgres.describe("hosts that share a registry", function()
  local all, before
  local function start(options)
    options = options or {}
    local change = options.config
    options.config = function(config, number)
      config.registry.lease_seconds = LEASE
      if change then change(config, number) end
    end
    all = hosts.start(options)
  end
  after_each(function()
    if all then all:remove() end
    if before then before:remove() end
    all, before = nil, nil
  end)

  local function logs(number, text)
    return all[number].host:log():find(text, 1, true)
  end

  it("are not two of one home", function()
    start()
    assert.equal(0, all[2].host:stop())
    local own = all[2].host:read("data/host.id")
    all[2].host:write("data/host.id", all[1].host:read("data/host.id"))
    local ok, problem = pcall(all[2].host.start_again, all[2].host)
    assert.is_false(ok)
    assert.truthy(problem:find("another host runs on this home, or on a copy of it", 1, true), problem)
    assert.truthy(problem:find("remove data/host.id", 1, true), problem)
    assert.equal("done", all[1]:ended(all[1]:job("fal")).status)
    all[2].host:write("data/host.id", own)
    all[2].host:start_again()
    assert.equal("2", all:sql("SELECT count(*) FROM host WHERE dead_ms IS NULL"):match("%d+"))
  end)

  it("know a former run of their home for dead at once", function()
    start { simulate = { "--fault", "replicate:never_ending:1" } }
    local job = all[1]:job("replicate")
    all[1]:becomes(job, "running")
    all[2].host:signal("STOP") -- so that nobody else adopts it
    all[1].host:kill()
    local from = socket.gettime()
    all[1].host:start_again()
    assert.is_nil(logs(1, "host.waits"))
    assert.equal("1", all:sql("SELECT count(*) FROM live JOIN host ON host.id = owner WHERE dead_ms IS NULL AND slot = 0")
      :match("%d+"))
    assert.is_true(socket.gettime() - from < 30)
    all[2].host:signal("CONT")
    assert.equal("running", all[1]:status(job).status)
  end)

  it("tell when their settings differ", function()
    start { config = function(config, number)
      config.live.budget_usd = { per_day = number == 2 and 11 or 10, per_month = 100 }
    end }
    for number = 1, 2 do all[number].host:eventually(function() return logs(number, "host.config.differs") end) end
    all[2].settings.live.budget_usd.per_day = 10
    all[2].host:write("config/comfyvn.json", exact.encode(all[2].settings))
    all[2].host:eventually(function()
      return all:sql("SELECT count(DISTINCT config_sha256) FROM host WHERE dead_ms IS NULL"):match("^1")
    end)
  end)

  it("keep to one clock, and their ids differ", function()
    local clock = clocks.new()
    if not clock then return pending "a sanitizer wants to be loaded first" end
    finally(function() clock:remove() end)
    clock:wall(3600)
    start { env = function(number) return number == 2 and clock.env or {} end }
    all[2].host:eventually(function()
      return logs(2, "this machine's clock is 3600.") or logs(2, "this machine's clock is 3599.")
    end)
    assert.is_nil(logs(1, "host.clock"))
    for number = 1, 2 do
      for _ = 1, 5 do
        local answer = all[number].host:post(all[number]:path("fal", "submit"), { prompt = "a lighthouse" })
        assert.equal(200, answer.status)
      end
    end
    local span = all:sql "SELECT max(created_ms) - min(created_ms), max(sequence >> 12) - min(sequence >> 12) FROM task"
    for ms in span:gmatch("%d+") do assert.is_true(tonumber(ms) < 60000, span) end
    assert.equal("0|5\n1|5", all:sql("SELECT sequence & 63, count(*) FROM task GROUP BY 1 ORDER BY 1"):match("^(.-)%s*$"))
  end)

  it("lose the one that is cut off, which sends nothing, and get it back", function()
    local database = postgres.database()
    before = proxy.start { database.cluster:socket() }
    start { database = database, url = function(number) return number == 1 and before:url(database) or database.url end,
      simulate = { "--fault", "replicate:never_ending:1" } }
    finally(function() database:remove() end)
    local job = all[1]:job("replicate")
    all[1]:becomes(job, "running")
    before:hold()
    all[2].host:eventually(function() return logs(2, "live.adopted") end, LEASE + 10)
    assert.equal("running", all[2]:status(job).status)
    assert.equal(503, all[1].host:post(all[1]:path("fal", "submit"), { prompt = "a lighthouse" }).status)
    before:pass()
    before:cut()
    all[1].host:eventually(function() return logs(1, "host.fenced") end)
    local answer = all[1].host:eventually(function()
      local answer = all[1]:submit("fal")
      return answer.status == 202 and answer
    end)
    assert.equal("done", all[2]:ended(answer.json.job_id).status)
    assert.equal(2, all[2]:paid())
  end)

  it("are not declared dead while nobody reaches the registry", function()
    local database = postgres.database()
    before = proxy.start { database.cluster:socket() }
    start { database = database, url = function() return before:url(database) end }
    finally(function() database:remove() end)
    before:hold()
    socket.sleep(2 * LEASE)
    before:pass()
    before:cut()
    for number = 1, 2 do
      all[number].host:eventually(function() return all[number]:submit("fal").status == 202 end)
    end
    for number = 1, 2 do
      assert.is_nil(logs(number, "host.dead"))
      assert.is_nil(logs(number, "host.fenced"))
    end
  end)
end)
