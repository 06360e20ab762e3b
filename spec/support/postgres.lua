-- A throw-away PostgreSQL: a cluster in a folder of its own, reached by its unix socket only, gone when whoever asked for it is.
--
--   local postgres = require "spec.support.postgres"
--
--   postgres.describe("two hosts", function()               -- pending with the reason where PostgreSQL is missing; fails in CI
--     local database = postgres.database()                   -- of the cluster that the whole run shares
--     start { config = { registry = { url = database.url } } }
--     database:sql "SELECT count(*) FROM task"                -- rows as lines, columns between |, as SQLite's shell prints them
--     database:remove()
--
--     local cluster = postgres.cluster { fsync = true }       -- one's own, to be crashed; also settings = { ... }
--     cluster:database()                                      -- the same as above, on it
--     cluster:crash() cluster:start()                         -- pg_ctl stop -m immediate; cluster:stop() is "fast"
--     cluster:cut()                                           -- ends every client's connection
--     cluster:keep() ... cluster:crash() cluster:put_back()   -- a failover that loses what was committed in between
--     cluster:remove()
--   end)
--
-- spec/run.lua starts one cluster for all files (postgres.share); a file that runs by itself starts its own when it first asks.
-- A shell stands by every cluster: it ends the server and removes the folder when the process that owns it is gone, even by
-- SIGKILL. The server runs as user postgres where we are root, since it refuses to be root's.
local shell = require "spec.support.shell"

local postgres = {}

local SHARED = "PROVIDERD_SPEC_POSTGRES" -- the environment's variable: the folder of the run's cluster
local STOP_SECONDS = 30
local PORT = 5432 -- of the socket's name only

-- What a shared server is asked to do without: nothing in it outlives the run, and a machine that loses power ends the run too.
local SETTINGS = {
  listen_addresses = "''", max_connections = "400", fsync = "off", full_page_writes = "off", max_wal_size = "'256MB'",
  max_parallel_workers_per_gather = "0", log_min_messages = "'warning'", timezone = "'UTC'",
}

-- The order of text is a language's, as with most of the databases that hosts will meet: what depends on it is seen.
local INITDB = "initdb --no-sync -A trust -U postgres -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US -D "

local GUARD = [[
while [ -d FOLDER ] && kill -0 OWNER; do sleep 1; done 2>/dev/null
read -r pid <FOLDER/data/postmaster.pid && kill -QUIT "$pid"
for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" || break; sleep 0.5; done
kill -KILL "$pid"
rm -rf FOLDER
]]

-- Programs ------------------------------------------------------------------------------------------------------------------

