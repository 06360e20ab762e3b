-- Many equal requests with one Idempotency-Key at the same time: one is paid for, the others get its answer, and nobody else's
-- money is
-- touched meanwhile.
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local told_vendor = require "spec.support.told_vendor"

local CLIENTS = 64

describe("equal requests at the same time", function()
  local vendor, host
  before_each(function()
    vendor = told_vendor.start()
    host = vendor:live { config = function(config)
      config.live.budget_usd = { per_day = 0.02, per_month = 0.02 }
      config.server.threads = 160
    end }
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } },
    ["GET *"] = { json = { status = "running" } } }
  end)
  after_each(function() vendor:remove() end)

  -- The answers of many clients, each with its own connection, all sent before one is read.
  local function at_once(requests)
    local clients, answers = {}, {}
    for i in ipairs(requests) do clients[i] = http.connect(host.port) end
    for i, request in ipairs(requests) do
      clients[i]:send("POST", vendor.path .. "/submit", exact.encode(request.body), { ["Idempotency-Key"] = request.key })
    end
    for i, client in ipairs(clients) do
      answers[i] = client:receive()
      client:close()
    end
    return answers
  end

  it("are one job with money for one, and another's request is not refused for their sake", function()
    local function body() return { dry_run = false, price = 0.01 } end
    for round = 1, 3 do
      local requests = {}
      for i = 1, CLIENTS do requests[i] = { body = body(), key = "same-" .. round } end
      if round == 1 then requests[CLIENTS + 1] = { body = body(), key = "another" } end -- there is money for exactly two
      local answers, ids, replayed = at_once(requests), {}, 0
      for i = 1, CLIENTS do
        local answer = answers[i]
        if round == 3 then
          assert.equal(402, answer.status, answer.body)
        else
          assert.equal(202, answer.status, answer.body)
          ids[answer.json.job_id] = true
          if answer.headers["idempotent-replayed"] then replayed = replayed + 1 end
        end
      end
      if round < 3 then
        assert.is_truthy(next(ids))
        assert.is_nil(next(ids, (next(ids))))
        assert.equal(CLIENTS - 1, replayed)
      end
      if round == 1 then
        assert.equal(202, answers[CLIENTS + 1].status, answers[CLIENTS + 1].body)
        vendor.settings.live.budget_usd = { per_day = 0.03, per_month = 0.03 }
        host:write("config/comfyvn.json", exact.encode(vendor.settings))
        host:eventually(function() return host:get("/api/budget").json.host.day.limit_usd == 0.03 end)
      end
    end
    host:eventually(function() return vendor:seen("POST /pay") == 3 end)
    assert.equal(0.03, host:get("/api/budget").json.host.day.reserved_usd)
  end)

  it("with another body under the same key are told so, whoever comes first", function()
    local requests = {}
    for i = 1, 32 do requests[i] = { body = { dry_run = false, price = 0.001 * (i % 2 + 1) }, key = "clash" } end
    local taken, clashed = 0, 0
    for _, answer in ipairs(at_once(requests)) do
      if answer.status == 202 then taken = taken + 1 end
      if answer.status == 409 then clashed = clashed + 1 end
    end
    assert.equal(16, taken)
    assert.equal(16, clashed)
    assert.equal(1, #host:get("/api/jobs/list").json.tasks)
  end)

  it("that are refused leave the key free", function()
    local requests = {}
    for i = 1, 16 do requests[i] = { body = { dry_run = false, price = 5 }, key = "dear" } end
    for _, answer in ipairs(at_once(requests)) do assert.equal(402, answer.status, answer.body) end
    local answer = at_once({ { body = { dry_run = false, price = 0.01 }, key = "dear" } })[1]
    assert.equal(202, answer.status, answer.body)
  end)
end)
