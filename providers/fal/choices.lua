-- choices.lua - what a request to fal may hold, a choice for each model that is described: the manifest's `inputs`.

local fields = require "fal.fields"
local models = require "fal.models"
local fal_options = require "fal.options"
local video_fields = require "fal.video_fields"
local inputs = require "inputs"
local price = require "price"

local choices = {}

local FIELDS = { image = { fields.PARAMETERS }, video = { video_fields.VALUES, video_fields.FILES } }
local PROPERTIES = {
  route = { type = "string", enum = fields.ROUTES, default = fields.ROUTES[1], x_advanced = true, x_order = 90 },
  priority = fal_options.PRIORITY,
}

local function choice_of(model)
  local row = models.ROWS[model]
  return inputs.choice {
    model = model, row = row, price = price.text(row.price), fields = FIELDS[row.kind], prefix = "parameters.",
    properties = PROPERTIES,
  }
end

-- The first of a mode is its default.
local CHOICES, is_first = {}, {}
for _, mode in ipairs { "flux", "sdxl", "video" } do
  local model = models.OF_MODE[mode]
  CHOICES[#CHOICES + 1], is_first[model] = choice_of(model), true
end
for _, model in ipairs(models.NAMES) do
  if not is_first[model] then CHOICES[#CHOICES + 1] = choice_of(model) end
end

--- The choices.
choices.CHOICES = CHOICES

return choices
