-- What the recorded contract cannot say about the Stability script: field errors, refusals, warnings, prices, dry-run polls.
local offline = require "author.offline"

local PNG = "data:image/png;base64,iVBORw0KGgo="
local EDIT = "stable-image/edit/"

describe("stability", function()
  local provider
  setup(function() provider = offline.load("providers/image_stability.lua") end)

  local function submit(request, responses) return offline.submit(provider, request, responses) end

  -- The form of the preview, as name -> value (a file: its file name).
  local function form_of(request)
    local answer = submit(request)
    assert.is_truthy(answer.upstream, answer.refusal and "refused" or "no upstream")
    local form = {}
    for _, part in ipairs(answer.upstream.form) do form[part.name] = part.value or part.filename end
    return form, answer
  end

  -- The refused fields, as field -> refusal. Fails if anything was sent.
  local function refusals_of(request)
    local answer = submit(request)
    assert.is_nil(answer.invalid)
    assert.is_nil(answer.upstream)
    assert.same({}, answer.requests)
    local refusals = answer.refusal.field and { answer.refusal } or answer.refusal
    local by_field = {}
    for _, refusal in ipairs(refusals) do by_field[refusal.field] = refusal end
    return by_field
  end

  local function warned_fields(answer)
    local fields = {}
    for _, warning in ipairs(answer.warnings) do fields[#fields + 1] = warning.field end
    table.sort(fields)
    return fields
  end

  describe("field errors", function()
    local function invalid_field(request)
      local payload, problem = offline.prepare(provider, request)
      assert.is_nil(payload)
      return problem.field
    end

    for _, case in ipairs {
      { "no prompt", {}, "prompt" },
      { "blank prompt", { prompt = "  " }, "prompt" },
      { "prompt of another type", { prompt = { "x" } }, "prompt" },
      { "prompt of another type, though none is needed", { model = EDIT .. "erase", prompt = 1 }, "prompt" },
      { "unknown mode", { prompt = "x", mode = "inpaint" }, "mode" },
      { "unknown operation", { prompt = "x", operation = "inpaint" }, "operation" },
      { "parameters not an object", { prompt = "x", parameters = "y" }, "parameters" },
      { "model not text", { prompt = "x", model = 3 }, "model" },
      { "samples not a number", { prompt = "x", parameters = { samples = "many" } }, "parameters.samples" },
      { "samples below one", { prompt = "x", parameters = { samples = -1 } }, "parameters.samples" },
      { "seed with a fraction", { prompt = "x", parameters = { seed = 1.5 } }, "parameters.seed" },
      { "guidance not a number", { prompt = "x", parameters = { guidance_scale = "high" } }, "parameters.guidance_scale" },
      { "width not a number", { prompt = "x", parameters = { width = true } }, "parameters.width" },
      { "an image that is not text", { prompt = "x", init_image = 7 }, "init_image" },
      { "safety not an object", { prompt = "x", safety = "strict" }, "safety" },
    } do
      it(case[1], function() assert.equal(case[3], invalid_field(case[2])) end)
    end

    it("takes a numeric string", function()
      local payload = offline.prepare(provider, { prompt = "x", parameters = { seed = "7", samples = " 2 " } })
      assert.equal(7, payload.parameters.seed)
      assert.equal(2, payload.parameters.samples)
    end)

    it("names the first wrong field in the order of the names, whatever the table's", function()
      local request = { prompt = "x", parameters = { seed = {}, cfg_scale = {} } }
      for _ = 1, 5 do assert.equal("parameters.cfg_scale", invalid_field(request)) end
    end)
  end)

  describe("models and modes", function()
    local function url_of(request) return submit(request).upstream.url:match("stable%-image/(.*)$") end

    it("uses the cheap default of each mode", function()
      assert.equal("generate/core", url_of { prompt = "x" })
      assert.equal("generate/sd3", url_of { prompt = "x", mode = "image-to-image", init_image = PNG })
      assert.equal("sd3.5-medium", form_of { prompt = "x", mode = "image-to-image", init_image = PNG }.model)
    end)

    it("knows a service by its names", function()
      for _, name in ipairs { "ultra", "generate/ultra", "stable-image/generate/ultra", "/v2beta/stable-image/generate/ultra",
        "Stable-Image-Ultra" } do
        assert.equal("generate/ultra", url_of { prompt = "x", model = name })
      end
    end)

    it("picks the sd3 model by the vendor's own field, and the vendor's default without", function()
      assert.equal("sd3.5-large", form_of { prompt = "x", model = "sd3" }.model)
      local request = { prompt = "x", model = "stable-image/generate/sd3", parameters = { model = "sd3.5-large-turbo" } }
      assert.equal("sd3.5-large-turbo", form_of(request).model)
      assert.equal("sd3.5-medium", form_of { prompt = "x", parameters = { model = "sd3.5-medium" } }.model)
    end)

    it("refuses two models that contradict each other", function()
      local request = { prompt = "x", model = "sd3.5-medium", parameters = { model = "sd3.5-large" } }
      assert.is_truthy(refusals_of(request)["parameters.model"])
      assert.is_truthy(refusals_of { prompt = "x", model = "core", parameters = { model = "sd3.5-large" } }["parameters.model"])
      local unknown = refusals_of { prompt = "x", model = "sd3", parameters = { model = "sd4" } }["parameters.model"]
      assert.same({ "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash" }, unknown.allowed)
    end)

    it("refuses an unknown model and names the known ones", function()
      local refusal = refusals_of { prompt = "x", model = "sdxl" }.model
      assert.equal("core", refusal.allowed[1])
      assert.truthy(refusals_of { prompt = "x", model = "image-to-video" }.model.message:find("2025-07-24", 1, true))
    end)

    it("sends what the client wrote to a service that is not described, untouched", function()
      local parameters = { strength_map = " Exact ", mode_of_work = "Fast", count = 3, ratio = 0.25, on = true, picture = PNG }
      local answer = submit { model = "stable-image/edit/paint-by-words", prompt = " A Cat ", parameters = parameters }
      assert.truthy(answer.upstream.url:find("/v2beta/stable-image/edit/paint-by-words", 1, true))
      local form = {}
      for _, part in ipairs(answer.upstream.form) do form[part.name] = part.value or part.filename end
      assert.same({
        prompt = " A Cat ", strength_map = " Exact ", mode_of_work = "Fast", count = "3", ratio = "0.25", on = "true",
        picture = "picture.png",
      }, form)
      assert.is_nil(answer.estimate)
      assert.truthy(answer.estimate_missing:find("paint-by-words", 1, true))
    end)

    it("refuses what no form can hold", function()
      local many = {}
      for index = 1, 70 do many["p" .. index] = index end
      for _, parameters in ipairs { many, { ["a\nb"] = 1 }, { [("n"):rep(300)] = 1 } } do
        for _, model in ipairs { "stable-image/edit/paint-by-words", "core" } do
          local answer = submit { model = model, prompt = "x", parameters = parameters }
          assert.is_nil(answer.upstream)
          assert.is_truthy(answer.refusal)
        end
      end
    end)

    it("sends a parameter that is not known here, and then knows no price", function()
      local form, answer = form_of { prompt = "x", parameters = { turbo = "Max" } }
      assert.equal("Max", form.turbo)
      assert.same({ "parameters.turbo" }, warned_fields(answer))
      assert.is_nil(answer.estimate)
      assert.truthy(answer.estimate_missing:find("^parameters.turbo"))
    end)

    it("concludes the mode from an image, and adds the strength that the vendor requires", function()
      local form, answer = form_of { prompt = "x", image = PNG }
      assert.equal("image-to-image", answer.payload.mode)
      assert.equal("image-to-image", form.mode)
      assert.equal("0.5", form.strength)
      assert.equal("image.png", form.image)
      assert.equal(PNG, answer.payload.init_image)
    end)

    it("keeps the client's strength, wherever it was given", function()
      assert.equal("0.25", form_of { prompt = "x", image = PNG, strength = 0.25 }.strength)
      assert.equal("0", form_of { prompt = "x", image = PNG, parameters = { strength = 0 } }.strength)
    end)

    it("notes that flash may be refused", function()
      assert.equal(1, #submit { prompt = "x", model = "sd3.5-flash" }.notes)
      assert.equal(0, #submit { prompt = "x", model = "sd3.5-medium" }.notes)
    end)
  end)

  describe("translation", function()
    it("sends our names under the vendor's", function()
      local request = { prompt = "x", model = "sd3.5-large", style = "Anime", parameters = { guidance_scale = 7.0 } }
      local form = form_of(request)
      assert.equal("7", form.cfg_scale)
      assert.equal("anime", form.style_preset)
    end)

    it("reads vendor fields at the top of the request too", function()
      local model = EDIT .. "search-and-replace"
      local form = form_of { model = model, prompt = "a cat", search_prompt = "dog", image = PNG, grow_mask = 3 }
      assert.same({ prompt = "a cat", search_prompt = "dog", image = "image.png", grow_mask = "3" }, form)
    end)

    it("asks for no prompt where the service has none, and leaves one out with a warning", function()
      local form, answer = form_of { model = EDIT .. "remove-background", image = PNG, prompt = "x" }
      assert.same({ image = "image.png" }, form)
      assert.same({ "prompt" }, warned_fields(answer))
      assert.same({}, warned_fields(submit { model = EDIT .. "remove-background", image = PNG }))
    end)

    it("relights with the prompt as the background, unless one is given", function()
      local model = EDIT .. "replace-background-and-relight"
      local form = form_of { model = model, prompt = "a beach", init_image = PNG, keep_original_background = false }
      local expected = { background_prompt = "a beach", subject_image = "subject_image.png", keep_original_background = "false" }
      assert.same(expected, form)
      local references = { background_reference = PNG, light_reference = PNG }
      local other = form_of { model = model, subject_image = PNG, parameters = references }
      assert.equal("background_reference.png", other.background_reference)
      assert.equal("light_reference.png", other.light_reference)
    end)

    it("takes bare base64 of an image as a file", function()
      local answer = submit { prompt = "x", image = "/9j/4AAQ" }
      for _, part in ipairs(answer.upstream.form) do
        if part.name == "image" then
          assert.equal("image/jpeg", part.content_type)
          assert.equal("data:image/jpeg;base64,/9j/4AAQ", part.data_uri)
        end
      end
      assert.equal("image.jpg", form_of({ prompt = "x", image = "/9j/4AAQ" }).image)
    end)

    it("writes no number in exponent form", function()
      assert.equal("4294967294", form_of({ prompt = "x", parameters = { seed = 4294967294 } }).seed)
      assert.equal("4294967294", form_of({ prompt = "x", parameters = { seed = 4294967294.0 } }).seed)
    end)
  end)

  describe("refuses before anything is sent", function()
    for _, case in ipairs {
      { "several images", { prompt = "x", parameters = { samples = 4 } }, "parameters.samples" },
      { "several images by another name", { prompt = "x", parameters = { num_images = 2 } }, "parameters.num_images" },
      { "several images at the top", { prompt = "x", n = 2 }, "n" },
      { "a pixel width", { prompt = "x", parameters = { width = 1024 } }, "parameters.width" },
      { "a pixel height at the top", { prompt = "x", height = 1024 }, "height" },
      { "a resolution", { prompt = "x", parameters = { resolution = "1024x1024" } }, "parameters.resolution" },
      { "a duration", { prompt = "x", parameters = { duration_seconds = 4 } }, "parameters.duration_seconds" },
      { "reference frames", { prompt = "x", parameters = { reference_frames = { PNG } } }, "parameters.reference_frames" },
      { "an image in text mode", { prompt = "x", mode = "text-to-image", init_image = PNG }, "init_image" },
      { "image mode without an image", { prompt = "x", mode = "image-to-image" }, "init_image" },
      { "an image where the model takes none", { prompt = "x", model = "core", image = PNG }, "model" },
      { "an aspect ratio with an image on sd3", { prompt = "x", image = PNG, aspect_ratio = "1:1" }, "aspect_ratio" },
      { "an address for an image", { prompt = "x", image = "https://example.com/a.png" }, "init_image" },
      { "a file that is no image", { prompt = "x", image = "data:text/plain;base64,AAAA" }, "init_image" },
      { "an empty image", { prompt = "x", image = "data:image/png;base64," }, "init_image" },
      { "an image in percent code", { prompt = "x", image = "data:image/png,%89PNG" }, "init_image" },
      { "an image over 10 MiB", { prompt = "x", image = PNG .. ("A"):rep(14 * 1024 * 1024) }, "init_image" },
      { "a second image", { prompt = "x", init_image = PNG, image = "/9j/4AAQ" }, "image" },
      { "a mask without a use", { prompt = "x", mask = PNG }, "mask" },
      { "edit without an image", { model = EDIT .. "inpaint", prompt = "x" }, "init_image" },
      { "replace without a search prompt", { model = EDIT .. "search-and-replace", prompt = "x", image = PNG },
        "parameters.search_prompt" },
      { "outpaint nowhere", { model = EDIT .. "outpaint", image = PNG, parameters = { left = 0 } }, "parameters.left" },
      { "relight without a background", { model = EDIT .. "replace-background-and-relight", image = PNG },
        "parameters.background_prompt" },
      { "style transfer without a style", { model = "stable-image/control/style-transfer", init_image = PNG },
        "parameters.style_image" },
    } do
      it(case[1], function()
        local refusals = refusals_of(case[2])
        assert.is_truthy(refusals[case[3]])
        local count = 0
        for _ in pairs(refusals) do count = count + 1 end
        assert.equal(1, count)
      end)
    end

    it("names what is allowed", function()
      assert.same({ 1 }, refusals_of({ prompt = "x", parameters = { samples = 4 } })["parameters.samples"].allowed)
    end)

    it("names every reason at once", function()
      local refusals = refusals_of { prompt = "x", parameters = { samples = 4, width = 512, height = 512 } }
      assert.is_truthy(refusals["parameters.samples"] and refusals["parameters.width"] and refusals["parameters.height"])
    end)
  end)

  describe("sends with a warning, since the vendor may take more than is known here", function()
    for _, case in ipairs {
      { "an unknown aspect ratio", { prompt = "x", parameters = { aspect_ratio = "7:3" } }, "parameters.aspect_ratio", "7:3" },
      { "an unknown file format", { prompt = "x", parameters = { output_format = "gif" } }, "parameters.output_format", "gif" },
      { "a style", { prompt = "x", style_preset = "vaporwave" }, "style_preset", "vaporwave" },
      { "a seed beyond the vendor's", { prompt = "x", parameters = { seed = 4294967295 } }, "parameters.seed", "4294967295" },
      { "a negative seed", { prompt = "x", parameters = { seed = -1 } }, "parameters.seed", "-1" },
      { "guidance out of range", { prompt = "x", model = "sd3", guidance_scale = 11 }, "guidance_scale", "11", "cfg_scale" },
      { "strength out of range", { prompt = "x", image = PNG, strength = 1.1 }, "strength", "1.1" },
      { "a prompt too long", { prompt = ("é"):rep(10001) }, "prompt", ("é"):rep(10001) },
      { "outpaint too far", { model = EDIT .. "outpaint", image = PNG, parameters = { up = 2001 } }, "parameters.up", "2001" },
      { "JPEG where there is transparency", { model = EDIT .. "remove-background", image = PNG, output_format = "jpeg" },
        "output_format", "jpeg" },
      { "creativity below the service's range",
        { model = "stable-image/upscale/conservative", prompt = "x", image = PNG, parameters = { creativity = 0.1 } },
        "parameters.creativity", "0.1" },
    } do
      it(case[1], function()
        local form, answer = form_of(case[2])
        assert.equal(case[4], form[case[5] or case[3]:match("[^.]+$")])
        assert.same({ case[3] }, warned_fields(answer))
        assert.is_number(answer.estimate.expected)
      end)
    end

    it("nothing within the range of each upscaler", function()
      local request = { model = "stable-image/upscale/creative", prompt = "x", image = PNG, parameters = { creativity = 0.1 } }
      local form, answer = form_of(request)
      assert.equal("0.1", form.creativity)
      assert.same({}, answer.warnings)
    end)
  end)

  describe("leaves out with a warning", function()
    it("preferences that the service lacks", function()
      local form, answer = form_of {
        prompt = "x", safety = { level = "strict" }, parameters = { steps = 30, cfg_scale = 7, fps = 24, sampler = "euler" },
      }
      assert.same({ prompt = "x" }, form)
      assert.same({ "parameters.cfg_scale", "parameters.fps", "parameters.sampler", "parameters.steps", "safety" },
        warned_fields(answer))
      assert.equal(30, answer.payload.parameters.steps)
    end)

    it("an unknown field of the request, whose value is not repeated", function()
      local form, answer = form_of { prompt = "x", api_secret = "hush" }
      assert.same({ prompt = "x" }, form)
      assert.same({ "api_secret" }, warned_fields(answer))
      assert.same({ "api_secret" }, answer.payload.ignored)
      assert.is_nil(answer.payload.api_secret)
    end)

    it("nothing of a plain request", function()
      local _, answer = form_of { prompt = "x", negative_prompt = "y", parameters = { samples = 1 } }
      assert.same({}, answer.warnings)
    end)
  end)

  describe("estimate", function()
    for _, case in ipairs {
      { { prompt = "x" }, 0.03 }, { { prompt = "x", model = "ultra" }, 0.08 },
      { { prompt = "x", model = "sd3" }, 0.065 }, { { prompt = "x", model = "sd3.5-large-turbo" }, 0.04 },
      { { prompt = "x", model = "sd3.5-medium" }, 0.035 }, { { prompt = "x", model = "sd3.5-flash" }, 0.025 },
      { { prompt = "x", image = PNG }, 0.035 }, { { prompt = "x", parameters = { samples = 4 } }, 0.12 },
      { { model = EDIT .. "erase" }, 0.05 }, { { model = EDIT .. "outpaint" }, 0.04 },
      { { model = EDIT .. "replace-background-and-relight" }, 0.08 },
      { { model = "stable-image/control/style-transfer" }, 0.08 },
      { { model = "stable-image/control/style", prompt = "x" }, 0.05 },
      { { model = "stable-image/upscale/fast" }, 0.02 }, { { model = "stable-image/upscale/creative", prompt = "x" }, 0.6 },
      { { model = "stable-image/upscale/conservative", prompt = "x" }, 0.4 },
    } do
      it(("%s is %s dollars"):format(case[1].model or "the default", case[2]), function()
        local estimate = provider.estimate(offline.prepare(provider, case[1]))
        assert.is_true(math.abs(estimate.expected - case[2]) < 1e-12)
        assert.equal(estimate.expected, estimate.low)
        assert.equal(estimate.expected, estimate.high)
        assert.equal(case[1].parameters and 4 or 1, estimate.quantity)
        assert.equal("2026-11-23", estimate.as_of)
      end)
    end

    it("is unknown, not zero, for an unknown model", function()
      local estimate, missing = provider.estimate(offline.prepare(provider, { prompt = "x", model = "sdxl" }))
      assert.is_nil(estimate)
      assert.truthy(missing:find("sdxl", 1, true))
    end)

    it("has a price for every model that is offered", function()
      for _, model in ipairs(provider.capabilities.models) do
        assert.is_number(provider.pricing.credits_per_image[model], model)
      end
    end)
  end)

  describe("answers", function()
    it("takes plain bytes, though JSON was asked for", function()
      local headers = { ["content-type"] = "image/webp", ["finish-reason"] = "SUCCESS", seed = "42", ["x-request-id"] = "r1" }
      local result = submit({ prompt = "x" }, { { status = 200, headers = headers, body = "\0\255image" } }).result
      assert.equal("done", result.status)
      assert.equal("r1", result.id)
      local artifact = { base64 = "AP9pbWFnZQ==", content_type = "image/webp", filename = "stability.webp", seed = 42 }
      assert.same({ artifact }, result.artifacts)
    end)

    it("accepts 202 for the start of a long job", function()
      local request = { model = "stable-image/upscale/creative", prompt = "x", image = PNG }
      local result = submit(request, { { status = 202, json = { id = "abc" } } }).result
      assert.equal("queued", result.status)
      assert.equal("abc", result.id)
    end)

    it("does not take an answer without an image for a result", function()
      local result = submit({ prompt = "x" }, { { status = 200, body = "<html>" } }).result
      assert.equal("vendor", result.error.code)
      assert.is_nil(result.error.billed)
      assert.is_nil(result.artifacts)
    end)

    it("takes a 403 of the content policy for moderation, another 403 for the key", function()
      local body = { id = "x", name = "content_moderation", errors = { "Your request was flagged." } }
      local error = submit({ prompt = "x" }, { { status = 403, json = body } }).result.error
      assert.equal("moderation", error.code)
      assert.is_false(error.billed)
      assert.truthy(error.message:find("Your request was flagged.", 1, true))
      assert.equal("auth", submit({ prompt = "x" }, { { status = 403, body = "Forbidden" } }).result.error.code)
    end)

    it("says nothing of the vendor's text about money or keys", function()
      local body = { name = "payment_required", errors = { "You have 0.5 credits" } }
      local error = submit({ prompt = "x" }, { { status = 402, json = body } }).result.error
      assert.equal("credit", error.code)
      assert.falsy(error.message:find("0.5", 1, true))
    end)

    it("does not claim that a lost submit cost nothing", function()
      local lost = submit({ prompt = "x" }, { { failure = { kind = "timeout", message = "no answer in 180 s" } } }).result
      assert.equal("timeout", lost.error.code)
      assert.is_nil(lost.error.billed)
      assert.is_nil(submit({ prompt = "x" }, { { status = 502, body = "" } }).result.error.billed)
    end)

    it("prefers the vendor's Retry-After to the known lock-out", function()
      local response = { status = 429, headers = { ["retry-after"] = "7" }, json = { name = "rate_limit_exceeded" } }
      assert.equal(7, submit({ prompt = "x" }, { response }).result.retry_after)
    end)
  end)

  describe("poll", function()
    local JOB = { id = "mock-stability-1", state = {}, payload = {} }

    it("asks for the result of a job that the host does not know", function()
      local upstream = offline.poll(provider, JOB).upstream
      assert.equal("GET", upstream.method)
      assert.equal("https://api.stability.ai/v2beta/results/mock-stability-1", upstream.url)
    end)

    it("refuses an id that would leave the path", function()
      local answer = offline.poll(provider, { id = "../user/account", state = {}, payload = {} })
      assert.equal("job_id", answer.refusal.field)
      assert.same({}, answer.requests)
    end)

    it("lets the job go on when the vendor cannot be asked", function()
      local job = { id = "abc", state = { usd = 0.6 }, payload = {} }
      for _, response in ipairs { { status = 503, body = "" }, { failure = { kind = "timeout", message = "x" } } } do
        local result = offline.poll(provider, job, { response }).result
        assert.equal("running", result.status)
        assert.equal(10, result.retry_after)
        assert.same({ usd = 0.6 }, result.state)
      end
      local locked_out = { status = 429, json = { name = "rate_limit_exceeded" } }
      assert.equal(60, offline.poll(provider, job, { locked_out }).result.retry_after)
    end)

    it("reads an image under either name", function()
      local response = { status = 200, json = { image = "AAAA", finish_reason = "SUCCESS", seed = 1 } }
      local job = { id = "abc", state = { output_format = "webp" }, payload = {} }
      local result = offline.poll(provider, job, { response }).result
      assert.equal("AAAA", result.artifacts[1].base64)
      assert.equal("image/webp", result.artifacts[1].content_type)
      assert.is_nil(result.cost)
    end)

    it("does not deliver a filtered image", function()
      local response = { status = 200, json = { result = "AAAA", finish_reason = "CONTENT_FILTERED", seed = 1 } }
      local result = offline.poll(provider, JOB, { response }).result
      assert.equal("moderation", result.error.code)
      assert.is_nil(result.artifacts)
    end)
  end)

  describe("health", function()
    it("says when there is nothing left to spend", function()
      local result = offline.health(provider, { { status = 200, json = { credits = 0 } } }).result
      assert.is_true(result.ok)
      assert.equal(0, result.balance_usd)
      assert.equal(1, #result.notes)
    end)

    it("is not well without an answer that makes sense", function()
      assert.is_false(offline.health(provider, { { status = 200, body = "<html>" } }).result.ok)
      local lost = offline.health(provider, { { failure = { kind = "connect", message = "refused" } } }).result
      assert.is_false(lost.ok)
      assert.truthy(lost.reason:find("refused", 1, true))
    end)
  end)
end)

describe("data_uri", function()
  local data_uri = require "data_uri"

  it("tells content type and size without decoding", function()
    local expected = { content_type = "image/png", base64 = true, first = 23, bytes = 2 }
    assert.same(expected, data_uri.parse("DATA:image/PNG;base64,AAA="))
    assert.equal("text/plain", data_uri.content_type("data:,hi"))
    assert.is_nil(data_uri.parse("data:,hi").bytes)
    assert.equal(1, data_uri.parse("data:image/png;name=x;base64,AA==").bytes)
  end)

  it("says what is wrong with one", function()
    local too_long = "data:" .. ("x"):rep(300) .. ",AA"
    for _, text in ipairs { "https://example.com", "data:image/png", "data:image;base64,AA", too_long } do
      local parsed, problem = data_uri.parse(text)
      assert.is_nil(parsed)
      assert.is_string(problem)
    end
  end)
end)

describe("base64", function()
  local base64 = require "base64"

  it("encodes every length of the last group", function()
    assert.same({ "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==" },
      { base64.encode(""), base64.encode("f"), base64.encode("fo"), base64.encode("foo"), base64.encode("foob") })
  end)

  it("joins its blocks without a seam", function()
    assert.equal(("AP8A"):rep(2000), base64.encode(("\0\255\0"):rep(2000)))
  end)
end)

describe("http_errors", function()
  local http_errors = require "http_errors"

  it("reads Retry-After in seconds and as a date", function()
    assert.equal(2, http_errors.retry_after { headers = { ["retry-after"] = "1.2" } })
    local headers = { ["retry-after"] = "Thu, 01 Mar 2024 00:00:30 GMT", date = "Wed, 28 Feb 2024 23:59:30 GMT" }
    assert.equal(86400 + 60, http_errors.retry_after { headers = headers })
    headers.date = nil
    assert.is_nil(http_errors.retry_after { headers = headers })
    assert.is_nil(http_errors.retry_after { headers = { ["retry-after"] = "soon" } })
  end)

  it("makes a vendor's text fit to show", function()
    assert.equal("a b", http_errors.safe_text("  a\n\tb "))
    assert.is_nil(http_errors.safe_text("Traceback (most recent call last):\n  File \"x.py\""))
    assert.is_nil(http_errors.safe_text("\255"))
    assert.equal(300, #http_errors.safe_text(("é"):rep(200)))
  end)

  it("knows that a request that never left cost nothing", function()
    assert.is_false(http_errors.failure({ kind = "connect", message = "refused" }).billed)
    assert.is_nil(http_errors.failure({ kind = "timeout", message = "x" }).billed)
  end)

  it("tells what may be asked again", function()
    assert.is_true(http_errors.is_transient(nil))
    for _, status in ipairs { 408, 425, 429, 500, 502, 503, 504 } do
      assert.is_true(http_errors.is_transient { status = status })
    end
    for _, status in ipairs { 200, 303, 400, 401, 402, 404, 410, 501 } do
      assert.is_false(http_errors.is_transient { status = status })
    end
  end)
end)
