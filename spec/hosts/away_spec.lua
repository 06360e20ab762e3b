-- PostgreSQL is away, hangs or loses its connections: what must be registered is refused soon, all else goes on, nothing is
-- answered that was not committed, and the host heals by itself.
local host = require "spec.support.host"
local json = require "cjson"
local postgres = require "spec.support.postgres"
local proxy = require "spec.support.proxy"
local socket = require "socket"
local swarms = require "spec.support.swarm"
local timely = require "spec.support.timely"

local SUBMIT, LIST = "/api/providers/image/fal/submit", "/api/jobs/list?limit=1"

postgres.describe("a host whose registry is away", function()
  local cluster, database, between, it_host

  lazy_setup(function()
    cluster = postgres.cluster { fsync = true }
    database = cluster:database()
    between = proxy.start { cluster:socket() }
    it_host = host.start { config = { registry = { url = between:url(database) } } }
  end)
  lazy_teardown(function()
    if it_host then it_host:remove() end
    if between then between:remove() end
    if cluster then cluster:remove() end
  end)

  local function submit(prompt)
    return it_host:post(SUBMIT, { prompt = prompt or "a lighthouse" })
  end

  local function assert_heals()
    it_host:eventually(function() return it_host:get("/readyz").status == 200 and submit().status == 200 end)
    it_host:eventually(function() return it_host:get(LIST).status == 200 end)
  end

  local function assert_refused(answer)
    assert.equal(503, answer.status, answer.body)
    assert.matches("^%d+$", answer.headers["retry-after"])
    assert.is_nil(answer.body:find(cluster.folder, 1, true), "where the server is, is not for clients")
    assert.is_nil(answer.body:find("out of memory", 1, true), answer.body)
  end

  it("refuses what must be registered, and goes on with the rest; what it acknowledged is there afterwards", function()
    local known = {}
    for i = 1, 20 do known[i] = assert(submit("before " .. i).json.job_id) end
    between:refuse() -- nothing gets through: the proxy cuts what there is, and takes no new connection
    between:cut()
    cluster:crash()
    it_host:eventually(function() return submit().status == 503 end)
    timely.within(2, function() assert_refused(submit()) end)
    it_host:eventually(function() return it_host:get(LIST).status == 503 end)
    assert_refused(it_host:get(LIST))
    assert_refused(it_host:get "/api/budget")
    assert.equal(503, it_host:get("/readyz").status)
    for _, path in ipairs { "/healthz", "/api/providers/image/catalog", "/metrics", "/openapi.json" } do
      assert.equal(200, it_host:get(path).status, path)
    end
    local preview = it_host:post("/api/providers/image/fal/preview", { prompt = "a" })
    assert.equal(200, preview.status, preview.body)
    cluster:start()
    between:pass()
    assert_heals()
    for _, id in ipairs(known) do assert.equal(200, it_host:get("/api/jobs/status/" .. id).status) end
    local log = it_host:log()
    assert.matches("event=registry.away", log)
    assert.matches("event=registry.back", log)
  end)

  it("does not wait for a server that hangs longer than it must, and registers nothing that it refused", function()
    between:mute() -- what is sent arrives, its answers are lost
    local swarm, statuses, slowest_later, unsure = swarms.new(), {}, 0, nil
    for i = 1, 6 do
      swarm:add(function()
        swarm.pause(0.4 * i)
        local began = socket.gettime()
        local answer = swarm.ask(it_host.port, "POST", SUBMIT, json.encode { prompt = "hung" },
          { ["Content-Type"] = "application/json" }, 40)
        statuses[i] = answer and answer.status or 0
        if i == 1 then unsure = answer and answer.json.job_id end
        if i > 1 then slowest_later = math.max(slowest_later, socket.gettime() - began) end
      end)
    end
    while swarm:is_busy() do swarm:step() end
    -- the first was sent to the server, whose answer did not come: it is not known whether it is there
    assert.same({ 504, 503, 503, 503, 503, 503 }, statuses)
    assert.is_string(unsure)
    assert.is_true(slowest_later < 4, ("one that was not begun waited %.1f s"):format(slowest_later))
    between:cut()
    between:pass()
    assert_heals()
    local hung = database:sql(("SELECT count(*) FROM task WHERE payload LIKE '%%hung%%' AND id <> '\\x%s'")
      :format((unsure:gsub("-", ""))))
    assert.equal("0\n", hung)
  end)

  it("acknowledges what was committed, and nothing else is there, though its connections are cut again and again", function()
    local swarm, acknowledged, unsure, refused, n = swarms.new(), {}, {}, 0, 0
    local cuts, taken, began = 0, 0, socket.gettime()
    local function goes_on() -- for six seconds, and longer where little is done in them
      local passed = socket.gettime() - began
      return passed < 6 or (taken <= 110 or cuts <= 10) and passed < 90
    end
    for _ = 1, 12 do
      swarm:add(function()
        while goes_on() do
          n = n + 1
          local answer = swarm.ask(it_host.port, "POST", SUBMIT, json.encode { prompt = "cut " .. n },
            { ["Content-Type"] = "application/json" }, 60)
          if answer and answer.status == 200 then
            acknowledged[answer.json.job_id] = true
            taken = taken + 1
          elseif answer and answer.json and answer.json.job_id and answer.json.job_id ~= json.null then
            unsure[answer.json.job_id] = true
          else
            refused = refused + 1
            swarm.pause(0.02)
          end
        end
      end)
    end
    swarm:add(function()
      while goes_on() do
        swarm.pause(0.15)
        if cuts % 2 == 0 then between:cut() else cluster:cut() end
        cuts = cuts + 1
      end
    end)
    while swarm:is_busy() do swarm:step() end
    assert_heals()
    local rows, missing, ghosts, count = {}, 0, 0, 0
    for id in database:sql("SELECT encode(id, 'hex') FROM task WHERE payload LIKE '%cut %'"):gmatch "%x+" do rows[id] = true end
    for id in pairs(acknowledged) do
      count = count + 1
      if not rows[id:gsub("-", ""):sub(1)] then missing = missing + 1 end
    end
    local function told(hex)
      local id = hex:gsub("^(........)(....)(....)(....)", "%1-%2-%3-%4-")
      return acknowledged[id] or unsure[id]
    end
    for hex in pairs(rows) do if not told(hex) then ghosts = ghosts + 1 end end
    assert.equal(0, missing, "acknowledged, and not there")
    assert.equal(0, ghosts, ("there, and refused (%d acknowledged, %d refused, %d cuts)"):format(count, refused, cuts))
    assert.is_true(count > 100 and cuts > 10, ("%d acknowledged over %d cuts"):format(count, cuts))
    local events = database:sql "SELECT count(*) - (max(number) - min(number) + 1) FROM event"
    assert.equal("0\n", events, "numbers of events have a gap")
  end)

  -- The whole of a small group is on its way when its connection is gone: it arrives when the host has long begun another.
  local function late_rows(env)
    local base = cluster:database()
    local wire = proxy.start { cluster:socket() }
    local one = host.start { env = env, config = { registry = { url = wire:url(base), lease_seconds = 20 } } }
    local function ask(prompt) return one:post(SUBMIT, { prompt = prompt }).status end
    assert.equal(200, ask "first")
    wire:hold()
    local swarm, status = swarms.new(), 0
    swarm:add(function()
      local answer = swarm.ask(one.port, "POST", SUBMIT, json.encode { prompt = "stranded" },
        { ["Content-Type"] = "application/json" }, 40)
      status = answer and answer.status or 0
    end)
    swarm:add(function()
      swarm.pause(0.5)
      wire:strand()
      wire:pass()
    end)
    while swarm:is_busy() do swarm:step() end
    one:eventually(function() return ask "after" == 200 end)
    wire:deliver()
    socket.sleep(1)
    local count = base:sql "SELECT count(*) FROM task WHERE payload LIKE '%stranded%'"
    one:remove()
    wire:remove()
    return status, tonumber(count)
  end

  it("is not overtaken by what a lost connection of its own had said before", function() -- by its connection's number in `host`
    local status, count = late_rows()
    assert.is_true(status == 200 and count == 1 or status ~= 200 and count == 0, ("%d, %d rows"):format(status, count))
  end)
end)
