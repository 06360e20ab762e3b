-- Live jobs and kill -9: whatever moment it comes at, the log tells of each job exactly what its row says.
local socket = require "socket"
local support = require "spec.support.live"

local SLOW = os.getenv("SPEC_SLOW") ~= nil
local PROVIDERS = { "luma", "runway", "stability", "replicate", "runpod" }

local function verbs(events)
  local list, counts = {}, {}
  for i, event in ipairs(events) do
    list[i] = event.type:match("[^.]+$")
    counts[list[i]] = (counts[list[i]] or 0) + 1
  end
  return list, counts
end

describe("after kill -9 in the midst of live jobs", function()
  local live
  setup(function() live = support.start { hurry = 8 } end)
  teardown(function() live:remove() end)

  -- The jobs that were answered; the host is killed at a random moment meanwhile.
  local function submit_and_kill()
    local ids, client = {}, live.host:connect()
    local until_then = socket.gettime() + math.random() * 2.5
    while socket.gettime() < until_then do
      for _, id in ipairs(PROVIDERS) do
        local body = { dry_run = false }
        for name, value in pairs(support.JOBS[id]) do body[name] = value end
        local ok, answer = pcall(client.request, client, "POST", live:path(id, "submit"), body)
        if ok and answer.status == 202 then ids[#ids + 1] = answer.json.job_id end
      end
      socket.sleep(math.random() * 0.2)
    end
    live.host:kill()
    return ids
  end

  it("each job's events and its row agree", function()
    for _ = 1, SLOW and 2 or 4 do
      local ids = submit_and_kill()
      live.host:start_again()
      for _, id in ipairs(ids) do
        local job
        live.host:eventually(function()
          job = live.host:get("/api/jobs/status/" .. id).json
          return job.status == "unknown" or (job.status ~= "queued" and job.status ~= "running")
        end)
        local events = live.host:get("/api/events/history?limit=500&job=" .. id).json.events
        local told, counts = verbs(events)
        assert.equal("submit", told[1])
        assert.equal(1, counts.submit)
        assert.equal(1, counts[job.status], id .. " " .. table.concat(told, " "))
        if job.status ~= "unknown" then
          assert.equal(1, counts.settled)
          assert.equal("settled", told[#told])
          assert.same(job.money, events[#events].data.money)
        end
        for i = 2, #events do assert.is_true(tonumber(events[i].id) > tonumber(events[i - 1].id)) end
      end
    end
  end)
end)
