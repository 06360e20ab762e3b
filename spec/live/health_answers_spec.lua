-- What a vendor answers to a health check is bounded more tightly than what is paid for: many clients may ask for one at once.
local told_vendor = require "spec.support.told_vendor"

local MIB = 1024 * 1024
local HEALTH = [[return function(ctx)
  local response, failure = ctx.request { path = "/account" }
  return { ok = response ~= nil, reason = failure and failure.kind }
end]]

describe("a vendor's answer to a health check", function()
  it("is taken up to 4 MiB", function()
    local vendor = told_vendor.start()
    local host = vendor:live { functions = { health = HEALTH } }
    local function probe(bytes)
      vendor:tell { ["GET /account"] = { json = { x = ("x"):rep(bytes) } } }
      local answer = host:post(vendor.path .. "/health", { dry_run = false })
      assert.equal(200, answer.status, answer.body)
      return answer.json.probe
    end
    assert.is_true(probe(3 * MIB).ok)
    local refused = probe(5 * MIB)
    assert.is_false(refused.ok)
    assert.equal("too_large", refused.reason)
    vendor:remove()
  end)
end)
