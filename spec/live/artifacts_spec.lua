-- What live jobs made, copied: real files of all nine vendors from the simulator, and a vendor whose files make trouble.
local start = require("spec.support.host").start
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

  setup(function() live = support.start() end)
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

-- A provider whose outputs are what the job asks for, and its vendor.
local SCRIPT = [[
local function result(outputs) return { id = "odd-1", status = "done", artifacts = outputs, state = { outputs = outputs },
  cost = { usd = 0.01, source = "vendor" } } end
return {
  id = "odd", kind = "image", capabilities = {}, pricing = {},
  credentials = { api_key = { secret = { "api_key" } } },
  base_url = "https://odd.example/v1", outputs = OUTPUTS,
  auth = { Authorization = "Key {api_key}" },
  estimate = function() return { expected = 0.01, low = 0.01, high = 0.01, unit = "job", quantity = 1, source = "spec" } end,
  health = function() return { ok = true } end,
  submit = function(payload, ctx)
    local _, failure = ctx.request { method = "POST", path = "/jobs", json = {} }
    if failure then return { status = "error", error = { code = "vendor", message = failure.message } } end
    local outputs = {}
    for i, output in ipairs(payload.outputs) do
      outputs[i] = output
      if output.url then output.url = string.gsub(output.url, "{at}", "@") end
      if output.text == "{ECHO}" then output.text = "plan" .. "ted-odd" end
      if output.json and output.json.said then output.json.said = "plan" .. "ted-odd" end
    end
    if payload.later then return { id = "odd-1", status = "running", retry_after = 0.1 } end
    return result(outputs)
  end,
  poll = function(job) return result(job.payload.outputs) end,
}]]

local Odd = {}
Odd.__index = Odd

local function start_odd(options)
  options = options or {}
  local self = setmetatable({}, Odd)
  self.vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/odd_vendor.lua" }, config = "",
    env = { LUA_PATH = os.getenv("LUA_PATH") } }
  local upstream = "http://127.0.0.1:" .. self.vendor.port
  local config = support.config(upstream)
  config.live.providers.odd = { enabled = true, budget_usd = { per_day = 1000, per_month = 1000 }, rate_per_minute = 6000,
    max_concurrent = 100 }
  config.artifacts = { max_bytes = options.max_bytes or 2000000 }
  if options.direct then
    config.live.upstream = nil
    config.live.providers.odd.base_url = upstream .. "/odd.example/v1"
  end
  local files = options.files or {}
  files["providers/odd.lua"] = SCRIPT:gsub("OUTPUTS", options.outputs or '{ "files.odd.example" }')
  self.host = start { config = config, secrets = { odd = { api_key = "planted-odd" } }, files = files, program = options.program }
  return self
end

function Odd:remove()
  self.host:remove()
  self.vendor:kill()
  self.vendor:remove()
end

function Odd:submit(outputs, later)
  local answer = self.host:post("/api/providers/image/odd/submit", { dry_run = false, outputs = outputs, later = later })
  assert(answer.status == 202, answer.body)
  return answer.json.job_id
end

--- Makes a job of these outputs; it must be done. Returns it.
function Odd:job(outputs)
  return self:ended(self:submit(outputs))
end

function Odd:ended(job_id)
  local job = self.host:eventually(function()
    local job = self.host:get("/api/jobs/status/" .. job_id).json
    return job.status ~= "queued" and job.status ~= "running" and job or nil
  end)
  assert.equal("done", job.status)
  return job
end

function Odd:seen()
  return self.vendor:get("/seen").body
end

function Odd:temporaries()
  return run("ls '" .. self.host.home .. "/data/artifacts/tmp' 2>/dev/null")
end

local function file(name)
  return { url = "https://files.odd.example/" .. name }
end

