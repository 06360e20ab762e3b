-- Outgoing webhooks where several hosts share a registry: one host at a time delivers one, and another goes on when that is gone.
local cjson = require "cjson"
local hooks = require "spec.support.hooks"
local postgres = require "spec.support.postgres"
local socket = require "socket"
local start_program = require("spec.support.host").start
local start = require("spec.support.hosts").start
local timely = require "spec.support.timely"

local LEASE_SECONDS = 3

local function config(settings)
  settings.registry.lease_seconds = LEASE_SECONDS
  settings.hooks = { enabled = true, allow_loopback = true }
end

local function start_receiver()
  return start_program { program = "lua5.4", arguments = { "spec/support/watching_receiver.lua" }, config = "",
    env = { LUA_PATH = os.getenv("LUA_PATH") or ";;" } }
end

postgres.describe("webhooks of several hosts", function()
  local receiver, hosts

  local function watch()
    local pids = {}
    for i, each in ipairs(hosts) do pids[i] = tonumber(each.host.pid) end
    receiver:post("/control", { pids = pids })
  end

  before_each(function()
    receiver = start_receiver()
    hosts = start { count = 3, config = config, hurry = 10 }
    watch()
  end)
  after_each(function()
    hooks.stop_receiver(receiver)
    hosts:remove()
  end)

  -- Which host (a number of `hosts`) is the owner of each webhook, by its id.
  local function owners()
    local list = {}
    local rows = hosts:sql "SELECT hook.number, slot FROM hook LEFT JOIN host ON host.id = hook.owner AND dead_ms IS NULL"
    for number, slot in rows:gmatch("(%d+)|(%d*)") do -- slots are given out from the lowest on
      list[number == "0" and "callbacks" or ("hook_%016x"):format(tonumber(number))] = slot ~= "" and slot + 1
    end
    return list
  end

  -- Waits until each webhook has an owner that runs, and no host has two more than another.
  local function settled(running)
    return receiver:eventually(function()
      local list, counts, all, busy = owners(), {}, 0, 0
      for _, owner in pairs(list) do
        if not owner then return nil end
        busy = busy + (counts[owner] and 0 or 1)
        counts[owner] = (counts[owner] or 0) + 1
        all = all + 1
      end
      if busy < math.min(running, all) then return nil end
      for _, count in pairs(counts) do
        if count > math.ceil(all / running) then return nil end
      end
      return list
    end)
  end

  -- Everything that was told of one webhook so far has been delivered.
  local function delivered_all(at)
    receiver:eventually(function()
      local newest = tonumber(hosts:sql "SELECT max(number) FROM event")
      local list = at.host:get(hooks.path).json
      for _, hook in ipairs(list.webhooks) do
        if hook.waiting > 0 or tonumber(hook.cursor) < newest then return nil end
      end
      return true
    end)
  end

  local function by_path(deliveries)
    local lists = {}
    for _, one in ipairs(deliveries) do
      one.event = cjson.decode(one.body)
      lists[one.path] = lists[one.path] or {}
      table.insert(lists[one.path], one)
    end
    return lists
  end

  -- Of one that ends while it delivers nobody can see any more whose it was.
  local function whose(list)
    local unseen = 0
    for _, one in ipairs(list) do unseen = unseen + (one.pid and 0 or 1) end
    assert(unseen <= 16, unseen .. " deliveries came from none of the hosts")
  end

  -- Two hosts at the same time?
  local function never_two_at_once(list)
    local running = {}
    for _, one in ipairs(list) do
      for _, other in ipairs(running) do
        assert(other.pid == one.pid or not other.pid or not one.pid or (other.till and other.till <= one.from),
          ("%s: events %s and %s were delivered by two hosts at once"):format(one.path, other.event.id, one.event.id))
      end
      running[#running + 1] = one
    end
  end

  -- On a machine with other work a host may miss its beats for the length of a lease, and do again what it had done.
  local function was_fenced(pid)
    for _, each in ipairs(hosts) do
      if tonumber(each.host.pid) == tonumber(pid) then return each.host:log():find("host.fenced", 1, true) ~= nil end
    end
    return false
  end

  -- Of each job in the log's order; a second time only by another host. `still`: one that is fenced and has no such excuse.
  local function in_order_and_once(list, expected, still)
    local last, seen, twice = {}, {}, 0
    for _, one in ipairs(list) do
      local event, number = one.event, tonumber(one.event.id)
      if seen[event.id] then
        assert(seen[event.id] ~= one.pid or not one.pid or (tostring(one.pid) ~= still and was_fenced(one.pid)),
          "event " .. event.id .. " came twice from one host")
        twice = twice + 1
      else
        seen[event.id] = one.pid or 0
        local job = event.subject or event.id
        assert(not last[job] or last[job] < number, ("%s: event %s came after %s"):format(job, number, last[job]))
        last[job] = number
      end
    end
    for id in pairs(expected) do assert(seen[id], list[1].path .. ": event " .. id .. " did not arrive") end
    return twice
  end

  local function expected_events()
    local expected = {}
    for id in hosts:sql("SELECT number FROM event WHERE sequence <> 0"):gmatch("%d+") do expected[id] = true end
    return expected
  end

  local function register(paths)
    local list = {}
    for i, path in ipairs(paths) do
      list[i] = hooks.register(hosts[1].host, hooks.url_of(receiver, path), { events = { "public.*" } })
    end
    return list
  end

  -- Live jobs, each with several events, at all that run. A host that was declared dead takes none until it is registered anew.
  local function some_jobs(count)
    for _ = 1, count do
      receiver:eventually(function()
        local answer = hosts:any():submit("fal")
        assert(answer.status == 202 or answer.status == 503, answer.body)
        return answer.status == 202
      end)
    end
  end

  it("are shared out, delivered by one at a time and in order, and go on when hosts are killed", function()
    register { "/hook/a", "/hook/b", "/hook/c", "/hook/d" }
    local list = settled(3)
    some_jobs(4)
    local _, victim = next(list)
    hosts[victim].host:kill()
    some_jobs(4)
    settled(2)
    some_jobs(2)
    delivered_all(hosts[victim % 3 + 1])
    local lists, expected, twice = by_path(hooks.received(receiver)), expected_events(), 0
    for _, path in ipairs { "/hook/a", "/hook/b", "/hook/c", "/hook/d" } do
      whose(lists[path])
      never_two_at_once(lists[path])
      twice = twice + in_order_and_once(lists[path], expected)
    end
    assert.is_true(twice < 60, twice .. " came twice")
  end)

  it("are not delivered by a host that stood still and was declared dead", function()
    register { "/hook/a", "/hook/b", "/hook/c" }
    local list = settled(3)
    local _, victim = next(list)
    some_jobs(3)
    hosts[victim].host:signal("STOP")
    hosts[victim].host.ended = true -- nobody is to ask it
    some_jobs(3)
    settled(2)
    some_jobs(3)
    hosts[victim].host:signal("CONT")
    hosts[victim].host.ended = false
    some_jobs(3)
    settled(3)
    some_jobs(3)
    delivered_all(hosts[victim % 3 + 1])
    local expected = expected_events()
    for _, one in pairs(by_path(hooks.received(receiver))) do
      whose(one)
      never_two_at_once(one)
      in_order_and_once(one, expected, tostring(hosts[victim].host.pid))
    end
  end)

  it("go on at once when a host is stopped well, and each event comes once", function()
    register { "/hook/a", "/hook/b", "/hook/c" }
    local victim
    timely.took(2, function()
      if victim then
        hosts[victim].host:start_again()
        watch()
      end
      victim = select(2, next(settled(3)))
      some_jobs(3)
      assert.equal(0, hosts[victim].host:stop())
      local stopped = socket.gettime()
      settled(2)
      return socket.gettime() - stopped
    end)
    some_jobs(3)
    delivered_all(hosts[victim % 3 + 1])
    local expected = expected_events()
    for _, one in pairs(by_path(hooks.received(receiver))) do
      whose(one)
      never_two_at_once(one)
      assert.equal(0, in_order_and_once(one, expected))
    end
  end)

  -- The host that delivers it, and another.
  local function owner_and_other(id)
    local owner = settled(3)[id]
    return hosts[owner], hosts[owner % 3 + 1]
  end

  it("are shown alike, tested, given another secret and removed at any host", function()
    local hook = register({ "/hook" })[1]
    local owner, other = owner_and_other(hook.id)
    assert.equal(202, other.host:post("/api/modder/hooks/test", { id = hook.id }).status)
    local first = hooks.await(receiver, 1)[1]
    hooks.verify(first, hook.secret)
    receiver:eventually(function()
      local here, there = hooks.show(owner.host, hook.id), hooks.show(other.host, hook.id)
      return here.delivered == 1 and there.delivered == 1 and here.cursor == there.cursor
    end)
    local path = hooks.path .. "/" .. hook.id .. "/deliveries"
    assert.same(owner.host:get(path).json.deliveries, other.host:get(path).json.deliveries)
    assert.equal(1, #other.host:get(hooks.path).json.webhooks)
    local secret = other.host:post(hooks.path .. "/" .. hook.id .. "/rotate", {}).json.secret
    socket.sleep(1)
    other:job("fal")
    local after = hooks.await(receiver, 2)[2]
    hooks.verify(after, secret)
    hooks.verify(after, hook.secret)
    assert.equal(200, other.host:request("DELETE", hooks.path .. "/" .. hook.id).status)
    assert.equal(404, owner.host:get(hooks.path .. "/" .. hook.id).status)
    socket.sleep(1)
    local count = #hooks.received(receiver)
    other:ended(other:job("fal"))
    socket.sleep(1)
    assert.equal(count, #hooks.received(receiver))
    assert.equal("0\n", hosts:sql "SELECT count(*) FROM delivery")
  end)

  it("that were parked are sent again from any host", function()
    local hook = register({ "/hook" })[1]
    local _, other = owner_and_other(hook.id)
    receiver:post("/control", { status = 410 })
    other.host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse" })
    receiver:eventually(function() return hooks.show(other.host, hook.id).parked_count == 1 end)
    local parked = hooks.show(other.host, hook.id).parked[1]
    receiver:post("/control", { status = 200 })
    local answer = other.host:post(hooks.path .. "/" .. hook.id .. "/replay", { event = parked.event })
    assert.same({ 202, 1 }, { answer.status, answer.json.replayed })
    receiver:eventually(function()
      local list = hooks.received(receiver)
      return list[#list].answered == 200 and cjson.decode(list[#list].body).id == parked.event
    end)
    receiver:eventually(function() return hooks.show(other.host, hook.id).parked_count == 0 end)
    assert.equal(0, other.host:post(hooks.path .. "/" .. hook.id .. "/replay", {}).json.replayed)
    assert.equal(404, other.host:post(hooks.path .. "/hook_0000000000000001/replay", {}).status)
  end)

  it("of single jobs are delivered for jobs of all hosts, by one host, and go on when that is killed", function()
    local function submit(each)
      local answer = each:submit("fal", { callback_url = hooks.url_of(receiver, "/hook/callback") })
      assert.equal(202, answer.status, answer.body)
      return answer.json
    end
    local jobs = {}
    for i = 1, 3 do jobs[i] = submit(hosts[i]) end
    for i = 1, 3 do hosts[i]:ended(jobs[i].job_id) end
    local owner = settled(3).callbacks
    hosts[owner].host:kill()
    for i = 1, 3 do
      if i ~= owner then jobs[#jobs + 1] = submit(hosts[i]) end
    end
    settled(2)
    local expected = expected_events()
    receiver:eventually(function()
      local seen = {}
      for _, one in ipairs(hooks.received(receiver)) do seen[cjson.decode(one.body).id] = true end
      expected = expected_events()
      for id in pairs(expected) do
        if not seen[id] then return nil end
      end
      return true
    end)
    local list = by_path(hooks.received(receiver))["/hook/callback"]
    whose(list)
    never_two_at_once(list)
    in_order_and_once(list, expected)
    for _, one in ipairs(list) do
      for _, job in ipairs(jobs) do
        local fresh = socket.gettime() - one.from < 50
        if fresh and one.event.subject == job.job_id then hooks.verify(one, job.callback.secret) end
      end
    end
  end)
end)
