-- What is no schema, or one that was made to do harm: it is read within bounds or refused as a whole, in little time, and what
-- could not be read refuses no request.
local directory_cases = require "spec.support.directory_cases"
local exact = require "spec.support.exact_json"
local offline = require "author.offline"

local schema = offline.require "schema"
local cjson = offline.cjson

local function properties(count, made)
  local object = {}
  for index = 1, count do object["input_" .. index] = made and made(index) or { type = "string" } end
  return object
end

-- Each name refers to the next ten times: ten to the power of `depth` when written out.
local function laughs(depth)
  local schemas = {}
  for level = 1, depth do
    schemas["s" .. level] = { type = "object", properties = properties(10, function()
      return { ["$ref"] = "#/components/schemas/s" .. level + 1 }
    end) }
  end
  schemas["s" .. depth + 1] = { type = "string" }
  return { components = { schemas = schemas } }
end

local function nested(depth, word)
  local node = { type = "string" }
  for _ = 1, depth do node = word == "allOf" and { allOf = { node } } or { type = "object", properties = { inner = node } } end
  return node
end

local function accepts(normal, value)
  local _, complaints = schema.check(normal, value)
  assert.same({}, complaints)
end

local function refused(document, root)
  local started = os.clock()
  local normal, reason = schema.normalize(document, root)
  assert.is_true(os.clock() - started < 1, "it took " .. os.clock() - started .. " s")
  assert.is_nil(normal)
  assert.is_true(#reason < 200, reason)
  return reason
end

local function read(document, root)
  local started = os.clock()
  local normal, warnings = schema.normalize(document, root)
  assert.is_true(os.clock() - started < 1, "it took " .. os.clock() - started .. " s")
  assert.is_truthy(normal, warnings)
  assert.is_true(#exact.encode(normal) <= 400 * 1024)
  return normal, warnings
end

describe("a schema is refused as a whole", function()
  for name, value in pairs { ["a text"] = "<html>", ["a number"] = 5, ["true"] = true, ["a list"] = cjson.array { 1 } } do
    it("when it is " .. name, function() assert.equal("is no schema", refused(value)) end)
  end

  it("with 10,000 inputs", function()
    assert.equal("has more than 500 inputs", refused { type = "object", properties = properties(10000) })
  end)

  it("of 3 MB in texts", function()
    local long = properties(400, function() return { default = ("x"):rep(1900), description = ("y"):rep(8000) } end)
    assert.is_truthy(refused({ properties = long }):find "^is larger than")
  end)

  it("that grows tenfold with each reference", function()
    assert.is_truthy(refused({ ["$ref"] = "#/components/schemas/s1" }, laughs(12)):find "^is larger than")
  end)

  it("with allOf of allOf, each twice", function()
    local schemas = {}
    for level = 1, 30 do
      local next_one = { ["$ref"] = "#/s/" .. level + 1 }
      schemas[tostring(level)] = { allOf = { next_one, { properties = properties(400) }, next_one } }
    end
    schemas["31"] = { properties = properties(400) }
    local ok, reason = schema.normalize({ ["$ref"] = "#/s/1" }, { s = schemas })
    assert.is_true(ok == nil and #reason > 0 or type(ok) == "table")
  end)
end)

describe("of a schema is left open", function()
  it("a reference to itself", function()
    local root = { s = { a = { type = "object", properties = { again = { ["$ref"] = "#/s/a" }, name = { type = "string" } } } } }
    local normal, warnings = read({ ["$ref"] = "#/s/a" }, root)
    assert.same({ "a reference to itself is left open: #/s/a" }, warnings)
    accepts(normal, { again = { again = 5 }, name = "x" })
    local _, complaints = schema.check(normal, { name = {} })
    assert.equal("type", complaints[1].rule)
  end)

  it("two that refer to each other", function()
    local root = { s = { a = { allOf = { { ["$ref"] = "#/s/b" } } }, b = { ["$ref"] = "#/s/a" } } }
    local normal, warnings = read({ properties = { x = { ["$ref"] = "#/s/a" } } }, root)
    assert.equal(1, #warnings)
    accepts(normal, { x = { 1, 2 } })
  end)

  for _, reference in ipairs { "#/nowhere", "#/components/schemas/TrackPoint", "https://example.com/schema.json", "", "#/%zz/~9",
    "#" .. ("/a"):rep(600) } do
    it("a reference that leads nowhere: " .. reference:sub(1, 40), function()
      local normal, warnings = read { properties = { x = { ["$ref"] = reference }, y = { type = "integer" } } }
      assert.equal(1, #warnings)
      accepts(normal, { x = { anything = true } })
      local _, complaints = schema.check(normal, { y = "much" })
      assert.equal("y", complaints[1].path)
    end)
  end

  for _, word in ipairs { "properties", "allOf" } do
    it("what lies deep: " .. word, function()
      local normal = read(nested(5000, word))
      accepts(normal, word == "allOf" and {} or { inner = { inner = {} } })
    end)
  end

  it("words of another type than they have", function()
    local normal = read {
      type = 5, title = { "x" }, minimum = "1", maximum = {}, enum = "a", required = true, properties = "none", items = 7,
      anyOf = "x", default = function() end, pattern = {}, ["x-order"] = "first", minLength = -1, maxItems = 1.5,
      additionalProperties = 9,
    }
    accepts(normal, { a = 1 })
    accepts(normal, "text")
  end)

  it("a list of too many values", function()
    local enum = cjson.array {}
    for index = 1, 1001 do enum[index] = "v" .. index end
    local normal, warnings = read { properties = { x = { type = "string", enum = enum } } }
    assert.equal(1, #warnings)
    accepts(normal, { x = "other" })
  end)

  it("an input whose name cannot be shown", function()
    local normal, warnings = read { additionalProperties = false, required = { "a\nb", "<script>x</script>" }, properties = {
      ["a\nb"] = { type = "string" }, ["<script>x</script>"] = { type = "string" }, [("n"):rep(5000)] = {}, [""] = {},
      good = { type = "integer" },
    } }
    assert.equal(4, #warnings)
    accepts(normal, { ["a\nb"] = 5, good = 1 })
  end)
end)

-- Calls visit(table, key) for every value inside of a table.
local function walk(value, visit)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  for _, key in ipairs(keys) do
    visit(value, key)
    if type(value[key]) == "table" then walk(value[key], visit) end
  end
end

local ODD = { cjson.null, 5, -0.5, "x", "", true, {}, { x = 1 }, cjson.array { 1, "a" }, 2 ^ 63, ("long"):rep(5000) }

describe("a recorded schema, each value of it spoilt in turn", function()
  for _, case in ipairs(directory_cases.all()) do
    if case.checks then
      it("is read or refused, and never in the way of a script: " .. case.name, function()
        local document, root = directory_cases.schema_of(case, cjson)
        local input = directory_cases.as_lua(case.checks[1].input, cjson)
        local spoilt = 0
        walk(document, function(place, key)
          local kept = place[key]
          for _, odd in ipairs(ODD) do
            place[key] = odd
            local normal = schema.normalize(document, root)
            if normal then
              schema.check(normal, input)
              schema.files(normal)
              schema.drivers(normal)
              schema.outputs(normal)
            end
            spoilt = spoilt + 1
          end
          place[key] = kept
        end)
        assert.is_true(spoilt > 100)
      end)
    end
  end
end)

describe("a vendor's words are data", function()
  it("capped, on one line", function()
    local normal = read { title = "a\0b\27[31m\r\nc", description = ("é"):rep(4000), properties = {
      x = { title = ("t"):rep(5000), type = "string" } } }
    assert.equal("a b [31m c", normal.title)
    assert.is_true(#normal.description <= 2003 and utf8.len(normal.description) ~= nil)
    assert.is_true(#normal.properties.x.title <= 203)
  end)

  it("and so are a client's: a name of a megabyte is cut where it is complained of", function()
    local normal = read { additionalProperties = false, properties = { x = {} } }
    local _, complaints = schema.check(normal, { [("n"):rep(2 ^ 20)] = 1 })
    assert.is_true(#complaints[1].path < 300)
  end)

  it("an input that is a credential cannot be used", function()
    for _, words in ipairs { { format = "password" }, { ["x-cog-secret"] = true } } do
      words.type = "string"
      local _, complaints = schema.check(read { properties = { token = words } }, { token = "x" })
      assert.equal("secret", complaints[1].rule)
    end
  end)

  it("a default that breaks its own schema stays valid", function()
    local normal = read { properties = { steps = { type = "integer", maximum = 10, default = 28 } } }
    accepts(normal, { steps = 28 })
    local _, complaints = schema.check(normal, { steps = 27 })
    assert.equal("maximum", complaints[1].rule)
  end)
end)
