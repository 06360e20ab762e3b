-- Runway: video from text, pictures and video (Gen-4.5, Gen-4 Turbo, Aleph, Act-Two), and the other models that it sells.
-- Docs: https://docs.dev.runwayml.com (errors, task failures, inputs, outputs, tiers), checked 2026-11-23.
--
-- A request without `model` gets the first of DEFAULT_MODELS that can make what it asks for, and our defaults. A request that
-- names a model gets nothing that the vendor does not require: its own defaults stay its own.
-- `model` is a model id (gen4_turbo), an operation (image_upscale), or both (text_to_video/veo3.1).
--
-- Runway has no webhooks and no idempotency key: a create that was sent twice is paid twice.

local check = require "check"
local http_errors = require "http_errors"
local plans = require "plan"
local runway_models = require "runway_models"
local url_parts = require "url_parts"
local video_request = require "video_request"

local API_VERSION = "2024-11-06"
local DEFAULT_SECONDS, DEFAULT_ASPECT, DEFAULT_RESOLUTION = 8, "16:9", "720p"
local DEFAULT_MODELS = { "gen4.5", "veo3.1_fast" }
local DEFAULT_VIDEO_MODELS = { "aleph2" }

-- The vendor asks for at least five seconds between polls; after none or a failed one, some more.
local POLL_SECONDS, RETRY_SECONDS = 5, 10

-- Dividing by it keeps cents exact, where multiplying by 0.01 does not.
local CREDITS_PER_USD = 100

local MAX_SEED, MAX_WORD_BYTES = 4294967295, 200
local MAX_DATA_URI_BYTES = 5 * 1024 * 1024

local MODELS, OPERATIONS, CONTRACT_FIELDS = runway_models.MODELS, runway_models.OPERATIONS, runway_models.CONTRACT_FIELDS

-- Parameters that build() reads by name.
local READ_BY_NAME = runway_models.words [[ aspect_ratio duration duration_seconds height image imageUri init_image init_video
  model negativePrompt negative_prompt prompt promptImage promptText promptVideo ratio reference referenceImages
  reference_frames resolution samples seed storyboard video videoUri width ]]

-- The lengths that the models with a fixed list make.
local function seconds_of_models()
  local seconds = {}
  for id, row in pairs(MODELS) do seconds[id] = row.seconds end
  return seconds
end

local capabilities = {
  modes = { "video" },
  features = { "multi_prompt", "storyboards", "aspect_ratios" },
  resolutions = { "720p", "1080p" },
  default_models = DEFAULT_MODELS,
  models = video_request.sorted_keys(MODELS),
  operations = OPERATIONS,
  seconds = seconds_of_models(),
  aspect_ratios = { "16:9", "9:16", "4:3", "3:4", "1:1", "21:9" },
  webhooks = false,
}

-- Credits; where there are two figures the lower is presumably without sound.
local pricing = {
  as_of = "2026-11-23", source = "https://docs.dev.runwayml.com", unit = "credit", usd_per_credit = 1 / CREDITS_PER_USD,
  credits_per_second = {
    ["gen4.5"] = { 12, 12 }, gen4_turbo = { 5, 5 }, ["veo3.1"] = { 20, 40 }, ["veo3.1_fast"] = { 10, 15 }, aleph2 = { 28, 28 },
    act_two = { 5, 5 }, seedance2 = { 36, 36 },
  },
  credits_per_image = {
    gen4_image = { ["720p"] = 5, ["1080p"] = 8 }, gen4_image_turbo = 2, ["gemini_2.5_flash"] = 5,
    gemini_image3_pro = { up_to_2k = 20, ["4k"] = 40 },
  },
  -- On top, for an outputFormat other than mp4.
  surcharge_per_second = { prores = 5, png_sequence = 5, ten_bit_and_more = 20 },
  -- What their shortest input costs.
  minimum_credits = { aleph2 = 56, act_two = 15 },
}

-- The length of what comes back is that of the input: these are its limits.
local INPUT_SECONDS = { aleph2 = { 2, 30 }, act_two = { 3 } }

-- Models and operations ------------------------------------------------------------------------------------------------

