-- The API to read, on Studio's page of the host: every operation of /openapi.json, what it takes and gives, and shapes by name.
local studio = require "spec.support.studio"

local OPERATION = "[...document.querySelectorAll('main details')].find(node => node.textContent.startsWith(%q))"

studio.describe("Studio's reference of the API", function()
  local page, document
  setup(function()
    page = studio.open {}
    document = page.host:get("/openapi.json").json
    page:go "#/host?tab=api"
    page:find "main details"
  end)
  teardown(function() page:remove() end)
  after_each(function() page:assert_clean() end)

  local function count() return page:execute "return document.querySelectorAll('main details').length" end
  local function search(words)
    page:find("input[name=operation]"):clear()
    page:find("input[name=operation]"):type(words)
  end
  local function open(name)
    local node = OPERATION:format(name)
    page:execute(("const node = %s; node.open = true; node.scrollIntoView()"):format(node))
    return page:wait(node .. ".querySelector('h3') && " .. node .. ".innerText", "what it takes and gives")
  end

  it("lists every operation once for each of its tags", function()
    local operations = 0
    for _, item in pairs(document.paths) do
      for _, operation in pairs(item) do operations = operations + #operation.tags end
    end
    assert.equal(operations, count())
    for _, tag in ipairs(document.tags) do
      assert.truthy(page:find_text("main h2", tag.name), tag.name)
    end
  end)

  it("tells what one takes, answers and refuses with", function()
    local text = open "POST /api/jobs/{job_id}/cancel"
    local parts = { "role submit", "job_id", "path: ", "JobId", "200 it is canceled", "JobAnswer", "409", "Refuses, with" }
    for _, part in ipairs(parts) do assert.truthy(text:find(part, 1, true), part) end
    page:picture("api", { full = true })
  end)

  it("opens a shape by its name, and those in it", function()
    open "GET /api/budget"
    page:execute(OPERATION:format("GET /api/budget"):gsub("^", "(") .. [[).querySelector("dd button, p button").click()]])
    page:find_text("dialog[open] h2", "Budget")
    page:click_text("dialog[open] button", "BudgetSums")
    page:wait("document.querySelectorAll('dialog[open]').length === 2", "the one in it")
    page:press("Escape", "Escape")
    page:wait("!document.querySelector('dialog')", "both to close")
  end)

  it("finds by words, and says when there is none", function()
    search "post cancel"
    page:wait("document.querySelectorAll('main details').length === 1", "one operation")
    search "nothing is called so"
    page:find_text("main p", "No operation is like this.")
  end)
end)
