-- choices.lua - what may be asked of Inference Endpoints (manifest key `inputs`): an inference, in three forms, and each
-- action.

local check = require "check"
local inputs = require "inputs"
local jobs = require "hf_inference_endpoints.jobs"
local management = require "hf_inference_endpoints.management"
local names = require "names"

-- The fields of an inference beside its input, and those of the actions.
local OF_INFERENCE = names.words [[ url endpoint namespace path accept bill_to scale_up_timeout timeout_seconds instance
  instance_size vendor minutes ]]
local OF_HARDWARE = names.words "instance instance_size vendor minutes"

-- The other fields of the list.
local function all_but(...)
  local wanted, list = names.union(...), {}
  for _, field in ipairs(jobs.FIELDS) do
    if not wanted[field.name] then list[#list + 1] = field.name end
  end
  return list
end

local ANY_INPUT = { description = "what the engine works on: a text, an object, a list", x_lines = 4 }

local function inference(operation, label, own, properties, required)
  local choice = inputs.choice {
    kind = "gpu", operation = operation, label = label, makes = "other", fields = { jobs.FIELDS }, prefix = "job.",
    without = all_but(OF_INFERENCE, names.set(own)), properties = properties, required = required,
  }
  choice.schema.anyOf = { { required = { "job.url" } }, { required = { "job.endpoint" } } }
  return choice
end

local LABELS = {
  create = "Create an endpoint", update = "Change an endpoint", resume = "Start a paused endpoint", pause = "Pause an endpoint",
  ["scale-to-zero"] = "Scale an endpoint to zero", delete = "Delete an endpoint", get = "Look at an endpoint",
  metrics = "Metrics of an endpoint", list = "List endpoints", hardware = "Hardware, with the account's prices and quotas",
}

local function body_properties()
  local properties = {}
  for path, words in pairs(management.BODY) do properties["job." .. path] = check.copy(words) end
  return properties
end

local function management_choice(name)
  local action = jobs.ACTIONS[name]
  local own = names.set { "action", "namespace" }
  local required = { "job.action" }
  if action.at == "endpoint" or name == "create" then
    own.name = true
    required[2] = "job.name"
  end
  local properties = action.body and body_properties() or {}
  properties["job.action"] = { type = "string", enum = { name } }
  local choice = inputs.choice {
    kind = "gpu", operation = name, label = LABELS[name], makes = "json", fields = { jobs.FIELDS }, prefix = "job.",
    without = all_but(own, action.starts and OF_HARDWARE or {}), properties = properties, required = required,
  }
  if name == "update" then
    choice.schema.anyOf = { { required = { "job.compute.instanceType" } }, { required = { "job.type" } } }
  end
  return choice
end

local choices = {
  inference("inference", "Inference", { "parameters" }, { ["job.inputs"] = ANY_INPUT }, { "job.inputs" }),
  inference("chat", "Chat, as OpenAI's clients write it", {},
    { ["job.messages"] = { examples = { { { role = "user", content = "Hello" } } } } }, { "job.messages" }),
  inference("file", "Inference on a file", { "data" }, {}, { "job.data" }),
  inference("body", "Inference with a whole body", { "body" }, {}, { "job.body" }),
}
for _, name in ipairs(jobs.ACTION_NAMES) do choices[#choices + 1] = management_choice(name) end

return choices
