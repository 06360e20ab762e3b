-- What fal publishes of its models, by the recorded answers (spec/contracts/directory.json): lists, schemas, prices, and what
-- requests become by them before anything is paid. A case is data: add a case, not code.
local contract = require "spec.support.contract"
local directory_cases = require "spec.support.directory_cases"
local exact = require "spec.support.exact_json"
local offline = require "author.offline"

local cjson, cases = offline.cjson, directory_cases.all()
local PICTURE = "https://example.com/a.png"

local function as_lua(value) return directory_cases.as_lua(value, cjson) end

local function case_of(name)
  for _, case in ipairs(cases) do
    if case.name == name then return case end
  end
  error("no such case: " .. name)
end

local function answer_of(case)
  return { status = case.response.status, headers = {}, json = as_lua(case.response.body) }
end

local function brief(value)
  local text = exact.encode(value)
  return #text > 120 and text:sub(1, 120) .. "..." or text
end

local function ids_of(models)
  local ids = {}
  for index, model in ipairs(models) do ids[index] = model.id end
  return ids
end

describe("fal's directory", function()
  local provider, pika
  setup(function()
    provider = contract.load "fal"
    pika = contract.load "pika"
  end)

  local function describe_case(case)
    local id = case.response.body.models[1].endpoint_id
    return offline.describe(provider, id, { answer_of(case) }).result
  end

  describe("lists", function()
    it("a page with the cursor of the next", function()
      local answer = offline.models(provider, { limit = 5 }, { answer_of(case_of "fal list, first page") })
      local page = answer.result
      assert.equal("https://api.fal.ai/v1/models?limit=5", answer.requests[1].url)
      assert.same({ 5, "Mg", false }, { #page.models, page.next, page.complete })
      local first = page.models[1]
      assert.same({ "fal-ai/nano-banana-2/edit", "Nano Banana 2", "image", "image-to-image", "active" },
        { first.id, first.name, first.kind, first.task, first.status })
      assert.equal("2026-04-10T23:20:08.671Z", first.updated_at)
    end)

    it("the last page, with a model of which nothing is told", function()
      local case = case_of "fal list, last page with an endpoint that has no metadata"
      local page = offline.models(provider, { cursor = "MTY" }, { answer_of(case) }).result
      assert.same({ nil, true }, { page.next, page.complete })
      for _, model in ipairs(page.models) do assert.equal(case.expect.kinds[model.id], model.kind) end
      assert.same({ "deprecated", "active" }, { page.models[1].status, page.models[2].status })
    end)

    it("by words, and only Pika's for Pika", function()
      local url = "https://api.fal.ai/v1/models?limit=100&q="
      assert.equal(url .. "flux", offline.models(provider, { text = "flux" }).upstream.url)
      assert.equal(url .. "pika", offline.models(pika, {}).upstream.url)
      local body = { models = { { endpoint_id = "fal-ai/pika/v2.2/x" }, { endpoint_id = "fal-ai/x" } }, has_more = false }
      assert.same({ "fal-ai/pika/v2.2/x" }, ids_of(offline.models(pika, {}, { { status = 200, json = body } }).result.models))
    end)

    it("nothing of an answer that is no list", function()
      for _, response in ipairs {
        { status = 200, body = "<html>" }, { status = 200, json = { models = "x" } }, { status = 429, json = {} },
        answer_of(case_of "fal list: too many requests"), { failure = { kind = "timeout", message = "" } },
      } do
        local answer = offline.models(provider, {}, { response })
        assert.is_nil(answer.result)
        assert.is_string(answer.refusal)
      end
    end)

    it("rows of which nothing can be read are left out", function()
      local body = { models = { 5, {}, { endpoint_id = 7 }, { endpoint_id = "a/b", metadata = { category = 5, tags = "x" } } } }
      local page = offline.models(provider, {}, { { status = 200, json = body } }).result
      assert.same({ "a/b" }, ids_of(page.models))
      assert.equal("other", page.models[1].kind)
    end)
  end)

  describe("describes", function()
    it("by the parameter that is not ignored", function()
      assert.equal("https://api.fal.ai/v1/models?endpoint_id=fal-ai%2Fflux%2Fdev&expand=openapi-3.0",
        offline.describe(provider, "fal-ai/flux/dev").upstream.url)
    end)

    for _, case in ipairs(cases) do
      if case.vendor == "fal" and case.checks then
        it(case.name, function()
          local model = describe_case(case)
          assert.same({}, model.warnings)
          assert.same(as_lua(case.expect.required), model.inputs.required)
          if case.expect.kind then assert.equal(case.expect.kind, model.kind) end
          assert.equal(as_lua(case.expect.outputs)[1].path, model.outputs[1].path)
        end)
      end
    end

    it("a model whose schema could not be expanded, without one", function()
      local model = describe_case(case_of "fal describe: the schema could not be expanded")
      assert.is_nil(model.inputs)
      assert.truthy(model.warnings[1]:find("expansion_failed", 1, true))
      assert.equal("active", model.status)
    end)

    it("an id that is not known, as an empty list or as 404", function()
      for _, name in ipairs { "fal describe: unknown id, as an empty list", "fal describe: unknown id, as 404" } do
        assert.is_true(offline.describe(provider, "fal-ai/no-such-model", { answer_of(case_of(name)) }).result.missing)
      end
      local of_another = answer_of(case_of "fal describe: the schema could not be expanded")
      assert.is_true(offline.describe(provider, "fal-ai/no-such-model", { of_another }).result.missing)
    end)

    it("nothing of a bad document, and no error", function()
      for _, document in ipairs { 5, {}, { paths = 1 }, { paths = { ["/a/b"] = { post = { requestBody = "x" } } } } } do
        local body = { models = { { endpoint_id = "a/b", openapi = document } } }
        local model = offline.describe(provider, "a/b", { { status = 200, json = body } }).result
        assert.is_nil(model.inputs)
        assert.is_string(model.warnings[1])
      end
      assert.is_string(offline.describe(provider, "a/b", { { status = 200, body = "<html>" } }).refusal)
    end)
  end)

  describe("prices", function()
    it("are those of the ids that were asked for", function()
      local case = case_of "fal prices of many models"
      local ids = { "fal-ai/flux/dev", "fal-ai/veo3.1", "fal-ai/none" }
      local answer = offline.prices(provider, ids, { answer_of(case) })
      assert.equal("https://api.fal.ai/v1/models/pricing?endpoint_id=fal-ai%2Fflux%2Fdev%2Cfal-ai%2Fveo3.1%2Cfal-ai%2Fnone",
        answer.requests[1].url)
      assert.equal("Key {api_key}", answer.requests[1].headers.authorization)
      local price = answer.result["fal-ai/flux/dev"]
      assert.same({ 0.025, "megapixel", "megapixels", "USD", true },
        { price.usd, price.unit, price.unit_raw, price.currency, price.account })
      assert.is_false(answer.result["fal-ai/none"])
      assert.is_nil(answer.result["fal-ai/esrgan"])
    end)

    it("of nothing, or in another currency, are no amount: the host keeps the one before, and says why", function()
      for _, spoilt in ipairs {
        { unit_price = 0 }, { unit_price = -1 }, { unit_price = "1" }, { unit_price = 0 / 0 }, { unit_price = 1 / 0 },
        { currency = "EUR" },
      } do
        local entry = { endpoint_id = "a/b", unit_price = 1, unit = "images", currency = "USD" }
        for name, value in pairs(spoilt) do entry[name] = value end
        local response = { status = 200, json = { prices = { entry } }, body = "" }
        assert.same({ unit_raw = "images" }, offline.prices(provider, { "a/b" }, { response }).result["a/b"])
      end
    end)

    it("are not told to a bad key", function()
      local answer = offline.prices(provider, { "fal-ai/flux/dev" }, { answer_of(case_of "fal price: bad key") })
      assert.is_nil(answer.result)
      assert.truthy(answer.refusal:find("401", 1, true))
    end)

    it("of which no request tells how many units there are come with what a call usually costs", function()
      local listed = answer_of(case_of "fal prices of many models")
      local usual = { status = 200, json = { estimate_type = "historical_api_price", total_cost = 0.047, currency = "USD" } }
      local ids = { "fal-ai/flux/dev", "openai/gpt-image-2", "fal-ai/esrgan" }
      local none = answer_of(case_of "fal estimate by history, model without history")
      local answer = offline.prices(provider, ids, { listed, usual, none })
      assert.equal(3, #answer.requests)
      assert.same({ ["openai/gpt-image-2"] = { call_quantity = 1 } }, answer.requests[2].json.endpoints)
      assert.equal(0.047, answer.result["openai/gpt-image-2"].history.usd)
      assert.is_nil(answer.result["fal-ai/esrgan"].history)
      local options = { prices = { ["openai/gpt-image-2"] = answer.result["openai/gpt-image-2"] } }
      local estimate = offline.submit(provider, { model = "openai/gpt-image-2", prompt = "p" }, nil, options).estimate
      assert.same({ 0.047, nil, nil }, { estimate.expected, estimate.low, estimate.high })
    end)

    it("are asked for one by one when one of them is not known", function()
      local price = { endpoint_id = "a/b", unit_price = 1, unit = "images", currency = "USD" }
      local unknown = { status = 404, json = { error = { type = "not_found" } } }
      local known = { status = 200, json = { prices = { price } } }
      local answer = offline.prices(provider, { "a/b", "a/c" }, { unknown, known, unknown })
      assert.same({ 1, false, 3 }, { answer.result["a/b"].usd, answer.result["a/c"], #answer.requests })
    end)
  end)

  -- What the checks of the recorded schemas say of an input, as a request with the input as its parameters.
  describe("before anything is paid", function()
    for _, case in ipairs(cases) do
      for index, check in ipairs(case.vendor == "fal" and case.checks or {}) do
        it(("%s, check %d: %s"):format(case.name, index, brief(check.input)), function()
          local model = describe_case(case)
          local request = { model = model.id, parameters = as_lua(check.input) }
          local answer = offline.submit(provider, request, nil, { models = { [model.id] = model } })
          if answer.invalid then return assert.is_false(check.ok) end
          if check.ok then
            assert.is_nil(answer.refusal)
            return assert.same(as_lua(check.sent or check.input), answer.upstream.json)
          end
          local refusal = answer.refusal[1] or answer.refusal
          assert.is_truthy(refusal.field:find(check.field, 1, true), refusal.field .. ": " .. refusal.message)
          local ignored = offline.submit(provider, request, nil, { models = { [model.id] = model }, ignore_directory = true })
          assert.is_truthy(ignored.upstream or ignored.refusal)
        end)
      end
    end
  end)

  describe("our words", function()
    local function sent(id, parameters, more)
      local case = case_of(id)
      local model = describe_case(case)
      local request = { model = model.id, prompt = "p", parameters = parameters }
      for name, value in pairs(more or {}) do request[name] = value end
      return offline.submit(provider, request, nil, { models = { [model.id] = model }, kind = "video" }), model
    end
    local SEEDREAM = "fal describe seedream v4 (default that is an object, sizes named auto, max_images)"
    local KLING = "fal describe kling 2.1 (image to video, duration is an enum of texts)"

    it("become the model's where its schema has only the other", function()
      local answer = sent(SEEDREAM, { samples = 2, width = 2048, height = 1024 })
      assert.same({ prompt = "p", num_images = 2, image_size = { width = 2048, height = 1024 } }, answer.upstream.json)
      answer = sent(KLING, { init_image = PICTURE, guidance_scale = 0.5 }, { duration_seconds = 5 })
      assert.same({ prompt = "p", image_url = PICTURE, cfg_scale = 0.5, duration = "5" }, answer.upstream.json)
    end)

    it("are named as the client wrote them when they are refused", function()
      local answer = sent(SEEDREAM, { samples = 9 })
      assert.equal("parameters.samples", answer.refusal.field)
      answer = sent(KLING, { image_url = PICTURE }, { duration_seconds = 7 })
      assert.equal("duration_seconds", answer.refusal.field)
      assert.same({ "5", "10" }, answer.refusal.allowed)
    end)

    it("stay what they are where the schema has both, or neither", function()
      local answer = sent(SEEDREAM, { samples = 1, num_images = 2 })
      assert.same({ prompt = "p", samples = 1, num_images = 2 }, answer.upstream.json)
      assert.equal(4, sent(SEEDREAM, { steps = 4 }).upstream.json.steps)
    end)
  end)
end)
