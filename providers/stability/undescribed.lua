-- undescribed.lua - a request for a service that is not described here: what the client wrote is the form, untouched.

local check = require "check"
local cjson = require "cjson"
local data_uri = require "data_uri"
local names = require "names"

local undescribed = {}

-- Names at the top of a request that are not the service's.
local IS_OURS = names.words "model mode operation parameters safety provider id"

local MAX_NAME_BYTES, MAX_PARTS = 200, 60 -- the host's own bounds are a little higher

local SECTION = "^([%l%d%-]+)/([%l%d%-]+)$"

--- The path of a service below /v2beta/stable-image/ that a model's name means, or nil. `name` is without that beginning.
function undescribed.path(name)
  return string.match(string.sub(name, 1, 200), SECTION) and #name <= 200 and name or nil
end

--- The payload of a request: parameters and what stands at the top, as it was written.
function undescribed.read(top, parameters, model)
  local payload = { mode = top.object.mode, model = model, parameters = {}, undescribed = true }
  if type(payload.mode) ~= "string" then payload.mode = nil end
  for name, value in pairs(top.object) do
    if not IS_OURS[name] and check.is_given(value) then payload.parameters[name] = value end
  end
  for name, value in pairs(parameters.object) do
    if name ~= "model" and check.is_given(value) then payload.parameters[name] = value end
  end
  return payload
end

local function text_of(value)
  if type(value) == "string" then return value end
  if type(value) == "number" and math.tointeger(value) then return tostring(math.tointeger(value)) end
  return cjson.encode(value)
end

--- A part of a form for any value: files are data URIs, what a form has no kind for is JSON.
function undescribed.part(name, value)
  if type(value) == "string" and data_uri.begins(value) and data_uri.parse(value) then return data_uri.form_part(name, value) end
  return { name = name, value = text_of(value) }
end

--- Why a form with so many parts cannot have one of this name, or nil.
function undescribed.problem(name, count)
  if name == "" or #name > MAX_NAME_BYTES or string.find(name, "%c") then return "is no name that a form's field can have" end
  if count >= MAX_PARTS then return "is one input too many: a form has at most " .. MAX_PARTS end
end

--- The form of such a payload; nil and a refusal when it cannot be made.
function undescribed.form(payload)
  local form = {}
  for _, name in ipairs(names.sorted(payload.parameters)) do
    local problem = undescribed.problem(name, #form)
    if problem then return nil, { field = "parameters." .. string.sub(name, 1, MAX_NAME_BYTES), message = problem } end
    form[#form + 1] = undescribed.part(name, payload.parameters[name])
  end
  return form
end

return undescribed
