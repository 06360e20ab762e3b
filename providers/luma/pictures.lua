-- pictures.lua - the pictures and videos that a request to Luma brings.

local plans = require "plan"
local video_request = require "video_request"

local luma_pictures = {}

local SOURCE_NAMES, REFERENCE_NAMES = { "init_image", "image" }, { "reference", "reference_frames", "storyboard" }

local function has_references(object)
  return object.reference ~= nil or object.reference_frames ~= nil or object.storyboard ~= nil
end

--- Dream Machine fetches every file itself.
function luma_pictures.check_url(plan, field, url)
  if type(url) ~= "string" or string.lower(string.sub(url, 1, 8)) ~= "https://" then
    plans.refuse(plan, field, "must be an HTTPS URL: this API takes no data URIs and no uploads")
  end
end

local LAST_POSITIONS = { last = true, frame1 = true, ["end"] = true }

--- The first and the last frame among the pictures, by position or else by order.
function luma_pictures.first_and_last(plan, pictures)
  if #pictures > 2 then
    return nil, nil, plans.refuse(plan, pictures[3].field, "is one too many: Luma takes a first and a last frame")
  end
  local first, last = pictures[1], pictures[2]
  if first and LAST_POSITIONS[first.position or ""] then first, last = last, first end
  return first, last
end

--- Refuses more than `most` pictures.
function luma_pictures.refuse_many(plan, pictures, most)
  if #pictures > most then plans.refuse(plan, pictures[most + 1].field, ("is one too many: Luma takes %d here"):format(most)) end
end

--- Refuses pictures beside the vendor's own parameter of this name; true when it did.
function luma_pictures.refuse_twice(plan, value, name, pictures)
  if value == nil or #pictures == 0 then return false end
  plans.refuse(plan, pictures[1].field, "contradicts parameters." .. name .. ": give one or the other")
  return true
end

--- The file of a video, and its field.
function luma_pictures.video_of(plan, parameters)
  local video, init_video = parameters.video, parameters.init_video
  if video == nil then return init_video, "parameters.init_video" end
  if init_video ~= nil and init_video ~= video then
    plans.refuse(plan, "parameters.init_video", "contradicts parameters.video: give one or the other")
  end
  return video, "parameters.video"
end

--- The pictures to work on, and the pictures and shots to look at (video_request.pictures).
function luma_pictures.of_payload(payload)
  local parameters = payload.parameters
  local has_sources = parameters.init_image ~= nil or parameters.image ~= nil
  if not has_sources and not has_references(parameters) and not has_references(payload) then return {}, {} end
  local sources = video_request.pictures(payload, SOURCE_NAMES, {})
  return sources, video_request.pictures(payload, REFERENCE_NAMES, REFERENCE_NAMES)
end

return luma_pictures
