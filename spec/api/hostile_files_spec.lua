-- Proves that a file which is no provider is refused with its name, the line and what is wrong, in catalogue and log, and that
-- the host starts and serves beside any number of them; and that a script which is stopped again and again rests until it is
-- saved.
local hostile = require "spec.support.hostile_files"
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"

local SUBMIT = "/api/providers/image/%s/submit"

describe("a hostile file", function()
  local host, messages

  setup(function()
    local files = { ["providers/bystander.lua"] = script_text.provider("bystander") }
    for path, text in pairs(hostile.modules) do files[path] = text end
    for _, case in ipairs(hostile.cases) do files["providers/" .. case.name .. ".lua"] = case.source end
    host = hosts.start { files = files }
    messages = {}
    for _, message in ipairs(host:get("/api/providers/image/catalog").json.script_errors) do
      messages[message:match("^providers/([%w_]+)%.lua:") or message] = message
    end
  end)
  teardown(function() host:remove() end)

  it("does not keep the good one from serving", function()
    local catalogue = host:get("/api/providers/image/catalog").json
    assert.equal(1, #catalogue.providers)
    assert.equal("bystander", catalogue.providers[1].id)
    assert.equal(#hostile.cases, #catalogue.script_errors)
    assert.equal(200, host:post(SUBMIT:format("bystander"), { prompt = "x" }).status)
  end)

  for _, case in ipairs(hostile.cases) do
    it(case.name .. " is refused, by line", function()
      local message = assert(messages[case.name], "not refused")
      local line, text = message:match("^providers/[%w_]+%.lua:(%d+): (.*)$")
      assert.is_truthy(line, message)
      assert.matches(case.says, text)
      if case.line then assert.equal(case.line, tonumber(line), message) end
      assert.is_truthy(utf8.len(message), "the message is not UTF-8")
      host:eventually(function() return host:log():find(("providers/%s.lua:%s:"):format(case.name, line), 1, true) end)
    end)
  end

  it("and the host stops well after all of them", function() host:ends_well() end)
end)

describe("a script that is stopped again and again", function()
  local host, reason
  local bad = script_text.provider("tired", { submit = "while true do end" })

  setup(function()
    host = hosts.start { files = { ["providers/tired.lua"] = bad, ["providers/bystander.lua"] = script_text.provider("bystander"),
      ["lua/nothing.lua"] = "return {}" } }
  end)
  teardown(function() host:remove() end)

  local function entry(id)
    for _, provider in ipairs(host:get("/api/providers/image/catalog").json.providers) do
      if provider.id == (id or "tired") then return provider end
    end
  end

  it("rests: 503 with Retry-After, and says why", function()
    for _ = 1, 3 do assert.equal(500, host:post(SUBMIT:format("tired"), {}).status) end
    local answer = host:post(SUBMIT:format("tired"), {})
    reason = answer.json.detail
    assert.equal(503, answer.status)
    assert.is_true(tonumber(answer.headers["retry-after"]) > 0)
    assert.matches("^providers/tired%.lua rests", reason)
    assert.equal("application/problem+json", answer.headers["content-type"])
    assert.equal(503, host:post("/api/providers/image/tired/health", {}).status)
  end)

  it("shows so in the catalogue, while the others work", function()
    local script = entry().script
    assert.equal(3, script.stops)
    assert.matches("^%d+%-%d+%-%d+T", script.rests_until)
    assert.matches("^providers/tired%.lua:%d+: .*stopped 3 times within 60 s", script.error)
    host:eventually(function() return host:log():find("script.rests", 1, true) end)
    assert.equal(200, host:post(SUBMIT:format("bystander"), {}).status)
  end)

  it("is not sent to rest by clients that ask for too much", function()
    local members = {}
    for i = 1, 300000 do members["k" .. i] = i end
    local greedy = { prepare = "local all = {} for name in pairs(request) do all[#all + 1] = name:rep(40) end return all" }
    local before = entry("bystander").script.generation
    host:write("providers/bystander.lua", script_text.provider("bystander", greedy))
    host:eventually(function() return entry("bystander").script.generation ~= before end)
    for _ = 1, 4 do
      local answer = host:post(SUBMIT:format("bystander"), members)
      assert.equal(500, answer.status)
      assert.matches("memory limit", answer.json.detail)
    end
    assert.equal(0, entry("bystander").script.stops)
    assert.equal(200, host:post(SUBMIT:format("bystander"), {}).status)
  end)

  it("is woken by a saved fix", function()
    host:write("providers/tired.lua", script_text.provider("tired"))
    host:within(25, function() return host:post(SUBMIT:format("tired"), {}).status == 200 end)
    assert.same({ 0, true }, { entry().script.stops, entry().script.error == nil or type(entry().script.error) == "userdata" })
  end)

  it("is not sent to rest by bad input of clients", function()
    local strict = script_text.provider("tired", { prepare = "error { field = 'prompt', message = 'is bad' }" })
    host:write("providers/tired.lua", strict)
    host:eventually(function() return host:post(SUBMIT:format("tired"), {}).status == 400 end)
    for _ = 1, 10 do assert.equal(400, host:post(SUBMIT:format("tired"), {}).status) end
    assert.equal(0, entry().script.stops)
  end)
end)
