-- Studio in a browser: a host, its page, and what specs ask of it.
--
--   local studio = require "spec.support.studio"
--
--   studio.describe("the list of jobs", function()          -- pending, with the reason, where there is no browser
--     it("shows a new job", function()
--       local page = studio.open { live = true }             -- also: keys = { "ci", ... }, and what the support of hosts takes
--       page:go("#/jobs")
--       page.live:job("fal")
--       page:wait("document.querySelectorAll('[role=row]').length > 1", "the job's row")
--       page:picture("jobs")                                 -- only with STUDIO_PICTURES=FOLDER in the environment
--       page:assert_clean()                                  -- nothing was refused, nothing failed, nobody complained
--       page:remove()                                        -- ends the host, not the browser: a file has one
--     end)
--   end)
--
-- What a page does not have itself is its browser's: page:find(css), page:press("g", "j"), page:dark(true): webdriver.lua.
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"
local keys = require "spec.support.keys"
local live = require "spec.support.live"
local scenes = require "spec.support.studio_scene"
local shell = require "spec.support.shell"
local webdriver = require "spec.support.webdriver"

local studio = {}

--- How a page must be able to look: what each name does with a browser.
studio.LOOKS = {
  light = function() end,
  dark = function(browser) browser:dark(true) end,
  phone = function(browser) browser:phone() end,
  ["phone-dark"] = function(browser) browser:phone() browser:dark(true) end,
  narrow = function(browser) browser:phone(320) end,
  ["reduced-motion"] = function(browser) browser:reduced_motion(true) end,
}

local Page = {}
Page.__index = function(self, name)
  local method = Page[name]
  if method then return method end
  local of_browser = self.browser[name]
  if type(of_browser) ~= "function" then return nil end
  return function(_, ...) return of_browser(self.browser, ...) end
end

--- describe() where a browser can be had; else one test that is pending and says why.
function studio.describe(name, body)
  local busted = require "busted" -- here: commands without it use this module too
  local missing = webdriver.missing()
  if not missing then return busted.describe(name, body) end
  busted.describe(name, function()
    busted.it("is seen in a browser", function() busted.pending(missing) end)
  end)
end

-- The browser -------------------------------------------------------------------------------------------------------------

local shared -- one a process: a spec file, a command

--- The process's browser, as it is after its start.
function studio.browser()
  if not shared then shared = webdriver.start { names = { "studio.test" } } end
  shared:open("about:blank")
  shared:offline(false)
  shared:cdp("Storage.clearCookies")
  for _, set in ipairs { "dark", "reduced_motion", "forced_colors", "more_contrast" } do shared[set](shared, false) end
  shared:viewport(1280, 800)
  shared:console()
  return shared
end

-- The host ----------------------------------------------------------------------------------------------------------------

