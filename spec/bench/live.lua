-- live.lua - the live half of `make bench`: jobs in flight, a restart with all of them, and what the host adds to a submit.
--
-- The vendor is the simulator on the same machine, which takes a core of its own. Figures in microseconds and of CPU tell
-- something beside the others of the same run only.
--
--   BENCH_JOBS=10000      jobs in flight
local cjson = require "cjson"
local http = require "spec.support.http"
local measure = require "spec.bench.measure"
local report = require "spec.bench.report"
local shell = require "spec.support.shell"
local socket = require "socket"
local support = require "spec.support.live"

local JOBS = tonumber(os.getenv("BENCH_JOBS") or 10000)
local JOB_SECONDS, POLL_SECONDS = tonumber(os.getenv("BENCH_JOB_SECONDS") or 150), 10
local CLIENTS, PROVIDER = 64, "fal"
local ROWS, DRY = 100000, '{"prompt":"a lighthouse at dusk, %d"}'
local TICKS_PER_SECOND = 100

local live = {}

-- Seconds of CPU that a thread of the host has used, by the thread's name.
local function thread_seconds(pid, name)
  local seconds = 0
  for tid in shell.output("ls /proc/" .. pid .. "/task"):gmatch("%d+") do
    local stat = shell.read(("/proc/%s/task/%s/stat"):format(pid, tid))
    local user, kernel = (stat or ""):match("^%d+ %(" .. name .. "%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
    if user then seconds = seconds + (tonumber(user) + tonumber(kernel)) / TICKS_PER_SECOND end
  end
  return seconds
end

-- "2026-11-25T12:00:00.123Z" as seconds.
local function seconds_of(text)
  local year, month, day, hour, minute, second = text:match("(%d+)-(%d+)-(%d+)T(%d+):(%d+):([%d.]+)Z")
  local whole = os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = 0 }
  return whole + tonumber(second)
end

local function start()
  return support.start {
    simulate = { "--job-time", tostring(JOB_SECONDS * 1000) },
    config = function(config)
      config.server.threads = CLIENTS + 16
      config.live.budget_usd = { per_day = 1e6, per_month = 1e6 }
      config.live.providers[PROVIDER] = {
        enabled = true, budget_usd = { per_day = 1e6, per_month = 1e6 }, rate_per_minute = 100000, max_concurrent = 10000,
      }
    end,
  }
end

-- Submits all jobs over CLIENTS connections; seconds that it took.
local function submit_all(host, path)
  local body, began = cjson.encode { prompt = "a lighthouse", dry_run = false }, socket.gettime()
  local clients = {}
  for i = 1, CLIENTS do clients[i] = http.connect(host.port) end
  local sent, received = 0, 0
  local function send(i)
    sent = sent + 1
    clients[i]:send("POST", path, body)
  end
  for i = 1, CLIENTS do send(i) end
  while received < sent do
    for i = 1, CLIENTS do
      if clients[i] then
        local answer = clients[i]:receive()
        assert(answer.status == 202, answer.body)
        received = received + 1
        if answer.headers["connection"] == "close" then
          clients[i]:close()
          clients[i] = http.connect(host.port)
        end
        if sent < JOBS then send(i) else
          clients[i]:close()
          clients[i] = nil
        end
      end
    end
  end
  return socket.gettime() - began
end

local function counts(host)
  return host:get("/api/live").json.jobs
end

