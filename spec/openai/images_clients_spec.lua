-- The clients that people have, as they come from npm: each makes a picture, dry and live, by its own code.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local live = require "spec.support.live"
local npm = require "spec.support.npm"

local KEY = keys.key "maker"
local LIVE = { ["X-Providerd-Dry-Run"] = "false", ["X-Providerd-Max-Cost-Usd"] = "0.1" }

local missing = npm.install(npm.OPENAI)

local function start(simulate, change)
  return live.start { simulate = simulate, hurry = 10, config = function(config)
    config.server.api_keys = { keys.entry("maker") }
    if change then change(config) end
  end }
end

local scene

-- Runs the call, and returns what it printed.
local function run(call, told, environment)
  told.base = told.base or ("http://127.0.0.1:%d%s/v1"):format(scene.host.port, told.live_base and "/live" or "")
  told.key, told.model, told.prompt = told.key or KEY, told.model or "fal/flux", told.prompt or "a cat"
  local quoted = "'" .. exact.encode(told):gsub("'", "'\\''") .. "'"
  local ok, output = npm.node(npm.OPENAI, ("pictures.mjs %s %s"):format(call, quoted), (environment or "") .. " node")
  assert.is_true(ok, output)
  return cjson.decode(output:match("[^\n]*\n?$"))
end

local function pictures(call, told, environment)
  local result = run(call, told, environment)
  assert.is_nil(result.error, exact.encode(result))
  return result.ok
end

local function is_placeholder(picture, width, height)
  assert.same({ width, height, true }, { picture.width, picture.height, picture.whole })
  assert.truthy(picture.texts[1]:find("dry run", 1, true))
end

local function is_made(picture)
  assert.truthy(picture.whole, exact.encode(picture))
  assert.falsy((picture.texts[1] or ""):find("dry run", 1, true))
end

local function live_jobs()
  local count = 0
  for _, job in ipairs(scene.host:get("/api/jobs/list?limit=500", keys.headers "maker").json.tasks) do
    if not job.dry_run then count = count + 1 end
  end
  return count
end

