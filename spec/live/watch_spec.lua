-- providerd watch in a terminal (made by script(1)): a bar that is drawn in its place, what is left, what it costs.
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
end)
