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
local fal_ids = require "fal.ids"
local fal_media = require "fal.media"
local fal_options = require "fal.options"
local fal_queue = require "fal.queue"
local given = require "given"
local model_inputs = require "model_inputs"
local names = require "names"
local pika_direct = require "pika.direct"
local pika_models = require "pika.models"
local pika_prices = require "pika.prices"
local plan = require "plan"
local usd = require "usd"
local video_request = require "video_request"

local ROUTES = { "fal", "direct" }
local FAL_PREFIX = "fal-ai/pika/"
local DIRECT_PREFIX = "generate/"

local RESOLUTIONS, DURATIONS, RATIOS = pika_models.RESOLUTIONS, pika_models.DURATIONS, pika_models.RATIOS
local PIKAFFECTS = pika_models.PIKAFFECTS
local FAL_MODELS, DIRECT_MODELS = pika_models.FAL, pika_models.DIRECT

local DEFAULT_RESOLUTION, DEFAULT_DURATION = "720p", 5

local MIN_FRAMES, MAX_FRAMES, MAX_TRANSITION_SECONDS = 2, 5, 25

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

-- A file's address: text, or an object that holds it.
local function address_in(value)
  if type(value) ~= "table" then return value end
  return value.image_url or value.video_url or value.url or value.uri or value.image
end

local function read_file(reader, name)
  local value = reader:raw(name)
  if value == nil then return nil end
  local address = address_in(value)
  fal_media.check_file(address, reader:path(name))
  return address
end

-- The names of a value: in the payload, on each route, and what a client may call it, with its kind (check.field_list).
-- `decides`: without it something else would be made.
local VALUES = check.field_list {
  { name = "negative_prompt", names = { "negative_prompt", "negativePrompt" }, kind = "text",
    fal = "negative_prompt", direct = "negativePrompt" },
  { name = "seed", kind = "integer", options = { wide = true }, fal = "seed", direct = "seed" },
  { name = "resolution", kind = "text", options = { lower = true, blank = "absent" }, decides = true,
    fal = "resolution", direct = "resolution" },
  { name = "pikaffect", kind = "text", decides = true, fal = "pikaffect", direct = "pikaffect" },
  { name = "ingredients_mode", names = { "ingredients_mode", "ingredientsMode" }, kind = "text", options = { lower = true },
    decides = true, fal = "ingredients_mode", direct = "ingredientsMode" },
  { name = "transitions", kind = "array_of", decides = true, fal = "transitions", direct = "transitions" },
  { name = "modify_region", names = { "modify_region", "modifyRegionRoi" }, kind = "text", decides = true,
    fal = "modify_region", direct = "modifyRegionRoi" },
}

-- One file each; a client may give a URL, a data URI or an object with one of them.
local FILES = check.field_list {
  { name = "init_image", names = { "init_image", "image", "image_url" }, read = read_file, decides = true,
    fal = "image_url", direct = "image" },
  { name = "video", names = { "video", "init_video", "video_url" }, read = read_file, decides = true,
    fal = "video_url", direct = "video" },
  { name = "mask", names = { "mask", "modifyRegionMask" }, read = read_file, decides = true,
    fal = "mask_url", direct = "modifyRegionMask" },
}

-- Both at the top and in the parameters; lists of files.
local LISTS = {
  references = { names = { "references", "reference", "reference_images", "images" }, fal = "images", direct = "images" },
  frames = {
    names = { "frames", "storyboard", "reference_frames", "image_urls", "keyframes", "keyFrames" },
    fal = "image_urls", direct = "keyFrames",
  },
}
local LIST_KINDS = names.sorted(LISTS)
local PICTURES = {}
for kept_as, list in pairs(LISTS) do
  list.is_name, list.at_top = names.set(list.names), { kept_as }
  for _, name in ipairs(list.names) do PICTURES[name] = kept_as end
end

local OWN_FIELDS = { "route", table.unpack(fal_options.NAMES) }
local READING = video_request.reading(PICTURES, {}, OWN_FIELDS, { "promptText" })

local IF_NOT_BLANK, LOWER, FROM_ZERO = { blank = "absent" }, { lower = true }, { min = 0 }
local NONE, ONE = {}, { 1 }

