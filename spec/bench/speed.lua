-- speed.lua - the first part of `make bench`: what a request costs, beside a bare civetweb handler (baseline.c) and peers
-- (peers.lua).
--
-- The bare handler reads the same bodies and sends answers of the same size, under the same civetweb options. All take turns,
-- round by round, in an order that is turned around each time, so that a machine that gets slower or faster meanwhile is no
-- one's gain. A figure is the median over the rounds; a ratio is taken in each round, and is the median of those. What other
-- processes took of the machine is said at the end: where it is much, read ratios and CPU.
--
-- The load is wrk with one thread. A second one and the server's busiest thread would share a core, in groups of Linux's
-- scheduler (autogroup), which may leave either without the core for 0.3 s: that is no figure of the server's.
local Host = require "spec.support.host"
local cjson = require "cjson"
local measure = require "spec.bench.measure"
local peers = require "spec.bench.peers"
local report = require "spec.bench.report"
local script_text = require "spec.support.script_text"
local shell = require "spec.support.shell"
local socket = require "socket"

local SECONDS = tonumber(os.getenv("BENCH_SECONDS") or 2)
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS") or 3)
local BASELINE = os.getenv("BASELINE") or "build/bench-baseline"
local IDLE_SECONDS = 3

local VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"
local FAL = { method = "POST", path = "/api/providers/image/fal/submit", body = '{"prompt":"a lighthouse at dusk, %d"}' }

-- `least`: of the bare handler's rate at 16 connections. `peers`: who else is asked, see peers.lua.
local REQUESTS = {
  { name = "catalogue", method = "GET", path = "/api/providers/image/catalog", least = 0.85 },
  { name = "health, fal", method = "POST", path = "/api/providers/image/fal/health", body = "{}", least = 0.65 },
  { name = "poll, fal", method = "POST", path = "/api/providers/image/fal/poll", body = "{}", least = 0.65 },
  { name = "poll of a job, fal", method = "POST", path = "/api/providers/image/fal/poll", of_job = true, least = 0.65 },
  { name = "submit, fal", method = FAL.method, path = FAL.path, body = FAL.body, least = 0.45, peers = true },
  { name = "submit, Replicate", method = "POST", path = "/api/providers/gpu/public/replicate/submit", least = 0.45,
    body = ('{"job":{"version":"%s","input":{"prompt":"a lighthouse at dusk, %%d","num_outputs":1}}}'):format(VERSION) },
}

-- The rows of each request. `most`: of the host's own figure; `ratio`: the request's `least` is of this one.
local ROWS = {
  { connections = 16, field = "rate", name = "requests/s", format = "%.0f", ratio = true },
  { connections = 16, field = "cpu", name = "CPU us a request", format = "%.1f" },
  { connections = 1, field = "p50", name = "p50 us", format = "%.0f", most = 35 },
  { connections = 256, field = "p99_ms", name = "p99 ms", format = "%.1f", most = 20 },
}

local COLUMNS = "%-44s %6s %10s %10s %8s   %s"

local speed = {}

-- Rounds ------------------------------------------------------------------------------------------------------------------

-- All servers' figures of one number of connections, round by round: lists by server.
local function rounds(servers, connections)
  local figures = {}
  for i = 1, #servers do figures[i] = {} end
  for round = 1, ROUNDS do
    for place = 1, #servers do
      local i = round % 2 == 1 and place or #servers + 1 - place
      figures[i][round] = measure.turn(servers[i], connections, SECONDS, servers[i].request)
    end
  end
  return figures
end

local function median(list, field, of)
  local values = {}
  for round, figures in ipairs(list) do values[round] = figures[field] / (of and of[round][field] or 1) end
  return measure.median(values)
end

