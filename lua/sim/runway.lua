-- runway.lua - Runway for the simulator: tasks, ephemeral uploads, the organization.
local directory = require "sim.runway_directory"
local media = require "sim.media"
local sim = require "sim.core"

local API, FILES, STORE = "api.dev.runwayml.com", "dnznrvs05pmza.cloudfront.net", "uploads.example-storage.com"
local TURBO = { "1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672" }
local VEO = { "1280:720", "720:1280", "1920:1080", "1080:1920" }
local IMAGE = { "1920:1080", "1080:1920", "1024:1024", "1360:768", "1080:1080", "1168:880", "1440:1080", "1080:1440", "1808:768",
  "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720" }
-- endpoint -> model -> ratios, seconds (lowest, highest, or a list), credits a second, required fields. A model that is not here
-- but in the vendor's list of others is taken as it is.
local MODELS = {
  text_to_video = {
    ["gen4.5"] = { ratios = { "1280:720", "720:1280" }, from = 2, to = 10, needs = { "promptText", "duration" }, rate = 12 },
    ["veo3.1"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptText" }, rate = 40 },
    ["veo3.1_fast"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptText" }, rate = 15 },
  },
  image_to_video = {
    ["gen4.5"] = { ratios = TURBO, from = 2, to = 10, needs = { "promptText", "promptImage" }, rate = 12 },
    gen4_turbo = { ratios = TURBO, from = 2, to = 10, needs = { "promptImage" }, rate = 5 },
    ["veo3.1"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptImage" }, rate = 40, last = true },
    ["veo3.1_fast"] = { ratios = VEO, seconds = { 4, 6, 8 }, needs = { "promptImage" }, rate = 15, last = true },
  },
  video_to_video = { aleph2 = { needs = { "videoUri", "promptText" }, rate = 28 } },
  character_performance = { act_two = { ratios = TURBO, needs = { "character", "reference" }, rate = 5, length = 8 } },
  text_to_image = {
    gen4_image = { ratios = IMAGE, needs = { "promptText", "ratio" }, picture = true },
    gen4_image_turbo = { ratios = IMAGE, needs = { "promptText", "ratio", "referenceImages" }, picture = true, flat = 2 },
    ["gemini_2.5_flash"] = { needs = { "promptText" }, picture = true, flat = 5 },
    gemini_image3_pro = { needs = { "promptText" }, picture = true, flat = 20 },
  },
  image_upscale = { magnific_precision_upscaler_v2 = { needs = { "imageUri" }, picture = true, flat = 30 } },
}
local OTHERS = { "^seedance2", "^hailuo3", "^happyhorse", "^gemini_omni_flash", "^grok_imagine", "^wan3", "^h3_max",
  "^gpt_image_2",
  "^seedream5", "^muse_image" }
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
  for _, pattern in ipairs(OTHERS) do
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

local function credits(body, model)
  if model.flat then return model.flat end
  if model.picture then return (body.ratio == "1280:720" or body.ratio == "720:1280" or body.ratio == "720:720") and 5 or 8 end
  local seconds = math.tointeger(body.duration) or model.length or 5
  return seconds * (model.rate or 20)
end

local function create(endpoint)
  return function(request)
    local body, model = check(request, endpoint)
    local cost = credits(body, model)
    local job = sim.submit(request, { id = sim.uuid("runway", sim.next()), input = body, picture = model.picture, credits = cost,
      cost_usd = cost / 100, length = model.length })
    return sim.json(200, { id = job.id, estimatedCost = { credits = cost } })
  end
end

local function find(request, arguments)
  local job = sim.job("runway", arguments.id)
  if not job or job.deleted then error(refuse(404, "Could not find a task with that ID.")) end
  return job, sim.phase(job, request.now)
end

local function get_task(request, arguments)
  local job, phase = find(request, arguments)
  local task = { id = job.id, createdAt = sim.iso(job.created), status = STATUS[phase] }
  if phase == "queued" or phase == "running" then
    task.estimatedCost = { credits = job.credits }
    if phase == "running" then task.progress = math.floor(sim.progress(job, request.now) * 100) / 100 end
    return sim.json(200, task)
  end
  task.cost = { credits = (phase == "done" or phase == "moderated") and job.credits or 0 }
  if phase == "done" then
    task.output = { ("%s/%s/%s.%s?_jwt=%s"):format(job.base, FILES, job.id, job.picture and "png" or "mp4", sim.word(16, "jwt",
      job.id)) }
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
  local job = sim.job("runway", arguments.file:match("^[^.]+"))
  if not job or job.deleted or sim.phase(job, request.now) ~= "done" then return sim.text(403, "AccessDenied") end
  local width, height = tostring(job.input.ratio):match("^(%d+):(%d+)$")
  width, height = tonumber(width) or 1280, tonumber(height) or 720
  if job.picture then return sim.bytes(200, "image/png", media.file("png", job.id, width, height)) end
  return sim.bytes(200, "video/mp4", media.file("mp4", job.id, width, height, tonumber(job.input.duration) or job.length or 5))
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
