-- What a web page of an allowed origin may send and read: all that docs/api.md tells of.
local host = require "spec.support.host"

local ORIGIN = "https://studio.example"

local MAY_SEND = {
  "Authorization", "Content-Type", "Idempotency-Key", "If-Modified-Since", "If-None-Match", "If-Range", "Last-Event-ID", "Prefer",
  "Range", "traceparent", "X-API-Key", "X-Request-ID", "X-Providerd-Dry-Run", "X-Providerd-Max-Cost-Usd",
  "X-Stainless-Retry-Count", "X-Stainless-Lang", "OpenAI-Organization",
}
local MAY_READ = {
  "Accept-Ranges", "Allow", "Content-Disposition", "Content-Range", "ETag", "Idempotent-Replayed", "Location",
  "Preference-Applied", "Retry-After", "WWW-Authenticate", "X-Request-ID", "X-Providerd-Dry-Run", "X-Providerd-Job-Id",
  "X-Providerd-Estimated-Cost-Usd", "X-Should-Retry", "OpenAI-Poll-After-Ms",
}

local function set_of(list)
  local set = {}
  for name in list:gmatch("[^, ]+") do set[name:lower()] = true end
  return set
end

describe("a web page of an allowed origin", function()
  local served
  setup(function() served = host.start { config = { server = { allowed_origins = { ORIGIN } } } } end)
  teardown(function() served:remove() end)

  for _, name in ipairs(MAY_SEND) do
    it("may send " .. name, function()
      local answer = served:request("OPTIONS", "/api/providers/image/fal/submit", nil,
        { Origin = ORIGIN, ["Access-Control-Request-Method"] = "POST", ["Access-Control-Request-Headers"] = name })
      assert.equal(204, answer.status)
      assert.equal(ORIGIN, answer.headers["access-control-allow-origin"])
      assert.is_true(set_of(answer.headers["access-control-allow-headers"])[name:lower()])
    end)
  end

  for _, name in ipairs(MAY_READ) do
    it("may read " .. name, function()
      local answer = served:get("/api/jobs/list", { Origin = ORIGIN })
      assert.equal(200, answer.status)
      assert.is_true(set_of(answer.headers["access-control-expose-headers"])[name:lower()])
    end)
  end
end)
