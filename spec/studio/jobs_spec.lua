-- The list of jobs as somebody sees it who watches, filters, selects and cancels: by mouse, by keyboard, by a key that may not.
local Host = require "spec.support.host"
local keys = require "spec.support.keys"
local many_jobs = require "spec.support.many_jobs"
local scenes = require "spec.support.studio_scene"
local studio = require "spec.support.studio"

-- In the order of the list: the document follows when it rests.
local ROWS = "[...document.querySelectorAll('.list-body [data-key]')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)"

local function path_of(id)
  return "/api/providers/image/" .. id .. "/submit"
end

local function dry(host, prompt, headers)
  return host:post(path_of "fal", { prompt = prompt }, headers).json.job_id
end

local function list(page, route)
  page:go(route or "#/jobs")
  page:wait("document.querySelector('[role=grid][aria-busy=false] [data-key]')", "rows")
end

local function row(page, id)
  return page:find(("[data-key='%s']"):format(id))
end

local function text(page, id)
  return (row(page, id):text():gsub("%s+", " "))
end

local function becomes(page, id, status)
  page:wait(("/^%s/.test(document.querySelector(\"[data-key='%s']\").textContent)"):format(status, id), status)
end

local function first(page)
  return page:execute("return " .. ROWS .. "[0].dataset.key")
end

-- The words of a filter that is set.
local function set(page)
  return page:execute("return document.querySelector('.jobs-filters .chip[aria-current]').firstChild.data")
end

