-- Errors at /v1 and /live/v1 are OpenAI's, whoever refuses: the guard, the router, the roles.
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"

local function is_error(answer, status, type_of, code, param)
  assert.equal(status, answer.status, answer.body)
  assert.equal("application/json", answer.headers["content-type"])
  assert.truthy(answer.headers["x-request-id"])
  local error = answer.json.error
  assert.truthy(error, answer.body)
  assert.equal("string", type(error.message))
  assert.same({ type_of, code, param or require("cjson").null }, { error.type, error.code, error.param })
  return error
end

local INVALID = "invalid_request_error"

describe("an error at /v1", function()
  local host

  setup(function()
    host = hosts.start { config = { server = { threads = 16, max_body_bytes = 4096, api_keys = {
      keys.entry("all"), keys.entry("reader", { may = { "read" } }) } } } }
  end)
  teardown(function() host:remove() end)

  for _, base in ipairs { "/v1", "/live/v1" } do
    it("names the path that is not served: " .. base, function()
      local answer = host:post(base .. "/chat/completions", { model = "x" }, keys.headers "all")
      local error = is_error(answer, 404, INVALID, "unknown_url")
      assert.truthy(error.message:find("POST " .. base .. "/chat/completions", 1, true), error.message)
      is_error(host:get(base, keys.headers "all"), 404, INVALID, "unknown_url")
    end)

    it("says which methods a path has: " .. base, function()
      local answer = host:post(base .. "/models", {}, keys.headers "all")
      is_error(answer, 405, INVALID, "method_not_supported")
      assert.equal("GET, HEAD", answer.headers.allow)
    end)

    it("is 400 for what OpenAI has and nobody here, never 501: " .. base, function()
      for _, path in ipairs { "/images/variations", "/videos/edits", "/videos/extensions", "/videos/characters",
        "/videos/video_1/remix" } do
        is_error(host:post(base .. path, {}, keys.headers "all"), 400, INVALID, "unsupported_operation")
      end
      is_error(host:get(base .. "/videos/characters/1", keys.headers "all"), 400, INVALID, "unsupported_operation")
    end)

    it("is the guard's, too: " .. base, function()
      local path = base .. "/models"
      assert.equal("Bearer", host:get(path).headers["www-authenticate"])
      is_error(host:get(path), 401, INVALID, "invalid_api_key")
      local wrong = host:get(path, { Authorization = "Bearer sk-wrong-0123456789abcdef" })
      local error = is_error(wrong, 401, INVALID, "invalid_api_key")
      assert.falsy(error.message:find("sk-wrong", 1, true))
      is_error(host:get(path, keys.headers("all", { Origin = "https://evil.example" })), 403, INVALID, "origin_not_allowed")
      is_error(host:get(path, keys.headers("all", { ["Sec-Fetch-Site"] = "cross-site" })), 403, INVALID, "origin_not_allowed")
      is_error(host:get(path, keys.headers("all", { Host = "evil.example" })), 421, INVALID, "misdirected_request")
      is_error(host:post(base .. "/videos/edits", {}, keys.headers "reader"), 403, INVALID, "insufficient_permissions")
      is_error(host:post(base .. "/videos/edits", ("x"):rep(5000), keys.headers "all"), 413, INVALID, "request_too_large")
    end)
  end

  it("of a page that may ask is the key's, not the page's", function()
    local own = hosts.start { config = { server = { threads = 16, allowed_origins = { "https://studio.example" },
      api_keys = { keys.entry("reader", { may = { "read" } }) } } } }
    local answer = own:post("/v1/videos/edits", {}, keys.headers("reader", { Origin = "https://studio.example" }))
    is_error(answer, 403, INVALID, "insufficient_permissions")
    own:remove()
  end)

  it("is a problem of RFC 9457 everywhere else", function()
    local answer = host:get("/v2/models", keys.headers "all")
    assert.equal(404, answer.status)
    assert.equal("application/problem+json", answer.headers["content-type"])
  end)
end)
