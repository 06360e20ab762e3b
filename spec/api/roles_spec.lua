-- What an API key may do and see: server.api_keys[].may and .sees. Every route of the router is tried with every role, so one
-- that is added without a role, or with another than is documented, fails here.
local http = require "spec.support.http"
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local routes = require "spec.support.routes"
local start = require("spec.support.host").start

local ROLES = { "read", "submit", "live", "operate" }

-- What docs/operations.md says of a path.
local function documented(route)
  local path = route.pattern
  if path:find("^/api/webhooks/") or path == "/healthz" or path == "/readyz" then return "nobodys" end
  if path == "/" or path == "/ui/**" or path == "/api/session" or path == "/openapi.json" then return "nobodys" end
  if path == "/api/logs" or path:find("^/api/approvals") then return "operate" end
  if path:find("^/v1/") then return route.method == "GET" and "read" or "submit" end
  if path:find("/webhooks", 1, true) or path:find("/hooks/test", 1, true) then return "operate" end
  if route.method == "GET" or path:find("/health$") or path == "/mcp" then return "read" end
  for _, verb in ipairs { "submit", "generate", "preview", "poll", "cancel" } do
    if path:find("/" .. verb .. "$") then return "submit" end
  end
  return "operate"
end

local function forbids(answer, role, name)
  assert.equal(403, answer.status, answer.body)
  assert.truthy(answer.json.detail:find("needs the role " .. role, 1, true), answer.json.detail)
  assert.truthy(answer.json.detail:find("'" .. name .. "'", 1, true), answer.json.detail)
end

