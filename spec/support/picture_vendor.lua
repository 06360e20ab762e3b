-- fal as a vendor of large pictures, for a host whose live.upstream leads here: every job is done at once, and its picture has so
-- many bytes.
--
--   lua5.4 spec/support/picture_vendor.lua BYTES
local socket = require "socket"

local BYTES = tonumber(arg[1])

local function chunk(kind, data)
  return string.pack(">I4", #data) .. kind .. data .. "\0\0\0\0"
end

-- A PNG but for its checksums: what counts is its size, and that it is whole.
local function picture()
  local noise = {}
  local seed = 12345
  for i = 1, 4096 do
    seed = (seed * 1103515245 + 12345) % 2147483648
    noise[i] = string.char(seed // 65536 % 256)
  end
  local head = "\137PNG\r\n\26\n" .. chunk("IHDR", string.pack(">I4I4", 2048, 1024) .. "\8\2\0\0\0")
  local left = BYTES - #head - 24
  return head .. chunk("IDAT", table.concat(noise):rep(left // 4096 + 1):sub(1, left)) .. chunk("IEND", "")
end

local PICTURE = picture()
local count = 0

local function answer(method, path)
  local queue = "https://queue.fal.run"
  if method == "POST" then
    count = count + 1
    local base = ("%s/fal-ai/flux/requests/%08d"):format(queue, count)
    return ('{"request_id":"%08d","status":"IN_QUEUE","queue_position":0,"response_url":"%s","status_url":"%s/status",'
      .. '"cancel_url":"%s/cancel"}'):format(count, base, base, base), "application/json"
  end
  if path:find("/status", 1, true) then return '{"status":"COMPLETED"}', "application/json" end
  if path:find("/requests/", 1, true) then
    local url = "https://v3.fal.media/files/x/picture.png"
    return ('{"images":[{"url":"%s","content_type":"image/png"}],"seed":1}'):format(url), "application/json"
  end
  if path:find("fal.media", 1, true) then return PICTURE, "image/png" end
  return "{}", "application/json"
end

local server = assert(socket.bind("127.0.0.1", 0, 64))
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do
  local client = server:accept()
  client:settimeout(60)
  local method, path, length = nil, nil, 0
  for line in function() return client:receive("*l") end do
    if not path then method, path = line:match("^(%S+) (%S+)") end
    length = tonumber(line:lower():match("^content%-length:%s*(%d+)")) or length
    if line == "" then break end
  end
  if length > 0 then client:receive(length) end
  local body, kind = answer(method or "", path or "")
  client:send(("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"):format(kind, #body))
  client:send(body)
  client:close()
end
