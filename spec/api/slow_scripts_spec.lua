-- Proves that a slow script delays nobody else: calls wait for their own script, in turns with those of the others; what nobody
-- waits for any more is not run; and whoever is told no has no job.
local hosts = require "spec.support.host"
local http = require "spec.support.http"
local script_text = require "spec.support.script_text"
local socket = require "socket"

local SLOW_HOST = os.getenv("SPEC_SLOW") ~= nil -- under a sanitizer
local LOOP = "while true do end"
-- Slow, but within its limits; plain Lua.
local SLOW = ("local x = 0 for i = 1, %d do x = x + i %% 7 end return request"):format(SLOW_HOST and 2e6 or 2e7)
-- One long stay in C: no hook can pause it.
local HOLD = ("local t = {} for i = 1, %d do t[i] = (i * 7919) %% 400009 end table.sort(t) return request")
  :format(SLOW_HOST and 40000 or 400000)

local function path(id, verb) return "/api/providers/image/" .. id .. "/" .. (verb or "submit") end

local function start(options)
  options = options or {}
  return hosts.start {
    config = { server = { threads = options.threads or 64 } }, env = options.env,
    files = {
      ["lua/nothing.lua"] = "return {}",
      ["providers/quick.lua"] = script_text.provider("quick"),
      ["providers/loop.lua"] = script_text.provider("loop", { prepare = LOOP }),
      ["providers/slow.lua"] = script_text.provider("slow", { prepare = SLOW }),
      ["providers/hold.lua"] = script_text.provider("hold", { prepare = HOLD }),
    },
  }
end

-- Many clients at once that each send one submit and do not wait for it.
local function send_many(host, count, id, body)
  local clients = {}
  for i = 1, count do
    clients[i] = host:connect()
    clients[i]:send("POST", path(id), body or { prompt = "x" })
  end
  return clients
end

local function receive_all(clients)
  local answers = {}
  for i, client in ipairs(clients) do
    answers[i] = client:receive()
    client:close()
  end
  return answers
end

-- How long a quick submit takes while others are under way: the slowest of some, in seconds.
local function slowest(host, count)
  local most = 0
  for _ = 1, count do
    local began = socket.gettime()
    assert.equal(200, host:post(path("quick"), { prompt = "x" }).status)
    most = math.max(most, socket.gettime() - began)
  end
  return most
end

-- What threads have still to do for clients that left may keep newcomers away for a moment.
local function registered(host, id)
  local answer = host:eventually(function()
    local page = host:get("/api/jobs/list?limit=500&provider=" .. id)
    assert(page.status == 200, page.body)
    return page
  end)
  local ids = {}
  for _, job in ipairs(answer.json.tasks) do ids[job.job_id] = true end
  return ids
end

