-- Proves that a vendor's answer with tens of thousands of header lines costs nobody's time: a script gets the first of them,
-- each name once, and the
-- answer itself is not lost.
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"

local MOST_LINES = 256
local SECONDS = os.getenv("SPEC_SLOW") and 30 or 1

local SCRIPT = script_text.provider("heads", {
  health = [[
    local response = ctx.request { path = "/heads" }
    local joined, names = response.headers["a"] or "", 0
    for _ in pairs(response.headers) do names = names + 1 end
    local told = { response.headers["x-twice"], response.headers["x-once"], tostring(response.headers["x-last"]), names, #joined }
    return { ok = response.status == 200 and response.json ~= nil, reason = table.concat(told, "; ") }
  ]],
})

local function cpu_seconds(host)
  local file = assert(io.open("/proc/" .. host.pid .. "/stat"))
  local user, system = file:read("a"):match("^.*%) %a" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  file:close()
  return (user + system) / 100
end

describe("a vendor's head of 60,000 lines", function()
  local vendor, host

  setup(function()
    vendor = hosts.start { program = "lua5.4", arguments = { "spec/support/odd_vendor.lua" }, config = "" }
    local budget = { per_day = 1, per_month = 1 }
    host = hosts.start {
      files = { ["providers/heads.lua"] = SCRIPT },
      config = {
        features = { enable_public_image_providers = true },
        live = { enabled = true, upstream = "http://127.0.0.1:" .. vendor.port, budget_usd = budget,
          providers = { heads = { enabled = true, budget_usd = budget } } },
      },
    }
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  it("is cut and joined, quickly", function()
    local before = cpu_seconds(host)
    for _ = 1, 5 do
      local answer = host:post("/api/providers/image/heads/health", { dry_run = false })
      assert.equal(200, answer.status, answer.body)
      assert.is_false(answer.json.dry_run, answer.body)
      assert.is_true(answer.json.probe.ok, answer.body)
      -- five lines stand before those of `a`
      local bytes = (MOST_LINES - 5) * #"b, " - #", "
      assert.equal("one, two; alone; nil; 5; " .. bytes, answer.json.probe.reason)
    end
    assert.is_true(cpu_seconds(host) - before < SECONDS)
  end)
end)
