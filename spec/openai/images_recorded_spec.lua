-- The recorded exchanges of images (spec/contracts/openai.json) that need more than a host with nothing or everything open, which
-- recorded_spec.lua has: what became of a job, streams, refusals of the guard. Each is answered as it is recorded, but for ids,
-- texts and pictures.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local live = require "spec.support.live"
local openai_case = require "spec.support.openai_case"
local picture = require "spec.support.picture"

local KEY = keys.key "all"
local LIVE = { ["X-Providerd-Dry-Run"] = "false" }
local NAMES = { ["gpt-image-2"] = "fal/flux", ["dall-e-3"] = "fal/flux" }

local SCENES = {
  plain = {},
  slow = { simulate = { "--job-time", "60000" }, wait_seconds = 1 },
  failing = { simulate = { "--fault", "stability:5xx:1:POST" }, names = { ["fal/flux"] = "stability/core" } },
  edits = { names = { ["gpt-image-2"] = "fal/fal-ai/flux/dev/image-to-image" } },
  lost = { simulate = { "--fault", "fal:reset_after:1:POST" } },
  moderated = { simulate = { "--fault", "fal:moderated:1" } },
  small = { max_body_bytes = 1024 },
}

-- Expectations ---------------------------------------------------------------------------------------------------------

-- What is the vendor's to say, or OpenAI's own.
local FREE = { billed = true, revised_prompt = true, moderation_details = true }

local function without_free(wanted)
  local left = {}
  for name, value in pairs(wanted) do
    if not FREE[name] then left[name] = type(value) == "table" and value ~= exact.null and without_free(value) or value end
  end
  return left
end

local function is_recorded(answer, case)
  assert.equal(case.response.status, answer.status, answer.body)
  openai_case.like(without_free(case.response.body), exact.decode(answer.body), "body")
  for name, value in pairs(case.response.headers) do
    if name == "x-should-retry" or name == "www-authenticate" then assert.equal(value, answer.headers[name], name) end
    if name ~= "content-type" then assert.truthy(answer.headers[name], name) end
  end
end

local function event(answer, name)
  assert.equal("text/event-stream", answer.headers["content-type"])
  return exact.decode(assert(answer.body:match("event: " .. name .. "\ndata: ([^\n]+)\n\n$"), answer.body:sub(1, 200)))
end

local function is_stream(answer, case)
  local found, wanted = event(answer, "image_generation%.completed"), case.response.sse[#case.response.sse].data
  assert.equal(found.size, picture.size(picture.decode(found.b64_json)))
  openai_case.like({ type = wanted.type, usage = wanted.usage, created_at = wanted.created_at }, found, "data")
  assert.same(wanted.usage, found.usage)
end

local function is_error_event(answer, case)
  openai_case.like(case.response.sse[1].data, event(answer, "error"), "data")
end

local function is_refused(status, code)
  return function(answer)
    assert.same({ status, code }, { answer.status, answer.json.error and answer.json.error.code }, answer.body)
  end
end

-- { expectation, scene, further headers, further field of the form }
local CASES = {
  ["images.generate legacy DALL-E fields, url answer"] = { is_recorded, "plain" },
  ["images.generate n 2"] = { is_recorded, "plain" },
  ["images.generate stream with partial images"] = { is_stream, "plain" },
  ["images.generate stream, only the final image"] = { is_stream, "plain" },
  ["images.generate stream broken off by an error event"] = { is_error_event, "failing", LIVE },
  ["images.edit one file from a read stream"] = { is_recorded, "edits" },
  ["images.edit array of images, mask and options"] = { is_refused(400, "unsupported_parameter"), "edits" },
  ["Idempotency-Key by request header"] = { is_recorded, "plain", nil, nil, 2 },
  ["wrong key"] = { is_recorded, "plain", { authorization = "Bearer sk-test-wrong" } },
  ["moderation blocked"] = { is_recorded, "moderated", LIVE },
  ["still running: the SDK waits on by its own retry (1 of 3)"] = { is_recorded, "slow" },
  ["still running: the SDK waits on by its own retry (2 of 3)"] = { is_recorded, "slow" },
  ["outcome unknown"] = { is_recorded, "lost" },
  ["the job failed at the provider"] = { is_recorded, "failing" },
  ["body too large"] = { is_recorded, "small", nil, { name = "further", value = ("x"):rep(2000) } },
  ["dry run as stream"] = { is_stream, "plain" },
  ["ai generateImage edit with two images and a mask"] = { is_refused(400, "unsupported_parameter"), "plain" },
}

describe("a recorded exchange of images is answered:", function()
  local scenes, found = {}, {}

  local function scene_of(name)
    if not scenes[name] then
      local made = SCENES[name]
      scenes[name] = live.start { simulate = made.simulate, hurry = 10, config = function(config)
        config.server.api_keys, config.server.max_body_bytes = { keys.entry "all" }, made.max_body_bytes
        config.openai = { models = made.names or NAMES, wait_seconds = made.wait_seconds }
      end }
    end
    return scenes[name].host
  end

  teardown(function()
    for _, scene in pairs(scenes) do scene:remove() end
  end)

  for _, case in ipairs(openai_case.all()) do
    local mine = CASES[case.name]
    if mine then
      found[case.name] = true
      it(case.name, function()
        case.request.headers["transfer-encoding"] = nil -- it is sent whole: chunks are the business of spec/api
        for name, value in pairs(mine[3] or {}) do case.request.headers[name] = value end
        if mine[4] then table.insert(case.request.form, mine[4]) end
        local answer
        for _ = 1, mine[5] or 1 do answer = openai_case.send(scene_of(mine[2]), case, KEY) end
        mine[1](answer, case)
        assert.truthy(answer.headers["x-request-id"])
      end)
    end
  end

  it("all that are named here are recorded", function()
    for name in pairs(CASES) do assert.is_true(found[name], name) end
  end)
end)
