-- The recorded exchanges that need quotes and jobs: the same requests in the same order, with this host's ids for the
-- recorded ones.
local case = require "spec.support.mcp_case"
local mcp = require "spec.support.mcp"
local support = require "spec.support.live"

local ELICITATION = { elicitation = { form = {} } }

local function id(n) return ("01a21300-0000-7000-8000-%012d"):format(n) end

-- Every text of a request that names a recorded id or state, by what stands for it here.
local function replace(value, names)
  if type(value) == "string" then return names[value] or value end
  if type(value) ~= "table" then return value end
  for name, item in pairs(value) do value[name] = replace(item, names) end
  return value
end

describe("a recorded exchange about money", function()
  local live, agent, names, prompts, recorded_by_name

  setup(function()
    live = support.start { config = function(config)
      config.mcp = { live = true, budget_usd = { per_day = 10, per_month = 10 }, approve_above_usd = 0.01, approval = "client" }
    end }
    agent = mcp.modern(live.host, { capabilities = ELICITATION })
    names, prompts, recorded_by_name = {}, 0, {}
    for _, recorded in ipairs(case.all()) do recorded_by_name[recorded.name] = recorded end
  end)
  teardown(function() live:remove() end)

  local function remember(recorded, found)
    local events = recorded.response.events
    local result = (events and events[#events].data or recorded.response.body or {}).result or {}
    for _, member in ipairs { "quote_id", "job_id" } do
      local was, is = (result.structuredContent or {})[member], found.data and found.data[member]
      if type(was) == "string" and is and not names[was] then names[was] = is end
    end
    if result.requestState then names[result.requestState] = found.result.requestState end
  end

  -- Sends it, holds the answer against it, and returns the answer and what was paid meanwhile.
  local function play(name)
    local recorded = assert(recorded_by_name[name], name)
    local before = live:paid()
    replace(recorded.request, names)
    local found = case.send(live.host, recorded)
    if recorded.must["result.structuredContent.job_id"] == "the same as before" then
      recorded.must["result.structuredContent.job_id"] = names[id(2)]
    end
    case.check(recorded, found)
    remember(recorded, found)
    if recorded.must.spend == "nothing leaves the host" then assert.equal(before, live:paid(), name) end
    return found, before
  end

  local function paid_since(before)
    return live.host:eventually(function() return live:paid() > before and live:paid() - before end)
  end

  -- A quote for which a recorded one stands: of four pictures, dear enough to need a yes.
  local function quote_for(n, arguments)
    prompts = prompts + 1
    local found = agent:call("quote", arguments or { provider = "fal", model = "fal-ai/flux/schnell",
      prompt = "lighthouse " .. prompts, parameters = { samples = 4 } })
    names[id(n)] = assert(found.data.quote_id, found.text)
    return found.data
  end

  -- The question, whose state stands for the recorded one of this request.
  local function ask_for(n, name)
    quote_for(n)
    local found = agent:call("submit", { quote_id = names[id(n)], max_cost_usd = 0.05 })
    assert.equal("input_required", found.result.resultType)
    names[recorded_by_name[name].request.body.params.requestState] = found.result.requestState
  end

  it("is answered as it was: a quote, its job, and the same job again", function()
    play "2026-07-28: tools/call search_models"
    play "2026-07-28: tools/call quote"
    local _, before = play "2026-07-28: submit"
    play "2026-07-28: submit repeated with the same quote"
    assert.equal(1, paid_since(before))
    local waited = play "2026-07-28: get_job waits and tells progress"
    assert.equal("done", waited.data.status)
    assert.equal(1, live:paid() - before)
  end)

  it("is answered as it was: the same request once more, by mistake and on purpose", function()
    local told = quote_for(3, { provider = "fal", model = "fal-ai/flux/schnell", prompt = "a lighthouse at night" })
    assert.equal(names[id(2)], told.same_request[1].job_id)
    local refused = play "2026-07-28: submit of a request that was paid before"
    assert.truthy(refused.text:find(names[id(2)], 1, true))
    local _, before = play "2026-07-28: submit once more, on purpose"
    assert.equal(1, paid_since(before))
    assert.are_not.equal(names[id(2)], names[id(4)])
  end)

  it("is answered as it was: a wait that its client leaves, and a job that it cancels", function()
    local job = live:job("runway")
    names[id(6)] = job
    local wait = recorded_by_name["2026-07-28: the client closes the stream of a wait"]
    local client = agent:begin("tools/call", { name = "get_job", arguments = replace(wait.request.body.params.arguments, names),
      _meta = { progressToken = 16 } })
    assert.equal("notifications/progress", mcp.next_event(client).method)
    client:close()
    play "2026-07-28: get_job after the stream was closed"
    play "2026-07-28: cancel_job"
  end)

  it("is answered as it was: a yes that is needed, and each answer to it", function()
    quote_for(7)
    local refused = play "2026-07-28: submit needs approval, client cannot ask"
    assert.truthy(refused.text:find("providerd approve", 1, true))
    quote_for(8)
    local asked = play "2026-07-28: submit needs approval, client can ask: question"
    local _, request = next(asked.result.inputRequests)
    assert.equal("elicitation/create", request.method)
    assert.truthy(request.params.message:find("USD", 1, true))
    local _, before = play "2026-07-28: submit needs approval, client can ask: accepted"
    assert.equal(1, paid_since(before))
    ask_for(10, "2026-07-28: submit needs approval: declined")
    play "2026-07-28: submit needs approval: declined"
    ask_for(11, "2026-07-28: submit needs approval: dismissed")
    play "2026-07-28: submit needs approval: dismissed"
    play "raw: requestState that nobody issued, with a yes"
  end)

  it("is answered as it was, in the legacy era", function()
    play "2025-11-25: tools/call quote"
    local _, before = play "2025-11-25: tools/call submit"
    assert.equal(1, paid_since(before))
    play "2025-11-25: get_job waits and tells progress"
    quote_for(18)
    play "2025-11-25: submit needs approval, server without sessions"
  end)
end)
