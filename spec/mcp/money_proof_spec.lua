-- Many submits of few quotes, four at a time, by clients that hang up at any moment, to a host that is killed meanwhile:
-- each quote is paid once.
-- MCP_SUBMITS=10000 lua5.4 /usr/bin/busted spec/mcp/money_proof_spec.lua is the long run; its figures are printed.
local http = require "spec.support.http"
local long_run = require "spec.support.long_run"
local mcp = require "spec.support.mcp"
local socket = require "socket"
local support = require "spec.support.live"

local SUBMITS = long_run.setting("MCP_SUBMITS", 300)
local QUOTES = SUBMITS // 10
local KILLS = SUBMITS >= 5000 and 10 or 3
local AT_ONCE = 4
local LONG = SUBMITS >= 5000

local function start(change)
  return support.start { hurry = 10, config = function(config)
    config.mcp = { live = true, budget_usd = { per_day = 1000, per_month = 1000 }, approve_above_usd = 100 }
    config.live.providers.fal.rate_per_minute = 100000
    if change then change(config) end
  end }
end

local function quote(agent, prompt)
  local found = agent:call("quote", { provider = "fal", model = "fal-ai/flux/schnell", prompt = prompt })
  assert(not found.refused, found.text)
  return found.data.quote_id
end

-- Each quote ten times, in no order.
local function shuffled(quotes)
  local list = {}
  for i = 1, SUBMITS do list[i] = quotes[(i - 1) % #quotes + 1] end
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

-- What becomes of a call: it is heard to its end, or its client hangs up at once, after a moment, or within its request.
local function begin_call(live, agent, quote_id, counts)
  local headers, body = agent:format("tools/call", { name = "submit", arguments = { quote_id = quote_id, max_cost_usd = 0.01 } })
  local bytes = http.format(live.host.port, "POST", "/mcp", body, headers)
  local ok, client = pcall(http.connect, live.host.port)
  if not ok then return end
  local fate = math.random(10)
  local call = { client = client, quote_id = quote_id, heard = fate <= 4, patience = fate >= 8 and math.random() * 0.02 or 0 }
  if fate == 7 then bytes = bytes:sub(1, math.random(#bytes - 1)) end
  client.socket:send(bytes)
  counts[call.heard and "waited for" or fate == 7 and "cut within" or "hung up"] =
    (counts[call.heard and "waited for" or fate == 7 and "cut within" or "hung up"] or 0) + 1
  return call
end

local function end_call(call, jobs, counts)
  if call.heard then
    local ok, answer = pcall(call.client.receive, call.client)
    local found = ok and mcp.read(answer) or nil
    if found and found.data and not found.refused then
      local known = jobs[call.quote_id]
      assert(known == nil or known == found.data.job_id, "one quote has two jobs")
      jobs[call.quote_id] = found.data.job_id
      counts.told = (counts.told or 0) + 1
    elseif found then
      counts.refused = (counts.refused or 0) + 1
    else
      counts.lost = (counts.lost or 0) + 1
    end
  elseif call.patience > 0 then
    socket.sleep(call.patience)
  end
  call.client:close()
end

local function run_calls(live, agent, quotes, jobs, counts)
  local list, every = shuffled(quotes), SUBMITS // (KILLS + 1)
  local since = 0
  for first = 1, #list, AT_ONCE do
    local calls = {}
    for i = first, math.min(first + AT_ONCE - 1, #list) do calls[#calls + 1] = begin_call(live, agent, list[i], counts) end
    since = since + AT_ONCE
    if since >= every then
      since = 0
      counts.kills = (counts.kills or 0) + 1
      socket.sleep(math.random() * 0.01)
      live.host:kill()
      for _, call in ipairs(calls) do call.client:close() end
      live.host:start_again()
    else
      for _, call in ipairs(calls) do end_call(call, jobs, counts) end
    end
  end
end

-- Each quote once more, until its job is told.
local function settle(live, agent, quotes, jobs)
  local seen = {}
  for _, id in ipairs(quotes) do
    local found = agent:call("submit", { quote_id = id, max_cost_usd = 0.01 })
    assert(not found.refused, found.text)
    local job = found.data.job_id
    assert(jobs[id] == nil or jobs[id] == job, "one quote has two jobs")
    assert(not seen[job], "two quotes have one job")
    seen[job], jobs[id] = true, job
  end
  local stands = {}
  for _, id in ipairs(quotes) do
    local status = live:ended(jobs[id], 300).status
    stands[status] = (stands[status] or 0) + 1
  end
  return stands
end

describe("the money of the tools", function()
  it(("is spent once for each of %d quotes, of %d submits that are cut, and over kill -9"):format(QUOTES, SUBMITS), function()
    math.randomseed(7)
    local live = start()
    local agent, began = mcp.modern(live.host), socket.gettime()
    local quotes, jobs, counts = {}, {}, {}
    for i = 1, QUOTES do quotes[i] = quote(agent, "picture " .. i) end
    run_calls(live, agent, quotes, jobs, counts)
    local stands = settle(live, agent, quotes, jobs)
    local paid, unknown = live:paid(), stands.unknown or 0
    if LONG then
      long_run.say("%d submits of %d quotes in %.0f s:", SUBMITS, QUOTES, socket.gettime() - began)
      long_run.figures(counts)
      long_run.figures(stands)
      long_run.figure("paid requests", "%d", paid)
    end
    assert.equal(QUOTES, (stands.done or 0) + unknown)
    assert.is_true(paid <= QUOTES, paid)
    -- what was killed between its registration as sent and the request itself is unknown, and was not paid
    assert.is_true(paid >= QUOTES - unknown, ("%d paid, %d unknown"):format(paid, unknown))
    assert.is_true(unknown <= KILLS * AT_ONCE * 25, unknown)
    live:agrees_with_vendors()
    local budget = live:budget()
    assert.equal(QUOTES, budget.days[1].jobs)
    assert.equal("mcp", budget.days[1].door)
    live:remove()
  end)

  it("is spent once by an agent that forgets, and quotes and submits the same a hundred times", function()
    local live = start()
    local refusals, job = 0, nil
    for i = 1, 100 do
      local agent = i % 2 == 0 and mcp.modern(live.host) or mcp.legacy(live.host)
      local found = agent:call("submit", { quote_id = quote(agent, "the same"), max_cost_usd = 0.01 })
      if found.refused then
        assert.equal("already_paid", found.data.error)
        refusals = refusals + 1
      end
      job = job or found.data.job_id
      assert.equal(job, found.data.job_id)
      if i == 50 then
        live.host:kill()
        live.host:start_again()
      end
    end
    assert.equal(99, refusals)
    live:ended(job)
    assert.equal(1, live:paid())
    live:remove()
  end)

  it("is never more than mcp.budget_usd, cut and killed", function()
    math.randomseed(8)
    local limit = 0.003 * (QUOTES // 3)
    local live = start(function(config) config.mcp.budget_usd = { per_day = limit + 0.001, per_month = 1000 } end)
    local agent = mcp.modern(live.host)
    local quotes, counts = {}, {}
    for i = 1, QUOTES do quotes[i] = quote(agent, "picture " .. i) end
    run_calls(live, agent, quotes, {}, counts)
    for _, id in ipairs(quotes) do agent:call("submit", { quote_id = id, max_cost_usd = 0.01 }) end
    live.host:eventually(function()
      local counted = live.host:get("/api/live").json.jobs
      return counted.queued + counted.sending + counted.sent == 0
    end, 120)
    local day = live:budget().mcp.day
    assert.is_true(day.spent_usd + day.reserved_usd <= limit + 1e-9, day.spent_usd + day.reserved_usd)
    assert.is_true(day.spent_usd + day.reserved_usd >= limit - 1e-9, day.spent_usd + day.reserved_usd)
    assert.is_true(live:paid() <= QUOTES // 3)
    if LONG then long_run.figure("paid of a third's budget", "%d of %d", live:paid(), QUOTES // 3) end
    live:remove()
  end)

  it("is not spent without an approval, cut and killed", function()
    math.randomseed(9)
    local live = start(function(config) config.mcp.approve_above_usd = 0 end)
    local agent = mcp.modern(live.host)
    local quotes, approved = {}, 0
    for i = 1, QUOTES do
      quotes[i] = quote(agent, "picture " .. i)
      if i % 5 == 0 then
        assert.equal(200, live.host:post("/api/approvals/" .. quotes[i], {}).status)
        approved = approved + 1
      end
    end
    local counts, jobs = {}, {}
    run_calls(live, agent, quotes, jobs, counts)
    for i, id in ipairs(quotes) do
      local found = agent:call("submit", { quote_id = id, max_cost_usd = 0.01 })
      assert.equal(i % 5 ~= 0, found.refused or false, found.text)
      if i % 5 == 0 then live:ended(found.data.job_id, 300) end
    end
    assert.is_true(live:paid() <= approved)
    assert.equal(approved, live:budget().days[1].jobs)
    if LONG then long_run.figure("paid of the approved", "%d of %d", live:paid(), approved) end
    live:remove()
  end)
end)
