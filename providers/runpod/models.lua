-- models.lua - the models that RunPod hosts itself (public endpoints), by the ids of their endpoints.

local model_rows = require "model_rows"
local names = require "names"

local models = {}

local PAGES = "https://docs.runpod.io/public-endpoints/models/"

local rows = {}
for _, list in ipairs { require "runpod.image_models", require "runpod.video_models" } do
  for id, row in pairs(list) do rows[id] = row end
end

--- The rows, by endpoint id.
models.ROWS = model_rows.complete(rows, function(_, row) return { as_of = "2026-08-20", source = PAGES .. row.page } end)

--- Their ids, sorted.
models.NAMES = names.sorted(models.ROWS)

--- What a request without a model runs.
models.OF_KIND = { image = "black-forest-labs-flux-1-schnell", video = "p-video" }

return models
