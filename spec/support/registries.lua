-- Which spec files run on which registry: those of FOLDERS on SQLite and once more on PostgreSQL, all others once.
--
-- A file that runs on PostgreSQL has REGISTRY=postgresql in its environment: spec/support/host.lua then gives every host whose
-- config names no registry a database of its own. Files that name a PostgreSQL themselves (spec.support.postgres,
-- spec.support.hosts) need no second run.
local shell = require "spec.support.shell"

local registries = {}

-- The doors through which users reach a registry.
local FOLDERS = { "spec/api/", "spec/live/", "spec/mcp/", "spec/openai/" }

-- Of these what a run does that was not told which registry: all that asks the REST API, and of the doors that stand on it what
-- has rows of its own (quotes, wishes). REGISTRY=both does the rest too, and what stands in SELDOM, which takes some minutes.
local USUAL = {
  "spec/api/", "spec/live/", "spec/mcp/money", "spec/mcp/chain", "spec/openai/orphans", "spec/openai/videos_create",
}

-- Without REGISTRY in the environment: "sqlite", "postgresql" or "both".
local DEFAULT = "both"

-- Not on PostgreSQL, and why. A file that has one test of these kinds among others says so in that test.
local LEFT_OUT = {
  ["it is about SQLite's file: its earlier schemas, its mark of paid requests, its disk, the ring beside it"] = {
    "spec/api/ring_spec.lua", "spec/live/disk_spec.lua", "spec/live/migration_spec.lua", "spec/live/restored_spec.lua",
  },
  ["the machine's clock is moved: hosts on PostgreSQL keep to the server's"] = {
    "spec/live/budget_clock_spec.lua", "spec/live/resolve_spec.lua",
  },
  ["the host's allocator fails, and libpq's too, which then has lost the connection"] = {
    "spec/api/out_of_memory_spec.lua", "spec/live/out_of_memory_spec.lua", "spec/mcp/out_of_memory_spec.lua",
    "spec/openai/*_memory_spec.lua",
  },
  ["it moves the host's clock for days; hosts that share a registry keep to the server's, which a spec cannot move"] = {
    "spec/live/budget_clock_spec.lua", "spec/live/resolve_spec.lua",
  },
  ["it is about time, bytes or memory of what comes before and after the registry"] = {
    "spec/api/bodies_total_spec.lua", "spec/api/check_spec.lua", "spec/api/hostile_bodies_spec.lua",
    "spec/api/hostile_files_spec.lua", "spec/api/hostile_numbers_spec.lua", "spec/api/hostile_requests_spec.lua",
    "spec/api/large_*_spec.lua", "spec/api/masking_time_spec.lua",
  },
  ["programs of others see the same answers, and take long"] = {
    "spec/mcp/clients_spec.lua", "spec/openai/*_clients_spec.lua", "spec/openai/foreign_pages_spec.lua",
  },
  ["no job, no event and no quote is in it: nothing asks the registry"] = {
    "spec/api/catalog_etag_spec.lua", "spec/api/consent_spec.lua", "spec/api/cors_spec.lua",
    "spec/api/credential_patterns_spec.lua", "spec/api/directory_*_spec.lua", "spec/api/header_values_spec.lua",
    "spec/api/hostile_framing_spec.lua", "spec/api/hostile_scripts_spec.lua", "spec/api/inputs_spec.lua",
    "spec/api/library_functions_spec.lua", "spec/api/library_limits_spec.lua", "spec/api/lint_spec.lua",
    "spec/api/slow_scripts_spec.lua", "spec/api/studio_files_spec.lua",
    "spec/api/watchdog_spec.lua", "spec/live/clients_spec.lua", "spec/live/directory_*spec.lua",
    "spec/live/fal_directory_spec.lua", "spec/live/health_answers_spec.lua", "spec/live/health_spec.lua",
    "spec/live/last_probe_spec.lua",
    "spec/live/market_models_spec.lua", "spec/live/simulator_*_spec.lua", "spec/live/signature_spec.lua",
    "spec/live/vendor_heads_spec.lua", "spec/live/vendors_directory_spec.lua", "spec/mcp/conformance_spec.lua",
    "spec/mcp/directory_models_spec.lua", "spec/openai/directory_spec.lua", "spec/openai/models_spec.lua",
  },
}

