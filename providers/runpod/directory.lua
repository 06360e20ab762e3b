-- directory.lua - which models RunPod hosts itself: one question to its GraphQL, which needs no key and costs nothing.
--
-- There is no address for one model, and no schema of what it takes (ours are in image_models.lua and video_models.lua). A price
-- is a sentence: it is shown, and never multiplied. What a call cost is in its output.

local cjson = require "cjson"
local http_errors = require "http_errors"
local media = require "schema.media"

local directory = {}

local URL = "https://api.runpod.io/graphql"
local QUERY = "query { allAiApiPublicConfigs { "
  .. "id aiApiId modelName displayName description metadata isLive createdAt updatedAt } }"
local PAGES = "https://console.runpod.io/hub/playground/"

local MAX_ID_BYTES, MAX_METADATA_BYTES = 200, 65536

local KINDS = { language = "text", image = "image", video = "video", audio = "audio" }

local function text_of(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- The metadata of a row: an object in a text, which may be missing or broken.
local function metadata_of(row)
  local text = text_of(row.metadata)
  if not text or #text > MAX_METADATA_BYTES then return {} end
  local ok, value = pcall(cjson.decode, text)
  return ok and type(value) == "table" and value or {}
end

local function price_of(metadata)
  local words = text_of(metadata.priceString)
  return words and { text = words, unit_raw = words, settled_by = "output.cost", source = URL, account = false } or nil
end

-- What the vendor says of a model; its price is part of it, since it is a sentence.
local function words_of(row, price)
  local words = text_of(row.description)
  if not price then return words end
  return words and words .. " (" .. price.text .. ")" or price.text
end

local function model_of(row)
  local id = text_of(row.aiApiId)
  if not id or #id > MAX_ID_BYTES or not string.find(id, "^[%w._-]+$") then return nil end
  local metadata = metadata_of(row)
  local kind = KINDS[metadata.source] or media.kind_of_task(metadata.tag)
  local price = price_of(metadata)
  return {
    id = id, name = text_of(row.displayName) or text_of(row.modelName) or id, kind = kind, task = text_of(metadata.tag),
    status = row.isLive == false and "offline" or "active", description = words_of(row, price),
    updated_at = text_of(row.updatedAt), price = price,
    source = (kind == "image" or kind == "video") and PAGES .. kind .. "/" .. id or "https://console.runpod.io/hub",
  }
end

-- The rows of the vendor's answer; nil and why not. Errors come inside a 200, a wall of HTML with 429.
local function rows_of(ctx)
  local response, failure = ctx.request { method = "POST", url = URL, json = { query = QUERY }, auth = false, free = true }
  if not response or response.status < 200 or response.status > 299 then
    return nil, http_errors.result(response, failure).error.message
  end
  local json = response.json
  if type(json) ~= "table" then return nil, "the answer is no JSON" end
  local rows = type(json.data) == "table" and json.data.allAiApiPublicConfigs
  if type(rows) == "table" then return rows end
  local first = type(json.errors) == "table" and json.errors[1]
  local said = type(first) == "table" and http_errors.safe_text(first.message)
  return nil, said and "the vendor says: " .. said or "the answer has no list of models"
end

--- models: all of them, in one page.
function directory.models(_, ctx)
  local rows, failure = rows_of(ctx)
  if not rows then return nil, failure end
  local models, seen = cjson.array {}, {}
  for _, row in ipairs(rows) do
    local model = type(row) == "table" and model_of(row)
    if model and not seen[model.id] then
      models[#models + 1], seen[model.id] = model, true
    end
  end
  if #rows > 0 and #models == 0 then return nil, "the list has no model in it that can be read" end
  return { models = models, complete = true }
end

return directory
