-- What all pages have in common: they load without a complaint, say where one is, and can be gone through by keyboard alone.
local routes = require "spec.support.studio_routes"
local studio = require "spec.support.studio"

-- The one after g.
local LETTERS = {
  m = "Make", j = "Jobs", g = "Gallery", p = "Providers", s = "Money", w = "Webhooks", h = "Host", o = "Overview",
}

local WIDER = [[
const limit = document.documentElement.clientWidth;
return document.documentElement.scrollWidth <= limit ? [] : [...document.querySelectorAll("body *")]
  .filter(node => node.getBoundingClientRect().right > limit + 1).slice(0, 5)
  .map(node => `${node.tagName}.${node.className} ${node.getBoundingClientRect().right}`);]]

studio.describe("Studio", function()
  local page
  setup(function() page = studio.open { scene = { days = 1, rows = 40 } } end)
  teardown(function() page:remove() end)
  before_each(function()
    page:look "light"
    page:open "about:blank"
    page:console()
  end)

  local function h1()
    return page:execute "return document.querySelector('main h1')?.textContent.trim()"
  end

  it("loads every page from its address, without a complaint, with a title and one heading", function()
    for _, route in ipairs(routes(page.scene)) do
      page:open "about:blank"
      page:open(page.base .. route.hash)
      page:settled(route.hash)
      page:wait("document.documentElement.dataset.connection === 'live'", "the live line")
      assert.equal(route.title, page:title():sub(1, #route.title), route.hash)
      assert.is_truthy(page:title():find("Studio", 1, true), page:title())
      local marks = page:execute [[
        const count = css => [...document.querySelectorAll(css)].filter(node => node.checkVisibility()).length;
        return [...["h1", "main", "nav[aria-label=Pages]", "body > header"].map(count), document.documentElement.lang].join()]]
      assert.equal("1,1,1,1,en", marks, route.hash)
      page:picture(route.name)
      page:assert_clean()
    end
  end)

  it("goes from page to page: title, focus and the mark in the navigation follow, Back goes back", function()
    page:go "#/"
    for _, name in ipairs { "Make", "Jobs", "Gallery", "Providers", "Money", "Webhooks", "Host", "Overview" } do
      page:click_text("nav a > span", name)
      page:wait(("document.title.startsWith(%q)"):format(name), "the page " .. name)
      page:wait("document.activeElement === document.querySelector('main h1')", "the focus on the title of " .. name)
      assert.equal(name, page:execute "return document.querySelector('nav [aria-current=page] > span').textContent")
    end
    page:back()
    page:wait("document.title.startsWith('Host')", "the page before")
    page:assert_clean()
  end)

  it("keeps what is open when only the filters change, and the address says them", function()
    page:go "#/jobs"
    page:execute "document.querySelector('main h1').dataset.mine = 'yes'"
    page:go "#/jobs?status=error"
    assert.equal("yes", page:execute "return document.querySelector('main h1').dataset.mine")
    page:assert_clean()
  end)

  it("begins with a link that skips the navigation", function()
    page:go "#/money"
    page:execute "document.activeElement.blur()"
    page:press "Tab"
    assert.is_true(page:execute "return document.activeElement.getBoundingClientRect().top >= 0")
    page:press "Enter"
    page:wait("document.activeElement === document.querySelector('main h1')", "the focus on the content")
  end)

  it("is gone through by letters", function()
    page:go "#/"
    for key, name in pairs(LETTERS) do
      page:press("g", key)
      page:wait(("document.title.startsWith(%q)"):format(name), "the page of g " .. key)
    end
    page:go "#/money"
    page:press "/"
    page:find "dialog[open] input[type=search]"
    page:press "Escape"
    page:wait("!document.querySelector('dialog')", "the search to close")
    page:press "?"
    page:wait("document.querySelector('dialog[open]')?.innerText.includes('Gallery')", "the list of keys")
    page:assert_clean()
  end)

  it("lets single keys be turned off", function()
    page:go "#/"
    page:press "?"
    page:click "dialog[open] input[type=checkbox]"
    page:press "Escape"
    page:press("g", "m")
    page:press "/"
    assert.is_nil(page:finds("dialog")[1])
    assert.equal("Overview", h1())
    page:execute "localStorage.clear()"
  end)

  it("leaves letters alone where somebody types", function()
    page:go "#/make/image/fal"
    page:find("main textarea"):type "g j / ?"
    assert.equal("Make", page:title():match "^%a+")
    assert.is_nil(page:finds("dialog")[1])
  end)

  it("closes a dialog by Escape, and gives the focus back", function()
    page:go "#/"
    local search = page:find "#search"
    search:click()
    page:find "dialog[open]"
    page:press "Escape"
    page:wait("document.activeElement?.id === 'search'", "the focus on what opened the dialog")
  end)

  it("closes a dialog when another page is gone to, by Back too", function()
    page:go "#/"
    page:go "#/money"
    page:click("#search")
    page:find "dialog[open]"
    page:back()
    page:wait("location.hash === '#/' && !document.querySelector('dialog')", "no dialog over the page before")
    assert.equal("Overview", page:find("h1"):text())
  end)

  it("is light or dark as the system, or as its switch says, over a reload too", function()
    local BACKGROUND = "return getComputedStyle(document.querySelector('header')).backgroundColor"
    local function background() return page:execute(BACKGROUND) end
    page:go "#/"
    local light = background()
    page:dark(true)
    local dark = background()
    assert.not_equal(light, dark)
    local switch = page:execute "return [...document.querySelectorAll('nav button')].find(node => /theme/i.test(node.innerText))"
    for _ = 1, 3 do
      switch:click()
      if page:execute("return /light/i.test(arguments[0].innerText)", switch) then break end
    end
    assert.equal(light, background())
    page:reload()
    page:settled()
    assert.equal(light, background())
    page:execute "localStorage.clear()"
  end)

  it("never scrolls sideways, down to 320 pixels", function()
    for _, route in ipairs(routes(page.scene)) do
      page:look "narrow"
      page:go(route.hash)
      assert.same({}, page:execute(WIDER), route.hash)
      page:look "phone"
      assert.same({}, page:execute(WIDER), "phone " .. route.hash)
      page:picture(route.name .. "-phone")
    end
    page:assert_clean()
  end)

  it("has its most used pages below on a phone, and the others behind More", function()
    page:look "phone"
    page:go "#/jobs"
    local shown = page:execute [[return [...document.querySelectorAll("nav a, nav button")]
      .filter(node => node.checkVisibility()).map(node => node.innerText.trim().split("\n")[0]).join()]]
    assert.equal("Overview,Make,Jobs,Gallery,More", shown)
    page:click_text("nav button span", "More")
    page:click_text("dialog[open] a", "Webhooks")
    page:wait("document.title.startsWith('Webhooks')", "the page behind More")
    page:assert_clean()
  end)

  it("has targets that a finger hits", function()
    page:look "phone"
    for _, route in ipairs { "#/", "#/jobs", "#/make/image/fal", "#/money" } do
      page:go(route)
      assert.same({}, page:execute [[
        return [...document.querySelectorAll("button, nav a, select, input:not([type=checkbox], [type=radio])")]
          .filter(node => node.checkVisibility() && !node.matches(".link"))
          .map(node => [node, node.getBoundingClientRect()])
          .filter(([, box]) => box.height > 0 && box.height < 39.5)
          .map(([node, box]) => `${node.tagName} ${node.innerText || node.name || node.ariaLabel} ${box.height}`)]], route)
    end
  end)
end)
