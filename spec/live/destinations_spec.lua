-- Where a credential goes is the script's and the operator's to say, never the caller's: hosts on which strangers can have
-- names get it
-- only if the operator lists them; no way to write a URL leads elsewhere; and the host itself is nobody's destination.
local start = require("spec.support.host").start
local support = require "spec.support.live"

local function missing(answer)
  return table.concat(answer.json.live.missing, "\n")
end

local function recorder()
  return start { program = "/usr/bin/lua5.4", arguments = { "spec/support/recorder.lua" }, config = "",
    env = { LUA_PATH = os.getenv("LUA_PATH"), LUA_CPATH = os.getenv("LUA_CPATH") } }
end

-- A provider whose jobs say where they go, and how.
local WILD = [[
return {
  id = "wild", kind = "image", capabilities = {}, pricing = {},
  credentials = { api_key = { secret = { "api_key" } } },
  base_url = BASE, hosts = { "second.wild.example", "*.open.example" ADDRESSES }, shared_hosts = { "*.wild.example",
    "shared.example" },
  outputs = "any",
  auth = { Authorization = "Key {api_key}" },
  estimate = function() return { expected = 0.01, unit = "job", quantity = 1 } end,
  health = function(ctx)
    local response, failure = ctx.request { method = "POST", path = "/api/live/start", json = {}, free = true }
    return { ok = response ~= nil, reason = failure and (failure.kind .. ": " .. failure.message) }
  end,
  submit = function(payload, ctx)
    local url = string.gsub(string.gsub(payload.url or "", "{at}", "@"), "{nul}", "\0")
    if payload.outputs or payload.ask then ctx.request { method = "POST", path = "/submit", json = {} } end
    if payload.outputs then return { id = "w", status = "done", artifacts = payload.outputs, cost = { usd = 0.01,
      source = "vendor" } } end
    if payload.ask then return { id = "w", status = "running", state = { url = url }, retry_after = 0.1 } end
    local _, failure = ctx.request { method = "POST", url = url, json = { sent = true } }
    return { id = "w", status = "error", error = { code = "vendor", message = failure and failure.message or "sent" } }
  end,
  poll = function(job, ctx)
    local _, failure = ctx.request { url = job.state.url }
    return { id = "w", status = "error", error = { code = "vendor", message = failure and failure.kind or "sent" } }
  end,
}]]

local function start_wild(options)
  local config = support.config(options.upstream)
  for _, provider in pairs(config.live.providers) do provider.hosts = nil end
  config.live.providers.modal.hosts = { "me--*.modal.run" }
  config.live.providers.wild = {
    enabled = true, budget_usd = { per_day = 1000, per_month = 1000 }, rate_per_minute = 6000, max_concurrent = 100,
    hosts = options.hosts, base_url = options.base_url,
  }
  config.hooks = { enabled = true, allow_loopback = true }
  config.live.public_url, config.server.probe_listen = options.public_url, options.probe_listen
  local script = WILD:gsub("BASE", ("%q"):format(options.base or "https://api.wild.example/v1")):gsub("ADDRESSES",
    options.addresses or "")
  local secrets = { wild = { api_key = "planted-wild" } }
  for id, entry in pairs(support.SECRETS) do secrets[id] = entry end
  return start { config = config, secrets = secrets, files = { ["providers/wild.lua"] = script }, scripts = true,
    listen = options.listen }
end

local SUBMIT = "/api/providers/image/wild/submit"

local function ended(host, answer)
  assert.equal(202, answer.status, answer.body)
  return host:eventually(function()
    local job = host:get("/api/jobs/status/" .. answer.json.job_id).json
    return job.status ~= "queued" and job.status ~= "running" and job or nil
  end)
end

