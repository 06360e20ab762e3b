-- What may go wrong at a vendor's directory: the old stays whole, the cause is told, and nobody is asked too often.
local clock = require "spec.support.clock"
local http = require "spec.support.http"
local prometheus = require "spec.support.prometheus"
local shelves = require "spec.support.directory_script"
local socket = require "socket"

local HURRY = { PROVIDERD_TEST_HURRY = "600" } -- pauses of minutes take a tenth of a second
local EVERY_SECOND = "list_seconds = 1,"

local function id_of(number) return ("maker-%d/model-%04d"):format(number % 7, number) end

local function figure(shelf, name)
  local text = shelf.host:get("/metrics").body
  return prometheus.value(prometheus.read(text), "providerd_directory_" .. name, { provider = "shelf" })
end

local function failures(shelf) return figure(shelf, "failures_total") end

local function is_failing(shelf)
  return shelf.host:eventually(function() return figure(shelf, "failing_seconds") > 0 end)
end

local function log_has(shelf, text)
  return shelf.host:eventually(function() return shelf.host:log():find(text, 1, true) end)
end

describe("a list that fails", function()
  local shelf
  setup(function()
    shelf = shelves.start { env = HURRY, directory = EVERY_SECOND }
    shelf:wait_for(id_of(250), "listed")
  end)
  teardown(function() shelf:remove() end)

  for page = 0, 2 do
    for _, how in ipairs { "500", "html", "cut", "large", "redirect", "429" } do
      it(("on page %d with %s leaves the old whole"):format(page, how), function()
        shelf:set { models = 290, fail = { models = how }, fail_page = page }
        is_failing(shelf)
        assert.equal(250, figure(shelf, "models"))
        for _, number in ipairs { 1, 100, 101, 250 } do
          assert.equal("Model " .. number, shelf:known(id_of(number)).name)
        end
        shelf:set { models = 250, fail = {}, fail_page = false }
        shelf.host:eventually(function() return figure(shelf, "failing_seconds") == 0 end)
      end)
    end
  end

  it("that is empty, and was not before, is none", function()
    shelf:set { fail = { models = "nothing" } }
    log_has(shelf, "the vendor's list is empty")
    assert.equal(250, figure(shelf, "models"))
    shelf:set { fail = {} }
    shelf.host:eventually(function() return figure(shelf, "failing_seconds") == 0 end)
  end)

  it("whose cursor repeats itself ends, and takes nothing away", function()
    shelf:set { cursor = "1", models = 150 }
    local before = #shelf:seen("models")
    socket.sleep(2.5)
    local more = #shelf:seen("models") - before
    assert.is_true(more >= 2 and more <= 12, "it asked for " .. more .. " pages")
    assert.equal("active", shelf:known(id_of(250)).status)
    shelf:set { cursor = false, models = 250 }
  end)

  it("has nothing to do with the host's end", function()
    shelf:set { fail = { models = "hang" } }
    socket.sleep(1.5)
    local started = socket.gettime()
    assert.equal(0, shelf.host:stop())
    assert.is_true(socket.gettime() - started < 30)
    shelf:set { fail = {} }
    shelf.host:start_again()
  end)
end)

describe("a model that is not in the list any more", function()
  it("is gone after two complete lists in a row, and not before", function()
    local shelf = shelves.start { env = HURRY, directory = EVERY_SECOND }
    shelf:wait_for(id_of(250), "listed")
    local function lists() -- that were begun
      local count = 0
      for _, request in ipairs(shelf:seen("models")) do count = count + (request.query.cursor and 0 or 1) end
      return count
    end
    local function turns(status)
      return shelf.host:eventually(function() return shelf:known(id_of(7)).status == status and lists() end)
    end
    local before = lists()
    shelf:set { gone = { [id_of(7)] = true } }
    assert.is_true(turns("gone") - before >= 2)
    local told = shelf.host:eventually(function()
      return shelf.host:get("/api/events/history?type=host.directory.*").body:match('"what":"gone"') end)
    assert.is_string(told)
    shelf:set { gone = {} }
    turns("active")
    shelf:remove()
  end)
end)

