-- A script that fails with bytes that are no text: its job ends all the same, and what is told of it is text.
local support = require "spec.support.live"

describe("a live job whose script fails", function()
  it("before anything was sent ends, whatever bytes its message has", function()
    local live = support.start { scripts = true }
    local text = live.host:read("providers/image_fal.lua")
    text = text:gsub("local function submit%b()\n", "%0  if not ctx.dry_run then error('no \\xff text') end\n", 1)
    live.host:write("providers/image_fal.lua", (text:gsub('name = "fal.ai"', 'name = "fal.ai that fails"', 1)))
    live.host:eventually(function()
      return live.host:get("/api/providers/image/catalog").body:find("fal.ai that fails", 1, true)
    end)
    local job = live:ended(live:job("fal"))
    assert.equal("error", job.status)
    assert.equal("invalid", job.result.error.code, require("cjson").encode(job))
    assert.is_truthy(job.result.error.message:find("no \u{FFFD} text", 1, true), job.result.error.message)
    assert.equal(0, job.money.spent_usd)
    live:remove()
  end)
end)
