-- Pika: what the recorded contract cases cannot say: the choice of a model, refusals, warnings, estimates, the direct route.
local contract = require "spec.support.contract"
local offline = require "author.offline"

local VIDEO_ID = "f1f2b1a4-6d0a-4c83-9c0b-7f1c5b3f5a10"
local PNG, MP4 = "data:image/png;base64,iVBORw0KGgo=", "data:video/mp4;base64,AAAAGGZ0eXBpc29t"
local A, B = "https://example.com/a.png", "https://example.com/b.png"

local function case_named(name)
  for _, case in ipairs(contract.cases "pika") do
    if case.name == name then return case end
  end
  error("no such case: " .. name)
end

describe("pika", function()
  local provider
  setup(function() provider = contract.load "pika" end)

  local function submit(request, responses) return offline.submit(provider, request, responses) end

  local function warned_fields(answer)
    local fields = {}
    for _, warning in ipairs(answer.warnings) do fields[#fields + 1] = warning.field end
    table.sort(fields)
    return fields
  end

  describe("prepare", function()
    local bad = {
      { {}, "prompt" },
      { { prompt = " " }, "prompt" },
      { { prompt = {} }, "prompt" },
      { { prompt = "p", mode = "image" }, "mode" },
      { { prompt = "p", route = "comfy" }, "route" },
      { { prompt = "p", route = "fal", model = "generate/2.2/t2v" }, "route" },
      { { prompt = "p", route = "direct", model = "v2.2/text-to-video" }, "model" },
      { { prompt = "p", model = "fal-ai/flux/dev" }, "model" },
      { { prompt = "p", model = "v2.2/../../flux" }, "model" },
      { { prompt = "p", duration_seconds = "long" }, "duration_seconds" },
      { { prompt = "p", duration = 0 }, "duration" },
      { { prompt = "p", parameters = { fps = "fast" } }, "parameters.fps" },
      { { prompt = "p", parameters = { seed = 1.5 } }, "parameters.seed" },
      { { prompt = "p", parameters = { resolution = 720 } }, "parameters.resolution" },
      { { prompt = "p", parameters = { image = "a.png" } }, "parameters.image" },
      { { prompt = "p", parameters = { video_url = 5 } }, "parameters.video_url" },
      { { prompt = "p", parameters = { init_image = "data:image/png" } }, "parameters.init_image" },
      { { prompt = "p", parameters = { transitions = "x" } }, "parameters.transitions" },
      { { prompt = "p", parameters = { transitions = { { duration = "x" } } } }, "parameters.transitions[0].duration" },
      { { prompt = "p", parameters = { transitions = { offline.cjson.null } } }, "parameters.transitions[0]" },
      { { prompt = "p", priority = "high" }, "priority" },
    }
    for index, pair in ipairs(bad) do
      it(("refuses %s, case %d"):format(pair[2], index), function()
        local payload, problem = offline.prepare(provider, pair[1])
        assert.is_nil(payload)
        assert.equal(pair[2], problem.field)
      end)
    end

    it("fills in a length and a resolution that Pika sells, for a request without a model only", function()
      local payload = offline.prepare(provider, { prompt = "p" })
      assert.same({ 5, "720p" }, { payload.duration_seconds, payload.parameters.resolution })
      assert.same({ "duration_seconds", "resolution" }, payload.defaulted)
      payload = offline.prepare(provider, { prompt = "p", model = "v2.2/text-to-video" })
      assert.is_nil(payload.duration_seconds)
      assert.is_nil(payload.parameters.resolution)
    end)

    it("needs no prompt where the model needs none", function()
      local answer = submit { model = "v1.5/pikaffects", parameters = { image = A, pikaffect = "ta-da" } }
      assert.same({ image_url = A, pikaffect = "Ta-da" }, answer.upstream.json)
    end)
  end)

  describe("submit", function()
    it("chooses the 2.2 model for what the request brings", function()
      local chosen = {
        { { prompt = "p" }, "v2.2/text-to-video", { prompt = "p", duration = 5, resolution = "720p" } },
        { { prompt = "p", parameters = { image = A } }, "v2.2/image-to-video",
          { prompt = "p", duration = 5, resolution = "720p", image_url = A } },
        { { prompt = "p", parameters = { references = { A, { image_url = B } } } }, "v2.2/pikascenes",
          { prompt = "p", duration = 5, resolution = "720p", images = { { image_url = A }, { image_url = B } } } },
        { { prompt = "p", reference_frames = { A, B } }, "v2.2/pikaframes",
          { prompt = "p", resolution = "720p", image_urls = { A, B } } },
        { { prompt = "p", parameters = { storyboard = { { url = A }, B } } }, "v2.2/pikaframes",
          { prompt = "p", resolution = "720p", image_urls = { A, B } } },
        { { prompt = "p", parameters = { init_video = "https://example.com/v.mp4", image = A } }, "v2/pikadditions",
          { prompt = "p", video_url = "https://example.com/v.mp4", image_url = A } },
      }
      for _, case in ipairs(chosen) do
        local upstream = submit(case[1]).upstream
        assert.equal("https://queue.fal.run/fal-ai/pika/" .. case[2], upstream.url)
        assert.same(case[3], upstream.json)
      end
    end)

    it("takes a model's path with or without what stands before it", function()
      for _, model in ipairs { "v2.1/text-to-video", "pika/v2.1/text-to-video", "fal-ai/pika/v2.1/text-to-video" } do
        assert.equal("https://queue.fal.run/fal-ai/pika/v2.1/text-to-video", submit({ prompt = "p", model = model }).upstream.url)
      end
    end)

    local refused = {
      { "4 seconds", { duration = 4 }, "duration", { 5, 10 } },
      { "16 seconds", { duration_seconds = 16 }, "duration_seconds", { 5, 10 } },
      { "a fraction of a second more", { parameters = { duration_seconds = 5.5 } }, "parameters.duration_seconds", { 5, 10 } },
      { "4k", { parameters = { resolution = "4K" } }, "parameters.resolution", { "720p", "1080p" } },
      { "a size in pixels", { parameters = { width = 1280, height = 720 } }, "parameters.width", { "720p", "1080p" } },
      { "two videos", { parameters = { samples = 2 } }, "parameters.samples", { 1 } },
      { "a length of what has none", { duration = 5, model = "v2/pikadditions", parameters = { video = A, image = A } },
        "duration" },
      { "words in place of a picture", { parameters = { frames = { A, "a castle" } } }, "parameters.frames[1]" },
      { "a single frame", { parameters = { frames = { A } } }, "parameters.frames" },
      { "transitions of more than 25 seconds", { parameters = { frames = { A, B }, transitions = { { duration = 26 } } } },
        "parameters.transitions" },
      { "a model without its picture", { model = "v2.2/image-to-video" }, "parameters.init_image" },
      { "a video without a picture to add", { parameters = { video = "https://example.com/v.mp4" } }, "parameters.init_image" },
    }
    for _, case in ipairs(refused) do
      it("refuses " .. case[1] .. " before anything is sent", function()
        case[2].prompt = "p"
        local answer = submit(case[2])
        assert.is_nil(answer.invalid)
        assert.same({}, answer.requests)
        assert.equal(case[3], answer.refusal.field)
        if case[4] then assert.same(case[4], answer.refusal.allowed) end
      end)
    end

    it("sends with a warning what its lists have not got, as long as that costs nothing else", function()
      local answer = submit { prompt = "p", aspect_ratio = "21:9" }
      assert.equal("21:9", answer.upstream.json.aspect_ratio)
      assert.same({ "aspect_ratio" }, warned_fields(answer))
      answer = submit { prompt = "p", model = "v1.5/pikaffects", parameters = { image = A, pikaffect = "Fly" } }
      assert.equal("Fly", answer.upstream.json.pikaffect)
      assert.same({ "parameters.pikaffect" }, warned_fields(answer))
    end)

    it("leaves preferences out, with a warning each", function()
      local answer = submit { prompt = "p", motto = "x", parameters = { fps = 30, style = "anime", quality = "high" } }
      assert.same({ "motto", "parameters.fps", "parameters.quality", "parameters.style" }, warned_fields(answer))
      assert.same({ prompt = "p", duration = 5, resolution = "720p" }, answer.upstream.json)
    end)

    it("sends an input that nobody described, and says so", function()
      local answer = submit { prompt = "p", parameters = { camera = "left" } }
      assert.equal("left", answer.upstream.json.camera)
      assert.same({ "parameters.camera" }, warned_fields(answer))
    end)

    it("joins several prompts into Pika's one", function()
      local answer = submit { prompt = "a", prompts = { "b" } }
      assert.equal("a\nb", answer.upstream.json.prompt)
      assert.equal(1, #answer.notes)
    end)
  end)

  describe("estimate", function()
    local figures = {
      { { prompt = "p" }, 0.20, 0.20, 5 },
      { { prompt = "p", duration_seconds = 10 }, 0.40, 0.40, 10 },
      { { prompt = "p", duration_seconds = 10, parameters = { resolution = "1080p" } }, 0.90, 0.90, 10 },
      { { prompt = "p", model = "v2.2/text-to-video" }, 0.20, 0.40, 5 },
      { { prompt = "p", parameters = { image = A } }, 0.20, 0.20, 5 },
      { { prompt = "p", parameters = { references = { A } } }, 0.20, 0.20, 5 },
      { { prompt = "p", parameters = { frames = { A, B, A }, transitions = { { duration = 4 }, { duration = 6 } } } },
        0.40, 0.40, 10 },
      { { prompt = "p", parameters = { frames = { A, B }, transitions = { { duration = 2 } }, resolution = "1080p" } },
        0.30, 0.30, 5 },
      { { prompt = "p", model = "v2.1/image-to-video", parameters = { image = A } }, 0.40, 0.40, 1 },
    }
    for index, figure in ipairs(figures) do
      it("is exact, case " .. index, function()
        local estimate = submit(figure[1]).estimate
        assert.same({ figure[2], figure[2], figure[3], figure[4] },
          { estimate.expected, estimate.low, estimate.high, estimate.quantity })
        assert.equal("2026-11-23", estimate.as_of)
      end)
    end

    it("is nil where no price is known, or nothing would be sent", function()
      for _, request in ipairs {
        { prompt = "p", model = "v2/turbo/text-to-video" },
        { prompt = "p", parameters = { references = { A }, resolution = "1080p" } },
        { prompt = "p", parameters = { frames = { A, B } } },
        { prompt = "p", route = "direct" },
        { prompt = "p", duration = 16 },
      } do
        local answer = submit(request)
        assert.is_nil(answer.estimate)
        assert.is_string(answer.estimate_missing)
      end
    end)
  end)

  describe("a job on fal", function()
    it("is asked for under one app, whatever the model", function()
      for _, payload in ipairs { {}, { model = "v1.5/pikaffects", parameters = {} } } do
        local upstream = offline.poll(provider, { id = "mock-pika-1", state = {}, payload = payload }).upstream
        assert.equal("https://queue.fal.run/fal-ai/pika/requests/mock-pika-1/status?logs=1", upstream.url)
      end
    end)

    it("is followed to its end", function()
      local flow = case_named "fal: full flow"
      local request = flow.given.request
      request.logs = false
      local answer = submit(request, { { status = 200, json = flow.response.body } })
      local job = { id = answer.result.id, state = answer.result.state, payload = answer.payload }
      local first = offline.poll(provider, job, { { status = 202, json = flow.next[1].response.body } })
      assert.same({ flow.next[1].request.url, "running" }, { first.requests[1].url, first.result.status })
      local last = offline.poll(provider, job, {
        { status = 200, json = flow.next[2].response.body }, { status = 200, json = flow.next[3].response.body },
      })
      assert.same({ flow.next[3].request.url, "done" }, { last.requests[2].url, last.result.status })
      assert.equal("pika.mp4", last.result.artifacts[1].filename)
    end)

    it("takes a delivery by webhook", function()
      local body = {
        request_id = "r1", gateway_request_id = "r1", status = "OK", payload = { video = { url = "https://v3.fal.media/v.mp4" } },
      }
      local delivery = { headers = {}, json = body, job = { id = "r1", state = {}, payload = {} } }
      local result = offline.webhook(provider, delivery, {}).result
      assert.same({ "done", "https://v3.fal.media/v.mp4" }, { result.status, result.artifacts[1].url })
    end)
  end)

  describe("the direct route", function()
    local JOB = { id = VIDEO_ID, state = { route = "direct" }, payload = {} }

    local function parts(form)
      local list = {}
      for _, part in ipairs(form) do
        list[#list + 1] = part.name .. "=" .. ((part.filename or part.data_uri) and "(file)" or part.value)
      end
      table.sort(list)
      return list
    end

    it("is off unless asked for, and calls itself unverified", function()
      assert.equal("https://queue.fal.run/fal-ai/pika/v2.2/text-to-video", submit({ prompt = "p" }).upstream.url)
      local answer = submit { prompt = "p", route = "direct" }
      assert.equal("https://devapi.pika.art/generate/2.2/t2v", answer.upstream.url)
      assert.truthy(answer.warnings[1].message:find("unverified", 1, true))
    end)

    it("sends neither key to the other vendor", function()
      assert.same({ "Key {api_key}" }, { submit({ prompt = "p" }).upstream.headers.authorization })
      local headers = submit({ prompt = "p", route = "direct" }).upstream.headers
      assert.is_nil(headers.authorization)
      assert.equal("{direct_api_key}", headers["x-api-key"])
    end)

    it("writes a plain form, and never leaves the resolution to the vendor's dearer default", function()
      local upstream = submit({ prompt = "a cat & a dog", route = "direct", parameters = { seed = 7 } }).upstream
      assert.equal("promptText=a%20cat%20%26%20a%20dog&seed=7&duration=5&resolution=720p", upstream.body)
      assert.equal("application/x-www-form-urlencoded", upstream.headers["content-type"])
    end)

    -- Forms that repeat a field are compared as lists.
    local forms = {
      ["devapi: 2.2 pikascenes (several images)"] = {
        prompt = "the cat wears the hat", route = "direct", duration_seconds = 5, aspect_ratio = "1:1",
        parameters = { references = { PNG, PNG }, ingredients_mode = "creative", resolution = "1080p" },
      },
      ["devapi: 2.2 pikaframes (keyFrames)"] = {
        prompt = "morph", route = "direct", duration_seconds = 5, parameters = { frames = { PNG, PNG }, resolution = "720p" },
      },
    }
    for name, request in pairs(forms) do
      it("sends the recorded form of " .. name, function()
        local case = case_named(name)
        local upstream = submit(request).upstream
        assert.equal(case.request.url, upstream.url)
        assert.same(parts(case.request.form), parts(upstream.form))
        assert.equal("{direct_api_key}", upstream.headers["x-api-key"])
        local result = submit(request, { { status = 200, json = case.response.body } }).result
        assert.same({ VIDEO_ID, "queued", { route = "direct" } }, { result.id, result.status, result.state })
      end)
    end

    it("adds to a video", function()
      local upstream = submit({ prompt = "a duck", route = "direct", parameters = { video = MP4, image = PNG } }).upstream
      assert.equal("https://devapi.pika.art/generate/pikadditions", upstream.url)
      assert.same({ "image=(file)", "promptText=a duck", "video=(file)" }, parts(upstream.form))
    end)

    local refused = {
      { "a URL for a file", { parameters = { image = A } }, "parameters.image" },
      { "a URL in a list", { parameters = { frames = { PNG, B } } }, "parameters.frames[1]" },
      { "a shape too wide", { aspect_ratio = "3:1" }, "aspect_ratio" },
      { "a shape in words", { aspect_ratio = "wide" }, "aspect_ratio" },
      { "a scene without its mode", { parameters = { references = { PNG } } }, "parameters.ingredients_mode" },
      { "11 seconds of frames", { duration = 11, parameters = { frames = { PNG, PNG } } }, "duration" },
    }
    for _, case in ipairs(refused) do
      it("refuses " .. case[1], function()
        case[2].prompt, case[2].route = "p", "direct"
        local answer = submit(case[2])
        assert.same({}, answer.requests)
        assert.equal(case[3], answer.refusal.field)
      end)
    end

    it("understands a refused input", function()
      local case = case_named "devapi: 422 validation"
      local result = submit({ prompt = "p", route = "direct" }, { { status = 422, json = case.response.body } }).result
      assert.same({ "invalid", "value_error.missing", false },
        { result.error.code, result.error.vendor_code, result.error.billed })
    end)

    it("takes the words that third parties saw", function()
      local function poll(body) return offline.poll(provider, JOB, { { status = 200, json = body } }).result end
      assert.equal("running", poll({ status = "processing" }).status)
      assert.equal("done", poll({ status = "complete", url = "https://cdn.pika.art/v.mp4" }).status)
      assert.equal("running", poll({ status = "finished" }).status)
    end)

    it("asks again later, or reports what is final", function()
      local function poll(response) return offline.poll(provider, JOB, { response }).result end
      assert.equal("running", poll({ status = 503 }).status)
      assert.equal("running", poll({ status = 401 }).status)
      assert.equal("not_found", poll({ status = 404 }).error.code)
    end)

    it("cancels on this side only", function()
      local answer = offline.cancel(provider, JOB)
      assert.same({ {}, "canceled" }, { answer.requests, answer.result.status })
      assert.is_string(answer.result.reason)
    end)
  end)
end)
