-- The answers of the earlier implementation (spec/golden), as far as a script alone decides them: what prepare makes of a
-- request. The envelopes around it are checked against a running host in spec/api/golden_spec.lua.
local contract = require "spec.support.contract"
local golden = require "spec.support.golden"
local offline = require "author.offline"

for _, id in ipairs(golden.IDS) do
  describe("golden payloads of " .. id, function()
    local provider
    setup(function() provider = contract.load(id) end)
    for _, case in ipairs(golden.cases(id)) do
      local expected = case.expect.body.payload or case.expect.body.job
      if expected then
        it(case.name, function()
          local payload, fields = offline.prepare(provider, golden.script_request(case))
          assert.is_truthy(payload, not payload and fields and (fields.field .. ": " .. fields.message))
          assert.same({}, contract.missing(expected, payload))
          for _, name in ipairs { "model", "endpoint", "function" } do
            if case.expect.body[name] and case.expect.body.job then
              assert.equal(case.expect.body[name], (fields or {})[name])
            end
          end
        end)
      end
    end
  end)
end
