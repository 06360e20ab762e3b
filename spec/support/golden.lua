-- Loads the cases of the earlier implementation (spec/golden), groups them by the state they need, and compares answers.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"

local golden = {}

golden.IDS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

local function read_cases(id, decode)
  local file = assert(io.open("spec/golden/" .. id .. ".json", "rb"))
  local text = file:read("a")
  file:close()
  return decode(text)
end

function golden.cases(id)
  return read_cases(id, cjson.decode)
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

-- States of a host ------------------------------------------------------------------------------------------------------

--- The first environment variables of each provider, as the spec names them.
golden.ENVIRONMENT = {
  runpod = { "RUNPOD_API_KEY" }, hf_inference_endpoints = { "HF_API_TOKEN" }, replicate = { "REPLICATE_API_TOKEN" },
  modal = { "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET" }, stability = { "STABILITY_API_KEY" }, fal = { "FAL_API_KEY" },
  runway = { "RUNWAY_API_KEY" }, pika = { "PIKA_API_KEY" }, luma = { "LUMA_API_KEY" },
}

--- The entries of the secrets file, as the spec shows them.
golden.SECRETS = {
  runpod = { api_key = "s" }, hf_inference_endpoints = { api_token = "s" }, replicate = { api_key = "s" },
  modal = { token_id = "s", token_secret = "s" }, stability = { api_key = "s" }, fal = { api_key = "s" },
  runway = { api_key = "s" }, pika = { api_key = "s" }, luma = { api_key = "s" },
}

function golden.environment()
  local environment = {}
  for _, names in pairs(golden.ENVIRONMENT) do
    for _, name in ipairs(names) do environment[name] = "from-the-environment" end
  end
  return environment
end

golden.FLAGS = { "enable_public_gpu", "enable_public_image_providers", "enable_public_video_providers" }

function golden.features(enabled)
  local features = {}
  for _, flag in ipairs(golden.FLAGS) do features[flag] = enabled end
  return features
end

-- A credential in the request needs nothing of the host.
local CREDENTIALS_OF_HOST = {
  none = "none", env = "env", secrets = "secrets", ["request.config"] = "none", ["request.cfg"] = "none",
}

--- The options of a host for a state: "on-env".
function golden.host_options(state)
  local flag, credentials = state:match("^(%l+)-(%l+)$")
  return {
    config = { features = golden.features(flag == "on") },
    env = credentials == "env" and golden.environment() or nil,
    secrets = credentials == "secrets" and golden.SECRETS or nil,
  }
end

--- All cases, without loss, by state: { ["on-env"] = { case, ... }, ... }, and how many they are.
function golden.by_state()
  local groups, count = {}, 0
  for _, id in ipairs(golden.IDS) do
    for _, case in ipairs(read_cases(id, exact.decode)) do
      local state = case.state.flag .. "-" .. CREDENTIALS_OF_HOST[case.state.creds]
      groups[state] = groups[state] or {}
      table.insert(groups[state], case)
      count = count + 1
    end
  end
  return groups, count
end

-- Comparison --------------------------------------------------------------------------------------------------------------

local function compare(expected, actual, path, found)
  local function differ(text) found[#found + 1] = path .. ": " .. text end
  if type(expected) ~= "table" then
    if expected ~= actual then differ(("expected %s, got %s"):format(exact.encode(expected), exact.encode(actual))) end
  elseif type(actual) ~= "table" or exact.is_array(expected) ~= exact.is_array(actual) then
    differ(("expected %s, got %s"):format(exact.encode(expected), exact.encode(actual)))
  elseif exact.is_array(expected) and #expected ~= #actual then
    differ(("expected %d items, got %s"):format(#expected, exact.encode(actual)))
  else
    for key, value in pairs(expected) do compare(value, actual[key], path .. "." .. key, found) end
  end
  return found
end

local function has_path(value, path)
  for name in path:gmatch("[^.]+") do
    if type(value) ~= "table" or value[name] == nil then return false end
    value = value[name]
  end
  return true
end

--- What of a case's expectation an answer (status, body as text) does not meet, as a list of texts.
function golden.differences(expect, answer)
  local found = {}
  if answer.status ~= expect.status then return { ("status %d: %s"):format(answer.status, answer.body) } end
  local body = exact.decode(answer.body)
  compare(expect.body, body, "body", found)
  for _, path in ipairs(expect.has) do
    if not has_path(body, path) then found[#found + 1] = path .. ": is not there" end
  end
  return found
end

return golden