describe("an artifact of a vendor in trouble", function()
  local odd

  setup(function() odd = start_odd() end)
  teardown(function() odd:remove() end)

  -- The last three are passing troubles: they are tried three times, side by side.
  local LOST = {
    { "gone", "410" }, { "nowhere", "404" }, { "redirect", "redirect" }, { "empty", "empty" },
    { "promises", "artifacts.max_bytes" }, { "chunked", "artifacts.max_bytes" },
    { "truncated", "download failed", tries = 3 }, { "cut_chunk", "download failed", tries = 3 },
    { "reset", "download failed", tries = 3 },
  }

  it("is lost with a warning on a job that is done", function()
    local outputs = { file("ok.png") }
    for n, case in ipairs(LOST) do outputs[n + 1] = file(case[1]) end
    local job = odd:job(outputs)
    local warnings = table.concat(job.result.warnings, "\n")
    assert.equal(200, odd.host:get(job.artifacts[1].url).status)
    for n, case in ipairs(LOST) do
      local artifact = job.artifacts[n + 1]
      assert.is_truthy(artifact.error and artifact.error:find(case[2], 1, true), case[1] .. ": " .. tostring(artifact.error))
      assert.same({ "https://files.odd.example/" .. case[1], "files.odd.example" },
        { artifact.source_url, artifact.source_host })
      assert.is_truthy(warnings:find(("artifacts[%d] was not kept"):format(n), 1, true), warnings)
      assert.equal(410, odd.host:get("/api/jobs/" .. job.job_id .. "/artifacts/" .. n).status)
      local _, tries = odd:seen():gsub("files.odd.example/" .. case[1] .. " ", "")
      assert.equal(case.tries or 1, tries, case[1])
    end
    assert.is_truthy(warnings:find("odd-1", 1, true)) -- the vendor's job id
    assert.equal("", odd:temporaries())
  end)

  it("is fetched again when the vendor is busy, as late as it asks", function()
    local job = odd:job { file("busy") }
    assert.is_nil(job.artifacts[1].error)
    assert.equal(200, odd.host:get(job.artifacts[1].url).status)
  end)

  it("gets the type that its bytes prove, and is no page", function()
    local job = odd:job { file("lies.txt"), file("page.html"), file("ok.png") }
    assert.equal("image/png", job.artifacts[1].content_type)
    local page = odd.host:get(job.artifacts[2].url)
    assert.equal("text/plain; charset=utf-8", page.headers["content-type"])
    assert.is_truthy(page.headers["content-disposition"]:find("^attachment"))
    assert.equal("ok.png", job.artifacts[3].filename)
  end)

  local REFUSED = {
    { "another host", "https://evil.example/ok.png", "not one of this provider's hosts" },
    { "a name that ends like one", "https://xfiles.odd.example/ok.png", "not one of this provider's hosts" },
    { "plain http", "http://files.odd.example/ok.png", "https" },
    { "loopback", "http://127.0.0.1:1/ok.png", "not one of this provider's hosts" },
    { "a user name", "https://files.odd.example{at}evil.example/ok.png", "user name" },
    { "a fragment", "https://files.odd.example/ok.png#x", "fragment" },
    { "dot segments", "https://files.odd.example/a/../ok.png", "segments" },
    { "another scheme", "file:///etc/passwd", "https" },
    { "no URL", "ok.png", "https" },
  }

  for _, case in ipairs(REFUSED) do
    it("is not fetched from " .. case[1], function()
      local before = odd:seen()
      local job = odd:job { { url = case[2] } }
      assert.is_truthy(job.artifacts[1].error:find(case[3], 1, true), job.artifacts[1].error)
      local _, more = odd:seen():sub(#before + 1):gsub("\n", "")
      assert.equal(1, more) -- the submit
    end)
  end

  it("gets no credential, unless it asks for it on the API's own host", function()
    local before = #odd:seen()
    odd:job { { url = "https://files.odd.example/ok.png", auth = true }, { url = "https://odd.example/v1/ok.png" },
      { url = "https://odd.example/v2/ok.png", auth = true } }
    local seen = odd:seen():sub(before + 1)
    assert.is_truthy(seen:find("/files.odd.example/ok.png none", 1, true), seen)
    assert.is_truthy(seen:find("/odd.example/v1/ok.png none", 1, true), seen)
    assert.is_truthy(seen:find("/odd.example/v2/ok.png Key planted-odd", 1, true), seen)
  end)

  it("that came inside the answer is decoded", function()
    local job = odd:job {
      { base64 = "aGVsbG8gd29ybGQ=" }, { base64 = "aGVs\nbG8gd29ybGQ" }, { data_uri = "data:text/plain;base64,aGVsbG8gd29ybGQ=" },
      { data_uri = "data:,hello%20world" }, { text = "hello world" }, { json = { "hello world" } },
      { base64 = "_-8=" }, { base64 = "a" }, { base64 = "aGVs!" }, { base64 = "aG=Vs" }, { data_uri = "nonsense" }, { width = 1 },
    }
    for n = 1, 5 do assert.equal("hello world", odd.host:get(job.artifacts[n].url).body, n) end
    for n = 1, 4 do assert.equal(job.artifacts[5].sha256, job.artifacts[n].sha256) end
    assert.equal('["hello world"]', odd.host:get(job.artifacts[6].url).body)
    assert.same({ "hello world" }, job.artifacts[6].json)
    assert.equal("\xff\xef", odd.host:get(job.artifacts[7].url).body)
    for n = 8, 12 do assert.is_string(job.artifacts[n].error, n) end
  end)

  it("that echoes the credential is masked in the row", function()
    local job = odd:job { { text = "{ECHO}" }, { json = { said = "{ECHO}" } } }
    assert.is_nil(odd.host:get("/api/jobs/status/" .. job.job_id).body:find("planted", 1, true))
    assert.same({ "***", "***" }, { job.artifacts[1].text, job.artifacts[2].json.said })
  end)

  it("keeps what is said of it, and a name that is safe", function()
    local job = odd:job { { text = "x", filename = "../../etc/pass\"wd\r\n", seed = 7, width = 640, height = 480 } }
    local artifact = job.artifacts[1]
    assert.same({ "passwd", 7, 640, 480 }, { artifact.filename, artifact.seed, artifact.width, artifact.height })
  end)

  it("beyond the cap of bytes is not kept, wherever it comes from", function()
    local job = odd:job { { text = ("x"):rep(2000001) }, { text = ("x"):rep(2000000) } }
    assert.is_truthy(job.artifacts[1].error:find("artifacts.max_bytes", 1, true))
    assert.equal(2000000, job.artifacts[2].bytes)
    assert.is_nil(job.artifacts[2].text)
  end)

  it("beyond the cap of outputs is named", function()
    local outputs = {}
    for n = 1, 520 do outputs[n] = { text = "output " .. n } end
    local job = odd:job(outputs)
    assert.equal(512, #job.artifacts)
    assert.same({ "only the first 512 of 520 outputs were kept" }, job.result.warnings)
  end)

  it("with the same content is stored once", function()
    local one, two = odd:job { { text = "twice" } }, odd:job { { text = "twice" } }
    assert.equal(one.artifacts[1].sha256, two.artifacts[1].sha256)
    local pattern = odd.host.home .. "/data/artifacts/*/" .. one.artifacts[1].sha256
    assert.same({ "1\n", "2\n" }, { run("ls " .. pattern .. " | wc -l"), run("ls " .. pattern .. ".*.json | wc -l") })
  end)

  it("of a hundred is fetched side by side", function()
    local outputs = {}
    for n = 1, 100 do outputs[n] = file("ok.png?n=" .. n) end
    local job = odd:job(outputs)
    assert.equal(100, #job.artifacts)
    for _, artifact in ipairs(job.artifacts) do assert.is_nil(artifact.error) end
  end)
end)

describe("an artifact from anywhere", function()
  local odd

  setup(function() odd = start_odd { outputs = '"any"', direct = true } end)
  teardown(function() odd:remove() end)

  -- No name server is asked: these are literals, and names of /etc/hosts.
  for _, host in ipairs { "127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]",
    "[::ffff:10.0.0.1]", "0x7f.1", "2130706433", "100.64.0.1" } do
    it("is not fetched from the private address " .. host, function()
      local job = odd:job { { url = "https://" .. host .. ":" .. odd.vendor.port .. "/ok.png" } }
      assert.is_truthy(job.artifacts[1].error:find("private", 1, true), job.artifacts[1].error)
      assert.is_nil(odd:seen():find("ok.png", 1, true))
    end)
  end

  it("is not fetched over plain http", function()
    local job = odd:job { { url = "http://127.0.0.1:" .. odd.vendor.port .. "/ok.png" } }
    assert.is_string(job.artifacts[1].error)
    assert.is_nil(odd:seen():find("ok.png", 1, true))
  end)
end)

describe("the artifacts folder", function()
  local function with(options, test)
    local odd = start_odd(options)
    local ok, problem = pcall(test, odd)
    odd:remove()
    assert(ok, problem)
  end

  local function is_said(odd, text)
    local job = odd:job { file("large"), { text = "small" } }
    assert.is_truthy(job.artifacts[1].error:find(text, 1, true), job.artifacts[1].error)
    odd.host:eventually(function() return odd.host:log():find("artifact.lost", 1, true) end)
    return job
  end

  it("that cannot be made is said, and the job is done", function()
    with({ max_bytes = 10000000, files = { ["data/artifacts"] = "a file" } }, function(odd)
      local job = is_said(odd, "artifacts folder")
      assert.is_string(job.artifacts[2].error)
    end)
  end)

  it("that may not take a large file is said, and the host lives", function()
    local wrapper = os.tmpname()
    local script = assert(io.open(wrapper, "w"))
    script:write("#!/bin/sh\nulimit -f 4096\nexec '", os.getenv("PROVIDERD") or "build/providerd", "' \"$@\"\n")
    script:close()
    assert(os.execute("chmod 755 " .. wrapper))
    with({ max_bytes = 10000000, program = wrapper }, function(odd)
      local job = is_said(odd, "larger than the system lets")
      assert.is_nil(job.artifacts[2].error)
      assert.equal("", odd:temporaries())
    end)
    os.remove(wrapper)
  end)

  it("on a full disk is said, and is used again when there is room", function()
    with({ max_bytes = 10000000, files = { ["data/artifacts/.keep"] = "" } }, function(odd)
      local folder = odd.host.home .. "/data/artifacts"
      if not os.execute("mount -t tmpfs -o size=2m tmpfs '" .. folder .. "' 2>/dev/null") then return end -- needs root
      local ok, problem = pcall(function()
        local job = is_said(odd, "is full")
        assert.is_nil(job.artifacts[2].error)
        assert.equal("", odd:temporaries())
        assert(os.execute("mount -o remount,size=8m '" .. folder .. "'"))
        assert.is_nil(odd:job({ file("large") }).artifacts[1].error)
      end)
      os.execute("umount '" .. folder .. "'")
      assert(ok, problem)
    end)
  end)

  it("is rid of what a killed host left, and the job's outputs come after the next start", function()
    with({}, function(odd)
      local job_id = odd:submit({ file("stuck"), file("ok.png") }, true)
      odd.host:eventually(function() return odd:temporaries() ~= "" end)
      odd.host:kill()
      odd.host:write("data/artifacts/tmp/99", "half")
      odd.host:start_again()
      local job = odd:ended(job_id)
      assert.is_nil(job.artifacts[1].error)
      assert.equal(("s"):rep(300), odd.host:get(job.artifacts[1].url).body)
      assert.equal("", odd:temporaries())
    end)
  end)

  it("gets what the host had no time for after the next start", function()
    with({}, function(odd)
      local job_id = odd:submit({ file("stuck") }, true)
      odd.host:eventually(function() return odd:temporaries() ~= "" end)
      odd.host:ends_well()
      assert.equal("", odd:temporaries())
      odd.host:start_again()
      assert.is_nil(odd:ended(job_id).artifacts[1].error)
    end)
  end)

  it("gets what is under way when the host stops", function()
    with({}, function(odd)
      local job_id = odd:submit { file("slow") }
      odd.host:eventually(function() return odd:temporaries() ~= "" end)
      odd.host:ends_well()
      odd.host:start_again()
      assert.is_nil(odd:ended(job_id).artifacts[1].error)
    end)
  end)

  it("loses old files, and keeps those that a newer job made too", function()
    local old, both, new = ("aa"):rep(32), ("ab"):rep(32), ("ac"):rep(32)
    local function path(digest, rest) return "data/artifacts/" .. digest:sub(1, 2) .. "/" .. digest .. (rest or "") end
    with({ files = {
      [path(old)] = "old", [path(old, ".job-0.json")] = "{}", [path(both)] = "both", [path(both, ".old-0.json")] = "{}",
      [path(both, ".new-0.json")] = "{}", [path(new)] = "new", ["data/artifacts/aa/notes.txt"] = "not ours",
    } }, function(odd)
      local home = odd.host.home .. "/"
      for _, name in ipairs { path(old), path(old, ".job-0.json"), path(both), path(both, ".old-0.json"),
        "data/artifacts/aa/notes.txt" } do
        assert(os.execute("touch -d '40 days ago' '" .. home .. name .. "'"))
      end
      odd.host:stop()
      odd.host:start_again()
      odd.host:eventually(function() return odd.host:read(path(both, ".old-0.json")) == nil end)
      odd.host:eventually(function() return odd.host:log():find("artifact.swept", 1, true) end)
      assert.same({ nil, nil, "both", "{}", "new", "not ours" },
        { [3] = odd.host:read(path(both)), [4] = odd.host:read(path(both, ".new-0.json")), [5] = odd.host:read(path(new)),
          [6] = odd.host:read("data/artifacts/aa/notes.txt"), [1] = odd.host:read(path(old)),
          [2] = odd.host:read(path(old, ".job-0.json")) })
    end)
  end)
end)