-- servers[1] is the host, the last one the bare handler.
local function print_rows(request, row, servers, figures)
  local bare = figures[#servers]
  for i = 1, #servers - 1 do
    local value, ratio = median(figures[i], row.field), median(figures[i], row.field, bare)
    local judgement = ""
    if i == 1 then
      judgement = row.ratio and report.judge(ratio, request.least, true, " of bare") or report.judge(value, row.most)
    end
    report.say(COLUMNS, (i == 1 and request.name or "  " .. servers[i].name) .. ", " .. row.name, row.connections,
      row.format:format(value), row.format:format(median(bare, row.field)), ("%.2f"):format(ratio), judgement)
  end
end

local others = {} -- of all turns: processors that somebody else used

local function bench_request(host, request, beside)
  local bytes = measure.answer(host.port, request)
  local bare = Host.start { program = BASELINE, arguments = { host.threads, bytes } }
  local servers = { { name = "host", port = host.port, pid = host.pid, request = request } }
  for _, peer in ipairs(request.peers and beside or {}) do
    if peer.start then
      servers[#servers + 1] = peer.start(request, bytes)
      servers[#servers].name = peer.name
    else
      report.say(COLUMNS, "  " .. peer.name .. ": not installed", "", "", "", "", "")
    end
  end
  servers[#servers + 1] = { name = "bare", port = bare.port, pid = bare.pid, request = request }
  for _, server in ipairs(servers) do
    measure.prefer(server.pid)
    measure.load(server.port, 16, 1, server.request)
  end
  for _, connections in ipairs { 16, 1, 256 } do
    local figures = rounds(servers, connections)
    for _, row in ipairs(ROWS) do
      if row.connections == connections then print_rows(request, row, servers, figures) end
    end
    for _, list in ipairs(figures) do
      for _, turn in ipairs(list) do others[#others + 1] = turn.others end
    end
  end
  for _, server in ipairs(servers) do
    if server.remove then server:remove() end
  end
  bare:remove()
end

-- A script that computes ---------------------------------------------------------------------------------------------------

-- Some seconds in Lua, but within a script's limits.
local BURN = "if request.prompt == 'burn' then local x = 0 for i = 1, 4e7 do x = x + i % 7 end end return request"
local BURN_PATH = "/api/providers/image/burn/submit"
local BURNERS = 8

-- The p99 of some clients' submits while others make a script compute all the time.
local function bench_burning(threads)
  local host = Host.start {
    config = { server = { threads = threads } }, scripts = true,
    files = { ["lua/nothing.lua"] = "return {}", ["providers/burn.lua"] = script_text.provider("burn", { prepare = BURN }) },
  }
  measure.prefer(host.pid)
  local quick = { method = "POST", path = BURN_PATH, body = '{"prompt":"a lighthouse at dusk, %d"}' }
  local asked = { { FAL, BURNERS, "another provider" }, { quick, 1, "the same provider" } }
  for _, one in ipairs(asked) do
    local request, burners, whom = table.unpack(one)
    local p99 = {}
    for round = 1, ROUNDS do
      local stop = measure.load_beside(host.port, burners, SECONDS + 1,
        { method = "POST", path = BURN_PATH, body = '{"prompt":"burn"}' })
      p99[round] = measure.load(host.port, 4, SECONDS, request).p99 / 1000
      stop()
    end
    report.say(COLUMNS, ("%s beside %d that loop, p99 ms"):format(whom, burners), 4,
      ("%.1f"):format(measure.median(p99)), "", "", report.judge(measure.median(p99), 20))
  end
  host:remove()
end

-- All ----------------------------------------------------------------------------------------------------------------------

local function print_memory(name, host, bare, most)
  local of_host, of_bare = measure.memory(host), measure.memory(bare)
  report.say(COLUMNS, name, "", ("%.1f"):format(of_host), ("%.1f"):format(of_bare), ("%.2f"):format(of_host / of_bare),
    report.judge(of_host, most))
end

--- Prints the table.
function speed.all()
  local shipped = assert(shell.read("config/comfyvn.json"))
  local host = Host.start { config = shipped, scripts = true }
  host.threads = math.tointeger(cjson.decode(shipped).server.threads)
  local bare = Host.start { program = BASELINE, arguments = { host.threads, 4096 } }
  socket.sleep(IDLE_SECONDS)
  report.say(COLUMNS, "", "conns", "figure", "bare", "of bare", "")
  print_memory("memory, idle, MB", host.pid, bare.pid, 20)
  local beside = peers.all()
  for _, request in ipairs(REQUESTS) do
    if request.of_job then
      local _, answer = measure.answer(host.port, FAL)
      request.body = cjson.encode { job_id = cjson.decode(answer).job_id }
    end
    bench_request(host, request, beside)
  end
  measure.load(bare.port, 256, 1, FAL)
  print_memory("memory, after the load, MB", host.pid, bare.pid)
  bare:remove()
  host:remove()
  bench_burning(host.threads)
  for _, peer in ipairs(beside) do report.say("%s: %s", peer.name, peer.does) end
  report.say("others used %.2f of %d processors meanwhile (median of %d turns; at most %.2f)", measure.median(others),
    tonumber(shell.output("nproc")), #others, measure.percentile(others, 1))
end

return speed
