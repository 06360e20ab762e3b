-- unlisted.lua - values that a row of ours does not list, and that go out all the same: vendors add to their lists.

local check = require "check"
local names = require "names"
local plan = require "plan"

local unlisted = {}

--- Warns of the values of a plan that are not among the examples of its row. Where the vendor's own schema is there, that judges.
function unlisted.warn(built)
  local row = built.description
  if not row or built.live_inputs then return end
  for _, name in ipairs(names.sorted(built.body)) do
    local input, value = row.inputs[name], built.body[name]
    local examples = input and input.examples
    if examples and value ~= input.default and not check.in_list(value, examples) then
      local message = built.model .. " is known to take " .. table.concat(examples, ", ") .. "; sent as given"
      plan.warn(built, built.paths[name], message)
    end
  end
end

return unlisted
