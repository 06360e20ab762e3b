-- What the scripts make of vendors' answers beyond the recorded ones (spec/answers/<provider>.json): refusals in their vendor's
-- disguise, answers that cannot be read, steps before a submit, the search for a lost one. A case is data: add a case, not code.
--   verb        submit (with `request`), or poll, cancel, reconcile (with `job`)
--   answers     what the vendor answers, in order: { status =, headers =, body = } or { failure = { kind =, message = } };
--               a body that is text comes as text, null as nothing
--   understood  a subset of the result; null stands for a value that must not be there
--   asked       how often the vendor is asked, when that matters; `urls` may say where
local cjson = require "cjson"
local contract = require "spec.support.contract"
local offline = require "author.offline"

local IDS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

local function read_cases(id)
  local file = io.open("spec/answers/" .. id .. ".json", "rb")
  if not file then return {} end
  local cases = cjson.decode(file:read("a"))
  file:close()
  return cases
end

local function responses_of(case)
  local responses = {}
  for index, answer in ipairs(case.answers) do
    responses[index] = answer.failure and { failure = answer.failure } or contract.as_response(answer)
  end
  return responses
end

local function run(provider, case)
  local responses, options = responses_of(case), { webhook_url = case.webhook_url }
  if case.verb == "submit" then return offline.submit(provider, case.request, responses, options) end
  return offline[case.verb](provider, case.job, responses, options)
end

for _, id in ipairs(IDS) do
  describe("answers of " .. id, function()
    local provider
    setup(function() provider = contract.load(id) end)

    for _, case in ipairs(read_cases(id)) do
      it(case.verb .. ": " .. case.name, function()
        local answer = run(provider, case)
        assert.is_nil(answer.upstream and "one more request: " .. answer.upstream.url)
        assert.is_truthy(answer.result, "refused: " .. cjson.encode(answer.refusal or answer.invalid or {}))
        assert.same({}, contract.missing(case.understood, answer.result))
        if case.asked then assert.equal(case.asked, #answer.requests) end
        for index, url in ipairs(case.urls or {}) do assert.equal(url, answer.requests[index].url) end
      end)
    end
  end)
end
