-- A live create of a video whose answer does not arrive is taken over by its repeat, over a kill of the host too: one call, one
-- payment. Two calls whose answers arrived are two.
local http = require "spec.support.http"
local socket = require "socket"
local live_support = require "spec.support.live"
local videos = require "spec.support.openai_videos"

local function wish(prompt)
  return { model = "runway/gen4.5", prompt = prompt, seconds = "4", size = "1280x720" }
end

local RETRY = { ["X-Stainless-Retry-Count"] = "1" }

describe("a live create of a video", function()
  local live
  before_each(function() live = live_support.start { hurry = 10 } end)
  after_each(function() live:remove() end)

  local function create(prompt, headers)
    local answer = live.host:post("/live/v1/videos", wish(prompt), headers)
    assert.equal(200, answer.status, answer.body)
    return videos.check(answer.json)
  end

  -- Sends it and leaves without the answer, once wait() returned: before its script has run there is no job.
  local function leave(prompt, wait)
    local connection = http.connect(live.host.port)
    connection:send("POST", "/live/v1/videos", wish(prompt))
    wait()
    connection.socket:setoption("linger", { on = true, timeout = 0 }) -- a reset: nothing more is taken
    connection:close()
  end

  it("whose client left is taken over by its repeat", function()
    for round = 1, 3 do
      local prompt = "left " .. round
      local before = live:paid()
      leave(prompt, function() live.host:eventually(function() return #(videos.list(live.host)) == round end) end)
      local video = create(prompt, RETRY)
      live.host:eventually(function() return videos.get(live.host, video.providerd.job_id).status == "completed" end)
      assert.equal(before + 1, live:paid())
    end
    assert.equal(3, #(videos.list(live.host)))
    live:agrees_with_vendors()
  end)

  it("is not taken over when its answer arrived", function()
    local first = create "the same"
    local second = create "the same"
    assert.not_equal(first.id, second.id)
    live.host:eventually(function() return live:paid() == 2 end)
  end)

  it("is one job under a kill of the host and its client's repeats", function()
    local prompts, known = {}, {}
    for round = 1, 6 do
      local prompt = "killed " .. round
      prompts[round] = prompt
      leave(prompt, function() socket.sleep(round * 0.004) end)
      live.host:kill()
      live.host:start_again()
      known[round] = create(prompt, RETRY).id
    end
    for _, id in ipairs(known) do
      live.host:eventually(function()
        local status = videos.get(live.host, id:sub(7)).status
        return status == "completed" or status == "failed"
      end)
    end
    local ids, page = videos.list(live.host)
    assert.equal(#prompts, #ids)
    local seen = {}
    for _, video in ipairs(page.data) do
      assert.is_nil(seen[video.prompt], video.prompt .. " is there twice")
      seen[video.prompt] = true
    end
    assert.is_true(live:paid() <= #prompts, live:paid() .. " paid")
    live:agrees_with_vendors()
  end)

  it("is answered with the same job to its Idempotency-Key, whatever else happens", function()
    local headers = { ["Idempotency-Key"] = "video-1" }
    local first = create("keyed", headers)
    live.host:kill()
    live.host:start_again()
    assert.equal(first.id, create("keyed", headers).id)
    assert.equal(409, live.host:post("/live/v1/videos", wish "another", headers).status)
    live.host:eventually(function() -- the kill may have come while its paid request was out
      local status = videos.get(live.host, first.providerd.job_id).status
      return status == "completed" or status == "failed"
    end)
    assert.is_true(live:paid() <= 1)
  end)

  it("that was deleted is made anew", function()
    local id
    leave("deleted", function()
      id = live.host:eventually(function() return (videos.list(live.host))[1] end)
    end)
    live.host:eventually(function() return videos.get(live.host, id:sub(7)).status == "completed" end)
    assert.equal(200, videos.delete(live.host, id).status)
    local video = create("deleted", RETRY)
    assert.not_equal(id, video.id)
    assert.equal(200, live.host:get("/v1/videos/" .. video.id).status)
  end)
end)
