-- Hugging Face Inference Endpoints: what the recorded cases cannot say.
local offline = require "author.offline"

local HOST = "vksrvs8pc1xnifhq.us-east-1.aws.endpoints.huggingface.cloud"
local URL = "https://" .. HOST
local API = "https://api.endpoints.huggingface.cloud/v2"

local function endpoint_in(state, url)
  return {
    name = "my-flux", type = "private", healthRoute = "/ready",
    model = { repository = "a/b", env = { KEY = "hidden" }, secrets = { KEY = "hidden" } },
    status = { state = state, url = url ~= false and (url or URL) or nil },
  }
end

local function answer_with(state, url)
  return { status = 200, json = endpoint_in(state, url) }
end

local COLD = { status = 503, json = { error = "503 Service Unavailable", code = "SERVICE_UNAVAILABLE" } }

local function fields_of(refusal)
  local fields = {}
  for index, item in ipairs(refusal or {}) do fields[index] = item.field end
  return fields
end

describe("hf_inference_endpoints", function()
  local provider
  setup(function() provider = offline.load("providers/gpu_hf_inference_endpoints.lua") end)

  local function submit(job, responses) return offline.submit(provider, job, responses) end
  local function poll(state, responses, payload)
    return offline.poll(provider, { id = "alice/my-flux", state = state, payload = payload or {} }, responses)
  end

  describe("prepare", function()
    it("keeps the job as it was given and names the endpoint", function()
      local job = { endpoint = "e", name = "n", inputs = "x" }
      local payload, fields = offline.prepare(provider, job)
      assert.equal(job, payload)
      assert.same({ endpoint = "e" }, fields)
      local _, of_empty = offline.prepare(provider, {})
      assert.same({ endpoint = "mock-endpoint" }, of_empty)
    end)

    local wrong = {
      { "endpoint", { a = 1 } }, { "name", 1 }, { "url", true }, { "namespace", {} }, { "action", "reboot" }, { "action", 3 },
      { "parameters", "text" }, { "body", "text" }, { "path", 1 }, { "data", {} }, { "scale_up_timeout", "soon" },
      { "scale_up_timeout", 0 }, { "timeout_seconds", "x" }, { "minutes", {} }, { "hours", "x" }, { "instance", 5 },
    }
    for index, case in ipairs(wrong) do
      it("names the field of a wrong value (" .. index .. ": " .. case[1] .. ")", function()
        local answer = submit { [case[1]] = case[2] }
        assert.is_truthy(answer.invalid)
        assert.equal(case[1], answer.invalid.field)
      end)
    end
  end)

  describe("an inference", function()
    local function upstream(job)
      local answer = submit(job)
      return assert(answer.upstream, "refused")
    end

    it("goes where its engine takes it", function()
      local function url(job) return upstream(job).url end
      assert.equal(URL .. "/", url { url = URL, inputs = "x" })
      assert.equal(URL .. "/", url { endpoint = URL .. "/", inputs = "x" })
      assert.equal(URL .. "/v1/chat/completions", url { url = URL, messages = { {} } })
      assert.equal(URL .. "/v1/completions", url { url = URL, prompt = "x" })
      assert.equal(URL .. "/v1/embeddings", url { url = URL, body = { input = "x" } })
      assert.equal(URL .. "/generate?v=1", url { url = URL .. "/generate?v=1", prompt = "x" })
      assert.equal(URL .. "/v1/rerank", url { url = URL .. "/v1/", path = "/rerank", inputs = "x" })
      assert.equal(URL .. "/", url { url = URL, path = "/", prompt = "x" })
    end)

    it("sends the engine's fields and keeps ours", function()
      local request = upstream {
        url = URL, inputs = "x", parameters = { seed = 1 }, wait = true, instance = "nvidia_l4", minutes = 1,
        accept = "image/png", scale_up_timeout = "60", bill_to = "acme",
      }
      assert.same({ inputs = "x", parameters = { seed = 1 }, wait = true }, request.json)
      assert.equal("image/png", request.headers.accept)
      assert.equal("60", request.headers["x-scale-up-timeout"])
      assert.equal("acme", request.headers["x-hf-bill-to"])
    end)

    it("sends a file as the bytes that it is", function()
      local heard = { status = 200, json = { text = "hello" } }
      local answer = submit({ url = URL, data = "data:audio/wav;base64,UklGRldBVkU=" }, { heard })
      assert.equal("RIFFWAVE", answer.requests[1].body)
      assert.equal("audio/wav", answer.requests[1].headers["content-type"])
      assert.same({ { text = "hello", content_type = "text/plain" } }, answer.result.artifacts)
    end)

    local refused = {
      { {}, "endpoint", "inputs" },
      { { name = "n", instance = "nvidia_a10g" }, "inputs" },
      { { inputs = "x" }, "endpoint" },
      { { url = "http://" .. HOST, inputs = "x" }, "url" },
      { { url = "https://evil.example.com", inputs = "x" }, "url" },
      { { url = "https://" .. HOST .. "@evil.example.com", inputs = "x" }, "url" },
      { { url = "https://evilendpoints.huggingface.cloud", inputs = "x" }, "url" },
      { { endpoint = "https://evil.example.com/x", inputs = "x" }, "endpoint" },
      { { url = API .. "/endpoint/alice", inputs = "x" }, "url" },
      { { url = URL, inputs = "x", path = "v1" }, "path" },
      { { url = URL, inputs = "x", path = "/../x" }, "path" },
      { { url = URL, inputs = "x", body = { a = 1 } }, "body" },
      { { url = URL, inputs = "x", data = "data:audio/wav;base64,UklG" }, "data" },
      { { url = URL, data = "UklG" }, "data" },
      { { url = URL, data = "data:text/plain,abc" }, "data" },
    }
    for index, case in ipairs(refused) do
      it("is refused before anything is sent (" .. index .. ": " .. case[2] .. ")", function()
        local answer = submit(case[1])
        assert.is_nil(answer.upstream)
        assert.same({ table.unpack(case, 2) }, fields_of(answer.refusal))
      end)
    end

    it("is refused when its file is not base64", function()
      local answer = submit { url = URL, data = "data:audio/wav;base64,U*lG" }
      assert.is_nil(answer.upstream)
      assert.equal("data", answer.refusal.field)
    end)
  end)

  describe("an endpoint known by name", function()
    local job = { endpoint = "alice/my-flux", inputs = "x" }

    it("is shown with a URL to be looked up", function()
      local answer = submit { endpoint = "sdxl-turbo", inputs = "a castle" }
      assert.equal("POST", answer.upstream.method)
      assert.equal("https://to-be-looked-up.endpoints.huggingface.cloud/", answer.upstream.url)
      assert.same({ inputs = "a castle" }, answer.upstream.json)
      assert.equal(2, #answer.notes)
    end)

    it("is looked up with the account of the token", function()
      local answer = submit({ endpoint = "my-flux", inputs = "x" }, {
        { status = 200, json = { name = "alice" } }, answer_with "running", { status = 200, json = { label = "cat" } },
      })
      assert.equal("https://huggingface.co/api/whoami-v2", answer.requests[1].url)
      assert.equal(API .. "/endpoint/alice/my-flux", answer.requests[2].url)
      assert.equal(URL .. "/", answer.requests[3].url)
      assert.equal("done", answer.result.status)
      assert.equal("alice/my-flux", answer.result.id)
    end)

    it("is asked nothing while it starts", function()
      for _, state in ipairs { "pending", "initializing" } do
        local answer = submit(job, { answer_with(state, false) })
        assert.equal(1, #answer.requests)
        assert.equal("queued", answer.result.status)
        assert.equal("inference", answer.result.state.job)
        assert.is_truthy(answer.result.reason)
      end
    end)

    it("is asked when it sleeps, since that wakes it", function()
      local answer = submit(job, { answer_with "scaledToZero", COLD })
      assert.equal(2, #answer.requests)
      assert.equal("queued", answer.result.status)
      assert.is_truthy(answer.result.reason:find("cold start", 1, true))
    end)

    it("that is paused or failed ends the job, free of charge", function()
      for state, code in pairs { paused = "unavailable", failed = "vendor" } do
        local answer = submit(job, { answer_with(state) })
        assert.equal(1, #answer.requests)
        assert.equal(code, answer.result.error.code)
        assert.is_false(answer.result.error.billed)
      end
    end)

    it("with a URL elsewhere never gets the credential", function()
      local answer = submit(job, { answer_with("running", "https://evil.example.com") })
      assert.equal(1, #answer.requests)
      assert.equal("queued", answer.result.status)
    end)

    it("that nobody knows is not found", function()
      assert.equal("not_found", submit(job, { { status = 404, json = { error = "Not Found" } } }).result.error.code)
      assert.equal("auth", submit({ endpoint = "e", inputs = "x" }, { { status = 401, json = {} } }).result.error.code)
    end)
  end)

  describe("an answer", function()
    local function artifacts(response)
      response.status = response.status or 200
      return submit({ url = URL, inputs = "x" }, { response }).result.artifacts
    end
    local function typed(content_type, body) return { headers = { ["content-type"] = content_type }, body = body } end

    it("of bytes is the file", function()
      local file = artifacts(typed("image/png; q=1", "\137PNG\r\n"))[1]
      assert.equal("iVBORw0K", file.base64)
      assert.equal("image/png", file.content_type)
      assert.equal("output.png", file.filename)
    end)

    it("of many bytes is the same file again, when it is sent back", function()
      for size = 20000, 20002 do
        local bytes = string.rep("\0\1\254\255\r\n~", size // 7 + 1):sub(1, size)
        local file = artifacts(typed("audio/wav", bytes))[1]
        local answer = submit { url = URL, data = "data:audio/wav;base64," .. file.base64 }
        assert.is_true(answer.upstream.body == bytes)
      end
    end)

    it("of generated text is the text, and the rest of the answer", function()
      assert.same({ { text = "ab", content_type = "text/plain" } }, artifacts { json = { { generated_text = "ab" } } })
      local chat = artifacts { json = { choices = { { message = { content = "4" } } }, usage = { total_tokens = 9 } } }
      assert.equal("4", chat[1].text)
      assert.equal(9, chat[2].json.usage.total_tokens)
      assert.equal("plain", artifacts(typed("text/plain", "plain"))[1].text)
    end)

    it("in a stream is put together", function()
      local stream = "data:{\"token\":{\"text\":\"a\"}}\r\n\r\ndata: {\"choices\":[{\"text\":\"b\"}]}\n\n"
        .. "data: {\"token\":{\"text\":\"</s>\",\"special\":true}}\n\ndata: [DONE]"
      assert.same({ { text = "ab", content_type = "text/plain" } }, artifacts(typed("text/event-stream", stream)))
      assert.equal("text/event-stream", artifacts(typed("text/event-stream", "data: hi\n\n"))[1].content_type)
    end)

    it("in a stream may end with an error", function()
      local result = submit({ url = URL, inputs = "x" }, {
        { status = 200, headers = { ["content-type"] = "text/event-stream" }, body = "data: {\"error\":\"out of memory\"}\n\n" },
      }).result
      assert.equal("vendor", result.error.code)
      assert.is_truthy(result.error.message:find("out of memory", 1, true))
    end)

    it("of an older gateway to a paused endpoint is not bad input", function()
      local function code(text)
        return submit({ url = URL, inputs = "x" }, { { status = 400, json = { error = text } } }).result.error.code
      end
      assert.equal("unavailable", code "Bad Request: Invalid state")
      assert.equal("invalid", code "Bad Request: no inputs")
    end)

    it("that never comes has no known bill", function()
      local result = submit({ url = URL, inputs = "x" }, { { failure = { kind = "timeout", message = "late" } } }).result
      assert.equal("timeout", result.error.code)
      assert.is_nil(result.error.billed)
    end)
  end)

  describe("an inference that is not taken yet", function()
    local payload = { endpoint = "alice/my-flux", inputs = "x" }

    local function not_yet(responses, request)
      local answer = submit(request or payload, responses)
      assert.is_nil(answer.upstream)
      assert.same({ "queued", true }, { answer.result.status, answer.result.resubmit })
      return answer
    end

    it("is submitted again", function()
      assert.equal(10, not_yet({ COLD }, { url = URL, inputs = "x" }).result.retry_after)
      assert.is_truthy(not_yet({ answer_with "scaledToZero", COLD }).result.reason:find("cold start", 1, true))
    end)

    it("is not sent to an endpoint that is starting", function()
      for _, state in ipairs { "pending", "initializing", "dreaming" } do
        local answer = not_yet { answer_with(state, false) }
        assert.same({ 1, 5 }, { #answer.requests, answer.result.retry_after })
      end
      assert.equal(1, #not_yet({ answer_with("running", false) }).requests)
    end)

    it("is sent when the endpoint is there, also while it is being updated", function()
      for _, state in ipairs { "running", "updating", "updateFailed", "scaledToZero" } do
        local answer = submit(payload, { answer_with(state), { status = 200, json = { label = "cat" } } })
        assert.equal(URL .. "/", answer.requests[2].url)
        assert.equal("done", answer.result.status)
      end
    end)

    it("waits when the endpoint cannot be looked up, and ends when it is not there", function()
      not_yet { { status = 502, body = "" } }
      not_yet { { failure = { kind = "timeout", message = "late" } } }
      local error = submit(payload, { { status = 404, json = { error = "Not Found" } } }).result.error
      assert.same({ "not_found", false }, { error.code, error.billed })
    end)

    it("ends when the endpoint is of no use", function()
      local failed = submit(payload, { answer_with("failed", false) }).result.error
      assert.same({ "vendor", false }, { failed.code, failed.billed })
      local paused = submit(payload, { answer_with "paused" }).result.error
      assert.same({ "unavailable", false }, { paused.code, paused.billed })
    end)

    it("cannot be asked for, nor canceled at the vendor", function()
      local job = { id = HOST, state = { job = "inference", url = URL }, payload = { url = URL, inputs = "x" } }
      assert.equal("job_id", offline.poll(provider, job, {}).refusal.field)
      assert.equal("job_id", offline.cancel(provider, job, {}).refusal.field)
    end)
  end)

  describe("a started endpoint", function()
    local state = { job = "endpoint", action = "create", namespace = "alice", name = "my-flux" }

    it("is done when its health route answers, and not before", function()
      local running = poll(state, { answer_with "running" }).result
      assert.equal("running", running.status)
      local asked = poll(running.state, { { status = 503, body = "" } })
      assert.equal(URL .. "/ready", asked.requests[1].url)
      assert.equal("running", asked.result.status)
      assert.is_nil(asked.result.state.health_url)
      local done = poll(running.state, { { status = 200, body = "" } }).result
      assert.equal("done", done.status)
      assert.equal(URL, done.artifacts[1].json.url)
    end)

    it("does not show its environment and secrets", function()
      local done = submit({ action = "get", endpoint = "alice/my-flux" }, { answer_with "running" }).result
      assert.is_nil(offline.cjson.encode(done):find("hidden", 1, true))
      assert.equal("a/b", done.artifacts[1].json.repository)
    end)

    it("runs only with a URL", function()
      local result = poll(state, { answer_with("running", false) }).result
      assert.equal("running", result.status)
      assert.is_nil(result.state.health_url)
    end)

    local cases = {
      { "pending", "queued" }, { "initializing", "running" }, { "updating", "running" }, { "scaledToZero", "done" },
      { "paused", "error" }, { "failed", "error" }, { "updateFailed", "error" }, { "dreaming", "running" },
    }
    for _, case in ipairs(cases) do
      it("that is " .. case[1] .. " is " .. case[2], function()
        assert.equal(case[2], poll(state, { answer_with(case[1]) }).result.status)
      end)
    end

    it("is paused to cancel it", function()
      local job = { id = "alice/my-flux", state = state, payload = {} }
      local answer = offline.cancel(provider, job, { answer_with "paused" })
      assert.equal(API .. "/endpoint/alice/my-flux/pause", answer.requests[1].url)
      assert.equal("canceled", answer.result.status)
      local failed = offline.cancel(provider, job, { { status = 500, body = "" } })
      assert.equal("running", failed.result.status)
    end)
  end)

  it("leaves an endpoint alone that the job did not start", function()
    for _, state in ipairs { {}, { job = "endpoint", action = "update", namespace = "alice", name = "my-flux" } } do
      local answer = offline.cancel(provider, { id = "alice/my-flux", state = state, payload = {} })
      assert.is_nil(answer.upstream)
      assert.equal("job_id", answer.refusal.field)
    end
  end)

  describe("an action", function()
    it("that stops an endpoint waits until it has stopped", function()
      for _, action in ipairs { "pause", "scale_to_zero" } do
        local result = submit({ action = action, endpoint = "alice/my-flux" }, { answer_with "running" }).result
        assert.equal("running", result.status)
        assert.is_nil(result.state.health_url)
        assert.equal("done", poll(result.state, { answer_with(action == "pause" and "paused" or "scaledToZero") }).result.status)
      end
    end)

    it("deletes", function()
      local answer = submit({ action = "delete", endpoint = "alice/my-flux" }, { { status = 202, body = "" } })
      assert.equal("DELETE", answer.requests[1].method)
      assert.equal("done", answer.result.status)
    end)

    it("reads metrics as text", function()
      local answer = submit({ action = "metrics", endpoint = "alice/my-flux" }, { { status = 200, body = "up 1" } })
      assert.equal(API .. "/endpoint/alice/my-flux/open-metrics", answer.requests[1].url)
      assert.equal("up 1", answer.result.artifacts[1].text)
    end)

    for _, bad in ipairs {
      { "namespace", { namespace = "../a", name = "x" } }, { "namespace", { namespace = ".", name = "x" } },
      { "name", { namespace = "a", name = ".." } }, { "name", { namespace = "a", name = "a b" } },
      { "endpoint", { endpoint = "../x" } }, { "endpoint", { endpoint = ".." } }, { "endpoint", { endpoint = "a/b/c" } },
    } do
      it("refuses " .. bad[1] .. " where it would lead elsewhere", function()
        bad[2].action = "get"
        local _, problem = offline.prepare(provider, bad[2])
        assert.equal(bad[1], problem.field)
      end)
    end

    it("takes the account of the token for a namespace", function()
      local account = { status = 200, json = { name = "bob" } }
      local answer = submit({ action = "pause", name = "my-flux" }, { account, answer_with "paused" })
      assert.equal(API .. "/endpoint/bob/my-flux/pause", answer.requests[2].url)
      assert.equal("bob/my-flux", answer.result.id)
    end)

    it("warns of fields that it has no use for", function()
      local answer = submit { action = "resume", endpoint = "alice/my-flux", inputs = "x" }
      assert.equal("inputs", answer.warnings[1].field)
      assert.is_nil(answer.upstream.json)
    end)

    it("creates without a task that is null", function()
      local model = { repository = "a/b", task = offline.cjson.null }
      local answer = submit { action = "create", namespace = "alice", name = "x", model = model }
      assert.same({ name = "x", model = { repository = "a/b" } }, answer.upstream.json)
      assert.equal(offline.cjson.null, model.task)
    end)

    it("warns of an endpoint that never scales down", function()
      local function warnings(scaling)
        return #submit({ action = "create", namespace = "alice", name = "x", compute = { scaling = scaling } }).warnings
      end
      assert.equal(1, warnings { minReplica = 1, maxReplica = 1 })
      assert.equal(0, warnings { minReplica = 0, maxReplica = 1, scaleToZeroTimeout = 15 })
    end)

    local refused = {
      { { action = "resume" }, "name" },
      { { action = "create" }, "name" },
      { { action = "update", name = "x" }, "body" },
      { { action = "create", name = "x", type = "protected" }, "type" },
      { { action = "create", body = { name = "x", type = "open" } }, "body.type" },
      { { action = "create", name = "x", compute = { accelerator = "tpu" } }, "compute.accelerator" },
      {
        { action = "create", name = "x", compute = { scaling = { minReplica = 0, scaleToZeroTimeout = 5 } } },
        "compute.scaling.scaleToZeroTimeout",
      },
      {
        { action = "update", name = "x", compute = { scaling = { minReplica = 1, scaleToZeroTimeout = 15 } } },
        "compute.scaling.minReplica",
      },
      {
        { action = "update", name = "x", compute = { scaling = { minReplica = 2, maxReplica = 1 } } },
        "compute.scaling.maxReplica",
      },
    }
    for index, case in ipairs(refused) do
      it("is refused before anything is sent (" .. index .. ": " .. case[2] .. ")", function()
        local answer = submit(case[1])
        assert.is_nil(answer.upstream)
        assert.same({ case[2] }, fields_of(answer.refusal))
      end)
    end
  end)

  describe("poll", function()
    it("asks for an endpoint by its id, or by its payload", function()
      assert.equal(API .. "/endpoint/alice/my-flux", poll({}).upstream.url)
      local payload = { action = "resume", namespace = "bob", name = "x" }
      local job = { id = "mock-hf_inference_endpoints-1", state = {}, payload = payload }
      assert.equal(API .. "/endpoint/bob/x", offline.poll(provider, job).upstream.url)
    end)

    it("says when an id cannot be asked for", function()
      local answer = offline.poll(provider, { id = "mock-hf_inference_endpoints-1", state = {}, payload = {} })
      assert.is_nil(answer.upstream)
      assert.equal("job_id", answer.refusal.field)
    end)

    it("of an endpoint of somebody else's making tells its state", function()
      local result = poll({}, { answer_with "scaledToZero" }).result
      assert.equal("queued", result.status)
      assert.is_truthy(result.reason:find("cold start", 1, true))
    end)

    it("lets the job go on while nothing is learned of it", function()
      local state = { job = "endpoint", action = "create", namespace = "alice", name = "my-flux", status = "queued" }
      for _, response in ipairs { { status = 502, body = "" }, { status = 401, json = {} }, { failure = { kind = "reset" } } } do
        local result = poll(state, { response }).result
        assert.equal("queued", result.status)
        assert.equal("create", result.state.action)
      end
      assert.equal("not_found", poll(state, { { status = 404, json = {} } }).result.error.code)
    end)

    it("finds a deleted endpoint gone, as it should be", function()
      local payload = { action = "delete", namespace = "alice", name = "my-flux" }
      assert.equal("done", poll({}, { { status = 404, json = {} } }, payload).result.status)
    end)
  end)

  describe("estimate", function()
    local function estimate(job)
      local answer = submit(job)
      return answer.estimate, answer.estimate_missing
    end

    it("is the price by the hour, for as long and as many as told", function()
      local figures = estimate {
        action = "create", name = "x", provider = { vendor = "aws" }, minutes = "90",
        compute = {
          instanceType = "nvidia-l40s", instanceSize = "x1",
          scaling = { minReplica = 0, maxReplica = 2, scaleToZeroTimeout = 15 },
        },
      }
      assert.near(2.7, figures.expected, 1e-9)
      assert.near(0.45, figures.low, 1e-9)
      assert.near(5.4, figures.high, 1e-9)
      assert.equal("2026-08-20", figures.as_of)
    end)

    it("is a range where the cloud is not named", function()
      local figures = estimate { url = URL, inputs = "x", instance = "nvidia_a100_80gb", hours = 2 }
      assert.near(7.2, figures.expected, 1e-9)
      assert.near(5, figures.low, 1e-9)
      assert.near(40, estimate({ url = URL, inputs = "x", instance = "h200", instance_size = "x8", hours = 1 }).expected, 1e-9)
    end)

    it("is nothing for what starts nothing", function()
      for _, action in ipairs { "pause", "scale-to-zero", "delete", "get", "list", "hardware" } do
        assert.equal(0, estimate({ action = action, name = "x" }).high)
      end
    end)

    it("is not known without hardware, its price or a time", function()
      local cases = {
        instance = { url = URL, inputs = "x" },
        price = { url = URL, inputs = "x", instance = "nvidia_l4", instance_size = "x4", minutes = 1 },
        minutes = { action = "resume", name = "x", instance = "nvidia_l4" },
      }
      for word, job in pairs(cases) do
        local figures, missing = estimate(job)
        assert.is_nil(figures)
        assert.is_truthy(missing:find(word, 1, true), missing)
      end
    end)
  end)

  it("notes an account that cannot pay", function()
    local account = { name = "alice", type = "user", canPay = false }
    local result = offline.health(provider, { { status = 200, json = account } }).result
    assert.is_true(result.ok)
    assert.is_truthy(result.notes[2]:find("payment", 1, true))
  end)
end)
