-- What an API key may not do is not offered, and where a link leads there all the same the page says which role it takes.
-- No page asks for what is refused.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local routes = require "spec.support.studio_routes"
local studio = require "spec.support.studio"

local KEYS = {
  keys.entry "all", keys.entry("reader", { may = exact.array { "read" } }),
  keys.entry("dry", { may = exact.array { "read", "submit" } }),
  keys.entry("maker", { may = exact.array { "read", "submit", "live" }, sees = "own" }),
  keys.entry("operator", { may = exact.array { "read", "operate" } }),
}

studio.describe("an API key's roles", function()
  local page
  setup(function() page = studio.open { scene = { days = 0, rows = 12, keys = KEYS } } end)
  teardown(function() page:remove() end)

  local function as(name)
    page:open "about:blank"
    page:cdp "Storage.clearCookies"
    page:open(page.base)
    page:find "#api-key"
    page:log_in(name)
    page:open "about:blank"
    page:console() -- the answers 401 from before
  end

  local function text()
    return page:find("main"):text()
  end

  local function has_button(pattern)
    return page:execute([[return [...document.querySelectorAll("button, a.button")]
      .some(node => node.checkVisibility() && new RegExp(arguments[0]).test(node.innerText || node.ariaLabel))]], pattern)
  end

  for _, name in ipairs { "reader", "dry", "maker", "operator", "all" } do
    it("lets no page ask for what is refused: " .. name, function()
      as(name)
      for _, route in ipairs(routes(name ~= "maker" and page.scene or nil)) do
        page:open(page.base .. route.hash)
        page:settled(route.hash)
        page:wait("document.documentElement.dataset.connection === 'live'", "the live line of " .. route.hash)
        page:assert_clean()
      end
    end)
  end

  it("hides the switch from who may not operate", function()
    for name, has in pairs { reader = false, dry = false, maker = false, operator = true, all = true } do
      as(name)
      page:open(page.base)
      page:settled()
      page:wait("document.querySelector('#live:not(:disabled)')", "the pill")
      assert.equal(has, page:finds("#stop")[1] ~= nil, name)
    end
  end)

  it("says which role a page takes", function()
    as "reader"
    page:open(page.base .. "#/hooks")
    page:settled "#/hooks"
    page:wait("document.querySelector('main').innerText.includes('operate')", "the role")
    page:picture "roles-hooks"
    page:go "#/make/image/fal"
    page:wait("document.querySelector('main').innerText.includes('submit')", "the role")
    assert.is_false(has_button "^Dry run")
    assert.is_false(has_button "^Run live")
    page:picture "roles-make"
    page:go("#/jobs/" .. page.scene.jobs.unknown)
    page:wait("document.querySelector('main').innerText.includes('operate')", "the role")
    assert.is_false(has_button "never arrived")
    page:go("#/jobs/" .. page.scene.jobs.queued)
    assert.is_false(has_button "^Cancel")
    page:assert_clean()
  end)

  it("offers no live run to who may only try", function()
    as "dry"
    page:open(page.base .. "#/make/image/fal")
    page:settled "#/make/image/fal"
    page:find("main textarea"):type "a lighthouse"
    page:wait("[...document.querySelectorAll('button')].some(node => /^Dry run/.test(node.innerText))", "the dry run")
    assert.is_false(has_button "^Run live")
    page:assert_clean()
  end)

  it("shows a key that sees its own only what is its own", function()
    as "maker"
    page:open(page.base .. "#/jobs?dry=1")
    page:settled "#/jobs"
    assert.is_nil(text():find("paper boats", 1, true))
    page:open(page.base .. "#/jobs/" .. page.scene.jobs.done)
    page:settled "the job of another"
    assert.is_nil(text():find("crane", 1, true))
    page:assert_clean { "status of 404" }
  end)
end)
