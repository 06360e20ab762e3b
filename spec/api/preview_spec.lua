-- Proves that a preview is the submit's answer without the submit: the same members, refusals and upstream for every
-- provider and for generate, and not a row, an event or a line of the log; that many at once hold nobody up; and that a
-- submit which expects the request that was previewed gets no other one.
local cjson = require "cjson"
local hosts = require "spec.support.host"
local providers = require "spec.support.providers"
local script_text = require "spec.support.script_text"
local shell = require "spec.support.shell"
local socket = require "socket"

local FAL = "/api/providers/image/fal/"
local ONLY_SUBMIT = { "id", "job_id", "status" }

-- All rows and events, as text.
local function registry(host)
  local parts = {}
  for _, what in ipairs { "task", "event", "live", "ledger", "idempotency", "task_index" } do
    parts[#parts + 1] = shell.sql(host, "SELECT * FROM " .. what)
  end
  return table.concat(parts, "\n")
end

describe("a preview", function()
  local host
  setup(function() host = hosts.start() end)
  teardown(function() host:remove() end)

  for _, provider in ipairs(providers) do
    it("is what submit answers, but for what it would be known by: " .. provider.id, function()
      local body = providers.body(provider)
      local preview = host:post(providers.path(provider, "preview"), body)
      local submit = host:post(providers.path(provider, "submit"), body)
      assert.equal(200, preview.status, preview.body)
      assert.matches("^%x+$", submit.json.upstream_sha256)
      assert.equal(64, #submit.json.upstream_sha256)
      for _, name in ipairs(ONLY_SUBMIT) do
        assert.is_nil(preview.json[name])
        submit.json[name] = nil
      end
      assert.same(submit.json, preview.json)
    end)
  end

  for _, kind in ipairs { "image", "video" } do
    it("is there for generate too: " .. kind, function()
      local id = kind == "image" and "fal" or "luma"
      local path, body = ("/api/providers/%s/generate"):format(kind), { provider = id, prompt = "a cat" }
      local preview, generate = host:post(path .. "/preview", body), host:post(path, body)
      assert.equal(200, preview.status, preview.body)
      assert.same(generate.json.upstream, preview.json.upstream)
      assert.equal(generate.json.upstream_sha256, preview.json.upstream_sha256)
      assert.equal(404, host:post(path .. "/preview", { provider = "nobody" }).status)
    end)
  end

  it("leaves the registry and the log as they were", function()
    local last = host:post(FAL .. "submit", { prompt = "a cat" }).json.job_id
    host:eventually(function() return host:log():find(last, 1, true) end) -- its line comes a little later
    local rows, log = registry(host), host:log()
    for i = 1, 20 do
      host:post(FAL .. "preview", { prompt = "a cat " .. i }, { ["Idempotency-Key"] = "key-" .. i })
      host:post(FAL .. "preview", { prompt = "a cat", dry_run = false })
      host:post(FAL .. "preview", { prompt = "a cat", dry_run = false, max_cost_usd = 1 })
    end
    assert.equal(rows, registry(host))
    last = host:post(FAL .. "submit", { prompt = "a cat" }).json.job_id
    local after = host:eventually(function() return host:log():match("(.-)\n[^\n]*" .. last:gsub("%-", "%%-")) end)
    assert.equal(log, after .. "\n")
  end)

  it("ignores an Idempotency-Key, whatever it was used for", function()
    local key = { ["Idempotency-Key"] = "the key" }
    host:post(FAL .. "submit", { prompt = "one" }, key)
    local answer = host:post(FAL .. "preview", { prompt = "two" }, key)
    assert.equal("two", answer.json.payload.prompt)
    assert.is_nil(answer.headers["idempotent-replayed"])
  end)

  it("refuses what submit refuses, in the same words", function()
    for _, case in ipairs {
      { FAL, "{" }, { FAL, "[]" }, { FAL, { prompt = 7 } }, { FAL, { prompt = "x", dry_run = "no" } },
      { FAL, { prompt = "x", max_cost_usd = 0 } }, { FAL, { prompt = "x", expect_upstream_sha256 = "abc" } },
      { FAL, { prompt = "x", expect_upstream_sha256 = 7 } },
      { FAL, { prompt = "x", dry_run = false, config = { api_key = "k" } } },
      { "/api/providers/image/nobody/", {} },
    } do
      local preview, submit = host:post(case[1] .. "preview", case[2]), host:post(case[1] .. "submit", case[2])
      assert.is_true(submit.status >= 400)
      preview.json.request_id, submit.json.request_id = nil, nil
      assert.same(submit.json, preview.json)
    end
    assert.equal(405, host:get(FAL .. "preview").status)
  end)

  it("has no request, and no name for one, where nothing would be sent", function()
    local body = { prompt = "waves", parameters = { duration = 7 } }
    local answer = host:post("/api/providers/video/luma/preview", body).json
    assert.same({ cjson.null, cjson.null }, { answer.upstream, answer.upstream_sha256 })
    assert.matches("parameters%.duration", answer.warnings[#answer.warnings])
  end)

  it("tells files apart that only differ in their bytes", function()
    local function sha(data)
      return host:post("/api/providers/image/stability/preview", { prompt = "in oil", mode = "image-to-image",
        parameters = { strength = 0.6, init_image = "data:image/png;base64," .. data } }).json
    end
    local one, other = sha "iVBORw0KGgo=", sha "iVBORw0KGgp="
    assert.same(one.upstream, other.upstream)
    assert.not_equal(one.upstream_sha256, other.upstream_sha256)
    assert.equal(one.upstream_sha256, sha("iVBORw0KGgo=").upstream_sha256)
  end)
end)

describe("many previews at once", function()
  it("are all answered, beside submits that are all registered", function()
    local host = hosts.start { config = { server = { threads = 96 } } }
    local clients, previews, submits = {}, 0, 0
    local before = #shell.sql(host, "SELECT id FROM task")
    for i = 1, 64 do clients[i] = host:connect() end
    for round = 1, 20 do
      for i, client in ipairs(clients) do
        client:send("POST", FAL .. (i % 8 == 0 and "submit" or "preview"), { prompt = ("cat %d %d"):format(round, i) })
      end
      for i, client in ipairs(clients) do
        local answer = client:receive()
        assert.equal(200, answer.status, answer.body)
        if i % 8 == 0 then submits = submits + 1 else previews = previews + 1 end
      end
    end
    for _, client in ipairs(clients) do client:close() end
    assert.same({ 1120, 160 }, { previews, submits })
    assert.equal(0, before)
    assert.equal("160\n", shell.sql(host, "SELECT count(*) FROM task"))
    assert.equal("160\n", shell.sql(host, "SELECT count(*) FROM event WHERE verb = 'submit'"))
    host:remove()
  end)

  it("leave the places in a script's queue to jobs", function()
    local host = hosts.start { config = { server = { threads = 512 } }, scripts = true, files = {
      ["providers/slow.lua"] = script_text.provider("slow", { prepare = "for _ = 1, 300000 do end return request" }) } }
    local clients, counts = {}, { preview = {}, submit = {} }
    local function verb(i) return i > 300 and "submit" or "preview" end
    for i = 1, 340 do clients[i] = host:connect() end
    for i, client in ipairs(clients) do client:send("POST", "/api/providers/image/slow/" .. verb(i), {}) end
    for i, client in ipairs(clients) do
      local answer = client:receive()
      local of = counts[verb(i)]
      of[answer.status] = (of[answer.status] or 0) + 1
      if answer.status == 503 then assert.is_truthy(answer.headers["retry-after"]) end
      client:close()
    end
    assert.same({ [200] = 40 }, counts.submit)
    assert.equal(300, counts.preview[200] + (counts.preview[503] or 0))
    -- under a sanitizer each call is a slow one, and who waits in the midst of its code is in no queue
    assert.is_true((counts.preview[503] or 0) > 50 or os.getenv "SPEC_SLOW" ~= nil, counts.preview[503])
    host:remove()
  end)

  it("of a script that goes over its limits bring it to rest, as submits do", function()
    local host = hosts.start { scripts = true, files = {
      ["providers/loop.lua"] = script_text.provider("loop", { prepare = "while true do end" }) } }
    local status
    for _ = 1, 5 do status = host:post("/api/providers/image/loop/preview", {}).status end
    assert.equal(503, status)
    assert.equal("0\n", shell.sql(host, "SELECT count(*) FROM task"))
    host:remove()
  end)
end)

describe("a submit that expects a request", function()
  local host

  local function painter(word)
    local request = "{ path = '/jobs', json = { prompt = payload.prompt, word = '%s' } }"
    return script_text.provider("painter", { submit = "return ctx.request " .. request:format(word) })
  end

  local PAINTER = "/api/providers/image/painter/"

  setup(function()
    host = hosts.start { config = { server = { threads = 32 } }, scripts = true,
      files = { ["providers/painter.lua"] = painter "one" } }
  end)
  teardown(function() host:remove() end)

  local function sha() return host:post(PAINTER .. "preview", { prompt = "a" }).json.upstream_sha256 end
  local function count() return shell.sql(host, "SELECT count(*) FROM task") end

  it("is taken while it is that one, in either letter case", function()
    local expected = sha()
    for _, text in ipairs { expected, expected:upper() } do
      local answer = host:post(PAINTER .. "submit", { prompt = "a", expect_upstream_sha256 = text })
      assert.equal(200, answer.status, answer.body)
      assert.same({ prompt = "a" }, answer.json.payload)
      assert.equal(expected, answer.json.upstream_sha256)
    end
    assert.equal(200, host:post(PAINTER .. "preview", { prompt = "a", expect_upstream_sha256 = expected }).status)
    assert.equal(200, host:post("/api/providers/image/generate",
      { provider = "painter", prompt = "a", expect_upstream_sha256 = expected }).status)
  end)

  it("is refused when it is another, which is named, and nothing is registered", function()
    local before, other = count(), host:post(PAINTER .. "preview", { prompt = "b" }).json.upstream_sha256
    for _, verb in ipairs { "submit", "preview" } do
      local answer = host:post(PAINTER .. verb, { prompt = "b", expect_upstream_sha256 = sha() })
      assert.equal(409, answer.status)
      assert.equal(other, answer.json.upstream_sha256)
      assert.is_truthy(answer.json.detail:find(other, 1, true))
      assert.equal("painter", answer.json.provider)
    end
    assert.equal(before, count())
  end)

  it("can be sent again under the key of one that was refused", function()
    local key = { ["Idempotency-Key"] = "again" }
    local body = { prompt = "b", expect_upstream_sha256 = sha() }
    assert.equal(409, host:post(PAINTER .. "submit", body, key).status)
    body.expect_upstream_sha256 = host:post(PAINTER .. "preview", { prompt = "b" }).json.upstream_sha256
    assert.equal(200, host:post(PAINTER .. "submit", body, key).status)
  end)

  it("is not moved by a client's trace", function()
    local trace = { traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }
    assert.equal(200, host:post(PAINTER .. "submit", { prompt = "a", expect_upstream_sha256 = sha() }, trace).status)
  end)

  -- The script is saved again and again while clients submit what they have previewed.
  it("never gets another one while its script changes", function()
    local clients, taken, refused = {}, 0, 0
    local words, previews = { "one", "two", "three" }, {}
    for i = 1, 12 do clients[i] = host:connect() end
    for turn = 1, 200 do
      for i, client in ipairs(clients) do client:send("POST", PAINTER .. "preview", { prompt = "race " .. i }) end
      for i, client in ipairs(clients) do previews[i] = client:receive().json end
      host:write("providers/painter.lua", painter(words[turn % 3 + 1]))
      socket.sleep(0.01 * (turn % 4))
      for i, client in ipairs(clients) do
        client:send("POST", PAINTER .. "submit",
          { prompt = "race " .. i, expect_upstream_sha256 = previews[i].upstream_sha256 })
      end
      for i, client in ipairs(clients) do
        local answer = client:receive()
        if answer.status == 200 then
          taken = taken + 1
          assert.same(previews[i].upstream, answer.json.upstream)
        else
          refused = refused + 1
          assert.equal(409, answer.status, answer.body)
          assert.not_equal(previews[i].upstream_sha256, answer.json.upstream_sha256)
        end
      end
    end
    for _, client in ipairs(clients) do client:close() end
    assert.is_true(taken > 0 and refused > 0, ("%d taken, %d refused"):format(taken, refused))
  end)
end)
