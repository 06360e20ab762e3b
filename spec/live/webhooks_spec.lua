-- Vendors' webhooks: who may deliver, what a delivery does to its job, and what it must not do.
local cjson = require "cjson"
local shell = require "spec.support.shell"
local signer = require "spec.support.signer"
local support = require "spec.support.live"

local SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" -- the simulator's
local SEED = ""
for byte = 0, 31 do SEED = SEED .. string.char(byte) end

-- The path under which a vendor was told to deliver, made anew from the key of the host.
local function path_of(host, provider, job_id, key)
  local id = signer.unhex((job_id:gsub("-", "")))
  local mac = signer.hmac_sha256(key or shell.setting(host, "webhook.key"), "providerd webhook|" .. provider .. "|" .. id)
  return "/api/webhooks/" .. provider .. "/" .. signer.hex(id) .. signer.hex(mac):sub(1, 32)
end

local function with_public_url(live)
  live.settings.live.public_url = "http://127.0.0.1:" .. live.host.port .. "/"
  live.host:write("config/comfyvn.json", cjson.encode(live.settings))
  live.host:eventually(function() -- what is submitted before it is read has no webhook
    return live.host:get("/api/host").json.config.live.public_url == live.settings.live.public_url
  end)
end

local function start(options)
  local live = support.start(options)
  with_public_url(live)
  return live
end

local function deliver(live, path, body, headers)
  headers = headers or {}
  headers["Content-Type"] = "application/json"
  return live.host:request("POST", path, body, headers)
end

local function prediction(id, status)
  return cjson.encode { id = id, status = status, version = "hidden", input = { prompt = "p" }, error = cjson.null,
    output = status == "succeeded" and { "https://replicate.delivery/xezq/abc/out-0.webp" } or cjson.null,
    metrics = { predict_time = 0.9 }, urls = { get = "https://api.replicate.com/v1/predictions/" .. id } }
end

local function sent(live, provider)
  local job_id = live:job(provider)
  return job_id, live.host:eventually(function()
    local job = live:status(job_id)
    return job.status == "running" and job.vendor_id
  end)
end

