-- Proves that a bad script harms nobody: each provider of spec/support/hostile_scripts.lua is called in one host, while
-- another provider of the same host is asked and answers; what is stopped names script and limit; nothing invalid goes out.
local cases = require "spec.support.hostile_scripts"
local hosts = require "spec.support.host"
local script_text = require "spec.support.script_text"

local VERBS = { "prepare", "estimate", "health", "submit", "poll" }
local BYSTANDER = "/api/providers/image/bystander/submit"

local function verb_of(case)
  if case.verb then return case.verb end
  for _, name in ipairs(VERBS) do
    if case[name] then return (name == "health" or name == "poll") and name or "submit" end
  end
end

local function files()
  local all = { ["providers/bystander.lua"] = script_text.provider("bystander"), ["lua/nothing.lua"] = "return {}" }
  for _, case in ipairs(cases) do all["providers/" .. case.name .. ".lua"] = script_text.provider(case.name, case) end
  return all
end

local function check_text(patterns, text)
  for _, pattern in ipairs(type(patterns) == "table" and patterns or { patterns }) do
    if text:find(pattern) then return end
  end
  error("unexpected: " .. text:sub(1, 600), 0)
end

local function check_answer(case, answer)
  assert.equal(case.status or 500, answer.status, answer.body:sub(1, 600))
  assert.is_truthy(utf8.len(answer.body), "the answer is not UTF-8")
  assert.is_table(answer.json)
  if answer.status >= 400 then
    assert.equal("application/problem+json", answer.headers["content-type"])
    assert.equal(answer.status, answer.json.status)
    assert.equal(case.name, answer.json.provider)
  end
  if answer.status == 500 then
    assert.equal("providers/" .. case.name .. ".lua:", answer.json.detail:match("^providers/[%w_]+%.lua:"))
  end
  if case.says then check_text(case.says, answer.status == 200 and answer.body or answer.json.detail) end
  if case.lacks then assert.is_nil(answer.body:find(case.lacks, 1, true)) end
  if case.check then assert.is_truthy(case.check(answer.json)) end
end

describe("a hostile script", function()
  local host

  -- A quarter of the usual time: many of them use all of it.
  setup(function() host = hosts.start { files = files(), env = { PROVIDERD_TEST_CALL_CPU_MS = "500" } } end)
  teardown(function() host:remove() end)

  -- The stops of every provider, as the catalogue tells them.
  local function stops_of(id)
    for _, entry in ipairs(host:get("/api/providers/image/catalog").json.providers) do
      if entry.id == id then return entry.script.stops end
    end
  end

  it("keeps no other from loading", function()
    local catalogue = host:get("/api/providers/image/catalog").json
    assert.equal(#cases + 1, #catalogue.providers)
    assert.same({}, catalogue.script_errors)
  end)

  for _, case in ipairs(cases) do
    it(case.name .. " harms nobody", function()
      if case.health and case.verb then host:post("/api/providers/image/" .. case.name .. "/health", {}) end
      for _ = 1, case.calls or 1 do
        local hostile, bystander = host:connect(), host:connect()
        hostile:send("POST", "/api/providers/image/" .. case.name .. "/" .. verb_of(case), { prompt = "x" })
        assert.equal(200, bystander:request("POST", BYSTANDER, { prompt = "beside " .. case.name }).status)
        check_answer(case, hostile:receive())
        hostile:close()
        bystander:close()
      end
      assert.equal(200, host:get("/healthz").status)
      if case.stops ~= "maybe" then assert.equal(case.stops and (case.calls or 1) or 0, stops_of(case.name), "stops") end
    end)
  end

  it("and the host stops well after all of them", function() host:ends_well() end)
end)
