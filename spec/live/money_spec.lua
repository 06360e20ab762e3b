-- Budgets: what is reserved counts, no two jobs take the same cent, and an end gives back what was not spent.
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local support = require "spec.support.live"

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

-- Submits of fal reserve this much each.
local RESERVED = 6000

describe("a budget", function()
  it("of the host, a provider or an API key refuses what goes beyond it, and says whose it is", function()
    local key = ("k"):rep(40)
    local pipe = io.popen("printf %s " .. key .. " | sha256sum")
    local sha256 = pipe:read("a"):match("^%x+")
    pipe:close()
    local cases = {
      { says = "the budget of the host per day", change = function(c) c.live.budget_usd.per_day = 0.006 end },
      { says = "the budget of the host per month", change = function(c) c.live.budget_usd.per_month = 0.011 end },
      { says = "the budget of provider fal per day", change = function(c)
        c.live.providers.fal.budget_usd.per_day = 0.0119
      end },
      { says = "the budget of API key studio per day", change = function(c)
        c.server.api_keys = { { name = "studio", sha256 = sha256, budget_usd = { per_day = 0.01, per_month = 1 } } }
      end, headers = { ["X-API-Key"] = key } },
    }
    for _, case in ipairs(cases) do
      local live = support.start { hurry = 8, simulate = { "--fault", "fal:never_ending:1" }, config = case.change }
      assert.equal(202, live:submit("fal", nil, case.headers).status)
      local answer = live:submit("fal", nil, case.headers)
      assert.equal(402, answer.status, answer.body)
      assert.is_truthy(answer.json.detail:find(case.says, 1, true), answer.json.detail)
      local listed = live.host:get("/api/jobs/list", case.headers).json.tasks
      assert.equal(1, #listed)
      live:remove()
    end
  end)

  it("admits one third of 64 clients' jobs to the last micro-dollar", function()
    local jobs, admitted = 96, 32
    local live = support.start { hurry = 8, config = function(config)
      config.live.budget_usd.per_day = admitted * RESERVED / 1e6
      config.server.threads = 96
    end, simulate = { "--fault", "fal:never_ending:1" } }
    local connections, body = {}, exact.encode { prompt = "a lighthouse", dry_run = false }
    for i = 1, 64 do connections[i] = http.connect(live.host.port) end
    local taken, refused = 0, 0
    local function send(i) connections[i]:send("POST", live:path("fal", "submit"), body) end
    local function receive(i)
      local status = connections[i]:receive().status
      if status == 202 then taken = taken + 1 end
      if status == 402 then refused = refused + 1 end
    end
    for i = 1, 64 do send(i) end
    for i = 1, 64 do receive(i) end
    for i = 1, jobs - 64 do send(i) end
    for i = 1, jobs - 64 do receive(i) end
    for i = 1, 64 do connections[i]:close() end
    assert.equal(admitted, taken)
    assert.equal(jobs - admitted, refused)
    local day = live:budget().host.day
    assert.equal(admitted * RESERVED, micro(day.reserved_usd) + micro(day.spent_usd))
    assert.same(day, live.host:get("/api/live").json.today)
    assert.equal(0, day.left_usd)
    live:remove()
  end)

  it("is used again once a job cost less than was reserved", function()
    local live = support.start { hurry = 8, config = function(config) config.live.budget_usd.per_day = 0.0119 end }
    assert.equal("done", live:ended(live:job("fal")).status)
    local day = live:day(function(day) return day.reserved_usd == 0 end)
    assert.is_true(day.spent_usd <= 0.006)
    live:remove()
  end)

  it("is given back whole by a job that was not sent", function()
    local live = support.start { hurry = 8, config = function(config) config.live.providers.fal.max_concurrent = 1 end,
      simulate = { "--fault", "fal:never_ending:1" } }
    live:job("fal")
    local waiting = live:job("fal")
    assert.equal(2 * RESERVED, micro(live:budget().host.day.reserved_usd))
    local answer = live.host:post("/api/jobs/" .. waiting .. "/cancel")
    assert.equal("canceled", answer.json.status, answer.body)
    assert.equal(0, answer.json.money.spent_usd)
    assert.equal("not_billed", answer.json.money.basis)
    assert.equal(RESERVED, micro(live:budget().host.day.reserved_usd))
    live:remove()
  end)

  it("survives a restart to the micro-dollar", function()
    local live = support.start { hurry = 8, simulate = { "--fault", "luma:never_ending:1" } }
    live:ended(live:job("fal"))
    live:day(function(day) return day.reserved_usd == 0 end)
    live:job("luma")
    local before = live:budget()
    live.host:kill()
    live.host:start_again()
    assert.same(before, live:budget())
    live:remove()
  end)
end)

describe("what a job cost", function()
  local CASES = {
    { id = "runway", basis = "vendor" }, { id = "stability", basis = "computed" }, { id = "fal", basis = "computed" },
    { id = "modal", basis = "reserved" },
  }

  it("is the vendor's figure, else a computed one, and says which", function()
    local live = support.start { hurry = 8 }
    for _, case in ipairs(CASES) do
      local job = live:ended(live:job(case.id))
      assert.equal("done", job.status, job.reason)
      assert.equal(case.basis, job.money.basis, case.id)
    end
    live:remove()
  end)

  it("is nothing when the vendor refused it", function()
    local live = support.start { hurry = 8, simulate = { "--fault", "*:out_of_credit:1" } }
    for id in pairs(support.JOBS) do
      local job = live:ended(live:job(id))
      assert.equal("error", job.status, id)
      assert.equal("credit", job.result.error.code, id)
      assert.equal(0, job.money.spent_usd, id)
    end
    live:day(function(day) return day.spent_usd == 0 and day.reserved_usd == 0 end)
    live:remove()
  end)

  it("is what the vendor bills for moderated ones", function()
    local live = support.start { hurry = 8, simulate = { "--fault", "*:moderated:1" } }
    for _, id in ipairs { "stability", "fal", "runway", "luma" } do
      local job = live:ended(live:job(id))
      assert.equal("error", job.status, id)
      assert.equal("moderation", job.result.error.code, id)
    end
    live:remove()
  end)
end)
