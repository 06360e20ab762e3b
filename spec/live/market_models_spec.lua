-- Images and videos of Replicate and RunPod, live against the simulator: they are estimated, registered under their kind, settled
-- by what the vendor bills, and checked by what the vendor publishes of their models.
local support = require "spec.support.live"

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

-- What the vendor says that a job costs, in micro-dollars.
local function billed(live, vendor_id)
  for _, job in ipairs(live.simulator:get("/jobs").json.jobs) do
    if job.id == vendor_id then return job.cost_micro_usd end
  end
  error("the vendor has no job " .. tostring(vendor_id))
end

local JOBS = {
  { "image", "replicate", { prompt = "a lighthouse", parameters = { samples = 3, output_format = "webp" } }, 0.009,
    "image/webp" },
  { "video", "replicate", { prompt = "a lighthouse", duration_seconds = 6, parameters = { resolution = "1080p" } }, 0.432,
    "video/mp4" },
  { "video", "replicate", { prompt = "a lighthouse", model = "google/veo-3.1-fast", parameters = { generate_audio = false } },
    0.8, "video/mp4" },
  { "image", "runpod", { prompt = "a lighthouse" }, 0.002517, "image/png" },
  { "image", "runpod", { prompt = "a lighthouse", model = "seedream-v4-t2i", resolution = "2048x2048" }, 0.113246, "image/png" },
  { "video", "runpod", { prompt = "a lighthouse", parameters = { duration = 8, resolution = "1080p" } }, 0.32, "video/mp4" },
}

describe("an image or a video of a market of models", function()
  local live, answers = nil, {}
  setup(function()
    live = support.start { hurry = 8, simulate = { "--job-time", "600" } }
    for number, case in ipairs(JOBS) do
      case[3].dry_run = false
      answers[number] = live.host:post(("/api/providers/%s/%s/submit"):format(case[1], case[2]), case[3])
    end
  end)
  teardown(function() live:remove() end)

  for number, case in ipairs(JOBS) do
    it(("costs what was estimated and is billed: %s %s, %d"):format(case[2], case[1], number), function()
      local answer = answers[number]
      assert.equal(202, answer.status, answer.body)
      assert.equal(case[1], answer.json.kind)
      assert.equal(micro(case[4]), micro(answer.json.estimates.estimated_cost_usd))
      local job = live:ended(answer.json.job_id)
      assert.equal("done", job.status, tostring(job.reason))
      assert.equal("public." .. case[1] .. ".submit", job.type or job.task or "public." .. case[1] .. ".submit")
      assert.equal(billed(live, job.vendor_id), micro(job.money.spent_usd))
      assert.is_true(math.abs(case[4] - job.money.spent_usd) < 2e-6)
      assert.equal(case[5], job.artifacts[1].content_type)
      if case[2] == "replicate" then assert.equal(case[1] == "image" and 3 or 1, #job.artifacts) end
    end)
  end

  it("is not found under a kind that its flag keeps shut, and is there under the others", function()
    for _, kind in ipairs { "image", "video" } do
      local listed = {}
      for _, entry in ipairs(live.host:get("/api/providers/" .. kind .. "/catalog").json.providers) do listed[entry.id] = true end
      assert.is_true(listed.replicate and listed.runpod)
    end
    assert.equal(404, live.host:post("/api/providers/image/modal/submit", { prompt = "x" }).status)
  end)
end)

describe("the directory of a market of models", function()
  local live
  setup(function()
    live = support.start { hurry = 8, simulate = { "--job-time", "300" }, config = function(config)
      local on = { enabled = true }
      config.directory = { enabled = true, providers = { replicate = on, runpod = on } }
    end }
  end)
  teardown(function() live:remove() end)

  it("tells a dry run what a model does not take, in the client's names, once it was asked for", function()
    local request = { model = "nightmareai/real-esrgan", parameters = { image = "https://example.com/a.png", scale = 20 } }
    local missing = live.host:eventually(function()
      local answer = live.host:post("/api/providers/image/replicate/submit", request).json
      local text = table.concat(answer.live.missing, "; ")
      return text:find("parameters.scale", 1, true) and text
    end)
    assert.is_truthy(missing:find("10", 1, true))
  end)

  it("runs a model that is nobody's official one by the version that the job was checked by", function()
    local request = { job = { model = "nightmareai/real-esrgan", input = { image = "https://example.com/a.png" } },
      dry_run = false, max_cost_usd = 0.5 }
    local answer = live.host:post("/api/providers/gpu/public/replicate/submit", request)
    assert.equal(202, answer.status, answer.body)
    assert.equal("https://api.replicate.com/v1/predictions", answer.json.upstream.url)
    assert.equal("f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa", answer.json.upstream.body.version)
    assert.equal("done", live:ended(answer.json.job_id).status)
  end)

  it("shows what a model takes under the paths of a request, a job's or one of the family's", function()
    local path = "/api/providers/%s/replicate/inputs?model=nightmareai/real-esrgan"
    for kind, place in pairs { ["gpu/public"] = "job.input.", image = "parameters." } do
      local schema = live.host:get(path:format(kind)).json.choice.schema
      assert.equal(10, schema.properties[place .. "scale"].maximum)
      assert.same({ place .. "image" }, schema.required)
    end
  end)

  it("asks RunPod without a key", function()
    local asked = live.host:eventually(function()
      for _, request in ipairs(live.simulator:get("/journal").json.requests) do
        if request.path == "/graphql" then return request end
      end
    end)
    assert.equal("runpod", asked.provider)
    assert.is_falsy(asked.paid)
  end)
end)
