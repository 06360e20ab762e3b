-- The recorded answers of the vendors' directories (spec/contracts/directory.json), and what is in them.
local exact = require "spec.support.exact_json"
local shell = require "spec.support.shell"

local directory_cases = {}

--- All cases. Numbers are as written, arrays are marked.
function directory_cases.all()
  return exact.decode(assert(shell.read("spec/contracts/directory.json")))
end

local function at(value, path)
  for _, step in ipairs(path) do value = value[type(step) == "number" and step + 1 or step] end
  return value
end

--- A value as the host's Lua has it: marked arrays are the library's, wide integers are numbers.
function directory_cases.as_lua(value, cjson)
  if type(value) ~= "table" then return value end
  local copy = exact.is_array(value) and cjson.array {} or {}
  for key, item in pairs(value) do copy[key] = directory_cases.as_lua(item, cjson) end
  return copy
end

--- The schema of a case and the root of its references, as the host's Lua has them.
function directory_cases.schema_of(case, cjson)
  local body = directory_cases.as_lua(case.response.body, cjson)
  return at(body, case.schema_at), at(body, case.refs_from)
end

--- The normal form of the inputs of a model that a case describes, or nil.
function directory_cases.inputs_of(cases, id, schema, cjson)
  for _, case in ipairs(cases) do
    local models = case.schema_at and case.response.body.models
    if models and models[1].endpoint_id == id then return (schema.normalize(directory_cases.schema_of(case, cjson))) end
  end
  return nil
end

return directory_cases
