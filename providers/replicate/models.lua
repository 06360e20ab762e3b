-- models.lua - models of Replicate that are described here, one row each: inputs and price together (model_rows.lua).
--
-- Inputs: what GET /v1/models/{owner}/{name} has answered, flux-schnell, flux-dev and flux-1.1-pro in 2025-01, all others in
-- 2026-05. Prices are written by hand, since no call tells them: what the vendor's pages said on the day of `as_of`. They are
-- for a unit of what comes out, which the metrics of a prediction count (predictions.lua). Any other model gets its parameters as
-- they are, and has no price.

local names = require "names"
local rows = require "model_rows"

local models = {}

local file, files, flag, integer, number = rows.file, rows.files, rows.flag, rows.integer, rows.number
local like, priced, counted, list = rows.like, rows.priced, rows.counted, rows.list
local PROMPT, TEXT, INTEGER, ON, OFF = rows.PROMPT, rows.TEXT, rows.INTEGER, rows.ON, rows.OFF

local AS_OF = "2026-05-05"

local MODELS = {
  ["black-forest-labs/flux-schnell"] = {
    label = "Flux schnell", kind = "image",
    price = { usd = 0.003, unit = "image", count = "num_outputs", as_of = "2026-10-07" },
    inputs = {
      { "prompt", PROMPT }, { "aspect_ratio", like("1:1", "1:1 16:9 21:9 3:2 2:3 4:5 5:4 3:4 4:3 9:16 9:21") },
      { "num_outputs", integer { default = 1, minimum = 1, maximum = 4, x_costs = true } },
      { "num_inference_steps", integer { default = 4, description = "1 to 4" } }, { "seed", INTEGER },
      { "output_format", like("webp", "webp jpg png") },
      { "output_quality", integer { default = 80, description = "0 to 100" } }, { "disable_safety_checker", OFF },
      { "go_fast", ON }, { "megapixels", like("1", "1 0.25") },
    },
  },
  ["black-forest-labs/flux-dev"] = {
    label = "Flux dev", kind = "image", price = { usd = 0.025, unit = "image", count = "num_outputs", as_of = "2026-10-07" },
    inputs = {
      { "prompt", PROMPT }, { "aspect_ratio", like("1:1", "1:1 16:9 21:9 3:2 2:3 4:5 5:4 3:4 4:3 9:16 9:21") },
      { "image", file "image" }, { "prompt_strength", number { default = 0.8, description = "0 to 1" } },
      { "num_outputs", integer { default = 1, minimum = 1, maximum = 4, x_costs = true } },
      { "num_inference_steps", integer { default = 28, description = "1 to 50" } },
      { "guidance", number { default = 3, description = "0 to 10" } }, { "seed", INTEGER },
      { "output_format", like("webp", "webp jpg png") },
      { "output_quality", integer { default = 80, description = "0 to 100" } }, { "disable_safety_checker", OFF },
      { "go_fast", ON }, { "megapixels", like("1", "1 0.25") },
    },
  },
  ["black-forest-labs/flux-1.1-pro"] = {
    label = "Flux 1.1 pro", kind = "image", price = { usd = 0.04, unit = "image", as_of = "2026-10-07" },
    inputs = {
      { "prompt", PROMPT }, { "image_prompt", file "image" },
      { "aspect_ratio", like("1:1", "custom 1:1 16:9 3:2 2:3 4:5 5:4 9:16 3:4 4:3") },
      { "width", integer { description = "256 to 1440" } }, { "height", integer { description = "256 to 1440" } },
      { "safety_tolerance", integer { default = 2, description = "1 to 6" } }, { "seed", INTEGER }, { "prompt_upsampling", OFF },
      { "output_format", like("webp", "webp jpg png") },
      { "output_quality", integer { default = 80, description = "0 to 100" } },
    },
  },
  ["black-forest-labs/flux-2-pro"] = {
    label = "Flux 2 pro", kind = "image",
    price = { unit = "image", beside = { "input_images", "width", "height" }, by = "resolution",
      usd = { ["0.5 MP"] = 0.0225, ["1 MP"] = 0.03, ["2 MP"] = 0.045, ["4 MP"] = 0.075 } },
    inputs = {
      { "prompt", PROMPT }, { "input_images", files "image" },
      { "aspect_ratio", like("1:1", "match_input_image custom 1:1 16:9 3:2 2:3 4:5 5:4 9:16 3:4 4:3") },
      { "resolution", priced("1 MP", { "match_input_image", "0.5 MP", "1 MP", "2 MP", "4 MP" }) },
      { "width", integer { minimum = 256, maximum = 2048, x_costs = true } },
      { "height", integer { minimum = 256, maximum = 2048, x_costs = true } },
      { "safety_tolerance", integer { default = 2, description = "1 to 5" } }, { "seed", INTEGER },
      { "output_format", like("webp", "webp jpg png") },
      { "output_quality", integer { default = 80, description = "0 to 100" } },
    },
  },
  ["black-forest-labs/flux-kontext-pro"] = {
    label = "Flux Kontext pro", kind = "image", price = { usd = 0.04, unit = "image" },
    inputs = {
      { "aspect_ratio", like("match_input_image", "match_input_image 1:1 16:9 9:16 4:3 3:4 3:2 2:3 4:5 5:4 21:9 9:21 2:1 1:2") },
      { "output_format", like("png", "jpg png") }, { "seed", INTEGER }, { "prompt", PROMPT }, { "input_image", file "image" },
      { "safety_tolerance", integer { default = 2, description = "0 to 6" } }, { "prompt_upsampling", OFF },
    },
  },
  ["bytedance/seedream-4"] = {
    label = "Seedream 4", kind = "image", price = { usd = 0.03, unit = "image", most = "max_images" },
    inputs = {
      { "prompt", PROMPT }, { "image_input", files "image" }, { "size", like("2K", "1K 2K 4K custom") },
      { "aspect_ratio", like("match_input_image", "match_input_image 1:1 4:3 3:4 16:9 9:16 3:2 2:3 21:9") },
      { "width", integer { default = 2048, description = "1024 to 4096" } },
      { "height", integer { default = 2048, description = "1024 to 4096" } },
      { "sequential_image_generation", like("disabled", "disabled auto") },
      { "max_images", integer { default = 1, minimum = 1, maximum = 15, x_costs = true } }, { "enhance_prompt", ON },
    },
  },
  ["bytedance/seedream-4.5"] = {
    label = "Seedream 4.5", kind = "image", price = { usd = 0.04, unit = "image", most = "max_images" },
    inputs = {
      { "prompt", PROMPT }, { "image_input", files "image" }, { "size", like("2K", "2K 4K") },
      { "aspect_ratio", like("match_input_image", "match_input_image 1:1 4:3 3:4 16:9 9:16 3:2 2:3 21:9") },
      { "sequential_image_generation", like("disabled", "disabled auto") },
      { "max_images", integer { default = 1, minimum = 1, maximum = 15, x_costs = true } }, { "disable_safety_checker", OFF },
    },
  },
  ["google/imagen-4"] = {
    label = "Imagen 4", kind = "image", price = { usd = 0.04, unit = "image" },
    inputs = {
      { "prompt", PROMPT }, { "aspect_ratio", like("1:1", "1:1 9:16 16:9 3:4 4:3") }, { "image_size", like("1K", "1K 2K") },
      { "safety_filter_level", like("block_only_high", "block_low_and_above block_medium_and_above block_only_high") },
      { "output_format", like("jpg", "jpg png") },
    },
  },
  ["google/nano-banana"] = {
    label = "Nano Banana", kind = "image", price = { usd = 0.039, unit = "image" },
    inputs = {
      { "prompt", PROMPT }, { "image_input", files "image" },
      { "aspect_ratio", like("match_input_image", "match_input_image 1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9") },
      { "output_format", like("jpg", "jpg png") },
    },
  },
  ["google/nano-banana-pro"] = {
    label = "Nano Banana Pro", kind = "image",
    price = { unit = "image", beside = { "allow_fallback_model" }, by = "resolution",
      usd = { ["1K"] = 0.15, ["2K"] = 0.15, ["4K"] = 0.3 } },
    inputs = {
      { "prompt", PROMPT }, { "image_input", files "image" },
      { "aspect_ratio", like("match_input_image", "match_input_image 1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9") },
      { "resolution", priced("2K", "1K 2K 4K") }, { "output_format", like("jpg", "jpg png") },
      { "safety_filter_level", like("block_only_high", "block_low_and_above block_medium_and_above block_only_high") },
      { "allow_fallback_model", flag { default = false, x_costs = true } },
    },
  },
  ["prunaai/p-image"] = {
    label = "P-Image", kind = "image", price = { usd = 0.005, unit = "image" },
    inputs = {
      { "prompt", PROMPT }, { "aspect_ratio", like("16:9", "1:1 16:9 9:16 4:3 3:4 3:2 2:3 custom") },
      { "width", integer { description = "256 to 1440" } }, { "height", integer { description = "256 to 1440" } },
      { "prompt_upsampling", OFF }, { "seed", INTEGER }, { "disable_safety_checker", OFF }, { "lora_weights", TEXT },
      { "lora_scale", number { default = 0.5, description = "-1 to 3" } },
    },
  },
  ["qwen/qwen-image"] = {
    label = "Qwen Image", kind = "image", price = { usd = 0.025, unit = "image" },
    inputs = {
      { "prompt", PROMPT }, { "enhance_prompt", OFF }, { "lora_weights", TEXT }, { "replicate_weights", TEXT },
      { "lora_scale", number { default = 1 } }, { "extra_lora_weights", list { items = { type = "string" } } },
      { "extra_lora_scale", list { items = { type = "number" } } }, { "image", file "image" },
      { "strength", number { default = 0.9, description = "0 to 1" } }, { "negative_prompt", TEXT },
      { "aspect_ratio", like("16:9", "1:1 16:9 9:16 4:3 3:4 3:2 2:3") },
      { "image_size", like("optimize_for_quality", "optimize_for_quality optimize_for_speed") }, { "go_fast", ON },
      { "num_inference_steps", integer { default = 30, description = "1 to 50" } },
      { "guidance", number { default = 3, description = "0 to 10" } }, { "seed", INTEGER },
      { "output_format", like("webp", "webp jpg png") },
      { "output_quality", integer { default = 80, description = "0 to 100" } }, { "disable_safety_checker", OFF },
    },
  },
  ["recraft-ai/recraft-v4"] = {
    label = "Recraft V4", kind = "image", price = { usd = 0.04, unit = "image" },
    inputs = {
      { "prompt", PROMPT },
      { "aspect_ratio", like("Not set", "1:1 4:3 3:4 3:2 2:3 16:9 9:16 1:2 2:1 14:10 10:14 4:5 5:4 6:10") },
      { "size", like("1024x1024", "1024x1024 1536x768 768x1536 1280x832 832x1280 1216x896 896x1216 1344x768 768x1344") },
    },
  },
  ["xai/grok-imagine-image"] = {
    label = "Grok Imagine", kind = "image", price = { usd = 0.02, unit = "image" },
    inputs = {
      { "prompt", PROMPT }, { "image", file "image" },
      { "aspect_ratio", like("1:1", "1:1 16:9 9:16 4:3 3:4 3:2 2:3 2:1 1:2 19.5:9 9:19.5 20:9 9:20 auto") },
    },
  },
  ["bytedance/seedance-1-lite"] = {
    label = "Seedance 1 Lite", kind = "video",
    price = { unit = "second", count = "duration", by = "resolution",
      usd = { ["480p"] = 0.018, ["720p"] = 0.036, ["1080p"] = 0.072 } },
    inputs = {
      { "resolution", priced("720p", "480p 720p 1080p") }, { "aspect_ratio", like("16:9", "16:9 4:3 1:1 3:4 9:16 21:9 9:21") },
      { "fps", integer { default = 24, examples = { 24 } } }, { "seed", INTEGER }, { "image", file "image" },
      { "prompt", PROMPT }, { "duration", integer { default = 5, minimum = 2, maximum = 12, x_costs = true } },
      { "camera_fixed", OFF }, { "last_frame_image", file "image" }, { "reference_images", files "image" },
    },
  },
  ["bytedance/seedance-1-pro-fast"] = {
    label = "Seedance 1 Pro Fast", kind = "video",
    price = { unit = "second", count = "duration", by = "resolution",
      usd = { ["480p"] = 0.015, ["720p"] = 0.025, ["1080p"] = 0.06 } },
    inputs = {
      { "resolution", priced("1080p", "480p 720p 1080p") }, { "aspect_ratio", like("16:9", "16:9 4:3 1:1 3:4 9:16 21:9 9:21") },
      { "fps", integer { default = 24, examples = { 24 } } }, { "seed", INTEGER }, { "image", file "image" },
      { "prompt", PROMPT }, { "duration", integer { default = 5, minimum = 2, maximum = 12, x_costs = true } },
      { "camera_fixed", OFF },
    },
  },
  ["bytedance/seedance-1.5-pro"] = {
    label = "Seedance 1.5 Pro", kind = "video",
    price = { unit = "second", count = "duration", by = "generate_audio", usd = { ["false"] = 0.026, ["true"] = 0.052 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file "image" }, { "last_frame_image", file "image" },
      { "duration", integer { default = 5, minimum = 2, maximum = 12, x_costs = true } },
      { "aspect_ratio", like("16:9", "16:9 4:3 1:1 3:4 9:16 21:9 9:21") },
      { "fps", integer { default = 24, examples = { 24 } } }, { "camera_fixed", OFF },
      { "generate_audio", flag { default = false, x_costs = true } }, { "seed", INTEGER },
    },
  },
  ["google/veo-3.1-fast"] = {
    label = "Veo 3.1 Fast", kind = "video",
    price = { unit = "second", count = "duration", by = "generate_audio", usd = { ["false"] = 0.1, ["true"] = 0.15 } },
    inputs = {
      { "prompt", PROMPT }, { "aspect_ratio", like("16:9", "16:9 9:16") }, { "duration", counted(8, { 4, 6, 8 }) },
      { "image", file "image" }, { "last_frame", file "image" }, { "negative_prompt", TEXT },
      { "resolution", like("1080p", "720p 1080p") }, { "generate_audio", flag { default = true, x_costs = true } },
      { "seed", INTEGER },
    },
  },
  ["kwaivgi/kling-v2.5-turbo-pro"] = {
    label = "Kling 2.5 Turbo Pro", kind = "video", price = { usd = 0.07, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "start_image", file "image" }, { "end_image", file "image" },
      { "aspect_ratio", like("16:9", "16:9 9:16 1:1") }, { "duration", counted(5, { 5, 10 }) },
    },
  },
  ["kwaivgi/kling-v2.6"] = {
    label = "Kling 2.6", kind = "video",
    price = { unit = "second", count = "duration", by = "generate_audio", usd = { ["false"] = 0.07, ["true"] = 0.14 } },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "start_image", file "image" },
      { "aspect_ratio", like("16:9", "16:9 9:16 1:1") }, { "duration", counted(5, { 5, 10 }) },
      { "generate_audio", flag { default = true, x_costs = true } },
    },
  },
  ["lightricks/ltx-2.3-fast"] = {
    label = "LTX 2.3 Fast", kind = "video",
    price = { unit = "second", count = "duration", by = "resolution", usd = { ["1080p"] = 0.04, ["2k"] = 0.08, ["4k"] = 0.16 } },
    inputs = {
      { "prompt", PROMPT }, { "image", file "image" }, { "last_frame_image", file "image" },
      { "resolution", priced("1080p", "1080p 2k 4k") }, { "duration", counted(6, { 6, 8, 10, 12, 14, 16, 18, 20 }) },
      { "aspect_ratio", like("16:9", "16:9 9:16") }, { "fps", integer { default = 25, examples = { 24, 25, 48, 50 } } },
      { "camera_motion", like("none", "none dolly_in dolly_out dolly_left dolly_right jib_up jib_down static focus_shift") },
      { "generate_audio", ON },
    },
  },
  ["minimax/hailuo-2.3"] = {
    label = "Hailuo 2.3", kind = "video",
    price = { unit = "second", count = "duration", by = "resolution", usd = { ["768p"] = 0.0466, ["1080p"] = 0.0816 } },
    inputs = {
      { "duration", counted(6, { 6, 10 }) }, { "resolution", priced("768p", "768p 1080p") }, { "prompt", PROMPT },
      { "prompt_optimizer", ON }, { "first_frame_image", file "image" },
    },
  },
  ["minimax/hailuo-2.3-fast"] = {
    label = "Hailuo 2.3 Fast", kind = "video",
    price = { unit = "second", count = "duration", by = "resolution", usd = { ["768p"] = 0.0316, ["1080p"] = 0.055 } },
    inputs = {
      { "duration", counted(6, { 6, 10 }) }, { "resolution", priced("768p", "768p 1080p") }, { "prompt", PROMPT },
      { "prompt_optimizer", ON }, { "first_frame_image", file("image", true) },
    },
  },
  ["openai/sora-2"] = {
    label = "Sora 2", kind = "video", price = { usd = 0.1, unit = "second", count = "seconds" },
    inputs = {
      { "prompt", PROMPT }, { "input_reference", file "image" }, { "seconds", counted(4, { 4, 8, 12 }) },
      { "aspect_ratio", like("portrait", "portrait landscape") },
    },
  },
  ["runwayml/gen-4.5"] = {
    label = "Runway Gen-4.5", kind = "video", price = { usd = 0.12, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "image", file "image" }, { "aspect_ratio", like("16:9", "16:9 9:16 4:3 3:4 1:1 21:9") },
      { "duration", counted(5, { 5, 10 }) }, { "seed", INTEGER },
    },
  },
  ["wan-video/wan-2.6-i2v"] = {
    label = "Wan 2.6 image to video", kind = "video",
    price = { unit = "second", count = "duration", by = "resolution", usd = { ["720p"] = 0.1, ["1080p"] = 0.15 } },
    inputs = {
      { "image", file("image", true) }, { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "audio", file "audio" },
      { "resolution", priced("720p", "720p 1080p") }, { "duration", counted(5, { 5, 10, 15 }) },
      { "enable_prompt_expansion", ON }, { "multi_shots", OFF }, { "seed", INTEGER },
    },
  },
  ["wan-video/wan-2.6-t2v"] = {
    label = "Wan 2.6 text to video", kind = "video",
    price = { unit = "second", count = "duration", by_side = "size", usd = { ["720"] = 0.1, ["1080"] = 0.15 } },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "audio", file "audio" },
      { "size", priced("1280*720", "1280*720 720*1280 1920*1080 1080*1920") }, { "duration", counted(5, { 5, 10, 15 }) },
      { "enable_prompt_expansion", ON }, { "multi_shots", OFF }, { "seed", INTEGER },
    },
  },
  ["wan-video/wan-2.7-t2v"] = {
    label = "Wan 2.7 text to video", kind = "video", price = { usd = 0.1, unit = "second", count = "duration" },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "audio", file "audio" },
      { "resolution", like("1080p", "720p 1080p") }, { "aspect_ratio", like("16:9", "16:9 9:16 1:1 4:3 3:4") },
      { "duration", integer { default = 5, minimum = 2, maximum = 15, x_costs = true } }, { "enable_prompt_expansion", ON },
      { "seed", INTEGER },
    },
  },
  ["xai/grok-imagine-video"] = {
    label = "Grok Imagine video", kind = "video",
    price = { usd = 0.05, unit = "second", count = "duration", beside = { "video" } },
    inputs = {
      { "prompt", PROMPT }, { "image", file "image" }, { "video", file "video" },
      { "duration", integer { default = 5, minimum = 1, maximum = 15, x_costs = true } },
      { "aspect_ratio", like("auto", "auto 16:9 4:3 1:1 9:16 3:4 3:2 2:3") }, { "resolution", like("720p", "720p 480p") },
    },
  },
}

--- The rows, by "owner/name".
models.ROWS = rows.complete(MODELS, function(id) return { as_of = AS_OF, source = "https://replicate.com/" .. id } end)

--- Their ids, sorted.
models.NAMES = names.sorted(models.ROWS)

--- What a request without a model runs.
models.OF_KIND = { image = "black-forest-labs/flux-schnell", video = "bytedance/seedance-1-lite" }

return models
