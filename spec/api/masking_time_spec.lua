-- Masking takes time in proportion to the text: four times the text, at most about four times the host's CPU time. Measured by
-- the process's own time, and again when the machine was busy.
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local TIMES, TRIES = 4, 5

-- What once made a rule look at the rest of the text again and again, or could.
local UNITS = {
  "=", "key=", "api_key=", ":", "://", "://a@", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "Bearer ", "?token==", "&token=",
  "0a1b2c3d-4e5f-6789-abcd-ef0123456789:0123456789abcdef0123456789abcdef ", "eyJhbGciOi", "rpa_STORED", "token: ", 'key" ',
  "%", "&", "&#x61;", "AKIAHUNTERTHUNTERT00=",
  "%25", "&amp;", "&amp;amp;", "ab\n", "\r\n abc", "rpa_\nSTORED\n",
}

describe("masking", function()
  local served
  setup(function()
    served = host.start {
      config = { features = golden.features(true) }, secrets = { runpod = { api_key = "rpa_STOREDSTOREDSTORED1" } },
    }
  end)
  teardown(function() served:remove() end)

  -- In ticks of the clock: what all of its threads have used.
  local function used()
    local file = assert(io.open("/proc/" .. served.pid .. "/stat"))
    local user, system = file:read("a"):match("^.*%) %S+" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
    file:close()
    return tonumber(user) + tonumber(system)
  end

  -- The text is in a member that the script does not read: what is measured is the door.
  local function ticks(unit, bytes)
    local body = { job = { endpoint_id = "abc", input = { note = unit:rep(bytes // #unit) } } }
    local before = used()
    local answer = served:post(providers.path(providers.runpod, "submit"), body)
    assert.equal(200, answer.status, answer.body:sub(1, 300))
    return used() - before
  end

  local function check(unit, bytes)
    local small, large
    for _ = 1, TRIES do
      small, large = ticks(unit, bytes), ticks(unit, bytes * TIMES)
      -- a few ticks are the script's and the answer's, and the clock is coarse
      if large <= 1.5 * TIMES * (small + 4) then return end
    end
    error(("%d bytes: %d ticks, and %d for %d times as much"):format(bytes, small, large, TIMES))
  end

  -- AddressSanitizer's strspn() and the like look at the whole rest of the text each time: there nothing is linear.
  local describe_time = os.getenv("SPEC_SLOW") and pending or it

  for _, unit in ipairs(UNITS) do
    describe_time(("of many times %q is linear"):format(unit), function()
      check(unit, 16000)
      check(unit, 1000000)
    end)
  end
end)
