-- Live images: waited for, then told by the table of errors, and never by a status that clients repeat once it may be paid for.
local keys = require "spec.support.keys"
local live = require "spec.support.live"
local picture = require "spec.support.picture"
local socket = require "socket"

local MODEL = { fal = "fal/flux", stability = "stability/core" }

local function body(provider, changes)
  local made = { model = MODEL[provider], prompt = "a lighthouse", dry_run = false, max_cost_usd = 0.1 }
  for name, value in pairs(changes or {}) do made[name] = value end
  return made
end

local function generate(scene, provider, changes, headers)
  return scene.host:post("/v1/images/generations", body(provider, changes), headers)
end

local function told(answer)
  local error = answer.json.error
  return { answer.status, error.type, error.code, answer.headers["x-should-retry"] }
end

local function scene_of(faults, options)
  options = options or {}
  options.simulate = options.simulate or {}
  for _, fault in ipairs(faults) do
    table.insert(options.simulate, "--fault")
    table.insert(options.simulate, fault)
  end
  options.hurry = options.hurry or 10
  return live.start(options)
end

local scene

local function with(faults, options, run)
  scene = scene_of(faults, options)
  local ok, problem = pcall(run, scene)
  scene:remove()
  if not ok then error(problem, 0) end
end

describe("a live image", function()
  it("is waited for, and comes whole from the artifact's file, with its own size and what it cost", function()
    with({}, {}, function()
      for provider in pairs(MODEL) do
        local answer = generate(scene, provider)
        assert.equal(200, answer.status, answer.body)
        local ours = answer.json.providerd
        local bytes = picture.decode(answer.json.data[1].b64_json)
        assert.is_true(bytes == scene.host:get("/api/jobs/" .. ours.job_id .. "/artifacts/0").body)
        assert.equal(picture.size(bytes), answer.json.size)
        assert.same({ false, "done", "png" }, { ours.dry_run, ours.status, answer.json.output_format })
        assert.same({ "false", ours.job_id }, { answer.headers["x-providerd-dry-run"], answer.headers["x-providerd-job-id"] })
        assert.equal(ours.money.spent_usd, tonumber(answer.headers["x-providerd-cost-usd"]))
        assert.truthy(ours.money.spent_usd > 0)
        assert.equal(#answer.body, tonumber(answer.headers["content-length"]))
      end
      assert.equal(2, scene:paid())
    end)
  end)

  it("is asked for by the body, a header or the base URL, and is dry if any of them says so", function()
    with({}, {}, function()
      local bare = { model = MODEL.fal, prompt = "a lighthouse", max_cost_usd = 0.1 }
      local said = scene.host:post("/v1/images/generations", bare, { ["X-Providerd-Dry-Run"] = "false" })
      assert.is_false(said.json.providerd.dry_run)
      assert.is_false(scene.host:post("/live/v1/images/generations", bare).json.providerd.dry_run)
      local dry = { ["X-Providerd-Dry-Run"] = "true" }
      assert.is_true(scene.host:post("/live/v1/images/generations", bare, dry).json.providerd.dry_run)
      assert.is_true(generate(scene, "fal", nil, dry).json.providerd.dry_run)
      assert.equal(2, scene:paid())
    end)
  end)

  it("as an URL is absolute, and shows the file, whole and in ranges", function()
    with({}, {}, function()
      local answer = generate(scene, "fal", { response_format = "url" })
      local path = answer.json.data[1].url:match("^http://127%.0%.0%.1:" .. scene.host.port .. "(/.*)$")
      local whole = scene.host:get(path)
      assert.same({ 200, "image/png" }, { whole.status, whole.headers["content-type"] })
      assert.equal(picture.size(whole.body), answer.json.size)
      local part = scene.host:get(path, { Range = "bytes=0-7" })
      assert.same({ 206, whole.body:sub(1, 8) }, { part.status, part.body })
    end)
  end)

  it("that is moderated, in the prompt or every picture of it, is 400 moderation_blocked", function()
    with({ "fal:moderated:1", "stability:moderated:1" }, {}, function()
      for provider in pairs(MODEL) do
        for _ = 1, 3 do
          local answer = generate(scene, provider)
          assert.same({ 400, "image_generation_user_error", "moderation_blocked" },
            { answer.status, answer.json.error.type, answer.json.error.code }, answer.body)
          assert.truthy(answer.json.error.providerd.job_id)
        end
      end
    end)
  end)

  it("whose vendor has no credit left is 402, and is not to be sent again", function()
    with({ "fal:out_of_credit:1" }, {}, function()
      local answer = generate(scene, "fal")
      assert.same({ 402, "insufficient_quota", "insufficient_quota", "false" }, told(answer))
      assert.truthy(answer.json.error.providerd.whose)
    end)
  end)

  it("for which the host's budget is short is 402, names whose, and registers nothing", function()
    with({}, { config = function(config) config.live.budget_usd.per_day = 0.001 end }, function()
      local answer = generate(scene, "fal", { max_cost_usd = 0.05 })
      assert.same({ 402, "insufficient_quota", "billing_hard_limit_reached", "false" }, told(answer))
      assert.same({}, scene.host:get("/api/jobs/list").json.tasks)
      assert.equal(0, scene:paid())
    end)
  end)

  it("whose paid request got no answer is 424 outcome_unknown: never a status that clients repeat", function()
    with({ "fal:reset_after:1:POST" }, {}, function()
      local answer = generate(scene, "fal")
      assert.same({ 424, "provider_error", "outcome_unknown", "false" }, told(answer))
      assert.equal("unknown", answer.json.error.providerd.status)
      assert.equal(1, scene:paid())
    end)
  end)

  it("that fails at the vendor is 424, says whether it was billed, and is not to be sent again", function()
    with({ "stability:5xx:1:POST" }, {}, function()
      local answer = generate(scene, "stability")
      assert.same({ 424, "provider_error", "provider_failed", "false" }, told(answer))
      assert.truthy(answer.json.error.message:find("billed", 1, true), answer.json.error.message)
      assert.truthy(answer.json.error.providerd.job_id)
    end)
  end)

  it("that the vendor calls invalid is 400 provider_rejected, without what the vendor repeats of the key", function()
    with({ "fal:echo_refusal:1:POST" }, {}, function()
      local answer = generate(scene, "fal")
      assert.same({ 400, "invalid_request_error", "provider_rejected" },
        { answer.status, answer.json.error.type, answer.json.error.code }, answer.body)
      assert.falsy(answer.body:find("planted", 1, true))
    end)
  end)

  it("for which the vendor refuses the operator's key is 424 provider_auth, and is not to be sent again", function()
    with({}, { secrets = { fal = { api_key = "11111111-2222:wrong-key-of-fal" } } }, function()
      local answer = generate(scene, "fal")
      assert.same({ 424, "provider_error", "provider_auth", "false" }, told(answer))
    end)
  end)

  it("of which no picture could be kept is 424 result_not_kept, and says why", function()
    with({}, { config = function(config) config.artifacts = { max_bytes = 100 } end }, function()
      for _, stream in ipairs { false, true } do
        local answer = generate(scene, "fal", { stream = stream })
        local problem = stream and require("cjson").decode(answer.body:match("event: error\ndata: ([^\n]+)\n\n")) or answer.json
        assert.same({ "provider_error", "result_not_kept" }, { problem.error.type, problem.error.code }, answer.body)
        assert.truthy(problem.error.message:find("100 bytes", 1, true), problem.error.message)
        if not stream then assert.same({ 424, "false" }, { answer.status, answer.headers["x-should-retry"] }) end
      end
    end)
  end)

  it("that is canceled meanwhile is 424 canceled", function()
    with({}, { simulate = { "--job-time", "30000" } }, function()
      local connection = scene.host:connect()
      connection:send("POST", "/v1/images/generations", body("fal"))
      local job = scene.host:eventually(function()
        local task = scene.host:get("/api/jobs/list").json.tasks[1]
        return task and task.vendor_id and task.vendor_id ~= require("cjson").null and task
      end)
      assert.truthy(scene.host:post("/api/jobs/" .. job.id .. "/cancel").status < 300)
      assert.same({ 424, "provider_error", "canceled", "false" }, told(connection:receive()))
      connection:close()
    end)
  end)

  it("that takes longer than it is waited for is 424 still_running, for the SDK to come back", function()
    local function one_second(config) config.openai = { wait_seconds = 1 } end
    with({}, { simulate = { "--job-time", "60000" }, config = one_second }, function()
      local began = socket.gettime()
      local answer = generate(scene, "fal")
      assert.same({ 424, "provider_error", "still_running", "true" }, told(answer))
      assert.equal("500", answer.headers["retry-after-ms"])
      assert.truthy(answer.json.error.message:find(answer.json.error.providerd.job_id, 1, true))
      assert.truthy(socket.gettime() - began < 50)
    end)
  end)

  it("that is waited for while the host stops is told as still running at once, and is the same job afterwards", function()
    with({}, { simulate = { "--job-time", "15000" } }, function()
      for _, stream in ipairs { false, true } do
        local connection = scene.host:connect()
        local wish = body("fal", { prompt = "streamed: " .. tostring(stream), stream = stream })
        connection:send("POST", "/v1/images/generations", wish)
        local paid = stream and 2 or 1
        scene.host:eventually(function() return scene:paid() == paid end)
        local began = socket.gettime()
        scene.host:signal "TERM"
        local answer = connection:receive()
        connection:close()
        assert.truthy(socket.gettime() - began < 14)
        assert.truthy(answer.body:find("still_running", 1, true), answer.body)
        scene.host:stop()
        scene.host:start_again()
        local again = scene.host:post("/v1/images/generations", wish)
        assert.equal(200, again.status, again.body:sub(1, 300))
        assert.equal(paid, scene:paid())
      end
    end)
  end)

  it("is waited for five seconds less than the client says it will wait", function()
    with({}, { simulate = { "--job-time", "60000" } }, function()
      for _, header in ipairs { "x-stainless-timeout", "x-stainless-read-timeout" } do
        local began = socket.gettime()
        local answer = generate(scene, "fal", { prompt = header }, { [header] = "7" })
        assert.same({ 424, "provider_error", "still_running", "true" }, told(answer))
        local took = socket.gettime() - began
        assert.truthy(took >= 1.5 and took < 50, took)
      end
    end)
  end)

  it("whose file is gone or damaged is an error, never a picture that is none", function()
    with({}, {}, function()
      local headers = { ["Idempotency-Key"] = "k1" }
      local first = generate(scene, "fal", nil, headers)
      local sha = scene:status(first.json.providerd.job_id).artifacts[1].sha256
      local path = ("data/artifacts/%s/%s"):format(sha:sub(1, 2), sha)
      scene.host:write_in_place(path, scene.host:read(path):sub(1, 10))
      local answer = generate(scene, "fal", nil, headers)
      assert.same({ 424, "provider_error", "result_not_kept", "false" }, told(answer))
      scene.host:delete(path)
      assert.same({ 424, "provider_error", "result_not_kept", "false" }, told(generate(scene, "fal", nil, headers)))
      assert.equal(1, scene:paid())
    end)
  end)

  it("with an Idempotency-Key is one job for all who ask with it, also at once, and 409 with another body", function()
    with({}, {}, function()
      local headers, connections = { ["Idempotency-Key"] = "order-1" }, {}
      for i = 1, 3 do
        connections[i] = scene.host:connect()
        connections[i]:send("POST", "/v1/images/generations", body("fal"), headers)
      end
      local jobs = {}
      for i, connection in ipairs(connections) do
        local answer = connection:receive()
        assert.equal(200, answer.status, answer.body)
        jobs[i] = answer.json.providerd.job_id
        connection:close()
      end
      assert.same({ jobs[1], jobs[1] }, { jobs[2], jobs[3] })
      assert.equal(1, scene:paid())
      local other = generate(scene, "fal", { prompt = "another" }, headers)
      assert.same({ 409, "false" }, { other.status, other.headers["x-should-retry"] })
      assert.equal(1, scene:paid())
    end)
  end)

  it("streams: comments at once, then the picture in one event; an error as an event", function()
    with({ "stability:moderated:1" }, {}, function()
      local answer = generate(scene, "fal", { stream = true })
      assert.equal(200, answer.status)
      assert.truthy(answer.body:find("^: "))
      local data = require("cjson").decode(answer.body:match("event: image_generation%.completed\ndata: ([^\n]+)\n\n"))
      assert.equal(data.size, picture.size(picture.decode(data.b64_json)))
      assert.same({ false, "done" }, { data.providerd.dry_run, data.providerd.status })
      local failed = generate(scene, "stability", { stream = true })
      local problem = require("cjson").decode(failed.body:match("event: error\ndata: ([^\n]+)\n\n"))
      assert.equal("moderation_blocked", problem.error.code)
      assert.equal(200, failed.status)
    end)
  end)

  it("by a URL is signed where API keys are set: for it alone, by GET, until it expires or its key goes", function()
    local entries = { keys.entry("maker"), keys.entry("other") }
    with({}, { config = function(config) config.server.api_keys = entries end, simulate = {} }, function()
      local answer = generate(scene, "fal", { response_format = "url" }, keys.headers "maker")
      local path = answer.json.data[1].url:match("^http://[^/]+(.*)$")
      local host = scene.host
      assert.equal(200, host:get(path).status)
      assert.equal("cross-origin", host:get(path).headers["cross-origin-resource-policy"])
      assert.equal(206, host:get(path, { Range = "bytes=0-1" }).status)
      assert.equal(200, host:get(path, { ["Sec-Fetch-Site"] = "cross-site" }).status)
      assert.equal(401, host:get(path:match("^[^?]*")).status)
      assert.equal(401, host:get((path:gsub("/artifacts/0", "/artifacts/1"))).status)
      assert.equal(401, host:get((path:gsub("expires=%d", "expires=2"))).status)
      assert.equal(401, host:request("DELETE", path).status)
      scene.settings.server.api_keys = { entries[2] }
      host:write("config/comfyvn.json", require("spec.support.exact_json").encode(scene.settings))
      host:eventually(function() return host:get(path).status == 401 end)
    end)
  end)

  it("by a URL is called as live.public_url says, and is shown by that name", function()
    with({}, { config = function(config) config.live.public_url = "https://pictures.example/door/" end }, function()
      local answer = generate(scene, "fal", { response_format = "url" })
      local path = answer.json.data[1].url:match("^https://pictures%.example/door(/.*)$")
      local named = { Host = "pictures.example" }
      assert.equal(200, scene.host:get(path, named).status)
      assert.equal(421, scene.host:get(path:match("^[^?]*"), named).status)
      assert.equal(421, scene.host:get("/api/jobs/list", named).status)
    end)
  end)
end)
