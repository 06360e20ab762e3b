-- What the log of events promises, under force: a client that is cut off again and again misses nothing and gets nothing
-- twice, and after a kill at any moment log and registry agree.
local event_stream = require "spec.support.event_stream"
local host = require "spec.support.host"
local socket = require "socket"

local SLOW = os.getenv("SPEC_SLOW") ~= nil

-- Submitters in the background, until stop().
local function submitters(served, count)
  local file = served.folder .. "/submitting"
  assert(io.open(file, "w")):close()
  for i = 1, count do
    os.execute(("lua5.4 spec/support/submitter.lua %d %s >%s.%d 2>/dev/null &"):format(served.port, file, file, i))
  end
  local function answered()
    local ids = {}
    for i = 1, count do
      for id in io.lines(file .. "." .. i) do if #id == 36 then ids[#ids + 1] = id end end
    end
    return ids
  end
  return { answered = answered, stop = function() os.remove(file) end }
end

describe("a stream that is cut off", function()
  it("a thousand times loses no event and has none twice, whole or in brief", function()
    local served = host.start { config = { server = { threads = 480, max_streams = 360 } } }
    finally(function() served:remove() end)
    local flow = submitters(served, 1)
    local reconnects, last, refused = SLOW and 150 or 1000, 0, 0
    while reconnects > 0 do
      local brief = math.random() < 0.5
      local path = "/api/events?since=0" .. (brief and "&fields=brief" or "")
      local stream = event_stream.open(served, path, last > 0 and { ["Last-Event-ID"] = tostring(last) } or nil)
      if stream.status == 200 then
        for _ = 1, math.random(0, 4) do
          local event = stream:next(0.2)
          if not event then break end
          assert.equal(last + 1, tonumber(event.id))
          assert.equal(event.id, event.json.id)
          assert.equal(brief, event.json.data.payload == nil)
          last = last + 1
        end
        stream.socket:settimeout(0.01)
        stream.socket:receive(math.random(1, 900)) -- cut in the midst of an event
        reconnects = reconnects - 1
      else
        assert.equal(503, stream.status)
        refused = refused + 1
        socket.sleep(0.05)
      end
      stream:close()
    end
    assert.is_true(last > 100, "too few events to prove anything: " .. last)
    flow.stop()
    local newest = tonumber(served:get("/api/events/history?limit=1").json.newest)
    local stream = event_stream.open(served, "/api/events", { ["Last-Event-ID"] = tostring(last) })
    while last < newest do
      last = last + 1
      assert.equal(last, tonumber(stream:next(30).id))
    end
    stream:close()
  end)
end)

describe("a stream in brief", function()
  it("that begins in the midst of events, which others follow as a whole, misses none", function()
    local served = host.start { config = { server = { threads = 480, max_streams = 360 } } }
    finally(function() served:remove() end)
    local whole = event_stream.open(served, "/api/events")
    local flow = submitters(served, 3)
    served:eventually(function() return whole:next(1) end)
    for _ = 1, SLOW and 50 or 400 do
      local stream = event_stream.open(served, "/api/events?fields=brief")
      if stream.status == 200 then
        local event = stream:next(30) -- before it comes the number that it begins after
        local first = stream.first_id
        for n = 1, 12 do
          assert.equal(first + n, tonumber(event.id))
          event = stream:next(30)
        end
      end
      stream:close()
      whole:next(0)
    end
    flow.stop()
    whole:close()
  end)
end)

describe("after kill -9 at random moments", function()
  -- All of a paged listing, as a table from key to how often it was there.
  local function count(served, path, field, key)
    local counts, cursor = {}, nil
    repeat
      local answer = served:get(path .. "&limit=500" .. (cursor and "&" .. key .. "=" .. cursor or "")).json
      for _, entry in ipairs(answer[field]) do
        local id = entry.subject or entry.job_id
        counts[id] = (counts[id] or 0) + 1
      end
      cursor = type(answer.next) == "string" and answer.next or nil
    until not cursor
    return counts
  end

  it("every task has its event, and every event its task", function()
    local served = host.start { config = { server = { threads = 32 } } }
    finally(function() served:remove() end)
    local answered = {}
    for _ = 1, SLOW and 3 or 12 do
      local flow = submitters(served, 3)
      socket.sleep((0.1 + math.random() * 0.4) * (SLOW and 10 or 1))
      served:kill()
      flow.stop()
      for _, id in ipairs(flow.answered()) do answered[id] = true end
      served:start_again()
      local tasks = count(served, "/api/jobs/list?", "tasks", "cursor")
      local events = count(served, "/api/events/history?", "events", "after")
      assert.same(tasks, events)
      for id in pairs(answered) do assert.equal(1, events[id], id) end
    end
    assert.truthy(next(answered))
  end)
end)
