-- W3C Trace Context: what a client's traceparent becomes.
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local support = require "spec.support.live"

local ID = "4bf92f3577b34da6a3ce929d0e0e4736"
local GOOD = "00-" .. ID .. "-00f067aa0ba902b7-01"

local function submit(served, traceparent)
  return served:post("/api/providers/image/fal/submit", { prompt = "a cat" }, { traceparent = traceparent }).json
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
    local live = support.start { config = function(config) config.live.trace = true end }
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
end)
