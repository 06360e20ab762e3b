-- "Nothing was sent" is said when no byte of the request can have left, and only then: a job may be sent again after it, or
-- ends unbilled.
local socket = require "socket"
local shell = require "spec.support.shell"
local told_vendor = require "spec.support.told_vendor"

local PROBE = os.getenv("TRANSFER_PROBE") or "build/transfer-probe"

describe("what is said of a request that failed", function()
  local vendor, port, silent, silent_port

  setup(function()
    vendor = told_vendor.start()
    port = vendor.host.port
    silent = assert(socket.bind("127.0.0.1", 0)) -- takes connections, says nothing
    silent_port = math.tointeger(select(2, silent:getsockname()))
  end)
  teardown(function()
    silent:close()
    vendor:remove()
  end)

  local function probe(reachable, url)
    local pipe = io.popen(table.concat({ shell.quote(PROBE), reachable, shell.quote(url), "2" }, " "))
    local said = pipe:read("a"):gsub("%s+$", "")
    pipe:close()
    return said
  end

  local function closed_port()
    local server = assert(socket.bind("127.0.0.1", 0))
    local number = math.tointeger(select(2, server:getsockname()))
    server:close()
    return number
  end

  -- A listener on the other address of "localhost", which is tried second; nil without IPv6.
  local function second_address()
    local server = socket.tcp6()
    if not server or not server:bind("::1", 0) or not server:listen(8) then return nil end
    return server, math.tointeger(select(2, server:getsockname()))
  end

  it("is not that the address is private, once another one got the request", function()
    local server, number = second_address()
    if not server then return pending("no IPv6 here") end
    assert.equal("timeout sent", probe("v6", "http://localhost:" .. number .. "/pay"))
    server:close()
  end)

  it("depends on whether there was a connection to send it on, not on how it ended", function()
    vendor:tell { ["POST /pay"] = { json = {} }, ["POST /lost"] = { hang_up = true }, ["POST /slow"] = { delay = 3 } }
    local here = "http://localhost:" .. port
    local cases = {
      { "all", here .. "/pay", "ok sent" },
      { "all", here .. "/lost", "transport sent" },
      { "v4", here .. "/lost", "transport sent" }, -- the other address was refused, this one got the request
      { "v4", here .. "/slow", "timeout sent" },
      { "v6", here .. "/pay", "connect unsent" }, -- nobody listens on the address that may be reached
      { "none", here .. "/pay", "blocked unsent" },
      { "all", "http://127.0.0.1:" .. closed_port() .. "/pay", "connect unsent" },
      { "all", "https://127.0.0.1:" .. port .. "/pay", " unsent" }, -- that is no TLS
      { "all", "https://127.0.0.1:" .. silent_port .. "/pay", "connect unsent" }, -- no end of the TLS greeting
      { "all", "http://127.0.0.1:" .. silent_port .. "/pay", "timeout sent" },
      { "all", "http://nobody.invalid/pay", "resolve unsent" },
    }
    for _, case in ipairs(cases) do
      local before = vendor:seen("POST /pay")
      local said = probe(case[1], case[2])
      assert.is_truthy(said:find(case[3] .. "$"), case[1] .. " " .. case[2] .. ": " .. said)
      if said:find(" unsent", 1, true) then assert.equal(before, vendor:seen("POST /pay"), case[2]) end
    end
  end)
end)
