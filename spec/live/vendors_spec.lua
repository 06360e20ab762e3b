-- Live jobs of each vendor's own ways, against the simulator: what a job costs is what the vendor bills, to the micro-dollar;
-- what is not taken yet is sent again; what was lost is found where the vendor can be asked; a pod ends by itself. The jobs of
-- one host run side by side: they are submitted first and looked at then.
local support = require "spec.support.live"

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

-- What the vendor says that a job costs, in micro-dollars; nil when it has no figure.
local function billed(live, vendor_id)
  for _, job in ipairs(live.simulator:get("/jobs").json.jobs) do
    if job.id == vendor_id then return type(job.cost_micro_usd) == "number" and job.cost_micro_usd or nil end
  end
  error("the vendor has no job " .. tostring(vendor_id))
end

local PUBLIC = { job = { endpoint_id = "z-image-turbo", input = { prompt = "a lighthouse" } } }
local DEDICATED = { job = { model = "black-forest-labs/flux-schnell", input = { prompt = "a lighthouse" },
  hardware = "gpu-l40s", seconds = 1 }, max_cost_usd = 2 }
local POD = { job = { pod = { name = "train", image = "img", gpu = { id = "NVIDIA GeForce RTX 4090" } },
  max_runtime_minutes = 0.05 } }
-- Where the vendor has a figure.
local PRICED = {
  { "runpod", PUBLIC }, { "replicate", DEDICATED }, { "fal" }, { "pika" }, { "runway" },
  { "luma", { model = "ray-2", duration_seconds = 5, parameters = { resolution = "720p" } } },
}

describe("what a job costs", function()
  for _, fault in ipairs { "none", "moderated" } do
    describe("with the fault " .. fault, function()
      local live, jobs = nil, {}
      setup(function()
        live = support.start { hurry = 8,
      simulate = { "--job-time", "600", "--fault", "*:moderated:" .. (fault == "none" and 0 or 1) } }
        for _, entry in ipairs(PRICED) do jobs[entry[1]] = live:job(entry[1], entry[2]) end
      end)
      teardown(function() live:remove() end)

      for _, entry in ipairs(PRICED) do
        it("is what " .. entry[1] .. " bills", function()
          local job = live:ended(jobs[entry[1]])
          assert.equal(fault == "none" and "done" or "error", job.status, tostring(job.reason))
          assert.equal(billed(live, job.vendor_id), micro(job.money.spent_usd), job.money.basis)
        end)
      end
    end)
  end
end)

describe("a job that is not taken yet", function()
  local live
  setup(function() live = support.start { hurry = 8, simulate = { "--job-time", "600" } } end)
  teardown(function() live:remove() end)

  it("is sent again when the endpoint is awake, and is then the only one", function()
    local ids = {}
    for number, job in ipairs {
      { url = "https://cold-a.us-east-1.aws.endpoints.huggingface.cloud", inputs = "x" },
      { endpoint = "alice/cold-b", inputs = "x" },
    } do
      ids[number] = live:job("hf_inference_endpoints", { job = job })
    end
    for _, id in ipairs(ids) do
      local ended = live:ended(id, 30)
      assert.equal("done", ended.status, tostring(ended.reason))
    end
    assert.equal(2, live:paid("hf_inference_endpoints"))
  end)

  it("ends at once when the endpoint is paused", function()
    local job = { url = "https://paused-a.us-east-1.aws.endpoints.huggingface.cloud", inputs = "x" }
    local ended = live:ended(live:job("hf_inference_endpoints", { job = job }))
    assert.same({ "error", "unavailable" }, { ended.status, ended.result.error.code })
    assert.equal(0, ended.money.spent_usd)
  end)
end)

describe("a long call of Modal", function()
  local live
  setup(function() live = support.start { hurry = 8, simulate = { "--job-time", "600" } } end)
  teardown(function() live:remove() end)

  it("is followed through its 303", function()
    local job = { url = "https://me--app-fn.modal.run", body = { prompt = "a video of a lighthouse" } }
    local ended = live:ended(live:job("modal", { job = job }))
    assert.equal("done", ended.status, tostring(ended.reason))
    assert.equal(1, live:paid("modal"))
  end)

  it("is followed through the app's queue", function()
    local app = "https://me--app-fn.modal.run"
    local job = { submit_url = app .. "/submit", result_url = app .. "/result/{call_id}", body = { prompt = "a lighthouse" } }
    assert.equal("done", live:ended(live:job("modal", { job = job })).status)
  end)
end)

describe("a submit whose answer is lost", function()
  local live, jobs = nil, {}
  setup(function()
    live = support.start { hurry = 8, simulate = { "--job-time", "600", "--fault", "*:reset_after:1:POST" } }
    jobs = {
      replicate = live:job("replicate", DEDICATED), luma = live:job("luma", PRICED[6][2]), pod = live:job("runpod", POD),
      public = live:job("runpod", PUBLIC),
    }
  end)
  teardown(function() live:remove() end)

  for _, id in ipairs { "replicate", "luma" } do
    it("is found at " .. id .. ", and settled", function()
      local job = live:becomes(jobs[id], "done", 30)
      assert.equal(1, live:paid(id))
      assert.equal(billed(live, job.vendor_id), micro(job.money.spent_usd))
    end)
  end

  it("is found among the pods, and ends when its time is over", function()
    local job = live:becomes(jobs.pod, "done", 30)
    assert.equal(billed(live, job.vendor_id), micro(job.money.spent_usd))
  end)

  it("stays unknown where nobody can be asked, and nothing is sent twice", function()
    assert.equal("unknown", live:status(jobs.public).status)
    assert.equal(2, live:paid("runpod"))
  end)
end)

describe("a pod", function()
  local live, jobs = nil, {}
  setup(function()
    live = support.start { hurry = 8, simulate = { "--job-time", "600" } }
    local long = { pod = POD.job.pod, max_runtime_minutes = 60 }
    jobs = { timed = live:job("runpod", POD), long = live:job("runpod", { job = long, max_cost_usd = 1 }) }
  end)
  teardown(function() live:remove() end)

  it("is terminated by the host when its time is over", function()
    local job = live:ended(jobs.timed, 30)
    assert.equal("done", job.status, tostring(job.reason))
    assert.equal(billed(live, job.vendor_id), micro(job.money.spent_usd))
    assert.equal(404, live.simulator:request("GET", "/api.runpod.io/v2/pods/" .. job.vendor_id, nil,
      { Authorization = "Bearer rpa_x" }).status)
  end)

  it("is terminated when it is canceled", function()
    live:becomes(jobs.long, "running", 20)
    live.host:post("/api/jobs/" .. jobs.long .. "/cancel", {})
    local ended = live:ended(jobs.long, 20)
    assert.equal("canceled", ended.status)
    assert.equal(billed(live, ended.vendor_id), micro(ended.money.spent_usd))
  end)

  it("is not sent without an end", function()
    local before = live:paid("runpod")
    local answer = live:submit("runpod", { job = { pod = POD.job.pod }, max_cost_usd = 1 })
    assert.equal(200, answer.status)
    assert.is_true(answer.json.dry_run)
    assert.is_truthy(table.concat(answer.json.live.missing):find("job.max_runtime_minutes", 1, true))
    assert.equal(before, live:paid("runpod"))
  end)
end)
