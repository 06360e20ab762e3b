-- fal.ai asked for videos: the family's words for them, the described models, and any other.
local contract = require "spec.support.contract"
local offline = require "author.offline"

local A, B, C = "https://example.com/a.png", "https://example.com/b.png", "https://example.com/c.png"
local TEXT_TO_VIDEO = "fal-ai/kling-video/v2.5-turbo/pro/text-to-video"
local PICTURE_TO_VIDEO = "fal-ai/kling-video/v2.5-turbo/pro/image-to-video"

describe("fal, asked for a video,", function()
  local provider
  setup(function() provider = contract.load "fal" end)

  local function submit(request, options)
    options = options or {}
    options.kind = options.kind or "video"
    request.prompt = request.prompt == nil and "p" or request.prompt or nil
    return offline.submit(provider, request, nil, options)
  end

  local function warned_fields(answer)
    local fields = {}
    for _, warning in ipairs(answer.warnings) do fields[#fields + 1] = warning.field end
    table.sort(fields)
    return fields
  end

  it("makes one with a known price of a prompt alone", function()
    local answer = submit {}
    assert.equal("https://queue.fal.run/" .. TEXT_TO_VIDEO, answer.upstream.url)
    assert.same({ prompt = "p", duration = "5" }, answer.upstream.json)
    assert.same({ "video", { "model", "duration_seconds" } }, { answer.payload.mode, answer.payload.defaulted })
    assert.same({ 0.35, 0.35, 0.35, 5, "second" }, { answer.estimate.low, answer.estimate.expected, answer.estimate.high,
      answer.estimate.quantity, answer.estimate.unit })
  end)

  -- What is asked for, the model, and what goes out beside the prompt.
  local bodies = {
    { { duration_seconds = 10, aspect_ratio = "9:16" }, TEXT_TO_VIDEO, { duration = "10", aspect_ratio = "9:16" } },
    { { duration = "10s", parameters = { negative_prompt = "blur", guidance_scale = 0.7 } }, TEXT_TO_VIDEO,
      { duration = "10", negative_prompt = "blur", cfg_scale = 0.7 } },
    { { parameters = { init_image = A } }, PICTURE_TO_VIDEO, { duration = "5", image_url = A } },
    { { storyboard = { A, B } }, PICTURE_TO_VIDEO, { duration = "5", image_url = A, tail_image_url = B } },
    { { parameters = { reference_frames = { { url = A }, { image = B } } } }, PICTURE_TO_VIDEO,
      { duration = "5", image_url = A, tail_image_url = B } },
    { { model = TEXT_TO_VIDEO }, TEXT_TO_VIDEO, {} },
    { { model = "fal-ai/veo3.1", duration_seconds = 4, parameters = { resolution = "4K", audio = false } }, "fal-ai/veo3.1",
      { duration = "4s", resolution = "4k", generate_audio = false } },
    { { model = "fal-ai/veo3.1", parameters = { auto_fix = true, enhance = 1 } }, "fal-ai/veo3.1",
      { auto_fix = true, enhance = 1 } },
    { { model = "somebody/else", aspect_ratio = "auto", duration_seconds = 7, parameters = { image = A, fps = "24" } },
      "somebody/else", { aspect_ratio = "auto", duration_seconds = 7, image = A, fps = "24" } },
    { { model = "fal-ai/flux/dev", parameters = { samples = 2 } }, "fal-ai/flux/dev", { num_images = 2 } },
  }
  for index, case in ipairs(bodies) do
    it("says what is asked for in the model's words, case " .. index, function()
      local answer = submit(case[1])
      case[3].prompt = "p"
      assert.is_nil(answer.invalid)
      assert.equal("https://queue.fal.run/" .. case[2], answer.upstream.url)
      assert.same(case[3], answer.upstream.json)
    end)
  end

  local refused = {
    { { duration_seconds = 7 }, "duration_seconds" }, { { duration_seconds = "auto" }, "duration_seconds" },
    { { parameters = { duration = "7s" } }, "parameters.duration" },
    { { model = "fal-ai/veo3.1", parameters = { resolution = "480p" } }, "parameters.resolution" },
    { { parameters = { samples = 2 } }, "parameters.samples" },
    { { parameters = { width = 100, height = 100 } }, "parameters.width" },
    { { model = TEXT_TO_VIDEO, parameters = { image = A } }, "parameters.image" },
    { { storyboard = { A, B, C } }, "storyboard[2]" },
    { { storyboard = { "a castle" } }, "storyboard[0]" },
    { { storyboard = { { url = A, prompt = "x" } } }, "storyboard[0]" },
    { { references = { A } }, "references" },
    { { input = { prompt = "x" }, prompt = false }, "input" },
  }
  for _, case in ipairs(refused) do
    it("refuses what it cannot say: " .. case[2], function()
      local answer = submit(case[1])
      assert.is_nil(answer.invalid)
      assert.same({}, answer.requests)
      assert.equal(case[2], (answer.refusal[1] or answer.refusal).field)
    end)
  end

  for _, case in ipairs {
    { { prompt = false }, "prompt" }, { { mode = "flux" }, "mode" }, { { model = "x" }, "model" },
    { { duration_seconds = -1 }, "duration_seconds" }, { { parameters = { audio = "loud" } }, "parameters.audio" },
    { { parameters = { image = "http://example.com/a.png" } }, "parameters.image" },
  } do
    it("refuses as a bad request: " .. case[2], function() assert.equal(case[2], submit(case[1]).invalid.field) end)
  end

  it("leaves out, with a warning, what only colours a video and the model has not got", function()
    local answer = submit { seed = 3, parameters = { fps = 30, style = "anime" } }
    assert.same({ "parameters.fps", "parameters.style", "seed" }, warned_fields(answer))
    assert.same({ prompt = "p", duration = "5" }, answer.upstream.json)
  end)

  it("shows a request without its picture, and keeps it from going live", function()
    local answer = submit { model = PICTURE_TO_VIDEO }
    assert.same({ prompt = "p" }, answer.upstream.json)
    assert.equal("parameters.init_image", answer.needs[1].field)
  end)

  it("reads a video's model by the words for videos under the kind image, too", function()
    local request = { model = "fal-ai/veo3.1", mode = "flux", prompt = "p", duration_seconds = 4 }
    assert.equal("4s", submit(request, { kind = "image" }).upstream.json.duration)
    assert.equal("a/b", submit({ model = "a/b" }, { kind = "image" }).payload.model)
  end)

  describe("tells its price:", function()
    local VEO = "fal-ai/veo3.1"
    for index, case in ipairs {
      { { model = VEO }, 3.2, 8 }, { { model = VEO, duration = 4, parameters = { generate_audio = false } }, 0.8, 2 },
      { { model = VEO, parameters = { resolution = "4k" } }, 4.8, 12 }, { { duration = 10 }, 0.7, 10 },
    } do
      it("case " .. index, function()
        local estimate = submit(case[1]).estimate
        assert.same({ case[2], case[2], case[3], "2026-11-29" },
          { estimate.expected, estimate.high, estimate.quantity, estimate.as_of })
      end)
    end

    it("none for a model without one", function()
      for _, model in ipairs { PICTURE_TO_VIDEO, "somebody/else" } do
        local answer = submit { model = model, parameters = { image_url = A } }
        assert.is_nil(answer.estimate)
        assert.is_string(answer.estimate_missing)
      end
    end)

    it("the live one, without a bound, of a model of which nothing else is known", function()
      local live = { usd = 0.15, unit = "image", currency = "USD", source = "list", as_of = "2026-11-30" }
      local estimate = submit({ model = "a/b" }, { prices = { ["a/b"] = live } }).estimate
      assert.same({ 0.15, nil, "list" }, { estimate.expected, estimate.high, estimate.source })
      live.unit = "compute second"
      assert.is_nil(submit({ model = "a/b" }, { prices = { ["a/b"] = live } }).estimate)
      live.unit = "second"
      local request = { model = PICTURE_TO_VIDEO, parameters = { image = A } }
      estimate = submit(request, { prices = { [PICTURE_TO_VIDEO] = live } }).estimate
      assert.same({ 0.75, nil, 5 }, { estimate.expected, estimate.high, estimate.quantity })
    end)

    it("the live one before ours, what our own jobs cost before one without a bound", function()
      local live = { usd = 0.08, unit = "second", currency = "USD", source = "list", as_of = "2026-11-30", account = true }
      local estimate = submit({}, { prices = { [TEXT_TO_VIDEO] = live } }).estimate
      assert.same({ 0.4, 0.4, "list", true }, { estimate.expected, estimate.high, estimate.source, estimate.account })
      local jobs = { median = 0.5, maximum = 0.6, count = 3, as_of = "2026-11-30" }
      local model = { inputs = { type = "object", properties = { prompt = {}, duration = {}, resolution = {} } }, kind = "video" }
      local request = { model = "a/b", parameters = { duration = 4 } }
      local options = { prices = { ["a/b"] = live }, models = { ["a/b"] = model } }
      estimate = submit(request, options).estimate
      assert.same({ 0.32, nil, "list" }, { estimate.expected, estimate.high, estimate.source })
      options.observed = { ["a/b"] = jobs }
      estimate = submit(request, options).estimate
      assert.same({ 0.5, 0.6, "observed" }, { estimate.expected, estimate.high, estimate.source })
    end)
  end)
end)
