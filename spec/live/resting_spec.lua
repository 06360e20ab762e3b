-- A script that went over its limits again and again rests, and jobs are at the vendor meanwhile.
local support = require "spec.support.live"

describe("a live job whose script rests", function()
  it("takes a delivery as a reason to poll, and goes on when the script is mended", function()
    local address = support.address()
    local live = support.start {
      scripts = true, listen = address, simulate = { "--job-time", "40000" },
      config = function(config) config.live.public_url = "http://" .. address end,
    }
    local text = live.host:read("providers/image_fal.lua")
    local job_id = live:job("fal")
    live.host:write("providers/image_fal.lua",
      (text:gsub("local function poll%b()\n", "%0  while true do end\n", 1)))
    live.host:eventually(function() return live:status(job_id).reason:find("rests", 1, true) end)
    live.host:eventually(function() return live.simulator:get("/journal").json.deliveries[1] end)
    assert.equal(200, live.simulator:get("/journal").json.deliveries[1].status)
    assert.equal("queued", live:status(job_id).status)
    live.host:write("providers/image_fal.lua", text)
    assert.equal("done", live:ended(job_id).status)
    live:remove()
  end)
end)
