-- Pika: video from text, images or video. Pika's public API is fal.ai's queue, with a fal key; that is the default route.
-- Reference: https://docs.pika.art/ and the pages of fal-ai/pika/* on fal.ai; checked 2026-11-23.
--
-- Pika's own API of 2025 (devapi.pika.art) was open to partners only and has not been confirmed since: it is used only if the
-- request asks for it (route "direct", or a model that begins with "generate/") and says so in a warning. It takes forms with
-- files instead of JSON with URLs, and has no cancel, no webhook and no published price.
-- A model is named by its path: "v2.2/text-to-video", "fal-ai/pika/v2.2/pikascenes" or, direct, "generate/2.2/t2v". A request
-- without one gets the 2.2 model that fits what it brings, with our defaults; a named model has its own.

local cjson = require "cjson"
local check = require "check"
local data_uri = require "data_uri"
local fal_queue = require "fal_queue"
local model_inputs = require "model_inputs"
local pika_direct = require "pika_direct"
local plan = require "plan"
local video_request = require "video_request"

local ROUTES = { "fal", "direct" }
local FAL_PREFIX = "fal-ai/pika/"
local DIRECT_PREFIX = "generate/"

local RESOLUTIONS = { "720p", "1080p" }
local DURATIONS = { 5, 10 }
local RATIOS = { "16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3" }
local PIKAFFECTS = {
  "Cake-ify", "Crumble", "Crush", "Decapitate", "Deflate", "Dissolve", "Explode", "Eye-pop", "Inflate", "Levitate", "Melt",
  "Peel", "Poke", "Squish", "Ta-da", "Tear",
}
local INGREDIENTS_MODES = { "creative", "precise" }

local DEFAULT_RESOLUTION, DEFAULT_DURATION = "720p", 5

local MIN_FRAMES, MAX_FRAMES, MAX_TRANSITION_SECONDS = 2, 5, 25

-- ---- models --------------------------------------------------------------------------------------------------------

local REQUIRED = { required = true }
local RESOLUTION, DURATION = { values = RESOLUTIONS }, { values = DURATIONS, field = "duration_seconds" }
local EFFECT = { required = true, values = PIKAFFECTS, field = "parameters.pikaffect" }

local function required_as(field)
  return { required = true, field = "parameters." .. field }
end

local TEXT_TO_VIDEO = {
  prompt = REQUIRED, aspect_ratio = { values = RATIOS, field = "aspect_ratio" }, resolution = RESOLUTION, duration = DURATION,
  negative_prompt = {}, seed = {},
}
local IMAGE_TO_VIDEO = {
  image_url = required_as "init_image", prompt = REQUIRED, resolution = RESOLUTION, duration = DURATION, negative_prompt = {},
  seed = {},
}

-- The inputs of the models on fal, by their paths. Other paths are sent unchecked.
local FAL_MODELS = {
  ["v2.2/text-to-video"] = TEXT_TO_VIDEO, ["v2.2/image-to-video"] = IMAGE_TO_VIDEO,
  ["v2.2/pikascenes"] = { -- the inputs beyond the first five are not confirmed
    images = required_as "references", prompt = {}, aspect_ratio = TEXT_TO_VIDEO.aspect_ratio, resolution = RESOLUTION,
    duration = DURATION, ingredients_mode = { values = INGREDIENTS_MODES }, negative_prompt = {}, seed = {},
  },
  ["v2.2/pikaframes"] = {
    image_urls = required_as "frames", transitions = {}, prompt = {}, resolution = RESOLUTION, seed = {},
  },
  ["v2.1/text-to-video"] = TEXT_TO_VIDEO, ["v2.1/image-to-video"] = IMAGE_TO_VIDEO,
  ["v2/turbo/text-to-video"] = TEXT_TO_VIDEO, ["v2/turbo/image-to-video"] = IMAGE_TO_VIDEO,
  ["v2/pikadditions"] = { video_url = required_as "video", image_url = required_as "init_image", prompt = {} },
  ["v1.5/pikaffects"] = { image_url = required_as "init_image", pikaffect = EFFECT },
}

