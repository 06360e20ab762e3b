-- predictions.lua - reads Replicate's prediction objects, as a create, a GET, a list and a webhook carry them.

local cjson = require "cjson"
local check = require "check"
local data_uri = require "data_uri"
local http_errors = require "http_errors"
local outputs = require "outputs"
local price = require "price"
local url_parts = require "url_parts"

local predictions = {}

local BOOT_RETRY_SECONDS = 5
local RUN_RETRY_SECONDS = 2
local MAX_ID_BYTES = 512

local STATUSES = {
  starting = "queued", processing = "running", succeeded = "done", failed = "error", canceled = "canceled",
  aborted = "canceled",
}

-- Files are kept here; a list that has one of these is no text.
local FILE_HOSTS = { "replicate.delivery", "*.replicate.delivery" }

local function is_own_file(text)
  if data_uri.is(text) then return true end
  local url = outputs.is_url(text) and url_parts.parse(text)
  return url and (url_parts.host_matches(url.host, FILE_HOSTS[1]) or url_parts.host_matches(url.host, FILE_HOSTS[2])) or false
end

-- Whether a list is text in pieces, as language models give it: texts, not all of which are addresses, none of them a file of the
-- vendor's. A piece may begin like an address, or be one.
local function is_text_in_pieces(list)
  local are_addresses = true
  for _, item in ipairs(list) do
    if type(item) ~= "string" or is_own_file(item) then return false end
    are_addresses = are_addresses and outputs.is_url(item)
  end
  return #list > 0 and not are_addresses
end

-- `output` is any JSON: a text, the URL of a file, a list of either, an object with both, a number.
local function artifacts_of(output)
  if type(output) == "table" and is_text_in_pieces(output) then return { outputs.text(table.concat(output)) } end
  return outputs.artifacts(output)
end

-- The last percentage of a progress bar in the logs, as 0..1.
local function progress_of(logs)
  if type(logs) ~= "string" then return nil end
  local percent
  for found in string.gmatch(string.sub(logs, -400), "(%d+)%%|") do percent = tonumber(found) end
  return percent and percent <= 100 and percent / 100 or nil
end

local function run_seconds(prediction)
  local seconds = type(prediction.metrics) == "table" and prediction.metrics.predict_time
  return type(seconds) == "number" and seconds >= 0 and seconds or nil
end

-- A deployment, and its machines, are the account's own: their set-up and idle time is billed too.
local function is_own(prediction, state)
  return check.is_given(prediction.deployment) or state.own == true
end

-- The metrics that official models are billed by, by the unit of their price.
local COUNTED = {
  image = { "image_output_count", "image_count" }, second = { "video_output_duration_seconds" },
}

-- Which metric tells what a price goes by, and how it writes that.
local SELECTED = {
  generate_audio = function(metrics) return metrics.with_audio end,
  resolution = function(metrics) return metrics.resolution_target end,
}

-- Whether the metrics name another price than the one that the submit had in view.
local function is_other_price(metrics, priced)
  local select = priced.by and SELECTED[priced.by]
  local told = select and select(metrics)
  return check.is_given(told) and told ~= nil and tostring(told) ~= priced.value
end

-- What came out, at the price of the time of the submit: { usd =, unit =, by =, value = } in the state.
local function cost_of_output(prediction, priced)
  local metrics = type(prediction.metrics) == "table" and prediction.metrics or {}
  if is_other_price(metrics, priced) or type(priced.usd) ~= "number" then return nil end
  for _, name in ipairs(COUNTED[priced.unit] or {}) do
    local count = metrics[name]
    if type(count) == "number" and count > 0 and count < math.huge then return price.cost(count, priced.usd) end
  end
  return nil
end

-- What the running time costs, at the price of the time of the submit. On machines of one's own it would be a low figure: none
-- is better.
local function cost_of(prediction, state)
  if type(state.priced) == "table" then return cost_of_output(prediction, state.priced) end
  local seconds, rate = run_seconds(prediction), state.usd_per_second
  if not seconds or type(rate) ~= "number" or is_own(prediction, state) then return nil end
  return { usd = rate * seconds, source = "computed" }
end

local function is_moderation(text)
  text = string.lower(text)
  return string.find(text, "nsfw", 1, true) or string.find(text, "flagged as sensitive", 1, true)
    or string.find(text, "(e005)", 1, true)
end

-- The running time is billed, whatever came of it. One that failed while its model was set up says that it never started.
local function error_of_failed(prediction, state)
  local text = http_errors.safe_text(prediction.error)
  local billed
  if prediction.started_at == cjson.null and not run_seconds(prediction) and not is_own(prediction, state) then billed = false end
  local vendor_code = text and string.match(text, "%f[%w]E%d%d%d%d?%f[%W]")
  if text and is_moderation(text) then
    local message = "the model refused the request: " .. text
    return { code = "moderation", message = message, vendor_code = vendor_code, billed = billed }
  end
  local message = "the model failed" .. (text and (": " .. text) or "")
  return { code = "vendor", message = message, vendor_code = vendor_code, billed = billed }
end

-- A prediction that was stopped while running is billed; one that never started is not, unless its hardware is one's own.
local function error_of_stopped(prediction, state)
  if prediction.status == "aborted" then
    local billed
    if not is_own(prediction, state) then billed = false end
    local message = "the deadline passed before the prediction started"
    return { code = "timeout", message = message, vendor_code = "aborted", billed = billed }
  end
  local billed
  if run_seconds(prediction) or check.is_given(prediction.started_at) then
    billed = true
  elseif not is_own(prediction, state) then
    billed = false -- the running time is billed, and there was none
  end
  return { code = "canceled", message = "the prediction was canceled", vendor_code = "canceled", billed = billed }
end

local function settle_succeeded(result, prediction)
  if prediction.data_removed == true and not check.is_given(prediction.output) then
    result.status = "error"
    result.error = { code = "expired", message = "the vendor deletes outputs one hour after completion", billed = true }
    return
  end
  result.artifacts = artifacts_of(prediction.output)
end

--- Whether a JSON value is a prediction.
function predictions.is(value)
  return type(value) == "table" and type(value.id) == "string" and #value.id <= MAX_ID_BYTES and type(value.status) == "string"
end

--- A prediction as a result. `state`: { usd_per_second =, own = } as the submit knew them. `is_held`: the answer to a create that
-- waited. It is "processing" with all of the output or with the beginning of it, which nobody can tell: it is asked for at once.
function predictions.read(prediction, state, is_held)
  local status = STATUSES[prediction.status] or "running"
  local result = {
    id = prediction.id, status = status, cost = cost_of(prediction, state),
    state = { status = status, usd_per_second = state.usd_per_second, own = state.own, priced = state.priced },
  }
  if status == "queued" then
    result.reason, result.retry_after = "cold start: waiting for the model to boot", BOOT_RETRY_SECONDS
  elseif status == "running" then
    result.progress, result.retry_after = progress_of(prediction.logs), RUN_RETRY_SECONDS
    if is_held and check.is_given(prediction.output) then result.retry_after = 0 end
    if not STATUSES[prediction.status] then result.reason = "the vendor reports a status that is not known here" end
  elseif status == "done" then
    settle_succeeded(result, prediction)
  elseif status == "canceled" then
    result.error = error_of_stopped(prediction, state)
  else
    result.error = error_of_failed(prediction, state)
  end
  return result
end

return predictions
