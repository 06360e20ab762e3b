-- The log of events, as clients follow it: streams, what is resumed, pages of the past, and what of all this is refused.
local event_stream = require "spec.support.event_stream"
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local socket = require "socket"

local function submit(served, provider)
  return providers.submit(served, provider or providers.fal).job_id
end

local function types(events)
  local list = {}
  for i, event in ipairs(events) do list[i] = event.type or event.event end
  return list
end

describe("an event", function()
  local served, job, event
  setup(function()
    served = host.start()
    job = submit(served)
    event = served:get("/api/events/history").json.events[1]
  end)
  teardown(function() served:remove() end)

  it("is a CloudEvent whose subject is the job", function()
    assert.equal("1.0", event.specversion)
    assert.equal("1", event.id)
    assert.equal("/providerd", event.source)
    assert.equal("public.image.submit", event.type)
    assert.equal(job, event.subject)
    assert.equal("application/json", event.datacontenttype)
    assert.truthy(event.time:match("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$"))
  end)

  it("carries the job as the registry shows it", function()
    local task = served:get("/api/jobs/status/" .. job).json
    task.ok = nil
    assert.same(task, event.data)
  end)

  it("is the same in a stream, in a job's stream and in the history", function()
    local all = event_stream.open(served, "/api/events?since=0"):next()
    local own = event_stream.open(served, "/api/jobs/" .. job .. "/events"):next()
    assert.same(event, all.json)
    assert.same(event, own.json)
    assert.same({ "1", "public.image.submit" }, { all.id, all.event })
  end)
end)

