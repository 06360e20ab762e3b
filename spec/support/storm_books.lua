-- What must be true after a storm (spec/support/storm.lua), by what the clients were told, what the vendors have, and the
-- registry:
--
--   - refused means not paid, and not in the registry; accepted means there, under the id that was told
--   - a job has one paid request at most; one that is done has one
--   - spent and reserved are never above a budget, by the jobs of each day
--   - nothing that costs has left between the answer to a stop and the next start
--   - what an operator was believed of an unknown job is its end
--   - deliveries are of jobs that were not refused, and a job with a callback that ended was delivered
--   - no planted secret is anywhere
local exact = require "spec.support.exact_json"
local hooks = require "spec.support.hooks"
local shell = require "spec.support.shell"
local socket = require "socket"

local books = {}

local PAGE = 500
local WORDS = { "planted", "detnalp" } -- each planted value holds the first; nothing else does. A script may turn a text round
local DELIVERY_SECONDS = 60
local UNDER_WAY_SECONDS = 0.5 -- a request that left before the stop may be written down by the vendor so much later

-- Where nobody tells what a failure costs, what was reserved is booked; and what the operator says.
local GUESSED = { reserved = true, estimate = true, operator = true }

local ENDED = { done = true, error = true, canceled = true }

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

local function given(value)
  return value ~= nil and value ~= exact.null and type(value) ~= "userdata"
end

local function prompt_of(text)
  return given(text) and tostring(text):match("storm%-%d+%.") or nil
end

--- A problem when a planted secret is in the text.
function books.look_for_secrets(run, where, text)
  local lower = text:lower()
  for _, word in ipairs(WORDS) do
    local at = lower:find(word, 1, true)
    if at then run:problem("a secret is shown by %s: ...%s", where, text:sub(math.max(1, at - 60), at + 30)) end
  end
end

-- Reading -----------------------------------------------------------------------------------------------------------------

