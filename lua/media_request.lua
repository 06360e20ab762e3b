-- media_request.lua - reads the request for an image or a video that goes to a market of models, each with inputs of its own.
--
-- What is in `parameters` is the model's input, by its own names and untouched: null, lists and 64-bit numbers too. The words of
-- the provider family (steps, samples, init_image, ...) are put under the model's name only where it is known which inputs the
-- model has: none of that name, and one that means the same.

local cjson = require "cjson"
local check = require "check"
local given = require "given"
local model_inputs = require "model_inputs"
local names = require "names"
local plans = require "plan"

local media_request = {}

local is_given = check.is_given

-- A longer prompt is the vendor's to refuse; blanks in it may be meant.
local PROMPT = { trim = false }

-- Each kind is a mode.
local MODES = { image = { "image" }, video = { "video" } }
local MODE = {
  image = { lower = true, blank = "absent", default = "image" }, video = { lower = true, blank = "absent", default = "video" },
}

local READ_BY_NAME = names.words "prompt parameters mode"

-- What the family takes at the top of a request, beside the prompt.
local WORDS = names.words [[
  negative_prompt seed steps guidance_scale cfg_scale samples num_images width height resolution size aspect_ratio
  duration_seconds duration seconds fps quality style style_preset image init_image images video init_video audio strength
]]

-- Words that colour what is made: of two that differ one is left out, and so is one that a model lacks.
local ONLY_COLOURS = names.words [[
  negative_prompt steps guidance_scale cfg_scale fps quality style style_preset seed strength gpu
]]

-- The names under which a model may have what a word of the family means, the likeliest first.
local MEANINGS = {
  prompt = { "prompt", "text", "text_prompt", "caption" },
  steps = { "num_inference_steps", "num_steps", "inference_steps" },
  samples = { "num_outputs", "num_images", "number_of_images" },
  num_images = { "num_outputs", "number_of_images" },
  duration_seconds = { "duration", "seconds", "video_length" },
  duration = { "seconds", "video_length" },
  seconds = { "duration", "video_length" },
  guidance_scale = { "guidance", "cfg_scale", "cfg" },
  cfg_scale = { "guidance_scale", "guidance", "cfg" },
  fps = { "frames_per_second" },
  init_image = { "image", "image_url", "input_image", "start_image", "first_frame_image", "image_prompt", "input_reference",
    "images", "image_input", "input_images", "reference_images" },
  init_video = { "video", "video_url", "input_video" },
}
MEANINGS.image = { table.unpack(MEANINGS.init_image, 2) }
MEANINGS.video = { "video_url", "input_video" }

local function read_prompt(payload, top)
  local parameters = payload.parameters
  payload.prompt = top:text("prompt", PROMPT)
  if payload.prompt == "" then payload.prompt = nil end
  if payload.prompt and is_given(parameters.prompt) and parameters.prompt ~= payload.prompt then
    given.contradict(payload, "parameters.prompt", "prompt", true)
    parameters.prompt = nil
  end
end

local function read_words(payload, top, found)
  local parameters = payload.parameters
  for _, name in ipairs(found) do
    local value = top.object[name]
    if is_given(value) and value ~= "" then
      if parameters[name] == nil then
        parameters[name] = value
        given.keep(payload, "parameters." .. name, name)
      elseif not given.same(parameters[name], value) then
        given.contradict(payload, name, "parameters." .. name, not ONLY_COLOURS[name])
      end
    end
  end
end

