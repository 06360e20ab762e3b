-- Memory runs out, at any allocation. A small one ends the process (src/base/memory.h): exit code 71, a line in the log and on
-- standard error. What a client or a vendor decides the size of is refused, and so is what a library finds no memory for. After
-- the next start every job that was answered is there, none twice, and none is paid twice. Requests are made again and again
-- while another of their allocations fails, once that one alone, once all from it on; and then once more without a fault.
--
-- One allocation of each request is civetweb's own; without it civetweb hangs up: the only answer that may be missing while the
-- host lives.
local exact = require "spec.support.exact_json"
local memory = require "spec.support.out_of_memory"
local socket = require "socket"
local starved = require "spec.support.starved_host"
local start = require("spec.support.host").start

local ask_again, assert_no_memory = starved.ask_again, starved.assert_no_memory
local SLOW = os.getenv("SPEC_SLOW")
local UUID = "%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x"
local MOST = 5000 -- no sweep is as long

local function config(keep_days)
  return exact.encode { features = { enable_public_gpu = true }, server = { threads = 16 }, registry = { keep_days = keep_days } }
end

-- What two right answers to the same request have in common.
local function essence(answer)
  return answer.status .. " " .. answer.body:gsub(UUID, "ID"):gsub('"newest":"%d+"', ""):gsub('"loaded_at":"[^"]*"', "")
end

-- sweep { host =, fault =, count =, step =, ask = function(first) -> answer, right = essence, prepare =, taken = }: its requests,
-- and how often the host ended.
local function sweep(it)
  local hung_up, refused, ends, asked = 0, 0, 0, 0
  for first = 1, MOST, it.step do
    asked = asked + 1
    if it.prepare then it.prepare(first) end
    it.fault:arm(first, it.count)
    local answered, answer = pcall(it.ask, first)
    local failed, met = it.fault:disarm()
    if answered and answer.status >= 300 then
      refused = refused + 1
      assert.is_true(failed > 0, answer.body)
      assert_no_memory(answer)
    elseif answered then
      assert.equal(it.right, essence(answer))
      if it.taken then it.taken(answer, first) end
    end
    local again, ended = ask_again(it.host, it.count, function() return it.ask(first) end)
    if ended then ends = ends + 1 elseif not answered then hung_up = hung_up + 1 end
    assert.equal(it.right, essence(again))
    if it.taken then it.taken(again, first) end
    if not met then
      assert.is_true(hung_up <= 3, hung_up .. " were not answered") -- other threads shift the count a little
      assert.is_true(hung_up + refused + ends > 0)
      return asked, ends
    end
  end
  error("the sweep has no end")
end

local FAL = "/api/providers/image/fal/"
local GPU = { endpoint_id = "abc123", input = { prompt = "a lighthouse", seed = exact.decode("12345678901234567890") } }

-- Each with a key: what was done before the host ended is not done again, but answered.
local SUBMITS = {
  { "a submit", FAL .. "submit", { prompt = "a lighthouse at night, seen from the sea" } },
  { "a submit of a job", "/api/providers/gpu/public/runpod/submit", { job = GPU } },
  { "a submit of a form", "/api/providers/image/stability/submit", { prompt = "é, \n" } },
  { "a generate", "/api/providers/image/generate", { provider = "fal", prompt = "x" } },
  { "a submit with a credential", FAL .. "submit", { prompt = "x", config = { api_key = "00000000-1111:22222222" } } },
}

local READS = {
  { "health", function(host) return host:post("/api/providers/video/runway/health") end },
  { "a poll", function(host) return host:post("/api/providers/gpu/public/replicate/poll") end },
  { "a poll of a job", function(host) return host:post(FAL .. "poll", { job_id = host.job_id }) end },
  { "a preview", function(host) return host:post(FAL .. "preview", { prompt = "x", dry_run = false }) end },
  { "inputs", function(host) return host:get(FAL .. "inputs?mode=flux") end },
  { "a catalogue", function(host) return host:get("/api/providers/video/catalog") end },
  { "a list", function(host) return host:get("/api/jobs/list?provider=luma&limit=3") end },
  { "a list in brief", function(host) return host:get("/api/jobs/list?fields=brief&q=a&status=done,error") end },
  { "outputs", function(host) return host:get("/api/artifacts?type=image&q=a") end },
  { "counts", function(host) return host:get("/api/jobs/counts?by=provider&since=" .. math.random(1, 1000000000)) end },
  { "the state of a job", function(host) return host:get("/api/jobs/status/" .. host.job_id) end },
  { "the log of a job", function(host) return host:get("/api/jobs/logs/" .. host.job_id) end },
  { "a page of events", function(host) return host:get("/api/events/history?limit=2") end },
  { "a page of events in brief", function(host) return host:get("/api/events/history?limit=2&fields=brief") end },
  { "the budget", function(host) return host:get("/api/budget") end },
}

