-- spec_file.lua - a vendor's OpenAPI file as raw.githubusercontent.com serves it: no key, an ETag, and 304 to who has it.
local cjson = require "cjson"
local directory = require "sim.directory"
local sim = require "sim.core"

local HOST = "raw.githubusercontent.com"

local function refusal(status, text)
  return function() return sim.text(status, text) end
end

local REFUSALS = { ["401"] = refusal(401, "401: Unauthorized"), ["403"] = refusal(403, "403: Forbidden"),
  ["429"] = refusal(429, "429: Too Many Requests"), ["5xx"] = refusal(503, "503: Service Unavailable") }

local spec_file = { host = HOST }

--- The route of a file; make(request) returns what it holds, as the switches have it.
function spec_file.route(provider, path, make)
  return { "GET", path, directory.route(provider, "model", REFUSALS, function(request)
    local text = cjson.encode(directory.fatten(request, { make(request) }, "x-notes")[1])
    local etag = ('W/"%s"'):format(sim.hash(text):sub(1, 16))
    local headers = { ETag = etag, ["Cache-Control"] = "max-age=300" }
    if request.headers["if-none-match"] == etag then return sim.empty(304, headers) end
    return sim.text(200, text, headers)
  end), host = HOST, open = true }
end

return spec_file
