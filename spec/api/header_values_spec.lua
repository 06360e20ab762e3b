-- What a user writes may go out as a header: what no header can be is the user's fault, and named, not an error of the script.
local host = require "spec.support.host"
local golden = require "spec.support.golden"

local LONG = {}
for i = 1, 20 do LONG["h" .. i] = ("x"):rep(8000) end
local MANY = {}
for i = 1, 60 do MANY["h" .. i] = "x" end

local function modal(field, value)
  return "gpu/public/modal", { job = { url = "https://me--a.modal.run", [field] = value } }, field
end

local function endpoint(field, value)
  local url = "https://abc.us-east-1.aws.endpoints.huggingface.cloud"
  return "gpu/public/hf_inference_endpoints", { job = { url = url, inputs = "x", [field] = value } }, field
end

local function fal(field, value) return "image/fal", { prompt = "x", [field] = value }, field end
local function pika(field, value) return "video/pika", { prompt = "x", [field] = value }, field end

local CASES = {
  { modal("headers", { ["a b"] = "c" }) }, { modal("headers", { ["a\r\nb"] = "c" }) }, { modal("headers", { [""] = "c" }) },
  { modal("headers", { ["a:"] = "c" }) }, { modal("headers", { ["Transfer-Encoding"] = "chunked" }) },
  { modal("headers", { Connection = "close" }) }, { modal("headers", { Expect = "100-continue" }) }, { modal("headers", LONG) },
  { modal("headers", MANY) }, { modal("headers", { a = "b\nc" }) }, { modal("query", MANY) }, { modal("session_id", "a\nb") },
}
for _, value in ipairs { "a\nb", "a\r\nX: b", "a\127b", "a\1b", ("x"):rep(9000) } do
  for _, case in ipairs { { endpoint("accept", value) }, { endpoint("bill_to", value) }, { fal("runner_hint", value) },
    { pika("runner_hint", value) } } do CASES[#CASES + 1] = case end
end

describe("a header of a user's", function()
  local served

  setup(function() served = host.start { config = { features = golden.features(true) } } end)
  teardown(function() served:remove() end)

  it("that cannot be one is refused, and the member is named", function()
    for i, case in ipairs(CASES) do
      local path, body, field = table.unpack(case)
      local answer = served:post("/api/providers/" .. path .. "/submit", body)
      assert.equal(400, answer.status, i .. ": " .. field .. ": " .. answer.body:sub(1, 300))
      assert.is_truthy(answer.body:find(field, 1, true), answer.body:sub(1, 300))
    end
  end)
end)
