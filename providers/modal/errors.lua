-- errors.lua - what Modal's own edge and an app say when there is no result.

local http_errors = require "http_errors"

local errors = {}

local PLATFORM_PREFIX = "modal-http: "
local MAX_TEXT_BYTES = 1000

-- What Modal's own edge says, behind its prefix. Its 404 and 429 may be about money.
local PLATFORM_ERRORS = {
  { "spend limit", "credit" }, { "is disabled", "credit" },
  { "credentials", "auth" }, { "authorization", "auth" },
  { "invalid function call", "not_found", "no such web function is deployed" },
  { "is stopped", "not_found", "the app is stopped" },
}

--- What Modal's edge says after its prefix, or nil when the answer is the app's.
function errors.platform_text(response)
  local text = string.sub(response.body or "", 1, MAX_TEXT_BYTES)
  if string.sub(text, 1, #PLATFORM_PREFIX) ~= PLATFORM_PREFIX then return nil end
  return string.sub(text, #PLATFORM_PREFIX + 1)
end

local function platform_options(text)
  for _, entry in ipairs(PLATFORM_ERRORS) do
    if string.find(text, entry[1], 1, true) then
      return { code = entry[2], detail = entry[3] or text, vendor_code = "modal-http" }
    end
  end
  return { detail = text, vendor_code = "modal-http" }
end

-- "body.prompt: field required" of FastAPI's list of what is wrong.
local function validation_text(first)
  if type(first) ~= "table" or type(first.msg) ~= "string" then return nil end
  local path = {}
  for _, step in ipairs(type(first.loc) == "table" and first.loc or {}) do path[#path + 1] = tostring(step) end
  return (#path > 0 and table.concat(path, ".") .. ": " or "") .. first.msg
end

--- The text of an app's own error: FastAPI's `detail`, OpenAI's `error`, or plain text.
function errors.app_text(response)
  local json = response.json
  if type(json) ~= "table" then
    local body = response.body or ""
    return string.sub(body, 1, 1) ~= "<" and body or nil
  end
  local detail = json.detail
  if type(detail) == "table" then return validation_text(detail[1]) end
  if type(detail) == "string" then return detail end
  local problem = json.error
  if type(problem) == "table" then problem = problem.message end
  return type(problem) == "string" and problem or nil
end

--- What http_errors is to know of an answer.
function errors.options(response)
  if not response then return nil end
  local text = errors.platform_text(response)
  return text and platform_options(text) or { detail = errors.app_text(response) }
end

--- The result of a call that ends with this answer or failure.
function errors.result(response, failure)
  local options = errors.options(response)
  return http_errors.result(response, failure, options)
end

return errors
