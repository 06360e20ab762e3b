-- /mcp, asked by who means harm or does not know better.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local socket = require "socket"
local start = require("spec.support.host").start
local swarms = require "spec.support.swarm"

local THREADS, STREAMS, CLIENTS = 16, 4, 1000
local SECRET = "plantedsecretplanted0123456789"

-- A value of each kind, and the ends of each.
local VALUES = {
  exact.null, true, false, 0, -1, 1.5, -1e308, 9223372036854775807, exact.wide "18446744073709551615", "", "x", ("x"):rep(3000),
  "\u{1F600}", "a\u{7f}b", {}, exact.array {}, exact.array { exact.array { {} } }, { x = exact.null },
}

-- Each place of a message that something reads, as a path.
local PLACES = {
  "jsonrpc", "id", "method", "params", "params._meta", "params._meta.progressToken",
  "params._meta.io\0modelcontextprotocol/protocolVersion", "params._meta.io\0modelcontextprotocol/clientInfo",
  "params._meta.io\0modelcontextprotocol/clientCapabilities", "params.name", "params.arguments", "params.arguments.job_id",
  "params.arguments.wait_seconds", "params.arguments.limit", "params.uri", "params.cursor", "params.notifications",
  "params.notifications.resourceSubscriptions", "params.protocolVersion", "params.requestState", "params.inputResponses",
}

local METHODS = {
  "initialize", "ping", "server/discover", "tools/list", "resources/list", "resources/templates/list", "resources/read",
  "subscriptions/listen", "notifications/cancelled", "tasks/get", "prompts/get", "completion/complete", "logging/setLevel",
}

