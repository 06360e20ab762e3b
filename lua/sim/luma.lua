-- luma.lua - Luma for the simulator: the Dream Machine API and the Agents API, which share nothing but the house.
local media = require "sim.media"
local sim = require "sim.core"

local DREAM, AGENTS, DREAM_FILES, AGENT_FILES = "api.lumalabs.ai", "agents.lumalabs.ai", "storage.cdn-luma.com",
  "agents-output.example-storage.com"
local RATIOS = { ["1:1"] = 1, ["16:9"] = 16 / 9, ["9:16"] = 9 / 16, ["4:3"] = 4 / 3, ["3:4"] = 3 / 4, ["21:9"] = 21 / 9,
  ["9:21"] = 9 / 21 }
local HEIGHTS = { ["360p"] = 360, ["540p"] = 540, ["720p"] = 720, ["1080p"] = 1080, ["4k"] = 2160 }
local DREAM_STATES = { queued = "queued", running = "dreaming", done = "completed", moderated = "failed", failed = "failed",
  canceled = "failed" }
local AGENT_STATES = { queued = "queued", running = "processing", done = "completed", moderated = "failed", failed = "failed",
  canceled = "failed" }
local KINDS = { modify_video = "video", reframe_video = "video", upscale_video = "video", add_audio = "video",
  reframe_image = "image" }

local function detail(status, text, headers)
  return sim.json(status, { detail = text }, headers)
end

-- Dream Machine ------------------------------------------------------------------------------------------------------------

