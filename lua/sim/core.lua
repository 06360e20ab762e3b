-- core.lua - the vendor simulator's common part: routing, credentials, the clock of jobs, faults, webhooks (providerd simulate).
--
-- A vendor is one file, lua/sim/VENDOR.lua, that returns
--   provider  its id
--   hosts     { "api.replicate.com", "*.modal.run", "queue.fal.run/fal-ai/pika" }: the longest that fits has the request
--   routes    { { "POST", "/v1/models/{owner}/{name}", handler, host = "...", open = true }, ... }: the first that fits has it;
--             {rest...} takes all that is left; `open` needs no credential. handler(request, arguments) returns an answer.
--   auth      function(request): nil when the credential is good, else an answer (see sim.key)
--   faults    ["429"], ["5xx"], out_of_credit: functions(request) that say it as the vendor does
--   missing   function(request): the answer to an unknown path; optional
--   event     function(job, name, at): the webhook { url =, json =, headers =, tries =, pause_ms = } of an event; optional
--   bills     { moderated = true }: which ends other than success cost what a success costs; optional
--   bill      function(job, phase, now): what a job costs, in dollars, where that depends on how long it ran; nil: see sim.bill
-- An answer is made with sim.json, sim.text, sim.bytes or sim.empty; `error(answer)` ends a handler early.
--
-- A request has method, host, path, query (decoded; query_list has names that come twice), headers (names in lower case), body,
-- json, form (a list of parts), fields (the form by name), base, now (milliseconds) and fault. Jobs follow the clock: nothing
-- happens between two requests.
local cjson = require "cjson"
local crypto = require "crypto"

local sim = { null = cjson.null, array = cjson.array }

local vendors, jobs, order, lists, timers = {}, {}, {}, {}, {}
local settings = { seed = 1, job_ms = 1500 }
local made = 0

-- Answers ------------------------------------------------------------------------------------------------------------------

function sim.json(status, value, headers)
  local all = { ["Content-Type"] = "application/json" }
  for name, text in pairs(headers or {}) do all[name] = text end
  return { status = status, json = value, headers = all }
end

function sim.bytes(status, content_type, body, headers)
  local all = { ["Content-Type"] = content_type }
  for name, text in pairs(headers or {}) do all[name] = text end
  return { status = status, body = body, headers = all }
end

function sim.text(status, body, headers)
  return sim.bytes(status, "text/plain; charset=utf-8", body, headers)
end

function sim.empty(status, headers)
  local all = {}
  for name, text in pairs(headers or {}) do all[name] = text end
  return { status = status, body = "", headers = all }
end

-- Small things -------------------------------------------------------------------------------------------------------------

--- A value of JSON that is there: not absent and not null.
function sim.given(value)
  return value ~= nil and value ~= cjson.null
end

