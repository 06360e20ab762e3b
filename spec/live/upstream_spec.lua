-- The exact request of a live job, as it was previewed when it was registered: kept with the job, shown by its status alone.
local exact = require "spec.support.exact_json"
local providers = require "spec.support.providers"
local sql = require("spec.support.shell").sql
local support = require "spec.support.live"

local function status(live, id)
  local answer = live.host:get("/api/jobs/status/" .. id)
  assert(answer.status == 200, answer.body)
  return exact.decode(answer.body), answer.body
end

describe("the request of a live job", function()
  local live, jobs
  setup(function()
    live = support.start { hurry = 8 }
    jobs = {}
    for id in pairs(support.KINDS) do
      local answer = live.host:post(live:path(id, "submit"), support.body(id))
      assert.equal(202, answer.status, answer.body)
      jobs[id] = exact.decode(answer.body)
    end
  end)
  teardown(function() live:remove() end)

  for id in pairs(support.KINDS) do
    it("is shown by its status, as the submit showed it: " .. id, function()
      local job, text = status(live, jobs[id].job_id)
      assert.equal("table", type(job.upstream))
      assert.equal(exact.encode(jobs[id].upstream), exact.encode(job.upstream))
      for _, secret in pairs(support.SECRETS[id]) do assert.is_nil(text:find(secret, 1, true)) end
      assert.truthy(text:find("{[a-z_]+}"), "the credential's place")
    end)
  end

  it("is shown with the trace that it came with", function()
    local trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert.equal(trace, status(live, live:job("fal", {}, { traceparent = trace })).trace)
    assert.equal(exact.null, status(live, jobs.fal.job_id).trace)
  end)

  it("is there after the end, and after a kill -9", function()
    local id = live:job("luma")
    local before = status(live, id).upstream
    live.host:kill()
    live.host:start_again()
    assert.same(before, status(live, id).upstream)
    live:ended(id)
    assert.same(before, status(live, id).upstream)
    assert.equal("string", type(before.url))
  end)

  it("is written in the commit that registers the job", function()
    assert.equal("0\n", sql(live.host, "SELECT count(*) FROM live WHERE sequence NOT IN (SELECT sequence FROM upstream)"))
  end)

  it("has long texts cut, and files by their size", function()
    local picture = "data:image/png;base64,iVBORw0KGgoA" .. ("A"):rep(8000)
    local id = live:job("runway", { parameters = { duration = 2, image = picture } })
    local _, text = status(live, id)
    assert.is_nil(text:find(("A"):rep(4000), 1, true))
    assert.truthy(text:find("%(80%d%d bytes%)"), text)
    local answer = live.host:post(live:path("stability", "submit"), support.body("stability", { mode = "image-to-image",
      parameters = { image = picture, strength = 0.5 } }))
    assert.equal(202, answer.status, answer.body)
    local form = status(live, answer.json.job_id).upstream.form
    local sizes = 0
    for _, part in ipairs(form) do sizes = sizes + (part.bytes and 1 or 0) end
    assert.equal(1, sizes)
  end)

  it("is in no list and in no event", function()
    for _, path in ipairs { "jobs/list?limit=500", "jobs/list?fields=brief&limit=500", "events/history?limit=500" } do
      assert.is_nil(live.host:get("/api/" .. path).body:find('"upstream"', 1, true), path)
    end
  end)

  it("is not known of a job from before it was kept", function()
    local id = live:job("fal")
    live:ended(id)
    assert.equal(0, live.host:stop())
    sql(live.host, "DELETE FROM upstream WHERE sequence = (SELECT max(sequence) FROM live)")
    live.host:start_again()
    assert.equal(exact.null, status(live, id).upstream)
  end)

  it("is nothing that a dry run has", function()
    local rows = sql(live.host, "SELECT count(*) FROM upstream")
    local id = providers.submit(live.host, providers.fal).job_id
    assert.is_nil(status(live, id).upstream)
    assert.equal(rows, sql(live.host, "SELECT count(*) FROM upstream"))
  end)
end)
