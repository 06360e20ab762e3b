-- Signature Version 4 against what AWS has published: its test suite, and the examples of the S3 API Reference (vectors.json).
local cjson = require "cjson"

local PROGRAM = os.getenv "S3_SIGN" or "build/s3-sign"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

local function ask(question)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(cjson.encode(question))
  file:close()
  local pipe = assert(io.popen(("'%s' < %s"):format(PROGRAM, path)))
  local answer = pipe:read("a")
  assert(pipe:close())
  os.remove(path)
  return cjson.decode(answer)
end

local vectors = cjson.decode(read "spec/s3/vectors.json")

local function question(set, more)
  more.key, more.unix_seconds, more.region, more.service = set.key, set.unix_seconds, set.region, set.service
  return more
end

local function sign(set, case)
  return ask(question(set, { request = case.request }))
end

describe("Signature Version 4", function()
  for _, case in ipairs(vectors.suite.cases) do
    it("is AWS's test suite's: " .. case.name, function()
      local answer = sign(vectors.suite, case)
      assert.same({ case.canonical, case.string_to_sign, case.authorization },
        { answer.canonical, answer.string_to_sign, answer.authorization })
    end)
  end

  for _, case in ipairs(vectors.s3.cases) do
    it("is the S3 API Reference's: " .. case.name, function()
      local answer = sign(vectors.s3, case)
      assert.equal(case.canonical_sha256, answer.string_to_sign:match("%x+$"))
      assert.equal(case.signature, answer.authorization:match("Signature=(%x+)$"))
    end)
  end

  it("is the S3 API Reference's: " .. vectors.s3.presigned.name, function()
    local case = vectors.s3.presigned
    assert.equal(case.signed, ask(question(vectors.s3, { presign = case })).query)
  end)

  it("does not depend on the order in which a query is written, and does on everything else", function()
    local case = vectors.s3.cases[4]
    local function signature(change)
      local copy = cjson.decode(cjson.encode(case))
      change(copy.request)
      return sign(vectors.s3, copy).authorization:match("Signature=(%x+)$")
    end
    assert.equal(case.signature, signature(function(request) request.query = "max-keys=2&prefix=J" end))
    for _, change in ipairs {
      function(request) request.query = "max-keys=3&prefix=J" end, function(request) request.method = "PUT" end,
      function(request) request.path = "/a" end, function(request) request.payload = ("0"):rep(64) end,
      function(request) request.headers[1][2] = "other.s3.amazonaws.com" end,
    } do
      assert.not_equal(case.signature, signature(change))
    end
  end)
end)
