-- body.lua - the body of a request to Luma, built for one route (route.lua).

local check = require "check"
local data_uri = require "data_uri"
local given = require "given"
local luma_models = require "luma.models"
local luma_route = require "luma.route"
local names = require "names"
local plans = require "plan"
local video_request = require "video_request"

local luma_body = {}

local MAX_IMAGE_REFERENCES = { dream_machine = 8, image = 9, image_edit = 8 }
local MIN_PROMPT = 3

local CONTRACT_FIELDS, MODIFY_MODES = luma_models.CONTRACT_FIELDS, luma_models.MODIFY_MODES

--- Parameters that are read by name here.
luma_body.READ_BY_NAME = names.words [[ aspect_ratio callback_url duration duration_seconds format generation_id height image
  init_image init_video model multi_prompt negative_prompt output_format prompt prompts reference reference_frames resolution
  samples storyboard style video webhook width ]]
local READ_BY_NAME = luma_body.READ_BY_NAME

local SOURCE_NAMES, REFERENCE_NAMES = { "init_image", "image" }, { "reference", "reference_frames", "storyboard" }
local IS_PICTURE = names.union(names.set(SOURCE_NAMES), names.set(REFERENCE_NAMES))
local SIZE_IN_PIXELS = { "width", "height" }

local NONE = {}

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

-- The object that resolution, duration and frames go into.
local function settings_of(plan, route)
  if route.api ~= "agents" or route.kind ~= "agents_video" then return plan.body end
  plan.body.video = plan.body.video or {}
  return plan.body.video
end

local function add_size(plan, payload, route)
  local parameters, aspect = payload.parameters, payload.aspect_ratio
  for _, name in ipairs(SIZE_IN_PIXELS) do
    if parameters[name] then
      local message = "Luma takes no size in pixels: give a resolution and an aspect ratio"
      plans.refuse(plan, "parameters." .. name, message, route.resolutions)
    end
  end
  local resolution = parameters.resolution
  if resolution and route.resolutions and check.in_list(resolution, route.resolutions) then
    given.put(plan, settings_of(plan, route), "resolution", resolution, "parameters.resolution")
  elseif resolution then
    local message = route.resolutions and "Luma does not make this resolution here" or "Luma takes no resolution here"
    plans.refuse(plan, "parameters.resolution", message, route.resolutions)
  end
  if not aspect then
    if route.needs_aspect then plans.refuse(plan, "aspect_ratio", "is needed to reframe", route.aspects) end
  elseif route.aspects and check.in_list(aspect, route.aspects) then
    plan.body.aspect_ratio = aspect
  else
    local message = route.aspects and "Luma does not make this aspect ratio here" or "Luma takes no aspect ratio here"
    plans.refuse(plan, "aspect_ratio", message, route.aspects)
  end
end

-- The vendor writes lengths as "5s".
local function add_duration(plan, payload, route)
  local seconds = payload.duration_seconds
  if seconds == nil then return end
  if route.seconds and check.in_list(seconds, route.seconds) then
    return given.put(plan, settings_of(plan, route), "duration", ("%ds"):format(seconds), "duration_seconds")
  end
  local message = route.seconds and "Luma does not make this length" or "Luma takes no length here"
  plans.refuse(plan, "duration_seconds", message, route.seconds)
end

-- Dream Machine fetches every file itself.
local function check_url(plan, field, url)
  if type(url) ~= "string" or string.lower(string.sub(url, 1, 8)) ~= "https://" then
    plans.refuse(plan, field, "must be an HTTPS URL: this API takes no data URIs and no uploads")
  end
end

local function as_keyframe(plan, picture)
  if picture.uri then
    check_url(plan, picture.field, picture.uri)
    return { type = "image", url = picture.uri }
  end
  if type(picture.generation) == "string" then return { type = "generation", id = picture.generation } end
  plans.refuse(plan, picture.field, "must have a url, or the id of a generation")
end

-- A picture as the Agents API refers to it: exactly one of url, data, generation_id, file_id.
local function as_reference(plan, picture)
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

local LAST_POSITIONS = { last = true, frame1 = true, ["end"] = true }

