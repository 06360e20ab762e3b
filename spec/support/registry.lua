-- A host's registry seen from beside the host, on either database: what stands in it, who keeps it, copies of it.
--
--   registry.sql(host, "SELECT count(*) FROM task")        -- rows as lines, columns between |
--   registry.bytes(host, "00ff")                           -- bytes in a statement, in the database's own words
--   registry.id(host, job_id)                              -- those of an id
--   registry.text(host)                                    -- all that stands in it, to look for what must not
--   local keeper = registry.keep(host) ... keeper:release()   -- another program keeps it: the host cannot write
--   local copy = registry.copy(host) ... registry.put_back(host, copy)   -- while it does not run; a host of SQLite notices, of
--                                                          -- PostgreSQL the command `registry restored` tells all
local postgres = require "spec.support.postgres"
local shell = require "spec.support.shell"

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"

local registry = { sql = shell.sql }

--- describe() on SQLite only: figures of time that are demanded of it, or what is about its file.
function registry.describe_on_sqlite(name, body)
  if os.getenv("REGISTRY") ~= "postgresql" then require("busted").describe(name, body) end
end

function registry.bytes(host, hex)
  return host.database and ("'\\x%s'::bytea"):format(hex) or ("X'%s'"):format(hex)
end

function registry.id(host, id)
  return registry.bytes(host, (id:gsub("-", "")))
end

--- Runs a file of statements.
function registry.run(host, path)
  if host.database then return postgres.run(host.database.url, path) end
  shell.run(("sqlite3 %s <%s"):format(shell.quote(host.home .. "/data/registry.db"), shell.quote(path)))
end

function registry.text(host)
  if host.database then return postgres.dump(host.database.url) end
  shell.settle(host)
  return (host:read "data/registry.db" or "") .. (host:read "data/registry.db-wal" or "")
end

local Keeper = {}
Keeper.__index = Keeper

-- SQLite: a transaction that writes. PostgreSQL: the lock that is everybody's who writes, kept by who works and does not wait for
-- its client: such a one is not ended (src/database/postgres_transaction.c).
function registry.keep(host)
  local self = setmetatable({ host = host }, Keeper)
  if host.database then
    self.pipe = postgres.session(host.database.url, [[SET application_name = 'keeper';
      SELECT pg_advisory_xact_lock(current_schema()::regnamespace::oid::int, 1), pg_sleep(300)]])
    local kept = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'keeper' AND wait_event = 'PgSleep'"
    repeat until host.database:sql(kept) == "1\n"
  else
    self.pipe = assert(io.popen("sqlite3 " .. shell.quote(host.home .. "/data/registry.db") .. " >/dev/null", "w"))
    self.pipe:write(".timeout 5000\nBEGIN IMMEDIATE;\n")
    self.pipe:flush()
  end
  return self
end

function Keeper:release()
  if self.host.database then
    self.host.database:sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keeper'"
  else
    self.pipe:write("ROLLBACK;\n")
  end
  self.pipe:close()
end

function registry.copy(host)
  if host.database then return host.database.cluster:database(host.database.name) end
  local copy = host.home .. "/registry.copy"
  shell.run(("cp %s/data/registry.db %s"):format(shell.quote(host.home), shell.quote(copy)))
  return copy
end

function registry.put_back(host, copy)
  if host.database then
    host.database:remove()
    host.database.cluster:sql(('CREATE DATABASE "%s" TEMPLATE "%s"'):format(host.database.name, copy.name))
    copy:remove()
    return shell.run(("%s registry restored --registry %s"):format(PROGRAM, shell.quote(host.database.url)))
  end
  local command = "cd %s/data && rm -f registry.db registry.db-* && cp %s registry.db"
  shell.run(command:format(shell.quote(host.home), shell.quote(copy)))
end

return registry
