-- GET .../webhooks/{id}/deliveries: what was tried, the newest first.
local cjson = require "cjson"
local hooks = require "spec.support.hooks"
local keys = require "spec.support.keys"

local PATH = hooks.path
local KEPT = 50

describe("the deliveries of a webhook", function()
  local host, receiver
  setup(function()
    receiver = hooks.start_receiver()
    host = hooks.start_host()
  end)
  teardown(function()
    host:remove()
    hooks.stop_receiver(receiver)
  end)

  local function deliveries(id)
    local answer = host:get(PATH .. "/" .. id .. "/deliveries")
    assert.equal(200, answer.status, answer.body)
    return answer.json.deliveries
  end

  -- Waits until so many were made.
  local function await(id, count)
    return host:eventually(function()
      local list = deliveries(id)
      return #list >= count and list
    end)
  end

  local function register()
    receiver:post("/control", { status = 200 })
    return hooks.register(host, hooks.url_of(receiver)).id
  end

  local function remove(id)
    assert.equal(200, host:request("DELETE", PATH .. "/" .. id).status)
  end

  it("are none at first", function()
    local id = register()
    assert.same({}, deliveries(id))
    remove(id)
  end)

  it("tell event, job, time and status", function()
    local id = register()
    local job = hooks.submit(host)
    local made = await(id, 1)[1]
    local event = host:get("/api/events/history?job=" .. job).json.events[1]
    assert.same({ event.id, "public.image.submit", job, 1, 200, cjson.null },
      { made.event, made.type, made.job_id, made.attempt, made.status, made.problem })
    assert.is_true(made.at >= event.time and made.ms >= 0 and made.ms < 15000)
    remove(id)
  end)

  it("tell each attempt that failed, and why", function()
    local id = register()
    receiver:post("/control", { status = 500 })
    hooks.submit(host)
    assert.same({ 1, 500, "the receiver answered 500" },
      { await(id, 1)[1].attempt, deliveries(id)[1].status, deliveries(id)[1].problem })
    receiver:post("/control", { status = 200 })
    local list = await(id, 2)
    assert.same({ 2, 200, 1, 500 }, { list[1].attempt, list[1].status, list[2].attempt, list[2].status })
    assert.equal(list[1].event, list[2].event)
    assert.is_true(list[1].at > list[2].at)
    remove(id)
  end)

  it("tell that nobody answered", function()
    local away = hooks.start_receiver()
    local url = hooks.url_of(away)
    hooks.stop_receiver(away)
    local id = hooks.register(host, url).id
    hooks.submit(host)
    local made = await(id, 1)[1]
    assert.equal(0, made.status)
    assert.is_true(#made.problem > 0 and #made.problem < 120)
    remove(id)
  end)

  it("have events of the host too, of no job", function()
    local id = register()
    assert.equal(202, host:post("/api/modder/hooks/test", { id = id }).status)
    local made = await(id, 1)[1]
    assert.same({ "host.hook.test", cjson.null }, { made.type, made.job_id })
    remove(id)
  end)

  it("have no test that was another webhook's", function()
    local id, other = register(), register()
    host:post("/api/modder/hooks/test", { id = other })
    await(other, 1)
    hooks.submit(host)
    await(other, 2)
    assert.equal("public.image.submit", await(id, 1)[1].type)
    assert.equal(1, #deliveries(id))
    remove(id)
    remove(other)
  end)

  it("are kept up to 50", function()
    local id = register()
    for i = 1, KEPT + 7 do hooks.submit(host, "p " .. i) end
    host:eventually(function() return hooks.show(host, id).delivered == KEPT + 7 end)
    local list, seen = deliveries(id), {}
    assert.equal(KEPT, #list)
    for _, made in ipairs(list) do
      assert.is_nil(seen[made.event])
      seen[made.event] = true
    end
    local newest = host:get("/api/events/history?type=public.*&limit=500").json.events
    for i = #newest, #newest - 40, -1 do assert.is_true(seen[newest[i].id], "the newest are there") end
    remove(id)
  end)

  it("of callbacks name the job", function()
    assert.equal(404, host:get(PATH .. "/callbacks/deliveries").status)
    local body = { prompt = "mine", callback_url = hooks.url_of(receiver, "/hook/mine") }
    local answer = host:post("/api/providers/image/fal/submit", body)
    local made = await("callbacks", 1)[1]
    assert.same({ answer.json.job_id, "public.image.submit", 200 }, { made.job_id, made.type, made.status })
    local shown = host:get(PATH .. "/callbacks/deliveries").body
    assert.is_nil(shown:find("whsec", 1, true))
  end)

  it("are of a webhook that there is", function()
    assert.equal(404, host:get(PATH .. "/hook_0000000000000001/deliveries").status)
    local id = register()
    remove(id)
    assert.equal(404, host:get(PATH .. "/" .. id .. "/deliveries").status)
    local answer = host:post(PATH .. "/" .. id .. "/deliveries", {})
    assert.same({ 405, "GET, HEAD" }, { answer.status, answer.headers.allow })
  end)
end)

describe("the deliveries of a webhook, with API keys,", function()
  it("are for operators who see all", function()
    local host = hooks.start_host({ server = { api_keys = { keys.entry("boss"), keys.entry("reader", { may = { "read" } }),
      keys.entry("mine", { sees = "own" }) } } })
    local id = host:post(PATH, { url = "https://receiver.example/in" }, keys.headers("boss")).json.id
    for name, status in pairs { boss = 200, reader = 403, mine = 403 } do
      assert.equal(status, host:get(PATH .. "/" .. id .. "/deliveries", keys.headers(name)).status, name)
    end
    host:remove()
  end)
end)
