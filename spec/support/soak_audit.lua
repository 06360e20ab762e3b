-- What must be true after a soak (spec/support/soak.lua): the registry, the ledger and the vendors' own books say the same.
--
-- First as the faults left it; then the host is started as after a restored backup, so that all that is still open is unknown,
-- and an operator who knows what the vendors know resolves each. At the end nothing is reserved, and spent is what they billed.
local exact = require "spec.support.exact_json"
local host_support = require "spec.support.host"
local socket = require "socket"

local audit = {}

local PAGE = 500
local ENDED = { done = true, error = true, canceled = true }
local ENDED_THERE = { done = true, moderated = true, failed = true, canceled = true } -- in the simulator's words
local RESOLVED_SECONDS = 180
local RESOLVE_TRIES = 60
local QUIET_TRIES = 60
local PAUSE_SECONDS = 150 -- twice the longest for which a vendor puts a request off, and some

-- These answer the submit with the result, and have no question about a job.
local WITHOUT_POLL = { stability = true, hf_inference_endpoints = true, modal = true }

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

local function given(value)
  return value ~= nil and value ~= exact.null and type(value) ~= "userdata"
end

local function prompt_of(value)
  return exact.encode(value):match("soak%-%d+%.")
end

-- The books ---------------------------------------------------------------------------------------------------------------

