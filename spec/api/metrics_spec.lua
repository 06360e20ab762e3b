-- The figures at /metrics: the format, what is counted, and that no client can make labels.
local event_stream = require "spec.support.event_stream"
local host = require "spec.support.host"
local prometheus = require "spec.support.prometheus"
local providers = require "spec.support.providers"
local script_text = require "spec.support.script_text"

local value = prometheus.value

describe("the metrics", function()
  local served
  before_each(function() served = host.start { scripts = true } end)
  after_each(function() served:remove() end)

  local function read()
    local answer = served:get("/metrics")
    assert.equal(200, answer.status)
    assert.equal("text/plain; version=0.0.4; charset=utf-8", answer.headers["content-type"])
    return prometheus.read(answer.body), answer.body
  end

  it("are in Prometheus' text format, also by its own tool if that is there", function()
    for _, provider in ipairs(providers) do providers.submit(served, provider) end
    served:get("/nowhere")
    local _, text = read()
    local said = prometheus.promtool(text)
    if said then assert.equal("", said) end
  end)

  it("count requests by route and status, and their times", function()
    for _ = 1, 3 do providers.submit(served, providers.fal) end
    served:get("/api/jobs/status/01234567-89ab-7def-8123-456789abcdef")
    served:post("/api/providers/image/fal/submit", "{")
    local requests, families = "providerd_http_requests_total", nil
    served:eventually(function() -- a request is counted after its answer has gone
      families = read()
      assert.equal(3, value(families, requests, { route = "/api/providers/image/*/submit", method = "POST", status = "200" }))
      assert.equal(1, value(families, requests, { route = "/api/providers/image/*/submit", status = "400" }))
      return true
    end)
    assert.equal(1, value(families, requests, { route = "/api/jobs/status/*", method = "GET", status = "404" }))
    local times = "providerd_http_request_duration_seconds"
    assert.equal(4, value(families, times, { route = "/api/providers/image/*/submit" }, times .. "_count"))
    local sum = value(families, times, { route = "/api/providers/image/*/submit" }, times .. "_sum")
    assert.is_true(sum > 0 and sum < 60)
  end)

  it("have one series for a route that takes several methods", function()
    local path = "/api/modder/hooks/webhooks"
    served:get(path)
    served:post(path, {})
    served:request("DELETE", path, {})
    served:get(path .. "/hook_1")
    served:request("DELETE", path .. "/hook_1")
    local times, families = "providerd_http_request_duration_seconds", nil
    served:eventually(function()
      families = read()
      return value(families, times, { route = path .. "/*" }, times .. "_count") == 2
        and value(families, times, { route = path }, times .. "_count") == 3
    end)
    for _, method in ipairs { "GET", "POST", "DELETE" } do
      assert.equal(1, value(families, "providerd_http_requests_total", { route = path, method = method }))
    end
    assert.is_true(value(families, times, { route = path }, times .. "_sum") > 0)
  end)

  it("have no label that a client made up", function()
    served:get("/made-up-path")
    served:get("/api/jobs/status/made-up-id")
    served:get("/api/events/history?type=made-up")
    served:request("BREW", "/api/jobs/list")
    served:raw("GET /made-up HTTP/9.9\r\n\r\n", { timeout = 5 })
    served:raw("GET /made-up HTTP/1.1\r\nHost: made-up.example\r\n\r\n", { timeout = 5, half_close = true })
    local text
    served:eventually(function()
      local families
      families, text = read()
      assert.equal(1, value(families, "providerd_http_requests_total", { route = "none", status = "404" }))
      assert.equal(1, value(families, "providerd_http_requests_total", { route = "none", status = "421" }))
      return true
    end)
    assert.is_nil(text:find("made-up", 1, true))
    assert.is_nil(text:find("BREW", 1, true))
  end)

  it("count tasks by provider and status, and events", function()
    for _ = 1, 2 do providers.submit(served, providers.fal) end
    providers.submit(served, providers.luma)
    local families = read()
    assert.equal(2, value(families, "providerd_tasks_total", { kind = "image", provider = "fal", status = "done" }))
    assert.equal(1, value(families, "providerd_tasks_total", { kind = "video", provider = "luma", status = "done" }))
    assert.equal(3, value(families, "providerd_event_newest"))
  end)

  it("count the streams that are open", function()
    assert.equal(0, value(read(), "providerd_event_streams"))
    local stream = event_stream.open(served, "/api/events")
    assert.equal(1, value(read(), "providerd_event_streams"))
    stream:close()
    served:eventually(function() return value(read(), "providerd_event_streams") == 0 end)
    assert.equal(1, value(read(), "providerd_http_requests_total", { route = "/api/events", status = "200" }))
  end)

  it("tell of the engine, the store, and each script's memory", function()
    providers.submit(served, providers.fal)
    local families = read()
    assert.equal(0, value(families, "providerd_engine_queue"))
    assert.equal(0, value(families, "providerd_store_queue"))
    assert.equal(0, value(families, "providerd_engine_wait_seconds", nil, "providerd_engine_wait_seconds_count")) -- live ones
    assert.equal(0, value(families, "providerd_calls_waiting"))
    assert.equal(1, value(families, "providerd_script_instances", { provider = "fal" }))
    assert.is_true(value(families, "providerd_script_memory_bytes", { provider = "fal" }) > 10000)
    assert.equal(0, value(families, "providerd_script_stops_total", { provider = "fal" }))
    assert.equal(0, value(families, "providerd_webhook_backlog"))
  end)

  it("count reloads, and files that were rejected", function()
    served:write("providers/image_fal.lua", served:read("providers/image_fal.lua") .. "\n")
    local function count(file, result)
      return value(read(), "providerd_reloads_total", { file = file, result = result })
    end
    served:eventually(function() return count("script", "ok") == 1 end)
    served:write("providers/image_fal.lua", "nonsense")
    served:eventually(function() return count("script", "rejected") == 1 end)
    served:write("config/comfyvn.json", [[{ "server": { "threads": 16 }, "features": { "enable_public_gpu": true } }]])
    served:eventually(function() return count("config", "ok") == 1 end)
  end)

  it("count scripts that are stopped", function()
    served:write("providers/image_loop.lua", script_text.provider("loop", { prepare = "while true do end" }))
    local stops = "providerd_script_stops_total"
    served:eventually(function() return value(read(), stops, { provider = "loop" }) == 0 end)
    served:post("/api/providers/image/loop/submit", { prompt = "x" })
    assert.equal(1, value(read(), stops, { provider = "loop" }))
  end)

  it("need an API key when there are any", function()
    local keyed = host.start { config = { server = { api_keys = { { name = "one", sha256 = ("ab"):rep(32) } } } } }
    finally(function() keyed:remove() end)
    assert.equal(401, keyed:get("/metrics").status)
  end)
end)

describe("the reader of the specs itself", function()
  for name, text in pairs {
    ["a sample without a family"] = "a 1\n",
    ["a sample twice"] = "# HELP a_total x\n# TYPE a_total counter\na_total{b=\"c\"} 1\na_total{b=\"c\"} 2\n",
    ["a bad escape"] = "# HELP a x\n# TYPE a gauge\na{b=\"\\x\"} 1\n",
    ["a value that is none"] = "# HELP a x\n# TYPE a gauge\na one\n",
    ["a histogram without +Inf"] = "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
    ["a family torn apart"] = "# HELP a x\n# TYPE a gauge\na 1\n# HELP b x\n# TYPE b gauge\na{c=\"d\"} 1\n",
    ["a last line without an end"] = "# HELP a x\n# TYPE a gauge\na 1",
  } do
    it("refuses " .. name, function() assert.has_error(function() prometheus.read(text) end) end)
  end
end)
