-- What moving a registry of a million rows takes, to another file and to PostgreSQL, with the comparison at the end.
local hosts = require "spec.support.host"
local report = require "spec.bench.report"
local postgres = require "spec.support.postgres"
local shell = require "spec.support.shell"
local socket = require "socket"

local migration = {}

local JOBS = tonumber(os.getenv("BENCH_MIGRATION_JOBS") or 500000)
local STEP_MS = 10

-- Dry runs as they are stored, one event each: two rows a job.
local ROWS = [[
INSERT OR IGNORE INTO source VALUES (1, 'image', 'fal');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
INSERT INTO task (sequence, status, source, dry_run, progress, created_ms, updated_ms, id, vendor_id, payload, estimates)
SELECT (%d + i * %d) << 12, 2, 1, 1, 1.0, %d + i * %d, %d + i * %d, randomblob(16), 'mock-fal-1',
  '{"mode":"flux","parameters":{"guidance_scale":7.5,"resolution":"1024x1024","steps":30},"prompt":"a lighthouse, number '
    || i || '"}',
  '{"estimated_cost_usd":0.003,"low_usd":0.003,"high_usd":0.003,"unit":"image","quantity":1,"source":"https://fal.ai"}' FROM n;
INSERT INTO event (number, at_ms, sequence, verb)
  SELECT row_number() OVER (ORDER BY sequence), created_ms, sequence, 'submit' FROM task;
DELETE FROM task_index; INSERT INTO task_index SELECT status, source, sequence FROM task;
UPDATE task_indexed SET sequence = (SELECT max(sequence) FROM task);
]]

local function fill(host)
  local base = math.floor(socket.gettime() * 1000) - JOBS * STEP_MS - 60000
  local path = host.home .. "/rows.sql"
  local file = assert(io.open(path, "wb"))
  file:write("BEGIN;\n", ROWS:format(JOBS, base, STEP_MS, base, STEP_MS, base, STEP_MS), "COMMIT;\n")
  file:close()
  shell.run(("sqlite3 %s <%s"):format(shell.quote(host.home .. "/data/registry.db"), shell.quote(path)))
end

local function move(what, from, to)
  local began = socket.gettime()
  local code, out, err = hosts.run({ "migrate", "--from", from, "--to", to }, { seconds = 3600 })
  assert(code == 0, (out or "") .. (err or ""))
  local seconds = socket.gettime() - began
  local rows = tonumber(out:match("(%d+) rows"))
  report.line(("a registry of %d rows moved to %s, compared row by row"):format(rows, what), "%.1f s", seconds)
end

--- Measures.
function migration.move()
  local host = hosts.start {}
  host:stop()
  fill(host)
  local from = "sqlite:" .. host.home .. "/data/registry.db"
  move("another file", from, "sqlite:" .. host.home .. "/data/new.db")
  if postgres.missing() then
    report.say(postgres.missing())
  else
    local cluster = postgres.cluster { fsync = true }
    move("PostgreSQL", from, cluster:database().url)
    cluster:remove()
  end
  host:remove()
end

return migration
