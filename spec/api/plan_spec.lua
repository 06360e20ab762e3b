-- What prepare hands on beside the payload, and that nothing which a script puts into its ctx is there in the next call.
local host = require "spec.support.host"
local script_text = require "spec.support.script_text"

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
      .. "return ctx.request { path = '/jobs', json = { kept = before, warn = type(ctx.warn), dry_run = ctx.dry_run } }",
  }),
}

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

  it("gives each call a ctx of its own", function()
    for _ = 1, 3 do
      assert.same({ kept = "nil", warn = "function", dry_run = true }, submit("keeper", "a cat").upstream.body)
    end
  end)
end)
