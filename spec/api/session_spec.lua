-- Logins of browsers: a cookie that stands for an API key (docs/api.md, "Sessions").
local event_stream = require "spec.support.event_stream"
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local http = require "spec.support.http"
local keys = require "spec.support.keys"
local shell = require "spec.support.shell"
local signer = require "spec.support.signer"

local WEEK = 604800
local SESSION = "/api/session"

local function config(names, further)
  local entries = {}
  for i, name in ipairs(names) do entries[i] = keys.entry(name, further and further[name]) end
  return { server = { threads = 48, api_keys = entries, allowed_origins = { "https://listed.example" },
    allowed_hosts = { "studio.example" } } }
end

local ROLES = { reader = { may = { "read" } }, own = { may = { "read", "submit" }, sees = "own" } }

local function start(names) return hosts.start { config = config(names, ROLES) } end

local function own_origin(served) return "http://127.0.0.1:" .. math.tointeger(served.port) end

local function login(served, name, headers)
  return served:post(SESSION, { key = keys.key(name) }, headers)
end

-- "providerd_1a2b3c4d=TOKEN" of an answer, its name and its token.
local function cookie_of(answer)
  local name, token = answer.headers["set-cookie"]:match("^(providerd_%x%x%x%x%x%x%x%x)=(%x*);")
  return name .. "=" .. token, name, token
end

local function cookie_for(served, name)
  local answer = login(served, name)
  assert.equal(200, answer.status, answer.body)
  return cookie_of(answer)
end

-- A token that the host would have made, had it been asked for one that ends then.
local function forged(served, name, ends, key)
  local bytes = (">I8"):pack(ends) .. signer.sha256(keys.key(name)):sub(1, 16)
  return signer.hex(bytes .. signer.hmac_sha256(key or shell.setting(served, "session.key"), bytes))
end

local function status_with(served, cookie, path)
  return served:get(path or "/api/jobs/list", { Cookie = cookie }).status
end

local function ends_with_session(stream)
  stream:rest_of_it(10)
  assert.is_true(stream.ended)
  assert.equal("the session has ended", stream.comment)
end

describe("a host without API keys", function()
  it("asks nobody to log in, and gives no cookie", function()
    local served = hosts.start {}
    local all = { ok = true, required = false, key = exact.null, may = { "read", "submit", "live", "operate" }, sees = "all" }
    for _, answer in ipairs { served:get(SESSION), served:post(SESSION, { key = "any" }), served:post(SESSION, {}) } do
      assert.equal(200, answer.status)
      for _, name in ipairs { "ok", "required", "sees" } do assert.equal(all[name], answer.json[name]) end
      assert.same(all.may, answer.json.may)
      assert.truthy(answer.body:find('"key":null', 1, true))
      assert.truthy(answer.body:find('"expires_at":null', 1, true))
      assert.equal(served:get("/healthz").json.version, answer.json.version)
      assert.is_nil(answer.headers["set-cookie"])
    end
    assert.equal(200, served:request("DELETE", SESSION).status)
    served:remove()
  end)
end)

