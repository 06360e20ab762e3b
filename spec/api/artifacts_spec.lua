-- GET /api/jobs/{id}/artifacts/{n}: the host's copy, with its headers, conditions and ranges; and what it makes of a row that
-- somebody tampered with. Row and file are planted, so that every byte is known; spec/live/artifacts_spec.lua makes real ones.
local exact = require "spec.support.exact_json"
local registry = require "spec.support.registry"
local start = require("spec.support.host").start

local TEXT = ("0123456789"):rep(30000)

local function sha256(text)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
  local pipe = assert(io.popen("sha256sum " .. name))
  local digest = pipe:read("a"):match("^%x+")
  pipe:close()
  os.remove(name)
  return digest
end

local DIGEST = sha256(TEXT)

-- What a row may say of its artifacts, and what is served.
local ENTRIES = {
  { sha256 = DIGEST, content_type = "image/png", filename = "a picture.png" },
  { sha256 = DIGEST, content_type = "text/html", filename = 'p"\\.html' },
  { sha256 = DIGEST, content_type = "image/svg+xml", filename = "naïve.svg" },
  { sha256 = DIGEST, content_type = "image/png\r\nX-Planted: 1", filename = "x\r\nX-Planted: 1" },
  { error = "its server answered 404", source_url = "https://v3.fal.media/a.png" },
  { sha256 = ("0"):rep(64), content_type = "image/png" },
  { sha256 = "../../../config/comfyvn.json", content_type = "image/png" },
  { content_type = "image/png" },
  { sha256 = DIGEST, content_type = "video/mp4" },
}

