-- Health on the live path, against the vendor simulator: the probe of each contract is sent when every switch is on and the
-- request asks for it, and never otherwise; the credential reaches the vendor and nobody else.
local start = require("spec.support.host").start

local support = require "spec.support.live"

local KINDS, SECRETS = support.KINDS, support.SECRETS

local BUDGET = { per_day = 1, per_month = 1 }

local function live_config(upstream, changes)
  local providers = {}
  for id in pairs(KINDS) do providers[id] = { enabled = true, budget_usd = BUDGET } end
  local config = {
    features = { enable_public_gpu = true, enable_public_image_video = true },
    live = { enabled = true, upstream = upstream, budget_usd = BUDGET, providers = providers },
  }
  if changes then changes(config) end
  return config
end

local function health(host, id, body)
  return host:post("/api/providers/" .. KINDS[id] .. "/" .. id .. "/health", body or { dry_run = false })
end

local function seen(simulator)
  return simulator:get("/journal").json.seen
end

describe("live health", function()
  local simulator, upstream, host

  setup(function()
    simulator = start { arguments = { "simulate", "--listen", "127.0.0.1:0" }, config = "" }
    upstream = "http://127.0.0.1:" .. simulator.port
    host = start { config = live_config(upstream), secrets = SECRETS }
  end)

  teardown(function()
    host:remove()
    simulator:remove()
  end)

  for id in pairs(KINDS) do
    it("asks " .. id .. " once and tells what it said", function()
      local before = seen(simulator)
      local answer = health(host, id)
      assert.equal(200, answer.status, answer.body)
      assert.is_false(answer.json.dry_run)
      assert.same({ enabled = true, missing = {} }, answer.json.live)
      assert.is_true(answer.json.probe.ok, answer.body)
      assert.equal(before + 1, seen(simulator))
    end)

    it("shows " .. id .. " as a dry run when not asked to be live", function()
      local before = seen(simulator)
      local answer = health(host, id, {})
      assert.is_true(answer.json.dry_run)
      assert.is_truthy(answer.json.upstream)
      assert.equal(before, seen(simulator))
    end)
  end

  it("keeps every credential out of answers, log and journal", function()
    local texts = { host:log(), simulator:get("/journal").body }
    for id in pairs(KINDS) do texts[#texts + 1] = health(host, id).body end
    local all = table.concat(texts, "\n"):lower()
    assert.is_nil(all:find("planted", 1, true))
  end)

  it("is not sent with a credential from the request", function()
    local before = seen(simulator)
    local answer = health(host, "fal", { dry_run = false, config = { api_key = "11111111-2222:fromrequest" } })
    assert.equal(400, answer.status)
    assert.equal("config", answer.json.errors[1].path)
    assert.equal(before, seen(simulator))
  end)
end)

describe("live health with a switch off", function()
  local CASES = {
    { name = "the host's", change = function(config) config.live.enabled = false end, says = "live.enabled" },
    { name = "the provider's", change = function(config) config.live.providers.fal.enabled = false end,
      says = "live.providers.fal.enabled" },
    { name = "the feature flag", change = function(config) config.features.enable_public_image_video = false end,
      says = "feature flag" },
    { name = "the budget", change = function(config) config.live.budget_usd = { per_day = 0, per_month = 1 } end,
      says = "live.budget_usd" },
  }

  for _, case in ipairs(CASES) do
    it("sends nothing and names it: " .. case.name, function()
      local simulator = start { arguments = { "simulate", "--listen", "127.0.0.1:0" }, config = "" }
      local host = start { config = live_config("http://127.0.0.1:" .. simulator.port, case.change), secrets = SECRETS }
      local answer = health(host, "fal")
      local sent = seen(simulator)
      host:remove()
      simulator:remove()
      assert.equal(200, answer.status)
      assert.is_true(answer.json.dry_run)
      assert.is_truthy(table.concat(answer.json.live.missing, "\n"):find(case.says, 1, true))
      assert.equal(0, sent)
    end)
  end
end)

describe("live health of a vendor in trouble", function()
  local function probe_with(fault)
    local arguments = { "simulate", "--listen", "127.0.0.1:0", "--fault", "replicate:" .. fault .. ":1" }
    local simulator = start { arguments = arguments, config = "" }
    local host = start { config = live_config("http://127.0.0.1:" .. simulator.port), secrets = SECRETS }
    local answer = health(host, "replicate")
    host:remove()
    simulator:remove()
    return answer
  end

  for _, fault in ipairs { "reset_before", "reset_after", "5xx", "429", "wrong_json", "truncated" } do
    it("is answered and not ok: " .. fault, function()
      local answer = probe_with(fault)
      assert.equal(200, answer.status, answer.body)
      assert.is_false(answer.json.probe.ok, answer.body)
      assert.is_truthy(answer.json.probe.reason)
    end)
  end

  it("is said when nobody listens", function()
    local host = start { config = live_config("http://127.0.0.1:1"), secrets = SECRETS }
    local answer = health(host, "stability")
    host:remove()
    assert.equal(200, answer.status)
    assert.is_false(answer.json.probe.ok)
  end)
end)
