-- A picture of a page, as the specs' browser sees it; what the console complains of goes to the standard error.
--
--   lua5.4 spec/studio/picture.lua URL FILE.png [--width 390] [--height 844] [--dark] [--full] [--reduced-motion]
--                                               [--wait CSS] [--script JS] [--key KEY] [--demo]
--
--   --width    480 and less: a phone with touch; default 1280
--   --full     from top to bottom, not only what is seen
--   --wait     until this is found; without it until the page has its heading
--   --script   the body of an async function, run then; what it returns is printed
--   --key      an API key to log in with first
--   --demo     URL is a route such as "#/jobs", of a host with the scene of spec/support/studio_scene.lua, started for it
package.path = "./?.lua;" .. package.path
local exact = require "spec.support.exact_json"
local scenes = require "spec.support.studio_scene"
local studio = require "spec.support.studio"

local FLAGS = { dark = true, full = true, demo = true, ["reduced-motion"] = true }
local VALUES = { width = true, height = true, wait = true, script = true, key = true }

local function usage()
  io.stderr:write("usage: lua5.4 spec/studio/picture.lua URL FILE.png [--width N] [--height N] [--dark] [--full]\n" ..
    "       [--reduced-motion] [--wait CSS] [--script JS] [--key KEY] [--demo]\n")
  os.exit(2)
end

local function read_arguments()
  local options, places, i = {}, {}, 1
  while arg[i] do
    local name = arg[i]:match("^%-%-(.+)$")
    if not name then places[#places + 1] = arg[i]
    elseif FLAGS[name] then options[name] = true
    elseif VALUES[name] and arg[i + 1] then
      i = i + 1
      options[name] = arg[i]
    else usage() end
    i = i + 1
  end
  options.url, options.file = places[1], places[2]
  if #places ~= 2 then usage() end
  return options
end

local function set_looks(page, options)
  local width, height = tonumber(options.width or 1280), tonumber(options.height or 800)
  if width <= 480 then page:phone(width) else page:viewport(width, height) end
  page:dark(options.dark)
  page:reduced_motion(options["reduced-motion"])
end

local function take(page, options, route)
  set_looks(page, options)
  if options.key then
    page:open(page.base)
    page:log_in_with(options.key)
  end
  page:open(page.base .. route)
  if options.wait then page:find(options.wait, 30) else page:settled(route) end
  if options.script then
    local value = page:await(options.script)
    if value ~= nil then print(type(value) == "table" and exact.encode(value) or value) end
  end
  page:await "await document.fonts.ready; await new Promise(done => setTimeout(done, 250))"
  page:screenshot(options.file, { full = options.full })
  for _, line in ipairs(page:console()) do io.stderr:write(("%s %s\n"):format(line.level, line.message)) end
end

local function main()
  local options = read_arguments()
  local scene = options.demo and scenes.start {}
  local base, route = options.url:match("^(https?://[^#]*)(.*)$")
  if scene then base, route = ("http://127.0.0.1:%d/"):format(scene.host.port), options.url end
  if not base then usage() end
  local page = studio.at(base)
  local ok, problem = pcall(take, page, options, route)
  page:quit()
  if scene then scene:remove() end
  if not ok then io.stderr:write(tostring(problem), "\n") end
  os.exit(ok and 0 or 1, true)
end

main()
