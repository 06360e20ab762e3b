-- providerd watch in a terminal (made by script(1)): a bar that is drawn in its place, what is left, what it costs.
local providers = require "spec.support.providers"
local socket = require "socket"
local support = require "spec.support.live"

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"

describe("providerd watch in a terminal", function()
  it("draws the progress of a live job, and prints how it ended", function()
    local live = support.start()
    finally(function() live:remove() end)
    live:ended(live:job("luma")) -- so that there is a history
    local command = ("%s watch %s --base http://127.0.0.1:%d"):format(PROGRAM, live:job("luma"), live.host.port)
    local pipe = io.popen(("script -qec '%s' /dev/null; echo exit $?"):format(command))
    local shown = pipe:read("a")
    pipe:close()
    assert.truthy(shown:find("%[[#.]+%] +%d+ %%  queued  luma  ~%$0%.14"), shown)
    assert.truthy(shown:find("\r\27[K", 1, true))
    assert.truthy(shown:find("about %d+ s left"), shown)
    assert.truthy(shown:find("public.video.settled +luma +%x+[%x-]+  done  100 %%  %$0%.14"), shown)
    assert.truthy(shown:find("exit 0", 1, true))
  end)

  it("ends with the job, and with its status, also when the events that tell it are not asked for", function()
    local live = support.start()
    finally(function() live:remove() end)
    local command = ("%s watch %s --type '*.submit' --base http://127.0.0.1:%d; echo exit $?"):format(PROGRAM,
      live:job("luma"), live.host.port)
    local pipe = io.popen(command)
    local shown = pipe:read("a")
    pipe:close()
    assert.truthy(shown:find("^[^\n]*public.video.submit[^\n]*\nexit 0\n$"), shown)
  end)

  it("draws the bar of a job under way again below each line that is printed", function()
    local live = support.start { simulate = { "--job-time", "60000" } }
    local path = live.host.folder .. "/shown"
    local command = ("script -qfec '%s watch --since 0 --base http://127.0.0.1:%d' /dev/null >%s 2>&1 </dev/null & echo $!")
      :format(PROGRAM, live.host.port, path)
    local pipe = io.popen(command)
    local pid = pipe:read("l")
    pipe:close()
    finally(function()
      os.execute("kill " .. pid)
      live:remove()
    end)
    local function shown()
      local file = io.open(path)
      local text = file:read("a")
      file:close()
      return text
    end
    live:becomes(live:job("luma"), "running")
    live.host:eventually(function() return shown():find("%%  running  luma") end)
    for i = 1, 3 do
      providers.submit(live.host, providers.fal)
      live.host:eventually(function() return select(2, shown():gsub("public%.image%.submit", "")) == i end)
      socket.sleep(0.2)
      local below = shown():match(".*public%.image%.submit[^\n]*\n(.*)$")
      assert.truthy(below:find("^%[[#.]+%] +%d+ %%  running  luma"), shown())
    end
  end)
end)