describe("a vendor's webhook", function()
  local live
  setup(function() live = start { simulate = { "--fault", "replicate:never_ending:1", "--fault", "fal:never_ending:1" } } end)
  teardown(function() live:remove() end)

  it("ends its job", function()
    local job_id, vendor_id = sent(live, "replicate")
    local body = prediction(vendor_id, "succeeded")
    local answer = deliver(live, path_of(live.host, "replicate", job_id), body, signer.replicate(SECRET, body))
    assert.equal(200, answer.status, answer.body)
    assert.same({ ok = true }, answer.json)
    assert.equal("done", live:ended(job_id).status)
  end)

  it("ends its job (fal)", function()
    local job_id, vendor_id = sent(live, "fal")
    local body = cjson.encode { request_id = vendor_id, gateway_request_id = vendor_id, status = "OK", payload = {
      images = { { url = "https://v3.fal.media/files/a/b.png", content_type = "image/png", width = 512, height = 512 } },
      seed = 7, has_nsfw_concepts = { false }, prompt = "p" } }
    local answer = deliver(live, path_of(live.host, "fal", job_id), body, signer.fal(SEED, body, vendor_id))
    assert.equal(200, answer.status, answer.body)
    assert.equal("done", live:ended(job_id).status)
  end)

  it("does nothing more when it comes again, late, or with other news", function()
    local job_id, vendor_id = sent(live, "replicate")
    local path = path_of(live.host, "replicate", job_id)
    local body = prediction(vendor_id, "succeeded")
    local headers = signer.replicate(SECRET, body)
    assert.equal(200, deliver(live, path, body, headers).status)
    live:ended(job_id)
    live.host:eventually(function() return live:status(job_id).money.spent_usd end)
    local first = live:status(job_id)
    assert.equal(200, deliver(live, path, body, headers).status)
    for _, status in ipairs { "processing", "failed", "canceled" } do
      local later = prediction(vendor_id, status)
      assert.equal(200, deliver(live, path, later, signer.replicate(SECRET, later)).status)
    end
    require("socket").sleep(0.3)
    assert.same(first, live:status(job_id))
  end)

  it("of another prediction changes nothing", function()
    local job_id = sent(live, "replicate")
    local body = prediction("another", "succeeded")
    assert.equal(200, deliver(live, path_of(live.host, "replicate", job_id), body, signer.replicate(SECRET, body)).status)
    require("socket").sleep(0.5)
    assert.equal("running", live:status(job_id).status)
  end)

  describe("is refused", function()
    local job_id, vendor_id, path, body
    setup(function()
      job_id, vendor_id = sent(live, "replicate")
      path, body = path_of(live.host, "replicate", job_id), prediction(vendor_id, "succeeded")
    end)

    after_each(function() assert.equal("running", live:status(job_id).status) end)

    local function refused(status, sent_body, headers, other_path)
      local answer = deliver(live, other_path or path, sent_body, headers)
      assert.equal(status, answer.status, answer.body)
      assert.equal(status, answer.json.status)
      return answer
    end

    it("without a signature", function() refused(401, body) end)

    it("with a signature of another body", function()
      refused(401, prediction(vendor_id, "failed"), signer.replicate(SECRET, body))
    end)

    it("with a signature of another secret", function()
      refused(401, body, signer.replicate("whsec_" .. require("mime").b64(("x"):rep(24)), body))
    end)

    it("when it is old, or of the future", function()
      refused(401, body, signer.replicate(SECRET, body, "msg_1", os.time() - 310))
      refused(401, body, signer.replicate(SECRET, body, "msg_2", os.time() + 310))
    end)

    it("when its id was changed", function()
      local headers = signer.replicate(SECRET, body, "msg_3")
      headers["webhook-id"] = "msg_4"
      refused(401, body, headers)
    end)

    it("when it is no JSON", function()
      local answer = live.host:request("POST", path, body, { ["Content-Type"] = "text/plain" })
      assert.equal(415, answer.status)
    end)

    it("when it is larger than a vendor's could be", function()
      local head = "POST /api/webhooks/replicate/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" ..
        "Content-Length: %d\r\nExpect: 100-continue\r\n\r\n"
      local largest = 2 * 1024 * 1024
      local refusal = live.host:raw(head:format(largest + 1), { timeout = 2 })
      assert.is_truthy(refusal:find("^HTTP/1.1 413"))
      assert.matches("a vendor's delivery may be: 2097152 bytes, a fixed limit", refusal, 1, true)
      assert.is_truthy(live.host:raw(head:format(largest), { timeout = 1 }):find("^HTTP/1.1 100"))
    end)

    it("with a token that was not given out, in the same words whatever is wrong with it", function()
      local headers = signer.replicate(SECRET, body)
      local token = path:match("[^/]+$")
      local wrong = {
        path:sub(1, -2) .. (path:sub(-1) == "0" and "1" or "0"), "/api/webhooks/replicate/" .. token:sub(1, 32),
        "/api/webhooks/replicate/" .. ("0"):rep(64), "/api/webhooks/replicate/" .. token .. "00",
        "/api/webhooks/replicate/" .. token:upper():gsub("%d", "A"), "/api/webhooks/replicate/x",
        "/api/webhooks/fal/" .. token, "/api/webhooks/pika/" .. token, "/api/webhooks/nobody/" .. token,
        "/api/webhooks/replicate.com/" .. token, "/api/webhooks/REPLICATE/" .. token,
        path_of(live.host, "replicate", job_id, ("k"):rep(32)),
      }
      local detail
      for _, other in ipairs(wrong) do
        local answer = refused(404, body, headers, other)
        detail = detail or answer.json.detail
        assert.equal(detail, answer.json.detail)
      end
    end)

    it("by GET", function()
      local answer = live.host:get(path)
      assert.equal(405, answer.status)
      assert.equal("POST", answer.headers["allow"])
    end)
  end)

  it("needs no API key and comes by the public name, which opens nothing else", function()
    local settings = cjson.decode(cjson.encode(live.settings))
    settings.live.public_url = "https://hooks.studio.example/here"
    settings.server.api_keys = { { name = "ci", sha256 = signer.hex(signer.sha256("secret-key")) } }
    live.host:write("config/comfyvn.json", cjson.encode(settings))
    live.host:eventually(function() return live.host:get("/api/jobs/list").status == 401 end)
    local path = "/api/webhooks/replicate/" .. ("0"):rep(64)
    assert.equal(404, deliver(live, path, "{}", { Host = "hooks.studio.example" }).status)
    assert.equal(404, deliver(live, path, "{}", { Host = "HOOKS.studio.example:443" }).status)
    assert.equal(421, deliver(live, path, "{}", { Host = "studio.example" }).status)
    assert.equal(421, live.host:get("/api/jobs/list", { Host = "hooks.studio.example" }).status)
    live.host:write("config/comfyvn.json", cjson.encode(live.settings))
    live.host:eventually(function() return live.host:get("/api/jobs/list").status == 200 end)
  end)

  it("is not taken without live.public_url", function()
    local job_id, vendor_id = sent(live, "replicate")
    local body = prediction(vendor_id, "succeeded")
    local settings = cjson.decode(cjson.encode(live.settings))
    settings.live.public_url = nil
    live.host:write("config/comfyvn.json", cjson.encode(settings))
    live.host:eventually(function()
      local path = path_of(live.host, "replicate", job_id)
      return deliver(live, path, body, signer.replicate(SECRET, body)).status == 404
    end)
    with_public_url(live)
  end)

  it("has a key that outlives the host", function()
    local key = shell.setting(live.host, "webhook.key")
    assert.equal(32, #key)
    live.host:stop()
    live.host:start_again()
    assert.equal(key, shell.setting(live.host, "webhook.key"))
  end)
end)

describe("a vendor's webhook, end to end", function()
  local live
  setup(function() live = start { simulate = { "--job-time", "800" } } end)
  teardown(function() live:remove() end)

  for _, provider in ipairs { "replicate", "fal", "pika", "runpod" } do
    it("of " .. provider .. " is delivered and taken", function()
      local job_id = live:job(provider)
      assert.equal("done", live:ended(job_id).status)
      local delivered = live.host:eventually(function()
        for _, delivery in ipairs(live.simulator:get("/journal").json.deliveries) do
          if delivery.provider == provider then return delivery end
        end
      end)
      assert.equal(200, delivered.status)
    end)
  end

  it("asks the vendor for its keys once, whatever comes", function()
    local asked = {}
    for _, request in ipairs(live.simulator:get("/journal").json.requests) do
      local name = request.host .. request.path
      asked[name] = (asked[name] or 0) + 1
    end
    assert.equal(1, asked["api.replicate.com/v1/webhooks/default/secret"])
    assert.is_true(asked["rest.fal.ai/.well-known/jwks.json"] <= 2) -- fal's, and Pika's through fal
  end)

  it("shows the place of its token in a dry run", function()
    local answer = live.host:post("/api/providers/image/fal/submit", { prompt = "a cat" })
    local shown = answer.json.upstream.url:match("fal_webhook=([^&]+)"):gsub("%%(%x%x)", signer.unhex)
    assert.equal("http://127.0.0.1:" .. live.host.port .. "/api/webhooks/fal/{webhook_token}", shown)
  end)
end)

describe("keys of a vendor", function()
  it("that cannot be fetched make it try again later", function()
    local live = start { simulate = { "--fault", "replicate:5xx:1:GET" } }
    local job_id = live:job("replicate")
    live.host:eventually(function() return live:status(job_id).vendor_id end)
    local body = prediction("any", "succeeded")
    local answer = deliver(live, path_of(live.host, "replicate", job_id), body, signer.replicate(SECRET, body))
    assert.equal(503, answer.status)
    assert.is_truthy(answer.headers["retry-after"])
    live:remove()
  end)

  it("come from the secrets file when they are there, and are never shown", function()
    local mine = "whsec_" .. require("mime").b64(("plantedwebhook"):rep(2))
    local secrets = cjson.decode(cjson.encode(support.SECRETS))
    secrets.replicate.webhook_secret = mine
    local live = start { simulate = { "--fault", "replicate:never_ending:1" }, secrets = secrets }
    local job_id, vendor_id = sent(live, "replicate")
    local body = prediction(vendor_id, "succeeded")
    local path = path_of(live.host, "replicate", job_id)
    assert.equal(401, deliver(live, path, body, signer.replicate(SECRET, body)).status)
    assert.equal(200, deliver(live, path, body, signer.replicate(mine, body)).status)
    assert.equal("done", live:ended(job_id).status)
    for _, request in ipairs(live.simulator:get("/journal").json.requests) do
      assert.is_not.equal("/v1/webhooks/default/secret", request.path)
    end
    assert.is_nil(live.host:log():find("plantedwebhook", 1, true))
    assert.is_nil(live.host:log():find(path:match("[^/]+$"), 1, true))
    live:remove()
  end)
end)

describe("a signing secret", function()
  local host, vendor

  local SCRIPT = [[
    local function nothing() return { status = "done" } end
    return { id = "custom", kind = "gpu", capabilities = {}, pricing = { as_of = "2026-11-25", source = "none" },
      base_url = "https://api.custom.example", health = nothing, submit = nothing, poll = nothing, webhook = nothing,
      webhook_signature = { scheme = "standard-webhooks", secret = { path = "/secret", field = "key" } } }
  ]]

  local function secret_of(letter)
    return "whsec_" .. require("mime").b64(letter:rep(24))
  end

  local function start_both(env)
    vendor = require("spec.support.host").start { program = "lua5.4", arguments = { "spec/support/receiver.lua" }, config = "" }
    host = require("spec.support.host").start { scripts = true, files = { ["providers/gpu_custom.lua"] = SCRIPT }, env = env,
      config = { live = { public_url = "https://studio.example",
        providers = { custom = { base_url = "http://127.0.0.1:" .. vendor.port } } } } }
  end

  local function remove_both()
    host:remove()
    vendor:kill()
    vendor:remove()
  end

  local function status(secret)
    local path = path_of(host, "custom", "01a212ef-827c-7000-aa87-d4d4b0c2f821") -- no such job: nothing to do, and no error
    local headers = signer.replicate(secret, "{}", "msg_" .. math.random(1e9))
    headers["Content-Type"] = "application/json"
    return host:request("POST", path, "{}", headers).status
  end

  local function asked()
    return #vendor:get("/received").json.received
  end

  it("is asked for when it is needed, and not again for each delivery that it does not fit", function()
    start_both()
    finally(remove_both)
    assert.equal(0, asked())
    assert.equal(503, status(secret_of("a"))) -- the vendor has none yet
    assert.equal(1, asked())
    assert.equal(503, status(secret_of("a"))) -- and is left alone for some seconds
    assert.equal(1, asked())
    vendor:post("/control", { secret = secret_of("a") })
    vendor:eventually(function() return status(secret_of("a")) == 200 end)
    assert.equal(2, asked())
    for _ = 1, 10 do
      assert.equal(401, status(secret_of("b")))
      assert.equal(200, status(secret_of("a")))
    end
    assert.equal(2, asked())
  end)

  it("is asked for only by deliveries that could be good", function()
    start_both()
    finally(remove_both)
    assert.equal(401, host:request("POST", path_of(host, "custom", "01a212ef-827c-7000-aa87-d4d4b0c2f821"), "{}",
      { ["Content-Type"] = "application/json" }).status)
    assert.equal(404, host:request("POST", "/api/webhooks/custom/" .. ("0"):rep(64), "{}",
      { ["Content-Type"] = "application/json" }).status)
    assert.equal(0, asked())
    assert.is_nil(host:log():find("whsec", 1, true))
  end)

  describe("that the vendor changes", function()
    local clock
    before_each(function()
      clock = require("spec.support.clock").new()
      if not clock then return end
      start_both(clock.env)
      vendor:post("/control", { secret = secret_of("a") })
      assert.equal(200, status(secret_of("a")))
      vendor:post("/control", { secret = secret_of("b") })
    end)
    after_each(function()
      if not clock then return end
      remove_both()
      clock:remove()
    end)

    it("is asked for again by a delivery that it does not fit, once in a minute", function()
      if not clock then return pending("not under a sanitizer") end
      clock:monotonic(30)
      assert.equal(401, status(secret_of("b")))
      assert.equal(1, asked())
      clock:monotonic(61)
      assert.equal(200, status(secret_of("a"))) -- fits, so nobody asks
      assert.equal(1, asked())
      assert.equal(200, status(secret_of("b")))
      assert.equal(2, asked())
      for _ = 1, 3 do assert.equal(401, status(secret_of("a"))) end
      assert.equal(2, asked())
      clock:monotonic(122)
      assert.equal(401, status(secret_of("a")))
      assert.equal(200, status(secret_of("b")))
      assert.equal(3, asked())
    end)

    it("stays in use while the vendor cannot be asked, and what does not fit it is to come again", function()
      if not clock then return pending("not under a sanitizer") end
      vendor:post("/control", {})
      clock:monotonic(61)
      assert.equal(503, status(secret_of("b")))
      assert.equal(200, status(secret_of("a")))
      assert.equal(2, asked())
      vendor:post("/control", { secret = secret_of("b") })
      assert.equal(503, status(secret_of("b")))
      assert.equal(2, asked())
      clock:monotonic(122)
      assert.equal(200, status(secret_of("b")))
      assert.equal(3, asked())
    end)

    it("is asked for again after a day, though it fits", function()
      if not clock then return pending("not under a sanitizer") end
      clock:monotonic(86401)
      assert.equal(401, status(secret_of("a")))
      assert.equal(200, status(secret_of("b")))
      assert.equal(2, asked())
    end)
  end)
end)
