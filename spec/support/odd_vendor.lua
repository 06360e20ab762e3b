-- A vendor whose files make trouble: what a simulator that keeps to the contracts never does.
--
--   lua5.4 spec/support/odd_vendor.lua
--
-- Listens on loopback and says where. Every connection has one answer and is closed. The last part of the path says what is
-- sent;
-- GET /seen lists the paths that were asked for, with the Authorization header that came along.
local socket = require "socket"

local seen, counts = {}, {}

local PNG = "\137PNG\r\n\26\n" .. ("odd"):rep(1000)

local function answer(status, headers, body)
  local lines = { "HTTP/1.1 " .. status .. " Odd", "Connection: close" }
  for name, value in pairs(headers) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

local function whole(body, headers)
  headers = headers or {}
  headers["Content-Length"] = #body
  return answer(200, headers, body)
end

local files = {}

files["ok.png"] = function() return whole(PNG, { ["Content-Type"] = "application/octet-stream" }) end
files["jobs"] = function() return whole("{}", { ["Content-Type"] = "application/json" }) end
files["page.html"] = function() return whole("<html><script>alert(1)</script>", { ["Content-Type"] = "text/html" }) end
files["lies.txt"] = function() return whole(PNG, { ["Content-Type"] = "text/plain" }) end
files["empty"] = function() return whole("") end
files["gone"] = function() return answer(410, { ["Content-Length"] = 0 }) end
files["redirect"] = function(base) return answer(302, { Location = base .. "/ok.png", ["Content-Length"] = 0 }) end
files["truncated"] = function() return answer(200, { ["Content-Length"] = 100000 }, PNG) end
files["promises"] = function() return answer(200, { ["Content-Length"] = 999999999999 }, PNG) end
files["chunked"] = function(_, client)
  client:send(answer(200, { ["Transfer-Encoding"] = "chunked" }))
  for _ = 1, 400 do
    if not client:send("2710\r\n" .. ("x"):rep(10000) .. "\r\n") then return nil end
  end
  return "0\r\n\r\n"
end
files["cut_chunk"] = function() return answer(200, { ["Transfer-Encoding"] = "chunked" }, "2710\r\nxxx") end
files["reset"] = function() return nil end
files["busy"] = function(_, _, count)
  if count == 1 then return answer(503, { ["Content-Length"] = 0 }) end
  if count == 2 then return answer(429, { ["Content-Length"] = 0, ["Retry-After"] = 1 }) end
  return whole(PNG)
end
local function dripping(count)
  return function(_, client, time)
    if count > 100 and time > 1 then return whole(("s"):rep(count)) end -- once is enough
    client:send(answer(200, { ["Content-Length"] = count }))
    for _ = 1, count do
      socket.sleep(0.1)
      if not client:send("s") then return nil end
    end
    return ""
  end
end
files["slow"], files["stuck"] = dripping(30), dripping(300)
files["heads"] = function()
  return "HTTP/1.1 200 Odd\r\nConnection: close\r\nContent-Type: application/json\r\nX-Twice: one\r\nX-Once:"
    .. " alone\r\nx-twice: two\r\n"
    .. ("a:b\r\n"):rep(60000) .. "X-Last: end\r\nContent-Length: 2\r\n\r\n{}"
end
files["large"] = function() return whole(("large file"):rep(300000)) end

-- Of 9.6 MB, and of 76.8 MB: what stands where can be told.
local function numbered()
  local lines = {}
  for i = 1, 1200000 do lines[i] = ("%07d\n"):format(i) end
  return table.concat(lines)
end
files["big"] = function() return whole(numbered()) end
files["huge"] = function() return whole(numbered():rep(8)) end
files["huger"] = function() return whole(numbered():rep(9)) end

local function read_head(client)
  local line, authorization = client:receive("*l"), "none"
  local length = 0
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^(.-):%s*(.*)$")
    if name:lower() == "authorization" then authorization = value end
    if name:lower() == "content-length" then length = tonumber(value) end
  end
  if length > 0 then client:receive(length) end
  return line and line:match("^%S+ (%S+)"), authorization
end

local function serve(client)
  client:settimeout(20)
  local path, authorization = read_head(client)
  if path == "/healthz" then return client:send(whole("{}")) end
  if path == "/seen" then return client:send(whole(table.concat(seen, "\n"))) end
  if not path then return nil end
  seen[#seen + 1] = path .. " " .. authorization
  counts[path] = (counts[path] or 0) + 1
  local base, name = path:match("^(.*)/([^/?]*)")
  local file = files[name]
  local text = file and file(base, client, counts[path]) or (not file and answer(404, { ["Content-Length"] = 0 }))
  if text then client:send(text) end
end

-- A byte now and then to each of these, for as long as they like.
local tricklers = {}
files["trickle"] = function(_, client)
  client:send(answer(200, { ["Content-Length"] = 100000 }))
  client:settimeout(0)
  tricklers[#tricklers + 1] = client
end

local function trickle()
  for i = #tricklers, 1, -1 do
    local sent, problem = tricklers[i]:send("s")
    if not sent and problem ~= "timeout" then table.remove(tricklers, i):close() end
  end
end

local function is_trickled(client) return tricklers[#tricklers] == client end

local server = assert(socket.bind("127.0.0.1", 0, 256))
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do
  server:settimeout(#tricklers > 0 and 0.5 or nil)
  local client = server:accept()
  if client then
    serve(client)
    if not is_trickled(client) then client:close() end
  else
    trickle()
  end
end
