-- Many who wait for pictures at once take no more threads than there are to spare: the others are told to come back, and do.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local live = require "spec.support.live"
local socket = require "socket"
local timely = require "spec.support.timely"

local WAITERS = 40

describe("many who wait for pictures", function()
  it("leave threads to others, lose no job, and pay for each once", function()
    local scene = live.start { simulate = { "--job-time", "6000" }, hurry = 5,
      config = function(config) config.server.threads = 16 end }
    local host = scene.host
    local function wish(number)
      return { model = "fal/flux", prompt = "lighthouse " .. number, dry_run = false, max_cost_usd = 0.1 }
    end
    local script, url = {}, ("http://127.0.0.1:%d/v1/images/generations"):format(host.port)
    local curl = "curl -s -o /dev/null -w '%d %%{http_code}\\n' -H 'Content-Type: application/json' -d '%s' %s &"
    for number = 1, WAITERS do script[number] = curl:format(number, exact.encode(wish(number)), url) end
    local pipe = assert(io.popen(table.concat(script, "\n") .. "\nwait"))
    socket.sleep(1.5)
    for _ = 1, 20 do -- while they wait
      timely.within(5, function() assert.equal(200, host:get("/healthz").status) end)
      socket.sleep(0.05)
    end
    local answers = {}
    for line in pipe:lines() do
      local number, status = line:match("^(%d+) (%d+)$")
      answers[tonumber(number)] = tonumber(status)
    end
    pipe:close()
    local came_back = 0
    for number = 1, WAITERS do
      local status = answers[number]
      -- 0: its head came too late, while threads were short; nothing was begun
      assert.truthy(status == 200 or status == 424 or status == 503 or status == 0, number .. ": " .. tostring(status))
      if status ~= 200 then
        came_back = came_back + 1
        host:eventually(function() return host:post("/v1/images/generations", wish(number)).status == 200 end)
      end
    end
    assert.truthy(came_back > 0, "all of them were waited for")
    local jobs = 0
    for _, job in ipairs(host:get("/api/jobs/list?limit=500").json.tasks) do
      assert.same({ "done", cjson.null }, { job.status, job.result.error })
      jobs = jobs + 1
    end
    assert.same({ WAITERS, WAITERS }, { jobs, scene:paid() })
    scene:remove()
  end)
end)
