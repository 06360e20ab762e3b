-- W3C Trace Context: what a client's traceparent becomes.
local cjson = require "cjson"
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local support = require "spec.support.live"

local ID = "4bf92f3577b34da6a3ce929d0e0e4736"
local GOOD = "00-" .. ID .. "-00f067aa0ba902b7-01"

local function submit(served, traceparent)
  return served:post("/api/providers/image/fal/submit", { prompt = "a cat" }, { traceparent = traceparent }).json
end

-- The log's line of a step of a live job.
local function step(served, verb, job)
  return served:eventually(function()
    for line in served:log():gmatch("[^\n]+") do
      if line:find("public%.%a+%." .. verb .. " ") and line:find(job, 1, true) then return line end
    end
  end)
end

describe("traceparent", function()
  local served
  setup(function() served = host.start { config = { live = { trace = true } } } end)
  teardown(function() served:remove() end)

  local function logged(request_id)
    return served:eventually(function() return served:log():match("[^\n]*request_id=" .. request_id .. "[^\n]*") end)
  end

  local function log_line(traceparent)
    local answer = served:post("/api/providers/image/fal/submit", { prompt = "a cat" }, { traceparent = traceparent })
    return logged(answer.headers["x-request-id"])
  end

  it("is logged, and in the preview when it is passed on", function()
    assert.truthy(log_line(GOOD):find("traceparent=" .. GOOD, 1, true))
    assert.equal(GOOD, submit(served, GOOD).upstream.headers.traceparent)
  end)

  it("has no white space around it", function()
    assert.equal(GOOD, submit(served, "  " .. GOOD .. "  ").upstream.headers.traceparent)
  end)

  it("of a later version is taken as far as it is known", function()
    assert.equal(GOOD, submit(served, "cc" .. GOOD:sub(3) .. "-what-comes-later").upstream.headers.traceparent)
  end)

  for name, value in pairs {
    ["too short"] = GOOD:sub(1, -2), ["too long"] = GOOD .. "-00", ["in capitals"] = GOOD:upper(),
    ["all zero"] = "00-" .. ("0"):rep(32) .. "-00f067aa0ba902b7-01", ["of version ff"] = "ff" .. GOOD:sub(3),
    ["without a parent"] = "00-" .. ID .. "-" .. ("0"):rep(16) .. "-01", ["something else"] = ("x"):rep(55),
  } do
    it("that is " .. name .. " counts as absent", function()
      assert.is_nil(submit(served, value).upstream.headers.traceparent)
      assert.is_nil(log_line(value):find("traceparent", 1, true))
    end)
  end

  it("is not passed on unless the operator says so", function()
    local shipped = host.start()
    finally(function() shipped:remove() end)
    assert.is_nil(submit(shipped, GOOD).upstream.headers.traceparent)
    assert.is_nil(providers.submit(shipped, providers.fal).upstream.headers.traceparent)
  end)

  it("reaches the vendor with the requests of a live job", function()
    local live = support.start { hurry = 8, config = function(config) config.live.trace = true end }
    finally(function() live:remove() end)
    local answer = live:submit("luma", nil, { traceparent = GOOD })
    assert.equal(202, answer.status)
    assert.equal(GOOD, answer.json.upstream.headers.traceparent)
    live:ended(answer.json.job_id)
    local seen = 0
    for _, request in ipairs(live.simulator:get("/journal").json.requests) do
      if request.traceparent == GOOD then seen = seen + 1 end
    end
    assert.is_true(seen >= 2, "the submit and a poll")
  end)

  it("of a live job is there after a restart: in its polls, its cancel, and the log", function()
    local live = support.start { hurry = 8, simulate = { "--fault", "replicate:never_ending:1" },
      config = function(config) config.live.trace = true end }
    finally(function() live:remove() end)
    local traced = live:job("replicate", nil, { traceparent = GOOD })
    local plain = live:job("replicate")
    for _, job in ipairs { traced, plain } do
      live.host:eventually(function() return live:status(job).vendor_id end)
    end
    live.host:kill()
    local before = #live.simulator:get("/journal").json.requests
    live.host:start_again()
    for _, job in ipairs { traced, plain } do
      live.host:post(live:path("replicate", "poll"), { job_id = job, refresh = true })
      assert.equal(200, live.host:post("/api/jobs/" .. job .. "/cancel").status)
      assert.equal("canceled", live:becomes(job, "canceled").status)
    end
    local function traces_of(job, method)
      local traces, path = {}, "/predictions/" .. live:status(job).vendor_id
      for i, request in ipairs(live.simulator:get("/journal").json.requests) do
        if i > before and request.method == method and request.path:find(path, 1, true) then
          traces[request.traceparent == GOOD and "its own" or request.traceparent == cjson.null and "none" or "another"] = true
        end
      end
      return traces
    end
    for _, method in ipairs { "GET", "POST" } do
      assert.same({ ["its own"] = true }, traces_of(traced, method))
      assert.same({ none = true }, traces_of(plain, method))
    end
    for _, verb in ipairs { "canceled", "settled" } do
      assert.truthy(step(live.host, verb, traced):find("traceparent=" .. GOOD, 1, true))
    end
    assert.is_nil(step(live.host, "settled", plain):find("traceparent", 1, true))
  end)

  it("of a live job is only logged where it is not to be passed on", function()
    local live = support.start { hurry = 8 }
    finally(function() live:remove() end)
    local job = live:job("fal", nil, { traceparent = GOOD })
    live:ended(job)
    assert.truthy(step(live.host, "settled", job):find("traceparent=" .. GOOD, 1, true))
    for _, request in ipairs(live.simulator:get("/journal").json.requests) do assert.not_equal(GOOD, request.traceparent) end
  end)
end)
