-- Logging in where the host has API keys: once, by a cookie that no script reads; nothing of the key stays in the page.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local studio = require "spec.support.studio"

local UNAUTHORIZED = { "status of 401" }

studio.describe("the login", function()
  local page
  before_each(function()
    page = studio.open { keys = { "ci", "second" }, config = { features = { enable_public_image_video = true } } }
  end)
  after_each(function() page:remove() end)

  local function is_logged_in()
    page:wait("document.documentElement.dataset.connection === 'live' && !document.querySelector('#api-key')", "to be logged in")
  end

  local function log_in(name)
    page:find("#api-key"):type(keys.key(name) .. "{Enter}")
    is_logged_in()
  end

  -- What the page keeps anywhere that a script can read.
  local function kept()
    return page:execute [[
      const fields = [...document.querySelectorAll("input, textarea")].map(node => node.value);
      return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, fields,
        document.documentElement.outerHTML])]]
  end

  it("is asked for on any page, which stands once it is done", function()
    page:open(page.base .. "#/jobs?status=error")
    assert.equal("API key", page:find("#api-key"):label())
    assert.equal("password", page:find("#api-key"):attribute "type")
    page:picture "login"
    log_in "ci"
    assert.equal(page.base .. "#/jobs?status=error", page:url())
    page:settled()
    assert.is_nil(kept():find(keys.key "ci", 1, true))
    page:reload()
    page:settled()
    is_logged_in()
    page:assert_clean(UNAUTHORIZED)
  end)

  it("says beside the field that a key is wrong", function()
    page:open(page.base)
    page:find("#api-key"):type "no such key{Enter}"
    page:wait("document.querySelector('#api-key').getAttribute('aria-invalid') === 'true'", "the field to be wrong")
    local text = page:execute [[
      const field = document.querySelector("#api-key");
      return field.getAttribute("aria-describedby").split(" ").map(id => document.getElementById(id).innerText).join(" ").trim()]]
    assert.is_true(#text > 10, text)
    page:execute "document.querySelector('#api-key').select()"
    log_in "ci"
    page:assert_clean(UNAUTHORIZED)
  end)

  it("comes over the page when the key is taken out of the configuration; the page keeps its state", function()
    page:open(page.base)
    log_in "ci"
    page:go "#/make/image/fal"
    page:find("main textarea"):type "still here"
    page.host:write("config/comfyvn.json", exact.encode { features = { enable_public_image_video = true },
      server = { threads = 16, api_keys = exact.array { keys.entry "second" } } })
    page:find("#api-key", 60)
    log_in "second"
    assert.equal("still here", page:find("main textarea"):property "value")
    assert.equal(page.base .. "#/make/image/fal", page:url():match("^[^?]*"))
    page:assert_clean(UNAUTHORIZED)
  end)

  it("is ended by Log out, in this browser", function()
    page:open(page.base)
    log_in "ci"
    page:go "#/login"
    assert.is_truthy(page:find("main"):text():find("ci", 1, true))
    page:click_text("button", "Log out")
    page:find "#api-key"
    assert.same({}, page:all_cookies())
    page:reload()
    page:find "#api-key"
    page:assert_clean(UNAUTHORIZED)
  end)

  it("needs no key where the host has none", function()
    page:remove()
    page = studio.open {}
    page:go "#/login"
    assert.is_nil(page:finds("#api-key")[1])
    assert.is_truthy(page:find("main"):text():find("no API keys", 1, true))
    page:assert_clean()
  end)
end)
