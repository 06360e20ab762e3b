-- An older copy of the registry that is put back: whether or not the operator says so, no job that was paid for since is
-- sent again.
local shell = require "spec.support.shell"
local told_vendor = require "spec.support.told_vendor"

describe("an older copy of the registry", function()
  local vendor, host
  before_each(function()
    vendor = told_vendor.start()
    host = vendor:live { config = function(config) config.live.providers.told.max_concurrent = 1 end }
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } } }
  end)
  after_each(function() vendor:remove() end)

  local function in_data(command)
    shell.run("cd " .. shell.quote(host.home .. "/data") .. " && " .. command)
  end

  local function events(kind) return #host:get("/api/events/history?type=" .. kind).json.events end

  it("is noticed when a request was paid for since, once", function()
    vendor:becomes(vendor:job(0.01), "done")
    vendor:tell { ["POST /pay"] = { each = true, delay = 1.5, json = { status = "done" } } }
    local first = vendor:job(0.01)
    local queued = {}
    for i = 1, 3 do queued[i] = vendor:job(0.01) end
    host:post("/api/live/stop") -- what is not sent by now waits
    vendor:becomes(first, "done")
    host:stop()
    in_data("cp registry.db copy.db")
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } } }
    host:start_again()
    host:post("/api/live/start")
    for _, job in ipairs(queued) do vendor:becomes(job, "done") end
    local paid = vendor:seen("POST /pay")
    host:kill()
    in_data("rm -f registry.db registry.db-wal registry.db-shm && cp copy.db registry.db")
    host:start_again()
    host:eventually(function() return events("host.registry.restored") == 1 end)
    host:eventually(function() return host:log():find("registry.restored", 1, true) end)
    assert.is_true(host:get("/api/live").json.stopped) -- as it was when the copy was made
    host:post("/api/live/start")
    local unknown = 0
    for _, job in ipairs(queued) do
      local status = host:eventually(function() -- one may have been on its way when it was stopped
        local now = vendor:status(job).status
        return (now == "unknown" or now == "done") and now
      end)
      unknown = unknown + (status == "unknown" and 1 or 0)
    end
    assert.is_true(unknown > 0)
    assert.equal(paid, vendor:seen("POST /pay"))
    local new = vendor:job(0.01)
    vendor:becomes(new, "done")
    host:kill()
    host:start_again()
    assert.equal(1, events("host.registry.restored"))
    assert.equal("done", vendor:status(new).status)
    assert.equal(paid + 1, vendor:seen("POST /pay"))
  end)

  it("is none when nothing was, nor after a crash, nor without the file", function()
    local function restart(command)
      host:kill()
      if command then in_data(command) end
      host:start_again()
      assert.equal(0, events("host.registry.restored"))
    end
    restart()
    vendor:becomes(vendor:job(0.01), "done")
    restart()
    restart("rm registry.db.paid")
    vendor:becomes(vendor:job(0.01), "done")
    restart()
    host:kill()
    in_data("echo nonsense > registry.db.paid")
    host:start_again()
    host:eventually(function() return events("host.registry.restored") == 1 end)
  end)
end)
