-- Proves that a preview which asks to be live says what a live submit would do (what it would reserve, what it lacks)
-- and does nothing of it; and that a live job whose client expects a request sends that one or none, however long it
-- waits, whatever becomes of its script meanwhile, over a kill -9 too.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local told_vendor = require "spec.support.told_vendor"

-- Says what it sends, with a word that an edit changes.
local function submit(word)
  return ([[return function(payload, ctx)
    if payload.first then ctx.request { path = "/first", mock = { status = 200, json = {} } } end
    local response = ctx.request { method = "POST", path = "/pay", json = { price = payload.price, word = "%s",
      tell = ctx.webhook_url } }
    return response and response.json or { status = "unknown" }
  end]]):format(word)
end

local WEBHOOK = "webhook = function(delivery, ctx) return { status = 'running' } end,"

local function start(config)
  local vendor = told_vendor.start()
  local host = vendor:live { functions = { submit = submit "one" }, members = WEBHOOK, config = config }
  vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } }, ["GET *"] = { json = {} } }
  return vendor, host
end

local function preview(vendor, body)
  if body.dry_run == nil then body.dry_run = false end
  local answer = vendor.user:post(vendor.path .. "/preview", body)
  assert(answer.status == 200, answer.body)
  return answer.json
end

local function configure(vendor)
  vendor.user:write("config/comfyvn.json", exact.encode(vendor.settings))
end

local function edit(vendor, word)
  vendor.user:write("providers/image_told.lua",
    vendor:script { functions = { submit = submit(word) }, members = WEBHOOK })
end

