-- Proves that a provider's inputs are shown as its script describes them, one choice at a time with its schema, exact
-- to the digit; that a script without a description works at once; that a client which has an answer is told so; and
-- that a description with a mistake in it is refused by file, line and field.
local cjson = require "cjson"
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"

local PAINTER = "/api/providers/image/painter/inputs"
local SCHEMA = "https://json-schema.org/draft/2020-12/schema"

local INPUTS = [[{
    { mode = "flux", model = "painter/flux", label = "Flux", makes = "image", price = "$0.003 / megapixel", schema = {
      required = { "prompt" }, properties = {
        prompt = { type = "string", x_lines = 4, x_order = 1 },
        ["parameters.samples"] = {
          type = "integer", minimum = 1, maximum = 4, default = 1, x_costs = true, x_unit = "images" },
        ["parameters.seed"] = {
          type = "integer", minimum = 0, maximum = require("cjson").decode("18446744073709551615") } } } },
    { mode = "flux", model = "painter/flux/dev", schema = { required = {}, properties = {} } },
    { mode = "flux", label = "Any other", schema = { properties = { prompt = { type = "string" } } } },
    { mode = "sdxl", model = "painter/sdxl", schema = { properties = { prompt = { type = { "string", "null" } } } } },
  }]]

local function painter(inputs)
  return script_text.provider("painter", { fields = { inputs = inputs } })
end

