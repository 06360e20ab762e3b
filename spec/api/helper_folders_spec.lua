-- Proves that helpers in folders (providers/NAME/, lua/NAME/) are found, watched and refused like those of lua/ itself.
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"
local shell = require "spec.support.shell"
local socket = require "socket"

local host

-- A script whose payload is the version of the helper `name`.
local function helped(id, name)
  return script_text.provider(id, {
    top = ("local helper = require '%s'"):format(name), prepare = "return { version = helper.version }",
  })
end

local function helper(version)
  return ("return { version = %d }"):format(version)
end

local function version_of(id)
  local answer = host:post("/api/providers/image/" .. id .. "/submit", {})
  return answer.status == 200 and answer.json.payload.version or nil
end

local function wait_for_version(id, version)
  host:eventually(function() return version_of(id) == version end)
end

-- What the catalogue says of the file providers/ID.lua, which may never have loaded.
local function error_of(id)
  for _, message in ipairs(host:get("/api/providers/image/catalog").json.script_errors) do
    if message:find("providers/" .. id .. ".lua:", 1, true) == 1 then return message end
  end
end

local function wait_for_error(id, text)
  host:eventually(function()
    local message = error_of(id)
    return message and message:find(text, 1, true)
  end)
end

local function in_home(command, ...)
  local paths = {}
  for i, path in ipairs { ... } do paths[i] = shell.quote(path) end
  shell.run(("cd %s && %s %s"):format(shell.quote(host.home), command, table.concat(paths, " ")))
end

-- How many directories inotify watches for the host.
local function watched()
  local count = 0
  for line in io.popen(("cat /proc/%s/fdinfo/* 2>/dev/null"):format(host.process.pid)):lines() do
    if line:find("^inotify wd:") then count = count + 1 end
  end
  return count
end

setup(function()
  host = hosts.start { files = {
    ["providers/painter.lua"] = helped("painter", "painter.colours"),
    ["providers/painter/colours.lua"] = helper(1),
    ["providers/writer.lua"] = helped("writer", "shared.words"),
    ["lua/shared/words.lua"] = helper(1),
    ["lua/empty.lua"] = "",
  } }
end)
teardown(function() host:remove() end)

describe("a helper in a folder", function()
  it("is found, of providers/ and of lua/", function()
    assert.equal(1, version_of("painter"))
    assert.equal(1, version_of("writer"))
  end)

  it("that is saved by a rename is live", function()
    host:write("providers/painter/colours.lua", helper(2))
    wait_for_version("painter", 2)
    host:write("lua/shared/words.lua", helper(2))
    wait_for_version("writer", 2)
  end)

  it("that is saved in place is live", function()
    host:write_in_place("providers/painter/colours.lua", helper(3))
    wait_for_version("painter", 3)
    host:write_in_place("lua/shared/words.lua", helper(3))
    wait_for_version("writer", 3)
  end)

  it("is told by the kernel, not by the look every three seconds", function()
    local began = socket.gettime()
    for version = 11, 30 do
      host:write("providers/painter/colours.lua", helper(version))
      wait_for_version("painter", version)
    end
    assert.is_true(socket.gettime() - began < 40)
  end)

  it("may be required by any script", function()
    host:write("providers/borrower.lua", helped("borrower", "painter.colours"))
    wait_for_version("borrower", 30)
  end)

  it("that breaks keeps what worked, and says which line", function()
    host:write("providers/painter/colours.lua", "return {\n  version = = 31\n}")
    wait_for_error("painter", "providers/painter/colours.lua:2:")
    assert.equal(30, version_of("painter"))
    host:write("providers/painter/colours.lua", helper(31))
    wait_for_version("painter", 31)
    assert.is_nil(error_of("painter"))
  end)

  it("that is too large is refused where it is required, and logged", function()
    host:write("providers/painter/huge.lua", ("-"):rep(2 * 1048576))
    host:write("providers/glutton.lua", helped("glutton", "painter.huge"))
    wait_for_error("glutton", "require: providers/painter/huge.lua: larger than 1048576 bytes")
    host:eventually(function() return host:log():find("library%.rejected.-providers/painter/huge%.lua: larger than") end)
    assert.equal(31, version_of("painter"))
    host:delete("providers/painter/huge.lua")
    host:delete("providers/glutton.lua")
  end)
end)

