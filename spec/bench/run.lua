-- run.lua - `make bench`: the host beside a bare civetweb handler (baseline.c), in one run on one machine.
--
-- The bare handler reads the same bodies and sends answers of the same size, under the same civetweb options. Both take turns,
-- round by round, so that a machine that gets slower or faster meanwhile is no one's gain; figures are medians over the rounds.
-- Ratios tell something on any machine, the rest only beside others of the same one. The home is temporary, everything is off.
--
--   BENCH_SECONDS=2 BENCH_ROUNDS=3   length of one turn, turns of each
--   BENCH=hosts                      only the parts of these names: host registry doors events live hosts migration studio

local Host = require "spec.support.host"
local cjson = require "cjson"
local doors = require "spec.bench.doors"
local events = require "spec.bench.events"
local live = require "spec.bench.live"
local measure = require "spec.bench.measure"
local migration = require "spec.bench.migration"
local postgres = require "spec.bench.postgres"
local shell = require "spec.support.shell"
local socket = require "socket"
local studio = require "spec.bench.studio"

local SECONDS = tonumber(os.getenv("BENCH_SECONDS") or 2)
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS") or 3)
local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"
local BASELINE = os.getenv("BASELINE") or "build/bench/baseline"
local CONNECTIONS = { 1, 16, 256 }
local ROWS = 100000
local SUBMIT = { method = "POST", path = "/api/providers/image/fal/submit", body = '{"prompt":"a lighthouse at dusk, %d"}' }

local REQUESTS = {
  { name = "catalogue", method = "GET", path = "/api/providers/image/catalog" },
  { name = "health", method = "POST", path = "/api/providers/image/fal/health", body = "{}" },
  { name = "submit", method = SUBMIT.method, path = SUBMIT.path, body = SUBMIT.body },
  { name = "poll", method = "POST", path = "/api/providers/image/fal/poll" }, -- the body names a job, see below
}

local shipped = assert(shell.read("config/comfyvn.json"))
local threads = cjson.decode(shipped).server.threads

local function start_host()
  local host = Host.start { config = shipped, scripts = true }
  socket.sleep(1)
  return host
end

local function start_bare(bytes)
  return Host.start { program = BASELINE, arguments = { threads, bytes } }
end

local function say(...)
  io.write(string.format(...), "\n")
  io.flush()
end

-- The table ---------------------------------------------------------------------------------------------------------------

local function medians(rounds)
  local result = {}
  for _, field in ipairs { "rate", "p50", "p99" } do
    local values = {}
    for i, round in ipairs(rounds) do values[i] = round[field] end
    result[field] = measure.median(values)
  end
  return result
end

