-- body.lua - the body of a request to Pika, built for one model on one route.

local check = require "check"
local data_uri = require "data_uri"
local fal_options = require "fal.options"
local undescribed = require "fal.undescribed"
local unlisted = require "fal.unlisted"
local fal_values = require "fal.values"
local given = require "given"
local model_inputs = require "model_inputs"
local names = require "names"
local fields = require "pika.fields"
local pika_models = require "pika.models"
local pictures = require "pika.pictures"
local routes = require "pika.routes"
local plan = require "plan"
local video_request = require "video_request"

local body = {}

local NONE = {}

local FILES, VALUES = fields.FILES, fields.VALUES
local in_list, present, unknown_names = check.in_list, check.present, names.unknown
local new_plan, put, require_inputs, finish =
  model_inputs.new_plan, model_inputs.put, model_inputs.require_inputs, model_inputs.finish
local has_pictures, joined_prompt = pictures.has_any, video_request.joined_prompt
local row_of, fal_id = routes.row, routes.fal_id
local warn_of_unlisted = unlisted.warn

local MAX_TRANSITION_SECONDS = 25
local ONE = { 1 }

-- Parameters that `build` reads by themselves, not as an input of the same name.
local HANDLED = names.union(fields.VALUES.by_name, fields.FILES.by_name, pictures.PICTURES, names.set {
  "aspect_ratio", "aspectRatio", "duration", "duration_seconds", "samples", "width", "height", "prompt", "promptText", "prompts",
  "multi_prompt",
})

-- What model_inputs.put is to know of the values and files, on each route.
local ITEMS = { fal = {}, direct = {} }
for route, items in pairs(ITEMS) do
  for _, list in ipairs { fields.VALUES, fields.FILES } do
    for _, value in ipairs(list) do
      items[value.name] = { field = "parameters." .. value.name, input = value[route], decides = value.decides, known = true }
    end
  end
end
local DURATION_ITEM = { field = "duration_seconds", input = "duration", decides = true }

local function is_defaulted(payload, name)
  return payload.defaulted ~= nil and in_list(name, payload.defaulted)
end

local function needs_file(built, route, field, text)
  if route == "direct" and not data_uri.begins(text) then
    plan.refuse(built, field, "the route direct uploads files: a data URI is needed, not a URL")
  end
end

-- Keeps what model_inputs.put is to be told of a value, when all have been looked at: in threes, with their `count`.
local function add(entries, item, value, is_default)
  local count = entries.count
  entries[count + 1], entries[count + 2], entries[count + 3] = item, value, is_default or false
  entries.count = count + 3
end

local function put_all(built, entries)
  for index = 1, entries.count, 3 do put(built, entries[index], entries[index + 1], entries[index + 2]) end
end

local function add_files(entries, payload, route, built)
  local parameters = payload.parameters
  if not (parameters.init_image or parameters.video or parameters.mask) then return end
  for _, file in ipairs(FILES) do
    local name = file.name
    local text = parameters[name]
    if text then
      needs_file(built, route, "parameters." .. name, text)
      add(entries, ITEMS[route][name], text)
    end
  end
end

