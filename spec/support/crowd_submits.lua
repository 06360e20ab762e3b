-- Submits dry runs on many connections at once, as fast as they are answered, until the host is gone or a time is over.
--
--   local found = require("spec.support.crowd_submits").run(port, { connections = 8, seconds = 2 })
--   found.ids       -- job ids of all that were answered with 200, in the order of the answers
--   found.refused   -- how many other answers there were
local http = require "spec.support.http"
local socket = require "socket"

local PATHS = {
  "/api/providers/image/fal/submit", "/api/providers/video/luma/submit", "/api/providers/image/stability/submit",
}

local crowd = {}

local function connect(port, number)
  local connection = socket.tcp4()
  if not connection:connect("127.0.0.1", port) then return nil end
  connection:setoption("tcp-nodelay", true)
  connection:settimeout(0)
  return { socket = connection, number = number, text = "", port = port }
end

local function send(client, prompt)
  local path = PATHS[client.number % #PATHS + 1]
  return client.socket:send(http.format(client.port, "POST", path, { prompt = prompt }))
end

-- The whole answer that the client has received, or nil.
local function take_answer(client)
  local head_end = select(2, client.text:find("\r\n\r\n", 1, true))
  local length = head_end and tonumber(client.text:sub(1, head_end):lower():match("content%-length: (%d+)"))
  if not length or #client.text < head_end + length then return nil end
  local answer = client.text:sub(1, head_end + length)
  client.text = client.text:sub(head_end + length + 1)
  return answer
end

local function note(found, answer)
  local id = answer:match('^HTTP/1.1 200.*"job_id":"([%x-]+)"')
  if id then
    found.ids[#found.ids + 1] = id
  else
    found.refused = found.refused + 1
  end
  return answer:lower():find("connection: close", 1, true)
end

-- Reads what is there. False: the connection is over.
local function serve(client, found, prompt)
  local data, problem, partial = client.socket:receive(65536)
  client.text = client.text .. (data or partial or "")
  local answer = take_answer(client)
  if answer then
    if note(found, answer) or not send(client, prompt) then return false end
  end
  return problem ~= "closed"
end

function crowd.run(port, options)
  local found, clients, sockets = { ids = {}, refused = 0 }, {}, {}
  local function add(number)
    local client = connect(port, number)
    if not client or not send(client, options.prompt or "a lighthouse") then return end
    clients[client.socket] = client
    sockets[#sockets + 1] = client.socket
  end
  local function drop(client)
    clients[client.socket] = nil
    for i, each in ipairs(sockets) do
      if each == client.socket then table.remove(sockets, i) end
    end
    client.socket:close()
  end
  local deadline = socket.gettime() + (options.seconds or 10)
  for number = 1, options.connections or 8 do add(number) end
  while #sockets > 0 and socket.gettime() < deadline do
    for _, ready in ipairs((socket.select(sockets, nil, 0.1))) do
      local client = clients[ready]
      if not serve(client, found, options.prompt or "a lighthouse") then
        drop(client)
        add(client.number)
      end
    end
  end
  for _, each in ipairs(sockets) do each:close() end
  return found
end

-- Follows pages: { [id] = times } of what `each` says of a row.
local function count_pages(host, path, rows, each)
  local seen, cursor = {}, nil
  repeat
    local page = host:get(path .. (cursor or "")).json
    for _, row in ipairs(page[rows]) do
      local id = each(row)
      if id then seen[id] = (seen[id] or 0) + 1 end
    end
    cursor = type(page.next) == "string" and page.next or nil
  until not cursor
  return seen
end

--- How often each job is in the list.
function crowd.listed(host)
  return count_pages(host, "/api/jobs/list?limit=500&fields=brief&cursor=", "tasks", function(task) return task.job_id end)
end

--- How often the log of events tells of each job.
function crowd.told(host)
  local path = "/api/events/history?limit=500&fields=brief&type=public.*&after="
  return count_pages(host, path, "events", function(event) return event.subject end)
end

--- An error that names the first job which is not there once, with one event.
function crowd.check(host, ids)
  local listed, told = crowd.listed(host), crowd.told(host)
  for i, id in ipairs(ids) do
    local of = (" (%d of %d)"):format(i, #ids)
    if listed[id] ~= 1 then error(id .. " is in the list " .. (listed[id] or 0) .. " times" .. of, 2) end
    if told[id] ~= 1 then error(id .. " has " .. (told[id] or 0) .. " events" .. of, 2) end
  end
  for id, times in pairs(listed) do
    if times ~= 1 or told[id] ~= 1 then error(("%s: %d rows, %d events"):format(id, times, told[id] or 0), 2) end
  end
end

return crowd
