-- A call that does not come back: the process ends within the time of the watchdog, and says which script stood in which call.
-- After the next start that script rests until it is changed, and everything else works. A machine that stood still ends nothing.
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"
local shell = require "spec.support.shell"
local socket = require "socket"

local EXIT = 70
local SOON = os.getenv("SPEC_SLOW") and 120 or 60 -- under a sanitizer all is slow

local function path(id, verb) return "/api/providers/image/" .. id .. "/" .. (verb or "submit") end

local function start(env)
  env.PROVIDERD_TEST_WATCHDOG_MS = env.PROVIDERD_TEST_WATCHDOG_MS or "1600"
  -- who ends without joining its threads leaks none
  env.TSAN_OPTIONS = (os.getenv "TSAN_OPTIONS" or "") .. ":report_thread_leaks=0"
  local files = {
    ["lua/nothing.lua"] = "return {}",
    ["providers/quick.lua"] = script_text.provider("quick"),
    ["providers/stuck.lua"] = script_text.provider("stuck"),
  }
  return hosts.start { config = { server = { threads = 16 } }, env = env, files = files }
end

-- Waits for its end, as whoever restarts it does.
local function ended(host, seconds)
  return host:eventually(function() return tonumber(shell.read(host.process.run .. ".exit")) end, seconds)
end

local function script_of(host, id)
  for _, entry in ipairs(host:get("/api/providers/image/catalog").json.providers) do
    if entry.id == id then return entry.script end
  end
end

describe("a call that does not come back", function()
  it("ends the process; its script rests after the next start, until it is changed", function()
    local host = start { PROVIDERD_TEST_STALL = "stuck:submit:600" }
    local kept = host:post(path("quick"), { prompt = "x" }).json.job_id
    local began = socket.gettime()
    local client = host:connect()
    client:send("POST", path("stuck"), { prompt = "x" })
    -- it is not ready meanwhile, and says why
    host:eventually(function()
      local ready = host:get("/readyz")
      assert.equal(503, ready.status)
      assert.is_false(ready.json.ok)
      return ready.json.problems[1]:find("providers/stuck.lua, submit", 1, true)
    end)
    assert.equal(EXIT, ended(host, SOON))
    assert.is_true(socket.gettime() - began < SOON / 2)
    client:close()
    local _, err = host:output()
    assert.truthy(err:find("request has not come back from providers/stuck.lua, submit", 1, true))
    assert.truthy(host:log():find("host.watchdog", 1, true))
    assert.truthy(host:log():find("providers/stuck.lua, submit", 1, true))
    host:start_again()
    local answer = host:post(path("stuck"), { prompt = "x" })
    assert.equal(503, answer.status)
    assert.truthy(answer.json.detail:find("rests until it is changed", 1, true))
    assert.equal(503, host:post(path("stuck", "health"), {}).status)
    assert.truthy(script_of(host, "stuck").error:find("did not come back", 1, true))
    assert.equal(200, host:post(path("quick"), { prompt = "x" }).status)
    assert.equal(200, host:get("/api/jobs/status/" .. kept).status)
    local ready = host:get("/readyz")
    assert.equal(200, ready.status)
    assert.truthy(ready.body:find("stuck.lua rests until it is changed", 1, true))
    assert.equal(0, (hosts.run { "lint", host.home .. "/providers/stuck.lua" })) -- its author can look at it
    host:write("providers/stuck.lua", script_text.provider("stuck") .. "-- changed\n")
    host:eventually(function() return script_of(host, "stuck").error == require "cjson".null end)
    assert.equal(200, host:post(path("stuck", "health"), {}).status)
    host:remove()
  end)

  it("at a file's load ends the process too; the file is not loaded after the next start, until it is changed", function()
    local host = start { PROVIDERD_TEST_STALL = "providers/late.lua:load:600" }
    host:write("providers/late.lua", script_text.provider("late"))
    assert.equal(EXIT, ended(host, SOON))
    host:start_again()
    local catalogue = host:get("/api/providers/image/catalog").json
    assert.truthy(catalogue.script_errors[1]:find("late.lua:1: not loaded: loading it did not come back", 1, true))
    assert.equal(404, host:post(path("late"), { prompt = "x" }).status)
    assert.equal(200, host:post(path("stuck"), { prompt = "x" }).status)
    host:kill()
    -- with the same text, after a start without the fault, still not; changed, it is
    host.env.PROVIDERD_TEST_STALL = nil
    host:start_again()
    assert.equal(404, host:post(path("late"), { prompt = "x" }).status)
    host:write("providers/late.lua", script_text.provider("late") .. "-- changed\n")
    host:eventually(function() return host:post(path("late"), { prompt = "x" }).status == 200 end)
    host:remove()
  end)

  it("at the very start is written down as well, so that the next start comes up", function()
    local host = start {}
    host:stop()
    host.env.PROVIDERD_TEST_STALL = "providers/stuck.lua:load:600"
    assert.has_error(function() host:start_again() end)
    assert.equal(EXIT, ended(host))
    host:start_again()
    assert.equal(200, host:post(path("quick"), { prompt = "x" }).status)
    assert.equal(404, host:post(path("stuck"), { prompt = "x" }).status)
    host:remove()
  end)

  it("does not keep a host from stopping", function()
    local host = start { PROVIDERD_TEST_STALL = "stuck:submit:600", PROVIDERD_TEST_WATCHDOG_MS = "3000" }
    local client = host:connect()
    client:send("POST", path("stuck"), { prompt = "x" })
    socket.sleep(0.3)
    local began = socket.gettime()
    assert.equal(EXIT, host:stop())
    assert.is_true(socket.gettime() - began < SOON)
    client:close()
    host:remove()
  end)

  it("of the store keeps none longer from stopping than is documented", function()
    local host = start { PROVIDERD_TEST_STALL = "store:commit:600", PROVIDERD_TEST_STOP_MS = "2000" }
    local began = socket.gettime()
    host:write("providers/quick.lua", script_text.provider("quick") .. "-- an event\n")
    socket.sleep(0.5)
    assert.equal(EXIT, host:stop())
    assert.is_true(socket.gettime() - began < SOON)
    host:remove()
  end)
end)

describe("a machine that stands still", function()
  it("ends nothing", function()
    local host = start { PROVIDERD_TEST_STALL = "stuck:submit:2", PROVIDERD_TEST_WATCHDOG_MS = "2400" }
    local client = host:connect()
    client:send("POST", path("stuck"), { prompt = "x" })
    socket.sleep(0.3)
    for _ = 1, 3 do -- suspended in the middle of a call, again and again
      host:signal("STOP")
      socket.sleep(1.2)
      host:signal("CONT")
      socket.sleep(0.1)
    end
    assert.equal(200, client:receive().status)
    client:close()
    host:ends_well()
    host:remove()
  end)
end)
