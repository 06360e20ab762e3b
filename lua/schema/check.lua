-- check.lua - compares a value with the normal form of a schema (normalize.lua), or with an input of one of our rows.
--
-- Lenient where nothing is lost: 5 becomes "5" where a text is wanted, "64" becomes 64, 8 becomes "8s". What the form does not
-- say is not checked, and neither is what the host passes through unread (cjson.is_whole, integers beyond 64 bits).

local cjson = require "cjson"
local names = require "names"
local near = require "schema.near"
local plain_values = require "schema.plain"
local types = require "schema.types"
local words = require "schema.words"

local checks = {}

local MAX_COMPLAINTS, MAX_UNKNOWN, MAX_ITEMS = 16, 20, 10000
local MAX_DIGITS, MAX_NAME = 40, 200 -- bytes of a number in a text, of a name in a complaint
local MAX_COUNTED = 1 << 20 -- bytes of a text whose UTF-16 units are counted one by one

local null, is_array = cjson.null, cjson.is_array
local concat = table.concat
local find, gsub, match, sub = string.find, string.gsub, string.match, string.sub
local fits_plainly = plain_values.fits
local ipairs, next, pairs, type = ipairs, next, pairs, type
local min, tointeger = math.min, math.tointeger
local in_list, is_of_types, has_type, converted = types.in_list, types.is_of_types, types.has_type, types.converted
local text_of, what_is, texts_of, types_in_words = words.text_of, words.what_is, words.texts_of, words.types_in_words
local listed, range_message, describe = words.listed, words.range_message, words.describe

local NONE = {} -- complaints and notes of what fits; read only

