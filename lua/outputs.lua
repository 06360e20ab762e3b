-- outputs.lua - finds the files in an answer whose shape its author chose: a GPU worker, a function, somebody's model.
--
-- Such an answer is any JSON value. URLs, data URIs and base64 files in it become artifacts of their own; what is left of it
-- follows as one artifact more, so that nothing is lost. A file that is named twice is one. A text stays a text: what a chat says
-- is no file, whatever it begins with.

local base64 = require "base64"
local cjson = require "cjson"
local data_uri = require "data_uri"
local names = require "names"
local url_parts = require "url_parts"

local outputs = {}

-- JSON of the host goes no deeper than the first; the host keeps 512 outputs of a job, and the rest of an answer is one of them.
local MAX_DEPTH, MAX_FILES, MAX_URL_BYTES = 64, 511, 8192

-- How the files that media workers return begin, in base64.
local BASE64_STARTS = {
  { "iVBORw0KGgo", "image/png" }, { "/9j/", "image/jpeg" }, { "R0lGOD", "image/gif" }, { "GkXfo", "video/webm" },
  { "SUQz", "audio/mpeg" }, { "ZkxhQ", "audio/flac" }, { "T2dnUw", "audio/ogg" }, { "UEsDB", "application/zip" },
  { "Z2xUR", "model/gltf-binary" }, { "JVBER", "application/pdf" },
}

-- RIFF and ISO media name their kind some bytes later.
local RIFF_KINDS = { XRUJQ = "image/webp", XQVZF = "audio/wav" }
local ISO_KINDS = { hdmlm = "image/avif", oZWlj = "image/heic", NNEEg = "audio/mp4", xdCAg = "video/quicktime" }

-- An MPEG audio frame of layer III, where no tag stands before it: 0xFF, then 0xFB, 0xF3, 0xF2, 0xFA, 0xE3 or 0xE2.
local MPEG_FRAME = "^/[/+][I-Po-v]"

-- Shorter than any file; a word of that many letters may still be just a word.
local MIN_BASE64_BYTES = 64

-- A signature of so many letters is no word.
local LONG_SIGNATURE_BYTES = 8

local EXTENSIONS = {
  png = "image/png", jpg = "image/jpeg", jpeg = "image/jpeg", webp = "image/webp", gif = "image/gif", avif = "image/avif",
  mp4 = "video/mp4", webm = "video/webm", mov = "video/quicktime", mp3 = "audio/mpeg", wav = "audio/wav", flac = "audio/flac",
}

-- Facts about a file that stand beside it; they go into its artifact.
local BESIDE = { "seed", "width", "height", "filename", "file_name", "content_type" }
local BESIDE_TYPES = {
  seed = "number", width = "number", height = "number", filename = "string", file_name = "string", content_type = "string",
}
local KEPT_AS = { file_name = "filename" }

-- What is said, by the words of the engines' own APIs: an address in it is part of a sentence.
local IS_SPEECH = names.words [[ answer arguments caption completion content delta description detail error generated_text label
  logs message output_text prompt reasoning reasoning_content refusal response revised_prompt summary summary_text text thinking
  token tokens transcript transcription translation translation_text ]]

--- Whether a text is an address that a file can be had from: https, whole, with a host.
function outputs.is_url(text)
  if #text > MAX_URL_BYTES or string.lower(string.sub(text, 1, 8)) ~= "https://" then return false end
  return url_parts.parse(text) ~= nil
end

--- The content type that a URL's extension tells, or nil.
function outputs.url_content_type(url)
  local extension = string.match(url, "^[^?#]*%.(%w+)[?#]") or string.match(url, "^[^?#]*%.(%w+)$")
  return extension and EXTENSIONS[string.lower(extension)]
end

