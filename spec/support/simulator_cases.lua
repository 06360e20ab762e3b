-- Cases for the vendor simulator (providerd simulate), of the providers that a spec names. It
-- answers as the recorded contracts say: every case that a client can bring about is
-- sent to it, with its own job in the place of the recorded one; credentials, states over time and errors are the vendor's. A
-- case that needs a vendor's mood (no credit, overload, moderation) is sent to a simulator with that fault.
local cases = require "spec.support.vendor_cases"
local host = require "spec.support.host"

-- Simulators by the fault that they have.
local FAULTS = { normal = false, broke = "*:out_of_credit:1", limited = "*:429:1", failing = "*:5xx:1",
  moderated = "*:moderated:1" }

-- What no client can bring about here, or what the contract says of other vendors' moods.
local NOT_HERE = {
  replicate = { sdk_wait_does_not_know_aborted = "deadline before start", create_sync_wait_10 = "needs a job longer than 10 s",
    get_succeeded_object = "another model", get_succeeded_string_tokens = "another model", get_data_removed = "after an hour",
    sse_stream = "see get", artifact_download_no_auth = "own test" },
  fal = { ["status COMPLETED but failed (error + error_type present)"] = "another error", ["404 unknown app"] = "any app exists",
    ["422 validation (pydantic detail array)"] = "the recorded body is valid", ["400 bad request"] = "the recorded body is valid",
    ["result of a request whose input was rejected: HTTP 422 with detail[]"] = "own test" },
  pika = { ["fal: status COMPLETED with error"] = "another error",
    ["developer key: balance (not a generation API)"] = "no base URL",
    ["devapi: GET video failed"] = "moderation refuses at once", ["fal: result 429"] = "limited submits cannot be looked up" },
  runpod = { status_completed_object_output = "another worker", status_failed_exception = "another error",
    status_failed_returned_error = "another error", status_timed_out = "after hours",
      runsync_not_finished_then_status_sync = "job too short",
    error_404_endpoint = "any endpoint exists", error_409_endpoint_paused = "own test", pod_stop_v1_retired = "retired",
    stream_two_reads = "another worker", ["stream_two_reads/next1"] = "another worker", retry_failed_job = "own test",
    ["batch_create/next1"] = "own test", ["batch_create/next2"] = "own test",
      status_completed_public_endpoint_image_url = "own test" },
  hf_inference_endpoints = { text_to_image_json_b64 = "another engine", text_to_image_json_output_url_shape = "another engine",
    feature_extraction = "another engine", cold_start_503_no_retry = "own test", paused_400 = "own test",
      error_422 = "valid here",
    endpoint_failed = "no deployment fails", error_500 = "text" },
  modal = { sdk_speaks_grpc_not_rest = "gRPC", web_function_404_workspace_disabled = "any workspace exists",
    ["web_function_303_long_poll/next1"] = "own test", ["web_function_303_long_poll/next2"] = "own test" },
  stability = { ["400 bad request"] = "the recorded form is valid", ["413 payload over 10 MiB"] = "own test",
    ["422 public figure (some edit services)"] = "no public figures here",
    ["content filtered: HTTP 200 with finish_reason CONTENT_FILTERED (blurred image)"] = "moderation has two faces",
    ["core filtered in binary mode"] = "moderation has two faces" },
  runway = { ["GET task THROTTLED"] = "no limit here",
    ["GET task FAILED internal without failureCode"] = "no task fails by itself",
    ["422 is not documented by Runway (client class only)"] = "not a vendor's answer",
    ["400 out of credits (NOT 402)"] = "the recorded body is refused first" },
  luma = { ["GET generation failed (prompt processing)"] = "another error", ["403 not authenticated / not allowed"] = "401 here",
    ["402 out of credits (not documented for Dream Machine; check GET /credits instead)"] = "the recorded body is refused first",
    ["agents: 400 error: Invalid request"] = "the recorded body is valid",
      ["agents: 403 error: Access denied"] = "no account is suspended",
    ["agents: 413 error: Payload too large"] = "small",
      ["agents: 422 error: Unprocessable request"] = "the recorded body is valid" },
}

-- How to look at a job: the case that makes one, where its answer has the id, and what the recorded id looks like in a URL.
local UUID = "%x+%-%x+%-%x+%-%x+%-%x+"
local LOOKS = {
  replicate = { { url = "gm3qorzdhgbfurvjtvhg6dckhu", make = "create_by_version", id = "id" } },
  fal = { { url = "requests/" .. UUID, to = "requests/", make = "queue submit flux/schnell text-to-image", id = "request_id" } },
  pika = {
    { url = "requests/" .. UUID, to = "requests/", make = "fal: v2.2 text-to-video 720p 5s", id = "request_id" },
    { url = "videos/" .. UUID, to = "videos/", make = "devapi: 2.2 text-to-video (form fields, X-API-KEY)", id = "video_id" },
  },
  runpod = {
    { url = "pods/7h9k2m4n6p", to = "pods/", make = "pod_create_v2", id = "id" },
    { url = UUID .. "%-u1", make = "run_async_create", id = "id" },
  },
  runway = { { url = "tasks/" .. UUID, to = "tasks/", make = "image_to_video gen4_turbo promptImage as URL string", id = "id" } },
  stability = { { url = "results/%x+", to = "results/", make = "creative upscale start (asynchronous; answer 200 with id)",
    id = "id" } },
  luma = {
    { url = "dream%-machine/v1/generations/" .. UUID, to = "dream-machine/v1/generations/", make = "text-to-video ray-2 720p 5s",
      id = "id" },
    { url = "ai/v1/generations/" .. UUID, to = "ai/v1/generations/", make = "agents: text-to-image uni-1 (defaults)", id = "id" },
  },
}

