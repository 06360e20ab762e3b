-- A bucket that is away, refuses, or is another one than was meant: jobs are done all the same, and a clear text says what to do.
local Bucket = require "spec.support.bucket"
local Odd = require "spec.support.odd_outputs"

describe("a bucket that is away", function()
  local bucket, missing

  setup(function() bucket, missing = Bucket.start() end)
  teardown(function() if bucket then bucket:remove() end end)
  after_each(function() if bucket then bucket:control { away = false, faults = {} } end end)

  local function case(name, test)
    it(name, function()
      if missing then return pending(missing) end
      return test()
    end)
  end

  local function with(changes, options, test)
    local odd = bucket:host(changes, options)
    local ok, problem = pcall(test, odd)
    odd:remove()
    assert(ok, problem)
  end

  local function waiting(odd)
    local pipe = assert(io.popen(("find '%s/data/bucket/waiting' -type f 2>/dev/null | wc -l"):format(odd.host.home)))
    local count = tonumber(pipe:read("a"))
    pipe:close()
    return count
  end

  local function problems(odd)
    return table.concat(odd.host:get("/readyz").json.problems, "\n")
  end

  local HURRY = { env = { PROVIDERD_TEST_HURRY = "20" } }

  case("is a warning on a job that is done, whose files this host serves, and brings there later", function()
    with({}, HURRY, function(odd)
      bucket:control { away = true }
      local job = odd:job { Odd.file("ok.png"), { text = "waits" } }
      assert.equal(2, #job.result.warnings)
      assert.is_truthy(job.result.warnings[1]:find("is not in the bucket yet", 1, true), job.result.warnings[1])
      assert.is_truthy(job.result.warnings[1]:find("cannot be reached at 127.0.0.1", 1, true), job.result.warnings[1])
      assert.equal("waits", odd.host:get(job.artifacts[2].url).body)
      assert.equal(200, odd.host:get(job.artifacts[1].url, { Range = "bytes=0-9" }).status == 206 and 200)
      local ready = odd.host:get("/readyz")
      assert.same({ 200, true }, { ready.status, ready.json.ok })
      assert.is_truthy(problems(odd):find("artifacts: the bucket cannot be reached", 1, true), problems(odd))
      assert.is_truthy(problems(odd):find("2 files wait", 1, true), problems(odd))
      local metrics = odd.host:get("/metrics").body
      assert.is_truthy(metrics:find("providerd_bucket_up 0", 1, true))
      assert.is_truthy(metrics:find("providerd_bucket_waiting_files 2", 1, true))
      bucket:control { away = false }
      odd.host:eventually(function() return waiting(odd) == 0 end)
      local objects = bucket:objects()
      for n, artifact in ipairs(job.artifacts) do
        assert.equal(artifact.content_type, objects[Bucket.name(artifact)].type)
        assert.is_table(objects[Bucket.name(artifact, (".%s-%d.json"):format(job.job_id, n - 1))])
        assert.equal(200, odd.host:get(artifact.url).status)
      end
      assert.equal("", problems(odd))
    end)
  end)

  case("gets what waits after the next start, also of a host that was killed", function()
    with({}, HURRY, function(odd)
      bucket:control { away = true }
      local job = odd:job { { text = "before the kill" } }
      odd.host:kill()
      bucket:control { away = false }
      odd.host:start_again()
      odd.host:eventually(function() return bucket:objects()[Bucket.name(job.artifacts[1])] end)
      odd.host:eventually(function() return waiting(odd) == 0 end)
    end)
  end)

  case("when the host stops loses nothing that was under way", function()
    with({}, {}, function(odd)
      bucket:control { faults = { { method = "PUT", hang = true } } }
      local job_id = odd:submit { { text = "under way" } }
      odd.host:eventually(function() return #bucket:seen "PUT" > 0 end)
      odd.host:ends_well()
      bucket:control { faults = {} }
      odd.host:start_again()
      local job = odd:ended(job_id)
      assert.equal("under way", odd.host:get(job.artifacts[1].url).body)
      odd.host:eventually(function() return bucket:objects()[Bucket.name(job.artifacts[1])] end)
    end)
  end)

  case("cannot be read is 503 with a reason, and again when it is back", function()
    with({}, HURRY, function(odd)
      local job = odd:job { { text = "read me" } }
      odd.host:stop()
      os.execute(("rm -rf '%s/data/bucket/cache'"):format(odd.host.home))
      odd.host:start_again()
      bucket:control { away = true }
      local answer = odd.host:get(job.artifacts[1].url)
      assert.same({ 503, true }, { answer.status, answer.json.detail:find("cannot be reached", 1, true) ~= nil })
      bucket:control { away = false }
      assert.equal("read me", odd.host:get(job.artifacts[1].url).body)
    end)
  end)

  -- What is wrong, the text, and how it is made so.
  local WRONG = {
    { "another region", 'is in the region eu-test-1, not in us-west-2: set artifacts.region to "eu-test-1"',
      { region = "us-west-2" } },
    { "no such bucket", "there is no bucket other at 127.0.0.1", { dir = "s3://other" } },
    { "a wrong key", "does not know the access key: correct s3.access_key_id", {},
      { access_key_id = "AKOTHER", secret_access_key = "x" } },
    { "a wrong secret", "the secret key does not belong to the access key", {},
      { access_key_id = Bucket.KEY, secret_access_key = "another/secret" } },
    { "no credentials", "there are no credentials for the bucket films: write access_key_id", {}, {} },
    { "nobody there", "cannot be reached at 127.0.0.1:9", { endpoint = "http://127.0.0.1:9" } },
    { "a name that is none", "there is no address for films.bucket.invalid",
      { endpoint = "https://bucket.invalid", path_style = false } },
  }

  for _, wrong in ipairs(WRONG) do
    case("or wrong says what to do: " .. wrong[1], function()
      with(wrong[3], { s3 = wrong[4], env = HURRY.env }, function(odd)
        local job = odd:job { { text = "kept here" } }
        assert.is_truthy(job.result.warnings[1]:find(wrong[2], 1, true), job.result.warnings[1])
        assert.is_truthy(problems(odd):find(wrong[2], 1, true), problems(odd))
        odd.host:eventually(function() return odd.host:log():find("artifact.bucket", 1, true) end)
        assert.equal("kept here", odd.host:get(job.artifacts[1].url).body)
        assert.is_nil(odd.host:log():find(Bucket.SECRET, 1, true))
      end)
    end)
  end

  case("because it refuses says what the key needs", function()
    with({}, HURRY, function(odd)
      bucket:control { faults = { { method = "PUT", status = 403, code = "AccessDenied" } } }
      local job = odd:job { { text = "denied" } }
      assert.is_truthy(job.result.warnings[1]:find("it needs s3:PutObject there", 1, true), job.result.warnings[1])
    end)
  end)

  case("or is no bucket at all says so", function()
    local vendor = require("spec.support.host").start { program = "/usr/bin/lua5.4", config = "",
      arguments = { "spec/support/odd_vendor.lua" }, env = { LUA_PATH = os.getenv("LUA_PATH") } }
    with({ endpoint = "http://127.0.0.1:" .. vendor.port }, HURRY, function(odd)
      local job = odd:job { { text = "no S3" } }
      local said = job.result.warnings[1]
      assert.is_truthy(said:find("is artifacts.endpoint the address of an S3 API?", 1, true), said)
    end)
    vendor:kill()
    vendor:remove()
  end)
end)

describe("credentials of a bucket", function()
  local function env(bucket)
    return { AWS_ACCESS_KEY_ID = Bucket.KEY, AWS_SECRET_ACCESS_KEY = Bucket.SECRET, AWS_SESSION_TOKEN = bucket.options.token,
      AWS_REGION = bucket.options.region }
  end

  it("come from the usual variables of AWS, with a session token and the region", function()
    local bucket, missing = Bucket.start { token = "a-session/token+with=signs", region = "ap-test-9" }
    if not bucket then return pending(missing) end
    local odd = bucket:host({ region = require("cjson").null }, { s3 = {}, env = env(bucket) })
    local ok, problem = pcall(function()
      local job = odd:job { { text = "by the environment" } }
      assert.same({}, job.result.warnings or {})
      assert.is_table(bucket:objects()[Bucket.name(job.artifacts[1])])
    end)
    odd:remove()
    bucket:remove()
    assert(ok, problem)
  end)

  it("in the secrets file are read anew when it changes", function()
    local bucket, missing = Bucket.start()
    if not bucket then return pending(missing) end
    local odd = bucket:host({}, { s3 = { access_key_id = Bucket.KEY, secret_access_key = "old" },
      env = { PROVIDERD_TEST_HURRY = "20" } })
    local ok, problem = pcall(function()
      local job = odd:job { { text = "rotated" } }
      assert.equal(1, #job.result.warnings)
      odd.host:write("config/comfyvn.secrets.json", require("cjson").encode { odd = { api_key = "planted-odd" },
        other = { api_key = "planted-other" }, s3 = { access_key_id = Bucket.KEY, secret_access_key = Bucket.SECRET } }, "600")
      odd.host:eventually(function() return bucket:objects()[Bucket.name(job.artifacts[1])] end)
    end)
    odd:remove()
    bucket:remove()
    assert(ok, problem)
  end)
end)
