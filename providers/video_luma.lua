-- Luma: the Dream Machine API (ray-2, photon-1) and the newer Agents API (ray-3.2, uni-1). Two APIs with keys of their own.
-- Docs: https://docs.lumalabs.ai and https://docs.agents.lumalabs.ai, checked 2026-11-23.
--
-- A request without `model` is made by ray-2 with our defaults. A request that names a model gets nothing that the vendor does
-- not require. `model` is a model id, which also chooses the API, or a path of Dream Machine as its docs write it
-- (generations/video/reframe, generations/<id>/upscale), with parameters.model for the vendor's model.
--
-- There is no `cancel`: Luma cannot stop a generation. Its DELETE removes the record of one, perhaps paid and running.

local check = require "check"
local data_uri = require "data_uri"
local http_errors = require "http_errors"
local plans = require "plan"
local url_parts = require "url_parts"
local video_request = require "video_request"

local AGENTS_URL = "https://agents.lumalabs.ai/v1"
local AGENTS_AUTH = { ["Authorization"] = "Bearer {agents_api_key}" }

local DEFAULT_MODEL, DEFAULT_IMAGE_MODEL, DEFAULT_SECONDS, DEFAULT_RESOLUTION = "ray-2", "photon-1", 5, "1080p"
local POLL_SECONDS, RETRY_SECONDS = 5, 10

-- A request with sync = true is answered when the picture is there: the host waits a little longer than the vendor does.
local SYNC_SECONDS, SYNC_MARGIN_SECONDS = 60, 15

local MAX_IMAGE_REFERENCES = { dream_machine = 8, image = 9, image_edit = 8 }
local MIN_PROMPT = 3

local function words(text)
  local set = {}
  for word in string.gmatch(text, "%S+") do set[word] = true end
  return set
end

local DREAM_ASPECTS = { "1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21" }
local AGENTS_IMAGE_ASPECTS = { "3:1", "2:1", "16:9", "3:2", "1:1", "2:3", "9:16", "1:2", "1:3" }
local AGENTS_VIDEO_ASPECTS = { "9:16", "3:4", "1:1", "4:3", "16:9", "21:9" }
local DREAM_RESOLUTIONS = { "540p", "720p", "1080p", "4k" }
local AGENTS_RESOLUTIONS = { "360p", "540p", "720p", "1080p" }
local REFRAME_FIELDS = [[ callback_url generation_type grid_position_x grid_position_y media resized_height resized_width
  x_end x_start y_end y_start ]]
local MODIFY_MODES = {
  "adhere_1", "adhere_2", "adhere_3", "flex_1", "flex_2", "flex_3", "reimagine_1", "reimagine_2", "reimagine_3",
}

-- What each kind of generation takes. `prompt` is "required", "optional" or nil (takes none); `fields` are the vendor's names
-- that go through as they are.
local KINDS = {
  video = {
    makes = "video", prompt = "required", prompt_max = 5000, aspects = DREAM_ASPECTS, resolutions = DREAM_RESOLUTIONS,
    seconds = { 5, 9 }, fields = words "callback_url concepts generation_type keyframes loop",
  },
  image = {
    makes = "image", prompt = "required", prompt_max = 5000, aspects = DREAM_ASPECTS,
    fields = words "callback_url character_ref format generation_type image_ref modify_image_ref style_ref sync sync_timeout",
  },
  modify_video = {
    makes = "video", prompt = "optional", prompt_max = 5000, generation_type = "modify_video",
    fields = words "callback_url first_frame generation_type media mode",
  },
  reframe_video = {
    makes = "video", prompt = "optional", prompt_max = 5000, aspects = DREAM_ASPECTS, generation_type = "reframe_video",
    needs_aspect = true, fields = words(REFRAME_FIELDS .. "first_frame"),
  },
  reframe_image = {
    makes = "image", prompt = "optional", prompt_max = 5000, aspects = DREAM_ASPECTS, generation_type = "reframe_image",
    needs_aspect = true, fields = words(REFRAME_FIELDS .. "format"),
  },
  upscale_video = {
    makes = "video", resolutions = DREAM_RESOLUTIONS, generation_type = "upscale_video", modelless = true,
    fields = words "callback_url generation_type",
  },
  add_audio = {
    makes = "video", prompt = "optional", prompt_max = 5000, generation_type = "add_audio", modelless = true,
    fields = words "callback_url generation_type negative_prompt",
  },
  agents_image = {
    makes = "image", prompt = "required", prompt_max = 6000, aspects = AGENTS_IMAGE_ASPECTS,
    fields = words "image_ref output_format source type user_id web_search",
  },
  agents_video = {
    makes = "video", prompt = "required", prompt_max = 6000, aspects = AGENTS_VIDEO_ASPECTS, resolutions = AGENTS_RESOLUTIONS,
    seconds = { 5, 10 }, fields = words "source type user_id",
    video_fields = words [[ edit end_frame exr_export guide_frame hdr keyframe_indexes keyframes loop source_position
      start_frame ]],
  },
}

