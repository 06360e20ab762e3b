-- What a script may have read for it: the providers that come with the host have their vendors' names; every other script the
-- section of
-- its id, and what the operator lists. Nothing else of the environment or of the secrets file, whatever it declares.
local offline = require "author.offline"
local providers = require "spec.support.providers"
local script_text = require "spec.support.script_text"
local start = require("spec.support.host").start

local CREDENTIALS = [[{
  rp = { env = { "RUNPOD_API_KEY" } }, path = { env = { "PATH", "HOME" } }, dsn = { env = { "DATABASE_URL" } },
  own = { env = { "GREEDY_API_KEY" } }, cloud = { env = { "AWS_SECRET_ACCESS_KEY" } },
  section = { secret = { "api_key" } },
}]]

local SECRETS = { deploy = { api_key = "planted-deploy" }, runpod = { api_key = "planted-runpod" } }
local ENV = { RUNPOD_API_KEY = "rpa_planted", DATABASE_URL = "postgres://planted", GREEDY_API_KEY = "planted-own",
  AWS_SECRET_ACCESS_KEY = "planted-aws" }

local function greedy(aliases)
  return script_text.provider("greedy", { fields = { credentials = CREDENTIALS, aliases = aliases } })
end

local function start_greedy(live, aliases, secrets)
  return start { files = { ["providers/greedy.lua"] = greedy(aliases or "{ 'deploy' }") }, env = ENV,
    secrets = secrets or SECRETS,
    config = { live = live and { providers = { greedy = { credentials = live } } } } }
end

local function health(host)
  local answer = host:post("/api/providers/image/greedy/health", {})
  assert.equal(200, answer.status, answer.body)
  return answer.json, table.concat(answer.json.warnings, "\n")
end

describe("a script of somebody else", function()
  it("has nothing of the environment, and no section but its own, without the operator's word", function()
    local host = start_greedy()
    finally(function() host:remove() end)
    local json, warnings = health(host)
    assert.is_false(json.credentials.present)
    for name, source in pairs(json.credentials.sources) do assert.is_true(type(source) ~= "string", name) end
    assert.matches("export RUNPOD_API_KEY and name it in live%.providers%.greedy%.credentials%.env in config/comfyvn%.json",
      warnings)
    assert.matches('section: the section "deploy" .* live%.providers%.greedy%.credentials%.secrets', warnings)
  end)

  it("has what the operator lists, and only that", function()
    local host = start_greedy { env = { "GREEDY_API_KEY" }, secrets = { "deploy" } }
    finally(function() host:remove() end)
    local sources = health(host).credentials.sources
    assert.same({ "env", "secrets" }, { sources.own, sources.section })
    for _, name in ipairs { "rp", "path", "dsn", "cloud" } do assert.is_true(type(sources[name]) ~= "string", name) end
  end)

  it("has the section of its id", function()
    local host = start_greedy(nil, "{}", { greedy = { api_key = "planted-greedy" } })
    finally(function() host:remove() end)
    assert.equal("secrets", health(host).credentials.sources.section)
  end)

  it("never has a section of another provider, even if the operator lists it", function()
    -- without the nine, nobody holds the name: the section is runpod's all the same
    local host = start { files = { ["providers/greedy.lua"] = greedy("{ 'runpod' }") }, env = ENV, secrets = SECRETS,
      scripts = true,
      config = { live = { providers = { greedy = { credentials = { secrets = { "runpod" } } } } } } }
    finally(function() host:remove() end)
    host:delete("providers/gpu_runpod.lua")
    host:eventually(function() return host:post("/api/providers/image/greedy/health", {}).status == 200 end)
    assert.is_true(type(health(host).credentials.sources.section) ~= "string")
  end)
end)

describe("live.providers.ID.credentials", function()
  local WRONG = {
    { { env = { "PATH" } }, "credentials%.env%[0%]: is no name of a credential" },
    { { env = { "HOME" } }, "is no name of a credential" }, { { env = { "DATABASE_URL" } }, "is no name of a credential" },
    { { env = { "A B_KEY" } }, "expected the name of an environment variable" }, { { env = "X_KEY" },
      "expected a list of texts" },
    { { envs = { "X_KEY" } }, 'did you mean "env"' }, { { secrets = { "" } }, "must not be empty" },
  }
  for _, case in ipairs(WRONG) do
    it("is refused: " .. case[2], function()
      local ok, problem = pcall(start, { config = { live = { providers = { acme = { credentials = case[1] } } } } })
      assert.is_false(ok)
      assert.matches("live%.providers%.acme%.credentials", problem)
      assert.matches(case[2], problem)
    end)
  end
end)

describe("live.providers.ID.hosts", function()
  local WRONG = { "*", "*.", "*.run", "me*.modal.run", "me-*.modal.run", "--*.modal.run", "a.*.modal.run", "me--*x.modal.run",
    "*.*.run",
    "https://a.modal.run", "a.modal.run/x", "a@b.modal.run", "a.modal.run.", ".modal.run", "a..run", "a b.run", "[::1]",
      "a:99999", "ä.run" }
  for _, host in ipairs(WRONG) do
    it("is refused: " .. host, function()
      local ok, problem = pcall(start, { config = { live = { providers = { modal = { hosts = { host } } } } } })
      assert.is_false(ok)
      assert.matches("live%.providers%.modal%.hosts%[0%]", problem)
    end)
  end

  it("is taken", function()
    local host = start { config = { live = { providers = { modal = { hosts = { "*.modal.run", "me--*.modal.run",
      "abc.us-east-1.aws.endpoints.huggingface.cloud", "a.modal.run:8443" } } } } } }
    host:remove()
  end)
end)

describe("the names of the nine", function()
  it("are those of their scripts, all of them", function()
    local env, secrets, files = {}, {}, {
      "gpu_hf_inference_endpoints", "gpu_modal", "gpu_replicate", "gpu_runpod", "image_fal", "image_stability", "video_luma",
      "video_pika", "video_runway" }
    for _, file in ipairs(files) do
      local script = offline.load("providers/" .. file .. ".lua")
      for _, credential in pairs(script.credentials) do
        for _, name in ipairs(credential.env or {}) do env[#env + 1] = { id = script.id, name = name,
          credential = credential } end
      end
      for _, alias in ipairs(script.aliases or {}) do secrets[#secrets + 1] = { id = script.id, name = alias } end
    end
    local text = assert(io.open("src/gate/consent.c")):read("a")
    for _, list in ipairs { env, secrets } do
      for _, entry in ipairs(list) do assert.truthy(text:find('"' .. entry.name .. '"', 1, true), entry.name) end
    end
  end)

  for _, provider in ipairs(providers) do
    it("let " .. provider.id .. " find its credentials where they always were", function()
      local env = {}
      for _, name in ipairs(provider.env) do env[name] = select(2, next(provider.secret)) end
      local host = start { env = env }
      assert.is_true(host:post(providers.path(provider, "health"), {}).json.credentials.present)
      host:remove()
      host = start { secrets = { [provider.aliases[1]] = provider.secret } }
      assert.is_true(host:post(providers.path(provider, "health"), {}).json.credentials.present)
      host:remove()
    end)
  end
end)
