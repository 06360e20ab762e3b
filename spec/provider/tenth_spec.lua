-- The provider of the authoring guide (docs/examples/image_example.lua), played without a host: what an author can check at
-- the desk.
local offline = require "author.offline"

local EXAMPLE = "docs/examples/image_example.lua"

describe("the guide's example, offline", function()
  local provider
  setup(function() provider = offline.load(EXAMPLE) end)

  it("is one short file", function()
    local lines = 0
    for line in io.lines(EXAMPLE) do
      if line:find("%S") and not line:find("^%s*%-%-") then lines = lines + 1 end
    end
    assert.is_true(lines <= 85, lines .. " lines")
  end)

  it("fills in defaults", function()
    local payload = offline.prepare(provider, { prompt = " a lighthouse " })
    assert.equal("a lighthouse", payload.prompt)
    assert.equal("text-to-image", payload.mode)
    assert.same({ size = "1024x1024", samples = 1 }, payload.parameters)
  end)

  for _, case in ipairs {
    { "prompt", {} }, { "prompt", { prompt = "" } }, { "prompt", { prompt = 7 } }, { "mode", { prompt = "x", mode = "inpaint" } },
    { "parameters", { prompt = "x", parameters = { 1 } } },
    { "parameters.samples", { prompt = "x", parameters = { samples = 5 } } },
    { "parameters.samples", { prompt = "x", parameters = { samples = 1.5 } } },
    { "parameters.seed", { prompt = "x", parameters = { seed = "x" } } },
  } do
    it("refuses bad input by its path: " .. case[1], function()
      local payload, problem = offline.prepare(provider, case[2])
      assert.is_nil(payload)
      assert.equal(case[1], problem.field)
    end)
  end

  it("sends what the vendor wants", function()
    local answer = offline.submit(provider, { prompt = "a lighthouse", parameters = { samples = 2, seed = 7 } })
    assert.equal("POST", answer.upstream.method)
    assert.equal("https://api.example.com/v1/images", answer.upstream.url)
    assert.equal("Bearer {api_key}", answer.upstream.headers.authorization)
    assert.same({ text = "a lighthouse", size = "1024x1024", count = 2, seed = 7 }, answer.upstream.json)
    assert.equal(0.04, answer.estimate.expected)
  end)

  it("refuses a size that is not made, before anything is sent", function()
    local answer = offline.submit(provider, { prompt = "x", parameters = { size = "4096x4096" } })
    assert.is_nil(answer.upstream)
    assert.equal("parameters.size", answer.refusal.field)
  end)

  it("understands the vendor", function()
    local answer = offline.submit(provider, { prompt = "x" }, { { status = 202, json = { id = "e1", state = "waiting" } } })
    assert.same({ id = "e1", status = "queued", state = { usd = 0.02 } }, answer.result)
    local finished = { id = "e1", state = "finished", images = { "https://example.com/1.png" } }
    answer = offline.poll(provider, { id = "e1", state = answer.result.state }, { { status = 200, json = finished } })
    assert.equal("GET", answer.requests[1].method)
    assert.equal("https://api.example.com/v1/images/e1", answer.requests[1].url)
    assert.equal("done", answer.result.status)
    assert.equal("https://example.com/1.png", answer.result.artifacts[1].url)
    assert.same({ usd = 0.02, source = "computed" }, answer.result.cost)
    assert.equal("running", offline.poll(provider, { id = "e1" }, { { status = 200, body = "<html>" } }).result.status)
    answer = offline.poll(provider, { id = "e1" }, { { status = 200, json = { id = "e1", state = "failed" } } })
    assert.equal("error", answer.result.status)
  end)

  it("understands refusals and silence", function()
    local answer = offline.submit(provider, { prompt = "x" }, { { status = 401, json = {} } })
    assert.equal("auth", answer.result.error.code)
    answer = offline.submit(provider, { prompt = "x" }, { { failure = { kind = "connect", message = "refused" } } })
    assert.equal("error", answer.result.status)
    assert.is_true(offline.health(provider, { { status = 200, json = {} } }).result.ok)
  end)
end)
