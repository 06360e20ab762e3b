-- An answer is the truth: whoever was told no has no live job and pays nothing, also when many give up at once, leave, or meet a
-- registry that does not answer; whoever might have a job is told its id.
local support = require "spec.support.live"
local socket = require "socket"

local SLOW_HOST = os.getenv("SPEC_SLOW") -- under a sanitizer: how many give up is not foreseen
local LOOPS = SLOW_HOST and 1000000 or 15000000
local TRIES = 5

local function generation(host)
  for _, entry in ipairs(host:get("/api/providers/image/catalog").json.providers) do
    if entry.id == "fal" then return entry.script.generation end
  end
end

-- fal's script, slowed down by some tenths of a second of CPU time, or so many times that.
local function slow_fal(host, times)
  local file, before = "providers/image_fal.lua", generation(host)
  local text = host:read(file):gsub("prepare = prepare,", "prepare = function(...) slowly() return prepare(...) end,", 1)
  local slowly = ("local function slowly() local x = 0 for i = 1, %d do x = x + i %% 7 end end\n")
    :format(LOOPS * (times or 1) // 1)
  host:write(file, slowly .. text)
  host:eventually(function() return generation(host) > before end)
end

local function ask_many(live, count)
  local clients = {}
  for i = 1, count do
    clients[i] = live.host:connect()
    clients[i]:send("POST", live:path("fal", "submit"), support.body("fal", { prompt = "number " .. i }))
  end
  return clients
end

local function live_rows(live)
  local ids, count = {}, 0
  for _, row in ipairs(live.host:get("/api/jobs/list?limit=500&provider=fal").json.tasks) do
    if not row.dry_run then ids[row.job_id], count = true, count + 1 end
  end
  return ids, count
end

describe("an order that is given up", function()
  -- How many of them were taken.
  local function give_up_at_once(times)
    local live = support.start { scripts = true, env = { PROVIDERD_TEST_CALL_WAIT_MS = "2000" } }
    slow_fal(live.host, times)
    local yes, taken = {}, 0
    for _, client in ipairs(ask_many(live, 24)) do
      local answer = client:receive()
      client:close()
      if answer.status == 202 then
        yes[answer.json.job_id], taken = true, taken + 1
      else
        assert.equal(503, answer.status, answer.body)
      end
    end
    for id in pairs(yes) do assert.equal("done", live:ended(id).status) end
    assert.same(yes, (live_rows(live)))
    assert.equal(taken, live:paid("fal"))
    assert.equal(0, live:budget().reserved_usd or 0)
    live:remove()
    return taken
  end

  it("is no job, however many give up at once; each that was taken is paid once", function()
    local taken, times = 0, 1
    for _ = 1, TRIES do -- how long the script takes depends on what else the machine does
      taken = give_up_at_once(times)
      if taken > 0 and (SLOW_HOST or taken < 24) then return end
      times = taken == 0 and times / 4 or times * 2
    end
    error(taken .. " of 24 were taken")
  end)

  it("is no job when its client closes its side of the connection, and it is told why", function()
    local live = support.start { scripts = true }
    slow_fal(live.host) -- or the answer is there before the client has closed
    local http = require "spec.support.http"
    for _, dry in ipairs { false, true } do
      local body = support.body("fal", { dry_run = dry })
      local text = live.host:raw(http.format(live.host.port, "POST", live:path("fal", "submit"), body,
        { Connection = "close" }), { half_close = true })
      assert.equal("503", text:match("^HTTP/1.1 (%d+)"))
      assert.is_truthy(text:find("closed its side of the connection", 1, true), text)
    end
    assert.equal(0, #live.host:get("/api/jobs/list").json.tasks)
    assert.equal(0, live:paid())
    live:remove()
  end)

  it("is no job when its client has left", function()
    local live = support.start { scripts = true }
    slow_fal(live.host)
    local clients = ask_many(live, 12)
    local first = clients[1]
    for i = 2, 12 do clients[i]:close() end
    local answer = first:receive()
    assert.equal(202, answer.status, answer.body)
    live.host:eventually(function() return live.host:get("/readyz").json.calls_waiting == 0 end)
    live:ended(answer.json.job_id)
    local _, rows = live_rows(live)
    assert.is_true(rows <= 2, rows .. " rows") -- one may have been taken before its client left
    assert.equal(rows, live:paid("fal"))
    live:remove()
  end)

  it("is no job when the registry did not get to it; one that it may have got to is named", function()
    local live = support.start {
      env = {
        PROVIDERD_TEST_STALL = "store:commit:2.5", PROVIDERD_TEST_CALL_WAIT_MS = "700", PROVIDERD_TEST_COMMIT_WAIT_MS = "700",
      },
    }
    socket.sleep(3) -- what the start writes
    local clients = ask_many(live, 1)
    socket.sleep(0.3) -- its commit has begun
    local later = ask_many(live, 3)
    local named = clients[1]:receive()
    assert.equal(504, named.status, named.body)
    assert.is_nil(named.headers["retry-after"])
    assert.equal("/api/jobs/status/" .. named.json.job_id, named.headers.location)
    for _, client in ipairs(later) do
      local answer = client:receive()
      assert.equal(503, answer.status, answer.body)
      assert.truthy(answer.json.detail:find("no job was registered", 1, true))
    end
    live:becomes(named.json.job_id, "done")
    assert.same({ [named.json.job_id] = true }, (live_rows(live)))
    assert.equal(1, live:paid("fal"))
    assert.truthy(live.host:log():find("public.image.submit", 1, true))
    live:remove()
  end)
end)

describe("an operator who is told no", function()
  it("does not find the job resolved later", function()
    local live = support.start {
      simulate = { "--fault", "fal:reset_after:1" },
      env = { PROVIDERD_TEST_CALL_WAIT_MS = "400", PROVIDERD_TEST_STALL = "pika:health:2" }, -- another script stands still
    }
    local job = live:job("fal")
    live:becomes(job, "unknown")
    local busy = live.host:connect()
    busy:send("POST", live:path("pika", "health"), { dry_run = false })
    socket.sleep(0.3)
    local answer = live.host:post("/api/jobs/" .. job .. "/resolve", { status = "error", cost_usd = 0 })
    assert.equal(503, answer.status, answer.body)
    assert.truthy(answer.json.detail:find("nothing was done", 1, true))
    busy:receive()
    busy:close()
    live.host:eventually(function() return live.host:post(live:path("luma", "health"), { dry_run = false }).status == 200 end)
    socket.sleep(0.3)
    assert.equal("unknown", live:status(job).status)
    answer = live.host:post("/api/jobs/" .. job .. "/resolve", { status = "error", cost_usd = 0 })
    assert.equal(200, answer.status, answer.body)
    assert.equal("error", answer.json.status)
    live:remove()
  end)
end)
