-- Studio's overview: what a new host lacks, and what needs somebody on one that works.
local axe = require "spec.support.axe"
local keys = require "spec.support.keys"
local mcp = require "spec.support.mcp"
local studio = require "spec.support.studio"

studio.describe("the overview", function()
  it("shows a new host its first steps, which are what the host misses", function()
    local page = studio.open()
    page:go()
    page:wait("document.querySelectorAll('.steps > li').length === 3", "the three steps")
    assert.equal("Nothing at the moment.", page:find(".card .muted"):text())
    local missing = page.host:get("/api/providers/image/catalog").json.providers[1].live.missing
    page:click("details summary")
    assert.equal(missing[1], page:find(".reasons li"):text())
    page:assert_clean()
    page:remove()
  end)

  it("tells what runs, what came out and what it cost, and leads there", function()
    local page = studio.open { live = true }
    page:go()
    page:wait("document.body.textContent.includes('Nothing was made yet')", "no outputs")
    local job = page.live:job("fal", { prompt = "a lighthouse & <b>bold</b>" })
    page.live:ended(job)
    page:wait("document.querySelector('.tiles img')?.naturalWidth > 0", "the picture that came out")
    assert.equal("Image by fal: a lighthouse & <b>bold</b>", page:find(".tile"):attribute("aria-label"))
    page:wait("document.querySelector('.today-list').textContent.includes('$0.003')", "what it cost")
    page:click(".tile")
    page:wait(("location.hash === '#/gallery/%s/0'"):format(job), "the output's own address")
    page:assert_clean()
    page:remove()
  end)

  it("shows what agents want to pay for, to who may approve it: yes, and no", function()
    local page = studio.open { keys = { keys.entry("agent", { may = { "read", "submit", "live" } }), "operator" }, live = {
      config = function(config) config.mcp = { live = true, budget_usd = { per_day = 5, per_month = 5 } } end,
    } }
    local agent = mcp.modern(page.host, { headers = keys.headers "agent" })
    local function asked(prompt)
      local quote = agent:call("quote", { provider = "fal", prompt = prompt }).data.quote_id
      assert.equal("approval_required", agent:call("submit", { quote_id = quote, max_cost_usd = 1 }).data.error)
      return quote
    end
    local first = asked "a bridge & <b>bold</b>"
    page:open(page.base .. "healthz")
    page:log_in "operator"
    page:go()
    page:wait("document.querySelector('#approvals li')?.textContent.includes('a bridge & <b>bold</b>')", "what waits")
    assert.equal("Approve $0.006", page:find("#approvals .live"):text())
    page:picture "approvals"
    if not axe.missing() then
      for _, look in ipairs { "phone-dark", "light" } do
        page:look(look)
        axe.assert_none(page, look)
        page:picture("approvals-" .. look)
      end
    end
    local second = asked "a tunnel" -- seen without a reload
    page:wait(("document.querySelector('[data-quote=\"%s\"]')"):format(second), "what came later")
    page:click(('[data-quote="%s"] .live'):format(first))
    page:wait(("!document.querySelector('[data-quote=\"%s\"]')"):format(first), "it is approved")
    assert.is_nil(agent:call("submit", { quote_id = first, max_cost_usd = 1 }).refused)
    page:click(('[data-quote="%s"] button'):format(second))
    page:click("dialog .danger")
    page:wait("!document.querySelector('#approvals')", "nothing waits")
    assert.equal("refused", agent:call("submit", { quote_id = second, max_cost_usd = 1 }).data.error)
    page:assert_clean { "favicon" }
    page:remove()
  end)

  it("names what needs somebody: a job of unknown outcome, a broken script, a budget nearly spent, a stop", function()
    local page = studio.open { live = { scripts = true, simulate = { "--fault", "fal:reset_after:1" }, config = function(config)
      config.live.providers.fal.budget_usd.per_day = 0.007
    end } }
    page:go()
    local job = page.live:job("fal")
    page.live:becomes(job, "unknown")
    page.host:write("providers/image_fal.lua", page.host:read("providers/image_fal.lua") .. "\noops(\n")
    page.host:post("/api/live/stop")
    local function told(text)
      page:wait(("[...document.querySelectorAll('.needs li')].some(li => li.textContent.includes(%q))"):format(text), text)
    end
    told "1 job with unknown outcome, $0.006 held"
    told "image_fal.lua:"
    told "The day's budget of fal: 85 % of $0.007 is taken"
    told "Sending is stopped"
    assert.equal("Stopped", page:find("#live"):text())
    page:find_text(".needs a", page:find(".needs li:has(a[href*=unknown]) a"):text()):click()
    page:wait("location.hash === '#/jobs?status=unknown'", "the jobs of unknown outcome")
    page:assert_clean()
    page:remove()
  end)
end)
