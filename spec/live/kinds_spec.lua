-- Live jobs of a provider of two kinds: each is gated by the flag of its kind before every request that may cost, over kill -9
-- too, and every function of the script is told under which kind the job was submitted.
local exact = require "spec.support.exact_json"
local shell = require "spec.support.shell"
local signer = require "spec.support.signer"
local support = require "spec.support.live"
local told_vendor = require "spec.support.told_vendor"

local CONFIG = "config/comfyvn.json"
local WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

-- The kind stands in every path.
local FUNCTIONS = {
  health = [[return function(ctx) ctx.request { path = "/account/" .. ctx.kind } return { ok = true } end]],
  submit = [[return function(payload, ctx)
    local response = ctx.request { method = "POST", path = "/pay/" .. ctx.kind, json = payload }
    return response and response.json or { status = "unknown" }
  end]],
  poll = [[return function(job, ctx)
    local response = ctx.request { path = "/jobs/" .. ctx.kind .. "/" .. job.id }
    return response and response.status == 200 and response.json or { status = "running" }
  end]],
  cancel = [[return function(job, ctx)
    local response = ctx.request { method = "DELETE", path = "/jobs/" .. ctx.kind .. "/" .. job.id }
    return response and response.json or { status = "running" }
  end]],
  reconcile = [[return function(job, ctx)
    local response = ctx.request { path = "/found/" .. ctx.kind }
    return response and response.status == 200 and response.json or { status = "unknown" }
  end]],
}

local MEMBERS = [[
  kinds = { "image", "video" },
  webhook_signature = { scheme = "standard-webhooks", secret = { path = "/secret", field = "key" } },
  webhook = function(delivery, ctx)
    return { id = delivery.job.id, status = "error",
      error = { code = "vendor", message = "told under " .. ctx.kind, billed = false } }
  end, ]]

local vendor, host

local function start(change)
  vendor = told_vendor.start()
  for _, kind in ipairs { "image", "video" } do
    vendor:tell { ["POST /pay/" .. kind] = { each = true, json = { status = "running" } },
      ["GET *"] = { json = { status = "running" } } }
  end
  host = vendor:live {
    functions = FUNCTIONS, members = MEMBERS, env = { PROVIDERD_TEST_HURRY = "8" },
    config = function(config)
      config.features = { enable_public_image_providers = true, enable_public_video_providers = true }
      if change then change(config) end
    end,
  }
end

-- A flag turned on or off, in the file; a host that runs has read it afterwards.
local function set_flag(kind, on)
  vendor.settings.features["enable_public_" .. kind .. "_providers"] = on
  host:write(CONFIG, exact.encode(vendor.settings))
end

local function wait_for_flag(kind, on)
  host:eventually(function()
    return host:get("/api/providers/" .. kind .. "/catalog").json.feature.enabled == on
  end)
end

local function submit(kind)
  return host:post("/api/providers/" .. kind .. "/told/submit", { price = 0.01, dry_run = false })
end

local function job(kind)
  local answer = submit(kind)
  assert(answer.status == 202, answer.body)
  assert.equal(kind, answer.json.kind)
  return answer.json.job_id
end

local function running(kind)
  local job_id = job(kind)
  return job_id, vendor:becomes(job_id, "running").vendor_id
end

