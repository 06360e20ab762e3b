-- Clients that wait for a job keep a thread each: not once they have left, and not all of the threads.
local http = require "spec.support.http"
local told_vendor = require "spec.support.told_vendor"

describe("clients that wait for a live job", function()
  local vendor, host, connections
  before_each(function()
    vendor = told_vendor.start()
    host = vendor:live { config = function(config) config.server.threads = 16 end }
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } }, ["GET *"] = { json = { status = "running" } } }
    connections = {}
  end)
  after_each(function()
    for _, connection in ipairs(connections) do connection:close() end
    vendor:remove()
  end)

  local function send(path, body, headers)
    local connection = http.connect(host.port)
    connection:send("POST", path, body, headers)
    connections[#connections + 1] = connection
  end

  it("leave threads to others, whether they stay or go", function()
    for _ = 1, 30 do send(vendor.path .. "/submit", { price = 0.001, dry_run = false }, { Prefer = "wait=60" }) end
    host:eventually(function() return vendor:seen("POST /pay") > 0 end)
    host:within(30, function() return host:get("/api/jobs/list?limit=1").status == 200 end)
    for _, connection in ipairs(connections) do connection:close() end
    host:within(30, function() return host:get("/api/jobs/list?limit=1").status == 200 end)
  end)

  it("for its cancel leave theirs when they go", function()
    local job = vendor:job(0.01)
    vendor:becomes(job, "running")
    for _ = 1, 14 do send("/api/jobs/" .. job .. "/cancel") end
    for _, connection in ipairs(connections) do connection:close() end
    host:within(30, function() return host:get("/api/jobs/list?limit=1").status == 200 end)
  end)
end)
