-- What every answer carries (the spec's "All responses include"), whatever the provider, the verb and the outcome.
local exact = require "spec.support.exact_json"
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local function is_list(value)
  return type(value) == "table" and (#value > 0 or next(value) == nil)
end

-- What an envelope lacks, as a list of texts.
local function lacks(envelope, provider, enabled)
  local found = {}
  local function expect(name, good)
    if not good then found[#found + 1] = name .. " is " .. exact.encode(envelope[name]) end
  end
  local feature, live = envelope.feature, envelope.live
  expect("feature", type(feature) == "table" and feature.feature == provider.flag and feature.enabled == enabled)
  for _, name in ipairs { "pricing_url", "docs_url" } do
    expect(name, type(envelope[name]) == "string" and envelope[name]:find("^https://"))
  end
  expect("last_checked", envelope.last_checked == "2025-02-17")
  expect("capabilities", type(envelope.capabilities) == "table" and next(envelope.capabilities))
  expect("pricing", type(envelope.pricing) == "table" and next(envelope.pricing))
  expect("dry_run", envelope.dry_run == true)
  expect("execution_allowed", type(envelope.execution_allowed) == "boolean")
  expect("ok", type(envelope.ok) == "boolean")
  expect("provider", envelope.provider == provider.id)
  expect("kind", envelope.kind == provider.kind)
  expect("credentials", type(envelope.credentials) == "table" and type(envelope.credentials.present) == "boolean")
  expect("warnings", is_list(envelope.warnings))
  expect("notes", is_list(envelope.notes))
  expect("live", type(live) == "table" and live.enabled == false and is_list(live.missing) and #live.missing > 0)
  return found
end

-- Every answer that a provider gives: verb, path, body.
local function verbs(provider)
  local list = {
    { "health", providers.path(provider, "health"), {} },
    { "submit", providers.path(provider, "submit"), providers.body(provider) },
    { "poll", providers.path(provider, "poll"), {} },
  }
  if provider.kind ~= "gpu" then
    local body = providers.body(provider, nil, { provider = provider.id })
    table.insert(list, { "generate", ("/api/providers/%s/generate"):format(provider.kind), body })
  end
  return list
end

local function all_secrets()
  local secrets = {}
  for _, provider in ipairs(providers) do secrets[provider.id] = providers.credentials(provider) end
  return secrets
end

-- What the spec's matrix has, in the order of the catalogue, which comes first in it.
local CATALOGUES = {
  gpu = { "hf_inference_endpoints", "modal", "replicate", "runpod" }, image = { "fal", "stability" },
  video = { "luma", "pika", "runway" },
}

-- What serves this kind too, in the order of the files.
local function others_of(kind)
  local found, ids = {}, {}
  for _, provider in ipairs(providers) do
    if provider.kind ~= kind and providers.serves(provider, kind) then found[#found + 1] = provider end
  end
  table.sort(found, function(a, b) return a.kind .. a.id < b.kind .. b.id end)
  for i, provider in ipairs(found) do ids[i] = provider.id end
  return ids
end

local STATES = {
  { name = "flags off, no credentials", enabled = false, present = false },
  { name = "flags on, no credentials", enabled = true, present = false },
  { name = "flags off, credentials there", enabled = false, present = true },
  { name = "flags on, credentials there", enabled = true, present = true },
}

for _, state in ipairs(STATES) do
  describe("with " .. state.name, function()
    local served
    setup(function()
      served = host.start {
        config = { features = golden.features(state.enabled) },
        secrets = state.present and all_secrets() or nil,
      }
    end)
    teardown(function() served:remove() end)

    local allowed = state.enabled and state.present

    for _, provider in ipairs(providers) do
      for _, case in ipairs(verbs(provider)) do
        it(provider.id .. " " .. case[1] .. " carries the whole envelope", function()
          local answer = served:post(case[2], case[3])
          assert.equal(200, answer.status, answer.body)
          local envelope = exact.decode(answer.body)
          assert.same({}, lacks(envelope, provider, state.enabled))
          assert.equal(allowed, envelope.ok)
          assert.equal(allowed, envelope.execution_allowed)
          assert.equal(state.present, envelope.credentials.present)
          assert.equal(allowed and exact.null or envelope.warnings[1], envelope.reason)
          if case[1] == "health" then assert.equal(allowed, #envelope.warnings == 0, exact.encode(envelope.warnings)) end
        end)
      end
    end

    for kind, folder in pairs(providers.FOLDERS) do
      it("the entries of the " .. kind .. " catalogue carry it too", function()
        local answer = served:get(folder .. "/catalog")
        assert.equal(200, answer.status)
        local catalogue = exact.decode(answer.body)
        assert.equal(state.enabled, catalogue.feature.enabled)
        assert.equal(true, catalogue.dry_run)
        assert.equal(allowed, catalogue.ok)
        local found = {}
        for _, entry in ipairs(catalogue.providers) do
          assert.same({}, lacks(entry, providers.as(providers[entry.id], kind), state.enabled))
          assert.equal(allowed, entry.ok)
          assert.equal(allowed, entry.execution_allowed)
          assert.equal(state.present, entry.credentials.present)
          assert.same(providers[entry.id].kinds, entry.kinds)
          found[#found + 1] = entry.id
        end
        assert.same(CATALOGUES[kind], { table.unpack(found, 1, #CATALOGUES[kind]) })
        assert.same(others_of(kind), { table.unpack(found, #CATALOGUES[kind] + 1) })
      end)
    end

    if state.present then
      it("no answer holds a credential", function()
        for _, provider in ipairs(providers) do
          local texts = { served:get(provider.folder .. "/catalog").body }
          for _, case in ipairs(verbs(provider)) do texts[#texts + 1] = served:post(case[2], case[3]).body end
          for _, value in pairs(provider.secret) do
            assert.is_nil(table.concat(texts):find(value, 1, true), provider.id)
          end
        end
      end)
    end
  end)
end

describe("the legacy flag", function()
  local served
  setup(function()
    served = host.start { config = { features = { enable_public_image_video = true } }, secrets = all_secrets() }
  end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    it((provider.kind == "gpu" and "does not open " or "opens ") .. provider.id, function()
      local answer = served:post(providers.path(provider, "health"), {}).json
      assert.equal(provider.kind ~= "gpu", answer.ok)
      assert.equal(provider.kind ~= "gpu", answer.feature.enabled)
    end)
  end
end)

describe("an answer", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    local names = { provider.id, provider.id:upper(), table.unpack(provider.aliases) }
    names[#names + 1] = provider.aliases[1]:gsub("^%l", string.upper)
    for _, name in ipairs(names) do
      it("is given to " .. provider.kind .. "/" .. name, function()
        for _, case in ipairs(verbs(provider)) do
          local body = {}
          for member, value in pairs(case[3]) do body[member] = value end
          if body.provider then body.provider = name end
          local path = case[1] == "generate" and case[2] or providers.path(provider, case[1], name)
          local answer = served:post(path, body)
          assert.equal(200, answer.status, answer.body)
          assert.equal(provider.id, answer.json.provider)
          if case[1] == "poll" then assert.equal("mock-" .. provider.id .. "-1", answer.json.job_id) end
          if case[1] == "submit" then assert.equal("mock-" .. provider.id .. "-1", answer.json.id) end
        end
      end)
    end

    for kind, folder in pairs(providers.FOLDERS) do
      if not providers.serves(provider, kind) then
        it("of " .. provider.id .. " is not given by " .. kind, function()
          for _, verb in ipairs { "health", "submit", "poll" } do
            local answer = served:post(("%s/%s/%s"):format(folder, provider.id, verb), {})
            assert.equal(404, answer.status)
            assert.equal(404, answer.json.status)
            assert.is_nil(answer.json.provider)
          end
        end)
      end
    end

    it("to a request of " .. provider.id .. " without a body is the one to {}", function()
      for _, case in ipairs(verbs(provider)) do
        local empty, absent, null = served:post(case[2], {}), served:post(case[2]), served:post(case[2], "null")
        assert.equal(empty.status, absent.status, absent.body)
        assert.equal(empty.status, null.status, null.body)
        assert.same(empty.json.errors, absent.json.errors)
        assert.same(empty.json.errors, null.json.errors)
        assert.equal(empty.json.mode, absent.json.mode)
      end
    end)
  end
end)

-- Requests that are refused: what is wrong, verb, body, status, path of the field.
local REFUSED = {
  { "a body that is no JSON", "health", "{", 400, "" },
  { "a body that is no JSON", "submit", "{", 400, "" },
  { "a body that is a list", "submit", "[]", 400, "" },
  { "a body that is text", "poll", '"x"', 400, "" },
  { "a config that is a number", "health", '{"config":5}', 400, "config" },
  { "a cfg that is text", "submit", '{"cfg":"x"}', 400, "cfg" },
  { "a dry_run that is text", "submit", '{"dry_run":"no"}', 400, "dry_run" },
  { "a max_cost_usd of zero", "submit", '{"max_cost_usd":0}', 400, "max_cost_usd" },
  { "a number twice", "submit", '{"a":1,"a":1}', 400, nil },
  { "a job_id that is a list", "poll", '{"job_id":[]}', 400, "job_id" },
  { "an id that is a number", "poll", '{"id":1}', 400, "id" },
  { "a job that nobody knows", "poll", '{"job_id":"01234567-89ab-7def-8123-456789abcdef"}', 404, "job_id" },
}

describe("a refusal", function()
  local served
  setup(function() served = host.start { config = { features = golden.features(true) }, secrets = all_secrets() } end)
  teardown(function() served:remove() end)

  for _, provider in ipairs(providers) do
    it("of " .. provider.id .. " carries the envelope too, and says not ok", function()
      for _, case in ipairs(REFUSED) do
        local what, verb, body, status, path = table.unpack(case, 1, 5)
        local answer = served:post(providers.path(provider, verb), body)
        assert.equal(status, answer.status, what .. ": " .. answer.body)
        assert.equal("application/problem+json", answer.headers["content-type"])
        local problem = exact.decode(answer.body)
        assert.equal(status, problem.status)
        assert.same({}, lacks(problem, provider, true))
        assert.is_false(problem.ok)
        assert.is_true(problem.execution_allowed)
        if path then assert.equal(path, problem.errors[1].path) end
      end
    end)
  end

  it("of a request that the script does not take names the field and carries the envelope", function()
    for _, case in ipairs {
      { "stability", { prompt = "" }, "prompt" }, { "fal", { prompt = 5 }, "prompt" },
      { "runway", { prompt = "x", mode = "nonsense" }, "mode" }, { "luma", { prompt = "x", parameters = 5 }, "parameters" },
      { "pika", {}, "prompt" }, { "runpod", { endpoint_id = 5 }, "job.endpoint_id" }, { "replicate", { input = 5 }, "job.input" },
    } do
      local provider = providers[case[1]]
      local answer = served:post(providers.path(provider, "submit"), providers.body(provider, case[2]))
      assert.equal(400, answer.status, answer.body)
      assert.equal(case[3], answer.json.errors[1].path)
      assert.same({}, lacks(exact.decode(answer.body), provider, true))
    end
  end)

  it("registers nothing", function()
    assert.same({}, served:get("/api/jobs/list").json.tasks)
  end)
end)

describe("what a live job needs and a dry run does not", function()
  local served
  setup(function() served = host.start {} end)
  teardown(function() served:remove() end)

  local function pod(minutes)
    local job = { pod = { name = "p", image = "i", gpu = { id = "NVIDIA GeForce RTX 4090" } }, max_runtime_minutes = minutes }
    local answer = served:post(providers.path(providers.runpod, "submit"), { job = job })
    assert.equal(200, answer.status, answer.body)
    return exact.decode(answer.body)
  end

  it("stands in live.missing alone, under its name in the body", function()
    local without, with = pod(nil), pod(30)
    local more = {}
    for _, text in ipairs(without.live.missing) do more[text] = true end
    for _, text in ipairs(with.live.missing) do more[text] = nil end
    local text = next(more)
    assert.equal("job.max_runtime_minutes: ", text and text:sub(1, 25))
    assert.is_nil(next(more, text))
    assert.same(with.warnings, without.warnings)
    assert.same(with.upstream, without.upstream)
  end)
end)
