-- Resources: what jobs made, and jobs, by their names; and the stream that tells when a job changes.
local case = require "spec.support.mcp_case"
local cjson = require "cjson"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local mime = require "mime"
local socket = require "socket"
local start = require("spec.support.host").start
local support = require "spec.support.live"

local STREAMS = 3
local UNKNOWN = "01a21300-0000-7000-8000-000000000002"

local function uri_of(job_id, n)
  return "providerd://jobs/" .. job_id .. (n and "/artifacts/" .. n or "")
end

describe("a resource", function()
  local live, host, agent, job_id

  setup(function()
    live = support.start { hurry = 10, config = function(config)
      config.server.max_streams = STREAMS
      config.server.api_keys = { keys.entry "all", keys.entry("own", { sees = "own" }) }
    end }
    host = live.host
    agent = mcp.modern(host, { headers = keys.headers "all" })
    local body = support.body("stability")
    job_id = host:post(live:path("stability", "submit"), body, keys.headers "all").json.job_id
    host:eventually(function()
      return host:get("/api/jobs/status/" .. job_id, keys.headers "all").json.status == "done"
    end)
  end)
  teardown(function() live:remove() end)

  local function status() return host:get("/api/jobs/status/" .. job_id, keys.headers "all").json end

  it("is the file that a job made, byte for byte, to both eras", function()
    local file = host:get(status().artifacts[1].url, keys.headers "all").body
    for _, one in ipairs { agent, mcp.legacy(host, { headers = keys.headers "all" }) } do
      local found = one:ask("resources/read", { uri = uri_of(job_id, 0) })
      local contents = found.result.contents
      assert.equal(1, #contents)
      assert.equal(uri_of(job_id, 0), contents[1].uri)
      assert.equal("image/png", contents[1].mimeType)
      assert.equal(file, (mime.unb64(contents[1].blob)))
      assert.equal(one.modern and "private" or nil, found.result.cacheScope)
    end
  end)

  it("is answered as it was recorded", function()
    for _, recorded in ipairs(case.all()) do
      if recorded.name:find "read of an artifact" then
        recorded.request.body.params.uri = uri_of(job_id, 0)
        recorded.request.headers["mcp-name"] = uri_of(job_id, 0)
        recorded.must["result.contents[0].blob"] = "present"
        for name, value in pairs(keys.headers "all") do recorded.request.headers[name] = value end
        case.check(recorded, case.send(host, recorded))
      end
    end
  end)

  it("is a job, as JSON", function()
    local contents = agent:ask("resources/read", { uri = uri_of(job_id) }).result.contents
    assert.equal(job_id, cjson.decode(contents[1].text).job_id)
    assert.equal("application/json", contents[1].mimeType)
  end)

  it("is listed when a job made it, page by page", function()
    local resources = agent:ask("resources/list").result.resources
    assert.equal(uri_of(job_id, 0), resources[1].uri)
    assert.truthy(resources[1].name)
    assert.equal("image/png", resources[1].mimeType)
    assert.equal(2, #agent:ask("resources/templates/list").result.resourceTemplates)
    assert.equal(-32602, agent:ask("resources/list", { cursor = "1&sees=all" }).error.code)
    assert.equal(-32602, agent:ask("resources/list", { cursor = 7 }).error.code)
  end)

  it("that is none is told with its name, in the code of the era", function()
    local legacy = mcp.legacy(host, { headers = keys.headers "all" })
    for _, uri in ipairs {
      uri_of(job_id, 9), uri_of(job_id, "00"), uri_of(UNKNOWN), uri_of(UNKNOWN, 0), "providerd://jobs/nope", "",
      "file:///etc/passwd",
      "providerd://jobs/" .. job_id .. "/artifacts/0/../../x",
    } do
      local found = agent:ask("resources/read", { uri = uri })
      assert.equal(200, found.status)
      assert.equal(-32602, found.error.code, uri)
      assert.equal(uri, found.error.data.uri)
      assert.equal(-32002, legacy:ask("resources/read", { uri = uri }).error.code, uri)
    end
    assert.equal(-32602, agent:ask("resources/read", { uri = ("x"):rep(5000) }).error.code)
    assert.equal(-32602, agent:ask("resources/read", {}).error.code)
  end)

  it("is not there for a key that does not see its job", function()
    local own = mcp.modern(host, { headers = keys.headers "own" })
    assert.same({}, own:ask("resources/list").result.resources)
    assert.equal(-32602, own:ask("resources/read", { uri = uri_of(job_id, 0) }).error.code)
    assert.equal(-32602, own:ask("resources/read", { uri = uri_of(job_id) }).error.code)
  end)

  -- A stream that was closed leaves its place within a second.
  local function listen(one, uris)
    local client, head
    host:eventually(function()
      client, head = one:begin("subscriptions/listen",
        { notifications = { toolsListChanged = true, resourceSubscriptions = uris } })
      if not head:find "^HTTP/1.1 503" then return true end
      client:close()
    end)
    assert.truthy(head:find("200 OK", 1, true), head)
    assert.truthy(head:find("X-Accel-Buffering: no", 1, true))
    local first = mcp.next_event(client)
    assert.equal("notifications/subscriptions/acknowledged", first.method)
    assert.equal(one.id, first.params._meta["io.modelcontextprotocol/subscriptionId"])
    return client, first.params.notifications
  end

  local function submit()
    return host:post(live:path("fal", "submit"), support.body("fal"), keys.headers "all").json.job_id
  end

  it("tells who listens that its job changed, until that is over", function()
    local job, client, agreed, state
    repeat -- on a busy machine the job may be over before anybody listens
      if client then client:close() end
      job = submit()
      client, agreed = listen(agent, { uri_of(job), uri_of(job), "file:///x" })
      state = host:get("/api/jobs/status/" .. job, keys.headers "all").json.status
    until state == "queued" or state == "running"
    assert.same({ resourceSubscriptions = { uri_of(job) } }, agreed)
    local told = mcp.next_event(client)
    assert.equal("notifications/resources/updated", told.method)
    assert.equal(uri_of(job), told.params.uri)
    assert.equal(agent.id, told.params._meta["io.modelcontextprotocol/subscriptionId"])
    client:close()
  end)

  it("of others is not acknowledged", function()
    local client, agreed = listen(mcp.modern(host, { headers = keys.headers "own" }), { uri_of(job_id) })
    assert.same({}, agreed)
    client:close()
  end)

  it("has no more listeners than there may be streams, and each leaves its place", function()
    local clients = {}
    for i = 1, STREAMS do clients[i] = listen(agent, { uri_of(job_id) }) end
    local refused = agent:ask("subscriptions/listen", { notifications = { resourceSubscriptions = { uri_of(job_id) } } })
    assert.equal(503, refused.status)
    assert.equal(-32603, refused.error.code)
    assert.equal("1", refused.answer.headers["retry-after"])
    assert.equal(agent.id, refused.message.id)
    for _, client in ipairs(clients) do client:close() end
    listen(agent, { uri_of(job_id) }):close()
  end)

  it("is listened to by who asks for it well", function()
    local many = {}
    for i = 1, 65 do many[i] = uri_of(job_id) end
    for _, notifications in ipairs { 7, { resourceSubscriptions = "x" }, { resourceSubscriptions = { 7 } },
      { resourceSubscriptions = many } } do
      assert.equal(-32602, agent:ask("subscriptions/listen", { notifications = notifications }).error.code)
    end
    assert.equal(-32601, mcp.legacy(host, { headers = keys.headers "all" }):ask("subscriptions/listen").error.code)
  end)

  it("has listeners that are told when the host stops", function()
    local client = listen(agent, { uri_of(job_id) })
    host:signal "TERM"
    local last
    local deadline = socket.gettime() + 60
    repeat
      local message = mcp.next_event(client)
      last = message or last
    until not message or socket.gettime() > deadline
    assert.equal("complete", last.result.resultType)
    assert.equal(agent.id, last.id)
    assert.equal(agent.id, last.result._meta["io.modelcontextprotocol/subscriptionId"])
    client:close()
    host:ends_well()
    host:start_again()
  end)
end)

describe("a large resource", function()
  local MIB = 1024 * 1024
  local vendor, host

  setup(function()
    vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/large_vendor.lua" }, config = "",
      env = { LUA_PATH = os.getenv "LUA_PATH" } }
    local config = support.config("http://127.0.0.1:" .. vendor.port)
    config.server.api_keys = { keys.entry "all" }
    host = start { config = config, secrets = support.SECRETS }
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function make(bytes)
    local job = { url = "https://me--app-f.modal.run/mp4-" .. bytes, body = { prompt = "x" } }
    local answer = host:post("/api/providers/gpu/public/modal/submit", { job = job, dry_run = false, max_cost_usd = 0.5 },
      keys.headers "all")
    host:eventually(function()
      return host:get("/api/jobs/status/" .. answer.json.job_id, keys.headers "all").json.status == "done"
    end)
    return uri_of(answer.json.job_id, 0)
  end

  it("is read up to 1 MiB, and beyond that fetched by its URL, which needs no key", function()
    local agent = mcp.modern(host, { headers = keys.headers "all" })
    local contents = agent:ask("resources/read", { uri = make(MIB) }).result.contents
    assert.equal(MIB, #mime.unb64(contents[1].blob))
    local uri = make(MIB + 1)
    local found = agent:ask("resources/read", { uri = uri })
    assert.equal(-32602, found.error.code)
    assert.equal(uri, found.error.data.uri)
    assert.equal(MIB + 1, found.error.data.bytes)
    local path = found.error.data.url:match "^http://127%.0%.0%.1:%d+(/.*)$"
    local file = host:get(path)
    assert.equal(200, file.status)
    assert.equal(MIB + 1, #file.body)
  end)
end)
