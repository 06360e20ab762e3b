-- A browser for specs: headless Chromium by WebDriver (https://www.w3.org/TR/webdriver2/), with what Chromium's own protocol
-- adds. It reaches this machine only.
--
--   local browser = require("spec.support.webdriver").start { width = 1280, height = 800, names = { "studio.test" } }
--   browser:open("http://127.0.0.1:8001/#/jobs")
--   browser:click("#stop"); browser:click_text("button", "Run live")
--   browser:find("h1"):text()                             -- find: waits a little, then an error; finds: a list, at once
--   browser:execute("return document.title")              -- the body of a function; arguments[0]... are what follows
--   browser:await("return (await fetch(arguments[0])).status", "/healthz")          -- the body of an async function
--   browser:wait("document.querySelector('.row')", "a row")                         -- until the expression is true
--   browser:press("g", "j"); browser:press("Control+Enter"); browser:find("input"):type("a lighthouse")
--   browser:dark(true); browser:phone(); browser:reduced_motion(true); browser:offline(true)
--   browser:console()                                      -- what the page was refused or complained of since the last call
--   browser:quit()
local base64 = require("mime").unb64
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local process = require "spec.support.browser_process"
local shell = require "spec.support.shell"
local socket = require "socket"

local webdriver = { missing = process.missing }

local WAIT_SECONDS, FIND_SECONDS = 90, 60
local ELEMENT = "element-6066-11e4-a52e-4f735466cecf" -- the member of JSON that stands for an element, by the standard
local PHONE = { width = 390, height = 844, scale = 2 }

local ARGUMENTS = {
  "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check", "--no-pings",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--mute-audio",
  "--disable-breakpad", "--disable-extensions", "--no-proxy-server", "--hide-scrollbars", "--force-color-profile=srgb",
  "--autoplay-policy=no-user-gesture-required", "--lang=en-US", "--disable-features=Translate,OptimizationHints,MediaRouter",
}

local KEYS = {
  Backspace = 0xE003, Tab = 0xE004, Enter = 0xE007, Shift = 0xE008, Control = 0xE009, Alt = 0xE00A, Escape = 0xE00C,
  Space = 0x20, PageUp = 0xE00E, PageDown = 0xE00F, End = 0xE010, Home = 0xE011, ArrowLeft = 0xE012, ArrowUp = 0xE013,
  ArrowRight = 0xE014, ArrowDown = 0xE015, Delete = 0xE017, Meta = 0xE03D,
}

local Browser, Element = {}, {}
Browser.__index, Element.__index = Browser, Element

-- The protocol ------------------------------------------------------------------------------------------------------------

local function call(driver, method, path, body)
  local answer = http.request(driver.port, method, path, body and exact.encode(body))
  local value = exact.decode(answer.body).value
  if answer.status == 200 then return value end
  error(("WebDriver: %s: %s"):format(value.error, value.message:match("^[^\n]*")), 0)
end

function Browser:call(method, path, body)
  return call(self.driver, method, "/session/" .. self.session .. path, body)
end

-- What a page gave, as Lua: null is nil, an element is an Element.
local function from_page(self, value)
  if value == exact.null then return nil end
  if type(value) ~= "table" or getmetatable(value) == getmetatable(exact.wide "0") then return value end
  if value[ELEMENT] then return setmetatable({ browser = self, id = value[ELEMENT] }, Element) end
  local copy = {}
  for name, item in pairs(value) do copy[name] = from_page(self, item) end
  return copy
end

local function to_page(value)
  if value == nil then return exact.null end
  if getmetatable(value) == Element then return { [ELEMENT] = value.id } end
  return value
end

local function to_page_list(...)
  local list = exact.array()
  for i = 1, select("#", ...) do list[i] = to_page((select(i, ...))) end
  return list
end

local function is_root()
  return shell.output("id -u"):match("%d+") == "0"
end

local function arguments_of(driver, options)
  local list = exact.array { table.unpack(ARGUMENTS) }
  local function add(...) list[#list + 1] = string.format(...) end
  if is_root() then add "--no-sandbox" end -- with it Chromium does not start as root
  add("--user-data-dir=%s/profile", driver.folder)
  add("--window-size=%d,%d", options.width or 1280, options.height or 800)
  local rules = {}
  for _, name in ipairs(options.names or {}) do rules[#rules + 1] = ("MAP %s 127.0.0.1, "):format(name) end
  add("--host-resolver-rules=%sMAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost", table.concat(rules))
  for _, argument in ipairs(options.arguments or {}) do add("%s", argument) end
  return list
end

local function begin(options)
  local driver = process.start()
  local self = setmetatable({ driver = driver }, Browser)
  local ok, problem = pcall(function()
    local made = call(driver, "POST", "/session", { capabilities = { alwaysMatch = {
      browserName = "chrome", unhandledPromptBehavior = "ignore", ["goog:loggingPrefs"] = { browser = "ALL" },
      ["goog:chromeOptions"] = { binary = driver.browser, args = arguments_of(driver, options) },
    } } })
    self.session = made.sessionId
    self:viewport(options.width or 1280, options.height or 800)
  end)
  if ok then return self end
  process.stop(driver)
  return nil, problem
end

--- Starts a browser: { width, height, names = hosts that stand for 127.0.0.1, arguments = further ones of Chromium }. On a busy
--- machine the first may not come up in the time that its driver gives it: there is a second try.
function webdriver.start(options)
  local self, problem = begin(options or {})
  if not self then self, problem = begin(options or {}) end
  return self or error(problem, 0)
end

function Browser:quit()
  if self.gone then return end
  self.gone = true
  process.stop(self.driver)
end

-- Pages -------------------------------------------------------------------------------------------------------------------

function Browser:open(url)
  self:call("POST", "/url", { url = url })
end

function Browser:url()
  return self:call("GET", "/url")
end

function Browser:title()
  return self:call("GET", "/title")
end

function Browser:reload()
  self:call("POST", "/refresh", {})
end

function Browser:back()
  self:call("POST", "/back", {})
end

--- Runs the body of a function in the page and returns what it returns; a promise is waited for.
function Browser:execute(script, ...)
  return from_page(self, self:call("POST", "/execute/sync", { script = script, args = to_page_list(...) }))
end

--- Runs the body of an async function.
function Browser:await(script, ...)
  return self:execute("return (async function () {" .. script .. "\n}).apply(null, arguments)", ...)
end

local function describe_page(self)
  local ok, text = pcall(self.execute, self, [[
    const words = [...document.querySelectorAll("h1, [role=alert], dialog[open]")].map(node => node.innerText.trim());
    return `${location.href}, "${document.title}": ${words.join(" | ").slice(0, 400)}`;]])
  return ok and text or "a page that does not answer"
end

--- Waits until a JavaScript expression is true, and returns its value. An exception in it means: not yet. `seconds`: where it may
--- take longer than usual; it is no bound.
function Browser:wait(expression, what, seconds)
  seconds = math.max(seconds or 0, WAIT_SECONDS)
  local deadline, problem = socket.gettime() + seconds
  repeat
    local ok, value = pcall(self.execute, self, "return (" .. expression .. ")")
    if ok and value and value ~= "" and value ~= 0 then return value end
    problem = not ok and tostring(value) or nil
    socket.sleep(0.02)
  until socket.gettime() > deadline
  local text = ("waited %d s in vain for %s\nthe page: %s"):format(seconds // 1, what or expression, describe_page(self))
  for _, line in ipairs(self:console()) do text = text .. "\nconsole: " .. line.message end
  error(text .. (problem and "\n" .. problem or ""), 2)
end

-- Elements ----------------------------------------------------------------------------------------------------------------

--- All elements that a CSS selector finds now.
function Browser:finds(css)
  return from_page(self, self:call("POST", "/elements", { using = "css selector", value = css }))
end

--- The first one, waited for.
function Browser:find(css, seconds)
  local deadline = socket.gettime() + math.max(seconds or 0, FIND_SECONDS)
  repeat
    local element = self:finds(css)[1]
    if element then return element end
    socket.sleep(0.02)
  until socket.gettime() > deadline
  error(("nothing is found by %s on %s"):format(css, describe_page(self)), 2)
end

--- The first element of these whose text is exactly this (white space folded), waited for: a button, a link by its words.
function Browser:find_text(css, text, seconds)
  return self:wait(([[[...document.querySelectorAll(%s)].find(node => node.textContent.replace(/\s+/g, " ").trim() === %s)]])
    :format(exact.encode(css), exact.encode(text)), ("%s with the text %q"):format(css, text), seconds or FIND_SECONDS)
end

-- A page may put another node in the place of one that was just found, or something over it for a moment.
local PASSING = { "stale element", "click intercepted", "not interactable", "is not clickable" }

local function click_found(find)
  local deadline = socket.gettime() + FIND_SECONDS
  while true do
    local element = find()
    local ok, problem = pcall(element.click, element)
    if ok then return end
    local passes = false
    for _, text in ipairs(PASSING) do passes = passes or problem:find(text, 1, true) ~= nil end
    if not passes or socket.gettime() > deadline then error(problem, 3) end
    socket.sleep(0.02)
  end
end

--- Clicks the first element that a CSS selector finds, or that has just this text, once it is there and can be clicked.
function Browser:click(css)
  click_found(function() return self:find(css) end)
end

function Browser:click_text(css, text)
  click_found(function() return self:find_text(css, text) end)
end

--- The element that has the focus.
function Browser:focused()
  return self:execute "return document.activeElement"
end

function Element:call(method, path, body)
  return self.browser:call(method, "/element/" .. self.id .. path, body)
end

function Element:click()
  self:call("POST", "/click", {})
end

--- Types text into it, or keys by name in braces: type("a{Enter}").
function Element:type(text)
  local keys = text:gsub("{(%a+)}", function(name) return KEYS[name] and utf8.char(KEYS[name]) end)
  self:call("POST", "/value", { text = keys })
end

function Element:clear()
  self:call("POST", "/clear", {})
end

--- Its text as it is shown.
function Element:text()
  return self:call("GET", "/text")
end

function Element:attribute(name)
  return self.browser:execute("return arguments[0].getAttribute(arguments[1])", self, name)
end

function Element:property(name)
  return from_page(self.browser, self:call("GET", "/property/" .. name))
end

function Element:css(name)
  return self:call("GET", "/css/" .. name)
end

--- { x, y, width, height } in CSS pixels.
function Element:rect()
  return self:call("GET", "/rect")
end

function Element:is_displayed()
  return self:call("GET", "/displayed")
end

function Element:is_enabled()
  return self:call("GET", "/enabled")
end

--- Its role and name as a screen reader is told.
function Element:role()
  return self:call("GET", "/computedrole")
end

function Element:label()
  return self:call("GET", "/computedlabel")
end

-- Keyboard ------------------------------------------------------------------------------------------------------------------

local function key_actions(chord)
  local names, actions = {}, {}
  for name in chord:gmatch("[^+]+") do names[#names + 1] = KEYS[name] and utf8.char(KEYS[name]) or name end
  if chord == "+" then names[1] = "+" end
  for i = 1, #names do actions[#actions + 1] = { type = "keyDown", value = names[i] } end
  for i = #names, 1, -1 do actions[#actions + 1] = { type = "keyUp", value = names[i] } end
  return actions
end

--- Presses keys one after the other, wherever the focus is: "j", "Tab", "Shift+Tab", "Control+Enter".
function Browser:press(...)
  local actions = exact.array()
  for _, chord in ipairs { ... } do
    for _, action in ipairs(key_actions(chord)) do actions[#actions + 1] = action end
  end
  self:call("POST", "/actions", { actions = exact.array { { type = "key", id = "keyboard", actions = actions } } })
end

-- Cookies -------------------------------------------------------------------------------------------------------------------

--- Those that the open page's address would be sent, HttpOnly ones too: { { name, value, path, httpOnly, ... }, ... }.
function Browser:cookies()
  return from_page(self, self:call("GET", "/cookie"))
end

--- All of the browser's, whatever their path.
function Browser:all_cookies()
  return from_page(self, self:cdp("Storage.getCookies").cookies)
end

-- Chromium's own protocol -----------------------------------------------------------------------------------------------------

--- A command of https://chromedevtools.github.io/devtools-protocol/.
function Browser:cdp(command, parameters)
  return from_page(self, self:call("POST", "/goog/cdp/execute", { cmd = command, params = parameters or {} }))
end

local function set_media(self)
  self:cdp("Emulation.setEmulatedMedia", { features = exact.array {
    { name = "prefers-color-scheme", value = self.is_dark and "dark" or "light" },
    { name = "prefers-reduced-motion", value = self.is_reduced and "reduce" or "no-preference" },
    { name = "forced-colors", value = self.is_forced and "active" or "none" },
    { name = "prefers-contrast", value = self.is_contrast and "more" or "no-preference" },
  } })
end

function Browser:dark(on)
  self.is_dark = on
  set_media(self)
end

function Browser:reduced_motion(on)
  self.is_reduced = on
  set_media(self)
end

function Browser:forced_colors(on)
  self.is_forced = on
  set_media(self)
end

function Browser:more_contrast(on)
  self.is_contrast = on
  set_media(self)
end

--- The size of the page in CSS pixels, with a mouse; back from phone() too.
function Browser:viewport(width, height)
  self.width, self.height = width, height
  self:cdp("Emulation.setDeviceMetricsOverride", { width = width, height = height, deviceScaleFactor = 1, mobile = false })
  self:cdp("Emulation.setTouchEmulationEnabled", { enabled = false })
end

--- A phone with touch, 390 pixels wide or as told.
function Browser:phone(width)
  self:cdp("Emulation.setDeviceMetricsOverride",
    { width = width or PHONE.width, height = PHONE.height, deviceScaleFactor = PHONE.scale, mobile = true })
  self:cdp("Emulation.setTouchEmulationEnabled", { enabled = true, maxTouchPoints = 1 })
end

--- Without a network from now on, or with it again.
function Browser:offline(on)
  self:cdp("Network.enable")
  self:cdp("Network.emulateNetworkConditions",
    { offline = on, latency = 0, downloadThroughput = -1, uploadThroughput = -1 })
end

--- Chromium's figures of the page by name: JSHeapUsedSize, Nodes, TaskDuration (s of the main thread), ...
function Browser:metrics()
  self:cdp("Performance.enable")
  local figures = {}
  for _, metric in ipairs(self:cdp("Performance.getMetrics").metrics) do figures[metric.name] = metric.value end
  return figures
end

--- Saves a picture (PNG): of what is seen, or, with { full = true }, of the page from top to bottom.
function Browser:screenshot(file, options)
  local parameters = { format = "png" }
  if options and options.full then
    local size = self:cdp("Page.getLayoutMetrics").cssContentSize
    parameters.captureBeyondViewport = true
    parameters.clip = { x = 0, y = 0, width = size.width, height = size.height, scale = 1 }
  end
  local picture = base64(self:cdp("Page.captureScreenshot", parameters).data)
  local out = assert(io.open(file, "wb"))
  assert(out:write(picture))
  assert(out:close())
end

-- Complaints ----------------------------------------------------------------------------------------------------------------

--- What the console was told since the last call: { { level = "SEVERE", source = "javascript", message = ... }, ... }. Errors,
--- exceptions nobody caught, loads that failed, and refusals by the page's policy are SEVERE.
function Browser:console()
  return from_page(self, self:call("POST", "/se/log", { type = "browser" }))
end

return webdriver
