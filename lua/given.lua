-- given.lua - under which name a client gave a value, and what it said twice.
--
-- A value may have several names (samples, num_images) and places (the top of a request, its parameters). One is used, and is
-- known to the scripts under one name. What the client wrote is kept in the payload, so that refusals and warnings name it:
--   given_as = { ["parameters.samples"] = "parameters.num_images" }   where it differs
--   contradictions = { { field =, beside =, decides = true } }        a second value that is not the one in use
-- A plan is given both when it is finished. Of a request that uses the usual names once nothing is kept.

local cjson = require "cjson"
local plans = require "plan"

local given = {}

local null = cjson.null
local find, sub = string.find, string.sub
local ipairs, next, pairs, tonumber, type = ipairs, next, pairs, tonumber, type

--- Whether two values mean the same: equal, numbers also as text, tables by what is in them.
function given.same(one, other)
  if one == other then return true end
  if type(one) == "table" and type(other) == "table" then
    for key, value in pairs(one) do
      if not given.same(value, other[key]) then return false end
    end
    for key in pairs(other) do
      if one[key] == nil then return false end
    end
    return true
  end
  if type(one) == type(other) or type(one) == "table" or type(other) == "table" then return false end
  local number = tonumber(one)
  return number ~= nil and number == tonumber(other)
end

--- Whether an object holds nothing but another object of this name: a wrapper around what was meant.
function given.is_wrapper(object, name)
  local inner = object[name]
  return type(inner) == "table" and inner ~= null and not cjson.is_array(inner) and next(inner) ~= nil
    and next(object, next(object)) == nil
end

-- How other APIs and clients call the whole of a model's input; at the top of a request none of these is read.
local IS_WRAPPER = { input = true, inputs = true, arguments = true, args = true, body = true, data = true, params = true,
  payload = true, request = true }

--- Takes the name that holds the whole input, as an object, out of a list of the request's names that nobody reads; or nil.
function given.take_wrapper(request, ignored)
  for index, name in ipairs(ignored or {}) do
    local value = request[name]
    if IS_WRAPPER[name] and type(value) == "table" and not cjson.is_array(value) and next(value) ~= nil then
      return table.remove(ignored, index)
    end
  end
  return nil
end

--- What is said of such a wrapper.
given.WRAPPED = "is a wrapper, and not read: put what it holds into `parameters` (the prompt may stand at the top)"

--- Puts a value under the vendor's name; one that stands there already, and says something else, is given twice.
function given.put(plan, object, name, value, field)
  if object[name] == nil then
    object[name] = value
  elseif not given.same(object[name], value) then
    plans.refuse(plan, field, "contradicts the " .. name .. " that is given already: give one or the other")
  end
end

--- Keeps the client's path for a value that scripts know under another one.
function given.keep(payload, usual, path)
  if usual == path then return end
  payload.given_as = payload.given_as or {}
  payload.given_as[usual] = path
end

--- Keeps that the value at `field` is not used, because the one at `beside` is. `decides`: it decides what is made or what it
-- costs.
function given.contradict(payload, field, beside, decides)
  local list = payload.contradictions or cjson.array {}
  payload.contradictions = list
  list[#list + 1] = { field = field, beside = beside, decides = decides or nil }
end

-- One name of a field, after `value` was found under the name `used` of the reader `at`: what is in use then, and where.
local function read_name(payload, reader, field, name, value, at, used)
  local read = field.read(reader, name, field.options)
  if value == nil then return read, reader, name end
  if read ~= nil and not given.same(value, read) then
    given.contradict(payload, reader:path(name), at:path(used), field.decides or field.costs)
  end
  return value, at, used
end

local function read_names(payload, reader, field, value, at, used)
  local names, object = field.names, reader.object
  if not field.has_names then
    local raw = object[names]
    if raw == nil or raw == null then return value, at, used end
    return read_name(payload, reader, field, names, value, at, used)
  end
  local index, name = 1, names[1]
  while name do
    local raw = object[name]
    if raw ~= nil and raw ~= null then value, at, used = read_name(payload, reader, field, name, value, at, used) end
    index = index + 1
    name = names[index]
  end
  return value, at, used
end

--- Reads a field of a list of check.lua that has several names or places: the first value given is used, and a second that says
-- something else is kept as a contradiction. `second` may be a further reader.
function given.read(payload, field, reader, second)
  local value, at, used = read_names(payload, reader, field)
  if second then value, at, used = read_names(payload, second, field, value, at, used) end
  if value == nil or at == reader and used == field.name then return value end
  local prefix = reader.path_prefix
  given.keep(payload, prefix == "" and field.name or prefix .. "." .. field.name, at:path(used))
  return value
end

--- Where the client wrote the value that scripts know by this path.
function given.path(payload, usual)
  local given_as = payload.given_as
  return given_as and given_as[usual] or usual
end

-- The client's path for "parameters.reference[0].uri" and the like: its beginning may have another name.
local function client_path(given_as, field)
  if given_as[field] then return given_as[field] end
  local from = sub(field, 1, 11) == "parameters." and 12 or 1
  local stop = find(field, "[.%[]", from)
  local head = stop and given_as[sub(field, 1, stop - 1)]
  return head and head .. sub(field, stop) or field
end

local function rename(given_as, list)
  for _, item in ipairs(list) do item.field = client_path(given_as, item.field) end
end

local function add_contradictions(plan, contradictions)
  for _, item in ipairs(contradictions) do
    if item.decides then
      plans.refuse(plan, item.field, "contradicts " .. item.beside .. ": give one or the other")
    else
      plans.warn(plan, item.field, "left out: " .. item.beside .. " says something else")
    end
  end
end

--- Finishes a plan: what was said twice is refused, or warned of, and every path becomes the client's.
function given.finish(plan, payload)
  if payload.contradictions then add_contradictions(plan, payload.contradictions) end
  local given_as = payload.given_as
  if not given_as then return end
  if plan.refusals then rename(given_as, plan.refusals) end
  if plan.warnings then rename(given_as, plan.warnings) end
end

return given
