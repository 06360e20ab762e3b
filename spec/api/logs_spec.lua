-- GET /api/logs: the newest lines of the log from memory, the same in both formats, while many log and many read.
local http = require "spec.support.http"
local keys = require "spec.support.keys"
local prometheus = require "spec.support.prometheus"
local shell = require "spec.support.shell"
local socket = require "socket"
local start = require("spec.support.host").start
local swarms = require "spec.support.swarm"

local SECRET = "MAGIC0123456789abcdefMAGIC"
local KEPT = 2000

-- Logs so many lines: each health answer is one.
local function log_lines(host, count)
  local client
  for i = 1, count do
    if i % 500 == 1 then
      if client then client:close() end
      client = http.connect(host.port)
    end
    assert.equal(200, client:request("POST", "/api/providers/image/fal/health", "{}", { ["X-Request-ID"] = "line-" .. i }).status)
  end
  client:close()
end

-- The lines, and the whole answer. `after` is a number.
local function lines(host, query, after)
  local answer = host:get("/api/logs?" .. query .. (after and ("&after=%d"):format(after) or ""))
  assert.equal(200, answer.status, answer.body)
  return answer.json.lines, answer.json
end

for _, format in ipairs { "logfmt", "json" } do
  describe("GET /api/logs of a log in " .. format, function()
    local host
    setup(function()
      host = start { scripts = true, secrets = { fal = { api_key = SECRET } },
        config = { log = { format = format, level = "debug" } } }
      host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse" }, { ["X-Request-ID"] = "shown-1" })
      host:post("/api/providers/video/luma/health", {}, { ["X-Request-ID"] = "shown-2" })
    end)
    teardown(function() host:remove() end)

    -- The line of this request, by its fields.
    local function line_of(request)
      local found = lines(host, "q=request_id=" .. request)
      assert.equal(1, #found)
      return found[1]
    end

    it("takes its lines apart", function()
      local line = line_of "shown-1"
      assert.same({ "info", "public.image.submit" }, { line.level, line.event })
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", line.ts)
      assert.truthy(line.text:find("^provider=fal dry_run=true execution_allowed=false job_id="), line.text)
      assert.truthy(line.text:find(" request_id=shown%-1$"), line.text)
      assert.is_nil(line.text:find("level", 1, true))
    end)

    it("has what the file has", function()
      local seen, written = lines(host, "limit=2000"), nil
      host:eventually(function()
        written = host:log()
        return select(2, written:gsub("\n", "")) >= #seen
      end)
      for i, line in ipairs(seen) do
        assert.equal(i, line.n)
        if format == "logfmt" then
          local whole = "ts=" .. line.ts .. " level=" .. line.level .. " event=" .. line.event .. " " .. line.text .. "\n"
          assert.truthy(written:find(whole, 1, true), whole)
        else
          local begin = ('{"ts":"%s","level":"%s","event":"%s",'):format(line.ts, line.level, line.event)
          assert.truthy(written:find(begin, 1, true), begin)
        end
      end
    end)

    it("quotes what has blanks in it", function()
      local line = lines(host, "event=host.started")[1]
      assert.matches('^message="version [%w%p]+, port %d+"$', line.text)
    end)

    it("has no secret", function()
      host:write("providers/leaky.lua", "error('" .. SECRET .. " in a message')")
      local line = host:eventually(function() return lines(host, "event=script.rejected")[1] end)
      assert.is_nil(host:get("/api/logs?limit=2000").body:find("MAGIC", 1, true))
      assert.truthy(line.text:find("*** in a message", 1, true), line.text)
      assert.equal("error", line.level)
    end)

    it("filters by level, event and words", function()
      local loud = lines(host, "level=warn&limit=2000")
      assert.is_true(#loud > 0)
      for _, line in ipairs(loud) do assert.is_true(line.level == "warn" or line.level == "error") end
      assert.equal(1, #lines(host, "level=error&event=script.*"))
      assert.equal(0, #lines(host, "level=error&event=public.*"))
      local events = {}
      for _, line in ipairs(lines(host, "event=public.{image,video}.*")) do events[#events + 1] = line.event end
      table.sort(events) -- a line is logged after its answer was sent
      assert.same({ "public.image.submit", "public.video.health" }, events)
      assert.equal(1, #lines(host, "q=PROVIDER%3DLUMA%20dry_run"))
      assert.equal(1, #lines(host, "q=Video.Health"))
      assert.equal(0, #lines(host, "q=nowhere-in-the-log"))
    end)
  end)
end

describe("GET /api/logs", function()
  local host
  setup(function()
    host = start { scripts = true, config = { server = { threads = 64 } } }
    log_lines(host, 20)
  end)
  teardown(function() host:remove() end)

  it("refuses what it does not understand, by name", function()
    for query, name in pairs { ["after=x"] = "after", ["after=-1"] = "after", ["limit=0"] = "limit", ["limit=2001"] = "limit",
      ["level=loud"] = "level", ["event={"] = "event", ["q=" .. ("x"):rep(201)] = "q" } do
      local answer = host:get("/api/logs?" .. query)
      assert.equal(400, answer.status, query)
      assert.equal(name, answer.json.errors[1].path)
    end
    assert.equal(200, host:get("/api/logs?after=&limit=&level=&event=&q=" .. ("x"):rep(200)).status)
  end)

  it("goes on after a number, and leaves nothing out", function()
    local all, seen = lines(host, "limit=2000"), {}
    local after = all[1].n
    assert.equal(all[#all].n, lines(host, "limit=1")[1].n)
    repeat
      local some, answer = lines(host, "limit=3", after)
      for _, line in ipairs(some) do seen[#seen + 1] = line.n end
      assert.is_true(#some <= 3)
      after = answer.next
    until #some == 0
    assert.equal(#all - 1, #seen)
    for i, n in ipairs(seen) do assert.equal(all[i + 1].n, n) end
    log_lines(host, 1)
    local new = host:eventually(function() return lines(host, "", after)[1] end)
    assert.equal("request_id=line-1", new.text:match("request_id=%S+"))
  end)

  it("goes on behind lines that a filter leaves out", function()
    local found, answer = lines(host, "event=host.started", lines(host, "limit=2000")[20].n)
    assert.equal(1, #lines(host, "event=host.started"))
    assert.same({ {}, lines(host, "limit=1")[1].n }, { found, answer.next })
  end)

  it("has the newest of those that pass a filter", function()
    local found = lines(host, "event=public.image.health&limit=2")
    local all = lines(host, "event=public.image.health&limit=2000")
    assert.same({ all[#all - 1].n, all[#all].n }, { found[1].n, found[2].n })
  end)

  it("keeps a bounded number of lines, and says with which it begins", function()
    log_lines(host, KEPT + 30)
    local all, answer = lines(host, "limit=2000")
    assert.equal(KEPT, #all)
    assert.equal(all[1].n, answer.oldest)
    assert.is_true(answer.oldest > 30)
    assert.equal(all[1].n, lines(host, "limit=1", 1)[1].n)
  end)

  it("has long lines cut, and whole otherwise", function()
    host:write("providers/wordy.lua", "error(('x'):rep(5000))")
    local line = host:eventually(function() return lines(host, "event=script.rejected")[1] end)
    assert.is_true(#line.text < 2048)
  end)

  it("begins anew after a restart, whatever number comes", function()
    local after = lines(host, "limit=1")[1].n
    host:stop()
    host:start_again()
    local some, answer = lines(host, "", after)
    assert.is_true(#some > 0 and answer.next < after)
    assert.equal(1, some[1].n)
  end)
end)

describe("GET /api/logs with API keys", function()
  it("is for operators who see all", function()
    local host = start { config = { server = { api_keys = { keys.entry("reader", { may = { "read", "submit", "live" } }),
      keys.entry("boss"), keys.entry("mine", { sees = "own" }) } } } }
    assert.equal(403, host:get("/api/logs", keys.headers("reader")).status)
    assert.equal(403, host:get("/api/logs", keys.headers("mine")).status)
    assert.equal(200, host:get("/api/logs", keys.headers("boss")).status)
    assert.equal(401, host:get("/api/logs").status)
    host:remove()
  end)
end)

describe("GET /api/logs, while many log", function()
  local SUBMITTERS, READERS, SECONDS = 3, 12, 6

  it("shows each of many readers every line once, whole, and loses none for the file", function()
    local host = start { config = { server = { threads = 64 }, log = { format = "json" } } }
    local running = host.home .. "/running"
    host:write("running", "")
    for i = 1, SUBMITTERS do
      shell.run(("lua5.4 spec/support/submitter.lua %d %s >%s/jobs-%d 2>&1 &"):format(host.port, running, host.home, i))
    end
    local swarm, ends, read = swarms.new(), socket.gettime() + SECONDS, {}
    for i = 1, READERS do
      read[i] = { lines = 0, jumps = 0 }
      swarm:add(function()
        local after = 0
        repeat
          local answer = swarm.ask(host.port, "GET",
            "/api/logs?limit=" .. (i % 2 == 0 and 2000 or 50) .. (after > 0 and ("&after=%d"):format(after) or ""))
          assert.equal(200, answer.status, answer.body)
          local told = answer.json
          for _, line in ipairs(told.lines) do
            if line.n ~= after + 1 and after > 0 then
              assert.is_true(after < told.oldest, "a line is missing")
              read[i].jumps = read[i].jumps + 1
            end
            assert.matches("^%w+", line.event)
            if line.event == "public.image.submit" then assert.truthy(line.text:find("request_id=%x+$"), line.text) end
            after = line.n
            read[i].lines = read[i].lines + 1
          end
          assert.is_true(told.next >= after)
        until socket.gettime() > ends and (read[i].lines > 100 or socket.gettime() > ends + 60)
      end)
    end
    while swarm:is_busy() do swarm:step() end
    os.remove(running)
    for i = 1, READERS do assert.is_true(read[i].lines > 100, "reader " .. i .. " saw " .. read[i].lines) end
    assert.equal(0, prometheus.value(prometheus.read(host:get("/metrics").body), "providerd_log_lines_dropped_total"))
    local submitted = 0
    host:eventually(function()
      submitted = 0
      for i = 1, SUBMITTERS do
        for _ in (shell.read(host.home .. "/jobs-" .. i) or ""):gmatch("\n") do submitted = submitted + 1 end
      end
      local logged = select(2, host:log():gsub('"public%.%a+%.submit"', ""))
      return submitted > 0 and logged >= submitted
    end)
    assert.is_true(submitted > 100)
    host:remove()
  end)
end)
