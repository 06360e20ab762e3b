-- directory.lua - what the Hub tells of its models: who serves them, for which task, and what such a model takes.
--
-- https://huggingface.co/docs/inference-providers/hub-api; `expand[]` is bracketed here, and the next page is in a header.

local check = require "check"
local cjson = require "cjson"
local names = require "names"
local tasks = require "hf_inference_endpoints.tasks"
local url_parts = require "url_parts"

local directory = {}

local HUB = "https://huggingface.co"
local EXPAND = "?expand%5B%5D=inferenceProviderMapping&expand%5B%5D=pipeline_tag"
local PAGE = 500 -- the most that the Hub's own client asks for
local MAX_NAMED = 20 -- providers in a description

local function text_of(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- Who serves a model, as a list of { provider =, task =, status = }: the Hub writes a list, or an object by provider.
local function mapping_of(row)
  local mapping, list = row.inferenceProviderMapping, {}
  if type(mapping) ~= "table" then return list end
  for _, key in ipairs(cjson.is_array(mapping) and {} or names.sorted(mapping)) do
    if type(mapping[key]) == "table" then
      local entry = check.copy(mapping[key])
      entry.provider = text_of(entry.provider) or tostring(key)
      list[#list + 1] = entry
    end
  end
  for _, entry in ipairs(cjson.is_array(mapping) and mapping or {}) do
    if type(entry) == "table" and text_of(entry.provider) then list[#list + 1] = entry end
  end
  return list
end

-- A mapping that fails its test is gone for hours, so only what is said counts: `error` is offline, `staging` is that.
local STATUS = { live = "active", staging = "staging", error = "offline" }
local BETTER = { active = 3, staging = 2, offline = 1 }

local function status_of(mapping)
  local best
  for _, entry in ipairs(mapping) do
    local status = STATUS[entry.status]
    if status and (not best or BETTER[status] > BETTER[best]) then best = status end
  end
  return best or "active"
end

local function task_of(row, mapping)
  for _, entry in ipairs(mapping) do
    if text_of(entry.task) then return entry.task end
  end
  return text_of(row.pipeline_tag)
end

local function served_by(mapping)
  local served = {}
  for index, entry in ipairs(mapping) do
    if index > MAX_NAMED then break end
    served[index] = entry.provider
  end
  return #served > 0 and "Served by " .. table.concat(served, ", ") or nil
end

local function model_of(row)
  if type(row) ~= "table" or not text_of(row.id) then return nil end
  local mapping = mapping_of(row)
  local task = task_of(row, mapping)
  return {
    id = row.id, name = row.id, task = task, kind = tasks.kind(task), status = status_of(mapping),
    description = served_by(mapping), source = HUB .. "/" .. row.id,
  }
end

-- Whether an answer is one, and what is wrong with it else.
local function problem_of(response, failure)
  if not response then return failure and failure.message or "no answer" end
  if response.status ~= 200 then return "the Hub answered " .. response.status end
  if type(response.json) ~= "table" then return "the Hub's answer is no JSON" end
end

-- The cursor of the next page, out of the Link header: never another host's.
local function next_cursor(response)
  local link = string.sub(response.headers.link or "", 1, 4096)
  local url = string.match(link, '<([^>]*)>%s*;%s*rel="?next"?')
  local parts = url and url_parts.parse(url)
  if not parts or parts.origin ~= HUB then return nil end
  local cursor = string.match("&" .. (parts.query or ""), "&cursor=([^&]*)")
  return cursor and (string.gsub(cursor, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- A page of the models that some inference provider serves.
function directory.models(query, ctx)
  local response, failure = ctx.request {
    url = HUB .. "/api/models" .. EXPAND,
    query = {
      inference_provider = "all", limit = math.min(query.limit or PAGE, PAGE), search = query.text, cursor = query.cursor,
      pipeline_tag = tasks.of_kind(query.kind),
    },
  }
  local problem = problem_of(response, failure)
  if problem then return nil, problem end
  if not cjson.is_array(response.json) and next(response.json) ~= nil then return nil, "the Hub's answer is no list" end
  local models = cjson.array {}
  for _, row in ipairs(response.json) do models[#models + 1] = model_of(row) end
  local cursor = next_cursor(response)
  return { models = models, next = cursor, complete = cursor == nil }
end

--- One model: who serves it, and the schema of its task.
function directory.describe(id, ctx)
  local owner, name = string.match(string.sub(id, 1, 300), "^([%w%._%-]+)/([%w%._%-]+)$")
  if not owner then return { missing = true } end
  local response, failure = ctx.request {
    url = HUB .. "/api/models/" .. url_parts.segment(owner) .. "/" .. url_parts.segment(name) .. EXPAND,
  }
  if response and response.status == 404 then return { missing = true } end
  local problem = problem_of(response, failure)
  local model = not problem and model_of(response.json)
  if not model then return nil, problem or "the Hub's answer names no model" end
  model.id, model.inputs = id, tasks.schema(model.task)
  if model.inputs then model.limits_in_words = { "one schema for all models of the task, without ranges" } end
  return model
end

return directory
