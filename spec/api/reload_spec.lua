-- Proves hot reload: what is saved is live without a restart, what is broken keeps the last good version and names its line, and
-- no request fails while scripts change under load. How fast (200 ms) is measured by the bench; here deadlines are generous.
-- SPEC_SLOW=1 (sanitizers, slow machines) makes 300 reloads of 1,000.
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"
local shell = require "spec.support.shell"
local socket = require "socket"

local CATALOG = "/api/providers/image/catalog"
local RELOADS = os.getenv("SPEC_SLOW") == "1" and 300 or 1000
local CLIENTS = 4

local host

local function submit_path(id)
  return "/api/providers/image/" .. id .. "/submit"
end

-- A script whose payload says which version it is.
local function version(id, number, options)
  options = options or {}
  options.prepare = ("return { version = %d }"):format(number)
  return script_text.provider(id, options)
end

local function entry(id)
  local catalogue = host:get(CATALOG).json
  for _, provider in ipairs(catalogue.providers) do
    if provider.id == id then return provider, catalogue end
  end
  return nil, catalogue
end

-- From now on the host opens nothing more. Returns how to end that.
local function leave_no_descriptor()
  local limit = "prlimit --pid " .. host.pid .. " --nofile"
  local before, open, lowest = shell.output(limit .. " --output SOFT --noheadings"):match("%d+"), {}, 0
  for number in shell.output("ls /proc/" .. host.pid .. "/fd"):gmatch("%d+") do open[tonumber(number)] = true end
  while open[lowest] do lowest = lowest + 1 end
  shell.run(("%s=%d:"):format(limit, lowest))
  return function() shell.run(("%s=%s:"):format(limit, before)) end
end

local function live_version(id)
  local answer = host:post(submit_path(id), {})
  return answer.status == 200 and answer.json.payload.version or nil
end

local function wait_for_version(id, number)
  host:eventually(function() return live_version(id) == number end)
end

