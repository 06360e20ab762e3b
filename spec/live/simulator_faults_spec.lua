-- The vendor simulator beyond the contracts' cases: files that decode, webhooks whose signatures verify, faults by rate and seed,
-- and a journal that counts submits and tells no credential.
local cjson = require "cjson"
local contract = require "spec.support.contract"
local host = require "spec.support.host"
local http = require "spec.support.http"
local socket = require "socket"

local running = {}

local function simulate(...)
  local sim = host.start { arguments = { "simulate", "--listen", "127.0.0.1:0", "--job-time", "600", ... }, config = "" }
  running[#running + 1] = sim
  return sim
end

local KEYS = { fal = "Key id:secret", bearer = "Bearer some-key" }

local function send(sim, method, path, body, headers)
  local all = { Authorization = path:find("fal.", 1, true) and KEYS.fal or KEYS.bearer, ["X-Runway-Version"] = "2024-11-06",
    ["Modal-Key"] = path:find("modal") and "wk-1" or nil, ["Modal-Secret"] = path:find("modal") and "ws-1" or nil }
  for name, value in pairs(headers or {}) do all[name] = value end
  return sim:request(method, path, body, all)
end

local function path_of(url)
  return (url:gsub("^http://[^/]+", ""))
end

local function eventually(sim, get, accept)
  return sim:eventually(function()
    local answer = get()
    return accept(answer) and answer
  end)
end

-- Files --------------------------------------------------------------------------------------------------------------------

local function crc32(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = crc ~ bytes:byte(i)
    for _ = 1, 8 do crc = crc & 1 == 1 and 0xedb88320 ~ (crc >> 1) or crc >> 1 end
  end
  return crc ~ 0xffffffff
end

local function check_png(bytes, width, height)
  assert.equal("\137PNG\r\n\26\n", bytes:sub(1, 8))
  local at, kinds = 9, {}
  while at <= #bytes do
    local length, kind = string.unpack(">I4c4", bytes, at)
    local data = bytes:sub(at + 8, at + 7 + length)
    assert.equal(string.unpack(">I4", bytes, at + 8 + length), crc32(kind .. data), kind)
    if kind == "IHDR" then assert.same({ width, height }, { table.unpack({ string.unpack(">I4I4", data) }, 1, 2) }) end
    kinds[#kinds + 1], at = kind, at + 12 + length
  end
  assert.same({ "IHDR", "PLTE", "IDAT", "IEND" }, kinds)
end

local INSIDE = { moov = true, trak = true, mdia = true, minf = true, stbl = true }

-- The boxes of an MP4 by their path.
local function boxes(bytes, from, to, prefix, found)
  local at = from
  while at < to do
    local size, kind = string.unpack(">I4c4", bytes, at)
    assert.is_true(size >= 8 and at + size - 1 <= to, "box " .. kind)
    found[prefix .. kind] = { at = at + 8, to = at + size - 1 }
    if INSIDE[kind] then boxes(bytes, at + 8, at + size - 1, prefix .. kind .. ".", found) end
    at = at + size
  end
  return found
end

local function check_mp4(bytes, width, height, seconds)
  local found = boxes(bytes, 1, #bytes, "", {})
  assert.is_truthy(found.ftyp and found.mdat)
  local head = found["moov.mvhd"]
  local scale, duration = string.unpack(">I4I4", bytes, head.at + 12)
  assert.equal(seconds, duration / scale)
  local track = found["moov.trak.tkhd"]
  assert.same({ width << 16, height << 16 }, { table.unpack({ string.unpack(">I4I4", bytes, track.to - 7) }, 1, 2) })
  local first = string.unpack(">I4", bytes, found["moov.trak.mdia.minf.stbl.stco"].at + 8) + 1
  local length, header = string.unpack(">I4B", bytes, first)
  assert.equal(0x65, header) -- a whole picture
  assert.is_true(first + 4 + length - 1 <= #bytes)
end

describe("files of the simulator", function()
  local sim
  setup(function() sim = simulate() end)

  it("are PNG where a picture was asked for", function()
    local form = '--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n--b--\r\n'
    local answer = send(sim, "POST", "/api.stability.ai/v2beta/stable-image/generate/core", form,
      { ["Content-Type"] = "multipart/form-data; boundary=b", Accept = "image/*" })
    assert.equal(200, answer.status)
    assert.equal("image/png", answer.headers["content-type"])
    check_png(answer.body, 1024, 1024)
  end)

  it("are MP4 where a video was asked for", function()
    local made = send(sim, "POST", "/api.dev.runwayml.com/v1/text_to_video",
      { model = "gen4.5", promptText = "a cat", ratio = "720:1280", duration = 4 })
    local task = eventually(sim, function() return send(sim, "GET", "/api.dev.runwayml.com/v1/tasks/" .. made.json.id) end,
      function(answer) return answer.json.status == "SUCCEEDED" end)
    assert.equal(48, task.json.cost.credits)
    local file = sim:get(path_of(task.json.output[1]))
    assert.equal("video/mp4", file.headers["content-type"])
    check_mp4(file.body, 720, 1280, 4)
  end)

  it("are there only when the job is done, and without a credential", function()
    local made = send(sim, "POST", "/api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions",
      { input = { prompt = "a cat", num_outputs = 2, width = 64, height = 32 } })
    assert.equal(404, sim:get("/replicate.delivery/xezq/" .. made.json.id .. "/out-0.png").status)
    local done = eventually(sim, function() return send(sim, "GET", path_of(made.json.urls.get)) end,
      function(answer) return answer.json.status == "succeeded" end)
    assert.equal(2, #done.json.output)
    check_png(sim:get(path_of(done.json.output[2])).body, 64, 32)
  end)

  it("answer any host that an endpoint may have, with or without a slash", function()
    for _, path in ipairs { "/x1.eu-west-1.aws.endpoints.huggingface.cloud", "/x1.eu-west-1.aws.endpoints.huggingface.cloud/" } do
      check_png(send(sim, "POST", path, { inputs = "a cat" }).body, 512, 512)
    end
    assert.equal(200, send(sim, "POST", "/acme--app-make.modal.run", { prompt = "a cat" }).status)
    assert.equal(503, send(sim, "POST", "/cold-1.eu.aws.endpoints.huggingface.cloud", { inputs = "a cat" }).status)
    assert.equal(400, send(sim, "POST", "/paused-1.eu.aws.endpoints.huggingface.cloud", { inputs = "a cat" }).status)
    assert.equal(409, send(sim, "POST", "/api.runpod.ai/v2/paused1/run", { input = {} }).status)
    assert.equal(404, sim:get("/example.com/").status)
  end)
end)

-- Webhooks -----------------------------------------------------------------------------------------------------------------

local function write_file(bytes)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(bytes)
  file:close()
  return name
end

local function unhex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function shell(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local out = pipe:read("a")
  return out, pipe:close()
end

local function base64(text, arguments)
  local name = write_file(text)
  local out = shell("openssl base64 -A " .. (arguments or "") .. " -in " .. name)
  os.remove(name)
  return out
end

local function hmac(hex_key, text)
  local name = write_file(text)
  local out = shell(("openssl dgst -sha256 -mac HMAC -macopt hexkey:%s -binary %s | openssl base64 -A"):format(hex_key, name))
  os.remove(name)
  return out
end

local function verifies(public, message, signature)
  local key = write_file(unhex("302a300506032b6570032100") .. public)
  local text, sign = write_file(message), write_file(unhex(signature))
  local _, ok = shell(("openssl pkeyutl -verify -pubin -keyform DER -inkey %s -rawin -in %s -sigfile %s"):format(key, text, sign))
  for _, name in ipairs { key, text, sign } do os.remove(name) end
  return ok == true
end

local function sha256(text)
  local name = write_file(text)
  local out = shell("openssl dgst -sha256 -r " .. name):match("^%x+")
  os.remove(name)
  return out
end

local function fal_message(headers, body)
  return table.concat({ headers["x-fal-webhook-request-id"], headers["x-fal-webhook-user-id"], headers["x-fal-webhook-timestamp"],
    sha256(body) }, "\n")
end

local function receive(server)
  server:settimeout(60)
  local client = assert(server:accept())
  client:settimeout(60)
  local headers = {}
  client:receive("*l")
  for line in function() return client:receive("*l") end do
    if line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    headers[name:lower()] = value
  end
  local body = client:receive(tonumber(headers["content-length"]))
  client:send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
  client:close()
  return headers, body
end

describe("webhooks of the simulator", function()
  local sim, server, url
  setup(function() sim = simulate() end)
  before_each(function()
    server = assert(socket.bind("127.0.0.1", 0))
    url = ("http://127.0.0.1:%d/hook?token=secret"):format(select(2, server:getsockname()))
  end)
  after_each(function() server:close() end)

  it("of Replicate verify with its secret, as the contract's vectors do", function()
    local secret = send(sim, "GET", "/api.replicate.com/v1/webhooks/default/secret").json.key
    local raw = base64(secret:gsub("^whsec_", ""), "-d")
    local key = raw:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    assert.equal("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      hmac(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'))
    local made = send(sim, "POST", "/api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions",
      { input = { prompt = "a cat" }, webhook = url, webhook_events_filter = { "completed" } })
    local headers, body = receive(server)
    assert.equal("v1," .. hmac(key, headers["webhook-id"] .. "." .. headers["webhook-timestamp"] .. "." .. body),
      headers["webhook-signature"])
    assert.equal(made.json.id, cjson.decode(body).id)
    assert.equal("succeeded", cjson.decode(body).status)
  end)

  it("of fal verify with its published key, as the contract's vector does", function()
    local x = sim:get("/rest.fal.ai/.well-known/jwks.json").json.keys[1].x:gsub("-", "+"):gsub("_", "/")
    local public = base64(x .. "=", "-d")
    for _, case in ipairs(contract.cases("fal")) do
      if case.name:find("^webhook delivery") and case.request.body_raw then
        local message = fal_message(case.request.headers, case.request.body_raw)
        assert.equal(case.response.status == 200, verifies(public, message, case.request.headers["x-fal-webhook-signature"]),
          case.name)
      end
    end
    local made = send(sim, "POST", "/queue.fal.run/fal-ai/flux/schnell?fal_webhook=" .. url:gsub("[^%w]", function(c)
      return ("%%%02X"):format(c:byte())
    end), { prompt = "a cat" })
    local headers, body = receive(server)
    assert.is_true(verifies(public, fal_message(headers, body), headers["x-fal-webhook-signature"]))
    assert.is_false(verifies(public, fal_message(headers, body .. " "), headers["x-fal-webhook-signature"]))
    assert.equal(made.json.request_id, cjson.decode(body).request_id)
    assert.equal("OK", cjson.decode(body).status)
  end)

  it("of RunPod and Luma are unsigned and say what a poll says", function()
    local made = send(sim, "POST", "/api.runpod.ai/v2/abc/run", { input = { prompt = "x", width = 8, height = 8 },
      webhook = url })
    local _, body = receive(server)
    assert.equal("COMPLETED", cjson.decode(body).status)
    assert.equal(made.json.id, cjson.decode(body).id)
    send(sim, "POST", "/api.lumalabs.ai/dream-machine/v1/generations", { model = "ray-2", prompt = "a cat", callback_url = url })
    local states = {}
    for i = 1, 2 do states[i] = cjson.decode(select(2, receive(server))).state end
    assert.same({ "dreaming", "completed" }, states)
  end)
end)

-- Faults -------------------------------------------------------------------------------------------------------------------

local function submit(sim)
  return pcall(send, sim, "POST", "/queue.fal.run/fal-ai/flux/schnell", { prompt = "a cat" })
end

local function journal(sim, query)
  return sim:get("/journal" .. (query or "")).json
end

local function pattern(sim, count)
  local out = {}
  for i = 1, count do
    local ok, answer = submit(sim)
    out[i] = ok and (answer.status == 200 and "." or "x") or "r"
  end
  return table.concat(out)
end

-- kind, whether an answer comes, its status, and whether the vendor made the job.
local KINDS = {
  { "reset_before", false, nil, false }, { "reset_after", false, nil, true }, { "429", true, 429, false }, { "5xx", true, nil,
    false },
  { "truncated", false, nil, true }, { "out_of_credit", true, 403, false }, { "never_ending", true, 200, true },
  { "moderated", true, 200, true }, { "slow", true, 200, true },
}

describe("faults of the simulator", function()
  for _, kind in ipairs(KINDS) do
    it(kind[1] .. " strikes one provider at its rate, and the journal says so", function()
      local sim = simulate("--fault", "fal:" .. kind[1] .. ":1", "--slow", "50")
      for _ = 1, 3 do
        local ok, answer = submit(sim)
        assert.equal(kind[2], ok, answer.body)
        if kind[3] then assert.equal(kind[3], answer.status) end
      end
      assert.equal(200, send(sim, "POST", "/api.runpod.ai/v2/abc/run", { input = {} }).status)
      local seen = journal(sim, "?provider=fal")
      assert.equal(3, #seen.requests)
      for _, entry in ipairs(seen.requests) do
        assert.equal(kind[1], entry.fault)
        assert.equal(kind[4], entry.paid)
      end
      assert.equal(kind[4] and 4 or 1, seen.paid)
      assert.equal(kind[4] and 4 or 1, #sim:get("/jobs").json.jobs)
    end)
  end

  it("wrong_json gives an answer that is not the vendor's", function()
    local sim = simulate("--fault", "*:wrong_json:1:POST")
    local ok, answer = submit(sim)
    assert.is_true(not ok or answer.json.request_id == nil)
    assert.equal(true, journal(sim).requests[1].paid)
  end)

  it("echo and echo_refusal have the credential in the answer; only the first is a job", function()
    for fault, status in pairs { echo = 200, echo_refusal = 400 } do
      local sim = simulate("--fault", "*:" .. fault .. ":1:POST")
      local ok, answer = submit(sim)
      assert.is_true(ok)
      assert.equal(status, answer.status)
      assert.is_truthy(answer.body:find(KEYS.fal, 1, true), answer.body)
      assert.equal(status == 200, journal(sim).requests[1].paid)
    end
  end)

  it("never ending and moderated jobs are so when looked at", function()
    local sim = simulate("--fault", "runway:moderated:1", "--fault", "luma:never_ending:1")
    local task = send(sim, "POST", "/api.dev.runwayml.com/v1/text_to_video",
      { model = "gen4.5", promptText = "a cat", ratio = "720:1280", duration = 4 }).json.id
    local luma = send(sim, "POST", "/api.lumalabs.ai/dream-machine/v1/generations", { model = "ray-2", prompt = "a cat" }).json.id
    local failed = eventually(sim, function() return send(sim, "GET", "/api.dev.runwayml.com/v1/tasks/" .. task) end,
      function(answer) return answer.json.status == "FAILED" end)
    assert.equal("SAFETY.INPUT.TEXT", failed.json.failureCode)
    assert.equal("dreaming", send(sim, "GET", "/api.lumalabs.ai/dream-machine/v1/generations/" .. luma).json.state)
  end)

  it("follow from the seed", function()
    local first = pattern(simulate("--fault", "fal:5xx:0.3", "--fault", "fal:reset_after:0.2", "--seed", "7"), 40)
    local second = pattern(simulate("--fault", "fal:5xx:0.3", "--fault", "fal:reset_after:0.2", "--seed", "7"), 40)
    local third = pattern(simulate("--fault", "fal:5xx:0.3", "--fault", "fal:reset_after:0.2", "--seed", "8"), 40)
    assert.equal(first, second)
    assert.not_equal(first, third)
    assert.is_truthy(first:find("x") and first:find("r") and first:find(".", 1, true))
  end)

  it("that nobody knows, and addresses beyond loopback, are refused", function()
    for _, arguments in ipairs { { "--fault", "fal:nonsense:1" }, { "--fault", "nobody:429:1" }, { "--fault", "fal:429:2" },
      { "--listen", "0.0.0.0:0" }, { "--listen", "192.168.0.1:9101" }, { "--seed", "x" }, { "--nonsense", "1" } } do
      local code, _, err = host.run { "simulate", table.unpack(arguments) }
      assert.equal(64, code, table.concat(arguments, " "))
      assert.is_truthy(err:find("providerd simulate: ", 1, true))
    end
  end)

  teardown(function()
    for _, sim in ipairs(running) do sim:remove() end
  end)
end)

-- The journal --------------------------------------------------------------------------------------------------------------

describe("the journal of the simulator", function()
  it("counts submits, masks what is secret, and can be cleared", function()
    local folder = shell("mktemp -d"):match("%S+")
    local sim = simulate("--journal", folder .. "/journal")
    local secrets = { "r8_planted1", "planted2:planted3", "wk-planted4", "planted5", "planted6" }
    send(sim, "POST", "/api.replicate.com/v1/predictions", { version = ("a"):rep(64), input = { prompt = "first" } },
      { Authorization = "Bearer r8_planted1" })
    send(sim, "POST", "/queue.fal.run/fal-ai/flux/schnell?fal_webhook=http%3A%2F%2F127.0.0.1%3A1%2Fplanted6",
      { prompt = "second" },
      { Authorization = "Key planted2:planted3" })
    send(sim, "POST", "/acme--app-make.modal.run/accept", { prompt = "third" },
      { Authorization = false, ["Modal-Key"] = "wk-planted4", ["Modal-Secret"] = "ws-planted5" })
    http.request(sim.port, "GET", "/devapi.pika.art/videos/none", nil, { ["X-API-KEY"] = "planted5" })
    local text = sim:get("/journal").body
    local file = assert(io.open(folder .. "/journal")):read("a")
    for _, secret in ipairs(secrets) do
      assert.is_nil(text:find(secret, 1, true), secret)
      assert.is_nil(file:find(secret, 1, true), secret)
    end
    local seen = cjson.decode(text)
    assert.same({ 4, 3 }, { seen.seen, seen.paid })
    assert.equal(4, select(2, file:gsub("\n", "")))
    local prompts = {}
    for i, entry in ipairs(journal(sim, "?paid=1").requests) do prompts[i] = entry.prompt end
    assert.same({ "first", "second", "third" }, prompts)
    assert.same({ "Bearer ***", "Key ***", "Modal-Key ***", "X-API-KEY ***" }, { seen.requests[1].credential,
      seen.requests[2].credential, seen.requests[3].credential, seen.requests[4].credential })
    assert.equal(200, sim:request("DELETE", "/journal").status)
    assert.equal(0, journal(sim).seen)
    sim:remove()
    shell("rm -rf " .. folder)
    running[#running] = nil
  end)
end)
