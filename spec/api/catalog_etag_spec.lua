-- A client that keeps a catalogue or the inputs asks again with the ETag, and gets them only when they have changed.
local http = require "spec.support.http"
local keys = require "spec.support.keys"
local start = require("spec.support.host").start

local CATALOGUES = {
  gpu = "/api/providers/gpu/public/catalog", image = "/api/providers/image/catalog", video = "/api/providers/video/catalog",
}

describe("the ETag of", function()
  local host
  setup(function() host = start { scripts = true, config = { features = { enable_public_gpu = false } } } end)
  teardown(function() host:remove() end)

  local function again(path, tag) return host:get(path, { ["If-None-Match"] = tag }) end

  -- Waits until the path is something else than what has this tag; its new tag, and it.
  local function changed(path, tag)
    local answer = host:eventually(function()
      local now = again(path, tag)
      return now.status == 200 and now
    end)
    assert.is_true(answer.headers.etag ~= tag)
    return answer.headers.etag, answer.json
  end

  for kind, path in pairs(CATALOGUES) do
    it("the catalogue of " .. kind .. " lets a client keep it", function()
      local first = host:get(path)
      local tag = first.headers.etag
      assert.matches('^"%x+"$', tag)
      assert.equal("private, no-cache", first.headers["cache-control"])
      for _, tags in ipairs { tag, 'W/"other", ' .. tag, "W/" .. tag, "*" } do
        local same = again(path, tags)
        assert.same({ 304, "", tag, "private, no-cache" },
          { same.status, same.body, same.headers.etag, same.headers["cache-control"] }, tags)
      end
      assert.equal(200, again(path, '"other"').status)
      assert.equal(first.body, again(path, '"other"').body)
      local head = host:request("HEAD", path, nil, { ["If-None-Match"] = tag })
      assert.same({ 304, tag }, { head.status, head.headers.etag })
    end)
  end

  it("a catalogue keeps its connection open after a 304", function()
    local client = http.connect(host.port)
    local tag = client:request("GET", CATALOGUES.image).headers.etag
    for _ = 1, 3 do
      assert.equal(304, client:request("GET", CATALOGUES.image, nil, { ["If-None-Match"] = tag }).status)
    end
    assert.equal(200, client:request("GET", CATALOGUES.video).status)
    client:close()
  end)

  it("a catalogue is another when a flag is turned", function()
    local tag = host:get(CATALOGUES.gpu).headers.etag
    host:write("config/comfyvn.json", [[{"features":{"enable_public_gpu":true},"server":{"threads":16}}]])
    local _, catalogue = changed(CATALOGUES.gpu, tag)
    assert.is_true(catalogue.feature.enabled)
  end)

  it("a catalogue is another when a script changes, breaks, and is well again", function()
    local tag = host:get(CATALOGUES.image).headers.etag
    local catalogue
    local script = host:read("providers/image_fal.lua")
    host:write("providers/image_fal.lua", (script:gsub('name = "fal.ai"', 'name = "fal, renamed"')))
    tag, catalogue = changed(CATALOGUES.image, tag)
    assert.equal("fal, renamed", catalogue.providers[1].name)
    host:write("providers/image_fal.lua", "return nothing nothing")
    tag, catalogue = changed(CATALOGUES.image, tag)
    assert.equal(1, catalogue.providers[1].script.error_at.line)
    host:write("providers/image_fal.lua", script)
    assert.equal("fal.ai", select(2, changed(CATALOGUES.image, tag)).providers[1].name)
  end)

  it("a catalogue is another with a new credential, and the same without news", function()
    local tag = host:get(CATALOGUES.video).headers.etag
    host:write("config/comfyvn.secrets.json", [[{"luma":{"api_key":"luma-0123456789abcdef0123"}}]])
    tag = changed(CATALOGUES.video, tag)
    for _ = 1, 20 do assert.equal(304, again(CATALOGUES.video, tag).status) end
  end)

  it("inputs stays while only the configuration changes", function()
    local path = "/api/providers/image/fal/inputs"
    local tag = host:get(path).headers.etag
    local catalogue = host:get(CATALOGUES.image).headers.etag
    host:write("config/comfyvn.json", [[{"features":{"enable_public_image_video":true},"server":{"threads":16}}]])
    changed(CATALOGUES.image, catalogue)
    assert.same({ 304, "private, no-cache" }, { again(path, tag).status, again(path, tag).headers["cache-control"] })
  end)
end)

describe("an ETag", function()
  it("gives nothing to a client without a key", function()
    local host = start { config = { server = { api_keys = { keys.entry("boss") } } } }
    local tag = host:get(CATALOGUES.image, keys.headers("boss")).headers.etag
    assert.equal(401, host:get(CATALOGUES.image, { ["If-None-Match"] = tag }).status)
    assert.equal(304, host:get(CATALOGUES.image, keys.headers("boss", { ["If-None-Match"] = tag })).status)
    host:remove()
  end)
end)

describe("dashboard_url", function()
  it("is where a vendor's page is known, and null where not", function()
    local host, seen = start {}, {}
    for _, path in pairs(CATALOGUES) do
      for _, entry in ipairs(host:get(path).json.providers) do
        local url = entry.dashboard_url
        seen[entry.id] = type(url) == "string" and url or false
        assert.is_true(seen[entry.id] == false or url:find("^https://") == 1, entry.id)
      end
    end
    host:remove()
    assert.equal("https://fal.ai/dashboard/billing", seen.fal)
    assert.equal("https://fal.ai/dashboard/billing", seen.pika)
    assert.equal("https://platform.stability.ai/account/credits", seen.stability)
    assert.is_false(seen.luma)
  end)
end)
