-- directory.lua - what fal publishes of its models: which there are, what they take, what their units cost.
--
-- Reference: https://api.fal.ai/v1/openapi.json; checked 2026-11-29. Lists and schemas need no key, prices do. An id that fal
-- does not know is an empty list or 404. What a model takes stands below its own path in its document: names of schemas tell
-- nothing.

local requests = require "fal.requests"
local values = require "fal.values"
local http_errors = require "http_errors"
local names = require "names"
local price = require "price"
local price_units = require "price_units"
local schema = require "schema"

local directory = {}

local table_of, text_of = values.table_of, values.text_of

local MODELS_URL = "https://api.fal.ai/v1/models"
local ESTIMATE_URL = "https://api.fal.ai/v1/models/pricing/estimate"
local EXPANSION = "openapi-3.0" -- the parameter is `expand`: one called `expand[]` is ignored
local MAX_IDS, MAX_PAGE = 50, 100
-- What is asked for one by one: prices that fal refuses to tell together, and what calls usually cost. A call of the directory's
-- has eight requests.
local MAX_SINGLE_IDS, MAX_HISTORIES = 4, 3

--- The manifest's `directory`.
directory.DECLARED = { hosts = {}, place = "parameters.", list_seconds = 86400, describe_seconds = 86400, price_seconds = 3600 }

-- Why there is no answer to a question, as text.
local function failure_of(response, failure)
  if not response then return http_errors.failure(failure).message end
  if response.status == 200 then return "the answer is not a list of models" end
  local problem = table_of(table_of(response.json).error)
  return "HTTP " .. response.status .. (text_of(problem.type) and ": " .. problem.type or "")
end

-- ---- lists -------------------------------------------------------------------------------------------------------------

local KIND_OF = {
  audio = "audio", speech = "audio", music = "audio", image = "image", video = "video", ["3d"] = "3d", text = "text",
  json = "json",
}

-- "image-to-video" makes a video. What a description says of that may be another model's.
local function kind_of(category)
  return KIND_OF[string.match(string.sub(category or "", 1, 100), "%-to%-([^-]+)$") or ""] or "other"
end

local function row_of(entry)
  local metadata = table_of(entry.metadata)
  return {
    id = entry.endpoint_id, name = text_of(metadata.display_name), kind = kind_of(text_of(metadata.category)),
    task = text_of(metadata.category), status = metadata.status == "deprecated" and "deprecated" or "active",
    description = text_of(metadata.description), updated_at = text_of(metadata.updated_at), source = MODELS_URL,
  }
end

