-- Runs spec files side by side, one process each: `make test` does. What a file prints is shown whole when something in it
-- failed or is pending (V=1: always). Ends with the slowest files and one line, "N passed, N failed".
--
--   lua5.4 spec/run.lua [FILE or FOLDER...]     all of spec/ by default
--
--   JOBS=N          files at once; by default four for each core, since most of them wait most of the time;
--                   two under a sanitizer
--   SPEC_SECONDS=N  a file that takes longer is ended and counts as failed
--   SPEC_TIMES=FILE how long each file took, kept for the next run: the longest begin first
--   REGISTRY=NAME   sqlite, postgresql or both: what runs on it (spec/support/registries.lua)
--
-- All files share one PostgreSQL (spec/support/postgres.lua), which is started if one of them needs it.
--
-- Of the files that have a browser (spec/studio, spec/media/decode_spec.lua) two run at once: each keeps a core busy.
--
-- What failed is run once more, alone, after all others: a machine with more to do than it has cores is not the fault of a file
-- that waits for a browser. It must pass then, and is named at the end as unsteady: a fault to look for, in the file or in
-- the product. More than MOST_UNSTEADY files have failed as they are, and so has a file about what must hold however busy the
-- machine is (SAFETY). UNSTEADY=0: none is run again.
--
-- Each file has a TMPDIR of its own. What still runs with it when the file has ended is ended too.
--
-- What hosts answered to them is held against /openapi.json at the end (spec/openapi/answers.lua): each difference counts as
-- failed.
package.path = "./?.lua;" .. package.path
local postgres = require "spec.support.postgres"
local registries = require "spec.support.registries"
local shell = require "spec.support.shell"
local socket = require "socket"

local SLOW = os.getenv("SPEC_SLOW") -- a sanitizer's build
local LIMIT_SECONDS = tonumber(os.getenv("SPEC_SECONDS")) or (SLOW and 1800 or 900)
local TIMES = os.getenv("SPEC_TIMES")
local VERBOSE = (os.getenv("V") or "") ~= ""
local SHOWN = 10
local UNKNOWN = 2 -- of answers.lua: npm or node are missing
local BROWSERS = 2 -- at once
local MOST_UNSTEADY = tonumber(os.getenv("UNSTEADY")) or 3
local SAFETY = { "money", "twice", "crash", "storm", "survival", "budgets" } -- in a file's name: what is paid, what is lost
local CI = os.getenv("CI") -- where what is missing is a failure

-- Files -------------------------------------------------------------------------------------------------------------------