-- The first and the last frame among the pictures, by position or else by order.
local function first_and_last(plan, pictures)
  if #pictures > 2 then
    return nil, nil, plans.refuse(plan, pictures[3].field, "is one too many: Luma takes a first and a last frame")
  end
  local first, last = pictures[1], pictures[2]
  if first and LAST_POSITIONS[first.position or ""] then first, last = last, first end
  return first, last
end

local function add_keyframes(plan, payload, pictures)
  if #pictures == 0 then return end
  if payload.parameters.keyframes ~= nil then
    return plans.refuse(plan, pictures[1].field, "the frames are in parameters.keyframes already")
  end
  local first, last = first_and_last(plan, pictures)
  plan.body.keyframes = {
    frame0 = first and as_keyframe(plan, first) or nil, frame1 = last and as_keyframe(plan, last) or nil,
  }
end

local function weighted(plan, picture)
  check_url(plan, picture.field, picture.uri)
  return { url = picture.uri, weight = picture.weight }
end

local function refuse_many(plan, pictures, most)
  if #pictures > most then plans.refuse(plan, pictures[most + 1].field, ("is one too many: Luma takes %d here"):format(most)) end
end

local function refuse_twice(plan, value, name, pictures)
  if value == nil or #pictures == 0 then return false end
  plans.refuse(plan, pictures[1].field, "contradicts parameters." .. name .. ": give one or the other")
  return true
end

-- Photon: one picture to change, and pictures to look at.
local function add_image_references(plan, payload, sources, references)
  local parameters = payload.parameters
  refuse_many(plan, sources, 1)
  refuse_many(plan, references, MAX_IMAGE_REFERENCES.dream_machine)
  if sources[1] and not refuse_twice(plan, parameters.modify_image_ref, "modify_image_ref", sources) then
    plan.body.modify_image_ref = weighted(plan, sources[1])
  end
  if references[1] and not refuse_twice(plan, parameters.image_ref, "image_ref", references) then
    plan.body.image_ref = {}
    for index, picture in ipairs(references) do plan.body.image_ref[index] = weighted(plan, picture) end
  end
end

-- The file of a video, and its field.
local function video_of(plan, parameters)
  local video, init_video = parameters.video, parameters.init_video
  if video == nil then return init_video, "parameters.init_video" end
  if init_video ~= nil and init_video ~= video then
    plans.refuse(plan, "parameters.init_video", "contradicts parameters.video: give one or the other")
  end
  return video, "parameters.video"
end

