-- body.lua - the body of a request to Luma, built for one route (route.lua).

local given = require "given"
local agents = require "luma.agents"
local dream_machine = require "luma.dream_machine"
local luma_models = require "luma.models"
local luma_pictures = require "luma.pictures"
local luma_route = require "luma.route"
local names = require "names"
local plans = require "plan"
local row_values = require "row_values"
local undescribed = require "luma.undescribed"
local video_request = require "video_request"

local luma_body = {}

local NONE = {}

local unknown_names = names.unknown

local MIN_PROMPT = 3
local COSTS = luma_models.COSTS

--- Parameters that are read by name here.
luma_body.READ_BY_NAME = names.words [[ aspect_ratio callback_url duration duration_seconds format generation_id height image
  init_image init_video model multi_prompt negative_prompt output_format prompt prompts reference reference_frames resolution
  samples storyboard style video webhook width ]]
local READ_BY_NAME = luma_body.READ_BY_NAME
-- Checked where they are put: a word of ours stands for them, too.
local CHECKED = names.words "aspect_ratio duration media prompt resolution"
local SIZE_IN_PIXELS = { "width", "height" }

-- The longest prompt that every kind takes.
local LEAST_PROMPT_MAX = math.huge
for _, kind in pairs(luma_models.KINDS) do LEAST_PROMPT_MAX = math.min(LEAST_PROMPT_MAX, kind.prompt_max or math.huge) end

--- Whether a prompt is surely neither too short nor too long anywhere: characters have up to four bytes.
function luma_body.is_usual_prompt(prompt)
  return #prompt >= 4 * MIN_PROMPT and #prompt <= LEAST_PROMPT_MAX
end

local function add_prompt(plan, payload, route, texts)
  local text, count = video_request.joined_prompt(payload, texts)
  if not text then
    if route.prompt == "required" then plans.refuse(plan, "prompt", "is needed") end
    return
  end
  if not route.prompt then return video_request.warn_of_prompts(plan, payload, "an upscale takes no prompt: left out") end
  -- Counted in characters; a text that is surely too long is not counted.
  local length = #text <= 4 * route.prompt_max and utf8.len(text) or #text
  if length > route.prompt_max then
    plans.refuse(plan, "prompt", ("is too long: Luma takes %d characters"):format(route.prompt_max))
  elseif route.api == "dream_machine" and length < MIN_PROMPT then
    plans.warn(plan, "prompt", ("is too short: Luma refuses prompts under %d characters"):format(MIN_PROMPT))
  end
  if count > 1 then plans.note(plan, "Luma takes one text: the prompts and the storyboard's texts are joined, one a line") end
  plan.body.prompt = text
end

local function refuse_pixels(plan, parameters, route)
  for _, name in ipairs(SIZE_IN_PIXELS) do
    if parameters[name] then
      local message = "Luma takes no size in pixels: give a resolution and an aspect ratio"
      plans.refuse(plan, "parameters." .. name, message, route.resolutions)
    end
  end
end

local function add_size(plan, payload, route)
  local parameters, aspect = payload.parameters, payload.aspect_ratio
  if parameters.width or parameters.height then refuse_pixels(plan, parameters, route) end
  local resolution = parameters.resolution
  if resolution and route.makes_resolution[resolution] then
    given.put(plan, agents.settings_of(plan, route), "resolution", resolution, "parameters.resolution")
  elseif resolution then
    local message = route.resolutions and "Luma does not make this resolution here" or "Luma takes no resolution here"
    plans.refuse(plan, "parameters.resolution", message, route.resolutions)
  end
  if not aspect then
    if route.needs_aspect then plans.refuse(plan, "aspect_ratio", "is needed to reframe", route.aspects) end
  elseif route.aspects then
    row_values.check(plan, route.id, route.schemas.aspect_ratio, aspect, "aspect_ratio")
    plan.body.aspect_ratio = aspect
  else
    plans.refuse(plan, "aspect_ratio", "Luma takes no aspect ratio here")
  end
