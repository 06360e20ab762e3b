-- directory.lua - what Replicate publishes of its models: found by words, described one by one.
--
-- The list of all models is never read: its rows carry schema and example, 10 KB each and up to 3 MB. A model's schema is that of
-- its newest version; a version never changes, and its id is kept. No call tells a price. What a model makes is said nowhere: it
-- is told from its tags, where it was found by words, else from what it takes and gives.

local cjson = require "cjson"
local http_errors = require "http_errors"
local fields = require "replicate.fields"
local media = require "schema.media"
local names = require "names"
local requests = require "replicate.requests"
local schema = require "schema"
local url_parts = require "url_parts"

local directory = {}

local MAX_FOUND = 50 -- of one search, by the vendor
local MAX_NAME_BYTES = 200

local SITE = "https://replicate.com/"

local function text_of(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function table_of(value)
  return type(value) == "table" and value or {}
end

-- What is said of a question that got no answer to use.
local function failure_text(response, failure)
  return http_errors.result(response, failure, requests.problem_options(response)).error.message
end

-- "owner/name" of a model object; nil for what is none.
local function id_of(model)
  local owner, name = text_of(model.owner), text_of(model.name)
  if not owner or not name or #owner + #name > MAX_NAME_BYTES then return nil end
  if not url_parts.is_name(owner) or not url_parts.is_name(name) then return nil end
  return owner .. "/" .. name
end

-- ---- what a model makes ------------------------------------------------------------------------------------------------

local OF_METRIC = {
  image_count = "image", image_output_count = "image", video_output_count = "video", video_output_duration_seconds = "video",
  audio_output_duration_seconds = "audio", token_output_count = "text",
}

local function kind_of_tags(tags)
  for _, tag in ipairs(table_of(tags)) do
    local kind = media.kind_of_task(tag)
    if kind ~= "other" then return kind, tag end
  end
  return nil
end

local function kind_of_example(example)
  for _, name in ipairs(names.sorted(table_of(example.metrics))) do
    if OF_METRIC[name] then return OF_METRIC[name] end
  end
  return nil
end

local VIDEO_INPUTS = names.words "duration fps num_frames video start_image end_image first_frame_image last_frame_image seconds"
local AUDIO_INPUTS = names.words "voice voice_id lyrics audio speaker text_to_speech emotion bitrate sample_rate"
local IMAGE_INPUTS = names.words [[
  image image_input input_image input_images aspect_ratio width height side_x negative_prompt output_format num_outputs
]]

local WORDS = { { "video", "video" }, { "animat", "video" }, { "speech", "audio" }, { "music", "audio" }, { "tts", "audio" } }

local function kind_of_words(id, description)
  local text = string.lower(id .. " " .. string.sub(description or "", 1, 500))
  for _, pair in ipairs(WORDS) do
    if string.find(text, pair[1], 1, true) then return pair[2] end
  end
  return nil
end

local function has_file(node, depth)
  if type(node) ~= "table" or depth > 4 then return false end
  if node.x_file or has_file(node.items, depth + 1) then return true end
  for _, inner in pairs(table_of(node.properties)) do
    if has_file(inner, depth + 1) then return true end
  end
  return false
end

-- A guess, from what goes in and what comes out.
local function kind_of_schemas(inputs, output)
  if not has_file(output, 1) then
    local inner = table_of(output).items or output
    return table_of(inner).type == "string" and "text" or "other"
  end
  local taken = table_of(table_of(inputs).properties)
  if names.has_any(taken, VIDEO_INPUTS) then return "video" end
  if names.has_any(taken, AUDIO_INPUTS) then return "audio" end
  return names.has_any(taken, IMAGE_INPUTS) and "image" or "other"
end

-- ---- one model ---------------------------------------------------------------------------------------------------------

-- Inputs, outputs and the normal form of the output, out of a version's document.
local function read_document(version, warnings)
  local document = table_of(version.openapi_schema)
  local schemas = table_of(table_of(document.components).schemas)
  if type(schemas.Input) ~= "table" then
    warnings[#warnings + 1] = "the vendor publishes no schema of its inputs"
    return nil, {}, nil
  end
  local inputs, said = schema.normalize(schemas.Input, document)
  if not inputs then warnings[#warnings + 1] = "the schema of its inputs " .. said end
  for _, warning in ipairs(inputs and said or {}) do warnings[#warnings + 1] = warning end
  local output = type(schemas.Output) == "table" and schema.normalize(schemas.Output, document) or nil
  return inputs, schema.outputs(output), output
end

-- Inputs in words of their own names, as an example shows them; files of an example are gone after an hour.
local function example_of(example)
  local input = table_of(example.input)
  return next(input) ~= nil and input or nil
end

local function brief(model, id, tags)
  local version = table_of(model.latest_version)
  local kind, task = kind_of_tags(tags)
  return {
    id = id, name = id, kind = kind or kind_of_words(id, text_of(model.description)) or "other", task = task, status = "active",
    version = text_of(version.id), description = text_of(model.description), updated_at = text_of(version.created_at),
    source = SITE .. id,
  }
end

local function whole(model, id, known)
  local version, example, warnings = table_of(model.latest_version), table_of(model.default_example), cjson.array {}
  local described = brief(model, id)
  local inputs, outputs, output = read_document(version, warnings)
  local told = known and known.kind ~= "other" and known.kind or nil -- by its tags, which only a search has
  described.kind = told or kind_of_example(example) or kind_of_words(id, described.description)
    or kind_of_schemas(inputs, output)
  described.task = known and known.task or nil
  described.inputs, described.outputs = inputs, outputs
  described.drivers = inputs and schema.drivers(inputs) or nil
  described.example, described.warnings = example_of(example), warnings
  if model.is_official == true then described.limits_in_words = cjson.array { fields.OFFICIAL } end
  return described
end

-- ---- functions of the script -------------------------------------------------------------------------------------------

--- models: only what is asked for by words.
function directory.models(query, ctx)
  local words = text_of(query.text)
  if not words then return { models = cjson.array {}, complete = false } end
  local response, failure = ctx.request {
    path = "/search", query = { query = words, limit = math.min(query.limit or MAX_FOUND, MAX_FOUND) },
  }
  if not requests.is_success(response) then return nil, failure_text(response, failure) end
  local rows = table_of(response.json).models
  if type(rows) ~= "table" then return nil, "the answer is no result of a search" end
  local found = cjson.array {}
  for _, row in ipairs(rows) do
    local model = table_of(table_of(row).model)
    local id = id_of(model)
    if id then found[#found + 1] = brief(model, id, table_of(row.metadata).tags) end
  end
  return { models = found, complete = false }
end

local MISSING = { missing = true }

-- The parts of "owner/name" or "owner/name:version".
local function parts_of(id)
  local owner, name, version = string.match(string.sub(id, 1, 2 * MAX_NAME_BYTES), "^([^/:%s]+)/([^/:%s]+):?(%x*)$")
  if not owner or not url_parts.is_name(owner) or not url_parts.is_name(name) then return nil end
  return owner, name, version ~= "" and version or nil
end

--- describe: "owner/name", its newest version; "owner/name:version", that one, which never changes.
function directory.describe(id, ctx, known)
  local owner, name, version = parts_of(id)
  if not owner then return MISSING end
  if version and known and known.version == version and known.inputs then return known end
  local path = "/models/" .. url_parts.segment(owner) .. "/" .. url_parts.segment(name)
  local response, failure = ctx.request { path = version and path .. "/versions/" .. version or path }
  if response and response.status == 404 then return MISSING end
  if not requests.is_success(response) then return nil, failure_text(response, failure) end
  local answer = response.json
  if type(answer) ~= "table" or not (version and answer.id or answer.name) then return nil, "the answer is no model" end
  if version then answer = { owner = owner, name = name, latest_version = answer } end
  return whole(answer, id, known)
end

return directory
