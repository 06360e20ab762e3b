-- Calls of one script that take turns do not meet: while alice's waits for the vendor, others run; then it goes on with what
-- it kept.
local memories = require "spec.support.memories"
local start = require("spec.support.host").start
local support = require "spec.support.live"

describe("calls that take turns", function()
  local vendor, host

  setup(function()
    vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/holding_vendor.lua" }, config = "",
      env = { LUA_PATH = os.getenv("LUA_PATH") } }
    local config = support.config("http://127.0.0.1:" .. vendor.port)
    local files = { ["lua/memo.lua"] = memories.MODULE }
    for _, case in ipairs(memories) do
      files["providers/image_" .. case.name .. ".lua"] = memories.script(case)
      config.live.providers[case.name] = { enabled = true, budget_usd = { per_day = 1000, per_month = 1000 },
      max_concurrent = 10,
        rate_per_minute = 6000 }
    end
    host = start { config = config, files = files }
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function submit(case, payload)
    local answer = host:post("/api/providers/image/" .. case.name .. "/submit", payload)
    assert.is_true(answer.status == 202 or answer.status == 200, answer.body:sub(1, 300))
    return answer.json
  end

  local function found(job)
    local answer
    host:eventually(function()
      answer = host:get("/api/jobs/status/" .. job.job_id).json
      return answer.status == "done" or answer.status == "error"
    end)
    assert.equals("done", answer.status, answer.reason)
    return answer.artifacts[1].json.found
  end

  it("keep what they wrote, each its own", function()
    local jobs, expected = {}, {}
    for _, case in ipairs(memories) do
      if not case.loads and not case.blind then
        for _, who in ipairs { "alice", "dave", "carol" } do
          local word = who ~= "carol" and who .. "-words" or nil
          local job = submit(case, { dry_run = false, who = who, word = word })
          jobs[#jobs + 1], expected[#jobs + 1] = job, job.upstream.body.found
          submit(case, { who = "bob", word = "bob-words" })
        end
      end
    end
    local released = 0
    host:eventually(function()
      released = released + tonumber(vendor:get("/release").body)
      return released == #jobs
    end)
    for i, job in ipairs(jobs) do assert.same(expected[i], found(job), job.provider) end
  end)
end)
