-- quote and submit: what it costs, and that it is paid once, whatever an agent does.
local cjson = require "cjson"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local registry = require "spec.support.registry"
local shell = require "spec.support.shell"
local socket = require "socket"
local support = require "spec.support.live"

local PICTURE = { provider = "fal", model = "fal-ai/flux/schnell", prompt = "a lighthouse" } -- 0.003 USD
local RESERVED = 0.003

local function picture(prompt)
  return { provider = PICTURE.provider, model = PICTURE.model, prompt = prompt }
end

-- A host whose tools may spend; `mcp` goes over what is set here, `change` changes the rest.
local function start(settings, change, options)
  options = options or {}
  options.config = function(config)
    config.mcp = { live = true, budget_usd = { per_day = 10, per_month = 10 }, approve_above_usd = 100 }
    for name, value in pairs(settings or {}) do config.mcp[name] = value end
    if change then change(config) end
  end
  return support.start(options)
end

local function quote(agent, wanted)
  local found = agent:call("quote", wanted)
  assert(not found.refused, found.text)
  return found.data
end

local function submit(agent, quote_id, more)
  local arguments = { quote_id = quote_id, max_cost_usd = 0.5 }
  for name, value in pairs(more or {}) do arguments[name] = value end
  return agent:call("submit", arguments)
end

local function refused(found, code)
  assert.is_true(found.refused, found.text)
  assert.equal(code, found.data.error, found.text)
  return found.data
end

