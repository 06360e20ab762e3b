-- A recorded exchange of spec/contracts/mcp.json, sent to a host, and what it must be answered.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local mcp = require "spec.support.mcp"
local assert = require "luassert"

local case = {}

local file = io.open("spec/contracts/mcp.json")
local text = file:read("a")
file:close()

--- All of them, in their order; null is left out of what they must be.
function case.all()
  return exact.decode(text)
end

-- What is recorded as prose, by the prose: checks of their own.
local PROSE = {
  ["as in the request"] = function(_, found, request) return found.message.id == request.body.id end,
  ["as asked"] = function(value, _, request) return value == request.body.params.uri end,
  ["empty"] = function(_, found) return found.answer.body == "" end,
  ["present"] = function(value) return value ~= nil end,
  ["absent"] = function(value) return value == nil end,
  ["absent or false"] = function(value) return not value end,
  ["names the argument"] = function(value, _, request)
    for name in pairs(request.body.params.arguments) do
      if value:find(name, 1, true) then return true end
    end
  end,
  ["conforms to the outputSchema; content[0].text is the same JSON"] = function(value, found)
    assert.same(value, cjson.decode(found.text))
    return true
  end,
  ["the same order every time; every inputSchema.type is object"] = function(value)
    for _, tool in ipairs(value) do assert.equal("object", tool.inputSchema.type) end
    return #value > 0
  end,
  ["the id of the request, with its type (a text here)"] = function(value, _, request)
    return value == request.body.id and type(value) == type(request.body.id)
  end,
  ["only what the server will send"] = function(value) return value.toolsListChanged == nil end,
  ["0 or more notifications/progress with the token of _meta.progressToken, progress growing, then exactly one response; "
    .. "then the stream ends"] = function(_, found, request) return case.is_progress(found, request) end,
  ["progress, then one response"] = function(_, found, request) return case.is_progress(found, request) end,
  ["says how the operator approves"] = function(value) return value:find("approve", 1, true) end,
  ["one elicitation/create that names the amount"] = function(value) return type(value) == "table" and next(value) ~= nil end,
  ["names the earlier job"] = function(value) return value:find("job", 1, true) end,
  ["a new one"] = function(value) return type(value) == "string" end,
  -- Who sends these looks at jobs, payments and times.
  ["goes on"] = function() return true end,
  ["nothing leaves the host"] = function() return true end,
  ["no second paid request"] = function() return true end,
  ["one paid request"] = function() return true end,
  ["answers at once, before the vendor has"] = function() return true end,
}

--- Are the messages of a stream progress that grows, with the token of the request, and at last a response?
function case.is_progress(found, request)
  local last = -1
  for i, message in ipairs(found.events or {}) do
    if i == #found.events then return message.id == request.body.id and message.result ~= nil end
    local told = message.params
    if message.method ~= "notifications/progress" or told.progressToken ~= request.body.params._meta.progressToken then
      return false
    end
    if told.progress <= last then return false end
    last = told.progress
  end
  return false
end

-- "result._meta["a.b"].name", "events[0].data.method"
local function look_up(value, path)
  path = path:gsub('%["([^"]+)"%]', function(name) return "." .. name:gsub("%.", "\0") end):gsub("%[(%d+)%]", ".#%1")
  for name in path:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    local index = name:match "^#(%d+)$"
    if index then
      value = value[index + 1]
    else
      value = value[(name:gsub("%z", "."))]
    end
  end
  return value
end

local function contains(list, wanted)
  for _, value in ipairs(type(list) == "table" and list or {}) do
    if value == wanted then return true end
  end
end

local function holds(wanted, value, found, request)
  if type(wanted) == "table" then
    if exact.is_array(wanted) then return contains(wanted, value) end
    return type(value) == "table" and next(value) == nil
  end
  if type(wanted) ~= "string" then return value == wanted end
  if wanted:find "^contains " then return contains(value, wanted:sub(10)) end
  if wanted == ">= 0" then return type(value) == "number" and value >= 0 end
  if PROSE[wanted] then return PROSE[wanted](value, found, request) end
  return value == wanted
end

--- Sends what was recorded.
function case.send(host, recorded)
  local request = recorded.request
  local headers, body = { ["content-type"] = false }, request.body
  if body == "hello" then body = '"hello"' end -- recorded is what the text says
  for name, value in pairs(request.headers) do headers[name] = value end
  if headers["x-host"] then headers.host, headers["x-host"] = headers["x-host"], nil end
  return mcp.read(host:request(request.method, request.path, body, headers))
end

--- Every member of `must`, as an assertion that names it.
function case.check(recorded, found)
  local whole = { status = found.status, headers = found.answer.headers, body = found.answer.body, id = found.message.id,
    result = found.result, error = found.error, events = {} }
  for i, message in ipairs(found.events or {}) do whole.events[i] = { data = message } end
  for path, wanted in pairs(recorded.must) do
    local value = look_up(whole, path)
    if path == "headers.content-type" then value = (value or ""):match "^[^;]*" end
    assert.is_truthy(holds(wanted, value, found, recorded.request),
      ("%s: %s must be %s, and the answer is %d %s"):format(recorded.name, path, tostring(wanted), found.status,
        found.answer.body:sub(1, 600)))
  end
end

return case