describe("the router", function()
  it("has a role for each route, the documented one", function()
    local rows = routes()
    assert.is_true(#rows >= 42)
    for _, route in ipairs(rows) do assert.equal(documented(route), route.role, route.method .. " " .. route.pattern) end
  end)

  it("has a scope for each route: what names a job shows that job, what is everybody's says so", function()
    for _, route in ipairs(routes()) do
      local path, scope = route.pattern, "host"
      if path:find("^/api/jobs/status/") or path:find("^/api/jobs/logs/") or path:find("^/api/jobs/%*")
        or path:find("^/v1/images/placeholders/") then
        scope = "job"
      end
      if documented(route) == "operate" and path:find("/hooks/", 1, true) or path == "/metrics" or path == "/api/logs"
        or path:find("^/api/approvals") then
        scope = "all"
      end
      assert.equal(scope, route.scope, route.method .. " " .. path)
    end
  end)
end)

describe("a key with one role", function()
  local host, job

  setup(function()
    local entries = { keys.entry("everything") }
    for _, role in ipairs(ROLES) do entries[#entries + 1] = keys.entry("only-" .. role, { may = { role } }) end
    host = start { config = { server = { api_keys = entries, threads = 64 }, hooks = { enabled = true } } }
    job = host:post("/api/providers/image/fal/submit", { prompt = "x" }, keys.headers("everything")).json.job_id
  end)
  teardown(function() host:remove() end)

  local function path_of(route)
    local path = route.pattern:gsub("/%*/(%a+)$", function(verb)
      local gpu = route.pattern:find("/gpu/", 1, true) and "runpod" or route.pattern:find("/image/", 1, true) and "fal"
      if route.pattern:find("/api/jobs", 1, true) then return "/" .. job .. "/" .. verb end
      if route.pattern:find("/webhooks/", 1, true) then return "/hook_0000000000000001/" .. verb end
      return "/" .. (gpu or "runway") .. "/" .. verb
    end)
    path = path:gsub("/api/jobs/%*", "/api/jobs/" .. job):gsub("(status/)%*", "%1" .. job):gsub("(logs/)%*", "%1" .. job)
    return (path:gsub("/artifacts/%*", "/artifacts/0"):gsub("%*", "x"))
  end

  -- The head is enough: streams go on.
  local function status_of(route, name)
    local client = http.connect(host.port)
    client:send(route.method, path_of(route), route.method ~= "GET" and "{}" or nil, keys.headers(name))
    local line = client.socket:receive("*l")
    client:close()
    return tonumber(line:match("^HTTP/1.1 (%d+)"))
  end

  for _, route in ipairs(routes()) do
    it("may do what its role says: " .. route.method .. " " .. route.pattern, function()
      for _, role in ipairs(ROLES) do
        local status = status_of(route, "only-" .. role)
        if route.role == role or route.role == "nobodys" then
          assert.is_true(status ~= 403 and status ~= 401, role .. ": " .. status)
        else
          assert.equal(403, status, role)
        end
      end
      assert.is_true(status_of(route, "everything") ~= 403)
      if route.role ~= "nobodys" then assert.equal(401, status_of(route, "nobody")) end
    end)
  end

  it("is told which role is missing, and whose it is", function()
    forbids(host:post("/api/live/stop", {}, keys.headers("only-read")), "operate", "only-read")
    local resolution = { status = "error", cost_usd = 0 }
    forbids(host:post("/api/jobs/" .. job .. "/resolve", resolution, keys.headers("only-submit")), "operate", "only-submit")
    forbids(host:get("/api/jobs/list", keys.headers("only-operate")), "read", "only-operate")
    assert.is_false(host:get("/api/live", keys.headers("everything")).json.stopped)
  end)

  it("needs live for \"dry_run\": false, of every kind", function()
    host:write("config/comfyvn.json", (host:read("config/comfyvn.json"):gsub('"only%-live"', '"only-live"'):gsub(
      '"may":%["submit"%]', '"may":["submit","read"]')))
    host:eventually(function() return host:get("/api/live", keys.headers("only-submit")).status == 200 end)
    local key = keys.headers("only-submit")
    local body = { prompt = "x", dry_run = false, provider = "fal" }
    forbids(host:post("/api/providers/image/fal/submit", body, key), "live", "only-submit")
    forbids(host:post("/api/providers/image/generate", body, key), "live", "only-submit")
    forbids(host:post("/api/providers/image/fal/health", { dry_run = false }, key), "live", "only-submit")
    local gpu = { job = { endpoint_id = "a", input = {} }, dry_run = false }
    forbids(host:post("/api/providers/gpu/public/runpod/submit", gpu, key), "live", "only-submit")
    assert.equal(200, host:post("/api/providers/image/fal/submit", { prompt = "x", dry_run = true }, key).status)
    assert.equal(200, host:post("/api/providers/image/fal/submit", body, keys.headers("everything")).status)
  end)

  it("does not see the webhooks of an operator", function()
    assert.equal(201, host:post("/api/modder/hooks/webhooks", { url = "https://ops.example/in", events = { "*" } },
      keys.headers("everything")).status)
    assert.is_nil(host:get("/api/modder/hooks", keys.headers("only-read")).body:find("ops.example", 1, true))
    assert.truthy(host:get("/api/modder/hooks", keys.headers("everything")).body:find("ops.example", 1, true))
  end)
end)

describe("a key that sees its own jobs", function()
  local host, jobs
  local made = { alice = 3, bob = 3 } -- jobs so far
  local NAMES = { "alice", "bob" }
  local TEXT = { alice = "a secret of alice", bob = "a secret of bob" }

  setup(function()
    local budget = { per_day = 1, per_month = 1 }
    host = start { config = { server = { threads = 64, api_keys = {
      keys.entry("alice", { sees = "own", budget_usd = budget }), keys.entry("bob", { sees = "own" }), keys.entry("boss"),
    } } } }
    jobs = {}
    for _, name in ipairs(NAMES) do
      for i = 1, 3 do
        local answer = host:post("/api/providers/image/fal/submit", { prompt = TEXT[name] .. i }, keys.headers(name,
          { ["Idempotency-Key"] = "same-" .. i }))
        assert.equal(200, answer.status, answer.body)
        jobs[name] = answer.json.job_id
      end
    end
  end)
  teardown(function() host:remove() end)

  local function other(name) return name == "alice" and "bob" or "alice" end

  for _, name in ipairs(NAMES) do
    it("lists them only, by every filter and page: " .. name, function()
      local key = keys.headers(name)
      for _, path in ipairs { "list", "all", "list?status=done", "list?kind=image", "list?provider=fal",
        "list?since=2020-01-01" } do
        local answer = host:get("/api/jobs/" .. path, key)
        assert.equal(made[name], #answer.json.tasks, path)
        assert.is_nil(answer.body:find(TEXT[other(name)], 1, true), path)
        assert.truthy(answer.body:find(TEXT[name], 1, true), path)
      end
      local first = host:get("/api/jobs/list?limit=2", key).json
      assert.equal(2, #first.tasks)
      local second = host:get("/api/jobs/list?limit=2&cursor=" .. first.next, key).json
      assert.equal(math.min(made[name] - 2, 2), #second.tasks)
      assert.equal(made.alice + made.bob, #host:get("/api/jobs/list", keys.headers("boss")).json.tasks)
    end)

    it("finds others' no more than jobs that are not there: " .. name, function()
      local foreign, key = jobs[other(name)], keys.headers(name)
      for _, route in ipairs(routes()) do
        if route.scope == "job" then
          local path = route.pattern:gsub("%*", foreign, 1):gsub("%*", "0")
          local unknown = route.pattern:gsub("%*", "01a20000-0000-7000-8000-000000000000", 1):gsub("%*", "0")
          local answer = host:request(route.method, path, route.method == "POST" and "{}" or nil, key)
          local absent = host:request(route.method, unknown, route.method == "POST" and "{}" or nil, key)
          assert.equal(404, answer.status, path)
          assert.equal(absent.json.detail, answer.json.detail, path)
        end
      end
      assert.equal(404, host:post("/api/providers/image/fal/poll", { job_id = foreign }, key).status)
      assert.equal(200, host:post("/api/providers/image/fal/poll", { job_id = jobs[name] }, key).status)
      assert.equal(200, host:get("/api/jobs/status/" .. jobs[name], key).status)
      assert.equal(200, host:get("/api/jobs/status/" .. foreign, keys.headers("boss")).status)
    end)

    it("follows their events only: " .. name, function()
      local key = keys.headers(name)
      for _, path in ipairs { "/api/events/history?limit=500", "/api/modder/hooks/history?limit=500", "/api/modder/hooks" } do
        local answer = host:get(path, key)
        assert.equal(200, answer.status)
        local events = answer.json.events or answer.json.history
        assert.equal(made[name], #events, path)
        assert.is_nil(answer.body:find(TEXT[other(name)], 1, true), path)
      end
      assert.equal(0, #host:get("/api/events/history?job=" .. jobs[other(name)], key).json.events)
      assert.equal(0, #host:get("/api/events/history?type=host.*", key).json.events)
      local client = http.connect(host.port, 20)
      client:send("GET", "/api/events?since=0", nil, key)
      host:post("/api/providers/image/fal/submit", { prompt = "later, " .. TEXT[other(name)] }, keys.headers(other(name)))
      host:post("/api/providers/image/fal/submit", { prompt = "last " .. TEXT[name] }, key)
      made.alice, made.bob = made.alice + 1, made.bob + 1
      local text = ""
      repeat text = text .. assert(client.socket:receive("*l")) .. "\n" until text:find("last " .. TEXT[name], 1, true)
      client:close()
      assert.is_nil(text:find(TEXT[other(name)], 1, true))
      assert.truthy(text:find(TEXT[name] .. "1", 1, true))
    end)

    it("sees its own account only: " .. name, function()
      local answer = host:get("/api/budget", keys.headers(name))
      assert.equal(1, #answer.json.api_keys)
      assert.equal(name, answer.json.api_keys[1].name)
      assert.same({}, answer.json.providers)
      assert.is_nil(answer.body:find('"' .. other(name) .. '"', 1, true))
      local live = host:get("/api/live", keys.headers(name)).json
      assert.equal(exact.null, live.jobs)
      assert.equal(name == "alice" and 1 or exact.null, live.today.limit_usd)
      assert.equal(403, host:get("/metrics", keys.headers(name)).status)
      assert.equal(403, host:get("/api/modder/hooks/webhooks", keys.headers(name)).status)
      assert.equal(403, host:post("/api/modder/hooks/test", {}, keys.headers(name)).status)
    end)
  end

  it("shares no idempotency key with another", function()
    assert.not_equal(jobs.alice, jobs.bob)
    local body = { prompt = "the same" }
    local function submit(name)
      local headers = keys.headers(name, { ["Idempotency-Key"] = "shared" })
      return host:post("/api/providers/image/fal/submit", body, headers).json.job_id
    end
    local alices = submit("alice")
    assert.not_equal(alices, submit("bob"))
    assert.equal(alices, submit("alice"))
  end)

  it("keeps them after a restart", function()
    host:stop()
    host:start_again()
    assert.equal(200, host:get("/api/jobs/status/" .. jobs.alice, keys.headers("alice")).status)
    assert.equal(404, host:get("/api/jobs/status/" .. jobs.alice, keys.headers("bob")).status)
  end)

  it("loses a stream when the configuration takes from it what it sees", function()
    local client = http.connect(host.port, 60)
    client:send("GET", "/api/events", nil, keys.headers("boss"))
    assert.equal("HTTP/1.1 200 OK", client.socket:receive("*l"))
    local text = host:read("config/comfyvn.json")
    host:write("config/comfyvn.json", (text:gsub('"name":"boss"', '"name":"boss","sees":"own"')))
    local all = client.socket:receive("*a")
    client:close()
    assert.truthy(all:find("what this API key sees has changed", 1, true))
  end)
end)

describe("server.api_keys", function()
  local WRONG = {
    { { may = { "reed" } }, 'may%[0%]: is no role; did you mean "read"' }, { { may = { "root" } }, "is no role" },
    { { may = {} }, "must name at least one role" }, { { may = "read" }, "expected a list of roles" },
    { { may = { 1 } }, "expected text" }, { { sees = "mine" }, 'expected "all" or "own"' }, { { sees = true }, "expected text" },
    { { mya = { "read" } }, 'did you mean "may"' },
  }
  for _, case in ipairs(WRONG) do
    it("is refused: " .. case[2], function()
      local entry = keys.entry("a", case[1])
      if entry.may and #entry.may == 0 and type(entry.may) == "table" then
        local config = ('{"server":{"api_keys":[{"name":"a","sha256":"%s","may":[]}]}}'):format(entry.sha256)
        local ok, problem = pcall(start, { config = config })
        assert.is_false(ok)
        assert.matches(case[2], problem)
        return
      end
      local ok, problem = pcall(start, { config = { server = { api_keys = { entry } } } })
      assert.is_false(ok)
      assert.matches("server%.api_keys%[0%]", problem)
      assert.matches(case[2], problem)
    end)
  end
end)