describe("quote", function()
  local live, agent
  setup(function()
    live = start()
    agent = mcp.modern(live.host)
  end)
  teardown(function() live:remove() end)

  it("says what it costs, in few words, and sends and reserves nothing", function()
    local found = agent:call("quote", PICTURE)
    assert.is_true(#found.text < 340, found.text)
    local told = found.data
    assert.same({ expected_usd = RESERVED, low_usd = RESERVED, high_usd = RESERVED, unit = "megapixel", as_of = told.cost.as_of },
      told.cost)
    assert.matches("^%d%d%d%d%-%d%d%-%d%d$", told.cost.as_of)
    assert.is_true(told.live)
    assert.same({}, told.missing)
    assert.same({}, told.warnings)
    assert.same({}, told.same_request)
    assert.is_false(told.needs_approval)
    assert.equal(10, told.budget_left_usd)
    assert.equal(0, live:paid())
    assert.equal(0, live:budget().mcp.day.reserved_usd)
  end)

  it("shows the exact request, with its secrets as their names, if it is asked to", function()
    local found = agent:call("quote", { provider = "fal", prompt = ("a "):rep(9000), show_request = true })
    assert.is_true(#found.text < 8192)
    local request = found.data.request
    assert.equal("POST", request.method)
    assert.equal("Key {api_key}", request.headers.Authorization)
    assert.is_true(#request.body.prompt < 500)
    assert.is_nil(quote(agent, PICTURE).request)
  end)

  it("takes GPU jobs in the vendor's words, and says so where one is missing", function()
    local told = quote(agent, { provider = "replicate", job = support.JOBS.replicate.job })
    assert.equal(RESERVED, told.cost.high_usd)
    local said = refused(agent:call("quote", { provider = "modal", prompt = "x" }), "invalid_arguments").message
    assert.truthy(said:find("give `job`", 1, true), said)
    said = refused(agent:call("quote", { provider = "luma", job = { x = 1 } }), "invalid_arguments").message
    assert.truthy(said:find("takes no `job`", 1, true), said)
  end)

  it("counts the least that a job of no known price must reserve, and does not call the price missing", function()
    local told = quote(agent, { provider = "modal", job = support.JOBS.modal.job })
    assert.equal(cjson.null, told.cost.high_usd)
    assert.is_true(told.live, cjson.encode(told.missing))
    assert.is_true(told.needs_approval) -- nobody knows what it costs
  end)

  for name, case in pairs {
    ["an unknown provider"] = { { provider = "nobody" }, "unknown_provider", "fal" },
    ["what the script refuses"] = { { provider = "fal" }, "invalid_arguments", "prompt" },
    ["a vendor's key in the prompt"] = { picture "use r8_plantedplantedplantedplantedplanted3", "invalid_arguments",
      "credential" },
  } do
    it("refuses " .. name .. ", and says what to change", function()
      local found = agent:call("quote", case[1])
      refused(found, case[2])
      assert.truthy(found.text:find(case[3], 1, true), found.text)
    end)
  end

  it("keeps the newest quotes of a key only, within a number", function()
    local first = quote(agent, picture("the first")).quote_id
    shell.sql(live.host, [[WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4200)
      INSERT INTO quote SELECT i, ]] .. registry.bytes(live.host, ("00"):rep(16)) .. [[, '',
      'image', 'fal', 1, 9000000000000, 1, 1, NULL, 0, -1, 0, -1, NULL, 0, 0, NULL,
      2, '{}' FROM n]])
    local more, count = 0
    repeat -- they are counted after one of 32, by chance
      quote(agent, picture("one more"))
      count, more = shell.sql(live.host, "SELECT count(*) FROM quote WHERE job IS NULL"), more + 1
    until count == "4096\n" or more == 1000
    assert.equal("4096\n", count)
    assert.is_nil(submit(agent, first).refused)
  end)
end)

describe("submit", function()
  local live, agent
  setup(function()
    live = start()
    agent = mcp.modern(live.host)
  end)
  teardown(function() live:remove() end)

  it("answers at once with a job, and the same quote with the same job for ever", function()
    local id = quote(agent, picture "once").quote_id
    local first = submit(agent, id)
    assert.is_nil(first.refused, first.text)
    assert.is_false(first.data.dry_run)
    assert.equal(RESERVED, first.data.money.reserved_usd)
    assert.equal(id, first.data.quote_id)
    assert.is_nil(first.data.replayed)
    assert.truthy(first.data.next:find(first.data.job_id, 1, true))
    assert.equal("done", live:ended(first.data.job_id).status)
    for _ = 1, 3 do
      local again = submit(agent, id)
      assert.equal(first.data.job_id, again.data.job_id)
      assert.is_true(again.data.replayed)
    end
    assert.equal("done", submit(agent, id).data.status)
    shell.sql(live.host, "UPDATE quote SET expires_ms = 1") -- its hour is over
    assert.equal(first.data.job_id, submit(agent, id).data.job_id)
    live.host:stop()
    live.host:start_again()
    assert.equal(first.data.job_id, submit(agent, id).data.job_id)
    assert.equal(1, live:paid())
  end)

  it("pays once for a request that is quoted again, and again only for who names the newest job of it", function()
    local before = live:paid()
    local first = submit(agent, quote(agent, picture "twice").quote_id).data.job_id
    local again = quote(agent, picture "twice")
    assert.equal(first, again.same_request[1].job_id)
    local told = refused(submit(agent, again.quote_id), "already_paid")
    assert.equal(first, told.job_id)
    assert.truthy(told.message:find("again_of " .. first, 1, true))
    refused(submit(agent, again.quote_id, { again_of = "01a21300-0000-7000-8000-000000000001" }), "already_paid")
    local second = submit(agent, again.quote_id, { again_of = first })
    assert.is_nil(second.refused, second.text)
    local third = quote(agent, picture "twice")
    assert.equal(second.data.job_id, third.same_request[1].job_id)
    refused(submit(agent, third.quote_id, { again_of = first }), "already_paid") -- said by habit
    live:ended(second.data.job_id)
    assert.equal(before + 2, live:paid())
  end)

  it("does not take what cost nothing for paid", function()
    local vendor = start(nil, nil, { simulate = { "--fault", "fal:out_of_credit:1" } })
    local mine = mcp.modern(vendor.host)
    local first = submit(mine, quote(mine, PICTURE).quote_id).data.job_id
    local job = vendor:ended(first)
    if job.money.spent_usd == 0 then
      local again = quote(mine, PICTURE)
      assert.same({}, again.same_request)
      assert.is_nil(submit(mine, again.quote_id).refused)
    end
    vendor:remove()
  end)

  it("finds what was submitted by REST too", function()
    local job = live:job("fal", { prompt = "by REST", model = PICTURE.model })
    local told = quote(agent, picture "by REST")
    assert.equal(job, told.same_request[1].job_id)
    refused(submit(agent, told.quote_id), "already_paid")
  end)

  it("refuses a maximum below the price, a quote that is over, unknown, or of a wrong form", function()
    local id = quote(agent, picture "dear").quote_id
    assert.equal(RESERVED, refused(submit(agent, id, { max_cost_usd = 0.0029 }), "max_cost_too_low").high_usd)
    assert.is_nil(submit(agent, id, { max_cost_usd = RESERVED }).refused)
    refused(submit(agent, "01a21300-0000-7000-8000-000000000001"), "unknown_quote")
    refused(submit(agent, "nonsense"), "unknown_quote")
    refused(submit(agent, id:sub(1, -2) .. (id:sub(-1) == "0" and "1" or "0")), "unknown_quote")
    refused(submit(agent, quote(agent, picture "later").quote_id, { again_of = "that one" }), "invalid_arguments")
    local old = quote(agent, picture "late").quote_id
    shell.sql(live.host, "UPDATE quote SET expires_ms = 1 WHERE job IS NULL")
    refused(submit(agent, old), "quote_expired")
  end)

  it("wants both of its arguments", function()
    assert.is_true(agent:call("submit", { quote_id = quote(agent, picture "no maximum").quote_id }).refused)
    assert.is_true(agent:call("submit", { max_cost_usd = 1 }).refused)
    assert.is_true(submit(agent, quote(agent, picture "nothing").quote_id, { max_cost_usd = 0 }).refused)
  end)

  it("makes one job of many calls at the same time, of one quote and of quotes of the same request", function()
    local before = live:paid()
    local ids = {}
    for i = 1, 4 do ids[i] = quote(agent, picture "crowd").quote_id end
    local clients = {}
    for i = 1, 16 do
      clients[i] = require("spec.support.http").connect(live.host.port)
      local headers, body = agent:format("tools/call",
        { name = "submit", arguments = { quote_id = ids[i % 4 + 1], max_cost_usd = 1 } })
      clients[i]:send("POST", "/mcp", body, headers)
    end
    local jobs, refusals = {}, 0
    for _, client in ipairs(clients) do
      local found = mcp.read(client:receive())
      if found.refused then
        assert.equal("already_paid", cjson.decode(found.text).error)
        refusals = refusals + 1
      else
        jobs[found.data.job_id] = true
      end
      client:close()
    end
    local job = next(jobs)
    assert.truthy(job)
    assert.is_nil(next(jobs, job), "two jobs")
    assert.equal(12, refusals)
    live:ended(job)
    assert.equal(before + 1, live:paid())
  end)

  it("works in the legacy era, and over both", function()
    local old = mcp.legacy(live.host)
    local id = quote(old, picture "old").quote_id
    local job = submit(old, id).data.job_id
    assert.equal(job, submit(agent, id).data.job_id)
  end)

  it("tells of an outcome that is not known as such, never as a failure", function()
    local vendor = start(nil, nil, { simulate = { "--fault", "fal:reset_after:1" } })
    local mine = mcp.modern(vendor.host)
    local id = quote(mine, PICTURE).quote_id
    local job = submit(mine, id).data.job_id
    vendor:becomes(job, "unknown")
    local told = submit(mine, id)
    assert.is_nil(told.refused)
    assert.equal("unknown", told.data.status)
    assert.truthy(told.data.next:find("do not submit it again", 1, true))
    refused(submit(mine, quote(mine, PICTURE).quote_id), "already_paid")
    assert.equal(1, vendor:paid())
    vendor:remove()
  end)
end)

describe("a quote", function()
  it("is stale when what would be sent, or its price, is another one now", function()
    local live = start(nil, nil, { scripts = true })
    local agent = mcp.modern(live.host)
    -- Writes a file with one thing changed, and waits until quotes say so.
    local function change(file, from, to, seen)
      local changed, count = live.host:read(file):gsub(from, to, 1)
      assert.equal(1, count)
      live.host:write(file, changed)
      live.host:eventually(function()
        return seen(quote(agent, { provider = "fal", model = PICTURE.model, prompt = "shown", show_request = true }))
      end)
    end
    local id = quote(agent, PICTURE).quote_id
    change("providers/fal/queue.lua", '"X%-Fal%-Queue%-Priority"', '"X-Fal-Queue-Importance"',
      function(told) return told.request.headers["X-Fal-Queue-Importance"] end)
    refused(submit(agent, id), "quote_stale")
    id = quote(agent, PICTURE).quote_id
    change("providers/fal/models.lua", '"fal%-ai/flux/schnell", 0.003', '"fal-ai/flux/schnell", 0.002',
      function(told) return told.cost.high_usd == 0.002 end)
    refused(submit(agent, id), "quote_stale")
    assert.equal(0, live:paid())
    assert.is_nil(submit(agent, quote(agent, PICTURE).quote_id).refused)
    live:remove()
  end)

  it("is stale when the operator wants more reserved for it now", function()
    local live = start()
    local agent = mcp.modern(live.host)
    local id = quote(agent, PICTURE).quote_id
    live.settings.live.providers.fal.min_reserve_usd = 0.2
    live.settings.mcp = { live = true, budget_usd = { per_day = 10, per_month = 10 }, approve_above_usd = 100 }
    live.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(live.settings))
    live.host:eventually(function() return quote(agent, picture "another").cost.high_usd == 0.2 end)
    refused(submit(agent, id), "quote_stale")
    assert.equal(0, live:paid())
    live:remove()
  end)

  it("of no known price costs at least what the operator wants reserved", function()
    local live = start(nil, function(config) config.live.providers.modal.min_reserve_usd = 0.2 end)
    local agent = mcp.modern(live.host)
    local id = quote(agent, { provider = "modal", job = support.JOBS.modal.job }).quote_id
    assert.equal(0.2, refused(submit(agent, id, { max_cost_usd = 0.1 }), "max_cost_too_low").high_usd)
    assert.equal(0.3, submit(agent, id, { max_cost_usd = 0.3 }).data.money.reserved_usd)
    live:remove()
  end)

  it("belongs to the API key that asked for it, and is found by no other", function()
    local live = start(nil, function(config)
      config.server.api_keys = { keys.entry "one", keys.entry "other", keys.entry("dry", { may = { "read", "submit" } }),
        keys.entry("reads", { may = { "read" } }) }
    end)
    live.headers = keys.headers "one"
    local function as(name) return mcp.modern(live.host, { headers = keys.headers(name) }) end
    local one, other = as "one", as "other"
    local id = quote(one, PICTURE).quote_id
    refused(submit(other, id), "unknown_quote")
    assert.is_nil(submit(one, id).refused)
    assert.same({}, quote(other, PICTURE).same_request)
    assert.is_nil(submit(other, quote(other, PICTURE).quote_id).refused) -- the same request of another key is another's business
    local dry = as "dry"
    local told = quote(dry, PICTURE)
    assert.is_false(told.live)
    assert.truthy(told.missing[1]:find("role live", 1, true))
    assert.is_true(submit(dry, told.quote_id).data.dry_run)
    refused(submit(as "reads", id), "forbidden")
    local secret = picture("my key is " .. keys.key "one")
    refused(one:call("quote", secret), "invalid_arguments")
    live:remove()
  end)

  it("is not good any more in a backup that was put back", function()
    local live = start()
    local agent = mcp.modern(live.host)
    local id = quote(agent, PICTURE).quote_id
    live.host:stop()
    local copy = registry.copy(live.host)
    live.host:start_again()
    live:ended(submit(agent, id).data.job_id)
    live.host:stop()
    registry.put_back(live.host, copy)
    live.host:start_again()
    live.host:eventually(function() return submit(agent, id).refused end)
    refused(submit(agent, id), "unknown_quote")
    assert.equal(1, live:paid())
    live:remove()
  end)

  it("goes when it was never made and its hour is long over, and with its job", function()
    local live = start(nil, function(config) config.registry = { keep_days = 1 } end)
    local agent = mcp.modern(live.host)
    local made, open = quote(agent, picture "made").quote_id, quote(agent, picture "open").quote_id
    local over = quote(agent, picture "over").quote_id
    local job = submit(agent, made).data.job_id
    live:ended(job)
    live.host:stop()
    shell.sql(live.host, "UPDATE quote SET expires_ms = 1 WHERE id = " .. registry.id(live.host, over))
    shell.sql(live.host, "UPDATE task SET updated_ms = 1, sequence = 4096; UPDATE live SET sequence = 4096;"
      .. " UPDATE quote SET job = 4096 WHERE job IS NOT NULL")
    live.host:start_again()
    live.host:eventually(function() return shell.sql(live.host, "SELECT count(*) FROM quote") == "1\n" end)
    refused(submit(agent, made), "unknown_quote")
    assert.is_nil(submit(agent, open).refused)
    live:remove()
  end)
end)

describe("the money of the tools", function()
  it("is not spent as shipped: they work, as dry runs", function()
    local live = support.start()
    local agent = mcp.modern(live.host)
    local told = quote(agent, PICTURE)
    assert.is_false(told.live)
    assert.is_false(told.needs_approval)
    assert.truthy(told.missing[1]:find("mcp.live is off", 1, true))
    assert.truthy(told.missing[#told.missing]:find("mcp.budget_usd.per_day", 1, true)) -- all of it is told at once
    local found = submit(agent, told.quote_id)
    assert.is_true(found.data.dry_run)
    assert.equal("done", found.data.status)
    assert.truthy(found.data.reason:find("dry run: nothing was sent", 1, true))
    assert.truthy(found.data.reason:find("mcp.live is off", 1, true))
    local again = submit(agent, told.quote_id)
    assert.equal(found.data.job_id, again.data.job_id)
    assert.is_true(again.data.replayed and again.data.dry_run)
    assert.equal(0, live:paid())
    live:remove()
  end)

  it("is not spent while the host's own switch is off, and says which", function()
    local live = start(nil, function(config) config.live.providers.fal.enabled = false end)
    local agent = mcp.modern(live.host)
    local told = quote(agent, PICTURE)
    assert.is_false(told.live)
    local found = submit(agent, told.quote_id)
    assert.is_true(found.data.dry_run)
    assert.truthy(found.data.reason:find("fal", 1, true), found.data.reason)
    assert.equal(0, live:paid())
    live:remove()
  end)

  it("has a budget of its own, of all keys together and over restarts, beside the host's", function()
    local live = start({ budget_usd = { per_day = 0.01, per_month = 1 } })
    local agent = mcp.modern(live.host)
    local jobs = 0
    for i = 1, 6 do
      local found = submit(agent, quote(agent, picture("budget " .. i)).quote_id)
      if found.refused then
        assert.equal("over_budget", found.data.error)
        assert.truthy(found.text:find("mcp.budget_usd", 1, true), found.text)
      else
        jobs = jobs + 1
      end
      if i == 4 then
        live.host:kill()
        live.host:start_again()
      end
    end
    assert.equal(3, jobs)
    local told = quote(agent, picture "too much")
    assert.is_false(told.live)
    assert.truthy(told.missing[1]:find("mcp.budget_usd.per_day", 1, true))
    assert.is_true(told.budget_left_usd < RESERVED)
    live:job("fal", { prompt = "by REST" }) -- what comes another way is not counted, and not hindered
    local budget = live:budget()
    assert.equal(0.01, budget.mcp.day.limit_usd)
    assert.is_true(budget.mcp.day.reserved_usd + budget.mcp.day.spent_usd <= 0.0095)
    assert.is_true(budget.host.day.reserved_usd + budget.host.day.spent_usd > 0.0095)
    local doors = {}
    for _, day in ipairs(budget.days) do doors[day.door or "-"] = day.jobs end
    assert.same({ mcp = 3, ["-"] = 1 }, doors)
    live:remove()
  end)

  it("is given back to its budget when a job ends, after a restart too", function()
    local live = start(nil, nil, { simulate = { "--fault", "replicate:never_ending:1" } })
    local agent = mcp.modern(live.host)
    local job = submit(agent, quote(agent, { provider = "replicate", job = support.JOBS.replicate.job }).quote_id).data.job_id
    assert.equal(RESERVED, live:budget().mcp.day.reserved_usd)
    live.host:eventually(function() return live:status(job).vendor_id end)
    live.host:kill()
    live.host:start_again()
    assert.equal(RESERVED, live:budget().mcp.day.reserved_usd)
    assert.is_nil(agent:call("cancel_job", { job_id = job }).refused)
    local ended = live:ended(job)
    assert.equal("canceled", ended.status)
    live.host:eventually(function()
      local day = live:budget().mcp.day
      return day.reserved_usd == 0 and day.spent_usd == ended.money.spent_usd
    end)
    live:remove()
  end)

  it("is not spent beyond its budget by many at once", function()
    local live = start({ budget_usd = { per_day = 0.03, per_month = 1 } }, function(config) config.server.threads = 64 end)
    local agent = mcp.modern(live.host)
    local clients = {}
    for i = 1, 24 do
      local id = quote(agent, picture("crowd " .. i)).quote_id
      clients[i] = require("spec.support.http").connect(live.host.port)
      local headers, body = agent:format("tools/call", { name = "submit", arguments = { quote_id = id, max_cost_usd = 1 } })
      clients[i]:send("POST", "/mcp", body, headers)
      if i % 5 == 0 then socket.sleep(0.01) end
    end
    local taken = 0
    for _, client in ipairs(clients) do
      if not mcp.read(client:receive()).refused then taken = taken + 1 end
      client:close()
    end
    assert.equal(10, taken)
    live.host:eventually(function() return live:paid() == 10 end)
    live:remove()
  end)
end)
