-- undescribed.lua - a request to a model or a path of Luma's that nobody describes: what the user wrote goes out as it is.
--
-- `parameters` keep their names and values. Only what stands at the top of a request has to be put somewhere, as the API of that
-- model has it.

local agents = require "luma.agents"
local check = require "check"
local dream_machine = require "luma.dream_machine"
local given = require "given"
local luma_pictures = require "luma.pictures"
local plans = require "plan"
local video_request = require "video_request"

local undescribed = {}

local NONE = {}
local REFERENCE_NAMES = { "reference", "reference_frames", "storyboard" }

-- What stands at the top, as if nothing else were said.
local function top_of(payload)
  local top = check.copy(payload)
  top.parameters = {}
  return top
end

-- The pictures at the top of a request, and the shots that are only words.
local function shots_of(top)
  local pictures, texts = {}, {}
  for _, picture in ipairs(video_request.pictures(top, NONE, REFERENCE_NAMES)) do
    local list = picture.text and not picture.uri and texts or pictures
    list[#list + 1] = picture
  end
  return pictures, texts
end

-- Agents have lengths and frames inside `video`, Dream Machine does not.
local function settings_of(plan, route)
  if route.api ~= "agents" or route.makes_probably ~= "video" then return plan.body end
  local own = plan.body.video
  if own ~= nil and type(own) ~= "table" then return plan.body end
  plan.body.video = type(own) == "table" and check.copy(own) or {}
  return plan.body.video
end

local function put_pictures(plan, top, route, pictures)
  if not pictures[1] then return end
  local found = plans.new()
  if route.makes_probably == "image" then
    local add = route.api == "agents" and agents.add_image or dream_machine.add_image_references
    add(found, top, NONE, pictures)
  elseif route.api == "agents" then
    local first, last = luma_pictures.first_and_last(found, pictures)
    local settings = settings_of(plan, route)
    settings.start_frame = settings.start_frame or first and agents.as_reference(found, first)
    settings.end_frame = settings.end_frame or last and agents.as_reference(found, last)
  else
    dream_machine.add_keyframes(found, top, pictures)
  end
  for name, value in pairs(found.body) do given.put(plan, plan.body, name, value, pictures[1].field) end
  for _, item in ipairs(found.refusals or NONE) do plans.refuse(plan, item.field, item.message, item.allowed) end
end

-- What has to be said of a model of the newer API: pictures are its default.
local function assume(plan, route)
  local body = plan.body
  if route.model == nil or not route.makes_probably then return end
  if route.api == "agents" and route.makes_probably == "video" and body.type == nil then body.type = "video" end
  local what = route.makes_probably == "image" and "pictures" or "videos"
  local api = route.api == "agents" and "Agents" or "Dream Machine"
  plans.note(plan, ("that %s makes %s with Luma's %s API is assumed: for Dream Machine say generations/video or "
    .. "generations/image in model, and the model in parameters.model"):format(route.model, what, api))
end

--- Builds the body into a plan.
function undescribed.build(plan, payload, route)
  local top, body = top_of(payload), check.copy(payload.parameters)
  local pictures, texts = shots_of(top)
  plan.route, plan.body = route, body
  if route.model == nil and body.model == payload.model then body.model = nil end
  body.model = route.model or body.model
  local text, seconds = video_request.joined_prompt(payload, texts), payload.duration_seconds
  if text ~= nil then given.put(plan, body, "prompt", text, "prompt") end
  if payload.aspect_ratio ~= nil then given.put(plan, body, "aspect_ratio", payload.aspect_ratio, "aspect_ratio") end
  if type(seconds) == "number" then seconds = seconds .. "s" end
  if seconds ~= nil then given.put(plan, settings_of(plan, route), "duration", seconds, "duration_seconds") end
  put_pictures(plan, top, route, pictures)
  assume(plan, route)
  for _, name in ipairs(payload.ignored or NONE) do plans.warn(plan, name, "is not understood: left out") end
  plans.warn(plan, "model", route.id .. " is not described here: parameters are sent as they are, and the price is not known")
end

return undescribed
