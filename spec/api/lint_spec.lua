-- Proves that `providerd lint` tells an author what a running host would say: file, line, field, expected, got; and is silent
-- about nothing: one bad file of many makes it fail, the good ones are still named.
local hosts = require "spec.support.host"
local hostile = require "spec.support.hostile_files"
local script_text = require "spec.support.script_text"

local function of_kinds(kinds, modes)
  return script_text.provider("manifold", { fields = { kinds = kinds, modes = modes or "{}" } })
end

local folder

-- Writes files into the folder; returns their paths in order.
local function write(files)
  local paths = {}
  for i, entry in ipairs(files) do
    paths[i] = folder .. "/" .. entry[1] .. ".lua"
    local file = assert(io.open(paths[i], "wb"))
    file:write(entry[2])
    file:close()
  end
  return paths
end

local function lint(paths)
  return hosts.run { "lint", table.unpack(paths) }
end

setup(function()
  local pipe = assert(io.popen("mktemp -d"))
  folder = pipe:read("l")
  pipe:close()
end)
teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

describe("providerd lint", function()
  it("says ok to the nine that ship", function()
    local pipe = assert(io.popen("ls providers/*.lua"))
    local paths = {}
    for path in pipe:lines() do paths[#paths + 1] = path end
    pipe:close()
    assert.is_true(#paths >= 9)
    local code, out, err = lint(paths)
    assert.equal(0, code, err)
    assert.equal("", err)
    for _, path in ipairs(paths) do assert.is_truthy(out:find(path .. ": ok: ", 1, true), path) end
  end)

  it("says ok to a good file, with what it is", function()
    local fields = { credentials = "{ key = { env = { 'GOOD_KEY' } } }" }
    local paths = write { { "good", script_text.provider("good", { fields = fields }) } }
    local code, out = lint(paths)
    assert.equal(0, code)
    assert.equal(paths[1] .. ": ok: image provider 'good', 1 credential(s)\n", out)
  end)

  it("names all kinds that a script serves", function()
    local paths = write { { "two", of_kinds "{ 'image', 'video' }" }, { "all", of_kinds "{ 'image', 'gpu', 'video' }" } }
    local _, out = lint(paths)
    assert.truthy(out:find(paths[1] .. ": ok: image and video provider 'manifold', 0 credential(s)\n", 1, true), out)
    assert.truthy(out:find(paths[2] .. ": ok: image, gpu and video provider 'manifold', 0 credential(s)\n", 1, true), out)
  end)

  it("says ok to a script that uses lua/", function()
    local code, _, err = lint(write { { "helped", script_text.provider("helped", { top = "local check = require 'check'" }) } })
    assert.equal(0, code, err)
  end)

  for _, case in ipairs {
    { "syntax", "return {\n  id = 'x'\n  kind = 'image'\n}", ":3: '}' expected" },
    { "missing", script_text.provider("missing", { fields = { pricing = false } }), ":%d+: pricing: expected a table, got nil" },
    { "wrong", script_text.provider("wrong", { fields = { kind = "'audio'" } }),
      ":%d+: kind: expected 'gpu', 'image' or 'video', got 'audio'" },
    { "unknown", "return {\n  id = 'unknown',\n  kind = 'image',\n  aliasses = {},\n}",
      ":4: aliasses: unknown key; did you mean 'aliases'%?" },
    { "endless", "local x = 1\nwhile true do x = x + 1 end", ":2: the script is over its" },
    { "global", "\n\ncount = 1", ":3: assignment to global 'count'" },
    { "forbidden", "local t = os.time()", ":1: undeclared global 'os'" },
    { "huge", ("-"):rep(1048577), "larger than 1048576 bytes" },
    { "kinds_text", of_kinds "'video'", ":%d+: kinds: expected a list of texts, got string" },
    { "kinds_none", of_kinds "{}", ":%d+: kinds: expected a list that begins with 'image'" },
    { "kinds_unknown", of_kinds "{ 'image', 'audio' }",
      ":%d+: kinds: item 2: expected 'gpu', 'image' or 'video', got 'audio'" },
    { "kinds_own", of_kinds "{ 'video', 'image' }",
      ":%d+: kinds: expected the provider's own kind, 'image', first, got 'video'" },
    { "kinds_twice", of_kinds "{ 'image', 'video', 'image' }", ":%d+: kinds: 'image' is there twice" },
    { "kinds_number", of_kinds "{ 'image', 1 }", ":%d+: kinds: item 2: expected text, got number" },
    { "kinds_of_mode", of_kinds("{ 'image' }", "{ { id = 'film', kind = 'video' } }"),
      ":%d+: modes: item 1: kind: expected one of the provider's kinds, got video" },
    { "kinds_of_modes", of_kinds("{ 'image', 'video' }", "{ { id = 'film', kind = 'video' }, { id = 'x', kind = {} } }"),
      ":%d+: modes: item 2: kind: expected one of the provider's kinds, got table" },
  } do
    it("names file, line and field: " .. case[1], function()
      local paths = write { case }
      local code, out, err = lint(paths)
      assert.equal(1, code)
      assert.equal("", out)
      assert.equal(paths[1], err:sub(1, #paths[1]))
      assert.matches(case[3], err:sub(#paths[1] + 1))
      assert.equal(1, select(2, err:gsub("\n", "")))
    end)
  end

  it("names the line under a long path too", function()
    local long = folder .. "/" .. ("long-folder-name/"):rep(4)
    assert(os.execute("mkdir -p '" .. long .. "'"))
    local path = write { { ("long-folder-name/"):rep(4) .. "late", "\n\nreturn }" } }[1]
    local code, _, err = lint { path }
    assert.equal(1, code)
    assert.is_truthy(err:find(path .. ":3: unexpected symbol", 1, true), err)
  end)

  it("fails for one bad file among good ones, and names them all", function()
    local first, third = script_text.provider("first"), script_text.provider("third")
    local paths = write { { "first", first }, { "second", "return 1" }, { "third", third } }
    local code, out, err = lint(paths)
    assert.equal(1, code)
    assert.is_truthy(out:find(paths[1] .. ": ok", 1, true))
    assert.is_truthy(err:find(paths[2] .. ":1: ", 1, true))
    assert.is_truthy(out:find(paths[3] .. ": ok", 1, true))
  end)

  it("survives every hostile file", function()
    local files = {}
    for i, case in ipairs(hostile.cases) do
      local alone = not case.says:find("taken") and not case.name:find("require_")
      if alone then files[#files + 1] = { ("hostile_%03d"):format(i), case.source } end
    end
    local code, out, err = lint(write(files))
    assert.equal(1, code)
    assert.equal("", out)
    assert.is_true(select(2, err:gsub("hostile_%d+%.lua", "")) >= #files)
  end)

  it("says what is wrong with its arguments", function()
    local code, _, err = lint { folder .. "/nowhere.lua" }
    assert.equal(1, code)
    assert.matches("nowhere%.lua: cannot open", err)
    code, _, err = lint {}
    assert.equal(64, code)
    assert.matches("usage: providerd lint FILE%.lua", err)
    code, _, err = lint { folder }
    assert.equal(1, code)
    assert.matches("cannot read", err)
  end)
end)
