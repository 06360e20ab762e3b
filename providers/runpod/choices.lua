-- choices.lua - what may be asked of RunPod (manifest key `inputs`): a job for each operation, and the models that RunPod hosts.

local fields = require "runpod.fields"
local inputs = require "inputs"
local model_choices = require "model_choices"
local models = require "runpod.models"
local requests = require "runpod.requests"

local OPERATIONS = requests.OPERATIONS

local LABELS = {
  ["run"] = "A job on a serverless endpoint", ["runsync"] = "A job whose answer is waited for",
  ["retry"] = "A failed job once more", ["batch"] = "A batch of jobs", ["batch/requests"] = "More jobs for a batch",
  ["batch/finalize"] = "The start of a batch", ["batch/results"] = "The results of a batch",
  ["purge-queue"] = "An empty queue", ["health"] = "The state of an endpoint", ["openai"] = "OpenAI's API of a worker",
  ["load-balancing"] = "A request to a worker's own server", ["pods"] = "A pod", ["pods/update"] = "A change of a pod",
  ["pods/action"] = "Start, stop, restart or terminate a pod", ["pods/delete"] = "The end of a pod",
  ["serverless"] = "An endpoint", ["serverless/update"] = "A change of an endpoint",
  ["serverless/delete"] = "The end of an endpoint", ["catalog/gpus"] = "GPUs, prices and stock",
}

-- Beside the names in a path, which every operation needs.
local NEEDED = {
  ["run"] = { "input" }, ["runsync"] = { "input" }, ["batch"] = { "requests" }, ["batch/requests"] = { "requests" },
  ["pods"] = { "pod.name", "pod.image", "pod.gpu.id" }, ["pods/update"] = { "pod" }, ["pods/action"] = { "action" },
  ["serverless"] = { "serverless" }, ["serverless/update"] = { "serverless" },
}

local function required_of(name, operation)
  local required = { "job.operation" }
  for field in string.gmatch(operation.path or operation.management or operation.url, "{([%w_]+)}") do
    required[#required + 1] = "job." .. field
  end
  for _, field in ipairs(NEEDED[name] or {}) do required[#required + 1] = "job." .. field end
  return required
end

local function choice_of(name)
  local operation = OPERATIONS[name]
  local properties = fields.properties(name, operation)
  properties["job.operation"] = { type = "string", enum = { name }, x_order = 0, x_decides = true }
  return inputs.choice {
    kind = "gpu", operation = name, label = LABELS[name], makes = "other", properties = properties,
    required = required_of(name, operation),
  }
end

local choices = { choice_of "run" }
for _, name in ipairs(requests.NAMES) do
  if name ~= "run" then choices[#choices + 1] = choice_of(name) end
end

-- Of the fields of a job, those that a request for an image or a video has at its top.
local options = {}
for path, words in pairs(fields.properties("run", OPERATIONS.run)) do
  local name = string.match(path, "^job%.(.*)$")
  if name == "webhook" or string.find(name, "^policy%.") then options[name] = words end
end

model_choices.add(choices, models.ROWS, models.OF_KIND, "my-endpoint", options)

return choices