-- "v1/text_to_video/veo3.1" -> "text_to_video", "veo3.1". Either may be missing.
local function split_model(text)
  text = string.gsub(string.gsub(text, "^/+", ""), "^v1/", "")
  local first, rest = string.match(text, "^([^/]+)/(.+)$")
  if first and check.in_list(first, OPERATIONS) then return first, rest end
  if check.in_list(text, OPERATIONS) then return text, nil end
  return nil, text
end

local function has_video(payload)
  local parameters = payload.parameters
  return parameters.video or parameters.init_video or parameters.videoUri or parameters.promptVideo
end

local function pictures_of(payload)
  local names = { "init_image", "image", "storyboard", "reference_frames", "reference" }
  return video_request.pictures(payload, names, { "storyboard" })
end

local function has_picture(payload)
  if payload.parameters.promptImage ~= nil then return true end
  for _, picture in ipairs(pictures_of(payload)) do
    if picture.uri then return true end
  end
  return false
end

-- The endpoint for what was given: a model that makes video from video, pictures and text is asked for what the input calls for.
local function choose_operation(row, payload)
  if has_video(payload) and row.operations.video_to_video then return "video_to_video" end
  if row.operations.image_to_video and has_picture(payload) then return "image_to_video" end
  for _, operation in ipairs(OPERATIONS) do
    if row.operations[operation] then return operation end
  end
end