-- All jobs of the registry (of this status) by prompt, and in a list.
local function read_registry(run, status)
  local list, by_prompt, cursor = {}, {}, nil
  repeat
    local query = "?limit=" .. PAGE .. (cursor and "&cursor=" .. cursor or "") .. (status and "&status=" .. status or "")
    local answer = run.live.host:get("/api/jobs/list" .. query)
    assert(answer.status == 200, answer.body)
    for _, row in ipairs(answer.json.tasks) do
      local prompt = prompt_of(row.payload)
      if by_prompt[prompt] then run:problem("%s: two jobs in the registry, one is %s", prompt, row.job_id) end
      by_prompt[prompt], list[#list + 1] = row, row
      row.prompt = prompt
    end
    cursor = given(answer.json.next) and answer.json.next or nil
  until not cursor
  return list, by_prompt
end

-- What the vendors have: one paid job a prompt, or it was sent twice.
local function read_vendors(run)
  local by_prompt, paid = {}, {}
  local sim = run.live.simulator
  for _, job in ipairs(sim:get("/jobs").json.jobs) do
    local prompt = prompt_of(job.prompt)
    if not prompt then run:problem("%s made a job that nobody submitted: %s", job.provider, job.id) end
    if prompt and by_prompt[prompt] then run:problem("%s was submitted twice to %s: %s", prompt, job.provider, job.id) end
    if prompt then by_prompt[prompt] = job end
  end
  for _, request in ipairs(sim:get("/journal?paid=1").json.requests) do
    local prompt = prompt_of(request.prompt)
    if prompt and paid[prompt] then run:problem("%s has two paid requests in the journal, one is %d", prompt, request.n) end
    if prompt then paid[prompt] = true end
  end
  return by_prompt
end

local function same_jobs(run, rows, by_prompt, vendors)
  for _, job in ipairs(run.submitted) do
    local row = by_prompt[job.prompt]
    if job.refused and row then run:problem("%s was refused and is in the registry (%s)", job.prompt, row.job_id) end
    if job.maybe and row and row.job_id ~= job.maybe then
      run:problem("%s was named %s and is %s", job.prompt, job.maybe, row.job_id)
    end
    if job.id and not row then run:problem("%s (%s) was accepted and is not in the registry", job.prompt, job.id)
    elseif job.id and row.job_id ~= job.id then run:problem("%s was accepted as %s and is %s", job.prompt, job.id, row.job_id) end
  end
  for prompt, job in pairs(vendors) do
    if not by_prompt[prompt] then run:problem("%s (%s %s) is not in the registry", prompt, job.provider, job.id) end
  end
  for _, row in ipairs(rows) do
    local theirs = vendors[row.prompt]
    if row.status == "done" and not theirs then run:problem("%s is done, and %s never had it", row.prompt, row.provider) end
  end
end

-- Money -------------------------------------------------------------------------------------------------------------------

-- What an ended job must have cost, least and most, in micro-dollars. Most is what was reserved if the host cannot know better:
-- the vendor has no figure, the job was given up while it runs, or nobody says whether what was canceled or failed is billed.
local function due(row, theirs)
  local reserved = micro(row.money.reserved_usd)
  local guessed = row.status ~= "done" and (row.money.basis == "estimate" or row.money.basis == "reserved")
  if not theirs then return 0, guessed and reserved or 0 end
  if not given(theirs.cost_usd) or not ENDED_THERE[theirs.status] then return 0, reserved end
  local least = micro(theirs.cost_usd)
  return least, guessed and math.max(least, reserved) or least
end

local function describe(row, theirs)
  return ("%s (%s %s): %s, %s; the vendor says %s, %s"):format(row.prompt, row.provider, row.job_id, row.status,
    exact.encode(row.money), theirs and exact.encode(theirs) or "that it never had it", given(row.reason) and row.reason or "")
end

local function check_price(run, row, theirs)
  if not given(row.money) then
    run:problem("no money: %s", describe(row, theirs))
  elseif not given(row.money.spent_usd) then
    run:problem("ended and not settled: %s", describe(row, theirs))
  else
    local least, most = due(row, theirs)
    local spent = micro(row.money.spent_usd)
    if spent < least or spent > most then run:problem("another price than the vendor's: %s", describe(row, theirs)) end
    run:count(least == most and "prices compared" or "prices that nobody tells")
  end
end

-- It should have ended: it is not unknown, and its vendor does not work on it.
local function is_overdue(row, theirs)
  return row.status ~= "unknown" and (not theirs or ENDED_THERE[theirs.status])
end

local function check_open(run, row, theirs)
  if given(row.money.spent_usd) then run:problem("settled and not ended: %s", describe(row, theirs)) end
  if is_overdue(row, theirs) then run:problem("nobody looks at it: %s", describe(row, theirs)) end
end

local function sums_of(rows)
  local sums = { host = { spent = 0, reserved = 0 } }
  for _, row in ipairs(rows) do
    local own = sums[row.provider] or { spent = 0, reserved = 0 }
    sums[row.provider] = own
    local name = given(row.money.spent_usd) and "spent" or "reserved"
    for _, sum in ipairs { own, sums.host } do sum[name] = sum[name] + micro(row.money[name .. "_usd"]) end
  end
  return sums
end

local function compare(run, what, expected, span)
  for name, value in pairs(expected) do
    local told = micro(span[name .. "_usd"])
    if told ~= value then
      run:problem("%s: %s is %.6f USD, and the sum of the jobs %.6f", what, name, told / 1e6, value / 1e6)
    end
  end
end

-- The budgets, and the ledger by day, against the jobs.
local function check_budget(run, rows)
  local sums, budget, days = sums_of(rows), run.live.host:get("/api/budget").json, { spent = 0, reserved = 0 }
  for _, span in ipairs { "day", "month" } do
    compare(run, "the host's budget per " .. span, sums.host, budget.host[span])
    for _, provider in ipairs(budget.providers) do
      compare(run, ("the budget of %s per %s"):format(provider.provider, span), sums[provider.provider] or {}, provider[span])
    end
  end
  for _, day in ipairs(budget.days) do
    for name in pairs(days) do days[name] = days[name] + micro(day[name .. "_usd"]) end
  end
  compare(run, "the ledger", days, { spent_usd = sums.host.spent / 1e6, reserved_usd = sums.host.reserved / 1e6 })
  return sums
end

-- What all hosts follow, by phase.
local function followed(run)
  local sum = {}
  for _, host in ipairs(run.stage.hosts(run)) do
    local answer = host:get("/api/live")
    assert(answer.status == 200, answer.body)
    for phase, count in pairs(answer.json.jobs) do sum[phase] = (sum[phase] or 0) + count end
  end
  return sum
end

-- What is open in memory is what is open in the registry: a job in one of them only is one that nobody looks at.
local function check_counts(run, rows)
  local counts, told, open = followed(run), 0, 0
  for _, count in pairs(counts) do told = told + count end
  for _, row in ipairs(rows) do open = open + (ENDED[row.status] and 0 or 1) end
  if told ~= open then run:problem("%d jobs are open in the registry, and the host follows %d", open, told) end
end

local function check_books(run)
  local rows, by_prompt = read_registry(run)
  local vendors = read_vendors(run)
  same_jobs(run, rows, by_prompt, vendors)
  for _, row in ipairs(rows) do
    local check = ENDED[row.status] and check_price or check_open
    check(run, row, vendors[row.prompt])
  end
  check_counts(run, rows)
  return rows, check_budget(run, rows)
end

-- The books are read page by page: what was found while a job moved is not counted.
local function check_all(run)
  local function moves()
    local texts = { run.live.host:get("/api/budget").body }
    for phase, count in pairs(followed(run)) do texts[#texts + 1] = phase .. count end
    table.sort(texts)
    return table.concat(texts, " ")
  end
  local problems, counts = run.problems, run.counts
  for _ = 1, QUIET_TRIES do
    run.problems, run.counts = table.move(problems, 1, #problems, 1, {}), setmetatable({}, { __index = counts })
    local before = moves()
    local rows, sums = check_books(run)
    if moves() == before then
      for name, count in pairs(counts) do run.counts[name] = run.counts[name] or count end
      setmetatable(run.counts, nil)
      return rows, sums
    end
    run.problems, run.counts = problems, counts
    socket.sleep(1)
  end
  error("the host does not come to rest", 0)
end

-- The end -----------------------------------------------------------------------------------------------------------------

local function wait_for_ends(run, seconds, enough)
  local deadline = socket.gettime() + seconds
  repeat
    local counts = followed(run)
    if enough(counts) then return true end
    socket.sleep(0.2)
  until socket.gettime() > deadline
  return false
end

-- Whoever is put off or was not answered tries again after the pause that its vendor asks for.
local function wait_for_overdue(run)
  local deadline, overdue = socket.gettime() + PAUSE_SECONDS
  repeat
    local vendors = read_vendors(run)
    overdue = false
    for _, status in ipairs { "queued", "running" } do
      for _, row in ipairs((read_registry(run, status))) do overdue = overdue or is_overdue(row, vendors[row.prompt]) end
    end
    if overdue then socket.sleep(2) end
  until not overdue or socket.gettime() > deadline
end

-- What an operator who looks into the vendor's console says of a job.
local function resolution(row, theirs)
  if not theirs then return { status = "error", cost_usd = 0 } end
  if theirs.status == "done" and not WITHOUT_POLL[row.provider] then return { vendor_id = theirs.id } end
  local cost = given(theirs.cost_usd) and theirs.cost_usd or row.money.reserved_usd
  return { status = theirs.status == "done" and "done" or theirs.status == "canceled" and "canceled" or "error", cost_usd = cost }
end

-- 503: nothing was done, on a busy machine; an operator asks again.
local function resolve(run, row, vendor)
  local answer
  for _ = 1, RESOLVE_TRIES do
    answer = run.live.host:post("/api/jobs/" .. row.job_id .. "/resolve", resolution(row, vendor))
    if answer.status ~= 503 then break end
    socket.sleep(0.5)
  end
  return answer
end

local function resolve_all(run, rows, vendors)
  for _, row in ipairs(rows) do
    if not ENDED[row.status] then
      local answer = resolve(run, row, vendors[row.prompt])
      if answer.status ~= 200 and answer.status ~= 409 then -- 409: found by the host itself meanwhile
        run:problem("%s (%s) cannot be resolved: %d %s", row.prompt, row.job_id, answer.status, answer.body)
      end
      run:count "resolved"
    end
  end
end

-- What all hosts say of a backup that was put back: what is open is unknown. One host is told at its start; several are told by
-- the registry, once none of them is taken for alive any more.
local function start_restored(run)
  local host, all = run.live.host, run.stage.hosts(run)
  for _, each in ipairs(all) do each:kill() end
  if #all == 1 then
    host.arguments = { "serve", "--home", host.home, "--listen", host.listen, "--restored" }
    return host:start_again()
  end
  host:eventually(function()
    local code, _, problem = host_support.run { "registry", "restored", "--home", host.home }
    return code == 0 or error(problem, 0)
  end)
  for _, each in ipairs(all) do each:start_again() end
end

local function count_ends(run, rows, prefix)
  for _, row in ipairs(rows) do run:count(prefix .. row.status) end
end

local function count_faults(run)
  for _, request in ipairs(run.live.simulator:get("/journal").json.requests) do
    run:count "requests to vendors"
    if given(request.fault) then run:count("fault " .. request.fault) end
  end
end

--- Adds what it finds to run.problems and run.counts.
function audit.run(run, settle_seconds)
  local function none(counts) return counts.queued + counts.sending + counts.sent + counts.unknown == 0 end
  wait_for_ends(run, settle_seconds, none)
  wait_for_overdue(run)
  local rows = check_all(run)
  count_ends(run, rows, "before resolving: ")
  start_restored(run)
  wait_for_ends(run, RESOLVED_SECONDS, function(counts) return counts.queued + counts.sending + counts.sent == 0 end)
  resolve_all(run, read_registry(run), read_vendors(run))
  if not wait_for_ends(run, RESOLVED_SECONDS, none) then run:problem "jobs that were resolved are open" end
  local sums
  rows, sums = check_all(run)
  count_ends(run, rows, "at the end: ")
  if sums.host.reserved ~= 0 then run:problem("%.6f USD are still reserved", sums.host.reserved / 1e6) end
  run.spent_usd = sums.host.spent / 1e6
  count_faults(run)
end

return audit