-- Alternates host and bare handler, each going first as often as the other.
local function compare(host, bare, connections, request)
  local of_host, of_bare, ratios = {}, {}, {}
  for i = 1, ROUNDS do
    for turn = 1, 2 do
      local host_now = (i + turn) % 2 == 0
      local figures = measure.load((host_now and host or bare).port, connections, SECONDS, request)
      local list = host_now and of_host or of_bare
      list[#list + 1] = figures
    end
    ratios[i] = of_host[i].rate / of_bare[i].rate
  end
  return medians(of_host), medians(of_bare), measure.median(ratios)
end

local HEAD = "%-10s %7s %6s | %9s %9s %6s | %8s %8s | %8s %8s | %7s %7s"
local ROW = "%-10s %7d %6d | %9.0f %9.0f %6.2f | %8d %8d | %8d %8d | %7.1f %7.1f"

local function print_head()
  say(HEAD, "", "answer", "", "requests/s", "", "", "p50 us", "", "p99 us", "", "RSS MB", "")
  say(HEAD, "request", "bytes", "conns", "host", "bare", "ratio", "host", "bare", "host", "bare", "host", "bare")
end

-- Measures and prints the rows of one kind of request; returns the figures by number of connections.
local function bench_request(host, request)
  local figures, bytes = {}, measure.answer(host.port, request)
  local bare = start_bare(bytes)
  for _, connections in ipairs(CONNECTIONS) do
    measure.load(host.port, connections, 1, request) -- to warm up
    local of_host, of_bare, ratio = compare(host, bare, connections, request)
    figures[connections] = { p50 = of_host.p50, ratio = ratio }
    say(ROW, request.name, bytes, connections, of_host.rate, of_bare.rate, ratio, of_host.p50, of_bare.p50,
      of_host.p99, of_bare.p99, measure.memory(host.pid), measure.memory(bare.pid))
  end
  bare:remove()
  return figures
end

local function bench_requests(host)
  local figures = {}
  local _, answer = measure.answer(host.port, SUBMIT)
  REQUESTS[4].body = cjson.encode { job_id = cjson.decode(answer).job_id }
  print_head()
  for _, request in ipairs(REQUESTS) do figures[request.name] = bench_request(host, request) end
  return figures
end

-- Single figures ------------------------------------------------------------------------------------------------------------

-- value, and the target: at most, or at least when `least` is set.
local function line(name, format, value, target, least)
  local met = not target or (least and value >= target) or (not least and value <= target)
  local judgement = target and ("target %s %s: %s"):format(least and ">=" or "<=", target, met and "met" or "MISSED") or ""
  say("%-64s %10s   %s", name, format:format(value), judgement)
end

local function bench_lists(host)
  local first_page = measure.asker(host.port, "/api/jobs/list?limit=500")
  local _, body = first_page()
  for _ = 1, 100 do _, body = measure.asker(host.port, "/api/jobs/list?limit=500&cursor=" .. cjson.decode(body).next)() end
  local pages = {
    { "newest 50", "/api/jobs/list" },
    { "50 of 100,000, deep", "/api/jobs/list?cursor=" .. cjson.decode(body).next },
    { "status, kind and provider", "/api/jobs/list?status=done&kind=image&provider=fal" },
    { "a filter without rows", "/api/jobs/list?status=error&provider=pika" },
    { "newest 500", "/api/jobs/list?limit=500" },
  }
  for i, page in ipairs(pages) do
    local median, worst = measure.latency(host.port, page[2], 200)
    line(("list, %s (median of 200; worst %.1f ms)"):format(page[1], worst), "%.2f ms", median, i < #pages and 5 or nil)
  end
end

local function bench_registry()
  local host, began = start_host(), socket.gettime()
  measure.fill(host.port, 64, ROWS, SUBMIT)
  say("\nregistry with %d rows (filled by submits in %.1f s)", ROWS, socket.gettime() - began)
  bench_lists(host)
  line("memory", "%.1f MB", measure.memory(host.pid))
  host:stop()
  line("exec to first answer (median of 5)", "%.0f ms", measure.start(host.home, 5), 1000)
  host:remove()
end

local function bench_host()
  local host = start_host()
  local idle = measure.memory(host.pid)
  local figures = bench_requests(host)
  say("")
  line("catalogue, of the bare handler at 16 connections", "%.2f", figures.catalogue[16].ratio, 0.85, true)
  line("submit, of the bare handler at 16 connections", "%.2f", figures.submit[16].ratio, 0.40, true)
  line("submit, p50 at 1 connection", "%d us", figures.submit[1].p50, 150)
  line("memory, idle", "%.1f MB", idle, 20)
  line("memory, after the load", "%.1f MB", measure.memory(host.pid))
  line("a saved script is live (median of 20 saves)", "%.0f ms", measure.reload(host, 20), 200)
  host:remove()
  host = start_host()
  host:stop()
  line("exec to first answer (median of 10)", "%.0f ms", measure.start(host.home, 10))
  host:remove()
end

local PARTS = {
  { "host", nil, bench_host },
  { "registry", nil, bench_registry },
  { "doors", "doors: a dry run by each", function() doors.cost(say) end },
  { "events", "events, with many who follow", function() events.subscribers(line) end },
  { "live", "live, with the simulator as the vendor", function()
    live.submit_cost(line)
    live.in_flight(line)
  end },
  { "hosts", "several hosts on one PostgreSQL", function() postgres.hosts(line, say) end },
  { "migration", "a registry that moves", function() migration.move(line, say) end },
  { "studio", "studio, in a browser", function() studio.page(line, say) end },
}

local function is_wanted(name)
  local wanted = os.getenv("BENCH") or ""
  return wanted == "" or (" " .. wanted:gsub(",", " ") .. " "):find(" " .. name .. " ", 1, true) ~= nil
end

local function main()
  local version = shell.output(PROGRAM .. " --version"):match("^[^\n]*")
  local processors = shell.output("nproc"):match("%d+")
  say("%s, %d threads, beside a bare civetweb handler; %s CPUs, medians of %d x %d s\n", version, threads, processors, ROUNDS,
    SECONDS)
  for _, part in ipairs(PARTS) do
    local name, title, run = table.unpack(part, 1, 3)
    if is_wanted(name) then
      if title then say("\n%s", title) end
      run()
    end
  end
end

main()
