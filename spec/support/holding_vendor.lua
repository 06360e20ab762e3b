-- A vendor that takes its time: it reads the body of a POST only when it is told to, and remembers every byte of each request.
--
--   lua5.4 spec/support/holding_vendor.lua
--
-- POST ...          is held: its head is read, its body is not
-- GET /release      reads the bodies of all that are held, answers them, then says how many
-- GET /raw/N        the Nth POST as it came, head and body
-- GET /healthz      at once
local socket = require "socket"

local held, raw = {}, {}

local function reply(client, status, body, content_type)
  client:send(("HTTP/1.1 %d Answer\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"):format(
    status, content_type or "application/json", #body, body))
  client:close()
end

local function read_head(client)
  local lines, length, expects = {}, 0, false
  for line in function() return client:receive("*l") end do
    if line == "" then break end
    lines[#lines + 1] = line
    length = tonumber(line:lower():match("^content%-length:%s*(%d+)")) or length
    expects = expects or line:lower():find("^expect:%s*100") ~= nil
  end
  return table.concat(lines, "\r\n"), length, expects
end

local function release()
  local count = #held
  for _, post in ipairs(held) do
    if post.expects then post.client:send("HTTP/1.1 100 Continue\r\n\r\n") end
    local body = post.client:receive(post.length) or ""
    raw[post.number] = post.head .. "\r\n\r\n" .. body
    reply(post.client, 200, ('{"id":"vendor-%d"}'):format(post.number))
  end
  held = {}
  return count
end

local posts = 0

local function serve(client)
  client:settimeout(60)
  local head, length, expects = read_head(client)
  local method, path = head:match("^(%S+) (%S+)")
  if not method then return client:close() end
  if path == "/release" then return reply(client, 200, tostring(release())) end
  local number = tonumber(path:match("^/raw/(%d+)"))
  if number then return reply(client, raw[number] and 200 or 404, raw[number] or "", "application/octet-stream") end
  if method == "GET" then return reply(client, 200, "{}") end
  posts = posts + 1
  held[#held + 1] = { client = client, head = head, length = length, expects = expects, number = posts }
end

local server = assert(socket.bind("127.0.0.1", 0, 128))
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do serve(server:accept()) end
