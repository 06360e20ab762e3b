-- providerd migrate moves a registry whole, between SQLite and PostgreSQL and back: what the host says of it is the same
-- before and after, whatever is killed in between; and it refuses what it must not touch.
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local many_jobs = require "spec.support.many_jobs"
local postgres = require "spec.support.postgres"
local shell = require "spec.support.shell"
local socket = require "socket"
local told_vendor = require "spec.support.told_vendor"

local SUBMIT = "/api/providers/image/fal/submit"

local function file(host, name)
  local path = host.home .. "/data/" .. (name or "registry.db")
  return {
    url = "sqlite:" .. path, path = path,
    sql = function(_, statement) return shell.output(("sqlite3 %s %s"):format(path, shell.quote(statement))) end,
    remove = function() end,
  }
end

local function migrate(from, to, options)
  return hosts.run({ "migrate", "--from", from.url, "--to", to.url }, options)
end

local function moved(from, to)
  local code, out, err = migrate(from, to)
  assert.equal(0, code, err)
  assert.truthy(out:find("compared row by row", 1, true), out)
  return out, err
end

local COMMAND = "PROVIDERD_TEST_STALL=migrate:%s:60 %s migrate --from '%s' --to '%s' >/dev/null 2>&1 & echo $!"

local function runs(pid)
  return os.execute("kill -0 " .. pid .. " 2>/dev/null")
end

-- Begins it, standing still in a step, and kills it when test() says so. Who looks at the file meanwhile keeps it from beginning:
-- then it is begun again.
local function killed(host, from, to, step, test)
  local pid
  host:eventually(function()
    if not pid or not runs(pid) then
      local pipe = assert(io.popen(COMMAND:format(step, os.getenv("PROVIDERD") or "build/providerd", from.url, to.url)))
      pid = pipe:read("l")
      pipe:close()
      socket.sleep(0.5)
    end
    return test()
  end)
  os.execute("kill -KILL " .. pid .. " 2>/dev/null")
  host:eventually(function() return not runs(pid) end)
end

local function refused(from, to, text)
  local code, out, err = migrate(from, to)
  assert.equal(1, code, out .. err)
  assert.truthy(err:find(text, 1, true), err)
end

-- The host goes on with this registry.
local function use(host, place)
  local config = exact.decode(host:read "config/comfyvn.json")
  config.registry = { url = place.url }
  host:write("config/comfyvn.json", exact.encode(config))
  host:start_again()
end

local targets = { ["another file"] = function(host) return file(host, "new.db") end }
if not postgres.missing() then targets.PostgreSQL = function() return postgres.database() end end