describe("a preview of a live submit", function()
  local vendor, host
  setup(function() vendor, host = start() end)
  teardown(function() vendor:remove() end)

  local function missing(body) return table.concat(preview(vendor, body).live.missing, "\n") end

  it("says what would be reserved, and that nothing is missing, and sends and reserves nothing", function()
    local before = host:get("/api/budget").body
    local answer = preview(vendor, { price = 0.03 })
    assert.same({}, answer.live.missing)
    assert.same({ 0.03, true, false }, { answer.reserved_usd, answer.dry_run, answer.live.enabled })
    assert.equal(0.5, preview(vendor, { price = 0.5, max_cost_usd = 1 }).reserved_usd)
    assert.equal(0.2, preview(vendor, { max_cost_usd = 0.2 }).reserved_usd)
    assert.is_nil(preview(vendor, { price = 0.03, dry_run = true }).reserved_usd)
    assert.equal(before, host:get("/api/budget").body)
    assert.equal(0, #vendor:seen())
    assert.same({}, host:get("/api/jobs/list").json.tasks)
    assert.same({}, host:get("/api/events/history").json.events)
  end)

  it("says what a submit would be refused for", function()
    assert.matches("say max_cost_usd", missing {})
    assert.same(cjson.null, preview(vendor, {}).reserved_usd)
    assert.matches("more than max_cost_usd allows", missing { price = 1, max_cost_usd = 0.5 })
    assert.matches("comes to nothing", missing { price = 0 })
    local short = preview(vendor, { price = 2000 })
    assert.matches("the budget of the host per day does not allow it", table.concat(short.live.missing))
    assert.equal(2000, short.reserved_usd)
    assert.equal(402, vendor:submit({ price = 2000 }).status)
    local function refused() return #host:get("/api/events/history?type=host.budget.refused").json.events end
    host:eventually(function() return refused() > 0 end) -- it is written behind the answer
    assert.equal(1, refused()) -- the submit's alone
  end)

  it("says that live execution is stopped, or not opened up", function()
    host:post("/api/live/stop")
    local answer = preview(vendor, { price = 0.03 })
    assert.matches("live execution was stopped", table.concat(answer.live.missing))
    assert.equal(0.03, answer.reserved_usd)
    host:post("/api/live/start")
    vendor.settings.live.providers.told.enabled = false
    configure(vendor)
    host:eventually(function() return missing({ price = 0.03 }):find("live.providers.told.enabled", 1, true) end)
    assert.matches("say max_cost_usd", missing {})
    vendor.settings.live.providers.told.enabled = true
    configure(vendor)
    host:eventually(function() return missing({ price = 0.03 }) == "" end)
  end)

  it("names the request that a submit then sends, once", function()
    local shown = preview(vendor, { price = 0.03 })
    local answer = vendor:submit { price = 0.03, expect_upstream_sha256 = shown.upstream_sha256 }
    assert.equal(202, answer.status, answer.body)
    assert.equal(shown.upstream_sha256, answer.json.upstream_sha256)
    assert.equal("done", vendor:becomes(answer.json.job_id, "done").status)
    assert.equal(1, vendor:seen "POST /pay")
  end)

  it("names one that a free step comes before", function()
    local shown, before = preview(vendor, { price = 0.03, first = true }), vendor:seen "POST /pay"
    local answer = vendor:submit { price = 0.03, first = true, expect_upstream_sha256 = shown.upstream_sha256 }
    assert.equal("done", vendor:becomes(answer.json.job_id, "done").status)
    assert.same({ before + 1, 1 }, { vendor:seen "POST /pay", vendor:seen "GET /first" })
  end)

  it("that a submit does not match is 409, and nothing is reserved or registered", function()
    local shown, before = preview(vendor, { price = 0.03 }), host:get("/api/budget").body
    local jobs, paid = #host:get("/api/jobs/list").json.tasks, vendor:seen "POST /pay"
    local answer = vendor:submit { price = 0.04, expect_upstream_sha256 = shown.upstream_sha256 }
    assert.equal(409, answer.status)
    assert.equal(preview(vendor, { price = 0.04 }).upstream_sha256, answer.json.upstream_sha256)
    assert.equal(before, host:get("/api/budget").body)
    assert.same({ jobs, paid }, { #host:get("/api/jobs/list").json.tasks, vendor:seen "POST /pay" })
  end)
end)

describe("a live job that expects a request, and waits", function()
  local vendor, host
  before_each(function()
    vendor, host = start(function(config)
      config.live.providers.told.rate_per_minute = 1
      config.live.public_url = "https://studio.example"
    end)
  end)
  after_each(function() vendor:remove() end)

  -- A job behind another one, which has taken this minute's place.
  local function waiting()
    local shown = preview(vendor, { price = 0.03 })
    assert.matches("{webhook_token}", shown.upstream.body.tell, 1, true)
    local function job() return { price = 0.03, expect_upstream_sha256 = shown.upstream_sha256 } end
    assert.equal("done", vendor:becomes(vendor:submit(job()).json.job_id, "done").status)
    local answer = vendor:submit(job())
    assert.equal(202, answer.status, answer.body)
    assert.equal("queued", vendor:status(answer.json.job_id).status)
    return answer.json.job_id
  end

  local function let_go()
    vendor.settings.live.providers.told.rate_per_minute = 6000
    configure(vendor)
  end

  it("is sent when its turn comes, also after a kill -9", function()
    local job = waiting()
    host:kill()
    vendor.settings.live.providers.told.rate_per_minute = 6000
    configure(vendor)
    host:start_again()
    assert.equal("done", vendor:becomes(job, "done").status)
    assert.equal(2, vendor:seen "POST /pay")
  end)

  it("is not sent when its script has changed meanwhile, and costs nothing", function()
    local job, generation = waiting(), preview(vendor, { price = 1 }).upstream_sha256
    edit(vendor, "two")
    host:eventually(function() return preview(vendor, { price = 1 }).upstream_sha256 ~= generation end)
    let_go()
    local ended = vendor:becomes(job, "error")
    assert.matches("would not be the expected one any more", ended.result.error.message, 1, true)
    assert.same({ "invalid", false, 0, "not_billed" },
      { ended.result.error.code, ended.result.error.billed, ended.money.spent_usd, ended.money.basis })
    assert.equal(1, vendor:seen "POST /pay")
    assert.equal(0, host:get("/api/budget").json.host.day.reserved_usd)
  end)

  it("is not sent when that happened while the host was dead", function()
    local job = waiting()
    host:kill()
    edit(vendor, "two")
    let_go()
    host:start_again()
    assert.equal("error", vendor:becomes(job, "error").status)
    assert.equal(1, vendor:seen "POST /pay")
  end)

  it("is sent when only what its script says of prices has changed", function()
    local job = waiting()
    vendor.user:write("providers/image_told.lua", "-- saved again\n"
      .. vendor:script { functions = { submit = submit "one" }, members = WEBHOOK })
    let_go()
    assert.equal("done", vendor:becomes(job, "done").status)
    assert.equal(2, vendor:seen "POST /pay")
  end)
end)
