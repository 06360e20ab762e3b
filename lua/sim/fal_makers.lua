-- fal_makers.lua - what fal's models make, for the simulator: pictures, videos, sounds, shapes or text, by the kind of the model.
--
-- A maker is { kind =, check(model, input), output(job, inline), cost(model, input), file(job, name) }.
local crypto = require "crypto"
local directory = require "sim.fal_directory"
local media = require "sim.media"
local sim = require "sim.core"
local units = require "sim.fal_units"

local fal_makers = {}

--- What is wrong with one field of an input.
function fal_makers.issue(field, message, kind)
  return { loc = sim.array { "body", field }, msg = message, type = kind }
end

local issue = fal_makers.issue

local function url_of(job, name)
  return ("%s/v3b.fal.media/files/b/%s/%s"):format(job.base, job.id, name)
end

-- Pictures -------------------------------------------------------------------------------------------------------------------

local STEPS = { ["fal-ai/flux/schnell"] = 12, ["fal-ai/flux/dev"] = 50 }
local MOST_IMAGES = { ["fal-ai/fast-sdxl"] = 8, ["fal-ai/bytedance/seedream/v4/text-to-image"] = 6 }

local function check_size(size, issues)
  if type(size) == "table" and (not math.tointeger(size.width) or not math.tointeger(size.height)) or
    type(size) == "string" and not units.SIZES[size] and not size:find("^auto") then
    issues[#issues + 1] = issue("image_size", "unexpected value; permitted: 'square_hd', 'square', 'portrait_4_3', " ..
      "'portrait_16_9', 'landscape_4_3', 'landscape_16_9'", "value_error.const")
  end
end

local function check_range(input, field, low, high, issues)
  local value = input[field]
  if sim.given(value) and (type(value) ~= "number" or value < low or value > high) then
    issues[#issues + 1] = issue(field, ("ensure this value is from %s to %s"):format(low, high),
      "value_error.number.not_in_range")
  end
end

