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

local cjson = require "cjson"
local check = require "check"
local data_uri = require "data_uri"
local fal_options = require "fal.options"
local http_errors = require "http_errors"
local names = require "names"
local outputs = require "outputs"
local url_parts = require "url_parts"

local next, sub, type = next, string.sub, type

local queue = {
  BASE_URL = "https://queue.fal.run",
  RUN_URL = "https://fal.run",
  PRICING_URL = "https://api.fal.ai/v1/models/pricing",
  HOSTS = { "fal.run", "api.fal.ai" },
  OUTPUTS = "any", -- fal.media and what is below it, public to anyone who has the link; an app may keep its files elsewhere
}

-- Two colon-separated parts; a key of any other vendor looks different.
queue.KEY_PATTERN = "^[^:]+:[^:]+$"

-- fal's own client sends it with every call, also with those that have no body.
local JSON_CONTENT = "application/json"

-- Seconds until the next try when fal could not be asked and did not say when.
local RETRY_AFTER = 5

--- How fal signs its deliveries, in a provider's table.
queue.WEBHOOK_SIGNATURE = { scheme = "fal-ed25519", jwks_url = "https://rest.fal.ai/.well-known/jwks.json" }

-- Error types whose HTTP status alone would mislead. fal's list is open: any other type goes by the status.
local CODES = {
  content_policy_violation = "moderation",
  generation_timeout = "timeout", request_timeout = "timeout", startup_timeout = "timeout",
  no_media_generated = "vendor", internal_server_error = "vendor", downstream_service_error = "vendor",
  authorization_error = "auth", rate_limited = "rate_limited", not_found = "not_found", validation_error = "invalid",
}

-- ---- small readers -------------------------------------------------------------------------------------------------

