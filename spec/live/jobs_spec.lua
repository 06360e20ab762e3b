-- Live jobs through the REST API, against the simulator: each vendor's job is sent once, followed to its end, and told as it is.
local registry = require "spec.support.registry"
local support = require "spec.support.live"

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

describe("a live job", function()
  local live

  setup(function() live = support.start { hurry = 8 } end)
  teardown(function() live:remove() end)

  for id in pairs(support.JOBS) do
    it("of " .. id .. " is queued, sent once, done and settled", function()
      local before = live:paid(id)
      local answer = live:submit(id)
      assert.equal(202, answer.status, answer.body)
      local job_id = answer.json.job_id
      assert.equal("/api/jobs/status/" .. job_id, answer.headers["location"])
      assert.equal("queued", answer.json.status)
      assert.is_false(answer.json.dry_run)
      assert.same({ enabled = true, missing = {} }, answer.json.live)
      assert.is_true(answer.json.money.reserved_usd > 0)
      assert.is_nil(answer.json.money.spent_usd)
      local job = live:ended(job_id)
      assert.equal("done", job.status, tostring(job.reason))
      assert.is_false(job.dry_run)
      assert.is_number(job.money.spent_usd)
      assert.is_string(job.money.basis)
      assert.equal(before + 1, live:paid(id))
    end)
  end

  it("previews the very request that is sent", function()
    local answer = live:submit("replicate")
    live:ended(answer.json.job_id)
    local seen
    for _, request in ipairs(live.simulator:get("/journal").json.requests) do
      if request.provider == "replicate" and request.paid then seen = request end
    end
    assert.equal(seen.method, answer.json.upstream.method)
    assert.equal("https://" .. seen.host .. seen.path, answer.json.upstream.url)
  end)

  it("waits for its end when asked to", function()
    local answer = live:submit("stability", nil, { Prefer = "wait=30" })
    assert.equal(200, answer.status, answer.body)
    assert.equal("wait", answer.headers["preference-applied"])
    assert.equal("done", answer.json.status)
  end)

  it("is told by poll from the registry, and asked for at once with refresh", function()
    local job_id = live:job("runway")
    local answer = live.host:post(live:path("runway", "poll"), { job_id = job_id })
    assert.equal(200, answer.status)
    assert.equal(job_id, answer.json.job_id)
    assert.is_false(answer.json.dry_run)
    live:ended(job_id)
    answer = live.host:post(live:path("runway", "poll"), { job_id = job_id, refresh = true })
    assert.equal("done", answer.json.status)
  end)

  it("says when it may be expected once there is a history", function()
    live:ended(live:job("luma"))
    local job_id = live:job("luma")
    local eta = live.host:eventually(function()
      local job = live:status(job_id)
      return job.eta or (job.status == "done" and "missed")
    end)
    assert.is_table(eta)
    assert.is_true(eta.jobs >= 1)
    live:ended(job_id)
  end)

  it("with an idempotency key is sent once", function()
    local before = live:paid("fal")
    local first = live:submit("fal", nil, { ["Idempotency-Key"] = "live-1" })
    local second = live:submit("fal", nil, { ["Idempotency-Key"] = "live-1" })
    assert.equal(202, second.status)
    assert.equal("true", second.headers["idempotent-replayed"])
    assert.equal(first.json.job_id, second.json.job_id)
    live:ended(first.json.job_id)
    assert.equal(before + 1, live:paid("fal"))
    assert.equal(409, live:submit("fal", { prompt = "another" }, { ["Idempotency-Key"] = "live-1" }).status)
  end)

  it("stays a dry run when it does not ask to be live, or its price is not known", function()
    local before = live:paid()
    local answer = live.host:post(live:path("fal", "submit"), { prompt = "a cat" })
    assert.equal(200, answer.status)
    assert.is_true(answer.json.dry_run)
    local job = { job = support.JOBS.runpod.job, dry_run = false }
    answer = live.host:post(live:path("runpod", "submit"), job)
    assert.equal(200, answer.status)
    assert.is_true(answer.json.dry_run)
    assert.is_truthy(table.concat(answer.json.live.missing, "\n"):find("max_cost_usd", 1, true))
    assert.equal(before, live:paid())
  end)

  it("is refused when it may cost more than it says", function()
    local answer = live:submit("luma", { max_cost_usd = 0.01 })
    assert.equal(200, answer.status)
    assert.is_true(answer.json.dry_run)
    assert.is_truthy(answer.json.live.missing[1]:find("max_cost_usd", 1, true))
  end)

  it("must not carry a credential", function()
    local before = live:paid()
    local job = { endpoint_id = "abc", input = { hf_token = "hf_abcdefghijklmnopqrst" } }
    assert.equal(400, live:submit("runpod", { job = job }).status)
    assert.equal(400, live:submit("fal", { config = { api_key = "11111111-2222:abcdefghij" } }).status)
    assert.equal(before, live:paid())
  end)

  it("is canceled at the vendor where it can", function()
    local job_id = live:job("replicate")
    live.host:eventually(function() return live:status(job_id).vendor_id end)
    local answer = live.host:post("/api/jobs/" .. job_id .. "/cancel")
    assert.equal(200, answer.status, answer.body)
    assert.equal("canceled", answer.json.status)
    assert.equal(409, live.host:post("/api/jobs/" .. job_id .. "/cancel").status)
  end)

  it("says so where the vendor cannot cancel", function()
    local job_id = live:job("luma")
    live.host:eventually(function() return live:status(job_id).vendor_id end)
    assert.equal(409, live.host:post("/api/jobs/" .. job_id .. "/cancel").status)
    assert.equal("done", live:ended(job_id).status)
  end)

  it("costs what the ledger says, and the ledger what the jobs say", function()
    local spent = 0
    for _, row in ipairs(live.host:get("/api/jobs/list?limit=500").json.tasks) do
      local job = live:status(row.job_id)
      if not job.dry_run then spent = spent + micro(job.money.spent_usd) end
    end
    live:day(function(day) return micro(day.spent_usd) == spent and day.reserved_usd == 0 end)
    local budget = live:budget()
    local by_provider, by_day = 0, 0
    for _, provider in ipairs(budget.providers) do by_provider = by_provider + micro(provider.day.spent_usd) end
    for _, day in ipairs(budget.days) do by_day = by_day + micro(day.spent_usd) end
    assert.equal(spent, by_provider)
    assert.equal(spent, by_day)
  end)

  it("is told in the log, step by step", function()
    local job_id = live:job("runway")
    live:ended(job_id)
    for _, verb in ipairs { "submit", "sent", "done", "settled" } do
      local line = ("event=public%%.video%%.%s [^\n]*job_id=%s"):format(verb, job_id:gsub("%-", "%%-"))
      live.host:eventually(function() return live.host:log():find(line) end)
    end
  end)

  it("leaves no credential anywhere", function()
    local texts = { live.host:log(), live.simulator:get("/journal").body, live.host:get("/api/jobs/list?limit=500").body }
    local pipe = io.popen("cat '" .. live.host.home .. "'/data/* 2>/dev/null")
    texts[#texts + 1] = pipe:read("a") .. registry.text(live.host)
    pipe:close()
    assert.is_nil(table.concat(texts, "\n"):lower():find("planted", 1, true))
  end)
end)

describe("the switch", function()
  local live

  setup(function() live = support.start { hurry = 8 } end)
  teardown(function() live:remove() end)

  it("stops what is not sent, over a restart, until it is started again", function()
    local stopped = live.host:post("/api/live/stop")
    assert.equal(200, stopped.status)
    assert.is_true(stopped.json.stopped)
    live.host:stop()
    live.host:start_again()
    assert.is_true(live.host:get("/api/live").json.stopped)
    local answer = live:submit("fal")
    assert.equal(200, answer.status)
    assert.is_true(answer.json.dry_run)
    assert.is_truthy(answer.json.live.missing[1]:find("/api/live/start", 1, true))
    assert.equal(0, live:paid())
    assert.is_false(live.host:post("/api/live/start").json.stopped)
    assert.equal("done", live:ended(live:job("fal")).status)
  end)

  it("holds queued jobs back while a flag is off, and goes on with the sent ones", function()
    live.settings.live.providers.luma.max_concurrent = 1
    live.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(live.settings))
    live.host:eventually(function() return live.host:log():find("config.reloaded", 1, true) end)
    local sent, waiting = live:job("luma"), live:job("luma")
    live.host:eventually(function() return live:status(sent).vendor_id end)
    live.settings.features.enable_public_image_video = false
    live.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(live.settings))
    assert.equal("done", live:ended(sent).status)
    assert.equal("queued", live:status(waiting).status)
    live.host:eventually(function() return live:status(waiting).reason:find("switched off", 1, true) end)
    assert.equal(1, live:paid("luma"))
    live.settings.features.enable_public_image_video = true
    live.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(live.settings))
    assert.equal("done", live:ended(waiting).status)
    assert.equal(2, live:paid("luma"))
  end)
end)
