-- Artifacts in a bucket that checks signatures: what is written there, and how it is read.
local Bucket = require "spec.support.bucket"
local Odd = require "spec.support.odd_outputs"

local file = Odd.file

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

  local function case(name, test)
    it(name, function()
      if missing then return pending(missing) end
      return test()
    end)
  end

  case("gets each file by its content, with where it came from beside it", function()
    local job = odd:job { file("ok.png"), { text = "small" } }
    assert.same({}, job.result.warnings or {})
    local objects = bucket:objects()
    for n, artifact in ipairs(job.artifacts) do
      local object, provenance = objects[Bucket.name(artifact)], objects[Bucket.name(artifact, ("%s-%d.json"):format("." .. job.job_id, n - 1))]
      assert.same({ artifact.bytes, artifact.sha256, artifact.content_type }, { object.bytes, object.sha256, object.type })
      assert.equal("application/json", provenance.type)
      assert.equal(artifact.sha256:sub(1, 10), odd.host:get(artifact.url).headers.etag:sub(2, 11))
    end
    assert.equal("small", odd.host:get(job.artifacts[2].url).body)
  end)
end)
