-- callback_url of live jobs: each job's whole story, in order, signed.
local cjson = require "cjson"
local signer = require "spec.support.signer"
local start = require("spec.support.host").start
local support = require "spec.support.live"

describe("callback_url of a live job", function()
  local live, receiver
  setup(function()
    receiver = start { program = "lua5.4", arguments = { "spec/support/receiver.lua" }, config = "" }
    live = support.start { hurry = 8, config = function(config) config.hooks = { enabled = true, allow_loopback = true } end }
  end)
  teardown(function()
    live:remove()
    receiver:kill()
    receiver:remove()
  end)

  it("tells of it from the submit to its bill", function()
    local secrets, stories = {}, {}
    for _, provider in ipairs { "fal", "replicate", "stability", "runway", "luma", "pika", "runpod", "modal" } do
      local answer = live:submit(provider, { callback_url = "http://127.0.0.1:" .. receiver.port .. "/hook/" .. provider })
      assert.equal(202, answer.status, answer.body)
      secrets[answer.json.job_id], stories[answer.json.job_id] = answer.json.callback.secret, {}
    end
    for job_id in pairs(secrets) do assert.equal("done", live:ended(job_id).status) end
    local list = receiver:eventually(function()
      local found, settled = receiver:get("/received").json.received, 0
      for _, delivery in ipairs(found) do
        if cjson.decode(delivery.body).type:find("%.settled$") then settled = settled + 1 end
      end
      return settled == 8 and found
    end)
    for _, delivery in ipairs(list) do
      local event, headers = cjson.decode(delivery.body), delivery.headers
      local story = stories[event.subject]
      local signature = signer.standard(secrets[event.subject], headers["webhook-id"], headers["webhook-timestamp"],
        delivery.body)
      assert.equal("v1," .. signature, headers["webhook-signature"])
      assert.is_true(#story == 0 or tonumber(story[#story].id) < tonumber(event.id))
      story[#story + 1] = event
    end
    for _, story in pairs(stories) do
      local seen = {}
      for _, event in ipairs(story) do seen[event.type:match("[^.]+$")] = event end
      assert.is_truthy(story[1].type:find("%.submit$"))
      assert.equal("queued", story[1].data.status)
      assert.is_truthy(seen.done and seen.settled)
      assert.equal("done", seen.done.data.status)
    end
    for _, delivery in ipairs(list) do
      for _, planted in pairs(support.SECRETS) do
        for _, value in pairs(planted) do assert.is_nil(delivery.body:find(value, 1, true)) end
      end
    end
  end)

  it("shows its secret in the answer of a submit that waits for the job's end too", function()
    local url = "http://127.0.0.1:" .. receiver.port .. "/hook/waited"
    local answer = live:submit("fal", { callback_url = url }, { Prefer = "wait=30" })
    assert.equal(200, answer.status, answer.body)
    assert.equal("done", answer.json.status)
    assert.equal(url, answer.json.callback.url)
    local delivery = receiver:eventually(function()
      for _, found in ipairs(receiver:get("/received").json.received) do
        if found.path == "/hook/waited" then return found end
      end
    end)
    local headers = delivery.headers
    assert.equal("v1," .. signer.standard(answer.json.callback.secret, headers["webhook-id"], headers["webhook-timestamp"],
      delivery.body), headers["webhook-signature"])
    local polled = live.host:post(live:path("fal", "poll"), { job_id = answer.json.job_id })
    assert.is_nil(polled.json.callback)
    local own = live:submit("fal", { callback_url = url, callback_secret = answer.json.callback.secret }, { Prefer = "wait=30" })
    assert.same({ url = url }, own.json.callback)
  end)

  it("tells it in order also when the receiver fails in between", function()
    receiver:post("/control", { status = 500, ["for"] = '"queued"' }) -- the first part of the story, not the rest
    local answer = live:submit("fal", { callback_url = "http://127.0.0.1:" .. receiver.port .. "/hook/order" })
    local job_id = answer.json.job_id
    live:ended(job_id)
    require("socket").sleep(1)
    receiver:post("/control", { status = 200 })
    local function story()
      local told = {}
      for _, delivery in ipairs(receiver:get("/received").json.received) do
        local event = cjson.decode(delivery.body)
        if event.subject == job_id and delivery.answered == 200 then told[#told + 1] = event end
      end
      return told
    end
    receiver:eventually(function()
      local told = story()
      return #told > 0 and told[#told].type:find("%.settled$")
    end)
    local told, last = story(), 0
    assert.is_true(#told >= 3)
    assert.is_truthy(told[1].type:find("%.submit$"), "it began with " .. told[1].type)
    for _, event in ipairs(told) do
      assert.is_true(tonumber(event.id) > last, event.type .. " came too late")
      last = tonumber(event.id)
    end
  end)
end)
