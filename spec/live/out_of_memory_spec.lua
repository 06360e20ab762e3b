-- Live jobs while memory runs out (spec/api/out_of_memory_spec.lua has the rest): each that was answered is there after the next
-- start, and none is paid twice.
local memory = require "spec.support.out_of_memory"
local socket = require "socket"
local starved = require "spec.support.starved_host"
local start_live = require("spec.support.live").start

local SLOW = os.getenv("SPEC_SLOW")

describe("a live job without memory", function()
  -- Each is submitted while one of its allocations fails, or some in a row: in the request, in the transfer, in the poll or in
  -- the copy of what it made. Whoever had no answer asks again with the same key. Returns how many were done, and how often the
  -- host ended.
  local function play(id, firsts, how_many, window, at_once)
    local fault = memory.new()
    local live = start_live { env = fault:env() }
    local accepted, ends = {}, 0
    local function load_libcurl() -- while it is loaded, libraries that it needs end the process in ways of their own
      assert.is_true(live.host:post(live:path(id, "health"), { dry_run = false }).json.probe.ok)
    end
    load_libcurl()
    for round, first in ipairs(firsts) do
      local function submit() return live:submit(id, nil, { ["Idempotency-Key"] = "round " .. round }) end
      fault:arm(first, how_many)
      local answered, answer = pcall(submit)
      local until_time = socket.gettime() + window
      while fault:failed() == 0 and socket.gettime() < until_time do socket.sleep(0.01) end
      if how_many > 1 then socket.sleep(0.05) end
      fault:disarm()
      if answered and answer.status ~= 202 then starved.assert_no_memory(answer) end
      local again, ended = starved.ask_again(live.host, how_many, submit)
      if ended then
        ends = ends + 1
        load_libcurl()
      end
      assert.is_truthy(again.status == 202 or again.status == 200, again.body)
      if answered and answer.status == 202 then assert.equal(answer.json.job_id, again.json.job_id) end
      accepted[round] = again.json.job_id
      if at_once then live:ended(again.json.job_id) end -- else the next end of the host may make it unknown, and so all of them
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
    local paid, price, reserved = live:paid(id), nil, nil
    for _, job_id in ipairs(accepted) do
      local job = live:status(job_id)
      if job.status == "done" then price, reserved = job.money.spent_usd, job.money.reserved_usd end
    end
    live:day(function(day)
      return math.abs(day.spent_usd - done * price) < 1e-6 and math.abs(day.reserved_usd - unknown * reserved) < 1e-6
    end)
    local jobs, submits = starved.registered(live.host)
    live:remove()
    fault:remove()
    assert.is_true(paid >= done and paid <= done + unknown, ("%d paid, %d done, %d unknown"):format(paid, done, unknown))
    for _, job_id in ipairs(accepted) do
      assert.equal(1, jobs[job_id])
      assert.equal(1, submits[job_id])
      jobs[job_id] = nil
    end
    assert.same({}, jobs)
    return done, ends
  end

  local function steps(from, to, by)
    local list = {}
    for first = from, to, by do list[#list + 1] = first end
    return list
  end

  it("that is answered at once is paid once, and its money adds up", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local done, ends = play("stability", steps(1, 400, 7), 1, 0.3, true)
    assert.is_true(done > 1 and ends > 0, ("%d done, %d ends"):format(done, ends))
  end)

  it("that is polled is paid once, and its money adds up", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local done, ends = play("fal", steps(40, 430, 15), 1, 0.3)
    assert.is_true(done > 1 and ends > 0, ("%d done, %d ends"):format(done, ends))
  end)

  it("that meets more than one failure is paid once, and its money adds up", function()
    if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
    local done, ends = play("fal", steps(2, 430, 23), 30, 0.3)
    assert.is_true(done > 1 and ends > 0, ("%d done, %d ends"):format(done, ends))
  end)
end)
