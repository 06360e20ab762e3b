-- rows.lua - holds a body against the row of its model: what the row forbids is refused, what it does not know goes out.

local plans = require "plan"
local schema = require "schema"

local rows = {}

local UTF16 = { utf16 = true }

-- What a row closes: the type of an input; an enum or a range, which only inputs have that decide money; the length of a prompt;
-- seeds; how many pictures. What is inside a list or an object is the vendor's to check.
local CLOSED = { type = true, anyOf = true, enum = true, const = true, minimum = true, maximum = true, maxLength = true,
  maxItems = true, minItems = true, minLength = true }

local function is_in(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

local function texts_of(list)
  local texts = {}
  for index, item in ipairs(list) do texts[index] = tostring(item) end
  return table.concat(texts, ", ")
end

-- The client's path of an input of the vendor's: its own name, unless the value came under a word of ours.
local function path_of(payload, input, name)
  if payload.parameters[name] ~= nil or not input.field then return "parameters." .. name end
  return input.field
end

-- A value that is none of those that we know of, where the vendor may have more.
local function warn_of_new(plan, payload, spec, name, input, value)
  if input.enum or not input.examples or type(value) == "table" or is_in(input.examples, value) then return end
  if input.type ~= "string" then return end
  plans.warn(plan, path_of(payload, input, name),
    ("is not one that %s is known to take (%s): sent as given"):format(spec.id, texts_of(input.examples)))
end

local function check_one(plan, payload, spec, name, input)
  local value = plan.body[name]
  local _, complaints = schema.check(spec.schemas[name], value, UTF16)
  local complaint = complaints[1]
  if not complaint then return warn_of_new(plan, payload, spec, name, input, value) end
  local path = path_of(payload, input, name)
  if complaint.path ~= "" then path = path .. (string.sub(complaint.path, 1, 1) == "[" and "" or ".") .. complaint.path end
  if complaint.path == "" and CLOSED[complaint.rule] then
    return plans.refuse(plan, path, spec.id .. ": " .. complaint.message, complaint.allowed)
  end
  plans.warn(plan, path, spec.id .. ": " .. complaint.message .. "; sent as given")
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
    local input = spec.inputs[name]
    if plan.body[name] == nil then
      if input.required and not is_refused(plan, name, input) and name ~= "promptText" then
        plans.refuse(plan, path_of(payload, input, name), spec.id .. " needs it", input.examples)
      end
    elseif not spec.live and not is_refused(plan, name, input) then
      check_one(plan, payload, spec, name, input)
    end
  end
end

return rows
