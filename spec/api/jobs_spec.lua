-- The task registry through REST: every submit is there, can be listed, filtered, paged, read and not canceled any more.
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"
local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"
local TIME = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$"

local function ids_of(tasks)
  local ids = {}
  for i, task in ipairs(tasks) do ids[i] = task.job_id end
  return ids
end

local function list(served, query)
  local answer = served:get("/api/jobs/list" .. (query and "?" .. query or ""))
  assert(answer.status == 200, answer.body)
  return exact.decode(answer.body)
end

describe("the registry", function()
  local served
  local submitted = {} -- answers, oldest first: one of each provider, then generate of image and video
  setup(function()
    served = host.start()
    for _, provider in ipairs(providers) do submitted[#submitted + 1] = providers.submit(served, provider) end
    for _, id in ipairs { "stability", "luma" } do
      local path = ("/api/providers/%s/generate"):format(providers[id].kind)
      submitted[#submitted + 1] = served:post(path, { provider = id, prompt = "a cat" }).json
    end
  end)
  teardown(function() served:remove() end)

  local function newest_first(filter)
    local ids = {}
    for i = #submitted, 1, -1 do
      if not filter or filter(submitted[i]) then ids[#ids + 1] = submitted[i].job_id end
    end
    return ids
  end

  it("has a row for every submit and generate, newest first", function()
    local page = list(served)
    assert.is_true(page.ok)
    assert.equal(exact.null, page.next)
    assert.same(newest_first(), ids_of(page.tasks))
  end)

  it("tells in a row what was answered", function()
    local page = list(served)
    for i, task in ipairs(page.tasks) do
      local answer = submitted[#submitted + 1 - i]
      assert.equal(task.job_id, task.id)
      assert.truthy(task.id:find(UUID), task.id)
      assert.truthy(task.created_at:find(TIME), task.created_at)
      assert.truthy(task.updated_at:find(TIME))
      assert.equal(answer.provider, task.provider)
      assert.equal("public." .. answer.kind .. ".submit", task.kind)
      assert.equal("done", task.status)
      assert.equal(1, task.progress)
      assert.is_true(task.dry_run)
      assert.equal("mock-" .. answer.provider .. "-1", task.vendor_id)
      assert.equal("table", type(task.payload))
      assert.equal("table", type(task.estimates))
    end
  end)

  -- Filters, and which of the answers they leave.
  local FILTERS = {
    { "kind=image", function(answer) return answer.kind == "image" end },
    { "kind=public.image.submit", function(answer) return answer.kind == "image" end },
    { "kind=public.gpu.submit", function(answer) return answer.kind == "gpu" end },
    { "kind=video", function(answer) return answer.kind == "video" end },
    { "provider=luma", function(answer) return answer.provider == "luma" end },
    { "provider=LUMA-AI", function(answer) return answer.provider == "luma" end },
    { "provider=nobody", function() return false end },
    { "status=done", function() return true end },
    { "status=queued", function() return false end },
    { "status=running&kind=image", function() return false end },
    { "status=done&kind=image&provider=stability", function(answer) return answer.provider == "stability" end },
    { "kind=gpu&provider=luma", function() return false end },
    { "since=2020-01-01", function() return true end },
    { "since=2020-01-01T00:00:00Z", function() return true end },
    { "since=1577836800000", function() return true end },
    { "since=2100-01-01T00:00:00Z", function() return false end },
    { "kind=&status=&provider=&since=", function() return true end },
  }

  for _, case in ipairs(FILTERS) do
    it("is filtered by " .. case[1], function()
      assert.same(newest_first(case[2]), ids_of(list(served, case[1]).tasks))
    end)
  end

  it("is filtered by a row's own time, to the millisecond", function()
    local tasks = list(served).tasks
    for _, since in ipairs(tasks) do
      local expected = {}
      for _, task in ipairs(tasks) do
        if task.created_at >= since.created_at then expected[#expected + 1] = task.job_id end
      end
      assert.same(expected, ids_of(list(served, "since=" .. since.created_at).tasks))
    end
  end)

  -- Filters that mean nothing, and the parameter at fault.
  for query, name in pairs {
    ["status=finished"] = "status", ["kind=audio"] = "kind", ["kind=public.image.generate"] = "kind",
    ["since=yesterday"] = "since", ["since=2026-13-01"] = "since", ["limit=0"] = "limit", ["limit=501"] = "limit",
    ["limit=ten"] = "limit", ["limit=-1"] = "limit", ["cursor=x"] = "cursor", ["cursor=0"] = "cursor",
    ["cursor=99999999999999999999"] = "cursor",
  } do
    it("refuses the filter " .. query, function()
      local answer = served:get("/api/jobs/list?" .. query)
      assert.equal(400, answer.status, answer.body)
      assert.equal(name, answer.json.errors[1].path)
    end)
  end

  for _, limit in ipairs { 1, 2, 3, 10, 11, 12 } do
    it("is read in pages of " .. limit, function()
      local seen, cursor = {}, nil
      repeat
        local page = list(served, "limit=" .. limit .. (cursor and "&cursor=" .. cursor or ""))
        assert.is_true(#page.tasks >= 1 and #page.tasks <= limit)
        for _, id in ipairs(ids_of(page.tasks)) do seen[#seen + 1] = id end
        cursor = page.next
      until cursor == exact.null
      assert.same(newest_first(), seen)
    end)
  end

  it("is read in pages of a filter", function()
    local first = list(served, "kind=gpu&limit=3")
    local second = list(served, "kind=gpu&limit=3&cursor=" .. first.next)
    assert.equal(3, #first.tasks)
    assert.equal(1, #second.tasks)
    assert.equal(exact.null, second.next)
  end)

  it("answers the same under /jobs/", function()
    local id = submitted[1].job_id
    for _, path in ipairs { "list", "list?kind=image&limit=1", "all", "status/" .. id, "logs/" .. id, "status/" .. UNKNOWN } do
      local new, old = served:get("/api/jobs/" .. path), served:get("/jobs/" .. path)
      assert.equal(new.status, old.status)
      if new.status == 200 then assert.equal(new.body, old.body) end
    end
    assert.equal(409, served:post("/jobs/" .. id .. "/cancel").status)
  end)

  it("has the rows of /all as jobs too", function()
    local all = exact.decode(served:get("/api/jobs/all").body)
    assert.same(newest_first(), ids_of(all.jobs))
    assert.equal(exact.encode(all.tasks), exact.encode(all.jobs))
    assert.is_nil(list(served).jobs)
  end)

  it("shows one row", function()
    for i, task in ipairs(list(served).tasks) do
      local answer = served:get("/api/jobs/status/" .. task.job_id)
      assert.equal(200, answer.status)
      local row = exact.decode(answer.body)
      assert.is_true(row.ok)
      row.ok = nil
      assert.equal(exact.encode(task), exact.encode(row), i)
    end
  end)

  it("tells how a job came about", function()
    for _, answer in ipairs(submitted) do
      local logs = served:get("/api/jobs/logs/" .. answer.job_id).json
      assert.is_true(logs.ok)
      assert.equal(answer.job_id, logs.job_id)
      assert.equal("public." .. answer.kind .. ".submit", logs.logs[1].event)
      assert.equal("public." .. answer.kind .. ".done", logs.logs[#logs.logs].event)
      for _, line in ipairs(logs.logs) do
        assert.truthy(line.at:find(TIME))
        assert.equal("string", type(line.message))
      end
    end
  end)

  it("does not cancel what has ended", function()
    local answer = served:post(("/api/jobs/%s/cancel"):format(submitted[1].job_id))
    assert.equal(409, answer.status)
    assert.truthy(answer.json.detail:find("done", 1, true))
    assert.equal("done", served:get("/api/jobs/status/" .. submitted[1].job_id).json.status)
  end)

  for _, id in ipairs { UNKNOWN, "mock-fal-1", "0", "%00", "..%2flist", ("x"):rep(127) } do
    it("knows no job " .. id:sub(1, 40), function()
      for _, path in ipairs { "/api/jobs/status/", "/api/jobs/logs/" } do
        local status = served:get(path .. id).status
        assert.is_true(status == 404 or status == 400, path .. id .. ": " .. status)
      end
      local status = served:post("/api/jobs/" .. id .. "/cancel").status
      assert.is_true(status == 404 or status == 400, tostring(status))
    end)
  end

  it("is asked by a poll with a job_id", function()
    for i = 1, #providers do
      local provider, submit = providers[i], submitted[i]
      local row = exact.decode(served:get("/api/jobs/status/" .. submit.job_id).body)
      for _, name in ipairs { "job_id", "id" } do
        local answer = served:post(providers.path(provider, "poll"), { [name] = submit.job_id })
        assert.equal(200, answer.status, answer.body)
        for _, member in ipairs { "job_id", "status", "progress", "created_at", "updated_at" } do
          assert.equal(row[member], exact.decode(answer.body)[member])
        end
      end
      local upper = served:post(providers.path(provider, "poll"), { job_id = submit.job_id:upper() })
      assert.equal(submit.job_id, upper.json.job_id)
    end
  end)

  it("says 404 to a poll for a job that it does not know, or that is another provider's", function()
    for i = 1, #providers do
      local other = providers[i % #providers + 1]
      for _, id in ipairs { UNKNOWN, submitted[i].job_id } do
        local answer = served:post(providers.path(other, "poll"), { job_id = id })
        assert.equal(404, answer.status, answer.body)
        assert.equal("job_id", answer.json.errors[1].path)
      end
    end
  end)

  it("is not asked for other ids: they are echoed", function()
    local others = { "mock-else-7", "abc", "ünï", "01234567-89ab-7def-8123-456789abcde" }
    for _, provider in ipairs(providers) do
      for _, id in ipairs { "mock-" .. provider.id .. "-1", table.unpack(others) } do
        local answer = served:post(providers.path(provider, "poll"), { job_id = id })
        assert.equal(200, answer.status, answer.body)
        assert.equal(id, answer.json.job_id)
        assert.equal("done", answer.json.status)
      end
      for _, empty in ipairs { {}, { job_id = "" }, { job_id = exact.null, id = exact.null } } do
        local answer = served:post(providers.path(provider, "poll"), empty)
        assert.equal("mock-" .. provider.id .. "-1", answer.json.job_id)
      end
    end
  end)

  it("answers other methods with 405 and what is allowed", function()
    for path, allow in pairs {
      ["/api/jobs/list"] = "GET", ["/jobs/all"] = "GET", ["/api/jobs/status/" .. UNKNOWN] = "GET",
      ["/api/jobs/" .. UNKNOWN .. "/cancel"] = "POST",
    } do
      local answer = served:request("DELETE", path)
      assert.equal(405, answer.status, path)
      assert.truthy(answer.headers.allow:find(allow, 1, true))
    end
  end)
end)

describe("a registry of more than a page", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  it("is read to the end while more is submitted", function()
    local client = served:connect()
    local expected = {}
    for i = 1, 130 do
      local answer = client:request("POST", "/api/providers/image/fal/submit", { prompt = "number " .. i })
      table.insert(expected, 1, answer.json.job_id)
    end
    local seen, cursor = {}, nil
    repeat
      local page = client:request("GET", "/api/jobs/list" .. (cursor and "?cursor=" .. cursor or "")).json
      for _, task in ipairs(page.tasks) do seen[#seen + 1] = task.job_id end
      client:request("POST", "/api/providers/video/luma/submit", { prompt = "meanwhile" })
      cursor = page.next
    until type(cursor) ~= "string"
    client:close()
    assert.same(expected, seen)
    assert.equal(133, #served:get("/api/jobs/all?limit=500").json.jobs)
  end)
end)
