-- A number that a client gives is the client's fault: whatever it is, wherever it stands, it goes through or it is a 400
-- that names a field,
-- never the script's error. And no text passes for an integer, nor does an integer's mark come out.
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local NUMBERS = {
  "0", "-1", "0.5", "-0.0", "9007199254740992", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
  "18446744073709551615", "1e308", "-1e308", "5e-324", ("9"):rep(19), ("9"):rep(400),
}

-- The worst of them, for the many places that only might take a number.
local WORST = { "-1", "9223372036854775807", "18446744073709551615", "1e308" }

-- Where numbers may stand beside those of the contracts' requests.
local NAMES = {
  "seed", "samples", "num_images", "num_outputs", "n", "steps", "num_inference_steps", "cfg_scale", "guidance_scale",
  "guidance", "width",
  "height", "duration", "fps", "strength", "expires_in_seconds", "expires_in", "max_runtime_minutes", "seconds",
  "timeout", "timeout_seconds",
  "image_strength", "creativity", "replicas", "min_replica", "max_replica", "priority", "price", "gpu_count", "gpus",
  "count", "runtime",
  "max_new_tokens", "temperature", "size", "resolution", "aspect_ratio", "execution_timeout", "ttl", "volume_in_gb",
  "container_disk_in_gb",
  "prompt", "mode", "model", "url", "endpoint_id", "hardware", "version", "operation", "id", "headers", "query",
  "method", "path",
}
local CONTAINERS = { "", "parameters", "options", "input", "job", "policy" }

local function decode_file(folder, id)
  local file = assert(io.open(("spec/%s/%s.json"):format(folder, id)))
  local list = exact.decode(file:read("a"))
  file:close()
  return list
end

-- The texts of requests, each with one number in it replaced by %s.
local function places_in(request, key, found)
  local function walk(value, path)
    if math.type(value) and not found[key .. path] then found[key .. path] = true end
    if type(value) ~= "table" then return end
    for name, item in pairs(value) do
      local here = path .. "." .. tostring(name)
      if math.type(item) then
        if not found[key .. here] then
          value[name] = "@NUMBER@"
          found[key .. here] = exact.encode(request)
          found[#found + 1] = found[key .. here]
          value[name] = item
        end
      else
        walk(item, here)
      end
    end
  end
  walk(request, "")
end

local function places_of(provider)
  local found, guessed = {}, {}
  for _, folder in ipairs { "contracts", "golden" } do
    for _, case in ipairs(decode_file(folder, provider.id)) do
      local request = case.given and case.given.request or case.request
      if type(request) == "table" and (not case.given or case.given.verb == "submit") then
        local operation = tostring(request.mode or request.operation or request.action or "")
        places_in(request, operation, found)
      end
    end
  end
  local plain = provider.request
  for _, container in ipairs(CONTAINERS) do
    for _, name in ipairs(NAMES) do
      local body = {}
      for member, value in pairs(plain) do body[member] = value end
      if container == "" then
        body[name] = "@NUMBER@"
      else
        local inner = { [name] = "@NUMBER@" }
        for member, value in pairs(type(plain[container]) == "table" and plain[container] or {}) do inner[member] =
          inner[member] or value end
        body[container] = inner
      end
      guessed[#guessed + 1] = exact.encode(body)
    end
  end
  return found, guessed
end

describe("a hostile number", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    it("in any place of a request for " .. provider.id .. " is the client's", function()
      local wrong = {}
      local found, guessed = places_of(provider)
      local function try(place, number)
        if provider.kind == "gpu" and not place:find('^{[^{]*"job":') then place = '{"job":' .. place .. "}" end
        local answer = served:post(providers.path(provider, "submit"), (place:gsub('"@NUMBER@"', number)))
        local good = answer.status == 200 or answer.status == 400
        if not good or answer.body:find("\\u007f", 1, true) or answer.body:find("\127", 1, true) then
          wrong[#wrong + 1] = number:sub(1, 30) .. " in " .. place .. ": " .. answer.body:sub(1, 300)
        end
      end
      for _, place in ipairs(found) do
        for _, number in ipairs(NUMBERS) do try(place, number) end
      end
      for _, place in ipairs(guessed) do
        for _, number in ipairs(WORST) do try(place, number) end
      end
      assert.equals("", table.concat(wrong, "\n"))
    end)

    it("as the job_id of a poll at " .. provider.id .. " is refused by name", function()
      for _, member in ipairs { "job_id", "id" } do
        for _, number in ipairs(NUMBERS) do
          local answer = served:post(providers.path(provider, "poll"), ('{"%s":%s}'):format(member, number))
          assert.equals(400, answer.status, answer.body)
          assert.is_truthy(answer.body:find(number:sub(1, 3) == "999" and #number > 300 and "" or member, 1, true), answer.body)
          assert.is_nil(answer.body:find("u007f", 1, true))
        end
      end
    end)
  end

  it("is no text where texts are expected, and shows no mark", function()
    for _, case in ipairs {
      { "/api/providers/image/generate", '{"provider":18446744073709551615,"prompt":"x"}' },
      { "/api/providers/image/generate", '{"provider":"fal","prompt":"x","callback_url":18446744073709551615}' },
      { "/api/modder/hooks", '{"url":18446744073709551615,"events":[18446744073709551615]}' },
      { "/api/modder/hooks", '{"url":"https://a.example/","events":18446744073709551615}' },
      { "/api/providers/image/fal/submit", '{"prompt":"x","config":{"api_key":18446744073709551615}}' },
    } do
      local answer = served:post(case[1], case[2])
      assert.is_nil(answer.body:find("u007f", 1, true), answer.body)
      assert.is_nil(answer.body:find("\127", 1, true), answer.body)
      assert.is_true(answer.status < 500, answer.body)
    end
  end)
end)