-- The rows of all jobs of the storm: by prompt, by id, and the live ones in a list.
local function read_registry(run)
  local registry, cursor = { by_prompt = {}, by_id = {}, live = {} }, nil
  repeat
    local answer = run.live.host:get("/api/jobs/list?limit=" .. PAGE .. (cursor and "&cursor=" .. cursor or ""))
    assert(answer.status == 200, answer.body)
    books.look_for_secrets(run, "the list of jobs", answer.body)
    for _, row in ipairs(answer.json.tasks) do
      row.prompt = prompt_of(exact.encode(row.payload))
      registry.by_id[row.job_id] = row
      if row.prompt and row.dry_run == false then
        if registry.by_prompt[row.prompt] then run:problem("%s has two live jobs, one is %s", row.prompt, row.job_id) end
        registry.by_prompt[row.prompt] = row
        registry.live[#registry.live + 1] = row
      end
    end
    cursor = given(answer.json.next) and answer.json.next or nil
  until not cursor
  return registry
end

-- Requests that made a job at a vendor, by prompt.
local function read_paid(run)
  local paid = {}
  for _, request in ipairs(run.live.simulator:get("/journal?paid=1").json.requests) do
    local prompt = prompt_of(request.prompt)
    if prompt then
      paid[prompt] = paid[prompt] or {}
      table.insert(paid[prompt], request)
    end
  end
  return paid
end

-- Judging -----------------------------------------------------------------------------------------------------------------

local function describe(job)
  local told = {}
  for i, said in ipairs(job.told) do told[i] = ("%s %s"):format(said.what, said.status or said.why) end
  return ("%s (%s, %s; told: %s)"):format(job.prompt, job.provider, job.live and "live" or "dry", table.concat(told, ", "))
end

-- What all that a client was told comes to: the ids, and whether a job may be there.
local function sum_up(job)
  local ids, may_be = {}, false
  for _, said in ipairs(job.told) do
    if said.what == "accepted" or said.what == "maybe" then may_be = true end
    if said.what ~= "dry" and said.job_id then ids[#ids + 1] = said end
  end
  return ids, may_be
end

local function check_told(run, job, registry, paid)
  local ids, may_be = sum_up(job)
  local row = registry.by_prompt[job.prompt]
  if not may_be and row then run:problem("%s is in the registry as %s", describe(job), row.job_id) end
  if not may_be and paid[job.prompt] then run:problem("%s was paid", describe(job)) end
  if not job.live and paid[job.prompt] then run:problem("%s was a dry run and is paid", describe(job)) end
  for _, said in ipairs(ids) do
    local own = registry.by_id[said.job_id]
    if said.what == "accepted" and job.live and not own then
      run:problem("%s was accepted as %s and is not in the registry", describe(job), said.job_id)
    elseif own and own.prompt ~= job.prompt then
      run:problem("%s was told the id of another job, %s", describe(job), said.job_id)
    elseif job.live and row and own and own.job_id ~= row.job_id then
      run:problem("%s was told two ids", describe(job))
    end
  end
end

local function describe_row(row)
  local reason = given(row.error) and exact.encode(row.error) or given(row.reason) and row.reason or ""
  return ("%s (%s %s, %s): %s %s"):format(row.prompt, row.provider, row.job_id, row.status, exact.encode(row.money), reason)
end

local function check_paid(run, paid, registry)
  for prompt, requests in pairs(paid) do
    if #requests > 1 then run:problem("%s has %d paid requests", prompt, #requests) end
    if not registry.by_prompt[prompt] then run:problem("%s was paid and is not in the registry", prompt) end
    run:count("paid", #requests)
  end
  for _, row in ipairs(registry.live) do
    if row.status == "done" and not paid[row.prompt] then run:problem("%s is done and nobody was paid", row.prompt) end
    if ENDED[row.status] and not (given(row.money) and given(row.money.spent_usd)) then
      run:problem("%s ended and is not settled", describe_row(row))
    elseif ENDED[row.status] and not paid[row.prompt] and micro(row.money.spent_usd) > 0 and not GUESSED[row.money.basis] then
      run:problem("%s has a price and was never taken", describe_row(row))
    end
    run:count("ended as " .. row.status)
  end
end

-- A job that ended counts with what it cost, but no more than what was reserved: a vendor may bill beyond it, and no budget can
-- know.
local function counted(row)
  local reserved = micro(row.money.reserved_usd)
  return given(row.money.spent_usd) and math.min(micro(row.money.spent_usd), reserved) or reserved
end

local function add(sums, name, amount)
  sums[name] = (sums[name] or 0) + amount
end

local function check_sums(run, what, sums, limit_usd)
  for name, sum in pairs(sums) do
    if sum > micro(limit_usd) then run:problem("%s %s: %.6f USD, above the budget of %.6f", what, name, sum / 1e6, limit_usd) end
  end
end

-- The days are those of the host's own clock.
local function check_budgets(run, registry, limits)
  local days, months, provider_days, provider_months, key_days = {}, {}, {}, {}, {}
  local callers = {}
  for _, job in ipairs(run.jobs) do callers[job.prompt] = job.caller end
  for _, row in ipairs(registry.live) do
    local day, amount = row.created_at:sub(1, 10), counted(row)
    add(days, day, amount)
    add(months, day:sub(1, 7), amount)
    add(provider_days, row.provider .. " on " .. day, amount)
    add(provider_months, row.provider .. " in " .. day:sub(1, 7), amount)
    local caller = callers[row.prompt]
    if limits.key_budgets[caller] then
      key_days[caller] = key_days[caller] or {}
      add(key_days[caller], caller .. " on " .. day, amount)
    end
  end
  check_sums(run, "day", days, limits.budget.per_day)
  check_sums(run, "month", months, limits.budget.per_month)
  check_sums(run, "day of", provider_days, limits.provider_budget.per_day)
  check_sums(run, "month of", provider_months, limits.provider_budget.per_month)
  for caller, sums in pairs(key_days) do check_sums(run, "day of the key", sums, limits.key_budgets[caller].per_day) end
end

local function seconds_of(time)
  local pattern = "(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)%.(%d+)Z"
  local year, month, day, hour, minute, second, ms = time:match(pattern)
  local at = os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = second, isdst = false }
  local utc = os.time(os.date("!*t", at))
  return at + (at - utc) + tonumber(ms) / 1000
end

local function check_stops(run, paid)
  for prompt, requests in pairs(paid) do
    for _, request in ipairs(requests) do
      local at = seconds_of(request.time)
      for _, span in ipairs(run.stopped_spans) do
        if at > span.from + UNDER_WAY_SECONDS and at < (span.to or math.huge) then
          run:problem("%s was sent %.3f s after the answer to a stop", prompt, at - span.from)
        end
      end
    end
  end
end

local function check_resolved(run, registry)
  for id, says in pairs(run.resolved) do
    local row = registry.by_id[id]
    if not row or row.status ~= says.status or micro(row.money.spent_usd) ~= micro(says.cost_usd) then
      run:problem("%s was resolved as %s for %g USD", row and describe_row(row) or id, says.status, says.cost_usd)
    end
  end
  for _, row in ipairs(registry.live) do
    if row.money.basis == "operator" and not run.maybe_resolved[row.job_id] then
      run:problem("%s was resolved by who was told no", describe_row(row))
    end
  end
end

-- Deliveries by the number of the job, without those that are late.
local function read_deliveries(run)
  local delivered = {}
  for _, request in ipairs(hooks.received(run.receiver)) do
    local number = math.tointeger(tonumber(request.path:match("/hook/(%d+)$")))
    books.look_for_secrets(run, "a delivery", request.body)
    delivered[number] = (delivered[number] or "") .. request.body
  end
  return delivered
end

-- Jobs that ended, whose callback was not told of it. A client that was not told of its job may have one all the same.
local function missing_deliveries(run, registry, delivered)
  local missing = {}
  for number, job in ipairs(run.jobs) do
    local row = job.live and job.callback and registry.by_prompt[job.prompt]
    if row and ENDED[row.status] and not (delivered[number] or ""):find(row.job_id, 1, true) then missing[#missing + 1] = job end
  end
  return missing
end

local function was_refused(job)
  for _, said in ipairs(job.told) do
    if said.what ~= "refused" then return false end
  end
  return true
end

local function check_deliveries(run, registry)
  local deadline = socket.gettime() + DELIVERY_SECONDS
  local delivered, missing
  repeat
    delivered = read_deliveries(run)
    missing = missing_deliveries(run, registry, delivered)
    if #missing > 0 then socket.sleep(0.5) end
  until #missing == 0 or socket.gettime() > deadline
  for _, job in ipairs(missing) do run:problem("%s ended, and its callback was not told", describe(job)) end
  for number in pairs(delivered) do
    if was_refused(run.jobs[number]) then run:problem("%s has a delivery", describe(run.jobs[number])) end
    run:count "jobs with deliveries"
  end
end

-- What the host has written: its log, registry, events and artifacts, and what it prints.
local function check_files(run)
  local home = run.live.host.home
  local command = "find %s -type f -not -path %s -exec strings -f {} + | grep -i -e %s -e %s | head -n 5"
  local found = shell.output(command:format(shell.quote(home), shell.quote(home .. "/config/*"), WORDS[1], WORDS[2]))
  if found ~= "" then run:problem("a secret is in a file: %s", found:gsub(home, "")) end
  local out, err = run.live.host:output()
  books.look_for_secrets(run, "its output", out .. err)
end

--- Judges; adds to run.problems and run.counts. limits: { budget, provider_budget, key_budgets by name },
--- each { per_day, per_month } in USD.
function books.close(run, limits)
  local registry, paid = read_registry(run), read_paid(run)
  for _, job in ipairs(run.jobs) do check_told(run, job, registry, paid) end
  check_paid(run, paid, registry)
  check_budgets(run, registry, limits)
  check_stops(run, paid)
  check_resolved(run, registry)
  check_deliveries(run, registry)
  for _, path in ipairs { "/api/events/history?limit=500", "/api/budget", "/metrics", "/readyz", "/api/live" } do
    books.look_for_secrets(run, path, run.live.host:get(path).body)
  end
  run.live.host:stop()
  check_files(run)
end

return books
