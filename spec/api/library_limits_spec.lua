-- Proves that no C function which a script can reach outlives the script's limits: each is called as its worst at the top level
-- of a file, which has some CPU time to load, and `providerd lint` is given a second or two more; ctx is called in a host. A
-- function without a hostile call fails this.
local cases = require "spec.support.hostile_calls"
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"

local SLOW = os.getenv("SPEC_SLOW") ~= nil
local LOAD_MS, LOAD_SECONDS = SLOW and 500 or 100, SLOW and 30 or 2 -- of CPU time: the limit, and what the whole program gets
local CALL_MS, CALL_SECONDS = SLOW and 2000 or 300, SLOW and 40 or 2

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"

local folder

local function write(name, text)
  local path = folder .. "/" .. name:gsub("%W+", "_") .. ".lua"
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

-- Runs lint under a limit of CPU time. Returns what it says, and whether the limit ended it.
local function lint(path)
  local pipe = assert(io.popen(("ulimit -t %d; PROVIDERD_TEST_LOAD_CPU_MS=%d %s lint %s 2>&1; echo \"code $?\"")
    :format(LOAD_SECONDS, LOAD_MS, PROGRAM, path)))
  local text = pipe:read("a")
  pipe:close()
  local code = tonumber(text:match("code (%d+)%s*$"))
  return text, code == nil or code > 100
end

local function check(name, number, text)
  local said, ended = lint(write(name .. "_" .. number, text))
  assert.is_false(ended, name .. ", call " .. number .. ": goes on beyond the limit: " .. said:sub(1, 300))
end

-- CPU time of a running host so far.
local function cpu_seconds(host)
  local file = assert(io.open("/proc/" .. host.process.pid .. "/stat"))
  local user, system = file:read("a"):match("^.*%) %a" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  file:close()
  return (user + system) / 100
end

local function sorted(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end

setup(function()
  local pipe = assert(io.popen("mktemp -d"))
  folder = pipe:read("l")
  pipe:close()
end)
teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

describe("the C functions of a script", function()
  it("all have a hostile call", function()
    local pipe = assert(io.popen(os.getenv("LIST_FUNCTIONS") or "build/list-functions"))
    local reachable = {}
    for name in pipe:lines() do reachable[name] = true end
    assert(pipe:close())
    assert.is_true(reachable["string.find"] and reachable["ctx.request"] and reachable["cjson.encode"])
    assert.same(sorted(reachable), sorted(cases.calls))
  end)

  for _, name in ipairs(sorted(cases.calls)) do
    if not name:find("^ctx%.") then
      it("end with the limit: " .. name, function()
        for number, text in ipairs(cases.calls[name]) do check(name, number, cases.PRELUDE .. text) end
      end)
    end
  end

  for _, name in ipairs(sorted(cases.unnamed)) do
    it("end with the limit: " .. name, function()
      for number, text in ipairs(cases.unnamed[name]) do check(name, number, cases.PRELUDE .. text) end
    end)
  end

  for _, name in ipairs(sorted(cases.files)) do
    it("so does the compiler: " .. name, function() check(name, 1, cases.files[name]) end)
  end
end)

describe("the functions of ctx", function()
  local host
  local calls = {}

  setup(function()
    local files = {}
    for _, name in ipairs(sorted(cases.calls)) do
      for number, text in ipairs(name:find("^ctx%.") and cases.calls[name] or {}) do
        local id = name:gsub("%W", "_") .. number
        calls[#calls + 1] = id
        files["providers/" .. id .. ".lua"] = script_text.provider(id, { top = cases.PRELUDE,
        submit = text .. "\nreturn { id = 'x' }" })
      end
    end
    host = hosts.start { files = files, env = {
      PROVIDERD_TEST_CALL_CPU_MS = tostring(CALL_MS), PROVIDERD_TEST_CALL_WAIT_MS = "100000",
    } }
  end)
  teardown(function() host:remove() end)

  it("end with the limit", function()
    for _, id in ipairs(calls) do
      local before = cpu_seconds(host)
      local answer = host:post("/api/providers/image/" .. id .. "/submit", { prompt = "x" })
      local spent = cpu_seconds(host) - before
      assert.is_true(answer.status == 200 or answer.status == 500, id .. ": " .. answer.status .. ": " .. answer.body:sub(1,
      300))
      assert.is_true(spent < CALL_SECONDS, ("%s took %.1f s of CPU time"):format(id, spent))
    end
  end)
end)
