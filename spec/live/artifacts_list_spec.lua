-- What live jobs made, as one list: every output of every job, newest first, page by page, by every filter, as its job shows it.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local many_jobs = require "spec.support.many_jobs"
local Odd = require "spec.support.odd_outputs"
local registry = require "spec.support.registry"
local socket = require "socket"
local sql = require("spec.support.shell").sql
local start = require("spec.support.host").start
local support = require "spec.support.live"
local swarm_of = require("spec.support.swarm").new

local file = Odd.file
local null = exact.null
local MEMBERS = {
  "bytes", "content_type", "cost_usd", "created_at", "error", "filename", "height", "job_id", "kind", "model", "n", "prompt",
  "provider", "seed", "sha256", "source_host", "url", "width",
}

local function list(host, query, headers)
  local answer = host:get("/api/artifacts?" .. (query or ""), headers)
  assert(answer.status == 200, answer.body)
  return exact.decode(answer.body)
end

local function all(host, query, headers)
  local rows, pages, cursor = {}, 0, ""
  repeat
    local page = list(host, (query or "") .. cursor, headers)
    for _, row in ipairs(page.artifacts) do rows[#rows + 1] = row end
    pages = pages + 1
    assert(pages < 1000, "it does not end")
    cursor = page.next ~= null and "&cursor=" .. page.next
  until not cursor
  return rows, pages
end

local function names(rows)
  local list_of = {}
  for i, row in ipairs(rows) do list_of[i] = ("%s %d"):format(row.job_id, row.n) end
  return list_of
end

-- What the jobs of the registry say, newest first.
local function outputs_of(host, passes)
  local rows = {}
  for _, job in ipairs(host:get("/api/jobs/list?limit=500").json.tasks) do
    for _, artifact in ipairs(job.artifacts) do
      if not passes or passes(job, artifact) then rows[#rows + 1] = ("%s %d"):format(job.job_id, artifact.n) end
    end
  end
  return rows
end

describe("the outputs of live jobs", function()
  local live
  setup(function()
    live = support.start { hurry = 8, config = function(config)
      config.server.api_keys = { keys.entry("alice", { sees = "own" }), keys.entry("boss") }
    end }
    live.host.get = function(host, path, headers) return host:request("GET", path, nil, headers or keys.headers("boss")) end
    for i, id in ipairs { "fal", "stability", "luma", "runpod", "replicate", "fal" } do
      local headers = keys.headers(i == 6 and "alice" or "boss")
      local changes = id == "fal" and { prompt = "ünï " .. i, parameters = { samples = 2, seed = 42 } } or nil
      if i == 6 then changes = { prompt = "alice's own" } end
      local answer = live:submit(id, changes, headers)
      assert.equal(202, answer.status, answer.body)
      live:becomes(answer.json.job_id, "done")
    end
    live.host:post("/api/providers/image/fal/submit", { prompt = "a dry run" }, keys.headers("alice"))
  end)
  teardown(function() live:remove() end)

  it("are all there, as their jobs show them", function()
    local rows = list(live.host).artifacts
    assert.same(outputs_of(live.host), names(rows))
    assert.is_true(#rows >= 6)
    for _, row in ipairs(rows) do
      local job = exact.decode(live.host:get("/api/jobs/status/" .. row.job_id).body)
      local brief = exact.decode(live.host:get("/api/jobs/list?fields=brief&limit=500").body).tasks
      local found = {}
      for name in pairs(row) do found[#found + 1] = name end
      table.sort(found)
      assert.same(MEMBERS, found)
      local own = job.artifacts[row.n + 1]
      for _, name in ipairs { "url", "content_type", "bytes", "sha256", "filename", "width", "height", "seed", "source_host" } do
        assert.same(own[name] == nil and null or own[name], row[name], name)
      end
      assert.equal(null, row.error)
      assert.equal(job.kind, "public." .. row.kind .. ".submit")
      assert.equal(job.provider, row.provider)
      assert.equal(job.created_at, row.created_at)
      assert.same(job.money.spent_usd, row.cost_usd)
      for _, task in ipairs(brief) do
        if task.job_id == row.job_id then assert.same({ task.prompt, task.model }, { row.prompt, row.model }) end
      end
    end
  end)

  for limit = 1, 4 do
    it("are read in pages of " .. limit, function()
      assert.same(outputs_of(live.host), names((all(live.host, "limit=" .. limit))))
    end)
  end

  local function media(artifact) return artifact.content_type:match("^[^/]+") end
  for query, passes in pairs {
    ["type=image"] = function(_, artifact) return media(artifact) == "image" end,
    ["type=video"] = function(_, artifact) return media(artifact) == "video" end,
    ["type=image,video"] = function(_, artifact) return media(artifact) == "image" or media(artifact) == "video" end,
    ["type=audio,text"] = function(_, artifact) return media(artifact) == "text" or media(artifact) == "audio" end,
    ["type=other"] = function(_, artifact) return media(artifact) == "application" end,
    ["kind=image"] = function(job) return job.kind:find("image", 1, true) end,
    ["kind=gpu&type=image"] = function(job, artifact) return job.kind:find("gpu") and media(artifact) == "image" end,
    ["provider=fal"] = function(job) return job.provider == "fal" end,
    ["provider=luma,stability"] = function(job) return job.provider == "luma" or job.provider == "stability" end,
    ["provider=LUMA-AI"] = function(job) return job.provider == "luma" end,
    ["provider=nobody"] = function() return false end,
    ["since=2020-01-01&until=2100-01-01"] = function() return true end,
    ["since=2100-01-01"] = function() return false end,
    ["until=2020-01-01"] = function() return false end,
    ["type=&kind=&provider=&since=&until=&cursor=&limit="] = function() return true end,
  } do
    it("are filtered by " .. query, function()
      local expected = outputs_of(live.host, passes)
      assert.same(expected, names(list(live.host, query).artifacts))
      assert.same(expected, names((all(live.host, query .. "&limit=1"))))
    end)
  end

  it("begin and end with a time, and none is there twice", function()
    local row = list(live.host).artifacts[3]
    local before, after = list(live.host, "until=" .. row.created_at), list(live.host, "since=" .. row.created_at)
    assert.equal(#outputs_of(live.host), #before.artifacts + #after.artifacts)
    assert.equal(row.job_id, after.artifacts[#after.artifacts].job_id)
  end)

  it("are one's own for a key that sees its own", function()
    local rows = list(live.host, "", keys.headers("alice")).artifacts
    assert.is_true(#rows >= 1)
    for _, row in ipairs(rows) do assert.equal("alice's own", row.prompt) end
    assert.same({}, list(live.host, "provider=luma", keys.headers("alice")).artifacts)
    assert.same(names(rows), names((all(live.host, "limit=1", keys.headers("alice")))))
    assert.equal(401, live.host:request("GET", "/api/artifacts").status)
  end)

  for query, name in pairs {
    ["type=picture"] = "type", ["type=image,"] = "type", ["type=,image"] = "type", ["type=image/png"] = "type",
    ["type=" .. ("image,"):rep(20) .. "image"] = "type", ["kind=audio"] = "kind", ["provider=fal,"] = "provider",
    ["since=yesterday"] = "since", ["until=x"] = "until", ["limit=0"] = "limit", ["limit=501"] = "limit",
    ["cursor=1"] = "cursor", ["cursor=x.1"] = "cursor", ["cursor=1.x"] = "cursor", ["cursor=0.0"] = "cursor",
    ["cursor=-1.0"] = "cursor",
    ["cursor=1."] = "cursor", ["cursor=.1"] = "cursor", ["cursor=1.2.3"] = "cursor", ["cursor=1.512"] = "cursor",
    ["cursor=9223372036854775808.0"] = "cursor", ["cursor=1.9999999999999999999999"] = "cursor",
  } do
    it("are not listed by " .. query:sub(1, 40), function()
      local answer = live.host:get("/api/artifacts?" .. query)
      assert.equal(400, answer.status, answer.body)
      assert.equal(name, answer.json.errors[1].path)
    end)
  end

  it("say when a file is gone", function()
    local row = list(live.host, "limit=1").artifacts[1]
    live.host:delete("data/artifacts/" .. row.sha256:sub(1, 2) .. "/" .. row.sha256)
    local lost = list(live.host, "limit=1").artifacts[1]
    assert.equal(410, live.host:get("/api/jobs/" .. row.job_id .. "/artifacts/" .. row.n).status)
    assert.truthy(lost.error:find("no longer", 1, true))
    assert.equal(null, lost.url)
    assert.equal(row.sha256, lost.sha256)
  end)

  it("come from the registry's older jobs too, after the next start", function()
    local before = list(live.host, "limit=500").artifacts
    assert.equal(0, live.host:stop())
    sql(live.host, "DELETE FROM artifact; UPDATE artifact_filled SET sequence = (SELECT max(sequence) + 1 FROM live)")
    live.host:start_again()
    live.host:eventually(function() return #list(live.host, "limit=500").artifacts == #before end)
    assert.same(before, list(live.host, "limit=500").artifacts)
    assert.same(names(before), outputs_of(live.host))
    assert.equal("0\n", sql(live.host, "SELECT sequence FROM artifact_filled"))
    local again = sql(live.host, "SELECT * FROM artifact")
    assert.equal(0, live.host:stop())
    sql(live.host, "UPDATE artifact_filled SET sequence = (SELECT max(sequence) + 1 FROM live)")
    live.host:start_again()
    live.host:eventually(function() return sql(live.host, "SELECT sequence FROM artifact_filled") == "0\n" end)
    assert.equal(again, sql(live.host, "SELECT * FROM artifact"))
  end)

  it("go with their jobs", function()
    assert.is_true(#list(live.host).artifacts > 0)
    assert.not_equal("0\n", sql(live.host, "SELECT count(*) FROM upstream"))
    assert.equal(0, live.host:stop())
    local month = 31 * 86400000
    for _, name in ipairs { "task", "live", "ledger", "artifact", "upstream" } do
      sql(live.host, ("UPDATE %s SET sequence = sequence - (%d << 12)"):format(name, month))
    end
    sql(live.host, ("UPDATE task SET updated_ms = updated_ms - %d"):format(month))
    if not live.host.database then sql(live.host, "DELETE FROM task_index; UPDATE task_indexed SET sequence = 0") end
    live.host:start_again()
    live.host:eventually(function() return sql(live.host, "SELECT count(*) FROM task") == "0\n" end)
    assert.equal("0\n", sql(live.host, "SELECT count(*) FROM artifact"))
    assert.equal("0\n", sql(live.host, "SELECT count(*) FROM upstream"))
    assert.same({}, list(live.host).artifacts)
  end)
end)

describe("outputs that were lost", function()
  local odd
  setup(function() odd = Odd.start() end)
  teardown(function() odd:remove() end)

  it("stay in the list, and say why", function()
    local job = odd:job { file("ok.png"), file("gone"), { text = "small" }, { json = { a = 1 } }, file("nowhere") }
    local rows = list(odd.host).artifacts
    assert.equal(5, #rows)
    for n, row in ipairs(rows) do
      assert.equal(n - 1, row.n)
      assert.equal(job.artifacts[n].error or null, row.error)
      assert.equal(job.artifacts[n].url or null, row.url)
      assert.equal(job.artifacts[n].source_host or null, row.source_host)
    end
    assert.truthy(rows[2].error:find("410", 1, true))
    assert.same({ null, null, null }, { rows[2].content_type, rows[2].bytes, rows[2].sha256 })
    assert.same({ 0, 1, 4 }, (function(found) -- what the job would have made, as far as anybody knows
      for i, row in ipairs(found) do found[i] = row.n end
      return found
    end)(list(odd.host, "type=image").artifacts))
    assert.equal(1, #list(odd.host, "type=text").artifacts)
    assert.equal(1, #list(odd.host, "type=other").artifacts)
  end)
end)

describe("many clients that list while jobs end", function()
  local live
  setup(function() live = support.start { hurry = 8, config = function(config) config.server.threads = 256 end } end)
  teardown(function() live:remove() end)

  it("each see whole rows, newest first, none twice, and in the end all of them", function()
    local swarm, open, listed, port = swarm_of(), 40, 0, live.host.port
    local PATHS = {
      "/api/artifacts?limit=3", "/api/jobs/list?fields=brief&limit=7&dry_run=false",
      "/api/jobs/list?fields=brief&status=open,done&limit=5",
      "/api/artifacts?limit=500&type=image", "/api/events/history?fields=brief&limit=20",
    }
    local function follow(path)
      local last, cursor = "g", ""
      repeat
        local answer = assert(swarm.ask(port, "GET", path .. cursor))
        assert.equal(200, answer.status, answer.body)
        for _, row in ipairs(answer.json.artifacts or answer.json.tasks or {}) do
          local place = row.job_id .. (row.n and ("%03d"):format(500 - row.n) or "")
          assert.is_true(place < last, path)
          last = place
        end
        listed = listed + 1
        cursor = type(answer.json.next) == "string" and not answer.json.events and "&cursor=" .. answer.json.next
      until not cursor
    end
    for _, path in ipairs(PATHS) do
      for _ = 1, 4 do
        swarm:add(function()
          while open > 0 do follow(path) end
          follow(path)
        end)
      end
    end
    for i = 1, 40 do
      swarm:add(function()
        local id = i % 3 == 0 and "stability" or i % 3 == 1 and "fal" or "replicate"
        local answer = assert(swarm.ask(port, "POST", live:path(id, "submit"), support.body(id)))
        assert.equal(202, answer.status)
        repeat
          swarm.pause(0.2)
          local status = assert(swarm.ask(port, "GET", "/api/jobs/status/" .. answer.json.job_id)).json.status
        until status == "done" or status == "error"
        open = open - 1
      end)
    end
    while swarm:is_busy() do swarm:step() end
    assert.is_true(listed > 100, listed)
    assert.same(outputs_of(live.host), names((all(live.host, "limit=7"))))
    assert.equal(40, #live.host:get("/api/jobs/list?status=done&dry_run=false&limit=500").json.tasks)
  end)
end)

registry.describe_on_sqlite("the outputs of a large registry", function()
  local COUNT, PAGE_MS = 50000, 20
  local RESULT = '{"artifacts":[%s],"error":null,"reason":null,"warnings":null,"cost":{"usd":0.003,"source":"vendor"}}'
  local ENTRY = '{"n":%d,"url":"/api/jobs/x/artifacts/%d","content_type":"%s","bytes":123456,"sha256":"' .. ("a"):rep(64)
    .. '","filename":"a.png","width":1024,"height":1024,"seed":18446744073709551615,"source_host":"v3.fal.media"}'
  local host, began, started

  local function result(i)
    local entries = {}
    for n = 0, i % 3 do entries[n + 1] = ENTRY:format(n, n, i % 20000 == 0 and "video/mp4" or "image/png") end
    return RESULT:format(table.concat(entries, ","))
  end

  setup(function()
    host = start()
    assert.equal(0, host:stop())
    many_jobs.fill(host, COUNT, function(i)
      return { live = true, result = result(i), caller = i % 10000 == 0 and "alice" or nil }
    end)
    began = socket.gettime()
    host:start_again()
    started = socket.gettime() - began
  end)
  teardown(function() host:remove() end)

  it("are found bit by bit, the newest first, while the host serves", function()
    assert.is_true(started < 5 or os.getenv("SPEC_SLOW") ~= nil, started)
    host:eventually(function() return #list(host, "limit=10").artifacts == 10 end)
    assert.equal(0, host:kill() and 0) -- it goes on where it was
    host:start_again()
    host:eventually(function() return sql(host, "SELECT sequence FROM artifact_filled") == "0\n" end, 120)
    local expected = 0
    for i = 1, COUNT do expected = expected + i % 3 + 1 end
    assert.equal(tostring(expected), sql(host, "SELECT count(*) FROM artifact"):match("%d+"))
  end)

  it("come in pages within " .. PAGE_MS .. " ms", function()
    local client, best = host:connect(), math.huge
    for _ = 1, 10 do
      local at = socket.gettime()
      local answer = client:request("GET", "/api/artifacts?limit=100")
      best = math.min(best, (socket.gettime() - at) * 1000)
      assert.equal(100, #answer.json.artifacts)
    end
    client:close()
    assert.is_true(best <= PAGE_MS or os.getenv("SPEC_SLOW") ~= nil, best)
  end)

  it("are found where they are rare, none of whose pages looks at more than 20,000", function()
    local rows, pages = all(host, "type=video")
    assert.equal(3 + 2, #rows) -- of the jobs 20,000 and 40,000
    assert.is_true(pages == 5 or pages == 6, pages) -- 100,000 outputs
  end)
end)
