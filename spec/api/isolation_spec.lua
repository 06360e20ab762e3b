-- No call of a script sees what another one left: each way of spec/support/memories.lua is tried by alice, and bob looks for it.
local memories = require "spec.support.memories"
local start = require("spec.support.host").start

describe("what a script keeps", function()
  local host

  setup(function()
    local files = { ["lua/memo.lua"] = memories.MODULE }
    for _, case in ipairs(memories) do files["providers/image_" .. case.name .. ".lua"] = memories.script(case) end
    host = start { files = files }
  end)
  teardown(function() host:remove() end)

  local function body_of(case, payload)
    local answer = host:post("/api/providers/image/" .. case.name .. "/submit", payload)
    assert.equals(200, answer.status, answer.body:sub(1, 300))
    return answer.json.upstream.body, answer
  end

  local function refusal_of(id)
    for _, fault in ipairs(host:get("/api/providers/image/catalog").json.script_errors or {}) do
      if fault.file and fault.file:find("image_" .. id .. ".lua", 1, true) then return fault.message or fault.error end
      if type(fault) == "string" and fault:find("image_" .. id .. ".lua", 1, true) then return fault end
    end
  end

  for _, case in ipairs(memories) do
    if case.loads then
      it("in a " .. case.name .. " is refused when the file is read", function()
        assert.is_truthy(tostring(refusal_of(case.name)):find(case.loads))
      end)
    else
      it("in a " .. case.name .. " is gone with its call", function()
        local first = body_of(case, { who = "carol" })
        for _ = 1, 2 do
          local mine, answer = body_of(case, { who = "alice", word = "alice-words" })
          assert.same(first.before, mine.before)
          if case.refused then
            assert.same(first.found, mine.found)
          elseif not case.blind then
            assert.equals("alice-words", mine.found, answer.body)
          end
          local others, text = body_of(case, { who = "bob" })
          assert.same(first, { before = others.before, found = others.found, who = "carol" })
          assert.is_nil(text.body:find("alice-words", 1, true))
        end
      end)
    end
    if case.refused then
      it("cannot be in a " .. case.name .. ", and the error says where", function()
        local answer = host:post("/api/providers/image/" .. case.name .. "/submit", { word = "alice-words", must = true })
        assert.equals(500, answer.status, answer.body)
        assert.is_truthy(answer.json.detail:find("^providers/image_" .. case.name .. "%.lua:"), answer.json.detail)
      end)
    end
  end

  it("is gone after a call that was stopped", function()
    local case = { name = "field" }
    for _ = 1, 2 do
      host:post("/api/providers/image/field/submit", { word = "alice-words", spin = true })
      assert.is_nil(body_of(case, {}).found)
    end
  end)
end)
