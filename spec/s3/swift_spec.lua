-- Artifacts in a bucket of Debian's Swift, whose S3 API checks signatures by code of its own. Pending where there is none.
local cjson = require "cjson"
local npm = require "spec.support.npm"
local Odd = require "spec.support.odd_outputs"
local Swift = require "spec.support.swift"

local file = Odd.file

describe("a bucket of Swift", function()
  local swift, missing, odd

  local function options(more)
    local values = { endpoint = swift.endpoint, region = Swift.REGION, key = Swift.KEY, secret = Swift.SECRET, bucket = "films" }
    for name, value in pairs(more or {}) do values[name] = value end
    return ("'%s'"):format(cjson.encode(values))
  end

  setup(function()
    missing = npm.install(npm.S3)
    if not missing then swift, missing = Swift.start() end
    if missing then return end
    local made, output = npm.node(npm.S3, "make.mjs " .. options())
    assert(made, output .. swift:log())
    odd = Odd.start { max_bytes = 200000000, s3 = { access_key_id = Swift.KEY, secret_access_key = Swift.SECRET },
      artifacts = { dir = "s3://films/kept", endpoint = swift.endpoint, region = Swift.REGION, deliver = "redirect" } }
  end)
  teardown(function()
    if odd then odd:remove() end
    if swift then swift:remove() end
  end)

  local function case(name, test)
    it(name, function()
      if missing then return pending(missing) end
      return test()
    end)
  end

  local function name(artifact) return ("kept/%s/%s"):format(artifact.sha256:sub(1, 2), artifact.sha256) end

  local function is_read_by_others(artifact)
    local ok, output = npm.node(npm.S3, "read.mjs " .. options { name = name(artifact), path_style = true })
    assert.is_true(ok, output)
    assert.equal(artifact.sha256, cjson.decode(output:match("({[^\n]*})\n$")).sha256)
  end

  local function follow(answer, headers)
    assert.equal(307, answer.status, answer.body)
    local path = answer.headers.location:sub(#swift.endpoint + 1)
    return require("spec.support.http").request(swift.port, "GET", path, nil, headers)
  end

  case("gets files, whole and in parts", function()
    local job = odd:job { file("ok.png"), file("big"), file("huge") }
    assert.same({}, job.result.warnings or {})
    for _, artifact in ipairs(job.artifacts) do is_read_by_others(artifact) end
  end)

  case("serves them through the host, and by a redirect", function()
    local job = odd:job { file("ok.png"), file("big") }
    local picture, large = job.artifacts[1], job.artifacts[2]
    local found = follow(odd.host:get(picture.url))
    assert.same({ 200, "image/png" }, { found.status, found.headers["content-type"] })
    assert.is_truthy(found.headers["content-disposition"]:find("ok.png", 1, true))
    local part = follow(odd.host:get(large.url), { Range = "bytes=8388600-8388615" })
    local here = odd.host:get(large.url .. "?deliver=proxy", { Range = "bytes=8388600-8388615" })
    assert.same({ 206, 206, "1048576\n1048577\n" }, { part.status, here.status, here.body })
    assert.equal(here.body, part.body)
  end)

  case("that does not know the key, or the bucket, says so", function()
    for text, changes in pairs {
      ["there is no bucket other"] = { dir = "s3://other" }, ["does not accept the signature"] = { secret = "wrong" },
    } do
      local secret = changes.secret or Swift.SECRET
      local other = Odd.start { vendor = odd.vendor, s3 = { access_key_id = Swift.KEY, secret_access_key = secret },
        artifacts = { dir = changes.dir or "s3://films", endpoint = swift.endpoint, region = Swift.REGION } }
      local ok, problem = pcall(function()
        local warning = other:job({ { text = "kept here" } }).result.warnings[1]
        assert.is_truthy(warning:find(text, 1, true), warning)
      end)
      other:remove()
      assert(ok, problem)
    end
  end)
end)
