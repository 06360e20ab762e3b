-- direct.lua - Pika's own API of 2025 (devapi.pika.art), as partners' clients used it. Not confirmed since: opt-in only.
--
-- A generation is a form with files, answered with a video id; the id is asked for until it is finished. There is no cancel,
-- no webhook, no idempotency and no call that is free. Videos stay for about 30 days.

local cjson = require "cjson"
local data_uri = require "data_uri"
local form_urlencoded = require "form_urlencoded"
local http_errors = require "http_errors"
local names = require "names"

local direct = { HOST = "devapi.pika.art" }

--- How its requests prove who asks: an entry of auth_forms.
direct.AUTH = { ["X-API-KEY"] = "{direct_api_key}" }

local BASE_URL = "https://" .. direct.HOST
local RETRY_AFTER = 5
local NOT_AN_ID = { field = "job_id", message = "is not a video id of Pika" }

-- Only these take application/x-www-form-urlencoded; all others multipart/form-data.
local PLAIN_FORMS = { ["generate/2.2/t2v"] = true, ["generate/turbo/t2v"] = true }

-- The order of a form's fields; the reference prescribes none.
local FORM_FIELDS = {
  "promptText", "negativePrompt", "seed", "pikaffect", "ingredientsMode", "modifyRegionRoi", "duration", "resolution",
  "aspectRatio",
}
local FORM_FILES = { "video", "image", "images", "keyFrames", "modifyRegionMask" }

-- The shortest text that reads back as the same number: 1.7777777777777777, not 1.7777777777778.
local function number_text(number)
  if math.tointeger(number) then return tostring(math.tointeger(number)) end
  for digits = 15, 17 do
    local text = string.format("%." .. digits .. "g", number)
    if tonumber(text) == number or digits == 17 then return text end
  end
end

local function field_text(value)
  if type(value) == "number" then return number_text(value) end
  return type(value) == "string" and value or cjson.encode(value)
end

-- The form of a direct request: the fields in the order of the reference, further ones after them, then the files.
local function make_form(body)
  local form, placed = {}, {}
  local function add_field(name)
    placed[name] = true
    if body[name] ~= nil then form[#form + 1] = { name = name, value = field_text(body[name]) } end
  end
  for _, name in ipairs(FORM_FIELDS) do add_field(name) end
  for _, name in ipairs(FORM_FILES) do placed[name] = true end
  for _, name in ipairs(names.sorted(body)) do
    if not placed[name] then add_field(name) end
  end
  for _, name in ipairs(FORM_FILES) do
    local files = body[name]
    if files ~= nil and (type(files) ~= "table" or #files == 0) then files = { files } end
    for _, file in ipairs(files or {}) do
      form[#form + 1] = data_uri.parse(file) and data_uri.form_part(name, file) or { name = name, value = field_text(file) }
    end
  end
  return form
end

local function send(ctx, request)
  request.auth = "direct"
  return ctx.request(request)
end

-- The vendor's texts decide the code: it answers an exhausted quota and a refused prompt with a sentence.
local function read_error(response)
  local body = type(response.json) == "table" and response.json or {}
  local first = type(body.detail) == "table" and body.detail[1]
  local text = type(body.message) == "string" and body.message or type(body.detail) == "string" and body.detail
  local code, kind
  if type(first) == "table" then
    text, kind = first.msg, first.type
  elseif text then
    local words = string.lower(string.sub(text, 1, 300))
    if string.find(words, "limit", 1, true) and string.find(words, "generate", 1, true) then code = "credit" end
    if string.find(words, "not allowed", 1, true) then code = "moderation" end
  end
  return http_errors.error(response, { code = code, vendor_code = kind, detail = text or nil })
end

local function failed(response, failure)
  local result = http_errors.result(response, failure, { retry_after = RETRY_AFTER })
  if response then
    result.error = read_error(response)
    if result.error.code == "credit" then result.retry_after = nil end
  end
  return result
end

--- Sends one generation. `path` is the model's path, `body` its fields by name: text, numbers, and data URIs for files.
function direct.submit(ctx, path, body)
  local form = make_form(body)
  local request = { method = "POST", url = BASE_URL .. "/" .. path }
  if PLAIN_FORMS[path] then
    request.headers = { ["Content-Type"] = form_urlencoded.CONTENT_TYPE }
    request.body = form_urlencoded.encode(form)
  else
    request.form = form
  end
  local response, failure = send(ctx, request)
  if not response or response.status >= 300 then return failed(response, failure) end
  local id = type(response.json) == "table" and response.json.video_id
  if type(id) ~= "string" or id == "" then
    return { status = "error", error = { code = "vendor", message = "the vendor accepted the request but did not name it" } }
  end
  return { id = id, status = "queued", state = { route = "direct" } }
end

-- Words that third parties saw beside the documented ones stand with them.
local STATUS = {
  queued = "queued", pending = "queued", started = "running", processing = "running",
  finished = "done", complete = "done", completed = "done", failed = "error", error = "error",
}

--- Asks for a video.
function direct.poll(job, ctx)
  if not string.find(tostring(job.id), "^%w[%w_-]*$") then return nil, NOT_AN_ID end
  local response, failure = send(ctx, { method = "GET", url = BASE_URL .. "/videos/" .. job.id })
  if not response or (response.status >= 300 and not http_errors.is_gone(response)) then
    return http_errors.not_learned(response, failure, { id = job.id, state = job.state, retry_after = RETRY_AFTER })
  end
  if response.status >= 300 then
    local result = failed(response, failure)
    result.id, result.error.billed = job.id, nil
    return result
  end
  local body = type(response.json) == "table" and response.json or {}
  local status = STATUS[body.status]
  local url = type(body.url) == "string" and body.url ~= "" and body.url or nil
  if status == "error" then
    local reason = http_errors.safe_text(body.error) or http_errors.safe_text(body.message) or http_errors.safe_text(body.reason)
    local message = "the vendor reports that the video failed" .. (reason and ": " .. reason or "")
    return { id = job.id, status = "error", error = { code = "vendor", message = message } }
  elseif status == "done" and url then
    return { id = job.id, status = "done", progress = 1, artifacts = { { url = url } } }
  end
  local percent = type(body.progress) == "number" and math.min(math.max(body.progress, 0), 100)
  return {
    id = job.id, status = status == "queued" and "queued" or "running", state = job.state,
    progress = percent and percent / 100 or nil,
    reason = status == "done" and "finished, but the video's address is not there yet" or nil,
  }
end

--- There is no call for it: the job is dropped on this side only.
function direct.cancel(job)
  local reason = "Pika's direct API cannot cancel: the job is dropped here only, and the video may still be made and billed"
  return { id = job.id, status = "canceled", reason = reason }
end

return direct
