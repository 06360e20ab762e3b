-- GET .../models searches what is known of a provider's models: those that the script describes, and those of the directory.
-- POST /api/directory/refresh has it read anew.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local shelves = require "spec.support.directory_script"

local PATH = "/api/providers/image/shelf/models"
local OWN = [[inputs = {
    { kind = "image", mode = "x", model = "own/painter", label = "Painter", makes = "image", price = "$0.03 / image",
      schema = { type = "object", properties = { prompt = { type = "string" } } } },
    { kind = "image", mode = "x", model = "maker-3/model-0003", label = "Three", makes = "video", price = "$1 / video",
      schema = { type = "object", properties = { prompt = { type = "string" } } } },
  }, capabilities = {},]]

-- The host of directory_script.lua, whose script describes two models by itself; the directory has one of them.
local function start(options)
  local shelf = shelves.start(options or {})
  local text = shelves.script(options or {}):gsub("capabilities = {},", function() return OWN end, 1)
  shelf.host:write("providers/shelf.lua", text)
  shelf.host:eventually(function() return shelf.host:get("/api/providers/image/shelf/inputs").json.described end)
  return shelf
end

local function ids(answer)
  local list = {}
  for i, row in ipairs(answer.json.models) do list[i] = row.id end
  return list
end

-- What is asked, what the answer's status is, and which path it names.
local BAD = {
  { "?kind=picture", 400, "kind" }, { "?kind=IMAGE", 400, "kind" }, { "?status=dead", 400, "status" },
  { "?limit=0", 400, "limit" }, { "?limit=501", 400, "limit" }, { "?limit=many", 400, "limit" },
  { "?cursor=-1", 400, "cursor" }, { "?cursor=next", 400, "cursor" }, { "?cursor=99999999999999999999", 400, "cursor" },
  { "?q=" .. ("a"):rep(201), 400, "q" }, { "?id=" .. ("a"):rep(201), 400, "id" }, { "?id=no/such-model", 404 },
}

local BAD_BODIES = {
  { "", 400 }, { "{", 400, "" }, { "[]", 400, "" }, { "{}", 400, "provider" }, { '{"provider":7}', 400, "provider" },
  { '{"provider":""}', 400, "provider" }, { '{"provider":"nobody"}', 404, "provider" },
  { '{"provider":"shelf","model":1}', 400, "model" }, { '{"provider":"shelf","model":""}', 400, "model" },
  { '{"provider":"shelf","models":["x"]}', 400, "models" },
}

local function refresh(shelf, body)
  return shelf.host:post("/api/directory/refresh", body)
end

describe("the models of a provider, with the directory off", function()
  local shelf
  setup(function() shelf = start { on = false } end)
  teardown(function()
    assert.same({}, shelf:seen())
    shelf:remove()
  end)

  it("are those that the script describes", function()
    local answer = shelf.host:get(PATH)
    assert.equal(200, answer.status)
    assert.same({ "own/painter", "maker-3/model-0003" }, ids(answer))
    assert.equal(2, answer.json.total)
    local body = exact.decode(answer.body)
    assert.same({ state = "off", as_of = exact.null, age_seconds = exact.null, failure = exact.null, complete = false,
      models = 0 }, body.directory)
    assert.same({ id = "own/painter", name = "Painter", kind = "image", status = "active", source = "script", as_of = exact.null,
      age_seconds = exact.null, described = true, price = { text = "$0.03 / image" }, script = true }, body.models[1])
    assert.equal("$1 / video", body.models[2].price.text)
    assert.equal(exact.null, body.next)
  end)

  -- A query, and what it finds.
  local FOUND = {
    { "?q=PAINT", { "own/painter" } }, { "?q=painter+own", { "own/painter" } }, { "?q=painter+three", {} },
    { "?kind=video", { "maker-3/model-0003" } }, { "?kind=audio", {} }, { "?status=active", { "own/painter",
      "maker-3/model-0003" } }, { "?status=gone", {} }, { "?limit=1", { "own/painter" } },
    { "?limit=1&cursor=1", { "maker-3/model-0003" } }, { "?cursor=2", {} }, { "?q=", { "own/painter", "maker-3/model-0003" } },
    { "?q=%20%20", { "own/painter", "maker-3/model-0003" } }, { "?q=%3Cscript%3E", {} },
  }
  for _, case in ipairs(FOUND) do
    it("are found by " .. case[1], function() assert.same(case[2], ids(shelf.host:get(PATH .. case[1]))) end)
  end

  it("are shown one by one", function()
    local model = exact.decode(shelf.host:get(PATH .. "?id=own/painter").body).model
    assert.equal("Painter", model.name)
    assert.equal(exact.null, model.inputs)
    assert.is_true(model.script)
  end)

  for _, case in ipairs(BAD) do
    it("are refused with the path for " .. case[1]:sub(1, 40), function()
      local answer = shelf.host:get(PATH .. case[1])
      assert.equal(case[2], answer.status, answer.body)
      if case[3] then assert.equal(case[3], answer.json.errors[1].path) end
      assert.equal("shelf", answer.json.provider)
    end)
  end

  it("are not read anew: 409 says which switches are off", function()
    local answer = refresh(shelf, { provider = "shelf" })
    assert.equal(409, answer.status)
    assert.truthy(answer.json.detail:find("directory.enabled and directory.providers.shelf.enabled", 1, true))
  end)

  for _, case in ipairs(BAD_BODIES) do
    it("are refused to be read anew for " .. case[1], function()
      local answer = refresh(shelf, case[1])
      assert.equal(case[2], answer.status, answer.body)
      if case[3] then assert.equal(case[3], answer.json.errors[1].path) end
    end)
  end

  it("have an ETag", function()
    local tag = shelf.host:get(PATH).headers.etag
    assert.matches('^W/"%x+"$', tag)
    local again = shelf.host:get(PATH, { ["If-None-Match"] = tag })
    assert.equal(304, again.status)
    assert.equal("", again.body)
    assert.equal(200, shelf.host:get(PATH .. "?limit=1", { ["If-None-Match"] = tag }).status)
    assert.equal(404, shelf.host:get("/api/providers/image/nobody/models").status)
    assert.equal(405, shelf.host:post(PATH, {}).status)
    assert.equal(405, shelf.host:get("/api/directory/refresh").status)
  end)
end)

