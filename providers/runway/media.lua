-- media.lua - the pictures and videos of a request to Runway.

local given = require "given"
local plans = require "plan"
local runway_route = require "runway.route"

local runway_media = {}

local NONE = {}

local MAX_DATA_URI_BYTES = 5 * 1024 * 1024
local PERFORMANCE_FIELDS = { "character", "reference" }

-- As long as an IPv4 address is, and what follows it.
local MAX_ADDRESS_BYTES = 16

-- What is wrong with a file as the vendor takes it: HTTPS with a host name, a data URI of its size, or an upload of its own.
local function problem_of(uri)
  if type(uri) ~= "string" then return "must be a URL or a data URI" end
  local start = string.lower(string.sub(uri, 1, 300))
  if string.sub(start, 1, 5) == "data:" then
    return #uri > MAX_DATA_URI_BYTES and "is too large: a data URI may have 5 MB; give an HTTPS URL" or nil
  elseif string.sub(start, 1, 8) == "https://" then
    local host = string.sub(start, 9, 8 + MAX_ADDRESS_BYTES)
    local is_address = string.find(host, "^%d+%.%d+%.%d+%.%d+[:/]") or string.sub(host, 1, 1) == "["
    return is_address and "must name its host: the vendor does not fetch from an IP address" or nil
  end
  return string.sub(start, 1, 9) ~= "runway://" and "must be an HTTPS URL, a data URI or a runway:// upload" or nil
end

-- A file under a name of ours.
local function check_uri(plan, field, uri)
  local problem = problem_of(uri)
  if problem then plans.refuse(plan, field, problem) end
end

-- What stands under the vendor's own name goes out as it is: the vendor may take more than we know.
local function warn_of(plan, field, problem)
  if problem then plans.warn(plan, field, problem .. ", as far as is known here: sent as given") end
end

