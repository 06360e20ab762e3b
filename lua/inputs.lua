-- inputs.lua - the inputs of a provider as JSON Schema (manifest key `inputs`), out of the tables that its functions check.
--
-- Nothing is written a second time: a list of fields (check.field_list) gives names, types and bounds as its readers know
-- them, and a model's row (model_inputs.lua) overrides and adds. What the row's model does not take is left out. A property's
-- name is its path in the request, so that answers can name it and a form can place it.

local check = require "check"
local cjson = require "cjson"
local names = require "names"

local inputs = {}

local ipairs, pairs, type = ipairs, pairs, type

local TYPE_OF_KIND = {
  text = "string", choice = "string", integer = "integer", number = "number", boolean = "boolean", object_of = "object",
  array_of = "array",
}

-- Words of a row that are not for clients: a row's own, and those with another meaning here.
local NOT_SHOWN = { field = true, required = true }

-- The words of a schema for one field of a list, as its reader checks it.
local function words_of_field(field)
  local options, words = field.options or {}, { type = TYPE_OF_KIND[field.kind] or field.schema and field.schema.type }
  if field.kind == "choice" then words.enum = cjson.array(check.copy(field.values)) end
  if words.type == "array" then
    words.minItems, words.maxItems = options.min, options.max
  elseif words.type == "string" then
    words.maxLength = options.max
    words.minLength = options.required and not words.enum and 1 or nil
  elseif words.type == "integer" or words.type == "number" then
    words.minimum, words.maximum = options.min, options.max
  end
  words.default = options.default
  if field.decides then words.x_decides = true end
  if field.costs then words.x_costs = true end
  for word, value in pairs(field.schema or {}) do words[word] = value end
  return words
end

local function first_name(field)
  return type(field.names) == "table" and field.names[1] or field.names or field.name
end

-- A copy of a list: tables of other modules are read-only.
local function list_of(items)
  return items and cjson.array { table.unpack(items) }
end

-- Adds the words of a row's input.
local function add_words(words, input)
  for word, value in pairs(input) do
    if not NOT_SHOWN[word] then words[word] = value end
  end
  words.enum, words.examples = list_of(words.enum), list_of(words.examples)
  return words
end

local Builder = {}
local BUILDER_CLASS = { __index = Builder }

local function new_builder(options)
  local builder = {
    prefix = options.prefix or "", inputs = options.row and options.row.inputs, properties = {}, required = {}, used = {},
    count = 0, without = names.set(options.without or {}),
  }
  return setmetatable(builder, BUILDER_CLASS)
end

function Builder:add(path, words, is_required)
  if self.without[path] or self.properties[path] then return end
  self.count = self.count + 1
  if not words.x_order then words.x_order = self.count end
  self.properties[path] = words
  if is_required then self.required[#self.required + 1] = path end
end

function Builder:add_field(field)
  local path, words = self.prefix .. first_name(field), words_of_field(field)
  if self.without[first_name(field)] then return end
  local is_required = field.options and field.options.required
  if self.inputs then
    local name = field.input or field.name
    local input = self.inputs[name]
    if not input then return end
    self.used[name] = true
    add_words(words, input)
    path, is_required = input.field or path, is_required or input.required
  end
  self:add(path, words, is_required)
end

-- The inputs of a row that are in no list of fields.
function Builder:add_row()
  for _, name in ipairs(names.sorted(self.inputs or {})) do
    local input = self.inputs[name]
    if not self.used[name] and not self.without[name] then
      self:add(input.field or self.prefix .. name, add_words({}, input), input.required)
    end
  end
end

local function finish_schema(builder, options)
  for path, words in pairs(options.properties or {}) do builder.properties[path] = add_words(check.copy(words), {}) end
  for _, path in ipairs(options.required or {}) do
    if not check.in_list(path, builder.required) then builder.required[#builder.required + 1] = path end
  end
  for index = #builder.required, 1, -1 do
    if not builder.properties[builder.required[index]] then table.remove(builder.required, index) end
  end
  local schema = { type = "object", properties = builder.properties }
  if #builder.required > 0 then schema.required = cjson.array(builder.required) end
  return schema
end

--- One choice of the manifest's `inputs`:
--   kind, mode, model, operation, label, makes, price   as clients see them; `makes` and `label` default to the row's
--   fields =      lists of check.field_list; a field may add words by `schema = { ... }`
--   prefix =      where these fields stand in a request: "parameters." (default: the top)
--   row =         the model's row: its inputs override, add (at `field`, else prefix and name), and what it lacks is left out
--   properties =  more, by path; they win
--   required =    further paths that are required
--   without =     names or paths that are left out
function inputs.choice(options)
  local builder = new_builder(options)
  for _, list in ipairs(options.fields or {}) do
    for _, field in ipairs(list) do builder:add_field(field) end
  end
  builder:add_row()
  local row = options.row or {}
  return {
    kind = options.kind or row.kind, mode = options.mode or row.mode, model = options.model, operation = options.operation,
    label = options.label or row.label, makes = options.makes or row.makes, price = options.price,
    schema = finish_schema(builder, options),
  }
end

return inputs
