-- Memory runs out, at any allocation: the host answers 503, or hangs up before it has taken anything. It neither ends nor hangs,
-- says nothing that is not so, and neither loses nor doubles a job. Each request is made again and again while its first
-- allocation fails, its second, ..., until none is met any more; once with that one alone failing, once with all from it on.
--
-- One allocation of each request is civetweb's own; without it civetweb hangs up: the only answer that may be missing.
local exact = require "spec.support.exact_json"
local memory = require "spec.support.out_of_memory"
local socket = require "socket"
local start = require("spec.support.host").start
local start_live = require("spec.support.live").start

local SLOW = os.getenv("SPEC_SLOW")
local UUID = "%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x"
local MOST = 5000 -- no sweep is as long

local function config(keep_days)
  return exact.encode { features = { enable_public_gpu = true }, server = { threads = 16 }, registry = { keep_days = keep_days } }
end

-- What two right answers to the same request have in common.
local function essence(answer)
  return answer.status .. " " .. answer.body:gsub(UUID, "ID"):gsub('"newest":"%d+"', "")
end

local function assert_no_memory(answer)
  assert.equal(503, answer.status, answer.body)
  assert.equal("application/problem+json", answer.headers["content-type"])
  assert.equal(503, answer.json.status)
  assert.is_truthy(answer.json.detail:find("out of memory", 1, true), answer.body)
end

-- sweep { fault =, count =, ask = function() -> answer, right = essence, prepare =, taken = function(answer) }: its requests
local function sweep(it)
  local unanswered, refused = 0, 0
  for first = 1, MOST do
    if it.prepare then it.prepare(first) end
    it.fault:arm(first, it.count)
    local answered, answer = pcall(it.ask)
    local failed, met = it.fault:disarm()
    if not answered then
      unanswered = unanswered + 1
    elseif answer.status >= 300 then
      refused = refused + 1
      assert.is_true(failed > 0, answer.body)
      assert_no_memory(answer)
    else
      assert.equal(it.right, essence(answer))
      if it.taken then it.taken(answer) end
    end
    local again = it.ask()
    assert.equal(it.right, essence(again))
    if it.taken then it.taken(again) end
    if not met then
      assert.is_true(unanswered <= 3, unanswered .. " were not answered") -- other threads shift the count a little
      assert.is_true(unanswered + refused > 0)
      return first
    end
  end
  error("the sweep has no end")
end

local FAL = "/api/providers/image/fal/"
local GPU = { endpoint_id = "abc123", input = { prompt = "a lighthouse", seed = exact.decode("12345678901234567890") } }

local SUBMITS = {
  { "a submit", function(host) return host:post(FAL .. "submit", { prompt = "a lighthouse at night, seen from the sea" }) end },
  { "a submit of a job", function(host) return host:post("/api/providers/gpu/public/runpod/submit", { job = GPU }) end },
  { "a submit of a form", function(host) return host:post("/api/providers/image/stability/submit", { prompt = "é, \n" }) end },
  { "a generate", function(host) return host:post("/api/providers/image/generate", { provider = "fal", prompt = "x" }) end },
  { "a submit with a credential", function(host)
    return host:post(FAL .. "submit", { prompt = "x", config = { api_key = "00000000-1111:22222222" } })
  end },
  { "a submit that may be repeated", function(host)
    host.keys = (host.keys or 0) + 1
    return host:post(FAL .. "submit", { prompt = "x" }, { ["Idempotency-Key"] = "key-" .. host.keys })
  end },
}

local READS = {
  { "health", function(host) return host:post("/api/providers/video/runway/health") end },
  { "a poll", function(host) return host:post("/api/providers/gpu/public/replicate/poll") end },
  { "a poll of a job", function(host) return host:post(FAL .. "poll", { job_id = host.job_id }) end },
  { "a catalogue", function(host) return host:get("/api/providers/video/catalog") end },
  { "a list", function(host) return host:get("/api/jobs/list?provider=luma&limit=3") end },
  { "the state of a job", function(host) return host:get("/api/jobs/status/" .. host.job_id) end },
  { "the log of a job", function(host) return host:get("/api/jobs/logs/" .. host.job_id) end },
  { "a page of events", function(host) return host:get("/api/events/history?limit=2") end },
  { "the budget", function(host) return host:get("/api/budget") end },
}

