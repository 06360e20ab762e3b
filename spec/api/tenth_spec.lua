-- Proves "a new provider is one file": the example of the authoring guide is dropped into a running host's providers/, and
-- catalogue, health, submit, poll, generate, registry, flags and credentials work with it, without a restart. Then it is taken
-- away again.
local cjson = require "cjson"
local hosts = require "spec.support.host"

local EXAMPLE = "docs/examples/image_example.lua"
local CATALOG = "/api/providers/image/catalog"
local FOLDER = "/api/providers/image/example"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

describe("a tenth provider", function()
  local host

  -- The operator's word for the variable: a script alone may not read the environment.
  local CONSENT = { providers = { example = { credentials = { env = { "EXAMPLE_API_KEY" } } } } }

  setup(function()
    host = hosts.start { scripts = true, env = { EXAMPLE_API_KEY = "ex_0123456789" }, config = { live = CONSENT } }
  end)
  teardown(function() host:remove() end)

  local function entry()
    for _, provider in ipairs(host:get(CATALOG).json.providers) do
      if provider.id == "example" then return provider end
    end
  end

  it("is not there before", function()
    assert.is_nil(entry())
    assert.equal(404, host:post(FOLDER .. "/submit", { prompt = "x" }).status)
  end)

  it("passes lint", function()
    local code, out = hosts.run { "lint", EXAMPLE }
    assert.equal(0, code)
    assert.matches("ok: image provider 'example'", out)
  end)

  it("appears in the catalogue once its file is saved", function()
    local before = #host:get(CATALOG).json.providers
    host:write("providers/image_example.lua", read(EXAMPLE))
    local found = host:eventually(entry)
    assert.equal(before + 1, #host:get(CATALOG).json.providers)
    assert.equal("Example Images", found.name)
    assert.same({ "example.com" }, found.aliases)
    assert.same({ "EXAMPLE_API_KEY" }, found.env_keys)
    assert.is_true(found.credentials.present)
    assert.equal("enable_public_image_providers", found.feature.feature)
    assert.equal(0.02, found.pricing.usd)
    assert.equal("https://example.com/pricing", found.pricing_url)
    assert.same({ "512x512", "1024x1024" }, found.capabilities.sizes)
    assert.equal("providers/image_example.lua", found.script.file)
    assert.is_nil(host:get(CATALOG).body:find("ex_0123456789", 1, true))
  end)

  it("answers health", function()
    local answer = host:post(FOLDER .. "/health", {})
    assert.equal(200, answer.status)
    assert.equal("https://api.example.com/v1/account", answer.json.upstream.url)
    assert.is_true(answer.json.dry_run)
    assert.is_false(answer.json.execution_allowed)
    answer = host:post(FOLDER .. "/health", { config = { api_key = "odd" } })
    assert.matches("create one at https://example%.com/keys", table.concat(answer.json.warnings, "\n"))
  end)

  it("submits, and the registry knows the job", function()
    local answer = host:post(FOLDER .. "/submit", { prompt = "a lighthouse", parameters = { samples = 3 } })
    assert.equal(200, answer.status, answer.body)
    local json = answer.json
    assert.equal("mock-example-1", json.id)
    assert.equal("POST", json.upstream.method)
    assert.equal("Bearer {api_key}", json.upstream.headers.Authorization or json.upstream.headers.authorization)
    assert.same({ text = "a lighthouse", size = "1024x1024", count = 3 }, json.upstream.body)
    assert.equal(0.06, json.estimates.estimated_cost_usd)
    local task = host:get("/api/jobs/status/" .. json.job_id).json
    assert.equal("example", task.provider)
    assert.equal("public.image.submit", task.kind)
    assert.equal(json.job_id, host:post(FOLDER .. "/poll", { job_id = json.job_id }).json.job_id)
    assert.equal(1, #host:get("/api/jobs/list?provider=example.com").json.tasks)
  end)

  it("is reached by alias and by generate", function()
    assert.equal(200, host:post("/api/providers/image/EXAMPLE.com/submit", { prompt = "x" }).status)
    local answer = host:post("/api/providers/image/generate", { provider = "example", prompt = "x" })
    assert.equal(200, answer.status)
    assert.equal("example", answer.json.provider)
    assert.equal("done", host:post(FOLDER .. "/poll", {}).json.status)
  end)

  it("refuses bad input by its path, and what the vendor lacks before it is sent", function()
    local answer = host:post(FOLDER .. "/submit", { prompt = "x", parameters = { samples = 9 } })
    assert.equal(400, answer.status)
    assert.equal("parameters.samples", answer.json.errors[1].path)
    answer = host:post(FOLDER .. "/submit", { prompt = "x", parameters = { size = "9x9" } })
    assert.equal(200, answer.status)
    assert.matches("parameters%.size: .*512x512, 1024x1024", table.concat(answer.json.warnings, "\n"))
    assert.not_equal("table", type(answer.json.upstream))
  end)

  it("obeys the flag of its kind", function()
    host:write("config/comfyvn.json", cjson.encode { features = { enable_public_image_providers = true },
      server = { threads = 16 }, live = CONSENT })
    host:eventually(function() return entry().execution_allowed end)
    assert.is_true(host:post(FOLDER .. "/submit", { prompt = "x" }).json.ok)
  end)

  it("serves a second kind once its file says so, under that kind's flag", function()
    local video = "/api/providers/video/example/submit"
    assert.equal(404, host:post(video, { prompt = "x" }).status)
    host:write("providers/image_example.lua",
      (read(EXAMPLE):gsub('kind = "image",', 'kind = "image", kinds = { "image", "video" },', 1)))
    host:eventually(function() return host:post(video, { prompt = "x" }).status == 200 end)
    local json = host:post(video, { prompt = "x" }).json
    assert.same({ "mock-example-1", "video", "enable_public_video_providers", false },
      { json.id, json.kind, json.feature.feature, json.ok })
    assert.equal("public.video.submit", host:get("/api/jobs/status/" .. json.job_id).json.kind)
    assert.equal(200, host:post("/api/providers/video/generate", { provider = "example.com", prompt = "x" }).status)
    assert.is_true(host:post(FOLDER .. "/submit", { prompt = "x" }).json.ok)
    local listed = {}
    for i, provider in ipairs(host:get("/api/providers/video/catalog").json.providers) do
      listed[i] = provider.id
      listed[provider.id] = provider
    end
    assert.same({ "luma", "pika", "runway" }, { table.unpack(listed, 1, 3) }) -- whose own kind it is come first
    assert.same({ "video", { "image", "video" } }, { listed.example.kind, listed.example.kinds })
  end)

  it("is gone with its file", function()
    host:delete("providers/image_example.lua")
    host:eventually(function() return entry() == nil end)
    assert.equal(404, host:post(FOLDER .. "/submit", { prompt = "x" }).status)
    assert.equal(200, host:post("/api/providers/image/fal/submit", { prompt = "x" }).status)
  end)
end)