local function models_of(operation)
  local ids = {}
  for id, row in pairs(MODELS) do
    if not operation or row.operations[operation] then ids[#ids + 1] = id end
  end
  table.sort(ids)
  return ids
end

-- What the model can do at the chosen endpoint, or nil and a refusal.
local function find_spec(payload, model)
  local operation, id = split_model(model)
  local field = "model"
  if not id then
    id, field = payload.parameters.model or runway_models.ONLY_MODEL[operation], "parameters.model"
    if type(id) ~= "string" then
      return nil, { field = field, message = operation .. " needs a model", allowed = models_of(operation) }
    end
  end
  local named = payload.parameters.model
  if named ~= nil and named ~= id and named ~= model then
    return nil, { field = "parameters.model", message = "contradicts model: give one or the other" }
  end
  local row = MODELS[id]
  if not row or (operation and not row.operations[operation]) then
    return nil, { field = field, message = "is not a model that Runway sells here", allowed = models_of(operation) }
  end
  operation = operation or choose_operation(row, payload)
  local spec = check.copy(row)
  for name, value in pairs(row.operations[operation]) do spec[name] = value end
  spec.id, spec.operation, spec.fields = id, operation, spec.fields or {}
  return spec
end

-- Building the body ------------------------------------------------------------------------------------------------------

-- A file as the vendor takes it: HTTPS with a host name, a data URI of its size, or an upload of its own.
local function check_uri(plan, field, uri)
  if type(uri) ~= "string" then return plans.refuse(plan, field, "must be a URL or a data URI") end
  local start = string.lower(string.sub(uri, 1, 300))
  if string.sub(start, 1, 5) == "data:" then
    if #uri > MAX_DATA_URI_BYTES then plans.refuse(plan, field, "is too large: a data URI may have 5 MB; give an HTTPS URL") end
  elseif string.sub(start, 1, 8) == "https://" then
    if string.find(start, "^https://%d+%.%d+%.%d+%.%d+[:/]") or string.find(start, "^https://%[") then
      plans.refuse(plan, field, "must name its host: the vendor does not fetch from an IP address")
    end
  elseif string.sub(start, 1, 9) ~= "runway://" then
    plans.refuse(plan, field, "must be an HTTPS URL, a data URI or a runway:// upload")
  end
end

local function add_prompt(plan, payload, spec, pictures)
  local text, count = video_request.joined_prompt(payload, pictures)
  text = text or payload.parameters.promptText
  if not spec.prompt then
    if text then plans.warn(plan, "prompt", spec.id .. " takes no prompt: left out") end
    return
  end
  if not text then
    if spec.prompt == "required" then plans.refuse(plan, "prompt", spec.id .. " needs a prompt") end
    return
  end
  local limit = spec.prompt_max
  if limit and type(text) == "string" and video_request.utf16_length(text, limit) > limit then
    plans.refuse(plan, "prompt", ("is too long: %s takes %d characters"):format(spec.id, limit))
  end
  if count > 1 then plans.note(plan, "Runway takes one text: the prompts and the storyboard's texts are joined, one a line") end
  for index, item in ipairs(payload.prompts or {}) do
    if type(item) == "table" and item.weight ~= nil then
      plans.warn(plan, ("prompts[%d].weight"):format(index - 1), "Runway does not weigh prompts: left out")
    end
  end
  plan.body.promptText = text
end

local function add_duration(plan, payload, spec)
  local seconds = payload.duration_seconds
  if seconds == nil then return end
  local field = video_request.field(payload, "duration_seconds", "duration")
  if spec.seconds then
    if not check.in_list(seconds, spec.seconds) then
      return plans.refuse(plan, field, spec.id .. " does not make this length", spec.seconds)
    end
  elseif not spec.free_duration then
    return plans.refuse(plan, field, spec.id .. " takes no length: it follows from the input")
  elseif seconds == "auto" and not spec.auto_duration then
    return plans.refuse(plan, field, spec.id .. " needs a number of seconds")
  end
  plan.body.duration = seconds
end

local function add_once(list, value)
  if value and not check.in_list(value, list) then list[#list + 1] = value end
end

-- The size with this aspect ratio and resolution; nil and what there is instead.
local function find_size(sizes, aspect, resolution)
  local aspects, resolutions = {}, {}
  for _, size in ipairs(sizes) do
    if size[1] == aspect or (size[2] == aspect and size[3] == resolution) then return size[1] end
    add_once(aspects, size[2])
    if size[2] == aspect then add_once(resolutions, size[3]) end
  end
  return nil, aspects, resolutions
end

local function ratios_of(sizes)
  local ratios = {}
  for index, size in ipairs(sizes) do ratios[index] = size[1] end
  return ratios
end

-- "W:H" from width and height, or from a resolution that is written as a size; and its field.
local function size_in_pixels(parameters)
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

-- The vendor's own word is the user's to choose: one that we do not know is sent, with a warning, and costs nothing if refused.
local function add_given_ratio(plan, payload, spec)
  local ratio, aspect, resolution = payload.parameters.ratio, payload.aspect_ratio, payload.parameters.resolution
  plan.body.ratio = ratio
  if not spec.sizes then return end
  if not check.in_list(ratio, ratios_of(spec.sizes)) then
    return plans.warn(plan, "parameters.ratio",
      ("is not a ratio that %s is known to take (%s): sent as given"):format(spec.id, table.concat(ratios_of(spec.sizes), ", ")))
  end
  for _, size in ipairs(spec.sizes) do
    if size[1] == ratio and ((aspect and aspect ~= size[2] and aspect ~= ratio) or (resolution and resolution ~= size[3])) then
      plans.refuse(plan, "parameters.ratio", "contradicts the aspect ratio or the resolution: give one or the other")
    end
  end
end

local function add_size_from_table(plan, payload, spec)
  local parameters = payload.parameters
  local pixels, pixels_field = size_in_pixels(parameters)
  if pixels then
    if not check.in_list(pixels, ratios_of(spec.sizes)) then
      return plans.refuse(plan, pixels_field, spec.id .. " does not make this size", ratios_of(spec.sizes))
    end
    plan.body.ratio = pixels
    return
  end
  local aspect, resolution = payload.aspect_ratio, parameters.resolution
  if not aspect and not resolution and spec.ratio_optional then return end
  local ratio, aspects, resolutions = find_size(spec.sizes, aspect or DEFAULT_ASPECT, resolution or DEFAULT_RESOLUTION)
  if ratio then
    plan.body.ratio = ratio
  elseif #resolutions == 0 then
    plans.refuse(plan, video_request.field(payload, "aspect_ratio"), spec.id .. " does not make this aspect ratio here", aspects)
  else
    plans.refuse(plan, "parameters.resolution", spec.id .. " does not make this resolution here", resolutions)
  end
end

-- Models without a table: an aspect ratio in words, a field of their own, or only the vendor's `ratio`.
local function add_size_in_words(plan, payload, spec)
  local parameters, aspect = payload.parameters, payload.aspect_ratio
  local aspect_field = video_request.field(payload, "aspect_ratio")
  local pixels, pixels_field = size_in_pixels(parameters)
  if pixels and spec.ratio == "free" then
    plan.body.ratio = pixels
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
    plans.refuse(plan, aspect_field, spec.id .. " does not take this aspect ratio"
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

local function check_prompt_image(plan, value)
  if type(value) ~= "table" then return check_uri(plan, "parameters.promptImage", value) end
  if #value == 0 then return plans.refuse(plan, "parameters.promptImage", "must be a URL, or an array of { uri, position }") end
  for index, item in ipairs(value) do
    local field = ("parameters.promptImage[%d]"):format(index - 1)
    check_uri(plan, field, type(item) == "table" and item.uri or nil)
  end
end

-- One picture is the first frame; a second one is the last, on the models that can aim at one.
local function add_frames(plan, payload, spec, files)
  local native = payload.parameters.promptImage
  if native ~= nil then
    if #files > 0 then return plans.refuse(plan, files[1].field, "the pictures are in parameters.promptImage already") end
    check_prompt_image(plan, native)
    plan.body.promptImage = native
    return
  end
  local most = spec.last_frame and 2 or 1
  if #files == 0 then return plans.refuse(plan, "parameters.image", spec.id .. " needs a picture to begin with") end
  if #files > most then
    return plans.refuse(plan, files[most + 1].field, ("is one too many: %s takes %s"):format(spec.id,
      most == 2 and "a first and a last frame" or "a first frame only"))
  end
  if #files == 1 and files[1].position == nil then
    plan.body.promptImage = files[1].uri
    return
  end
  plan.body.promptImage = {}
  for index, file in ipairs(files) do
    local position = file.position or (index == 1 and "first" or "last")
    if position ~= "first" and not (position == "last" and spec.last_frame) then
      plans.refuse(plan, file.field, spec.id .. " does not take a frame at this position",
        spec.last_frame and { "first", "last" } or { "first" })
    end
    plan.body.promptImage[index] = { uri = file.uri, position = position }
  end
end

local function add_reference_images(plan, payload, spec, files)
  local images = {}
  local given = payload.parameters.referenceImages
  if given ~= nil and type(given) ~= "table" then
    return plans.refuse(plan, "parameters.referenceImages", "must be an array of { uri, tag }")
  end
  for index, item in ipairs(given or {}) do
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
  check_uri(plan, "parameters.imageUri", uri)
  plan.body.imageUri = uri
end

-- Act-Two: who acts (a picture or a video), and the video of the performance.
local function add_performance(plan, payload, spec)
  local parameters, body = payload.parameters, plan.body
  local image, video = parameters.init_image or parameters.image, has_video(payload)
  body.character = parameters.character
  if body.character == nil and image then body.character = { type = "image", uri = image } end
  if body.character == nil and video then body.character = { type = "video", uri = video } end
  body.reference = parameters.reference
  if type(body.reference) == "string" then body.reference = { type = "video", uri = body.reference } end
  for _, name in ipairs { "character", "reference" } do
    local value = body[name]
    if value == nil then
      plans.refuse(plan, "parameters." .. name, spec.id .. " needs it")
    else
      check_uri(plan, "parameters." .. name, type(value) == "table" and value.uri or nil)
    end
  end
end

local function add_video(plan, payload, spec)
  local video = has_video(payload)
  if not spec.video_key then
    if video and spec.operation ~= "character_performance" then
      plans.refuse(plan, "parameters.video", spec.id .. " takes no video here")
    end
    return
  end
  if not video then return plans.refuse(plan, "parameters.video", spec.id .. " needs a video") end
  check_uri(plan, "parameters.video", video)
  plan.body[spec.video_key] = video
end

-- Where the pictures go, by operation; elsewhere there is no place for them.
local PICTURE_PLACES = { image_to_video = add_frames, text_to_image = add_reference_images, image_upscale = add_image_uri }

local function add_media(plan, payload, spec, pictures)
  add_video(plan, payload, spec)
  if spec.operation == "character_performance" then return add_performance(plan, payload, spec) end
  local files = files_of(plan, pictures)
  local add = PICTURE_PLACES[spec.operation]
  if add then return add(plan, payload, spec, files) end
  local parameters = payload.parameters
  for _, name in ipairs { "promptImage", "imageUri", "referenceImages" } do
    if parameters[name] ~= nil then plans.refuse(plan, "parameters." .. name, spec.id .. " takes no picture here") end
  end
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
  local name = payload.parameters.negativePrompt ~= nil and "negativePrompt" or "negative_prompt"
  local text = payload.parameters[name]
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

-- Everything else goes through under the vendor's own name.
local function add_one(plan, name, value, spec)
  local field, body = "parameters." .. name, plan.body
  if spec.fields[name] then
    if body[name] == nil then body[name] = value end
    return
  end
  if READ_BY_NAME[name] then return end
  if video_request.PREFERENCES[name] or name == "contentModeration" then
    return plans.warn(plan, field, spec.id .. " has no such setting: left out")
  end
  if CONTRACT_FIELDS[name] then return plans.refuse(plan, field, spec.id .. " has no such setting here") end
  body[name] = value
  plans.warn(plan, field, "is not in the vendor's contract as we know it: sent as given")
end

local function add_rest(plan, payload, spec)
  local parameters = payload.parameters
  for _, name in ipairs(video_request.sorted_keys(parameters)) do add_one(plan, name, parameters[name], spec) end
  for _, name in ipairs(payload.ignored or {}) do plans.warn(plan, name, "is not understood: left out") end
end

-- The request for a payload with this model: { body =, operation =, spec =, refusals =, warnings =, notes = }.
local function build(payload, model)
  local plan = plans.new()
  local spec, refusal = find_spec(payload, model)
  if not spec then
    plans.refuse(plan, refusal.field, refusal.message, refusal.allowed)
    return plan
  end
  plan.spec, plan.body.model = spec, spec.id
  local pictures = pictures_of(payload)
  if spec.operation == "character_performance" then pictures = {} end
  add_prompt(plan, payload, spec, pictures)
  add_media(plan, payload, spec, pictures)
  add_ratio(plan, payload, spec)
  add_duration(plan, payload, spec)
  add_seed(plan, payload, spec)
  add_negative_prompt(plan, payload, spec)
  add_samples(plan, payload, spec)
  add_rest(plan, payload, spec)
  return plan
end

-- Prepare ------------------------------------------------------------------------------------------------------------------

local function fill_size(payload)
  local parameters = payload.parameters
  if parameters.ratio ~= nil or parameters.width or parameters.height or size_in_pixels(parameters) then return end
  payload.aspect_ratio = payload.aspect_ratio or DEFAULT_ASPECT
  parameters.resolution = parameters.resolution or DEFAULT_RESOLUTION
end

local function candidates_of(payload)
  return has_video(payload) and DEFAULT_VIDEO_MODELS or DEFAULT_MODELS
end

-- Our defaults, and the first model that can make the whole of it. None: submit says what stands in the way.
local function fill_in(payload)
  if not has_video(payload) then
    payload.duration_seconds = payload.duration_seconds or DEFAULT_SECONDS
    fill_size(payload)
  end
  for _, model in ipairs(candidates_of(payload)) do
    if not plans.is_refused(build(payload, model)) then
      payload.model = model
      return
    end
  end
end

-- Only what the named model must have.
local function fill_in_required(payload, spec)
  if spec.ratio == "table" and not spec.ratio_optional then fill_size(payload) end
  if spec.needs_duration then payload.duration_seconds = payload.duration_seconds or DEFAULT_SECONDS end
end

local function has_text(payload)
  return payload.parameters.promptText ~= nil or payload.prompts ~= nil or payload.prompt ~= nil
end

local TEXTS = { "imageUri", "init_video", "negativePrompt", "promptText", "promptVideo", "video", "videoUri" }

-- What build() relies on; the vendor's other fields are the vendor's to check.
local function check_types(payload)
  local reader = check.reader(payload.parameters, "parameters")
  for _, name in ipairs(TEXTS) do reader:text(name) end
  for _, name in ipairs { "model", "ratio" } do reader:text(name, { max = MAX_WORD_BYTES }) end
  pictures_of(payload)
end

local function prepare(request)
  local parameter_names = check.copy(CONTRACT_FIELDS)
  for name in pairs(READ_BY_NAME) do parameter_names[name] = true end
  local payload = video_request.read(request, {
    pictures = { storyboard = "storyboard", reference_frames = "storyboard" }, parameters = parameter_names,
  })
  check_types(payload)
  payload.model = payload.model or payload.parameters.model
  if not payload.model then
    if not has_text(payload) then check.fail("prompt", "is required") end
    fill_in(payload)
    return payload
  end
  -- An unknown model is refused by submit; a missing prompt would only hide it.
  local spec = find_spec(payload, payload.model)
  if not spec then return payload end
  if spec.prompt == "required" and not has_text(payload) then check.fail("prompt", "is required") end
  fill_in_required(payload, spec)
  return payload
end

-- Estimate -----------------------------------------------------------------------------------------------------------------

local function surcharge_of(body)
  local format = body.outputFormat
  if format == nil or format == "mp4" then return 0 end
  return pricing.surcharge_per_second[format] or pricing.surcharge_per_second.ten_bit_and_more
end

local function video_credits(plan, rates)
  local body, id = plan.body, plan.spec.id
  local low, high = rates[1], rates[2]
  if body.audio == false then high = low elseif body.audio == true then low = high end
  local surcharge = surcharge_of(body)
  low, high = low + surcharge, high + surcharge
  if math.type(body.duration) then return low * body.duration, high * body.duration, body.duration end
  local seconds = INPUT_SECONDS[id] or plan.spec.seconds
  if not seconds then return nil, nil, nil, "the length" end
  local longest = #seconds > 1 and seconds[#seconds] or nil
  local missing = INPUT_SECONDS[id] and "the length of the input" or "the length (the vendor's default is not published)"
  return low * seconds[1], longest and high * longest, nil, missing
end

local function image_credits(plan)
  local id, ratio = plan.spec.id, plan.body.ratio
  local price = pricing.credits_per_image[id]
  local count = math.tointeger(plan.body.outputCount or 1) or 1
  if type(price) == "number" then return price * count, price * count, count end
  local low, high = price["720p"] or price.up_to_2k, price["1080p"] or price["4k"]
  for _, size in ipairs(plan.spec.sizes or {}) do
    if size[1] == ratio and size[3] then low, high = price[size[3]], price[size[3]] end
  end
  local width, height = string.match(type(ratio) == "string" and ratio or "", "^(%d+):(%d+)$")
  if price["4k"] and width then
    low = tonumber(width) * tonumber(height) > 8000000 and price["4k"] or price.up_to_2k
    high = low
  end
  return low * count, high * count, count, low ~= high and "the price of this size" or nil
end

local function to_usd(credits)
  return credits and credits / CREDITS_PER_USD
end

-- Sound decides between two prices; with nothing said about it, the higher is expected.
local function estimate(payload)
  if not payload.model then return nil, "a combination of model, size and length that Runway sells" end
  local plan = build(payload, payload.model)
  if plans.is_refused(plan) then return nil, plans.first_refusal(plan) end
  local low, high, quantity, missing, unit
  local rates = pricing.credits_per_second[plan.spec.id]
  if rates then
    unit = "second"
    low, high, quantity, missing = video_credits(plan, rates)
  elseif pricing.credits_per_image[plan.spec.id] then
    unit = "image"
    low, high, quantity, missing = image_credits(plan)
  end
  if not low then return nil, missing or ("a published price of " .. plan.spec.id) end
  local expected = not missing and high or nil
  return {
    expected = to_usd(expected), low = to_usd(low), high = to_usd(high), unit = unit, quantity = quantity, credits = expected,
    model = plan.spec.id, missing = missing, source = pricing.source, as_of = pricing.as_of,
  }
end

-- Answers ------------------------------------------------------------------------------------------------------------------

-- What the vendor's error body says, for http_errors: { code =, detail = }.
local function explain(response)
  local body = response and type(response.json) == "table" and response.json or {}
  local text = type(body.error) == "string" and body.error or nil
  -- Out of credits is a 400 like any other.
  if text and string.find(string.lower(string.sub(text, 1, 300)), "enough credits", 1, true) then return { code = "credit" } end
  local issue = type(body.issues) == "table" and body.issues[1]
  if type(issue) == "table" and type(issue.message) == "string" then
    local path = type(issue.path) == "table" and issue.path[1] or nil
    text = (path and (tostring(path) .. ": ") or "") .. issue.message
  end
  return { detail = text }
end

local function cost_of(credits)
  if type(credits) ~= "table" or type(credits.credits) ~= "number" then return nil end
  return { usd = to_usd(credits.credits), credits = credits.credits, source = "vendor" }
end

-- The estimate in a create's answer is the most that the task may charge; the task's own cost replaces it.
local function most_cost_of(estimated)
  local cost = cost_of(estimated)
  if cost then cost.maximum = true end
  return cost
end

local function starts_with(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

local function failure_code_of(code)
  if starts_with(code, "SAFETY.") or string.find(code, ".SAFETY.", 1, true) then return "moderation" end
  if starts_with(code, "ASSET.INVALID") then return "invalid" end
  if starts_with(code, "THIRD_PARTY.UNAVAILABLE") then return "unavailable" end
  return "vendor"
end

-- What was moderated before it ran is charged all the same; of the rest the task's cost tells.
local function billed_of(vendor_code, cost)
  if cost then return cost.usd > 0 end
  if starts_with(vendor_code, "SAFETY.INPUT") or starts_with(vendor_code, "INPUT_PREPROCESSING.SAFETY") then return true end
  return nil
end

local function failed_result(task)
  local vendor_code = type(task.failureCode) == "string" and task.failureCode or ""
  local cost = cost_of(task.cost)
  return {
    id = task.id, status = "error", cost = cost,
    error = {
      code = failure_code_of(vendor_code), message = http_errors.safe_text(task.failure) or "the task failed",
      vendor_code = vendor_code ~= "" and vendor_code or nil, billed = billed_of(vendor_code, cost),
    },
  }
end

local function succeeded_result(task)
  local artifacts = {}
  for _, url in ipairs(type(task.output) == "table" and task.output or {}) do
    if type(url) == "string" then artifacts[#artifacts + 1] = { url = url } end
  end
  return { id = task.id, status = "done", progress = 1, artifacts = artifacts, cost = cost_of(task.cost) }
end

-- State keeps the last status: a poll that learns nothing reports it again, and a cancel knows that there is something to lose.
local function going_on(task, status, reason)
  local progress = type(task.progress) == "number" and task.progress or nil
  return {
    id = task.id, status = status, progress = progress, reason = reason, retry_after = POLL_SECONDS,
    cost = most_cost_of(task.estimatedCost), state = { status = status },
  }
end

local function task_result(task)
  local status = task.status
  if status == "SUCCEEDED" then return succeeded_result(task) end
  if status == "FAILED" then return failed_result(task) end
  if status == "CANCELLED" then return { id = task.id, status = "canceled", cost = cost_of(task.cost) } end
  if status == "PENDING" then return going_on(task, "queued") end
  if status == "THROTTLED" then return going_on(task, "queued", "accepted; waits for a free slot of the account") end
  if status == "RUNNING" then return going_on(task, "running") end
  return going_on(task, "running", "status not known: " .. (http_errors.safe_text(status) or "none given"))
end

local NOT_JSON = { kind = "protocol", message = "the answer is not JSON" }
local STILL_RUNNING = { status = 200, headers = {}, json = { status = "RUNNING" } }

local function task_path(job)
  return "/v1/tasks/" .. url_parts.segment(job.id)
end

local function is_object(response)
  return response and type(response.json) == "table"
end

local function not_answered(response, failure, job)
  local options = explain(response)
  options.retry_after = RETRY_SECONDS
  return http_errors.unanswered(response, failure, job, options)
end

-- The functions of the contract ----------------------------------------------------------------------------------------------

local function health(ctx)
  local response, failure = ctx.request { path = "/v1/organization" }
  if not response or response.status ~= 200 or not is_object(response) then
    return { ok = false, reason = http_errors.result(response, failure, explain(response)).error.message }
  end
  local credits, tier = response.json.creditBalance, response.json.tier
  local notes = {}
  local spend = type(tier) == "table" and tier.maxMonthlyCreditSpend
  if type(spend) == "number" then notes[1] = ("the account may spend %d credits a month"):format(spend // 1) end
  return { ok = true, balance_usd = type(credits) == "number" and to_usd(credits) or nil, notes = notes }
end

-- Why no default model can make it: each one's reasons.
local function refusals_of_all(payload)
  local refusals = {}
  for _, model in ipairs(candidates_of(payload)) do
    for _, refusal in ipairs(build(payload, model).refusals) do refusals[#refusals + 1] = refusal end
  end
  return refusals
end

local function submit(payload, ctx)
  if not payload.model then return nil, refusals_of_all(payload) end
  local plan = build(payload, payload.model)
  if plans.is_refused(plan) then return nil, plan.refusals end
  plans.announce(plan, ctx)
  local response, failure = ctx.request { path = "/v1/" .. plan.spec.operation, json = plan.body }
  if not response or response.status >= 300 then return http_errors.result(response, failure, explain(response)) end
  local task = response.json
  if not is_object(response) or type(task.id) ~= "string" then
    return { status = "error", error = { code = "vendor", message = "the vendor's answer has no task id" } }
  end
  local result = going_on(task, "queued")
  result.progress = nil
  return result
end

local function poll(job, ctx)
  local response, failure = ctx.request { path = task_path(job) }
  if not response or response.status ~= 200 then return not_answered(response, failure, job) end
  if not is_object(response) then return not_answered(nil, NOT_JSON, job) end
  return task_result(response.json)
end

-- DELETE cancels a task that is not finished, but of one that is it deletes the output that was paid for. So a task of ours
-- is looked at first; a bare id, of which nothing is known, is deleted as asked.
local function cancel(job, ctx)
  if job.state and job.state.status then
    local current, failure = ctx.request { path = task_path(job), mock = STILL_RUNNING }
    if not current or current.status ~= 200 then return not_answered(current, failure, job) end
    if not is_object(current) then return not_answered(nil, NOT_JSON, job) end
    local status = current.json.status
    if status == "SUCCEEDED" or status == "FAILED" or status == "CANCELLED" then return task_result(current.json) end
  end
  local response, failure = ctx.request { method = "DELETE", path = task_path(job) }
  if not response or response.status >= 300 then return not_answered(response, failure, job) end
  return { id = job.id, status = "canceled" }
end

return {
  id = "runway", name = "Runway", kind = "video",
  aliases = { "runwayml" }, feature_flag = "enable_public_video_providers",
  docs_url = "https://docs.runwayml.com/reference/api-overview", pricing_url = "https://runwayml.com/pricing",
  last_checked = "2025-02-17",
  tags = { "gen-3", "video" },
  modes = { { id = "video", label = "Video Generation", default = true } },
  reviews = {
    notes = "Steady camera work and faces; the API bills in credits of one cent, also for input that its moderation refuses.",
    sources = { "https://runwayml.com/pricing", "https://www.producthunt.com/products/runway/reviews" },
  },
  credentials = {
    api_key = {
      env = { "RUNWAY_API_KEY", "RUNWAY_TOKEN", "RUNWAYML_API_SECRET" },
      secret = { "api_key", "token", "key", "secret", "runway_api_key", "runway_token", "runwayml_api_secret" },
      hint = "create one at https://dev.runwayml.com; keys of the web application do not work here",
    },
  },
  base_url = "https://api.dev.runwayml.com",
  auth = { ["Authorization"] = "Bearer {api_key}", ["X-Runway-Version"] = API_VERSION },
  capabilities = capabilities, pricing = pricing,
  prepare = prepare, estimate = estimate, health = health, submit = submit, poll = poll, cancel = cancel,
}
