-- `make kills`: kill -9 of a host under dry runs from several connections, again and again, on one home. After each start every
-- submit that was answered before is looked for: it is there once, with one event. Exit code 1 names what is not.
--
--   KILLS=1000         how often
--   KILLS_CLIENTS=8
--   KILLS_MS=250       the longest that a host lives under load
--   KILLS_SEED=...     of the times; default: the time
local crowd = require "spec.support.crowd_submits"
local hosts = require "spec.support.host"
local long_run = require "spec.support.long_run"
local shell = require "spec.support.shell"

local setting, say = long_run.setting, long_run.say
local kills, clients, most_ms = setting("KILLS", 1000), setting("KILLS_CLIENTS", 8), setting("KILLS_MS", 250)
local seed = setting("KILLS_SEED", os.time() % 1000000)
math.randomseed(seed)
say("kills: %d, %d clients, seed %d", kills, clients, seed)

local host = hosts.start { scripts = true }
-- with three scripts it starts quicker
shell.run(("cd %s && ls | grep -v 'fal\\|luma\\|stability' | xargs rm -r"):format(shell.quote(host.home .. "/providers")))
local problems, answered, left = {}, 0, 0

local QUERY = [[
.timeout 5000
CREATE TEMP TABLE asked (id TEXT PRIMARY KEY);
.import %s asked
CREATE TEMP TABLE had AS SELECT lower(hex(id)) AS id, count(*) AS times FROM task JOIN event USING (sequence)
  WHERE task.sequence >= %d GROUP BY task.sequence;
SELECT count(*) FROM asked LEFT JOIN had USING (id) WHERE times IS NOT 1;
]]

local function write(name, text)
  local path = host.folder .. "/" .. name
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

-- In the registry itself: a list of all by REST would take longer than the kills.
local function check(ids)
  local lines, first = {}, math.maxinteger
  for i, id in ipairs(ids) do
    lines[i] = id:gsub("-", "")
    first = math.min(first, tonumber(lines[i]:sub(1, 12), 16) << 12)
  end
  local query = write("query", QUERY:format(write("ids", table.concat(lines, "\n") .. "\n"), first))
  local missing = tonumber((shell.output(("sqlite3 %s/data/registry.db < %s"):format(host.home, query))))
  if missing ~= 0 then problems[#problems + 1] = ("%d of %d are not there once, with one event"):format(missing, #ids) end
end

local function is_shown(id)
  return host:get("/api/jobs/status/" .. id).status == 200
end

for kill = 1, kills do
  host:post("/api/providers/image/fal/submit", { prompt = "the first" })
  shell.run(("(sleep %.3f; kill -9 %d) >/dev/null 2>&1 &"):format(math.random() * most_ms / 1000, host.pid))
  local ids = crowd.run(host.port, { connections = clients, seconds = 60 }).ids
  host:kill()
  host:start_again()
  answered = answered + #ids
  local told = shell.output("tail -n 40 " .. host.home .. "/logs/server.log")
  left = left + (tonumber(told:match(".*message=\"(%d+) dry runs stand in")) or 0)
  if #ids > 0 then
    check(ids)
    if not is_shown(ids[#ids]) then problems[#problems + 1] = ids[#ids] .. " is not shown" end
  end
  if kill % 25 == 0 then say("%d kills, %d answered, %d carried over by a start", kill, answered, left) end
  if #problems > 0 then break end
end
local function count(statement) return tonumber((shell.sql(host, statement))) end
if count("SELECT count(*) FROM task") ~= count("SELECT count(*) FROM event WHERE sequence <> 0") then
  problems[#problems + 1] = "there are more or fewer events than jobs"
end
local intact = shell.sql(host, "PRAGMA integrity_check")
if intact ~= "ok\n" then problems[#problems + 1] = intact end
host:remove()
long_run.figure("kills", "%d", kills)
long_run.figure("answered", "%d", answered)
long_run.figure("of them carried over by a start", "%d", left)
long_run.finish("kills", problems, "every submit that was answered was there once, with one event")
