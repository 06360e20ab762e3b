-- Any host answers for any job: what concerns a job of another host is done by that one, and answered as if it were one's own.
local cjson = require "cjson"
local hosts = require "spec.support.hosts"
local postgres = require "spec.support.postgres"
local signer = require "spec.support.signer"
local socket = require "socket"

local SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" -- the simulator's

postgres.describe("a job of another host", function()
  local all, here, there
  setup(function()
    all = hosts.start { config = function(config)
      config.registry.lease_seconds = 3
      config.live.public_url = "http://127.0.0.1:9/"
    end, simulate = { "--fault", "replicate:never_ending:1", "--fault", "runway:reset_after:1" } }
    here, there = all[2], all[1] -- asked here, of jobs there
  end)
  teardown(function() all:remove() end)

  local function running()
    local job = there:job("replicate")
    there:becomes(job, "running")
    return job
  end

  local function unknown()
    local job = there:job("runway")
    there:becomes(job, "unknown")
    return job
  end

  it("is canceled", function()
    local job = running()
    local answer = here.host:post("/api/jobs/" .. job .. "/cancel")
    assert.equal(200, answer.status, answer.body)
    assert.equal("canceled", answer.json.status)
    assert.equal("0", all:sql("SELECT count(*) FROM ask"):match("%d+"))
  end)

  it("has its files there, where each host has a folder of its own, and it is said that they may be there", function()
    local job = there:job("fal")
    there:ended(job)
    assert.equal(200, there.host:get("/api/jobs/" .. job .. "/artifacts/0").status)
    local answer = here.host:get("/api/jobs/" .. job .. "/artifacts/0")
    assert.equal(410, answer.status)
    assert.matches("or another host fetched it into one of its own", answer.json.detail, 1, true)
    local function picture(host)
      return host:post("/live/v1/images/generations", { model = "fal", prompt = "a", max_cost_usd = 0.1 },
        { ["Idempotency-Key"] = "p" })
    end
    assert.equal(200, picture(there.host).status)
    local lost = picture(here.host)
    assert.equal(424, lost.status)
    assert.matches("or another host fetched it", lost.json.error.message, 1, true)
    assert.matches("or another host fetched it", here.host:get("/api/artifacts").json.artifacts[1].error, 1, true)
  end)

  it("is not canceled while its outcome is unknown, for the reason that its own host gives", function()
    local answer = here.host:post("/api/jobs/" .. unknown() .. "/cancel")
    assert.equal(409, answer.status, answer.body)
    assert.equal("its outcome is not known: POST .../resolve says what became of it", answer.json.detail)
  end)

  it("is asked for at its vendor", function()
    local job = running()
    local function polls()
      local count = 0
      for _, request in ipairs(all.simulator:get("/journal").json.requests) do
        if request.provider == "replicate" and request.method == "GET" then count = count + 1 end
      end
      return count
    end
    for _ = 1, 3 do
      local before = polls()
      local answer = here.host:post(here:path("replicate", "poll"), { job_id = job, refresh = true })
      assert.equal(200, answer.status, answer.body)
      assert.is_true(polls() > before)
    end
  end)

  it("is resolved, once", function()
    local job = unknown()
    local answer = here.host:post("/api/jobs/" .. job .. "/resolve", { status = "done", cost_usd = 0.25 })
    assert.equal(200, answer.status, answer.body)
    assert.equal("done", answer.json.status)
    assert.equal(0.25, there:status(job).money.spent_usd)
    assert.equal(409, here.host:post("/api/jobs/" .. job .. "/resolve", { status = "done", cost_usd = 1 }).status)
  end)

  it("that has ended meanwhile, or is none, is said so", function()
    local job = there:job("fal")
    there:ended(job)
    assert.equal(409, here.host:post("/api/jobs/" .. job .. "/cancel").status)
    assert.equal(404, here.host:post("/api/jobs/01a22c45-faf5-7000-9365-2d57e4ed453c/cancel").status)
  end)

  describe("hears its vendor's webhook", function()
    local function path_of(job)
      local id = signer.unhex((job:gsub("-", "")))
      local key = signer.unhex((all:sql("SELECT value FROM setting WHERE name = 'webhook.key'"):gsub("%s", "")))
      local mac = signer.hmac_sha256(key, "providerd webhook|replicate|" .. id)
      return "/api/webhooks/replicate/" .. signer.hex(id) .. signer.hex(mac):sub(1, 32)
    end

    local function prediction(id, status)
      return cjson.encode { id = id, status = status, version = "hidden", input = { prompt = "p" }, error = cjson.null,
        output = { "https://replicate.delivery/xezq/abc/out-0.webp" }, metrics = { predict_time = 0.9 },
        urls = { get = "https://api.replicate.com/v1/predictions/" .. id } }
    end

    local function deliver(to, job, body, id)
      local headers = signer.replicate(SECRET, body, id)
      headers["Content-Type"] = "application/json"
      return to.host:request("POST", path_of(job), body, headers)
    end

    it("wherever it comes", function()
      local job = running()
      local body = prediction(there:status(job).vendor_id, "succeeded")
      assert.equal(200, deliver(here, job, body).status)
      assert.equal("done", there:ended(job).status)
    end)

    it("once, at whichever hosts it comes", function()
      local job = running()
      local body = prediction(there:status(job).vendor_id, "processing")
      for _, to in ipairs { here, there, here } do assert.equal(200, deliver(to, job, body, "msg_same").status) end
      assert.equal("1", all:sql("SELECT count(*) FROM webhook_seen JOIN task USING (sequence) WHERE id = '\\x"
        .. job:gsub("-", "") .. "'"):match("%d+"))
      assert.equal("running", there:status(job).status)
    end)
  end)

  it("is canceled by the host that takes it over, when its own does not answer", function()
    local job = running()
    there.host:signal("STOP")
    local from = socket.gettime()
    local answer = here.host:post("/api/jobs/" .. job .. "/cancel")
    assert.equal(200, answer.status, answer.body)
    assert.is_true(socket.gettime() - from < 60)
    there.host:signal("CONT")
    there.host:eventually(function() return there.host:log():find("host.fenced", 1, true) end)
    assert.equal("canceled", there:status(job).status)
  end)
end)
