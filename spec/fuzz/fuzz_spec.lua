-- Each fuzz target reads its corpus, in which is what once was found, and goes on from there for a moment. `make fuzz` takes
-- longer.
local shell = require "spec.support.shell"

local SECONDS = 1

local function targets()
  local pipe = assert(io.popen("ls spec/fuzz/*.c"))
  local names = {}
  for path in pipe:lines() do names[#names + 1] = path:match("([%w_]+)%.c$") end
  pipe:close()
  return names
end

describe("the fuzz target", function()
  for _, name in ipairs(targets()) do
    it(name .. " finds nothing", function()
      local program = "build/fuzz/fuzz-" .. name
      if not io.open(program) then
        pending("it is not built: that needs clang and libclang-rt-14-dev; `make fuzz` says what is missing")
        return
      end
      local log = os.tmpname()
      local found = ("mkdir -p build/fuzz/found; %s -max_total_time=%d -timeout=20 -rss_limit_mb=1024 -max_len=1024 " ..
        "-artifact_prefix=build/fuzz/found/%s- spec/fuzz/corpus/%s >%s 2>&1"):format(program, SECONDS, name, name, log)
      -- nothing new is written into the corpus: its first folder is where libFuzzer would put it
      local ok = os.execute(found:gsub(" spec/fuzz/corpus", " $(mktemp -d) spec/fuzz/corpus"))
      local text = shell.read(log) or ""
      os.remove(log)
      assert.is_true(ok, text:sub(-3000))
    end)
  end
end)
