-- What the recorded contract of Luma cannot say: bad input, refusals, warnings, prices, the two APIs, callbacks.
local offline = require "author.offline"

local ID = "123e4567-e89b-12d3-a456-426614174000"
local IMAGE = "https://example.com/a.jpg"
local DATA = "data:image/png;base64,iVBORw0KGgo="
local DREAM = "https://api.lumalabs.ai/dream-machine/v1"

describe("luma", function()
  local provider
  setup(function() provider = offline.load("providers/video_luma.lua") end)

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
      { "an empty prompt", { prompt = "" }, "prompt" },
      { "an unknown mode", { prompt = "pan", mode = "image" }, "mode" },
      { "a length that is no number", { prompt = "pan", duration_seconds = "ninety" }, "duration_seconds" },
      { "a negative length", { prompt = "pan", parameters = { duration_seconds = -5 } }, "parameters.duration_seconds" },
      { "a resolution that is no text", { prompt = "pan", parameters = { resolution = { "720p" } } }, "parameters.resolution" },
      { "a reference that is a number", { prompt = "pan", reference = 7 }, "reference" },
      { "a callback that is no text", { prompt = "pan", parameters = { callback_url = true } }, "parameters.callback_url" },
    }
    for _, case in ipairs(cases) do
      it("refuses " .. case[1] .. " and names the field", function()
        assert.equal(case[3], submit(case[2]).invalid.field)
      end)
    end
  end)

  describe("a request without a model", function()
    it("is made by ray-2 with defaults that it accepts", function()
      local body, answer = body_of { prompt = "pan" }
      assert.same({ model = "ray-2", prompt = "pan", resolution = "1080p", duration = "5s" }, body)
      assert.equal(DREAM .. "/generations/video", answer.upstream.url)
    end)
    it("reads every way to write a length", function()
      assert.equal("9s", body_of({ prompt = "pan", duration = 9 }).duration)
      assert.equal("9s", body_of({ prompt = "pan", duration_seconds = "9" }).duration)
      assert.equal("9s", body_of({ prompt = "pan", parameters = { duration = "9s" } }).duration)
    end)
    it("takes the reference as the first frame, and leaves the style to the prompt", function()
      local body, answer = body_of { prompt = "pan", reference = IMAGE, parameters = { style = "cinematic" } }
      assert.same({ frame0 = { type = "image", url = IMAGE } }, body.keyframes)
      assert.is_truthy(warned(answer)["parameters.style"])
    end)
    it("keeps reference frames in the payload", function()
      assert.same({ IMAGE }, submit({ prompt = "pan", reference_frames = { IMAGE } }).payload.reference_frames)
    end)
  end)

  it("leaves preferences out and says so", function()
    local body, answer = body_of {
      prompt = "pan", colour = 1, model = "ray-2", parameters = { fps = 24, negative_prompt = "x", seed = 1 },
    }
    assert.same({ model = "ray-2", prompt = "pan" }, body)
    for _, name in ipairs { "colour", "parameters.fps", "parameters.negative_prompt", "parameters.seed" } do
      assert.is_truthy(warned(answer)[name], name)
    end
  end)

  it("extends a generation, forwards and backwards", function()
    local body = body_of { prompt = "pan", model = "ray-2", reference = { id = ID } }
    assert.same({ frame0 = { type = "generation", id = ID } }, body.keyframes)
    body = body_of { prompt = "pan", model = "ray-2", reference = { id = ID, position = "last" } }
    assert.same({ frame1 = { type = "generation", id = ID } }, body.keyframes)
  end)

  describe("refuses before anything is sent", function()
    local cases = {
      { "a length that Luma does not make", { prompt = "pan", duration_seconds = 8 }, "duration_seconds", { 5, 9 } },
      { "a length of the other API", { prompt = "pan", model = "ray-3.2", duration_seconds = 9 }, "duration_seconds", { 5, 10 } },
      { "a resolution of the other API", { prompt = "pan", parameters = { resolution = "360p" } }, "parameters.resolution",
        { "540p", "720p", "1080p", "4k" } },
      { "a length of a picture", { prompt = "pan", model = "photon-1", duration_seconds = 5 }, "duration_seconds" },
      { "a size in pixels", { prompt = "pan", parameters = { width = 1280, height = 720 } }, "parameters.width" },
      { "an aspect ratio where there is none", { model = "generations/x/upscale", aspect_ratio = "2:1" }, "aspect_ratio" },
      { "several samples", { prompt = "pan", parameters = { samples = 2 } }, "parameters.samples", { 1 } },
      { "a model on the wrong path", { prompt = "pan", model = "generations/image", parameters = { model = "ray-2" } },
        "parameters.model", { "photon-1", "photon-flash-1" } },
      { "a data URI", { prompt = "pan", reference = DATA }, "reference" },
      { "a third frame", { prompt = "pan", reference_frames = { IMAGE, IMAGE, IMAGE } }, "reference_frames[2]" },
      { "frames given twice", { prompt = "pan", reference = IMAGE, parameters = { keyframes = {} } }, "reference" },
      { "a video without an operation", { prompt = "pan", parameters = { video = "https://example.com/v.mp4" } },
        "parameters.video", { "generations/video/modify", "generations/video/reframe" } },
      { "a reframe without an aspect ratio", { model = "generations/video/reframe", parameters = { video = IMAGE } },
        "aspect_ratio" },
      { "a reframe of nothing", { model = "generations/image/reframe", aspect_ratio = "1:1" }, "parameters.image" },
      { "a modification of no degree", { model = "generations/video/modify", parameters = { video = IMAGE } },
        "parameters.mode" },
      { "a prompt of 5001 characters", { prompt = ("x"):rep(5001) }, "prompt" },
      { "a setting of the other API", { prompt = "pan", parameters = { hdr = true } }, "parameters.hdr" },
      { "ten seconds from a frame", { prompt = "pan", model = "ray-3.2", duration_seconds = 10, reference = IMAGE },
        "duration_seconds", { 5 } },
      { "a loop of ten seconds", { prompt = "pan", model = "ray-3.2", duration_seconds = 10, parameters = { loop = true } },
        "parameters.loop" },
      { "HDR in 540p", { prompt = "pan", model = "ray-3.2", parameters = { hdr = true, resolution = "540p" } },
        "parameters.resolution", { "720p", "1080p" } },
      { "EXR without HDR", { prompt = "pan", model = "ray-3.2", parameters = { exr_export = true } }, "parameters.exr_export" },
      { "an upscale of nothing", { model = "generations/{id}/upscale" }, "parameters.generation_id" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local refusal = refused(case[2])[case[3]]
        assert.is_truthy(refusal)
        if case[4] then assert.same(case[4], refusal.allowed) end
      end)
    end

    it("but not a prompt of 5000 characters of two bytes", function()
      assert.equal(10000, #body_of({ prompt = ("\u{E9}"):rep(5000) }).prompt)
    end)
  end)

  it("sends an aspect ratio that is new with a warning", function()
    local body, answer = body_of { prompt = "pan", aspect_ratio = "2:1" }
    assert.equal("2:1", body.aspect_ratio)
    assert.is_truthy(warned(answer).aspect_ratio)
    body, answer = body_of { prompt = "pan", model = "ray-2", parameters = { style_ref = { { url = IMAGE } }, mood = 3 } }
    assert.same({ { { url = IMAGE } }, 3 }, { body.style_ref, body.mood })
    assert.is_truthy(warned(answer)["parameters.style_ref"])
    assert.is_nil(answer.estimate)
  end)

  -- What nobody describes gets what the user wrote: nothing is renamed, checked or added.
  describe("a model that is not described", function()
    local PARAMETERS = { steps = "7", resolution = "2K", style = 0.5, duration = "7s", seed = -1, aspect_ratio = 3, format = {},
      callback_url = false, generation_id = 5 }

    local function sent(request, kind)
      request.parameters = request.parameters or PARAMETERS
      local answer = submit(request, nil, { kind = kind })
      assert.is_nil(answer.estimate)
      assert.is_truthy(warned(answer).model)
      return answer.upstream.json, answer.upstream.url, answer
    end

    it("gets the parameters as they are, and the API that is assumed is said", function()
      local body, url, answer = sent { model = "ray-4", prompt = "pan" }
      local expected = { model = "ray-4", prompt = "pan", type = "video" }
      for name, value in pairs(PARAMETERS) do expected[name] = value end
      assert.same(expected, body)
      assert.equal("https://agents.lumalabs.ai/v1/generations", url)
      assert.is_truthy(answer.notes[1]:find("Agents API is assumed", 1, true))
      body, url = sent({ model = "uni-3", prompt = "a cat", parameters = {} }, "image")
      assert.same({ { model = "uni-3", prompt = "a cat" }, "https://agents.lumalabs.ai/v1/generations" }, { body, url })
    end)
    it("goes to Dream Machine by its name, or when that is said", function()
      for model, path in pairs { ["ray-1-6"] = "/generations/video", ["photon-3"] = "/generations/image" } do
        local body, url = sent { model = model, prompt = "pan", parameters = {} }
        assert.same({ model, DREAM .. path }, { body.model, url })
      end
      local body, url = sent { model = "generations/image", prompt = "pan", parameters = { model = "flux" } }
      assert.same({ "flux", DREAM .. "/generations/image" }, { body.model, url })
    end)
    it("may be a path", function()
      local body, url = sent { model = "v1/generations/video/extend", parameters = { model = "ray-2", x = 1 } }
      assert.same({ { model = "ray-2", x = 1 }, DREAM .. "/generations/video/extend" }, { body, url })
      assert.equal("model", submit({ model = "generations/../credits" }).invalid.field)
    end)
    it("takes what stands at the top of the request", function()
      local body = sent { model = "ray-4", prompt = "pan", duration = 5, aspect_ratio = "1:1", reference = IMAGE,
        parameters = {} }
      assert.same({ model = "ray-4", prompt = "pan", type = "video", aspect_ratio = "1:1",
        video = { duration = "5s", start_frame = { url = IMAGE } } }, body)
      body = sent { model = "ray-1-6", prompt = "pan", duration = 5, reference = IMAGE, parameters = {} }
      assert.same({ model = "ray-1-6", prompt = "pan", duration = "5s",
        keyframes = { frame0 = { type = "image", url = IMAGE } } }, body)
    end)
  end)

  describe("pictures", function()
    local function made(request) return submit(request, nil, { kind = "image" }) end

    it("are made by photon-1 without a model", function()
      local answer = made { prompt = "a cat", aspect_ratio = "1:1", image = IMAGE }
      assert.same({ model = "photon-1", prompt = "a cat", aspect_ratio = "1:1", modify_image_ref = { url = IMAGE } },
        answer.upstream.json)
      assert.equal(DREAM .. "/generations/image", answer.upstream.url)
      assert.same({ "image", 0.015 }, { answer.payload.mode, answer.estimate.expected })
    end)
    it("are not made by models that make videos", function()
      for _, model in ipairs { "ray-2", "ray-3.2", "generations/video", "ray-1-6" } do
        assert.equal("model", made({ prompt = "pan", model = model }).refusal[1].field)
      end
    end)
    it("are one at a time", function()
      assert.equal("parameters.samples", made({ prompt = "a cat", parameters = { samples = 2 } }).refusal[1].field)
      assert.equal("mode", made({ prompt = "a cat", mode = "video" }).invalid.field)
    end)
  end)

  describe("further operations", function()
    it("modify", function()
      local body, answer = body_of {
        prompt = "winter", model = "generations/video/modify",
        parameters = { video = "https://example.com/v.mp4", mode = "flex_1", model = "ray-flash-2", image = IMAGE },
      }
      assert.same({
        generation_type = "modify_video", model = "ray-flash-2", prompt = "winter", mode = "flex_1",
        media = { url = "https://example.com/v.mp4" }, first_frame = { url = IMAGE },
      }, body)
      assert.equal(DREAM .. "/generations/video/modify", answer.upstream.url)
    end)
    it("reframe a picture", function()
      local expected = {
        generation_type = "reframe_image", model = "photon-1", aspect_ratio = "9:16", media = { url = IMAGE }, x_start = 0,
      }
      assert.same(expected,
        body_of { model = "generations/image/reframe", aspect_ratio = "9:16", parameters = { image = IMAGE, x_start = 0 } })
    end)
    it("upscale", function()
      local body, answer = body_of { model = "generations/" .. ID .. "/upscale", parameters = { resolution = "4k" } }
      assert.same({ generation_type = "upscale_video", resolution = "4k" }, body)
      assert.equal(DREAM .. "/generations/" .. ID .. "/upscale", answer.upstream.url)
    end)
    it("add audio", function()
      local body, answer = body_of {
        prompt = "rain", model = "generations/{id}/audio", parameters = { generation_id = ID, negative_prompt = "music" },
      }
      assert.same({ generation_type = "add_audio", prompt = "rain", negative_prompt = "music" }, body)
      assert.equal(DREAM .. "/generations/" .. ID .. "/audio", answer.upstream.url)
    end)
    it("pictures with references", function()
      local body = body_of {
        prompt = "a cat", model = "photon-flash-1", reference = { { url = IMAGE, weight = 0.5 } },
        parameters = { image = IMAGE, output_format = "jpeg" },
      }
      assert.same({
        model = "photon-flash-1", prompt = "a cat", format = "jpg", image_ref = { { url = IMAGE, weight = 0.5 } },
        modify_image_ref = { url = IMAGE },
      }, body)
    end)
  end)

  describe("the Agents API", function()
    it("has its own host and key", function()
      local _, answer = body_of { prompt = "pan", model = "ray-3.2" }
      assert.equal("https://agents.lumalabs.ai/v1/generations", answer.upstream.url)
      assert.equal("Bearer {agents_api_key}", answer.upstream.headers.authorization)
      answer = submit { prompt = "pan", model = "ray-2" }
      assert.equal("Bearer {api_key}", answer.upstream.headers.authorization)
    end)
    it("puts size, length and frames under video, data URIs taken apart", function()
      assert.same({
        model = "ray-3.2", type = "video", prompt = "pan", aspect_ratio = "21:9",
        video = {
          resolution = "360p", duration = "5s", loop = false, start_frame = { data = "iVBORw0KGgo=", media_type = "image/png" },
          end_frame = { generation_id = ID },
        },
      }, (body_of {
        prompt = "pan", model = "ray-3.2", aspect_ratio = "21:9", duration_seconds = 5, reference_frames = { DATA, { id = ID } },
        parameters = { resolution = "360p", loop = false },
      }))
    end)
    it("edits a source", function()
      local body = body_of { prompt = "night", model = "ray-3.2", parameters = { video = "https://example.com/v.mp4" } }
      assert.same({ "video_edit", "https://example.com/v.mp4" }, { body.type, body.source.url })
    end)
    it("has no callbacks", function()
      local answer = submit({ prompt = "pan", model = "uni-1", parameters = { callback_url = "https://a.example/x" } }, nil,
        { webhook_url = "https://host.example/hook" })
      assert.is_nil(answer.upstream.json.callback_url)
      assert.is_truthy(warned(answer)["parameters.callback_url"])
    end)
    it("is polled where the job was made", function()
      local response = { status = 201, json = { id = "g1", state = "processing" } }
      local result = submit({ prompt = "pan", model = "uni-1" }, { response }).result
      assert.equal("running", result.status)
      local answer = offline.poll(provider, { id = result.id, state = result.state, payload = {} })
      assert.equal("https://agents.lumalabs.ai/v1/generations/g1", answer.upstream.url)
    end)

    local codes = {
      content_moderated = "moderation", generation_failed = "vendor", budget_exhausted = "credit", output_not_found = "vendor",
      image_too_large = "invalid", unsupported_format = "invalid", corrupt_input = "invalid", invalid_request = "invalid",
      rate_limited = "rate_limited", something_new = "vendor",
    }
    for vendor_code, code in pairs(codes) do
      it("classes " .. vendor_code, function()
        local generation = { id = "g1", state = "failed", failure_code = vendor_code, failure_reason = "$3 left" }
        local job = { id = "g1", state = { api = "agents" } }
        local result = offline.poll(provider, job, { { status = 200, json = generation } }).result
        assert.same({ "error", code, vendor_code }, { result.status, result.error.code, result.error.vendor_code })
        assert.is_nil(result.error.billed)
        if code == "credit" then assert.is_nil(result.error.message:find("$3", 1, true)) end
      end)
    end
  end)

  describe("estimates", function()
    local function figures(request)
      local found = submit(request).estimate
      return { found.expected, found.low, found.high }, found
    end
    local function video(model, resolution, seconds, parameters)
      parameters = parameters or {}
      parameters.resolution = resolution
      return (figures { prompt = "pan", model = model, duration_seconds = seconds, parameters = parameters })
    end

    it("the default request", function()
      local found, answer = figures { prompt = "pan" }
      assert.same({ 1.59, 1.59, 1.59 }, found)
      assert.same({ "2026-11-23", 5 }, { answer.as_of, answer.quantity })
    end)
    it("what is listed, and what follows from it", function()
      assert.equal(1.27, video("ray-2", "720p", 9)[1])
      assert.equal(0.72, video("ray-2", "540p", 9)[1])
      assert.equal(2.19, video("ray-flash-2", "4k", 5)[1])
      assert.equal(0.24, video("ray-flash-2", "720p", 5)[1])
    end)
    it("bounds when the vendor chooses", function()
      local _, found = figures { prompt = "pan", model = "ray-2" }
      assert.is_nil(found.expected)
      assert.same({ 0.4, 11.47, "the resolution" }, { found.low, found.high, found.missing })
    end)
    it("ray-3.2", function()
      assert.equal(0.3, video("ray-3.2", nil, 5)[1])
      assert.equal(0.9, video("ray-3.2", "720p", 10)[1])
      assert.equal(2.4, video("ray-3.2", "1080p", 5, { hdr = true })[1])
      assert.equal(0.9, video("ray-3.2", "720p", 5, { hdr = true, exr_export = true })[1])
      local draft = submit { prompt = "pan", model = "ray-3.2", parameters = { resolution = "360p" } }
      assert.equal("the price of this resolution", draft.estimate_missing)
    end)
    it("pictures", function()
      assert.equal(0.015, figures({ prompt = "pan", model = "photon-1" })[1])
      assert.same({ 0.004, 0.002, 0.004 }, (figures { prompt = "pan", model = "photon-flash-1" }))
      assert.equal(0.0464, figures({ prompt = "pan", model = "uni-1", reference = { IMAGE, IMAGE } })[1])
      assert.equal(0.1, figures({ prompt = "pan", model = "uni-1-max" })[1])
    end)
    it("nothing where there is no price", function()
      local answer = submit { model = "generations/" .. ID .. "/upscale", parameters = { resolution = "4k" } }
      assert.is_nil(answer.estimate)
      assert.is_truthy(answer.estimate_missing)
    end)
  end)

  describe("polls", function()
    it("by the id alone in a dry run, whatever is in it", function()
      local answer = offline.poll(provider, { id = "mock-luma-1", state = {}, payload = {} })
      assert.equal(DREAM .. "/generations/mock-luma-1", answer.upstream.url)
      answer = offline.poll(provider, { id = "../credits", state = {}, payload = {} })
      assert.equal(DREAM .. "/generations/..%2Fcredits", answer.upstream.url)
    end)
    it("compute the cost that Luma does not tell", function()
      local payload = submit({ prompt = "pan", duration_seconds = 9 }).payload
      local response = { status = 200, json = { id = ID, state = "completed", assets = { video = "https://x/v.mp4" } } }
      local result = offline.poll(provider, { id = ID, state = {}, payload = payload }, { response }).result
      assert.same({ usd = 2.87, source = "computed" }, result.cost)
    end)
    it("keep a job that nobody answers for", function()
      local job = { id = ID, state = { api = "agents", status = "queued" }, payload = {} }
      local reset = { failure = { kind = "reset", message = "x" } }
      for _, response in ipairs { reset, { status = 503 }, { status = 401 }, { status = 200 } } do
        local result = offline.poll(provider, job, { response }).result
        assert.same({ "queued", "agents" }, { result.status, result.state.api })
      end
    end)
    it("class the reasons of Dream Machine", function()
      for reason, code in pairs {
        ["Contains blacklisted words"] = "moderation", ["Advanced prompt moderation failed"] = "moderation",
        ["Failed to read user input frames"] = "invalid", ["Job processing failed"] = "vendor",
      } do
        local response = { status = 200, json = { id = ID, state = "failed", failure_reason = reason } }
        local result = offline.poll(provider, { id = ID, state = {}, payload = {} }, { response }).result
        assert.same({ code, false }, { result.error.code, result.error.billed })
      end
    end)
  end)

  describe("callbacks", function()
    local completed = { id = ID, state = "completed", assets = { video = "https://x/v.mp4" } }
    it("are asked for at the host's address, unless the user has one", function()
      local options = { webhook_url = "https://host.example/hook" }
      assert.equal("https://host.example/hook", submit({ prompt = "pan" }, nil, options).upstream.json.callback_url)
      local answer = submit({ prompt = "pan", webhook = "https://mine.example" }, nil, options)
      assert.equal("https://mine.example", answer.upstream.json.callback_url)
    end)
    it("are believed only after asking", function()
      local delivery = { headers = {}, json = completed, job = { id = ID, state = { api = "dream_machine" }, payload = {} } }
      assert.equal(DREAM .. "/generations/" .. ID, offline.webhook(provider, delivery).upstream.url)
      local response = { status = 200, json = { id = ID, state = "dreaming" } }
      assert.equal("running", offline.webhook(provider, delivery, { response }).result.status)
    end)
    it("of another generation are refused", function()
      local delivery = { headers = {}, json = completed, job = { id = "other", state = {}, payload = {} } }
      local answer = offline.webhook(provider, delivery)
      assert.same({ "id", 0 }, { answer.refusal.field, #answer.requests })
    end)
  end)

  it("finds an empty balance and moderation behind a 400", function()
    for detail, code in pairs {
      ["Insufficient credits: $0.12 left"] = "credit", ["Prompt moderation failed"] = "moderation",
      ["Loop is not supported"] = "invalid",
    } do
      local result = submit({ prompt = "pan" }, { { status = 400, json = { detail = detail } } }).result
      assert.equal(code, result.error.code)
      assert.is_nil(result.error.message:find("0.12", 1, true))
    end
  end)

  it("reads a list of details", function()
    local response = { status = 422, json = { detail = { { msg = "prompt: too odd", loc = { "body" } } } } }
    assert.is_truthy(submit({ prompt = "pan" }, { response }).result.error.message:find("prompt: too odd", 1, true))
  end)

  it("cannot cancel, and says so", function()
    assert.is_nil(provider.cancel)
    assert.is_false(provider.capabilities.cancel)
  end)
end)