describe("a host on which strangers can have names", function()
  local vendor, host

  setup(function()
    vendor = recorder()
    host = start_wild { upstream = "http://127.0.0.1:" .. vendor.port, hosts = { "me--*.wild.example", "one.open.example" } }
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function seen()
    return vendor:get("/seen").json.seen
  end

  local STRANGERS = {
    modal = {
      { job = { url = "https://attacker--steal.modal.run/x", body = {} } },
      { job = { url = "https://attacker--steal.modal.run/x", body = {}, auth = "bearer" } },
      { job = { url = "https://me--a.modal.run/x", result_url = "https://attacker--x.modal.run/r", body = {} } },
      { job = { url = "https://me--a.modal.run/x", cancel_url = "https://attacker--x.modal.run/c", body = {} } },
      { job = { submit_url = "https://me--a.modal.run/x", result_url = "https://attacker--x.modal.run/{call_id}", body = {} } },
      { job = { workspace = "attacker", app = "a", ["function"] = "f", body = {} } },
      { job = { url = "https://attacker.us-west.modal.direct/v1/models", body = {} } },
    },
    hf_inference_endpoints = {
      { job = { url = "https://attacker.us-east-1.aws.endpoints.huggingface.cloud/", inputs = "x" } },
      { job = { url = "https://endpoints.huggingface.cloud.endpoints.huggingface.cloud/", inputs = "x" } },
    },
    runpod = {
      { job = { operation = "load-balancing", endpoint_id = "attacker", path = "generate", body = { a = 1 } } },
    },
  }
  local NAMED = { modal = "modal%.[rd]", hf_inference_endpoints = "endpoints%.huggingface%.cloud",
    runpod = "attacker%.api%.runpod%.ai" }

  for id, bodies in pairs(STRANGERS) do
    for i, body in ipairs(bodies) do
      it(id .. " is not called live there, and the answer says which setting is missing (" .. i .. ")", function()
        local request = { dry_run = false, max_cost_usd = 0.05 }
        for name, value in pairs(body) do request[name] = value end
        local answer = host:post("/api/providers/gpu/public/" .. id .. "/submit", request)
        assert.equal(200, answer.status, answer.body)
        assert.same({ true, false }, { answer.json.dry_run, answer.json.live.enabled })
        assert.matches("live%.providers%." .. id .. "%.hosts does not name [%w.-]*" .. NAMED[id], missing(answer))
        assert.matches("config/comfyvn%.json", missing(answer))
        request.dry_run = true
        answer = host:post("/api/providers/gpu/public/" .. id .. "/submit", request)
        assert.matches("live%.providers%." .. id .. "%.hosts does not name", missing(answer))
        assert.same({}, seen())
      end)
    end
  end

  -- With the list { "me--*.wild.example", "one.open.example" }.
  local REFUSED = {
    "https://evil.wild.example/", "https://me.wild.example/", "https://me-evil.wild.example/", "https://me2--x.wild.example/",
    "https://me---x.wild.example/", "https://me--x.evil.wild.example/", "https://me--.wild.example/",
    "https://two.open.example/", "https://shared.example/", "https://me--x.open.example/",
    "https://me--x.wild.example:8443/", "https://one.open.example:8443/",
  }
  for _, url in ipairs(REFUSED) do
    it("gets no credential: " .. url, function()
      local before = #seen()
      local answer = host:post(SUBMIT, { url = url, dry_run = false })
      assert.equal(200, answer.status, answer.body)
      assert.is_true(#answer.json.live.missing > 0)
      assert.equal(before, #seen())
    end)
  end

  local LISTED = { "https://me--x.wild.example/a", "https://ME--app-fn.Wild.Example/a", "https://one.open.example/a",
    "https://second.wild.example/a", "https://api.wild.example/v1/a", "https://api.wild.example:443/a" }
  for _, url in ipairs(LISTED) do
    it("gets it when the operator lists it, or when it is the vendor's own: " .. url, function()
      local answer = host:post(SUBMIT, { url = url, dry_run = false })
      assert.equal("sent", ended(host, answer).result.error.message)
      local all = seen()
      assert.equal("Key planted-wild", all[#all].headers.authorization)
    end)
  end

  it("gets none when an answer of the vendor names it", function()
    local before = #seen()
    local answer = host:post(SUBMIT, { url = "https://evil.wild.example/status", ask = true, dry_run = false })
    assert.equal(202, answer.status, answer.body)
    assert.equal("unlisted", ended(host, answer).result.error.message)
    assert.equal(before + 1, #seen()) -- the submit
  end)

  it("is judged by the configuration of the moment", function()
    local text = host:read("config/comfyvn.json")
    local function lacks(url)
      return #host:post(SUBMIT, { url = url }).json.live.missing > 1
    end
    host:write("config/comfyvn.json", (text:gsub("me%-%-%*%.wild%.example", "you--*.wild.example")))
    host:eventually(function() return lacks("https://me--x.wild.example/a") end)
    assert.is_false(lacks("https://you--x.wild.example/a"))
    host:write("config/comfyvn.json", text)
    host:eventually(function() return not lacks("https://me--x.wild.example/a") end)
  end)

  -- Every one of these is refused as a URL, or not sent with a credential.
  local TRICKS = {
    "https://api.wild.example{at}evil.example/", "https://evil.example{at}api.wild.example/",
    "https://api.wild.example:x{at}evil.example/", "https://evil.example\\{at}api.wild.example/",
    "https://evil.example\\.api.wild.example/", "https://evil.example%2f.wild.example/", "https://evil.example%23.wild.example/",
    "https://evil.example%00.wild.example/", "https://api.wild.example./v1", "https://.wild.example/", "https://a..wild.example/",
    "https://api.wild.example:444/v1", "https://api.wild.example:0/v1", "https://api.wild.example:99999/v1",
    "https://api.wild.example:/v1", "https://api.wild.example:443x/v1", "https://api.wild.example.evil.example/",
    "https://apixwild.example/", "https://xwild.example/", "https://evilwild.example/", "https://api.wild.examples/",
    "https://аpi.wild.example/", "https://api。wild.example/", "https://api.wild.example%2eevil.example/",
    "https://api.wild.example/v1/../../x", "https://api.wild.example/v1/%2e%2e/x", "https://api.wild.example/v1/..%2fx",
    "https://api.wild.example/v1#@evil.example/", "http://api.wild.example/v1", "HTTPS://api.wild.example/v1",
    "https:api.wild.example/v1", "https:///api.wild.example/v1", "https:/\\api.wild.example/", "//api.wild.example/v1",
    "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://127.0.0.1/", "http://127.0.0.1:1/", "http://localhost:1/",
    "https://evil.example/?https://api.wild.example/v1", "ftp://api.wild.example/v1", "file:///etc/passwd",
    "https://api.wild.example?{at}evil.example/", "https://api.wild.example\t.evil.example/",
    "https://api.wild.example{nul}.evil.example/", "https://api.wild.example\r\nX: y/",
  }
  it("no way to write a URL leads a credential elsewhere", function()
    local before = #seen()
    for _, url in ipairs(TRICKS) do
      local answer = host:post(SUBMIT, { url = url, dry_run = false })
      local where = url .. ": " .. answer.body
      assert.is_true(answer.status == 200 or answer.status == 202, where)
      if answer.status == 202 then ended(host, answer) end
    end
    local all = seen()
    for i = before + 1, #all do
      assert.matches("^/api%.wild%.example[/?]", all[i].path)
      assert.is_nil(all[i].path:find("..", 1, true))
      assert.is_nil(all[i].path:lower():find("%2e%2e", 1, true))
    end
  end)

  it("a file is fetched with the credential from the vendor's own host at its own port only", function()
    local before = #seen() + 1 -- the submit
    local outputs = {}
    for i, url in ipairs { "https://api.wild.example/f1", "https://api.wild.example:8443/f2", "https://second.wild.example/f3",
      "https://evil.wild.example/f4", "https://me--x.wild.example/f5" } do outputs[i] = { url = url, auth = true } end
    ended(host, host:post(SUBMIT, { outputs = outputs, dry_run = false }))
    local all = seen()
    assert.is_true(#all >= before + 5, #all - before)
    for i = before + 1, #all do
      local own = all[i].path == "/api.wild.example/f1"
      assert.equal(own and "Key planted-wild" or nil, all[i].headers.authorization, all[i].path)
    end
  end)
end)

describe("base_url of the operator", function()
  it("stands for the script's own to the end of a path's segment, in any letter case, and for nothing else", function()
    local vendor = recorder()
    local host = start_wild { base_url = "http://127.0.0.1:" .. vendor.port .. "/gateway/" }
    finally(function()
      host:remove()
      vendor:kill()
      vendor:remove()
    end)
    for _, url in ipairs { "https://api.wild.example/v1/a?b=c", "https://API.wild.example/v1/a",
      "https://api.wild.example:443/v1" } do
      ended(host, host:post(SUBMIT, { url = url, dry_run = false }))
    end
    local paths = {}
    for i, request in ipairs(vendor:get("/seen").json.seen) do paths[i] = request.path end
    assert.same({ "/gateway/a?b=c", "/gateway/a", "/gateway" }, paths)
    for _, url in ipairs { "https://api.wild.example/v1evil", "https://api.wild.example/v2/x" } do
      host:post(SUBMIT, { url = url, dry_run = true })
    end
    assert.equal(3, #vendor:get("/seen").json.seen)
  end)
end)

describe("this host's own address", function()
  local host, address, probes

  setup(function()
    address, probes = support.address(), support.address()
    host = start_wild { listen = address, base = "http://" .. address, public_url = "https://studio.example/providers",
      probe_listen = probes }
  end)
  teardown(function() host:remove() end)

  it("is no destination of a script: its own switch stays where the operator put it", function()
    assert.equal(200, host:post("/api/live/stop", {}).status)
    host:post("/api/providers/image/wild/health", { dry_run = false })
    assert.is_true(host:get("/api/live").json.stopped)
    host:post("/api/live/start", {})
    local answer = host:post("/api/providers/image/wild/health", { dry_run = false })
    assert.matches("own: the address is this host's own", answer.body)
  end)

  it("is no destination of a webhook or a callback, by any name", function()
    local port = address:match(":(%d+)$")
    for _, name in ipairs { "127.0.0.1:" .. port, "localhost:" .. port, "LOCALHOST:" .. port, "127.0.0.2:" .. port, probes } do
      local url = "http://" .. name .. "/api/live/start"
      local answer = host:post("/api/modder/hooks/webhooks", { url = url, events = { "*" } })
      assert.equal(400, answer.status, url)
      assert.matches("own address", answer.body)
      answer = host:post("/api/providers/image/fal/submit", { prompt = "x", callback_url = url })
      assert.equal(400, answer.status, url)
    end
    local answer = host:post("/api/modder/hooks/webhooks", { url = "https://STUDIO.example:443/api/live/start",
      events = { "*" } })
    assert.equal(400, answer.status)
    assert.matches("own address", answer.body)
  end)

  it("is not reached by a name that leads to it either", function()
    local port = address:match(":(%d+)$")
    for _, url in ipairs { "https://[::ffff:127.0.0.1]:" .. port .. "/", "https://[::1]:" .. port .. "/",
      "https://localhost:" .. port .. "/", "https://" .. probes .. "/", "https://localhost:" .. probes:match("%d+$") .. "/" } do
      local job = ended(host, host:post(SUBMIT, { outputs = { { url = url } }, dry_run = false }))
      assert.matches("own", host:get("/api/jobs/status/" .. job.job_id).body)
    end
  end)
end)

describe("an address that is not public", function()
  -- Each network at its first and, where it is not plain, its last address.
  local ADDRESSES = {
    "0.0.0.0", "0.255.255.255", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "[::]", "[::1]", "[::7f00:1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::7f00:1]", "[64:ff9b:1:ffff::1]", "[100::1]", "[2001::1]", "[2001:0:7f00:1::]", "[2001:2::1]", "[2001:10::1]",
    "[2001:1ff::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[2002:a00:1::1]", "[3fff::1]", "[5f00::1]", "[fc00::1]", "[fdff::1]",
    "[fe80::1]", "[febf::1]", "[fec0::1]", "[feff::1]", "[ff02::1]", "[ffff::1]", "[4000::1]", "[1fff::1]",
  }

  -- A script has room for 32 hosts.
  for half = 1, 2 do
    it("is refused, in every form, before anything is sent (" .. half .. ")", function()
      local first = (half - 1) * 26 + 1
      local some = table.move(ADDRESSES, first, math.min(first + 25, #ADDRESSES), 1, {})
      local list = {}
      for i, address in ipairs(some) do list[i] = (", %q"):format(address) end
      local host = start_wild { addresses = table.concat(list) }
      finally(function() host:remove() end)
      local jobs = {}
      for i, address in ipairs(some) do jobs[i] = host:post(SUBMIT, { url = "https://" .. address .. "/", dry_run = false }) end
      for i, answer in ipairs(jobs) do assert.matches("private", ended(host, answer).result.error.message, nil, nil, some[i]) end
    end)
  end
end)
