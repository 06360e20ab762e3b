-- A vendor that only writes down what reaches it: lua5.4 spec/support/recorder.lua
--
-- Answers every request with 400 and {}, so that a job of any provider ends. GET /seen tells of all of them:
-- { seen = { { method =, path =, headers = { name = value }, body = } } }, names in lower case, body as base64.
local cjson = require "cjson"
local mime = require "mime"
local socket = require "socket"

local seen = {}

local function read_chunked(client)
  local parts = {}
  while true do
    local length = tonumber((client:receive("*l") or "0"):match("^%x+") or "0", 16)
    if length > 0 then parts[#parts + 1] = client:receive(length) end
    client:receive("*l")
    if length == 0 then return table.concat(parts) end
  end
end

local function read_request(client)
  local line = client:receive("*l")
  if not line then return nil end
  local request = { headers = {} }
  request.method, request.path = line:match("^(%u+) (%S+)")
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^([^:]+):%s*(.-)%s*$")
    request.headers[name:lower()] = value
  end
  if request.headers.expect then client:send("HTTP/1.1 100 Continue\r\n\r\n") end
  if request.headers["transfer-encoding"] then
    request.body = read_chunked(client)
  else
    local length = tonumber(request.headers["content-length"] or "0")
    request.body = length > 0 and client:receive(length) or ""
  end
  return request
end

local function send(client, status, body)
  client:send(("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(
    status, #body, body))
end

local server = assert(socket.bind("127.0.0.1", 0, 64))
local _, port = server:getsockname()
io.write("listens on http://127.0.0.1:", math.tointeger(port), "\n")
io.flush()
while true do
  local client = server:accept()
  client:settimeout(10)
  local request = read_request(client)
  if request and request.path == "/seen" then
    send(client, "200 OK", cjson.encode { seen = seen })
  elseif request and request.path == "/healthz" then
    send(client, "200 OK", "{}")
  elseif request then
    request.body = mime.b64(request.body) or ""
    seen[#seen + 1] = request
    send(client, "400 Bad Request", "{}")
  end
  client:close()
end
