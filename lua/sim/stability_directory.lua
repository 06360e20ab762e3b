-- stability_directory.lua - Stability's own OpenAPI file for the simulator: its shape, with the forms of two services.
--
-- Modelled on the file of github.com/Stability-AI/rest-api-support and the vendor's reference: multipart forms, no prices.
local directory = require "sim.directory"
local sim = require "sim.core"
local spec_file = require "sim.spec_file"

local PATH = "/Stability-AI/rest-api-support/main/generated/spec/merged.json"

local function form(more)
  local properties = { prompt = { type = "string", minLength = 1, maxLength = 10000 },
    negative_prompt = { type = "string", maxLength = 10000 },
    aspect_ratio = { type = "string", default = "1:1",
      enum = sim.array { "21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21" } },
    seed = { type = "number", minimum = 0, maximum = 4294967294, default = 0 },
    output_format = { type = "string", default = "png", enum = sim.array { "png", "jpeg", "webp" } } }
  for name, property in pairs(more) do properties[name] = property end
  return { type = "object", required = sim.array { "prompt" }, properties = properties }
end

local FORMS = {
  ["/v2beta/stable-image/generate/core"] = form { style_preset = { type = "string",
    enum = sim.array { "3d-model", "analog-film", "anime", "cinematic", "photographic", "pixel-art" } } },
  ["/v2beta/stable-image/generate/ultra"] = form { image = { type = "string", format = "binary" },
    strength = { type = "number", minimum = 0, maximum = 1 } },
}

local function document(request)
  local paths = {}
  for path, schema in pairs(FORMS) do
    if not directory.is(request, "gone", path:match("[^/]+$")) then
      schema = directory.spoil(request, schema, "#/components/schemas/", path:match("[^/]+$"))
      paths[path] = { post = { requestBody = { required = true, content = { ["multipart/form-data"] = { schema = schema } } } } }
    end
  end
  return { openapi = "3.0.3", info = { title = "Stability.ai REST API", version = "v1" }, paths = paths }
end

--- For lua/sim/stability.lua.
return { host = spec_file.host .. "/Stability-AI", routes = { spec_file.route("stability", PATH, document) } }
