-- What looks like a credential in a request never comes back: not in the answer, not in the registry, not in the log, not in the
-- database's files. What only sounds like one stays as it is: a masked prompt is damage too (design 2.4).
local exact = require "spec.support.exact_json"
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local STORED = { fal = { api_key = "0123abcd:stored-in-the-file-99" } }
local EXPORTED = { LUMA_API_KEY = "exported-to-the-host-77" }

-- Input of a RunPod job, and what must not be seen again.
local SECRET = {
  { "a member called api_key", { api_key = "hunter2hunter2" }, "hunter2hunter2" },
  { "a member called API-Key", { ["API-Key"] = "hunter3hunter3" }, "hunter3hunter3" },
  { "a member called accessToken", { accessToken = "hunter4hunter4" }, "hunter4hunter4" },
  { "a member called client_secret", { client_secret = "hunter5hunter5" }, "hunter5hunter5" },
  { "a member called password, deep in lists", { { { password = "hunter6hunter6" } } }, "hunter6hunter6" },
  { "a header with a bearer token", { headers = { Authorization = "Bearer hunter7hunter7" } }, "hunter7hunter7" },
  { "a bearer token in a text", { note = "use Bearer hunter8hunter8" }, "hunter8hunter8" },
  { "a RunPod key in a text", { note = "mine is rpa_HUNTER9HUNTER9" }, "rpa_HUNTER9HUNTER9" },
  { "a token in a command", { run = "HF_TOKEN=hf_HUNTERkHUNTERkHUNTERk python a.py" }, "hf_HUNTERk" },
  { "a Replicate key", { x = "r8_HUNTERaHUNTERaHUNTERa" }, "r8_HUNTERa" },
  { "a Hugging Face token", { x = "hf_HUNTERbHUNTERbHUNTERb" }, "hf_HUNTERb" },
  { "a Stability key", { x = "sk-HUNTERcHUNTERcHUNTERc" }, "sk-HUNTERc" },
  { "a Modal token", { x = "ws-HUNTERdHUNTERdHUNTERd" }, "ws-HUNTERd" },
  { "a webhook's signing secret", { x = "whsec_HUNTEReHUNTEReHUNTERe" }, "whsec_HUNTERe" },
  { "a password in a URL", { image = "https://user:hunterfhunterf@example.com/a.png" }, "hunterfhunterf" },
  { "a value of the host's secrets file", { x = "so " .. STORED.fal.api_key .. " it is" }, STORED.fal.api_key },
  { "a value of the host's environment", { x = EXPORTED.LUMA_API_KEY }, EXPORTED.LUMA_API_KEY },
}

-- What is no credential.
local HARMLESS = {
  { "a prompt about tokens", { prompt = "a secret garden, the token of a key, password forgotten" } },
  { "numbers of tokens", { max_tokens = 256, max_new_tokens = 5 } },
  { "tokens of a vocabulary", { eos_token = "</s>", pad_token = "<pad>", trigger_token = "TOK" } },
  { "a model's name", { model = "black-forest-labs/flux-schnell", lora = "hf_hub/some-model", sampler = "key_frames" } },
  { "a basic idea", { prompt = "Basic lighting, key light from the left, the bearer of the ring, sk-8 board" } },
}

local function files_of(served)
  local texts = {}
  for _, name in ipairs { "logs/server.log", "data/registry.db", "data/registry.db-wal" } do
    texts[#texts + 1] = served:read(name) or ""
  end
  return table.concat(texts)
end

describe("what looks like a credential", function()
  local served
  setup(function()
    served = host.start { config = { features = golden.features(true) }, secrets = STORED, env = EXPORTED }
  end)
  teardown(function() served:remove() end)

  local function submit(input)
    return served:post(providers.path(providers.runpod, "submit"), { job = { endpoint_id = "abc", input = input } })
  end

  for _, case in ipairs(SECRET) do
    local what, input, secret = table.unpack(case)
    it(what .. " is masked in answer, row, log and database", function()
      local answer = submit { nested = input, prompt = "a cat" }
      assert.equal(200, answer.status, answer.body)
      assert.is_nil(answer.body:find(secret, 1, true), answer.body)
      assert.is_truthy(answer.body:find("***", 1, true))
      assert.equal("a cat", answer.json.upstream.body.input.prompt)
      local id = answer.json.job_id
      for _, path in ipairs { "status/" .. id, "logs/" .. id, "list", "all" } do
        assert.is_nil(served:get("/api/jobs/" .. path).body:find(secret, 1, true), path)
      end
      served:eventually(function() return served:log():find(id, 1, true) end)
      assert.is_nil(files_of(served):find(secret, 1, true))
    end)
  end

  for _, case in ipairs(HARMLESS) do
    it(case[1] .. " is not masked", function()
      local answer = submit(case[2])
      assert.equal(200, answer.status, answer.body)
      assert.equal(exact.encode(case[2]), exact.encode(exact.decode(answer.body).upstream.body.input))
    end)
  end

  it("in the midst of a text, only the credential goes", function()
    local answer = submit { x = 'curl -H "Authorization: Bearer rpa_HUNTER9HUNTER9" https://u:hunterl@example.com/ # a cat' }
    local shown = answer.json.upstream.body.input.x
    assert.equal('curl -H "Authorization: Bearer ***" https://***@example.com/ # a cat', shown)
  end)

  it("is masked in the requests of all providers", function()
    for _, provider in ipairs(providers) do
      local request = { api_key = "hunterghunterg" }
      for name, value in pairs(provider.request) do request[name] = value end
      local answer = served:post(providers.path(provider, "submit"), providers.body(provider, request))
      assert.is_nil(answer.body:find("hunterghunterg", 1, true), answer.body)
    end
  end)

  it("in the request's own config is never repeated", function()
    for _, provider in ipairs(providers) do
      for _, verb in ipairs { "health", "submit", "poll" } do
        local body = providers.body(provider, nil, { config = providers.credentials(provider, "hunterh:hunterh") })
        assert.is_nil(served:post(providers.path(provider, verb), body).body:find("hunterh", 1, true), provider.id .. " " .. verb)
      end
    end
    assert.is_nil(files_of(served):find("hunterh", 1, true))
  end)

  -- Bodies that are refused, with a credential in them.
  for _, body in ipairs {
    '{"config":{"api_key":"hunterihunteri', '{"config":{"api_key":"hunterihunteri\n"}}', '{"config":{"api_key":hunterihunteri}}',
    '{"config":{"api_key":"x" "hunterihunteri"}}', '{"config":"hunterihunteri"}', '{"job":"hunterihunteri"}',
    '{"dry_run":"hunterihunteri"}', '["hunterihunteri"]', '"hunterihunteri"',
    '{"dry_run":false,"config":{"api_key":"hunterihunteri"}}',
  } do
    it("is not repeated by the refusal of " .. body:gsub("\n", "\\n"), function()
      local answer = served:post(providers.path(providers.runpod, "submit"), body)
      assert.equal(400, answer.status, answer.body)
      assert.is_nil(answer.body:find("hunterihunteri", 1, true), answer.body)
      assert.is_nil(files_of(served):find("hunterihunteri", 1, true))
    end)
  end

  it("in a path or a query is not written to the log", function()
    served:get("/api/jobs/list?provider=rpa_HUNTERjHUNTERj")
    served:post("/api/providers/image/rpa_HUNTERjHUNTERj/submit", {})
    local id = providers.submit(served, providers.fal).job_id
    served:eventually(function() return served:log():find(id, 1, true) end)
    assert.is_nil(served:log():find("HUNTERj", 1, true))
  end)
end)
