-- What users of the vendors have reported, tried on the host: spec/support/reports.lua has the form of the cases.
local contract = require "spec.support.contract"
local offline = require "author.offline"
local reports = require "spec.support.reports"

local FILES = { "gpu", "media" }

local function of_kind(name, test)
  local chosen = {}
  for _, case in ipairs(reports.read(name)) do
    if test(case) then chosen[#chosen + 1] = reports.with_word(case) end
  end
  return chosen
end

local function deliver(case)
  local responses = {}
  for index, answer in ipairs(case.answers or {}) do responses[index] = contract.as_response(answer) end
  local answer = offline.webhook(contract.load(case.provider), case.delivery, responses)
  return reports.differences(case.expect, answer.result or answer.refusal)
end

for _, name in ipairs(FILES) do
  describe("reports of " .. name, function()
    local doors
    local live_cases = of_kind(name, function(case) return case.how == "vendor-answer" end)
    setup(function()
      doors = reports.start()
      doors:settle(live_cases)
    end)
    teardown(function() doors:remove() end)

    for _, case in ipairs(live_cases) do
      it(case.provider .. ": " .. case.name, function() assert.is_nil(case.problem) end)
    end

    for _, case in ipairs(of_kind(name, function(one) return one.how ~= "vendor-answer" end)) do
      it(case.provider .. ": " .. case.name, function()
        local found
        if case.how == "delivery" then found = deliver(case)
        elseif case.how == "webhook" then found = doors:webhook(case)
        else found = doors:dry_run(case) end
        assert.same({}, found)
      end)
    end
  end)
end
