-- Lines of the log that a full disk took: how many are missing is said in the log itself as soon as it takes lines again, and in
-- the metrics.
local prometheus = require "spec.support.prometheus"
local shell = require "spec.support.shell"
local start = require("spec.support.host").start

describe("a log on a full disk", function()
  it("tells how many lines are missing when there is room again", function()
    local host = start { files = { ["logs/keep"] = "" } }
    local file = shell.quote(host.home .. "/logs/server.log")
    local function dropped()
      return prometheus.value(prometheus.read(host:get("/metrics").body), "providerd_log_lines_dropped_total")
    end
    assert.equal(0, dropped())
    shell.run("rm " .. file .. " && ln -s /dev/full " .. file)
    host:signal("HUP")
    host:eventually(function()
      host:post("/api/providers/image/fal/submit", { prompt = "x" })
      return dropped() > 0
    end)
    shell.run("rm " .. file)
    host:signal("HUP")
    local missing = host:eventually(function()
      host:post("/api/providers/image/fal/submit", { prompt = "x" })
      return host:log():match("event=log%.dropped message=\"(%d+) lines")
    end)
    assert.equal(tonumber(missing), dropped())
    host:remove()
  end)
end)
