-- Outgoing webhooks and kill -9: whatever instant it hits, every event of the log reaches the receiver.
local cjson = require "cjson"
local signer = require "spec.support.signer"
local socket = require "socket"
local start = require("spec.support.host").start

local ROUNDS, JOBS = 8, 40

describe("webhooks of a host that is killed at random instants", function()
  it("lose no event", function()
    math.randomseed(20261125)
    local receiver = start { program = "lua5.4", arguments = { "spec/support/receiver.lua" }, config = "" }
    local host = start { config = { hooks = { enabled = true, allow_loopback = true } } }
    local hook = host:post("/api/modder/hooks/webhooks", { url = "http://127.0.0.1:" .. receiver.port .. "/hook" }).json
    for round = 1, ROUNDS do
      if round % 3 == 0 then receiver:post("/control", { status = 500 }) else receiver:post("/control", { status = 200 }) end
      local last = math.random(JOBS)
      for i = 1, last do host:post("/api/providers/image/fal/submit", { prompt = round .. " " .. i }) end
      socket.sleep(math.random() * 0.4)
      host:kill()
      host:start_again()
    end
    receiver:post("/control", { status = 200 })
    local expected = {}
    host:eventually(function()
      expected = host:get("/api/events/history?limit=500").json.events
      return #expected > 0
    end)
    assert.is_true(#expected > ROUNDS)
    host:eventually(function() return host:get("/api/modder/hooks/webhooks").json.webhooks[1].waiting == 0 end)
    local seen, duplicates = {}, 0
    for _, delivery in ipairs(receiver:get("/received").json.received) do
      local event, headers = cjson.decode(delivery.body), delivery.headers
      assert.equal("v1," .. signer.standard(hook.secret, headers["webhook-id"], headers["webhook-timestamp"], delivery.body),
        headers["webhook-signature"])
      if delivery.answered == 200 then
        if seen[event.id] then duplicates = duplicates + 1 end
        seen[event.id] = true
      end
    end
    for _, event in ipairs(expected) do
      if event.type:find("^public") then assert.is_true(seen[event.id], "event " .. event.id .. " did not arrive") end
    end
    assert.is_true(duplicates < #expected, duplicates .. " of " .. #expected .. " came twice")
    host:remove()
    receiver:kill()
    receiver:remove()
  end)
end)
