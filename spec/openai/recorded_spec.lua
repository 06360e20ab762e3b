-- The recorded exchanges of OpenAI's clients: each request that was recorded is understood, and those whose answer is a promise
-- get it.
local hosts = require "spec.support.host"
local live = require "spec.support.live"
local openai_case = require "spec.support.openai_case"

local ALL = openai_case.all()

local function needs(what)
  local found = {}
  for _, case in ipairs(ALL) do
    if case.needs == what then found[#found + 1] = case end
  end
  assert(#found > 0, what)
  return found
end

describe("a recorded exchange, with nothing configured", function()
  local host

  setup(function() host = hosts.start() end)
  teardown(function() host:remove() end)

  for _, case in ipairs(needs "default configuration") do
    it(case.name, function()
      if case.response.sse then return end -- below
      local answer = openai_case.send(host, case)
      if case.name == "models.list" then -- there are more of them by now
        assert.equal(200, answer.status)
        for _, wanted in ipairs(case.response.body.data) do
          local found
          for _, model in ipairs(answer.json.data) do found = found or model.id == wanted.id and model end
          openai_case.like(wanted, found, "body.data")
        end
        return
      end
      openai_case.check(case, answer)
      assert.equal(case.response.status, answer.status)
    end)
  end

  it("as a stream is one completed event", function()
    local count = 0
    for _, case in ipairs(needs "default configuration") do
      if case.response.sse then
        local answer = openai_case.send(host, case)
        assert.equal(200, answer.status)
        assert.equal("text/event-stream", answer.headers["content-type"]:match("^[^;]+"))
        local _, events = answer.body:gsub("event: image_generation.completed\n", "")
        assert.equal(1, events)
        assert.truthy(answer.body:find('"dry_run":true', 1, true))
        count = count + 1
      end
    end
    assert.is_true(count > 0)
  end)
end)

-- Foreign names are given to models that can do what the requests want.
local NAMES = {
  ["gpt-image-2"] = "fal/sdxl", ["gpt-image-1"] = "fal/sdxl", ["dall-e-3"] = "fal/sdxl", ["dall-e-2"] = "fal/sdxl",
  ["sora-2"] = "runway/gen4.5", ["sora-2-pro"] = "runway/gen4.5",
}

-- These are refused, and why.
local REFUSED = {
  ["images.createVariation"] = "unsupported_operation", ["videos.remix is JSON"] = "unsupported_operation",
  ["videos.edit by id"] = "unsupported_operation", ["videos.extend by id"] = "unsupported_operation",
}

describe("a recorded request for something to be made", function()
  local host

  setup(function() host = hosts.start { config = { openai = { models = NAMES } } } end)
  teardown(function() host:remove() end)

  for _, case in ipairs(ALL) do
    if case.request.method == "POST" and not case.name:find("chat") and case.needs == nil then
      it("is understood, or says what it lacks: " .. case.name, function()
        local answer = openai_case.send(host, case)
        local error = answer.json and answer.json.error
        if type(error) ~= "table" then
          assert.equal(200, answer.status)
        elseif REFUSED[case.name] then
          assert.equal(REFUSED[case.name], error.code)
        else -- a field that this model lacks, never the request as a whole
          assert.is_true(answer.status == 400 or answer.status == 404 or error.code == "live_disabled", answer.body)
          assert.truthy(error.param or error.code == "unknown_url", answer.body)
          assert.truthy(error.code, answer.body)
        end
      end)
    end
  end
end)

describe("a recorded exchange, live", function()
  local served

  setup(function() served = live.start { hurry = 10 } end)
  teardown(function() served:remove() end)

  for _, case in ipairs(needs "live on") do
    if case.request.method == "POST" then
      it(case.name, function()
        local answer = openai_case.send(served.host, case)
        assert.equal(case.response.status, answer.status, answer.body:sub(1, 600))
        openai_case.check(case, answer)
      end)
    end
  end
end)

describe("a recorded exchange, with a budget that is short", function()
  local served

  setup(function()
    served = live.start { config = function(config) config.live.budget_usd = { per_day = 0.0021, per_month = 10 } end }
  end)
  teardown(function() served:remove() end)

  for _, case in ipairs(needs "live on, budget short") do
    it(case.name, function()
      local answer = openai_case.send(served.host, case)
      openai_case.check(case, answer)
      assert.same({ whose = "host", period = "day", left_usd = 0.0021 }, answer.json.error.providerd)
      assert.equal("false", answer.headers["x-should-retry"])
    end)
  end
end)
