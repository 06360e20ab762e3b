-- directory.lua - what Runway publishes of its models: the vendor's own OpenAPI file, and which of them an account may use.
--
-- The body of each endpoint there is one of several, told apart by `model`: a model here is ENDPOINT/MODEL. The file is one
-- answer for all of them, so the list brings their schemas along. It has no prices, and it may be ahead of the API.

local cjson = require "cjson"
local http_errors = require "http_errors"
local media = require "schema.media"
local names = require "names"
local runway_models = require "runway.models"
local schema = require "schema"

local directory = {}

local FILE = "https://raw.githubusercontent.com/runwayml/openapi/refs/heads/next/openapi.json"

--- The manifest's `directory`.
directory.DECLARED = {
  hosts = { "raw.githubusercontent.com" }, place = "parameters.", pace_seconds = 3600, list_seconds = 86400,
  describe_seconds = 86400,
}

local function table_of(value)
  return type(value) == "table" and value or {}
end

-- Why there is no answer to a question, as text.
local function failure_of(response, failure)
  if not response then return http_errors.failure(failure).message end
  if response.status == 200 then return "the answer is not an OpenAPI document" end
  return "HTTP " .. response.status
end

-- What a file says that is served as plain text.
local function decoded(response)
  if response.json ~= nil then return response.json end
  local good, document = pcall(cjson.decode, response.body or "")
  return good and document or nil
end

-- The document, its ETag; or true when it is as it was; or nil and why.
local function read_file(ctx, etag)
  local response, failure = ctx.request {
    method = "GET", url = FILE, auth = false, headers = etag and { ["If-None-Match"] = etag } or nil,
  }
  if etag and response and response.status == 304 then return true end
  local document = response and response.status == 200 and table_of(decoded(response))
  if not document or type(document.paths) ~= "table" then return nil, failure_of(response, failure) end
  return document, response.headers.etag
end

-- What comes out where no "to" says it.
local MAKES = { image_upscale = "image", video_upscale = "video", sound_effect = "audio", voice_dubbing = "audio",
  voice_isolation = "audio", character_performance = "video", avatar_videos = "video", video_to_hdr = "video" }

local function kind_of(endpoint)
  return MAKES[endpoint] or media.kind_of_task((string.gsub(endpoint, "_", "-")))
end

-- The alternatives of the body that is posted to a path.
local function bodies_of(path)
  local body = table_of(table_of(table_of(path).post).requestBody)
  local found = table_of(table_of(table_of(body.content)["application/json"]).schema)
  return type(found.oneOf) == "table" and found.oneOf or { found }
end

-- The model that a body is for: the only value that its input of this name takes.
local function model_of(normal)
  local enum = table_of(table_of(table_of(normal).properties).model).enum
  return type(enum) == "table" and enum[2] == nil and type(enum[1]) == "string" and enum[1] or nil
end

local function without_model(normal)
  normal.properties.model = nil
  for index = #table_of(normal.required), 1, -1 do
    if normal.required[index] == "model" then table.remove(normal.required, index) end
  end
  return normal
end

local function as_model(endpoint, id, normal, warnings)
  local row = runway_models.MODELS[endpoint .. "/" .. id]
  return {
    id = endpoint .. "/" .. id, name = row and row.label or id, kind = kind_of(endpoint),
    task = (string.gsub(endpoint, "_", "-")), status = "active", inputs = without_model(normal), warnings = warnings,
    source = FILE,
  }
end

-- Calls `see` with each model of a document, or of one endpoint of it, until that returns true.
local function each_model(document, only, see)
  for _, path in ipairs(names.sorted(document.paths)) do
    local endpoint = string.match(path, "^/v1/([%w_/]+)$")
    if endpoint and (not only or endpoint == only) then
      for _, body in ipairs(bodies_of(document.paths[path])) do
        local normal, warnings = schema.normalize(body, document)
        local id = model_of(normal)
        if id and see(as_model(endpoint, id, normal, warnings), id) then return end
      end
    end
  end
end

-- The models that the account may use, as a set; nil when it does not say.
local function usable_models(ctx)
  local response = ctx.request { method = "GET", path = "/v1/organization" }
  local models = response and response.status == 200 and table_of(table_of(response.json).tier).models
  return type(models) == "table" and models or nil
end

-- What the models that we describe make.
local MADE = {}
for _, row in pairs(runway_models.MODELS) do MADE[row.id] = row.makes end

local NOT_USABLE = "This account may not use it."

--- The manifest's `models`. An account without a key sees the file alone.
function directory.models(query, ctx)
  local document, etag = read_file(ctx, query.etag)
  if document == true then return { unchanged = true } end
  if not document then return nil, etag end
  local usable, models, seen = usable_models(ctx), {}, {}
  each_model(document, nil, function(model, id)
    seen[id] = true
    if usable and not usable[id] then
      model.description, model.limits_in_words = NOT_USABLE, { NOT_USABLE }
    end
    models[#models + 1] = model
  end)
  if #models == 0 then return nil, "the vendor's file has no model that can be read" end
  for _, id in ipairs(names.sorted(usable or {})) do
    if not seen[id] then
      models[#models + 1] = { id = id, name = id, kind = MADE[id] or "other", status = "active", source = FILE }
    end
  end
  return { models = models, complete = true, etag = etag }
end

--- The manifest's `describe`.
function directory.describe(id, ctx, known)
  local endpoint = string.match(id, "^(.+)/[^/]+$")
  if not endpoint then return { missing = true } end
  local document, etag = read_file(ctx, known and known.etag)
  if document == true then return { unchanged = true } end
  if not document then return nil, etag end
  local found
  each_model(document, endpoint, function(model)
    found = model.id == id and model or nil
    return found ~= nil
  end)
  if not found then return { missing = true } end
  found.etag = etag
  return found
end

return directory
