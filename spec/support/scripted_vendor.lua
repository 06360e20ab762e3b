-- A vendor that answers what it was told, for cases in which the right answer is known (spec/reports/*.json).
--
--   lua5.4 spec/support/scripted_vendor.lua
--
-- Listens on loopback and says where. POST /control takes
--   { "case": word, "answers": [{ "to": "POST api.x/v1/y", "status": 200, "json": {} }] }
-- An answer has `json`, or `text` with `content_type`, or `bytes` (as many, of `head` and filling); `headers`; `reset`: none.
-- A request that names the case's word, in its path or its body, gets the answers of its path in order, the last of them for
-- ever; a path without a `?` means any query. Anything else is 501. GET /seen tells of every case what it was asked,
-- GET /times when.
local exact = require "spec.support.exact_json"
local socket = require "socket"

local cases, seen, times = {}, {}, {}

local function read_request(client)
  local line = client:receive("*l")
  if not line then return nil end
  local request, length = { headers = {} }, 0
  request.method, request.path = line:match("^(%S+) /?(%S*)")
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^(.-):%s*(.*)$")
    request.headers[name:lower()] = value
    if name:lower() == "content-length" then length = tonumber(value) end
    if name:lower() == "expect" then client:send("HTTP/1.1 100 Continue\r\n\r\n") end
  end
  request.body = length > 0 and client:receive(length) or ""
  return request
end

local function body_of(answer)
  if answer.json ~= nil then return exact.encode(answer.json), "application/json" end
  if answer.bytes then
    local head = answer.head or ""
    return head .. ("\1\2\3\254"):rep(answer.bytes // 4 + 1):sub(1, answer.bytes - #head), answer.content_type
  end
  return answer.text or "", answer.content_type or "text/plain"
end

local function send(client, answer)
  if answer.reset then return end
  local body, content_type = body_of(answer)
  local lines = { ("HTTP/1.1 %d Scripted"):format(answer.status), "Connection: close", "Content-Length: " .. #body }
  if content_type ~= "" then lines[#lines + 1] = "Content-Type: " .. content_type end
  for name, value in pairs(answer.headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  client:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
end

local function word_of(request)
  local text = request.path .. " " .. request.body:sub(1, 100000)
  for word in text:gmatch("case%d+x") do
    if cases[word] then return word end
  end
end

local function answer_to(request)
  local word = word_of(request)
  if not word then return { status = 501, text = "no case is named in " .. request.path } end
  local line = request.method .. " " .. request.path
  local bare = line:match("^[^?]*")
  seen[word][#seen[word] + 1] = line
  times[word][#times[word] + 1] = socket.gettime()
  for _, key in ipairs { line, bare } do
    local list = cases[word][key]
    if list then return #list > 1 and table.remove(list, 1) or list[1] end
  end
  return { status = 501, text = "the case has no answer to " .. line }
end

local function control(text)
  local told = exact.decode(text)
  cases[told.case], seen[told.case], times[told.case] = {}, exact.array(), exact.array()
  for _, answer in ipairs(told.answers) do
    local list = cases[told.case][answer.to] or {}
    cases[told.case][answer.to] = list
    list[#list + 1] = answer
  end
  return { status = 200, json = {} }
end

local function serve(client)
  client:settimeout(20)
  local request = read_request(client)
  if not request then return end
  if request.path == "healthz" then return send(client, { status = 200, json = {} }) end
  if request.path == "seen" then return send(client, { status = 200, json = seen }) end
  if request.path == "times" then return send(client, { status = 200, json = times }) end
  if request.path == "control" then return send(client, control(request.body)) end
  send(client, answer_to(request))
end

local server = assert(socket.bind("127.0.0.1", 0, 256))
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do
  local client = server:accept()
  serve(client)
  client:close()
end
