-- Whose job a vendor's id is: a job that is looked for is never another's, however many jobs there were since, and after a
-- restart.
local shell = require "spec.support.shell"
local told_vendor = require "spec.support.told_vendor"

-- 1,100 further live jobs like the one that has "theirs".
local COPIES = [[
  CREATE TEMP TABLE t AS SELECT * FROM task WHERE vendor_id = 'theirs';
  CREATE TEMP TABLE l AS SELECT * FROM live WHERE sequence = (SELECT sequence FROM t);
  CREATE TEMP TABLE n (n);
  CREATE TEMP TRIGGER copy AFTER INSERT ON n BEGIN
    UPDATE t SET sequence = (SELECT max(sequence) FROM task) + 1, vendor_id = 'later-' || new.n;
    UPDATE l SET sequence = (SELECT sequence FROM t);
    INSERT INTO task SELECT * FROM t;
    INSERT INTO live SELECT * FROM l;
  END;
  INSERT INTO n WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1100) SELECT n FROM c]]

local COPIES_ON_POSTGRES = [[
  DO $$ DECLARE t task; l live; BEGIN
    SELECT * INTO t FROM task WHERE vendor_id = 'theirs';
    SELECT * INTO l FROM live WHERE sequence = t.sequence;
    FOR n IN 1 .. 1100 LOOP
      t.sequence := (SELECT max(sequence) FROM task) + 1;
      t.vendor_id := 'later-' || n;
      l.sequence := t.sequence;
      INSERT INTO task SELECT t.*;
      INSERT INTO live SELECT l.*;
    END LOOP;
  END $$]]

describe("a lost job", function()
  local vendor, host
  before_each(function()
    vendor = told_vendor.start()
    host = vendor:live()
  end)
  after_each(function() vendor:remove() end)

  local function looked_for(job)
    vendor:refresh(job)
    return vendor:status(job)
  end

  it("does not become one that another job has, after 1100 dry runs, 1100 live ones and a restart", function()
    local found = { id = "theirs", status = "done", cost = { usd = 0.05, source = "vendor" } }
    vendor:tell { ["POST /pay"] = { hang_up = true }, ["GET /found"] = { json = { status = "unknown" } } }
    local lost = vendor:job(0.05)
    vendor:becomes(lost, "unknown")
    vendor:tell { ["POST /pay"] = { json = found } }
    vendor:becomes(vendor:job(0.05), "done")
    local connection = host:connect()
    for i = 1, 1100 do
      if i % 900 == 0 then
        connection:close()
        connection = host:connect()
      end
      connection:send("POST", vendor.path .. "/submit", { price = 1 })
      assert.equal(200, connection:receive().status)
    end
    connection:close()
    vendor:tell { ["GET /found"] = { json = found } }
    host:kill()
    host:start_again()
    assert.equal("unknown", looked_for(lost).status)
    host:stop()
    shell.sql(host, host.database and COPIES_ON_POSTGRES or COPIES)
    host:start_again()
    for _ = 1, 3 do assert.equal("unknown", looked_for(lost).status) end
    local answer = host:post("/api/jobs/" .. lost .. "/resolve", { vendor_id = "theirs" })
    assert.equal(409, answer.status, answer.body)
    assert.equal("unknown", vendor:status(lost).status)
    found.id = "mine" -- nobody has this one
    vendor:tell { ["GET /found"] = { json = found } }
    looked_for(lost)
    assert.equal("mine", vendor:becomes(lost, "done").vendor_id)
  end)

  it("is only one of two that find the same", function()
    vendor:tell { ["POST /pay"] = { hang_up = true }, ["GET /found"] = { json = { status = "unknown" } } }
    local lost = { vendor:job(0.05), vendor:job(0.05) }
    for _, job in ipairs(lost) do vendor:becomes(job, "unknown") end
    vendor:tell { ["GET /found"] = { json = { id = "one", status = "running" } },
      ["GET /jobs/one"] = { json = { status = "running" } } }
    local connections = {}
    for i = 1, 8 do
      connections[i] = host:connect()
      connections[i]:send("POST", vendor.path .. "/poll", { job_id = lost[i % 2 + 1], refresh = true })
    end
    for i = 1, 8 do
      connections[i]:receive()
      connections[i]:close()
    end
    local states = { vendor:status(lost[1]).status, vendor:status(lost[2]).status }
    table.sort(states)
    assert.same({ "running", "unknown" }, states)
  end)
end)