-- How late the host saw each end, in seconds.
local function delays(host, simulator)
  local ends, seen = {}, {}
  for _, job in ipairs(simulator:get("/jobs").json.jobs) do ends[job.id] = seconds_of(job.ends) end
  local cursor = ""
  repeat
    local page = host:get("/api/jobs/list?limit=500&status=done&provider=" .. PROVIDER .. cursor).json
    for _, job in ipairs(page.tasks) do
      if job.dry_run == false then seen[#seen + 1] = seconds_of(job.updated_at) - ends[job.vendor_id] end
    end
    cursor = type(page.next) == "string" and "&cursor=" .. page.next or nil
  until not cursor
  return seen
end

--- JOBS in flight, polled every POLL_SECONDS.
function live.in_flight()
  local setup = start()
  local host = setup.host
  local took = submit_all(host, setup:path(PROVIDER, "submit"))
  host:eventually(function()
    local jobs = counts(host)
    return jobs.queued + jobs.sending == 0
  end, 300)
  local open = counts(host).sent
  report.line(("live jobs submitted (%d of %d still in flight)"):format(open, JOBS), "%.0f/s", JOBS / took)
  report.line("memory with them", "%.1f MB", measure.memory(host.pid))
  local function share_of_a_core(seconds)
    local before, began = thread_seconds(host.pid, "engine"), socket.gettime()
    socket.sleep(seconds)
    return (thread_seconds(host.pid, "engine") - before) / (socket.gettime() - began)
  end
  report.line("CPU of the engine while pauses still grow, of a core", "%.2f", share_of_a_core(10), 1)
  socket.sleep(20)
  report.line(("CPU of the engine at %d s between polls (%d jobs left)"):format(POLL_SECONDS, counts(host).sent), "%.2f",
    share_of_a_core(10), 1)
  local dry_run = { method = "POST", path = setup:path(PROVIDER, "submit"), body = DRY }
  measure.fill(host.port, 64, ROWS - JOBS, dry_run)
  host:kill()
  local restarted = socket.gettime()
  host:start_again()
  host:eventually(function()
    local jobs = counts(host)
    return jobs.queued + jobs.sending + jobs.sent + jobs.unknown > 0
  end)
  local name = ("kill -9, restart with them and %d rows in all: until all are in hand"):format(ROWS)
  report.line(name, "%.2f s", socket.gettime() - restarted, 2)
  host:eventually(function() return counts(host).sent == 0 end, 2 * JOB_SECONDS)
  local late = delays(host, setup.simulator)
  local seen = ("an end is seen after (p99 of %d; p50 %.1f s)"):format(#late, measure.percentile(late, 0.5))
  report.line(seen, "%.1f s", measure.percentile(late, 0.99), POLL_SECONDS + 1)
  setup:remove()
end

-- `ready` is waited for before each: what an earlier submit still has to write is not this one's.
local function median_of(count, once, ready)
  local times = {}
  for i = 1, count do
    while ready and not ready() do end
    times[i] = once() * 1e6
  end
  return measure.median(times)
end

-- Is every job at the vendor, and this written?
local function all_sent(host)
  local once = measure.asker(host.port, "/api/live")
  return function()
    local _, body = once()
    local jobs = cjson.decode(body).jobs
    return jobs.queued + jobs.sending == 0
  end
end

-- Microseconds that the disk takes for one synced append of the size of a small commit.
local function synced_append(folder)
  local output = shell.output(("LC_ALL=C dd if=/dev/zero of='%s/sync' bs=32k count=200 oflag=dsync"):format(folder))
  return tonumber(output:match("copied, ([%d.e-]+) s")) / 200 * 1e6
end

--- What the host adds to a submit, up to its 202, beside what the disk takes to keep it.
function live.submit_cost()
  local setup = start()
  local body = cjson.encode { prompt = "a lighthouse", image_size = "square" }
  local direct = measure.asker(setup.simulator.port, "/queue.fal.run/fal-ai/flux/schnell",
    { method = "POST", body = body, headers = { Authorization = "Key 11111111-2222:benchbench" } })
  local path, prompt = setup:path(PROVIDER, "submit"), "a lighthouse"
  local host = measure.asker(setup.host.port, path,
    { method = "POST", body = cjson.encode { prompt = prompt, dry_run = false }, status = "202" })
  local dry = measure.asker(setup.host.port, path, { method = "POST", body = cjson.encode { prompt = prompt } })
  local of_vendor, of_dry = median_of(500, direct), median_of(500, dry)
  local of_host = median_of(500, host, all_sent(setup.host))
  report.line("a submit at the simulator, p50", "%.0f us", of_vendor)
  report.line("a dry-run submit at the host, p50", "%.0f us", of_dry)
  local synced = synced_append(setup.host.folder)
  report.line("a synced append of 32 KiB on this disk, mean", "%.0f us", synced)
  report.line("a live submit at the host up to its 202, p50", "%.0f us", of_host)
  report.line("  more than at the simulator", "%.0f us", of_host - of_vendor)
  report.line("  the same without the synced append", "%.0f us", of_host - of_vendor - synced, 300)
  setup:remove()
end

return live
