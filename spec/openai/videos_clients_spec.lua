-- Videos by clients as they are: openai (Node), what openai-python's create_and_poll does, and TanStack AI.
local cjson = require "cjson"
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"
local live_support = require "spec.support.live"
local npm = require "spec.support.npm"
local shell = require "spec.support.shell"
local videos = require "spec.support.openai_videos"

local MODELS = { models = { ["sora-2"] = "runway/gen4.5" } }
local WISH = { model = "runway/gen4.5", prompt = "a lighthouse", seconds = "4", size = "1280x720" }

local missing

-- What the client gave to its caller: { ok = } or { error = }.
local function call(host, name, told, base)
  told.base = ("http://127.0.0.1:%d%s"):format(host.port, base or "/v1")
  told.key = keys.key "all"
  local ended, output = npm.node(npm.OPENAI_VIDEOS, ("videos.mjs %s %s"):format(name, shell.quote(cjson.encode(told))))
  assert.is_true(ended, output)
  return cjson.decode(output:match "({[^\n]*})\n?$")
end

local function ok(host, name, told, base)
  local outcome = call(host, name, told, base)
  assert.truthy(outcome.ok, cjson.encode(outcome))
  return outcome.ok
end

local function with_key(config)
  config.server = config.server or {}
  config.server.api_keys = { keys.entry("all") }
  config.openai = MODELS
  return config
end

