-- management.lua - creates, changes, starts and stops endpoints, and asks about them.

local answers = require "hf_inference_endpoints.answers"
local check = require "check"
local addresses = require "hf_inference_endpoints.addresses"
local jobs = require "hf_inference_endpoints.jobs"
local states = require "hf_inference_endpoints.states"
local names = require "names"
local outputs = require "outputs"
local reconcile = require "reconcile"
local schema_check = require "schema.check"
local times = require "times"
local url_parts = require "url_parts"

local management = {
  TYPES = { "private", "authenticated", "public" },
  ACCELERATORS = { "cpu", "gpu", "neuron" },
  -- The vendor scales down after 15 minutes to 2 days without a request.
  MIN_IDLE_MINUTES = 15, MAX_IDLE_MINUTES = 2880,
}

--- What the vendor's create body has that decides what runs and what it costs, by path, in words of JSON Schema. The rest goes
-- out as it is.
management.BODY = {
  type = { type = "string", enum = management.TYPES },
  ["model.repository"] = { type = "string", examples = { "black-forest-labs/FLUX.1-dev" } },
  ["model.task"] = { type = { "string", "null" }, examples = { "text-to-image" } },
  ["provider.vendor"] = { type = "string", examples = { "aws", "gcp", "azure" }, x_costs = true },
  ["provider.region"] = { type = "string", examples = { "us-east-1" } },
  ["compute.accelerator"] = { type = "string", enum = management.ACCELERATORS, x_costs = true },
  ["compute.instanceType"] = { type = "string", examples = { "nvidia-a10g" }, x_costs = true },
  ["compute.instanceSize"] = { type = "string", examples = { "x1" }, x_costs = true },
  ["compute.scaling.minReplica"] = { type = "integer", minimum = 0, x_costs = true },
  ["compute.scaling.maxReplica"] = { type = "integer", minimum = 0, x_costs = true },
  ["compute.scaling.scaleToZeroTimeout"] = {
    type = { "integer", "null" }, minimum = management.MIN_IDLE_MINUTES, maximum = management.MAX_IDLE_MINUTES, x_costs = true,
    x_unit = "minutes", description = "without a request; null: never scale down",
  },
}
local BODY_PATHS = names.sorted(management.BODY)

--- The body of a create or an update. The vendor wants a task that is not set left out, not null.
function management.body(job, payload)
  local body = check.copy(job.body or jobs.other_fields(payload) or {})
  if job.action == "create" and body.name == nil then body.name = job.name end
  if type(body.model) == "table" and body.model.task ~= nil and not check.is_given(body.model.task) then
    body.model = check.copy(body.model)
    body.model.task = nil
  end
  return body
end

--- The table under a name, or an empty one.
function management.table_in(object, name)
  local value = object[name]
  return type(value) == "table" and value or {}
end

local table_in = management.table_in

local function scaling_refusals(scaling, field, add)
  local idle, low, high = scaling.scaleToZeroTimeout, scaling.minReplica, scaling.maxReplica
  if type(idle) == "number" and type(low) == "number" and low > 0 then
    add(field .. ".minReplica", "must be 0 for the endpoint to scale to zero", { "0" })
  end
  if type(low) == "number" and type(high) == "number" and low > high then
    add(field .. ".maxReplica", "must not be below minReplica")
  end
end

local HINTS = { type = "; `protected` is now `authenticated`" }

local function value_at(body, path)
  local value = body
  for name in string.gmatch(path, "[^.]+") do
    if type(value) ~= "table" then return nil end
    value = value[name]
  end
  return value
end

local function body_refusals(body, prefix, add)
  for _, path in ipairs(BODY_PATHS) do
    local _, complaint = schema_check.input(management.BODY[path], value_at(body, path), path)
    if complaint then add(prefix .. path, complaint.message .. (HINTS[path] or ""), complaint.allowed) end
  end
  scaling_refusals(table_in(table_in(body, "compute"), "scaling"), prefix .. "compute.scaling", add)
end

