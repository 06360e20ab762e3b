-- requests.lua - how Replicate is asked, and what its answers that are not predictions say.

local http_errors = require "http_errors"

local requests = {}

requests.BASE_URL = "https://api.replicate.com/v1"

local FAULT_RETRY_SECONDS = 30
local MAX_DETAIL_BYTES = 4096

--- Sends a request. The vendor's own clients declare JSON on every one, also without a body.
function requests.send(ctx, request)
  if request.json == nil then request.headers = { ["Content-Type"] = "application/json" } end
  return ctx.request(request)
end

-- The seconds to wait after a 429: the header, else a field of the body, else the text "... resets in ~30s.".
local function throttle_seconds(body)
  if type(body.retry_after) == "number" then return math.ceil(body.retry_after) end
  local text = type(body.detail) == "string" and body.detail or ""
  local mark = #text <= MAX_DETAIL_BYTES and string.find(text, "~", 1, true)
  return mark and tonumber(string.match(string.sub(text, mark + 1, mark + 16), "^%s*(%d+)%s*s")) or nil
end

--- What the vendor's problem document says, as options for http_errors. The text of a 429 may name the balance of the account: it
-- is not passed on. `hint` stands for the text of a 404.
function requests.problem_options(response, hint)
  local body = response and response.json
  if type(body) ~= "table" then body = {} end
  local detail = response and response.status ~= 429 and http_errors.safe_text(body.detail) or nil
  if not detail and response and response.status ~= 429 then detail = http_errors.safe_text(body.title) end
  if hint and response and response.status == 404 then detail = hint end
  local seconds = throttle_seconds(body)
  return {
    vendor_code = type(body.title) == "string" and body.title or nil, detail = detail,
    retry_after = seconds or FAULT_RETRY_SECONDS, retry_named = seconds ~= nil,
  }
end

--- Whether there is an answer, and it is a success.
function requests.is_success(response)
  return response and response.status >= 200 and response.status < 300
end

--- The step before the create failed: the host submits again when that may help.
function requests.not_accepted(response, failure)
  return http_errors.not_accepted(response, failure, requests.problem_options(response))
end

--- The answer to a poll or a cancel that is not a prediction. Only "not found" says something about the job: it may be
-- running and billed while the credential is refused or the vendor is down.
function requests.keep_going(job, response, failure)
  if response and (response.status == 404 or response.status == 410) then
    local result = http_errors.result(response, failure, requests.problem_options(response))
    result.error.billed = nil
    return result
  end
  if requests.is_success(response) then response = nil end
  return http_errors.not_learned(response, failure or { kind = "malformed", message = "not a prediction" }, {
    id = job.id, state = job.state, status = job.state and job.state.status,
    retry_after = requests.problem_options(response).retry_after,
  })
end

return requests
