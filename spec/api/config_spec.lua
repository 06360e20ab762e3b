-- Configuration and secrets are read again when their files change; a broken file never breaks a running host, keeps
-- the last good one in force and is reported: in health answers, in /readyz and in the log.
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local CONFIG, SECRETS = "config/comfyvn.json", "config/comfyvn.secrets.json"
local GOOD_CONFIG = '{"features":{"enable_public_image_providers":true}}'
local GOOD_SECRETS = '{"fal":{"api_key":"0123abcd:0123456789ABCDEF"}}'

local function health(served, id)
  local answer = served:post(providers.path(providers[id or "fal"], "health"), {})
  assert(answer.status == 200, answer.body)
  return answer.json
end

local function mentions(texts, text)
  for _, candidate in ipairs(texts) do
    if candidate:find(text, 1, true) then return true end
  end
  return false
end

local function problems(served)
  return served:get("/readyz").json.problems
end

-- Waits until the trouble is told everywhere.
local function wait_for_report(served, text)
  served:eventually(function()
    assert.is_true(mentions(health(served).warnings, text), "health: " .. table.concat(health(served).warnings, "\n"))
    assert.is_true(mentions(problems(served), text), "readyz: " .. table.concat(problems(served), "\n"))
    assert.truthy(served:log():find(text:match("^[^\"]+"), 1, true), "log")
    return true
  end)
end