local function text_of(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function table_of(value)
  return type(value) == "table" and value or {}
end

local function starts_with(text, prefix)
  return sub(text, 1, #prefix) == prefix
end

local function number_text(number)
  return tostring(math.tointeger(number) or number)
end

-- ---- models --------------------------------------------------------------------------------------------------------

--- Whether a text has the form of a model id: owner/app, with further path segments or without.
function queue.is_model_id(text)
  if #text > 200 or not string.find(text, "^[%w._-]+/[%w._/-]*[%w._-]$") then return false end
  return not string.find(text, "//", 1, true) and not string.find("/" .. text .. "/", "/%.+/")
end

local PAGES = names.set { "fal.ai", "www.fal.ai", "fal.run", "queue.fal.run" }

--- The model that the address of a page or of an API call names, to be written instead of it; nil for anything else.
function queue.model_of_address(text)
  local url = url_parts.parse(text)
  if not url or not PAGES[url.host] then return nil end
  local model = string.gsub(string.gsub(url.path, "^/models/", "/"), "^/", "")
  model = string.gsub(string.gsub(model, "/requests/.*$", ""), "/+$", "")
  model = string.gsub(string.gsub(model, "/api$", ""), "/playground$", "")
  return queue.is_model_id(model) and model or nil
end

--- What is to be said of a text that is no model's id; `example` is one.
function queue.not_a_model(text, whose, example)
  local message = "must be a model of " .. whose .. ", such as " .. example
  local model = queue.model_of_address(text)
  return model and message .. ": write " .. model .. " instead of the address" or message
end

--- The path under which a model's requests are kept: its first two segments, in two namespaces three.
function queue.app_path(model)
  local namespace, owner, app = string.match(model, "^([^/]+)/([^/]+)/?([^/]*)")
  if (namespace == "workflows" or namespace == "comfy") and app ~= "" then
    return "/" .. namespace .. "/" .. owner .. "/" .. app
  end
  return "/" .. namespace .. "/" .. owner
end

--- Refuses what fal cannot fetch as a file.
function queue.check_file(text, path)
  if type(text) ~= "string" then check.fail(path, "must be an https URL or a data URI") end
  if data_uri.begins(text) then
    local parsed, problem = data_uri.parse(text)
    if not parsed then check.fail(path, problem) end
  elseif not starts_with(text, "https://") then
    check.fail(path, "must be an https URL or a data URI")
  end
end

-- ---- options -------------------------------------------------------------------------------------------------------

local NO_OPTIONS = {}

local QUEUE_ONLY = names.set { "webhook", "priority", "retry" }

local function common_headers(options)
  local headers = { ["Content-Type"] = JSON_CONTENT }
  if options.start_timeout_seconds then headers["X-Fal-Request-Timeout"] = number_text(options.start_timeout_seconds) end
  headers["X-Fal-Runner-Hint"] = options.runner_hint
  if options.expires_in_seconds then
    headers["X-Fal-Object-Lifecycle-Preference"] = cjson.encode { expiration_duration_seconds = options.expires_in_seconds }
  end
  if options.store_io ~= nil then headers["X-Fal-Store-IO"] = options.store_io and "1" or "0" end
  return headers
end

-- ---- errors --------------------------------------------------------------------------------------------------------

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

-- The text and the error type of a body, in any of its three forms: `detail` as a list (third true: only models answer so),
-- `detail` as text, `error` (platform API).
local function read_problem(body)
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

local function code_of(kind)
  if not kind then return nil end
  if starts_with(kind, "runner_") then return "unavailable" end
  return CODES[kind]
end

-- An account is locked for several reasons, all of them 403: of an empty balance the code is all that is told, since the text
-- names it; any other reason is the user's to know. Code and message, or nil.
local function locked(text)
  text = text and string.lower(string.sub(text, 1, 500)) or ""
  if string.find(text, "exhausted balance", 1, true) then return "credit" end
  if string.find(text, "user is locked", 1, true) or string.find(text, "account is locked", 1, true) then
    return "auth", "the vendor has locked the account"
  end
end

--- The `error` of a result, for a response of fal's that is not a success. `from_model`: the model itself was running, so that a
-- refused input may have been billed; before that, a refusal is free. A failure that fal names as its own is never billed.
function queue.error(response, from_model)
  local text, kind = read_problem(response.json)
  kind = kind or text_of(table_of(response.headers)["x-fal-error-type"])
  local code, billed, message = code_of(kind), nil, nil
  if response.status == 403 then
    local why, own = locked(text)
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

local function failed(response, failure, from_model)
  local result = http_errors.result(response, failure, { retry_after = RETRY_AFTER })
  if response then result.error = queue.error(response, from_model) end
  return result
end

-- What a request cost: the vendor's units at the price of the submit, else what the table said then. `reading`: see `finished`.
local function cost_of(response, reading)
  local units = tonumber(table_of(response.headers)["x-fal-billable-units"])
  if units and reading.unit_price then
    return { usd = units * reading.unit_price, source = "computed", quantity = units, unit_usd = reading.unit_price }, units
  end
  return nil, units
end

-- A model that refused its input, or failed: the units tell whether that is billed.
local function model_failed(response, reading)
  local result = failed(response, nil, true)
  local cost, units = cost_of(response, reading)
  if result.error.billed == nil and units then
    result.error.billed = units > 0
  elseif result.error.billed == nil and response.status >= 500 then
    result.error.billed = false -- fal bills no failure of a server
  end
  result.cost, result.retry_after = cost, nil
  return result
end

-- ---- results -------------------------------------------------------------------------------------------------------

-- Where fal keeps files.
local FILE_HOSTS = { "fal.media", "*.fal.media" }

-- A file is an object with a `url`, or a member that says so by its name, at any depth; or an address where fal keeps files.
local function is_file(name, url)
  if name == "url" or name == "urls" or sub(name, -4) == "_url" or sub(name, -5) == "_urls" then return true end
  local host = url_parts.parse(url).host
  return url_parts.host_matches(host, FILE_HOSTS[1]) or url_parts.host_matches(host, FILE_HOSTS[2])
end

-- Remarks on how files were made, or told in their artifacts; what else stands beside files is a part of the output.
local READING = { is_file = is_file, ignore = names.set { "file_size", "has_nsfw_concepts", "prompt", "seed", "timings" } }

-- The artifacts of an output, and how many of them are files.
local function artifacts_of(output)
  local artifacts, count = outputs.artifacts(output, READING), 0
  local seed = math.tointeger(output.seed) or (check.is_integer(output.seed) and output.seed) or nil
  for _, artifact in ipairs(artifacts) do
    if artifact.url or artifact.data_uri then
      count = count + 1
      artifact.seed = seed
    end
  end
  return artifacts, count
end

-- The safety checker answers 200 with a blackened picture and a mark in a list beside the pictures. The output without these, and
-- how many they are.
local function without_withheld(output)
  local marks, images, kept = table_of(output.has_nsfw_concepts), output.images, cjson.array {}
  if next(marks) == nil or type(images) ~= "table" then return output, 0 end
  for index, image in ipairs(images) do
    if marks[index] ~= true then kept[#kept + 1] = image end
  end
  local rest = check.copy(output)
  rest.images = kept
  return rest, #images - #kept
end

-- `reading`, as the submit knew it: `unit_price`, US dollars for one of the model's billing units; `usd`, what the whole costs by
-- the table; `keep_flagged`: the safety checker was switched off, so that a mark is a remark and the picture is whole;
-- `makes_files`: an output without a file is not this model's. Nil when the answer is not an output.
local function finished(id, response, reading)
  local output, withheld = table_of(response.json), 0
  if not reading.keep_flagged then output, withheld = without_withheld(output) end
  local artifacts, files = artifacts_of(output)
  if response.json == nil or (reading.makes_files and files + withheld == 0) then return nil end
  local cost, units = cost_of(response, reading)
  if not cost and reading.usd then cost = { usd = reading.usd, source = "computed" } end
  if files == 0 and withheld > 0 then
    local billed
    if units then billed = units > 0 end
    local message = "the vendor's safety checker withheld every picture"
    return { id = id, status = "error", cost = cost, error = { code = "moderation", message = message, billed = billed } }
  end
  if files == 0 then artifacts = { { json = response.json, content_type = JSON_CONTENT } } end
  local reason
  if withheld > 0 then reason = withheld .. " of " .. withheld + files .. " pictures withheld by the vendor's safety checker" end
  return { id = id, status = "done", progress = 1, artifacts = artifacts, cost = cost, reason = reason }
end

-- ---- submit --------------------------------------------------------------------------------------------------------

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

--- Puts a request into the queue. `input` is the model's input as it goes out; `options` as options.lua read them. The caller
-- puts into the state of what was accepted how to read the output (with_reading).
function queue.submit(ctx, model, input, options)
  options = options or NO_OPTIONS
  local headers = common_headers(options)
  headers["X-Fal-Queue-Priority"] = options.priority or "normal"
  if options.retry == false then headers["X-Fal-No-Retry"] = "1" end
  local webhook = options.webhook or ctx.webhook_url
  local response, failure = ctx.request {
    method = "POST", path = "/" .. model, headers = headers, json = input, query = webhook and { fal_webhook = webhook } or nil,
  }
  if not response or response.status >= 300 then return failed(response, failure) end
  return accepted(response, model, options)
end

--- Keeps how to read the output with a request that was accepted: `reading` (see `finished`), as prices and switches are now.
function queue.with_reading(result, reading, makes_files)
  if result.state then
    reading.makes_files = makes_files or nil
    result.state.reading = reading
  end
  return result
end

local priced

--- Runs a model and waits for its output: no queue, so neither priority nor webhook, and 429 over the concurrency limit.
function queue.run(ctx, model, input, payload, reading)
  local options = payload.queue or NO_OPTIONS
  fal_options.warn(ctx, payload, QUEUE_ONLY, "has a meaning only in the queue; left out")
  local response, failure = ctx.request {
    method = "POST", url = queue.RUN_URL .. "/" .. model, headers = common_headers(options), json = input,
  }
  local id = text_of(table_of(response and response.headers)["x-fal-request-id"])
  if not response then return failed(nil, failure) end
  reading = priced(ctx, model, reading or NO_OPTIONS, response)
  if response.status < 300 then
    return finished(id, response, reading) or http_errors.unreadable("the answer is not an output of the model")
  end
  -- Refused at the door: no model ran.
  if response.status == 429 or response.status == 401 or response.status == 403 then return failed(response) end
  local result = model_failed(response, reading)
  result.id = id
  return result
end

-- ---- prices --------------------------------------------------------------------------------------------------------

-- The price of one billing unit of a model, by fal's own list; nil when it cannot be had, or is not in dollars.
local function unit_price_of(ctx, model)
  local response = ctx.request { method = "GET", url = queue.PRICING_URL, query = { endpoint_id = model } }
  if not response or response.status >= 300 then return nil end
  for _, price in ipairs(table_of(table_of(response.json).prices)) do
    local is_usd = price.currency == nil or price.currency == "USD"
    if price.endpoint_id == model and is_usd and type(price.unit_price) == "number" then return price.unit_price end
  end
  return nil
end

-- The reading with the price of the units that an answer names, where no table has one: a model that is not described costs what
-- fal says, not all that was reserved.
function priced(ctx, model, reading, response)
  local units = tonumber(table_of(response.headers)["x-fal-billable-units"])
  if not units or units <= 0 or reading.unit_price or reading.usd or not text_of(model) then return reading end
  local with_price = check.copy(reading)
  with_price.unit_price = unit_price_of(ctx, model)
  return with_price
end

-- ---- a request in the queue ----------------------------------------------------------------------------------------

-- Where a request's status, response or cancel call goes: the URL that fal gave, else the one that its rule gives. On the
-- queue's own host only the path is used, so that a configured base_url holds for the whole life of a job.
local function address(job, model, kind)
  local url = text_of(table_of(job.state)[kind .. "_url"])
  if url and not starts_with(url, queue.BASE_URL .. "/") then return { url = url } end
  if url then return { path = string.sub(url, #queue.BASE_URL + 1) } end
  if not string.find(tostring(job.id), "^%w[%w_-]*$") then return nil end
  local suffix = kind == "response" and "" or "/" .. kind
  return { path = queue.app_path(model) .. "/requests/" .. job.id .. suffix }
end

local NO_ADDRESS = { field = "job_id", message = "is not a request id of fal.ai" }

local function call(ctx, place, method, query)
  return ctx.request {
    method = method, path = place.path, url = place.url, query = query, headers = { ["Content-Type"] = JSON_CONTENT },
  }
end

local function state_with(job, status)
  local state = check.copy(table_of(job.state))
  state.status = status
  return state
end

local function not_learned(job, response, failure)
  local status = table_of(job.state).status == "queued" and "queued" or "running"
  return http_errors.not_learned(response, failure, {
    id = job.id, status = status, state = job.state, retry_after = RETRY_AFTER,
  })
end

-- A question that was refused says nothing about the request, unless fal does not know it.
local function unanswered(job, response, failure)
  if not http_errors.is_gone(response) then return not_learned(job, response, failure) end
  local result = failed(response, failure)
  result.id, result.error.billed = job.id, nil
  return result
end

-- Not the model's to say: the key is refused, the rate is too high.
local IS_NOT_THE_MODELS = { [401] = true, [403] = true, [408] = true, [429] = true }

local GATEWAY_FAILURES = { [502] = true, [503] = true, [504] = true }

-- A 5xx of the result is the model's own failure if it says which; from a gateway on the way it means: ask again.
local function is_worth_asking_again(response)
  if not response or IS_NOT_THE_MODELS[response.status] then return true end
  if not GATEWAY_FAILURES[response.status] then return false end
  local _, kind = read_problem(response.json)
  return not (kind or text_of(table_of(response.headers)["x-fal-error-type"]))
end

-- Whether an answer to the question for a result is the model's own: 422, or a failure that says which it is. Any other refusal
-- is of the question, and says nothing of the request.
local function is_verdict(response)
  local _, kind, is_models = read_problem(response.json)
  return response.status == 422 or is_models or kind ~= nil or text_of(table_of(response.headers)["x-fal-error-type"]) ~= nil
end

-- A failure of the model and a bad moment of the host that keeps results look alike: one that stays is the model's.
local LOOKS_AT_A_FAILURE = 3

local function is_to_be_looked_at_again(job, response)
  local state = table_of(job.state)
  return response.status >= 500 and text_of(state.model) ~= nil and (state.failures or 1) < LOOKS_AT_A_FAILURE
end

local function looked_at(job, response)
  local state = check.copy(job.state)
  state.failures = (state.failures or 1) + 1
  return not_learned({ id = job.id, state = state }, response)
end

local NOT_AN_OUTPUT = { kind = "malformed", message = "the answer is not an output of the model" }

-- A request that has ended at fal, of which its result is still to be learned, does not wait in a queue any more.
local function out_of_queue(job)
  local request = check.copy(job)
  request.state = state_with(job, "running")
  return request
end

local function fetch_result(job, ctx, model, reading)
  job = out_of_queue(job)
  local place = address(job, model, "response")
  if not place then return nil, NO_ADDRESS end
  local response, failure = call(ctx, place, "GET")
  if is_worth_asking_again(response) then return not_learned(job, response, failure) end
  if is_to_be_looked_at_again(job, response) then return looked_at(job, response) end
  if response.status >= 300 and response.status < 500 and not is_verdict(response) then return unanswered(job, response) end
  reading = priced(ctx, model, reading, response)
  if response.status >= 300 then
    local result = model_failed(response, reading)
    result.id = job.id
    return result
  end
  return finished(job.id, response, reading) or not_learned(job, nil, NOT_AN_OUTPUT)
end

-- Models that log a progress bar log a percentage before a bar: "25%|##        | 1/4".
local function progress_of(logs)
  logs = table_of(logs)
  local message = text_of(table_of(logs[#logs]).message)
  local percent = message and tonumber(string.match(string.sub(message, 1, 200), "(%d+)%%|"))
  return percent and math.min(percent / 100, 1) or nil
end

-- Failures of fal's own servers, which it does not bill.
local NOT_BILLED = names.set { "internal_server_error", "downstream_service_error", "downstream_service_unavailable" }

-- An end that the status or a delivery tells. What it costs is in the head of the result, which may be asked for.
local function completed_with_error(job, body, ctx, model, reading)
  local text, kind = read_problem(body)
  local code = locked(text) or code_of(kind) or "vendor"
  local detail = code ~= "credit" and http_errors.safe_text(text) or kind
  local message = "the vendor reports: " .. (detail or "an error without a text")
  local problem = { code = code, message = message, vendor_code = kind }
  local result = { id = job.id, status = "error", error = problem }
  if code == "timeout" or code == "unavailable" or NOT_BILLED[kind or ""] then
    problem.billed = false
    return result
  end
  local place = text_of(table_of(job.state).model) and address(job, model, "response")
  local response = place and call(ctx, place, "GET")
  if not response then return result end
  local cost, units = cost_of(response, priced(ctx, model, reading, response))
  if units then result.cost, problem.billed = cost, units > 0 end
  return result
end

-- Model and reading of a request: what its submit left, else what its payload says now.
local function known(job, model, reading)
  local state = table_of(job.state)
  if not text_of(state.model) then return model, reading or NO_OPTIONS end
  return state.model, table_of(state.reading)
end

local function wants_logs(job)
  local logs = table_of(job.state).logs
  if logs == nil then logs = table_of(table_of(job.payload).queue).logs end
  return logs ~= false
end

--- Asks for a request's status and, once it is completed, for its result. `reading` says how to read it (see `finished`), for a
-- request that the host does not know.
function queue.poll(job, ctx, model, reading)
  model, reading = known(job, model, reading)
  local place = address(job, model, "status")
  if not place then return nil, NO_ADDRESS end
  local response, failure = call(ctx, place, "GET", { logs = wants_logs(job) and "1" or "0" })
  if not response or response.status >= 300 then return unanswered(job, response, failure) end
  local body = table_of(response.json)
  if body.status == "IN_QUEUE" then
    local position = math.tointeger(body.queue_position)
    local reason = position and "position " .. position .. " in the queue" or nil
    return { id = job.id, status = "queued", state = state_with(job, "queued"), reason = reason }
  elseif body.status == "IN_PROGRESS" then
    return { id = job.id, status = "running", state = state_with(job, "running"), progress = progress_of(body.logs) }
  elseif body.status ~= "COMPLETED" then
    local reason = "status not known: the vendor answered without one of its statuses"
    return { id = job.id, status = "running", state = job.state, reason = reason, retry_after = RETRY_AFTER }
  end
  if text_of(body.error) or text_of(body.error_type) then return completed_with_error(job, body, ctx, model, reading) end
  return fetch_result(job, ctx, model, reading)
end

--- Asks fal to drop a request. One that is already running may still finish, and then it is billed.
function queue.cancel(job, ctx, model)
  model = known(job, model)
  local place = address(job, model, "cancel")
  if not place then return nil, NO_ADDRESS end
  local response, failure = call(ctx, place, "PUT")
  local answer = response and table_of(response.json).status
  if answer == "ALREADY_COMPLETED" then
    local reason = "too late to cancel: already completed, the next poll brings its result"
    return { id = job.id, status = "running", state = job.state, reason = reason, retry_after = 0 }
  end
  if not response or response.status >= 300 then return unanswered(job, response, failure) end
  local problem = { code = "canceled", message = "the request was canceled" }
  -- It left the queue before it ran.
  if answer == "OK" then problem.billed = false end
  local reason = answer == "CANCELLATION_REQUESTED" and "cancellation requested: a request that runs may still finish" or nil
  return { id = job.id, status = "canceled", reason = reason, error = problem }
end

-- What a delivery does not tell is in the headers of the result: the units that are billed. nil and what to go on with while they
-- may still be had: settled without them the job costs what was guessed. A delivery ends its job also where fal refuses to tell
-- them.
local function with_units(payload, job, ctx, model, reading)
  local is_ours = text_of(table_of(job.state).model) ~= nil
  local place = is_ours and not reading.usd and address(job, model, "response")
  if not place then return { json = payload, headers = {} }, nil, reading end
  local response, failure = call(ctx, place, "GET")
  local is_refused = response and (response.status == 401 or response.status == 403)
  if not response or is_refused or http_errors.is_transient(response) and not is_verdict(response) then
    return nil, not_learned(out_of_queue(job), response, failure)
  end
  return { json = payload, headers = response.headers }, nil, priced(ctx, model, reading, response)
end

--- Reads a webhook delivery, whose signature the host has checked. An output too odd for JSON is fetched instead.
function queue.webhook(delivery, ctx, model, reading)
  local body, job = table_of(delivery.json), delivery.job or {}
  model, reading = known(job, model, reading)
  if job.id and body.request_id ~= job.id and body.gateway_request_id ~= job.id then
    return nil, { field = "request_id", message = "the delivery is for another request" }
  end
  local request = check.copy(job)
  request.id = job.id or text_of(body.request_id)
  if body.status == "ERROR" then
    local status = tonumber(string.match(string.sub(text_of(body.error) or "", 1, 200), "status code: (%d%d%d)"))
    if not status or type(body.payload) ~= "table" then return completed_with_error(request, body, ctx, model, reading) end
    local refused, unlearned, known_reading = with_units(body.payload, request, ctx, model, reading)
    if not refused then return unlearned end
    refused.status = status
    local result = model_failed(refused, known_reading)
    result.id = request.id
    return result
  elseif body.status == "OK" then
    if type(body.payload) ~= "table" then return fetch_result(request, ctx, model, reading) end
    local delivered, unlearned, known_reading = with_units(body.payload, request, ctx, model, reading)
    if not delivered then return unlearned end
    return finished(request.id, delivered, known_reading) or fetch_result(request, ctx, model, reading)
  end
  return nil, { field = "status", message = "must be OK or ERROR" }
end

-- ---- health --------------------------------------------------------------------------------------------------------

--- Asks for the live price of a model: free, and any key may. A model that is no longer listed is not an outage.
function queue.health(ctx, model)
  local response, failure = ctx.request { method = "GET", url = queue.PRICING_URL, query = { endpoint_id = model } }
  if not response then return { ok = false, reason = http_errors.failure(failure).message } end
  if response.status == 404 then return { ok = true, notes = { model .. " is not in fal's price list at present" } } end
  if response.status >= 300 then return { ok = false, reason = queue.error(response).message } end
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
