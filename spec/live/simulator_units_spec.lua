-- The simulator of fal bills by the units that were recorded (spec/contracts/directory.json), and makes what a model makes, also
-- one that it never heard of.
local directory_cases = require "spec.support.directory_cases"
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"

local KEY = { Authorization = "Key id:secret" }

describe("the simulator of fal", function()
  local sim
  setup(function()
    sim = host.start { arguments = { "simulate", "--listen", "127.0.0.1:0", "--job-time", "1" }, config = "" }
  end)
  teardown(function() sim:remove() end)

  local function run(model, input)
    return sim:request("POST", "/fal.run/" .. model, input, KEY)
  end

  local function units_of(model, input)
    local answer = run(model, input)
    assert.equal(200, answer.status, answer.body)
    return answer.headers["x-fal-billable-units"]
  end

  for _, case in ipairs(directory_cases.all()) do
    for _, billed in ipairs(case.vendor == "fal" and case.billed or {}) do
      it(("bills %s units of %s: %s"):format(billed.units, billed.endpoint_id, billed.shows), function()
        local input = directory_cases.as_lua(billed.input, { array = function(list) return list end })
        input.prompt, input.image_url = "x", "https://example.com/a.png"
        assert.near(tonumber(billed.units), tonumber(units_of(billed.endpoint_id, input)), 1e-9)
      end)
    end
  end

  -- Recorded without a case of their own, and those whose product would be another.
  local units = {
    { "fal-ai/flux/schnell", { image_size = "square_hd" }, 1 },
    { "fal-ai/flux/schnell", { image_size = "square", num_images = 3 }, 3 },
    { "fal-ai/flux/dev", { image_size = { width = 1920, height = 1080 } }, 2 },
    { "fal-ai/qwen-image-edit", { image_size = { width = 1376, height = 768 } }, 1 },
    { "fal-ai/kling-video/v3/pro/text-to-video", { duration = "5", generate_audio = false }, 4 },
    { "fal-ai/kling-video/v3/standard/text-to-video", { duration = "5", generate_audio = false }, 3 },
    { "fal-ai/veo3.1", { resolution = "4k" }, 12 }, { "fal-ai/gpt-image-1.5", { quality = "low" }, 0.02 },
    { "fal-ai/ltx-2/text-to-video", { image_size = { width = 1280, height = 720 }, num_frames = 121 }, 112 },
    { "fal-ai/pika/v2.2/text-to-video", { resolution = "1080p", duration = 10 }, 4.5 },
    { "fal-ai/pika/v2.2/pikaframes", { image_urls = { "https://example.com/a.png", "https://example.com/b.png" } }, 5 },
  }
  for index, case in ipairs(units) do
    it(("bills %s units of %s, case %d"):format(case[3], case[1], index), function()
      case[2].prompt = "x"
      assert.near(case[3], tonumber(units_of(case[1], case[2])), 1e-9)
    end)
  end

  it("bills a model that was made up and listed at the price that it lists", function()
    local made = host.start {
      arguments = { "simulate", "--listen", "127.0.0.1:0", "--job-time", "1", "--directory", "fal:models=20" }, config = "",
    }
    local listed = made:request("GET", "/api.fal.ai/v1/models?limit=100&category=text-to-image", nil, KEY).json.models
    local id
    for _, model in ipairs(listed) do id = model.endpoint_id:match("^sim%-lab/.*") or id end
    local answer = made:request("POST", "/fal.run/" .. id, { prompt = "x", num_images = 2 }, KEY)
    made:remove()
    assert.equal("2", answer.headers["x-fal-billable-units"])
  end)

  it("bills nothing of a model without a price", function() assert.is_nil(units_of("somebody/image-model", { prompt = "x" })) end)

  local made = {
    { "somebody/new-video-model", "video", "video/mp4" }, { "minimax/speech-9", "audio", "audio/wav" },
    { "fal-ai/trellis-3", "model_mesh", "model/gltf-binary" }, { "fal-ai/kling-video/v9/text-to-video", "video", "video/mp4" },
    { "fal-ai/esrgan", "images", "image/jpeg" },
  }
  for _, case in ipairs(made) do
    it("makes what a model makes: " .. case[1], function()
      local output = exact.decode(run(case[1], { prompt = "x", duration = 3 }).body)[case[2]]
      local file = output.url and output or output[1]
      assert.equal(case[3], file.content_type)
      local fetched = sim:request("GET", (file.url:gsub("^http://[^/]+", "")))
      assert.same({ 200, case[3] }, { fetched.status, fetched.headers["content-type"] })
    end)
  end

  it("answers a model that speaks with its text", function()
    assert.is_string(exact.decode(run("fal-ai/any-llm", { prompt = "x" }).body).output)
  end)
end)
