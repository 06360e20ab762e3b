-- What the recorded contract of RunPod cannot say: field errors, refusals, warnings, estimates, and calls of several steps.
local contract = require "spec.support.contract"
local offline = require "author.offline"

describe("runpod", function()
  local provider
  setup(function() provider = contract.load("runpod") end)

  local function job(fields)
    local request = { endpoint_id = "4m7x2k9q", input = { prompt = "x" } }
    for name, value in pairs(fields or {}) do request[name] = value end
    return request
  end

  local function estimate(request)
    return provider.estimate((assert(offline.prepare(provider, request))))
  end

  local function fields_of(warnings)
    local fields = {}
    for _, warning in ipairs(warnings) do fields[#fields + 1] = warning.field end
    return fields
  end

  describe("field errors", function()
    local cases = {
      { "endpoint_id", job { endpoint_id = 7 } },
      { "endpoint_id", job { endpoint_id = " " } },
      { "input", job { input = "a prompt" } },
      { "policy.executionTimeout", job { policy = { executionTimeout = "soon" } } },
      { "policy.lowPriority", job { policy = { lowPriority = 1 } } },
      { "webhook", job { webhook = "gw.example.com/hook" } },
      { "operation", job { operation = "sprint" } },
      { "mode", job { mode = "dedicated" } },
      { "wait", job { operation = "runsync", wait = 1.5 } },
      { "max_runtime_minutes", job { max_runtime_minutes = 0 } },
      { "requests", { endpoint_id = "e", requests = offline.cjson.array {} } },
      { "requests[2].input", { endpoint_id = "e", requests = { { input = { a = 1 } }, { output = 1 } } } },
      { "pod.gpu.count", { pod = { name = "p", image = "i", gpu = { id = "g", count = 0 } } } },
    }
    for _, case in ipairs(cases) do
      it("names " .. case[1], function()
        local payload, problem = offline.prepare(provider, case[2])
        assert.is_nil(payload)
        assert.equal(case[1], problem.field)
      end)
    end
  end)

  describe("refusals", function()
    local gpu = { id = "NVIDIA GeForce RTX 4090" }
    local cases = {
      { "endpoint_id", { template = "comfyui", gpu = "RTX_4090", input = { prompt = "x" } } },
      { "input", { endpoint_id = "4m7x2k9q" } },
      { "policy.executionTimeout", job { policy = { executionTimeout = 4999 } } },
      { "policy.ttl", job { policy = { ttl = 604800001 } } },
      { "max_runtime_minutes", job { max_runtime_minutes = 10081 } },
      { "wait", job { operation = "runsync", wait = 300001 } },
      { "job_id", { operation = "retry", endpoint_id = "4m7x2k9q" } },
      { "pod", { mode = "pods", gpu = "A100_80GB", region = "eu-finland" } },
      { "pod.image", { pod = { name = "p", gpu = gpu } } },
      { "pod.gpu", { pod = { name = "p", image = "i" } } },
      { "pod.gpu", { pod = { name = "p", image = "i", gpu = gpu, cpu = { id = "cpu5c" } } } },
      { "pod.cloud", { pod = { name = "p", image = "i", gpu = gpu, cloud = "PUBLIC" } } },
      { "pod.imageName", { pod = { name = "p", imageName = "i", gpu = gpu } } },
      { "action", { pod_id = "7h9k2m4n6p", action = "reset" } },
    }
    for _, case in ipairs(cases) do
      it("of " .. case[1] .. " come before anything is sent", function()
        local answer = offline.submit(provider, case[2])
        assert.same({}, answer.requests)
        assert.equal(case[1], answer.refusal.field)
      end)
    end
  end)

  it("accepts the vendor's own limits", function()
    local policy = { executionTimeout = "5000", ttl = 604800000 }
    local answer = offline.submit(provider, job { policy = policy, operation = "runsync", wait = 300000 })
    assert.same({ executionTimeout = 5000, ttl = 604800000 }, answer.upstream.json.policy)
    assert.equal("https://api.runpod.ai/v2/4m7x2k9q/runsync?wait=300000", answer.upstream.url)
  end)

  it("sends max_runtime_minutes as the time limit of the job, and the policy's own limit wins", function()
    assert.same({ executionTimeout = 90000 }, offline.submit(provider, job { max_runtime_minutes = 1.5 }).upstream.json.policy)
    local both = job { max_runtime_minutes = 1.5, policy = { executionTimeout = 60000 } }
    assert.same({ executionTimeout = 60000 }, offline.submit(provider, both).upstream.json.policy)
  end)

  for index, bad in ipairs {
    { "endpoint_id", "../x" }, { "endpoint_id", ".." }, { "endpoint_id", "a/b" }, { "endpoint_id", "x?y" },
    { "endpoint_id", "a b" }, { "job_id", "../x" }, { "batch_id", "." }, { "pod_id", "a#b" }, { "path", "../x" },
    { "path", "a/./b" },
  } do
    it(("refuses an id that would lead elsewhere, case %d"):format(index), function()
      local _, problem = offline.prepare(provider, job { [bad[1]] = bad[2] })
      assert.equal(bad[1], problem.field)
    end)
  end

  it("gives the host's webhook URL to RunPod, unless the job has one of its own", function()
    local options = { webhook_url = "https://host.example/hook" }
    assert.equal("https://host.example/hook", offline.submit(provider, job(), nil, options).upstream.json.webhook)
    local own = job { webhook = "https://mine.example/hook" }
    assert.equal("https://mine.example/hook", offline.submit(provider, own, nil, options).upstream.json.webhook)
  end)

  it("warns of what it leaves out", function()
    local answer = offline.submit(provider, job { gpu = "RTX_4090", region = "us-texas", template = "comfyui" })
    assert.same({ "gpu", "region", "template" }, fields_of(answer.warnings))
    assert.same({ input = { prompt = "x" } }, answer.upstream.json)
  end)

  it("warns that the keys of s3Config travel in clear, and is silent about a plain job", function()
    assert.same({ "s3Config" }, fields_of(offline.submit(provider, job { s3Config = { accessId = "a" } }).warnings))
    assert.same({}, offline.submit(provider, job()).warnings)
  end)

  describe("other operations", function()
    local cases = {
      { { operation = "purge-queue", endpoint_id = "e" }, "POST", "https://api.runpod.ai/v2/e/purge-queue" },
      { { operation = "batch/results", endpoint_id = "e", batch_id = "b", limit = 10 }, "GET",
        "https://api.runpod.ai/v2/e/batch/b/requests?limit=10" },
      { { operation = "openai", endpoint_id = "e", path = "chat/completions", body = { model = "m" } }, "POST",
        "https://api.runpod.ai/v2/e/openai/v1/chat/completions" },
      { { operation = "load-balancing", endpoint_id = "e", path = "/ping", method = "GET" }, "GET",
        "https://e.api.runpod.ai/ping" },
      { { pod_id = "p", action = "terminate" }, "POST", "https://api.runpod.io/v2/pods/p/action" },
      { { pod_id = "p", pod = { name = "n" } }, "PATCH", "https://api.runpod.io/v2/pods/p" },
      { { operation = "pods/delete", pod_id = "p" }, "DELETE", "https://api.runpod.io/v2/pods/p" },
      { { operation = "serverless/delete", endpoint_id = "e" }, "DELETE", "https://api.runpod.io/v2/serverless/e" },
    }
    for _, case in ipairs(cases) do
      it(case[2] .. " " .. case[3], function()
        local upstream = offline.submit(provider, case[1]).upstream
        assert.equal(case[2], upstream.method)
        assert.equal(case[3], upstream.url)
      end)
    end
  end)

  describe("estimates", function()
    local function near(expected, actual) assert.is_true(math.abs(expected - actual) < 5.1e-7, tostring(actual)) end

    it("a public endpoint by its pixels, images and seconds", function()
      near(0.02097152, estimate { endpoint_id = "black-forest-labs-flux-1-dev", input = { prompt = "x" } }.expected)
      local small = { width = 512, height = 512 }
      near(0.0006291456, estimate { endpoint_id = "black-forest-labs-flux-1-schnell", input = small }.expected)
      near(0.005, estimate { endpoint_id = "z-image-turbo", input = { prompt = "x" } }.expected)
      near(0.03527168, estimate { endpoint_id = "qwen-image-t2i", input = { size = "1328*1328" } }.high)
      near(1.5, estimate { endpoint_id = "wan-2-5", input = { size = "1920*1080", duration = 10 } }.expected)
      near(0.5, estimate { endpoint_id = "wan-2-5", input = { prompt = "x" } }.high)
    end)

    it("a worker by its GPU and its time limit", function()
      local figures = estimate(job { gpu = "RTX_4090", policy = { executionTimeout = 600000 } })
      near(0.186, figures.expected)
      near(0.18755, figures.high)
      assert.is_nil(figures.low)
      near(0.0456, estimate(job { gpu = "NVIDIA A100 80GB PCIe", max_runtime_minutes = 1 }).expected)
      near(0.0696 * 2, estimate(job { gpu = "H100", gpu_count = 2, max_runtime_minutes = 1 }).expected)
    end)

    it("a batch by the number of its requests", function()
      local requests = { { input = { a = 1 } }, { input = { a = 2 } }, { input = { a = 3 } } }
      near(3 * 0.0186, estimate { endpoint_id = "e", gpu = "RTX_4090", max_runtime_minutes = 1, requests = requests }.expected)
    end)

    it("a pod by its GPUs, its cloud and its time", function()
      local pod = { name = "p", image = "i", gpu = { id = "NVIDIA GeForce RTX 4090", count = 2 }, cloud = "COMMUNITY" }
      local figures = estimate { pod = pod, max_runtime_minutes = 30 }
      near(0.31, figures.expected)
      assert.equal("2026-08-20", figures.as_of)
      pod.cloud = nil
      near(0.44, estimate { pod = pod, max_runtime_minutes = 30 }.expected)
      assert.equal("2025-02-17", estimate({ pod = { gpu = { id = "A100" } }, max_runtime_minutes = 60 }).as_of)
    end)

    it("a call that starts nothing is free", function()
      assert.equal(0, estimate({ operation = "health", endpoint_id = "e" }).expected)
    end)

    it("says what is missing instead of guessing", function()
      local cases = {
        { job { policy = { executionTimeout = 600000 } }, "gpu" },
        { job { gpu = "RTX_4090" }, "max_runtime_minutes" },
        { job { gpu = "Voodoo 2", max_runtime_minutes = 1 }, "price for this gpu" },
        { { pod = { gpu = { id = "RTX_4090" } } }, "max_runtime_minutes" },
        { { endpoint_id = "wan-2-5", input = { size = "64*64" } }, "price for this size" },
        { { endpoint_id = "z-image-turbo", input = { size = "large" } }, "size" },
        { { endpoint_id = "black-forest-labs-flux-1-dev", input = { width = 1e300 } }, "size" },
        { { endpoint_id = "wan-2-5", input = { duration = -5 } }, "seconds" },
        { { operation = "retry", endpoint_id = "e", job_id = "j" }, "retry" },
      }
      for _, case in ipairs(cases) do
        local figures, missing = estimate(case[1])
        assert.is_nil(figures)
        assert.is_truthy(missing:find(case[2], 1, true), missing)
      end
    end)
  end)

  describe("polling", function()
    local function poll(fields, responses)
      return offline.poll(provider, { id = "j-u1", state = fields.state or {}, payload = fields.payload or {} }, responses)
    end
    local state = { kind = "job", endpoint_id = "e", status = "queued" }

    it("a dry run without the job's endpoint is refused by job_id", function()
      assert.equal("job_id", offline.poll(provider, { id = "mock-runpod-1", state = {}, payload = {} }).refusal.field)
    end)

    it("goes on after 429, 503 and silence, in the status it had", function()
      for _, response in ipairs { { status = 429 }, { status = 503 }, { failure = { kind = "timeout", message = "slow" } } } do
        local result = poll({ state = state }, { response }).result
        assert.equal("queued", result.status)
        assert.same(state, result.state)
        assert.is_nil(result.error)
      end
    end)

    it("goes on while the key is refused: the job itself still runs", function()
      assert.equal("queued", poll({ state = state }, { { status = 401 } }).result.status)
      local failed = offline.cancel(provider, { id = "j-u1", state = state, payload = {} }, { { status = 503 } })
      assert.equal("queued", failed.result.status)
    end)

    it("knows every status of a job", function()
      local expected = {
        IN_QUEUE = "queued", IN_PROGRESS = "running", RUNNING = "running", COMPLETED = "done", FAILED = "error",
        TIMED_OUT = "error", CANCELLED = "canceled", SOMETHING_NEW = "running",
      }
      for vendor, ours in pairs(expected) do
        local answer = poll({ state = state }, { { status = 200, json = { id = "j-u1", status = vendor } } })
        assert.equal(ours, answer.result.status, vendor)
      end
    end)

    it("takes a worker's share of progress", function()
      local working = { id = "j-u1", status = "IN_PROGRESS", output = { progress = 0.25 } }
      local answer = poll({ state = state }, { { status = 200, json = working } })
      assert.equal(0.25, answer.result.progress)
    end)

    it("does not believe a cost that anybody's worker reports", function()
      local finished = { id = "j-u1", status = "COMPLETED", output = { cost = 9 } }
      local answer = poll({ state = state }, { { status = 200, json = finished } })
      assert.is_nil(answer.result.cost)
      assert.same({ cost = 9 }, answer.result.artifacts[1].json)
    end)

    it("says when a finished job has no output", function()
      local answer = poll({ state = state }, { { status = 200, json = { id = "j-u1", status = "COMPLETED" } } })
      assert.same({}, answer.result.artifacts)
      assert.is_truthy(answer.result.reason)
    end)

    it("never shows a traceback, nor a text about money", function()
      local traced = { error_message = "Traceback (most recent call last): secret", error_type = "<class 'KeyError'>" }
      local failed = { id = "j-u1", status = "FAILED", error = offline.cjson.encode(traced) }
      local result = poll({ state = state }, { { status = 200, json = failed } }).result
      assert.equal("the worker failed", result.error.message)
      assert.equal("KeyError", result.error.vendor_code)
      local poor = { id = "j-u1", status = "FAILED", error = "insufficient funds: 0.12 USD left" }
      result = poll({ state = state }, { { status = 200, json = poor } }).result
      assert.equal("credit", result.error.code)
      assert.equal("the worker failed", result.error.message)
      local broke = { title = "Payment Required", detail = "balance of 0.12 USD is too low" }
      local refused = offline.submit(provider, job(), { { status = 402, json = broke } }).result.error
      assert.equal("credit", refused.code)
      assert.is_nil(refused.message:find("0.12", 1, true))
    end)

    it("a failed public endpoint costs nothing", function()
      local answer = poll({ payload = { endpoint_id = "z-image-turbo" } },
        { { status = 200, json = { id = "j-u1", status = "FAILED", error = "no", executionTime = 5 } } })
      assert.is_false(answer.result.error.billed)
    end)

    it("a batch that is a draft is started, after asking", function()
      local draft = { id = "b", status = "DRAFT" }
      local final = { id = "b", status = "FINALIZED", requestTotal = 4, requestCompleted = 1 }
      local batch = { kind = "batch", endpoint_id = "e", finalize = true }
      local answer = offline.poll(provider, { id = "b", state = batch, payload = {} },
        { { status = 200, json = draft }, { status = 200, json = final } })
      assert.equal("https://api.runpod.ai/v2/e/batch/b", answer.requests[1].url)
      assert.equal("https://api.runpod.ai/v2/e/batch/b/finalize", answer.requests[2].url)
      assert.equal("running", answer.result.status)
      assert.equal(0.25, answer.result.progress)
      batch.finalize = nil
      answer = offline.poll(provider, { id = "b", state = batch, payload = {} }, { { status = 200, json = draft } })
      assert.equal("queued", answer.result.status)
      assert.equal(1, #answer.requests)
    end)

    it("a bare list of a stream asks for the status too", function()
      local answer = poll({ state = { kind = "job", endpoint_id = "e", stream = true } }, {
        { status = 200, json = { { output = "a" }, { output = "b" } } },
        { status = 200, json = { id = "j-u1", status = "COMPLETED" } },
      })
      assert.equal("done", answer.result.status)
      assert.equal("ab", answer.result.artifacts[1].text)
    end)

    it("knows every status of a pod", function()
      local expected = {
        PROVISIONING = "queued", STARTING = "queued", RUNNING = "running", EXITED = "done", ERROR = "error",
        TERMINATED = "canceled",
      }
      for vendor, ours in pairs(expected) do
        local answer = offline.poll(provider, { id = "p", state = { kind = "pod" }, payload = {} },
          { { status = 200, json = { id = "p", status = vendor } } })
        assert.equal(ours, answer.result.status, vendor)
      end
    end)
  end)

  it("terminates a pod of others only when the job asks for it", function()
    local pod = { id = "p", state = { kind = "pod" }, payload = { pod = {}, cancel_action = "terminate" } }
    local answer = offline.cancel(provider, pod, { { status = 204 } })
    assert.equal("DELETE", answer.requests[1].method)
    assert.equal("canceled", answer.result.status)
    pod.payload.cancel_action = nil
    assert.same({ action = "stop" }, offline.cancel(provider, pod).upstream.json)
  end)

  describe("a live pod", function()
    local REQUEST = { pod = { name = "p", image = "i", gpu = { id = "NVIDIA GeForce RTX 4090" } }, max_runtime_minutes = 1 }
    local function at(second, fields)
      local pod = { id = "p", name = "p", image = "i", status = "RUNNING", cost = 0.72, createdAt = "2026-11-25T12:00:00Z" }
      for name, value in pairs(fields or {}) do pod[name] = value end
      local date = ("Wed, 25 Nov 2026 12:%02d:%02d GMT"):format(second // 60, second % 60)
      return { status = 200, json = pod, headers = { date = date } }
    end
    local function gone(second)
      return { status = 204, headers = at(second).headers }
    end
    local function start()
      local answer = offline.submit(provider, REQUEST, { at(0, { status = "PROVISIONING" }) })
      return { id = "p", state = answer.result.state, payload = {} }, answer.result
    end

    it("needs an end, which a dry run does not", function()
      local answer = offline.submit(provider, { pod = REQUEST.pod })
      assert.equal("max_runtime_minutes", answer.needs[1].field)
      assert.same({}, answer.warnings)
      assert.is_truthy(answer.upstream)
      assert.same({}, offline.submit(provider, REQUEST).needs)
      assert.equal("max_runtime_minutes", offline.submit(provider, { pod_id = "p", action = "start" }).needs[1].field)
      assert.same({}, offline.submit(provider, { pod_id = "p", action = "terminate" }).needs)
      assert.same({}, offline.submit(provider, { endpoint_id = "e", input = { prompt = "x" } }).needs)
    end)

    it("tells the host when to end it", function()
      local live, result = start()
      assert.same({ "queued", 60 }, { result.status, result.max_runtime_seconds })
      assert.near(0.72, live.state.usd_per_hour, 1e-9)
    end)

    it("is terminated, and costs its seconds at the price of its submit", function()
      local live = start()
      live.state = offline.poll(provider, live, { at(30, { cost = 9 }) }).result.state
      local answer = offline.cancel(provider, live, { gone(50) })
      assert.equal("DELETE", answer.requests[1].method)
      assert.equal("https://api.runpod.io/v2/pods/p", answer.requests[1].url)
      assert.equal("canceled", answer.result.status)
      assert.near(0.72 / 3600 * 50, answer.result.cost.usd, 1e-12)
      assert.equal("computed", answer.result.cost.source)
    end)

    it("is done when its time was over", function()
      local result = offline.cancel(provider, (start()), { gone(61) }).result
      assert.equal("done", result.status)
      assert.near(0.72 / 3600 * 61, result.cost.usd, 1e-12)
    end)

    it("that somebody else terminated has ended; a new one may not be found yet", function()
      local missing = { status = 404, json = { title = "Not Found", status = 404 }, headers = at(20).headers }
      assert.equal("queued", offline.poll(provider, (start()), { missing }).result.status)
      missing.headers = at(119).headers
      assert.equal("done", offline.poll(provider, (start()), { missing }).result.status)
      assert.equal("done", offline.cancel(provider, (start()), { missing }).result.status)
    end)

    it("goes on when it stopped: its disk is billed", function()
      local result = offline.poll(provider, (start()), { at(30, { status = "EXITED", cost = 0 }) }).result
      assert.equal("running", result.status)
      assert.near(0.72, result.state.usd_per_hour, 1e-9)
      assert.near(0.5, result.progress, 1e-9)
    end)

    it("that failed is terminated", function()
      local answer = offline.poll(provider, (start()), { at(30, { status = "ERROR" }), gone(31) })
      assert.equal("DELETE", answer.requests[2].method)
      assert.equal("error", answer.result.status)
      assert.near(0.72 / 3600 * 31, answer.result.cost.usd, 1e-12)
      assert.equal("running", offline.poll(provider, (start()), { at(30, { status = "ERROR" }), { status = 500 } }).result.status)
    end)

    it("is not ended by an answer that did not come", function()
      assert.is_not.equal("canceled", offline.cancel(provider, (start()), { { status = 500 } }).result.status)
      assert.equal("queued", offline.poll(provider, (start()), { { status = 200, json = { unexpected = true } } }).result.status)
    end)
  end)

  it("tells no capacity from a bad body, and bad input of a public endpoint", function()
    local full = { title = "Bad Request", detail = "there are no instances currently available" }
    assert.equal("unavailable", offline.submit(provider, job(), { { status = 400, json = full } }).result.error.code)
    local bad = { id = "s-u1", status = "FAILED", error = "Invalid parameter: width must be divisible by 64" }
    local result = offline.submit(provider, job(), { { status = 400, json = bad } }).result
    assert.equal("invalid", result.error.code)
    assert.is_false(result.error.billed)
  end)

  it("does not know whether a submit without an answer is billed", function()
    local answer = offline.submit(provider, job(), { { failure = { kind = "timeout", message = "no answer" } } })
    assert.equal("timeout", answer.result.error.code)
    assert.is_nil(answer.result.error.billed)
  end)

  describe("webhook", function()
    local known = { id = "j-u1", state = { kind = "job", endpoint_id = "e" }, payload = {} }
    local function deliver(body, responses)
      return offline.webhook(provider, { headers = {}, json = body, job = known }, responses)
    end

    it("asks RunPod, and believes it more than the delivery", function()
      local answer = deliver({ id = "j-u1", status = "COMPLETED", output = "forged" },
        { { status = 200, json = { id = "j-u1", status = "IN_PROGRESS" } } })
      assert.equal("https://api.runpod.ai/v2/e/status/j-u1", answer.requests[1].url)
      assert.equal("running", answer.result.status)
    end)

    it("takes the delivery when the job is already forgotten", function()
      local answer = deliver({ id = "j-u1", status = "COMPLETED", output = "kept" }, { { status = 404 } })
      assert.equal("done", answer.result.status)
      assert.equal("kept", answer.result.artifacts[1].text)
    end)

    it("refuses another job's delivery, and what is no job", function()
      assert.equal("body.id", deliver({ id = "other", status = "COMPLETED" }).refusal.field)
      assert.equal("body", deliver({ hello = 1 }).refusal.field)
    end)
  end)
end)
