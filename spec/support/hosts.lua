-- Several hosts that are live on one PostgreSQL database, with one simulator: each has a home and a port of its own.
--
--   local hosts = require("spec.support.hosts").start { count = 3, config = function(config, number) ... end }
--   hosts[1]:submit("fal"), hosts[2]:status(job_id), hosts[1].host:kill()     -- each is what spec.support.live gives
--   hosts.simulator, hosts.database, hosts:sql "SELECT ..."                   -- what they share
--   hosts:any()                      -- the next one that runs, in turn
--   hosts:balancer().port            -- a port before all of them, for clients that know only one (spec/support/proxy.lua)
--   hosts:remove()
--
-- Options: count; those of spec.support.live (`config` and `env` are told the number); database, else a new one of the run's
-- cluster; url(number), the registry.url of each where it is not the database's own: by way of a proxy.
--
-- In a file that has this, tests stand in postgres.describe (spec/support/postgres.lua).
local live = require "spec.support.live"
local postgres = require "spec.support.postgres"
local proxy = require "spec.support.proxy"

local Hosts = {}
Hosts.__index = Hosts

--- Starts a further one.
function Hosts:add()
  local number, options, first = #self + 1, self.options, self[1]
  self[number] = live.start {
    simulator = first and first.simulator or options.simulator, simulate = options.simulate, hurry = options.hurry,
    secrets = options.secrets, scripts = options.scripts, listen = options.listen and options.listen[number],
    env = type(options.env) == "function" and options.env(number) or options.env,
    config = function(config)
      config.registry = { url = options.url and options.url(number) or self.database.url }
      if options.config then options.config(config, number) end
    end,
  }
  self.simulator = self[number].simulator
  return self[number]
end

function Hosts:sql(statement)
  return self.database:sql(statement)
end

--- The next one that runs, in turn.
function Hosts:any()
  for _ = 1, #self do
    self.turn = self.turn % #self + 1
    if not self[self.turn].host.ended then return self[self.turn] end
  end
  error("no host runs", 2)
end

function Hosts:balancer()
  local ports = {}
  for number, each in ipairs(self) do ports[number] = each.host.port end
  if self.before then self.before:to(ports) else self.before = proxy.start(ports) end
  return self.before
end

--- Ends and removes all of it. An error when a host did not end well.
function Hosts:remove()
  local problem
  if self.before then self.before:remove() end
  for _, each in ipairs(self) do
    local ok, why = pcall(each.host.remove, each.host)
    if not ok then problem = problem or why end
  end
  if self.simulator and not self.options.simulator then self.simulator:remove() end
  if not self.options.database then self.database:remove() end
  if problem then error(problem, 0) end
end

local module = {}

function module.start(options)
  local self = setmetatable({ options = options, turn = 0, database = options.database or postgres.database() }, Hosts)
  local ok, problem = pcall(function()
    for _ = 1, options.count or 2 do self:add() end
  end)
  if not ok then
    pcall(self.remove, self)
    error(problem, 0)
  end
  return self
end

return module
