-- errors.lua - what fal says when there is no result.

local values = require "fal.values"
local http_errors = require "http_errors"
local names = require "names"

local errors = {}

local number_text, starts_with, table_of, text_of = values.number_text, values.starts_with, values.table_of, values.text_of

-- Seconds until the next try when fal could not be asked and did not say when.
errors.RETRY_AFTER = 5

-- Error types whose HTTP status alone would mislead. fal's list is open: any other type goes by the status.
local CODES = {
  content_policy_violation = "moderation",
  generation_timeout = "timeout", request_timeout = "timeout", startup_timeout = "timeout",
  no_media_generated = "vendor", internal_server_error = "vendor", downstream_service_error = "vendor",
  authorization_error = "auth", rate_limited = "rate_limited", not_found = "not_found", validation_error = "invalid",
}

-- ["body", "images", 0] as images.0: the first element only says that it is the body.
local function location_text(loc)
  local path = {}
  for index, name in ipairs(table_of(loc)) do
    if not (index == 1 and name == "body") then
      path[#path + 1] = type(name) == "number" and number_text(name) or tostring(name)
    end
  end
  return #path > 0 and table.concat(path, ".") or nil
end

--- The text and the error type of a body, in any of its three forms: `detail` as a list (third true: only models answer so),
-- `detail` as text, `error` (platform API).
function errors.read(body)
  body = table_of(body)
  local first = table_of(body.detail)[1]
  if type(first) == "table" then
    local where, message = location_text(first.loc), text_of(first.msg)
    return where and message and (where .. ": " .. message) or message, text_of(first.type), true
  end
  local platform = table_of(body.error)
  return text_of(body.detail) or text_of(body.error) or text_of(platform.message),
    text_of(body.error_type) or text_of(platform.type)
end

--- Our code of an error type, or nil.
function errors.code(kind)
  if not kind then return nil end
  if starts_with(kind, "runner_") then return "unavailable" end
  return CODES[kind]
end

--- An account is locked for several reasons, all of them 403: of an empty balance the code is all that is told, since the text
-- names it; any other reason is the user's to know. Code and message, or nil.
function errors.locked(text)
  text = text and string.lower(string.sub(text, 1, 500)) or ""
  if string.find(text, "exhausted balance", 1, true) then return "credit" end
  if string.find(text, "user is locked", 1, true) or string.find(text, "account is locked", 1, true) then
    return "auth", "the vendor has locked the account"
  end
end

--- The `error` of a result, for a response of fal's that is not a success. `from_model`: the model itself was running, so that a
-- refused input may have been billed; before that, a refusal is free. A failure that fal names as its own is never billed.
function errors.of_response(response, from_model)
  local text, kind = errors.read(response.json)
  kind = kind or text_of(table_of(response.headers)["x-fal-error-type"])
  local code, billed, message = errors.code(kind), nil, nil
  if response.status == 403 then
    local why, own = errors.locked(text)
    code, message = why or code, own
  end
  if table_of(response.headers)["x-fal-request-timeout-type"] == "user" then
    code, text = "timeout", "the request did not start within its start timeout"
  end
  if response.status >= 500 and kind then billed = false end
  local problem = http_errors.error(response, {
    code = code, vendor_code = kind, detail = text, message = message, billed = billed,
  })
  if from_model and response.status == 422 then problem.billed = nil end
  return problem
end

--- The result of a request that ends with this response or failure.
function errors.result(response, failure, from_model)
  local result = http_errors.result(response, failure, { retry_after = errors.RETRY_AFTER })
  if response then result.error = errors.of_response(response, from_model) end
  return result
end

-- Not the model's to say: the key is refused, the rate is too high.
local IS_NOT_THE_MODELS = { [401] = true, [403] = true, [408] = true, [429] = true }

local GATEWAY_FAILURES = { [502] = true, [503] = true, [504] = true }

--- A 5xx of the result is the model's own failure if it says which; from a gateway on the way it means: ask again.
function errors.is_worth_asking_again(response)
  if not response or IS_NOT_THE_MODELS[response.status] then return true end
  if not GATEWAY_FAILURES[response.status] then return false end
  local _, kind = errors.read(response.json)
  return not (kind or text_of(table_of(response.headers)["x-fal-error-type"]))
end

--- Whether an answer to the question for a result is the model's own: 422, or a failure that says which it is. Any other refusal
-- is of the question, and says nothing of the request.
function errors.is_verdict(response)
  local _, kind, is_models = errors.read(response.json)
  return response.status == 422 or is_models or kind ~= nil or text_of(table_of(response.headers)["x-fal-error-type"]) ~= nil
end

-- Failures of fal's own servers, which it does not bill.
errors.NOT_BILLED = names.set { "internal_server_error", "downstream_service_error", "downstream_service_unavailable" }

return errors