end

local function add_duration(plan, payload, route)
  local seconds = payload.duration_seconds
  if seconds == nil then return end
  local text = route.text_of_seconds[seconds]
  if text then return given.put(plan, agents.settings_of(plan, route), "duration", text, "duration_seconds") end
  local message = route.seconds and "Luma does not make this length" or "Luma takes no length here"
  plans.refuse(plan, "duration_seconds", message, route.seconds)
end

local VIDEO_NAMES = { "video", "init_video" }

local function takes_video(route)
  return route.fields.media or route.kind == "agents_video" or route.kind == "video"
end

-- What says which file or generation to work on, and that this kind of generation has no place for.
local function refuse_misplaced(plan, payload, route)
  local parameters = payload.parameters
  if not takes_video(route) then
    for _, name in ipairs(VIDEO_NAMES) do
      if parameters[name] ~= nil then plans.refuse(plan, "parameters." .. name, "Luma takes no video here") end
    end
  end
  if parameters.generation_id ~= nil and parameters.generation_id ~= route.generation_id then
    local message = "has no place here: it is for generations/{id}/upscale and generations/{id}/audio"
    plans.refuse(plan, "parameters.generation_id", message)
  end
  if route.modelless and parameters.model ~= nil and parameters.model ~= payload.model then
    plans.refuse(plan, "parameters.model", "has no place here: Luma chooses the model")
  end
end