local function count(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

-- On a machine that has other things to do, who stands behind others may wait for longer than the host lets anybody wait.
local function is_late(answer)
  return answer.status == 503 and answer.json.detail:find("did not get to this call in time", 1, true) ~= nil
end

describe("a slow script", function()
  it("that loops delays nobody else, and rests for all who wait for it", function()
    local host = start()
    local alone = slowest(host, 20)
    local clients = send_many(host, 10, "loop")
    assert.is_true(slowest(host, 50) < (SLOW_HOST and 10 or 1.5) + 5 * alone) -- one burst alone is 2 s
    local told = { [500] = 0, [503] = 0 }
    for _, answer in ipairs(receive_all(clients)) do
      told[answer.status] = told[answer.status] + 1
      if answer.status == 503 then
        if not SLOW_HOST then assert.truthy(is_late(answer) or answer.json.detail:find("loop.lua rests", 1, true)) end
        assert.truthy(is_late(answer) or tonumber(answer.headers["retry-after"]) >= 1)
      end
    end
    assert.is_true(told[500] <= 3, told[500] .. " calls were run") -- it is asked again when a call's turn comes
    assert.equal(0, count(registered(host, "loop")))
    host:remove()
  end)

  it("gives its turn away while it computes, and ends as it would alone", function()
    local host = start()
    local alone = host:post(path("slow"), { prompt = "x" })
    local clients = send_many(host, 6, "slow")
    slowest(host, 20)
    local done = 1
    for _, answer in ipairs(receive_all(clients)) do
      if not is_late(answer) then
        assert.equal(200, answer.status, answer.body)
        assert.same(alone.json.payload, answer.json.payload)
        done = done + 1
      end
    end
    assert.equal(done, count(registered(host, "slow")))
    host:remove()
  end)

  it("that stays in C for long leaves the larger part of the time to the others", function()
    local host = start()
    host:post(path("quick"), { prompt = "x" })
    local clients = send_many(host, 4, "hold")
    host:post(path("quick"), { prompt = "x" }) -- a busy machine may take all of two seconds for what it has to wait for
    local served, enough = 0, socket.gettime() + 2
    while socket.gettime() < enough do
      assert.equal(200, host:post(path("quick"), { prompt = "x" }).status)
      served = served + 1
    end
    assert.is_true(served > 50, served .. " answers beside it")
    for _, other in ipairs(clients) do other:close() end
    host:remove()
  end)

  it("leaves threads for the others when more wait for it than there are", function()
    local host = start { threads = 16 }
    local clients = send_many(host, 15, "slow")
    host:eventually(function() return host:post(path("quick"), { prompt = "x" }).status == 200 end)
    assert.is_true(slowest(host, 5) < 5)
    local kept = 0
    for _, answer in ipairs(receive_all(clients)) do
      if answer.status == 200 then
        kept = kept + 1
      else
        assert.equal(503, answer.status)
        assert.truthy(answer.headers["retry-after"])
      end
    end
    assert.is_true(kept < 15, "nobody gave his thread to others")
    assert.equal(kept, count(registered(host, "slow")))
    host:remove()
  end)
end)

describe("a client that is told no", function()
  it("has no job, and one that is told yes has one, however many give up at once", function()
    -- for as long as some of them take here and now, not all
    local first, began = start(), socket.gettime()
    assert.equal(200, first:post(path("slow"), { prompt = "x" }).status)
    local wait_ms = math.max(1500, math.ceil((socket.gettime() - began) * 8000))
    first:remove()
    local host = start { env = { PROVIDERD_TEST_CALL_WAIT_MS = tostring(wait_ms) } }
    local answers, yes = receive_all(send_many(host, 40, "slow")), {}
    for _, answer in ipairs(answers) do
      if answer.status == 200 then
        yes[answer.json.job_id] = true
      else
        assert.equal(503, answer.status, answer.body)
        assert.truthy(answer.json.detail:find("no job was registered", 1, true))
        assert.truthy(answer.headers["retry-after"])
      end
    end
    assert.is_true(count(yes) > 0 and count(yes) < 40, count(yes) .. " of 40 were registered")
    host:eventually(function() return host:get("/readyz").json.calls_waiting == 0 end)
    socket.sleep(0.5)
    assert.same(yes, registered(host, "slow"))
    host:eventually(function()
      local _, lines = host:log():gsub('public%.image%.submit[^\n]*provider="?slow', "")
      return lines == count(yes)
    end)
    host:remove()
  end)

  it("or has left, has no job: what it asked for is not run", function()
    local host = start()
    local first = send_many(host, 2, "loop") -- they keep the engine busy
    local gone = send_many(host, 20, "loop", { prompt = "nobody waits" })
    for _, client in ipairs(gone) do client:close() end
    host:eventually(function() return host:get("/readyz").json.calls_waiting == 0 end)
    for _, answer in ipairs(receive_all(first)) do assert.is_true(answer.status == 500 or is_late(answer), answer.body) end
    assert.equal(0, count(registered(host, "loop")))
    host:remove()
  end)

  it("may half-close or reset at any moment", function()
    local host = start()
    for i = 1, 60 do
      local client = http.connect(host.port)
      client:send("POST", path("slow"), { prompt = "x" })
      if i % 2 == 0 then client.socket:setoption("linger", { on = true, timeout = 0 }) end
      client:close()
    end
    host:eventually(function() return host:get("/readyz").json.calls_waiting == 0 end)
    assert.is_true(count(registered(host, "slow")) < 10)
    assert.equal(200, host:post(path("quick"), { prompt = "x" }).status)
    host:remove()
  end)
end)