-- A list, empty when the input is good. A prompt is asked for where one makes the picture.
local function check_image(model, input)
  local issues = sim.array {}
  local category = directory.category(model)
  if (not category or category:find("^text%-to")) and type(input.prompt) ~= "string" then
    issues[1] = issue("prompt", "field required", "value_error.missing")
  end
  if model:find("image%-to%-image$") and type(input.image_url) ~= "string" then
    issues[#issues + 1] = issue("image_url", "field required", "value_error.missing")
  end
  if sim.given(input.image_size) then check_size(input.image_size, issues) end
  check_range(input, "num_images", 1, MOST_IMAGES[model] or 4, issues)
  if STEPS[model] then check_range(input, "num_inference_steps", 1, STEPS[model], issues) end
  check_range(input, "guidance_scale", 0, 20, issues)
  return issues
end

local function image_format(input)
  local format = sim.given(input.output_format) and input.output_format or input.format
  return (format == "png" or format == "webp") and format or "jpeg"
end

local function image_bytes(job, number)
  return media.file(image_format(job.input), job.id .. number, units.sides(job.input))
end

local function image_output(job, inline)
  local width, height = units.sides(job.input)
  local format = image_format(job.input)
  local images, flags = sim.array {}, sim.array {}
  for i = 1, math.tointeger(job.input.num_images) or 1 do
    local url = url_of(job, i .. "." .. format)
    if inline then url = ("data:%s;base64,%s"):format(media.type(format), crypto.base64(image_bytes(job, i))) end
    images[i] = { url = url, width = width, height = height, content_type = media.type(format) }
    flags[i] = job.moderated or false
  end
  return { images = images, timings = { inference = (job.ends - job.starts) / 1000 }, seed = math.tointeger(job.input.seed) or
    job.n,
    has_nsfw_concepts = flags, prompt = job.input.prompt }
end

local images = { kind = "image", check = check_image, output = image_output, cost = units.bill }

function images.file(job, name)
  return image_bytes(job, math.tointeger(tonumber(name:match("^%d+"))))
end

-- All else -------------------------------------------------------------------------------------------------------------------

local DURATIONS = { ["fal-ai/veo3.1"] = sim.set("4s", "6s", "8s") }

-- Kling's lengths are texts, and so is whatever is not among them wrong.
local function check_video(model, input)
  local issues, category = sim.array {}, directory.category(model)
  local allowed = DURATIONS[model] or model:find("/kling%-video/v2") and sim.set("5", "10")
  if category and category:find("^text%-to") and type(input.prompt) ~= "string" then
    issues[1] = issue("prompt", "field required", "value_error.missing")
  end
  if category == "image-to-video" and not sim.given(input.image_url) and not sim.given(input.image_urls) then
    issues[#issues + 1] = issue("image_url", "field required", "value_error.missing")
  end
  if allowed and sim.given(input.duration) and not allowed[input.duration] then
    issues[#issues + 1] = issue("duration", "unexpected value", "value_error.const")
  end
  return issues
end

local SHAPES = { ["16:9"] = { 16, 9 }, ["9:16"] = { 9, 16 }, ["1:1"] = { 1, 1 }, ["4:3"] = { 4, 3 }, ["3:4"] = { 3, 4 } }

local function video_bytes(job)
  local shape = SHAPES[job.input.aspect_ratio] or SHAPES["16:9"]
  local side = 720 // math.min(shape[1], shape[2])
  return media.file("mp4", job.id, shape[1] * side, shape[2] * side, units.seconds(job.input))
end

local function one_file(kind, member, name, content_type, bytes_of)
  return {
    kind = kind, cost = units.bill, file = bytes_of,
    check = kind == "video" and check_video or function() return sim.array {} end,
    output = function(job)
      local made = { url = url_of(job, name), content_type = content_type, file_name = name, file_size = #bytes_of(job) }
      return { [member] = made, seed = math.tointeger(job.input.seed) or job.n }
    end,
  }
end

local function sound_bytes(job)
  return media.file("wav", job.id, nil, nil, units.seconds(job.input, 2))
end

local MAKERS = {
  image = images, video = one_file("video", "video", "output.mp4", "video/mp4", video_bytes),
  audio = one_file("audio", "audio", "output.wav", "audio/wav", sound_bytes),
  ["3d"] = one_file("3d", "model_mesh", "model.glb", "model/gltf-binary", function(job) return media.file("glb", job.id) end),
  text = {
    kind = "text", cost = units.bill, check = function() return sim.array {} end, file = function() return "" end,
    output = function(job) return { output = "what a model says of " .. tostring(job.input.prompt or "a picture") } end,
  },
}

-- What the names of models say of those that are not listed.
local WORDS = {
  { "to%-video", "video" }, { "video", "video" }, { "veo", "video" }, { "kling", "video" }, { "seedance", "video" },
  { "hailuo", "video" }, { "sora", "video" }, { "wan", "video" }, { "pixverse", "video" }, { "ltx", "video" },
  { "to%-audio", "audio" }, { "speech", "audio" }, { "tts", "audio" }, { "music", "audio" }, { "audio", "audio" },
  { "to%-3d", "3d" }, { "3d", "3d" }, { "trellis", "3d" }, { "llm", "text" }, { "caption", "text" }, { "whisper", "text" },
}
local KINDS = {
  image = "image", video = "video", audio = "audio", speech = "audio", music = "audio", ["3d"] = "3d", text = "text",
}

local function kind_of(model)
  local category = directory.category(model)
  local kind = category and KINDS[category:match("%-to%-([^-]+)$")]
  if kind then return kind end
  for _, word in ipairs(WORDS) do
    if model:find(word[1]) then return word[2] end
  end
  return "image"
end

--- The maker of a model.
function fal_makers.of(model)
  return MAKERS[kind_of(model)]
end

return fal_makers
