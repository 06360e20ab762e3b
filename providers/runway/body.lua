-- body.lua - the body of a request to Runway, built for one model at one endpoint (route.lua).

local check = require "check"
local given = require "given"
local names = require "names"
local plans = require "plan"
local runway_models = require "runway.models"
local runway_products = require "runway.products"
local runway_route = require "runway.route"
local video_request = require "video_request"

local runway_body = { DEFAULT_ASPECT = "16:9", DEFAULT_RESOLUTION = "720p" }

local MAX_SEED = 4294967295
local MAX_DATA_URI_BYTES = 5 * 1024 * 1024

local CONTRACT_FIELDS = runway_models.CONTRACT_FIELDS

--- Parameters that are read by name here; all others go through under the vendor's own names.
runway_body.READ_BY_NAME = names.words [[ aspect_ratio duration duration_seconds height image imageUri init_image init_video
  model multi_prompt negativePrompt negative_prompt prompt promptImage promptText promptVideo prompts ratio reference
  referenceImages reference_frames resolution samples seed storyboard video videoUri width ]]

local IS_READ_BY_NAME = runway_body.READ_BY_NAME
local HAS_A_MEANING = names.union(CONTRACT_FIELDS, IS_READ_BY_NAME)

local PICTURE_FIELDS = { "promptImage", "imageUri", "referenceImages" }
local IS_PICTURE_FIELD = names.set(PICTURE_FIELDS)
local PERFORMANCE_FIELDS = { "character", "reference" }

local NONE = {}

local pictures_of, video_of = runway_route.pictures_of, runway_route.video_of

-- As long as an IPv4 address is, and what follows it.
local MAX_ADDRESS_BYTES = 16

-- A file as the vendor takes it: HTTPS with a host name, a data URI of its size, or an upload of its own.
local function check_uri(plan, field, uri)
  if type(uri) ~= "string" then return plans.refuse(plan, field, "must be a URL or a data URI") end
  local start = string.lower(string.sub(uri, 1, 300))
  if string.sub(start, 1, 5) == "data:" then
    if #uri > MAX_DATA_URI_BYTES then plans.refuse(plan, field, "is too large: a data URI may have 5 MB; give an HTTPS URL") end
  elseif string.sub(start, 1, 8) == "https://" then
    local host = string.sub(start, 9, 8 + MAX_ADDRESS_BYTES)
    if string.find(host, "^%d+%.%d+%.%d+%.%d+[:/]") or string.sub(host, 1, 1) == "[" then
      plans.refuse(plan, field, "must name its host: the vendor does not fetch from an IP address")
    end
  elseif string.sub(start, 1, 9) ~= "runway://" then
    plans.refuse(plan, field, "must be an HTTPS URL, a data URI or a runway:// upload")
  end
end

local function add_prompt(plan, payload, spec, pictures)
  local text, count = video_request.joined_prompt(payload, pictures)
  if not spec.prompt then
    if text then video_request.warn_of_prompts(plan, payload, spec.id .. " takes no prompt: left out") end
    return
  end
  if not text then
    if spec.prompt == "required" then plans.refuse(plan, "prompt", spec.id .. " needs a prompt") end
    return
  end
  local limit = spec.prompt_max
  if limit and type(text) == "string" and video_request.is_longer_than(text, limit) then
    plans.refuse(plan, "prompt", ("is too long: %s takes %d characters"):format(spec.id, limit))
  end
  if count > 1 then plans.note(plan, "Runway takes one text: the prompts and the storyboard's texts are joined, one a line") end
  for index, item in ipairs(payload.prompts or NONE) do
    if type(item) == "table" and item.weight ~= nil then
      plans.warn(plan, ("prompts[%d].weight"):format(index - 1), "Runway does not weigh prompts: left out")
    end
  end
  plan.body.promptText = text
end

local function add_duration(plan, payload, spec)
  local seconds = payload.duration_seconds
  if seconds == nil then return end
  if spec.seconds then
    if not spec.makes_seconds[seconds] then
      return plans.refuse(plan, "duration_seconds", spec.id .. " does not make this length", spec.seconds)
    end
  elseif not spec.free_duration then
    return plans.refuse(plan, "duration_seconds", spec.id .. " takes no length: it follows from the input")
  elseif seconds == "auto" and not spec.auto_duration then
    return plans.refuse(plan, "duration_seconds", spec.id .. " needs a number of seconds")
  end
  plan.body.duration = seconds
end

