-- What agents want to pay for, and a person's yes or no: by REST, by the command, in events and webhooks.
local exact = require "spec.support.exact_json"
local hooks = require "spec.support.hooks"
local http = require "spec.support.http"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local registry = require "spec.support.registry"
local run = require("spec.support.host").run
local socket = require "socket"
local support = require "spec.support.live"

local PRICE = 0.24
local NOBODY = "01a21300-0000-7000-8000-000000000001"

describe("approvals", function()
  local live, host, agent, operator
  setup(function()
    live = support.start { config = function(config)
      config.mcp = { live = true, budget_usd = { per_day = 100, per_month = 100 } }
      config.hooks = { enabled = true, allow_loopback = true }
      config.server.api_keys = { keys.entry("agent", { may = { "read", "submit", "live" } }), keys.entry "operator",
        keys.entry("narrow", { sees = "own" }) }
    end }
    host = live.host
    agent = mcp.modern(host, { headers = keys.headers "agent" })
    operator = keys.headers "operator"
  end)
  teardown(function() live:remove() end)

  local function quote(prompt, wanted)
    local found = agent:call("quote", wanted or { provider = "runway", prompt = prompt, parameters = { duration = 2 } })
    assert(not found.refused, found.text)
    return found.data.quote_id
  end

  local function submit(id, more)
    local arguments = { quote_id = id, max_cost_usd = 1 }
    for name, value in pairs(more or {}) do arguments[name] = value end
    return agent:call("submit", arguments)
  end

  -- A quote that waits for a yes.
  local function waiting(prompt, wanted, more)
    local id = quote(prompt, wanted)
    local found = submit(id, more)
    assert.equal("approval_required", found.data.error, found.text)
    return id, found
  end

  local function list()
    return host:get("/api/approvals", operator).json.approvals
  end

  local function of_list(id)
    for _, approval in ipairs(list()) do
      if approval.quote_id == id then return approval end
    end
  end

  local function events(kind)
    return host:get("/api/events/history?type=host.approval." .. kind, operator).json.events
  end

  local function of_events(kind, id)
    local found = {}
    for _, event in ipairs(events(kind)) do
      if event.data.quote_id == id then found[#found + 1] = event.data end
    end
    return found
  end

  local function give(id, body, headers) return host:post("/api/approvals/" .. id, body or {}, headers or operator) end
  local function refuse(id, headers) return host:request("DELETE", "/api/approvals/" .. id, nil, headers or operator) end

  it("are asked for once for each quote, with all that a person must know, and nothing is paid", function()
    local before = live:paid()
    local id, found = waiting "a door"
    assert.equal(id, found.data.quote_id)
    assert.equal(PRICE, found.data.amount_usd)
    assert.truthy(found.data.message:find("providerd approve " .. id, 1, true))
    for _ = 1, 3 do assert.equal("approval_required", submit(id).data.error) end
    local approval = of_list(id)
    assert.equal("waiting", approval.state)
    assert.equal("agent", approval.api_key)
    assert.equal("runway", approval.provider)
    assert.equal("video", approval.kind)
    assert.equal(PRICE, approval.amount_usd)
    assert.same({ prompt = "a door", parameters = { duration = 2 } }, approval.request)
    local told = of_events("requested", id)
    assert.equal(1, #told)
    assert.equal(PRICE, told[1].amount_usd)
    assert.equal("agent", told[1].api_key)
    assert.equal(before, live:paid())
  end)

  it("are told to a webhook: that one is asked for, once, and what was said", function()
    local receiver = hooks.start_receiver()
    local wanted = { url = hooks.url_of(receiver), events = { "host.approval.*" } }
    local added = host:post("/api/modder/hooks/webhooks", wanted, operator)
    assert.equal(201, added.status, added.body)
    local id = waiting "a bell"
    submit(id)
    give(id)
    local types = {}
    for i, delivery in ipairs(hooks.await(receiver, 2)) do
      local event = exact.decode(delivery.body)
      types[i] = event.type
      assert.equal(id, event.data.quote_id)
    end
    assert.same({ "host.approval.requested", "host.approval.given" }, types)
    refuse(id)
    hooks.stop_receiver(receiver)
  end)

  it("let the quote be paid, once", function()
    local before = live:paid()
    local id = waiting "a window"
    local given = give(id, { amount_usd = PRICE })
    assert.equal(200, given.status, given.body)
    assert.equal("approved", given.json.approval.state)
    assert.equal("operator", given.json.approval.by)
    assert.equal(200, give(id).status) -- it is no news
    local found = submit(id)
    assert.is_nil(found.refused, found.text)
    assert.equal(found.data.job_id, submit(id).data.job_id)
    assert.equal("operator", of_events("given", id)[1].by)
    assert.equal(1, #of_events("given", id))
    assert.is_nil(of_list(id))
    host:eventually(function() return live:paid() == before + 1 end)
    assert.equal(409, give(id).status)
    assert.equal(409, refuse(id).status)
  end)

  it("can be refused, and taken back", function()
    local before = live:paid()
    local id = waiting "a roof"
    assert.equal("refused", refuse(id).json.approval.state)
    assert.equal(200, refuse(id).status) -- it is no news
    assert.equal("refused", submit(id).data.error)
    assert.equal(1, #of_events("refused", id))
    assert.equal(200, give(id).status)
    assert.equal("refused", refuse(id).json.approval.state)
    assert.equal("refused", submit(id).data.error)
    assert.equal("refused", of_list(id).state)
    assert.equal(before, live:paid())
    assert.equal(200, give(id).status)
    assert.is_nil(submit(id).refused)
  end)

  it("are for an amount: of a request whose price nobody knows it is what the agent may spend", function()
    local wanted = { provider = "modal", job = support.JOBS.modal.job }
    local id = quote(nil, wanted)
    assert.equal(409, give(id).status) -- there is no amount yet
    assert.equal("approval_required", submit(id, { max_cost_usd = 0.05 }).data.error)
    assert.equal(0.05, of_list(id).amount_usd)
    assert.equal("approval_required", submit(id, { max_cost_usd = 0.5 }).data.error)
    assert.equal(0.5, of_list(id).amount_usd)
    assert.equal(409, give(id, { amount_usd = 0.05 }).status) -- the person has seen another one
    assert.equal(200, give(id, { amount_usd = 0.5 }).status)
    assert.equal("approval_required", submit(id, { max_cost_usd = 0.6 }).data.error)
    assert.equal("waiting", of_list(id).state)
    local found = submit(id, { max_cost_usd = 0.5 })
    assert.is_nil(found.refused, found.text)
    assert.equal(0.5, found.data.money.reserved_usd)
    assert.equal(1, #of_events("requested", id))
  end)

  it("may be given before anybody asks, where the price is known", function()
    local id = quote "a wall"
    assert.equal(200, give(id).status)
    assert.is_nil(submit(id).refused)
    assert.same({}, of_events("requested", id))
  end)

  it("are not asked for below the amount of the configuration, nor for a dry run", function()
    local settings = live.settings
    settings.mcp.approve_above_usd = PRICE
    host:write("config/comfyvn.json", exact.encode(settings))
    host:eventually(function() return agent:call("get_budget").data.approve_above_usd == PRICE end)
    local found = submit(quote "a floor")
    assert.is_nil(found.refused, found.text)
    settings.mcp.approve_above_usd = 0
    host:write("config/comfyvn.json", exact.encode(settings))
    host:eventually(function() return agent:call("get_budget").data.approve_above_usd == 0 end)
    assert.equal("approval_required", submit(quote "another floor").data.error)
  end)

  it("are for who may operate, and sees all", function()
    local id = waiting "a lock"
    for _, name in ipairs { "agent", "narrow" } do
      local headers = keys.headers(name)
      assert.equal(403, host:get("/api/approvals", headers).status)
      assert.equal(403, give(id, {}, headers).status)
      assert.equal(403, refuse(id, headers).status)
    end
    assert.equal(401, give(id, {}, { ["X-API-Key"] = "nobody" }).status)
    assert.equal("waiting", of_list(id).state)
  end)

  for name, case in pairs {
    ["an id that is none"] = { "nonsense", {}, 404 },
    ["an id of nothing"] = { NOBODY, {}, 404 },
    ["a member that is not known"] = { nil, { amount = 1 }, 400 },
    ["an amount that is text"] = { nil, { amount_usd = "1" }, 400 },
    ["an amount below zero"] = { nil, { amount_usd = -1 }, 400 },
    ["another amount"] = { nil, { amount_usd = 0.25 }, 409 },
    ["a list"] = { nil, "[]", 400 },
  } do
    it("refuse " .. name, function()
      local id = case[1] or waiting("a fence " .. name)
      local answer = give(id, case[2])
      assert.equal(case[3], answer.status, answer.body)
      assert.is_string(answer.json.detail)
      if not case[1] then assert.equal("waiting", of_list(id).state) end
    end)
  end

  it("refuse a quote whose hour is over, and give one that is approved another hour", function()
    local id, late = waiting "a gate", waiting "a late gate"
    local soon = os.time() * 1000 + 60000
    local function of(which) return "WHERE id = " .. registry.id(host, which) end
    registry.sql(host, ("UPDATE quote SET expires_ms = %d %s"):format(soon, of(id)))
    registry.sql(host, "UPDATE quote SET expires_ms = 1 " .. of(late))
    assert.equal(409, give(late).status)
    assert.is_nil(of_list(late))
    assert.equal("quote_expired", submit(late).data.error)
    assert.equal(200, give(id).status)
    local expires = registry.sql(host, "SELECT expires_ms FROM quote " .. of(id)):match "%d+"
    assert.is_true(tonumber(expires) > soon + 3000000)
  end)

  it("outlive kill -9", function()
    local yes, no = waiting "a tower", waiting "a ruin"
    give(yes)
    refuse(no)
    host:kill()
    host:start_again()
    assert.equal("approved", of_list(yes).state)
    assert.is_nil(submit(yes).refused)
    assert.equal("refused", submit(no).data.error)
  end)

  it("show large requests cut", function()
    local id = waiting(nil, { provider = "runway", prompt = ("long "):rep(190), parameters = { duration = 2 } })
    assert.is_true(#of_list(id).request.prompt < 600)
    refuse(id)
  end)
end)

describe("an approval that is taken back while its quote is submitted", function()
  it("counts as it is when the job would be written", function()
    local live = support.start { env = { PROVIDERD_TEST_STALL = "store:commit:0.6" }, config = function(config)
      config.mcp = { live = true, budget_usd = { per_day = 9, per_month = 9 } }
    end }
    local agent = mcp.modern(live.host)
    local id = agent:call("quote", { provider = "fal", prompt = "a coin" }).data.quote_id
    assert.equal(200, live.host:post("/api/approvals/" .. id, {}).status)
    local operator = http.connect(live.host.port)
    operator:send("DELETE", "/api/approvals/" .. id)
    socket.sleep(0.2) -- it is being written: whoever looks now still sees the yes
    local found = agent:call("submit", { quote_id = id, max_cost_usd = 1 })
    assert.equal(200, operator:receive().status)
    operator:close()
    assert.equal("refused", found.data.error, found.text)
    assert.equal(0, live:paid())
    assert.equal(0, live:budget().host.day.reserved_usd)
    live:remove()
  end)
end)

describe("an approval of a very large request", function()
  it("is shown by what names it, and hides no other", function()
    local live = support.start { config = function(config)
      config.mcp = { live = true, budget_usd = { per_day = 9, per_month = 9 } }
    end }
    finally(function() live:remove() end)
    local agent = mcp.modern(live.host)
    local function ask(wanted)
      local id = agent:call("quote", wanted).data.quote_id
      assert.equal("approval_required", agent:call("submit", { quote_id = id, max_cost_usd = 1 }).data.error)
      return id
    end
    local small = ask { provider = "fal", prompt = "a boat" }
    local large
    for k = 1, 4 do
      local input = { prompt = "a fleet " .. k }
      for i = 1, 20000 do input[("ship%05d"):format(i)] = ("x"):rep(60) end
      large = ask { provider = "runpod", job = { endpoint_id = "abc123", input = input } }
    end
    local answer, shown = live.host:get("/api/approvals"), {}
    assert.is_true(#answer.body < 8192, #answer.body)
    for _, approval in ipairs(answer.json.approvals) do shown[approval.quote_id] = approval.request end
    assert.equal("a boat", shown[small].prompt)
    assert.equal("abc123", shown[large].endpoint_id)
    assert.equal("a fleet 4", shown[large].prompt)
    assert.is_true(shown[large].too_large_bytes > 1000000)
    assert.equal(200, live.host:post("/api/approvals/" .. large, { amount_usd = 1 }).status)
  end)
end)

-- The agent of one key that asks and asks, beside that of another one.
describe("approvals that an agent asks for without end", function()
  it("leave room for those of others, and are told until as many wait as a person may read", function()
    local live = support.start { config = function(config)
      config.mcp = { live = true, budget_usd = { per_day = 9, per_month = 9 } }
      config.server.api_keys = { keys.entry "greedy", keys.entry "other", keys.entry "operator" }
    end }
    finally(function() live:remove() end)
    local operator = keys.headers "operator"
    local function ask(name, prompt)
      local agent = mcp.modern(live.host, { headers = keys.headers(name) })
      local id = agent:call("quote", { provider = "fal", prompt = prompt }).data.quote_id
      local found = agent:call("submit", { quote_id = id, max_cost_usd = 1 })
      assert.equal("approval_required", found.data.error, found.text)
      return id, found.data.message, agent
    end
    local id = ask("other", "one boat")
    local ids, untold = {}, 0
    for i = 1, 60 do
      local message
      ids[i], message = ask("greedy", "boat " .. i)
      if message:find("He was not told", 1, true) then untold = untold + 1 end
    end
    assert.equal(10, untold)
    local listed, found = live.host:get("/api/approvals", operator).json.approvals, false
    for _, approval in ipairs(listed) do found = found or approval.quote_id == id end
    assert.equal(51, #listed)
    assert.is_true(found)
    assert.equal(51, #live.host:get("/api/events/history?limit=500&type=host.approval.requested", operator).json.events)
    -- each that is decided on makes room, and one that did not get in can be said yes to all the same
    assert.equal(200, live.host:request("DELETE", "/api/approvals/" .. ids[1], nil, operator).status)
    local _, message = ask("greedy", "a last boat")
    assert.is_nil(message:find("He was not told", 1, true), message)
    assert.equal(200, live.host:post("/api/approvals/" .. ids[60], {}, operator).status)
    local agent = mcp.modern(live.host, { headers = keys.headers "greedy" })
    assert.is_nil(agent:call("submit", { quote_id = ids[60], max_cost_usd = 1 }).refused)
  end)
end)

describe("providerd approve", function()
  local live, agent, base
  setup(function()
    live = support.start { config = function(config)
      config.mcp = { live = true, budget_usd = { per_day = 9, per_month = 9 } }
    end }
    agent = mcp.modern(live.host)
    base = "http://127.0.0.1:" .. live.host.port
  end)
  teardown(function() live:remove() end)

  local function approve(...) return run { "approve", "--base", base, ... } end

  local function waiting(prompt)
    local id = agent:call("quote", { provider = "fal", prompt = prompt }).data.quote_id
    assert.equal("approval_required", agent:call("submit", { quote_id = id, max_cost_usd = 1 }).data.error)
    return id
  end

  it("lists what waits, says yes and no", function()
    local code, out = approve()
    assert.equal(0, code)
    assert.equal("nothing waits for an approval\n", out)
    local id, other = waiting "a boat\27[2J\u{9b}2J\u{202e}", waiting "a plane"
    code, out = approve()
    assert.equal(0, code)
    assert.truthy(out:find(id, 1, true) and out:find("$0.006", 1, true) and out:find("a boat", 1, true), out)
    for _, odd in ipairs { "\27", "\u{9b}", "\u{202e}" } do assert.is_nil(out:find(odd, 1, true)) end
    code, out = approve(id)
    assert.equal(0, code)
    assert.matches("^approved  " .. id:gsub("%-", "%%-") .. "  fal  up to %$0%.006", out)
    assert.is_nil(agent:call("submit", { quote_id = id, max_cost_usd = 1 }).refused)
    code, out = approve(other, "--refuse", "--json")
    assert.equal(0, code)
    assert.equal("refused", exact.decode(out).approval.state)
    assert.equal("refused", agent:call("submit", { quote_id = other, max_cost_usd = 1 }).data.error)
  end)

  it("says yes to the amount that was read, not to what it has become", function()
    local wanted = { provider = "runpod", job = support.JOBS.runpod.job }
    local id = agent:call("quote", wanted).data.quote_id
    agent:call("submit", { quote_id = id, max_cost_usd = 0.05 })
    local _, out = approve()
    assert.truthy(out:find("$0.05 ", 1, true) and out:find("a lighthouse", 1, true), out)
    agent:call("submit", { quote_id = id, max_cost_usd = 5 })
    local code, _, err = approve(id, "--amount", "0.05")
    assert.equal(1, code)
    assert.truthy(err:find("5.000000 USD are asked for now", 1, true), err)
    assert.equal("approval_required", agent:call("submit", { quote_id = id, max_cost_usd = 5 }).data.error)
    assert.equal(0, (approve(id, "--amount", "5")))
    assert.is_nil(agent:call("submit", { quote_id = id, max_cost_usd = 5 }).refused)
  end)

  it("shows at a terminal what is asked for, and asks", function()
    local id = waiting "a bridge"
    local function at_terminal(quote, says)
      local pipe = io.popen(("echo %s | script -qec '%s approve %s --base %s' /dev/null; echo exit $?"):format(says,
        os.getenv "PROVIDERD" or "build/providerd", quote, base))
      local shown = pipe:read "a"
      pipe:close()
      return shown
    end
    local shown = at_terminal(id, "n")
    assert.truthy(shown:find("up to $0.006", 1, true) and shown:find("exit 1", 1, true), shown)
    assert.equal("approval_required", agent:call("submit", { quote_id = id, max_cost_usd = 1 }).data.error)
    assert.truthy(at_terminal(NOBODY, "y"):find("not among those that wait", 1, true))
    assert.truthy(at_terminal(id, "y"):find("exit 0", 1, true))
    assert.is_nil(agent:call("submit", { quote_id = id, max_cost_usd = 1 }).refused)
  end)

  it("says what is wrong", function()
    for _, amount in ipairs { "one", "-1", "1x", "inf", "" } do assert.equal(64, (approve(NOBODY, "--amount", amount))) end
    assert.equal(64, (approve("--amount", "1")))
    assert.equal(64, (approve(NOBODY, "--amount", "1", "--refuse")))
    local code, _, err = approve(NOBODY)
    assert.equal(1, code)
    assert.truthy(err:find("404", 1, true))
    code, _, err = approve("no/such")
    assert.equal(64, code)
    assert.truthy(err:find("usage: providerd approve", 1, true))
    assert.equal(64, (approve("--refuse")))
    assert.equal(1, (run { "approve", "--base", "http://127.0.0.1:1" }))
  end)
end)
