-- directory.lua - Stability's own OpenAPI file: the services of v2beta and what their forms hold. One file, no key; it has no
-- prices.

local cjson = require "cjson"
local names = require "names"
local schema = require "schema"

local directory = {}

local FILE = "https://raw.githubusercontent.com/Stability-AI/rest-api-support/main/generated/spec/merged.json"
local ROOT = "/v2beta/stable-image/"

local function form_of(path_item)
  local place = path_item
  for _, name in ipairs { "post", "requestBody", "content", "multipart/form-data", "schema" } do
    if type(place) ~= "table" then return nil end
    place = place[name]
  end
  return type(place) == "table" and place or nil
end

local function model_of(path, form, document)
  local inputs, warnings = schema.normalize(form, document)
  return {
    id = "stable-image/" .. string.sub(path, #ROOT + 1), name = string.sub(path, #ROOT + 1), kind = "image",
    task = string.match(path, "^" .. ROOT:gsub("%-", "%%-") .. "(%w+)"), source = FILE, inputs = inputs,
    warnings = cjson.array(inputs and warnings or { "the form " .. warnings }),
  }
end

-- The file comes as plain text.
local function document_of(response)
  if type(response.json) == "table" then return response.json end
  local ok, document = pcall(cjson.decode, response.body)
  return ok and type(document) == "table" and document or {}
end

--- All services, each with its form.
function directory.models(_, ctx)
  local response, failure = ctx.request { url = FILE, auth = false }
  if not response then return nil, failure.message end
  if response.status ~= 200 then return nil, "the file's host answered " .. response.status end
  local document = document_of(response)
  local paths = document.paths
  if type(paths) ~= "table" then return nil, "the file has no paths" end
  local models = cjson.array {}
  for _, path in ipairs(names.sorted(paths)) do
    local form = string.sub(path, 1, #ROOT) == ROOT and form_of(paths[path])
    if form then models[#models + 1] = model_of(path, form, document) end
  end
  if #models == 0 then return nil, "the file has no services of " .. ROOT end
  return { models = models, complete = true }
end

return directory
