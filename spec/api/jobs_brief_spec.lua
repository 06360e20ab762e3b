-- Jobs in brief, and the filters of lists: what a page shows of many jobs, at a cost that does not grow with the registry.
local exact = require "spec.support.exact_json"
local many_jobs = require "spec.support.many_jobs"
local providers = require "spec.support.providers"
local registry = require "spec.support.registry"
local socket = require "socket"
local start = require("spec.support.host").start

local PAGE_MS = 20 -- for a hundred rows of a hundred thousand
local MEMBERS = {
  "artifact", "artifacts", "created_at", "dry_run", "estimate_usd", "eta", "job_id", "kind", "model", "money", "progress",
  "prompt", "provider", "reason", "request_id", "status", "updated_at", "vendor_id",
}
-- What the whole row has under the same name.
local SAME = {
  "job_id", "status", "progress", "created_at", "updated_at", "provider", "dry_run", "vendor_id", "request_id",
}

local function list(served, query)
  local answer = served:get("/api/jobs/list?" .. query)
  assert(answer.status == 200, answer.body)
  return exact.decode(answer.body)
end

local function brief(served, query)
  return list(served, "fields=brief&" .. (query or ""))
end

local function names_of(row)
  local names = {}
  for name in pairs(row) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- All rows of a list, page after page: the rows, and how many pages it took.