local function lines_of(command)
  local lines = {}
  for line in shell.output(command):gmatch("[^\n]+") do lines[#lines + 1] = line end
  return lines
end

local function read_times()
  local times = {}
  for seconds, name in ((TIMES and shell.read(TIMES)) or ""):gmatch("(%S+) ([^\n]+)\n") do times[name] = tonumber(seconds) end
  return times
end

-- Where nothing is known: several hosts take longest, since they wait for leases, then those that are live; scripts alone least,
-- and of two files the larger one. A few wait for a minute to be over, or compute for one.
local LONG = {
  ["spec/api/out_of_memory_spec.lua"] = true, ["spec/hosts/lanes_spec.lua"] = true, ["spec/live/lanes_spec.lua"] = true,
  ["spec/live/migration_spec.lua"] = true, ["spec/live/out_of_memory_spec.lua"] = true, ["spec/fuzz/fuzz_spec.lua"] = true,
  ["spec/studio/axe_spec.lua"] = true, ["spec/api/hooks_spec.lua"] = true, ["spec/api/events_spec.lua"] = true,
}

local function guess(file)
  local folder = file:match("^spec/([^/]+)/")
  local weight = LONG[file] and 5 or ({ hosts = 4, studio = 3, live = 3, api = 2, openai = 2, mcp = 2 })[folder] or 1
  return 1000 * weight + #(shell.read(file) or "") / 1000
end

-- What is run: a file on a registry, by the name under which its time is kept.
local function runs_of(file)
  local runs = {}
  for _, registry in ipairs(registries.of(file, os.getenv("REGISTRY"))) do
    local name = file .. (registry == "sqlite" and "" or " on " .. registry)
    runs[#runs + 1] = { file = file, registry = registry, name = name }
  end
  return runs
end

local function find_files(places)
  local found, seen, runs = {}, {}, {}
  for _, place in ipairs(places) do
    local command = ("find %s -name '*_spec.lua' | sort"):format(shell.quote(place))
    for _, file in ipairs(place:find("%.lua$") and { place } or lines_of(command)) do
      if not seen[file] then found[#found + 1] = file end
      seen[file] = true
    end
  end
  for _, file in ipairs(found) do
    for _, run in ipairs(runs_of(file)) do runs[#runs + 1] = run end
  end
  local times = read_times()
  for _, run in ipairs(runs) do run.cost = times[run.name] or times[run.file] or guess(run.file) end
  table.sort(runs, function(a, b) return a.cost > b.cost end)
  return runs, times
end

-- One file ------------------------------------------------------------------------------------------------------------------

-- Processes whose environment has this folder as TMPDIR: those that the file has started.
local function end_strays(folder)
  local command = "grep -lazF %s /proc/[0-9]*/environ 2>/dev/null || true"
  for _, path in ipairs(lines_of(command:format(shell.quote("TMPDIR=" .. folder)))) do
    os.execute(("kill -KILL %s 2>/dev/null"):format(path:match("%d+")))
  end
end

local function begin(run, shared)
  local file, folder = run.file, lines_of("mktemp -d")[1]
  local output = VERBOSE and "-o gtest" or "-o plainTerminal"
  local environment = ("TMPDIR=%s/tmp SPEC_FILE=%s REGISTRY=%s %s"):format(folder, shell.quote(file), run.registry, shared)
  local command = ("exec >%s/output 2>&1; %s timeout --foreground -k 10 %d lua5.4 /usr/bin/busted %s %s; echo $? >%s/code")
  os.execute("mkdir " .. folder .. "/tmp")
  return {
    file = file, name = run.name, folder = folder, began = socket.gettime(),
    pipe = assert(io.popen(command:format(folder, environment, LIMIT_SECONDS, output, shell.quote(file), folder))),
  }
end

local function counted(output, what)
  return tonumber(output:match("(%d+) " .. what))
end

-- nil while it runs.
local function result_of(run)
  local code = tonumber(shell.read(run.folder .. "/code") or "")
  if not code then return nil end
  run.pipe:close()
  end_strays(run.folder .. "/tmp")
  local output = shell.read(run.folder .. "/output") or ""
  os.execute("rm -rf " .. shell.quote(run.folder))
  local result = {
    name = run.name, output = output, seconds = socket.gettime() - run.began, passed = counted(output, "success") or 0,
    failed = (counted(output, "failure") or 0) + (counted(output, "error") or 0), pending = counted(output, "pending") or 0,
  }
  if code == 124 or code == 137 then
    result.problem = ("was ended: it took more than %d s"):format(LIMIT_SECONDS)
  elseif code ~= 0 and result.failed == 0 then
    result.problem = "ended with " .. code
  elseif result.passed + result.failed + result.pending == 0 then
    result.problem = "has run no test"
  end
  if result.problem then result.failed = result.failed + 1 end
  return result
end

-- All -----------------------------------------------------------------------------------------------------------------------

local function show(result)
  local verdict = result.failed == 0 and "ok  " or "FAIL"
  local text = ("%s %6.1f s  %s: %d passed"):format(verdict, result.seconds, result.name, result.passed)
  if result.failed > 0 then text = text .. (", %d failed"):format(result.failed) end
  if result.pending > 0 then text = text .. (", %d pending"):format(result.pending) end
  print(text .. (result.problem and ": it " .. result.problem or ""))
  if VERBOSE or result.failed > 0 or result.pending > 0 then print(result.output) end
end

local function has_browser(file)
  return file:find("^spec/studio/") ~= nil or file == "spec/media/decode_spec.lua"
end

-- Takes the next file out of the list: the first that may run beside those that do.
local function take_next(files, running)
  local browsers = 0
  for _, run in ipairs(running) do browsers = browsers + (has_browser(run.file) and 1 or 0) end
  for i, run in ipairs(files) do
    if browsers < BROWSERS or not has_browser(run.file) then return table.remove(files, i) end
  end
  return nil
end

local function run_all(files, jobs, shared)
  local running, results = {}, {}
  while #files > 0 or #running > 0 do
    while #running < jobs do
      local run = take_next(files, running)
      if not run then break end
      running[#running + 1] = begin(run, shared)
    end
    socket.sleep(0.05)
    for i = #running, 1, -1 do
      local result = result_of(running[i])
      if result then
        table.remove(running, i)
        results[#results + 1] = result
        show(result)
      end
    end
  end
  return results
end

local function about_safety(name)
  for _, word in ipairs(SAFETY) do
    if name:find(word, 1, true) then return true end
  end
  return false
end

-- Runs again what failed, one by one; what passes takes its failure's place and has it as `before`.
local function look_again(results, runs, shared)
  local failed = {}
  for i, result in ipairs(results) do
    if result.failed > 0 then failed[#failed + 1] = i end
  end
  if #failed > MOST_UNSTEADY then return end
  for _, i in ipairs(failed) do
    local before = results[i]
    if not about_safety(before.name) then
      print("once more, alone: " .. before.name)
      local again = run_all({ runs[before.name] }, 1, shared)[1]
      if again.failed == 0 then
        again.before = before
        results[i] = again
      end
    end
  end
end

-- Each failure as busted printed it: which test, where, what.
local function show_failures(result)
  for kind, text in (result.output .. "\n\n"):gmatch("%f[%u](%u%l+) %-> (.-)\n\n") do
    if kind ~= "Pending" then print("  " .. text:gsub("\n", "\n  ")) end
  end
end

-- Where a log is cut, its end is what is seen.
local function show_what_failed(results)
  for _, result in ipairs(results) do
    if result.before then print(("\nunsteady: %s failed beside others, and passed alone"):format(result.name)) end
    if result.failed > 0 then print(("\nfailed: %s %s"):format(result.name, result.problem or "")) end
    if result.before or result.failed > 0 then show_failures(result.before or result) end
  end
end

-- How many differences there are between what was answered and /openapi.json, and 1 when that cannot be told.
local function check_answers(folder)
  if #lines_of("ls " .. folder) == 0 then return 0, 0 end
  local output = shell.output(("lua5.4 spec/openapi/answers.lua %s 2>&1; echo \"ended with $?\""):format(folder))
  local code = tonumber(output:match("ended with (%d+)\n$"))
  local differences = tonumber(output:match("(%d+) differences\n")) or code == UNKNOWN and 0 or 1
  print((differences > 0 and "FAIL" or "ok  ") .. " answers and /openapi.json: " .. output:gsub("ended with %d+\n$", ""))
  return differences, code == UNKNOWN and 1 or 0
end

local function keep_times(times, results)
  if not TIMES then return end
  for _, result in ipairs(results) do times[result.name] = result.seconds end
  local file = io.open(TIMES, "w")
  if not file then return end
  for name, seconds in pairs(times) do file:write(("%.1f %s\n"):format(seconds, name)) end
  file:close()
end

local function show_slowest(results)
  if #results < 2 then return end
  table.sort(results, function(a, b) return a.seconds > b.seconds end)
  print "\nslowest files:"
  for i = 1, math.min(SHOWN, #results) do print(("%8.1f s  %s"):format(results[i].seconds, results[i].name)) end
end

-- The run's PostgreSQL, if one of the files needs it: words for their environment. It ends with this process.
local function share_postgres(files)
  for _, run in ipairs(files) do
    if registries.needs_postgres(run) and not postgres.missing() then return postgres.share() end
  end
  return ""
end

-- Where there is no PostgreSQL, takes out what would run on it, and says so: how many they were.
local function leave_out(files)
  local missing, count = postgres.missing(), 0
  for i = #files, 1, -1 do
    if missing and files[i].registry == "postgresql" then
      table.remove(files, i)
      count = count + 1
    end
  end
  if count > 0 then print(("%s %d files are not run on PostgreSQL: %s"):format(CI and "FAIL" or "--  ", count, missing)) end
  return count
end

local function main()
  io.stdout:setvbuf("line")
  local began = socket.gettime()
  local files, times = find_files(#arg > 0 and arg or { "spec" })
  local left_out = leave_out(files)
  local answers = lines_of("mktemp -d")[1]
  local cores = tonumber(lines_of("nproc")[1])
  local jobs = tonumber(os.getenv("JOBS")) or SLOW and 2 * cores or 4 * cores
  local shared = ("OPENAPI_ANSWERS=%s %s"):format(answers, share_postgres(files))
  local runs = {}
  for _, run in ipairs(files) do runs[run.name] = run end
  local results = run_all(files, jobs, shared)
  look_again(results, runs, shared)
  local sum = { passed = 0, failed = 0, pending = 0 }
  for _, result in ipairs(results) do
    for name in pairs(sum) do sum[name] = sum[name] + result[name] end
  end
  local differences, unknown = check_answers(answers)
  sum.failed, sum.pending = sum.failed + differences, sum.pending + unknown
  local unseen = CI and "failed" or "pending"
  sum[unseen] = sum[unseen] + left_out
  os.execute("rm -rf " .. answers)
  keep_times(times, results)
  show_slowest(results)
  show_what_failed(results)
  postgres.unshare()
  print(("\n%d files in %.0f s"):format(#results, socket.gettime() - began))
  print(("%d passed, %d failed, %d skipped"):format(sum.passed, sum.failed, sum.pending))
  os.exit(sum.failed == 0 and #results > 0 and 0 or 1)
end

main()
