-- A model that no script describes and whose vendor publishes its inputs: OpenAI's fields are put where these are.
local live = require "spec.support.live"

local VIDEO, IMAGE = "fal-ai/kling-video/v2.1/standard/image-to-video", "openai/gpt-image-2"
local URL = "https://example.com/cat.png"

describe("a model of the directory", function()
  local served

  local function known(kind, id)
    served.host:eventually(function()
      local answer = served.host:get(("/api/providers/%s/fal/inputs?model=%s"):format(kind, id))
      return answer.status == 200 and answer.json.choice and answer.json.choice.schema
    end)
  end

  setup(function()
    served = live.start { hurry = 600, config = function(config)
      config.directory = { enabled = true, providers = { fal = { enabled = true } } }
    end }
    known("video", VIDEO)
    known("image", IMAGE)
  end)
  teardown(function() served:remove() end)

  local function post(path, body) return served.host:post("/v1/" .. path, body) end

  it("makes a video of these lengths and no others, of a picture", function()
    local body = { model = "fal/" .. VIDEO, prompt = "it moves", seconds = "5", input_reference = { image_url = URL } }
    local answer = post("videos", body)
    assert.equal(200, answer.status, answer.body)
    local sent = answer.json.providerd.upstream.body
    assert.same({ "5", URL, "it moves" }, { sent.duration, sent.image_url, sent.prompt })
    assert.is_nil(sent.image)
    body.seconds = "7"
    answer = post("videos", body)
    assert.same({ 400, "seconds" }, { answer.status, answer.json.error.param })
    assert.truthy(answer.json.error.message:find("possible: 5, 10", 1, true), answer.json.error.message)
  end)

  it("makes as many images as it says", function()
    local answer = post("images/generations", { model = "fal/" .. IMAGE, prompt = "a cat", n = 3 })
    assert.equal(200, answer.status, answer.body:sub(1, 300))
    assert.equal(3, answer.json.providerd.upstream.body.num_images)
    answer = post("images/generations", { model = "fal/" .. IMAGE, prompt = "a cat", n = 5 })
    assert.same({ 400, "n" }, { answer.status, answer.json.error.param })
  end)

  it("has no sizes in pixels where it says words", function()
    local answer = post("images/generations", { model = "fal/" .. IMAGE, prompt = "a cat", size = "1024x1024" })
    assert.same({ 400, "size" }, { answer.status, answer.json.error.param }, answer.body:sub(1, 300))
    answer = post("images/generations", { model = "fal/" .. IMAGE, prompt = "a cat", image_size = "square_hd" })
    assert.equal("square_hd", answer.json.providerd.upstream.body.image_size)
  end)

  it("is of one kind", function()
    local answer = post("images/generations", { model = "fal/" .. VIDEO, prompt = "a cat" })
    assert.same({ 400, "model" }, { answer.status, answer.json.error.param })
    assert.truthy(answer.json.error.message:find("makes videos", 1, true))
    assert.equal(400, post("videos", { model = "fal/" .. IMAGE, prompt = "a cat" }).status)
  end)
end)
