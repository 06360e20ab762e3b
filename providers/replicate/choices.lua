-- choices.lua - what may be asked of Replicate (manifest key `inputs`): a job for each way to name what runs, and the models that
-- are described.

local fields = require "replicate.fields"
local inputs = require "inputs"
local model_choices = require "model_choices"
local models = require "replicate.models"

local EXAMPLE_VERSION = string.rep("5c7d5dc6", 8)

-- What a job names, by the operation that it is then.
local TARGETS = {
  { "model", "An official model", { "job.model" }, {
    ["job.model"] = { type = "string", examples = { "black-forest-labs/flux-schnell" }, x_order = 0, x_decides = true } } },
  { "version", "A version of a model", { "job.version" }, {
    ["job.version"] = { type = "string", examples = { EXAMPLE_VERSION, "owner/name:" .. EXAMPLE_VERSION }, x_order = 0,
      x_decides = true } } },
  { "deployment", "A deployment", { "job.deployment" }, {
    ["job.deployment"] = { type = "string", examples = { "owner/name" }, x_order = 0, x_decides = true } } },
}

local NOT_SHOWN = { "model", "model_version", "version", "deployment", "pinned_version" }

local choices = {}

for _, target in ipairs(TARGETS) do
  choices[#choices + 1] = inputs.choice {
    kind = "gpu", operation = target[1], label = target[2], makes = "other", fields = { fields.JOB }, prefix = "job.",
    without = NOT_SHOWN, properties = target[4], required = { target[3][1], "job.input" },
  }
end

-- Of the fields of a job, those that a request for an image or a video has at its top.
local options = inputs.choice {
  fields = { fields.JOB },
  without = { "model", "model_version", "version", "deployment", "input", "hardware", "seconds", "pinned_version" },
}

model_choices.add(choices, models.ROWS, models.OF_KIND, "owner/name", options.schema.properties)

return choices