local function check_prompt(body, needed)
  local prompt = body.prompt
  if not sim.given(prompt) then
    if needed then error(detail(400, "Prompt is required")) end
    return
  end
  local length = type(prompt) == "string" and (utf8.len(prompt) or #prompt) or 0
  if length < 3 then error(detail(400, "Prompt is too short, minimum length is 3 characters")) end
  if length > 5000 then error(detail(400, "Prompt is too long, maximum length is 5000 characters")) end
end

local function check_choice(body, name, allowed)
  if sim.given(body[name]) and not allowed[body[name]] then error(detail(400, ("Invalid %s: %s"):format(name,
    tostring(body[name])))) end
end

local function check_keyframes(body)
  local frames = body.keyframes
  if not sim.given(frames) then return end
  local extends = false
  if type(frames) ~= "table" or not (sim.given(frames.frame0) or sim.given(frames.frame1)) then error(detail(400,
    "No keyframes provided")) end
  for _, name in ipairs { "frame0", "frame1" } do
    local frame = frames[name]
    if sim.given(frame) then
      extends = extends or frame.type == "generation"
      if frame.type == "image" and not tostring(frame.url):match("^https?://") then error(detail(400,
        "Failed to read user input frames")) end
    end
  end
  if extends and body.loop == true then error(detail(400, "Loop is not supported for this request")) end
end

local function check_video(body)
  check_prompt(body, not sim.given(body.keyframes))
  check_choice(body, "model", sim.set("ray-2", "ray-flash-2"))
  if not sim.given(body.model) then error(detail(400, "Model is required")) end
  check_choice(body, "resolution", sim.set("540p", "720p", "1080p", "4k"))
  check_choice(body, "duration", sim.set("5s", "9s"))
  check_choice(body, "aspect_ratio", RATIOS)
  check_keyframes(body)
  -- recorded both ways for ray-flash-2: refused as it comes, taken where a duration was chosen
  if sim.given(body.concepts) and body.model == "ray-flash-2" and not sim.given(body.duration) then
    error(detail(400, "400: concepts are not supported for this model"))
  end
end

local function check_image(body)
  check_prompt(body, true)
  check_choice(body, "model", sim.set("photon-1", "photon-flash-1"))
  if not sim.given(body.model) then error(detail(400, "Model is required")) end
  check_choice(body, "aspect_ratio", RATIOS)
  check_choice(body, "format", sim.set("jpg", "png"))
end

local function dream_view(job, now)
  local phase = sim.phase(job, now)
  local view = { id = job.id, generation_type = job.kind, state = DREAM_STATES[phase], failure_reason = sim.null,
    created_at = sim.iso(job.created, true), assets = sim.null, model = job.model, request = job.request }
  local at = ("%s/%s/dream_machine/%s/"):format(job.base, DREAM_FILES, job.id)
  if phase == "done" and job.kind == "video" then
    view.assets = { video = at .. "video.mp4", image = at .. "thumb.jpg", progress_video = sim.null }
  elseif phase == "done" then
    view.assets = { image = at .. "image." .. job.format }
  elseif phase == "moderated" then
    view.failure_reason = job.kind == "video" and "Frame moderation failed" or "Advanced prompt moderation failed"
  elseif phase == "failed" then
    view.failure_reason = "Job processing failed"
  end
  return view
end

-- US dollars of a new video or picture; nil where the contract has no figure.
local PRICES = {
  ["ray-2"] = { ["540p5s"] = 0.40, ["720p5s"] = 0.71, ["720p9s"] = 1.27, ["1080p5s"] = 1.59, ["1080p9s"] = 2.87, ["4k5s"] = 6.37,
    ["4k9s"] = 11.47 },
  ["ray-flash-2"] = { ["4k5s"] = 2.19, ["4k9s"] = 3.94 }, ["photon-1"] = 0.015, ["photon-flash-1"] = 0.004,
}

local function price(body)
  local of_model = not sim.given(body.generation_type) and PRICES[body.model]
  if type(of_model) ~= "table" then return of_model or nil end
  return of_model[tostring(body.resolution) .. tostring(body.duration)]
end

local function dream(request, kind, body)
  local echo = { generation_type = kind, aspect_ratio = "16:9" }
  if kind == "video" then echo.loop = false end
  for name, value in pairs(body) do echo[name] = value end
  local format = body.format == "png" and "png" or "jpg"
  local job = sim.submit(request, { id = sim.uuid("luma", sim.next()), kind = kind, model = body.model or sim.null,
    request = echo,
    format = format, callback = body.callback_url, list = DREAM, cost_usd = price(body) })
  if sim.given(job.callback) then
    sim.at(job.starts, job, "dreaming")
    if not job.never then sim.at(job.ends, job, "ended") end
  end
  local answer = sim.json(201, dream_view(job, request.now))
  if body.sync == true and not job.never then
    answer.json = dream_view(job, job.ends)
    answer.delay_ms = job.ends - request.now
  end
  return answer
end

local function read_json(request)
  if type(request.json) ~= "table" then error(detail(400, "Invalid JSON")) end
  return request.json
end

local function create_video(request)
  local body = read_json(request)
  if sim.given(body.generation_type) and body.generation_type ~= "video" then return detail(400, "Unknown request type") end
  check_video(body)
  return dream(request, "video", body)
end

local function create_image(request)
  check_image(read_json(request))
  return dream(request, "image", request.json)
end

local function derive(kinds)
  return function(request)
    local body = read_json(request)
    if not kinds[body.generation_type] then return detail(400, "Unknown request type") end
    return dream(request, KINDS[body.generation_type], body)
  end
end

local function find(api, arguments)
  local job = sim.job("luma", arguments.id)
  if not job or job.deleted or (job.agent or false) ~= api then error(detail(404, "Generation not found")) end
  return job
end

local function derive_from(kind)
  return function(request, arguments)
    local source, body = find(false, arguments), read_json(request)
    if body.generation_type ~= kind then return detail(400, "Unknown request type") end
    body.model = source.model
    return dream(request, "video", body)
  end
end

local function get_dream(request, arguments)
  return sim.json(200, dream_view(find(false, arguments), request.now))
end

local function delete_dream(_, arguments)
  local job = find(false, arguments)
  job.deleted = true
  sim.delist(job)
  return sim.empty(204)
end

local function list_dreams(request)
  local limit, offset = math.tointeger(tonumber(request.query.limit)) or 100, math.tointeger(tonumber(request.query.offset)) or 0
  local all, page = sim.jobs("luma", DREAM), sim.array {}
  for i = #all - offset, math.max(1, #all - offset - limit + 1), -1 do page[#page + 1] = dream_view(all[i], request.now) end
  return sim.json(200, { generations = page, count = #all, has_more = offset + limit < #all, limit = limit, offset = offset })
end

local function event(job, _, at)
  if job.deleted then return nil end
  return { url = job.callback, json = dream_view(job, at), tries = 4, pause_ms = 100,
    headers = { ["Content-Type"] = "application/json" } }
end

-- Agents -------------------------------------------------------------------------------------------------------------------

local AGENT_TYPES = sim.set("image", "image_edit", "video", "video_edit", "video_reframe")
local AGENT_MODELS = sim.set("uni-1", "uni-1-max", "ray-3.2")

local function invalid_video(video)
  local long = video.duration == "10s"
  local ends, starts, loop = sim.given(video.end_frame), sim.given(video.start_frame), video.loop == true
  if sim.given(video.resolution) and not HEIGHTS[video.resolution] then return "Invalid resolution" end
  if sim.given(video.duration) and not long and video.duration ~= "5s" then return "Invalid duration" end
  if long and (starts or ends) then return "start_frame and end_frame are not supported at 10s" end
  if loop and (long or ends or video.hdr == true) then return "loop is not supported with 10s, hdr or end_frame" end
  if video.hdr == true and (long or video.resolution == "540p" or
    video.resolution == "360p") then return "hdr needs 720p or more and 5s" end
  if video.exr_export == true and video.hdr ~= true then return "exr_export needs hdr" end
  return nil
end

local function check_agent(body)
  local length = type(body.prompt) == "string" and (utf8.len(body.prompt) or #body.prompt) or 0
  local problem = (length < 1 or length > 6000) and "prompt: must have 1 to 6000 characters"
  if sim.given(body.type) and not AGENT_TYPES[body.type] then problem = "Invalid type" end
  if sim.given(body.model) and not AGENT_MODELS[body.model] then problem = "Invalid model" end
  if type(body.video) == "table" then problem = problem or invalid_video(body.video) end
  for _, name in ipairs { "source" } do
    if body.type == "image_edit" and not sim.given(body[name]) then problem = problem or name .. " is required" end
  end
  if problem then error(detail(400, problem)) end
end

local function is_video(job)
  return job.type:match("^video") ~= nil
end

local function agent_view(job, now)
  local phase = sim.phase(job, now)
  local view = { id = job.id, created_at = sim.iso(job.created, true), model = job.model, state = AGENT_STATES[phase],
    type = job.type,
    failure_code = sim.null, failure_reason = sim.null, output = sim.array {} }
  if phase == "done" then
    local kind = is_video(job) and "video" or "image"
    view.output[1] = { type = kind, url = ("%s/%s/%s.%s?X-Amz-Expires=3600"):format(job.base, AGENT_FILES, job.id,
      kind == "video" and "mp4" or job.format) }
  elseif phase == "moderated" then
    view.failure_code, view.failure_reason = "content_moderated", "The request was blocked by moderation."
  elseif phase == "failed" then
    view.failure_code, view.failure_reason = "generation_failed", "The generation failed."
  end
  return view
end

local function agent_headers()
  return { ["X-Request-Id"] = sim.uuid("request", sim.next()), ["X-API-Version"] = "2026-04-01" }
end

-- US dollars by the list of 2026-07-10; nil where it has no figure.
local AGENT_VIDEO = {
  sdr = { ["540p5s"] = 0.15, ["720p5s"] = 0.30, ["1080p5s"] = 1.20, ["540p10s"] = 0.45, ["720p10s"] = 0.90, ["1080p10s"] = 3.60 },
  hdr = { ["720p5s"] = 0.60, ["1080p5s"] = 2.40 }, exr = { ["720p5s"] = 0.90, ["1080p5s"] = 3.60 },
}

local function agent_price(body, model, kind)
  if kind == "video" then
    local video = type(body.video) == "table" and body.video or {}
    local prices = AGENT_VIDEO[video.exr_export == true and "exr" or video.hdr == true and "hdr" or "sdr"]
    local resolution = sim.given(video.resolution) and video.resolution or "720p"
    return prices[resolution .. (sim.given(video.duration) and video.duration or "5s")]
  end
  local references = type(body.image_ref) == "table" and #body.image_ref or 0
  if kind ~= "image" then return nil end
  if model == "uni-1" then return 0.0404 + references * 0.003 end
  return references == 0 and 0.10 or nil
end

local function create_agent(request)
  local body = read_json(request)
  check_agent(body)
  local model, kind = sim.given(body.model) and body.model or "uni-1", sim.given(body.type) and body.type or "image"
  local job = sim.submit(request, { id = sim.uuid("agents", sim.next()), agent = true, model = model, type = kind, request = body,
    format = body.output_format == "jpeg" and "jpeg" or "png", cost_usd = agent_price(body, model, kind) })
  return sim.json(201, agent_view(job, request.now), agent_headers())
end

local function get_agent(request, arguments)
  return sim.json(200, agent_view(find(true, arguments), request.now), agent_headers())
end

-- Files --------------------------------------------------------------------------------------------------------------------

local function dimensions(job)
  local options = type(job.request.video) == "table" and job.request.video or job.request
  local height = HEIGHTS[options.resolution] or (is_video and 720)
  local ratio = RATIOS[job.request.aspect_ratio] or 16 / 9
  if ratio >= 1 then return math.floor(height * ratio) // 2 * 2, height, options end
  return height, math.floor(height / ratio) // 2 * 2, options
end

local function file_of(request, job, name)
  if not job or job.deleted or sim.phase(job, request.now) ~= "done" then return sim.text(403, "AccessDenied") end
  local width, height, options = dimensions(job)
  local format = name:match("%.(%w+)$")
  local seconds = tonumber((tostring(options.duration):gsub("s$", ""))) or 5
  local bytes = media.file(format, job.id .. (name:match("^thumb") or ""), width, height, seconds)
  return sim.bytes(200, media.sniff(bytes), bytes)
end

local function dream_file(request, arguments)
  return file_of(request, sim.job("luma", arguments.id), arguments.name)
end

local function agent_file(request, arguments)
  return file_of(request, sim.job("luma", arguments.name:match("^[^.]+")), arguments.name)
end

local function by_api(dream_answer, agent_answer)
  return function(request)
    if request.host == AGENTS then return agent_answer() end
    return dream_answer()
  end
end

-- Dream Machine refunds what failed; of the Agents API nothing is said of that, nor what a job costs that is not in the list.
local function bill(job, phase)
  if job.agent and phase ~= "done" then return nil end
  return phase == "done" and job.cost_usd or phase ~= "done" and 0 or nil
end

local V1 = "/dream-machine/v1"

return {
  provider = "luma",
  hosts = { DREAM, AGENTS, DREAM_FILES, AGENT_FILES },
  auth = sim.authorization("Bearer", function() return detail(401, "Invalid API key") end),
  faults = {
    ["429"] = by_api(function() return detail(429, "Too many requests", { ["Retry-After"] = "2" }) end,
      function()
        return detail(429, "Rate limit exceeded", { ["Retry-After"] = "5", ["X-RateLimit-Limit"] = "30",
          ["X-RateLimit-Remaining"] = "0" })
      end),
    ["5xx"] = by_api(function() return detail(500, "Internal server error") end, function() return detail(503,
      "Service unavailable") end),
    out_of_credit = by_api(function() return detail(402, "Insufficient credits") end, function() return detail(402,
      "Insufficient balance") end),
  },
  missing = function() return detail(404, "Not found") end,
  event = event, bill = bill,
  routes = {
    { "POST", V1 .. "/generations", create_video, host = DREAM },
    { "POST", V1 .. "/generations/video", create_video, host = DREAM },
    { "POST", V1 .. "/generations/image", create_image, host = DREAM },
    { "POST", V1 .. "/generations/video/modify", derive(sim.set("modify_video")), host = DREAM },
    { "POST", V1 .. "/generations/video/reframe", derive(sim.set("reframe_video")), host = DREAM },
    { "POST", V1 .. "/generations/image/reframe", derive(sim.set("reframe_image")), host = DREAM },
    { "POST", V1 .. "/generations/{id}/upscale", derive_from("upscale_video"), host = DREAM },
    { "POST", V1 .. "/generations/{id}/audio", derive_from("add_audio"), host = DREAM },
    { "GET", V1 .. "/generations", list_dreams, host = DREAM },
    { "GET", V1 .. "/generations/concepts/list", function()
      return sim.json(200, sim.array { "dolly_zoom", "pan_left", "pan_right", "orbit_left" })
    end, host = DREAM },
    { "GET", V1 .. "/generations/{id}", get_dream, host = DREAM },
    { "DELETE", V1 .. "/generations/{id}", delete_dream, host = DREAM },
    { "GET", V1 .. "/ping", function() return sim.json(200, { message = "pong" }) end, host = DREAM },
    { "GET", V1 .. "/credits", function() return sim.json(200, { credit_balance = 1234 }) end, host = DREAM },
    { "POST", "/v1/generations", create_agent, host = AGENTS },
    { "GET", "/v1/generations/{id}", get_agent, host = AGENTS },
    { "GET", "/dream_machine/{id}/{name}", dream_file, host = DREAM_FILES, open = true },
    { "GET", "/{name}", agent_file, host = AGENT_FILES, open = true },
  },
}
