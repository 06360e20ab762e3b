-- The events of live jobs, against the simulator: each change is told once, in order, as it was at that moment.
local event_stream = require "spec.support.event_stream"
local support = require "spec.support.live"

describe("the events of a live job", function()
  local live

  setup(function() live = support.start { hurry = 8 } end)
  teardown(function() live:remove() end)

  local function verbs(events)
    local list = {}
    for i, event in ipairs(events) do list[i] = event.type:match("[^.]+$") end
    return list
  end

  local function history(job_id)
    return live.host:get("/api/events/history?limit=500&job=" .. job_id).json.events
  end

  it("come as a stream that ends when the job is over", function()
    local job_id = live:job("luma")
    local stream = event_stream.open(live.host, "/api/jobs/" .. job_id .. "/events")
    local events = {}
    for event in function() return stream:next(60) end do events[#events + 1] = event.json end
    assert.is_true(stream.ended)
    local told = verbs(events)
    assert.same({ "submit", "sent" }, { told[1], told[2] })
    assert.same({ "artifact", "done", "settled" }, { told[#told - 2], told[#told - 1], told[#told] })
    for i = 3, #told - 3 do assert.equal("progress", told[i]) end
    assert.equal("/api/jobs/" .. job_id .. "/artifacts/0", events[#told - 2].data.artifacts[1].url)
    assert.same(events, history(job_id))
  end)

  it("say that it was sent also where the vendor answers with the work itself", function()
    for _, vendor in ipairs { "stability", "modal", "hf_inference_endpoints" } do
      local job_id = live:job(vendor)
      assert.equal("done", live:ended(job_id).status)
      local events = history(job_id)
      assert.same({ "submit", "sent" }, { verbs(events)[1], verbs(events)[2] }, vendor)
      assert.equal("running", events[2].data.status)
      assert.same({ "done", "settled" }, { verbs(events)[#events - 1], verbs(events)[#events] }, vendor)
    end
  end)

  it("end with the job also when the last of them does not pass the filter", function()
    local job_id = live:job("luma")
    local stream = event_stream.open(live.host, "/api/jobs/" .. job_id .. "/events?type=*.submit")
    local events = stream:rest_of_it(60)
    assert.is_true(stream.ended)
    assert.equal("done", live:status(job_id).status)
    assert.equal(1, #events)
    assert.equal("public.video.submit", events[1].json.type)
  end)

  it("show the job as it stood then, also later", function()
    local job_id = live:job("runway")
    live:ended(job_id)
    local events = history(job_id)
    local first, last = events[1].data, events[#events].data
    assert.equal("queued", first.status)
    assert.is_true(first.money.reserved_usd > 0)
    assert.same({}, first.artifacts)
    assert.equal("userdata", type(first.money.spent_usd))
    assert.equal("userdata", type(first.vendor_id))
    assert.equal("string", type(events[2].data.vendor_id))
    assert.equal("done", last.status)
    assert.is_number(last.money.spent_usd)
    assert.equal(events[#events].time, last.updated_at)
    assert.is_true(#last.artifacts > 0)
  end)

  it("say in brief what they say as a whole", function()
    local job_id = live:job("runway")
    live:ended(job_id)
    local whole = history(job_id)
    local brief = live.host:get("/api/events/history?limit=500&fields=brief&job=" .. job_id).json.events
    assert.equal(#whole, #brief)
    for i, event in ipairs(whole) do
      for _, name in ipairs { "job_id", "status", "progress", "created_at", "updated_at", "vendor_id", "reason", "money" } do
        assert.same(event.data[name], brief[i].data[name], event.type .. " " .. name)
      end
      assert.equal("a lighthouse", brief[i].data.prompt)
      assert.equal(#event.data.artifacts, brief[i].data.artifacts, event.type)
      if event.data.artifacts[1] then assert.equal(event.data.artifacts[1].url, brief[i].data.artifact.url) end
      assert.is_nil(brief[i].data.payload)
    end
    assert.equal(1, brief[#brief].data.artifacts)
  end)
end)

describe("the log of a live job", function()
  it("has a line for each of its events", function()
    local live = support.start { hurry = 8 }
    finally(function() live:remove() end)
    local job_id = live:job("stability")
    live:ended(job_id)
    local logs = live.host:get("/api/jobs/logs/" .. job_id).json.logs
    local events = live.host:get("/api/events/history?job=" .. job_id).json.events
    assert.equal(#events, #logs)
    for i, event in ipairs(events) do assert.same({ event.time, event.type }, { logs[i].at, logs[i].event }) end
    assert.equal("registered for stability", logs[1].message)
    assert.matches("^stability has taken it as %x+$", logs[2].message)
    assert.truthy(logs[#logs].message:find("it cost %d+%.%d+ USD"), logs[#logs].message)
  end)
end)

describe("a budget that is too small", function()
  it("is told with the provider and the reason", function()
    local live = support.start { hurry = 8, config = function(config) config.live.providers.luma.budget_usd.per_day = 0.01 end }
    finally(function() live:remove() end)
    assert.equal(402, live:submit("luma").status)
    local event = live.host:eventually(function()
      return live.host:get("/api/events/history?type=host.budget.refused").json.events[1]
    end)
    assert.equal("luma", event.data.provider)
    assert.truthy(event.data.reason:find("budget of provider luma", 1, true), event.data.reason)
  end)
end)