describe("a list that has the schemas, too,", function()
  it("tells of a model that takes less than before", function()
    local shelf = shelves.start { env = HURRY, directory = EVERY_SECOND, set = { models = 2, schemas = true } }
    shelf:wait_for(id_of(2), "described")
    shelf:set { maximum = 2 }
    local events = shelf.host:eventually(function()
      local list = shelf.host:get("/api/events/history?type=host.directory.changed").json.events
      return #list >= 2 and list
    end)
    for number = 1, 2 do
      assert.same({ provider = "shelf", model = id_of(number), what = "inputs", narrowed = { "samples" } },
        events[number].data)
    end
    shelf:remove()
  end)
end)

describe("kill -9 in a crawl", function()
  it("loses nothing of the old", function()
    local shelf = shelves.start { env = HURRY, directory = EVERY_SECOND }
    shelf:wait_for(id_of(250), "listed")
    shelf:wait_for(id_of(9), "described")
    shelf:set { models = 290, delay = 0.3 }
    for _ = 1, 3 do
      local before = #shelf:seen("models")
      shelf.host:eventually(function() return #shelf:seen("models") > before + 1 end)
      shelf.host:kill()
      shelf.host:start_again()
      shelf.host:eventually(function() return figure(shelf, "models") and figure(shelf, "models") >= 250 end)
      assert.equal("Model 250", shelf:known(id_of(250)).name)
      assert.is_table(shelf:known(id_of(9)).inputs)
    end
    shelf:set { delay = 0 }
    shelf:remove()
  end)

  it("is the same with a file that is deleted, or is no database", function()
    local shelf = shelves.start { env = HURRY }
    shelf:wait_for(id_of(250), "listed")
    local other = io.popen("find " .. shelf.host.home .. "/data -name 'directory.db*' -perm /o+rwx")
    assert.equal("", other:read("a")) -- nobody's but its owner's and group's
    other:close()
    shelf.host:stop()
    shelf.host:write("data/directory.db", ("no database at all\n"):rep(1000))
    shelf.host:start_again()
    shelf:wait_for(id_of(250), "listed")
    shelf.host:stop()
    os.execute("rm -f " .. shelf.host.home .. "/data/directory.db*")
    shelf.host:start_again()
    assert.equal("Model 250", shelf:wait_for(id_of(250), "listed").name)
    shelf:remove()
  end)
end)

describe("a vendor that says when to come again", function()
  it("is not asked before", function()
    local shelf = shelves.start { set = { fail = { models = "429", model = "429" }, retry_after = 3600 } }
    shelf.host:eventually(function() return failures(shelf) == 1 end)
    shelf:known(id_of(1))
    shelf.host:eventually(function() return failures(shelf) == 2 end)
    for _ = 1, 5 do
      shelf:known(id_of(1))
      socket.sleep(0.2)
    end
    assert.equal(1, #shelf:seen("models"))
    assert.equal(1, #shelf:seen("model"))
    shelf:remove()
  end)
end)

describe("a model that there is not", function()
  local shelf
  setup(function()
    shelf = shelves.start { set = { delay = 0.3 } }
    shelf:wait_for(id_of(250), "listed")
  end)
  teardown(function() shelf:remove() end)

  it("is asked for once by many clients at once, and not again soon", function()
    local clients, body = {}, '{"model":"nobody/has-it","prompt":"a cat"}'
    for i = 1, 10 do
      clients[i] = shelf.host:connect()
      clients[i].socket:send(http.format(shelf.host.port, "POST", "/api/providers/image/shelf/submit", body))
    end
    for i = 1, 10 do
      assert.matches("^HTTP/1.1 200", clients[i].socket:receive("*l"))
      clients[i]:close()
    end
    local function asked()
      local count = 0
      for _, request in ipairs(shelf:seen("model")) do
        count = count + (request.query.id == "nobody/has-it" and 1 or 0)
      end
      return count
    end
    shelf.host:eventually(function() return asked() == 1 end)
    socket.sleep(1)
    for _ = 1, 5 do assert.is_false(shelf:known("nobody/has-it")) end
    socket.sleep(1)
    assert.equal(1, asked())
  end)

  it("is no id when it cannot be one, and is never asked for", function()
    local before = #shelf:seen()
    for _, id in ipairs { ("x"):rep(201), "a\u{202e}b", " a", "" } do assert.is_false(shelf:known(id)) end
    socket.sleep(0.7)
    assert.equal(before, #shelf:seen())
  end)
end)

describe("a schema", function()
  local shelf
  setup(function() shelf = shelves.start {} end)
  teardown(function() shelf:remove() end)

  local number = 0
  local function with_schema(schema)
    number = number + 1
    shelf:set { schema = schema }
    local id = id_of(number)
    return shelf.host:eventually(function()
      local model = shelf:known(id)
      return model and model.as_of and model
    end)
  end

  it("of 10,000 inputs is none, and says so", function()
    local properties = {}
    for i = 1, 10000 do properties["input_" .. i] = { type = "string" } end
    local model = with_schema { type = "object", properties = properties }
    assert.is_nil(model.inputs)
    assert.matches("more than 500 inputs", model.warnings[1])
  end)

  it("of 300 KB is none, and says so", function()
    local properties = {}
    for i = 1, 400 do properties["input_" .. i] = { type = "string", description = ("x"):rep(800) } end
    local model = with_schema { type = "object", properties = properties }
    assert.is_nil(model.inputs)
    assert.matches("256 KiB", model.warnings[1])
  end)

  it("with references that lead nowhere or round allows anything there", function()
    local model = with_schema { type = "object", properties = {
      a = { ["$ref"] = "#/properties/a" }, b = { type = "array", items = { ["$ref"] = "#/nowhere" } } } }
    assert.same({}, model.inputs.properties.a)
    assert.same({}, model.inputs.properties.b.items)
    assert.matches("could not be resolved", model.warnings[1])
  end)

  it("that is deeper than any form is none", function()
    local schema = { type = "string" }
    for _ = 1, 30 do schema = { type = "object", properties = { inner = schema } } end
    local model = with_schema(schema)
    assert.is_nil(model.inputs)
    assert.matches("too deep", model.warnings[1])
  end)

  it("has no control characters and no hidden ones, and its markup stays text", function()
    local model = with_schema { type = "object", properties = {
      ["bad\u{7}name"] = { type = "string" },
      text = { type = "string", description = "<b>bold</b>\u{1b}[31m \u{202e}evil\u{200b}" },
    } }
    assert.is_nil(model.inputs.properties["bad\u{7}name"])
    assert.equal("<b>bold</b>[31m evil", model.inputs.properties.text.description)
  end)
end)

describe("a price", function()
  local NONE = {
    ["of 0"] = { price = 0 }, ["below 0"] = { price = -1 }, ["in another currency"] = { currency = "EUR" },
  }
  for name, set in pairs(NONE) do
    it(name .. " is none", function()
      local shelf = shelves.start { set = set }
      shelf:wait_for(id_of(1), "listed")
      shelf.host:eventually(function()
        shelf:known(id_of(1))
        return #shelf:seen("prices") == 1
      end)
      log_has(shelf, "directory.refreshed provider=shelf part=price")
      local _, price = shelf:known(id_of(1))
      assert.is_false(price)
      shelf:remove()
    end)
  end
end)

describe("what was good before", function()
  it("stays when the vendor's schema or price cannot be used any more, with the cause beside it", function()
    local shelf = shelves.start {}
    local id, path = id_of(3), "/api/providers/image/shelf/models?id=" .. id_of(3)
    shelf:wait_for(id, "described")
    shelf.host:eventually(function() return select(2, shelf:known(id)) end)
    local properties = {}
    for i = 1, 600 do properties["input_" .. i] = { type = "string" } end
    shelf:set { schema = { type = "object", properties = properties }, price = 0 }
    assert.equal(202, shelf.host:post("/api/directory/refresh", { provider = "shelf", model = id }).status)
    local shown = shelf.host:eventually(function()
      local model = shelf.host:get(path).json.model
      return type(model.failure) == "string" and type(model.price_failure) == "string" and model
    end)
    assert.matches("more than 500 inputs", shown.failure)
    assert.matches("no amount of US dollars", shown.price_failure)
    assert.equal(4, shown.inputs.properties.samples.maximum)
    assert.equal(0.5, shown.price.usd)
    local model, price = shelf:known(id)
    assert.equal(4, model.inputs.properties.samples.maximum)
    assert.equal(0.5, price.usd)
    shelf:set { schema = false, price = 0.7 }
    shelf.host:post("/api/directory/refresh", { provider = "shelf", model = id })
    shelf.host:eventually(function() return shelf.host:get(path).json.model.price.usd == 0.7 end)
    assert.equal(require("cjson").null, shelf.host:get(path).json.model.failure)
    shelf:remove()
  end)
end)

describe("a credential", function()
  local SECRET = { shelf = { api_key = "shelf-key-of-the-operator" } }

  it("never goes to a host of the directory that is not the script's own", function()
    local shelf = shelves.start { auth = "nil", secrets = SECRET }
    log_has(shelf, "no credential goes there")
    assert.same({}, shelf:seen())
    shelf:remove()
  end)

  it("is left out when it is not there: what needs none still works", function()
    local shelf = shelves.start {}
    shelf:wait_for(id_of(1), "described")
    assert.is_nil(shelf:seen("model")[1].key)
    shelf:remove()
  end)

  it("that is no host of the script's at all is not asked", function()
    local shelf = shelves.start { list_host = "elsewhere.example", secrets = SECRET }
    log_has(shelf, "directory.failed provider=shelf part=list")
    assert.same({}, shelf:seen())
    shelf:remove()
  end)
end)

describe("the pace of a provider", function()
  it("is kept between its requests", function()
    local shelf = shelves.start { directory = "pace_seconds = 0.4," } -- the later of two is the table's
    local started = socket.gettime()
    for number = 1, 3 do shelf:known(id_of(number)) end
    shelf.host:eventually(function() return #shelf:seen() >= 6 end)
    assert.is_true(socket.gettime() - started >= 5 * 0.4 - 0.1)
    shelf:remove()
  end)
end)

describe("a request of the directory's functions", function()
  it("that may cost does not leave", function()
    local shelf = shelves.start { method = "POST" }
    log_has(shelf, "GET and HEAD only")
    assert.same({}, shelf:seen())
    shelf:remove()
  end)

  it("leaves when the script says that it is free", function()
    local shelf = shelves.start { method = "POST", directory = "", free = true }
    shelf:wait_for(id_of(250), "listed")
    assert.equal("POST", shelf:seen("models")[1].method)
    shelf:remove()
  end)
end)

describe("after days", function()
  local moved = clock.new()
  local env = { PROVIDERD_TEST_HURRY = "600" }
  for name, value in pairs(moved and moved.env or {}) do env[name] = value end

  it("a list that cannot be read is a problem of /readyz, and an old price is none", function()
    if not moved then return pending("needs a library that is loaded first") end
    local shelf = shelves.start { env = env }
    shelf:wait_for(id_of(250), "listed")
    local function price() return select(2, shelf:known(id_of(250))) end
    shelf.host:eventually(price, 30)
    shelf:set { fail = { models = "500", prices = "500" } }
    moved:wall(86400 * 2)
    is_failing(shelf)
    assert.same({}, shelf.host:get("/readyz").json.problems)
    assert.equal(0.5, price().usd)
    moved:wall(86400 * 8)
    shelf.host:eventually(function() return shelf.host:get("/readyz").json.problems[1] end)
    assert.matches("the directory of shelf could not be read for %d days: the vendor answered 500",
      shelf.host:get("/readyz").json.problems[1])
    assert.is_false(price())
    shelf:set { fail = {} }
    shelf.host:eventually(function() return #shelf.host:get("/readyz").json.problems == 0 end)
    shelf.host:eventually(price, 30)
    shelf:remove()
    moved:remove()
  end)
end)

describe("a script that computes too long over a vendor's answer", function()
  it("does not keep clients from the provider", function()
    local shelf = shelves.start { env = HURRY, directory = EVERY_SECOND, loops = true }
    shelf.host:eventually(function() return failures(shelf) >= 4 end)
    shelf:wait_for(id_of(1), "described")
    assert.is_nil(shelf.host:log():find("script.rests", 1, true))
    shelf:remove()
  end)
end)
