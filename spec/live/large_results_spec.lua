-- Whatever size of answer the host accepts, the job it was paid for ends with all of it.
local start = require("spec.support.host").start
local support = require "spec.support.live"

local MIB = 1048576
local MODAL, HF = "https://me--app-f.modal.run/", "https://x.us-east-1.aws.endpoints.huggingface.cloud/"

describe("a large result", function()
  local vendor, host

  setup(function()
    vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/large_vendor.lua" }, config = "",
      env = { LUA_PATH = os.getenv("LUA_PATH") } }
    host = start { config = support.config("http://127.0.0.1:" .. vendor.port), secrets = support.SECRETS }
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function result_of(id, job)
    local answer = host:post("/api/providers/gpu/public/" .. id .. "/submit", { job = job, dry_run = false, max_cost_usd = 0.5 })
    assert.equals(202, answer.status, answer.body:sub(1, 400))
    local task
    host:eventually(function()
      task = host:get("/api/jobs/status/" .. answer.json.job_id).json
      return task.status ~= "queued" and task.status ~= "running"
    end)
    assert.equals("done", task.status, tostring(task.reason))
    assert.equals(1, #task.artifacts)
    return task.artifacts[1], "/api/jobs/" .. answer.json.job_id .. "/artifacts/0"
  end

  local PROVIDERS = {
    modal = function(what) return { url = MODAL .. what, body = { prompt = "x" } } end,
    hf_inference_endpoints = function(what) return { url = HF .. what, inputs = "x" } end,
  }

  for id, job in pairs(PROVIDERS) do
    for _, bytes in ipairs { 1000, 4 * MIB + 1, 13000016, 48 * MIB - 100 } do
      it(("of %d bytes at %s is the file"):format(bytes, id), function()
        local artifact, path = result_of(id, job("mp4-" .. bytes))
        assert.equals("video/mp4", artifact.content_type)
        assert.equals(bytes, artifact.bytes)
        local file = host:get(path).body
        assert.equals(bytes, #file)
        assert.equals("\0\0\0\24ftypisom", file:sub(1, 12))
        assert.equals("xxxx", file:sub(-4))
      end)
    end

    for _, what in ipairs { "floats-960000", "list-700000", "floats-3000000" } do
      it(("of %s at %s is JSON as it came"):format(what, id), function()
        local artifact, path = result_of(id, job(what))
        assert.equals("application/json", artifact.content_type)
        local _, count = host:get(path).body:gsub("0%.125", "")
        assert.equals(tonumber(what:match("%d+")), count)
      end)
    end

    it("of 9 MiB of text at " .. id .. " is the text", function()
      local artifact, path = result_of(id, job("text-" .. 9 * MIB))
      assert.equals("text/plain", artifact.content_type:match("^[^;]+"))
      assert.equals(9 * MIB, #host:get(path).body)
    end)
  end

  for _, count in ipairs { 400, 480, 1000 } do
    it(("of %d embeddings at RunPod ends as RunPod says"):format(count), function()
      local artifact, path = result_of("runpod", { endpoint_id = "numbers-" .. count * 1024, input = { x = 1 } })
      assert.equals("application/json", artifact.content_type)
      local _, found = host:get(path).body:gsub("0%.125", "")
      assert.equals(count * 1024, found)
    end)
  end

  it("makes no script rest", function()
    for _, entry in ipairs(host:get("/api/providers/gpu/public/catalog").json.providers) do
      assert.is_true((entry.script.stops or 0) == 0, entry.id)
    end
  end)
end)
