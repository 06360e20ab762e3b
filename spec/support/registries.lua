-- Which spec files run on which registry: those of FOLDERS on SQLite and once more on PostgreSQL, all others once.
--
-- A file that runs on PostgreSQL has REGISTRY=postgresql in its environment: spec/support/host.lua then gives every host whose
-- config names no registry a database of its own. Files that name a PostgreSQL themselves (spec.support.postgres,
-- spec.support.hosts) need no second run.
local shell = require "spec.support.shell"

local registries = {}

-- The doors through which users reach a registry.
local FOLDERS = { "spec/api/", "spec/live/", "spec/mcp/", "spec/openai/" }

-- Without REGISTRY in the environment: "sqlite", "postgresql" or "both".
local DEFAULT = "sqlite"

-- Not on PostgreSQL, and why.
registries.LEFT_OUT = {
}

local function starts_with(text, beginning)
  return text:sub(1, #beginning) == beginning
end

local function is_for_both(file)
  if registries.LEFT_OUT[file] then return false end
  for _, folder in ipairs(FOLDERS) do
    if starts_with(file, folder) then return true end
  end
  return false
end

--- The registries on which a file runs, of both or of the one that is asked for.
function registries.of(file, wanted)
  wanted = wanted ~= "" and wanted or DEFAULT
  local list = {}
  if wanted ~= "postgresql" then list[1] = "sqlite" end
  if wanted ~= "sqlite" and is_for_both(file) then list[#list + 1] = "postgresql" end
  return list
end

--- Whether a run (file, registry) starts hosts on a PostgreSQL.
function registries.needs_postgres(run)
  local text = shell.read(run.file) or ""
  return run.registry == "postgresql" or text:find("spec%.support%.postgres") ~= nil or text:find("spec%.support%.hosts") ~= nil
end

return registries
