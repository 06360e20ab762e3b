-- Which web pages may call without being listed: the host's own, by what the browser says of them. {P} is the host's port.
local http = require "spec.support.http"
local start = require("spec.support.host").start

local LISTED = "https://listed.example"
local EVIL = "https://evil.example"

-- { origin, host, sec-fetch-site }
local PASS = {
  { nil, "127.0.0.1:{P}" },
  { "http://127.0.0.1:{P}", "127.0.0.1:{P}" },
  { "http://localhost:{P}", "localhost:{P}" },
  { "http://[::1]:{P}", "[::1]:{P}" },
  { "http://[::1]", "[::1]" },
  { "http://[::1]", "[::1]:80" },
  { "https://studio.example", "studio.example" }, -- a proxy that speaks TLS, and passes the Host on
  { "https://studio.example", "studio.example:443" },
  { "https://studio.example:443", "studio.example" },
  { "http://studio.example", "studio.example" },
  { "http://studio.example", "studio.example:80" },
  { "https://studio.example:8443", "studio.example:8443" },
  { "HTTPS://STUDIO.example", "Studio.Example" },
  { "https://studio.example", "studio.example", "none" },
  { "https://studio.example", "studio.example", "same-origin" },
  { nil, "127.0.0.1:{P}", "same-origin" },
  { nil, "127.0.0.1:{P}", "Same-Origin" },
  { nil, "127.0.0.1:{P}", "none" },
  { "https://outside.example", "127.0.0.1:{P}", "same-origin" }, -- a proxy that does not
  { "null", "127.0.0.1:{P}", "same-origin" }, -- Referrer-Policy: no-referrer
  { LISTED, "127.0.0.1:{P}" },
  { LISTED, "127.0.0.1:{P}", "cross-site" },
}

local REFUSED = {
  { "null", "127.0.0.1:{P}" }, { "", "127.0.0.1:{P}" }, { EVIL, "127.0.0.1:{P}" },
  { "http://127.0.0.1", "127.0.0.1:{P}" }, { "http://127.0.0.1:{P}1", "127.0.0.1:{P}" },
  { "http://127.0.0.1:1", "127.0.0.1:{P}" },
  { "http://localhost:{P}", "127.0.0.1:{P}" }, { "http://[::1]:{P}", "127.0.0.1:{P}" }, { "http://[::1]:1", "[::1]" },
  { "http://[::2]", "[::1]" }, { "http://::1", "[::1]" },
  { "https://studio.example", "studio.example:80" }, { "http://studio.example", "studio.example:443" },
  { "http://studio.example:443", "studio.example" }, { "https://studio.example:80", "studio.example" },
  { "https://studio.example:8443", "studio.example" }, { "https://studio.example", "studio.example:8443" },
  { "https://user@studio.example", "studio.example" }, { "https://studio.example@evil.example", "studio.example" },
  { "https://user:443@studio.example", "studio.example" }, { "https://evil.example#studio.example", "studio.example" },
  { "https://studio.example.evil.example", "studio.example" }, { "https://studio.exampl", "studio.example" },
  { "https://xstudio.example", "studio.example" }, { "https://studio.example.", "studio.example" },
  { "https://studio.example/", "studio.example" }, { "https://studio.example/x", "studio.example" },
  { "https://studio.example?x", "studio.example" }, { "https://studio.example\\", "studio.example" },
  { "https://studio.example https://evil.example", "studio.example" }, { "https://studio.example,", "studio.example" },
  { "https://studio.example:", "studio.example" }, { "https:// studio.example", "studio.example" },
  { "https:///studio.example", "studio.example" }, { "https:studio.example", "studio.example" },
  { "studio.example", "studio.example" }, { "//studio.example", "studio.example" }, { "https://", "studio.example" },
  { "https://:443", "studio.example" }, { "ftp://studio.example", "studio.example" },
  { "file://studio.example", "studio.example" },
  { "chrome-extension://studio.example", "studio.example" }, { "xhttps://studio.example", "studio.example" },
  { "https://studio.example", "studio.example", "cross-site" }, { "https://studio.example", "studio.example", "same-site" },
  { "http://127.0.0.1:1", "127.0.0.1:{P}", "same-site" }, { EVIL, "127.0.0.1:{P}", "cross-site" },
  { EVIL, "127.0.0.1:{P}", "none" }, { EVIL, "127.0.0.1:{P}", "same-origin-x" }, { nil, "127.0.0.1:{P}", "cross-site" },
}

local UNKNOWN = {
  { "http://evil.example", "evil.example" }, { "http://evil.example:{P}", "evil.example:{P}", "same-origin" },
  { nil, "evil.example", "same-origin" }, { "http://127.0.0.1:{P}", "evil.example" },
}

local function told(case)
  return ("Origin %s, Host %s, Sec-Fetch-Site %s"):format(case[1] or "-", case[2], case[3] or "-")
end

describe("a web page", function()
  local served
  setup(function()
    served = start { config = { server = { allowed_origins = { LISTED }, allowed_hosts = { "studio.example" } } } }
  end)
  teardown(function() served:remove() end)

  local function ask(case, method, path)
    local function fill(text) return text and text:gsub("{P}", tostring(math.tointeger(served.port))) or nil end
    return served:request(method, path, method == "POST" and {} or nil,
      { Origin = fill(case[1]), Host = fill(case[2]), ["Sec-Fetch-Site"] = case[3] })
  end

  for _, case in ipairs(PASS) do
    it("may read and write: " .. told(case), function()
      for _, answer in ipairs { ask(case, "GET", "/api/live"), ask(case, "POST", "/api/live/start") } do
        assert.equal(200, answer.status, answer.body)
        assert.equal(case[1] == LISTED and LISTED or nil, answer.headers["access-control-allow-origin"])
      end
    end)
  end

  for _, case in ipairs(REFUSED) do
    it("may do nothing: " .. told(case), function()
      for _, answer in ipairs { ask(case, "GET", "/api/live"), ask(case, "POST", "/api/live/start"),
        ask(case, "GET", "/ui/main.js") } do
        assert.equal(403, answer.status)
        assert.truthy(answer.json.detail:find("server.allowed_origins", 1, true))
        assert.is_nil(answer.headers["access-control-allow-origin"])
      end
    end)
  end

  for _, case in ipairs(UNKNOWN) do
    it("is not believed before its Host is known: " .. told(case), function()
      for _, answer in ipairs { ask(case, "GET", "/api/live"), ask(case, "POST", "/api/live/start"), ask(case, "GET", "/") } do
        assert.equal(421, answer.status)
      end
    end)
  end

  it("is not believed without a Host", function()
    local answer = http.raw(served.port, "GET /api/live HTTP/1.0\r\nOrigin: http://127.0.0.1\r\n\r\n")
    assert.truthy(answer:find("^HTTP/1.1 403 "), answer)
  end)

  it("of another site may lead to the page, and to nothing else", function()
    local function follow(method, path, headers)
      headers["Sec-Fetch-Site"] = "cross-site"
      return served:request(method, path, method == "POST" and {} or nil, headers).status
    end
    assert.equal(200, follow("GET", "/", {}))
    assert.equal(200, follow("HEAD", "/", {}))
    assert.equal(403, follow("GET", "/", { Origin = EVIL }))
    assert.equal(403, follow("POST", "/", {}))
    assert.equal(403, follow("GET", "/ui/main.js", {}))
    assert.equal(403, follow("GET", "/api/session", {}))
    assert.equal(403, follow("GET", "/api/jobs/list", {}))
  end)
end)
