-- Official clients of MCP, unchanged: of both eras, over both transports, as an agent uses them.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local mime = require "mime"
local npm = require "spec.support.npm"
local shell = require "spec.support.shell"
local support = require "spec.support.live"

local CLIENTS = { pin = "2026-07-28", auto = "2026-07-28", default = "2025-11-25", old = cjson.null }
local PROGRAM = os.getenv "PROVIDERD" or "build/providerd"

local function absolute(path)
  local pipe = assert(io.popen("realpath " .. shell.quote(path)))
  local found = pipe:read "l"
  pipe:close()
  return found
end

describe("a client of MCP", function()
  local live, host, missing

  setup(function()
    missing = npm.install(npm.MCP)
    if missing then return end
    live = support.start { config = function(config)
      config.server.api_keys = { keys.entry "agent" }
      config.mcp = { live = true, budget_usd = { per_day = 10, per_month = 10 }, approve_above_usd = 1 }
    end }
    host = live.host
  end)
  teardown(function()
    if live then live:remove() end
  end)

  local function run(client, transport, steps)
    if missing then return pending(missing) end
    local words = { "agent.mjs", client, transport }
    if transport == "stdio" then words[#words + 1] = absolute(PROGRAM) end
    words[#words + 1] = ("http://127.0.0.1:%d%s"):format(host.port, transport == "http" and "/mcp" or "")
    words[#words + 1] = keys.key "agent"
    words[#words + 1] = exact.encode(exact.array(steps))
    for i, word in ipairs(words) do words[i] = shell.quote(word) end
    local ended_well, output = npm.node(npm.MCP, table.concat(words, " "))
    assert.is_true(ended_well, output)
    return cjson.decode(output)
  end

  for client, version in pairs(CLIENTS) do
    for _, transport in ipairs { "http", "stdio" } do
      local name = ("%s over %s"):format(client, transport)

      it("makes a picture, once, and reads it: " .. name, function()
        if missing then return pending(missing) end
        local before = live:paid "fal"
        local answer = run(client, transport, {
          { call = "quote", arguments = { provider = "fal", model = "fal-ai/flux/schnell", prompt = "by " .. name } },
          { call = "submit", arguments = { quote_id = "$0.quote_id", max_cost_usd = 0.1 } },
          { call = "submit", arguments = { quote_id = "$0.quote_id", max_cost_usd = 0.1 } },
          { call = "get_job", arguments = { job_id = "$1.job_id", wait_seconds = 50 } },
          { read = "$3.artifacts.0.uri" }, { call = "get_budget" }, { list = true },
        })
        assert.equal(version, answer.version)
        local quote, submit, again, job, file, budget, list = table.unpack(answer.steps)
        assert.is_true(quote.data.live, cjson.encode(quote))
        assert.is_false(submit.isError, cjson.encode(submit))
        assert.equal(submit.data.job_id, again.data.job_id)
        assert.is_true(again.data.replayed)
        assert.equal("done", job.data.status)
        local last = -1
        for _, progress in ipairs(job.told) do
          assert.is_true(progress > last)
          last = progress
        end
        local artifact = host:get("/api/jobs/status/" .. submit.data.job_id, keys.headers "agent").json.artifacts[1]
        assert.equal(host:get(artifact.url, keys.headers "agent").body, (mime.unb64(file.base64)))
        assert.is_number(budget.data.day.left_usd)
        assert.is_true(list.count >= 1)
        assert.equal(1, live:paid "fal" - before)
      end)

      it("is told what is wrong with a call, and goes on: " .. name, function()
        if missing then return pending(missing) end
        local steps = run(client, transport, {
          { call = "get_job", arguments = { job_id = 7, wait_seconds = 500 } }, { call = "generate_music" },
          { read = "providerd://jobs/nope/artifacts/99" }, { call = "list_jobs" },
        }).steps
        assert.is_true(steps[1].isError)
        assert.equal("invalid_arguments", steps[1].data.error)
        assert.equal(-32602, steps[2].code)
        assert.truthy(steps[3].code == -32602 or steps[3].code == -32002)
        assert.is_false(steps[4].isError)
      end)
    end
  end

  it("finds that every tool answers as its schema says, which the clients look at themselves", function()
    if missing then return pending(missing) end
    for _, client in ipairs { "pin", "old" } do
      local steps = run(client, "http", {
        { call = "search_models", arguments = { query = "flux", limit = 5 } },
        { call = "describe_model", arguments = { provider = "$0.models.0.provider", model = "$0.models.0.model" } },
        { call = "list_jobs", arguments = { dry_runs = true } }, { call = "get_budget" },
        { call = "quote", arguments = { provider = "runway", prompt = client .. " looks", parameters = { duration = 2 } } },
        { call = "submit", arguments = { quote_id = "$4.quote_id", max_cost_usd = 0.5 } },
        { call = "get_job", arguments = { job_id = "$5.job_id", wait_seconds = 3 } }, -- while it is sent nothing can be cancelled
        { call = "cancel_job", arguments = { job_id = "$5.job_id" } },
      }).steps
      for i, step in ipairs(steps) do assert.is_false(step.isError, ("%s, step %d: %s"):format(client, i, cjson.encode(step))) end
    end
  end)

  it("that gives up a wait leaves the job alone", function()
    if missing then return pending(missing) end
    for _, client in ipairs { "pin", "old" } do
      for _, transport in ipairs { "http", "stdio" } do
        local body = support.body("runway")
        local job_id = host:post(live:path("runway", "submit"), body, keys.headers "agent").json.job_id
        local steps = run(client, transport, {
          { cancel = "get_job", arguments = { job_id = job_id, wait_seconds = 50 } },
          { call = "get_job", arguments = { job_id = job_id } },
        }).steps
        assert.truthy(steps[1].gaveUp, client .. transport)
        assert.truthy(({ queued = true, running = true, done = true })[steps[2].data.status])
      end
    end
  end)
end)
