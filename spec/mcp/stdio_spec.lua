-- `providerd mcp`: a running host's tools over standard input and output.
local cjson = require "cjson"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local socket = require "socket"
local stdio = require "spec.support.stdio"
local support = require "spec.support.live"

local END_SECONDS = 15 -- a client waits two before it sends a signal, on a machine that has no other work

describe("providerd mcp", function()
  local live, host, agent, bridge

  setup(function()
    live = support.start { config = function(config)
      config.server.api_keys = { keys.entry "agent" }
      config.server.max_streams = 10
    end }
    host = live.host
    agent = mcp.modern(host)
  end)
  teardown(function() live:remove() end)

  local function open(key)
    local url = ("http://127.0.0.1:%d/"):format(host.port)
    bridge = stdio.open({ "--url", url }, { PROVIDERD_API_KEY = key or keys.key "agent" })
    return bridge
  end

  -- As `method` of the modern era, without HTTP.
  local function message(method, params)
    local _, body = agent:format(method, params)
    return body
  end

  local function closes_well()
    local began = socket.gettime()
    local code, errors, rest = bridge:close()
    assert.equal(0, code, errors)
    assert.is_true(socket.gettime() - began < END_SECONDS)
    assert.equal("", rest)
    return errors
  end

  it("answers what it is asked, in the modern era, and ends with its input", function()
    open()
    bridge:send(message "server/discover")
    assert.equal("providerd", bridge:receive().result._meta["io.modelcontextprotocol/serverInfo"].name)
    bridge:send(message("tools/call", { name = "get_budget" }))
    local answer = bridge:receive()
    assert.equal(agent.id, answer.id)
    assert.is_table(answer.result.structuredContent.day)
    assert.equal("", closes_well())
  end)

  it("answers in the legacy era, with the version that was agreed on", function()
    open()
    for _, version in ipairs { "2025-03-26", "1999-01-01" } do
      bridge:send { jsonrpc = "2.0", id = 0, method = "initialize", params = { protocolVersion = version } }
      assert.equal(version == "1999-01-01" and "2025-11-25" or version, bridge:receive().result.protocolVersion)
      bridge:send { jsonrpc = "2.0", method = "notifications/initialized" }
      bridge:send { jsonrpc = "2.0", id = "p", method = "ping" }
      assert.same({ jsonrpc = "2.0", id = "p", result = {} }, bridge:receive())
    end
    closes_well()
  end)

  it("is there and gone as a probe, without a home and without a host", function()
    bridge = stdio.open({}, { HOME = "/nonexistent" })
    assert.equal("", closes_well())
  end)

  it("says how to start a host where none answers, to each request", function()
    bridge = stdio.open { "--url", "http://127.0.0.1:1" }
    bridge:send(message "server/discover")
    local answer = bridge:receive()
    assert.equal(agent.id, answer.id)
    assert.truthy(answer.error.message:find("providerd serve", 1, true))
    local errors = closes_well()
    assert.truthy(errors:find("127.0.0.1:1", 1, true))
  end)

  it("tells a key that is none, by the request's id", function()
    open "key-of-nobody-0123456789abcdef"
    bridge:send(message "tools/list")
    local answer = bridge:receive()
    assert.equal(agent.id, answer.id)
    assert.truthy(answer.error.message:find("API key", 1, true))
    closes_well()
  end)

  it("has several requests under way: an answer does not wait for a longer one", function()
    open()
    local job_id = host:post(live:path("runway", "submit"), support.body("runway"), keys.headers "agent").json.job_id
    local wait = message("tools/call", { name = "get_job", arguments = { job_id = job_id, wait_seconds = 50 },
      _meta = { progressToken = "t" } })
    bridge:send(wait)
    bridge:send(message("tools/call", { name = "get_budget" }))
    local budget = agent.id
    local answers, others = bridge:gather(1)
    assert.truthy(answers[budget])
    if not answers[wait.id] then
      local more, later = bridge:gather(1)
      answers[wait.id] = more[wait.id]
      for _, one in ipairs(later) do others[#others + 1] = one end
    end
    assert.equal("done", answers[wait.id].result.structuredContent.status)
    local last = -1
    for _, one in ipairs(others) do
      assert.equal("notifications/progress", one.method)
      assert.equal("t", one.params.progressToken)
      assert.is_true(one.params.progress > last)
      last = one.params.progress
    end
    closes_well()
  end)

  local function streams()
    return tonumber(host:get("/metrics", keys.headers "agent").body:match "\nprovider[%w_]*event_streams (%d+)")
  end

  it("ends a request that is cancelled, and says nothing more of it", function()
    open()
    bridge:send(message("subscriptions/listen", { notifications = {} }))
    assert.equal("notifications/subscriptions/acknowledged", bridge:receive().method)
    assert.equal(1, streams())
    bridge:send { jsonrpc = "2.0", method = "notifications/cancelled", params = { requestId = agent.id } }
    host:eventually(function() return streams() == 0 end)
    bridge:send(message "tools/list")
    assert.equal(agent.id, bridge:receive().id)
    closes_well()
  end)

  it("leaves no stream behind when its input ends", function()
    open()
    bridge:send(message("subscriptions/listen", { notifications = {} }))
    assert.truthy(bridge:receive())
    closes_well()
    host:eventually(function() return streams() == 0 end)
  end)

  it("answers a request that was sent just before the end of its input", function()
    open()
    bridge:send(message("tools/call", { name = "get_budget" }))
    local code, _, rest = bridge:close()
    assert.equal(0, code)
    assert.equal(agent.id, cjson.decode(rest).id)
  end)

  it("says what it leaves without an answer when its input ends", function()
    open()
    local job_id = host:post(live:path("runway", "submit"), support.body("runway"), keys.headers "agent").json.job_id
    bridge:send(message("tools/call", { name = "get_job", arguments = { job_id = job_id, wait_seconds = 50 } }))
    assert.truthy(closes_well():find("1 of its requests had no answer", 1, true))
  end)

  it("tells lines that are no message, and reads on", function()
    open()
    for _, line in ipairs {
      "hello", "[]", "7", '{"jsonrpc":"2.0","id":null,"method":"ping"}', '{"jsonrpc":"2.0","id":1,"result":{}}',
      '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', ("["):rep(5000), ('"%s"'):format(("x"):rep(100000)),
    } do
      bridge:send(line)
      assert.is_number(bridge:receive().error.code, line:sub(1, 40))
    end
    bridge:send ""
    bridge:send(("x"):rep(17 * 1024 * 1024))
    assert.truthy(bridge:receive().error.message:find("bytes", 1, true))
    bridge:send { jsonrpc = "2.0", id = 9223372036854775807, method = "ping" }
    assert.same({}, bridge:receive().result)
    closes_well()
  end)

  it("names what is asked for in headers, whatever its letters", function()
    open()
    for _, uri in ipairs { "providerd://jobs/\u{e9}", " providerd://x ", "=?base64?x?=", "a\nb", ("u"):rep(2000) } do
      bridge:send(message("resources/read", { uri = uri }))
      local answer = bridge:receive()
      assert.equal(agent.id, answer.id)
      assert.is_true(answer.error.code == -32602 or #uri > 1000, answer.error.message)
    end
    closes_well()
  end)

  it("passes a flood on, or says that it is too much, each once", function()
    open()
    local first = agent.id + 1
    for _ = 1, 200 do bridge:send(message("tools/call", { name = "get_budget" })) end
    local answers = bridge:gather(200)
    for id = first, agent.id do assert.truthy(answers[id].result or answers[id].error) end
    closes_well()
  end)

  it("says what broke when something else answers at the address", function()
    local server = assert(socket.bind("127.0.0.1", 0))
    local _, port = server:getsockname()
    bridge = stdio.open { "--url", "http://127.0.0.1:" .. port }
    for _, reply in ipairs {
      "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<p>x", "",
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nevent: message\ndata: {\"jsonrpc\"",
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    } do
      bridge:send(message "tools/list")
      local connection = assert(server:accept())
      connection:settimeout(10)
      connection:receive "*l"
      connection:send(reply)
      socket.sleep(0.05)
      connection:shutdown "both"
      connection:close()
      local answer = bridge:receive(10)
      if reply == "" and not answer then -- curl asks once more where a kept connection ended at once
        connection = assert(server:accept())
        connection:close()
        answer = bridge:receive(10)
      end
      assert.equal(agent.id, answer.id)
      assert.equal(-32603, answer.error.code)
    end
    server:close()
    closes_well()
  end)

  it("takes the address as clients of HTTP are given it, too", function()
    for _, ending in ipairs { "/mcp", "/mcp/" } do
      local url = ("http://127.0.0.1:%d%s"):format(host.port, ending)
      bridge = stdio.open({ "--url", url }, { PROVIDERD_API_KEY = keys.key "agent" })
      bridge:send(message "tools/list")
      assert.equal(8, #bridge:receive().result.tools)
      closes_well()
    end
  end)

  it("warns of a key that others can read on the way, and of none else", function()
    local run = require("spec.support.host").run
    local function warned(url, key)
      local _, out, errors = run({ "mcp", "--url", url }, { env = { PROVIDERD_API_KEY = key } })
      assert.equal("", out)
      return errors:find("in clear text", 1, true) ~= nil
    end
    local abroad = { "http://192.0.2.1:8001", "http://127.example:1", "http://127.0.0.1.example", "http://localhost.example" }
    for _, url in ipairs(abroad) do
      assert.is_true(warned(url, "a-key"), url)
      assert.is_false(warned(url), url)
    end
    local safe = { "http://127.0.0.1:1", "http://localhost", "http://[::1]:8001", "https://192.0.2.1", "http://127.0.0.2" }
    for _, url in ipairs(safe) do assert.is_false(warned(url, "a-key"), url) end
  end)

  it("refuses what it cannot use", function()
    local run = require("spec.support.host").run
    for _, more in ipairs { { "--url", "ftp://x" }, { "--wrong" }, { "--key", "a b" }, { "x" } } do
      local arguments = { "mcp", table.unpack(more) }
      local code, out = run(arguments)
      assert.equal(64, code)
      assert.equal("", out)
    end
  end)
end)
