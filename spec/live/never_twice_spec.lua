-- A paid request goes out once, whatever happens: lost answers make a job's outcome unknown, refused connections are tried again,
-- a crash between the two is told by the registry.
local support = require "spec.support.live"

local function with(fault)
  return support.start { simulate = { "--fault", fault } }
end

describe("a paid submit", function()
  for _, fault in ipairs { "reset_before", "reset_after", "truncated" } do
    it("whose answer is lost (" .. fault .. ") is unknown, is not sent again, and keeps its money", function()
      local live = with("fal:" .. fault .. ":1:POST")
      local job_id = live:job("fal")
      local job = live:becomes(job_id, "unknown")
      assert.is_string(job.reason)
      assert.is_nil(job.money.spent_usd)
      local seen = live.simulator:get("/journal").json.seen
      os.execute("sleep 2")
      assert.equal(seen, live.simulator:get("/journal").json.seen)
      assert.equal(0.006, live:budget().host.day.reserved_usd)
      live.host:kill()
      live.host:start_again()
      os.execute("sleep 1")
      assert.equal("unknown", live:status(job_id).status)
      assert.equal(seen, live.simulator:get("/journal").json.seen)
      live:remove()
    end)
  end

  it("that a vendor limits is sent again later, once taken", function()
    local live = with("luma:429:0.5:POST")
    local jobs = {}
    for i = 1, 6 do jobs[i] = live:job("luma") end
    for i = 1, 6 do assert.equal("done", live:ended(jobs[i], 120).status) end
    assert.equal(6, live:paid("luma"))
    live:remove()
  end)

  it("is tried again when nobody listened", function()
    local live = support.start { config = function(config) config.live.upstream = "http://127.0.0.1:9" end }
    local job_id = live:job("fal")
    local job = live.host:eventually(function()
      local job = live:status(job_id)
      return job.reason and job
    end)
    assert.equal("queued", job.status)
    assert.is_truthy(job.reason:find("nothing was sent", 1, true))
    live.settings.live.upstream = "http://127.0.0.1:" .. live.simulator.port
    live.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(live.settings))
    assert.equal("done", live:ended(job_id).status)
    assert.equal(1, live:paid("fal"))
    live:remove()
  end)
end)

describe("an unknown outcome", function()
  it("is settled by the operator", function()
    local live = with("fal:reset_after:1:POST")
    local job_id = live:job("fal")
    live:becomes(job_id, "unknown")
    local path = "/api/jobs/" .. job_id .. "/resolve"
    for _, body in ipairs { {}, { status = "unknown", cost_usd = 0 }, { status = "done" }, { status = "done", cost_usd = -1 },
      { vendor_id = "" }, { vendor_id = "x", status = "done" }, { vendor_id = "rpa_0123456789ABCDEF" } } do
      assert.equal(400, live.host:post(path, body).status)
    end
    local answer = live.host:post(path, { status = "error", cost_usd = 0.0025 })
    assert.equal(200, answer.status, answer.body)
    local job = live:becomes(job_id, "error")
    assert.equal(0.0025, job.money.spent_usd)
    assert.equal("operator", job.money.basis)
    assert.equal(0, live:budget().host.day.reserved_usd)
    assert.equal(409, live.host:post(path, { status = "error", cost_usd = 0 }).status)
    live:remove()
  end)

  it("is looked for once when asked to, and not again and again", function()
    local live = with("replicate:reset_before:1:POST")
    local job_id = live:job("replicate")
    live:becomes(job_id, "unknown")
    local before = live.simulator:get("/journal").json.seen
    live.host:post(live:path("replicate", "poll"), { job_id = job_id, refresh = true })
    os.execute("sleep 1")
    local looks = live.simulator:get("/journal").json.seen - before
    assert.is_true(looks >= 1 and looks <= 6, looks .. " requests")
    assert.equal("unknown", live:status(job_id).status)
    live:remove()
  end)

  it("is followed under the id that the operator gives", function()
    local live = with("luma:reset_after:1:POST")
    local job_id = live:job("luma")
    live:becomes(job_id, "unknown")
    local vendor_id = live.simulator:get("/jobs").json.jobs[1].id
    assert.equal(200, live.host:post("/api/jobs/" .. job_id .. "/resolve", { vendor_id = vendor_id }).status)
    assert.equal("done", live:becomes(job_id, "done").status)
    live:remove()
  end)
end)

describe("after kill -9", function()
  it("sent jobs are polled, queued ones start, those in between are unknown, and nothing is sent twice", function()
    local live = support.start { simulate = { "--latency", "300" }, config = function(config)
      config.live.providers.fal.max_concurrent = 2
    end }
    local jobs = {}
    for i = 1, 8 do jobs[i] = live:job("fal") end
    os.execute("sleep 0.5")
    live.host:kill()
    live.host:start_again()
    local unknown = 0
    for i = 1, 8 do
      local job = live:ended(jobs[i], 120)
      assert.is_true(job.status == "done" or job.status == "unknown", job.status)
      if job.status == "unknown" then unknown = unknown + 1 end
    end
    assert.is_true(unknown <= 2)
    assert.is_true(live:paid("fal") <= 8)
    live:remove()
  end)

  it("a restored backup's open jobs are unknown", function()
    local live = with("luma:never_ending:1")
    local job_id = live:job("luma")
    live.host:eventually(function() return live:status(job_id).vendor_id end)
    live.host:kill()
    live.host.arguments = { "serve", "--home", live.host.home, "--listen", "127.0.0.1:0", "--restored" }
    live.host:start_again()
    assert.equal("unknown", live:becomes(job_id, "unknown").status)
    live:remove()
  end)
end)
