-- What an agent does, from end to end, by the tools alone: finds a model, asks what it takes and costs, has it run, waits,
-- looks, and makes a film of the picture without ever having its bytes in a text.
local mcp = require "spec.support.mcp"
local support = require "spec.support.live"

local TOKEN = 7

local function start(changes)
  return support.start { config = function(config)
    config.mcp = { live = true, budget_usd = { per_day = 5, per_month = 5 }, approve_above_usd = 1 }
    if changes then changes(config) end
  end }
end

for _, era in ipairs { "modern", "legacy" } do
  describe("an agent of the " .. era .. " era", function()
    local live, agent

    setup(function()
      live = start()
      agent = mcp[era](live.host)
    end)
    teardown(function() live:remove() end)

    local function call(name, arguments, more)
      local found = agent:call(name, arguments, more)
      assert.is_nil(found.refused, found.text)
      return found.data, found
    end

    -- Quotes, submits and waits; the job as it is at its end.
    local function make(request)
      local quote = call("quote", request)
      assert.is_true(quote.live, require("cjson").encode(quote.missing))
      local job = call("submit", { quote_id = quote.quote_id, max_cost_usd = quote.cost.high_usd })
      assert.is_false(job.dry_run)
      local done, found = call("get_job", { job_id = job.job_id, wait_seconds = 50 }, { _meta = { progressToken = TOKEN } })
      assert.equal("done", done.status, found.text)
      for n = 1, #(found.events or {}) - 1 do assert.equal(TOKEN, found.events[n].params.progressToken) end
      return done, found, quote
    end

    it("makes a picture, and a film of it by name", function()
      local row = call("search_models", { kind = "image", query = "schnell", provider = "fal" }).models[1]
      assert.is_true(row.live)
      local model = call("describe_model", { provider = row.provider, model = row.model })
      assert.equal("string", model.inputs.properties.prompt.type)
      local picture, found, quote = make { provider = row.provider, model = row.model, prompt = "a lighthouse at night" }
      assert.equal(quote.cost.expected_usd, picture.money.spent_usd)
      assert.equal("image", found.result.content[2].type)

      local uri = picture.artifacts[1].uri
      local read = agent:ask("resources/read", { uri = uri }).result.contents[1]
      assert.equal(picture.artifacts[1].content_type, read.mimeType)
      local film = make { provider = "runway", model = "image_to_video/gen4.5", prompt = "it begins to rain",
        parameters = { image = uri, duration = 2 } }
      assert.equal("video/mp4", film.artifacts[1].content_type)
      assert.is_truthy(film.money.spent_usd > 0)

      local sent
      for _, request in ipairs(live.simulator:get("/journal?provider=runway&paid=1").json.requests) do sent = request end
      assert.is_table(sent)
      assert.same({ 1, 1 }, { live:paid "fal", live:paid "runway" })
      assert.same({ film.job_id, picture.job_id },
        { call("list_jobs").jobs[1].job_id, call("list_jobs").jobs[2].job_id })
      local budget = call "get_budget"
      assert.equal("mcp", budget.day.of)
      assert.is_true(math.abs(budget.day.spent_usd - film.money.spent_usd - picture.money.spent_usd) < 1e-9)
      assert.equal(1, budget.approve_above_usd)
    end)

    it("finds a job again by the same quote, and is not led to pay twice by a second one", function()
      local request = { provider = "fal", prompt = "a lighthouse by day" }
      local done, _, quote = make(request)
      local again = call("submit", { quote_id = quote.quote_id, max_cost_usd = 1 })
      assert.same({ done.job_id, true, "finished" }, { again.job_id, again.replayed, again.next })
      local second = call("quote", request)
      assert.equal(done.job_id, second.same_request[1].job_id)
      local refused = agent:call("submit", { quote_id = second.quote_id, max_cost_usd = 1 })
      assert.same({ "already_paid", done.job_id }, { refused.data.error, refused.data.job_id })
    end)

    it("is told in a quote what is wrong with an input by name", function()
      local refused = agent:call("quote", { provider = "runway", model = "image_to_video/gen4.5", prompt = "rain",
        parameters = { image = "providerd://jobs/01a21300-0000-7000-8000-000000000002/artifacts/0", duration = 2 } })
      assert.is_true(refused.refused)
      assert.equal("invalid_arguments", refused.data.error)
      assert.equal("parameters.image", refused.data.errors[1].path)
      assert.is_truthy(refused.data.message:find("no such job", 1, true))
    end)
  end)
end

describe("a file that is gone between quote and submit", function()
  local live, agent

  setup(function()
    live = start()
    agent = mcp.modern(live.host)
  end)
  teardown(function() live:remove() end)

  it("sends nothing", function()
    local id = live:job("stability")
    live:ended(id)
    local quote = agent:call("quote", { provider = "runway", model = "image_to_video/gen4.5", prompt = "rain",
      parameters = { image = "providerd://jobs/" .. id .. "/artifacts/0", duration = 2 } }).data
    assert.is_true(quote.live)
    local sha256 = live:status(id).artifacts[1].sha256
    assert(os.remove(("%s/data/artifacts/%s/%s"):format(live.host.home, sha256:sub(1, 2), sha256)))
    local refused = agent:call("submit", { quote_id = quote.quote_id, max_cost_usd = 1 })
    assert.is_true(refused.refused)
    assert.is_truthy(refused.text:find("no longer in the artifacts folder", 1, true), refused.text)
    assert.equal(0, live:paid "runway")
  end)
end)
