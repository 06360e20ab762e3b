-- Lets the allocations of a running host fail (out_of_memory.c): the host is started with fault:env(), which arms nothing yet.
--
--   local fault = require("spec.support.out_of_memory").new()
--   local host = start { env = fault:env() }
--   fault:arm(3, 1)               -- the third allocation from now on fails, and no other; math.huge: all from the third on
--   fault:arm(1, 1, 2^20)         -- the first of a mebibyte or more
--   host:get("/healthz")
--   local failed, met = fault:disarm() -- how many did; whether there were as many as three
--   fault:remove()
local Fault = {}
Fault.__index = Fault

local LIBRARY = os.getenv("OUT_OF_MEMORY_LIBRARY") or "build/out-of-memory.so"
local NUMBER = "i8"
local FIRST, LAST, LEAST, SEEN, FAILED = 0, 8, 16, 24, 32 -- where they lie in the file

local function put(self, at, number)
  self.file:seek("set", at)
  self.file:write(NUMBER:pack(number))
end

local function get(self, at)
  self.file:seek("set", at)
  return (NUMBER:unpack(self.file:read(8)))
end

local module = {}

function module.new()
  local self = setmetatable({ path = os.tmpname() }, Fault)
  self.file = assert(io.open(self.path, "w+b"))
  self.file:setvbuf("no")
  for at = FIRST, FAILED, 8 do put(self, at, 0) end
  return self
end

function Fault:env(more)
  local env = { LD_PRELOAD = LIBRARY, OUT_OF_MEMORY = self.path }
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

--- From now on. What is armed before a host starts meets its start.
function Fault:arm(first, count, least)
  put(self, LEAST, math.tointeger(least or 0))
  put(self, SEEN, 0)
  put(self, FAILED, 0)
  put(self, LAST, count == math.huge and math.maxinteger or first + count - 1)
  put(self, FIRST, first) -- last: it is what counts
end

function Fault:disarm()
  local first = get(self, FIRST)
  put(self, FIRST, 0)
  return get(self, FAILED), get(self, SEEN) >= first
end

--- How many have failed since it was armed.
function Fault:failed()
  return get(self, FAILED)
end

function Fault:remove()
  self.file:close()
  os.remove(self.path)
end

return module
