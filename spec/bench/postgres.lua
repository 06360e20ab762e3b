-- postgres.lua - the part of `make bench` with several hosts on one PostgreSQL, beside SQLite in the same run: submits, dry and
-- live; how late an event is at another host; how long a dead host's jobs wait.
--
-- The server is the suite's (spec/support/postgres.lua), on the same machine and the same cores, but with syncs, as it should be.
-- Hosts, load, server and simulator share the cores: more hosts show what the one lock costs, not what more machines would give.
local Host = require "spec.support.host"
local event_stream = require "spec.support.event_stream"
local hosts = require "spec.support.hosts"
local live_support = require "spec.support.live"
local measure = require "spec.bench.measure"
local postgres = require "spec.support.postgres"
local report = require "spec.bench.report"
local socket = require "socket"

local SECONDS = tonumber(os.getenv("BENCH_SECONDS") or 2)
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS") or 3)
local EVENTS, EVENTS_PER_SECOND = tonumber(os.getenv("BENCH_EVENTS") or 100) * 3, 20
local CONNECTIONS, MANY = { 1, 16, 64 }, 64
local FAL = "/api/providers/image/fal/submit"
local DRY = { method = "POST", path = FAL, body = '{"prompt":"a lighthouse at dusk, %d"}' }
local LIVE = { method = "POST", path = FAL, body = '{"prompt":"a lighthouse at dusk, %d","dry_run":false}' }

local bench = {}

local function open_up(config)
  config.server.threads = 2 * MANY
  config.live.budget_usd = { per_day = 1e6, per_month = 1e6 }
  config.live.providers.fal = {
    enabled = true, budget_usd = { per_day = 1e6, per_month = 1e6 }, rate_per_minute = 100000, max_concurrent = 10000,
  }
end

local function ports_of(set)
  local ports = {}
  for i, each in ipairs(set) do ports[i] = each.host.port end
  return ports
end

