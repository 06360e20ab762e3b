-- Many clients in one thread: each is a coroutine that waits for its socket or for a time.
--
--   local swarm = require("spec.support.swarm").new()
--   swarm:add(function() local answer = swarm.ask(port, "GET", "/healthz") ... swarm.pause(0.1) end)
--   while swarm:is_busy() do swarm:step() end
--
-- An error in a client is an error of step().
local http = require "spec.support.http"
local socket = require "socket"

local ANSWER_SECONDS = 30 -- then a client gives up on a connection

local Swarm = {}
Swarm.__index = Swarm

local function resume(self, one, ...)
  local ok, waits, until_when = coroutine.resume(one.thread, ...)
  if not ok then error(debug.traceback(one.thread, tostring(waits)), 0) end
  one.socket, one.at = waits, until_when
  if coroutine.status(one.thread) == "dead" then self.clients[one] = nil end
end

function Swarm:add(body, ...)
  local one = { thread = coroutine.create(body) }
  self.clients[one] = true
  resume(self, one, ...)
end

function Swarm:is_busy()
  return next(self.clients) ~= nil
end

--- In a client: waits so long.
function Swarm.pause(seconds)
  coroutine.yield(nil, socket.gettime() + seconds)
end

--- In a client: waits until a socket has something to read, at most so long; whether it has.
function Swarm.readable(connection, seconds)
  return coroutine.yield(connection, socket.gettime() + seconds)
end

--- In a client: one request on a connection of its own. The answer; or nil and "refused" (no connection), "cut", or "late".
function Swarm.ask(port, method, path, body, headers, seconds)
  local all = { Connection = "close" }
  for name, value in pairs(headers or {}) do all[name] = value end
  local ok, connection = pcall(http.connect, port, 5)
  if not ok then return nil, "refused" end
  local sent = pcall(connection.send, connection, method, path, body, all)
  local ready = coroutine.yield(connection.socket, socket.gettime() + (seconds or ANSWER_SECONDS))
  local answer
  if ready then ok, answer = pcall(connection.receive, connection) end
  connection:close()
  if ready and ok then return answer end
  return nil, (sent and not ready) and "late" or "cut"
end

local function ready_sockets(self)
  local sockets, by_socket = {}, {}
  for one in pairs(self.clients) do
    if one.socket then
      sockets[#sockets + 1] = one.socket
      by_socket[one.socket] = one
    end
  end
  local ready = {}
  if #sockets > 0 then ready = socket.select(sockets, nil, 0.02) else socket.sleep(0.02) end
  return ready, by_socket
end

--- Lets those go on whose socket has something to read, or whose time has come. Waits for 20 ms at most.
function Swarm:step()
  local ready, by_socket = ready_sockets(self)
  local now, late = socket.gettime(), {}
  for _, each in ipairs(ready) do resume(self, by_socket[each], true) end
  for one in pairs(self.clients) do
    if one.at and one.at <= now then late[#late + 1] = one end
  end
  for _, one in ipairs(late) do
    if self.clients[one] and one.at and one.at <= now then resume(self, one, false) end
  end
end

local module = { pause = Swarm.pause }

function module.new()
  return setmetatable({ clients = {} }, Swarm)
end

return module
