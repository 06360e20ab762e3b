-- choices.lua - what may be asked of Modal (manifest key `inputs`): the ways in which an app can be reached.

local fields = require "modal.fields"
local inputs = require "inputs"

local BODY = { description = "what the function takes, as its author wrote it", x_lines = 8 }

-- A way: the fields that make it, and those of the other ways, which it has not got.
local function way(operation, label, required, without)
  return inputs.choice {
    kind = "gpu", operation = operation, label = label, makes = "other", fields = { fields.JOB }, prefix = "job.",
    properties = { ["job.body"] = BODY }, required = required, without = without,
  }
end

return {
  way("web_function", "A web function, by its URL", { "job.url" },
    { "submit_url", "result_url", "path", "workspace", "environment", "app", "function" }),
  way("deployed_function", "A deployed function, by its names", { "job.workspace", "job.app", "job.function" },
    { "url", "submit_url", "result_url", "path" }),
  way("job_queue", "A job queue in front of a function", { "job.submit_url", "job.result_url" },
    { "url", "path", "workspace", "environment", "app", "function" }),
  way("endpoint", "A managed endpoint, by its path", { "job.path" },
    { "url", "submit_url", "result_url", "workspace", "environment", "app", "function" }),
}
