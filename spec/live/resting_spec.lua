-- A script that went over its limits again and again rests, and jobs are at the vendor meanwhile.
local support = require "spec.support.live"

local TRIES = 4

describe("a live job whose script rests", function()
  local live
  after_each(function() live:remove() end)

  local function generation()
    for _, entry in ipairs(live.host:get("/api/providers/image/catalog").json.providers) do
      if entry.id == "fal" then return entry.script.generation end
    end
  end

  -- A job of the provider whose polls loop, once that has it rest; nil when the vendor's delivery came before.
  -- A job takes about half of the time that it is given.
  local function resting_job(job_time)
    local address = support.address()
    live = support.start {
      scripts = true, listen = address, simulate = { "--job-time", tostring(job_time) }, hurry = 5,
      env = not os.getenv("SPEC_SLOW") and { PROVIDERD_TEST_CALL_CPU_MS = "500" } or nil,
      config = function(config) config.live.public_url = "http://" .. address end,
    }
    local text, before = live.host:read("providers/image_fal.lua"), generation()
    live.host:write("providers/image_fal.lua", (text:gsub("local function poll%b()\n", "%0  while true do end\n", 1)))
    live.host:eventually(function() return generation() > before end)
    local job_id, job = live:job("fal"), nil
    live.host:eventually(function()
      job = live:status(job_id)
      return job.status == "done" or (job.reason or ""):find("rests", 1, true)
    end)
    if job.status ~= "done" then return job_id, text end
    live:remove()
  end

  it("takes a delivery as a reason to poll, and goes on when the script is mended", function()
    local job_id, text
    for try = 1, TRIES do -- on a busy machine the script may not have looped three times yet
      job_id, text = resting_job(20000 * try)
      if job_id then break end
    end
    assert.is_string(job_id)
    live.host:eventually(function() return live.simulator:get("/journal").json.deliveries[1] end)
    assert.equal(200, live.simulator:get("/journal").json.deliveries[1].status)
    assert.equal("queued", live:status(job_id).status)
    live.host:write("providers/image_fal.lua", text)
    assert.equal("done", live:ended(job_id).status)
  end)
end)