local function all(served, query)
  local rows, pages, cursor = {}, 0, ""
  repeat
    local answer = served:get("/api/jobs/list?fields=brief&limit=500&" .. query .. cursor)
    assert(answer.status == 200, answer.body)
    for _, row in ipairs(answer.json.tasks) do rows[#rows + 1] = row end
    pages = pages + 1
    assert(pages < 1000, "it does not end")
    local page = answer.json
    cursor = page.next ~= exact.null and "&cursor=" .. page.next
  until not cursor
  return rows, pages
end

describe("a list in brief", function()
  local served
  setup(function()
    served = start()
    for _, provider in ipairs(providers) do providers.submit(served, provider) end
  end)
  teardown(function() served:remove() end)

  it("has the whole rows' jobs, without payloads", function()
    local whole, rows = list(served, "limit=500").tasks, brief(served, "limit=500").tasks
    assert.equal(#providers, #rows)
    for i, row in ipairs(rows) do
      assert.same(MEMBERS, names_of(row))
      for _, name in ipairs(SAME) do assert.same(whole[i][name], row[name], name) end
      assert.equal(whole[i].kind, "public." .. row.kind .. ".submit")
      assert.same(whole[i].estimates.estimated_cost_usd, row.estimate_usd)
      assert.same(whole[i].estimates.model or whole[i].payload.model or exact.null, row.model)
      assert.equal(0, row.artifacts)
      for _, name in ipairs { "artifact", "reason", "money", "eta" } do assert.equal(exact.null, row[name]) end
    end
  end)

  it("tells the prompt, wherever a provider has it", function()
    for _, row in ipairs(brief(served, "limit=500").tasks) do assert.equal("a cat", row.prompt, row.provider) end
  end)

  it("is what /all has too", function()
    local page = exact.decode(served:get("/api/jobs/all?fields=brief&limit=2").body)
    assert.same(page.tasks, page.jobs)
    assert.same(MEMBERS, names_of(page.jobs[1]))
  end)

  -- A prompt, and how it is shown.
  local a = ("a"):rep(199)
  for name, case in pairs {
    ["of 200 characters"] = { a .. "b", a .. "b" },
    ["of more"] = { a .. "bc", a .. "b" },
    ["whose last is of two bytes"] = { a .. "é and more", a .. "é" },
    ["whose last is of four bytes"] = { a .. "\u{1F680}\u{1F680}", a .. "\u{1F680}" },
    ["of other letters"] = { ("ж"):rep(300), ("ж"):rep(200) },
    ["whose last is escaped"] = { a .. '"quoted"', a .. '"' },
    ["with a backslash at its end"] = { a .. "\\\\x", a .. "\\" },
    ["with lines"] = { "x" .. ("\n"):rep(300) .. "x", "x" .. ("\n"):rep(199) },
    ["with a control character"] = { a .. "\1\1", a .. "\1" },
    ["that looks like JSON"] = { '"}],"prompt":"x', '"}],"prompt":"x' },
  } do
    it("cuts a prompt " .. name, function()
      assert.equal(200, served:post("/api/providers/image/fal/submit", { prompt = case[1] }).status)
      assert.equal(case[2], brief(served, "limit=1").tasks[1].prompt)
    end)
  end

  it("says so of a prompt that the registry has cut", function()
    served:post("/api/providers/image/fal/submit", { prompt = ("a long story "):rep(500) })
    assert.truthy(brief(served, "limit=1").tasks[1].prompt:find("^a long story .*%(6499 bytes%)$"))
  end)

  for query, name in pairs {
    ["fields=all"] = "fields", ["fields=brief,"] = "fields", ["fields=briefer"] = "fields",
    ["dry_run=maybe"] = "dry_run", ["dry_run=1"] = "dry_run", ["dry_run=truetrue"] = "dry_run",
    ["until=tomorrow"] = "until", ["until=-1"] = "until",
    ["status=done,finished"] = "status", ["status=done,"] = "status", ["status=,done"] = "status",
    ["status=done,,error"] = "status", ["status=open;done"] = "status", ["status=" .. ("done,"):rep(100) .. "done"] = "status",
    ["provider=fal,"] = "provider", ["provider=,"] = "provider", ["provider=" .. ("x"):rep(64)] = "provider",
    ["provider=" .. ("x,"):rep(32) .. "x"] = "provider",
  } do
    it("refuses " .. query:sub(1, 40), function()
      local answer = served:get("/api/jobs/list?" .. query)
      assert.equal(400, answer.status, answer.body)
      assert.equal(name, answer.json.errors[1].path)
    end)
  end
end)

registry.describe_on_sqlite("a list of a large registry", function()
  local COUNT = 100000
  local PROVIDERS = { { "image", "fal" }, { "image", "stability" }, { "video", "luma" }, { "gpu", "runpod" } }
  local RARE = { [7] = true, [40000] = true, [99000] = true }
  local served, rows = nil, {}

  -- Every second one is live; one in a thousand of those has failed.
  local function make(i)
    local row = { kind = PROVIDERS[i % 4 + 1][1], provider = PROVIDERS[i % 4 + 1][2], live = i % 2 == 0, status = "done" }
    if i % 2000 == 0 then row.status = "error" end
    if i == 2 then row.status = "unknown" elseif i == 4 then row.status = "queued" elseif i == 6 then row.status = "canceled" end
    if RARE[i] then row.provider, row.kind = "pika", "video" end
    rows[i] = row
    return row
  end

  local function count(passes)
    local number = 0
    for i = 1, COUNT do number = number + (passes(rows[i]) and 1 or 0) end
    return number
  end

  setup(function()
    served = start()
    assert.equal(0, served:stop())
    many_jobs.fill(served, COUNT, make)
    served:start_again()
  end)
  teardown(function() served:remove() end)

  it("has a page of a hundred within " .. PAGE_MS .. " ms, wherever it is", function()
    local client = served:connect()
    local cursor, best = "", {}
    for page = 1, 3 do
      best[page] = math.huge
      local answer
      for _ = 1, 10 do
        local began = socket.gettime()
        answer = client:request("GET", "/api/jobs/list?fields=brief&limit=100" .. cursor)
        best[page] = math.min(best[page], (socket.gettime() - began) * 1000)
        assert.equal(100, #answer.json.tasks)
      end
      cursor = "&cursor=" .. tostring(tonumber(answer.json.next) - (40000 * 10 << 12))
    end
    client:close()
    if not os.getenv("SPEC_SLOW") then
      for page = 1, 3 do assert.is_true(best[page] <= PAGE_MS, ("page %d took %.1f ms"):format(page, best[page])) end
    end
  end)

  -- Filters, and which rows they leave.
  local function is(name) return function(row) return row.status == name end end
  for query, passes in pairs {
    ["status=open"] = is "queued",
    ["status=queued,unknown"] = function(row) return row.status == "queued" or row.status == "unknown" end,
    ["status=error,canceled,open"] = function(row) return ("error canceled queued"):find(row.status, 1, true) end,
    ["status=error&dry_run=false"] = is "error",
    ["status=error&dry_run=true"] = function() return false end,
    ["dry_run=false&provider=luma"] = function(row) return row.live and row.provider == "luma" end,
    ["dry_run=true&provider=pika"] = function(row) return not row.live and row.provider == "pika" end,
    ["dry_run=false&provider=pika"] = function(row) return row.live and row.provider == "pika" end,
    ["provider=pika,nobody"] = function(row) return row.provider == "pika" end,
    ["provider=nobody&dry_run=false"] = function() return false end,
  } do
    it("is filtered by " .. query, function()
      local found = all(served, query)
      assert.equal(count(passes), #found)
      local seen, last = {}, "g"
      for _, row in ipairs(found) do
        assert.is_nil(seen[row.job_id])
        assert.is_true(row.job_id < last)
        seen[row.job_id], last = true, row.job_id
      end
    end)
  end

  it("is found page by page where a match is rare, none of which looks at more than 20,000 rows", function()
    local found, pages = all(served, "dry_run=true&provider=pika,luma") -- all of luma's are live
    assert.equal(1, #found)
    assert.equal(2, pages)
    found, pages = all(served, "dry_run=false&provider=pika") -- of live jobs an index knows which
    assert.equal(2, #found)
    assert.equal(1, pages)
  end)

  it("has a day's jobs between since and until, and none twice", function()
    local first = brief(served, "limit=1").tasks[1]
    local middle = brief(served, "limit=1&until=" .. first.created_at).tasks[1]
    local both = brief(served, "since=" .. middle.created_at .. "&until=" .. first.created_at).tasks
    assert.same({ 1, middle.job_id }, { #both, both[1].job_id })
    local newest = brief(served, "limit=500")
    local from, to = newest.tasks[400].created_at, newest.tasks[100].created_at
    local between = brief(served, ("limit=500&since=%s&until=%s"):format(from, to)).tasks
    assert.equal(300, #between)
    assert.same({ newest.tasks[101].job_id, newest.tasks[400].job_id }, { between[1].job_id, between[300].job_id })
    assert.same({}, brief(served, "until=1970-01-01").tasks)
    assert.same({}, brief(served, "until=0").tasks)
    assert.equal(50, #brief(served, "until=2100-01-01").tasks)
  end)
end)

describe("a live job in brief", function()
  local REST = '],"error":null,"reason":null,"warnings":null,"cost":{}}'
  local LOST = '{"artifacts":[{"n":0,"error":"it was too large"},{"n":1,"url":"/x"}' .. REST
  local KEPT = '{"artifacts":[{"content_type":"image/png","width":64,"height":32,"n":0,"url":"/x"}' .. REST
  local served
  setup(function()
    served = start()
    assert.equal(0, served:stop())
    many_jobs.fill(served, 3, function(i)
      return ({
        { live = true, status = "unknown" },
        { live = true, status = "done", result = LOST, spent = 4321, vendor_id = "v-1", request_id = "r-1" },
        { live = true, status = "done", result = KEPT },
      })[i]
    end)
    served:start_again()
  end)
  teardown(function() served:remove() end)

  it("tells its money and its first output", function()
    local rows = brief(served).tasks
    local null = exact.null
    assert.same({ n = 0, url = "/x", content_type = "image/png", width = 64, height = 32 }, rows[1].artifact)
    assert.equal(1, rows[1].artifacts)
    assert.same({ n = 0, url = null, content_type = null, width = null, height = null }, rows[2].artifact)
    assert.equal(2, rows[2].artifacts)
    assert.same({ reserved_usd = 0.006, estimated_usd = 0.003, spent_usd = 0.004321, basis = "vendor" }, rows[2].money)
    assert.equal("v-1", rows[2].vendor_id)
    assert.equal("r-1", rows[2].request_id)
    assert.equal(null, rows[3].artifact)
    assert.equal(null, rows[3].money.spent_usd)
    for _, row in ipairs(rows) do assert.same(MEMBERS, names_of(row)) end
  end)
end)
