-- The switch is looked at once more when the connection to the vendor stands: what stop was answered to does not leave after it.
local exact = require "spec.support.exact_json"
local socket = require "socket"
local told_vendor = require "spec.support.told_vendor"

-- A listener that takes no connection for now: its queue is full, and the kernel drops who knocks.
local function full_listener()
  local server = assert(socket.tcp4())
  assert(server:bind("127.0.0.1", 0))
  assert(server:listen(0))
  local port, fillers = math.tointeger(select(2, server:getsockname())), {}
  for _ = 1, 16 do
    local filler = socket.tcp4()
    filler:settimeout(0.2)
    if not filler:connect("127.0.0.1", port) then
      filler:close()
      break
    end
    fillers[#fillers + 1] = filler
  end
  return server, port, fillers
end

-- What comes on connections within so many seconds: the first line of each, or "" where nothing does.
local function knocks(server, seconds, answer)
  local lines, deadline = {}, socket.gettime() + seconds
  server:settimeout(0.05)
  while socket.gettime() < deadline do
    local client = server:accept()
    if client then
      client:settimeout(1)
      lines[#lines + 1] = client:receive("*l") or ""
      if answer and lines[#lines]:find("POST", 1, true) then
        client:send(("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
          :format(#answer, answer))
        client:close()
        return lines
      end
      client:close()
    end
  end
  return lines
end

describe("a request whose connection is still to come", function()
  it("does not leave when live execution was stopped meanwhile, and leaves once it is started again", function()
    local vendor = told_vendor.start()
    local server, port, fillers = full_listener()
    local host = vendor:live { config = function(config)
      config.live.providers.told.base_url = "http://127.0.0.1:" .. port
    end }
    local job = vendor:job(0.01)
    host:eventually(function() return host:get("/api/live").json.jobs.sending == 1 end)
    assert.equal(200, host:post("/api/live/stop").status)
    for _, filler in ipairs(fillers) do filler:close() end
    for _, line in ipairs(knocks(server, 5)) do assert.equal("", line) end
    local waiting = vendor:becomes(job, "queued")
    assert.equal(exact.null, waiting.money.spent_usd)
    host:post("/api/live/start")
    local lines = knocks(server, 60, '{"id":"v1","status":"running"}')
    assert.equal("POST /pay HTTP/1.1", lines[#lines])
    assert.equal("v1", vendor:becomes(job, "running").vendor_id)
    server:close()
    vendor:remove()
  end)
end)
