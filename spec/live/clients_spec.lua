-- The vendors' own clients from npm (spec/live/clients) against the simulator: create, poll, results, cancel, uploads, streams,
-- and webhooks whose signatures they check. Pending where npm, node or the registry is not there. No request leaves this machine
-- once the clients are installed, into build/.
local host = require "spec.support.host"

local FOLDER = "build/clients"
local INSTALL_SECONDS, RUN_SECONDS = 90, 60

local function succeeds(command)
  return os.execute(command .. " >/dev/null 2>&1") == true
end

local function install()
  if not succeeds "node --version" or not succeeds "npm --version" then return "node and npm are not installed" end
  if not succeeds("mkdir -p " .. FOLDER .. " && cp spec/live/clients/package.json spec/live/clients/clients.mjs " .. FOLDER) then
    return "cannot write " .. FOLDER
  end
  local command = "cd %s && timeout %d npm install --no-audit --no-fund --no-package-lock --loglevel=error"
  if not succeeds(command:format(FOLDER, INSTALL_SECONDS)) then return "the clients cannot be installed" end
  return nil
end

describe("the vendors' own clients", function()
  it("work with the simulator", function()
    local missing = install()
    if missing then return pending(missing) end
    local sim = host.start { arguments = { "simulate", "--listen", "127.0.0.1:0", "--job-time", "600" }, config = "" }
    local command = "cd %s && timeout %d node clients.mjs http://127.0.0.1:%d 2>&1"
    local pipe = assert(io.popen(command:format(FOLDER, RUN_SECONDS, sim.port)))
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