function sim.set(...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return set
end

function sim.decode_uri(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function civil(days)
  local z = days + 719468
  local era = z // 146097
  local day_of_era = z - era * 146097
  local year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
  local day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local month = (5 * day_of_year + 2) // 153
  local day = day_of_year - (153 * month + 2) // 5 + 1
  month = month < 10 and month + 3 or month - 9
  return year_of_era + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- "2026-11-23T10:00:00.000Z"; without the fraction when `whole`.
function sim.iso(ms, whole)
  local seconds = ms // 1000
  local year, month, day = civil(seconds // 86400)
  local rest = seconds % 86400
  local text = ("%04d-%02d-%02dT%02d:%02d:%02d"):format(year, month, day, rest // 3600, rest // 60 % 60, rest % 60)
  return whole and text .. "Z" or ("%s.%03dZ"):format(text, ms % 1000)
end

local WEEKDAYS, MONTHS = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" }, { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
  "Aug", "Sep", "Oct", "Nov", "Dec" }
local dated = {}

--- "Wed, 25 Nov 2026 12:00:00 GMT", as a Date header has it.
function sim.http_date(ms)
  local seconds = ms // 1000
  if dated.seconds == seconds then return dated.text end
  local year, month, day = civil(seconds // 86400)
  local rest = seconds % 86400
  dated.seconds, dated.text = seconds, ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(WEEKDAYS[seconds // 86400 % 7 + 1], day,
    MONTHS[month], year, rest // 3600, rest // 60 % 60, rest % 60)
  return dated.text
end

--- 64 hex digits that follow from the seed and these words.
function sim.hash(...)
  return crypto.hex(crypto.sha256(table.concat({ settings.seed, ... }, "|")))
end

--- A number from 0 to 1 that follows from the seed and these words.
function sim.chance(...)
  return tonumber(sim.hash(...):sub(1, 8), 16) / 4294967296
end

function sim.uuid(...)
  local hex = sim.hash(...)
  return ("%s-%s-4%s-a%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), hex:sub(18, 20), hex:sub(21, 32))
end

local LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

--- `length` small letters and digits.
function sim.word(length, ...)
  local hex, out = sim.hash(...), {}
  for i = 1, length do
    local at = tonumber(hex:sub(i * 2 - 1, i * 2), 16) % #LETTERS + 1
    out[i] = LETTERS:sub(at, at)
  end
  return table.concat(out)
end

-- Credentials --------------------------------------------------------------------------------------------------------------

--- Whether a credential is one that simulators take: any text, but no word of it may be "wrong".
function sim.key(value)
  if not value or value == "" then return false end
  for word in value:gmatch("%w+") do
    if word:lower() == "wrong" then return false end
  end
  return true
end

--- The credential behind a scheme ("Bearer") in Authorization, or nil.
function sim.credential(request, scheme)
  local value = request.headers.authorization or ""
  local given, key = value:match("^(%a+)%s+(%S+)$")
  return given and given:lower() == scheme:lower() and key or nil
end

--- An auth function for "Authorization: <scheme> <key>".
function sim.authorization(scheme, refusal, other)
  return function(request)
    local key = sim.credential(request, scheme) or other and sim.credential(request, other)
    if not sim.key(key) then return refusal(request) end
  end
end

-- Jobs ---------------------------------------------------------------------------------------------------------------------

local function find_prompt(request)
  local json = type(request.json) == "table" and request.json or {}
  local input = type(json.input) == "table" and json.input or json
  local value = input.prompt or input.promptText or input.inputs or json.prompt
  for _, name in ipairs { "prompt", "promptText", "background_prompt", "search_prompt" } do
    if value == nil and request.fields[name] then value = request.fields[name].value end
  end
  if type(value) ~= "string" then return nil end
  value = value:sub(1, 120)
  return utf8.len(value) and value or (value:gsub("[\128-\255]", "?"))
end

-- Keeps a job where its vendor can list it without a look at all others.
local function enlist(job)
  local of_vendor = lists[job.provider]
  local name = job.list or ""
  of_vendor[name] = of_vendor[name] or {}
  table.insert(of_vendor[name], job)
end

--- Registers a job that costs. `fields` go into it; `fields.id` is its id; fields.cost_usd what a success costs, if known;
-- fields.list the name of the list that it is in (sim.jobs).
-- Jobs end within settings.job_ms: a fifth of it is the queue.
function sim.submit(request, fields)
  local vendor = vendors[request.provider]
  if request.fault == "out_of_credit" then
    request.fault_used = true
    error(vendor.faults.out_of_credit(request))
  end
  local job = fields
  local share = 0.4 + 0.5 * sim.chance("time", job.id)
  job.provider, job.base, job.created, job.n = request.provider, request.base, request.now, made
  job.starts = job.created + math.floor(settings.job_ms * 0.2 * share)
  job.ends = job.created + math.floor(settings.job_ms * share)
  job.never = request.fault == "never_ending"
  job.moderated = request.fault == "moderated"
  job.prompt = find_prompt(request)
  request.fault_used = job.never or job.moderated
  request.paid, request.job, request.prompt = true, job.id, job.prompt
  jobs[request.provider][job.id] = job
  order[#order + 1] = job
  enlist(job)
  return job
end

--- A number that no other job of this run has; ids are made from it.
function sim.next()
  made = made + 1
  return made
end

function sim.job(provider, id)
  return jobs[provider] and jobs[provider][id]
end

--- The jobs of a vendor's list, the oldest first; not to be changed.
function sim.jobs(provider, list)
  return lists[provider][list or ""] or {}
end

--- Takes a job out of its list.
function sim.delist(job)
  local list = sim.jobs(job.provider, job.list)
  for i = #list, 1, -1 do
    if list[i] == job then return table.remove(list, i) end
  end
end

--- queued, running, done, moderated, failed or canceled.
function sim.phase(job, now)
  if job.canceled and now >= job.canceled then return "canceled" end
  if now < job.starts then return "queued" end
  if job.never or now < job.ends then return "running" end
  if job.failed then return "failed" end
  return job.moderated and "moderated" or "done"
end

function sim.ended(job, now)
  local phase = sim.phase(job, now)
  return phase ~= "queued" and phase ~= "running"
end

function sim.cancel(job, now)
  if not sim.ended(job, now) then job.canceled = now end
end

--- From 0 to 1 while it runs.
function sim.progress(job, now)
  if now <= job.starts then return 0 end
  if job.never then return 0.5 end
  return math.min(1, (now - job.starts) / math.max(1, job.ends - job.starts))
end

--- What the vendor bills for it now, in dollars; nil when a vendor's contract has no figure.
function sim.bill(job, now)
  local phase = sim.phase(job, now)
  local vendor = vendors[job.provider]
  local bills = vendor.bills or {}
  if vendor.bill then return vendor.bill(job, phase, now) end
  if phase == "done" or bills[phase] or phase == "moderated" and job.moderation_billed then return job.cost_usd end
  return 0
end

-- Timers -------------------------------------------------------------------------------------------------------------------

--- Has the vendor's event(job, name, at) called at this time.
function sim.at(ms, job, name)
  local low, high = 1, #timers + 1
  while low < high do -- the latest first
    local middle = (low + high) // 2
    if timers[middle].at > ms then low = middle + 1 else high = middle end
  end
  table.insert(timers, low, { at = ms, job = job, name = name })
end

local function next_timer()
  local timer = timers[#timers]
  return timer and timer.at or 0
end

--- Called between requests: the webhooks that are due, and when to call again.
function sim.tick(now)
  local deliveries = {}
  while timers[#timers] and timers[#timers].at <= now do
    local timer = table.remove(timers)
    local ok, delivery = pcall(vendors[timer.job.provider].event, timer.job, timer.name, timer.at)
    if ok and delivery then
      delivery.provider, delivery.job = timer.job.provider, timer.job.id
      delivery.body = delivery.body or cjson.encode(delivery.json)
      delivery.json = nil
      deliveries[#deliveries + 1] = delivery
    end
  end
  return deliveries, next_timer()
end

-- Requests -----------------------------------------------------------------------------------------------------------------

local function decode_pairs(text, decode)
  local list = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    list[#list + 1] = { name = decode(name), value = decode(value) }
  end
  return list
end

local function decode_plus(text)
  return sim.decode_uri((text:gsub("%+", " ")))
end

local function read_request(request)
  local kind = request.headers["content-type"] or ""
  request.query, request.fields = {}, {}
  request.query_list = decode_pairs(request.query_text, decode_plus)
  for _, pair in ipairs(request.query_list) do request.query[pair.name] = pair.value end
  if kind:find("x-www-form-urlencoded", 1, true) and #request.body < 65536 then
    request.form = decode_pairs(request.body, decode_plus)
  elseif not request.form and request.body ~= "" then
    local ok, value = pcall(cjson.decode, request.body)
    if ok then request.json = value else request.bad_json = true end
  end
  for _, part in ipairs(request.form or {}) do request.fields[part.name] = request.fields[part.name] or part end
end

local function split(path)
  local list = {}
  for segment in path:gmatch("[^/]+") do list[#list + 1] = segment end
  return list
end

-- The arguments when the path fits the route, else nil.
local function fit(route, segments)
  local arguments = {}
  for i, part in ipairs(route.parts) do
    local name, tail = part:match("^{(%w+)(%.*)}$")
    if name and tail ~= "" then
      arguments[name] = table.concat(segments, "/", i)
      return arguments
    end
    if not segments[i] then return nil end
    if name then arguments[name] = sim.decode_uri(segments[i]) elseif part ~= segments[i] then return nil end
  end
  return #segments == #route.parts and arguments or nil
end

local function host_fits(pattern, host)
  if not pattern or pattern == host then return true end
  return pattern:sub(1, 1) == "*" and #host > #pattern and host:sub(1 - #pattern) == pattern:sub(2)
end

local function find_route(vendor, request)
  local segments = split(request.path)
  local method = request.method == "HEAD" and "GET" or request.method
  for _, route in ipairs(vendor.routes) do
    if (route[1] == method or route[1] == "*") and host_fits(route.host, request.host) then
      local arguments = fit(route, segments)
      if arguments then return route, arguments end
    end
  end
end

local function serve(vendor, request)
  local route, arguments = find_route(vendor, request)
  if not (route and route.open) then
    local refusal = vendor.auth(request)
    if refusal then return refusal end
  end
  if request.fault == "429" or request.fault == "5xx" then
    request.fault_used = true
    return vendor.faults[request.fault](request)
  end
  if not route then
    return vendor.missing and vendor.missing(request) or sim.json(404, { detail = "Not Found" })
  end
  return route[3](request, arguments)
end

local function list_jobs(now)
  local list = sim.array {}
  for i, job in ipairs(order) do
    local entry = { provider = job.provider, id = job.id, prompt = job.prompt or cjson.null, status = sim.phase(job, now),
      created = sim.iso(job.created), ends = sim.iso(job.ends), cost_usd = sim.null, cost_micro_usd = sim.null }
    local bill = sim.bill(job, now)
    if bill then entry.cost_usd, entry.cost_micro_usd = bill, math.floor(bill * 1e6 + 0.5) end
    list[i] = entry
  end
  return sim.json(200, { jobs = list })
end

local function control(request)
  if request.host == "directory" then return require("sim.directory").control(request, vendors) end
  return list_jobs(request.now)
end

--- One request; called by the host program. One of no provider is for the simulator itself.
function sim.handle(request)
  if not request.provider then return control(request) end
  read_request(request)
  local ok, answer = pcall(serve, vendors[request.provider], request)
  if not ok and type(answer) ~= "table" then error(answer, 0) end
  answer.headers.Date = sim.http_date(request.now + (answer.delay_ms or 0))
  answer.paid, answer.job, answer.prompt = request.paid, request.job, request.prompt
  answer.fault_used, answer.wake = request.fault_used, next_timer()
  return answer
end

local function switch_directories(texts)
  for _, text in ipairs(texts) do
    local provider, problem = require("sim.directory").add(text)
    if provider and not vendors[provider] then problem = ("no provider %q is simulated"):format(provider) end
    if problem then error(("%q: %s"):format(text, problem), 0) end
  end
end

--- Loads the vendors; called once. Returns them with their hosts.
function sim.start(options)
  local list = {}
  settings.seed, settings.job_ms = options.seed, options.job_ms
  for _, name in ipairs(options.modules) do
    local vendor = require(name)
    if type(vendor) == "table" and vendor.hosts then
      vendors[vendor.provider], jobs[vendor.provider], lists[vendor.provider] = vendor, {}, {}
      for _, route in ipairs(vendor.routes) do route.parts = split(route[2]) end
      list[#list + 1] = { provider = vendor.provider, hosts = vendor.hosts }
    end
  end
  switch_directories(options.directory)
  return list
end

return sim