describe("an event in brief", function()
  local served, job, row
  setup(function()
    served = host.start()
    job = submit(served)
    row = exact.decode(served:get("/api/jobs/list?fields=brief").body).tasks[1]
  end)
  teardown(function() served:remove() end)

  local function history(query) return exact.decode(served:get("/api/events/history?" .. query).body).events end

  it("carries the job's row in brief, and is else the same", function()
    local whole, brief = history("")[1], history("fields=brief")[1]
    assert.same(row, brief.data)
    brief.data, whole.data = nil, nil
    assert.same(whole, brief)
  end)

  it("is the same in a stream, in a job's stream and in the history, past and present", function()
    local brief = served:get("/api/events/history?fields=brief").json.events[1]
    assert.same(brief, event_stream.open(served, "/api/events?since=0&fields=brief"):next().json)
    assert.same(brief, event_stream.open(served, "/api/jobs/" .. job .. "/events?fields=brief"):next().json)
    local streams = {}
    for _, query in ipairs { "?fields=brief", "", "?fields=brief" } do
      streams[#streams + 1] = event_stream.open(served, "/api/modder/hooks/stream" .. query)
      assert.is_nil(streams[#streams]:next(0.1))
    end
    submit(served)
    for i, stream in ipairs(streams) do
      local path = "/api/events/history" .. (i == 2 and "" or "?fields=brief")
      assert.same(served:get(path).json.events[2], stream:next().json)
      stream:close()
    end
  end)

  it("of the host is as it is", function()
    served:post("/api/live/stop", {})
    served:post("/api/live/start", {})
    assert.same(history("type=host.*"), history("type=host.*&fields=brief"))
    assert.is_true(#history("type=host.*") >= 2)
  end)

  for _, path in ipairs { "/api/events", "/api/events/history", "/api/modder/hooks/history", "/api/jobs/JOB/events" } do
    it("is refused by " .. path .. " where fields says something else", function()
      local answer = served:get(path:gsub("JOB", job) .. "?fields=all")
      assert.equal(400, answer.status)
      assert.equal("fields", answer.json.errors[1].path)
    end)
  end
end)

describe("an event stream", function()
  local served
  before_each(function() served = host.start { config = { server = { max_streams = 12 } } } end)
  after_each(function() served:remove() end)

  it("says what it is", function()
    local stream = event_stream.open(served, "/api/events")
    assert.equal(200, stream.status)
    assert.equal("text/event-stream", stream.headers["content-type"])
    assert.equal("no-store", stream.headers["cache-control"])
    assert.is_nil(stream:next(0.2))
    assert.equal(2000, stream.retry)
  end)

  it("tells what happens from now on", function()
    submit(served)
    local stream = event_stream.open(served, "/api/events")
    local job = submit(served, providers.luma)
    local event = stream:next()
    assert.same({ "2", job }, { event.id, event.json.subject })
    assert.is_nil(stream:next(0.2))
  end)

  it("resumes after Last-Event-ID, which goes before since", function()
    for _ = 1, 5 do submit(served) end
    local stream = event_stream.open(served, "/api/events?since=1", { ["Last-Event-ID"] = "3" })
    assert.equal("4", stream:next().id)
    assert.equal("5", stream:next().id)
    submit(served)
    assert.equal("6", stream:next().id)
  end)

  it("tells where it began, so that one without any event resumes there", function()
    for _ = 1, 3 do submit(served) end
    local stream = event_stream.open(served, "/api/events")
    assert.is_nil(stream:next(0.2))
    assert.equal("3", stream.last_id)
    stream:close()
    submit(served)
    submit(served)
    local resumed = event_stream.open(served, "/api/events", { ["Last-Event-ID"] = stream.last_id })
    assert.equal("4", resumed:next().id)
    assert.equal("5", resumed:next().id)
  end)

  it("does not wait for an id of another life of the home", function()
    local stream = event_stream.open(served, "/api/events", { ["Last-Event-ID"] = "1000" })
    submit(served)
    assert.equal("1", stream:next().id)
  end)

  it("takes a number of any length for one that the host never gave", function()
    for _, number in ipairs { ("9"):rep(19), ("9"):rep(40) } do
      local stream = event_stream.open(served, "/api/events", { ["Last-Event-ID"] = number })
      assert.equal(200, stream.status)
      local job = submit(served)
      assert.equal(job, stream:next().json.subject)
      stream:close()
    end
  end)

  it("leaves out white space after a header's value", function()
    for _ = 1, 2 do submit(served) end
    for _, space in ipairs { " ", "   " } do
      local stream = event_stream.open(served, "/api/events", { ["Last-Event-ID"] = "1" .. space })
      assert.equal(200, stream.status)
      assert.equal("2", stream:next().id)
      stream:close()
    end
  end)

  it("tells only what its filter lets pass, in the past and in the present", function()
    local function one_each()
      for _, provider in ipairs { providers.fal, providers.luma, providers.replicate } do submit(served, provider) end
    end
    local cases = {
      ["type=public.image.*"] = { "public.image.submit" },
      ["type=public.{gpu,video}.*"] = { "public.video.submit", "public.gpu.submit" },
      ["type=public.gpu.submit,public.image.*"] = { "public.image.submit", "public.gpu.submit" },
      ["provider=luma"] = { "public.video.submit" },
      ["provider=replicate.com&type=*.submit"] = { "public.gpu.submit" },
      ["type=host.*"] = {},
    }
    local streams = {}
    one_each()
    for query in pairs(cases) do
      streams[query] = event_stream.open(served, "/api/events?since=0&" .. query)
      local past = streams[query]:rest_of_it(0.1)
      assert.same(cases[query], types(past), query)
    end
    one_each()
    for query, expected in pairs(cases) do assert.same(expected, types(streams[query]:rest_of_it(0.1)), query) end
  end)

  it("is refused above server.max_streams, while all else works", function()
    local streams = {}
    for i = 1, 12 do streams[i] = event_stream.open(served, "/api/events") end
    local answer = served:get("/api/events")
    assert.equal(503, answer.status)
    assert.equal("5", answer.headers["retry-after"])
    assert.truthy(answer.json.detail:find("server.max_streams", 1, true))
    assert.equal(200, served:get("/api/jobs/list").status)
    submit(served)
    for i = 1, 12 do assert.equal("1", streams[i]:next().id) end
  end)

  it("gives its place free soon after its client has left", function()
    for _ = 1, 12 do event_stream.open(served, "/api/events?type=host.*"):close() end
    served:eventually(function() return served:get("/api/events?since=x").status == 400 end)
    local stream = served:within(14, function()
      local opened = event_stream.open(served, "/api/events")
      return opened.status == 200 and opened or nil
    end)
    stream:close()
  end)

  it("has a sign of life every 15 seconds", function()
    local stream = event_stream.open(served, "/api/events")
    assert.is_nil(stream:next(16))
    assert.equal(1, stream.comments)
    assert.is_nil(stream.ended)
  end)

  it("ends when the host stops, at once and without an error", function()
    local stream = event_stream.open(served, "/api/events")
    local began = socket.gettime()
    assert.equal(0, served:stop())
    assert.is_true(socket.gettime() - began < 14) -- before its next sign of life
    assert.is_nil(stream:next(5))
    assert.is_true(stream.ended)
  end)

  it("has no body for HEAD", function()
    local answer = served:request("HEAD", "/api/events")
    assert.same({ 200, "text/event-stream", "" }, { answer.status, answer.headers["content-type"], answer.body })
    assert.equal(200, event_stream.open(served, "/api/events").status)
  end)

  for query, path in pairs {
    ["type=a%28"] = "type", ["type=public.{a,{b}}"] = "type", ["type=" .. ("a"):rep(65)] = "type",
    ["type={a,b,c,d,e,f,g,h,i}.*,{a,b,c,d,e,f,g,h,i}"] = "type", ["since=-1"] = "since", ["since=x"] = "since", ["job=7"] = "job",
  } do
    it("is refused for " .. query, function()
      local answer = served:get("/api/events?" .. query)
      assert.equal(400, answer.status)
      assert.equal(path, answer.json.errors[1].path)
    end)
  end

  it("is refused for a Last-Event-ID that is no number", function()
    local answer = served:get("/api/events", { ["Last-Event-ID"] = "abc" })
    assert.equal(400, answer.status)
    assert.equal("Last-Event-ID", answer.json.errors[1].path)
  end)
end)

describe("a client that reads nothing", function()
  it("holds nobody up, is dropped, and can resume", function()
    local served = host.start { config = { server = { threads = 16 } } }
    finally(function() served:remove() end)
    local slow = event_stream.open(served, "/api/events")
    local quick = event_stream.open(served, "/api/events")
    slow.socket:setoption("recv-buffer-size", 4096)
    local body = { prompt = ("a lighthouse "):rep(300) }
    local client = served:connect()
    local slowest, count = 0, 3000
    for i = 1, count do
      if i % 500 == 0 then client = served:connect() end -- a connection is not kept for ever
      local began = socket.gettime()
      assert.equal(200, client:request("POST", "/api/providers/image/fal/submit", body).status)
      slowest = math.max(slowest, socket.gettime() - began)
      assert.equal(tostring(i), quick:next().id)
    end
    assert.is_true(slowest < 5, "a submit took " .. slowest .. " s")
    served:eventually(function() return served:log():find("took too long", 1, true) end)
    local got = slow:rest_of_it(1)
    assert.is_true(#got < count)
    local resumed = event_stream.open(served, "/api/events", { ["Last-Event-ID"] = got[#got].id })
    assert.equal(#got + 1, tonumber(resumed:next().id))
  end)
end)

describe("a job's stream", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  it("tells of that job only, and ends when it is over", function()
    submit(served)
    local job = submit(served)
    submit(served)
    local stream = event_stream.open(served, "/api/jobs/" .. job .. "/events")
    local events = stream:rest_of_it(5)
    assert.is_true(stream.ended)
    assert.equal(1, #events)
    assert.equal(job, events[1].json.subject)
  end)

  it("takes the filters that the other streams take", function()
    local path = "/api/jobs/" .. submit(served) .. "/events"
    for _, query in ipairs { "type=public.image.*", "type=*.submit,host.*", "provider=fal" } do
      assert.equal(1, #event_stream.open(served, path .. "?" .. query):rest_of_it(5), query)
    end
    assert.equal(204, served:get(path .. "?type=public.video.*").status)
    assert.equal(204, served:get(path .. "?provider=luma").status)
    local answer = served:get(path .. "?type={")
    assert.same({ 400, "type" }, { answer.status, answer.json.errors[1].path })
  end)

  it("has nothing to come back for once all was told", function()
    local job = submit(served)
    local events = event_stream.open(served, "/api/jobs/" .. job .. "/events"):rest_of_it(5)
    local answer = served:get("/api/jobs/" .. job .. "/events", { ["Last-Event-ID"] = events[1].id })
    assert.equal(204, answer.status)
  end)

  it("goes on when it is asked to follow", function()
    local stream = event_stream.open(served, "/api/jobs/" .. submit(served) .. "/events?follow=1")
    assert.truthy(stream:next())
    assert.is_nil(stream:next(0.3))
    assert.is_nil(stream.ended)
    stream:close()
  end)

  it("needs a job that there is", function()
    assert.equal(404, served:get("/api/jobs/01234567-89ab-7def-8123-456789abcdef/events").status)
    assert.equal(404, served:get("/api/jobs/7/events").status)
    assert.equal(404, served:get("/jobs/7/events").status)
  end)

  it("finds the event of any job among many", function()
    local jobs = {}
    for i = 1, 200 do jobs[i] = submit(served) end
    for _, i in ipairs { 1, 2, 99, 150, 200 } do
      local page = served:get("/api/events/history?job=" .. jobs[i]).json
      assert.equal(1, #page.events)
      assert.equal(jobs[i], page.events[1].subject)
    end
  end)
end)

describe("the history", function()
  local served
  setup(function()
    served = host.start()
    for i = 1, 25 do submit(served, i % 5 == 0 and providers.luma or providers.fal) end
  end)
  teardown(function() served:remove() end)

  local function read(query)
    local numbers, pages, after = {}, 0, "0"
    repeat
      local answer = served:get("/api/events/history?" .. query .. "&after=" .. after)
      assert.equal(200, answer.status)
      for _, event in ipairs(answer.json.events) do numbers[#numbers + 1] = tonumber(event.id) end
      after, pages = answer.json.next, pages + 1
    until type(after) ~= "string"
    return numbers, pages
  end

  it("comes page by page, oldest first, each event once", function()
    local numbers, pages = read("limit=10")
    assert.equal(25, #numbers)
    for i, number in ipairs(numbers) do assert.equal(i, number) end
    assert.equal(3, pages)
  end)

  it("can be filtered", function()
    assert.same({ 5, 10, 15, 20, 25 }, (read("limit=2&provider=luma")))
    assert.same({ 5, 10, 15, 20, 25 }, (read("limit=2&type=public.video.*")))
    assert.same({}, (read("type=host.*")))
  end)

  it("says what the newest is", function()
    assert.equal("25", served:get("/api/events/history?limit=1").json.newest)
  end)

  for query, path in pairs { ["limit=0"] = "limit", ["limit=501"] = "limit", ["after=-1"] = "after", ["after=a"] = "after" } do
    it("refuses " .. query, function()
      local answer = served:get("/api/events/history?" .. query)
      assert.same({ 400, path }, { answer.status, answer.json.errors[1].path })
    end)
  end

  it("goes on with its numbers after a restart, however it came about", function()
    served:kill()
    served:start_again()
    local job = submit(served)
    local page = served:get("/api/events/history?after=25").json
    assert.same({ "26", job }, { page.events[1].id, page.events[1].subject })
    served:stop()
    served:start_again()
    submit(served)
    assert.equal("27", served:get("/api/events/history").json.newest)
  end)
end)

describe("the modder's hooks", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  it("name the types, the fields, the webhooks and what happened last", function()
    for _ = 1, 30 do submit(served) end
    local hooks = served:get("/api/modder/hooks").json
    local known = {}
    for _, entry in ipairs(hooks.types) do known[entry.type] = entry.description end
    assert.truthy(known["public.gpu.submit"] and known["public.image.done"] and known["public.video.unknown"])
    assert.equal(#hooks.types, #hooks.hooks)
    assert.equal(hooks.types[1].type, hooks.hooks[1].name)
    assert.truthy(hooks.fields.subject)
    assert.equal("table", type(hooks.webhooks))
    assert.equal(20, #hooks.history)
    assert.equal("30", hooks.history[20].id)
  end)

  it("have the same stream and history as the events", function()
    assert.equal("1", event_stream.open(served, "/api/modder/hooks/stream?since=0"):next().id)
    assert.equal(served:get("/api/events/history").body, served:get("/api/modder/hooks/history").body)
  end)
end)

describe("with API keys, the events", function()
  local served
  after_each(function() served:remove() end)

  local function entry(name)
    local pipe = io.popen("printf %s k-" .. name .. " | sha256sum")
    local sha256 = pipe:read("l"):match("^%x+")
    pipe:close()
    return { name = name, sha256 = sha256 }
  end

  local function config(...)
    local keys = {}
    for i, name in ipairs { ... } do keys[i] = entry(name) end
    return { server = { threads = 16, api_keys = keys } }
  end

  local function follow(name)
    return event_stream.open(served, "/api/events?type=public.*", name and { ["X-API-Key"] = "k-" .. name })
  end

  local function ends(stream, word)
    assert.same({}, types(stream:rest_of_it(10)))
    assert.is_true(stream.ended)
    assert.truthy(stream.comment:find(word, 1, true), stream.comment)
    served:eventually(function() return served:log():match("stream%.closed[^\n]*reason=[^\n]*" .. word) end)
  end

  it("need one", function()
    served = host.start { config = config "one" }
    for _, path in ipairs { "/api/events", "/api/events/history", "/api/modder/hooks", "/api/modder/hooks/stream" } do
      assert.equal(401, served:get(path).status, path)
    end
    assert.equal(200, follow("one").status)
  end)

  it("end for the key that is taken out, and go on for the others, whatever name these have now", function()
    served = host.start { config = config("one", "two") }
    local one, two = follow "one", follow "two"
    local changed = config "two"
    changed.server.api_keys[1].name = "renamed"
    served:write("config/comfyvn.json", exact.encode(changed))
    ends(one, "this API key is not one of server.api_keys")
    assert.equal(401, follow("one").status)
    local body = { prompt = "a cat" }
    assert.equal(200, served:post("/api/providers/image/fal/submit", body, { ["X-API-Key"] = "k-two" }).status)
    assert.equal("public.image.submit", two:next(5).event)
    assert.is_nil(two.ended)
  end)

  it("end for who came without a key, once keys are needed, and go on for who had sent the right one", function()
    served = host.start()
    local none, one = follow(), follow "one"
    served:write("config/comfyvn.json", exact.encode(config "one"))
    ends(none, "an API key is needed")
    assert.is_nil(one:next(3))
    assert.is_nil(one.ended)
  end)

  it("end while there is much to tell, too", function()
    served = host.start { config = config("one", "two") }
    local one = follow "one"
    local function submit_one()
      local headers = { ["X-API-Key"] = "k-two" }
      assert.equal(200, served:post("/api/providers/image/fal/submit", { prompt = "x" }, headers).status)
    end
    submit_one()
    served:write("config/comfyvn.json", exact.encode(config "two"))
    local until_then = socket.gettime() + 10
    repeat
      submit_one()
      one:next(0.01)
    until one.ended or socket.gettime() > until_then
    assert.is_true(one.ended)
    assert.truthy(one.comment:find("not one of server.api_keys", 1, true))
  end)
end)

describe("the event of a very large job", function()
  local served, job, stream
  local numbers = {}
  for i = 1, 250000 do numbers[i] = i end
  local function submit_large()
    return providers.submit(served, providers.fal, { prompt = "a cat", parameters = { loras = numbers } }).job_id
  end

  setup(function()
    served = host.start()
    stream = event_stream.open(served, "/api/events")
    job = submit_large()
  end)
  teardown(function() served:remove() end)

  it("leaves out what makes it large, and says so", function()
    local event = stream:next().json
    assert.same({ job, true, "done" }, { event.subject, event.data.abridged, event.data.status })
    assert.equal("userdata", type(event.data.payload))
    assert.same(event, served:get("/api/events/history").json.events[1])
    assert.same(event, event_stream.open(served, "/api/events?since=0"):next().json)
  end)

  it("holds up nobody", function()
    local after = submit(served)
    assert.equal(after, stream:next().json.subject)
    assert.equal(200, served:get("/api/modder/hooks").status)
  end)

  it("is of a job that the registry shows whole, on pages that end early", function()
    assert.equal(250000, #served:get("/api/jobs/status/" .. job).json.payload.parameters.loras)
    for _ = 1, 6 do submit_large() end
    local page = served:get("/api/jobs/list").json
    assert.is_true(#page.tasks < 8)
    local rest = served:get("/api/jobs/list?cursor=" .. page.next).json
    assert.equal(8, #page.tasks + #rest.tasks)
    assert.equal(job, rest.tasks[#rest.tasks].job_id)
  end)
end)
