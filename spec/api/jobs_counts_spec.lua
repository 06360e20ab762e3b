-- How many jobs stand how: six figures, by filter and by provider, cheap however often they are asked for.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local many_jobs = require "spec.support.many_jobs"
local registry = require "spec.support.registry"
local start = require("spec.support.host").start

local STATUSES = { "queued", "running", "done", "error", "canceled", "unknown" }

local function counts(served, query, headers)
  local answer = served:get("/api/jobs/counts?" .. (query or ""), headers)
  assert(answer.status == 200, answer.body)
  local body = exact.decode(answer.body)
  assert.is_true(body.ok)
  return body
end

describe("the counts of jobs", function()
  local served
  before_each(function() served = start() end)
  after_each(function() served:remove() end)

  it("are zero before there is a job", function()
    local body = counts(served, "by=provider")
    assert.same({}, body.providers)
    for _, status in ipairs(STATUSES) do assert.equal(0, body.counts[status]) end
    assert.is_nil(counts(served).providers)
  end)

  it("follow what is submitted within a second", function()
    for i = 1, 5 do
      served:post("/api/providers/image/fal/submit", { prompt = "a cat" })
      served:within(10, function() return counts(served).counts.done == i end)
    end
    assert.equal(5, counts(served, "by=provider").providers.fal.done)
    assert.equal(exact.null, counts(served, "by=provider").providers.fal.median_seconds)
  end)

  for query, name in pairs {
    ["by=kind"] = "by", ["by=provider,kind"] = "by", ["dry_run=no"] = "dry_run", ["since=yesterday"] = "since",
    ["until=x"] = "until", ["kind=audio"] = "kind", ["provider=a,,b"] = "provider",
  } do
    it("refuse " .. query, function()
      local answer = served:get("/api/jobs/counts?" .. query)
      assert.equal(400, answer.status)
      assert.equal(name, answer.json.errors[1].path)
    end)
  end
end)