local function first_line(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local line = pipe:read("l")
  pipe:close()
  return line
end

local programs

-- The newest server that Debian has put there, or one that stands in the PATH.
local function program_folder()
  if programs == nil then
    local path = first_line "ls -d /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1" or first_line "command -v initdb"
    programs = path and path:match("^(.*)/initdb$") or false
  end
  return programs
end

--- nil, or why no server can be had.
function postgres.missing()
  if program_folder() then return nil end
  return "no PostgreSQL: initdb is not installed (make test asks apt for the package postgresql)"
end

--- describe() where there is a PostgreSQL; else one test that is pending and says why, or fails where CI is set.
function postgres.describe(name, body)
  local busted = require "busted"
  local missing = postgres.missing()
  if not missing then return busted.describe(name, body) end
  busted.describe(name, function()
    busted.it("runs on PostgreSQL", function()
      if os.getenv("CI") then error(missing, 0) end
      busted.pending(missing)
    end)
  end)
end

local function is_root()
  return first_line "id -u" == "0"
end

local function own_pid()
  return assert((shell.read("/proc/self/stat") or ""):match("^%d+"), "no /proc")
end

-- A command as the server's user, with an environment by which no file's end is taken for the server's (spec/run.lua).
local function as_server(command)
  local user = is_root() and "setpriv --reuid=postgres --regid=postgres --clear-groups " or ""
  return ("cd / && %senv -i PATH=%s:/usr/bin:/bin HOME=/ %s"):format(user, shell.quote(program_folder()), command)
end

-- Statements ----------------------------------------------------------------------------------------------------------------

local function url_of(folder, name)
  return ("postgresql:///%s?host=%s&user=postgres"):format(name, folder)
end

local function psql(url, rest)
  local command = "env -u PGOPTIONS -u PGHOST -u PGUSER %s/psql -X -q -A -t -v ON_ERROR_STOP=1 -d %s "
  return command:format(shell.quote(program_folder()), shell.quote(url)) .. rest
end

--- What psql answers of a database: rows as lines, columns between |. An error when a statement fails.
function postgres.sql(url, statement)
  return shell.output(psql(url, "-c " .. shell.quote(statement)))
end

--- Runs a file of statements.
function postgres.run(url, path)
  return shell.output(psql(url, "-f " .. shell.quote(path)))
end

--- Statements that run beside us: a pipe, to be closed when they are to have ended.
function postgres.session(url, statement)
  return assert(io.popen(psql(url, "-c " .. shell.quote(statement) .. " >/dev/null 2>&1"), "w"))
end

--- A client to write statements to: it waits for the next when it has run one.
function postgres.client(url)
  return assert(io.popen(psql(url, ">/dev/null 2>&1"), "w"))
end

--- All rows of a database, as text.
function postgres.dump(url)
  return shell.output(("%s/pg_dump --data-only --inserts -d %s"):format(shell.quote(program_folder()), shell.quote(url)))
end

-- A database ----------------------------------------------------------------------------------------------------------------

local Database = {}
Database.__index = Database

function Database:sql(statement)
  return postgres.sql(self.url, statement)
end

--- Removes it, whoever is still connected.
function Database:remove()
  self.cluster:sql(('DROP DATABASE IF EXISTS "%s" WITH (FORCE)'):format(self.name))
end

-- A cluster -----------------------------------------------------------------------------------------------------------------

local Cluster = {}
Cluster.__index = Cluster

-- Those that this process owns and has not ended.
local running = setmetatable({}, {
  __gc = function(left)
    for cluster in pairs(left) do pcall(cluster.remove, cluster) end
  end,
})

local function write_settings(folder, options)
  local settings = { unix_socket_directories = "'" .. folder .. "'", port = tostring(PORT) }
  for name, value in pairs(SETTINGS) do settings[name] = value end
  if options.fsync then settings.fsync, settings.full_page_writes = "on", "on" end
  for name, value in pairs(options.settings or {}) do settings[name] = value end
  local lines = {}
  for name, value in pairs(settings) do lines[#lines + 1] = name .. " = " .. value end
  local text = table.concat(lines, "\n") .. "\n"
  local append = ("printf '%%s' %s >>%s/data/postgresql.conf"):format(shell.quote(text), folder)
  shell.run(as_server("sh -c " .. shell.quote(append)))
end

--- A cluster of one's own, which runs. Options: fsync; settings, as in postgresql.conf (text in its quotes).
function postgres.cluster(options)
  assert(not postgres.missing(), postgres.missing())
  -- Not in TMPDIR: the server's user may not reach that, and a socket's path has to be short.
  local folder = shell.output(as_server "mktemp -d /tmp/providerd-postgres.XXXXXX"):match("%S+")
  local self = setmetatable({ folder = folder }, Cluster)
  running[self] = true
  local guard = GUARD:gsub("%f[%u]%u%u%u+%f[%U]", { FOLDER = folder, OWNER = own_pid() })
  shell.run("env -i PATH=/usr/bin:/bin setsid sh -c " .. shell.quote(guard) .. " </dev/null >/dev/null 2>&1 &")
  shell.output(as_server(INITDB .. folder .. "/data"))
  write_settings(folder, options or {})
  self:start()
  return self
end

function Cluster:control(words)
  local command = "pg_ctl -s -D %s/data -l %s/log %s </dev/null"
  shell.output(as_server(command:format(self.folder, self.folder, words)) .. " >/dev/null")
end

--- Starts the server and waits until it takes connections, also after a crash.
function Cluster:start() self:control "-w -t 60 start" end

--- Ends the server well, with its clients' connections.
function Cluster:stop() self:control(("-w -t %d -m fast stop"):format(STOP_SECONDS)) end

--- Ends the server as if it had been killed: it recovers by its log at the next start.
function Cluster:crash() self:control(("-w -t %d -m immediate stop"):format(STOP_SECONDS)) end

--- What its log says.
--- Its state, for put_back(); the server is down for a moment.
function Cluster:keep()
  self:stop()
  shell.output(as_server(("rm -rf %s/kept && cp -a %s/data %s/kept"):format(self.folder, self.folder, self.folder)))
  self:start()
end

--- Of a crashed server: the state that was kept, as a standby has it that is promoted: a timeline of its own.
function Cluster:put_back()
  local steps = "cd %s && rm -rf data && cp -a kept data && touch data/recovery.signal"
    .. " && echo \"restore_command = 'false'\" >>data/postgresql.auto.conf"
  shell.output(as_server("sh -c " .. shell.quote(steps:format(self.folder))))
  self:start()
end

function Cluster:log() return shell.read(self.folder .. "/log") or "" end

--- What it answers, asked in its own database.
function Cluster:sql(statement)
  return postgres.sql(url_of(self.folder, "postgres"), statement)
end

--- Ends the connections of all clients. They may come back at once.
function Cluster:cut()
  return self:sql [[SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()]]
end

--- The path of the socket on which it listens.
function Cluster:socket() return ("%s/.s.PGSQL.%d"):format(self.folder, PORT) end

local databases = 0

--- A database without tables, or a copy of another one that nobody is connected to.
function Cluster:database(template)
  databases = databases + 1
  local name = ("host_%s_%d"):format(own_pid(), databases)
  self:sql(('CREATE DATABASE "%s" TEMPLATE "%s"'):format(name, template or "template1"))
  return setmetatable({ cluster = self, name = name, url = url_of(self.folder, name) }, Database)
end

--- Ends the server, whatever it does, and removes its folder.
function Cluster:remove()
  if not running[self] then return end
  running[self] = nil
  pcall(self.crash, self)
  shell.run("rm -rf " .. shell.quote(self.folder))
end

-- The run's -----------------------------------------------------------------------------------------------------------------

local shared

--- The cluster that all files of a run share, or this process's own.
function postgres.shared()
  if not shared then
    local folder = os.getenv(SHARED)
    shared = folder and setmetatable({ folder = folder }, Cluster) or postgres.cluster()
  end
  return shared
end

--- Starts the run's cluster: words for the environment of those who are to use it.
function postgres.share()
  shared = postgres.cluster()
  return ("%s=%s"):format(SHARED, shell.quote(shared.folder))
end

--- Ends it, if it was started. So does the end of this process.
function postgres.unshare()
  if shared then shared:remove() end
  shared = nil
end

function postgres.database(template)
  return postgres.shared():database(template)
end


return postgres