local function add_keys(config, names)
  if not names then return end
  config.server = config.server or {}
  local list = exact.array()
  for _, name in ipairs(names) do list[#list + 1] = type(name) == "table" and name or keys.entry(name) end
  config.server.api_keys = list
end

local function start_live(options)
  local all = {}
  for name, value in pairs(options) do all[name] = value end
  for name, value in pairs(type(options.live) == "table" and options.live or {}) do all[name] = value end
  local change = all.config
  all.config = function(config)
    add_keys(config, options.keys)
    if change then change(config) end
  end
  return live.start(all)
end

local function start_host(options)
  local all, config = {}, {}
  for name, value in pairs(options) do all[name] = value end
  if type(options.config) == "table" then config = options.config end
  add_keys(config, options.keys)
  if type(options.config) == "function" then options.config(config) end
  all.config = config
  return host.start(all)
end

--- Starts a host, and a page on it that shows nothing yet:
---   scene       true, or options of spec/support/studio_scene.lua: everything that a page must be able to show
---   live        true, or options of spec/support/live.lua: with a simulator, every switch on
---   keys        API keys: names of spec/support/keys.lua, or entries of server.api_keys
---   config      the configuration: a table, or a function that changes it
--- and what the support of hosts or live hosts takes.
function studio.open(options)
  options = options or {}
  local self = { browser = studio.browser() }
  if options.scene then
    self.scene = scenes.start(type(options.scene) == "table" and options.scene or nil)
    self.host = self.scene.host
  elseif options.live then
    self.live = start_live(options)
    self.host = self.live.host
  else
    self.host = start_host(options)
  end
  self.base = ("http://127.0.0.1:%d/"):format(self.host.port)
  return setmetatable(self, Page)
end

--- A page on a host that runs already; base is its address, with the final slash.
function studio.at(base, running)
  return setmetatable({ browser = studio.browser(), base = base, host = running }, Page)
end

--- Leaves the page, and ends the host and its simulator.
function Page:remove()
  self.browser:open("about:blank")
  local owner = self.scene or self.live or self.host
  if owner then owner:remove() end
end

-- The page ----------------------------------------------------------------------------------------------------------------

-- A page stands until the next one's module has come, or until it has heard of its own new address: it is marked before.
local LEAVE = [[
const name = hash => hash.replace(/^#?\/?/, "").split(/[/?]/)[0];
const [url] = arguments;
const open = document.querySelector("main")?.firstElementChild;
const { hash } = new URL(url);
if (hash !== location.hash) open?.setAttribute("data-left", "");
if (name(hash) === name(location.hash)) addEventListener("hashchange", () => open?.removeAttribute("data-left"), { once: true });
location.href = url;]]

local HERE = [[
const h1 = document.querySelector("main h1");
return Boolean(h1?.textContent.trim() && document.title && !document.querySelector(".loading-row, main > [data-left]"));]]

--- Opens a route ("#/jobs?status=open"), by a click's way if the page is open already, and waits until it stands.
function Page:go(route)
  local url = self.base .. (route or "")
  if self.browser:url():sub(1, #self.base) == self.base then
    self.browser:execute(LEAVE, url)
  else
    self.browser:open(url)
  end
  self:settled(route)
end

--- Waits until the page has its heading, and no place is left empty for what still loads.
function Page:settled(route)
  self.browser:wait("(() => {" .. HERE .. "})()", "the page " .. (route or "#/"))
end

--- Sets how it looks: a name of studio.LOOKS.
function Page:look(name)
  self.browser:dark(false)
  self.browser:reduced_motion(false)
  self.browser:viewport(1280, 800)
  assert(studio.LOOKS[name], name)(self.browser)
end

--- Logs the browser in, as the login page does: with a key, or with the key of a name of spec/support/keys.lua.
function Page:log_in_with(key)
  local status = self.browser:await([[
    const answer = await fetch("api/session", { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key: arguments[0] }) });
    return answer.status;]], key)
  assert(status == 200, ("the login was answered %s"):format(tostring(status)))
end

function Page:log_in(name)
  self:log_in_with(keys.key(name))
end

--- A picture into the folder that STUDIO_PICTURES names; without it nothing.
function Page:picture(name, options)
  local folder = os.getenv("STUDIO_PICTURES")
  if not folder or folder == "" then return end
  shell.run("mkdir -p " .. shell.quote(folder))
  self.browser:screenshot(("%s/%s.png"):format(folder, name), options)
end

local function is_excepted(message, exceptions)
  for _, pattern in ipairs(exceptions or {}) do
    if message:find(pattern) then return true end
  end
  return false
end

--- An error if since the last call the console was told of an error: an exception, a load that failed, a refusal by the
--- page's policy. exceptions: patterns of messages that may be there, such as "status of 402".
function Page:assert_clean(exceptions)
  local lines = {}
  for _, line in ipairs(self.browser:console()) do
    if line.level == "SEVERE" and not is_excepted(line.message, exceptions) then lines[#lines + 1] = line.message end
  end
  if #lines > 0 then error(("the console of %s says:\n%s"):format(self.browser:url(), table.concat(lines, "\n")), 2) end
end

return studio