-- Medians over rounds in which all take turns. `sets` are lists of ports that share the connections.
local function rounds(sets, connections, request)
  local figures = {}
  for _ = 1, ROUNDS do
    for i, ports in ipairs(sets) do
      local one = measure.load_all(ports, math.max(1, connections // #ports), SECONDS, request)
      figures[i] = figures[i] or { rate = {}, p50 = {}, p99 = {} }
      for name, list in pairs(figures[i]) do list[#list + 1] = one[name] end
    end
  end
  for _, each in ipairs(figures) do
    for name, list in pairs(each) do each[name] = measure.median(list) end
  end
  return figures
end

local HEAD, ROW = "%-34s %6s %10s %9s %9s %9s", "%-34s %6d %10.0f %9.0f %9.0f %9.2f"

-- The first of the sets is SQLite's.
local function table_of(what, sets, names, connections, request)
  for _, count in ipairs(connections) do
    local figures = rounds(sets, count, request)
    for i, name in ipairs(names) do
      report.say(ROW,
        what .. ", " .. name, count, figures[i].rate, figures[i].p50, figures[i].p99, figures[i].rate / figures[1].rate)
    end
  end
end

-- Submits ----------------------------------------------------------------------------------------------------------------

local NAMES = { "SQLite", "PostgreSQL, 1 host", "PostgreSQL, 2 hosts", "PostgreSQL, 3 hosts" }

-- Two hosts share the second database, and three the third: a host that is idle beside them costs them nothing.
local function submits(cluster)
  local simulator = Host.start { arguments = { "simulate", "--listen", "127.0.0.1:0", "--job-time", "600000" }, config = "" }
  local alone = live_support.start { simulator = simulator, config = open_up }
  local databases, all, sets = {}, {}, { { alone.host.port } }
  for count = 1, 3 do
    databases[count] = cluster:database()
    all[count] = hosts.start { count = count, simulator = simulator, database = databases[count], config = open_up }
    sets[#sets + 1] = ports_of(all[count])
  end
  report.say(HEAD, "", "conns", "submits/s", "p50 us", "p99 us", "of SQLite")
  table_of("dry", sets, NAMES, CONNECTIONS, DRY)
  table_of("live", sets, NAMES, { 1, MANY }, LIVE)
  for count = 1, 3 do all[count]:remove() end
  alone.host:kill()
  alone.host:remove()
  simulator:remove()
end

-- Events -----------------------------------------------------------------------------------------------------------------

-- Submits at the first host: how long after its answer each event is at a stream of the same and of the other host, in ms.
local function event_lag(both)
  local streams = { event_stream.open(both[1].host, "/api/events"), event_stream.open(both[2].host, "/api/events") }
  for _, stream in ipairs(streams) do assert(stream.status == 200) end
  local client, lags, began = both[1].host:connect(), { {}, {} }, socket.gettime()
  for i = 1, EVENTS do
    local answer = client:request("POST", FAL, { prompt = "a lighthouse" })
    local answered = socket.gettime()
    assert(answer.status == 200, answer.body)
    for n, stream in ipairs(streams) do
      local event
      repeat event = assert(stream:next(10), "an event did not come") until event.json.subject == answer.json.job_id
        or event.data:find(answer.json.job_id, 1, true)
      lags[n][i] = (socket.gettime() - answered) * 1000
    end
    if answer.headers.connection == "close" then client = both[1].host:connect() end
    socket.sleep(math.max(0, began + i / EVENTS_PER_SECOND - socket.gettime()))
  end
  for _, stream in ipairs(streams) do stream:close() end
  return lags
end

local function events(cluster)
  local both = hosts.start { count = 2, database = cluster:database(), config = open_up }
  for n, lag in ipairs(event_lag(both)) do
    local name = ("an event at %s host, after the answer (p99 of %d; p50 %.1f ms)"):format(n == 1 and "its own" or "another",
      #lag, measure.percentile(lag, 0.5))
    report.line(name, "%.1f ms", measure.percentile(lag, 0.99), n == 2 and 100 or nil)
  end
  both:remove()
end

-- Takeover ---------------------------------------------------------------------------------------------------------------

-- How many polls the vendor has seen.
local function polls(simulator)
  local count = 0
  for _, request in ipairs(simulator:get("/journal").json.requests) do count = count + (request.paid and 0 or 1) end
  return count
end

local function takeover(cluster)
  local both = hosts.start { count = 2, database = cluster:database(), config = open_up, hurry = 10,
    simulate = { "--fault", "replicate:never_ending:1" } }
  for _ = 1, 20 do both[1]:becomes(both[1]:job "replicate", "running") end
  both[1].host:kill()
  local killed, seen = socket.gettime(), polls(both.simulator)
  both[2].host:eventually(function() return polls(both.simulator) > seen end, 120)
  report.line("a killed host's jobs: first poll by another", "%.1f s", socket.gettime() - killed, 20)
  both:remove()
end

local function clean_stop(cluster)
  local both = hosts.start { count = 2, database = cluster:database(), config = open_up, hurry = 10,
    simulate = { "--fault", "replicate:never_ending:1" } }
  for _ = 1, 20 do both[1]:becomes(both[1]:job "replicate", "running") end
  both[1].host:stop()
  local ended, seen = socket.gettime(), polls(both.simulator)
  both[2].host:eventually(function() return polls(both.simulator) > seen end, 120)
  report.line("a stopped host's (SIGTERM), after its end", "%.1f s", socket.gettime() - ended, 1)
  both:remove()
end

--- Measures.
function bench.hosts()
  local missing = postgres.missing()
  if missing then return report.say("%s", missing) end
  local cluster = postgres.cluster { fsync = true, settings = { shared_buffers = "'256MB'" } }
  report.say("%s", cluster:sql("SELECT version()"):match("^[^,\n]*"))
  submits(cluster)
  events(cluster)
  takeover(cluster)
  clean_stop(cluster)
  cluster:remove()
end

return bench
