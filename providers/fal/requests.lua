-- requests.lua - how fal is asked about a request in its queue.

local check = require "check"
local cjson = require "cjson"
local ids = require "fal.ids"
local values = require "fal.values"

local requests = {}

local NO_OPTIONS = {}
local find, sub = string.find, string.sub
local number_text, starts_with, table_of, text_of = values.number_text, values.starts_with, values.table_of, values.text_of
local app_path = ids.app_path

local BASE_URL = "https://queue.fal.run"
requests.BASE_URL = BASE_URL
requests.PRICING_URL = "https://api.fal.ai/v1/models/pricing"

-- fal's own client sends it with every call, also with those that have no body.
requests.JSON_CONTENT = "application/json"
local JSON_HEADERS = { ["Content-Type"] = requests.JSON_CONTENT }

--- The headers of a submit, with or without the queue.
function requests.common_headers(options)
  local headers = { ["Content-Type"] = requests.JSON_CONTENT }
  if options.start_timeout_seconds then headers["X-Fal-Request-Timeout"] = number_text(options.start_timeout_seconds) end
  headers["X-Fal-Runner-Hint"] = options.runner_hint
  if options.expires_in_seconds then
    headers["X-Fal-Object-Lifecycle-Preference"] = cjson.encode { expiration_duration_seconds = options.expires_in_seconds }
  end
  if options.store_io ~= nil then headers["X-Fal-Store-IO"] = options.store_io and "1" or "0" end
  return headers
end

--- Where a request is asked about, as path or, second, as URL: the one that fal gave under this name, else the one that its rule
-- gives. On the queue's own host only the path is used, so that a configured base_url holds for the whole life of a job.
function requests.address(job, model, url_name, suffix)
  local url, id = text_of(table_of(job.state)[url_name]), job.id
  if url and not starts_with(url, BASE_URL .. "/") then return nil, url end
  if url then return sub(url, #BASE_URL + 1) end
  if not find(id, "^%w[%w_-]*$") then return nil end
  return app_path(model) .. "/requests/" .. id .. suffix
end

--- The address of its result.
function requests.result_address(job, model)
  return requests.address(job, model, "response_url", "")
end

--- The refusal of an id that has no address.
requests.NO_ADDRESS = { field = "job_id", message = "is not a request id of fal.ai" }

--- Asks at an address: a path, or a URL.
function requests.send(ctx, method, path, url, query)
  return ctx.request { method = method, path = path, url = url, query = query, headers = JSON_HEADERS }
end

--- The job's state with another status.
function requests.state_with(job, status)
  local state = check.copy(table_of(job.state))
  state.status = status
  return state
end

--- Model and reading of a request: what its submit left, else what its payload says now.
function requests.known(job, model, reading)
  local state = table_of(job.state)
  if not text_of(state.model) then return model, reading or NO_OPTIONS end
  return state.model, table_of(state.reading)
end

--- Whether the model's logs are asked for.
function requests.wants_logs(job)
  local logs = table_of(job.state).logs
  if logs ~= nil then return logs ~= false end
  local options = table_of(job.payload).queue
  return options == nil or table_of(options).logs ~= false
end

return requests