describe("a script that is saved", function()
  setup(function()
    host = hosts.start { files = {
      ["providers/painter.lua"] = version("painter", 1),
      ["providers/helped.lua"] = script_text.provider("helped", {
        top = "local helper = require 'helper'", prepare = "return { version = helper.version }",
      }),
      ["lua/helper.lua"] = "return { version = 1 }",
    } }
  end)
  teardown(function() host:remove() end)

  it("by a rename is live", function()
    local before = entry("painter").script
    host:write("providers/painter.lua", version("painter", 2))
    wait_for_version("painter", 2)
    local after = entry("painter").script
    assert.is_true(after.generation > before.generation)
    assert.equal("providers/painter.lua", after.file)
    assert.not_equal("string", type(after.error))
    local line = ("providers/painter.lua generation %d"):format(after.generation)
    host:eventually(function() return host:log():find(line, 1, true) end)
  end)

  it("in place is live", function()
    host:write_in_place("providers/painter.lua", version("painter", 3))
    wait_for_version("painter", 3)
  end)

  it("in two halves is live, and nothing fails in between", function()
    local text = version("painter", 4)
    host:write_in_place("providers/painter.lua", text:sub(1, #text // 2))
    host:eventually(function() return entry("painter").script.error end)
    assert.equal(3, live_version("painter"))
    host:write_in_place("providers/painter.lua", text)
    wait_for_version("painter", 4)
    host:eventually(function() return type(entry("painter").script.error) ~= "string" end)
  end)

  it("without a change is not loaded anew", function()
    local generation = entry("painter").script.generation
    host:write("providers/painter.lua", version("painter", 4))
    host:write("providers/other.lua", version("other", 1))
    wait_for_version("other", 1)
    assert.equal(generation, entry("painter").script.generation)
    host:delete("providers/other.lua")
    host:eventually(function() return entry("other") == nil end)
  end)

  for name, broken in pairs {
    ["with a syntax error"] = { "\n\nreturn {\n  id = = 1\n}", 4, "unexpected symbol near '='" },
    ["with an unknown key"] = { "return {\n  id = 'painter',\n  kindd = 'image',\n}", 3,
      "kindd: unknown key; did you mean 'kind'%?" },
    ["empty"] = { "", 1, "return a table" },
    ["that raises an error"] = { "-- x\nerror 'no'", 2, "no" },
    ["that never ends"] = { "\nwhile true do end", 2, "over its" },
  } do
    it(name .. " keeps the last good version, and names the line", function()
      local good = live_version("painter")
      host:write("providers/painter.lua", broken[1])
      local script
      host:eventually(function()
        script = entry("painter").script
        return type(script.error) == "string" and script.error:find(broken[3])
      end)
      assert.equal(("providers/painter.lua:%d:"):format(broken[2]), script.error:match("^[^:]+:%d+:"))
      local _, catalogue = entry("painter")
      assert.same({ script.error }, catalogue.script_errors)
      assert.equal(good, live_version("painter"))
      host:eventually(function() return host:log():find(script.error:sub(1, 40), 1, true) end)
      host:write("providers/painter.lua", version("painter", good + 1))
      wait_for_version("painter", good + 1)
      assert.not_equal("string", type(entry("painter").script.error))
    end)
  end

  it("as a new file appears, by id, alias and health", function()
    assert.equal(404, host:post(submit_path("newcomer"), {}).status)
    host:write("providers/newcomer.lua", version("newcomer", 1, { fields = { aliases = "{ 'Fresh.Paint' }" } }))
    wait_for_version("newcomer", 1)
    assert.equal(1, live_version("fresh.paint"))
    assert.equal(200, host:post("/api/providers/image/newcomer/health", {}).status)
    assert.is_table(entry("newcomer"))
  end)

  it("elsewhere appears by a link, and goes with it", function()
    host:write("shelf/linked.lua", version("linked", 1))
    assert(os.execute(("ln -s ../shelf/linked.lua '%s/providers/linked.lua'"):format(host.home)))
    wait_for_version("linked", 1)
    assert(os.remove(host.home .. "/providers/linked.lua"))
    host:eventually(function() return not live_version("linked") end)
  end)

  it("under another file's name is refused until that one goes", function()
    host:write("providers/usurper.lua", version("newcomer", 9))
    host:eventually(function() return host:get(CATALOG).json.script_errors[1] end)
    assert.matches("^providers/usurper%.lua:1: the name 'newcomer' is taken by providers/newcomer%.lua",
      host:get(CATALOG).json.script_errors[1])
    assert.equal(1, live_version("newcomer"))
    host:delete("providers/newcomer.lua")
    wait_for_version("newcomer", 9)
  end)

  it("and removed is gone, its rows are not", function()
    local job = host:post(submit_path("newcomer"), {}).json.job_id
    host:delete("providers/usurper.lua")
    host:eventually(function() return host:post(submit_path("newcomer"), {}).status == 404 end)
    assert.is_nil(entry("newcomer"))
    assert.equal(200, host:get("/api/jobs/status/" .. job).status)
  end)

  it("under a hidden or foreign name is not looked at", function()
    for _, name in ipairs { ".hidden.lua", "notes.txt", "painter.lua.bak", "painter.lua~" } do
      host:write("providers/" .. name, version("hidden", 1))
    end
    host:write("providers/painter.lua", version("painter", 50))
    wait_for_version("painter", 50)
    assert.is_nil(entry("hidden"))
    assert.same({}, host:get(CATALOG).json.script_errors)
  end)

  it("as a helper in lua/ reloads all", function()
    local before = entry("painter").script.generation
    host:write("lua/helper.lua", "return { version = 2 }")
    wait_for_version("helped", 2)
    assert.is_true(entry("painter").script.generation > before)
  end)

  it("as a broken helper keeps what worked, and says which line", function()
    host:write("lua/helper.lua", "return {\n  version = = 3\n}")
    host:eventually(function() return type(entry("helped").script.error) == "string" end)
    assert.matches("^providers/helped%.lua:1: .*lua/helper%.lua:2:", entry("helped").script.error)
    assert.equal(2, live_version("helped"))
    assert.equal(50, live_version("painter"))
    host:write("lua/helper.lua", "return { version = 3 }")
    wait_for_version("helped", 3)
  end)

  it("as a huge helper leaves the others alone", function()
    host:write("lua/huge.lua", ("-"):rep(2 * 1048576))
    host:write("providers/painter.lua", version("painter", 51))
    wait_for_version("painter", 51)
    host:delete("lua/huge.lua")
  end)

  it("while the host can open no file waits, and none is taken for removed", function()
    local restore = leave_no_descriptor()
    host:write("providers/painter.lua", version("painter", 52))
    local waits = pcall(host.eventually, host, function() return host:log():find("no descriptor is left", 1, true) end)
    restore()
    assert.is_true(waits)
    wait_for_version("painter", 52)
    assert.is_nil(host:log():find("script.removed message=providers/painter.lua", 1, true))
    host:write("providers/painter.lua", version("painter", 51))
    wait_for_version("painter", 51)
  end)

  it("is loaded again after a restart", function()
    host:stop()
    host:start_again()
    assert.equal(51, live_version("painter"))
    assert.equal(3, live_version("helped"))
  end)
end)

describe(("%d reloads under load"):format(RELOADS), function()
  setup(function()
    host = hosts.start { files = { ["providers/painter.lua"] = version("painter", 0), ["lua/empty.lua"] = "" } }
  end)
  teardown(function() host:remove() end)

  -- A client keeps one request in flight, on a connection that it opens again when the host closes it.
  local function send(client)
    client.connection = client.connection or host:connect()
    client.connection:send("POST", submit_path("painter"), {})
    client.sent = socket.gettime()
  end

  -- On a machine that stands still for so long a connection that is kept may count as idle when its next request comes.
  local function was_idle(client)
    return client.answers > 0 and socket.gettime() - client.sent > 4
  end

  local function receive(client, seen)
    local received, answer = pcall(client.connection.receive, client.connection)
    if not received and answer:find('closed after ""', 1, true) and was_idle(client) then
      client.connection = nil
      client.answers = 0
      return send(client)
    end
    assert(received, answer)
    assert.equal(200, answer.status, answer.body:sub(1, 300))
    client.answers = client.answers + 1
    seen.count = seen.count + 1
    seen.newest = math.max(seen.newest, answer.json.payload.version)
    if answer.headers.connection == "close" then
      client.connection:close()
      client.connection = nil
    end
    send(client)
  end

  it("fail no request, and end at the newest version", function()
    local clients, sockets, seen = {}, {}, { count = 0, newest = 0 }
    for i = 1, CLIENTS do
      clients[i] = { answers = 0 }
      send(clients[i])
    end
    for number = 1, RELOADS do
      host:write_in_place("providers/.next", version("painter", number))
      assert(os.rename(host.home .. "/providers/.next", host.home .. "/providers/painter.lua"))
      local deadline = socket.gettime() + 60
      repeat
        for i, client in ipairs(clients) do sockets[i] = client.connection.socket end
        local ready = socket.select(sockets, nil, 1)
        for _, client in ipairs(clients) do
          if ready[client.connection.socket] then receive(client, seen) end
        end
      until seen.newest >= number or socket.gettime() > deadline
      assert.is_true(seen.newest >= number, "version " .. number .. " was not picked up")
    end
    for _, client in ipairs(clients) do client.connection:close() end
    assert.is_true(seen.count >= RELOADS)
    assert.equal(RELOADS, live_version("painter"))
    assert.is_true(entry("painter").script.generation > RELOADS)
  end)

  it("and the host stops well", function() host:ends_well() end)
end)
