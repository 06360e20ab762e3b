-- Every page can be used by those who see little, hear it, or have a keyboard alone, as far as axe-core can tell; in every look.
local axe = require "spec.support.axe"
local routes = require "spec.support.studio_routes"
local studio = require "spec.support.studio"

studio.describe("every page of Studio", function()
  local page, missing
  setup(function()
    missing = axe.missing()
    if not missing then page = studio.open { scene = { days = 1, rows = 40 } } end
  end)
  teardown(function() if page then page:remove() end end)

  -- Dark differs from light in its colours alone.
  for look, colours in pairs { light = false, dark = true, phone = false, ["phone-dark"] = true } do
    it("has no violation of axe: " .. look, function()
      if missing then return pending(missing) end
      page:look(look)
      page:open(page.base)
      local found = {}
      for _, route in ipairs(routes(page.scene)) do
        page:go(route.hash)
        for _, text in ipairs(axe.violations(page.browser, colours)) do found[#found + 1] = route.hash .. " " .. text end
      end
      assert.same({}, found)
      page:assert_clean()
    end)
  end

  it("has no violation in its dialogs", function()
    if missing then return pending(missing) end
    for _, look in ipairs { "light", "dark", "phone" } do
      page:look(look)
      page:go "#/"
      for _, opener in ipairs { "#live", "#search" } do
        page:click(opener)
        page:find "dialog[open]"
        assert.same({}, axe.violations(page.browser), look .. " " .. opener)
        page:press "Escape"
        page:wait("!document.querySelector('dialog')", "the dialog to close")
      end
    end
    page:assert_clean()
  end)

  it("moves nothing for who asked for no motion", function()
    if missing then return pending(missing) end
    page:look "reduced-motion"
    for _, route in ipairs(routes(page.scene)) do
      page:go(route.hash)
      local moving = page:execute [[
        const seconds = text => Math.max(...text.split(",").map(parseFloat)); // computed values are in seconds
        return [...document.querySelectorAll("*")].filter(node => {
          const style = getComputedStyle(node);
          const animation = style.animationName === "none" ? 0 : seconds(style.animationDuration);
          return seconds(style.transitionDuration) > 0.01 || animation > 0.01;
        }).map(node => `${node.tagName}.${node.className}`).slice(0, 5)]]
      assert.same({}, moving, route.hash)
    end
  end)
end)
