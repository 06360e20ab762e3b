-- The gallery: what live jobs made, in a grid and one by one, and nothing of it ever a part of the page.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local shell = require "spec.support.shell"
local studio = require "spec.support.studio"
local Odd = require "spec.support.odd_outputs"

local SEED = "18446744073709551615"
local FAST = { hurry = 40, simulate = { "--job-time", "60" } }
local DRAWING = [[<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><script>parent.hacked = 1</script></svg>]]
local ATTACK = [[<img src=x onerror="window.hacked = 1">]]

local function base64(text)
  return shell.output("printf %s " .. shell.quote(text) .. " | base64 -w0"):gsub("%s", "")
end

-- The address of the one output of a job.
local function address(job_id, n)
  return ("#/gallery/%s/%d"):format(job_id, n or 0)
end

local function hash(page)
  return page:execute "return location.hash"
end

local function wait_for(page, expression, what)
  return page:wait(expression, what, 15)
end

-- Those out of sight too: innerText has nothing of them.
local function tiles(page)
  return page:execute [[return [...document.querySelectorAll(".gallery-tile a")].map(tile => tile.textContent)]]
end

local function facts(page)
  wait_for(page, "document.querySelector('.viewer .facts')", "the provenance")
  return page:execute [[
    const list = {};
    for (const name of document.querySelectorAll(".viewer .facts dt"))
      list[name.textContent] = name.nextElementSibling.firstChild.textContent;
    return list]]
end

