-- GET and DELETE /v1/videos: what OpenAI's clients see of the jobs that make videos, whichever door they came by.
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"
local live_support = require "spec.support.live"
local shell = require "spec.support.shell"
local videos = require "spec.support.openai_videos"

local VIDEO_KEYS = { "read", "submit" }

local function dry(host, prompt, headers)
  local answer = host:post("/api/providers/video/runway/submit", { prompt = prompt, parameters = { duration = 4 } }, headers)
  assert.equal(200, answer.status, answer.body)
  return answer.json.job_id
end

describe("a video", function()
  local live
  setup(function() live = live_support.start { hurry = 10 } end)
  teardown(function() live:remove() end)

  for _, id in ipairs { "runway", "luma", "pika" } do
    it("of " .. id .. " is queued or in progress until it is completed, and is told the same by its job's id", function()
      local job_id = live:job(id)
      local first = videos.get(live.host, job_id)
      assert.truthy(first.status ~= "failed")
      live:ended(job_id)
      local video = videos.get(live.host, job_id)
      assert.equal("completed", video.status)
      assert.equal(30 * 86400, video.expires_at - video.created_at)
      assert.equal("a lighthouse", video.prompt)
      assert.truthy(video.model:find("^" .. id .. "/"), video.model)
      assert.truthy(tonumber(video.seconds) > 0)
      assert.equal(false, video.providerd.dry_run)
      assert.truthy(video.providerd.money.spent_usd > 0)
      assert.same(video, live.host:get("/v1/videos/" .. job_id).json)
      assert.same(video, live.host:get("/live/v1/videos/" .. job_id:upper()).json)
    end)
  end

  it("of other kinds of providers is one too", function()
    for provider, body in pairs {
      fal = { prompt = "a lighthouse", model = "fal-ai/veo3", max_cost_usd = 10 },
      replicate = { prompt = "a lighthouse", model = "kwaivgi/kling-v2.1", max_cost_usd = 10 },
    } do
      body.dry_run = false
      local answer = live.host:post("/api/providers/video/" .. provider .. "/submit", body)
      assert.truthy(answer.json.job_id, answer.body)
      local video = videos.get(live.host, answer.json.job_id)
      assert.equal(provider .. "/" .. body.model, video.model)
      assert.equal("a lighthouse", video.prompt)
    end
  end)

  it("is no picture, and no job that is not there", function()
    local picture = live.host:post("/api/providers/image/fal/submit", { prompt = "a cat" }).json.job_id
    for _, id in ipairs {
      picture, "video_" .. picture, "video_01a212da-b143-7000-ae30-310e60fc3ccb", "video_", "x", "video_video_1",
      "%27%20OR%201=1", "video_01a212da-b143-7000-ae30-310e60fc3cc%00", ("9"):rep(127), "..%2f..", "%ff%fe",
      "video_" .. ("x"):rep(300),
    } do
      local answer = live.host:get("/v1/videos/" .. id)
      assert.truthy(answer.status == 404 or answer.status == 400, id .. " " .. answer.status)
      assert.equal("invalid_request_error", answer.json.error.type)
      assert.truthy(videos.delete(live.host, id).status >= 400)
    end
    videos.refused(404, "video_not_found", live.host:get("/v1/videos/" .. picture))
  end)

  it("does not tell a credential that was taken for an id", function()
    local answer = live.host:get("/v1/videos/sk-0123456789abcdef0123456789abcdef")
    assert.falsy(answer.body:find("0123456789abcdef0123", 1, true), answer.body)
  end)
end)

