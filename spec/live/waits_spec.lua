-- How long a job waits before it is sent again: as long as the vendor named, else longer each time.
local live = require "spec.support.live"
local start = require("spec.support.host").start

local SCRIPT = [[
local http_errors = require "http_errors"
return {
  id = "waits", kind = "image", capabilities = {}, pricing = { as_of = "2026-11-23", source = "a spec" },
  base_url = "https://waits.example", credentials = { api_key = { secret = { "api_key" } } },
  auth = { ["Authorization"] = "Bearer {api_key}" },
  health = function() return { ok = true } end,
  poll = function(job) return { id = job.id, status = "done", artifacts = {} } end,
  submit = function(payload, ctx)
    local response, failure = ctx.request { path = "/submit", json = { prompt = payload.prompt } }
    if response and response.status == 503 then
      return { status = "queued", resubmit = true, reason = "a cold start", retry_after = 0.2 }
    end
    if not response or response.status >= 300 then return http_errors.result(response, failure, { retry_after = 0.2 }) end
    return { id = response.json.id, status = "done", artifacts = {}, cost = { usd = 0.01, source = "vendor" } }
  end,
}]]

local TO = "POST waits.example/submit"

describe("a wait", function()
  local vendor, host
  setup(function()
    vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/scripted_vendor.lua" }, config = "",
      env = { LUA_PATH = os.getenv("LUA_PATH"), LUA_CPATH = os.getenv("LUA_CPATH") } }
    local config = live.config("http://127.0.0.1:" .. vendor.port)
    config.live.providers.waits = { enabled = true, budget_usd = { per_day = 1000, per_month = 1000 }, rate_per_minute = 6000,
      max_concurrent = 100 }
    host = start {
      config = config, secrets = { waits = { api_key = "planted-waits" } }, files = { ["providers/waits.lua"] = SCRIPT },
    }
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  -- The seconds between the submits of a job that is refused so often in this way, and then taken.
  local function gaps(word, refusal, times)
    local answers = {}
    for index = 1, times do answers[index] = { to = TO, status = refusal.status, headers = refusal.headers, text = "later" } end
    answers[times + 1] = { to = TO, status = 200, json = { id = word } }
    vendor:post("/control", { case = word, answers = answers })
    local body = { prompt = word, max_cost_usd = 0.5, dry_run = false }
    local answer = host:post("/api/providers/image/waits/submit", body)
    assert.equal(202, answer.status, answer.body)
    host:eventually(function() return host:get("/api/jobs/status/" .. answer.json.job_id).json.status == "done" end)
    local at, list = vendor:get("/times").json[word], {}
    for index = 2, #at do list[index - 1] = at[index] - at[index - 1] end
    return list
  end

  for word, refusal in pairs { case9001x = { status = 429 }, case9002x = { status = 503 } } do
    it("that nobody named grows, after a " .. refusal.status, function()
      local list = gaps(word, refusal, 4)
      assert.equal(4, #list)
      for index, least in ipairs { 0.2, 0.4, 0.8, 1.6 } do
        assert.is_true(list[index] > 0.9 * least, ("wait %d took %.2f s"):format(index, list[index]))
      end
    end)
  end

  it("that the vendor named is kept to", function()
    local list = gaps("case9003x", { status = 429, headers = { ["Retry-After"] = "1" } }, 2)
    assert.is_true(list[1] > 0.9 and list[2] > 0.9)
  end)
end)
