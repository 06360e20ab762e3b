-- What live jobs made, copied: real files of all nine vendors from the simulator.
local support = require "spec.support.live"

local function run(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  pipe:close()
  return text
end

local function sha256_of(path)
  return run("sha256sum '" .. path .. "'"):match("^%x+")
end

local function u32(bytes, at)
  return (string.unpack(">I4", bytes, at))
end

local function crc32(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = crc ~ bytes:byte(i)
    for _ = 1, 8 do crc = crc & 1 == 1 and crc >> 1 ~ 0xedb88320 or crc >> 1 end
  end
  return crc ~ 0xffffffff
end

-- Is the file whole, to its last byte, as its format says?
local WHOLE = {
  ["image/png"] = function(bytes)
    local at, kind = 9, nil
    if bytes:sub(1, 8) ~= "\137PNG\r\n\26\n" then return false end
    while at < #bytes do
      local length = u32(bytes, at)
      kind = bytes:sub(at + 4, at + 7)
      if #bytes < 40000 and crc32(bytes:sub(at + 4, at + 7 + length)) ~= u32(bytes, at + 8 + length) then return false end
      at = at + 12 + length
    end
    return at == #bytes + 1 and kind == "IEND"
  end,
  ["video/mp4"] = function(bytes)
    local at, boxes = 1, {}
    while at < #bytes do
      boxes[#boxes + 1] = bytes:sub(at + 4, at + 7)
      at = at + u32(bytes, at)
    end
    return at == #bytes + 1 and table.concat(boxes, " ") == "ftyp moov mdat"
  end,
  ["image/jpeg"] = function(bytes) return bytes:sub(1, 2) == "\xff\xd8" and bytes:sub(-2) == "\xff\xd9" end,
  ["image/webp"] = function(bytes) return bytes:sub(1, 4) == "RIFF" and string.unpack("<I4", bytes, 5) == #bytes - 8 end,
}

describe("artifacts of the nine vendors", function()
  local live

  setup(function() live = support.start { hurry = 8 } end)
  teardown(function() live:remove() end)

  for id in pairs(support.JOBS) do
    it("of " .. id .. " are whole, and served as they were stored", function()
      local job = live:ended(live:job(id))
      assert.equal("done", job.status, tostring(job.reason))
      assert.is_true(#job.artifacts >= 1)
      local media = 0
      for n, artifact in ipairs(job.artifacts) do
        assert.is_nil(artifact.error)
        assert.equal(n - 1, artifact.n)
        local answer = live.host:get(artifact.url)
        assert.equal(200, answer.status, artifact.url)
        local file = ("%s/data/artifacts/%s/%s"):format(live.host.home, artifact.sha256:sub(1, 2), artifact.sha256)
        assert.equal(artifact.sha256, sha256_of(file))
        assert.is_true(answer.body == run("cat '" .. file .. "'"))
        assert.equal(artifact.bytes, #answer.body)
        assert.equal('"' .. artifact.sha256 .. '"', answer.headers["etag"])
        local whole = WHOLE[artifact.content_type]
        if whole then assert.is_true(whole(answer.body), artifact.content_type .. ": " .. answer.body:sub(1, 20)) end
        if whole then media = media + 1 end
      end
      assert.is_true(media >= 1, "no picture or video: " .. tostring(job.artifacts[1].content_type))
    end)
  end

  it("have a provenance beside them, without query and secret", function()
    local job = live:ended(live:job("runway"))
    local artifact = job.artifacts[1]
    local path = ("data/artifacts/%s/%s.%s-0.json"):format(artifact.sha256:sub(1, 2), artifact.sha256, job.job_id)
    local text = assert(live.host:read(path), path)
    local provenance = require("spec.support.exact_json").decode(text)
    assert.same({ "runway", "video", job.job_id, job.vendor_id, artifact.sha256, artifact.bytes, 0, "a lighthouse" },
      { provenance.provider, provenance.kind, provenance.job_id, provenance.vendor_id, provenance.sha256, provenance.bytes,
        provenance.n, provenance.payload.prompt })
    assert.is_truthy(provenance.stored_at)
    assert.is_truthy(provenance.cost.usd)
    assert.is_truthy(provenance.source_url:find("^https://%w+%.cloudfront%.net/"))
    assert.is_nil(provenance.source_url:find("?", 1, true))
    assert.equal("", run("grep -ril planted '" .. live.host.home .. "/data'"))
  end)

  it("leave no temporary file", function()
    assert.equal("", run("ls '" .. live.host.home .. "/data/artifacts/tmp'"))
  end)
end)
