-- The switch on every page: stopping asks nothing, starting says what it will cost.
local routes = require "spec.support.studio_routes"
local studio = require "spec.support.studio"

studio.describe("the stop switch", function()
  local page
  before_each(function() page = studio.open { live = true } end)
  after_each(function() page:remove() end)

  local function pill(word)
    page:wait(("document.querySelector('#live').innerText.includes(%q)"):format(word), "the pill to say " .. word)
  end

  it("is on every page, in every look", function()
    for _, look in ipairs { "light", "phone" } do
      page:look(look)
      for _, route in ipairs(routes()) do
        page:go(route.hash)
        assert.is_true(page:find("#stop"):is_displayed(), route.hash)
        assert.is_truthy(page:find("#stop"):label():find("Stop", 1, true))
      end
    end
    page:assert_clean()
  end)

  it("stops at once, keeps jobs waiting, and starts after one question with the sum", function()
    page:remove()
    page = studio.open { live = { simulate = { "--job-time", "4000" }, config = function(config)
      config.live.providers.fal.max_concurrent = 1
    end } }
    page.live:becomes(page.live:job("fal", { prompt = "is under way" }), "running")
    local job = page.live:job("fal", { prompt = "waits for the switch" })
    page.live:job("fal", { prompt = "waits too" })
    page:go "#/jobs"
    pill "Live is on"
    page:click "#stop"
    pill "Stopped"
    assert.is_true(page.host:get("/api/live").json.stopped)
    page:picture "stopped"
    assert.equal("queued", page.live:status(job).status)
    assert.equal(1, page.live:paid())
    page:click "#start"
    local text = page:find("dialog[open]"):text()
    assert.is_truthy(text:find("2 jobs", 1, true), text)
    assert.is_truthy(text:find("$0.0", 1, true), text)
    page:press "Escape"
    page:wait("!document.querySelector('dialog')", "the question to close")
    assert.is_true(page.host:get("/api/live").json.stopped)
    page:click "#start"
    page:click_text("dialog[open] button", "Start sending")
    pill "Live is on"
    assert.equal("done", page.live:ended(job).status)
    page:assert_clean()
  end)

  it("is turned by keyboard, and keeps the focus", function()
    page:go "#/"
    pill "Live is on"
    page:execute "document.getElementById('stop').focus()"
    page:press "Enter"
    pill "Stopped"
    page:wait("document.activeElement.id === 'start'", "the focus on the switch")
    page:press "Enter"
    page:click_text("dialog[open] button", "Start sending")
    pill "Live is on"
    page:wait("document.activeElement.id === 'stop'", "the focus on the switch")
    page:assert_clean()
  end)

  it("follows what others do", function()
    page:go "#/"
    pill "Live is on"
    page.host:post("/api/live/stop", {})
    pill "Stopped"
    page.host:post("/api/live/start", {})
    pill "Live is on"
    page:assert_clean()
  end)

  it("keeps the focus while the figures beside it change", function()
    page:go "#/"
    pill "Live is on"
    for _, id in ipairs { "stop", "live" } do
      page:execute("document.getElementById(arguments[0]).focus()", id)
      local before = page:execute "return document.querySelector('.today').innerText"
      page.live:ended(page.live:job "runway")
      page:wait(("document.querySelector('.today').innerText !== %q"):format(before), "the figures of today")
      assert.equal(id, page:execute "return document.activeElement.id")
    end
    page:assert_clean()
  end)

  it("says on a host as shipped that nothing is sent, and what keeps it off", function()
    page:remove()
    page = studio.open {}
    page:go "#/"
    pill "Dry run only"
    page:click "#live"
    page:wait("document.querySelector('dialog[open]').innerText.includes('enable_public_gpu')", "what keeps live off")
    page:picture "dry-run-only"
    page:assert_clean()
  end)
end)
