-- model_choices.lua - choices of `inputs` for the images and videos of a market of models: its rows, and any other model.

local check = require "check"
local inputs = require "inputs"
local names = require "names"
local row_prices = require "row_prices"

local model_choices = {}

local OPTIONS_ORDER = 1000 -- behind all inputs

-- What may stand beside the inputs of a model, as it is shown there.
local function shown_options(options)
  local shown = {}
  for name, words in pairs(options or {}) do
    shown[name] = check.copy(words)
    shown[name].x_order, shown[name].x_advanced = OPTIONS_ORDER + (words.x_order or 0), true
  end
  return shown
end

local function of_row(id, row, options)
  return inputs.choice {
    kind = row.kind, mode = row.kind, model = id, label = row.label, makes = row.makes, price = row_prices.text(row), row = row,
    properties = shown_options(options),
  }
end

-- A model that is not described takes anything, under its own names.
local function of_any_other(kind, example)
  return inputs.choice {
    kind = kind, mode = kind, label = "Any other model", makes = kind, required = { "model" },
    properties = {
      model = { type = "string", examples = { example }, x_order = 1, x_decides = true, x_other_models = true },
      prompt = { type = "string", x_order = 2, x_lines = 4 },
      parameters = { type = "object", x_order = 3, description = "the model's own inputs" },
    },
  }
end

--- Adds the choices of rows, those of `of_kind` (the model of each kind that a request without a model runs) first. `example`:
--- how a model is named; `options`: what may stand at the top of each request, by name.
function model_choices.add(choices, rows, of_kind, example, options)
  for _, kind in ipairs(names.sorted(of_kind)) do
    choices[#choices + 1] = of_row(of_kind[kind], rows[of_kind[kind]], options)
    for _, id in ipairs(names.sorted(rows)) do
      if rows[id].kind == kind and id ~= of_kind[kind] then choices[#choices + 1] = of_row(id, rows[id], options) end
    end
    choices[#choices + 1] = of_any_other(kind, example)
  end
end

return model_choices
