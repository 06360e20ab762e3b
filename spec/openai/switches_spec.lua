-- Live or dry: said in the body, by a header or by the base URL. If any of them says dry it is dry, and who asked for live never
-- gets a placeholder.
local form = require "spec.support.form"
local hosts = require "spec.support.host"
local live = require "spec.support.live"

local IMAGE = { "/images/generations", { model = "fal/flux", prompt = "a cat" } }
local VIDEO = { "/videos", { model = "runway/gen4.5", prompt = "a cat", seconds = "2" } }

local function with(body, changes)
  local all = {}
  for name, value in pairs(body) do all[name] = value end
  for name, value in pairs(changes or {}) do all[name] = value end
  return all
end

-- { base, what the body says, what the header says, is it live? }
local WAYS = {
  { "/v1", nil, nil, false }, { "/v1", false, nil, true }, { "/v1", nil, "false", true }, { "/live/v1", nil, nil, true },
  { "/v1", true, nil, false }, { "/v1", nil, "true", false }, { "/live/v1", true, nil, false },
  { "/live/v1", nil, "true", false },
  { "/v1", true, "false", false }, { "/v1", false, "true", false }, { "/live/v1", true, "false", false },
  { "/live/v1", false, "true", false }, { "/live/v1", false, "false", true }, { "/v1", false, "FALSE", true },
}

local function each_way(visit)
  for _, what in ipairs { IMAGE, VIDEO } do
    for _, way in ipairs(WAYS) do
      for _, as_form in ipairs { false, true } do
        local name = ("%s%s body %s header %s%s"):format(way[1], what[1], way[2], way[3], as_form and " (form)" or "")
        visit(name, function(host, headers)
          headers = with(headers or {}, { ["X-Providerd-Dry-Run"] = way[3] })
          local body = with(what[2], { dry_run = way[2] })
          if as_form then return form.post(host, way[1] .. what[1], form.parts(body), headers) end
          return host:post(way[1] .. what[1], body, headers)
        end, way[4])
      end
    end
  end
end