-- Parameters that `build` reads by themselves, not as an input of the same name.
local HANDLED = names.union(VALUES.by_name, FILES.by_name, PICTURES, names.set {
  "aspect_ratio", "aspectRatio", "duration", "duration_seconds", "samples", "width", "height", "prompt", "promptText", "prompts",
  "multi_prompt",
})

-- What model_inputs.put is to know of the values and files, on each route.
local ITEMS = { fal = {}, direct = {} }
for route, items in pairs(ITEMS) do
  for _, list in ipairs { VALUES, FILES } do
    for _, value in ipairs(list) do
      items[value.name] = { field = "parameters." .. value.name, input = value[route], decides = value.decides, known = true }
    end
  end
end
local DURATION_ITEM = { field = "duration_seconds", input = "duration", decides = true }
local PROMPTS = { fal = { field = "prompt", input = "prompt" }, direct = { field = "prompt", input = "promptText" } }

-- ---- what is public ------------------------------------------------------------------------------------------------

local CAPABILITIES = {
  modes = { "video" },
  features = { "style_controls", "fps_selection" },
  resolutions = RESOLUTIONS,
  max_duration_seconds = 16.0,
  durations_seconds = DURATIONS,
  aspect_ratios = RATIOS,
  models = names.sorted(FAL_MODELS),
  routes = ROUTES,
  unverified_routes = { "direct" },
  unverified_models = names.sorted(DIRECT_MODELS),
  queue_options = fal_options.FOR_CLIENTS,
}

-- ---- helpers: models -----------------------------------------------------------------------------------------------

