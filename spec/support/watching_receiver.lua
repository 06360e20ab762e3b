-- A receiver of webhooks that sees who delivers, as a program of its own: lua5.4 spec/support/watching_receiver.lua
--
-- It keeps every POST to /hook... for a while before it answers 200, so that deliveries that two hosts make at the same time
-- overlap, and finds out whose process the other end of the connection is.
--   POST /control { "pids": [1, 2], "keep": 0.03, "status": 500 }   the hosts; how long it keeps one (0.03 s); its answer (200)
--   GET  /received      { received = [{ path, headers, body, pid, from, till }] }   times in seconds; `till` is the answer's
local cjson = require "cjson"
local socket = require "socket"

local server = assert(socket.bind("127.0.0.1", 0, 256))
local _, port = server:getsockname()
local received, kept, pids, keep, status = {}, {}, {}, 0.03, 200

local function lines_of(path)
  local file = io.open(path)
  if not file then return function() end end
  local text = file:read("a")
  file:close()
  return text:gmatch("[^\n]+")
end

-- The socket at the other end: its number, as /proc has it.
local function inode_of(client)
  local _, far = client:getpeername()
  local wanted = ("0100007F:%04X"):format(far)
  for line in lines_of("/proc/net/tcp") do
    local own, inode = line:match("^%s*%d+: (%x+:%x+) %S+ %x+ %S+ %S+ %S+%s+%d+%s+%d+ (%d+)")
    if own == wanted then return inode end
  end
end

-- nil: it is gone already, or none of the hosts'.
local function pid_of(client)
  local inode = inode_of(client)
  if not inode or #pids == 0 then return nil end
  local folders = {}
  for i, pid in ipairs(pids) do folders[i] = ("/proc/%d/fd"):format(pid) end
  local list, pid = io.popen("ls -l " .. table.concat(folders, " ") .. " 2>/dev/null"), nil
  for line in list:lines() do
    pid = line:match("^/proc/(%d+)/fd:$") or pid
    if line:find("socket:[" .. inode .. "]", 1, true) then
      list:close()
      return tonumber(pid)
    end
  end
  list:close()
end

local function read_request(client)
  client:settimeout(5)
  local line = client:receive("*l")
  if not line then return nil end
  local request = { headers = {} }
  request.method, request.path = line:match("^(%u+) (%S+)")
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^([^:]+):%s*(.-)%s*$")
    request.headers[name:lower()] = value
  end
  request.body = client:receive(tonumber(request.headers["content-length"] or "0")) or ""
  return request
end

local function answer(client, code, body)
  client:send(("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(
    code, #body, body))
  client:close()
end

-- A delivery is kept; all else is answered at once.
local function serve(client, from)
  local request = read_request(client)
  if not request then return client:close() end
  if request.path == "/control" then
    local told = cjson.decode(request.body)
    pids, keep, status = told.pids or pids, told.keep or keep, told.status or 200
    return answer(client, 200, "{}")
  elseif request.path == "/received" then
    return answer(client, 200, #received > 0 and cjson.encode { received = received } or '{"received":[]}')
  end
  if request.method ~= "POST" then return answer(client, 200, "{}") end
  request.from = from
  request.pid = pid_of(client)
  request.answered = status
  received[#received + 1] = request
  kept[#kept + 1] = { client = client, request = request, status = status }
end

-- Who has come, in their order. They are all let in before one is answered: else none would ever seem to be at the same time.
local arrived = {}

local function let_in(seconds)
  while #socket.select({ server }, nil, seconds) > 0 do
    local client = server:accept()
    if client then arrived[#arrived + 1] = { client = client, from = socket.gettime() } end
    seconds = 0
  end
end

local function answer_due()
  for i = #kept, 1, -1 do
    local one = kept[i]
    if socket.gettime() >= one.request.from + keep then
      table.remove(kept, i)
      one.request.till = socket.gettime()
      pcall(answer, one.client, one.status, "{}")
    end
  end
end

io.write(("receiver listens on http://127.0.0.1:%d\n"):format(port))
io.flush()
while true do
  let_in(#arrived == 0 and 0.005 or 0)
  local first = table.remove(arrived, 1)
  if first then pcall(serve, first.client, first.from) else answer_due() end
end
