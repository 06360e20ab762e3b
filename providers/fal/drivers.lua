-- drivers.lua - the inputs of a request by which the prices of one model's jobs differ.

local drivers = {}

local NAMES = {
  "aspect_ratio", "audio", "duration", "enable_web_search", "fps", "generate_audio", "image_size", "max_images", "mode",
  "num_frames", "num_images", "quality", "resolution", "style", "target_fps", "upscale_factor",
}
local MAX_BYTES, MAX_TEXT_BYTES = 40, 200

local function text_of(value)
  if type(value) == "table" and value.width and value.height then value = value.width .. "x" .. value.height end
  if type(value) == "table" or type(value) == "userdata" then return "given" end
  return (string.gsub(string.sub(tostring(value), 1, MAX_BYTES), "[%s%c]", "_"))
end

--- Those of a model's input as text, "duration=8s resolution=720p"; nil when there are none.
function drivers.of(input)
  local texts = {}
  for _, name in ipairs(NAMES) do
    if input[name] ~= nil then texts[#texts + 1] = name .. "=" .. text_of(input[name]) end
  end
  return texts[1] and string.sub(table.concat(texts, " "), 1, MAX_TEXT_BYTES) or nil
end

return drivers
