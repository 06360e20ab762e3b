-- image_models.lua - the image models of RunPod's public endpoints, one row each: inputs and price together (model_rows.lua).
--
-- All of it is what the endpoint's page says: https://docs.runpod.io/public-endpoints/models/{page}, state of 2026-08-20.
-- A page that names a price "per image" may mean one per megapixel: the example answers of Seedream, Qwen Image and Flux Kontext
-- have it. Where the example is the bare price of a megapixel's picture, that is what is expected, and the other the most.

local rows = require "model_rows"

local file, files, integer, number, list = rows.file, rows.files, rows.integer, rows.number, rows.list
local like, priced = rows.like, rows.priced
local PROMPT, TEXT, INTEGER, ON, OFF = rows.PROMPT, rows.TEXT, rows.INTEGER, rows.ON, rows.OFF

local SEED = { type = "integer", default = -1 }
local SIZE = { type = "string", default = "1024*1024", examples = { "1024*1024", "2048*2048", "1328*1328" }, x_costs = true }

return {
  ["black-forest-labs-flux-1-schnell"] = {
    label = "Flux Schnell", kind = "image", page = "flux-schnell", price = { usd = 0.0024, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT },
      { "width", integer { default = 1024, minimum = 256, maximum = 1536, multipleOf = 64, x_costs = true } },
      { "height", integer { default = 1024, minimum = 256, maximum = 1536, multipleOf = 64, x_costs = true } },
      { "num_inference_steps", integer { default = 4, description = "1 to 8" } },
      { "guidance", number { default = 7.5, description = "0 to 10" } }, { "seed", SEED },
      { "image_format", like("jpeg", "png jpeg") },
    },
  },
  ["black-forest-labs-flux-1-dev"] = {
    label = "Flux Dev", kind = "image", page = "flux-dev", price = { usd = 0.02, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT },
      { "width", integer { default = 1024, minimum = 256, maximum = 1536, multipleOf = 64, x_costs = true } },
      { "height", integer { default = 1024, minimum = 256, maximum = 1536, multipleOf = 64, x_costs = true } },
      { "num_inference_steps", integer { default = 28, description = "1 to 50" } },
      { "guidance", number { default = 7.5, description = "0 to 10" } }, { "seed", SEED },
      { "image_format", like("jpeg", "png jpeg") },
    },
  },
  ["black-forest-labs-flux-1-kontext-dev"] = {
    label = "Flux Kontext Dev", kind = "image", page = "flux-kontext-dev",
    price = { usd = 0.025, high_usd = 0.03, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "negative_prompt", TEXT },
      { "size", SIZE },
      { "num_inference_steps", integer { default = 28, description = "1 to 50" } },
      { "guidance", number { default = 2, description = "0 to 10" } }, { "seed", SEED },
      { "output_format", like("png", "png jpeg") }, { "enable_safety_checker", ON },
    },
  },
  ["seedream-v4-t2i"] = {
    label = "Seedream 4.0 T2I", kind = "image", page = "seedream-4-t2i", price = { usd = 0.027, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "size", SIZE },
      { "seed", SEED }, { "enable_safety_checker", ON },
    },
  },
  ["seedream-v4-edit"] = {
    label = "Seedream 4.0 Edit", kind = "image", page = "seedream-4-edit", price = { usd = 0.027, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "images", files("image", true) }, { "size", SIZE },
      { "enable_safety_checker", ON },
    },
  },
  ["qwen-image-t2i"] = {
    label = "Qwen Image", kind = "image", page = "qwen-image", price = { usd = 0.02, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "negative_prompt", TEXT }, { "size", SIZE },
      { "seed", SEED }, { "enable_safety_checker", ON },
    },
  },
  ["qwen-image-t2i-lora"] = {
    label = "Qwen Image LoRA", kind = "image", page = "qwen-image-lora", price = { usd = 0.025, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "loras", list { items = { type = "object" } } },
      { "size", SIZE }, { "seed", SEED }, { "enable_safety_checker", ON },
    },
  },
  ["qwen-image-edit"] = {
    label = "Qwen Image Edit", kind = "image", page = "qwen-image-edit", price = { usd = 0.02, unit = "megapixel" },
    inputs = {
      { "prompt", PROMPT }, { "image", file("image", true) }, { "negative_prompt", TEXT }, { "seed", SEED },
      { "output_format", like("jpeg", "png jpeg") }, { "enable_safety_checker", ON },
    },
  },
  ["qwen-image-edit-2511"] = {
    label = "Qwen Image Edit 2511", kind = "image", page = "qwen-image-edit-2511",
    price = { usd = 0.02, unit = "image", per_megapixel = true },
    inputs = {
      { "prompt", PROMPT }, { "images", files("image", true) },
      { "size", priced("1024*1024", "1024*1024 1024*1280 1280*1024 1280*1280 1280*1536 1536*1080") }, { "seed", SEED },
      { "output_format", like("jpeg", "jpeg png webp") },
    },
  },
  ["qwen-image-edit-2511-lora"] = {
    label = "Qwen Image Edit 2511 LoRA", kind = "image", page = "qwen-image-edit-2511-lora",
    price = { usd = 0.025, unit = "image", per_megapixel = true },
    inputs = {
      { "prompt", PROMPT }, { "images", files("image", true) }, { "loras", list { items = { type = "object" } } },
      { "size", priced("1024*1024", "1024*1024 1024*1280 1280*1024 1280*1280 1280*1536 1536*1080") }, { "seed", SEED },
      { "output_format", like("jpeg", "jpeg png webp") },
    },
  },
  ["z-image-turbo"] = {
    label = "Z-Image Turbo", kind = "image", page = "z-image-turbo",
    price = { usd = 0.005, unit = "image", per_megapixel = true },
    inputs = {
      { "prompt", PROMPT }, { "image", file "image" },
      { "size", priced("1024*1024", "512*512 768*768 1024*1024 1280*1280 1024*768 768*1024 1280*720 720*1280") },
      { "strength", number { default = 0.8, description = "0 to 1" } }, { "seed", SEED },
      { "output_format", like("png", "png jpeg webp") }, { "enable_safety_checker", ON },
    },
  },
  ["p-image-t2i"] = {
    label = "P-Image T2I", kind = "image", page = "p-image-t2i", price = { usd = 0.005, unit = "image", per_megapixel = true },
    inputs = {
      { "prompt", PROMPT }, { "aspect_ratio", like("16:9", "1:1 16:9 9:16 4:3 3:4 3:2 2:3") }, { "seed", INTEGER },
      { "disable_safety_checker", OFF },
    },
  },
  ["p-image-edit"] = {
    label = "P-Image Edit", kind = "image", page = "p-image-edit", price = { usd = 0.01, unit = "image", per_megapixel = true },
    inputs = {
      { "prompt", PROMPT }, { "images", files("image", true) },
      { "aspect_ratio", like("match_input_image", "match_input_image 1:1 16:9 9:16 4:3 3:4 3:2 2:3") }, { "seed", SEED },
      { "disable_safety_checker", OFF },
    },
  },
  ["wan-2-6-t2i"] = {
    label = "WAN 2.6 T2I", kind = "image", page = "wan-2-6-t2i", price = { usd = 0.03, unit = "image", per_megapixel = true },
    inputs = {
      { "prompt", PROMPT }, { "size", priced("1024*1024", "1024*1024 1024*768 1440*1024") }, { "seed", SEED },
      { "enable_safety_checker", ON },
    },
  },
  ["nano-banana-edit"] = {
    label = "Nano Banana Edit", kind = "image", page = "nano-banana-edit",
    price = { usd = 0.038, unit = "image", per_megapixel = true },
    inputs = {
      { "prompt", PROMPT }, { "images", files("image", true) }, { "enable_safety_checker", ON },
    },
  },
  ["nano-banana-pro-edit"] = {
    label = "Nano Banana Pro Edit", kind = "image", page = "nano-banana-pro-edit",
    price = { unit = "image", by = "resolution", usd = { ["1k"] = 0.14, ["2k"] = 0.14, ["4k"] = 0.24 } },
    inputs = {
      { "prompt", PROMPT }, { "images", files("image", true) }, { "resolution", priced("2k", "1k 2k 4k") },
      { "aspect_ratio", like("1:1", "1:1 3:2 2:3 4:3 4:5 5:4 9:16 16:9 21:9") }, { "output_format", like("png", "png jpeg") },
      { "enable_safety_checker", ON },
    },
  },
  ["google-nano-banana-2-edit"] = {
    label = "Nano Banana 2 Edit", kind = "image", page = "nano-banana-2-edit",
    price = { unit = "image", by = "resolution", usd = { ["1k"] = 0.0875, ["2k"] = 0.13, ["4k"] = 0.175 } },
    inputs = {
      { "images", files("image", true) }, { "prompt", PROMPT }, { "resolution", priced("1k", "1k 2k 4k") },
      { "aspect_ratio", TEXT }, { "output_format", like("png", "png jpeg") }, { "enable_base64_output", OFF },
    },
  },
}
