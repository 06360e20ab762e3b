-- Who follows all events from the first on, goes from one host to another every few seconds, and misses none.
--
--   local follower = require("spec.support.event_follower").new(function() return port_of_the_next_host end)
--   swarm:add(function() follower:follow(swarm, function() return it_is_over end) end)
--   follower:read_to(number, seconds)      -- without a swarm: until this event has come
--   follower.last, follower.count, follower.moves, follower.problems
--
-- An event whose number is not the next one is a problem: one is missing, or came twice. A failover of the server and a backup
-- that was put back (host.registry.*) go on a million numbers later: follower.jumps counts that.
local http = require "spec.support.http"
local socket = require "socket"

local MOVE_SECONDS, PIECE_BYTES, JUMP = 4, 65536, 1000000

local Follower = {}
Follower.__index = Follower

local function take(self, block)
  local id, data = tonumber(block:match("^id: (%d+)") or block:match("\nid: (%d+)")), block:find("\ndata: ", 1, true)
  if not id or not data then return end
  local told = id == self.last + JUMP and block:find("\nevent: host%.registry%.%l+\n") ~= nil
  if told then self.jumps = self.jumps + 1 end
  if id ~= self.last + 1 and not told and #self.problems < 20 then
    self.problems[#self.problems + 1] = ("event %d came after %d"):format(id, self.last)
  end
  self.last, self.count = id, self.count + 1
end

-- Whole events of what was read; the rest stays.
local function take_all(self, text)
  self.rest = self.rest .. text
  local at = 1
  while true do
    local first, last = self.rest:find("\n\n", at, true)
    if not first then break end
    take(self, self.rest:sub(at, first))
    at = last + 1
  end
  self.rest = self.rest:sub(at)
end

-- Opens a stream at the next host; nil when it does not answer.
local function open(self)
  local port = self.next_port()
  local ok, connection = pcall(http.connect, port, 2)
  if not ok then return nil end
  local headers = { ["Last-Event-ID"] = tostring(self.last), Accept = "text/event-stream" }
  if not pcall(connection.send, connection, "GET", "/api/events", nil, headers) then return nil end
  self.rest, self.moves, self.head = "", self.moves + 1, nil
  connection.socket:settimeout(0)
  return connection
end

-- What there is to read now. Whether the stream goes on.
local function read(self, connection)
  local data, problem, partial = connection.socket:receive(PIECE_BYTES)
  local text = data or partial or ""
  if not self.head then
    self.rest = self.rest .. text
    local stop = select(2, self.rest:find("\r\n\r\n", 1, true))
    if not stop then return problem ~= "closed" end
    self.head, text, self.rest = self.rest:sub(1, stop), self.rest:sub(stop + 1), ""
    if not self.head:find("^HTTP/1.1 200") then return false end
  end
  take_all(self, text)
  return problem ~= "closed"
end

--- In a swarm: until is_over() says so.
function Follower:follow(swarm, is_over)
  while not is_over() do
    local connection, move_at = open(self), socket.gettime() + MOVE_SECONDS * (0.2 + math.random())
    local goes_on = connection ~= nil
    while goes_on and socket.gettime() < move_at and not is_over() do
      if swarm.readable(connection.socket, 0.5) then goes_on = read(self, connection) end
    end
    if connection then connection:close() end
    swarm.pause(0.05)
  end
end

function Follower:read_to(number, seconds)
  local deadline = socket.gettime() + seconds
  while self.last < number and socket.gettime() < deadline do
    local connection = open(self)
    local goes_on = connection ~= nil
    while goes_on and self.last < number and socket.gettime() < deadline do
      socket.select({ connection.socket }, nil, 0.5)
      goes_on = read(self, connection)
    end
    if connection then connection:close() end
    socket.sleep(0.02)
  end
end

local module = {}

function module.new(next_port)
  return setmetatable({ next_port = next_port, last = 0, count = 0, moves = 0, rest = "", jumps = 0, problems = {} }, Follower)
end

return module