local DIRECT_TEXT_TO_VIDEO = {
  promptText = { required = true, field = "prompt" }, negativePrompt = {}, seed = {}, duration = DURATION,
  resolution = RESOLUTION, aspectRatio = { min = 0.4, max = 2.5 },
}
local DIRECT_IMAGE_TO_VIDEO = {
  image = required_as "init_image", promptText = {}, negativePrompt = {}, seed = {}, duration = DURATION, resolution = RESOLUTION,
}

local DIRECT_MODELS = {
  ["generate/2.2/t2v"] = DIRECT_TEXT_TO_VIDEO, ["generate/2.2/i2v"] = DIRECT_IMAGE_TO_VIDEO,
  ["generate/turbo/t2v"] = DIRECT_TEXT_TO_VIDEO, ["generate/turbo/i2v"] = DIRECT_IMAGE_TO_VIDEO,
  ["generate/2.2/pikascenes"] = {
    images = required_as "references", promptText = {}, aspectRatio = DIRECT_TEXT_TO_VIDEO.aspectRatio, duration = DURATION,
    resolution = RESOLUTION,
    ingredientsMode = { required = true, values = INGREDIENTS_MODES, field = "parameters.ingredients_mode" },
  },
  ["generate/2.2/pikaframes"] = {
    keyFrames = required_as "frames", promptText = { required = true, field = "prompt" }, resolution = RESOLUTION,
    duration = { min = 5, max = 10, field = "duration_seconds" },
  },
  ["generate/pikaffects"] = { image = required_as "init_image", pikaffect = { values = PIKAFFECTS }, promptText = {} },
  ["generate/pikadditions"] = { video = required_as "video", image = required_as "init_image", promptText = {} },
  ["generate/pikaswaps"] = {
    video = required_as "video", image = {}, modifyRegionMask = {}, modifyRegionRoi = {}, promptText = {},
  },
}

-- The 2.2 model for what a request brings.
local MODEL_FOR = {
  fal = {
    text = "v2.2/text-to-video", image = "v2.2/image-to-video", references = "v2.2/pikascenes", frames = "v2.2/pikaframes",
    video = "v2/pikadditions",
  },
  direct = {
    text = "generate/2.2/t2v", image = "generate/2.2/i2v", references = "generate/2.2/pikascenes",
    frames = "generate/2.2/pikaframes", video = "generate/pikadditions",
  },
}

-- ---- parameters ----------------------------------------------------------------------------------------------------

-- The names of a value: in the payload, on each route, and what a client may call it. `decides`: without it something else would
-- be made; `kind`: the reader of check.lua.
local VALUES = {
  { name = "negative_prompt", names = { "negative_prompt", "negativePrompt" }, kind = "text",
    fal = "negative_prompt", direct = "negativePrompt" },
  { name = "seed", names = { "seed" }, kind = "integer", options = { wide = true }, fal = "seed", direct = "seed" },
  { name = "resolution", names = { "resolution" }, kind = "text", options = { lower = true, blank = "absent" }, decides = true,
    fal = "resolution", direct = "resolution" },
  { name = "pikaffect", names = { "pikaffect" }, kind = "text", decides = true, fal = "pikaffect", direct = "pikaffect" },
  { name = "ingredients_mode", names = { "ingredients_mode", "ingredientsMode" }, kind = "text", options = { lower = true },
    decides = true, fal = "ingredients_mode", direct = "ingredientsMode" },
  { name = "transitions", names = { "transitions" }, kind = "array_of", decides = true,
    fal = "transitions", direct = "transitions" },
  { name = "modify_region", names = { "modify_region", "modifyRegionRoi" }, kind = "text", decides = true,
    fal = "modify_region", direct = "modifyRegionRoi" },
}

-- One file each; a client may give a URL, a data URI or an object with one of them.
local FILES = {
  { name = "init_image", names = { "init_image", "image", "image_url" }, fal = "image_url", direct = "image" },
  { name = "video", names = { "video", "init_video", "video_url" }, fal = "video_url", direct = "video" },
  { name = "mask", names = { "mask", "modifyRegionMask" }, fal = "mask_url", direct = "modifyRegionMask" },
}

