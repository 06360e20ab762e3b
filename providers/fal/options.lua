-- options.lua - how a request is to be queued at fal.ai: webhook, priority, retries and the like, beside the model's input.
--
-- Each may stand at the top of a request or in its parameters, under our name or under those of fal's own contract: a header as a
-- program and as a page would write it.

local cjson = require "cjson"
local check = require "check"
local given = require "given"
local names = require "names"

local has_any = names.has_any
local ipairs, next, pairs, pcall, sub, type = ipairs, next, pairs, pcall, string.sub, type

local fal_options = {}

local PRIORITIES = { "normal", "low" }

--- How a form is to ask for the priority.
fal_options.PRIORITY = { type = "string", enum = PRIORITIES, default = PRIORITIES[1], x_advanced = true, x_order = 91 }

local NONE = {}

-- Options of the readers of check.lua.
local IF_NOT_BLANK, LOWER, FROM_ONE = { blank = "absent" }, { lower = true }, { min = 1 }

local function read_webhook(reader, name)
  local webhook = reader:text(name, IF_NOT_BLANK)
  if not webhook or sub(webhook, 1, 8) == "https://" or sub(webhook, 1, 7) == "http://" then return webhook end
  check.fail(reader:path(name), "must be an http or https URL")
end

local function read_start_timeout(reader, name)
  local seconds = reader:number(name)
  if seconds and seconds <= 1 then check.fail(reader:path(name), "must be more than 1") end
  return seconds
end

-- A number of seconds, or what fal's header holds: {"expiration_duration_seconds":N}, as an object or as text.
local function read_expiry(reader, name)
  local value = reader:raw(name)
  if type(value) == "string" and sub(value, 1, 1) == "{" then
    local ok, decoded = pcall(cjson.decode, value)
    if not ok then check.fail(reader:path(name), "must be JSON") end
    value = decoded
  end
  if type(value) ~= "table" then return reader:integer(name, FROM_ONE) end
  local preference = check.reader(value, reader:path(name))
  for key in pairs(value) do
    if key ~= "expiration_duration_seconds" then check.fail(preference:path(key), "is no preference that fal.ai is known for") end
  end
  return preference:integer("expiration_duration_seconds", FROM_ONE)
end

-- A header says 1 or 0 where JSON says true or false.
local FLAGS = { [1] = true, [0] = false, ["1"] = true, ["0"] = false, ["true"] = true, ["false"] = false }

local function read_flag(reader, name)
  local flag = FLAGS[reader.object[name]]
  if flag ~= nil then return flag end
  return reader:boolean(name)
end

local function read_retry(reader, name)
  local flag = read_flag(reader, name)
  if flag == nil or name == "retry" then return flag end
  return not flag
end

-- What goes out as a header is one line.
local HEADER = { blank = "absent", max = 1000, line = true }

local OPTIONS = check.field_list {
  { name = "webhook", names = { "webhook", "webhook_url", "fal_webhook" }, read = read_webhook },
  { name = "priority", names = { "priority", "x-fal-queue-priority", "X-Fal-Queue-Priority" }, kind = "choice",
    values = PRIORITIES, options = LOWER },
  { name = "start_timeout_seconds", names = { "start_timeout_seconds", "x-fal-request-timeout", "X-Fal-Request-Timeout" },
    read = read_start_timeout },
  { name = "runner_hint", names = { "runner_hint", "x-fal-runner-hint", "X-Fal-Runner-Hint" }, kind = "text",
    options = HEADER },
  { name = "expires_in_seconds",
    names = { "expires_in_seconds", "x-fal-object-lifecycle-preference", "X-Fal-Object-Lifecycle-Preference" },
    read = read_expiry },
  { name = "retry", names = { "retry", "x-fal-no-retry", "X-Fal-No-Retry" }, read = read_retry },
  { name = "store_io", names = { "store_io", "x-fal-store-io", "X-Fal-Store-IO", "X-Fal-Store-Io" }, read = read_flag },
  { name = "logs", names = { "logs" }, read = read_flag },
}

local IS_NAME = OPTIONS.by_name

--- All names of how a request is to be queued.
fal_options.NAMES = names.sorted(OPTIONS.by_name)

--- The same for clients, by our names: fal's own for each.
fal_options.FOR_CLIENTS = {}
for _, option in ipairs(OPTIONS) do
  local own = option.names[3] and (option.name == "webhook" and option.names[3] or option.names[2]) or option.name
  fal_options.FOR_CLIENTS[option.name] = own
end

--- Whether a name among the parameters says how to queue. A plain word such as `priority` or `webhook` may be an input of a
-- model: it is one if the model's description (model_inputs.lua) has it, and with a model that is not described.
function fal_options.is_option(name, description)
  if not IS_NAME[name] then return false end
  if name == "fal_webhook" or string.lower(sub(name, 1, 6)) == "x-fal-" then return true end
  return description ~= nil and description.inputs[name] == nil
end

local function options_among(parameters, description)
  local found
  for name, value in next, parameters do
    if IS_NAME[name] and fal_options.is_option(name, description) then
      found = found or {}
      found[name] = value
    end
  end
  return found
end

--- How the request is to be queued, as a table for the payload; nil if it says nothing. `top` reads the top of the request,
-- `parameters` are its parameters or nil, `description` is the model's or nil. `at_top`: whether there are any at the top, if
-- that is known.
function fal_options.read(payload, top, parameters, description, at_top)
  local inner = parameters and next(parameters) ~= nil and options_among(parameters, description) or nil
  if at_top == nil and not inner then at_top = has_any(top.object, IS_NAME) end
  if not inner and not at_top then return nil end
  local options, second = {}, inner and check.reader(inner, "parameters")
  for _, option in ipairs((check.present(OPTIONS, top.object, inner))) do
    options[option.name] = given.read(payload, option, top, second)
  end
  return next(options) ~= nil and options or nil
end

--- Warns of options that the chosen way of running a model has not got; `only` is a set of them.
function fal_options.warn(ctx, payload, only, message)
  for _, name in ipairs(names.sorted(payload.queue or NONE)) do
    if not only or only[name] then ctx.warn { field = given.path(payload, name), message = message } end
  end
end

return fal_options
