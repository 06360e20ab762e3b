-- answers.lua - reads what Luma's two APIs answer: generations and errors.

local http_errors = require "http_errors"
local names = require "names"

local luma_answers = {}

local POLL_SECONDS = 5

local function is_moderation(text)
  text = string.lower(string.sub(text, 1, 300))
  return string.find(text, "moderation", 1, true) ~= nil or string.find(text, "blacklisted", 1, true) ~= nil
end

-- Which status means an empty balance is not documented for Dream Machine: its text tells.
local function is_credit(text)
  text = string.lower(string.sub(text, 1, 300))
  if not (string.find(text, "insufficient", 1, true) or string.find(text, "not enough", 1, true)) then return false end
  return string.find(text, "credit", 1, true) ~= nil or string.find(text, "balance", 1, true) ~= nil
end

--- What the vendor's error body says, for http_errors. `detail` is a text, or a list of texts or of { msg }.
function luma_answers.explain(response)
  local body = response and type(response.json) == "table" and response.json or {}
  local text = body.detail or body.message or body.error
  if type(text) == "table" then text = text[1] or text end
  if type(text) == "table" then text = text.msg or text.message end
  if type(text) ~= "string" then return {} end
  if response.status >= 400 and response.status < 500 then
    if is_credit(text) then return { code = "credit" } end
    if is_moderation(text) then return { code = "moderation", detail = text } end
  end
  return { detail = text }
end

local FAILURE_CODES = {
  content_moderated = "moderation", generation_failed = "vendor", budget_exhausted = "credit", output_not_found = "vendor",
  image_too_large = "invalid", unsupported_format = "invalid", corrupt_input = "invalid", invalid_request = "invalid",
  rate_limited = "rate_limited",
}

-- Dream Machine refunds what failed; of the Agents API nothing is said.
local function failed_result(generation, api)
  local vendor_code = type(generation.failure_code) == "string" and generation.failure_code or nil
  local reason = type(generation.failure_reason) == "string" and generation.failure_reason or ""
  local code = vendor_code and (FAILURE_CODES[vendor_code] or "vendor")
  if not code and is_moderation(reason) then code = "moderation" end
  if not code and string.find(reason, "Failed to read user input", 1, true) then code = "invalid" end
  local message = http_errors.safe_text(reason) or "the generation failed"
  if code == "credit" then message = "the vendor account has not enough credit" end
  local billed
  if api == "dream_machine" then billed = false end
  return {
    id = generation.id, status = "error",
    error = { code = code or "vendor", message = message, vendor_code = vendor_code, billed = billed },
  }
end

-- What is no result: the picture beside a video is only its first frame, and the other a sketch of it.
local IS_PREVIEW = { image = true, progress_video = true }

local ASSET_TYPES = { video = "video/mp4" }

local function add_file(artifacts, known, url, content_type)
  if type(url) ~= "string" or known[url] then return end
  known[url] = true
  artifacts[#artifacts + 1] = { url = url, content_type = content_type }
end

-- The video, or the picture, and whatever else there is; each file once.
local function artifacts_of(generation)
  local artifacts, known = {}, {}
  local assets = type(generation.assets) == "table" and generation.assets or {}
  local is_video = type(assets.video) == "string"
  for _, name in ipairs(names.sorted(assets)) do
    if not (is_video and IS_PREVIEW[name]) and name ~= "progress_video" then
      add_file(artifacts, known, assets[name], ASSET_TYPES[name])
    end
  end
  for _, output in ipairs(type(generation.output) == "table" and generation.output or {}) do
    if type(output) == "table" then add_file(artifacts, known, output.url, output.type == "video" and "video/mp4" or nil) end
  end
  if #artifacts == 0 then artifacts[1] = { json = generation, content_type = "application/json" } end
  return artifacts
end

local STATUSES = { queued = "queued", dreaming = "running", processing = "running" }

--- The result that a generation object stands for. `state`: { api =, usd = }: Luma reports no cost, so `usd` is what the
-- table said at submit.
function luma_answers.generation_result(generation, state)
  local cost = type(state.usd) == "number" and { usd = state.usd, source = "computed" } or nil
  if generation.state == "completed" then
    return { id = generation.id, status = "done", progress = 1, artifacts = artifacts_of(generation), cost = cost }
  end
  if generation.state == "failed" then return failed_result(generation, state.api) end
  local status, reason = STATUSES[generation.state], nil
  if not status then
    status, reason = "running", "status not known: " .. (http_errors.safe_text(generation.state) or "none given")
  end
  return {
    id = generation.id, status = status, reason = reason, retry_after = POLL_SECONDS,
    state = { api = state.api, usd = state.usd, status = status },
  }
end

return luma_answers
