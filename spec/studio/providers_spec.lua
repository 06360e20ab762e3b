-- Studio's providers: what is said of each, what is missing and where it is written, scripts that break and are mended while the
-- page is open, and what is asked of a vendor, and when.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local live = require "spec.support.live"
local script_text = require "spec.support.script_text"
local socket = require "socket"
local studio = require "spec.support.studio"

local SCRIPT = "providers/image_fal.lua"
local LINK = "[...card.querySelectorAll('a')].find(a => a.innerText.includes('%s'))"
local KINDS = { GPU = 4, Image = 2, Video = 3 }

local function settings(config)
  config.live.providers.luma = nil
  config.directory = { enabled = true, providers = { fal = { enabled = true } } }
end

local function without_stability()
  local secrets = {}
  for id, fields in pairs(live.SECRETS) do secrets[id] = id ~= "stability" and fields or nil end
  return secrets
end

local function of_card(id, expression)
  return ("(card => card && (%s))(document.querySelector('[data-provider=%s]'))"):format(expression, id)
end

studio.describe("Studio's providers", function()
  local page
  setup(function() page = studio.open { live = { scripts = true, config = settings, secrets = without_stability() } } end)
  teardown(function() page:remove() end)
  before_each(function() page:go "#/providers" end)
  after_each(function() page:assert_clean() end)

  it("are shown once each, under the kind that is their own", function()
    page:wait("document.querySelectorAll('[data-provider]').length === 9", "nine providers")
    for kind, count in pairs(KINDS) do
      assert.equal(count, #page:finds(("section[aria-label=%s] [data-provider]"):format(kind)), kind)
    end
    local tags = of_card("fal", "[...card.querySelectorAll('.tag')].map(tag => tag.textContent).join()")
    assert.equal("Image,also video", page:execute("return " .. tags))
    page:picture("providers", { full = true })
  end)

  it("say flag, credential, budget, script and price, and no value of a secret", function()
    local text = page:wait(of_card("fal", "/of \\$1,000.00 left/.test(card.innerText) && card.innerText"), "the budget of fal")
    local parts = { "ready to send", "enable_public_image_providers on", "api_key from the secrets file", SCRIPT, "as of 20" }
    for _, part in ipairs(parts) do
      assert.truthy(text:find(part, 1, true), part .. " is not in: " .. text)
    end
    assert.is_nil(page:execute("return document.documentElement.outerHTML"):find("planted", 1, true))
    for _, name in ipairs { "Docs", "Dashboard" } do
      local link = page:execute("return " .. of_card("fal", LINK:format(name)))
      assert.truthy(link:attribute("href"):find "^https://")
      assert.equal("noreferrer noopener", link:attribute "rel")
    end
    assert.truthy(page:find("[data-provider=stability]"):text():find("api_key missing", 1, true))
  end)

  it("say in order what is missing, and what to paste; it goes as soon as the file has it", function()
    page:go "#/providers/luma"
    assert.equal("Luma", page:find("h1"):text())
    page:wait("document.querySelectorAll('.causes li').length === 2", "two causes")
    assert.equal("live.providers.luma", page:find(".causes code"):text())
    local pasted = exact.decode(page:find(".snippet pre"):text())
    assert.is_true(pasted.live.providers.luma.enabled)
    local config = page.live.settings
    config.live.providers.luma = pasted.live.providers.luma
    page.host:write("config/comfyvn.json", exact.encode(config))
    page:wait("!document.querySelector('.causes')", "nothing that is missing", 3)
    page:find_text(".status", "ready to send")
    page:go "#/providers/stability"
    assert.equal("config/comfyvn.secrets.json", page:find(".snippet h3 code"):text())
    assert.same({ stability = { api_key = "<your key>" } }, exact.decode(page:find(".snippet pre"):text()))
  end)

  it("turn red soon after a script being saved broken, with its line, and green when it is mended", function()
    page:wait(of_card("fal", "true"), "fal")
    local good = page.host:read(SCRIPT)
    page.host:write(SCRIPT, "return {\n  id = 'fal',\n  <b>nonsense</b>\n}\n")
    local begun = socket.gettime()
    page:wait(of_card("fal", "card.querySelector('.excerpt .is-here')"), "the line that is wrong", 3)
    local taken = socket.gettime() - begun
    assert.is_true(taken < 10, ("it took %.2f s"):format(taken))
    assert.equal(SCRIPT .. ":3", page:find("[data-provider=fal] .file-problem code"):text())
    assert.truthy(page:find("[data-provider=fal] .is-here"):text():find("<b>nonsense</b>", 1, true))
    assert.equal("script error", page:find("[data-provider=fal] .status"):text())
    page.host:write(SCRIPT, good)
    page:wait(of_card("fal", "!card.querySelector('.file-problem') && /ready/.test(card.innerText)"), "fal as it was", 3)
  end)

  it("name a script that never loaded", function()
    page.host:write("providers/image_new.lua", "return {\n  oops oops\n}\n")
    page:wait("/image_new\\.lua:2/.test(document.querySelector('main > section > .file-problem')?.innerText)", "its line", 3)
    page.host:delete "providers/image_new.lua"
    page:wait("!document.querySelector('.file-problem')", "no problem", 3)
  end)

  it("are shown as text, whatever their scripts call them, and lead to https only", function()
    page.host:write("providers/image_acme.lua", script_text.provider("acme", {
      fields = { name = "'<img src=x onerror=alert(1)>'", docs_url = "'http://plain.example/docs'" },
    }))
    page:wait(of_card("acme", "card.innerText.includes('<img src=x onerror=alert(1)>')"), "the tenth provider", 3)
    assert.equal(0, #page:finds "main img")
    assert.equal(0, #page:finds "a[href^='http:']")
    page.host:delete "providers/image_acme.lua"
    page:wait("!document.querySelector('[data-provider=acme]')", "nine again", 3)
  end)

  it("are checked without a request, and asked when the button is pressed", function()
    page:go "#/providers/runpod"
    local function asked()
      local count = 0
      for _, request in ipairs(page.live.simulator:get("/journal").json.requests) do
        count = count + (request.provider == "runpod" and 1 or 0)
      end
      return count
    end
    local before = asked()
    page:click("#check")
    page:wait("/nothing was sent/.test(document.querySelector('main').innerText)", "the check")
    assert.truthy(page:find("pre[aria-label='The request that would be sent']"):text():find("{api_key}", 1, true))
    assert.equal(before, asked())
    page:click("#ask")
    page:wait("/RunPod answers/.test(document.querySelector('main').innerText)", "the vendor's answer")
    assert.equal(before + 1, asked())
    page:picture("provider", { full = true })
  end)

  it("show the balance that a vendor tells", function()
    page:go "#/providers/runway"
    page:click("#ask")
    page:wait("/balance \\$[0-9.]+/.test(document.querySelector('main [role=status]').innerText)", "the balance")
    page:go "#/providers"
    page:wait(of_card("runway", "/answered .* ago, balance \\$[0-9.]+/.test(card.innerText)"), "when it was asked last")
  end)

  it("tell what is known of the vendor's own list, and have it read again", function()
    page:go "#/providers/fal"
    page:wait("/\\d+ models, read/.test(document.querySelector('main').innerText)", "the age of the list")
    page:click("#read-again")
    page:wait("/being read anew/.test(document.querySelector('.toasts').innerText)", "that it is read")
    page:go "#/providers/runway"
    page:wait("/Off: what the script itself/.test(document.querySelector('main').innerText)", "that it is off")
  end)

  it("are not asked while something is missing, or sending is stopped", function()
    page:go "#/providers/stability"
    assert.is_false(page:find("#ask"):is_enabled())
    page:go "#/providers/runpod"
    page:wait("!document.querySelector('#ask').disabled", "a vendor that can be asked")
    page.host:post "/api/live/stop"
    page:wait("document.querySelector('#ask').disabled", "that nothing is asked")
    page:find_text(".status", "stopped")
    page.host:post "/api/live/start"
  end)

  it("tell what became of the live jobs of the last 24 hours", function()
    page:wait(of_card("pika", "/Last 24 hours\\s+no live jobs/.test(card.innerText)"), "that there were none")
    for _ = 1, 2 do page.live:ended(page.live:job "pika") end
    page:wait(of_card("pika", "/Last 24 hours\\s+2 done, median \\d/.test(card.innerText)"), "that two are done")
  end)

  it("lead to Make, with a model, and back", function()
    page:go "#/providers/fal"
    local model = page:find_text("td a", "Flux schnell")
    assert.equal("#/make/image/fal?mode=flux&model=fal-ai%2Fflux%2Fschnell", model:property "hash")
    page:click_text("a.button", "All providers")
    page:wait("document.activeElement.matches('h1') && document.activeElement.innerText === 'Providers'", "the focus")
  end)

  it("say so when there is none of that name", function()
    page:go "#/providers/nobody"
    assert.truthy(page:find(".empty"):text():find("“nobody”", 1, true))
  end)
end)

studio.describe("Studio's providers, with the roles of a key", function()
  local page
  setup(function()
    local entries = { keys.entry("reader", { may = { "read" } }), keys.entry("tenant", { sees = "own" }) }
    page = studio.open { live = { scripts = true }, keys = entries }
  end)
  teardown(function() page:remove() end)

  local function log_in(name)
    page:open(page.base .. "healthz")
    page:log_in(name)
    page:console() -- the browser asks for an icon of that page, too
  end

  it("show no budget of everybody's to who sees its own jobs only", function()
    log_in "tenant"
    page:go "#/providers/fal"
    page:wait("/Live switch\\s+on/.test(document.querySelector('main').innerText)", "the live switch")
    assert.truthy(page:find("main"):text():find("not shown to a key that sees its own", 1, true))
    page:assert_clean()
  end)

  it("can be checked by who may read, and not asked", function()
    log_in "reader"
    page:go "#/providers/fal"
    page:click("#check")
    page:wait("/nothing was sent/.test(document.querySelector('main').innerText)", "the check")
    assert.equal(0, #page:finds "#ask")
    assert.truthy(page:find("main"):text():find("needs the role “live”", 1, true))
    page.host:write(SCRIPT, "return {\n  nonsense(\n")
    page:wait("document.querySelector('.file-problem')", "the broken script", 3)
    assert.equal(0, #page:finds ".excerpt")
    page:assert_clean()
  end)
end)