local function type_by_signature(text)
  for _, start in ipairs(BASE64_STARTS) do
    if string.sub(text, 1, #start[1]) == start[1] then return start[2], #start[1] end
  end
  local kind = string.sub(text, 12, 16)
  if string.sub(text, 1, 5) == "UklGR" then return RIFF_KINDS[kind], LONG_SIGNATURE_BYTES end
  if string.sub(text, 1, 4) == "AAAA" and string.sub(text, 7, 11) == "Z0eXB" then
    return ISO_KINDS[kind] or "video/mp4", LONG_SIGNATURE_BYTES
  end
  return string.find(string.sub(text, 1, 3), MPEG_FRAME) and "audio/mpeg" or nil, 3
end

local function says_base64(name)
  name = string.lower(name)
  return string.find(name, "base64", 1, true) ~= nil or string.find(name, "b64", 1, true) ~= nil
end

--- The content type of a file in base64, by how it begins; nil when that is not known, and for what is not base64. `name`: its
-- member's, which may say base64.
function outputs.base64_content_type(text, name)
  local content_type, length = type_by_signature(text)
  if not content_type then return nil end
  if length >= LONG_SIGNATURE_BYTES then
    return not string.find(string.sub(text, 1, 1024), "%s") and content_type or nil
  end
  if #text < MIN_BASE64_BYTES and not says_base64(name or "") then return nil end
  return data_uri.is_base64(text) and content_type or nil
end

local function file_of(search, name, text)
  if data_uri.is(text) then return { data_uri = text, content_type = data_uri.content_type(text) } end
  if outputs.is_url(text) then
    if IS_SPEECH[name] or (search.is_file and not search.is_file(name, text)) then return nil end
    return { url = text, content_type = outputs.url_content_type(text) }
  end
  if search.is_file then return nil end
  local content_type = outputs.base64_content_type(text, name)
  local is_named = #text >= MIN_BASE64_BYTES and says_base64(name) and data_uri.is_base64(text)
  return (content_type or is_named) and { base64 = text, content_type = content_type } or nil
end

-- Where the data of a file begins in its text; nil of a URL. The same bytes are one file, in a data URI or bare.
local function data_of(file)
  if file.base64 then return file.base64, 1 end
  if not file.data_uri then return nil end
  local parsed = data_uri.parse(file.data_uri)
  return file.data_uri, parsed.base64 and parsed.first or 1
end

-- Of a text of megabytes its length and its end tell first whether a comparison is worth its memory.
local PROBE_BYTES = 64

-- The file that was found before and is this one, or nil.
local function known_data(search, file)
  local text, first = data_of(file)
  local key = #text - first .. string.sub(text, -PROBE_BYTES)
  local before = search.by_data[key] or {}
  for _, known in ipairs(before) do
    local other, other_first = data_of(known)
    if first == other_first and text == other or string.sub(text, first) == string.sub(other, other_first) then return known end
  end
  before[#before + 1] = file
  search.by_data[key] = before
  return nil
end

local function known_file(search, file)
  if not file.url then return known_data(search, file) end
  local known = search.by_url[file.url]
  search.by_url[file.url] = known or file
  return known
end

-- Files a file once, and remembers that the object at hand names it. False: there is no room for one more.
local function add_file(search, file)
  local is_full = #search.files >= MAX_FILES
  local known
  if is_full then known = search.by_url[file.url or ""] else known = known_file(search, file) end
  if not known then
    if is_full then return false end
    search.files[#search.files + 1] = file
    known = file
  end
  known.content_type = known.content_type or file.content_type
  search.named[#search.named + 1] = known
  return true
end

local walk

-- A part of an answer that was too large to take apart; plain Lua has none.
local function is_whole(value)
  return cjson.is_whole ~= nil and cjson.is_whole(value)
end

local function is_blank(value)
  return value == nil or value == cjson.null or (type(value) == "table" and next(value) == nil)
end

local function walk_array(list, search, name, depth)
  local rest, count, is_empty = {}, #search.named, true
  for _, item in ipairs(list) do
    local left = walk(item, search, name, depth + 1)
    if left ~= nil then
      rest[#rest + 1] = left
      is_empty = is_empty and is_blank(left)
    end
  end
  if #search.named == count then return list end
  return not is_empty and cjson.array(rest) or nil
end

-- The facts beside a file go into it, unless the file says better itself.
local function describe(search, first, object, rest)
  for _, name in ipairs(BESIDE) do
    local value, kept_as, taken = object[name], KEPT_AS[name] or name, false
    if type(value) == BESIDE_TYPES[name] then
      for position = first, #search.named do
        local file = search.named[position]
        if file[kept_as] == nil then file[kept_as] = value end
        taken = taken or file[kept_as] == value or name == "content_type"
      end
    end
    if taken then rest[name] = nil end
  end
end

local function walk_object(object, search, depth)
  local rest, first, own_file, is_empty = {}, #search.named + 1, false, true
  for _, name in ipairs(names.sorted(object)) do
    if not search.ignore[name] then
      local count = #search.named
      rest[name] = walk(object[name], search, name, depth + 1)
      own_file = own_file or (type(object[name]) == "string" and #search.named > count)
    end
  end
  if own_file then describe(search, first, object, rest) end
  for _, value in pairs(rest) do is_empty = is_empty and is_blank(value) end
  if #search.named < first and is_empty then return next(object) ~= nil and object or nil end
  return not is_empty and rest or nil
end

-- Files the artifacts of a value and returns what is left of it.
function walk(value, search, name, depth)
  if type(value) == "string" then
    local file = file_of(search, name, value)
    if file and add_file(search, file) then return nil end
    return value
  end
  search.has_whole = search.has_whole or (type(value) == "userdata" and is_whole(value))
  if type(value) ~= "table" or depth > MAX_DEPTH then return value end
  if cjson.is_array(value) then return walk_array(value, search, name, depth) end
  return walk_object(value, search, depth)
end

--- The artifacts of a value. Options: `ignore`, names of fields that are told elsewhere ({ cost = true }); `is_file(name, url)`:
-- whether the vendor's contract has a file in a member of this name, where it says so (then bare base64 is none).
-- The files come first, in the order of the fields' names; the rest of the value follows as `text` or `json`.
function outputs.artifacts(value, options)
  if is_blank(value) then return {} end
  options = options or {}
  local search = { files = {}, by_url = {}, by_data = {}, named = {}, ignore = options.ignore or {}, is_file = options.is_file }
  local rest = walk(value, search, "", 0)
  if #search.files == 0 then rest = value end
  if type(rest) == "string" then
    search.files[#search.files + 1] = { text = rest, content_type = "text/plain" }
  elseif not is_blank(rest) then
    local artifact = search.has_whole and { base64 = cjson.bytes(rest) } or { json = rest }
    artifact.content_type = "application/json"
    search.files[#search.files + 1] = artifact
  end
  return search.files
end

--- The artifact of a text that the contract says is one, whole.
function outputs.text(text, content_type)
  return { text = text, content_type = content_type or "text/plain" }
end

--- The artifact of an answer that is the bytes of a file. In the host they never come into the script.
function outputs.bytes(response, content_type)
  return { base64 = response.bytes or base64.encode(response.body), content_type = content_type }
end

--- The artifact of an answer that says what it is: a text as text, as long as the script got all of it, all else as bytes.
function outputs.body(response, content_type)
  local is_text = string.sub(content_type, 1, 5) == "text/" or string.find(content_type, "json", 1, true)
  if is_text and not response.cut then return outputs.text(response.body, content_type) end
  return outputs.bytes(response, content_type)
end

return outputs
