-- video_request.lua - reads the request for a video that every video vendor gets in the same words.
--
-- It checks types and names (wrong ones are a 400 with the field's path) and says nothing about what a vendor can do: that is
-- the script's part. Pictures may come as one text, one object or a list, and under several names; here they become one list.

local cjson = require "cjson"
local check = require "check"
local data_uri = require "data_uri"
local given = require "given"
local names = require "names"
local plans = require "plan"

local null = cjson.null
local new_reader, is_given, present_fields, is_blank = check.reader, check.is_given, check.present, check.is_blank
local read_given, take_wrapper, has_any = given.read, given.take_wrapper, names.has_any
local ipairs, next, pairs, sort, type = ipairs, next, pairs, table.sort, type

local video_request = {}

-- Options of the readers of check.lua.
local FROM_ONE = { min = 1 }

-- The one mode of each kind, and how it is read.
local MODES = {}
for _, kind in ipairs { "video", "image" } do
  MODES[kind] = { values = { kind }, options = { lower = true, blank = "absent", default = kind } }
end

-- Pattern functions refuse long subjects: what scripts match is cut short here.
local MAX_SCHEME_BYTES, MAX_MODEL_BYTES, MAX_WORD_BYTES, MAX_ADDRESS_BYTES = 32, 200, 64, 8192

-- No vendor takes nearly as many pictures, shots, prompts or parameters; to look at each of a hundred thousand takes the time of
-- all callers.
local MAX_ITEMS = 1000
local TOO_MANY = "must have at most " .. MAX_ITEMS .. " items"
local LIST = { max = MAX_ITEMS }

local MODEL = { blank = "absent", max = MAX_MODEL_BYTES }
local WORD = { blank = "absent", max = MAX_WORD_BYTES }

-- The common parameters that have one type with every vendor.
local TYPED = check.field_list {
  { name = "steps", kind = "integer", options = FROM_ONE },
  { name = "width", kind = "integer", options = FROM_ONE },
  { name = "height", kind = "integer", options = FROM_ONE },
  { name = "fps", kind = "number" },
  { name = "guidance_scale", kind = "number" },
  { name = "cfg_scale", kind = "number" },
  { name = "negative_prompt", kind = "text" },
  { name = "style", kind = "text" },
  { name = "style_preset", kind = "text" },
  { name = "samples", kind = "integer", options = FROM_ONE },
  { name = "seed", kind = "integer", options = { wide = true } },
  { name = "resolution", kind = "text", options = { lower = true, blank = "absent", max = MAX_WORD_BYTES } },
}

--- Names of the provider family that not every vendor has, and that only colour what is made.
video_request.PREFERENCES = names.set {
  "steps", "guidance_scale", "cfg_scale", "style", "style_preset", "fps", "quality", "negative_prompt", "seed", "safety",
}

-- Parameters that may also stand at the top of the request.
local COMMON = names.union(TYPED.by_name, video_request.PREFERENCES, names.set { "image", "init_image", "video", "init_video" })

-- Top-level names that choose the provider, or are read where the request is.
local READ_ELSEWHERE = names.set { "id", "provider_id", "mode", "parameters" }

local NONE = {}

--- Whether a text names a file (a URL of any scheme, or a data URI) and is not words; a sentence may begin with an address.
function video_request.is_media(text)
  if data_uri.is(text) then return true end
  if not string.find(string.sub(text, 1, MAX_SCHEME_BYTES), "^%a[%w+.-]*://") then return false end
  return not string.find(string.sub(text, 1, MAX_ADDRESS_BYTES), "%s")
end

local function read_number_text(text)
  local head = string.sub(check.trim(text), 1, 32)
  return tonumber(head) or tonumber((string.gsub(head, "[sS]$", "")))
end

-- A length in seconds: 5, "5" and "5s" are the same. The word "auto" is left to the vendors that have it.
local function read_duration(reader, duration_names)
  local value, name = reader:raw(duration_names)
  if value == nil then return nil end
  if value == "auto" then return value end
  if type(value) == "string" then value = read_number_text(value) end
  if type(value) ~= "number" or value ~= value or value == math.huge then
    check.fail(reader:path(name), "must be a number of seconds")
  end
  if value <= 0 then check.fail(reader:path(name), "must be more than 0 seconds") end
  return math.tointeger(value) or value
end

-- A copy of `parameters`. Nulls count as not given, unless all are the model's own.
local function read_parameters(top, own)
  local parameters, count = {}, 0
  if not is_given(top.object.parameters) then return parameters end
  for name, value in next, top:object_of "parameters" do
    if value ~= null or own == true then parameters[name] = value end
    count = count + 1
  end
  if count > MAX_ITEMS then check.fail("parameters", TOO_MANY) end
  return parameters
end

-- Puts a value from the top of the request where it belongs.
local function move_parameter(payload, name, value)
  local present = payload.parameters[name]
  if present == nil or present == null then
    payload.parameters[name] = value
    given.keep(payload, "parameters." .. name, name)
  elseif not given.same(present, value) then
    given.contradict(payload, name, "parameters." .. name, not video_request.PREFERENCES[name])
  end
end

local function keep_ignored(top, payload, ignored)
  payload.wrapped = take_wrapper(top.object, ignored)
  if not ignored[1] then return end
  sort(ignored)
  payload.ignored = ignored
end

-- Looks at each name at the top once (places_of), and moves what belongs to the parameters. Returns whether there is a prompt by
-- its usual name, another value that has a name of its own, pictures, and names that the script reads itself.
local function look_at_top(top, payload, reading)
  local has_prompt, has_named, has_pictures, has_own = false, false, false, false
  local places, ignored = reading.places, nil
  for name, value in next, top.object do
    local place = places[name]
    if value == null then place = "elsewhere" end
    if place == "prompt" then
      has_prompt = true
    elseif place == "named" then
      has_named = true
    elseif place == "pictures" then
      has_pictures = true
    elseif place == "own" then
      has_own = true
    elseif place == "parameters" then
      move_parameter(payload, name, value)
    elseif place ~= "elsewhere" then
      ignored = ignored or {}
      ignored[#ignored + 1] = name
    end
  end
  if ignored then keep_ignored(top, payload, ignored) end
  return has_prompt, has_named, has_pictures, has_own
end

-- One picture or shot: text, or an object. The path names it in complaints.
local function check_picture(item, path)
  if type(item) == "string" then
    if is_blank(item) then check.fail(path, "must not be empty") end
  elseif type(item) ~= "table" then
    check.fail(path, "must be text or an object")
  end
end

local function is_list(value)
  return type(value) == "table" and #value > 0
end

local function is_empty(value)
  return value == nil or value == null or value == "" or (type(value) == "table" and next(value) == nil)
end

local function check_pictures(value, path)
  if is_empty(value) then return end
  if not is_list(value) then return check_picture(value, path) end
  if #value > MAX_ITEMS then check.fail(path, TOO_MANY) end
  for index, item in ipairs(value) do check_picture(item, ("%s[%d]"):format(path, index - 1)) end
end

local function read_prompts(reader, name)
  local prompts = reader:array_of(name, LIST)
  for index, item in ipairs(prompts) do
    local path = ("%s[%d]"):format(reader:path(name), index - 1)
    local text = item
    if type(item) == "table" then text = item.prompt or item.text end
    if type(text) ~= "string" or is_blank(text) then check.fail(path, "must be text, or an object with a prompt") end
  end
  return #prompts > 0 and prompts or nil
end

local function read_prompt(reader, name)
  local prompt = reader:text(name)
  if prompt == "" then check.fail(reader:path(name), "must not be empty") end
  return prompt
end

-- What the payload has at its top; what is not at the top of the request may be among its parameters, unless `at_top`.
-- `prompt_names`: the vendor's own for the prompt.
local function named_fields(prompt_names)
  local all_prompt_names = prompt_names and { "prompt", table.unpack(prompt_names) } or "prompt"
  return check.field_list {
    { name = "prompt", names = all_prompt_names, read = read_prompt, decides = true },
    { name = "prompts", names = { "prompts", "multi_prompt" }, read = read_prompts, decides = true },
    { name = "model", kind = "text", options = MODEL, at_top = true },
    { name = "duration_seconds", names = { "duration_seconds", "duration" }, read = read_duration, decides = true },
    { name = "aspect_ratio", kind = "text", options = WORD, decides = true },
  }
end

-- OpenAI's word for the length, at the top only: among the parameters it may be a vendor's own.
local SECONDS_LIST = check.field_list {
  { name = "duration_seconds", names = { "duration_seconds", "duration", "seconds" }, read = read_duration, decides = true },
}
local SECONDS = SECONDS_LIST[1]

local function read_named(top, inner, payload, reading)
  local fields, count = present_fields(reading.named, top.object, inner and inner.object)
  for index = 1, count do
    local field = fields[index]
    payload[field.name] = read_given(payload, field, top, not field.at_top and inner or nil)
  end
  if payload.duration_seconds == nil and is_given(top.object.seconds) then
    payload.duration_seconds = read_given(payload, SECONDS, top)
  end
end

-- What came under several names, as one list.
local function joined(first, second)
  if first == nil then return second end
  local list = is_list(first) and check.copy(first) or { first }
  for _, item in ipairs(is_list(second) and second or { second }) do list[#list + 1] = item end
  return list
end

-- The names of pictures: those that are kept as they are come first.
local function picture_names(pictures)
  local own, others = {}, {}
  for _, name in ipairs(names.sorted(pictures)) do
    local list = pictures[name] == name and own or others
    list[#list + 1] = name
  end
  for _, name in ipairs(others) do own[#own + 1] = name end
  return own
end

-- Where the client wrote the pictures that are added to those that the payload has already.
local function keep_paths(payload, kept_as, name, value)
  local present = payload[kept_as]
  if present == nil then return given.keep(payload, kept_as, name) end
  local before = is_list(present) and #present or 1
  if not is_list(value) then return given.keep(payload, ("%s[%d]"):format(kept_as, before), name) end
  for index = 1, #value do
    given.keep(payload, ("%s[%d]"):format(kept_as, before + index - 1), ("%s[%d]"):format(name, index - 1))
  end
end

local function read_pictures(top, payload, reading)
  for _, name in ipairs(reading.picture_names) do
    local value, kept_as = top:raw(name), reading.pictures[name]
    if not is_empty(value) then
      check_pictures(value, name)
      keep_paths(payload, kept_as, name, value)
      payload[kept_as] = joined(payload[kept_as], value)
    end
  end
end

-- What each name at the top of a request is: the "prompt", another of the "named", one of the "pictures" or of the "parameters",
-- the script's "own", or read "elsewhere". No other name is understood.
local function places_of(reading, own, prompt_names)
  local places = {}
  local function put(set, place)
    for name in pairs(set) do places[name] = place end
  end
  put(reading.movable, "parameters")
  put(READ_ELSEWHERE, "elsewhere")
  put(names.set(own or NONE), "own")
  put(reading.named.by_name, "named")
  put(SECONDS_LIST.by_name, "named")
  put(names.set(prompt_names or NONE), "named")
  put(reading.pictures, "pictures")
  places.prompt = "prompt"
  return places
end

--- How a vendor's requests are read, made once, at load. `pictures`: from each name under which pictures may come to the name
-- that they get in the payload; `parameters`: a set of further names that may also stand at the top; `own`: a list of names at
-- the top that the script reads itself; `prompt_names`: a list of the vendor's own names for the prompt.
function video_request.reading(pictures, parameters, own, prompt_names)
  local reading = {
    named = named_fields(prompt_names), pictures = pictures, picture_names = picture_names(pictures),
    movable = names.union(COMMON, parameters),
  }
  reading.places = places_of(reading, own, prompt_names)
  return reading
end

--- The mode that a request names: there is one for each kind ("video" or "image", default "video").
function video_request.mode(top, kind)
  if kind ~= "image" then kind = "video" end
  if top.object.mode == nil then return kind end
  local mode = MODES[kind]
  return top:choice("mode", mode.values, mode.options)
end

-- The parameters that are read as words of ours: not those that the model has itself.
local function read_typed(payload, own)
  if own == true or next(payload.parameters) == nil then return nil end
  local words = payload.parameters
  if own and has_any(words, own) then
    words = check.copy(words)
    for name in pairs(payload.parameters) do
      if own[name] and TYPED.by_name[name] then words[name] = nil end
    end
  end
  local inner = new_reader(words, "parameters")
  inner.given_as = payload.given_as
  inner:fields(TYPED, payload.parameters)
  return inner
end

--- Makes the payload of a request, without defaults; `reading` is made by video_request.reading.
-- Top-level names that nobody knows are listed in payload.ignored. `top`: a reader of the request, if there is one already.
-- Second: whether the request has any of the `own` names of its reading; third: whether there is a prompt, and nothing else but
-- those. `options`: `kind`, "video" or "image" (default "video");
-- `own`, a set of names of parameters that the model has itself: these stay as they are given; true: all do, and none is read.
function video_request.read(request, reading, options, top)
  local kind, own = options and options.kind, options and options.own
  top = top or new_reader(request)
  local payload = { -- with room for what most requests bring
    mode = video_request.mode(top, kind), parameters = read_parameters(top, own),
    prompt = nil, model = nil, duration_seconds = nil, aspect_ratio = nil, defaulted = nil,
  }
  local has_prompt, has_named, has_pictures, has_own = look_at_top(top, payload, reading)
  local inner = read_typed(payload, own)
  if has_named or inner then
    read_named(top, inner, payload, reading)
  elseif has_prompt then -- and nothing beside that could be another
    payload.prompt = read_prompt(top, "prompt")
  end
  if has_pictures then read_pictures(top, payload, reading) end
  local has_more = has_named or has_pictures or inner or own or payload.ignored or payload.wrapped
  return payload, has_own, has_prompt and not has_more
end

--- A reader of the parameters of a payload, for what one vendor reads further.
function video_request.reader(payload)
  local reader = new_reader(payload.parameters, "parameters")
  reader.given_as = payload.given_as
  return reader
end

--- Takes a model that is named only among the parameters.
function video_request.take_model(payload)
  if payload.model ~= nil or payload.parameters.model == nil then return end
  payload.model = payload.parameters.model
  given.keep(payload, "model", "parameters.model")
end

-- A picture as { field =, uri =, text =, generation =, position =, object = }.
local function as_picture(item, field)
  if type(item) == "string" then
    if video_request.is_media(item) then return { field = field, uri = item } end
    return { field = field, text = check.trim(item) }
  end
  return {
    field = field, object = item, uri = item.uri or item.url or item.image, text = item.prompt or item.text or item.description,
    generation = item.generation_id or item.id, position = item.position, tag = item.tag, weight = item.weight,
  }
end

local function add_pictures(found, value, field)
  if is_empty(value) then return end
  if not is_list(value) then
    found[#found + 1] = as_picture(value, field)
    return
  end
  for index, item in ipairs(value) do found[#found + 1] = as_picture(item, ("%s[%d]"):format(field, index - 1)) end
end

--- The pictures and shots of a payload in order: from the named parameters, then from the named top-level fields.
function video_request.pictures(payload, parameter_names, top_names)
  local found = {}
  for _, name in ipairs(parameter_names) do
    local value = payload.parameters[name]
    if value ~= nil then
      check_pictures(value, "parameters." .. name)
      add_pictures(found, value, "parameters." .. name)
    end
  end
  for _, name in ipairs(top_names) do
    if payload[name] ~= nil then add_pictures(found, payload[name], name) end
  end
  return found
end

--- The prompt as one text: the prompt, the further prompts, then the texts of the pictures, one a line; nil if there is none.
-- The second value is how many texts it was made of.
function video_request.joined_prompt(payload, pictures)
  if payload.prompts == nil and pictures[1] == nil then return payload.prompt, payload.prompt and 1 or 0 end
  local lines = { payload.prompt }
  for _, item in ipairs(payload.prompts or NONE) do
    local text = type(item) == "table" and (item.prompt or item.text) or item
    lines[#lines + 1] = check.trim(text)
  end
  for _, picture in ipairs(pictures) do
    if type(picture.text) == "string" then lines[#lines + 1] = picture.text end
  end
  return #lines > 0 and table.concat(lines, "\n") or nil, #lines
end

--- Warns of every prompt, where none has a place.
function video_request.warn_of_prompts(plan, payload, message)
  if payload.prompt ~= nil then plans.warn(plan, "prompt", message) end
  if payload.prompts ~= nil then plans.warn(plan, "prompts", message) end
  if payload.prompt == nil and payload.prompts == nil then plans.warn(plan, "storyboard", message) end
end

--- Whether a text is longer than so many UTF-16 code units, which is what JavaScript vendors count.
function video_request.is_longer_than(text, limit)
  -- A code unit takes one to three bytes of UTF-8: most texts need no counting, and a megabyte is not worth it.
  if #text <= limit then return false end
  if #text > 3 * limit then return true end
  local count = utf8.len(text)
  if not count then return true end
  for _, code in utf8.codes(text) do
    if code > 0xFFFF then count = count + 1 end
  end
  return count > limit
end

return video_request