-- The entries of an answer that have an id with this prefix; nil when it is no list.
local function entries_of(response, prefix)
  local list = response and response.status == 200 and table_of(response.json).models
  if type(list) ~= "table" then return nil end
  local entries = {}
  for _, entry in ipairs(list) do
    local id = text_of(table_of(entry).endpoint_id)
    if id and values.starts_with(id, prefix) then entries[#entries + 1] = entry end
  end
  return entries
end

-- `word` finds the models of a vendor on fal.
local function list_models(query, ctx, prefix, word)
  local limit, text = math.min(query.limit or MAX_PAGE, MAX_PAGE), query.text
  if word then text = text and word .. " " .. text or word end
  local response, failure = ctx.request {
    method = "GET", url = MODELS_URL, query = { limit = limit, cursor = query.cursor, q = text },
  }
  local entries = entries_of(response, prefix)
  if not entries then return nil, failure_of(response, failure) end
  local rows = {}
  for index, entry in ipairs(entries) do rows[index] = row_of(entry) end
  local cursor = text_of(response.json.next_cursor)
  local has_more = response.json.has_more == true and cursor ~= nil
  return { models = rows, next = has_more and cursor or nil, complete = not has_more and response.json.has_more ~= true }
end

-- ---- one model ---------------------------------------------------------------------------------------------------------

-- The schema of what goes in (`method` post) or comes out (get, 200) at a path of a document, or nil.
local function content_at(document, path, method)
  local operation = table_of(table_of(table_of(document.paths)[path])[method])
  local holder = method == "post" and operation.requestBody or table_of(operation.responses)["200"]
  local content = table_of(table_of(holder).content)
  local found = table_of(content["application/json"]).schema
  return type(found) == "table" and found or nil
end

-- Puts what the model's document says into the model.
local function add_schemas(model, document)
  document = table_of(document)
  local refusal = table_of(document.error)
  local input = content_at(document, "/" .. model.id, "post")
  local normal, warnings
  if input then normal, warnings = schema.normalize(input, document) end
  if not normal then
    local why = text_of(refusal.code) or type(warnings) == "string" and warnings or "it is not in the answer"
    model.warnings = { "the schema of its inputs could not be read: " .. why }
    return
  end
  model.inputs, model.warnings, model.drivers = normal, warnings, schema.drivers(normal)
  local output = content_at(document, "/" .. model.id .. "/requests/{request_id}", "get")
  local made = output and schema.normalize(output, document)
  model.outputs = made and schema.outputs(made, model.kind) or nil
end

local function describe(id, ctx)
  local response, failure = ctx.request {
    method = "GET", url = MODELS_URL, query = { endpoint_id = id, expand = EXPANSION },
  }
  if response and response.status == 404 then return { missing = true } end
  local entries = entries_of(response, "")
  if not entries then return nil, failure_of(response, failure) end
  for _, entry in ipairs(entries) do
    if entry.endpoint_id == id then
      local model = row_of(entry)
      add_schemas(model, entry.openapi)
      return model
    end
  end
  return { missing = true }
end

-- ---- prices ------------------------------------------------------------------------------------------------------------

-- A price as fal tells it. Of nothing, or in another currency, it has no `usd`: the host says so, and keeps what was good before.
local function price_of(entry)
  local usd, unit = entry.unit_price, text_of(entry.unit)
  if not price.is_usable { usd = usd, currency = entry.currency } then return { unit_raw = unit } end
  return {
    usd = usd, currency = "USD", unit = price_units.plain(unit), unit_raw = unit, source = requests.PRICING_URL, account = true,
  }
end

-- The prices of up to 50 models, false for those that have none; nil, why, and whether an id among them is not known.
local function ask_prices(ids, ctx)
  local response, failure = ctx.request {
    method = "GET", url = requests.PRICING_URL, query = { endpoint_id = table.concat(ids, ",") },
  }
  local list = response and response.status == 200 and table_of(response.json).prices
  if type(list) ~= "table" then return nil, failure_of(response, failure), response and response.status == 404 end
  local prices = {}
  for _, id in ipairs(ids) do prices[id] = false end
  for _, entry in ipairs(list) do
    local id = table_of(entry).endpoint_id
    if prices[id] ~= nil then prices[id] = price_of(entry) end
  end
  return prices
end

local function ask_prices_singly(ids, ctx)
  local prices = {}
  for index = 1, math.min(#ids, MAX_SINGLE_IDS) do
    local id = ids[index]
    local found, why, is_unknown = ask_prices({ id }, ctx)
    if not found and not is_unknown then return nil, why end
    prices[id] = found and found[id] or false
  end
  return prices
end

-- Units of which no request tells how many there will be.
local IS_OPAQUE = names.set {
  "", "1", "compute second", "unit", "credit", "token", "1000 token", "1m token", "step", "frame", "input second",
}

-- What a call of a model usually costs: an average of fal's, often too low; 0 says that there was none. Or nil.
local function ask_history(id, ctx)
  local response = ctx.request {
    method = "POST", url = ESTIMATE_URL, free = true,
    json = { estimate_type = "historical_api_price", endpoints = { [id] = { call_quantity = 1 } } },
  }
  local answer = response and response.status == 200 and table_of(response.json) or {}
  local usual = { usd = answer.total_cost, currency = answer.currency, source = ESTIMATE_URL }
  return price.is_usable(usual) and usual or nil
end

-- Where somebody asks for the prices of a few; not where many are refreshed together.
local function add_histories(found, asked, ctx)
  if #asked > MAX_HISTORIES then return found end
  for _, id in ipairs(asked) do
    if found[id] and IS_OPAQUE[found[id].unit] then found[id].history = ask_history(id, ctx) end
  end
  return found
end

local function prices(ids, ctx)
  local asked = { table.unpack(ids, 1, math.min(#ids, MAX_IDS)) }
  local found, why, is_unknown = ask_prices(asked, ctx)
  if not found and is_unknown then found, why = ask_prices_singly(asked, ctx) end
  if not found then return nil, why end
  return add_histories(found, asked, ctx)
end

directory.describe, directory.prices = describe, prices

--- The manifest's `models`, for the models whose ids begin with a prefix; `word` finds them among all others.
function directory.models_of(prefix, word)
  return function(query, ctx) return list_models(query, ctx, prefix, word) end
end

return directory
