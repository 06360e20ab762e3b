-- replicate_directory.lua - Replicate's models for the simulator: one, its versions, search, lists, collections, deployments.
--
-- The answers are recorded ones (lua/sim/replicate_documents.lua). A model that was not recorded is there all the same, without a
-- schema, so that any may be run; but the owner `acme` keeps its own private: 404, as for all who may not see it.
local crypto = require "crypto"
local directory = require "sim.directory"
local recorded = require "sim.replicate_documents"
local sim = require "sim.core"

local API = "api.replicate.com"
local REFERENCE = "#/components/schemas/"
-- Whose models are official; those of others need a version.
local OFFICIAL = sim.set("black-forest-labs", "stability-ai", "meta", "google", "google-deepmind", "bytedance", "minimax",
  "kwaivgi", "openai", "ideogram-ai", "recraft-ai", "luma", "wan-video", "anthropic", "prunaai", "runwayml", "pixverse", "qwen",
  "ibm-granite", "deepseek-ai", "leonardoai", "bria", "tencent")
local TAGS = { ["google/nano-banana"] = { "text-to-image", "image-to-image", "image-editing" },
  ["google/nano-banana-pro"] = { "text-to-image", "image-editing" }, ["nightmareai/real-esrgan"] = { "image-upscaling" },
  ["black-forest-labs/flux-dev-lora"] = { "text-to-image" }, ["black-forest-labs/flux-schnell"] = { "text-to-image" } }
local PAGE = 25

local list, by_id = {}, {}