-- The pictures that are files; a picture that is neither file nor text is refused.
local function files_of(plan, pictures)
  if pictures[1] == nil then return NONE end
  local files = {}
  for _, picture in ipairs(pictures) do
    if picture.uri then
      check_uri(plan, picture.field, picture.uri)
      files[#files + 1] = picture
    elseif not picture.text then
      plans.refuse(plan, picture.field, "must have a uri (a file) or a prompt (a text)")
    end
  end
  return files
end

local FIRST_ONLY, FIRST_OR_LAST = { "first" }, { "first", "last" }

local function check_position(plan, spec, field, position)
  if position == "first" or (position == "last" and spec.last_frame) then return end
  plans.refuse(plan, field, spec.id .. " does not take a frame at this position", spec.last_frame and FIRST_OR_LAST or FIRST_ONLY)
end

local function refuse_many_frames(plan, spec, field)
  plans.refuse(plan, field, ("is one too many: %s takes %s"):format(spec.id,
    spec.last_frame and "a first and a last frame" or "a first frame only"))
end

local function check_prompt_image(plan, value, spec)
  if type(value) ~= "table" then return warn_of(plan, "parameters.promptImage", problem_of(value)) end
  local most = spec.last_frame and 2 or 1
  for index, item in ipairs(value) do
    local field = ("parameters.promptImage[%d]"):format(index - 1)
    warn_of(plan, field, problem_of(type(item) == "table" and item.uri or nil))
    local position = type(item) == "table" and item.position
    if position and index > most then
      warn_of(plan, field, ("is one too many: %s takes %d"):format(spec.id, most))
    elseif position and position ~= "first" and not (position == "last" and spec.last_frame) then
      warn_of(plan, field .. ".position", spec.id .. " does not take a frame at this position")
    end
  end
end

-- Of what the directory knows, its schema says what is missing.
local function refuse_absent(plan, spec, field, message)
  if not spec.live then plans.refuse(plan, field, spec.id .. message) end
end

-- One picture is the first frame; a second one is the last, on the models that can aim at one.
local function add_frames(plan, payload, spec, files)
  local native = payload.parameters.promptImage
  if native ~= nil then
    if #files > 0 then return plans.refuse(plan, files[1].field, "the pictures are in parameters.promptImage already") end
    check_prompt_image(plan, native, spec)
    return
  end
  local most = spec.last_frame and 2 or 1
  if #files == 0 then return refuse_absent(plan, spec, "parameters.image", " needs a picture to begin with") end
  if #files > most then return refuse_many_frames(plan, spec, files[most + 1].field) end
  if #files == 1 and files[1].position == nil then
    plan.body.promptImage = files[1].uri
    return
  end
  plan.body.promptImage = {}
  for index, file in ipairs(files) do
    local position = file.position or (index == 1 and "first" or "last")
    check_position(plan, spec, file.field, position)
    plan.body.promptImage[index] = { uri = file.uri, position = position }
  end
end

local function add_reference_images(plan, payload, _, files)
  local own = payload.parameters.referenceImages
  if own ~= nil and #files == 0 then
    for index, item in ipairs(type(own) == "table" and own or NONE) do
      local uri = type(item) == "table" and item.uri or nil
      warn_of(plan, ("parameters.referenceImages[%d]"):format(index - 1), problem_of(uri))
    end
    return
  end
  local images = {}
  for index, item in ipairs(type(own) == "table" and own or NONE) do images[index] = item end
  for _, file in ipairs(files) do images[#images + 1] = { uri = file.uri, tag = file.tag } end
  if #images > 0 then plan.body.referenceImages = images end
end

local function add_image_uri(plan, payload, spec, files)
  local own = payload.parameters.imageUri
  if own ~= nil then warn_of(plan, "parameters.imageUri", problem_of(own)) end
  local uri = own or (files[1] and files[1].uri)
  if uri == nil then return refuse_absent(plan, spec, "parameters.image", " needs a picture") end
  if #files > (own and 0 or 1) then
    return plans.refuse(plan, files[#files].field, "is one too many: one picture is upscaled at a time")
  end
  plan.body.imageUri = uri
end

-- Who acts may be given under several names; nobody else may.
local ACTORS = {
  { name = "init_image", type = "image" }, { name = "image", type = "image" }, { name = "video", type = "video" },
  { name = "init_video", type = "video" }, { name = "videoUri", type = "video" }, { name = "promptVideo", type = "video" },
}
local NO_PLACE_IN_A_PERFORMANCE = { "storyboard", "reference_frames", "promptImage", "imageUri", "referenceImages" }

local function add_character(plan, parameters)
  local character = parameters.character
  for _, actor in ipairs(ACTORS) do
    local uri = parameters[actor.name]
    if uri ~= nil and character == nil then
      character = { type = actor.type, uri = uri }
      check_uri(plan, "parameters." .. actor.name, uri)
    elseif uri ~= nil and not given.same(character, { type = actor.type, uri = uri }) then
      plans.refuse(plan, "parameters." .. actor.name, "is a second character: there is one, and a reference that it follows")
    end
  end
  plan.body.character = character
end

-- Act-Two: who acts (a picture or a video), and the video of the performance.
local function add_performance(plan, payload, spec)
  local parameters, body = payload.parameters, plan.body
  add_character(plan, parameters)
  body.reference = parameters.reference
  if type(body.reference) == "string" then
    check_uri(plan, "parameters.reference", body.reference)
    body.reference = { type = "video", uri = body.reference }
  end
  for _, name in ipairs(PERFORMANCE_FIELDS) do
    if body[name] == nil then plans.refuse(plan, "parameters." .. name, spec.id .. " needs it") end
  end
  for _, name in ipairs(NO_PLACE_IN_A_PERFORMANCE) do
    if parameters[name] ~= nil then plans.refuse(plan, "parameters." .. name, spec.id .. " takes no such pictures") end
  end
  if payload.storyboard ~= nil then plans.refuse(plan, "storyboard", spec.id .. " takes no such pictures") end
end

local VENDORS_VIDEOS = { videoUri = true, promptVideo = true }

local function add_video(plan, payload, spec)
  if spec.operation == "character_performance" then return end
  local video, name = runway_route.video_of(payload)
  if not spec.video_key then
    if video and not VENDORS_VIDEOS[name] then plans.refuse(plan, "parameters." .. name, spec.id .. " takes no video here") end
    return
  end
  if not video then return refuse_absent(plan, spec, "parameters.video", " needs a video") end
  for _, other in ipairs(runway_route.VIDEO_PARAMETERS) do
    local second = payload.parameters[other]
    if second ~= nil and second ~= video then
      plans.refuse(plan, "parameters." .. other, "contradicts parameters." .. name .. ": one video is worked on at a time")
    end
  end
  if plan.body[spec.video_key] ~= nil then return warn_of(plan, "parameters." .. spec.video_key, problem_of(video)) end
  check_uri(plan, "parameters." .. name, video)
  plan.body[spec.video_key] = video
end

-- Where the pictures go; elsewhere there is no place for them.
local function place_of(spec)
  if spec.fields.promptImage then return add_frames end
  if spec.fields.imageUri then return add_image_uri end
  return spec.fields.referenceImages and add_reference_images or nil
end

-- The vendor's words for the picture that an endpoint is about: one of another endpoint has no place.
local MAIN_PICTURES = { "promptImage", "imageUri" }

local function refuse_misplaced(plan, payload, spec, files)
  local parameters = payload.parameters
  if parameters.promptImage ~= nil or parameters.imageUri ~= nil then
    for _, name in ipairs(MAIN_PICTURES) do
      if parameters[name] ~= nil and not spec.fields[name] then
        plans.refuse(plan, "parameters." .. name, spec.id .. " takes no such picture here")
      end
    end
  end
  if files[1] and parameters.referenceImages ~= nil and not spec.fields.referenceImages then
    plans.refuse(plan, "parameters.referenceImages", spec.id .. " takes no such pictures here")
  end
end

--- Puts the pictures and videos into the plan's body, or refuses them.
function runway_media.add(plan, payload, spec, pictures)
  add_video(plan, payload, spec)
  if spec.operation == "character_performance" then return add_performance(plan, payload, spec) end
  local files, add = files_of(plan, pictures), place_of(spec)
  plan.has_files = files[1] ~= nil
  refuse_misplaced(plan, payload, spec, files)
  if add then return add(plan, payload, spec, files) end
  for _, file in ipairs(files) do plans.refuse(plan, file.field, spec.id .. " takes no picture here") end
end

return runway_media
