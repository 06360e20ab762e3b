-- `providerd registry restored`: a backup that was put back. None of the jobs that it shows as waiting is sent again, whoever
-- starts first.
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local postgres = require "spec.support.postgres"
local shell = require "spec.support.shell"
local told_vendor = require "spec.support.told_vendor"

local function restored(host, words)
  local arguments = { "registry", "restored", "--home", host.home }
  for _, word in ipairs(words or {}) do arguments[#arguments + 1] = word end
  return hosts.run(arguments)
end

local function backups(host, database)
  if database then
    return database.cluster:database(database.name), function(copy)
      database:remove()
      database.cluster:sql(('CREATE DATABASE "%s" TEMPLATE "%s"'):format(database.name, copy.name))
      copy:remove()
    end
  end
  shell.run(("cp %s/data/registry.db %s/copy.db"):format(host.home, host.home))
  return nil, function() -- and the number beside it is lost, by which it would be noticed
    shell.run(("cd %s/data && rm -f registry.db* && mv ../copy.db registry.db"):format(host.home))
  end
end

local stores = { SQLite = function() end }
if not postgres.missing() then stores.PostgreSQL = function() return postgres.database() end end

for name, make in pairs(stores) do
  describe("a backup of " .. name, function()
    it("that was put back sends nothing again", function()
      local vendor, database = told_vendor.start(), make()
      vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } },
        ["GET *"] = { json = { status = "running" } } }
      local host = vendor:live { config = function(config)
        config.live.providers.told.max_concurrent = 1
        config.registry = database and { url = database.url }
      end }
      local first, waiting = vendor:job(0.01), vendor:job(0.01)
      vendor:becomes(first, "running")
      assert.equal("queued", vendor:status(waiting).status) -- there is one place
      host:post("/api/live/stop")
      host:stop()
      local copy, put_back = backups(host, database)
      vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } }, ["GET *"] = { json = { status = "done" } } }
      host:start_again()
      host:post("/api/live/start")
      vendor:refresh(first)
      vendor:becomes(waiting, "done")
      local newest = tonumber(exact.decode(host:get("/api/events/history").body).newest)
      local _, _, refusal = restored(host)
      assert.truthy(refusal:find(database and "runs on this registry" or "a host runs on this home", 1, true), refusal)
      host:stop()
      put_back(copy)
      local code, out, err = restored(host)
      assert.equal(0, code, err)
      assert.truthy(out:find("2 jobs are open: they count as unknown", 1, true), out)
      host:start_again()
      host:post("/api/live/start")
      vendor:becomes(waiting, "unknown")
      assert.equal(2, vendor:seen("POST /pay"))
      assert.truthy(host:get("/api/events/history?type=host.registry.restored").json.events[1])
      if database then assert.is_true(tonumber(host:get("/api/events/history").json.newest) > newest + 900000) end
      vendor:remove()
      if database then database:remove() end
    end)
  end)
end

it("says what it can do", function()
  assert.equal(64, (hosts.run { "registry" }))
  assert.equal(64, (hosts.run { "registry", "forgotten" }))
  local code, _, err = hosts.run { "registry", "restored", "--registry", "sqlite:/nowhere/x.db" }
  assert.equal(1, code)
  assert.truthy(err:find("there is no registry here", 1, true), err)
end)
