-- A soak's stage (spec/support/soak.lua) of several hosts on one PostgreSQL: clients ask any of them, and hosts, network, server
-- and clocks fail at random instants meanwhile.
--
--   local run = require("spec.support.soak_hosts").run { hosts = 3, jobs = 200, clients = 16, seconds = 60, seed = 1,
--     disasters = { kill = 3, stop = 2, cut = 2, crash = 1 }, lease_seconds = 3, env = { ... } }
--
-- Beside what soak_audit.lua finds run.problems tells of a budget that was exceeded, and of streams: followers go from host to
-- host with the number of the last event that they got, and must have seen every event of the database once and in order.
local clock = require "spec.support.clock"
local event_follower = require "spec.support.event_follower"
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.hosts"
local live = require "spec.support.live"
local postgres = require "spec.support.postgres"
local proxy = require "spec.support.proxy"
local soak = require "spec.support.soak"

local soak_hosts = {}

-- A provider whose budget is a fraction of what its jobs ask for.
local TIGHT, TIGHT_SHARE = "luma", 0.6
local FOLLOWERS = 3
local ANSWER_SECONDS = 8 -- then a client asks another host: this one may be stopped
local LAST_EVENT_SECONDS = 60

local function roll(low, high)
  return low + (high - low) * math.random()
end

-- What goes wrong -----------------------------------------------------------------------------------------------------------

-- Each is done to one host (number, its wire to the server), which has no other trouble meanwhile; in a coroutine of the swarm.
local HOST_DISASTERS, SERVER_DISASTERS = {}, {}

-- No host starts while the server is down: it waits for it, and all else with it.
local function start_again(run, number)
  while run.server_down do run.swarm.pause(0.1) end
  run.all[number].host:start_again()
end

function HOST_DISASTERS.kill(run, number)
  local code = run.all[number].host:kill()
  local _, errors = run.all[number].host:output()
  if code ~= 128 + 9 then run:problem("host %d had ended by itself with %d: %s", number, code, errors:sub(1, 4000)) end
  run.swarm.pause(math.random() < 0.5 and 0 or roll(0, 2 * run.lease_seconds))
  start_again(run, number)
end

function HOST_DISASTERS.term(run, number)
  local host = run.all[number].host
  host:signal "TERM"
  local code
  repeat
    run.swarm.pause(0.05)
    code = host:ends(0)
  until code
  if code ~= 0 then run:problem("host %d did not stop well: %s", number, (select(2, host:output()))) end
  run.swarm.pause(roll(0, 1))
  start_again(run, number)
end

local function sleep_for(run, number, seconds)
  run.all[number].host:signal "STOP"
  run.swarm.pause(seconds)
  run.all[number].host:signal "CONT"
end

-- Beyond the lease: others take over what it has.
function HOST_DISASTERS.stop(run, number) sleep_for(run, number, run.lease_seconds + roll(0.5, 4)) end

function HOST_DISASTERS.nap(run, number) sleep_for(run, number, roll(0.1, 0.6 * run.lease_seconds)) end

function HOST_DISASTERS.cut(run, number) run.wires[number]:cut() end

-- Answers of the server are lost, then the connection.
function HOST_DISASTERS.mute(run, number)
  run.wires[number]:mute()
  run.swarm.pause(roll(0.005, 0.2))
  run.wires[number]:cut()
  run.wires[number]:pass()
end

-- What the host had said last comes when it has long made another connection, and asked by that what became of it.
function HOST_DISASTERS.late(run, number)
  run.wires[number]:hold()
  run.swarm.pause(roll(0.02, 0.1))
  run.wires[number]:strand()
  run.wires[number]:pass()
  run.swarm.pause(roll(0.3, 1.5))
  run.wires[number]:deliver()
end

-- Away from the server beyond the lease, in silence; what was on its way arrives late.
function HOST_DISASTERS.hold(run, number)
  run.wires[number]:hold()
  run.swarm.pause(roll(0.5, 2 * run.lease_seconds))
  run.wires[number]:pass()
end

function HOST_DISASTERS.refuse(run, number)
  run.wires[number]:refuse()
  run.swarm.pause(roll(0.5, 2 * run.lease_seconds))
  run.wires[number]:pass()
