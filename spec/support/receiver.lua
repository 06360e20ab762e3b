-- A receiver of webhooks, as a program of its own: lua5.4 spec/support/receiver.lua [PORT].
--
-- It notes every POST to /hook... and answers as it was told last:
--   POST /control { "status": 500 }             from now on; 200 at first
--   POST /control { "hang": true }              no answer at all
--   POST /control { "for": "x", "status": 500 } only to deliveries with this text in them
--   GET  /received                              { received = [{ path, headers, body, answered, at }] }
--   GET  /secret                                { key = ... }, as control says it: a vendor's signing secret; noted too
local cjson = require "cjson"
local socket = require "socket"

local TEXT = { [200] = "OK", [204] = "No Content", [302] = "Found", [404] = "Not Found", [410] = "Gone", [500] = "Error" }
local server = assert(socket.bind("127.0.0.1", tonumber(arg[1]) or 0, 256))
local _, port = server:getsockname()
local received, behaviour, kept = {}, { status = 200 }, {}

local function read_request(client)
  client:settimeout(5)
  local line = client:receive("*l")
  if not line then return nil end
  local request = { headers = {}, at = socket.gettime() }
  request.method, request.path = line:match("^(%u+) (%S+)")
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^([^:]+):%s*(.-)%s*$")
    request.headers[name:lower()] = value
  end
  local length = tonumber(request.headers["content-length"] or "0")
  request.body = length > 0 and client:receive(length) or ""
  return request
end

local function answer(client, status, body)
  body = body or ""
  client:send(("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"):format(
    status, TEXT[status] or "Status", #body, status == 302 and "Location: /hook/elsewhere\r\n" or "", body))
  client:close()
end

local function take_delivery(client, request)
  local concerns = not behaviour["for"] or request.body:find(behaviour["for"], 1, true)
  local status = concerns and behaviour.status or 200
  request.answered = concerns and behaviour.hang and 0 or status
  received[#received + 1] = request
  if concerns and behaviour.hang then kept[#kept + 1] = client else answer(client, status) end
end

local function serve(client)
  local request = read_request(client)
  if not request then return client:close() end
  if request.path == "/control" then
    behaviour = cjson.decode(request.body)
    behaviour.status = behaviour.status or 200
    return answer(client, 200, "{}")
  end
  if request.path == "/received" then
    return answer(client, 200, #received > 0 and cjson.encode { received = received } or '{"received":[]}')
  end
  if request.path == "/secret" then
    received[#received + 1] = request
    return answer(client, behaviour.secret and 200 or 500, cjson.encode { key = behaviour.secret or "" })
  end
  if request.path == "/healthz" then return answer(client, 200, "{}") end
  return take_delivery(client, request)
end

io.write(("receiver listens on http://127.0.0.1:%d\n"):format(port))
io.flush()
while true do
  local client = server:accept()
  if client then pcall(serve, client) end
end