describe("a client as it comes from npm", function()
  if missing then
    pending(missing)
    return
  end

  setup(function() scene = start() end)
  teardown(function() scene:remove() end)

  -- Before each: nothing was paid by what is dry.
  local function costs(count, act)
    local before = scene:paid()
    act()
    assert.equal(before + count, scene:paid())
    assert.equal(scene:paid(), live_jobs())
  end

  describe("openai (Node)", function()
    it("makes a picture: dry, and live by the body", function()
      costs(1, function()
        local dry = pictures("openaiGenerate", { fields = { size = "1536x1024" } })
        is_placeholder(dry.pictures[1], 1536, 1024)
        assert.same({ true, "true" }, { dry.providerd.dry_run, dry.headers["x-providerd-dry-run"] })
        assert.truthy(dry.request_id)
        local asked = { dry_run = false, max_cost_usd = 0.05 }
        local made = pictures("openaiGenerate", { fields = { size = "1024x1024" }, extra = asked })
        is_made(made.pictures[1])
        assert.same({ false, "done" }, { made.providerd.dry_run, made.providerd.status })
        assert.truthy(tonumber(made.headers["x-providerd-cost-usd"]) > 0)
      end)
    end)

    it("makes it by a header, by the base URL and by the environment, which tools without settings have", function()
      costs(3, function()
        is_made(pictures("openaiGenerate", { headers = LIVE, prompt = "by a header" }).pictures[1])
        is_made(pictures("openaiGenerate", { live_base = true, prompt = "by the base" }).pictures[1])
        local environment = "env OPENAI_CUSTOM_HEADERS='X-Providerd-Dry-Run: false\nX-Providerd-Max-Cost-Usd: 0.1'"
        is_made(pictures("openaiGenerate", { prompt = "by the environment" }, environment).pictures[1])
      end)
    end)

    it("streams it", function()
      costs(1, function()
        local dry = pictures("openaiStream", { fields = { partial_images = 2, size = "1024x1024" } })
        assert.equal(1, #dry.events)
        is_placeholder(dry.events[1].picture, 1024, 1024)
        local made = pictures("openaiStream", { headers = LIVE })
        assert.equal("image_generation.completed", made.events[1].type)
        is_made(made.events[1].picture)
      end)
    end)

    it("follows an URL without its key", function()
      costs(1, function()
        for _, headers in ipairs { {}, LIVE } do
          local made = pictures("openaiGenerate", { headers = headers, prompt = "an URL", fields = { response_format = "url" } })
          assert.same({ 200, "image/png" }, { made.pictures[1].status, made.pictures[1].type })
          assert.truthy(made.pictures[1].url:find("signature=", 1, true))
        end
      end)
    end)

    it("edits a picture that it sends as a file", function()
      costs(1, function()
        local path = os.tmpname()
        local file = assert(io.open(path, "wb"))
        local placeholder = scene.host:post("/v1/images/generations",
          { model = "fal/flux", prompt = "a cat", size = "512x512" }, keys.headers "maker")
        file:write((require("spec.support.picture").decode(placeholder.json.data[1].b64_json)))
        file:close()
        local told = { image = path, model = "fal/fal-ai/flux/dev/image-to-image", prompt = "add a hat" }
        assert.is_true(pictures("openaiEdit", told).providerd.dry_run)
        told.headers = LIVE
        is_made(pictures("openaiEdit", told).pictures[1])
        os.remove(path)
      end)
    end)

    it("is told of what cannot be in a way that it understands", function()
      costs(0, function()
        local problem = run("openaiGenerate", { model = "fal/none" }).error
        assert.same({ 404, "model_not_found" }, { problem.status, problem.code })
        problem = run("openaiGenerate", { key = "sk-wrong-0123456789" }).error
        assert.same({ 401, "invalid_api_key" }, { problem.status, problem.code })
      end)
    end)
  end)

  describe("ai (Vercel) with @ai-sdk/openai", function()
    it("makes pictures: dry, and live by headers; several are as many requests at once", function()
      costs(2, function()
        local dry = pictures("aiOpenai", { fields = { size = "1024x1024" } })
        is_placeholder(dry.pictures[1], 1024, 1024)
        assert.equal("true", dry.headers[1]["x-providerd-dry-run"])
        local made = pictures("aiOpenai", { headers = LIVE, fields = { size = "1024x1024", n = 2 } })
        assert.equal(2, #made.pictures)
        for _, picture in ipairs(made.pictures) do is_made(picture) end
      end)
    end)
  end)

  describe("ai (Vercel) with @ai-sdk/openai-compatible", function()
    it("makes pictures: dry, and live by its providerOptions; several are one request", function()
      costs(1, function()
        local dry = pictures("aiCompatible", { fields = { size = "1536x1024" } })
        is_placeholder(dry.pictures[1], 1536, 1024)
        local made = pictures("aiCompatible", { fields = { size = "1024x1024", n = 2 },
          providerOptions = { providerd = { dry_run = false, max_cost_usd = 0.1, seed = 7 } } })
        assert.equal(2, #made.pictures)
        for _, picture in ipairs(made.pictures) do is_made(picture) end
      end)
    end)
  end)

  describe("LangChain's wrapper", function()
    it("makes pictures that it gets as URLs: dry, and live by the base URL and by the environment", function()
      costs(2, function()
        is_placeholder(pictures("langchain", {}).pictures[1], 1024, 1024)
        is_made(pictures("langchain", { live_base = true, prompt = "by the base" }).pictures[1])
        local environment = "env OPENAI_CUSTOM_HEADERS='X-Providerd-Dry-Run: false'"
        is_made(pictures("langchain", { prompt = "by the environment" }, environment).pictures[1])
      end)
    end)
  end)
end)

describe("a client's own retries", function()
  if missing then
    pending(missing)
    return
  end

  after_each(function() scene:remove() end)

  it("of the official SDK wait on for a job that takes long: one payment", function()
    scene = start({ "--job-time", "9000" }, function(config) config.openai = { wait_seconds = 1 } end)
    local made = pictures("openaiGenerate", { headers = LIVE, maxRetries = 10 })
    is_made(made.pictures[1])
    assert.same({ 1, 1 }, { scene:paid(), live_jobs() })
  end)

  it("do not follow a stream that ends in an error, which is told as one", function()
    scene = start { "--fault", "fal:moderated:1" }
    local problem = run("openaiStream", { headers = LIVE }).error
    assert.same({ "moderation_blocked", "image_generation_user_error" }, { problem.code, problem.type }, exact.encode(problem))
    assert.equal(1, live_jobs())
  end)

  it("are told nothing that they repeat when the answer of the vendor was lost", function()
    scene = start { "--fault", "fal:reset_after:1:POST" }
    for _, call in ipairs { "openaiGenerate", "aiOpenai" } do
      local before = scene:paid()
      local problem = run(call, { headers = LIVE, prompt = call }).error
      assert.equal(424, problem.status, exact.encode(problem))
      assert.equal(before + 1, scene:paid())
    end
  end)
end)