registry.describe_on_sqlite("the counts of a large registry", function()
  local COUNT = 100000
  local PROVIDERS = { { "image", "fal" }, { "image", "stability" }, { "video", "luma" }, { "gpu", "runpod" }, { "video", "fal" } }
  local served, rows = nil, {}

  local function make(i)
    local row = { kind = PROVIDERS[i % 5 + 1][1], provider = PROVIDERS[i % 5 + 1][2], live = i % 2 == 0, status = "done" }
    if row.live and i % 1000 < 6 then row.status = STATUSES[i % 1000 + 1] end
    if row.live then row.took_ms = row.provider == "stability" and 2500 or i % 5 == 0 and 1000 * (i % 7) or 4000 end
    if i % 10 == 0 then row.caller = "alice" end
    rows[i] = row
    return row
  end

  setup(function()
    served = start { config = { server = { api_keys = { keys.entry("alice", { sees = "own" }), keys.entry("boss") } } } }
    assert.equal(0, served:stop())
    many_jobs.fill(served, COUNT, make)
    served:start_again()
    served.get = function(host, path, headers) return host:request("GET", path, nil, headers or keys.headers("boss")) end
  end)
  teardown(function() served:remove() end)

  local function expected(passes)
    local sums = {}
    for _, status in ipairs(STATUSES) do sums[status] = 0 end
    for i = 1, COUNT do
      local row = rows[i]
      if passes(row, i) then sums[row.status] = sums[row.status] + 1 end
    end
    return sums
  end

  local function all() return true end
  local function live(row) return row.live end
  for query, passes in pairs {
    [""] = all, ["dry_run=false"] = live, ["dry_run=true"] = function(row) return not row.live end,
    ["kind=image"] = function(row) return row.kind == "image" end,
    ["provider=fal"] = function(row) return row.provider == "fal" end,
    ["provider=fal,luma&kind=video&dry_run=false"] = function(row)
      return row.live and row.kind == "video" and (row.provider == "fal" or row.provider == "luma")
    end,
    ["provider=nobody"] = function() return false end, ["since=2100-01-01"] = function() return false end,
    ["until=2020-01-01"] = function() return false end, ["since=2020-01-01&until=2100-01-01"] = all,
  } do
    it("are right: " .. query, function()
      assert.same(expected(passes), counts(served, query).counts)
    end)
  end

  it("are those between two times, exactly", function()
    local ends = served:get("/api/jobs/list?fields=brief&limit=500").json.tasks
    local from, to = rows[COUNT - 400], rows[COUNT - 100]
    local times = { ends[401].created_at, ends[101].created_at }
    assert.truthy(from and to)
    for name, passes in pairs { ["true"] = function(row) return not row.live end, ["false"] = live, [""] = all } do
      local query = ("since=%s&until=%s&dry_run=%s"):format(times[1], times[2], name)
      assert.same(expected(function(row, i) return i >= COUNT - 400 and i < COUNT - 100 and passes(row) end),
        counts(served, query).counts, query)
    end
  end)

  it("are told by provider, with how long a job takes at its vendor", function()
    local body = counts(served, "by=provider&dry_run=false")
    assert.same(expected(live), body.counts)
    for _, id in ipairs { "fal", "stability", "luma", "runpod" } do
      local sums = body.providers[id]
      local median = sums.median_seconds
      sums.median_seconds = nil
      assert.same(expected(function(row) return row.live and row.provider == id end), sums)
      assert.equal(id == "stability" and 2.5 or 4, median)
    end
    assert.equal(exact.null, counts(served, "by=provider&dry_run=true").providers.fal.median_seconds)
    assert.is_nil(counts(served, "by=provider&dry_run=false&provider=luma").providers.fal)
  end)

  it("are one's own for a key that sees its own", function()
    local own = keys.headers("alice")
    assert.same(expected(function(row) return row.caller end), counts(served, "", own).counts)
    assert.same(expected(function(row) return row.caller and row.live end), counts(served, "dry_run=false", own).counts)
    assert.same(expected(function(row) return row.caller and row.provider == "fal" end),
      counts(served, "by=provider&provider=fal", own).counts)
    assert.same(expected(all), counts(served, "").counts)
  end)

  it("cost nothing while nothing happens, and little where much does", function()
    local client = served:connect()
    local function cpu()
      local file = assert(io.open("/proc/" .. served.pid .. "/stat"))
      local user, system = file:read("a"):match("^%d+ %b() %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)")
      file:close()
      return (user + system) * 10
    end
    local function ask(times)
      for _ = 1, times do
        assert.equal(200, client:request("GET", "/api/jobs/counts?by=provider", nil, keys.headers("boss")).status)
      end
    end
    ask(1)
    local before, queries = cpu(), 900
    ask(queries)
    client:close()
    local each = (cpu() - before) / queries
    assert.is_true(each < 1 or os.getenv("SPEC_SLOW") ~= nil, each .. " ms")
  end)

  it("are the same for many who ask at once while jobs come", function()
    local swarm = require("spec.support.swarm").new()
    local port, told = served.port, 0
    for i = 1, 30 do
      swarm:add(function()
        local last = 0
        for n = 1, 20 do
          local query = i % 3 == 0 and "?by=provider" or i % 3 == 1 and "" or "?since=" .. n
          local answer = assert(swarm.ask(port, "GET", "/api/jobs/counts" .. query, nil, keys.headers("boss")))
          if answer.status == 200 then
            told = told + 1
            assert.is_true(answer.json.counts.done >= last)
            last = i % 3 == 2 and 0 or answer.json.counts.done
          else
            assert.equal(503, answer.status)
          end
          if i % 5 == 0 then
            swarm.ask(port, "POST", "/api/providers/image/fal/submit", { prompt = "a cat" }, keys.headers("boss"))
          end
        end
      end)
    end
    while swarm:is_busy() do swarm:step() end
    assert.is_true(told > 100, told)
    served:eventually(function()
      local sums, list = counts(served).counts, served:get("/api/jobs/list?fields=brief&limit=1").json.tasks
      assert.equal(1, #list)
      return sums.done > expected(all).done
    end)
  end)
end)
