-- GET /v1/videos/{id}/content: the file itself, whole or in ranges; of a dry run a marked one; else why there is none.
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"
local live_support = require "spec.support.live"
local shell = require "spec.support.shell"
local videos = require "spec.support.openai_videos"

local function path(job_id, query) return "/v1/videos/video_" .. job_id .. "/content" .. (query or "") end

-- What a player reads of an MP4 before it plays it: the size in pixels of its track, and its length in seconds.
local function read_mp4(bytes)
  assert.equal("ftyp", bytes:sub(5, 8))
  local header, track = bytes:find("mvhd", 1, true), bytes:find("tkhd", 1, true)
  local scale, length = (">I4I4"):unpack(bytes, header + 4 + 12)
  local width, height = (">I4I4"):unpack(bytes, track + 4 + 76)
  return { width = width >> 16, height = height >> 16, seconds = length / scale }
end

describe("the content of a dry run", function()
  local host
  setup(function() host = hosts.start() end)
  teardown(function() host:remove() end)

  local function dry(provider, body)
    local answer = host:post("/api/providers/video/" .. provider .. "/submit", body)
    assert.equal(200, answer.status, answer.body)
    return answer.json.job_id
  end

  it("is a marked film of the size and length that the request comes to", function()
    for _, case in ipairs {
      { "runway", { model = "gen4.5", parameters = { duration = 4 } }, 1280, 720, 4 },
      { "luma", { model = "ray-2", parameters = { duration = 9, resolution = "540p", aspect_ratio = "9:16" } }, 540, 960, 9 },
      { "pika", {}, 1280, 720, 5 },
    } do
      local provider, body, width, height, seconds = table.unpack(case)
      body.prompt = "a lighthouse"
      local job_id = dry(provider, body)
      local answer = host:get(path(job_id))
      assert.equal(200, answer.status)
      assert.equal("video/mp4", answer.headers["content-type"])
      assert.equal("true", answer.headers["x-providerd-dry-run"])
      assert.equal("bytes", answer.headers["accept-ranges"])
      local film = read_mp4(answer.body)
      assert.same({ width, height }, { film.width, film.height })
      assert.truthy(math.abs(film.seconds - seconds) < 0.1, film.seconds)
      assert.truthy(answer.body:find("dry run", 1, true), "its comment says so")
    end
  end)

  it("is the same each time, in parts too, and nothing of it is kept", function()
    local job_id = dry("runway", { prompt = "again", parameters = { duration = 4 } })
    local whole = host:get(path(job_id))
    assert.equal(whole.body, host:get(path(job_id, "?variant=video")).body)
    local head = host:request("HEAD", path(job_id))
    assert.same({ 200, "", whole.headers["content-length"], whole.headers.etag },
      { head.status, head.body, head.headers["content-length"], head.headers.etag })
    local parts, size = {}, #whole.body
    for first = 0, size - 1, 30000 do
      local range = ("bytes=%d-%d"):format(first, first + 29999)
      local part = host:get(path(job_id), { Range = range, ["If-Range"] = whole.headers.etag })
      assert.equal(206, part.status)
      parts[#parts + 1] = part.body
    end
    assert.equal(whole.body, table.concat(parts))
    assert.equal(whole.body:sub(-10), host:get(path(job_id), { Range = "bytes=-10" }).body)
    local beyond = host:get(path(job_id), { Range = "bytes=" .. size .. "-" })
    assert.equal(416, beyond.status)
    assert.equal("string", type(beyond.json.error.message))
    assert.equal(304, host:get(path(job_id), { ["If-None-Match"] = whole.headers.etag }).status)
    host:kill()
    host:start_again()
    assert.equal(whole.body, host:get(path(job_id)).body)
    assert.equal("", shell.read(host.home .. "/data/artifacts") or "")
  end)

  it("has no other variants", function()
    local job_id = dry("runway", { prompt = "x", parameters = { duration = 4 } })
    for _, variant in ipairs { "thumbnail", "spritesheet" } do
      assert.equal("variant", videos.refused(400, "unsupported_operation", host:get(path(job_id, "?variant=" .. variant))).param)
    end
    for _, variant in ipairs { "VIDEO", "x", "%27", ("v"):rep(5000) } do
      assert.equal("variant", videos.refused(400, "invalid_value", host:get(path(job_id, "?variant=" .. variant))).param)
    end
    assert.equal(200, host:get(path(job_id, "?variant=")).status)
    assert.equal(405, host:post(path(job_id), {}).status)
  end)

  it("is gone with the video", function()
    local job_id = dry("runway", { prompt = "x", parameters = { duration = 4 } })
    assert.equal(200, videos.delete(host, job_id).status)
    videos.refused(404, "video_not_found", host:get(path(job_id)))
  end)
end)

describe("the content of a live video", function()
  local live
  setup(function()
    live = live_support.start { hurry = 10, simulate = { "--job-time", "300" }, config = function(config)
      config.server.api_keys = { keys.entry("all"), keys.entry("own", { may = { "read", "submit" }, sees = "own" }) }
    end }
  end)
  teardown(function() live:remove() end)

  local mine = keys.headers "all"
  local function made(provider)
    local answer = live.host:post(live:path(provider, "submit"), live_support.body(provider), mine)
    local job_id = answer.json.job_id
    local early = live.host:get(path(job_id), mine)
    if early.status ~= 200 then
      local error = videos.refused(404, "video_not_ready", early)
      assert.truthy(error.message:find("Video is not ready yet, use GET /v1/videos/{video_id} to check status.", 1, true))
    end
    live.host:eventually(function() return live.host:get("/v1/videos/" .. job_id, mine).json.status == "completed" end)
    return job_id
  end

  for _, provider in ipairs { "runway", "luma", "pika" } do
    it("of " .. provider .. " is the file that was kept, without a detour, in ranges too", function()
      local job_id = made(provider)
      local kept = live.host:get("/api/jobs/" .. job_id .. "/artifacts/0", mine)
      local answer = live.host:get(path(job_id), keys.headers("all", { Accept = "application/binary" }))
      assert.same({ 200, "video/mp4", kept.headers.etag }, { answer.status, answer.headers["content-type"], answer.headers.etag })
      assert.equal(kept.body, answer.body)
      assert.is_nil(answer.headers["x-providerd-dry-run"])
      assert.is_nil(answer.headers.location)
      local part = live.host:get(path(job_id), keys.headers("all", { Range = "bytes=4-7" }))
      assert.same({ 206, "ftyp" }, { part.status, part.body })
      local head = live.host:request("HEAD", path(job_id), nil, mine)
      assert.same({ 200, "", tostring(#kept.body) }, { head.status, head.body, head.headers["content-length"] })
    end)
  end

  it("is not there for a key that does not see the video, nor without one", function()
    local job_id = made "runway"
    videos.refused(404, "video_not_found", live.host:get(path(job_id), keys.headers "own"))
    videos.refused(401, "invalid_api_key", live.host:get(path(job_id)))
  end)

  it("is told to be gone when its file is", function()
    local job_id = made "runway"
    shell.run("rm -r " .. shell.quote(live.host.home .. "/data/artifacts"))
    local error = videos.refused(410, "video_gone", live.host:get(path(job_id), mine))
    assert.equal(job_id, error.providerd.job_id)
  end)
end)

describe("the content of a video that failed", function()
  it("is an error with the job's code, never a file", function()
    local live = live_support.start {
      hurry = 10, simulate = { "--fault", "runway:moderated:1", "--fault", "pika:reset_after:1:POST" },
    }
    finally(function() live:remove() end)
    local failed, unknown = live:job("runway"), live:job("pika")
    live:ended(failed)
    local error = videos.refused(400, "moderation_blocked", live.host:get(path(failed)))
    assert.equal(failed, error.providerd.job_id)
    live:becomes(unknown, "unknown")
    local video = videos.get(live.host, unknown)
    videos.refused(video.status == "failed" and 400 or 404, video.status == "failed" and "outcome_unknown" or "video_not_ready",
      live.host:get(path(unknown)))
  end)
end)
