-- fal and Pika with the directory on, against the simulator: what a dry run learns behind it, that a request is judged by the
-- vendor's schema and priced by its list, and that what was estimated is what is billed.
local exact = require "spec.support.exact_json"
local support = require "spec.support.live"

local LIST = "https://api.fal.ai/v1/models/pricing"

describe("fal's directory, on,", function()
  local live
  setup(function()
    live = support.start { config = function(config)
      config.directory = { enabled = true, providers = { fal = { enabled = true }, pika = { enabled = true } } }
    end }
  end)
  teardown(function() live:remove() end)

  local function post(kind, provider, body)
    local answer = live.host:request("POST", ("/api/providers/%s/%s/submit"):format(kind, provider), body)
    return exact.decode(answer.body)
  end

  -- A dry run asks behind: the answer of the first that knows.
  local function until_known(kind, provider, body, is_known)
    return live.host:eventually(function()
      local answer = post(kind, provider, body)
      return is_known(answer) and answer
    end)
  end

  local function is_priced_by_list(answer) return answer.estimates.source == LIST end

  local function is_judged_by_schema(answer)
    return answer.upstream == exact.null and table.concat(answer.warnings, "\n"):find("the vendor's schema", 1, true)
  end

  -- What a live job was expected to cost and what it cost.
  local function costs(kind, provider, body)
    body.dry_run = false
    local job = live:ended(post(kind, provider, body).job_id)
    assert.equal("done", job.status)
    return job.money
  end

  it("prices a picture by the list, and the estimate is what is billed", function()
    local answer = until_known("image", "fal", { prompt = "p", model = "fal-ai/flux/dev" }, is_priced_by_list)
    assert.same({ 0.025, 1 }, { answer.estimates.estimated_cost_usd, answer.estimates.quantity })
    local money = costs("image", "fal", { prompt = "p", model = "fal-ai/flux/dev", max_cost_usd = 1 })
    assert.same({ "computed", 0.025, 0.025 }, { money.basis, money.estimated_usd, money.spent_usd })
  end)

  it("prices a video by the list, also one that is half a unit a second", function()
    local body = { prompt = "p", model = "fal-ai/veo3.1", duration_seconds = 4, parameters = { audio = false } }
    local answer = until_known("video", "fal", body, is_priced_by_list)
    assert.same({ 0.8, 2 }, { answer.estimates.estimated_cost_usd, answer.estimates.quantity })
    body.max_cost_usd = 4
    local money = costs("video", "fal", body)
    assert.same({ 0.8, 0.8 }, { money.estimated_usd, money.spent_usd })
  end)

  it("judges a model that is not described by the vendor's schema, in the client's words", function()
    local body = { prompt = "p", model = "fal-ai/kling-video/v2.1/standard/image-to-video", duration_seconds = 7 }
    local answer = until_known("video", "fal", body, is_judged_by_schema)
    local texts = table.concat(answer.warnings, "\n")
    assert.truthy(texts:find("duration_seconds: ", 1, true))
    assert.truthy(texts:find("image_url: is needed", 1, true))
    body.directory = "ignore"
    assert.same({ prompt = "p", duration = "7" }, post("video", "fal", body).upstream.body)
  end)

  it("knows Pika's models under their whole ids, and keeps the table while it holds", function()
    local body = { prompt = "p", parameters = { frames = { "https://a.example/a.png", "https://a.example/b.png" },
      transitions = { { duration = 6 } }, resolution = "1080p" } }
    local answer = post("video", "pika", body)
    assert.near(0.36, answer.estimates.estimated_cost_usd, 1e-9)
    local money = costs("video", "pika", body)
    assert.same({ 0.36, 0.36 }, { money.estimated_usd, money.spent_usd })
  end)

  it("says of a model that it does not know which are near, and sends it all the same", function()
    local answer = until_known("image", "fal", { model = "fal-ai/flux/deev", prompt = "p" }, function(answer)
      return table.concat(answer.warnings, "\n"):find("did you mean", 1, true)
    end)
    local text = table.concat(answer.warnings, "\n")
    assert.truthy(text:find("fal.ai has no model fal-ai/flux/deev that the directory knows", 1, true))
    assert.truthy(text:find("fal-ai/flux/dev", 1, true))
    assert.equal("p", answer.upstream.body.prompt)
    local known = post("image", "fal", { model = "fal-ai/flux/dev", prompt = "p" })
    assert.is_nil(table.concat(known.warnings, "\n"):find("no model", 1, true))
  end)

  it("says what a call usually costs where the unit tells nothing", function()
    local function is_usual(answer) return answer.estimates.source == LIST .. "/estimate" end
    local answer = until_known("image", "fal", { prompt = "p", model = "openai/gpt-image-2" }, is_usual)
    assert.same({ 0.047, exact.null }, { answer.estimates.estimated_cost_usd, answer.estimates.high_usd })
  end)

  -- A model's kind is not what was asked for, and nothing that it makes is lost.
  for model, content_type in pairs {
    ["somebody/new-video-model"] = "video/mp4", ["minimax/speech-9"] = "audio/wav", ["fal-ai/trellis-3"] = "model/gltf-binary",
  } do
    it("keeps what a model makes that nobody described: " .. model, function()
      local body = { model = model, prompt = "p", parameters = { duration = 2 }, dry_run = false, max_cost_usd = 1 }
      local job = live:ended(post("video", "fal", body).job_id)
      assert.same({ "done", content_type }, { job.status, job.artifacts[1].content_type })
      local file = live.host:request("GET", job.artifacts[1].url)
      assert.same({ 200, job.artifacts[1].bytes }, { file.status, #file.body })
    end)
  end

  it("refuses no model that it does not know", function()
    local answer = post("video", "fal", { model = "somebody/new-video", parameters = { anything = { 1 } } })
    assert.same({ anything = { 1 } }, answer.upstream.body)
    assert.equal(exact.null, answer.estimates.estimated_cost_usd)
  end)
end)
