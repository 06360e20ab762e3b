-- runway_directory.lua - Runway's own OpenAPI file for the simulator: recorded variants (lua/sim/runway_documents.lua).
local directory = require "sim.directory"
local recorded = require "sim.runway_documents"
local spec_file = require "sim.spec_file"

local PATH = "/runwayml/openapi/refs/heads/next/openapi.json"

local function spoil_variants(request, variants)
  for i = #variants, 1, -1 do
    local variant = variants[i]
    if directory.is(request, "gone", variant.title) then
      table.remove(variants, i)
    else
      variants[i] = directory.spoil(request, variant, "#/components/schemas/", variant.title)
    end
  end
end

local function document(request)
  local copy = directory.copy(recorded.openapi)
  for _, path in pairs(copy.paths) do
    local schema = path.post and path.post.requestBody.content["application/json"].schema
    if schema and schema.oneOf then spoil_variants(request, schema.oneOf) end
  end
  return copy
end

--- For lua/sim/runway.lua.
return { host = spec_file.host .. "/runwayml", routes = { spec_file.route("runway", PATH, document) } }