local function quote_sql(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

-- A registered job that becomes one that is done and has these artifacts.
local function plant(host, entries, dry_run)
  local id = host:post("/api/providers/image/fal/submit", { prompt = "x" }).json.job_id
  local artifacts = {}
  for i, entry in ipairs(entries) do
    artifacts[i] = { n = i - 1 }
    for name, value in pairs(entry) do artifacts[i][name] = value end
  end
  registry.sql(host, ("UPDATE task SET dry_run = %d, status = 2, result = %s WHERE id = %s"):format(dry_run and 1 or 0,
    quote_sql(exact.encode { artifacts = artifacts }), registry.id(host, id)))
  return "/api/jobs/" .. id .. "/artifacts/"
end

describe("an artifact", function()
  local host, path

  local function get(n, headers)
    return host:get(path .. n, headers)
  end

  setup(function()
    host = start { files = { ["data/artifacts/" .. DIGEST:sub(1, 2) .. "/" .. DIGEST] = TEXT } }
    path = plant(host, ENTRIES)
  end)

  teardown(function() host:remove() end)

  it("is served with its type, length, tag and a policy that lets it do nothing", function()
    local answer = get(0)
    assert.equal(200, answer.status)
    assert.is_true(answer.body == TEXT)
    local headers = answer.headers
    assert.same({ "image/png", tostring(#TEXT), '"' .. DIGEST .. '"', "bytes", "nosniff", "sandbox", "same-origin" },
      { headers["content-type"], headers["content-length"], headers["etag"], headers["accept-ranges"],
        headers["x-content-type-options"], headers["content-security-policy"],
        headers["cross-origin-resource-policy"] })
    assert.equal("inline; filename=\"a picture.png\"; filename*=UTF-8''a%20picture.png", headers["content-disposition"])
    assert.equal("private, max-age=3600, immutable", headers["cache-control"])
    for _, name in ipairs { "Origin", "Cookie", "Authorization", "X-API-Key" } do
      assert.truthy(headers.vary:find(name, 1, true), headers.vary)
    end
    assert.is_truthy(headers["last-modified"]:match("^%u%l%l, %d%d %u%l%l %d%d%d%d %d%d:%d%d:%d%d GMT$"))
  end)

  it("is there under /jobs/ too, and with a slash", function()
    assert.equal(200, host:get(path:gsub("^/api", "") .. "0").status)
    assert.equal(200, host:get(path .. "0/").status)
  end)

  it("has the same head for HEAD, and no body", function()
    local answer = host:request("HEAD", path .. "0")
    assert.same({ 200, "", tostring(#TEXT) }, { answer.status, answer.body, answer.headers["content-length"] })
  end)

  it("is never a page, and SVG is not shown in place", function()
    assert.equal("text/plain; charset=utf-8", get(1).headers["content-type"])
    assert.equal("attachment; filename=\"p__.html\"; filename*=UTF-8''p%22%5C.html", get(1).headers["content-disposition"])
    assert.equal("attachment; filename=\"na__ve.svg\"; filename*=UTF-8''na%C3%AFve.svg", get(2).headers["content-disposition"])
    assert.is_truthy(get(8).headers["content-disposition"]:match("^inline"))
  end)

  it("does not let a type or a name add headers", function()
    local answer = get(3)
    assert.equal(200, answer.status)
    assert.is_nil(answer.headers["x-planted"])
    assert.equal("application/octet-stream", answer.headers["content-type"])
  end)

  local RANGES = {
    { "bytes=0-0", 206, "bytes 0-0/300000", "0" },
    { "bytes=0-9", 206, "bytes 0-9/300000", "0123456789" },
    { "bytes=299995-", 206, "bytes 299995-299999/300000", "56789" },
    { "bytes=299995-999999999999999999999999", 206, "bytes 299995-299999/300000", "56789" },
    { "bytes=-3", 206, "bytes 299997-299999/300000", "789" },
    { "bytes=-400000", 206, "bytes 0-299999/300000", TEXT },
    { "bytes=70001-200000", 206, "bytes 70001-200000/300000", TEXT:sub(70002, 200001) },
    { "bytes=300000-", 416, "bytes */300000" },
    { "bytes=-0", 416, "bytes */300000" },
    { "bytes=9999999999999999999999-", 416, "bytes */300000" },
    { "bytes=5-2", 200 }, { "bytes=0-1,3-4", 200 }, { "bytes=a-b", 200 }, { "bytes=", 200 }, { "bytes=-", 200 },
    { "lines=0-9", 200 }, { "bytes=0-9x", 200 }, { "0-9", 200 }, { "bytes= 0-9", 206, "bytes 0-9/300000", "0123456789" },
  }

  for _, case in ipairs(RANGES) do
    it(("answers the range %s with %d"):format(case[1], case[2]), function()
      local answer = get(0, { Range = case[1] })
      assert.equal(case[2], answer.status)
      assert.equal(case[3], answer.headers["content-range"])
      if case[2] == 206 then assert.is_true(answer.body == case[4], #answer.body .. " bytes") end
      if case[2] == 200 then assert.is_true(answer.body == TEXT) end
    end)
  end

  local CONDITIONS = {
    { "the tag is known", { ["If-None-Match"] = '"' .. DIGEST .. '"' }, 304 },
    { "the tag is among others", { ["If-None-Match"] = 'W/"x", W/"' .. DIGEST .. '"' }, 304 },
    { "any tag", { ["If-None-Match"] = "*" }, 304 },
    { "another tag", { ["If-None-Match"] = '"' .. DIGEST .. 'x"' }, 200 },
    { "another tag goes before a date", { ["If-None-Match"] = '"x"', ["If-Modified-Since"] = "Fri, 01 Jan 2100 00:00:00 GMT" },
      200 },
    { "not modified since", { ["If-Modified-Since"] = "Fri, 01 Jan 2100 00:00:00 GMT" }, 304 },
    { "modified since", { ["If-Modified-Since"] = "Thu, 01 Jan 1970 00:00:00 GMT" }, 200 },
    { "no date", { ["If-Modified-Since"] = "yesterday" }, 200 },
    { "a range of this file", { Range = "bytes=0-9", ["If-Range"] = '"' .. DIGEST .. '"' }, 206 },
    { "a range of another file", { Range = "bytes=0-9", ["If-Range"] = '"x"' }, 200 },
    { "a range by a weak tag", { Range = "bytes=0-9", ["If-Range"] = 'W/"' .. DIGEST .. '"' }, 200 },
    { "a range by another date", { Range = "bytes=0-9", ["If-Range"] = "Fri, 01 Jan 2100 00:00:00 GMT" }, 200 },
    { "a known tag goes before a range", { Range = "bytes=0-9", ["If-None-Match"] = "*" }, 304 },
  }

  for _, case in ipairs(CONDITIONS) do
    it(("answers %d: %s"):format(case[3], case[1]), function()
      local answer = get(0, case[2])
      assert.equal(case[3], answer.status)
      assert.equal('"' .. DIGEST .. '"', answer.headers["etag"])
      if answer.status == 304 then assert.equal("", answer.body) end
    end)
  end

  it("takes its own Last-Modified for a range", function()
    local date = get(0).headers["last-modified"]
    assert.equal(206, get(0, { Range = "bytes=0-9", ["If-Range"] = date }).status)
    assert.equal(304, get(0, { ["If-Modified-Since"] = date }).status)
  end)

  it("leaves the connection usable", function()
    local connection = host:connect()
    for _, range in ipairs { "bytes=0-99999", "bytes=300000-", "bytes=5-6" } do
      connection:send("GET", path .. "0", nil, { Range = range })
      assert.is_truthy(connection:receive())
    end
    connection:close()
  end)

  it("that was not kept is 410 and says why", function()
    local answer = get(4)
    assert.same({ 410, "https://v3.fal.media/a.png" }, { answer.status, answer.json.source_url })
    assert.is_truthy(answer.json.detail:find("its server answered 404", 1, true))
  end)

  it("whose file is gone, or never was, is 410", function()
    for n = 5, 7 do assert.equal(410, get(n).status, n) end
  end)

  it("that there is not is 404", function()
    for _, n in ipairs { "9", "-1", "x", "00", "01", "1e0", "99999999999999999999", "%2e%2e", "0%00" } do
      local status = get(n).status
      assert.is_true(status == 404 or status == 400, n .. ": " .. status)
    end
    assert.equal(404, host:get("/api/jobs/01940000-0000-7000-8000-000000000000/artifacts/0").status)
    assert.equal(404, host:get("/api/jobs/nonsense/artifacts/0").status)
    assert.equal(405, host:post(path .. "0", {}).status)
  end)

  it("is not there for a dry run, and the answer says so", function()
    local answer = host:get(plant(host, {}, true) .. "0")
    assert.equal(404, answer.status)
    assert.is_truthy(answer.json.detail:find("dry run", 1, true))
  end)

  it("needs a key when keys are set", function()
    local closed = start { config = { server = { api_keys = { { name = "one", sha256 = ("0"):rep(64) } } } } }
    local answer = closed:get(path .. "0")
    closed:remove()
    assert.equal(401, answer.status)
  end)
end)
