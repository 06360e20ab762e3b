-- GET /v1/models and /v1/models/{id}: names that OpenAI's clients can ask for.
local hosts = require "spec.support.host"

local function by_id(answer)
  local found = {}
  for _, model in ipairs(answer.json.data) do found[model.id] = model end
  return found
end

describe("GET /v1/models", function()
  local host, models

  setup(function()
    host = hosts.start { config = { openai = { models = {
      ["sora-2"] = "runway/gen4.5", ["gone"] = "nobody/none", ["gpt-image-1"] = "replicate/owner/name", ["dall-e-3"] = "fal",
    } } } }
    models = by_id(host:get("/v1/models"))
  end)
  teardown(function() host:remove() end)

  it("lists modes and models of image and video providers, sorted", function()
    local answer = host:get("/v1/models")
    assert.equal(200, answer.status)
    assert.equal("list", answer.json.object)
    for index = 2, #answer.json.data do assert.is_true(answer.json.data[index - 1].id < answer.json.data[index].id) end
    for id, wanted in pairs {
      ["fal/flux"] = { "fal", "image", "fal-ai/flux/schnell" },
      ["fal/fal-ai/flux/schnell"] = { "fal", "image", "fal-ai/flux/schnell" },
      ["stability/core"] = { "stability", "image", "core" }, ["stability/image-to-image"] = { "stability", "image" },
      ["luma/ray-2"] = { "luma", "video", "ray-2" }, ["luma/photon-1"] = { "luma", "image", "photon-1" },
      ["runway/gen4.5"] = { "runway", "video", "text_to_video/gen4.5" }, ["runway/gen4_image"] = { "runway", "image" },
      ["pika/v2.2/text-to-video"] = { "pika", "video", "v2.2/text-to-video" },
    } do
      local model = models[id]
      assert.truthy(model, id)
      assert.equal("model", model.object)
      assert.equal(1739750400, model.created) -- 2025-02-17, when it was last checked
      assert.equal(wanted[1], model.owned_by)
      assert.equal(wanted[2], model.providerd.kind)
      if wanted[3] then assert.equal(wanted[3], model.providerd.model) end
    end
    assert.equal("$0.003 / megapixel", models["fal/flux"].providerd.pricing)
  end)

  it("lists no GPU provider, nothing that makes sound, and no path with a place to fill in", function()
    for id, model in pairs(models) do
      assert.truthy(model.providerd.kind == "image" or model.providerd.kind == "video", id)
      assert.falsy(id:find("^modal/") or id:find("^hf_"), id)
      assert.falsy(id:find("text_to_speech", 1, true) or id:find("{", 1, true), id)
    end
  end)

  it("has the configuration's names, as what they stand for, if that is there", function()
    assert.equal("runway", models["sora-2"].owned_by)
    assert.same(models["runway/gen4.5"].providerd, models["sora-2"].providerd)
    assert.is_nil(models.gone)
  end)

  it("has them also of models that no script describes, and shows a provider alone, which is its default", function()
    assert.same({ "replicate", "image", "owner/name" },
      { models["gpt-image-1"].owned_by, models["gpt-image-1"].providerd.kind, models["gpt-image-1"].providerd.model })
    assert.equal("fal", models["dall-e-3"].owned_by)
    assert.equal("runway", host:get("/v1/models/runway").json.owned_by)
    for _, name in ipairs { "nobody", "modal", "replicate/owner/name", "fal/flxu" } do
      assert.equal(404, host:get("/v1/models/" .. name).status, name)
    end
  end)

  it("shows one by its id, with slashes or %2F, and below /live", function()
    for _, path in ipairs { "/v1/models/fal/fal-ai/flux/schnell", "/v1/models/fal%2Ffal-ai%2Fflux%2Fschnell",
      "/live/v1/models/fal%2ffal-ai%2fflux%2fschnell" } do
      local answer = host:get(path)
      assert.equal(200, answer.status, path)
      assert.same(models["fal/fal-ai/flux/schnell"], answer.json)
    end
    local answer = host:get("/v1/models/gpt-image-2")
    assert.equal(404, answer.status)
    assert.equal("model_not_found", answer.json.error.code)
    assert.equal("model", answer.json.error.param)
  end)

  it("follows the scripts and the configuration", function()
    local own = hosts.start { scripts = true, config = { server = { threads = 16 } } }
    assert.is_nil(by_id(own:get("/v1/models"))["painter/paint"])
    own:write("providers/painter.lua", [[return { id = "painter", kind = "image", capabilities = {}, pricing = {},
      modes = { { id = "paint" } }, health = function() end, submit = function() end, poll = function() end }]])
    own:eventually(function() return by_id(own:get("/v1/models"))["painter/paint"] end)
    own:write("config/comfyvn.json", '{ "openai": { "models": { "gpt-image-1": "painter/paint" } } }')
    own:eventually(function() return by_id(own:get("/v1/models"))["gpt-image-1"] end)
    assert.equal("painter", own:get("/v1/models/gpt-image-1").json.owned_by)
    own:remove()
  end)

  it("does not repeat what looks like a credential, and takes no path apart that has dots in it", function()
    local answer = host:get("/v1/models/sk-abcdefghijklmnopqrstuvwxyz123456")
    assert.equal(404, answer.status)
    assert.falsy(answer.body:find("abcdefgh", 1, true))
    assert.equal(400, host:get("/v1/models/..%2f..%2fapi%2flive").status)
    assert.equal(400, host:get("/v1/images%2Fgenerations").status)
  end)
end)
