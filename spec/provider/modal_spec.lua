-- What the recorded contract of Modal cannot say: field errors, refusals, warnings, estimates, and where credentials may go.
local contract = require "spec.support.contract"
local offline = require "author.offline"

describe("modal", function()
  local provider
  setup(function() provider = contract.load("modal") end)

  local FUNCTION = "https://acme--imggen-generate.modal.run/"
  local WEB = "https://acme--imggen-web.modal.run"
  local QUEUE = { submit_url = WEB .. "/accept", body = { prompt = "x" } }

  local function with(base, fields)
    local request = {}
    for name, value in pairs(base) do request[name] = value end
    for name, value in pairs(fields or {}) do request[name] = value end
    return request
  end

  local function call(fields) return with({ url = FUNCTION, body = { prompt = "x" } }, fields) end

  local function submit(request, response) return offline.submit(provider, request, response and { response }) end

  local function poll(state, response, payload)
    return offline.poll(provider, { id = "fc-1", state = state, payload = payload or {} }, response and { response })
  end

  describe("field errors", function()
    local cases = {
      { "url", call { url = 5 } },
      { "url", call { url = "http://acme--imggen-generate.modal.run/" } },
      { "result_url", with(QUEUE, { result_url = "/result/{call_id}" }) },
      { "path", { path = "chat/completions" } },
      { "method", call { method = "TRACE" } },
      { "auth", call { auth = "basic" } },
      { "query.list", call { query = { list = { 1 } } } },
      { "headers", call { headers = "X-A: b" } },
      { "headers.X-A", call { headers = { ["X-A"] = "{token_secret}" } } },
      { "headers.Modal-Key", call { headers = { ["Modal-Key"] = "wk-mine" } } },
      { "session_id", call { session_id = "{token_id}" } },
      { "function", { ["function"] = { "f" } } },
      { "seconds", call { seconds = -1 } },
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
    local cases = {
      { "url", { ["function"] = "render_scene", gpu = "A10G" } },
      { "url", call { url = "https://gpu.example.com/" } },
      { "url", call { url = "https://modal.run.example.com/" } },
      { "result_url", with(QUEUE, { result_url = "https://example.com/result/{call_id}" }) },
      { "body", call { method = "GET" } },
      { "url", { workspace = "acme", app = string.rep("long", 13), ["function"] = "generate" } },
    }
    for _, case in ipairs(cases) do
      it("of " .. case[1] .. " come before anything is sent", function()
        local answer = submit(case[2])
        assert.same({}, answer.requests)
        assert.equal(case[1], answer.refusal.field)
      end)
    end
  end)

  it("builds the address of a deployed function from its names", function()
    local request = { workspace = "ECorp", environment = "prod", app = "text_to_speech", ["function"] = "flask_app" }
    assert.equal("https://ecorp-prod--text-to-speech-flask-app.modal.run/", submit(request).upstream.url)
  end)

  it("calls a function with GET and a query", function()
    local upstream = submit({ url = FUNCTION, method = "get", query = { prompt = "a cat", seed = 7 } }).upstream
    assert.equal("GET", upstream.method)
    assert.equal(FUNCTION .. "?prompt=a%20cat&seed=7", upstream.url)
    assert.is_nil(upstream.json)
  end)

  it("sends the token in the form that the place takes", function()
    local headers = submit(call()).upstream.headers
    assert.equal("{token_id}", headers["modal-key"])
    assert.is_nil(headers["authorization"])
    headers = submit({ path = "/chat/completions", body = {} }).upstream.headers
    assert.equal("Bearer {token_id}.{token_secret}", headers["authorization"])
    assert.is_nil(headers["modal-key"])
    headers = submit(call { auth = "none" }).upstream.headers
    assert.is_nil(headers["modal-key"])
    assert.is_nil(headers["authorization"])
  end)

  it("passes an app's own headers and the session on", function()
    local headers = submit(call { headers = { ["X-Trace"] = "1" }, session_id = "s-1" }).upstream.headers
    assert.equal("1", headers["x-trace"])
    assert.equal("s-1", headers["modal-session-id"])
  end)

  it("warns of what belongs to the function's definition", function()
    local answer = submit(call { gpu = "A10G", schedule = { cron = "0 * * * *" }, volumes = { ["/m"] = "models" } })
    local fields = {}
    for _, warning in ipairs(answer.warnings) do fields[#fields + 1] = warning.field end
    assert.same({ "gpu", "schedule", "volumes" }, fields)
    assert.same({}, submit(call()).warnings)
  end)

  describe("estimates", function()
    local function estimate(request) return provider.estimate((assert(offline.prepare(provider, request)))) end
    local function near(expected, actual) assert.is_true(math.abs(expected - actual) < 6e-7, tostring(actual)) end

    it("count the GPU's seconds and the least CPU", function()
      local figures = estimate(call { gpu = "H100", seconds = 100 })
      near(0.1097, figures.low)
      near(0.1097 + 0.00016375, figures.expected)
      near((0.1097 + 0.00016375) * 1.75, figures.high)
      assert.equal("2026-06-27", figures.as_of)
    end)

    it("read Modal's spelling of several GPUs, and older prices with their date", function()
      near(2 * 60 * 0.000694, estimate(call { gpu = "A100_80GB:2", max_runtime_minutes = 1 }).low)
      local figures = estimate(call { gpu = "A10G", seconds = 3600 })
      near(1.32, figures.low)
      assert.equal("2025-02-17", figures.as_of)
    end)

    it("say what is missing instead of guessing", function()
      local cases = {
        { call(), "gpu" }, { call { gpu = "H100" }, "seconds" }, { call { gpu = "A100", seconds = 1 }, "price" },
        { call { gpu = "as_of", seconds = 1 }, "price" },
      }
      for _, case in ipairs(cases) do
        local figures, missing = estimate(case[1])
        assert.is_nil(figures)
        assert.is_truthy(missing:find(case[2], 1, true), missing)
      end
    end)
  end)

  describe("the job queue", function()
    it("remembers where the result will be", function()
      local accepted = { status = 200, headers = { date = "Mon, 23 Nov 2026 10:00:00 GMT" }, json = { call_id = "fc-9" } }
      local result = submit(QUEUE, accepted).result
      assert.equal("queued", result.status)
      assert.equal("fc-9", result.id)
      assert.equal(WEB .. "/result/fc-9", result.state.result_url)
      local custom = with(QUEUE, { result_url = WEB .. "/jobs/{call_id}/output" })
      assert.equal(WEB .. "/jobs/fc-9/output", submit(custom, accepted).result.state.result_url)
    end)

    it("is an error when the app gives no call_id", function()
      assert.equal("vendor", submit(QUEUE, { status = 200, json = { ok = true } }).result.error.code)
    end)

    it("goes on at 202, until no result could be left", function()
      local state = { kind = "queue", result_url = WEB .. "/result/fc-1", since = "Mon, 23 Nov 2026 10:00:00 GMT" }
      local function pending(date) return { status = 202, headers = { date = date }, json = {} } end
      assert.equal("running", poll(state, pending("Mon, 30 Nov 2026 10:00:00 GMT")).result.status)
      assert.equal("expired", poll(state, pending("Mon, 30 Nov 2026 10:00:01 GMT")).result.error.code)
      assert.equal("running", poll({ kind = "queue", result_url = WEB .. "/result/fc-1" }, { status = 202 }).result.status)
    end)

    it("polls a job that is known by its id and payload only", function()
      assert.equal(WEB .. "/result/fc-1", poll({}, nil, QUEUE).upstream.url)
    end)
  end)

  describe("a long call", function()
    local state = { kind = "call", result_url = FUNCTION .. "?__modal_function_call_id=fc-1" }

    it("is polled by the parameter that Modal documents when only the id is known", function()
      assert.equal(state.result_url, poll({}, nil, { url = FUNCTION }).upstream.url)
    end)

    it("goes on after 408, 502 and silence", function()
      local silence = { failure = { kind = "timeout", message = "slow" } }
      for _, response in ipairs { { status = 408 }, { status = 502 }, { status = 401 }, silence } do
        local result = poll(state, response).result
        assert.equal("running", result.status)
        assert.equal(state.result_url, result.state.result_url)
      end
    end)

    it("ends with the function's own failure, with a stopped app, and with the spend limit", function()
      assert.equal("vendor", poll(state, { status = 500, body = "Internal Server Error" }).result.error.code)
      local stopped = { status = 404, body = "modal-http: app for invoked web endpoint is stopped" }
      assert.equal("not_found", poll(state, stopped).result.error.code)
      local broke = { status = 429, body = "modal-http: Webhook failed: workspace billing cycle spend limit reached" }
      assert.equal("credit", poll(state, broke).result.error.code)
    end)

    it("never follows a redirect to another host", function()
      local away = { status = 303, headers = { location = "https://evil--app.modal.run/?__modal_function_call_id=fc-1" } }
      assert.equal("vendor", poll(state, away).result.error.code)
      assert.equal("vendor", submit(call(), away).result.error.code)
    end)

    it("does not take a moved address for a running call", function()
      local moved = { status = 307, headers = { location = FUNCTION .. "generate/" } }
      assert.equal("vendor", submit(call(), moved).result.error.code)
    end)
  end)

  it("a dry-run poll without a URL is refused by job_id", function()
    assert.equal("job_id", offline.poll(provider, { id = "mock-modal-1", state = {}, payload = {} }).refusal.field)
  end)

  it("keeps the bytes, the text or the JSON of a result", function()
    local image = submit(call(), { status = 200, headers = { ["content-type"] = "image/png" }, body = "\137PNG" }).result
    assert.same({ { base64 = "iVBORw==", content_type = "image/png" } }, image.artifacts)
    local plain = { status = 200, headers = { ["content-type"] = "text/plain; charset=utf-8" }, body = "hi" }
    local text = submit(call(), plain).result
    assert.same({ { text = "hi", content_type = "text/plain" } }, text.artifacts)
    local json = { status = 200, headers = { ["content-type"] = "application/json" }, json = { answer = 42 } }
    assert.same({ answer = 42 }, submit(call(), json).result.artifacts[1].json)
    assert.same({}, submit(call(), { status = 204 }).result.artifacts)
  end)

  it("reads FastAPI's complaint, which is free like any refusal", function()
    local detail = { detail = { { loc = { "body", "prompt" }, msg = "field required" } } }
    local problem = submit(call(), { status = 422, json = detail }).result.error
    assert.equal("invalid", problem.code)
    assert.is_truthy(problem.message:find("body.prompt: field required", 1, true))
    assert.is_false(problem.billed)
  end)

  it("does not know whether a submit without an answer is billed", function()
    local problem = submit(call(), { failure = { kind = "reset", message = "connection reset" } }).result.error
    assert.equal("unavailable", problem.code)
    assert.is_nil(problem.billed)
  end)

  it("health asks the shared endpoints, which run nothing for it", function()
    local upstream = offline.health(provider).upstream
    assert.equal("GET", upstream.method)
    assert.equal("https://inference.us-west.modal.direct/v1/models", upstream.url)
    assert.equal("Bearer {token_id}.{token_secret}", upstream.headers["authorization"])
    assert.is_true(offline.health(provider, { { status = 200, json = { data = {} } } }).result.ok)
    assert.is_false(offline.health(provider, { { status = 401, body = "modal-http: missing credentials" } }).result.ok)
  end)

  it("cancels only where the app has a route for it", function()
    local job = { id = "fc-1", state = {}, payload = QUEUE }
    assert.equal("cancel_url", offline.cancel(provider, job).refusal.field)
    job.payload = with(QUEUE, { cancel_url = WEB .. "/cancel" })
    assert.equal(WEB .. "/cancel/fc-1", offline.cancel(provider, job).upstream.url)
    assert.equal("running", offline.cancel(provider, job, { { status = 200, json = { canceled = false } } }).result.status)
    job.payload.cancel_url = "https://example.com/cancel"
    assert.same({}, offline.cancel(provider, job).requests)
  end)
end)
