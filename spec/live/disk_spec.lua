-- What must survive is on the disk before anybody is told so: each step of each write fails once, the answer says no, and what
-- was there
-- before stays.
local disks = require "spec.support.disk_fault"
local shell = require "spec.support.shell"
local support = require "spec.support.live"

local ENOSPC = 28

describe("a disk that fails", function()
  local live, disk

  -- False under a sanitizer.
  local function start(options)
    disk = disks.new()
    if not disk then return false end
    options = options or {}
    options.env = disk:env()
    live = support.start(options)
    return true
  end

  after_each(function()
    if live then live:remove() end
    if disk then disk:remove() end
    live, disk = nil, nil
  end)

  local function state() return live.host:get("/api/live").json.stopped end

  local function restart()
    live.host:kill()
    live.host:start_again()
  end

  it("keeps the switch as it was in the registry, and says so", function()
    if not start() then return pending("not under a sanitizer") end
    -- what was written, and only not synced, may be found after a restart
    local steps = { { "write", "registry.db-wal", { errno = ENOSPC } }, { "fsync", "registry.db-wal" } }
    for _, step in ipairs(steps) do
      disk:fail(step[1], step[2], step[3])
      local answer = live.host:post("/api/live/stop")
      assert.is_true(disk:mend() > 0, step[1])
      assert.equal(503, answer.status, step[1])
      assert.is_truthy(answer.json.detail:find("until the host is started again", 1, true), answer.json.detail)
      assert.is_true(state()) -- nothing is sent, though it will not last
      restart()
      if step[1] == "write" then assert.is_false(state()) end
      assert.equal(200, live.host:post("/api/live/start").status)
    end
    assert.equal(200, live.host:post("/api/live/stop").status)
    for _, step in ipairs(steps) do
      disk:fail(step[1], step[2], step[3])
      local answer = live.host:post("/api/live/start")
      assert.is_true(disk:mend() > 0, step[1])
      assert.equal(503, answer.status, step[1])
      assert.is_true(state(), step[1])
      restart()
      if step[1] == "write" then assert.is_true(state()) end
      assert.equal(200, live.host:post("/api/live/stop").status)
    end
    assert.equal(200, live.host:post("/api/live/start").status)
    assert.is_false(state())
  end)

  it("keeps no output that is not wholly there, its folder's name too", function()
    if not start() then return pending("not under a sanitizer") end
    local steps = {
      { "open", "artifacts/tmp/" }, { "write", "artifacts/tmp/", { errno = ENOSPC } },
      { "write", "artifacts/tmp/", { errno = ENOSPC, skip = 1 } }, { "fsync", "artifacts/tmp/" },
      { "fsync", "artifacts/tmp/", { skip = 1 } }, { "mkdir", "/artifacts/" }, { "fsync", "/data/artifacts$" },
      { "rename", ".json" },
    }
    local function job() return live:ended(live:job("stability", { seed = math.random(1 << 31) })) end
    for _, step in ipairs(steps) do
      shell.run("rm -rf " .. shell.quote(live.host.home .. "/data/artifacts"))
      disk:fail(step[1], step[2], step[3])
      local ended = job()
      assert.is_true(disk:mend() > 0, step[1])
      assert.equal("done", ended.status)
      assert.is_string(ended.artifacts[1].error, step[1] .. " " .. step[2])
      assert.is_nil(ended.artifacts[1].sha256)
    end
    local ended = job()
    local artifact = ended.artifacts[1]
    assert.is_string(artifact.sha256)
    assert.equal(200, live.host:get(artifact.url).status)
  end)

  it("lets no paid request leave that is not counted beside the registry", function()
    if not start() then return pending("not under a sanitizer") end
    for _, step in ipairs { { "open", "registry.db.paid.new" }, { "fsync", "registry.db.paid.new" }, { "fsync", "/data$" } } do
      local paid = live:paid()
      disk:fail(step[1], step[2])
      local job = live:job("fal")
      live.host:eventually(function() return disk:met() > 1 end)
      assert.equal("queued", live:status(job).status)
      assert.equal(paid, live:paid(), step[1])
      disk:mend()
      assert.equal("done", live:ended(job).status)
      assert.equal(paid + 1, live:paid())
    end
  end)

  it("has no registry that may be gone after a power loss", function()
    if not start() then return pending("not under a sanitizer") end
    for _, step in ipairs { { "fsync", "registry.db.new" }, { "rename", "registry.db" }, { "fsync", "/data$" } } do
      live.host:stop()
      shell.run("rm -f " .. shell.quote(live.host.home .. "/data") .. "/registry.db*")
      disk:fail(step[1], step[2])
      local ok = pcall(live.host.start_again, live.host)
      assert.is_false(ok, step[1])
      assert.is_true(disk:mend() > 0, step[1])
      assert.is_nil(live.host:read("data/registry.db"), step[1])
      live.host:start_again()
    end
  end)
end)
