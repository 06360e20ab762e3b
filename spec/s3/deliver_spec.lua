-- Files of a bucket by a redirect: a URL that is signed for 5 minutes, and who does not follow.
local Bucket = require "spec.support.bucket"
local keys = require "spec.support.keys"
local Odd = require "spec.support.odd_outputs"

describe("a redirect to a bucket", function()
  local bucket, odd, missing, artifact

  setup(function()
    bucket, missing = Bucket.start { token = "a-session/token+with=signs" }
    if missing then return end
    odd = bucket:host { deliver = "redirect" }
    artifact = odd:job({ Odd.file("ok.png") }).artifacts[1]
  end)
  teardown(function()
    if odd then odd:remove() end
    if bucket then bucket:remove() end
  end)
  after_each(function()
    if bucket then bucket:control { skew_minutes = 0, away = false } end
  end)

  local function case(name, test)
    it(name, function()
      if missing then return pending(missing) end
      return test()
    end)
  end

  -- Where a redirect leads, at the bucket's server.
  local function place(url)
    local answer = odd.host:get(url or artifact.url)
    assert.equal(307, answer.status, answer.body)
    assert.equal("no-store", answer.headers["cache-control"])
    local path = answer.headers.location:match("^" .. bucket.endpoint:gsub("%p", "%%%0") .. "(/.*)$")
    assert.is_string(path, answer.headers.location)
    return path
  end

  case("leads to the file, with its type and its name, and ranges of it", function()
    local found = bucket.server:get(place())
    assert.same({ 200, "image/png", artifact.bytes }, { found.status, found.headers["content-type"], #found.body })
    assert.is_truthy(found.headers["content-disposition"]:find('inline; filename="ok.png"', 1, true))
    local part = bucket.server:get(place(), { Range = "bytes=1-3" })
    assert.same({ 206, "PNG" }, { part.status, part.body })
  end)

  case("serves no page: what is none of a picture, a film or a sound is an attachment, and text is plain", function()
    local page = odd:job({ Odd.file("page.html") }).artifacts[1]
    local found = bucket.server:get(place(page.url))
    assert.equal("text/plain; charset=utf-8", found.headers["content-type"])
    assert.is_truthy(found.headers["content-disposition"]:find("^attachment"))
  end)

  case("is good for 5 minutes, for this file and for reading it alone", function()
    local path = place()
    bucket:control { skew_minutes = 4 }
    assert.equal(200, bucket.server:get(path).status, bucket.server:get(path).body)
    bucket:control { skew_minutes = 6 }
    assert.equal(403, bucket.server:get(path).status)
    bucket:control { skew_minutes = 0 }
    assert.equal(403, bucket.server:request("DELETE", path).status)
    assert.equal(403, bucket.server:get((path:gsub(artifact.sha256 .. "%?", artifact.sha256 .. ".json?"))).status)
    assert.equal(403, bucket.server:get((path:gsub("inline", "attachment"))).status)
  end)

  case("is in no log, and in no file of the host", function()
    place()
    local pipe = assert(io.popen(("grep -rlF -e X-Amz '%s'"):format(odd.host.home)))
    assert.equal("", pipe:read("a"))
    pipe:close()
  end)

  case("is not sent to who asks for the file itself, nor for HEAD, nor for what is not in the bucket yet", function()
    local answer = odd.host:get(artifact.url .. "?deliver=proxy")
    assert.same({ 200, artifact.bytes }, { answer.status, #answer.body })
    local head = odd.host:request("HEAD", artifact.url)
    assert.same({ 200, ("%d"):format(artifact.bytes) }, { head.status, head.headers["content-length"] })
    bucket:control { away = true }
    local waiting = odd:job({ { text = "here for now" } }).artifacts[1]
    assert.equal("here for now", odd.host:get(waiting.url).body)
  end)

  case("is sent only to who may read the file, and where it is asked for by proxy hosts too", function()
    local other = bucket:host({ deliver = "proxy" }, { vendor = odd.vendor, config = function(config)
      config.server = { api_keys = { keys.entry("reader", { may = { "read" } }),
        keys.entry("maker", { may = { "read", "submit", "live" } }) } }
    end })
    local ok, problem = pcall(function()
      local path = "/api/providers/image/odd/submit"
      local made = other.host:post(path, { dry_run = false, outputs = { { text = "for readers" } } }, keys.headers "maker")
      local url = "/api/jobs/" .. made.json.job_id .. "/artifacts/0"
      local function get(query, who) return other.host:get(url .. query, who and keys.headers(who)) end
      other.host:eventually(function() return get("", "reader").status == 200 end)
      assert.equal(401, get("?deliver=redirect").status)
      assert.equal(307, get("?deliver=redirect", "reader").status)
    end)
    other:remove()
    assert(ok, problem)
  end)
end)
