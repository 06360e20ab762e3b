-- runway.lua - Runway for the simulator: tasks, ephemeral uploads, the organization.
local directory = require "sim.runway_directory"
local media = require "sim.media"
local sim = require "sim.core"

local API, FILES, STORE = "api.dev.runwayml.com", "dnznrvs05pmza.cloudfront.net", "uploads.example-storage.com"
local TURBO = { "1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672" }
local VEO = { "1280:720", "720:1280", "1920:1080", "1080:1920" }
local IMAGE = { "1920:1080", "1080:1920", "1024:1024", "1360:768", "1080:1080", "1168:880", "1440:1080", "1080:1440", "1808:768",
  "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720" }
-- endpoint -> model -> ratios, seconds (lowest, highest, or a list), credits a second (`silent`: without sound; `minimum`) or a
-- picture (`flat`), required fields, the length where the request says none, what comes out (default: a video). A model that is
-- not here but in the vendor's list of others is taken as it is.
local MODELS = {
  text_to_video = {
    ["gen4.5"] = { ratios = { "1280:720", "720:1280" }, from = 2, to = 10, needs = { "promptText", "duration" }, rate = 12 },
    ["veo3.1"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptText" }, rate = 40, silent = 20, length = 8 },
    ["veo3.1_fast"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptText" }, rate = 15, silent = 10, length = 8 },
  },
  image_to_video = {
    ["gen4.5"] = { ratios = TURBO, from = 2, to = 10, needs = { "promptText", "promptImage" }, rate = 12 },
    gen4_turbo = { ratios = TURBO, from = 2, to = 10, needs = { "promptImage" }, rate = 5, length = 10 },
    ["veo3.1"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptImage" }, rate = 40, silent = 20, length = 8,
      last = true },
    ["veo3.1_fast"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptImage" }, rate = 15, silent = 10, length = 8,
      last = true },
  },
  video_to_video = { aleph2 = { needs = { "videoUri", "promptText" }, rate = 28, minimum = 56 } },
  character_performance = {
    act_two = { ratios = TURBO, needs = { "character", "reference" }, rate = 5, minimum = 15, length = 8 },
  },
  text_to_image = {
    gen4_image = { ratios = IMAGE, needs = { "promptText", "ratio" }, picture = true },
    gen4_image_turbo = { ratios = IMAGE, needs = { "promptText", "ratio", "referenceImages" }, picture = true, flat = 2 },
    ["gemini_2.5_flash"] = { needs = { "promptText" }, picture = true, flat = 5 },
    gemini_image3_pro = { needs = { "promptText" }, picture = true, flat = 20, flat_4k = 40 },
    muse_image = { needs = { "promptText", "ratio" }, picture = true, flat = 1 },
  },
  image_upscale = { magnific_precision_upscaler_v2 = { needs = { "imageUri" }, picture = true, flat = 30 } },
  video_upscale = {
    magnific_video_upscaler_creative = { needs = { "videoUri" } },
    enhance_frame_rate = { needs = { "videoUri", "targetFramerate" } },
  },
  video_to_hdr = { ruby = { needs = { "videoUri" } } },
  text_to_speech = {
    seed_audio = { needs = { "promptText" }, sound = true, flat = 1 },
    eleven_multilingual_v2 = { needs = { "promptText", "voice" }, sound = true, flat = 1 },
    eleven_v3 = { needs = { "promptText", "voice" }, sound = true, flat = 1 },
  },
  sound_effect = {
    seed_audio = { needs = { "promptText" }, sound = true, flat = 1 },
    eleven_text_to_sound_v2 = { needs = { "promptText" }, sound = true, flat = 1 },
  },
  speech_to_speech = { eleven_multilingual_sts_v2 = { needs = { "media", "voice" }, sound = true, flat = 1 } },
  voice_dubbing = { eleven_voice_dubbing = { needs = { "audioUri", "targetLang" }, sound = true, flat = 1 } },
  voice_isolation = { eleven_voice_isolation = { needs = { "audioUri" }, sound = true, flat = 1 } },
  avatar_videos = { gwm1_avatars = { needs = { "avatar", "speech" } } },
}
local TAKES_OTHERS = sim.set("text_to_video", "image_to_video", "video_to_video", "text_to_image")
local OTHERS = { "^seedance2", "^hailuo3", "^happyhorse", "^gemini_", "^grok_imagine", "^wan3", "^h3_max", "^gpt_image_2",
  "^seedream5" }
-- What the first party says a second of another outputFormat costs on top.
local SURCHARGES, SURCHARGE = { mp4 = 0, prores = 5, png_sequence = 5 }, 20
local STATUS = { queued = "PENDING", running = "RUNNING", done = "SUCCEEDED", failed = "FAILED", moderated = "FAILED",
  canceled = "CANCELLED" }

local function refuse(status, text)
  return sim.json(status, { error = text })
end

-- Checks -------------------------------------------------------------------------------------------------------------------

local function invalid(issues)
  return sim.json(400, { error = "Validation of body failed", issues = issues, docUrl = "https://docs.dev.runwayml.com/api" })
end

local function one_of(values, path)
  local quoted = {}
  for i, value in ipairs(values) do quoted[i] = ("'%s'"):format(value) end
  return { code = "invalid_value", values = values, path = { path }, message = "Invalid option: expected one of " ..
    table.concat(quoted, "|") }
end

local function contains(values, value)
  for _, each in ipairs(values) do
    if each == value then return true end
  end
  return false
end

local function wrong_type(path, expected)
  return { code = "invalid_type", expected = expected, path = { path },
    message = ("Invalid input: expected %s, received undefined"):format(expected) }
end

local function check_duration(body, model, issues)
  local seconds = body.duration
  if not sim.given(seconds) then return end
  if model.seconds and not contains(model.seconds, seconds) then
    issues[#issues + 1] = one_of(model.seconds, "duration")
  elseif model.from and (not math.tointeger(seconds) or seconds < model.from or seconds > model.to) then
    issues[#issues + 1] = { code = seconds < model.from and "too_small" or "too_big", minimum = model.from, maximum = model.to,
      path = { "duration" }, message = ("Invalid input: expected an integer from %d to %d"):format(model.from, model.to) }
  end
end

local function check_prompt(body, issues)
  local text = body.promptText
  if sim.given(text) and (type(text) ~= "string" or (utf8.len(text) or 0) > 1000 or text == "") then
    issues[#issues + 1] = { code = "too_big", maximum = 1000, path = { "promptText" },
      message = "Too big: expected string to have <=1000 characters" }
  end
end

local function check_positions(body, model, issues)
  if type(body.promptImage) ~= "table" then return end
  for _, image in ipairs(body.promptImage) do
    if image.position ~= "first" and not (model.last and image.position == "last") then
      issues[#issues + 1] = one_of(model.last and { "first", "last" } or { "first" }, "promptImage")
    end
  end
end

local function find_model(endpoint, name, issues)
  local known, names = MODELS[endpoint], {}
  if type(name) ~= "string" then
    issues[1] = wrong_type("model", "string")
    return {}
  end
  if known and known[name] then return known[name] end
  for _, pattern in ipairs(TAKES_OTHERS[endpoint] and OTHERS or {}) do
    if name:find(pattern) then return { rate = 20, picture = endpoint == "text_to_image", needs = {} } end
  end
  for each in pairs(known or {}) do names[#names + 1] = each end
  table.sort(names)
  issues[1] = one_of(names, "model")
  return {}
end

local function check(request, endpoint)
  local body, issues = request.json, {}
  if type(body) ~= "table" then error(refuse(400, "The request body is not valid JSON.")) end
  local model = find_model(endpoint, body.model, issues)
  for _, name in ipairs(model.needs or {}) do
    if not sim.given(body[name]) then issues[#issues + 1] = wrong_type(name, "string") end
  end
  if model.ratios and sim.given(body.ratio) and not contains(model.ratios,
    body.ratio) then issues[#issues + 1] = one_of(model.ratios, "ratio") end
  check_duration(body, model, issues)
  check_prompt(body, issues)
  check_positions(body, model, issues)
  if #issues > 0 then error(invalid(issues)) end
  return body, model
end

-- Tasks --------------------------------------------------------------------------------------------------------------------

local function size_of(body)
  local width, height = tostring(body.ratio):match("^(%d+):(%d+)$")
  return tonumber(width), tonumber(height)
end

local function credits_of_picture(body, model)
  local width, height = size_of(body)
  if model.flat_4k and width and width * height > 8000000 then return model.flat_4k end
  if model.flat then return model.flat end
  return width and math.min(width, height) == 720 and 5 or 8
end

local AUTO_MOST, AUTO_USUAL = 15, 8

-- The most that a task may cost, and what it will: one whose length the model chooses is held at the longest.
local function credits(body, model)
  local count = math.tointeger(body.outputCount) or 1
  if model.picture then return credits_of_picture(body, model) * count, credits_of_picture(body, model) * count end
  if model.flat then return model.flat, model.flat end
  local rate = body.audio == false and model.silent or model.rate or 20
  if sim.given(body.outputFormat) then rate = rate + (SURCHARGES[body.outputFormat] or SURCHARGE) end
  if body.duration == "auto" then return AUTO_MOST * rate, AUTO_USUAL * rate end
  local cost = math.max((math.tointeger(body.duration) or model.length or 5) * rate, model.minimum or 0)
  return cost, cost
end

local function create(endpoint)
  return function(request)
    local body, model = check(request, endpoint)
    local most, cost = credits(body, model)
    local job = sim.submit(request, { id = sim.uuid("runway", sim.next()), input = body, picture = model.picture, credits = cost,
      most = most, cost_usd = cost / 100, length = model.length, sound = model.sound,
      count = math.max(1, math.min(math.tointeger(body.outputCount) or 1, 10)) })
    return sim.json(200, { id = job.id, estimatedCost = { credits = most } })
  end
end

local function find(request, arguments)
  local job = sim.job("runway", arguments.id)
  if not job or job.deleted then error(refuse(404, "Could not find a task with that ID.")) end
  return job, sim.phase(job, request.now)
end

local function format_of(job)
  return job.picture and "png" or job.sound and "wav" or "mp4"
end

local function get_task(request, arguments)
  local job, phase = find(request, arguments)
  local task = { id = job.id, createdAt = sim.iso(job.created), status = STATUS[phase] }
  if phase == "queued" or phase == "running" then
    task.estimatedCost = { credits = job.most }
    if phase == "running" then task.progress = math.floor(sim.progress(job, request.now) * 100) / 100 end
    return sim.json(200, task)
  end
  task.cost = { credits = (phase == "done" or phase == "moderated") and job.credits or 0 }
  if phase == "done" then
    task.output = sim.array {}
    for i = 1, job.count do
      local name = i == 1 and job.id or job.id .. "_" .. i
      task.output[i] = ("%s/%s/%s.%s?_jwt=%s"):format(job.base, FILES, name, format_of(job), sim.word(16, "jwt", name))
    end
  elseif phase == "moderated" then
    task.failure, task.failureCode = "Your prompt was rejected by our content moderation system.", "SAFETY.INPUT.TEXT"
  elseif phase == "failed" then
    task.failure = "An unexpected error occurred."
  end
  return sim.json(200, task)
end

-- Cancels one that runs; of a finished one it removes the output.
local function delete_task(request, arguments)
  local job, phase = find(request, arguments)
  if phase == "queued" or phase == "running" then sim.cancel(job, request.now) else job.deleted = true end
  return sim.empty(204)
end

local function get_file(request, arguments)
  local name = arguments.file:match("^[^.]+") or ""
  local job = sim.job("runway", name:match("^[^_]+"))
  if not job or job.deleted or sim.phase(job, request.now) ~= "done" then return sim.text(403, "AccessDenied") end
  local width, height = size_of(job.input)
  local bytes = media.file(format_of(job), name, width or 1280, height or 720, tonumber(job.input.duration) or job.length or 5)
  return sim.bytes(200, media.sniff(bytes), bytes)
end

-- Uploads and the account --------------------------------------------------------------------------------------------------

local function start_upload(request)
  local body = request.json
  if type(body) ~= "table" or type(body.filename) ~= "string" then return invalid { wrong_type("filename", "string") } end
  if body.type ~= "ephemeral" then return invalid { one_of({ "ephemeral" }, "type") } end
  local word = sim.word(12, "upload", sim.next())
  return sim.json(200, { uploadUrl = ("%s/%s/ephemeral/bucket"):format(request.base, STORE), runwayUri = "runway://" .. word,
    fields = { key = ("uploads/%s/%s"):format(word, body.filename), policy = "eyJleHAi", ["x-amz-signature"] = "deadbeef" } })
end

local function take_upload(request)
  if not request.fields.key or not request.fields.policy or not request.fields.file then return sim.text(400, "MissingFields") end
  return sim.empty(204)
end

local function organization()
  return sim.json(200, { creditBalance = 12345, tier = { maxMonthlyCreditSpend = 10000, models = {
    gen4_turbo = { maxConcurrentGenerations = 5, maxDailyGenerations = 1000 },
    ["gen4.5"] = { maxConcurrentGenerations = 2, maxDailyGenerations = 50 },
    h3_max = { maxConcurrentGenerations = 1, maxDailyGenerations = sim.null }, -- no variant of the file
    aleph2 = { maxConcurrentGenerations = sim.null, maxDailyGenerations = sim.null } } },
    usage = { models = { gen4_turbo = { dailyGenerations = 3 } } } })
end

local function auth(request)
  if not sim.key(sim.credential(request, "Bearer")) then return refuse(401,
    "The API key in the Authorization header is not valid.") end
  if not request.headers["x-runway-version"] then
    return refuse(400, "The X-Runway-Version header is required. Set it to 2024-11-06.")
  end
end

local routes = {
  { "GET", "/v1/tasks/{id}", get_task, host = API },
  { "DELETE", "/v1/tasks/{id}", delete_task, host = API },
  { "POST", "/v1/uploads", start_upload, host = API },
  { "GET", "/v1/organization", organization, host = API },
  { "POST", "/ephemeral/bucket", take_upload, host = STORE, open = true },
  { "GET", "/{file}", get_file, host = FILES, open = true },
}
for _, route in ipairs(directory.routes) do routes[#routes + 1] = route end
for endpoint in pairs(MODELS) do routes[#routes + 1] = { "POST", "/v1/" .. endpoint, create(endpoint), host = API } end

return {
  provider = "runway",
  hosts = { API, FILES, STORE, directory.host },
  bills = { moderated = true },
  auth = auth,
  faults = {
    ["429"] = function() return refuse(429, "You have reached the maximum number of daily generations for this model.") end,
    ["5xx"] = function() return refuse(503, "Service unavailable") end,
    out_of_credit = function()
      return sim.json(400, { error = "You do not have enough credits to run this task.",
        docUrl = "https://docs.dev.runwayml.com/api" })
    end,
  },
  missing = function() return refuse(404, "Not found") end,
  routes = routes,
}
