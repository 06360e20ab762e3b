-- video_models.lua - the video models of RunPod's public endpoints, one row each: inputs and price together (model_rows.lua).
--
-- All of it is what the endpoint's page says: https://docs.runpod.io/public-endpoints/models/{page}, state of 2026-08-20.
-- Prices per video of so many seconds are the same for each second, in every table of the vendor's.

local rows = require "model_rows"

local file, files, flag, integer, number, list = rows.file, rows.files, rows.flag, rows.integer, rows.number, rows.list
local like, priced, counted, text = rows.like, rows.priced, rows.counted, rows.text
local PROMPT, TEXT, INTEGER, ON, OFF = rows.PROMPT, rows.TEXT, rows.INTEGER, rows.ON, rows.OFF

local SEED = { type = "integer", default = -1 }

return {
  ["p-video"] = {
    label = "Pruna Video", kind = "video", page = "p-video",
    price = { unit = "second", count = "duration", beside = { "audio" }, times = { draft = 0.25 }, by = "resolution",
      usd = { ["720p"] = 0.02, ["1080p"] = 0.04 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file "image" }, { "audio", file "audio" },
      { "duration", integer { default = 5, minimum = 1, maximum = 10, x_costs = true } },
      { "resolution", priced("720p", "720p 1080p") }, { "fps", integer { default = 24, examples = { 24, 48 } } },
      { "aspect_ratio", like("16:9", "16:9 9:16 4:3 3:4 3:2 2:3 1:1") }, { "seed", INTEGER },
      { "draft", flag { default = false, x_costs = true } }, { "save_audio", ON }, { "prompt_upsampling", ON },
    },
  },
  ["wan-2-5"] = {
    label = "WAN 2.5", kind = "video", page = "wan-2-5",
    price = { unit = "second", count = "duration", by_side = "size", usd = { ["480"] = 0.05, ["720"] = 0.1, ["1080"] = 0.15 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "negative_prompt", TEXT },
      { "size", text { default = "1280*720", x_costs = true } },
      { "duration", integer { default = 5, minimum = 1, x_costs = true } }, { "seed", SEED }, { "enable_prompt_expansion", OFF },
      { "enable_safety_checker", ON },
    },
  },
  ["wan-2-6-t2v"] = {
    label = "WAN 2.6 T2V", kind = "video", page = "wan-2-6-t2v",
    price = { unit = "second", count = "duration", by_side = "size", usd = { ["720"] = 0.1, ["1080"] = 0.15 } },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "duration", counted(5, { 5, 10, 15 }) },
      { "size", priced("1280*720", "1280*720 1920*1080 720*1280 1080*1920") }, { "shot_type", like("single", "single multi") },
      { "seed", SEED }, { "enable_prompt_expansion", OFF }, { "audio", file "audio" },
    },
  },
  ["wan-2-6-i2v"] = {
    label = "WAN 2.6 I2V", kind = "video", page = "wan-2-6-i2v",
    price = { unit = "second", count = "duration", by_side = "size", usd = { ["720"] = 0.1, ["1080"] = 0.15 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "audio", file "audio" }, { "negative_prompt", TEXT },
      { "size", priced("1280*720", "1280*720 1920*1080") }, { "duration", counted(5, { 5, 10, 15 }) },
      { "shot_type", like("single", "single multi") }, { "seed", SEED }, { "enable_prompt_expansion", OFF },
      { "enable_safety_checker", ON },
    },
  },
  ["wan-2-2-i2v-720"] = {
    label = "WAN 2.2 I2V", kind = "video", page = "wan-2-2-i2v", price = { usd = 0.06, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "negative_prompt", TEXT }, { "size", like("1280*720") },
      { "num_inference_steps", integer { default = 30, description = "1 to 50" } },
      { "guidance", number { default = 5, description = "0 to 10" } },
      { "duration", integer { default = 5, minimum = 1, x_costs = true } }, { "flow_shift", integer { default = 5 } },
      { "seed", SEED }, { "enable_prompt_optimization", OFF }, { "enable_safety_checker", ON },
    },
  },
  ["wan-2-2-t2v-720-lora"] = {
    label = "WAN 2.2 I2V LoRA", kind = "video", page = "wan-2-2-i2v-lora",
    price = { usd = 0.07, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "high_noise_loras", list { items = { type = "object" } } },
      { "low_noise_loras", list { items = { type = "object" } } },
      { "duration", integer { default = 5, minimum = 1, x_costs = true } }, { "seed", SEED }, { "enable_safety_checker", ON },
    },
  },
  ["wan-2-1-i2v-720"] = {
    label = "WAN 2.1 I2V", kind = "video", page = "wan-2-1-i2v", price = { usd = 0.06, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "negative_prompt", TEXT }, { "size", like("1280*720") },
      { "num_inference_steps", integer { default = 30, description = "1 to 50" } },
      { "guidance", number { default = 5, description = "0 to 10" } },
      { "duration", integer { default = 5, minimum = 1, x_costs = true } }, { "flow_shift", integer { default = 5 } },
      { "seed", SEED }, { "enable_prompt_optimization", OFF }, { "enable_safety_checker", ON },
    },
  },
  ["seedance-v1-5-pro-i2v"] = {
    label = "Seedance 1.5 Pro I2V", kind = "video", page = "seedance-1-5-pro",
    price = { unit = "second", count = "duration", by = "resolution", usd = { ["480p"] = 0.024, ["720p"] = 0.052 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "last_image", file "image" },
      { "duration", integer { default = 5, minimum = 4, maximum = 12, x_costs = true } },
      { "resolution", priced("720p", "480p 720p") }, { "aspect_ratio", like("16:9", "21:9 16:9 9:16 1:1 4:3 3:4") },
      { "camera_fixed", OFF }, { "generate_audio", OFF }, { "seed", SEED },
    },
  },
  ["kling-v2-1-i2v-pro"] = {
    label = "Kling v2.1 I2V Pro", kind = "video", page = "kling-v2-1",
    price = { usd = 0.09, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "negative_prompt", TEXT },
      { "guidance_scale", number { default = 0.5 } }, { "duration", integer { default = 5, minimum = 1, x_costs = true } },
      { "enable_safety_checker", ON },
    },
  },
  ["kling-v2-6-std-motion-control"] = {
    label = "Kling v2.6 Motion Control", kind = "video", page = "kling-v2-6-motion-control",
    inputs = {
      { "image", file("image", true) }, { "video", file("video", true) },
      { "character_orientation", like(nil, "video image", true) }, { "prompt", TEXT }, { "negative_prompt", TEXT },
      { "keep_original_sound", ON },
    },
  },
  ["kling-video-o1-r2v"] = {
    label = "Kling Video O1 R2V", kind = "video", page = "kling-video-o1-r2v",
    price = { usd = 0.112, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "images", files("image", true) }, { "video", file "video" }, { "negative_prompt", TEXT },
      { "aspect_ratio", like("16:9", "16:9 9:16 1:1") },
      { "duration", integer { default = 5, minimum = 3, maximum = 10, x_costs = true } }, { "seed", SEED },
      { "enable_prompt_expansion", OFF }, { "enable_safety_checker", ON },
    },
  },
  ["sora-2-i2v"] = {
    label = "SORA 2 I2V", kind = "video", page = "sora-2", price = { usd = 0.1, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "duration", counted(nil, { 4, 8, 12 }, true) },
    },
  },
  ["sora-2-pro-i2v"] = {
    label = "SORA 2 Pro I2V", kind = "video", page = "sora-2-pro",
    price = { unit = "second", count = "duration", by = "size", usd = { ["720p"] = 0.3, ["1080p"] = 0.5 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "size", text { default = "720p", x_costs = true } },
      { "duration", counted(nil, { 4, 8, 12 }, true) },
    },
  },
  ["vidu-q3-t2v"] = {
    label = "Vidu Q3 T2V", kind = "video", page = "vidu-q3-t2v", price = { usd = 0.15, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "style", like("general", "general anime") }, { "resolution", like("720p", "540p 720p 1080p") },
      { "duration", integer { default = 5, minimum = 1, maximum = 16, x_costs = true } },
      { "aspect_ratio", like("4:3", "16:9 9:16 4:3 3:4 1:1") },
      { "movement_amplitude", like("auto", "auto small medium large") }, { "generate_audio", ON }, { "bgm", ON },
      { "seed", SEED },
    },
  },
  ["vidu-q3-i2v"] = {
    label = "Vidu Q3 I2V", kind = "video", page = "vidu-q3-i2v", price = { usd = 0.15, unit = "second", count = "duration" },
    inputs = {
      { "image", file("image", true) }, { "prompt", PROMPT }, { "resolution", like("720p", "540p 720p 1080p") },
      { "duration", integer { default = 5, minimum = 1, maximum = 16, x_costs = true } },
      { "movement_amplitude", like("auto", "auto small medium large") }, { "generate_audio", ON }, { "bgm", ON },
      { "seed", SEED },
    },
  },
  ["infinitetalk"] = {
    label = "InfiniteTalk", kind = "video", page = "infinitetalk",
    price = { unit = "video", by = "size", usd = { ["480p"] = 0.25, ["720p"] = 0.5 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "audio", file("audio", true) },
      { "size", priced(nil, "480p 720p", true) }, { "enable_safety_checker", ON },
    },
  },
}
