-- `providerd mcp` as a client starts it: lines in, lines out.
--
--   local bridge = stdio.open({ "--url", url }, { KEY = "..." })
--   bridge:send { jsonrpc = "2.0", id = 1, method = "ping" }     -- or text as it is
--   bridge:receive()                                              -- the next message, decoded; nil after so many seconds
--   local code, errors = bridge:close()                           -- ends its input; how it ended
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local shell = require "spec.support.shell"
local socket = require "socket"

local stdio = {}

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"
local SECONDS = 60

local Bridge = {}
Bridge.__index = Bridge

function stdio.open(arguments, env)
  local pipe = assert(io.popen("mktemp -d"))
  local self = setmetatable({ folder = pipe:read "l", read = 0 }, Bridge)
  pipe:close()
  shell.run("mkfifo " .. shell.quote(self.folder .. "/in"))
  local words = { "env" }
  for name, value in pairs(env or {}) do words[#words + 1] = shell.quote(name .. "=" .. value) end
  words[#words + 1] = shell.quote(PROGRAM) .. " mcp"
  for _, argument in ipairs(arguments) do words[#words + 1] = shell.quote(argument) end
  local script = ("%s <F/in >F/out 2>F/err; echo $? >F/new; mv F/new F/exit"):format(table.concat(words, " "))
  shell.run("sh -c " .. shell.quote((script:gsub("F/", function() return self.folder .. "/" end))) .. " >/dev/null 2>&1 &")
  self.input = assert(io.open(self.folder .. "/in", "w"))
  self.input:setvbuf "no"
  return self
end

function Bridge:send(message)
  self.input:write(type(message) == "string" and message or exact.encode(message), "\n")
end

local function wait(seconds, test)
  local deadline = socket.gettime() + seconds
  repeat
    local value = test()
    if value ~= nil then return value end
    socket.sleep(0.01)
  until socket.gettime() > deadline
  return nil
end

--- The next line, decoded; an error when it is no JSON.
function Bridge:receive(seconds)
  local line = wait(seconds or SECONDS, function()
    local text = (shell.read(self.folder .. "/out") or ""):sub(self.read + 1)
    return text:match "^([^\n]*)\n"
  end)
  if not line then return nil end
  self.read = self.read + #line + 1
  return cjson.decode(line)
end

--- Messages until `count` of them have an id: by that, and those without one in a list.
function Bridge:gather(count)
  local answers, others = {}, {}
  while count > 0 do
    local message = assert(self:receive(), "nothing more came")
    if message.id ~= nil and (message.result or message.error) then
      answers[message.id] = message
      count = count - 1
    else
      others[#others + 1] = message
    end
  end
  return answers, others
end

--- Ends the input. The exit code (nil: it has not ended in time), what it wrote to standard error, and the lines that were
--- not received.
function Bridge:close(seconds)
  if self.input then self.input:close() end
  self.input = nil
  local code = wait(seconds or SECONDS, function() return tonumber(shell.read(self.folder .. "/exit") or "") end)
  local errors, rest = shell.read(self.folder .. "/err"), (shell.read(self.folder .. "/out") or ""):sub(self.read + 1)
  if code then shell.run("rm -rf " .. shell.quote(self.folder)) end
  return code, errors, rest
end

return stdio
