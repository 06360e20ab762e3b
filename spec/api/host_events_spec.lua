-- Events of the host itself: what a saved file leads to.
local cjson = require "cjson"
local host = require "spec.support.host"

describe("the log of events tells", function()
  local served, seen
  setup(function()
    served = host.start {
      scripts = true, config = { features = { enable_public_gpu = false } },
      secrets = { fal = { api_key = "k:0123456789abcdef" } },
    }
    seen = 0
  end)
  teardown(function() served:remove() end)

  -- The next event of this type since the last one that was found, waited for.
  local function event(type)
    return served:eventually(function()
      for _, one in ipairs(served:get("/api/events/history?type=host.*&limit=500&after=" .. seen).json.events) do
        seen = tonumber(one.id)
        if one.type == type then return one end
      end
    end)
  end

  it("nothing at a start that is as it should be", function()
    assert.same({}, served:get("/api/events/history").json.events)
  end)

  it("a feature flag that changed, by name", function()
    served:write("config/comfyvn.json", cjson.encode { features = { enable_public_gpu = true }, server = { threads = 16 } })
    local told = event "host.config.reloaded"
    assert.same({ ["features.enable_public_gpu"] = true }, told.data.changed)
    assert.equal("config/comfyvn.json", told.data.file)
    assert.is_nil(told.subject)
  end)

  it("a configuration that is refused, and why", function()
    served:write("config/comfyvn.json", [[{ "featurs": {} }]])
    assert.truthy(event("host.config.rejected").data.reason:find("featurs", 1, true))
  end)

  it("new secrets, and none of their values", function()
    served:write("config/comfyvn.secrets.json", cjson.encode { fal = { api_key = "NEWSECRET:0123456789abcdef" } })
    event "host.secrets.reloaded"
    assert.is_nil(served:get("/api/events/history").body:find("NEWSECRET", 1, true))
  end)

  it("a script that was loaded anew", function()
    served:write("providers/image_fal.lua", served:read("providers/image_fal.lua") .. "\n")
    local told = event "host.script.loaded"
    assert.same({ file = "providers/image_fal.lua", provider = "fal", kind = "image" }, told.data)
  end)

  it("a script that does not load, with its line", function()
    served:write("providers/image_fal.lua", "return {\n  nonsense(\n}")
    local told = event "host.script.rejected"
    assert.equal("providers/image_fal.lua", told.data.file)
    assert.truthy(told.data.reason:find("providers/image_fal.lua:%d"), told.data.reason)
  end)

  it("a script that is gone", function()
    served:delete("providers/video_pika.lua")
    assert.same({ file = "providers/video_pika.lua" }, event("host.script.removed").data)
  end)
end)
