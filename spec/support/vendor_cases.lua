-- Sends recorded contract cases (spec/contracts) to the vendor simulator and says how its answers differ from the recorded ones:
-- the status must be the same, and every field must be there with its type. Values are the vendor's own.
local cjson = require "cjson"
local contract = require "spec.support.contract"
local exact = require "spec.support.exact_json"
local socket = require "socket"

local cases = {}

-- The credential of each vendor's form; `wrong` is what simulators refuse.
local TOKENS = { replicate = "r8_key", fal = "id:secret", pika = "id:secret", runpod = "rpa_KEY", stability = "sk-key",
  runway = "key_1",
  luma = "luma-api-key", hf_inference_endpoints = "hf_key", modal = "wk-key.ws-key" }
-- Fields that echo the request or are a model's own: their inside is not compared.
local OPEN = { input = true, request = true, output = true, env = true, mounts = true, fields = true, metadata = true,
  scaling = true,
  logs = true, issues = true }
local PNG = "\137PNG\r\n\26\n" .. ("\0"):rep(62)

local function with_token(value, provider, wrong)
  local token = wrong and "wrong" or TOKENS[provider]
  value = value:gsub("%$PROXY_TOKEN_ID", wrong and "wrong" or "wk-key"):gsub("%$PROXY_TOKEN_SECRET", "ws-key")
  return (value:gsub("%$TOKEN[%w%s().-]*", (token:gsub("%%", "%%%%"))))
end

local function multipart(form)
  local out = {}
  for _, part in ipairs(form) do
    local file = part.filename and ('; filename="%s"\r\nContent-Type: %s'):format(part.filename, part.contentType or
      "image/png") or ""
    out[#out + 1] = ('--XyZ\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'):format(part.name, file,
      part.filename and PNG or part.value)
  end
  return table.concat(out) .. "--XyZ--\r\n", "multipart/form-data; boundary=XyZ"
end

local function urlencoded(form)
  local out = {}
  for i, part in ipairs(form) do
    out[i] = part.name .. "=" .. part.value:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end)
  end
  return table.concat(out, "&"), "application/x-www-form-urlencoded"
end

local function body_of(request)
  local kind = ""
  for name, value in pairs(request.headers or {}) do
    if name:lower() == "content-type" then kind = value end
  end
  if request.form then return (kind:find("urlencoded", 1, true) and urlencoded or multipart)(request.form) end
  if type(request.body) ~= "table" then return nil, nil end
  if request.body["$multipart"] then
    return multipart { { name = "content", filename = "a.bin" }, { name = "metadata", value = "{}" } }
  end
  if request.body["$bytes"] then return "RIFFWAVE", kind end
  return request.body, "application/json"
end

--- Sends a recorded request; `id` takes the place of the recorded job's. options.wrong: with a key that is refused.
function cases.send(sim, provider, request, options)
  options = options or {}
  local headers = { ["Connection"] = "close" }
  local body, kind = body_of(request)
  for name, value in pairs(request.headers or {}) do
    name = name:lower()
    if name ~= "content-type" and name ~= "content-length" and name ~= "connection" and name ~= "host" and
      name ~= "accept-encoding" then
      headers[name] = with_token(value, provider, options.wrong)
    end
  end
  headers["Content-Type"] = kind or nil
  local path = request.url:gsub("^https?://", "/")
  if options.from then path = path:gsub(options.from, options.id) end
  return sim:request(request.method, path, body, headers)
end

local function compare(expected, actual, path, found)
  local function differ(text) found[#found + 1] = path .. ": " .. text end
  if expected == cjson.null or expected == nil then return found end
  if actual == nil or actual == cjson.null then
    differ("missing")
  elseif type(expected) ~= type(actual) then
    differ(("expected %s, got %s"):format(type(expected), type(actual)))
  elseif type(expected) == "table" then
    for name, value in pairs(expected) do
      if OPEN[name] then
        if value ~= cjson.null and actual[name] == nil then found[#found + 1] = path .. "." .. name .. ": missing" end
      elseif name == 1 or type(name) ~= "number" then
        compare(value, actual[name], path .. "." .. name, found)
      end
    end
  end
  return found
end

-- A word that says the state of a job, wherever a vendor puts it.
local function state_of(body)
  if type(body) ~= "table" then return nil end
  local state = body.status or body.state
  return type(state) == "string" and state or nil
end

--- What of the recorded answer this one lacks: a list of texts.
function cases.differences(expected, answer)
  local found = {}
  if expected.status ~= answer.status then
    found[1] = ("status: expected %d, got %d: %s"):format(expected.status, answer.status, answer.body:sub(1, 200))
    return found
  end
  local body = expected.body
  if type(body) == "table" and not body["$bytes"] then
    compare(body, answer.json, "body", found)
    if state_of(body) ~= state_of(answer.json) then
      found[#found + 1] = ("state: expected %s, got %s"):format(state_of(body), state_of(answer.json))
    end
  end
  return found
end

function cases.load(provider)
  return contract.cases(provider)
end

--- Sends the request again and again until its answer is the recorded one; the last differences when it never is.
function cases.until_same(sim, provider, case, options)
  local deadline, found = socket.gettime() + (options.seconds or 60)
  repeat
    found = cases.differences(case.response, cases.send(sim, provider, case.request, options))
    if #found == 0 then return {} end
    socket.sleep(0.05)
  until socket.gettime() > deadline
  return found
end

cases.encode = exact.encode
return cases
