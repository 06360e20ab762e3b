-- Vendors' webhooks that nobody signed, in numbers: whoever has the token of a job must not be able to spend the vendor's rate.
local cjson = require "cjson"
local shell = require "spec.support.shell"
local signer = require "spec.support.signer"
local socket = require "socket"
local support = require "spec.support.live"

local DELIVERIES, SECONDS = 300, 5 -- as many, and for so long

local function path_of(host, provider, job_id)
  local id = signer.unhex((job_id:gsub("-", "")))
  local mac = signer.hmac_sha256(shell.setting(host, "webhook.key"), "providerd webhook|" .. provider .. "|" .. id)
  return "/api/webhooks/" .. provider .. "/" .. signer.hex(id) .. signer.hex(mac):sub(1, 32)
end

local function looks(live)
  local count = 0
  for _, request in ipairs(live.simulator:get("/journal").json.requests) do
    if request.provider == "luma" and request.method == "GET" then count = count + 1 end
  end
  return count
end

describe("unsigned deliveries for one job", function()
  it("are all taken, and make the host look at the vendor a few times", function()
    local live = support.start { simulate = { "--job-time", "600000" } }
    live.settings.live.public_url = "http://127.0.0.1:" .. live.host.port .. "/"
    live.host:write("config/comfyvn.json", cjson.encode(live.settings))
    local job_id = live:job("luma")
    live.host:eventually(function() return looks(live) > 0 end) -- the vendor has it
    local path, began, before = path_of(live.host, "luma", job_id), socket.gettime(), looks(live)
    local clients = {}
    for i = 1, 8 do clients[i] = live.host:connect() end
    local i, until_when = 0, socket.gettime() + SECONDS
    while i < DELIVERIES / #clients or socket.gettime() < until_when do
      i = i + 1
      socket.sleep(0.02)
      for _, client in ipairs(clients) do client:send("POST", path, { n = i }) end
      for _, client in ipairs(clients) do assert.equal(200, client:receive().status) end
    end
    for _, client in ipairs(clients) do client:close() end
    live.host:eventually(function() return looks(live) > before end)
    local most = (socket.gettime() - began) / 2 + 3 -- one in two seconds, and those of its own timer
    assert.is_true(looks(live) - before <= most, looks(live) - before .. " looks, more than " .. most)
    live.host:kill()
    live:remove()
  end)
end)
