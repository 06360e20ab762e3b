-- dream_machine.lua - pictures and videos in a request to Luma's Dream Machine API.

local given = require "given"
local luma_pictures = require "luma.pictures"
local plans = require "plan"

local dream_machine = {}

local MAX_PHOTON_REFERENCES = 8

local function as_keyframe(plan, picture)
  if picture.uri then
    luma_pictures.check_url(plan, picture.field, picture.uri)
    return { type = "image", url = picture.uri }
  end
  if type(picture.generation) == "string" then return { type = "generation", id = picture.generation } end
  plans.refuse(plan, picture.field, "must have a url, or the id of a generation")
end

--- A first and a last frame.
function dream_machine.add_keyframes(plan, payload, pictures)
  if #pictures == 0 then return end
  if payload.parameters.keyframes ~= nil then
    return plans.refuse(plan, pictures[1].field, "the frames are in parameters.keyframes already")
  end
  local first, last = luma_pictures.first_and_last(plan, pictures)
  plan.body.keyframes = {
    frame0 = first and as_keyframe(plan, first) or nil, frame1 = last and as_keyframe(plan, last) or nil,
  }
end

local function weighted(plan, picture)
  luma_pictures.check_url(plan, picture.field, picture.uri)
  return { url = picture.uri, weight = picture.weight }
end

--- Photon: one picture to change, and pictures to look at.
function dream_machine.add_image_references(plan, payload, sources, references)
  local parameters = payload.parameters
  luma_pictures.refuse_many(plan, sources, 1)
  luma_pictures.refuse_many(plan, references, MAX_PHOTON_REFERENCES)
  if sources[1] and not luma_pictures.refuse_twice(plan, parameters.modify_image_ref, "modify_image_ref", sources) then
    plan.body.modify_image_ref = weighted(plan, sources[1])
  end
  if references[1] and not luma_pictures.refuse_twice(plan, parameters.image_ref, "image_ref", references) then
    plan.body.image_ref = {}
    for index, picture in ipairs(references) do plan.body.image_ref[index] = weighted(plan, picture) end
  end
end

--- Reframe and modify work on a file: a video or a picture; modify may have a first frame besides.
function dream_machine.add_media(plan, payload, route, sources, references)
  local parameters = payload.parameters
  local file, file_field = luma_pictures.video_of(plan, parameters)
  local media = parameters.media or (file and { url = file })
  local field = parameters.media and "parameters.media" or file_field
  if parameters.media and file and not given.same(parameters.media, { url = file }) then
    plans.refuse(plan, file_field, "contradicts parameters.media: give one or the other")
  end
  if not media and route.makes == "image" and sources[1] then
    media, field = { url = sources[1].uri }, sources[1].field
    table.remove(sources, 1)
  end
  if not media then return plans.refuse(plan, "parameters." .. route.makes, "is needed: the file to work on") end
  luma_pictures.check_url(plan, field, type(media) == "table" and media.url or nil)
  plan.body.media = media
  for _, picture in ipairs(references) do sources[#sources + 1] = picture end
  if not route.fields.first_frame then return luma_pictures.refuse_many(plan, sources, 0) end
  luma_pictures.refuse_many(plan, sources, 1)
  if sources[1] and not luma_pictures.refuse_twice(plan, parameters.first_frame, "first_frame", sources) then
    luma_pictures.check_url(plan, sources[1].field, sources[1].uri)
    plan.body.first_frame = { url = sources[1].uri }
  end
  if route.kind == "modify_video" and parameters.mode == nil then
    plans.refuse(plan, "parameters.mode", "is needed: how near to the original", route.inputs.mode.examples)
  end
end

return dream_machine
