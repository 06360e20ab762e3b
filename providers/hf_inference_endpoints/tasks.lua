-- tasks.lua - what a model of each task of the Hub takes and makes: data of the directory.
--
-- From the task schemas of @huggingface/tasks 0.21.54 (the files in src/tasks/TASK/spec/), read 2026-11-30. One schema holds
-- for all models of a task; it has no ranges. A star marks a list of texts.

local cjson = require "cjson"
local media = require "schema.media"

local tasks = {}

local DIFFUSION = "guidance_scale:number negative_prompt:string num_inference_steps:integer seed:integer "
local IMAGE_EDIT = "prompt:string " .. DIFFUSION .. "target_size:size"
local SPEECH = "generation_parameters:object"

-- `inputs`: text, or a file of a kind. `parameters`: names and types.
local TASKS = {
  ["text-to-image"] = {
    inputs = "text", makes = "image", parameters = DIFFUSION .. "width:integer height:integer scheduler:string",
  },
  ["image-to-image"] = { inputs = "image", makes = "image", parameters = IMAGE_EDIT },
  ["image-text-to-image"] = { inputs = "image", makes = "image", parameters = IMAGE_EDIT, optional = true },
  ["image-segmentation"] = {
    inputs = "image", makes = "image",
    parameters = "mask_threshold:number overlap_mask_area_threshold:number subtask:string threshold:number",
  },
  ["depth-estimation"] = { inputs = "image", makes = "image", parameters = "" },
  ["text-to-video"] = {
    inputs = "text", makes = "video",
    parameters = "guidance_scale:number negative_prompt:texts num_inference_steps:integer seed:integer num_frames:number",
  },
  ["image-to-video"] = { inputs = "image", makes = "video", parameters = IMAGE_EDIT .. " num_frames:number" },
  ["image-text-to-video"] = {
    inputs = "image", makes = "video", parameters = IMAGE_EDIT .. " num_frames:number", optional = true,
  },
  ["text-to-speech"] = { inputs = "text", makes = "audio", parameters = SPEECH },
  ["text-to-audio"] = { inputs = "text", makes = "audio", parameters = SPEECH },
  ["automatic-speech-recognition"] = { inputs = "audio", makes = "text", parameters = "return_timestamps:boolean " .. SPEECH },
  ["image-to-text"] = { inputs = "image", makes = "text", parameters = "max_new_tokens:integer " .. SPEECH },
  ["text-generation"] = {
    inputs = "text", makes = "text",
    parameters = "adapter_id:string best_of:integer do_sample:boolean frequency_penalty:number max_new_tokens:integer "
      .. "repetition_penalty:number return_full_text:boolean seed:integer stop:texts temperature:number top_k:integer "
      .. "top_p:number truncate:integer typical_p:number watermark:boolean",
  },
  ["conversational"] = { makes = "text" }, ["image-text-to-text"] = { makes = "text" }, ["summarization"] = { makes = "text" },
  ["translation"] = { makes = "text" }, ["image-classification"] = { makes = "json" }, ["object-detection"] = { makes = "json" },
  ["feature-extraction"] = { makes = "json" }, ["sentence-similarity"] = { makes = "json" },
}

local function words_of(kind)
  if kind == "texts" then return { type = "array", items = { type = "string" } } end
  if kind == "size" then
    return {
      type = "object", required = cjson.array { "width", "height" },
      properties = { width = { type = "integer" }, height = { type = "integer" } },
    }
  end
  return { type = kind }
end

local function schema_of(task)
  local parameters, order = {}, 0
  for name, kind in string.gmatch(task.parameters, "([%w_]+):(%w+)") do
    order = order + 1
    parameters[name] = words_of(kind)
    parameters[name].x_order = order
    if media.IS_DRIVER[name] then parameters[name].x_costs = true end
  end
  local input = { type = "string", x_order = 1 }
  if task.inputs ~= "text" then input.x_file = task.inputs end
  return {
    type = "object", required = not task.optional and cjson.array { "inputs" } or nil,
    properties = { inputs = input, parameters = { type = "object", properties = parameters, x_order = 2 } },
  }
end

for _, task in pairs(TASKS) do
  if task.parameters then task.schema = schema_of(task) end
end

--- Its schema (normal form), or nil: a task that is not described here.
function tasks.schema(task)
  return TASKS[task] and TASKS[task].schema
end

--- What a model of a task makes: image, video, audio, text, json or other.
function tasks.kind(task)
  return TASKS[task] and TASKS[task].makes or media.kind_of_task(task)
end

-- The tasks for which the Hub is asked when a kind is.
local TASK_OF_KIND = { image = "text-to-image", video = "text-to-video", audio = "text-to-speech", text = "text-generation" }

--- The task that stands for a kind in a search, or nil.
function tasks.of_kind(kind)
  return TASK_OF_KIND[kind]
end

return tasks
