-- A vendor whose answers are large: the last part of the path says what is sent, and how much of it.
--
--   lua5.4 spec/support/large_vendor.lua
--
-- .../mp4-N      N bytes of a film             .../floats-N   a list of N numbers in an object in a list
-- .../list-N     the bare list                  .../text-N     N bytes of text
-- .../run        RunPod's receipt; /status/ID   its answer with N numbers, where the endpoint is called numbers-N
local socket = require "socket"

local function numbers(count)
  local piece = "[" .. ("0.125,"):rep(count - 1) .. "0.125]"
  return piece
end

local BODIES = {
  mp4 = function(count)
    return "\0\0\0\24ftypisom\0\0\2\0isom" .. ("film\0\1\2\255"):rep(count // 8):sub(1, count - 24) .. "xxxx", "video/mp4"
  end,
  floats = function(count) return '[{"generated_audio":' .. numbers(count) .. ',"sampling_rate":32000}]', "application/json" end,
  list = function(count) return numbers(count), "application/json" end,
  text = function(count) return ("a line\n"):rep(count // 7 + 1):sub(1, count), "text/plain; charset=utf-8" end,
}

local function answer(path)
  if path:find("/run$") then return '{"id":"e-u1","status":"IN_QUEUE"}', "application/json" end
  local count = tonumber(path:match("/numbers%-(%d+)/status/"))
  if count then
    return '{"id":"e-u1","status":"COMPLETED","output":{"object":"list","data":[{"embedding":' .. numbers(count) .. "}]}}",
      "application/json"
  end
  local kind, size = path:match("/(%w+)%-(%d+)$")
  if BODIES[kind] then return BODIES[kind](tonumber(size)) end
  return "{}", "application/json"
end

local server = assert(socket.bind("127.0.0.1", 0, 64))
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do
  local client = server:accept()
  client:settimeout(60)
  local path, length = nil, 0
  for line in function() return client:receive("*l") end do
    path = path or line:match("^%S+ ([^%s?]+)")
    length = tonumber(line:lower():match("^content%-length:%s*(%d+)")) or length
    if line == "" then break end
  end
  if length > 0 then client:receive(length) end
  local body, kind = answer(path or "")
  client:send(("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"):format(kind, #body))
  client:send(body)
  client:close()
end