studio.describe("the list of jobs", function()
  local scene, page, jobs

  setup(function()
    scene = scenes.start { rows = 240, days = 2 }
    jobs = scene.jobs
    page = studio.at(("http://127.0.0.1:%d/"):format(scene.host.port), scene.host)
  end)

  teardown(function() scene:remove() end)

  after_each(function() page:assert_clean() end)

  it("shows state, prompt and cost of each, and asks the API four times for it", function()
    page:open("about:blank")
    list(page)
    local asked = page:execute [[
      const names = performance.getEntriesByType("resource").map(one => one.name);
      return names.filter(one => /\/api\//.test(one)).map(one => one.replace(/.*\/api\//, "")).join("\n")]]
    assert.equal(0, select(2, asked:gsub("jobs/status", "")), asked)
    assert.equal(1, select(2, asked:gsub("jobs/list", "")), asked)
    assert.matches("^unknown pika paper boats on a black lake · needs you held %$0%.200 ", text(page, jobs.unknown))
    assert.matches("^running runway .*· 50 %% ≤ %$0%.240 ", text(page, jobs.running))
    assert.matches("^queued luma .* ≤ %$0%.140 ", text(page, jobs.queued))
    assert.matches("^done fal .* %$0%.006 ", text(page, jobs.done))
    assert.matches("^error stability .* content filter", text(page, jobs.moderated))
    assert.matches("^canceled runway .* %$0 ", text(page, jobs.canceled))
    assert.is_nil(page:finds(("[data-key='%s']"):format(jobs.dry))[1], "a dry run, although live is on")
    page:wait(("document.querySelector(\"[data-key='%s'] img\")?.naturalWidth > 0"):format(jobs.done), "its first picture")
    page:picture "jobs"
  end)

  it("is a grid of rows of one height, few of them in the document", function()
    list(page, "#/jobs?dry=1")
    page:wait("document.querySelector('[role=grid]').getAttribute('aria-rowcount') === '-1'", "more than a page")
    assert.equal("grid", page:find("[role=grid]"):role())
    local told = page:execute([[
      const rows = ]] .. ROWS .. [[;
      return { heights: [...new Set(rows.map(one => one.offsetHeight))].join(), count: rows.length,
        stops: rows.filter(one => one.tabIndex === 0).length, index: rows[3].getAttribute("aria-rowindex") }]])
    assert.equal("36", told.heights)
    assert.is_true(told.count <= 60, told.count)
    assert.same({ 1, "5" }, { told.stops, told.index })
    page:wait([[(document.querySelector(".list").scrollTop = 1e6,
      document.querySelector("[role=grid]").getAttribute("aria-rowcount") > 100)]], "the oldest page")
    assert.is_true(page:execute("return " .. ROWS .. ".length <= 60"))
    page:phone()
    page:wait(ROWS .. "[0].offsetHeight === 56", "rows of two lines")
    assert.is_true(page:execute "return document.documentElement.scrollWidth <= innerWidth", "it scrolls sideways")
    page:look "light"
  end)

  it("keeps its filters in the address", function()
    list(page)
    page:click_text(".jobs-filters .chip", "Error2")
    page:wait(("%s.length > 0 && %s.every(one => /^error/.test(one.textContent))"):format(ROWS, ROWS), "errors only")
    assert.matches("#/jobs%?status=error$", page:url())
    page:click(".jobs-filters select[aria-label=Provider] option[value=stability]")
    page:wait(ROWS .. ".length === 1", "the error of one provider")
    assert.matches("status=error&provider=stability", page:url())
    page:back()
    page:wait(ROWS .. ".length > 1", "both again")
    page:back()
    page:wait(ROWS .. ".length > 10", "all again")
    assert.equal("All", set(page))
    page:click(".jobs-filters .chip[aria-pressed]")
    page:wait(("document.querySelector(\"[data-key='%s']\")"):format(jobs.dry), "the dry run")
    assert.matches("dry=1", page:url())
    assert.matches("^done fal a lighthouse, test dry run est%. %$0%.003 ", text(page, jobs.dry))
    list(page, "#/jobs?status=open,unknown&kind=video&since=24h")
    page:wait(("%s.length > 3 && %s.every(one => /^(queued|running|unknown)/.test(one.textContent))"):format(ROWS, ROWS),
      "videos that are not over")
  end)

  it("searches, new jobs too, and says why it has found nothing and what to do", function()
    list(page)
    page:press "/"
    page:focused():type "paper boats on a"
    page:wait("/q=paper/.test(location.hash)", "the search in the address")
    page:wait(("document.querySelector(\"[data-key='%s']\") && %s.length < 12"):format(jobs.unknown, ROWS), "what is found")
    page:click("h1")
    dry(scene.host, "boats of paper, on a pond")
    local found = scene:submit("luma", { prompt = "BOATS of paper, on a pond" })
    page:wait(("%s[0].dataset.key === '%s'"):format(ROWS, found), "a new one that fits")
    page:go "#/jobs?q=nobodyhasaskedthis"
    page:wait("document.querySelector('.empty')", "nothing")
    assert.equal("No job fits these filters.", page:find(".empty p"):text())
    page:click_text(".empty a", "Take the filters off")
    page:wait(ROWS .. ".length > 10", "all")
    page:go "#/jobs?status=lost"
    assert.matches("must be queued, running", page:find(".list-foot .problem"):text())
    page:assert_clean { "status of 400" }
  end)

  it("is in the document in its order, once it rests, and keeps its focus meanwhile", function()
    list(page, "#/jobs?dry=1")
    page:press("j", "j", "j")
    local focused = page:focused():attribute "data-key"
    page:execute "document.querySelector('.list').scrollTop = 400"
    page:wait("+document.querySelector('.list-body [data-key]:last-child').ariaRowIndex > 30", "rows further down")
    page:wait(("%s.every((one, i) => one === document.querySelectorAll('.list-body [data-key]')[i])"):format(ROWS), "order")
    assert.equal(focused, page:focused():attribute "data-key")
  end)

  it("goes by keys: down, up, open, close, select, cancel", function()
    list(page, "#/jobs?status=open")
    page:press("j", "j", "ArrowDown", "k")
    local second = page:execute("return " .. ROWS .. "[1].dataset.key")
    assert.equal(second, page:focused():attribute "data-key")
    page:press "Enter"
    page:wait("document.activeElement.matches('.job-title')", "the focus in the job")
    assert.equal(page.base .. "#/jobs/" .. second .. "?status=open", page:url())
    assert.equal("true", row(page, second):attribute "aria-current")
    page:press "Escape"
    page:wait(("document.activeElement.dataset.key === '%s'"):format(second), "the focus back in its row")
    page:press("x", "Shift+ArrowDown")
    assert.equal("2 selected", page:find(".jobs-selection span"):text())
    page:press "Escape"
    assert.is_false(page:find(".jobs-selection"):is_displayed())
  end)

  it("cancels what can be canceled of what is selected, and says of each what became of it", function()
    local waiting = {}
    for i = 1, 3 do waiting[i] = scene:submit("luma", { prompt = "not wanted " .. i }) end
    list(page, "#/jobs?provider=luma&since=1h")
    page:find(("[data-key='%s'] input"):format(waiting[1]))
    page:execute("document.querySelector(arguments[0]).click()", ("[data-key='%s'] input"):format(waiting[1]))
    page:execute("arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey: true }))", row(page, waiting[3]))
    page:find_text(".jobs-selection button", "Cancel 3 queued…")
    page:press "c"
    assert.matches("Cancel 3 jobs%?", page:find("dialog"):text())
    page:click_text("dialog button", "Cancel 3 jobs")
    page:wait("[...document.querySelectorAll('.cancel-list li')].every(one => /canceled$/.test(one.textContent))", "each")
    page:click_text("dialog button", "Close")
    for _, id in ipairs(waiting) do
      assert.equal("canceled", scene:job(id).status)
      becomes(page, id, "canceled")
    end
    page:find_text(".jobs-selection button", "Nothing to cancel")
    page:click_text(".jobs-selection button", "Clear")
  end)

  it("moves nothing that is read: new jobs wait", function()
    list(page, "#/jobs?dry=1")
    page:click("h1")
    local id = dry(scene.host, "seen at once")
    page:wait(("%s[0].dataset.key === '%s'"):format(ROWS, id), "a new job on top, where nobody reads")
    page:press "j"
    local focused = page:focused():attribute "data-key"
    local newest
    for i = 1, 3 do newest = dry(scene.host, "it waits " .. i) end
    page:find_text(".list-new", "Show 3 new jobs")
    assert.equal(focused, page:focused():attribute "data-key")
    assert.equal(id, first(page))
    page:click(".list-new")
    page:wait(("%s[0].dataset.key === '%s'"):format(ROWS, newest), "the newest on top")
    page:execute "document.activeElement.blur()"
    page:execute "document.querySelector('.list').scrollTop = 1500"
    local seen = page:wait("document.elementFromPoint(500, 400).closest('[data-key]')?.dataset.key", "a row further down")
    dry(scene.host, "it waits too")
    page:find_text(".list-new", "Show 1 new job")
    assert.equal(seen, page:execute("return document.elementFromPoint(500, 400).closest('[data-key]').dataset.key"))
  end)

  it("changes a row in place, and stands still when it is told to", function()
    local id = scene:submit("luma", { prompt = "soon over" })
    list(page, "#/jobs")
    assert.matches("^queued", text(page, id))
    page:click_text("button", "Pause updates")
    scene.host:post("/api/jobs/" .. id .. "/cancel", {})
    scene:becomes(id, "canceled")
    page:await "await new Promise(done => setTimeout(done, 300))"
    assert.matches("^queued", text(page, id))
    page:click_text("button", "Go on with updates")
    becomes(page, id, "canceled")
  end)

  it("shows prompts as text", function()
    local id = dry(scene.host, "<img src=x onerror=alert(1)><b>bold</b>")
    list(page, "#/jobs?dry=1")
    assert.matches("<img src=x onerror=alert%(1%)><b>bold</b>", text(page, id))
  end)

  it("goes on after kill -9 of the host, with what it showed", function()
    list(page, "#/jobs?dry=1")
    page:click("h1")
    local before = first(page)
    scene.host:kill()
    page:wait("document.documentElement.dataset.connection === 'stale'", "the line that says so")
    assert.equal(before, first(page))
    scene.host:start_again()
    local id = dry(scene.host, "after the crash")
    page:wait(("%s[0].dataset.key === '%s'"):format(ROWS, id), "what came after")
    page:assert_clean { "ERR_CONNECTION", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE" }
  end)
end)

studio.describe("the list of jobs of a key that may read", function()
  local page

  setup(function()
    page = studio.open { config = { features = { enable_public_image_video = true } }, keys = {
      keys.entry "all", keys.entry("reader", { may = { "read" } }),
      keys.entry("own", { may = { "read", "submit" }, sees = "own" }),
    } }
  end)

  teardown(function() page:remove() end)

  it("selects and cancels nothing", function()
    local id = dry(page.host, "for all to see", keys.headers "all")
    page:go ""
    page:log_in "reader"
    page:reload()
    list(page)
    assert.matches("for all to see", text(page, id))
    assert.is_nil(page:finds(".job-pick")[1])
    page:press("j", "x")
    assert.is_false(page:find(".jobs-selection"):is_displayed())
  end)

  it("shows a key that sees its own jobs its own, live too", function()
    local other = dry(page.host, "somebody else's", keys.headers "all")
    local mine = dry(page.host, "mine", keys.headers "own")
    page:log_in "own"
    page:reload()
    list(page)
    assert.matches("mine", text(page, mine))
    assert.is_nil(page:finds(("[data-key='%s']"):format(other))[1])
    dry(page.host, "somebody else's again", keys.headers "all")
    local next_one = dry(page.host, "mine again", keys.headers "own")
    page:wait(ROWS .. ".length === 2", "one new row")
    assert.equal(next_one, first(page))
  end)
end)

studio.describe("the list of very many jobs", function()
  local ROWS_THERE = 7000
  local page

  setup(function()
    local host = Host.start {}
    host:stop()
    many_jobs.fill(host, ROWS_THERE, function(i) return { prompt = "number " .. i } end)
    host:start_again()
    page = studio.at(("http://127.0.0.1:%d/"):format(host.port), host)
  end)

  teardown(function() page:remove() end)

  -- The list grows while one scrolls: its end may have to be reached more than once.
  local function scroll_to(index)
    page:wait(([[(document.querySelector(".list").scrollTop = %d,
      document.querySelector("[aria-rowindex='%d'] a")?.textContent.endsWith("number %d"))]])
      :format(36 * index, index + 2, ROWS_THERE - index), "row " .. index)
  end

  it("holds at most 5,000 of them, and fetches the others again by their cursor", function()
    list(page)
    for index = 90, ROWS_THERE - 60, 90 do scroll_to(index) end
    local function asked()
      return page:execute "return performance.getEntriesByType('resource').filter(one => /jobs.list/.test(one.name)).length"
    end
    page:execute "performance.clearResourceTimings()"
    scroll_to(500)
    assert.is_true(asked() >= 1, "it was still held")
    assert.is_true(asked() <= 4, asked())
    scroll_to(0)
    assert.is_true(page:execute("return " .. ROWS .. ".length <= 60"))
    page:assert_clean()
  end)

  it("says why there are no live ones, and shows the dry runs when asked", function()
    page:go "#/jobs?dry=0"
    page:wait("document.querySelector('.empty')", "nothing")
    assert.equal("No live jobs yet.", page:find(".empty p"):text())
    page:click_text(".empty a", "show 7,000")
    page:wait(ROWS .. ".length > 10", "rows")
    assert.matches("dry=1$", page:url())
    page:assert_clean()
  end)
end)