-- Puts the pictures and videos where this kind of generation has them.
local function add_files(plan, payload, route, sources, references)
  if route.kind == "image" then return dream_machine.add_image_references(plan, payload, sources, references) end
  if route.kind == "agents_image" then return agents.add_image(plan, payload, sources, references) end
  if route.fields.media then return dream_machine.add_media(plan, payload, route, sources, references) end
  for _, picture in ipairs(references) do sources[#sources + 1] = picture end
  if route.kind == "agents_video" then return agents.add_video(plan, payload, route, sources) end
  if route.modelless then return luma_pictures.refuse_many(plan, sources, 0) end
  if payload.parameters.video or payload.parameters.init_video then
    local what = { "generations/video/modify", "generations/video/reframe" }
    local _, field = luma_pictures.video_of(plan, payload.parameters)
    plans.refuse(plan, field, "can be modified or reframed: say which in model", what)
  end
  dream_machine.add_keyframes(plan, payload, sources)
end

-- Of what is to be looked at: the pictures, and the shots that are only words for the prompt.
local function without_words(references)
  if references[1] == nil then return references, NONE end
  local pictures, texts = {}, {}
  for _, picture in ipairs(references) do
    local list = (picture.text and not picture.uri) and texts or pictures
    list[#list + 1] = picture
  end
  return pictures, texts
end

-- Of two names for one preference the one in use, and its value.
local function prefer(plan, payload, name, other)
  local value, second = payload.parameters[name], payload.parameters[other]
  if value == nil then return other, second end
  if second ~= nil and second ~= value then
    plans.warn(plan, "parameters." .. other, "left out: " .. given.path(payload, "parameters." .. name) .. " says something else")
  end
  return name, value
end

-- The URL that the user wants told; the host's own is added by submit.
local function add_callback(plan, payload, route)
  local name, url = prefer(plan, payload, "callback_url", "webhook")
  if url == nil then return end
  if not route.fields.callback_url then return plans.warn(plan, "parameters." .. name, "this API has no callbacks: left out") end
  plan.body.callback_url = url
end

local function add_preferences(plan, payload, route)
  local parameters = payload.parameters
  local style = parameters.style
  if style ~= nil then
    if route.fields.style then
      plan.body.style = style
    else
      plans.warn(plan, "parameters.style", "Luma has no such style here: left out; say it in the prompt")
    end
  end
  local negative = parameters.negative_prompt
  if negative ~= nil and negative ~= "" then
    if route.fields.negative_prompt then
      plan.body.negative_prompt = negative
    else
      plans.warn(plan, "parameters.negative_prompt", "Luma takes no negative prompt here: left out")
    end
  end
  local name, format = prefer(plan, payload, "output_format", "format")
  if format == nil then return end
  if route.fields.format then
    plan.body.format = format == "jpeg" and "jpg" or format
  elseif route.fields.output_format then
    plan.body.output_format = format == "jpg" and "jpeg" or format
  else
    plans.warn(plan, "parameters." .. name, "Luma has no choice of format here: left out")
  end
end

local function add_one(plan, name, value, route)
  local field = "parameters." .. name
  if route.fields[name] then
    given.put(plan, plan.body, name, value, field)
  elseif route.nested_fields and route.nested_fields[name] then
    given.put(plan, agents.settings_of(plan, route), name, value, field)
  elseif video_request.PREFERENCES[name] then
    plans.warn(plan, field, "Luma has no such setting here: left out")
  elseif COSTS[name] then
    plans.refuse(plan, field, "Luma has no such setting here")
  else
    plan.body[name] = value
    plans.send_unknown(plan, field, "is not in the vendor's contract as we know it: sent as given")
  end
end

-- Holds what was given under the vendor's names against the row.
local function check_values(plan, parameters, sorted, route)
  local schemas = route.schemas
  for _, name in ipairs(sorted) do
    local input = schemas[name]
    if input then row_values.check(plan, route.id, input, parameters[name], "parameters." .. name) end
  end
end

local function add_rest(plan, payload, route)
  local parameters = payload.parameters
  if (parameters.samples or 1) > 1 then plans.refuse(plan, "parameters.samples", "Luma makes one at a time", { 1 }) end
  local unread, unchecked = unknown_names(parameters, READ_BY_NAME), unknown_names(parameters, CHECKED)
  if unread then
    for _, name in ipairs(unread) do add_one(plan, name, parameters[name], route) end
  end
  if payload.ignored then
    for _, name in ipairs(payload.ignored) do plans.warn(plan, name, "is not understood: left out") end
  end
  if unchecked then check_values(plan, parameters, unchecked, route) end
end

-- What makes something else than the kind under which the request came.
local function refuse_kind(plan, payload, route)
  if payload.mode ~= "image" or not route.makes or route.makes == "image" then return end
  plans.refuse(plan, "model", ("%s makes videos: its requests go to the video providers"):format(route.id))
end

local function build_described(plan, payload, route, sources, references)
  plan.route, plan.body.model, plan.body.generation_type = route, route.model, route.generation_type
  if not sources then sources, references = luma_pictures.of_payload(payload) end
  local pictures, texts = without_words(references)
  refuse_misplaced(plan, payload, route)
  add_files(plan, payload, route, sources, pictures)
  add_prompt(plan, payload, route, texts)
  add_size(plan, payload, route)
  add_duration(plan, payload, route)
  add_callback(plan, payload, route)
  add_preferences(plan, payload, route)
  add_rest(plan, payload, route)
  if route.kind == "agents_video" then agents.check_video(plan, payload) end
end

--- The request for a payload: a plan (plan.lua) with its `route`. `sources` and `references`: its pictures, if they are known
-- (pictures.lua).
function luma_body.build(payload, sources, references)
  local plan = plans.new()
  if payload.wrapped then plans.refuse(plan, payload.wrapped, given.WRAPPED) end
  local route, problem = luma_route.find(payload, payload.model)
  if not route then
    plans.refuse(plan, problem.field, problem.message, problem.allowed)
    given.finish(plan, payload)
    return plan
  end
  refuse_kind(plan, payload, route)
  if route.kind == "undescribed" then
    undescribed.build(plan, payload, route)
  else
    build_described(plan, payload, route, sources, references)
  end
  given.finish(plan, payload)
  return plan
end

return luma_body
