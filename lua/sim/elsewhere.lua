-- elsewhere.lua - a host that is no vendor's: `next` leads there when a directory's switch foreign_next is on. Whatever is asked
-- of it is in the journal, so a spec can prove that nobody came.
local sim = require "sim.core"

local function answer()
  return sim.json(200, { models = sim.array {}, results = sim.array {}, has_more = false })
end

return {
  provider = "elsewhere",
  hosts = { "elsewhere.example" },
  auth = function() end,
  faults = {},
  routes = { { "*", "/{path...}", answer, open = true } },
}
