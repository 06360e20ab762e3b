-- Events where several hosts share a registry: one sequence, whoever writes, wherever it is followed, also from host to host.
local cjson = require "cjson"
local event_stream = require "spec.support.event_stream"
local postgres = require "spec.support.postgres"
local shell = require "spec.support.shell"
local socket = require "socket"
local start = require("spec.support.hosts").start
local timely = require "spec.support.timely"

local WRITING_SECONDS = 6

local function config(settings)
  settings.registry.lease_seconds = 3
  settings.server.max_streams = 16
end

-- Programs that submit at a host until told to stop.
local function writer(port)
  local file = os.tmpname()
  local pipe = io.popen(("lua5.4 spec/support/submitter.lua %d %s 2>/dev/null"):format(port, shell.quote(file)))
  return {
    stop = function()
      os.remove(file)
      local jobs = {}
      for line in pipe:lines() do jobs[#jobs + 1] = line end
      pipe:close()
      return jobs
    end,
  }
end

-- A client that follows from the beginning: by its own number it goes on at another host.
local function follower(host)
  local self = { events = {} }
  local stream = event_stream.open(host, "/api/events?since=0")
  function self.take(seconds)
    local event = stream:next(seconds)
    if event then self.events[#self.events + 1] = event end
    return event
  end
  function self.go_on_at(other)
    stream:close()
    local last = self.events[#self.events]
    stream = event_stream.open(other, "/api/events?since=0", { ["Last-Event-ID"] = last and last.id or "0" })
    assert.equal(200, stream.status)
  end
  function self.take_until(number)
    while #self.events == 0 or tonumber(self.events[#self.events].id) < number do
      assert(self.take(60), "no event for a minute, last was " .. (#self.events > 0 and self.events[#self.events].id or "none"))
    end
  end
  function self.close() stream:close() end
  return self
end

local function numbers(events)
  local list = {}
  for i, event in ipairs(events) do list[i] = event.id end
  return list
end

postgres.describe("events of several hosts", function()
  local hosts
  before_each(function() hosts = start { count = 3, config = config } end)
  after_each(function() hosts:remove() end)

  it("are one sequence in streams at three hosts, while all write and one is killed, and for who goes on elsewhere", function()
    local followers = {}
    for i = 1, 3 do followers[i] = follower(hosts[i].host) end
    local writers = {}
    for i = 1, 3 do writers[i] = writer(hosts[i].host.port) end
    local begun, killed, moves = socket.gettime(), false, 0
    while socket.gettime() < begun + WRITING_SECONDS or moves < 4 do
      for i, one in ipairs(followers) do
        for _ = 1, 50 do
          if not one.take(0.02) then break end
        end
        if killed and i == 2 and moves < 4 and socket.gettime() > begun + 3 + moves / 2 then
          moves = moves + 1
          one.go_on_at(hosts[moves % 2 + 1].host)
        end
      end
      if not killed and socket.gettime() > begun + 2 then
        hosts[3].host:kill()
        killed = true
        followers[3].go_on_at(hosts[1].host)
      end
    end
    local acknowledged = {}
    for i = 1, 3 do
      for _, job in ipairs(writers[i].stop()) do acknowledged[job] = 0 end
    end
    local newest = tonumber(hosts:sql "SELECT max(number) FROM event")
    for _, one in ipairs(followers) do one.take_until(newest) end
    for i, one in ipairs(followers) do
      assert.equal("1", one.events[1].id)
      for n, event in ipairs(one.events) do
        assert(event.id == tostring(n), ("stream %d has number %s in place %d"):format(i, event.id, n))
      end
      one.close()
    end
    assert.same(numbers(followers[1].events), numbers(followers[2].events))
    assert.same(numbers(followers[1].events), numbers(followers[3].events))
    assert.is_true(moves == 4)
    for _, event in ipairs(followers[2].events) do
      local job = event.json.subject
      if acknowledged[job] and event.json.type:find("%.submit$") then acknowledged[job] = acknowledged[job] + 1 end
    end
    local count = 0
    for job, times in pairs(acknowledged) do
      assert(times == 1, job .. " was told " .. times .. " times")
      count = count + 1
    end
    assert.is_true(count > 30, count .. " jobs")
  end)

  it("are told at another host at once", function()
    local stream = event_stream.open(hosts[2].host, "/api/events")
    assert.is_nil(stream:next(0.3))
    timely.took(0.1, function() -- the half of them; make bench has the figure
      local lags = {}
      for i = 1, 100 do
        local job = hosts[1].host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse" }).json.job_id
        local told = socket.gettime()
        local event = stream:next(60)
        assert.equal(job, event.json.subject)
        lags[i] = socket.gettime() - told
      end
      table.sort(lags)
      return lags[50]
    end)
    stream:close()
  end)

  it("go on at a host that has not heard of the newest ones, once each", function()
    for _ = 1, 20 do
      hosts[1].host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse" })
      local newest = hosts[1].host:get("/api/events/history?limit=500").json.newest
      local stream = event_stream.open(hosts[3].host, "/api/events", { ["Last-Event-ID"] = newest })
      local job = hosts[2].host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse" }).json.job_id
      local event = stream:next(5)
      assert.equal(tostring(tonumber(newest) + 1), event.id)
      assert.equal(job, event.json.subject)
      stream:close()
    end
  end)

  it("are in the history of each host at once", function()
    for _ = 1, 20 do
      local job = hosts[1].host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse" }).json.job_id
      local history = hosts[2].host:get("/api/events/history?limit=500").json
      assert.equal(job, history.events[#history.events].subject)
      assert.equal(history.newest, history.events[#history.events].id)
    end
    assert.equal(cjson.null, hosts[3].host:get("/api/events/history?limit=500").json.next)
  end)
end)
