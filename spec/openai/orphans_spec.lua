-- A job whose answer did not arrive is taken over by the next equal request, once; equal requests side by side are separate jobs;
-- and nothing that may have been paid for is told with a status that clients repeat.
local keys = require "spec.support.keys"
local socket = require "socket"
local support = require "spec.support.live"

local IMAGES = { path = "/live/v1/images/generations", body = { model = "fal/flux", prompt = "a lighthouse", size = "512x512" } }
local VIDEOS = { path = "/live/v1/videos",
  body = { model = "luma/ray-flash-2", prompt = "a lighthouse", size = "1280x720", seconds = "5" } }

local function with(changes, body)
  local copy = {}
  for name, value in pairs(body or IMAGES.body) do copy[name] = value end
  for name, value in pairs(changes or {}) do copy[name] = value end
  return copy
end

local function start(options)
  options = options or {}
  return support.start { simulate = options.simulate or { "--job-time", "1500" }, hurry = options.hurry or 5, env = options.env,
    config = function(config)
      config.openai = { wait_seconds = options.wait_seconds or 60 }
      config.server.api_keys = options.api_keys
    end }
end

local function job_of(answer)
  return answer.headers["x-providerd-job-id"] or (answer.json.error.providerd or {}).job_id
end

local function repeated(count) return { ["X-Stainless-Retry-Count"] = tostring(count or 1) } end

-- Sends a create and does not wait for its answer.
local function ask(live, door, changes, headers)
  local client = live.host:connect()
  client:send("POST", door.path, with(changes, door.body), headers)
  return client
end

local function create(live, door, changes, headers)
  return live.host:post(door.path, with(changes, door.body), headers)
end

local function live_jobs(live, headers)
  local ids = {}
  local list = live.host:get("/api/jobs/list?dry_run=false&limit=500", headers).json.tasks
  for i, job in ipairs(list) do ids[i] = job.job_id end
  return ids
end

-- Waits until so many jobs are registered.
local function has_jobs(live, count, headers)
  return live.host:eventually(function()
    local ids = live_jobs(live, headers)
    return #ids >= count and ids
  end)
end

-- Sends a create and leaves as soon as its job is registered, the host's first: its id.
local function leave(live, door, headers)
  local client = ask(live, door, nil, headers)
  local jobs = has_jobs(live, 1, headers)
  client:close()
  return jobs[1]
end

