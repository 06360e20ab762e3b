-- Idempotency-Key on submit and generate: one key, one task, whatever is sent again, by whomever, before or after a restart.
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local FAL = "/api/providers/image/fal/submit"

local keys = 0

local function new_key()
  keys = keys + 1
  return "key-" .. keys
end

local function with(key, more)
  local headers = { ["Idempotency-Key"] = key }
  for name, value in pairs(more or {}) do headers[name] = value end
  return headers
end

local function is_replay(answer)
  return answer.headers["idempotent-replayed"] == "true"
end

local function count_tasks(served)
  return #served:get("/api/jobs/list?limit=500").json.tasks
end

-- The same request on several connections at once: all answers.
local function send_at_once(served, requests)
  local clients, answers = {}, {}
  for i in ipairs(requests) do clients[i] = served:connect() end
  for i, request in ipairs(requests) do clients[i]:send("POST", request.path, request.body, request.headers) end
  for i, client in ipairs(clients) do
    answers[i] = client:receive()
    client:close()
  end
  return answers
end

describe("a request with a key", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    it("gets the stored answer when it is sent again: " .. provider.id, function()
      local path, body, headers = providers.path(provider, "submit"), providers.body(provider), with(new_key())
      local before = count_tasks(served)
      local first = served:post(path, body, headers)
      assert.equal(200, first.status, first.body)
      assert.is_false(is_replay(first))
      for _ = 1, 3 do
        local again = served:post(path, body, headers)
        assert.equal(200, again.status)
        assert.is_true(is_replay(again))
        assert.equal(first.body, again.body)
      end
      assert.equal(before + 1, count_tasks(served))
    end)
  end

  for _, kind in ipairs { "image", "video" } do
    it("gets it from generate too: " .. kind, function()
      local path = ("/api/providers/%s/generate"):format(kind)
      local body, headers = { provider = kind == "image" and "fal" or "luma", prompt = "a cat" }, with(new_key())
      local first, again = served:post(path, body, headers), served:post(path, body, headers)
      assert.equal(200, first.status, first.body)
      assert.equal(first.body, again.body)
      assert.is_true(is_replay(again))
    end)
  end

  it("is the same request by any name of the provider", function()
    local headers = with(new_key())
    local first = served:post(FAL, { prompt = "a cat" }, headers)
    local again = served:post("/api/providers/image/FAL.AI/submit", { prompt = "a cat" }, headers)
    assert.equal(first.body, again.body)
    assert.is_true(is_replay(again))
  end)

  it("is refused with another body", function()
    local headers = with(new_key())
    local first = served:post(FAL, { prompt = "a cat" }, headers)
    local before = count_tasks(served)
    for _, body in ipairs { '{"prompt":"a dog"}', '{"prompt": "a cat"}', '{"prompt":"a cat","parameters":{}}' } do
      local other = served:post(FAL, body, headers)
      assert.equal(409, other.status, other.body)
      assert.equal(409, other.json.status)
      assert.equal("fal", other.json.provider)
      assert.is_false(other.json.ok)
    end
    assert.equal(before, count_tasks(served))
    assert.equal(first.body, served:post(FAL, { prompt = "a cat" }, headers).body)
  end)

  it("is another one for another provider, another verb, another key and no key", function()
    local key = new_key()
    local seen = {}
    local function submit(path, headers, body)
      local answer = served:post(path, body or { prompt = "a cat", provider = "fal" }, headers)
      assert.equal(200, answer.status, answer.body)
      assert.is_false(is_replay(answer))
      assert.is_nil(seen[answer.json.job_id])
      seen[answer.json.job_id] = true
    end
    submit(FAL, with(key))
    submit("/api/providers/image/generate", with(key))
    submit("/api/providers/image/stability/submit", with(key), { prompt = "a cat" })
    submit("/api/providers/video/luma/submit", with(key), { prompt = "a cat" })
    submit("/api/providers/gpu/public/runpod/submit", with(key))
    submit(FAL, with(new_key()))
    submit(FAL, nil)
    submit(FAL, nil)
  end)

  it("leaves the key free when it was refused", function()
    local headers = with(new_key())
    assert.equal(400, served:post(FAL, { prompt = "" }, headers).status)
    assert.equal(400, served:post(FAL, "{", headers).status)
    local good = served:post(FAL, { prompt = "a cat" }, headers)
    assert.equal(200, good.status)
    assert.is_false(is_replay(good))
  end)

  for what, key in pairs { ["no character"] = "", ["256 characters"] = ("k"):rep(256) } do
    it("of " .. what .. " is refused", function()
      local answer = served:post(FAL, { prompt = "a cat" }, with(key))
      assert.equal(400, answer.status)
      assert.truthy(answer.json.detail:find("Idempotency-Key", 1, true))
    end)
  end

  it("may have 255 characters, of any kind", function()
    for _, key in ipairs { ("k"):rep(255), "a b", "'; drop table tasks; --", "ünï", "../../x", "%00" } do
      local first, again = served:post(FAL, { prompt = "x" }, with(key)), served:post(FAL, { prompt = "x" }, with(key))
      assert.equal(200, first.status, key)
      assert.equal(first.body, again.body)
      assert.is_true(is_replay(again))
    end
  end)

  it("makes one task when it is sent many times at once", function()
    for round = 1, 10 do
      local requests, headers = {}, with(new_key())
      for i = 1, 8 do requests[i] = { path = FAL, body = { prompt = "round " .. round }, headers = headers } end
      local before, firsts = count_tasks(served), 0
      local answers = send_at_once(served, requests)
      for _, answer in ipairs(answers) do
        assert.equal(200, answer.status, answer.body)
        assert.equal(answers[1].body, answer.body)
        if not is_replay(answer) then firsts = firsts + 1 end
      end
      assert.equal(1, firsts)
      assert.equal(before + 1, count_tasks(served))
    end
  end)

  it("makes one task when it is sent at once with several bodies", function()
    for _ = 1, 10 do
      local requests, headers = {}, with(new_key())
      for i = 1, 8 do requests[i] = { path = FAL, body = { prompt = "body " .. i }, headers = headers } end
      local before, good = count_tasks(served), 0
      for _, answer in ipairs(send_at_once(served, requests)) do
        if answer.status == 200 then good = good + 1 else assert.equal(409, answer.status, answer.body) end
      end
      assert.equal(1, good)
      assert.equal(before + 1, count_tasks(served))
    end
  end)
end)

