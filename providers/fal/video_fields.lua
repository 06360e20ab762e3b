-- video_fields.lua - what a request for a video by a described model may hold.

local check = require "check"
local cjson = require "cjson"
local fal_media = require "fal.media"
local fal_options = require "fal.options"
local models = require "fal.models"
local parameters = require "fal.parameters"
local given = require "given"
local names = require "names"
local video_request = require "video_request"

local video_fields = {}

local NONE = {}
local DEFAULT_DURATION = 5

local function read_file(reader, name)
  local value = reader:raw(name)
  if value == nil then return nil end
  if type(value) == "table" then value = value.image_url or value.url or value.uri or value.image or value end
  fal_media.check_file(value, reader:path(name))
  return value
end

-- The names of a value: in the payload, what a client may call it, and the models' own (`input`), if it differs.
local VALUES = check.field_list {
  { name = "negative_prompt", kind = "text" },
  { name = "seed", kind = "integer", options = { wide = true } },
  { name = "resolution", kind = "text", options = { lower = true, blank = "absent" }, decides = true },
  { name = "generate_audio", names = { "generate_audio", "audio" }, kind = "boolean", costs = true },
  { name = "cfg_scale", names = { "cfg_scale", "guidance_scale" }, kind = "number" },
}
local FILES = check.field_list {
  { name = "init_image", names = { "init_image", "image", "image_url" }, read = read_file, input = "image_url", decides = true },
  { name = "last_image", names = { "last_image", "tail_image_url", "end_image_url", "last_frame_url" }, read = read_file,
    input = "tail_image_url", decides = true },
}
video_fields.VALUES, video_fields.FILES = VALUES, FILES

-- Lists of pictures: the first and the last of a video, or pictures of what is in it.
local PICTURES = {
  frames = "frames", storyboard = "frames", reference_frames = "frames", keyframes = "frames",
  references = "references", reference = "references", reference_images = "references", images = "references",
}
video_fields.PICTURES = PICTURES
video_fields.NAMES_OF = { frames = {}, references = {} }
for _, name in ipairs(names.sorted(PICTURES)) do
  local list = video_fields.NAMES_OF[PICTURES[name]]
  list[#list + 1] = name
end

local OWN_FIELDS = { "route", table.unpack(fal_options.NAMES) }
local READING = video_request.reading(PICTURES, {}, OWN_FIELDS)

--- What may stand at the top of a request for a video, beside what chooses the model and how to queue.
video_fields.WORDS = names.union(READING.movable, READING.pictures, names.set {
  "aspect_ratio", "duration", "duration_seconds", "multi_prompt", "prompts", "seconds",
})

-- The model for what a request without one brings, with its length.
local function fill_defaults(payload)
  local inner, filled = payload.parameters, { "model" }
  local has_picture = inner.init_image or payload.frames or names.has_any(inner, PICTURES)
  payload.model = has_picture and models.VIDEO_OF_PICTURE or models.OF_MODE.video
  if payload.duration_seconds == nil then payload.duration_seconds, filled[2] = DEFAULT_DURATION, "duration_seconds" end
  payload.defaulted = cjson.array(filled)
end

--- Checks a request before anything is made of it; the payload. `model` is the one that it names, or nil.
function video_fields.read(request, top, model, route)
  local payload, has_own = video_request.read(request, READING)
  payload.model, payload.route = model, route
  parameters.read(payload, { VALUES, FILES })
  if not model then fill_defaults(payload) end
  local row = models.ROWS[payload.model]
  payload.queue = fal_options.read(payload, top, payload.parameters, row, has_own)
  if payload.wrapped or video_request.joined_prompt(payload, NONE) then return payload end
  if given.is_wrapper(payload.parameters, "input") then
    payload.wrapped = "parameters.input"
  elseif row.inputs.prompt.required then
    check.fail("prompt", "is required")
  end
  return payload
end

return video_fields
