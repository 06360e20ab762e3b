-- get_job of live jobs: what it tells of them, and how it waits. The jobs come by REST: what may be paid for is another matter.
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local socket = require "socket"
local stdio = require "spec.support.stdio"
local support = require "spec.support.live"
local timely = require "spec.support.timely"

local function token() return { _meta = { progressToken = 0 } } end

local function open_streams(live)
  return tonumber(live.host:get("/metrics").body:match "\nproviderd_event_streams (%d+)")
end

describe("get_job of a live job", function()
  local live, agent, legacy

  setup(function()
    live = support.start { simulate = { "--job-time", "2500" } }
    agent, legacy = mcp.modern(live.host), mcp.legacy(live.host)
  end)
  teardown(function() live:remove() end)

  local function blocks(found, kind)
    local list = {}
    for _, block in ipairs(found.result.content) do
      if block.type == kind then list[#list + 1] = block end
    end
    return list
  end

  it("says at once that it runs, and what to do", function()
    local id = live:job("luma")
    local found = agent:call("get_job", { job_id = id })
    assert.is_nil(found.events)
    assert.is_truthy(({ queued = true, running = true })[found.data.status])
    assert.equal("call get_job with job_id " .. id .. " and wait_seconds 50", found.data.next)
    assert.is_true(found.data.money.reserved_usd > 0)
    assert.is_true(#found.text < 600, found.text)
  end)

  it("tells progress that grows, in the client's own token, then the end", function()
    for _, one in ipairs { agent, legacy } do
      local id = live:job("fal")
      local found = one:call("get_job", { job_id = id, wait_seconds = 50 }, token())
      assert.equal("text/event-stream", found.answer.headers["content-type"])
      assert.is_true(#found.events >= 2, found.answer.body)
      local last = -1
      for n = 1, #found.events - 1 do
        local params = found.events[n].params
        assert.equal("notifications/progress", found.events[n].method)
        assert.equal(0, params.progressToken)
        assert.is_true(params.progress > last and params.progress <= 1)
        assert.equal(1, params.total)
        last = params.progress
      end
      assert.equal("done", found.data.status)
      assert.equal("finished", found.data.next)
    end
  end)

  it("answers without a stream where nobody wants to hear of progress", function()
    local found = agent:call("get_job", { job_id = live:job("fal"), wait_seconds = 50 })
    assert.equal("application/json", found.answer.headers["content-type"])
    assert.equal("done", found.data.status)
  end)

  it("waits no longer than it is told", function()
    local id, began = live:job("runway"), socket.gettime()
    local found = agent:call("get_job", { job_id = id, wait_seconds = 1 })
    local took = socket.gettime() - began
    assert.is_true(took >= 0.9 and took < 40, took)
    assert.is_string(found.data.status)
  end)

  it("has a done job's outputs by name, and a picture as a picture", function()
    local id = live:job("fal")
    live:ended(id)
    local found = agent:call("get_job", { job_id = id })
    local output = found.data.artifacts[1]
    assert.equal(("providerd://jobs/%s/artifacts/0"):format(id), output.uri)
    assert.equal(("http://127.0.0.1:%d/api/jobs/%s/artifacts/0"):format(live.host.port, id), output.url)
    local file = live.host:get("/api/jobs/" .. id .. "/artifacts/0").body
    assert.equal(#file, output.bytes)
    assert.equal(1, #blocks(found, "image"))
    assert.equal(file, (require("mime").unb64(blocks(found, "image")[1].data)))
    assert.equal(output.content_type, blocks(found, "image")[1].mimeType)
    assert.is_nil(found.text:find(blocks(found, "image")[1].data:sub(1, 40), 1, true))
    assert.same({ output.uri }, { blocks(found, "resource_link")[1].uri })
    assert.same({ 0, 0 }, { #blocks(legacy:call("get_job", { job_id = id, preview = false }), "resource_link"),
      #blocks(agent:call("get_job", { job_id = id, preview = false }), "image") })
  end)

  it("shows no film, and links to it", function()
    local id = live:job("luma")
    live:ended(id)
    local found = agent:call("get_job", { job_id = id })
    assert.same({ 0, 1 }, { #blocks(found, "image"), #blocks(found, "resource_link") })
    assert.equal("video/mp4", found.data.artifacts[1].content_type)
  end)

  it("is left when its client leaves, and the job goes on", function()
    local id = live:job("runway")
    local client = agent:begin("tools/call", { name = "get_job", arguments = { job_id = id, wait_seconds = 50 },
      _meta = token()._meta })
    assert.equal("notifications/progress", mcp.next_event(client).method)
    client:close()
    live.host:within(30, function() return open_streams(live) == 0 end)
    assert.equal("done", live:ended(id).status)
  end)

  it("finds live jobs again, and cancels one", function()
    local id = live:job("replicate")
    local row = agent:call("list_jobs", { limit = 1 }).data.jobs[1]
    assert.same({ id, false, "replicate", "a lighthouse" }, { row.job_id, row.dry_run, row.provider, row.prompt })
    local found = agent:call("cancel_job", { job_id = id })
    assert.is_nil(found.refused, found.text)
    assert.equal("canceled", live:ended(id).status)
    assert.equal("canceled", agent:call("cancel_job", { job_id = id }).data.status)
  end)
end)

describe("get_job of a job whose outcome is unknown", function()
  local live, agent

  setup(function()
    live = support.start { simulate = { "--fault", "stability:reset_after:1" } }
    agent = mcp.modern(live.host)
  end)
  teardown(function() live:remove() end)

  it("says that it may have been billed, and invites nobody to pay again", function()
    local id = live:job("stability")
    live:becomes(id, "unknown")
    local began = socket.gettime()
    local found = agent:call("get_job", { job_id = id, wait_seconds = 50 })
    assert.is_true(socket.gettime() - began < 40)
    assert.is_nil(found.refused)
    assert.equal("unknown", found.data.status)
    assert.equal("it may have been billed; do not submit it again; the operator resolves it", found.data.next)
    assert.is_true(found.data.money.reserved_usd > 0)
    assert.equal("unknown", agent:call("list_jobs", { status = "unknown" }).data.jobs[1].status)
    local refused = agent:call("cancel_job", { job_id = id })
    assert.is_true(refused.refused)
    assert.equal("conflict", refused.data.error)
  end)
end)

describe("waits of many agents", function()
  local live

  setup(function()
    live = support.start { simulate = { "--job-time", "20000" }, config = function(config)
      config.server.threads, config.server.max_streams = 64, 24
    end }
  end)
  teardown(function() live:remove() end)

  it("leave threads to quick calls: who finds no place is answered at once", function()
    local agent, waiting, at_once = mcp.modern(live.host), {}, 0
    local id = live:job("runway")
    for n = 1, 200 do
      local headers, body = agent:format("tools/call", { name = "get_job", arguments = { job_id = id, wait_seconds = 50 } })
      local client = require("spec.support.http").connect(live.host.port)
      client:send("POST", "/mcp", body, headers)
      client.socket:settimeout(0.05)
      local line = client.socket:receive "*l"
      if line then at_once = at_once + 1 client:close() else waiting[#waiting + 1] = client end
      if n % 20 == 0 then
        timely.within(2, function() assert.equal(200, agent:call("get_budget").status) end)
      end
    end
    assert.is_true(#waiting <= 24, #waiting)
    assert.equal(200, #waiting + at_once)
    local found = agent:call("get_job", { job_id = id, wait_seconds = 50 })
    assert.is_truthy(found.data.next:find("no room for those who wait", 1, true), found.text)
    for _, client in ipairs(waiting) do client:close() end
    live.host:within(30, function() return open_streams(live) == 0 end)
  end)

  it("end with the host", function()
    local agent = mcp.modern(live.host)
    local id = live:job("runway")
    local client = agent:begin("tools/call", { name = "get_job", arguments = { job_id = id, wait_seconds = 50 },
      _meta = token()._meta })
    assert.equal("notifications/progress", mcp.next_event(client).method)
    local began = socket.gettime()
    live.host:stop()
    assert.is_true(socket.gettime() - began < 20)
    live.host:start_again()
  end)
end)

describe("what another key's job is", function()
  local live

  setup(function()
    live = support.start { config = function(config)
      config.server.api_keys = {
        keys.entry("ann", { may = { "read", "submit", "live" }, sees = "own" }),
        keys.entry("ben", { may = { "read", "submit", "live" }, sees = "own" }),
        keys.entry("eye", { may = { "read" } }), keys.entry("doer", { may = { "submit" } }),
      }
    end }
  end)
  teardown(function() live:remove() end)

  local function agent(name) return mcp.modern(live.host, { headers = keys.headers(name) }) end

  it("for one that sees its own: none, by any tool", function()
    local id = live:job("fal", nil, keys.headers "ann")
    assert.equal("done", agent "ann":call("get_job", { job_id = id, wait_seconds = 50 }, token()).data.status)
    assert.equal("not_found", agent "ben":call("get_job", { job_id = id, wait_seconds = 50 }, token()).data.error)
    assert.equal("not_found", agent "ben":call("cancel_job", { job_id = id }).data.error)
    assert.same({ 1, 0, 1 }, { #agent "ann":call("list_jobs").data.jobs, #agent "ben":call("list_jobs").data.jobs,
      #agent "eye":call("list_jobs").data.jobs })
  end)

  it("for one that may only read: seen, and not cancelled", function()
    local id = live:job("luma", nil, keys.headers "ann")
    assert.is_string(agent "eye":call("get_job", { job_id = id }).data.status)
    assert.equal("forbidden", agent "eye":call("cancel_job", { job_id = id }).data.error)
    assert.equal(403, agent "doer":call("get_job", { job_id = id }).status)
  end)
end)

describe("an output's addresses", function()
  local live, id

  setup(function()
    live = support.start { hurry = 10, config = function(config)
      config.server.api_keys = { keys.entry "agent" }
      config.server.allowed_hosts = { "media.example" }
      config.live.public_url = "https://media.example/providers/"
    end }
    id = live:job("stability", nil, keys.headers "agent")
    live.host:eventually(function()
      return live.host:get("/api/jobs/status/" .. id, keys.headers "agent").json.status == "done"
    end)
  end)
  teardown(function() live:remove() end)

  local function output(headers)
    local all = keys.headers "agent"
    for name, value in pairs(headers or {}) do all[name] = value end
    return mcp.modern(live.host, { headers = all }):call("get_job", { job_id = id, preview = false }).data.artifacts[1]
  end

  it("are a URL that a browser opens without the key, for this one file", function()
    local path = output().url:match "^http://[^/]+(/.*)$"
    assert.equal(200, live.host:get(path).status)
    assert.equal(output().bytes, #live.host:get(path).body)
    assert.equal(401, live.host:get((path:gsub("/artifacts/0", "/artifacts/1"))).status)
    assert.equal(401, live.host:get(path:match "^[^?]+").status)
  end)

  it("are as the client reaches the host: by TLS where the operator says so", function()
    local host = ("127.0.0.1:%d"):format(live.host.port)
    assert.equal("http://" .. host .. "/api/jobs/" .. id .. "/artifacts/0", output().url:match "^[^?]+")
    assert.equal("https://media.example/providers/api/jobs/" .. id .. "/artifacts/0",
      output({ Host = "media.example" }).url:match "^[^?]+")
  end)

  it("are a path too, for the bridge on the same machine, and for nobody else", function()
    assert.is_nil(output().file)
    assert.is_nil(output({ ["Providerd-Machine"] = "another mnt:[1] 0" }).file)
    local bridge = stdio.open({ "--url", ("http://127.0.0.1:%d/"):format(live.host.port) },
      { PROVIDERD_API_KEY = keys.key "agent" })
    local _, body = mcp.modern(live.host):format("tools/call", { name = "get_job", arguments = { job_id = id } })
    bridge:send(body)
    local found = bridge:receive().result.structuredContent.artifacts[1]
    bridge:close()
    local file = assert(io.open(found.file, "rb"))
    assert.equal(live.host:get("/api/jobs/" .. id .. "/artifacts/0", keys.headers "agent").body, file:read "a")
    file:close()
  end)
end)
