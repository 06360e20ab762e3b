-- A proxy between a host and what it stands on, or a balancer before hosts (spec/support/tcp_proxy.lua), as a process.
--
--   local proxy = require("spec.support.proxy").start { cluster:socket() }     -- ports, or paths of unix sockets
--   proxy.port                       -- of 127.0.0.1: where it listens
--   proxy:cut()                      -- every connection ends; new ones are taken
--   proxy:hold()                     -- silence both ways, nothing is closed: a cable that was pulled
--   proxy:mute()                     -- requests arrive, their answers are lost
--   proxy:refuse()                   -- nobody gets through, and is told so
--   proxy:strand() proxy:deliver()   -- clients lose their connections; what they had said before arrives later
--   proxy:pass()                     -- all is well again
--   proxy:to { port, ... }           -- for new connections
--   proxy:connections()              -- how many are open
--   proxy:remove()
local host = require "spec.support.host"

local Proxy = {}
Proxy.__index = Proxy

for _, word in ipairs { "cut", "hold", "mute", "refuse", "strand", "deliver", "pass" } do
  Proxy[word] = function(self) self.process:post("/" .. word) end
end

function Proxy:to(targets)
  self.process:post("/to?" .. table.concat(targets, ","))
end

function Proxy:connections()
  return tonumber(self.process:get("/connections").body)
end

--- The URL of a database of postgres.lua, by way of this proxy.
function Proxy:url(database)
  return ("postgresql://127.0.0.1:%d/%s?user=postgres&sslmode=disable"):format(self.port, database.name)
end

function Proxy:remove()
  self.process:kill()
  self.process:remove()
end

local module = {}

function module.start(targets)
  local arguments = { "spec/support/tcp_proxy.lua" }
  for _, target in ipairs(targets) do arguments[#arguments + 1] = tostring(target) end
  local self = setmetatable({}, Proxy)
  self.process = host.start { program = "lua5.4", arguments = arguments, config = "" }
  self.port = tonumber(self.process:get("/port").body)
  return self
end

return module
