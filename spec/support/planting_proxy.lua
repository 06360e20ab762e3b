-- A vendor that repeats the credential which it was sent: passes requests on to the simulator, and plants the credential in its
-- answers.
--
--   lua5.4 spec/support/planting_proxy.lua PORT
--
-- One text of each answer at a time, another one each time that the same is asked for: every text, a name, a header, an error.
-- What it is planted in stays usable: an id that was given out with the credential in it is known again when it is asked for.
-- GET /planted lists what was planted where.
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local socket = require "socket"

local upstream = tonumber(arg[1])
local counts, planted, secrets = {}, {}, {}

local function percent(text)
  return (text:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- The credential of a request, whatever its header is called.
local function credential_of(request)
  local value = request.headers["authorization"] or request.headers["x-api-key"] or request.headers["modal-secret"]
  value = value and value:match("(%S+)$")
  if value and #value > 12 then secrets[value] = true end
  return value and #value > 12 and value or next(secrets)
end

local function without_secrets(path)
  for secret in pairs(secrets) do
    for _, form in ipairs { "-" .. secret, "-" .. percent(secret) } do
      local from, to = path:find(form, 1, true)
      while from do
        path = path:sub(1, from - 1) .. path:sub(to + 1)
        from, to = path:find(form, 1, true)
      end
    end
  end
  return path
end

local function texts_of(value, list)
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    if type(value[name]) == "string" then
      list[#list + 1] = { value, name }
    elseif type(value[name]) == "table" and value[name] ~= exact.null then
      texts_of(value[name], list)
    end
  end
  return list
end

-- What is one word stays one, and the same one without the credential.
local function with_secret(text, secret)
  return text:find("%s") and text .. " (key " .. secret .. ")" or text .. "-" .. secret
end

local EXTRA = 5

local function plant(answer, secret, number)
  local ok, json = pcall(exact.decode, answer.body or "")
  local texts = ok and type(json) == "table" and json ~= exact.null and texts_of(json, {}) or {}
  local at = number % (#texts + EXTRA)
  if at < #texts then
    local holder, name = table.unpack(texts[at + 1])
    holder[name] = with_secret(holder[name], secret)
    answer.body = exact.encode(json)
    return name
  elseif at == #texts and #texts > 0 and not exact.is_array(json) then
    json[secret], json["x " .. secret] = secret, { secret }
    answer.body = exact.encode(json)
    return "a name"
  elseif at == #texts + 1 then
    answer.headers["x-echo"], answer.headers["x-" .. secret:gsub("[^%w]", "-")] = secret, secret
    return "a header"
  elseif at == #texts + 2 then
    answer.status, answer.body = 400, exact.encode { detail = "key " .. secret .. " is bad", error = "Bearer " .. secret,
      message = "key " .. secret .. " is bad" }
    return "400"
  elseif at == #texts + 3 then
    answer.status, answer.body = 500, "<html>no " .. secret .. " here: " .. percent(secret) .. "</html>"
    answer.headers["content-type"] = "text/html"
    return "500"
  end
  return "nothing"
end

local function read_request(client)
  local line = client:receive("*l")
  if not line then return nil end
  local request = { headers = {} }
  request.method, request.path = line:match("^(%S+) (%S+)")
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    local name, value = header:match("^(.-):%s*(.*)$")
    request.headers[name:lower()] = value
  end
  local length = tonumber(request.headers["content-length"]) or 0
  request.body = length > 0 and client:receive(length) or nil
  return request
end

-- The same question, whatever job it is about.
local function question(request)
  return request.method .. " " .. request.path:gsub("%?.*", ""):gsub("[%w_%-]*%d[%w_%-]*", "#")
end

local DROPPED = { ["content-length"] = true, ["transfer-encoding"] = true, connection = true, expect = true }

local function answer_of(request)
  local secret = credential_of(request)
  local headers = {}
  for name, value in pairs(request.headers) do
    if not DROPPED[name] then headers[name] = value end
  end
  local answer = http.request(upstream, request.method, without_secrets(request.path), request.body, headers)
  local asked = question(request)
  counts[asked] = (counts[asked] or -1) + 1
  if secret then planted[#planted + 1] = asked .. ": " .. plant(answer, secret, counts[asked]) end
  return answer
end

local function send(client, answer)
  local body = answer.body or ""
  local lines = { ("HTTP/1.1 %d Answer"):format(answer.status), "Connection: close", "Content-Length: " .. #body }
  for name, value in pairs(answer.headers or {}) do
    if not DROPPED[name] then lines[#lines + 1] = name .. ": " .. value end
  end
  client:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
end

local function serve(client)
  client:settimeout(20)
  local request = read_request(client)
  if not request then return end
  if request.path == "/healthz" then return send(client, { status = 200, body = "{}" }) end
  if request.path == "/planted" then return send(client, { status = 200, body = table.concat(planted, "\n") }) end
  local ok, answer = pcall(answer_of, request)
  send(client, ok and answer or { status = 599, body = tostring(answer) })
end

local server = assert(socket.bind("127.0.0.1", 0))
io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
io.flush()
while true do
  local client = server:accept()
  serve(client)
  client:close()
end