-- Of USUAL what a run does not do either unless it is told: nothing in it is the registry's own affair, and a row of it is
-- written and read as those of the files that stay.
local SELDOM = {
  ["scripts, models and files of the home: what they lead to is in memory"] = {
    "spec/api/config_spec.lua", "spec/api/contract_spec.lua", "spec/api/directory_spec.lua", "spec/api/golden_spec.lua",
    "spec/api/helper_folders_spec.lua", "spec/api/inputs_truth_spec.lua", "spec/api/isolation_spec.lua",
    "spec/api/models_spec.lua", "spec/api/own_origin_spec.lua", "spec/api/plan_spec.lua", "spec/api/preview_spec.lua",
    "spec/api/reload_spec.lua", "spec/api/roles_reload_spec.lua", "spec/api/tenth_spec.lua", "spec/live/isolation_spec.lua",
    "spec/live/preview_spec.lua", "spec/live/resting_spec.lua",
  },
  ["connections, threads, cookies, the log, and programs that ask the REST API"] = {
    "spec/api/crowd_spec.lua", "spec/api/log_spec.lua", "spec/api/logs_spec.lua", "spec/api/no_traffic_spec.lua",
    "spec/api/session_spec.lua", "spec/api/watch_spec.lua", "spec/live/waiting_clients_spec.lua", "spec/live/watch_spec.lua",
  },
  ["what is sent to vendors, and what is made of their answers"] = {
    "spec/live/artifact_inputs_spec.lua", "spec/live/artifacts_slow_spec.lua", "spec/live/artifacts_vendors_spec.lua",
    "spec/live/braces_spec.lua", "spec/live/destinations_spec.lua", "spec/live/echo_spec.lua", "spec/live/odd_*_spec.lua",
    "spec/live/reports_spec.lua", "spec/live/request_bytes_spec.lua", "spec/live/stopped_connecting_spec.lua",
    "spec/live/trace_spec.lua", "spec/live/upstream_spec.lua", "spec/live/vendors_spec.lua",
    "spec/live/video_vendors_pictures_spec.lua",
  },
}

local function starts_with(text, beginning)
  return text:sub(1, #beginning) == beginning
end

-- Under which reason of a list a file stands, or nil.
local function reason_of(list, file)
  for reason, patterns in pairs(list) do
    for _, pattern in ipairs(patterns) do
      if file:find("^" .. pattern:gsub("[%.]", "%%."):gsub("%*", "[^/]*") .. "$") then return reason end
    end
  end
end

-- Whether it starts a PostgreSQL of its own.
local function names_postgres(file)
  local text = shell.read(file) or ""
  return text:find("spec%.support%.postgres") ~= nil or text:find("spec%.support%.hosts") ~= nil
end

local function is_for_both(file, told)
  if reason_of(LEFT_OUT, file) or names_postgres(file) then return false end
  if not told and reason_of(SELDOM, file) then return false end
  for _, folder in ipairs(told and FOLDERS or USUAL) do
    if starts_with(file, folder) then return true end
  end
  return false
end

--- The registries on which a file runs, of both or of the one that is asked for.
function registries.of(file, wanted)
  local told = wanted and wanted ~= ""
  wanted = told and wanted or DEFAULT
  local list = {}
  if wanted ~= "postgresql" then list[1] = "sqlite" end
  if wanted ~= "sqlite" and is_for_both(file, told) then list[#list + 1] = "postgresql" end
  return list
end

--- Whether a run (file, registry) starts hosts on a PostgreSQL.
function registries.needs_postgres(run)
  return run.registry == "postgresql" or names_postgres(run.file)
end

return registries
