-- choices.lua - what requests to Runway may say, for forms and agents (manifest key `inputs`): out of the rows and the products.

local fragments = require "runway.fragments"
local inputs = require "inputs"
local names = require "names"
local price = require "price"
local runway_models = require "runway.models"
local runway_products = require "runway.products"

local runway_choices = {}

local list = fragments.list

-- The first of each mode is its default.
local FIRST = list "text_to_video/gen4.5 text_to_image/gen4_image"

local function in_words(path)
  return (string.gsub(string.gsub(path, "_", " "), "/", ": "))
end

-- Aspect ratios and resolutions that a row's sizes have in words.
local function sizes_in_words(row)
  if not row.sizes then return nil end
  local aspects, resolutions, seen = {}, {}, {}
  for _, size in ipairs(row.sizes) do
    for place, values in pairs { [2] = aspects, [3] = resolutions } do
      local word = size[place]
      if word and not seen[word] then
        seen[word] = true
        values[#values + 1] = word
      end
    end
  end
  return {
    aspect_ratio = { type = "string", enum = aspects, x_decides = true },
    ["parameters.resolution"] = { type = "string", enum = resolutions, x_decides = true, x_costs = row.price.by_size and true },
  }
end

local function of_row(key)
  local row = runway_models.MODELS[key]
  return inputs.choice {
    kind = row.kind, mode = row.mode, model = key, label = row.label .. ", " .. in_words(row.operation),
    price = price.text(row.price), row = row, prefix = "parameters.", properties = sizes_in_words(row),
  }
end

-- What common words mean with a product, as video_request.lua reads them.
local COMMON = {
  prompt = { "prompt", { type = "string", minLength = 1, x_lines = 4, x_order = 1 } },
  duration_seconds = { "duration_seconds", { type = "number", x_unit = "s" } },
  aspect_ratio = { "aspect_ratio", { type = "string" } }, resolution = { "parameters.resolution", { type = "string" } },
  seed = { "parameters.seed", { type = "integer" } }, samples = { "parameters.samples", { type = "integer", minimum = 1 } },
  negative_prompt = { "parameters.negative_prompt", { type = "string" } },
}

-- A product's inputs are the vendor's: their types are not checked here, so none are told.
local function of_product(path)
  local product = runway_products.described(path)
  local properties, required = {}, {}
  for name in pairs(product.fields) do
    properties["parameters." .. name] = name == "input" and { type = "object" } or {}
  end
  if product.path_id then
    properties["parameters.id"] = { type = "string", examples = { "workflow" } }
    required[1] = "parameters.id"
  end
  for name, own in pairs(product.names) do
    local common = COMMON[name]
    if product.fields[own] then properties["parameters." .. own] = nil end
    properties[common[1]] = common[2]
  end
  for _, name in ipairs(product.required) do
    required[#required + 1] = product.names.prompt == name and "prompt" or "parameters." .. name
  end
  return inputs.choice { kind = product.kind, mode = product.kind, model = path, label = in_words(path), makes = product.makes,
    properties = properties, required = required }
end

local function all()
  local choices, is_first = {}, names.set(FIRST)
  for _, key in ipairs(FIRST) do choices[#choices + 1] = of_row(key) end
  for _, key in ipairs(runway_models.KEYS) do
    if not is_first[key] then choices[#choices + 1] = of_row(key) end
  end
  for _, path in ipairs(runway_products.NAMES) do choices[#choices + 1] = of_product(path) end
  return choices
end
runway_choices.ALL = all()

return runway_choices
