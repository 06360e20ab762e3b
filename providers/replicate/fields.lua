-- fields.lua - what a job for Replicate may hold.

local check = require "check"
local given = require "given"
local names = require "names"

local fields = {}

local NONE = {}

--- Of names and ids.
fields.MAX_NAME_BYTES = 512

--- The vendor holds a create for so long at most.
fields.MAX_WAIT_SECONDS = 60
--- It cancels nothing earlier.
fields.MIN_CANCEL_AFTER_SECONDS = 5

local WEBHOOK_EVENTS = { "start", "output", "logs", "completed" }

--- What the vendor tells of.
fields.WEBHOOK_EVENTS = WEBHOOK_EVENTS

-- Options of the readers of check.lua.
local NAME, DURATION = { max = fields.MAX_NAME_BYTES, blank = "absent" }, { lower = true, max = 32 }

local function read_prefer(reader, prefer_names)
  local value, name = reader:raw(prefer_names)
  if value == nil or value == false then return nil end
  if value == true then return "wait" end
  if type(value) == "number" or (type(value) == "string" and tonumber(value)) then return "wait=" .. reader:integer(name) end
  return reader:text(name, DURATION)
end

local function read_cancel_after(reader, name)
  local value = reader:raw(name)
  if type(value) == "number" then return tostring(reader:integer(name)) end
  return reader:text(name, DURATION)
end

local function read_events(reader, name)
  local events = reader:array_of(name)
  for index, event in ipairs(events or NONE) do
    if type(event) ~= "string" then check.fail(reader:path(name .. "[" .. index - 1 .. "]"), "must be text") end
  end
  return events
end

-- `schema` is what clients are told of a field that its reader alone does not say (choices.lua).
local JOB = check.field_list {
  { name = "model", kind = "text", options = NAME },
  { name = "model_version", kind = "text", options = NAME },
  { name = "version", kind = "text", options = NAME },
  { name = "deployment", kind = "text", options = NAME },
  { name = "input", kind = "object_of" },
  { name = "webhook", kind = "text", options = { blank = "absent" }, schema = { format = "uri", x_advanced = true } },
  { name = "webhook_events_filter", read = read_events,
    schema = { type = "array", items = { type = "string", enum = WEBHOOK_EVENTS }, x_advanced = true } },
  { name = "cancel_after", read = read_cancel_after,
    schema = { type = "string", examples = { "30s", "5m", "1h30m45s" }, x_costs = true, x_advanced = true } },
  { name = "hardware", kind = "text", options = { lower = true, blank = "absent", max = 64 }, schema = { x_costs = true } },
  { name = "seconds", names = { "seconds", "expected_seconds" }, kind = "number", options = { min = 0, zero = "absent" },
    schema = { x_costs = true } },
  { name = "pinned_version", kind = "text", options = NAME }, -- the host's own: jobs.lua
  { name = "prefer", names = { "prefer", "wait" }, read = read_prefer,
    schema = { type = "string", examples = { "wait", "wait=30" }, x_advanced = true } },
}

--- The list itself.
fields.JOB = JOB

--- The job in plain values. Wrong JSON types end here, with the field's path. `has_others`: the request has names of no field.
function fields.read(request)
  local job = { model = nil, version = nil, input = nil, row = nil, has_others = nil } -- room for what most have
  local _, has_others = check.reader(request):fields(JOB, job)
  job.has_others = has_others
  return job
end

--- "1h30m45s", "5m", "30s" or "30" in seconds; nil if it is none of them.
function fields.seconds(text)
  local total, rest = 0, text
  local hours, behind_hours = string.match(rest, "^(%d+)h(.*)$")
  if hours then total, rest = total + tonumber(hours) * 3600, behind_hours end
  local minutes, behind_minutes = string.match(rest, "^(%d+)m(.*)$")
  if minutes then total, rest = total + tonumber(minutes) * 60, behind_minutes end
  local seconds = string.match(rest, "^(%d+)s?$")
  if seconds then return total + tonumber(seconds) end
  if rest == "" and (hours or minutes) then return total end
  return nil
end

--- What a script returns beside nil when it refuses a job.
function fields.refusal(field, message, allowed)
  return { field = field, message = message, allowed = allowed }
end

local function prefer_refusal(job, payload)
  if job.prefer == "wait" then return nil end
  local seconds = tonumber(string.match(job.prefer, "^wait=(%d+)$"))
  if seconds and seconds >= 1 and seconds <= fields.MAX_WAIT_SECONDS then return nil end
  local field = check.is_given(payload.prefer) and "prefer" or "wait"
  return fields.refusal(field, "the vendor waits for 1 to 60 seconds", { "wait", "wait=1", "wait=60" })
end

local function refuse_unknown_events(events, found)
  for index, event in ipairs(events) do
    if not check.in_list(event, WEBHOOK_EVENTS) then
      local field = "webhook_events_filter[" .. index - 1 .. "]"
      found[#found + 1] = fields.refusal(field, "is not an event of the vendor", WEBHOOK_EVENTS)
    end
  end
end

--- What the vendor's contract cannot express, before anything is sent: adds to `found`.
function fields.refusals(job, payload, found)
  if not job.input then
    found[#found + 1] = fields.refusal("input", "give the model's inputs as an object ({} if it needs none)")
  end
  if job.input and given.is_wrapper(job.input, "input") then
    found[#found + 1] = fields.refusal("input.input", "is a wrapper around the inputs: give what it holds as `input` itself")
  end
  if job.webhook and not string.find(string.sub(job.webhook, 1, 8), "^https://") then
    found[#found + 1] = fields.refusal("webhook", "must be an https URL; the vendor calls no other")
  end
  if job.webhook_events_filter then refuse_unknown_events(job.webhook_events_filter, found) end
  if job.prefer then found[#found + 1] = prefer_refusal(job, payload) end
  if job.cancel_after then
    local limit = fields.seconds(job.cancel_after)
    if not limit or limit < fields.MIN_CANCEL_AFTER_SECONDS then
      found[#found + 1] = fields.refusal("cancel_after", "must be at least 5 seconds, as 30, 30s, 5m or 1h30m45s", { "5s" })
    end
  end
end

--- What is said of an official model in its limits (limits_in_words), and known it by.
fields.OFFICIAL = "official: always on, billed by what comes out, run by its name without a version"

--- Whether what the directory knows of a model says that it is an official one.
function fields.is_official(live)
  for _, words in ipairs(type(live.limits_in_words) == "table" and live.limits_in_words or NONE) do
    if words == fields.OFFICIAL then return true end
  end
  return false
end

--- Warns of what is not sent.
function fields.warn_of_unknown_fields(payload, ctx)
  local unknown = names.unknown(payload, JOB.by_name)
  if not unknown then return end
  for _, name in ipairs(unknown) do
    ctx.warn { field = name, message = "is not sent: no field of the vendor; what the model is to get belongs into `input`" }
  end
end

return fields
