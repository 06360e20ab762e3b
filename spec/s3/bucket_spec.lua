-- Artifacts in a bucket that checks signatures: what is written there, and how it is read.
local Bucket = require "spec.support.bucket"
local cjson = require "cjson"
local npm = require "spec.support.npm"
local Odd = require "spec.support.odd_outputs"

local file = Odd.file

local BLOCK = 4 * 1024 * 1024

local function numbered(from, to)
  local lines = {}
  for i = from // 8, to // 8 do lines[#lines + 1] = ("%07d\n"):format(i + 1) end
  local text = table.concat(lines)
  return text:sub(from % 8 + 1, from % 8 + to - from + 1)
end

describe("a bucket of artifacts", function()
  local bucket, odd, missing

  setup(function()
    bucket, missing = Bucket.start()
    odd = bucket and bucket:host()
  end)
  teardown(function()
    if odd then odd:remove() end
    if bucket then bucket:remove() end
  end)
  after_each(function()
    if bucket then bucket:control { faults = {}, away = false, skew_minutes = 0 } end
  end)

  local function case(name, test)
    it(name, function()
      if missing then return pending(missing) end
      return test()
    end)
  end

  local function objects_of(name)
    local found = {}
    for _, row in ipairs(bucket:seen()) do
      if row.url:find(name, 1, true) then found[#found + 1] = row.method .. " " .. row.status end
    end
    return found
  end

  case("gets each file by its content, with where it came from beside it", function()
    local job = odd:job { file("ok.png"), { text = "small" } }
    assert.same({}, job.result.warnings or {})
    local objects = bucket:objects()
    for n, artifact in ipairs(job.artifacts) do
      local object = objects[Bucket.name(artifact)]
      local provenance = objects[Bucket.name(artifact, (".%s-%d.json"):format(job.job_id, n - 1))]
      assert.same({ artifact.bytes, artifact.sha256, artifact.content_type }, { object.bytes, object.sha256, object.type })
      assert.equal("application/json", provenance.type)
    end
    assert.equal("small", odd.host:get(job.artifacts[2].url).body)
    assert.equal(odd.host:get(job.artifacts[1].url).headers.etag, ('"%s"'):format(job.artifacts[1].sha256))
  end)

  case("is read by AWS's own client", function()
    local artifact = odd:job({ file("ok.png") }).artifacts[1]
    local ok, output = npm.node(npm.S3, ("read.mjs '%s'"):format(cjson.encode {
      endpoint = bucket.endpoint, region = bucket.options.region, key = Bucket.KEY, secret = Bucket.SECRET, bucket = "films",
      name = Bucket.name(artifact), path_style = true,
    }))
    assert.is_true(ok, output)
    assert.same({ bytes = artifact.bytes, length = artifact.bytes, sha256 = artifact.sha256, type = "image/png" },
      cjson.decode(output:match("({[^\n]*})\n$")))
  end)

  case("may be named in the host of its URLs", function()
    local endpoint = bucket.endpoint:gsub("127.0.0.1", "localhost")
    local other = bucket:host({ endpoint = endpoint, path_style = false }, { vendor = odd.vendor })
    local ok, problem = pcall(function()
      local job = other:job { { text = "by its host" } }
      assert.same({}, job.result.warnings or {})
      assert.is_table(bucket:objects()[Bucket.name(job.artifacts[1])])
      local rows = bucket:seen "PUT"
      assert.is_truthy(rows[#rows].host:find("^films%.localhost:%d+$"), rows[#rows].host)
    end)
    other:remove()
    assert(ok, problem)
  end)

  case("gets the same content once, and notes each job that made it", function()
    local text = "made by two jobs"
    local first = odd:job({ { text = text } })
    local second = odd:job({ { text = text } })
    local artifact = first.artifacts[1]
    assert.equal(artifact.sha256, second.artifacts[1].sha256)
    local puts = 0
    for _, row in ipairs(bucket:seen "PUT") do puts = puts + (row.url:find(artifact.sha256 .. "$") and 1 or 0) end
    assert.equal(1, puts)
    for _, job in ipairs { first, second } do
      assert.is_table(bucket:objects()[Bucket.name(artifact, "." .. job.job_id .. "-0.json")])
    end
  end)

  case("serves a large file through the host, block by block, any range of it", function()
    local artifact = odd:job({ file("big") }).artifacts[1]
    assert.equal(9600000, artifact.bytes)
    local function get(range) return odd.host:request("GET", artifact.url, nil, { Range = range }) end
    local around = 2 * BLOCK
    for _, range in ipairs { { 0, 9 }, { BLOCK - 5, BLOCK + 4 }, { 9599990, 9599999 }, { around - 100000, around + 99999 } } do
      local first, last = table.unpack(range)
      local answer = get(("bytes=%d-%d"):format(first, last))
      assert.same({ 206, ("bytes %d-%d/9600000"):format(first, last) }, { answer.status, answer.headers["content-range"] })
      assert.is_true(answer.body == numbered(first, last), first)
    end
    assert.equal(416, get("bytes=9600000-").status)
    local whole = odd.host:get(artifact.url)
    assert.equal(200, whole.status)
    assert.is_true(whole.body == numbered(0, 9599999))
    local blocks = {}
    for _, row in ipairs(bucket:seen "GET") do
      if row.url:find(artifact.sha256, 1, true) then blocks[#blocks + 1] = row.range end
    end
    table.sort(blocks)
    assert.same({ "bytes=0-4194303", "bytes=4194304-8388607", "bytes=8388608-12582911" }, blocks) -- each once
    local head = odd.host:request("HEAD", artifact.url)
    assert.same({ 200, "9600000" }, { head.status, head.headers["content-length"] })
    assert.equal(304, odd.host:request("GET", artifact.url, nil, { ["If-None-Match"] = whole.headers.etag }).status)
  end)

  case("gets a file beyond 64 MiB in parts", function()
    local artifact = odd:job({ file("huge") }).artifacts[1]
    local object = bucket:objects()[Bucket.name(artifact)]
    assert.same({ 76800000, artifact.sha256 }, { object.bytes, object.sha256 })
    local parts = {}
    for _, row in ipairs(bucket:seen "PUT") do
      if row.url:find("partNumber", 1, true) then parts[#parts + 1] = row.bytes end
    end
    assert.same({ 16 << 20, 16 << 20, 16 << 20, 16 << 20, 76800000 - (64 << 20) }, parts)
    assert.equal(0, bucket:told().uploads)
    local ending = odd.host:get(artifact.url, { Range = "bytes=76799992-76799999" })
    assert.equal(numbered(9599992, 9599999), ending.body)
  end)

  case("is asked again where it has trouble, and parts that cannot be put together are given up", function()
    bucket:control { faults = { { method = "PUT", status = 503, code = "SlowDown", times = 2 } } }
    local job = odd:job { { text = "slow down" } }
    assert.same({}, job.result.warnings or {})
    assert.is_table(bucket:objects()[Bucket.name(job.artifacts[1])])
    bucket:control { faults = { { method = "PUT", match = "partNumber=2", status = 400, code = "InvalidPart", times = 1 } } }
    job = odd:job { file("huger") }
    assert.is_truthy(job.result.warnings[1]:find("400 InvalidPart", 1, true), job.result.warnings[1])
    assert.equal(0, bucket:told().uploads)
    assert.equal(200, odd.host:get(job.artifacts[1].url).status)
  end)

  case("has its clock, and the host signs by it", function()
    bucket:control { skew_minutes = 20 }
    local job = odd:job { { text = "twenty minutes" } }
    assert.same({}, job.result.warnings or {})
    assert.is_table(bucket:objects()[Bucket.name(job.artifacts[1])])
    assert.is_truthy(odd.host:log():find("clock is 20 minutes behind that of 127.0.0.1", 1, true))
    bucket:control { skew_minutes = 0 }
    assert.same({}, odd:job({ { text = "and back" } }).result.warnings or {})
  end)

  case("that sends something else than was kept there is not believed", function()
    local artifact = odd:job({ { text = "the truth, and nothing but" } }).artifacts[1]
    odd.host:stop()
    os.execute(("rm -rf '%s/data/bucket/cache'"):format(odd.host.home))
    odd.host:start_again()
    bucket:control { put = { [Bucket.name(artifact)] = "the truth, and nothing bug" } }
    local answer = odd.host:get(artifact.url)
    assert.same({ 503, true }, { answer.status, answer.body:find("not the file that was kept", 1, true) ~= nil })
    bucket:control { forget = { Bucket.name(artifact) } }
    assert.equal(410, odd.host:get(artifact.url).status)
    assert.is_truthy(objects_of(artifact.sha256)[1])
  end)

  case("is asked no second time for what this machine has, also after a start", function()
    local artifact = odd:job({ { text = "asked once" } }).artifacts[1]
    odd.host:stop()
    odd.host:start_again()
    assert.equal("asked once", odd.host:get(artifact.url).body)
    for _, row in ipairs(bucket:seen "GET") do assert.is_nil(row.url:find(artifact.sha256, 1, true)) end
  end)

  case("is told of in /metrics", function()
    local text = odd.host:get("/metrics").body
    assert.is_truthy(text:find("providerd_bucket_up 1", 1, true))
    assert.is_truthy(text:find('providerd_bucket_uploads_total{result="kept"} %d'))
    assert.is_truthy(text:find('providerd_bucket_requests_total{result="ok"} %d'))
    assert.is_truthy(text:find('providerd_bucket_bytes_total{direction="sent"} %d'))
  end)

  case("never sees the secret, and no file of the host does", function()
    local command = "grep -rlF -e '%s' -e X-Amz-Signature '%s' --exclude=comfyvn.secrets.json"
    local pipe = assert(io.popen(command:format(Bucket.SECRET, odd.host.home)))
    assert.equal("", pipe:read("a"))
    pipe:close()
    assert.is_nil(cjson.encode(bucket:told()):find("planted/", 1, true))
  end)
end)
