-- Files of forms count among all bodies, with what is made of them: what is too much at once is told to come again, and all of it
-- is given back.
local form = require "spec.support.form"
local hosts = require "spec.support.host"
local prometheus = require "spec.support.prometheus"

local MIB = 1024 * 1024
local CLIENTS = 12

local function held(host)
  return prometheus.value(prometheus.read(host:get("/metrics").body), "providerd_http_bodies_bytes")
end

describe("the memory of forms", function()
  local host

  setup(function()
    host = hosts.start { config = { server = { threads = 64 } }, env = { PROVIDERD_TEST_BODIES_BYTES = tostring(6 * MIB) } }
  end)
  teardown(function() host:remove() end)
  after_each(function() host:eventually(function() return held(host) == 0 end) end)

  local function parts(bytes)
    return { { name = "model", value = "stability/ultra" }, { name = "prompt", value = "x" },
      { name = "strength", value = "0.5" },
      { name = "response_format", value = "url" },
      { name = "image", data = "\x89PNG\r\n\x1a\n" .. ("x"):rep(bytes), filename = "blob" } }
  end

  it("is bounded when many come at once, and each is answered in full", function()
    local body, content_type = form.write(parts(MIB))
    local connections, counts = {}, { [200] = 0, [503] = 0 }
    for index = 1, CLIENTS do
      connections[index] = host:connect()
      connections[index]:send("POST", "/v1/images/edits", body, { ["Content-Type"] = content_type })
    end
    for _, connection in ipairs(connections) do
      local answer = connection:receive()
      assert.truthy(counts[answer.status], answer.body)
      counts[answer.status] = counts[answer.status] + 1
      if answer.status == 503 then
        assert.equal("server_error", answer.json.error.type)
        assert.is_true(tonumber(answer.headers["retry-after"]) <= 60)
      end
      connection:close()
    end
    assert.is_true(counts[200] > 0)
  end)

  it("is told when one alone is too much, in the form of its path", function()
    local answer = form.post(host, "/v1/images/edits", parts(4 * MIB)) -- and a third more as base64, beside itself
    assert.equal(503, answer.status, answer.body:sub(1, 200))
    assert.same({ "server_error", "overloaded" }, { answer.json.error.type, answer.json.error.code })
    assert.equal("1", answer.headers["retry-after"])
    assert.equal(200, form.post(host, "/v1/images/edits", parts(MIB)).status)
  end)
end)
