-- A host whose provider "odd" has the outputs that a job asks for, and that provider's vendor (odd_vendor.lua).
--
--   local odd = Odd.start { max_bytes = 2000000 }
--   odd:job { Odd.file "ok.png", { text = "small" } }   -- done, with its artifacts
--   odd:remove()
local start = require("spec.support.host").start
local support = require "spec.support.live"

local SCRIPT = [[
local function result(outputs) return { id = "odd-1", status = "done", artifacts = outputs, state = { outputs = outputs },
  cost = { usd = 0.01, source = "vendor" } } end
return {
  id = "odd", kind = "image", capabilities = {}, pricing = {},
  credentials = { api_key = { secret = { "api_key" } } },
  base_url = "https://odd.example/v1", outputs = OUTPUTS,
  auth = { Authorization = "Key {api_key}" },
  estimate = function() return { expected = 0.01, low = 0.01, high = 0.01, unit = "job", quantity = 1, source = "spec" } end,
  health = function() return { ok = true } end,
  submit = function(payload, ctx)
    local _, failure = ctx.request { method = "POST", path = "/jobs", json = {} }
    if failure then return { status = "error", error = { code = "vendor", message = failure.message } } end
    local outputs = {}
    for i, output in ipairs(payload.outputs) do
      outputs[i] = output
      if output.url then output.url = string.gsub(output.url, "{at}", "@") end
      if output.text == "{ECHO}" then output.text = "plan" .. "ted-odd" end
      if output.json and output.json.said then output.json.said = "plan" .. "ted-odd" end
    end
    if payload.later then return { id = "odd-1", status = "running", retry_after = 0.1 } end
    return result(outputs)
  end,
  poll = function(job) return result(job.payload.outputs) end,
}]]

local Odd = {}
Odd.__index = Odd

--- Starts both. options: max_bytes, outputs (Lua text), direct, files, program, env; artifacts: over those of the configuration;
--- s3: the section of the secrets file; vendor: of another one, which is used then; config(config): further changes.
function Odd.start(options)
  options = options or {}
  local self = setmetatable({}, Odd)
  self.vendor, self.lent = options.vendor, options.vendor ~= nil
  self.vendor = self.vendor or start { program = "/usr/bin/lua5.4", arguments = { "spec/support/odd_vendor.lua" }, config = "",
    env = { LUA_PATH = os.getenv("LUA_PATH") } }
  local upstream = "http://127.0.0.1:" .. self.vendor.port
  local config = support.config(upstream)
  config.live.providers.odd = { enabled = true, budget_usd = { per_day = 1000, per_month = 1000 }, rate_per_minute = 6000,
    max_concurrent = 100 }
  config.artifacts = { max_bytes = options.max_bytes or 2000000 }
  for name, value in pairs(options.artifacts or {}) do config.artifacts[name] = value end
  if options.config then options.config(config) end
  if options.direct then
    config.live.upstream = nil
    config.live.providers.odd.base_url = upstream .. "/odd.example/v1"
  end
  local files = options.files or {}
  files["providers/odd.lua"] = SCRIPT:gsub("OUTPUTS", options.outputs or '{ "files.odd.example" }')
  -- Another provider with the same vendor.
  files["providers/other.lua"] = files["providers/odd.lua"]:gsub('id = "odd"', 'id = "other"', 1)
  config.live.providers.other = config.live.providers.odd
  local secrets = { odd = { api_key = "planted-odd" }, other = { api_key = "planted-other" }, s3 = options.s3 }
  self.host = start { config = config, secrets = secrets, files = files, program = options.program,
    env = options.env }
  return self
end

function Odd:remove()
  self.host:remove()
  if self.lent then return end
  self.vendor:kill()
  self.vendor:remove()
end

function Odd:submit(outputs, later, provider)
  local path = "/api/providers/image/" .. (provider or "odd") .. "/submit"
  local answer = self.host:post(path, { dry_run = false, outputs = outputs, later = later })
  assert(answer.status == 202, answer.body)
  return answer.json.job_id
end

--- Makes a job of these outputs; it must be done. Returns it.
function Odd:job(outputs)
  return self:ended(self:submit(outputs))
end

function Odd:ended(job_id)
  local job = self.host:eventually(function()
    local job = self.host:get("/api/jobs/status/" .. job_id).json
    return job.status ~= "queued" and job.status ~= "running" and job or nil
  end)
  assert(job.status == "done", job.status)
  return job
end

function Odd:seen()
  return self.vendor:get("/seen").body
end

function Odd:temporaries()
  local pipe = assert(io.popen("ls '" .. self.host.home .. "/data/artifacts/tmp' 2>/dev/null"))
  local names = pipe:read("a")
  pipe:close()
  return names
end

--- An output at the vendor's own host of files.
function Odd.file(name)
  return { url = "https://files.odd.example/" .. name }
end

return Odd