for name, make in pairs(targets) do
  describe("a registry that goes to " .. name, function()
    local host, target
    before_each(function()
      host = hosts.start {}
      target = make(host)
    end)
    after_each(function()
      host:remove()
      target:remove()
    end)

    it("is the same there, and once it is back", function()
      for i = 1, 40 do host:post(SUBMIT, { prompt = "job " .. i .. " über" }, { ["Idempotency-Key"] = "key " .. i }) end
      local jobs, events = host:get("/api/jobs/list?limit=100").body, host:get("/api/events/history").body
      host:stop()
      moved(file(host), target)
      use(host, target)
      assert.equal(jobs, host:get("/api/jobs/list?limit=100").body)
      assert.equal(events, host:get("/api/events/history").body)
      local again = host:post(SUBMIT, { prompt = "job 7 über" }, { ["Idempotency-Key"] = "key 7" })
      assert.truthy(jobs:find(again.json.job_id, 1, true))
      local new = host:post(SUBMIT, { prompt = "a job of the new registry" }).json.job_id
      jobs = host:get("/api/jobs/list?limit=100").body
      assert.truthy(jobs:find(new, 1, true))
      host:stop()
      local back = file(host, "back.db")
      moved(target, back)
      assert.equal("0", back:sql("SELECT count(*) FROM setting WHERE name = 'registry.server'"):match("%d+"))
      use(host, back)
      assert.equal(jobs, host:get("/api/jobs/list?limit=100").body)
    end)

    it("goes on after each kill, and no host starts on a part of it", function()
      host:stop()
      many_jobs.fill(host, 20000, function(i) return { live = i % 50 == 0, prompt = "job '" .. i .. "'" } end)
      local function rows() return tonumber((select(2, pcall(target.sql, target, "SELECT count(*) FROM task")))) or 0 end
      for _, step in ipairs { "task", "task", "compare", "finish" } do
        local before = rows()
        killed(host, file(host), target, step, function() return rows() > before or rows() == 20000 end)
      end
      local problem = select(2, pcall(use, host, target))
      assert.truthy(tostring(problem):find("this registry is being filled from", 1, true), problem)
      local _, err = moved(file(host), target)
      assert.truthy(err:find("going on where the last call stopped", 1, true), err)
      assert.equal("20000", target:sql("SELECT count(*) FROM task"):match("%d+"))
      local figures = "SELECT count(*), max(sequence) FROM ledger"
      assert.equal(file(host):sql(figures), target:sql(figures))
      host:start_again()
      assert.equal(200, host:get("/api/jobs/list").status)
    end)

    it("is compared row by row: a row that is changed meanwhile is told", function()
      for i = 1, 5 do host:post(SUBMIT, { prompt = "job " .. i }) end
      host:stop()
      local function all() return target:sql("SELECT count(*) FROM task"):match("%d+") == "5" end
      killed(host, file(host), target, "compare", all)
      target:sql "UPDATE task SET payload = '{}' WHERE sequence = (SELECT max(sequence) FROM task)"
      local number = target:sql("SELECT max(sequence) FROM task"):match("%d+")
      refused(file(host), target, "payload of the row of task with sequence = " .. number .. " is not the same")
      target:sql "DELETE FROM task WHERE sequence = (SELECT min(sequence) FROM task)"
      refused(file(host), target, "the two registries differ")
      assert.truthy(select(2, pcall(use, host, target)):find("being filled from", 1, true)) -- nor does a host start on it
      use(host, file(host))
    end)

    it("takes every table along", function()
      host:post(SUBMIT, { prompt = "a job" })
      host:stop()
      file(host):sql "CREATE TABLE forgotten (number INTEGER PRIMARY KEY)"
      refused(file(host), target, "the table forgotten cannot be moved: the target has no such table; nothing was moved")
      file(host):sql "DROP TABLE forgotten"
      file(host):sql "ALTER TABLE task ADD COLUMN forgotten TEXT"
      refused(file(host), target, "the table task.forgotten cannot be moved: the target has no such column; nothing was moved")
      file(host):sql "ALTER TABLE task DROP COLUMN forgotten"
      moved(file(host), target)
      host:start_again()
    end)

    it("does not go where another one is", function()
      host:post(SUBMIT, { prompt = "a job" })
      host:stop()
      moved(file(host), target)
      refused(file(host), target, "this is another registry already")
      local third = file(host, "third.db")
      moved(target, third)
      refused(target, file(host), "this is another registry already")
      host:start_again()
    end)

    it("does not go where another program's tables are, nor a newer schema", function()
      host:stop()
      target:sql "CREATE TABLE theirs (number INTEGER PRIMARY KEY)"
      local code, _, err = migrate(file(host), target)
      assert.equal(1, code)
      assert.truthy(err:find("another program", 1, true), err)
      target:sql "DROP TABLE theirs"
      moved(file(host), target)
      target:sql(name == "PostgreSQL" and "UPDATE registry SET version = 1000, oldest = 1000" or "PRAGMA user_version = 1000")
      refused(file(host), target, "the registry has schema version 1000")
      refused(target, file(host, "other.db"), "the registry has schema version 1000")
      host:start_again()
    end)

    it("is not moved while a host runs on either side", function()
      host:post(SUBMIT, { prompt = "a job" })
      refused(file(host), target, "a host runs on this home")
      host:stop()
      moved(file(host), target)
      use(host, target)
      local elsewhere = { url = "sqlite:" .. host.folder .. "/elsewhere.db" }
      refused(target, elsewhere, name == "PostgreSQL" and "runs on this registry" or "a host runs on this home")
      host:kill() -- it cannot say that it ends
      local _, err = moved(target, elsewhere)
      assert.equal(name == "PostgreSQL", err:find("its beat is watched", 1, true) ~= nil, err)
      host:start_again()
    end)
  end)