local MODELS = {
  ["ray-2"] = { api = "dream_machine", makes = "video" }, ["ray-flash-2"] = { api = "dream_machine", makes = "video" },
  ["photon-1"] = { api = "dream_machine", makes = "image" }, ["photon-flash-1"] = { api = "dream_machine", makes = "image" },
  ["uni-1"] = { api = "agents", kind = "agents_image" }, ["uni-1-max"] = { api = "agents", kind = "agents_image" },
  ["ray-3.2"] = { api = "agents", kind = "agents_video" },
}
local MODEL_IDS = video_request.sorted_keys(MODELS)

-- The paths of Dream Machine. `generations` is the older way to make a video, with the same body.
local PATHS = {
  ["generations"] = "video", ["generations/video"] = "video", ["generations/image"] = "image",
  ["generations/video/modify"] = "modify_video", ["generations/video/reframe"] = "reframe_video",
  ["generations/image/reframe"] = "reframe_image",
}
-- What is done to an earlier generation: generations/<id>/<action>.
local ACTIONS = { upscale = "upscale_video", audio = "add_audio" }

-- Parameters that build() reads by name.
local READ_BY_NAME = words [[ aspect_ratio callback_url duration duration_seconds format generation_id height image init_image
  init_video model negative_prompt output_format prompt reference reference_frames resolution samples storyboard style video
  webhook width ]]

-- Every name of the two contracts: what one kind has, another refuses rather than making something else.
local CONTRACT_FIELDS = {}
for _, kind in pairs(KINDS) do
  for name in pairs(kind.fields) do CONTRACT_FIELDS[name] = true end
  for name in pairs(kind.video_fields or {}) do CONTRACT_FIELDS[name] = true end
end

local capabilities = {
  modes = { "video" },
  features = { "reference_frames", "style_transfer" },
  resolutions = { "1080p" },
  duration_seconds = { default = 6.0, max = 12.0 },
  models = {
    ["ray-2"] = { resolutions = DREAM_RESOLUTIONS, seconds = KINDS.video.seconds, aspect_ratios = DREAM_ASPECTS },
    ["ray-flash-2"] = { resolutions = DREAM_RESOLUTIONS, seconds = KINDS.video.seconds, aspect_ratios = DREAM_ASPECTS },
    ["photon-1"] = { aspect_ratios = DREAM_ASPECTS }, ["photon-flash-1"] = { aspect_ratios = DREAM_ASPECTS },
    ["ray-3.2"] = {
      resolutions = AGENTS_RESOLUTIONS, seconds = KINDS.agents_video.seconds, aspect_ratios = AGENTS_VIDEO_ASPECTS,
    },
    ["uni-1"] = { aspect_ratios = AGENTS_IMAGE_ASPECTS }, ["uni-1-max"] = { aspect_ratios = AGENTS_IMAGE_ASPECTS },
  },
  default_model = DEFAULT_MODEL,
  webhooks = true,
  cancel = false,
}

