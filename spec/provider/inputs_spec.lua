-- The inputs of every provider cannot lie. For each choice and each property of its schema, the default, the bounds and every
-- value of an enum are accepted, and what is one beyond is refused under that very path. spec/api/inputs_truth_spec.lua asks a
-- running host.
local contract = require "spec.support.contract"
local exact = require "spec.support.exact_json"
local offline = require "author.offline"
local probes = require "spec.support.input_probes"
local providers = require "spec.support.providers"

-- A request as the host's Lua has it.
local function as_lua(value)
  if type(value) ~= "table" then return value end
  local copy = exact.is_array(value) and offline.cjson.array {} or {}
  for key, item in pairs(value) do copy[key] = as_lua(item) end
  return copy
end

-- Sends a request without a host.
local function submitter(provider, kind)
  return function(request)
    local answer = offline.submit(provider, as_lua(kind == "gpu" and request.job or request), nil, { kind = kind })
    local refusal, fields, texts = answer.invalid or answer.refusal or {}, {}, {}
    for _, item in ipairs(refusal.field and { refusal } or refusal) do
      fields[#fields + 1] = (kind == "gpu" and "job." or "") .. item.field
      texts[#texts + 1] = fields[#fields] .. " " .. item.message
    end
    return { taken = answer.upstream ~= nil, fields = fields, text = table.concat(texts, "; ") }
  end
end

describe("inputs", function()
  local tried = 0

  for _, row in ipairs(providers) do
    local provider = contract.load(row.id)
    it(row.id .. " describes its choices", function() assert.is_true(#(provider.inputs or {}) > 0) end)
    for _, choice in ipairs(provider.inputs or {}) do
      choice.kind = choice.kind or provider.kind
      it(row.id .. ", " .. probes.name(choice) .. ": each property says the truth", function()
        local lies, count = probes.lies(choice, submitter(provider, choice.kind))
        tried = tried + count
        assert.same({}, lies)
      end)
    end
  end

  it("are tried by many values", function() assert.is_true(tried > 1000, tried .. " were tried") end)
end)
