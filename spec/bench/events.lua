-- events.lua - the events' part of `make bench`: a thousand subscribers, how late an event is at them, and whether all else
-- suffers.
--
--   BENCH_SUBSCRIBERS=1000  BENCH_EVENTS=100 (at BENCH_EVENTS_PER_SECOND=10)
local Host = require "spec.support.host"
local measure = require "spec.bench.measure"
local socket = require "socket"

local SUBSCRIBERS = tonumber(os.getenv("BENCH_SUBSCRIBERS") or 1000)
local EVENTS = tonumber(os.getenv("BENCH_EVENTS") or 100)
local PER_SECOND = tonumber(os.getenv("BENCH_EVENTS_PER_SECOND") or 10)
local PROGRAM = os.getenv("SUBSCRIBERS") or "build/bench-subscribers"
local BODY = '{"prompt":"a lighthouse at dusk"}'

local events = {}

local function percentile(values, share)
  table.sort(values)
  return values[math.max(1, math.ceil(#values * share))] * 1000
end

-- Submits at a steady pace and asks for other things in between; the p99 of those in milliseconds.
local function pace(host)
  local client, times = host:connect(), {}
  local began = socket.gettime()
  for i = 1, EVENTS do
    client:request("POST", "/api/providers/image/fal/submit", BODY)
    while socket.gettime() < began + i / PER_SECOND do
      for _, path in ipairs { "/api/jobs/list?limit=5", "/api/providers/image/catalog", "/healthz" } do
        local asked = socket.gettime()
        client:request("GET", path)
        times[#times + 1] = socket.gettime() - asked
      end
      if #times % 900 == 0 then client = host:connect() end
      socket.sleep(0.005)
    end
    if i % 20 == 0 then client = host:connect() end
  end
  return percentile(times, 0.99), #times
end

--- Measures and hands each figure to `line` (see run.lua).
function events.subscribers(line)
  local host = Host.start { config = { server = { threads = SUBSCRIBERS * 3 // 2, max_streams = SUBSCRIBERS } } }
  local alone = pace(host)
  local idle = measure.memory(host.pid)
  local pipe = io.popen(("%s %d %d %f"):format(PROGRAM, host.port, SUBSCRIBERS, EVENTS / PER_SECOND + 2))
  local ready = pipe:read("l")
  assert(ready == "ready", ready)
  local open = measure.memory(host.pid)
  local beside, asked = pace(host)
  local output = pipe:read("a")
  pipe:close()
  local deliveries, p50, p99, worst = output:match("deliveries=(%d+) p50=([%d.]+) p99=([%d.]+) worst=([%d.]+)")
  assert(tonumber(deliveries) == SUBSCRIBERS * EVENTS, output)
  line(("commit to client, p99 of %s deliveries (p50 %s, worst %s ms)"):format(deliveries, p50, worst), "%.1f ms",
    tonumber(p99), 50)
  line(("other routes, p99 of %d beside %d streams"):format(asked, SUBSCRIBERS), "%.1f ms", beside)
  line("other routes, p99 without streams", "%.1f ms", alone)
  line(("memory with %d streams (%d threads idle: %.1f MB)"):format(SUBSCRIBERS, SUBSCRIBERS * 3 // 2, idle), "%.1f MB", open)
  line("memory after the events", "%.1f MB", measure.memory(host.pid))
  host:remove()
end

return events
