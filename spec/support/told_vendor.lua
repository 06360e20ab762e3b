-- A vendor that answers what a spec tells it to, and the provider script that passes its answers on as they are.
--
--   local vendor = require("spec.support.told_vendor").start()
--   vendor:tell { ["POST /pay"] = { json = { id = "j1", status = "running" } }, ["GET /jobs/j1"] = { status = 500 } }
--   vendor:tell { ["POST /pay"] = { hang_up = true } }      -- the connection ends without an answer, after the request was read
--   vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } } }   -- adds an id of its own: v1, v2, ...
--   vendor:seen("POST /pay")           -- how many came; without an argument all of them: { "POST /pay", ... }
--   local host = vendor:live {         -- a host with the provider `told` beside the others, live
--     functions = { poll = "return function(job, ctx) ... end" }, members = "...", env = { ... },
--     config = function(config) ... end,
--   }
--   local job_id = vendor:job(0.01)    -- a job of this price that must be taken; host:post(vendor.path .. "/submit", ...) for
-- others
--   vendor:status(job_id)
--   vendor:refresh(job_id)             -- has it polled now
--   vendor:remove()                    -- the host too
--
-- The script's submit POSTs /pay and returns the answer's JSON as its result; poll GETs /jobs/ID. A job's price is its
-- request's "price".
-- Run as a program this file is the vendor: one connection at a time, each with one request.
local exact = require "spec.support.exact_json"
local socket = require "socket"

-- The vendor -----------------------------------------------------------------------------------------------------------

local function read_request(client)
  local line = client:receive("*l")
  local method, path = (line or ""):match("^(%u+) (/[^ ?]*)%S* HTTP/1%.1")
  if not method then return nil end -- a TLS greeting, say
  local length = 0
  for header in function() return client:receive("*l") end do
    if header == "" then break end
    length = tonumber(header:lower():match("^content%-length:%s*(%d+)")) or length
  end
  return method, path, length > 0 and client:receive(length) or ""
end

