-- What Replicate and RunPod publish of their models, as recorded (spec/contracts/directory.json), through the scripts' functions.
local exact = require "spec.support.exact_json"
local offline = require "author.offline"
local shell = require "spec.support.shell"

local CASES = {}
for _, case in ipairs(exact.decode(assert(shell.read "spec/contracts/directory.json"))) do CASES[case.name] = case end

-- The values of exact_json as the host's Lua has them.
local function as_lua(value)
  if type(value) ~= "table" then return value end
  local copy = exact.is_array(value) and offline.cjson.array {} or {}
  for key, item in pairs(value) do copy[key] = as_lua(item) end
  return copy
end

local function response_of(case)
  return { status = case.response.status, headers = as_lua(case.response.headers), json = as_lua(case.response.body) }
end

local function at(value, path)
  for _, name in ipairs(path) do value = value[name] end
  return value
end

describe("the directory of Replicate", function()
  local provider, schema
  setup(function()
    provider, schema = offline.load "providers/gpu_replicate.lua", offline.require "schema"
  end)

  local DESCRIBED = {
    "replicate describe flux-dev-lora (official, LoRA as a text, enums by allOf)",
    "replicate describe real-esrgan (upscaler, community model)",
    "replicate describe nano-banana-pro (image edit with a list of images)",
    "replicate describe laionide-v2 (type integer with an enum of texts)",
  }

  for _, name in ipairs(DESCRIBED) do
    local case = CASES[name]
    local id = case.request.url:match("/models/(.*)$")

    it("has " .. name, function()
      local answer = offline.describe(provider, id, { response_of(case) })
      local model, expect = answer.result, case.expect
      assert.equal(case.request.url, answer.requests[1].url)
      assert.equal("GET", answer.requests[1].method)
      assert.equal(id, model.id)
      assert.equal(expect.kind, model.kind)
      assert.equal(case.response.body.latest_version.id, model.version)
      assert.is_nil(model.price)
      if expect.required then assert.same(expect.required, model.inputs.required) end
      for _, output in ipairs(expect.outputs or {}) do
        assert.equal(output.path, model.outputs[1].path)
        assert.equal(output.kind, model.outputs[1].kind)
      end
      for path, kind in pairs(expect.files or {}) do assert.equal(kind, schema.files(model.inputs)[path]) end
      assert.is_truthy(at(case.response.body, case.schema_at))
    end)

    for number, check in ipairs(case.checks) do
      it(("submits what it takes, and refuses what not: %s, %d"):format(id, number), function()
        local model = offline.describe(provider, id, { response_of(case) }).result
        local answer = offline.submit(provider, { model = id, parameters = as_lua(check.input) }, nil,
          { kind = "image", models = { [id] = model } })
        if check.ok then
          assert.is_nil(answer.refusal)
          if check.sent then assert.same(as_lua(check.sent), answer.upstream.json.input) end
        else
          local field = check.field == "prompt" and "prompt" or "parameters." .. check.field
          assert.equal(field, (answer.refusal[1] or answer.refusal).field)
        end
      end)
    end
  end

  it("pins the version by which a job was checked, where a model may be run by one", function()
    local case = CASES[DESCRIBED[2]]
    local id = "nightmareai/real-esrgan"
    local model = offline.describe(provider, id, { response_of(case) }).result
    local options = { kind = "image", models = { [id] = model } }
    local request = { model = id, parameters = { image = "https://example.com/a.png" } }
    local answer = offline.submit(provider, request, nil, options)
    assert.equal("https://api.replicate.com/v1/predictions", answer.upstream.url)
    assert.equal(model.version, answer.upstream.json.version)
    assert.equal(model.version, answer.payload.pinned_version)
    local sent -- later, by the payload alone, when the directory knows nothing any more
    local nothing = function() end
    local ctx = { kind = "image", dry_run = false, warn = nothing, note = nothing, needs = nothing, model = nothing,
      request = function(asked) sent = asked; return nil, { kind = "timeout", message = "slow" } end }
    provider.submit(answer.payload, ctx)
    assert.same({ "/predictions", model.version }, { sent.path, sent.json.version })
    options.kind = "gpu"
    local job = { model = id, version = "latest", input = { image = "https://example.com/a.png" } }
    local latest = offline.submit(provider, job, nil, options)
    assert.equal(1, #latest.requests)
    assert.equal(model.version, latest.upstream.json.version)
    local official = offline.describe(provider, "a/b", { response_of(CASES[DESCRIBED[1]]) }).result
    options.models = { ["a/b"] = official }
    assert.is_nil(offline.submit(provider, { model = "a/b", input = { prompt = "x" } }, nil, options).upstream.json.version)
  end)

  it("is compared with a GPU job's input too, in the job's own names", function()
    local id = "black-forest-labs/flux-dev-lora"
    local model = offline.describe(provider, id, { response_of(CASES[DESCRIBED[1]]) }).result
    local options = { kind = "gpu", models = { [id] = model } }
    local answer = offline.submit(provider, { model = id, input = { prompt = "x", num_outputs = 9 } }, nil, options)
    assert.equal("input.num_outputs", answer.refusal[1].field)
    options.ignore_directory = true
    assert.equal(9, offline.submit(provider, { model = id, input = { prompt = "x", num_outputs = 9 } }, nil, options)
      .upstream.json.input.num_outputs)
  end)

  it("is searched by words, never listed", function()
    local case = CASES["replicate search (beta)"]
    local answer = offline.models(provider, { text = "nano banana", limit = 20 }, { response_of(case) })
    assert.equal("https://api.replicate.com/v1/search?limit=20&query=nano%20banana", answer.requests[1].url)
    assert.is_false(answer.result.complete)
    assert.equal("google/nano-banana", answer.result.models[1].id)
    assert.equal("image", answer.result.models[1].kind)
    assert.equal("text-to-image", answer.result.models[1].task)
    local listed = offline.models(provider, { limit = 100 }, {})
    assert.same({ models = {}, complete = false }, listed.result)
    assert.equal(0, #listed.requests)
  end)

  it("knows a missing model from an answer that is none", function()
    local case = CASES["replicate describe: no such model (or private)"]
    assert.is_true(offline.describe(provider, "acme/secret", { response_of(case) }).result.missing)
    assert.is_true(offline.describe(provider, "../secret", {}).result.missing)
    for _, response in ipairs { { status = 200, body = "<html>" }, { status = 503 }, { status = 200, json = {} },
      { failure = { kind = "timeout", message = "slow" } } } do
      local answer = offline.describe(provider, "acme/x", { response })
      assert.is_nil(answer.result)
      assert.is_string(answer.refusal)
    end
  end)
end)

describe("the directory of RunPod", function()
  local provider
  setup(function() provider = offline.load "providers/gpu_runpod.lua" end)

  local LIST = CASES["runpod public endpoints, all of them (no key)"]

  it("is one question without a key, and free", function()
    local answer = offline.models(provider, {}, { response_of(LIST) })
    assert.equal("POST", answer.requests[1].method)
    assert.equal(LIST.request.url, answer.requests[1].url)
    assert.equal(LIST.request.body.query, answer.requests[1].json.query)
    assert.is_nil(answer.requests[1].headers.authorization)
    assert.is_true(answer.result.complete)
    local by_id = {}
    for _, model in ipairs(answer.result.models) do by_id[model.id] = model end
    for id, expect in pairs(LIST.expect.models) do
      assert.equal(expect.kind, by_id[id].kind)
      assert.equal(expect.status or "active", by_id[id].status)
      assert.equal(expect.task, by_id[id].task)
      assert.equal(expect.price_text, by_id[id].kind == "video" and by_id[id].price.text or nil)
      assert.is_nil(by_id[id].price and by_id[id].price.usd)
      if expect.price_text then assert.is_truthy(by_id[id].description:find(expect.price_text, 1, true)) end
    end
  end)

  it("keeps the old list when there is an error in a 200, HTML, or nothing to read", function()
    local answers = {
      response_of(CASES["runpod public endpoints: GraphQL error inside a 200"]), { status = 200, body = "<html>" },
      { status = 429, body = "<html>" }, { status = 200, json = { data = { allAiApiPublicConfigs = { { id = "x" } } } } },
    }
    for _, response in ipairs(answers) do
      local answer = offline.models(provider, {}, { response })
      assert.is_nil(answer.result)
      assert.is_string(answer.refusal)
    end
  end)
end)
