-- The commands that show a running host: watch, jobs, budget.
local cjson = require "cjson"
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local socket = require "socket"

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"

local function base(served)
  return "http://127.0.0.1:" .. served.port
end

-- A command in the background whose output grows in a file.
local function background(served, command, name)
  local path = ("%s/%s.out"):format(served.folder, name or "watch")
  local pipe = io.popen(("%s %s >%s 2>%s.err </dev/null & echo $!"):format(PROGRAM, command, path, path))
  local pid = pipe:read("l")
  pipe:close()
  local function read(from)
    local file = io.open(from)
    local text = file:read("a")
    file:close()
    return text
  end
  return {
    text = function() return read(path) end,
    errors = function() return read(path .. ".err") end,
    stop = function()
      if pid then os.execute("kill " .. pid) end
      pid = nil
    end,
  }
end

local function lines(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line end
  return list
end

describe("providerd watch", function()
  local served
  before_each(function() served = host.start() end)
  after_each(function() served:remove() end)

  it("prints the events of a job as plain lines into a pipe, and ends with it", function()
    local job = providers.submit(served, providers.fal).job_id
    local code, out, err = host.run({ "watch", job, "--base", base(served) }, { seconds = 30 })
    assert.equal(0, code, err)
    local printed = lines(out)
    assert.equal(1, #printed)
    assert.truthy(printed[1]:find("public.image.submit", 1, true))
    assert.truthy(printed[1]:find(job, 1, true))
    assert.truthy(printed[1]:find("done  100 %%  ~%$0%.00"))
    assert.is_nil(out:find("\27", 1, true))
  end)

  it("follows all events, and goes on by itself where it was when the host comes back", function()
    local port = served.port
    local watch = background(served, "watch --json --since 0 --base " .. base(served))
    finally(watch.stop)
    for _ = 1, 3 do providers.submit(served, providers.fal) end
    served:eventually(function() return #lines(watch.text()) == 3 end)
    served:stop()
    socket.sleep(0.5)
    served.listen = "127.0.0.1:" .. port
    served:start_again()
    for _ = 1, 3 do providers.submit(served, providers.luma) end
    served:eventually(function() return #lines(watch.text()) >= 6 end)
    socket.sleep(0.3)
    for i, line in ipairs(lines(watch.text())) do assert.equal(tostring(i), cjson.decode(line).id) end
  end)

  it("can be told which events", function()
    local watch = background(served, "watch --since 0 --type 'public.video.*' --base " .. base(served))
    finally(watch.stop)
    providers.submit(served, providers.fal)
    providers.submit(served, providers.luma)
    served:eventually(function() return watch.text():find("luma", 1, true) end)
    assert.is_nil(watch.text():find("public.image", 1, true))
  end)

  it("can be told which events of a job", function()
    local job = providers.submit(served, providers.fal).job_id
    local function watch(...)
      local code, out, err = host.run({ "watch", job, "--base", base(served), ... }, { seconds = 30 })
      assert.equal(0, code, err)
      return #lines(out)
    end
    assert.equal(1, watch("--type", "public.image.*", "--provider", "fal"))
    assert.equal(0, watch("--type", "public.video.*"))
    assert.equal(0, watch("--provider", "luma"))
    local code, _, err = host.run({ "watch", job, "--base", base(served), "--type", "{" }, { seconds = 30 })
    assert.equal(1, code)
    assert.truthy(err:find("400: .*brace"), err)
  end)

  it("says once that all streams are taken, keeps trying, and says when it goes on", function()
    local full = host.start { config = { server = { max_streams = 1 } } }
    local first = background(full, "watch --json --base " .. base(full), "first")
    local watch
    finally(function()
      first.stop()
      if watch then watch.stop() end
      full:remove()
    end)
    full:eventually(function() return full:get("/metrics").body:find("providerd_event_streams 1\n", 1, true) end)
    watch = background(full, "watch --since 0 --base " .. base(full))
    full:eventually(function() return watch.errors():find("\n", 1, true) end)
    socket.sleep(4.5) -- it has tried again twice
    assert.equal(1, #lines(watch.errors()), watch.errors())
    assert.truthy(watch.errors():find("503: 1 event streams are open: server.max_streams", 1, true), watch.errors())
    first.stop()
    full:eventually(function() return watch.errors():find("goes on", 1, true) end)
    providers.submit(full, providers.fal)
    full:eventually(function() return watch.text():find("public.image.submit", 1, true) end)
    assert.equal(2, #lines(watch.errors()), watch.errors())
  end)

  for name, arguments in pairs {
    ["an unknown argument"] = { "--frobnicate" }, ["a second job"] = { "a", "b" }, ["a job that is no id"] = { "../x" },
    ["a missing value"] = { "--base" }, ["a base that is none"] = { "--base", "ftp://x" },
  } do
    it("refuses " .. name, function()
      local code, _, err = host.run { "watch", table.unpack(arguments) }
      assert.equal(64, code)
      assert.truthy(err:find("usage: providerd watch", 1, true))
    end)
  end

  it("says that there is no such job", function()
    local code, _, err = host.run({ "watch", "01234567-89ab-7def-8123-456789abcdef", "--base", base(served) }, { seconds = 20 })
    assert.equal(1, code)
    assert.truthy(err:find("404", 1, true))
  end)
end)

describe("the table of", function()
  local served
  setup(function()
    served = host.start()
    for _ = 1, 3 do providers.submit(served, providers.fal) end
    providers.submit(served, providers.luma)
  end)
  teardown(function() served:remove() end)

  it("jobs has a line for each, newest first, in columns", function()
    local rows = lines(select(2, host.run { "jobs", "--base", base(served) }))
    assert.equal(5, #rows)
    assert.truthy(rows[1]:find("^JOB +CREATED +KIND +PROVIDER +STATUS +PROGRESS +COST +RUN"))
    assert.truthy(rows[2]:find("video  luma      done    100 %%"), rows[2])
    for _, row in ipairs(rows) do assert.equal(rows[1]:find("PROVIDER"), rows[2]:find("luma"), row) end
  end)

  it("jobs can be filtered", function()
    local _, out = host.run { "jobs", "--provider", "fal", "--limit", "2", "--base", base(served) }
    local rows = lines(out)
    assert.equal(4, #rows)
    assert.is_nil(out:find("luma", 1, true))
    local code, _, err = host.run { "jobs", "--status", "sleeping", "--base", base(served) }
    assert.equal(1, code)
    assert.truthy(err:find("must be queued", 1, true))
  end)

  it("the budget has the host's limits and what is left", function()
    local code, out = host.run { "budget", "--base", base(served) }
    assert.equal(0, code)
    assert.truthy(out:find("the host +day +%$0%.00 +%$0%.00 +%$0%.00 +%$0%.00"), out)
  end)

  it("both is the answer itself with --json", function()
    local _, out = host.run { "jobs", "--json", "--base", base(served) }
    assert.equal(4, #cjson.decode(out).tasks)
    _, out = host.run { "budget", "--json", "--base", base(served) }
    assert.is_true(cjson.decode(out).ok)
  end)
end)
