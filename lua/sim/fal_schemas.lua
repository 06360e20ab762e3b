-- fal_schemas.lua - what fal's models take of which no document was recorded, for the simulator: by the types of fal's client
-- (npm @fal-ai/client 1.10.1) and the models' pages, in the words of fal's documents.
local sim = require "sim.core"

local fal_schemas = {}

local function nullable(kind)
  return { anyOf = sim.array { { type = kind }, { type = "null" } } }
end

local function one_of(default, ...)
  return { type = "string", enum = sim.array { ... }, default = default }
end

local function count(most)
  return { type = "integer", minimum = 1, maximum = most, default = 1 }
end

local function switch(default)
  return { type = "boolean", default = default }
end

local TEXT, SEED, NEGATIVE = { type = "string" }, nullable "integer", nullable "string"
local SIDE = { type = "integer", exclusiveMinimum = 0, maximum = 14142, default = 512 }
local SIZE = { default = "square_hd", anyOf = sim.array {
  { type = "object", title = "ImageSize", properties = { width = SIDE, height = SIDE } },
  one_of(nil, "square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9") } }
local RATIOS = { "16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3" }

local function model(required, properties, ...)
  for _, more in ipairs { ... } do
    for name, property in pairs(more) do properties[name] = property end
  end
  return { type = "object", title = "Input", required = sim.array(required), properties = properties }
end

local function picture()
  return { prompt = TEXT, seed = SEED, num_images = count(4), sync_mode = switch(false) }
end

local PRO = { output_format = one_of("jpeg", "jpeg", "png"), enhance_prompt = switch(false),
  safety_tolerance = one_of("2", "1", "2", "3", "4", "5", "6") }
local FAST = { num_inference_steps = { type = "integer", minimum = 1, maximum = 50, default = 25 }, image_size = SIZE,
  guidance_scale = { type = "number", minimum = 0, maximum = 20, default = 7.5 }, enable_safety_checker = switch(true),
  format = one_of("jpeg", "jpeg", "png"), negative_prompt = { type = "string", default = "" }, expand_prompt = switch(false) }
local KLING = { prompt = TEXT, duration = one_of("5", "5", "10"), negative_prompt = { type = "string" },
  cfg_scale = { type = "number", minimum = 0, maximum = 1, default = 0.5 } }
local PIKA = { prompt = TEXT, seed = SEED, negative_prompt = TEXT, resolution = one_of("720p", "720p", "1080p"),
  duration = { type = "integer", enum = sim.array { 5, 10 }, default = 5 } }
local PICTURES = { type = "array", items = { type = "string" } }

local SCHEMAS = {
  ["fal-ai/flux-pro/v1.1"] = model({ "prompt" }, picture(), PRO, { image_size = SIZE }),
  ["fal-ai/flux-pro/v1.1-ultra"] = model({ "prompt" }, picture(), PRO, { raw = switch(false), image_url = NEGATIVE,
    image_prompt_strength = { type = "number", default = 0.1 }, aspect_ratio = { default = "16:9",
      anyOf = sim.array { one_of(nil, "21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"), TEXT } } }),
  ["fal-ai/fast-sdxl"] = model({ "prompt" }, picture(), FAST),
  ["fal-ai/kling-video/v2.5-turbo/pro/text-to-video"] = model({ "prompt" },
    { aspect_ratio = one_of("16:9", "16:9", "9:16", "1:1") }, KLING),
  ["fal-ai/kling-video/v2.5-turbo/pro/image-to-video"] = model({ "prompt", "image_url" },
    { image_url = TEXT, tail_image_url = NEGATIVE }, KLING),
  -- eight seconds with sound when nothing is said
  ["fal-ai/veo3.1"] = model({ "prompt" }, { prompt = { type = "string", maxLength = 20000 }, negative_prompt = NEGATIVE,
    seed = SEED, duration = one_of("8s", "4s", "6s", "8s"), resolution = one_of("720p", "720p", "1080p", "4k"),
    aspect_ratio = one_of("16:9", "16:9", "9:16"), generate_audio = switch(true), auto_fix = switch(true),
    safety_tolerance = one_of("4", "1", "2", "3", "4", "5", "6") }),
  ["fal-ai/pika/v2.2/text-to-video"] = model({ "prompt" }, { aspect_ratio = one_of("16:9", table.unpack(RATIOS)) }, PIKA),
  ["fal-ai/pika/v2.2/image-to-video"] = model({ "prompt", "image_url" }, { image_url = TEXT }, PIKA),
  ["fal-ai/pika/v2.2/pikascenes"] = model({ "images" }, { ingredients_mode = one_of("precise", "creative", "precise"),
    aspect_ratio = one_of("16:9", table.unpack(RATIOS)),
    images = { type = "array", items = { type = "object", properties = { image_url = TEXT } } } }, PIKA),
  ["fal-ai/pika/v2.2/pikaframes"] = model({ "image_urls" }, { prompt = TEXT, image_urls = PICTURES, seed = SEED,
    negative_prompt = TEXT, resolution = one_of("720p", "720p", "1080p"),
    transitions = { type = "array",
      items = { type = "object", properties = { duration = { type = "number" }, prompt = TEXT } } } }),
  ["fal-ai/pika/v2.1/image-to-video"] = model({ "prompt", "image_url" }, { image_url = TEXT }, PIKA),
  ["fal-ai/pika/v2.1/text-to-video"] = model({ "prompt" }, { aspect_ratio = one_of("16:9", table.unpack(RATIOS)) }, PIKA),
}

--- The schema of a model's input, or nil. Not to be changed.
function fal_schemas.of(id)
  return SCHEMAS[id]
end

return fal_schemas
