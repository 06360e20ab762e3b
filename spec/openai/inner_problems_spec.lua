-- What the REST API refuses within a request of OpenAI's form is told in that form, under the client's names of fields; what was
-- not begun may be sent again, what may have been paid for may not.
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"

-- A provider whose prepare does what its prompt says.
local SCRIPT = [[
local function prepare(request)
  local word = request.prompt
  if word == "fails" then local nothing = nil; return nothing.field end
  if word == "no samples" then return nil, { field = "parameters.samples", message = "must be odd" } end
  if word == "no model" then return nil, { field = "model", message = "there is none of this name" } end
  if word == "no seed" then return nil, { field = "parameters.seed", message = "must be even" } end
  if word == "loops" then while true do end end
  return request
end

return {
  id = "painter", kind = "image", base_url = "https://painter.example", capabilities = { any_model = true }, pricing = {},
  modes = { { id = "paint", default = true } },
  prepare = prepare,
  health = function() return { ok = true } end,
  submit = function(payload, ctx)
    ctx.request { method = "POST", path = "/paint", json = payload }
    return { id = "1", status = "queued" }
  end,
  poll = function() return { status = "done" } end,
}
]]

local function error_of(answer, status, type_of, code, param)
  assert.equal(status, answer.status, answer.body)
  assert.equal("application/json", answer.headers["content-type"])
  local error = answer.json.error
  assert.same({ type_of, code, param }, { error.type, error.code, error.param ~= require("cjson").null and error.param or nil })
  return error
end

local INVALID = "invalid_request_error"

describe("within a request of OpenAI's form", function()
  local host

  setup(function()
    local entries = { keys.entry("all"), keys.entry("careful", { may = { "read", "submit" } }) }
    host = hosts.start { files = { ["providers/painter.lua"] = SCRIPT },
      config = { server = { threads = 16, api_keys = entries }, hooks = { enabled = true } } }
  end)
  teardown(function() host:remove() end)

  local function paint(prompt, headers, changes)
    local body = { model = "painter/paint", prompt = prompt }
    for name, value in pairs(changes or {}) do body[name] = value end
    return host:post("/v1/images/generations", body, keys.headers("all", headers))
  end

  it("another request than was expected is none that a client repeats", function()
    local error = error_of(paint("flowers", nil, { expect_upstream_sha256 = ("0"):rep(64) }), 400, INVALID, "upstream_changed",
      "expect_upstream_sha256")
    assert.equal(64, #error.providerd.upstream_sha256)
    local answer = paint("flowers", nil, { expect_upstream_sha256 = error.providerd.upstream_sha256 })
    assert.equal(200, answer.status, answer.body)
  end)

  it("a field of the script is the client's own field", function()
    local error = error_of(paint "no samples", 400, INVALID, "invalid_value", "n")
    assert.equal("n: must be odd", error.message)
    error_of(paint "no seed", 400, INVALID, "invalid_value", "parameters.seed")
  end)

  it("a model that the script does not know is 404", function()
    error_of(paint "no model", 404, INVALID, "model_not_found", "model")
  end)

  it("a script that fails is 500, and not to be sent again: it fails in the same way", function()
    local answer = paint "fails"
    error_of(answer, 500, "server_error", "internal_error")
    assert.equal("false", answer.headers["x-should-retry"])
  end)

  it("a role that the key lacks is 403", function()
    local answer = host:post("/live/v1/images/generations", { model = "painter/paint", prompt = "x" }, keys.headers "careful")
    local error = error_of(answer, 403, INVALID, "insufficient_permissions")
    assert.truthy(error.message:find("live", 1, true))
  end)

  it("a key of another request is 409, and not to be sent again", function()
    local key = { ["Idempotency-Key"] = "one" }
    assert.equal(200, paint("x", key).status)
    assert.equal(200, paint("x", key).status)
    local answer = paint("y", key)
    error_of(answer, 409, INVALID, "idempotency_conflict")
    assert.equal("false", answer.headers["x-should-retry"])
    error_of(paint("x", { ["Idempotency-Key"] = ("k"):rep(300) }), 400, INVALID, "invalid_value")
  end)

  it("a callback that goes nowhere is told by its name", function()
    local answer = paint("x", nil, { callback_url = "ftp://nowhere" })
    assert.equal(400, answer.status, answer.body)
    assert.equal("callback_url", answer.json.error.param)
  end)

  it("a script that rests is 503 with a wait that SDKs obey, and is not sent back for good", function()
    for _ = 1, 3 do
      local answer = paint "loops"
      assert.is_true(answer.status == 500 or answer.status == 503, answer.body)
    end
    local answer = paint "x"
    error_of(answer, 503, "server_error", "provider_unavailable")
    local seconds = tonumber(answer.headers["retry-after"])
    assert.is_true(seconds >= 1 and seconds <= 60)
    assert.equal(seconds * 1000, tonumber(answer.headers["retry-after-ms"]))
    assert.is_nil(answer.headers["x-should-retry"])
  end)
end)
