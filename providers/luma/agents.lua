-- agents.lua - pictures and videos in a request to Luma's Agents API.

local check = require "check"
local data_uri = require "data_uri"
local given = require "given"
local luma_pictures = require "luma.pictures"
local plans = require "plan"

local agents = {}

local MAX_IMAGE_REFERENCES = { image = 9, image_edit = 8 }

--- The object that resolution, duration and frames go into.
function agents.settings_of(plan, route)
  if route.api ~= "agents" or route.kind ~= "agents_video" then return plan.body end
  plan.body.video = plan.body.video or {}
  return plan.body.video
end

--- A picture as the Agents API refers to it: exactly one of url, data, generation_id, file_id.
function agents.as_reference(plan, picture)
  local object, uri = picture.object or {}, picture.uri
  if object.data or object.file_id then return object end
  if data_uri.begins(uri) then
    local parsed, problem = data_uri.parse(uri)
    if not parsed or not parsed.base64 then
      return plans.refuse(plan, picture.field, problem or "must be a data URI in base64")
    end
    return { data = string.sub(uri, parsed.first), media_type = parsed.content_type }
  end
  if type(uri) == "string" and string.lower(string.sub(uri, 1, 8)) == "https://" then return { url = uri } end
  if type(picture.generation) == "string" and not uri then return { generation_id = picture.generation } end
  return plans.refuse(plan, picture.field, "must be an HTTPS URL, a data URI, or the id of a generation or file")
end

local as_reference = agents.as_reference

--- A source to change, and pictures to look at.
function agents.add_image(plan, payload, sources, references)
  local parameters, body = payload.parameters, plan.body
  luma_pictures.refuse_many(plan, sources, 1)
  if sources[1] and not luma_pictures.refuse_twice(plan, parameters.source, "source", sources) then
    body.source = as_reference(plan, sources[1])
  end
  if (body.source or parameters.source) and parameters.type == nil then body.type = "image_edit" end
  local most = MAX_IMAGE_REFERENCES[parameters.type or body.type or "image"] or MAX_IMAGE_REFERENCES.image
  luma_pictures.refuse_many(plan, references, most)
  if references[1] and not luma_pictures.refuse_twice(plan, parameters.image_ref, "image_ref", references) then
    body.image_ref = {}
    for _, picture in ipairs(references) do body.image_ref[#body.image_ref + 1] = as_reference(plan, picture) end
  end
end

--- ray-3.2: a source makes it an edit (or a reframe, if the request says so), frames guide a new video.
function agents.add_video(plan, payload, route, pictures)
  local parameters, body = payload.parameters, plan.body
  if type(parameters.video) == "table" then body.video = check.copy(parameters.video) end
  local file, field = parameters.init_video, "parameters.init_video"
  if type(parameters.video) ~= "table" then file, field = luma_pictures.video_of(plan, parameters) end
  if file then body.source = as_reference(plan, { field = field, uri = file }) end
  body.type = parameters.type or ((body.source or parameters.source) and "video_edit" or "video")
  if #pictures == 0 then return end
  local first, last = luma_pictures.first_and_last(plan, pictures)
  local settings = agents.settings_of(plan, route)
  if first then given.put(plan, settings, "start_frame", as_reference(plan, first), first.field) end
  if last then given.put(plan, settings, "end_frame", as_reference(plan, last), last.field) end
end

--- What ray-3.2 cannot combine.
function agents.check_video(plan, payload)
  local video, own = plan.body.video, payload.parameters.video
  if type(video) ~= "table" then return end
  local function refuse(name, field, message, allowed)
    if type(own) == "table" and own[name] ~= nil then field = "parameters.video." .. name end
    plans.refuse(plan, field, message, allowed)
  end
  local ten, frames = video.duration == "10s", video.start_frame or video.end_frame
  if ten and frames then refuse("duration", "duration_seconds", "10 seconds cannot have a first or last frame", { 5 }) end
  if ten and video.hdr then refuse("duration", "duration_seconds", "HDR lasts 5 seconds", { 5 }) end
  if video.loop and (ten or video.hdr or video.end_frame) then
    refuse("loop", "parameters.loop", "a loop cannot be 10 seconds long, HDR, or have a last frame", { false })
  end
  if video.hdr and (video.resolution == "360p" or video.resolution == "540p") then
    refuse("resolution", "parameters.resolution", "HDR needs more", { "720p", "1080p" })
  end
  if video.exr_export and not video.hdr then refuse("exr_export", "parameters.exr_export", "needs hdr = true", { false }) end
  if video.keyframes and (frames or video.loop) then
    refuse("keyframes", "parameters.keyframes", "cannot be combined with a first or last frame, nor with a loop")
  end
end

return agents