-- The ids of all jobs in the registry, and of all submits in the log of events: how often each is there.
local function registered(host)
  local jobs, submits, path = {}, {}, "/api/jobs/list?limit=500"
  local next = ""
  repeat
    local page = host:get(path .. next).json
    for _, task in ipairs(page.tasks) do jobs[task.job_id] = (jobs[task.job_id] or 0) + 1 end
    next = type(page.next) == "string" and "&cursor=" .. page.next
  until not next
  next = ""
  repeat
    local page = host:get("/api/events/history?limit=500" .. next).json
    for _, event in ipairs(page.events) do
      if event.type:find("%.submit$") then submits[event.subject] = (submits[event.subject] or 0) + 1 end
    end
    next = type(page.next) == "string" and "&after=" .. page.next
  until not next
  return jobs, submits
end

describe("without memory", function()
  local fault, host, taken

  local function take(answer)
    assert.is_nil(taken[answer.json.job_id], "two answers with one job")
    taken[answer.json.job_id] = 1
  end

  setup(function()
    if SLOW then return end
    fault, taken = memory.new(), {}
    host = start { env = fault:env(), scripts = true, config = config(30) }
    local answer = host:post("/api/providers/video/luma/submit", { prompt = "waves" })
    take(answer)
    local job = host:post(FAL .. "submit", { prompt = "x" })
    take(job)
    host.job_id = job.json.job_id
  end)

  teardown(function()
    if not host then return end
    fault:disarm()
    host:remove()
    fault:remove()
  end)

  for _, count in ipairs { 1, math.huge } do
    local how = count == 1 and "once" or "from some point on"

    for _, case in ipairs(SUBMITS) do
      it(how .. ", " .. case[1] .. " is refused, or done whole", function()
        if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
        local first = case[2](host)
        assert.equal(200, first.status)
        take(first)
        assert.is_true(sweep { fault = fault, count = count, right = essence(first), taken = take,
          ask = function() return case[2](host) end } > 10)
      end)
    end

    for _, case in ipairs(READS) do
      it(how .. ", " .. case[1] .. " is right or refused", function()
        if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
        local right = essence(case[2](host))
        local asked = sweep { fault = fault, count = count, right = right, ask = function() return case[2](host) end }
        assert.is_true(asked > 1)
      end)
    end
  end

  it("what is made anew after a change is right or refused", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local right = essence(host:get("/api/providers/image/catalog"))
    assert.is_true(sweep { fault = fault, count = 1, right = right,
      prepare = function(first)
        host:write("config/comfyvn.json", config(40 + first % 2)) -- in force 20 ms later
        socket.sleep(0.05)
      end,
      ask = function() return host:get("/api/providers/image/catalog") end } > 10)
  end)

  it("a configuration is taken later, and the old one stays until then", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local function enabled() return host:get("/api/providers/video/catalog").json.feature.enabled end
    local on = false
    for first = 1, 120, 7 do
      on = not on
      fault:arm(first, 40)
      host:write("config/comfyvn.json",
        exact.encode { server = { threads = 16 }, features = { enable_public_video_providers = on } })
      socket.sleep(0.05)
      fault:disarm()
      host:write("config/.look", "") -- what is beside it makes the host look
      host:eventually(function() return enabled() == on end)
      assert.equal(200, host:get("/readyz").status)
    end
  end)

  it("a script is taken later, and the old one serves until then", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local text = host:read("providers/video_luma.lua")
    local function luma()
      for _, provider in ipairs(host:get("/api/providers/video/catalog").json.providers) do
        if provider.id == "luma" then return provider end
      end
    end
    for round = 1, 30 do
      local name = "Luma " .. round
      fault:arm(round * round, round % 2 == 0 and 1 or 60)
      host:write("providers/video_luma.lua", (text:gsub('name = "Luma"', 'name = "' .. name .. '"')))
      socket.sleep(0.05)
      fault:disarm()
      local served = luma()
      assert.is_truthy(served)
      host:write("providers/.look", "")
      host:eventually(function()
        served = luma()
        return served.name == name
      end)
      assert.equal(exact.decode("null"), exact.decode(exact.encode(served.script.error or exact.null)))
    end
  end)

  it("every job that was answered is registered once with its event, and no other", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local jobs, submits = registered(host)
    assert.same(taken, jobs)
    assert.same(taken, submits)
    host:kill()
    host:start_again()
    jobs, submits = registered(host)
    assert.same(taken, jobs)
    assert.same(taken, submits)
  end)
end)

