-- What a host may do wrong, and which checks must see it. Each case changes the answers of a good host on the way:
--   wrong   what is wrong, in words
--   at      Lua pattern of the paths whose answers are changed
--   change  gets the answer { status, headers, body, json }; json is what is sent, unless it is nil: then it is body
--   fails   the checks that fail, as kind/provider/name ("image//catalogue" is of the kind, "//reachable" of the host)
--   says    a part of what the first of them says
-- The host has the providers replicate, fal and luma; all flags are off.
local exact = require "spec.support.exact_json"

local FAL_ENTRY = "^/api/providers/image/catalog$"

-- A change of fal's entry in the catalogue.
local function entry(change)
  return function(answer)
    for _, provider in ipairs(answer.json.providers) do
      if provider.id == "fal" then change(provider) end
    end
  end
end

local function allow(json)
  json.ok, json.execution_allowed, json.feature.enabled, json.credentials.present = true, true, true, true
end

local cases = {}

local function case(wrong, at, change, fails, says)
  cases[#cases + 1] = { wrong = wrong, at = at, change = change, fails = fails, says = says }
end

-- The catalogue and its entries.
local function entry_case(wrong, change, says)
  case(wrong, FAL_ENTRY, entry(change), { "image/fal/entry" }, says)
end

entry_case("a pricing URL that is not https", function(e) e.pricing_url = "http://fal.ai/pricing" end,
  "pricing_url should be an https URL")
entry_case("no pricing URL", function(e) e.pricing_url = exact.null end, "pricing_url should be an https URL, is null")
entry_case("no documentation", function(e) e.docs_url = nil end, "docs_url is absent")
entry_case("no capabilities", function(e) e.capabilities = {} end, "capabilities should be an object with something in it")
entry_case("a provider that was never checked", function(e) e.last_checked = "lately" end, 'is "lately"')
entry_case("prices without a date", function(e) e.pricing.as_of = nil end, "pricing.as_of is absent")
entry_case("prices without a source", function(e) e.pricing.source = nil end, "pricing.source is absent")
entry_case("an entry that is not a dry run", function(e) e.dry_run = false end, "dry_run should be true, is false")
entry_case("ok without execution_allowed", function(e) e.ok = true end, "ok and execution_allowed differ")
entry_case("execution allowed by nothing", function(e) e.ok, e.execution_allowed = true, true end,
  "execution_allowed is true although feature.enabled is false")
entry_case("no feature", function(e) e.feature = nil end, "feature.feature is absent")
entry_case("a credential that is shown", function(e) e.credentials.present = "fal:secret" end,
  "credentials.present should be true or false")
entry_case("no aliases", function(e) e.aliases = nil end, "aliases is absent")
entry_case("environment names that are no list", function(e) e.env_keys = "FAL_KEY" end, "env_keys should be a list of texts")
entry_case("a broken script", function(e) e.script.error = "providers/image_fal.lua:7: '=' expected" end,
  "providers/image_fal.lua:7:")
entry_case("a script without a generation", function(e) e.script.generation = 0 end, "script.generation should be a whole number")
entry_case("an entry of another kind", function(e) e.kind = "video" end, 'kind should be "image", is "video"')

case("an id that leads elsewhere", FAL_ENTRY, entry(function(e) e.id = "../../x" end), { "image//entry" }, "id should be an id")
case("an empty catalogue", FAL_ENTRY, function(answer) answer.json.providers = exact.array() end, { "image//catalogue" },
  "providers should list at least one")
case("a catalogue that fails", FAL_ENTRY, function(answer) answer.status = 500 end, { "image//catalogue" },
  "status 500 instead of 200")
case("a catalogue that is no JSON", FAL_ENTRY, function(answer)
  answer.json, answer.body = nil, "<html>"
end, { "image//catalogue" }, "the answer is not a JSON object")
case("a catalogue that is moved", FAL_ENTRY, function(answer)
  answer.status, answer.headers.location = 307, "/api/providers/video/catalog"
end, { "image//catalogue" }, "status 307 instead of 200")
case("a script that does not load", "/catalog$", function(answer)
  answer.json.script_errors = exact.array { "providers/broken.lua:1: unexpected symbol" }
end, { "//scripts" }, "providers/broken.lua:1:")

-- Health.
case("a health that is not a dry run", "/image/fal/health$", function(answer) answer.json.dry_run = false end,
  { "image/fal/health" }, "dry_run should be true, is false")
case("a health that fails", "/image/fal/health$", function(answer)
  answer.status, answer.json = 500, { detail = "providers/image_fal.lua:9: attempt to index nil" }
end, { "image/fal/health" }, "status 500 instead of 200: providers/image_fal.lua:9:")
case("a health of another provider", "/image/fal/health$", function(answer) answer.json.provider = "luma" end,
  { "image/fal/health" }, 'provider should be "fal", is "luma"')
case("an unknown provider that answers", "/image/[^/]*/health$", function(answer) answer.status = 200 end, { "image//unknown" },
  "status 200 instead of 404")

-- Submit and generate.
local function submit_case(wrong, change, says)
  case(wrong, "/image/fal/submit$", function(answer) change(answer.json) end, { "image/fal/submit" }, says)
end

submit_case("an id that is not deterministic", function(json) json.id = "mock-flux-1" end,
  'id should be "mock-fal-1", is "mock-flux-1"')
submit_case("no estimates", function(json) json.estimates = nil end, "estimates is absent")
submit_case("an estimate without a cost", function(json) json.estimates.estimated_cost_usd = nil end,
  "estimates.estimated_cost_usd is absent")
submit_case("no preview", function(json) json.upstream = nil end, "upstream is absent")
submit_case("a preview without an address", function(json) json.upstream.url = nil end, "upstream.url is absent")
submit_case("warnings that are no list", function(json) json.warnings = "none" end, "warnings should be a list of texts")
submit_case("a submit that is allowed although health is not", allow, "execution_allowed is not as in health")
case("a submit without a job id", "/image/fal/submit$", function(answer) answer.json.job_id = "1" end,
  { "image/fal/submit", "image/fal/task", "image/fal/list", "image/fal/poll_job" }, 'job_id should be a UUID, is "1"')
case("a submit that is refused", "/gpu/public/replicate/submit$", function(answer)
  answer.status, answer.json = 400, { title = "Bad Request", errors = { { path = "job.input", message = "must be text" } } }
end, { "gpu/replicate/submit", "gpu/replicate/task", "gpu/replicate/list", "gpu/replicate/poll_job" }, "job.input: must be text")
case("a generate that is not there", "/video/generate$", function(answer) answer.status = 404 end,
  { "video/luma/generate", "video/replicate/generate", "video/fal/generate" }, "status 404 instead of 200")

-- The registry.
local function fal_row(change)
  return function(answer)
    if answer.json.provider == "fal" and answer.json.kind == "public.image.submit" then change(answer) end
  end
end

local FAL_TASKS = { "image/fal/task", "image/fal/generate" }

case("tasks of another kind", "/api/jobs/status/", fal_row(function(answer)
  answer.json.kind = "public.image.generate"
end), FAL_TASKS, 'kind should be "public.image.submit"')
case("tasks that are not done", "/api/jobs/status/", fal_row(function(answer) answer.json.status = "queued" end), FAL_TASKS,
  'status should be "done", is "queued"')
case("tasks that are not dry runs", "/api/jobs/status/", fal_row(function(answer) answer.json.dry_run = false end), FAL_TASKS,
  "dry_run should be true")
case("tasks that are not registered", "/api/jobs/status/", fal_row(function(answer) answer.status = 404 end), FAL_TASKS,
  "status 404 instead of 200")
case("a list without the task", "provider=fal", function(answer) answer.json.tasks = exact.array() end,
  { "image/fal/list", "video/fal/list" }, "the job is not among the newest")

-- Poll.
case("a poll that is not done", "/video/luma/poll$", function(answer) answer.json.status = "running" end,
  { "video/luma/poll", "video/luma/poll_job" }, 'status should be "done", is "running"')
case("a poll of another job", "/video/luma/poll$", function(answer) answer.json.job_id = "mock-dream-1" end,
  { "video/luma/poll", "video/luma/poll_job" }, 'job_id should be "mock-luma-1", is "mock-dream-1"')

-- The host itself.
case("a host that is something else", "^/healthz$", function(answer) answer.status = 404 end, { "//reachable" },
  "is this a providerd?")

return cases
