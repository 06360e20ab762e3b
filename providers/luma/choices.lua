-- choices.lua - what requests to Luma may say, for forms and agents (manifest key `inputs`): out of the rows.

local cjson = require "cjson"
local inputs = require "inputs"
local luma_models = require "luma.models"
local names = require "names"
local price = require "price"

local luma_choices = {}

-- The first of each mode is its default; operations come last.
local FIRST = { "ray-2", "photon-1" }

-- What only some choices have: the generation that is worked on, and the model that a path takes.
local function more_of(row, key)
  local more, required = {}, {}
  if string.find(key, "{id}", 1, true) then
    more["parameters.generation_id"] = { type = "string", examples = { "123e4567-e89b-12d3-a456-426614174000" } }
    required[1] = "parameters.generation_id"
  end
  if row.models then
    local ids = {}
    for _, id in ipairs(luma_models.MODEL_IDS) do
      if luma_models.ROWS[id].api == row.api and luma_models.ROWS[id].makes == row.models then ids[#ids + 1] = id end
    end
    more["parameters.model"] = { type = "string", examples = ids }
  end
  return more, required
end

-- Inputs that are only taken beside another.
local function add_beside(choice, row)
  for name, other in pairs(row.goes_with or {}) do
    choice.schema.dependentRequired = choice.schema.dependentRequired or {}
    choice.schema.dependentRequired["parameters." .. name] = cjson.array { "parameters." .. other }
  end
  return choice
end

local function of_row(key)
  local row = luma_models.ROWS[key]
  local more, required = more_of(row, key)
  return add_beside(inputs.choice {
    kind = row.kind, mode = row.kind, model = key, label = row.label, makes = row.makes, row = row, prefix = "parameters.",
    price = row.price and (row.price.text or price.text(row.price)), properties = more, required = required,
  }, row)
end

local function all()
  local choices, is_first, operations = {}, names.set(FIRST), {}
  for _, key in ipairs(FIRST) do choices[#choices + 1] = of_row(key) end
  for _, key in ipairs(names.sorted(luma_models.ROWS)) do
    local list = string.find(key, "/", 1, true) and operations or choices
    if not is_first[key] then list[#list + 1] = of_row(key) end
  end
  for _, choice in ipairs(operations) do choices[#choices + 1] = choice end
  return choices
end
luma_choices.ALL = all()

return luma_choices
