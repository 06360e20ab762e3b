-- Requests whose texts are long: each text of each recorded request in turn as an address with a signature, as prose, and longer
-- than pattern functions take. A script may refuse a field; it must not fail.
local contract = require "spec.support.contract"

local IDS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

local PROSE = ("A lighthouse at dusk, 35 mm; 1.5 s: wide -- then near. "):rep(40)
local TEXTS = {
  "https://example.com/a/b.png?X-Amz-Signature=" .. ("0123456789abcdef"):rep(60), PROSE, PROSE:rep(40), ("a/"):rep(400),
  ("1"):rep(300), "data:image/png;base64," .. ("AAAA"):rep(20000),
}

local function copy(value)
  if type(value) ~= "table" then return value end
  local all = {}
  for name, item in pairs(value) do all[name] = copy(item) end
  return all
end

-- Calls put(text) for every text of a value.
local function each_text(value, visit)
  for name, item in pairs(value) do
    if type(item) == "string" then
      visit(name, function(text) value[name] = text end)
      value[name] = item
    elseif type(item) == "table" then
      each_text(item, visit)
    end
  end
end

for _, id in ipairs(IDS) do
  it("long texts do not fail the script of " .. id, function()
    local provider, found = contract.load(id), {}
    for _, case in ipairs(contract.cases(id)) do
      if case.given and case.given.verb == "submit" then
        local given = copy(case.given)
        each_text(given.request, function(name, put)
          for _, text in ipairs(TEXTS) do
            put(text)
            local ok, problem = pcall(contract.run, provider, { given = given })
            if not ok and type(problem) ~= "table" then
              found[#found + 1] = ("%s: %s = %s...: %s"):format(case.name, name, text:sub(1, 20), problem)
            end
          end
        end)
      end
    end
    assert.same({}, { table.unpack(found, 1, 20) })
  end)
end
