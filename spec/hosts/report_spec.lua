-- Each host tells of all that use its registry: in /api/host, in /metrics, in /readyz, and in a terminal.
local clock = require "spec.support.clock"
local hosts = require "spec.support.hosts"
local postgres = require "spec.support.postgres"
local prometheus = require "spec.support.prometheus"
local program = require "spec.support.host"

local LEASE = 3

postgres.describe("hosts that use one registry", function()
  local all
  before_each(function()
    all = hosts.start { simulate = { "--fault", "replicate:never_ending:1" }, config = function(config, number)
      config.registry.lease_seconds = LEASE
      if number == 3 then config.live.providers.fal.rate_per_minute = 7 end
    end }
  end)
  after_each(function() all:remove() end)

  local function report(number) return all[number].host:get("/api/host").json end

  -- What a host says once it has seen so many.
  local function sees(number, count)
    return all[number].host:eventually(function()
      local told = report(number)
      return #told.hosts == count and told
    end)
  end

  local function metric(number, name)
    return prometheus.value(prometheus.read(all[number].host:get("/metrics").body), name)
  end

  it("are all told of, with signs of life and jobs, and who is gone is not", function()
    local job = all[1]:job("replicate")
    all[1]:becomes(job, "running")
    all[2].host:eventually(function()
      local told = sees(2, 2)
      local jobs = 0
      for i, one in ipairs(told.hosts) do
        assert.equal(i - 1, one.slot)
        assert.equal(LEASE, one.lease_seconds)
        assert.equal(told.version, one.version)
        assert.is_true(one.beat_age_ms < 1000 * LEASE)
        assert.is_false(one.config_differs)
        jobs = jobs + one.jobs
      end
      assert.is_true(told.registry.shared)
      assert.is_false(told.hosts[1].self)
      assert.is_true(told.hosts[2].self)
      return jobs == 1 and told.hosts[1].jobs == 1
    end)
    local figures = all[2].host:get("/metrics").body
    assert.truthy(figures:find("\nproviderd_hosts 2\n", 1, true))
    assert.truthy(figures:find('providerd_host_jobs{host="[^"]+",slot="0"} 1\n'))
    assert.truthy(figures:find("\nproviderd_registry_up 1\n", 1, true))
    assert.truthy(figures:find('providerd_registry_commit_seconds_bucket{le="[%d.]+"} '))
    all[1].host:kill()
    local told = sees(2, 1)
    assert.equal(1, told.registry.declared_dead)
    assert.equal(1, metric(2, "providerd_hosts_declared_dead_total"))
    all[2].host:eventually(function() return report(2).hosts[1].jobs == 1 end)
  end)

  it("say when their settings differ, and are ready all the same", function()
    all:add()
    sees(1, 3)
    local ready = all[1].host:eventually(function()
      local answer = all[1].host:get("/readyz")
      return answer.body:find("other settings in `live` or `features`", 1, true) and answer
    end)
    assert.equal(200, ready.status)
    assert.equal(1, metric(1, "providerd_hosts_differing"))
    assert.equal(2, metric(3, "providerd_hosts_differing"))
    local code, out = program.run { "hosts", "--base", "http://127.0.0.1:" .. all[1].host.port }
    assert.equal(0, code)
    local _, lines = out:gsub("\n", "")
    assert.equal(4, lines, out)
    assert.truthy(out:find("(asked)", 1, true), out)
    local _, differing = out:gsub("differs\n", "")
    assert.equal(1, differing, out)
  end)

  it("say when their clocks are apart, and go by the registry's", function()
    local shifted = clock.new()
    if not shifted then return pending "no clock can be shifted under a sanitizer" end
    all.options.env = shifted.env
    shifted:wall(3600)
    all:add()
    local ready = all[3].host:eventually(function()
      local answer = all[3].host:get("/readyz")
      return answer.body:find("clock is 36%d%d%.%d s ahead of the registry's") and answer
    end)
    assert.equal(200, ready.status)
    assert.is_true(math.abs(metric(3, "providerd_registry_clock_seconds") + 3600) < 60)
    local job = all[3].host:post("/api/providers/image/fal/submit", { prompt = "x" }).json.job_id
    local since = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 600)
    local later = all[1].host:get("/api/jobs/list?since=" .. since).json.tasks
    assert.equal(0, #later)
    assert.equal(200, all[1].host:get("/api/jobs/status/" .. job).status)
  end)
end)

describe("a host on a registry of its own", function()
  it("is the only one", function()
    local host = program.start {}
    local told = host:get("/api/host").json
    assert.is_false(told.registry.shared)
    assert.equal(1, #told.hosts)
    assert.is_true(told.hosts[1].self)
    assert.equal(0, told.hosts[1].beat_age_ms)
    assert.truthy(host:get("/metrics").body:find("\nproviderd_hosts 1\n", 1, true))
    assert.same({}, host:get("/readyz").json.problems)
    host:remove()
  end)
end)