studio.describe("The gallery", function()
  local page, picture, video, sound
  setup(function()
    page = studio.open { live = FAST }
    local function made(id, changes)
      local job = page.live:job(id, changes)
      page.live:ended(job)
      return job
    end
    sound = made("fal", { prompt = "rain on a tin roof", model = "fal-ai/stable-audio", max_cost_usd = 0.2, parameters = {} })
    for i = 1, 16 do made("fal", { prompt = ("number take%d-"):format(i), parameters = { samples = 4 } }) end
    video = made("runway", { prompt = "a slow pan" })
    picture = made("fal", { prompt = "a lighthouse & a <b>boat</b>" })
  end)
  teardown(function() page:remove() end)

  local function open(route)
    page:go(route or "#/gallery")
    page:execute "scrollTo(0, 0)"
    wait_for(page, "document.querySelector('.gallery[aria-busy=false]')", "what its filters ask for")
    wait_for(page, "document.querySelector('.gallery-tile, .empty, .viewer')", "the gallery")
  end

  it("shows the newest first, under their days, and fetches no video for a tile", function()
    open()
    local all = tiles(page)
    assert.equal(60, #all)
    assert.matches("^Picture of fal: a lighthouse & a <b>boat</b>$", all[1])
    assert.matches("^Video of runway:", all[2])
    assert.matches("^Today, " .. os.date("%Y-%m-%d"):gsub("-", "%%-") .. "$", page:find(".gallery h2"):text())
    local first = page:execute [[
      const image = document.querySelector(".gallery-tile img"), box = image.getBoundingClientRect();
      return [image.loading, image.decoding, Math.round(box.width / box.height * 100)].join(" ")]]
    assert.equal("lazy async 100", first)
    local requests = page:execute "return performance.getEntriesByType('resource').map(one => one.name).join()"
    assert.is_nil(requests:find(video, 1, true))
    assert.equal(0, #page:finds "main video, main audio, iframe, object, embed")
    page:assert_clean()
  end)

  it("goes on with older ones", function()
    open()
    page:click_text("main .button", "Older")
    wait_for(page, "document.querySelectorAll('.gallery-tile').length === 67", "the older ones")
    assert.matches("^output.wavaudio/wav, 16 kBSound of fal: rain on a tin roof$", tiles(page)[67])
    assert.equal(0, #page:finds ".page > .stack > .row .button")
  end)

  it("keeps its filters in the address", function()
    open()
    page:click_text(".chip", "Videos")
    wait_for(page, "document.querySelectorAll('.gallery-tile').length === 1", "the video alone")
    assert.equal("#/gallery?type=video", hash(page))
    page:back()
    wait_for(page, "document.querySelectorAll('.gallery-tile').length === 60", "all of them")
    page:find("input[type=search]"):type "number take7-"
    wait_for(page, "document.querySelectorAll('.gallery-tile').length === 4", "the four of a job")
    assert.equal("#/gallery?q=number+take7-", hash(page))
    page:click("select[aria-label=Provider]")
    wait_for(page, "document.querySelector('option[value=luma]')", "all providers")
    page:execute [[const list = document.querySelector("select"); list.value = "luma"; list.dispatchEvent(new Event("change"))]]
    wait_for(page, "document.querySelector('.empty')", "nothing")
    assert.matches("No output passes these filters", page:find(".empty"):text())
    page:click_text(".empty a", "Show all")
    wait_for(page, "document.querySelectorAll('.gallery-tile').length === 60", "all of them")
    open("#/gallery?since=2100-01-01")
    wait_for(page, "document.querySelector('.empty')", "nothing")
    assert.equal("2100-01-01", page:find("input[type=date]"):property "value")
    page:assert_clean()
  end)

  it("is walked by arrows, opens by Enter, and comes back to where it was", function()
    open()
    page:press "j"
    assert.matches("a lighthouse", page:focused():text())
    page:press("ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight")
    assert.matches("a slow pan", page:focused():text())
    assert.equal(1, #page:finds ".gallery a[tabindex='0']")
    page:press "Enter"
    wait_for(page, "document.querySelector('.viewer video')", "the video")
    assert.equal(address(video), hash(page))
    assert.equal("H1", page:focused():property "tagName")
    page:press "ArrowLeft"
    wait_for(page, "document.querySelector('.viewer img')", "the picture")
    assert.equal(address(picture), hash(page))
    page:press "Escape"
    wait_for(page, "!document.querySelector('.viewer')", "the grid")
    assert.matches("a lighthouse", page:focused():text())
    page:assert_clean()
  end)

  it("tells of a picture where it comes from, to the last digit", function()
    open(address(picture))
    local known, job = facts(page), page.live:status(picture)
    local artifact = job.artifacts[1]
    assert.equal("a lighthouse & a <b>boat</b>", known.Prompt)
    assert.equal("fal-ai/flux/schnell", known.Model)
    assert.equal(("%d"):format(artifact.seed), known.Seed)
    assert.equal(job.vendor_id, known["Vendor id"])
    assert.equal(artifact.sha256, known["SHA-256"])
    assert.equal(artifact.source_host, known["Fetched from"])
    assert.matches("^1024 × 1024, ", known.Size)
    assert.matches("^%$0%.00%d+, computed from the prices of then$", known.Cost)
    local function attribute(word, name) return page:find_text(".viewer a", word):attribute(name) end
    assert.equal(("#/make/image/fal?from=%s"):format(picture), attribute("Use again", "href"))
    assert.equal(("#/make/image/fal?from=%s&seed=new"):format(picture), attribute("With a new seed", "href"))
    assert.equal("#/jobs/" .. picture, attribute("Open job", "href"))
    assert.equal(artifact.filename, attribute("Download", "download"))
    assert.equal("Copy seed", page:find(".viewer .facts dt:nth-of-type(4) + dd button"):label())
    page:press "i"
    assert.is_false(page:find(".viewer aside"):is_displayed())
    page:press "i"
    assert.is_true(page:find(".viewer aside"):is_displayed())
    page:click_text(".viewer a", "Use again")
    wait_for(page, "!document.querySelector('.viewer')", "Make")
    page:assert_clean()
  end)

  it("looks into a picture: fitted, as it is, by wheel, drag and keys", function()
    open(address(picture))
    local function zoom() return page:find(".stage-told"):text() end
    wait_for(page, "document.querySelector('.stage-told').textContent", "the picture")
    local fitted = zoom()
    page:click_text(".stage-tools button", "100 %")
    assert.equal("100 %", zoom())
    local function place() return page:execute "return document.querySelector('.stage-view img').style.transform" end
    local before = place()
    page:press "Shift+ArrowRight"
    assert.not_equal(before, place())
    page:press "0"
    assert.equal(fitted, zoom())
    page:execute [[
      document.querySelector(".stage-view").dispatchEvent(new WheelEvent("wheel", { deltaY: -100, cancelable: true }))]]
    assert.not_equal(fitted, zoom())
    page:press "1"
    assert.equal("100 %", zoom())
  end)

  it("plays one video, steps it by frames, and lets go of it", function()
    open(address(video))
    wait_for(page, "document.querySelector('video')?.readyState >= 1", "the video's length")
    assert.is_true(page:find("video"):property "loop")
    page:press("."); page:press(".")
    local at = wait_for(page, "document.querySelector('video').currentTime", "a later frame")
    page:press ","
    wait_for(page, "document.querySelector('video').currentTime < " .. at, "the frame before")
    page:execute "window.left = document.querySelector('video')"
    page:press "ArrowRight"
    wait_for(page, "document.querySelector('.viewer img')", "the next output")
    assert.is_false(page:execute "return window.left.hasAttribute('src')")
    page:assert_clean { "net::ERR_ABORTED" }
  end)

  it("lets a video go that is scrolled out of sight", function()
    page:viewport(390, 480)
    open(address(video))
    wait_for(page, "document.querySelector('video')?.hasAttribute('src')", "the video")
    facts(page)
    page:execute "scrollTo(0, 5000)"
    wait_for(page, "!document.querySelector('video').hasAttribute('src')", "an end of its connection")
    page:execute "scrollTo(0, 0)"
    wait_for(page, "document.querySelector('video').hasAttribute('src')", "the video again")
    page:look "phone"
    assert.equal(390, page:execute "return document.documentElement.scrollWidth")
    open()
    assert.equal(390, page:execute "return document.documentElement.scrollWidth")
    page:look "light"
  end)

  it("opens one far back by its address, with those beside it", function()
    page:open "about:blank"
    open(address(sound))
    wait_for(page, "document.querySelector('.viewer audio')", "the sound")
    assert.equal("rain on a tin roof", facts(page).Prompt)
    page:press "Escape"
    wait_for(page, "!document.querySelector('.viewer')", "the grid")
    page:click_text("button", "Show the newest outputs")
    wait_for(page, "document.querySelectorAll('.gallery-tile').length === 60", "the newest")
    page:assert_clean()
  end)

  it("lets new ones in at its top, and holds them back further down", function()
    page:open "about:blank"
    open()
    page.live:job("fal", { prompt = "one more" })
    wait_for(page, "document.querySelector('.gallery-tile').innerText.includes('one more')", "the new one")
    page:execute "scrollTo(0, 900)"
    page.live:job("fal", { prompt = "yet another" })
    wait_for(page, "document.querySelector('.newer')", "the button")
    assert.equal("Show 1 new output", page:find(".newer"):text())
    assert.is_nil(table.concat(tiles(page), "\n"):find("yet another", 1, true))
    page:click(".newer")
    wait_for(page, "document.querySelector('.gallery-tile').innerText.includes('yet another')", "the other")
    page:assert_clean()
  end)

  it("says what it does not have", function()
    page:open "about:blank"
    open(address("01a22a89-4115-7000-bc2b-96be3e7be221"))
    wait_for(page, "document.querySelector('.viewer [role=alert]')", "the problem")
    open(address(picture, 7))
    wait_for(page, "document.querySelector('.viewer .note')", "the note")
    assert.matches("This job has no output 7: it is done", page:find(".viewer .note"):text())
    page:assert_clean { "status of 404" }
    page:execute [[
      window.answer = window.fetch;
      window.fetch = (path, ...rest) => path.startsWith("api/artifacts")
        ? Promise.resolve(Response.json({ status: 503, detail: "the registry is busy", request_id: "r1" }, { status: 503 }))
        : window.answer(path, ...rest);]]
    open "#/gallery?type=image"
    wait_for(page, "document.querySelector('main [role=alert]')", "the problem")
    page:execute "window.fetch = window.answer"
    page:click_text("main [role=alert] button", "Try again")
    wait_for(page, "document.querySelector('.gallery-tile') && !document.querySelector('main [role=alert]')", "the pictures")
    page:assert_clean()
  end)
end)

studio.describe("What strangers made", function()
  local odd, page, job
  setup(function()
    odd = Odd.start()
    local body = { dry_run = false, prompt = ATTACK, parameters = { seed = exact.wide(SEED) }, outputs = {
      { text = "<script>window.hacked = 1</script>" .. ATTACK },
      { data_uri = "data:text/html;base64," .. base64("<script>window.hacked = 1</script>"), filename = ATTACK .. ".html" },
      { data_uri = "data:image/svg+xml;base64," .. base64(DRAWING) },
      Odd.file "gone", { json = { said = "x" } }, { text = ("word "):rep(20000) }, Odd.file "empty",
      { data_uri = "data:application/pdf;base64,JVBERi0=" },
    } }
    local answer = odd.host:post("/api/providers/image/odd/submit", body)
    assert(answer.status == 202, answer.body)
    job = odd:ended(answer.json.job_id).job_id
    page = studio.at(("http://127.0.0.1:%d/"):format(odd.host.port), odd.host)
  end)
  teardown(function()
    page:open "about:blank"
    odd:remove()
  end)

  local function open(n)
    page:go(address(job, n))
    wait_for(page, "document.querySelector('.stage-view')", "output " .. n)
    facts(page)
    return page:find ".stage-view"
  end

  it("is text, files and pictures that run nothing", function()
    page:go "#/gallery"
    wait_for(page, "document.querySelectorAll('.gallery-tile').length >= 7", "the tiles")
    for _, tile in ipairs(tiles(page)) do assert.matches(ATTACK, tile, 1, true) end
    open(0)
    wait_for(page, "document.querySelector('.stage-view pre').textContent.startsWith('<script>')", "the text")
    assert.equal(SEED, facts(page).Seed)
    open(1)
    wait_for(page, "document.querySelector('.stage-view pre').textContent.startsWith('<script>window')", "the page's text")
    open(2)
    wait_for(page, "document.querySelector('.stage-view img').naturalWidth === 40", "the drawing")
    open(4)
    wait_for(page, "document.querySelector('.stage-view pre').textContent.startsWith('{')", "the JSON")
    assert.is_nil(page:execute "return window.hacked")
    assert.equal(0, #page:finds "iframe, object, embed")
    page:assert_clean()
  end)

  it("is cut where it is long, and told of where it cannot be shown", function()
    open(5)
    wait_for(page, "document.querySelector('.stage-view pre').textContent.endsWith('65.5 kB of 100 kB]')", "a beginning")
    assert.matches("Not kept", open(3):text())
    assert.matches("application/pdf is not shown here", open(7):text())
    page:assert_clean()
  end)

  it("stays in the grid as a tile that says why it is lost", function()
    page:go "#/gallery"
    assert.matches("^Not kept", tiles(page)[4])
    shell.run("rm -rf " .. shell.quote(odd.host.home .. "/data/artifacts") .. "/*")
    page:open "about:blank"
    page:go "#/gallery"
    wait_for(page, "document.querySelectorAll('.gallery-tile .is-lost').length >= 7", "all of them lost")
    assert.matches("no longer in the artifacts folder", tiles(page)[1])
    page:assert_clean()
  end)
end)

studio.describe("The gallery of a key that may only read", function()
  it("offers no other use", function()
    local page = studio.open { live = FAST, keys = { keys.entry("reader", { may = { "read" } }), keys.entry("maker") } }
    local answer = page.live:submit("fal", {}, keys.headers "maker")
    page:open(page.base .. "healthz")
    page:log_in "reader"
    page:open(page.base .. "#/gallery")
    wait_for(page, "document.querySelector('.gallery-tile')", "the output")
    page:click(".gallery-tile a")
    assert.equal("a lighthouse", facts(page).Prompt)
    local offered = page:execute [[
      return [...document.querySelectorAll(".viewer aside a.button")].map(one => one.textContent).join()]]
    assert.equal("Download,Open job", offered)
    assert.equal(address(answer.json.job_id), hash(page))
    page:assert_clean { "favicon.ico" }
    page:remove()
  end)
end)
