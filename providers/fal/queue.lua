-- queue.lua - fal.ai's way of running a model: submit to a queue, ask for its status, fetch the result.
--
-- Every model on fal is reached alike; which inputs it takes is the provider script's business. Used by image_fal and by
-- video_pika, whose public API is fal's. Scripts that use it declare base_url = fal_queue.BASE_URL, hosts = fal_queue.HOSTS,
-- outputs = fal_queue.OUTPUTS.
--
-- Three things differ from what one expects of a queue. The URLs of a request name the app only (owner/app), not the
-- path below it that was submitted to. There is no "failed" status: a failure is COMPLETED with an error, or a result that
-- answers 4xx or 5xx. And an account without money is locked with 403, not 402.
-- There is no idempotency key, so nothing here ever sends a submit twice.

local check = require "check"
local billing = require "fal.billing"
local errors = require "fal.errors"
local fal_options = require "fal.options"
local outcomes = require "fal.outcomes"
local requests = require "fal.requests"
local results = require "fal.results"
local values = require "fal.values"
local http_errors = require "http_errors"
local names = require "names"

local NO_OPTIONS = {}
local number_text, table_of, text_of = values.number_text, values.table_of, values.text_of
local address, send, wants_logs = requests.address, requests.send, requests.wants_logs
local WITH_LOGS, WITHOUT_LOGS = { logs = "1" }, { logs = "0" }

local RUN_URL = "https://fal.run"

local queue = {
  BASE_URL = requests.BASE_URL,
  HOSTS = { "fal.run", "api.fal.ai" },
  OUTPUTS = "any", -- fal.media and what is below it, public to anyone who has the link; an app may keep its files elsewhere
}

-- Two colon-separated parts; a key of any other vendor looks different.
queue.KEY_PATTERN = "^[^:]+:[^:]+$"

--- How fal signs its deliveries, in a provider's table.
queue.WEBHOOK_SIGNATURE = { scheme = "fal-ed25519", jwks_url = "https://rest.fal.ai/.well-known/jwks.json" }

local QUEUE_ONLY = names.set { "webhook", "priority", "retry" }

-- What the polls of a request need to know, also when long texts of its payload are cut: where it is, and how to read it.
local function accepted(response, model, options)
  local body = table_of(response.json)
  local id = text_of(body.request_id)
  if not id then
    local message = "the vendor accepted the request but did not name it"
    return http_errors.unreadable(message)
  end
  local state = {
    model = model, logs = options.logs,
    status_url = text_of(body.status_url), response_url = text_of(body.response_url), cancel_url = text_of(body.cancel_url),
    status = "queued",
  }
  local position = math.tointeger(body.queue_position)
  return { id = id, status = "queued", state = state, reason = position and "position " .. position .. " in the queue" or nil }
end

local USUAL_HEADERS = { ["Content-Type"] = requests.JSON_CONTENT, ["X-Fal-Queue-Priority"] = "normal" }

local function queue_headers(options)
  if not options then return USUAL_HEADERS end
  local headers = requests.common_headers(options)
  headers["X-Fal-Queue-Priority"] = options.priority or "normal"
  if options.retry == false then headers["X-Fal-No-Retry"] = "1" end
  return headers
end

--- Puts a request into the queue. `input` is the model's input as it goes out; `options` as options.lua read them. The caller
-- puts into the state of what was accepted how to read the output (with_reading).
function queue.submit(ctx, model, input, options)
  local headers, webhook = queue_headers(options), options and options.webhook or ctx.webhook_url
  local response, failure = ctx.request {
    method = "POST", path = "/" .. model, headers = headers, json = input, query = webhook and { fal_webhook = webhook } or nil,
  }
  if not response or response.status >= 300 then return errors.result(response, failure) end
  return accepted(response, model, options or NO_OPTIONS)
end

--- Keeps how to read the output with a request that was accepted: `reading` (see results.lua), as prices and switches are now.
function queue.with_reading(result, reading, makes_files)
  if result.state then
    reading.makes_files = makes_files or nil
    result.state.reading = reading
  end
  return result
end

--- Runs a model and waits for its output: no queue, so neither priority nor webhook, and 429 over the concurrency limit.
function queue.run(ctx, model, input, payload, reading)
  local options = payload.queue or NO_OPTIONS
  fal_options.warn(ctx, payload, QUEUE_ONLY, "has a meaning only in the queue; left out")
  local response, failure = ctx.request {
    method = "POST", url = RUN_URL .. "/" .. model, headers = requests.common_headers(options), json = input,
  }
  local id = text_of(table_of(response and response.headers)["x-fal-request-id"])
  if not response then return errors.result(nil, failure) end
  reading = billing.priced(ctx, model, reading or NO_OPTIONS, response)
  if response.status < 300 then
    return results.finished(id, response, reading) or http_errors.unreadable("the answer is not an output of the model")
  end
  -- Refused at the door: no model ran.
  if response.status == 429 or response.status == 401 or response.status == 403 then return errors.result(response) end
  local result = results.failed(response, reading)
  result.id = id
  return result
end

