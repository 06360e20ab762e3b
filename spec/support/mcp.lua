-- Speaks MCP to a host over HTTP, in either era.
--
--   local agent = mcp.modern(host)       -- or mcp.legacy(host); options.headers, options.meta go with each request
--   agent:call("get_budget", {})         -- { answer, result, error, data = structuredContent, text = content[1].text }
--   agent:ask("tools/list")              -- the same of any method
--   mcp.events(answer.body)              -- the messages of an answer that was a stream
local cjson = require "cjson"
local http = require "spec.support.http"

local mcp = { VERSION = "2026-07-28", LEGACY = "2025-11-25" }

local Agent = {}
Agent.__index = Agent

local ACCEPT = "application/json, text/event-stream"
local NAMED = { ["tools/call"] = "name", ["resources/read"] = "uri" }

function mcp.modern(host, options)
  options = options or {}
  return setmetatable({ host = host, modern = true, headers = options.headers or {}, meta = options.meta or {}, id = 0,
    capabilities = options.capabilities or {} }, Agent)
end

function mcp.legacy(host, options)
  options = options or {}
  return setmetatable({ host = host, headers = options.headers or {}, meta = options.meta or {}, id = 0 }, Agent)
end

--- The messages of a text/event-stream, decoded; comments are left out.
function mcp.events(body)
  local list = {}
  for event in body:gmatch "(.-)\n\n" do
    local data = event:match "^event: message\ndata: ([^\n]*)$"
    if data then
      list[#list + 1] = cjson.decode(data)
    else
      assert(event:match "^:", "no event of MCP: " .. event)
    end
  end
  return list
end

local function set_meta(self, params)
  local meta = params._meta or {}
  for name, value in pairs(self.meta) do meta[name] = value end
  if self.modern then
    meta["io.modelcontextprotocol/protocolVersion"] = mcp.VERSION
    meta["io.modelcontextprotocol/clientInfo"] = { name = "spec", version = "1" }
    meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities
  end
  if next(meta) then params._meta = meta end
end

--- Headers and body of a request, as its era wants them.
function Agent:format(method, params)
  self.id = self.id + 1
  local body = { jsonrpc = "2.0", id = self.id, method = method, params = params or {} }
  local headers = { ["Accept"] = ACCEPT, ["MCP-Protocol-Version"] = self.modern and mcp.VERSION or mcp.LEGACY }
  set_meta(self, body.params)
  if self.modern then
    headers["Mcp-Method"] = method
    headers["Mcp-Name"] = body.params[NAMED[method]]
  end
  for name, value in pairs(self.headers) do headers[name] = value end
  return headers, body
end

local function read(answer)
  local message = answer.json
  local events
  if (answer.headers["content-type"] or ""):find("event-stream", 1, true) then
    events = mcp.events(answer.body)
    message = events[#events]
  end
  message = message or {}
  local result = message.result
  return { answer = answer, status = answer.status, message = message, result = result, error = message.error, events = events,
    data = result and result.structuredContent, refused = result and result.isError or nil,
    text = result and result.content and result.content[1] and result.content[1].text }
end

mcp.read = read

--- Sends a request and waits for its end.
function Agent:ask(method, params)
  local headers, body = self:format(method, params)
  return read(self.host:post("/mcp", body, headers))
end

--- Calls a tool. What a tool refuses is decoded too: .data has it.
function Agent:call(name, arguments, more)
  local params = { name = name, arguments = arguments or {} }
  for key, value in pairs(more or {}) do params[key] = value end
  local found = self:ask("tools/call", params)
  if found.refused then found.data = cjson.decode(found.text) end
  return found
end

--- Begins a request whose answer is read piece by piece: the connection, once the head has come, and the head's lines.
function Agent:begin(method, params)
  local headers, body = self:format(method, params)
  local client = http.connect(self.host.port)
  client:send("POST", "/mcp", body, headers)
  local head = {}
  repeat
    local line = assert(client.socket:receive "*l")
    head[#head + 1] = line
  until line == ""
  return client, table.concat(head, "\n")
end

--- The next message of a stream that was begun; comments are left out. nil at its end.
function mcp.next_event(client)
  local data
  while true do
    local line = client.socket:receive "*l"
    if not line then return nil end
    if line == "" and data then return cjson.decode(data) end
    data = line:match "^data: (.*)$" or data
  end
end

return mcp
