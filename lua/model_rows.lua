-- model_rows.lua - the words in which models with many inputs are described: one row for a model, its inputs and its price.
--
-- An input is written as { name, schema } in the order of the form; the schema is JSON Schema, mostly made by a function below.
-- What decides the price (x_costs) has its enum or its bounds, and is refused beyond them. Of any other input only examples and a
-- range in words are kept: a vendor widens those without notice, and a row that is behind must not stand in the way.

local check = require "check"
local model_inputs = require "model_inputs"

local model_rows = {}

local function words(list)
  if type(list) ~= "string" then return list end
  local found = {}
  for word in string.gmatch(list, "%S+") do found[#found + 1] = word end
  return found
end

local function typed(kind)
  return function(schema)
    schema.type = kind
    return schema
  end
end

--- Schemas of one type, with whatever words are given.
model_rows.text, model_rows.integer, model_rows.number = typed "string", typed "integer", typed "number"
model_rows.flag, model_rows.list = typed "boolean", typed "array"

--- A text that may be something else than what is known here (`known`: a list, or words in one text).
function model_rows.like(default, known, required)
  return { type = "string", default = default, examples = words(known), required = required }
end

--- A text that decides the price: one of `known`.
function model_rows.priced(default, known, required)
  return { type = "string", default = default, enum = words(known), required = required, x_costs = true }
end

--- A number of pieces or seconds that decides the price: one of `known`.
function model_rows.counted(default, known, required)
  return { type = "integer", default = default, enum = known, required = required, x_costs = true }
end

--- A file by its address or as a data URI; `kind`: image, video or audio.
function model_rows.file(kind, required)
  return { type = "string", x_file = kind, required = required }
end

--- A list of such files.
function model_rows.files(kind, required)
  return { type = "array", items = { type = "string" }, x_file = kind, required = required }
end

model_rows.PROMPT = { type = "string", required = true, x_lines = 4 }
model_rows.TEXT, model_rows.INTEGER = { type = "string" }, { type = "integer" }
model_rows.ON, model_rows.OFF = { type = "boolean", default = true }, { type = "boolean", default = false }

local function inputs_of(list)
  local inputs = {}
  for order, entry in ipairs(list) do
    local name, input = entry[1], check.copy(entry[2])
    input.x_order = order
    input.field = input.field or (name == "prompt" and "prompt" or "parameters." .. name)
    inputs[name] = input
  end
  return inputs
end

local function price_of(row, general)
  if not row.price then return nil end
  local price = check.copy(row.price)
  for name, value in pairs(general) do
    if price[name] == nil then price[name] = value end
  end
  return price
end

--- Complete copies of rows, which are by the models' ids: inputs by their names, and where a price was read. `of_price(id, row)`
--- gives what a price does not say itself, as { as_of =, source = }.
function model_rows.complete(rows, of_price)
  local completed = {}
  for id, row in pairs(rows) do
    local copy = check.copy(row)
    copy.inputs, copy.makes = inputs_of(row.inputs), row.makes or row.kind
    copy.price = price_of(row, row.price and of_price(id, row))
    completed[id] = copy
  end
  return model_inputs.rows(completed)
end

return model_rows
