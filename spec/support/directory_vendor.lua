-- A vendor with a directory of models, and with whatever may go wrong in one.
--
--   lua5.4 spec/support/directory_vendor.lua
--
-- It is reached as live.upstream: the first part of a path is the host's name, and does not count but for what is seen.
--   GET /HOST/models?cursor=N      a page: { models = { { id, name, ... } }, next = N+1 | nil }
--   GET /HOST/model?id=ID          one with its schema; 404 when there is none
--   GET /HOST/prices?ids=A,B       { A = 0.5 }
--   POST /set                      JSON that is laid over the settings below; answers with them
--   POST /HOST/submit              takes a job
--   GET /seen                      the requests so far, but for these two: { { method, host, path, query, key, body }, ... }
local cjson = require "cjson"
local socket = require "socket"

local settings = {
  models = 250, page = 100, schemas = false, -- of the list
  properties = 6,                            -- of a schema
  fail = {},                                 -- [path] = the name of one of FAILURES below
  fail_page = false,                         -- only this page of /models fails
  retry_after = false,
  cursor = false,                            -- what every page gives as next
  gone = {}, price = 0.5, currency = "USD", maximum = 4, delay = 0, schema = false,
}
local seen, held = {}, {}

local function reply(client, status, body, headers)
  local head = "HTTP/1.1 %d Answer\r\nConnection: close\r\nContent-Type: application/json\r\n%s"
    .. "Content-Length: %d\r\n\r\n"
  client:send(head:format(status, headers or "", #body) .. body)
  client:close()
end

local function schema_of(id)
  if settings.schema then return settings.schema end
  local properties = {
    prompt = { type = "string", description = "What is to be seen in " .. id },
    samples = { type = "integer", minimum = 1, maximum = settings.maximum, default = 1 },
  }
  for i = 3, settings.properties do
    local description = ("An input of model %s that means %d."):format(id, i)
    properties["input_" .. i] = { type = "number", description = description, default = i }
  end
  return { type = "object", properties = properties, required = { "prompt" } }
end

local function model_of(number, whole)
  local id = ("maker-%d/model-%04d"):format(number % 7, number)
  if settings.gone[id] then return nil end
  return {
    id = id, name = ("Model %d"):format(number), kind = number % 3 == 0 and "video" or "image", task = "text-to-image",
    description = "Makes pictures of what it is told, number " .. number, updated_at = "2026-11-01T00:00:00Z",
    inputs = whole and schema_of(id) or nil,
  }
end

local function page_of(query)
  local first = (tonumber(query.cursor) or 0) * settings.page + 1
  local last = math.min(first + settings.page - 1, settings.models)
  local list = {}
  for number = first, last do list[#list + 1] = model_of(number, settings.schemas) end
  local next_page = last < settings.models and tostring((tonumber(query.cursor) or 0) + 1) or nil
  return { models = #list > 0 and list or cjson.decode("[]"), next = settings.cursor or next_page }
end

local function one_of(query)
  local number = tonumber((query.id or ""):match("^maker%-%d+/model%-(%d+)$"))
  return number and (number <= settings.models or query.id:find("9999", 1, true)) and model_of(number, true) or nil
end

local FAILURES = {
  ["429"] = function(client)
    reply(client, 429, '{"error":"slower"}', settings.retry_after and "Retry-After: " .. settings.retry_after .. "\r\n")
  end,
  ["422"] = function(client) reply(client, 422, '{"error":"samples"}') end,
  ["500"] = function(client) reply(client, 500, '{"error":"broken"}') end,
  html = function(client) reply(client, 200, "<!doctype html><html><script>alert(1)</script></html>") end,
  large = function(client)
    reply(client, 200, '{"models":[{"id":"x","pad":"' .. ("x"):rep(4300000) .. '"}]}')
  end,
  nothing = function(client) reply(client, 200, '{"models":[]}') end,
  hang = function(client) held[#held + 1] = client end,
  redirect = function(client) reply(client, 302, "{}", "Location: http://127.0.0.1:1/elsewhere\r\n") end,
  cut = function(client)
    client:send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n")
    client:send('{"models":[{"id":"cut/short"}')
    client:close()
  end,
}

local function failure_of(path, query)
  local how = settings.fail[path]
  local spared = path == "models" and settings.fail_page and settings.fail_page ~= tonumber(query.cursor or 0)
  return how and not spared and FAILURES[how] or nil
end

local function prices_of(query)
  local prices = {}
  for id in (query.ids or ""):gmatch("[^,]+") do
    if settings.price then prices[id] = { unit = "images", usd = settings.price, currency = settings.currency } end
  end
  return prices
end

local submits = 0

local function take_job()
  submits = submits + 1
  return { id = "job-" .. submits }
end

local ANSWERS = { submit = take_job, models = page_of, model = one_of, prices = prices_of }

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function read_request(client)
  local line = client:receive("*l")
  local method, target = (line or ""):match("^(%S+) (%S+)")
  local headers = {}
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^([^:]+):%s*(.*)$")
    if name then headers[name:lower()] = value end
  end
  local length = tonumber(headers["content-length"]) or 0
  local body = length > 0 and client:receive(length) or ""
  return method, target, headers, body
end

local function own(client, target, body)
  if target == "/set" then
    for name, value in pairs(cjson.decode(body)) do settings[name] = value ~= cjson.null and value or false end
    for _, other in ipairs(held) do other:close() end
    held = {}
    reply(client, 200, "{}")
  elseif target == "/seen" then
    reply(client, 200, #seen > 0 and cjson.encode(seen) or "[]")
  else
    return false
  end
  return true
end

local function serve(client)
  client:settimeout(20)
  local method, target, headers, body = read_request(client)
  if not method then return client:close() end
  if target == "/healthz" then return reply(client, 200, "{}") end
  if own(client, target, body) then return end
  local host, path, search = target:match("^/([^/]+)/([^?]*)%??(.*)$")
  local query = {}
  for name, value in (search or ""):gmatch("([^&=]+)=([^&]*)") do query[name] = unescape(value) end
  seen[#seen + 1] = {
    method = method, host = host, path = path, query = query, key = headers.authorization, body = body,
  }
  if settings.delay > 0 then socket.sleep(settings.delay) end
  local fail = failure_of(path, query)
  if fail then return fail(client) end
  local answer = ANSWERS[path] and ANSWERS[path](query)
  reply(client, answer and 200 or 404, answer and cjson.encode(answer) or '{"error":"no such thing"}')
end

local server = assert(socket.bind("127.0.0.1", 0, 512))
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do serve(server:accept()) end
