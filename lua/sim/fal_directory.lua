-- fal_directory.lua - fal's Platform API for the simulator: models, their documents, prices, estimates, billing events.
--
-- The rows and documents are recorded ones (lua/sim/fal_documents.lua). A model that is priced and was not recorded gets a
-- document of what it takes (lua/sim/fal_schemas.lua), else one modelled on those of its task; one without a price and without a
-- document cannot be expanded, as at the vendor.
local crypto = require "crypto"
local directory = require "sim.directory"
local recorded = require "sim.fal_documents"
local fal_schemas = require "sim.fal_schemas"
local sim = require "sim.core"

local fal_directory = {}

local API, SITE = "api.fal.ai", "fal.ai"
local CACHE = { ["Cache-Control"] = "public, max-age=0, must-revalidate" }
local REFERENCE = "#/components/schemas/"
local HISTORY = { ["fal-ai/flux/dev"] = 0.0262, ["fal-ai/veo3.1"] = 2.41, ["openai/gpt-image-2"] = 0.047 } -- of a call

local list, by_id, prices = {}, {}, {}

-- Models -------------------------------------------------------------------------------------------------------------------

local function metadata(id, name, category)
  return { display_name = name, category = category, description = "(text of the vendor)", status = "active",
    tags = sim.array {}, updated_at = "2026-10-01T00:00:00Z", is_favorited = false,
    thumbnail_url = "https://v3b.fal.media/files/b/thumb.jpg", model_url = "https://fal.run/" .. id,
    license_type = "commercial", date = "2026-09-01T00:00:00Z", highlighted = false, kind = "inference", pinned = false }
end

