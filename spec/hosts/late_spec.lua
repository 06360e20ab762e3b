-- A host that stood still until others took its jobs over: it sends nothing, writes nothing, and what only it knows reaches
-- the jobs' new owner.
local hosts = require "spec.support.hosts"
local postgres = require "spec.support.postgres"
local socket = require "socket"

local LEASE = 3

-- A listener that takes no connection for now: its queue is full, and the kernel drops who knocks.
local function full_listener()
  local server = assert(socket.tcp4())
  assert(server:bind("127.0.0.1", 0))
  assert(server:listen(0))
  local port, fillers = math.tointeger(select(2, server:getsockname())), {}
  for _ = 1, 16 do
    local filler = socket.tcp4()
    filler:settimeout(0.2)
    if not filler:connect("127.0.0.1", port) then
      filler:close()
      break
    end
    fillers[#fillers + 1] = filler
  end
  return server, port, fillers
end

postgres.describe("a host that was declared dead", function()
  local all
  local function start(options)
    local change = options.config
    options.config = function(config, number)
      config.registry.lease_seconds = LEASE
      if change then change(config, number) end
    end
    all = hosts.start(options)
  end
  after_each(function()
    if all then all:remove() end
    all = nil
  end)

  local function stands_still_until(test)
    all[1].host:signal("STOP")
    local ok, problem = pcall(all[2].host.eventually, all[2].host, test, LEASE + 10)
    all[1].host:signal("CONT")
    assert(ok, problem)
    all[1].host:eventually(function() return all[1].host:log():find("host.fenced", 1, true) end)
  end

  it("tells the answer that came to it afterwards", function()
    start { simulate = { "--fault", "runway:slow:1", "--slow", "9000" } }
    local job = all[1]:job("runway")
    all[1].host:eventually(function() return all:sql("SELECT phase FROM live"):match("^1") end)
    stands_still_until(function() return all[2]:status(job).status == "unknown" end)
    assert.equal("done", all[2]:becomes(job, "done", 30).status)
    assert.equal(1, all[2]:paid())
    assert.equal("0", all:sql("SELECT count(*) FROM ask"):match("%d+"))
    assert.equal("1", all:sql("SELECT count(*) FROM event WHERE verb = 'settled'"):match("%d+"))
    all[2]:agrees_with_vendors()
  end)

  it("does not send what it had marked, and says so", function()
    local server, port, fillers = full_listener()
    finally(function() server:close() end)
    start { config = function(config, number)
      if number == 1 then config.live.providers.runway.base_url = "http://127.0.0.1:" .. port end
    end }
    local job = all[1]:job("runway")
    all[1].host:eventually(function() return all:sql("SELECT phase FROM live"):match("^1") end)
    stands_still_until(function() return all[2]:status(job).status == "unknown" end)
    for _, filler in ipairs(fillers) do filler:close() end
    server:settimeout(0.1)
    local ended = all[2].host:eventually(function()
      local client = server:accept()
      if client then
        client:settimeout(1)
        assert.is_nil(client:receive("*l"))
        client:close()
      end
      local found = all[2]:status(job)
      return found.status == "error" and found
    end)
    assert.truthy(ended.reason:find("the vendor has taken nothing", 1, true))
    assert.equal(0, ended.money.spent_usd)
    assert.equal(0, all[2]:paid())
  end)

  it("sends nothing of its queue, and its clients go on", function()
    start { config = function(config) config.live.providers.fal.rate_per_minute = 10 end }
    local jobs = {}
    for number = 1, 3 do jobs[number] = all[1]:job("fal") end
    all[1]:ended(jobs[1], 60) -- the next leaves six seconds later
    stands_still_until(function()
      local owned = all:sql("SELECT count(*) FROM live JOIN host ON host.id = owner WHERE phase < 4 AND slot = 0")
      return owned:match("^0")
    end)
    for _, job in ipairs(jobs) do assert.equal("done", all[1]:ended(job, 60).status) end
    assert.equal(3, all[2]:paid())
    assert.equal("done", all[1]:ended(all[1]:job("fal"), 60).status)
    all[2]:agrees_with_vendors()
  end)
end)
