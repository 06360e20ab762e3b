-- What happens around a host in a storm: edits of files, clock steps. Each is a coroutine of the storm's swarm
-- (spec/support/storm.lua) that goes on until the storm is over.
local exact = require "spec.support.exact_json"
local live_support = require "spec.support.live"

local weather = {}

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

-- The clock -----------------------------------------------------------------------------------------------------------------

-- Nobody submits while the clock is moved, so that the day of each job is known.
local function move_clock(run, days)
  if not run.clock then return end
  run.held = run.held + 1
  while run.submitting > 0 do run.pause(0.01) end
  run.clock:wall(days * 86400)
  run.held = run.held - 1
  run:count "clock steps"
end

-- With budgets of its own.
local function new_day(run)
  run.days = run.days + 1
  move_clock(run, run.days)
end

-- Far ahead, for a while in which jobs are submitted, and back, as after a wrong battery clock.
local function leap(run)
  move_clock(run, run.days + 40)
  run:ask("GET", "/api/budget")
  run.pause(roll(0.5, 2))
  move_clock(run, run.days)
end

function weather.clock(run)
  while run.clock and not run.over do
    run.pause(roll(3, 8))
    if math.random() < 0.4 then new_day(run) else leap(run) end
  end
end

-- Scripts ------------------------------------------------------------------------------------------------------------------

-- The shipped one with something around its submit, or its poll.
local WRAPPED = [[
local inner = (function()
%s
end)()
local submit, poll = inner.submit, inner.poll
inner.submit = function(payload, ctx, plan)
%s
  return submit(payload, ctx, plan)
end
inner.poll = function(job, ctx)
%s
  return poll(job, ctx)
end
return inner
]]

local TWICE = [[
  local all, send = setmetatable({}, { __index = ctx }), ctx.request
  all.request = function(request)
    local answer, failure = send(request)
    if request.method ~= "GET" then send(request) end
    return answer, failure
  end
  ctx = all
]]

-- An answer that quotes what it was sent becomes an error with its text, and backwards, as no mask knows it: no script gets a
-- secret.
local TELLING = [[
  local all, send = setmetatable({}, { __index = ctx }), ctx.request
  all.request = function(request)
    local answer, failure = send(request)
    local seen = answer and answer.body and answer.body:match("seen:[^\"]*")
    if seen then error("the vendor says " .. seen .. ", backwards " .. seen:reverse()) end
    return answer, failure
  end
  ctx = all
]]

-- Says that the vendor has accepted nothing yet.
local AGAIN = [[
  submit(payload, ctx, plan)
  do return { status = "queued", resubmit = true, reason = "again", retry_after = 1 } end
]]

local SCRIPTS = {
  slow = "  for _ = 1, 60000000 do end",
  endless = "  while true do end",
  twice = TWICE,
  many = "  for _ = 1, 50 do ctx.request { method = 'GET', path = '/' } end",
  failing = "  error('this script is broken')",
  telling = TELLING,
  again = AGAIN,
}

local POLLS = { paying_poll = "  pcall(submit, job.payload, ctx)" } -- each poll is a submit too

local NAMES = { "slow", "slow", "endless", "twice", "twice", "many", "failing", "broken", "telling", "paying_poll", "again" }

local SENDING = { twice = true, again = true, telling = true, paying_poll = true }

local PLACES = { fal = "providers/image_fal.lua", runway = "providers/video_runway.lua", luma = "providers/video_luma.lua" }

local function wrapped(good, name)
  return WRAPPED:format(good, SCRIPTS[name] or "", POLLS[name] or "")
end

-- Each of a list once, then again, in an order by chance: so that a short storm has them all.
local function deck(list)
  local left = {}
  return function()
    if #left == 0 then left = table.move(list, 1, #list, 1, {}) end
    return table.remove(left, math.random(#left))
  end
end

function weather.scripts(run)
  local next_name, next_id = deck(NAMES), deck { "fal", "fal", "runway", "luma" }
  while not run.over do
    run.pause(roll(0.3, 1.5))
    local id, name = next_id(), next_name()
    local good = run.scripts[id]
    run.live.host:write(PLACES[id], name == "broken" and good .. "\noops(" or wrapped(good, name))
    run:count("script " .. name)
    run.pause(0.3)
    if SENDING[name] then new_day(run) end -- so that there is money for it
    run.aimed = id
    run.flooded = name == "slow" or name == "endless"
    run.pause(roll(1, 2.5))
    run.aimed, run.flooded = nil, nil
    run.live.host:write(PLACES[id], good)
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
