-- A thousand clients poll and list videos while their jobs end and the host is killed: each sees its video go one way, to an end,
-- and a walk through the list misses none and tells none twice.
local live_support = require "spec.support.live"
local swarm_support = require "spec.support.swarm"
local videos = require "spec.support.openai_videos"

local CLIENTS, JOBS, DRY = 1000, 40, 60
local PROVIDERS = { "runway", "luma", "pika" }
local RANK = { queued = 1, in_progress = 2, completed = 3, failed = 3 }

describe("a thousand clients of videos", function()
  it("see each go to its end, over a kill of the host, and page through all of them", function()
    local live = live_support.start { hurry = 20, simulate = { "--job-time", "8000" }, config = function(config)
      config.server.threads = 64
    end }
    finally(function() live:remove() end)
    local jobs, all = {}, {}
    for i = 1, DRY do
      all[i] = "video_" .. live.host:post("/api/providers/video/runway/submit", { prompt = "dry " .. i }).json.job_id
    end
    for i = 1, JOBS do
      jobs[i] = "video_" .. live:job(PROVIDERS[i % #PROVIDERS + 1])
      all[#all + 1] = jobs[i]
    end

    local swarm, ended, walked = swarm_support.new(), 0, 0
    local function ask(path)
      while true do
        local answer = swarm.ask(live.host.port, "GET", path)
        if answer and answer.status == 200 then return answer.json end
        assert(not answer or answer.status == 503, answer and answer.status .. " " .. answer.body)
        swarm_support.pause(0.05 + math.random() * 0.2)
      end
    end
    local function poll(id)
      local rank = 0
      repeat
        local video = ask("/v1/videos/" .. id)
        assert(RANK[video.status] and RANK[video.status] >= rank, id .. " went back to " .. video.status)
        rank = RANK[video.status]
        assert(video.status ~= "failed", video.error ~= nil and video.id)
        swarm_support.pause(0.3 + math.random() * 0.5)
      until rank == 3
      ended = ended + 1
    end
    local function walk(order, limit)
      local seen, count, after = {}, 0, ""
      repeat
        local page = ask(("/v1/videos?order=%s&limit=%d%s"):format(order, limit, after))
        for _, video in ipairs(page.data) do
          assert(not seen[video.id], "twice: " .. video.id)
          seen[video.id], count = true, count + 1
        end
        after = "&after=" .. tostring(page.last_id)
      until not page.has_more
      for _, id in ipairs(all) do assert(seen[id], "missed " .. id) end
      assert(count == #all)
      walked = walked + 1
    end
    for i = 1, CLIENTS do
      swarm:add(function()
        swarm_support.pause(math.random())
        if i % 2 == 0 then poll(jobs[i % JOBS + 1]) else walk(i % 4 == 1 and "asc" or "desc", 17 + i % 80) end
      end)
    end
    local killed
    while swarm:is_busy() do
      swarm:step()
      if not killed and walked > 50 then
        live.host:kill()
        live.host:start_again()
        killed = true
      end
    end
    assert.is_true(killed)
    assert.same({ CLIENTS / 2, CLIENTS / 2 }, { ended, walked })
    for _, id in ipairs(jobs) do assert.equal("completed", videos.get(live.host, id:sub(7)).status) end
    live:agrees_with_vendors()
  end)
end)
