-- Where credentials come from, in which order, and what an answer says when one is missing or odd: the request's
-- config or cfg, then the secrets file, then the environment. No answer ever holds a value.
local exact = require "spec.support.exact_json"
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local ON = { features = golden.features(true) }

local function health(served, id, body)
  local answer = served:post(providers.path(providers[id], "health"), body or {})
  assert(answer.status == 200, answer.body)
  return exact.decode(answer.body)
end

-- What the sources of all credentials should be. Optional ones that nobody gave are null.
local function each_from(provider, source)
  local expected = {}
  for name in pairs(provider.secret) do expected[name] = source end
  return expected
end

local function required_only(provider, sources)
  local found = {}
  for name in pairs(provider.secret) do found[name] = sources[name] end
  return found
end

local function warned(envelope, text)
  for _, warning in ipairs(envelope.warnings) do
    if warning:find(text, 1, true) then return true end
  end
  return false
end

local function secrets_of_all(value)
  local secrets = {}
  for _, provider in ipairs(providers) do secrets[provider.id] = providers.credentials(provider, value) end
  return secrets
end

local function environment_of_all(position)
  local environment = {}
  for _, provider in ipairs(providers) do
    -- Modal's two variables are two credentials, the others' are two names of one.
    local names = provider.id == "modal" and provider.env or { provider.env[position] or provider.env[1] }
    for _, name in ipairs(names) do environment[name] = "an-exported-value" end
  end
  return environment
end

local PLACES = {
  { name = "the environment", source = "env", env = environment_of_all(1) },
  { name = "the environment by its second name", source = "env", env = environment_of_all(2) },
  { name = "the secrets file", source = "secrets", secrets = secrets_of_all() },
  {
    name = "the secrets file before the environment", source = "secrets", secrets = secrets_of_all(),
    env = environment_of_all(1),
  },
}

for _, place in ipairs(PLACES) do
  describe("a credential from " .. place.name, function()
    local served
    setup(function() served = host.start { config = ON, secrets = place.secrets, env = place.env } end)
    teardown(function() served:remove() end)

    for _, provider in ipairs(providers) do
      it("is found for " .. provider.id, function()
        local envelope = health(served, provider.id)
        assert.same(each_from(provider, place.source), required_only(provider, envelope.credentials.sources))
        assert.is_true(envelope.credentials.present)
        assert.is_true(envelope.ok)
      end)

      for _, member in ipairs { "config", "cfg" } do
        it("gives way to the request's " .. member .. " for " .. provider.id, function()
          local envelope = health(served, provider.id, { [member] = providers.credentials(provider) })
          assert.same(each_from(provider, "request"), required_only(provider, envelope.credentials.sources))
          assert.is_true(envelope.ok)
        end)
      end
    end
  end)
end

