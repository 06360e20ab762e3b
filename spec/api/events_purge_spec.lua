-- Events are kept for registry.keep_days; the newest stays whatever its age, so that numbers never begin again.
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local sql = require("spec.support.shell").sql

describe("old events", function()
  local served
  before_each(function()
    served = host.start { config = { registry = { keep_days = 30 } } }
    for _ = 1, 9 do providers.submit(served, providers.fal) end
    served:stop()
  end)
  after_each(function() served:remove() end)

  local function start_with_older(which, days)
    sql(served, ("UPDATE event SET at_ms = at_ms - %d WHERE %s"):format(days * 86400000, which))
    served:start_again()
  end

  local function numbers()
    local list = {}
    for i, event in ipairs(served:get("/api/events/history").json.events) do list[i] = tonumber(event.id) end
    return list
  end

  it("go, and younger ones stay", function()
    start_with_older("number <= 6", 31)
    served:eventually(function() return numbers()[1] == 7 end)
    assert.same({ 7, 8, 9 }, numbers())
  end)

  it("stay while they are not old enough", function()
    start_with_older("number <= 6", 29)
    os.execute("sleep 0.5")
    assert.equal(9, #numbers())
  end)

  it("go all but the newest, and numbers go on from it", function()
    start_with_older("number > 0", 31)
    served:eventually(function() return #numbers() == 1 end)
    assert.same({ 9 }, numbers())
    providers.submit(served, providers.fal)
    assert.same({ 9, 10 }, numbers())
  end)

  local function age_jobs(column_list)
    sql(served, "UPDATE task SET " .. column_list)
    if not served.database then sql(served, "DELETE FROM task_index; UPDATE task_indexed SET sequence = 0") end
  end

  -- A sequence is a time in its upper bits, see src/base/id.c: a job's age is in its number.
  local MONTH_MS = 31 * 86400000
  local MONTH_AGO = ("sequence = sequence - %d"):format(MONTH_MS << 12)

  it("stay, like their job, when that ended long after it began", function()
    age_jobs(MONTH_AGO)
    sql(served, "UPDATE event SET " .. MONTH_AGO)
    served:start_again()
    os.execute("sleep 0.5")
    assert.equal(9, #served:get("/api/jobs/list").json.tasks)
    assert.equal(9, #numbers())
  end)

  it("go with a job whose end is as long ago", function()
    age_jobs(("%s, updated_ms = updated_ms - %d"):format(MONTH_AGO, MONTH_MS))
    served:start_again()
    served:eventually(function() return #served:get("/api/jobs/list").json.tasks == 0 end)
    assert.equal(0, #served:get("/api/jobs/list?status=done&provider=fal").json.tasks)
  end)
end)
