-- Copies of outputs when many are to be made: those of one provider whose servers trickle take no place of another's, and of one
-- host no place of the same provider's other hosts.
local Odd = require "spec.support.odd_outputs"

local file = Odd.file

describe("copies of outputs", function()
  local odd
  before_each(function() odd = Odd.start { outputs = '{ "files.odd.example", "others.odd.example" }' } end)
  after_each(function()
    odd.host:kill() -- it would give what trickles its time
    odd:remove()
  end)

  local function trickling(count)
    local outputs = {}
    for i = 1, count do outputs[i] = file("trickle?" .. i) end
    return outputs
  end

  local function await_trickle()
    odd.host:eventually(function() return odd:temporaries() ~= "" end)
  end

  it("are made at once beside 80 of another provider that trickle", function()
    local slow = { odd:submit(trickling(40)), odd:submit(trickling(40)) }
    await_trickle()
    local job
    for i = 1, 5 do job = odd:submit({ file("ok.png?" .. i), { text = "small" } }, false, "other") end
    job = odd:ended(job)
    assert.is_nil(job.artifacts[1].error)
    for _, id in ipairs(slow) do assert.not_equal("done", odd.host:get("/api/jobs/status/" .. id).json.status) end
  end)

  it("are made at once beside many from another host of the same provider", function()
    odd:submit(trickling(20))
    await_trickle()
    local job = odd:ended(odd:submit { { url = "https://others.odd.example/ok.png" } })
    assert.is_nil(job.artifacts[1].error)
  end)
end)
