-- Keeps what hosts under test have answered, for spec/openapi/answers.mjs to hold against /openapi.json at the end of a run.
--
-- spec/run.lua gives a folder in OPENAPI_ANSWERS; without it nothing is kept. Of answers of the same shape one is kept for each
-- file of specs: the same path but for ids, status, media type, and members of the same types. Short lower-case words and the
-- signs of numbers count as shape, so that an enum is seen with each of its values.
local cjson = require "cjson"
local socket = require "socket"

local recorder = {}

local FOLDER = os.getenv "OPENAPI_ANSWERS"
local BODY_BYTES = 1000000
local ITEMS = 50 -- of a list that are looked at

local hosts = {} -- their ports
local seen = {}
local file

local function word(text)
  return #text <= 24 and text:find("^[a-z][a-z_.]*$") and text or "s"
end

local function shape(value)
  local kind = type(value)
  if kind == "string" then return word(value) end
  if kind == "number" then return (math.type(value) == "integer" or value % 1 == 0) and (value < 0 and "-i" or "i") or "n" end
  if kind ~= "table" then return tostring(value) end
  local parts, of = {}, {}
  if #value > 0 then
    for i = 1, math.min(#value, ITEMS) do of[shape(value[i])] = true end
    for part in pairs(of) do parts[#parts + 1] = part end
  else
    for name, item in pairs(value) do parts[#parts + 1] = tostring(name) .. ":" .. shape(item) end
  end
  table.sort(parts)
  return (#value > 0 and "[" or "{") .. table.concat(parts, ",") .. "}"
end

local function without_ids(path)
  return (path:gsub("[^/]*%d[^/]*", "*"))
end

local function open()
  local name = (os.getenv "SPEC_FILE" or "spec"):gsub("[^%w]", "_")
  local unique = tostring(seen):match("0x(%x+)") .. ("%.0f"):format(socket.gettime() * 1000)
  return assert(io.open(("%s/%s.%s"):format(FOLDER, name, unique), "w"))
end

--- This port is a host's: what comes from there is kept. `documented`: false if the host has been given another document.
function recorder.host(port, documented)
  hosts[port] = FOLDER and documented or nil
end

-- `item`: of a stream, as JSON, instead of a body.
local function keep(port, method, target, answer, item)
  if not hosts[port] then return end
  local path = target:match("^[^?#]*")
  local kind = answer.headers["content-type"] or ""
  local json = item and item.json or answer.json
  local body = json ~= nil and (item and item.data or answer.body) or nil
  if body and #body > BODY_BYTES then json, body = nil, nil end
  local key = table.concat({ method, without_ids(path), answer.status, kind, tostring(item ~= nil) }, " ")
  key = key .. (body and shape(json) or "")
  if seen[key] then return end
  seen[key] = true
  file = file or open()
  file:write(cjson.encode {
    file = os.getenv "SPEC_FILE" or "", method = method, path = path, status = answer.status, type = kind,
    bytes = #(answer.body or ""), body = body, item = item ~= nil,
  }, "\n")
  file:flush()
end

--- An answer as spec/support/http.lua gives it, to a request; of a stream that has ended each event too.
function recorder.keep(port, method, target, answer)
  keep(port, method, target, answer)
  if not hosts[port] or not (answer.headers["content-type"] or ""):find("^text/event%-stream") then return end
  for data in answer.body:gmatch("\ndata: ([^\n]+)") do
    keep(port, method, target, answer, { data = data, json = cjson.decode(data) })
  end
end

--- The head of a stream of events, and one of its events as spec/support/event_stream.lua gives it.
function recorder.keep_event(port, target, head, event)
  keep(port, "GET", target, head, event)
end

return recorder