describe("/mcp", function()
  local host, agent

  setup(function()
    host = start {
      config = { server = { threads = THREADS, max_streams = STREAMS }, features = { enable_public_image_providers = true } },
      secrets = { fal = { api_key = SECRET } },
    }
    agent = mcp.modern(host)
  end)
  teardown(function() host:remove() end)

  local kept -- one connection for many requests, until a stream or the host ends it

  -- What came is a message of JSON-RPC, or nothing at all for a notification. Streams are ended.
  local function send(headers, body)
    kept = kept or http.connect(host.port)
    local client = kept
    client:send("POST", "/mcp", body, headers)
    local line = assert(client.socket:receive "*l")
    local status = tonumber(line:match " (%d%d%d) ")
    local length, streams
    repeat
      line = client.socket:receive "*l"
      length = tonumber(line:match "^Content%-Length: (%d+)") or length
      streams = streams or line:find("event-stream", 1, true)
      if line == "Connection: close" then kept = nil end
    until line == ""
    local text = not streams and length > 0 and client.socket:receive(length) or ""
    local message = streams and mcp.next_event(client) or text ~= "" and cjson.decode(text)
    if not kept then client:close() end
    return status, message
  end

  local function set(body, path, value)
    local names = {}
    for name in path:gmatch "[^.]+" do names[#names + 1] = (name:gsub("%z", ".")) end
    for i = 1, #names - 1 do
      if type(body[names[i]]) ~= "table" then body[names[i]] = {} end
      body = body[names[i]]
    end
    body[names[#names]] = value
  end

  it("answers every method with every kind of value in every place, as JSON-RPC", function()
    local tools = {}
    for _, tool in ipairs(agent:ask("tools/list").result.tools) do tools[#tools + 1] = tool.name end
    local asked = 0
    for _, era in ipairs { agent, mcp.legacy(host) } do
      local function try(method, params)
        for _, place in ipairs(PLACES) do
          for _, value in ipairs(VALUES) do
            local _, body = era:format(method, params and { name = params.name, arguments = {} })
            local headers = era:format(method, params and { name = params.name, arguments = {} })
            set(body, place, value)
            local status, message = send(headers, body)
            asked = asked + 1
            local name = ("%s %s %s"):format(method, place, exact.encode(value):sub(1, 60))
            assert.is_true(({ [200] = true, [202] = true, [400] = true, [404] = true })[status], name .. ": " .. status)
            assert.is_true(status == 202 or message.jsonrpc == "2.0", name)
            assert.is_true(status ~= 200 or message.result ~= nil or message.error ~= nil or message.method ~= nil, name)
          end
        end
      end
      for _, method in ipairs(METHODS) do try(method) end
      for _, name in ipairs(tools) do try("tools/call", { name = name }) end
    end
    assert.is_true(asked > 5000)
    assert.equal(200, host:get("/readyz").status)
  end)

  it("refuses what is no message", function()
    local headers = agent:format "tools/list"
    for body, code in pairs {
      [("["):rep(100000)] = -32700, ['{"a":'] = -32700, ["\0"] = -32700,
      ['{"jsonrpc":"2.0","id":1e999,"method":"ping"}'] = -32700,
      ['{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'] = -32700, ["[]"] = -32600, ["[{}]"] = -32600, ["null"] = -32600,
      ["7"] = -32600, ["{}"] = -32600, ['{"jsonrpc":"2.0"}'] = -32600, ['{"jsonrpc":"1.0","id":1,"method":"ping"}'] = -32600,
      ['{"jsonrpc":"2.0","id":[],"method":"ping"}'] = -32600, ['{"jsonrpc":"2.0","id":1,"method":7}'] = -32600,
      ['{"jsonrpc":"2.0","id":1,"method":"' .. ("m"):rep(200) .. '"}'] = -32600,
    } do
      local status, message = send(headers, body)
      assert.equal(400, status, body:sub(1, 60))
      assert.equal(code, message.error.code, body:sub(1, 60))
    end
  end)

  it("gives an id back as it came, up to a bound", function()
    for _, id in ipairs {
      "0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615", '""', '"\\u00e9\\n\\""',
      '"' .. ("i"):rep(256) .. '"',
    } do
      for method, params in pairs { ["ping"] = "{}", ["tools/call"] = '{"name":"none"}', ["no/such"] = "{}" } do
        local body = ('{"jsonrpc":"2.0","id":%s,"method":"%s","params":%s}'):format(id, method, params)
        local answer = host:post("/mcp", body)
        assert.same(exact.decode(id), exact.decode(answer.body).id, method)
      end
    end
    for _, id in ipairs { "1.0", "1.5", "null", "true", "{}", '"' .. ("i"):rep(257) .. '"' } do
      local answer = host:post("/mcp", ('{"jsonrpc":"2.0","id":%s,"method":"ping"}'):format(id))
      assert.equal(400, answer.status, id)
      assert.is_nil(answer.json.id)
      assert.is_true(#answer.body < 500)
    end
  end)

  it("does not believe a header that is there twice, or says something else than the body", function()
    local headers, body = agent:format("tools/call", { name = "get_budget" })
    local text = exact.encode(body)
    local function ask(lines)
      local head = { "POST /mcp HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Connection: close",
        "MCP-Protocol-Version: " .. headers["MCP-Protocol-Version"], "Content-Length: " .. #text }
      for _, line in ipairs(lines) do head[#head + 1] = line end
      return host:raw(table.concat(head, "\r\n") .. "\r\n\r\n" .. text)
    end
    local name, method = "Mcp-Name: get_budget", "Mcp-Method: tools/call"
    assert.truthy(ask({ name, method }):find "^HTTP/1.1 200")
    assert.truthy(ask({ "mcp-name:   get_budget  ", "MCP-METHOD:tools/call" }):find "^HTTP/1.1 200")
    for _, lines in ipairs {
      { method, name, "MCP-Protocol-Version: 2026-07-28" }, { method, name, "mcp-protocol-version: 2025-11-25" },
      { method }, { name }, { name, name, method }, { name, method, method }, { name, "Mcp-Name: submit", method },
      { "Mcp-Name: Get_Budget", method }, { "Mcp-Name: =?base64?!!!!?=", method },
      { "Mcp-Name: =?base64?Z2V0X2J1ZGdld?=", method },
      { "Mcp-Name: =?base64??=", method }, { "Mcp-Name: =?base64?Z2V0X2J1ZGdldAA=?=", method },
      { "Mcp-Name: =?base64?" .. ("QUFB"):rep(2000) .. "?=", method }, { name, "Mcp-Method: tools/call, tools/call" },
    } do
      local answer = ask(lines)
      assert.truthy(answer:find "^HTTP/1.1 400", table.concat(lines, " "))
      assert.truthy(answer:find("-32020", 1, true), table.concat(lines, " "))
    end
  end)

  it("masks the host's own secrets, in an answer and in a stream", function()
    local found = agent:ask("tools/call", { name = SECRET })
    assert.is_nil(found.answer.body:find(SECRET, 1, true))
    local headers, body = agent:format("subscriptions/listen", { notifications = {} })
    body.id = SECRET
    local _, message = send(headers, body)
    assert.equal("notifications/subscriptions/acknowledged", message.method)
    assert.is_nil(cjson.encode(message):find(SECRET, 1, true))
  end)

  it("is closed to pages of other origins, also to a form that needs no preflight", function()
    local _, body = agent:format("tools/call", { name = "get_budget" })
    local text = exact.encode(body)
    for _, kind in ipairs {
      "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json",
    } do
      local answer = host:post("/mcp", text, { ["Content-Type"] = kind, Origin = "https://evil.example" })
      assert.equal(403, answer.status, kind)
      assert.is_number(answer.json.error.code)
      if kind ~= "application/json" then
        assert.equal(415, host:post("/mcp", text, { ["Content-Type"] = kind }).status, kind)
      end
    end
    assert.equal(403, host:post("/mcp", text, { ["Sec-Fetch-Site"] = "cross-site" }).status)
    assert.equal(421, host:post("/mcp", text, { Host = "evil.example" }).status)
  end)

  it("answers " .. CLIENTS .. " clients at once, each with a message or with 503", function()
    local swarm, answered, busy = swarms.new(), 0, 0
    for i = 1, CLIENTS do
      local headers, body = agent:format("tools/call", { name = "get_budget" })
      swarm:add(function()
        swarm.pause(i % 10 / 100)
        local answer, why
        repeat
          answer, why = swarm.ask(host.port, "POST", "/mcp", exact.encode(body), headers)
        until answer or why ~= "refused"
        assert(answer, why)
        assert(answer.status == 200 or answer.status == 503, answer.status)
        assert(answer.json.jsonrpc == "2.0" and (answer.status == 503 or answer.json.id == body.id))
        if answer.status == 200 then answered = answered + 1 else busy = busy + 1 end
      end)
    end
    while swarm:is_busy() do swarm:step() end
    assert.equal(CLIENTS, answered + busy)
    assert.is_true(answered > 0)
  end)

  it("goes on for others while its streams are read by nobody", function()
    local job = host:post("/api/providers/image/fal/submit", { prompt = "x" }).json.job_id
    local stuck = {}
    for i = 1, STREAMS do
      host:eventually(function()
        local client, head = agent:begin("subscriptions/listen",
          { notifications = { resourceSubscriptions = { "providerd://jobs/" .. job } } })
        if not head:find("200 OK", 1, true) then client:close() end
        stuck[i] = head:find("200 OK", 1, true) and client or nil
        return stuck[i]
      end)
    end
    local began = socket.gettime()
    for _ = 1, 100 do assert.equal(200, agent:call("get_budget").status) end
    assert.is_true(socket.gettime() - began < 30)
    for _, client in ipairs(stuck) do client:close() end
  end)
end)

describe("/mcp with API keys", function()
  local host

  setup(function() host = start { config = { server = { api_keys = { keys.entry "agent", keys.entry "other" } } } } end)
  teardown(function() host:remove() end)

  it("says 405 to any other method before it looks at a key, and 401 to a message without one", function()
    for _, method in ipairs { "GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS" } do
      for _, key in ipairs { {}, keys.headers "nobody", keys.headers "agent" } do
        local answer = host:request(method, "/mcp", method == "PUT" and {} or nil, key)
        assert.equal(405, answer.status, method)
        assert.equal("POST", answer.headers.allow)
        assert.is_nil(answer.headers["www-authenticate"])
      end
    end
    for _, key in ipairs { {}, keys.headers "nobody" } do
      local found = mcp.modern(host, { headers = key }):ask "tools/list"
      assert.equal(401, found.status)
      assert.equal("Bearer", found.answer.headers["www-authenticate"])
      assert.truthy(found.error.message:find("API key", 1, true))
    end
    assert.equal(401, host:get("/mcpx").status)
  end)

  it("is not there when it is switched off", function()
    local off = start { config = { mcp = { enabled = false } } }
    local found = mcp.modern(off):ask "tools/list"
    assert.equal(404, found.status)
    assert.truthy(found.error.message:find("mcp.enabled", 1, true))
    off:remove()
  end)

  it("ends a stream when its key is taken away, and says why", function()
    local agent = mcp.modern(host, { headers = keys.headers "agent" })
    local client = agent:begin("subscriptions/listen", { notifications = {} })
    assert.truthy(mcp.next_event(client))
    host:write("config/comfyvn.json", exact.encode { server = { threads = 16, api_keys = { keys.entry "other" } } })
    local last = mcp.next_event(client)
    assert.equal(agent.id, last.id)
    assert.truthy(last.error.message:find("API key", 1, true))
    assert.is_nil(mcp.next_event(client))
    client:close()
  end)
end)
