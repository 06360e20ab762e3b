-- Nothing that was answered is lost: the registry after SIGTERM, after SIGKILL, and after SIGKILL in the midst of
-- submits. And one host per home, one per port.
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local function has_job(served, id)
  return served:get("/api/jobs/status/" .. id).status == 200
end

local function submit_to_all(served)
  local ids = {}
  for _, provider in ipairs(providers) do ids[#ids + 1] = providers.submit(served, provider).job_id end
  return ids
end

describe("a registry", function()
  local served
  before_each(function() served = host.start() end)
  after_each(function() served:remove() end)

  for _, ending in ipairs { "stop", "kill" } do
    it("is the same after a restart by " .. ending, function()
      submit_to_all(served)
      local before = served:get("/api/jobs/list").body
      local code = served[ending](served)
      assert.equal(ending == "stop" and 0 or 137, code)
      served:start_again()
      assert.equal(before, served:get("/api/jobs/list").body)
      local newer = providers.submit(served, providers.fal).job_id
      assert.equal(newer, served:get("/api/jobs/list").json.tasks[1].job_id)
    end)
  end

  -- Submits on several connections at once; some are on their way when the host is killed.
  local function submit_until_killed(rounds)
    local clients, answered = {}, {}
    for i = 1, 8 do clients[i] = served:connect() end
    local function send()
      for i, client in ipairs(clients) do
        local provider = providers[i]
        client:send("POST", providers.path(provider, "submit"), providers.body(provider))
      end
    end
    for _ = 1, rounds do
      send()
      for _, client in ipairs(clients) do answered[#answered + 1] = client:receive().json.job_id end
    end
    send()
    served:kill()
    for _, client in ipairs(clients) do
      local ok, answer = pcall(client.receive, client)
      if ok and answer.status == 200 then answered[#answered + 1] = answer.json.job_id end
      client:close()
    end
    return answered
  end

  it("has every job that was answered when the host is killed in the midst of submits", function()
    local answered = {}
    for round = 1, 4 do
      for _, id in ipairs(submit_until_killed(round * 5)) do answered[#answered + 1] = id end
      served:start_again()
    end
    assert.is_true(#answered >= 8 * (5 + 10 + 15 + 20))
    for _, id in ipairs(answered) do assert.is_true(has_job(served, id), id) end
  end)

  it("has no job twice after that", function()
    submit_until_killed(5)
    served:start_again()
    local seen = {}
    for _, task in ipairs(served:get("/api/jobs/list?limit=500").json.tasks) do
      assert.is_nil(seen[task.job_id])
      seen[task.job_id] = true
    end
  end)
end)

describe("a second host", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  it("on the same home refuses to start and says so", function()
    local code, out, err = host.run { "serve", "--home", served.home, "--listen", "127.0.0.1:0" }
    assert.equal(1, code)
    assert.truthy(err:find("another host runs on this home", 1, true), err)
    assert.is_nil(out:find("listens on", 1, true))
    assert.equal(200, served:get("/healthz").status)
    assert.is_true(has_job(served, providers.submit(served, providers.fal).job_id))
  end)

  it("on the same port refuses to start and says so", function()
    local other = host.start()
    finally(function() other:remove() end)
    other:stop()
    local code, _, err = host.run { "serve", "--home", other.home, "--listen", "127.0.0.1:" .. served.port }
    assert.equal(1, code)
    assert.truthy(err:find(":" .. served.port, 1, true), err)
    assert.truthy(err:lower():find("in use", 1, true) or err:find("taken", 1, true), err)
    assert.equal(200, served:get("/healthz").status)
  end)
end)

describe("a host", function()
  it("starts on an empty home, all off, and makes what it needs", function()
    local served = host.start { config = "" }
    finally(function() served:remove() end)
    local answer = providers.submit(served, providers.stability)
    assert.is_false(answer.ok)
    assert.is_false(answer.feature.enabled)
    assert.is_true(has_job(served, answer.job_id))
  end)

  for _, name in ipairs { "TERM", "INT" } do
    it("ends with 0 on SIG" .. name .. ", and no connection keeps it", function()
      local served = host.start()
      finally(function() served:remove() end)
      local client = served:connect()
      client:request("GET", "/healthz")
      assert.is_true(served:signal(name))
      assert.equal(0, served:stop())
      client:close()
    end)
  end
end)
