-- Passes connections on, and does it badly when it is told to. Told by HTTP on a port of its own: spec/support/proxy.lua.
--
--   lua5.4 spec/support/tcp_proxy.lua TO...        TO is a port of 127.0.0.1 or the path of a unix socket
--
-- With several TO it is a balancer: each new connection goes to the next one that takes it.
--
--   GET /healthz, /port (where it listens for what it passes on), /connections (how many are open)
--   POST /pass     as it should be
--   POST /hold     nothing is passed on, either way, and nothing is closed: a network that drops packets
--   POST /mute     what clients say is passed on, what they are answered is lost
--   POST /refuse   all connections are closed, and new ones at once
--   POST /cut      all connections are closed; the mode stays
--   POST /strand   clients lose their connections; what they had said by now is still on its way, until
--   POST /deliver  it arrives
--   POST /to TO... new connections go to these from now on
local socket = require "socket"
local unix = require "socket.unix"

local PIECE_BYTES, FULL_BYTES = 65536, 1048576
local targets, turn, mode = table.move(arg, 1, #arg, 1, {}), 0, "pass"
local server, control = assert(socket.bind("127.0.0.1", 0, 512)), assert(socket.bind("127.0.0.1", 0, 16))
local ends = {} -- socket -> { socket, other, text = waits to be sent to it, of_client, closing }

local function connect(target)
  local connection
  if target:find("^%d+$") then
    connection = socket.tcp4()
    if connection:connect("127.0.0.1", tonumber(target)) then return connection end
  else
    connection = unix()
    if connection:connect(target) then return connection end
  end
  connection:close()
  return nil
end

local function add(connection, of_client)
  connection:settimeout(0)
  if of_client or connection.setoption then pcall(connection.setoption, connection, "tcp-nodelay", true) end
  ends[connection] = { socket = connection, text = "", of_client = of_client }
  return ends[connection]
end

local function close(one)
  ends[one.socket] = nil
  one.socket:close()
end

-- What was read before its end is still sent to the other side.
local function drop(one)
  close(one)
  local other = one.other
  if not other then return end
  other.other, other.closing = nil, true
  if other.text == "" then close(other) end
end

local function cut()
  local all = {}
  for _, one in pairs(ends) do all[#all + 1] = one end
  for _, one in ipairs(all) do close(one) end
end

-- In this mode nothing of a client's was read lately: it is still in the socket.
local function strand()
  local all = {}
  for _, one in pairs(ends) do
    if one.of_client and one.other then all[#all + 1] = one end
  end
  for _, one in ipairs(all) do
    local other = one.other
    local data, _, partial = one.socket:receive(FULL_BYTES)
    other.text = other.text .. (data or partial or "")
    close(one)
    other.other, other.closing, other.stranded = nil, true, true
  end
end

local function deliver()
  local empty = {}
  for _, one in pairs(ends) do
    if one.stranded and one.text == "" then empty[#empty + 1] = one end
    one.stranded = nil
  end
  for _, one in ipairs(empty) do close(one) end
end

local function accept()
  local client = server:accept()
  if not client then return end
  if mode == "refuse" then return client:close() end
  for _ = 1, #targets do
    turn = turn % #targets + 1
    local upstream = connect(targets[turn])
    if upstream then
      local one, other = add(client, true), add(upstream, false)
      one.other, other.other = other, one
      return
    end
  end
  client:close()
end

local function read(one)
  local data, problem, partial = one.socket:receive(PIECE_BYTES)
  data = data or partial or ""
  if data ~= "" and one.other and (one.of_client or mode ~= "mute") then one.other.text = one.other.text .. data end
  if problem == "closed" then drop(one) end
end

local function write(one)
  local sent, problem, partial = one.socket:send(one.text)
  one.text = one.text:sub((sent or partial or 0) + 1)
  if problem == "closed" then drop(one) elseif one.text == "" and one.closing then close(one) end
end

local function count()
  local open = 0
  for _, one in pairs(ends) do open = open + (one.of_client and 1 or 0) end
  return open
end

local function told(path)
  local word, rest = path:match("^/(%a+)%??(.*)$")
  if word == "port" then return tostring(select(2, server:getsockname())) end
  if word == "connections" then return tostring(count()) end
  if word == "cut" or word == "refuse" then cut() end
  if word == "strand" then strand() elseif word == "deliver" then deliver() end
  if word == "to" then
    targets, turn = {}, 0
    for target in rest:gmatch("[^,]+") do targets[#targets + 1] = target end
  elseif word ~= "healthz" and word ~= "cut" and word ~= "strand" and word ~= "deliver" then
    mode = word
  end
  return "{}"
end

local function answer()
  local client = control:accept()
  if not client then return end
  client:settimeout(5)
  local line = client:receive("*l")
  while line and (client:receive("*l") or "") ~= "" do end -- its head
  local body = line and told(line:match("^%u+ (%S+)")) or ""
  client:send(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(#body, body))
  client:close()
end

io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, control:getsockname())))
io.flush()
server:settimeout(0)
while true do
  local reading, writing = { server, control }, {}
  for connection, one in pairs(ends) do
    if mode ~= "hold" and not one.stranded then
      if not one.other or #one.other.text < FULL_BYTES then reading[#reading + 1] = connection end
      if one.text ~= "" then writing[#writing + 1] = connection end
    end
  end
  local readable, writable = socket.select(reading, writing)
  for _, connection in ipairs(writable) do
    if ends[connection] then write(ends[connection]) end
  end
  for _, connection in ipairs(readable) do
    if connection == server then accept()
    elseif connection == control then answer()
    elseif ends[connection] then read(ends[connection]) end
  end
end
