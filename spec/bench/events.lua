-- events.lua - the events' part of `make bench`: a thousand subscribers, how late an event is at them, and whether all else
-- suffers.
--
--   BENCH_SUBSCRIBERS=1000  BENCH_EVENTS=100 (at BENCH_EVENTS_PER_SECOND=10)
local Host = require "spec.support.host"
local measure = require "spec.bench.measure"
local report = require "spec.bench.report"
local socket = require "socket"

local SUBSCRIBERS = tonumber(os.getenv("BENCH_SUBSCRIBERS") or 1000)
local EVENTS = tonumber(os.getenv("BENCH_EVENTS") or 100)
local PER_SECOND = tonumber(os.getenv("BENCH_EVENTS_PER_SECOND") or 10)
local PROGRAM = os.getenv("SUBSCRIBERS") or "build/bench-subscribers"
local BODY = '{"prompt":"a lighthouse at dusk"}'

local events = {}

-- Submits to one host at a steady pace and asks it, or a second one, for other things in between; the p99 of those in
-- milliseconds.
local function pace(host, asked)
  local submitter, client, times = host:connect(), asked:connect(), {}
  local began = socket.gettime()
  for i = 1, EVENTS do
    submitter:request("POST", "/api/providers/image/fal/submit", BODY)
    while socket.gettime() < began + i / PER_SECOND do
      for _, path in ipairs { "/api/jobs/list?limit=5", "/api/providers/image/catalog", "/healthz" } do
        local sent = socket.gettime()
        client:request("GET", path)
        times[#times + 1] = socket.gettime() - sent
      end
      if #times % 900 == 0 then client = asked:connect() end
      socket.sleep(0.005)
    end
  end
  return measure.percentile(times, 0.99) * 1000, #times
end

-- The same pace while a thousand follow: also how long the events took, and the memory with all streams open.
local function pace_followed(host, asked)
  host:eventually(function() return host:get("/metrics").body:match("\nproviderd_event_streams 0\n") end)
  local pipe = io.popen(("%s %d %d %f"):format(PROGRAM, host.port, SUBSCRIBERS, EVENTS / PER_SECOND + 2))
  local ready = pipe:read("l")
  assert(ready == "ready", ready)
  local memory = measure.memory(host.pid)
  local routes, count = pace(host, asked)
  local output = pipe:read("a")
  pipe:close()
  local deliveries, p50, p99, worst = output:match("deliveries=(%d+) p50=([%d.]+) p99=([%d.]+) worst=([%d.]+)")
  assert(tonumber(deliveries) == SUBSCRIBERS * EVENTS, output)
  return {
    routes = routes, asked = count, memory = memory,
    deliveries = deliveries, p50 = p50, p99 = tonumber(p99), worst = worst,
  }
end

--- Measures. A thousand clients take their share of the cores themselves, so the
-- other routes are also asked at a second host without streams, while the first one streams: what differs is what streams cost
-- their host.
function events.subscribers()
  local config = { server = { threads = SUBSCRIBERS * 3 // 2, max_streams = SUBSCRIBERS } }
  local host, second = Host.start { config = config }, Host.start { config = config }
  local alone, idle = pace(host, host), measure.memory(host.pid)
  local own, neighbour = pace_followed(host, host), pace_followed(host, second)
  local took = ("p99 of %s deliveries (p50 %s, worst %s ms)"):format(own.deliveries, own.p50, own.worst)
  report.line("commit to client, " .. took, "%.1f ms", own.p99, 50)
  report.line("other routes, p99 without streams", "%.1f ms", alone)
  report.line(("other routes, p99 of %d beside %d streams"):format(own.asked, SUBSCRIBERS), "%.1f ms", own.routes)
  report.line("the same at a second host without streams, meanwhile", "%.1f ms", neighbour.routes)
  report.line("what the streams add to it", "%.1f ms", own.routes - neighbour.routes, 0.3)
  local idle_threads = ("%d threads idle: %.1f MB"):format(config.server.threads, idle)
  report.line(("memory with %d streams (%s)"):format(SUBSCRIBERS, idle_threads), "%.1f MB", own.memory)
  report.line("memory after the events", "%.1f MB", measure.memory(host.pid))
  host:remove()
  second:remove()
end

return events
