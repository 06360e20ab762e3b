-- What specs use from npm, installed into build/ at the first use. No request leaves this machine once that is done.
--
--   local missing = npm.install()        -- nil, or why it cannot be had: node, npm or the registry is not there
--   local missing = npm.install(npm.AXE)
local npm = { FOLDER = "build/clients" }

--- A folder, and what is copied there first: the list of packages, and programs.
npm.CLIENTS = { folder = npm.FOLDER, files = "spec/live/clients/package.json spec/live/clients/clients.mjs" }
npm.AXE = { folder = "build/axe", files = "spec/studio/axe/package.json" }
npm.MCP = { folder = "build/mcp-clients", files = "spec/mcp/clients/package.json spec/mcp/clients/agent.mjs" }
npm.OPENAI = { folder = "build/openai-clients", files = "spec/openai/clients/package.json spec/openai/clients/*.mjs" }
npm.MCP_CONFORMANCE = { folder = "build/mcp-conformance", files = "spec/mcp/conformance/package.json" }
npm.OPENAPI = { folder = "build/openapi-checks", files = "spec/openapi/*.json spec/openapi/*.mjs spec/openapi/*.ts" }
npm.S3 = { folder = "build/s3-server", files = "spec/s3/server/package.json spec/s3/server/*.mjs" }
npm.OPENAI_VIDEOS = {
  folder = "build/openai-videos", files = "spec/openai/video_clients/package.json spec/openai/video_clients/videos.mjs",
}

local INSTALL_SECONDS, RUN_SECONDS = 240, 600

local function succeeds(command)
  return os.execute(command .. " >/dev/null 2>&1") == true
end

local function install(set)
  if not succeeds "node --version" or not succeeds "npm --version" then return "node and npm are not installed" end
  local copy = "mkdir -p %s && cp %s %s"
  if not succeeds(copy:format(set.folder, set.files, set.folder)) then return "cannot write " .. set.folder end
  local command = "cd %s && flock install.lock timeout %d npm install --no-audit --no-fund --no-package-lock --loglevel=error"
  if not succeeds(command:format(set.folder, INSTALL_SECONDS)) then return "npm cannot install what " .. set.files .. " lists" end
  return nil
end

local tried, missing = {}, {}

function npm.install(set)
  set = set or npm.CLIENTS
  if not tried[set] then tried[set], missing[set] = true, install(set) end
  return missing[set]
end

--- Runs a program in the folder of a set, with node (or `command`: "npx tsc ..."); whether it ended well, and what it printed.
function npm.node(set, arguments, command)
  local pipe = assert(io.popen(("cd %s && timeout %d %s %s 2>&1"):format(set.folder, RUN_SECONDS, command or "node", arguments)))
  local output = pipe:read("a")
  return pipe:close() == true, output
end

--- Runs a script of a few lines where the clients can be required; whether it ended well, and what it printed.
function npm.run(script, argument)
  local quoted = "'" .. script:gsub("'", "'\\''") .. "'"
  local pipe = assert(io.popen(("cd %s && node -e %s %s 2>&1"):format(npm.FOLDER, quoted, argument)))
  local output = pipe:read("a")
  return pipe:close() == true, output
end

return npm
