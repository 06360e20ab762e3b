-- Replicate: what the recorded cases cannot say.
local offline = require "author.offline"

local VERSION = string.rep("5c7d5dc6", 8)
local PREDICTION = "gm3qorzdhgbfurvjtvhg6dckhu"

local function job_with(changes)
  local job = { model = "owner/name", input = { prompt = "a cat" } }
  for name, value in pairs(changes or {}) do job[name] = value end
  return job
end

local function prediction_with(changes)
  local prediction = { id = PREDICTION, status = "succeeded", metrics = {} }
  for name, value in pairs(changes) do prediction[name] = value end
  return prediction
end

local function one_field(refusal)
  return refusal and refusal[1] and refusal[1].field
end

describe("replicate", function()
  local provider
  setup(function() provider = offline.load("providers/gpu_replicate.lua") end)

  local function submit(changes, responses, options)
    return offline.submit(provider, job_with(changes), responses, options)
  end

  local function poll(response, payload, state)
    return offline.poll(provider, { id = PREDICTION, state = state or {}, payload = payload or {} }, { response }).result
  end

  local function poll_prediction(changes, payload)
    return poll({ status = 200, json = prediction_with(changes) }, payload)
  end

  describe("prepare", function()
    it("keeps the job as it was given and names the model", function()
      local job = { model_version = "stability-ai/sdxl:abc", extra = { 1 } }
      local payload, fields = offline.prepare(provider, job)
      assert.equal(job, payload)
      assert.same({ model = "stability-ai/sdxl:abc" }, fields)
      local _, of_empty = offline.prepare(provider, {})
      assert.same({ model = "owner/model" }, of_empty)
    end)

    local wrong = {
      { "input", "text" }, { "input", { "a", "list" } }, { "model", 7 }, { "version", { "x" } }, { "deployment", true },
      { "webhook", 1 }, { "prefer", { "wait" } }, { "prefer", 1.5 }, { "wait", {} }, { "cancel_after", 30.5 },
      { "cancel_after", { 1 } }, { "seconds", "soon" }, { "seconds", -1 }, { "hardware", 4 },
      { "webhook_events_filter", "start" },
    }
    for _, case in ipairs(wrong) do
      it("names the field of a wrong " .. case[1] .. " (" .. type(case[2]) .. ")", function()
        local answer = submit { [case[1]] = case[2] }
        assert.is_truthy(answer.invalid)
        assert.equal(case[1], answer.invalid.field)
      end)
    end

    it("names the item of a list", function()
      assert.equal("webhook_events_filter[1]", submit({ webhook_events_filter = { "start", 5 } }).invalid.field)
    end)
  end)

  describe("the target", function()
    local function target(changes)
      local job = job_with(changes)
      if changes.model == false then job.model = nil end
      local upstream = assert(offline.submit(provider, job).upstream)
      return upstream.url:match("/v1(.*)$"), upstream.json.version
    end

    it("is the version when a model is named with one", function()
      assert.same({ "/predictions", "owner/name:abc" }, { target { model = "owner/name:abc" } })
      assert.same({ "/predictions", VERSION }, { target { model = VERSION } })
      assert.same({ "/predictions", VERSION }, { target { version = VERSION } })
      assert.same({ "/predictions", "a/b:1" }, { target { model = false, model_version = "a/b:1" } })
      assert.same({ "/predictions", VERSION }, { target { model_version = VERSION } })
    end)

    it("is the model's own path otherwise, percent-encoded", function()
      assert.same({ "/models/owner/name/predictions" }, { target {} })
      assert.same({ "/models/owner/name/predictions" }, { target { model = false, model_version = "owner/name" } })
      assert.same({ "/models/%E6%A8%A1/x/predictions" }, { target { model = "模/x" } })
    end)

    local contradictions = {
      { "version", { deployment = "a/b", model = "a/b", version = VERSION } },
      { "model", { deployment = "a/b" } },
      { "deployment", { deployment = "a", model = "" } },
      { "model", { model = "no-owner" } },
      { "model", { model = "../x" } },
      { "model", { model = "模/.." } },
      { "model", { model = "a/b/c" } },
      { "model_version", { model_version = "other/model" } },
      { "model_version", { model_version = "other/model:1" } },
      { "version", { version = "other/model:1" } },
      { "model", { model = "", version = "latest" } },
      { "model", { model = "" } },
    }
    for index, case in ipairs(contradictions) do
      it("is refused when it is not clear (" .. index .. ": " .. case[1] .. ")", function()
        local answer = submit(case[2])
        assert.is_nil(answer.upstream)
        assert.equal(case[1], one_field(answer.refusal))
      end)
    end

    it("is looked up for the version \"latest\"", function()
      local dry = submit { version = "latest" }
      assert.equal("https://api.replicate.com/v1/predictions", dry.upstream.url)
      assert.equal(1, #dry.notes)
      local live = submit({ version = "latest" }, {
        { status = 200, json = { latest_version = { id = VERSION } } },
        { status = 201, json = prediction_with { status = "starting" } },
      })
      assert.equal("https://api.replicate.com/v1/models/owner/name", live.requests[1].url)
      assert.equal("GET", live.requests[1].method)
      assert.equal(VERSION, live.requests[2].json.version)
      assert.equal("queued", live.result.status)
    end)

    it("sends no prediction when the look-up fails", function()
      for _, response in ipairs { { status = 404, json = {} }, { status = 200, json = { latest_version = {} } } } do
        local answer = submit({ version = "latest" }, { response })
        assert.equal(1, #answer.requests)
        assert.equal("not_found", answer.result.error.code)
        assert.is_false(answer.result.error.billed)
      end
    end)
  end)

  describe("what the vendor cannot do", function()
    local cases = {
      { "cancel_after", { cancel_after = 4 } }, { "cancel_after", { cancel_after = "1 hour" } },
      { "cancel_after", { cancel_after = "" } },
      { "prefer", { prefer = "wait=61" } }, { "prefer", { prefer = 0 } }, { "wait", { wait = 90 } },
      { "prefer", { prefer = "respond-async" } }, { "webhook", { webhook = "http://example.com/hook" } },
      { "webhook_events_filter[1]", { webhook = "https://example.com", webhook_events_filter = { "start", "done" } } },
    }
    for index, case in ipairs(cases) do
      it("is refused before anything is sent (" .. index .. ": " .. case[1] .. ")", function()
        local answer = submit(case[2])
        assert.is_nil(answer.upstream)
        assert.equal(case[1], one_field(answer.refusal))
      end)
    end

    it("includes a job without input", function()
      local answer = offline.submit(provider, { model = "owner/name" })
      assert.is_nil(answer.upstream)
      assert.equal("input", one_field(answer.refusal))
    end)

    it("is told all at once", function()
      local answer = offline.submit(provider, { cancel_after = 1 })
      local fields = {}
      for index, refusal in ipairs(answer.refusal) do fields[index] = refusal.field end
      assert.same({ "model", "input", "cancel_after" }, fields)
    end)
  end)

  describe("the request", function()
    it("leaves out what is ours and warns of what nobody knows", function()
      local answer = submit { hardware = "gpu-t4", seconds = 3, prompt = "a dog", stream = true }
      assert.same({ input = { prompt = "a cat" } }, answer.upstream.json)
      assert.same({ "prompt", "stream" }, { answer.warnings[1].field, answer.warnings[2].field })
      assert.equal(2, #answer.warnings)
    end)

    it("carries the waiting and the deadline in headers", function()
      local function headers(changes) return submit(changes).upstream.headers end
      assert.equal("wait", headers({ prefer = true }).prefer)
      assert.equal("wait=10", headers({ prefer = "10" }).prefer)
      assert.equal("wait=60", headers({ wait = 60 }).prefer)
      assert.is_nil(headers({ prefer = false }).prefer)
      assert.equal("45", headers({ cancel_after = 45 })["cancel-after"])
      assert.equal("1h30m45s", headers({ cancel_after = "1H30m45s" })["cancel-after"])
      assert.equal("2h", headers({ cancel_after = "2h" })["cancel-after"])
    end)

    it("names the host's webhook, unless the job has its own", function()
      local options = { webhook_url = "https://gw.example.com/h" }
      local body = submit({}, nil, options).upstream.json
      assert.equal("https://gw.example.com/h", body.webhook)
      assert.same({ "start", "completed" }, body.webhook_events_filter)
      body = submit({ webhook = "https://own.example.com" }, nil, options).upstream.json
      assert.equal("https://own.example.com", body.webhook)
      assert.is_nil(body.webhook_events_filter)
    end)

    it("has no filter without a webhook, and says so", function()
      local answer = submit { webhook_events_filter = { "start" } }
      assert.is_nil(answer.upstream.json.webhook_events_filter)
      assert.equal("webhook_events_filter", answer.warnings[1].field)
    end)
  end)

  describe("a file in the input", function()
    local small = "data:image/png;base64," .. string.rep("A", 4000)
    local large = "data:image/png;base64," .. string.rep("A", 400000)

    it("stays there while it is small", function()
      local answer = submit { input = { image = small } }
      assert.equal(small, answer.upstream.json.input.image)
      assert.equal(1, #answer.requests)
    end)

    it("is uploaded first when it is large", function()
      local input = { images = { small, large }, prompt = "x" }
      local answer = submit({ input = input }, {
        { status = 201, json = { urls = { get = "https://api.replicate.com/v1/files/f1" } } },
        { status = 201, json = prediction_with { status = "starting" } },
      })
      local upload = answer.requests[1]
      assert.equal("https://api.replicate.com/v1/files", upload.url)
      assert.equal("content", upload.form[1].name)
      assert.equal("image/png", upload.form[1].content_type)
      assert.equal(large, upload.form[1].data_uri)
      assert.same({ name = "metadata", value = "{}" }, upload.form[2])
      assert.same({ images = { small, "https://api.replicate.com/v1/files/f1" }, prompt = "x" }, answer.requests[2].json.input)
      assert.equal(large, input.images[2])
      assert.equal("queued", answer.result.status)
    end)

    it("is shown by its URL in the preview", function()
      local answer = submit { input = { image = large } }
      assert.equal("https://api.replicate.com/v1/models/owner/name/predictions", answer.upstream.url)
      assert.is_truthy(answer.upstream.json.input.image:find("https://api.replicate.com/v1/files/", 1, true))
      assert.equal(1, #answer.notes)
    end)

    it("that is not taken ends the job before the prediction", function()
      local answer = submit({ input = { image = large } }, { { status = 413, json = { detail = "too large" } } })
      assert.equal(1, #answer.requests)
      assert.equal("invalid", answer.result.error.code)
      assert.is_false(answer.result.error.billed)
    end)
  end)

  describe("a refused create", function()
    local function refused(response)
      return submit({}, { response }).result
    end

    it("waits as long as header, body or text say", function()
      local function seconds(response)
        response.status = 429
        return refused(response).retry_after
      end
      assert.equal(7, seconds { headers = { ["retry-after"] = "7" }, json = { detail = "resets in ~30s." } })
      assert.equal(12, seconds { json = { detail = "resets in ~30s.", retry_after = 12 } })
      assert.equal(30, seconds { json = { detail = "Your rate limit resets in ~30s." } })
    end)

    it("does not pass on texts that may name a balance", function()
      for _, status in ipairs { 402, 429 } do
        local result = refused { status = status, json = { detail = "your balance is 3.14 USD" } }
        assert.is_nil(result.error.message:find("3.14", 1, true))
        assert.is_false(result.error.billed)
      end
      assert.equal("credit", refused({ status = 402, json = { title = "Insufficient credit" } }).error.code)
    end)

    it("says what is wrong with the input", function()
      local problem = { title = "Input validation failed", detail = "- input: prompt is required\n" }
      local result = refused { status = 422, json = problem }
      assert.equal("invalid", result.error.code)
      assert.is_truthy(result.error.message:find("prompt is required", 1, true))
    end)

    it("explains a model that is not an official one", function()
      local result = refused { status = 404, json = { detail = "not found" } }
      assert.is_truthy(result.error.message:find("latest", 1, true))
    end)

    it("does not claim that nothing is billed when there was no answer", function()
      local result = refused { failure = { kind = "timeout", message = "no answer" } }
      assert.equal("timeout", result.error.code)
      assert.is_nil(result.error.billed)
    end)

    it("may be one without a prediction", function()
      assert.equal("vendor", refused({ status = 201, body = "<html>" }).error.code)
    end)
  end)

  describe("a create that waits", function()
    it("is not at its end while it is processing, and is asked for at once", function()
      local prediction = prediction_with { status = "processing", output = { "one", "two" } }
      for _, status in ipairs { 200, 201 } do
        local result = submit({ prefer = "wait" }, { { status = status, json = prediction } }).result
        assert.same({ "running", 0 }, { result.status, result.retry_after })
      end
      assert.equal("running", submit({ prefer = "wait" }, { { status = 202, json = prediction } }).result.status)
      assert.equal("running", submit({}, { { status = 201, json = prediction } }).result.status)
    end)
  end)

  describe("a prediction", function()
    it("may be text, files in lists and objects, or a number", function()
      assert.same({ { json = 4.5, content_type = "application/json" } }, poll_prediction({ output = 4.5 }).artifacts)
      assert.equal("hello", poll_prediction({ output = "hello" }).artifacts[1].text)
      assert.same({}, poll_prediction({}).artifacts)
      local frames = { "https://replicate.delivery/a.png", "https://replicate.delivery/b.png" }
      local mixed = poll_prediction { output = { frames = frames } }
      assert.equal("https://replicate.delivery/b.png", mixed.artifacts[2].url)
      assert.equal("image/png", mixed.artifacts[2].content_type)
      assert.equal(2, #mixed.artifacts)
    end)

    it("shows its progress bar", function()
      assert.equal(0.4, poll_prediction({ status = "processing", logs = " 20%|##  | 1/5\n 40%|#### | 2/5" }).progress)
      assert.is_nil(poll_prediction({ status = "processing", logs = "loading" }).progress)
    end)

    it("is moderated when its error says so", function()
      for _, text in ipairs { "NSFW content detected. Try again.", "The input was flagged as sensitive. (E005)" } do
        assert.equal("moderation", poll_prediction({ status = "failed", error = text }).error.code)
      end
      assert.equal("E005", poll_prediction({ status = "failed", error = "flagged as sensitive (E005)" }).error.vendor_code)
    end)

    it("does not show a traceback", function()
      local text = "Traceback (most recent call last):\n  File \"/src/predict.py\""
      assert.equal("the model failed", poll_prediction({ status = "failed", error = text }).error.message)
    end)

    it("costs its running time on known hardware", function()
      local cost = poll_prediction({ metrics = { predict_time = 2 } }, { hardware = "gpu-h100-2x" }).cost
      assert.near(0.0061, cost.usd, 1e-9)
      assert.equal("computed", cost.source)
      assert.is_nil(poll_prediction({ metrics = { predict_time = 2 } }, { hardware = "gpu-new" }).cost)
      assert.is_nil(poll_prediction({ metrics = { predict_time = 2 }, deployment = "a/b" }, { hardware = "gpu-t4" }).cost)
    end)

    it("keeps the price of its submit", function()
      local answer = offline.submit(provider, { model = "a/b", input = { prompt = "x" }, hardware = "gpu-t4" },
        { { status = 201, json = prediction_with { status = "starting" } } })
      local state = answer.result.state
      assert.near(0.000225, state.usd_per_second, 1e-12)
      state.usd_per_second = 0.5 -- as if that had been the price then
      local result = offline.poll(provider, { id = PREDICTION, state = state, payload = { hardware = "gpu-t4" } },
        { { status = 200, json = prediction_with { metrics = { predict_time = 2 } } } }).result
      assert.near(1, result.cost.usd, 1e-9)
      assert.near(0.5, result.state.usd_per_second, 1e-9)
    end)

    it("that never started is free only on shared hardware", function()
      assert.is_false(poll_prediction({ status = "aborted" }).error.billed)
      assert.is_nil(poll_prediction({ status = "aborted" }, { deployment = "a/b" }).error.billed)
    end)

    it("that was canceled before it ran is not billed, on shared hardware", function()
      assert.is_false(poll_prediction({ status = "canceled" }).error.billed)
      assert.is_nil(poll_prediction({ status = "canceled" }, { deployment = "a/b" }).error.billed)
      assert.is_true(poll_prediction({ status = "canceled", started_at = "2026-11-23T10:00:00Z" }).error.billed)
    end)

    it("with an unknown status goes on", function()
      local result = poll_prediction { status = "thinking" }
      assert.equal("running", result.status)
      assert.is_truthy(result.reason)
    end)
  end)

  describe("poll", function()
    it("asks for any id in a dry run", function()
      local answer = offline.poll(provider, { id = "mock-replicate-1", state = {}, payload = {} })
      assert.equal("https://api.replicate.com/v1/predictions/mock-replicate-1", answer.upstream.url)
    end)

    it("refuses what cannot be an id", function()
      local answer = offline.poll(provider, { id = "../account", state = {}, payload = {} })
      assert.is_nil(answer.upstream)
      assert.equal("job_id", answer.refusal.field)
    end)

    it("lets the job go on while nothing is learned of it", function()
      local nothing = {
        { failure = { kind = "timeout", message = "late" } }, { status = 500, body = "" }, { status = 401, json = {} },
        { status = 429, json = { detail = "~9s" } }, { status = 200, body = "<html>" },
      }
      for _, response in ipairs(nothing) do
        local result = poll(response, {}, { status = "queued" })
        assert.equal("queued", result.status)
        assert.same({ status = "queued" }, result.state)
        assert.is_nil(result.error)
      end
      assert.equal(9, poll({ status = 429, json = { detail = "~9s" } }).retry_after)
    end)

    it("does not claim that an unknown prediction was free", function()
      local result = poll { status = 404, json = { detail = "gone" } }
      assert.equal("not_found", result.error.code)
      assert.is_nil(result.error.billed)
    end)
  end)

  describe("cancel", function()
    local job = { id = PREDICTION, state = { status = "running" }, payload = {} }

    it("goes on while the vendor has not stopped it", function()
      local answer = offline.cancel(provider, job, { { status = 200, json = prediction_with { status = "processing" } } })
      assert.equal("running", answer.result.status)
    end)

    it("that fails leaves the job as it is", function()
      assert.equal("running", offline.cancel(provider, job, { { status = 503, body = "" } }).result.status)
    end)
  end)

  describe("webhook", function()
    local job = { id = PREDICTION, state = { status = "running", usd_per_second = 0.000225 }, payload = {} }
    local function deliver(json)
      return offline.webhook(provider, { headers = {}, body = "", json = json, job = job }, {}).result
    end

    it("settles the job like a poll", function()
      local output = { "https://replicate.delivery/x/out-0.webp" }
      local result = deliver(prediction_with { output = output, metrics = { predict_time = 10 } })
      assert.equal("done", result.status)
      assert.equal("https://replicate.delivery/x/out-0.webp", result.artifacts[1].url)
      assert.near(0.00225, result.cost.usd, 1e-9)
    end)

    it("of another prediction, or without one, settles nothing", function()
      assert.equal("running", deliver(prediction_with { id = "another" }).status)
      assert.equal("running", deliver({ test = 1 }).status)
      assert.equal("running", deliver(nil).status)
    end)
  end)

  describe("estimate", function()
    local function estimate(changes)
      local answer = submit(changes)
      return answer.estimate, answer.estimate_missing
    end

    it("is the running time, and at most until the deadline", function()
      local figures = estimate { hardware = "gpu-h100", seconds = "10", cancel_after = "1m" }
      assert.near(0.01525, figures.expected, 1e-9)
      assert.near(0.01525, figures.low, 1e-9)
      assert.near(0.0915, figures.high, 1e-9)
      assert.equal(10, figures.quantity)
      assert.equal("2026-05-07", figures.as_of)
    end)

    it("is at most 30 minutes without a deadline", function()
      assert.near(0.000225 * 1800, estimate({ hardware = "gpu-t4", seconds = 1 }).high, 1e-9)
    end)

    it("is at most 30 minutes also with a later deadline", function()
      assert.near(0.000225 * 1800, estimate({ hardware = "gpu-t4", seconds = 1, cancel_after = "2h" }).high, 1e-9)
    end)

    it("takes the deadline where the time is not known", function()
      local figures = estimate { hardware = "gpu-a100-large-4x", cancel_after = 100 }
      assert.near(0.56, figures.expected, 1e-9)
      assert.is_nil(figures.low)
    end)

    it("is not known without hardware or time", function()
      local figures, missing = estimate {}
      assert.is_nil(figures)
      assert.is_truthy(missing:find("hardware", 1, true))
      figures, missing = estimate { hardware = "gpu-t4" }
      assert.is_nil(figures)
      assert.is_truthy(missing:find("seconds", 1, true))
      assert.is_nil((estimate { hardware = "gpu-unheard-of", seconds = 1 }))
    end)
  end)

  it("is not healthy with a refused token", function()
    local result = offline.health(provider, { { status = 401, json = { title = "Unauthenticated" } } }).result
    assert.is_false(result.ok)
    assert.is_truthy(result.reason)
  end)
end)
