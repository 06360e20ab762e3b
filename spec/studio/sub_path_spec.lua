-- Studio behind a proxy that serves it below a prefix, of which neither host nor page is told anything. By a name and plain HTTP,
-- so without what browsers give to secure pages only.
local keys = require "spec.support.keys"
local start = require("spec.support.host").start
local studio = require "spec.support.studio"
local routes = require "spec.support.studio_routes"

local PREFIX = "/any/studio/"
-- Plain HTTP by a name: browsers then ignore a header that is of use elsewhere, and say so as if it were an error.
local UNTRUSTWORTHY = "Cross%-Origin%-Opener%-Policy header has been ignored"

local function start_proxy(host, redirect)
  return start { program = "/usr/bin/lua5.4", config = "", env = { LUA_PATH = os.getenv("LUA_PATH") or ";;" },
    arguments = { "spec/support/prefix_proxy.lua", PREFIX, host.port, redirect and "redirect" or nil } }
end

local function requests(proxy)
  local list = {}
  for path, cookies in proxy:get("/seen").body:gmatch("(%S+) ([^\n]*)") do
    list[#list + 1] = { path = path, cookies = cookies }
  end
  return list
end

studio.describe("Studio below a prefix", function()
  local running, proxy, page

  -- Stopped in this order: a proxy answers no signal but SIGKILL.
  local function begin(options)
    options.config = options.config or {}
    options.config.server = { allowed_hosts = { "studio.test" } }
    local opened = studio.open(options)
    running = opened.host
    proxy = start_proxy(running, options.redirect)
    page = studio.at(("http://studio.test:%d%s"):format(proxy.port, PREFIX))
  end

  after_each(function()
    page:open "about:blank"
    proxy:kill()
    proxy:remove()
    running:remove()
  end)

  it("shows every page, and asks for nothing beside the prefix", function()
    begin {}
    for _, route in ipairs(routes()) do
      page:open(page.base .. route.hash)
      page:settled(route.hash)
    end
    page:wait("document.documentElement.dataset.connection === 'live'", "the live line")
    page:assert_clean { UNTRUSTWORTHY }
    assert.is_false(page:execute "return isSecureContext")
    local beside = {}
    for _, request in ipairs(requests(proxy)) do
      if request.path:sub(1, #PREFIX) ~= PREFIX then beside[#beside + 1] = request.path end
    end
    assert.same({}, beside)
  end)

  it("writes: the stop switch, and a dry run", function()
    begin {}
    page:go "#/"
    page:click "#stop"
    page:wait("document.querySelector('#live').innerText.includes('Stopped')", "the pill")
    assert.is_true(running:get("/api/live").json.stopped)
    page:assert_clean { UNTRUSTWORTHY }
  end)

  it("is found without the final slash where the proxy redirects", function()
    begin { redirect = true }
    page:open(("http://studio.test:%d%s#/money"):format(proxy.port, PREFIX:sub(1, -2)))
    page:settled "#/money"
    assert.equal(page.base .. "#/money", page:url())
    page:assert_clean { UNTRUSTWORTHY }
  end)

  it("says what is missing where it does not", function()
    begin {}
    page:open(("http://studio.test:%d%s"):format(proxy.port, PREFIX:sub(1, -2)))
    assert.is_truthy(page:find("body"):text():find "[Aa]dd a / to")
  end)

  it("has its cookie sent to the API below the prefix, and nowhere else", function()
    begin { keys = { "ci" } }
    page:open(page.base .. "#/jobs")
    page:find("#api-key"):type(keys.key "ci" .. "{Enter}")
    page:wait("document.documentElement.dataset.connection === 'live'", "the live line")
    assert.equal("", page:execute "return document.cookie")
    page:reload()
    page:settled "#/jobs"
    page:wait("document.documentElement.dataset.connection === 'live'", "the live line after a reload")
    local with = 0
    for _, request in ipairs(requests(proxy)) do
      local is_api = request.path:sub(1, #PREFIX + 4) == PREFIX .. "api/"
      if request.cookies ~= "" then
        assert.is_true(is_api, request.path)
        with = with + 1
      end
    end
    assert.is_true(with > 2)
    for _, cookie in ipairs(page:all_cookies()) do
      assert.equal(PREFIX .. "api/", cookie.path:gsub("/?$", "/", 1) .. "")
      assert.is_true(cookie.httpOnly)
      assert.equal("Strict", cookie.sameSite)
    end
    page:assert_clean { UNTRUSTWORTHY, "status of 401" }
  end)
end)
