-- One job as somebody sees it who wants to know what became of it, what it cost and what was sent; and who says what became of
-- one that is unknown.
local keys = require "spec.support.keys"
local scenes = require "spec.support.studio_scene"
local studio = require "spec.support.studio"

studio.describe("one job", function()
  local scene, page, jobs

  setup(function()
    scene = scenes.start { rows = 30, days = 1 }
    jobs = scene.jobs
    page = studio.at(("http://127.0.0.1:%d/"):format(scene.host.port), scene.host)
  end)

  teardown(function() scene:remove() end)

  after_each(function() page:assert_clean() end)

  local function job(id, query)
    page:go("#/jobs/" .. id .. (query or ""))
    page:wait(("document.querySelector('.job')?.textContent.includes('%s')"):format(id), "the job")
  end

  local function text()
    return (page:find(".job"):text():gsub("%s+", " "))
  end

  local function fact(name)
    return page:execute([[
      const term = [...document.querySelectorAll(".job dt")].find(one => one.textContent === arguments[0]);
      return term && term.nextSibling.innerText.replace(/\s+/g, " ");]], name)
  end

  local function open(summary)
    local fold = page:find_text(".job summary", summary)
    page:execute("arguments[0].scrollIntoView({ block: 'center' })", fold)
    fold:click()
    return page:wait(([[
      [...document.querySelectorAll(".job details[open]")].find(one => one.textContent.startsWith("%s"))
        .querySelector("pre").textContent
    ]]):format(summary), summary)
  end

  it("stands beside the list, and says how it ended, what it cost and whose figure that is", function()
    job(jobs.done)
    assert.is_true(page:find(".jobs-list"):is_displayed())
    assert.equal("$0.006, computed from its price list", fact "Spent")
    assert.equal("$0.012", fact "Reserved")
    assert.matches("^fal, image$", fact "Provider")
    assert.matches("registered for fal.*%+.*it cost 0%.006000 USD", page:find(".job-steps"):text():gsub("%s+", " "), nil)
    page:wait("[...document.querySelectorAll('.output img')].filter(one => one.naturalWidth > 0).length === 2", "both pictures")
    assert.matches("/artifacts/1%?deliver=proxy$", page:execute "return document.querySelectorAll('.output a[download]')[1].href")
    assert.matches('"prompt": "A wide shot', open "Payload")
    assert.matches("^POST https://.*Authorization: Key {api_key}.*A wide shot", open "Exact request")
    page:picture "job"
  end)

  it("shows every kind of output, and which was lost and why", function()
    job(jobs.outputs)
    assert.matches("A short text, as a model writes it%..*\"score\": 0%.93.*image/png", text())
    job(jobs.lost)
    assert.matches("Output 2 was lost: ", text())
    job(jobs.sound)
    assert.equal("none", page:find ".job audio":attribute "preload")
  end)

  it("fetches a video when it is played, and no longer than it is seen", function()
    job(jobs.video)
    assert.equal("", page:find(".job video"):property "src")
    page:click(".output-play")
    page:wait("/artifacts.0.deliver=proxy$/.test(document.querySelector('.job video').src)", "its source")
    job(jobs.sound)
    page:back()
    page:wait("document.querySelector('.job video')?.hidden", "the video without a source")
  end)

  it("says why one failed, with the vendor's code and whether it was billed", function()
    job(jobs.moderated)
    assert.matches("content filter.*code moderation, the vendor's CONTENT_FILTERED, billed", text())
    assert.is_false(page:find(".job-cancel"):is_displayed())
  end)

  it("asks a dry run's request again, when somebody looks, and says so", function()
    job(jobs.dry)
    assert.matches("dry run keeps no request", page:execute "return document.querySelector('.job').textContent")
    assert.matches("^POST https://.*Authorization: Key {api_key}.*a lighthouse, test", open "Exact request")
    assert.equal(1, #scene.host:get("/api/events/history?job=" .. jobs.dry).json.events)
  end)

  it("follows one that runs, without losing the focus, and cancels it", function()
    local id = scene:submit("luma", { prompt = "it changes while one looks" })
    job(id)
    page:click_text(".job summary", "Payload")
    page:execute "document.querySelector('.job details[open] pre').focus()"
    scene.host:post("/api/jobs/" .. id .. "/cancel", {})
    page:wait("/^canceled/.test(document.querySelector('.job').textContent)", "its end")
    page:wait("/canceled before it was sent/.test(document.querySelector('.job-steps').textContent)", "its last step")
    assert.equal("PRE", page:focused():property "tagName")
    local second = scene:submit("luma", { prompt = "canceled by hand" })
    job(second)
    page:click_text(".job button", "Cancel…")
    page:click_text("dialog button", "Cancel 1 job")
    page:wait("/canceled$/.test(document.querySelector('.cancel-list li').textContent)", "what became of it")
    page:click_text("dialog button", "Close")
    assert.equal("canceled", scene:job(second).status)
  end)

  it("leads to a new one with the same request, and to what others can use", function()
    job(jobs.done)
    assert.equal(page.base .. "#/make/image/fal?from=" .. jobs.done, page:find_text(".job a", "Use again…"):property "href")
    page:execute "navigator.clipboard.writeText = text => { window.copied = text }"
    page:click_text(".job button", "curl")
    page:wait(("window.copied === \"curl -s '%sapi/jobs/status/%s'\""):format(page.base, jobs.done), "the call")
    page:click_text(".job button", "Link")
    page:wait(("window.copied === '%s#/jobs/%s'"):format(page.base, jobs.done), "its address")
  end)

  describe("that is unknown", function()
    local function unknown()
      return scene:becomes(scene:submit("pika", { prompt = "who knows" }), "unknown")
    end

    local function say(word, value)
      page:click_text(".job button", word)
      if value then page:find("#resolution"):type(value) end
      return page:find("dialog [aria-live]"):text()
    end

    it("says what is known and what is held, and presets no answer", function()
      job(jobs.unknown)
      assert.matches("It is never sent again by itself; %$0%.200 stay reserved", text())
      local looks = page:execute [[
        return [...document.querySelectorAll(".job-ways button")].map(one => getComputedStyle(one).color + one.className)]]
      assert.equal(3, #looks)
      assert.same({ looks[1], looks[1] }, { looks[2], looks[3] })
    end)

    it("is told that it never arrived, after one has seen what that makes of the day", function()
      local id = unknown()
      job(id)
      local told = say("It never arrived…"):gsub("%s+", " ")
      assert.matches("It costs %$0, %$0%.200 are held no more.*Today %(UTC%) after it: .* left of %$12%.00", told)
      assert.equal("unknown", scene:job(id).status)
      page:click_text("dialog button", "This is what happened")
      page:wait("/^error/.test(document.querySelector('.job').textContent)", "the end")
      assert.equal(0, scene:job(id).money.spent_usd)
    end)

    it("is told what it cost", function()
      local id = unknown()
      job(id)
      say("It ran and cost…", "0.04x")
      assert.is_false(page:find_text("dialog button", "This is what happened"):is_enabled())
      page:find("#resolution"):type "{Backspace}"
      assert.matches("It costs %$0%.040, instead of %$0%.200 held", page:find("dialog [aria-live]"):text())
      page:click_text("dialog button", "This is what happened")
      page:wait("/^done/.test(document.querySelector('.job').textContent)", "the end")
      assert.equal("$0.040, said by an operator", fact "Spent")
    end)

    it("is not told twice: the page says what it is already", function()
      local id = unknown()
      job(id)
      say("It runs under id…", "made-by-nobody")
      scene.host:post("/api/jobs/" .. id .. "/resolve", { status = "done", cost_usd = 0.03 })
      page:click_text("dialog button", "This is what happened")
      page:wait("/is done already, resolved by an operator: .0.030/.test(document.querySelector('.toasts').textContent)", "who")
      page:assert_clean { "status of 409" }
    end)
  end)

  it("is a page of its own where there is no room, and the list is where it was afterwards", function()
    page:look "phone"
    page:go "#/jobs?dry=1"
    page:wait("document.querySelectorAll('[aria-busy=false] [data-key]').length > 5", "rows")
    page:execute "scrollTo(0, 400)"
    local id = page:execute "return document.elementFromPoint(150, 400).closest('[data-key]').dataset.key"
    page:click(("[data-key='%s'] .job-state"):format(id))
    page:wait("document.querySelector('.job-title')", "the job")
    assert.is_false(page:find(".jobs-list"):is_displayed())
    assert.equal("Job", page:find("h1"):text())
    page:click("[aria-label='All jobs']")
    page:wait("Math.abs(scrollY - 400) < 60", "the place in the list")
    page:look "light"
  end)

  it("that is not there is a page that says so", function()
    page:go "#/jobs/01a20000-0000-7000-8000-000000000000"
    assert.equal("There is no such job", page:find(".job h2"):text())
    page:go "#/jobs/none"
    page:wait("/none/.test(document.querySelector('.job code').textContent)", "the id")
    page:assert_clean { "status of 40[04]" }
  end)
end)

studio.describe("one job of a key", function()
  local page, id

  setup(function()
    page = studio.open { live = { simulate = { "--fault", "pika:reset_after:1", "--fault", "luma:never_ending:1" } }, keys = {
      keys.entry "all", keys.entry("reader", { may = { "read" } }),
      keys.entry("maker", { may = { "read", "submit", "live" }, sees = "own" }),
    } }
    id = page.live:submit("pika", {}, keys.headers "maker").json.job_id
    page:go ""
    page:console() -- nobody has logged in yet
  end)

  teardown(function() page:remove() end)

  local function see(name, job)
    page:assert_clean()
    page:go "#/host"
    page:log_in(name)
    page:console() -- of what the other key still asked for
    page:go("#/jobs/" .. job)
    page:reload()
    page:wait("document.querySelector('.job .facts, .job .empty')", "the job")
    return page:find(".job"):text():gsub("%s+", " "), nil
  end

  it("that may not operate resolves nothing, and is told so", function()
    local said = see("maker", id)
    assert.matches("It is never sent again by itself.*needs the role “operate”", said)
    assert.is_nil(page:finds(".job [role=group]")[1])
  end)

  it("that may not submit cancels nothing and asks no preview", function()
    local running = page.live:submit("luma", {}, keys.headers "all").json.job_id
    see("reader", running)
    assert.is_false(page:find(".job-cancel"):is_displayed())
    assert.is_nil(page:finds(".job-pick")[1])
  end)

  it("that sees its own does not see others'", function()
    local other = page.live:submit("fal", {}, keys.headers "all").json.job_id
    assert.matches("There is no such job.*sees only its own jobs", (see("maker", other)))
    page:assert_clean { "status of 404" }
  end)
end)