describe("a folder", function()
  it("that appears is read and watched, that vanishes is not", function()
    local before = watched()
    host:write("providers/late.lua", helped("late", "late.words"))
    wait_for_error("late", "require: there is no lua/late/words.lua and no providers/late/words.lua")
    host:write("providers/late/words.lua", helper(1))
    wait_for_version("late", 1)
    host:eventually(function() return watched() == before + 1 end)
    host:write("providers/late/words.lua", helper(2))
    wait_for_version("late", 2)
    in_home("rm -r", "providers/late")
    wait_for_error("late", "there is no lua/late/words.lua")
    assert.equal(2, version_of("late"))
    host:eventually(function() return watched() == before end)
    host:write("lua/late/words.lua", helper(3))
    wait_for_version("late", 3)
    in_home("rm -r", "lua/late")
  end)

  it("that is renamed goes by its new name, and is watched there", function()
    local before = watched()
    host:write("providers/old/words.lua", helper(1))
    host:write("providers/late.lua", helped("late", "new.words"))
    wait_for_error("late", "there is no lua/new/words.lua and no providers/new/words.lua")
    in_home("mv", "providers/old", "providers/new")
    wait_for_version("late", 1)
    host:write_in_place("providers/new/words.lua", helper(2))
    wait_for_version("late", 2)
    assert.equal(before + 1, watched())
    in_home("mv", "providers/new", "elsewhere")
    wait_for_error("late", "there is no lua/new/words.lua")
    host:eventually(function() return watched() == before end)
  end)

  it("elsewhere is read by a link, and one that leads to itself harms nothing", function()
    in_home("ln -s", "../elsewhere", "providers/new")
    wait_for_version("late", 2)
    host:write("elsewhere/words.lua", helper(3))
    wait_for_version("late", 3)
    in_home("ln -s", ".", "providers/loop")
    in_home("ln -s", "loop2", "providers/loop2")
    host:write("elsewhere/words.lua", helper(4))
    wait_for_version("late", 4)
    in_home("rm", "providers/loop", "providers/loop2")
  end)

  it("in lua/ and one in providers/ with the same file: refused, and both are named", function()
    host:write("lua/new/words.lua", helper(5))
    wait_for_error("late", "require: 'new.words' is lua/new/words.lua and providers/new/words.lua: rename one of them")
    assert.equal(4, version_of("late"))
    in_home("mv", "lua/new/words.lua", "lua/new/other.lua")
    host:eventually(function() return not error_of("late") end)
    assert.equal(4, version_of("late"))
  end)

  it("in a folder is not read", function()
    host:write("providers/new/deeper/words.lua", helper(6))
    host:write("providers/late.lua", helped("late", "new.deeper.words"))
    wait_for_error("late", "NAME or FOLDER.NAME, of letters, digits, '_' and '-', is expected")
    host:write("providers/late.lua", helped("late", "deeper.words"))
    wait_for_error("late", "there is no lua/deeper/words.lua and no providers/deeper/words.lua")
  end)
end)

describe("a name", function()
  local NOT_A_NAME = "NAME or FOLDER.NAME, of letters, digits, '_' and '-', is expected"

  for _, name in ipairs { "", ".", "..", ".painter", "painter.", "painter..colours", "painter/colours", "../lua/empty", "..empty",
    "painter.colours.lua", "painter.colours\\0", "painter\\0.colours", "painter. colours", "p\xc3\xa4inter.colours", "painter.%s",
    ("x"):rep(65), "painter." .. ("x"):rep(65), ("x"):rep(65) .. ".colours", ("x"):rep(100000), "~.colours",
    "painter\\\\colours" } do
    it(("like %s is refused"):format(#name < 40 and name:gsub("[\128-\255]", "?") or #name .. " bytes"), function()
      host:write("providers/hostile.lua", "-- " .. os.time() .. "\nrequire '" .. name .. "'")
      wait_for_error("hostile", "providers/hostile.lua:2: require: there is no lua/NAME.lua")
      assert.is_truthy(error_of("hostile"):find(NOT_A_NAME, 1, true))
      host:delete("providers/hostile.lua")
      host:eventually(function() return not error_of("hostile") end)
    end)
  end

  it("of a file or folder that no script could write is not read", function()
    for _, path in ipairs { "providers/painter/.hidden.lua", "providers/.git/config.lua", "providers/a b/c.lua", "lua/a.b.lua",
      "providers/painter/a.b.lua", "providers/" .. ("x"):rep(65) .. "/y.lua" } do
      host:write(path, "error 'read'")
    end
    host:write("providers/hostile.lua", helped("hostile", "a.b"))
    wait_for_error("hostile", "there is no lua/a/b.lua and no providers/a/b.lua")
    host:delete("providers/hostile.lua")
  end)

  it("of 64 bytes in each part is one", function()
    local folder, name = ("f"):rep(64), ("n"):rep(64)
    host:write(("providers/%s/%s.lua"):format(folder, name), helper(7))
    host:write("providers/longish.lua", helped("longish", folder .. "." .. name))
    wait_for_version("longish", 7)
  end)
end)

it("all is loaded again after a restart, and the host stops well", function()
  host:stop()
  host:start_again()
  assert.equal(31, version_of("painter"))
  assert.equal(3, version_of("writer"))
  host:ends_well()
end)
