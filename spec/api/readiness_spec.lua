-- /readyz tells the truth: 503 while the registry cannot be written, while a commit does not end, and while the disk is full; and
-- 200 again by itself when the trouble is over. /healthz stays 200.
local hosts = require "spec.support.host"
local registry = require "spec.support.registry"

local SUBMIT = "/api/providers/image/fal/submit"

local function becomes(host, status, problem)
  return host:eventually(function()
    local ready = host:get("/readyz")
    assert.equal(status, ready.status)
    assert.equal(status == 200, ready.json.ok)
    assert.equal(200, host:get("/healthz").status)
    return not problem or ready.body:find(problem, 1, true)
  end)
end

describe("readiness", function()
  it("is gone while the registry cannot be written, and comes back", function()
    local host = hosts.start {}
    becomes(host, 200)
    -- another program keeps the database
    local keeper = registry.keep(host)
    host:eventually(function() return host:post(SUBMIT, { prompt = "x" }).status == 503 end)
    becomes(host, 503, "the registry cannot be written")
    keeper:release()
    becomes(host, 200) -- though nobody submits
    assert.equal(200, host:post(SUBMIT, { prompt = "x" }).status)
    host:remove()
  end)

  it("is gone while a commit does not end", function()
    local host = hosts.start { env = { PROVIDERD_TEST_STALL = "store:commit:8", PROVIDERD_TEST_CALL_WAIT_MS = "200",
      PROVIDERD_TEST_COMMIT_WAIT_MS = "200" } }
    assert.equal(504, host:post(SUBMIT, { prompt = "x" }).status)
    becomes(host, 503, "the registry has been writing for")
    becomes(host, 200)
    host:remove()
  end)

  it("is gone while the disk of data/ is full", function()
    local host = hosts.start { env = { PROVIDERD_TEST_DISK_FREE_BYTES = "1000000000000000000" } }
    becomes(host, 503, "the disk of data/ has")
    host:remove()
  end)
end)
