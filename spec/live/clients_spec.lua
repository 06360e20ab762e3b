-- The vendors' own clients from npm (spec/live/clients) against the simulator: create, poll, results, cancel, uploads, streams,
-- and webhooks whose signatures they check. Pending where they cannot be had (spec/support/npm.lua).
local host = require "spec.support.host"
local npm = require "spec.support.npm"

local RUN_SECONDS = 60

describe("the vendors' own clients", function()
  it("work with the simulator", function()
    local missing = npm.install()
    if missing then return pending(missing) end
    local sim = host.start { arguments = { "simulate", "--listen", "127.0.0.1:0", "--job-time", "600" }, config = "" }
    local command = "cd %s && timeout %d node clients.mjs http://127.0.0.1:%d 2>&1"
    local pipe = assert(io.popen(command:format(npm.FOLDER, RUN_SECONDS, sim.port)))
    local passed, failed = 0, {}
    for line in pipe:lines() do
      if line:find("^ok ") then passed = passed + 1 else failed[#failed + 1] = line end
    end
    local ended = pipe:close()
    sim:remove()
    assert.same({}, failed)
    assert.is_true(ended)
    assert.is_true(passed >= 50, passed .. " checks")
  end)
end)
