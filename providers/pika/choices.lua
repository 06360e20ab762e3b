-- choices.lua - what a request to Pika may hold, a choice for each model that is described: the manifest's `inputs`.

local check = require "check"
local fal_options = require "fal.options"
local inputs = require "inputs"
local fields = require "pika.fields"
local pika_models = require "pika.models"
local pictures = require "pika.pictures"
local routes = require "pika.routes"
local price = require "price"

local choices = {}

-- The lists of what a client may say, with the models' names for it on a route.
local function fields_of(route)
  local lists = {}
  for position, list in ipairs { fields.VALUES, fields.FILES } do
    lists[position] = {}
    for index, field in ipairs(list) do
      lists[position][index] = check.copy(field)
      lists[position][index].input = field[route]
    end
  end
  return lists
end

-- Pictures come as addresses, whatever the model makes of a list of them.
local PICTURE = {
  fal = { type = "string", x_file = "image" }, direct = { type = "string", x_file = "image", contentEncoding = "base64" },
}

local function properties_of(row, route)
  local properties = { priority = route == "fal" and fal_options.PRIORITY or nil }
  for _, list in pairs(pictures.LISTS) do
    local input = row.inputs[list[route]]
    if input then
      properties[input.field] = {
        type = "array", items = PICTURE[route], minItems = list.least, maxItems = list.most[route], x_decides = true,
        x_order = 2,
      }
    end
  end
  return properties
end

local FIELDS = { fal = fields_of "fal", direct = fields_of "direct" }

local function choice_of(path, route)
  local row = routes.row(route, path)
  return inputs.choice {
    model = path, row = row, price = price.text(row.price), fields = FIELDS[route], prefix = "parameters.",
    properties = properties_of(row, route),
  }
end

-- The first is the default.
local CHOICES = { choice_of(routes.MODEL_FOR.fal.text, "fal") }
for _, path in ipairs(pika_models.FAL_NAMES) do
  if path ~= routes.MODEL_FOR.fal.text then CHOICES[#CHOICES + 1] = choice_of(path, "fal") end
end
for _, path in ipairs(pika_models.DIRECT_NAMES) do CHOICES[#CHOICES + 1] = choice_of(path, "direct") end

--- The choices.
choices.CHOICES = CHOICES

return choices
