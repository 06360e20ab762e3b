-- Clocks of a host that a spec moves on: what happens after an hour or a day.
--
--   local clock = require("spec.support.clock").new()   -- nil under a sanitizer, which wants to be loaded first
--   local host = start { env = clock.env }
--   clock:wall(3600)        -- the host's wall clock is ahead by an hour from now on
--   clock:monotonic(60)     -- and the one that it measures pauses by, by a minute; it only grows
--   clock:remove()          -- after the host
local LIBRARY = os.getenv("CLOCK_SHIFT_LIBRARY") or "build/clock-shift.so"

local Clock = {}
Clock.__index = Clock

-- Replaced at once: the host reads it all the time.
local function write(path, seconds)
  local file = assert(io.open(path .. ".new", "w"))
  file:write(("%d"):format(seconds))
  file:close()
  assert(os.rename(path .. ".new", path))
end

function Clock:wall(seconds)
  write(self.env.CLOCK_SHIFT, seconds)
end

function Clock:monotonic(seconds)
  write(self.env.CLOCK_SHIFT_MONOTONIC, seconds)
end

function Clock:remove()
  os.remove(self.env.CLOCK_SHIFT)
  os.remove(self.env.CLOCK_SHIFT_MONOTONIC)
end

local module = {}

function module.new()
  if os.getenv("SPEC_SLOW") then return nil end
  return setmetatable({
    env = { LD_PRELOAD = LIBRARY, CLOCK_SHIFT = os.tmpname(), CLOCK_SHIFT_MONOTONIC = os.tmpname() },
  }, Clock)
end

return module
