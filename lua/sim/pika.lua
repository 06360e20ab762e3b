-- pika.lua - Pika for the simulator: on fal's queue, and the old direct API (devapi.pika.art), which is not verified.
local fal = require "sim.fal"
local makers = require "sim.fal_makers"
local media = require "sim.media"
local sim = require "sim.core"
local units = require "sim.fal_units"

local DIRECT, FILES = "devapi.pika.art", "cdn.pika.art"
local BASE = { text = sim.set("v2.2/text-to-video", "v2.1/text-to-video", "v2/turbo/text-to-video"),
  image = sim.set("v2.2/image-to-video", "v2.1/image-to-video", "v2/turbo/image-to-video") }
-- Required inputs of the paths that are neither.
local OTHERS = { ["v2.2/pikascenes"] = { "images" }, ["v2.2/pikaframes"] = { "image_urls" },
  ["v2/pikadditions"] = { "video_url", "image_url", "prompt" }, ["v1.5/pikaffects"] = { "image_url", "pikaffect" } }
local RATIOS = { ["16:9"] = 16 / 9, ["9:16"] = 9 / 16, ["1:1"] = 1, ["4:5"] = 4 / 5, ["5:4"] = 5 / 4, ["3:2"] = 3 / 2,
  ["2:3"] = 2 / 3 }

local function required(path)
  if BASE.text[path] then return { "prompt" } end
  if BASE.image[path] then return { "image_url", "prompt" } end
  return OTHERS[path]
end

local videos = { kind = "video" }

function videos.check(model, input)
  local path = model:match("^fal%-ai/pika/(.+)$")
  local needed = path and required(path)
  local issues = sim.array {}
  if not needed then error(sim.json(404, { detail = ("Path /%s not found"):format(path or "") })) end
  local function complain(field, message, kind) issues[#issues + 1] = makers.issue(field, message, kind) end
  for _, field in ipairs(needed) do
    if not sim.given(input[field]) then complain(field, "field required", "value_error.missing") end
  end
  if sim.given(input.resolution) and input.resolution ~= "720p" and input.resolution ~= "1080p" then
    complain("resolution", "unexpected value; permitted: '720p', '1080p'", "value_error.const")
  end
  if sim.given(input.duration) and tonumber(input.duration) ~= 5 and tonumber(input.duration) ~= 10 then
    complain("duration", "unexpected value; permitted: 5, 10", "value_error.const")
  end
  if sim.given(input.aspect_ratio) and not RATIOS[input.aspect_ratio] then
    complain("aspect_ratio", "unexpected value", "value_error.const")
  end
  return issues
end

videos.cost = units.bill

local function maker_of() return videos end

local function dimensions(resolution, ratio)
  local short = resolution == "1080p" and 1080 or 720
  if ratio >= 1 then return math.floor(short * ratio) // 2 * 2, short end
  return short, math.floor(short / ratio) // 2 * 2
end

function videos.file(job)
  job.bytes = job.bytes or #media.file("mp4", job.id, 1280, 720, 5)
  local width, height = dimensions(job.input.resolution, RATIOS[job.input.aspect_ratio] or 16 / 9)
  return media.file("mp4", job.id, width, height, tonumber(job.input.duration) or 5)
end

function videos.output(job)
  return { video = { url = ("%s/v3b.fal.media/files/b/%s/pika.mp4"):format(job.base, job.id), content_type = "video/mp4",
    file_name = "pika.mp4", file_size = #videos.file(job) } }
end

-- The direct API -----------------------------------------------------------------------------------------------------------

-- Fields and files that each path needs.
local FORMS = {
  ["2.2/t2v"] = { "promptText" }, ["2.2/i2v"] = { "image" }, ["2.2/pikascenes"] = { "images", "ingredientsMode" },
  ["2.2/pikaframes"] = { "keyFrames", "promptText" }, ["pikaffects"] = { "image" }, ["pikadditions"] = { "video", "image" },
  ["pikaswaps"] = { "video" }, ["turbo/t2v"] = { "promptText" }, ["turbo/i2v"] = { "image" },
}

local function generate(request, arguments)
  local needed = FORMS[arguments.path]
  local issues = sim.array {}
  if not needed then return sim.json(404, { detail = "Not Found" }) end
  for _, field in ipairs(needed) do
    if not request.fields[field] then issues[#issues + 1] = makers.issue(field, "field required", "value_error.missing") end
  end
  if #issues > 0 then return sim.json(422, { detail = issues }) end
  if request.fault == "moderated" then
    request.fault_used = true
    return sim.json(400, { message = "prompt not allowed" })
  end
  local fields = {}
  for name, part in pairs(request.fields) do fields[name] = part.value end
  local job = sim.submit(request, { id = sim.uuid("pika", sim.next()), fields = fields })
  return sim.json(200, { video_id = job.id })
end

local STATUS = { queued = "queued", running = "started", done = "finished", failed = "failed", moderated = "failed" }

local function get_video(request, arguments)
  local job = sim.job("pika", arguments.id)
  if not job then return sim.json(404, { message = "Video not found" }) end
  local phase = sim.phase(job, request.now)
  local answer = { id = job.id, status = STATUS[phase] or "failed", progress = 0, url = sim.null }
  if phase == "running" then answer.progress = math.floor(sim.progress(job, request.now) * 99) end
  if phase == "done" then answer.progress, answer.url = 100, ("%s/%s/v1/%s/video.mp4"):format(job.base, FILES, job.id) end
  return sim.json(200, answer)
end

local function get_file(request, arguments)
  local job = sim.job("pika", arguments.id)
  if not job or sim.phase(job, request.now) ~= "done" then return sim.text(404, "Not Found") end
  local ratio = tonumber(job.fields.aspectRatio) or 16 / 9
  local width, height = dimensions(job.fields.resolution or "1080p", math.max(0.4, math.min(2.5, ratio)))
  return sim.bytes(200, "video/mp4", media.file("mp4", job.id, width, height, tonumber(job.fields.duration) or 5))
end

local function auth(request)
  if request.host ~= DIRECT then return fal.auth(request) end
  if not sim.key(request.headers["x-api-key"]) then return sim.json(401, { message = "Invalid API key" }) end
end

local function as_direct(message, status, name)
  return function(request)
    if request.host == DIRECT then return sim.json(status, { message = message }) end
    return fal.faults[name](request)
  end
end

-- The part of the path that fal's routes lost to the host's prefix is still there: both see "fal-ai/pika/...".
return {
  provider = "pika",
  hosts = { "queue.fal.run/fal-ai/pika", "fal.run/fal-ai/pika", DIRECT, FILES },
  auth = auth,
  faults = {
    ["429"] = as_direct("Your API key has reached its generate limit", 429, "429"),
    ["5xx"] = as_direct("Internal server error", 500, "5xx"),
    out_of_credit = as_direct("Your API key has reached its generate limit", 429, "out_of_credit"),
  },
  missing = fal.missing,
  event = fal.event,
  routes = {
    { "*", "/{path...}", fal.queue(maker_of), host = "queue.fal.run" },
    { "POST", "/{path...}", fal.direct(maker_of), host = "fal.run" },
    { "POST", "/generate/{path...}", generate, host = DIRECT },
    { "GET", "/videos/{id}", get_video, host = DIRECT },
    { "GET", "/v1/{id}/{name}", get_file, host = FILES, open = true },
  },
}
