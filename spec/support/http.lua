-- A small HTTP/1.1 client on raw sockets: it sends what it is told, and waits long, so that specs can look at every byte.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local recorder = require "spec.support.openapi_recorder"
local socket = require "socket"

local http = { timeout = 120 }

local Client = {}
Client.__index = Client

--- A connection to 127.0.0.1:port. It stays open between requests.
function http.connect(port, timeout)
  local connection = assert(socket.tcp4())
  connection:settimeout(timeout or http.timeout)
  assert(connection:connect("127.0.0.1", port))
  connection:setoption("tcp-nodelay", true)
  return setmetatable({ socket = connection, port = port, asked = {} }, Client)
end

function Client:close()
  self.socket:close()
end

local function has_header(headers, name)
  for given in pairs(headers) do
    if given:lower() == name then return true end
  end
  return false
end

--- The bytes of a request. A body that is no text is sent as JSON; a header that is `false` is left out.
function http.format(port, method, path, body, headers)
  headers = headers or {}
  local lines = { method .. " " .. path .. " HTTP/1.1" }
  if body ~= nil and type(body) ~= "string" then body = exact.encode(body) end
  if not has_header(headers, "host") then lines[#lines + 1] = "Host: 127.0.0.1:" .. port end
  if body and not has_header(headers, "content-type") then lines[#lines + 1] = "Content-Type: application/json" end
  if not has_header(headers, "content-length") and (body or method ~= "GET" and method ~= "HEAD") then
    lines[#lines + 1] = "Content-Length: " .. #(body or "")
  end
  for name, value in pairs(headers) do
    if value then lines[#lines + 1] = name .. ": " .. value end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

--- Sends a request without waiting for the answer; receive() takes that.
function Client:send(method, path, body, headers)
  self.method = method
  self.asked[#self.asked + 1] = { method = method, path = path }
  assert(self.socket:send(http.format(self.port, method, path, body, headers)))
end

local function receive(self, pattern)
  local data, problem, partial = self.socket:receive(pattern)
  if data then return data end
  error(("HTTP: %s after %q"):format(problem, (partial or ""):sub(1, 60)), 0)
end

local function receive_headers(self)
  local headers = {}
  while true do
    local line = receive(self, "*l")
    if line == "" then return headers end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    assert(name, "HTTP: bad header line " .. line)
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
end

local function receive_chunks(self)
  local parts = {}
  while true do
    local size = tonumber(receive(self, "*l"):match("^%x+"), 16)
    if size == 0 then break end
    parts[#parts + 1] = receive(self, size)
    receive(self, "*l")
  end
  receive_headers(self)
  return table.concat(parts)
end

local function receive_body(self, status, headers)
  if self.method == "HEAD" or status == 204 or status == 304 then return "" end
  if (headers["transfer-encoding"] or ""):lower():find("chunked", 1, true) then return receive_chunks(self) end
  local length = tonumber(headers["content-length"])
  if length == 0 then return "" end
  return receive(self, length or "*a")
end

--- The next answer: { status, headers (names in lower case), body, json (when the body is JSON) }. An error when none comes.
function Client:receive()
  local asked = table.remove(self.asked, 1)
  local status, headers
  repeat
    local line = receive(self, "*l")
    status = tonumber(line:match("^HTTP/1%.[01] (%d%d%d)")) or error("HTTP: bad status line " .. line, 0)
    headers = receive_headers(self)
  until status >= 200
  local answer = { status = status, headers = headers, body = receive_body(self, status, headers) }
  local is_json = (headers["content-type"] or ""):find("json", 1, true)
  if is_json and answer.body ~= "" then answer.json = cjson.decode(answer.body) end
  if asked then recorder.keep(self.port, asked.method, asked.path, answer) end
  return answer
end

function Client:request(method, path, body, headers)
  self:send(method, path, body, headers)
  return self:receive()
end

--- One request on a connection of its own.
function http.request(port, method, path, body, headers)
  local all = { ["Connection"] = "close" }
  for name, value in pairs(headers or {}) do all[name] = value end
  if body ~= nil and type(body) ~= "string" then body = exact.encode(body) end -- a large one may take longer than a host waits
  local client = http.connect(port)
  local ok, answer = pcall(client.request, client, method, path, body, all)
  client:close()
  if not ok then error(answer, 0) end
  return answer
end

--- Sends bytes as they are (or a list of pieces, options.pause seconds apart) and reads until the other side closes, or
--- options.timeout seconds (default 30) passed. Returns what came, and "closed" or "timeout". options.half_close: tells the
--- other side that nothing more comes.
function http.raw(port, bytes, options)
  options = options or {}
  local client = http.connect(port, options.timeout or 30)
  for i, piece in ipairs(type(bytes) == "table" and bytes or { bytes }) do
    if i > 1 and options.pause then socket.sleep(options.pause) end
    if not client.socket:send(piece) then break end -- the host may have heard enough
  end
  if options.half_close then client.socket:shutdown("send") end
  local data, problem, partial = client.socket:receive("*a")
  client:close()
  return data or partial, data and "closed" or problem
end

return http
