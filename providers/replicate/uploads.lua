-- uploads.lua - the large files of an input, which the vendor wants to be uploaded.

local check = require "check"
local data_uri = require "data_uri"
local requests = require "replicate.requests"

local uploads = {}

local ipairs, next, type = ipairs, next, type

-- Above this size the vendor wants a file to be uploaded instead of written into `input`.
local MAX_INLINE_BYTES = 256000
uploads.MAX_INLINE_BYTES = MAX_INLINE_BYTES

local function upload_file(text, ctx)
  ctx.note "a file of more than 256 kB is uploaded first, and `input` carries its URL"
  local part = data_uri.form_part("content", text)
  local response, failure = ctx.request {
    path = "/files", form = { part, { name = "metadata", value = "{}" } }, free = true,
    mock = { status = 201, headers = {}, json = { urls = { get = requests.BASE_URL .. "/files/uploaded-" .. part.filename } } },
  }
  if not requests.is_success(response) then return nil, requests.not_accepted(response, failure) end
  local links = type(response.json) == "table" and response.json.urls
  if type(links) == "table" and type(links.get) == "string" then return links.get end
  return nil, { status = "error", error = { code = "vendor", message = "the upload was answered without a URL", billed = false } }
end

-- The keys of an object or an array in one order: numbers first.
local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  if not keys[2] then return keys end
  table.sort(keys, function(one, other)
    if type(one) == type(other) then return one < other end
    return type(one) == "number"
  end)
  return keys
end

-- A file is smaller than its data URI, so most texts need no look.
local function is_large_file(text)
  if #text <= MAX_INLINE_BYTES or not data_uri.is(text) then return false end
  local parsed = data_uri.parse(text)
  return (parsed.bytes or #text) > MAX_INLINE_BYTES
end

-- Whether a value has so long a text anywhere. Most have none, and then nothing has to be put in order.
local function has_large_text(value)
  local kind = type(value)
  if kind == "string" then return #value > MAX_INLINE_BYTES end
  if kind ~= "table" then return false end
  for _, item in next, value do
    if has_large_text(item) then return true end
  end
  return false
end

local function replace(value, ctx)
  local kind = type(value)
  if kind == "string" and is_large_file(value) then return upload_file(value, ctx) end
  if kind ~= "table" then return value end
  local changed
  for _, key in ipairs(sorted_keys(value)) do
    local item, failed = replace(value[key], ctx)
    if failed then return nil, failed end
    if item ~= value[key] then
      changed = changed or check.copy(value)
      changed[key] = item
    end
  end
  return changed or value
end

--- `value` with every large data URI in it replaced by the URL of its upload, or nil and the result of a failed upload.
-- Only what changes is copied: a table that the JSON bridge has marked stays the same table.
function uploads.replace(value, ctx)
  if not has_large_text(value) then return value end
  return replace(value, ctx)
end

return uploads