-- What the job must be like before it is canceled.
local AWAITED = {
  ["cancel too late (HTTP 400)"] = { status = 200, body = { status = "COMPLETED" } },
  ["pod_stop_v2"] = { status = 200, body = { status = "RUNNING" } },
  ["fal: cancel"] = { status = 202, body = { status = "IN_PROGRESS" } },
}

local function find_look(provider, request)
  for _, look in ipairs(LOOKS[provider] or {}) do
    if request.url:find(look.url) then return look end
  end
end

local function mood_of(case)
  local status, name = case.response.status, case.name:lower()
  local body = type(case.response.body) == "table" and case.response.body or {}
  local state = body.status or body.state
  if name:find("unknown") or name:find("404") then return "normal" end
  if status == 402 or name:find("balance exhausted") or name:find("out of balance") or name:find("quota") or
    name:find("spend_limit") or
    name:find("payment") then
    return "broke"
  end
  if status == 429 then return "limited" end
  if status >= 500 then return "failing" end
  if state == "failed" or state == "FAILED" or name:find("prompt refused") then return "moderated" end
  return "normal"
end

local simulators = {}

local function simulator(mood)
  if not simulators[mood] then
    local arguments = { "simulate", "--listen", "127.0.0.1:0", "--job-time", "1500" }
    if FAULTS[mood] then
      arguments[#arguments + 1] = "--fault"
      arguments[#arguments + 1] = FAULTS[mood]
    end
    simulators[mood] = host.start { arguments = arguments, config = "" }
  end
  return simulators[mood]
end

local function by_name(list, name)
  for _, case in ipairs(list) do
    if case.name == name then return case end
  end
  error("no case " .. name)
end

-- A job of its own for the case, in the state that the case is about.
local function look_up(provider, list, case, look, mood)
  local made = cases.send(simulator(mood), provider, by_name(list, look.make).request)
  assert(made.json and made.json[look.id], made.body)
  local options = { from = look.url, id = (look.to or "") .. made.json[look.id], seconds = 6 }
  local body = type(case.response.body) == "table" and case.response.body or {}
  if body.status == "canceled" and not case.request.url:find("cancel") then
    local cancel = { method = "POST", url = case.request.url .. "/cancel", headers = case.request.headers }
    cases.send(simulator(mood), provider, cancel, options)
  end
  if case.request.method == "GET" then return cases.until_same(simulator(mood), provider, case, options) end
  local awaited = AWAITED[case.name]
  if awaited then
    local look_first = { method = "GET", url = case.request.url:gsub("/cancel$", "/status"):gsub("/action$", ""),
      headers = case.request.headers }
    cases.until_same(simulator(mood), provider, { request = look_first, response = awaited }, options)
  end
  return cases.differences(case.response, cases.send(simulator(mood), provider, case.request, options))
end

-- A state that lasts a moment can be missed on a slow machine: three jobs.
local function look_up_again(...)
  local found
  for _ = 1, 3 do
    found = look_up(...)
    if #found == 0 then break end
  end
  return found
end

local function try(provider, list, case)
  local mood, look = mood_of(case), find_look(provider, case.request)
  local wrong = case.response.status == 401
  if look and not wrong and case.response.status ~= 404 and mood ~= "failing" then
    return look_up_again(provider, list, case, look, mood)
  end
  if case.name:find("^endpoint_") and case.request.url:find("/my%-flux") or
    case.name == "endpoint_list" then -- may have to start first
    return cases.until_same(simulator(mood), provider, case, { seconds = 6 })
  end
  local answer = cases.send(simulator(mood), provider, case.request, { wrong = wrong })
  if mood == "failing" then return answer.status >= 500 and {} or { "status " .. answer.status } end
  return cases.differences(case.response, answer)
end

-- Describes them in a spec file, whose environment has busted's words.
local function describe_cases(spec, providers)
  local describe, it, teardown, assert = spec.describe, spec.it, spec.teardown, spec.assert

  teardown(function()
    for _, sim in pairs(simulators) do sim:remove() end
  end)

  for _, provider in ipairs(providers) do
    describe("of " .. provider, function()
      local list = cases.load(provider)
      for _, case in ipairs(list) do
        local url = case.request and case.request.url or ""
        local reason = (NOT_HERE[provider] or {})[case.name]
        if not reason and url:find("^https://") and not url:find("gw.example.com", 1, true) then
          it("answers as recorded: " .. case.name, function() assert.same({}, try(provider, list, case)) end)
        end
      end

      it("wants a credential", function()
        local case = list[1].request.url:find("modal.client") and list[2] or list[1]
        local request = { method = case.request.method, url = case.request.url, body = case.request.body,
          form = case.request.form,
          headers = { ["content-type"] = case.request.headers["content-type"] } }
        assert.equal(401, cases.send(simulator("normal"), provider, request).status)
        assert.equal(401, cases.send(simulator("normal"), provider, case.request, { wrong = true }).status)
      end)
    end)
  end
end

return describe_cases
