-- Outgoing webhooks when many meet on them: receivers that hang beside one that answers, and clients that register, remove and
-- change secrets at the same time.
local hooks = require "spec.support.hooks"
local socket = require "socket"

local hanging, good, host

local function start()
  hanging, good = hooks.start_receiver(), hooks.start_receiver()
  hanging:post("/control", { hang = true })
  host = hooks.start_host { server = { threads = 64 } }
end

after_each(function()
  host:remove()
  hooks.stop_receiver(hanging)
  hooks.stop_receiver(good)
end)

local function call_back(receiver, prompt)
  local answer = host:post("/api/providers/image/fal/submit", { prompt = prompt, callback_url = hooks.url_of(receiver) })
  assert.equal(200, answer.status, answer.body)
end

-- All are sent before the first answer is read.
local function at_once(requests)
  local clients, answers = {}, {}
  for i in ipairs(requests) do clients[i] = host:connect() end
  for i, request in ipairs(requests) do clients[i]:send(table.unpack(request)) end
  for i, client in ipairs(clients) do
    answers[i] = client:receive()
    client:close()
  end
  return answers
end

describe("a receiver that answers", function()
  it("does not wait for callbacks to one that hangs, which gets few at a time", function()
    start()
    for i = 1, 100 do call_back(hanging, "hangs " .. i) end
    for i = 1, 10 do call_back(good, "good " .. i) end
    hooks.await(good, 10, 40) -- and not after a hundred of them
    assert.is_true(#hooks.received(hanging) <= 4, #hooks.received(hanging) .. " at once")
  end)

  it("does not wait for webhooks that hang, however many there are", function()
    start()
    for _ = 1, 40 do hooks.register(host, hooks.url_of(hanging)) end
    local mine = hooks.register(host, hooks.url_of(good))
    for i = 1, 12 do hooks.submit(host, "p " .. i) end
    call_back(good, "called back")
    hooks.await(good, 12 + 1 + 1, 100)
    assert.equal(0, hooks.show(host, mine.id).parked_count)
  end)

  it("does not wait for callbacks to many names that hang, and a new receiver waits for some seconds only", function()
    start()
    local silent = assert(socket.bind("0.0.0.0", 0, 1024)) -- takes connections on every address of this machine, says nothing
    local port = math.tointeger(select(2, silent:getsockname()))
    local known = hooks.start_receiver()
    host:post("/api/providers/image/fal/submit", { prompt = "known", callback_url = hooks.url_of(known) })
    hooks.await(known, 1)
    for i = 1, 200 do
      local url = ("http://127.0.1.%d:%d/"):format(i, port)
      assert.equal(200, host:post("/api/providers/image/fal/submit", { prompt = "p", callback_url = url }).status)
    end
    for i = 1, 10 do call_back(known, "known " .. i) end
    call_back(good, "new")
    hooks.await(known, 11, 40)
    hooks.await(good, 1, 60) -- and not after two hundred of them
    silent:close()
    hooks.stop_receiver(known)
  end)

  it("gets them after a restart too, with those that hang waiting before them", function()
    start()
    for i = 1, 60 do call_back(hanging, "hangs " .. i) end
    host:eventually(function() return #hooks.received(hanging) > 0 end)
    host:kill()
    host:start_again()
    call_back(good, "after")
    hooks.await(good, 1, 40)
  end)

  it("leaves the host able to stop quickly beside others that hang", function()
    start()
    for i = 1, 20 do call_back(hanging, "hangs " .. i) end
    host:eventually(function() return #hooks.received(hanging) > 0 end)
    local began = socket.gettime()
    host:ends_well()
    assert.is_true(socket.gettime() - began < 40) -- the most that a stop takes is 50
  end)
end)

describe("two at once", function()
  it("both change the secret: each was in force, and what is stored signs", function()
    start()
    local hook = hooks.register(host, hooks.url_of(good))
    local requests, secrets = {}, {}
    for i = 1, 8 do requests[i] = { "POST", hooks.path .. "/" .. hook.id .. "/rotate", "{}" } end
    for i, answer in ipairs(at_once(requests)) do
      assert.equal(200, answer.status, answer.body)
      secrets[i] = answer.json.secret
    end
    local function signers(delivery)
      local found = {}
      for _, secret in ipairs(secrets) do
        if pcall(hooks.verify, delivery, secret) then found[#found + 1] = secret end
      end
      table.sort(found)
      return found
    end
    hooks.submit(host)
    local before = signers(hooks.await(good, 1)[1])
    assert.equal(2, #before, "the last two of them sign")
    host:stop()
    host:start_again()
    hooks.submit(host)
    assert.same(before, signers(hooks.await(good, 2)[2]))
  end)

  it("register, remove and change: what is shown is what is stored", function()
    start()
    local ids = {}
    for i = 1, 12 do ids[i] = hooks.register(host, hooks.url_of(good, "/hook/" .. i)).id end
    local requests = {}
    for i = 1, 12 do
      requests[#requests + 1] = { "POST", hooks.path .. "/" .. ids[i] .. "/rotate", "{}" }
      requests[#requests + 1] = { "POST", hooks.path, { url = hooks.url_of(good, "/hook/new" .. i) } }
      if i % 2 == 0 then
        requests[#requests + 1] = { "DELETE", hooks.path .. "/" .. ids[i], "{}" }
        requests[#requests + 1] = { "DELETE", hooks.path .. "/" .. ids[i], "{}" }
      end
      hooks.submit(host, "p " .. i)
    end
    local removed = 0
    for i, answer in ipairs(at_once(requests)) do
      assert.is_true(answer.status < 500, answer.body)
      if requests[i][1] == "DELETE" and answer.status == 200 then removed = removed + 1 end
    end
    assert.equal(6, removed, "each is removed by one of two")
    local function urls()
      local list = {}
      for _, hook in ipairs(host:get(hooks.path).json.webhooks) do list[#list + 1] = hook.url end
      table.sort(list)
      return list
    end
    local before = urls()
    assert.equal(18, #before)
    host:stop()
    host:start_again()
    assert.same(before, urls())
  end)
end)
