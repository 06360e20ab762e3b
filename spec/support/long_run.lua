-- What a long run (make soak, make storm) needs around it: settings of the environment, its report, and what is kept when
-- something is violated.
local shell = require "spec.support.shell"

local long_run = {}

local MOST_NAMED = 40

--- A whole number of the environment.
function long_run.setting(name, otherwise)
  local text = os.getenv(name)
  if not text or text == "" then return otherwise end
  return math.tointeger(tonumber(text)) or error(name .. " must be a whole number", 0)
end

function long_run.say(...)
  print(string.format(...))
  io.stdout:flush()
end

--- Keeps what host and simulator know in the folder that the variable names, if it names one.
function long_run.keeper(variable)
  return function(run)
    local folder = os.getenv(variable)
    if not folder then return end
    local home, into = shell.quote(run.live.host.home), shell.quote(folder)
    os.execute(("mkdir -p %s && cp -r %s/data %s/logs %s"):format(into, home, home, into))
    local file = assert(io.open(folder .. "/journal.json", "w"))
    file:write(run.live.simulator:get("/journal").body)
    file:close()
  end
end

--- One line of the report.
function long_run.figure(name, format, ...)
  long_run.say("  %-32s " .. format, name, ...)
end

--- What was counted, by name.
function long_run.figures(counts)
  local names = {}
  for name in pairs(counts) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do long_run.figure(name, "%d", counts[name]) end
end

--- Names what was violated and ends the process: 0 when nothing was.
function long_run.finish(name, problems, all_well)
  for i, problem in ipairs(problems) do
    if i <= MOST_NAMED then long_run.say("VIOLATED: %s", problem) end
  end
  if #problems > 0 then long_run.say("%s: %d violations", name, #problems) else long_run.say("%s: %s", name, all_well) end
  os.exit(#problems == 0 and 0 or 1, true)
end

return long_run
