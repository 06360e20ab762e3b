-- load.lua - the script that wrk runs: wrk ... -s load.lua URL -- METHOD [BODY [COUNT]]
--
-- Sends requests and prints one line of figures. A %d in BODY becomes a number, another one in each of 1000 requests, so that
-- nothing is measured that only a repeated request gets. With COUNT (and one wrk thread) it ends after that many answers, without
-- figures. Times are in microseconds, as wrk keeps them; wrk counts an answer that took long once more for each request that
-- could have been sent meanwhile. load: seconds of a processor that wrk took itself.

-- luacheck: globals wrk init request response done

local VARIANTS = 1000

local function vary(body)
  local requests, turn = {}, 0
  for i = 1, VARIANTS do requests[i] = wrk.format(nil, nil, nil, (body:gsub("%%d", ("%04d"):format(i)))) end
  function request()
    turn = turn % VARIANTS + 1
    return requests[turn]
  end
end

local function end_after(count)
  local answered = 0
  function response()
    answered = answered + 1
    if answered == count then os.exit(0) end
  end
end

function init(args)
  wrk.method = args[1]
  if args[2] and args[2] ~= "" then
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = args[2]
    if wrk.body:find("%d", 1, true) then vary(wrk.body) end
  end
  if args[3] then end_after(tonumber(args[3])) end
end

local function processor_seconds()
  local file = io.open("/proc/self/stat")
  local user, system = file:read("*a"):match("%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
  file:close()
  return (user + system) / 100
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format("figures requests=%d seconds=%.6f p50=%d p99=%d failed=%d load=%.2f", summary.requests,
    summary.duration / 1e6, latency:percentile(50), latency:percentile(99), failed, processor_seconds()))
end
