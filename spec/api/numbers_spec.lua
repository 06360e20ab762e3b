-- A user's data goes through unharmed: integers exact to 64 bits, unsigned too, floats that read back as the same number, empty
-- lists that stay lists, text in any script. Compared as text, in the answer, in the preview and in the registry.
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local script_text = require "spec.support.script_text"

-- JSON values as they are sent, and as they come back when the text differs.
local VALUES = {
  { "0" }, { "-1" }, { "9007199254740993" }, { "1234567890123456" }, { "9223372036854775807" }, { "-9223372036854775808" },
  { "9223372036854775808" }, { "12345678901234567890" }, { "18446744073709551615" }, { "1.0" }, { "0.1" }, { "-0.5" },
  { "1e2", "100.0" }, { "3.141592653589793" }, { "5e-324" }, { "1.7976931348623157e308" }, { "[]" }, { "{}" }, { "[[],{}]" },
  { "null" }, { "true" }, { "false" }, { '""' }, { '"\\ud83d\\ude00 \\u00e9"', '"😀 é"' }, { '"日本語"' },
  { '"18446744073709551615"' }, { "[1,1.0,\"1\",null,[],{}]" },
}

-- Where each vendor takes anything: the job, with %s for the value, and the path of the value in the preview's body.
local PLACES = {
  runpod = { '{"endpoint_id":"abc","input":{"v":%s}}', { "input", "v" } },
  replicate = { '{"model":"black-forest-labs/flux-schnell","input":{"v":%s}}', { "input", "v" } },
  hf_inference_endpoints = {
    '{"url":"https://a.us-east-1.aws.endpoints.huggingface.cloud","inputs":"x","parameters":{"v":%s}}', { "parameters", "v" },
  },
  modal = { '{"url":"https://me--app-render.modal.run","body":{"v":%s}}', { "v" } },
}

local function at(value, path)
  for _, name in ipairs(path) do value = value[name] end
  return value
end

describe("a value of a job", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  for id, place in pairs(PLACES) do
    it("goes through " .. id .. " unharmed", function()
      for _, case in ipairs(VALUES) do
        local sent, expected = case[1], exact.encode(exact.decode(case[2] or case[1]))
        local body = '{"job":' .. place[1]:gsub("%%s", function() return sent end) .. "}"
        local answer = served:post(providers.path(providers[id], "submit"), body)
        assert.equal(200, answer.status, sent .. ": " .. answer.body)
        local envelope = exact.decode(answer.body)
        assert.equal(expected, exact.encode(at(envelope.upstream.body, place[2])))
        local row = served:get("/api/jobs/status/" .. envelope.job_id)
        assert.equal(exact.encode(envelope.job), exact.encode(exact.decode(row.body).payload))
        local job_path = id == "modal" and { "body", "v" } or place[2]
        assert.equal(expected, exact.encode(at(envelope.job, job_path)))
      end
    end)
  end

  it("is written with the digits that were sent", function()
    local body = '{"job":{"endpoint_id":"abc","input":{"seed":18446744073709551615,"f":1.0,"n":12345678901234567890,"e":[]}}}'
    local answer = served:post(providers.path(providers.runpod, "submit"), body)
    for _, text in ipairs { '"seed":18446744073709551615', '"f":1.0', '"n":12345678901234567890', '"e":[]' } do
      assert.is_truthy(answer.body:find(text, 1, true), text)
    end
  end)

  it("that is none, or that no 64 bits hold, is refused by its path", function()
    for _, number in ipairs { "18446744073709551616", "-9223372036854775809", "1e400", "NaN", "Infinity", "1e", "01", ".5",
      '"\\u0000"', '"\\ud800"' } do
      local answer = served:post(providers.path(providers.runpod, "submit"), '{"job":{"input":{"v":' .. number .. "}}}")
      assert.equal(400, answer.status, number)
      assert.equal("job.input.v", answer.json.errors[1].path, number)
    end
  end)
end)

-- Parameters of models that are not described are the user's too.
local MODELS = { replicate = "acme/unheard-of", runpod = "unheard-of" }

describe("a parameter of a model that is not described", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  for id, model in pairs(MODELS) do
    for _, kind in ipairs { "image", "video" } do
      it(("goes through %s unharmed, for the kind %s"):format(id, kind), function()
        for _, case in ipairs(VALUES) do
          local sent, expected = case[1], exact.encode(exact.decode(case[2] or case[1]))
          local body = ('{"model":"%s","prompt":"x","parameters":{"v":%s}}'):format(model, sent)
          local answer = served:post(("/api/providers/%s/%s/submit"):format(kind, id), body)
          assert.equal(200, answer.status, sent .. ": " .. answer.body)
          local envelope = exact.decode(answer.body)
          assert.equal(expected, exact.encode(envelope.upstream.body.input.v))
          local row = served:get("/api/jobs/status/" .. envelope.job_id)
          assert.equal(expected, exact.encode(exact.decode(row.body).payload.parameters.v))
        end
      end)
    end
  end
end)

