-- modal.lua - Modal for the simulator: web functions with 303, the job-queue pattern, servers and shared endpoints.
--
-- Any *.modal.run host is a deployed app, but for those whose app is named "gone". What a function answers is its app's affair:
-- here `prompt` with the word "video" is a long one (303, then a video's URL), one with "bytes" or an Accept of image/* gives an
-- image, any other JSON with base64. POST /accept and /submit are the job queue; /result/{id}, /cancel/{id}.
local crypto = require "crypto"
local media = require "sim.media"
local sim = require "sim.core"

local RUN, DIRECT, FILES = "*.modal.run", "*.modal.direct", "files.modal.run"
local CALL = "__modal_function_call_id"

local function say(status, text)
  return sim.text(status, "modal-http: " .. text)
end

-- A proxy token: two headers, or both in Authorization with a dot between. Tokens of the API (ak-, as-) are not accepted.
local function auth(request)
  local id, secret = request.headers["modal-key"], request.headers["modal-secret"]
  if not id then
    local token = sim.credential(request, "Bearer") or ""
    id, secret = token:match("^([^.]+)%.(.+)$")
    if not id and request.host:match("%.modal%.direct$") then id, secret = token, token end
  end
  if sim.key(id) and sim.key(secret) and not id:match("^ak%-") and not secret:match("^as%-") then return nil end
  return say(401, "missing credentials for proxy authorization")
end

local function check_app(request)
  if request.host:match("%-%-gone%-") or request.host:match("^gone") then error(say(404, "invalid function call")) end
end

local function prompt_of(request)
  local body = type(request.json) == "table" and request.json or {}
  local prompt = body.prompt or (type(body.input) == "table" and body.input.prompt)
  return type(prompt) == "string" and prompt:lower() or ""
end

local function make(request)
  check_app(request)
  return sim.submit(request, { id = "fc-" .. sim.word(24, "call", sim.next()):upper(), host = request.host,
    input = type(request.json) == "table" and request.json or {}, kind = prompt_of(request):find("video", 1, true) and "video" or
      "image",
    bytes = prompt_of(request):find("bytes", 1, true) or (request.headers.accept or ""):match("^image/") })
end

local function picture(job)
  return media.file("png", job.id, math.tointeger(job.input.width) or 512, math.tointeger(job.input.height) or 512)
end

-- What the function returned.
local function result(job)
  if job.moderated then return sim.json(422, { detail = { { loc = { "body", "prompt" }, msg = "prompt not allowed",
    type = "value_error" } } }) end
  if job.kind == "video" then return sim.json(200, { video_url = ("%s/%s/%s/out.mp4"):format(job.base, FILES, job.id) }) end
  if job.bytes then return sim.bytes(200, "image/png", picture(job)) end
  return sim.json(200, { image_b64 = crypto.base64(picture(job)) })
end

local function see_other(job, relative)
  local path = ("/?%s=%s"):format(CALL, job.id)
  return sim.empty(303, { Location = relative and "/" .. job.host .. path or job.base .. "/" .. job.host .. path })
end

local function call(request)
  if request.query[CALL] then return say(400, "bad redirect method") end
  local job = make(request)
  if job.never or job.kind == "video" then
    local answer = see_other(job)
    answer.delay_ms = math.max(0, job.starts - request.now)
    return answer
  end
  local answer = result(job)
  answer.delay_ms = job.ends - request.now
  return answer
end

-- The address of a 303: waits, then 303 again or the answer.
local function follow(request)
  local id = request.query[CALL]
  if not id then
    check_app(request)
    return sim.json(200, { ok = true })
  end
  local job = sim.job("modal", id)
  if not job then return say(404, "invalid function call") end
  local left = job.ends - request.now
  if job.never or left > 500 then
    local again = see_other(job, true)
    again.delay_ms = 500
    return again
  end
  local answer = result(job)
  answer.delay_ms = math.max(0, left)
  return answer
end

local function accept(request)
  return sim.json(200, { call_id = make(request).id })
end

local function get_result(request, arguments)
  local job = sim.job("modal", arguments.id)
  if not job and arguments.id:match("^fc%-bad") then return sim.text(500, "Internal Server Error") end
  if not job then return sim.empty(404) end
  local phase = sim.phase(job, request.now)
  if phase == "canceled" then return sim.json(200, { canceled = true }) end
  if phase == "queued" or phase == "running" then return sim.json(202, {}) end
  return result(job)
end

local function cancel(request, arguments)
  local job = sim.job("modal", arguments.id)
  if job then sim.cancel(job, request.now) end
  return sim.json(200, { canceled = true })
end

local function chat(request)
  local body = request.json
  if type(body) ~= "table" or type(body.messages) ~= "table" then return sim.json(400,
    { error = { message = "messages is required" } }) end
  local job = sim.submit(request, { id = "chatcmpl-" .. sim.next(), input = {} })
  local answer = sim.json(200, { id = job.id, object = "chat.completion", model = body.model, choices = { { index = 0,
    message = { role = "assistant", content = "hello" }, finish_reason = "stop" } },
    usage = { prompt_tokens = 1, completion_tokens = 1, total_tokens = 2 } })
  answer.delay_ms = job.never and 600000 or job.ends - request.now
  return answer
end

local function models()
  return sim.json(200, { object = "list", data = { { id = "my-endpoint.us-west.modal.direct", object = "model" } } })
end

local function get_file(request, arguments)
  local job = sim.job("modal", arguments.id)
  if not job or not sim.ended(job, request.now) then return sim.text(404, "Not Found") end
  return sim.bytes(200, "video/mp4", media.file("mp4", job.id, 1280, 720, tonumber(job.input.duration) or 5))
end

return {
  provider = "modal",
  bill = function() return nil end, -- time is billed, not calls
  hosts = { RUN, DIRECT, FILES },
  auth = auth,
  faults = {
    ["429"] = function() return sim.text(429, "Too Many Requests") end,
    ["5xx"] = function(request)
      -- a 500 would be the function's own end; this question only has no answer now
      if request.method == "GET" then return sim.text(503, "Service Unavailable") end
      return say(500, "internal error: function was terminated by signal")
    end,
    out_of_credit = function() return say(429, "Webhook failed: workspace billing cycle spend limit reached") end,
  },
  missing = function() return sim.json(404, { detail = "Not Found" }) end,
  routes = {
    { "GET", "/{id}/out.mp4", get_file, host = FILES, open = true },
    { "POST", "/v1/chat/completions", chat, host = DIRECT },
    { "GET", "/v1/models", models, host = DIRECT },
    { "POST", "/accept", accept, host = RUN },
    { "POST", "/submit", accept, host = RUN },
    { "GET", "/result/{id}", get_result, host = RUN },
    { "POST", "/cancel/{id}", cancel, host = RUN },
    { "DELETE", "/cancel/{id}", cancel, host = RUN },
    { "POST", "/{path...}", call },
    { "GET", "/{path...}", follow },
  },
}
