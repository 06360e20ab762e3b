-- Requests made out of a choice of `inputs`: one that the schema says is complete, and for each property values that it says
-- are taken, and some that it says are not.
local exact = require "spec.support.exact_json"

local input_probes = {}

local FILES = { image = "https://example.com/a.png", video = "https://example.com/a.mp4", audio = "https://example.com/a.mp3" }
local PNG = "data:image/png;base64,"
  .. "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
local TEXTS = { date = "2026-01-01", uri = "https://example.com/a.bin" }

local function copy(value)
  if type(value) ~= "table" then return value end
  local other = exact.is_array(value) and exact.array {} or {}
  for key, item in pairs(value) do other[key] = copy(item) end
  return other
end

local function text_of_length(words, count)
  local prefix = (words.pattern or ""):match("^%^([%w:/]+)") or ""
  return prefix .. ("a"):rep(count - #prefix)
end

local function sample_text(words)
  if words.contentEncoding == "base64" then return PNG end
  if words.x_file then return FILES[words.x_file] or "https://example.com/a.bin" end
  if words.format and TEXTS[words.format] then return TEXTS[words.format] end
  local text = text_of_length(words, 1) .. " cat"
  if words.minLength and #text < words.minLength then text = text_of_length(words, words.minLength) end
  return words.maxLength and text:sub(1, words.maxLength) or text
end

local function first_type(words)
  if type(words.type) == "table" then return words.type[1] end
  if words.type then return words.type end
  return words.properties and "object" or words.items and "array" or nil
end

--- A value that a schema takes.
function input_probes.sample(words)
  if words.examples and words.examples[1] ~= nil then return copy(words.examples[1]) end
  if words.const ~= nil then return words.const end
  if words.enum then return words.enum[1] end
  if words.default ~= nil then return copy(words.default) end
  if words.anyOf then return input_probes.sample(words.anyOf[1]) end
  local kind = first_type(words)
  if kind == "boolean" then return true end
  if kind == "integer" or kind == "number" then
    return words.minimum or words.exclusiveMinimum and words.exclusiveMinimum + 1 or words.maximum or 1
  end
  if kind == "array" then
    local list = exact.array {}
    for _ = 1, math.max(words.minItems or 1, 1) do list[#list + 1] = input_probes.sample(words.items or { type = "string" }) end
    return list
  end
  if kind == "object" then
    local object = {}
    for _, name in ipairs(words.required or {}) do object[name] = input_probes.sample(words.properties[name]) end
    return object
  end
  return sample_text(words)
end

-- ---- what one property takes, and what not -----------------------------------------------------------------------------

local function add(list, what, value)
  list[#list + 1] = { what = what, value = value }
end

local function items(words, count)
  local list = exact.array {}
  for index = 1, count do list[index] = input_probes.sample(words.items or { type = "string" }) end
  return list
end

--- The values that a schema says are taken: { what =, value = } each.
function input_probes.accepted(words)
  local list = {}
  if words.default ~= nil then add(list, "default", copy(words.default)) end
  for _, value in ipairs(words.enum or {}) do add(list, "enum", copy(value)) end
  for _, value in ipairs(words.examples or {}) do add(list, "example", copy(value)) end
  if words.const ~= nil then add(list, "const", words.const) end
  if words.minimum then add(list, "minimum", words.minimum) end
  if words.maximum then add(list, "maximum", words.maximum) end
  if words.minLength and words.minLength > 0 and not words.x_file then
    add(list, "minLength", text_of_length(words, words.minLength))
  end
  if words.maxLength and words.maxLength <= 100000 and not words.x_file then
    add(list, "maxLength", text_of_length(words, words.maxLength))
  end
  if words.minItems then add(list, "minItems", items(words, words.minItems)) end
  if words.maxItems and words.maxItems <= 1000 then add(list, "maxItems", items(words, words.maxItems)) end
  for _, branch in ipairs(words.anyOf or {}) do
    for _, item in ipairs(input_probes.accepted(branch)) do list[#list + 1] = item end
  end
  if not words.enum and words.const == nil then add(list, "sample", input_probes.sample(words)) end
  return list
end

local WRONG = {
  string = { deep = { 1 } }, boolean = "perhaps", integer = "no number", number = "no number", array = { no = "list" },
  object = "no object",
}

local function types_of(words)
  if words.anyOf then
    local all = {}
    for _, branch in ipairs(words.anyOf) do
      for _, name in ipairs(types_of(branch)) do all[#all + 1] = name end
    end
    return all
  end
  return type(words.type) == "table" and words.type or { first_type(words) }
end

-- A value of none of the types, or nil.
local function wrong_type(words)
  local types, is = types_of(words), {}
  for _, name in ipairs(types) do is[name] = true end
  if #types == 0 then return nil end
  if #types == 1 then return copy(WRONG[types[1]]) end
  if not is.object and not is.array then return { deep = { 1 } } end
  if not is.boolean then return true end
  if not is.object then return { no = "list" } end
  return nil
end

local function beyond(list, words)
  local kind = first_type(words)
  if words.minimum then add(list, "below minimum", words.minimum - 1) end
  if words.maximum and kind == "integer" and words.maximum < 2 ^ 53 then add(list, "above maximum", words.maximum + 1) end
  if words.maximum and kind == "number" then add(list, "above maximum", words.maximum + 0.5) end
  if words.exclusiveMinimum then add(list, "at the excluded minimum", words.exclusiveMinimum) end
  if kind == "integer" then add(list, "a fraction", (words.minimum or 1) + 0.5) end
  if words.minLength and words.minLength > 0 then add(list, "too short", ("a"):rep(words.minLength - 1)) end
  if words.maxLength and words.maxLength <= 100000 then add(list, "too long", text_of_length(words, words.maxLength + 1)) end
  if words.maxItems and words.maxItems <= 1000 then add(list, "too many items", items(words, words.maxItems + 1)) end
  if words.minItems and words.minItems > 0 then add(list, "too few items", items(words, words.minItems - 1)) end
end

--- Values that a schema says are not taken: { what =, value = } each.
function input_probes.refused(words)
  local list = {}
  local wrong = wrong_type(words)
  if wrong ~= nil then add(list, "wrong type", wrong) end
  if words.enum or words.const ~= nil then
    local kind = first_type(words)
    local strange = kind == "string" and "no such value" or (kind == "integer" or kind == "number") and 987654321 or nil
    if strange ~= nil then add(list, "not in enum", strange) end
  elseif not words.anyOf then
    beyond(list, words)
  end
  return list
end

-- ---- whole requests ----------------------------------------------------------------------------------------------------

--- Puts a value at a path ("parameters.samples") of a request.
function input_probes.put(request, path, value)
  local place, names = request, {}
  for name in path:gmatch("[^.]+") do names[#names + 1] = name end
  for index = 1, #names - 1 do
    place[names[index]] = place[names[index]] or {}
    place = place[names[index]]
  end
  place[names[#names]] = value
end

--- What a schema says is a complete request, with `path` (or nothing) in it, and what goes with that.
function input_probes.request(choice, path, value)
  local schema, request = choice.schema, {}
  if choice.kind ~= "gpu" then
    request.mode, request.model = choice.mode, choice.model
  elseif choice.model and not schema.properties["job.model"] then
    request.job = { model = choice.model, input = {} } -- one of the directory: its schema has only what the vendor's has
  end
  local function give(name)
    input_probes.put(request, name, input_probes.sample(schema.properties[name]))
    for _, beside in ipairs(schema.dependentRequired and schema.dependentRequired[name] or {}) do
      input_probes.put(request, beside, input_probes.sample(schema.properties[beside]))
    end
  end
  for _, name in ipairs(schema.required or {}) do give(name) end
  for _, alternative in ipairs(schema.anyOf or {}) do
    if alternative.required[1] ~= path then
      give(alternative.required[1])
      break
    end
  end
  if path then
    give(path)
    input_probes.put(request, path, value)
  end
  return request
end

-- Whether a field of an answer is that of a property, or something inside it.
local function is_within(field, path)
  return field == path or field:sub(1, #path + 1) == path .. "." or field:sub(1, #path + 1) == path .. "["
end

--- Reads the answer of a dry submit as input_probes.lies wants it.
function input_probes.read(answer)
  local fields, texts = {}, {}
  for _, item in ipairs(answer.json.errors or {}) do
    fields[#fields + 1], texts[#texts + 1] = item.path, item.path .. " " .. item.message
  end
  for _, text in ipairs(answer.json.live and answer.json.live.missing or {}) do
    fields[#fields + 1], texts[#texts + 1] = text:match("^([^:%s]+): "), text
  end
  local upstream = answer.status == 200 and answer.json.upstream or exact.null
  return { taken = upstream ~= exact.null, fields = fields, text = table.concat(texts, "; ") }
end

--- Takes the nulls out of what GET .../inputs says of a choice.
function input_probes.plain(choice)
  for _, name in ipairs { "mode", "model", "operation" } do
    if choice[name] == exact.null then choice[name] = nil end
  end
  return choice
end

--- What a choice is called.
function input_probes.name(choice)
  local words = {}
  for _, key in ipairs { "kind", "mode", "model", "operation" } do words[#words + 1] = choice[key] end
  return table.concat(words, " ")
end

local function show(value)
  local text = exact.encode(value)
  return #text > 80 and text:sub(1, 80) .. "..." or text
end

local function add_lies(lies, choice, path, try)
  local words, count = choice.schema.properties[path], 0
  for _, probe in ipairs(input_probes.accepted(words)) do
    local answer = try(input_probes.request(choice, path, probe.value))
    count = count + 1
    if not answer.taken then
      lies[#lies + 1] = ("%s: %s %s is refused: %s"):format(path, probe.what, show(probe.value), answer.text)
    end
  end
  for _, probe in ipairs(input_probes.refused(words)) do
    local answer = try(input_probes.request(choice, path, probe.value))
    count = count + 1
    local told = false
    for _, field in ipairs(answer.fields) do told = told or is_within(field, path) end
    if answer.taken or not told then
      lies[#lies + 1] = ("%s: %s %s is taken, or refused elsewhere: %s"):format(path, probe.what, show(probe.value), answer.text)
    end
  end
  return count
end

--- Where a choice is not true, as texts, and how many requests were tried. `try` sends a request and returns { taken = whether
-- it would go out, fields = the paths that are complained of, text = what was said }.
function input_probes.lies(choice, try)
  local lies, tried = {}, 1
  local whole = try(input_probes.request(choice))
  if not whole.taken then lies[1] = "what is required is not enough: " .. whole.text end
  for path in pairs(choice.schema.properties) do tried = tried + add_lies(lies, choice, path, try) end
  table.sort(lies)
  return lies, tried
end

return input_probes
