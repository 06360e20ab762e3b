-- fields.lua - what a request for Pika may hold.

local check = require "check"
local cjson = require "cjson"
local fal_media = require "fal.media"
local fal_options = require "fal.options"
local fal_parameters = require "fal.parameters"
local undescribed = require "fal.undescribed"
local given = require "given"
local names = require "names"
local pika_models = require "pika.models"
local pictures = require "pika.pictures"
local routes = require "pika.routes"
local video_request = require "video_request"

local fields = {}

local NONE = {}

local array, next = cjson.array, next
local new_reader, read_video, read_options = check.reader, video_request.read, fal_options.read
local path_of, row_of, read_model, read_route = routes.path, routes.row, routes.read_model, routes.read_route

local DEFAULT_RESOLUTION = "720p"
fields.DEFAULT_RESOLUTION = DEFAULT_RESOLUTION
local DEFAULT_DURATION = 5
fields.DEFAULT_DURATION = DEFAULT_DURATION

local function read_file(reader, name)
  local value = reader:raw(name)
  if value == nil then return nil end
  local address = pictures.address_in(value)
  fal_media.check_file(address, reader:path(name))
  return address
end

-- The names of a value: in the payload, on each route, and what a client may call it, with its kind (check.field_list).
-- `decides`: without it something else would be made.
local VALUES = check.field_list {
  { name = "negative_prompt", names = { "negative_prompt", "negativePrompt" }, kind = "text",
    fal = "negative_prompt", direct = "negativePrompt" },
  { name = "seed", kind = "integer", options = { wide = true }, fal = "seed", direct = "seed" },
  { name = "resolution", kind = "text", options = { lower = true, blank = "absent" }, decides = true,
    fal = "resolution", direct = "resolution" },
  { name = "pikaffect", kind = "text", decides = true, fal = "pikaffect", direct = "pikaffect" },
  { name = "ingredients_mode", names = { "ingredients_mode", "ingredientsMode" }, kind = "text", options = { lower = true },
    decides = true, fal = "ingredients_mode", direct = "ingredientsMode" },
  { name = "transitions", kind = "array_of", decides = true, fal = "transitions", direct = "transitions" },
  { name = "modify_region", names = { "modify_region", "modifyRegionRoi" }, kind = "text", decides = true,
    fal = "modify_region", direct = "modifyRegionRoi" },
}
fields.VALUES = VALUES

-- One file each; a client may give a URL, a data URI or an object with one of them.
local FILES = check.field_list {
  { name = "init_image", names = { "init_image", "image", "image_url" }, read = read_file, decides = true,
    fal = "image_url", direct = "image" },
  { name = "video", names = { "video", "init_video", "video_url" }, read = read_file, decides = true,
    fal = "video_url", direct = "video" },
  { name = "mask", names = { "mask", "modifyRegionMask" }, read = read_file, decides = true,
    fal = "mask_url", direct = "modifyRegionMask" },
}
fields.FILES = FILES

local OWN_FIELDS = { "route", table.unpack(fal_options.NAMES) }
local READING = video_request.reading(pictures.PICTURES, {}, OWN_FIELDS, { "promptText" })
local FROM_ZERO = { min = 0 }

-- What may stand at the top of a request for a model that is not described.
local WORDS = names.sorted(names.union(READING.movable, READING.pictures, names.set {
  "aspect_ratio", "duration", "duration_seconds", "multi_prompt", "promptText", "prompts", "seconds",
}))
local READ_AT_TOP = names.union(names.set(WORDS), names.set(OWN_FIELDS), names.set {
  "id", "mode", "model", "parameters", "prompt", "provider_id",
})

local function read_effect(parameters)
  local name = parameters.pikaffect
  if not name then return end
  for _, effect in ipairs(pika_models.PIKAFFECTS) do
    if string.lower(effect) == string.lower(name) then parameters.pikaffect = effect end
  end
end

local function check_transitions(transitions)
  for index, transition in ipairs(transitions or NONE) do
    local path = ("parameters.transitions[%d]"):format(index - 1)
    if transition == cjson.null then check.fail(path, "must be an object") end
    check.reader(transition, path):number("duration", FROM_ZERO)
  end
end

-- The values and files of the parameters, and what only Pika has.
local function read_values(payload)
  local given_values = payload.parameters
  if next(given_values) == nil then return end
  fal_parameters.read(payload, { VALUES, FILES })
  read_effect(given_values)
  check_transitions(given_values.transitions)
  if given_values.aspectRatio == nil then return end
  given_values.aspectRatio = check.reader(given_values, "parameters"):number("aspectRatio", FROM_ZERO)
end

-- Fills in our defaults and keeps the names of those that the client did not give.
local function fill_defaults(payload)
  local lacks_duration, lacks_resolution = payload.duration_seconds == nil, payload.parameters.resolution == nil
  if lacks_duration then payload.duration_seconds = DEFAULT_DURATION end
  if lacks_resolution then payload.parameters.resolution = DEFAULT_RESOLUTION end
  if lacks_duration and lacks_resolution then
    payload.defaulted = array { "duration_seconds", "resolution" }
  elseif lacks_duration or lacks_resolution then
    payload.defaulted = array { lacks_duration and "duration_seconds" or "resolution" }
  end
end

local function read_undescribed(request, top, model, route)
  local ignored = undescribed.ignored(request, READ_AT_TOP)
  local payload = {
    mode = video_request.mode(top), model = model, route = route,
    wrapped = given.take_wrapper(request, ignored), ignored = ignored,
  }
  return undescribed.read(payload, top, top:reader_of "parameters", WORDS)
end

--- Checks a request before anything is made of it; the payload, the path of its model, and whether the payload is our defaults
-- and a prompt.
function fields.read(request)
  local top = new_reader(request)
  local model, names_direct = read_model(top)
  local route = read_route(top, names_direct)
  if model then
    local path = path_of { model = model }
    if not row_of(route or "fal", path) then return read_undescribed(request, top, model, route), path end
  end
  local payload, has_own, is_plain = read_video(request, READING, nil, top)
  payload.model, payload.route = model, route
  read_values(payload)
  local chosen_route, path = route or "fal", path_of(payload)
  local row = row_of(chosen_route, path)
  payload.queue = read_options(payload, top, payload.parameters, row, has_own)
  if not model then fill_defaults(payload) end
  local has_prompt = payload.prompt or payload.wrapped or video_request.joined_prompt(payload, NONE)
  if not has_prompt and routes.needs_prompt(row, chosen_route) then check.fail("prompt", "is required") end
  return payload, path, is_plain
end

return fields
