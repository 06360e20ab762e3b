-- The driver that the specs of Studio stand on: it sees every complaint, reaches this machine only, and leaves nothing behind.
local shell = require "spec.support.shell"
local studio = require "spec.support.studio"
local webdriver = require "spec.support.webdriver"

local POLICY = [[<meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline'; style-src 'self'">]]

local function page(html)
  return "data:text/html,<!doctype html><meta name=viewport content=width=device-width><title>T</title>" .. html
end

local function has_severe(lines, text)
  for _, line in ipairs(lines) do
    if line.level == "SEVERE" and line.message:find(text, 1, true) then return true end
  end
  return false
end

local function is_running(text)
  return shell.output("cat /proc/[0-9]*/cmdline 2>/dev/null || true"):find(text, 1, true) ~= nil
end

studio.describe("the browser of the specs", function()
  local browser
  setup(function() browser = studio.browser() end)

  it("finds, types, presses and reads", function()
    browser:open(page "<h1>A title</h1><input aria-label=Prompt><p hidden>not seen</p>")
    assert.equal("T", browser:title())
    assert.equal("A title", browser:find("h1"):text())
    assert.equal("Prompt", browser:find("input"):label())
    browser:find("input"):type "ab"
    browser:press("Shift+C", "ArrowLeft", "Backspace")
    assert.equal("aC", browser:find("input"):property("value"))
    assert.is_false(browser:find("p"):is_displayed())
    assert.equal("INPUT", browser:focused():property("tagName"))
    assert.has_error(function() browser:find("table", 0.1) end)
  end)

  it("takes scripts with arguments, promises and errors", function()
    browser:open(page "<b>x</b>")
    assert.equal("3x", browser:execute("return arguments[0] + arguments[1].textContent", 3, browser:find "b"))
    assert.equal(7, browser:await "return await new Promise(done => setTimeout(() => done(7), 20))")
    assert.has_error(function() browser:execute "throw new Error('no')" end)
    assert.has_error(function() browser:wait("window.never", "what never comes", 0.1) end)
  end)

  it("sees exceptions, refusals by a policy, failed loads, and console.error", function()
    browser:open(page(POLICY .. [[<p>x<script>
      setTimeout(() => nothing.here); Promise.reject(new Error("lost")); console.error("said");
      document.body.setAttribute("style", "color: red"); new Image().src = "http://127.0.0.1:9/x.png"</script>]]))
    local lines = {}
    browser:wait("document.readyState === 'complete'")
    local function all_seen()
      for _, line in ipairs(browser:console()) do lines[#lines + 1] = line end
      for _, text in ipairs { "nothing is not defined", "lost", "said", "style", "x.png" } do
        if not has_severe(lines, text) then return false end
      end
      return true
    end
    for _ = 1, 100 do
      if all_seen() then return end
      browser:await "await new Promise(done => setTimeout(done, 20))"
    end
    error("not all was seen: " .. #lines .. " lines")
  end)

  it("looks as it is told", function()
    browser:open(page "<p>x</p>")
    local function looks()
      return browser:execute [[
        const asked = ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)", "(pointer: coarse)"];
        return [innerWidth, ...asked.map(query => matchMedia(query).matches)].join()]]
    end
    assert.equal("1280,false,false,false", looks())
    browser:dark(true)
    browser:reduced_motion(true)
    browser:phone()
    assert.equal("390,true,true,true", looks())
    browser = studio.browser()
    browser:open(page "<p>x</p>")
    assert.equal("1280,false,false,false", looks())
  end)

  it("reaches this machine only", function()
    for _, url in ipairs { "http://10.255.255.1/", "http://studio.example/" } do
      browser:open(page "<p>x</p>")
      browser:console()
      browser:await("await fetch(arguments[0], { mode: 'no-cors' }).catch(() => null)", url)
      assert.is_true(has_severe(browser:console(), "ERR_NAME_NOT_RESOLVED"), url)
    end
  end)

  it("ends with all its processes", function()
    local second = webdriver.start()
    local folder = second.driver.folder
    assert.is_true(is_running(folder))
    second:quit()
    for _ = 1, 100 do
      if not is_running(folder) then break end
      shell.run "sleep 0.1"
    end
    assert.is_false(is_running(folder))
    assert.is_nil(io.open(folder .. "/pid"))
  end)
end)