describe("with live off", function()
  local host

  setup(function() host = hosts.start { config = { server = { threads = 16 } } } end)
  teardown(function() host:remove() end)

  each_way(function(name, send, wants_live)
    it((wants_live and "there is no placeholder: " or "there is one: ") .. name, function()
      local before = #host:get("/api/jobs/list").json.tasks
      local answer = send(host)
      if wants_live then
        assert.same({ 403, "live_disabled", "dry_run" }, { answer.status, answer.json.error.code, answer.json.error.param })
        assert.truthy(#answer.json.error.providerd.missing > 0)
        assert.falsy(answer.body:find("b64_json", 1, true))
      else
        assert.equal(200, answer.status, answer.body)
        assert.equal("true", answer.headers["x-providerd-dry-run"])
        assert.is_true(#host:get("/api/jobs/list").json.tasks >= before)
      end
    end)
  end)

  it("a header that is neither is 400, in each place", function()
    for _, value in ipairs { "no", "0", "", "false, true" } do
      local answer = host:post("/v1/images/generations", IMAGE[2], { ["X-Providerd-Dry-Run"] = value })
      assert.equal(400, answer.status, value)
      assert.equal("X-Providerd-Dry-Run", answer.json.error.param)
    end
  end)

  it("of two headers the one that says dry holds", function()
    local answer = host:raw(("POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
      .. "X-Providerd-Dry-Run: false\r\nX-Providerd-Dry-Run: true\r\nContent-Length: 37\r\nConnection: close\r\n\r\n%s"):format(
      host.port, '{"model":"fal/flux","prompt":"a cat"}'))
    assert.truthy(tostring(answer.status or answer):find("200", 1, true))
  end)
end)

describe("with live on", function()
  local served

  setup(function() served = live.start { hurry = 10 } end)
  teardown(function() served:remove() end)

  each_way(function(name, send, wants_live)
    it((wants_live and "it is live: " or "it is dry: ") .. name, function()
      local answer = send(served.host)
      assert.equal(200, answer.status, answer.body:sub(1, 400))
      local job_id = answer.json.providerd.job_id
      assert.equal(not wants_live, served.host:get("/api/jobs/status/" .. job_id).json.dry_run)
    end)
  end)

  it("the lower of two maxima holds, and one that is too low sends nothing", function()
    local header = function(usd) return { ["X-Providerd-Dry-Run"] = "false", ["X-Providerd-Max-Cost-Usd"] = usd } end
    for _, case in ipairs { { 1, "0.0001" }, { 0.0001, "1" }, { nil, "0.0001" } } do
      local answer = served.host:post("/v1/images/generations", with(IMAGE[2], { max_cost_usd = case[1] }), header(case[2]))
      assert.same({ 400, "max_cost_exceeded", "max_cost_usd" },
        { answer.status, answer.json.error.code, answer.json.error.param }, answer.body)
    end
    assert.equal(400, served.host:post("/v1/images/generations", IMAGE[2], header "much").status)
  end)

  it("of two headers with a maximum the lower one holds, and each has to be one", function()
    for _, case in ipairs { { "1", "0.0001", "max_cost_exceeded" }, { "0.0001", "1", "max_cost_exceeded" },
      { "1", "much", "invalid_value" } } do
      local answer = served.host:raw(table.concat({ "POST /live/v1/images/generations HTTP/1.1",
        "Host: 127.0.0.1:" .. served.host.port, "Content-Type: application/json", "X-Providerd-Max-Cost-Usd: " .. case[1],
        "X-Providerd-Max-Cost-Usd: " .. case[2], "Content-Length: 37", "Connection: close", "",
        '{"model":"fal/flux","prompt":"a cat"}' }, "\r\n"))
      assert.truthy(answer:find('"code":"' .. case[3] .. '"', 1, true), answer)
    end
  end)

  it("two Idempotency-Keys are none: a repeat could go by the other one", function()
    for _, path in ipairs { "/live/v1/images/generations", "/api/providers/image/fal/submit" } do
      local answer = served.host:raw(table.concat({ "POST " .. path .. " HTTP/1.1", "Host: 127.0.0.1:" .. served.host.port,
        "Content-Type: application/json", "Idempotency-Key: one", "Idempotency-Key: other", "Content-Length: 37",
        "Connection: close", "", '{"model":"fal/flux","prompt":"a cat"}' }, "\r\n"))
      assert.truthy(answer:find("^HTTP/1.1 400 ") and answer:find("Idempotency%-Key is there twice"), answer)
    end
  end)

  it("what is said where nobody reads it is 400, and nothing is sent", function()
    for _, query in ipairs { "dry_run=true", "dry_run=false", "max_cost_usd=0.0001" } do
      local answer = served.host:post("/live/v1/images/generations?" .. query, IMAGE[2])
      assert.same({ 400, query:match "^[^=]+" }, { answer.status, answer.json.error.param }, answer.body)
    end
    for name, value in pairs { dry_run = true, max_cost_usd = 0.0001, expect_upstream_sha256 = ("0"):rep(64) } do
      for _, what in ipairs { IMAGE, VIDEO } do
        local body = with(what[2], { parameters = { [name] = value }, max_cost_usd = 5 })
        local answer = served.host:post("/live/v1" .. what[1], body)
        assert.same({ 400, "parameters." .. name }, { answer.status, answer.json.error.param }, answer.body)
      end
    end
  end)

  it("a price that is not known needs a maximum", function()
    local body = { model = "fal/fal-ai/nonesuch", prompt = "x", dry_run = false }
    local answer = served.host:post("/v1/images/generations", body)
    assert.same({ 400, "max_cost_required", "max_cost_usd" },
      { answer.status, answer.json.error.code, answer.json.error.param }, answer.body)
  end)
end)
