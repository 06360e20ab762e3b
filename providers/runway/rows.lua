-- rows.lua - holds a body against the row of its model: what the row forbids is refused, what it does not know goes out.

local plans = require "plan"
local row_values = require "row_values"

local rows = {}

local ipairs, next = ipairs, next

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

local function refuse_absent(plan, payload, spec, name)
  local input = spec.inputs[name]
  if is_refused(plan, name, input) then return end
  plans.refuse(plan, path_of(payload, input, name), spec.id .. " needs it", input.examples)
end

-- Whether a body surely has what the row wants, and nothing else: most have, and need no look at each input.
local function is_plainly_right(body, spec)
  local takes = spec.takes
  for _, name in ipairs(spec.required) do
    if body[name] == nil then return false end
  end
  for name, value in next, body do
    local ready = takes[name]
    if ready and not ready.fits(value) then return false end
  end
  return true
end

--- Checks a described model's body. What the directory knows is checked by its schema instead.
function rows.check(plan, payload, spec)
  local body, inputs, takes = plan.body, spec.inputs, spec.takes
  if spec.live or is_plainly_right(body, spec) then return end
  for _, name in ipairs(spec.names) do
    local value = body[name]
    if value == nil then
      if inputs[name].required and name ~= "promptText" then refuse_absent(plan, payload, spec, name) end
    elseif not is_refused(plan, name, inputs[name]) then
      row_values.check(plan, spec.id, takes[name], value, path_of(payload, inputs[name], name), UTF16)
    end
  end
end

return rows