-- US dollars. Dream Machine's are approximate: about 0.0064 a million pixels for ray-2.
local pricing = {
  as_of = "2026-11-23", source = "https://docs.comfy.org", unit = "generation", approximate = true,
  ["ray-2"] = {
    ["540p"] = { ["5s"] = 0.40 }, ["720p"] = { ["5s"] = 0.71, ["9s"] = 1.27 }, ["1080p"] = { ["5s"] = 1.59, ["9s"] = 2.87 },
    ["4k"] = { ["5s"] = 6.37, ["9s"] = 11.47 },
  },
  ["ray-flash-2"] = { ["4k"] = { ["5s"] = 2.19, ["9s"] = 3.94 }, share_of_ray_2 = 0.34 },
  ["photon-1"] = { expected = 0.015, low = 0.015, high = 0.015 },
  ["photon-flash-1"] = { expected = 0.004, low = 0.002, high = 0.004 },
  agents = {
    as_of = "2026-07-10", source = "https://docs.agents.lumalabs.ai",
    sdr_5s = { ["540p"] = 0.15, ["720p"] = 0.30, ["1080p"] = 1.20 }, ten_seconds_factor = 3,
    hdr_5s = { ["720p"] = 0.60, ["1080p"] = 2.40 }, hdr_and_exr_5s = { ["720p"] = 0.90, ["1080p"] = 3.60 },
    edit_5s = { ["540p"] = 0.72, ["720p"] = 1.08, ["1080p"] = 2.16 },
    reframe_per_second = { ["540p"] = 0.06, ["720p"] = 0.12, ["1080p"] = 0.36 },
    ["uni-1"] = 0.0404, uni_1_reference = 0.003, ["uni-1-max"] = 0.10,
  },
}

-- Routes -----------------------------------------------------------------------------------------------------------------

local function refusal(field, message, allowed)
  return nil, { field = field, message = message, allowed = allowed }
end

local function make_route(kind_name, api, path, model)
  local route = check.copy(KINDS[kind_name])
  route.kind, route.api, route.path, route.model = kind_name, api, path, model
  return route
end

-- "generations/<id>/upscale"; a literal {id} means parameters.generation_id.
local function action_route(text, parameters)
  local id, action = string.match(text, "^generations/([^/]+)/(%a+)$")
  if not id or not ACTIONS[action] then return nil end
  if id == "{id}" then id = parameters.generation_id end
  if type(id) ~= "string" or id == "" then return refusal("parameters.generation_id", "is needed: which generation?") end
  return make_route(ACTIONS[action], "dream_machine", "/generations/" .. url_parts.segment(id) .. "/" .. action)
end