describe("without memory", function()
  local fault, host
  local taken = {} -- the jobs that were answered, each once
  local of_key = {} -- and the one of each key

  local function take(answer, key)
    local id = answer.json.job_id
    if of_key[key] then
      assert.equal(of_key[key], id, "two jobs for one key")
    else
      assert.is_nil(taken[id], "two keys with one job")
      of_key[key], taken[id] = id, 1
    end
  end

  local function submit(path, body, key)
    return host:post(path, body, { ["Idempotency-Key"] = key })
  end

  setup(function()
    if SLOW then return end
    fault = memory.new()
    host = start { env = fault:env(), scripts = true, config = config(30) }
    take(submit("/api/providers/video/luma/submit", { prompt = "waves" }, "first"), "first")
    take(submit(FAL .. "submit", { prompt = "x" }, "second"), "second")
    host.job_id = of_key.second
  end)

  teardown(function()
    if not host then return end
    fault:disarm()
    host:remove()
    fault:remove()
  end)

  for _, many in ipairs { 1, math.huge } do
    local how, step = "once", 2
    if many > 1 then how, step = "from some point on", 5 end

    for _, case in ipairs(SUBMITS) do
      it(how .. ", " .. case[1] .. " is done once, whether the host ends or not", function()
        if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
        local function key(first) return ("%s, %s: %d"):format(how, case[1], first) end
        local right = submit(case[2], case[3], key(0))
        assert.equal(200, right.status)
        take(right, key(0))
        local asked, ends = sweep { host = host, fault = fault, count = many, step = step, right = essence(right),
          ask = function(first) return submit(case[2], case[3], key(first)) end,
          taken = function(answer, first) take(answer, key(first)) end }
        assert.is_true(asked > 10 / step and ends > 0, ("%d ends of %d"):format(ends, asked))
      end)
    end

    for _, case in ipairs(READS) do
      it(how .. ", " .. case[1] .. " is right, or not answered", function()
        if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
        local right = essence(case[2](host))
        local asked = sweep { host = host, fault = fault, count = many, step = step, right = right,
          ask = function() return case[2](host) end }
        assert.is_true(asked > 1)
      end)
    end
  end

  it("what is made anew after a change is right, or not answered", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local right = essence(host:get("/api/providers/image/catalog"))
    local asked = sweep { host = host, fault = fault, count = 1, step = 3, right = right,
      prepare = function(first)
        local days = 40 + first % 2
        host:write("config/comfyvn.json", config(days))
        host:eventually(function() return host:get("/api/host").json.limits.keep_days == days end)
      end,
      ask = function() return host:get("/api/providers/image/catalog") end }
    assert.is_true(asked > 5, asked .. " were asked")
  end)

  -- Changes a file while allocations fail; what it says is in force some time after that.
  local function change(first, how_many, path, text, in_force)
    fault:arm(first, how_many)
    host:write(path, text)
    socket.sleep(0.05)
    fault:disarm()
    ask_again(host, how_many, function() return host:get("/healthz") end)
    host:write(path:match("^.*/") .. ".look", "") -- what is beside it makes the host look
    host:eventually(in_force)
  end

  it("a configuration is taken later", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local function enabled() return host:get("/api/providers/video/catalog").json.feature.enabled end
    local on = false
    for first = 1, 120, 7 do
      on = not on
      local text = exact.encode { server = { threads = 16 }, features = { enable_public_video_providers = on } }
      change(first, 40, "config/comfyvn.json", text, function() return enabled() == on end)
      assert.equal(200, host:get("/readyz").status)
    end
  end)

  it("a script is taken later", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local text = host:read("providers/video_luma.lua")
    local function luma()
      for _, provider in ipairs(host:get("/api/providers/video/catalog").json.providers) do
        if provider.id == "luma" then return provider end
      end
    end
    for round = 1, 30 do
      local name = "Luma " .. round
      change(round * round, round % 2 == 0 and 1 or 60, "providers/video_luma.lua",
        (text:gsub('name = "Luma"', 'name = "' .. name .. '"')), function() return luma().name == name end)
      assert.equal(exact.decode("null"), exact.decode(exact.encode(luma().script.error or exact.null)))
    end
  end)

  -- It is refused while it comes in, so not all of it may be sent.
  local function post_large(body)
    local client = host:connect()
    pcall(client.send, client, "POST", FAL .. "submit", body)
    local answer = client:receive()
    client:close()
    return answer.status
  end

  it("a large body is refused, and ends nothing", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local body = { prompt = ("x"):rep(2 << 20), dry_run = 1 }
    for least = 18, 21 do
      fault:arm(1, 1, 1 << least)
      local status = post_large(body)
      assert.equal(1, (fault:disarm()))
      assert.equal(503, status)
    end
    assert.is_nil(host:ends(0))
    assert.equal(400, post_large(body))
  end)

  it("every job that was answered is registered once with its event, and no other", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local jobs, submits = starved.registered(host)
    assert.same(taken, jobs)
    assert.same(taken, submits)
    host:kill()
    host:start_again()
    jobs, submits = starved.registered(host)
    assert.same(taken, jobs)
    assert.same(taken, submits)
  end)
end)

describe("a start without memory", function()
  it("ends with a message, or leads to a host that serves", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local fault = memory.new()
    local first, started, ended = 1, 0, 0
    while started < 5 and first < 1e6 do
      fault:arm(math.floor(first), 1)
      local ok, result = pcall(start, { env = fault:env() })
      fault:disarm()
      if ok then
        local answered, answer = pcall(result.post, result, FAL .. "submit", { prompt = "x" })
        if answered then
          started = started + 1
          assert.equal(200, answer.status)
          result:remove()
        else -- it has met the fault after all
          ended = ended + 1
          assert.is_true(starved.has_ended(result, 1, 10))
          result:remove()
        end
      elseif result:find("event=host.memory", 1, true) then
        ended = ended + 1
      else
        assert.is_truthy(result:find("providerd: ", 1, true), result)
      end
      first = first * 1.25 + 1
    end
    fault:remove()
    assert.equal(5, started)
    assert.is_true(ended > 0)
  end)
end)
