-- Studio's webhooks: registered, tested, parked, sent again, changed and removed; and who may see them.
local hooks = require "spec.support.hooks"
local keys = require "spec.support.keys"
local studio = require "spec.support.studio"

local function main_has(text)
  return ("document.querySelector('main').innerText.includes(%q)"):format(text)
end

studio.describe("Studio's webhooks", function()
  local page, receiver, secret
  setup(function()
    receiver = hooks.start_receiver()
    page = studio.open { config = { hooks = { enabled = true, allow_loopback = true } } }
  end)
  teardown(function()
    page:remove()
    hooks.stop_receiver(receiver)
  end)
  after_each(function() page:assert_clean { "status of 400" } end)

  local function control(answer) receiver:post("/control", answer) end

  local function came(count)
    return hooks.await(receiver, count)
  end

  local function keep_secret()
    secret = page:find("#secret"):text()
    page:click_text("dialog button", "I have kept it")
    page:wait("!document.querySelector('dialog')", "the dialog to close")
    return secret
  end

  it("are none at first, and that is said", function()
    page:go "#/hooks"
    assert.truthy(page:find(".empty"):text():find("No webhook is registered", 1, true))
  end)

  it("are registered by a form that says what is wrong beside the field", function()
    page:click("#register")
    assert.equal("Address", page:focused():label())
    page:focused():type "http://10.0.0.1/hook{Enter}"
    page:wait("document.querySelector('#hook-url[aria-invalid]')", "what is wrong with the address")
    assert.truthy(page:find("#hook-url-hint"):text():find("^Address %l"))
    page:press("Control+a", "Backspace")
    page:find("#hook-url"):type(hooks.url_of(receiver))
    page:find("#hook-events"):type "public.image.*,host.*{Enter}"
    page:find "#secret"
    page:press "Escape"
    assert.truthy(page:find("#secret"):text():find "^whsec_")
    keep_secret()
    page:wait("document.querySelector('[data-hook]')", "the webhook")
    assert.is_nil(page:execute("return document.documentElement.outerHTML"):find(secret, 1, true))
    local text = page:find("[data-hook]"):text()
    for _, part in ipairs { hooks.url_of(receiver), "public.image.*,host.*", "nothing sent yet" } do
      assert.truthy(text:find(part, 1, true), text)
    end
  end)

  it("are tested, and what was tried is listed", function()
    page:click("[data-hook] a")
    page:click("#test")
    assert.equal("host.hook.test", hooks.verify(came(1)[1], secret).type)
    page:wait(main_has "host.hook.test", "the attempt")
    page:find_text(".status", "delivers")
    page:picture "webhook"
  end)

  it("keep what a receiver refuses for good, and send it again when they are told to", function()
    control { status = 410 }
    hooks.submit(page.host, "first")
    hooks.submit(page.host, "second")
    page:find_text(".status", "2 parked")
    page:wait("document.querySelectorAll('section[aria-label=Parked] tbody tr').length === 2", "two parked deliveries")
    local before = #hooks.received(receiver)
    control { status = 200 }
    page:click("section[aria-label=Parked] tbody button")
    page:find_text(".status", "1 parked")
    came(before + 1)
    page:click("#replay")
    page:find_text(".status", "delivers")
    came(before + 2)
    assert.is_false(page:find("section[aria-label=Parked]"):is_displayed())
  end)

  it("tell of a receiver that fails when it is tried next", function()
    control { status = 500 }
    hooks.submit(page.host)
    page:find_text(".status", "trying again")
    assert.truthy(page:wait("/Next try\\s+in \\d/.test(document.querySelector('main').innerText)", "the next try"))
    control { status = 200 }
  end)

  it("change their secret, after asking", function()
    local before, old = #hooks.received(receiver), secret
    page:click("#rotate")
    page:click_text("dialog button", "Not now")
    page:click("#rotate")
    page:click_text("dialog button", "Change it")
    page:wait("document.querySelector('#secret')", "the new secret")
    assert.not_equal(old, keep_secret())
    page:click("#test")
    local all = came(before + 1)
    hooks.verify(all[#all], secret)
    hooks.verify(all[#all], old)
  end)

  it("show the callbacks of jobs as well", function()
    control { status = 410 }
    page.host:post("/api/providers/image/fal/submit", { prompt = "x", callback_url = hooks.url_of(receiver, "/hook/callback") })
    page:go "#/hooks"
    page:wait("/1 parked/.test(document.querySelector('[data-hook=callbacks]')?.innerText)", "the callback that was parked")
    control { status = 200 }
    page:click("[data-hook=callbacks] a")
    assert.equal(0, #page:finds "#remove")
    page:click("#replay")
    page:find_text(".status", "delivers")
  end)

  it("are removed, after asking", function()
    page:go "#/hooks"
    page:click("[data-hook^=hook_] a")
    page:click("#remove")
    assert.equal("Not now", page:focused():text())
    page:click_text("dialog button", "Remove")
    page:wait("location.hash === '#/hooks'", "the list")
    page:wait("!document.querySelector('[data-hook^=hook_]')", "no webhook")
  end)

  it("say so when there is none of that name", function()
    page:go "#/hooks/hook_0000000000000000"
    assert.truthy(page:find(".empty"):text():find("There is no webhook", 1, true))
  end)
end)

studio.describe("Studio's webhooks, switched off", function()
  it("say which key opens them, and offer none", function()
    local page = studio.open()
    page:go "#/hooks"
    local text = page:find("main .note"):text()
    assert.truthy(text:find("hooks.enabled in config/comfyvn.json", 1, true), text)
    assert.equal(0, #page:finds "#register")
    page.host:write("config/comfyvn.json", [[{ "hooks": { "enabled": true } }]])
    page:find("#register", 5)
    page:assert_clean()
    page:remove()
  end)
end)

studio.describe("Studio's webhooks, with the roles of a key", function()
  it("are for who may operate and sees all", function()
    local page = studio.open { keys = { keys.entry("reader", { may = { "read" } }), keys.entry("tenant", { sees = "own" }) } }
    for name, why in pairs { reader = "needs the role “operate”", tenant = "sees its own jobs only" } do
      page:open(page.base .. "healthz")
      page:log_in(name)
      page:console() -- the browser asks for an icon of that page, too
      page:go "#/hooks"
      assert.truthy(page:find("main .note"):text():find(why, 1, true))
    end
    page:assert_clean()
    page:remove()
  end)
end)
