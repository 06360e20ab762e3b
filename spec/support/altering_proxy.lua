-- A host that does something wrong: passes requests on to a good one, and changes its answers.
--
--   lua5.4 spec/support/altering_proxy.lua PORT [outgoing]
--
-- Takes the number of a case in spec/support/check_cases.lua as the first part of the path (/12/api/jobs/list); without one
-- nothing is changed. "outgoing" holds a UDP socket that is connected beyond this machine; nothing is ever sent through it.
local cases = require "spec.support.check_cases"
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local socket = require "socket"

local upstream, outgoing = tonumber(arg[1]), arg[2] == "outgoing"

local function read_request(client)
  local line = client:receive("*l")
  if not line then return nil end
  local request = { length = 0, headers = {} }
  request.method, request.path = line:match("^(%S+) (%S+)")
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^(.-):%s*(.*)$")
    name = name:lower()
    if name == "content-length" then request.length = tonumber(value) end
    if name == "content-type" then request.headers[name] = value end
  end
  request.body = request.length > 0 and client:receive(request.length) or nil
  return request
end

local function answer_of(request)
  local number, path = request.path:match("^/(%d+)(/.*)$")
  local case = cases[tonumber(number)]
  local answer = http.request(upstream, request.method, path or request.path, request.body, request.headers)
  answer.json = exact.decode(answer.body)
  if case and path:find(case.at) then case.change(answer) end
  return answer
end

local function send(client, answer)
  local body = answer.json and exact.encode(answer.json) or answer.body or ""
  local lines = { ("HTTP/1.1 %d Answer"):format(answer.status), "Content-Type: application/json", "Content-Length: " .. #body }
  if answer.headers.location then lines[#lines + 1] = "Location: " .. answer.headers.location end
  client:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
end

local function serve(client)
  client:settimeout(120)
  client:setoption("tcp-nodelay", true)
  for request in function() return read_request(client) end do
    local ok, answer = pcall(answer_of, request)
    send(client, ok and answer or { status = 599, headers = {}, json = { detail = answer } })
  end
  client:close()
end

local server = assert(socket.bind("127.0.0.1", 0))
local peer = outgoing and socket.udp4()
if peer then io.write(peer:setpeername("192.0.2.1", 9) and "connected beyond this machine\n" or "no way out\n") end
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do serve(assert(server:accept())) end
