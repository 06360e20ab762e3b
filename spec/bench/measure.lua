-- measure.lua - the measurements of `make bench`, each a function that returns figures.
local http = require "spec.support.http"
local shell = require "spec.support.shell"
local socket = require "socket"

local measure = {}

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"
local TICKS = 100 -- of a processor's time, a second

function measure.median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) // 2
  return #sorted % 2 == 1 and sorted[middle] or (sorted[middle] + sorted[middle + 1]) / 2
end

--- The value below which this share of the values lies; sorts them.
function measure.percentile(values, share)
  table.sort(values)
  return values[math.max(1, math.ceil(#values * share))]
end

--- Resident memory of a process in MB.
function measure.memory(pid)
  local status = assert(shell.read("/proc/" .. pid .. "/status"), "the process has ended")
  return tonumber(status:match("VmRSS:%s+(%d+) kB")) / 1024
end

--- Seconds of the processors that a process has used.
function measure.processor_seconds(pid)
  local fields = assert(shell.read("/proc/" .. pid .. "/stat"), "the process has ended"):match("%) (.*)$")
  local user, system = fields:match(("%S+ "):rep(11) .. "(%d+) (%d+)")
  return (tonumber(user) + tonumber(system)) / TICKS
end

-- The same of everybody, the kernel too.
local function all_processor_seconds()
  local user, nice, system, interrupts, soft =
    shell.read("/proc/stat"):match("^cpu +(%d+) (%d+) (%d+) %d+ %d+ (%d+) (%d+)")
  return (user + nice + system + interrupts + soft) / TICKS
end

local NICE = os.getenv("BENCH_NICE")

--- With BENCH_NICE=-15, which only root may say, a server, or the bench itself ("self"), goes before what others do on the
--- machine.
function measure.prefer(pid)
  if not NICE then return end
  local file = assert(io.open("/proc/" .. pid .. "/autogroup", "w"), "BENCH_NICE is for a system with autogroups, and root")
  assert(file:write(NICE) and file:close(), "BENCH_NICE is for root")
end

-- Load --------------------------------------------------------------------------------------------------------------------

-- wrk's command line. One thread: why, says speed.lua.
local function wrk(port, connections, seconds, request, count)
  local url = ("http://127.0.0.1:%d%s"):format(port, request.path)
  local arguments = ("%s %s %s"):format(request.method, shell.quote(request.body or ""), count or "")
  local command = "wrk -t1 -c%d -d%d --timeout 20 -s spec/bench/load.lua %s -- %s"
  return command:format(connections, seconds, shell.quote(url), arguments)
end

local function read_figures(output, request)
  local figures = {}
  for name, value in output:gmatch("(%w+)=([%d.]+)") do figures[name] = tonumber(value) end
  if figures.failed ~= 0 then error("requests failed: " .. request.method .. " " .. request.path .. "\n" .. output, 0) end
  if figures.requests == 0 then figures.p50, figures.p99 = math.huge, math.huge end -- nobody had an answer
  figures.rate, figures.p99_ms = figures.requests / figures.seconds, figures.p99 / 1000
  return figures
end

--- Runs wrk: { rate, p50, p99, ... }, per second and in microseconds. Any failed request is an error.
function measure.load(port, connections, seconds, request)
  return read_figures(shell.output(wrk(port, connections, seconds, request)), request)
end

local SETTLE_SECONDS = 0.2 -- what the last turn's clients left behind is answered, or let go

local function turn(server, connections, seconds, request)
  socket.sleep(SETTLE_SECONDS)
  local used, all, began = measure.processor_seconds(server.pid), all_processor_seconds(), socket.gettime()
  local figures = measure.load(server.port, connections, seconds, request)
  used, all = measure.processor_seconds(server.pid) - used, all_processor_seconds() - all
  figures.cpu = used * 1e6 / figures.requests
  figures.others = math.max(0, all - used - figures.load) / (socket.gettime() - began)
  return figures
end

local QUIET, TRIES = tonumber(os.getenv("BENCH_QUIET")), 8

--- The same against a server { port, pid }, and `cpu`: microseconds of the processors that it took for a request; `others`: how
--- many processors everybody else did. With BENCH_QUIET=0.3 a turn in which that was more is taken again; the quietest counts.
function measure.turn(server, connections, seconds, request)
  local best = turn(server, connections, seconds, request)
  for _ = 2, QUIET and TRIES or 1 do
    if best.others <= QUIET then break end
    local again = turn(server, connections, seconds, request)
    if again.others < best.others then best = again end
  end
  return best
end

--- Runs it in the background, whatever the answers: a function that waits for its end.
function measure.load_beside(port, connections, seconds, request)
  local pipe = assert(io.popen(wrk(port, connections, seconds, request) .. " 2>&1"))
  return function()
    pipe:read("a")
    pipe:close()
  end
end

--- Runs it against several hosts at once, with so many connections each: the rates together, the mean of the p50, the worst p99.
function measure.load_all(ports, connections, seconds, request)
  local pipes, all = {}, { rate = 0, p50 = 0, p99 = 0 }
  for i, port in ipairs(ports) do pipes[i] = assert(io.popen(wrk(port, connections, seconds, request) .. " 2>&1")) end
  for _, pipe in ipairs(pipes) do
    local output = pipe:read("a")
    pipe:close()
    local one = read_figures(output, request)
    all.rate, all.p50, all.p99 = all.rate + one.rate, all.p50 + one.p50 / #ports, math.max(all.p99, one.p99)
  end
  return all
end

--- Sends the same request `count` times over `connections` connections, as fast as it goes.
function measure.fill(port, connections, count, request)
  shell.output(wrk(port, connections, 3600, request, count))
end

-- One request at a time -----------------------------------------------------------------------------------------------------

--- Bytes of a whole answer, head included, and the body.
function measure.answer(port, request)
  local headers = { ["Content-Type"] = request.body and "application/json" or nil, ["Connection"] = "close" }
  local bytes = http.raw(port, http.format(port, request.method, request.path, request.body, headers))
  assert(bytes:match("^HTTP/1.1 200 "), bytes)
  local head, body = bytes:match("^(.-\r\n\r\n)(.*)$")
  -- load tests keep their connections
  return #head + #body + #"keep-alive" - #"close", body
end

-- Sends it on an open connection and waits for the last byte: seconds, the body, and whether the host closes.
local function ask(connection, request_text, wanted)
  local began = socket.gettime()
  assert(connection:send(request_text))
  local status = assert(connection:receive("*l"))
  local length, closes
  repeat
    local line = assert(connection:receive("*l"))
    length = tonumber(line:match("^Content%-Length: (%d+)$")) or length
    closes = closes or line == "Connection: close"
  until line == ""
  local body = assert(connection:receive(length))
  local took = socket.gettime() - began
  assert(status:sub(10, 12) == wanted, body)
  return took, body, closes
end

--- A function that asks once per call, on one connection, and returns seconds and body. `request` may say method, body, headers,
-- and the status of the answer, "200" if it does not.
function measure.asker(port, path, request)
  request = request or {}
  local text = http.format(port, request.method or "GET", path, request.body, request.headers)
  local client = http.connect(port)
  return function()
    local seconds, body, closes = ask(client.socket, text, request.status or "200")
    if closes then
      client:close()
      client = http.connect(port)
    end
    return seconds, body
  end
end

--- Median and worst of `count` answers in milliseconds.
function measure.latency(port, path, count)
  local once, times = measure.asker(port, path), {}
  for i = 1, count do times[i] = once() * 1000 end
  return measure.median(times), math.max(table.unpack(times))
end

--- Milliseconds from a saved script to its new generation in the catalogue: the median of `count` saves.
function measure.reload(host, count)
  local file, path = "providers/image_fal.lua", "/api/providers/image/catalog"
  local text, once, times = host:read(file), measure.asker(host.port, path), {}
  local function generation()
    local _, body = once()
    return body:match('"file":"providers/image_fal.lua","generation":(%d+)')
  end
  for i = 1, count do
    local before = assert(generation(), "the catalogue shows no generation")
    host:write(file, text .. "-- " .. i .. "\n")
    local saved = socket.gettime()
    while generation() == before do
      if socket.gettime() - saved > 60 then error("a saved script did not appear") end
      socket.sleep(0.0002)
    end
    times[i] = (socket.gettime() - saved) * 1000
    socket.sleep(0.1)
  end
  return measure.median(times)
end

-- Start -----------------------------------------------------------------------------------------------------------------------

--- A port that nobody listens on.
function measure.free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

local function connects(port)
  local connection = assert(socket.tcp4())
  local connected = connection:connect("127.0.0.1", port)
  connection:close()
  return connected
end

local function wait_until(seconds, what, condition)
  local deadline = socket.gettime() + seconds
  while not condition() do
    if socket.gettime() > deadline then error("waited in vain for " .. what, 0) end
    socket.sleep(0.0002)
  end
end

local function end_process(pid)
  os.execute("kill -TERM " .. pid .. " 2>/dev/null")
  wait_until(60, "the end of process " .. pid, function()
    local status = shell.read("/proc/" .. pid .. "/status")
    return not status or status:match("State:%s+Z") ~= nil
  end)
end

local function time_one_start(home)
  local port, began = measure.free_port(), socket.gettime()
  local command = ("env -i PATH=/usr/bin:/bin %s serve --home %s --listen 127.0.0.1:%d"):format(shell.quote(PROGRAM),
    shell.quote(home), port)
  local pipe = assert(io.popen(command .. " </dev/null >/dev/null 2>&1 & echo $!"))
  local pid = pipe:read("l")
  pipe:close()
  local ok, result = pcall(function()
    wait_until(60, "the host", function() return connects(port) end)
    measure.asker(port, "/api/providers/image/catalog")()
    return (socket.gettime() - began) * 1000
  end)
  end_process(pid)
  return assert(ok and result, result)
end

--- Milliseconds from exec (and the shell before it) to the first answer: the median of `count` starts on this home.
function measure.start(home, count)
  local times = {}
  for i = 1, count do times[i] = time_one_start(home) end
  return measure.median(times)
end

return measure
