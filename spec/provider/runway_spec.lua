-- What the recorded contract of Runway cannot say: bad input, refusals, warnings, prices, and the care that a paid output needs.
local offline = require "author.offline"

local TASK = "17f20503-6c24-4c16-946b-35dbbce2af2f"
local IMAGE = "https://example.com/a.jpg"

describe("runway", function()
  local provider
  setup(function() provider = offline.load("providers/video_runway.lua") end)

  local function submit(request, responses, options) return offline.submit(provider, request, responses, options) end

  local function body_of(request)
    local answer = submit(request)
    assert.is_truthy(answer.upstream, answer.refusal and answer.refusal[1].message or answer.invalid and answer.invalid.message)
    return answer.upstream.json, answer
  end

  local function refused(request)
    local answer = submit(request)
    assert.is_nil(answer.upstream)
    assert.is_nil(answer.invalid and answer.invalid.message)
    local by_field = {}
    for _, refusal in ipairs(answer.refusal) do by_field[refusal.field] = refusal end
    return by_field
  end

  local function warned(answer)
    local by_field = {}
    for _, warning in ipairs(answer.warnings) do by_field[warning.field] = warning.message end
    return by_field
  end

  describe("bad input", function()
    local cases = {
      { "no prompt", {}, "prompt" },
      { "an empty prompt", { prompt = "  " }, "prompt" },
      { "a prompt that is no text", { prompt = { "a" } }, "prompt" },
      { "an unknown mode", { prompt = "p", mode = "hologram" }, "mode" },
      { "parameters that are no object", { prompt = "p", parameters = "x" }, "parameters" },
      { "a length in words", { prompt = "p", duration_seconds = "long" }, "duration_seconds" },
      { "a length of nothing", { prompt = "p", duration = 0 }, "duration" },
      { "a length in parameters that is no number", { prompt = "p", parameters = { duration = true } }, "parameters.duration" },
      { "a resolution that is no text", { prompt = "p", parameters = { resolution = 720 } }, "parameters.resolution" },
      { "a width with a fraction", { prompt = "p", parameters = { width = 12.5 } }, "parameters.width" },
      { "a seed that is no number", { prompt = "p", parameters = { seed = "abc" } }, "parameters.seed" },
      { "a storyboard of numbers", { prompt = "p", storyboard = { 1 } }, "storyboard[0]" },
      { "prompts without text", { prompt = "p", prompts = { {} } }, "prompts[0]" },
      { "no prompt for a model that needs one", { model = "gen4.5" }, "prompt" },
    }
    for _, case in ipairs(cases) do
      it("refuses " .. case[1] .. " and names the field", function()
        assert.equal(case[3], submit(case[2]).invalid.field)
      end)
    end
  end)

  describe("a text that names no model", function()
    for _, text in ipairs { "https://api.dev.runwayml.com/", "a//", "x/y//" } do
      it("is refused by its field: " .. text, function()
        for _, named in ipairs { false, offline.cjson.null, "" } do
          assert.is_truthy(refused({ prompt = "p", model = text, parameters = { model = named or nil } }).model)
        end
      end)
    end

    it("may be null among the parameters: it is not given then", function()
      for _, model in ipairs { "gen4.5", "new_to_us" } do
        local body = body_of { prompt = "p", model = model, parameters = { model = offline.cjson.null } }
        assert.equal(model, body.model)
      end
    end)
  end)

  describe("a request without a model", function()
    it("is made by gen4.5 with the defaults", function()
      local body, answer = body_of { prompt = "p" }
      assert.same({ model = "gen4.5", promptText = "p", ratio = "1280:720", duration = 8 }, body)
      assert.equal("https://api.dev.runwayml.com/v1/text_to_video", answer.upstream.url)
    end)

    it("takes a numeric string for a number", function()
      assert.equal(5, body_of({ prompt = "p", duration_seconds = "5" }).duration)
    end)

    it("is made by a model that has the resolution", function()
      local body = body_of { prompt = "p", parameters = { resolution = "1080P" } }
      assert.same({ "veo3.1_fast", "1920:1080", 8 }, { body.model, body.ratio, body.duration })
    end)

    it("is made by a model that can aim at a last frame", function()
      local body, answer = body_of { prompt = "p", reference_frames = { IMAGE, IMAGE } }
      assert.equal("veo3.1_fast", body.model)
      assert.same({ { uri = IMAGE, position = "first" }, { uri = IMAGE, position = "last" } }, body.promptImage)
      assert.equal("https://api.dev.runwayml.com/v1/image_to_video", answer.upstream.url)
    end)

    it("is refused with each way out when no model can make it", function()
      local by_field = refused { prompt = "p", duration_seconds = 10, parameters = { resolution = "1080p" } }
      assert.same({ "720p" }, by_field["parameters.resolution"].allowed)
      assert.same({ 4, 6, 8 }, by_field.duration_seconds.allowed)
    end)

    it("edits a video with aleph2", function()
      local body = body_of { prompt = "p", parameters = { video = "https://example.com/v.mp4" } }
      assert.same({ model = "aleph2", promptText = "p", videoUri = "https://example.com/v.mp4" }, body)
    end)
  end)

  describe("a request with a model", function()
    it("gets nothing that the vendor does not require", function()
      assert.same({ model = "gen4_turbo", promptImage = IMAGE, ratio = "1280:720" },
        body_of { model = "gen4_turbo", parameters = { image = IMAGE } })
    end)

    it("gets the length that the vendor requires", function()
      assert.equal(8, body_of({ prompt = "p", model = "gen4.5" }).duration)
    end)

    it("reaches an operation by its path", function()
      local body, answer = body_of { prompt = "boom", model = "v1/sound_effect/eleven_text_to_sound_v2", duration_seconds = 3 }
      assert.equal("https://api.dev.runwayml.com/v1/sound_effect", answer.upstream.url)
      assert.same({ model = "eleven_text_to_sound_v2", promptText = "boom", duration = 3 }, body)
    end)

    it("gives a model of another maker its own words", function()
      assert.same({ model = "seedance2", promptText = "p", ratio = "1470:630", duration = "auto", audio = true },
        body_of { prompt = "p", model = "seedance2", parameters = { ratio = "1470:630", duration = "auto", audio = true } })
    end)

    it("finds the size of another maker's model by aspect ratio and resolution", function()
      local request = { prompt = "p", model = "seedance2", aspect_ratio = "16:9", parameters = { resolution = "720p" } }
      assert.equal("1280:720", body_of(request).ratio)
      request.parameters.resolution = nil
      assert.same({ "864:496", "1280:720", "1920:1080", "3840:2160" }, refused(request).aspect_ratio.allowed)
      assert.is_truthy(refused({ prompt = "p", model = "seedance2", aspect_ratio = "5:1" }).aspect_ratio)
    end)

    it("sends an unknown ratio of the vendor's with a warning", function()
      local body, answer = body_of { model = "gen4_turbo", parameters = { image = IMAGE, ratio = "1280:768" } }
      assert.equal("1280:768", body.ratio)
      assert.is_truthy(warned(answer)["parameters.ratio"])
    end)

    it("puts pictures where the operation wants them", function()
      local body = body_of { prompt = "p", model = "gen4_image", reference_frames = { { uri = IMAGE, tag = "cat" } } }
      assert.same({ { uri = IMAGE, tag = "cat" } }, body.referenceImages)
      body = body_of { model = "act_two", parameters = { image = IMAGE, reference = "https://example.com/v.mp4" } }
      assert.same({ type = "image", uri = IMAGE }, body.character)
      assert.same({ type = "video", uri = "https://example.com/v.mp4" }, body.reference)
    end)
  end)

  -- What stands under the vendor's own name goes out as it is; where we know better, with a warning.
  describe("frames in the vendor's own words", function()
    local FIRST, LAST = { uri = IMAGE, position = "first" }, { uri = IMAGE, position = "last" }
    local cases = {
      { "gen4.5", { FIRST, LAST }, "parameters.promptImage[1]" },
      { "gen4.5", { LAST }, "parameters.promptImage[0].position" },
      { "gen4_turbo", { FIRST, LAST }, "parameters.promptImage[1]" },
      { "veo3.1", { FIRST, LAST, LAST }, "parameters.promptImage[2]" },
      { "veo3.1", { { uri = IMAGE, position = "middle" } }, "parameters.promptImage[0].position" },
      { "gen4.5", { FIRST } }, { "gen4.5", IMAGE }, { "veo3.1", { FIRST, LAST } }, { "veo3.1", { LAST } },
    }
    for index, case in ipairs(cases) do
      it(("are sent%s: %s, case %d"):format(case[3] and " with a warning" or "", case[1], index), function()
        local body, answer = body_of { prompt = "p", model = case[1], parameters = { promptImage = case[2] } }
        assert.same(case[2], body.promptImage)
        if case[3] then assert.is_truthy(warned(answer)[case[3]]) else assert.same({}, answer.warnings) end
      end)
    end
  end)

  -- What nobody describes gets what the user wrote: nothing is renamed, checked or added.
  describe("a model that is not described", function()
    local PARAMETERS = { steps = "7", resolution = "2K", style = 0.5, duration = "5s", seed = -1, ratio = "free",
      aspect_ratio = 3 }

    local function sent(request)
      request.parameters = request.parameters or PARAMETERS
      local answer = submit(request)
      assert.is_nil(answer.estimate)
      return answer.upstream.url:match("/v1/(.*)"), answer.upstream.json, answer
    end

    it("gets the parameters as they are, and the endpoint that is assumed is said", function()
      local endpoint, body, answer = sent { model = "gen9", prompt = "p" }
      assert.equal("text_to_video", endpoint)
      local expected = { model = "gen9", promptText = "p" }
      for name, value in pairs(PARAMETERS) do expected[name] = value end
      assert.same(expected, body)
      assert.is_truthy(warned(answer).model)
      assert.is_truthy(answer.notes[1]:find("text_to_video is assumed", 1, true))
    end)
    it("goes to the endpoint that the request calls for, or names", function()
      assert.equal("image_to_video", (sent { model = "gen9", parameters = { promptImage = IMAGE } }))
      assert.equal("video_to_video", (sent { model = "gen9", parameters = { videoUri = IMAGE } }))
      assert.equal("sound_effect", (sent { model = "sound_effect/gen9" }))
      local endpoint, body, answer = sent { model = "text_to_scene/gen9" }
      assert.same({ "text_to_scene", "gen9", 0 }, { endpoint, body.model, #answer.notes })
      assert.equal("text_to_video", (sent { model = "text_to_video/gen4_turbo" }))
    end)
    it("takes what stands at the top of the request", function()
      local _, body = sent { model = "gen9", prompt = "p", duration = 3, aspect_ratio = "16:9", image = IMAGE,
        parameters = { x = 1 } }
      assert.same({ model = "gen9", promptText = "p", duration = 3, ratio = "16:9", image = IMAGE, x = 1 }, body)
      _, body = sent { model = "gen9", storyboard = { "a", IMAGE }, parameters = {} }
      assert.same({ model = "gen9", promptText = "a", promptImage = IMAGE }, body)
    end)
    it("is refused what is said twice", function()
      assert.is_truthy(refused({ model = "gen9", prompt = "p", parameters = { promptText = "q" } }).prompt)
    end)
  end)

  describe("pictures", function()
    local function made(request) return submit(request, nil, { kind = "image" }) end

    it("are made by gen4_image without a model", function()
      local answer = made { prompt = "p" }
      assert.same({ model = "gen4_image", promptText = "p", ratio = "1280:720" }, answer.upstream.json)
      assert.equal("https://api.dev.runwayml.com/v1/text_to_image", answer.upstream.url)
      assert.same({ "image", 0.05 }, { answer.payload.mode, answer.estimate.expected })
    end)
    it("read the family's words", function()
      local body = made({ prompt = "p", seed = 7, image = IMAGE,
        parameters = { resolution = "1080p", aspect_ratio = "1:1" } }).upstream.json
      assert.same({ model = "gen4_image", promptText = "p", ratio = "1080:1080", seed = 7,
        referenceImages = { { uri = IMAGE } } }, body)
      body = made({ prompt = "p", model = "muse_image", parameters = { samples = 2, ratio = "auto" } }).upstream.json
      assert.same({ model = "muse_image", promptText = "p", ratio = "auto", outputCount = 2 }, body)
      local function size(request) return made(request).upstream.json.ratio end
      assert.equal("1344:768", size { prompt = "p", model = "gemini_2.5_flash", aspect_ratio = "16:9" })
      assert.equal("1184:864", size { prompt = "p", model = "gemini_2.5_flash", aspect_ratio = "4:3" })
      local refusal = made({ prompt = "p", model = "gpt_image_2", aspect_ratio = "1:1" }).refusal[1]
      assert.same({ "aspect_ratio", { "1920:1920", "2560:2560", "2880:2880" } }, { refusal.field, refusal.allowed })
      assert.equal("1024:1024", made({ prompt = "p", parameters = { width = 1024, height = 1024 } }).upstream.json.ratio)
    end)
    it("are refused what is no picture", function()
      assert.equal("parameters.samples", made({ prompt = "p", parameters = { samples = 2 } }).refusal[1].field)
      for _, model in ipairs { "veo3.1", "text_to_video/gen9", "generate/video", "recipes/product_ad" } do
        assert.equal("model", made({ prompt = "p", model = model }).refusal[1].field, model)
      end
      assert.is_truthy(made({ prompt = "p", model = "generate/image", parameters = { configId = "c" } }).upstream)
      assert.equal("text_to_image", made({ prompt = "p", model = "gen9_image" }).upstream.url:match("[^/]+$"))
    end)
    it("need no other kind", function()
      assert.equal("gen4_image", submit({ prompt = "p", model = "gen4_image" }).upstream.json.model)
    end)
  end)

  it("sends what a description lacks with a warning, but nothing that decides money", function()
    local body, answer = body_of { prompt = "p", model = "gen4.5", parameters = { mood = "blue", background = "opaque" } }
    assert.same({ "blue", "opaque" }, { body.mood, body.background })
    assert.is_truthy(warned(answer)["parameters.mood"])
    assert.is_nil(answer.estimate)
    local by_field = refused { prompt = "p", model = "gen4.5", parameters = { quality = "high", outputCount = 2 } }
    assert.is_truthy(by_field["parameters.outputCount"])
  end)

  it("joins several prompts and the storyboard's texts into the one text", function()
    local body, answer = body_of { prompt = "a", prompts = { "b", { prompt = "c", weight = 0.3 } }, storyboard = { "d", IMAGE } }
    assert.equal("a\nb\nc\nd", body.promptText)
    assert.equal(IMAGE, body.promptImage)
    assert.is_truthy(warned(answer)["prompts[1].weight"])
    assert.equal(1, #answer.notes)
  end)

  it("leaves preferences out and says so", function()
    local body, answer = body_of {
      prompt = "p", colour = "red", parameters = { fps = 24, quality = "high", negative_prompt = "n", steps = 20 },
    }
    assert.same({ model = "gen4.5", promptText = "p", ratio = "1280:720", duration = 8 }, body)
    local by_field = warned(answer)
    assert.is_truthy(by_field.colour)
    for _, name in ipairs { "fps", "quality", "negative_prompt", "steps" } do
      assert.is_truthy(by_field["parameters." .. name], name)
    end
  end)

  describe("refuses before anything is sent", function()
    local cases = {
      { "a length between seconds", { prompt = "p", duration_seconds = 2.5 }, "duration_seconds" },
      { "a length in parameters", { prompt = "p", model = "gen4.5", parameters = { duration = 11 } }, "parameters.duration" },
      { "a resolution that nobody makes", { prompt = "p", parameters = { resolution = "4k" } }, "parameters.resolution" },
      { "an aspect ratio of the other endpoint", { prompt = "p", model = "gen4.5", aspect_ratio = "1:1" }, "aspect_ratio" },
      { "a size that is not sold", { prompt = "p", parameters = { width = 640, height = 480 } }, "parameters.width" },
      { "half a size", { prompt = "p", parameters = { width = 1280 } }, "parameters.height" },
      { "several samples", { prompt = "p", parameters = { samples = 2 } }, "parameters.samples" },
      { "a seed beyond 32 bits", { prompt = "p", parameters = { seed = 4294967296 } }, "parameters.seed" },
      { "sound from a silent model", { prompt = "p", model = "gen4.5", parameters = { audio = true } }, "parameters.audio" },
      { "no picture where one is needed", { model = "gen4_turbo" }, "parameters.image" },
      { "no reference where one is needed", { prompt = "p", model = "gen4_image_turbo" }, "parameters.referenceImages" },
      { "a last frame of a model without", { prompt = "p", model = "gen4.5", storyboard = { IMAGE, IMAGE } },
        "storyboard[1]" },
      { "a picture over plain HTTP", { prompt = "p", parameters = { image = "http://example.com/a.jpg" } }, "parameters.image" },
      { "a picture at an IP address", { prompt = "p", parameters = { image = "https://10.0.0.1/a.jpg" } }, "parameters.image" },
      { "a data URI of 6 MB", { prompt = "p", parameters = { image = "data:image/png;base64," .. ("A"):rep(6000000) } },
        "parameters.image" },
      { "a prompt of 1001 characters", { prompt = ("x"):rep(1001) }, "prompt" },
      { "a prompt of 501 pairs of code units", { prompt = ("\u{1F600}"):rep(501) }, "prompt" },
      { "a ratio that contradicts",
        { prompt = "p", model = "gen4.5", aspect_ratio = "9:16", parameters = { ratio = "1280:720" } },
        "parameters.ratio" },
      { "an actor without a performance", { model = "act_two", parameters = { image = IMAGE } }, "parameters.reference" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function() assert.is_truthy(refused(case[2])[case[3]]) end)
    end

    it("but not a prompt of exactly 1000 characters", function()
      assert.equal(1000, #body_of({ prompt = ("x"):rep(1000) }).promptText)
    end)
  end)

  describe("estimates", function()
    local function figures(request)
      local answer = submit(request)
      local found = answer.estimate or {}
      return { found.expected, found.low, found.high, found.quantity }, answer
    end

    it("the default request", function()
      local found, answer = figures { prompt = "p" }
      assert.same({ 0.96, 0.96, 0.96, 8 }, found)
      assert.equal("2026-11-23", answer.estimate.as_of)
    end)
    it("sound", function()
      local request = { prompt = "p", model = "veo3.1", duration_seconds = 4, parameters = {} }
      assert.same({ 1.6, 0.8, 1.6, 4 }, (figures(request)))
      request.parameters.audio = false
      assert.same({ 0.8, 0.8, 0.8, 4 }, (figures(request)))
    end)
    it("the surcharge of a format", function()
      local request = { prompt = "p", model = "gen4.5", duration_seconds = 5, parameters = { outputFormat = "prores" } }
      assert.equal(0.85, figures(request)[1])
      request.parameters.outputFormat = "hdr10"
      assert.equal(1.6, figures(request)[1])
    end)
    it("pictures by size", function()
      assert.equal(0.05, figures({ prompt = "p", model = "gen4_image" })[1])
      assert.equal(0.08, figures({ prompt = "p", model = "gen4_image", parameters = { resolution = "1080p" } })[1])
      local _, answer = figures { prompt = "p", model = "gen4_image", parameters = { ratio = "1360:768" } }
      assert.is_nil(answer.estimate.expected)
      assert.same({ 0.05, 0.08 }, { answer.estimate.low, answer.estimate.high })
    end)
    it("bounds where the length is the vendor's or the input's", function()
      local _, answer = figures { model = "gen4_turbo", parameters = { image = IMAGE } }
      assert.is_nil(answer.estimate.expected)
      assert.same({ 0.1, 0.5 }, { answer.estimate.low, answer.estimate.high })
      _, answer = figures { model = "aleph2", parameters = { video = "https://example.com/v.mp4" } }
      assert.same({ 0.56, 8.4 }, { answer.estimate.low, answer.estimate.high })
    end)
    it("nothing where there is no price", function()
      local _, answer = figures { prompt = "p", model = "hailuo3" }
      assert.is_nil(answer.estimate)
      assert.equal("a published price of hailuo3", answer.estimate_missing)
    end)
    it("what jobs of the same kind have cost here", function()
      local asked
      local function observed(model, drivers)
        asked = { model, drivers }
        return { median = 0.4, maximum = 0.7, count = 3, as_of = "2026-11-29" }
      end
      local found = submit({ prompt = "p", model = "hailuo3", duration = 5, parameters = { resolution = "2k" } }, nil,
        { observed = observed }).estimate
      assert.same({ 0.4, 0.7, "observed" }, { found.expected, found.high, found.source })
      assert.same({ "hailuo3", "endpoint=text_to_video duration=5 resolution=2k" }, asked)
      submit({ prompt = "p", model = "gen9", parameters = { steps = 3, seed = 5, uri = IMAGE:rep(2) } }, nil,
        { observed = observed })
      assert.same({ "gen9", "endpoint=text_to_video steps=3" }, asked)
      local answer = submit({ prompt = "p", model = "hailuo3", parameters = { mood = 1 } }, nil, { observed = observed })
      assert.is_nil(answer.estimate)
    end)
    it("nothing for what is refused", function()
      local _, answer = figures { prompt = "p", duration_seconds = 10, parameters = { resolution = "1080p" } }
      assert.is_nil(answer.estimate)
      assert.is_truthy(answer.estimate_missing)
    end)
  end)

  describe("polls", function()
    it("by the id alone in a dry run, whatever is in it", function()
      local answer = offline.poll(provider, { id = "mock-runway-1", state = {}, payload = {} })
      assert.equal("https://api.dev.runwayml.com/v1/tasks/mock-runway-1", answer.upstream.url)
      answer = offline.poll(provider, { id = "../organization?x", state = {}, payload = {} })
      assert.equal("https://api.dev.runwayml.com/v1/tasks/..%2Forganization%3Fx", answer.upstream.url)
    end)

    local function poll(response)
      return offline.poll(provider, { id = TASK, state = { status = "queued" } }, { response }).result
    end
    local function task(fields)
      fields.id = TASK
      return poll { status = 200, json = fields }
    end

    it("report progress", function()
      local result = task { status = "RUNNING", progress = 0.42, estimatedCost = { credits = 25 } }
      assert.same({ "running", 0.42, 5, 0.25 }, { result.status, result.progress, result.retry_after, result.cost.usd })
      assert.is_true(result.cost.maximum)
    end)
    it("know a canceled task", function()
      assert.equal("canceled", task({ status = "CANCELLED", cost = { credits = 0 } }).status)
    end)
    it("keep a job whose key stopped working", function()
      local result = poll { status = 401, json = { error = "bad key sk-123" } }
      assert.same({ "queued", 60 }, { result.status, result.retry_after })
      assert.is_nil(result.reason:find("sk-123", 1, true))
    end)
    it("keep a job that nobody answers for", function()
      assert.equal("queued", poll({ failure = { kind = "timeout", message = "30 s" } }).status)
      assert.equal("queued", poll({ status = 200, body = "<html>" }).status)
    end)

    local codes = {
      { "SAFETY.OUTPUT.IMAGE", "moderation" }, { "SAFETY.INPUT.IMAGE", "moderation", true },
      { "INPUT_PREPROCESSING.SAFETY.TEXT", "moderation", true },
      { "INPUT_PREPROCESSING.INTERNAL", "vendor" }, { "ASSET.INVALID", "invalid" },
      { "THIRD_PARTY.UNAVAILABLE", "unavailable" }, { "INTERNAL.BAD_OUTPUT.CODE01", "vendor" },
    }
    for _, case in ipairs(codes) do
      it("class " .. case[1], function()
        local result = task { status = "FAILED", failure = "no", failureCode = case[1] }
        assert.same({ case[2], case[1], case[3] }, { result.error.code, result.error.vendor_code, result.error.billed })
      end)
    end
  end)

  describe("cancel", function()
    local job = { id = TASK, state = { status = "running" }, payload = {} }
    it("never deletes what has ended", function()
      for status, expected in pairs { SUCCEEDED = "done", FAILED = "error", CANCELLED = "canceled" } do
        local ended = { status = 200, json = { id = TASK, status = status, output = { IMAGE } } }
        local answer = offline.cancel(provider, job, { ended, { status = 204 } })
        assert.same({ expected, 1 }, { answer.result.status, #answer.requests })
      end
    end)
    it("deletes a task that runs", function()
      local running = { status = 200, json = { id = TASK, status = "RUNNING" } }
      local canceled = { status = 200, json = { id = TASK, status = "CANCELLED", cost = { credits = 5 } } }
      local answer = offline.cancel(provider, job, { running, { status = 204 }, canceled })
      assert.equal("canceled", answer.result.status)
      assert.equal("DELETE", answer.requests[2].method)
      assert.same({ true, 0.05 }, { answer.result.error.billed, answer.result.cost.usd })
    end)
    it("asks on when the task is not canceled at once", function()
      local running = { status = 200, json = { id = TASK, status = "RUNNING" } }
      assert.equal("running", offline.cancel(provider, job, { running, { status = 204 }, running }).result.status)
      assert.equal("running", offline.cancel(provider, job, { running, { status = 204 }, { status = 502 } }).result.status)
    end)
    it("previews the DELETE", function() assert.equal("DELETE", offline.cancel(provider, job).upstream.method) end)
  end)

  describe("submits", function()
    it("leave open whether a lost answer was billed", function()
      local result = submit({ prompt = "p" }, { { failure = { kind = "timeout", message = "60 s" } } }).result
      assert.same({ "error", "timeout" }, { result.status, result.error.code })
      assert.is_nil(result.error.billed)
    end)
    it("name the field that the vendor complains of", function()
      local issues = { { path = { "ratio" }, message = "Invalid option" } }
      local response = { status = 400, json = { error = "Validation", issues = issues } }
      assert.is_truthy(submit({ prompt = "p" }, { response }).result.error.message:find("ratio: Invalid option", 1, true))
    end)
    it("do not take an answer without an id for a task", function()
      assert.equal("error", submit({ prompt = "p" }, { { status = 200, json = {} } }).result.status)
    end)
  end)

  it("tells an unhealthy key without the vendor's words", function()
    local result = offline.health(provider, { { status = 401, json = { error = "key abc is wrong" } } }).result
    assert.is_false(result.ok)
    assert.is_nil(result.reason:find("abc", 1, true))
  end)
end)
