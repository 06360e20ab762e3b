-- choices.lua - what may be asked of Stability (manifest key `inputs`), out of its services.

local check = require "check"
local inputs = require "inputs"
local payloads = require "stability.payloads"
local prices = require "stability.prices"
local stability_services = require "stability.services"

local TEXT_TO_IMAGE, IMAGE_TO_IMAGE = stability_services.TEXT_TO_IMAGE, stability_services.IMAGE_TO_IMAGE

local DEFAULT_STRENGTH = 0.5 -- payloads.lua fills it in: the vendor requires one and has none

-- The fields of a service in a mode as a row, by the paths that clients use.
local function row_of(service, mode)
  local row = { inputs = {} }
  for order, field in ipairs(service.fields_of_mode[mode]) do
    local input = check.copy(field.words)
    input.field, input.required, input.x_order = stability_services.usual_path(field.name), field.required, order
    if field.name == "strength" then input.required, input.default = false, DEFAULT_STRENGTH end
    if input.required and not input.x_file then input.minLength = 1 end
    row.inputs[field.name] = input
  end
  return row
end

-- One of several fields is needed: each alternative names one, and the least that it must be.
local function alternatives(service)
  local list = {}
  for _, name in ipairs(service.any_of or service.any_nonzero or {}) do
    local path = "parameters." .. name
    local properties = service.any_nonzero and { [path] = { minimum = 1 } } or nil
    list[#list + 1] = { required = { path }, properties = properties }
  end
  return #list > 0 and list or nil
end

local function choice_of(model, mode)
  local service = stability_services.find(model)
  local choice = inputs.choice {
    kind = "image", mode = mode, model = model, label = model, makes = "image", price = prices.text(model),
    row = row_of(service, mode),
  }
  choice.schema.anyOf = alternatives(service)
  return choice
end

-- A mode's first choice is its default.
local function in_order()
  local models = { payloads.DEFAULT_MODELS[TEXT_TO_IMAGE], payloads.DEFAULT_MODELS[IMAGE_TO_IMAGE] }
  for _, model in ipairs(stability_services.MODELS) do
    if not check.in_list(model, models) then models[#models + 1] = model end
  end
  return models
end

local choices = {}
for _, model in ipairs(in_order()) do
  local service = stability_services.find(model)
  if not service.edits then choices[#choices + 1] = choice_of(model, TEXT_TO_IMAGE) end
  if service.edits or service.with_image then choices[#choices + 1] = choice_of(model, IMAGE_TO_IMAGE) end
end

return choices
