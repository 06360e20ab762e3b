-- A vendor repeats the credential that it was sent, in each text of each of its answers: nothing of it is seen, and every job
-- ends.
local start = require("spec.support.host").start
local support = require "spec.support.live"

local ROUNDS = 16

-- Each planted value holds this word; nothing else does.
local WORD = "planted"

local function found_in(folder, but)
  local command = ("find '%s' -type f -not -path '%s' -exec grep -a -i -o -H '.\\{0,60\\}%s.\\{0,20\\}' {} +")
    :format(folder, but, WORD)
  local pipe = assert(io.popen(command))
  local lines = pipe:read("a")
  pipe:close()
  return lines
end

describe("a vendor that repeats its credential", function()
  local live, proxy, jobs, answers

  local function keep(answer)
    answers[#answers + 1] = answer.body
    return answer
  end

  setup(function()
    jobs, answers = {}, {}
    live = support.start {
      simulate = { "--job-time", "150" },
      config = function(config)
        proxy = start { program = "/usr/bin/lua5.4", config = "", env = { LUA_PATH = os.getenv("LUA_PATH") },
          arguments = { "spec/support/planting_proxy.lua", config.live.upstream:match("%d+$") } }
        config.live.upstream = "http://127.0.0.1:" .. proxy.port
        config.log = { level = "debug" }
      end,
    }
    for _ = 1, ROUNDS do
      for id in pairs(support.JOBS) do
        jobs[#jobs + 1] = { provider = id, id = keep(live:submit(id)).json.job_id }
        if #jobs % 5 == 0 then keep(live.host:post("/api/jobs/cancel/" .. jobs[#jobs].id)) end
        keep(live.host:post(live:path(id, "health"), { dry_run = false }))
      end
    end
  end)

  teardown(function()
    live:remove()
    proxy:kill()
    proxy:remove()
  end)

  it("does not keep its jobs from ending", function()
    local ended = {}
    for _, job in ipairs(jobs) do
      local status = live:ended(job.id, 120).status
      ended[job.provider] = ended[job.provider] or {}
      ended[job.provider][status] = (ended[job.provider][status] or 0) + 1
    end
    for id in pairs(support.JOBS) do
      assert.is_true((ended[id].done or 0) > ROUNDS / 3, id .. ": " .. (ended[id].done or 0) .. " done")
    end
  end)

  it("was heard in every kind of text", function()
    local list = proxy:get("/planted").body
    for _, what in ipairs { "a name", "a header", "400", "500", "id", "status" } do
      assert.is_truthy(list:find(": " .. what .. "\n", 1, true), what)
    end
  end)

  it("is not seen in any answer", function()
    for _, job in ipairs(jobs) do
      for _, path in ipairs { "status/" .. job.id, "logs/" .. job.id, job.id .. "/artifacts/0" } do
        keep(live.host:get("/api/jobs/" .. path))
      end
    end
    for _, path in ipairs { "/api/jobs/list?limit=500", "/api/events/history?limit=500", "/metrics", "/readyz" } do
      keep(live.host:get(path))
    end
    for _, body in ipairs(answers) do
      local at = body:lower():find(WORD, 1, true)
      assert.is_nil(at, at and body:sub(math.max(1, at - 160), at + 40))
    end
  end)

  it("is not kept in any file", function()
    live.host:stop()
    assert.equal("", found_in(live.host.home, live.host.home .. "/config/*"))
    assert.is_nil(live.host:output():lower():find(WORD, 1, true))
    live.host:start_again()
  end)
end)
