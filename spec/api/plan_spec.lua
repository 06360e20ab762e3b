-- What prepare hands on beside the payload, what the ctx of prepare and estimate has, and that nothing which a script
-- puts into its ctx is there in the next call.
local host = require "spec.support.host"
local script_text = require "spec.support.script_text"

local SENDS = {
  "request { path = '/x' }", "needs { message = 'more' }", "needs_host 'https://vendor.example/'",
}

local SCRIPTS = {
  ["providers/image_planner.lua"] = script_text.provider("planner", {
    prepare = "return { prompt = request.prompt }, { model = 'x' }, { text = 'planned for ' .. request.prompt }",
    estimate = "return { expected = 0.04, unit = plan.text }",
    submit = "return ctx.request { path = '/jobs', json = { prompt = payload.prompt, plan = plan } }",
  }),
  ["providers/image_planless.lua"] = script_text.provider("planless", {
    prepare = "return request",
    estimate = "return { expected = 0.04, unit = type(plan) }",
    submit = "return ctx.request { path = '/jobs', json = { plan = type(plan) } }",
  }),
  ["providers/image_keeper.lua"] = script_text.provider("keeper", {
    submit = "local before = type(ctx.kept) ctx.kept = 1 ctx.warn = nil "
      .. "return ctx.request { path = '/j', json = { kept = before, warn = type(ctx.warn), dry_run = ctx.dry_run } }",
  }),
  ["providers/video_asker.lua"] = script_text.provider("asker", {
    fields = { kind = "'video'" },
    prepare = "ctx.warn { field = 'prompt', message = 'is long' } ctx.note 'prepared' "
      .. "return { ctx = { kind = ctx.kind, dry_run = ctx.dry_run } }",
    estimate = "ctx.note 'priced' return { expected = 0.04, unit = ctx.kind }",
    submit = "return ctx.request { path = '/jobs', json = { kind = ctx.kind } }",
    health = "return ctx.request { path = '/me', query = { kind = ctx.kind } }",
    poll = "return ctx.request { path = '/jobs/' .. ctx.kind }",
  }),
  ["providers/gpu_asker.lua"] = script_text.provider("gpu_asker", {
    fields = { kind = "'gpu'" },
    prepare = "ctx.warn { field = 'input', message = 'is odd' } return { kind = ctx.kind }",
  }),
}
for i, call in ipairs(SENDS) do
  local id = "sender_" .. i
  SCRIPTS["providers/image_" .. id .. ".lua"] = script_text.provider(id, {
    prepare = "if request.first then ctx." .. call .. " end return request", estimate = "ctx." .. call,
  })
end

describe("a running host", function()
  local running

  setup(function() running = host.start { files = SCRIPTS } end)
  teardown(function() running:remove() end)

  local function submit(id, prompt)
    local answer = running:post("/api/providers/image/" .. id .. "/submit", { prompt = prompt })
    assert.equal(200, answer.status)
    return answer.json
  end

  it("hands the plan of prepare to estimate and submit", function()
    for _, prompt in ipairs { "a cat", "a dog" } do
      local answer = submit("planner", prompt)
      assert.equal("x", answer.model)
      assert.equal("planned for " .. prompt, answer.estimates.unit)
      assert.same({ prompt = prompt, plan = { text = "planned for " .. prompt } }, answer.upstream.body)
      assert.same({ prompt = prompt }, answer.payload)
    end
  end)

  it("hands on nothing where there is no plan", function()
    local answer = submit("planless", "a cat")
    assert.equal("nil", answer.estimates.unit)
    assert.same({ plan = "nil" }, answer.upstream.body)
  end)

  it("gives prepare and estimate the ctx of their call", function()
    local answer = running:post("/api/providers/video/asker/submit", { prompt = "a cat" }).json
    assert.same({ kind = "video", dry_run = true }, answer.payload.ctx)
    assert.equal("video", answer.estimates.unit)
    assert.same({ kind = "video" }, answer.upstream.body)
    local said = table.concat(answer.warnings, "\n") .. "\n" .. table.concat(answer.notes, "\n")
    for _, text in ipairs { "prompt: is long", "prepared", "priced" } do
      assert.truthy(said:find(text, 1, true), text)
    end
  end)

  it("gives it to health and poll, with the kind too", function()
    local function url_of(verb)
      return running:post("/api/providers/video/asker/" .. verb, { id = "mock-asker-1" }).json.upstream.url
    end
    assert.equal("https://vendor.example/v1/me?kind=video", url_of("health"))
    assert.equal("https://vendor.example/v1/jobs/video", url_of("poll"))
  end)

  it("puts job. before what prepare warns of, for gpu", function()
    local answer = running:post("/api/providers/gpu/public/gpu_asker/submit", { job = { input = {} } }).json
    assert.same({ kind = "gpu" }, answer.job)
    assert.truthy(table.concat(answer.warnings, " "):find("job.input: is odd", 1, true))
  end)

  it("lets neither prepare nor estimate send, or need, anything", function()
    for i = 1, #SENDS do
      for _, first in ipairs { true, false } do
        local answer = running:post("/api/providers/image/sender_" .. i .. "/submit", { first = first })
        assert.equal(500, answer.status)
        local detail = answer.json.detail
        assert.truthy(detail:find("not in prepare or estimate: they send nothing", 1, true), detail)
        assert.truthy(detail:find("sender_" .. i .. ".lua", 1, true), detail)
      end
    end
  end)

  it("gives each call a ctx of its own", function()
    for _ = 1, 3 do
      assert.same({ kept = "nil", warn = "function", dry_run = true }, submit("keeper", "a cat").upstream.body)
    end
  end)
end)
