-- The registry's schema: an older one is brought to the newest when the host starts, with all that is in it; a newer one is
-- refused and left as it is.
local sql = require("spec.support.shell").sql
local support = require "spec.support.live"

local NEWEST = 20
local TRACE = "00-" .. ("a"):rep(32) .. "-" .. ("b"):rep(16) .. "-01"

-- What takes each version's tables back to those of the version before.
local BACK = {
  [20] = "DROP TABLE ring",
  [19] = "DROP TABLE lane; ALTER TABLE live DROP COLUMN slotted",
  [18] = "DROP TABLE host; DROP TABLE ask; DROP TABLE webhook_seen; ALTER TABLE live DROP COLUMN owner",
  [17] = "DROP TABLE setting",
  [16] = "ALTER TABLE hook DROP COLUMN owner; ALTER TABLE hook DROP COLUMN heir; ALTER TABLE hook DROP COLUMN news",
  [15] = "DROP VIEW ledger_sum; DROP TABLE budget",
  [14] = "DROP TABLE wish",
  [13] = "DROP TABLE quote; DROP INDEX live_upstream; ALTER TABLE live DROP COLUMN upstream_sha256;"
    .. " ALTER TABLE ledger DROP COLUMN door",
  [12] = "ALTER TABLE task DROP COLUMN asked; ALTER TABLE task DROP COLUMN removed_ms",
  [11] = "DROP TABLE artifact; DROP TABLE artifact_filled; DROP TABLE upstream; DROP INDEX task_request; DROP INDEX task_live",
  [10] = "DROP TABLE observed",
  [9] = "ALTER TABLE live DROP COLUMN request_sha256",
  [8] = "ALTER TABLE live DROP COLUMN paid_most",
  [7] = "DROP TABLE paid_mark",
  [6] = "DROP INDEX task_caller; ALTER TABLE task DROP COLUMN caller",
  [5] = "ALTER TABLE live DROP COLUMN paid; DROP INDEX task_vendor",
  [4] = "ALTER TABLE live DROP COLUMN trace",
  [3] = "DROP TABLE hook; DROP TABLE delivery; DROP TABLE callback",
}

-- The tables as SQLite describes them, one a line.
local function tables(host)
  local columns = "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY 1, c.cid"
  return sql(host, columns) .. sql(host, "PRAGMA user_version")
end

-- What was there when the newest event was this one, but for what each poll changes.
local function past(host, newest)
  return sql(host, ([[
    SELECT * FROM event WHERE number <= NEWEST;
    SELECT ledger.* FROM ledger JOIN event USING (sequence) WHERE number <= NEWEST;
    SELECT sequence, phase, attempts, submitted_ms, deadline_ms, stop_ms, cancel_asked, caller
    FROM live JOIN event USING (sequence) WHERE number <= NEWEST]]):gsub("NEWEST", newest))
end

describe("a registry of an earlier schema", function()
  local live, open, ended
  before_each(function()
    live = support.start { simulate = { "--fault", "replicate:never_ending:1" } }
    open, ended = live:job("replicate"), live:job("fal")
    live:becomes(open, "running")
    assert.equal("done", live:ended(ended).status)
    assert.equal(0, live.host:stop())
  end)
  after_each(function() live:remove() end)

  for version = 2, NEWEST - 1 do
    it("(" .. version .. ") becomes one of today's, with all that is in it, and its open jobs go on", function()
      local today, newest = tables(live.host), sql(live.host, "SELECT max(number) FROM event"):match("%d+")
      local before = past(live.host, newest)
      for step = NEWEST, version + 1, -1 do
        sql(live.host, BACK[step] .. "; PRAGMA user_version = " .. step - 1)
      end
      os.remove(live.host.home .. "/data/registry.db.paid") -- which no version before the seventh had
      assert.not_equal(today, tables(live.host))
      live.host:start_again()
      assert.equal("done", live:status(ended).status)
      assert.equal(before, past(live.host, newest))
      assert.equal(200, live.host:post("/api/jobs/" .. open .. "/cancel").status)
      assert.equal("canceled", live:becomes(open, "canceled").status)
      assert.equal("done", live:ended(live:job("fal", nil, { traceparent = TRACE })).status)
      assert.equal(0, live.host:stop())
      assert.equal(today, tables(live.host))
    end)
  end
end)

describe("a registry of a newer schema", function()
  it("is refused, and stays as it is", function()
    local live = support.start()
    finally(function() live:remove() end)
    assert.equal(0, live.host:stop())
    sql(live.host, "PRAGMA user_version = " .. NEWEST + 1)
    local before = live.host:read("data/registry.db")
    local ok, problem = pcall(live.host.start_again, live.host)
    assert.is_false(ok)
    assert.truthy(problem:find("schema version " .. NEWEST + 1, 1, true), problem)
    assert.equal(before, live.host:read("data/registry.db"))
    sql(live.host, "PRAGMA user_version = " .. NEWEST)
    live.host:start_again()
  end)
end)