describe("a video whose outcome", function()
  local function with(...) return live_support.start { simulate = { ... }, hurry = 10 } end

  it("is not known is in progress while it is looked for, and failed once only the operator can tell, who may say so", function()
    local live = with("--fault", "luma:reset_before:1:POST", "--fault", "runway:reset_after:1:POST")
    finally(function() live:remove() end)
    local sought, left = live:job("luma"), live:job("runway")
    live:becomes(sought, "unknown")
    live:becomes(left, "unknown")
    local video = videos.get(live.host, sought)
    assert.same({ "in_progress", "unknown" }, { video.status, video.providerd.status })
    video = videos.get(live.host, left)
    assert.same({ "failed", "unknown", "outcome_unknown" }, { video.status, video.providerd.status, video.error.code })
    local ids, page = videos.list(live.host)
    assert.same({ "video_" .. left, "video_" .. sought, "failed", "in_progress" },
      { ids[1], ids[2], page.data[1].status, page.data[2].status })
    videos.refused(400, "outcome_unknown", videos.delete(live.host, "video_" .. left))
    videos.refused(400, "video_in_progress", videos.delete(live.host, "video_" .. sought))
    assert.equal(200, live.host:post("/api/jobs/" .. left .. "/resolve", { status = "done", cost_usd = 0.1 }).status)
    assert.equal("completed", videos.get(live.host, left).status)
    live:agrees_with_vendors()
  end)

  it("is an error says which", function()
    local live = with("--fault", "runway:moderated:1", "--fault", "pika:never_ending:1")
    finally(function() live:remove() end)
    local failed, canceled = live:job("runway"), live:job("pika")
    live:ended(failed)
    local video = videos.get(live.host, failed)
    assert.same({ "failed", "moderation_blocked" }, { video.status, video.error.code }, require("cjson").encode(video.error))
    live:becomes(canceled, "running")
    assert.equal(200, live.host:post("/api/jobs/" .. canceled .. "/cancel").status)
    live:becomes(canceled, "canceled")
    video = videos.get(live.host, canceled)
    assert.same({ "failed", "canceled" }, { video.status, video.error.code })
  end)
end)

