-- values.lua - values of fal's answers, which may be of any type.

local type = type

local values = {}

--- The value if it is a text that is not empty, else nil.
function values.text_of(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- The value if it is a table, else an empty one.
function values.table_of(value)
  return type(value) == "table" and value or {}
end

--- Whether a text begins with this prefix.
function values.starts_with(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

--- A number as text, a whole one without a fraction.
function values.number_text(number)
  return tostring(math.tointeger(number) or number)
end

return values
