-- What the operator does in a storm: stops and starts, ends the host and starts it again, and says what became of jobs that are
-- unknown. Each is a coroutine of the storm's swarm (spec/support/storm.lua) that goes on until the storm is over.
local end_host = require "spec.support.host_end"
local exact = require "spec.support.exact_json"
local shell = require "spec.support.shell"
local socket = require "socket"

local operator = {}

local TERM_SHARE = 0.2
local RACERS, ROUNDS = 8, 6 -- that stop and start at once, and how often one after the other
local RACE_KILLS = 0.3 -- the share of races after which the host is killed at once

local function roll(low, high)
  return low + (high - low) * math.random()
end

local function one_of(list)
  return list[math.random(#list)]
end

--- How long the host waits for calls and commits from its next start on, and whether its disk is slow.
function operator.set_patience(env)
  env.PROVIDERD_TEST_CALL_WAIT_MS = one_of { "500", "1200", "1200", "3000", "15000" }
  env.PROVIDERD_TEST_COMMIT_WAIT_MS = one_of { "500", "2000", "10000" }
  env.PROVIDERD_TEST_STALL = math.random() < 0.2 and "store:commit:0.3" or nil
end

-- Ends ---------------------------------------------------------------------------------------------------------------------

local function start_again(run)
  while run.unreadable do run.pause(0.05) end -- no host starts with such a configuration
  end_host(run, TERM_SHARE)
  operator.set_patience(run.live.host.env)
  run.live.host:start_again()
end

-- The switch ---------------------------------------------------------------------------------------------------------------

local function turn(run, way)
  run.switch_moves = run.switch_moves + 1
  local answer = run:ask("POST", "/api/live/" .. way)
  run.switch_moves = run.switch_moves - 1
  return answer and answer.status == 200
end

-- What the host says of itself, or nil. Whoever asks must know that nobody turns it meanwhile.
local function is_stopped(run)
  local answer = run:ask("GET", "/api/live")
  if answer and answer.status == 200 then return answer.json.stopped end
end

local function check_switch(run, said, now)
  if said ~= nil and now ~= nil and now ~= said then
    run:problem("the switch said stopped=%s before the host ended, and stopped=%s after it", said, now)
  end
end

-- What it says and what the registry has are one.
local function check_switch_setting(run, said)
  if said == nil then return end
  local ok, kept = pcall(shell.setting, run.live.host, "live.stopped")
  if ok and tostring(said) ~= kept then
    run:problem("the switch says stopped=%s, and the registry stopped=%s", said, kept)
  end
end

local function turn_at_once(run)
  local left = RACERS
  for n = 1, left do
    run.swarm:add(function()
      turn(run, n % 2 == 0 and "stop" or "start")
      left = left - 1
    end)
  end
  while left > 0 do run.pause(0.02) end
end

-- Nothing paid may leave between the answer to a stop and the next start; what was said last holds over a kill.
local function stop_for_a_while(run)
  if not turn(run, "stop") then return end
  local span = { from = socket.gettime() }
  run.stopped_spans[#run.stopped_spans + 1] = span
  run:count "stops"
  run.pause(roll(0.5, 2))
  span.to = socket.gettime()
  while not turn(run, "start") do run.pause(0.2) end
end

-- Many turn it at once; what it says afterwards is what it says after the host was killed, too.
local function race(run)
  for _ = 1, ROUNDS do
    turn_at_once(run)
    check_switch_setting(run, is_stopped(run))
    run:count "races of the switch"
  end
  local said = is_stopped(run)
  if math.random() < RACE_KILLS then
    start_again(run)
    check_switch(run, said, is_stopped(run))
  end
end

function operator.switch(run)
  while not run.over do
    run.pause(roll(1, 3))
    run.switch_is = nil
    if math.random() < 0.5 then race(run) else stop_for_a_while(run) end
    run.switch_is = is_stopped(run)
    run.pause(roll(0.2, 1))
    if run.switch_is then
      run.switch_is = nil
      while not turn(run, "start") do run.pause(0.2) end
    end
  end
end

--- Ends the host run.kills times, whatever it does.
function operator.kills(run)
  local pause = run.seconds / (run.kills + 1)
  for _ = 1, run.kills do
    run.pause(pause * roll(0.8, 1.2))
    if run.over then return end
    local said
    if run.switch_moves == 0 then said = run.switch_is end
    start_again(run)
    local now = is_stopped(run)
    if said == run.switch_is then check_switch(run, said, now) end -- it may have been turned while that was asked
  end
end

-- Unknown jobs -------------------------------------------------------------------------------------------------------------

local ENDS = { { status = "error", cost_usd = 0 }, { status = "error", cost_usd = 0.001 }, { status = "canceled", cost_usd = 0 } }

local function unknown_job(run)
  local answer = run:ask("GET", "/api/jobs/list?limit=200&status=unknown")
  local rows = {}
  for _, row in ipairs(answer and answer.status == 200 and answer.json.tasks or {}) do
    if row.status == "unknown" and row.dry_run == false then rows[#rows + 1] = row end
  end
  return rows[1] and one_of(rows)
end

-- Two say at once what became of a job: one of them is believed.
local function resolve_twice(run, row)
  local left, believed = 2, {}
  for _ = 1, left do
    run.swarm:add(function()
      local says = one_of(ENDS)
      local answer = run:ask("POST", "/api/jobs/" .. row.job_id .. "/resolve", exact.encode(says))
      if answer and answer.status == 200 then believed[#believed + 1] = says end
      if not answer or answer.status < 400 or answer.status == 504 then run.maybe_resolved[row.job_id] = true end
      left = left - 1
    end)
  end
  while left > 0 do run.pause(0.02) end
  if #believed > 1 then run:problem("job %s was resolved twice", row.job_id) end
  if #believed == 1 then
    run.resolved[row.job_id] = believed[1]
    run:count "resolved"
  end
end

function operator.resolves(run)
  while not run.over do
    run.pause(roll(1, 4))
    local row = unknown_job(run)
    if row then resolve_twice(run, row) end
  end
end

return operator
