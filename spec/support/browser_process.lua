-- Debian's chromedriver as a process: started on a free loopback port with a folder of its own, and ended with every browser that
-- it has started, whichever way the specs end.
--
--   local missing = process.missing()      -- nil, or what to install
--   local driver = process.start()         -- { port, folder, browser = path of chromium }
--   process.stop(driver)
--
-- A shell stands by it: it ends the whole session when it is told to, or when the process that asked for it is gone, even by
-- SIGKILL. The browsers' crash handlers leave the session, and end by themselves once there is nothing to watch.
local shell = require "spec.support.shell"
local socket = require "socket"

local process = {}

local START_SECONDS, STOP_SECONDS = 60, 20

local GUARD = [[
end_all() {
  for stat in /proc/[0-9]*/stat; do
    read -r line <"$stat" || continue
    pid=${line%% *}
    set -- ${line##*) }
    if [ "$4" = $$ ] && [ "$pid" != $$ ]; then kill -KILL "$pid"; fi
  done 2>/dev/null
}
trap 'end_all; rm -rf FOLDER; exit' TERM
env HOME=FOLDER TMPDIR=FOLDER/tmp chromedriver --port=0 >FOLDER/out 2>&1 &
driver=$!
echo $$ >FOLDER/pid
while kill -0 PARENT && kill -0 $driver; do sleep 1 & wait $!; done 2>/dev/null
end_all
rm -rf FOLDER
]]

local function path_of(program)
  local pipe = assert(io.popen("command -v " .. program .. " 2>/dev/null"))
  local path = pipe:read("l")
  pipe:close()
  return path
end

--- nil, or why no browser can be had.
function process.missing()
  for program, package in pairs { chromium = "chromium", chromedriver = "chromium-driver" } do
    if not path_of(program) then
      return ("no browser: %s is not installed (make test asks apt for the package %s)"):format(program, package)
    end
  end
  return nil
end

-- Drivers that still run when the specs end.
local running = setmetatable({}, {
  __gc = function(left)
    for driver in pairs(left) do process.stop(driver) end
  end,
})

local function poll(seconds, test)
  local deadline = socket.gettime() + seconds
  repeat
    local value = test()
    if value then return value end
    socket.sleep(0.01)
  until socket.gettime() > deadline
  return nil
end

local function own_pid()
  return assert((shell.read("/proc/self/stat") or ""):match("^%d+"), "no /proc")
end

function process.start()
  local folder = shell.output("mktemp -d"):match("%S+")
  shell.run("mkdir " .. shell.quote(folder .. "/tmp"))
  local words = { FOLDER = shell.quote(folder), PARENT = own_pid() }
  local script = GUARD:gsub("%u%u%u%u%u%u", words)
  shell.run("setsid sh -c " .. shell.quote(script) .. " </dev/null >/dev/null 2>&1 &")
  local pid = poll(START_SECONDS, function() return (shell.read(folder .. "/pid") or ""):match("^(%d+)\n") end)
  assert(pid, "chromedriver was not started")
  local driver = { folder = folder, pid = pid, browser = path_of "chromium" }
  running[driver] = true
  driver.port = poll(START_SECONDS, function()
    return tonumber((shell.read(folder .. "/out") or ""):match("successfully on port (%d+)"))
  end)
  if not driver.port then
    local output = shell.read(folder .. "/out")
    process.stop(driver)
    error("chromedriver did not start: " .. (output or ""), 0)
  end
  return driver
end

--- Ends it and its browsers, and removes its folder.
function process.stop(driver)
  if not running[driver] then return end
  running[driver] = nil
  os.execute("kill -TERM " .. driver.pid .. " 2>/dev/null")
  poll(STOP_SECONDS, function() return not io.open("/proc/" .. driver.pid .. "/stat") or not io.open(driver.folder .. "/pid") end)
end

return process
