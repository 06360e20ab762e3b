-- outputs.lua - finds the files in an answer whose shape its author chose: a GPU worker, a function, somebody's model.
--
-- Such an answer is any JSON value. URLs, data URIs and base64 files in it become artifacts of their own; what is left of it
-- follows as one artifact more, so that nothing is lost and no file is kept twice.

local cjson = require "cjson"
local data_uri = require "data_uri"

local outputs = {}

local MAX_DEPTH, MAX_FILES, MAX_URL_BYTES = 8, 256, 4096

-- How the files that media workers return begin, in base64.
local BASE64_STARTS = {
  { "iVBORw0KGgo", "image/png" }, { "/9j/", "image/jpeg" }, { "R0lGOD", "image/gif" }, { "GkXfo", "video/webm" },
  { "SUQz", "audio/mpeg" }, { "ZkxhQ", "audio/flac" }, { "T2dnUw", "audio/ogg" }, { "UEsDB", "application/zip" },
}

-- RIFF and ISO media name their kind some bytes later.
local RIFF_KINDS = { XRUJQ = "image/webp", XQVZF = "audio/wav" }
local ISO_KINDS = { hdmlm = "image/avif" }

-- Shorter than any file; a word of that many letters may still be just a word.
local MIN_BASE64_BYTES = 64

local EXTENSIONS = {
  png = "image/png", jpg = "image/jpeg", jpeg = "image/jpeg", webp = "image/webp", gif = "image/gif", avif = "image/avif",
  mp4 = "video/mp4", webm = "video/webm", mov = "video/quicktime", mp3 = "audio/mpeg", wav = "audio/wav", flac = "audio/flac",
}

-- Facts about a file that stand beside it; they go into its artifact.
local BESIDE = { "seed", "width", "height", "filename", "content_type" }
local BESIDE_TYPES = { seed = "number", width = "number", height = "number", filename = "string", content_type = "string" }

local function url_of(text)
  local start = string.lower(string.sub(text, 1, 8))
  if start ~= "https://" and string.sub(start, 1, 7) ~= "http://" then return nil end
  if #text > MAX_URL_BYTES or string.find(text, "[%s%c]") then return nil end
  local extension = string.match(text, "^[^?#]*%.(%w+)[?#]") or string.match(text, "^[^?#]*%.(%w+)$")
  return { url = text, content_type = extension and EXTENSIONS[string.lower(extension)] }
end

--- The content type of a file in base64, by how it begins; nil when that is not known.
function outputs.base64_content_type(text)
  for _, start in ipairs(BASE64_STARTS) do
    if string.sub(text, 1, #start[1]) == start[1] then return start[2] end
  end
  local kind = string.sub(text, 12, 16)
  if string.sub(text, 1, 5) == "UklGR" then return RIFF_KINDS[kind] end
  if string.sub(text, 1, 4) == "AAAA" and string.sub(text, 7, 11) == "Z0eXB" then return ISO_KINDS[kind] or "video/mp4" end
  return nil
end

-- A name that says base64, and a beginning that could be.
local function is_named_base64(name, text)
  if #text < MIN_BASE64_BYTES or not string.find(string.sub(text, 1, MIN_BASE64_BYTES), "^[%w+/]+$") then return false end
  return string.find(name, "base64", 1, true) ~= nil or string.find(name, "b64", 1, true) ~= nil
end

local function file_of(name, text)
  if data_uri.is(text) then return { data_uri = text, content_type = data_uri.content_type(text) } end
  local artifact = url_of(text)
  if artifact then return artifact end
  local content_type = outputs.base64_content_type(text)
  if content_type or is_named_base64(string.lower(name), text) then return { base64 = text, content_type = content_type } end
  return nil
end

local function sorted_names(object)
  local names = {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local walk

local function walk_array(list, search, name, depth)
  local rest = {}
  for _, item in ipairs(list) do rest[#rest + 1] = walk(item, search, name, depth + 1) end
  return #rest > 0 and cjson.array(rest) or nil
end

-- The facts beside a file go into it, unless the file says better itself.
local function describe(files, first, object, rest)
  for position = first, #files do
    for _, name in ipairs(BESIDE) do
      if type(object[name]) == BESIDE_TYPES[name] and files[position][name] == nil then files[position][name] = object[name] end
    end
  end
  for _, name in ipairs(BESIDE) do rest[name] = nil end
end

local function walk_object(object, search, depth)
  local rest, first, own_file = {}, #search.files + 1, false
  for _, name in ipairs(sorted_names(object)) do
    if not search.ignore[name] then
      local count = #search.files
      rest[name] = walk(object[name], search, name, depth + 1)
      own_file = own_file or (type(object[name]) == "string" and #search.files > count)
    end
  end
  if own_file then describe(search.files, first, object, rest) end
  return next(rest) ~= nil and rest or nil
end

-- Files the artifacts of a value and returns what is left of it.
function walk(value, search, name, depth)
  if value == cjson.null then return nil end
  if type(value) == "string" then
    local file = #search.files < MAX_FILES and file_of(name, value) or nil
    if not file then return value end
    search.files[#search.files + 1] = file
    return nil
  end
  if type(value) ~= "table" or depth > MAX_DEPTH then return value end
  if cjson.is_array(value) then return walk_array(value, search, name, depth) end
  return walk_object(value, search, depth)
end

--- The artifacts of a value. Options: `ignore`, names of fields that are told elsewhere ({ cost = true }).
-- The files come first, in the order of the fields' names; the rest of the value follows as `text` or `json`.
function outputs.artifacts(value, options)
  if value == nil or value == cjson.null then return {} end
  local search = { files = {}, ignore = options and options.ignore or {} }
  local rest = walk(value, search, "", 0)
  if #search.files == 0 then rest = value end
  if type(rest) == "string" then
    search.files[#search.files + 1] = { text = rest, content_type = "text/plain" }
  elseif rest ~= nil then
    search.files[#search.files + 1] = { json = rest, content_type = "application/json" }
  end
  return search.files
end

return outputs
