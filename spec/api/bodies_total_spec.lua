-- Proves that large requests are bounded together: what is too much at once is answered 503 with Retry-After, its connection ends
-- or goes on cleanly, small requests never notice, and all of the memory is given back.
local hosts = require "spec.support.host"
local prometheus = require "spec.support.prometheus"
local script_text = require "spec.support.script_text"
local socket = require "socket"

local MIB = 1024 * 1024
local TOTAL = 4 * MIB
local CLIENTS = 12
local PATH = "/api/providers/image/quick/submit"

local function start(env)
  env = env or {}
  env.PROVIDERD_TEST_BODIES_BYTES = tostring(TOTAL)
  return hosts.start {
    config = { server = { threads = 64 }, hooks = { enabled = true } }, env = env,
    files = {
      ["lua/nothing.lua"] = "return {}",
      ["providers/quick.lua"] = script_text.provider("quick", { prepare = "return { prompt = #(request.prompt or '') }" }),
      ["providers/loop.lua"] = script_text.provider("loop", { prepare = "while true do end" }),
    },
  }
end

local function held(host)
  return prometheus.value(prometheus.read(host:get("/metrics").body), "providerd_http_bodies_bytes")
end

local function check_refused(answer)
  assert.equal(503, answer.status)
  assert.equal("1", answer.headers["retry-after"])
  assert.matches("too many large requests", answer.json.detail, 1, true)
end

-- A list of so many lists: a small text that becomes a large tree.
local function lists(count)
  return '{"prompt":"x","images":[' .. ("[],"):rep(count - 1) .. "[]]}"
end

describe("the memory of requests", function()
  local host
  setup(function() host = start() end)
  teardown(function() host:remove() end)
  after_each(function() host:eventually(function() return held(host) == 0 end) end)

  it("is bounded when many large ones are read at once, and small ones go on", function()
    local waiting, refused = {}, 0
    local body = '{"prompt":"' .. ("x"):rep(11 * MIB // 10) .. '"}'
    for _ = 1, CLIENTS do -- all but the last bytes; who is refused is told so at once
      local client = host:connect()
      client:send("POST", PATH, body:sub(1, -3), { ["Content-Length"] = #body })
      if #socket.select({ client.socket }, nil, 0.3) == 1 then
        check_refused(client:receive())
        client:close()
        refused = refused + 1
      else
        waiting[#waiting + 1] = client
      end
    end
    assert.is_true(held(host) > MIB and held(host) <= TOTAL)
    assert.is_true(refused >= CLIENTS - TOTAL // MIB - 1, refused .. " were refused")
    for _ = 1, 20 do assert.equal(200, host:post(PATH, { prompt = "a cat" }).status) end
    for _, client in ipairs(waiting) do client.socket:send(body:sub(-2)) end
    for _, client in ipairs(waiting) do
      local answer = client:receive()
      client:close()
      if answer.status ~= 200 then check_refused(answer) end
    end
    -- who was told to come again gets through
    host:eventually(function() return host:post(PATH, body).status == 200 end)
  end)

  it("counts what a body becomes, not only its length; the connection goes on", function()
    local client = host:connect()
    check_refused(client:request("POST", PATH, lists(40000)))
    assert.equal(200, client:request("POST", PATH, { prompt = "a cat" }).status)
    assert.equal(200, client:request("POST", PATH, lists(1000)).status)
    client:close()
    assert.equal(503, host:post("/api/modder/hooks/webhooks", lists(40000)).status)
  end)

  it("is given back when a client leaves in the middle", function()
    for _ = 1, 4 do
      local client = host:connect()
      client:send("POST", PATH, ("x"):rep(MIB), { ["Content-Length"] = 2 * MIB })
      client:close()
    end
    assert.is_truthy(host:eventually(function() return held(host) == 0 end))
  end)

  it("counts for as long as a call that was given up holds it", function()
    local impatient = start { PROVIDERD_TEST_CALL_WAIT_MS = "50" }
    local clients = {}
    for i = 1, 3 do
      clients[i] = impatient:connect()
      clients[i]:send("POST", "/api/providers/image/loop/submit", '{"prompt":"' .. ("x"):rep(3 * MIB // 4) .. '"}')
    end
    for _, client in ipairs(clients) do
      assert.is_true(client:receive().status >= 500)
      client:close()
    end
    impatient:eventually(function() return held(impatient) == 0 end)
    assert.equal(200, impatient:post(PATH, { prompt = "a cat" }).status)
    impatient:remove()
  end)
end)
