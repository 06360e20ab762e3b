-- Dry runs are answered for when their rows stand in data/registry.db-ring, and are carried to registry.db a moment later. Who
-- kills the host in between, fills the disk, or puts another file there loses nothing that was answered, and gets nothing
-- twice; who reads sees no difference.
local crowd = require "spec.support.crowd_submits"
local hosts = require "spec.support.host"
local shell = require "spec.support.shell"
local socket = require "socket"

local SUBMIT = "/api/providers/image/fal/submit"
local RING = "data/registry.db-ring"
local FILES = { "data/registry.db", "data/registry.db-wal", "data/registry.db-shm", "data/registry.db.paid" }

describe("the ring of dry runs", function()
  local host
  after_each(function()
    if host then host:remove() end
    host = nil
  end)

  -- Its first submit makes the provider known; those after it are kept in the ring.
  local function start(env)
    host = hosts.start { env = env }
    assert.equal(200, host:post(SUBMIT, { prompt = "the first" }).status)
    return host
  end

  -- Rows are carried so slowly that they are seen on their way.
  local function start_slow(seconds, env)
    local with = { PROVIDERD_TEST_STALL = "ring:carry:" .. seconds, PROVIDERD_TEST_WATCHDOG_MS = "600000" }
    for name, value in pairs(env or {}) do with[name] = value end
    return start(with)
  end

  local function submit(count, prompt)
    local ids = {}
    for i = 1, count do
      local answer = host:post(SUBMIT, { prompt = (prompt or "number ") .. i })
      assert.equal(200, answer.status)
      ids[i] = answer.json.job_id
    end
    return ids
  end

  local function has(id) return host:get("/api/jobs/status/" .. id).status == 200 end

  -- Kills it after so many seconds, while it is at work.
  local function kill_in(seconds)
    shell.run(("(sleep %.3f; kill -9 %d) >/dev/null 2>&1 &"):format(seconds, host.pid))
  end

  local function start_again(env)
    host.env = env or host.env
    host:start_again()
  end

  local function intact()
    assert.equal("ok\n", shell.sql(host, "PRAGMA integrity_check"))
  end

  local function there(path) return host:read(path) ~= nil end

  local function logged(text)
    return (host:log()):find(text, 1, true)
  end

  -- Kills it with these in the ring only.
  local function killed_with(count)
    start_slow(20)
    local ids = submit(count)
    host:kill()
    host.env = nil
    return ids
  end

  -- What users see ------------------------------------------------------------------------------------------------------

  it("shows a job to who knows its id as soon as it is answered, and to who lists as well", function()
    start()
    for _ = 1, 100 do
      local id = host:post(SUBMIT, { prompt = "a cat" }).json.job_id
      assert.is_true(has(id))
      assert.equal(id, host:get("/api/jobs/list?limit=1").json.tasks[1].job_id)
    end
    for _ = 1, 50 do
      local id = host:post(SUBMIT, { prompt = "a cat" }).json.job_id
      local newest = host:get("/api/events/history?limit=1").json.newest
      local event = host:get("/api/events/history?limit=1&after=" .. math.tointeger(newest) - 1).json.events[1]
      assert.equal(id, event.subject)
    end
    host:post(SUBMIT, { prompt = "a cat" })
    assert.equal(152, host:get("/api/jobs/counts").json.counts.done)
    host:post(SUBMIT, { prompt = "a cat" })
    local metrics = host:get("/metrics").body
    assert.truthy(metrics:find('tasks_total{kind="image",provider="fal",status="done"} 153', 1, true), metrics)
  end)

  it("answers while rows are carried slowly: by id at once, the list after a second at most", function()
    start_slow(3)
    local ids, began = submit(20), socket.gettime()
    for _, id in ipairs(ids) do
      assert.is_true(has(id))
      assert.equal(id, host:get("/api/jobs/status/" .. id).json.job_id)
    end
    assert.equal("number 20", host:get("/api/jobs/status/" .. ids[20]).json.payload.prompt)
    assert.equal(404, host:get("/api/jobs/status/" .. ids[1]:gsub("%x$", function(c) return c == "0" and "1" or "0" end)).status)
    assert.equal(200, host:get("/api/jobs/list").status)
    assert.is_true(socket.gettime() - began < 60)
    host:eventually(function() return #host:get("/api/jobs/list").json.tasks == 21 end)
    crowd.check(host, ids)
  end)

  it("tells who follows of each job, once and in order", function()
    start()
    local seen = {}
    local ids = submit(30)
    for _, event in ipairs(host:get("/api/events/history?limit=500&after=1").json.events) do seen[#seen + 1] = event.subject end
    assert.same(ids, seen)
  end)

  -- Ends without warning ----------------------------------------------------------------------------------------------

  it("has every job that was answered, once and with one event, whenever the host is killed", function()
    start()
    local answered = {}
    for round = 1, 8 do
      kill_in(0.05 + 0.13 * round)
      for _, id in ipairs(crowd.run(host.port, { connections = 8, seconds = 30 }).ids) do answered[#answered + 1] = id end
      host:kill()
      start_again()
      intact()
    end
    assert.is_true(#answered > (os.getenv "SPEC_SLOW" and 5 or 100), #answered .. " were answered")
    crowd.check(host, answered)
  end)

  it("carries what a kill left when it starts again, and then no other time", function()
    local ids = killed_with(40)
    start_again()
    crowd.check(host, ids)
    host:kill()
    start_again()
    crowd.check(host, ids)
    assert.equal(1, select(2, host:log():gsub("40 dry runs stand in", "")))
    intact()
  end)

  it("does so too when it is killed in the midst of that", function()
    local ids = killed_with(40)
    for _ = 1, 3 do
      host.env = { PROVIDERD_TEST_STALL = "ring:carry:30", PROVIDERD_TEST_WATCHDOG_MS = "600000" }
      shell.run(("(sleep 1; kill -9 $(cat $(ls -t %s/run-*.pid | head -1))) >/dev/null 2>&1 &"):format(shell.quote(host.folder)))
      assert.is_false((pcall(host.start_again, host)))
    end
    start_again {}
    crowd.check(host, ids)
    intact()
  end)

  it("leaves out a record that is not whole, and has the others", function()
    local ids = killed_with(10)
    local text = host:read(RING)
    local at = assert(text:find("number 7", 1, true))
    host:write_in_place(RING, text:sub(1, at) .. "X" .. text:sub(at + 2))
    start_again()
    assert.is_false(has(ids[7]))
    table.remove(ids, 7)
    crowd.check(host, ids)
    intact()
  end)

  it("takes nothing for a record that does not stand where it was written", function()
    local ids = killed_with(10)
    local text = host:read(RING)
    local at = assert(text:find("number 5", 1, true)) - 4097
    local record
    repeat -- back to where it begins: a multiple of 64, with its position there
      at = at - at % 64 - (record and 64 or 0)
      record = text:sub(4097 + at, 4097 + at + 1023)
    until string.unpack("<I8", record, 9) == at
    for place = 1024 * 1024, 1024 * 1024 + 8 * 64, 64 do -- once as it is, once with the other position
      text = text:sub(1, 4096 + place) .. record .. text:sub(4096 + place + 1025)
    end
    local moved = record:sub(1, 8) .. string.pack("<I8", 1536 * 1024) .. record:sub(17)
    text = text:sub(1, 4096 + 1536 * 1024) .. moved .. text:sub(4096 + 1536 * 1024 + 1025)
    host:write_in_place(RING, text)
    start_again()
    assert.truthy(logged("10 dry runs stand in"))
    crowd.check(host, ids)
    intact()
  end)

  it("warns when the file is gone after such an end, and goes on", function()
    local ids = killed_with(5)
    host:delete(RING)
    start_again()
    assert.truthy(logged("dry runs of the last moments may be missing"))
    assert.is_false(has(ids[1]))
    crowd.check(host, submit(5))
  end)

  -- Other files -----------------------------------------------------------------------------------------------------------

  it("puts nothing into another registry, and keeps the file for its own", function()
    local ids = killed_with(12)
    shell.run("mkdir " .. shell.quote(host.home .. "/own"))
    for _, file in ipairs(FILES) do os.rename(host.home .. "/" .. file, host.home .. "/own/" .. file:match("[^/]+$")) end
    start_again()
    local aside = assert(host:log():match("it was moved to ([^ ]*registry%.db%-ring%-%d+)"), host:log())
    assert.equal(0, host:get("/api/jobs/counts").json.counts.done)
    assert.equal(0, host:stop())
    for _, file in ipairs(FILES) do
      os.remove(host.home .. "/" .. file)
      os.rename(host.home .. "/own/" .. file:match("[^/]+$"), host.home .. "/" .. file)
    end
    assert(os.rename(aside, host.home .. "/" .. RING))
    start_again()
    crowd.check(host, ids)
    intact()
  end)

  it("adds to an older copy of the registry what it lacks, and nothing that it has", function()
    start()
    local ids = submit(5, "before ")
    shell.sql(host, ".backup " .. shell.quote(host.home .. "/copy.db"))
    for _, id in ipairs(submit(20, "after ")) do ids[#ids + 1] = id end
    host:kill()
    for _, file in ipairs(FILES) do os.remove(host.home .. "/" .. file) end
    assert(os.rename(host.home .. "/copy.db", host.home .. "/data/registry.db"))
    start_again()
    assert.equal(26, host:get("/api/jobs/counts").json.counts.done)
    crowd.check(host, ids)
    intact()
  end)

  it("passes over what is there already", function()
    start()
    local ids = submit(20)
    crowd.check(host, ids)
    host:kill()
    shell.sql(host, "UPDATE ring SET carried = 0; DELETE FROM event WHERE sequence = (SELECT max(sequence) FROM task);"
      .. "DELETE FROM task WHERE sequence = (SELECT max(sequence) FROM task)") -- all but the last are there
    start_again()
    assert.truthy(logged("20 dry runs stand in"))
    crowd.check(host, ids)
    for _, id in ipairs(submit(5)) do ids[#ids + 1] = id end
    crowd.check(host, ids)
    intact()
  end)

  it("is gone after a clean stop, and registry.db has all", function()
    start()
    assert.is_true(there(RING))
    local found = crowd.run(host.port, { connections = 8, seconds = 0.5 })
    assert.equal(0, host:stop())
    assert.is_false(there(RING))
    assert.is_false(there("data/registry.db-wal"))
    assert.is_true(tonumber((shell.sql(host, "SELECT count(*) FROM task"))) >= #found.ids + 1)
    shell.run(("cd %s && mkdir only && cp data/registry.db only/"):format(shell.quote(host.home)))
    start_again()
    crowd.check(host, found.ids)
    assert.is_nil(logged("registry.ring"))
  end)

  it("goes with a registry that is moved", function()
    local ids = killed_with(10)
    local code, _, err = hosts.run { "migrate", "--home", host.home, "--from", "sqlite:data/registry.db",
      "--to", "sqlite:data/new.db" }
    assert.equal(0, code, err)
    assert.is_false(there(RING))
    host:write("config/comfyvn.json", [[{"registry":{"url":"sqlite:data/new.db"}}]])
    start_again()
    assert.is_true(there("data/new.db-ring"))
    crowd.check(host, ids)
  end)

  -- No room ---------------------------------------------------------------------------------------------------------------

  it("takes the slower way when it is full, and loses nothing", function()
    start_slow(0.5, { PROVIDERD_TEST_RING_BYTES = "8192" })
    local ids = submit(40)
    for _, id in ipairs(ids) do assert.is_true(has(id)) end
    host:kill()
    start_again {}
    crowd.check(host, ids)
    intact()
  end)

  it("does so for a row that is too large for it", function()
    start { PROVIDERD_TEST_RING_BYTES = "8192" }
    local ids = submit(4, ("long "):rep(600))
    host:kill()
    start_again {}
    crowd.check(host, ids)
  end)

  -- The id of a row that waits in the ring, for want of room beside it.
  local function kept_on_full_disk(disk)
    start(disk:env())
    submit(3)
    host:eventually(function() return #host:get("/api/jobs/list").json.tasks == 4 end)
    disk:fail("write", "registry.db-wal", { errno = 28 })
    local kept = submit(1)[1]
    host:eventually(function() return host:get("/readyz").status == 503 end)
    return kept
  end

  it("waits while the disk is full, says so, and takes nothing more", function()
    local disk = require("spec.support.disk_fault").new()
    if not disk then return pending("not under a sanitizer") end
    finally(function() disk:remove() end)
    local kept = kept_on_full_disk(disk)
    assert.truthy(host:get("/readyz").body:find("the registry cannot be written", 1, true))
    local answer = host:post(SUBMIT, { prompt = "no room" })
    assert.equal(503, answer.status)
    assert.truthy(answer.headers["retry-after"])
    assert.is_true(has(kept))
    assert.equal(4, #host:get("/api/jobs/list").json.tasks)
    host:eventually(function() return logged("dry runs wait in the ring") end)
    disk:mend()
    host:eventually(function() return host:get("/readyz").status == 200 end)
    host:eventually(function() return #host:get("/api/jobs/list").json.tasks == 5 end)
    crowd.check(host, submit(3))
    crowd.check(host, { kept })
  end)

  it("keeps what waits over a kill when the disk was full", function()
    local disk = require("spec.support.disk_fault").new()
    if not disk then return pending("not under a sanitizer") end
    finally(function() disk:remove() end)
    local kept = kept_on_full_disk(disk)
    host:kill()
    disk:mend()
    start_again()
    crowd.check(host, { kept })
  end)

  -- Secrets -----------------------------------------------------------------------------------------------------------------

  it("never has a secret in the file", function()
    local secret = "0123abcd:0123456789ABCDEFfedcba"
    host = hosts.start { secrets = { fal = { api_key = secret } } }
    for i = 1, 5 do assert.equal(200, host:post(SUBMIT, { prompt = "see " .. secret .. " " .. i }).status) end
    host:kill()
    assert.truthy(host:read(RING):find("mock-fal-1", 1, true))
    assert.is_nil(host:read(RING):find(secret, 1, true))
    start_again()
  end)
end)
