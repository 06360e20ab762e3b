-- undescribed.lua - a request to a model or a path of Runway's that nobody describes: what the user wrote goes out as it is.
--
-- `parameters` keep their names and values. Only what is no parameter has to be put somewhere: the prompt, the length and the
-- pictures that stand at the top of a request.

local given = require "given"
local plans = require "plan"
local video_request = require "video_request"

local undescribed = {}

local NONE = {}

local STORYBOARD = { "storyboard" }

-- The pictures and shots at the top of a request.
local function shots_of(payload)
  if payload.storyboard == nil then return NONE end
  return video_request.pictures({ parameters = NONE, storyboard = payload.storyboard }, NONE, STORYBOARD)
end

local function put_pictures(plan, payload, spec)
  local files = {}
  for _, picture in ipairs(shots_of(payload)) do
    if picture.uri then files[#files + 1] = picture end
  end
  if #files == 0 then return end
  if spec.operation == "text_to_image" then
    local images = {}
    for index, file in ipairs(files) do images[index] = { uri = file.uri, tag = file.tag } end
    return given.put(plan, plan.body, "referenceImages", images, files[1].field)
  end
  if #files == 1 and files[1].position == nil then
    return given.put(plan, plan.body, "promptImage", files[1].uri, files[1].field)
  end
  local frames = {}
  for index, file in ipairs(files) do
    frames[index] = { uri = file.uri, position = file.position or (index == 1 and "first" or "last") }
  end
  given.put(plan, plan.body, "promptImage", frames, files[1].field)
end

-- What both have.
local function put_words(plan, payload, spec, prompt_name)
  local body, text = plan.body, video_request.joined_prompt(payload, shots_of(payload))
  if text ~= nil then given.put(plan, body, prompt_name, text, "prompt") end
  if payload.duration_seconds ~= nil then given.put(plan, body, "duration", payload.duration_seconds, "duration_seconds") end
  if payload.aspect_ratio ~= nil then given.put(plan, body, "ratio", payload.aspect_ratio, "aspect_ratio") end
  put_pictures(plan, payload, spec)
  for _, name in ipairs(payload.ignored or NONE) do plans.warn(plan, name, "is not understood: left out") end
  plans.warn(plan, "model", spec.key .. " is not described here: parameters are sent as they are, and the price is not known")
end

--- Builds the body for a model into a plan; `body`: a copy of the parameters.
function undescribed.build(plan, payload, spec, body)
  plan.body, body.model = body, spec.id
  put_words(plan, payload, spec, "promptText")
  if not spec.assumed then return end
  plans.note(plan, ("the endpoint %s is assumed: to choose another, say it in model, as in image_to_video/%s")
    :format(spec.operation, spec.id))
end

--- The same for a path, which may take a model among its parameters.
function undescribed.build_path(plan, payload, spec, body)
  plan.spec, plan.body = spec, body
  if body.model == payload.model then body.model = nil end
  put_words(plan, payload, spec, "prompt")
end

return undescribed
