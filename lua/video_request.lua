-- video_request.lua - reads the request for a video that every video vendor gets in the same words.
--
-- It checks types and names (wrong ones are a 400 with the field's path) and says nothing about what a vendor can do: that is
-- the script's part. Pictures may come as one text, one object or a list, and under several names; here they become one list.

local cjson = require "cjson"
local check = require "check"
local data_uri = require "data_uri"

local video_request = {}

local INTEGERS = { "steps", "width", "height" }
local NUMBERS = { "fps", "guidance_scale", "cfg_scale" }
local TEXTS = { "negative_prompt", "style_preset" }

--- Names of the provider family that not every vendor has, and that only colour what is made.
video_request.PREFERENCES = {
  steps = true, guidance_scale = true, cfg_scale = true, style = true, style_preset = true, fps = true, quality = true,
  negative_prompt = true, seed = true, safety = true,
}

-- Parameters that may also stand at the top of the request.
local COMMON = { "resolution", "width", "height", "samples", "seed", "image", "init_image", "video", "init_video" }

-- Top-level names that choose the provider or are read by name; everything else is a parameter or is reported as not understood.
local READ_BY_NAME = {
  id = true, provider_id = true, mode = true, prompt = true, model = true, parameters = true, duration_seconds = true,
  duration = true, aspect_ratio = true, prompts = true, multi_prompt = true,
}

-- Pattern functions refuse long subjects: what scripts match is cut short here.
local MAX_SCHEME_BYTES, MAX_MODEL_BYTES, MAX_WORD_BYTES = 32, 200, 64

--- Whether a text names a file (a URL of any scheme, or a data URI) and is not words.
function video_request.is_media(text)
  if data_uri.is(text) then return true end
  return string.find(string.sub(text, 1, MAX_SCHEME_BYTES), "^%a[%w+.-]*://") ~= nil
end

local function read_number_text(text)
  local head = string.sub(check.trim(text), 1, 32)
  return tonumber(head) or tonumber((string.gsub(head, "[sS]$", "")))
end

-- A length in seconds: 5, "5" and "5s" are the same. The word "auto" is left to the vendors that have it.
local function read_duration(reader)
  local value, name = reader:raw { "duration_seconds", "duration" }
  if value == nil then return nil end
  if value == "auto" then return value end
  if type(value) == "string" then value = read_number_text(value) end
  if type(value) ~= "number" or value ~= value or value == math.huge then
    check.fail(reader:path(name), "must be a number of seconds")
  end
  if value <= 0 then check.fail(reader:path(name), "must be more than 0 seconds") end
  return math.tointeger(value) or value
end

local function sorted_keys(object)
  local names = {}
  for name in pairs(object) do names[#names + 1] = tostring(name) end
  table.sort(names)
  return names
end
video_request.sorted_keys = sorted_keys

-- `parameters`, and what of the top level belongs there, with the common ones in their right types.
local function read_parameters(top, payload, options)
  local parameters = check.copy(top:object_of("parameters", { default = {} }))
  local movable = check.copy(options.parameters)
  for _, list in ipairs { INTEGERS, NUMBERS, TEXTS, COMMON } do
    for _, name in ipairs(list) do movable[name] = true end
  end
  for name in pairs(video_request.PREFERENCES) do movable[name] = true end
  local ignored = {}
  for _, name in ipairs(sorted_keys(top.object)) do
    local value = top.object[name]
    if not READ_BY_NAME[name] and not options.pictures[name] and check.is_given(value) then
      if not movable[name] then
        ignored[#ignored + 1] = name
      elseif parameters[name] == nil then
        parameters[name] = value
      end
    end
  end
  if #ignored > 0 then payload.ignored = ignored end
  for name, value in pairs(parameters) do
    if value == cjson.null then parameters[name] = nil end
  end
  return parameters
end

local function check_types(parameters)
  local reader = check.reader(parameters, "parameters")
  for _, name in ipairs(INTEGERS) do parameters[name] = reader:integer(name, { min = 1 }) end
  for _, name in ipairs(NUMBERS) do parameters[name] = reader:number(name) end
  for _, name in ipairs(TEXTS) do parameters[name] = reader:text(name) end
  parameters.samples = reader:integer("samples", { min = 1 })
  parameters.seed = reader:integer("seed", { wide = true })
  parameters.resolution = reader:text("resolution", { lower = true, blank = "absent", max = MAX_WORD_BYTES })
end

-- One picture or shot: text, or an object. The path names it in complaints.
local function check_picture(item, path)
  if type(item) == "string" then
    if check.trim(item) == "" then check.fail(path, "must not be empty") end
  elseif type(item) ~= "table" then
    check.fail(path, "must be text or an object")
  end
end

local function is_list(value)
  return type(value) == "table" and #value > 0
end

local function is_empty(value)
  return value == nil or value == cjson.null or value == "" or (type(value) == "table" and next(value) == nil)
end

local function check_pictures(value, path)
  if is_empty(value) then return end
  if not is_list(value) then return check_picture(value, path) end
  for index, item in ipairs(value) do check_picture(item, ("%s[%d]"):format(path, index - 1)) end
end

local function read_prompts(top)
  local prompts, name = top:raw { "prompts", "multi_prompt" }
  if prompts == nil then return nil end
  prompts = top:array_of(name)
  for index, item in ipairs(prompts) do
    local path = ("%s[%d]"):format(name, index - 1)
    local text = item
    if type(item) == "table" then text = item.prompt or item.text end
    if type(text) ~= "string" or check.trim(text) == "" then check.fail(path, "must be text, or an object with a prompt") end
  end
  return #prompts > 0 and prompts or nil
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
  for _, name in ipairs(sorted_keys(pictures)) do
    local list = pictures[name] == name and own or others
    list[#list + 1] = name
  end
  for _, name in ipairs(others) do own[#own + 1] = name end
  return own
end

--- Makes the payload of a request, without defaults. Options: `pictures`, a table from each name under which pictures may come
-- to the name that they get in the payload; `parameters`, a set of further names that may also stand at the top.
-- Top-level names that nobody knows are listed in payload.ignored.
function video_request.read(request, options)
  local top = check.reader(request)
  local payload = { mode = top:choice("mode", { "video" }, { lower = true, blank = "absent", default = "video" }) }
  payload.parameters = read_parameters(top, payload, options)
  check_types(payload.parameters)
  local inner = check.reader(payload.parameters, "parameters")
  payload.prompt = top:text("prompt") or inner:text "prompt"
  if payload.prompt == "" then check.fail("prompt", "must not be empty") end
  payload.prompts = read_prompts(top)
  payload.model = top:text("model", { blank = "absent", max = MAX_MODEL_BYTES })
  payload.duration_seconds = read_duration(top) or read_duration(inner)
  local word = { blank = "absent", max = MAX_WORD_BYTES }
  payload.aspect_ratio = top:text("aspect_ratio", word) or inner:text("aspect_ratio", word)
  for _, name in ipairs(picture_names(options.pictures)) do
    local value, kept_as = top:raw(name), options.pictures[name]
    if not is_empty(value) then
      check_pictures(value, name)
      payload[kept_as] = joined(payload[kept_as], value)
    end
  end
  return payload
end

--- Where the client wrote a value that the payload keeps at the top: for the `field` of a refusal.
function video_request.field(payload, name, alias)
  local parameters = payload.parameters
  if parameters[name] ~= nil then return "parameters." .. name end
  if alias and parameters[alias] ~= nil then return "parameters." .. alias end
  return name
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
    check_pictures(payload.parameters[name], "parameters." .. name)
    add_pictures(found, payload.parameters[name], "parameters." .. name)
  end
  for _, name in ipairs(top_names) do add_pictures(found, payload[name], name) end
  return found
end

--- The prompt as one text: the prompt, the further prompts, then the texts of the pictures, one a line; nil if there is none.
-- The second value is how many texts it was made of.
function video_request.joined_prompt(payload, pictures)
  local lines = { payload.prompt }
  for _, item in ipairs(payload.prompts or {}) do
    local text = type(item) == "table" and (item.prompt or item.text) or item
    lines[#lines + 1] = check.trim(text)
  end
  for _, picture in ipairs(pictures) do
    if type(picture.text) == "string" then lines[#lines + 1] = picture.text end
  end
  return #lines > 0 and table.concat(lines, "\n") or nil, #lines
end

--- The length of a text in UTF-16 code units, which is what JavaScript vendors count. Past `limit` it stops counting.
function video_request.utf16_length(text, limit)
  -- A code unit takes at most three bytes of UTF-8, so this is surely too long; a megabyte is not worth counting.
  if #text > 3 * limit then return limit + 1 end
  local count = utf8.len(text)
  if not count then return #text end
  for _, code in utf8.codes(text) do
    if code > 0xFFFF then count = count + 1 end
  end
  return count
end

return video_request
