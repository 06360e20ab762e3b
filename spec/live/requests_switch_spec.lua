-- The switches are looked at before each request of a submit, not only when it begins.
local exact = require "spec.support.exact_json"
local socket = require "socket"
local told_vendor = require "spec.support.told_vendor"

describe("a submit's requests", function()
  local vendor, host
  before_each(function() vendor = told_vendor.start() end)
  after_each(function() vendor:remove() end)

  it("stop at once when a switch is turned, the flag or the script goes; then the job waits, and can be canceled", function()
    local slow = [[return function(payload, ctx)
      while true do
        local answer, failure = ctx.request { path = "/look" }
        if not answer then return { status = "error", error = { code = "unavailable", message = failure.kind,
        billed = false } } end
      end
    end]]
    host = vendor:live { functions = { submit = slow } }
    vendor:tell { ["GET /look"] = { delay = 0.05 } }
    local function configure(change)
      local settings = exact.decode(exact.encode(vendor.settings))
      if change then change(settings) end
      host:write("config/comfyvn.json", exact.encode(settings))
    end
    local ways = {
      { function() host:post("/api/live/stop") end, function() host:post("/api/live/start") end },
      { function() configure(function(config) config.live.enabled = false end) end, configure },
      { function() configure(function(config) config.live.providers.told.enabled = false end) end, configure },
      { function() configure(function(config) config.features.enable_public_image_video = false end) end, configure },
      { function() host:delete("providers/image_told.lua") end,
        function() host:write("providers/image_told.lua", vendor:script { functions = { submit = slow } }) end },
    }
    for i, way in ipairs(ways) do
      local job = host:eventually(function() return vendor:job(0.01) end)
      local before = vendor:seen("GET /look")
      host:eventually(function() return vendor:seen("GET /look") > before end)
      way[1]()
      local held = host:eventually(function()
        local json = vendor:status(job)
        return json.status == "queued" and type(json.reason) == "string" and not json.reason:find("held", 1, true) and json
      end)
      assert.is_truthy(held.reason:find("stopped", 1, true) or held.reason:find("switched off", 1, true)
        or held.reason:find("script is not there", 1, true), held.reason)
      before = vendor:seen("GET /look")
      socket.sleep(0.5)
      assert.equal(before, vendor:seen("GET /look"), "way " .. i)
      host:post("/api/jobs/" .. job .. "/cancel")
      assert.equal(0, vendor:becomes(job, "canceled").money.spent_usd)
      way[2]()
    end
    assert.equal(0, vendor:seen("POST /pay"))
  end)

  it("are those of a health check too, and none begins while live execution is stopped", function()
    local slow = [[return function(ctx) for _ = 1, 120 do ctx.request { path = "/look" } end return { ok = true } end]]
    host = vendor:live { functions = { health = slow } }
    vendor:tell { ["GET /look"] = { delay = 0.05 } }
    for _, way in ipairs { "/api/live/stop", "providers/image_told.lua" } do
      local connection = host:connect()
      local before = vendor:seen("GET /look")
      connection:send("POST", vendor.path .. "/health", { dry_run = false })
      host:eventually(function() return vendor:seen("GET /look") > before end)
      if way:find("api", 1, true) then host:post(way) else host:delete(way) end
      assert.equal(200, connection:receive().status)
      assert.is_true(vendor:seen("GET /look") < before + 120, way)
      connection:close()
      if way:find("api", 1, true) then
        before = vendor:seen("GET /look")
        local json = host:post(vendor.path .. "/health", { dry_run = false }).json
        assert.is_true(json.dry_run)
        assert.is_truthy(table.concat(json.live.missing, " "):find("stopped", 1, true))
        assert.equal(before, vendor:seen("GET /look"))
        host:post("/api/live/start")
      end
    end
  end)
end)
