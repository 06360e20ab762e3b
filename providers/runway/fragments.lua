-- fragments.lua - inputs that many models of Runway have, in words of JSON Schema: what the rows of models.lua are made of.
--
-- What decides money has `enum` or a range and is refused beyond it (x_costs); of the rest only `examples` are told, since the
-- vendor adds values whenever it likes: such a one goes out with a warning. Functions make a fresh table each time.

local fragments = {}

--- The client's path of an input, where it is not `parameters` and the vendor's name.
fragments.FIELDS = {
  promptText = "prompt", duration = "duration_seconds", promptImage = "parameters.image", imageUri = "parameters.image",
  videoUri = "parameters.video", promptVideo = "parameters.video", outputCount = "parameters.samples",
}

--- The words of a text, as a list.
function fragments.list(text)
  local list = {}
  for word in string.gmatch(text, "%S+") do list[#list + 1] = word end
  return list
end
local list = fragments.list

local function copy(object)
  local made = {}
  for name, value in pairs(object) do made[name] = value end
  return made
end

--- A copy of an input that the model cannot do without.
function fragments.needed(input)
  local made = copy(input)
  made.required = true
  return made
end

--- A prompt of at most so many UTF-16 units.
function fragments.prompt(most)
  return { type = "string", minLength = 1, maxLength = most, x_lines = 4 }
end

--- One of some words, of which the vendor may get more; the first is the vendor's own default if `default` is true.
function fragments.word(text, default)
  local words = list(text)
  return { type = "string", examples = words, default = default and words[1] or nil }
end

--- One of some words that decide what is paid.
function fragments.priced(text, default)
  local words = list(text)
  return { type = "string", enum = words, default = default and words[1] or nil, x_costs = true }
end

--- A length in whole seconds.
function fragments.seconds(least, most)
  return { type = "integer", minimum = least, maximum = most, x_unit = "s", x_costs = true }
end

--- The sizes of a list of { ratio, aspect ratio, resolution }, as `ratio` has them.
function fragments.ratio_of(sizes, default)
  local ratios = {}
  for index, size in ipairs(sizes) do ratios[index] = size[1] end
  return { type = "string", examples = ratios, default = default, x_decides = true }
end

--- A size in the vendor's own words only.
function fragments.ratio(text)
  return { type = "string", examples = list(text), x_decides = true, x_costs = true }
end

--- How many pictures.
function fragments.count(most)
  return { type = "integer", minimum = 1, maximum = most, default = 1, x_costs = true }
end

fragments.TEXT = { type = "string" }
fragments.NUMBER = { type = "number" }
fragments.FLAG = { type = "boolean" }
fragments.OBJECT = { type = "object" }
fragments.LIST = { type = "array" }
fragments.AUDIO = { type = "boolean", x_costs = true, x_decides = true }
fragments.PERCENT = { type = "number", description = "0 to 100", x_advanced = true }
fragments.SEED = { type = "integer", minimum = 0, maximum = 4294967295, x_advanced = true }
fragments.MODERATION = { type = "object", x_advanced = true }
fragments.ANY_SECONDS = { type = "number", x_unit = "s", x_costs = true }
fragments.AUTO_SECONDS = { type = { "number", "string" }, examples = { 5, "auto" }, x_unit = "s", x_costs = true }
fragments.VEO_SECONDS = { type = "integer", enum = { 4, 6, 8 }, x_unit = "s", x_costs = true }
fragments.FORMAT = fragments.priced([[ mp4 prores png_sequence hdr10 hlg sdr_rec709_10bit hdr_pq_12bit_master hdr_prores
  hdr_png_sequence hdr_exr_sequence hdr_exr_acescg_sequence_1_3 hdr_exr_acescg_sequence_2_0 ]], true)
fragments.PRORES = { type = "string", x_advanced = true,
  examples = { "422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ" } }
fragments.IMAGE = { type = { "string", "array" }, x_file = "image", x_decides = true }
fragments.IMAGE_URI = { type = "string", x_file = "image", x_decides = true }
fragments.VIDEO_URI = { type = "string", x_file = "video", x_decides = true }
fragments.AUDIO_URI = { type = "string", x_file = "audio", x_decides = true }

--- A list of { uri = } of files, at most so many.
function fragments.files(kind, least, most)
  local uri = { type = "string", x_file = kind }
  return { type = "array", minItems = least, maxItems = most, x_decides = true, required = least and least > 0 or nil,
    items = { type = "object", properties = { uri = uri }, required = { "uri" } } }
end
fragments.IMAGES = fragments.files "image"
fragments.VIDEOS = fragments.files "video"
fragments.AUDIOS = fragments.files "audio"
fragments.AUDIO_URIS = { type = "array", items = { type = "string", x_file = "audio" }, x_decides = true }

--- The inputs of a row with their paths; `names` may share tables with other rows.
function fragments.inputs(names)
  local inputs = {}
  for name, input in pairs(names) do
    local made = copy(input)
    made.field = made.field or fragments.FIELDS[name] or "parameters." .. name
    inputs[name] = made
  end
  return inputs
end

return fragments
