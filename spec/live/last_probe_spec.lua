-- last_probe of a catalogue's entry: what a vendor said when it was asked last, of probes that were really sent.
local cjson = require "cjson"
local start = require("spec.support.host").start
local support = require "spec.support.live"

local KINDS = support.KINDS

describe("last_probe", function()
  local live
  setup(function() live = support.start { simulate = { "--fault", "replicate:5xx:1" } } end)
  teardown(function() live:remove() end)

  local function entry(id, path)
    local answer = live.host:get("/api/providers/" .. (path or KINDS[id]) .. "/catalog")
    for _, one in ipairs(answer.json.providers) do
      if one.id == id then return one, answer.headers.etag end
    end
  end

  local function probe(id, path)
    return live.host:post("/api/providers/" .. (path or KINDS[id]) .. "/" .. id .. "/health", { dry_run = false })
  end

  it("is null until the vendor was asked", function()
    for id in pairs(KINDS) do assert.equal(cjson.null, entry(id).last_probe, id) end
    live.host:post("/api/providers/image/fal/health", {})
    assert.equal(cjson.null, entry("fal").last_probe)
  end)

  it("tells that it is well, and what is left", function()
    local _, before = entry("stability")
    local answer = probe("stability").json
    assert.is_true(answer.probe.ok)
    local told, after = entry("stability")
    assert.is_true(told.last_probe.ok)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z$", told.last_probe.at)
    assert.equal(answer.probe.balance_usd or cjson.null, told.last_probe.balance_usd)
    assert.equal(cjson.null, told.last_probe.reason)
    assert.is_true(before ~= after)
    assert.equal(304, live.host:get("/api/providers/image/catalog", { ["If-None-Match"] = after }).status)
  end)

  it("tells why it is not", function()
    local answer = probe("replicate").json
    assert.is_false(answer.probe.ok)
    assert.same({ false, answer.probe.reason }, { entry("replicate").last_probe.ok, entry("replicate").last_probe.reason })
  end)

  it("is of the kind that was asked for", function()
    probe("fal", "video")
    assert.is_true(entry("fal", "video").last_probe.ok)
    assert.equal(cjson.null, entry("fal", "image").last_probe)
  end)

  it("is the newest", function()
    probe("luma")
    local first = entry("luma").last_probe.at
    live.host:eventually(function()
      probe("luma")
      return entry("luma").last_probe.at > first
    end)
  end)

  it("is none of a probe that the switch held back", function()
    live.host:post("/api/live/stop", {})
    local answer = probe("runway").json
    live.host:post("/api/live/start", {})
    assert.is_true(answer.dry_run or not answer.probe.ok)
    assert.equal(cjson.null, entry("runway").last_probe)
  end)
end)

describe("last_probe of a vendor that cannot be reached", function()
  it("says so, and no secret", function()
    local budget = { per_day = 1, per_month = 1 }
    local providers = { stability = { enabled = true, budget_usd = budget } }
    local host = start { secrets = support.SECRETS, config = {
      features = { enable_public_image_video = true },
      live = { enabled = true, upstream = "http://127.0.0.1:1", budget_usd = budget, providers = providers },
    } }
    host:post("/api/providers/image/stability/health", { dry_run = false })
    local answer = host:get("/api/providers/image/catalog")
    for _, one in ipairs(answer.json.providers) do
      if one.id == "stability" then
        assert.is_false(one.last_probe.ok)
        assert.is_true(#one.last_probe.reason > 0 and #one.last_probe.reason <= 303)
      end
    end
    assert.is_nil(answer.body:find("planted", 1, true))
    assert.truthy(answer.body:find('"last_probe":{', 1, true))
    host:remove()
  end)
end)