-- Takes the options of a request into its payload. Returns the words of the family that it has, and what nobody reads: each is
-- sorted, or nil.
local function sort_names(request, payload, options)
  local words, ignored
  for name, value in next, request do
    if options[name] then
      payload[name] = value
    elseif WORDS[name] then
      words = words or {}
      words[#words + 1] = name
    elseif not READ_BY_NAME[name] and is_given(value) then
      ignored = ignored or {}
      ignored[#ignored + 1] = name
    end
  end
  if words then table.sort(words) end
  if ignored then table.sort(ignored) end
  return words, ignored
end

--- Reads a request of this kind into its payload. `options`: a set of the further names at the top that the script reads itself;
--- they are in the payload as they came.
function media_request.read(request, kind, options)
  local top = check.reader(request)
  local payload = { -- with room for what most requests bring
    kind = kind, mode = request.mode == nil and kind or top:choice("mode", MODES[kind], MODE[kind]),
    parameters = nil, prompt = nil, model = nil,
  }
  local words, ignored = sort_names(request, payload, options)
  payload.parameters = request.parameters ~= nil and check.copy(top:object_of("parameters") or {}) or {}
  read_prompt(payload, top)
  if words then read_words(payload, top, words) end
  if ignored then
    payload.wrapped = given.take_wrapper(request, ignored)
    payload.ignored = ignored[1] and cjson.array(ignored) or nil
  end
  return payload
end

--- Whether a payload is one of media_request.read; a GPU job has an input instead.
function media_request.is(payload)
  local kind = payload.kind
  return (kind == "image" or kind == "video") and type(payload.parameters) == "table" and payload.input == nil
end

-- Width and height in a text such as 1024x768.
local function sides(value)
  if type(value) ~= "string" then return nil end
  local width, height = string.match(string.sub(value, 1, 32), "^(%d+)[xX*](%d+)$")
  return tonumber(width), tonumber(height)
end

local function takes_list(input)
  return type(input) == "table" and (input.type == "array" or type(input.type) == "table" and input.type[1] == "array")
end

-- The value as an input takes it: one file as a list of one, and the other way round; nil if it cannot.
local function fitted(input, value)
  local is_list = type(value) == "table" and cjson.is_array(value)
  if takes_list(input) then return is_list and value or cjson.array { value } end
  if not is_list then return value end
  return value[2] == nil and value[1] or nil
end

-- The resolution of the family is a size where a model has no resolution of its own.
local function as_size(inputs, value)
  local width, height = sides(value)
  if not width then return nil end
  if inputs.width and inputs.height then return { width = width, height = height } end
  local size = inputs.size
  local known = type(size) == "table" and (size.default or size.examples and size.examples[1] or size.enum and size.enum[1])
  if not sides(known) then return nil end
  return { size = width .. (string.find(known, "*", 1, true) and "*" or "x") .. height }
end

-- Under which names and with which values a parameter goes out, as a table; nil if the model has it, or nothing that means it.
local function meant(inputs, parameters, name, value)
  if inputs[name] then return nil end
  if name == "resolution" or name == "size" then return as_size(inputs, value) end
  for _, other in ipairs(MEANINGS[name] or {}) do
    if inputs[other] and parameters[other] == nil then
      local fit = fitted(inputs[other], value)
      return fit ~= nil and { [other] = fit } or nil
    end
  end
  return nil
end

local function put_one(found, name, field, value, word)
  found[#found + 1] = { name = name, field = field, value = value, word = word }
end

-- One of something is what a model makes that cannot make several.
local function is_the_only_one(inputs, name, value)
  return inputs and not inputs[name] and (name == "samples" or name == "num_images") and tonumber(value) == 1
end

-- Adds a parameter, and keeps what became of its name.
local function put(payload, found, inputs, name, value)
  local field = name == "prompt" and payload.prompt and "prompt" or "parameters." .. name
  local instead = inputs and meant(inputs, payload.parameters, name, value)
  if not instead then
    if not is_the_only_one(inputs, name, value) then put_one(found, name, field, value, name) end
    return
  end
  for _, other in ipairs(names.sorted(instead)) do
    put_one(found, other, field, instead[other], name)
    given.keep(payload, "parameters." .. other, given.path(payload, field))
  end
  payload.sent_as = payload.sent_as or {}
  payload.sent_as[name] = cjson.array(names.sorted(instead))
end

-- The model's inputs that a payload gives, in one order, as { name =, field =, value =, word = what the client called it }.
-- `inputs`: what the model is known to take, by name; nil when nobody knows. What was renamed is kept in payload.sent_as.
local function values_of(payload, inputs)
  local found = {}
  payload.sent_as = nil
  if payload.prompt then put(payload, found, inputs, "prompt", payload.prompt) end
  for _, name in ipairs(names.sorted(payload.parameters)) do
    if not (name == "prompt" and payload.prompt) then put(payload, found, inputs, name, payload.parameters[name]) end
  end
  return found
end

--- What of a payload has gone out as it stands in it: what was put under another name may have become something else.
function media_request.comparable(payload)
  local input, sent_as = {}, payload.sent_as or {}
  for name, value in pairs(payload.parameters) do
    if not sent_as[name] then input[name] = value end
  end
  if payload.prompt and not sent_as.prompt then input.prompt = payload.prompt end
  return input
end

-- What becomes of a value for which a row of ours has no input (model_inputs.lua): a word of the family that decides what is made
-- is refused, one that only colours it is left out, any other name goes out as it is.
local function item_of(value, word, is_open)
  local is_word = WORDS[word] and not is_open
  return {
    field = value.field, input = value.name, decides = is_word and not ONLY_COLOURS[word] or nil,
    known = is_word and ONLY_COLOURS[word] or nil,
  }
end

local function note_undescribed(built, id, row, live)
  if row or live and live.inputs then return end
  plans.note(built, id .. " is not described here: its parameters are sent unchecked")
end

-- What says what is to be made, in the words of other requests: without it something else would come.
local HAS_NO_PLACE = names.words [[
  storyboard prompts multi_prompt shots reference references reference_frames reference_images keyframes mask init_images
  end_image
]]

local function tell_of_the_rest(built, payload)
  if payload.wrapped then plans.refuse(built, payload.wrapped, given.WRAPPED) end
  if not payload.ignored then return end
  for _, name in ipairs(payload.ignored) do
    if HAS_NO_PLACE[name] then
      plans.refuse(built, name, "has no place here: give it in parameters, by the model's own name for it")
    else
      plans.warn(built, name, "is not understood; inputs of the model belong in parameters")
    end
  end
end

--- What goes out as the input of a model (plan.lua). `row` and `live` describe it, both may be nil: ours, and the vendor's own.
function media_request.build(payload, id, row, live, ctx)
  local built = model_inputs.new_plan(id, row, live)
  local inputs = live and live.inputs and live.inputs.properties or row and row.inputs
  local is_open = live ~= nil and live.inputs ~= nil
  for _, value in ipairs(values_of(payload, inputs)) do
    -- an input of ours that is null is not given; the vendor's own schema says itself what null means
    local is_absent = not is_given(value.value) and row and not is_open
    if not is_absent then model_inputs.put(built, item_of(value, value.word, is_open), value.value) end
  end
  if not payload.wrapped then model_inputs.require_inputs(built) end
  tell_of_the_rest(built, payload)
  note_undescribed(built, id, row, live)
  model_inputs.finish(built, payload, ctx)
  return built
end

return media_request