describe("a live job without memory", function()
  -- Each is submitted while one of its allocations fails, or some in a row: in the request, in the transfer, in the poll or in
  -- the copy of what it made.
  local function play(id, firsts, count, window)
    local fault = memory.new()
    local live = start_live { env = fault:env() }
    local answer = live:submit(id)
    assert.equal("done", live:ended(answer.json.job_id).status)
    local accepted = { answer.json.job_id }
    for _, first in ipairs(firsts) do
      fault:arm(first, count)
      local answered, taken = pcall(live.submit, live, id)
      local until_time = socket.gettime() + window
      while fault:failed() == 0 and socket.gettime() < until_time do socket.sleep(0.01) end
      if count > 1 then socket.sleep(0.05) end
      fault:disarm()
      if answered and taken.status == 202 then
        accepted[#accepted + 1] = taken.json.job_id
      elseif answered then
        assert_no_memory(taken)
      end
    end
    local done, unknown = 0, 0
    for _, job_id in ipairs(accepted) do
      local job = live:ended(job_id)
      if job.status == "unknown" then
        unknown = unknown + 1
      else
        assert.equal("done", job.status, job.reason)
        assert.is_truthy(job.artifacts[1], require("cjson").encode(job):sub(1, 3000))
        done = done + 1
      end
    end
    local paid, spent, price = live:paid(id), live:budget().host.day, live:status(accepted[1]).money.spent_usd
    local jobs, submits = registered(live.host)
    fault:disarm()
    live:remove()
    fault:remove()
    assert.is_true(paid >= done and paid <= done + unknown, ("%d paid, %d done, %d unknown"):format(paid, done, unknown))
    assert.is_true(math.abs(spent.spent_usd - done * price) < 1e-6)
    assert.is_true(math.abs(spent.reserved_usd - unknown * price) < 1e-6)
    for _, job_id in ipairs(accepted) do
      assert.equal(1, jobs[job_id])
      assert.equal(1, submits[job_id])
      jobs[job_id] = nil
    end
    assert.same({}, jobs)
    return done
  end

  local function steps(from, to, by)
    local list = {}
    for first = from, to, by do list[#list + 1] = first end
    return list
  end

  it("that is answered at once is paid once, and its money adds up", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    assert.is_true(play("stability", steps(1, 260, 5), 1, 0.3) > 1)
  end)

  it("that is polled is paid once, and its money adds up", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    assert.is_true(play("fal", steps(40, 300, 13), 1, 0.3) > 1)
  end)

  it("that meets more than one failure is paid once, and its money adds up", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    assert.is_true(play("fal", steps(2, 300, 17), 30, 0.3) > 1)
  end)
end)

describe("a start without memory", function()
  it("ends with a message, or leads to a host that serves", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local fault = memory.new()
    local first, started = 1, 0
    while started < 5 and first < 1e6 do
      fault:arm(math.floor(first), 1)
      local ok, result = pcall(start, { env = fault:env() })
      fault:disarm()
      if ok then
        started = started + 1
        assert.equal(200, result:post(FAL .. "submit", { prompt = "x" }).status)
        result:remove()
      else
        assert.is_truthy(result:find("providerd: ", 1, true), result)
      end
      first = first * 1.25 + 1
    end
    fault:remove()
    assert.equal(5, started)
  end)
end)
