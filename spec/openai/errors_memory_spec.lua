-- An error of OpenAI's form while one allocation fails, wherever that is: it is a whole answer, or the host ends as it does
-- without memory.
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local memory = require "spec.support.out_of_memory"
local starved = require "spec.support.starved_host"

local MOST = 400 -- allocations, of which each fails once

local function ask(host)
  return host:post("/v1/images/generations", { model = "nobody/nothing", prompt = "x" })
end

describe("an error without memory", function()
  it("is a whole answer", function()
    if os.getenv("SPEC_SLOW") then return pending("the sanitizers' allocator cannot be replaced") end
    local fault = memory.new()
    local host = hosts.start { env = fault:env() }
    local answers, met, at = 0, true, 0
    ask(host)
    while met and at < MOST do
      at = at + 1
      fault:arm(at, 1)
      local answered, answer = pcall(ask, host)
      local _
      _, met = fault:disarm()
      if answered then
        answers = answers + 1
        assert.is_true(answer.status == 404 or answer.status == 503, answer.body)
        assert.is_string(exact.decode(answer.body).error.message)
      end
      local health = starved.ask_again(host, 1, function() return host:get("/healthz") end)
      assert.equal(200, health.status)
    end
    assert.is_true(at > 10 and answers > 3, answers .. " answers of " .. at)
    host:remove()
    fault:remove()
  end)
end)
