-- A host that goes away and comes back below an open page.
local socket = require "socket"
local studio = require "spec.support.studio"
local support = require "spec.support.live"

local AWAY = { "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET" }

local function connection(name)
  return ("document.documentElement.dataset.connection === %q"):format(name), "the connection to be " .. name
end

studio.describe("a host that is killed below an open page", function()
  local page
  before_each(function() page = studio.open { listen = support.address(), live = true } end)
  after_each(function() page:remove() end)

  local function shows(text)
    page:wait(("document.querySelector('main').innerText.includes(%q)"):format(text), text)
  end

  it("loses nothing: what was shown stays, is said to be old, and is made good by itself", function()
    page.live:ended(page.live:job("fal", { prompt = "before the fall" }))
    page:go "#/jobs"
    page:wait(connection "live")
    shows "before the fall"
    page:assert_clean()
    page.host:kill()
    page:wait(connection "stale")
    shows "before the fall"
    assert.is_truthy(page:find(".connection"):text():find("econnecting", 1, true))
    assert.is_false(page:find("#stop"):is_enabled())
    page:picture "stale"
    page.host:start_again()
    page.live:ended(page.live:job("fal", { prompt = "after the fall" }))
    page:wait(connection "live")
    assert.is_true(page:find("#stop"):is_enabled())
    shows "after the fall"
    shows "before the fall"
    page.live:ended(page.live:job("fal", { prompt = "and live again" }))
    shows "and live again"
    page:assert_clean(AWAY)
  end)

  it("goes on after many falls with the jobs that were under way", function()
    page:go "#/jobs"
    page:wait(connection "live")
    local prompts = {}
    for round = 1, 3 do
      for i = 1, 3 do
        prompts[#prompts + 1] = ("job %d of round %d"):format(i, round)
        page.live:job("fal", { prompt = prompts[#prompts] })
      end
      socket.sleep(0.1 * round)
      page.host:kill()
      page.host:start_again()
    end
    page:wait(connection "live")
    for _, prompt in ipairs(prompts) do shows(prompt) end
    page:wait("document.querySelectorAll('main [role=row]').length >= 9", "all rows")
    local jobs = page.host:get("/api/jobs/list?limit=50").json.tasks
    assert.equal(#prompts, #jobs)
    page:assert_clean(AWAY)
  end)

  it("keeps what was typed", function()
    page:go "#/make/image/fal"
    page:wait(connection "live")
    page:find("main textarea"):type "typed before the fall"
    page.host:kill()
    page:wait(connection "stale")
    page.host:start_again()
    page:wait(connection "live")
    assert.equal("typed before the fall", page:find("main textarea"):property "value")
    page:assert_clean(AWAY)
  end)

  it("is polled while it has no room for another stream", function()
    page:remove()
    page = studio.open { live = { config = function(config) config.server.max_streams = 1 end } }
    local other = page.host:connect()
    other:send("GET", "/api/events")
    page:go "#/jobs"
    page:wait(connection "polling")
    page.live:ended(page.live:job("fal", { prompt = "seen without a stream" }))
    shows "seen without a stream"
    assert.is_true(page:find("#stop"):is_enabled())
    other:close()
    page:assert_clean { "status of 503" }
  end)
end)
