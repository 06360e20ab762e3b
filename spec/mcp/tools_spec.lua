-- tools/list and what every tool has in common: its table, its arguments, its answers.
local cjson = require "cjson"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local start = require("spec.support.host").start

local LIST_BYTES = 5000

describe("the tools of MCP", function()
  local host, agent

  setup(function()
    local entries = { keys.entry "all", keys.entry("reads", { may = { "read" } }) }
    host = start { config = { server = { api_keys = entries } } }
    agent = mcp.modern(host, { headers = keys.headers "all" })
  end)
  teardown(function() host:remove() end)

  local function names(found)
    local list = {}
    for i, tool in ipairs(found.result.tools) do list[i] = tool.name end
    return table.concat(list, " ")
  end

  it("are listed in the same order every time, to both eras", function()
    local first = names(agent:ask "tools/list")
    assert.equal(first, names(agent:ask "tools/list"))
    assert.equal(first, names(mcp.legacy(host, { headers = keys.headers "all" }):ask "tools/list"))
  end)

  it("take less than " .. LIST_BYTES .. " bytes of a context without their output schemas", function()
    local bytes = 0
    for _, tool in ipairs(agent:ask("tools/list").result.tools) do
      tool.outputSchema = nil
      bytes = bytes + #cjson.encode(tool) + 1
    end
    assert.is_true(bytes < LIST_BYTES, bytes)
  end)

  it("say what they take and give in closed schemas, and what they do in annotations", function()
    for _, tool in ipairs(agent:ask("tools/list").result.tools) do
      assert.truthy(tool.name:match "^[a-z_]+$")
      assert.equal("object", tool.inputSchema.type)
      assert.is_false(tool.inputSchema.additionalProperties)
      assert.equal("object", tool.outputSchema.type)
      assert.is_boolean(tool.annotations.readOnlyHint)
      assert.is_boolean(tool.annotations.openWorldHint)
      assert.truthy(#tool.title > 0 and #tool.description > 0)
    end
  end)

  it("answer the same JSON as text and as structured content", function()
    local found = agent:call "get_budget"
    assert.same(found.data, cjson.decode(found.text))
    assert.is_nil(found.result.isError)
    assert.equal("complete", found.result.resultType)
  end)

  it("name an argument that there is not", function()
    local found = agent:call("get_budget", { currency = "EUR" })
    assert.is_true(found.refused)
    assert.equal("invalid_arguments", found.data.error)
    assert.equal("currency", found.data.errors[1].path)
  end)

  it("name every argument of a call that is all wrong, but not for ever", function()
    local arguments = {}
    for i = 1, 500 do arguments["argument" .. i] = i end
    local found = agent:call("get_budget", arguments)
    assert.is_true(found.refused)
    assert.is_true(#found.data.errors <= 16)
    assert.is_true(#found.text < 8192)
  end)

  it("name an argument of any letters, also where its name is cut", function()
    for _, name in ipairs { ("\u{e9}"):rep(100), ("\u{1F600}"):rep(50), "a" .. ("\u{20AC}"):rep(200), "\u{7}" } do
      local found = agent:call("get_budget", { [name] = 1 })
      assert.equal("invalid_arguments", found.data.error)
      assert.truthy(#found.data.message > 0)
      assert.truthy(#found.data.errors[1].path > 0 and #found.data.errors[1].message > 0)
      assert.truthy(utf8.len(found.text))
    end
  end)

  it("are on one page: another one is none of theirs", function()
    for _, method in ipairs { "tools/list", "resources/templates/list" } do
      assert.equal(-32602, agent:ask(method, { cursor = "2" }).error.code)
      assert.is_table(agent:ask(method, { cursor = "" }).result)
    end
  end)

  it("are an error of the protocol where there is no such tool, or no object of arguments", function()
    assert.equal(-32602, agent:call("generate_music").error.code)
    assert.equal(-32602, agent:ask("tools/call", { name = "get_budget", arguments = { 1 } }).error.code)
    assert.equal(-32602, agent:ask("tools/call", { name = 7 }).error.code)
  end)
end)
