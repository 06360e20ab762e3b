-- Keeps the scene of spec/support/studio_scene.lua up, and prints where, until it is interrupted:
--
--   lua5.4 spec/studio/scene.lua [--listen 127.0.0.1:8001] [--days 6] [--rows 300] [--keys]
--
-- --keys: with API keys, of the roles that there are; they are printed.
package.path = "./?.lua;" .. package.path
local keys = require "spec.support.keys"
local scenes = require "spec.support.studio_scene"
local shell = require "spec.support.shell"
local socket = require "socket"

local ROLES = { maker = { "read", "submit", "live" }, dry = { "read", "submit" }, reader = { "read" } } -- of further keys

local function read_arguments()
  local options, i = {}, 1
  while arg[i] do
    local name = arg[i]:match("^%-%-(%a+)$")
    if name == "keys" then
      options.keys = { keys.entry("all") }
      for _, role in ipairs { "maker", "dry", "reader" } do
        options.keys[#options.keys + 1] = keys.entry(role, { may = ROLES[role], sees = role == "maker" and "own" or nil })
      end
    elseif name == "listen" or name == "days" or name == "rows" then
      i = i + 1
      options[name] = name == "listen" and arg[i] or tonumber(arg[i])
    else
      io.stderr:write("usage: lua5.4 spec/studio/scene.lua [--listen ADDR:PORT] [--days N] [--rows N] [--keys]\n")
      os.exit(2)
    end
    i = i + 1
  end
  return options
end

-- Lua hears of no signal but SIGINT: whoever ends it otherwise leaves nothing behind all the same.
local function watch_over(scene)
  local pids, folders = {}, {}
  for _, program in ipairs { scene.host, scene.simulator, scene.vendor, scene.receiver } do
    pids[#pids + 1], folders[#folders + 1] = program.pid, shell.quote(program.folder)
  end
  local own = shell.read("/proc/self/stat"):match("^%d+")
  local script = ("while kill -0 %s; do sleep 1; done; kill -KILL %s; sleep 1; rm -rf %s"):format(own, table.concat(pids, " "),
    table.concat(folders, " "))
  shell.run("setsid sh -c " .. shell.quote(script) .. " </dev/null >/dev/null 2>&1 &")
end

local function main()
  local options = read_arguments()
  if not io.open("build/clock-shift.so") then shell.run "make -s build/clock-shift.so" end
  local scene = scenes.start(options)
  watch_over(scene)
  print(("http://127.0.0.1:%d/"):format(scene.host.port))
  for _, entry in ipairs(options.keys or {}) do print(("key %-8s %s"):format(entry.name, keys.key(entry.name))) end
  for name, id in pairs(scene.jobs) do print(("job %-10s #/jobs/%s"):format(name, id)) end
  io.stdout:flush()
  pcall(function()
    while true do socket.sleep(0.2) end
  end)
  scene:remove()
end

main()
