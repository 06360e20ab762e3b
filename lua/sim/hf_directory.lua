-- hf_directory.lua - Hugging Face's models for the simulator: who serves them, a provider's mapping, chat models with prices.
--
-- Rows are documented ones (lua/sim/hf_documents.lua). No token is needed. Without `expand[]` (bracketed) a row has no mapping.
local crypto = require "crypto"
local directory = require "sim.directory"
local recorded = require "sim.hf_documents"
local sim = require "sim.core"

local HUB, ROUTER = "huggingface.co", "router.huggingface.co"
local TASKS = { ["text-to-speech"] = "text-to-speech" }

local function budget(request)
  local free = sim.credential(request, "Bearer") and 1000 or 500
  return { RateLimit = ('"api";r=%d;t=71'):format(free - 11),
    ["RateLimit-Policy"] = ('"fixed window";"api";q=%d;w=300'):format(free) }
end

local function made_row(model)
  local id = ("%s/%s"):format(model.owner, model.name)
  local task = TASKS[model.task] or model.task
  return { _id = sim.hash("hf", id):sub(1, 24), id = id, pipeline_tag = task, inferenceProviderMapping = sim.array { {
    provider = model.number % 2 == 0 and "fal-ai" or "replicate", providerId = id,
    status = model.number % 97 == 0 and "staging" or "live", task = task, type = "single-model" } } }
end

local function rows_of(request)
  local rows = {}
  for _, row in ipairs(recorded.models) do rows[#rows + 1] = row end
  for _, row in ipairs(recorded.served) do rows[#rows + 1] = row end
  local models, count = directory.made(request)
  for number = 1, count do rows[#rows + 1] = made_row(models[number]) end
  return rows
end

local function serves(row, provider)
  for key, entry in pairs(row.inferenceProviderMapping) do
    if key == provider or type(entry) == "table" and entry.provider == provider then return true end
  end
  return provider == "all"
end

local function expands(request)
  for _, value in ipairs(directory.values(request, "expand[]")) do
    if value == "inferenceProviderMapping" then return true end
  end
  return false
end

local function shown(request, row)
  row = directory.copy(row)
  if directory.is(request, "deprecated", row.id) then
    for _, entry in pairs(row.inferenceProviderMapping) do entry.status = "error" end
  end
  if not expands(request) then row.inferenceProviderMapping = nil end
  return row
end

local function fits(request, row)
  local query = request.query
  if directory.is(request, "gone", row.id) or directory.is(request, "unlisted", row.id) then return false end
  if query.inference_provider and not serves(row, query.inference_provider) then return false end
  if query.pipeline_tag and row.pipeline_tag ~= query.pipeline_tag then return false end
  return not query.search or directory.matches(row.id, query.search)
end

local function page_number(cursor)
  for number = 1, 500 do
    if not cursor or crypto.base64("p=" .. number) == cursor then return number end
  end
end

local function link(request, number)
  if directory.on(request, "foreign_next") then return '<https://elsewhere.example/api/models?cursor=cD0y>; rel="next"' end
  if directory.on(request, "repeating_cursor") then number = 2 end
  local kept = {}
  for _, pair in ipairs(request.query_list) do
    if pair.name ~= "cursor" then kept[#kept + 1] = pair.name .. "=" .. pair.value:gsub("/", "%%2F"):gsub(" ", "+") end
  end
  kept[#kept + 1] = "cursor=" .. crypto.base64("p=" .. number):gsub("=", "%%3D")
  return ('<%s/%s/api/models?%s>; rel="next"'):format(request.base, HUB, table.concat(kept, "&"))
end

local function models(request)
  local limit, number = math.tointeger(tonumber(request.query.limit or 1000)), page_number(request.query.cursor)
  if not limit or limit < 1 or not number then return sim.json(400, { error = "Invalid limit or cursor" }) end
  limit = math.min(limit, directory.on(request, "page_size") or 1000)
  local chosen = {}
  for _, row in ipairs(rows_of(request)) do
    if fits(request, row) then chosen[#chosen + 1] = row end
  end
  local rows, more = directory.page(request, chosen, number, limit)
  for i, row in ipairs(rows) do rows[i] = shown(request, row) end
  local headers = budget(request)
  if more or directory.on(request, "repeating_cursor") then headers.Link = link(request, number + 1) end
  return sim.json(200, directory.fatten(request, rows, "cardData"), headers)
end

local function get_model(request, arguments)
  for _, row in ipairs(rows_of(request)) do
    if row.id == arguments.path and not directory.is(request, "gone", row.id) then
      return sim.json(200, shown(request, row), budget(request))
    end
  end
  return sim.json(404, { error = "Repository not found" }, { ["X-Error-Code"] = "RepoNotFound" })
end

local function partner(request, arguments)
  local mapping = arguments.provider == "fal-ai" and directory.copy(recorded.partners) or {}
  for _, row in ipairs(rows_of(request)) do
    for _, entry in pairs(row.inferenceProviderMapping) do
      if entry.provider == arguments.provider and (not request.query.status or entry.status == request.query.status) then
        mapping[entry.task] = mapping[entry.task] or {}
        mapping[entry.task][row.id] = { _id = row._id, providerId = entry.providerId, status = entry.status }
      end
    end
  end
  return sim.json(200, mapping, budget(request))
end

local function chat(request)
  local data = directory.copy(recorded.chat)
  for _, model in ipairs(data) do
    for _, provider in ipairs(model.providers) do
      if provider.pricing then provider.pricing.input = directory.price(request, provider.pricing.input) end
    end
  end
  return sim.json(200, { object = "list", data = data })
end

local function refusal(status, message)
  return function() return sim.json(status, { error = message }) end
end

local REFUSALS = { ["401"] = refusal(401, "Invalid username or password."), ["403"] = refusal(403, "Forbidden"),
  ["429"] = refusal(429, "We had to rate limit your IP."), ["5xx"] = refusal(503, "Service unavailable") }

local function route(path, part, handler, host)
  return { "GET", path, directory.route("hf_inference_endpoints", part, REFUSALS, handler), host = host or HUB, open = true }
end

--- For lua/sim/hf_inference_endpoints.lua.
return { router = ROUTER, routes = {
  route("/api/models", "list", models),
  route("/api/models/{path...}", "model", get_model),
  route("/api/partners/{provider}/models", "list", partner),
  route("/v1/models", "price", chat, ROUTER),
} }
