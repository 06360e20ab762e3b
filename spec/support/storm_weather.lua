-- What happens to a host in a storm beside its clients: the operator's switch, edits of files, clock steps, kills. Each is a
-- coroutine of the storm's swarm (spec/support/storm.lua) that goes on until the storm is over.
local exact = require "spec.support.exact_json"
local live_support = require "spec.support.live"
local socket = require "socket"

local weather = {}

local KILLED = 128 + 9
local TERM_SHARE = 0.2

local function roll(low, high)
  return low + (high - low) * math.random()
end

local function one_of(list)
  return list[math.random(#list)]
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local made = setmetatable({}, getmetatable(value))
  for name, item in pairs(value) do made[name] = copy(item) end
  return made
end

-- The switch --------------------------------------------------------------------------------------------------------------

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

local function turn_at_once(run)
  local left = 4
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

function weather.switch(run)
  while not run.over do
    run.pause(roll(1, 4))
    run.switch_is = nil
    if math.random() < 0.4 then turn_at_once(run) else stop_for_a_while(run) end
    run.switch_is = is_stopped(run)
    run.pause(roll(0.2, 1))
    if run.switch_is then
      run.switch_is = nil
      while not turn(run, "start") do run.pause(0.2) end
    end
  end
end

-- Files -------------------------------------------------------------------------------------------------------------------

local function write_config(run, config)
  run.live.host:write("config/comfyvn.json", type(config) == "table" and exact.encode(config) or config)
end

local CONFIGS = {
  function() return "{ this is no configuration" end,
  function(config) config.features.enable_public_gpu = false end,
  function(config) config.live.enabled = false end,
  function(config) config.live.providers[one_of { "fal", "runway", "luma" }].enabled = false end,
  function(config) config.live.providers.fal.budget_usd.per_day = 0.003 end,
  function(config) config.live.providers.stability.rate_per_minute = 5 end,
  function(config) config.live.providers.pika.max_concurrent = 1 end,
}

function weather.configuration(run)
  while not run.over do
    run.pause(roll(1, 5))
    local config = copy(run.live.settings)
    local written = one_of(CONFIGS)(config) or config
    run.unreadable = type(written) == "string" -- no host starts with it
    write_config(run, written)
    run:count "configurations"
    run.pause(roll(0.5, 2))
    write_config(run, run.live.settings)
    run.unreadable = false
  end
end

local function write_secrets(run, secrets)
  run.live.host:write("config/comfyvn.secrets.json", exact.encode(secrets))
end

function weather.secrets(run)
  while not run.over do
    run.pause(roll(2, 6))
    local secrets = copy(live_support.SECRETS)
    if math.random() < 0.5 then
      secrets[one_of { "fal", "runway", "luma" }] = nil
    else
      secrets.runway = { api_key = "key_plantedtheotherone8" }
    end
    write_secrets(run, secrets)
    run:count "secrets"
    run.pause(roll(0.5, 2))
    write_secrets(run, live_support.SECRETS)
  end
end

-- Scripts: the shipped one with something around its submit.
local WRAPPED = [[
local inner = (function()
%s
end)()
local submit = inner.submit
inner.submit = function(payload, ctx, plan)
%s
  return submit(payload, ctx, plan)
end
return inner
]]

local TWICE = [[
  local all = {}
  for name, value in pairs(ctx) do all[name] = value end
  all.request = function(request)
    local answer, failure = ctx.request(request)
    if request.method ~= "GET" then ctx.request(request) end
    return answer, failure
  end
  ctx = all
]]

local SCRIPTS = {
  slow = "  for _ = 1, 60000000 do end",
  endless = "  while true do end",
  twice = TWICE,
  many = "  for _ = 1, 50 do ctx.request { method = 'GET', path = '/' } end",
  failing = "  error('this script is broken')",
}

local PLACES = { fal = "providers/image_fal.lua", runway = "providers/video_runway.lua", luma = "providers/video_luma.lua" }

function weather.scripts(run)
  while not run.over do
    run.pause(roll(1, 4))
    local id = one_of { "fal", "runway", "luma" }
    local name = one_of { "slow", "slow", "endless", "twice", "twice", "many", "failing", "broken" }
    local good = run.scripts[id]
    run.live.host:write(PLACES[id], name == "broken" and good .. "\noops(" or WRAPPED:format(good, SCRIPTS[name]))
    run:count("script " .. name)
    run.pause(0.3)
    if name == "slow" or name == "endless" then run.flooded = id end
    run.pause(roll(1, 3))
    run.flooded = nil
    run.live.host:write(PLACES[id], good)
  end
end

-- Clock and kills -----------------------------------------------------------------------------------------------------------

-- Nobody submits while the clock is moved, so that the day of each job is known.
local function with_nobody_submitting(run, action)
  run.held = true
  while run.submitting > 0 do run.pause(0.01) end
  action()
  run.held = false
end

-- Ahead to a new day; or far ahead, for one look, and back, as after a wrong battery clock.
function weather.clock(run)
  local days = 0
  local function move(to)
    with_nobody_submitting(run, function() run.clock:wall(to * 86400) end)
  end
  while run.clock and not run.over do
    run.pause(roll(3, 8))
    if math.random() < 0.5 then
      days = days + 1
      move(days)
    else
      move(days + 40)
      run:ask("GET", "/api/budget")
      run.pause(roll(0.2, 1))
      move(days)
    end
    run:count "clock steps"
  end
end

-- A host that had ended by itself was not killed: that is a crash, and must not pass for one of ours.
local function end_host(run)
  local host = run.live.host
  if math.random() < TERM_SHARE then
    run:count "stopped (SIGTERM)"
    local ok, problem = pcall(host.ends_well, host)
    if not ok then run:problem("the host did not stop well: %s", problem) end
    return
  end
  run:count "killed (SIGKILL)"
  local code = host:kill()
  local _, errors = host:output()
  if code ~= KILLED then run:problem("the host had ended by itself with %d: %s", code, errors:sub(1, 4000)) end
end

local function check_switch(run, said)
  local now = is_stopped(run)
  if said ~= nil and run.switch_is == said and now ~= nil and now ~= said then
    run:problem("the switch said stopped=%s before a kill, and stopped=%s after it", said, now)
  end
end

function weather.kills(run)
  local pause = run.seconds / (run.kills + 1)
  for _ = 1, run.kills do
    run.pause(pause * roll(0.8, 1.2))
    while run.unreadable do run.pause(0.05) end
    if run.over then return end
    local said
    if run.switch_moves == 0 then said = run.switch_is end
    end_host(run)
    run.live.host:start_again()
    check_switch(run, said)
  end
end

--- Everything is as it was at the start; the host runs.
function weather.clear(run)
  write_config(run, run.live.settings)
  write_secrets(run, live_support.SECRETS)
  for id, text in pairs(run.scripts) do run.live.host:write(PLACES[id], text) end
end

--- The shipped text of every script that is edited.
function weather.read_scripts(host)
  local scripts = {}
  for id, path in pairs(PLACES) do scripts[id] = host:read(path) end
  return scripts
end

return weather
