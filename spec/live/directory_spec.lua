-- A live job and the directory of models: a submit waits a little for a model that was never seen, and for no other.
local cjson = require "cjson"
local shelves = require "spec.support.directory_script"
local socket = require "socket"
local timely = require "spec.support.timely"

local SECRET = { shelf = { api_key = "shelf-key-of-the-operator" } }

local function id_of(number) return ("maker-%d/model-%04d"):format(number % 7, number) end

local function submit(shelf, id, more)
  local body = { model = id, prompt = "a cat", dry_run = false, max_cost_usd = 0.1 }
  for name, value in pairs(more or {}) do body[name] = value end
  local started = socket.gettime()
  local answer = shelf.host:post("/api/providers/image/shelf/submit", body)
  return answer, socket.gettime() - started
end

local function sent(shelf, count)
  local seen = shelf.host:eventually(function()
    local list = shelf:seen("submit")
    return #list >= count and list
  end)
  assert.equal(count, #seen)
  return cjson.decode(seen[count].body)
end

describe("a live submit", function()
  local shelf, count
  setup(function()
    count = 0
    shelf = shelves.start { live = true, secrets = SECRET, set = { models = 20 } }
    shelf:wait_for(id_of(1), "described")
  end)
  teardown(function() shelf:remove() end)

  local function is_sent(known)
    count = count + 1
    assert.equal(known, sent(shelf, count).known)
  end

  it("waits for a model that was never seen, and knows it then", function()
    shelf:set { delay = 0.3 }
    local answer, took = submit(shelf, id_of(5))
    assert.equal(202, answer.status)
    assert.is_table(answer.json.known.inputs)
    assert.is_true(took >= 0.3, took)
    is_sent(true)
  end)

  it("does not wait for one that is known", function()
    shelf:set { delay = 0 }
    timely.within(1, function()
      assert.equal(202, submit(shelf, id_of(5)).status)
      is_sent(true)
    end)
  end)

  it("waits 2 seconds and no longer, and goes on with one that is not known", function()
    shelf:set { fail = { model = "hang" } }
    local answer, took = submit(shelf, id_of(6))
    assert.equal(202, answer.status)
    assert.is_nil(answer.json.known.inputs)
    assert.is_true(took >= 1.8 and took < 15, took)
    shelf:set { fail = {} }
    is_sent(false)
  end)

  it("does not wait again for one that the vendor does not have", function()
    assert.equal(202, submit(shelf, "nobody/has-it").status)
    is_sent(false)
    shelf.host:eventually(function() return shelf.host:log():find("key=nobody/has-it models=0", 1, true) end)
    timely.within(1, function()
      assert.equal(202, submit(shelf, "nobody/has-it").status)
      is_sent(false)
    end)
  end)

  it("with a key is one job, however often it is sent while it waits", function()
    shelf:set { delay = 0.3 }
    local headers = { ["Idempotency-Key"] = "the-same" }
    local body = { model = id_of(9), prompt = "a cat", dry_run = false, max_cost_usd = 0.1 }
    local first = shelf.host:post("/api/providers/image/shelf/submit", body, headers)
    local second = shelf.host:post("/api/providers/image/shelf/submit", body, headers)
    shelf:set { delay = 0 }
    assert.equal(202, first.status)
    assert.equal(first.json.job_id, second.json.job_id)
    is_sent(true)
  end)

  it("is never waited for by a dry run", function()
    shelf:set { fail = { model = "hang" } }
    timely.within(1, function() assert.is_nil(shelf:known(id_of(12)).inputs) end)
    shelf:set { fail = {} }
  end)

  it("that ignores the directory says so to its script, before and when it is sent", function()
    local answer = submit(shelf, id_of(5), { directory = "ignore" })
    assert.equal(202, answer.status)
    assert.is_true(answer.json.ignored)
    count = count + 1
    assert.is_true(sent(shelf, count).ignored)
  end)

  it("may say nothing else of the directory", function()
    for _, value in ipairs { "off", "", true, 1 } do
      local answer = submit(shelf, id_of(5), { directory = value })
      assert.equal(400, answer.status)
      assert.equal("directory", answer.json.errors[1].path)
    end
  end)

  local function reads_of(id)
    local reads = 0
    for _, request in ipairs(shelf:seen "model") do reads = reads + (request.query.id == id and 1 or 0) end
    return reads
  end

  it("that the vendor refuses has its model read anew", function()
    local before = reads_of(id_of(5))
    shelf:set { fail = { submit = "422" } }
    assert.equal(202, submit(shelf, id_of(5)).status)
    shelf.host:eventually(function() return reads_of(id_of(5)) > before end)
    shelf:set { fail = {} }
  end)

  it("that the vendor refuses only when it works on it has its model read anew, too", function()
    assert.equal(202, submit(shelf, id_of(7)).status) -- its model is known from now on
    count = count + 1
    sent(shelf, count)
    local before = reads_of(id_of(7))
    shelf:set { fail = { job = "422" } }
    assert.equal(202, submit(shelf, id_of(7)).status)
    shelf.host:eventually(function() return reads_of(id_of(7)) > before end)
    shelf:set { fail = {} }
  end)

  it("is told when a model takes less than before", function()
    shelf:set { maximum = 2 }
    shelf.host:post("/api/directory/refresh", { provider = "shelf", model = id_of(5) })
    local event = shelf.host:eventually(function()
      return shelf.host:get("/api/events/history?type=host.directory.changed").json.events[1]
    end)
    assert.same({ provider = "shelf", model = id_of(5), what = "inputs", narrowed = { "samples" } }, event.data)
  end)
end)

describe("a live submit that waits", function()
  it("comes before all that dry runs have asked for", function()
    local shelf = shelves.start {
      live = true, secrets = SECRET, directory = "pace_seconds = 0.4,", set = { models = 30 },
    }
    shelf:wait_for(id_of(30), "listed")
    for number = 10, 24 do shelf:known(id_of(number)) end -- 6 seconds of asking
    local answer = submit(shelf, id_of(2))
    assert.equal(202, answer.status)
    assert.is_table(answer.json.known.inputs) -- which it waited for, and it waits 2 seconds
    shelf:remove()
  end)
end)
