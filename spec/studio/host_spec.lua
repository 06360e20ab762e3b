-- Studio's page of the host: how it stands, what is wrong with its files, its log, and its events.
local keys = require "spec.support.keys"
local live = require "spec.support.live"
local studio = require "spec.support.studio"

local function main_has(text)
  return ("document.querySelector('main').innerText.includes(%q)"):format(text)
end

-- Each element that is found has a text of this kind, and there is one.
local function all_are(css, condition)
  return ("(all => all.length > 0 && all.every(node => node.textContent%s))([...document.querySelectorAll('%s')])")
    :format(condition, css)
end

studio.describe("Studio's page of the host", function()
  local page
  setup(function()
    page = studio.open { scripts = true, listen = live.address(), config = { server = { threads = 64 } } }
  end)
  teardown(function() page:remove() end)
  after_each(function() page:assert_clean { "status of 400", "net::ERR_" } end)

  local function submit(times)
    for i = 1, times or 1 do page.host:post("/api/providers/image/fal/submit", { prompt = "lighthouse " .. i }) end
  end

  it("tells version, switches, limits and the configuration in force", function()
    page:go "#/host"
    page:wait(main_has "Ready, and nothing is wrong", "that it is ready")
    local text = page:find("main"):text()
    for _, part in ipairs { "Version", "live.enabled", "16.8 MB", "30 days" } do assert.truthy(text:find(part, 1, true), part) end
    page:click("summary")
    assert.truthy(page:find("details pre"):text():find('"threads": 64', 1, true))
    page:picture("host", { full = true })
  end)

  it("names files that are broken, with the line and those around it, as text", function()
    page.host:write("config/comfyvn.json", '{\n  "server": { "threads": 64 },\n  "featurs": {}\n}\n')
    page.host:write("providers/image_fal.lua", "return {\n  id = 'fal',\n  <img src=x onerror=alert(1)>\n}\n")
    page:wait("document.querySelector('nav .count')?.textContent === '2'", "two problems")
    page:wait(main_has "featurs", "what is wrong with the configuration")
    page:click_text("nav.segments a", "Scripts2")
    page:wait("document.querySelectorAll('.file-problem').length === 2", "both files")
    local text = page:find("main"):text()
    assert.truthy(text:find("config/comfyvn.json:3", 1, true), text)
    assert.truthy(text:find("providers/image_fal.lua:3", 1, true), text)
    assert.truthy(page:finds(".is-here")[2]:text():find("<img src=x onerror=alert(1)>", 1, true))
    assert.equal(0, #page:finds "main img")
    page:picture("host-scripts", { full = true })
    page.host:write("config/comfyvn.json", '{ "server": { "threads": 64 } }')
    page.host:write("providers/image_fal.lua", "return require 'nothing'\n")
    page:wait("document.querySelectorAll('.file-problem').length === 1", "that the configuration is mended")
    page.host:write("providers/image_fal.lua", assert(io.open("providers/image_fal.lua")):read("a"))
    page:wait("!document.querySelector('.file-problem')", "that all is mended")
  end)

  local TAIL = "document.querySelector('.tail')"

  it("follows the log at its end, and stops following above it", function()
    submit(120)
    page:go "#/host?tab=log"
    page:wait("document.querySelectorAll('.tail-row').length > 15", "lines")
    page:wait(("%s.scrollTop + %s.clientHeight >= %s.scrollHeight - 4"):format(TAIL, TAIL, TAIL), "the end")
    assert.is_true(page:execute("return document.querySelectorAll('.tail-row').length") <= 60)
    page.host:post("/api/providers/image/fal/submit", { prompt = "x" }, { ["X-Request-ID"] = "a-new-request" })
    page:wait("document.querySelector('.tail-row:last-child')?.innerText.includes('a-new-request')", "the newest line")
    page:execute(TAIL .. ".scrollTop = 240")
    page:wait("!document.querySelector('.tail-end').hidden", "that it does not follow")
    local seen = page:execute("return document.querySelectorAll('.tail-row')[12].innerText")
    submit(12)
    page:wait("document.querySelector('.tail-end').innerText === '12 new below'", "that 12 are new")
    assert.equal(240, page:execute("return " .. TAIL .. ".scrollTop"))
    assert.equal(seen, page:execute("return document.querySelectorAll('.tail-row')[12].innerText"))
    page:picture "host-log"
    page:click(".tail-end")
    page:wait("document.querySelector('.tail-end').hidden", "the end again")
  end)

  it("filters the log by level, event and text, in the address", function()
    page.host:post("/api/providers/image/fal/submit", { prompt = "x" }, { ["X-Request-ID"] = "the-newest-request" })
    page:find("input[name=q]"):type "the-newest-request"
    page:wait("document.querySelectorAll('.tail-row').length === 1", "the one line")
    assert.truthy(page:url():find("q=the-newest-request", 1, true))
    local job = page:find(".tail-row a"):text()
    assert.equal("#/jobs/" .. job, page:execute("return document.querySelector('.tail-row a').hash"))
    page:find("input[name=q]"):type ""
    page:press("Control+a", "Backspace")
    page:find("input[name=event]"):type "script.*"
    page:wait(all_are(".tail-row b", ".startsWith('script.')"), "scripts only")
    page:find("select[name=level]"):type "Errors"
    page:wait(all_are(".tail-word", " === 'error'"), "errors only")
    page:click(".tail-row button")
    assert.truthy(page:find("dialog pre"):text():find("image_fal.lua", 1, true))
    page:press "Escape"
    page:go "#/host?tab=log&event=%7B"
    page:wait("document.querySelector('.problem')", "what is wrong with the pattern")
    page:go "#/host?tab=log&q=nothing+has+this"
    page:wait("!document.querySelector('.problem')", "that nothing is wrong")
    page:wait(main_has "No line of the newest", "that there is none")
  end)

  it("shows events as they come, of the types that are asked for, and waits when it is told to", function()
    page:go "#/host?tab=events"
    page:wait("document.querySelectorAll('.tail-row').length > 10", "those of the past")
    submit(1)
    local job = page.host:post("/api/providers/image/fal/submit", { prompt = "x" }).json.job_id
    page:wait(("document.querySelector('.tail-row:last-child').innerText.includes('%s')"):format(job), "the newest event", 2)
    page:click("#pause")
    submit(3)
    page:find_text("#pause", "Go on (3 new events)")
    assert.truthy(page:find(".tail-row:last-child"):text():find(job, 1, true))
    page:click("#pause")
    page:wait(("!document.querySelector('.tail-row:last-child').innerText.includes('%s')"):format(job), "the others")
    page:find("input[name=type]"):type "host.script"
    page:wait(all_are(".tail-row b", ".startsWith('host.script')"), "the host's own")
    page:click(".tail-row button")
    assert.truthy(page:find("dialog pre"):text():find('"specversion": "1.0"', 1, true))
    page:press "Escape"
    page:picture "host-events"
  end)

  it("holds 2,000 lines, and what is read stays where it is when the oldest go", function()
    page:go "#/host?tab=log"
    submit(2000)
    page:wait(TAIL .. ".scrollHeight === 2000 * 24", "2,000 lines")
    page:execute(TAIL .. ".scrollTop = 24000")
    local function at_top()
      return page:execute [[
        const top = document.querySelector(".tail").getBoundingClientRect().top + 1;
        return [...document.querySelectorAll(".tail-row")].find(row => row.getBoundingClientRect().bottom > top).innerText]]
    end
    page:wait("!document.querySelector('.tail-end').hidden", "that it does not follow")
    local seen = at_top()
    submit(50)
    page:wait("/^[1-9]\\d* new below/.test(document.querySelector('.tail-end').innerText)", "new lines")
    page:wait(TAIL .. ".scrollTop <= 24000 - 50 * 24", "that the oldest went")
    assert.equal(seen, at_top())
    assert.equal(2000 * 24, page:execute("return " .. TAIL .. ".scrollHeight"))
    assert.is_true(page:execute("return document.querySelectorAll('.tail-row').length") <= 60)
    page:click(".tail-end")
  end)

  it("goes on with the log of the host that comes after this one", function()
    page.host:kill()
    page:wait("document.documentElement.dataset.connection === 'stale'", "that the host is away")
    assert.is_true(page:execute("return document.querySelectorAll('.tail-row').length") > 15)
    page.host:start_again()
    page:wait("(names => names.length < 15 && names.includes('host.started'))"
      .. "([...document.querySelectorAll('.tail-row b')].map(b => b.textContent))", "its few lines")
    submit(1)
    page:wait("document.querySelector('.tail-row:last-child').innerText.includes('public.image.submit')", "its newest line")
  end)
end)

studio.describe("Studio's page of the host, with the roles of a key", function()
  it("hides what needs another role, and says so", function()
    local page = studio.open { keys = { keys.entry("reader", { may = { "read" } }) } }
    page:open(page.base .. "healthz")
    page:log_in "reader"
    page:console() -- the browser asks for an icon of that page, too
    page:go "#/host?tab=log"
    assert.truthy(page:find("main .note"):text():find("needs the role “operate”", 1, true))
    page:go "#/host"
    page:wait(main_has "Ready, and nothing is wrong", "that it is ready")
    page:click("summary")
    page:wait(main_has "needs the role “operate”", "why there is no configuration")
    page:assert_clean()
    page:remove()
  end)
end)