end

describe("providerd migrate", function()
  it("does not take a registry from under a host that keeps it elsewhere", function()
    local folder = shell.output("mktemp -d"):match("%S+")
    local host = hosts.start { config = { registry = { url = "sqlite:" .. folder .. "/registry.db" } } }
    host:post(SUBMIT, { prompt = "a job" })
    refused({ url = "sqlite:" .. folder .. "/registry.db" }, file(host, "new.db"), "has this registry open")
    host:remove()
    shell.run("rm -r " .. folder)
  end)

  local ways = { ["a file to another"] = { false, false } }
  if not postgres.missing() then
    ways["a file to PostgreSQL"], ways["PostgreSQL to a file"] = { false, true }, { true, false }
  end
  for way, on_server in pairs(ways) do
    it("lets open jobs go on in the new registry, and count as unknown in the old one: " .. way, function()
      local vendor, from, to = told_vendor.start(), on_server[1] and postgres.database(), on_server[2] and postgres.database()
      vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } },
        ["GET *"] = { json = { status = "running" } } }
      local host = vendor:live { config = function(config)
        config.live.providers.told.max_concurrent = 1
        config.registry = from and { url = from.url } or nil
      end }
      from, to = from or file(host), to or file(host, "new.db")
      local first, waiting = vendor:job(0.01), vendor:job(0.01)
      vendor:becomes(first, "running")
      assert.equal("queued", vendor:status(waiting).status) -- there is one place
      host:post("/api/live/stop")
      host:stop()
      local out = moved(from, to)
      assert.truthy(out:find("2 jobs are open", 1, true), out)
      host:start_again() -- on the old one
      host:post("/api/live/start")
      vendor:becomes(waiting, "unknown")
      host:stop()
      vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } }, ["GET *"] = { json = { status = "done" } } }
      use(host, to)
      host:post("/api/live/start")
      vendor:refresh(first)
      vendor:becomes(waiting, "done")
      assert.equal(2, vendor:seen("POST /pay"))
      vendor:remove()
      from:remove()
      to:remove()
    end)
  end

  it("shows no password among its arguments while it works", function()
    local source = hosts.start { config = { registry = { url = "sqlite:data/registry.db" } } }
    source:stop()
    local to = { url = "postgresql://nobody:planted-password@127.0.0.1:1/registry" }
    local pipe = assert(io.popen(COMMAND:format("open", os.getenv("PROVIDERD") or "build/providerd", file(source).url, to.url)))
    local pid, arguments = pipe:read("l"), ""
    pipe:close()
    source:eventually(function()
      arguments = shell.read("/proc/" .. pid .. "/cmdline") or ""
      return arguments:find("postgresql:*", 1, true)
    end)
    os.execute("kill -KILL " .. pid .. " 2>/dev/null")
    source:remove()
    assert.is_nil(arguments:find("planted", 1, true))
  end)

  it("says what is missing", function()
    local code, _, err = hosts.run { "migrate", "--from", "sqlite:x.db" }
    assert.equal(64, code)
    assert.truthy(err:find("both --from and --to are needed", 1, true), err)
    code, _, err = hosts.run { "migrate", "--from", "sqlite:/nowhere/x.db", "--to", "sqlite:/tmp/y.db" }
    assert.equal(1, code)
    assert.truthy(err:find("there is no registry here: nothing to move", 1, true), err)
    code, _, err = hosts.run { "migrate", "--from", "mysql://u:secret@h/d", "--to", "sqlite:/tmp/y.db" }
    assert.equal(1, code)
    assert.truthy(err:find("expected", 1, true), err)
    assert.falsy(err:find("secret", 1, true))
  end)
end)
