-- normalize.lua - reads a vendor's JSON Schema into one form.
--
-- Drafts 4 to 2020-12, OpenAPI 3.0 and 3.1, and the words that generators let through (ge, le). References are inlined, allOf
-- is merged, `nullable` becomes a type. What is too large is refused as a whole: a schema of which a part was lost would
-- refuse what the vendor takes. What cannot be understood is left open: {} takes anything.

local cjson = require "cjson"
local media = require "schema.media"
local names = require "names"

local normalize = {}

local MAX_BYTES, MAX_PROPERTIES, MAX_DEPTH = 256 * 1024, 500, 16
local MAX_ENUM, MAX_BRANCHES, MAX_EXAMPLES, MAX_WARNINGS = 1000, 64, 50, 20
local MAX_NAME_BYTES, MAX_WORD_BYTES, MAX_TITLE_BYTES, MAX_PROSE_BYTES = 128, 1024, 200, 2000
local NODE_BYTES = 24 -- of JSON, about, for each schema and value beside its texts
local MAX_CHAIN = 32  -- references that lead to references, allOf in allOf

local null, is_array = cjson.null, cjson.is_array
local tointeger, floor, ceil = math.tointeger, math.floor, math.ceil
local find, gsub, sub = string.find, string.gsub, string.sub
local ipairs, pairs, tonumber, tostring, type = ipairs, pairs, tonumber, tostring, type

local IS_TYPE = names.set { "string", "number", "integer", "boolean", "array", "object" }
local EMPTY = {}

local function warn(state, text)
  if #state.warnings < MAX_WARNINGS then state.warnings[#state.warnings + 1] = text end
end

-- Counts what the result will hold, and stops the reading when that is more than we keep.
local function spend(state, bytes)
  state.bytes = state.bytes + bytes
  if state.bytes > MAX_BYTES then error({ refusal = "is larger than " .. MAX_BYTES .. " bytes" }, 0) end
end

local function is_object(value)
  return type(value) == "table" and not is_array(value)
end

local function is_list(value)
  return type(value) == "table" and (is_array(value) or next(value) == nil)
end

-- Whether a text can be shown and sent as a name: no control characters, no markup, not endless.
local function is_plain(text, most)
  return type(text) == "string" and #text <= most and not find(text, "[%c<>]")
end

-- A vendor's prose: data, capped, on one line.
local function prose(text, most)
  if type(text) ~= "string" then return nil end
  local cut = sub(text, 1, most)
  if #text > most then cut = gsub(cut, "[\194-\244][\128-\191]*$", "") .. "..." end
  return (gsub(cut, "%c+", " "))
end

-- A finite number, a whole one as an integer.
local function number_of(value)
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge then return nil end
  return tointeger(value) or value
end

local function count_of(value)
  local count = number_of(value)
  return count and math.type(count) == "integer" and count >= 0 and count or nil
end

-- ---- references and allOf ----------------------------------------------------------------------------------------------

