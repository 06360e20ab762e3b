-- requests.lua - how fal is asked about a request in its queue.

local check = require "check"
local cjson = require "cjson"
local ids = require "fal.ids"
local values = require "fal.values"

local requests = {}

local NO_OPTIONS = {}
local number_text, starts_with, table_of, text_of = values.number_text, values.starts_with, values.table_of, values.text_of

requests.BASE_URL = "https://queue.fal.run"
requests.PRICING_URL = "https://api.fal.ai/v1/models/pricing"

-- fal's own client sends it with every call, also with those that have no body.
requests.JSON_CONTENT = "application/json"

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

--- Where a request's status, response or cancel call goes: the URL that fal gave, else the one that its rule gives. On the
-- queue's own host only the path is used, so that a configured base_url holds for the whole life of a job.
function requests.address(job, model, kind)
  local url = text_of(table_of(job.state)[kind .. "_url"])
  if url and not starts_with(url, requests.BASE_URL .. "/") then return { url = url } end
  if url then return { path = string.sub(url, #requests.BASE_URL + 1) } end
  if not string.find(tostring(job.id), "^%w[%w_-]*$") then return nil end
  local suffix = kind == "response" and "" or "/" .. kind
  return { path = ids.app_path(model) .. "/requests/" .. job.id .. suffix }
end

--- The refusal of an id that has no address.
requests.NO_ADDRESS = { field = "job_id", message = "is not a request id of fal.ai" }

--- Asks at an address.
function requests.send(ctx, place, method, query)
  return ctx.request {
    method = method, path = place.path, url = place.url, query = query, headers = { ["Content-Type"] = requests.JSON_CONTENT },
  }
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
  if logs == nil then logs = table_of(table_of(job.payload).queue).logs end
  return logs ~= false
end

return requests