-- Scripts read JSON in two places: the job that they are asked about, and texts of their own.
describe("a value that a script reads", function()
  local served

  setup(function()
    local bodies = {
      poll = "return ctx.request { method = 'POST', path = '/' .. job.id, json = { job = job } }",
      submit = "return ctx.request { path = '/', json = cjson.decode(payload.text) }",
    }
    local options = { top = "local cjson = require 'cjson'", submit = bodies.submit, poll = bodies.poll }
    served = host.start { files = { ["providers/echo.lua"] = script_text.provider("echo", options) } }
  end)
  teardown(function() served:remove() end)

  local function submit(value)
    local answer = served:post("/api/providers/image/echo/submit", exact.encode { text = value, job = exact.decode(value) })
    assert.equal(200, answer.status, value .. ": " .. answer.body)
    return exact.decode(answer.body)
  end

  it("is the one that was sent", function()
    for _, case in ipairs(VALUES) do
      local expected = exact.encode(exact.decode(case[2] or case[1]))
      for _, around in ipairs { "[%s]", '{"v":%s}', ' { "z" : %s , "a" : { "b" : %s } , "\\u0061b" : [ %s , %s ] } ' } do
        local sent, meant = around:gsub("%%s", function() return case[1] end), around:gsub("%%s", function() return expected end)
        local envelope = submit(sent)
        assert.equal(exact.encode(exact.decode(meant)), exact.encode(envelope.upstream.body))
        local poll = served:post("/api/providers/image/echo/poll", { job_id = envelope.job_id })
        assert.equal(200, poll.status, poll.body)
        local job = exact.decode(poll.body).upstream.body.job
        assert.equal("mock-echo-1", job.id)
        assert.equal("{}", exact.encode(job.state))
        assert.equal(exact.encode(exact.decode(meant)), exact.encode(job.payload.job))
      end
    end
  end)

  it("has all its members, however many there are, and none twice", function()
    for _, count in ipairs { 15, 16, 17, 32, 33, 500 } do
      local members = {}
      for index = 1, count do members[index] = ('"m%d":%d'):format(index * 7919 % 1000, index) end
      local text = "{" .. table.concat(members, ",") .. "}"
      assert.equal(exact.encode(exact.decode(text)), exact.encode(submit(text).upstream.body))
      local twice = "{" .. table.concat(members, ",") .. ',"m919":0}'
      local answer = served:post("/api/providers/image/echo/submit", { text = twice })
      assert.equal(500, answer.status, answer.body)
      assert.is_truthy(answer.body:find("duplicate object key", 1, true), answer.body)
    end
  end)

  it("that is no JSON is refused with its place", function()
    local texts = {
      "", "{", "[1", '{"a":1,}', "[1,]", "nul", "01", "1.", "-", '"a', '"\\x"', '"\\u12"', '"\1"', "1 2", '{"a" 1}', "{1:2}",
      "1e999", '{"a":1,"\\u0061":2}', "99999999999999999999", ("["):rep(65) .. ("]"):rep(65),
    }
    for _, text in ipairs(texts) do
      local answer = served:post("/api/providers/image/echo/submit", { text = text })
      assert.equal(500, answer.status, text)
      local said = answer.body:find("malformed JSON at line 1", 1, true) or answer.body:find("nested deeper than 64", 1, true)
      assert.is_truthy(said, answer.body)
    end
  end)
end)

-- Seeds that the media vendors take: the largest one, and its place in the preview.
local SEEDS = {
  { "fal", "18446744073709551615", '"seed":18446744073709551615' }, { "stability", "4294967294", '"value":"4294967294"' },
  { "runway", "4294967295", '"seed":4294967295' }, { "pika", "9007199254740993", '"seed":9007199254740993' },
}

describe("a seed", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  for _, case in ipairs(SEEDS) do
    it("of " .. case[1] .. " goes out as it came in", function()
      local provider = providers[case[1]]
      local answer = served:post(providers.path(provider, "submit"), '{"prompt":"x","parameters":{"seed":' .. case[2] .. "}}")
      assert.equal(200, answer.status, answer.body)
      assert.is_truthy(answer.body:match('"upstream":(.*)'):find(case[3], 1, true), answer.body)
    end)
  end
end)

-- Objects are written by name, small ones from Lua's stack, large ones by a list: around the size where that changes.
describe("an object", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  -- Objects of `count` fields with an object and an escaped text in each: as sent, last name first, and as they come back.
  local function texts(count)
    local sent, expected = {}, {}
    for i = 1, count do
      expected[i] = ('"k%03d":{"a":"%s\\n\\"é","b":[%d]}'):format(i, ("x"):rep(i % 20), i)
      sent[count + 1 - i] = expected[i]
    end
    return "{" .. table.concat(sent, ",") .. "}", "{" .. table.concat(expected, ",") .. "}"
  end

  for _, count in ipairs { 1, 2, 31, 32, 33, 34, 300 } do
    it(("of %d fields goes out whole and sorted"):format(count), function()
      local sent, expected = texts(count)
      local body = ('{"job":{"model":"black-forest-labs/flux-schnell","input":{"v":%s}}}'):format(sent)
      local answer = served:post(providers.path(providers.replicate, "submit"), body)
      assert.equal(200, answer.status, answer.body)
      assert.is_truthy(answer.body:match('"upstream":(.*)'):find(expected, 1, true), answer.body)
    end)
  end
end)