describe("a create whose connection is cut", function()
  local live
  before_each(function() live = start() end)
  after_each(function() live:remove() end)

  it("leaves its job to the next equal request, marked or not, and to that alone", function()
    local first = leave(live, IMAGES)
    local second = create(live, IMAGES)
    assert.equal(200, second.status, second.body)
    assert.equal(first, job_of(second))
    local third = create(live, IMAGES)
    assert.equal(200, third.status)
    assert.not_equal(first, job_of(third))
    assert.equal(2, live:paid())
  end)

  it("leaves it also when the host is killed meanwhile", function()
    local client = ask(live, IMAGES)
    local first = has_jobs(live, 1)[1]
    live:becomes(first, "running")
    live.host:kill()
    client:close()
    live.host:start_again()
    local second = create(live, IMAGES)
    assert.equal(200, second.status, second.body)
    assert.equal(first, job_of(second))
    assert.equal(1, live:paid())
    socket.sleep(1) -- until it is noted that this was answered
    live.host:kill()
    live.host:start_again()
    assert.not_equal(first, job_of(create(live, IMAGES)))
  end)

  it("leaves it under either base URL", function()
    local first = leave(live, IMAGES)
    local second = live.host:post("/v1/images/generations", with(), { ["X-Providerd-Dry-Run"] = "false" })
    assert.equal(first, job_of(second))
    assert.equal(1, live:paid())
  end)

  it("leaves it to nobody who asks for something else", function()
    local first = leave(live, IMAGES)
    for _, changes in ipairs { { prompt = "a lighthouse." }, { size = "1024x1024" }, { seed = 7 } } do
      assert.not_equal(first, job_of(create(live, IMAGES, changes, repeated())))
    end
    assert.not_equal(first, job_of(live.host:post("/v1/images/generations", with()))) -- a dry run
    assert.equal(first, job_of(create(live, IMAGES)))
  end)

  it("leaves two jobs, when two were cut, to two repeats at once", function()
    local one, other = ask(live, IMAGES), ask(live, IMAGES)
    local jobs = has_jobs(live, 2)
    one:close()
    other:close()
    one, other = ask(live, IMAGES, nil, repeated()), ask(live, IMAGES, nil, repeated())
    local got = { job_of(one:receive()), job_of(other:receive()) }
    table.sort(jobs)
    table.sort(got)
    assert.same(jobs, got)
    assert.equal(2, live:paid())
  end)

  it("leaves it also when it was a stream, or is taken over by one", function()
    local client = ask(live, IMAGES, { stream = true })
    local first = has_jobs(live, 1)[1]
    client:close()
    local answer = create(live, IMAGES, { stream = true })
    assert.equal(200, answer.status)
    assert.equal(first, answer.headers["x-providerd-job-id"])
    assert.is_truthy(answer.body:find("event: image_generation.completed", 1, true), answer.body:sub(1, 200))
    assert.equal(1, live:paid())
  end)

  it("leaves it also when the answer came and was not read", function()
    local client = ask(live, IMAGES)
    local first = has_jobs(live, 1)[1]
    live:ended(first)
    client:close() -- with the answer, or some of it, unread: a reset
    assert.equal(first, job_of(create(live, IMAGES)))
    assert.equal(1, live:paid())
  end)

  it("leaves it also when that is seen only later, as behind a busy proxy", function()
    for round = 1, 2 do
      local client = ask(live, IMAGES)
      local first = has_jobs(live, round)[1]
      live:ended(first)
      socket.sleep(0.6) -- so long nobody waits for a reset: it counts as answered
      client:close()
      socket.sleep(0.3)
      if round == 2 then
        live.host:kill()
        live.host:start_again()
      end
      assert.equal(first, job_of(create(live, IMAGES)))
      assert.equal(round, live:paid())
    end
  end)

  it("leaves nothing when its answer was read, however the connection ends", function()
    for round = 1, 2 do
      local client = ask(live, IMAGES)
      local answer = client:receive()
      if round == 2 then
        client:send("GET", "/healthz")
        client:receive()
        client.socket:setoption("linger", { on = true, timeout = 0 }) -- a reset, behind another request
      end
      client:close()
      assert.not_equal(job_of(answer), job_of(create(live, IMAGES)))
      assert.equal(2 * round, live:paid())
    end
  end)

  it("is a video's too: the repeat has the video at once", function()
    local first = leave(live, VIDEOS)
    local second = create(live, VIDEOS, nil, repeated())
    assert.equal(200, second.status, second.body)
    assert.equal("video_" .. first, second.json.id)
    assert.not_equal("video_" .. first, create(live, VIDEOS).json.id)
  end)
end)

