-- What Make runs live runs once, whatever is clicked, reloaded or lost, and costs no more than its button says.
local make = require "spec.support.make_page"
local studio = require "spec.support.studio"

local SEED = "18446744073709551615"

studio.describe("what runs live from Make", function()
  local page

  describe("with everything on", function()
    setup(function() page = studio.open { live = { hurry = 10 } } end)
    teardown(function() page:remove() end)
    after_each(function()
      page:execute "sessionStorage.clear()"
      page:open "about:blank"
    end)

    it("runs once to the picture, double click or not", function()
      local paid = page.live:paid()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "a lighthouse")
      make.fill(page, "parameters.seed", SEED)
      make.ready(page, "Run live, at most $0.003")
      page:execute "const run = document.querySelector('#run'); run.click(); run.click(); setTimeout(() => run.click(), 100)"
      page:wait("document.querySelector('.outputs img')?.naturalWidth > 0", "the picture")
      make.has(page, ".followed", "done")
      make.has(page, ".followed", "$0.003")
      make.ready(page, "Run live, at most $0.003")
      assert.equal(paid + 1, page.live:paid())
      local row = page.host:get("/api/jobs/list?limit=1&status=done").body
      assert.truthy(row:find('"seed":' .. SEED, 1, true))
      page:assert_clean()
    end)

    it("asks again under the same key when the answer was lost", function()
      local paid = page.live:paid()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "a lost answer")
      make.ready(page)
      make.wire(page, { submit = "lose" })
      page:click("#run")
      make.ready(page, "Ask again, at most $0.003")
      make.has(page, ".lost-run", "did not come")
      page:click("#run")
      page:wait("window.sent.length === 2", "the second submit")
      make.ready(page, "Ask again, at most $0.003")
      assert.is_true(page:execute "return sent[0].key.length > 20 && sent[0].key === sent[1].key")
      assert.is_true(page:execute "return sent[0].body === sent[1].body")
      make.wire(page, {})
      page:click("#run")
      page:wait("document.querySelector('.outputs img')", "the picture")
      make.ready(page, "Run live, at most $0.003")
      assert.is_nil(page:finds(".lost-run")[1])
      assert.equal(paid + 1, page.live:paid())
      page:assert_clean()
    end)

    it("keeps the key whoever answers in the host's place, and whatever else refuses it", function()
      local paid = page.live:paid()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "a portal's answer")
      make.ready(page)
      make.wire(page, { submit = "portal" })
      page:click("#run")
      make.ready(page, "Ask again, at most $0.003")
      make.has(page, ".problem", "no answer of the host")
      local key = page:execute "return sent[0].key"
      make.wire(page, { submit = "refuse" })
      page:click("#run")
      make.has(page, ".problem", "not now")
      make.ready(page, "Ask again, at most $0.003")
      make.wire(page, { submit = "send" })
      page:click("#run")
      page:wait("document.querySelector('.outputs img')", "the picture")
      assert.equal(key, page:execute "return sent[0].key")
      assert.equal(paid + 1, page.live:paid())
      page:assert_clean()
    end)

    it("finds the run of before a reload, and pays it once", function()
      local paid = page.live:paid()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "reloaded meanwhile")
      make.ready(page)
      make.wire(page, { submit = "hold" })
      page:click("#run")
      page:wait("window.sent.length === 1")
      page.host:eventually(function() return page.live:paid() == paid + 1 or nil end)
      page:reload()
      page:wait("document.querySelector('.outputs img')", "the picture of the run before")
      assert.equal("reloaded meanwhile", make.field(page, "prompt"):property "value")
      make.ready(page, "Run live, at most $0.003")
      assert.equal(paid + 1, page.live:paid())
      page:assert_clean()
    end)

    it("keeps the key over a reload when the host has no such job", function()
      local paid = page.live:paid()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "never arrived")
      make.ready(page)
      make.wire(page, { submit = "never" })
      page:click("#run")
      page:wait("window.sent.length === 1")
      local key = page:execute "return sent[0].key"
      page:reload()
      make.ready(page, "Ask again, at most $0.003")
      page:click_text("button", "Look for it")
      make.has(page, ".toasts", "it was not registered")
      make.wire(page, { submit = "send" })
      page:click("#run")
      page:wait("document.querySelector('.outputs img')", "the picture")
      assert.equal(key, page:execute "return sent[0].key")
      assert.equal(paid + 1, page.live:paid())
      page:assert_clean()
    end)

    it("runs several seeds as several jobs, and says their sum", function()
      local paid = page.live:paid()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "three")
      make.fill(page, "parameters.seed", "18446744073709551613")
      make.ready(page)
      local count = page:find ".copies input"
      count:clear()
      count:type "3"
      make.ready(page, "Run 3 live, at most $0.009")
      page:click("#run")
      page:wait("document.querySelectorAll('.outputs img').length === 3", "three pictures")
      assert.equal(paid + 3, page.live:paid())
      local list = page.host:get("/api/jobs/list?limit=3").body
      for _, seed in ipairs { "18446744073709551613", "18446744073709551614", SEED } do
        assert.truthy(list:find('"seed":' .. seed, 1, true), seed)
      end
      page:assert_clean()
    end)

    it("wants to know the most that it may cost where no price is known", function()
      page:go "#/make/gpu/replicate?operation=model"
      make.fill(page, "job.model", "acme/unknown-model")
      make.fill(page, "job.input", '{"prompt": "a lighthouse", "n": 18446744073709551615}')
      make.has(page, ".in-the-way", "the price is not known")
      assert.is_nil(page:finds("#run")[1])
      make.has(page, ".upstream", SEED)
      make.fill(page, "max_cost_usd", "0.25")
      make.ready(page, "Run live, at most $0.250")
      page:click_text("button", "JSON")
      assert.truthy(page:find("#request-json"):property("value"):find('"max_cost_usd": 0.25', 1, true))
      page:assert_clean()
    end)
  end)

  describe("with a small budget", function()
    setup(function()
      page = studio.open { live = { hurry = 10, config = function(config)
        config.live.budget_usd = { per_day = 0.02, per_month = 0.02 }
      end } }
    end)
    teardown(function() page:remove() end)

    it("pays no more than was pressed when the price rises while it is asked for", function()
      page:go "#/make/image/fal?model=fal-ai/flux/schnell"
      make.fill(page, "prompt", "dearer meanwhile")
      make.fill(page, "parameters.seed", "1")
      make.ready(page, "Run live, at most $0.003")
      make.wire(page, { preview = "dearer", submit = "never" })
      page:click("#run")
      make.has(page, "dialog", "$0.003")
      page:execute "document.querySelector('[data-path=\"parameters.seed\"] button').click()"
      page:wait("document.querySelector('#run').textContent.includes('$0.9')", "the new price")
      page:click_text("dialog button", "Run live, at most $0.003")
      page:wait("sent.some(one => one.url.endsWith('submit'))", "the submit")
      local body = page:execute "return sent.find(one => one.url.endsWith('submit')).body"
      assert.truthy(body:find('"max_cost_usd":0.003', 1, true), body)
      assert.truthy(body:find('"seed":1[,}]'), body)
      page:execute "sessionStorage.clear()"
      page:open "about:blank"
    end)

    it("asks once when it is much of what is left, and says whose budget was short", function()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "much")
      make.ready(page)
      page:click("#run")
      make.has(page, "dialog", "$0.003")
      assert.equal("Not now", page:focused():text())
      page:press "Escape"
      make.ready(page)
      assert.equal(0, page.live:paid())
      make.wire(page, { preview = "never" })
      for _ = 1, 6 do page.live:ended(page.live:job("fal", { model = "fal-ai/flux/schnell" })) end
      page:click("#run")
      page:click_text("dialog button", "Run live, at most $0.003")
      make.has(page, ".problem", "the budget of the host per day")
      assert.equal("#/money", page:find(".right a[href='#/money']"):attribute "href")
      assert.equal(6, page.live:paid())
      page:assert_clean { "status of 402" }
    end)

    it("previews anew when the request is no more what was seen", function()
      page:execute "sessionStorage.clear()"
      page:open "about:blank"
      page:go "#/make/image/fal?model=fal-ai/fast-sdxl"
      make.fill(page, "prompt", "changed meanwhile")
      make.fill(page, "max_cost_usd", "0.001")
      make.ready(page)
      make.wire(page, { submit = "change", preview = "send" })
      page:click("#run")
      page:click_text("dialog button", "Run live, at most $0.001")
      make.has(page, ".problem", "the request is not the one that was expected")
      page:wait("window.sent.some(one => one.url.endsWith('preview'))", "a new preview")
      make.wire(page, { submit = "send" })
      make.ready(page)
      page:click("#run")
      page:click_text("dialog button", "Run live, at most $0.001")
      page:wait("document.querySelector('.outputs img')", "the picture")
      page:assert_clean { "status of 409" }
    end)
  end)
end)
