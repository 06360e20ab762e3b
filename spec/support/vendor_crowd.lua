-- How many jobs a vendor had at once, and how many came within a minute: counted by the simulator's own times.
local socket = require "socket"
local swarm_module = require "spec.support.swarm"
local cjson = require "cjson"
local live = require "spec.support.live"

local crowd = {}

-- "2026-11-25T13:00:00.123Z" in seconds; both ends of what is compared are within one day and the next.
local function seconds(text)
  local day, hour, minute, second = text:match("(%d+)T(%d+):(%d+):([%d.]+)Z$")
  return ((tonumber(day) * 24 + hour) * 60 + minute) * 60 + tonumber(second)
end

local function jobs_of(simulator, provider)
  local jobs = {}
  for _, job in ipairs(simulator:get("/jobs").json.jobs) do
    if job.provider == provider then jobs[#jobs + 1] = { from = seconds(job.created), to = seconds(job.ends) } end
  end
  return jobs
end

--- The most that were there at once.
function crowd.at_once(simulator, provider)
  local turns, now, most = {}, 0, 0
  for _, job in ipairs(jobs_of(simulator, provider)) do
    turns[#turns + 1] = { at = job.from, by = 1 }
    turns[#turns + 1] = { at = job.to, by = -1 }
  end
  table.sort(turns, function(a, b) return a.at < b.at or (a.at == b.at and a.by < b.by) end)
  for _, turn in ipairs(turns) do
    now = now + turn.by
    most = math.max(most, now)
  end
  return most
end

--- The most that came within so many seconds.
function crowd.within(simulator, provider, span)
  local jobs, first, most = jobs_of(simulator, provider), 1, 0
  table.sort(jobs, function(a, b) return a.from < b.from end)
  for last, job in ipairs(jobs) do
    while job.from - jobs[first].from >= span do first = first + 1 end
    most = math.max(most, last - first + 1)
  end
  return most
end

--- `count` jobs, submitted by 64 clients at each of the hosts (what spec.support.live gives) at the same time.
function crowd.submit(hosts, provider, count, changes)
  local swarm, body, left = swarm_module.new(), cjson.encode(live.body(provider, changes)), count
  for i = 1, 64 * #hosts do
    local one = hosts[i % #hosts + 1]
    swarm:add(function()
      while left > 0 do
        left = left - 1
        local answer
        for _ = 1, 600 do -- so many at once may be too many for now: they come again, as they are told
          answer = swarm.ask(one.host.port, "POST", one:path(provider, "submit"), body)
          if not answer or answer.status ~= 503 then break end
          swarm.pause(0.1)
        end
        assert(answer and answer.status == 202, answer and answer.body)
      end
    end)
  end
  while swarm:is_busy() do swarm:step() end
end

--- Waits until none of the host's jobs is queued or running.
function crowd.all_ended(one, seconds_at_most)
  one.host:eventually(function()
    local counts = one.host:get("/api/jobs/counts").json.counts
    return counts.queued == 0 and counts.running == 0
  end, seconds_at_most)
end

--- Now, in milliseconds since 1970.
function crowd.now_ms()
  return math.floor(socket.gettime() * 1000)
end

return crowd
