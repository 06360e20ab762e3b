-- registry.lua - the parts of `make bench` about a host by itself: how soon it starts, how soon a saved script is live, and
-- what a registry with many rows costs.
local Host = require "spec.support.host"
local cjson = require "cjson"
local measure = require "spec.bench.measure"
local report = require "spec.bench.report"
local shell = require "spec.support.shell"
local socket = require "socket"

local ROWS = 100000
local SUBMIT = { method = "POST", path = "/api/providers/image/fal/submit", body = '{"prompt":"a lighthouse at dusk, %d"}' }

local bench = {}

local function start_host()
  local host = Host.start { config = assert(shell.read("config/comfyvn.json")), scripts = true }
  socket.sleep(1)
  return host
end

local function lists(host)
  local first_page = measure.asker(host.port, "/api/jobs/list?limit=500")
  local _, body = first_page()
  for _ = 1, 100 do _, body = measure.asker(host.port, "/api/jobs/list?limit=500&cursor=" .. cjson.decode(body).next)() end
  local pages = {
    { "newest 50", "/api/jobs/list", 5 },
    { "50 of 100,000, deep", "/api/jobs/list?cursor=" .. cjson.decode(body).next, 5 },
    { "status, kind and provider", "/api/jobs/list?status=done&kind=image&provider=fal", 5 },
    { "a filter without rows", "/api/jobs/list?status=error&provider=pika", 5 },
    { "newest 500", "/api/jobs/list?limit=500" },
  }
  for _, page in ipairs(pages) do
    local median, worst = measure.latency(host.port, page[2], 200)
    report.line(("list, %s (median of 200; worst %.1f ms)"):format(page[1], worst), "%.2f ms", median, page[3])
  end
end

--- A registry of ROWS dry runs.
function bench.full()
  local host, began = start_host(), socket.gettime()
  measure.fill(host.port, 64, ROWS, SUBMIT)
  report.say("%d rows (filled by submits in %.1f s)", ROWS, socket.gettime() - began)
  lists(host)
  report.line("memory", "%.1f MB", measure.memory(host.pid))
  host:stop()
  report.line("exec to first answer (median of 5)", "%.0f ms", measure.start(host.home, 5), 1000)
  host:remove()
end

--- Start and reload.
function bench.start()
  local host = start_host()
  report.line("a saved script is live (median of 20 saves)", "%.0f ms", measure.reload(host, 20), 200)
  host:stop()
  report.line("exec to first answer (median of 10)", "%.0f ms", measure.start(host.home, 10))
  host:remove()
end

return bench