end

-- Its wall clock steps, within what an operator would mend.
function HOST_DISASTERS.clock(run, number)
  if run.clocks[number] then run.clocks[number]:wall(math.floor(roll(-90, 90))) end
end

function SERVER_DISASTERS.crash(run)
  run.cluster:crash()
  run.swarm.pause(roll(0, 2))
  run.cluster:start()
end

function SERVER_DISASTERS.restart(run)
  run.cluster:stop()
  run.cluster:start()
end

-- Every connection ends, whoever has it.
function SERVER_DISASTERS.terminate(run) run.cluster:cut() end

-- When each is due: after so many submits, spread over all of them.
local function plan(run, wanted)
  local due = {}
  for name, count in pairs(wanted) do
    assert(HOST_DISASTERS[name] or SERVER_DISASTERS[name], name)
    for _ = 1, count do due[#due + 1] = { name = name, after = math.random() * run.jobs } end
  end
  table.sort(due, function(a, b) return a.after > b.after or a.after == b.after and a.name > b.name end)
  return due
end

local function pick_host(run)
  local free = {}
  for number = 1, #run.all do
    if not run.troubled[number] then free[#free + 1] = number end
  end
  return free[math.random(math.max(1, #free))]
end

local function begin(run, disaster)
  local number = HOST_DISASTERS[disaster.name] and pick_host(run)
  run.troubles = run.troubles + 1
  run:count("disaster: " .. disaster.name)
  run.swarm:add(function()
    if number then
      run.troubled[number] = true
      HOST_DISASTERS[disaster.name](run, number)
      run.troubled[number] = nil
    else
      run.server_down = true
      SERVER_DISASTERS[disaster.name](run)
      run.server_down = false
    end
    run.troubles = run.troubles - 1
  end)
end

-- Those that are late since the hosts have enough trouble come later, also after the last submit.
local function disturb(run)
  if run.over then
    run:count("disasters that time did not allow", #run.due)
    run.due = {}
  end
  local next_one = run.due[#run.due]
  if not next_one or run.next < next_one.after then return end
  local possible = SERVER_DISASTERS[next_one.name] and not run.server_down or HOST_DISASTERS[next_one.name] and pick_host(run)
  if not possible then return end
  table.remove(run.due)
  begin(run, next_one)
end

-- The stage -----------------------------------------------------------------------------------------------------------------

-- What the tight provider's jobs ask for in all, and a part of it.
local function tight_budget(run, price)
  return math.floor(run.jobs / #run.providers * TIGHT_SHARE) * price
end

local stage = { answer_seconds = ANSWER_SECONDS, keyless_share = 0.1 }

-- What a job of the tight provider reserves.
local function price_of(first)
  local answer = first.host:post(first:path(TIGHT, "preview"), live.body(TIGHT))
  assert(answer.status == 200, answer.body)
  return answer.json.reserved_usd
end

local function start_hosts(run, options, faults)
  local addresses = {}
  for number = 1, options.hosts do addresses[number] = live.address() end
  return hosts.start {
    count = options.hosts, simulate = faults, listen = addresses, database = run.database,
    url = function(number) return run.wires[number]:url(run.database) end,
    env = function(number)
      local env = {}
      for name, value in pairs(run.clocks[number] and run.clocks[number].env or {}) do env[name] = value end
      for name, value in pairs(options.env or {}) do env[name] = value end
      return env
    end,
    config = function(config, number)
      soak.open_up(config, options)
      config.live.public_url = "http://" .. addresses[number] -- vendors' webhooks may come to any host
      config.registry.lease_seconds = run.lease_seconds
      config.server.threads = config.server.threads + FOLLOWERS
      config.server.max_streams = 2 * FOLLOWERS
    end,
  }
end

function stage.start(run, options, faults)
  run.cluster = postgres.cluster()
  run.database = run.cluster:database()
  run.wires, run.clocks, run.troubled, run.troubles, run.turn = {}, {}, {}, 0, 0
  run.lease_seconds = options.lease_seconds or 3
  for number = 1, options.hosts do
    run.wires[number], run.clocks[number] = proxy.start { run.cluster:socket() }, clock.new() or false
  end
  run.all = start_hosts(run, options, faults)
  run.tight_usd = tight_budget(run, price_of(run.all[1]))
  for _, each in ipairs(run.all) do
    each.settings.live.providers[TIGHT].budget_usd = { per_day = run.tight_usd, per_month = run.tight_usd }
    each.host:write("config/comfyvn.json", exact.encode(each.settings))
  end
  run.due = plan(run, options.disasters)
  run.followers = {}
  for number = 1, FOLLOWERS do
    run.followers[number] = event_follower.new(function() return stage.port(run) end)
    run.swarm:add(function() run.followers[number]:follow(run.swarm, function() return stage.is_quiet(run) end) end)
  end
  return run.all[1]
end

-- The next host in turn, also one that does not answer.
function stage.port(run)
  run.turn = run.turn % #run.all + 1
  return run.all[run.turn].host.port or 1
end

function stage.is_short(_, job) return job.provider == TIGHT end

function stage.hosts(run)
  local list = {}
  for number, each in ipairs(run.all) do list[number] = each.host end
  return list
end

function stage.is_over(run) return #run.due == 0 and run.troubles == 0 end

-- Submits and disasters are over: those who follow may end.
function stage.is_quiet(run) return stage.is_over(run) and (run.over or run.next > run.jobs) end

function stage.disturb(run)
  disturb(run)
  local now = os.time()
  if run.looked == now or run.server_down then return end
  run.looked = now
  run.swarm:add(function() -- the sums that hosts decide by, as any of them tells them
    local answer = run.swarm.ask(stage.port(run), "GET", "/api/budget", nil, nil, ANSWER_SECONDS)
    for _, provider in ipairs(answer and answer.status == 200 and answer.json.providers or {}) do
      local used = provider.provider == TIGHT and provider.day.spent_usd + provider.day.reserved_usd or 0
      if used > run.tight_usd + 1e-9 then run:problem("%s has used %.6f USD of %.6f", TIGHT, used, run.tight_usd) end
    end
  end)
end

function stage.remove(run)
  pcall(run.all.remove, run.all)
  for number, wire in ipairs(run.wires) do
    wire:remove()
    if run.clocks[number] then run.clocks[number]:remove() end
  end
  run.cluster:remove()
end

-- Streams -------------------------------------------------------------------------------------------------------------------

-- At the end every follower reads on, at one host, until it has the newest event of all.
local function check_streams(run)
  local newest = tonumber(run.database:sql "SELECT max(number) FROM event")
  for number, follower in ipairs(run.followers) do
    follower:read_to(newest, LAST_EVENT_SECONDS)
    for _, problem in ipairs(follower.problems) do run:problem("stream %d: %s", number, problem) end
    if follower.last ~= newest then run:problem("stream %d ends at event %d of %d", number, follower.last, newest) end
    run:count("events that a stream brought", follower.count)
    run:count("moves of a stream to another host", follower.moves)
  end
  local rows = run.database:sql "SELECT count(*), min(number) FROM event"
  local count, first = rows:match("(%d+)|(%d+)")
  local skipped = run.followers[1].jumps * 999999
  if run.followers[1].jumps ~= 1 then run:problem("%d jumps were told, for one backup", run.followers[1].jumps) end
  if tonumber(count) ~= newest - first + 1 - skipped then
    run:problem("%s events stand in the registry, from %s to %d", count, first, newest)
  end
end

-- The ledger never had more than the budget, in its own words.
local function check_ledger(run)
  local used = tonumber(run.database:sql(([[SELECT coalesce(sum(CASE WHEN spent < 0 THEN reserved ELSE spent END), 0)
    FROM ledger JOIN source ON source.number = ledger.source WHERE source.provider = '%s']]):format(TIGHT)))
  local most = math.floor(run.tight_usd * 1e6 + 0.5)
  if used > most then run:problem("the ledger of %s has %d of %d micro-dollars", TIGHT, used, most) end
  run:count("micro-dollars of the tight budget used", used)
  run:count("micro-dollars of the tight budget", most)
end

function stage.audit(run)
  check_ledger(run)
  check_streams(run)
end

function soak_hosts.run(options)
  options.stage, options.kills = stage, 0
  return soak.run(options)
end

return soak_hosts
