-- A registry on a server is backed up and put back by the commands of docs/cluster.md, as the database's administrator.
local example = require "spec.support.cluster_example"
local hosts = require "spec.support.host"
local shell = require "spec.support.shell"

local SUBMIT = "/api/providers/image/fal/submit"

if example.missing() then
  describe("a backup", function()
    it("is put back", function() pending(example.missing()) end)
  end)
  return
end

-- The lines of the page that begin so, without what is said of them.
local function documented(word)
  for line in assert(shell.read "docs/cluster.md"):gmatch("[^\n]+") do
    if line:sub(1, #word) == word then return (line:gsub("%s+#.*", "")) end
  end
  error("docs/cluster.md has no " .. word)
end

describe("a backup of a registry on a server", function()
  local server, host
  setup(function() server = example.server() end)
  teardown(function()
    if host then host:remove() end
    server:remove()
  end)

  -- A documented command, on the server, with the backup in this folder.
  local function run(word)
    local command = documented(word):gsub("/var/backups/providerd%-.*%.dump", server.folder .. "/wal/backup.dump")
    return server:command(command)
  end

  it("is whole: jobs, events, keys, and rights", function()
    host = hosts.start { config = { registry = { url = server:url() } } }
    local first = host:post(SUBMIT, { prompt = "one" }, { ["Idempotency-Key"] = "one" }).json.job_id
    run "pg_dump"
    local later = host:post(SUBMIT, { prompt = "two" }).json.job_id
    host:stop()
    run "psql -d providerd -c 'DROP SCHEMA"
    run "pg_restore"
    local code, out, err = hosts.run { "registry", "restored", "--home", host.home }
    assert.equal(0, code, err)
    assert.truthy(out:find("0 jobs are open", 1, true), out)
    host:start_again()
    assert.equal(first, host:post(SUBMIT, { prompt = "one" }, { ["Idempotency-Key"] = "one" }).json.job_id)
    assert.equal(404, host:get("/api/jobs/status/" .. later).status)
    local events = host:get("/api/events/history?type=host.registry.restored").json.events
    assert.equal(1, #events)
    assert.is_true(tonumber(events[1].id) > 1000000)
    assert.equal(200, host:post(SUBMIT, { prompt = "three" }).status)
  end)
end)
