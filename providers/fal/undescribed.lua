-- undescribed.lua - a request for a model that is not described here: its parameters are the model's input, untouched.
--
-- No value is renamed, folded, trimmed, checked or filled in, for nobody here knows what the model calls it. What says how to
-- queue (options.lua) is taken out only under fal's own names, which are those of headers.

local check = require "check"
local cjson = require "cjson"
local fal_options = require "fal.options"
local sizes = require "fal.sizes"
local given = require "given"
local model_inputs = require "model_inputs"
local names = require "names"
local plan = require "plan"

local undescribed = {}

local PROMPT = { blank = "absent", trim = false }

-- Words that colour what is made: of two that differ, one is left out.
local ONLY_COLOURS = names.set { "negative_prompt", "gpu", "style", "style_preset" }

local function read_prompt(payload, top)
  local parameters = payload.parameters
  local inner = parameters.prompt
  payload.prompt = top:text("prompt", PROMPT)
  if payload.prompt and inner == payload.prompt then
    parameters.prompt = nil
  elseif payload.prompt and check.is_given(inner) then
    parameters.prompt = nil
    given.contradict(payload, "parameters.prompt", "prompt", true)
  elseif type(inner) == "string" then
    payload.prompt, parameters.prompt = inner, nil
    given.keep(payload, "prompt", "parameters.prompt")
  end
end

-- What the family of providers takes at the top of a request goes out under its own name, too.
local function read_at_top(payload, top, words)
  local parameters = payload.parameters
  for _, name in ipairs(words) do
    local value = top.object[name]
    if check.is_given(value) and value ~= "" then
      if parameters[name] == nil then
        parameters[name] = value
        given.keep(payload, "parameters." .. name, name)
      elseif not given.same(parameters[name], value) then
        given.contradict(payload, name, "parameters." .. name, not ONLY_COLOURS[name])
      end
    end
  end
end

--- The names at the top of a request that nobody reads, sorted, or nil; `known` is a set of those that somebody reads.
function undescribed.ignored(request, known)
  local unknown, ignored = names.unknown(request, known), {}
  if not unknown then return nil end
  for _, name in ipairs(unknown) do
    if check.is_given(request[name]) then ignored[#ignored + 1] = name end
  end
  return ignored[1] and cjson.array(ignored) or nil
end

--- Reads a request into its payload. `top` and `inner` read the request and its parameters; `words` is a sorted list of the names
-- that may stand at the top instead.
function undescribed.read(payload, top, inner, words)
  payload.queue = fal_options.read(payload, top, inner.object, nil)
  payload.parameters = {}
  for name, value in pairs(inner.object) do
    if not fal_options.is_option(name, nil) then payload.parameters[name] = value end
  end
  read_prompt(payload, top)
  read_at_top(payload, top, words)
  return payload
end

-- Names of ours for which the schema of a model's vendor may have another.
local ALIASES = {
  steps = { "num_inference_steps", "number_of_steps" }, samples = { "num_images", "num_samples", "num_outputs" },
  init_image = { "image_url", "input_image_url" }, image = { "image_url", "input_image_url" }, mask = { "mask_url" },
  video = { "video_url" }, init_video = { "video_url" }, last_image = { "end_image_url", "tail_image_url", "last_frame_url" },
  duration_seconds = { "duration" }, seconds = { "duration" }, fps = { "frames_per_second", "frame_rate" },
  guidance_scale = { "cfg_scale" }, cfg_scale = { "guidance_scale" }, output_format = { "format" }, format = { "output_format" },
  references = { "image_urls", "reference_image_urls" }, reference_images = { "image_urls", "reference_image_urls" },
  storyboard = { "image_urls" }, frames = { "image_urls" },
}

-- What the vendor's schema wants in another shape than our words have it: a size as one input, a picture as a list of one. The
-- parameters that are left.
local function put_shapes(built, parameters)
  local live, left = built.live_inputs, check.copy(parameters)
  local function take(name, input, value)
    if value == nil then return end
    model_inputs.put(built, { field = "parameters." .. name, input = input, decides = true }, value)
    left[name] = nil
  end
  if live.image_size and parameters.image_size == nil then
    if parameters.width and parameters.height and not live.width then
      take("width", "image_size", { width = parameters.width, height = parameters.height })
      left.height = nil
    end
    if not live.resolution then take("resolution", "image_size", sizes.in_words(parameters.resolution)) end
    if not live.aspect_ratio then take("aspect_ratio", "image_size", sizes.OF_ASPECT[parameters.aspect_ratio]) end
  end
  for _, name in ipairs { "init_image", "image" } do
    if live.image_urls and not live.image_url and not live[name] and type(parameters[name]) == "string" then
      take(name, "image_urls", cjson.array { parameters[name] })
    end
  end
  return left
end

--- The plan of a submit (plan.lua). `live` is what the directory knows of the model, or nil: only its schema can show that it has
-- another name for one of ours. `prompt_name` is what the vendor calls a prompt, if it is not that.
function undescribed.build(payload, model, live, prompt_name)
  local built = model_inputs.new_plan(model, nil, live)
  if built.live_inputs then
    model_inputs.put_given(built, put_shapes(built, payload.parameters), "parameters.", ALIASES)
  else
    for name, value in pairs(payload.parameters) do built.body[name] = value end
    plan.note(built, model .. " is not described here: its parameters are sent unchecked")
  end
  if payload.prompt then
    model_inputs.put(built, { field = "prompt", input = prompt_name or "prompt" }, payload.prompt)
  end
  return built
end

return undescribed
