-- Runway and Luma also make pictures, and Runway sound: jobs against the simulator. What is estimated is what is billed.
local support = require "spec.support.live"

local IMAGE_PATH = "/api/providers/image/"

-- provider, the request, dollars, files and their type.
local CASES = {
  { "runway", { prompt = "a lighthouse" }, 0.05, 1, "image/png" },
  { "runway", { prompt = "a lighthouse", parameters = { resolution = "1080p", aspect_ratio = "1:1" } }, 0.08, 1, "image/png" },
  { "runway", { prompt = "a lighthouse", model = "muse_image", parameters = { ratio = "auto", samples = 3 } }, 0.03, 3,
    "image/png" },
  { "runway", { prompt = "a lighthouse", model = "gemini_image3_pro", parameters = { ratio = "4096:4096" } }, 0.4, 1,
    "image/png" },
  { "luma", { prompt = "a lighthouse" }, 0.015, 1, "image/jpeg" },
  { "luma", { prompt = "a lighthouse", model = "uni-1", parameters = { output_format = "png" } }, 0.0404, 1, "image/png" },
}

describe("pictures of the video vendors", function()
  local live, jobs = nil, {}

  setup(function()
    local secrets = {}
    for id, keys in pairs(support.SECRETS) do secrets[id] = keys end
    secrets.luma = { api_key = "luma-planted", agents_api_key = "luma-api-planted" }
    live = support.start { hurry = 8, simulate = { "--job-time", "500" }, secrets = secrets }
    for index, case in ipairs(CASES) do
      local body = { dry_run = false }
      for name, value in pairs(case[2]) do body[name] = value end
      local answer = live.host:post(IMAGE_PATH .. case[1] .. "/submit", body)
      assert(answer.status == 202, answer.body)
      jobs[index] = { id = answer.json.job_id, estimated = answer.json.estimates.estimated_cost_usd, kind = answer.json.kind }
    end
  end)
  teardown(function() live:remove() end)

  for index, case in ipairs(CASES) do
    it(("are made and billed as estimated: %s %s"):format(case[1], case[2].model or "default"), function()
      local job = live:ended(jobs[index].id)
      assert.equal("done", job.status, tostring(job.reason))
      assert.same({ "image", "public.image.submit", case[3] }, { jobs[index].kind, job.kind, jobs[index].estimated })
      assert.equal(case[3], job.money.spent_usd)
      assert.equal(case[4], #job.artifacts)
      for _, artifact in ipairs(job.artifacts) do assert.equal(case[5], artifact.content_type) end
    end)
  end

  it("are not all that is kept: sound is, too, whose price nobody knows", function()
    local body = { dry_run = false, prompt = "rain", model = "sound_effect/eleven_text_to_sound_v2", duration = 2 }
    local answer = live.host:post("/api/providers/video/runway/submit", body)
    assert.is_not_equal(202, answer.status)
    body.max_cost_usd = 0.05
    answer = live.host:post("/api/providers/video/runway/submit", body)
    assert.equal(202, answer.status, answer.body)
    local job = live:ended(answer.json.job_id)
    assert.same({ "done", "audio/wav", 0.01 }, { job.status, job.artifacts[1].content_type, job.money.spent_usd })
  end)

  it("cost what other jobs of the kind have cost, once there were three", function()
    local body = { dry_run = false, prompt = "rain", model = "sound_effect/seed_audio", max_cost_usd = 0.05 }
    for _ = 1, 3 do
      local answer = live.host:post("/api/providers/video/runway/submit", body)
      assert.equal("done", live:ended(answer.json.job_id).status)
    end
    body.dry_run, body.max_cost_usd = true, nil
    local estimates = live.host:post("/api/providers/video/runway/submit", body).json.estimates
    assert.same({ 0.01, "observed" }, { estimates.estimated_cost_usd, estimates.source })
  end)
end)
