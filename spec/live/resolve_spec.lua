-- A job that is overdue: unknown, still paid for and still asked for, until the vendor or the operator says what became of it.
-- The operator says it once.
local clocks = require "spec.support.clock"
local http = require "spec.support.http"
local socket = require "socket"
local support = require "spec.support.live"

local LONG = 93600 -- seconds: longer than any job is waited for

describe("an overdue job", function()
  local live, clock, later
  after_each(function()
    if live then live:remove() end
    if clock then clock:remove() end
    live = nil
  end)

  -- A host whose clock can be moved, at a simulator with these arguments; nil under a sanitizer.
  local function start(...)
    clock, later = clocks.new(), 0
    live = clock and support.start { hurry = 8, simulate = { ... }, env = clock.env }
    return live
  end

  local function wait_long()
    later = later + LONG
    clock:wall(later)
  end

  local function refresh(provider, job)
    return live.host:post(live:path(provider, "poll"), { job_id = job, refresh = true })
  end

  local function overdue(provider)
    local job = live:job(provider)
    live:becomes(job, "running")
    wait_long()
    refresh(provider, job)
    assert.equal("unknown", live:becomes(job, "unknown").status)
    return job
  end

  local function resolve(job, body)
    return live.host:post("/api/jobs/" .. job .. "/resolve", body)
  end

  -- The types of a job's events, without those of its progress.
  local function told(job)
    local list = {}
    for _, event in ipairs(live.host:get("/api/events/history?job=" .. job .. "&limit=500").json.events) do
      local verb = event.type:match("[^.]+$")
      if verb ~= "progress" then list[#list + 1] = verb end
    end
    return list
  end

  -- The provider's money of all days: a job counts on the day that it was sent, which is not the host's today any more.
  local function money(provider)
    local sum = { jobs = 0, open = 0, reserved_usd = 0, spent_usd = 0 }
    for _, day in ipairs(live:budget().days) do
      if day.provider == provider then
        for name, value in pairs(sum) do sum[name] = value + day[name] end
      end
    end
    return sum
  end

  local function seen()
    return live.simulator:get("/journal").json.seen
  end

  it("keeps its money, and is settled by what the operator says: once, for ever", function()
    if not start("--fault", "fal:never_ending:1") then return pending("not under a sanitizer") end
    local job = overdue "fal"
    assert.same({ jobs = 1, open = 1, reserved_usd = 0.006, spent_usd = 0 }, money "fal")
    assert.same({ "submit", "sent", "unknown" }, told(job))
    local answer = resolve(job, { status = "done", cost_usd = 0.0045 })
    assert.equal(200, answer.status, answer.body)
    assert.equal("done", answer.json.status)

    local function is_settled()
      local shown = live:status(job)
      assert.same({ "done", 0.0045, "operator" }, { shown.status, shown.money.spent_usd, shown.money.basis })
      assert.same({ jobs = 1, open = 0, reserved_usd = 0, spent_usd = 0.0045 }, money "fal")
      assert.same({ "submit", "sent", "unknown", "done", "settled" }, told(job))
    end

    is_settled()
    local asked = seen()
    for _, body in ipairs { { status = "done", cost_usd = 0.0045 }, { status = "error", cost_usd = 0 }, { vendor_id = "x" } } do
      assert.equal(409, resolve(job, body).status)
    end
    refresh("fal", job)
    is_settled()
    live.host:kill()
    live.host:start_again()
    assert.equal(409, resolve(job, { status = "error", cost_usd = 0 }).status)
    is_settled()
    assert.equal(asked, seen())
  end)

  -- Four operators at once; whose word it was.
  local function resolved_by(job)
    local clients, accepted = {}, {}
    for i = 1, 4 do clients[i] = http.connect(live.host.port) end
    for i, client in ipairs(clients) do
      client:send("POST", "/api/jobs/" .. job .. "/resolve", { status = "error", cost_usd = i / 1000 })
    end
    for i, client in ipairs(clients) do
      local answer = client:receive()
      if answer.status == 200 then accepted[#accepted + 1] = i else assert.equal(409, answer.status, answer.body) end
      client:close()
    end
    assert.equal(1, #accepted)
    return accepted[1]
  end

  it("has one answer, whoever else says something at the same time", function()
    if not start("--fault", "fal:never_ending:1") then return pending("not under a sanitizer") end
    for _ = 1, 5 do
      local job = overdue "fal"
      local by = resolved_by(job)
      assert.equal(by / 1000, live:status(job).money.spent_usd)
      assert.same({ "submit", "sent", "unknown", "error", "settled" }, told(job))
    end
  end)

  it("has one answer also when it was lost", function()
    if not start("--fault", "fal:reset_after:1:POST") then return pending("not under a sanitizer") end
    for _ = 1, 5 do
      local job = live:job("fal")
      live:becomes(job, "unknown")
      local by = resolved_by(job)
      assert.equal(by / 1000, live:status(job).money.spent_usd)
      assert.same({ "submit", "unknown", "error", "settled" }, told(job))
    end
  end)

  it("is over when the vendor says so, and then the operator has nothing to say", function()
    if not start("--job-time", "4000") then return pending("not under a sanitizer") end
    local job = overdue "fal"
    live.host:eventually(function()
      refresh("fal", job)
      return live:status(job).status == "done"
    end)
    assert.equal(409, resolve(job, { status = "error", cost_usd = 0 }).status)
    assert.equal("computed", live:status(job).money.basis)
    assert.same({ "submit", "sent", "unknown", "artifact", "done", "settled" }, told(job))
    assert.same({ jobs = 1, open = 0, reserved_usd = 0, spent_usd = 0.003 }, money "fal")
  end)

  it("is asked for at once under the id that the operator gives", function()
    if not start("--fault", "runway:reset_after:1:POST") then return pending("not under a sanitizer") end
    local job = live:job("runway")
    live:becomes(job, "unknown")
    wait_long()
    local vendor_id = live.simulator:get("/jobs").json.jobs[1].id
    socket.sleep(6) -- the simulator's job ends
    assert.equal(200, resolve(job, { vendor_id = vendor_id }).status)
    assert.equal("done", live:becomes(job, "done", 20).status)
  end)
end)
