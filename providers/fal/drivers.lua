-- drivers.lua - the inputs of a request by which the prices of one model's jobs on fal differ.

local drivers = require "drivers"

--- `of(input)`: those of a model's input as a text, or nil (lua/drivers.lua).
return {
  of = drivers.among [[
    aspect_ratio audio duration enable_web_search fps generate_audio image_size max_images mode num_frames num_images quality
    resolution style target_fps upscale_factor
  ]],
}
