-- What a script returns and sends counts, also where C writes it: values that share a long text are larger on paper than in
-- memory.
local script_text = require "spec.support.script_text"
local shell = require "spec.support.shell"
local start = require("spec.support.host").start

-- Twenty-four times the same MiB, wherever a script may put it.
local TEXTS = "local text = ('long text '):rep(104858) local list = {} for i = 1, 24 do list[i] = text end\n"
local TOP = "local function texts() " .. TEXTS .. " return list end"

local PLACES = {
  payload = { prepare = "return { texts(), texts(), texts(), texts(), texts() }" },
  fields = { prepare = "return request, { f = { texts(), texts(), texts(), texts(), texts() } }" },
  estimate = { estimate = "return { expected = 1, why = { texts(), texts(), texts(), texts(), texts() } }" },
  upstream = { submit = "return ctx.request { path = '/x', json = { texts(), texts(), texts(), texts() } }" },
  notes = { submit = "local t = ('x'):rep(16000000) for i = 1, 32 do ctx.note(t) end return ctx.request { path = '/x' }" },
  warnings = { submit = "local t = ('x'):rep(16000000) for i = 1, 32 do ctx.warn { message = t } end "
      .. "return ctx.request { path = '/x' }" },
  result = { submit = "return { id = 'x', state = { texts(), texts(), texts(), texts(), texts() } }" },
  together = {
    prepare = "return { texts() }, { f = texts() }", estimate = "return { expected = 1, why = texts() }",
    submit = "return ctx.request { path = '/x', json = texts() }",
  },
  answer = {
    prepare = "return { texts(), texts() }, { f = request }", submit = "return ctx.request { path = '/x', body = texts()[1] }",
  },
}

local function peak_mib(host)
  return tonumber(shell.read("/proc/" .. host.process.pid .. "/status"):match("VmHWM:%s*(%d+)")) // 1024
end

describe("a script that says too much", function()
  local host
  setup(function()
    local files = { ["providers/image_bystander.lua"] = script_text.provider("bystander") }
    for name, functions in pairs(PLACES) do
      functions.top = TOP
      files["providers/image_large_" .. name .. ".lua"] = script_text.provider("large_" .. name, functions)
    end
    host = start { files = files }
  end)
  teardown(function() host:remove() end)

  for name in pairs(PLACES) do
    it("in its " .. name .. " is told the limit, and the host stays small", function()
      local answer = host:post("/api/providers/image/large_" .. name .. "/submit", { prompt = "x" })
      assert.equals(500, answer.status, answer.body:sub(1, 300))
      assert.is_truthy(answer.json.detail:find("^providers/image_large_" .. name .. "%.lua"), answer.json.detail)
      assert.is_truthy(answer.json.detail:find("limit of %d+ MiB") or answer.json.detail:find("more than %d+ MiB"),
        answer.json.detail)
      assert.is_true(peak_mib(host) < 400 or os.getenv("SPEC_SLOW") ~= nil, "peak of " .. peak_mib(host) .. " MiB")
    end)
  end

  it("leaves the others their answers, also when several do it at once", function()
    local clients = {}
    for name in pairs(PLACES) do
      for _ = 1, 3 do
        local client = host:connect()
        client:send("POST", "/api/providers/image/large_" .. name .. "/submit", { prompt = "x" })
        clients[#clients + 1] = client
      end
    end
    for _, client in ipairs(clients) do
      assert.is_true(client:receive().status >= 500)
      client:close()
    end
    -- texts of all calls have 256 MiB, all instances 128 beyond the 8 of each, and 27 calls come: 600, and what grows is there
    -- twice for a moment; without these limits it would be four thousand
    assert.is_true(peak_mib(host) < 1000 or os.getenv("SPEC_SLOW") ~= nil, "peak of " .. peak_mib(host) .. " MiB")
    assert.equals(200, host:post("/api/providers/image/bystander/submit", { prompt = "x" }).status)
  end)
end)

describe("texts of all calls together", function()
  it("have a limit, over which a call is told to come again", function()
    local host = start { env = { PROVIDERD_TEST_CALLS_TEXT_BYTES = "6000000" } }
    local long = ("many words "):rep(300000)
    local answer = host:post("/api/providers/video/pika/submit", { prompt = long })
    assert.equals(503, answer.status, answer.body:sub(1, 300))
    assert.is_truthy(answer.headers["retry-after"])
    for _ = 1, 20 do assert.equals(200, host:post("/api/providers/image/fal/submit", { prompt = "x" }).status) end
    host:remove()
  end)
end)
