-- GET /api/host: how the host stands, and what is wrong with its files, with file, line and the lines around it.
local cjson = require "cjson"
local keys = require "spec.support.keys"
local start = require("spec.support.host").start

local CONFIG = "config/comfyvn.json"
local FAL = "providers/image_fal.lua"

-- A problem's excerpt as { [line] = text }.
local function lines_of(problem)
  local lines = {}
  for _, line in ipairs(problem.excerpt) do lines[line.line] = line.text end
  return lines
end

describe("GET /api/host", function()
  local host
  setup(function()
    host = start { scripts = true, secrets = { fal = { api_key = "k:0123456789abcdef" } }, config = {
      features = { enable_public_image_video = true },
      live = { enabled = true, providers = { fal = { enabled = true }, ['an"other'] = {} } },
      hooks = { enabled = true }, directory = { refresh_hours = 7 }, registry = { keep_days = 9 },
      server = { threads = 20, max_streams = 19, max_body_bytes = 2048 },
    } }
  end)
  teardown(function() host:remove() end)

  local function report() return host:get("/api/host").json end

  -- The problem of this file, waited for.
  local function problem(file)
    return host:eventually(function()
      for _, one in ipairs(report().problems) do
        if one.file == file then return one end
      end
    end)
  end

  local function no_problems()
    assert(host:eventually(function() return #report().problems == 0 end))
  end

  -- What the catalogue says of the image provider's script.
  local function script_of(id)
    for _, entry in ipairs(host:get("/api/providers/image/catalog").json.providers) do
      if entry.id == id then return entry.script end
    end
  end

  local function last_event(type)
    return host:eventually(function()
      local events = host:get("/api/events/history?limit=500&type=" .. type).json.events
      return events[#events]
    end)
  end

  it("has version, switches and limits", function()
    local told = report()
    assert.equal(host:get("/healthz").json.version, told.version)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z$", told.started_at)
    assert.is_true(told.uptime_seconds >= 0 and told.ok and not told.draining)
    assert.same({ engine = 0, store = 0 }, told.queues)
    assert.same({ enable_public_gpu = false, enable_public_image_providers = false, enable_public_video_providers = false,
      enable_public_image_video = true }, told.features)
    assert.same({ enabled = true, stopped = false, detoured = false, providers = { fal = true, ['an"other'] = false } },
      told.live)
    assert.same({ enabled = true, allow_loopback = false }, told.hooks)
    assert.same({ enabled = true, live = false, approve_above_usd = 0, approval = "operator" }, told.mcp)
    assert.same({ enabled = false, refresh_hours = 7, providers = {} }, told.directory)
    assert.same({ max_body_bytes = 2048, max_streams = 15, keep_days = 9, threads = 20 }, told.limits)
    assert.same({}, told.problems)
    host:post("/api/live/stop", {})
    assert.is_true(report().live.stopped)
    host:post("/api/live/start", {})
  end)

  it("has the configuration in force, by the names of the file", function()
    local config = report().config
    assert.equal(CONFIG, config.file)
    assert.equal(19, config.server.max_streams)
    assert.is_true(config.live.providers.fal.enabled)
    assert.equal(host.database and host.database.url or "sqlite:data/registry.db", config.registry.url)
    assert.same({ file = "logs/server.log", level = "info", format = "logfmt" }, config.log)
  end)

  it("shows where a script is wrong", function()
    local before = host:read(FAL)
    host:write(FAL, 'local a = 1\nlocal b = 2\nlocal t = { api_key = "hunter2hunter2", secret = "{api_key}" }\n' ..
      'local c = = 3\nlocal d = "' .. ("x"):rep(300) .. '"\nreturn {}\n')
    local told = problem(FAL)
    assert.equal(4, told.line)
    assert.truthy(told.message:find("^unexpected symbol near '='"), told.message)
    local lines = lines_of(told)
    assert.same({ "local b = 2", "local c = = 3", "return {}" }, { lines[2], lines[4], lines[6] })
    assert.is_nil(lines[1])
    assert.equal(200, #lines[5])
    assert.equal('local t = { api_key = "***", secret = "{api_key}" }', lines[3])

    local script = script_of("fal")
    assert.same({ file = FAL, line = 4, message = told.message }, script.error_at)
    assert.equal(FAL .. ":4: " .. told.message, script.error)
    local event = last_event("host.script.rejected").data
    assert.same({ FAL, 4, told.message, script.error_at }, { event.file, event.line, event.message, event.error_at })
    assert.equal(script.error, event.reason)

    host:write(FAL, before)
    no_problems()
    assert.equal(cjson.null, script_of("fal").error_at)
  end)

  it("shows where a field of a script's table is wrong", function()
    local before = host:read(FAL)
    local changed, count = before:gsub('\n  id = "fal",', '\n  id = "FAL",')
    assert.equal(1, count)
    host:write(FAL, changed)
    local told = problem(FAL)
    assert.matches('^  id = "FAL"', lines_of(told)[told.line])
    host:write(FAL, before)
    no_problems()
  end)

  it("has one problem for a helper that all scripts require", function()
    local before = host:read("lua/check.lua")
    host:write("lua/check.lua", "local check = {}\nreturn check check\n")
    local told = problem("lua/check.lua")
    assert.equal(2, told.line)
    assert.same({ "local check = {}", "return check check" }, lines_of(told))
    assert.equal(1, #report().problems)
    assert.truthy(#host:get("/api/providers/image/catalog").json.script_errors > 5)
    assert.same({ file = "lua/check.lua", line = 2, message = told.message }, script_of("stability").error_at)
    host:write("lua/check.lua", before)
    no_problems()
  end)

  it("shows where the configuration is wrong, and no text of it", function()
    local before = host:read(CONFIG)
    host:write(CONFIG, [[{
      "server": { "threads": 20 },
      "live": {
        "password": "hunter2", "pin": 123456,
        "providers": { "luma": { "enabled": true },
          "fal": { "rate_per_minute": "as fast as hunter2 can" }
        }
      }
    }]])
    local told = problem(CONFIG)
    assert.equal(4, told.line)
    assert.matches("^live%.password: unknown key; the last good version stays in force$", told.message)
    local body = host:get("/api/host").body
    assert.is_nil(body:find("hunter2", 1, true))
    assert.equal('      "server": { "threads": 20 },', lines_of(told)[2])
    assert.equal('        "password": "***", "pin": 123456,', lines_of(told)[4])
    local event = last_event("host.config.rejected").data
    assert.same({ CONFIG, 4, told.message }, { event.file, event.line, event.message })

    host:write(CONFIG, (host:read(CONFIG):gsub('"password".-\n', "\n")))
    assert(host:eventually(function() return problem(CONFIG).line == 6 end))
    told = problem(CONFIG)
    assert.equal('          "fal": { "rate_per_minute": "***" }', lines_of(told)[6])

    host:write(CONFIG, before)
    no_problems()
  end)

  it("shows where the configuration is no JSON, whatever stands there", function()
    local before = host:read(CONFIG)
    host:write(CONFIG, '{\n  "server": { "threads": 20 },\n  "live": hunter2 // hunter2 "hunter2\n  \'hunter2\': hunter2"\n}\n')
    local told = problem(CONFIG)
    assert.equal(3, told.line)
    assert.equal(5, #told.excerpt)
    assert.is_nil(host:get("/api/host").body:find("hunter2", 1, true))
    assert.matches('^  "live": %*%*%*', lines_of(told)[3])
    host:write(CONFIG, before)
    no_problems()
  end)

  it("shows nothing of the secrets file", function()
    host:write("config/comfyvn.secrets.json", '{\n  "fal": { "api_key": "hunter2hunter2", }\n}\n')
    local told = problem("config/comfyvn.secrets.json")
    assert.same({ 2, {} }, { told.line, told.excerpt })
    assert.is_nil(host:get("/api/host").body:find("hunter2", 1, true))
    assert.equal(2, last_event("host.secrets.rejected").data.line)
    host:write("config/comfyvn.secrets.json", "{}")
    no_problems()
  end)
end)

describe("GET /api/host with API keys", function()
  local host
  setup(function()
    host = start { scripts = true, config = { server = { api_keys = {
      keys.entry("reader", { may = { "read" } }), keys.entry("boss"),
    } } } }
    host:write(FAL, "return {\n  nonsense nonsense\n}\n")
    host:eventually(function() return #host:get("/api/host", keys.headers("boss")).json.problems == 1 end)
  end)
  teardown(function() host:remove() end)

  it("shows lines of files, and the configuration, to operators only", function()
    local seen, all = host:get("/api/host", keys.headers("reader")).json, host:get("/api/host", keys.headers("boss")).json
    assert.equal(cjson.null, seen.config)
    assert.same({}, seen.problems[1].excerpt)
    assert.equal(3, #all.problems[1].excerpt)
    assert.same({ all.problems[1].line, all.problems[1].message }, { seen.problems[1].line, seen.problems[1].message })
    assert.equal(16, seen.limits.threads)
  end)

  it("shows no hash of a key", function()
    local entries = host:get("/api/host", keys.headers("boss")).json.config.server.api_keys
    assert.same({ { name = "reader", may = { "read" }, sees = "all" },
      { name = "boss", may = { "read", "submit", "live", "operate" }, sees = "all" } }, entries)
    assert.is_nil(host:get("/api/host", keys.headers("boss")).body:find(keys.entry("boss").sha256, 1, true))
  end)
end)
