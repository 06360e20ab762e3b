-- Calls of one script at once: each in an instance of its own, none sees another, and one that burns its time holds up nobody.
local socket = require "socket"
local hosts = require "spec.support.host"
local prometheus = require "spec.support.prometheus"
local shell = require "spec.support.shell"
local script_text = require "spec.support.script_text"

local PATH = "/api/providers/image/several/submit"
local USUAL = 4 * tonumber(io.popen("nproc"):read("a")) -- instances

-- What a call leaves behind in a variable, a table and a module would be seen by the next one on its instance.
local SCRIPT = script_text.provider("several", {
  top = "local count, list = 0, { n = 0 }",
  prepare = [[
    count, list.n = count + 1, list.n + 1
    list[#list + 1] = request.prompt
    if request.loop then while true do end end
    if request.hungry then
      local kept = {}
      for i = 1, 40 do kept[i] = string.rep("x", 1024 * 1024) .. i end
      for _ = 1, 3000000 do count = 1 end -- the others come meanwhile
      request.kept = #kept
    end
    for i = 1, request.works or 0 do list.last = i end
    return request, { count = count, n = list.n, kept = #list }]],
})

local function start(threads, cpu_ms)
  local env = { PROVIDERD_TEST_CALL_CPU_MS = cpu_ms or "600" }
  return hosts.start { config = { server = { threads = threads } }, env = env, files = {
    ["lua/nothing.lua"] = "return {}", ["providers/several.lua"] = SCRIPT } }
end

local function send_many(host, count, body)
  local clients = {}
  for i = 1, count do
    clients[i] = host:connect()
    clients[i]:send("POST", PATH, body(i))
  end
  return clients
end

local function instances(host)
  local families = prometheus.read(host:get("/metrics").body)
  return prometheus.value(families, "providerd_script_instances", { provider = "several" })
end

describe("calls of one script", function()
  it("that come at once see nothing of each other", function()
    local host = start(64)
    for _ = 1, 20 do
      local clients = send_many(host, 24, function(i) return { prompt = ("cat %d"):format(i) } end)
      for i, client in ipairs(clients) do
        local answer = client:receive()
        assert.equal(200, answer.status, answer.body)
        assert.equal(("cat %d"):format(i), answer.json.payload.prompt)
        assert.same({ 1, 1, 1 }, { answer.json.count, answer.json.n, answer.json.kept })
        client:close()
      end
    end
    assert.is_true(instances(host) <= USUAL, instances(host) .. " instances")
    host:remove()
  end)

  it("are answered beside one that burns its time, and beside more of those than instances are usual", function()
    local host = start(128)
    assert.equal(0, instances(host)) -- until the first call
    local loops = send_many(host, USUAL + 2, function() return { prompt = "x", loop = true } end)
    local answered = 0
    repeat -- nobody has burned all of its time yet, or it rests by now
      local answer = host:post(PATH, { prompt = "quick" })
      if answer.status == 200 then answered = answered + 1 end
    until answer.status ~= 200 or answered == 200
    assert.is_true(answered >= 20, answered .. " answers beside it")
    local told = { [500] = 0, [503] = 0 }
    for _, client in ipairs(loops) do
      local answer = client:receive()
      told[answer.status] = told[answer.status] + 1
      client:close()
    end
    assert.is_true(told[500] <= 3, told[500] .. " calls burned all of their time") -- then it rests, for those that wait too
    assert.is_true(told[503] >= USUAL - 1, told[503] .. " were told that it rests")
    host:eventually(function() return instances(host) <= USUAL end) -- those that were made meanwhile are gone
    host:remove()
  end)

  it("that compute for some milliseconds do not wait for one that burns its time, however many share the cores", function()
    local host = start(128, "5000")
    local began = socket.gettime() -- it computes for five seconds, which take longer where others compute
    local loop = send_many(host, 1, function() return { prompt = "x", loop = true } end)[1]
    socket.sleep(0.5) -- so that it is seen to be slow
    for _, client in ipairs(send_many(host, 48, function() return { prompt = "x", works = 20000 } end)) do
      local answer = client:receive()
      assert.equal(200, answer.status, answer.body)
      client:close()
    end
    local kept = instances(host)
    assert.is_true(socket.gettime() < began + 5, "it may be over by now, and proves nothing")
    if USUAL < 24 then assert.is_true(kept > USUAL, kept .. " instances: what was made beside it was not kept") end
    loop:close()
    host:remove()
  end)

  it("are answered from the version that they began with, and its instances go when it is replaced", function()
    local host = start(64)
    for version = 1, 10 do
      local clients = send_many(host, 16, function() return { prompt = "x" } end)
      host:write("providers/several.lua", SCRIPT .. "-- version " .. version .. "\n")
      for _, client in ipairs(clients) do
        assert.equal(200, client:receive().status)
        client:close()
      end
    end
    host:eventually(function() return instances(host) <= USUAL end)
    host:remove()
  end)

  it("may not take what one may take, each", function()
    local host = start(64, os.getenv "SPEC_SLOW" and "6000")
    local clients, told = send_many(host, 24, function() return { prompt = "x", hungry = true } end), { [200] = 0, [503] = 0 }
    for _, client in ipairs(clients) do
      local answer = client:receive()
      told[answer.status] = (told[answer.status] or 0) + 1
      client:close()
    end
    local peak = tonumber(shell.read("/proc/" .. host.process.pid .. "/status"):match("VmHWM:%s*(%d+)")) / 1024
    assert.equal(24, told[200] + told[503])
    assert.is_true(told[200] >= 1 and told[503] >= 1, told[200] .. " were answered, and " .. told[503] .. " had no room")
    assert.is_true(peak < 500 or os.getenv "SPEC_SLOW" ~= nil, peak .. " MB") -- a sanitizer's memory is its own
    host:eventually(function() return host:post(PATH, { prompt = "x", hungry = true }).status == 200 end)
    host:remove()
  end)

  it("have it again when one was stopped that held values which Lua finalizes", function()
    local files = { ["providers/needy.lua"] = script_text.provider("needy", {
      prepare = "request.length = #string.rep('x', 20000000) return request" }) }
    for i = 1, 3 do
      files["providers/greedy" .. i .. ".lua"] = script_text.provider("greedy" .. i, { top = 'local cjson = require "cjson"',
        prepare = "local list = {} while true do list[#list + 1] = cjson.bytes 'x' end" })
    end
    local host = hosts.start { scripts = true, files = files, env = { PROVIDERD_TEST_CALL_CPU_MS = "5000" } }
    for i = 1, 3 do
      local answer = host:post("/api/providers/image/greedy" .. i .. "/submit", { prompt = "x" })
      assert.matches("memory limit", answer.body)
    end
    local answer = host:post("/api/providers/image/needy/submit", { prompt = "x" })
    assert.equal(200, answer.status, answer.body)
    host:remove()
  end)
end)