local function starts_with(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

local function has_pictures(payload, kind)
  return payload[kind] ~= nil or names.has_any(payload.parameters, LISTS[kind].is_name)
end

local function has_any_pictures(payload)
  return payload.frames ~= nil or payload.references ~= nil or names.has_any(payload.parameters, PICTURES)
end

local function route_of(payload)
  return payload.route or "fal"
end

-- The model's path: as it was named, else the one that fits what the request brings.
local function path_of(payload)
  if payload.model then
    return starts_with(payload.model, FAL_PREFIX) and string.sub(payload.model, #FAL_PREFIX + 1) or payload.model
  end
  local parameters, models = payload.parameters, MODEL_FOR[route_of(payload)]
  if not parameters then return models.text end
  if parameters.video then return models.video end
  if has_any_pictures(payload) then return has_pictures(payload, "frames") and models.frames or models.references end
  return parameters.init_image and models.image or models.text
end

local function description_of(route, path)
  return (route == "direct" and DIRECT_MODELS or FAL_MODELS)[path]
end

-- All of Pika's requests on fal live under one app, whatever the model.
local function fal_model(payload)
  return FAL_PREFIX .. path_of(payload)
end

-- "/generate/2.2/t2v" and "pika/v2.2/x" are the same as without what stands before; anything but a Pika model is refused.
local function read_model(top)
  local model = top:text("model", IF_NOT_BLANK)
  if not model then return nil end
  local path = string.gsub(string.sub(model, 1, 200), "^/", "")
  if starts_with(path, "pika/") then path = "fal-ai/" .. path end
  local is_direct = starts_with(path, DIRECT_PREFIX)
  if not (is_direct or starts_with(path, FAL_PREFIX) or string.find(path, "^v%d")) or not fal_ids.is_model_id(path) then
    check.fail("model", fal_ids.not_a_model(model, "Pika", MODEL_FOR.fal.text))
  end
  return path, is_direct
end

local function read_route(top, is_direct)
  local route = top:choice("route", ROUTES, LOWER)
  if is_direct and route == "fal" then check.fail("route", "must be direct for a model that begins with " .. DIRECT_PREFIX) end
  if route == "direct" and not is_direct and top:raw "model" then
    check.fail("model", "must begin with " .. DIRECT_PREFIX .. " on the route direct")
  end
  return is_direct and "direct" or route
end

-- ---- helpers: reading ----------------------------------------------------------------------------------------------

local function read_effect(parameters)
  local name = parameters.pikaffect
  if not name then return end
  for _, effect in ipairs(PIKAFFECTS) do
    if string.lower(effect) == string.lower(name) then parameters.pikaffect = effect end
  end
end

local function check_transitions(transitions)
  for index, transition in ipairs(transitions or NONE) do
    local path = ("parameters.transitions[%d]"):format(index - 1)
    check.reader(transition, path):number("duration", FROM_ZERO)
  end
end

-- The values and files of the parameters, under their names of the payload instead of those that the client used.
local function read_values(payload)
  local parameters = payload.parameters
  if next(parameters) == nil then return end
  local reader = check.reader(check.copy(parameters), "parameters")
  reader.given_as = payload.given_as
  for name in pairs(reader.object) do
    if VALUES.by_name[name] or FILES.by_name[name] then parameters[name] = nil end
  end
  reader:fields(VALUES, parameters, payload)
  reader:fields(FILES, parameters, payload)
  read_effect(parameters)
  check_transitions(parameters.transitions)
  if parameters.aspectRatio ~= nil then parameters.aspectRatio = reader:number("aspectRatio", FROM_ZERO) end
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

local function is_defaulted(payload, name)
  return payload.defaulted ~= nil and check.in_list(name, payload.defaulted)
end

local function needs_file(built, route, field, text)
  if route == "direct" and not data_uri.begins(text) then
    plan.refuse(built, field, "the route direct uploads files: a data URI is needed, not a URL")
  end
end

local function add(entries, item, value, is_default)
  entries[#entries + 1] = { item = item, value = value, is_default = is_default }
end

local function add_files(entries, payload, route, built)
  for index = 1, #FILES do
    local name = FILES[index].name
    local text = payload.parameters[name]
    if text then
      needs_file(built, route, "parameters." .. name, text)
      add(entries, ITEMS[route][name], text)
    end
  end
end

-- The addresses of a list, how many pictures were meant, and the field of the first; words in place of a picture cannot go out.
local function addresses_of(payload, kind, route, built)
  local addresses = {}
  local pictures = video_request.pictures(payload, LISTS[kind].names, LISTS[kind].at_top)
  for _, picture in ipairs(pictures) do
    local address = picture.uri or address_in(picture.object)
    if type(address) ~= "string" or not (data_uri.begins(address) or starts_with(address, "https://")) then
      plan.refuse(built, picture.field, "must be an https URL or a data URI; words belong in the prompt")
    elseif picture.text then
      plan.refuse(built, picture.field, "a text of its own beside a picture is not possible; words belong in the prompt")
    else
      needs_file(built, route, picture.field, address)
    end
    addresses[#addresses + 1] = address
  end
  return addresses, #pictures, pictures[1] and string.match(pictures[1].field, "^[^%[]+")
end

local function add_pictures(entries, payload, kind, route, built)
  local addresses, count, field = addresses_of(payload, kind, route, built)
  if count == 0 then return end
  if kind == "frames" and (count < MIN_FRAMES or (route == "fal" and count > MAX_FRAMES)) then
    plan.refuse(built, field, "must be from " .. MIN_FRAMES .. " to " .. MAX_FRAMES .. " pictures")
  end
  if kind == "references" and route == "fal" then
    for index, address in ipairs(addresses) do addresses[index] = { image_url = address } end
  end
  add(entries, { field = field, input = LISTS[kind][route], decides = true }, addresses)
end

local ROUNDING = 1e-6

local function quotient_of(ratio)
  local width, height = string.match(string.sub(ratio or "", 1, 32), "^(%d+%.?%d*):(%d+%.?%d*)$")
  if width and tonumber(height) > 0 then return tonumber(width) / tonumber(height) end
  return tonumber(ratio)
end

local ASPECT_RATIO = {
  fal = { field = "aspect_ratio", input = "aspect_ratio", decides = true },
  direct = { field = "aspect_ratio", input = "aspectRatio", decides = true },
}
local OWN_ASPECT_RATIO = {
  fal = { field = "parameters.aspectRatio", input = "aspect_ratio", decides = true, hint = "give it as aspect_ratio" },
  direct = { field = "parameters.aspectRatio", input = "aspectRatio", decides = true },
}

-- 16:9 as text on fal, as a quotient on the direct route.
local function add_aspect_ratio(entries, payload, route, built)
  local ratio, own = payload.aspect_ratio, payload.parameters.aspectRatio
  if not ratio then
    if own then add(entries, OWN_ASPECT_RATIO[route], own) end
    return
  end
  local quotient = quotient_of(ratio)
  if own and not (quotient and math.abs(own - quotient) < ROUNDING) then
    plan.refuse(built, "parameters.aspectRatio", "contradicts the aspect_ratio: give one or the other")
  end
  if route == "fal" then return add(entries, ASPECT_RATIO.fal, ratio) end
  if not quotient then return plan.refuse(built, "aspect_ratio", "must be a ratio such as 16:9", RATIOS) end
  add(entries, ASPECT_RATIO.direct, quotient)
end

local function add_values(entries, payload, route)
  local parameters = payload.parameters
  for _, value in ipairs(check.present(VALUES, parameters)) do
    local name = value.name
    add(entries, ITEMS[route][name], parameters[name], is_defaulted(payload, name))
  end
  if not payload.duration_seconds then return end
  add(entries, DURATION_ITEM, payload.duration_seconds, is_defaulted(payload, "duration_seconds"))
end

-- The rest: preferences that Pika has not got, the vendor's own further parameters, and what decides but cannot be said.
local function add_others(entries, payload, built)
  local parameters = payload.parameters
  if (parameters.samples or 1) > 1 then
    plan.refuse(built, "parameters.samples", "Pika makes one video per request", ONE)
  end
  if parameters.width or parameters.height then
    local field = parameters.width and "parameters.width" or "parameters.height"
    plan.refuse(built, field, "Pika has resolutions and aspect ratios, no sizes in pixels", RESOLUTIONS)
  end
  for _, name in ipairs(names.unknown(parameters, HANDLED) or NONE) do
    if not fal_options.is_option(name, built.description) then
      local known = video_request.PREFERENCES[name] ~= nil
      add(entries, { field = "parameters." .. name, input = name, known = known }, parameters[name])
    end
  end
end

local function check_frames_duration(payload, route, built)
  if not payload.parameters.transitions then return end
  local total = 0
  for _, transition in ipairs(payload.parameters.transitions) do total = total + (tonumber(transition.duration) or 0) end
  if route == "fal" and total > MAX_TRANSITION_SECONDS then
    plan.refuse(built, "parameters.transitions", "must not last more than " .. MAX_TRANSITION_SECONDS .. " seconds together")
  end
end

-- What a submit of this payload to this model would send (plan.lua).
local function build(payload, path)
  local route, entries = route_of(payload), {}
  local built = model_inputs.new_plan(path, description_of(route, path))
  local prompt, count = video_request.joined_prompt(payload, NONE)
  if prompt then add(entries, PROMPTS[route], prompt) end
  if count > 1 then plan.note(built, "Pika takes one prompt: the prompts are joined, one a line") end
  add_values(entries, payload, route)
  add_aspect_ratio(entries, payload, route, built)
  add_files(entries, payload, route, built)
  if has_any_pictures(payload) then
    for _, kind in ipairs(LIST_KINDS) do add_pictures(entries, payload, kind, route, built) end
  end
  add_others(entries, payload, built)
  check_frames_duration(payload, route, built)
  for _, entry in ipairs(entries) do model_inputs.put(built, entry.item, entry.value, entry.is_default) end
  if payload.wrapped then
    plan.refuse(built, payload.wrapped, given.WRAPPED)
  else
    model_inputs.require_inputs(built)
  end
  if not built.description then plan.note(built, path .. " is not described here: it is sent unchecked") end
  for _, name in ipairs(payload.ignored or NONE) do
    plan.warn(built, name, "is not understood; inputs of the model belong in parameters")
  end
  given.finish(built, payload)
  return built
end

local function is_direct(job)
  return (job.state or {}).route == "direct" or (job.payload or {}).route == "direct"
end

local function direct_submit(payload, ctx, path, body)
  ctx.warn { field = "route", message = "Pika's direct API is unverified: it was for partners, and not confirmed since 2025" }
  fal_options.warn(ctx, payload, nil, "has a meaning only on the route fal; left out")
  return pika_direct.submit(ctx, path, body)
end

local function needs_prompt(payload)
  local route = route_of(payload)
  local description = description_of(route, path_of(payload))
  local input = description and description.inputs[PROMPTS[route].input]
  return input and input.required
end

-- ---- the provider's functions --------------------------------------------------------------------------------------

local function prepare(request)
  local top = check.reader(request)
  local model, names_direct = read_model(top)
  local route = read_route(top, names_direct)
  local payload = video_request.read(request, READING)
  payload.model, payload.route = model, route
  read_values(payload)
  payload.queue = fal_options.read(payload, top, payload.parameters, description_of(route_of(payload), path_of(payload)))
  if not model then fill_defaults(payload) end
  local has_prompt = payload.wrapped or video_request.joined_prompt(payload, NONE)
  if not has_prompt and needs_prompt(payload) then check.fail("prompt", "is required") end
  return payload, nil, build(payload, path_of(payload))
end

-- The seconds that will be billed, least and most; nil when the request does not say.
local function seconds_of(payload, body, known)
  if not body.image_urls then
    local last = body.duration or DURATIONS[#DURATIONS]
    return body.duration or DURATIONS[1], last
  end
  local total = 0
  for _, transition in ipairs(payload.parameters.transitions or NONE) do
    if type(transition.duration) ~= "number" then return nil end
    total = total + transition.duration
  end
  if total == 0 or #payload.parameters.transitions ~= #body.image_urls - 1 then return nil end
  return math.max(total, known.min_seconds), math.max(total, known.min_seconds)
end

local function estimate(payload, built)
  if route_of(payload) == "direct" then return nil, "Pika has no published price for its direct API" end
  local path = path_of(payload)
  local known = pika_prices.PRICING.models[path]
  if not known then return nil, "the price of " .. path .. " is not known here" end
  built = built or build(payload, path)
  if plan.is_refused(built) then return nil, plan.first_refusal(built) end
  if plan.unpriced_by(built) then return nil, plan.unpriced_by(built) end
  local answer = { model = path, source = known.source, as_of = known.as_of }
  if known.usd_per_video then
    answer.expected, answer.low, answer.high = known.usd_per_video, known.usd_per_video, known.usd_per_video
    answer.unit, answer.quantity = "video", 1
    return answer
  end
  local resolution = built.body.resolution or DEFAULT_RESOLUTION
  local rate = known.usd and known.usd[resolution]
  if not rate then return nil, "the price of " .. path .. " at " .. resolution .. " is not known here" end
  local seconds, most = seconds_of(payload, built.body, known)
  if not seconds then return nil, "the duration of every transition between the frames" end
  answer.expected = usd.to_micros(seconds / known.seconds * rate)
  answer.low, answer.high = answer.expected, usd.to_micros(most / known.seconds * rate)
  answer.unit, answer.quantity, answer.unit_usd = "second", seconds, usd.to_micros(rate / known.seconds)
  return answer
end

local function health(ctx)
  return fal_queue.health(ctx, FAL_PREFIX .. MODEL_FOR.fal.text)
end

-- How to read the output of a payload's model (providers/fal/queue.lua), with what it costs at present.
local function reading_of(payload, built)
  local figures = payload.parameters and estimate(payload, built)
  return { usd = figures and figures.expected or nil }
end

local function submit(payload, ctx, built)
  local path = path_of(payload)
  built = built or build(payload, path)
  model_inputs.announce(built, ctx)
  if plan.is_refused(built) then return nil, plan.refusals(built) end
  if route_of(payload) == "direct" then return direct_submit(payload, ctx, path, built.body) end
  local result = fal_queue.submit(ctx, FAL_PREFIX .. path, built.body, payload.queue)
  return fal_queue.with_reading(result, reading_of(payload, built), FAL_MODELS[path] ~= nil)
end

local function poll(job, ctx)
  if is_direct(job) then return pika_direct.poll(job, ctx) end
  local payload = job.payload or {}
  return fal_queue.poll(job, ctx, fal_model(payload), reading_of(payload))
end

local function cancel(job, ctx)
  if is_direct(job) then return pika_direct.cancel(job) end
  return fal_queue.cancel(job, ctx, fal_model(job.payload or {}))
end

local function webhook(delivery, ctx)
  local payload = delivery.job and delivery.job.payload or {}
  return fal_queue.webhook(delivery, ctx, fal_model(payload), reading_of(payload))
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
  hosts = { "fal.run", "api.fal.ai", pika_direct.HOST },
  outputs = fal_queue.OUTPUTS,
  auth = { ["Authorization"] = "Key {api_key}" },
  auth_forms = { direct = pika_direct.AUTH },
  capabilities = CAPABILITIES, pricing = pika_prices.PRICING,
  prepare = prepare, estimate = estimate, health = health,
  submit = submit, poll = poll, cancel = cancel, webhook = webhook,
  webhook_signature = fal_queue.WEBHOOK_SIGNATURE,
}
