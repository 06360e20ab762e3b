-- An estimate of what has no price is null, never an error: a model may be offered before its price is known, or its row be
-- taken out.
local contract = require "spec.support.contract"
local offline = require "author.offline"

local PROVIDERS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

local function is_known(amount)
  return amount == nil or (type(amount) == "number" and amount == amount and amount >= 0 and amount < math.huge)
end

-- All texts in a value, as a set.
local function texts_of(value, into)
  if type(value) == "string" then into[value] = true end
  if type(value) == "table" then
    for _, item in pairs(value) do texts_of(item, into) end
  end
  return into
end

-- Takes each row out whose name is in `names`, calls check() and puts it back.
local function without_each(rows, names, check)
  for name, row in pairs(rows) do
    if names[name] then
      rows[name] = nil
      check(name)
      rows[name] = row
    end
    if type(row) == "table" then without_each(row, names, check) end
  end
end

for _, id in ipairs(PROVIDERS) do
  describe("the estimate of " .. id, function()
    it("survives that a row of its prices is missing", function()
      local provider = contract.load(id)
      local calls, without = 0, 0
      for _, case in ipairs(contract.cases(id)) do
        local given, payload, fields, plan = case.given or {}, nil, nil, nil
        if given.verb == "submit" then payload, fields, plan = offline.prepare(provider, given.request) end
        if payload then
          local function estimate(says)
            local ok, result = pcall(provider.estimate, payload, plan)
            assert(ok, ("%s, %s: %s"):format(case.name, says, result))
            assert.is_true(result == nil or (is_known(result.expected) and is_known(result.low) and is_known(result.high)))
            calls = calls + 1
          end
          estimate "as it is"
          without_each(provider.pricing, texts_of({ payload, fields, plan }, {}), function(name)
            without = without + 1
            estimate("without " .. tostring(name))
          end)
        end
      end
      assert.is_true(calls > 0)
      if id == "luma" then assert.is_true(without > 0) end
    end)
  end)
end
