-- A reverse proxy that serves a host below a prefix, as nginx does with `location /studio/ { proxy_pass http://host/; }`:
--
--   lua5.4 spec/support/prefix_proxy.lua PREFIX HOST_PORT [redirect]
--
-- PREFIX is "/studio/". With `redirect` the prefix without its slash is sent on to the one with it; else it is answered like it.
-- Whatever is not below the prefix is 404. GET /seen lists every request's path and the names of its cookies.
local socket = require "socket"

local prefix, host_port, redirects = arg[1], tonumber(arg[2]), arg[3] == "redirect"
local bare = prefix:sub(1, -2)

local HEAD_BYTES, PIECE_BYTES = 65536, 65536
local server = assert(socket.bind("127.0.0.1", 0, 256))
local seen = {}
local ends = {} -- socket -> { socket, other, text = waits to be sent to it, head = until it is whole, closing }

local function add(connection)
  connection:settimeout(0)
  ends[connection] = { socket = connection, text = "" }
  return ends[connection]
end

local function drop(one)
  ends[one.socket] = nil
  one.socket:close()
  local other = one.other
  if other then
    other.other, other.closing = nil, true
    if other.text == "" then
      ends[other.socket] = nil
      other.socket:close()
    end
  end
end

local function answer(one, status, headers, body)
  one.text = ("HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"):format(status, #body, headers, body)
  one.closing = true
end

local function note(path, head)
  local cookies = {}
  for line in head:gmatch("\r\n[Cc]ookie: ([^\r]*)") do
    for name in line:gmatch("([^=; ]+)=") do cookies[#cookies + 1] = name end
  end
  seen[#seen + 1] = path .. " " .. table.concat(cookies, ",")
end

-- One request a connection: what comes after its head is passed on as it is.
local function pass_on(one, method, path, rest)
  local inner = path == bare and "/" or "/" .. path:sub(#prefix + 1)
  local upstream = socket.tcp4()
  assert(upstream:connect("127.0.0.1", host_port))
  local other = add(upstream)
  one.other, other.other = other, one
  local lines = rest:gsub("\r\n[Cc]onnection: [^\r]*", "")
  other.text = ("%s %s HTTP/1.1\r\nConnection: close%s"):format(method, inner, lines)
end

local function begin(one)
  local head = one.head
  local method, path, rest = head:match("^(%S+) (%S+) HTTP/1%.1(\r\n.*)$")
  one.head = nil
  if path == "/healthz" then return answer(one, "200 OK", "", "{}") end -- its own: spec/support/host.lua asks
  if path == "/seen" then return answer(one, "200 OK", "", table.concat(seen, "\n")) end
  note(path, head)
  if path == bare and redirects then
    return answer(one, "301 Moved Permanently", ("Location: %s\r\n"):format(prefix), "")
  end
  if path ~= bare and path:sub(1, #prefix) ~= prefix then return answer(one, "404 Not Found", "", "nothing is here") end
  pass_on(one, method, path, rest)
end

local function read(one)
  local data, problem, partial = one.socket:receive(PIECE_BYTES)
  data = data or partial or ""
  if data ~= "" then
    if one.other then one.other.text = one.other.text .. data
    elseif not one.closing then
      one.head = (one.head or "") .. data
      if one.head:find("\r\n\r\n", 1, true) then begin(one) elseif #one.head > HEAD_BYTES then drop(one) end
    end
  end
  if problem == "closed" and ends[one.socket] then drop(one) end
end

local function write(one)
  local sent, problem, partial = one.socket:send(one.text)
  one.text = one.text:sub((sent or partial or 0) + 1)
  if problem == "closed" or one.text == "" and one.closing then drop(one) end
end

io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do
  local reading, writing = { server }, {}
  for connection, one in pairs(ends) do
    reading[#reading + 1] = connection
    if one.text ~= "" then writing[#writing + 1] = connection end
  end
  local readable, writable = socket.select(reading, writing)
  for _, connection in ipairs(writable) do
    if ends[connection] then write(ends[connection]) end
  end
  for _, connection in ipairs(readable) do
    if connection == server then
      local client = server:accept()
      if client then add(client) end
    elseif ends[connection] then
      read(ends[connection])
    end
  end
end