local function management_refusals(job, body)
  local found = {}
  local function add(...) found[#found + 1] = jobs.refusal(...) end
  local action = jobs.ACTIONS[job.action]
  if action.at == "endpoint" and not job.name then add("name", "name the endpoint (the name, not the host of its URL)") end
  if job.action == "create" and type(body.name) ~= "string" then add("name", "a new endpoint needs a name") end
  if job.action == "update" and next(body) == nil then add("body", "give what is to be changed, such as `compute`") end
  if body then body_refusals(body, job.body and "body." or "", add) end
  return found
end

-- The one default that can cost without end.
local function warn_of_no_scaling_down(body, ctx)
  if type(table_in(table_in(body, "compute"), "scaling").scaleToZeroTimeout) == "number" then return end
  ctx.warn {
    field = "compute.scaling.scaleToZeroTimeout",
    message = "is not given: the endpoint runs, and is billed, until it is paused, scaled to zero or deleted",
  }
end

local function warn_of_fields_not_sent(fields, ctx)
  for _, name in ipairs(names.sorted(fields or {})) do
    ctx.warn { field = name, message = "is not sent: this action takes no fields" }
  end
end

local function management_path(action, namespace, name)
  if action.at == "hardware" then return "/provider/" .. url_parts.segment(namespace) end
  if action.at == "namespace" then return "/endpoint/" .. url_parts.segment(namespace) end
  return addresses.endpoint_path(namespace, name) .. (action.suffix or "")
end

local function read_list(response)
  local items = type(response.json) == "table" and response.json.items
  if type(items) ~= "table" then return response.json end
  local summaries = {}
  for index, endpoint in ipairs(items) do summaries[index] = states.summary_of(endpoint) end
  return { items = summaries }
end

-- The answer of an action that changes nothing, or that leaves nothing to wait for.
local function read_at_once(job, response, id)
  if job.action == "get" then return states.done(id, type(response.json) == "table" and response.json or {}) end
  if job.action == "delete" then return { id = id, status = "done", artifacts = {}, reason = "deleted" } end
  local artifact = outputs.body(response, "text/plain")
  if response.json ~= nil then
    artifact = { json = job.action == "list" and read_list(response) or response.json, content_type = "application/json" }
  end
  return { id = id, status = "done", artifacts = { artifact } }
end

local function read_management(job, response, failure, state)
  local id = state.name and (state.namespace .. "/" .. state.name) or (state.namespace .. "/" .. job.action)
  local is_running = answers.says(answers.problem_of(response), "already running")
  if job.action == "resume" and response and response.status == 400 and is_running then
    return states.ongoing(id, state, "running", "the endpoint is already running")
  end
  if not answers.is_success(response) then return answers.failed(response, failure) end
  if jobs.ACTIONS[job.action].reads or job.action == "delete" then return read_at_once(job, response, id) end
  return states.read(response.json, id, state)
end

--- Calls the management API.
function management.submit(job, payload, ctx)
  local action = jobs.ACTIONS[job.action]
  local body = action.body and management.body(job, payload) or nil
  local refusals = management_refusals(job, body)
  if #refusals > 0 then return nil, refusals end
  if job.action == "create" then warn_of_no_scaling_down(body, ctx) end
  if not body then warn_of_fields_not_sent(jobs.other_fields(payload), ctx) end
  local namespace, failed = addresses.find_namespace(job, ctx)
  if not namespace then return failed end
  local response, failure = ctx.request {
    method = action.method, path = management_path(action, namespace, job.name), json = body, free = action.free,
  }
  local state = { job = "endpoint", action = job.action, namespace = namespace, name = job.name or (body and body.name) }
  return read_management(job, response, failure, state)
end

-- Whether an endpoint is the one that a create asked for. A name is there once: an older one means a refusal.
local function read_created(job, endpoint, body, state)
  local id = state.namespace .. "/" .. state.name
  local status = table_in(endpoint, "status")
  local created, earliest = times.of_iso(status.createdAt), reconcile.earliest(job)
  if not created or not earliest or reconcile.claimed(job)[id] then return reconcile.unknown() end
  if created < earliest then return reconcile.missing() end
  local wanted, made = table_in(body, "model"), table_in(endpoint, "model")
  local compute, got = table_in(body, "compute"), table_in(endpoint, "compute")
  if not reconcile.same(wanted.repository, made.repository) or not reconcile.same(compute.instanceType, got.instanceType) then
    return reconcile.unknown()
  end
  return states.read(endpoint, id, state)
end

--- Looks for what a create or a resume without an answer came to, by the endpoint's name. `job` is what reconcile got.
function management.reconcile(job, ctx)
  local request = jobs.read(job.payload)
  local is_create = request.action == "create"
  if not is_create and request.action ~= "resume" then return reconcile.unknown() end
  local body = is_create and management.body(request, job.payload) or {}
  local name = is_create and body.name or request.name
  local namespace = type(name) == "string" and addresses.find_namespace(request, ctx)
  if not namespace then return reconcile.unknown() end
  local response = ctx.request { path = addresses.endpoint_path(namespace, name) }
  if is_create and response and response.status == 404 then return reconcile.missing() end
  if not answers.is_success(response) or type(response.json) ~= "table" then return reconcile.unknown() end
  local state = { job = "endpoint", action = request.action, namespace = namespace, name = name }
  if is_create then return read_created(job, response.json, body, state) end
  if states.name_of(response.json) == "paused" then return reconcile.missing() end
  return states.read(response.json, namespace .. "/" .. name, state)
end

return management