describe("inputs", function()
  local host

  setup(function()
    host = hosts.start { scripts = true, files = {
      ["providers/painter.lua"] = painter(INPUTS),
      ["providers/plain.lua"] = script_text.provider("plain", { fields = {
        modes = "{ { id = 'a', label = 'A' }, { id = 'b', label = 'B', default = true } }" } }),
      ["providers/worker.lua"] = script_text.provider("worker", { fields = { kind = "'gpu'" } }),
    } }
  end)
  teardown(function() host:remove() end)

  it("lists the choices without their schemas", function()
    local answer = host:get(PAINTER)
    assert.equal(200, answer.status)
    assert.same({ "painter", "image", true, true },
      { answer.json.provider, answer.json.kind, answer.json.described, answer.json.ok })
    assert.equal(4, #answer.json.choices)
    assert.same({
      kind = "image", mode = "flux", model = "painter/flux", operation = cjson.null, label = "Flux", makes = "image",
      price = "$0.003 / megapixel",
    }, answer.json.choices[1])
  end)

  it("gives one with its schema, by model", function()
    local choice = host:get(PAINTER .. "?mode=flux&model=painter%2Fflux").json.choice
    assert.equal(SCHEMA, choice.schema["$schema"])
    assert.equal("object", choice.schema.type)
    assert.same({ "prompt" }, choice.schema.required)
    assert.same({ type = "integer", minimum = 1, maximum = 4, default = 1, x_costs = true, x_unit = "images" },
      choice.schema.properties["parameters.samples"])
    assert.equal("painter/flux/dev", host:get(PAINTER .. "?model=painter/flux/dev").json.choice.model)
  end)

  it("gives the first of a mode", function()
    assert.equal("painter/flux", host:get(PAINTER .. "?mode=flux").json.choice.model)
    assert.equal("painter/sdxl", host:get(PAINTER .. "?mode=sdxl").json.choice.model)
  end)

  it("gives that of any other model to who names none", function()
    assert.equal("Any other", host:get(PAINTER .. "?mode=flux&model=").json.choice.label)
    assert.equal("painter/sdxl", host:get(PAINTER .. "?mode=sdxl&model=").json.choice.model)
  end)

  it("keeps integers to the last digit, and empty lists", function()
    assert.matches('"maximum":18446744073709551615', host:get(PAINTER .. "?mode=flux").body, 1, true)
    assert.matches('"required":%[%]', host:get(PAINTER .. "?model=painter/flux/dev").body)
  end)

  it("refuses a choice that is not there, and says which are", function()
    for _, query in ipairs { "mode=none", "mode=sdxl&model=painter/flux", "operation=x", "model=" .. ("m"):rep(300) } do
      local answer = host:get(PAINTER .. "?" .. query)
      assert.equal(404, answer.status, query)
      assert.same({ mode = "flux", model = "painter/flux", operation = cjson.null }, answer.json.allowed[1])
      assert.equal(4, #answer.json.allowed)
      assert.equal("painter", answer.json.provider)
    end
  end)

  it("is 404 for a provider that is not there, and for another method 405", function()
    assert.equal(404, host:get("/api/providers/image/nobody/inputs").status)
    assert.equal(404, host:get("/api/providers/video/painter/inputs").status)
    assert.equal(405, host:post(PAINTER, {}).status)
  end)

  it("makes one choice for a script that has none", function()
    local list = host:get("/api/providers/image/plain/inputs").json
    assert.is_false(list.described)
    assert.same({ "image", "plain" }, { list.choices[1].makes, list.choices[1].label })
    local schema = host:get("/api/providers/image/plain/inputs?mode=b").json.choice.schema
    assert.same({ type = "string", enum = { "a", "b" }, default = "b" }, schema.properties.mode)
    assert.same({ "string", "string", "object" },
      { schema.properties.prompt.type, schema.properties.model.type, schema.properties.parameters.type })
    local job = host:get("/api/providers/gpu/public/worker/inputs?operation=run").json.choice.schema
    assert.same({ { job = { type = "object" } }, { "job" } }, { job.properties, job.required })
  end)

  it("is there for all that ship", function()
    for kind, path in pairs { gpu = "gpu/public", image = "image", video = "video" } do
      for _, provider in ipairs(host:get("/api/providers/" .. path .. "/catalog").json.providers) do
        local answer = host:get(("/api/providers/%s/%s/inputs"):format(path, provider.id))
        assert.equal(200, answer.status, provider.id)
        assert.equal(kind, answer.json.kind)
        assert.is_true(#answer.json.choices > 0, provider.id)
      end
    end
  end)

  it("is not sent twice to a client that keeps it, until the script changes", function()
    local first = host:get(PAINTER .. "?mode=flux")
    local tag = first.headers.etag
    assert.matches('^"%x+"$', tag)
    assert.equal("private, no-cache", first.headers["cache-control"])
    local again = host:get(PAINTER .. "?mode=flux", { ["If-None-Match"] = 'W/"other", ' .. tag })
    assert.same({ 304, "" }, { again.status, again.body })
    assert.equal(200, host:get(PAINTER .. "?mode=sdxl", { ["If-None-Match"] = tag }).status)
    host:write("providers/painter.lua", painter((INPUTS:gsub("maximum = 4", "maximum = 5"))))
    local changed = host:eventually(function()
      local answer = host:get(PAINTER .. "?mode=flux", { ["If-None-Match"] = tag })
      return answer.status == 200 and answer
    end)
    assert.equal(5, changed.json.choice.schema.properties["parameters.samples"].maximum)
  end)
end)

describe("a description with a mistake", function()
  local folder

  setup(function()
    local pipe = assert(io.popen("mktemp -d"))
    folder = pipe:read("l")
    pipe:close()
  end)
  teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

  local function lint(inputs)
    local path = folder .. "/painter.lua"
    local file = assert(io.open(path, "wb"))
    file:write(painter(inputs))
    file:close()
    local code, _, err = hosts.run { "lint", path }
    return code, err
  end

  local function choice(schema) return "{ { mode = 'a', schema = " .. schema .. " } }" end
  local function property(words) return choice("{ properties = { prompt = { " .. words .. " } } }") end

  local MANY = "(function() local t = {}; for i = 1, %d do %s end; return %s end)()"
  local DEEP = ("{ items = "):rep(17) .. "{}" .. ("}"):rep(17)

  for name, case in pairs {
    ["no list"] = { "{ mode = 'a' }", "inputs: expected a list of choices" },
    ["no table"] = { "{ 'a' }", "inputs%[1%]: expected a table" },
    ["an unknown key"] = { "{ { modell = 'a', schema = {} } }",
      "inputs%[1%]%.modell: unknown key; did you mean 'model'%?" },
    ["a kind"] = { "{ { kind = 'audio', schema = {} } }",
      "inputs%[1%]%.kind: expected 'gpu', 'image' or 'video', got 'audio'" },
    ["another kind"] = { "{ { kind = 'video', schema = {} } }", "inputs%[1%]%.kind: 'video' is none of the script's kinds" },
    ["what it makes"] = { "{ { makes = 'noise', schema = {} } }", "inputs%[1%]%.makes: expected image, video" },
    ["a text"] = { "{ { label = 7, schema = {} } }", "inputs%[1%]%.label: expected text" },
    ["a long text"] = { "{ { label = ('x'):rep(257), schema = {} } }", "inputs%[1%]%.label: longer than 256 bytes" },
    ["no schema"] = { "{ { mode = 'a' } }", "inputs%[1%]%.schema: expected a table" },
    ["one twice"] = { "{ { mode = 'a', schema = {} }, { mode = 'a', schema = {} } }",
      "inputs%[2%]: inputs%[1%] has the same" },
    ["a word"] = { property "minimun = 1",
      "inputs%[1%]%.schema%.properties%.prompt%.minimun: unknown word; did you mean 'minimum'%?" },
    ["a word of ours"] = { property "x_cost = true", "x_cost: unknown word; did you mean 'x_costs'%?" },
    ["a word of OpenAPI"] = { property "nullable = true", "nullable: unknown word" },
    ["a reference"] = { property "['$ref'] = '#/x'", "%$ref: a schema of inputs stands for itself" },
    ["a type"] = { property "type = 'int'", "prompt%.type: expected a type of JSON Schema" },
    ["a flag"] = { property "x_costs = 'yes'", "x_costs: expected true or false" },
    ["a number"] = { property "minimum = '1'", "minimum: expected a number" },
    ["a count"] = { property "maxLength = -1", "maxLength: expected a whole number" },
    ["a step"] = { property "multipleOf = 0", "multipleOf: expected a number above zero" },
    ["bounds"] = { property "minimum = 2, maximum = 1", "minimum: is above maximum" },
    ["an empty enum"] = { property "enum = {}", "enum: expected a list of values, one at least" },
    ["a large enum"] = { choice(MANY:format(1001, "t[i] = i", "{ properties = { a = { enum = t } } }")),
      "enum: more than 1000 values" },
    ["depth"] = { choice(DEEP), "more than 16 schemas in each other" },
    ["properties"] = { choice(MANY:format(501, "t['p' .. i] = {}", "{ properties = t }")),
      "properties: more than 500 properties" },
    ["size"] = { property "description = ('x'):rep(300000)", "inputs%[1%]%.schema: more than 256 KiB of JSON" },
    ["what is required"] = { choice "{ required = { 'promt' }, properties = { prompt = {} } }",
      "required: 'promt' is none of the properties" },
    ["no object"] = { choice "{ type = 'string' }", "schema%.type: a choice describes a request" },
    ["a function"] = { property "default = tostring", "inputs: .*function" },
    ["many"] = { MANY:format(513, "t[i] = { mode = 'm' .. i, schema = {} }", "t"),
      "inputs: at most 512 choices" },
  } do
    it("is refused: " .. name, function()
      local code, err = lint(case[1])
      assert.equal(1, code)
      assert.matches("painter%.lua:%d+: ", err)
      assert.matches(case[2], err)
    end)
  end

  it("names the line of the key", function()
    local _, err = lint(property "minimun = 1")
    local line = 0
    for text in painter("X"):gmatch("([^\n]*)\n") do
      line = line + 1
      if text:find("inputs = ", 1, true) then break end
    end
    assert.matches("painter%.lua:" .. line .. ": inputs", err)
  end)
end)
