-- Search in lists of jobs and of outputs: by words of the prompt and by ids, bounded, and without a pattern's power.
local keys = require "spec.support.keys"
local many_jobs = require "spec.support.many_jobs"
local registry = require "spec.support.registry"
local start = require("spec.support.host").start

local function quote(text)
  return (text:gsub("[^%w]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local function ask(served, path, q, more, headers)
  local answer = served:get(("/api/%s?limit=500&q=%s%s"):format(path, quote(q), more or ""), headers)
  assert(answer.status == 200, answer.body)
  return answer.json
end

-- Every page of a search: the ids, and how many pages it took.
local function find(served, path, q, more, headers)
  local ids, pages, cursor = {}, 0, ""
  repeat
    local page = ask(served, path, q, (more or "") .. cursor, headers)
    for _, row in ipairs(page.tasks or page.artifacts) do ids[#ids + 1] = row.job_id end
    pages = pages + 1
    assert(pages < 100, "it does not end")
    cursor = type(page.next) == "string" and "&cursor=" .. page.next
  until not cursor
  return ids, pages
end

describe("a search for jobs", function()
  local PROMPTS = {
    "A Lighthouse at Night, in a storm", "Ein ÄHRENFELD im Wind", "МОСКВА зимой", "ΟΔΥΣΣΕΥΣ", "50% off_sale [a-z]* \\d+ (x|y) ?",
    'a "quoted" word\nand\ta line', "漢字の看板", "\u{1F680} rocket", "plain", "a cab",
  }
  local served, ids = nil, {}
  setup(function()
    served = start()
    for i, prompt in ipairs(PROMPTS) do
      local headers = { ["X-Request-Id"] = "request-" .. i * 11111 }
      local answer = served:post("/api/providers/image/fal/submit", { prompt = prompt }, headers)
      assert.equal(200, answer.status, answer.body)
      ids[i] = answer.json.job_id
    end
  end)
  teardown(function() served:remove() end)

  -- Words, and the numbers of the prompts that they find.
  for q, numbers in pairs {
    ["lighthouse"] = { 1 }, ["LIGHTHOUSE"] = { 1 }, ["ighthous"] = { 1 }, ["storm lighthouse"] = { 1 },
    ["  night   storm "] = { 1 },
    ["lighthouse wind"] = {},
    ["ährenfeld"] = { 2 }, ["Ährenfeld"] = { 2 }, ["москва"] = { 3 }, ["Москва ЗИМОЙ"] = { 3 },
    ["οδυσσευς"] = { 4 }, ["ὀδυσσεύς"] = {},
    ["50%"] = { 5 }, ["%"] = { 5 }, ["_"] = { 5 }, ["l_ghthouse"] = {}, ["l%house"] = {},
    ["[a-z]*"] = { 5 }, ["\\d+"] = { 5 }, ["(x|y)"] = { 5 }, ["?"] = { 5 }, [".*"] = {}, ['"quoted"'] = { 6 }, ["quoted"] = { 6 },
    ["漢字"] = { 7 }, ["字の"] = { 7 }, ["\u{1F680}"] = { 8 }, ["' OR 1=1 --"] = {}, ["cab"] = { 10 }, ["plain"] = { 9 },
    ["prompt"] = {}, ["resolution"] = {}, ["\\n"] = {},
  } do
    it("finds " .. q, function()
      local expected = {}
      for i = #numbers, 1, -1 do expected[#expected + 1] = ids[numbers[i]] end
      assert.same(expected, find(served, "jobs/list", q))
      assert.same(expected, find(served, "jobs/list", q, "&fields=brief&provider=fal&status=done"))
    end)
  end

  it("finds everything when nothing is looked for", function()
    for _, q in ipairs { "", " ", "     " } do assert.equal(#PROMPTS, #find(served, "jobs/list", q)) end
  end)

  it("finds a job by its id, in either case, by its beginning and by a part", function()
    for _, id in ipairs { ids[3], ids[3]:upper(), ids[3]:sub(1, 30), ids[3]:sub(-12), ids[3]:sub(-8) } do
      assert.same({ ids[3] }, find(served, "jobs/list", id))
    end
  end)

  it("finds a job by its request", function()
    assert.same({ ids[3] }, find(served, "jobs/list", "request-33333"))
    assert.same({ ids[3] }, find(served, "jobs/list", "REQUEST-333"))
    assert.equal(#ids, #find(served, "jobs/list", "request-"))
  end)

  it("keeps to the other filters", function()
    assert.same({}, find(served, "jobs/list", ids[3], "&provider=luma"))
    assert.same({}, find(served, "jobs/list", ids[3], "&dry_run=false"))
    assert.same({}, find(served, "jobs/list", "lighthouse", "&until=2020-01-01"))
    assert.same({ ids[1] }, find(served, "jobs/list", "lighthouse", "&kind=image&dry_run=true"))
  end)

  for name, q in pairs {
    ["too long"] = ("x"):rep(201), ["much too long"] = ("x"):rep(5000), ["too long with blanks"] = (" "):rep(1000) .. "x",
    ["of too many words"] = ("a "):rep(9), ["too long, of other letters"] = ("ж"):rep(101),
  } do
    for _, path in ipairs { "jobs/list", "artifacts" } do
      it("refuses what is " .. name .. ": " .. path, function()
        local answer = served:get("/api/" .. path .. "?q=" .. quote(q))
        assert.equal(400, answer.status)
        assert.equal("q", answer.json.errors[1].path)
      end)
    end
  end

  it("takes what is just not too long", function()
    for _, q in ipairs { ("x"):rep(200), ("ж"):rep(100), ("a "):rep(8), "  " .. ("x"):rep(200) .. "  " } do
      assert.equal(200, served:get("/api/jobs/list?q=" .. quote(q)).status)
    end
  end)

  it("refuses what is no text", function()
    for _, q in ipairs { "%ff", "%c3", "%00", "%ed%a0%80", "%c0%af" } do
      assert.equal(400, served:get("/api/jobs/list?q=" .. q).status, q)
    end
  end)
end)

registry.describe_on_sqlite("a search in a large registry", function()
  local COUNT, RARE = 60000, { 5, 15000, 59999 }
  local RESULT = '{"artifacts":[{"n":0,"url":"/x","content_type":"image/png"}],"error":null}'
  local served, ids

  setup(function()
    served = start { config = { server = { api_keys = { keys.entry("alice", { sees = "own" }), keys.entry("boss") } } } }
    assert.equal(0, served:stop())
    ids = many_jobs.fill(served, COUNT, function(i)
      local live = i % 2 == 1
      local row = { live = live, result = live and RESULT or nil, request_id = ("request%08d"):format(i) }
      if live and i % 10 ~= 7 then row.caller = "alice" end -- more than one page of them
      if live then row.vendor_id = ("VENDOR-%d-x"):format(i) end
      for _, rare in ipairs(RARE) do if i == rare then row.prompt = "a Needle in " .. i end end
      return row
    end)
    served:start_again()
    served.get = function(host, path, headers) return host:request("GET", path, nil, headers or keys.headers("boss")) end
    served:eventually(function() return #find(served, "artifacts", "needle") == 2 end, 120) -- they are found behind the start
  end)
  teardown(function() served:remove() end)

  it("looks at 20,000 rows a page, and goes on", function()
    local found, pages = find(served, "jobs/list", "needle")
    assert.same({ ids[59999], ids[15000], ids[5] }, found)
    assert.equal(4, pages)
    found, pages = find(served, "jobs/list", "needle", "&status=done&provider=fal&dry_run=true")
    assert.same({ ids[15000] }, found)
    assert.is_true(pages >= 3)
    found, pages = find(served, "artifacts", "needle")
    assert.same({ ids[59999], ids[5] }, found)
    assert.equal(2, pages)
    local page = ask(served, "jobs/list", "needle", "&cursor=" .. ask(served, "jobs/list", "needle").next)
    assert.same({ 0, "string" }, { #page.tasks, type(page.next) })
  end)

  it("finds an id at once, wherever it is", function()
    for _, path in ipairs { "jobs/list", "artifacts" } do
      for _, q in ipairs { ids[5], ids[5]:upper(), "VENDOR-5-x", "request00000005" } do
        local page = ask(served, path, q)
        local rows = page.tasks or page.artifacts
        assert.same({ 1, ids[5] }, { #rows, rows[1].job_id }, q)
        assert.equal("userdata", type(page.next), q)
      end
    end
    assert.same({ ids[6] }, find(served, "jobs/list", ids[6])) -- of a dry run too
    assert.same({}, find(served, "artifacts", ids[6]))
  end)

  it("finds ids of dry runs' requests bit by bit", function()
    local found, pages = find(served, "jobs/list", "request00000006")
    assert.same({ ids[6] }, found)
    assert.is_true(pages > 1)
  end)

  it("does not stop at a vendor's id in another case, but finds it", function()
    local found, pages = find(served, "jobs/list", "vendor-5-X")
    assert.same({ ids[5] }, found)
    assert.is_true(pages > 1)
  end)

  it("finds one's own only for a key that sees its own", function()
    local alice = keys.headers("alice")
    assert.same({ ids[59999], ids[5] }, find(served, "jobs/list", "needle", nil, alice))
    assert.same({ ids[59999], ids[5] }, find(served, "artifacts", "needle", nil, alice))
    assert.same({}, find(served, "jobs/list", "number 60000", nil, alice))
    for _, path in ipairs { "jobs/list", "artifacts" } do
      for _, q in ipairs { ids[5], "VENDOR-5-x", "request00000005" } do
        assert.same({ ids[5] }, find(served, path, q, nil, alice))
      end
      -- another's is not there, and looks like one that is nowhere
      for _, q in ipairs {
        { ids[7], "01a20000-0000-7000-8000-000000000000" }, { "VENDOR-7-x", "VENDOR-x-x" }, { "request00000007", "requestx" },
      } do
        local foreign, absent = ask(served, path, q[1], nil, alice), ask(served, path, q[2], nil, alice)
        assert.same({ absent.tasks or absent.artifacts, absent.next }, { foreign.tasks or foreign.artifacts, foreign.next })
        assert.same({}, find(served, path, q[1], nil, alice))
      end
    end
  end)

  it("goes from page to page of an id that many have", function()
    assert.equal(0, served:stop())
    require("spec.support.shell").sql(served, "UPDATE task SET request_id = 'the-same-for-all' WHERE sequence IN"
      .. " (SELECT sequence FROM live ORDER BY sequence DESC LIMIT 7)")
    served:start_again()
    local newest = served:get("/api/jobs/list?dry_run=false&limit=7").json.tasks
    local found, cursor = {}, ""
    repeat
      local page = served:get("/api/jobs/list?limit=3&q=the-same-for-all" .. cursor).json
      for _, row in ipairs(page.tasks) do found[#found + 1] = row.job_id end
      cursor = type(page.next) == "string" and "&cursor=" .. page.next
    until not cursor
    for i, row in ipairs(newest) do newest[i] = row.job_id end
    assert.same(newest, found)
  end)
end)
