-- What specs use from npm (spec/live/clients/package.json), installed into build/ at the first use. No request leaves this
-- machine once that is done.
--
--   local missing = npm.install()   -- nil, or why it cannot be had: node, npm or the registry is not there
local npm = { FOLDER = "build/clients" }

local INSTALL_SECONDS = 90

local function succeeds(command)
  return os.execute(command .. " >/dev/null 2>&1") == true
end

local function install()
  if not succeeds "node --version" or not succeeds "npm --version" then return "node and npm are not installed" end
  local copy = "mkdir -p %s && cp spec/live/clients/package.json spec/live/clients/clients.mjs %s"
  if not succeeds(copy:format(npm.FOLDER, npm.FOLDER)) then return "cannot write " .. npm.FOLDER end
  local command = "cd %s && flock install.lock timeout %d npm install --no-audit --no-fund --no-package-lock --loglevel=error"
  if not succeeds(command:format(npm.FOLDER, INSTALL_SECONDS)) then return "npm cannot install the clients" end
  return nil
end

local tried, missing

function npm.install()
  if not tried then tried, missing = true, install() end
  return missing
end

--- Runs a script of a few lines where the packages can be required; whether it ended well, and what it printed.
function npm.run(script, argument)
  local quoted = "'" .. script:gsub("'", "'\\''") .. "'"
  local pipe = assert(io.popen(("cd %s && node -e %s %s 2>&1"):format(npm.FOLDER, quoted, argument)))
  local output = pipe:read("a")
  return pipe:close() == true, output
end

return npm
