-- What Runway's own file says of its models, and what that changes for a request. Cases: spec/contracts/directory.json.
local contract = require "spec.support.contract"
local directory_cases = require "spec.support.directory_cases"
local offline = require "author.offline"

local cjson = offline.cjson
local FILE = "https://raw.githubusercontent.com/runwayml/openapi/refs/heads/next/openapi.json"
local IMAGE = "https://example.com/a.png"

local function recorded(words)
  for _, case in ipairs(directory_cases.all()) do
    if case.vendor == "runway" and case.name:find(words, 1, true) then
      local response = contract.as_response(case.response)
      response.json = directory_cases.as_lua(response.json, cjson)
      return response
    end
  end
end

describe("runway's directory", function()
  local provider
  setup(function() provider = contract.load "runway" end)

  local function list(responses, query) return offline.models(provider, query or {}, responses) end
  local function describe_model(id, responses, known) return offline.describe(provider, id, responses, nil, known) end

  it("lists the file's models with their schemas, and those that only the account knows", function()
    local answer = list { recorded "describe", recorded "may use" }
    local by_id = {}
    for _, model in ipairs(answer.result.models) do by_id[model.id] = model end
    assert.same({ true, 'W/"b8c1"' }, { answer.result.complete, answer.result.etag })
    local turbo = by_id["image_to_video/gen4_turbo"]
    assert.same({ "video", "image-to-video", "active", "Gen-4 Turbo" }, { turbo.kind, turbo.task, turbo.status, turbo.name })
    assert.same({ "promptImage", "ratio" }, turbo.inputs.required)
    assert.equal(10, turbo.inputs.properties.duration.maximum)
    assert.is_nil(turbo.inputs.properties.model)
    assert.is_nil(turbo.price)
    assert.is_nil(by_id.h3_max.inputs)
    assert.is_nil(by_id.gen4_turbo)
    assert.same({ FILE, "https://api.dev.runwayml.com/v1/organization" }, { answer.requests[1].url, answer.requests[2].url })
    assert.is_nil(answer.requests[1].headers.authorization)
  end)

  it("says which the account may not use, if the account says so", function()
    local account = { status = 200, json = { tier = { models = { gen4_turbo = {} } } } }
    for _, model in ipairs(list({ recorded "describe", account }).result.models) do
      assert.equal(model.id == "image_to_video/gen4.5", model.limits_in_words ~= nil)
    end
    for _, account_answer in ipairs { { status = 401, json = {} }, { failure = { kind = "credential", message = "none" } } } do
      local answer = list { recorded "describe", account_answer }
      assert.equal(2, #answer.result.models)
      assert.is_nil(answer.result.models[1].limits_in_words)
    end
  end)

  it("reads a file that is served as plain text", function()
    local file = recorded "describe"
    file.body, file.json = cjson.encode(file.json), nil
    assert.equal(2, #list({ file, { status = 401 } }).result.models)
  end)

  it("asks for the file anew only when it has changed", function()
    local answer = list({ { status = 304, headers = {} } }, { etag = 'W/"b8c1"' })
    assert.is_true(answer.result.unchanged)
    assert.equal('W/"b8c1"', answer.requests[1].headers["if-none-match"])
    assert.equal(1, #answer.requests)
    assert.is_true(describe_model("image_to_video/gen4.5", { { status = 304 } }, { etag = "x" }).result.unchanged)
  end)

  it("describes one model", function()
    local model = describe_model("image_to_video/gen4.5", { recorded "describe" }).result
    assert.same({ "image_to_video/gen4.5", 'W/"b8c1"' }, { model.id, model.etag })
    assert.is_truthy(model.inputs.properties.promptText)
    assert.is_true(describe_model("text_to_video/gen4.5", { recorded "describe" }).result.missing)
    assert.is_true(describe_model("gen4.5", { recorded "describe" }).result.missing)
  end)

  it("keeps what was known when the file is none", function()
    for _, response in ipairs { { status = 200, body = "<html>" }, { status = 429 }, { status = 200, json = { paths = 5 } },
      { status = 200, json = { paths = {} } }, { failure = { kind = "timeout", message = "late" } } } do
      local answer = list { response, recorded "may use" }
      assert.same({ nil, "string" }, { answer.result, type(answer.refusal) })
    end
  end)

  describe("for a request", function()
    local models
    setup(function()
      models = {}
      for _, model in ipairs(list({ recorded "describe", recorded "may use" }).result.models) do models[model.id] = model end
      local narrow = directory_cases.as_lua(models["image_to_video/gen4_turbo"], cjson)
      narrow.inputs.additionalProperties = false
      models["image_to_video/gen9"] = narrow
    end)

    local function submit(request, options)
      options = options or {}
      options.models = models
      return offline.submit(provider, request, nil, options)
    end
    local function refused(request)
      local answer = submit(request)
      assert.is_nil(answer.upstream)
      return answer.refusal[1].field, answer.refusal[1].message
    end

    it("decides what is allowed, in the client's own words", function()
      local request = { model = "gen4_turbo", duration = 11, image = IMAGE }
      local field, message = refused(request)
      assert.equal("duration", field)
      assert.is_truthy(message:find("duration from 2 to 10", 1, true), message)
      assert.equal("parameters.ratio", (refused { model = "gen4_turbo", image = IMAGE, parameters = { ratio = "1:2" } }))
      assert.equal("parameters.image", (refused { model = "gen4_turbo", prompt = "p" }))
      request.duration = 10
      assert.same({ model = "gen4_turbo", promptImage = IMAGE, ratio = "1280:720", duration = 10 }, submit(request).upstream.json)
    end)
    it("lets the request decide otherwise", function()
      local answer = submit({ model = "gen4_turbo", image = IMAGE, parameters = { ratio = "1:2" } }, { ignore_directory = true })
      assert.equal("1:2", answer.upstream.json.ratio)
      assert.equal("parameters.ratio", answer.warnings[1].field)
    end)
    it("describes a model that we do not", function()
      local answer = submit { model = "gen9", prompt = "p", image = IMAGE, duration = 5, parameters = { ratio = "1280:720" } }
      assert.same({ model = "gen9", promptText = "p", promptImage = IMAGE, duration = 5, ratio = "1280:720" },
        answer.upstream.json)
      assert.same({}, answer.warnings)
      assert.is_nil(answer.estimate)
      assert.equal("parameters.promtText", (refused { model = "gen9", image = IMAGE,
        parameters = { ratio = "1280:720", promtText = "p" } }))
      assert.equal("prompt", (refused { model = "gen9", prompt = ("x"):rep(1001), image = IMAGE,
        parameters = { ratio = "1280:720" } }))
    end)
    it("keeps the price of the row", function()
      assert.equal(0.5, submit({ model = "gen4_turbo", duration = 10, image = IMAGE }).estimate.expected)
    end)
  end)
end)
