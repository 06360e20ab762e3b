-- Loads recorded contract cases and compares them with what a script does.
local cjson = require "cjson"
local offline = require "author.offline"
local shell = require "spec.support.shell"

local contract = {}

local FILES = {
  runpod = "gpu_runpod", hf_inference_endpoints = "gpu_hf_inference_endpoints", replicate = "gpu_replicate", modal = "gpu_modal",
  stability = "image_stability", fal = "image_fal", runway = "video_runway", pika = "video_pika", luma = "video_luma",
}

--- The cases of a provider; with another `decode`, such as exact_json's, without lua-cjson's losses.
function contract.cases(id, decode)
  return (decode or cjson.decode)(assert(shell.read("spec/contracts/" .. id .. ".json")))
end

function contract.load(id)
  return offline.load("providers/" .. FILES[id] .. ".lua")
end

-- A recorded response as offline takes it.
function contract.as_response(recorded)
  local response = { status = recorded.status, headers = {} }
  for name, value in pairs(recorded.headers or {}) do response.headers[name:lower()] = value end
  if type(recorded.body) == "table" then response.json = recorded.body else response.body = recorded.body end
  if recorded.body == cjson.null then response.body = "" end
  return response
end
local as_response = contract.as_response

-- Calls the script as the case says. With `response`, the vendor answers with it; without, it is a dry run.
function contract.run(provider, case, response)
  local given = case.given
  local options = { webhook_url = given.webhook_url }
  local responses
  if response or given.earlier then
    responses = {}
    for _, earlier in ipairs(given.earlier or {}) do responses[#responses + 1] = as_response(earlier) end
    if response then responses[#responses + 1] = as_response(response) end
  end
  if given.verb == "submit" then return offline.submit(provider, given.request, responses, options) end
  if given.verb == "health" then return offline.health(provider, responses, options) end
  if given.verb == "webhook" then return offline.webhook(provider, given.delivery, responses, options) end
  return offline[given.verb](provider, given.job, responses, options)
end

-- Headers that are the client's own affair, not the contract's.
local IGNORED_HEADERS = {
  ["user-agent"] = true, ["accept-encoding"] = true, ["content-length"] = true, ["connection"] = true, ["host"] = true,
  ["accept-language"] = true, ["sec-fetch-mode"] = true, ["accept"] = true,
}

local function same_value(expected, actual)
  if type(expected) ~= "table" then
    if type(expected) == "number" and type(actual) == "number" then return expected == actual end
    return expected == actual
  end
  if type(actual) ~= "table" then return false end
  for key, value in pairs(expected) do
    if not same_value(value, actual[key]) then return false end
  end
  for key in pairs(actual) do
    if expected[key] == nil then return false end
  end
  return true
end
contract.same_value = same_value

local function form_part(part)
  local is_file = part.filename ~= nil or part.data_uri ~= nil or part.data ~= nil
  return { name = part.name, value = part.value, is_file = is_file or nil }
end

local function compare_form(expected, actual, differences)
  local by_name = {}
  for _, part in ipairs(actual or {}) do by_name[part.name] = form_part(part) end
  for _, part in ipairs(expected) do
    local mine = by_name[part.name]
    local wanted = form_part(part)
    if not mine then
      differences[#differences + 1] = "form field missing: " .. part.name
    elseif not wanted.is_file and wanted.value ~= mine.value then
      differences[#differences + 1] = ("form field %s: expected %s, got %s"):format(part.name, tostring(wanted.value),
        tostring(mine.value))
    elseif wanted.is_file ~= mine.is_file then
      differences[#differences + 1] = "form field " .. part.name .. ": a file on one side only"
    end
    by_name[part.name] = nil
  end
  for name in pairs(by_name) do differences[#differences + 1] = "form field not in the record: " .. name end
end

local function split_url(url)
  local base, query = url:match("^([^?]*)%??(.*)$")
  local parameters = {}
  for pair in query:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    local function byte_of(hex) return string.char(tonumber(hex, 16)) end
    local function decode(text) return (text:gsub("%+", " "):gsub("%%(%x%x)", byte_of)) end
    parameters[decode(name)] = decode(value)
  end
  return base, parameters
end

-- A credential is a placeholder on both sides; which one does not matter.
local function normal_header(value)
  return (tostring(value):gsub("{[%w_]+}", "*"):gsub("%$[%u_]+", "*"))
end

-- What differs between a recorded request and the one that the script would send: a list of texts.
function contract.differences(expected, actual)
  local differences = {}
  local function differ(text) differences[#differences + 1] = text end
  if expected.method ~= actual.method then differ("method: expected " .. expected.method .. ", got " .. actual.method) end
  local base, query = split_url(expected.url)
  local my_base, my_query = split_url(actual.url)
  if base ~= my_base then differ("url: expected " .. base .. ", got " .. my_base) end
  if not same_value(query, my_query) then
    differ("query: expected " .. cjson.encode(query) .. ", got " .. cjson.encode(my_query))
  end
  for name, value in pairs(expected.headers or {}) do
    name = name:lower()
    local mine = actual.headers[name]
    if name == "content-type" then value, mine = tostring(value):match("^[^;]*"), mine and mine:match("^[^;]*") end
    if not IGNORED_HEADERS[name] and (not mine or normal_header(value) ~= normal_header(mine)) then
      differ(("header %s: expected %s, got %s"):format(name, tostring(value), tostring(mine)))
    end
  end
  if expected.form then
    compare_form(expected.form, actual.form, differences)
  elseif type(expected.body) == "table" then
    if not same_value(expected.body, actual.json) then
      local mine = actual.json and cjson.encode(actual.json) or "none"
      differ("body: expected " .. cjson.encode(expected.body) .. ", got " .. mine)
    end
  elseif expected.body ~= nil and expected.body ~= cjson.null and expected.body ~= "" then
    if expected.body ~= actual.body then differ("body text differs") end
  end
  return differences
end

-- What of `expected` is not in `actual` (objects: a subset; everything else: equal), as a list of paths.
function contract.missing(expected, actual, path, found)
  path, found = path or "", found or {}
  if type(expected) ~= "table" then
    if expected ~= actual and not (expected == cjson.null and actual == nil) then
      found[#found + 1] = ("%s: expected %s, got %s"):format(path, tostring(expected), tostring(actual))
    end
    return found
  end
  if type(actual) ~= "table" then
    found[#found + 1] = path .. ": expected a table, got " .. tostring(actual)
    return found
  end
  for key, value in pairs(expected) do contract.missing(value, actual[key], path .. "." .. key, found) end
  return found
end

return contract