describe("without stored credentials", function()
  local served
  setup(function() served = host.start { config = ON } end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    it("an answer of " .. provider.id .. " says what is missing and where to put it", function()
      local envelope = health(served, provider.id)
      assert.is_false(envelope.ok)
      for name in pairs(provider.secret) do
        local text = ('credential %s is missing: put it under "%s" in config/comfyvn.secrets.json'):format(name, provider.id)
        assert.is_true(warned(envelope, text), exact.encode(envelope.warnings))
        assert.equal(exact.null, envelope.credentials.sources[name])
      end
      assert.is_true(warned(envelope, "or export " .. provider.env[1]), exact.encode(envelope.warnings))
      assert.equal(envelope.warnings[1], envelope.reason)
    end)

    it("the request's is good for one request only: " .. provider.id, function()
      local given = { config = providers.credentials(provider) }
      assert.is_true(health(served, provider.id, given).ok)
      assert.is_true(providers.submit(served, provider, nil, given).ok)
      assert.is_false(health(served, provider.id).ok)
    end)
  end

  it("half of a pair is not enough, and the other half may come from elsewhere", function()
    local envelope = health(served, "modal", { config = { token_id = "wk-0123456789ABCDEF" } })
    assert.same({ token_id = "request", token_secret = exact.null }, envelope.credentials.sources)
    assert.is_false(envelope.credentials.present)
    assert.is_false(envelope.ok)
  end)

  for _, blank in ipairs { "", "   ", "...", "<your key>" } do
    it(("%q in the request counts as absent"):format(blank), function()
      local envelope = health(served, "fal", { config = { api_key = blank } })
      assert.same({ api_key = exact.null }, envelope.credentials.sources)
    end)
  end

  it("null in the request counts as absent", function()
    assert.is_false(health(served, "runpod", { config = { api_key = exact.null } }).ok)
  end)

  -- Something else than text is named.
  for _, member in ipairs { "config", "cfg" } do
    for _, value in ipairs { 5, true, exact.array { "x" }, { a = "x" }, exact.decode("18446744073709551615") } do
      it(member .. ".api_key must be text, not " .. exact.encode(value), function()
        for _, verb in ipairs { "health", "submit", "poll" } do
          local answer = served:post(providers.path(providers.runpod, verb), { [member] = { api_key = value } })
          assert.equal(400, answer.status, answer.body)
          assert.equal(member .. ".api_key", answer.json.errors[1].path)
        end
      end)
    end
  end

  for _, provider in ipairs(providers) do
    it("names in the request may be in any letter case: " .. provider.id, function()
      local capitals = {}
      for name, value in pairs(provider.secret) do capitals[name:upper()] = value end
      local envelope = health(served, provider.id, { cfg = capitals })
      assert.same(each_from(provider, "request"), required_only(provider, envelope.credentials.sources))
      assert.is_true(envelope.ok)
    end)
  end

  it("a name in the request that sounds like a credential and is none of this provider's is warned of", function()
    for _, name in ipairs { "bogus_key", "accessToken", "MY_SECRET", "db_password" } do
      local envelope = health(served, "runpod", { config = { [name] = "abc" } })
      assert.is_false(envelope.ok)
      local text = "config: " .. name .. " is not a credential of this provider"
      assert.is_true(warned(envelope, text), exact.encode(envelope.warnings))
      assert.is_true(warned(envelope, "its credentials: api_key"))
    end
  end)

  it("other settings in config are not", function()
    local plain = health(served, "runpod", {})
    local settings = { timeout = 5, region = "eu", max_tokens = 256, nested = { key = "x" } }
    local envelope = health(served, "runpod", { config = settings })
    assert.same(plain.warnings, envelope.warnings)
  end)

  it("a credential in the place of a name is warned of and not repeated", function()
    local envelope = health(served, "runpod", { config = { ["rpa_0123456789ABCDEF"] = "x" } })
    assert.is_true(warned(envelope, "a name looks like a credential itself; write it as the value of one of: api_key"))
    assert.is_nil(exact.encode(envelope):find("0123456789ABCDEF", 1, true))
  end)

  it("Modal's token in a single line: what is missing says how to write its halves", function()
    local envelope = health(served, "modal", { config = { token = "wk-0123456789ABCDEF.ws-0123456789ABCDEF" } })
    assert.is_true(warned(envelope, "token_id is the half before the dot"), exact.encode(envelope.warnings))
    assert.is_true(warned(envelope, "config: token is not a credential of this provider"))
  end)
end)

local IN_HOME = { ["comfyvn.secrets.json"] = '{"fal":{"api_key":"id:value"}}' }

-- Ways to write the entry of fal.
local SPELLINGS = {
  { name = "in capitals", secrets = { FAL = { API_KEY = "id:value" } }, source = "secrets" },
  { name = "under an alias", secrets = { ["Fal.AI"] = { key = "id:value" } }, source = "secrets" },
  { name = "blank", secrets = { fal = { api_key = " " } }, source = exact.null },
  { name = "as copied from the example", secrets = { fal = { api_key = "..." } }, source = exact.null },
  { name = "blank, beside the environment's", secrets = { fal = { api_key = "" } }, env = { FAL_KEY = "id:x" }, source = "env" },
  { name = "in the home folder itself", files = IN_HOME, source = "secrets" },
  {
    name = "in the home folder, and another file in config/: that one counts", secrets = { runpod = { api_key = "x" } },
    files = IN_HOME, source = exact.null,
  },
}

for _, spelling in ipairs(SPELLINGS) do
  it("a credential in the secrets file, " .. spelling.name, function()
    local served = host.start { config = ON, secrets = spelling.secrets, env = spelling.env, files = spelling.files }
    finally(function() served:remove() end)
    assert.equal(spelling.source, health(served, "fal").credentials.sources.api_key)
  end)
end

describe("a credential of an odd form", function()
  local served
  setup(function() served = host.start { config = ON, secrets = secrets_of_all("odd value from a file") } end)
  teardown(function() served:remove() end)

  -- Luma's and Runway's keys have no form that is known for sure.
  local FREE_FORM = { luma = true, runway = true }

  for _, provider in ipairs(providers) do
    it("is warned of and never changes ok: " .. provider.id, function()
      local stored = health(served, provider.id)
      assert.is_true(stored.ok)
      assert.equal(not FREE_FORM[provider.id], warned(stored, "from the secrets file does not look like one of this"))
      local given = health(served, provider.id, { config = providers.credentials(provider, "odd value from a request") })
      assert.is_true(given.ok)
      assert.equal(not FREE_FORM[provider.id], warned(given, "from the request does not look like one of this"))
      assert.is_nil(exact.encode({ stored, given }):find("odd value", 1, true))
      local good = health(served, provider.id, { config = providers.credentials(provider) })
      assert.is_false(warned(good, "does not look like"), exact.encode(good.warnings))
    end)
  end
end)

describe("a live request", function()
  local served
  setup(function() served = host.start { config = ON, secrets = secrets_of_all() } end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    it("that carries a credential is refused: " .. provider.id, function()
      local body = providers.body(provider, nil, { dry_run = false, config = providers.credentials(provider) })
      local answer = served:post(providers.path(provider, "submit"), body)
      assert.equal(400, answer.status, answer.body)
      assert.equal("config", answer.json.errors[1].path)
    end)

    it("is a dry run that says what is missing: " .. provider.id, function()
      local envelope = providers.submit(served, provider, nil, { dry_run = false })
      assert.is_true(envelope.dry_run)
      assert.is_false(envelope.live.enabled)
      local missing = table.concat(envelope.live.missing, "\n")
      for _, text in ipairs {
        "live.enabled is false", "live.budget_usd is not above zero", "live.providers." .. provider.id .. " is absent",
      } do
        assert.is_truthy(missing:find(text, 1, true), missing)
      end
      assert.is_nil(missing:find('does not say "dry_run": false', 1, true))
      local dry = table.concat(providers.submit(served, provider).live.missing, "\n")
      assert.is_truthy(dry:find('does not say "dry_run": false', 1, true))
    end)
  end
end)

describe("a flag that is off", function()
  local served
  setup(function() served = host.start { secrets = secrets_of_all() } end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    it("is named with what would change it: " .. provider.id, function()
      local reason = health(served, provider.id).reason
      assert.is_truthy(reason:find(("feature flag %s is off: set features.%s"):format(provider.flag, provider.flag), 1, true))
      assert.is_truthy(reason:find("to true in config/comfyvn.json", 1, true))
      local umbrella = reason:find("features.enable_public_image_video", 1, true)
      assert.equal(provider.kind ~= "gpu", umbrella ~= nil)
    end)
  end
end)

describe("an optional credential", function()
  local AGENTS = { prompt = "abc def", model = "uni-1" }

  local function submit(config, request)
    config.config, config.secrets = ON, { luma = { api_key = "luma-0123456789abcdef" } }
    local served = host.start(config)
    finally(function() served:remove() end)
    return served:post("/api/providers/video/luma/submit", request).json
  end

  it("counts for a request that names it", function()
    local answer = submit({}, AGENTS)
    assert.equal("Bearer {agents_api_key}", answer.upstream.headers.Authorization)
    assert.same({ false, false }, { answer.ok, answer.execution_allowed })
    assert.truthy(answer.reason:find("credential agents_api_key is missing", 1, true))
    assert.is_true(warned(answer, "credential agents_api_key is missing"))
    assert.truthy(table.concat(answer.live.missing, "\n"):find("credential agents_api_key is missing", 1, true))
  end)

  it("counts for no other", function()
    local answer = submit({}, { prompt = "abc def" })
    assert.same({ true, true }, { answer.ok, answer.execution_allowed })
    assert.is_false(warned(answer, "agents_api_key"))
  end)

  it("is not missed where it is", function()
    local answer = submit({ env = { LUMA_AGENTS_API_KEY = "luma-api-0123456789abcdef" } }, AGENTS)
    assert.same({ true, true }, { answer.ok, answer.execution_allowed })
  end)
end)
