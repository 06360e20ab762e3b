-- fal.ai: what the recorded contract cases cannot say: refusals, warnings, defaults, estimates, webhooks, whole flows.
local contract = require "spec.support.contract"
local offline = require "author.offline"

local ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
local PICTURE = "https://example.com/a.png"
local JOB = { id = ID, state = {}, payload = {} }

local function case_named(name)
  for _, case in ipairs(contract.cases "fal") do
    if case.name == name then return case end
  end
  error("no such case: " .. name)
end

describe("fal", function()
  local provider
  setup(function() provider = contract.load "fal" end)

  local function submit(request, responses, options) return offline.submit(provider, request, responses, options) end
  local function sent(request) return submit(request).upstream end
  local function poll(responses, job) return offline.poll(provider, job or JOB, responses).result end

  local function warned_fields(answer)
    local fields = {}
    for _, warning in ipairs(answer.warnings) do fields[#fields + 1] = warning.field end
    table.sort(fields)
    return fields
  end

  describe("prepare", function()
    local bad = {
      { {}, "prompt" },
      { { prompt = "  " }, "prompt" },
      { { prompt = 7 }, "prompt" },
      { { prompt = "p", mode = "video" }, "mode" },
      { { prompt = "p", mode = 1 }, "mode" },
      { { prompt = "p", route = "sync" }, "route" },
      { { prompt = "p", model = "flux" }, "model" },
      { { prompt = "p", model = "fal-ai/../x" }, "model" },
      { { prompt = "p", model = "fal-ai//flux" }, "model" },
      { { prompt = "p", model = "fal-ai/flux?x=1" }, "model" },
      { { prompt = "p", model = "https://example.com/x" }, "model" },
      { { prompt = "p", parameters = "x" }, "parameters" },
      { { prompt = "p", parameters = { steps = "many" } }, "parameters.steps" },
      { { prompt = "p", parameters = { num_inference_steps = 0 } }, "parameters.num_inference_steps" },
      { { prompt = "p", parameters = { steps = 2.5 } }, "parameters.steps" },
      { { prompt = "p", parameters = { cfg_scale = {} } }, "parameters.cfg_scale" },
      { { prompt = "p", parameters = { guidance_scale = -1 } }, "parameters.guidance_scale" },
      { { prompt = "p", parameters = { samples = 0 } }, "parameters.samples" },
      { { prompt = "p", parameters = { seed = true } }, "parameters.seed" },
      { { prompt = "p", parameters = { resolution = 1024 } }, "parameters.resolution" },
      { { prompt = "p", parameters = { width = 512 } }, "parameters.height" },
      { { prompt = "p", parameters = { image_size = { width = 512 } } }, "parameters.image_size.height" },
      { { prompt = "p", parameters = { image_size = "square", resolution = "1024x1024" } }, "parameters.resolution" },
      { { prompt = "p", parameters = { width = 512, height = 512, resolution = "1024x1024" } }, "parameters.width" },
      { { prompt = "p", parameters = { width = 512, height = 512, image_size = "portrait_4_3" } }, "parameters.width" },
      { { prompt = "p", parameters = { image = "http://example.com/a.png" } }, "parameters.image" },
      { { prompt = "p", parameters = { init_image = "data:image/png;base64" } }, "parameters.init_image" },
      { { prompt = "p", parameters = { sync_mode = "yes" } }, "parameters.sync_mode" },
      { { prompt = "p", parameters = { loras = "x" } }, "parameters.loras" },
      { { prompt = "p", webhook = "ftp://example.com" }, "webhook" },
      { { prompt = "p", parameters = { webhook_url = "x" } }, "parameters.webhook_url" },
      { { prompt = "p", priority = "high" }, "priority" },
      { { prompt = "p", start_timeout_seconds = 1 }, "start_timeout_seconds" },
      { { prompt = "p", expires_in_seconds = 0 }, "expires_in_seconds" },
      { { prompt = "p", ["x-fal-queue-priority"] = "high" }, "x-fal-queue-priority" },
      { { prompt = "p", parameters = { ["X-Fal-Request-Timeout"] = 1 } }, "parameters.X-Fal-Request-Timeout" },
      { { prompt = "p", fal_webhook = "x" }, "fal_webhook" },
      { { prompt = "p", ["x-fal-no-retry"] = 2 }, "x-fal-no-retry" },
      { { prompt = "p", ["x-fal-object-lifecycle-preference"] = "{" }, "x-fal-object-lifecycle-preference" },
      { { prompt = "p", ["x-fal-object-lifecycle-preference"] = { days = 1 } }, "x-fal-object-lifecycle-preference.days" },
    }
    for index, pair in ipairs(bad) do
      it(("refuses %s, case %d"):format(pair[2], index), function()
        local payload, problem = offline.prepare(provider, pair[1])
        assert.is_nil(payload)
        assert.equal(pair[2], problem.field)
        assert.is_string(problem.message)
      end)
    end

    it("keeps what the older API dropped", function()
      local payload = offline.prepare(provider, {
        prompt = "p", negative_prompt = "blur", webhook = "https://example.com/hook", parameters = { gpu = "A100" },
      })
      assert.equal("blur", payload.parameters.negative_prompt)
      assert.equal("A100", payload.parameters.gpu)
      assert.equal("https://example.com/hook", payload.queue.webhook)
    end)

    -- Our name, fal's own, a value of each, and where it goes: a header, or the query.
    local options = {
      { "webhook", "fal_webhook", "https://example.com/hook", "https://example.com/hook", "url", "fal_webhook=https%%3A" },
      { "priority", "x-fal-queue-priority", "low", "LOW", "x-fal-queue-priority", "^low$" },
      { "start_timeout_seconds", "x-fal-request-timeout", 30, "30", "x-fal-request-timeout", "^30$" },
      { "runner_hint", "x-fal-runner-hint", "warm", "warm", "x-fal-runner-hint", "^warm$" },
      { "expires_in_seconds", "x-fal-object-lifecycle-preference", 3600, { expiration_duration_seconds = 3600 },
        "x-fal-object-lifecycle-preference", "^{\"expiration_duration_seconds\":3600}$" },
      { "expires_in_seconds", "X-Fal-Object-Lifecycle-Preference", 3600, '{"expiration_duration_seconds":3600}',
        "x-fal-object-lifecycle-preference", "^{\"expiration_duration_seconds\":3600}$" },
      { "retry", "x-fal-no-retry", false, 1, "x-fal-no-retry", "^1$" },
      { "retry", "X-Fal-No-Retry", false, "1", "x-fal-no-retry", "^1$" },
      { "store_io", "x-fal-store-io", false, "0", "x-fal-store-io", "^0$" },
      { "store_io", "X-Fal-Store-IO", true, 1, "x-fal-store-io", "^1$" },
    }
    for index, option in ipairs(options) do
      local own, vendors, own_value, vendors_value, place, pattern = table.unpack(option)
      for kind, request in pairs {
        ["our name"] = { [own] = own_value },
        ["our name among the parameters"] = { parameters = { [own] = own_value } },
        ["fal's name"] = { [vendors] = vendors_value },
        ["fal's name among the parameters"] = { parameters = { [vendors] = vendors_value } },
      } do
        it(("takes %s by %s, case %d"):format(own, kind, index), function()
          request.prompt = "p"
          local answer = submit(request)
          assert.same({}, answer.warnings)
          local sent_value = place == "url" and answer.upstream.url or answer.upstream.headers[place]
          assert.truthy(sent_value:find(pattern))
          assert.same(sent { prompt = "p" }.json, answer.upstream.json)
        end)
      end
    end

    it("lists them for clients", function()
      assert.equal("x-fal-queue-priority", provider.capabilities.queue_options.priority)
      assert.equal("fal_webhook", provider.capabilities.queue_options.webhook)
      assert.equal("logs", provider.capabilities.queue_options.logs)
    end)

    it("leaves a plain word to a model that is not described, and fal's own names to the queue", function()
      local upstream = sent { model = "fal-ai/esrgan", parameters = { priority = 3, ["x-fal-queue-priority"] = "low" } }
      assert.same({ priority = 3 }, upstream.json)
      assert.equal("low", upstream.headers["x-fal-queue-priority"])
    end)

    it("takes numbers as text", function()
      local payload = offline.prepare(provider, { prompt = "p", parameters = { steps = " 4 ", cfg_scale = "3.5", seed = "7" } })
      assert.equal(4, payload.parameters.steps)
      assert.equal(3.5, payload.parameters.guidance_scale)
      assert.equal(7, payload.parameters.seed)
    end)

    it("names its own defaults, and gives a named model none", function()
      assert.same({ "guidance_scale", "resolution", "steps" }, offline.prepare(provider, { prompt = "p" }).defaulted)
      local payload = offline.prepare(provider, { prompt = "p", model = "fal-ai/flux/dev" })
      assert.is_nil(payload.defaulted)
      assert.same({}, payload.parameters)
    end)

    it("lets a model that is not described go without a prompt", function()
      assert.equal("https://queue.fal.run/fal-ai/esrgan", sent {
        model = "fal-ai/esrgan", parameters = { init_image = "https://example.com/a.png" },
      }.url)
    end)
  end)

  describe("submit", function()
    it("sends a plain prompt to Schnell, with those of our defaults that it takes", function()
      local answer = submit { prompt = "a cat" }
      assert.equal("https://queue.fal.run/fal-ai/flux/schnell", answer.upstream.url)
      assert.same({ prompt = "a cat", guidance_scale = 7.5, image_size = { width = 1024, height = 1024 } }, answer.upstream.json)
      assert.equal(1, #answer.notes)
      assert.truthy(answer.notes[1]:find("parameters.steps", 1, true))
    end)

    it("sends mode sdxl to Fast SDXL, all defaults included", function()
      local upstream = sent { prompt = "a cat", mode = "SDXL", parameters = { output_format = "png" } }
      assert.equal("https://queue.fal.run/fal-ai/fast-sdxl", upstream.url)
      assert.same({
        prompt = "a cat", guidance_scale = 7.5, num_inference_steps = 30, image_size = { width = 1024, height = 1024 },
        format = "png",
      }, upstream.json)
    end)

    local refused = {
      { "steps beyond the model's", { parameters = { steps = 28 } }, "parameters.steps", 12 },
      { "five pictures", { parameters = { samples = 5 } }, "parameters.samples", 4 },
      { "a picture for a model without", { parameters = { init_image = PICTURE } }, "parameters.init_image", 1 },
      { "a size in words", { parameters = { resolution = "4k" } }, "parameters.resolution", 6 },
      { "a size of nothing", { parameters = { resolution = "0x512" } }, "parameters.resolution", 6 },
      { "an aspect ratio without a size", { parameters = { aspect_ratio = "21:9" } }, "parameters.aspect_ratio", 5 },
    }
    for _, case in ipairs(refused) do
      it("refuses " .. case[1] .. " before anything is sent", function()
        case[2].prompt = "p"
        local answer = submit(case[2])
        assert.same({}, answer.requests)
        assert.equal(case[3], answer.refusal.field)
        assert.equal(case[4], #answer.refusal.allowed)
      end)
    end

    it("sends with a warning what its list has not got, as long as that costs nothing else", function()
      local given = { format = "webp", safety_tolerance = 7 }
      local answer = submit { prompt = "p", model = "fal-ai/flux-pro/v1.1", parameters = given }
      assert.same({ prompt = "p", output_format = "webp", safety_tolerance = "7" }, answer.upstream.json)
      assert.same({ "parameters.format", "parameters.safety_tolerance" }, warned_fields(answer))
      local body = sent({ prompt = "p", model = "fal-ai/flux/dev", parameters = { guidance_scale = 21 } }).json
      assert.equal(21, body.guidance_scale)
    end)

    it("refuses a size where the model has aspect ratios", function()
      local answer = submit { prompt = "p", model = "fal-ai/flux-pro/v1.1-ultra", parameters = { resolution = "1024x1024" } }
      assert.same({}, answer.requests)
      assert.equal("parameters.resolution", answer.refusal.field)
      assert.equal("16:9", sent({
        prompt = "p", model = "fal-ai/flux-pro/v1.1-ultra", parameters = { aspect_ratio = "16:9", raw = true },
      }).json.aspect_ratio)
    end)

    it("lists several refusals", function()
      local answer = submit { prompt = "p", parameters = { steps = 13, samples = 9 } }
      assert.same({ "parameters.samples", "parameters.steps" }, { answer.refusal[1].field, answer.refusal[2].field })
    end)

    it("shows a request that lacks its picture, and keeps it from going live", function()
      local answer = submit { prompt = "p", model = "fal-ai/flux/dev/image-to-image" }
      assert.same({ prompt = "p" }, answer.upstream.json)
      assert.equal("parameters.init_image", answer.needs[1].field)
      assert.same({ "parameters.init_image" }, warned_fields(answer))
      local upstream = sent {
        prompt = "p", model = "fal-ai/flux/dev/image-to-image",
        parameters = { image = "data:image/png;base64,AAAA", strength = 0.5 },
      }
      assert.same({ prompt = "p", image_url = "data:image/png;base64,AAAA", strength = 0.5 }, upstream.json)
    end)

    it("leaves preferences out, with a warning each", function()
      local answer = submit {
        prompt = "p", seed = 3, parameters = { negative_prompt = "blur", gpu = "A100", style_preset = "anime", strength = 0.5 },
      }
      assert.same({
        "parameters.gpu", "parameters.negative_prompt", "parameters.strength", "parameters.style_preset", "seed",
      }, warned_fields(answer))
      assert.same({ prompt = "p", guidance_scale = 7.5, image_size = { width = 1024, height = 1024 } }, answer.upstream.json)
    end)

    it("sends an input that nobody described, and says so", function()
      local answer = submit { prompt = "p", model = "fal-ai/flux/dev", parameters = { brand_new = { 1 } } }
      assert.same({ 1 }, answer.upstream.json.brand_new)
      assert.equal("9s", sent({ prompt = "p", model = "fal-ai/flux/dev", parameters = { duration = "9s" } }).json.duration)
      assert.same({ "parameters.brand_new" }, warned_fields(answer))
    end)

    it("takes a size that is given twice and is the same", function()
      local sizes = {
        { image_size = "square", resolution = "512x512" }, { width = 512, height = 512, resolution = "512x512" },
        { width = 512, height = 512, image_size = { width = 512, height = 512 }, resolution = "square" },
      }
      for _, parameters in ipairs(sizes) do
        local answer = submit { prompt = "p", parameters = parameters }
        assert.same({}, answer.warnings)
        local size = answer.upstream.json.image_size
        if size ~= "square" then assert.same({ width = 512, height = 512 }, size) end
      end
    end)

    it("turns an aspect ratio into the size of that shape", function()
      assert.equal("portrait_16_9", sent({ prompt = "p", parameters = { aspect_ratio = "9:16" } }).json.image_size)
      local answer = submit { prompt = "p", parameters = { aspect_ratio = "9:16", resolution = "512x512" } }
      assert.same({ width = 512, height = 512 }, answer.upstream.json.image_size)
      assert.same({ "parameters.aspect_ratio" }, warned_fields(answer))
    end)

    it("prefers the client's webhook to the host's", function()
      local answer = submit({ prompt = "p", webhook = "https://a.example/x" }, nil, { webhook_url = "https://b.example/y" })
      assert.equal("https://queue.fal.run/fal-ai/flux/schnell?fal_webhook=https%3A%2F%2Fa.example%2Fx", answer.upstream.url)
    end)

    it("sets the queue's switches", function()
      local headers = sent({ prompt = "p", retry = false, store_io = false, start_timeout_seconds = 2.5 }).headers
      assert.equal("1", headers["x-fal-no-retry"])
      assert.equal("0", headers["x-fal-store-io"])
      assert.equal("2.5", headers["x-fal-request-timeout"])
      assert.is_nil(sent({ prompt = "p", retry = true }).headers["x-fal-no-retry"])
    end)

    it("runs without the queue on request", function()
      local answer = submit { prompt = "p", route = "run", priority = "low" }
      assert.equal("https://fal.run/fal-ai/flux/schnell", answer.upstream.url)
      assert.is_nil(answer.upstream.headers["x-fal-queue-priority"])
      assert.same({ "priority" }, warned_fields(answer))
    end)

    it("sends once, and calls a lost answer neither billed nor free", function()
      local lost = { failure = { kind = "timeout", message = "30 s" } }
      local answer = submit({ prompt = "p" }, { lost, { status = 200, json = {} } })
      assert.equal(1, #answer.requests)
      assert.same({ "error", "timeout" }, { answer.result.status, answer.result.error.code })
      assert.is_nil(answer.result.error.billed)
    end)

    it("does not show a text that names the balance", function()
      local case = case_named "403 account out of balance (NOT 402)"
      local answer = submit({ prompt = "p" }, { { status = 403, json = case.response.body } })
      assert.equal("credit", answer.result.error.code)
      assert.is_nil(answer.result.error.message:lower():find("balance", 1, true))
    end)

    it("reports an acceptance without an id as an error of the vendor", function()
      local result = submit({ prompt = "p" }, { { status = 200, json = { status = "IN_QUEUE" } } }).result
      assert.same({ "error", "vendor" }, { result.status, result.error.code })
      assert.is_nil(result.error.billed)
    end)
  end)

  describe("estimate", function()
    local figures = {
      { { prompt = "p" }, 0.003, 0.006, 1 },
      { { prompt = "p", parameters = { samples = 3, resolution = "1024x768" } }, 0.009, 0.009, 3 },
      { { prompt = "p", parameters = { resolution = "2048x2048" } }, 0.012, 0.015, 4 },
      { { prompt = "p", model = "fal-ai/flux/dev" }, 0.025, 0.025, 1 },
      { { prompt = "p", model = "fal-ai/flux/dev", parameters = { width = 1280, height = 720 } }, 0.025, 0.025, 1 },
      { { prompt = "p", model = "fal-ai/flux-pro/v1.1", parameters = { image_size = "square" } }, 0.04, 0.055, 1 },
      { { prompt = "p", model = "fal-ai/flux-pro/v1.1-ultra", parameters = { samples = 2 } }, 0.12, 0.12, 2 },
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
        { prompt = "p", mode = "sdxl" },
        { prompt = "p", model = "fal-ai/flux/dev/image-to-image", parameters = { init_image = "https://example.com/a.png" } },
        { prompt = "p", model = "somebody/else" },
        { prompt = "p", parameters = { steps = 50 } },
      } do
        local answer = submit(request)
        assert.is_nil(answer.estimate)
        assert.is_string(answer.estimate_missing)
      end
    end)
  end)

  describe("poll", function()
    local function completed(more)
      local body = { status = "COMPLETED", request_id = ID }
      for name, value in pairs(more or {}) do body[name] = value end
      return { status = 200, json = body }
    end
    local function result_of(json, headers, job)
      return poll({ completed(), { status = 200, json = json, headers = headers } }, job)
    end

    it("knows where to ask from the id alone", function()
      local upstream = offline.poll(provider, { id = "mock-fal-1", state = {}, payload = {} }).upstream
      assert.equal("https://queue.fal.run/fal-ai/flux/requests/mock-fal-1/status?logs=1", upstream.url)
    end)

    it("drops the path of the model, but not in the namespaces of three parts", function()
      local function url(model)
        return offline.poll(provider, { id = "x", state = {}, payload = { model = model } }).upstream.url
      end
      assert.equal("https://queue.fal.run/fal-ai/flux/requests/x/status?logs=1", url "fal-ai/flux/dev/image-to-image")
      assert.equal("https://queue.fal.run/workflows/a/b/requests/x/status?logs=1", url "workflows/a/b/c")
      assert.equal("https://queue.fal.run/comfy/a/b/requests/x/status?logs=1", url "comfy/a/b")
    end)

    it("refuses an id that would leave its place in the path", function()
      local answer = offline.poll(provider, { id = "../../x", state = {}, payload = {} })
      assert.equal("job_id", answer.refusal.field)
      assert.same({}, answer.requests)
    end)

    it("reads the progress bar of the log", function()
      local logs = { { message = "start" }, { message = " 75%|#######   | 3/4" } }
      assert.equal(0.75, poll({ { status = 202, json = { status = "IN_PROGRESS", logs = logs } } }).progress)
    end)

    it("follows a whole flow", function()
      local flow = case_named "subscribe flow: submit, poll, result"
      local answer = submit(flow.given.request, { { status = 200, json = flow.response.body } })
      local job = { id = answer.result.id, state = answer.result.state, payload = answer.payload }
      local seen = {}
      for index = 1, 2 do seen[index] = poll({ { status = 202, json = flow.next[index].response.body } }, job).status end
      local last = offline.poll(provider, job, {
        { status = 200, json = flow.next[3].response.body }, { status = 200, json = flow.next[4].response.body },
      })
      assert.same({ "queued", "running", "done" }, { seen[1], seen[2], last.result.status })
      assert.equal(flow.next[4].request.url, last.requests[2].url)
      assert.equal("https://v3b.fal.media/files/b/0a/panda.jpeg", last.result.artifacts[1].url)
    end)

    it("withholds flagged pictures, unless the checker was switched off", function()
      local output = { images = { { url = "https://v3.fal.media/1.png" }, { url = "https://v3.fal.media/2.png" } },
        has_nsfw_concepts = { true, false } }
      local result = result_of(output)
      assert.same({ "https://v3.fal.media/2.png" }, { result.artifacts[1].url, result.artifacts[2] })
      assert.truthy(result.reason:find("1 of 2", 1, true))
      local job = { id = ID, state = {}, payload = { mode = "flux", parameters = { enable_safety_checker = false } } }
      assert.equal(2, #result_of(output, nil, job).artifacts)
    end)

    it("calls a result of flagged pictures only moderation", function()
      local output = { images = { { url = "https://v3.fal.media/1.png" } }, has_nsfw_concepts = { true } }
      local result = result_of(output, { ["x-fal-billable-units"] = "1" })
      assert.same({ "error", "moderation", true }, { result.status, result.error.code, result.error.billed })
      assert.is_nil(result_of(output).error.billed)
    end)

    it("computes the cost from the billed units where the price is certain", function()
      local output = { images = { { url = "https://v3.fal.media/1.png" } } }
      local headers = { ["x-fal-billable-units"] = "2" }
      assert.same({ usd = 0.006, source = "computed", quantity = 2, unit_usd = 0.003 }, result_of(output, headers).cost)
      assert.is_nil(result_of(output).cost)
    end)

    it("asks for the price of billed units where it knows none for certain", function()
      local job = { id = ID, state = {}, payload = { model = "fal-ai/flux-pro/v1.1" } }
      local done = { status = 200, json = { images = { { url = "https://v3.fal.media/1.png" } } },
        headers = { ["x-fal-billable-units"] = "2" } }
      local function cost_with(prices)
        return poll({ completed(), done, { status = 200, json = { prices = prices } } }, job).cost
      end
      local price = { endpoint_id = "fal-ai/flux-pro/v1.1", unit_price = 0.05, unit = "megapixels", currency = "USD" }
      assert.near(0.1, cost_with({ price }).usd, 1e-9)
      price.currency = "EUR"
      assert.is_nil(cost_with { price })
      assert.is_nil(cost_with {})
    end)

    it("finds files under any name, and keeps an output without files", function()
      local output = {
        video = { url = "https://v3.fal.media/a.mp4", file_name = "a.mp4" }, audio = { url = "data:audio/wav;base64,AA" },
      }
      local artifacts = result_of(output).artifacts
      assert.equal("data:audio/wav;base64,AA", artifacts[1].data_uri)
      assert.same({ "https://v3.fal.media/a.mp4", "a.mp4" }, { artifacts[2].url, artifacts[2].filename })
      assert.same({ text = "hello" }, result_of({ text = "hello" }).artifacts[1].json)
    end)

    it("asks again when fal cannot be asked now", function()
      for _, response in ipairs {
        { status = 429, json = { detail = "Too many requests" } }, { status = 503 },
        { failure = { kind = "timeout", message = "" } },
      } do
        assert.equal("running", poll({ response }).status)
        local job = { id = ID, state = { status = "queued" }, payload = {} }
        local result = poll({ response }, job)
        assert.same({ "queued", 5 }, { result.status, result.retry_after })
      end
      assert.equal("running", poll({ completed(), { status = 502, body = "<html>" } }).status)
    end)

    local failures = {
      { "content_policy_violation", 422, "moderation" }, { "generation_timeout", 504, "timeout", false },
      { "runner_scheduling_failure", 503, "unavailable", false }, { "internal_server_error", 500, "vendor", false },
      { "no_media_generated", 422, "vendor" }, { "image_too_large", 422, "invalid" },
    }
    for _, failure in ipairs(failures) do
      it("understands the result " .. failure[1], function()
        local detail = { { loc = { "body", "images", 0 }, msg = "no", type = failure[1] } }
        local result = poll { completed(), { status = failure[2], json = { detail = detail } } }
        assert.same({ "error", failure[3], failure[1] }, { result.status, result.error.code, result.error.vendor_code })
        assert.equal(failure[4], result.error.billed)
      end)

      it("understands the status with error " .. failure[1], function()
        local result = poll { completed { error = "no", error_type = failure[1] } }
        assert.equal("error", result.status)
        assert.equal(failure[1], result.error.vendor_code)
      end)
    end

    it("names the input that was refused", function()
      local detail = { { loc = { "body", "images", 0, "url" }, msg = "bad", type = "x" } }
      local result = poll { completed(), { status = 422, json = { detail = detail } } }
      assert.truthy(result.error.message:find("images.0.url: bad", 1, true))
    end)

    it("does not take an unknown status for an end", function()
      assert.equal("running", poll({ { status = 200, json = { status = "SOMETHING" } } }).status)
    end)

    it("stays on a configured host, and follows fal elsewhere", function()
      local job = { id = ID, payload = {}, state = { status_url = "https://queue2.fal.run/a/b/requests/x/status" } }
      assert.equal("https://queue2.fal.run/a/b/requests/x/status?logs=1", offline.poll(provider, job).upstream.url)
      local elsewhere = {}
      for name, value in pairs(provider) do elsewhere[name] = value end
      elsewhere.base_url = "http://127.0.0.1:9"
      job.state.status_url = "https://queue.fal.run/fal-ai/flux/requests/x/status"
      assert.equal("http://127.0.0.1:9/fal-ai/flux/requests/x/status?logs=1", offline.poll(elsewhere, job).upstream.url)
    end)
  end)

  it("cancels by the id alone", function()
    local upstream = offline.cancel(provider, { id = "mock-fal-1", state = {}, payload = {} }).upstream
    assert.same({ "PUT", "https://queue.fal.run/fal-ai/flux/requests/mock-fal-1/cancel" }, { upstream.method, upstream.url })
  end)

  describe("health", function()
    it("does not call a delisted model an outage, nor a failure health", function()
      assert.is_true(offline.health(provider, { { status = 404, json = {} } }).result.ok)
      assert.is_false(offline.health(provider, { { status = 503, json = {} } }).result.ok)
      assert.is_false(offline.health(provider, { { failure = { kind = "connect", message = "" } } }).result.ok)
    end)
  end)

  describe("webhook", function()
    local function deliver(name, responses, job)
      local case = case_named(name)
      return offline.webhook(provider, {
        headers = case.request.headers, body = case.request.body_raw, json = offline.cjson.decode(case.request.body_raw),
        job = job or JOB,
      }, responses)
    end

    it("takes the output out of the delivery", function()
      local result = deliver("webhook delivery OK with valid signature (worked example)", {}).result
      assert.same({ ID, "done" }, { result.id, result.status })
      assert.same({ "https://url.to/image.png", "image.png", 1024 },
        { result.artifacts[1].url, result.artifacts[1].filename, result.artifacts[1].width })
    end)

    it("reads a failure as a poll would", function()
      local result = deliver("webhook delivery ERROR", {}).result
      assert.same({ "error", "invalid", "value_error.missing" }, { result.status, result.error.code, result.error.vendor_code })
      assert.is_nil(result.error.billed)
    end)

    it("fetches an output that does not fit into JSON", function()
      local name = "webhook delivery OK but payload null (payload_error) - fetch result by GET"
      local answer = deliver(name, { { status = 200, json = { images = { { url = "https://v3.fal.media/1.png" } } } } })
      assert.equal("https://queue.fal.run/fal-ai/flux/requests/" .. ID, answer.requests[1].url)
      assert.equal("https://v3.fal.media/1.png", answer.result.artifacts[1].url)
    end)

    it("refuses a delivery for another request", function()
      local answer = deliver("webhook delivery ERROR", {}, { id = "another", state = {}, payload = {} })
      assert.is_nil(answer.result)
      assert.equal("request_id", answer.refusal.field)
    end)
  end)
end)