local function add(row)
  if by_id[row.endpoint_id] then return end
  list[#list + 1], by_id[row.endpoint_id] = row, row
end

local function guess_category(id)
  return id:match("(%a+%-to%-%a+)") or id:find("pika", 1, true) and "image-to-video" or
    id:find("veo", 1, true) and "text-to-video" or "text-to-image"
end

--- Publishes what the simulator bills by: { [id] = { usd, unit } }. What was recorded stays.
function fal_directory.publish(billed)
  local ids = {}
  for id in pairs(billed) do ids[#ids + 1] = id end
  table.sort(ids)
  for _, id in ipairs(ids) do
    prices[id] = prices[id] or { unit_price = billed[id][1], unit = billed[id][2] }
    add { endpoint_id = id, metadata = metadata(id, id:match("[^/]+/(.+)$"):gsub("[/-]", " "), guess_category(id)) }
  end
end

--- What a model does, as fal calls it ("text-to-image"); nil for one that is not listed.
function fal_directory.category(id)
  local row = by_id[id]
  return row and row.metadata and row.metadata.category
end

for _, row in ipairs(recorded.rows) do add(row) end
for _, price in ipairs(recorded.prices) do
  prices[price.endpoint_id] = price
  add { endpoint_id = price.endpoint_id,
    metadata = metadata(price.endpoint_id, price.endpoint_id:match("[^/]+/(.+)$"), guess_category(price.endpoint_id)) }
end

local function made_row(model)
  local id = ("%s/%s/%s"):format(model.owner, model.name, model.task)
  local row = { endpoint_id = id, metadata = metadata(id, model.title, model.task) }
  return row, id
end

local made_rows, made_by_id = {}, {}

local function find(request, id)
  local made, count = directory.made(request)
  for number = #made_rows + 1, count do
    local row, name = made_row(made[number])
    made_rows[number], made_by_id[name] = row, made[number]
  end
  if by_id[id] then return by_id[id] end
  local model = made_by_id[id]
  return model and model.number <= count and made_rows[model.number] or nil
end

-- A row as the switches have it; nil when it is not to be seen.
local function seen(request, row, in_list)
  local id = row.endpoint_id
  if directory.is(request, "gone", id) or in_list and directory.is(request, "unlisted", id) then return nil end
  row = { endpoint_id = id, metadata = row.metadata }
  if directory.is(request, "deprecated", id) then
    row.metadata = directory.copy(row.metadata or metadata(id, id, "unknown"))
    row.metadata.status = "deprecated"
  end
  return row
end

-- Documents ----------------------------------------------------------------------------------------------------------------

local STEPS = { type = "integer", title = "Num Inference Steps", minimum = 1, maximum = 12, default = 4 }

-- flux/schnell was not recorded: it is flux/dev with fewer steps.
local function schnell()
  local document = directory.copy(recorded.documents["fal-ai/flux/dev"])
  document.components.schemas.FluxDevInput.properties.num_inference_steps = STEPS
  return document
end

local function frame(id, schema, output)
  local post = { responses = {}, requestBody = { required = true,
    content = { ["application/json"] = { schema = { ["$ref"] = REFERENCE .. "Input" } } } } }
  local get = { responses = { ["200"] = { description = "Result of the request.",
    content = { ["application/json"] = { schema = { ["$ref"] = REFERENCE .. "Output" } } } } } }
  return { openapi = "3.0.4", info = { title = "Queue OpenAPI for " .. id, version = "1.0.0" },
    paths = { ["/" .. id] = { post = post }, ["/" .. id .. "/requests/{request_id}"] = { get = get } },
    components = { schemas = { Input = schema, Output = output } } }
end

local function output_of(kind)
  local file = { type = "object", title = "File", required = sim.array { "url" }, properties = { url = { type = "string" } } }
  local name = kind == "image" and "images" or kind == "video" and "video" or "audio"
  local value = kind == "image" and { type = "array", items = file } or file
  return { type = "object", title = "Output", required = sim.array { name }, properties = { [name] = value } }
end

local function document_of(id)
  if recorded.documents[id] then return directory.copy(recorded.documents[id]) end
  if id == "fal-ai/flux/schnell" then return schnell() end
  local model = made_by_id[id]
  if not model and not prices[id] then return nil end
  local task = model and model.task or guess_category(id)
  local known = fal_schemas.of(id)
  local schema = known and directory.copy(known) or directory.made_schema { task = task }
  return frame(id, schema, output_of(task:match("to%-(%a+)$")))
end

local function expanded(request, row)
  local id = row.endpoint_id
  local document = document_of(id)
  if not document then
    return { error = { code = "expansion_failed", message = "Failed to expand the OpenAPI schema" } }
  end
  local path = document.paths["/" .. id]
  local reference = path and path.post.requestBody.content["application/json"].schema["$ref"] or REFERENCE .. "Input"
  local name = reference:sub(#REFERENCE + 1)
  local schemas = document.components.schemas
  if schemas[name] then
    schemas[name] = directory.spoil(request, schemas[name], REFERENCE, name)
  end
  return document
end

-- GET /v1/models -----------------------------------------------------------------------------------------------------------

local function problem(status, kind, message)
  return sim.json(status, { error = { type = kind, message = message } })
end

local function expands(request)
  for _, value in ipairs(directory.values(request, "expand")) do
    if value == "openapi-3.0" then return true end
  end
  return false
end

local function answer_with(request, rows, more, cursor)
  if expands(request) then
    for _, row in ipairs(rows) do row.openapi = expanded(request, row) end
  end
  return sim.json(200, { models = directory.fatten(request, rows, "notes"), has_more = more, next_cursor = cursor or sim.null },
    CACHE)
end

local function by_ids(request, ids)
  local rows = sim.array {}
  if #ids > 50 then return problem(400, "validation_error", "endpoint_id: at most 50") end
  for _, id in ipairs(ids) do
    local row = find(request, id)
    rows[#rows + 1] = row and seen(request, row, false)
  end
  return answer_with(request, rows, false)
end

local function fits(query, row)
  local about = row.metadata or {}
  if query.category and about.category ~= query.category or query.status and about.status ~= query.status then return false end
  return not query.q or directory.matches(row.endpoint_id .. " " .. (about.display_name or ""), query.q)
end

local function chosen_rows(request)
  local rows = {}
  local _, count = directory.made(request)
  find(request, "")
  for i = 1, #list + count do
    local row = seen(request, list[i] or made_rows[i - #list], true)
    if row and fits(request.query, row) then rows[#rows + 1] = row end
  end
  return rows
end

-- The page that a cursor is of: base64 of its number, with or without padding.
local function page_number(cursor)
  if not cursor then return 1 end
  for number = 1, 200 do
    if crypto.base64(tostring(number)):gsub("=", "") == cursor:gsub("=", "") then return number end
  end
end

local function next_cursor(request, number)
  if directory.on(request, "foreign_next") then return "https://elsewhere.example/v1/models?cursor=Mg" end
  if directory.on(request, "repeating_cursor") then return "Mg" end
  return (crypto.base64(tostring(number)):gsub("=", ""))
end

local function models(request)
  local ids = directory.values(request, "endpoint_id")
  if #ids > 0 then return by_ids(request, ids) end
  local number = page_number(request.query.cursor)
  local limit = request.query.limit and math.tointeger(tonumber(request.query.limit)) or 100
  if not number or not limit or limit < 1 or limit > 100 then
    return problem(400, "validation_error", "cursor or limit is not valid")
  end
  -- the server's own page size: smaller with the documents
  limit = math.min(limit, directory.on(request, "page_size") or expands(request) and 10 or 100)
  local rows, more = directory.page(request, chosen_rows(request), number, limit)
  more = more or directory.on(request, "repeating_cursor") or false
  return answer_with(request, rows, more, more and next_cursor(request, number + 1))
end

-- The older way: one document, of the site itself.
local function document(request)
  local id = request.query.endpoint_id or ""
  local row = find(request, id)
  local found = row and not directory.is(request, "gone", id) and expanded(request, row)
  if not found or found.error then return sim.json(404, { detail = "Not Found" }) end
  return sim.json(200, found)
end

-- Prices -------------------------------------------------------------------------------------------------------------------

-- Of a model that was made up and listed, too.
local function price_of(id)
  local model = made_by_id[id]
  return prices[id] or model and { unit_price = 0.01 + model.number % 50 / 1000,
    unit = model.task:find("to%-video$") and "seconds" or model.task:find("speech") and "1000 characters" or "images" }
end

--- What a unit of the model costs, and what the unit is called; nil when there is no price.
function fal_directory.price(id)
  local price = price_of(id)
  if price then return price.unit_price, price.unit end
end

local function price_row(request, id)
  local price = (prices[id] or find(request, id)) and price_of(id)
  if not price or directory.is(request, "gone", id) then return nil end
  local usd, currency = directory.price(request, price.unit_price)
  return { endpoint_id = id, unit_price = usd, unit = price.unit, currency = currency }
end

local function pricing(request)
  local ids, rows = directory.values(request, "endpoint_id", ","), sim.array {}
  if #ids == 0 or #ids > 50 then return problem(400, "validation_error", "endpoint_id: 1 to 50") end
  for _, id in ipairs(ids) do rows[#rows + 1] = price_row(request, id) end
  return sim.json(200, { next_cursor = sim.null, has_more = false, prices = directory.fatten(request, rows, "notes") }, CACHE)
end

local function estimate(request)
  local body = type(request.json) == "table" and request.json or {}
  local total, history = 0, body.estimate_type == "historical_api_price"
  if not history and body.estimate_type ~= "unit_price" or type(body.endpoints) ~= "table" then
    return problem(400, "validation_error", "estimate_type or endpoints is not valid")
  end
  for id, wanted in pairs(body.endpoints) do
    local price = price_row(request, id)
    if not price then return problem(404, "not_found", "Resource not found") end
    if history then
      total = total + (HISTORY[id] or 0) * (wanted.call_quantity or 1)
    else
      total = total + price.unit_price * (wanted.unit_quantity or 1)
    end
  end
  return sim.json(200, { estimate_type = body.estimate_type, total_cost = total, currency = "USD" }, CACHE)
end

-- Billing ------------------------------------------------------------------------------------------------------------------

--- An ADMIN key is one that says so: any other is refused, as the vendor refuses it.
local function refuse_user(request)
  local key = sim.credential(request, "Key") or ""
  if not key:lower():find("admin", 1, true) then
    return problem(403, "authorization_error", "This endpoint needs an ADMIN key")
  end
end

local function event_of(job, now)
  local bill = sim.bill(job, now)
  local price = bill and job.units and price_of(job.model)
  if not price or not sim.ended(job, now) or bill == 0 then return nil end
  return { request_id = job.id, endpoint_id = job.model, timestamp = sim.iso(job.ends, true), output_units = job.units,
    unit_price = price.unit_price, percent_discount = sim.null, cost_subtotal = bill, cost_discount = 0, cost_total = bill,
    cost_estimate_nano_usd = math.floor(bill * 1e9 + 0.5) }
end

local function billing_events(request)
  local refusal = refuse_user(request)
  if refusal then return refusal end
  local events, wanted = sim.array {}, directory.values(request, "request_id", ",")
  for _, id in ipairs(wanted) do
    local job = sim.job("fal", id) or sim.job("pika", id)
    events[#events + 1] = job and event_of(job, request.now)
  end
  return sim.json(200, { billing_events = events, next_cursor = sim.null, has_more = false })
end

local function billing()
  return sim.json(200, { username = "my-team", credits = { current_balance = 24.5, currency = "USD" } })
end

-- Routes -------------------------------------------------------------------------------------------------------------------

local REFUSALS = {
  ["401"] = function() return problem(401, "authorization_error", "Authentication required") end,
  ["403"] = function() return problem(403, "authorization_error", "Access denied") end,
  ["429"] = function() return problem(429, "rate_limited", "Rate limit exceeded") end,
  ["5xx"] = function() return problem(503, "server_error", "Service unavailable") end,
}

local function part_of(request)
  return request.query.endpoint_id and "model" or "list"
end

local function route(method, path, part, handler, host)
  return { method, path, directory.route("fal", part, REFUSALS, handler), host = host or API, open = part ~= "price" }
end

--- For lua/sim/fal.lua. Models and documents need no key, all else does.
fal_directory.site = SITE
fal_directory.routes = {
  route("GET", "/v1/models", part_of, models),
  route("GET", "/v1/models/pricing", "price", pricing),
  route("POST", "/v1/models/pricing/estimate", "price", estimate),
  route("GET", "/v1/models/billing-events", "price", billing_events),
  route("GET", "/api/openapi/queue/openapi.json", "model", document, SITE),
  { "GET", "/v1/account/billing", billing, host = API },
}

return fal_directory