describe("live jobs of two kinds", function()
  before_each(function() start() end)
  after_each(function() vendor:remove() end)

  it("are registered, paid for and followed as what they were asked for, also after kill -9 with a flag turned off", function()
    local image, image_id = running "image"
    local video, video_id = running "video"
    host:kill()
    set_flag("video", false)
    vendor:tell { ["GET /jobs/image/" .. image_id] = { json = { status = "done" } },
      ["GET /jobs/video/" .. video_id] = { json = { status = "done" } } }
    host:start_again()
    wait_for_flag("video", false)
    assert.equal("public.image.submit", vendor:becomes(image, "done").kind)
    assert.equal("public.video.submit", vendor:becomes(video, "done").kind) -- it was paid for
    assert.same({ 1, 1 }, { vendor:seen "POST /pay/image", vendor:seen "POST /pay/video" })
    local types = {}
    for _, event in ipairs(host:get("/api/events/history?limit=500&provider=told&job=" .. video).json.events) do
      types[event.type:match("^public%.(%a+)%.")] = true
    end
    assert.same({ video = true }, types)
  end)

  it("stay dry runs while the flag of their kind is off", function()
    set_flag("video", false)
    wait_for_flag("video", false)
    local answer = submit "video"
    assert.equal(200, answer.status)
    assert.is_true(answer.json.dry_run)
    assert.truthy(answer.json.live.missing[1]:find("feature flag enable_public_video_providers is off", 1, true))
    running "image"
    assert.equal(0, vendor:seen "POST /pay/video")
  end)

  it("are asked about as what they are, under either kind", function()
    local video, video_id = running "video"
    vendor:tell { ["GET /jobs/video/" .. video_id] = { json = { status = "done" } } }
    local answer = host:post("/api/providers/image/told/poll", { job_id = video, refresh = true })
    assert.equal(200, answer.status, answer.body)
    assert.equal("video", answer.json.kind)
    assert.equal("enable_public_video_providers", answer.json.feature.feature)
    assert.equal("done", vendor:becomes(video, "done").status)
    assert.equal(0, vendor:seen("GET /jobs/image/" .. video_id))
  end)

  it("are expected to take as long as others of their kind did", function()
    local image, image_id = running "image"
    vendor:tell { ["GET /jobs/image/" .. image_id] = { json = { status = "done" } } }
    vendor:becomes(image, "done")
    assert.equal(1, vendor:status((running "image")).eta.jobs)
    assert.equal(exact.null, vendor:status((running "video")).eta)
  end)

  it("wait while their script does not serve their kind, and go on when it does again", function()
    local function save(members)
      host:write("providers/image_told.lua", vendor:script { functions = FUNCTIONS, members = members })
    end
    local function status(verb) return host:post("/api/providers/video/told/" .. verb, {}).status end
    local video, video_id = running "video"
    save(MEMBERS:gsub("kinds = [^\n]*", ""))
    host:eventually(function() return status "health" == 404 end)
    vendor:tell { ["GET /jobs/video/" .. video_id] = { json = { status = "done" } } }
    host:eventually(function() return vendor:status(video).reason == "the provider's script is not there" end)
    assert.equal("running", vendor:status(video).status)
    save(MEMBERS)
    assert.equal("public.video.submit", vendor:becomes(video, "done").kind)
    assert.equal(1, vendor:seen "POST /pay/video")
  end)

  it("are canceled and looked for as what they are", function()
    local video, video_id = running "video"
    vendor:tell { ["DELETE /jobs/video/" .. video_id] = { json = { status = "canceled" } },
      ["POST /pay/video"] = { hang_up = true } }
    assert.equal("canceled", host:post("/api/jobs/" .. video .. "/cancel").json.status)
    local lost = job "video"
    vendor:becomes(lost, "unknown")
    host:eventually(function() return vendor:seen "GET /found/video" > 0 end)
    assert.equal(0, vendor:seen "GET /found/image")
  end)

  it("get health from the vendor only while the flag of the kind is on", function()
    set_flag("image", false)
    wait_for_flag("image", false)
    for _, kind in ipairs { "image", "video" } do
      local answer = host:post("/api/providers/" .. kind .. "/told/health", { dry_run = false })
      assert.equal(kind == "image", answer.json.dry_run, answer.body)
    end
    assert.same({ 0, 1 }, { vendor:seen "GET /account/image", vendor:seen "GET /account/video" })
  end)
end)