describe("the models of a provider, with the directory on", function()
  local shelf
  setup(function()
    shelf = start { directory = "place = 'parameters.',", secrets = { shelf = { api_key = "shelf-key-of-the-operator" } } }
    shelf.host:eventually(function() return shelf.host:get(PATH).json.directory.models == 250 end)
  end)
  teardown(function() shelf:remove() end)

  local function get(query, headers) return shelf.host:get(PATH .. (query or ""), headers) end

  it("are the script's own that the vendor does not list, and all of the vendor's, page by page, each once", function()
    local seen, count, cursor = {}, 0, nil
    repeat
      local answer = get("?limit=100" .. (cursor and "&cursor=" .. cursor or "")).json
      assert.equal(251, answer.total)
      assert.equal("fresh", answer.directory.state)
      assert.is_true(answer.directory.complete)
      for _, row in ipairs(answer.models) do
        assert.is_nil(seen[row.id])
        seen[row.id], count = row, count + 1
      end
      cursor = type(answer.next) == "string" and answer.next or nil
    until not cursor
    assert.equal(251, count)
    assert.is_true(seen["own/painter"].script)
    assert.is_true(seen["maker-3/model-0003"].script)
    assert.is_false(seen["maker-1/model-0001"].script)
    assert.equal("Model 3", seen["maker-3/model-0003"].name)
    assert.same({ text = "$1 / video" }, seen["maker-3/model-0003"].price)
  end)

  it("are searched by words, kind and status, the best first", function()
    assert.equal("maker-1/model-0008", ids(get("?q=maker-1/model-0008"))[1])
    for _, row in ipairs(get("?kind=video&limit=500").json.models) do assert.equal("video", row.kind) end
    assert.equal(83, get("?kind=video").json.total)
    assert.same({}, ids(get("?status=deprecated")))
    assert.same({}, ids(get("?q=no-such-thing")))
  end)

  it("are shown one by one with schema and price, waiting for what was never seen", function()
    local model = get("?id=maker-2/model-0009").json.model
    assert.equal(4, model.inputs.properties.samples.maximum)
    assert.is_number(model.age_seconds)
    shelf.host:eventually(function() return get("?id=maker-2/model-0009").json.model.price.usd == 0.5 end)
    local price = get("?id=maker-2/model-0009").json.model.price
    assert.matches("^%d%d%d%d%-", price.as_of)
  end)

  it("that nobody knows are 404 with the nearest ids and the directory's state", function()
    local answer = get("?id=maker-2/model-0500")
    assert.equal(404, answer.status)
    assert.matches("^maker%-2/model%-0%d%d%d$", answer.json.nearest[1])
    assert.equal("fresh", answer.json.directory.state)
  end)

  it("are read anew when the operator says so, all or one", function()
    local pages = #shelf:seen("models")
    local answer = refresh(shelf, { provider = "SHELF" })
    assert.equal(202, answer.status)
    assert.equal("shelf", answer.json.provider)
    assert.is_string(answer.json.directory.state)
    shelf.host:eventually(function() return #shelf:seen("models") == pages + 3 end)
    local described = #shelf:seen("model")
    assert.equal(202, refresh(shelf, { provider = "shelf", model = "maker-2/model-0009" }).status)
    shelf.host:eventually(function() return #shelf:seen("model") == described + 1 end)
    assert.equal(400, refresh(shelf, { provider = "shelf", model = " x" }).status)
  end)

  it("that the script does not describe are choices of inputs, by the vendor's schema, under the paths of a request", function()
    local path = "/api/providers/image/shelf/inputs?model=maker-6/model-0013"
    local answer = shelf.host:get(path)
    assert.equal(200, answer.status, answer.body)
    local choice = answer.json.choice
    assert.same({ "maker-6/model-0013", "Model 13", "image" }, { choice.model, choice.label, choice.makes })
    assert.same({ "prompt" }, choice.schema.required)
    assert.equal(4, choice.schema.properties["parameters.samples"].maximum)
    assert.is_table(choice.schema.properties.prompt)
    assert.is_nil(choice.schema.properties.samples)
    assert.equal("fresh", answer.json.directory.state)
    local tag = shelf.host:eventually(function()
      local again = shelf.host:get(path)
      return again.json.choice.price == "$0.5 / images" and again.headers.etag
    end)
    require("socket").sleep(1.1)
    assert.equal(304, shelf.host:get(path, { ["If-None-Match"] = tag }).status)
    assert.equal("Painter", shelf.host:get("/api/providers/image/shelf/inputs?model=own/painter").json.choice.label)
    assert.equal(404, shelf.host:get("/api/providers/image/shelf/inputs?model=maker-6/model-0500").status)
    assert.equal(404, shelf.host:get("/api/providers/image/shelf/inputs?mode=x&model=maker-6/model-0500").status)
  end)

  it("leave a submit its word: it says how the directory stands, and may ignore it", function()
    local body = { model = "maker-2/model-0009", prompt = "a cat" }
    local function submit() return shelf.host:post("/api/providers/image/shelf/submit", body) end
    local answer = submit().json
    assert.equal("fresh", answer.directory.state)
    assert.equal(250, answer.directory.models)
    assert.is_false(answer.ignored)
    body.directory = "ignore"
    answer = submit().json
    assert.is_true(answer.ignored)
    assert.is_nil(answer.upstream.body.directory)
    assert.is_true(shelf.host:post("/api/providers/image/shelf/preview", body).json.ignored)
    body.directory = exact.null
    assert.is_false(submit().json.ignored)
    for _, value in ipairs { "IGNORE", "", true, 1, {} } do
      body.directory = value
      assert.equal(400, submit().status)
      assert.equal("directory", submit().json.errors[1].path)
    end
  end)

  it("keep their ETag while nothing changes, whatever their age, and get another when the vendor's answer is new", function()
    local query = "?id=maker-4/model-0011"
    get(query)
    shelf.host:eventually(function() return get(query).json.model.price ~= exact.null and get(query).json.model.price end)
    local tag = get(query).headers.etag
    require("socket").sleep(1.1)
    assert.equal(304, get(query, { ["If-None-Match"] = tag }).status)
    shelf:set { maximum = 2 }
    refresh(shelf, { provider = "shelf", model = "maker-4/model-0011" })
    shelf.host:eventually(function() return get(query, { ["If-None-Match"] = tag }).status == 200 end)
    shelf.host:eventually(function() return get(query).json.model.inputs.properties.samples.maximum == 2 end)
    shelf:set { maximum = 4 }
  end)

  it("stay when the vendor fails: the old with its age, and the cause", function()
    shelf:set { fail = { models = "html", model = "500" } }
    refresh(shelf, { provider = "shelf" })
    local answer = shelf.host:eventually(function()
      local page = get().json
      return page.directory.state == "failing" and page
    end)
    assert.equal(251, answer.total)
    assert.is_string(answer.directory.failure)
    assert.is_number(answer.directory.age_seconds)
    shelf:set { fail = {} }
  end)

  it("need the roles read and operate", function()
    shelf:reconfigure(function(config)
      config.server = { api_keys = { keys.entry("reader", { may = { "read" } }), keys.entry("boss", { may = { "operate" } }) } }
    end)
    local as = keys.headers
    shelf.host:eventually(function() return get("", as("reader")).status == 200 and get().status == 401 end)
    assert.equal(403, get("", as("boss")).status)
    local body = { provider = "shelf" }
    assert.equal(403, shelf.host:post("/api/directory/refresh", body, as("reader")).status)
    assert.equal(202, shelf.host:post("/api/directory/refresh", body, as("boss")).status)
  end)
end)
