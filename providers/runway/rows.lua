-- rows.lua - holds a body against the row of its model: what the row forbids is refused, what it does not know goes out.

local plans = require "plan"
local row_values = require "row_values"

local rows = {}

local UTF16 = { utf16 = true }

-- The client's path of an input of the vendor's: its own name, unless the value came under a word of ours.
local function path_of(payload, input, name)
  if payload.parameters[name] ~= nil or not input.field then return "parameters." .. name end
  return input.field
end

-- Whether something is said of this input already: also of the pictures that were given for it.
local function is_refused(plan, name, input)
  if input.x_file and plan.has_files then return true end
  for _, refusal in ipairs(plan.refusals or {}) do
    if refusal.field == input.field or refusal.field == "parameters." .. name then return true end
  end
  return false
end

--- Checks a described model's body. What the directory knows is checked by its schema instead.
function rows.check(plan, payload, spec)
  for _, name in ipairs(spec.names) do
    local input, value = spec.inputs[name], plan.body[name]
    if value == nil then
      if input.required and not spec.live and not is_refused(plan, name, input) and name ~= "promptText" then
        plans.refuse(plan, path_of(payload, input, name), spec.id .. " needs it", input.examples)
      end
    elseif not spec.live and not is_refused(plan, name, input) then
      row_values.check(plan, spec.id, spec.schemas[name], value, path_of(payload, input, name), UTF16)
    end
  end
end

return rows