describe("equal creates", function()
  local live
  before_each(function() live = start() end)
  after_each(function() live:remove() end)

  it("whose connections are open are separate jobs", function()
    local clients, seen = {}, {}
    for i = 1, 6 do clients[i] = ask(live, IMAGES) end
    for _, client in ipairs(clients) do
      local answer = client:receive()
      assert.equal(200, answer.status, answer.body)
      assert.is_nil(seen[job_of(answer)])
      seen[job_of(answer)] = true
    end
    assert.equal(6, live:paid())
  end)

  it("one after the other, on new connections, are separate jobs", function()
    local seen = {}
    for _ = 1, 8 do
      local client = live.host:connect()
      client:send("POST", VIDEOS.path, VIDEOS.body, { Connection = "close" })
      local id = client:receive().json.id
      client:close()
      assert.is_nil(seen[id])
      seen[id] = true
    end
    assert.equal(8, #has_jobs(live, 8))
  end)

  it("that say to be repeats get the job that was answered last, since the answer may be lost behind a proxy", function()
    local first = job_of(create(live, IMAGES))
    assert.equal(first, job_of(create(live, IMAGES, nil, repeated(2))))
    assert.equal(1, live:paid())
    assert.not_equal(first, job_of(create(live, IMAGES)))
  end)

  it("that say to be repeats wait for a job whose connection may be dead without a sign", function()
    local one = ask(live, IMAGES)
    local first = has_jobs(live, 1)[1]
    local other = ask(live, IMAGES, nil, repeated())
    assert.equal(first, job_of(other:receive()))
    assert.equal(first, job_of(one:receive()))
    assert.equal(1, live:paid())
  end)

  it("that say to be repeats, all at once, have one job, whichever comes first", function()
    local clients, jobs = {}, {}
    for i = 1, 8 do clients[i] = ask(live, IMAGES, nil, repeated(i)) end
    for i, client in ipairs(clients) do jobs[i] = job_of(client:receive()) end
    for _, job in ipairs(jobs) do assert.equal(jobs[1], job) end
    assert.equal(8, #jobs)
    assert.equal(1, live:paid())
  end)

  it("that come as first attempts after a repeat have its job, once: networks deliver out of order", function()
    local repeat_first = job_of(create(live, IMAGES, nil, repeated()))
    assert.equal(repeat_first, job_of(create(live, IMAGES, nil, repeated(0))))
    assert.not_equal(repeat_first, job_of(create(live, IMAGES, nil, repeated(0))))
    assert.equal(2, live:paid())
  end)

  it("with an Idempotency-Key go by that alone", function()
    local first = leave(live, IMAGES, { ["Idempotency-Key"] = "one" })
    assert.not_equal(first, job_of(create(live, IMAGES)))
    local again = create(live, IMAGES, nil, { ["Idempotency-Key"] = "one" })
    assert.equal(200, again.status, again.body)
    assert.equal(first, job_of(again))
    assert.equal(2, live:paid())
  end)
end)

describe("a create that is still running when its time is over", function()
  it("is told so, without a status that clients repeat, and goes on for the next equal request", function()
    local live = start { simulate = { "--job-time", "4000" }, hurry = 1, wait_seconds = 1 }
    finally(function() live:remove() end)
    local first = create(live, IMAGES)
    assert.equal(424, first.status, first.body)
    assert.equal("still_running", first.json.error.code)
    assert.equal("true", first.headers["x-should-retry"])
    assert.equal("500", first.headers["retry-after-ms"])
    local answer
    repeat answer = create(live, IMAGES) until answer.status ~= 424
    assert.equal(200, answer.status, answer.body)
    assert.equal(job_of(first), job_of(answer))
    assert.equal(1, live:paid())
  end)
end)

describe("a create that the vendor does not take", function()
  it("is told with a status that clients repeat, and the repeat makes a job of its own", function()
    local live = start { simulate = { "--fault", "fal:5xx:1:POST" }, hurry = 100 }
    finally(function() live:remove() end)
    local first, second = create(live, IMAGES), create(live, IMAGES, nil, repeated())
    assert.equal(503, first.status, first.body)
    assert.equal(503, second.status, second.body)
    assert.not_equal(job_of(first), job_of(second))
    assert.equal(0, live:paid())
  end)
end)

describe("a create that the registry is late with", function()
  it("is not told with a status that clients repeat, and its repeats wait for it, marked or not", function()
    local live = start { env = { PROVIDERD_TEST_CALL_WAIT_MS = "300", PROVIDERD_TEST_COMMIT_WAIT_MS = "300",
      PROVIDERD_TEST_STALL = "store:commit:2" } }
    finally(function() live:remove() end)
    local one = create(live, IMAGES)
    assert.equal(424, one.status, one.body)
    assert.equal("still_running", one.json.error.code)
    assert.equal("true", one.headers["x-should-retry"])
    local other = create(live, IMAGES)
    assert.equal(200, other.status, other.body)
    assert.equal(1, live:paid())
    assert.equal(1, #live_jobs(live))
  end)
end)

describe("a key", function()
  it("takes over no other key's job", function()
    local live = start { api_keys = { keys.entry "one", keys.entry "two" } }
    finally(function() live:remove() end)
    local first = leave(live, IMAGES, keys.headers "one")
    local other = create(live, IMAGES, nil, keys.headers("two", repeated()))
    assert.equal(200, other.status, other.body)
    assert.not_equal(first, job_of(other))
    assert.equal(first, job_of(create(live, IMAGES, nil, keys.headers "one")))
    assert.equal(2, live:paid())
  end)
end)
