-- What is old goes from a bucket, and what somebody deletes; what several jobs made stays for the others.
local Bucket = require "spec.support.bucket"
local live_support = require "spec.support.live"
local videos = require "spec.support.openai_videos"

local DAY = 24 * 3600

local function days_ago(days) return os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - days * DAY) end

describe("the sweep of a bucket", function()
  local bucket, missing

  setup(function() bucket, missing = Bucket.start { page = 4 } end)
  teardown(function() if bucket then bucket:remove() end end)

  local function name(digest, rest) return ("kept/here/%s/%s%s"):format(digest:sub(1, 2), digest, rest or "") end

  it("takes what no job of the last days made, page by page, and nothing that is not ours", function()
    if missing then return pending(missing) end
    local old, both, new, bare = ("aa"):rep(32), ("ab"):rep(32), ("ac"):rep(32), ("ad"):rep(32)
    local put = {
      [name(old)] = "old", [name(old, ".job-0.json")] = "{}", [name(both)] = "both", [name(both, ".old-0.json")] = "{}",
      [name(both, ".new-0.json")] = "{}", [name(new)] = "new", [name(new, ".job-0.json")] = "{}", [name(bare)] = "bare",
      ["kept/here/aa/notes.txt"] = "not ours", ["elsewhere/" .. old] = "not ours",
    }
    bucket:control { put = put }
    local touch = {}
    for path in pairs(put) do
      if not path:find(new, 1, true) and not path:find(".new-0", 1, true) then touch[path] = days_ago(40) end
    end
    bucket:control { touch = touch }
    local odd = bucket:host()
    local ok, problem = pcall(function()
      odd.host:eventually(function() return odd.host:log():find("artifact.swept", 1, true) end)
      local left = {}
      for path in pairs(bucket:objects()) do left[#left + 1] = path end
      table.sort(left)
      local expected = { "elsewhere/" .. old, "kept/here/aa/notes.txt", name(both), name(both, ".new-0.json"), name(new),
        name(new, ".job-0.json") }
      table.sort(expected)
      assert.same(expected, left)
    end)
    odd:remove()
    assert(ok, problem)
  end)

  it("leaves alone what a job has just made again, though it was old", function()
    if missing then return pending(missing) end
    local odd = bucket:host()
    local ok, problem = pcall(function()
      local first = odd:job({ { text = "made again" } })
      local path = Bucket.name(first.artifacts[1])
      local provenance = Bucket.name(first.artifacts[1], "." .. first.job_id .. "-0.json")
      bucket:control { touch = { [path] = days_ago(40), [provenance] = days_ago(40) } }
      local again = odd:job({ { text = "made again" } })
      assert.same({}, again.result.warnings or {})
      local modified = bucket:objects()[path].modified
      assert.is_true(modified > days_ago(1), modified) -- written anew
      local pipe = assert(io.popen(("find '%s/data/bucket/waiting' -name '%s'"):format(odd.host.home, first.artifacts[1].sha256)))
      assert.is_truthy(pipe:read("a"):find(first.artifacts[1].sha256, 1, true)) -- and looked for once more, in a while
      pipe:close()
    end)
    odd:remove()
    assert(ok, problem)
  end)
end)

describe("a video that is deleted", function()
  it("goes from the bucket, from this machine, and stays for another job that made the same", function()
    local bucket, missing = Bucket.start()
    if not bucket then return pending(missing) end
    local secrets = { s3 = { access_key_id = Bucket.KEY, secret_access_key = Bucket.SECRET } }
    for provider, entry in pairs(live_support.SECRETS) do secrets[provider] = entry end
    local live = live_support.start { hurry = 10, secrets = secrets,
      config = function(config) config.artifacts = bucket:artifacts { deliver = "redirect" } end }
    local ok, problem = pcall(function()
      local job_id = live:job("runway")
      local job = live:ended(job_id)
      local path = Bucket.name(job.artifacts[1])
      assert.is_table(bucket:objects()[path])
      assert.equal(307, live.host:get(job.artifacts[1].url).status)
      local content = live.host:get("/v1/videos/video_" .. job_id .. "/content") -- by a door that never redirects
      assert.same({ 200, job.artifacts[1].bytes }, { content.status, #content.body })
      local provenance = Bucket.name(job.artifacts[1], "." .. job_id .. "-0.json")
      bucket:control { put = { [Bucket.name(job.artifacts[1], ".another-0.json")] = "{}" } }
      assert.equal(200, videos.delete(live.host, "video_" .. job_id).status)
      assert.is_nil(bucket:objects()[provenance])
      assert.is_table(bucket:objects()[path])
      bucket:control { forget = { Bucket.name(job.artifacts[1], ".another-0.json") } }
      local second = live:ended(live:job("runway", { prompt = "another lighthouse" }))
      local other = Bucket.name(second.artifacts[1])
      assert.equal(200, videos.delete(live.host, "video_" .. second.job_id).status)
      assert.is_nil(bucket:objects()[other])
      assert.equal(410, live.host:get(second.artifacts[1].url).status)
    end)
    live:remove()
    bucket:remove()
    assert(ok, problem)
  end)
end)
