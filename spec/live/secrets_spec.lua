-- No secret anywhere: after jobs of all vendors, faults, refusals and bad requests every planted credential is
-- looked for in everything that the host and the simulator keep or say.
local support = require "spec.support.live"

local API_KEY = "plantedapikeyplantedapikey0123456789"

-- Each planted value holds this word; nothing else does.
local WORD = "planted"

local function sha256(text)
  local pipe = assert(io.popen("printf %s " .. text .. " | sha256sum"))
  local digest = pipe:read("a"):match("^%x+")
  pipe:close()
  return digest
end

-- The lines of `strings` in every file below the folder that hold the word.
local function found_in(folder, but)
  local command = ("find '%s' -type f -not -path '%s' -exec strings -f {} + | grep -i %s"):format(folder, but, WORD)
  local pipe = assert(io.popen(command))
  local lines = pipe:read("a")
  pipe:close()
  return lines
end

describe("every planted secret", function()
  local live, answers

  local function keep(answer)
    answers[#answers + 1] = answer.body
    return answer
  end

  setup(function()
    answers = {}
    live = support.start { hurry = 8,
      simulate = { "--fault", "fal:5xx:0.3", "--fault", "luma:reset_after:0.3:POST", "--fault", "runway:moderated:0.5",
        "--fault", "stability:out_of_credit:0.5", "--fault", "replicate:truncated:0.3" },
      config = function(config)
        config.server.api_keys = { { name = "studio", sha256 = sha256(API_KEY) } }
        config.log = { level = "debug" }
      end,
    }
    local key = { ["X-API-Key"] = API_KEY }
    local jobs = {}
    for id in pairs(support.JOBS) do
      for _ = 1, 4 do jobs[#jobs + 1] = keep(live:submit(id, nil, key)).json.job_id end
      keep(live:submit(id, { dry_run = true }, key))
      keep(live.host:post(live:path(id, "health"), { dry_run = false }, key))
      -- a client that gives credentials away
      local secret = next(support.SECRETS[id])
      keep(live:submit(id, { config = support.SECRETS[id] }, key))
      keep(live.host:post(live:path(id, "health"), { config = { [secret] = support.SECRETS[id][secret] } }, key))
      keep(live:submit(id, { prompt = support.SECRETS[id][secret], job = { input = support.SECRETS[id] } }, key))
      keep(live:submit(id, { dry_run = true, prompt = "my key is " .. support.SECRETS[id][secret] }, key))
    end
    keep(live:submit("fal"))
    keep(live:submit("fal", nil, { ["X-API-Key"] = API_KEY .. "x" }))
    live.host:eventually(function()
      local state = live.host:get("/api/live", key).json
      return state.jobs.queued + state.jobs.sending + state.jobs.sent == 0
    end, 120)
    for _, job in ipairs(jobs) do
      for _, path in ipairs { "status/" .. job, "logs/" .. job, job .. "/artifacts/0" } do
        keep(live.host:get("/api/jobs/" .. path, key))
      end
    end
    for _, path in ipairs {
      "/api/jobs/list?limit=500", "/api/events/history?limit=500", "/api/budget", "/metrics", "/readyz", "/api/modder/hooks",
      "/api/providers/image/catalog", "/api/providers/video/catalog", "/api/providers/gpu/public/catalog",
    } do
      keep(live.host:get(path, key))
    end
  end)

  teardown(function() live:remove() end)

  it("stays out of every answer", function()
    assert.is_true(#answers > 150)
    for _, body in ipairs(answers) do
      local at = body:lower():find(WORD, 1, true)
      assert.is_nil(at, at and body:sub(at - 80, at + 40))
    end
  end)

  it("stays out of the log, the registry, its events and the artifacts", function()
    live.host:stop()
    assert.equal("", found_in(live.host.home, live.host.home .. "/config/*"))
    live.host:start_again()
  end)

  it("stays out of what the simulator saw, in whose journal credentials are masked", function()
    local journal = live.simulator:get("/journal").body
    assert.is_truthy(journal:find("***", 1, true))
    assert.is_nil(journal:lower():find(WORD, 1, true))
  end)
end)

describe("a live request that names a credential which is not there", function()
  it("is a dry run that says so, and nothing is reserved", function()
    local live = support.start { hurry = 8 }
    finally(function() live:remove() end)
    local answer = live:submit("luma", { model = "uni-1", parameters = {} })
    assert.equal(200, answer.status)
    assert.same({ false, true }, { answer.json.ok, answer.json.dry_run })
    assert.truthy(table.concat(answer.json.live.missing, "\n"):find("credential agents_api_key is missing", 1, true))
    assert.equal("done", live:status(answer.json.job_id).status)
  end)
end)

local PRESIGNED = "https://b.s3.amazonaws.com/a.png?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261125&X-Amz-Security-Token=Fwo"
  .. "&X-Amz-Signature=0123456789abcdef0123456789abcdef"

-- What a live job of RunPod must not carry: it would be sent as ***.
local REFUSED = {
  { "a member secrets", { secrets = { LOGIN = "x" } } },
  { "a variable OPENAI_KEY", { env = { OPENAI_KEY = "x" } } },
  { "a parameter api_key of a URL", { webhook = "https://example.com/?api_key=x" } },
  { "a key as a name", { rpa_0123456789ABCDEF = 1 } },
}

describe("a live job", function()
  local live
  setup(function() live = support.start { hurry = 8 } end)
  teardown(function() live:remove() end)

  for _, case in ipairs(REFUSED) do
    it("with " .. case[1] .. " is refused, and nothing is sent", function()
      local answer = live:submit("runpod", { job = { endpoint_id = "abc123", input = case[2] } })
      assert.equal(400, answer.status, answer.body)
      assert.equal("job", answer.json.errors[1].path)
      assert.equal(0, live:paid("runpod"))
    end)
  end

  it("of Hugging Face's create with secrets is refused", function()
    local job = { action = "create", namespace = "alice", name = "x", model = { repository = "a/b", secrets = { LOGIN = "x" } } }
    local answer = live:submit("hf_inference_endpoints", { job = job })
    assert.equal(400, answer.status, answer.body)
    assert.is_truthy(answer.json.detail:find("looks like a credential", 1, true))
  end)

  it("gets a presigned URL as it is", function()
    local input = { prompt = "a cat", image = PRESIGNED }
    local id = live:job("runpod", { job = { endpoint_id = "abc123", input = input } })
    assert.equal(PRESIGNED, live:ended(id).payload.input.image)
    assert.equal(1, live:paid("runpod"))
  end)
end)
