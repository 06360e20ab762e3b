-- answers.lua - reads what Runway answers: tasks and errors.

local http_errors = require "http_errors"
local outputs = require "outputs"
local runway_prices = require "runway.prices"

local runway_answers = {}

-- The vendor asks for at least five seconds between polls.
local POLL_SECONDS = 5

-- { "promptImage", 0, "uri" } as promptImage.0.uri.
local function path_of(steps)
  local path = {}
  for _, step in ipairs(type(steps) == "table" and steps or {}) do
    path[#path + 1] = tostring(type(step) == "number" and math.tointeger(step) or step)
  end
  return #path > 0 and table.concat(path, ".") or nil
end

--- What the vendor's error body says, for http_errors: { code =, detail = }.
function runway_answers.explain(response)
  local body = response and type(response.json) == "table" and response.json or {}
  local text = type(body.error) == "string" and body.error or nil
  -- Out of credits is a 400 like any other.
  if text and string.find(string.lower(string.sub(text, 1, 300)), "enough credits", 1, true) then return { code = "credit" } end
  local issue = type(body.issues) == "table" and body.issues[1]
  if type(issue) == "table" and type(issue.message) == "string" then
    local path = path_of(issue.path)
    text = (path and path .. ": " or "") .. issue.message
  end
  return { detail = text }
end

-- The price of a credit is that of the submit.
local function cost_of(credits, state)
  if type(credits) ~= "table" or type(credits.credits) ~= "number" or credits.credits < 0 then return nil end
  return { usd = runway_prices.to_usd(credits.credits, state.credits_per_usd), credits = credits.credits, source = "vendor" }
end

-- The estimate in a create's answer is the most that the task may charge; the task's own cost replaces it.
local function most_cost_of(estimated, state)
  local cost = cost_of(estimated, state)
  if cost then cost.maximum = true end
  return cost
end

local function starts_with(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

local function failure_code_of(code)
  if starts_with(code, "SAFETY.") or string.find(code, ".SAFETY.", 1, true) then return "moderation" end
  if starts_with(code, "ASSET.INVALID") then return "invalid" end
  if starts_with(code, "THIRD_PARTY.UNAVAILABLE") then return "unavailable" end
  return "vendor"
end

-- What was moderated before it ran is charged all the same; of the rest the task's cost tells.
local function billed_of(vendor_code, cost)
  if cost then return cost.usd > 0 end
  if starts_with(vendor_code, "SAFETY.INPUT") or starts_with(vendor_code, "INPUT_PREPROCESSING.SAFETY") then return true end
  return nil
end

local function failed_result(task, state)
  local vendor_code = type(task.failureCode) == "string" and task.failureCode or ""
  local cost = cost_of(task.cost, state)
  return {
    id = task.id, status = "error", cost = cost,
    error = {
      code = failure_code_of(vendor_code), message = http_errors.safe_text(task.failure) or "the task failed",
      vendor_code = vendor_code ~= "" and vendor_code or nil, billed = billed_of(vendor_code, cost),
    },
  }
end

-- A task has a list of URLs, the invocation of a workflow one for each of its nodes; what else is in it is kept, too.
local function succeeded_result(task, state)
  local artifacts = outputs.artifacts(task.output)
  if #artifacts == 0 then artifacts[1] = { json = task, content_type = "application/json" } end
  return { id = task.id, status = "done", progress = 1, artifacts = artifacts, cost = cost_of(task.cost, state) }
end

-- State keeps the last status: a poll that learns nothing reports it again, and a cancel knows that there is something to lose.
local function going_on(task, state, status, reason)
  local progress = type(task.progress) == "number" and math.min(math.max(task.progress, 0), 1) or nil
  return {
    id = task.id, status = status, progress = progress, reason = reason, retry_after = POLL_SECONDS,
    cost = most_cost_of(task.estimatedCost, state),
    state = { status = status, credits_per_usd = state.credits_per_usd, place = state.place },
  }
end

--- The result of a create: a task that waits. `place`: where it is asked for, if not among the tasks.
function runway_answers.created(task, place)
  local result = going_on(task, { credits_per_usd = runway_prices.CREDITS_PER_USD, place = place }, "queued")
  result.progress = nil
  return result
end

local OF_A_TASK = { id = true, estimatedCost = true, routing = true }

--- Whether the answer to a create is all there is, and no task: what nobody describes is told by its members.
function runway_answers.is_object(created, product)
  if product.answer ~= "guess" then return product.answer == "object" end
  for name in pairs(created) do
    if not OF_A_TASK[name] then return true end
  end
  return false
end

--- The result of a create whose answer is all there is: an upload to fill, a router, an avatar.
function runway_answers.made(object)
  local id = object.id or object.runwayUri
  if type(id) ~= "string" then return http_errors.unreadable("the vendor's answer has no id") end
  return { id = id, status = "done", progress = 1, artifacts = { { json = object, content_type = "application/json" } } }
end

-- What a canceled task cost stands in it.
local function canceled_result(task, state)
  local cost = cost_of(task.cost, state)
  local error = { code = "canceled", message = "the task was canceled", billed = cost and cost.usd > 0 }
  return { id = task.id, status = "canceled", cost = cost, error = error }
end

--- Whether a task has ended: then a DELETE would remove its output.
function runway_answers.is_over(task)
  return task.status == "SUCCEEDED" or task.status == "FAILED" or task.status == "CANCELLED"
end

local function result_of(task, state)
  local status = task.status
  if status == "SUCCEEDED" then return succeeded_result(task, state) end
  if status == "FAILED" then return failed_result(task, state) end
  if status == "CANCELLED" then return canceled_result(task, state) end
  if status == "PENDING" then return going_on(task, state, "queued") end
  if status == "THROTTLED" then return going_on(task, state, "queued", "accepted; waits for a free slot of the account") end
  if status == "RUNNING" then return going_on(task, state, "running") end
  return going_on(task, state, "running", "status not known: " .. (http_errors.safe_text(status) or "none given"))
end

--- The result that the task object of a job stands for.
function runway_answers.task_result(task, job)
  local result = result_of(task, job.state or {})
  result.id = job.id
  return result
end

return runway_answers
