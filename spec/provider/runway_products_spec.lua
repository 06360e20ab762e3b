-- Runway's products beside the models' endpoints: each is reached by its path as the vendor writes it.
local contract = require "spec.support.contract"
local offline = require "author.offline"

local BASE = "https://api.dev.runwayml.com/v1/"
local IMAGE = { uri = "https://example.com/a.png" }
local ID = "7a8d6c4e-aaaa-4bbb-8ccc-0123456789ab"

describe("runway's products", function()
  local provider
  setup(function() provider = contract.load "runway" end)

  local function submit(request, responses) return offline.submit(provider, request, responses) end

  local function refused(request)
    local answer, by_field = submit(request), {}
    assert.is_nil(answer.invalid)
    assert.is_nil(answer.upstream)
    local list = answer.refusal.field and { answer.refusal } or answer.refusal
    for _, refusal in ipairs(list) do by_field[refusal.field] = refusal end
    return by_field
  end

  -- A request, the path that it goes to, its body.
  local sent = {
    { { model = "generate/video", prompt = "p", duration_seconds = 5, aspect_ratio = "16:9",
      parameters = { configId = "c", seed = 7, input = { audio = true } } }, "generate/video",
      { configId = "c", input = { promptText = "p", duration = 5, aspectRatio = "16:9", seed = 7, audio = true } } },
    { { model = "v1/generate/image", parameters = { configId = "c", samples = 2, input = { promptText = "p" } } },
      "generate/image", { configId = "c", input = { promptText = "p", outputCount = 2 } } },
    { { model = "generate/audio", prompt = "p", parameters = { configId = "c", input = { type = "speech" } } }, "generate/audio",
      { configId = "c", input = { promptText = "p", type = "speech" } } },
    { { model = "/v1/workflows/wf_1", parameters = { nodeOutputs = { a = { b = { type = "primitive", value = 1 } } } } },
      "workflows/wf_1", { nodeOutputs = { a = { b = { type = "primitive", value = 1 } } } } },
    { { model = "workflows/{id}", parameters = { id = "wf_1" } }, "workflows/wf_1", {} },
    { { parameters = { model = "workflows/wf_1" } }, "workflows/wf_1", {} },
    { { model = "uploads", parameters = { filename = "a.png" } }, "uploads", { filename = "a.png", type = "ephemeral" } },
    { { model = "routers", parameters = { slug = "cheap", settings = { x = 1 } } }, "routers",
      { slug = "cheap", settings = { x = 1 } } },
    { { model = "recipes/multi_shot_video", prompt = "p", duration_seconds = 5,
      parameters = { mode = "auto", version = "2026-06", ratio = "1280:720" } }, "recipes/multi_shot_video",
      { prompt = "p", mode = "auto", version = "2026-06", duration = 5, ratio = "1280:720" } },
    { { model = "recipes/product_swap", parameters = { newProductImages = { IMAGE }, originalProductImage = IMAGE,
      referenceVideo = IMAGE, version = "2026-06", resolution = "720p", duration = 5 } }, "recipes/product_swap",
      { newProductImages = { IMAGE }, originalProductImage = IMAGE, referenceVideo = IMAGE, version = "2026-06",
        resolution = "720p", duration = 5 } },
    { { model = "avatars", parameters = { name = "n", personality = "p", referenceImage = IMAGE.uri, voice = { type = "x" } } },
      "avatars", { name = "n", personality = "p", referenceImage = IMAGE.uri, voice = { type = "x" } } },
    { { model = "realtime_sessions", parameters = { model = "gwm1_avatars", avatar = { type = "x" }, maxDuration = 60 } },
      "realtime_sessions", { model = "gwm1_avatars", avatar = { type = "x" }, maxDuration = 60 } },
  }
  for _, case in ipairs(sent) do
    it("are reached by their paths: " .. case[2], function()
      local answer = submit(case[1])
      assert.is_nil(answer.invalid)
      assert.is_truthy(answer.upstream)
      assert.equal(BASE .. case[2], answer.upstream.url)
      assert.same(case[3], answer.upstream.json)
      assert.same({}, answer.warnings)
      assert.is_nil(answer.estimate)
      assert.truthy(answer.estimate_missing:find("price", 1, true))
    end)
  end

  local refusals = {
    { { model = "generate/video", prompt = "p" }, "parameters.configId" },
    { { model = "generate/video", prompt = "p", parameters = { configId = "c", input = { promptText = "q" } } }, "prompt" },
    { { model = "generate/video", prompt = "p", duration = 5, parameters = { configId = "c", input = { duration = 9 } } },
      "duration" },
    { { model = "generate/video", prompt = "p", parameters = { configId = "c", model = "gen4.5" } }, "parameters.model" },
    { { model = "generate/video", prompt = "p", configId = "c", parameters = { configId = "c" } }, "configId" },
    { { model = "generate/video", prompt = "p", parameters = { configId = "c", input = 5 } }, "parameters.input" },
    { { model = "generate/image", prompt = "p", parameters = { configId = "c", input = offline.cjson.array { 1 } } },
      "parameters.input" },
    { { model = "generate/image", prompt = "p", duration = 5, parameters = { configId = "c" } }, "duration" },
    { { model = "uploads", prompt = "p", parameters = { filename = "a" } }, "prompt" },
    { { model = "workflows/x", storyboard = { IMAGE.uri } }, "storyboard" },
    { { model = "workflows/x", image = IMAGE.uri }, "image" },
    { { model = "workflows/{id}" }, "parameters.id" },
    { { model = "recipes/marketing_stock_image", parameters = { version = "2026-06" } }, "prompt" },
  }
  for index, case in ipairs(refusals) do
    it(("are refused with %s before anything is sent, case %d"):format(case[2], index), function()
      assert.is_truthy(refused(case[1])[case[2]])
    end)
  end

  it("take no id that leads elsewhere", function()
    assert.equal("model", submit({ model = "workflows/.." }).invalid.field)
    assert.equal("parameters.model", submit({ parameters = { model = "workflows/.." } }).invalid.field)
    assert.equal("parameters.id", submit({ model = "workflows/{id}", parameters = { id = "../x" } }).invalid.field)
  end)

  -- What nobody describes gets what the user wrote: nothing is renamed, checked or added.
  describe("that are not described", function()
    local PARAMETERS = { steps = "7", resolution = "2K", style = 0.5, prompt = { "x" }, duration = "5s", model = "new_1" }

    it("get the parameters as they are, at the path that the vendor writes", function()
      for model, path in pairs { ["recipes/nothing"] = "recipes/nothing", ["v1/text_to_scene"] = "text_to_scene",
        ["/v1/a/b/c"] = "a/b/c" } do
        local answer = submit { model = model, parameters = PARAMETERS }
        assert.equal(BASE .. path, answer.upstream.url)
        assert.same(PARAMETERS, answer.upstream.json)
        assert.same({ "model", 1 }, { answer.warnings[1].field, #answer.warnings })
        assert.is_nil(answer.estimate)
      end
    end)

    it("and take what stands at the top of the request", function()
      local answer = submit { model = "generate/film", prompt = "p", duration = 5, parameters = { configId = "c" } }
      assert.same({ configId = "c", prompt = "p", duration = 5 }, answer.upstream.json)
    end)

    it("and are no way to another place", function()
      for _, model in ipairs { "v1/../x", "v1/a//b", "v1/a?b", "recipes/..", "v1/a%2f" } do
        assert.equal("model", submit({ model = model }).invalid.field)
      end
    end)

    it("are followed as a task, unless the answer is all there is", function()
      local created = { id = ID, estimatedCost = { credits = 5 } }
      assert.equal("queued", submit({ model = "v1/text_to_scene" }, { { status = 200, json = created } }).result.status)
      local answer = submit({ model = "v1/voices" }, { { status = 200, json = { id = ID, name = "n" } } })
      assert.equal("done", answer.result.status)
    end)
  end)

  it("follow a workflow by its invocation, which cannot be canceled", function()
    local result = submit({ model = "workflows/x" }, { { status = 200, json = { id = ID } } }).result
    assert.same({ ID, "queued" }, { result.id, result.status })
    local job = { id = ID, state = result.state, payload = {} }
    local running = { status = 200, json = { id = ID, status = "RUNNING", progress = 0.5, output = {} } }
    local answer = offline.poll(provider, job, { running })
    assert.equal(BASE .. "workflow_invocations/" .. ID, answer.requests[1].url)
    job.state = answer.result.state
    answer = offline.cancel(provider, job, { running })
    assert.same({ "GET", "running" }, { answer.requests[1].method, answer.result.status })
    assert.equal(1, #answer.requests)
    local output = { b = { "https://x.runwayml.com/2" }, a = { "https://x.runwayml.com/1" } }
    answer = offline.poll(provider, job, { { status = 200, json = { id = ID, status = "SUCCEEDED", output = output } } })
    assert.same({ { url = "https://x.runwayml.com/1" }, { url = "https://x.runwayml.com/2" } }, answer.result.artifacts)
  end)

  it("end at once where the answer is all there is", function()
    local object = { id = "router_1", slug = "cheap" }
    local result = submit({ model = "routers", parameters = { slug = "cheap" } }, { { status = 200, json = object } }).result
    assert.same({ "router_1", "done" }, { result.id, result.status })
    assert.same(object, result.artifacts[1].json)
    result = submit({ model = "routers", parameters = { slug = "cheap" } }, { { status = 200, json = {} } }).result
    assert.equal("error", result.status)
  end)
end)