local REFERENCE_NAMES = { "references", "reference", "reference_images", "images" }
local FRAME_NAMES = { "frames", "storyboard", "reference_frames", "image_urls", "keyframes", "keyFrames" }

-- Both at the top and in the parameters; lists of files.
local LISTS = {
  references = { names = REFERENCE_NAMES, fal = "images", direct = "images" },
  frames = { names = FRAME_NAMES, fal = "image_urls", direct = "keyFrames" },
}
local PICTURES = {}
for kept_as, list in pairs(LISTS) do
  for _, name in ipairs(list.names) do PICTURES[name] = kept_as end
end

-- Parameters that `build` reads by themselves, not as an input of the same name.
local HANDLED = {
  aspect_ratio = true, aspectRatio = true, duration = true, duration_seconds = true, samples = true, width = true, height = true,
  webhook = true, webhook_url = true, prompt = true,
}
for _, lists in ipairs { VALUES, FILES } do
  for _, value in ipairs(lists) do
    for _, name in ipairs(value.names) do HANDLED[name] = true end
  end
end
for name in pairs(PICTURES) do HANDLED[name] = true end

local OWN_FIELDS = { "route" }
for _, name in ipairs(fal_queue.OPTION_NAMES) do OWN_FIELDS[#OWN_FIELDS + 1] = name end

-- ---- what is public ------------------------------------------------------------------------------------------------

local CAPABILITIES = {
  modes = { "video" },
  features = { "style_controls", "fps_selection" },
  resolutions = RESOLUTIONS,
  max_duration_seconds = 16.0,
  durations_seconds = DURATIONS,
  aspect_ratios = RATIOS,
  models = model_inputs.sorted_names(FAL_MODELS),
  routes = ROUTES,
  unverified_routes = { "direct" },
  unverified_models = model_inputs.sorted_names(DIRECT_MODELS),
}

local AS_OF = "2026-11-23"

-- Figures per resolution are for `seconds` of video, with `min_seconds` at least. Other models have no established price.
local function price(path, fields)
  fields.as_of, fields.source = AS_OF, "https://fal.ai/models/" .. FAL_PREFIX .. path
  return fields
end
local PRICES = {
  ["v2.2/text-to-video"] = price("v2.2/text-to-video", { seconds = 5, usd = { ["720p"] = 0.20, ["1080p"] = 0.45 } }),
  ["v2.2/image-to-video"] = price("v2.2/image-to-video", { seconds = 5, usd = { ["720p"] = 0.20, ["1080p"] = 0.45 } }),
  ["v2.2/pikascenes"] = price("v2.2/pikascenes", { seconds = 5, usd = { ["720p"] = 0.20 } }),
  ["v2.2/pikaframes"] = price("v2.2/pikaframes", { seconds = 1, min_seconds = 5, usd = { ["720p"] = 0.04, ["1080p"] = 0.06 } }),
  ["v2.1/image-to-video"] = price("v2.1/image-to-video", { usd_per_video = 0.40 }),
}

local PRICING = {
  as_of = AS_OF, source = "https://fal.ai/models", unit = "USD per seconds of video or per video", models = PRICES,
}

-- ---- helpers: models -----------------------------------------------------------------------------------------------

local function starts_with(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

local function has_pictures(payload, kind)
  if payload[kind] ~= nil then return true end
  for _, name in ipairs(LISTS[kind].names) do
    if payload.parameters[name] ~= nil then return true end
  end
  return false
end

local function route_of(payload)
  return payload.route or "fal"
end

-- The model's path: as it was named, else the one that fits what the request brings.
local function path_of(payload)
  if payload.model then
    return starts_with(payload.model, FAL_PREFIX) and string.sub(payload.model, #FAL_PREFIX + 1) or payload.model
  end
  local parameters, models = payload.parameters or {}, MODEL_FOR[route_of(payload)]
  if parameters.video then return models.video end
  if payload.parameters and has_pictures(payload, "frames") then return models.frames end
  if payload.parameters and has_pictures(payload, "references") then return models.references end
  return parameters.init_image and models.image or models.text
end

local function inputs_of(payload)
  return (route_of(payload) == "direct" and DIRECT_MODELS or FAL_MODELS)[path_of(payload)]
end

-- All of Pika's requests on fal live under one app, whatever the model.
local function fal_model(payload)
  return FAL_PREFIX .. path_of(payload)
end

-- "/generate/2.2/t2v" and "pika/v2.2/x" are the same as without what stands before; anything but a Pika model is refused.
local function read_model(top)
  local model = top:text("model", { blank = "absent" })
  if not model then return nil end
  local path = string.gsub(string.sub(model, 1, 200), "^/", "")
  if starts_with(path, "pika/") then path = "fal-ai/" .. path end
  local is_direct = starts_with(path, DIRECT_PREFIX)
  if not (is_direct or starts_with(path, FAL_PREFIX) or string.find(path, "^v%d")) or not fal_queue.is_model_id(path) then
    check.fail("model", "must be a model of Pika, such as " .. MODEL_FOR.fal.text)
  end
  return path, is_direct
end

local function read_route(top, is_direct)
  local route = top:choice("route", ROUTES, { lower = true })
  if is_direct and route == "fal" then check.fail("route", "must be direct for a model that begins with " .. DIRECT_PREFIX) end
  if route == "direct" and not is_direct and top:raw "model" then
    check.fail("model", "must begin with " .. DIRECT_PREFIX .. " on the route direct")
  end
  return is_direct and "direct" or route
end

-- ---- helpers: reading ----------------------------------------------------------------------------------------------

-- A file's address: text, or an object that holds it.
local function address_in(value)
  if type(value) ~= "table" then return value end
  return value.image_url or value.video_url or value.url or value.uri or value.image
end

local function check_file(text, path)
  if type(text) ~= "string" then check.fail(path, "must be an https URL or a data URI") end
  if data_uri.is(text) then
    local parsed, problem = data_uri.parse(text)
    if not parsed then check.fail(path, problem) end
  elseif not starts_with(text, "https://") then
    check.fail(path, "must be an https URL or a data URI")
  end
end

local function read_files(reader, parameters)
  for _, file in ipairs(FILES) do
    local value, name = reader:raw(file.names)
    for _, alias in ipairs(file.names) do parameters[alias] = nil end
    if value ~= nil then
      parameters[file.name] = address_in(value)
      check_file(parameters[file.name], reader:path(name))
    end
  end
end

local function read_effect(parameters)
  for _, effect in ipairs(PIKAFFECTS) do
    if parameters.pikaffect and string.lower(effect) == string.lower(parameters.pikaffect) then parameters.pikaffect = effect end
  end
end

local function check_transitions(transitions)
  for index, transition in ipairs(transitions or {}) do
    local path = ("parameters.transitions[%d]"):format(index - 1)
    check.reader(transition, path):number("duration", { min = 0 })
  end
end

local function read_values(payload)
  local parameters = payload.parameters
  local reader = check.reader(check.copy(parameters), "parameters")
  for _, value in ipairs(VALUES) do
    local read = reader[value.kind](reader, value.names, value.options)
    for _, alias in ipairs(value.names) do parameters[alias] = nil end
    parameters[value.name] = read
  end
  read_files(reader, parameters)
  read_effect(parameters)
  check_transitions(parameters.transitions)
  if parameters.aspectRatio ~= nil then parameters.aspectRatio = reader:number("aspectRatio", { min = 0 }) end
end

-- The request without what this script reads itself: the rest is common to all video vendors.
local function without_own_fields(request)
  local rest = check.copy(request)
  for _, name in ipairs(OWN_FIELDS) do rest[name] = nil end
  return rest
end

local function fill_defaults(payload)
  local filled = {}
  if payload.duration_seconds == nil then
    payload.duration_seconds, filled[1] = DEFAULT_DURATION, "duration_seconds"
  end
  if payload.parameters.resolution == nil then
    payload.parameters.resolution, filled[#filled + 1] = DEFAULT_RESOLUTION, "resolution"
  end
  payload.defaulted = #filled > 0 and cjson.array(filled) or nil
end

-- ---- helpers: building ---------------------------------------------------------------------------------------------

local function defaulted(payload, name)
  return payload.defaulted ~= nil and check.in_list(name, payload.defaulted)
end

local function needs_file(built, route, field, text)
  if route == "direct" and not data_uri.is(text) then
    plan.refuse(built, field, "the route direct uploads files: a data URI is needed, not a URL")
  end
end

local function add_files(items, payload, route, built)
  for _, file in ipairs(FILES) do
    local text = payload.parameters[file.name]
    if text then
      needs_file(built, route, "parameters." .. file.name, text)
      items[#items + 1] = { field = "parameters." .. file.name, name = file[route], value = text, decides = true }
    end
  end
end

-- The addresses of a list, and how many pictures were meant; words in place of a picture cannot go out.
local function addresses_of(payload, kind, route, built)
  local addresses = {}
  local pictures = video_request.pictures(payload, LISTS[kind].names, { kind })
  for _, picture in ipairs(pictures) do
    local address = picture.uri or address_in(picture.object)
    if type(address) ~= "string" or not (data_uri.is(address) or starts_with(address, "https://")) then
      plan.refuse(built, picture.field, "must be an https URL or a data URI; words belong in the prompt")
    elseif picture.text then
      plan.refuse(built, picture.field, "a text of its own beside a picture is not possible; words belong in the prompt")
    else
      needs_file(built, route, picture.field, address)
    end
    addresses[#addresses + 1] = address
  end
  return addresses, #pictures
end

local function add_lists(items, payload, route, built)
  for _, kind in ipairs(model_inputs.sorted_names(LISTS)) do
    local addresses, count = addresses_of(payload, kind, route, built)
    if count > 0 then
      local field = payload[kind] ~= nil and kind or "parameters." .. kind
      if kind == "frames" and (count < MIN_FRAMES or (route == "fal" and count > MAX_FRAMES)) then
        plan.refuse(built, field, "must be from " .. MIN_FRAMES .. " to " .. MAX_FRAMES .. " pictures")
      end
      if kind == "references" and route == "fal" then
        for index, address in ipairs(addresses) do addresses[index] = { image_url = address } end
      end
      items[#items + 1] = { field = field, name = LISTS[kind][route], value = addresses, decides = true }
    end
  end
end

-- 16:9 as text on fal, as a quotient on the direct route.
local function add_aspect_ratio(items, payload, route, built)
  local field = video_request.field(payload, "aspect_ratio", "aspectRatio")
  local ratio = payload.aspect_ratio
  if not ratio and not payload.parameters.aspectRatio then return end
  if route == "fal" then
    local hint = not ratio and "give it as aspect_ratio" or nil
    items[#items + 1] = {
      field = field, name = "aspect_ratio", value = ratio or payload.parameters.aspectRatio, decides = true, hint = hint,
    }
    return
  end
  local width, height = string.match(string.sub(ratio or "", 1, 32), "^(%d+%.?%d*):(%d+%.?%d*)$")
  local quotient = payload.parameters.aspectRatio or tonumber(ratio)
  if width and tonumber(height) > 0 then quotient = tonumber(width) / tonumber(height) end
  if not quotient then return plan.refuse(built, field, "must be a ratio such as 16:9", RATIOS) end
  items[#items + 1] = { field = field, name = "aspectRatio", value = quotient, decides = true }
end

local function add_values(items, payload, route)
  local parameters = payload.parameters
  for _, value in ipairs(VALUES) do
    if parameters[value.name] ~= nil then
      items[#items + 1] = {
        field = "parameters." .. value.name, name = value[route], value = parameters[value.name], decides = value.decides,
        known = true, default = defaulted(payload, value.name),
      }
    end
  end
  if payload.duration_seconds then
    local field = "duration_seconds"
    if not defaulted(payload, field) then field = video_request.field(payload, field, "duration") end
    items[#items + 1] = {
      field = field, name = "duration", value = payload.duration_seconds, decides = true, default = defaulted(payload, field),
    }
  end
end

-- The rest: preferences that Pika has not got, the vendor's own further parameters, and what decides but cannot be said.
local function add_others(items, payload, built)
  local parameters = payload.parameters
  if (parameters.samples or 1) > 1 then
    plan.refuse(built, "parameters.samples", "Pika makes one video per request", { 1 })
  end
  if parameters.width or parameters.height then
    local field = parameters.width and "parameters.width" or "parameters.height"
    plan.refuse(built, field, "Pika has resolutions and aspect ratios, no sizes in pixels", RESOLUTIONS)
  end
  for _, name in ipairs(model_inputs.sorted_names(parameters)) do
    if not HANDLED[name] then
      local known = video_request.PREFERENCES[name] ~= nil
      items[#items + 1] = { field = "parameters." .. name, name = name, value = parameters[name], known = known }
    end
  end
end

local function check_frames_duration(payload, route, built)
  local total = 0
  for _, transition in ipairs(payload.parameters.transitions or {}) do total = total + (tonumber(transition.duration) or 0) end
  if route == "fal" and total > MAX_TRANSITION_SECONDS then
    plan.refuse(built, "parameters.transitions", "must not last more than " .. MAX_TRANSITION_SECONDS .. " seconds together")
  end
end

-- What a submit of this payload would send (plan.lua).
local function build(payload)
  local built, route, items = plan.new(), route_of(payload), {}
  local prompt, count = video_request.joined_prompt(payload, {})
  if prompt then items[1] = { field = "prompt", name = route == "fal" and "prompt" or "promptText", value = prompt } end
  if count > 1 then plan.note(built, "Pika takes one prompt: the prompts are joined, one a line") end
  add_values(items, payload, route)
  add_aspect_ratio(items, payload, route, built)
  add_files(items, payload, route, built)
  add_lists(items, payload, route, built)
  add_others(items, payload, built)
  check_frames_duration(payload, route, built)
  model_inputs.express(built, path_of(payload), inputs_of(payload), items)
  if not inputs_of(payload) then plan.note(built, path_of(payload) .. " is not described here: it is sent unchecked") end
  for _, name in ipairs(payload.ignored or {}) do
    plan.warn(built, name, "is not understood; inputs of the model belong in parameters")
  end
  return built
end

local function is_direct(job)
  return (job.state or {}).route == "direct" or (job.payload or {}).route == "direct"
end

local function direct_submit(payload, ctx, body)
  ctx.warn { field = "route", message = "Pika's direct API is unverified: it was for partners, and not confirmed since 2025" }
  if payload.queue then
    for _, name in ipairs(model_inputs.sorted_names(payload.queue)) do
      ctx.warn { field = name, message = "has a meaning only on the route fal; left out" }
    end
  end
  return pika_direct.submit(ctx, path_of(payload), body)
end

-- ---- the provider's functions --------------------------------------------------------------------------------------

local function prepare(request)
  local top = check.reader(request)
  local model, names_direct = read_model(top)
  local route = read_route(top, names_direct)
  local payload = video_request.read(without_own_fields(request), { pictures = PICTURES, parameters = {} })
  payload.model, payload.route = model, route
  payload.queue = fal_queue.read_options(top, top:reader_of "parameters")
  read_values(payload)
  if not model then fill_defaults(payload) end
  local spec = (inputs_of(payload) or {})[route_of(payload) == "direct" and "promptText" or "prompt"]
  if spec and spec.required and not video_request.joined_prompt(payload, {}) then check.fail("prompt", "is required") end
  return payload
end

local function round_to_micros(usd)
  return math.floor(usd * 1e6 + 0.5) / 1e6
end

-- The seconds that will be billed, least and most; nil when the request does not say.
local function seconds_of(payload, body, known)
  if not body.image_urls then
    local last = body.duration or DURATIONS[#DURATIONS]
    return body.duration or DURATIONS[1], last
  end
  local total = 0
  for _, transition in ipairs(payload.parameters.transitions or {}) do
    if type(transition.duration) ~= "number" then return nil end
    total = total + transition.duration
  end
  if total == 0 or #payload.parameters.transitions ~= #body.image_urls - 1 then return nil end
  return math.max(total, known.min_seconds), math.max(total, known.min_seconds)
end

local function estimate(payload)
  if route_of(payload) == "direct" then return nil, "Pika has no published price for its direct API" end
  local path = path_of(payload)
  local known = PRICES[path]
  if not known then return nil, "the price of " .. path .. " is not known here" end
  local built = build(payload)
  if plan.is_refused(built) then return nil, plan.first_refusal(built) end
  local answer = { model = path, source = known.source, as_of = known.as_of }
  if known.usd_per_video then
    answer.expected, answer.low, answer.high = known.usd_per_video, known.usd_per_video, known.usd_per_video
    answer.unit, answer.quantity = "video", 1
    return answer
  end
  local rate = known.usd[built.body.resolution or DEFAULT_RESOLUTION]
  if not rate then return nil, "the price of " .. path .. " at " .. built.body.resolution .. " is not known here" end
  local seconds, most = seconds_of(payload, built.body, known)
  if not seconds then return nil, "the duration of every transition between the frames" end
  answer.expected = round_to_micros(seconds / known.seconds * rate)
  answer.low, answer.high = answer.expected, round_to_micros(most / known.seconds * rate)
  answer.unit, answer.quantity, answer.unit_usd = "second", seconds, round_to_micros(rate / known.seconds)
  return answer
end

local function health(ctx)
  return fal_queue.health(ctx, FAL_PREFIX .. MODEL_FOR.fal.text)
end

local function submit(payload, ctx)
  local built = build(payload)
  plan.announce(built, ctx)
  if plan.is_refused(built) then return nil, #built.refusals == 1 and built.refusals[1] or built.refusals end
  if route_of(payload) == "direct" then return direct_submit(payload, ctx, built.body) end
  return fal_queue.submit(ctx, fal_model(payload), built.body, payload.queue)
end

local function poll(job, ctx)
  if is_direct(job) then return pika_direct.poll(job, ctx) end
  return fal_queue.poll(job, ctx, fal_model(job.payload or {}))
end

local function cancel(job, ctx)
  if is_direct(job) then return pika_direct.cancel(job) end
  return fal_queue.cancel(job, ctx, fal_model(job.payload or {}))
end

local function webhook(delivery, ctx)
  return fal_queue.webhook(delivery, ctx, fal_model(delivery.job and delivery.job.payload or {}))
end

return {
  id = "pika", name = "Pika Labs", kind = "video",
  aliases = { "pika-labs" }, feature_flag = "enable_public_video_providers",
  docs_url = "https://docs.pika.art/", pricing_url = "https://pika.art/pricing", last_checked = "2025-02-17",
  tags = { "video", "pika" },
  modes = { { id = "video", label = "Video Generation", default = true } },
  reviews = {
    notes = "Sold to developers through fal.ai; short clips of 5 or 10 seconds, priced by resolution.",
    sources = { "https://pika.art/pricing" },
  },
  credentials = {
    -- The key that opens Pika is a fal key; Pika's own is kept apart so that it is never sent to fal.
    api_key = {
      env = { "PIKA_API_KEY", "FAL_API_KEY", "FAL_KEY" }, secret = { "api_key", "token" }, pattern = fal_queue.KEY_PATTERN,
      hint = "Pika is reached through fal.ai: give a fal key (id:secret), from https://fal.ai/dashboard/keys",
    },
    direct_api_key = {
      env = { "PIKA_DIRECT_API_KEY" }, secret = { "direct_api_key" }, optional = true,
      hint = "only for the unverified route direct: a partner key of Pika's own",
    },
  },
  base_url = fal_queue.BASE_URL,
  hosts = { "fal.run", "api.fal.ai", "*.fal.media", pika_direct.HOST, "cdn.pika.art" },
  auth = { ["Authorization"] = "Key {api_key}" },
  capabilities = CAPABILITIES, pricing = PRICING,
  prepare = prepare, estimate = estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
}
