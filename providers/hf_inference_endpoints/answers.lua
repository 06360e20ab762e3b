-- answers.lua - what answers of Hugging Face mean that are the same for engines and for the management API: their errors.

local http_errors = require "http_errors"

local answers = { FAULT_SECONDS = 30 }

local CODE_NAMES = { "code", "error_type", "type" }

--- Whether there is an answer, and it is a success.
function answers.is_success(response)
  return response and response.status >= 200 and response.status < 300
end

--- What an engine or the management API says is wrong: {"error": text, "code"}, {"error": {"message", "type"}},
-- {"error", "error_type"} or {"message", "code", "type"}.
function answers.problem_of(response)
  local body = response and response.json
  if type(body) ~= "table" then return {} end
  local inner = type(body.error) == "table" and body.error or body
  local text = type(body.error) == "string" and body.error or inner.message
  local code
  for _, name in ipairs(CODE_NAMES) do
    if not code and type(inner[name]) == "string" then code = inner[name] end
  end
  return { text = http_errors.safe_text(text), code = code }
end

--- Whether a problem's text has these words.
function answers.says(problem, words)
  return problem.text ~= nil and string.find(string.lower(problem.text), words, 1, true) ~= nil
end

-- Whether a 502 is the proxy's, in front of an endpoint that does not answer (yet); an engine's own says what is wrong.
local function is_of_the_proxy(response, problem)
  if not response or response.status ~= 502 then return false end
  return problem.text == nil or answers.says(problem, "bad gateway")
end

--- How long an engine that loads its model says that it will take ({"error", "estimated_time"}), or nil.
function answers.loading_seconds(response)
  local seconds = type(response.json) == "table" and response.json.estimated_time
  return type(seconds) == "number" and seconds > 0 and seconds < 3600 and seconds or nil
end

-- What the error of an answer says, as options for http_errors.
local function options_of(response)
  local problem = answers.problem_of(response)
  local options = { vendor_code = problem.code, detail = problem.text, retry_after = answers.FAULT_SECONDS }
  local is_paused = answers.says(problem, "paused") or answers.says(problem, "invalid state")
  if response and response.status == 400 and is_paused then
    options.code, options.detail = "unavailable", "the endpoint is paused; resume it first (action = resume)"
  elseif is_of_the_proxy(response, problem) then
    options.detail = "the endpoint does not answer its proxy: it is starting up, or fails; try again in a minute"
  elseif response and response.status == 403 and answers.says(problem, "payment method") then
    options.code = "credit"
  end
  return options
end

--- The result of a request that failed.
function answers.failed(response, failure)
  return http_errors.result(response, failure, options_of(response))
end

--- The result of a submit whose look-up failed: nothing is accepted yet.
function answers.not_accepted(response, failure)
  return http_errors.not_accepted(response, failure, options_of(response))
end

return answers