describe("a stored answer", function()
  local served
  before_each(function() served = host.start() end)
  after_each(function() served:remove() end)

  for _, ending in ipairs { "stop", "kill" } do
    it("is replayed after a restart by " .. ending, function()
      local headers = with(new_key())
      local first = served:post(FAL, { prompt = "a cat" }, headers)
      served[ending](served)
      served:start_again()
      local again = served:post(FAL, { prompt = "a cat" }, headers)
      assert.equal(first.body, again.body)
      assert.is_true(is_replay(again))
      assert.equal(409, served:post(FAL, { prompt = "a dog" }, headers).status)
      assert.equal(1, count_tasks(served))
    end)
  end

  it("is the one that was given, though the flags have changed", function()
    local headers = with(new_key())
    local first = served:post(FAL, { prompt = "a cat" }, headers)
    served:write("config/comfyvn.json", '{"features":{"enable_public_image_providers":true}}')
    served:eventually(function() return served:post(FAL, { prompt = "x" }).json.feature.enabled end)
    assert.equal(first.body, served:post(FAL, { prompt = "a cat" }, headers).body)
  end)
end)

local function sha256(text)
  local pipe = assert(io.popen("printf %s " .. text .. " | sha256sum"))
  local digest = pipe:read("a"):match("^%x+")
  pipe:close()
  return digest
end

describe("with API keys", function()
  local served
  setup(function()
    local api_keys = { { name = "one", sha256 = sha256("first-key") }, { name = "two", sha256 = sha256("second-key") } }
    served = host.start { config = { features = golden.features(false), server = { api_keys = api_keys } } }
  end)
  teardown(function() served:remove() end)

  it("two callers may use the same Idempotency-Key", function()
    local key = new_key()
    local one, two = with(key, { Authorization = "Bearer first-key" }), with(key, { ["X-API-Key"] = "second-key" })
    local first, second = served:post(FAL, { prompt = "a cat" }, one), served:post(FAL, { prompt = "a dog" }, two)
    assert.equal(200, first.status, first.body)
    assert.equal(200, second.status, second.body)
    assert.is_false(is_replay(second))
    assert.equal(first.body, served:post(FAL, { prompt = "a cat" }, one).body)
    assert.equal(409, served:post(FAL, { prompt = "a cat" }, two).status)
    assert.equal(401, served:post(FAL, { prompt = "a cat" }, with(key)).status)
  end)
end)
