-- answers.lua - reads what Stability answers: images and errors.

local check = require "check"
local data_uri = require "data_uri"
local http_errors = require "http_errors"
local outputs = require "outputs"

-- After a 429, which comes without Retry-After.
local stability_answers = { LOCK_OUT_SECONDS = 60 }

--- The object in an answer, or an empty one.
function stability_answers.json_of(response)
  return type(response.json) == "table" and response.json or {}
end

local function text_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- What the vendor says with an error: both shapes, { name, errors = [...] } and v1's { name, message }.
local function vendor_text(body)
  local texts = {}
  for _, text in ipairs(type(body.errors) == "table" and body.errors or {}) do
    if type(text) == "table" then text = text.message or text.detail end
    if type(text) == "string" then texts[#texts + 1] = text end
  end
  return #texts > 0 and table.concat(texts, "; ") or body.message
end

local CODES = {
  bad_request = "invalid", unauthorized = "auth", payment_required = "credit", content_moderation = "moderation",
  public_figure = "moderation", invalid_language = "invalid", generation_not_found = "not_found",
  payload_too_large = "invalid", rate_limit_exceeded = "rate_limited", internal_error = "vendor",
}

-- The options of http_errors for an error answer. A generation that failed is not charged, says the price page; that holds
-- only where the vendor's own error object is there, not for an error of something in between.
local function error_options(response)
  local body = stability_answers.json_of(response)
  local options = { code = CODES[body.name], vendor_code = body.name, detail = vendor_text(body) }
  if body.name == "internal_error" then options.billed = false end
  if response.status == 429 then options.retry_after, options.retry_named = stability_answers.LOCK_OUT_SECONDS, true end
  return options
end

--- The result of a request that failed.
function stability_answers.failed(response, failure)
  return http_errors.result(response, failure, response and error_options(response))
end

-- "application/json; type=image/png" or "image/png" -> "image/png"
local function image_type_of(response, state)
  local header = string.sub(response.headers["content-type"] or "", 1, 200)
  local content_type = string.match(header, "type=%s*\"?(image/[%w.+-]+)") or string.match(header, "^(image/[%w.+-]+)")
  return content_type or "image/" .. (state.output_format or "png")
end

-- The image of a 200: in the JSON, or (asked for or not) as plain bytes with its facts in headers.
local function read_image(response)
  local body, headers = stability_answers.json_of(response), response.headers
  -- Asynchronous results say `result` where the others say `image`.
  local image, reason = text_or_nil(body.image) or text_or_nil(body.result), text_or_nil(body.finish_reason)
  if image or reason then return reason or "SUCCESS", image, check.is_given(body.seed) and body.seed or nil end
  if string.sub(headers["content-type"] or "", 1, 6) ~= "image/" then return nil end
  return headers["finish-reason"] or "SUCCESS", outputs.bytes(response).base64, math.tointeger(tonumber(headers.seed))
end

local function cost_of(state)
  return type(state.usd) == "number" and { usd = state.usd, source = "computed" } or nil
end

--- Whether a 200 is about an image at all, be it filtered or missing.
function stability_answers.is_image(response)
  return read_image(response) ~= nil
end

--- The result of a 200 that carries an image. `state`: { usd =, output_format = } as the submit knew them.
function stability_answers.finished(response, id, state)
  local reason, image, seed = read_image(response)
  if reason == "CONTENT_FILTERED" then
    -- The answer holds a blurred image; it is not what was asked for and is not passed on.
    -- It was made; that one that is blurred afterwards is free is said nowhere.
    local error = {
      code = "moderation", message = "the vendor's content filter blurred the image", vendor_code = reason, billed = true,
    }
    return { id = id, status = "error", state = state, error = error, cost = cost_of(state) }
  end
  if reason ~= "SUCCESS" or not image then
    local billed
    if reason and reason ~= "SUCCESS" then billed = false end -- a generation that failed is not charged
    local error = { code = "vendor", message = "the vendor's answer holds no image", vendor_code = reason, billed = billed }
    return { id = id, status = "error", state = state, error = error }
  end
  local content_type = image_type_of(response, state)
  local filename = "stability." .. data_uri.extension(content_type)
  return {
    id = id, status = "done", progress = 1, state = state,
    artifacts = { { base64 = image, content_type = content_type, filename = filename, seed = seed } },
    cost = cost_of(state),
  }
end

return stability_answers
