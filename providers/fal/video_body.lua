-- video_body.lua - the body of a request for a video by a described model.

local check = require "check"
local cjson = require "cjson"
local data_uri = require "data_uri"
local fal_options = require "fal.options"
local models = require "fal.models"
local values = require "fal.values"
local video_fields = require "fal.video_fields"
local model_inputs = require "model_inputs"
local names = require "names"
local plan = require "plan"
local video_request = require "video_request"

local video_body = {}

local NONE, ONE = {}, { 1 }

-- Parameters that are put by themselves, not as an input of the same name.
local HANDLED = names.union(video_fields.VALUES.by_name, video_fields.FILES.by_name, video_fields.PICTURES, names.set {
  "aspect_ratio", "duration", "duration_seconds", "samples", "width", "height", "prompt", "prompts", "multi_prompt",
})

local TEXT_ONLY = "this model makes videos from text only; name one that takes an image"

-- What model_inputs.put is to know of each.
local ITEMS = {}
for _, list in ipairs { video_fields.VALUES, video_fields.FILES } do
  for _, field in ipairs(list) do
    ITEMS[field.name] = {
      field = "parameters." .. field.name, input = field.input or field.name, decides = field.decides, known = true,
      hint = field.name == "init_image" and TEXT_ONLY or nil,
      instead = field.name == "init_image" and { models.VIDEO_OF_PICTURE } or nil,
    }
  end
end
local PROMPT = { field = "prompt", input = "prompt" }
local DURATION = { field = "duration_seconds", input = "duration", decides = true }
local ASPECT_RATIO = {
  field = "aspect_ratio", input = "aspect_ratio", decides = true, hint = "a video of a picture has its shape",
}

-- The one of the model's words for a length that means this number: "5", "5s" or 5.
local function as_duration(input, seconds)
  if not input or input.type ~= "string" or type(seconds) ~= "number" then return seconds end
  local text = values.number_text(seconds)
  return string.sub(tostring(input.default), -1) == "s" and text .. "s" or text
end

-- The addresses of the pictures of a list; words in place of one cannot go out.
local function pictures_of(built, payload, kind)
  local addresses = {}
  for _, picture in ipairs(video_request.pictures(payload, video_fields.NAMES_OF[kind], { kind })) do
    local object = picture.object or NONE
    local address = picture.uri or object.image_url
    if type(address) ~= "string" or not (data_uri.begins(address) or values.starts_with(address, "https://")) then
      plan.refuse(built, picture.field, "must be an https URL or a data URI; words belong in the prompt")
    elseif picture.text then
      plan.refuse(built, picture.field, "a text of its own beside a picture is not possible; words belong in the prompt")
    else
      addresses[#addresses + 1] = { field = picture.field, address = address }
    end
  end
  return addresses
end

-- Frames are the first and the last of the video; pictures of what is in it go out as a list.
local function put_pictures(built, payload)
  local frames = pictures_of(built, payload, "frames")
  for index, frame in ipairs(frames) do
    local item = check.copy(index == 1 and ITEMS.init_image or ITEMS.last_image)
    item.field = frame.field
    if index > 2 then
      plan.refuse(built, frame.field, built.model .. " takes the first and the last frame")
    else
      model_inputs.put(built, item, frame.address)
    end
  end
  local references, addresses = pictures_of(built, payload, "references"), cjson.array {}
  for index, reference in ipairs(references) do addresses[index] = reference.address end
  if references[1] then
    local field = string.match(references[1].field, "^[^%[]+")
    model_inputs.put(built, { field = field, input = "image_urls", decides = true }, addresses)
  end
end

local function put_others(built, payload)
  local parameters, row = payload.parameters, built.description
  if (parameters.samples or 1) > 1 then
    plan.refuse(built, "parameters.samples", built.model .. " makes one video per request", ONE)
  end
  if parameters.width or parameters.height then
    local field = parameters.width and "parameters.width" or "parameters.height"
    plan.refuse(built, field, built.model .. " has no sizes in pixels; give an aspect_ratio, or a resolution if it has some")
  end
  for _, name in ipairs(names.unknown(parameters, HANDLED) or NONE) do
    if not fal_options.is_option(name, row) then
      local known = video_request.PREFERENCES[name] ~= nil
      model_inputs.put(built, { field = "parameters." .. name, input = name, known = known }, parameters[name])
    end
  end
end

--- The plan of a submit (plan.lua).
function video_body.build(payload, model, live)
  local row = models.ROWS[model]
  local built, parameters = model_inputs.new_plan(model, row, live), payload.parameters
  local prompt, count = video_request.joined_prompt(payload, NONE)
  if prompt then model_inputs.put(built, PROMPT, prompt) end
  if count > 1 then plan.note(built, model .. " takes one prompt: the prompts are joined, one a line") end
  for _, list in ipairs { video_fields.VALUES, video_fields.FILES } do
    for _, field in ipairs((check.present(list, parameters))) do
      model_inputs.put(built, ITEMS[field.name], parameters[field.name])
    end
  end
  if payload.duration_seconds then
    local is_default = payload.defaulted ~= nil and check.in_list("duration_seconds", payload.defaulted)
    model_inputs.put(built, DURATION, as_duration(row.inputs.duration, payload.duration_seconds), is_default)
  end
  if payload.aspect_ratio then model_inputs.put(built, ASPECT_RATIO, payload.aspect_ratio) end
  put_pictures(built, payload)
  put_others(built, payload)
  return built
end

return video_body