describe("a vendor's webhook for a job of the second kind", function()
  it("is read as that kind", function()
    start()
    vendor.settings.live.public_url = "http://127.0.0.1:" .. host.port .. "/"
    host:write(CONFIG, exact.encode(vendor.settings))
    host:write("config/comfyvn.secrets.json", exact.encode {
      told = { api_key = "told-key", webhook_secret = WEBHOOK_SECRET },
    })
    host:eventually(function() return host:log():find("secrets.reloaded", 1, true) end)
    local video = running "video"
    local id = signer.unhex((video:gsub("-", "")))
    local mac = signer.hmac_sha256(shell.setting(host, "webhook.key"), "providerd webhook|told|" .. id)
    local headers = signer.replicate(WEBHOOK_SECRET, "{}")
    headers["Content-Type"] = "application/json"
    local answer = host:request("POST", "/api/webhooks/told/" .. signer.hex(id) .. signer.hex(mac):sub(1, 32), "{}", headers)
    assert.equal(200, answer.status, answer.body)
    assert.truthy(exact.encode(vendor:becomes(video, "error")):find("told under video", 1, true))
    vendor:remove()
  end)
end)

describe("queued jobs of a kind whose flag was turned off", function()
  it("wait, also after kill -9, let those of the other kind pass, and are sent when it is on again", function()
    start(function(config) config.live.providers.told.max_concurrent = 1 end)
    local first, first_id = running "image"
    local waiting = { job "video", job "video" }
    host:kill()
    set_flag("video", false)
    host:start_again()
    local passing = job "image"
    vendor:tell { ["GET /jobs/image/" .. first_id] = { json = { status = "done" } } }
    vendor:becomes(first, "done")
    local passing_id = vendor:becomes(passing, "running").vendor_id
    for _, job_id in ipairs(waiting) do
      host:eventually(function()
        local found = vendor:status(job_id)
        assert.equal("queued", found.status)
        return found.reason:find("switched off for this provider", 1, true)
      end)
    end
    assert.same({ 2, 0 }, { vendor:seen "POST /pay/image", vendor:seen "POST /pay/video" })
    vendor:tell { ["GET *"] = { json = { status = "done" } } }
    vendor:becomes(passing, "done")
    assert.not_equal(first_id, passing_id)
    assert.equal(0, vendor:seen "POST /pay/video")
    set_flag("video", true)
    for _, job_id in ipairs(waiting) do assert.equal("public.video.submit", vendor:becomes(job_id, "done").kind) end
    assert.same({ 2, 2 }, { vendor:seen "POST /pay/image", vendor:seen "POST /pay/video" })
    vendor:remove()
  end)
end)

describe("a script of two kinds, with the simulator", function()
  -- fal's, which makes what it is asked for under either kind.
  local TEXT = io.open("providers/image_fal.lua"):read("a")
  if not TEXT:find("kinds =", 1, true) then
    TEXT = TEXT:gsub('kind = "image",', 'kind = "image", kinds = { "image", "video" },', 1)
  end

  it("pays once for each, over kill -9 with the flag turned off in between", function()
    local live = support.start { scripts = true, hurry = 8, simulate = { "--job-time", "1500" },
      config = function(config)
        config.features = { enable_public_image_providers = true, enable_public_video_providers = true }
      end }
    live.host:write("providers/image_fal.lua", TEXT)
    live.host:eventually(function()
      return live.host:post("/api/providers/video/fal/health", {}).status == 200
    end)
    local function ask(kind)
      local answer = live.host:post("/api/providers/" .. kind .. "/fal/submit",
        { prompt = "a lighthouse", dry_run = false, max_cost_usd = 20 })
      assert(answer.status == 202, answer.body)
      return answer.json.job_id
    end
    local image, video = ask "image", ask "video"
    live.host:eventually(function() return live:status(image).vendor_id and live:status(video).vendor_id end)
    live.host:kill()
    live.settings.features.enable_public_video_providers = false
    live.host:write(CONFIG, exact.encode(live.settings))
    live.host:start_again()
    assert.same({ "done", "public.image.submit" }, { live:ended(image).status, live:status(image).kind })
    assert.same({ "done", "public.video.submit" }, { live:ended(video).status, live:status(video).kind })
    assert.equal(2, live:paid "fal")
    local answer = live.host:post("/api/providers/video/fal/submit",
      { prompt = "a lighthouse", dry_run = false, max_cost_usd = 20 })
    assert.is_true(answer.json.dry_run)
    assert.equal(2, live:paid "fal")
    live:remove()
  end)
end)
