-- lua/check.lua's lists of fields, and lua/names.lua: what they read, in which order, and what they leave alone.
local cjson = require "cjson"
local offline = require "author.offline"

describe("lists of fields", function()
  local check, names, list
  setup(function()
    check, names = offline.require "check", offline.require "names"
    list = check.field_list {
      { name = "steps", names = { "steps", "iterations" }, kind = "integer", options = { min = 1 } },
      { name = "mode", kind = "choice", values = { "fast", "good" } },
      { name = "size", read = function(reader, name) return "read " .. reader:text(name) end },
    }
  end)

  local function read(object, target) return check.reader(object, "parameters"):fields(list, target) end

  local function problem_of(object)
    local ok, problem = pcall(read, object)
    assert.is_false(ok)
    return problem.field .. " " .. problem.message
  end

  it("reads what is given, under the name of the list", function()
    assert.same({ steps = 5, mode = "fast", size = "read xl" }, read { iterations = "5", mode = "fast", size = "xl", other = 1 })
  end)

  it("prefers the first of a field's names", function()
    assert.same({ steps = 2 }, read { iterations = 9, steps = 2 })
  end)

  it("leaves alone what was not given, and clears what is null", function()
    assert.same({ steps = 7, mode = nil }, read({ mode = cjson.null }, { steps = 7, mode = "good" }))
  end)

  it("names the first wrong field in the order of the list, as the client wrote it", function()
    assert.equal("parameters.iterations must be at least 1", problem_of { size = 1, mode = 2, iterations = 0 })
    assert.equal("parameters.mode must be one of fast, good", problem_of { size = 1, mode = "slow" })
    assert.equal("parameters.size must be text, not a number", problem_of { size = 1 })
  end)

  it("gives each field once, in the order of the list", function()
    local found = check.present(list, { size = 1, iterations = 1, steps = 1, other = 1 })
    assert.same({ list[1], list[3] }, found)
    assert.same({}, check.present(list, {}))
  end)

  it("finds the names that a set lacks, sorted", function()
    local known = names.words "b d"
    assert.same({ "a", "c" }, names.unknown({ c = 1, b = 1, a = 1 }, known))
    assert.is_nil(names.unknown({ b = 1 }, known))
    assert.is_true(names.has_any({ a = 1, d = false }, known))
    assert.is_false(names.has_any({ a = 1 }, known))
    assert.same({ a = true, b = true, d = true }, names.union(known, names.set { "a" }))
  end)
end)
