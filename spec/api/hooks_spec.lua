-- Outgoing webhooks: who may register, what is delivered (signed by the Standard Webhooks specification, at least once, in order
-- per job), and what becomes of it when the receiver fails, hangs, or is away over a restart of the host.
local cjson = require "cjson"
local clocks = require "spec.support.clock"
local mime = require "mime"
local hooks = require "spec.support.hooks"
local npm = require "spec.support.npm"
local signer = require "spec.support.signer"
local socket = require "socket"
local start = require("spec.support.host").start
local timely = require "spec.support.timely"

local WEBHOOKS = hooks.path
local start_receiver, stop_receiver, start_host, url_of, register, submit, received, await, show, verify =
  hooks.start_receiver, hooks.stop_receiver, hooks.start_host, hooks.url_of, hooks.register, hooks.submit, hooks.received,
  hooks.await, hooks.show, hooks.verify

describe("registering a webhook", function()
  local host, receiver
  setup(function()
    receiver = start_receiver()
    host = start_host { server = { api_keys = { { name = "ci", sha256 = signer.hex(signer.sha256("key")) } } } }
  end)
  teardown(function()
    host:remove()
    stop_receiver(receiver)
  end)

  local function post(body, path)
    return host:post(path or WEBHOOKS, body, { ["X-API-Key"] = "key" })
  end

  it("needs an API key when there are any", function()
    local calls = { { "POST", WEBHOOKS }, { "GET", WEBHOOKS }, { "DELETE", WEBHOOKS }, { "POST", "/api/modder/hooks/test" } }
    for _, call in ipairs(calls) do
      assert.equal(401, host:request(call[1], call[2], { url = "https://a.example/" }).status)
    end
  end)

  it("shows the secret once, and the webhook without it", function()
    local made = post { url = "https://studio.example/hook?x=1", events = { "public.image.*", "public.video.done" } }
    assert.equal(201, made.status, made.body)
    assert.is_truthy(made.json.secret:match("^whsec_"))
    assert.equal(32, #mime.unb64((made.json.secret:gsub("^whsec_", ""))))
    local list = host:get(WEBHOOKS, { ["X-API-Key"] = "key" })
    assert.equal("https://studio.example/hook?x=1", list.json.webhooks[1].url)
    assert.equal("public.image.*,public.video.done", list.json.webhooks[1].events)
    assert.equal("ci", list.json.webhooks[1].registered_by)
    local modded = host:get("/api/modder/hooks", { ["X-API-Key"] = "key" })
    assert.equal(made.json.id, modded.json.webhooks[1].id)
    for _, answer in ipairs { list, modded } do assert.is_nil(answer.body:find(made.json.secret, 1, true)) end
    assert.is_nil(host:log():find(made.json.secret, 1, true))
    local gone = host:request("DELETE", WEBHOOKS, { id = made.json.id }, { ["X-API-Key"] = "key" })
    assert.equal(200, gone.status)
    assert.equal(0, #host:get(WEBHOOKS, { ["X-API-Key"] = "key" }).json.webhooks)
    assert.equal(404, host:request("DELETE", WEBHOOKS .. "/" .. made.json.id, nil, { ["X-API-Key"] = "key" }).status)
  end)

  it("takes a URL of the greatest length, and finds it again", function()
    local url = "https://a.example/" .. ("x"):rep(2048 - #"https://a.example/")
    assert.equal(201, post({ url = url }).status)
    local longer = host:request("DELETE", WEBHOOKS .. "?url=" .. url .. "x", nil, { ["X-API-Key"] = "key" })
    assert.equal(404, longer.status)
    assert.equal(200, host:request("DELETE", WEBHOOKS .. "?url=" .. url, nil, { ["X-API-Key"] = "key" }).status)
    assert.equal(400, post({ url = url .. "x" }).status)
  end)

  it("takes a body that is null for none", function()
    assert.equal(202, post("null", "/api/modder/hooks/test").status)
    assert.equal("url", post("null").json.errors[1].path)
  end)

  local refused = {
    { {}, "url" }, { { url = 5 }, "url" }, { { url = "ftp://a.example/" }, "url" }, { { url = "http://a.example/" }, "url" },
    { { url = "https://user:pw@a.example/" }, "url" }, { { url = "https://a.example/#x" }, "url" },
    { { url = "https://a.example/\n" }, "url" }, { { url = "https://" }, "url" },
    { { url = "https://a.example/" .. ("x"):rep(2100) }, "url" }, { { url = "http://10.0.0.1/" }, "url" },
    { { url = "http://169.254.169.254/latest" }, "url" }, { { url = "https://a.example/", events = { 5 } }, "events" },
    { { url = "https://a.example/", events = "public image" }, "events" },
    { { url = "https://a.example/", secret = "abc" }, "secret" },
    { { url = "https://a.example/", secret = "whsec_" .. ("A"):rep(12) }, "secret" },
    { { url = "https://a.example/", secrets = "x" }, "secrets" },
  }
  for i, case in ipairs(refused) do
    it("refuses " .. case[2] .. " (" .. i .. ")", function()
      local answer = post(case[1])
      assert.equal(400, answer.status, answer.body)
      assert.equal(case[2], answer.json.errors[1].path)
    end)
  end

  it("answers other methods with all that a path takes", function()
    local answer = host:request("PUT", WEBHOOKS, {}, { ["X-API-Key"] = "key" })
    assert.equal(405, answer.status)
    assert.equal("GET, HEAD, POST, DELETE", answer.headers["allow"])
  end)
end)

describe("removing webhooks by a URL that several have", function()
  it("takes what a modder's tool sends: one event, and both to remove it", function()
    local host, url = start_host(), "https://a.example/tool"
    finally(function() host:remove() end)
    local function listed()
      local events = {}
      for _, hook in ipairs(host:get(WEBHOOKS).json.webhooks) do
        if hook.url == url then events[#events + 1] = hook.events end
      end
      table.sort(events)
      return events
    end
    for _, event in ipairs { "public.image.submit", "public.gpu.submit" } do
      assert.equal(201, host:post(WEBHOOKS, { event = event, url = url }).status)
    end
    assert.same({ "public.gpu.submit", "public.image.submit" }, listed())
    for _, wrong in ipairs {
      { event = "a", events = { "b" } }, { event = 5 }, { event = "" }, { events = {} }, { events = "" },
    } do
      wrong.url = url
      local answer = host:post(WEBHOOKS, wrong)
      assert.same({ 400, wrong.event and "event" or "events" }, { answer.status, answer.json.errors[1].path })
    end
    local one = { event = "public.gpu.submit", url = url }
    assert.equal(200, host:request("DELETE", WEBHOOKS, one).status)
    assert.same({ "public.image.submit" }, listed())
    assert.equal(404, host:request("DELETE", WEBHOOKS, one).status)
    assert.equal(200, host:request("DELETE", WEBHOOKS, { url = url }).status)
  end)

  it("removes one for each request, the same in memory and in the registry", function()
    local host, url, connections = start_host(), "https://a.example/same", {}
    finally(function() host:remove() end)
    for _ = 1, 6 do register(host, url) end
    for i = 1, 4 do connections[i] = host:connect() end
    for _, connection in ipairs(connections) do connection:send("DELETE", WEBHOOKS .. "?url=" .. url) end
    for _, connection in ipairs(connections) do assert.equal(200, connection:receive().status) end
    local function ids()
      local list = {}
      for i, hook in ipairs(host:get(WEBHOOKS).json.webhooks) do list[i] = hook.id end
      table.sort(list)
      return list
    end
    local left = ids()
    assert.equal(2, #left)
    host:stop()
    host:start_again()
    assert.same(left, ids())
  end)
end)

describe("with hooks.enabled off", function()
  it("nothing is registered", function()
    local host = start { config = {} }
    local answer = host:post(WEBHOOKS, { url = "https://a.example/" })
    assert.equal(403, answer.status)
    assert.is_truthy(answer.json.detail:find("hooks.enabled", 1, true))
    assert.is_false(host:get(WEBHOOKS).json.enabled)
    host:remove()
  end)

  it("nothing goes out, and what waits goes out when it is on again", function()
    local receiver = start_receiver()
    local host = start_host()
    register(host, url_of(receiver))
    host:write("config/comfyvn.json", cjson.encode { server = { threads = 16 } })
    host:eventually(function() return host:get(WEBHOOKS).json.enabled == false end)
    submit(host)
    socket.sleep(0.5)
    assert.equal(0, #received(receiver))
    host:write("config/comfyvn.json", cjson.encode { server = { threads = 16 },
      hooks = { enabled = true, allow_loopback = true } })
    await(receiver, 1)
    host:remove()
    stop_receiver(receiver)
  end)

  it("loopback is refused without hooks.allow_loopback", function()
    local host = start { config = { hooks = { enabled = true } } }
    assert.equal(400, host:post(WEBHOOKS, { url = "http://127.0.0.1:9/" }).status)
    assert.equal(201, host:post(WEBHOOKS, { url = "https://127.0.0.1:9/" }).status) -- refused when it is called
    submit(host)
    host:eventually(function()
      local hook = host:get(WEBHOOKS).json.webhooks[1]
      return type(hook.last_problem) == "string" and hook.last_problem:find("private", 1, true)
    end)
    host:remove()
  end)
end)

describe("a webhook", function()
  local host, receiver
  before_each(function()
    receiver = start_receiver()
    host = start_host()
  end)
  after_each(function()
    host:remove()
    stop_receiver(receiver)
  end)

  it("gets every event that fits, signed, with the event's number in its id", function()
    local hook = register(host, url_of(receiver), { events = { "public.image.*" } })
    local jobs = {}
    for i = 1, 20 do jobs[submit(host, "a cat " .. i)] = true end
    host:post("/api/providers/video/luma/submit", { prompt = "not for it" })
    local list = await(receiver, 20)
    local ids = {}
    for _, delivery in ipairs(list) do
      local event = verify(delivery, hook.secret)
      assert.equal("1.0", event.specversion)
      assert.equal("public.image.submit", event.type)
      assert.is_true(jobs[event.subject])
      jobs[event.subject] = nil
      assert.is_nil(ids[delivery.headers["webhook-id"]])
      ids[delivery.headers["webhook-id"]] = true
      assert.is_truthy(delivery.headers["webhook-id"]:find("_" .. event.id .. "$"))
      assert.equal("application/json", delivery.headers["content-type"])
    end
    assert.is_nil(next(jobs))
    socket.sleep(0.3)
    assert.equal(20, #received(receiver))
    local shown = show(host, hook.id)
    assert.equal(0, shown.waiting)
    assert.equal(20, shown.delivered)
    assert.equal(200, shown.last_status)
  end)

  it("is told of what happens from its registration on", function()
    submit(host)
    register(host, url_of(receiver))
    submit(host)
    await(receiver, 1)
    socket.sleep(0.3)
    assert.equal(1, #received(receiver))
  end)

  it("is tested, alone or with all others, whatever its patterns", function()
    local one = register(host, url_of(receiver, "/hook/one"), { events = { "public.gpu.*" } })
    register(host, url_of(receiver, "/hook/two"))
    assert.equal(202, host:post("/api/modder/hooks/test", { id = one.id }).status)
    local list = await(receiver, 1)
    assert.equal("host.hook.test", verify(list[1], one.secret).type)
    assert.equal(202, host:post("/api/modder/hooks/test").status)
    await(receiver, 3)
    socket.sleep(0.3)
    list = received(receiver)
    assert.equal(3, #list)
    assert.equal("/hook/one", list[1].path)
    assert.equal(404, host:post("/api/modder/hooks/test", { id = "hook_0000000000000000" }).status)
  end)

  it("is tested whatever the name of the key that asks", function()
    local name = "hook_00000000000000ff"
    local keyed = start_host { server = { api_keys = { { name = name, sha256 = signer.hex(signer.sha256("key")) } } } }
    finally(function() keyed:remove() end)
    local key = { ["X-API-Key"] = "key" }
    local made = keyed:post(WEBHOOKS, { url = url_of(receiver, "/hook/one") }, key).json
    keyed:post(WEBHOOKS, { url = url_of(receiver, "/hook/two") }, key)
    assert.equal(202, keyed:post("/api/modder/hooks/test", nil, key).status)
    assert.equal(name, cjson.decode(await(receiver, 2)[1].body).data.asked_by)
    assert.equal(202, keyed:post("/api/modder/hooks/test", { id = made.id }, key).status)
    await(receiver, 3)
    socket.sleep(0.3)
    local list = received(receiver)
    assert.equal(3, #list)
    assert.equal("/hook/one", list[3].path)
  end)

  it("that fails is tried again, with the same id, and the next job's events do not wait for it", function()
    local hook = register(host, url_of(receiver))
    receiver:post("/control", { status = 500, ["for"] = "poison" })
    submit(host, "poison")
    submit(host, "fine")
    await(receiver, 2)
    receiver:eventually(function()
      local shown = show(host, hook.id)
      return shown.waiting == 1 and shown.last_problem and shown.delivered == 1
    end)
    receiver:post("/control", { status = 204 })
    local list = await(receiver, 3)
    local ids = {}
    for _, delivery in ipairs(list) do
      local event = verify(delivery, hook.secret)
      ids[event.subject] = ids[event.subject] or delivery.headers["webhook-id"]
      assert.equal(ids[event.subject], delivery.headers["webhook-id"])
    end
    receiver:eventually(function() return show(host, hook.id).waiting == 0 end)
  end)

  it("that is gone (410) is parked, shown, and sent again when asked for", function()
    local hook = register(host, url_of(receiver))
    receiver:post("/control", { status = 410 })
    local first, second = submit(host, "one"), submit(host, "two")
    local shown = receiver:eventually(function()
      local found = show(host, hook.id)
      return found.parked_count == 2 and found or nil
    end)
    assert.equal(0, shown.waiting)
    assert.equal(2, #shown.parked)
    assert.equal(410, shown.parked[1].status)
    assert.equal("the receiver answered 410", shown.parked[1].problem)
    receiver:post("/control", { status = 200 })
    local answer = host:post(WEBHOOKS .. "/" .. hook.id .. "/replay", { event = shown.parked[2].event })
    assert.equal(202, answer.status)
    assert.equal(1, answer.json.replayed)
    assert.equal(second, verify(await(receiver, 3)[3], hook.secret).subject)
    assert.equal(1, host:post(WEBHOOKS .. "/" .. hook.id .. "/replay").json.replayed)
    assert.equal(first, verify(await(receiver, 4)[4], hook.secret).subject)
    receiver:eventually(function() return show(host, hook.id).parked_count == 0 end)
    assert.equal(404, host:post(WEBHOOKS .. "/hook_1/replay").status)
  end)

  it("does not follow redirects", function()
    local hook = register(host, url_of(receiver))
    receiver:post("/control", { status = 302 })
    submit(host)
    receiver:eventually(function() return show(host, hook.id).last_problem == "the receiver answered 302" end)
    assert.equal(1, #received(receiver))
  end)

  it("is signed with both secrets while one is changed for the other", function()
    local hook = register(host, url_of(receiver), { secret = "whsec_" .. mime.b64(("o"):rep(24)) })
    assert.equal("whsec_" .. mime.b64(("o"):rep(24)), hook.secret)
    local changed = host:post(WEBHOOKS .. "/" .. hook.id .. "/rotate")
    assert.equal(200, changed.status, changed.body)
    assert.is_not.equal(hook.secret, changed.json.secret)
    submit(host)
    local delivery = await(receiver, 1)[1]
    verify(delivery, changed.json.secret)
    verify(delivery, hook.secret)
    assert.is_string(show(host, hook.id).earlier_secret_until)
    assert.is_false(pcall(verify, delivery, "whsec_" .. mime.b64(("x"):rep(24))))
  end)

  it("is no longer called when it was removed", function()
    local hook = register(host, url_of(receiver))
    assert.equal(200, host:request("DELETE", WEBHOOKS .. "?id=" .. hook.id).status)
    submit(host)
    socket.sleep(0.5)
    assert.equal(0, #received(receiver))
  end)

  it("outlives the host: nothing that it missed is lost", function()
    local hook = register(host, url_of(receiver))
    local port, jobs = receiver.port, {}
    for i = 1, 5 do jobs[#jobs + 1] = submit(host, "before " .. i) end
    await(receiver, 5)
    receiver:kill()
    for i = 1, 5 do jobs[#jobs + 1] = submit(host, "away " .. i) end
    host:kill()
    host:start_again()
    for i = 1, 5 do jobs[#jobs + 1] = submit(host, "after " .. i) end
    stop_receiver(receiver)
    receiver = start_receiver(port)
    local seen = {}
    receiver:eventually(function()
      for _, delivery in ipairs(received(receiver)) do seen[verify(delivery, hook.secret).subject] = true end
      for i = 6, #jobs do if not seen[jobs[i]] then return false end end
      return true
    end)
    receiver:eventually(function() return show(host, hook.id).waiting == 0 end)
  end)

  it("that hangs holds up no submit, and the host stops in time", function()
    register(host, url_of(receiver))
    receiver:post("/control", { hang = true })
    for i = 1, 20 do submit(host, "p " .. i) end
    await(receiver, 8)
    timely.within(2, function() assert.is_string(submit(host, "quick")) end)
    local before = socket.gettime()
    host:ends_well()
    assert.is_true(socket.gettime() - before < 40) -- the most that a stop takes is 50
    host:start_again()
  end)
end)

describe("after a day", function()
  local host, receiver, clock

  -- The host's clock goes on by so many hours; a new configuration wakes whoever sleeps.
  local function shift(hours)
    clock:wall(hours * 3600)
    host:write("config/comfyvn.json", cjson.encode { hooks = { enabled = true, allow_loopback = true }, server = { threads = 16 },
      registry = { keep_days = 30 + hours } })
  end

  before_each(function()
    clock = clocks.new()
    if not clock then return end
    receiver = start_receiver()
    host = start_host(nil, { env = clock.env })
  end)

  after_each(function()
    if not host then return end
    host:remove()
    stop_receiver(receiver)
    clock:remove()
    host = nil
  end)

  it("a delivery that never succeeded is parked, and can be sent again", function()
    if not host then return pending("not under a sanitizer") end
    local hook = register(host, url_of(receiver), { events = { "public.*" } })
    receiver:post("/control", { status = 500 })
    submit(host, "lost")
    local waiting = host:eventually(function()
      local shown = show(host, hook.id)
      return shown.waiting == 1 and shown.last_status == 500 and shown
    end)
    assert.equal(0, waiting.parked_count)
    shift(23)
    host:eventually(function() return #received(receiver) >= 2 end)
    socket.sleep(0.2)
    assert.equal(0, show(host, hook.id).parked_count)
    shift(30)
    local parked = host:eventually(function()
      local shown = show(host, hook.id)
      return shown.parked_count == 1 and shown.parked[1]
    end)
    assert.equal(3, parked.attempts)
    assert.equal("the receiver answered 500", parked.problem)
    host:stop()
    host:start_again()
    assert.equal(1, show(host, hook.id).parked_count)
    receiver:post("/control", { status = 200 })
    assert.equal(1, host:post(WEBHOOKS .. "/" .. hook.id .. "/replay").json.replayed)
    local list = await(receiver, 4)
    local first, last = list[1], list[4]
    assert.equal(200, last.answered)
    assert.equal(first.headers["webhook-id"], last.headers["webhook-id"])
  end)

  it("an earlier secret no longer signs", function()
    if not host then return pending("not under a sanitizer") end
    local hook = register(host, url_of(receiver), { events = { "public.*" } })
    local changed = host:post(WEBHOOKS .. "/" .. hook.id .. "/rotate").json
    submit(host)
    assert.is_truthy(await(receiver, 1)[1].headers["webhook-signature"]:find(" ", 1, true))
    shift(25)
    host:eventually(function() return show(host, hook.id).earlier_secret_until == cjson.null end)
    submit(host)
    local delivery = await(receiver, 2)[2]
    assert.is_nil(delivery.headers["webhook-signature"]:find(" ", 1, true))
    assert.equal("v1," .. signer.standard(changed.secret, delivery.headers["webhook-id"], delivery.headers["webhook-timestamp"],
      delivery.body), delivery.headers["webhook-signature"])
  end)
end)

describe("signatures", function()
  it("pass the reference implementation", function()
    local missing = npm.install()
    if missing then return pending(missing) end
    local receiver, host = start_receiver(), start_host()
    finally(function()
      host:remove()
      stop_receiver(receiver)
    end)
    local hook = register(host, url_of(receiver))
    submit(host)
    local delivery = await(receiver, 1)[1]
    local function check(body)
      local path = os.tmpname()
      local file = assert(io.open(path, "wb"))
      file:write(cjson.encode { secret = hook.secret, headers = delivery.headers, body = body })
      file:close()
      local good, output = npm.run([[const {Webhook} = require("standardwebhooks");
        const d = JSON.parse(require("fs").readFileSync(process.argv[1]));
        const e = new Webhook(d.secret).verify(d.body, d.headers); if (e.specversion !== "1.0") process.exit(1);]], path)
      os.remove(path)
      return good, output
    end
    assert.is_true(check(delivery.body))
    local good, output = check((delivery.body:gsub("submit", "summit")))
    assert.is_false(good)
    assert.truthy(output:find("No matching signature found", 1, true), output)
  end)
end)