local function wait_for_silence(served)
  served:eventually(function() return #problems(served) == 0 end)
end

describe("flags", function()
  local served
  setup(function() served = host.start { secrets = GOOD_SECRETS } end)
  teardown(function() served:remove() end)

  -- A configuration, and which kinds it opens.
  local OPEN = {
    { '{"features":{"enable_public_gpu":true}}', gpu = true },
    { '{"features":{"enable_public_image_providers":true}}', image = true },
    { '{"features":{"enable_public_video_providers":true}}', video = true },
    { '{"features":{"enable_public_image_video":true}}', image = true, video = true },
    { '{"features":{"enable_public_gpu":true,"enable_public_image_video":true}}',
      gpu = true, image = true, video = true },
    { '{}' },
  }

  for _, case in ipairs(OPEN) do
    it("are read again without a restart: " .. case[1], function()
      served:write(CONFIG, case[1])
      served:eventually(function()
        for kind, folder in pairs(providers.FOLDERS) do
          assert.equal(case[kind] or false, served:get(folder .. "/catalog").json.feature.enabled)
        end
        return true
      end)
      for _, provider in ipairs(providers) do
        assert.equal(case[provider.kind] or false, health(served, provider.id).feature.enabled, provider.id)
      end
    end)
  end

  it("are read again when the file is written in place, half of it first", function()
    served:write_in_place(CONFIG, GOOD_CONFIG:sub(1, 20))
    wait_for_report(served, CONFIG)
    served:write_in_place(CONFIG, GOOD_CONFIG)
    served:eventually(function() return health(served).ok end)
    wait_for_silence(served)
  end)

  it("are off when the file is gone", function()
    served:write(CONFIG, GOOD_CONFIG)
    served:eventually(function() return health(served).ok end)
    served:delete(CONFIG)
    served:eventually(function() return not health(served).ok end)
    assert.same({}, problems(served))
  end)

  it("are read from the home folder when config/ has no file", function()
    served:write("comfyvn.json", GOOD_CONFIG)
    served:eventually(function() return health(served).ok end)
    served:write(CONFIG, "{}")
    served:eventually(function() return not health(served).ok end)
    served:delete("comfyvn.json")
  end)
end)

-- Files that are not taken, and what is said about them.
local BAD_CONFIGS = {
  { "not JSON", "{", "malformed JSON" },
  { "empty", " ", "malformed JSON" },
  { "a list", "[]", "must hold one JSON object" },
  { "a key twice", '{"log":{},"log":{}}', "duplicate" },
  { "a flag that is text", '{"features":{"enable_public_gpu":"yes"}}', "features.enable_public_gpu" },
  { "a flag that is a number", '{"features":{"enable_public_gpu":1}}', "features.enable_public_gpu" },
  { "features as a list", '{"features":[]}', "features" },
  { "an unknown flag", '{"features":{"enable_public_gpus":true}}', 'did you mean "enable_public_gpu"?' },
  { "an unknown section", '{"feature":{}}', 'did you mean "features"?' },
  { "an unknown key of the server", '{"server":{"thread":4}}', 'did you mean "threads"?' },
  { "an unknown key of live", '{"live":{"budget":{}}}', 'did you mean "budget_usd"?' },
  { "an unknown key of a provider", '{"live":{"providers":{"fal":{"enable":true}}}}', 'did you mean "enabled"?' },
  { "an mcp that is a switch", '{"mcp":true}', "mcp: expected an object" },
  { "an unknown key of mcp", '{"mcp":{"approve_above":1}}',
    'mcp.approve_above: unknown key; did you mean "approve_above_usd"?' },
  { "an approval by nobody", '{"mcp":{"approval":"agent"}}', 'mcp.approval: expected "operator" or "client"' },
  { "an approval above less than nothing", '{"mcp":{"approve_above_usd":-1}}',
    "mcp.approve_above_usd: an amount in US dollars cannot" },
  { "a budget of mcp that is a number", '{"mcp":{"budget_usd":5}}', "mcp.budget_usd: expected an object" },
  { "a directory that is a switch", '{"directory":true}', "directory: expected an object" },
  { "a directory's switch that is text", '{"directory":{"enabled":"on"}}', "directory.enabled" },
  { "an unknown key of the directory", '{"directory":{"refresh_hour":1}}',
    'directory.refresh_hour: unknown key; did you mean "refresh_hours"?' },
  { "a directory that is never asked again", '{"directory":{"refresh_hours":0}}',
    "directory.refresh_hours: expected a whole number from 1" },
  { "a directory older than a month", '{"directory":{"refresh_hours":721}}', "from 1 to 720, got 721" },
  { "half an hour", '{"directory":{"refresh_hours":0.5}}', "directory.refresh_hours: expected a whole number" },
  { "a directory with a list of providers", '{"directory":{"providers":["fal"]}}', "directory.providers" },
  { "a provider of the directory that is a switch", '{"directory":{"providers":{"fal":true}}}',
    "directory.providers.fal: expected an object" },
  { "an unknown key of a provider of the directory", '{"directory":{"providers":{"fal":{"enable":true}}}}',
    'directory.providers.fal.enable: unknown key; did you mean "enabled"?' },
  { "a provider of the directory twice", '{"directory":{"providers":{"fal":{},"FAL":{}}}}', "twice" },
  { "an unknown key of the log", '{"log":{"levels":"info"}}', 'did you mean "level"?' },
  { "a level that is none", '{"log":{"level":"loud"}}', "log.level" },
  { "a budget below zero", '{"live":{"budget_usd":{"per_day":-1}}}', "live.budget_usd.per_day" },
  { "a key that is no hash", '{"server":{"api_keys":[{"name":"a","sha256":"b"}]}}', "sha256" },
  { "too few threads", '{"server":{"threads":1}}', "server.threads" },
  { "plain HTTP to the world", '{"live":{"upstream":"http://example.com"}}', "live.upstream" },
  { "a registry of another kind", '{"registry":{"url":"mysql:x"}}', "registry.url" },
}

describe("a broken configuration", function()
  local served
  setup(function() served = host.start { config = GOOD_CONFIG, secrets = GOOD_SECRETS } end)
  teardown(function() served:remove() end)

  for _, case in ipairs(BAD_CONFIGS) do
    it("(" .. case[1] .. ") keeps the last good one and is reported until it is put right", function()
      served:write(CONFIG, case[2])
      wait_for_report(served, case[3])
      local answer = health(served)
      assert.is_true(answer.ok)
      assert.is_true(mentions(answer.warnings, CONFIG))
      assert.is_true(mentions(answer.warnings, "the last good version stays in force"))
      assert.equal(200, served:get("/readyz").status)
      served:write(CONFIG, GOOD_CONFIG)
      wait_for_silence(served)
      assert.same({}, health(served).warnings)
    end)
  end

  for _, case in ipairs(BAD_CONFIGS) do
    it("(" .. case[1] .. ") keeps a host from starting, and it says why", function()
      local folder = served.home .. "/other"
      served:write("other/config/comfyvn.json", case[2])
      local code, _, err = host.run { "serve", "--home", folder, "--listen", "127.0.0.1:0" }
      assert.equal(1, code)
      assert.truthy(err:find(case[3], 1, true), err)
      assert.truthy(err:find(CONFIG, 1, true), err)
    end)
  end
end)

-- Secrets files that are not taken. The value must not be told by anything.
local BAD_SECRETS = {
  { "not JSON", '{"fal":{"api_key":"hunter2hunter2', "malformed JSON" },
  { "without quotes", '{"fal":{"api_key":hunter2hunter2}}', "malformed JSON" },
  { "a list", '["hunter2hunter2"]', "must hold one JSON object" },
  { "an entry that is text", '{"fal":"hunter2hunter2"}', "fal" },
  { "a value that is a list", '{"fal":{"api_key":["hunter2hunter2"]}}', "fal.api_key" },
  { "a value that is a number", '{"fal":{"api_key":5}}', "fal.api_key" },
  { "a provider twice", '{"fal":{"api_key":"hunter2hunter2"},"FAL":{"api_key":"hunter2hunter2"}}', "twice" },
  { "a line break in a value", '{"fal":{"api_key":"hunter2\\nhunter2"}}', "line break" },
}

describe("secrets", function()
  local served
  setup(function() served = host.start { config = GOOD_CONFIG } end)
  teardown(function() served:remove() end)

  it("are read again without a restart", function()
    assert.is_false(health(served).ok)
    served:write(SECRETS, GOOD_SECRETS)
    served:eventually(function() return health(served).ok end)
    assert.equal("secrets", health(served).credentials.sources.api_key)
    served:write(SECRETS, '{"runpod":{"api_key":"x"}}')
    served:eventually(function() return not health(served).ok end)
    served:write(SECRETS, GOOD_SECRETS)
    served:eventually(function() return health(served).ok end)
    served:delete(SECRETS)
    served:eventually(function() return not health(served).ok end)
    assert.same({}, problems(served))
  end)

  for _, case in ipairs(BAD_SECRETS) do
    it("in a broken file (" .. case[1] .. ") keep the last good ones, are reported and not told", function()
      served:write(SECRETS, GOOD_SECRETS)
      served:eventually(function() return health(served).ok end)
      served:write(SECRETS, case[2])
      wait_for_report(served, case[3])
      local answer = served:post(providers.path(providers.fal, "health"), {})
      assert.is_true(answer.json.ok)
      assert.is_true(mentions(answer.json.warnings, SECRETS))
      for _, text in ipairs { answer.body, served:get("/readyz").body, served:log() } do
        assert.is_nil(text:find("hunter2", 1, true))
      end
      served:write(SECRETS, GOOD_SECRETS)
      wait_for_silence(served)
    end)
  end

  for _, mode in ipairs { "640", "604", "660", "644", "610" } do
    it("that others can read (mode " .. mode .. ") are refused with the chmod to run", function()
      served:write(SECRETS, GOOD_SECRETS)
      served:eventually(function() return health(served).ok end)
      served:write(SECRETS, '{"runpod":{"api_key":"x"}}', mode)
      local command = "run `chmod 600 " .. served.home .. "/" .. SECRETS .. "`"
      wait_for_report(served, command)
      assert.is_true(health(served).ok)
      for _, provider in ipairs(providers) do
        assert.is_true(mentions(health(served, provider.id).warnings, command), provider.id)
      end
      served:chmod(SECRETS, "600")
      wait_for_silence(served)
      served:eventually(function() return not health(served).ok end)
    end)
  end

  it("count as absent when the file is broken at the start", function()
    local other = host.start { config = GOOD_CONFIG }
    finally(function() other:remove() end)
    other:stop()
    other:write(SECRETS, GOOD_SECRETS, "644")
    other:start_again()
    wait_for_report(other, "run `chmod 600 ")
    assert.is_false(health(other).ok)
    other:chmod(SECRETS, "600")
    other:eventually(function() return health(other).ok end)
  end)
end)

describe("many changes", function()
  it("leave no request without a good answer", function()
    local served = host.start { config = { features = golden.features(true) }, secrets = GOOD_SECRETS }
    finally(function() served:remove() end)
    local client = served:connect()
    for i = 1, 100 do
      served:write(CONFIG, i % 3 == 0 and "{" or i % 3 == 1 and GOOD_CONFIG or '{"features":{}}')
      served:write(SECRETS, i % 2 == 0 and GOOD_SECRETS or "{")
      local answer = client:request("POST", "/api/providers/image/fal/submit", { prompt = "a cat" })
      assert.equal(200, answer.status, answer.body)
      assert.equal(answer.json.ok, answer.json.feature.enabled and answer.json.credentials.present)
    end
    client:close()
    served:write(CONFIG, GOOD_CONFIG)
    served:write(SECRETS, GOOD_SECRETS)
    served:eventually(function() return health(served).ok and #problems(served) == 0 end)
  end)
end)
