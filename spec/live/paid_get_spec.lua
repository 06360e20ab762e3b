-- A GET can do the work too: the function behind a web address runs, and is billed, whatever the method. Such a request is
-- marked, sent once, and lost like any other that may cost.
local live = require "spec.support.live"
local socket = require "socket"
local start = require("spec.support.host").start
local told_vendor = require "spec.support.told_vendor"

describe("a GET that may cost", function()
  local vendor, host
  before_each(function() vendor = told_vendor.start() end)
  after_each(function()
    vendor:remove()
    if host then host:remove() end
    host = nil
  end)

  local JOBS = {
    modal = { url = "https://me--app-fn.modal.run/x", method = "GET", query = { a = "b" } },
    runpod = { operation = "load-balancing", endpoint_id = "abc", path = "x", method = "GET" },
  }
  for id, job in pairs(JOBS) do
    it("is one request of a job of " .. id .. ", over lost answers and crashes", function()
      local config = live.config("http://127.0.0.1:" .. vendor.host.port)
      config.live.providers.runpod.hosts = { "abc.api.runpod.ai" }
      host = start { config = config, secrets = live.SECRETS }
      local function submit()
        local body = { dry_run = false, max_cost_usd = 0.05, job = job }
        local answer = host:post("/api/providers/gpu/public/" .. id .. "/submit", body)
        assert.equal(202, answer.status, answer.body)
        return answer.json.job_id
      end
      local function status(job_id) return host:get("/api/jobs/status/" .. job_id).json.status end
      vendor:tell { ["GET *"] = { hang_up = true } }
      local lost = submit()
      host:eventually(function() return status(lost) == "unknown" end)
      assert.equal(1, #vendor:seen())
      vendor:tell { ["GET *"] = { delay = 2, json = {} } }
      local crashed = submit()
      host:eventually(function() return host:get("/api/live").json.jobs.sending == 1 end)
      socket.sleep(0.3) -- the vendor has it
      host:kill()
      host:start_again()
      host:eventually(function() return status(crashed) == "unknown" end)
      socket.sleep(1)
      assert.equal(2, #vendor:seen())
    end)
  end

  it("does not leave in a poll or a health check, nor a second time in a submit", function()
    local twice = [[for _ = 1, 2 do ctx.request { path = "/run", free = false } end ]]
    local user = vendor:live { functions = {
      submit = "return function(payload, ctx) " .. twice .. [[return { id = "v1", status = "running" } end]],
      poll = "return function(job, ctx) " .. twice .. [[return { status = "running" } end]],
      health = "return function(ctx) " .. twice .. [[return { ok = true } end]],
    } }
    vendor:tell { ["GET *"] = { json = {} } }
    local job = vendor:job(0.01)
    vendor:becomes(job, "running")
    assert.equal(200, vendor:refresh(job).status)
    assert.equal(200, user:post(vendor.path .. "/health", { dry_run = false }).status)
    assert.equal(1, vendor:seen("GET /run"))
  end)
end)