-- Models that log a progress bar log a percentage before a bar: "25%|##        | 1/4".
local function progress_of(logs)
  logs = table_of(logs)
  local message = text_of(table_of(logs[#logs]).message)
  local percent = message and tonumber(string.match(string.sub(message, 1, 200), "(%d+)%%|"))
  return percent and math.min(percent / 100, 1) or nil
end

--- Asks for a request's status and, once it is completed, for its result. `reading_of` says of a payload how to read it
-- (results.lua), for a request that the host does not know.
function queue.poll(job, ctx, model, reading_of)
  local state = table_of(job.state)
  local known = text_of(state.model)
  model = known or model
  local path, url = address(job, model, "status_url", "/status")
  if not path and not url then return nil, requests.NO_ADDRESS end
  local response, failure = send(ctx, "GET", path, url, wants_logs(job) and WITH_LOGS or WITHOUT_LOGS)
  if not response or response.status >= 300 then return outcomes.unanswered(job, response, failure) end
  local body = table_of(response.json)
  if body.status == "IN_QUEUE" then
    local position = math.tointeger(body.queue_position)
    local reason = position and "position " .. position .. " in the queue" or nil
    return { id = job.id, status = "queued", state = requests.state_with(job, "queued"), reason = reason }
  elseif body.status == "IN_PROGRESS" then
    return { id = job.id, status = "running", state = requests.state_with(job, "running"), progress = progress_of(body.logs) }
  elseif body.status ~= "COMPLETED" then
    local reason = "status not known: the vendor answered without one of its statuses"
    return { id = job.id, status = "running", state = job.state, reason = reason, retry_after = errors.RETRY_AFTER }
  end
  local reading = known and table_of(state.reading) or reading_of(job.payload or NO_OPTIONS)
  if text_of(body.error) or text_of(body.error_type) then
    return outcomes.completed_with_error(job, body, ctx, model, reading)
  end
  return outcomes.fetch(job, ctx, model, reading)
end

--- Asks fal to drop a request. One that is already running may still finish, and then it is billed.
function queue.cancel(job, ctx, model)
  model = requests.known(job, model)
  local path, url = address(job, model, "cancel_url", "/cancel")
  if not path and not url then return nil, requests.NO_ADDRESS end
  local response, failure = send(ctx, "PUT", path, url)
  local answer = response and table_of(response.json).status
  if answer == "ALREADY_COMPLETED" then
    local reason = "too late to cancel: already completed, the next poll brings its result"
    return { id = job.id, status = "running", state = job.state, reason = reason, retry_after = 0 }
  end
  if not response or response.status >= 300 then return outcomes.unanswered(job, response, failure) end
  local problem = { code = "canceled", message = "the request was canceled" }
  -- It left the queue before it ran.
  if answer == "OK" then problem.billed = false end
  local reason = answer == "CANCELLATION_REQUESTED" and "cancellation requested: a request that runs may still finish" or nil
  return { id = job.id, status = "canceled", reason = reason, error = problem }
end

--- Reads a webhook delivery, whose signature the host has checked. An output too odd for JSON is fetched instead.
function queue.webhook(delivery, ctx, model, reading)
  local body, job = table_of(delivery.json), delivery.job or {}
  model, reading = requests.known(job, model, reading)
  if job.id and body.request_id ~= job.id and body.gateway_request_id ~= job.id then
    return nil, { field = "request_id", message = "the delivery is for another request" }
  end
  local request = check.copy(job)
  request.id = job.id or text_of(body.request_id)
  if body.status == "ERROR" then
    local status = tonumber(string.match(string.sub(text_of(body.error) or "", 1, 200), "status code: (%d%d%d)"))
    if not status or type(body.payload) ~= "table" then
      return outcomes.completed_with_error(request, body, ctx, model, reading)
    end
    local refused, unlearned, known_reading = outcomes.with_units(body.payload, request, ctx, model, reading)
    if not refused then return unlearned end
    refused.status = status
    local result = results.failed(refused, known_reading)
    result.id = request.id
    return result
  elseif body.status == "OK" then
    if type(body.payload) ~= "table" then return outcomes.fetch(request, ctx, model, reading) end
    local delivered, unlearned, known_reading = outcomes.with_units(body.payload, request, ctx, model, reading)
    if not delivered then return unlearned end
    return results.finished(request.id, delivered, known_reading) or outcomes.fetch(request, ctx, model, reading)
  end
  return nil, { field = "status", message = "must be OK or ERROR" }
end

--- Asks for the live price of a model: free, and any key may. A model that is no longer listed is not an outage.
function queue.health(ctx, model)
  local response, failure = ctx.request { method = "GET", url = requests.PRICING_URL, query = { endpoint_id = model } }
  if not response then return { ok = false, reason = http_errors.failure(failure).message } end
  if response.status == 404 then return { ok = true, notes = { model .. " is not in fal's price list at present" } } end
  if response.status >= 300 then return { ok = false, reason = errors.of_response(response).message } end
  local notes = {}
  for _, price in ipairs(table_of(table_of(response.json).prices)) do
    if type(price.unit_price) == "number" then
      notes[#notes + 1] = string.format("%s costs %s %s, unit: %s", tostring(price.endpoint_id), number_text(price.unit_price),
        text_of(price.currency) or "(no currency)", text_of(price.unit) or "(not named)")
    end
  end
  return { ok = true, notes = notes }
end

return queue
