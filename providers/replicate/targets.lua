-- targets.lua - where a prediction is created: at an official model, by version, or on a deployment.

local fields = require "replicate.fields"
local models = require "replicate.models"
local requests = require "replicate.requests"
local url_parts = require "url_parts"

local targets = {}

local byte, tonumber = string.byte, tonumber
local ROWS = models.ROWS

-- "owner/name" as a path, or nil. Most need no encoding.
local function owner_and_name(text)
  if ROWS[text] then return text end
  if not string.find(text, "/", 1, true) then return nil end
  if string.find(text, "^%w[%w_.-]*/%w[%w_.-]*$") then return text end
  local owner, name = string.match(text, "^([^/:%s]+)/([^/:%s]+)$")
  if not owner or not url_parts.is_name(owner) or not url_parts.is_name(name) then return nil end
  return url_parts.segment(owner) .. "/" .. url_parts.segment(name)
end

local MINUS = byte "-" -- like blanks less than every digit

-- 64 hexadecimal digits: as a number that has neither a sign nor blanks at its ends.
local function is_version_hash(text)
  return #text == 64 and byte(text, 1) > MINUS and byte(text, 64) > MINUS and tonumber(text, 16) ~= nil
end

local NOT_WITH_DEPLOYMENT = { "version", "model", "model_version" }

local function deployment_target(job)
  for _, name in ipairs(NOT_WITH_DEPLOYMENT) do
    if job[name] then return nil, fields.refusal(name, "a deployment has its own model and version; give one or the other") end
  end
  local path = owner_and_name(job.deployment)
  if not path then
    return nil, fields.refusal("deployment", "must be owner/name, as the deployment's page has it behind /deployments/")
  end
  return { path = "/deployments/" .. path .. "/predictions" }
end

local NOT_A_MODEL = "must be owner/name, owner/name:version or a version id"

-- What a page's address says beside the model's place on it.
local NOT_IN_NAMES = { versions = true, api = true, examples = true, readme = true, train = true }

-- The model of a page's address (https://replicate.com/owner/name/versions/...), to write instead; or nil.
local function model_of_page(text)
  local url = url_parts.parse(text)
  if not url or not url_parts.host_matches(string.gsub(url.host, "^www%.", ""), "replicate.com") then return nil end
  local owner, name, rest = string.match(url.path, "^/([^/:%s]+)/([^/:%s]+)(.*)$")
  if not owner or not owner_and_name(owner .. "/" .. name) then return nil end
  local word, version = string.match(rest, "^/(%a+)/?(%x*)")
  if word and not NOT_IN_NAMES[word] then return nil end
  return owner .. "/" .. name .. (version and is_version_hash(version) and ":" .. version or "")
end

local function refuse_model(field, text)
  local instead = model_of_page(text)
  if not instead then return nil, fields.refusal(field, NOT_A_MODEL) end
  return nil, fields.refusal(field, NOT_A_MODEL .. ": write " .. instead .. " instead of the page's address", { instead })
end

-- The model and the version of "owner/name:version", "version" and "owner/name"; nil for what is none of these.
local function split_version(text)
  if is_version_hash(text) then return nil, text end
  if owner_and_name(text) then return text, nil end
  if not string.find(text, ":", 1, true) then return nil, url_parts.is_name(text) and text or nil end
  local model, version = string.match(text, "^([^:]+):([^:]+)$")
  if not model then return nil end
  if owner_and_name(model) and url_parts.is_name(version) then return model, version end
  return nil
end

local function latest_version(model)
  local path = model and owner_and_name(model)
  if not path then return nil, fields.refusal("model", "must be owner/name, for its latest version to be looked up") end
  return { path = "/predictions", look_up = "/models/" .. path }
end

--- The model of a job as "owner/name", and its version if the job names one; nil when the job does not say.
function targets.model_of(job)
  local named = job.version and job.version ~= "latest" and job.version or job.model or job.model_version
  if job.deployment or not named then return nil end
  local model, version = split_version(named)
  if not model and version and job.model then model = split_version(job.model) end
  if not model then return nil end
  return model, version
end

--- The version of what the directory knows of a job's model, where the job may name one: an official model has none that can be
--- run by name.
function targets.version_to_pin(job, live)
  if not live or not live.version or job.deployment or fields.is_official(live) then return nil end
  local target = targets.of_job(job)
  return target and (target.official or target.look_up) and is_version_hash(live.version) and live.version or nil
end

-- `version` counts before `model`, which then only names it; "latest" is looked up, since the vendor does not know that word.
local function version_target(text, field, model)
  local owner, version = split_version(text)
  if not owner and not version then return refuse_model(field, text) end
  if owner and model and owner ~= model then return nil, fields.refusal(field, "is a version of another model than `model`") end
  if text == "latest" then return latest_version(model) end
  return { path = "/predictions", version = text }
end

local function model_target(text, field)
  local model, version = split_version(text)
  if model and not version then return { path = "/models/" .. owner_and_name(model) .. "/predictions", official = true } end
  if model or is_version_hash(text) then return version_target(text, field) end
  return refuse_model(field, text)
end

local function target_of(job)
  if job.deployment then return deployment_target(job) end
  if job.version then return version_target(job.version, "version", job.model) end
  if job.model and job.model_version and job.model ~= job.model_version then
    if is_version_hash(job.model_version) or string.find(job.model_version, ":", 1, true) then
      return version_target(job.model_version, "model_version", job.model)
    end
    return nil, fields.refusal("model_version", "names another model than `model`; give one of them")
  end
  if job.model then return model_target(job.model, "model") end
  if job.model_version then return model_target(job.model_version, "model_version") end
  return nil, fields.refusal("model", "name what to run: `model` (owner/name), `version` or `deployment`")
end

--- { path =, version = or look_up =, official = } or nil and why not.
function targets.of_job(job)
  local target, refusal = target_of(job)
  if target and job.pinned_version and (target.official or target.look_up) then
    return { path = "/predictions", version = job.pinned_version }
  end
  return target, refusal
end

--- The id of a model's newest version, or nil and the result of the failed look-up.
function targets.look_up(path, ctx)
  ctx.note "the latest version of the model is looked up right before it is run"
  local response, failure = requests.send(ctx, {
    path = path, mock = { status = 200, headers = {}, json = { latest_version = { id = "latest" } } },
  })
  if not requests.is_success(response) then return nil, requests.not_accepted(response, failure) end
  local latest = type(response.json) == "table" and response.json.latest_version
  if type(latest) == "table" and type(latest.id) == "string" then return latest.id end
  return nil, { status = "error", error = { code = "not_found", message = "the model has no version to run", billed = false } }
end

return targets