describe("a client of OpenAI's videos, without live", function()
  local host

  setup(function()
    missing = npm.install(npm.OPENAI_VIDEOS)
    host = hosts.start { config = with_key {} }
  end)
  teardown(function() host:remove() end)

  it("makes one, polls it once, and saves a marked film", function()
    if missing then return pending(missing) end
    local done = ok(host, "whole", { create = WISH })
    assert.same({ "completed", 100, 1 }, { done.video.status, done.video.progress, done.polls })
    assert.same({ 200, "video/mp4", "true", "ftyp" },
      { done.content.status, done.content.type, done.content.dry, done.content.brand })
    assert.equal("/v1/videos/" .. done.video.id .. "/content", done.content.url)
    videos.check(host:get("/v1/videos/" .. done.video.id, keys.headers "all").json)
  end)

  it("sends a picture to begin with, of whatever name and type", function()
    if missing then return pending(missing) end
    local path = host.home .. "/cat.png"
    local png = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LAAAAEklEQVR4nGM4ISf3Hx9mGBkKAFNGgMHUn6b2AAAAAElFTkSuQmCC"
    shell.run(("echo %s | base64 -d > %s"):format(png, shell.quote(path)))
    for _, told in ipairs {
      { name = "cat.png", type = "image/png" }, { name = "blob", type = "application/octet-stream" }, { call = "stream" },
    } do
      told.file = path
      told.create = { model = "runway/gen4_turbo", prompt = "it moves", seconds = "5", size = "1280x720" }
      local done = ok(host, told.call or "file", told)
      assert.equal("completed", done.video.status)
      assert.truthy(done.created.providerd.upstream.body.promptImage, cjson.encode(done.created.providerd.upstream))
    end
  end)

  it("hears errors with their codes, and does not ask again for them", function()
    if missing then return pending(missing) end
    local function refused(status, code, name, told, base)
      local error = call(host, name, told, base).error
      assert.same({ status, code }, { error.status, error.code })
      assert.truthy(error.request_id)
      return error
    end
    refused(404, "model_not_found", "create", { create = { model = "sora-3", prompt = "x" } })
    refused(400, "missing_required_parameter", "create", { create = { prompt = "x" } })
    refused(403, "live_disabled", "create", { create = WISH }, "/live/v1")
    refused(404, "video_not_found", "retrieve", { id = "video_01a212da-b143-7000-ae30-310e60fc3ccb" })
    refused(400, "unsupported_parameter", "create",
      { create = { model = "runway/gen4_turbo", prompt = "x", input_reference = { file_id = "file-123" } } })
    local id = ok(host, "create", { create = WISH }).video.id
    refused(400, "unsupported_operation", "content", { id = id, query = { variant = "thumbnail" } })
    for _, name in ipairs { "remix", "edit", "extend" } do
      assert.equal("BadRequestError", refused(400, "unsupported_operation", name, { id = id }).class)
    end
  end)

  it("pages through its list in both orders, and deletes", function()
    if missing then return pending(missing) end
    for i = 1, 7 do
      host:post("/api/providers/video/pika/submit", { prompt = "number " .. i }, keys.headers "all")
    end
    local all = host:get("/v1/videos?limit=100&order=asc", keys.headers "all").json
    local made = {}
    for i, video in ipairs(all.data) do made[i] = video.id end
    assert.same(made, ok(host, "list", { query = { limit = 2, order = "asc" } }).ids)
    local back = ok(host, "list", { query = { limit = 3 } }).ids
    assert.same({ made[#made], made[1], #made }, { back[1], back[#back], #back })
    assert.same({ id = made[1], object = "video.deleted", deleted = true }, ok(host, "delete", { id = made[1] }))
    assert.equal(404, call(host, "delete", { id = made[1] }).error.status)
    assert.equal(#made - 1, #ok(host, "list", { query = { limit = 2, order = "asc" } }).ids)
  end)

  it("is TanStack's, by the name that an operator gave", function()
    if missing then return pending(missing) end
    local done = ok(host, "tanstack", { create = { prompt = "a cat", size = "1280x720", duration = 8 } })
    assert.same({ "completed", "data:video/mp4;base64," }, { done.status, done.url:sub(1, 22) })
    assert.equal("8", host:get("/v1/videos/" .. done.jobId, keys.headers "all").json.seconds)
  end)
end)

describe("a client of OpenAI's videos, live", function()
  local live

  setup(function()
    missing = npm.install(npm.OPENAI_VIDEOS)
    live = live_support.start { hurry = 10, simulate = { "--job-time", "2000" }, config = with_key }
  end)
  teardown(function() live:remove() end)

  for _, wish in ipairs { WISH, { model = "luma/ray-2", prompt = "a lighthouse", seconds = "5", size = "1280x720" },
    { model = "pika/v2.2/text-to-video", prompt = "a lighthouse", seconds = "5", size = "1280x720" } } do
    it("waits for " .. wish.model .. " as long as it is told to, and saves what was made", function()
      if missing then return pending(missing) end
      local before = live:paid()
      local done = ok(live.host, "whole", { create = wish }, "/live/v1")
      assert.truthy(done.created.status == "queued" or done.created.status == "in_progress", done.created.status)
      assert.same({ "completed", wish.model, wish.size, wish.seconds },
        { done.video.status, done.video.model, done.video.size, done.video.seconds })
      assert.truthy(done.pause >= 2000 and done.pause <= 5000, done.pause)
      assert.same({ 200, "ftyp" }, { done.content.status, done.content.brand })
      assert.is_nil(done.content.dry ~= cjson.null and done.content.dry or nil)
      assert.equal(before + 1, live:paid())
    end)
  end

  it("asks for live in a header or the body, too", function()
    if missing then return pending(missing) end
    local told = { create = WISH, headers = { ["X-Providerd-Dry-Run"] = "false", ["X-Providerd-Max-Cost-Usd"] = "2" } }
    assert.is_false(ok(live.host, "create", told).video.providerd.dry_run)
    local create = { dry_run = false, max_cost_usd = 2 }
    for name, value in pairs(WISH) do create[name] = value end
    assert.is_false(ok(live.host, "create", { create = create }).video.providerd.dry_run)
  end)

  it("is TanStack's, which polls to the end", function()
    if missing then return pending(missing) end
    local done = ok(live.host, "tanstack", { create = { prompt = "a cat", size = "1280x720", duration = 8 } }, "/live/v1")
    assert.same({ "completed", "data:video/mp4;base64," }, { done.status, done.url:sub(1, 22) })
  end)

  it("hears of a failure by its status and code", function()
    if missing then return pending(missing) end
    local failing = live_support.start {
      hurry = 10, config = with_key, simulate = { "--fault", "runway:moderated:1", "--fault", "luma:reset_after:1:POST" },
    }
    finally(function() failing:remove() end)
    local done = ok(failing.host, "whole", { create = WISH }, "/live/v1")
    assert.same({ "failed", "moderation_blocked" }, { done.video.status, done.video.error.code })
    local error = call(failing.host, "content", { id = done.video.id }).error
    assert.same({ 400, "moderation_blocked" }, { error.status, error.code })
    local wish = { model = "luma/ray-2", prompt = "a lighthouse", seconds = "5", size = "1280x720" }
    local sought = ok(failing.host, "whole", { create = wish }, "/live/v1")
    assert.same({ "completed", 1 }, { sought.video.status, failing:paid "luma" })
  end)
end)