local function complain(state, path, rule, message, allowed, suggestion)
  local list = state.complaints
  if #list >= MAX_COMPLAINTS then return end
  list[#list + 1] = { path = path, rule = rule, message = message, allowed = allowed, suggestion = suggestion }
end

local function note(state, path, message)
  if #state.notes < MAX_COMPLAINTS then state.notes[#state.notes + 1] = { path = path, message = message } end
end

-- The value in the type that is wanted; second false when it cannot be.
local function to_type(state, node, value, path)
  local wanted = node.type
  if wanted == nil then return value, true end
  if is_of_types(wanted, value) then
    if type(value) == "number" and not has_type(node, "number") then return tointeger(value) or value, true end
    return value, true
  end
  local other = converted(node, value)
  if other ~= nil then
    note(state, path, "sent as " .. (type(other) == "string" and '"' .. other .. '"' or text_of(other)))
    return other, true
  end
  local rule = type(wanted) == "table" and "anyOf" or "type"
  local message = "must be " .. types_in_words(wanted) .. ", not " .. what_is(value)
  if wanted == "integer" and type(value) == "number" then message = "must be a whole number" end
  complain(state, path, rule, message, node.enum)
  return value, false
end

-- ---- values ------------------------------------------------------------------------------------------------------------

local function check_enum(state, node, value, path)
  local enum = node.enum
  if in_list(enum, value) then return value end
  if type(value) == "string" and #value < MAX_DIGITS and match(value, "^%d+$") and in_list(enum, value .. "s") then
    note(state, path, 'sent as "' .. value .. 's"')
    return value .. "s"
  end
  complain(state, path, enum[2] == nil and "const" or "enum", "must be one of " .. texts_of(enum), enum)
  return value
end

local function check_number(state, node, value, path)
  local low, high, above, below = node.minimum, node.maximum, node.exclusiveMinimum, node.exclusiveMaximum
  if low and value < low then return complain(state, path, "minimum", range_message(low, high), listed(low, high)) end
  if high and value > high then return complain(state, path, "maximum", range_message(low, high), listed(low, high)) end
  if above and value <= above then return complain(state, path, "minimum", "must be more than " .. text_of(above)) end
  if below and value >= below then return complain(state, path, "maximum", "must be less than " .. text_of(below)) end
  local step = node.multipleOf
  if step then
    local times = value / step
    if math.abs(times - math.floor(times + 0.5)) > 1e-9 * math.max(1, math.abs(times)) then
      complain(state, path, "multipleOf", "must be a multiple of " .. text_of(step))
    end
  end
end

local function length_of(text, utf16)
  local length = utf8.len(text)
  if not length then return #text end
  if not utf16 or #text > MAX_COUNTED then return length end
  local wide = 0
  for start = 1, #text, 32768 do
    for at = start, min(#text, start + 32767) do
      if string.byte(text, at) >= 240 then wide = wide + 1 end
    end
  end
  return length + wide
end

-- The fixed beginning that a pattern asks for ("^https:\/\/.*"); nil for other patterns, which are not run.
local function prefix_of(pattern)
  local literal = match(pattern, "^%^(.-)%.%*%$?$")
  if not literal then return nil end
  local plain = gsub(literal, "\\(%p)", "")
  if find(plain, "[%^%$%.%*%+%?%(%)%[%]{}|\\]") then return nil end
  return (gsub(literal, "\\(%p)", "%1"))
end

local function check_text(state, node, value, path)
  local shortest, longest = node.minLength, node.maxLength
  if longest and #value > longest and length_of(value, state.utf16) > longest then
    complain(state, path, "maxLength", "must be at most " .. longest .. " characters long")
  elseif shortest and length_of(value, state.utf16) < shortest then
    local message = shortest == 1 and "must not be empty" or "must be at least " .. shortest .. " characters long"
    complain(state, path, "minLength", message)
  end
  local prefix = node.pattern and prefix_of(node.pattern)
  if prefix and sub(value, 1, #prefix) ~= prefix then
    complain(state, path, "pattern", "must begin with " .. prefix)
  end
end

local visit

-- A copy of a table with one value changed, made once.
local function change(sent, original, key, value)
  if sent == original then
    sent = is_array(original) and cjson.array {} or {}
    for name, item in pairs(original) do sent[name] = item end
  end
  sent[key] = value
  return sent
end

local function has_twice(list)
  local seen = {}
  for _, item in ipairs(list) do
    if type(item) ~= "table" then
      if seen[item] then return true end
      seen[item] = true
    end
  end
  return false
end

local function check_array(state, node, value, path)
  local count = #value
  if node.minItems and count < node.minItems then
    complain(state, path, "minItems", "must have at least " .. node.minItems .. " items")
  elseif node.maxItems and count > node.maxItems then
    complain(state, path, "maxItems", "must have at most " .. node.maxItems .. " items")
  end
  if node.uniqueItems and has_twice(value) then complain(state, path, "uniqueItems", "must not have the same item twice") end
  local sent = value
  if not node.items or next(node.items) == nil then return sent end
  for index = 1, min(count, MAX_ITEMS) do
    local item = visit(state, node.items, value[index], path .. "[" .. index - 1 .. "]")
    if item ~= value[index] then sent = change(sent, value, index, item) end
  end
  return sent
end

local function allows_null(node)
  if node.type then return has_type(node, "null") end
  if node.enum then return false end
  for _, branch in ipairs(node.anyOf or {}) do
    if has_type(branch, "null") then return true end
  end
  return node.anyOf == nil
end

local function join(path, name)
  return path == "" and name or path .. "." .. name
end

-- Names that the form does not have; second a set of those that were probably meant by them.
local function check_unknown(state, node, value, path)
  local unknown = names.unknown(value, node.properties)
  if not unknown then return nil end
  local absent, meant = {}, nil
  for _, name in ipairs(names.sorted(node.properties)) do
    if value[name] == nil then absent[#absent + 1] = name end
  end
  local forbidden = node.additionalProperties == false or state.additional == "refuse"
  for index, name in ipairs(unknown) do
    local shown = #name > MAX_NAME and sub(name, 1, MAX_NAME) .. "..." or name
    local suggestion = index <= MAX_UNKNOWN and near.name(name, absent) or nil
    if suggestion then
      meant = meant or {}
      meant[suggestion] = true
      local message = "is not known here; did you mean " .. suggestion .. "?"
      complain(state, join(path, shown), "unknown", message, { suggestion }, suggestion)
    elseif forbidden then
      complain(state, join(path, shown), "unknown", "is not known here")
    else
      note(state, join(path, shown), "is not known here; sent as given")
    end
  end
  return meant
end

local function check_required(state, node, value, path, meant)
  for _, name in ipairs(node.required) do
    local given = value[name]
    local property = node.properties and node.properties[name]
    local is_absent = given == nil or given == null and not (property and allows_null(property))
    if is_absent and not (meant and meant[name]) then complain(state, join(path, name), "required", "is required") end
  end
end

-- `required` of a row's input says that the input itself is needed, and is no list.
local function is_required(node, name)
  return type(node.required) == "table" and in_list(node.required, name)
end

local function check_object(state, node, value, path)
  local properties = node.properties
  local meant = properties and check_unknown(state, node, value, path)
  if type(node.required) == "table" then check_required(state, node, value, path, meant) end
  local sent = value
  for _, name in ipairs(properties and names.sorted(value) or {}) do
    local property, given = properties[name], value[name]
    if property and given == null then
      if not (is_required(node, name) and allows_null(property)) then sent = change(sent, value, name, nil) end
    elseif property then
      local item = visit(state, property, given, join(path, name))
      if item ~= given then sent = change(sent, value, name, item) end
    end
  end
  return sent
end

-- ---- alternatives ------------------------------------------------------------------------------------------------------

-- Whether an object says by one of its constants that it is not this alternative.
local function is_ruled_out(branch, value)
  for name, property in pairs(branch.properties or {}) do
    local enum = property.enum
    if enum and enum[2] == nil and value[name] ~= nil and value[name] ~= enum[1] then return true end
  end
  return false
end

local function candidates_of(branches, value)
  if not is_of_types("object", value) then return branches end
  local list = {}
  for _, branch in ipairs(branches) do
    if not is_ruled_out(branch, value) then list[#list + 1] = branch end
  end
  return #list > 0 and list or branches
end

local function depth_of(path)
  local _, count = gsub(sub(path, 1, 4096), "[%.%[]", "")
  return count
end

-- What no alternative takes is complained of as the deepest one saw it, else as a whole.
local function complain_of_branches(state, branches, tried, path)
  local deepest, depth = nil, depth_of(path)
  for _, attempt in ipairs(tried) do
    local first = attempt.complaints[1]
    if first.path ~= path and (not deepest or depth_of(first.path) > depth) then
      deepest, depth = attempt, depth_of(first.path)
    end
  end
  if deepest then
    for _, item in ipairs(deepest.complaints) do
      complain(state, item.path, item.rule, item.message, item.allowed, item.suggestion)
    end
    return
  end
  local texts, allowed = {}, nil
  for _, branch in ipairs(branches) do
    local text = branch.type ~= "null" and describe(branch)
    if text and not in_list(texts, text) then texts[#texts + 1] = text end
    allowed = allowed or branch.enum
  end
  if #tried == 1 then texts = { (gsub(tried[1].complaints[1].message, "^must be ", "")) } end
  local message = #texts > 1 and "must be " .. concat(texts, " or ") or tried[1].complaints[1].message
  complain(state, path, "anyOf", message, allowed)
end

local function try_branch(state, branch, value, path)
  local attempt = { complaints = {}, notes = {}, additional = state.additional, utf16 = state.utf16 }
  attempt.sent = visit(attempt, branch, value, path)
  return attempt
end

-- The alternative of the value's own type, if it is one that takes the value as it is: then no other is looked at.
local function try_own_type(state, branches, value, path)
  for index = 1, #branches do
    local branch = branches[index]
    if branch.type and is_of_types(branch.type, value) then
      local attempt = try_branch(state, branch, value, path)
      if not attempt.complaints[1] and not attempt.notes[1] then return attempt end
    end
  end
end

local function check_branches(state, node, value, path)
  local branches = candidates_of(node.anyOf, value)
  local own = try_own_type(state, branches, value, path)
  if own then return own.sent end
  local tried, with_notes = {}, nil
  for _, branch in ipairs(branches) do
    local attempt = try_branch(state, branch, value, path)
    if not attempt.complaints[1] and not attempt.notes[1] then return attempt.sent end
    if not attempt.complaints[1] then with_notes = with_notes or attempt end
    tried[#tried + 1] = attempt
  end
  if not with_notes then
    complain_of_branches(state, branches, tried, path)
    return value
  end
  for _, item in ipairs(with_notes.notes) do note(state, item.path, item.message) end
  return with_notes.sent
end

-- ---- the whole ---------------------------------------------------------------------------------------------------------

local function same(one, other)
  if one == other then return true end
  if type(one) ~= "table" or type(other) ~= "table" then return false end
  for key, value in pairs(one) do
    if not same(value, other[key]) then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

-- What the host passes on unread: a part of a large value, which fits, or an integer above 2^63-1, which is above any bound.
local function check_opaque(state, node, value, path)
  if cjson.is_whole and cjson.is_whole(value) then return value end
  if type(node.maximum) == "number" then
    complain(state, path, "maximum", range_message(node.minimum, node.maximum), listed(node.minimum, node.maximum))
  end
  return value
end

-- What to send for a value; what is wrong with it goes into the lists of `state`.
function visit(state, node, value, path)
  if value == nil or fits_plainly(node, value) then return value end
  if value ~= null and type(value) == "userdata" then return check_opaque(state, node, value, path) end
  if node.default ~= nil and same(value, node.default) or value == null and allows_null(node) then return value end
  if node.format == "password" then
    complain(state, path, "secret", "is a credential: such an input cannot be used here")
    return value
  end
  local fits
  value, fits = to_type(state, node, value, path)
  if not fits then return value end
  if node.enum then value = check_enum(state, node, value, path) end
  local kind = type(value)
  if kind == "number" then
    check_number(state, node, value, path)
  elseif kind == "string" then
    check_text(state, node, value, path)
  elseif kind == "table" and is_array(value) then
    value = check_array(state, node, value, path)
  elseif kind == "table" and (node.type ~= "array") then
    value = check_object(state, node, value, path)
  elseif kind == "table" then
    value = check_array(state, node, value, path)
  end
  if node.anyOf and node.anyOf[1] then value = check_branches(state, node, value, path) end
  return value
end

--- Doors: schema.lua.
function checks.value(normal, value, options)
  if fits_plainly(normal, value) then return value, NONE, NONE end
  local state = {
    complaints = {}, notes = {}, additional = options and options.additional, utf16 = options and options.utf16,
  }
  local sent = visit(state, normal, value, "")
  return sent, state.complaints, state.notes
end

--- ready(input): a function, made at load, that says whether a value is plainly what an input takes; false says nothing.
checks.ready = plain_values.ready

--- What an input takes beside its type, as a complaint would say it: "must be from 1 to 12"; nil when that is not one range or
-- list.
function checks.words(input)
  if input.enum then return "must be one of " .. texts_of(input.enum) end
  if input.minimum or input.maximum then return range_message(input.minimum, input.maximum) end
end

--- Compares a value with one input of a row: what to send, and the first complaint { rule =, message =, allowed = } or nil.
function checks.input(input, value, path)
  if fits_plainly(input, value) then return value end
  local state = { complaints = {}, notes = {} }
  local sent = visit(state, input, value, path)
  return sent, state.complaints[1], state.notes[1]
end

return checks
