-- Proves that what a script finds as string.find, match, gmatch, gsub, rep, table.insert and the like means what Lua's own do:
-- the same
-- calls are made by a script in a host and by this Lua, and all results and errors are compared.
local cases = require "spec.support.library_cases"
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"

local BATCH = 4000

local function first_differences(list, own, theirs)
  local different = {}
  for index, case in ipairs(list) do
    if own[index] ~= theirs[index] then
      different[#different + 1] = ("%s\n  Lua:  %s\n  host: %s"):format(case, own[index], theirs[index])
    end
  end
  return table.concat(different, "\n", 1, math.min(#different, 20))
end

describe("the functions of a script", function()
  local host

  setup(function()
    local script = script_text.provider("functions", {
      top = cases.RUNNER, prepare = "return { results = run(request.calls) }", submit = "return { id = 'x' }",
    })
    host = hosts.start { files = { ["providers/functions.lua"] = script } }
  end)
  teardown(function() host:remove() end)

  local function results_of(calls)
    local answer = host:post("/api/providers/image/functions/submit", { calls = calls })
    assert.equal(200, answer.status, answer.body:sub(1, 600))
    return answer.json.payload.results
  end

  for name, make in pairs(cases.lists) do
    it("do what Lua's do: " .. name, function()
      local list = make()
      local run = assert(load(cases.RUNNER .. "\nreturn run", "@providers/functions.lua"))()
      for start = 1, #list, BATCH do
        local batch = table.move(list, start, math.min(start + BATCH - 1, #list), 1, {})
        assert.equal("", first_differences(batch, run(batch), results_of(batch)))
      end
    end)
  end
end)