-- The models that a path of Dream Machine takes.
local function models_that_make(what)
  local ids = {}
  for _, id in ipairs(MODEL_IDS) do
    if MODELS[id].makes == what then ids[#ids + 1] = id end
  end
  return ids
end

local function path_route(text, parameters)
  local kind = PATHS[text]
  local model = parameters.model
  if text == "generations" and MODELS[model or ""] and MODELS[model].api == "agents" then
    return make_route(MODELS[model].kind, "agents", "/generations", model)
  end
  local makes = KINDS[kind].makes
  model = model or (makes == "image" and DEFAULT_IMAGE_MODEL or DEFAULT_MODEL)
  if not MODELS[model] or MODELS[model].makes ~= makes then
    return refusal("parameters.model", "is not a model that this path takes", models_that_make(makes))
  end
  return make_route(kind, "dream_machine", "/" .. text, model)
end

-- Where a request with this model goes, and what may be said there; nil and a refusal.
local function find_route(payload, model)
  local parameters = payload.parameters
  local text = string.gsub(string.gsub(model, "^/+", ""), "^dream%-machine/", "")
  text = string.gsub(text, "^v1/", "")
  if PATHS[text] then return path_route(text, parameters) end
  local known = MODELS[text]
  if known then
    if parameters.model ~= nil and parameters.model ~= text then
      return refusal("parameters.model", "contradicts model: give one or the other")
    end
    return make_route(known.kind or known.makes, known.api, "/generations" .. (known.makes and "/" .. known.makes or ""), text)
  end
  local route, problem = action_route(text, parameters)
  if route or problem then return route, problem end
  return refusal("model", "is not a model of Luma, nor a path of its API", MODEL_IDS)
end

-- Building the body ------------------------------------------------------------------------------------------------------

local function add_prompt(plan, payload, route)
  local text, count = video_request.joined_prompt(payload, route.words_of_pictures)
  if not text then
    if route.prompt == "required" then plans.refuse(plan, "prompt", "is needed") end
    return
  end
  if not route.prompt then return plans.warn(plan, "prompt", "an upscale takes no prompt: left out") end
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
  for _, name in ipairs { "width", "height" } do
    if parameters[name] then
      local message = "Luma takes no size in pixels: give a resolution and an aspect ratio"
      plans.refuse(plan, "parameters." .. name, message, route.resolutions)
    end
  end
  local resolution = parameters.resolution
  if resolution and route.resolutions and check.in_list(resolution, route.resolutions) then
    settings_of(plan, route).resolution = resolution
  elseif resolution then
    local message = route.resolutions and "Luma does not make this resolution here" or "Luma takes no resolution here"
    plans.refuse(plan, "parameters.resolution", message, route.resolutions)
  end
  if not aspect then
    if route.needs_aspect then plans.refuse(plan, "aspect_ratio", "is needed to reframe", route.aspects) end
  elseif route.aspects and check.in_list(aspect, route.aspects) then
    plan.body.aspect_ratio = aspect
  else
    local field = video_request.field(payload, "aspect_ratio")
    plans.refuse(plan, field, route.aspects and "Luma does not make this aspect ratio here" or "Luma takes no aspect ratio here",
      route.aspects)
  end
end

-- The vendor writes lengths as "5s".
local function add_duration(plan, payload, route)
  local seconds = payload.duration_seconds
  if seconds == nil then return end
  if route.seconds and check.in_list(seconds, route.seconds) then
    settings_of(plan, route).duration = ("%ds"):format(seconds)
    return
  end
  local field = video_request.field(payload, "duration_seconds", "duration")
  local message = route.seconds and "Luma does not make this length" or "Luma takes no length here"
  plans.refuse(plan, field, message, route.seconds)
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
  if data_uri.is(uri) then
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

local function refuse_twice(plan, given, name, pictures)
  if given == nil or #pictures == 0 then return false end
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

-- Reframe and modify work on a file: a video or a picture; modify may have a first frame besides.
local function add_media(plan, payload, route, sources, references)
  local parameters = payload.parameters
  local file = parameters.video or parameters.init_video
  local media = parameters.media or (file and { url = file })
  local field = parameters.media and "parameters.media" or "parameters.video"
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
  local file = parameters.init_video or (type(parameters.video) == "string" and parameters.video) or nil
  if file then body.source = as_reference(plan, { field = "parameters.video", uri = file }) end
  body.type = parameters.type or ((body.source or parameters.source) and "video_edit" or "video")
  if #pictures == 0 then return end
  local first, last = first_and_last(plan, pictures)
  local settings = settings_of(plan, route)
  if first then settings.start_frame = as_reference(plan, first) end
  if last then settings.end_frame = as_reference(plan, last) end
end

-- What ray-3.2 cannot combine.
local function check_agents_video(plan, payload)
  local video = plan.body.video
  if type(video) ~= "table" then return end
  local ten, frames = video.duration == "10s", video.start_frame or video.end_frame
  local duration_field = video_request.field(payload, "duration_seconds", "duration")
  if ten and frames then plans.refuse(plan, duration_field, "10 seconds cannot have a first or last frame", { 5 }) end
  if ten and video.hdr then plans.refuse(plan, duration_field, "HDR lasts 5 seconds", { 5 }) end
  if video.loop and (ten or video.hdr or video.end_frame) then
    plans.refuse(plan, "parameters.loop", "a loop cannot be 10 seconds long, HDR, or have a last frame", { false })
  end
  if video.hdr and (video.resolution == "360p" or video.resolution == "540p") then
    plans.refuse(plan, "parameters.resolution", "HDR needs more", { "720p", "1080p" })
  end
  if video.exr_export and not video.hdr then plans.refuse(plan, "parameters.exr_export", "needs hdr = true", { false }) end
  if video.keyframes and (frames or video.loop) then
    plans.refuse(plan, "parameters.keyframes", "cannot be combined with a first or last frame, nor with a loop")
  end
end

local function add_files(plan, payload, route)
  local sources = video_request.pictures(payload, { "init_image", "image" }, {})
  local names = { "reference", "reference_frames", "storyboard" }
  local references, texts = {}, {}
  for _, picture in ipairs(video_request.pictures(payload, names, names)) do
    local list = (picture.text and not picture.uri) and texts or references
    list[#list + 1] = picture
  end
  route.words_of_pictures = texts
  if route.kind == "image" then return add_image_references(plan, payload, sources, references) end
  if route.kind == "agents_image" then return add_agents_image(plan, payload, sources, references) end
  if route.fields.media then return add_media(plan, payload, route, sources, references) end
  for _, picture in ipairs(references) do sources[#sources + 1] = picture end
  if route.kind == "agents_video" then return add_agents_video(plan, payload, route, sources) end
  if route.modelless then return refuse_many(plan, sources, 0) end
  if payload.parameters.video or payload.parameters.init_video then
    local what = { "generations/video/modify", "generations/video/reframe" }
    plans.refuse(plan, "parameters.video", "can be modified or reframed: say which in model", what)
  end
  add_keyframes(plan, payload, sources)
end

-- The URL that the user wants told; the host's own is added by submit.
local function add_callback(plan, payload, route)
  local name = payload.parameters.callback_url ~= nil and "callback_url" or "webhook"
  local url = payload.parameters[name]
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
  local name = parameters.output_format ~= nil and "output_format" or "format"
  local format = parameters[name]
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
  if READ_BY_NAME[name] then return end
  if route.fields[name] then
    if plan.body[name] == nil then plan.body[name] = value end
  elseif route.video_fields and route.video_fields[name] then
    local settings = settings_of(plan, route)
    if settings[name] == nil then settings[name] = value end
  elseif video_request.PREFERENCES[name] then
    plans.warn(plan, field, "Luma has no such setting here: left out")
  elseif CONTRACT_FIELDS[name] then
    plans.refuse(plan, field, "Luma has no such setting here")
  else
    plan.body[name] = value
    plans.warn(plan, field, "is not in the vendor's contract as we know it: sent as given")
  end
end

local function add_rest(plan, payload, route)
  local parameters = payload.parameters
  if (parameters.samples or 1) > 1 then plans.refuse(plan, "parameters.samples", "Luma makes one at a time", { 1 }) end
  for _, name in ipairs(video_request.sorted_keys(parameters)) do add_one(plan, name, parameters[name], route) end
  for _, name in ipairs(payload.ignored or {}) do plans.warn(plan, name, "is not understood: left out") end
end

-- The request for a payload: { body =, route =, refusals =, warnings =, notes = }.
local function build(payload)
  local plan = plans.new()
  local route, problem = find_route(payload, payload.model)
  if not route then
    plans.refuse(plan, problem.field, problem.message, problem.allowed)
    return plan
  end
  plan.route, plan.body.model, plan.body.generation_type = route, route.model, route.generation_type
  add_files(plan, payload, route)
  add_prompt(plan, payload, route)
  add_size(plan, payload, route)
  add_duration(plan, payload, route)
  add_callback(plan, payload, route)
  add_preferences(plan, payload, route)
  add_rest(plan, payload, route)
  if route.kind == "agents_video" then check_agents_video(plan, payload) end
  return plan
end

-- Prepare ------------------------------------------------------------------------------------------------------------------

local TEXTS = { "callback_url", "format", "generation_id", "model", "output_format", "webhook" }
local MAX_TEXT_BYTES = 4096

-- What build() relies on; the vendor's other fields are the vendor's to check.
local function check_types(payload)
  local reader = check.reader(payload.parameters, "parameters")
  for _, name in ipairs(TEXTS) do reader:text(name, { max = MAX_TEXT_BYTES }) end
  reader:text "init_video"
  video_request.pictures(payload, { "init_image", "image", "reference", "reference_frames", "storyboard" }, {})
end

local function prepare(request)
  local parameter_names = check.copy(CONTRACT_FIELDS)
  for name in pairs(READ_BY_NAME) do parameter_names[name] = true end
  local payload = video_request.read(request, {
    pictures = { reference = "reference", reference_frames = "reference_frames", storyboard = "storyboard" },
    parameters = parameter_names,
  })
  local parameters = payload.parameters
  check_types(payload)
  payload.model = payload.model or parameters.model
  if not payload.model then
    payload.model = DEFAULT_MODEL
    payload.duration_seconds = payload.duration_seconds or DEFAULT_SECONDS
    parameters.resolution = parameters.resolution or DEFAULT_RESOLUTION
  end
  local route = find_route(payload, payload.model)
  -- Without a route submit says what is wrong; a missing prompt would only hide it.
  if not payload.prompt and not payload.prompts and route and route.prompt == "required" then
    check.fail("prompt", "is required")
  end
  return payload
end

-- Estimate -----------------------------------------------------------------------------------------------------------------

local function round_to_cent(usd)
  return math.floor(usd * 100 + 0.5) / 100
end

-- What is not listed follows from what is: the price goes with the pixels, so with the length, and from model to model.
local function dream_video_price(model, resolution, duration)
  local listed = pricing[model][resolution]
  if listed and listed[duration] then return listed[duration] end
  if model == "ray-flash-2" then
    return round_to_cent(dream_video_price("ray-2", resolution, duration) * pricing["ray-flash-2"].share_of_ray_2)
  end
  return round_to_cent(pricing[model][resolution]["5s"] * 9 / 5)
end

local function dream_video_estimate(body)
  local resolution, duration = body.resolution, body.duration
  local missing = not resolution and "the resolution" or (not duration and "the length") or nil
  local low = dream_video_price(body.model, resolution or "540p", duration or "5s")
  local high = dream_video_price(body.model, resolution or "4k", duration or "9s")
  local seconds = duration and math.tointeger(tonumber(string.sub(duration, 1, -2)))
  local expected = not missing and high or nil
  return { expected = expected, low = low, high = high, unit = "second", quantity = seconds, missing = missing }
end

-- New video by ray-3.2. An edit or a reframe lasts as long as its source, which is not known here.
local function agents_video_estimate(body)
  local prices, video = pricing.agents, type(body.video) == "table" and body.video or {}
  if body.type ~= "video" then return nil, "the length of the source video" end
  local table_name = video.hdr and (video.exr_export and "hdr_and_exr_5s" or "hdr_5s") or "sdr_5s"
  local five = prices[table_name][video.resolution or "720p"]
  if not five then return nil, "the price of this resolution" end
  if video.hdr or video.duration == "5s" then
    return { expected = five, low = five, high = five, unit = "second", quantity = 5 }
  end
  -- In cents, so that three times 0.3 is 0.9.
  local ten = round_to_cent(five * prices.ten_seconds_factor)
  if video.duration == "10s" then return { expected = ten, low = ten, high = ten, unit = "second", quantity = 10 } end
  return { low = five, high = ten, unit = "second", missing = "the length" }
end

local function agents_image_estimate(body)
  local references = type(body.image_ref) == "table" and #body.image_ref or 0
  local price = pricing.agents[body.model]
  if body.model == "uni-1" then
    price = math.floor((price + references * pricing.agents.uni_1_reference) * 10000 + 0.5) / 10000
  elseif references > 0 then
    return { low = price, unit = "image", quantity = 1, missing = "the price of reference images" }
  end
  return { expected = price, low = price, high = price, unit = "image", quantity = 1 }
end

local function estimate_of(plan)
  local body, route = plan.body, plan.route
  if route.kind == "agents_video" then return agents_video_estimate(body) end
  if route.kind == "agents_image" then return agents_image_estimate(body) end
  if route.kind == "video" then return dream_video_estimate(body) end
  if route.kind == "image" then
    local price = pricing[body.model]
    return { expected = price.expected, low = price.low, high = price.high, unit = "image", quantity = 1 }
  end
  return nil, "a published price of " .. route.path
end

local function estimate(payload)
  local plan = build(payload)
  if plans.is_refused(plan) then return nil, plans.first_refusal(plan) end
  local result, missing = estimate_of(plan)
  if not result then return nil, missing end
  local prices = plan.route.api == "agents" and pricing.agents or pricing
  result.model, result.source, result.as_of = plan.body.model, prices.source, prices.as_of
  if prices == pricing then result.approximate = true end
  return result
end

-- Answers ------------------------------------------------------------------------------------------------------------------

local function is_moderation(text)
  text = string.lower(string.sub(text, 1, 300))
  return string.find(text, "moderation", 1, true) ~= nil or string.find(text, "blacklisted", 1, true) ~= nil
end

-- Which status means an empty balance is not documented for Dream Machine: its text tells.
local function is_credit(text)
  text = string.lower(string.sub(text, 1, 300))
  if not (string.find(text, "insufficient", 1, true) or string.find(text, "not enough", 1, true)) then return false end
  return string.find(text, "credit", 1, true) ~= nil or string.find(text, "balance", 1, true) ~= nil
end

-- What the vendor's error body says, for http_errors. `detail` is a text, or a list of texts or of { msg }.
local function explain(response)
  local body = response and type(response.json) == "table" and response.json or {}
  local text = body.detail
  if type(text) == "table" then text = text[1] or text end
  if type(text) == "table" then text = text.msg end
  if type(text) ~= "string" then return {} end
  if response.status >= 400 and response.status < 500 then
    if is_credit(text) then return { code = "credit" } end
    if is_moderation(text) then return { code = "moderation", detail = text } end
  end
  return { detail = text }
end

local FAILURE_CODES = {
  content_moderated = "moderation", generation_failed = "vendor", budget_exhausted = "credit", output_not_found = "vendor",
  image_too_large = "invalid", unsupported_format = "invalid", corrupt_input = "invalid", invalid_request = "invalid",
  rate_limited = "rate_limited",
}

-- Dream Machine refunds what failed; of the Agents API nothing is said.
local function failed_result(generation, api)
  local vendor_code = type(generation.failure_code) == "string" and generation.failure_code or nil
  local reason = type(generation.failure_reason) == "string" and generation.failure_reason or ""
  local code = vendor_code and (FAILURE_CODES[vendor_code] or "vendor")
  if not code and is_moderation(reason) then code = "moderation" end
  if not code and string.find(reason, "Failed to read user input", 1, true) then code = "invalid" end
  local message = http_errors.safe_text(reason) or "the generation failed"
  if code == "credit" then message = "the vendor account has not enough credit" end
  local billed
  if api == "dream_machine" then billed = false end
  return {
    id = generation.id, status = "error",
    error = { code = code or "vendor", message = message, vendor_code = vendor_code, billed = billed },
  }
end

-- The video, or the picture; the picture beside a video is only its first frame.
local function artifacts_of(generation)
  local artifacts = {}
  for _, output in ipairs(type(generation.output) == "table" and generation.output or {}) do
    if type(output) == "table" and type(output.url) == "string" then
      artifacts[#artifacts + 1] = { url = output.url, content_type = output.type == "video" and "video/mp4" or nil }
    end
  end
  local assets = type(generation.assets) == "table" and generation.assets or {}
  if type(assets.video) == "string" then
    artifacts[1] = { url = assets.video, content_type = "video/mp4" }
  elseif type(assets.image) == "string" then
    artifacts[1] = { url = assets.image }
  end
  return artifacts
end

-- Luma reports no cost: it is computed, where the price is known.
local function computed_cost(payload)
  if type(payload) ~= "table" or not payload.parameters or not payload.model then return nil end
  local figures = estimate(payload)
  return figures and figures.expected and { usd = figures.expected, source = "computed" } or nil
end

local STATUSES = { queued = "queued", dreaming = "running", processing = "running" }

local function generation_result(generation, api, payload)
  if generation.state == "completed" then
    return {
      id = generation.id, status = "done", progress = 1, artifacts = artifacts_of(generation), cost = computed_cost(payload),
    }
  end
  if generation.state == "failed" then return failed_result(generation, api) end
  local status, reason = STATUSES[generation.state], nil
  if not status then
    status, reason = "running", "status not known: " .. (http_errors.safe_text(generation.state) or "none given")
  end
  return {
    id = generation.id, status = status, reason = reason, retry_after = POLL_SECONDS, state = { api = api, status = status },
  }
end

local NOT_JSON = { kind = "protocol", message = "the answer is not JSON" }

local function is_object(response)
  return response and type(response.json) == "table"
end

-- The API that a job runs on: kept in its state, else told by its model.
local function api_of(job)
  if job.state and job.state.api then return job.state.api end
  local model = job.payload and job.payload.model
  return MODELS[model or ""] and MODELS[model].api or "dream_machine"
end

-- One request to either API; each has a key of its own.
local function ask(ctx, api, request)
  if api == "agents" then
    request.url, request.path = AGENTS_URL .. request.path, nil
    request.auth, request.headers = false, AGENTS_AUTH
  end
  return ctx.request(request)
end

-- The functions of the contract ----------------------------------------------------------------------------------------------

local function health(ctx)
  local response, failure = ctx.request { path = "/credits" }
  if not response or response.status ~= 200 or not is_object(response) then
    return { ok = false, reason = http_errors.result(response, failure, explain(response)).error.message }
  end
  local cents = response.json.credit_balance
  return {
    ok = true, balance_usd = type(cents) == "number" and cents / 100 or nil,
    notes = { "the balance of Dream Machine; the Agents API has a key of its own and does not tell its balance" },
  }
end

local function submit(payload, ctx)
  local plan = build(payload)
  if plans.is_refused(plan) then return nil, plan.refusals end
  plans.announce(plan, ctx)
  local route, body = plan.route, plan.body
  if route.fields.callback_url and body.callback_url == nil then body.callback_url = ctx.webhook_url end
  local timeout
  if body.sync == true then timeout = (tonumber(body.sync_timeout) or SYNC_SECONDS) + SYNC_MARGIN_SECONDS end
  local response, failure = ask(ctx, route.api, { path = route.path, json = body, timeout = timeout })
  if not response or response.status >= 300 then return http_errors.result(response, failure, explain(response)) end
  if not is_object(response) or type(response.json.id) ~= "string" then
    return { status = "error", error = { code = "vendor", message = "the vendor's answer has no generation id" } }
  end
  return generation_result(response.json, route.api, payload)
end

local function poll(job, ctx)
  local api = api_of(job)
  local response, failure = ask(ctx, api, { path = "/generations/" .. url_parts.segment(job.id) })
  local answered = response and response.status == 200
  if answered and is_object(response) then return generation_result(response.json, api, job.payload) end
  if answered then response, failure = nil, NOT_JSON end
  local options = explain(response)
  options.retry_after = RETRY_SECONDS
  return http_errors.unanswered(response, failure, job, options)
end

-- A callback carries no signature, so anybody may have sent it: it is only a reason to ask.
local function webhook(delivery, ctx)
  local job = delivery.job or {}
  local told = type(delivery.json) == "table" and delivery.json.id or nil
  if type(job.id) ~= "string" then return nil, { field = "id", message = "belongs to no job" } end
  if told ~= nil and told ~= job.id then return nil, { field = "id", message = "is of another generation" } end
  return poll(job, ctx)
end

return {
  id = "luma", name = "Luma", kind = "video",
  aliases = { "luma-ai", "dream-machine" }, feature_flag = "enable_public_video_providers",
  docs_url = "https://lumalabs.ai/dream-machine", pricing_url = "https://lumalabs.ai/pricing", last_checked = "2025-02-17",
  tags = { "video", "dream-machine" },
  modes = { { id = "video", label = "Video Generation", default = true } },
  reviews = {
    notes = "Smooth motion between two given frames; Dream Machine is the older of two APIs, and neither can stop a generation.",
    sources = { "https://lumalabs.ai/dream-machine" },
  },
  credentials = {
    api_key = {
      env = { "LUMA_API_KEY", "LUMAAI_API_KEY" },
      secret = { "api_key", "token", "key", "secret", "luma_api_key", "lumaai_api_key" },
      hint = "the key of the Dream Machine API",
    },
    agents_api_key = {
      env = { "LUMA_AGENTS_API_KEY" }, secret = { "agents_api_key", "luma_agents_api_key" },
      pattern = "^luma-api-", optional = true,
      hint = "only for ray-3.2 and uni-1: the key of the Agents API",
    },
  },
  base_url = "https://api.lumalabs.ai/dream-machine/v1", hosts = { "agents.lumalabs.ai" },
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = capabilities, pricing = pricing,
  prepare = prepare, estimate = estimate, health = health, submit = submit, poll = poll, webhook = webhook,
}
