-- GET /openapi.json: it says what the router does, and is what OpenAPI 3.1 asks for.
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"
local npm = require "spec.support.npm"
local routes = require "spec.support.routes"

local PATH = "/openapi.json"
local KINDS = { "gpu", "image", "video" }
local METHODS = { get = true, post = true, delete = true, put = true, patch = true }

-- "GET /api/jobs/status/* read": of the router, and of the document with {kind} as each of its values.
local function of_router()
  local rows = {}
  for _, route in ipairs(routes()) do rows[("%s %s %s"):format(route.method, route.pattern, route.role)] = true end
  return rows
end

local function of_document(document)
  local rows = {}
  local function add(method, path, role)
    local pattern = path:gsub("{file}", "**"):gsub("{[%w_]+}", "*")
    rows[("%s %s %s"):format(method:upper(), pattern, role or "nobodys")] = true
  end
  for path, item in pairs(document.paths) do
    for method, operation in pairs(item) do
      assert(METHODS[method], path .. " has " .. method)
      for _, kind in ipairs(path:find "{kind}" and { "image", "video" } or { "" }) do
        add(method, path:gsub("{kind}", kind), operation["x-role"])
      end
    end
  end
  return rows
end

local function each_operation(document, visit)
  for path, item in pairs(document.paths) do
    for method, operation in pairs(item) do visit(operation, method:upper() .. " " .. path) end
  end
end

local function providers_of(served)
  local found = {}
  for _, kind in ipairs(KINDS) do
    local catalog = served:get(("/api/providers/%s/catalog"):format(kind == "gpu" and "gpu/public" or kind)).json
    for _, entry in ipairs(catalog.providers) do found[#found + 1] = { kind = kind, id = entry.id } end
  end
  return found
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

describe("GET /openapi.json", function()
  local served

  setup(function() served = hosts.start() end)
  teardown(function() served:remove() end)

  it("has each route of the router with its role, and no other", function()
    local router, document = of_router(), of_document(served:get(PATH).json)
    for row in pairs(router) do assert.is_true(document[row], row .. " is not in openapi/") end
    for row in pairs(document) do assert.is_true(router[row], row .. " is not in the router") end
  end)

  it("names every part of a path, and has what all operations have in each", function()
    each_operation(served:get(PATH).json, function(operation, name)
      local text = {}
      for _, parameter in ipairs(operation.parameters) do text[#text + 1] = parameter.name or parameter["$ref"] end
      text = table.concat(text, " ")
      for part in name:gmatch "{([%w_]+)}" do
        assert.truthy(text:lower():gsub("_", ""):find(part:lower():gsub("_", ""), 1, true), name .. " lacks " .. part)
      end
      assert.truthy(text:find("XRequestId", 1, true), name)
      assert.truthy(operation.responses["503"], name)
      assert.equal(operation["x-role"] ~= nil or operation.security == nil, operation.responses["401"] ~= nil
        and operation.security == nil, name)
    end)
  end)

  it("is of the host's version, and is kept by who has it", function()
    local answer = served:get(PATH)
    assert.equal(200, answer.status)
    assert.equal(served:get("/healthz").json.version, answer.json.info.version)
    assert.equal(304, served:get(PATH, { ["If-None-Match"] = answer.headers.etag }).status)
    local typed = served:get(PATH .. "?provider=fal")
    assert.equal(304, served:get(PATH .. "?provider=fal", { ["If-None-Match"] = typed.headers.etag }).status)
  end)

  it("has a model's inputs as the body of its provider's submit and preview", function()
    local document = served:get(PATH .. "?provider=fal&model=fal-ai/flux/schnell").json
    local body = document.paths["/api/providers/image/fal/submit"].post.requestBody
    assert.same({ ["$ref"] = "#/components/schemas/Inputs" }, body.content["application/json"].schema)
    assert.truthy(document.paths["/api/providers/image/fal/preview"])
    local schema = document.components.schemas["Inputs_fal-ai_flux_schnell"]
    assert.same({ "prompt", "model" }, schema.required)
    assert.equal("fal-ai/flux/schnell", schema.properties.model.const)
    assert.equal(4, schema.properties.parameters.properties.samples.maximum)
  end)

  it("has those of an operation of a GPU provider, object in object", function()
    local schemas = served:get(PATH .. "?provider=runpod&operation=run").json.components.schemas
    local job = schemas.Inputs_run.properties.job
    assert.same({ "operation", "endpoint_id", "input" }, job.required)
    assert.equal("integer", job.properties.policy.properties.ttl.type)
  end)

  it("says which provider, kind or choice there is not", function()
    for query, status in pairs {
      ["?model=x"] = 400, ["?provider=fal&kind=music"] = 400, ["?provider=nobody"] = 404, ["?provider=luma&kind=gpu"] = 404,
      ["?provider=fal&mode=none"] = 404,
    } do
      assert.equal(status, served:get(PATH .. query).status, query)
    end
  end)

  it("is a valid document, with the inputs of each provider too", function()
    local missing = npm.install(npm.OPENAPI)
    if missing then return pending(missing) end
    local folder = os.getenv "TMPDIR" or "/tmp"
    local files = { folder .. "/any.json" }
    write(files[1], served:get(PATH).body)
    for _, provider in ipairs(providers_of(served)) do
      files[#files + 1] = ("%s/%s-%s.json"):format(folder, provider.kind, provider.id)
      write(files[#files], served:get(("%s?provider=%s&kind=%s"):format(PATH, provider.id, provider.kind)).body)
    end
    assert.is_true(#files > 9)
    local ok, output = npm.node(npm.OPENAPI, "valid.mjs " .. table.concat(files, " "))
    assert.equal("", output)
    assert.is_true(ok)
  end)
end)

describe("GET /openapi.json with API keys", function()
  it("needs none as it is, and one that may read with a query", function()
    local served = hosts.start { config = { server = { threads = 16, api_keys = {
      keys.entry("reader", { may = { "read" } }), keys.entry("writer", { may = { "submit" } }) } } } }
    assert.equal(200, served:get(PATH).status)
    local query = PATH .. "?provider=fal"
    assert.equal(401, served:get(query).status)
    assert.equal(403, served:get(query, keys.headers("writer")).status)
    assert.equal(200, served:get(query, keys.headers("reader")).status)
    served:remove()
  end)
end)

describe("a file of openapi/ that is wrong", function()
  it("means no document, and a host that serves", function()
    local whole = '{ "info": {}, "paths": { "/x": 2 } }'
    for text, what in pairs { ['{ "paths": ['] = "openapi/b.json: ", [whole] = "openapi/b.json: /x stands" } do
      local served = hosts.start { files = { ["openapi/a.json"] = '{ "paths": { "/x": 2 } }', ["openapi/b.json"] = text } }
      local answer = served:get(PATH)
      assert.equal(404, answer.status)
      assert.truthy(answer.json.detail:find(what, 1, true), answer.json.detail)
      assert.equal(200, served:get("/readyz").status)
      served:remove()
    end
  end)
end)