local function send(client, status, body)
  client:send(("HTTP/1.1 %d Told\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
    :format(status, #body, body))
end

local function serve(client, state)
  local method, path, body = read_request(client)
  if not method then return nil end
  if path == "/healthz" then return send(client, 200, "{}") end
  if path == "/seen" then return send(client, 200, exact.encode { seen = exact.array(state.seen) }) end
  if path == "/tell" then
    for name, rule in pairs(exact.decode(body)) do state.rules[name] = rule end
    return send(client, 200, "{}")
  end
  local name = method .. " " .. path
  local rule = state.rules[name] or state.rules[method .. " *"] or { status = 404, json = {} }
  state.seen[#state.seen + 1] = name
  if rule.delay then socket.sleep(rule.delay) end
  if rule.hang_up then return nil end
  local answer = rule.json or {}
  if rule.each then
    state.made = state.made + 1
    answer.id = "v" .. state.made
  end
  send(client, rule.status or 200, exact.encode(answer))
end

local function run()
  local server = assert(socket.bind("127.0.0.1", 0, 1024))
  local state = { rules = {}, seen = {}, made = 0 }
  io.write(("listens on http://127.0.0.1:%d\n"):format(select(2, server:getsockname())))
  io.flush()
  while true do
    local client = server:accept()
    client:settimeout(20)
    serve(client, state)
    client:close()
  end
end

if arg and arg[0] and arg[0]:find("told_vendor.lua", 1, true) then run() end

-- For specs ------------------------------------------------------------------------------------------------------------

local SCRIPT = [[
return {
  id = "told", name = "Told", kind = "image", docs_url = "https://example.com", pricing_url = "https://example.com",
  last_checked = "2026-11-23", credentials = { api_key = { secret = { "api_key" } } },
  base_url = "%s", auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = {}, pricing = { as_of = "2026-11-23", source = "https://example.com", unit = "job", usd = 0.01 }, %s
  estimate = (function() %s end)(), health = (function() %s end)(), submit = (function() %s end)(),
  poll = (function() %s end)(), cancel = (function() %s end)(), reconcile = (function() %s end)(),
}
]]

local FUNCTIONS = {
  estimate = [[return function(payload)
    if payload.price then
      return { expected = payload.price, unit = "job", quantity = 1, source = "x", as_of = "2026-11-23" }
    end
    return nil, "the price is not known"
  end]],
  health = [[return function(ctx) ctx.request { path = "/account" } return { ok = true } end]],
  submit = [[return function(payload, ctx)
    local response = ctx.request { method = "POST", path = "/pay", json = payload }
    return response and response.json or { status = "unknown" }
  end]],
  poll = [[return function(job, ctx)
    local response = ctx.request { path = "/jobs/" .. job.id }
    return response and response.status == 200 and response.json or { status = "running" }
  end]],
  cancel = [[return function(job, ctx)
    local response = ctx.request { method = "DELETE", path = "/jobs/" .. job.id }
    return response and response.json or { status = "running" }
  end]],
  reconcile = [[return function(job, ctx)
    local response = ctx.request { path = "/found" }
    return response and response.status == 200 and response.json or { status = "unknown" }
  end]],
}

local Vendor = {}
Vendor.__index = Vendor

function Vendor:tell(rules)
  assert(self.host:post("/tell", rules).status == 200)
end

function Vendor:seen(name)
  local seen = self.host:get("/seen").json.seen
  if not name then return seen end
  local count = 0
  for _, one in ipairs(seen) do
    if one == name then count = count + 1 end
  end
  return count
end

--- The file of the provider `told`. options.members: further members of the manifest, as text; options.functions: bodies that
--- return a function, in place of those above.
function Vendor:script(options)
  options = options or {}
  local own = options.functions or {}
  local function text(name) return own[name] or FUNCTIONS[name] end
  return SCRIPT:format("http://127.0.0.1:" .. self.host.port, options.members or "", text "estimate", text "health",
    text "submit", text "poll", text "cancel", text "reconcile")
end

function Vendor:live(options)
  options = options or {}
  local config = require("spec.support.live").config(nil)
  config.live.providers.told = {
    enabled = true, budget_usd = { per_day = 1000, per_month = 1000 }, rate_per_minute = 6000, max_concurrent = 100,
  }
  if options.config then options.config(config) end
  self.settings, self.headers = config, options.headers
  self.user = require("spec.support.host").start {
    config = config, env = options.env, secrets = { told = { api_key = "told-key" } }, scripts = true,
    files = { ["providers/image_told.lua"] = self:script(options) },
  }
  return self.user
end

function Vendor:submit(body, headers)
  body.dry_run = false
  return self.user:post(self.path .. "/submit", body, headers or self.headers)
end

function Vendor:job(price, headers)
  local answer = self:submit({ price = price }, headers)
  assert(answer.status == 202, answer.body)
  return answer.json.job_id
end

function Vendor:status(job_id)
  return self.user:get("/api/jobs/status/" .. job_id, self.headers).json
end

function Vendor:refresh(job_id)
  return self.user:post(self.path .. "/poll", { job_id = job_id, refresh = true }, self.headers)
end

--- Waits until a job has this status, and returns it.
function Vendor:becomes(job_id, status, seconds)
  return self.user:eventually(function()
    local job = self:status(job_id)
    assert(job.status == status, ("%s is %s: %s"):format(job_id, job.status, job.reason))
    return job
  end, seconds)
end

function Vendor:remove()
  self.host:kill()
  self.host:remove()
  if self.user then self.user:remove() end
end

local module = {}

function module.start()
  return setmetatable({
    path = "/api/providers/image/told",
    host = require("spec.support.host").start { program = "lua5.4", arguments = { "spec/support/told_vendor.lua" }, config = "" },
  }, Vendor)
end

return module