describe("a login", function()
  local served, cookie, name, token
  setup(function()
    served = start { "boss", "reader", "own" }
    cookie, name, token = cookie_for(served, "boss")
  end)
  teardown(function() served:remove() end)

  it("is a cookie for this folder that no script reads, and that no other site's page sends", function()
    local answer = login(served, "boss")
    assert.equal(name .. "=" .. select(3, cookie_of(answer)) .. "; HttpOnly; SameSite=Strict; Max-Age=" .. WEEK,
      answer.headers["set-cookie"])
    assert.equal(112, #token)
    assert.equal("no-store", answer.headers["cache-control"])
    assert.is_nil(answer.body:find(token, 1, true))
  end)

  it("over TLS is a cookie for TLS", function()
    for origin, secure in pairs { ["https://studio.example"] = true, ["HTTPS://studio.example"] = true,
      ["http://studio.example"] = false } do
      for _, method in ipairs { "POST", "DELETE" } do
        local answer = served:request(method, SESSION, { key = keys.key "boss" }, { Origin = origin, Host = "studio.example" })
        assert.equal(200, answer.status)
        assert.equal(secure, answer.headers["set-cookie"]:find("; Secure", 1, true) ~= nil)
      end
    end
  end)

  it("tells whose key it is, what that may do and sees, and until when", function()
    for who, expected in pairs { boss = { { "read", "submit", "live", "operate" }, "all" }, reader = { { "read" }, "all" },
      own = { { "read", "submit" }, "own" } } do
      local answer = login(served, who)
      local again = served:get(SESSION, { Cookie = cookie_of(answer) })
      for _, each in ipairs { answer, again } do
        assert.equal(200, each.status)
        assert.is_true(each.json.required)
        assert.equal(who, each.json.key)
        assert.same(expected[1], each.json.may)
        assert.equal(expected[2], each.json.sees)
        assert.truthy(each.json.expires_at:match("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.000Z$"))
      end
      assert.equal(answer.json.expires_at, again.json.expires_at)
    end
  end)

  it("lets in where its key would", function()
    for _, path in ipairs { "/api/jobs/list", "/api/live", "/api/budget" } do
      assert.equal(401, served:get(path).status)
      assert.equal(200, status_with(served, cookie, path))
    end
    local own = { Origin = own_origin(served), Cookie = cookie_for(served, "reader") }
    local answer = served:post("/api/live/start", {}, own)
    assert.equal(403, answer.status)
    assert.truthy(answer.json.detail:find("needs the role operate", 1, true))
    own.Cookie = cookie
    assert.equal(200, served:post("/api/live/start", {}, own).status)
  end)

  it("without one, a page is told that a key is needed", function()
    local answer = served:get(SESSION)
    assert.equal(200, answer.status)
    assert.is_true(answer.json.required)
    assert.same({}, answer.json.may)
    assert.equal("own", answer.json.sees)
    assert.truthy(answer.body:find('"key":null', 1, true))
    assert.equal(200, served:request("HEAD", SESSION).status)
    assert.equal(405, served:request("PUT", SESSION, {}, keys.headers "boss").status)
  end)

  it("ends with a cookie that is over", function()
    local answer = served:request("DELETE", SESSION, nil, { Cookie = cookie, Origin = own_origin(served) })
    assert.equal(200, answer.status)
    assert.equal(name .. "=; HttpOnly; SameSite=Strict; Max-Age=0", answer.headers["set-cookie"])
    assert.truthy(answer.body:find('"key":null', 1, true))
    assert.equal(200, served:request("DELETE", SESSION).status)
  end)

  it("finds its cookie among others", function()
    local found = { "a=b; " .. cookie, cookie .. "; a=b", "a=b;" .. cookie .. ";c=d", name .. "=x; " .. cookie, cookie .. ";",
      "  " .. cookie, "a; ; =; " .. cookie, "x" .. name .. "=1; " .. cookie }
    local missed = { "", ";", name, name .. "=", "x" .. cookie, "a=" .. cookie, '"' .. cookie .. '"', cookie .. "x",
      cookie .. " ",
      name:upper() .. "=" .. token, name .. "x=" .. token, name .. " = " .. token, "a=b, " .. cookie }
    for _, text in ipairs(found) do assert.equal(200, status_with(served, text .. "; z=1"), text) end
    for _, text in ipairs(missed) do assert.equal(401, status_with(served, text .. "; z=1"), text) end
    assert.equal(401, status_with(served, (name .. "=x; "):rep(100) .. cookie))
  end)

  it("of another home is none here, and has another name", function()
    local other = start { "boss" }
    local _, other_name, other_token = cookie_for(other, "boss")
    assert.not_equal(name, other_name)
    assert.equal(401, status_with(served, name .. "=" .. other_token))
    assert.equal(401, status_with(other, other_name .. "=" .. token))
    other:remove()
  end)

  it("is not made up", function()
    assert.equal(200, status_with(served, name .. "=" .. token))
    for at = 1, #token, 5 do
      local digit = token:sub(at, at) == "0" and "1" or "0"
      assert.equal(401, status_with(served, name .. "=" .. token:sub(1, at - 1) .. digit .. token:sub(at + 1)), at)
    end
    for _, text in ipairs { token:sub(1, -2), token:sub(1, -3), token .. "0", token .. "00", token:sub(2), token:sub(1, 48),
      ("0"):rep(112), ("f"):rep(112), ("g"):rep(112), "", token:sub(49) .. token:sub(1, 48) } do
      assert.equal(401, status_with(served, name .. "=" .. text), text)
    end
  end)

  it("ends with its time", function()
    local now = os.time()
    local function status(ends, key) return status_with(served, name .. "=" .. forged(served, "boss", ends, key)) end
    assert.equal(200, status(now + 60))
    assert.equal(401, status(now))
    assert.equal(401, status(now - 1))
    assert.equal(401, status(0))
    assert.equal(401, status(-1))
    assert.equal(401, status(now + 60, ("k"):rep(32)))
    assert.equal(401, status_with(served, name .. "=" .. forged(served, "nobody", now + 60)))
  end)

  it("lets a stream go on until its time is over", function()
    local stream = event_stream.open(served, "/api/events", { Cookie = name .. "=" .. forged(served, "boss", os.time() + 4) })
    assert.equal(200, stream.status)
    ends_with_session(stream)
    stream:close()
  end)

  it("does not count beside a key in a header", function()
    assert.equal(401, served:get("/api/jobs/list", { Cookie = cookie, ["X-API-Key"] = "wrong" }).status)
    assert.equal(401, served:get("/api/jobs/list", { Cookie = cookie, Authorization = "Basic eDp5" }).status)
    assert.equal("reader", served:get(SESSION, keys.headers("reader", { Cookie = cookie })).json.key)
    assert.equal(200, served:post("/api/live/start", {}, keys.headers("boss", { Cookie = cookie })).status)
    assert.truthy(served:get(SESSION, keys.headers("reader")).body:find('"expires_at":null', 1, true))
  end)

  it("is written down without key or token", function()
    assert.truthy(served:log():find("event=session.opened key=boss request_id=", 1, true))
    for _, secret in ipairs { token, keys.key "boss", "Set-Cookie", signer.hex(shell.setting(served, "session.key")) } do
      assert.is_nil(served:log():find(secret, 1, true))
    end
  end)

  it("has a key of its own, which no answer shows", function()
    assert.equal(32, #shell.setting(served, "session.key"))
    local secret = signer.hex(shell.setting(served, "session.key"))
    for _, path in ipairs { "/api/host", "/api/events/history", "/api/logs", "/readyz", "/metrics", SESSION } do
      assert.is_nil(served:get(path, keys.headers "boss").body:find(secret, 1, true), path)
    end
  end)
end)

-- Whether a cookie counts: by method, Sec-Fetch-Site and Origin. OWN is the host's own.
local COUNTS = {
  { "GET", nil, nil, 200 }, { "HEAD", nil, nil, 200 }, { "GET", nil, "OWN", 200 }, { "GET", "none", nil, 200 },
  { "GET", "same-origin", nil, 200 }, { "GET", "same-origin", "OWN", 200 }, { "HEAD", "same-origin", nil, 200 },
  { "POST", "same-origin", nil, 200 }, { "POST", "same-origin", "OWN", 200 }, { "POST", nil, "OWN", 200 },
  { "POST", "same-origin", "null", 200 },
  { "GET", "same-site", nil, 403 }, { "HEAD", "same-site", nil, 403 }, { "POST", "same-site", nil, 403 },
  { "GET", "cross-site", nil, 403 }, { "POST", "cross-site", nil, 403 }, { "GET", "same-site", "OWN", 403 },
  { "POST", "none", nil, 403 }, { "POST", nil, nil, 403 }, { "POST", nil, "null", 403 }, { "GET", nil, "null", 403 },
  { "POST", nil, "https://evil.example", 403 }, { "GET", nil, "https://evil.example", 403 },
  { "GET", nil, "https://listed.example", 403 }, { "POST", nil, "https://listed.example", 403 },
  { "GET", "cross-site", "https://listed.example", 403 }, { "POST", "cross-site", "https://listed.example", 403 },
  { "GET", "something", nil, 403 }, { "POST", "something", nil, 403 },
}

-- What is sent to log in with, from where, and the answer. KEY is a right key.
local FORM = "application/x-www-form-urlencoded"
local LOGINS = {
  { '{"key":"KEY"}', "application/json", nil, 200 }, { '{"key":"KEY"}', "application/json; charset=utf-8", "OWN", 200 },
  { '{"key":"KEY","more":1}', "application/json", nil, 200 },
  { '{"key":"KEY"}', "text/plain", nil, 415 }, { '{"key":"KEY"}', "text/plain", "OWN", 415 },
  { '{"key":"KEY"}', FORM, "OWN", 415 }, { "key=KEY", FORM, nil, 415 },
  { '{"key":"KEY"}', "multipart/form-data; boundary=x", "OWN", 415 },
  { '{"key":"KEY"}', "text/plain", "https://evil.example", 403 }, { "key=KEY", FORM, "https://evil.example", 403 },
  { '{"key":"KEY"}', "multipart/form-data; boundary=x", "https://evil.example", 403 }, { "key=KEY", FORM, "null", 403 },
  { '{"key":"KEY"}', "application/json", "https://evil.example", 403 },
  { '{"key":"KEY"}', "application/json", "https://listed.example", 403 },
  { '{"key":"KEY"}', "text/plain", "https://listed.example", 415 },
  { '{"key":"KEY"}', "application/json", nil, 403, "same-site" }, { '{"key":"KEY"}', "application/json", nil, 403, "cross-site" },
  { '{"key":"KEY"}', "application/json", nil, 403, "none" }, { '{"key":"KEY"}', "application/json", nil, 200, "same-origin" },
  { '{"key":"wrong"}', "application/json", nil, 401 }, { '{"key":""}', "application/json", nil, 401 },
  { '{"key":"KEY "}', "application/json", nil, 401 }, { '{"key":" KEY"}', "application/json", nil, 401 },
  { '{"key":"KEY\\u0000"}', "application/json", nil, 400 },
  { '{"key":"' .. ("k"):rep(4097) .. '"}', "application/json", nil, 401 },
  { '{"key":"' .. ("k"):rep(9000) .. '"}', "application/json", nil, 413 }, { '{"key":1}', "application/json", nil, 400 },
  { '{"key":null}', "application/json", nil, 400 }, { '{"key":["KEY"]}', "application/json", nil, 400 },
  { '{"Key":"KEY"}', "application/json", nil, 400 }, { "{}", "application/json", nil, 400 },
  { "[]", "application/json", nil, 400 },
  { "null", "application/json", nil, 400 }, { '"KEY"', "application/json", nil, 400 }, { "KEY", "application/json", nil, 400 },
  { '{"key":"KEY"', "application/json", nil, 400 }, { '{"key":"wrong","key":"KEY"}', "application/json", nil, 400 },
}

describe("a cookie", function()
  local served, cookie
  setup(function()
    served = start { "boss" }
    cookie = cookie_for(served, "boss")
  end)
  teardown(function() served:remove() end)

  local function origin(text) return text == "OWN" and own_origin(served) or text end

  for _, case in ipairs(COUNTS) do
    local method, site, from, status = table.unpack(case, 1, 4)
    local counts = status == 200 and "counts" or "does not"
    it(("of %s, Sec-Fetch-Site %s, Origin %s, %s"):format(method, site or "-", from or "-", counts), function()
      local headers = { Cookie = cookie, ["Sec-Fetch-Site"] = site, Origin = origin(from) }
      local path = method == "POST" and "/api/live/start" or "/api/live"
      local answer = served:request(method, path, method == "POST" and {} or nil, headers)
      assert.equal(status, answer.status, answer.body)
      if status == 200 then return end
      if method ~= "POST" then
        assert.is_nil(served:request(method, SESSION, nil, headers).body:find("boss", 1, true))
      end
      headers.Cookie, headers["X-API-Key"] = nil, keys.key "boss" -- a program with a key needs none of this
      if not (from or site == "cross-site") then
        assert.equal(200, served:request(method, path, method == "POST" and {} or nil, headers).status)
      end
    end)
  end

  for _, case in ipairs(LOGINS) do
    local body, content_type, from, status, site = table.unpack(case, 1, 5)
    it(("is %s for %s as %s, Origin %s, Sec-Fetch-Site %s"):format(status == 200 and "given" or "refused with " .. status,
      body:sub(1, 30), content_type, from or "-", site or "-"), function()
      local answer = served:post(SESSION, (body:gsub("KEY", keys.key "boss")),
        { ["Content-Type"] = content_type, Origin = origin(from), ["Sec-Fetch-Site"] = site })
      assert.equal(status, answer.status, answer.body)
      assert.equal(status == 200, answer.headers["set-cookie"] ~= nil)
      assert.is_nil(answer.body:find(keys.key "boss", 1, true))
      if status == 401 then assert.truthy(answer.json.detail:find("not one of server.api_keys", 1, true)) end
    end)
  end

  it("is given by a body of 8 KiB at most, however that comes", function()
    local long = '{"key":"' .. ("k"):rep(20000) .. '"}'
    local answer = http.raw(served.port, ("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
      .. "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(SESSION, #long, long))
    assert.truthy(answer:find("^HTTP/1.1 413 "), answer)
    answer = http.raw(served.port, ("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
      .. "Content-Length: 10000000\r\n\r\n"):format(SESSION))
    assert.truthy(answer:find("^HTTP/1.1 413 "), answer)
  end)

  it("is not ended by other pages", function()
    for _, from in ipairs { "https://evil.example", "https://listed.example", "null" } do
      local answer = served:request("DELETE", SESSION, nil, { Cookie = cookie, Origin = from })
      assert.equal(403, answer.status)
      assert.is_nil(answer.headers["set-cookie"])
    end
    assert.equal(403, served:request("DELETE", SESSION, nil, { Cookie = cookie, ["Sec-Fetch-Site"] = "same-site" }).status)
  end)
end)

describe("a session", function()
  local served
  before_each(function() served = start { "boss", "reader" } end)
  after_each(function() served:remove() end)

  it("survives a restart, and kill -9", function()
    local cookie = cookie_for(served, "boss")
    served:stop()
    served:start_again()
    assert.equal(200, status_with(served, cookie))
    served:kill()
    served:start_again()
    assert.equal(200, status_with(served, cookie))
  end)

  it("ends with its key, streams too, and comes back with it", function()
    local cookie = cookie_for(served, "boss")
    local stream = event_stream.open(served, "/api/events", { Cookie = cookie })
    local other = event_stream.open(served, "/api/events", { Cookie = cookie_for(served, "reader") })
    served:write("config/comfyvn.json", exact.encode(config({ "reader" }, ROLES)))
    served:eventually(function() return status_with(served, cookie) == 401 end)
    local gone = served:request("DELETE", SESSION, nil, { Cookie = cookie })
    assert.equal(200, gone.status)
    assert.truthy(gone.body:find('"key":null', 1, true))
    ends_with_session(stream)
    other:rest_of_it(1)
    assert.is_nil(other.ended)
    served:write("config/comfyvn.json", exact.encode(config({ "reader", "boss" }, ROLES)))
    served:eventually(function() return status_with(served, cookie) == 200 end)
    stream:close()
    other:close()
  end)

  it("has the role that its key has now", function()
    local cookie = cookie_for(served, "boss")
    local headers = { Cookie = cookie, Origin = own_origin(served) }
    assert.equal(200, served:post("/api/live/start", {}, headers).status)
    served:write("config/comfyvn.json", exact.encode(config({ "boss" }, { boss = { may = { "read" } } })))
    served:eventually(function() return served:post("/api/live/start", {}, headers).status == 403 end)
    assert.same({ "read" }, served:get(SESSION, { Cookie = cookie }).json.may)
  end)

  it("means nothing where there are no keys any more", function()
    local cookie = cookie_for(served, "boss")
    served:write("config/comfyvn.json", '{"server":{"threads":16}}')
    served:eventually(function() return served:get("/api/live").status == 200 end)
    assert.truthy(served:get(SESSION, { Cookie = cookie }).body:find('"required":false,"key":null', 1, true))
  end)

  it("ends with all others when an operator says so, streams too", function()
    local cookie = cookie_for(served, "boss")
    local stream = event_stream.open(served, "/api/events", { Cookie = cookie })
    local key = shell.setting(served, "session.key")
    assert.equal(403, served:request("DELETE", "/api/sessions", nil, keys.headers "reader").status)
    assert.equal(200, status_with(served, cookie))
    local answer = served:request("DELETE", "/api/sessions", nil, keys.headers "boss")
    assert.equal(200, answer.status, answer.body)
    assert.equal(401, status_with(served, cookie))
    ends_with_session(stream)
    assert.not_equal(key, shell.setting(served, "session.key"))
    cookie = cookie_for(served, "boss")
    assert.equal(200, status_with(served, cookie))
    served:kill()
    served:start_again()
    assert.equal(200, status_with(served, cookie))
    stream:close()
  end)

  -- What the file of an earlier version holds, and whether it is the key then.
  for what, case in pairs {
    ["is one"] = { command = "head -c 32 /dev/zero | tr '\\0' k > ", taken = true },
    ["is too short"] = { command = "echo x > " }, ["is too long"] = { command = "head -c 33 /dev/zero > " },
    ["is a folder"] = { command = "mkdir " },
  } do
    it("takes data/session.key of an earlier version over: one that " .. what, function()
      served:stop()
      shell.sql(served, "DELETE FROM setting WHERE name = 'session.key'")
      local path = served.home .. "/data/session.key"
      shell.run(case.command .. shell.quote(path))
      served:start_again()
      local key = shell.setting(served, "session.key")
      assert.equal(32, #key)
      assert.equal(case.taken or false, key == ("k"):rep(32))
      assert.equal(case.taken or false, not os.rename(path, path)) -- is it gone?
      assert.equal(200, status_with(served, (cookie_for(served, "boss"))))
      served:eventually(function() return served:log():find("event=registry.setting", 1, true) end)
    end)
  end

  it("keeps a file that is another key, and says that it is not read", function()
    served:stop()
    shell.run("head -c 32 /dev/zero > " .. shell.quote(served.home .. "/data/session.key"))
    local key = shell.setting(served, "session.key")
    served:start_again()
    assert.equal(key, shell.setting(served, "session.key"))
    assert.equal(("\0"):rep(32), served:read("data/session.key"))
    served:eventually(function() return served:log():find("the registry has another key", 1, true) end)
  end)
end)
