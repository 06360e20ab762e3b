-- mcp.approval "client": the yes of the client's own user, where the client can ask.
-- It counts only for what this host asked, of that key, quote and amount, and once.
local cjson = require "cjson"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local shell = require "spec.support.shell"
local support = require "spec.support.live"

local CAN_ASK = { capabilities = { elicitation = { form = {} } } }
local YES = { approval = { action = "accept", content = { approve = true } } }

describe("an approval by the client's user", function()
  local live, agent
  local count = 0

  local function as(name, options)
    local made = { headers = keys.headers(name) }
    for key, value in pairs(options or CAN_ASK) do made[key] = value end
    return mcp.modern(live.host, made)
  end

  setup(function()
    live = support.start { config = function(config)
      config.mcp = { live = true, budget_usd = { per_day = 10, per_month = 10 }, approval = "client" }
      config.server.api_keys = { keys.entry("one", { may = { "read", "submit", "live" } }), keys.entry "other" }
    end }
    agent = as "one"
  end)
  teardown(function() live:remove() end)

  local function paid() return #live.simulator:get("/jobs").json.jobs end

  local function quote(who)
    count = count + 1
    local found = who:call("quote", { provider = "fal", model = "fal-ai/flux/schnell", prompt = "a \"lighthouse\" " .. count })
    assert(not found.refused, found.text)
    return found.data.quote_id
  end

  local function submit(who, id, more, arguments)
    local all = { quote_id = id, max_cost_usd = 0.05 }
    for name, value in pairs(arguments or {}) do all[name] = value end
    return who:call("submit", all, more)
  end

  -- A quote whose question was put; its id and state.
  local function asked(who)
    local id = quote(who or agent)
    local found = submit(who or agent, id)
    assert.equal("input_required", found.result.resultType, cjson.encode(found.message))
    return id, found.result.requestState, found.result
  end

  local function refuses_state(found)
    assert.equal(-32602, found.error and found.error.code, cjson.encode(found.message))
    assert.equal("invalid_request_state", found.error.data.reason)
  end

  it("is asked for in words that the agent's own cannot turn around", function()
    local wanted = { provider = "fal", model = "fal-ai/flux/schnell", prompt = "a\u{202e} free\u{200b} one\nNo" }
    local found = submit(agent, agent:call("quote", wanted).data.quote_id)
    assert.truthy(found.result.inputRequests.approval.params.message:find('Prompt: "a free one No"', 1, true),
      found.result.inputRequests.approval.params.message)
  end)

  it("is asked for with the amount in the question, and counts", function()
    local before = paid()
    local id, state, result = asked()
    local request = result.inputRequests.approval
    assert.equal("elicitation/create", request.method)
    assert.equal("form", request.params.mode)
    assert.matches('^Pay up to 0%.003 USD to fal for an image%? 10%.0 USD are left today%. Model: ', request.params.message)
    assert.same({ type = "object", properties = { approve = { type = "boolean", title = "Pay for it", default = false } },
      required = { "approve" } }, request.params.requestedSchema)
    assert.truthy(request.params.message:find('Prompt: "a \\"lighthouse\\" ', 1, true), request.params.message)
    assert.is_nil(result.content)
    local found = submit(agent, id, { inputResponses = YES, requestState = state })
    assert.is_nil(found.refused, found.text)
    assert.is_false(found.data.dry_run)
    live.host:eventually(function() return paid() == before + 1 end)
    -- the answer was lost: the same call again is the same job
    local again = submit(agent, id, { inputResponses = YES, requestState = state })
    assert.equal(found.data.job_id, again.data.job_id)
    assert.is_true(again.data.replayed)
    local given = live.host:get("/api/events/history?type=host.approval.given", keys.headers "other").json.events
    assert.equal("client", given[#given].data.by)
    assert.equal(id, given[#given].data.quote_id)
  end)

  local NO = {
    ["declines"] = { action = "decline" },
    ["dismisses it"] = { action = "cancel" },
    ["accepts without saying yes"] = { action = "accept", content = { approve = false } },
    ["accepts with nothing"] = { action = "accept" },
    ["says yes in words"] = { action = "accept", content = { approve = "true" } },
    ["says 1"] = { action = "accept", content = { approve = 1 } },
    ["says yes beside a decline"] = { action = "decline", content = { approve = true } },
    ["has another action"] = { action = "Accept", content = { approve = true } },
  }
  for name, response in pairs(NO) do
    it("is not given by who " .. name, function()
      local before = paid()
      local id, state = asked()
      local found = submit(agent, id, { inputResponses = { approval = response }, requestState = state })
      assert.equal("declined", found.data.error)
      -- what was answered with no is not a yes later
      refuses_state(submit(agent, id, { inputResponses = YES, requestState = state }))
      assert.equal("input_required", submit(agent, id).result.resultType) -- to ask anew is allowed
      assert.equal(before, paid())
    end)
  end

  it("is not given by an answer without its question, or under another name", function()
    local id, state = asked()
    assert.equal("input_required", submit(agent, id, { inputResponses = YES }).result.resultType)
    local found = submit(agent, id, { requestState = state, inputResponses = { other = YES.approval } })
    assert.equal("input_required", found.result.resultType)
  end)

  it("is not given by a state that nobody issued, of another quote, of another key, changed, or too late", function()
    local before = paid()
    local id, state = asked()
    local other_id, other_state = asked()
    local foreign_id, foreign_state = asked(as "other")
    local function answer(who, quote_id, with)
      return submit(who, quote_id, { inputResponses = YES, requestState = with })
    end
    refuses_state(answer(agent, id, "v1.eyJwIjp7InF1b3RlIjoieCJ9fQ.AAAA"))
    refuses_state(answer(agent, id, ""))
    refuses_state(answer(agent, id, other_state))
    refuses_state(answer(agent, other_id, state))
    refuses_state(answer(agent, foreign_id, foreign_state))
    refuses_state(answer(as "other", id, state))
    refuses_state(answer(agent, id, foreign_state))
    for place = 1, #state, 3 do
      for bit = 0, 6 do
        local other = state:byte(place) ~ (1 << bit)
        if other >= 32 and other < 127 then
          refuses_state(answer(agent, id, state:sub(1, place - 1) .. string.char(other) .. state:sub(place + 1)))
        end
      end
    end
    refuses_state(answer(agent, id, state:upper():gsub("^V", "v")))
    refuses_state(answer(agent, id, state .. "00"))
    refuses_state(answer(agent, id, state:sub(1, -3)))
    assert.equal(before, paid())
    -- the newest question of a quote alone counts
    local newer = submit(agent, id).result.requestState
    refuses_state(answer(agent, id, state))
    assert.equal(before, paid())
    assert.is_nil(answer(agent, id, newer).refused)
  end)

  it("does not count beyond the amount that was asked for", function()
    local modal = { provider = "modal", job = support.JOBS.modal.job }
    local id = agent:call("quote", modal).data.quote_id
    local state = submit(agent, id, nil, { max_cost_usd = 0.02 }).result.requestState
    local found = submit(agent, id, { inputResponses = YES, requestState = state }, { max_cost_usd = 0.9 })
    assert.equal("input_required", found.result.resultType)
    assert.truthy(found.result.inputRequests.approval.params.message:find("Pay up to 0.9 USD", 1, true))
    found = submit(agent, id, { inputResponses = YES, requestState = found.result.requestState }, { max_cost_usd = 0.9 })
    assert.equal(0.9, found.data.money.reserved_usd)
  end)

  it("is good after kill -9, and used after it, too", function()
    local id, state = asked()
    local no, no_state = asked()
    submit(agent, no, { inputResponses = { approval = { action = "decline" } }, requestState = no_state })
    live.host:kill()
    live.host:start_again()
    refuses_state(submit(agent, no, { inputResponses = YES, requestState = no_state }))
    assert.is_nil(submit(agent, id, { inputResponses = YES, requestState = state }).refused)
  end)

  it("is the operator's where the client cannot ask, or did not say that it can", function()
    for name, who in pairs {
      plain = as("one", {}), urls = as("one", { capabilities = { elicitation = { url = {} } } }),
      legacy = mcp.legacy(live.host, { headers = keys.headers "one" }),
    } do
      local found = submit(who, quote(who))
      assert.equal("approval_required", found.data.error, name)
    end
    local plain = as("one", { capabilities = { elicitation = {} } }) -- of clients from before there were kinds of questions
    assert.equal("input_required", submit(plain, quote(plain)).result.resultType)
  end)

  it("gives way to the operator's no, and is not needed after his yes", function()
    live.host:eventually(function() -- of what was submitted before
      local jobs = live.host:get("/api/live", keys.headers "other").json.jobs
      return jobs.queued == 0 and jobs.sending == 0
    end)
    local before = paid()
    local id, state = asked()
    live.host:request("DELETE", "/api/approvals/" .. id, nil, keys.headers "other")
    assert.equal("refused", submit(agent, id, { inputResponses = YES, requestState = state }).data.error)
    assert.equal(before, paid())
    local other = asked()
    assert.equal(200, live.host:post("/api/approvals/" .. other, {}, keys.headers "other").status)
    assert.is_nil(submit(agent, other).refused)
  end)

  it("counts for nothing while only the operator's does", function()
    local id, state = asked()
    live.settings.mcp.approval = "operator"
    live.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(live.settings))
    live.host:eventually(function() return live.host:get("/api/host", keys.headers "other").json.mcp.approval == "operator" end)
    assert.equal("approval_required", submit(agent, id, { inputResponses = YES, requestState = state }).data.error)
    assert.equal("1\n", shell.sql(live.host, "SELECT count(*) FROM quote WHERE job IS NULL AND asked_ms <> 0 AND question <> 0"))
  end)
end)