-- The addresses of a list, how many pictures were meant, and the field of the first; words in place of a picture cannot go out.
local function addresses_of(payload, kind, route, built)
  local addresses = {}
  local list = video_request.pictures(payload, pictures.LISTS[kind].names, pictures.LISTS[kind].at_top)
  for _, picture in ipairs(list) do
    local address = picture.uri or pictures.address_in(picture.object)
    if type(address) ~= "string" or not (data_uri.begins(address) or fal_values.starts_with(address, "https://")) then
      plan.refuse(built, picture.field, "must be an https URL or a data URI; words belong in the prompt")
    elseif picture.text then
      plan.refuse(built, picture.field, "a text of its own beside a picture is not possible; words belong in the prompt")
    else
      needs_file(built, route, picture.field, address)
    end
    addresses[#addresses + 1] = address
  end
  return addresses, #list, list[1] and string.match(list[1].field, "^[^%[]+")
end

local function add_pictures(entries, payload, kind, route, built)
  local addresses, count, field = addresses_of(payload, kind, route, built)
  if count == 0 then return end
  local list = pictures.LISTS[kind]
  if count < list.least or list.most[route] and count > list.most[route] then
    local most = list.most[route] and "from " .. list.least .. " to " .. list.most[route] or "at least " .. list.least
    plan.refuse(built, field, "must be " .. most .. " pictures")
  end
  if kind == "references" and route == "fal" then
    for index, address in ipairs(addresses) do addresses[index] = { image_url = address } end
  end
  add(entries, { field = field, input = pictures.LISTS[kind][route], decides = true }, addresses)
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
  if not quotient then return plan.refuse(built, "aspect_ratio", "must be a ratio such as 16:9", pika_models.RATIOS) end
  add(entries, ASPECT_RATIO.direct, quotient)
end

local function add_values(entries, payload, route)
  local parameters = payload.parameters
  local values, count = present(VALUES, parameters)
  for index = 1, count do
    local name = values[index].name
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
    plan.refuse(built, field, "Pika has resolutions and aspect ratios, no sizes in pixels", pika_models.RESOLUTIONS)
  end
  local unknown = unknown_names(parameters, HANDLED)
  if not unknown then return end
  for _, name in ipairs(unknown) do
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

local function build_described(payload, path, route, row, live)
  local entries = { count = 0, nil, nil, nil, nil, nil, nil, nil, nil, nil } -- room for three
  local built = new_plan(path, row, live)
  local prompt, count = joined_prompt(payload, NONE)
  if prompt then add(entries, routes.PROMPTS[route], prompt) end
  if count > 1 then plan.note(built, "Pika takes one prompt: the prompts are joined, one a line") end
  add_values(entries, payload, route)
  add_aspect_ratio(entries, payload, route, built)
  add_files(entries, payload, route, built)
  if has_pictures(payload) then
    for _, kind in ipairs(pictures.LIST_KINDS) do add_pictures(entries, payload, kind, route, built) end
  end
  add_others(entries, payload, built)
  check_frames_duration(payload, route, built)
  put_all(built, entries)
  return built
end

local function complete(built)
  require_inputs(built)
  warn_of_unlisted(built)
  return built
end

-- What our defaults and a prompt make of the model that gets them. Most requests say nothing else.
local OF_DEFAULTS = {}
do
  local path = routes.MODEL_FOR.fal.text
  local payload = {
    prompt = "a prompt", duration_seconds = fields.DEFAULT_DURATION, parameters = { resolution = fields.DEFAULT_RESOLUTION },
    defaulted = { "duration_seconds", "resolution" },
  }
  local row = row_of("fal", path)
  if not row.inputs.prompt.maxLength then
    OF_DEFAULTS[path] = plan.template(complete(build_described(payload, path, "fal", row)), "prompt")
  end
end

local function warn_of_ignored(built, ignored)
  for _, name in ipairs(ignored) do plan.warn(built, name, "is not understood; inputs of the model belong in parameters") end
end

--- What a submit of this payload to this model would send (plan.lua). `has_only_defaults`: what fields.read says; without it all
-- is made anew.
function body.build(payload, path, ctx, has_only_defaults)
  local route = payload.route or "fal"
  local row = row_of(route, path)
  local live = route == "fal" and ctx and ctx.model and ctx.model(fal_id(path)) or nil
  local make = has_only_defaults and route == "fal" and not live and OF_DEFAULTS[path]
  local built = make and make(payload.prompt) or row and build_described(payload, path, route, row, live)
    or undescribed.build(payload, path, live, routes.PROMPTS[route].input)
  if payload.wrapped then
    plan.refuse(built, payload.wrapped, given.WRAPPED)
    warn_of_unlisted(built)
  elseif not make then
    complete(built)
  end
  if payload.ignored then warn_of_ignored(built, payload.ignored) end
  finish(built, payload, ctx)
  return built
end

return body
