-- A client of event streams (text/event-stream) that reads by the rules of the HTML standard: fields, comments, ids.
--
--   local stream = event_stream.open(served, "/api/events?type=public.image.*", { ["Last-Event-ID"] = "7" })
--   local event = stream:next(5)   -- { id, event, data (text), json }, or nil: none within 5 s, or stream.ended
--   stream.comments, stream.comment -- how many, and the last one
--   stream.first_id                 -- the number that it began with
--   stream:close()
local cjson = require "cjson"
local http = require "spec.support.http"
local recorder = require "spec.support.openapi_recorder"
local socket = require "socket"

local event_stream = {}

local Stream = {}
Stream.__index = Stream

local function receive_head(stream)
  local connection = stream.socket
  local line = assert(connection:receive("*l"))
  stream.status = tonumber(line:match("^HTTP/1%.1 (%d%d%d)"))
  stream.headers = {}
  for header in function() return connection:receive("*l") end do
    if header == "" then return end
    local name, value = header:match("^([^:]+):%s*(.-)%s*$")
    stream.headers[name:lower()] = value
  end
end

--- Opens a stream. stream.status tells whether it is one; only then next() is of use.
function event_stream.open(served, path, headers)
  local client = http.connect(served.port)
  local stream = setmetatable({ socket = client.socket, port = served.port, path = path, rest = "", comments = 0 }, Stream)
  client:send("GET", path, nil, headers)
  receive_head(stream)
  return stream
end

-- The next line, or nil when none came in time; stream.ended when none will.
local function receive_line(stream, deadline)
  stream.socket:settimeout(math.max(0, deadline - socket.gettime()))
  local line, problem, partial = stream.socket:receive("*l", stream.rest)
  stream.rest = line and "" or partial
  stream.ended = problem == "closed" or nil
  return line
end

local function take_field(stream, event, line)
  local name, value = line:match("^([^:]*): ?(.*)$")
  if name == "" then
    stream.comments = stream.comments + 1
    stream.comment = value
  elseif name == "retry" then
    stream.retry = tonumber(value)
  elseif name == "data" then
    event.data = event.data and event.data .. "\n" .. value or value
  else
    event[name or line] = value or ""
  end
end

--- The next event within so many seconds (default 30).
function Stream:next(seconds)
  local deadline = socket.gettime() + (seconds or 30)
  self.part = self.part or {}
  while true do
    local line = receive_line(self, deadline)
    if not line then return nil end
    if line ~= "" then
      take_field(self, self.part, line)
    else
      local event = self.part
      self.part = {}
      self.last_id = event.id or self.last_id -- also without data: then nothing else comes of it
      self.first_id = self.first_id or tonumber(self.last_id)
      if event.data then
        event.json = cjson.decode(event.data)
        recorder.keep_event(self.port, self.path, self, event)
        return event
      end
    end
  end
end

--- All events until the stream ends, or nothing came for so many seconds.
function Stream:rest_of_it(seconds)
  local events = {}
  for event in function() return self:next(seconds) end do events[#events + 1] = event end
  return events
end

function Stream:close()
  self.socket:close()
end

return event_stream
