-- What live jobs made, copied from a vendor whose files make trouble.
local Odd = require "spec.support.odd_outputs"

local file = Odd.file

local function run(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  pipe:close()
  return text
end

describe("an artifact of a vendor in trouble", function()
  local odd

  setup(function() odd = Odd.start() end)
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

  setup(function() odd = Odd.start { outputs = '"any"', direct = true } end)
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