local function add(model)
  local id = model.owner .. "/" .. model.name
  list[#list + 1], by_id[id] = model, model
end

for _, model in ipairs(recorded.models) do add(model) end

local function frame(owner, name, schemas)
  return { url = ("https://replicate.com/%s/%s"):format(owner, name), owner = owner, name = name,
    description = "A simulated model", visibility = "public", github_url = sim.null, paper_url = sim.null, license_url = sim.null,
    run_count = 1, cover_image_url = sim.null, default_example = sim.null, is_official = OFFICIAL[owner] or false,
    latest_version = { id = sim.hash("version", owner, name), created_at = "2026-01-01T00:00:00.000Z", cog_version = "0.14.0",
      openapi_schema = { openapi = "3.0.2", info = { title = "Cog", version = "0.1.0" },
        components = schemas and { schemas = schemas } } } }
end

-- flux-schnell as its page has it: the model that everybody tries first.
local function schnell()
  local function choice(name, default, order)
    return { allOf = sim.array { { ["$ref"] = REFERENCE .. name } }, default = default, ["x-order"] = order }
  end
  local function whole(low, high, default, order)
    return { type = "integer", minimum = low, maximum = high, default = default, ["x-order"] = order }
  end
  local function flag(default, order)
    return { type = "boolean", default = default, ["x-order"] = order }
  end
  local function names(...) return { enum = sim.array { ... }, type = "string" } end
  return { Input = { type = "object", title = "Input", required = sim.array { "prompt" }, properties = {
      prompt = { type = "string", title = "Prompt", ["x-order"] = 0 }, aspect_ratio = choice("aspect_ratio", "1:1", 1),
      num_outputs = whole(1, 4, 1, 2), num_inference_steps = whole(1, 4, 4, 3),
      seed = { type = "integer", nullable = true, ["x-order"] = 4 }, output_format = choice("output_format", "webp", 5),
      output_quality = whole(0, 100, 80, 6), disable_safety_checker = flag(false, 7), go_fast = flag(true, 8),
      megapixels = choice("megapixels", "1", 9) } },
    Output = { type = "array", items = { type = "string", format = "uri" }, title = "Output" },
    aspect_ratio = names("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21"),
    output_format = names("webp", "jpg", "png"), megapixels = names("1", "0.25") }
end
add(frame("black-forest-labs", "flux-schnell", schnell()))

-- Models -------------------------------------------------------------------------------------------------------------------

local made_by_id, made_rows = {}, {}

local function made(request)
  local models, count = directory.made(request)
  for number = #made_rows + 1, count do
    local model = models[number]
    local many = model.task:find("to%-image$")
    local uri = { type = "string", format = "uri" }
    local row = frame(model.owner, model.name, { Input = directory.made_schema(model),
      Output = many and { type = "array", items = uri, title = "Output" } or uri })
    made_rows[number], made_by_id[model.owner .. "/" .. model.name] = row, number
    TAGS[model.owner .. "/" .. model.name] = { model.task }
  end
  return made_rows, count
end

local function problem(status, detail, headers)
  local all = { ["Content-Type"] = "application/problem+json", ["ratelimit-remaining"] = "2999", ["ratelimit-reset"] = "1" }
  for name, text in pairs(headers or {}) do all[name] = text end
  return sim.json(status, { detail = detail, status = status }, all)
end

local function id_of(model) return model.owner .. "/" .. model.name end

local function find(request, id)
  local rows, count = made(request)
  local number = made_by_id[id]
  if directory.is(request, "gone", id) then return nil end
  if by_id[id] or number and number <= count then return by_id[id] or rows[number] end
  local owner, name = id:match("^([^/]+)/(.+)$")
  if owner == "acme" or owner == "sim-lab" or name:find("no%-such") then return nil end
  return frame(owner, name)
end

-- A model as the switches have it; a list's rows are without schemas where `brief`.
local function shown(request, model)
  model = directory.copy(model)
  local version = model.latest_version
  local schemas = sim.given(version) and version.openapi_schema.components and version.openapi_schema.components.schemas
  if schemas and schemas.Input then schemas.Input = directory.spoil(request, schemas.Input, REFERENCE, "Input") end
  if schemas and (directory.on(request, "narrowed") or directory.on(request, "dangling_ref")) then
    version.id = sim.hash("version", id_of(model), "changed") -- another schema is another version
  end
  return model
end

local function get_model(request, arguments)
  local model = find(request, arguments.owner .. "/" .. arguments.name)
  if not model then return problem(404, "Not found.") end
  return sim.json(200, directory.fatten(request, { shown(request, model) }, "description")[1],
    { ["ratelimit-remaining"] = "2999", ["ratelimit-reset"] = "1" })
end

local function get_version(request, arguments)
  local model = find(request, arguments.owner .. "/" .. arguments.name)
  model = model and shown(request, model)
  local version = model and model.latest_version
  if not sim.given(version) or version.id ~= arguments.id then return problem(404, "Not found.") end
  return sim.json(200, version)
end

local function get_versions(request, arguments)
  local model = find(request, arguments.owner .. "/" .. arguments.name)
  if not model then return problem(404, "Not found.") end
  return sim.json(200, { previous = sim.null, next = sim.null, results = sim.array { shown(request, model).latest_version } })
end

-- Searches and lists -------------------------------------------------------------------------------------------------------

local function matching(request, words)
  local found = {}
  local rows, count = made(request)
  for i = 1, #list + count do
    local model = list[i] or rows[i - #list]
    local id = id_of(model)
    local text = id:gsub("[/-]", " ") .. " " .. id .. " " .. table.concat(TAGS[id] or {}, " ")
    if not directory.is(request, "gone", id) and not directory.is(request, "unlisted", id) and
      directory.matches(text, words) then
      found[#found + 1] = model
    end
  end
  return found
end

local function search(request)
  local words, limit = request.query.query or "", math.tointeger(tonumber(request.query.limit or 20))
  if words == "" or not limit or limit < 1 or limit > 50 then return problem(400, "query or limit is not valid") end
  local models = sim.array {}
  for i, model in ipairs(matching(request, words)) do
    if i > limit then break end
    models[i] = { model = shown(request, model), metadata = { generated_description = "(text of the vendor)",
      score = 2 - i / 100, tags = sim.array(directory.copy(TAGS[id_of(model)] or sim.array {})) } }
  end
  return sim.json(200, { query = words, models = directory.fatten(request, models, "notes"),
    collections = recorded.collections, pages = sim.array {} })
end

local function next_url(request, number)
  if directory.on(request, "foreign_next") then return "https://elsewhere.example/v1/models?cursor=cD0y" end
  if directory.on(request, "repeating_cursor") then number = 2 end
  return ("%s/%s/v1/models?cursor=%s"):format(request.base, API, crypto.base64("p=" .. number):gsub("=", "%%3D"))
end

local function page_number(cursor)
  for number = 1, 500 do
    if not cursor or crypto.base64("p=" .. number) == cursor then return number end
  end
end

local function list_models(request)
  local number = page_number(request.query.cursor)
  if not number then return problem(400, "Invalid cursor") end
  local rows, more = directory.page(request, matching(request, ""), number, directory.on(request, "page_size") or PAGE)
  for i, model in ipairs(rows) do rows[i] = shown(request, model) end
  more = more or directory.on(request, "repeating_cursor")
  return sim.json(200, { previous = sim.null, next = more and next_url(request, number + 1) or sim.null,
    results = directory.fatten(request, rows, "description") })
end

local COLLECTIONS = { ["image-editing"] = { "google/nano-banana", "google/nano-banana-pro" },
  ["super-resolution"] = { "nightmareai/real-esrgan" },
  ["text-to-image"] = { "black-forest-labs/flux-schnell", "black-forest-labs/flux-dev-lora" } }

local function get_collection(request, arguments)
  local ids = COLLECTIONS[arguments.slug]
  if not ids then return problem(404, "Not found.") end
  local models = sim.array {}
  for i, id in ipairs(ids) do models[i] = shown(request, by_id[id]) end
  return sim.json(200, { name = arguments.slug:gsub("-", " "), slug = arguments.slug, description = sim.null, models = models })
end

local function list_collections()
  local results = sim.array {}
  for slug in pairs(COLLECTIONS) do
    results[#results + 1] = { name = slug:gsub("-", " "), slug = slug, description = sim.null }
  end
  table.sort(results, function(one, other) return one.slug < other.slug end)
  return sim.json(200, { previous = sim.null, next = sim.null, results = results })
end

local function get_deployment(_, arguments)
  if arguments.owner ~= "acme" then return problem(404, "Not found.") end
  local deployment = directory.copy(recorded.deployment)
  deployment.name = arguments.name
  return sim.json(200, deployment)
end

local REFUSALS = {
  ["401"] = function() return problem(401, "You did not pass a valid authentication token") end,
  ["403"] = function() return problem(403, "You do not have permission to perform this action") end,
  ["429"] = function() return problem(429, "Request was throttled. Your rate limit resets in ~1s.") end,
  ["5xx"] = function() return problem(503, "Service unavailable") end,
}

local function route(method, path, part, handler)
  return { method, path, directory.route("replicate", part, REFUSALS, handler), host = API }
end

--- For lua/sim/replicate.lua. A QUERY comes no further than the simulator's HTTP server, as with many a proxy.
return { official = OFFICIAL, routes = {
  route("GET", "/v1/models", "list", list_models),
  route("QUERY", "/v1/models", "list", function(request)
    local found = sim.array(matching(request, request.body))
    for i, model in ipairs(found) do found[i] = shown(request, model) end
    return sim.json(200, { previous = sim.null, next = sim.null, results = found })
  end),
  route("GET", "/v1/search", "list", search),
  route("GET", "/v1/collections", "list", list_collections),
  route("GET", "/v1/collections/{slug}", "list", get_collection),
  route("GET", "/v1/models/{owner}/{name}", "model", get_model),
  route("GET", "/v1/models/{owner}/{name}/versions", "model", get_versions),
  route("GET", "/v1/models/{owner}/{name}/versions/{id}", "model", get_version),
  route("GET", "/v1/deployments/{owner}/{name}", "model", get_deployment),
} }
