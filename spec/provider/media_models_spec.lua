-- Images and videos of Replicate and RunPod: requests in the words of the family, and the rows of their models.
local cjson = require "cjson"
local offline = require "author.offline"

local FILES = { replicate = "providers/gpu_replicate.lua", runpod = "providers/gpu_runpod.lua" }
local null = cjson.null

-- Values that must come out as they went in.
local function odd_values()
  local empty = offline.cjson.array {}
  return {
    steps = 7, samples = 3, duration = "5", guidance_scale = 2.5, seed = 9007199254740993, nothing = null, empty = empty,
    flag = false,
    nested = { list = { 1, { deep = null } }, text = " blanks " }, resolution = "640x480", prompt2 = "x",
  }, empty
end

local function refused_fields(answer)
  local refusal = answer.refusal
  if not refusal then return {} end
  local list, found = refusal.field and { refusal } or refusal, {}
  for _, item in ipairs(list) do found[#found + 1] = item.field end
  return found
end

local function fields_of(warnings)
  local found = {}
  for _, warning in ipairs(warnings) do found[warning.field] = warning.message end
  return found
end

for id, file in pairs(FILES) do
  describe("media of " .. id, function()
    local provider, rows
    local UNHEARD_OF = id == "replicate" and "acme/unheard-of" or "unheard-of"
    setup(function()
      provider, rows = offline.load(file), offline.require(id .. ".models").ROWS
    end)

    local function submit(kind, request, options)
      options = options or {}
      options.kind = kind
      return offline.submit(provider, request, options.responses, options)
    end

    it("gives a model that is not described what the user wrote, for images and videos", function()
      for _, kind in ipairs { "image", "video" } do
        local parameters, empty = odd_values()
        local sent = submit(kind, { model = UNHEARD_OF, prompt = " a cat ", parameters = parameters }).upstream.json.input
        assert.equal(" a cat ", sent.prompt)
        assert.equal(empty, sent.empty)
        for name, value in pairs(parameters) do
          assert.same(value, sent[name])
          assert.equal(math.type(value), math.type(sent[name]))
        end
        sent.prompt = nil
        for name in pairs(sent) do assert.is_not_nil(parameters[name], name .. " is nothing that the user wrote") end
      end
    end)

    it("gives a GPU job's input out as it came, whatever the target", function()
      local targets = {
        replicate = {
          { model = "acme/unheard-of" }, { model = "black-forest-labs/flux-schnell" }, { version = string.rep("ab", 32) },
          { model = "acme/x:abc" }, { deployment = "acme/mine" },
        },
        runpod = {
          { endpoint_id = "mine" }, { endpoint_id = "seedream-v4-t2i" }, { endpoint_id = "mine", operation = "runsync" },
        },
      }
      for _, target in ipairs(targets[id]) do
        target.input = odd_values()
        assert.equal(target.input, offline.submit(provider, target).upstream.json.input)
      end
    end)

    it("has a model with a price for a request that names none", function()
      for _, kind in ipairs { "image", "video" } do
        local answer = submit(kind, { prompt = "a cat" })
        local model = answer.fields.model
        assert.equal(kind, rows[model].kind)
        assert.is_true(answer.estimate.expected > 0)
        assert.equal(model, answer.estimate.model)
        assert.is_truthy(answer.estimate.source:find("^https://"))
        assert.is_truthy(answer.estimate.as_of:find("^2026%-"))
        assert.same({ prompt = "a cat" }, answer.upstream.json.input)
      end
    end)

    it("refuses what a row knows to be beyond it under the client's own path, and warns of what it does not know", function()
      local model = { replicate = "black-forest-labs/flux-schnell", runpod = "sora-2-i2v" }
      local request = { model = model[id], prompt = "x", parameters = { brand_new = 1, fps = 3 } }
      local decided = { replicate = { samples = 9 }, runpod = { duration = 5, image = "https://example.com/a.png" } }
      for name, value in pairs(decided[id]) do request.parameters[name] = value end
      local answer = submit("image", request)
      assert.same({ id == "runpod" and "parameters.duration" or "parameters.samples" }, refused_fields(answer))
      local warnings = fields_of(answer.warnings)
      assert.is_truthy(warnings["parameters.brand_new"])
      assert.is_truthy(warnings["parameters.fps"])
      assert.is_nil(answer.estimate)
    end)

    it("has no price for what it does not know", function()
      local answer = submit("image", { prompt = "x", parameters = { brand_new = 1 } })
      assert.equal(1, answer.upstream.json.input.brand_new)
      assert.is_nil(answer.estimate)
      assert.is_truthy(answer.estimate_missing:find("brand_new", 1, true))
      assert.is_nil(submit("image", { model = UNHEARD_OF, prompt = "x" }).estimate)
    end)

    it("is estimated by what jobs of the same kind have cost here, where nobody tells the price", function()
      local asked
      local options = { observed = function(model, drivers)
        asked = { model, drivers }
        return { median = 0.02, maximum = 0.05, count = 4, as_of = "2026-11-29" }
      end }
      local request = { model = UNHEARD_OF, prompt = "x", parameters = { resolution = "720p", duration = 8 } }
      local answer = submit("video", request, options)
      assert.same({ UNHEARD_OF, "duration=8 resolution=720p" }, asked)
      assert.same({ 0.02, 0.05, "observed" }, { answer.estimate.expected, answer.estimate.high, answer.estimate.source })
      asked = nil
      assert.is_nil(submit("image", { prompt = "x", parameters = { brand_new = 1 } }, options).estimate)
      assert.is_nil(asked)
    end)

    it("names the field of what cannot be read", function()
      local wrong = {
        { "prompt", { prompt = 5 } }, { "parameters", { parameters = "x" } }, { "model", { model = {} } },
        { "mode", { mode = "3d" } },
      }
      for _, case in ipairs(wrong) do assert.equal(case[1], submit("image", case[2]).invalid.field) end
    end)

    it("says what it does not read, and what is said twice", function()
      local answer = submit("image", { model = UNHEARD_OF, prompt = "x", parameters = { prompt = "y" }, whatever = 1 })
      assert.same({ "parameters.prompt" }, refused_fields(answer))
      assert.is_truthy(fields_of(answer.warnings).whatever)
      assert.same({ "input" }, refused_fields(submit("image", { input = { prompt = "x" } })))
      local told = submit("video", { prompt = "x", storyboard = { "https://e.example/a.png" } })
      assert.same({ "storyboard" }, refused_fields(told))
    end)

    it("looks at the vendor's own schema where there is one, in the client's names", function()
      local inputs = {
        type = "object", required = { "text" },
        properties = {
          text = { type = "string" }, num_outputs = { type = "integer", minimum = 1, maximum = 2 },
          frames_per_second = { type = "integer" }, images = { type = "array", items = { type = "string" } },
        },
      }
      local options = { models = { [UNHEARD_OF] = { id = UNHEARD_OF, status = "active", inputs = inputs } } }
      local request = {
        model = UNHEARD_OF, prompt = "hello", parameters = { samples = "2", init_image = "https://e.example/a.png" },
      }
      local sent = submit("image", request, options).upstream.json.input
      assert.same({ text = "hello", num_outputs = 2, images = { "https://e.example/a.png" } }, sent)
      request.parameters.samples = 3
      assert.same({ "parameters.samples" }, refused_fields(submit("image", request, options)))
      options.ignore_directory = true
      assert.equal(3, submit("image", request, options).upstream.json.input.num_outputs)
    end)

    it("leaves a word of the family alone where the model has an input of that name", function()
      local number = { type = "integer" }
      local properties = { samples = number, num_outputs = number, steps = number, num_steps = number }
      local inputs = { type = "object", properties = properties }
      local options = { models = { [UNHEARD_OF] = { id = UNHEARD_OF, status = "active", inputs = inputs } } }
      local request = { model = UNHEARD_OF, parameters = { samples = 2, steps = 3 } }
      assert.same({ samples = 2, steps = 3 }, submit("image", request, options).upstream.json.input)
    end)

    it("has rows that its own functions accept: every default, and every value to choose from", function()
      local count = 0
      for model, row in pairs(rows) do
        local needed = {}
        for name, input in pairs(row.inputs) do
          if input.required then
            local text = input.x_file and "https://e.example/a" or "x"
            needed[name] = input.enum and input.enum[1] or input.type == "array" and { text } or text
          end
        end
        for name, input in pairs(row.inputs) do
          local values = { input.default }
          for _, list in ipairs { input.enum or {}, input.examples or {}, { input.minimum, input.maximum } } do
            for _, value in ipairs(list) do values[#values + 1] = value end
          end
          for _, value in ipairs(values) do
            local parameters = { [name] = value }
            for other, filled in pairs(needed) do parameters[other] = parameters[other] or filled end
            local answer = submit(row.kind, { model = model, parameters = parameters })
            assert.same({}, refused_fields(answer))
            assert.same(value, answer.upstream.json.input[name])
            count = count + 1
          end
        end
      end
      assert.is_true(count > 200)
    end)
  end)
end

describe("prices of rows", function()
  local prices
  setup(function() prices = offline.require "row_prices" end)

  -- What the vendor's pages show as the cost of their own examples.
  it("are what RunPod's examples cost", function()
    local rows = offline.require("runpod.models").ROWS
    local examples = {
      { "black-forest-labs-flux-1-dev", { width = 1024, height = 1024 }, 0.02097152 },
      { "black-forest-labs-flux-1-schnell", { width = 1024, height = 1024 }, 0.00251658 },
      { "seedream-v4-t2i", { size = "2048*2048" }, 0.113246 }, { "seedream-v4-edit", { size = "1024*1024" }, 0.028311 },
      { "qwen-image-t2i", { size = "1328*1328" }, 0.035271 }, { "z-image-turbo", { size = "1024*1024" }, 0.005 },
      { "google-nano-banana-2-edit", { resolution = "1k" }, 0.0875 }, { "nano-banana-pro-edit", { resolution = "2k" }, 0.14 },
      { "p-video", { duration = 5, resolution = "720p" }, 0.10 }, { "wan-2-5", { size = "1280*720", duration = 5 }, 0.5 },
      { "wan-2-6-i2v", { size = "1280*720", duration = 5 }, 0.5 }, { "kling-video-o1-r2v", { duration = 5 }, 0.56 },
      { "seedance-v1-5-pro-i2v", { duration = 5, resolution = "720p" }, 0.26 }, { "sora-2-i2v", { duration = 4 }, 0.4 },
      { "sora-2-pro-i2v", { size = "720p", duration = 4 }, 1.2 }, { "infinitetalk", { size = "480p" }, 0.25 },
      { "vidu-q3-t2v", { duration = 5 }, 0.75 }, { "wan-2-2-i2v-720", { duration = 5 }, 0.3 },
    }
    for _, case in ipairs(examples) do
      local figures = assert(prices.figures(rows[case[1]], case[2]))
      assert.is_true(math.abs(figures.expected * figures.usd - case[3]) < 2e-6, case[1])
    end
  end)

  it("are not known where the row does not say", function()
    local rows = offline.require("replicate.models").ROWS
    assert.is_nil(prices.figures(rows["bytedance/seedance-1-lite"], { resolution = "8k" }))
    assert.is_nil(prices.figures(rows["bytedance/seedance-1-lite"], { duration = -1 }))
    assert.is_nil(prices.figures(rows["black-forest-labs/flux-schnell"], { copies = 5 }))
    assert.is_nil(prices.figures(rows["black-forest-labs/flux-2-pro"], { input_images = { "https://e.example/a" } }).high)
    assert.equal(15, prices.figures(rows["bytedance/seedream-4"], { max_images = 15 }).high)
    assert.equal("$0.018 to $0.072 / second", prices.text(rows["bytedance/seedance-1-lite"]))
  end)
end)

describe("a prediction of an official model", function()
  local provider
  setup(function() provider = offline.load "providers/gpu_replicate.lua" end)

  local function ended(request, kind, metrics)
    local starting = { { status = 201, json = { id = "p1", status = "starting" } } }
    local created = offline.submit(provider, request, starting, { kind = kind })
    local job = { id = "p1", state = created.result.state, payload = created.payload }
    local prediction = { id = "p1", status = "succeeded", output = "https://replicate.delivery/a.mp4", metrics = metrics }
    return offline.poll(provider, job, { { status = 200, json = prediction } }).result.cost
  end

  it("costs what came out, at the price of its submit", function()
    local cost = ended({ prompt = "x", parameters = { samples = 4 } }, "image", { image_count = 3, predict_time = 9 })
    assert.same({ usd = 0.009, source = "computed", quantity = 3, unit_usd = 0.003 }, cost)
    local job = { model = "google/veo-3.1-fast", input = { prompt = "x" }, hardware = "gpu-h100", seconds = 60 }
    local metrics = { predict_time = 209.5, video_output_count = 1, video_output_duration_seconds = 8, with_audio = true }
    assert.equal(1.2, ended(job, "gpu", metrics).usd)
  end)

  it("has no computed cost where the metrics are of another price, or are not there", function()
    local job = { model = "google/veo-3.1-fast", input = { prompt = "x" }, hardware = "gpu-h100" }
    assert.is_nil(ended(job, "gpu", { predict_time = 9, video_output_duration_seconds = 8, with_audio = false }))
    assert.is_nil(ended(job, "gpu", { predict_time = 9 }))
  end)

  it("is found again by what was asked for in the words of the family", function()
    local payload = offline.prepare(provider, { prompt = "a cat", parameters = { steps = 2, seed = 5 } }, { kind = "image" })
    local job = { state = {}, payload = payload, submitted_at = "2026-11-25T12:00:00.000Z", claimed = {} }
    local prediction = {
      id = "p9", status = "starting", created_at = "2026-11-25T12:00:01.000Z", model = "black-forest-labs/flux-schnell",
      input = { prompt = "a cat", num_inference_steps = 2, seed = 5 }, webhook = null,
    }
    local list = { { status = 200, json = { results = { prediction } } } }
    local function look() return offline.reconcile(provider, job, list).result end
    assert.equal("p9", look().id)
    prediction.input.seed = 6
    assert.is_false(look().found)
  end)
end)
