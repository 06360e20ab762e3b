-- parameters.lua - reads what stands among the parameters of a request for a video, by lists of fields.

local check = require "check"

local parameters = {}

--- Reads the fields of some lists (check.field_list) from the parameters of a payload: they stand there under their own names
-- then, instead of those that the client used.
function parameters.read(payload, lists)
  local given = payload.parameters
  if next(given) == nil then return end
  local reader = check.reader(check.copy(given), "parameters")
  reader.given_as = payload.given_as
  for _, list in ipairs(lists) do
    for name in pairs(reader.object) do
      if list.by_name[name] then given[name] = nil end
    end
    reader:fields(list, given, payload)
  end
end

return parameters
