-- The switch when many turn it at once: what is in the registry, what the host does and what it told last are one, also after a
-- restart.
local http = require "spec.support.http"
local shell = require "spec.support.shell"
local support = require "spec.support.live"

local CLIENTS, ROUNDS = 8, 60

describe("the switch", function()
  it("ends as the last of many wanted it, in memory, in the registry and in the log of events", function()
    local live = support.start()
    local host = live.host
    local function told()
      local events = host:get("/api/events/history?type=host.live.*&limit=500").json.events
      return events[#events].type
    end
    local clients = {}
    for i = 1, CLIENTS do clients[i] = http.connect(host.port) end
    for round = 1, ROUNDS do
      for i, client in ipairs(clients) do client:send("POST",
        (i + round) % 2 == 0 and "/api/live/stop" or "/api/live/start") end
      for i, client in ipairs(clients) do
        local answer = client:receive()
        assert.equal(200, answer.status, answer.body)
        assert.equal((i + round) % 2 == 0, answer.json.stopped) -- what this client did
      end
      local stopped = host:get("/api/live").json.stopped
      assert.equal(tostring(stopped), shell.setting(host, "live.stopped"), "round " .. round)
      if round % 20 == 0 then
        host:eventually(function() return told() == (stopped and "host.live.stopped" or "host.live.started") end)
      end
    end
    for _, client in ipairs(clients) do client:close() end
    for _, verb in ipairs { "stop", "start", "stop" } do
      clients = {}
      for i = 1, CLIENTS do clients[i] = http.connect(host.port) end
      for i, client in ipairs(clients) do client:send("POST", i % 2 == 0 and "/api/live/stop" or "/api/live/start") end
      for _, client in ipairs(clients) do
        client:receive()
        client:close()
      end
      host:post("/api/live/" .. verb)
      host:kill()
      host:start_again()
      assert.equal(verb == "stop", host:get("/api/live").json.stopped)
    end
    live:remove()
  end)

  it("is taken over from the file of an earlier version, once", function()
    local live = support.start()
    local host = live.host
    local function restart(command)
      host:stop()
      shell.run("cd " .. shell.quote(host.home .. "/data") .. " && " .. command)
      host:start_again()
      return host:get("/api/live").json.stopped
    end
    shell.sql(host, "DELETE FROM setting WHERE name = 'live.stopped'")
    assert.is_true(restart("touch live.stopped"))
    assert.is_nil(host:read("data/live.stopped"))
    assert.is_true(restart("true"))
    assert.is_false(host:post("/api/live/start").json.stopped)
    assert.is_false(restart("touch live.stopped")) -- it is the registry's word now
    host:eventually(function() return host:log():find("live.stopped is not read", 1, true) end)
    live:remove()
  end)
end)
