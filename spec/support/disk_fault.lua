-- Lets what a host asks of the disk fail (disk_fault.c); it is started with disk:env(), which orders nothing yet.
--
--   local disk = require("spec.support.disk_fault").new()      -- nil under a sanitizer, which wants to be loaded first
--   local host = start { env = disk:env() }
--   disk:fail("fsync", "registry.db-wal")      -- every fsync of a path with this in it; "data$": that ends so
--   disk:fail("rename", "x", { errno = 28, skip = 1 })
--   local met = disk:mend()                    -- how many calls failed since
--   disk:remove()
local Disk = {}
Disk.__index = Disk

local LIBRARY = os.getenv("DISK_FAULT_LIBRARY") or "build/disk-fault.so"
local EIO = 5

function Disk:env(env)
  local with = { LD_PRELOAD = LIBRARY, DISK_FAULT = self.path }
  for name, value in pairs(env or {}) do with[name] = value end
  return with
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

function Disk:fail(call, part, options)
  options = options or {}
  os.remove(self.path .. ".met")
  write(self.path, ("%s %s %d %d\n"):format(call, part, options.errno or EIO, options.skip or 0))
end

--- How many calls failed since.
function Disk:met()
  local met, file = 0, io.open(self.path .. ".met")
  for _ in file and file:lines() or function() end do met = met + 1 end
  if file then file:close() end
  return met
end

--- Nothing fails any more. How many calls failed since.
function Disk:mend()
  write(self.path, "")
  local met = self:met()
  os.remove(self.path .. ".met")
  return met
end

function Disk:remove()
  os.remove(self.path)
  os.remove(self.path .. ".met")
end

local module = {}

function module.new()
  if os.getenv("SPEC_SLOW") then return nil end
  return setmetatable({ path = os.tmpname() }, Disk)
end

return module