local function unescape(part)
  part = gsub(part, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  return (gsub(gsub(part, "~1", "/"), "~0", "~"))
end

local function find_reference(root, reference)
  if type(reference) ~= "string" or #reference > MAX_WORD_BYTES then return nil end
  if reference == "#" then return root end
  if sub(reference, 1, 2) ~= "#/" then return nil end
  local place = root
  for part in string.gmatch(sub(reference, 3), "[^/]*") do
    if type(place) ~= "table" then return nil end
    local name = unescape(part)
    place = place[is_array(place) and (tointeger(tonumber(name)) or -1) + 1 or name]
  end
  return type(place) == "table" and place or nil
end

-- What a reference means; {} for one that leads nowhere, or to where the reading comes from.
local function enter(state, reference, entered)
  if state.under_way[reference] then
    warn(state, "a reference to itself is left open: " .. (prose(reference, MAX_NAME_BYTES) or "?"))
    return EMPTY
  end
  local target = find_reference(state.root, reference)
  if not target then
    warn(state, "a reference that leads nowhere is left open: " .. (prose(reference, MAX_NAME_BYTES) or "?"))
    return EMPTY
  end
  state.under_way[reference] = true
  entered[#entered + 1] = reference
  return target
end

local function union(one, other)
  local list, is_in = cjson.array {}, {}
  for _, source in ipairs { is_list(one) and one or EMPTY, other } do
    for _, item in ipairs(source) do
      if type(item) == "string" and not is_in[item] then
        is_in[item] = true
        list[#list + 1] = item
      end
    end
  end
  return list
end

-- Adds the words of one schema to those of another; the added ones win.
local function merge(state, target, source)
  for word, value in pairs(source) do
    spend(state, 1)
    if word == "properties" and is_object(value) and is_object(target.properties) then
      local both = {}
      for name, property in pairs(target.properties) do both[name] = property end
      for name, property in pairs(value) do both[name] = property end
      target.properties = both
    elseif word == "required" and is_list(value) then
      target.required = union(target.required, value)
    elseif word ~= "$ref" and word ~= "allOf" then
      target[word] = value
    end
  end
end

-- A schema with what it refers to in it; siblings of a reference win. `entered` gets the references on the way.
local function expand(state, node, entered, chain)
  if not is_object(node) or chain > MAX_CHAIN then
    if node ~= true then warn(state, "something that is no schema is left open") end
    return EMPTY
  end
  local reference, all = node["$ref"], node.allOf
  if reference == nil and all == nil then return node end
  spend(state, 1)
  local merged = {}
  if reference ~= nil then merge(state, merged, expand(state, enter(state, reference, entered), entered, chain + 1)) end
  for index, part in ipairs(is_list(all) and all or EMPTY) do
    if index > MAX_BRANCHES then break end
    merge(state, merged, expand(state, part, entered, chain + 1))
  end
  merge(state, merged, node)
  return merged
end

local function leave(state, entered)
  for _, reference in ipairs(entered) do state.under_way[reference] = nil end
end

-- ---- types and values --------------------------------------------------------------------------------------------------

-- The types of a node as a list, and whether null is one.
local function types_of(node)
  local types, nullable = {}, node.nullable == true
  for _, name in ipairs(type(node.type) == "table" and node.type or { node.type }) do
    if IS_TYPE[name] and #types < 8 then types[#types + 1] = name end
    nullable = nullable or name == "null"
  end
  return types, nullable
end

-- A value of a document as it is kept: whole numbers are integers, deep and long ones are not kept.
local function keep(state, value, depth)
  local kind = type(value)
  if kind == "number" then return number_of(value) end
  if kind == "boolean" then return value end
  if kind == "string" then
    if #value > MAX_PROSE_BYTES or find(value, "[%z\1-\8\11\12\14-\31\127]") then return nil end
    spend(state, #value + 8)
    return value
  end
  if kind ~= "table" or depth > 4 then return nil end
  local copy = is_array(value) and cjson.array {} or {}
  for key, item in pairs(value) do
    spend(state, NODE_BYTES)
    copy[key] = keep(state, item, depth + 1)
  end
  return copy
end

-- Old documents have the values of an enum as texts, whatever the type: the type decides.
local TO_TYPE = {
  integer = function(value) return tointeger(tonumber(value)) end,
  number = function(value) return tonumber(value) end,
  boolean = function(value)
    if type(value) == "boolean" then return value end
    if value == "true" then return true end
    return value ~= "false" and nil
  end,
  string = function(value) return type(value) ~= "table" and tostring(number_of(value) or value) or nil end,
}

local function enum_value(state, value, kind)
  local convert = kind and TO_TYPE[kind]
  if convert then value = convert(value) end
  if type(value) == "number" then return number_of(value) end
  if type(value) == "string" then
    if #value > MAX_WORD_BYTES or find(value, "%c") then return nil end
    spend(state, #value + 3)
    return value
  end
  if type(value) == "boolean" then return value end
  return nil
end

-- The values of an enum in their type, and whether null is among them; nil when one of them could not be kept, or there are
-- too many.
local function enum_of(state, node, kind)
  local list = node.const ~= nil and { node.const } or node.enum
  if not is_list(list) or #list == 0 then return nil, false end
  if #list > MAX_ENUM then
    warn(state, "a list of more than " .. MAX_ENUM .. " values is left open")
    return nil, false
  end
  local enum, is_in, nullable = cjson.array {}, {}, false
  for _, item in ipairs(list) do
    local value
    if item == null then
      nullable = true
    else
      value = enum_value(state, item, kind)
      if value == nil then return nil, false end
    end
    if value ~= nil and not is_in[value] then
      is_in[value] = true
      enum[#enum + 1] = value
    end
  end
  return #enum > 0 and enum or nil, nullable
end

-- The type that all values of an enum have.
local function type_of_enum(enum)
  local kind
  for _, value in ipairs(enum) do
    local this = type(value)
    if this == "number" then this = math.type(value) == "integer" and "integer" or "number" end
    if kind and kind ~= this then return nil end
    kind = this
  end
  return kind
end

local function set_bounds(node, normal, whole)
  local low, high = number_of(node.minimum) or number_of(node.ge), number_of(node.maximum) or number_of(node.le)
  local above = number_of(node.exclusiveMinimum) or number_of(node.gt)
  local below = number_of(node.exclusiveMaximum) or number_of(node.lt)
  if node.exclusiveMinimum == true then above, low = low, nil end
  if node.exclusiveMaximum == true then below, high = high, nil end
  if whole and above then low, above = math.max(low or floor(above) + 1, floor(above) + 1), nil end
  if whole and below then high, below = math.min(high or ceil(below) - 1, ceil(below) - 1), nil end
  normal.minimum, normal.maximum, normal.exclusiveMinimum, normal.exclusiveMaximum = low, high, above, below
  local step = number_of(node.multipleOf)
  normal.multipleOf = step and step > 0 and step or nil
end

local function set_lengths(node, normal)
  normal.minLength, normal.maxLength = count_of(node.minLength), count_of(node.maxLength)
  normal.minItems, normal.maxItems = count_of(node.minItems), count_of(node.maxItems)
  if node.uniqueItems == true then normal.uniqueItems = true end
  if is_plain(node.pattern, 256) then normal.pattern = node.pattern end
end

local function set_texts(state, node, normal)
  normal.title, normal.description = prose(node.title, MAX_TITLE_BYTES), prose(node.description, MAX_PROSE_BYTES)
  spend(state, NODE_BYTES + #(normal.title or "") + #(normal.description or ""))
  if is_plain(node.format, 64) then normal.format = node.format end
  if node["x-cog-secret"] == true then normal.format = "password" end
  if node.default ~= nil and node.default ~= null then normal.default = keep(state, node.default, 1) end
  if is_list(node.examples) then
    local examples = cjson.array {}
    for index, example in ipairs(node.examples) do
      if index > MAX_EXAMPLES then break end
      examples[#examples + 1] = keep(state, example, 1)
    end
    normal.examples = #examples > 0 and examples or nil
  end
end

-- ---- the parts of a schema ---------------------------------------------------------------------------------------------

local convert

local function order_of(list)
  local order = {}
  for index, name in ipairs(is_list(list) and list or EMPTY) do
    if type(name) == "string" then order[name] = order[name] or index end
  end
  return order
end

local function set_properties(state, node, normal, depth)
  local sorted = names.sorted(node.properties)
  if #sorted > MAX_PROPERTIES then error({ refusal = "has more than " .. MAX_PROPERTIES .. " inputs" }, 0) end
  local order, properties = order_of(node["x-fal-order-properties"]), {}
  for _, name in ipairs(sorted) do
    if is_plain(name, MAX_NAME_BYTES) and name ~= "" then
      spend(state, #name + 4)
      local raw = node.properties[name]
      local property = convert(state, raw, depth + 1, name)
      property.x_order = order[name] or is_object(raw) and number_of(raw["x-order"]) or nil
      if depth == 1 and media.IS_DRIVER[name] then property.x_costs = true end
      properties[name] = property
    else
      warn(state, "an input is left out: its name cannot be shown")
      normal.additionalProperties = nil
    end
  end
  normal.properties = properties
end

local function set_object(state, node, normal, depth)
  local more = node.additionalProperties
  if more == false then normal.additionalProperties = false end
  if is_object(node.properties) then
    set_properties(state, node, normal, depth)
  elseif more == true or is_object(more) then
    normal.additionalProperties = true
  end
  local required = cjson.array {}
  for index, name in ipairs(is_list(node.required) and node.required or EMPTY) do
    if index > MAX_PROPERTIES then break end
    local is_known = normal.properties == nil or normal.properties[name] ~= nil
    if is_plain(name, MAX_NAME_BYTES) and is_known then required[#required + 1] = name end
  end
  if #required > 0 then normal.required = required end
end

-- The alternatives of a schema, in the normal form, and whether null is one of them.
local function branches_of(state, node, depth, name)
  local list = is_list(node.anyOf) and node.anyOf or is_list(node.oneOf) and node.oneOf or EMPTY
  if #list > MAX_BRANCHES then
    warn(state, "more than " .. MAX_BRANCHES .. " alternatives are left open")
    return EMPTY, false
  end
  local branches, nullable = cjson.array {}, false
  for _, branch in ipairs(list) do
    if is_object(branch) and branch.type == "null" then
      nullable = true
    else
      branches[#branches + 1] = convert(state, branch, depth + 1, name)
    end
  end
  return branches, nullable
end

local function set_types(normal, types, nullable)
  if #types == 0 then return end
  if #types == 1 and not nullable then
    normal.type = types[1]
  else
    if nullable then types[#types + 1] = "null" end
    normal.type = cjson.array(types)
  end
end

-- One alternative is the schema itself; several stay alternatives.
local function set_branches(normal, branches, nullable)
  if #branches == 1 then
    for word, value in pairs(branches[1]) do
      if normal[word] == nil then normal[word] = value end
    end
    if nullable and type(normal.type) == "string" then normal.type = cjson.array { normal.type, "null" } end
  elseif #branches > 1 then
    if nullable then branches[#branches + 1] = { type = "null" } end
    normal.anyOf = branches
  end
end

function convert(state, raw, depth, name)
  spend(state, NODE_BYTES)
  if depth > MAX_DEPTH then
    warn(state, "what lies deeper than " .. MAX_DEPTH .. " is left open")
    return {}
  end
  local entered, normal = {}, {}
  local node = expand(state, raw, entered, 0)
  set_texts(state, node, normal)
  local types, nullable = types_of(node)
  local enum, null_in_enum = enum_of(state, node, #types == 1 and types[1])
  normal.enum, nullable = enum, nullable or null_in_enum
  if #types == 0 and enum then types[1] = type_of_enum(enum) end
  if #types == 0 and is_object(node.properties) then types[1] = "object" end
  set_types(normal, types, nullable)
  set_bounds(node, normal, #types == 1 and types[1] == "integer" or types[2] == "null" and types[1] == "integer")
  set_lengths(node, normal)
  if is_object(node.items) then normal.items = convert(state, node.items, depth + 1, name) end
  set_object(state, node, normal, depth)
  local branches, null_branch = branches_of(state, node, depth, name)
  set_branches(normal, branches, nullable or null_branch)
  normal.x_file = media.kind_of(node, normal, name)
  leave(state, entered)
  return normal
end

--- Doors: schema.lua.
function normalize.schema(document, root)
  if not is_object(document) then return nil, "is no schema" end
  local state = { root = type(root) == "table" and root or document, warnings = {}, bytes = 0, under_way = {} }
  local ok, normal = pcall(convert, state, document, 1, "")
  if ok then return normal, state.warnings end
  if type(normal) == "table" and normal.refusal then return nil, normal.refusal end
  error(normal, 0)
end

return normalize
