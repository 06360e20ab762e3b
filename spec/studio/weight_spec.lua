-- What a visit of a page costs: bytes and requests of a cold load (docs/architecture.md, "The page").
-- Times are measured by `make bench`.
local studio = require "spec.support.studio"

local MOST_BYTES = 176 * 1024 -- of a page with all that stands around it, not compressed
local MOST_FILES = 24 -- without the favicon
local MOST_API_FIRST = 4 -- before the rows are there: session, stream, figures, list

local VISIT = [[
const entries = performance.getEntriesByType("resource");
const of = path => entries.filter(entry => new URL(entry.name).pathname.startsWith(path));
return { bytes: of("/ui/").reduce((sum, entry) => sum + entry.decodedBodySize, 0),
  files: new Set(of("/ui/").map(entry => new URL(entry.name).pathname)).size }; // an icon drawn anew is not fetched anew]]

local API_BEFORE_LIST = [[
const api = performance.getEntriesByType("resource").filter(entry => new URL(entry.name).pathname.startsWith("/api/"));
const list = api.find(entry => entry.name.includes("/api/jobs/list"));
return api.filter(entry => entry.startTime <= list.startTime).length;]]

studio.describe("a visit's weight", function()
  it("of each page is within its limits", function()
    local page = studio.open { live = true }
    page.live:ended(page.live:job("fal"))
    for _, route in ipairs { "#/", "#/make/image/fal", "#/jobs", "#/gallery", "#/providers", "#/money", "#/hooks", "#/host" } do
      page.browser:open("about:blank")
      page:go(route)
      local visit = page.browser:execute(VISIT)
      assert.is_true(visit.files > 10, route)
      assert.is_true(visit.bytes <= MOST_BYTES, ("%s: %d bytes"):format(route, visit.bytes))
      assert.is_true(visit.files <= MOST_FILES, ("%s: %d files"):format(route, visit.files))
      if route == "#/jobs" then
        local asked = page.browser:execute(API_BEFORE_LIST)
        assert.is_true(asked <= MOST_API_FIRST, ("%d requests of the API before the rows"):format(asked))
      end
    end
    page:assert_clean()
    page:remove()
  end)
end)
