-- What was previewed is what is sent, byte for byte, whatever the script does with its tables while the request is out.
local start = require("spec.support.host").start
local support = require "spec.support.live"

-- One request table for all calls, kept outside the functions: a live submit fills it and waits, other calls empty it and fill
-- the memory with text of their own.
local SCRIPT = [[
local REQUEST = { headers = {}, query = {} }

local function long(tag, word, count) return table.concat({ word, tag, (word .. tag):rep(count) }, "-") end

local FILL = {
  json = function(tag) REQUEST.json = { text = long(tag, "json", 20000), list = { long(tag, "item", 50) } } end,
  body = function(tag)
    REQUEST.body = long(tag, "body", 200000)
    REQUEST.headers["Content-Type"] = "text/plain; tag=" .. long(tag, "type", 10)
  end,
  form = function(tag)
    REQUEST.form = {
      { name = long(tag, "field", 5), value = long(tag, "value", 30000) },
      { name = long(tag, "file", 5), filename = long(tag, "filename", 5), content_type = "image/" .. long(tag, "png", 5),
        data = long(tag, "data", 30000) },
      { name = long(tag, "uri", 5), data_uri = "data:image/" .. long(tag, "gif", 5) .. ";base64," .. ("QUJD"):rep(30000 + #tag) },
      { name = long(tag, "number", 5), value = 12345.5 },
    }
  end,
}

local function empty()
  REQUEST.method, REQUEST.path, REQUEST.body, REQUEST.json, REQUEST.form = nil, nil, nil, nil, nil
  for name in pairs(REQUEST.headers) do REQUEST.headers[name] = nil end
  for name in pairs(REQUEST.query) do REQUEST.query[name] = nil end
end

return {
  id = "thrifty", kind = "image", base_url = "https://api.thrifty.example/v1", capabilities = {}, pricing = {},
  credentials = { api_key = { secret = { "api_key" } } }, auth = { Authorization = "Key {api_key}" },
  estimate = function() return { expected = 0.01 } end,
  health = function(ctx) return ctx.request { path = "/me" } end,
  submit = function(payload, ctx)
    empty()
    if payload.wipe then
      local garbage = {}
      for i = 1, 40 do garbage[i] = ("another caller's text " .. i):rep(20000) end
      return ctx.request { path = "/nothing", method = "GET", query = { n = #garbage } }
    end
    REQUEST.method = ("P" .. "UT"):upper()
    if payload.post then REQUEST.method = nil end
    REQUEST.path = "/" .. long(payload.tag, "path", 10)
    REQUEST.query[long(payload.tag, "name", 10)] = long(payload.tag, "query", 10)
    for i = 1, 8 do REQUEST.headers["X-" .. long(payload.tag, "Header" .. i, 8)] = long(payload.tag, "value", 100) end
    FILL[payload.fill](payload.tag)
    local response, failure = ctx.request(REQUEST)
    if not response then return { status = "error", error = { code = "vendor", message = failure.message, billed = false } } end
    return { id = response.json.id, status = "done" }
  end,
  poll = function() return { status = "done" } end,
}
]]

local JOBS = 12 -- out at the same time

describe("a request while it is out", function()
  local vendor, host

  setup(function()
    vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/holding_vendor.lua" }, config = "",
      env = { LUA_PATH = os.getenv("LUA_PATH") } }
    local config = support.config("http://127.0.0.1:" .. vendor.port)
    config.live.providers.thrifty = { enabled = true, budget_usd = { per_day = 1000, per_month = 1000 }, rate_per_minute = 6000,
      max_concurrent = 100 }
    host = start { config = config, secrets = { thrifty = { api_key = "planted-thrifty" } },
      files = { ["providers/image_thrifty.lua"] = SCRIPT } }
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function submit(body)
    local answer = host:post("/api/providers/image/thrifty/submit", body)
    assert.is_true(answer.status == 202 or answer.status == 200, answer.body:sub(1, 300))
    return answer.json
  end

  local function header_lines(raw)
    local headers = {}
    for name, value in raw:match("^[^\r\n]*\r\n(.-)\r\n\r\n"):gmatch("([^\r\n:]+): ([^\r\n]*)") do headers[name] = value end
    return headers
  end

  -- The parts of a multipart body, in their order.
  local function parts_of(raw)
    local boundary = raw:match("boundary=([^\r\n]+)")
    local parts = {}
    for head, data in raw:gmatch("%-%-" .. boundary:gsub("%p", "%%%0") .. "\r\n(.-)\r\n\r\n(.-)\r\n%f[%-]") do
      parts[#parts + 1] = {
        name = head:match('[^e]name="([^"]*)"'), filename = head:match('filename="([^"]*)"'),
        content_type = head:match("Content%-Type: ([^\r\n]*)"), data = data,
      }
    end
    return parts
  end

  local CHECK = {
    json = function(preview, body)
      assert.equals(#preview.body.text, #body:match('"text":"([^"]*)"'))
      assert.is_true(body:match('"text":"([^"]*)"') == preview.body.text)
      assert.equals(preview.body.list[1], body:match('"list":%["([^"]*)"%]'))
    end,
    body = function(preview, body) assert.is_true(preview.body == body) end,
    form = function(preview, body, raw)
      local parts = parts_of(raw)
      assert.equals(#preview.form, #parts)
      for i, part in ipairs(preview.form) do
        assert.equals(part.name, parts[i].name)
        if part.value then
          assert.is_true(part.value == parts[i].data)
        else
          assert.equals(part.filename, parts[i].filename)
          assert.equals(part.content_type, parts[i].content_type)
          assert.equals(part.bytes, #parts[i].data)
        end
      end
      local tag = preview.url:match("path%-(%w+)%-")
      assert.is_true(parts[2].data == table.concat({ "data", tag, ("data" .. tag):rep(30000) }, "-"))
      assert.is_true(parts[3].data == ("ABC"):rep(30000 + #tag))
      return body
    end,
  }

  local function check(preview, raw, fill)
    local line = raw:match("^[^\r\n]*")
    assert.equals(preview.method .. " " .. preview.url:gsub("^https:/", "") .. " HTTP/1.1", line)
    local sent = header_lines(raw)
    for name, value in pairs(preview.headers) do
      if not (fill == "form" and name == "Content-Type") then
        assert.equals((value:gsub("{api_key}", "planted-thrifty")), sent[name], name)
      end
    end
    CHECK[fill](preview, raw:match("\r\n\r\n(.*)$"), raw)
  end

  local sent = 0

  local function all_at_once(fill)
    local previews = {}
    for i = 1, JOBS do
      local job = submit { dry_run = false, tag = fill .. i .. "x", fill = fill, post = i % 2 == 0 or nil }
      assert.equals("queued", job.status)
      previews["path-" .. fill .. i .. "x-"] = job.upstream
      submit { wipe = true }
    end
    local released = 0
    host:eventually(function()
      released = released + tonumber(vendor:get("/release").body)
      return released == JOBS
    end)
    for n = sent + 1, sent + JOBS do
      local raw = vendor:get("/raw/" .. n).body
      local preview = previews[raw:match("path%-%w+%-")]
      assert.is_truthy(preview, "foreign bytes in the path")
      check(preview, raw, fill)
    end
    sent = sent + JOBS
  end

  for _, fill in ipairs { "json", "body", "form" } do
    it("with a " .. fill .. " is sent as it was previewed, though the script's table changes", function() all_at_once(fill) end)
  end
end)
