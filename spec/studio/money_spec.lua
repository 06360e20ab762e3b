-- Money: the page's figures are the ledger's, to the millionth of a dollar.
local keys = require "spec.support.keys"
local many_jobs = require "spec.support.many_jobs"
local shell = require "spec.support.shell"
local socket = require "socket"
local studio = require "spec.support.studio"

local DAY_MS = 86400000
local FORMULA = [[=HYPERLINK("http://x","y"),<img src=x onerror=alert(1)>]] -- as a name of an API key
local KEYS = { keys.entry("boss"), keys.entry("own", { may = { "read" }, sees = "own" }) }
-- Amounts that floating point does not hold; 9 providers, so not each has a pattern of its own.
local PROVIDERS = {
  { "fal", "image", 249 }, { "stability", "image", 100003 }, { "runway", "video", 200007 }, { "luma", "video", 300011 },
  { "pika", "video", 700013 }, { "runpod", "gpu", 10 }, { "modal", "gpu", 20 }, { "replicate", "gpu", 30 },
  { "hf_inference_endpoints", "gpu", 1100017 },
}

local function now_ms()
  return math.floor(socket.gettime() * 1000)
end

local function day_of(ms)
  return os.date("!%Y-%m-%d", ms // 1000)
end

-- Jobs of five days, the newest of today: 45 that are settled, one whose outcome is unknown.
local function fill(host)
  local start = now_ms() // DAY_MS * DAY_MS
  many_jobs.fill(host, 46, function(i)
    if i == 46 then
      return {
        provider = "luma", kind = "video", status = "unknown", live = true, created_ms = start, caller = "own",
      }
    end
    local provider, days_ago = PROVIDERS[(i - 1) % 9 + 1], 5 - (i - 1) // 9
    return {
      provider = provider[1], kind = provider[2], live = true, spent = provider[3] * i, caller = i % 3 == 0 and FORMULA or nil,
      created_ms = start - days_ago * DAY_MS + i,
    }
  end)
end

-- Micro-dollars of a text of the page.
local function micro(text)
  local whole, part = text:gsub(",", ""):match("%$(%d+)%.?(%d*)")
  return tonumber(whole) * 1000000 + tonumber((part .. "000000"):sub(1, 6))
end

local function ledger(host, what, where)
  local answer = shell.sql(host, "SELECT " .. what .. " FROM ledger JOIN source ON source = source.number WHERE " .. where)
  return (answer:gsub("%s+$", ""))
end

-- The fields of a line of CSV. A doubled quote stands for one.
local function fields(line)
  local list, rest = {}, line:gsub('""', "\1") .. ","
  while rest ~= "" do
    local field, after = rest:match('^"([^"]*)",()')
    if not field then field, after = rest:match("^([^,]*),()") end
    list[#list + 1], rest = field:gsub("\1", '"'), rest:sub(after)
  end
  return list
end

local READ_FILE = [[
  const read = new Promise(done => {
    const make = URL.createObjectURL;
    URL.createObjectURL = blob => { done(blob.text()); URL.createObjectURL = make; return make.call(URL, blob); };
  });
  [...document.querySelectorAll("button")].find(one => one.textContent === "CSV").click();
  return await read]]

-- A page on a host with these jobs.
local function open(options)
  local page = studio.open(options)
  page.host:stop()
  fill(page.host)
  page.host:start_again()
  page.base = ("http://127.0.0.1:%d/"):format(page.host.port)
  return page
end

studio.describe("Money", function()
  local page, host
  setup(function()
    page = open { live = true }
    host = page.host
  end)
  teardown(function() page:remove() end)

  local function rows()
    return page:execute [[
      return [...document.querySelectorAll(".ledger tbody tr")].map(row => [...row.cells].map(cell => cell.innerText))]]
  end

  local function show_all()
    page:go "#/money?days=31"
    page:wait("document.querySelector('.ledger tbody tr')", "the table")
    page:execute [[document.querySelector(".ledger ~ .card-foot button")?.click()]]
  end

  local function choose(word)
    page:execute "scrollTo(0, 0)"
    page:click_text(".segments a", word)
  end

  it("has the ledger's lines, and sums that are sums", function()
    show_all()
    local sum = 0
    assert.equal(46, #rows())
    for _, row in ipairs(rows()) do
      local day, provider, jobs, spent = table.unpack(row)
      local where = ("date(day * 86400, 'unixepoch') = '%s' AND provider = '%s'"):format(day, provider)
      assert.equal(ledger(host, "count(*)", where), jobs)
      if provider == "luma" and day == day_of(now_ms()) then
        assert.matches("not known yet", spent)
        assert.matches("$0.006 reserved, 1 not settled", spent, 1, true)
      else
        assert.equal(tonumber(ledger(host, "sum(spent)", where)), micro(spent))
        sum = sum + micro(spent)
      end
    end
    local total = tonumber(ledger(host, "sum(spent)", "spent <> -1"))
    assert.equal(total, sum)
    assert.equal(total, micro(page:find(".ledger tfoot td:last-child"):text()))
    assert.equal(total, micro(page:find(".money-days .row b"):text()))
    page:assert_clean()
  end)

  it("says what the days are, and whose limits stand", function()
    local here = page:execute "const end = new Date(new Date().setUTCHours(24, 0, 0, 0)); return end.toTimeString().slice(0, 5)"
    assert.equal(("Days in UTC: each ends at %s here"):format(here), page:find(".money-days .row h2"):text())
    local limits = page:find(".limits"):text()
    assert.matches("This host", limits)
    assert.matches("$0 spent, $0.006 reserved", limits, 1, true)
    assert.matches("$999.994 left of $1,000.000", limits, 1, true)
  end)

  it("draws each day, with the rest in one, for mouse and keyboard", function()
    local bars = page:execute [[return [...document.querySelectorAll(".chart a")].map(bar => bar.getAttribute("aria-label"))]]
    assert.equal(5 * 7 + 1, #bars)
    local legend = page:execute [[return document.querySelector(".chart-legend").textContent]]
    assert.matches("^hf_inference_endpoints", legend)
    assert.matches("3 others%$", legend)
    assert.matches("reserved, not settled$0.006", legend, 1, true)
    assert.equal(1, #page:finds ".chart a[tabindex='0']")
    page:execute [[document.querySelector(".chart a[tabindex='0']").focus()]]
    page:press("ArrowLeft")
    local yesterday = day_of(now_ms() - DAY_MS)
    assert.matches("^" .. yesterday:gsub("-", "%%-") .. ", hf_inference_endpoints: ", page:focused():attribute "aria-label")
    page:press("ArrowUp")
    assert.matches(", pika: ", page:focused():attribute "aria-label")
    page:press("Enter")
    page:wait("location.hash.startsWith('#/jobs')", "the day's jobs")
    local address = ("#/jobs?since=%s&until=%s&provider=pika"):format(yesterday, day_of(now_ms()))
    assert.equal(address, page:execute "return location.hash")
    page:back()
  end)

  it("keeps the focus on a bar when the figures change", function()
    show_all()
    page:execute [[document.querySelector(".chart a[aria-label*='pika']").focus()]]
    local label = page:focused():attribute "aria-label"
    page.live:ended(page.live:job "fal")
    page:wait("document.querySelectorAll('.ledger tbody tr').length === 47", "the new job")
    page:wait("document.querySelectorAll('.ledger tbody .hint').length === 1", "what it cost")
    assert.equal(label, page:focused():attribute "aria-label")
  end)

  it("goes by API key, over other spans, by the address", function()
    choose "By key"
    page:wait("document.querySelector('.ledger th:nth-child(2)').textContent === 'API key'", "the keys")
    choose "7 days"
    page:wait("document.querySelector('.money-days .row').textContent.endsWith('spent in 7 days')", "seven days")
    assert.equal("#/money?days=7&by=key", page:execute "return location.hash")
    assert.equal(0, #page:finds "main img")
    assert.is_true(page:execute("return document.querySelector('.ledger').innerText.includes(arguments[0])", FORMULA))
    page:assert_clean()
  end)

  it("gives the rows as CSV in which nothing is computed", function()
    show_all()
    local text = page:await(READ_FILE)
    local lines, sum, formulas = {}, 0, 0
    for line in text:gmatch("([^\r\n]+)\r\n") do lines[#lines + 1] = fields(line) end
    assert.same({ "day", "provider", "api_key", "kind", "jobs", "open", "reserved_usd", "spent_usd", "door" }, lines[1])
    for i = 2, #lines do
      sum = sum + micro("$" .. lines[i][8])
      if lines[i][3] == "'" .. FORMULA then formulas = formulas + 1 end
      for _, field in ipairs(lines[i]) do assert.not_matches("^[=+@-]", field) end
    end
    assert.equal(15, formulas)
    assert.equal(tonumber(ledger(host, "sum(spent)", "spent <> -1")), sum)
    page:assert_clean()
  end)

  it("tells which jobs cost much less than was reserved, when asked", function()
    page:click("details summary")
    page:wait("document.querySelector('details tbody tr')", "the jobs")
    assert.matches("a lighthouse at night, number 1", page:find("details tbody"):text())
    page:assert_clean()
  end)

  it("keeps its figures when the host does not answer, and goes on by a click", function()
    show_all()
    page:execute [[
      window.answer = window.fetch;
      window.fetch = (path, ...rest) => path.startsWith("api/budget")
        ? Promise.resolve(Response.json({ status: 503, detail: "the registry is busy", request_id: "r1" }, { status: 503 }))
        : window.answer(path, ...rest);]]
    choose "90 days"
    page:wait("document.querySelector('main [role=alert]')", "the problem")
    assert.matches("the registry is busy", page:find("main [role=alert]"):text())
    assert.is_true(#rows() > 0)
    page:execute "window.fetch = window.answer"
    page:click("main [role=alert] button")
    page:wait("!document.querySelector('main [role=alert]')", "an end of the problem")
    page:wait("document.querySelector('.money-days .row').textContent.endsWith('spent in 90 days')", "the figures")
    page:assert_clean()
  end)

  it("fits a phone", function()
    show_all()
    page:look "narrow"
    assert.equal(320, page:execute "return document.documentElement.scrollWidth")
    assert.same({}, page:execute [[
      return [...document.querySelectorAll(".card.is-flush")].filter(card => card.scrollWidth > card.clientWidth)
        .map(card => card.innerText)]])
    page:look "light"
  end)
end)

studio.describe("Money of an API key that sees its own jobs", function()
  it("is its own only, and says so", function()
    local page = open { live = true, keys = KEYS }
    page:open(page.base .. "healthz")
    page:log_in "own"
    page:open(page.base .. "#/money")
    page:settled "#/money"
    page:wait("document.querySelector('.ledger tbody tr')", "the table")
    assert.equal(1, #page:finds ".ledger tbody tr")
    assert.matches("not known yet", page:find(".ledger tbody tr"):text())
    assert.matches("sees its own jobs and limits only", page:find("main"):text())
    assert.not_matches("This host", page:find(".limits"):text())
    assert.matches("no limit of its own", page:find(".limits"):text())
    page:assert_clean { "favicon.ico" }
    page:remove()
  end)
end)
