-- unlisted.lua - values that a row of ours does not list, and that go out all the same: vendors add to their lists.

local check = require "check"
local names = require "names"
local plan = require "plan"

local unlisted = {}

--- Makes rows ready, at load: each has then `listed`, the names of its inputs that have examples.
function unlisted.rows(rows)
  for _, row in pairs(rows) do
    row.listed = {}
    for _, name in ipairs(names.sorted(row.inputs)) do
      if row.inputs[name].examples then row.listed[#row.listed + 1] = name end
    end
  end
  return rows
end

--- Warns of the values of a plan that are not among the examples of its row. Where the vendor's own schema is there, that judges.
function unlisted.warn(built)
  local row = built.description
  if not row or built.live_inputs then return end
  local body = built.body
  for _, name in ipairs(row.listed) do
    local value = body[name]
    local input = value ~= nil and row.inputs[name]
    if input and value ~= input.default and not check.in_list(value, input.examples) then
      local message = built.model .. " is known to take " .. table.concat(input.examples, ", ") .. "; sent as given"
      plan.warn(built, built.paths[name], message)
    end
  end
end

return unlisted
