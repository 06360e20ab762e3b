-- What looks like a credential in a request never comes back: not in the answer, not in the registry, not in the log, not in the
-- database's files. What only sounds like one stays as it is: a masked prompt is damage too.
local exact = require "spec.support.exact_json"
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local registry = require "spec.support.registry"

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

local FAL = "0a1b2c3d-4e5f-6789-abcd-ef0123456789:0123456789abcdef0123456789abcdef"
local PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIhunterq\n-----END RSA PRIVATE KEY-----"

-- More of the same: names of members, variables, parameters of URLs, and forms of known keys.
for _, case in ipairs {
  { "a name that is a value of the secrets file", { [STORED.fal.api_key] = 1 }, STORED.fal.api_key },
  { "a name that holds a value of the environment", { ["x." .. EXPORTED.LUMA_API_KEY] = 1 }, EXPORTED.LUMA_API_KEY },
  { "a name that is a RunPod key", { rpa_HUNTERmHUNTERm = { deep = 1 } }, "rpa_HUNTERm" },
  { "a text below secrets", { secrets = { LOGIN = "hunternhunter" } }, "huntern" },
  { "a text deep below credentials", { credentials = { a = { { b = "hunterohunter" } } } }, "huntero" },
  { "a text of a list in secrets", { secrets = { { value = "hunterphunter", name = "x" } } }, "hunterp" },
  { "a variable DB_PASS", { env = { DB_PASS = "hunterrhunter" } }, "hunterr" },
  { "a variable PGPASSWORD", { env = { PGPASSWORD = "hunterrhunter" } }, "hunterr" },
  { "a variable OPENAI_KEY", { environment = { OPENAI_KEY = "hunterrhunter" } }, "hunterr" },
  { "a variable in a list", { env = { { name = "SSH_KEY", value = "hunterrhunter" } } }, "hunterr" },
  { "a parameter api_key of a URL", { webhook = "https://example.com/x?a=1&api_key=huntershunter" }, "hunters" },
  { "a parameter token of a URL", { webhook = "see https://example.com/?token=hunters#a" }, "hunters" },
  { "a parameter access_token behind a #", { url = "https://example.com/#access_token=hunters" }, "hunters" },
  { "a parameter client_secret", { url = "https://example.com/?x=1&amp;client_secret=hunters" }, "hunters" },
  { "a fal key in a text", { x = "FAL_KEY=" .. FAL }, FAL:sub(-32) },
  { "a fal key", { x = FAL }, FAL:sub(1, 36) },
  { "a fal key behind another colon", { x = "is:" .. FAL .. "." }, FAL:sub(-32) },
  { "a private key", { x = PEM }, "MIIhunterq" },
  { "a private key in a text", { x = "this: " .. PEM .. " is it" }, "MIIhunterq" },
  { "a private key that was cut", { x = "this: " .. PEM:sub(1, 45) }, "MIIhunterq" },
  { "a GitHub token", { x = "clone with ghp_0123456789abcdefABCDEF0123456789abcd" }, "ghp_0123" },
  { "a GitHub OAuth token", { x = "gho_0123456789abcdefABCDEF0123456789abcd" }, "gho_0123" },
  { "a fine-grained GitHub token", { x = "github_pat_11ABCDEFG0123456789_abcdef" }, "github_pat_11" },
  { "a GitLab token", { x = "glpat-0123456789abcdefABCD" }, "glpat-0123" },
  { "a Slack token", { x = "xoxb-012345678901-0123456789012-abcdefABCDEF" }, "xoxb-0123" },
  { "a Google key", { x = "https://maps.example/?key=AIza" .. ("0aB-_"):rep(7) }, "AIza0aB" },
  { "an Amazon key's id", { x = "AWS_ACCESS_KEY_ID=AKIAHUNTERTHUNTERT00" }, "AKIAHUNTERT" },
  { "a Stripe key", { x = "sk_live_0123456789abcdefABCDEF01" }, "sk_live_0123" },
} do SECRET[#SECRET + 1] = case end

local PRESIGNED = "https://bucket.s3.amazonaws.com/a.png?X-Amz-Algorithm=AWS4-HMAC-SHA256"
  .. "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261125&X-Amz-Security-Token=FwoGZXIvYXdzEJr"
  .. "&X-Amz-Signature=" .. ("0123456789abcdef"):rep(4)

-- What is no credential.
local HARMLESS = {
  { "a presigned URL of Amazon", { image = PRESIGNED } },
  { "an older one", { image = "https://b.s3.example/a?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1&Signature=vjbyPxybd" } },
  { "one of Google", { image = "https://storage.example/b/a?X-Goog-Credential=me%40x&X-Goog-Signature=0123456789abcdef" } },
  { "one of Azure", { image = "https://x.blob.core.windows.net/b/a.png?sv=2022-11-02&se=2026-11-26&sig=0123456789abcdef%3D" } },
  { "one of CloudFront", { image = "https://d1.cloudfront.net/a?Policy=eyJ&Signature=abc0123&Key-Pair-Id=K2JCJMDEHXQW5F" } },
  { "a download link of Firebase", { image = "https://firebasestorage.googleapis.com/v0/b/x/o/a?alt=media&token=0a1b2c3d" } },
  { "a download link of Supabase", { image = "https://x.supabase.co/storage/v1/object/sign/b/a.png?token=eyJhbGciOiJIUzI1" } },
  { "a page of a list", { url = "https://example.com/?page_token=abc&key=a.png", prompt = "what? token=5 & more" } },
  { "the version of a model", { version = "owner/name:" .. ("0123456789abcdef"):rep(4) } },
  { "a UUID, a hash, a digest", { a = FAL:sub(1, 36), b = FAL:sub(-32), c = "sha256:" .. ("0123456789abcdef"):rep(4) } },
  { "a public key", { a = "-----BEGIN PUBLIC KEY-----\nMIIabc\n-----END PUBLIC KEY-----" } },
  { "variables of everyday life", { env = { PUBLIC_KEY = "ssh-ed25519 AAAAC3", PAD_TOKEN = "<pad>", PORT = "80" } } },
  { "a secret that RunPod keeps", { env = { HF_TOKEN = "{{ RUNPOD_SECRET_hf }}", OTHER_KEY = "{{RUNPOD_SECRET_b}}" } } },
  { "words that begin like keys", { a = "glpat-of-the-year", b = "AKIA is a name, AIza too", c = "ghp_hub_and_spoke_model" } },
  { "a prompt about tokens", { prompt = "a secret garden, the token of a key, password forgotten" } },
  { "numbers of tokens", { max_tokens = 256, max_new_tokens = 5 } },
  { "tokens of a vocabulary", { eos_token = "</s>", pad_token = "<pad>", trigger_token = "TOK" } },
  { "a model's name", { model = "black-forest-labs/flux-schnell", lora = "hf_hub/some-model", sampler = "key_frames" } },
  { "a basic idea", { prompt = "Basic lighting, key light from the left, the bearer of the ring, sk-8 board" } },
}

local function files_of(served)
  return (served:read "logs/server.log" or "") .. registry.text(served)
end

describe("what looks like a credential", function()
  local served
  setup(function()
    served = host.start {
      config = { features = golden.features(true), hooks = { enabled = true } }, secrets = STORED, env = EXPORTED,
    }
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

  -- However long, wherever in it, and however written.
  for _, bytes in ipairs { 70000, 300000, 2000000 } do
    for _, at in ipairs { 0, 0.5, 1 } do
      it(("in a text of %d bytes is masked at %.1f of it"):format(bytes, at), function()
        for _, secret in ipairs { STORED.fal.api_key, EXPORTED.LUMA_API_KEY, "rpa_HUNTERyHUNTERy" } do
          local before = ("x "):rep(math.floor(bytes / 2 * at))
          local answer = submit { note = before .. secret .. (" y"):rep(math.floor(bytes / 2 * (1 - at))) }
          assert.equal(200, answer.status, answer.body:sub(1, 300))
          assert.is_nil(answer.body:find(secret, 1, true))
          assert.is_nil(served:get("/api/jobs/status/" .. answer.json.job_id).body:find(secret, 1, true))
          assert.is_nil(served:get("/api/events/history?limit=5").body:find(secret, 1, true))
        end
      end)
    end
  end

  local function percent(text) return (text:gsub(".", function(byte) return ("%%%02x"):format(byte:byte()) end)) end
  local function entities(text) return (text:gsub(".", function(byte) return ("&#%d;"):format(byte:byte()) end)) end

  for what, form in pairs {
    ["in capitals"] = string.upper, ["percent-encoded"] = percent, ["as entities of HTML"] = entities,
    ["in hexadecimal"] = function(text) return (text:gsub(".", function(byte) return ("%02X"):format(byte:byte()) end)) end,
    ["in base64"] = function(text) return (require("mime").b64("Basic " .. text .. " or so")) end,
    ["percent-encoded three times"] = function(text) return percent(text):gsub("%%", "%%2525") end,
    ["as entities of entities"] = function(text) return entities(text):gsub("&", "&amp;amp;") end,
    ["with entities that have names"] = function(text) return (text:gsub("[:_.]", { [":"] = "&colon;", _ = "&lowbar;",
      ["."] = "&period;" })) end,
    ["in lines"] = function(text) return text:sub(1, 9) .. "\r\n  " .. text:sub(10, -5) .. "\n" .. text:sub(-4) end,
    ["in base64 of lines"] = function(text) return (require("mime").b64(("x"):rep(20) .. text .. ("y"):rep(20)):gsub(
      ("."):rep(38), "%0\n")) end,
    ["in lines, as JSON within a text"] = function(text)
      return '{"a":"' .. text:sub(1, 9) .. "\\r\\n" .. text:sub(10) .. '"}'
    end,
    ["as JSON within a text"] = function(text) return '{"a":"' .. text:gsub("-", "\\u002d") .. '"}' end,
  } do
    it(what .. " a value of the host is masked", function()
      for _, secret in ipairs { STORED.fal.api_key, EXPORTED.LUMA_API_KEY } do
        local text = form(secret)
        local answer = submit { note = "see " .. text .. " there" }
        assert.equal("***", answer.json.upstream.body.input.note)
      end
    end)
  end

  it("that the request brings along in its config is masked in the rest of it", function()
    for _, body in ipairs {
      { config = { api_key = "brought-along-4711" }, job = { endpoint_id = "abc", input = { x = "brought-along-4711!" } } },
      { cfg = { some_token = "brought-along-4711" }, job = { endpoint_id = "abc", input = { ["brought-along-4711"] = 1 } } },
    } do
      local answer = served:post(providers.path(providers.runpod, "submit"), body)
      assert.equal(200, answer.status, answer.body)
      assert.is_nil(answer.body:find("brought-along", 1, true), answer.body)
    end
    assert.is_nil(files_of(served):find("brought-along", 1, true))
  end)

  it("is refused in the URL of a webhook", function()
    local url = "https://example.com/x?k=" .. EXPORTED.LUMA_API_KEY
    for path, body in pairs {
      ["/api/modder/hooks/webhooks"] = { url = url },
      [providers.path(providers.fal, "submit")] = { prompt = "x", callback_url = url },
    } do
      local answer = served:post(path, body)
      assert.equal(400, answer.status, answer.body)
      assert.is_nil(answer.body:find(EXPORTED.LUMA_API_KEY, 1, true))
    end
  end)

  it("as a name leaves the members beside it, and those of other such names", function()
    local answer = submit { [STORED.fal.api_key] = "a", rpa_HUNTERmHUNTERm = "b", rpa_HUNTERuHUNTERu = "c", steps = 4 }
    local input, values = answer.json.upstream.body.input, {}
    for _, name in ipairs { "***", "***2", "***3" } do values[#values + 1] = input[name] end
    table.sort(values)
    assert.same({ "a", "b", "c" }, values)
    assert.equal(4, input.steps)
  end)

  it("in a URL leaves the rest of it", function()
    local answer = submit { x = "https://example.com/a?api_key=hunters&size=5#top", y = PRESIGNED .. "&token=hunters" }
    local input = answer.json.upstream.body.input
    assert.equal("https://example.com/a?api_key=***&size=5#top", input.x)
    assert.equal(PRESIGNED .. "&token=***", input.y)
  end)

  it("in what Hugging Face's create takes is masked, name and place stay", function()
    local model = {
      repository = "a/b", env = { HF_KEY = "hunterv3", PORT = "80" }, secrets = { LOGIN = "hunterv4" },
      image = { custom = { url = "https://r.example/x", credentials = { username = "hunterv1", password = "hunterv2" } } },
    }
    local job = { action = "create", namespace = "alice", name = "x", type = "private", model = model }
    local answer = served:post(providers.path(providers.hf_inference_endpoints, "submit"), { job = job })
    assert.equal(200, answer.status, answer.body)
    assert.is_nil(answer.body:find("hunterv", 1, true), answer.body)
    local sent = answer.json.upstream.body.model
    assert.same({ LOGIN = "***" }, sent.secrets)
    assert.same({ HF_KEY = "***", PORT = "80" }, sent.env)
    assert.same({ username = "***", password = "***" }, sent.image.custom.credentials)
    assert.is_nil(served:get("/api/events/history?limit=500").body:find("hunterv", 1, true))
    assert.is_nil(files_of(served):find("hunterv", 1, true))
  end)

  -- What else of a request is kept or shown.
  for _, secret in ipairs { STORED.fal.api_key, EXPORTED.LUMA_API_KEY, "rpa_HUNTERwHUNTERw", "sk-hunterwhunterwhunterw", FAL } do
    local name = secret:sub(1, 12) .. "..."

    it(name .. " as X-Request-ID is replaced by an id of the host's", function()
      local answer = served:post(providers.path(providers.runpod, "submit"), { job = providers.runpod.request },
        { ["X-Request-ID"] = secret })
      assert.equal(200, answer.status)
      assert.is_truthy(answer.headers["x-request-id"]:find("^%x+$"))
      local row = served:get("/api/jobs/status/" .. answer.json.job_id).json
      assert.equal(answer.headers["x-request-id"], row.request_id)
      served:eventually(function() return served:log():find(answer.json.job_id, 1, true) end)
      assert.is_nil(files_of(served):find(secret, 1, true))
      assert.equal("studio-7.a_b", served:get("/healthz", { ["X-Request-ID"] = "studio-7.a_b" }).headers["x-request-id"])
    end)

    it(name .. " as the job of a poll is masked", function()
      for _, member in ipairs { "job_id", "id" } do
        for _, provider in ipairs { providers.runpod, providers.fal, providers.luma } do
          local answer = served:post(providers.path(provider, "poll"), { [member] = secret })
          assert.is_nil(answer.body:find(secret, 1, true), answer.body)
          if answer.status == 200 then assert.equal("***", answer.json.job_id) end
        end
      end
      local id = providers.submit(served, providers.fal).job_id
      served:eventually(function() return served:log():find(id, 1, true) end)
      assert.is_nil(files_of(served):find(secret, 1, true))
    end)

    it(name .. " as Idempotency-Key is not kept, and still a key", function()
      local function once() return providers.submit(served, providers.fal, nil, nil, { ["Idempotency-Key"] = secret }).job_id end
      assert.equal(once(), once())
      assert.is_nil(files_of(served):find(secret, 1, true))
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
    '{"dry_run":false,"config":{"api_key":"hunterihunteri"}}', '{"job":{"rpa_hunterihunteri":1e999}}',
    '{"config":{"api_key":["hunterihunteri"]}}',
  } do
    it("is not repeated by the refusal of " .. body:gsub("\n", "\\n"), function()
      local answer = served:post(providers.path(providers.runpod, "submit"), body)
      assert.equal(400, answer.status, answer.body)
      assert.is_nil(answer.body:find("hunterihunteri", 1, true), answer.body)
      assert.is_nil(files_of(served):find("hunterihunteri", 1, true))
    end)
  end

  it("as a member that a request of the host's does not have is not repeated", function()
    for _, body in ipairs { '{"rpa_hunterihunteri":1}', '{"url":"https://a.example","rpa_hunterihunteri":{"x":1e999}}' } do
      local answer = served:post("/api/modder/hooks/webhooks", body)
      assert.equal(400, answer.status, answer.body)
      assert.is_nil(answer.body:find("hunterihunteri", 1, true), answer.body)
    end
  end)

  it("in a path or a query is not written to the log", function()
    served:get("/api/jobs/list?provider=rpa_HUNTERjHUNTERj")
    served:post("/api/providers/image/rpa_HUNTERjHUNTERj/submit", {})
    local id = providers.submit(served, providers.fal).job_id
    served:eventually(function() return served:log():find(id, 1, true) end)
    assert.is_nil(served:log():find("HUNTERj", 1, true))
  end)
end)