describe("the list of videos", function()
  local host, made

  setup(function()
    host, made = hosts.start(), {}
    for i = 1, 25 do
      made[i] = "video_" .. dry(host, "number " .. i)
      host:post("/api/providers/image/fal/submit", { prompt = "not one" })
    end
  end)
  teardown(function() host:remove() end)

  local function reversed(list)
    local back = {}
    for i = #list, 1, -1 do back[#back + 1] = list[i] end
    return back
  end

  local function walk(order, limit)
    local all, after, pages = {}, "", 0
    repeat
      local ids, page = videos.list(host, ("?order=%s&limit=%d%s"):format(order, limit, after))
      for _, id in ipairs(ids) do all[#all + 1] = id end
      after, pages = "&after=" .. tostring(page.last_id), pages + 1
    until not page.has_more or pages > 100
    return all, pages
  end

  it("has the newest first, twenty of them unless it is asked for others", function()
    local ids, page = videos.list(host)
    assert.equal(20, #ids)
    assert.is_true(page.has_more)
    assert.same({ table.unpack(reversed(made), 1, 20) }, ids)
    assert.same({ table.unpack(made, 1, 3) }, (videos.list(host, "?order=asc&limit=3")))
  end)

  it("is walked through in either order, whatever the size of its pages", function()
    for _, limit in ipairs { 1, 4, 5, 25, 100 } do
      local up, pages = walk("asc", limit)
      assert.same(made, up)
      assert.equal(math.ceil(25 / limit), pages)
      assert.same(reversed(made), (walk("desc", limit)))
    end
  end)

  it("goes on where it was, though the video of its place is deleted meanwhile", function()
    local extra = "video_" .. dry(host, "goes soon")
    assert.equal(extra, (videos.list(host, "?limit=1"))[1])
    assert.equal(200, videos.delete(host, extra).status)
    assert.equal(made[25], (videos.list(host, "?limit=1&after=" .. extra))[1])
    assert.same({}, (videos.list(host, "?order=asc&after=" .. extra)))
    assert.equal(made[25], (videos.list(host, "?limit=1"))[1])
  end)

  it("tells of none at limit 0 but that there are some", function()
    local ids, page = videos.list(host, "?limit=0")
    assert.same({}, ids)
    assert.is_true(page.has_more)
    ids, page = videos.list(host, "?limit=0&after=" .. made[1])
    assert.same({ 0, false }, { #ids, page.has_more })
  end)

  it("refuses what it cannot read", function()
    for query, param in pairs {
      ["limit=-1"] = "limit", ["limit=101"] = "limit", ["limit=1e1"] = "limit", ["limit=99999999999999999999"] = "limit",
      ["order=up"] = "order", ["order=ASC"] = "order", ["order=ascending"] = "order", ["after=video_g"] = "after",
      ["after=x"] = "after", ["after=%27"] = "after", ["after=" .. ("a"):rep(4000)] = "after",
    } do
      assert.equal(param, videos.refused(400, "invalid_value", host:get("/v1/videos?" .. query)).param, query)
    end
    assert.equal(25, #(videos.list(host, "?limit=100&after=&order=&unknown=1")))
  end)

  it("is the same once its rows are in the index, and after a start", function()
    for i = 26, 620 do made[i] = "video_" .. dry(host, "number " .. i) end
    assert.same(made, (walk("asc", 100)))
    assert.same(reversed(made), (walk("desc", 97)))
    host:kill()
    host:start_again()
    assert.same(made, (walk("asc", 99)))
  end)
end)

describe("videos of keys that see their own", function()
  local host, own, others

  setup(function()
    host = hosts.start { config = { server = { api_keys = {
      keys.entry("own", { may = VIDEO_KEYS, sees = "own" }), keys.entry("all"), keys.entry("reader", { may = { "read" } }) } } } }
    own, others = {}, {}
    for i = 1, 6 do
      own[i] = "video_" .. dry(host, "mine", keys.headers "own")
      others[i] = "video_" .. dry(host, "theirs", keys.headers "all")
    end
  end)
  teardown(function() host:remove() end)

  it("are those of the key, in lists and one by one", function()
    assert.same(own, (videos.list(host, "?order=asc", keys.headers "own")))
    assert.equal(12, #(videos.list(host, "?order=asc", keys.headers "all")))
    assert.same({ own[3], own[4] }, (videos.list(host, "?order=asc&limit=2&after=" .. others[2], keys.headers "own")))
    videos.refused(404, "video_not_found", host:get("/v1/videos/" .. others[1], keys.headers "own"))
    videos.refused(404, "video_not_found", videos.delete(host, others[1], keys.headers "own"))
    assert.equal(200, host:get("/v1/videos/" .. others[1], keys.headers "all").status)
  end)

  it("are deleted by who may submit alone, and never by a foreign page", function()
    videos.refused(403, "insufficient_permissions", videos.delete(host, own[1], keys.headers "reader"))
    videos.refused(401, "invalid_api_key", videos.delete(host, own[1]))
    local foreign = keys.headers("own", { Origin = "https://evil.example" })
    videos.refused(403, "origin_not_allowed", videos.delete(host, own[1], foreign))
    assert.equal(200, videos.delete(host, own[1], keys.headers "own").status)
  end)
end)

describe("a deleted video", function()
  local live
  setup(function() live = live_support.start { hurry = 10 } end)
  teardown(function() live:remove() end)

  local function files()
    local folder = shell.quote(live.host.home .. "/data/artifacts")
    local pipe = assert(io.popen("cd " .. folder .. " && ls -R | grep -cE '^[0-9a-f]{64}'"))
    local count = tonumber(pipe:read "a")
    pipe:close()
    return count
  end

  local function made()
    local job_id = live:job("runway")
    live:ended(job_id)
    return job_id, live:status(job_id)
  end

  it("is gone with its file; its row, its money and its ledger stay", function()
    local job_id, before = made()
    local budget, count = live:budget(), files()
    local answer = videos.delete(live.host, "video_" .. job_id)
    assert.same({ id = "video_" .. job_id, object = "video.deleted", deleted = true }, answer.json)
    assert.equal(count - 2, files())
    videos.refused(404, "video_not_found", live.host:get("/v1/videos/" .. job_id))
    videos.refused(404, "video_not_found", videos.delete(live.host, job_id))
    assert.equal(410, live.host:get(before.artifacts[1].url).status)
    assert.same(before, live:status(job_id))
    assert.same(budget, live:budget())
    assert.same({}, live.host:get("/api/artifacts").json.artifacts)
    live.host:eventually(function() return live.host:log():find("video.deleted", 1, true) end)
    live.host:kill()
    live.host:start_again()
    videos.refused(404, "video_not_found", live.host:get("/v1/videos/" .. job_id))
  end)

  it("leaves a file that another job made too", function()
    local one, first = made()
    local two, second = made()
    if first.artifacts[1].sha256 ~= second.artifacts[1].sha256 then -- the simulator's differ: as if both had made the first's
      local path, sha = live.host.home .. "/data/artifacts/", first.artifacts[1].sha256
      local own = path .. sha:sub(1, 2) .. "/" .. sha
      shell.run(("cp %s.%s-0.json %s.%s-0.json"):format(own, one, own, two))
    end
    assert.equal(200, videos.delete(live.host, "video_" .. one).status)
    assert.equal(200, live.host:get(first.artifacts[1].url).status)
    videos.refused(404, "video_not_found", live.host:get("/v1/videos/" .. one))
    assert.equal(200, live.host:get("/v1/videos/" .. two).status)
  end)

  it("was open before is not deleted, and is told how to cancel it", function()
    local slow = live_support.start { simulate = { "--fault", "runway:never_ending:1" } }
    finally(function() slow:remove() end)
    local job_id = slow:job("runway")
    local error = videos.refused(400, "video_in_progress", videos.delete(slow.host, "video_" .. job_id))
    assert.equal("video_id", error.param)
    assert.truthy(error.message:find("POST /api/jobs/" .. job_id .. "/cancel", 1, true), error.message)
  end)

  it("stays when its file cannot be taken away", function()
    local job_id, before = made()
    local sha = before.artifacts[1].sha256
    local folder = live.host.home .. "/data/artifacts/" .. sha:sub(1, 2)
    shell.run("rm " .. folder .. "/" .. sha .. " && mkdir -p " .. folder .. "/" .. sha .. "/in/the/way")
    finally(function() shell.run("rm -r " .. folder .. "/" .. sha) end)
    assert.equal(503, videos.delete(live.host, "video_" .. job_id).status)
    assert.equal("completed", videos.get(live.host, job_id).status)
  end)
end)

describe("a deletion", function()
  it("that a kill comes into is whole, or may be made again", function()
    local live = live_support.start { hurry = 10 }
    finally(function() live:remove() end)
    local deleted, left = {}, {}
    for round = 1, 4 do
      local jobs = {}
      for i = 1, 4 do jobs[i] = live:job("runway") end
      for _, job_id in ipairs(jobs) do live:ended(job_id) end
      assert.equal(200, videos.delete(live.host, jobs[1]).status)
      deleted[#deleted + 1] = jobs[1]
      local command = ("(sleep 0.00%d; kill -KILL %s) & "):format(round, live.host.pid)
      for i = 2, 4 do
        local url = ("http://127.0.0.1:%d/v1/videos/%s"):format(live.host.port, jobs[i])
        command = command .. "curl -s -m 5 -o /dev/null -X DELETE " .. url .. " & "
        left[#left + 1] = jobs[i]
      end
      os.execute(command .. "wait")
      pcall(live.host.kill, live.host)
      live.host:start_again()
    end
    for _, job_id in ipairs(deleted) do assert.equal(404, live.host:get("/v1/videos/" .. job_id).status) end
    for _, job_id in ipairs(left) do
      local status = live.host:get("/v1/videos/" .. job_id).status
      assert.truthy(status == 404 or videos.delete(live.host, job_id).status == 200, status)
      assert.equal(404, live.host:get("/v1/videos/" .. job_id).status)
      assert.equal(410, live.host:get("/api/jobs/" .. job_id .. "/artifacts/0").status)
    end
    assert.same({}, (videos.list(live.host)))
    assert.equal(exact.null, live.host:get("/v1/videos").json.last_id)
    live:agrees_with_vendors()
  end)
end)
