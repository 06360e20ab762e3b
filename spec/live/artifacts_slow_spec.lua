-- What is too slow has an end: a download that trickles, all the outputs of one job together, and a client that does not take
-- its file.
local Odd = require "spec.support.odd_outputs"
local prometheus = require "spec.support.prometheus"
local socket = require "socket"

local file = Odd.file

describe("outputs that come too slowly", function()
  local odd
  after_each(function()
    odd.host:kill()
    odd:remove()
  end)

  it("are given up one by one, and the others are kept", function()
    odd = Odd.start { env = { PROVIDERD_TEST_SILENCE_SECONDS = "2" } }
    local job = odd:job { file "ok.png", file "trickle" }
    assert.is_nil(job.artifacts[1].error)
    assert.is_truthy(job.artifacts[2].error)
    assert.is_nil(tostring(job.artifacts[2].error):find("longer than", 1, true), "its own slowness is the reason")
    assert.equal("", odd:temporaries())
  end)

  it("are given up together after the job's time, and what came is kept", function()
    odd = Odd.start { env = { PROVIDERD_TEST_OUTPUTS_SECONDS = "3" } }
    local job = odd:job { file "trickle?1", file "ok.png", file "trickle?2" }
    assert.is_nil(job.artifacts[2].error)
    for _, n in ipairs { 1, 3 } do assert.is_truthy(job.artifacts[n].error) end -- a single one would have had ten minutes
    assert.equal("", odd:temporaries())
  end)
end)

describe("a client that does not take its file", function()
  it("is left, and is shown that something is missing", function()
    local odd = Odd.start { max_bytes = 4000000 }
    local job = odd:job { file "large" }
    local path = "/api/jobs/" .. job.job_id .. "/artifacts/0"
    local length = #odd.host:get(path).body
    local client = assert(socket.tcp4())
    assert(client:setoption("recv-buffer-size", 2048))
    client:settimeout(60)
    assert(client:connect("127.0.0.1", odd.host.port))
    client:send("GET " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    local function answered()
      local families = prometheus.read(odd.host:get("/metrics").body)
      return prometheus.value(families, "providerd_http_requests_total", { route = "/api/jobs/*/artifacts/*", status = "200" })
    end
    local before = answered()
    assert.equal(1, before, "the slow one is not through at once")
    odd.host:eventually(function() return answered() == before + 1 end)
    local text, _, part = client:receive("*a")
    assert.is_true(#(text or part) < length)
    client:close()
    odd:remove()
  end)
end)
