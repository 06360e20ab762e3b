-- Large pictures: out of the artifact's file they go in pieces, and never half of one as a whole. One that comes in is not
-- copied more often than by REST.
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local mime = require "mime"
local picture = require "spec.support.picture"
local shell = require "spec.support.shell"
local socket = require "socket"
local start = require("spec.support.host").start
local support = require "spec.support.live"

local MIB = 1048576
local BYTES = 10 * MIB
local KEY = { ["Idempotency-Key"] = "one" }
local WISH = { model = "fal/flux", prompt = "a lighthouse", dry_run = false, max_cost_usd = 0.1 }

local function start_vendor(bytes)
  return start { program = "/usr/bin/lua5.4", arguments = { "spec/support/picture_vendor.lua", tostring(bytes) }, config = "",
    env = { LUA_PATH = os.getenv("LUA_PATH"), LUA_CPATH = os.getenv("LUA_CPATH") } }
end

local function start_host(vendor)
  local config = support.config("http://127.0.0.1:" .. vendor.port)
  config.server.max_body_bytes = 32 * MIB
  return start { config = config, secrets = support.SECRETS, env = { PROVIDERD_TEST_HURRY = "10" } }
end

local function memory(host, name)
  return tonumber(shell.read("/proc/" .. host.pid .. "/status"):match(name .. ":%s*(%d+) kB")) * 1024
end

-- How far the peak goes above what the host has before, in MiB.
local function peak_of(host, act)
  assert(os.execute("echo 5 > /proc/" .. host.pid .. "/clear_refs"))
  local before = memory(host, "VmRSS")
  act()
  return (memory(host, "VmHWM") - before) / MIB
end

describe("a picture of 10 MiB", function()
  local vendor, host

  setup(function()
    vendor = start_vendor(BYTES)
    host = start_host(vendor)
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function generate(changes, headers)
    local wish = {}
    for name, value in pairs(WISH) do wish[name] = value end
    for name, value in pairs(changes or {}) do wish[name] = value end
    return host:post("/v1/images/generations", wish, headers or KEY)
  end

  local function artifact()
    local job = host:get("/api/jobs/list").json.tasks[1]
    local sha = job.artifacts[1].sha256
    return ("data/artifacts/%s/%s"):format(sha:sub(1, 2), sha)
  end

  it("is answered as base64 without being in memory, also to many at once", function()
    local first = generate()
    assert.equal(200, first.status, first.body:sub(1, 300))
    local bytes = picture.decode(first.json.data[1].b64_json)
    assert.equal(BYTES, #bytes)
    assert.same({ "2048x1024", "2048x1024" }, { picture.size(bytes), first.json.size })
    assert.is_true(bytes == host:read(artifact()))
    local peak = peak_of(host, function()
      local one = ("curl -s -o /dev/null -w '%%{size_download}\n' -H 'Content-Type: application/json' -H 'Idempotency-Key: one' "
        .. "-d %s http://127.0.0.1:%d/v1/images/generations &"):format(shell.quote(exact.encode(WISH)), host.port)
      local pipe = assert(io.popen(one:rep(8) .. " wait"))
      local sizes = pipe:read("a")
      pipe:close()
      assert.equal((#first.body .. "\n"):rep(8), sizes)
    end)
    assert.truthy(peak < 12, ("8 answers of 14 MB took %.1f MiB"):format(peak))
  end)

  it("is streamed the same way", function()
    local peak = peak_of(host, function()
      local answer = generate({ stream = true }, { ["Idempotency-Key"] = "streamed" })
      local text = answer.body:match('"b64_json":\t"([^"]*)"')
      assert.equal(BYTES, #picture.decode(text))
    end)
    assert.truthy(peak < 8, ("it took %.1f MiB, with the job itself"):format(peak))
  end)

  it("that is cut while it is sent ends in a connection that is reset, not in an answer", function()
    local path, bytes = artifact(), host:read(artifact())
    local connection = http.connect(host.port)
    connection:send("POST", "/v1/images/generations", WISH, KEY)
    socket.sleep(1)
    host:write_in_place(path, bytes:sub(1, 1000))
    local ok, problem = pcall(connection.receive, connection)
    connection:close()
    host:write_in_place(path, bytes)
    assert.is_false(ok)
    assert.truthy(tostring(problem):find("closed", 1, true) or tostring(problem):find("reset", 1, true), problem)
    assert.equal(200, generate().status)
  end)

end)

describe("a picture of 10 MiB that comes in", function()
  local vendor, bytes

  setup(function()
    vendor = start_vendor(1000)
    bytes = "\137PNG\r\n\26\n" .. ("\1\2\3\4\5"):rep(BYTES // 5)
  end)
  teardown(function()
    vendor:kill()
    vendor:remove()
  end)

  -- Of a host of its own, since one that has worked on much keeps memory for the next time.
  local function peak_of_one(act)
    local host = start_host(vendor)
    host:post("/api/providers/image/fal/submit", { prompt = "to warm up" })
    local answer
    local peak = peak_of(host, function() answer = act(host) end)
    host:remove()
    return peak, answer
  end

  local function edit(dry)
    local boundary = "xxxxBOUNDARYxxxx"
    local function part(name, value, more)
      return ("--%s\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n%s\r\n"):format(boundary, name, more or "", value)
    end
    local form = part("model", "fal/fal-ai/flux/dev/image-to-image") .. part("prompt", "add a hat")
      .. part("dry_run", tostring(dry)) .. part("max_cost_usd", "0.1")
      .. part("image", bytes, '; filename="a.png"\r\nContent-Type: image/png') .. "--" .. boundary .. "--\r\n"
    return function(host)
      return host:post("/v1/images/edits", form, { ["Content-Type"] = "multipart/form-data; boundary=" .. boundary })
    end
  end

  local function submit(dry)
    local body = { prompt = "add a hat", model = "fal-ai/flux/dev/image-to-image", dry_run = dry, max_cost_usd = 0.1,
      parameters = { image = "data:image/png;base64," .. mime.b64(bytes) } }
    return function(host) return host:post("/api/providers/image/fal/submit", body, { Prefer = "wait=30" }) end
  end

  for _, dry in ipairs { true, false } do
    it("takes no more than by REST, as base64: dry_run " .. tostring(dry), function()
      local by_rest, submitted = peak_of_one(submit(dry))
      assert.equal(200, submitted.status, submitted.body:sub(1, 300))
      local by_form, edited = peak_of_one(edit(dry))
      assert.equal(200, edited.status, edited.body:sub(1, 300))
      assert.truthy(by_form < by_rest + 4, ("%.1f MiB, and %.1f by REST"):format(by_form, by_rest))
      assert.truthy(#edited.body < 100000, "it comes back in the answer")
    end)
  end
end)