local function add_once(list, value)
  if value and not check.in_list(value, list) then list[#list + 1] = value end
end

-- The ratio of the size with this aspect ratio and resolution, or nil.
local function find_ratio(sizes, aspect, resolution)
  for _, size in ipairs(sizes) do
    if size[1] == aspect or (size[2] == aspect and size[3] == resolution) then return size[1] end
  end
  return nil
end

-- The aspect ratios that there are, and the resolutions of one of them.
local function sizes_instead(sizes, aspect)
  local aspects, resolutions = {}, {}
  for _, size in ipairs(sizes) do
    add_once(aspects, size[2])
    if size[2] == aspect then add_once(resolutions, size[3]) end
  end
  return aspects, resolutions
end

local function ratios_of(sizes)
  local ratios = {}
  for index, size in ipairs(sizes) do ratios[index] = size[1] end
  return ratios
end

--- "W:H" from width and height, or from a resolution that is written as a size; and its field.
function runway_body.size_in_pixels(parameters)
  if parameters.width and parameters.height then return parameters.width .. ":" .. parameters.height, "parameters.width" end
  local width, height = string.match(parameters.resolution or "", "^(%d+)[x:](%d+)$")
  if width then return width .. ":" .. height, "parameters.resolution" end
  return nil
end

local function refuse_half_a_size(plan, parameters)
  if (parameters.width == nil) ~= (parameters.height == nil) then
    local absent = parameters.width and "parameters.height" or "parameters.width"
    plans.refuse(plan, absent, "is needed: a size has a width and a height")
    return true
  end
  return false
end

-- How far apart two aspect ratios are that have one name: 1584:672 is called 21:9.
local NEARLY = 0.02

local function quotient_of(ratio)
  local width, height = string.match(string.sub(ratio, 1, 32), "^(%d+):(%d+)$")
  width, height = tonumber(width), tonumber(height)
  if not width or height == 0 then return nil end
  return width / height, math.min(width, height)
end

local function has_aspect(ratio, row, aspect)
  if aspect == ratio or (row and row[2] == aspect) then return true end
  local one, other = quotient_of(ratio), quotient_of(aspect)
  return one ~= nil and other ~= nil and math.abs(one / other - 1) < NEARLY
end

local function has_resolution(ratio, row, resolution)
  if row and row[3] == resolution then return true end
  local _, side = quotient_of(ratio)
  return resolution == tostring(side) .. "p" or string.gsub(resolution, "x", ":") == ratio
end

-- Refuses a size in pixels that is not of the aspect ratio or the resolution that was given beside it.
local function check_size_is_one(plan, payload, spec, ratio, field)
  local aspect, resolution, row = payload.aspect_ratio, payload.parameters.resolution, nil
  for _, size in ipairs(spec.sizes or NONE) do
    if size[1] == ratio then row = size end
  end
  if spec.fields.resolution then resolution = nil end
  if (aspect and not has_aspect(ratio, row, aspect)) or (resolution and not has_resolution(ratio, row, resolution)) then
    plans.refuse(plan, field, "contradicts the aspect ratio or the resolution: give one or the other")
  end
end

-- The vendor's own word is the user's to choose: one that we do not know is sent, with a warning, and costs nothing if refused.
local function add_given_ratio(plan, payload, spec)
  local ratio = payload.parameters.ratio
  local pixels, pixels_field = runway_body.size_in_pixels(payload.parameters)
  plan.body.ratio = ratio
  if pixels and pixels ~= ratio then
    plans.refuse(plan, pixels_field, "contradicts parameters.ratio: give one or the other")
  end
  check_size_is_one(plan, payload, spec, ratio, "parameters.ratio")
  if not spec.sizes or check.in_list(ratio, ratios_of(spec.sizes)) then return end
  plans.warn(plan, "parameters.ratio",
    ("is not a ratio that %s is known to take (%s): sent as given"):format(spec.id, table.concat(ratios_of(spec.sizes), ", ")))
end

local function add_size_from_table(plan, payload, spec)
  local parameters = payload.parameters
  local pixels, pixels_field = runway_body.size_in_pixels(parameters)
  if pixels then
    if not check.in_list(pixels, ratios_of(spec.sizes)) then
      return plans.refuse(plan, pixels_field, spec.id .. " does not make this size", ratios_of(spec.sizes))
    end
    plan.body.ratio = pixels
    return check_size_is_one(plan, payload, spec, pixels, pixels_field)
  end
  local aspect, resolution = payload.aspect_ratio, parameters.resolution
  if not aspect and not resolution and spec.ratio_optional then return end
  aspect, resolution = aspect or runway_body.DEFAULT_ASPECT, resolution or runway_body.DEFAULT_RESOLUTION
  plan.body.ratio = find_ratio(spec.sizes, aspect, resolution)
  if plan.body.ratio then return end
  local aspects, resolutions = sizes_instead(spec.sizes, aspect)
  if #resolutions == 0 then
    plans.refuse(plan, "aspect_ratio", spec.id .. " does not make this aspect ratio here", aspects)
  else
    plans.refuse(plan, "parameters.resolution", spec.id .. " does not make this resolution here", resolutions)
  end
end

-- Models without a table: an aspect ratio in words, a field of their own, or only the vendor's `ratio`.
local function add_size_in_words(plan, payload, spec)
  local parameters, aspect = payload.parameters, payload.aspect_ratio
  local pixels, pixels_field = runway_body.size_in_pixels(parameters)
  if pixels and spec.ratio == "free" then
    plan.body.ratio = pixels
    return check_size_is_one(plan, payload, spec, pixels, pixels_field)
  elseif pixels then
    plans.refuse(plan, pixels_field, spec.id .. " takes no size in pixels")
  elseif parameters.resolution and not spec.fields.resolution then
    plans.refuse(plan, "parameters.resolution", spec.id .. " takes no resolution"
      .. (spec.ratio == "free" and ": give parameters.ratio, a size in pixels such as 1280:720" or ""))
  end
  if not aspect then return end
  if spec.ratio == "words" then
    plan.body.ratio = aspect
  elseif spec.aspect_key and check.in_list(aspect, spec.aspects) then
    plan.body[spec.aspect_key] = aspect
  elseif spec.ratio == "free" and string.find(aspect, "^%d%d%d+:%d%d%d+$") then
    plan.body.ratio = aspect
  else
    plans.refuse(plan, "aspect_ratio", spec.id .. " does not take this aspect ratio"
      .. (spec.ratio == "free" and ": give parameters.ratio, a size in pixels such as 1280:720" or ""), spec.aspects)
  end
end

local function add_ratio(plan, payload, spec)
  local parameters = payload.parameters
  if refuse_half_a_size(plan, parameters) then return end
  if parameters.ratio ~= nil then
    if spec.ratio == "none" or not (spec.ratio or spec.fields.ratio) then
      return plans.refuse(plan, "parameters.ratio", spec.id .. " takes no ratio")
    end
    return add_given_ratio(plan, payload, spec)
  end
  if spec.ratio == "table" then return add_size_from_table(plan, payload, spec) end
  add_size_in_words(plan, payload, spec)
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
  if type(value) ~= "table" then return check_uri(plan, "parameters.promptImage", value) end
  if #value == 0 then return plans.refuse(plan, "parameters.promptImage", "must be a URL, or an array of { uri, position }") end
  local most = spec.last_frame and 2 or 1
  for index, item in ipairs(value) do
    local field = ("parameters.promptImage[%d]"):format(index - 1)
    if index > most then return refuse_many_frames(plan, spec, field) end
    check_uri(plan, field, type(item) == "table" and item.uri or nil)
    if type(item) == "table" and item.position ~= nil then check_position(plan, spec, field .. ".position", item.position) end
  end
end

-- One picture is the first frame; a second one is the last, on the models that can aim at one.
local function add_frames(plan, payload, spec, files)
  local native = payload.parameters.promptImage
  if native ~= nil then
    if #files > 0 then return plans.refuse(plan, files[1].field, "the pictures are in parameters.promptImage already") end
    check_prompt_image(plan, native, spec)
    plan.body.promptImage = native
    return
  end
  local most = spec.last_frame and 2 or 1
  if #files == 0 then return plans.refuse(plan, "parameters.image", spec.id .. " needs a picture to begin with") end
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

local function add_reference_images(plan, payload, spec, files)
  local images = {}
  local own = payload.parameters.referenceImages
  if own ~= nil and type(own) ~= "table" then
    return plans.refuse(plan, "parameters.referenceImages", "must be an array of { uri, tag }")
  end
  for index, item in ipairs(own or NONE) do
    check_uri(plan, ("parameters.referenceImages[%d]"):format(index - 1), type(item) == "table" and item.uri or nil)
    images[index] = item
  end
  for _, file in ipairs(files) do images[#images + 1] = { uri = file.uri, tag = file.tag } end
  if #images > 0 then plan.body.referenceImages = images end
  if spec.max_references and #images > spec.max_references then
    plans.refuse(plan, "parameters.referenceImages", ("%s takes at most %d"):format(spec.id, spec.max_references))
  elseif #images < (spec.min_references or 0) then
    plans.refuse(plan, "parameters.referenceImages", spec.id .. " needs at least one picture to refer to")
  end
end

local function add_image_uri(plan, payload, spec, files)
  local uri = payload.parameters.imageUri or (files[1] and files[1].uri)
  if uri == nil then return plans.refuse(plan, "parameters.image", spec.id .. " needs a picture") end
  if #files > (payload.parameters.imageUri and 0 or 1) then
    return plans.refuse(plan, files[#files].field, "is one too many: one picture is upscaled at a time")
  end
  check_uri(plan, payload.parameters.imageUri and "parameters.imageUri" or files[1].field, uri)
  plan.body.imageUri = uri
end

-- Who acts may be given under several names; nobody else may.
local ACTORS = {
  { name = "init_image", type = "image" }, { name = "image", type = "image" }, { name = "video", type = "video" },
  { name = "init_video", type = "video" }, { name = "videoUri", type = "video" }, { name = "promptVideo", type = "video" },
}
local NO_PLACE_IN_A_PERFORMANCE = { "storyboard", "reference_frames", "promptImage", "imageUri", "referenceImages" }

local function add_character(plan, parameters)
  local character, field = parameters.character, "parameters.character"
  for _, actor in ipairs(ACTORS) do
    local uri = parameters[actor.name]
    if uri ~= nil and character == nil then
      character, field = { type = actor.type, uri = uri }, "parameters." .. actor.name
    elseif uri ~= nil and not given.same(character, { type = actor.type, uri = uri }) then
      plans.refuse(plan, "parameters." .. actor.name, "is a second character: there is one, and a reference that it follows")
    end
  end
  plan.body.character = character
  return field
end

-- Act-Two: who acts (a picture or a video), and the video of the performance.
local function add_performance(plan, payload, spec)
  local parameters, body = payload.parameters, plan.body
  local fields = { character = add_character(plan, parameters), reference = "parameters.reference" }
  body.reference = parameters.reference
  if type(body.reference) == "string" then body.reference = { type = "video", uri = body.reference } end
  for _, name in ipairs(PERFORMANCE_FIELDS) do
    local value = body[name]
    if value == nil then
      plans.refuse(plan, "parameters." .. name, spec.id .. " needs it")
    else
      check_uri(plan, fields[name], type(value) == "table" and value.uri or nil)
    end
  end
  for _, name in ipairs(NO_PLACE_IN_A_PERFORMANCE) do
    if parameters[name] ~= nil then plans.refuse(plan, "parameters." .. name, spec.id .. " takes no such pictures") end
  end
  if payload.storyboard ~= nil then plans.refuse(plan, "storyboard", spec.id .. " takes no such pictures") end
end

local function add_video(plan, payload, spec)
  if spec.operation == "character_performance" then return end
  local video, name = video_of(payload)
  if not spec.video_key then
    if video then plans.refuse(plan, "parameters." .. name, spec.id .. " takes no video here") end
    return
  end
  if not video then return plans.refuse(plan, "parameters.video", spec.id .. " needs a video") end
  for _, other in ipairs(runway_route.VIDEO_PARAMETERS) do
    local second = payload.parameters[other]
    if second ~= nil and second ~= video then
      plans.refuse(plan, "parameters." .. other, "contradicts parameters." .. name .. ": one video is worked on at a time")
    end
  end
  check_uri(plan, "parameters." .. name, video)
  plan.body[spec.video_key] = video
end

-- Where the pictures go, by operation, and the field that they go to; elsewhere there is no place for them.
local PICTURE_PLACES = { image_to_video = add_frames, text_to_image = add_reference_images, image_upscale = add_image_uri }
local PICTURE_FIELD = { image_to_video = "promptImage", text_to_image = "referenceImages", image_upscale = "imageUri" }

local function add_media(plan, payload, spec, pictures)
  add_video(plan, payload, spec)
  if spec.operation == "character_performance" then return add_performance(plan, payload, spec) end
  local files, parameters = files_of(plan, pictures), payload.parameters
  local add, own = PICTURE_PLACES[spec.operation], PICTURE_FIELD[spec.operation]
  if names.has_any(parameters, IS_PICTURE_FIELD) then
    for _, name in ipairs(PICTURE_FIELDS) do
      if parameters[name] ~= nil and name ~= own and not spec.fields[name] then
        plans.refuse(plan, "parameters." .. name, spec.id .. " takes no such picture here")
      end
    end
  end
  if add then return add(plan, payload, spec, files) end
  for _, file in ipairs(files) do plans.refuse(plan, file.field, spec.id .. " takes no picture here") end
end

local function add_seed(plan, payload, spec)
  local seed = payload.parameters.seed
  if seed == nil then return end
  if not spec.fields.seed then return plans.warn(plan, "parameters.seed", spec.id .. " takes no seed: left out") end
  if math.type(seed) ~= "integer" or seed < 0 or seed > MAX_SEED then
    return plans.refuse(plan, "parameters.seed", "must be from 0 to " .. MAX_SEED)
  end
  plan.body.seed = seed
end

local function add_negative_prompt(plan, payload, spec)
  local own, common = payload.parameters.negativePrompt, payload.parameters.negative_prompt
  local name, text = "negativePrompt", own
  if own == nil then name, text = "negative_prompt", common end
  if own ~= nil and common ~= nil and own ~= common then
    plans.warn(plan, "parameters.negative_prompt", "left out: parameters.negativePrompt says something else")
  end
  if text == nil or text == "" then return end
  if not spec.fields.negativePrompt then
    return plans.warn(plan, "parameters." .. name, spec.id .. " takes no negative prompt: left out")
  end
  plan.body.negativePrompt = text
end

local function add_samples(plan, payload, spec)
  local samples = payload.parameters.samples
  if samples == nil then return end
  if spec.fields.outputCount then
    plan.body.outputCount = samples
  elseif samples > 1 then
    plans.refuse(plan, "parameters.samples", spec.id .. " makes one at a time", { 1 })
  end
end

-- The names that are read by name and are no field of the model.
local READ_FOR = {}
for _, specs in pairs(runway_models.SPECS) do
  for _, spec in pairs(specs) do
    READ_FOR[spec] = names.union(runway_body.READ_BY_NAME)
    for name in pairs(spec.fields) do READ_FOR[spec][name] = nil end
  end
end

-- Everything else goes through under the vendor's own name.
local function add_one(plan, name, value, spec)
  local body = plan.body
  local field = "parameters." .. name
  if spec.fields[name] then
    if body[name] == nil then
      body[name] = value
    elseif not IS_READ_BY_NAME[name] and not given.same(body[name], value) then
      plans.refuse(plan, field, "contradicts what is given under another name: give one or the other")
    end
    return
  end
  if video_request.PREFERENCES[name] or name == "contentModeration" then
    return plans.warn(plan, field, spec.id .. " has no such setting: left out")
  end
  if CONTRACT_FIELDS[name] then return plans.refuse(plan, field, spec.id .. " has no such setting here") end
  body[name] = value
  plans.send_unknown(plan, field, "is not in the vendor's contract as we know it: sent as given")
end

local function add_rest(plan, payload, spec)
  local parameters = payload.parameters
  for _, name in ipairs(names.unknown(parameters, READ_FOR[spec]) or NONE) do add_one(plan, name, parameters[name], spec) end
  for _, name in ipairs(payload.ignored or NONE) do plans.warn(plan, name, "is not understood: left out") end
end

-- What stands before all else that is missing.
local function refuse_wrapped(plan, payload)
  if payload.wrapped then plans.refuse(plan, payload.wrapped, given.WRAPPED) end
end

--- The request for a payload with this model: a plan (plan.lua) with the model's `spec`.
function runway_body.build(payload, model)
  local plan, pictures = plans.new(), pictures_of(payload)
  refuse_wrapped(plan, payload)
  local spec, refusal = runway_route.find_spec(payload, model, pictures)
  if not spec then
    plans.refuse(plan, refusal.field, refusal.message, refusal.allowed)
    given.finish(plan, payload)
    return plan
  end
  if spec.product then
    runway_products.build(plan, payload, spec, HAS_A_MEANING)
    given.finish(plan, payload)
    return plan
  end
  plan.spec, plan.body.model = spec, spec.id
  if spec.operation == "character_performance" then pictures = NONE end
  add_prompt(plan, payload, spec, pictures)
  add_media(plan, payload, spec, pictures)
  add_ratio(plan, payload, spec)
  add_duration(plan, payload, spec)
  add_seed(plan, payload, spec)
  add_negative_prompt(plan, payload, spec)
  add_samples(plan, payload, spec)
  add_rest(plan, payload, spec)
  given.finish(plan, payload)
  return plan
end

return runway_body
