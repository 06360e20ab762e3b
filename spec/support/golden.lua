-- Loads the cases of the earlier implementation.
local cjson = require "cjson"

local golden = {}

golden.IDS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

function golden.cases(id)
  local file = assert(io.open("spec/golden/" .. id .. ".json", "rb"))
  local text = file:read("a")
  file:close()
  return cjson.decode(text)
end

local HOST_FIELDS = { config = true, cfg = true, provider = true, provider_id = true, id = true, dry_run = true }

local function given(value)
  return value ~= nil and value ~= cjson.null
end

--- The part of a case's body that the script sees.
function golden.script_request(case)
  local body = case.request.body
  if not given(body) then return {} end
  if case.request.path:find("/gpu/public/", 1, true) then
    if given(body.job) then return body.job end
    if given(body.payload) then return body.payload end
    return {}
  end
  local request = {}
  for name, value in pairs(body) do
    if not HOST_FIELDS[name] then request[name] = value end
  end
  return request
end

return golden