-- Reframe and modify work on a file: a video or a picture; modify may have a first frame besides.
local function add_media(plan, payload, route, sources, references)
  local parameters = payload.parameters
  local file, file_field = video_of(plan, parameters)
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
  check_url(plan, field, type(media) == "table" and media.url or nil)
  plan.body.media = media
  for _, picture in ipairs(references) do sources[#sources + 1] = picture end
  if not route.fields.first_frame then return refuse_many(plan, sources, 0) end
  refuse_many(plan, sources, 1)
  if sources[1] and not refuse_twice(plan, parameters.first_frame, "first_frame", sources) then
    check_url(plan, sources[1].field, sources[1].uri)
    plan.body.first_frame = { url = sources[1].uri }
  end
  if route.kind == "modify_video" and not check.in_list(parameters.mode, MODIFY_MODES) then
    plans.refuse(plan, "parameters.mode", "is needed: how near to the original", MODIFY_MODES)
  end
end

local function add_agents_image(plan, payload, sources, references)
  local parameters, body = payload.parameters, plan.body
  refuse_many(plan, sources, 1)
  if sources[1] and not refuse_twice(plan, parameters.source, "source", sources) then
    body.source = as_reference(plan, sources[1])
  end
  if (body.source or parameters.source) and parameters.type == nil then body.type = "image_edit" end
  refuse_many(plan, references, MAX_IMAGE_REFERENCES[parameters.type or body.type or "image"] or MAX_IMAGE_REFERENCES.image)
  if references[1] and not refuse_twice(plan, parameters.image_ref, "image_ref", references) then
    body.image_ref = {}
    for _, picture in ipairs(references) do body.image_ref[#body.image_ref + 1] = as_reference(plan, picture) end
  end
end

-- ray-3.2: a source makes it an edit (or a reframe, if the request says so), frames guide a new video.
local function add_agents_video(plan, payload, route, pictures)
  local parameters, body = payload.parameters, plan.body
  if type(parameters.video) == "table" then body.video = check.copy(parameters.video) end
  local file, field = parameters.init_video, "parameters.init_video"
  if type(parameters.video) ~= "table" then file, field = video_of(plan, parameters) end
  if file then body.source = as_reference(plan, { field = field, uri = file }) end
  body.type = parameters.type or ((body.source or parameters.source) and "video_edit" or "video")
  if #pictures == 0 then return end
  local first, last = first_and_last(plan, pictures)
  local settings = settings_of(plan, route)
  if first then given.put(plan, settings, "start_frame", as_reference(plan, first), first.field) end
  if last then given.put(plan, settings, "end_frame", as_reference(plan, last), last.field) end
end

-- What ray-3.2 cannot combine.
local function check_agents_video(plan, payload)
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

--- The pictures to work on, and the pictures and shots to look at (video_request.pictures).
function luma_body.pictures_of(payload)
  if not names.has_any(payload, IS_PICTURE) and not names.has_any(payload.parameters, IS_PICTURE) then return {}, {} end
  local sources = video_request.pictures(payload, SOURCE_NAMES, {})
  return sources, video_request.pictures(payload, REFERENCE_NAMES, REFERENCE_NAMES)
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
  if route.kind == "image" then return add_image_references(plan, payload, sources, references) end
  if route.kind == "agents_image" then return add_agents_image(plan, payload, sources, references) end
  if route.fields.media then return add_media(plan, payload, route, sources, references) end
  for _, picture in ipairs(references) do sources[#sources + 1] = picture end
  if route.kind == "agents_video" then return add_agents_video(plan, payload, route, sources) end
  if route.modelless then return refuse_many(plan, sources, 0) end
  if payload.parameters.video or payload.parameters.init_video then
    local what = { "generations/video/modify", "generations/video/reframe" }
    local _, field = video_of(plan, payload.parameters)
    plans.refuse(plan, field, "can be modified or reframed: say which in model", what)
  end
  add_keyframes(plan, payload, sources)
end

-- Of what is to be looked at: the pictures, and the shots that are only words for the prompt.
local function without_words(references)
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
    if route.kind == "agents_image" and (style == "auto" or style == "manga") then
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
  if READ_BY_NAME[name] then return end
  local field = "parameters." .. name
  if route.fields[name] then
    given.put(plan, plan.body, name, value, field)
  elseif route.video_fields and route.video_fields[name] then
    given.put(plan, settings_of(plan, route), name, value, field)
  elseif video_request.PREFERENCES[name] then
    plans.warn(plan, field, "Luma has no such setting here: left out")
  elseif CONTRACT_FIELDS[name] then
    plans.refuse(plan, field, "Luma has no such setting here")
  else
    plan.body[name] = value
    plans.send_unknown(plan, field, "is not in the vendor's contract as we know it: sent as given")
  end
end

local function add_rest(plan, payload, route)
  local parameters = payload.parameters
  if (parameters.samples or 1) > 1 then plans.refuse(plan, "parameters.samples", "Luma makes one at a time", { 1 }) end
  for _, name in ipairs(names.sorted(parameters)) do add_one(plan, name, parameters[name], route) end
  for _, name in ipairs(payload.ignored or NONE) do plans.warn(plan, name, "is not understood: left out") end
end

--- The request for a payload: a plan (plan.lua) with its `route`.
function luma_body.build(payload)
  local plan = plans.new()
  if payload.wrapped then plans.refuse(plan, payload.wrapped, given.WRAPPED) end
  local route, problem = luma_route.find(payload, payload.model)
  if not route then
    plans.refuse(plan, problem.field, problem.message, problem.allowed)
    given.finish(plan, payload)
    return plan
  end
  plan.route, plan.body.model, plan.body.generation_type = route, route.model, route.generation_type
  local sources, references = luma_body.pictures_of(payload)
  local pictures, texts = without_words(references)
  refuse_misplaced(plan, payload, route)
  add_files(plan, payload, route, sources, pictures)
  add_prompt(plan, payload, route, texts)
  add_size(plan, payload, route)
  add_duration(plan, payload, route)
  add_callback(plan, payload, route)
  add_preferences(plan, payload, route)
  add_rest(plan, payload, route)
  if route.kind == "agents_video" then check_agents_video(plan, payload) end
  given.finish(plan, payload)
  return plan
end

return luma_body
