-- runpod_directory.lua - RunPod's public endpoints for the simulator: the GraphQL of api.runpod.io, without a key; GPU prices.
--
-- Rows as public clients recorded them: `metadata` is JSON in a text, null, or no JSON at all.
local cjson = require "cjson"
local directory = require "sim.directory"
local sim = require "sim.core"

local GRAPHQL = "api.runpod.io"

local function row(id, api_id, name, title, metadata, updated)
  return { id = id, aiApiId = api_id, modelName = name, displayName = title, description = "(text of the vendor)",
    metadata = type(metadata) == "table" and cjson.encode(metadata) or metadata or sim.null, isLive = true,
    createdAt = "2025-06-01T00:00:00.000Z", updatedAt = updated or "2026-07-27T20:45:41.152Z" }
end

local ROWS = {
  row("cfg_kimi", "moonshot-kimi", "kimi-k3", "Kimi", { cost = 4, owner = "moonshot", source = "language", tag = "text-to-text",
    priceString = "$4.00 per 1m output tokens" }),
  row("cfg_hailuo", "minimax-hailuo-2-3-fast", "minimax/hailuo-2-3", "Hailuo 2.3 Fast", { cost = 0.19, owner = "minimax",
    source = "video", tag = "image-to-video", priceString = "$0.19 per second" }, "2026-05-08T21:16:17.411Z"),
  row("cfg_flux", "black-forest-labs-flux-1-dev", "black-forest-labs/flux-1-dev", "Flux Dev", nil, "2025-06-01T00:00:00.000Z"),
  row("cfg_dead", "legacy-model", "legacy/model", "Legacy Model", "{not json", "2025-02-01T00:00:00.000Z"),
}
ROWS[4].isLive = false

local function made_row(model)
  local from_to = model.task
  local source = from_to:match("to%-(%a+)$")
  return row(("cfg_%04d"):format(model.number), model.name, model.owner .. "/" .. model.name, model.title, { cost = 0.01,
    owner = model.owner, source = source == "speech" and "audio" or source, tag = from_to, priceString = "$0.01 per image" })
end

local function seen(request, one)
  local id = one.aiApiId
  if directory.is(request, "gone", id) or directory.is(request, "unlisted", id) then return nil end
  one = directory.copy(one)
  if directory.is(request, "deprecated", id) then one.isLive = false end
  if directory.on(request, "price_changed") and sim.given(one.metadata) then
    one.metadata = one.metadata:gsub("%$(%d+%.?%d*)", function(usd) return ("$%.2f"):format(tonumber(usd) * 2) end)
  end
  return one
end

local function public_configs(request)
  local rows = sim.array {}
  for _, one in ipairs(ROWS) do rows[#rows + 1] = seen(request, one) end
  local models, count = directory.made(request)
  for number = 1, count do rows[#rows + 1] = seen(request, made_row(models[number])) end
  return directory.fatten(request, rows, "description")
end

local function graphql(request)
  local query = type(request.json) == "table" and request.json.query
  if type(query) ~= "string" then return sim.json(400, { errors = sim.array { { message = "Must provide query string." } } }) end
  if not query:find("allAiApiPublicConfigs", 1, true) then
    return sim.json(200, { errors = sim.array { { message = "Cannot query this field.",
      extensions = { code = "GRAPHQL_VALIDATION_FAILED" } } }, data = sim.null })
  end
  return sim.json(200, { data = { allAiApiPublicConfigs = public_configs(request) } })
end

local BUDGET = { RateLimit = '"minute";r=59;t=12, "hour";r=2800;t=1812, "day";r=49500;t=45012',
  ["RateLimit-Policy"] = '"minute";q=60;w=60, "hour";q=3000;w=3600, "day";q=50000;w=86400' }

--- GET /v2/catalog/gpus: with `include=AVAILABILITY` also what is there.
local function gpus(request)
  local wanted = (request.query.include or ""):find("AVAILABILITY", 1, true)
  local gpu = { id = "NVIDIA GeForce RTX 4090", name = "RTX 4090", pool = "ADA_24", manufacturer = "NVIDIA", memory = 24,
    secure = true, community = true, price = { secure = 0.44, community = 0.31, serverless = directory.price(request, 1.1) },
    maxCount = { secure = 8, community = 4 } }
  if wanted then
    gpu.availability = "HIGH"
    gpu.dataCenters = sim.array { { id = "US-KS-2", name = "US Kansas 2", availability = "HIGH" } }
  end
  return sim.json(200, { gpus = sim.array { gpu } }, BUDGET)
end

-- GraphQL says it in a 200; what stands before it says 429 with a page.
local function refusal(status, message)
  return function(request)
    if request.host == GRAPHQL and request.method == "POST" then
      return sim.json(200, { errors = sim.array { { message = message, extensions = { code = "INTERNAL_SERVER_ERROR" } } },
        data = sim.null })
    end
    return sim.json(status, { title = message, status = status, detail = message },
      { ["Content-Type"] = "application/problem+json" })
  end
end

local REFUSALS = { ["401"] = refusal(401, "Unauthorized"), ["403"] = refusal(403, "Forbidden"),
  ["5xx"] = refusal(503, "Something went wrong"),
  ["429"] = function()
    return sim.bytes(429, "text/html; charset=utf-8", "<html><body><h1>429 Too Many Requests</h1></body></html>")
  end }

--- For lua/sim/runpod.lua.
return { routes = {
  { "POST", "/graphql", directory.route("runpod", "list", REFUSALS, graphql), host = GRAPHQL, open = true },
  { "GET", "/v2/catalog/gpus", directory.route("runpod", "price", REFUSALS, gpus), host = GRAPHQL },
} }
